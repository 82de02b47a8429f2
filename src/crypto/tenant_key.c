/*
 * tenant_key.c
 *		The random key that each tenant has for itself, cached per backend.
 *
 * Keys stand in bcce_private.tenant_key and are read as the server reads its
 * own catalogues: no query, no change of user, no privilege needed, so that a
 * trigger can hash for anybody while nobody can SELECT a key.  The cache is
 * emptied when the table's relcache entry is invalidated; a trigger
 * on the table sees to that, as row changes alone send nothing.
 */
#include "postgres.h"

#include <sodium.h>

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "compat.h"
#include "crypto/tenant_key.h"
#include "error.h"

#define LABEL_BYTES 47			/* the longest label whose key is kept */
#define SUBKEYS		4			/* kept of each tenant */

/* A key derived for a use; len is 0 where there is none yet. */
typedef struct Subkey
{
	uint8		len;
	char		label[LABEL_BYTES];
	unsigned char key[TENANT_KEY_BYTES];
} Subkey;

typedef struct KeyEntry
{
	pg_uuid_t	tenant;			/* hash key, must be first */
	unsigned char key[TENANT_KEY_BYTES];
	Subkey		subkeys[SUBKEYS];
	int			next;			/* place of the next one */
} KeyEntry;

static HTAB *key_cache = NULL;

/* The table that the cached keys came from. */
static Oid	key_table = InvalidOid;

/* Counts the times the cache was emptied, to notice one during a read. */
static uint64 key_generation = 0;

/* Wipes and drops every cached key. */
static void
empty_cache(void)
{
	HASH_SEQ_STATUS scan;
	KeyEntry   *entry;

	key_generation++;
	if (key_cache == NULL)
		return;
	hash_seq_init(&scan, key_cache);
	while ((entry = (KeyEntry *) hash_seq_search(&scan)) != NULL)
	{
		sodium_memzero(entry->key, sizeof(entry->key));
		sodium_memzero(entry->subkeys, sizeof(entry->subkeys));
	}
	hash_destroy(key_cache);
	key_cache = NULL;
}

/* Relcache callback: our table, or all tables, changed. */
static void
table_changed(Datum arg, Oid relid)
{
	if (relid == InvalidOid || relid == key_table)
		empty_cache();
}

/* Makes the cache; the callback is registered once per backend. */
static void
make_cache(void)
{
	static bool registered = false;
	HASHCTL		control = {0};

	if (!registered)
	{
		CacheRegisterRelcacheCallback(table_changed, (Datum) 0);
		registered = true;
	}
	control.keysize = sizeof(pg_uuid_t);
	control.entrysize = sizeof(KeyEntry);
	control.hcxt = TopMemoryContext;
	key_cache = hash_create("bcce tenant keys", 64, &control,
							HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* Opens the table of keys, or says that the store is not there. */
static Relation
open_key_table(void)
{
	Oid			namespace = get_namespace_oid("bcce_private", true);
	Oid			relid = OidIsValid(namespace) ?
		get_relname_relid("tenant_key", namespace) : InvalidOid;

	if (!OidIsValid(relid) || get_rel_relkind(relid) != RELKIND_RELATION)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the store of bcce is not installed in this database"),
				 errdetail("There is no table bcce_private.tenant_key."),
				 errhint("Run SELECT bcce.install() as a superuser."),
				 bcce_hide_input()));
	return table_open(relid, AccessShareLock);
}

/* Number of a column that must have the given type. */
static AttrNumber
column_number(Relation table, const char *name, Oid type)
{
	AttrNumber	number = get_attnum(RelationGetRelid(table), name);

	if (number == InvalidAttrNumber ||
		get_atttype(RelationGetRelid(table), number) != type)
		elog(ERROR, "column %s of bcce_private.tenant_key is not as bcce made it", name);
	return number;
}

/* Copies the key bytes of a row out. */
static void
copy_key(Relation table, HeapTuple row, unsigned char *key)
{
	bool		isnull;
	Datum		value = heap_getattr(row, column_number(table, "key", BYTEAOID),
									 RelationGetDescr(table), &isnull);
	bytea	   *bytes = isnull ? NULL : DatumGetByteaPP(value);

	if (bytes == NULL || VARSIZE_ANY_EXHDR(bytes) != TENANT_KEY_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the key of a tenant has a wrong length"),
				 errdetail("It has %d bytes instead of %d.",
						   bytes == NULL ? 0 : (int) VARSIZE_ANY_EXHDR(bytes), TENANT_KEY_BYTES),
				 errhint("Restore bcce_private.tenant_key from a backup."),
				 bcce_hide_input()));
	memcpy(key, VARDATA_ANY(bytes), TENANT_KEY_BYTES);
}

