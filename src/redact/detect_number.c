/*
 * detect_number.c
 *		Digit runs: what they could be, and cards and social security numbers.
 *
 * A number is read once as groups of digits with separators.  Most digit runs
 * of a log line are short and stand alone: they leave at the first test.
 */
#include <string.h>

#include "redact/scan_internal.h"

/* The Luhn check of a digit string. */
bool
luhn(const char *digits, int n)
{
	int			sum = 0;
	int			i;

	for (i = 0; i < n; i++)
	{
		int			d = digits[n - 1 - i] - '0';

		if (i & 1)
			d = d > 4 ? 2 * d - 9 : 2 * d;
		sum += d;
	}
	return sum % 10 == 0;
}

/* Issuer ranges: digits of the range, first, last, shortest, longest number. */
static const struct
{
	int			digits;
	int			low;
	int			high;
	int			shortest;
	int			longest;
}			issuers[] = {
	{1, 4, 4, 16, 16}, {1, 4, 4, 13, 13}, {1, 4, 4, 19, 19},	/* Visa */
	{2, 51, 55, 16, 16}, {4, 2221, 2720, 16, 16},	/* Mastercard */
	{2, 34, 34, 15, 15}, {2, 37, 37, 15, 15},	/* American Express */
	{3, 300, 305, 14, 14}, {3, 300, 305, 16, 16}, {4, 3095, 3095, 14, 14}, /* Diners */
	{2, 36, 36, 14, 14}, {2, 38, 39, 14, 14}, {2, 36, 36, 16, 16},
	{4, 6011, 6011, 16, 19}, {3, 644, 659, 16, 19}, /* Discover */
	{4, 3528, 3589, 16, 19}, {4, 2131, 2131, 15, 15}, {4, 1800, 1800, 15, 15},	/* JCB */
	{2, 62, 62, 16, 19}, {2, 81, 82, 16, 16},	/* UnionPay, RuPay */
	{4, 2200, 2204, 16, 19},	/* Mir */
	{3, 500, 509, 13, 19}, {2, 56, 58, 13, 19}, {3, 639, 639, 13, 19},	/* Maestro */
	{2, 67, 67, 13, 19}, {4, 6304, 6304, 13, 19},
	{4, 6062, 6062, 16, 19}, {2, 60, 60, 16, 16}, {4, 9792, 9792, 16, 16}
};

/* Is the number in a range that some issuer uses, at its length? */
int
card_brand(const char *digits, int n)
{
	size_t		i;

	for (i = 0; i < sizeof(issuers) / sizeof(issuers[0]); i++)
	{
		int			prefix = 0;
		int			k;

		if (n < issuers[i].shortest || n > issuers[i].longest)
			continue;
		for (k = 0; k < issuers[i].digits; k++)
			prefix = prefix * 10 + (digits[k] - '0');
		if (prefix >= issuers[i].low && prefix <= issuers[i].high)
			return (int) i + 1;
	}
	return 0;
}

/* Area, group and serial rules of nine digits. */
bool
ssn_valid(const char *d)
{
	if (d[0] == '9' || memcmp(d, "000", 3) == 0 || memcmp(d, "666", 3) == 0)
		return false;
	return memcmp(d + 3, "00", 2) != 0 && memcmp(d + 5, "0000", 4) != 0;
}

/* What stands between two groups: one sign, or a few with a bracket. */
static char
read_separator(const Scan *s, size_t at, size_t *next)
{
	char		sep = 0;
	size_t		i;

	for (i = at; i < at + 3 && byte_is(byte_at(s, i), B_SIGN); i++)
	{
		uint8_t		c = s->text[i];

		if (c == '(' || c == ')')
			sep = '(';
		else if (sep == 0)
			sep = c;
		else if (sep != '(' && !(sep == ' ' && byte_at(s, i + 1) == '('))
			return 0;
	}
	if (i == at || !byte_is(byte_at(s, i), B_DIGIT))
		return 0;
	if (sep != '(' && i - at > 1)
		return 0;
	*next = i;
	return sep;
}

