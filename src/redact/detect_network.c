/*
 * detect_network.c
 *		IP and MAC addresses.
 */
#include <string.h>

#include "redact/scan_internal.h"

#define ADDRESS_BYTES	48		/* longer than any address with colons */

/*
 * Four numbers up to 255 without leading zeros and dots between, 0 or the
 * position after them.  Without branches on digits, which nothing foretells.
 */
static size_t
read_ipv4(const Scan *s, size_t at)
{
	uint8_t		copy[16] = {0};
	const uint8_t *p = s->text + at;
	size_t		n = 0;
	bool		good = true;
	int			i;

	if (s->len - at < sizeof(copy))
	{
		memcpy(copy, p, s->len - at);
		p = copy;
	}
	for (i = 0; i < 4; i++)
	{
		unsigned	first = p[n] - (unsigned) '0';
		unsigned	second = p[n + 1] - (unsigned) '0';
		unsigned	third = p[n + 2] - (unsigned) '0';
		unsigned	two = second <= 9;
		unsigned	three = two & (third <= 9);
		unsigned	value = first;

		value = two ? value * 10 + second : value;
		value = three ? value * 10 + third : value;
		good &= (first <= 9) & (value <= 255) & !(two & (first == 0));
		n += 1 + two + three;
		if (i < 3)
			good &= p[n++] == '.';
	}
	return good ? at + n : 0;
}

/* Is what ends at a position in the host of an e-mail address, which a tag will cover? */
static bool
in_mail(const Scan *s, size_t at)
{
	size_t		end = at;

	while (at > 0 && end - at < 64 && (byte_is(s->text[at - 1], B_DOMAIN) || s->text[at - 1] == '.'))
		at--;
	return at > 0 && (s->text[at - 1] == '@' || s->text[at - 1] == '%' || end - at == 64);
}

/* "version", "ver", "v" or "release" right before: no address. */
static bool
after_version(const Scan *s, size_t start)
{
	static const char *const words[] = {
		"version", "ver", "release", "build", "rev",
		/* programs that say their version like this: Firefox/2.0.0.4 */
		"firefox", "chrome", "crios", "fxios", "opera", "browser", "edg", "edge", "opr"
	};
	size_t		end = start;
	size_t		i;

	while (end > 0 && start - end < 3 && (s->text[end - 1] == ' ' || s->text[end - 1] == ':' ||
										  s->text[end - 1] == '=' || s->text[end - 1] == '/'))
		end--;
	if (end == start || end < 3)
		return false;
	switch (lower(s->text[end - 1]))
	{
		case 'n':
		case 'r':
		case 'e':
		case 'd':
		case 'v':
			break;
		case 'x':
		case 's':
		case 'a':
		case 'g':
			if (s->text[end] == '/')
				break;
			return false;
		default:
			return false;
	}
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
	{
		size_t		len = strlen(words[i]);

		if (end >= len && equal_lower(s->text + end - len, words[i], len) &&
			!byte_is(byte_before(s, end - len, 1), B_ALPHA))
			return !in_mail(s, end - len);
	}
	return false;
}

/*
 * Is the number behind an address a port, as tcpdump writes it?
 * 10.1.2.3.443 > 10.9.8.7.5555: Flags
 */
static bool
is_dotted_port(const Scan *s, size_t at, size_t dot)
{
	size_t		end = dot + 1;

	while (end - dot < 7 && byte_is(byte_at(s, end), B_DIGIT))
		end++;
	if (byte_at(s, end) == ' ' && byte_at(s, end + 1) == '>' && byte_at(s, end + 2) == ' ')
		return true;
	return byte_at(s, end) == ':' && byte_before(s, at, 1) == ' ' && byte_before(s, at, 2) == '>';
}

/* A dotted quad at a digit run; 0 or its end. */
size_t
detect_ipv4(Scan *s, size_t at)
{
	size_t		end = read_ipv4(s, at);
	uint8_t		before = byte_before(s, at, 1);
	uint8_t		after = byte_at(s, end);

	if (end == 0 || byte_is(before, B_ALNUM) || before == '_' ||
		byte_is(after, B_ALNUM) || after == '_' || after == '%')
		return 0;
	if (before == '.' && byte_is(byte_before(s, at, 2), B_DIGIT))
		return 0;
	if (after == '.' && byte_is(byte_at(s, end + 1), B_DIGIT) && !is_dotted_port(s, at, end))
		return 0;
	if (after_version(s, at))
		return 0;
	scan_hit(s, at, end, REDACT_IP, "ipv4", STRENGTH_VALID, 90);
	return end;
}

/*
 * Reads an IPv6 address; 0 or the position after it.  Groups are counted as
 * in RFC 4291; "::" stands for at least one group; the last two may be a
 * dotted quad.
 */
static size_t
read_ipv6(const Scan *s, size_t at)
{
	int			groups = 0;
	bool		gap = false;
	bool		digit = false;

	if (byte_at(s, at) == ':')
	{
		if (byte_at(s, at + 1) != ':')
			return 0;
		gap = true;
		at += 2;
	}
	while (groups < 8)
	{
		size_t		from = at;
		size_t		quad;

		while (byte_is(byte_at(s, at), B_HEX) && at - from < 5)
		{
			digit |= byte_is(s->text[at], B_DIGIT);
			at++;
		}
		if (at - from > 4)
			return 0;
		if (at == from)
			break;
		if (byte_at(s, at) == '.' && groups <= 6 && (quad = read_ipv4(s, from)) != 0)
		{
			groups += 2;
			at = quad;
			digit = true;
			break;
		}
		groups++;
		if (byte_at(s, at) != ':')
			break;
		if (byte_at(s, at + 1) == ':')
		{
			if (gap)
				return 0;
			gap = true;
			at += 2;
		}
		else if (byte_is(byte_at(s, at + 1), B_HEX))
			at++;
		else
			break;
	}
	if (gap ? (groups > 7 || groups == 0) : groups != 8)
		return 0;
	/* Words of hexadecimal letters (a::b, dead::beef) need a digit somewhere. */
	return digit ? at : 0;
}

