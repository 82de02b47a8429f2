/*
 * check_rule.c
 *		The trigger that refuses a redaction rule that would not work.
 *
 * It runs before the constraints of the table, whose errors would show the row:
 * what a rule looks for may be the very secret.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "fmgr.h"
#include "utils/rel.h"

#include "compat.h"
#include "error.h"
#include "redact/redact.h"
#include "redact/rule_row.h"

#define PATTERN_MAX			300
#define CONTEXT_WORDS_MAX	10
#define CONTEXT_WORD_MAX	40

/* Position of a word among the known ones, -1 if it is not there. */
int
rule_word_index(const char *word, const char *const *words, int n)
{
	int			i;

	for (i = 0; word != NULL && i < n; i++)
		if (strcmp(word, words[i]) == 0)
			return i;
	return -1;
}

/* Refuses the rule. */
static void
refuse(bool is_bad, int sqlstate, const char *message, const char *detail, const char *hint)
{
	if (is_bad)
		ereport(ERROR,
				(errcode(sqlstate),
				 errmsg("%s", message),
				 detail ? errdetail("%s", detail) : 0,
				 errhint("%s", hint),
				 bcce_hide_input()));
}

#define BAD_RULE	ERRCODE_INVALID_PARAMETER_VALUE

/* The name, which becomes a tag. */
static void
check_name(const char *name)
{
	size_t		len = name ? strlen(name) : 0;

	refuse(len < 1 || len > RULE_NAME_MAX || name[0] < 'a' || name[0] > 'z' ||
		   strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != len,
		   BAD_RULE, "a redaction rule's name is 1 to 20 of a-z, 0-9 and _, beginning with a letter", NULL,
		   "In upper case it is the tag of what the rule finds: staff_number becomes [STAFF_NUMBER].");
	refuse(rule_word_index(name, redact_kind_name, REDACT_KINDS) >= 0,
		   BAD_RULE, "a redaction rule cannot be named like a built-in kind", NULL,
		   "Its hits could not be told from the built-in ones; choose another name.");
}

/* What the rule looks for. */
static void
check_literal(const char *literal, const char *kind)
{
	size_t		len = literal ? strlen(literal) : 0;
	bool		has_letter = false;
	Redactor	r;
	size_t		i;

	refuse(len < RULE_LITERAL_MIN || len > RULE_LITERAL_MAX,
		   BAD_RULE, "the literal of a redaction rule has 3 to 100 bytes",
		   strcmp(kind, "regex") == 0 ? "An expression runs only where its literal stands: something that every match contains." : NULL,
		   "Give the text to be found, the prefix, or a part of the expression that is always there.");
	refuse(strpbrk(literal, "[]*") != NULL,
		   BAD_RULE, "the literal of a redaction rule holds no brackets and no asterisks", NULL,
		   "Redacted text is made of these; give a part of it without them.");
	for (i = 0; i < len; i++)
		has_letter |= IS_HIGHBIT_SET(literal[i]) || (literal[i] >= '0' && literal[i] <= '9') ||
			((literal[i] | 0x20) >= 'a' && (literal[i] | 0x20) <= 'z');
	refuse(!has_letter || literal[0] == ' ' || literal[len - 1] == ' ',
		   BAD_RULE, "the literal of a redaction rule has a letter or digit and no blanks around it", NULL,
		   "Give what is to be found itself.");
	redactor_init(&r);
	refuse(redactor_scan(&r, literal, len),
		   BAD_RULE, "the literal of a redaction rule holds what the built-in kinds find", NULL,
		   "It is redacted without a rule; bcce.find_pii() shows what is found.");
}

/* The run behind a prefix; other rules have none. */
static void
check_run(const RuleRow *row, RuleKind kind)
{
	if (kind != RULE_PREFIX)
	{
		refuse(row->class != NULL || row->min_length != -1 || row->max_length != -1,
			   BAD_RULE, "only a redaction rule of kind prefix has a character class and lengths", NULL,
			   "Leave them out, or give a prefix.");
		return;
	}
	refuse(rule_word_index(row->class, rule_class_name, RULE_CLASSES) < 0,
		   BAD_RULE, "unknown character class of a redaction rule", NULL,
		   "Known: digits, hex, letters, alnum, token (letters, digits, _ and -).");
	refuse(row->min_length < 1 || row->max_length < row->min_length || row->max_length > RULE_LENGTH_MAX,
		   BAD_RULE, "the lengths of a redaction rule are 1 to 256 characters, the smaller first", NULL,
		   "Count the characters behind the prefix.");
}

