/*
 * scan_pass.c
 *		The pass over the windows of a text, and which detector sees what.
 *
 * Masks say where a hit can be anchored; the rest is never looked at.  Every
 * look from an anchor is bounded or remembered, so no text takes more than
 * linear time.
 */
#include <string.h>

#include "redact/anchors.h"
#include "redact/scan_internal.h"

typedef enum Anchor
{
	A_NONE,
	A_DIGIT,
	A_LETTER,
	A_AT,
	A_COLON,
	A_DASH,
	A_DOT,
	A_PERCENT,
	A_TILDE,
	A_DOLLAR,
	A_BRACKET,
	A_HIGH
} Anchor;

static uint8_t anchor[256];

AnchorFunction find_anchors = NULL;

/* Gives the bytes of a string an anchor class. */
static void
add_anchor(const char *bytes, Anchor class)
{
	for (; *bytes; bytes++)
		anchor[(uint8_t) *bytes] = class;
}

/* Fills the table of anchors, and takes the fastest way to find them. */
void
pass_init(void)
{
	int			c;

	for (c = '0'; c <= '9'; c++)
		anchor[c] = A_DIGIT;
	for (c = 'A'; c <= 'Z'; c++)
		anchor[c] = anchor[lower(c)] = A_LETTER;
	add_anchor("@", A_AT);
	add_anchor(":", A_COLON);
	add_anchor("-", A_DASH);
	add_anchor(".", A_DOT);
	add_anchor("%", A_PERCENT);
	add_anchor("~", A_TILDE);
	add_anchor("$", A_DOLLAR);
	add_anchor("(", A_BRACKET);
	for (c = 0x80; c < 256; c++)
		anchor[c] = A_HIGH;
	find_anchors = anchors_function(NULL);
}

/*
 * A word begins: a known prefix or an IBAN?  Nearly always neither, which the
 * gate and the place of the first digit tell.
 */
static inline size_t
visit_letter(Scan *s, size_t at)
{
	const uint8_t *text = s->text + at;
	unsigned	index;
	bool		token;
	size_t		next;

	if (s->len - at < 5)
		return at + 1;
	index = token_gate_index(text[0], text[1], text[2]);
	token = token_gate[index >> 3] >> (index & 7) & 1;
	if (!token && !byte_is(text[3], B_DIGIT))
		return at + 1;
	/* In escaped text the n of \n belongs to no word. */
	if (byte_before(s, at, 1) == '\\' && strchr("nrtbf", text[0]) != NULL)
		return at + 1;
	if (byte_is(byte_before(s, at, 1), B_ALNUM) && !after_escape(s, at))
		return at + 1;
	next = token ? detect_token(s, at) : at;
	if (next == at && wants(s, REDACT_IBAN))
		next = detect_iban(s, at);
	return next > at ? next : at + 1;
}

/* ':' is in URLs, addresses, bot tokens and assignments. */
static size_t
visit_colon(Scan *s, size_t at)
{
	size_t		next;

	if (byte_at(s, at + 1) == '/' && byte_at(s, at + 2) == '/')
	{
		if (wants(s, REDACT_URL_CREDENTIALS))
		{
			next = detect_url(s, at);
			if (next > at + 1)
				return next;
		}
		return at + 1;
	}
	if ((byte_before(s, at, 1) == '*' || byte_is(byte_before(s, at, 4), B_DIGIT)) && wants(s, REDACT_SECRET))
	{
		next = detect_pgpass(s, at);
		if (next > at + 1)
			return next;
	}
	next = detect_colon_address(s, at);
	if (next > at + 1)
		return next;
	if (!wants(s, REDACT_SECRET))
		return at + 1;
	return detect_bot_token(s, at);
}

