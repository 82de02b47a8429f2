/*
 * context.c
 *		Words that say what a value is: beside it, or the name it stands under.
 */
#include <string.h>

#include "redact/anchors.h"
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

#define CONTEXT_WORDS	((int) (sizeof(context_words) / sizeof(context_words[0])))

/* Chains of the words that share a first letter; -1 ends. */
static int8_t context_head[32];
static int8_t context_next[CONTEXT_WORDS];

/* The contexts of one word. */
static unsigned
word_context(const uint8_t *word, size_t len)
{
	int			i;

	if (len < 2 || len > 11)
		return 0;
	for (i = context_head[word[0] & 31]; i >= 0; i = context_next[i])
		if (equal_lower(word, context_words[i].word, len) && context_words[i].word[len] == '\0')
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

/* Does a word begin at a position, after a space or as a part of cardNumber? */
static bool
word_begins(const uint8_t *text, size_t at)
{
	return byte_is(text[at], B_ALPHA) &&
		(at == 0 || !byte_is(text[at - 1], B_ALPHA) ||
		 (text[at] >= 'A' && text[at] <= 'Z' && text[at - 1] >= 'a'));
}

/*
 * The contexts of the word that begins at a position, and where it ends.  In
 * the name of a column or key every part counts; in a text cardNumber does and
 * PhoneStatusBar does not.
 */
static unsigned
context_at(const uint8_t *text, size_t len, size_t *at, bool is_name)
{
	size_t		from = *at;

	while (*at < len && byte_is(text[*at], B_ALPHA) && !(*at > from && word_begins(text, *at)))
		(*at)++;
	if (is_name || word_ends(text, *at, len) ||
		(len - *at >= 6 && equal_lower(text + *at, "number", 6)))
		return word_context(text + from, *at - from);
	return 0;
}

/* The contexts of all words of a text. */
unsigned
context_of(const uint8_t *text, size_t len, bool is_name)
{
	unsigned	context = 0;
	size_t		at = 0;

	while (at < len)
		if (byte_is(text[at], B_ALPHA))
			context |= context_at(text, len, &at, is_name);
		else
			at++;
	return context;
}

/*
 * The contexts of the words between two positions of this batch of windows,
 * where a bit shows which can be any; but none that one of our tags, or to the
 * right the end of a line, parts from the number.
 */
static unsigned
context_between(const Scan *s, size_t from, size_t to, bool before)
{
	unsigned	context = 0;
	size_t		i;

	for (i = (from - s->batch) / WINDOW; i * WINDOW < to - s->batch; i++)
	{
		uint64_t	bits = s->anchors[i].context;
		size_t		base = s->batch + i * WINDOW;

		for (; bits; bits &= bits - 1)
		{
			size_t		begin = base + (size_t) __builtin_ctzll(bits);
			size_t		end = begin;
			unsigned	found;

			if (begin < from || begin >= to || !word_begins(s->text, begin))
				continue;
			found = context_at(s->text, to, &end, false);
			if (found == 0 || (!before && end == to && byte_is(byte_at(s, end), B_ALPHA)))
				continue;
			if (before ? memchr(s->text + end, ']', to - end) == NULL :
				memchr(s->text + from, '[', begin - from) == NULL &&
				memchr(s->text + from, '\n', begin - from) == NULL)
				context |= found;
		}
	}
	return context;
}

/* The same where the words of the bytes before this batch count. */
static unsigned
context_before(const Scan *s, size_t start)
{
	size_t		from = start;

	while (from > 0 && start - from < CONTEXT_BEFORE && s->text[from - 1] != ']')
		from--;
	/* A word cut by the window is no word. */
	while (from > 0 && from < start && byte_is(s->text[from - 1], B_ALPHA) &&
		   byte_is(s->text[from], B_ALPHA))
		from++;
	return context_of(s->text + from, start - from, false);
}

/* The same where they reach behind it. */
static unsigned
context_behind(const Scan *s, size_t end)
{
	size_t		to = end;

	while (to < s->len && to - end < CONTEXT_AFTER && s->text[to] != '[' && s->text[to] != '\n')
		to++;
	while (to > end && to < s->len && byte_is(s->text[to], B_ALPHA) &&
		   byte_is(s->text[to - 1], B_ALPHA))
		to--;
	return context_of(s->text + end, to - end, false);
}

/*
 * The contexts of the words close to a span, and of the key.  The look to the
 * left ends at one of our tags, so that redacting what stands between a word
 * and a number never brings the word within reach; to the right, likewise.
 */
unsigned
context_around(const Scan *s, size_t start, size_t end)
{
	unsigned	context = s->key_context;
	size_t		from = start > CONTEXT_BEFORE ? start - CONTEXT_BEFORE : 0;
	size_t		to = s->len - end > CONTEXT_AFTER ? end + CONTEXT_AFTER : s->len;

	if (from >= s->batch)
		context |= context_between(s, from, start, true);
	else if (s->last_context > from || s->batch < start)
		context |= context_before(s, start);
	if (to <= s->batch_end)
		context |= context_between(s, end, to, false);
	else
		context |= context_behind(s, end);
	return context;
}

/* What a piece of a name says about the value under it. */
#define PIECE_STRONG	0x01	/* a secret, whatever it looks like */
#define PIECE_WEAK		0x02	/* a secret if it looks random */
#define PIECE_HARMLESS	0x04	/* none */

typedef struct NamePiece
{
	const char *text;
	uint8_t		says;
} NamePiece;

/* Parts of names, with nothing but letters and digits, wherever they stand. */
static const NamePiece name_parts[] = {
	{"password", PIECE_STRONG}, {"passwd", PIECE_STRONG}, {"passphrase", PIECE_STRONG},
	{"passwort", PIECE_STRONG}, {"passcode", PIECE_STRONG}, {"pwd", PIECE_STRONG},
	{"secret", PIECE_STRONG}, {"apikey", PIECE_STRONG}, {"privatekey", PIECE_STRONG},
	{"accesskey", PIECE_STRONG}, {"accountkey", PIECE_STRONG}, {"authkey", PIECE_STRONG},
	{"masterkey", PIECE_STRONG}, {"encryptionkey", PIECE_STRONG}, {"signingkey", PIECE_STRONG},
	{"authtoken", PIECE_STRONG}, {"accesstoken", PIECE_STRONG}, {"refreshtoken", PIECE_STRONG},
	{"bearertoken", PIECE_STRONG}, {"contribsys", PIECE_STRONG}, {"apitoken", PIECE_STRONG},
	{"sessiontoken", PIECE_STRONG}, {"idtoken", PIECE_STRONG}, {"credential", PIECE_STRONG},
	{"authorization", PIECE_STRONG},
	{"token", PIECE_WEAK}, {"auth", PIECE_WEAK}, {"bearer", PIECE_WEAK}, {"cookie", PIECE_WEAK},
	{"apisecret", PIECE_WEAK}, {"oauth", PIECE_WEAK}, {"webhook", PIECE_WEAK},
	{"secretsmanager", PIECE_HARMLESS}, {"secretmanager", PIECE_HARMLESS},
	{"publickey", PIECE_HARMLESS}, {"keyboard", PIECE_HARMLESS}, {"keyword", PIECE_HARMLESS},
	{"monkey", PIECE_HARMLESS}, {"tokens", PIECE_HARMLESS}, {"tokeniz", PIECE_HARMLESS},
	{"tokencount", PIECE_HARMLESS}, {"tokentype", PIECE_HARMLESS}, {"tokenusage", PIECE_HARMLESS},
	{"primarykey", PIECE_HARMLESS}, {"foreignkey", PIECE_HARMLESS}, {"cachekey", PIECE_HARMLESS},
	{"partitionkey", PIECE_HARMLESS}, {"sortkey", PIECE_HARMLESS},
	{"idempotencykey", PIECE_HARMLESS}, {"secretary", PIECE_HARMLESS},
	{"passwordless", PIECE_HARMLESS}, {"keyspace", PIECE_HARMLESS}, {"compass", PIECE_HARMLESS},
	{"bypass", PIECE_HARMLESS}, {"passenger", PIECE_HARMLESS}, {"authors", PIECE_HARMLESS},
	{"authored", PIECE_HARMLESS}, {"keystroke", PIECE_HARMLESS}, {"hotkey", PIECE_HARMLESS},
	{"turkey", PIECE_HARMLESS}, {"donkey", PIECE_HARMLESS}, {"jockey", PIECE_HARMLESS},
	{"whiskey", PIECE_HARMLESS}, {"hockey", PIECE_HARMLESS}, {"keynote", PIECE_HARMLESS},
	{"keyframe", PIECE_HARMLESS}, {"objectkey", PIECE_HARMLESS}, {"apiversion", PIECE_HARMLESS},
	{"pubkey", PIECE_HARMLESS}, {"lastlogin", PIECE_HARMLESS}
};

/* Words of a name: strong and harmless ones where they are the last. */
static const NamePiece name_words[] = {
	{"pass", PIECE_STRONG}, {"pw", PIECE_STRONG}, {"pin", PIECE_STRONG}, {"otp", PIECE_STRONG},
	{"cvv", PIECE_STRONG}, {"cvc", PIECE_STRONG},
	{"key", PIECE_WEAK}, {"keys", PIECE_WEAK}, {"api", PIECE_WEAK}, {"access", PIECE_WEAK},
	{"client", PIECE_WEAK}, {"pass", PIECE_WEAK}, {"pw", PIECE_WEAK}, {"login", PIECE_WEAK},
	{"sig", PIECE_WEAK}, {"signature", PIECE_WEAK}, {"creds", PIECE_WEAK}, {"sas", PIECE_WEAK},
	{"session", PIECE_WEAK}, {"jwt", PIECE_WEAK}, {"pat", PIECE_WEAK},
	{"id", PIECE_HARMLESS}, {"ids", PIECE_HARMLESS}, {"name", PIECE_HARMLESS},
	{"names", PIECE_HARMLESS}, {"type", PIECE_HARMLESS}, {"count", PIECE_HARMLESS},
	{"url", PIECE_HARMLESS}, {"uri", PIECE_HARMLESS}, {"path", PIECE_HARMLESS},
	{"file", PIECE_HARMLESS}, {"filename", PIECE_HARMLESS}, {"length", PIECE_HARMLESS},
	{"len", PIECE_HARMLESS}, {"size", PIECE_HARMLESS}, {"limit", PIECE_HARMLESS},
	{"ttl", PIECE_HARMLESS}, {"expiry", PIECE_HARMLESS}, {"expires", PIECE_HARMLESS},
	{"expiration", PIECE_HARMLESS}, {"at", PIECE_HARMLESS}, {"in", PIECE_HARMLESS},
	{"policy", PIECE_HARMLESS}, {"hint", PIECE_HARMLESS}, {"usage", PIECE_HARMLESS},
	{"budget", PIECE_HARMLESS}, {"required", PIECE_HARMLESS}, {"enabled", PIECE_HARMLESS},
	{"field", PIECE_HARMLESS}, {"version", PIECE_HARMLESS}, {"algorithm", PIECE_HARMLESS},
	{"alg", PIECE_HARMLESS}, {"format", PIECE_HARMLESS}, {"index", PIECE_HARMLESS},
	{"arn", PIECE_HARMLESS}, {"endpoint", PIECE_HARMLESS}, {"error", PIECE_HARMLESS},
	{"age", PIECE_HARMLESS}, {"reset", PIECE_HARMLESS}, {"changed", PIECE_HARMLESS},
	{"updated", PIECE_HARMLESS}, {"status", PIECE_HARMLESS}, {"valid", PIECE_HARMLESS},
	{"max", PIECE_HARMLESS}, {"min", PIECE_HARMLESS}, {"total", PIECE_HARMLESS},
	{"used", PIECE_HARMLESS}, {"method", PIECE_HARMLESS}, {"author", PIECE_HARMLESS},
	{"region", PIECE_HARMLESS}, {"host", PIECE_HARMLESS}, {"port", PIECE_HARMLESS},
	{"provider", PIECE_HARMLESS}, {"rotation", PIECE_HARMLESS}, {"cost", PIECE_HARMLESS},
	{"price", PIECE_HARMLESS}, {"level", PIECE_HARMLESS}, {"scope", PIECE_HARMLESS},
	{"scopes", PIECE_HARMLESS}, {"class", PIECE_HARMLESS}
};

#define COUNT(a) ((int) (sizeof(a) / sizeof((a)[0])))

/* Chains of the pieces that share their first two letters. */
static int16_t part_head[32 * 32];
static int16_t part_next[COUNT(name_parts)];
static int16_t word_head[32 * 32];
static int16_t word_next[COUNT(name_words)];

/* The chain of two letters: every piece has so many. */
static inline int
letters_chain(const char *letters)
{
	return (letters[0] & 31) << 5 | (letters[1] & 31);
}

static void
add_to_chain(int16_t *head, int16_t *next, int i)
{
	next[i] = *head;
	*head = (int16_t) i;
}

static void add_roots(void);

/* Builds the chains. */
void
context_init(void)
{
	int			i;

	for (i = 0; i < 32; i++)
		context_head[i] = -1;
	for (i = CONTEXT_WORDS - 1; i >= 0; i--)
	{
		int			letter = context_words[i].word[0] & 31;

		context_next[i] = context_head[letter];
		context_head[letter] = (int8_t) i;
	}
	memset(part_head, -1, sizeof(part_head));
	memset(word_head, -1, sizeof(word_head));
	for (i = COUNT(name_parts) - 1; i >= 0; i--)
		add_to_chain(&part_head[letters_chain(name_parts[i].text)], part_next, i);
	for (i = COUNT(name_words) - 1; i >= 0; i--)
		add_to_chain(&word_head[letters_chain(name_words[i].text)], word_next, i);
	add_roots();
}

/* What the parts of a name say together. */
static unsigned
parts_say(const char *name)
{
	unsigned	says = 0;
	int			i;

	for (; *name; name++)
		for (i = part_head[letters_chain(name)]; i >= 0; i = part_next[i])
		{
			const char *p = name_parts[i].text;
			const char *q = name;

			while (*p && *p == *q)
				p++, q++;
			if (*p == '\0')
				says |= name_parts[i].says;
		}
	return says;
}

/* What one word says; a word can be both strong and weak. */
static unsigned
word_says(const char *word, int len)
{
	unsigned	says = 0;
	int			i;

	for (i = word_head[letters_chain(word)]; i >= 0; i = word_next[i])
	{
		const char *p = name_words[i].text;
		int			k;

		for (k = 0; k < len && p[k] == word[k]; k++);
		if (k == len && p[k] == '\0')
			says |= name_words[i].says;
	}
	return says;
}

#define NAME_WORDS	8

/*
 * Lower case, words apart: "aws_secretKey" becomes awssecretkey with words that
 * begin at 0, 3 and 9.  Words beyond the last that fits are one with it.
 */
static int
split_name(const uint8_t *name, size_t len, char *joined, int *begin)
{
	int			nwords = 0;
	int			used = 0;
	bool		apart = true;
	size_t		i;

	for (i = 0; i < len; i++)
	{
		uint8_t		c = name[i];

		if (!byte_is(c, B_ALNUM))
		{
			apart = true;
			continue;
		}
		if (apart || (c >= 'A' && c <= 'Z' && name[i - 1] >= 'a' && name[i - 1] <= 'z'))
		{
			if (nwords == NAME_WORDS)
				nwords--;
			begin[nwords++] = used;
		}
		apart = false;
		joined[used++] = (char) lower(c);
	}
	joined[used] = '\0';
	begin[nwords] = used;
	return nwords;
}

/* One bit for every three letters that a piece or a context word has in a row. */
static uint8_t root_bits[32 * 32 * 32 / 8];

static void
add_root(const char *letters)
{
	unsigned	three = (letters[0] & 31u) << 10 | (letters[1] & 31u) << 5 | (letters[2] & 31u);

	root_bits[three >> 3] |= (uint8_t) (1 << (three & 7));
}

/* Three letters of every piece of the names of secrets that is not "pw". */
static const char roots[] =
	"uth cvv pas sas pat rer pin otp ass api key ken bsy acc cre sig cvc coo hoo lie ogi sio pwd jwt";

static void
add_roots(void)
{
	size_t		i;
	char		first;

	for (i = 0; i < sizeof(roots); i += 4)
		add_root(roots + i);
	/* Two letters are enough of these, whatever is before them. */
	for (first = 0; first < 32; first++)
	{
		add_root((char[]) {first, 'p', 'w'});
		add_root((char[]) {first, 'c', 'c'});
	}
	for (i = 0; i < CONTEXT_WORDS; i++)
		if (context_words[i].word[2] != '\0')
			add_root(context_words[i].word);
}

/*
 * Can a name hold any of the pieces or context words above?  They all have
 * three such letters in a row, or are "pw" and "cc".
 */
bool
name_has_root(const uint8_t *name, size_t len)
{
	unsigned	three = 0;
	size_t		i;

	for (i = 0; i < len; i++)
	{
		three = (three << 5 | (name[i] & 31u)) & 0x7FFF;
		if (root_bits[three >> 3] >> (three & 7) & 1)
			return true;
	}
	return false;
}

/*
 * Is one of the roots of secrets in the name, letter by letter?  The masks that
 * lead here are filters, each with other chance hits ("toke..n"); none of those
 * may decide.
 */
static bool
has_secret_root(const uint8_t *name, size_t len)
{
	size_t		i;
	size_t		k;

	for (i = 0; i + 1 < len; i++)
	{
		if (equal_lower(name + i, "pw", 2))
			return true;
		for (k = 0; i + 2 < len && k < sizeof(roots); k += 4)
			if (lower(name[i]) == (uint8_t) roots[k] && equal_lower(name + i, roots + k, 3))
				return true;
	}
	return false;
}

/* Is this the name of a secret?  NAME_NONE, NAME_WEAK or NAME_STRONG. */
int
secret_name(const uint8_t *name, size_t len)
{
	char		joined[64];
	int			begin[NAME_WORDS + 1];
	int			nwords;
	int			i;
	unsigned	says;
	unsigned	last;

	if (len < 2 || !name_has_root(name, len) || !has_secret_root(name, len))
		return NAME_NONE;
	if (len > 63)
	{
		name += len - 63;
		len = 63;
	}
	nwords = split_name(name, len, joined, begin);
	if (nwords == 0)
		return NAME_NONE;
	last = word_says(joined + begin[nwords - 1], begin[nwords] - begin[nwords - 1]);
	says = parts_say(joined);
	if ((last | says) & PIECE_HARMLESS)
		return NAME_NONE;
	if ((last | says) & PIECE_STRONG)
		return NAME_STRONG;
	/* Of words before the last only "key" and "api" count: not SessionTracker. */
	for (i = 0; i < nwords - 1; i++)
	{
		const char *word = joined + begin[i];

		if (begin[i + 1] - begin[i] == 3 && (memcmp(word, "key", 3) == 0 || memcmp(word, "api", 3) == 0))
			says |= PIECE_WEAK;
	}
	if ((last | says) & PIECE_WEAK)
		return NAME_WEAK;
	i = begin[nwords];
	if (i > 4 && (memcmp(joined + i - 3, "key", 3) == 0 || memcmp(joined + i - 3, "api", 3) == 0))
		return NAME_WEAK;
	return NAME_NONE;
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
	for (i = 0; i < COUNT(empty_words); i++)
		if (word[0] == empty_words[i][0] && strcmp(word, empty_words[i]) == 0)
			return true;
	return false;
}
