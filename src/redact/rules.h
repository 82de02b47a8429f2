/*
 * rules.h
 *		What a tenant itself wants found: words, prefixes and expressions.
 *
 * Pure C but for the matcher of expressions, which the caller brings.
 */
#ifndef BCCE_REDACT_RULES_H
#define BCCE_REDACT_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RULE_NAME_MAX		20	/* bytes of a name; with it the longest tag is known */
#define RULE_LITERAL_MIN	3
#define RULE_LITERAL_MAX	100
#define RULE_LENGTH_MAX		256 /* characters behind a prefix */
#define RULE_WINDOW			256 /* bytes on each side of its literal that an expression sees */
#define RULE_CONTEXT		48	/* bytes before a hit in which a context word may stand */

typedef enum RuleKind
{
	RULE_LITERAL,				/* the literal, as a word */
	RULE_PREFIX,				/* the literal, then so many characters of a class */
	RULE_REGEX,					/* what an expression matches and holds the literal */
	RULE_KINDS
} RuleKind;

typedef enum RuleClass
{
	RULE_DIGITS,
	RULE_HEX,
	RULE_LETTERS,
	RULE_ALNUM,
	RULE_TOKEN,					/* letters, digits, _ and - */
	RULE_CLASSES
} RuleClass;

extern const char *const rule_kind_name[RULE_KINDS];
extern const char *const rule_class_name[RULE_CLASSES];

typedef struct RedactRule
{
	const char *name;			/* subtype of its hits; in upper case their tag */
	RuleKind	kind;
	const char *literal;
	size_t		literal_len;
	bool		ignore_case;	/* letters a-z of the literal */
	RuleClass	class;			/* of RULE_PREFIX */
	size_t		min_length;
	size_t		max_length;
	const char *const *context; /* lower case; one of them must be near, if any */
	int			ncontext;
	uint8_t		style;			/* as in RedactSpan */
	void	   *regex;			/* of RULE_REGEX, for match_regex */
} RedactRule;

/*
 * Rules and the automaton (Aho-Corasick, every step made ready) that finds all
 * their literals in one pass.  A state is its row in next[]; with ENDS in it,
 * some literal ends there.
 */
typedef struct RedactRules
{
	RedactRule *rules;
	int			count;
	/*
	 * A match of the rule's expression that holds the literal at [from, to).
	 * It may read RULE_WINDOW bytes on both sides, and moves from and to.
	 */
	bool		(*match_regex) (const RedactRule *rule, const char *text, size_t len,
								size_t *from, size_t *to);

	uint8_t		class_of[256];
	bool		opens[256];		/* does some literal begin with it? */
	int			shift;			/* 1 << shift classes */
	uint32_t   *next;
	int		   *first_rule;		/* by state: a rule whose literal ends there, or -1 */
	int		   *other_rule;		/* by rule: another of the same literal, or -1 */
	uint32_t   *shorter;		/* by state: the next shorter literal ending there, or 0 */
} RedactRules;

/* Makes the automaton.  alloc returns zeroed memory and does not fail. */
extern void redact_rules_build(RedactRules *set, void *(*alloc) (size_t size));

#endif
