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
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "bcce.h"
#include "compat.h"

/* Text of the setting, and the instant it stands for (NULL: not set). */
static char *test_now_text = NULL;
static const TimestampTz *test_now = NULL;

/* Reads exactly so many digits. */
static bool
read_digits(const char **s, int count, int *value)
{
	*value = 0;
	for (int i = 0; i < count; i++, (*s)++)
	{
		if (**s < '0' || **s > '9')
			return false;
		*value = *value * 10 + (**s - '0');
	}
	return true;
}

/* Reads ".f", one to six digits, as microseconds; nothing is zero. */
static bool
read_fraction(const char **s, fsec_t *fsec)
{
	int			scale = USECS_PER_SEC;

	*fsec = 0;
	if (**s != '.')
		return true;
	(*s)++;
	while (**s >= '0' && **s <= '9' && scale > 1)
	{
		scale /= 10;
		*fsec += (**s - '0') * scale;
		(*s)++;
	}
	return scale < USECS_PER_SEC;
}

/* Reads "Z", "+HH", "+HHMM" or "+HH:MM" as seconds west of Greenwich. */
static bool
read_offset(const char **s, int *tz)
{
	int			sign = **s == '-' ? 1 : -1;
	int			hours;
	int			minutes = 0;

	*tz = 0;
	if (**s == 'Z')
	{
		(*s)++;
		return true;
	}
	if (**s != '+' && **s != '-')
		return false;
	(*s)++;
	if (!read_digits(s, 2, &hours))
		return false;
	if (**s == ':')
		(*s)++;
	if (**s != '\0' && !read_digits(s, 2, &minutes))
		return false;
	*tz = sign * (hours * SECS_PER_HOUR + minutes * SECS_PER_MINUTE);
	return hours <= 15 && minutes < 60;
}

/*
 * Reads the setting: YYYY-MM-DD HH:MM[:SS[.f]] and an offset.  By hand, since
 * a parallel worker restores settings one by one, and the server's own reader
 * looks at others that may not be there yet.
 */
static bool
read_instant(const char *s, TimestampTz *instant)
{
	struct pg_tm tm = {0};
	fsec_t		fsec = 0;
	int			tz;
	int			year;
	int			month;
	int			day;

	if (!read_digits(&s, 4, &tm.tm_year) || *s++ != '-' ||
		!read_digits(&s, 2, &tm.tm_mon) || *s++ != '-' ||
		!read_digits(&s, 2, &tm.tm_mday) || (*s != ' ' && *s != 'T'))
		return false;
	s++;
	if (!read_digits(&s, 2, &tm.tm_hour) || *s++ != ':' || !read_digits(&s, 2, &tm.tm_min))
		return false;
	if (*s == ':')
	{
		s++;
		if (!read_digits(&s, 2, &tm.tm_sec) || !read_fraction(&s, &fsec))
			return false;
	}
	if (!read_offset(&s, &tz) || *s != '\0' ||
		tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 59 || tm.tm_mon < 1 || tm.tm_mon > 12)
		return false;
	j2date(date2j(tm.tm_year, tm.tm_mon, tm.tm_mday), &year, &month, &day);
	return day == tm.tm_mday && month == tm.tm_mon &&
		tm2timestamp(&tm, fsec, &tz, instant) == 0;
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
