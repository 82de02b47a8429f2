/*
 * render.c
 *		Replaces the hits of a text by tags, masks, numbered tags or nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "redact/render.h"

const char *const redact_style_name[STYLES] = {"tag", "mask", "numbered", "drop"};

static const char *const tag_name[REDACT_KINDS] = {
	"EMAIL", "PHONE", "CREDIT_CARD", "US_SSN", "IBAN", "IP", "MAC",
	"URL_CREDENTIALS", "SECRET"
};

#define MAX_TAG		32			/* bytes of the longest tag with its number */

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

static bool
is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
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

/* Longer than what parts the groups of one number. */
#define NEAR	4

/* No digit or bracket so near before a hit that they could be one number. */
static bool
clear_before(const char *text, size_t start)
{
	size_t		i;

	if (start > 0 && !is_one_of(text[start - 1], " \t\n\"'<>/([{=,;"))
		return false;
	for (i = start; i > 0 && start - i < NEAR; i--)
		if (is_digit(text[i - 1]) || text[i - 1] == ')')
			return false;
	return true;
}

/* The same behind it, where a port or the length of a prefix may stand. */
static bool
clear_behind(const char *text, size_t len, size_t end)
{
	size_t		i = end;

	if (i < len && (text[i] == ':' || text[i] == '/'))
		for (i++; i < len && i - end < 7 && is_digit(text[i]); i++);
	if (i < len && !is_one_of(text[i], " \t\n\"'<>)]},;"))
		return false;
	for (end = i; i < len && i - end < NEAR; i++)
		if (is_digit(text[i]) || text[i] == '(' || text[i] == '+')
			return false;
	return true;
}

/*
 * Most hits of most texts: a dotted address or an e-mail address with nothing
 * beside it.  Whatever looked at it and found no hit finds none where a tag
 * stands, since looks are bounded and tags end them.
 */
static bool
is_quiet(const char *text, size_t len, const RedactSpan *span)
{
	if (span->kind == REDACT_EMAIL ? !is_letter(text[span->start]) :
		span->kind != REDACT_IP || memchr(text + span->start, '.', span->len) == NULL ||
		memchr(text + span->start, ':', span->len) != NULL)
		return false;
	return clear_before(text, span->start) && clear_behind(text, len, span->start + span->len);
}

bool
redact_is_settled(const char *text, size_t len, const RedactResult *result)
{
	size_t		i;

	for (i = 0; i < result->count; i++)
		if (!is_quiet(text, len, &result->spans[i]))
			return false;
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

/* Writes [KIND] or [KIND_number]. */
static size_t
write_tag(char *out, int kind, int number)
{
	size_t		len = strlen(tag_name[kind]);
	char		digits[12];
	int			n = 0;
	size_t		at = 0;

	out[at++] = '[';
	memcpy(out + at, tag_name[kind], len);
	at += len;
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
		const char *sign = memchr(text, '@', span->len);

		if (sign != NULL && (unsigned char) text[0] < 0x80)
		{
			keep_first = sign - text > 1 ? 1 : 0;
			keep_last = span->len - (size_t) (sign - text);
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

		memcpy(out + at, text + from, span->start - from);
		at += span->start - from;
		from = span->start + span->len;
		if (style == STYLE_TAG)
			at += write_tag(out + at, span->kind, 0);
		else if (style == STYLE_NUMBERED)
			at += write_tag(out + at, span->kind,
							number_of(numbers, hit, span->len, span->kind));
		else if (style == STYLE_MASK)
			at += write_mask(out + at, hit, span);
	}
	memcpy(out + at, text + from, len - from);
	return at + (len - from);
}
