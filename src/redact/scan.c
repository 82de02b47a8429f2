/*
 * scan.c
 *		The scanner's entry points, its classes of bytes, and which of two
 *		overlapping hits wins.
 */
#include <stdlib.h>
#include <string.h>

#include "redact/anchors.h"
#include "redact/scan_internal.h"

const char *const redact_kind_name[REDACT_KINDS] = {
	"email", "phone", "credit_card", "us_ssn", "iban", "ip", "mac",
	"url_credentials", "secret", "national_id", "crypto_wallet", "custom"
};

uint16_t	scan_byte[256];

/* Gives the bytes of a string a property. */
static void
add_bytes(const char *bytes, uint16_t property)
{
	for (; *bytes; bytes++)
		scan_byte[(uint8_t) *bytes] |= property;
}

/* Fills the tables, once per process. */
static void
make_tables(void)
{
	int			c;

	for (c = '0'; c <= '9'; c++)
		scan_byte[c] = B_DIGIT | B_HEX | B_TOKEN | B_LOCAL | B_DOMAIN | B_VALUE;
	for (c = 'A'; c <= 'Z'; c++)
	{
		scan_byte[c] = B_ALPHA | B_TOKEN | B_LOCAL | B_DOMAIN | B_VALUE | B_PLAIN;
		scan_byte[lower(c)] = scan_byte[c];
	}
	for (c = 0x80; c < 256; c++)
		scan_byte[c] = B_LOCAL | B_DOMAIN | B_VALUE;
	add_bytes("abcdefABCDEF", B_HEX);
	add_bytes(" \t\r\n\v\f", B_SPACE);
	add_bytes("_-", B_TOKEN);
	add_bytes("-", B_DOMAIN);
	add_bytes("._%+-'&~", B_LOCAL);
	add_bytes("!#$%*+-./:=?@^_|~[]{(", B_VALUE);
	add_bytes(" -./()", B_SIGN);
	add_bytes("()<>{}\"'`,;\\|", B_CODE);
	add_bytes("\"'`,;&<\\", B_STOP);
	add_bytes(" _", B_PLAIN);
	name_init();
	foreign_init();
	context_init();
	token_init();
	iban_init();
	phone_init();
	id_init();
	anchors_init();
	pass_init();
}

/* Compares with a word in lower case, ignoring the text's case. */
bool
equal_lower(const uint8_t *text, const char *word, size_t len)
{
	size_t		i;

	for (i = 0; i < len; i++)
		if (lower(text[i]) != (uint8_t) word[i])
			return false;
	return true;
}

/*
 * End of the run of token bytes around a position.  Remembered, so that many
 * prefixes inside one long run do not measure it again and again.
 */
size_t
token_run_end(Scan *s, size_t at)
{
	if (at >= s->token_start && at < s->token_end)
		return s->token_end;
	s->token_start = at;
	while (at < s->len && byte_is(s->text[at], B_TOKEN))
		at++;
	s->token_end = at;
	return at;
}

/* Makes room for one more span. */
static bool
grow(Scan *s)
{
	RedactResult *r = s->result;
	size_t		room = r->room ? r->room * 2 : 16;
	void	   *old = r->spans == r->lent ? NULL : r->spans;
	void	   *spans;

	if (s->opt->resize)
		spans = s->opt->resize(old, room * sizeof(RedactSpan));
	else
		spans = realloc(old, room * sizeof(RedactSpan));
	if (spans == NULL)
	{
		s->out_of_memory = true;
		return false;
	}
	if (old == NULL && r->count > 0)
		memcpy(spans, r->spans, r->count * sizeof(RedactSpan));
	r->spans = spans;
	r->room = room;
	return true;
}

/* Notes a hit; overlaps are settled at the end of the pass. */
void
scan_hit(Scan *s, size_t start, size_t end, RedactKind kind,
		 const char *subtype, RedactStrength strength, int confidence)
{
	RedactResult *r = s->result;
	RedactSpan *span;

	if (!wants(s, kind) || end <= start || s->out_of_memory)
		return;
	if (r->count == r->room && !grow(s))
		return;
	span = &r->spans[r->count++];
	span->start = start;
	span->len = end - start;
	span->kind = kind;
	span->subtype = subtype;
	span->strength = strength;
	span->confidence = confidence;
	span->style = 0;
}

/* Order of spans: by start, the longer one first. */
static int
compare_spans(const void *a, const void *b)
{
	const RedactSpan *x = a;
	const RedactSpan *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->len != y->len)
		return x->len > y->len ? -1 : 1;
	return (int) x->kind - (int) y->kind;
}

/* Does the left of two overlapping spans give the name? */
static bool
left_wins(const RedactSpan *left, const RedactSpan *right)
{
	if (left->kind == REDACT_SECRET && right->start + right->len <= left->start + left->len)
		return true;			/* a secret that contains something is one secret */
	if (left->strength != right->strength)
		return left->strength > right->strength;
	return left->len >= right->len;
}

/*
 * Sorts, and merges what overlaps into one span under the winner's name: what
 * any detector claimed is covered, nothing is nested.
 */
static void
settle_overlaps(RedactResult *r)
{
	size_t		i;
	size_t		kept = 0;
	bool		sorted = true;

	for (i = 1; i < r->count && sorted; i++)
		sorted = compare_spans(&r->spans[i - 1], &r->spans[i]) <= 0;
	if (!sorted)
		qsort(r->spans, r->count, sizeof(RedactSpan), compare_spans);

	for (i = 1; i < r->count; i++)
	{
		RedactSpan *last = &r->spans[kept];
		RedactSpan	next = r->spans[i];
		size_t		end = last->start + last->len;

		if (i % SPANS_PER_TICK == 0 && r->interrupt)
			r->interrupt();
		if (next.start >= end)
		{
			r->spans[++kept] = next;
			continue;
		}
		if (next.start + next.len > end)
			end = next.start + next.len;
		if (!left_wins(last, &next))
		{
			next.start = last->start;
			*last = next;
		}
		last->len = end - last->start;
	}
	if (r->count > 0)
		r->count = kept + 1;
}

