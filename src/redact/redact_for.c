/*
 * redact_for.c
 *		Redaction as a tenant wants it: its rules, its style, its key.
 *
 * Whoever could ask it for any tenant could ask which words a tenant hides and
 * which name a value has there, so it answers for the caller's tenants alone.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/array.h"

#include "compat.h"
#include "crypto/pseudonym.h"
#include "error.h"
#include "redact/redact.h"
#include "redact/tenant_rules.h"
#include "tenancy/tenancy.h"

/* The letters of a keyed name. */
static void
write_letters(const void *tenant, const char *tag, const char *text, size_t len, char *letters)
{
	redaction_letters(tenant, tag, text, len, HASH_ALPHABET, letters, HASH_LETTERS);
}

/* See the header. */
void
redactor_use_tenant(Redactor *r, const pg_uuid_t *tenant)
{
	r->options.rules = tenant_rules(tenant, &r->style);
	r->numbers.name = write_letters;
	r->numbers.key = tenant;
}

/* The tenant named by the first argument, which must be the caller's. */
static void
use_argument(Redactor *r, FunctionCallInfo fcinfo, int argument)
{
	pg_uuid_t  *tenant = PG_GETARG_UUID_P(argument);

	if (!tenant_is_visible(tenant))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for tenant"),
				 errdetail("The tenant is none of the caller's."),
				 errhint("Name a tenant that bcce.current_tenants() lists."),
				 bcce_hide_input()));
	redactor_init(r);
	redactor_use_tenant(r, tenant);
}

/* The arguments tenant, kinds and style. */
static void
read_arguments(Redactor *r, FunctionCallInfo fcinfo)
{
	use_argument(r, fcinfo, 0);
	redactor_arguments(r, PG_ARGISNULL(2) ? NULL : PG_GETARG_ARRAYTYPE_P(2),
					   PG_ARGISNULL(3) ? NULL : PG_GETARG_TEXT_PP(3));
}

PG_FUNCTION_INFO_V1(redact_for_text);
/* redact_for(tenant uuid, document text, kinds text[], style text) */
Datum
redact_for_text(PG_FUNCTION_ARGS)
{
	Redactor	r;
	text	   *out;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	read_arguments(&r, fcinfo);
	out = redactor_datum(&r, PG_GETARG_DATUM(1));
	PG_RETURN_DATUM(out ? PointerGetDatum(out) : PG_GETARG_DATUM(1));
}

PG_FUNCTION_INFO_V1(redact_for_jsonb);
/* redact_for(tenant uuid, document jsonb, kinds text[], style text) */
Datum
redact_for_jsonb(PG_FUNCTION_ARGS)
{
	Redactor	r;
	Jsonb	   *out;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	read_arguments(&r, fcinfo);
	out = redactor_jsonb(&r, PG_GETARG_JSONB_P(1), false);
	PG_RETURN_DATUM(out ? JsonbPGetDatum(out) : PG_GETARG_DATUM(1));
}

PG_FUNCTION_INFO_V1(contains_pii_for);
/* contains_pii(document text, tenant uuid): stops at the first hit. */
Datum
contains_pii_for(PG_FUNCTION_ARGS)
{
	text	   *in = PG_GETARG_TEXT_PP(0);
	Redactor	r;

	use_argument(&r, fcinfo, 1);
	r.options.first_only = true;
	PG_RETURN_BOOL(redactor_scan(&r, VARDATA_ANY(in), VARSIZE_ANY_EXHDR(in)));
}
