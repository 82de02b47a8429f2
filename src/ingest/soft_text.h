/*
 * soft_text.h
 *		Which texts a conversion can take, without a server underneath.
 *
 * Each function answers beforehand whether the server's own input function
 * would raise an error, for there is no asking it softly before version 16.
 */
#ifndef BCCE_SOFT_TEXT_H
#define BCCE_SOFT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bounds far inside what numeric and jsonb hold. */
#define NUMBER_MAX_DIGITS	1000
#define NUMBER_MAX_EXPONENT	1000
#define JSON_MAX_DEPTH		500
#define JSON_MAX_BYTES		(16 * 1024 * 1024)

/* Moves both ends past white space. */
extern void text_trim(const char **s, size_t *len);

/*
 * Is it a decimal number: sign, digits with or without a point, exponent?
 * At most NUMBER_MAX_DIGITS digits and an exponent up to NUMBER_MAX_EXPONENT.
 */
extern bool text_is_number(const char *s, size_t len);

/* Reads a whole number of 64 bits. */
extern bool text_to_int64(const char *s, size_t len, int64_t *value);

/* Reads a uuid in the forms the server takes, into 16 bytes. */
extern bool text_to_uuid(const char *s, size_t len, unsigned char *bytes);

/*
 * Is the text small and shallow enough to be given to the JSON reader, with
 * numbers that numeric holds?  refuse_escapes: allow no \u escape.  Says nothing
 * about the grammar.
 */
extern bool json_is_bounded(const char *s, size_t len, bool refuse_escapes);

#endif
