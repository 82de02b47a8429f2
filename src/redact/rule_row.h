/*
 * rule_row.h
 *		A row of bcce_data.redaction_rules.
 */
#ifndef BCCE_RULE_ROW_H
#define BCCE_RULE_ROW_H

#include "access/htup.h"
#include "access/tupdesc.h"
#include "utils/uuid.h"

#include "redact/rules.h"

/* Columns as they stand there; NULL where the row has NULL. */
typedef struct RuleRow
{
	pg_uuid_t	tenant;
	char	   *name;
	char	   *kind;
	char	   *literal;
	char	   *class;
	int			min_length;		/* -1: NULL */
	int			max_length;
	char	   *pattern;
	char	  **context;
	int			ncontext;
	char	   *style;
	bool		ignore_case;
	bool		enabled;
} RuleRow;

/* check_rule.c: errors out when the row is no rule, never showing its text. */
extern void rule_row_check(const RuleRow *row);
extern int	rule_word_index(const char *word, const char *const *words, int n);

/* rule_row.c */
extern void rule_row_read(RuleRow *row, HeapTuple tuple, TupleDesc desc);
extern void rule_row_compile(const RuleRow *row, RedactRule *rule);

/*
 * rule_regex.c: compiles an expression in the current memory context, where it
 * lives; NULL and the reason when it is none.
 */
extern void *rule_regex_compile(const char *pattern, const char **reason);

/* Could it take long on a window?  Why, and what to do; else NULL. */
extern const char *rule_regex_is_slow(void *regex, const char **hint);
extern bool rule_regex_matches_empty(void *regex);
extern bool rule_regex_match(const RedactRule *rule, const char *text, size_t len,
							 size_t *from, size_t *to);

#endif
