/*
 * detect_phone.c
 *		Telephone numbers: international form by country code, and national
 *		shapes that are written like nothing else or have a word beside them.
 */
#include <string.h>

#include "redact/scan_internal.h"

/* Country codes in use; the national number has 4 to 13 digits. */
static const char country_codes[] =
	" 1 7 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55"
	" 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98 211 212"
	" 213 216 218 220 221 222 223 224 225 226 227 228 229 230 231 232 233 234"
	" 235 236 237 238 239 240 241 242 243 244 245 246 247 248 249 250 251 252"
	" 253 254 255 256 257 258 260 261 262 263 264 265 266 267 268 269 290 291"
	" 297 298 299 350 351 352 353 354 355 356 357 358 359 370 371 372 373 374"
	" 375 376 377 378 379 380 381 382 383 385 386 387 389 420 421 423 500 501"
	" 502 503 504 505 506 507 508 509 590 591 592 593 594 595 596 597 598 599"
	" 670 672 673 674 675 676 677 678 679 680 681 682 683 685 686 687 688 689"
	" 690 691 692 800 808 850 852 853 855 856 870 878 880 881 882 883 886 888"
	" 960 961 962 963 964 965 966 967 968 970 971 972 973 974 975 976 977 979"
	" 992 993 994 995 996 998 ";

/* One bit for each code of one to three digits, by its number. */
static uint8_t code_bits[3][1000 / 8 + 1];

/* Fills the table. */
void
phone_init(void)
{
	const char *p = country_codes;

	while (*p)
	{
		unsigned	code = 0;
		int			len = 0;

		for (; *p == ' '; p++);
		for (; *p && *p != ' '; p++, len++)
			code = code * 10 + (unsigned) (*p - '0');
		if (len > 0)
			code_bits[len - 1][code >> 3] |= (uint8_t) (1 << (code & 7));
	}
}

/* Length of the country code at the head of the digits, 0 if there is none. */
static int
country_code(const char *digits, int n)
{
	unsigned	code = 0;
	int			len;

	for (len = 1; len <= 3 && len < n; len++)
	{
		code = code * 10 + (unsigned) (digits[len - 1] - '0');
		if (code_bits[len - 1][code >> 3] & (1 << (code & 7)))
			return len;
	}
	return 0;
}

/* May a full number of this country have so many digits? */
static bool
country_length(const char *digits, int total)
{
	int			code = country_code(digits, total);
	int			national = total - code;

	if (code == 0)
		return false;
	if (code == 1)
		return national == 10;
	return national >= 4 && total <= 15 && total >= 7;
}

/* Takes in an extension: "x123", " ext. 123". */
static size_t
with_extension(const Scan *s, size_t end)
{
	size_t		at = end;
	size_t		digits;

	if (byte_at(s, at) == ' ')
		at++;
	if (lower(byte_at(s, at)) == 'e' && s->len - at > 3 && equal_lower(s->text + at, "ext", 3))
		at += byte_at(s, at + 3) == '.' ? 4 : 3;
	else if (lower(byte_at(s, at)) == 'x')
		at++;
	else
		return end;
	if (byte_at(s, at) == ' ')
		at++;
	for (digits = at; byte_is(byte_at(s, digits), B_DIGIT) && digits - at < 7; digits++);
	if (digits == at || byte_is(byte_at(s, digits), B_ALNUM))
		return end;
	return digits;
}

/* May a number end here? */
static bool
phone_end(const Scan *s, size_t end)
{
	uint8_t		c = byte_at(s, end);
	uint8_t		d = byte_at(s, end + 1);

	if (with_extension(s, end) != end)
		return true;
	if (byte_is(c, B_ALNUM) || c == '_')
		return false;
	if (c == '.' || c == ',' || c == ':' || c == '-' || c == '/')
		return !byte_is(d, B_DIGIT);
	return c != '%';
}

/* Start of the span: a bracket or "00"'s plus sign before the first digit. */
static size_t
with_bracket(const Scan *s, size_t start)
{
	return byte_before(s, start, 1) == '(' ? start - 1 : start;
}

/* "+" and a country code: the longest groups whose length fits. */
static size_t
international(Scan *s, const Number *n, int skip, size_t start)
{
	int			total = n->ndigits - skip;
	int			g;

	for (g = n->groups - 1; g >= 0; g--)
	{
		if (country_length(n->digits + skip, total) && phone_end(s, n->end[g]))
		{
			size_t		end = with_extension(s, n->end[g]);

			scan_hit(s, start, end, REDACT_PHONE, "international", STRENGTH_VALID, 90);
			return end;
		}
		total -= n->len[g];
	}
	return 0;
}

/* Ten digits as 3-3-4 from a group on, with North American area rules. */
static bool
north_american(const Number *n, int first, bool strict)
{
	const char *d = n->digits + (first ? n->len[0] : 0);
	int			last = first + 2;

	if (n->groups <= last || n->len[first] != 3 || n->len[first + 1] != 3 || n->len[last] != 4)
		return false;
	if (n->sep[last] != '-' && n->sep[last] != '.' && n->sep[last] != ' ')
		return false;
	if (strict)
		return d[0] >= '2' && d[3] >= '2' && n->sep[last] != ' ' &&
			(n->sep[first + 1] == n->sep[last] || n->sep[first + 1] == '(');
	return true;
}

