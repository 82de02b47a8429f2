/*
 * detect_line.c
 *		Passwords that stand under no sign, but in a line of a known form: .netrc,
 *		.pgpass, SQL's IDENTIFIED BY, the configuration of routers; and hashes of
 *		passwords as shadow files and user tables have them.
 */
#include <string.h>

#include "redact/scan_internal.h"

#define LINE_BYTES	256

/* Notes a password at a position, quoted or up to the next blank.  Its end, or 0. */
static size_t
line_password(Scan *s, size_t at, bool any)
{
	size_t		from = at;
	size_t		end;
	size_t		i;
	bool		word = true;	/* small letters only */

	if (is_quote(byte_at(s, at)))
		return judge_value(s, at, NAME_STRONG);
	for (end = at; end < s->len && end - at < LINE_BYTES && s->text[end] > ' ' &&
		 strchr("\"'`;\\", s->text[end]) == NULL; end++);
	for (i = from; i < end; i++)
		word = word && s->text[i] >= 'a' && s->text[i] <= 'z';
	if (end - from < 3 || (word && !any) || is_placeholder(s->text + from, end - from))
		return 0;
	scan_hit(s, from, end, REDACT_SECRET, "login", STRENGTH_CONTEXT, 75);
	return end;
}

/* The word before a position: its start, and *end behind it.  False if there is none. */
static bool
word_before(const Scan *s, size_t at, size_t *start, size_t *end)
{
	while (at > 0 && byte_is(s->text[at - 1], B_SPACE))
		at--;
	*end = at;
	while (at > 0 && *end - at < LINE_BYTES && s->text[at - 1] > ' ' && s->text[at - 1] != ']')
		at--;
	if (at > 0 && s->text[at - 1] == ']')
		return false;
	/* In a string of JSON a quote or an escaped newline may be before it. */
	while (at < *end && (is_quote(s->text[at]) || s->text[at] == '\\'))
		at += s->text[at] == '\\' && byte_at(s, at + 1) == 'n' ? 2 : 1;
	*start = at;
	return at < *end;
}

static bool
is_word(const Scan *s, size_t start, size_t end, const char *word)
{
	size_t		len = strlen(word);

	return end - start == len && equal_lower(s->text + start, word, len);
}

/*
 * Does a name at a position belong to an entry of .netrc?  Before it stand pairs
 * of words, the first "machine" and a host; or the one word "default".
 */
static bool
in_netrc(const Scan *s, size_t at)
{
	int			pairs;

	for (pairs = 0; pairs < 3; pairs++)
	{
		size_t		value;
		size_t		end;

		if (!word_before(s, at, &value, &end))
			return false;
		if (is_word(s, value, end, "default"))
			return true;
		if (!word_before(s, value, &at, &end))
			return false;
		if (is_word(s, at, end, "machine"))
			return true;
		if (!is_word(s, at, end, "login") && !is_word(s, at, end, "account"))
			return false;
	}
	return false;
}

/* "enable password ..." or "username name [privilege n] password [7] ..."? */
static bool
of_router(const Scan *s, size_t at)
{
	size_t		start;
	size_t		end;

	if (!word_before(s, at, &start, &end))
		return false;
	if (is_word(s, start, end, "enable"))
		return true;
	if (!word_before(s, start, &start, &end))
		return false;
	if (is_word(s, start, end, "username"))
		return true;
	return is_word(s, start, end, "privilege") && word_before(s, start, &start, &end) &&
		word_before(s, start, &start, &end) && is_word(s, start, end, "username");
}

/* Behind "identified": by 'word', with plugin by 'word', or by word;  Its end, or 0. */
static size_t
identified_by(Scan *s, size_t at)
{
	size_t		i = at + 1;
	size_t		end;

	if (s->len - i > 5 && equal_lower(s->text + i, "with ", 5))
	{
		for (i += 5; byte_is(byte_at(s, i), B_TOKEN) || is_quote(byte_at(s, i)); i++);
		for (; byte_at(s, i) == ' '; i++);
	}
	if (s->len - i < 5 || !(equal_lower(s->text + i, "by ", 3) || equal_lower(s->text + i, "as ", 3)))
		return 0;
	for (i += 3; byte_at(s, i) == ' '; i++);
	if (s->len - i > 9 && equal_lower(s->text + i, "password ", 9))
		i += 9;
	if (is_quote(byte_at(s, i)))
		return judge_value(s, i, NAME_STRONG);
	/* Without quotes it is prose as often as not, unless the statement ends. */
	for (end = i; byte_is(byte_at(s, end), B_TOKEN) || byte_at(s, end) == '$' || byte_at(s, end) == '#'; end++);
	return byte_at(s, end) == ';' ? line_password(s, i, true) : 0;
}

