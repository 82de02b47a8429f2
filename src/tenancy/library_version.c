/*
 * library_version.c
 *		Which SQL version this library was built for.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "bcce.h"

PG_FUNCTION_INFO_V1(library_version);
/* SQL: install() compares this with the version of the SQL objects. */
Datum
library_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(BCCE_VERSION));
}
