/*
 * render.h
 *		Writes a text with its hits replaced.  Pure C, like the scanner.
 */
#ifndef BCCE_REDACT_RENDER_H
#define BCCE_REDACT_RENDER_H

#include "redact/scan.h"

typedef enum RedactStyle
{
	STYLE_TAG,					/* [EMAIL] */
	STYLE_MASK,					/* asterisks, a little left to recognise */
	STYLE_NUMBERED,				/* [EMAIL_1], the same number for the same text */
	STYLE_DROP,					/* nothing */
	STYLE_HASH,					/* [EMAIL_BCDFGHJKLMNPQR], a keyed name of the text */
	STYLES
} RedactStyle;

extern const char *const redact_style_name[STYLES];

/*
 * Which texts had which numbers, for one document.  Zero it before use; the
 * texts numbered must live as long as it does.
 */
typedef struct RedactNumbers
{
	struct RedactNumber *slots;
	size_t		size;			/* a power of two */
	size_t		used;
	int			last[REDACT_KINDS];
	void	   *(*resize) (void *old, size_t size);
	/* For STYLE_HASH: writes the letters that stand for a text of this kind. */
	void		(*name) (const void *key, const char *tag, const char *text, size_t len, char *letters);
	const void *key;
} RedactNumbers;

/*
 * Letters of a keyed name: consonants, four bits each, so that they form no
 * number, no word and no token, and the tag is one like any other.
 */
#define HASH_LETTERS	14
#define HASH_ALPHABET	"BCDFGHJKLMNPQRST"

/* Upper bound for the length of the rendered text. */
extern size_t redact_rendered_bound(size_t len, const RedactResult *result);

/*
 * How often a text may have to be redacted until nothing is found: a tag ends
 * what is looked at, but where a hit is dropped the next word takes its place.
 */
#define REDACT_PASSES	32
#define REDACT_PASSES_TAG	8

/*
 * Do the hits stand so clear of their neighbours that a tag in their place
 * brings nothing to light?  Where not, or where the style leaves no tag, the
 * rendered text must be scanned again.
 */
extern bool redact_is_settled(const char *text, size_t len, const RedactResult *result,
							  RedactStyle style, uint32_t kinds);

/*
 * Writes the rendered text and returns its length.  numbers may be NULL for
 * every style but STYLE_NUMBERED and STYLE_HASH, unless the result has hits of
 * a tenant's rules.
 */
extern size_t redact_render(const char *text, size_t len, const RedactResult *result,
							RedactStyle style, RedactNumbers *numbers, char *out);

#endif