/* Does the pattern begin with the literal?  Backslashes and case aside. */
static bool
begins_with(const char *pattern, const char *literal)
{
	for (; *literal; literal++, pattern++)
	{
		if (*pattern == '\\' && *literal != '\\')
			pattern++;
		if (pg_ascii_tolower((unsigned char) *pattern) != pg_ascii_tolower((unsigned char) *literal))
			return false;
	}
	return true;
}

/* Is the literal written in the pattern? */
static bool
is_written_in(const char *literal, const char *pattern)
{
	for (; *pattern; pattern++)
		if (begins_with(pattern, literal))
			return true;
	return false;
}

/* The expression; other rules have none. */
static void
check_pattern(const RuleRow *row, RuleKind kind)
{
	const char *reason = NULL;
	const char *slow;
	const char *hint = NULL;
	void	   *regex;

	if (kind != RULE_REGEX)
	{
		refuse(row->pattern != NULL,
			   BAD_RULE, "only a redaction rule of kind regex has an expression", NULL,
			   "Leave it out, or give a rule of kind regex.");
		return;
	}
	refuse(row->pattern == NULL || strlen(row->pattern) > PATTERN_MAX,
		   BAD_RULE, "the expression of a redaction rule has 1 to 300 bytes", NULL,
		   "Split it into several rules.");
	regex = rule_regex_compile(row->pattern, &reason);
	refuse(regex == NULL,
		   ERRCODE_INVALID_REGULAR_EXPRESSION, "the expression of a redaction rule is not valid", reason,
		   "Write it as for regexp_replace(): POSIX regular expressions with PostgreSQL's extensions.");
	slow = rule_regex_is_slow(regex, &hint);
	refuse(slow != NULL, ERRCODE_INVALID_REGULAR_EXPRESSION, slow, NULL, hint);
	refuse(rule_regex_matches_empty(regex),
		   ERRCODE_INVALID_REGULAR_EXPRESSION, "the expression of a redaction rule matches the empty text", NULL,
		   "Require at least the literal.");
	refuse(!is_written_in(row->literal, row->pattern),
		   ERRCODE_INVALID_REGULAR_EXPRESSION, "the expression of a redaction rule does not contain its literal", NULL,
		   "Give as literal a part of at least three bytes that is written in the expression and that every match contains.");
}

static void
check_context(const RuleRow *row)
{
	int			i;

	refuse(row->ncontext > CONTEXT_WORDS_MAX,
		   BAD_RULE, "a redaction rule has at most 10 context words", NULL,
		   "Give a few words that stand before what is to be found.");
	for (i = 0; i < row->ncontext; i++)
	{
		const char *word = row->context[i];
		size_t		len = word ? strlen(word) : 0;

		refuse(len < 2 || len > CONTEXT_WORD_MAX || strpbrk(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != NULL,
			   BAD_RULE, "a context word of a redaction rule has 2 to 40 bytes and no capitals A-Z", NULL,
			   "Words are compared without case: give them in lower case.");
	}
}

/* See the header. */
void
rule_row_check(const RuleRow *row)
{
	int			kind = rule_word_index(row->kind, rule_kind_name, RULE_KINDS);

	check_name(row->name);
	refuse(kind < 0, BAD_RULE, "unknown kind of redaction rule", NULL, "Known: literal, prefix, regex.");
	check_literal(row->literal, row->kind);
	check_run(row, (RuleKind) kind);
	check_pattern(row, (RuleKind) kind);
	check_context(row);
	refuse(row->style != NULL && rule_word_index(row->style, redact_style_name, STYLES) < 0,
		   BAD_RULE, "unknown style of redaction", NULL, "Known: tag, mask, numbered, drop, hash.");
}

PG_FUNCTION_INFO_V1(check_redaction_rule);
/* SQL: trigger before a redaction rule is written. */
Datum
check_redaction_rule(PG_FUNCTION_ARGS)
{
	TriggerData *data = CALLED_AS_TRIGGER(fcinfo) ? (TriggerData *) fcinfo->context : NULL;
	HeapTuple	tuple;
	RuleRow		row;

	if (data == NULL || !TRIGGER_FIRED_BEFORE(data->tg_event) || !TRIGGER_FIRED_FOR_ROW(data->tg_event) ||
		TRIGGER_FIRED_BY_DELETE(data->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("bcce.check_redaction_rule() must run as a trigger before insert or update of a row"),
				 errhint("It guards bcce_data.redaction_rules; bcce.install() puts it there."),
				 bcce_hide_input()));
	tuple = TRIGGER_FIRED_BY_UPDATE(data->tg_event) ? data->tg_newtuple : data->tg_trigtuple;
	rule_row_read(&row, tuple, RelationGetDescr(data->tg_relation));
	rule_row_check(&row);
	return PointerGetDatum(tuple);
}
