/*
 * detect_mail.c
 *		E-mail addresses, and passwords inside URLs.
 */
#include <string.h>

#include "redact/scan_internal.h"

#define LOCAL_BYTES		64
#define DOMAIN_BYTES	253
#define USERINFO_BYTES	512

/* Last labels that are file or unit suffixes, not top-level domains. */
static const char *const no_domains[] = {
	"png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "ts", "tsx", "jsx",
	"json", "html", "service", "socket", "timer", "target", "mount", "slice", "scope"
};

/* Is the last label of a domain one that a mail address can have? */
static bool
top_label(const uint8_t *label, size_t len)
{
	size_t		i;

	if (len < 2)
		return false;
	if (len > 4 && equal_lower(label, "xn--", 4))
		return true;
	for (i = 0; i < len; i++)
		if (byte_is(label[i], B_DIGIT) || label[i] == '-')
			return false;
	for (i = 0; i < sizeof(no_domains) / sizeof(no_domains[0]); i++)
		if (strlen(no_domains[i]) == len && equal_lower(label, no_domains[i], len))
			return false;
	return true;
}

/* End of the domain that begins here: the last good top label; 0 if none. */
static size_t
domain_end(const Scan *s, size_t at)
{
	size_t		from = at;
	size_t		label = at;
	size_t		found = 0;

	while (at - from <= DOMAIN_BYTES)
	{
		uint8_t		c = byte_at(s, at);

		if (byte_is(c, B_DOMAIN))
		{
			at++;
			continue;
		}
		if (at == label)
			break;
		if (label > from && top_label(s->text + label, at - label))
			found = at;
		if (c != '.')
			break;
		label = ++at;
	}
	return found;
}

/* In a local part, an escape of one of its signs: + - . _ */
static bool
local_escape(const Scan *s, size_t at)
{
	uint8_t		c = byte_at(s, at + 1);
	uint8_t		d = lower(byte_at(s, at + 2));

	return (c == '2' && (d == 'b' || d == 'd' || d == 'e')) || (c == '5' && d == 'f');
}

/* Where the local part before a sign begins. */
static size_t
local_start(const Scan *s, size_t at, bool escaped)
{
	size_t		start = at;

	while (start > 0 && at - start < LOCAL_BYTES && byte_is(s->text[start - 1], B_LOCAL))
	{
		/* In an escaped text %3D and the like end it. */
		if (escaped && s->text[start - 1] == '%' && !local_escape(s, start - 1))
			return start + 2 < at ? start + 2 : at;
		start--;
	}
	return start;
}

/* Where a local part in quotes, "john doe"@host, begins; the sign itself if it is none. */
static size_t
quoted_local(const Scan *s, size_t at)
{
	size_t		i;

	for (i = at - 1; i > 0 && at - i < LOCAL_BYTES && s->text[i - 1] >= ' '; i--)
		if (s->text[i - 1] == '"')
			return at - i > 1 && !byte_is(byte_before(s, i, 2), B_ALNUM) &&
				(i < 2 || strchr(" \t\n<,;:(", s->text[i - 2]) != NULL) ? i - 1 : at;
	return at;
}

/*
 * user/password@service, as Oracle's programs take it: behind the command or the
 * "thin:" of a URL.  The sign's position, or where the password ends.
 */
static size_t
oracle_login(Scan *s, size_t start, size_t at)
{
	static const char *const before[] = {"sqlplus ", "sqlplus -s ", "sqlldr ", "expdp ", "impdp ", ":thin:", ":oci:"};
	size_t		user = start - 1;
	size_t		i;

	while (user > 0 && start - user < LOCAL_BYTES && byte_is(s->text[user - 1], B_TOKEN))
		user--;
	for (i = 0; user < start - 1 && i < sizeof(before) / sizeof(before[0]); i++)
	{
		size_t		len = strlen(before[i]);

		if (user >= len && equal_lower(s->text + user - len, before[i], len) &&
			!is_masked(s->text + start, at - start))
		{
			scan_hit(s, start, at, REDACT_SECRET, "login", STRENGTH_CONTEXT, 75);
			return at;
		}
	}
	return at + 1;
}

/* '@' or %40: an address?  Returns where the pass goes on. */
size_t
detect_at(Scan *s, size_t at, size_t sign)
{
	size_t		start = local_start(s, at, sign > 1);
	size_t		end;

	while (start < at && !byte_is(s->text[start], B_ALNUM) && s->text[start] != '_' &&
		   s->text[start] < 0x80)
		start++;
	if (start > 1 && start < at && s->text[start - 1] == '/' && wants(s, REDACT_SECRET))
		oracle_login(s, start, at);
	if (start == at && at > 2 && sign == 1 && s->text[at - 1] == '"')
		start = quoted_local(s, at);
	if (start == at || s->text[at - 1] == '.')
		return at + 1;
	/* The n of an escaped newline belongs to the text before. */
	if (byte_before(s, start, 1) == '\\' && at - start > 1 &&
		strchr("nrt", s->text[start]) != NULL)
		start++;
	end = domain_end(s, at + sign);
	if (end == 0)
		return at + 1;
	if (at - start == 3 && equal_lower(s->text + start, "git", 3) && byte_at(s, end) == ':')
		return at + 1;			/* git@host:path */
	scan_hit(s, start, end, REDACT_EMAIL, NULL, STRENGTH_VALID, 95);
	return end;
}