/* Reads the groups from the first digit on, as many as a Number holds. */
static void
read_number(const Scan *s, size_t at, Number *n)
{
	char		sep = 0;

	n->groups = n->ndigits = 0;
	n->start = at;
	while (n->groups < NUMBER_GROUPS)
	{
		size_t		from = at;

		while (byte_is(byte_at(s, at), B_DIGIT) && at - from < NUMBER_DIGITS)
			at++;
		if (n->ndigits + (at - from) > NUMBER_DIGITS)
			break;
		memcpy(n->digits + n->ndigits, s->text + from, at - from);
		n->ndigits += (int) (at - from);
		n->len[n->groups] = (int) (at - from);
		n->sep[n->groups] = sep;
		n->end[n->groups++] = at;
		sep = read_separator(s, at, &at);
		if (sep == 0)
			break;
	}
}

/*
 * No letter, sign or further digits hang on the left of a number.  A comma
 * parts the fields of a row more often than the digits of what could be a card.
 */
static bool
free_left(const Scan *s, size_t start)
{
	uint8_t		c = byte_before(s, start, 1);
	uint8_t		d = byte_before(s, start, 2);

	if (byte_is(c, B_ALNUM) || c == '_')
		return false;
	if (c == '-')
		return byte_is(d, B_ALPHA);
	if (c == '.' || c == '/' || c == '+')
		return !byte_is(d, B_DIGIT);
	return true;
}

/* Nothing hangs on the right of a number either. */
static bool
free_right(const Scan *s, size_t end)
{
	uint8_t		c = byte_at(s, end);
	uint8_t		d = byte_at(s, end + 1);

	if (byte_is(c, B_ALNUM) || c == '_')
		return false;
	if (c == '-')
		return !byte_is(d, B_ALNUM);
	if (c == '.' || c == '/' || c == '@')
		return !byte_is(d, B_DIGIT);
	return true;
}

/* Are the first groups written as cards are: one sign, groups of four? */
static bool
card_grouping(const Number *n, int groups)
{
	int			i;

	if (groups == 1)
		return true;
	for (i = 1; i < groups; i++)
		if (n->sep[i] != n->sep[1] || (n->sep[i] != ' ' && n->sep[i] != '-' && n->sep[i] != '.'))
			return false;
	if (groups == 3 && n->len[0] == 4 && n->len[1] == 6)
		return n->len[2] == 5 || n->len[2] == 4;
	if (groups == 2 && n->len[0] == 6)
		return n->len[1] == 13; /* UnionPay */
	for (i = 0; i < groups - 1; i++)
		if (n->len[i] != 4)
			return false;
	return n->len[groups - 1] <= 4;
}

/* The longest leading groups that are a card; 0 or the end of it. */
static size_t
detect_card(Scan *s, const Number *n)
{
	int			groups;
	int			total = 0;
	int			i;
	size_t		found = 0;

	if (!free_left(s, n->start))
		return 0;
	for (groups = 1; groups <= n->groups; groups++)
	{
		bool		by_range;

		total += n->len[groups - 1];
		if (total > 19)
			break;
		if (total < 12 || !card_grouping(n, groups) || !free_right(s, n->end[groups - 1]) ||
			!luhn(n->digits, total))
			continue;
		for (i = 1; i < total && n->digits[i] == n->digits[0]; i++);
		if (i == total)
			continue;
		by_range = card_brand(n->digits, total) != 0;
		if ((by_range && (groups > 1 || (total > 13 && total < 17))) ||
			(context_around(s, n->start, n->end[groups - 1]) & CONTEXT_CARD))
			found = n->end[groups - 1];
	}
	if (found)
		scan_hit(s, n->start, found, REDACT_CREDIT_CARD, NULL, STRENGTH_VALID, 95);
	return found;
}