/* Six pairs of hexadecimal digits with a sign between; not all the same. */
static size_t
read_mac(const Scan *s, size_t at, uint8_t sep)
{
	size_t		from = at;
	int			i;
	bool		same = true;

	for (i = 0; i < 6; i++, at += 3)
	{
		if (!byte_is(byte_at(s, at), B_HEX) || !byte_is(byte_at(s, at + 1), B_HEX))
			return 0;
		if (i < 5 && byte_at(s, at + 2) != sep)
			return 0;
		if (s->text[at] != s->text[from] || s->text[at + 1] != s->text[from])
			same = false;
	}
	at--;
	if (same || byte_is(byte_at(s, at), B_ALNUM) || byte_at(s, at) == '_' ||
		(byte_at(s, at) == sep && byte_is(byte_at(s, at + 1), B_HEX)))
		return 0;
	return at;
}

/* A MAC address that begins two bytes before a sign, and stands free. */
static size_t
free_mac(Scan *s, size_t at, uint8_t sep)
{
	size_t		start;
	size_t		end;
	uint8_t		before;

	if (at < 2)
		return 0;
	start = at - 2;
	before = byte_before(s, start, 1);
	if (byte_is(before, B_ALNUM) || before == '_' || before == sep)
		return 0;
	end = read_mac(s, start, sep);
	if (end)
		scan_hit(s, start, end, REDACT_MAC, "eui48", STRENGTH_VALID, 90);
	return end;
}

/* ':' inside a MAC or IPv6 address.  Returns where the pass goes on. */
size_t
detect_colon_address(Scan *s, size_t anchor)
{
	size_t		at = anchor;
	size_t		start = at;
	size_t		end;
	uint8_t		before;

	if (anchor < s->colon_end)
		return anchor + 1;
	/* The anchor may be any colon of the region; the region has one judgement. */
	while (start > s->colon_end && at - start < ADDRESS_BYTES &&
		   (s->text[start - 1] == ':' || byte_is(s->text[start - 1], B_HEX)))
		start--;
	if (s->text[start] == ':' && byte_at(s, start + 1) != ':')
		start++;
	for (at = start; byte_is(byte_at(s, at), B_HEX); at++);
	if (byte_at(s, at) != ':')
		return anchor + 1;
	if (byte_at(s, at + 1) != ':' && (start == at || !byte_is(byte_at(s, at + 1), B_HEX)))
		return anchor + 1;

	/* The region is judged once, at its first colon. */
	for (end = at; end < s->len && (s->text[end] == ':' || byte_is(s->text[end], B_HEX)); end++)
		tick(s, end);
	s->colon_end = end;

	before = byte_before(s, start, 1);
	if (wants(s, REDACT_MAC) && at - start == 2 && (end = free_mac(s, at, ':')) != 0)
		return end;
	if (!wants(s, REDACT_IP) || byte_is(before, B_ALNUM) || before == '_' || before == '.' ||
		before >= 0x80)
		return anchor + 1;
	end = read_ipv6(s, start);
	if (end == 0 || byte_is(byte_at(s, end), B_ALNUM) || byte_at(s, end) == '_' ||
		(byte_at(s, end) == ':' && byte_is(byte_at(s, end + 1), B_HEX)) ||
		(byte_at(s, end) == ':' && byte_at(s, end + 1) == ':') ||
		(byte_at(s, end) == '.' && byte_is(byte_at(s, end + 1), B_DIGIT)))
		return anchor + 1;
	scan_hit(s, start, end, REDACT_IP, "ipv6", STRENGTH_VALID, 90);
	return end;
}

/* '-' inside a MAC address. */
size_t
detect_dash_mac(Scan *s, size_t at)
{
	size_t		end = 0;

	/* The anchor is the second sign. */
	if (wants(s, REDACT_MAC) && at >= 5 && s->text[at - 3] == '-')
		end = free_mac(s, at - 3, '-');
	return end ? end : at + 1;
}

/* '.' inside a MAC address as switches write it: 0123.4567.89ab. */
size_t
detect_dot_mac(Scan *s, size_t at)
{
	size_t		start;
	size_t		i;
	bool		letter = false;

	if (!wants(s, REDACT_MAC) || at < 4)
		return at + 1;
	start = at - 4;
	for (i = 0; i < 14; i++)
	{
		uint8_t		c = byte_at(s, start + i);

		if (i % 5 == 4 ? c != '.' : !byte_is(c, B_HEX))
			return at + 1;
		letter |= byte_is(c, B_ALPHA);
	}
	if (!letter || byte_is(byte_before(s, start, 1), B_ALNUM) ||
		strchr("._-", byte_before(s, start, 1)) != NULL)
		if (!letter || byte_before(s, start, 1) != 0)
			return at + 1;
	if (byte_is(byte_at(s, start + 14), B_ALNUM) ||
		(byte_at(s, start + 14) == '.' && byte_is(byte_at(s, start + 15), B_ALNUM)))
		return at + 1;
	scan_hit(s, start, start + 14, REDACT_MAC, "eui48", STRENGTH_SHAPE, 80);
	return start + 14;
}
