/*
 * model_rows.c
 *		Reads prices, multipliers and other names of models into a sorted array.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "compat.h"
#include "cost/model_rows.h"
#include "tenancy/store_cache.h"

static const struct
{
	const char *name;
	ModelRowKind kind;
	bool		of_tenant;
}			tables[] = {
	{"default_model_prices", ROW_PRICE, false},
	{"model_prices", ROW_PRICE, true},
	{"default_model_price_factors", ROW_FACTOR, false},
	{"model_price_factors", ROW_FACTOR, true},
	{"default_model_aliases", ROW_ALIAS, false},
	{"model_aliases", ROW_ALIAS, true},
};

/* Where the columns are; 0 where a table has no such column. */
typedef struct Columns
{
	AttrNumber	tenant_id;
	AttrNumber	name;
	AttrNumber	valid;
	AttrNumber	known;
	AttrNumber	value;			/* price_usd, factor or model_id */
	AttrNumber	class;			/* or factor_kind */
	AttrNumber	tier;
	AttrNumber	above;
} Columns;

static void
find_columns(StoreScan *scan, int table, Columns *c)
{
	ModelRowKind kind = tables[table].kind;

	memset(c, 0, sizeof(Columns));
	if (tables[table].of_tenant)
		c->tenant_id = store_scan_column(scan, "tenant_id", UUIDOID);
	c->name = store_scan_column(scan, kind == ROW_ALIAS ? "alias" : "model_id", TEXTOID);
	c->valid = store_scan_column(scan, "valid", TSTZRANGEOID);
	c->known = store_scan_column(scan, "known", TSTZRANGEOID);
	if (kind == ROW_ALIAS)
		c->value = store_scan_column(scan, "model_id", TEXTOID);
	else if (kind == ROW_FACTOR)
	{
		c->value = store_scan_column(scan, "factor", NUMERICOID);
		c->class = store_scan_column(scan, "factor_kind", TEXTOID);
	}
	else
	{
		c->value = store_scan_column(scan, "price_usd", NUMERICOID);
		c->class = store_scan_column(scan, "token_class", TEXTOID);
		c->tier = store_scan_column(scan, "service_tier", TEXTOID);
		c->above = store_scan_column(scan, "context_above", INT8OID);
	}
}

/* The number of a word in a list; -1 when it is none of them. */
static int
word_number(Datum word, const char *const *list, int n)
{
	text	   *t = DatumGetTextPP(word);
	int			i;

	for (i = 0; i < n; i++)
		if (strlen(list[i]) == VARSIZE_ANY_EXHDR(t) &&
			memcmp(list[i], VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t)) == 0)
			return i;
	return -1;
}

/* A number with so many decimals as a whole number of the last of them. */
static int64
scaled(Datum number, int64 scale)
{
	Datum		product = DirectFunctionCall2(numeric_mul, number,
											  NumericGetDatum(int64_to_numeric(scale)));

	return DatumGetInt64(DirectFunctionCall1(numeric_int8, product));
}

static const char *
copy_text(Datum value, int *len)
{
	text	   *copy = DatumGetTextPCopy(value);

	*len = VARSIZE_ANY_EXHDR(copy);
	return VARDATA_ANY(copy);
}

/* What distinguishes the kinds.  False for a word that this library does not know. */
static bool
read_value(StoreScan *scan, HeapTuple tuple, const Columns *c, ModelRow *row)
{
	Datum		value;
	Datum		class = (Datum) 0;
	Datum		tier;
	Datum		above;
	int			n;

	if (!store_scan_value(scan, tuple, c->value, &value) ||
		(c->class != 0 && !store_scan_value(scan, tuple, c->class, &class)))
		return false;
	switch (row->kind)
	{
		case ROW_ALIAS:
			row->model = copy_text(value, &row->model_len);
			return true;
		case ROW_FACTOR:
			n = word_number(class, price_factor_name, PRICE_FACTORS);
			row->factor = n;
			row->value = scaled(value, FACTOR_ONE);
			return n >= 0;
		case ROW_PRICE:
			break;
	}
	if (!store_scan_value(scan, tuple, c->tier, &tier) || !store_scan_value(scan, tuple, c->above, &above))
		return false;
	row->above = DatumGetInt64(above);
	row->value = scaled(value, INT64CONST(1000000000000));
	n = word_number(tier, service_tier_name, SERVICE_TIERS);
	row->tier = n;
	if (n < 0)
		return false;
	n = word_number(class, token_class_name, TOKEN_CLASSES);
	row->class = n;
	return n >= 0;
}

