/*
 * fuzz_scan.c
 *		Throws made-up texts at the scanner and checks what it promises:
 *		spans lie inside the text, in order, apart from each other; redacting
 *		twice changes nothing, in any style, with the packs and without; SIMD
 *		finds what the tables find; time grows with the length, not its square.
 *
 * Stands alone (fuzz_scan [seconds] [seed] [file of inputs, a line each in
 * hexadecimal]), or is linked as a libFuzzer
 * target with -DLIBFUZZER.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "redact/render.h"
#include "redact/rules.h"

#ifndef LIBFUZZER

/* Pieces that put detectors on the trail; none is a working credential. */
static const char *const pieces[] = {
	"jo@example.org", "@", "+14155550132", "(415) 555-0132", "4111 1111 1111 1111",
	"4111111111111111", "536-32-3065", "GB82 WEST 1234 5698 7654 32", "10.1.2.3",
	"2001:db8::1", "::", "00:1a:2b:3c:4d:5e", "00-1A-2B-3C-4D-5E", "001a.2b3c.4d5e",
	"https://u:pw@h/", "://", ":", "password=", "\"api_key\": \"", "token=", "x9K2mQ7wL4pZ8vN3",
	"gh" "p_", "AK" "IA", "eyJ", "eyJhbGciOiJub25l.", "-----BEGIN PRIVATE KEY-----",
	"-----END PRIVATE KEY-----", "Bearer ", "--password ", "curl -u a:b12", "[EMAIL]", "[SECRET]",
	"phone ", "card ", "ssn ", "office", "\\n", "\\\"", "\n", " ", "\"", "'", "<", ">", "=", ",",
	"-", ".", "_", "/", "0", "1234567", "a", "Z", "\xff", "\xc3\xa9", "user_", "abcdefghijklmnopqrstuvwxyz",
	"kind: Secret\n", "data:\n", " k: dmFsdWU=\n", "---\n", "jo%40example.org", "Q~", "-us20", "0123456789abcdef",
	"\"hunter2\" == password", "password \"hunter2x\"", "4111.1111.1111.1111", "addr:10.1.2.3:5000:", " /10.1.2.3,", "12/10.1.2.3 ", "from jo@example.org, ", "xxxx", "****", "${X}", "SK", "SG" ".", "sk-", "wh" "sec_", "Falcon", "falcon ", "EMP-", "EMP-12345", "tkt_", "Kunde 7", "[FALCON", "(", ")", "[", "]", "{", "x123", "00",
	"mysql -u a -phunter2", "redis-cli -a hunter2 ", " -p", "curl -u ", "docker login -u b -p x9x9x9 r.io", "echo 'x9x9' | sudo -S", "| docker login --password-stdin",
	"machine h login u password p4ssw0rd", "login b ", "password ", "db.x.io:5432:shop:app:hunter2", ":*:", ":5432:", "IDENTIFIED BY 'hunter2'", "identified by tiger;",
	"username b password 7 0822455D", "$1$saltsalt$0123456789012345678901", "$", "root:chpasswd\n", "echo r:x9x9 | chpasswd\n", "jo (at) example (dot) org", "(at)", "scott/tiger1x@orcl", "sqlplus ",
	"contrase\xc3\xb1" "a: hola1234", "\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c: x9x9x9", "\xe5\xaf\x86\xe7\xa0\x81\xef\xbc\x9ax9x9x9", "\xc2\xa0", "\xe2\x80\x93", "+1\xc2\xa0" "415\xc2\xa0" "555\xc2\xa0" "0132",
	"\xe6\x89\x8b\xe6\x9c\xba 138 0013 8000", "DE89-37040044-0532013000", "FR14 20041 01005 0500013M026 06", "Mobile Safari/8536.25", "HTTP/1.1\" 200 78075", "Firefox/2.0.0.4", "10.1.2.3.443 > ", "Authorization: SSWS ", "dXNlcjpwYXNz", "PuTTY-User-Key-File-3: x\n", "Private-Lines: 2\n",
	"090-1234-5678", "0401-023-2137", "401-023-2137", "nhs ", "AB123456C", "010594Y9032", "3123 4567 8909", "passport ", "driver license ",
	"16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ", "0x52908400098527886E0F7030069857D2E4169EE7"
};

