/*
 * context.c
 *		Words that say what a value is: beside it, or the name it stands under.
 */
#include <string.h>

#include "redact/scan_internal.h"

static const struct
{
	const char *word;
	unsigned	context;
}			context_words[] = {
	{"phone", CONTEXT_PHONE}, {"phones", CONTEXT_PHONE}, {"telephone", CONTEXT_PHONE},
	{"tel", CONTEXT_PHONE}, {"telefon", CONTEXT_PHONE}, {"mobile", CONTEXT_PHONE},
	{"cell", CONTEXT_PHONE}, {"cellphone", CONTEXT_PHONE}, {"fax", CONTEXT_PHONE},
	{"call", CONTEXT_CALL}, {"whatsapp", CONTEXT_PHONE}, {"sms", CONTEXT_CALL},
	{"dial", CONTEXT_CALL}, {"answering", CONTEXT_CALL},
	{"messages", CONTEXT_CALL}, {"reach", CONTEXT_CALL}, {"registered", CONTEXT_CALL}, {"hotline", CONTEXT_PHONE}, {"office", CONTEXT_CALL},
	{"desk", CONTEXT_CALL}, {"handy", CONTEXT_PHONE}, {"msisdn", CONTEXT_PHONE},
	{"card", CONTEXT_CARD}, {"cards", CONTEXT_CARD}, {"credit", CONTEXT_CARD},
	{"creditcard", CONTEXT_CARD}, {"cc", CONTEXT_CARD}, {"debit", CONTEXT_CARD},
	{"visa", CONTEXT_CARD}, {"mastercard", CONTEXT_CARD}, {"amex", CONTEXT_CARD},
	{"maestro", CONTEXT_CARD}, {"cardnumber", CONTEXT_CARD}, {"kreditkarte", CONTEXT_CARD},
	{"pan", CONTEXT_CARD},
	{"ssn", CONTEXT_SSN}, {"ssns", CONTEXT_SSN}, {"social", CONTEXT_SSN}
};

/* The contexts of one word. */
static unsigned
word_context(const uint8_t *word, size_t len)
{
	size_t		i;

	if (len < 2 || len > 11)
		return 0;
	for (i = 0; i < sizeof(context_words) / sizeof(context_words[0]); i++)
		if (lower(word[0]) == (uint8_t) context_words[i].word[0] &&
			strlen(context_words[i].word) == len &&
			equal_lower(word, context_words[i].word, len))
			return context_words[i].context;
	return 0;
}

/* Does a word of prose end here, or only a part of a name such as PhoneBar? */
static bool
word_ends(const uint8_t *text, size_t at, size_t len)
{
	if (at == len || !byte_is(text[at], B_ALPHA))
		return true;
	return len - at >= 2 && equal_lower(text + at, "no", 2) &&
		(len - at == 2 || !byte_is(text[at + 2], B_ALPHA));
}

/*
 * The contexts of all words of a text.  In the name of a column or key every
 * part counts; in a text cardNumber does and PhoneStatusBar does not.
 */
unsigned
context_of(const uint8_t *text, size_t len, bool is_name)
{
	unsigned	context = 0;
	size_t		at = 0;

	while (at < len)
	{
		size_t		from = at;

		if (!byte_is(text[at], B_ALPHA))
		{
			at++;
			continue;
		}
		while (at < len && byte_is(text[at], B_ALPHA) &&
			   !(at > from && text[at] >= 'A' && text[at] <= 'Z' &&
				 text[at - 1] >= 'a' && text[at - 1] <= 'z'))
			at++;
		if (is_name || word_ends(text, at, len) ||
			(len - at >= 6 && equal_lower(text + at, "number", 6)))
			context |= word_context(text + from, at - from);
	}
	return context;
}

/*
 * The contexts of the words close to a span, and of the key.  The look to the
 * left ends at one of our tags, so that redacting what stands between a word
 * and a number never brings the word within reach; to the right, likewise.
 */
unsigned
context_around(const Scan *s, size_t start, size_t end)
{
	size_t		from = start;
	size_t		to = end;

	while (from > 0 && start - from < CONTEXT_BEFORE && s->text[from - 1] != ']')
		from--;
	/* A word cut by the window is no word. */
	while (from > 0 && from < start && byte_is(s->text[from - 1], B_ALPHA) &&
		   byte_is(s->text[from], B_ALPHA))
		from++;
	while (to < s->len && to - end < CONTEXT_AFTER && s->text[to] != '[' && s->text[to] != '\n')
		to++;
	while (to > end && to < s->len && byte_is(s->text[to], B_ALPHA) &&
		   byte_is(s->text[to - 1], B_ALPHA))
		to--;
	return s->key_context | context_of(s->text + from, start - from, false) |
		context_of(s->text + end, to - end, false);
}