/* Reads a row, copying what it refers to.  False when it says nothing. */
static bool
read_row(StoreScan *scan, HeapTuple tuple, const Columns *c, ModelRow *row)
{
	Datum		tenant;
	Datum		name;
	Datum		valid;
	Datum		known;

	if (c->tenant_id != 0)
	{
		if (!store_scan_value(scan, tuple, c->tenant_id, &tenant))
			return false;
		row->tenant = *DatumGetUUIDP(tenant);
	}
	if (!store_scan_value(scan, tuple, c->name, &name) ||
		!store_scan_value(scan, tuple, c->valid, &valid) ||
		!store_scan_value(scan, tuple, c->known, &known) ||
		!read_time_range(valid, &row->valid) || !read_time_range(known, &row->known))
		return false;
	row->name = copy_text(name, &row->name_len);
	return read_value(scan, tuple, c, row);
}

/* Orders rows by what model_rows_of() asks for. */
static int
compare_key(const ModelRow *a, ModelRowKind kind, const pg_uuid_t *tenant, const char *name, int len)
{
	int			order;

	if (a->kind != kind)
		return a->kind < kind ? -1 : 1;
	order = memcmp(a->tenant.data, tenant->data, UUID_LEN);
	if (order == 0)
		order = memcmp(a->name, name, Min(a->name_len, len));
	return order != 0 ? order : (a->name_len > len) - (a->name_len < len);
}

static int
compare_rows(const void *a, const void *b)
{
	const ModelRow *right = b;

	return compare_key(a, right->kind, &right->tenant, right->name, right->name_len);
}

static void
read_table(StoreCache *cache, int table, ModelRows *rows)
{
	Columns		columns;
	StoreScan	scan;
	HeapTuple	tuple;

	if (!store_scan_begin(&scan, cache, table, "bcce_data", tables[table].name))
		return;
	find_columns(&scan, table, &columns);
	while ((tuple = store_scan_next(&scan)) != NULL)
	{
		ModelRow	row = {.kind = tables[table].kind};

		if (!read_row(&scan, tuple, &columns, &row))
			continue;
		if (rows->count == rows->capacity)
		{
			rows->capacity *= 2;
			rows->rows = repalloc_huge(rows->rows, rows->capacity * sizeof(ModelRow));
		}
		rows->rows[rows->count++] = row;
	}
	store_scan_end(&scan);
}

void
model_rows_read(StoreCache *cache, ModelRows *rows)
{
	int			table;

	StaticAssertStmt(lengthof(tables) <= STORE_CACHE_TABLES, "too many tables for a cache");
	rows->count = 0;
	rows->capacity = 64;
	rows->rows = palloc(rows->capacity * sizeof(ModelRow));
	for (table = 0; table < lengthof(tables); table++)
		read_table(cache, table, rows);
	qsort(rows->rows, rows->count, sizeof(ModelRow), compare_rows);
}

/* How many rows sort before the key, or up to it. */
static size_t
count_before(const ModelRows *rows, ModelRowKind kind, const pg_uuid_t *tenant,
			 const char *name, int len, bool with_equal)
{
	size_t		low = 0;
	size_t		high = rows->count;

	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;
		int			order = compare_key(&rows->rows[middle], kind, tenant, name, len);

		if (order < 0 || (order == 0 && with_equal))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

ModelRowSpan
model_rows_of(const ModelRows *rows, ModelRowKind kind, const pg_uuid_t *tenant,
			  const char *name, int name_len)
{
	size_t		from = count_before(rows, kind, tenant, name, name_len, false);
	size_t		to = count_before(rows, kind, tenant, name, name_len, true);
	ModelRowSpan span = {&rows->rows[from], to - from};

	return span;
}
