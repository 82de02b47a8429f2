/*
 * value_key.h
 *		Values as unsigned words in the same order, and back.
 *
 * Doubles: -Infinity first, -0 before 0, NaN last, as the server orders them.
 * Spans in microseconds: those that a double holds stand as its bits, which
 * spreads them over the leading bits; longer ones follow.
 */
#ifndef BCCE_VALUE_KEY_H
#define BCCE_VALUE_KEY_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define KEY_SIGN	(UINT64_C(1) << 63)
#define KEY_NAN		UINT64_MAX

/* The first span that not every double holds, and its key: the bits of 2^53. */
#define KEY_LONG_SPAN	(UINT64_C(1) << 53)
#define KEY_LONG_START	(UINT64_C(0x434) << 52)

static inline uint64_t
key_of_double(double value)
{
	uint64_t	bits;

	if (isnan(value))
		return KEY_NAN;
	memcpy(&bits, &value, sizeof(bits));
	return (bits & KEY_SIGN) ? ~bits : bits | KEY_SIGN;
}

static inline double
double_of_key(uint64_t key)
{
	uint64_t	bits = (key & KEY_SIGN) ? key ^ KEY_SIGN : ~key;
	double		value;

	if (key == KEY_NAN)
		return NAN;
	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* The span is not negative. */
static inline uint64_t
key_of_span(int64_t span)
{
	double		value = (double) span;
	uint64_t	bits;

	if ((uint64_t) span >= KEY_LONG_SPAN)
		return KEY_LONG_START + ((uint64_t) span - KEY_LONG_SPAN);
	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static inline int64_t
span_of_key(uint64_t key)
{
	double		value;

	if (key >= KEY_LONG_START)
		return (int64_t) (key - KEY_LONG_START + KEY_LONG_SPAN);
	memcpy(&value, &key, sizeof(value));
	return (int64_t) value;
}

#endif