/*
 * '(': name (at) host (dot) org, as addresses are hidden from programs?  Returns
 * where the pass goes on.
 */
size_t
detect_spelled_mail(Scan *s, size_t at)
{
	size_t		start = at;
	size_t		host = at + 4;
	size_t		end;

	if (s->len - at < 8 || !equal_lower(s->text + at, "(at)", 4))
		return at + 1;
	start -= byte_before(s, start, 1) == ' ';
	host += byte_at(s, host) == ' ';
	end = start;
	start = local_start(s, start, false);
	while (start < end && !byte_is(s->text[start], B_ALNUM))
		start++;
	at += 4;
	if (start == end)
		return at;
	end = domain_end(s, host);
	if (end == 0)
	{
		/* The dots may be spelled, too. */
		for (end = host; byte_is(byte_at(s, end), B_DOMAIN); end++);
		while (end > host && s->len - end > 6)
		{
			size_t		dot = end + (s->text[end] == ' ');
			size_t		label;

			if (!equal_lower(s->text + dot, "(dot)", 5))
				break;
			label = dot + 5 + (s->text[dot + 5] == ' ');
			for (dot = label; byte_is(byte_at(s, dot), B_DOMAIN); dot++);
			if (dot - label < 2)
				break;
			end = dot;
			host = 0;
		}
		if (host != 0)
			return at;
	}
	if (byte_at(s, end) == '(')
		return at;				/* look(at)me.now() */
	scan_hit(s, start, end, REDACT_EMAIL, "spelled", STRENGTH_SHAPE, 80);
	return end;
}

/* Bytes that end the part of a URL before the path. */
static bool
ends_authority(uint8_t c)
{
	return c <= ' ' || c == '/' || c == '?' || c == '#' || c == '"' || c == '\'' ||
		c == '<' || c == '>' || c == '`' || c == '\\' || c == '|';
}

/* Can a host begin here?  That of an image's digest (name:tag@sha256:...) is none. */
static bool
host_begins(const Scan *s, size_t at)
{
	uint8_t		c = byte_at(s, at);

	if (s->len - at > 7 && equal_lower(s->text + at, "sha", 3) && s->text[at + 6] == ':')
		return false;
	return byte_is(c, B_ALNUM | B_DOMAIN) || (c != 0 && strchr("[${%", c) != NULL);
}

/* Is there a number of a port behind the colon, and then the path? */
static bool
is_port(const Scan *s, size_t at)
{
	size_t		from = at;

	while (byte_is(byte_at(s, at), B_DIGIT) && at - from < 6)
		at++;
	return at > from && (at == s->len || ends_authority(s->text[at]));
}

#define RAW_BYTES	128

/*
 * The sign behind a password with bytes that a URL should have escaped, such as
 * pa/ss#1: what follows a name and is no port is no path either.  Blanks and
 * quotes, which end the URL nearly always, only among other signs.
 */
static size_t
raw_password_end(const Scan *s, size_t from)
{
	bool		word = false;	/* holds a letter or digit */
	bool		blank = false;
	size_t		i;

	if (is_port(s, from) || strchr("{<$%(*/", byte_at(s, from)) != NULL)
		return 0;
	for (i = from; i < s->len && i - from < RAW_BYTES && s->text[i] != '\n'; i++)
	{
		uint8_t		c = s->text[i];

		word |= byte_is(c, B_DOMAIN) && c != '-';
		blank |= c <= ' ' || c == '"' || c == '\'';
		if (word && blank)
			return 0;
		if (c == '@' && i > from && host_begins(s, i + 1))
			return i;
	}
	return 0;
}

/* "://": a user and a password before the host?  Only the password is hit. */
size_t
detect_url(Scan *s, size_t at)
{
	size_t		from = at + 3;
	size_t		i;
	size_t		sign = 0;
	size_t		colon = 0;

	if (!byte_is(byte_before(s, at, 1), B_ALNUM))
		return at + 1;
	for (i = from; i < s->len && i - from < USERINFO_BYTES && !ends_authority(s->text[i]); i++)
	{
		if (s->text[i] == '@')
			sign = i;
		else if (s->text[i] == ':' && !colon)
			colon = i;
	}
	if (!sign && colon > from)
		sign = raw_password_end(s, colon + 1);
	if (!sign || !host_begins(s, sign + 1))
		return at + 1;
	if (colon && colon + 1 < sign && !is_masked(s->text + colon + 1, sign - colon - 1))
	{
		bool		marker = equal_lower(s->text + colon + 1, "x-oauth-basic", 13);

		/* https://<token>:x-oauth-basic@host: the user is the secret. */
		scan_hit(s, marker ? from : colon + 1, sign, REDACT_URL_CREDENTIALS,
				 "password", STRENGTH_VALID, 90);
		return sign + 1;
	}
	if ((!colon || colon > sign) && sign - from >= 20 &&
		!is_placeholder(s->text + from, sign - from) &&
		secret_value(s->text + from, sign - from, NAME_WEAK, true))
	{
		scan_hit(s, from, sign, REDACT_URL_CREDENTIALS, "token", STRENGTH_SHAPE, 70);
		return sign + 1;
	}
	return at + 1;
}
