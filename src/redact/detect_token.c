/*
 * detect_token.c
 *		Secrets that say what they are: a vendor's prefix, a JWT, key armour.
 */
#include <string.h>

#include "redact/anchors.h"
#include "redact/scan_internal.h"
#include "redact/token_prefix.h"

/* Chains of the prefixes that share a first letter; -1 ends. */
static int16_t chain_head[256];
static int16_t chain_next[MAX_PREFIXES];

uint8_t		token_gate[65536 / 8];

/* Opens the gate for every prefix, and builds the chains. */
void
token_init(void)
{
	int			i;
	int			c;

	for (i = 0; i < 256; i++)
		chain_head[i] = -1;
	/* Discord's tokens begin with the base64 of a digit and another. */
	for (i = 0; i < 3 * 4 * 16; i++)
	{
		unsigned	index = token_gate_index("MNO"[i / 64], "DTjz"[i / 16 % 4], (uint8_t) (i & 15));

		token_gate[index >> 3] |= (uint8_t) (1 << (index & 7));
	}
	for (i = 0; i < 3 * 4; i++)
	{
		char		head[3] = {"MNO"[i / 4], "DTjz"[i % 4], '?'};

		anchors_add_token(head);
	}
	for (i = token_prefix_count - 1; i >= 0; i--)
	{
		const char *p = token_prefixes[i].prefix;
		const uint8_t *prefix = (const uint8_t *) p;

		chain_next[i] = chain_head[prefix[0]];
		chain_head[prefix[0]] = (int16_t) i;
		if (token_prefixes[i].vendor != NULL)
		{
			char		head[3] = {p[0], p[1], p[2] ? p[2] : '?'};

			anchors_add_token(head);
		}
		for (c = 0; c < 16; c++)
			if (prefix[2] == '\0' || (prefix[2] & 15) == c)
			{
				unsigned	index = token_gate_index(prefix[0], prefix[1], (uint8_t) c);

				token_gate[index >> 3] |= (uint8_t) (1 << (index & 7));
			}
	}
}

/* Does a byte belong to a class of tokens? */
static bool
in_class(uint8_t c, int class)
{
	switch (class & T_CLASS)
	{
		case T_ALNUM:
			return byte_is(c, B_ALNUM);
		case T_WORD:
			return byte_is(c, B_ALNUM) || c == '_';
		case T_HEX:
			return byte_is(c, B_HEX);
		case T_UPPER:
			return byte_is(c, B_DIGIT) || (c >= 'A' && c <= 'Z');
		case T_DOTTED:
			return byte_is(c, B_TOKEN) || c == '.';
		case T_BASE64:
			return byte_is(c, B_TOKEN) || (c != 0 && strchr("+/=.~%:|@", c) != NULL);
		default:
			return byte_is(c, B_TOKEN);
	}
}

/* Are there a digit, a capital and a small letter? */
static bool
is_mixed(const uint8_t *text, size_t len)
{
	bool		digit = false;
	bool		upper = false;
	bool		small = false;

	for (; len > 0; len--, text++)
	{
		digit |= byte_is(*text, B_DIGIT);
		upper |= *text >= 'A' && *text <= 'Z';
		small |= *text >= 'a' && *text <= 'z';
	}
	return digit && upper && small;
}

/* Is it a UUID, of whatever version? */
static bool
is_uuid(const uint8_t *text)
{
	int			i;

	for (i = 0; i < 36; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23 ? text[i] != '-' : !byte_is(text[i], B_HEX))
			return false;
	return true;
}

/* End of the token after a prefix, 0 when it is too short or too long. */
static size_t
token_end(Scan *s, size_t from, const TokenPrefix *p)
{
	size_t		end = from;

	/* A stand-in is known by its head: whoever is measured whole is a hit. */
	while (end < s->len && end - from < p->shortest && in_class(s->text[end], p->class))
		end++;
	if (end - from < p->shortest || is_masked(s->text + from, end - from) ||
		((p->class & T_MIXED) && !is_mixed(s->text + from, end - from)) ||
		((p->class & T_CLASS) == T_UUID && !is_uuid(s->text + from)))
		return 0;
	while (end < s->len && in_class(s->text[end], p->class))
	{
		end++;
		tick(s, end);
		if (p->longest && end - from > p->longest)
			return 0;
	}
	/* A full stop or colon after a token closes the sentence. */
	while (end > from && strchr(".:|", s->text[end - 1]) != NULL)
		end--;
	return end;
}