/* 3-2-4 with one sign; other spellings need a word beside them. */
static size_t
detect_ssn(Scan *s, const Number *n)
{
	size_t		end;
	bool		shape = n->groups >= 3 && n->len[0] == 3 && n->len[1] == 2 &&
		n->len[2] == 4 && n->sep[1] == n->sep[2];
	int			groups = shape ? 3 : n->groups;

	if (!shape && (n->ndigits != 9 || groups > 2 || (groups == 2 && n->sep[1] == '.')))
		return 0;
	end = n->end[groups - 1];
	if (!free_left(s, n->start) || !free_right(s, end) || !ssn_valid(n->digits))
		return 0;
	if (shape && n->sep[1] == '-')
		scan_hit(s, n->start, end, REDACT_US_SSN, NULL, STRENGTH_VALID, 85);
	else if (context_around(s, n->start, end) & CONTEXT_SSN)
		scan_hit(s, n->start, end, REDACT_US_SSN, NULL, STRENGTH_CONTEXT, 85);
	else
		return 0;
	return end;
}

/* Two digits at a position? */
static inline bool
two_digits(const Scan *s, size_t at)
{
	return byte_is(byte_at(s, at), B_DIGIT) && byte_is(byte_at(s, at + 1), B_DIGIT);
}

/*
 * End of a date, 0 if there is none: 2024-01-31, or 01/31/24 and 01-31 with the
 * time behind.  Half of all numbers in logs are dates, so they leave early.
 */
static size_t
date_end(const Scan *s, size_t at, size_t run)
{
	uint8_t		sign = byte_at(s, run);
	uint8_t		c;
	bool		year = run - at == 4 && (s->text[at] == '2' ? s->text[at + 1] == '0' :
										 s->text[at] == '1' && s->text[at + 1] == '9');
	size_t		i = run + 3;

	if ((sign != '-' && sign != '/' && sign != '.') || !(year || run - at == 2) ||
		!two_digits(s, run + 1))
		return 0;
	if (byte_at(s, i) == sign && two_digits(s, i + 1))
	{
		i += 3;
		if (year && !byte_is(byte_at(s, i), B_DIGIT))
			return i;
	}
	c = byte_at(s, i);
	if ((c == ' ' || c == 'T' || c == '-' || c == '_') && two_digits(s, i + 1) &&
		(byte_at(s, i + 3) == ':' || byte_at(s, i + 3) == '.') && two_digits(s, i + 4))
		return i;
	return 0;
}

/*
 * Is the run all of a number that has no sign before it?  Too short for a card
 * it can only be what a word beside it says.
 */
static bool
stands_alone(const Scan *s, size_t at, size_t run)
{
	uint8_t		before = byte_before(s, at, 1);
	uint8_t		c = byte_at(s, run);
	uint8_t		d = byte_at(s, run + 1);

	if (before == '+' || before == '(')
		return false;
	return !byte_is(c, B_SIGN) || !(byte_is(d, B_DIGIT) || byte_is(d, B_SIGN));
}

/* A digit run begins: address, card, social security number or phone. */
size_t
detect_digits(Scan *s, size_t at)
{
	Number		n;
	size_t		run = at + 1;
	size_t		end = 0;
	uint8_t		c;

	if ((byte_at(s, at + 1) == '.' || byte_at(s, at + 2) == '.' || byte_at(s, at + 3) == '.') &&
		wants(s, REDACT_IP))
	{
		end = detect_ipv4(s, at);
		if (end)
			return end;
	}
	while (run < s->len && byte_is(s->text[run], B_DIGIT))
		run++;
	c = byte_at(s, run);
	if (run - at > 19 || (byte_is(c, B_ALPHA) && lower(c) != 'x'))
		return run;
	end = date_end(s, at, run);
	if (end)
		return end;
	if (run - at < 12 && stands_alone(s, at, run) && context_around(s, at, run) == 0)
		return run;
	read_number(s, at, &n);
	if (n.ndigits < 6)
		return run;
	if (n.ndigits >= 12 && wants(s, REDACT_CREDIT_CARD))
		end = detect_card(s, &n);
	if (!end && n.ndigits >= 9 && wants(s, REDACT_US_SSN))
		end = detect_ssn(s, &n);
	if (!end && wants(s, REDACT_PHONE))
		end = detect_phone(s, &n);
	return end ? end : run;
}