/* Parts of names, with nothing but letters and digits, that name secrets. */
static const char *const strong_parts[] = {
	"password", "passwd", "passphrase", "passwort", "passcode", "pwd", "secret",
	"apikey", "privatekey", "accesskey", "accountkey", "authkey", "masterkey",
	"encryptionkey", "signingkey", "authtoken", "accesstoken", "refreshtoken",
	"bearertoken", "contribsys", "apitoken", "sessiontoken", "idtoken", "credential", "authorization"
};

static const char *const weak_parts[] = {
	"token", "auth", "bearer", "cookie", "apisecret", "oauth", "webhook"
};

/* Whole words of a name. */
static const char *const weak_words[] = {
	"key", "keys", "api", "access", "client", "pass", "pw", "login", "sig", "signature",
	"creds", "sas", "session", "jwt", "pat"
};

static const char *const strong_words[] = {"pass", "pw", "pin", "otp", "cvv", "cvc"};

/* Names that contain such a part and are harmless. */
static const char *const harmless_parts[] = {
	"publickey", "keyboard", "keyword", "monkey", "tokens", "tokeniz", "tokencount",
	"tokentype", "tokenusage", "primarykey", "foreignkey", "cachekey", "partitionkey",
	"sortkey", "idempotencykey", "secretary", "passwordless", "keyspace", "compass",
	"bypass", "passenger", "author ", "authors", "authored", "keystroke", "hotkey",
	"turkey", "donkey", "jockey", "whiskey", "hockey", "keynote", "keyframe",
	"objectkey", "apiversion", "pubkey", "lastlogin"
};

/* Last words that make a name a description of a secret. */
static const char *const harmless_ends[] = {
	"id", "ids", "name", "names", "type", "count", "url", "uri", "path", "file",
	"filename", "length", "len", "size", "limit", "ttl", "expiry", "expires",
	"expiration", "at", "in", "policy", "hint", "usage", "budget", "required",
	"enabled", "field", "version", "algorithm", "alg", "format", "index", "arn",
	"endpoint", "error", "age", "reset", "changed", "updated", "status", "valid",
	"max", "min", "total", "used", "method", "author", "region", "host", "port",
	"provider", "rotation", "cost", "price", "level", "scope", "scopes", "class"
};

