/*
 * soft_text.c
 *		Which texts a conversion can take, without a server underneath.
 */
#include "ingest/soft_text.h"

#include <string.h>

/* White space of the server's input functions, in any locale. */
static inline bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* See the header. */
void
text_trim(const char **s, size_t *len)
{
	while (*len > 0 && is_space(**s))
	{
		(*s)++;
		(*len)--;
	}
	while (*len > 0 && is_space((*s)[*len - 1]))
		(*len)--;
}

/* Moves past digits and returns how many there were. */
static size_t
skip_digits(const char *s, size_t len, size_t *at)
{
	size_t		start = *at;

	while (*at < len && is_digit(s[*at]))
		(*at)++;
	return *at - start;
}

/* Moves past a sign, if there is one. */
static void
skip_sign(const char *s, size_t len, size_t *at)
{
	if (*at < len && (s[*at] == '+' || s[*at] == '-'))
		(*at)++;
}

/* Moves past the digits of an exponent; false when there are none or it is too large. */
static bool
skip_exponent(const char *s, size_t len, size_t *at)
{
	int			exponent = 0;
	size_t		start;

	skip_sign(s, len, at);
	start = *at;
	for (; *at < len && is_digit(s[*at]); (*at)++)
	{
		exponent = exponent * 10 + (s[*at] - '0');
		if (exponent > NUMBER_MAX_EXPONENT)
			return false;
	}
	return *at > start;
}

/* Moves past a number; false when there is none here, or it is out of bounds. */
static bool
skip_number(const char *s, size_t len, size_t *at)
{
	size_t		digits;

	skip_sign(s, len, at);
	digits = skip_digits(s, len, at);
	if (*at < len && s[*at] == '.')
	{
		(*at)++;
		digits += skip_digits(s, len, at);
	}
	if (digits == 0 || digits > NUMBER_MAX_DIGITS)
		return false;
	if (*at < len && (s[*at] == 'e' || s[*at] == 'E'))
	{
		(*at)++;
		return skip_exponent(s, len, at);
	}
	return true;
}

/* See the header. */
bool
text_is_number(const char *s, size_t len)
{
	size_t		at = 0;

	return skip_number(s, len, &at) && at == len;
}

/* See the header. */
bool
text_to_int64(const char *s, size_t len, int64_t *value)
{
	bool		negative = len > 0 && s[0] == '-';
	uint64_t	limit = negative ? (uint64_t) INT64_MAX + 1 : (uint64_t) INT64_MAX;
	uint64_t	sum = 0;
	size_t		i = 0;

	skip_sign(s, len, &i);
	if (i == len)
		return false;
	for (; i < len; i++)
	{
		unsigned int digit = (unsigned int) (s[i] - '0');

		if (!is_digit(s[i]) || sum > (limit - digit) / 10)
			return false;
		sum = sum * 10 + digit;
	}
	*value = (int64_t) (negative ? 0 - sum : sum);
	return true;
}

/* Value of a hexadecimal digit, or -1. */
static int
hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* See the header. */
bool
text_to_uuid(const char *s, size_t len, unsigned char *bytes)
{
	size_t		i;

	if (len >= 2 && s[0] == '{' && s[len - 1] == '}')
	{
		s++;
		len -= 2;
	}
	for (i = 0; i < 16; i++)
	{
		int			high = len >= 2 ? hex_value(s[0]) : -1;
		int			low = len >= 2 ? hex_value(s[1]) : -1;

		if (high < 0 || low < 0)
			return false;
		bytes[i] = (unsigned char) (high << 4 | low);
		s += 2;
		len -= 2;

		/* a hyphen may follow every group of four digits but the last */
		if (i % 2 == 1 && i < 15 && len > 0 && *s == '-')
		{
			s++;
			len--;
		}
	}
	return len == 0;
}

/*
 * Moves past a string whose opening quote is before *at; false when it does
 * not end, or holds a \u escape that is not wanted.
 */
static bool
skip_string(const char *s, size_t len, size_t *at, bool refuse_escapes)
{
	while (*at < len)
	{
		char		c = s[(*at)++];

		if (c == '"')
			return true;
		if (c == '\\')
		{
			if (*at == len || (refuse_escapes && s[*at] == 'u'))
				return false;
			(*at)++;
		}
	}
	return false;
}

/* See the header. */
bool
json_is_bounded(const char *s, size_t len, bool refuse_escapes)
{
	size_t		at = 0;
	int			depth = 0;

	if (len > JSON_MAX_BYTES)
		return false;
	while (at < len)
	{
		char		c = s[at];

		if (c == '-' || is_digit(c))
		{
			if (!skip_number(s, len, &at))
				return false;
			continue;
		}
		at++;
		if (c == '"' && !skip_string(s, len, &at, refuse_escapes))
			return false;
		if ((c == '[' || c == '{') && ++depth > JSON_MAX_DEPTH)
			return false;
		if (c == ']' || c == '}')
			depth--;
	}
	return depth == 0;
}
