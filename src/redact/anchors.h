/*
 * anchors.h
 *		Where in a window of bytes a hit can be anchored.
 *
 * Bytes are classified 64 at a time into masks, one bit a byte: by AVX2, SSE2
 * or NEON, or by tables, which is the reference.  Shifts and additions of the
 * masks then tell which few positions a detector has to visit, so that a window
 * without any costs no branch for its bytes.  A mask is a filter: it may show a
 * position where nothing is, and never hides one where a detector would hit.
 *
 * A window begins WINDOW_BEFORE bytes before the positions it decides, WINDOW
 * in number, and ends WINDOW_AFTER bytes behind them; so no bit is ever carried
 * from one window to the next but that of a name that goes on.
 */
#ifndef BCCE_REDACT_ANCHORS_H
#define BCCE_REDACT_ANCHORS_H

#include <stdbool.h>
#include <stdint.h>

#define WINDOW_BEFORE	8
#define WINDOW			48
#define WINDOW_AFTER	8
#define WINDOW_BYTES	66		/* the 64 and two that end words inside it */

/* One bit for each byte of a window, the first byte lowest. */
typedef struct ByteMasks
{
	uint64_t	digit;
	uint64_t	letter;
	uint64_t	upper;
	uint64_t	hex_letter;
	uint64_t	at;
	uint64_t	colon;
	uint64_t	dash;
	uint64_t	dot;
	uint64_t	space;
	uint64_t	bracket;		/* ( ) */
	uint64_t	path;			/* / + ~ */
	uint64_t	underscore;
	uint64_t	escape;			/* % \ */
	uint64_t	after;			/* what can stand between a name and its value */
	uint64_t	secret;			/* three letters of a word for a secret begin */
	uint64_t	context;		/* a word that says what a number is may begin */
} ByteMasks;

/* The answer for the WINDOW positions of a window. */
typedef struct Anchors
{
	uint64_t	visit;			/* positions a detector has to see */
	uint64_t	name_end;		/* first byte after a name that may be a secret's */
	uint64_t	context;		/* starts of words that may be context */
} Anchors;

/*
 * Finds the anchors of n windows; each begins WINDOW bytes behind the last, and
 * all their bytes can be read.  open_name, in and out: a name goes on from
 * before the first, or behind the last.
 */
typedef void (*AnchorFunction) (const uint8_t *window, int n, Anchors *anchors, uint64_t *open_name);

/*
 * Three letters of every word looked for, shared out to eight buckets; tables
 * by the low and the high half of each letter.  Sixteen bytes are what one
 * shuffle instruction looks up.
 */
typedef struct LiteralSet
{
	uint8_t		low[3][16];
	uint8_t		high[3][16];
} LiteralSet;

extern LiteralSet secret_literals;
extern LiteralSet context_literals;

/* Bytes of the class "after", by the same halves. */
extern uint8_t after_low[16];
extern uint8_t after_high[16];

extern void anchors_scalar(const uint8_t *window, int n, Anchors *anchors, uint64_t *open_name);
extern void anchors_sse2(const uint8_t *window, int n, Anchors *anchors, uint64_t *open_name);
extern void anchors_avx2(const uint8_t *window, int n, Anchors *anchors, uint64_t *open_name);
extern void anchors_avx512(const uint8_t *window, int n, Anchors *anchors, uint64_t *open_name);
extern void anchors_neon(const uint8_t *window, int n, Anchors *anchors, uint64_t *open_name);

/* Fills the tables; call once. */
extern void anchors_init(void);

/* The fastest function of this machine, or the one named (for tests). */
extern AnchorFunction anchors_function(const char *name);

/* Literals of a set that begin at byte i, by the tables. */
static inline bool
literal_at(const LiteralSet *set, const uint8_t *p)
{
	uint8_t		bits = 0xFF;
	int			k;

	for (k = 0; k < 3; k++)
	{
		uint8_t		c = p[k] | 0x20;

		bits &= set->low[k][c & 15] & set->high[k][c >> 4];
	}
	return bits != 0;
}

/* Starts of runs of n bits, for the lengths that are asked for. */
static inline uint64_t
runs6(uint64_t m)
{
	uint64_t	two = m & m >> 1;

	return two & two >> 2 & two >> 4;
}

static inline uint64_t
runs7(uint64_t m)
{
	uint64_t	two = m & m >> 1;
	uint64_t	four = two & two >> 2;

	return four & four >> 3;
}

static inline uint64_t
runs8(uint64_t m)
{
	uint64_t	two = m & m >> 1;
	uint64_t	four = two & two >> 2;

	return four & four >> 4;
}

/*
 * Digit runs that could begin a number: six digits, or seven bytes of digits
 * with one sign between them (brackets may bring a second).  Never right behind
 * a letter, unless that ends an escape such as \n.  In the middle of a chain
 * of digits and signs only three digits begin something, or a dotted address.
 */