/* Is a word among the words? */
static bool
among(const char *word, const char *const *words, size_t n)
{
	size_t		i;

	for (i = 0; i < n; i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return false;
}

/* Does a name contain one of the parts? */
static bool
contains(const char *name, const char *const *parts, size_t n)
{
	size_t		i;

	for (i = 0; i < n; i++)
		if (strstr(name, parts[i]) != NULL)
			return true;
	return false;
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Lower case, words apart: "aws_secretKey" becomes aws, secret, key. */
static int
split_name(const uint8_t *name, size_t len, char *joined, char words[8][24])
{
	int			nwords = 0;
	size_t		used = 0;
	size_t		i;
	size_t		fill = 0;

	for (i = 0; i < len && used < 63; i++)
	{
		bool		letter = byte_is(name[i], B_ALNUM);
		bool		hump = letter && i > 0 && name[i] >= 'A' && name[i] <= 'Z' &&
			name[i - 1] >= 'a' && name[i - 1] <= 'z';

		if ((!letter || hump) && fill > 0)
		{
			words[nwords][fill] = '\0';
			nwords += nwords < 7;
			fill = 0;
		}
		if (!letter)
			continue;
		joined[used++] = lower(name[i]);
		if (fill < 23)
			words[nwords][fill++] = lower(name[i]);
	}
	joined[used] = '\0';
	words[nwords][fill] = '\0';
	return nwords + (fill > 0);
}

/*
 * Can the name hold any of the parts above?  They all begin with one of these
 * letters, and nearly no other name has them in a row.
 */
static bool
has_root(const uint8_t *name, size_t len)
{
	static const char roots[] =
		"pas pwd sec api pri acc aut mas enc sig ref bea ses idt cre tok coo oau web key cli log"
		" sas jwt pat pin otp cvv cvc con ";
	static uint8_t root_bits[32 * 32 * 32 / 8];
	static bool ready = false;
	unsigned	three = 0;
	size_t		i;

	if (!ready)
	{
		for (i = 0; i + 3 < sizeof(roots); i += 4)
		{
			three = (roots[i] & 31u) << 10 | (roots[i + 1] & 31u) << 5 | (roots[i + 2] & 31u);
			root_bits[three >> 3] |= (uint8_t) (1 << (three & 7));
		}
		ready = true;
	}
	for (three = 0, i = 0; i < len; i++)
	{
		three = (three << 5 | (name[i] & 31u)) & 0x7FFF;
		if ((root_bits[three >> 3] & (1 << (three & 7))) ||
			(three & 0x3FF) == (('p' & 31u) << 5 | ('w' & 31u)))
			return true;
	}
	return false;
}

/* Is this the name of a secret?  NAME_NONE, NAME_WEAK or NAME_STRONG. */
int
secret_name(const uint8_t *name, size_t len)
{
	char		joined[64];
	char		words[8][24];
	int			nwords;
	int			i;
	int			result = NAME_NONE;

	if (len < 2 || !has_root(name, len))
		return NAME_NONE;
	if (len > 63)
	{
		name += len - 63;
		len = 63;
	}
	nwords = split_name(name, len, joined, words);
	if (nwords == 0 || among(words[nwords - 1], harmless_ends, COUNT(harmless_ends)) ||
		contains(joined, harmless_parts, COUNT(harmless_parts)))
		return NAME_NONE;
	if (contains(joined, strong_parts, COUNT(strong_parts)) ||
		among(words[nwords - 1], strong_words, COUNT(strong_words)))
		return NAME_STRONG;
	if (contains(joined, weak_parts, COUNT(weak_parts)))
		result = NAME_WEAK;
	for (i = 0; i < nwords && result == NAME_NONE; i++)
		if (among(words[i], weak_words, COUNT(weak_words)))
			result = NAME_WEAK;
	i = (int) strlen(joined);
	if (result == NAME_NONE && i > 4 &&
		(strcmp(joined + i - 3, "key") == 0 || strcmp(joined + i - 3, "api") == 0))
		result = NAME_WEAK;
	return result;
}

/* Has the value the shape of one of our pseudonyms? */
static bool
is_pseudonym(const uint8_t *v, size_t len)
{
	size_t		i;

	if (len < 28 || len > 43 || v[len - 27] != '_')
		return false;
	for (i = 0; i < len - 27; i++)
		if (v[i] < 'a' || v[i] > 'z')
			return false;
	for (i = len - 26; i < len; i++)
		if (!((v[i] >= 'a' && v[i] <= 'z') || (v[i] >= '2' && v[i] <= '7')))
			return false;
	return true;
}

static const char *const empty_words[] = {
	"null", "none", "nil", "true", "false", "undefined", "string", "str", "text",
	"required", "optional", "empty", "varchar", "redacted", "hidden", "masked",
	"removed", "todo", "tbd", "yes", "no", "bool", "boolean", "int", "bytes", "char",
	"password", "secret", "token", "your", "example", "placeholder", "changeit",
	"passwd", "pass", "value", "key", "bearer", "basic", "unset", "missing", "invalid", "dummy"
};

/* Is the value already redacted, masked or a variable to be filled in? */
bool
is_masked(const uint8_t *v, size_t len)
{
	size_t		i;

	if (len == 0 || is_pseudonym(v, len))
		return true;
	for (i = 0; i < len && (v[i] == '*' || v[i] == '.'); i++);
	if (i == len)
		return true;
	for (i = 0; i < len; i++)
		if (v[i] == '[')
		{
			size_t		j = i + 1;

			while (j < len && ((v[j] >= 'A' && v[j] <= 'Z') || v[j] == '_' || byte_is(v[j], B_DIGIT)))
				j++;
			if (j > i + 1 && (j == len || v[j] == ']'))
				return true;	/* holds a tag */
		}
	if ((v[0] == '$' && (len == 1 || v[1] == '{' || v[1] == '(' || byte_is(v[1], B_ALPHA))) ||
		(v[0] == '<' && v[len - 1] == '>') ||
		(v[0] == '{' && len > 1 && v[1] == '{') || (v[0] == '%' && v[len - 1] == '%') ||
		(v[0] == '#' && len > 1 && v[1] == '{'))
		return true;
	for (i = 0; i + 3 < len; i++)
		if (lower(v[i]) == 'x' && len <= 64 && equal_lower(v + i, "xxxx", 4))
			return true;
	for (i = 0; i < len && v[i] == '*'; i++);
	return i >= 3;				/* a masked value with some of it left */
}

/* Does the value only hold the place of a secret? */
bool
is_placeholder(const uint8_t *v, size_t len)
{
	char		word[16];
	bool		score = false;
	size_t		i;

	if (is_masked(v, len))
		return true;
	for (i = 1; i < len && lower(v[i]) == lower(v[0]); i++);
	if (i == len)
		return true;			/* xxxx, ----, 0000 */
	for (i = 0; i < len && ((v[i] >= 'A' && v[i] <= 'Z') || v[i] == '_'); i++)
		score |= v[i] == '_';
	if (i == len && score)
		return true;			/* ACCESS_TOKEN */
	if (len > 5 && (equal_lower(v, "your", 4) || equal_lower(v, "insert", 6) ||
					equal_lower(v, "<your", 5)))
		return true;
	if (len >= sizeof(word))
		return false;
	for (i = 0; i < len; i++)
		word[i] = lower(v[i]);
	word[len] = '\0';
	return among(word, empty_words, COUNT(empty_words));
}