#define PIECES ((int) (sizeof(pieces) / sizeof(pieces[0])))

#endif

/* Rules of a tenant, some named like what they look for. */
static const char *const rule_words[] = {"vip"};
static RedactRule rule_list[] = {
	{.name = "falcon",.literal = "Falcon",.literal_len = 6,.ignore_case = true},
	{.name = "staff",.kind = RULE_PREFIX,.literal = "EMP-",.literal_len = 4,.class = RULE_DIGITS,.min_length = 1,.max_length = 6},
	{.name = "tkt_",.kind = RULE_PREFIX,.literal = "tkt_",.literal_len = 4,.class = RULE_TOKEN,.min_length = 1,.max_length = 30,.style = 1 + STYLE_MASK},
	{.name = "alc",.literal = "alc",.literal_len = 3,.context = rule_words,.ncontext = 1},
	{.name = "kunde",.kind = RULE_REGEX,.literal = "unde",.literal_len = 4},
	{.name = "e_mail",.kind = RULE_REGEX,.literal = "mail",.literal_len = 4,.style = 1 + STYLE_HASH}
};
static RedactRules rules = {.rules = rule_list,.count = sizeof(rule_list) / sizeof(rule_list[0])};
static const RedactRules *rules_used = NULL;

/* Stands for an expression: what is no blank around the literal. */
static bool
match_around(const RedactRule *rule, const char *text, size_t len, size_t *from, size_t *to)
{
	size_t		start = *from > RULE_WINDOW ? *from - RULE_WINDOW : 0;
	size_t		stop = len - *to > RULE_WINDOW ? *to + RULE_WINDOW : len;

	while (*from > start && text[*from - 1] != ' ')
		--*from;
	while (*to < stop && text[*to] != ' ')
		++*to;
	return true;
}

/* Memory for the rules, kept. */
static void *
zeroed(size_t size)
{
	static void *kept[16];
	static int	n = 0;

	return kept[n++] = calloc(1, size);
}

static uint64_t state = 88172645463325252ull;
static RedactResult result;

/* Every way to find anchors that this machine has; the first is the reference. */
static const char *const all_anchors[] = {"scalar", "sse2", "avx2", "avx512", "neon"};
static const char *anchors_used = "default";

/* xorshift: the same texts for the same seed everywhere. */
static uint32_t
next_random(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t) ((state >> 20) % below);
}

static void
fail(const char *what, const char *text, size_t len)
{
	size_t		i;

	fprintf(stderr, "fuzz_scan: %s (%s)\n", what, anchors_used);
	for (i = 0; i < len && i < 2000; i++)
		fprintf(stderr, (unsigned char) text[i] < 32 || (unsigned char) text[i] > 126 ? "\\x%02x" : "%c",
				(unsigned char) text[i]);
	fprintf(stderr, "\n");
	abort();
}

/* Scans a copy that ends where the text ends, so that a byte too far is seen. */
static void
scan(const char *text, size_t len, uint32_t kinds)
{
	RedactOptions options = {0};
	char	   *copy = malloc(len ? len : 1);
	size_t		end = 0;
	size_t		i;

	memcpy(copy, text, len);
	options.kinds = kinds;
	options.rules = rules_used;
	if (!redact_scan(copy, len, &options, &result))
		fail("out of memory", text, len);
	for (i = 0; i < result.count; i++)
	{
		const RedactSpan *span = &result.spans[i];

		if (span->start < end || span->len == 0 || span->start + span->len > len)
			fail("span out of order or out of the text", text, len);
		if (span->kind >= REDACT_KINDS || !(kinds & (1u << span->kind)))
			fail("span of a kind not asked for", text, len);
		end = span->start + span->len;
	}
	free(copy);
}

/* Are two spans the same, whatever stands between their fields? */
static bool
same_span(const RedactSpan *a, const RedactSpan *b)
{
	return a->start == b->start && a->len == b->len && a->subtype == b->subtype &&
		a->kind == b->kind && a->strength == b->strength && a->confidence == b->confidence && a->style == b->style;
}