static inline uint64_t
number_starts(const ByteMasks *m, uint64_t escaped)
{
	uint64_t	d = m->digit;
	uint64_t	sign = m->space | m->dash | m->dot | m->path | m->bracket;
	uint64_t	between = sign & d << 1 & d >> 1;
	uint64_t	bracket = m->bracket | (sign & (m->bracket << 1 | m->bracket >> 1));
	uint64_t	number = d | between | bracket;
	uint64_t	glued = (m->letter | m->underscore) << 1 & ~escaped;
	uint64_t	middle = (sign | m->colon) << 1 & d << 2;
	uint64_t	dotted = (m->dot >> 1 | m->dot >> 2 | m->dot >> 3) & ~(m->dot << 1);

	return d & ~(d << 1) & ~glued & (runs7(number) | runs6(d)) &
		(~middle | (d >> 1 & d >> 2) | dotted);
}

/* Colons of URLs, of addresses and of tokens that have one. */
static inline uint64_t
colon_anchors(const ByteMasks *m)
{
	uint64_t	c = m->colon;
	uint64_t	hex = m->digit | m->hex_letter;
	uint64_t	two = m->digit & m->digit << 1;
	uint64_t	four = two & two << 2;
	uint64_t	chain;

	/* Another colon at most five bytes before, and one as near behind. */
	chain = c & hex << 1 & hex >> 1 & (c << 2 | c << 3 | c << 4 | c << 5) &
		(c >> 2 | c >> 3 | c >> 4 | c >> 5);
	return (c & m->path >> 1 & m->path >> 2) |
		(c & c >> 1 & (hex << 1 | hex >> 2)) | chain |
		(c & (four & four << 4) << 1 & m->letter >> 1);
}

/* Dashes and dots of hardware addresses, of key armour and of flags. */
static inline uint64_t
dash_anchors(const ByteMasks *m)
{
	uint64_t	d = m->dash;
	uint64_t	hex = m->digit | m->hex_letter;

	return (d & d >> 1 & ~(d << 1)) |
		(d & d << 3 & d >> 3 & d >> 6 & hex >> 1 & hex >> 2) |
		(d & m->space << 1 & m->letter >> 1 & m->space >> 2) |
		(m->dot & m->dot >> 5 & hex << 1 & hex << 2 & hex >> 1 & hex >> 2 & hex >> 3 & hex >> 4);
}

/* Words with which a token or an IBAN can begin. */
static inline uint64_t
word_anchors(const ByteMasks *m, uint64_t escaped)
{
	uint64_t	word = m->letter | m->digit;
	uint64_t	token = word | m->underscore | m->dash | m->dot | m->path;
	uint64_t	start = m->letter & (~(word << 1) | escaped);
	uint64_t	gap = m->space | m->dash;

	return start & (runs8(token) |
					(m->letter >> 1 & m->digit >> 3 &
					 (m->digit >> 2 | (gap >> 2 & m->digit >> 4))));
}

/*
 * Positions right behind a name that holds one of the secret words, where a
 * sign can follow.  Adding the start of a word to the run of name bytes around
 * it carries a bit to the end of the run.
 */
static inline uint64_t
name_ends(const ByteMasks *m, uint64_t *open)
{
	uint64_t	old = ((uint64_t) 1 << WINDOW_BEFORE) - 1;
	uint64_t	name = (m->letter | m->digit | m->underscore | m->dash | m->dot) & ~old;
	uint64_t	from = (m->secret & m->letter & ~old) | *open << WINDOW_BEFORE;
	uint64_t	reached = (((from & name) + name) ^ name) | from;
	/* Behind a blank: a sign, more blanks, or the token of "Bearer ...". */
	uint64_t	blank = m->after >> 1 | runs7(name | m->path) >> 1;

	*open = reached >> (WINDOW_BEFORE + WINDOW) & 1;
	return reached & ~name & m->after & (~m->space | blank);
}

static inline __attribute__((always_inline)) void
combine_masks(const ByteMasks *m, Anchors *anchors, uint64_t *open_name)
{
	const uint64_t decided = ((uint64_t) 1 << WINDOW) - 1;
	uint64_t	escaped = m->escape << 2 | m->escape << 3 | m->escape << 6;
	uint64_t	visit;

	visit = m->at | number_starts(m, escaped) | colon_anchors(m) |
		dash_anchors(m) | word_anchors(m, escaped);
	anchors->visit = visit >> WINDOW_BEFORE & decided;
	anchors->name_end = name_ends(m, open_name) >> WINDOW_BEFORE & decided;
	anchors->context = (m->context & m->letter & (~(m->letter << 1) | m->upper)) >>
		WINDOW_BEFORE & decided;
}

#endif
