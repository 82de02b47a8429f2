/*
 * detect_assign.c
 *		Secrets that stand under a name: password = ..., "api_key": "...",
 *		<token>...</token>, --password ..., setProperty("TOKEN", "...").
 *
 * Anchored at the sign between name and value, so that a text without such
 * names costs one look to the left for each sign.
 */
#include <math.h>
#include <string.h>

#include "redact/scan_internal.h"

#define NAME_BYTES	64
#define VALUE_BYTES 1024

/* Bits of information per byte. */
static double
entropy(const uint8_t *value, size_t len)
{
	int			count[256] = {0};
	double		sum = 0;
	size_t		i;

	for (i = 0; i < len; i++)
		count[value[i]]++;
	for (i = 0; i < 256; i++)
		if (count[i] > 0)
			sum -= count[i] * log2((double) count[i] / (double) len);
	return sum / (double) len;
}

/* Does it read like code or a path rather than like a literal? */
static bool
looks_like_code(const uint8_t *v, size_t len)
{
	size_t		i;
	bool		digit = false;
	bool		dot = false;
	bool		marks = false;	/* signs that no expression begins with */

	if (v[0] == '/' || (v[0] == '.' && len > 1 && v[1] == '/'))
		return true;
	for (i = 0; i < len; i++)
	{
		if ((v[i] == '(' && !marks) || (v[i] == '[' && i > 0 && !marks) || (v[i] == '{' && i == 0))
			return true;
		marks |= v[i] == '{' || v[i] == '$' || v[i] == '@' || v[i] == '#';
		digit |= byte_is(v[i], B_DIGIT);
		dot |= v[i] == '.' && i > 0 && i + 1 < len && byte_is(v[i + 1], B_ALPHA);
	}
	return dot && !digit;
}

/* Letters and digits mixed, no words with dots or spaces: drawn by a machine? */
static bool
looks_random(const uint8_t *v, size_t len)
{
	bool		digit = false;
	bool		upper = false;
	bool		small = false;
	size_t		digits = 0;
	size_t		i;

	if (len < 10)
		return false;
	for (i = 0; i < len; i++)
	{
		uint8_t		c = v[i];

		if (c <= ' ' || c >= 0x7F || strchr("()<>{}\"'`,;\\|", c) != NULL)
			return false;
		if ((c == '.' || c == ':') && len < 32)
			return false;
		if (c == '/' && (i == 0 || (c == '/' && v[i - 1] == '/')))
			return false;
		digits += byte_is(c, B_DIGIT);
		digit = digits > 0;
		upper |= c >= 'A' && c <= 'Z';
		small |= c >= 'a' && c <= 'z';
	}
	if (!(upper || small))
		return digits == len && len >= 16 && entropy(v, len) > 2.0;
	if ((!digit && !(upper && small && len >= 20)))
		return false;
	if (len < 16 && !(digit && upper && small) && entropy(v, len) < 3.2)
		return false;
	return entropy(v, len) >= (len < 20 ? 2.8 : 3.0);
}

/* Is it a secret, standing under a name of this strength? */
bool
secret_value(const uint8_t *v, size_t len, int name, bool quoted)
{
	if (len == 0 || is_placeholder(v, len))
		return false;
	if (name == NAME_WEAK)
		return looks_random(v, len) && !(len < 40 && looks_like_code(v, len));
	if (!quoted && (len < 3 || looks_like_code(v, len)))
		return false;
	return true;
}

static bool
is_quote(uint8_t c)
{
	return c == '"' || c == '\'' || c == '`';
}

static bool
name_byte(uint8_t c)
{
	return byte_is(c, B_TOKEN) || c == '.';
}

/* The name that ends before a position. */
static bool
name_before(const Scan *s, size_t end, size_t *from, size_t *to)
{
	size_t		i = end;
	size_t		limit = end > NAME_BYTES + 16 ? end - NAME_BYTES - 16 : 0;

	while (i > limit && (s->text[i - 1] == ' ' || s->text[i - 1] == '\t'))
		i--;
	while (i > limit && s->text[i - 1] && strchr("!?|+", s->text[i - 1]) != NULL)
		i--;
	while (i > limit && (s->text[i - 1] == ' ' || s->text[i - 1] == '\t'))
		i--;
	if (i > limit && s->text[i - 1] == ']')
	{
		i--;
		if (i > limit && !is_quote(s->text[i - 1]))
		{
			/* name[25]: back to the name, unless it is a tag of ours. */
			while (i > limit && s->text[i - 1] != '[' && byte_is(s->text[i - 1], B_DIGIT))
				i--;
			if (i == limit || s->text[i - 1] != '[')
				return false;
			i--;
		}
	}
	if (i > limit && is_quote(s->text[i - 1]))
	{
		i--;
		if (i > limit && s->text[i - 1] == '\\')
			i--;
	}
	*to = i;
	while (i > limit && name_byte(s->text[i - 1]))
		i--;
	/* "api key", "secret access key": the words before belong to it. */
	if (*to - i == 3 && equal_lower(s->text + i, "key", 3))
	{
		int			words;

		for (words = 0; words < 2 && i > limit && s->text[i - 1] == ' ' &&
			 byte_is(byte_before(s, i, 2), B_ALPHA); words++)
			for (i--; i > limit && byte_is(s->text[i - 1], B_ALPHA); i--);
	}
	/* The n of an escaped newline is no part of the name. */
	if (*to - i > 1 && byte_before(s, i, 1) == '\\' && strchr("nrt", s->text[i]) != NULL)
		i++;
	*from = i;
	return *to > i;
}

