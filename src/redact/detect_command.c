/*
 * detect_command.c
 *		Passwords in command lines: --password ..., mysql -p..., curl -u name:...,
 *		redis-cli -a ..., and echo ... | sudo -S.
 */
#include <string.h>

#include "redact/scan_internal.h"

#define COMMAND_BYTES	256		/* looked back for the command of an option */

/* How an option is followed by a password. */
#define GLUED		0x01		/* -pword */
#define APART		0x02		/* -p word */
#define PREFIX		0x04		/* the command's name may go on: mysqldump */
#define BEHIND		0x08		/* of "name%word": behind this sign */

static const struct
{
	const char *command;
	char		option;
	uint8_t		how;
	char		sign;
}			options[] = {
	{"mysql", 'p', GLUED | PREFIX, 0}, {"mariadb", 'p', GLUED | PREFIX, 0},
	{"sshpass", 'p', GLUED | APART, 0}, {"mongo", 'p', GLUED | APART | PREFIX, 0},
	{"login", 'p', GLUED | APART, 0}, {"cqlsh", 'p', GLUED | APART, 0}, {"rdesktop", 'p', APART, 0},
	{"7z", 'p', GLUED | PREFIX, 0}, {"rar", 'p', GLUED, 0}, {"unrar", 'p', GLUED, 0},
	{"zip", 'P', GLUED | APART, 0}, {"unzip", 'P', GLUED | APART, 0}, {"sqlcmd", 'P', GLUED | APART, 0},
	{"bcp", 'P', GLUED | APART, 0}, {"isql", 'P', GLUED | APART, 0}, {"osql", 'P', GLUED | APART, 0},
	{"redis-cli", 'a', APART, 0}, {"valkey-cli", 'a', APART, 0}, {"http", 'a', APART | BEHIND, ':'},
	{"https", 'a', APART | BEHIND, ':'}, {"ldap", 'w', GLUED | APART | PREFIX, 0},
	{"curl", 'u', GLUED | APART | BEHIND, ':'}, {"lftp", 'u', APART | BEHIND, ','},
	{"smbclient", 'U', APART | BEHIND, '%'}, {"rpcclient", 'U', APART | BEHIND, '%'},
	{"openssl", 'k', APART, 0}
};

/* Ends a command line before a position; one of our tags does, too. */
static bool
ends_command(const Scan *s, size_t at)
{
	uint8_t		c = s->text[at];

	return c == ';' || c == '|' || c == '&' || c == ']' || (c == '\n' && byte_before(s, at, 1) != '\\');
}

/* "docker login -u ..." or "login reg.example -u ...", and no prose about logins? */
static bool
is_login(const Scan *s, size_t end)
{
	size_t		at = end + 1;

	while (byte_is(byte_at(s, at), B_ALPHA))
		at++;
	return at == end + 1 || !byte_is(byte_at(s, at), B_SPACE);
}

/*
 * Is a command with such an option called to the left of it?  Which, or -1.
 */
static int
command_of(const Scan *s, size_t dash, uint8_t option)
{
	size_t		at = dash;
	size_t		end;
	int			i;

	while (at > 0 && dash - at < COMMAND_BYTES)
	{
		for (; at > 0 && (byte_is(s->text[at - 1], B_SPACE) || s->text[at - 1] == '\\') &&
			 !ends_command(s, at - 1); at--);
		end = at;
		while (at > 0 && dash - at < COMMAND_BYTES && byte_is(s->text[at - 1], B_TOKEN))
			at--;
		/* The n of an escaped newline is no part of the word. */
		if (end - at > 1 && byte_before(s, at, 1) == '\\' && s->text[at] == 'n')
			at++;
		for (i = 0; at < end && i < (int) (sizeof(options) / sizeof(options[0])); i++)
		{
			size_t		len = strlen(options[i].command);

			if (options[i].option == (char) option && end - at >= len &&
				(end - at == len || (options[i].how & PREFIX)) &&
				equal_lower(s->text + at, options[i].command, len))
				return len == 5 && options[i].option == 'p' && s->text[end - 1] == 'n' && !is_login(s, end) ? -1 : i;
		}
		if (at > 0 && (ends_command(s, at - 1) || (at < end && s->text[at - 1] == '\\')))
			break;
		if (at == end && at > 0)
			at--;
	}
	return -1;
}

/* End of the argument that begins at a position, or of what is in its quotes. */
static size_t
argument_end(const Scan *s, size_t at, uint8_t quote)
{
	size_t		end = at;

	while (end < s->len && end - at < COMMAND_BYTES && s->text[end] != '\n' &&
		   (quote ? s->text[end] != quote :
			s->text[end] > ' ' && strchr("\"'`;|<>\\", s->text[end]) == NULL))
		end++;
	return end;
}

/*
 * The password that is an argument at a position, or the part of the argument
 * behind a sign.  Its end, or 0.
 */
