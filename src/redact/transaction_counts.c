/*
 * transaction_counts.c
 *		Counts what a transaction redacts, and writes it down when it commits.
 *
 * The trigger adds to counters in memory.  Before the transaction commits, or is
 * prepared, they become one row each of bcce_data.redaction_counts, which only
 * grows: no writer waits for another, and bcce.maintain() adds rows up later.
 * What a transaction or a subtransaction takes back is not counted.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "redact/transaction_counts.h"

typedef struct CountKey
{
	pg_uuid_t	tenant;
	Oid			table;
	int			kind;
	char		rule[RULE_NAME_MAX + 1];	/* of REDACT_CUSTOM, else empty; zeros behind */
} CountKey;

typedef struct CountEntry
{
	CountKey	key;
	int64		count;
} CountEntry;

/* What was counted at one depth of subtransactions. */
typedef struct Level
{
	int			depth;
	HTAB	   *counts;
	struct Level *outer;
} Level;

static Level *innermost = NULL;

/* Set from the writing until the transaction has ended: too late to count. */
static bool is_written = false;

static void transaction_ends(XactEvent event, void *arg);
static void subtransaction_ends(SubXactEvent event, SubTransactionId mine,
								SubTransactionId parent, void *arg);

/* The level of the running subtransaction. */
static Level *
current_level(void)
{
	static bool registered = false;
	int			depth = GetCurrentTransactionNestLevel();
	HASHCTL		control = {0};
	Level	   *level;

	if (!registered)
	{
		RegisterXactCallback(transaction_ends, NULL);
		RegisterSubXactCallback(subtransaction_ends, NULL);
		registered = true;
	}
	if (innermost != NULL && innermost->depth == depth)
		return innermost;
	control.keysize = sizeof(CountKey);
	control.entrysize = sizeof(CountEntry);
	control.hcxt = TopTransactionContext;
	level = MemoryContextAlloc(TopTransactionContext, sizeof(Level));
	level->depth = depth;
	level->counts = hash_create("bcce redactions", 16, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	level->outer = innermost;
	innermost = level;
	return level;
}

static void
add(HTAB *counts, const CountKey *key, int64 count)
{
	bool		found;
	CountEntry *entry = hash_search(counts, key, HASH_ENTER, &found);

	entry->count = (found ? entry->count : 0) + count;
}

/* See the header. */
void
count_redactions(const pg_uuid_t *tenant, Oid table, const RedactCounts *counts, const RedactRules *rules)
{
	Level	   *level;
	CountKey	key;
	int			i;

	if (is_written)
		return;
	level = current_level();
	memset(&key, 0, sizeof(key));
	key.tenant = *tenant;
	key.table = table;
	for (key.kind = 0; key.kind < REDACT_CUSTOM; key.kind++)
		if (counts->kinds[key.kind] > 0)
			add(level->counts, &key, counts->kinds[key.kind]);
	for (i = 0; counts->rules != NULL && i < rules->count; i++)
	{
		if (counts->rules[i] == 0)
			continue;
		memset(key.rule, 0, sizeof(key.rule));
		strlcpy(key.rule, rules->rules[i].name, sizeof(key.rule));
		add(level->counts, &key, counts->rules[i]);
	}
}

/*
 * The table's name, without its schema in the store, and that of the partitioned
 * one.  "other" where it is no plain name: it might be a person's.
 */
static const char *
table_name(Oid table)
{
	Oid			root = table;
	const char *plain = "abcdefghijklmnopqrstuvwxyz0123456789_";
	const char *schema;
	const char *name;

	if (get_rel_relispartition(table))
	{
		List	   *ancestors = get_partition_ancestors(table);

		if (ancestors != NIL)
			root = llast_oid(ancestors);
	}
	name = get_rel_name(root);
	if (name == NULL)
		return NULL;			/* dropped meanwhile, with its rows */
	schema = get_namespace_name(get_rel_namespace(root));
	if (strspn(name, plain) != strlen(name) || strspn(schema, plain) != strlen(schema))
		return "other";
	return strcmp(schema, "bcce_data") == 0 ? name : psprintf("%s.%s", schema, name);
}

/* The values of a row. */
static void
row_values(const CountEntry *entry, Datum *values, char *nulls, const char *source)
{
	values[0] = UUIDPGetDatum(&entry->key.tenant);
	values[1] = CStringGetTextDatum(source);
	values[2] = CStringGetTextDatum(redact_kind_name[entry->key.kind]);
	values[3] = CStringGetTextDatum(entry->key.rule);
	values[4] = Int64GetDatum(entry->count);
	memset(nulls, ' ', 5);
	if (entry->key.rule[0] == '\0')
		nulls[3] = 'n';
}

static const char insert_row[] =
	"INSERT INTO bcce_data.redaction_counts (tenant_id, source, kind, rule, redaction_count)"
	" VALUES ($1, $2, $3, $4, $5)";

/* Writes the rows, as whoever keeps the store. */
static void
insert_rows(HTAB *counts)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[5] = {UUIDOID, TEXTOID, TEXTOID, TEXTOID, INT8OID};
	HASH_SEQ_STATUS scan;
	CountEntry *entry;

	SPI_connect();
	if (plan == NULL)
	{
		plan = SPI_prepare(insert_row, 5, types);
		if (plan == NULL || SPI_keepplan(plan) != 0)
			elog(ERROR, "the insertion of redaction counts cannot be prepared: %s", SPI_result_code_string(SPI_result));
	}
	hash_seq_init(&scan, counts);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		const char *source = table_name(entry->key.table);
		Datum		values[5];
		char		nulls[5];

		if (source == NULL)
			continue;
		row_values(entry, values, nulls, source);
		if (SPI_execute_plan(plan, values, nulls, false, 0) != SPI_OK_INSERT)
			elog(ERROR, "redaction counts cannot be inserted");
	}
	SPI_finish();
}

