/*
 * store_cache.h
 *		A backend's own copy of a few configuration tables.
 *
 * The tables are read as the server reads its catalogues: by a scan with the
 * newest snapshot, without SQL, without a change of user and without asking
 * for privileges.  So a function that any reader may call can consult a table
 * that no reader may see.
 */
#ifndef BCCE_STORE_CACHE_H
#define BCCE_STORE_CACHE_H

#include "access/genam.h"
#include "utils/rel.h"

#define STORE_CACHE_TABLES 6

typedef struct StoreCache
{
	struct StoreCache *next;	/* all caches of this backend */
	bool		registered;
	bool		valid;			/* the contents answer for the tables */
	bool		uncommitted;	/* may hold rows of the open transaction */
	bool		incomplete;		/* a table was missing during the fill */
	uint64		generation;		/* how many times it was emptied */
	uint64		fill_generation;	/* the same when the fill began */
	Oid			relids[STORE_CACHE_TABLES];
	MemoryContext context;		/* holds the contents, NULL at first */
	MemoryContext fill_context; /* holds what is being filled */
} StoreCache;

typedef struct StoreScan
{
	Relation	rel;
	SysScanDesc scan;
} StoreScan;

/* Is the copy up to date?  Takes note of what other sessions committed. */
extern bool store_cache_is_valid(StoreCache *cache);

/* Forget the contents; they stay readable until the next fill. */
extern void store_cache_empty(StoreCache *cache);

/* Fill: allocate in the returned context between these two. */
extern MemoryContext store_cache_fill_begin(StoreCache *cache);
extern void store_cache_fill_end(StoreCache *cache);

/* During a fill: scan a table.  False when there is no such table. */
extern bool store_scan_begin(StoreScan *scan, StoreCache *cache, int slot,
							 const char *schema, const char *table);
extern AttrNumber store_scan_column(StoreScan *scan, const char *name, Oid type);
extern HeapTuple store_scan_next(StoreScan *scan);
extern bool store_scan_value(StoreScan *scan, HeapTuple tuple, AttrNumber column,
							 Datum *value);
extern void store_scan_end(StoreScan *scan);

#endif
