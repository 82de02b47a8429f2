/*
 * scan_internal.h
 *		What the scanner and its detector families share.
 *
 * A detector is called at an anchor (a byte that can be part of a hit), looks
 * a bounded way left and right, reports with scan_hit() and returns where the
 * pass goes on, always behind the anchor.
 */
#ifndef BCCE_SCAN_INTERNAL_H
#define BCCE_SCAN_INTERNAL_H

#include "redact/scan.h"

/* Properties of bytes, see scan_byte[]. */
#define B_DIGIT		0x01
#define B_ALPHA		0x02
#define B_HEX		0x04
#define B_SPACE		0x08
#define B_TOKEN		0x10		/* A-Z a-z 0-9 _ - */
#define B_LOCAL		0x20		/* local part of an e-mail address */
#define B_DOMAIN	0x40		/* letters, digits, hyphen, non-ASCII */
#define B_VALUE		0x80		/* may stand in an unquoted value */
#define B_SIGN		0x100		/* may part the groups of a number */
#define B_CODE		0x200		/* in no value that a machine drew */
#define B_STOP		0x400		/* ends a word that is not quoted */
#define B_PLAIN		0x800		/* letters, blank and underscore */
#define B_ALNUM		(B_DIGIT | B_ALPHA)

/* What a nearby word or the key says the text is about. */
#define CONTEXT_PHONE	0x01
#define CONTEXT_CARD	0x02
#define CONTEXT_SSN		0x04
#define CONTEXT_CALL	0x08	/* may be about a phone, or an address */
#define CONTEXT_BEFORE	48		/* bytes looked at */
#define CONTEXT_AFTER	12

typedef struct Scan
{
	const uint8_t *text;
	size_t		len;
	const RedactOptions *opt;
	RedactResult *result;
	unsigned	key_context;	/* CONTEXT_ bits of opt->key */
	size_t		token_start;	/* the run of B_TOKEN bytes measured last */
	size_t		token_end;
	size_t		colon_end;		/* addresses were looked for up to here */
	const struct Anchors *anchors;	/* of the batch of windows under way */
	size_t		batch;			/* where it begins */
	size_t		batch_end;
	size_t		last_context;	/* behind the last word before it that may be context, or 0 */
	size_t		manifest_end;	/* manifests were looked at up to here */
	size_t		wide_end;		/* numbers with wide signs, likewise */
	bool		out_of_memory;
} Scan;

extern uint16_t scan_byte[256];

static inline bool
byte_is(uint8_t c, unsigned mask)
{
	return (scan_byte[c] & mask) != 0;
}

/* The byte at a position, 0 outside the text. */
static inline uint8_t
byte_at(const Scan *s, size_t at)
{
	return at < s->len ? s->text[at] : 0;
}

/* The byte n places before a position, 0 outside the text. */
static inline uint8_t
byte_before(const Scan *s, size_t at, size_t n)
{
	return at >= n ? s->text[at - n] : 0;
}

static inline uint8_t
lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

static inline bool
wants(const Scan *s, RedactKind kind)
{
	return (s->opt->kinds & (1u << kind)) != 0;
}

/*
 * Lets the caller interrupt: once in so many bytes, by a detector that walks
 * further than a few KB.  The pass has its own count.
 */
#define TICK_BYTES	32768

static inline void
tick(const Scan *s, size_t at)
{
	if (at % TICK_BYTES == 0 && s->opt->interrupt)
		s->opt->interrupt();
}

/*
 * Did the last hit end here?  What a tag will stand before is no part of a word,
 * or +31...+31... would give up one number in each pass.
 */
static inline bool
hit_ends_at(const Scan *s, size_t at)
{
	const RedactResult *r = s->result;

	return r->count > 0 && r->spans[r->count - 1].start + r->spans[r->count - 1].len == at;
}

/* scan.c */
extern void scan_hit(Scan *s, size_t start, size_t end, RedactKind kind,
					 const char *subtype, RedactStrength strength, int confidence);
extern size_t token_run_end(Scan *s, size_t at);
extern bool equal_lower(const uint8_t *text, const char *word, size_t len);
extern bool after_escape(const Scan *s, size_t at);

/* scan_pass.c */
extern void pass_init(void);
extern void scan_windows(Scan *s);