/* '-' opens key armour, a command-line flag, or stands in a MAC or a key. */
static inline size_t
visit_dash(Scan *s, size_t at)
{
	if (byte_before(s, at, 1) == ' ' && byte_is(byte_at(s, at + 1), B_ALPHA))
		return wants(s, REDACT_SECRET) ? detect_option(s, at) : at + 1;
	if (byte_at(s, at + 1) == '-' && wants(s, REDACT_SECRET))
	{
		if (byte_at(s, at + 2) == '-')
			return detect_armour(s, at);
		return detect_flag(s, at);
	}
	if (byte_at(s, at + 3) == '-')
		return detect_dash_mac(s, at);
	return detect_mailchimp_key(s, at);
}

/* Calls the detectors of one anchor. */
static inline size_t
visit(Scan *s, size_t at)
{
	switch (anchor[s->text[at]])
	{
		case A_DIGIT:
			return detect_digits(s, at);
		case A_LETTER:
			return visit_letter(s, at);
		case A_AT:
			return wants(s, REDACT_EMAIL) ? detect_at(s, at, 1) : at + 1;
		case A_COLON:
			return visit_colon(s, at);
		case A_DASH:
			return visit_dash(s, at);
		case A_DOT:
			return byte_at(s, at + 5) == '.' ? detect_dot_mac(s, at) : at + 1;
		case A_PERCENT:
			return byte_at(s, at + 1) == '4' && byte_at(s, at + 2) == '0' &&
				wants(s, REDACT_EMAIL) ? detect_at(s, at, 3) : at + 1;
		case A_TILDE:
			return detect_azure_secret(s, at);
		case A_DOLLAR:
			return detect_password_hash(s, at);
		case A_BRACKET:
			return wants(s, REDACT_EMAIL) ? detect_spelled_mail(s, at) : at + 1;
		case A_HIGH:
			return detect_foreign(s, at);
		default:
			return at + 1;
	}
}

/* Windows whose anchors are found at once: in the text itself, or in a copy of it. */
#define BATCH			32
#define BATCH_COPIED	12
#define BATCH_BYTES		((BATCH_COPIED - 1) * WINDOW + WINDOW_BYTES + 64)

/*
 * How many windows to take from a position on: all of a short text, else a few
 * at its ends, where they hang over, and as many as a batch holds between.
 */
static int
batch_windows(const Scan *s, size_t at)
{
	size_t		left = s->len - at;
	size_t		inside;

	if (left <= BATCH_COPIED * WINDOW)
		return (int) ((left + WINDOW - 1) / WINDOW);
	if (at < WINDOW_BEFORE)
		return LANES;
	inside = (left - (WINDOW_BYTES - WINDOW_BEFORE)) / WINDOW + 1;
	return inside < BATCH ? (int) inside : BATCH;
}

/* memcpy() for sizes of a line: no call, and none of the slow string instructions. */
static inline void
copy_bytes(uint8_t *to, const uint8_t *from, size_t n)
{
	size_t		i;

	if (n < 16)
	{
		for (i = 0; i < n; i++)
			to[i] = from[i];
		return;
	}
	for (i = 0; i + 16 < n; i += 16)
		memcpy(to + i, from + i, 16);
	memcpy(to + n - 16, from + n - 16, 16);
}

/*
 * The bytes of the windows from a position on: those of the text, or where the
 * windows hang over one of its ends a copy with zeros there.
 */
static const uint8_t *
batch_bytes(const Scan *s, size_t at, int n, uint8_t *copy)
{
	size_t		size = (size_t) (n - 1) * WINDOW + WINDOW_BYTES;
	size_t		before = at < WINDOW_BEFORE ? at : WINDOW_BEFORE;
	size_t		after = s->len - at;

	if (before == WINDOW_BEFORE && after >= size - WINDOW_BEFORE)
		return s->text + at - WINDOW_BEFORE;
	if (after > size - WINDOW_BEFORE)
		after = size - WINDOW_BEFORE;
	/* The last window begins inside the text, so less than 64 bytes are missing. */
	memset(copy, 0, WINDOW_BEFORE);
	copy_bytes(copy + WINDOW_BEFORE - before, s->text + at - before, before + after);
	memset(copy + WINDOW_BEFORE + after, 0, 64);
	return copy;
}