/* Scans in every way; all must find what the reference finds. */
static void
compare_anchors(const char *text, size_t len)
{
	RedactSpan *reference = NULL;
	size_t		count = 0;
	size_t		i;

	for (i = 0; i < sizeof(all_anchors) / sizeof(all_anchors[0]); i++)
	{
		if (!redact_scan_use(all_anchors[i]))
			continue;
		anchors_used = all_anchors[i];
		scan(text, len, REDACT_EVERY_KIND);
		if (i == 0)
		{
			count = result.count;
			reference = malloc(count * sizeof(RedactSpan) + 1);
			if (count > 0)
				memcpy(reference, result.spans, count * sizeof(RedactSpan));
		}
		else
		{
			size_t		k;

			if (result.count != count)
				fail("another number of hits than the reference", text, len);
			for (k = 0; k < count; k++)
				if (!same_span(&reference[k], &result.spans[k]))
					fail("differs from the reference", text, len);
		}
	}
	free(reference);
	anchors_used = "default";
	redact_scan_use(NULL);
}

/* Letters for a hit, in the stead of those that a tenant's key gives. */
static void
name_hit(const void *key, const char *tag, const char *text, size_t len, char *letters)
{
	uint32_t	hash = 2166136261u;
	size_t		i;

	(void) key;
	(void) tag;
	for (i = 0; i < len; i++)
		hash = (hash ^ (uint8_t) text[i]) * 16777619u;
	for (i = 0; i < HASH_LETTERS; i++, hash = hash * 1664525u + 1013904223u)
		letters[i] = HASH_ALPHABET[hash >> 28];
}

/* Redacts until nothing is found, as the wrappers do; few passes must do. */
static void
check_text(const char *text, size_t len, uint32_t kinds, RedactStyle style)
{
	RedactNumbers numbers = {.name = name_hit};
	char	   *texts[REDACT_PASSES + 2];	/* numbers refer to those before */
	int			passes = style == STYLE_DROP ? REDACT_PASSES : REDACT_PASSES_TAG;
	size_t		first_len = len;
	bool		settled = false;
	int			pass;

	texts[0] = malloc(len + 1);
	memcpy(texts[0], text, len);
	for (pass = 0;; pass++)
	{
		char	   *now = texts[pass];
		size_t		bound;

		scan(now, len, kinds);
		if (result.count == 0)
			break;
		if (settled || pass == passes)
			fprintf(stderr, "fuzz_scan: style %s, kinds %x, now:\n%.*s\n", redact_style_name[style], kinds, (int) len, now);
		if (settled)
			fail("a text that was settled has hits", text, first_len);
		if (pass == passes)
			fail("redacting does not come to rest", text, first_len);
		settled = rules_used == NULL && redact_is_settled(now, len, &result, style, kinds);
		bound = redact_rendered_bound(len, &result);
		texts[pass + 1] = malloc(bound ? bound : 1);
		len = redact_render(now, len, &result, style, &numbers, texts[pass + 1]);
		if (len > bound)
			fail("longer than the bound", now, len);
	}
	for (; pass >= 0; pass--)
		free(texts[pass]);
	free(numbers.slots);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int			style;

	if (rules.next == NULL)
	{
		rules.match_regex = match_around;
		redact_rules_build(&rules, zeroed);
	}
	/* Without rules as for most tenants, then with. */
	for (rules_used = NULL;; rules_used = &rules)
	{
		scan((const char *) data, size, 1 + next_random(REDACT_EVERY_KIND));
		compare_anchors((const char *) data, size);
		for (style = 0; style < STYLES; style++)
		{
			check_text((const char *) data, size, REDACT_DEFAULT_KINDS, (RedactStyle) style);
			check_text((const char *) data, size, REDACT_EVERY_KIND, (RedactStyle) style);
		}
		if (rules_used != NULL)
			break;
	}
	rules_used = NULL;
	return 0;
}

#ifndef LIBFUZZER

/* A text of random pieces and bytes. */
static size_t
make_text(char *text, size_t room)
{
	size_t		len = 0;
	int			n = 1 + (int) next_random(24);

	while (n-- > 0)
	{
		if (next_random(8) == 0)
			text[len++] = (char) next_random(256);
		else
		{
			const char *piece = pieces[next_random(PIECES)];
			size_t		size = strlen(piece);

			if (next_random(6) == 0)
				size = 1 + next_random((uint32_t) size);
			if (len + size + 2 > room)
				break;
			memcpy(text + len, piece, size);
			len += size;
			if (next_random(3) == 0)
				text[len++] = ' ';
		}
	}
	return len;
}

