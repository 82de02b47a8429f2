/*
 * tenant_rules.c
 *		The redaction rules and the style of a tenant, kept per backend.
 *
 * All rows are read at once; the rules of a tenant are compiled when it first
 * writes.  A database without rows pays a look at two counters a row.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "compat.h"
#include "redact/rule_row.h"
#include "redact/tenant_rules.h"
#include "tenancy/membership.h"
#include "tenancy/store_cache.h"

enum
{
	RULES,
	STYLES_OF_TENANTS
};

typedef struct TenantEntry
{
	pg_uuid_t	tenant;
	RedactStyle style;
	RuleRow    *rows;			/* those in force */
	int			nrows;
	RedactRules *compiled;		/* NULL until they are asked for */
} TenantEntry;

static StoreCache cache;
static TenantEntry *entries = NULL;
static int	nentries = 0;

/* While a fill runs. */
typedef struct Fill
{
	TenantEntry *entries;
	int			count;
	int			room;
	RuleRow    *rows;
	int			nrows;
	int			rows_room;
} Fill;

/* By tenant, and by name, so that rules compile alike everywhere. */
static int
compare_rows(const void *a, const void *b)
{
	const RuleRow *x = a;
	const RuleRow *y = b;
	int			order = tenant_compare(&x->tenant, &y->tenant);

	return order != 0 ? order : strcmp(x->name, y->name);
}

static int
compare_entries(const void *a, const void *b)
{
	return tenant_compare(&((const TenantEntry *) a)->tenant, &((const TenantEntry *) b)->tenant);
}

/* The entry of a tenant, made when absent. */
static TenantEntry *
add_entry(Fill *fill, const pg_uuid_t *tenant)
{
	TenantEntry *entry;

	if (fill->count == fill->room)
	{
		fill->room *= 2;
		fill->entries = repalloc_huge(fill->entries, mul_size(fill->room, sizeof(TenantEntry)));
	}
	entry = &fill->entries[fill->count++];
	memset(entry, 0, sizeof(TenantEntry));
	entry->tenant = *tenant;
	entry->style = STYLE_TAG;
	return entry;
}

static void
read_rules(Fill *fill)
{
	StoreScan	scan;
	HeapTuple	tuple;

	if (!store_scan_begin(&scan, &cache, RULES, "bcce_data", "redaction_rules"))
		return;
	while ((tuple = store_scan_next(&scan)) != NULL)
	{
		if (fill->nrows == fill->rows_room)
		{
			fill->rows_room *= 2;
			fill->rows = repalloc_huge(fill->rows, mul_size(fill->rows_room, sizeof(RuleRow)));
		}
		rule_row_read(&fill->rows[fill->nrows], tuple, RelationGetDescr(scan.rel));
		if (fill->rows[fill->nrows].enabled)
			fill->nrows++;
	}
	store_scan_end(&scan);
	qsort(fill->rows, fill->nrows, sizeof(RuleRow), compare_rows);
}

/* One entry for each tenant with rules. */
static void
group_rules(Fill *fill)
{
	int			i;

	for (i = 0; i < fill->nrows; i++)
	{
		RuleRow    *row = &fill->rows[i];

		if (fill->count == 0 || tenant_compare(&fill->entries[fill->count - 1].tenant, &row->tenant) != 0)
			add_entry(fill, &row->tenant)->rows = row;
		fill->entries[fill->count - 1].nrows++;
	}
}

static void
read_styles(Fill *fill)
{
	int			with_rules = fill->count;
	StoreScan	scan;
	HeapTuple	tuple;

	if (!store_scan_begin(&scan, &cache, STYLES_OF_TENANTS, "bcce_data", "redaction_styles"))
		return;
	while ((tuple = store_scan_next(&scan)) != NULL)
	{
		TenantEntry key = {0};
		TenantEntry *entry;
		Datum		tenant;
		Datum		style;

		if (!store_scan_value(&scan, tuple, store_scan_column(&scan, "tenant_id", UUIDOID), &tenant) ||
			!store_scan_value(&scan, tuple, store_scan_column(&scan, "style", TEXTOID), &style))
			continue;
		key.tenant = *DatumGetUUIDP(tenant);
		entry = bsearch(&key, fill->entries, with_rules, sizeof(TenantEntry), compare_entries);
		if (entry == NULL)
			entry = add_entry(fill, &key.tenant);
		entry->style = (RedactStyle) Max(0, rule_word_index(TextDatumGetCString(style), redact_style_name, STYLES));
	}
	store_scan_end(&scan);
	qsort(fill->entries, fill->count, sizeof(TenantEntry), compare_entries);
}

static void
fill_cache(void)
{
	Fill		fill = {.room = 8, .rows_room = 8};
	MemoryContext old = MemoryContextSwitchTo(store_cache_fill_begin(&cache));

	fill.entries = palloc(fill.room * sizeof(TenantEntry));
	fill.rows = palloc(fill.rows_room * sizeof(RuleRow));
	read_rules(&fill);
	group_rules(&fill);
	read_styles(&fill);
	MemoryContextSwitchTo(old);
	store_cache_fill_end(&cache);
	entries = fill.entries;
	nentries = fill.count;
}

static void *
allocate(size_t size)
{
	return MemoryContextAllocExtended(CurrentMemoryContext, size, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/*
 * Compiles the rules of a tenant, in memory of their own that joins the cache's
 * only when all is well.
 */
static RedactRules *
compile(const TenantEntry *entry)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "bcce redaction rules",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	RedactRules *set = palloc0(sizeof(RedactRules));
	int			i;

	set->rules = palloc0(mul_size(entry->nrows, sizeof(RedactRule)));
	set->count = entry->nrows;
	set->match_regex = rule_regex_match;
	for (i = 0; i < entry->nrows; i++)
		rule_row_compile(&entry->rows[i], &set->rules[i]);
	redact_rules_build(set, allocate);
	MemoryContextSwitchTo(old);
	MemoryContextSetParent(context, cache.context);
	return set;
}

const RedactRules *
tenant_rules(const pg_uuid_t *tenant, RedactStyle *style)
{
	TenantEntry key = {.tenant = *tenant};
	TenantEntry *entry;

	*style = STYLE_TAG;
	if (!store_cache_is_valid(&cache))
		fill_cache();
	if (nentries == 0)
		return NULL;
	entry = bsearch(&key, entries, nentries, sizeof(TenantEntry), compare_entries);
	if (entry == NULL)
		return NULL;
	*style = entry->style;
	if (entry->compiled == NULL && entry->nrows > 0)
		entry->compiled = compile(entry);
	return entry->compiled;
}
