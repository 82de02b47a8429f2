/*
 * render.c
 *		Replaces the hits of a text by tags, masks, numbered tags or nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "redact/render.h"

const char *const redact_style_name[STYLES] = {"tag", "mask", "numbered", "drop", "hash"};

static const char *const tag_name[REDACT_KINDS] = {
	"EMAIL", "PHONE", "CREDIT_CARD", "US_SSN", "IBAN", "IP", "MAC",
	"URL_CREDENTIALS", "SECRET", "NATIONAL_ID", "CRYPTO_WALLET", "CUSTOM"
};

#define MAX_TAG		40			/* bytes of the longest tag with its number or name */

typedef struct RedactNumber
{
	const char *text;
	size_t		len;
	uint32_t	hash;
	int			kind;
	int			number;
} RedactNumber;

size_t
redact_rendered_bound(size_t len, const RedactResult *result)
{
	return len + result->count * MAX_TAG;
}

/* What bytes may be beside a hit, see near_byte[]. */
#define N_NUMBER	0x01		/* digits, and what some detector joins them by */
#define N_BEFORE	0x02		/* ends what stands before a hit, for every detector */
#define N_BEHIND	0x04		/* begins what stands behind one */
#define N_STOP		0x08		/* ends a sentence */
#define N_BLANK		0x10		/* space or end of the line */
#define N_PAUSE		0x20		/* parts a number from the words before it */

static const uint8_t near_byte[256] = {
	['0'] = N_NUMBER,['1'] = N_NUMBER,['2'] = N_NUMBER,['3'] = N_NUMBER,['4'] = N_NUMBER,
	['5'] = N_NUMBER,['6'] = N_NUMBER,['7'] = N_NUMBER,['8'] = N_NUMBER,['9'] = N_NUMBER,
	[' '] = N_NUMBER | N_BEFORE | N_BEHIND | N_BLANK,
	['\n'] = N_BEFORE | N_BEHIND | N_BLANK | N_PAUSE,
	['\t'] = N_BEFORE | N_BEHIND,
	['"'] = N_BEFORE | N_BEHIND,['\''] = N_BEFORE | N_BEHIND,
	['<'] = N_BEFORE | N_BEHIND,['>'] = N_BEFORE | N_BEHIND,
	['/'] = N_NUMBER | N_BEFORE | N_BEHIND,
	['('] = N_NUMBER | N_BEFORE,['['] = N_BEFORE,['{'] = N_BEFORE,
	[')'] = N_NUMBER | N_BEHIND,[']'] = N_BEHIND,['}'] = N_BEHIND,
	[','] = N_NUMBER | N_BEFORE | N_BEHIND | N_PAUSE,
	[';'] = N_BEFORE | N_BEHIND | N_PAUSE,
	['='] = N_BEFORE,['~'] = N_BEFORE,['|'] = N_BEFORE,['#'] = N_BEFORE,
	['*'] = N_BEFORE,['&'] = N_BEFORE,
	['!'] = N_BEFORE | N_STOP,['?'] = N_BEFORE | N_STOP,
	['.'] = N_NUMBER | N_STOP | N_PAUSE,[':'] = N_NUMBER | N_PAUSE,
	['-'] = N_NUMBER,['+'] = N_NUMBER
};

