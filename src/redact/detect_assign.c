/*
 * detect_assign.c
 *		Secrets that stand under a name: password = ..., "api_key": "...",
 *		<token>...</token>, setProperty("TOKEN", "...").
 *
 * Anchored at the sign between name and value, so that a text without such
 * names costs one look to the left for each sign.
 */
#include <math.h>
#include <string.h>

#include "redact/scan_internal.h"

#define VALUE_BYTES 1024
#define JUDGED_BYTES	192

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

/* A long key in base64, which may begin with a slash but holds fewer than a path. */
static bool
is_base64(const uint8_t *v, size_t len)
{
	size_t		slashes = 0;
	bool		digit = false;
	bool		upper = false;
	size_t		i;

	for (i = 0; i < len; i++)
	{
		if (!byte_is(v[i], B_ALNUM) && v[i] != '/' && v[i] != '+' && v[i] != '=')
			return false;
		slashes += v[i] == '/';
		digit |= byte_is(v[i], B_DIGIT);
		upper |= v[i] >= 'A' && v[i] <= 'Z';
	}
	return len >= 40 && digit && upper && slashes <= 1 + len / 16;
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

		if (c <= ' ' || c >= 0x7F || byte_is(c, B_CODE))
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
	/* The head of a long value tells, and a row of names costs no more than this. */
	if (name == NAME_WEAK && len > JUDGED_BYTES)
		len = JUDGED_BYTES;
	if (name == NAME_WEAK)
		return (looks_random(v, len) && !(len < 40 && looks_like_code(v, len))) || is_encoded_login(v, len);
	if (!quoted && (len < 3 || (looks_like_code(v, len) && !is_base64(v, len))))
		return false;
	return true;
}

bool
is_quote(uint8_t c)
{
	return c == '"' || c == '\'' || c == '`';
}

static bool
name_byte(uint8_t c)
{
	return byte_is(c, B_TOKEN) || c == '.';
}