/* A name that ends before a blank, with neither a sign nor a quote behind. */
size_t
detect_line(Scan *s, size_t at)
{
	size_t		from = name_start(s, at);
	size_t		value = at + 1;
	size_t		end = 0;

	if (is_word(s, from, at, "identified"))
		end = identified_by(s, at);
	else if (is_word(s, from, at, "password"))
	{
		while (byte_at(s, value) == ' ')
			value++;
		if (in_netrc(s, from))
			end = line_password(s, value, true);
		else if (of_router(s, from))
		{
			/* How it is kept: 0 in clear, 7 in a form that anyone can undo. */
			bool		kept = byte_is(byte_at(s, value), B_DIGIT) && byte_at(s, value + 1) == ' ';

			end = line_password(s, kept ? value + 2 : value, kept);
		}
	}
	return end ? end : at;
}

/* End of a field of a line of .pgpass; 0 when it is empty or holds other signs. */
static size_t
field_end(const Scan *s, size_t at, bool *letter)
{
	size_t		end = at;

	for (*letter = false; end < s->len && end - at < 64 &&
		 (byte_is(s->text[end], B_TOKEN) || strchr(".*@", s->text[end]) != NULL); end++)
		*letter |= byte_is(s->text[end], B_ALPHA) || s->text[end] == '*';
	return end > at && byte_at(s, end) == ':' ? end : 0;
}

/* The colon behind the port in host:port:database:user:password? */
size_t
detect_pgpass(Scan *s, size_t colon)
{
	size_t		port = colon;
	size_t		host;
	size_t		end;
	bool		letter;

	while (port > 0 && colon - port < 5 && byte_is(s->text[port - 1], B_DIGIT))
		port--;
	if (colon - port < 4 && !(port == colon && port > 0 && s->text[--port] == '*'))
		return colon + 1;
	if (port < 2 || s->text[port - 1] != ':')
		return colon + 1;
	/* Only an address stands in brackets, and none of our tags. */
	host = port - 1;
	if (s->text[host - 1] == ']')
		for (host--; host > 0 && port - host < 64 &&
			 (byte_is(s->text[host - 1], B_HEX) || s->text[host - 1] == ':'); host--);
	if (host < port - 1)
	{
		if (host == 0 || s->text[--host] != '[')
			return colon + 1;
	}
	else
		while (host > 0 && port - host < LINE_BYTES &&
			   (byte_is(s->text[host - 1], B_TOKEN) || strchr(".*/", s->text[host - 1]) != NULL))
			host--;
	if (host == port - 1 || (host > 0 && strchr("\n\"' ", s->text[host - 1]) == NULL))
		return colon + 1;
	end = field_end(s, colon + 1, &letter);
	if (end == 0 || !letter || (end = field_end(s, end + 1, &letter)) == 0 || !letter)
		return colon + 1;
	/* A colon in the password stands behind a backslash; with more, it is an address. */
	host = end + 1;
	for (end = host; end < s->len && end - host < LINE_BYTES && s->text[end] > ' ' &&
		 strchr("\"'`:", s->text[end]) == NULL; end++)
		if (s->text[end] == '\\' && byte_at(s, end + 1) > ' ')
			end++;
	if (end > s->len || end - host < 3 || byte_at(s, end) == ':' || is_placeholder(s->text + host, end - host))
		return colon + 1;
	scan_hit(s, host, end, REDACT_SECRET, "login", STRENGTH_CONTEXT, 75);
	return end;
}

/* What ids of hashes there are, and how long the last field is. */
static const struct
{
	const char *id;
	uint8_t		last;
}			hashes[] = {
	{"1", 22}, {"5", 43}, {"6", 86}, {"7", 43}, {"8", 43}, {"9", 43}, {"y", 43}, {"gy", 43},
	{"2a", 53}, {"2b", 53}, {"2y", 53}, {"apr1", 22}
};

/* May the parameters of a hash hold this byte, or its last field? */
static bool
hash_byte(uint8_t c, bool last)
{
	return byte_is(c, B_ALNUM) || c == '.' || c == '/' || c == '+' || (!last && (c == '$' || c == '=' || c == ',' || c == '-'));
}

