/*
 * soft_time.c
 *		Points in time read from text without ever raising an error.
 *
 * The server's own reader does the work, fenced in three times.  Before it,
 * every word must be one that means the same in all sessions, and those that a
 * setting could take for a zone are written in figures or dropped: names of
 * months and days, am, pm, ad, bc, Z, UTC, GMT and zone names of the form
 * Area/City.  That keeps out "now" and its kind (the answer would change),
 * abbreviations such as CST (a setting decides what they mean) and "GMT+2" (two
 * hours west to the server, two hours east to whoever wrote it).  Around it,
 * the settings it reads are replaced and put back.  And its fields are looked
 * at before it decodes them, for an unknown zone name is an error to it.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "ingest/soft_time.h"

/* Words for the zone +00; no offset may follow them. */
static const char *const zone_words[] = {"z", "ut", "utc", "gmt"};

/* Days of the week say nothing that the date does not. */
static const char *const day_words[] = {
	"sun", "mon", "tue", "tues", "wed", "weds", "thu", "thur", "thurs", "fri", "sat",
	"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"
};

/* Words that the server's reader gets as they are. */
static const char *const plain_words[] = {"t", "am", "pm", "ad", "bc"};
static const char *const month_words[] = {
	"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec",
	"january", "february", "march", "april", "june", "july", "august", "september",
	"october", "november", "december"
};

#define WORD_IN(s, len, list)	word_in(s, len, list, lengthof(list))

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

/* Letters and digits of ASCII, in any locale. */
static inline bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Bytes of a zone name Area/City that s begins with, or 0. */
static size_t
zone_name_length(const char *s, size_t len)
{
	size_t		n = 0;
	bool		slash = false;

	while (n < len && (is_letter(s[n]) || is_digit(s[n]) ||
					   s[n] == '_' || s[n] == '/' || s[n] == '+' || s[n] == '-'))
	{
		slash = slash || s[n] == '/';
		n++;
	}
	return slash ? n : 0;
}

/*
 * Appends the word at i to out, in a form that no setting changes; returns its
 * bytes in s, or 0 when it is not allowed.  The server takes a word and what is
 * glued to it by one of -/.: for one name, of a zone or, where it is a month's,
 * of a date; what stands here in its place must not join its neighbours anew.
 */
static size_t
copy_word(const char *s, size_t len, size_t i, StringInfo out)
{
	char		before = i > 0 ? s[i - 1] : ' ';
	char		after;
	size_t		n = 0;

	while (i + n < len && is_letter(s[i + n]))
		n++;
	after = i + n < len ? s[i + n] : ' ';
	if (WORD_IN(s + i, n, month_words))
	{
		if (strchr("-/.", after) != NULL && (i + n + 1 == len || !is_digit(s[i + n + 1])))
			return 0;
	}
	else if (WORD_IN(s + i, n, plain_words))
	{
		if (strchr("-/.", after) != NULL)
			return 0;
	}
	else if (WORD_IN(s + i, n, zone_words))
	{
		if (is_digit(after) || strchr("+-/_.:", after) != NULL)
			return 0;
		appendStringInfoString(out, "+00");
		return n;
	}
	else if (WORD_IN(s + i, n, day_words))
	{
		if (is_digit(after) || strchr("-/.", after) != NULL || strchr("+-/.:", before) != NULL)
			return 0;
		appendStringInfoChar(out, ' ');
		return n;
	}
	else
	{
		n = zone_name_length(s + i, len - i);
		if (i + n < len && strchr(".:", s[i + n]) != NULL)
			return 0;
	}
	appendBinaryStringInfo(out, s + i, n);
	return n;
}

/* Is there a comma at i that parts seconds from their fraction (:mm:ss,f)? */
static bool
is_decimal_comma(const char *s, size_t len, size_t i)
{
	return s[i] == ',' && i >= 6 && i + 1 < len && s[i - 6] == ':' && s[i - 3] == ':' &&
		is_digit(s[i - 2]) && is_digit(s[i - 1]) && is_digit(s[i + 1]);
}

/*
 * Appends the text to out with its words in fixed form; false when it holds
 * anything but digits, the usual separators and allowed words.  Bare digits
 * must be a date of eight: the server would take seconds since 1970 for a year
 * of six digits.
 */
static bool
normalize(const char *s, size_t len, StringInfo out)
{
	size_t		digits = 0;
	size_t		i = 0;

	while (i < len)
	{
		if (is_letter(s[i]))
		{
			size_t		n = copy_word(s, len, i, out);

			if (n == 0)
				return false;
			i += n;
			continue;
		}
		if (is_digit(s[i]))
			digits++;
		else if (s[i] == '\0' || strchr(" \t-+/:.,", s[i]) == NULL)
			return false;
		appendStringInfoChar(out, is_decimal_comma(s, len, i) ? '.' : s[i]);
		i++;
	}
	return digits != len || len == 8;
}

/*
 * May the server's reader see these fields?  Once it has a date it takes any
 * field of letters and separators for a zone, and raises an error when there
 * is none of that name.
 */
static bool
fields_are_safe(char **field, const int *ftype, int fields)
{
	int			i;

	for (i = 0; i < fields; i++)
		if (ftype[i] == DTK_DATE && !is_digit(field[i][0]) &&
			(strchr(field[i], '/') == NULL || soft_zone(field[i], strlen(field[i])) == NULL))
			return false;
	return true;
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
		fields_are_safe(field, ftype, fields) &&
		bcce_decode_datetime(field, ftype, fields, &dtype, &tm, &fsec, &zone) == 0 &&
		dtype == DTK_DATE &&
		tm2timestamp(&tm, fsec, &zone, result) == 0;
}

/* See the header. */
bool
soft_timestamptz(const char *s, size_t len, pg_tz *zone, TimestampTz *result)
{
	StringInfoData text;
	pg_tz	   *session_zone = session_timezone;
	int			session_order = DateOrder;
	bool		done = false;

	if (len == 0 || len > MAXDATELEN)
		return false;
	initStringInfo(&text);
	if (!normalize(s, len, &text))
		return false;

	PG_TRY();
	{
		session_timezone = zone;
		DateOrder = DATEORDER_YMD;
		done = decode(text.data, result);
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