/* Where the name that ends at a position begins. */
size_t
name_start(const Scan *s, size_t end)
{
	size_t		limit = end > NAME_BYTES ? end - NAME_BYTES : 0;
	size_t		i = end;

	while (i > limit && name_byte(s->text[i - 1]))
		i--;
	/* "api key", "secret access key": the words before belong to it. */
	if (end - i == 3 && equal_lower(s->text + i, "key", 3))
	{
		int			words;

		for (words = 0; words < 2 && i > limit && s->text[i - 1] == ' ' &&
			 byte_is(byte_before(s, i, 2), B_ALPHA); words++)
			for (i--; i > limit && byte_is(s->text[i - 1], B_ALPHA); i--);
	}
	/* "mot de passe" likewise; "passe" alone is a common word. */
	if (end - i == 5 && i - limit >= 7 && equal_lower(s->text + i - 7, "mot de passe", 12))
		i -= 7;
	/* The n of an escaped newline is no part of the name. */
	if (end - i > 1 && byte_before(s, i, 1) == '\\' && strchr("nrt", s->text[i]) != NULL)
		i++;
	return i;
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* May stand between a name and its sign. */
static bool
is_mark(uint8_t c)
{
	return c == '!' || c == '?' || c == '|' || c == '+';
}

static bool
is_sign(uint8_t c)
{
	return c == '=' || c == ':' || c == '>' || c == ',' || c == '(';
}

#define MAX_ESCAPES	7			/* backslashes before a quote: JSON in a string of JSON in one */

/* Backslashes at a position that escape a quote behind them. */
static size_t
escapes(const Scan *s, size_t at)
{
	size_t		n = 0;

	while (n < MAX_ESCAPES && byte_at(s, at + n) == '\\')
		n++;
	return is_quote(byte_at(s, at + n)) ? n : 0;
}

/*
 * The sign that gives the name before a position its value: behind a closing
 * quote, ["name"], name[25] or name! and blanks.  The end of the text if none.
 */
static size_t
sign_after(const Scan *s, size_t at)
{
	size_t		limit = at + 16;

	if (byte_at(s, at) == '[')
	{
		for (at++; at < limit && byte_is(byte_at(s, at), B_DIGIT); at++);
		if (byte_at(s, at++) != ']')
			return s->len;
	}
	else
	{
		at += escapes(s, at);
		if (is_quote(byte_at(s, at)))
		{
			at++;
			at += byte_at(s, at) == ']';
			/* key="Password" value="..." */
			if (byte_at(s, at) == ' ' && s->len - at > 7 && equal_lower(s->text + at + 1, "value=", 6))
				at += 6;
		}
	}
	while (at < limit && is_blank(byte_at(s, at)))
		at++;
	while (at < limit && is_mark(byte_at(s, at)))
		at++;
	while (at < limit && is_blank(byte_at(s, at)))
		at++;
	return is_sign(byte_at(s, at)) ? at : s->len;
}

/* End of a value in quotes with so many backslashes before, 0 if not closed soon. */
static size_t
quoted_end(const Scan *s, size_t from, uint8_t quote, size_t depth)
{
	size_t		i;

	for (i = from; i < s->len && i - from < VALUE_BYTES; i++)
	{
		if (s->text[i] == '\n')
			return 0;
		if (s->text[i] == quote)
			return depth ? 0 : i;
		if (s->text[i] == '\\' && depth == 0)
			i++;
		else if (s->text[i] == '\\')
		{
			size_t		n = escapes(s, i);

			if (n == depth && s->text[i + n] == quote)
				return i;
			i += n;
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

/*
 * Does another parameter of a URL begin at an ampersand, or is it an entity of
 * HTML?  Else it is one of the signs of a password.
 */
static bool
ampersand_ends(const Scan *s, size_t at)
{
	size_t		end = at + 1;

	while (end - at < NAME_BYTES && name_byte(byte_at(s, end)))
		end++;
	return end == at + 1 || (byte_at(s, end) != '\0' && strchr("=;[%", byte_at(s, end)) != NULL);
}

/*
 * After a name that takes any value: to the next space or quote.  Past ampersands
 * goes only what is known to be a hit, so that a tag there changes no judgement.
 */
static size_t
word_end(const Scan *s, size_t from, bool past)
{
	size_t		end = from;

	while (end < s->len && end - from < VALUE_BYTES && s->text[end] > ' ' &&
		   (!byte_is(s->text[end], B_STOP) || (past && s->text[end] == '&' && !ampersand_ends(s, end))))
		end++;
	while (end > from && strchr(".:?!)}]", s->text[end - 1]) != NULL)
		end--;
	return end;
}

/* Is it one of a row of assignments, name=value other=value? */
static bool
in_assignments(const Scan *s, size_t from, size_t end)
{
	size_t		i = end + 1;

	while (i < end + NAME_BYTES && byte_is(byte_at(s, i), B_TOKEN))
		i++;
	return byte_before(s, from, 1) == '=' && byte_at(s, end) == ' ' && byte_at(s, i) == '=';
}

/*
 * "password: must be set": a plain word that another one follows is prose, also
 * where the other is one of our tags or in brackets.
 */
static bool
is_prose(const Scan *s, size_t from, size_t end)
{
	size_t		i;

	if (byte_before(s, from, 1) == '=' && (in_assignments(s, from, end) || end - from >= 16))
		return false;

	for (i = from; i < end; i++)
		if (!byte_is(s->text[i], B_ALPHA) && s->text[i] < 0x80 && s->text[i] != '-')
			return false;
	/* "must 8 characters": the number is no end, either. */
	if (byte_at(s, end) == ' ' && byte_is(byte_at(s, end + 1), B_DIGIT))
	{
		for (i = end + 2; i < end + 4 && byte_is(byte_at(s, i), B_DIGIT); i++);
		return byte_at(s, i) == ' ' && (byte_is(byte_at(s, i + 1), B_ALPHA) || byte_at(s, i + 1) == '[');
	}
	return byte_at(s, end) == ' ' &&
		(byte_is(byte_at(s, end + 1), B_ALPHA) || byte_at(s, end + 1) == '[' || byte_at(s, end + 1) >= 0x80);
}

/* Steps over "Bearer ", "Basic ", "token " in an authorization value. */
static size_t
skip_scheme(const Scan *s, size_t from)
{
	static const char *const schemes[] = {"bearer ", "basic ", "token ", "apikey ", "digest ", "ssws "};
	size_t		i;

	for (i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
	{
		size_t		len = strlen(schemes[i]);

		if (s->len - from > len && equal_lower(s->text + from, schemes[i], len))
			return from + len;
	}
	return from;
}

/* Behind a scheme: Digest username="...", Token token="...", names of their own? */
static bool
is_parameter(const Scan *s, size_t from, size_t end)
{
	while (from < end && s->text[from] >= 'a' && s->text[from] <= 'z')
		from++;
	return end - from == 1 && s->text[from] == '=' && is_quote(byte_at(s, end));
}

/* The value at a position, judged under its name.  Returns its end, or 0. */
size_t
judge_value(Scan *s, size_t at, int name)
{
	size_t		depth = escapes(s, at);
	bool		quoted;
	size_t		from;
	size_t		scheme;
	size_t		end;

	if (lower(byte_at(s, at)) == 'b' && is_quote(byte_at(s, at + 1)))
		at++;
	at += depth;
	quoted = is_quote(byte_at(s, at));
	from = quoted ? at + 1 : at;
	end = quoted ? quoted_end(s, from, s->text[at], depth) : 0;
	if (end == 0)
		end = plain_end(s, from);
	if (end <= from)
		return 0;
	scheme = from;
	from = skip_scheme(s, from);
	if (!quoted && name == NAME_STRONG)
		end = word_end(s, from, false);
	else if (!quoted && from > scheme)
		end = plain_end(s, from);
	if (from > scheme && is_parameter(s, from, end))
		return 0;
	if (end <= from || !secret_value(s->text + from, end - from, name, quoted) ||
		(!quoted && is_prose(s, from, end)))
		return 0;
	if (!quoted && name == NAME_STRONG)
		end = word_end(s, from, true);
	scan_hit(s, from, end, REDACT_SECRET, "named", STRENGTH_CONTEXT,
			 name == NAME_STRONG ? 80 : 60);
	return end;
}

/*
 * Is a value none under any name?  A path or a list of arguments, or the first
 * word of a sentence that no scheme of authorization can be.
 */
static bool
hopeless_value(const Scan *s, size_t at)
{
	size_t		end = at;
	size_t		len;

	if (byte_at(s, at) == '(' ||
		(byte_at(s, at) == '/' && (s->len - at < 40 || !is_base64(s->text + at, 40))))
		return true;
	while (end - at < 16 && byte_is(byte_at(s, end), B_ALPHA))
		end++;
	len = end - at;
	return len > 0 && len != 5 && len != 6 && byte_at(s, end) == ' ' && byte_is(byte_at(s, end + 1), B_ALPHA) &&
		!in_assignments(s, at, end);
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

/* name: str = "...": the position of the second sign, or of the first. */
static size_t
skip_type(const Scan *s, size_t sign)
{
	size_t		i = sign + 1;
	size_t		from;

	while (i < sign + 4 && byte_at(s, i) == ' ')
		i++;
	from = i;
	while (i < from + 7 && byte_is(byte_at(s, i), B_ALPHA))
		i++;
	if (!((i - from == 3 && equal_lower(s->text + from, "str", 3)) ||
		  (i - from == 6 && equal_lower(s->text + from, "string", 6))))
		return sign;
	while (byte_at(s, i) == ' ' && i < sign + 16)
		i++;
	return byte_at(s, i) == '=' ? i : sign;
}

/* "Bearer ..." and "Basic ..." are read like a vendor's prefix. */
static size_t
detect_scheme(Scan *s, size_t name_end)
{
	size_t		from;

	if (name_end >= 6 && equal_lower(s->text + name_end - 6, "bearer", 6))
		from = name_end - 6;
	else if (name_end >= 5 && equal_lower(s->text + name_end - 5, "basic", 5))
		from = name_end - 5;
	else
		return name_end;
	if (byte_is(byte_before(s, from, 1), B_ALNUM) && !after_escape(s, from))
		return name_end;
	from = detect_token(s, from);
	return from > name_end ? from : name_end;
}

/* "..." == name: a comparison with the value on the left.  0 if it is none. */
static bool
compared_value(Scan *s, size_t from, int name)
{
	size_t		end = from;
	size_t		start;
	uint8_t		quote;

	while (end > 0 && s->text[end - 1] == ' ' && from - end < 4)
		end--;
	if (end < 4 || s->text[end - 1] != '=' || (s->text[end - 2] != '=' && s->text[end - 2] != '!'))
		return false;
	end -= s->text[end - 3] == '=' || s->text[end - 3] == '!' ? 3 : 2;
	while (end > 0 && s->text[end - 1] == ' ' && from - end < 12)
		end--;
	if (end < 2 || !is_quote(s->text[end - 1]))
		return false;
	quote = s->text[--end];
	for (start = end; start > 0 && end - start < NAME_BYTES && s->text[start - 1] != quote &&
		 s->text[start - 1] != '\n'; start--);
	if (start == 0 || s->text[start - 1] != quote ||
		!secret_value(s->text + start, end - start, name, true))
		return false;
	scan_hit(s, start, end, REDACT_SECRET, "named", STRENGTH_CONTEXT, 60);
	return true;
}

/* A name without a sign behind it: "Bearer ...", password "...", "..." == name. */
static size_t
detect_unsigned(Scan *s, size_t at)
{
	size_t		from;
	size_t		end;
	int			name;

	if (byte_at(s, at) == ' ')
	{
		end = detect_scheme(s, at);
		if (end > at)
			return end;
		if (!is_quote(byte_at(s, at + 1)))
			return detect_line(s, at);
	}
	else
	{
		detect_manifest(s, at);
		detect_chpasswd(s, at);
	}
	from = name_start(s, at);
	if (byte_before(s, from, 1) != ' ' && byte_at(s, at) != ' ')
		return at;
	name = secret_name(s->text + from, at - from);
	if (name == NAME_NONE || (byte_at(s, at) != ' ' && compared_value(s, from, name)))
		return at;
	if (name == NAME_STRONG && byte_at(s, at) == ' ' && is_quote(byte_at(s, at + 1)))
	{
		end = quoted_end(s, at + 2, s->text[at + 1], 0);
		if (end > at + 7 && memchr(s->text + at + 2, ' ', end - at - 2) == NULL)
		{
			end = judge_value(s, at + 1, name);
			return end ? end : at;
		}
	}
	return at;
}

/*
 * Behind a name that holds a word for a secret: does a sign follow, and a value
 * that can be one?  Returns its end, or the position itself.
 */
size_t
detect_named(Scan *s, size_t at)
{
	size_t		sign = sign_after(s, at);
	size_t		value;
	size_t		from;
	size_t		end;
	uint8_t		c;
	int			name;

	if (sign >= s->len)
		return detect_unsigned(s, at);
	if (s->text[sign] == ':')
		sign = skip_type(s, sign);
	c = s->text[sign];
	value = value_start(s, sign, c);
	if (c == ',' && !(is_quote(s->text[sign - 1]) &&
					  (is_quote(byte_at(s, value)) || byte_at(s, value) == '\\')))
		return at;
	if (c == '(' && !is_quote(byte_at(s, value + escapes(s, value))))
		return at;
	if (hopeless_value(s, value))
		return at;
	from = name_start(s, at);
	if (c == '>' && byte_before(s, from, 1) != '<')
		return at;
	/* arn:aws:...:secret:name is a path, not a name and its value. */
	if (c == ':' && sign == at && byte_before(s, from, 1) == ':' && value == at + 1 && !is_quote(byte_at(s, value)))
		return at;
	if (at - from == 21 && memcmp(s->text + from, "PuTTY-User-Key-File-", 20) == 0)
		return detect_putty_key(s, at);
	name = secret_name(s->text + from, at - from);
	if (name == NAME_NONE)
		return at;
	end = judge_value(s, value, name);
	return end ? end : at;
}
