/*
 * rules.c
 *		Finds what a tenant's own rules ask for.
 *
 * One automaton over all literals reads each byte once, letters without their
 * case; what a literal opens is then looked at over a bounded stretch.  So time
 * is linear in the text, whatever the rules are.
 *
 * Literals hold no brackets and no asterisks, and what stands inside a tag is
 * never a hit.  So each hit takes a literal away and brings no new one:
 * redacting again finds nothing, although a rule may be named like its literal.
 */
#include <string.h>

#include "redact/rules.h"
#include "redact/scan_internal.h"

const char *const rule_kind_name[RULE_KINDS] = {"literal", "prefix", "regex"};
const char *const rule_class_name[RULE_CLASSES] = {"digits", "hex", "letters", "alnum", "token"};

static const uint16_t class_bytes[RULE_CLASSES] = {B_DIGIT, B_HEX, B_ALPHA, B_ALNUM, B_TOKEN};

#define ENDS		0x80000000u	/* in next[]: a literal ends in that state */
#define STATE(v)	((v) & ~ENDS)
#define TAG_BYTES	40			/* of the longest tag */
#define KEY_BYTES	128			/* of a key that are looked at */

/* Numbers the bytes that occur in literals from 1; all others are class 0. */
static void
make_classes(RedactRules *set)
{
	int			classes = 1;
	int			c;
	int			i;
	size_t		j;

	for (i = 0; i < set->count; i++)
		for (j = 0; j < set->rules[i].literal_len; j++)
		{
			uint8_t		byte = lower((uint8_t) set->rules[i].literal[j]);

			if (set->class_of[byte] == 0)
				set->class_of[byte] = (uint8_t) classes++;
		}
	for (c = 'A'; c <= 'Z'; c++)
		set->class_of[c] = set->class_of[lower((uint8_t) c)];
	for (set->shift = 1; 1 << set->shift < classes; set->shift++);
}

/* The trie of all literals; returns how many states it has. */
static uint32_t
make_trie(RedactRules *set)
{
	uint32_t	states = 1;
	int			i;
	size_t		j;

	for (i = 0; i < set->count; i++)
	{
		const RedactRule *rule = &set->rules[i];
		uint32_t	state = 0;

		for (j = 0; j < rule->literal_len; j++)
		{
			uint32_t   *step = &set->next[(state << set->shift) + set->class_of[(uint8_t) rule->literal[j]]];

			if (*step == 0)
				*step = states++;
			state = *step;
		}
		set->other_rule[i] = set->first_rule[state];
		set->first_rule[state] = i;
	}
	return states;
}

/* The step from a state, and whether a literal ends behind it. */
static uint32_t
with_end(const RedactRules *set, uint32_t state)
{
	return set->first_rule[state] >= 0 || set->shorter[state] != 0 ? state | ENDS : state;
}

/*
 * Adds the steps that leave the trie: breadth first, each state steps where its
 * longest proper suffix that is a state would.
 */
static void
make_steps(RedactRules *set, uint32_t states, uint32_t *suffix, uint32_t *queue)
{
	uint32_t	classes = 1u << set->shift;
	uint32_t	done = 0;
	uint32_t	known = 1;		/* the root */
	uint32_t	c;

	for (queue[0] = 0; done < known; done++)
	{
		uint32_t	state = queue[done];

		for (c = 0; c < classes; c++)
		{
			uint32_t   *step = &set->next[(state << set->shift) + c];
			uint32_t	fallback = state == 0 ? 0 :
				STATE(set->next[(suffix[state] << set->shift) + c]);

			if (*step == 0)
			{
				*step = with_end(set, fallback);
				continue;
			}
			suffix[*step] = fallback;
			set->shorter[*step] = set->first_rule[fallback] >= 0 ? fallback : set->shorter[fallback];
			queue[known++] = *step;
			*step = with_end(set, *step);
		}
	}
}

void
redact_rules_build(RedactRules *set, void *(*alloc) (size_t size))
{
	size_t		most = 1;
	size_t		i;
	uint32_t	states;

	for (i = 0; i < (size_t) set->count; i++)
		most += set->rules[i].literal_len;
	memset(set->class_of, 0, sizeof(set->class_of));
	make_classes(set);
	set->next = alloc((most << set->shift) * sizeof(uint32_t));
	set->first_rule = alloc(most * sizeof(int));
	set->other_rule = alloc((size_t) set->count * sizeof(int));
	set->shorter = alloc(most * sizeof(uint32_t));
	for (i = 0; i < most; i++)
		set->first_rule[i] = -1;
	states = make_trie(set);
	for (i = 0; i < 256; i++)
		set->opens[i] = set->class_of[i] != 0 && set->next[set->class_of[i]] != 0;
	make_steps(set, states, alloc(most * sizeof(uint32_t)), alloc(most * sizeof(uint32_t)));
}

static inline bool
tag_byte(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || c == '_' || byte_is(c, B_DIGIT);
}

/* The tag such as [EMAIL] or [EMAIL_1] that a position lies inside of. */
static bool
tag_around(const Scan *s, size_t at, size_t *start, size_t *end)
{
	size_t		from = at;
	size_t		to = at;

	while (from > 0 && at - from < TAG_BYTES && tag_byte(s->text[from - 1]))
		from--;
	if (byte_before(s, from, 1) != '[')
		return false;
	while (to < s->len && to - at < TAG_BYTES && tag_byte(s->text[to]))
		to++;
	if (byte_at(s, to) != ']' || to == from)
		return false;
	*start = from - 1;
	*end = to + 1;
	return true;
}