/* header.payload[.signature], the header being JSON in base64url. */
static size_t
jwt_end(Scan *s, size_t at)
{
	size_t		end = token_run_end(s, at);
	size_t		payload = end + 1;
	size_t		i;

	if (end - at < 12 || end - at > 4096 || byte_at(s, end) != '.')
		return 0;
	/* An encrypted one may have no key of its own: header..iv.text.tag */
	if (byte_at(s, payload) == '.')
		payload++;
	for (i = payload; i < payload + 8; i++)
		if (!byte_is(byte_at(s, i), B_TOKEN))
			return 0;
	while (i < s->len && (byte_is(s->text[i], B_TOKEN) || s->text[i] == '.'))
		i++;
	while (s->text[i - 1] == '.')
		i--;
	return i;
}

/* A run of token bytes of a length between two, and the byte behind it. */
static size_t
token_part(const Scan *s, size_t at, size_t shortest, size_t longest)
{
	size_t		end = at;

	while (end - at <= longest && byte_is(byte_at(s, end), B_TOKEN))
		end++;
	return end - at >= shortest && end - at <= longest ? end : 0;
}

/* Discord: the id of a bot in base64, six bytes of time, 27 or more. */
static size_t
discord_end(const Scan *s, size_t at)
{
	size_t		end;

	if (s->text[at] < 'M' || s->text[at] > 'O' ||
		!(byte_at(s, at + 24) == '.' || byte_at(s, at + 25) == '.' || byte_at(s, at + 26) == '.'))
		return 0;
	end = token_part(s, at, 24, 26);
	if (end == 0 || (end = token_part(s, end + 1, 6, 6)) == 0 || byte_at(s, end) != '.')
		return 0;
	return token_part(s, end + 1, 27, 38);
}

/*
 * The secret key that stands right behind the id of a key of AWS, as in what the
 * console gives to download: 40 letters, digits, slashes and plus signs.
 */
static size_t
aws_secret_end(Scan *s, size_t id_end)
{
	size_t		from = id_end;
	size_t		end;

	while (from - id_end < 6 && byte_at(s, from) != '\0' && strchr(" ,;:|\t\r\n\"'", s->text[from]) != NULL)
		from++;
	for (end = from; byte_is(byte_at(s, end), B_ALNUM) || byte_at(s, end) == '/' || byte_at(s, end) == '+'; end++)
		if (end - from > 40)
			break;
	if (from == id_end || end - from != 40 || !is_mixed(s->text + from, 40) || byte_at(s, end) == '=')
		return id_end;
	scan_hit(s, from, end, REDACT_SECRET, "aws", STRENGTH_SHAPE, 85);
	return end;
}

/* A word begins: with a vendor's prefix?  Returns the token's end, or at. */
size_t
detect_token(Scan *s, size_t at)
{
	const uint8_t *text = s->text + at;
	int			i;

	if (!wants(s, REDACT_SECRET))
		return at;
	if (text[0] >= 'M' && text[0] <= 'O')
	{
		size_t		end = discord_end(s, at);

		if (end)
		{
			scan_hit(s, at, end, REDACT_SECRET, "discord", STRENGTH_SHAPE, 85);
			return end;
		}
	}
	for (i = chain_head[text[0]]; i >= 0; i = chain_next[i])
	{
		const TokenPrefix *p = &token_prefixes[i];
		size_t		len;
		size_t		from;
		size_t		end;

		if ((uint8_t) p->prefix[1] != byte_at(s, at + 1))
			continue;
		len = strlen(p->prefix);
		from = at + len;
		if (p->vendor == NULL || s->len - at < len + p->shortest ||
			memcmp(text, p->prefix, len) != 0)
			continue;
		if (strcmp(p->vendor, "jwt") == 0)
			end = jwt_end(s, at);
		else
			end = token_end(s, from, p);
		if (end == 0)
			continue;
		if (p->prefix[len - 1] == ' ')
		{
			size_t		behind = end;

			/* The scheme's name is no secret, prose is none, nor what a tag goes on. */
			while (byte_at(s, behind) == '.' || byte_at(s, behind) == ':' || byte_at(s, behind) == '|')
				behind++;
			if (byte_at(s, behind) == '[' || !secret_value(s->text + from, end - from, NAME_WEAK, true))
				continue;
			scan_hit(s, from, end, REDACT_SECRET, p->vendor, STRENGTH_SHAPE, 80);
			return end;
		}
		scan_hit(s, at, end, REDACT_SECRET, p->vendor, STRENGTH_VALID, 95);
		return strcmp(p->vendor, "aws") == 0 && end - from <= 17 ? aws_secret_end(s, end) : end;
	}
	return at;
}

