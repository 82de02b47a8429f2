/*
 * detect_foreign.c
 *		Words that are not written in ASCII, in UTF-8: names of passwords, and
 *		what says of a number that it is a phone's or a card's; and numbers whose
 *		groups no ASCII sign parts.
 *
 * Anchored at the last byte of what is no ASCII, so that a text in ASCII costs
 * nothing.
 */
#include <string.h>

#include "redact/scan_internal.h"

/* Small letters; a name may also be a longer word's end in scripts without spaces. */
static const char *const names[] = {
	"contrase\xc3\xb1" "a",	/* Spanish */
	"has\xc5\x82o",	/* Polish */
	"l\xc3\xb6senord",	/* Swedish */
	"jelsz\xc3\xb3",	/* Hungarian */
	"\xc5\x9fifre",	/* Turkish */
	"\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c",	/* Russian, Ukrainian */
	"\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd0\xb0",	/* Bulgarian */
	"\xd0\xbb\xd0\xbe\xd0\xb7\xd0\xb8\xd0\xbd\xd0\xba\xd0\xb0",	/* Serbian */
	"\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8f",	/* Russian, genitive */
	"\xce\xba\xcf\x89\xce\xb4\xce\xb9\xce\xba\xcf\x8c\xcf\x82 \xcf\x80\xcf\x81\xcf\x8c\xcf\x83\xce\xb2\xce\xb1\xcf\x83\xce\xb7\xcf\x82",	/* Greek */
	"\xe5\xaf\x86\xe7\xa0\x81",	/* Chinese */
	"\xe5\xaf\x86\xe7\xa2\xbc",	/* Chinese, traditional */
	"\xe5\x8f\xa3\xe4\xbb\xa4",	/* Chinese */
	"\xe3\x83\x91\xe3\x82\xb9\xe3\x83\xaf\xe3\x83\xbc\xe3\x83\x89",	/* Japanese */
	"\xe6\x9a\x97\xe8\xa8\xbc\xe7\x95\xaa\xe5\x8f\xb7",	/* Japanese, a PIN */
	"\xeb\xb9\x84\xeb\xb0\x80\xeb\xb2\x88\xed\x98\xb8",	/* Korean */
	"m\xe1\xba\xadt kh\xe1\xba\xa9u",	/* Vietnamese */
	"\xd9\x83\xd9\x84\xd9\x85\xd8\xa9 \xd8\xa7\xd9\x84\xd9\x85\xd8\xb1\xd9\x88\xd8\xb1",	/* Arabic */
	"\xd9\x83\xd9\x84\xd9\x85\xd8\xa9 \xd8\xa7\xd9\x84\xd8\xb3\xd8\xb1",	/* Arabic */
	"\xd7\xa1\xd7\x99\xd7\xa1\xd7\x9e\xd7\x94",	/* Hebrew */
	"\xe0\xa4\xaa\xe0\xa4\xbe\xe0\xa4\xb8\xe0\xa4\xb5\xe0\xa4\xb0\xe0\xa5\x8d\xe0\xa4\xa1",	/* Hindi */
	"\xe0\xb8\xa3\xe0\xb8\xab\xe0\xb8\xb1\xe0\xb8\xaa\xe0\xb8\x9c\xe0\xb9\x88\xe0\xb8\xb2\xe0\xb8\x99",	/* Thai */
};

