/*
 * token_claims.c
 *		What a token says: its footer and its claims.
 *
 * Both are one JSON object of known names.  An unknown one is refused: it may
 * be a restriction that we would not keep.
 */
#include "crypto/token.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/token_json.h"

#define NAME_BYTES		8		/* no known name is longer */
#define TIME_BYTES		40
#define OTHER_BYTES		256		/* of claims that are not used */

#define USECS_PER_SECOND	INT64_C(1000000)

/* See the header. */
bool
token_key_id_is_valid(const char *key_id, size_t len)
{
	return len >= 1 && len <= TOKEN_KEY_ID_BYTES &&
		strspn(key_id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

/* See the header. */
bool
token_key_id(const Token *token, char *key_id)
{
	TokenJson	json = {token->footer, token->footer + token->footer_len};
	char		name[NAME_BYTES + 1];

	return token_json_mark(&json, '{') &&
		token_json_string(&json, name, NAME_BYTES) && strcmp(name, "kid") == 0 &&
		token_json_mark(&json, ':') &&
		token_json_string(&json, key_id, TOKEN_KEY_ID_BYTES) &&
		token_json_mark(&json, '}') && token_json_ends(&json) &&
		token_key_id_is_valid(key_id, strlen(key_id));
}

/* Reads exactly so many digits. */
static bool
read_digits(const char **s, int count, int64_t *value)
{
	*value = 0;
	for (int i = 0; i < count; i++, (*s)++)
	{
		if (**s < '0' || **s > '9')
			return false;
		*value = *value * 10 + (**s - '0');
	}
	return true;
}

/* Reads ".f" with one to nine digits as whole microseconds; nothing is zero. */
static bool
read_fraction(const char **s, int64_t *usecs)
{
	int64_t		unit = USECS_PER_SECOND / 10;
	int			digits = 0;

	*usecs = 0;
	if (**s != '.')
		return true;
	for ((*s)++; **s >= '0' && **s <= '9'; (*s)++)
	{
		*usecs += (**s - '0') * unit;
		unit /= 10;
		digits++;
	}
	return digits >= 1 && digits <= 9;
}

/* Reads "Z", "+HH:MM" or "-HH:MM" as seconds east of Greenwich. */
static bool
read_offset(const char **s, int64_t *seconds)
{
	int			sign = **s == '-' ? -1 : 1;
	int64_t		hours;
	int64_t		minutes;

	*seconds = 0;
	if (**s == 'Z')
	{
		(*s)++;
		return true;
	}
	if (**s != '+' && **s != '-')
		return false;
	(*s)++;
	if (!read_digits(s, 2, &hours) || *(*s)++ != ':' || !read_digits(s, 2, &minutes))
		return false;
	*seconds = sign * (hours * 3600 + minutes * 60);
	return hours <= 15 && minutes < 60;
}

/* Days from 1970-01-01 to a date that the Gregorian calendar has. */
static bool
days_since_1970(int64_t year, int64_t month, int64_t day, int64_t *days)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool		is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	int64_t		before = year - 1;

	if (year < 1970 || month < 1 || month > 12 || day < 1 ||
		day > lengths[month - 1] + (month == 2 && is_leap))
		return false;
	*days = before * 365 + before / 4 - before / 100 + before / 400 - 719162;
	for (int i = 1; i < month; i++)
		*days += lengths[i - 1] + (i == 2 && is_leap);
	*days += day - 1;
	return true;
}

/* Reads an instant as RFC 3339 writes it. */
static bool
read_instant(const char *s, int64_t *instant)
{
	int64_t		year;
	int64_t		month;
	int64_t		day;
	int64_t		hour;
	int64_t		minute;
	int64_t		second;
	int64_t		usecs;
	int64_t		offset;
	int64_t		days;

	if (!read_digits(&s, 4, &year) || *s++ != '-' ||
		!read_digits(&s, 2, &month) || *s++ != '-' ||
		!read_digits(&s, 2, &day) || *s++ != 'T' ||
		!read_digits(&s, 2, &hour) || *s++ != ':' ||
		!read_digits(&s, 2, &minute) || *s++ != ':' ||
		!read_digits(&s, 2, &second) ||
		!read_fraction(&s, &usecs) || !read_offset(&s, &offset) || *s != '\0' ||
		hour > 23 || minute > 59 || second > 59 ||
		!days_since_1970(year, month, day, &days))
		return false;
	*instant = (((days * 24 + hour) * 60 + minute) * 60 + second - offset) * USECS_PER_SECOND + usecs;
	return true;
}

/* Reads a string that is an instant. */
static bool
read_time(TokenJson *json, int64_t *instant)
{
	char		text[TIME_BYTES + 1];

	return token_json_string(json, text, TIME_BYTES) && read_instant(text, instant);
}

/* A hexadecimal digit; -1: none. */
static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Reads a string that is a uuid of 36 characters. */
static bool
read_uuid(TokenJson *json, unsigned char *uuid)
{
	char		text[37];
	const char *s = text;

	if (!token_json_string(json, text, 36) || strlen(text) != 36)
		return false;
	for (int i = 0; i < TOKEN_UUID_BYTES; i++)
	{
		int			high;
		int			low;

		if ((i == 4 || i == 6 || i == 8 || i == 10) && *s++ != '-')
			return false;
		high = hex_value(*s++);
		low = hex_value(*s++);
		if (high < 0 || low < 0)
			return false;
		uuid[i] = (unsigned char) (high << 4 | low);
	}
	return true;
}

/* For qsort. */
static int
uuid_compare(const void *a, const void *b)
{
	return memcmp(a, b, TOKEN_UUID_BYTES);
}

/* Reads the array of tenants, 1 to 64, none twice. */
static bool
read_tenants(TokenJson *json, TokenClaims *claims)
{
	claims->tenant_count = 0;
	if (!token_json_mark(json, '['))
		return false;
	do
	{
		if (claims->tenant_count == TOKEN_MAX_TENANTS ||
			!read_uuid(json, claims->tenants[claims->tenant_count]))
			return false;
		claims->tenant_count++;
	} while (token_json_mark(json, ','));
	if (!token_json_mark(json, ']'))
		return false;

	qsort(claims->tenants, (size_t) claims->tenant_count, TOKEN_UUID_BYTES, uuid_compare);
	for (int i = 1; i < claims->tenant_count; i++)
		if (uuid_compare(claims->tenants[i - 1], claims->tenants[i]) == 0)
			return false;
	return true;
}

/* Which claims have been met. */
enum
{
	CLAIM_ROLE = 1,
	CLAIM_TENANTS = 2,
	CLAIM_ISSUED_AT = 4,
	CLAIM_NOT_BEFORE = 8,
	CLAIM_EXPIRES_AT = 16,
	CLAIM_TOKEN_ID = 32,
	CLAIM_ISSUER = 64,
	CLAIMS_NEEDED = CLAIM_ROLE | CLAIM_TENANTS | CLAIM_ISSUED_AT | CLAIM_EXPIRES_AT
};

/* The claim of that name; 0: not known. */
static int
claim_of(const char *name)
{
	static const struct
	{
		const char *name;
		int			claim;
	}			known[] =
	{
		{"sub", CLAIM_ROLE}, {"tid", CLAIM_TENANTS},
		{"iat", CLAIM_ISSUED_AT}, {"nbf", CLAIM_NOT_BEFORE}, {"exp", CLAIM_EXPIRES_AT},
		{"jti", CLAIM_TOKEN_ID}, {"iss", CLAIM_ISSUER}
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(name, known[i].name) == 0)
			return known[i].claim;
	return 0;
}

/* Reads the value of a claim; the names of token and issuer are for people. */
static bool
read_claim(TokenJson *json, int claim, TokenClaims *claims)
{
	char		other[OTHER_BYTES + 1];

	switch (claim)
	{
		case CLAIM_ROLE:
			return token_json_string(json, claims->role, TOKEN_ROLE_BYTES) && claims->role[0] != '\0';
		case CLAIM_TENANTS:
			return read_tenants(json, claims);
		case CLAIM_ISSUED_AT:
			return read_time(json, &claims->issued_at);
		case CLAIM_NOT_BEFORE:
			return read_time(json, &claims->not_before);
		case CLAIM_EXPIRES_AT:
			return read_time(json, &claims->expires_at);
		case CLAIM_TOKEN_ID:
		case CLAIM_ISSUER:
			return token_json_string(json, other, OTHER_BYTES);
		default:
			return false;
	}
}

/* See the header. */
bool
token_claims(const Token *token, TokenClaims *claims)
{
	TokenJson	json = {token->message, token->message + token->message_len};
	int			met = 0;

	if (!token_json_mark(&json, '{'))
		return false;
	do
	{
		char		name[NAME_BYTES + 1];
		int			claim;

		if (!token_json_string(&json, name, NAME_BYTES) || !token_json_mark(&json, ':'))
			return false;
		claim = claim_of(name);
		if (met & claim || !read_claim(&json, claim, claims))
			return false;
		met |= claim;
	} while (token_json_mark(&json, ','));
	if (!token_json_mark(&json, '}') || !token_json_ends(&json) ||
		(met & CLAIMS_NEEDED) != CLAIMS_NEEDED)
		return false;
	if (!(met & CLAIM_NOT_BEFORE))
		claims->not_before = claims->issued_at;
	return claims->issued_at < claims->expires_at && claims->not_before < claims->expires_at;
}