/*
 * "-----BEGIN ... PRIVATE KEY-----" to the matching END line, or as far as the
 * body goes when the text was cut.
 */
size_t
detect_armour(Scan *s, size_t at)
{
	static const char begin[] = "-----begin ";
	size_t		i = at;
	size_t		line;

	while (i < s->len && s->text[i] == '-')
		i++;
	if (i - at < 5 || s->len - i < 6 || !equal_lower(s->text + i - 5, begin, 11))
		return i;
	at = i - 5;
	for (line = i + 6; line < s->len && line - i < 48 &&
		 (byte_is(s->text[line], B_ALNUM) || s->text[line] == ' '); line++);
	if (line - i < 17 || byte_at(s, line) != '-' ||
		!(equal_lower(s->text + line - 11, "private key", 11) ||
		  (line - i > 23 && equal_lower(s->text + line - 17, "private key block", 17))))
		return i;
	while (byte_at(s, line) == '-')
		line++;
	for (i = line; i < s->len; i++)
	{
		uint8_t		c = s->text[i];

		tick(s, i);
		if (byte_is(c, B_ALNUM | B_SPACE) || (c && strchr("+/=\\:,()._", c) != NULL))
			continue;
		if (c == '-' && byte_at(s, i + 1) != '-')
			continue;
		break;
	}
	if (s->len - i >= 9 && equal_lower(s->text + i, "-----end ", 9))
	{
		for (i += 9; i < s->len && byte_is(s->text[i], B_ALNUM | B_SPACE); i++);
		while (byte_at(s, i) == '-')
			i++;
	}
	else
		while (i > line && byte_is(s->text[i - 1], B_SPACE))
			i--;
	scan_hit(s, at, i, REDACT_SECRET, "private_key", STRENGTH_VALID, 99);
	return i;
}

/* ':' inside a Telegram bot token: eight to ten digits, A and 34 more. */
size_t
detect_bot_token(Scan *s, size_t colon)
{
	size_t		start = colon;
	size_t		end;

	if (byte_at(s, colon + 1) != 'A')
		return colon + 1;
	while (start > 0 && colon - start < 12 && byte_is(s->text[start - 1], B_DIGIT))
		start--;
	for (end = colon + 1; end < s->len && end - colon < 38 && byte_is(s->text[end], B_TOKEN); end++);
	if (colon - start < 8 || colon - start > 10 || end - colon < 35 || end - colon > 37)
		return colon + 1;
	scan_hit(s, start, end, REDACT_SECRET, "telegram", STRENGTH_VALID, 90);
	return end;
}

/* '~' inside an Azure client secret: three bytes, a digit, Q~ and 31 more. */
size_t
detect_azure_secret(Scan *s, size_t tilde)
{
	size_t		start;
	size_t		end = tilde + 1;

	if (!wants(s, REDACT_SECRET) || tilde < 5 || s->text[tilde - 1] != 'Q')
		return tilde + 1;
	for (start = tilde; start > tilde - 5; start--)
		if (!byte_is(s->text[start - 1], B_TOKEN) && s->text[start - 1] != '.' && s->text[start - 1] != '~')
			return tilde + 1;
	while (end < s->len && end - tilde <= 35 &&
		   (byte_is(s->text[end], B_TOKEN) || s->text[end] == '.' || s->text[end] == '~'))
		end++;
	if (end - tilde < 32 || end - tilde > 35 || byte_is(byte_before(s, start, 1), B_TOKEN))
		return tilde + 1;
	scan_hit(s, start, end, REDACT_SECRET, "azure", STRENGTH_VALID, 90);
	return end;
}

/* '-' inside a Mailchimp key: 32 hexadecimal digits before, us and a number behind. */
size_t
detect_mailchimp_key(Scan *s, size_t dash)
{
	size_t		start = dash;
	size_t		end = dash + 3;

	if (!wants(s, REDACT_SECRET) || byte_at(s, dash + 1) != 'u' || byte_at(s, dash + 2) != 's')
		return dash + 1;
	while (start > 0 && dash - start < 33 && byte_is(s->text[start - 1], B_HEX))
		start--;
	while (end < dash + 6 && byte_is(byte_at(s, end), B_DIGIT))
		end++;
	if (dash - start != 32 || end == dash + 3 || end > dash + 5 || byte_is(byte_at(s, end), B_ALNUM) ||
		byte_is(byte_before(s, start, 1), B_TOKEN))
		return dash + 1;
	scan_hit(s, start, end, REDACT_SECRET, "mailchimp", STRENGTH_VALID, 90);
	return end;
}
