/*
 * detect_name.c
 *		Is it the name of a secret?  From its parts and its words, in English
 *		and as far as they are written in ASCII in other languages.
 */
#include <string.h>

#include "redact/scan_internal.h"

/* What a piece of a name says about the value under it. */
#define PIECE_STRONG	0x01	/* a secret, whatever it looks like */
#define PIECE_WEAK		0x02	/* a secret if it looks random */
#define PIECE_HARMLESS	0x04	/* none */
#define PIECE_PASS		0x08	/* weak, whatever the name's last word: lets in by itself */

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
	{"contrasen", PIECE_STRONG}, {"motdepasse", PIECE_STRONG}, {"kennwort", PIECE_STRONG},
	{"wachtwoord", PIECE_STRONG}, {"adgangskode", PIECE_STRONG},
	{"passord", PIECE_STRONG},
	{"phpsessid", PIECE_PASS}, {"jsessionid", PIECE_PASS}, {"aspsessionid", PIECE_PASS},
	{"aspnetsessionid", PIECE_PASS}, {"accessid", PIECE_PASS},
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
	{"storepass", PIECE_STRONG}, {"keypass", PIECE_STRONG},
	{"cvv", PIECE_STRONG}, {"cvc", PIECE_STRONG}, {"senha", PIECE_STRONG}, {"mdp", PIECE_STRONG},
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

/* Three letters of every piece of the names of secrets that is not "pw", and a blank. */
const char	secret_roots[] =
	"uth cvv pas sas pat rer pin otp ass api key ken bsy acc cre sig cvc coo hoo lie ogi sio pwd jwt "
	"enh ras htw ngs mdp hps ";

/* One bit for every three letters that are a root. */
static uint8_t secret_bits[32 * 32 * 32 / 8];

static inline unsigned
three_letters(const uint8_t *p)
{
	return (p[0] & 31u) << 10 | (p[1] & 31u) << 5 | (p[2] & 31u);
}

/* Builds the chains. */
void
name_init(void)
{
	int			i;

	memset(part_head, -1, sizeof(part_head));
	memset(word_head, -1, sizeof(word_head));
	for (i = COUNT(name_parts) - 1; i >= 0; i--)
		add_to_chain(&part_head[letters_chain(name_parts[i].text)], part_next, i);
	for (i = COUNT(name_words) - 1; i >= 0; i--)
		add_to_chain(&word_head[letters_chain(name_words[i].text)], word_next, i);
	for (i = 0; secret_roots[i]; i += 4)
	{
		unsigned	three = three_letters((const uint8_t *) secret_roots + i);

		secret_bits[three >> 3] |= (uint8_t) (1 << (three & 7));
	}
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

/*
 * Is one of the roots of secrets in the name, letter by letter?  The masks that
 * lead here are filters, each with other chance hits ("toke..n"); none of those
 * may decide.
 */
static bool
has_secret_root(const uint8_t *name, size_t len)
{
	size_t		i;

	for (i = 0; i + 1 < len; i++)
	{
		unsigned	three;

		if (lower(name[i]) == 'p' && lower(name[i + 1]) == 'w')
			return true;
		if (i + 2 == len)
			break;
		three = three_letters(name + i);
		if ((secret_bits[three >> 3] >> (three & 7) & 1) && byte_is(name[i], B_ALPHA) &&
			byte_is(name[i + 1], B_ALPHA) && byte_is(name[i + 2], B_ALPHA))
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

	if (len < 2)
		return NAME_NONE;
	if (!has_secret_root(name, len))
		return is_foreign_name(name, len) ? NAME_STRONG : NAME_NONE;
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
	if (says & PIECE_PASS)
		return NAME_WEAK;
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
	return is_foreign_name((const uint8_t *) name, len) ? NAME_STRONG : NAME_NONE;
}