static inline bool
is_near(char c, unsigned class)
{
	return (near_byte[(unsigned char) c] & class) != 0;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
	return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

#define NUMBER_MIN	6			/* fewer digits in a row of numbers are no hit */

/* Are there few digits to the left of a position, back to the last hit? */
static bool
few_before(const char *text, size_t from, size_t at)
{
	int			digits = 0;

	for (; at > from && is_near(text[at - 1], N_NUMBER) && digits < NUMBER_MIN; at--)
		digits += is_digit(text[at - 1]);
	return digits < NUMBER_MIN;
}

/*
 * And to the right of one, up to the next hit?  A number that begins further
 * from the hit than one sign has no part in it.
 */
static bool
few_behind(const char *text, size_t at, size_t to)
{
	int			digits = 0;

	if (at + 1 < to && !is_digit(text[at]) && !is_digit(text[at + 1]))
		return true;

	for (; at < to && is_near(text[at], N_NUMBER) && digits < NUMBER_MIN; at++)
		digits += is_digit(text[at]);
	return digits < NUMBER_MIN;
}

static bool
is_hex(char c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* Does what stands before a hit end there, for every detector? */
static bool
clear_before(const char *text, size_t from, size_t at)
{
	size_t		i = at - 1;

	if (at == from)
		return from == 0;
	if (text[i] == ':')
	{
		/* Part of an address with colons? */
		while (i > from && is_hex(text[i - 1]))
			i--;
		if (i > from && text[i - 1] == ':')
			return false;
	}
	else if (!is_near(text[i], N_BEFORE))
		return false;
	return few_before(text, from, at);
}

/* Does what stands behind a hit begin there? */
static bool
clear_behind(const char *text, size_t at, size_t to, bool is_end)
{
	size_t		i = at + 1;

	if (at == to)
		return is_end;
	if (text[at] == ':')
	{
		while (i < to && is_hex(text[i]))
			i++;
		if (i < to && text[i] == ':' && (i + 1 == to || text[i + 1] == ':' || is_hex(text[i + 1])))
			return false;
	}
	else if (is_near(text[at], N_STOP))
	{
		/* The end of a sentence. */
		if (i < to ? !is_near(text[i], N_BLANK) : !is_end)
			return false;
	}
	else if (!is_near(text[at], N_BEHIND))
		return false;
	return few_behind(text, at, to);
}

/* Can a bracket be the sign between a name, which may be quoted, and its value? */
static bool
is_sign_of_name(const char *text, size_t from, size_t at)
{
	size_t		i = at;

	while (i > from && text[i - 1] == ' ')
		i--;
	return i > from && !is_letter(text[i - 1]) && !is_digit(text[i - 1]) && !is_near(text[i - 1], N_PAUSE);
}

/*
 * Most hits of most texts: a number or an address with nothing beside it.
 * Whatever looked at it and found no hit finds none where a tag
 * stands, since looks are bounded and tags end them.
 */
static bool
is_quiet(const char *text, const RedactSpan *span, size_t from, size_t to, bool is_end)
{
	/* An address that is spelled otherwise has a subtype, and covers words. */
	if (span->kind == REDACT_EMAIL ? !is_letter(text[span->start]) || span->subtype != NULL :
		span->kind > REDACT_MAC)
		return false;
	if (text[span->start] == '(' && is_sign_of_name(text, from, span->start))
		return false;
	return clear_before(text, from, span->start) &&
		clear_behind(text, span->start + span->len, to, is_end);
}

bool
redact_is_settled(const char *text, size_t len, const RedactResult *result,
				  RedactStyle style, uint32_t kinds)
{
	size_t		from = 0;
	size_t		i;

	if ((style != STYLE_TAG && style != STYLE_NUMBERED) || (kinds & REDACT_PACKS))
		return false;
	for (i = 0; i < result->count; i++)
	{
		const RedactSpan *span = &result->spans[i];
		bool		is_end = i + 1 == result->count;

		if (!is_quiet(text, span, from, is_end ? len : span[1].start, is_end))
			return false;
		from = span->start + span->len;
	}
	return true;
}

/* FNV-1a: enough to tell the texts of one document apart. */
static uint32_t
hash_text(const char *text, size_t len, int kind)
{
	uint32_t	hash = 2166136261u ^ (uint32_t) kind;
	size_t		i;

	for (i = 0; i < len; i++)
		hash = (hash ^ (uint8_t) text[i]) * 16777619u;
	return hash;
}

/* The slot of a text: its own, or the free one where it belongs. */
static RedactNumber *
find_slot(RedactNumber *slots, size_t size, const RedactNumber *key)
{
	size_t		i = key->hash & (size - 1);

	while (slots[i].text != NULL &&
		   !(slots[i].hash == key->hash && slots[i].kind == key->kind &&
			 slots[i].len == key->len && memcmp(slots[i].text, key->text, key->len) == 0))
		i = (i + 1) & (size - 1);
	return &slots[i];
}

/* Keeps the table at most half full.  False when memory is out. */
static bool
make_room(RedactNumbers *n)
{
	size_t		size = n->size ? n->size * 2 : 64;
	RedactNumber *slots;
	size_t		i;

	if (n->used * 2 < n->size)
		return true;
	slots = n->resize ? n->resize(NULL, size * sizeof(RedactNumber)) :
		malloc(size * sizeof(RedactNumber));
	if (slots == NULL)
		return false;
	memset(slots, 0, size * sizeof(RedactNumber));
	for (i = 0; i < n->size; i++)
		if (n->slots[i].text != NULL)
			*find_slot(slots, size, &n->slots[i]) = n->slots[i];
	if (n->resize == NULL)
		free(n->slots);
	n->slots = slots;
	n->size = size;
	return true;
}

/* The number of a text within its kind, from 1; 0 when memory is out. */
static int
number_of(RedactNumbers *n, const char *text, size_t len, int kind)
{
	RedactNumber key = {text, len, hash_text(text, len, kind), kind, 0};
	RedactNumber *slot;

	if (!make_room(n))
		return 0;
	slot = find_slot(n->slots, n->size, &key);
	if (slot->text == NULL)
	{
		*slot = key;
		slot->number = ++n->last[kind];
		n->used++;
	}
	return slot->number;
}

/* The word of a hit's tag: its kind, or the name of the rule that found it. */
static size_t
write_word(char *out, const RedactSpan *span)
{
	const char *word = tag_name[span->kind];
	size_t		i;

	if (span->kind == REDACT_CUSTOM && span->subtype != NULL)
		word = span->subtype;
	for (i = 0; word[i]; i++)
		out[i] = word[i] >= 'a' && word[i] <= 'z' ? (char) (word[i] - 'a' + 'A') : word[i];
	return i;
}

/* Writes [KIND] or [KIND_number]. */
static size_t
write_tag(char *out, const RedactSpan *span, int number)
{
	char		digits[12];
	int			n = 0;
	size_t		at = 0;

	out[at++] = '[';
	at += write_word(out + at, span);
	if (number > 0)
	{
		out[at++] = '_';
		for (; number > 0; number /= 10)
			digits[n++] = (char) ('0' + number % 10);
		while (n > 0)
			out[at++] = digits[--n];
	}
	out[at++] = ']';
	return at;
}

/* Writes [KIND_letters]. */
static size_t
write_hash(char *out, const RedactNumbers *n, const RedactSpan *span, const char *hit)
{
	size_t		at = 1 + write_word(out + 1, span);

	out[0] = '[';
	out[at] = '\0';				/* the word alone, for the key */
	n->name(n->key, out + 1, hit, span->len, out + at + 1);
	out[at] = '_';
	at += 1 + HASH_LETTERS;
	out[at++] = ']';
	return at;
}

/* Asterisks, but the last four digits of numbers, and an address's outline. */
static size_t
write_mask(char *out, const char *text, const RedactSpan *span)
{
	size_t		keep_first = 0;
	size_t		keep_last = 0;
	size_t		at = 0;
	size_t		i;

	if (span->kind == REDACT_CREDIT_CARD || span->kind == REDACT_IBAN ||
		span->kind == REDACT_PHONE)
		keep_last = span->len > 8 ? 4 : 0;
	else if (span->kind == REDACT_EMAIL)
	{
		size_t		sign = span->len;

		/* Addresses that run into each other are one hit: the last one's host. */
		while (sign > 0 && text[sign - 1] != '@')
			sign--;
		/* One that is spelled otherwise behind it would be found again and again. */
		if (sign > 0 && (unsigned char) text[0] < 0x80 &&
			memchr(text + sign, '(', span->len - sign) == NULL && memchr(text + sign, '%', span->len - sign) == NULL)
		{
			keep_first = sign > 2 ? 1 : 0;
			keep_last = span->len - (sign - 1);
		}
	}
	for (i = 0; i < span->len; i++)
	{
		/* One asterisk for a character, whatever its bytes in UTF-8. */
		if (i < keep_first || i >= span->len - keep_last)
			out[at++] = text[i];
		else if (((unsigned char) text[i] & 0xC0) != 0x80)
			out[at++] = '*';
	}
	return at;
}

/* What stands in the place of a hit. */
static size_t
write_hit(char *out, const char *hit, const RedactSpan *span, RedactStyle style,
		  RedactNumbers *numbers)
{
	switch (style)
	{
		case STYLE_TAG:
			return write_tag(out, span, 0);
		case STYLE_NUMBERED:
			return write_tag(out, span, number_of(numbers, hit, span->len, span->kind));
		case STYLE_MASK:
			return write_mask(out, hit, span);
		case STYLE_HASH:
			return write_hash(out, numbers, span, hit);
		default:
			return 0;
	}
}

size_t
redact_render(const char *text, size_t len, const RedactResult *result,
			  RedactStyle style, RedactNumbers *numbers, char *out)
{
	size_t		from = 0;
	size_t		at = 0;
	size_t		i;

	for (i = 0; i < result->count; i++)
	{
		const RedactSpan *span = &result->spans[i];
		const char *hit = text + span->start;

		if (i % SPANS_PER_TICK == SPANS_PER_TICK - 1 && result->interrupt)
			result->interrupt();
		memcpy(out + at, text + from, span->start - from);
		at += span->start - from;
		from = span->start + span->len;
		at += write_hit(out + at, hit, span, span->style ? (RedactStyle) (span->style - 1) : style,
						numbers);
	}
	memcpy(out + at, text + from, len - from);
	return at + (len - from);
}
