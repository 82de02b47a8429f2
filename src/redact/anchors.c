/*
 * anchors.c
 *		Classes of bytes and words looked for; the reference without SIMD; which
 *		function this machine can run.
 */
#include <string.h>

#include "redact/anchors.h"

LiteralSet	secret_literals;
LiteralSet	context_literals;
uint8_t		after_low[16];
uint8_t		after_high[16];

/*
 * Three letters that every name of a secret known to secret_name() has in a row:
 * not its first three, but those that other words have least.  One line a
 * bucket.  A bucket also takes what the letters of its words mixed would be, so
 * which words share one was chosen by what log lines and prose hold.  A dot is
 * any byte.
 */
static const char *const secret_words[8] = {
	"uth cvv",					/* auth */
	"pas sas pat",				/* password, passphrase, pass */
	"rer",						/* bearer */
	"pin otp",
	"ass api key ken bsy acc",	/* passwd, token, contribsys, access */
	"cre sig cvc sic",			/* secret, credential, signature, basic */
	"coo hoo lie ogi sio",		/* cookie, webhook, client, login, session */
	"pwd jwt pw."
};

/* The first three letters of the words that say what a number is. */
static const char *const context_words[8] = {
	"tel wha rea reg",			/* telephone, whatsapp, reach, registered */
	"pho off han pan",		/* phone, office, handy */
	"sms hot ssn soc",			/* hotline, social */
	"cel cal ame mae",			/* cell, call, amex, maestro */
	"fax ans mes des vis mas",	/* answering, messages, desk, visa, mastercard */
	"mob msi deb",				/* mobile, msisdn, debit */
	"dia cc.",					/* dial */
	"car cre kre"				/* card, credit, kreditkarte */
};

/* Adds a word to a bucket; '.' stands for any byte. */
static void
add_literal(LiteralSet *set, int bucket, const char *word)
{
	int			k;
	int			i;

	for (k = 0; k < 3; k++)
		for (i = 0; i < 16; i++)
		{
			if (word[k] == '.' || (word[k] & 15) == i)
				set->low[k][i] |= (uint8_t) (1 << bucket);
			if (word[k] == '.' || (word[k] >> 4) == i)
				set->high[k][i] |= (uint8_t) (1 << bucket);
		}
}

static void
add_literals(LiteralSet *set, const char *const *buckets)
{
	int			b;
	const char *word;

	for (b = 0; b < 8; b++)
		for (word = buckets[b]; *word; word += word[3] ? 4 : 3)
			add_literal(set, b, word);
}

void
anchors_init(void)
{
	const char *after = "\t\n !\"'()+,:=>?[\\]`|";
	const char *c;

	add_literals(&secret_literals, secret_words);
	add_literals(&context_literals, context_words);
	/* One bit for each high half keeps the product exact. */
	for (c = after; *c; c++)
	{
		after_high[*c >> 4] = (uint8_t) (1 << (*c >> 4));
		after_low[*c & 15] |= (uint8_t) (1 << (*c >> 4));
	}
}

/* The masks of one window. */
static void
one_window(const uint8_t *window, ByteMasks *m, int lane)
{
	int			i;

	clear_lane(m, lane);
	for (i = 0; i < 64; i++)
	{
		uint64_t	bit = (uint64_t) 1 << i;
		uint8_t		c = window[i];
		uint8_t		folded = c | 0x20;

		if (c >= '0' && c <= '9')
			m->digit[lane] |= bit;
		else if (folded >= 'a' && folded <= 'z')
		{
			m->letter[lane] |= bit;
			if (c <= 'Z')
				m->upper[lane] |= bit;
			if (folded <= 'f')
				m->hex_letter[lane] |= bit;
			if (literal_at(&secret_literals, window + i))
				m->secret[lane] |= bit;
			if (literal_at(&context_literals, window + i))
				m->context[lane] |= bit;
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
			case '/':
			case '+':
			case '~':
				m->path[lane] |= bit;
				break;
			case '_':
				m->underscore[lane] |= bit;
				break;
			case '%':
			case '\\':
				m->escape[lane] |= bit;
				break;
		}
		if (after_low[c & 15] & after_high[c >> 4])
			m->after[lane] |= bit;
	}
}

/* What the SIMD functions must equal. */
void
anchors_scalar(const uint8_t *window, int n, Anchors *anchors, uint64_t *open_name)
{
	ANCHOR_LOOP(one_window);
}

AnchorFunction
anchors_function(const char *name)
{
#if defined(__x86_64__) && defined(__GNUC__)
	if (name ? strcmp(name, "avx512") == 0 : true)
		if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
			__builtin_cpu_supports("bmi2"))
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
