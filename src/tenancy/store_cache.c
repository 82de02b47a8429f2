/*
 * store_cache.c
 *		Copies of configuration tables, kept per backend and always current.
 *
 * Changes of rows send no invalidation by themselves.  The tables carry a
 * statement trigger, bcce.invalidate_cache(), that sends one for the table;
 * it reaches other sessions at commit and this one at the end of the command.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "miscadmin.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "error.h"
#include "store_cache.h"

/* Every cache that was ever filled in this backend. */
static StoreCache *all_caches = NULL;

/* Relcache callback: InvalidOid means every table. */
static void
table_changed(Datum arg, Oid relid)
{
	for (StoreCache *cache = all_caches; cache != NULL; cache = cache->next)
	{
		for (int i = 0; i < STORE_CACHE_TABLES; i++)
		{
			if (!OidIsValid(relid) || cache->relids[i] == relid)
				store_cache_empty(cache);
		}
	}
}

/*
 * Forgets rows that were read before they were committed.  Messages of an
 * aborted command that never reached its end are not delivered to ourselves,
 * so what was seen in between is dropped here.
 */
static void
forget_uncommitted(bool aborted)
{
	for (StoreCache *cache = all_caches; cache != NULL; cache = cache->next)
	{
		if (!cache->uncommitted)
			continue;
		if (aborted)
			store_cache_empty(cache);
		else
			cache->uncommitted = false;
	}
}

/* End of a transaction.  A prepared one is not committed yet. */
static void
transaction_ended(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PARALLEL_ABORT:
		case XACT_EVENT_PREPARE:
			forget_uncommitted(true);
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_PARALLEL_COMMIT:
			forget_uncommitted(false);
			break;
		default:
			break;
	}
}

/* Rollback to a savepoint. */
static void
subtransaction_ended(SubXactEvent event, SubTransactionId mySubid,
					 SubTransactionId parentSubid, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		forget_uncommitted(true);
}

/* Enters the cache in the list that the callbacks walk. */
static void
register_cache(StoreCache *cache)
{
	static bool callbacks_registered = false;

	if (!callbacks_registered)
	{
		CacheRegisterRelcacheCallback(table_changed, (Datum) 0);
		RegisterXactCallback(transaction_ended, NULL);
		RegisterSubXactCallback(subtransaction_ended, NULL);
		callbacks_registered = true;
	}
	if (!cache->registered)
	{
		cache->next = all_caches;
		all_caches = cache;
		cache->registered = true;
	}
}

/*
 * Is the copy up to date?  Messages of other sessions are otherwise taken in
 * only where a lock is new; within a long transaction that may be never, and
 * a revoked membership has to end at once.
 */
bool
store_cache_is_valid(StoreCache *cache)
{
	AcceptInvalidationMessages();
	return cache->valid;
}

/* Forget the contents.  The memory stays, somebody may be reading it. */
void
store_cache_empty(StoreCache *cache)
{
	cache->valid = false;
	cache->generation++;
}

/*
 * Starts a fill.  The new contents grow in a context of their own under the
 * current one, so an error on the way frees them and harms nothing.
 */
MemoryContext
store_cache_fill_begin(StoreCache *cache)
{
	register_cache(cache);
	cache->valid = false;
	cache->incomplete = false;
	cache->fill_generation = cache->generation;
	cache->fill_context = AllocSetContextCreate(CurrentMemoryContext,
												"bcce store cache",
												ALLOCSET_SMALL_SIZES);
	return cache->fill_context;
}

/*
 * Puts the new contents in the place of the old ones.  They answer the
 * question in hand; they are kept for the next one only if nothing changed
 * meanwhile.  A missing table sends no message when it comes into being, so
 * its absence is never remembered.
 */
void
store_cache_fill_end(StoreCache *cache)
{
	MemoryContext old = cache->context;

	MemoryContextSetParent(cache->fill_context, CacheMemoryContext);
	cache->context = cache->fill_context;
	cache->fill_context = NULL;
	if (old != NULL)
		MemoryContextDelete(old);

	cache->uncommitted = TransactionIdIsValid(GetTopTransactionIdIfAny());
	cache->valid = !cache->incomplete &&
		cache->generation == cache->fill_generation;
}

/* Opens a plain table by name.  NULL when there is none. */
static Relation
open_table(const char *schema, const char *table, Oid *relid)
{
	Oid			namespace = get_namespace_oid(schema, true);
	Relation	rel;

	*relid = OidIsValid(namespace) ? get_relname_relid(table, namespace) : InvalidOid;
	if (!OidIsValid(*relid) || get_rel_relkind(*relid) != RELKIND_RELATION)
		return NULL;

	rel = try_table_open(*relid, AccessShareLock);
	if (rel != NULL && rel->rd_rel->relkind != RELKIND_RELATION)
	{
		table_close(rel, AccessShareLock);
		return NULL;
	}
	return rel;
}

/*
 * Starts the scan of a table.  Its oid is noted before the table is locked:
 * taking the lock delivers messages, and from then on none may be missed.
 * The scan uses a catalogue snapshot, which is always the newest and, unlike
 * GetLatestSnapshot(), allowed while parallel workers run.
 */
bool
store_scan_begin(StoreScan *scan, StoreCache *cache, int slot,
				 const char *schema, const char *table)
{
	scan->rel = open_table(schema, table, &cache->relids[slot]);
	if (scan->rel == NULL)
	{
		cache->incomplete = true;
		return false;
	}
	scan->scan = systable_beginscan(scan->rel, InvalidOid, false, NULL, 0, NULL);
	return true;
}

/* The number of a column, whose type must be the one the caller reads. */
AttrNumber
store_scan_column(StoreScan *scan, const char *name, Oid type)
{
	Oid			relid = RelationGetRelid(scan->rel);
	AttrNumber	column = get_attnum(relid, name);

	if (column == InvalidAttrNumber ||
		getBaseType(get_atttype(relid, column)) != type)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" is not as this version of bcce makes it",
						RelationGetRelationName(scan->rel)),
				 errdetail("Column \"%s\" is missing or has another type.", name),
				 errhint("Ask a superuser to run bcce.install()."),
				 bcce_hide_input()));
	return column;
}

/* The next row, NULL at the end. */
HeapTuple
store_scan_next(StoreScan *scan)
{
	CHECK_FOR_INTERRUPTS();
	return systable_getnext(scan->scan);
}

/* A column of a row.  False when it is NULL. */
bool
store_scan_value(StoreScan *scan, HeapTuple tuple, AttrNumber column, Datum *value)
{
	bool		isnull;

	*value = heap_getattr(tuple, column, RelationGetDescr(scan->rel), &isnull);
	return !isnull;
}

/* Ends the scan and gives the lock back, as for a catalogue. */
void
store_scan_end(StoreScan *scan)
{
	systable_endscan(scan->scan);
	table_close(scan->rel, AccessShareLock);
}