static const struct
{
	const char *word;
	unsigned	context;
}			contexts[] = {
	{"\xe7\x94\xb5\xe8\xaf\x9d", CONTEXT_PHONE},
	{"\xe6\x89\x8b\xe6\x9c\xba", CONTEXT_PHONE},
	{"\xe6\x89\x8b\xe6\x9c\xba\xe5\x8f\xb7", CONTEXT_PHONE},
	{"\xe6\x89\x8b\xe6\x9c\xba\xe5\x8f\xb7\xe7\xa0\x81", CONTEXT_PHONE},
	{"\xe9\x9b\xbb\xe8\xa9\xb1", CONTEXT_PHONE},
	{"\xe6\x90\xba\xe5\xb8\xaf", CONTEXT_PHONE},
	{"\xec\xa0\x84\xed\x99\x94", CONTEXT_PHONE},
	{"\xec\xa0\x84\xed\x99\x94\xeb\xb2\x88\xed\x98\xb8", CONTEXT_PHONE},
	{"\xed\x9c\xb4\xeb\x8c\x80\xed\x8f\xb0", CONTEXT_PHONE},
	{"\xd1\x82\xd0\xb5\xd0\xbb", CONTEXT_PHONE},
	{"\xd1\x82\xd0\xb5\xd0\xbb\xd0\xb5\xd1\x84\xd0\xbe\xd0\xbd", CONTEXT_PHONE},
	{"\xd1\x82\xd0\xb5\xd0\xbb\xd0\xb5\xd1\x84\xd0\xbe\xd0\xbd\xd0\xb0", CONTEXT_PHONE},
	{"\xd0\xbc\xd0\xbe\xd0\xb1", CONTEXT_PHONE},
	{"\xe5\x8d\xa1\xe5\x8f\xb7", CONTEXT_CARD},
	{"\xe5\x8d\xa1\xe8\x99\x9f", CONTEXT_CARD},
	{"\xe3\x82\xab\xe3\x83\xbc\xe3\x83\x89\xe7\x95\xaa\xe5\x8f\xb7", CONTEXT_CARD},
	{"\xec\xb9\xb4\xeb\x93\x9c\xeb\xb2\x88\xed\x98\xb8", CONTEXT_CARD},
	{"\xd0\xba\xd0\xb0\xd1\x80\xd1\x82\xd0\xb0", CONTEXT_CARD},
	{"\xd0\xba\xd0\xb0\xd1\x80\xd1\x82\xd1\x8b", CONTEXT_CARD},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Chains of the names that end with the same five bits, whatever their case; -1 ends. */
static int8_t ends[32];
static int8_t next_name[COUNT(names)];
static uint8_t name_bytes[COUNT(names)];

/* Opens the gates. */
void
foreign_init(void)
{
	int			i;

	memset(ends, -1, sizeof(ends));
	for (i = 0; i < (int) COUNT(names); i++)
	{
		const char *first = names[i];
		uint8_t		last;

		name_bytes[i] = (uint8_t) strlen(names[i]);
		last = (uint8_t) names[i][name_bytes[i] - 1] & 31;
		next_name[i] = ends[last];
		ends[last] = (int8_t) i;
		while ((uint8_t) *first < 0x80)
			first++;
		/* Three bytes that the name of a column has in a row, whatever its case. */
		add_root(first > names[i] ? first - 1 : first);
	}
}

/* A letter of two bytes, small. */
static unsigned
small_letter(const uint8_t *p)
{
	unsigned	c = (p[0] & 0x1Fu) << 6 | (p[1] & 0x3Fu);

	if ((c >= 0x410 && c < 0x430) || (c >= 0x391 && c <= 0x3A9) || (c >= 0xC0 && c < 0xDF))
		return c + 32;
	return c == 0x141 || c == 0x15E ? c + 1 : c;
}

/* Is a text of the word's length the word, whatever its case? */
static bool
same_word(const uint8_t *text, const char *word, size_t len)
{
	size_t		i;

	for (i = 0; i < len; i++)
	{
		uint8_t		c = (uint8_t) word[i];

		if (c >= 0xC2 && c < 0xE0)
		{
			if ((text[i] & 0xE0) != 0xC0 ||
				small_letter(text + i) != small_letter((const uint8_t *) word + i))
				return false;
			i++;
		}
		else if (lower(text[i]) != c)
			return false;
	}
	return true;
}

/* Does a text end with a word, of which it holds no part but all? */
static bool
ends_with(const uint8_t *text, size_t end, const char *word, size_t len)
{
	size_t		start = end - len;

	/* Nearly none ends like it: the bytes but for case, or the head of a letter. */
	if (len > end || ((text[end - 2] ^ (uint8_t) word[len - 2]) & 0x1C) || !same_word(text + start, word, len))
		return false;
	/* Chinese, Japanese, Korean and Thai have no spaces. */
	return start == 0 || (uint8_t) word[0] >= 0xE0 ||
		(!byte_is(text[start - 1], B_ALNUM) && text[start - 1] < 0x80);
}

/* Is a name one of a password, in another script? */
bool
is_foreign_name(const uint8_t *name, size_t len)
{
	int			i;

	if (len < 5)
		return false;
	for (i = ends[name[len - 1] & 31]; i >= 0; i = next_name[i])
		if (ends_with(name, len, names[i], name_bytes[i]))
			return true;
	return false;
}

/* Is it this sign of three bytes? */
static bool
is_wide(const Scan *s, size_t at, const char *sign)
{
	return s->len - at >= 3 && memcmp(s->text + at, sign, 3) == 0;
}

#define WIDE_COLON	"\xef\xbc\x9a"
#define WIDE_EQUALS	"\xef\xbc\x9d"
#define EM_DASH		"\xe2\x80\x94"
#define EN_DASH		"\xe2\x80\x93"
#define IS_CHINESE	"\xe6\x98\xaf"	/* shi */
#define IS_JAPANESE	"\xe3\x81\xaf"	/* wa */

/* What the word right before a number, and perhaps a sign, says about it. */
unsigned
foreign_context(const Scan *s, size_t at)
{
	size_t		end = at;
	size_t		i;

	while (end > 0 && at - end < 6 && (s->text[end - 1] == ' ' || s->text[end - 1] == ':' || s->text[end - 1] == '.'))
		end--;
	if (end >= 3 && is_wide(s, end - 3, WIDE_COLON))
		end -= 3;
	if (end == 0 || s->text[end - 1] < 0x80)
		return 0;
	for (i = 0; i < COUNT(contexts); i++)
		if (ends_with(s->text, end, contexts[i].word, strlen(contexts[i].word)))
			return contexts[i].context;
	return 0;
}

/*
 * Where the value begins behind a name that ends here: behind a quote, blanks
 * and a sign.  0 when there is none.
 */
static size_t
foreign_value(const Scan *s, size_t at)
{
	size_t		i;

	while (byte_at(s, at) == '\\' && byte_at(s, at + 1) != '\0')
		at++;
	if (is_quote(byte_at(s, at)))
		at++;
	for (i = 0; i < 4 && byte_at(s, at) == ' '; i++)
		at++;
	if (byte_at(s, at) == ':' || byte_at(s, at) == '=')
		at += byte_at(s, at + 1) == '>' ? 2 : 1;
	else if (is_wide(s, at, WIDE_COLON) || is_wide(s, at, WIDE_EQUALS) || is_wide(s, at, EM_DASH) ||
			 is_wide(s, at, EN_DASH) || is_wide(s, at, IS_CHINESE) || is_wide(s, at, IS_JAPANESE))
		at += 3;
	else
		return 0;
	for (i = 0; i < 4 && byte_at(s, at) == ' '; i++)
		at++;
	return at < s->len ? at : 0;
}

/*
 * A value that no quotes enclose, in a text of a script without spaces: its
 * ASCII, which is all of it as passwords go.
 */
static size_t
ascii_value(Scan *s, size_t from)
{
	size_t		end = from;

	while (end < s->len && end - from < 256 && s->text[end] > ' ' && s->text[end] < 0x7F &&
		   !byte_is(s->text[end], B_STOP))
		end++;
	while (end > from && strchr(".:?!)}]", s->text[end - 1]) != NULL)
		end--;
	if (end - from < 3 || !secret_value(s->text + from, end - from, NAME_STRONG, false))
		return 0;
	scan_hit(s, from, end, REDACT_SECRET, "named", STRENGTH_CONTEXT, 80);
	return end;
}

/* The name of a password, of which the last byte that is no ASCII stands here? */
static size_t
foreign_password(Scan *s, size_t at)
{
	size_t		end = at + 1;
	size_t		from;

	if (!is_foreign_name(s->text, end))
	{
		/* The sign is no ASCII, either, or the last letters are. */
		if (at > 3 && s->text[at - 2] >= 0xE2 && is_foreign_name(s->text, end - 3))
			end -= 3;
		else
		{
			while (end - at < 8 && byte_is(byte_at(s, end), B_ALPHA))
				end++;
			if (end == at + 1 || !is_foreign_name(s->text, end))
				return at + 1;
		}
	}
	from = foreign_value(s, end);
	if (from == 0)
		return at + 1;
	if (is_quote(s->text[from]) || s->text[from] == '\\')
		end = judge_value(s, from, NAME_STRONG);
	else if (s->text[from] >= 0x80)
		return at + 1;
	else if (s->text[end - 1] >= 0x80 && s->text[end - 3] >= 0xE0)
		end = ascii_value(s, from);
	else
		end = judge_value(s, from, NAME_STRONG);
	return end > at ? end : at + 1;
}

/*
 * Bytes of a blank or dash at a position that is no ASCII, and the sign that
 * would stand there: those that break no line, and what text processors make of
 * a dash.  0 when it is none.
 */
static size_t
wide_sign(const Scan *s, size_t at, char *sign)
{
	uint8_t		third = byte_at(s, at + 2);

	*sign = ' ';
	if (byte_at(s, at) == 0xC2 && byte_at(s, at + 1) == 0xA0)
		return 2;
	if (byte_at(s, at) != 0xE2 || byte_at(s, at + 1) != 0x80)
		return 0;
	if (third >= 0x90 && third <= 0x93)
		*sign = '-';
	return third == 0xAF || third == 0x89 || *sign == '-' ? 3 : 0;
}

#define WIDE_BYTES	64			/* of a number with such signs, and of what is before it */

/* Enough are lent for what so few bytes can hold. */
static void *
no_more(void *old, size_t size)
{
	(void) old;
	(void) size;
	return NULL;
}

/*
 * A blank or dash between digits that is no ASCII ends here: the number around
 * it is looked at with the sign that it stands for, and a hit noted where it is
 * in the text.
 */
static size_t
wide_number(Scan *s, size_t at)
{
	static const uint32_t kinds = 1u << REDACT_PHONE | 1u << REDACT_CREDIT_CARD | 1u << REDACT_US_SSN;
	char		copy[2 * WIDE_BYTES];
	uint8_t		from[2 * WIDE_BYTES + 1];	/* where in the text each byte is from */
	RedactSpan	spans[16];
	RedactResult found = {.spans = spans,.lent = spans,.room = 16};
	RedactOptions opt = {.kinds = s->opt->kinds & kinds,.resize = no_more};
	size_t		start = at;
	size_t		len = 0;
	size_t		i;
	size_t		size;
	char		sign;

	while (start > s->wide_end && at - start < WIDE_BYTES && s->text[start - 1] != '\n' && s->text[start - 1] != ']')
		start--;
	for (i = start; i < s->len && i - start < 2 * WIDE_BYTES - 3; len++)
	{
		from[len] = (uint8_t) (i - start);
		size = wide_sign(s, i, &sign);
		if (size == 0 && i > at && !byte_is(s->text[i], B_DIGIT | B_SIGN))
			break;
		copy[len] = size ? sign : (char) s->text[i];
		i += size ? size : 1;
	}
	from[len] = (uint8_t) (i - start);
	s->wide_end = i;
	redact_scan(copy, len, &opt, &found);
	for (i = 0; i < found.count; i++)
	{
		size_t		begin = start + from[found.spans[i].start];
		size_t		end = start + from[found.spans[i].start + found.spans[i].len];

		/* Others are seen without this. */
		if (begin < at && end > at)
			scan_hit(s, begin, end, (RedactKind) found.spans[i].kind, found.spans[i].subtype,
					 (RedactStrength) found.spans[i].strength, found.spans[i].confidence);
	}
	return at + 1;
}

/* The last byte of a run that is no ASCII. */
size_t
detect_foreign(Scan *s, size_t at)
{
	char		sign;

	if (byte_at(s, at + 1) >= 0x80)
		return at + 1;
	if (byte_is(byte_at(s, at + 1), B_DIGIT | B_SIGN) && at >= s->wide_end &&
		((at > 1 && wide_sign(s, at - 1, &sign) == 2) || (at > 2 && wide_sign(s, at - 2, &sign) == 3)))
		return wide_number(s, at);
	return wants(s, REDACT_SECRET) ? foreign_password(s, at) : at + 1;
}