/* Does a word stand in a stretch, whatever its case, apart from other letters? */
static bool
has_word(const uint8_t *text, size_t len, const char *word)
{
	size_t		n = strlen(word);
	size_t		i;

	for (i = 0; i + n <= len; i++)
		if (equal_lower(text + i, word, n) &&
			!(i > 0 && byte_is(text[i - 1], B_ALNUM) && byte_is(text[i], B_ALNUM)) &&
			!(i + n < len && byte_is(text[i + n], B_ALNUM) && byte_is(text[i + n - 1], B_ALNUM)))
			return true;
	return false;
}

/* Is one of the rule's context words near, or in the key? */
static bool
in_context(const Scan *s, const RedactRule *rule, size_t start)
{
	size_t		from = start > RULE_CONTEXT ? start - RULE_CONTEXT : 0;
	size_t		key_len = s->opt->key_len < KEY_BYTES ? s->opt->key_len : KEY_BYTES;
	int			i;

	for (i = 0; i < rule->ncontext; i++)
		if (has_word(s->text + from, start - from, rule->context[i]) ||
			(s->opt->key != NULL &&
			 has_word((const uint8_t *) s->opt->key, key_len, rule->context[i])))
			return true;
	return rule->ncontext == 0;
}

/* Is the literal a word of its own, or the beginning of one? */
static bool
stands_alone(const Scan *s, const RedactRule *rule, size_t start, size_t end)
{
	if (byte_is(s->text[start], B_ALNUM) && byte_is(byte_before(s, start, 1), B_ALNUM) &&
		!after_escape(s, start))
		return false;
	return rule->kind == RULE_PREFIX || !byte_is(s->text[end - 1], B_ALNUM) ||
		!byte_is(byte_at(s, end), B_ALNUM);
}

/* Behind a prefix: the end of a run of the right length, or 0. */
static size_t
run_end(const Scan *s, const RedactRule *rule, size_t from)
{
	uint16_t	class = class_bytes[rule->class];
	size_t		end = from;

	while (end - from <= rule->max_length && byte_is(byte_at(s, end), class))
		end++;
	if (end - from < rule->min_length || end - from > rule->max_length ||
		byte_is(byte_at(s, end), B_ALNUM))
		return 0;
	return end;
}

/* A literal ends at a position: is it a hit of its rule? */
static void
judge(Scan *s, const RedactRules *set, const RedactRule *rule, size_t end)
{
	size_t		start = end - rule->literal_len;
	size_t		tag_start;
	size_t		tag_end;
	RedactResult *r = s->result;
	size_t		known = r->count;

	if (!rule->ignore_case && rule->kind != RULE_REGEX &&
		memcmp(s->text + start, rule->literal, rule->literal_len) != 0)
		return;
	if (tag_around(s, start, &tag_start, &tag_end))
		return;
	if (rule->kind == RULE_REGEX)
	{
		if (!set->match_regex(rule, (const char *) s->text, s->len, &start, &end))
			return;
		/* Of a tag it takes all or nothing. */
		if (tag_around(s, start, &tag_start, &tag_end))
			start = tag_start;
		if (tag_around(s, end, &tag_start, &tag_end))
			end = tag_end;
	}
	else if (!stands_alone(s, rule, start, end))
		return;
	else if (rule->kind == RULE_PREFIX && (end = run_end(s, rule, end)) == 0)
		return;
	if (!in_context(s, rule, start))
		return;
	scan_hit(s, start, end, REDACT_CUSTOM, rule->name, STRENGTH_VALID, 100);
	if (r->count > known)
	{
		r->spans[known].style = rule->style;
		r->spans[known].rule = (int) (rule - set->rules);
	}
}

/* Do the last hits of a rule's expression reach over this literal already? */
static bool
is_covered(const Scan *s, const RedactRule *rule, size_t end)
{
	const RedactResult *r = s->result;
	const RedactSpan *last = r->count > 0 ? &r->spans[r->count - 1] : NULL;

	return last != NULL && last->subtype == rule->name && last->start + last->len >= end;
}

/* All literals that end in a state. */
static void
judge_state(Scan *s, const RedactRules *set, uint32_t state, size_t end)
{
	int			i;

	for (; state != 0; state = set->shorter[state])
		for (i = set->first_rule[state]; i >= 0; i = set->other_rule[i])
			if (!is_covered(s, &set->rules[i], end))
				judge(s, set, &set->rules[i], end);
}

/* The pass over a text. */
void
rules_scan(Scan *s)
{
	const RedactRules *set = s->opt->rules;
	const uint32_t *next = set->next;
	uint32_t	state = 0;
	size_t		at = 0;

	if (!wants(s, REDACT_CUSTOM))
		return;
	while (at < s->len)
	{
		size_t		stop = s->len - at > TICK_BYTES ? at + TICK_BYTES : s->len;

		tick(s, 0);
		for (; at < stop; at++)
		{
			/* Most bytes: known without waiting for the step before. */
			if (state == 0 && !set->opens[s->text[at]])
				continue;
			state = next[(STATE(state) << set->shift) + set->class_of[s->text[at]]];
			if (!(state & ENDS))
				continue;
			if (s->opt->first_only && s->result->count > 0)
				return;
			judge_state(s, set, STATE(state), at + 1);
		}
	}
}