/* End of a quoted value, 0 if the quote is not closed soon. */
static size_t
quoted_end(const Scan *s, size_t from, uint8_t quote, bool escaped)
{
	size_t		i;

	for (i = from; i < s->len && i - from < VALUE_BYTES; i++)
	{
		if (s->text[i] == '\n')
			return 0;
		if (s->text[i] == quote)
			return escaped ? 0 : i;
		if (s->text[i] == '\\')
		{
			if (escaped && byte_at(s, i + 1) == quote)
				return i;
			if (!escaped)
				i++;
		}
	}
	return 0;
}

/* End of an unquoted value; closing punctuation stays outside. */
static size_t
plain_end(const Scan *s, size_t from)
{
	size_t		end = from;

	while (end < s->len && end - from < VALUE_BYTES && byte_is(s->text[end], B_VALUE))
		end++;
	if (end - from < VALUE_BYTES)
		while (end > from && strchr(".:?!", s->text[end - 1]) != NULL)
			end--;
	return end;
}

/* After a name that takes any value: to the next space or quote. */
static size_t
word_end(const Scan *s, size_t from)
{
	size_t		end = from;

	while (end < s->len && end - from < VALUE_BYTES && s->text[end] > ' ' &&
		   strchr("\"'`,;&<\\", s->text[end]) == NULL)
		end++;
	while (end > from && strchr(".:?!)}]", s->text[end - 1]) != NULL)
		end--;
	return end;
}

/* "password: must be set": a plain word that another one follows is prose. */
static bool
is_prose(const Scan *s, size_t from, size_t end)
{
	size_t		i;

	for (i = from; i < end; i++)
		if (!byte_is(s->text[i], B_ALPHA) && s->text[i] < 0x80 && s->text[i] != '-')
			return false;
	return byte_at(s, end) == ' ' && byte_is(byte_at(s, end + 1), B_ALPHA);
}

