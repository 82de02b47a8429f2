/*
 * context_setting.c
 *		Two settings that only this library can set.
 *
 * A setting follows transactions and savepoints by itself, and parallel
 * workers receive a copy.  What makes it trustworthy is the check hook: it
 * accepts a value only while a flag is up that no SQL can raise, or from the
 * leader of a starting parallel worker.  PGC_SUSET alone would not do: SET can
 * be granted, and superusers make mistakes.
 */
#include "postgres.h"

#include <limits.h>
#include <sodium.h>

#include "access/parallel.h"
#include "lib/stringinfo.h"
#include "utils/guc.h"

#include "bcce.h"
#include "compat.h"
#include "context_setting.h"

/* Up only while we set one ourselves. */
static bool setting_is_ours = false;

static char *context_text = NULL;
static char *chosen_text = NULL;
static int	max_ttl = 900;

/* What the texts say; NULL where they are empty. */
static const TenantContext *current_context = NULL;
static const ChosenTenant *current_choice = NULL;

/*
 * May the setting take this value?  Says why not without the value, which may
 * be somebody's token.
 */
static bool
value_is_ours(GucSource source)
{
	if (setting_is_ours || (InitializingParallelWorker && source == PGC_S_SESSION))
		return true;
	GUC_check_errcode(ERRCODE_INSUFFICIENT_PRIVILEGE);
	GUC_check_errmsg("this setting cannot be set");
	GUC_check_errhint("Call bcce.set_context() or bcce.use_tenant().");
	return false;
}

/* Reads so many uuids at most, in hexadecimal with any "-" and ",". */
static bool
read_uuids(const char *s, pg_uuid_t *uuids, int most, int *count)
{
	size_t		bytes;

	if (sodium_hex2bin((unsigned char *) uuids, (size_t) most * UUID_LEN, s, strlen(s), "-,", &bytes, NULL) != 0 ||
		bytes == 0 || bytes % UUID_LEN != 0)
		return false;
	*count = (int) (bytes / UUID_LEN);
	return true;
}

/* Check hook: empty, or "role expiry key uuid,uuid". */
static bool
check_context(char **newval, void **extra, GucSource source)
{
	TenantContext context = {0};
	int			at = 0;

	if (*newval == NULL || **newval == '\0')
		return true;
	if (!value_is_ours(source) ||
		sscanf(*newval, "%u " INT64_FORMAT " %64[A-Za-z0-9._-] %n",
			   &context.role, &context.expires_at, context.key_id, &at) != 3 || at == 0 ||
		!read_uuids(*newval + at, context.tenants, TOKEN_MAX_TENANTS, &context.tenant_count))
		return false;
	*extra = bcce_guc_malloc(sizeof(context));
	if (*extra == NULL)
		return false;
	memcpy(*extra, &context, sizeof(context));
	return true;
}

/* Assign hook: what the check hook has read. */
static void
assign_context(const char *newval, void *extra)
{
	current_context = (const TenantContext *) extra;
}

/* Check hook: empty, or "role uuid". */
static bool
check_chosen(char **newval, void **extra, GucSource source)
{
	ChosenTenant chosen = {0};
	int			count;
	int			at = 0;

	if (*newval == NULL || **newval == '\0')
		return true;
	if (!value_is_ours(source) ||
		sscanf(*newval, "%u %n", &chosen.role, &at) != 1 || at == 0 ||
		!read_uuids(*newval + at, &chosen.tenant, 1, &count))
		return false;
	*extra = bcce_guc_malloc(sizeof(chosen));
	if (*extra == NULL)
		return false;
	memcpy(*extra, &chosen, sizeof(chosen));
	return true;
}

/* Assign hook: what the check hook has read. */
static void
assign_chosen(const char *newval, void *extra)
{
	current_choice = (const ChosenTenant *) extra;
}

/* Registers the settings. */
void
context_settings_init(void)
{
	const int	flags = GUC_SUPERUSER_ONLY | GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE;

	DefineCustomStringVariable("bcce.context",
							   "Verified claims of the context token of this transaction.",
							   "Set by bcce.set_context() and by nothing else.",
							   &context_text,
							   "",
							   PGC_SUSET,
							   flags,
							   check_context,
							   assign_context,
							   NULL);
	DefineCustomStringVariable("bcce.chosen_tenant",
							   "Tenant that the caller chose among several.",
							   "Set by bcce.use_tenant() and by nothing else.",
							   &chosen_text,
							   "",
							   PGC_SUSET,
							   flags,
							   check_chosen,
							   assign_chosen,
							   NULL);
	DefineCustomIntVariable("bcce.context_max_ttl",
							"Longest time from issue to expiry that a context token may have.",
							NULL,
							&max_ttl,
							900,
							1,
							86400,
							PGC_SUSET,
							GUC_UNIT_S,
							NULL,
							NULL,
							NULL);
}

/* See the header. */
int64
context_max_lifetime(void)
{
	return (int64) max_ttl * USECS_PER_SEC;
}

/* See the header. */
const TenantContext *
tenant_context(void)
{
	return current_context;
}

/* See the header. */
const TenantContext *
tenant_context_of(Oid role)
{
	return current_context != NULL && current_context->role == role ? current_context : NULL;
}

/* See the header. */
const ChosenTenant *
chosen_tenant_of(Oid role)
{
	return current_choice != NULL && current_choice->role == role ? current_choice : NULL;
}

/* Sets one of the two, with the flag up. */
static void
set_guarded(const char *name, const char *value, GucAction action)
{
	setting_is_ours = true;
	PG_TRY();
	{
		(void) set_config_option(name, value, PGC_SUSET, PGC_S_SESSION, action, true, 0, false);
	}
	PG_FINALLY();
	{
		setting_is_ours = false;
	}
	PG_END_TRY();
}

/* Appends a uuid in hexadecimal. */
static void
append_uuid(StringInfo text, const pg_uuid_t *uuid)
{
	for (int i = 0; i < UUID_LEN; i++)
		appendStringInfo(text, "%02x", uuid->data[i]);
}

/* See the header. */
void
set_tenant_context(const TenantContext *context)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "%u " INT64_FORMAT " %s ", context->role, context->expires_at, context->key_id);
	for (int i = 0; i < context->tenant_count; i++)
	{
		if (i > 0)
			appendStringInfoChar(&text, ',');
		append_uuid(&text, &context->tenants[i]);
	}
	set_guarded("bcce.context", text.data, GUC_ACTION_LOCAL);
	pfree(text.data);
}

/* See the header. */
void
set_chosen_tenant(const ChosenTenant *chosen, bool is_local)
{
	StringInfoData text;

	initStringInfo(&text);
	if (chosen != NULL)
	{
		appendStringInfo(&text, "%u ", chosen->role);
		append_uuid(&text, &chosen->tenant);
	}
	set_guarded("bcce.chosen_tenant", text.data, is_local ? GUC_ACTION_LOCAL : GUC_ACTION_SET);
	pfree(text.data);
}
