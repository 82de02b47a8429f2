/*
 * detect_iban.c
 *		International bank account numbers: length by country, modulo 97.
 */
#include "redact/scan_internal.h"

/* Country and length, as in the registry; spelled so that it can be read. */
static const struct
{
	char		country[3];
	uint8_t		length;
}			ibans[] = {
	{"AD", 24}, {"AE", 23}, {"AL", 28}, {"AT", 20}, {"AZ", 28}, {"BA", 20}, {"BE", 16},
	{"BG", 22}, {"BH", 22}, {"BI", 27}, {"BR", 29}, {"BY", 28}, {"CH", 21}, {"CR", 22},
	{"CY", 28}, {"CZ", 24}, {"DE", 22}, {"DJ", 27}, {"DK", 18}, {"DO", 28}, {"EE", 20},
	{"EG", 29}, {"ES", 24}, {"FI", 18}, {"FK", 18}, {"FO", 18}, {"FR", 27}, {"GB", 22},
	{"GE", 22}, {"GI", 23}, {"GL", 18}, {"GR", 27}, {"GT", 28}, {"HN", 28}, {"HR", 21},
	{"HU", 28}, {"IE", 22}, {"IL", 23}, {"IQ", 23}, {"IS", 26}, {"IT", 27}, {"JO", 30},
	{"KW", 30}, {"KZ", 20}, {"LB", 28}, {"LC", 32}, {"LI", 21}, {"LT", 20}, {"LU", 20},
	{"LV", 21}, {"LY", 25}, {"MC", 27}, {"MD", 24}, {"ME", 22}, {"MK", 19}, {"MN", 20},
	{"MR", 27}, {"MT", 31}, {"MU", 30}, {"NI", 28}, {"NL", 18}, {"NO", 15}, {"OM", 23},
	{"PK", 24}, {"PL", 28}, {"PS", 29}, {"PT", 25}, {"QA", 29}, {"RO", 24}, {"RS", 22},
	{"RU", 33}, {"SA", 24}, {"SC", 31}, {"SD", 18}, {"SE", 24}, {"SI", 19}, {"SK", 24},
	{"SM", 27}, {"SO", 23}, {"ST", 25}, {"SV", 28}, {"TL", 23}, {"TN", 24}, {"TR", 26},
	{"UA", 29}, {"VA", 22}, {"VG", 24}, {"XK", 20}, {"YE", 30}
};

static uint8_t length_of[32 * 32];

/* Fills the table by country. */
void
iban_init(void)
{
	size_t		i;

	for (i = 0; i < sizeof(ibans) / sizeof(ibans[0]); i++)
		length_of[(ibans[i].country[0] & 31) << 5 | (ibans[i].country[1] & 31)] = ibans[i].length;
}

/* Length for a country, 0 when it has no such accounts. */
static int
iban_length(uint8_t a, uint8_t b)
{
	return length_of[(a & 31) << 5 | (b & 31)];
}

/* The remainder by 97, country and check digits moved to the end. */
static int
modulo97(const uint8_t *iban, int len)
{
	unsigned	rest = 0;
	int			i;

	for (i = 0; i < len; i++)
	{
		uint8_t		c = lower(iban[i + 4 < len ? i + 4 : i + 4 - len]);

		if (byte_is(c, B_DIGIT))
			rest = (rest * 10 + (c - '0')) % 97;
		else
			rest = (rest * 100 + (c - 'a' + 10)) % 97;
	}
	return (int) rest;
}

/*
 * Bytes of what may stand between the groups of an account at a position, 0 if
 * it is no such thing: a blank, also one that does not break, a dash or a dot.
 */
static size_t
gap_bytes(const Scan *s, size_t at)
{
	uint8_t		c = byte_at(s, at);

	if (c == ' ' || c == '-' || c == '.')
		return 1;
	if (c == 0xC2 && byte_at(s, at + 1) == 0xA0)
		return 2;
	return c == 0xE2 && byte_at(s, at + 1) == 0x80 &&
		(byte_at(s, at + 2) == 0xAF || byte_at(s, at + 2) == 0x89) ? 3 : 0;
}

/*
 * Do the eight bytes behind the check digits belong to an account, with a digit
 * among the last four?  The masks
 * look for that; a position that one of them shows for another reason must not
 * be a hit where the others show none.
 */
static bool
begins_like_account(const Scan *s, size_t at)
{
	bool		digit = false;
	size_t		i;

	for (i = at + 4; i < at + 12; i++)
	{
		uint8_t		c = byte_at(s, i);

		digit |= i >= at + 8 && byte_is(c, B_DIGIT);
		if (!byte_is(c, B_ALNUM) && c != ' ' && c != '-' && c != '.' && c < 0x80)
			return false;
	}
	return digit;
}

/* A word begins with two letters: an account?  Returns its end, or at. */
size_t
detect_iban(Scan *s, size_t at)
{
	uint8_t		iban[40];
	int			len;
	int			n = 0;
	int			digits = 0;
	bool		fours = true;	/* in one piece, or in groups of four */
	size_t		i;

	if (!byte_is(byte_at(s, at + 1), B_ALPHA))
		return at;
	i = at + 2;
	if (byte_at(s, i) == ' ' || byte_at(s, i) == '-')
		i++;
	if (!byte_is(byte_at(s, i), B_DIGIT) || !byte_is(byte_at(s, i + 1), B_DIGIT) ||
		!begins_like_account(s, at))
		return at;
	len = iban_length(s->text[at], s->text[at + 1]);
	for (i = at; n < len && i < s->len;)
	{
		uint8_t		c = s->text[i];
		size_t		gap = gap_bytes(s, i);

		if (byte_is(c, B_ALNUM))
		{
			iban[n++] = c;
			digits += byte_is(c, B_DIGIT);
			i++;
		}
		else if (gap == 0 || !byte_is(byte_at(s, i + gap), B_ALNUM))
			return at;
		else
		{
			fours = fours && n % 4 == 0 && c != '.';
			i += gap;
		}
	}
	/* Words that happen to come out right are mostly letters. */
	if (len == 0 || n < len || byte_is(byte_at(s, i), B_ALNUM) || byte_at(s, i) == '_' ||
		(!fours && 2 * digits <= len) || modulo97(iban, len) != 1)
		return at;
	scan_hit(s, at, i, REDACT_IBAN, NULL, STRENGTH_VALID, 98);
	return i;
}