static size_t
argument_value(Scan *s, size_t at, char sign)
{
	size_t		depth = 0;
	uint8_t		quote = 0;
	size_t		end;

	while (byte_at(s, at + depth) == '\\')
		depth++;
	if (is_quote(byte_at(s, at + depth)))
	{
		quote = depth ? '\\' : s->text[at];
		at += depth + 1;
	}
	end = argument_end(s, at, quote);
	if (sign)
	{
		const uint8_t *found = memchr(s->text + at, sign, end - at);

		/* Nor may a tag of ours join the name to what was apart from it. */
		if (found == NULL || found == s->text + at || found[-1] == ']')
			return 0;
		at = (size_t) (found - s->text) + 1;
		/* name:"password" */
		if (!quote && at == end && is_quote(byte_at(s, at)))
			end = argument_end(s, at + 1, s->text[at]), at++;
	}
	if (end - at < 3 || s->text[at] == '-' || (sign == ':' && s->text[at] == '/') || is_placeholder(s->text + at, end - at))
		return 0;
	scan_hit(s, at, end, REDACT_SECRET, "login", STRENGTH_CONTEXT, 75);
	return end;
}

/*
 * The password that is piped into a command: echo 'word' | sudo -S.  Only what
 * stands behind the sign, where names are given, too.
 */
static bool
piped_value(Scan *s, size_t command, char sign)
{
	size_t		pipe = command;
	size_t		at;

	while (pipe > 0 && command - pipe < COMMAND_BYTES && !ends_command(s, pipe - 1))
		pipe--;
	if (pipe == 0 || s->text[pipe - 1] != '|')
		return false;
	for (at = --pipe; at > 5 && pipe - at < COMMAND_BYTES && !ends_command(s, at - 1); at--)
		if (memcmp(s->text + at - 5, "echo ", 5) == 0 && !byte_is(byte_before(s, at - 5, 1), B_ALNUM))
		{
			while (s->text[at] == '-' && byte_at(s, at + 2) == ' ')
				at += 3;
			return argument_value(s, at, sign) != 0;
		}
	if (at == 5 && memcmp(s->text, "echo ", 5) == 0)
		return argument_value(s, at, sign) != 0;
	return false;
}

/* -storepass word, as some commands write long options. */
static size_t
long_option(Scan *s, size_t at)
{
	size_t		to = at + 1;
	size_t		end;
	int			name;

	while (to < s->len && to - at < NAME_BYTES && byte_is(s->text[to], B_TOKEN))
		to++;
	if (to - at < 5 || byte_at(s, to) != ' ' || byte_at(s, to + 1) == '-')
		return at + 1;
	name = secret_name(s->text + at + 1, to - at - 1);
	end = name == NAME_NONE ? 0 : judge_value(s, to + 1, name);
	return end ? end : at + 1;
}

/* '-' and a letter, behind a blank: an option that is followed by a password? */
size_t
detect_option(Scan *s, size_t at)
{
	uint8_t		option = byte_at(s, at + 1);
	uint8_t		next = byte_at(s, at + 2);
	size_t		value = at + 2;
	size_t		end;
	int			i;

	if (option == 'S' && at > 5 && memcmp(s->text + at - 5, "sudo ", 5) == 0)
	{
		piped_value(s, at - 5, '\0');
		return at + 2;
	}
	if (strchr("pPawuUk", option) == NULL || (i = command_of(s, at, option)) < 0)
		return byte_is(byte_at(s, at + 4), B_ALPHA) ? long_option(s, at) : at + 1;
	if (next == '=')
		value++;
	else if (next == ' ' ? !(options[i].how & APART) : !(options[i].how & GLUED))
		return at + 2;
	while (byte_at(s, value) == ' ' || (byte_at(s, value) == '\\' && byte_at(s, value + 1) == '\n'))
		value += s->text[value] == ' ' ? 1 : 2;
	end = argument_value(s, value, options[i].sign);
	return end ? end : at + 2;
}

/* "--password value", "--user name:password", echo value | ... --password-stdin. */
size_t
detect_flag(Scan *s, size_t at)
{
	size_t		from = at + 2;
	size_t		to = from;
	size_t		end;
	int			name;

	while (to < s->len && to - from < NAME_BYTES && byte_is(s->text[to], B_TOKEN))
		to++;
	if (to - from == 14 && equal_lower(s->text + from, "password-stdin", 14))
	{
		piped_value(s, at, '\0');
		return to;
	}
	if (to == from || byte_at(s, to) != ' ' || byte_at(s, to + 1) == '-')
		return from;
	if (to - from == 4 && equal_lower(s->text + from, "user", 4) && command_of(s, at, 'u') >= 0)
	{
		for (; byte_at(s, to) == ' '; to++);
		end = argument_value(s, to, ':');
		return end ? end : from;
	}
	name = secret_name(s->text + from, to - from);
	if (name == NAME_NONE)
		return from;
	end = judge_value(s, to + 1, name);
	return end ? end : from;
}

/* The name chpasswd ends here: echo name:word | chpasswd. */
void
detect_chpasswd(Scan *s, size_t at)
{
	if (at > 8 && memcmp(s->text + at - 8, "chpasswd", 8) == 0)
		piped_value(s, at - 8, ':');
}