/*
 * Reads a key from the table; false when there is none.  *stable tells whether
 * it may be cached: a row of our own unfinished transaction may yet vanish.
 */
static bool
read_row(const pg_uuid_t *tenant, unsigned char *key, bool *stable)
{
	Relation	table = open_key_table();
	ScanKeyData wanted;
	SysScanDesc scan;
	HeapTuple	row;

	key_table = RelationGetRelid(table);
	list_free(RelationGetIndexList(table)); /* fills rd_pkindex */
	ScanKeyInit(&wanted, column_number(table, "tenant_id", UUIDOID),
				BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(tenant));
	scan = systable_beginscan(table, table->rd_pkindex, OidIsValid(table->rd_pkindex),
							  NULL, 1, &wanted);
	row = systable_getnext(scan);
	if (HeapTupleIsValid(row))
	{
		copy_key(table, row, key);
		*stable = !TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(row->t_data));
	}
	systable_endscan(scan);
	table_close(table, AccessShareLock);
	return HeapTupleIsValid(row);
}

/* Puts a key into the cache. */
static void
cache_key(const pg_uuid_t *tenant, const unsigned char *key)
{
	KeyEntry   *entry;

	if (key_cache == NULL)
		make_cache();
	entry = (KeyEntry *) hash_search(key_cache, tenant, HASH_ENTER, NULL);
	memcpy(entry->key, key, TENANT_KEY_BYTES);
	memset(entry->subkeys, 0, sizeof(entry->subkeys));
	entry->next = 0;
}

/* The cached entry of a tenant, or NULL. */
static KeyEntry *
find_entry(const pg_uuid_t *tenant)
{
	return key_cache == NULL ? NULL : hash_search(key_cache, tenant, HASH_FIND, NULL);
}

/* Copies the tenant's key out. */
static void
read_key(const pg_uuid_t *tenant, unsigned char *key)
{
	KeyEntry   *entry;
	uint64		generation;
	bool		stable = false;

	if (key_cache == NULL)
		make_cache();
	entry = find_entry(tenant);
	if (entry != NULL)
	{
		memcpy(key, entry->key, TENANT_KEY_BYTES);
		return;
	}

	generation = key_generation;
	if (!read_row(tenant, key, &stable))
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("the tenant has no key"),
				 errdetail("bcce_private.tenant_key has no row for it."),
				 errhint("Tenants get their key from bcce.create_tenant()."),
				 bcce_hide_input()));
	if (stable && generation == key_generation)
		cache_key(tenant, key);
}

/* The key kept for a label, or NULL. */
static const Subkey *
find_subkey(const KeyEntry *entry, const char *label, size_t len)
{
	for (int i = 0; i < SUBKEYS; i++)
		if (len > 0 && entry->subkeys[i].len == len && memcmp(entry->subkeys[i].label, label, len) == 0)
			return &entry->subkeys[i];
	return NULL;
}

/* Keeps one, in the place of the oldest. */
static void
keep_subkey(KeyEntry *entry, const char *label, size_t len, const unsigned char *key)
{
	Subkey	   *place = &entry->subkeys[entry->next];

	if (len > LABEL_BYTES)
		return;
	place->len = len;
	memcpy(place->label, label, len);
	memcpy(place->key, key, TENANT_KEY_BYTES);
	entry->next = (entry->next + 1) % SUBKEYS;
}

/* See the header. */
void
tenant_subkey_read(const pg_uuid_t *tenant, const char *label, size_t len, unsigned char *subkey)
{
	KeyEntry   *entry = find_entry(tenant);
	const Subkey *kept = entry == NULL ? NULL : find_subkey(entry, label, len);
	unsigned char key[TENANT_KEY_BYTES];

	if (kept != NULL)
	{
		memcpy(subkey, kept->key, TENANT_KEY_BYTES);
		return;
	}
	read_key(tenant, key);
	crypto_generichash(subkey, TENANT_KEY_BYTES, (const unsigned char *) label, len,
					   key, TENANT_KEY_BYTES);
	sodium_memzero(key, sizeof(key));

	/* Reading may have put an entry there, or taken it away. */
	entry = find_entry(tenant);
	if (entry != NULL)
		keep_subkey(entry, label, len, subkey);
}