/* A position of a batch: its window, and the bit in that window's masks. */
#define POSITION_BITS	6

/*
 * Lists the positions of a batch where something is to be seen; how many.
 * Numbers that are nothing without a word beside them count only if there is
 * one.  Most windows have two at most, which is told without a branch.
 */
static int
list_positions(const Scan *s, Anchors *anchors, int n, uint64_t before, uint16_t *positions)
{
	int			count = 0;
	int			i;

	for (i = 0; i < n; i++)
	{
		Anchors    *a = &anchors[i];
		uint64_t	context = before | a->context | anchors[i + 1].context | anchors[i + 2].context;
		uint64_t	bits;
		int			k;

		a->visit |= context ? a->number : 0;
		before = a->context | s->key_context;
		bits = a->visit | a->name_end;
		for (k = 0; k < 2; k++)
		{
			positions[count] = (uint16_t) (i << POSITION_BITS | __builtin_ctzll(bits | (uint64_t) 1 << WINDOW));
			count += bits != 0;
			bits &= bits - 1;
		}
		for (; bits; bits &= bits - 1)
			positions[count++] = (uint16_t) (i << POSITION_BITS | __builtin_ctzll(bits));
	}
	return count;
}

/* Calls the detectors for each position; where the pass goes on. */
static size_t
visit_positions(Scan *s, size_t next, const uint16_t *positions, int n)
{
	bool		secrets = wants(s, REDACT_SECRET);
	int			i;

	for (i = 0; i < n; i++)
	{
		int			window = positions[i] >> POSITION_BITS;
		int			bit = positions[i] & ((1 << POSITION_BITS) - 1);
		size_t		here = s->batch + (size_t) (window * WINDOW + bit);

		if (here < next)
			continue;
		if ((s->anchors[window].name_end >> bit & 1) && secrets)
			next = detect_named(s, here);
		if (next <= here && (s->anchors[window].visit >> bit & 1))
			next = visit(s, here);
	}
	return next;
}

/* The pass. */
void
scan_windows(Scan *s)
{
	uint8_t		copy[BATCH_BYTES];
	Anchors		anchors[BATCH + 2];
	uint16_t	positions[BATCH * WINDOW + 2];
	uint64_t	open_name = 0;
	uint64_t	before = s->key_context;	/* words in the window before */
	size_t		next = 0;
	size_t		next_tick = 0;

	s->anchors = anchors;
	while (s->batch_end < s->len && !(s->opt->first_only && s->result->count > 0))
	{
		size_t		at = s->batch_end;
		int			n = batch_windows(s, at);
		int			i;

		if (at >= next_tick)
		{
			next_tick = at + TICK_BYTES;
			if (s->opt->interrupt)
				s->opt->interrupt();
		}
		find_anchors(batch_bytes(s, at, n, copy), n, anchors, &open_name);
		s->batch = at;
		s->batch_end = at + (size_t) n * WINDOW;
		/* The windows behind are not known yet. */
		memset(&anchors[n], s->batch_end < s->len ? 0xFF : 0, 2 * sizeof(Anchors));
		next = visit_positions(s, next, positions, list_positions(s, anchors, n, before, positions));
		before = anchors[n - 1].context | s->key_context;
		/* The last words are as far back as a number of the next batch looks. */
		for (i = n - 1; i >= 0 && i >= n - 2; i--)
			if (anchors[i].context)
			{
				s->last_context = s->batch + (size_t) (i * WINDOW + 64 - __builtin_clzll(anchors[i].context));
				break;
			}
		if (next > s->batch_end)
		{
			/* Behind a hit or a long run; which words it held is not known. */
			s->batch_end = next;
			open_name = 0;
			before = 1;
			s->last_context = next;
		}
	}
	s->anchors = NULL;
}
