/*
 * price_book.c
 *		The unit prices of the database, kept per backend.
 *
 * bcce_data.default_unit_prices belongs to nobody; bcce_data.unit_prices holds
 * what a tenant has agreed on instead.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "price_book.h"
#include "price_list.h"
#include "tenancy/store_cache.h"

enum
{
	DEFAULT_PRICES,
	TENANT_PRICES
};

static const char *const table_names[] = {"default_unit_prices", "unit_prices"};

static StoreCache cache;
static PriceList price_lists[lengthof(table_names)];

/* Where the columns are; the numbers are those of the table at hand. */
typedef struct PriceColumns
{
	AttrNumber	tenant_id;		/* invalid for the default prices */
	AttrNumber	item;
	AttrNumber	valid;
	AttrNumber	price_usd;
} PriceColumns;

/* Resolves the columns by name: a dump may restore them in another order. */
static void
find_columns(StoreScan *scan, int table, PriceColumns *columns)
{
	columns->tenant_id = table == TENANT_PRICES ?
		store_scan_column(scan, "tenant_id", UUIDOID) : InvalidAttrNumber;
	columns->item = store_scan_column(scan, "item", TEXTOID);
	columns->valid = store_scan_column(scan, "valid", TSTZRANGEOID);
	columns->price_usd = store_scan_column(scan, "price_usd", NUMERICOID);
}

/*
 * Reads a row, copying what it refers to.  False, that is no price, if a
 * column is NULL or the range is empty.
 */
static bool
read_row(StoreScan *scan, HeapTuple tuple, const PriceColumns *columns, Price *price)
{
	Datum		tenant;
	Datum		item;
	Datum		valid;
	Datum		price_usd;
	text	   *item_copy;

	memset(price, 0, sizeof(Price));
	if (columns->tenant_id != InvalidAttrNumber)
	{
		if (!store_scan_value(scan, tuple, columns->tenant_id, &tenant))
			return false;
		price->tenant = *DatumGetUUIDP(tenant);
	}
	if (!store_scan_value(scan, tuple, columns->item, &item) ||
		!store_scan_value(scan, tuple, columns->valid, &valid) ||
		!store_scan_value(scan, tuple, columns->price_usd, &price_usd) ||
		!read_time_range(valid, &price->valid))
		return false;

	item_copy = DatumGetTextPCopy(item);
	price->item = VARDATA_ANY(item_copy);
	price->item_length = VARSIZE_ANY_EXHDR(item_copy);
	price->price_usd = DatumGetNumericCopy(price_usd);
	return true;
}

/* Reads a table into a sorted list; no table, no prices. */
static void
read_prices(int table, PriceList *list)
{
	PriceColumns columns;
	StoreScan	scan;
	HeapTuple	tuple;

	price_list_init(list);
	if (!store_scan_begin(&scan, &cache, table, "bcce_data", table_names[table]))
		return;

	find_columns(&scan, table, &columns);
	while ((tuple = store_scan_next(&scan)) != NULL)
	{
		Price		price;

		if (read_row(&scan, tuple, &columns, &price))
			price_list_append(list, &price);
	}
	store_scan_end(&scan);
	price_list_sort(list);
}

/* Reads both tables. */
static void
fill_cache(void)
{
	PriceList	lists[lengthof(table_names)];
	MemoryContext old = MemoryContextSwitchTo(store_cache_fill_begin(&cache));

	for (int table = 0; table < lengthof(table_names); table++)
		read_prices(table, &lists[table]);
	MemoryContextSwitchTo(old);
	store_cache_fill_end(&cache);
	memcpy(price_lists, lists, sizeof(price_lists));
}

/* The price that holds at that moment: the tenant's own, else the default. */
Numeric
price_book_find(const pg_uuid_t *tenant, const char *item, size_t item_length,
				TimestampTz at)
{
	PriceKey	key = {.item = item, .item_length = item_length, .at = at};
	const Price *price = NULL;

	if (!store_cache_is_valid(&cache))
		fill_cache();

	if (tenant != NULL)
	{
		key.tenant = *tenant;
		price = price_list_find(&price_lists[TENANT_PRICES], &key);
	}
	if (price == NULL)
	{
		memset(&key.tenant, 0, sizeof(pg_uuid_t));
		price = price_list_find(&price_lists[DEFAULT_PRICES], &key);
	}
	return price == NULL ? NULL : price->price_usd;
}
