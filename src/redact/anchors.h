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
#include <string.h>

#define WINDOW_BEFORE	8
#define WINDOW			48
#define WINDOW_AFTER	8
#define WINDOW_BYTES	67		/* the 64 and three that end words inside it */

/* Windows whose masks are worked on at once, side by side in one vector. */
#ifndef LANES
#define LANES			4
#endif

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
	Lanes		plus;
	Lanes		zero;
	Lanes		underscore;
	Lanes		escape;			/* % \ */
	Lanes		after;			/* what can stand between a name and its value */
	Lanes		dollar;
	Lanes		high;			/* no ASCII */
	Lanes		letter_c;
	Lanes		letter_d;
	Lanes		letter_n;
	Lanes		letter_r;
	Lanes		secret;			/* three letters of a word for a secret begin */
	Lanes		token;			/* a vendor's prefix begins */
	Lanes		context;		/* a word that says what a number is may begin */
	Lanes		brief;			/* one of three letters */
} ByteMasks;

/* The answer for the WINDOW positions of a window. */
typedef struct Anchors
{
	uint64_t	visit;			/* positions a detector has to see */
	uint64_t	number;			/* those where only a word beside it makes a number a hit */
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
 * The first letters of every word looked for, shared out to eight buckets;
 * tables by the low and the high half of each letter, since sixteen bytes are
 * what one shuffle instruction looks up, and by the low six bits of it.
 */
#define LITERAL_BYTES	4

typedef struct LiteralSet
{
	uint8_t		six[LITERAL_BYTES][64];
	uint8_t		low[LITERAL_BYTES][16];
	uint8_t		high[LITERAL_BYTES][16];
} __attribute__((aligned(64))) LiteralSet;

extern LiteralSet secret_literals;	/* three letters, of any case */
extern LiteralSet token_literals;	/* three, of their own case */
extern LiteralSet context_literals; /* four, of any case */

#define BRIEF_BUCKETS	0xE0	/* of context_literals: words of three letters */

extern void anchors_scalar(const uint8_t *window, int n, Anchors *anchors, uint64_t *open_name);
extern void anchors_sse2(const uint8_t *window, int n, Anchors *anchors, uint64_t *open_name);
extern void anchors_avx2(const uint8_t *window, int n, Anchors *anchors, uint64_t *open_name);
extern void anchors_avx512(const uint8_t *window, int n, Anchors *anchors, uint64_t *open_name);
extern void anchors_avx512_wide(const uint8_t *window, int n, Anchors *anchors, uint64_t *open_name);
extern void anchors_neon(const uint8_t *window, int n, Anchors *anchors, uint64_t *open_name);

/* Fills the tables; call once. */
extern void anchors_init(void);

/* Adds the first three bytes of a vendor's prefix; ? stands for any byte. */
extern void anchors_add_token(const char *prefix);

/* The one in use, NULL before the first scan. */
extern AnchorFunction find_anchors;

/* The fastest function of this machine, or the one named (for tests). */
extern AnchorFunction anchors_function(const char *name);

/* Buckets of a set with a word that begins at a byte, by the tables. */
static inline uint8_t
literals_at(const LiteralSet *set, const uint8_t *p, int n)
{
	uint8_t		bits = 0xFF;
	int			k;

	for (k = 0; k < n; k++)
		bits &= set->six[k][p[k] & 63];
	return bits;
}

/* Sets the bits of the words that begin at byte i of a window, which is a letter. */
static inline void
literals_of(const uint8_t *p, ByteMasks *m, int lane, int i)
{
	uint8_t		context = literals_at(&context_literals, p, 4);

	m->secret[lane] |= (uint64_t) (literals_at(&secret_literals, p, 3) != 0) << i;
	m->token[lane] |= (uint64_t) (literals_at(&token_literals, p, 3) != 0) << i;
	m->context[lane] |= (uint64_t) ((context & ~BRIEF_BUCKETS) != 0) << i;
	m->brief[lane] |= (uint64_t) ((context & BRIEF_BUCKETS) != 0) << i;
}

/* Bits that begin a run of four or seven. */
#define RUN2(m)		((m) & (m) >> 1)
#define RUN4(m)		(RUN2(m) & RUN2(m) >> 2)
#define RUN7(m)		(RUN4(m) & RUN4(m) >> 3)

#define INLINE static inline __attribute__((always_inline))

/*
 * The classes of bytes from their bits: plane k has bit k of every byte.  A few
 * operations on planes tell of 64 bytes in each lane what they are.
 */
INLINE void
classify(const Lanes *plane, ByteMasks *m)
{
	Lanes		p0 = plane[0];
	Lanes		p1 = plane[1];
	Lanes		p2 = plane[2];
	Lanes		p3 = plane[3];
	Lanes		p4 = plane[4];
	Lanes		p5 = plane[5];
	Lanes		letters = plane[6] & ~plane[7]; /* 0x40 to 0x7F */
	Lanes		signs = ~(plane[6] | plane[7]); /* 0x00 to 0x3F */
	Lanes		row2 = signs & p5 & ~p4;
	Lanes		row3 = signs & p5 & p4;
	Lanes		row5 = letters & ~p5 & p4;
	Lanes		row7 = letters & p5 & p4;
	/* Of the low half the upper two bits and the lower two. */
	Lanes		h0 = ~(p3 | p2);
	Lanes		h2 = p3 & ~p2;
	Lanes		h3 = p3 & p2;
	Lanes		l0 = ~(p1 | p0);
	Lanes		l2 = p1 & ~p0;
	Lanes		l3 = p1 & p0;
	Lanes		low0 = h0 & l0;

	m->digit = row3 & ~(p3 & (p2 | p1));
	m->letter = letters & (p4 | ~low0) & ~(p4 & p3 & (p2 | l3));
	m->upper = m->letter & ~p5;
	m->hex_letter = letters & ~(p4 | p3) & (p2 | ~l0) & ~(p2 & l3);
	m->at = letters & ~(p5 | p4) & low0;
	m->colon = row3 & h2 & l2;
	m->dash = row2 & h3 & ~p1 & p0;
	m->dot = row2 & h3 & l2;
	m->space = row2 & low0;
	m->bracket = row2 & h2 & ~p1;
	m->plus = row2 & h2 & l3;
	m->path = m->plus | (row2 & h3 & l3) | (row7 & h3 & l2);
	m->zero = row3 & low0;
	m->underscore = row5 & h3 & l3;
	m->escape = (row2 & ~p3 & p2 & ~p1 & p0) | (row5 & h3 & l0);
	m->dollar = row2 & ~p3 & p2 & l0;
	m->high = plane[7];
	m->letter_c = letters & ~p4 & h0 & l3;
	m->letter_d = letters & ~(p4 | p3) & p2 & l0;
	m->letter_n = letters & ~p4 & h3 & l2;
	m->letter_r = letters & p4 & h0 & l2;
	/* \t \n, space ! " ' ( ) + comma, : = > ?, [ \ ], `, | */
	m->after = (signs & ~(p5 | p4) & h2 & (p1 ^ p0)) |
		(row2 & ((h0 & ~l3) | (~p3 & p2 & l3) | (h2 & ~l2) | (h3 & l0))) |
		(row3 & ((h2 & l2) | (h3 & ~l0))) |
		(row5 & ((h2 & l3) | (h3 & ~p1))) |
		(letters & p5 & ~p4 & low0) | (row7 & h3 & l0);
}

/* Is the byte n places on of a class, or behind the window?  From the bytes that are not. */
#define MAYBE(not_in_class, n)	(~((not_in_class) >> (n)))

/*
 * Digit runs that could begin a number, *weak: six bytes of digits with one sign
 * between them (brackets may bring a second).  Never right behind a letter,
 * unless that ends an escape such as \n.  In the middle of a chain of digits
 * and signs only three digits begin something, or a dotted address.
 *
 * *strong: those whose form alone can make them a hit: dotted quads; cards of
 * 14 to 16 digits or in groups of four; 123-45-6789; 415-555-0132 with or
 * without a bracket or a 1; behind a plus sign; with a zero or two in front.
 */
INLINE void
number_anchors(const ByteMasks *m, const Lanes *escaped, Lanes *strong, Lanes *weak)
{
	Lanes		d = m->digit;
	Lanes		sign = m->space | m->dash | m->dot | m->path | m->bracket;
	Lanes		between = sign & d << 1 & MAYBE(~d, 1);
	Lanes		bracket = m->bracket | (sign & (m->bracket << 1 | m->bracket >> 1));
	Lanes		start = d & ~(d << 1) & ~((m->letter | m->underscore) << 1 & ~*escaped);
	Lanes		middle = (sign | m->colon) << 1 & d << 2;
	/* So many bytes from here on are not all digits, or parts of a number. */
	Lanes		digits1 = ~d;
	Lanes		digits2 = digits1 | digits1 >> 1;
	Lanes		digits3 = digits2 | digits1 >> 2;
	Lanes		digits4 = digits2 | digits2 >> 2;
	Lanes		part1 = ~(d | between | bracket);
	Lanes		part2 = part1 | part1 >> 1;
	Lanes		part4 = part2 | part2 >> 2;
	Lanes		part10 = part4 | part4 >> 4 | part2 >> 8;
	/* Nor is the byte one that parts groups. */
	Lanes		gap = ~(m->space | m->dash | m->dot);
	Lanes		sep = ~(m->dash | m->dot);

	Lanes		card = ~(digits4 | digits4 >> 4 | digits4 >> 8 | digits2 >> 12) |
		~(digits4 | gap >> 4 | digits4 >> 5 | digits1 >> 10 | (gap & digits1) >> 9);
	Lanes		three = digits3 | sep >> 3;
	Lanes		ssn = ~(three | digits2 >> 4 | sep >> 6 | digits4 >> 7);
	Lanes		area = ~(three | digits3 >> 4 | sep >> 7 | digits4 >> 8);
	Lanes		one = sign >> 1 & MAYBE(~area, 2);
	Lanes		open = m->bracket >> 1 | m->bracket >> 2 | m->bracket >> 3;
	Lanes		plus = (m->plus | (m->bracket & m->plus << 1)) << 1;
	Lanes		zero = m->zero & ((m->zero >> 1 & ~(m->zero >> 2)) |
								  (~part10 & (digits4 | digits2 >> 4) & ~(m->dot >> 1)));
	Lanes		glued = m->dash << 1 & m->underscore << 2;

	/* A dot among digits, the next one two to four bytes on, and one more. */
	Lanes		dot = ~(m->dot & d << 1 & ~(digits1 >> 1));
	Lanes		last = dot | ~(digits4 >> 1 | ~(~(Lanes) {0} >> 4));
	Lanes		second = dot | (last >> 2 & last >> 3 & last >> 4);
	Lanes		first = dot | (second >> 2 & second >> 3 & second >> 4);
	Lanes		quad = ~(first >> 1 & first >> 2 & first >> 3) & ~(m->dot << 1 & d << 2);

	*weak = start & ~(part4 | part2 >> 4) & (~middle | ~digits3);
	*strong = (start & quad) | (*weak & (card | ssn | area | one | open | plus | zero) & ~glued);
}

/* Colons of URLs, of addresses, of tokens that have one and of lines of .pgpass. */
INLINE void
colon_anchors(const ByteMasks *m, Lanes *visit)
{
	Lanes		c = m->colon;
	Lanes		hex = m->digit | m->hex_letter;
	Lanes		two = m->digit & m->digit << 1;
	Lanes		four = two & two << 2;
	Lanes		before = c << 2 | c << 3;
	Lanes		behind = c >> 2 | c >> 3;
	/* Another colon at most five bytes before, and one as near behind. */
	Lanes		chain = hex << 1 & hex >> 1 & (before | before << 2) & (behind | behind >> 2);
	/* The second of :5432: or :*: */
	Lanes		port = (four << 1 & (c << 5 | c << 6)) | (c << 2 & ~(m->letter | m->digit | m->space | c) << 1);

	*visit |= c & ((m->path >> 1 & m->path >> 2) | (c >> 1 & (hex << 1 | hex >> 2)) | chain | port |
				   ((four & four << 4) << 1 & m->upper >> 1));
}

/*
 * Dashes of hardware addresses, of key armour, of flags and options, and of keys
 * with -us20 at their end; dots of hardware addresses; name%40host, 3Q~ of Azure;
 * $6$ of a hashed password; (at); the last byte of what is no ASCII.
 */
INLINE void
sign_anchors(const ByteMasks *m, Lanes *visit)
{
	Lanes		d = m->dash;
	Lanes		hex = m->digit | m->hex_letter;
	Lanes		inner = hex << 1 & hex >> 1 & hex >> 2;

	*visit |= (d & ((d >> 1 & ~(d << 1)) | (d << 3 & d >> 3 & d >> 6 & inner) |
					(m->letter >> 1 & (m->space << 1 | (hex << 1 & m->letter >> 2 & m->digit >> 3))))) |
		(m->bracket & m->letter >> 1 & m->letter >> 2 & m->bracket >> 3) |
		(m->dollar & (m->dollar >> 2 | m->dollar >> 3 | m->dollar >> 5)) | (m->high & ~(m->high >> 1)) |
		(m->dot & m->dot >> 5 & inner & hex >> 4) |
		(m->escape & m->digit >> 1 & m->digit >> 2) |
		(m->path & m->upper << 1 & m->digit << 2);
}

/* Words with which a token or an IBAN can begin. */
INLINE void
word_anchors(const ByteMasks *m, const Lanes *escaped, Lanes *visit)
{
	Lanes		word = m->letter | m->digit;
	Lanes		token = word | m->underscore | m->dash | m->dot | m->path;
	Lanes		start = m->letter & (~(word << 1) | *escaped);
	Lanes		gap = m->space | m->dash;
	/* Eight bytes that are not all of an account, with what may part its groups. */
	Lanes		foreign1 = ~(word | gap | m->dot | m->high);
	Lanes		foreign2 = foreign1 | foreign1 >> 1;
	Lanes		foreign4 = foreign2 | foreign2 >> 2;
	Lanes		foreign8 = foreign4 | foreign4 >> 4;
	/* Of the last four of these none is a digit. */
	Lanes		nodigit2 = ~m->digit & ~m->digit >> 1;
	Lanes		nodigit = nodigit2 >> 8 & nodigit2 >> 10;
	/* No token begins with nine small letters, as words of prose do. */
	Lanes		other = ~m->letter | m->upper;
	Lanes		two = other | other >> 1;
	Lanes		four = two | two >> 2;
	Lanes		mixed = four | four >> 4 | other >> 8;
	/* So many bytes from here on are not all of a token, none of which is shorter than 13. */
	Lanes		token2 = ~token | ~token >> 1;
	Lanes		token4 = token2 | token2 >> 2;
	Lanes		token13 = token4 | token4 >> 4 | (token4 | token4 >> 1) >> 8;

	*visit |= start & ((m->token & ~token13 & mixed) |
					   (m->letter >> 1 & m->digit >> 3 & ~(foreign8 >> 4 | nodigit) &
						(m->digit >> 2 | (gap >> 2 & m->digit >> 4))));
}

/* Where a word that says what a number is may begin. */
INLINE void
context_starts(const ByteMasks *m, Lanes *found)
{
	Lanes		end = ~m->letter | m->letter_n; /* behind it, or "number" and "no" */
	Lanes		words = m->context | (m->brief & end >> 3) |
		(m->letter_c & m->letter_c >> 1 & end >> 2);

	*found = (words & m->letter & (~(m->letter << 1) | m->upper)) | (m->high & ~(m->high >> 1));
}

/*
 * The names of each window, and where in them a word for a secret begins; and
 * the bytes that may stand behind such a name: behind a blank only a sign, a
 * dash, more blanks, or the token of "Bearer ..."; anything behind "password ".
 */
INLINE void
name_masks(const ByteMasks *m, Lanes *name, Lanes *from, Lanes *behind)
{
	const uint64_t fresh = ~(((uint64_t) 1 << WINDOW_BEFORE) - 1);
	Lanes		all = m->letter | m->digit | m->underscore | m->dash | m->dot;
	Lanes		token = all | m->path;

	*name = all & fresh;
	*from = m->secret & m->letter & m->letter >> 1 & fresh;
	*behind = m->after & ~all &
		(~m->space | (m->after | m->dash) >> 1 | (RUN7(token) >> 1 & (m->letter_c | m->letter_r) << 1) |
		 m->letter_d << 1);
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
	Lanes		context;
	Lanes		number;
	Lanes		strong;
	Lanes		name;
	Lanes		from;
	Lanes		behind;
	int			i;

	number_anchors(m, &escaped, &strong, &number);
	context_starts(m, &context);
	visit |= strong;
	colon_anchors(m, &visit);
	sign_anchors(m, &visit);
	word_anchors(m, &escaped, &visit);
	name_masks(m, &name, &from, &behind);
	visit = visit >> WINDOW_BEFORE & decided;
	number = number >> WINDOW_BEFORE & decided;
	context = context >> WINDOW_BEFORE & decided;
	for (i = 0; i < n; i++)
	{
		uint64_t	begun = from[i] | *open_name << WINDOW_BEFORE;
		uint64_t	reached = (((begun & name[i]) + name[i]) ^ name[i]) | begun;

		*open_name = reached >> (WINDOW_BEFORE + WINDOW) & 1;
		anchors[i].visit = visit[i];
		anchors[i].number = number[i];
		anchors[i].name_end = (reached & behind[i]) >> WINDOW_BEFORE & decided;
		anchors[i].context = context[i];
	}
}

/*
 * The body of an AnchorFunction, from one that sets the planes and the words of
 * one lane, or its masks.
 */
#define ANCHOR_LOOP(one_lane, classify_lanes) \
	do { \
		while (n > 0) \
		{ \
			Lanes		plane[8]; \
			ByteMasks	m; \
			int			lanes = n < LANES ? n : LANES; \
			int			lane; \
\
			for (lane = 0; lane < lanes; lane++) \
				one_lane(window + lane * WINDOW, plane, &m, lane); \
			for (; lane < LANES; lane++) \
				for (int k = 0; k < 8; k++) \
					plane[k][lane] = 0; \
			classify_lanes(plane, &m); \
			combine_masks(&m, lanes, anchors, open_name); \
			n -= lanes; \
			window += lanes * WINDOW; \
			anchors += lanes; \
		} \
	} while (0)

#endif
