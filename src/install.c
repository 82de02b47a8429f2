/*
 * install.c
 *		What install() needs from C: running the store's SQL outside the
 *		extension, and comparing the library with the SQL.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

#include "bcce.h"
#include "compat.h"

PG_FUNCTION_INFO_V1(run_module);
/*
 * SQL: runs SQL whose objects must not become members of the extension, although
 * CREATE EXTENSION may be under way.  The store is data, not code: as members
 * its tables would lose rows, indexes and policies in a dump, and DROP
 * EXTENSION would take them along.
 */
Datum
run_module(PG_FUNCTION_ARGS)
{
	char	   *sql = text_to_cstring(PG_GETARG_TEXT_PP(0));
	bool		in_script = creating_extension;
	MemoryContext context = CurrentMemoryContext;

	if (!superuser())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("only a superuser may install the store of bcce")));

	creating_extension = false;
	PG_TRY();
	{
		int			result;

		SPI_connect();
		result = SPI_execute(sql, false, 0);
		if (result < 0)
			elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(result));
		SPI_finish();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		creating_extension = in_script;

		/* The context would be the text of the whole module. */
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		error->context = NULL;
		ReThrowError(error);
	}
	PG_END_TRY();
	creating_extension = in_script;

	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(library_version);
/* SQL: which SQL version the library was built for; install() compares. */
Datum
library_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(BCCE_VERSION));
}

/* The version of the extension in this database, or NULL where there is none. */
static char *
sql_version(void)
{
	Relation	rel = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	char	   *version = NULL;

	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber,
				F_NAMEEQ, CStringGetDatum("bcce"));
	scan = systable_beginscan(rel, ExtensionNameIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;
		Datum		datum = heap_getattr(tuple, Anum_pg_extension_extversion,
										 RelationGetDescr(rel), &isnull);

		if (!isnull)
			version = TextDatumGetCString(datum);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return version;
}

/*
 * Warns, once per session, when the loaded library is not the one that the
 * SQL of this database was made for.
 */
void
warn_of_other_version(void)
{
	static bool done = false;
	char	   *version;

	if (done)
		return;
	done = true;
	version = sql_version();
	if (version != NULL && strcmp(version, BCCE_VERSION) != 0)
		ereport(WARNING,
				(errmsg("the bcce library is version %s, its SQL in this database version %s",
						BCCE_VERSION, version),
				 errhint("Run ALTER EXTENSION bcce UPDATE, then SELECT * FROM bcce.install(); after installing a new library, reconnect.")));
}
