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
	{"telefono", CONTEXT_PHONE}, {"telefone", CONTEXT_PHONE}, {"telefoon", CONTEXT_PHONE},
	{"telefonnummer", CONTEXT_PHONE}, {"mobil", CONTEXT_PHONE}, {"mobiel", CONTEXT_PHONE},
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

#define COUNT(a) ((int) (sizeof(a) / sizeof((a)[0])))
#define CONTEXT_WORDS	COUNT(context_words)

/* Chains of the words that share a first letter; -1 ends. */
static int8_t context_head[32];
static int8_t context_next[CONTEXT_WORDS];

/* The contexts of one word. */
static unsigned
word_context(const uint8_t *word, size_t len)
{
	int			i;

	if (len < 2 || len > 13)
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
	unsigned	context = s->key_context | foreign_context(s, start);
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

/* One bit for every three letters that a piece or a context word has in a row. */
static uint8_t root_bits[32 * 32 * 32 / 8];

void
add_root(const char *letters)
{
	unsigned	three = (letters[0] & 31u) << 10 | (letters[1] & 31u) << 5 | (letters[2] & 31u);

	root_bits[three >> 3] |= (uint8_t) (1 << (three & 7));
}

static void
add_roots(void)
{
	size_t		i;
	char		first;

	for (i = 0; secret_roots[i]; i += 4)
		add_root(secret_roots + i);
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
	add_roots();
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
	"passwd", "pass", "value", "key", "bearer", "basic", "unset", "missing", "invalid", "dummy",
	"chauthtok"				/* what PAM calls a change of passwords */
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
