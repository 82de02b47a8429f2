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

/* Windows whose masks are worked on at once, side by side in one vector. */
#define LANES			4

typedef uint64_t Lanes __attribute__((vector_size(8 * LANES)));

/* For each lane one bit for each byte of its window, the first byte lowest. */
typedef struct ByteMasks
{
	Lanes		digit;
	Lanes		letter;
	Lanes		upper;
	Lanes		hex_letter;
	Lanes		at;
	Lanes		colon;
	Lanes		dash;
	Lanes		dot;
	Lanes		space;
	Lanes		bracket;		/* ( ) */
	Lanes		path;			/* / + ~ */
	Lanes		underscore;
	Lanes		escape;			/* % \ */
	Lanes		after;			/* what can stand between a name and its value */
	Lanes		secret;			/* three letters of a word for a secret begin */
	Lanes		context;		/* a word that says what a number is may begin */
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

/* Bits that begin a run of six, seven or eight. */
#define RUN2(m)		((m) & (m) >> 1)
#define RUN4(m)		(RUN2(m) & RUN2(m) >> 2)
#define RUN6(m)		(RUN4(m) & RUN2(m) >> 4)
#define RUN7(m)		(RUN4(m) & RUN4(m) >> 3)
#define RUN8(m)		(RUN4(m) & RUN4(m) >> 4)

#define INLINE static inline __attribute__((always_inline))

/*
 * Digit runs that could begin a number: six digits, or seven bytes of digits
 * with one sign between them (brackets may bring a second).  Never right behind
 * a letter, unless that ends an escape such as \n.  In the middle of a chain
 * of digits and signs only three digits begin something, or a dotted address.
 */
INLINE void
number_starts(const ByteMasks *m, const Lanes *escaped, Lanes *visit)
{
	Lanes		d = m->digit;
	Lanes		sign = m->space | m->dash | m->dot | m->path | m->bracket;
	Lanes		between = sign & d << 1 & d >> 1;
	Lanes		bracket = m->bracket | (sign & (m->bracket << 1 | m->bracket >> 1));
	Lanes		number = d | between | bracket;
	Lanes		glued = (m->letter | m->underscore) << 1 & ~*escaped;
	Lanes		middle = (sign | m->colon) << 1 & d << 2;
	Lanes		dotted = (m->dot >> 1 | m->dot >> 2 | m->dot >> 3) & ~(m->dot << 1);

	*visit |= d & ~(d << 1) & ~glued & (RUN7(number) | RUN6(d)) &
		(~middle | (d >> 1 & d >> 2) | dotted);
}

/* Colons of URLs, of addresses and of tokens that have one. */
INLINE void
colon_anchors(const ByteMasks *m, Lanes *visit)
{
	Lanes		c = m->colon;
	Lanes		hex = m->digit | m->hex_letter;
	Lanes		two = m->digit & m->digit << 1;
	Lanes		four = two & two << 2;
	Lanes		chain;

	/* Another colon at most five bytes before, and one as near behind. */
	chain = c & hex << 1 & hex >> 1 & (c << 2 | c << 3 | c << 4 | c << 5) &
		(c >> 2 | c >> 3 | c >> 4 | c >> 5);
	*visit |= (c & m->path >> 1 & m->path >> 2) |
		(c & c >> 1 & (hex << 1 | hex >> 2)) | chain |
		(c & (four & four << 4) << 1 & m->letter >> 1);
}

/* Signs inside of tokens: name%40host, 3Q~ of Azure, 32 digits and -us20. */
INLINE void
sign_anchors(const ByteMasks *m, Lanes *visit)
{
	Lanes		hex = m->digit | m->hex_letter;
	Lanes		two = hex & hex << 1;
	Lanes		four = two & two << 2;

	*visit |= (m->escape & m->digit >> 1 & m->digit >> 2) |
		(m->path & m->letter << 1 & m->digit << 2) |
		(m->dash & (four & four << 4) << 1 & m->letter >> 1 & m->letter >> 2 & m->digit >> 3);
}

/* Dashes and dots of hardware addresses, of key armour and of flags. */
INLINE void
dash_anchors(const ByteMasks *m, Lanes *visit)
{
	Lanes		d = m->dash;
	Lanes		hex = m->digit | m->hex_letter;

	*visit |= (d & d >> 1 & ~(d << 1)) |
		(d & d << 3 & d >> 3 & d >> 6 & hex >> 1 & hex >> 2) |
		(d & m->space << 1 & m->letter >> 1 & m->space >> 2) |
		(m->dot & m->dot >> 5 & hex << 1 & hex << 2 & hex >> 1 & hex >> 2 & hex >> 3 & hex >> 4);
}

/* Words with which a token or an IBAN can begin. */
INLINE void
word_anchors(const ByteMasks *m, const Lanes *escaped, Lanes *visit)
{
	Lanes		word = m->letter | m->digit;
	Lanes		token = word | m->underscore | m->dash | m->dot | m->path;
	Lanes		start = m->letter & (~(word << 1) | *escaped);
	Lanes		gap = m->space | m->dash;
	/* No token begins with nine small letters, as words of prose do. */
	Lanes		other = ~m->letter | m->upper;
	Lanes		two = other | other >> 1;
	Lanes		four = two | two >> 2;
	Lanes		mixed = four | four >> 4 | other >> 8;

	*visit |= start & ((RUN8(token) & mixed) |
					   (m->letter >> 1 & m->digit >> 3 &
						(m->digit >> 2 | (gap >> 2 & m->digit >> 4))));
}

/*
 * The names of each window, and where in them a word for a secret begins; and
 * the bytes that may stand behind such a name: behind a blank only a sign, more
 * blanks, or the token of "Bearer ...".
 */
INLINE void
name_masks(const ByteMasks *m, Lanes *name, Lanes *from, Lanes *behind)
{
	const uint64_t fresh = ~(((uint64_t) 1 << WINDOW_BEFORE) - 1);
	Lanes		all = m->letter | m->digit | m->underscore | m->dash | m->dot;
	Lanes		token = all | m->path;

	*name = all & fresh;
	*from = m->secret & m->letter & fresh;
	*behind = m->after & ~all & (~m->space | m->after >> 1 | RUN7(token) >> 1);
}

/*
 * From masks to anchors.  A name with a word for a secret in it ends where the
 * addition of the word's first bit to the run of name bytes carries to.
 */
INLINE void
combine_masks(const ByteMasks *m, int n, Anchors *anchors, uint64_t *open_name)
{
	const uint64_t decided = ((uint64_t) 1 << WINDOW) - 1;
	Lanes		escaped = m->escape << 2 | m->escape << 3 | m->escape << 6;
	Lanes		visit = m->at;
	Lanes		context = m->context & m->letter & (~(m->letter << 1) | m->upper);
	Lanes		name;
	Lanes		from;
	Lanes		behind;
	int			i;

	number_starts(m, &escaped, &visit);
	colon_anchors(m, &visit);
	dash_anchors(m, &visit);
	sign_anchors(m, &visit);
	word_anchors(m, &escaped, &visit);
	name_masks(m, &name, &from, &behind);
	for (i = 0; i < n; i++)
	{
		uint64_t	begun = from[i] | *open_name << WINDOW_BEFORE;
		uint64_t	reached = (((begun & name[i]) + name[i]) ^ name[i]) | begun;

		*open_name = reached >> (WINDOW_BEFORE + WINDOW) & 1;
		anchors[i].visit = visit[i] >> WINDOW_BEFORE & decided;
		anchors[i].name_end = (reached & behind[i]) >> WINDOW_BEFORE & decided;
		anchors[i].context = context[i] >> WINDOW_BEFORE & decided;
	}
}

/* Sets all masks of a lane to zero. */
INLINE void
clear_lane(ByteMasks *m, int lane)
{
	m->digit[lane] = m->letter[lane] = m->upper[lane] = m->hex_letter[lane] = 0;
	m->at[lane] = m->colon[lane] = m->dash[lane] = m->dot[lane] = 0;
	m->space[lane] = m->bracket[lane] = m->path[lane] = m->underscore[lane] = 0;
	m->escape[lane] = m->after[lane] = m->secret[lane] = m->context[lane] = 0;
}

/*
 * The body of an AnchorFunction, from one that sets the masks of one lane.
 */
#define ANCHOR_LOOP(classify) \
	do { \
		while (n > 0) \
		{ \
			ByteMasks	m; \
			int			lanes = n < LANES ? n : LANES; \
			int			lane; \
\
			for (lane = 0; lane < lanes; lane++) \
				classify(window + lane * WINDOW, &m, lane); \
			for (; lane < LANES; lane++) \
				clear_lane(&m, lane); \
			combine_masks(&m, lanes, anchors, open_name); \
			n -= lanes; \
			window += lanes * WINDOW; \
			anchors += lanes; \
		} \
	} while (0)

#endif