/* Is there a store to write to?  Not while it is dropped or was never made. */
static bool
has_store(Oid *keeper)
{
	Oid			schema = get_namespace_oid("bcce_data", true);

	*keeper = get_role_oid("bcce_maintainer", true);
	return OidIsValid(schema) && OidIsValid(*keeper) &&
		OidIsValid(get_relname_relid("redaction_counts", schema));
}

/*
 * Writes the rows.  A dump is restored with row_security off, which refuses what
 * the policy of the keeper lets through: here it is on.
 */
static void
write_counts(void)
{
	Level	   *level = innermost;
	Oid			keeper;
	Oid			user;
	int			context;
	int			settings;

	innermost = NULL;
	if (level == NULL || XactReadOnly || !has_store(&keeper))
		return;
	is_written = true;
	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(keeper, context | SECURITY_LOCAL_USERID_CHANGE);
	settings = NewGUCNestLevel();
	set_config_option("row_security", "on", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	PushActiveSnapshot(GetTransactionSnapshot());
	insert_rows(level->counts);
	PopActiveSnapshot();
	AtEOXact_GUC(false, settings);
	SetUserIdAndSecContext(user, context);
}

static void
transaction_ends(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE)
		write_counts();
	else if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_PREPARE || event == XACT_EVENT_ABORT)
	{
		innermost = NULL;
		is_written = false;
	}
}

/* Counts of a subtransaction become its parent's, or are none. */
static void
subtransaction_ends(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	Level	   *level = innermost;
	HASH_SEQ_STATUS scan;
	CountEntry *entry;

	if (level == NULL || level->depth != GetCurrentTransactionNestLevel() ||
		(event != SUBXACT_EVENT_COMMIT_SUB && event != SUBXACT_EVENT_ABORT_SUB))
		return;
	if (event == SUBXACT_EVENT_COMMIT_SUB && (level->outer == NULL || level->outer->depth < level->depth - 1))
	{
		level->depth--;
		return;
	}
	innermost = level->outer;
	if (event == SUBXACT_EVENT_COMMIT_SUB)
	{
		hash_seq_init(&scan, level->counts);
		while ((entry = hash_seq_search(&scan)) != NULL)
			add(level->outer->counts, &entry->key, entry->count);
	}
	hash_destroy(level->counts);
	pfree(level);
}