/* What is found behind a blank must be found wherever a window of masks begins. */
static void
check_offsets(const char *piece)
{
	char		text[512];
	size_t		size = strlen(piece);
	size_t		offset;

	/* Behind so many blanks that the piece is not alone. */
	for (offset = 4; offset < 200; offset++)
	{
		memset(text, ' ', sizeof(text));
		memcpy(text + offset, piece, size);
		scan(text, offset + size + 1, REDACT_EVERY_KIND);
		if (offset == 4 && result.count == 0)
			return;
		if (result.count == 0)
			fail("not found at every place", text, offset + size + 1);
	}
}

/* Seconds of processor time to scan a piece repeated to a length. */
static double
time_repeated(const char *piece, size_t len)
{
	char	   *text = malloc(len);
	size_t		size = strlen(piece);
	size_t		i;
	clock_t		start;
	double		seconds;

	for (i = 0; i < len; i++)
		text[i] = piece[i % size];
	start = clock();
	scan(text, len, REDACT_EVERY_KIND);
	seconds = (double) (clock() - start) / CLOCKS_PER_SEC;
	free(text);
	return seconds;
}

/* Eight times the text must not take much more than eight times as long. */
static void
check_linear(const char *piece)
{
	double		small = time_repeated(piece, 1 << 15);
	double		big = time_repeated(piece, 1 << 18);

	if (big > 0.1 && big > 24 * small)
	{
		fprintf(stderr, "%.3f s for 32 KB, %.3f s for 256 KB\n", small, big);
		fail("time is not linear", piece, strlen(piece));
	}
}

/* Tries the inputs of a file: what libFuzzer kept, and what once failed. */
static long
try_seeds(const char *path)
{
	FILE	   *file = fopen(path, "r");
	char		line[4096];
	long		n = 0;

	if (file == NULL)
	{
		perror(path);
		exit(2);
	}
	for (; fgets(line, sizeof(line), file) != NULL; n++)
	{
		uint8_t		bytes[sizeof(line) / 2];
		size_t		len = 0;
		unsigned	byte;

		while (sscanf(line + 2 * len, "%2x", &byte) == 1)
			bytes[len++] = (uint8_t) byte;
		LLVMFuzzerTestOneInput(bytes, len);
	}
	fclose(file);
	return n;
}

int
main(int argc, char **argv)
{
	time_t		stop;
	static const char *const hostile[] = {
		"@", "1", ":", "a@a", "::::", "://///", "-", "eyJ-", "eyJ.", "sk-", "1 ", "1-", "AAAA/+",
		"a.", "\"", "password=", "password:\"", "(1", "0:0:", "\\\"", "http://a", "gl" "pat-", "-----BEGIN PRIVATE KEY-----",
		"kind: secret\n", "data:\n k: vvv\nkind: Secret\n", "%40", "a%40", "Q~", "password \"", "\"a\" == password ",
		" -p", "mysql -p ", "curl -u a", "(at)", "a(at)", "1\xc2\xa0", "\xc2\xa0", "\xd1\x8c", "\xe7\xa0\x81:", "$1$", "$", "login a password ", "machine ", ":5432:", ":*:", "|", "echo |", "sudo -S ", "DE89 ", "a.5432:b:"
	};
	char		text[4096];
	long		n = 0;
	size_t		i;

	if (argc > 2)
		state = strtoull(argv[2], NULL, 10) * 2654435761u + 1;
	for (i = 0; i < PIECES; i++)
	{
		check_linear(pieces[i]);
		check_offsets(pieces[i]);
	}
	for (i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++)
		check_linear(hostile[i]);
	if (argc > 3)
		n += try_seeds(argv[3]);
	stop = time(NULL) + (argc > 1 ? atoi(argv[1]) : 10);
	do
	{
		size_t		len = make_text(text, sizeof(text));

		LLVMFuzzerTestOneInput((const uint8_t *) text, len);
		n++;
	} while (time(NULL) < stop);
	printf("fuzz_scan: %ld texts, nothing found\n", n);
	free(result.spans);
	return 0;
}

#endif