/* context.c */
extern void context_init(void);
extern unsigned context_of(const uint8_t *text, size_t len, bool is_name);
extern unsigned context_around(const Scan *s, size_t start, size_t end);
extern void add_root(const char *letters);
extern bool name_has_root(const uint8_t *name, size_t len);
extern bool is_masked(const uint8_t *value, size_t len);
extern bool is_placeholder(const uint8_t *value, size_t len);

/* detect_name.c, detect_foreign.c: names of secrets, in ASCII and beyond it */
extern void name_init(void);
extern const char secret_roots[];
extern int	secret_name(const uint8_t *name, size_t len);
extern void foreign_init(void);
extern bool is_foreign_name(const uint8_t *name, size_t len);
extern unsigned foreign_context(const Scan *s, size_t at);
extern size_t detect_foreign(Scan *s, size_t at);

/* detect_number.c, detect_phone.c, detect_network.c */
extern size_t detect_digits(Scan *s, size_t at);
extern int	card_brand(const char *digits, int n);
extern bool luhn(const char *digits, int n);
extern bool ssn_valid(const char *digits);
extern size_t detect_colon_address(Scan *s, size_t at);
extern size_t detect_dash_mac(Scan *s, size_t at);
extern size_t detect_dot_mac(Scan *s, size_t at);
extern size_t detect_ipv4(Scan *s, size_t at);

/* detect_mail.c */
extern size_t detect_at(Scan *s, size_t at, size_t sign);
extern size_t detect_spelled_mail(Scan *s, size_t at);
extern size_t detect_url(Scan *s, size_t at);

/* detect_id.c, detect_wallet.c: the packs */
extern void id_init(void);
extern void scan_packs(Scan *s);
extern size_t detect_id(Scan *s, size_t start);
extern bool detect_wallet(Scan *s, size_t start, size_t end);
extern bool id_number(const char *digits, size_t len, const RedactOptions *opt);

/* detect_iban.c */
extern void iban_init(void);
extern size_t detect_iban(Scan *s, size_t at);

/* detect_token.c: one bit for every first three bytes that a prefix can have */
extern void token_init(void);
extern uint8_t token_gate[65536 / 8];
extern size_t detect_token(Scan *s, size_t at);

static inline unsigned
token_gate_index(uint8_t a, uint8_t b, uint8_t c)
{
	return (a & 63u) | (b & 63u) << 6 | (c & 15u) << 12;
}
extern size_t detect_armour(Scan *s, size_t at);
extern size_t detect_bot_token(Scan *s, size_t colon);
extern size_t detect_azure_secret(Scan *s, size_t tilde);
extern size_t detect_mailchimp_key(Scan *s, size_t dash);

/* detect_assign.c, detect_command.c, detect_line.c, detect_manifest.c */
#define NAME_BYTES	64
#define NAME_NONE	0
#define NAME_WEAK	1			/* only values that look random */
#define NAME_STRONG	2			/* any value */
extern size_t detect_named(Scan *s, size_t name_end);
extern bool is_quote(uint8_t c);
extern size_t name_start(const Scan *s, size_t end);
extern size_t judge_value(Scan *s, size_t at, int name);
extern size_t detect_option(Scan *s, size_t at);
extern void detect_chpasswd(Scan *s, size_t at);
extern size_t detect_line(Scan *s, size_t at);
extern size_t detect_pgpass(Scan *s, size_t colon);
extern size_t detect_putty_key(Scan *s, size_t at);
extern bool is_encoded_login(const uint8_t *value, size_t len);
extern size_t detect_password_hash(Scan *s, size_t at);
extern void detect_manifest(Scan *s, size_t at);
extern size_t detect_flag(Scan *s, size_t at);
extern bool secret_value(const uint8_t *value, size_t len, int name, bool quoted);

/* rules.c */
extern void rules_scan(Scan *s);

/* A number as it is written: groups of digits and what stands between. */
#define NUMBER_GROUPS	12
#define NUMBER_DIGITS	24

typedef struct Number
{
	int			groups;
	int			ndigits;
	int			len[NUMBER_GROUPS]; /* digits of each group */
	char		sep[NUMBER_GROUPS]; /* before each group; '(' for any bracket */
	size_t		end[NUMBER_GROUPS]; /* byte after each group */
	size_t		start;
	char		digits[NUMBER_DIGITS];
} Number;

extern void phone_init(void);
extern size_t detect_phone(Scan *s, const Number *n);

#endif
