/*
 * anchors.c
 *		Classes of bytes and words looked for; the reference without SIMD; which
 *		function this machine can run.
 */
#include <string.h>

#include "redact/anchors.h"

LiteralSet	secret_literals;
LiteralSet	token_literals;
LiteralSet	context_literals;

/*
 * Three letters that every name of a secret known to secret_name() has in a row:
 * not its first three, but those that other words have least.  One line a
 * bucket.  A bucket also takes what the letters of its words mixed would be, so
 * which words share one was chosen by what log lines and prose hold.  A question
 * mark is any byte.
 */
static const char *const secret_words[8] = {
	"cvc sic coo hoo sio enh",	/* basic, cookie, webhook, session, senha */
	"pwd jwt pw?",
	"cvv pas sas bsy ras hps ngs",	/* password, pass, contribsys, contrasena, PHPSESSID, adgangskode */
	"uth otp sig htw mdp",		/* auth, signature, wachtwoord */
	"pat pin",
	"rer ogi",					/* bearer, login */
	"ass api key ken acc",		/* passwd, token, access */
	"cre lie fie"				/* secret, credential, client, identified */
};

/*
 * The first four letters of the words that say what a number is, or all three
 * of them.
 */
static const char *const context_words[8] = {
	"hotl offi hand amex krei", /* hotline, office, handy, kreditkarte */
	"cell call dial card cred", /* credit */
	"what visa mast maes",		/* whatsapp, mastercard, maestro */
	"mobi reac regi msis debi ssns soci",	/* mobile, reach, registered, msisdn, debit, social */
	"phon tele answ mess desk", /* telephone, answering, messages */
	"tel?",
	"fax? sms?",
	"ssn? pan?"
};

/*
 * First letters of vendors' prefixes, put together by what else each bucket takes
 * in log lines; the last one takes all others.
 */
static const char *const token_buckets[8] = {
	"kmnvw", "ACILRS", "MNOP", "st", "BEbde", "prxy", "FGHfgh", ""
};

/* Adds the first letters of a word to a bucket; '?' stands for any byte. */
static void
add_literal(LiteralSet *set, int bucket, const char *word, int n, bool any_case)
{
	uint8_t		bit = (uint8_t) (1 << bucket);
	int			k;
	int			c;

	for (k = 0; k < n; k++)
		for (c = 0; c < 256; c++)
			if (word[k] == '?' || (uint8_t) word[k] == c)
			{
				set->low[k][c & 15] |= bit;
				set->high[k][c >> 4] |= bit;
				set->six[k][c & 63] |= bit;
				/* The halves are looked up with letters folded. */
				if (any_case && c >= 'a' && c <= 'z')
					set->six[k][(c - 32) & 63] |= bit;
			}
}

static void
add_words(LiteralSet *set, const char *const *buckets, int n)
{
	int			b;
	const char *word;

	for (b = 0; b < 8; b++)
		for (word = buckets[b]; *word; word += word[n] ? n + 1 : n)
			add_literal(set, b, word, n, true);
}

void
anchors_add_token(const char *prefix)
{
	int			bucket = 0;

	while (bucket < 7 && strchr(token_buckets[bucket], prefix[0]) == NULL)
		bucket++;
	add_literal(&token_literals, bucket, prefix, 3, false);
}

void
anchors_init(void)
{
	add_words(&secret_literals, secret_words, 3);
	add_words(&context_literals, context_words, 4);
}

/* The masks of one window. */
static void
one_window(const uint8_t *window, Lanes *plane, ByteMasks *m, int lane)
{
	uint64_t  (*mask)[LANES] = (uint64_t (*)[LANES]) m;
	size_t		k;
	int			i;

	(void) plane;
	for (k = 0; k < sizeof(*m) / sizeof(*mask); k++)
		mask[k][lane] = 0;
	for (i = 0; i < 64; i++)
	{
		uint64_t	bit = (uint64_t) 1 << i;
		uint8_t		c = window[i];
		uint8_t		folded = c | 0x20;

		if (c >= 0x80)
			m->high[lane] |= bit;
		if (c >= '0' && c <= '9')
			m->digit[lane] |= bit;
		else if (folded >= 'a' && folded <= 'z')
		{
			m->letter[lane] |= bit;
			if (c <= 'Z')
				m->upper[lane] |= bit;
			if (folded <= 'f')
				m->hex_letter[lane] |= bit;
			literals_of(window + i, m, lane, i);
		}
		switch (c)
		{
			case '@':
				m->at[lane] |= bit;
				break;
			case ':':
				m->colon[lane] |= bit;
				break;
			case '-':
				m->dash[lane] |= bit;
				break;
			case '.':
				m->dot[lane] |= bit;
				break;
			case ' ':
				m->space[lane] |= bit;
				break;
			case '(':
			case ')':
				m->bracket[lane] |= bit;
				break;
			case '+':
				m->plus[lane] |= bit;
				m->path[lane] |= bit;
				break;
			case '/':
			case '~':
				m->path[lane] |= bit;
				break;
			case '0':
				m->zero[lane] |= bit;
				break;
			case '$':
				m->dollar[lane] |= bit;
				break;
			case 'c':
			case 'C':
				m->letter_c[lane] |= bit;
				break;
			case 'd':
			case 'D':
				m->letter_d[lane] |= bit;
				break;
			case 'n':
			case 'N':
				m->letter_n[lane] |= bit;
				break;
			case 'r':
			case 'R':
				m->letter_r[lane] |= bit;
				break;
			case '_':
				m->underscore[lane] |= bit;
				break;
			case '%':
			case '\\':
				m->escape[lane] |= bit;
				break;
		}
		if (c != 0 && strchr("\t\n !\"'()+,:=>?[\\]`|", c) != NULL)
			m->after[lane] |= bit;
	}
}

/* The masks are ready. */
static void
keep_masks(const Lanes *plane, const ByteMasks *m)
{
	(void) plane;
	(void) m;
}

/* What the SIMD functions must equal. */
void
anchors_scalar(const uint8_t *window, int n, Anchors *anchors, uint64_t *open_name)
{
	ANCHOR_LOOP(one_window, keep_masks);
}

AnchorFunction
anchors_function(const char *name)
{
#if defined(__x86_64__) && defined(__GNUC__)
	if (name ? strcmp(name, "avx512") == 0 : true)
		if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
			__builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vbmi") &&
			__builtin_cpu_supports("gfni") && __builtin_cpu_supports("bmi2"))
			return anchors_avx512;
	if (name ? strcmp(name, "avx2") == 0 : true)
		if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
			__builtin_cpu_supports("bmi2"))
			return anchors_avx2;
	if (name ? strcmp(name, "sse2") == 0 : true)
		return anchors_sse2;
#elif defined(__aarch64__)
	if (name ? strcmp(name, "neon") == 0 : true)
		return anchors_neon;
#endif
	return name == NULL || strcmp(name, "scalar") == 0 ? anchors_scalar : NULL;
}
