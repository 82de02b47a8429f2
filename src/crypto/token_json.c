/*
 * token_json.c
 *		Reading the little JSON that tokens hold, strictly (RFC 8259).
 */
#include "crypto/token_json.h"

#include <stdint.h>
#include <string.h>

static void
skip_space(TokenJson *json)
{
	while (json->at < json->end &&
		   (*json->at == ' ' || *json->at == '\t' || *json->at == '\n' || *json->at == '\r'))
		json->at++;
}

/* See the header. */
bool
token_json_mark(TokenJson *json, char mark)
{
	skip_space(json);
	if (json->at == json->end || *json->at != (unsigned char) mark)
		return false;
	json->at++;
	return true;
}

/* See the header. */
bool
token_json_ends(TokenJson *json)
{
	skip_space(json);
	return json->at == json->end;
}

/* Length of the character of UTF-8 at hand; 0: there is none (RFC 3629). */
static size_t
utf8_length(const TokenJson *json)
{
	const unsigned char *s = json->at;
	size_t		left = (size_t) (json->end - s);
	size_t		len = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;

	if (len == 0 || len > left)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* too long a form, half of a surrogate pair, beyond U+10FFFF */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
		(s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

/* Writes a character as UTF-8; returns its length. */
static size_t
utf8_encode(uint32_t c, char *out)
{
	size_t		len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};

	for (size_t i = len - 1; i > 0; i--)
	{
		out[i] = (char) (0x80 | (c & 0x3f));
		c >>= 6;
	}
	out[0] = (char) (lead[len] | c);
	return len;
}

/* Reads the four hexadecimal digits of an escape. */
static bool
read_hex(TokenJson *json, uint32_t *value)
{
	*value = 0;
	for (int i = 0; i < 4; i++)
	{
		unsigned char c;

		if (json->at == json->end)
			return false;
		c = *json->at++;
		if (c >= '0' && c <= '9')
			*value = *value << 4 | (uint32_t) (c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			*value = *value << 4 | (uint32_t) ((c | 0x20) - 'a' + 10);
		else
			return false;
	}
	return true;
}

/* Reads what follows "\u", and the other half of a surrogate pair. */
static bool
read_unicode(TokenJson *json, uint32_t *c)
{
	uint32_t	low;

	if (!read_hex(json, c) || *c == 0 || (*c >= 0xdc00 && *c <= 0xdfff))
		return false;
	if (*c < 0xd800 || *c > 0xdbff)
		return true;
	if (json->end - json->at < 2 || json->at[0] != '\\' || json->at[1] != 'u')
		return false;
	json->at += 2;
	if (!read_hex(json, &low) || low < 0xdc00 || low > 0xdfff)
		return false;
	*c = 0x10000 + ((*c - 0xd800) << 10) + (low - 0xdc00);
	return true;
}

/* Reads the escape behind a backslash. */
static bool
read_escape(TokenJson *json, uint32_t *c)
{
	static const char names[] = "\"\\/bfnrt";
	static const char means[] = "\"\\/\b\f\n\r\t";
	const char *found;

	if (json->at == json->end || *json->at == 0)
		return false;
	if (*json->at == 'u')
	{
		json->at++;
		return read_unicode(json, c);
	}
	found = strchr(names, *json->at++);
	if (found == NULL)
		return false;
	*c = (unsigned char) means[found - names];
	return true;
}

/* Reads one character of a string; *len is that of its UTF-8 in c. */
static bool
read_character(TokenJson *json, char *c, size_t *len)
{
	uint32_t	escaped;

	if (*json->at < 0x20)
		return false;
	if (*json->at == '\\')
	{
		json->at++;
		if (!read_escape(json, &escaped))
			return false;
		*len = utf8_encode(escaped, c);
		return true;
	}
	*len = utf8_length(json);
	memcpy(c, json->at, *len);
	json->at += *len;
	return *len > 0;
}

/* See the header. */
bool
token_json_string(TokenJson *json, char *out, size_t most)
{
	size_t		used = 0;

	if (!token_json_mark(json, '"'))
		return false;
	while (json->at < json->end && *json->at != '"')
	{
		char		c[4];
		size_t		len;

		if (!read_character(json, c, &len) || used + len > most)
			return false;
		memcpy(out + used, c, len);
		used += len;
	}
	out[used] = '\0';
	if (json->at == json->end)
		return false;
	json->at++;
	return true;
}