/* Are there n hexadecimal digits at a position? */
static inline bool
hex_digits(const Scan *s, size_t at, size_t n)
{
	while (n > 0 && byte_is(byte_at(s, at), B_HEX))
	{
		at++;
		n--;
	}
	return n == 0;
}

/* Ends an escaped character here: \n, %3D or \u003d? */
bool
after_escape(const Scan *s, size_t at)
{
	return byte_before(s, at, 2) == '\\' ||
		(byte_before(s, at, 3) == '%' && hex_digits(s, at - 2, 2)) ||
		(byte_before(s, at, 6) == '\\' && byte_before(s, at, 5) == 'u' &&
		 hex_digits(s, at - 4, 4));
}

/* Under a key such as "password" the whole value is the secret. */
static bool
value_of_secret_key(Scan *s)
{
	int			name;

	if (!wants(s, REDACT_SECRET) || s->len > 4096)
		return false;
	name = secret_name((const uint8_t *) s->opt->key, s->opt->key_len);
	if (name == NAME_NONE || !secret_value(s->text, s->len, name, true))
		return false;
	scan_hit(s, 0, s->len, REDACT_SECRET, "named", STRENGTH_CONTEXT, 80);
	return true;
}

bool
redact_scan_use(const char *name)
{
	AnchorFunction function;

	if (find_anchors == NULL)
		make_tables();
	function = anchors_function(name);
	if (function != NULL)
		find_anchors = function;
	return function != NULL;
}

#define SHORTEST_HIT	3		/* ::1 */
#define SHORTEST_TOKEN	15		/* of letters alone */

/* Can a detector find nothing, whatever the text says?  True of most short values. */
static bool
is_hopeless(const uint8_t *text, size_t len)
{
	size_t		i;

	if (len >= SHORTEST_TOKEN)
		return false;
	for (i = 0; i < len && byte_is(text[i], B_PLAIN); i++);
	return len < SHORTEST_HIT || i == len;
}

/* Scans a text in which, or in whose key, something may be. */
static bool
scan_text(const uint8_t *text, size_t len, bool key_counts, bool is_hopeless,
		  const RedactOptions *opt, RedactResult *result)
{
	Scan		s = {0};

	s.text = text;
	s.len = len;
	s.opt = opt;
	s.result = result;
	if (key_counts)
	{
		s.key_context = context_of((const uint8_t *) opt->key, opt->key_len, true);
		if (value_of_secret_key(&s))
			return !s.out_of_memory;
	}
	if (!is_hopeless)
		scan_windows(&s);
	else if (opt->rules == NULL)
		return true;
	if ((opt->kinds & REDACT_PACKS) && !(opt->first_only && result->count > 0))
		scan_packs(&s);
	if (opt->rules != NULL)
		rules_scan(&s);
	settle_overlaps(result);
	return !s.out_of_memory;
}

bool
redact_scan(const char *text, size_t len, const RedactOptions *opt,
			RedactResult *result)
{
	const uint8_t *bytes = (const uint8_t *) text;
	bool		key_counts;
	bool		hopeless;

	if (find_anchors == NULL)
		make_tables();
	result->count = 0;
	result->interrupt = opt->interrupt;
	key_counts = opt->key != NULL && name_has_root((const uint8_t *) opt->key, opt->key_len);
	hopeless = is_hopeless(bytes, len);
	if (hopeless && !key_counts && opt->rules == NULL)
		return true;
	return scan_text(bytes, len, key_counts, hopeless, opt, result);
}

bool
redact_number_key(const RedactOptions *opt)
{
	if (find_anchors == NULL)
		make_tables();
	return opt->key != NULL && ((opt->kinds & 1u << REDACT_NATIONAL_ID) ||
								name_has_root((const uint8_t *) opt->key, opt->key_len));
}

int
redact_number(const char *digits, size_t len, const RedactOptions *opt)
{
	unsigned	context;
	size_t		i;

	if (len == 0 || len > 19 || !redact_number_key(opt))
		return -1;
	for (i = 0; i < len; i++)
		if (digits[i] < '0' || digits[i] > '9')
			return -1;
	context = context_of((const uint8_t *) opt->key, opt->key_len, true);
	if ((context & CONTEXT_CARD) && (opt->kinds & (1u << REDACT_CREDIT_CARD)) &&
		len >= 12 && luhn(digits, (int) len))
		return REDACT_CREDIT_CARD;
	if ((context & CONTEXT_SSN) && (opt->kinds & (1u << REDACT_US_SSN)) &&
		len == 9 && ssn_valid(digits))
		return REDACT_US_SSN;
	if ((context & CONTEXT_PHONE) && (opt->kinds & (1u << REDACT_PHONE)) &&
		len >= 7 && len <= 15)
		return REDACT_PHONE;
	if ((opt->kinds & (1u << REDACT_SECRET)) &&
		secret_name((const uint8_t *) opt->key, opt->key_len) == NAME_STRONG)
		return REDACT_SECRET;
	if ((opt->kinds & (1u << REDACT_NATIONAL_ID)) && id_number(digits, len, opt))
		return REDACT_NATIONAL_ID;
	return -1;
}
