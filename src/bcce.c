/*
 * bcce.c
 *		Module start: magic block, settings, libsodium.
 */
#include "postgres.h"

#include <sodium.h>

#include "fmgr.h"
#include "utils/guc.h"

#include "bcce.h"
#include "compat.h"

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

/*
 * Registers the settings and starts libsodium.  Runs once per backend, when
 * the first function of the library is called; preloading is not needed.
 */
void
_PG_init(void)
{
	if (sodium_init() < 0)
		ereport(ERROR,
				(errcode(ERRCODE_SYSTEM_ERROR),
				 errmsg("libsodium could not be initialized"),
				 errhint("Check that the operating system provides a source of random numbers.")));

	report_now_init();
	context_settings_init();
	MarkGUCPrefixReserved("bcce");
}
