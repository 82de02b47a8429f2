/*
 * detect_command.c
 *		Passwords in command lines: --password ..., curl -u name:..., sshpass -p ...
 *		and docker login -p ...
 */
#include <string.h>

#include "redact/scan_internal.h"

#define COMMAND_BYTES	96

/*
 * Behind a name and a blank: the password of "sshpass -p word", or of "docker
 * login -u name -p word".
 */
size_t
detect_command(Scan *s, size_t at)
{
	size_t		from = name_start(s, at);
	size_t		len = at - from;
	size_t		value = 0;
	size_t		end;
	size_t		i;

	if (len == 7 && equal_lower(s->text + from, "sshpass", 7) &&
		s->len - at > 4 && memcmp(s->text + at, " -p", 3) == 0)
		value = at + 3 + (s->text[at + 3] == ' ');
	else if (len == 5 && equal_lower(s->text + from, "login", 5))
	{
		for (i = at; i + 4 < s->len && i - at < COMMAND_BYTES && s->text[i] != '\n' && s->text[i] != '[' && !value; i++)
			if (memcmp(s->text + i, " -p ", 4) == 0)
				value = i + 4;
	}
	end = value ? judge_value(s, value, NAME_STRONG) : 0;
	return end ? end : at;
}

/* "curl -u name:password": only after that command, others mean a group. */
size_t
detect_login_flag(Scan *s, size_t at, size_t value)
{
	size_t		from = at;
	size_t		colon;
	size_t		end;
	uint8_t		quote = 0;

	while (from > 0 && at - from < 256 &&
		   (s->text[from - 1] != '\n' || byte_before(s, from, 2) == '\\') && s->text[from - 1] != ']' &&
		   !(s->text[from] == 'c' && at - from > 4 && equal_lower(s->text + from, "curl", 4)))
		from--;
	if (at - from < 5 || !equal_lower(s->text + from, "curl", 4))
		return at + 2;
	while (byte_at(s, value) == ' ')
		value++;
	if (is_quote(byte_at(s, value)))
		quote = s->text[value++];
	for (colon = value; colon < s->len && colon - value < 64 && s->text[colon] > ' ' &&
		 s->text[colon] != ':'; colon++);
	if (byte_at(s, colon) != ':')
		return at + 2;
	from = colon + 1;
	if (!quote && is_quote(byte_at(s, from)))
		quote = s->text[from++];
	for (end = from; end < s->len && end - from < 256 && s->text[end] > ' ' &&
		 s->text[end] != quote && s->text[end] != '\\'; end++);
	if (end - from < 3 || is_placeholder(s->text + from, end - from))
		return at + 2;
	scan_hit(s, from, end, REDACT_SECRET, "login", STRENGTH_CONTEXT, 70);
	return end;
}

/* "--password value", "--user name:password". */
size_t
detect_flag(Scan *s, size_t at)
{
	size_t		from = at + 2;
	size_t		to = from;
	size_t		end;
	int			name;

	while (to < s->len && to - from < NAME_BYTES && byte_is(s->text[to], B_TOKEN))
		to++;
	if (to - from == 4 && equal_lower(s->text + from, "user", 4) && byte_at(s, to) == ' ')
		return detect_login_flag(s, at, to + 1);
	if (to == from || byte_at(s, to) != ' ' || byte_at(s, to + 1) == '-')
		return from;
	name = secret_name(s->text + from, to - from);
	if (name == NAME_NONE)
		return from;
	end = judge_value(s, to + 1, name);
	return end ? end : from;
}
