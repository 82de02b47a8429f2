/*
 * report_now.c
 *		The instant that reports call "now".
 *
 * It is the start of the statement, so that every part of one report means the
 * same instant.  The setting bcce.test_now puts another in its place, for
 * tests that print whole reports; superusers only, since it would let others
 * see rows or numbers that are not those of today.
 */
#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "bcce.h"
#include "compat.h"
#include "ingest/soft_time.h"

/* Text of the setting, and the instant it stands for (NULL: not set). */
static char *test_now_text = NULL;
static const TimestampTz *test_now = NULL;

/*
 * Reads the setting.  The text must carry its zone, which shows in that two
 * session zones give the same instant; the value must not hang on them.
 */
static bool
read_instant(const char *s, TimestampTz *instant)
{
	pg_tz	   *utc = soft_zone("UTC", 3);
	pg_tz	   *other = soft_zone("Etc/GMT-5", 9);
	TimestampTz again;

	return utc != NULL && other != NULL &&
		soft_timestamptz(s, strlen(s), utc, instant) &&
		soft_timestamptz(s, strlen(s), other, &again) &&
		*instant == again;
}

/* Check hook: empty, or an instant, which goes into *extra.  Never raises. */
static bool
check_test_now(char **newval, void **extra, GucSource source)
{
	TimestampTz instant;
	TimestampTz *kept;

	if (*newval == NULL || **newval == '\0')
		return true;
	if (!read_instant(*newval, &instant))
	{
		GUC_check_errdetail("The value has %zu bytes and is not an instant with a time zone.",
							strlen(*newval));
		GUC_check_errhint("Write it as 2026-01-31 12:00:00+00, or leave it empty.");
		return false;
	}
	kept = (TimestampTz *) bcce_guc_malloc(sizeof(TimestampTz));
	if (kept == NULL)
		return false;
	*kept = instant;
	*extra = kept;
	return true;
}

/* Assign hook: the instant that the check hook has read. */
static void
assign_test_now(const char *newval, void *extra)
{
	test_now = (const TimestampTz *) extra;
}

/* Registers the setting. */
void
report_now_init(void)
{
	DefineCustomStringVariable("bcce.test_now",
							   "Instant that bcce.report_now() returns instead of the statement's start.",
							   "For tests. Empty: off.",
							   &test_now_text,
							   "",
							   PGC_SUSET,
							   GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE,
							   check_test_now,
							   assign_test_now,
							   NULL);
}

PG_FUNCTION_INFO_V1(report_now);
/* report_now() returns timestamptz */
Datum
report_now(PG_FUNCTION_ARGS)
{
	PG_RETURN_TIMESTAMPTZ(test_now != NULL ? *test_now : GetCurrentStatementStartTimestamp());
}
