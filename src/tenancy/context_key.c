/*
 * context_key.c
 *		The rows of bcce_private.context_key, kept per backend.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "context_key.h"
#include "crypto/token.h"
#include "store_cache.h"

typedef struct ContextKey
{
	char		key_id[TOKEN_KEY_ID_BYTES + 1];
	unsigned char public_key[TOKEN_KEY_BYTES];
	TimestampTz not_before;
	TimestampTz not_after;
	TimestampTz revoked_at;		/* infinity: not revoked */
} ContextKey;

static StoreCache cache;
static ContextKey *keys = NULL;
static int	key_count = 0;

/* Where the columns are; the numbers are those of the table at hand. */
typedef struct KeyColumns
{
	AttrNumber	key_id;
	AttrNumber	public_key;
	AttrNumber	not_before;
	AttrNumber	not_after;
	AttrNumber	revoked_at;
} KeyColumns;

/* Resolves the columns by name: a dump may restore them in another order. */
static void
find_columns(StoreScan *scan, KeyColumns *columns)
{
	columns->key_id = store_scan_column(scan, "kid", TEXTOID);
	columns->public_key = store_scan_column(scan, "public_key", BYTEAOID);
	columns->not_before = store_scan_column(scan, "not_before", TIMESTAMPTZOID);
	columns->not_after = store_scan_column(scan, "not_after", TIMESTAMPTZOID);
	columns->revoked_at = store_scan_column(scan, "revoked_at", TIMESTAMPTZOID);
}

/* Reads a row.  False, that is no key, if it is not as the store makes it. */
static bool
read_row(StoreScan *scan, HeapTuple tuple, const KeyColumns *columns, ContextKey *key)
{
	Datum		key_id;
	Datum		public_key;
	Datum		not_before;
	Datum		not_after;
	Datum		revoked_at;
	bytea	   *bytes;
	char	   *name;

	if (!store_scan_value(scan, tuple, columns->key_id, &key_id) ||
		!store_scan_value(scan, tuple, columns->public_key, &public_key) ||
		!store_scan_value(scan, tuple, columns->not_before, &not_before) ||
		!store_scan_value(scan, tuple, columns->not_after, &not_after))
		return false;
	name = TextDatumGetCString(key_id);
	bytes = DatumGetByteaPP(public_key);
	if (!token_key_id_is_valid(name, strlen(name)) || VARSIZE_ANY_EXHDR(bytes) != TOKEN_KEY_BYTES)
		return false;

	strlcpy(key->key_id, name, sizeof(key->key_id));
	memcpy(key->public_key, VARDATA_ANY(bytes), TOKEN_KEY_BYTES);
	key->not_before = DatumGetTimestampTz(not_before);
	key->not_after = DatumGetTimestampTz(not_after);
	key->revoked_at = store_scan_value(scan, tuple, columns->revoked_at, &revoked_at) ?
		DatumGetTimestampTz(revoked_at) : DT_NOEND;
	return true;
}

/* Reads every key; no table, no keys. */
static void
fill_cache(void)
{
	MemoryContext context = store_cache_fill_begin(&cache);
	int			capacity = 4;
	int			count = 0;
	ContextKey *array = MemoryContextAlloc(context, capacity * sizeof(ContextKey));
	KeyColumns	columns;
	StoreScan	scan;
	HeapTuple	tuple;

	if (store_scan_begin(&scan, &cache, 0, "bcce_private", "context_key"))
	{
		find_columns(&scan, &columns);
		while ((tuple = store_scan_next(&scan)) != NULL)
		{
			if (count == capacity)
			{
				capacity *= 2;
				array = repalloc_huge(array, mul_size(capacity, sizeof(ContextKey)));
			}
			if (read_row(&scan, tuple, &columns, &array[count]))
				count++;
		}
		store_scan_end(&scan);
	}
	store_cache_fill_end(&cache);
	keys = array;
	key_count = count;
}

/* See the header. */
bool
context_key_find(const char *key_id, TimestampTz at, unsigned char *public_key)
{
	if (!store_cache_is_valid(&cache))
		fill_cache();
	for (int i = 0; i < key_count; i++)
	{
		if (strcmp(keys[i].key_id, key_id) != 0)
			continue;
		if (at < keys[i].not_before || at >= keys[i].not_after || at >= keys[i].revoked_at)
			return false;
		if (public_key != NULL)
			memcpy(public_key, keys[i].public_key, TOKEN_KEY_BYTES);
		return true;
	}
	return false;
}
