/*
 * rule_regex.c
 *		Expressions of tenants' rules: the server's own engine on a window.
 *
 * Without back references and looks around, which are refused, the engine is an
 * automaton, and one of few states cannot run for long on some hundred
 * characters.  It takes notice of a cancelled query by itself.
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "regex/regex.h"
#include "regex/regexport.h"
#include "utils/memutils.h"

#include "compat.h"
#include "error.h"
#include "redact/rule_row.h"

#define WINDOW_BYTES	(2 * RULE_WINDOW + RULE_LITERAL_MAX)
#define STATES_MAX		2000	/* .{0,255} has about 256 */

/* The engine's memory is its own up to 15. */
static void
free_regex(void *arg)
{
	pg_regfree((regex_t *) arg);
}

void *
rule_regex_compile(const char *pattern, const char **reason)
{
	static char said[100];
	size_t		len = strlen(pattern);
	pg_wchar   *wide = palloc((len + 1) * sizeof(pg_wchar));
	regex_t    *regex = palloc0(sizeof(regex_t));
	MemoryContextCallback *callback = palloc0(sizeof(MemoryContextCallback));
	int			result;

	result = pg_regcomp(regex, wide, pg_mb2wchar_with_len(pattern, wide, (int) len),
						REG_ADVANCED, DEFAULT_COLLATION_OID);
	pfree(wide);
	if (result != REG_OKAY)
	{
		CHECK_FOR_INTERRUPTS();
		pg_regerror(result, regex, said, sizeof(said));
		*reason = said;
		return NULL;
	}
	callback->func = free_regex;
	callback->arg = regex;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	return regex;
}

/* See the header.  A look around starts the engine anew at every character. */
const char *
rule_regex_is_slow(void *regex, const char **hint)
{
	long		info = ((regex_t *) regex)->re_info;

	if (info & REG_UBACKREF)
	{
		*hint = "It could run for ever; write it without \\1 and its like.";
		return "the expression of a redaction rule has a back reference";
	}
	if (info & REG_ULOOKAROUND)
	{
		*hint = "It could run for ever; write it without (?=...) and its like. \\m, \\M and \\y find the edges of words.";
		return "the expression of a redaction rule looks ahead or behind";
	}
	if (pg_reg_getnumstates(regex) > STATES_MAX)
	{
		*hint = "It would be slow; write smaller numbers of repetitions, or none inside of others.";
		return "the expression of a redaction rule has too many states";
	}
	return NULL;
}

/* Runs it; false when there is no match from a character on. */
static bool
execute(regex_t *regex, const pg_wchar *wide, int chars, int from, int flags, regmatch_t *match)
{
	int			result = pg_regexec(regex, wide, chars, from, NULL, 1, match, flags);

	if (result == REG_OKAY)
		return true;
	CHECK_FOR_INTERRUPTS();
	if (result != REG_NOMATCH)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the expression of a redaction rule cannot be run"),
				 errhint("Make it simpler, or drop the rule with bcce.drop_redaction_rule()."),
				 bcce_hide_input()));
	return false;
}

bool
rule_regex_matches_empty(void *regex)
{
	pg_wchar	empty = 0;
	regmatch_t	match;

	return execute(regex, &empty, 0, 0, 0, &match);
}

/*
 * The first position at or behind from where a character begins, as far as the
 * bytes tell: in UTF-8 always, in other encodings behind ASCII; at the latest
 * the literal.
 */
static size_t
character_start(const char *text, size_t from, size_t literal)
{
	if (from == 0 || pg_database_encoding_max_length() == 1)
		return from;
	if (GetDatabaseEncoding() == PG_UTF8)
		while (from < literal && ((unsigned char) text[from] & 0xC0) == 0x80)
			from++;
	else
		while (from < literal && IS_HIGHBIT_SET(text[from - 1]))
			from++;
	return from;
}

bool
rule_regex_match(const RedactRule *rule, const char *text, size_t len, size_t *from, size_t *to)
{
	size_t		start = character_start(text, *from > RULE_WINDOW ? *from - RULE_WINDOW : 0, *from);
	size_t		stop = len - *to > RULE_WINDOW ? *to + RULE_WINDOW : len;
	const char *window = text + start;
	int			bytes = pg_mbcliplen(window, (int) (stop - start), (int) (stop - start));
	pg_wchar	wide[WINDOW_BYTES + 1];
	int			chars = pg_mb2wchar_with_len(window, wide, bytes);
	int			literal_from = pg_mbstrlen_with_len(window, (int) (*from - start));
	int			literal_to = literal_from + pg_mbstrlen_with_len(text + *from, (int) (*to - *from));
	int			flags = (start > 0 ? REG_NOTBOL : 0) | (stop < len ? REG_NOTEOL : 0);
	regmatch_t	match;
	int			at = 0;

	while (at <= literal_from && execute(rule->regex, wide, chars, at, flags, &match) &&
		   match.rm_so <= literal_from)
	{
		if (match.rm_eo >= literal_to)
		{
			*from = start + pg_mbcharcliplen(window, bytes, match.rm_so);
			*to = start + pg_mbcharcliplen(window, bytes, match.rm_eo);
			return true;
		}
		at = match.rm_eo > at ? match.rm_eo : at + 1;
	}
	return false;
}