/* Steps over "Bearer ", "Basic ", "token " in an authorization value. */
static size_t
skip_scheme(const Scan *s, size_t from)
{
	static const char *const schemes[] = {"bearer ", "basic ", "token ", "apikey ", "digest "};
	size_t		i;

	for (i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
	{
		size_t		len = strlen(schemes[i]);

		if (s->len - from > len && equal_lower(s->text + from, schemes[i], len))
			return from + len;
	}
	return from;
}

/* The value at a position, judged under its name.  Returns its end, or 0. */
static size_t
judge_value(Scan *s, size_t at, int name)
{
	bool		escaped = byte_at(s, at) == '\\' && is_quote(byte_at(s, at + 1));
	bool		quoted;
	size_t		from;
	size_t		end;

	if (lower(byte_at(s, at)) == 'b' && is_quote(byte_at(s, at + 1)))
		at++;
	at += escaped;
	quoted = is_quote(byte_at(s, at));
	from = quoted ? at + 1 : at;
	end = quoted ? quoted_end(s, from, s->text[at], escaped) : 0;
	if (end == 0)
		end = plain_end(s, from);
	if (end <= from)
		return 0;
	from = skip_scheme(s, from);
	if (!quoted)
		end = name == NAME_STRONG ? word_end(s, from) : plain_end(s, from);
	if (end <= from || !secret_value(s->text + from, end - from, name, quoted) ||
		(!quoted && is_prose(s, from, end)))
		return 0;
	scan_hit(s, from, end, REDACT_SECRET, "named", STRENGTH_CONTEXT,
			 name == NAME_STRONG ? 80 : 60);
	return end;
}

/* Where the value begins after the sign of an assignment. */
static size_t
value_start(const Scan *s, size_t at, uint8_t sign)
{
	size_t		i = at + 1;

	if (sign == '=' || sign == ':')
		while (i < at + 4 && byte_at(s, i) && strchr("=:>~", byte_at(s, i)) != NULL)
			i++;
	while (i < at + 12 && (byte_at(s, i) == ' ' || byte_at(s, i) == '\t' ||
						   (sign == '>' && byte_is(byte_at(s, i), B_SPACE))))
		i++;
	return i;
}

/* '=' ':' '>' ',' '(' : a name on the left, a value on the right? */
size_t
detect_assignment(Scan *s, size_t at)
{
	uint8_t		sign = s->text[at];
	uint8_t		before = byte_before(s, at, 1);
	size_t		value;
	size_t		from;
	size_t		to;
	size_t		end;
	int			name;

	if (before == '=' || before == ':' || before == '<')
		return at + 1;
	/* 12:30 */
	if (byte_is(before, B_DIGIT) && byte_is(byte_before(s, at, 2), B_DIGIT) &&
		!byte_is(byte_before(s, at, 3), B_TOKEN))
		return at + 1;
	value = value_start(s, at, sign);
	if (sign == ',' && !(is_quote(before) && (is_quote(byte_at(s, value)) || byte_at(s, value) == '\\')))
		return at + 1;
	if (sign == '(' && !is_quote(byte_at(s, value)))
		return at + 1;
	if (!name_before(s, at, &from, &to))
		return at + 1;
	if (sign == '>' && byte_before(s, from, 1) != '<')
		return at + 1;
	/* name: str = "..." */
	if (sign == '=' && (to - from == 3 || to - from == 6) &&
		(equal_lower(s->text + from, "str", to - from) ||
		 equal_lower(s->text + from, "string", to - from)) && from > 2)
	{
		size_t		colon = from - 1;

		while (colon > 0 && from - colon < 4 && s->text[colon] == ' ')
			colon--;
		if (s->text[colon] == ':' && !name_before(s, colon, &from, &to))
			return at + 1;
	}
	/* key="Password" value="..." */
	if (sign == '=' && to - from == 5 && equal_lower(s->text + from, "value", 5) && from > 2 &&
		s->text[from - 1] == ' ' && is_quote(s->text[from - 2]) && !name_before(s, from - 1, &from, &to))
		return at + 1;
	name = secret_name(s->text + from, to - from);
	if (name == NAME_NONE)
		return at + 1;
	end = judge_value(s, value, name);
	return end ? end : at + 1;
}

/* "curl -u name:password": only after that command, others mean a group. */
size_t
detect_login_flag(Scan *s, size_t at, size_t value)
{
	size_t		from = at;
	size_t		colon;
	size_t		end;
	uint8_t		quote = 0;

	while (from > 0 && at - from < 256 && s->text[from - 1] != '\n' &&
		   !(s->text[from] == 'c' && at - from > 4 && equal_lower(s->text + from, "curl", 4)))
		from--;
	if (at - from < 5 || !equal_lower(s->text + from, "curl", 4))
		return at + 2;
	while (byte_at(s, value) == ' ')
		value++;
	if (is_quote(byte_at(s, value)))
		quote = s->text[value++];
	for (colon = value; colon < s->len && colon - value < 64 && s->text[colon] > ' ' &&
		 s->text[colon] != ':'; colon++);
	if (byte_at(s, colon) != ':')
		return at + 2;
	from = colon + 1;
	if (!quote && is_quote(byte_at(s, from)))
		quote = s->text[from++];
	for (end = from; end < s->len && end - from < 256 && s->text[end] > ' ' &&
		 s->text[end] != quote && s->text[end] != '\\'; end++);
	if (end - from < 3 || is_placeholder(s->text + from, end - from))
		return at + 2;
	scan_hit(s, from, end, REDACT_SECRET, "login", STRENGTH_CONTEXT, 70);
	return end;
}

/* "--password value", "--user name:password". */
size_t
detect_flag(Scan *s, size_t at)
{
	size_t		from = at + 2;
	size_t		to = from;
	size_t		end;
	int			name;

	while (to < s->len && to - from < NAME_BYTES && byte_is(s->text[to], B_TOKEN))
		to++;
	if (to - from == 4 && equal_lower(s->text + from, "user", 4) && byte_at(s, to) == ' ')
		return detect_login_flag(s, at, to + 1);
	if (to == from || byte_at(s, to) != ' ' || byte_at(s, to + 1) == '-')
		return from;
	name = secret_name(s->text + from, to - from);
	if (name == NAME_NONE)
		return from;
	end = judge_value(s, to + 1, name);
	return end ? end : from;
}