/* Is what stands at a '$' the version of "$argon2id$v=19$...", and what follows like it? */
static bool
is_argon2(const Scan *s, size_t at, size_t fields, size_t last)
{
	return fields == 3 && last >= 20 && at > 8 && byte_at(s, at + 2) == '=' &&
		(memcmp(s->text + at - 9, "$argon2id", 9) == 0 ||
		 memcmp(s->text + at - 8, "$argon2i", 8) == 0 || memcmp(s->text + at - 8, "$argon2d", 8) == 0);
}

/* '$' of a hash of a password: $6$salt$..., $2b$12$..., $argon2id$v=19$... */
size_t
detect_password_hash(Scan *s, size_t at)
{
	size_t		end = at + 1;
	size_t		last = end;
	size_t		fields = 0;
	size_t		i;

	if (!wants(s, REDACT_SECRET))
		return at + 1;
	for (; end < s->len && end - at < LINE_BYTES && hash_byte(s->text[end], false); end++)
		if (s->text[end] == '$')
		{
			fields++;
			last = end + 1;
		}
	for (end = last; end < s->len && end - at < LINE_BYTES && hash_byte(s->text[end], true); end++);
	for (i = 0; fields >= 2 && i < sizeof(hashes) / sizeof(hashes[0]); i++)
	{
		size_t		len = strlen(hashes[i].id);

		if (end - last == hashes[i].last && s->text[at + 1 + len] == '$' &&
			memcmp(s->text + at + 1, hashes[i].id, len) == 0)
		{
			scan_hit(s, at, end, REDACT_SECRET, "password_hash", STRENGTH_VALID, 95);
			return end;
		}
	}
	if (!is_argon2(s, at, fields, end - last))
		return at + 1;
	scan_hit(s, at, end, REDACT_SECRET, "password_hash", STRENGTH_VALID, 95);
	return end;
}

/* Does base64 stand for user:password, as in the header of HTTP and in .npmrc? */
bool
is_encoded_login(const uint8_t *v, size_t len)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t	bits = 0;
	size_t		colon = 0;
	size_t		n = 0;
	size_t		i;

	if (len < 8 || len % 4 != 0 || len > LINE_BYTES)
		return false;
	for (i = 0; i < len && v[i] != '='; i++)
	{
		const char *found = v[i] ? strchr(alphabet, v[i]) : NULL;
		uint8_t		c;

		if (found == NULL)
			return false;
		bits = bits << 6 | (uint32_t) (found - alphabet);
		if (i % 4 == 0)
			continue;
		c = (uint8_t) (bits >> (6 - 2 * (i % 4)));
		if (c < ' ' || c > '~')
			return false;
		if (c == ':' && colon == 0)
			colon = n;
		n++;
	}
	return colon > 0 && n - colon > 3;
}

#define PUTTY_BYTES	4096		/* from the head of a key's file to its private lines */

/* A key's file of PuTTY begins: the base64 behind "Private-Lines: n". */
size_t
detect_putty_key(Scan *s, size_t at)
{
	static const char head[] = "Private-Lines: ";
	size_t		i;
	size_t		end;

	for (i = at; i < s->len && i - at < PUTTY_BYTES; i++)
	{
		if (s->text[i] != 'P' || s->len - i < 20)
			continue;
		if (memcmp(s->text + i, head, 15) == 0)
			break;
		if (memcmp(s->text + i, "PuTTY-User", 10) == 0)
			return at;			/* another one's head */
	}
	if (i >= s->len || i - at >= PUTTY_BYTES)
		return at;
	for (i += 15; byte_is(byte_at(s, i), B_DIGIT); i++);
	for (; byte_is(byte_at(s, i), B_SPACE); i++);
	for (end = i; end < s->len && end - i < PUTTY_BYTES &&
		 (byte_is(s->text[end], B_ALNUM | B_SPACE) || (s->text[end] != '\0' && strchr("+/=", s->text[end]) != NULL)); end++);
	/* The name of the next line is no base64. */
	if (byte_at(s, end) == '-')
		while (end > i && s->text[end - 1] != '\n')
			end--;
	while (end > i && byte_is(s->text[end - 1], B_SPACE))
		end--;
	if (end - i < 40 || is_masked(s->text + i, end - i))
		return at;
	scan_hit(s, i, end, REDACT_SECRET, "private_key", STRENGTH_SHAPE, 90);
	return end;
}