/* Is it a date or a time stamp rather than a number to call? */
static bool
looks_like_date(const Number *n)
{
	const char *d = n->digits;

	if (n->groups < 3)
	{
		/* 20240131 and 20240131123000 */
		return n->groups == 1 && (n->ndigits == 8 || n->ndigits == 14) &&
			(memcmp(d, "19", 2) == 0 || memcmp(d, "20", 2) == 0) &&
			d[4] <= '1' && d[6] <= '3';
	}
	if (n->len[0] == 4 && n->len[1] <= 2 && n->len[2] <= 2 &&
		(memcmp(d, "19", 2) == 0 || memcmp(d, "20", 2) == 0))
		return true;
	if (n->len[0] <= 2 && n->len[1] <= 2 && n->len[2] == 4 && n->groups == 3)
		return memcmp(d + n->len[0] + n->len[1], "19", 2) == 0 ||
			memcmp(d + n->len[0] + n->len[1], "20", 2) == 0;
	return false;
}

/* 0477 11 28 98, 090-1234-5678, 06-10446904: a trunk zero, an area, the rest. */
static bool
trunk_shape(const Number *n)
{
	int			i;

	if (n->digits[0] != '0' || n->digits[1] == '0' || n->groups < 2 || n->len[0] < 2 ||
		n->len[0] > 5 || n->ndigits < 9 || n->ndigits > 11)
		return false;
	if (n->groups == 2)
		return n->sep[1] == '-' && n->len[1] >= 6 && n->ndigits == 10;
	if (n->sep[1] == '-')
		return n->groups == 3 && n->sep[2] == '-' && n->len[1] >= 3 && n->len[2] >= 3;
	for (i = 1; i < n->groups; i++)
		if (n->sep[i] != ' ' || n->len[i] < 2)
			return false;
	return true;
}

/* How many leading groups to take after a word such as "phone": 0 for none. */
static int
groups_after_word(const Scan *s, const Number *n)
{
	int			total = n->ndigits;
	int			g;

	for (g = n->groups; g > 0; g--)
	{
		if (total <= 15 && total >= 6 && phone_end(s, n->end[g - 1]))
			return g;
		total -= n->len[g - 1];
	}
	return 0;
}

/* National forms.  Returns the number of groups that belong to it. */
static int
national(const Scan *s, const Number *n, RedactStrength *strength)
{
	bool		bracket = byte_before(s, n->start, 1) == '(' && n->groups > 1 && n->sep[1] == '(';
	unsigned	context;
	int			groups;

	*strength = STRENGTH_SHAPE;
	if (north_american(n, 0, true) && (bracket || n->sep[1] != '('))
		return 3;
	if (n->len[0] == 1 && n->digits[0] == '1' && north_american(n, 1, true))
		return 4;
	if (trunk_shape(n))
		return n->groups;
	*strength = STRENGTH_CONTEXT;
	if (looks_like_date(n))
		return 0;
	groups = groups_after_word(s, n);
	if (groups == 0)
		return 0;
	context = context_around(s, n->start, n->end[groups - 1]);
	if (context & CONTEXT_PHONE)
		return groups;
	/* "call" and "office" are also said of streets and functions. */
	if ((context & CONTEXT_CALL) && groups == n->groups &&
		(groups > 1 ? n->ndigits >= 7 && n->len[groups - 1] < 5 + 3 * (groups == 2) &&
		 n->len[0] < 5 : n->ndigits >= 10))
		return groups;
	return 0;
}

/*
 * Is it a version in a list of programs, Safari/8536.25, or the status and size
 * of an answer in the log of a web server, "GET /sms.png HTTP/1.1" 200 55478?
 */
static bool
is_protocol(const Scan *s, size_t start)
{
	if (byte_before(s, start, 1) == '/')
		return byte_is(byte_before(s, start, 2), B_ALPHA);
	return start > 10 && memcmp(s->text + start - 11, " HTTP/", 6) == 0 && byte_before(s, start, 2) == '"';
}

/* A number that is no card and no address: can one call it?  0 or its end. */
size_t
detect_phone(Scan *s, const Number *n)
{
	uint8_t		before = byte_before(s, n->start, 1);
	uint8_t		further = byte_before(s, n->start, 2);
	size_t		start = with_bracket(s, n->start);
	size_t		end;
	RedactStrength strength;
	int			groups;

	if (before == '+' || (before == '(' && further == '+'))
	{
		start = n->start - (before == '+' ? 1 : 2);
		if ((byte_is(byte_before(s, start, 1), B_ALNUM) && !hit_ends_at(s, start)) ||
			n->digits[0] == '0')
			return 0;
		return international(s, n, 0, start);
	}
	if (byte_is(before, B_ALNUM) || before == '_' ||
		((before == '.' || before == '-' || before == '/' || before == ',' ||
		  before == ':' || before == ' ') && byte_is(further, B_DIGIT)) ||
		(before == '-' && !byte_is(further, B_SPACE | B_ALPHA)))
		return 0;
	if (memcmp(n->digits, "00", 2) == 0 && n->len[0] > 1 && n->digits[2] != '0' && n->groups > 1)
	{
		end = international(s, n, 2, start);
		if (end)
			return end;
	}
	/* 011 44 20 ...: as one dials abroad from North America. */
	if (memcmp(n->digits, "011", 3) == 0 && n->len[0] == 3 && n->groups > 2)
	{
		end = international(s, n, 3, start);
		if (end)
			return end;
	}
	if (is_protocol(s, n->start))
		return 0;
	groups = national(s, n, &strength);
	if (groups == 0 || !phone_end(s, n->end[groups - 1]))
		return 0;
	end = with_extension(s, n->end[groups - 1]);
	scan_hit(s, start, end, REDACT_PHONE, "national", strength,
			 strength == STRENGTH_SHAPE ? 70 : 60);
	return end;
}
