/*
 * scan.h
 *		Finds personal data and secrets in a text: one pass over its bytes.
 *
 * Pure C: knows no PostgreSQL, so it can be fuzzed and measured alone.  Works
 * on bytes of any encoding whose non-ASCII characters have no ASCII bytes,
 * which holds for every server encoding, and on invalid ones.
 */
#ifndef BCCE_REDACT_SCAN_H
#define BCCE_REDACT_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum RedactKind
{
	REDACT_EMAIL,
	REDACT_PHONE,
	REDACT_CREDIT_CARD,
	REDACT_US_SSN,
	REDACT_IBAN,
	REDACT_IP,
	REDACT_MAC,
	REDACT_URL_CREDENTIALS,
	REDACT_SECRET,
	REDACT_NATIONAL_ID,
	REDACT_CRYPTO_WALLET,
	REDACT_CUSTOM,				/* last: what a tenant's rules find */
	REDACT_KINDS
} RedactKind;

/*
 * Packs are looked for only when asked: numbers that states give to persons and
 * businesses are often no more than digits, which redacts too much for most.
 */
#define REDACT_EVERY_KIND	((1u << REDACT_KINDS) - 1)
#define REDACT_PACKS		(1u << REDACT_NATIONAL_ID | 1u << REDACT_CRYPTO_WALLET)
#define REDACT_DEFAULT_KINDS	(REDACT_EVERY_KIND & ~REDACT_PACKS)

/* The kind's name as users write it ("credit_card"). */
extern const char *const redact_kind_name[REDACT_KINDS];

typedef struct RedactSpan
{
	size_t		start;			/* byte offset */
	size_t		len;			/* bytes, at least 1 */
	const char *subtype;		/* static string, or the name of a rule; NULL when there is none */
	uint8_t		kind;			/* RedactKind */
	uint8_t		strength;		/* RedactStrength, decides overlaps */
	uint8_t		confidence;		/* percent */
	uint8_t		style;			/* of a tenant's rule: 1 + RedactStyle, 0: the caller's */
	int			rule;			/* of REDACT_CUSTOM: which of the rules */
} RedactSpan;

/* What a hit rests on, weakest first. */
typedef enum RedactStrength
{
	STRENGTH_CONTEXT,			/* a word beside it */
	STRENGTH_SHAPE,				/* its form */
	STRENGTH_VALID				/* a checksum, a range, a vendor's prefix */
} RedactStrength;

typedef struct RedactOptions
{
	uint32_t	kinds;			/* bit set of 1 << RedactKind */
	const char *key;			/* name under which the text stands, or NULL */
	size_t		key_len;
	bool		first_only;		/* stop when the first hit is certain */
	const struct RedactRules *rules;	/* of a tenant, or NULL */
	void		(*interrupt) (void);	/* called at least every 64 KB, may be NULL */
	void	   *(*resize) (void *old, size_t size); /* NULL: realloc */
} RedactOptions;

/*
 * Spans in order of start, disjoint; memory belongs to the caller, who may lend
 * some on the stack to begin with.
 */
typedef struct RedactResult
{
	RedactSpan *spans;
	size_t		count;
	size_t		room;
	RedactSpan *lent;			/* never freed or moved; NULL when none is lent */
	void		(*interrupt) (void);	/* that of the last scan, also for rendering */
} RedactResult;

#define SPANS_PER_TICK	4096	/* how many are worked on between two calls */

/*
 * Fills an empty or used result (its memory is used again).  False when the
 * allocator returned NULL: the result is then not complete.
 */
extern bool redact_scan(const char *text, size_t len, const RedactOptions *opt,
						RedactResult *result);

/* For tests: "scalar", "sse2", "avx2", "neon"; false where it cannot run. */
extern bool redact_scan_use(const char *anchors);

/*
 * A number without a fraction standing under a key ("card_number": 4111...).
 * Returns the kind, or -1 when it is nothing.
 */
extern bool redact_number_key(const RedactOptions *opt);	/* can it be anything? */
extern int	redact_number(const char *digits, size_t len, const RedactOptions *opt);

#endif
