/*
 * soft_time.c
 *		Points in time read from text without ever raising an error.
 *
 * The server's own reader does the work, fenced in twice.  Before it, every
 * word must be one that means the same in all sessions: names of months and
 * days, am, pm, ad, bc, Z, UTC, GMT and zone names of the form Area/City.
 * That keeps out "now" and its kind (the answer would change), abbreviations
 * such as CST (a setting decides what they mean) and "GMT+2" (two hours west
 * to the server, two hours east to whoever wrote it).  Around it, the settings
 * it reads are replaced and put back.
 */
#include "postgres.h"

#include <ctype.h>

#include "miscadmin.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "ingest/soft_time.h"

/* Words that stand for a zone; no offset may follow them. */
static const char *const zone_words[] = {"z", "ut", "utc", "gmt"};

static const char *const plain_words[] = {
	"t", "am", "pm", "ad", "bc",
	"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec",
	"january", "february", "march", "april", "june", "july", "august", "september",
	"october", "november", "december",
	"sun", "mon", "tue", "tues", "wed", "weds", "thu", "thur", "thurs", "fri", "sat",
	"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"
};

/* Is the word of len bytes, in any case, in the list? */
static bool
word_in(const char *s, size_t len, const char *const *list, int n)
{
	int			i;

	for (i = 0; i < n; i++)
		if (strlen(list[i]) == len && pg_strncasecmp(s, list[i], len) == 0)
			return true;
	return false;
}

/* Bytes of a zone name Area/City that s begins with, or 0. */
static size_t
zone_name_length(const char *s, size_t len)
{
	size_t		n = 0;
	bool		slash = false;

	while (n < len && (isalnum((unsigned char) s[n]) || strchr("_/+-", s[n]) != NULL))
	{
		slash = slash || s[n] == '/';
		n++;
	}
	return slash ? n : 0;
}

/* Bytes of the allowed word that s begins with, or 0. */
static size_t
word_length(const char *s, size_t len)
{
	size_t		n = 0;

	while (n < len && isalpha((unsigned char) s[n]))
		n++;
	if (word_in(s, n, plain_words, lengthof(plain_words)))
		return n;
	if (word_in(s, n, zone_words, lengthof(zone_words)))
		return n < len && (isdigit((unsigned char) s[n]) || strchr("+-/_", s[n]) != NULL) ? 0 : n;
	return zone_name_length(s, len);
}

/*
 * Does the text hold nothing but digits, the usual separators and allowed
 * words?  Bare digits must be a date of eight: the server would take seconds
 * since 1970 for a year of six digits.
 */
static bool
is_fixed_text(const char *s, size_t len)
{
	size_t		digits = 0;
	size_t		i = 0;

	while (i < len)
	{
		size_t		n = 1;

		if (isdigit((unsigned char) s[i]))
			digits++;
		else if (s[i] == '\0' || strchr(" \t-+/:.,", s[i]) == NULL)
			n = isalpha((unsigned char) s[i]) ? word_length(s + i, len - i) : 0;
		if (n == 0)
			return false;
		i += n;
	}
	return digits != len || len == 8;
}

/* The server's reader, with its own globals; false on any complaint. */
static bool
decode(const char *s, TimestampTz *result)
{
	char		buffer[MAXDATELEN + MAXDATEFIELDS];
	char	   *field[MAXDATEFIELDS];
	int			ftype[MAXDATEFIELDS];
	int			fields;
	int			dtype;
	int			zone;
	struct pg_tm tm;
	fsec_t		fsec;

	return ParseDateTime(s, buffer, sizeof(buffer), field, ftype, MAXDATEFIELDS, &fields) == 0 &&
		bcce_decode_datetime(field, ftype, fields, &dtype, &tm, &fsec, &zone) == 0 &&
		dtype == DTK_DATE &&
		tm2timestamp(&tm, fsec, &zone, result) == 0;
}

/* See the header. */
bool
soft_timestamptz(const char *s, size_t len, pg_tz *zone, TimestampTz *result)
{
	char		copy[MAXDATELEN + 1];
	pg_tz	   *session_zone = session_timezone;
	int			session_order = DateOrder;
	bool		done = false;

	if (len == 0 || len > MAXDATELEN || !is_fixed_text(s, len))
		return false;
	memcpy(copy, s, len);
	copy[len] = '\0';

	PG_TRY();
	{
		session_timezone = zone;
		DateOrder = DATEORDER_YMD;
		done = decode(copy, result);
	}
	PG_FINALLY();
	{
		session_timezone = session_zone;
		DateOrder = session_order;
	}
	PG_END_TRY();
	return done;
}

/* See the header. */
pg_tz *
soft_zone(const char *name, size_t len)
{
	char		copy[TZ_STRLEN_MAX + 1];
	pg_tz	   *zone;

	if (len == 0 || len > TZ_STRLEN_MAX || memchr(name, '\0', len) != NULL)
		return NULL;
	memcpy(copy, name, len);
	copy[len] = '\0';
	zone = pg_tzset(copy);
	return zone != NULL && pg_tz_acceptable(zone) ? zone : NULL;
}
