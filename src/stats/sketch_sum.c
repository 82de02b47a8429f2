/*
 * sketch_sum.c
 *		Sums of doubles without rounding, whatever their order.
 */
#include "stats/sketch_sum.h"

#include <math.h>
#include <string.h>

/* Pieces that bytes are written from and read into. */
#define BYTE_PIECES		(SKETCH_SUM_BYTES / 4)

/* Settles carries: every piece but the last is then at least 0 and below 2^32. */
void
sketch_sum_settle(SketchSum *sum)
{
	int			i;

	for (i = 0; i < SKETCH_SUM_PIECES - 1; i++)
	{
		int64_t		low = sum->piece[i] & INT64_C(0xffffffff);

		/* what is left is a multiple of 2^32, so the division is exact */
		sum->piece[i + 1] += (sum->piece[i] - low) / (INT64_C(1) << 32);
		sum->piece[i] = low;
	}
	sum->additions = 0;
}

/* Adds another sum, whose carries are settled on the way. */
void
sketch_sum_merge(SketchSum *sum, SketchSum *other)
{
	int			i;

	sketch_sum_settle(sum);
	sketch_sum_settle(other);
	for (i = 0; i < SKETCH_SUM_PIECES; i++)
		sum->piece[i] += other->piece[i];
	sketch_sum_settle(sum);
}

/*
 * The magnitude in settled pieces, and the sign.  Beyond SKETCH_SUM_BYTES,
 * where no sum of 2^63 doubles gets, the magnitude stays at the largest.
 */
static bool
magnitude(const SketchSum *sum, SketchSum *out)
{
	bool		negative;
	bool		beyond = false;
	int			i;

	*out = *sum;
	sketch_sum_settle(out);
	negative = out->piece[SKETCH_SUM_PIECES - 1] < 0;
	if (negative)
	{
		for (i = 0; i < SKETCH_SUM_PIECES; i++)
			out->piece[i] = -out->piece[i];
		sketch_sum_settle(out);
	}
	for (i = BYTE_PIECES; i < SKETCH_SUM_PIECES; i++)
		beyond = beyond || out->piece[i] != 0;
	for (i = 0; beyond && i < SKETCH_SUM_PIECES; i++)
		out->piece[i] = i < BYTE_PIECES ? INT64_C(0xffffffff) : 0;
	return negative;
}

/* The sum as bytes: one form for one sum. */
void
sketch_sum_to_bytes(const SketchSum *sum, SketchSumBytes *bytes)
{
	uint8_t		all[SKETCH_SUM_BYTES];
	SketchSum	size;
	int			first = 0;
	int			end = SKETCH_SUM_BYTES;
	int			i;

	bytes->negative = magnitude(sum, &size);
	for (i = 0; i < SKETCH_SUM_BYTES; i++)
		all[i] = (uint8_t) (size.piece[i / 4] >> (8 * (i % 4)));
	while (end > 0 && all[end - 1] == 0)
		end--;
	while (first < end && all[first] == 0)
		first++;
	bytes->first = end == 0 ? 0 : first;
	bytes->len = end - first;
	if (bytes->len > 0)
		memcpy(bytes->bytes, all + first, bytes->len);
}

/* Adds a sum that is given as bytes; first + len is within SKETCH_SUM_BYTES. */
void
sketch_sum_add_bytes(SketchSum *sum, const SketchSumBytes *bytes)
{
	int			i;

	sketch_sum_settle(sum);
	for (i = 0; i < bytes->len; i++)
	{
		int			place = bytes->first + i;
		int64_t		part = (int64_t) bytes->bytes[i] << (8 * (place % 4));

		sum->piece[place / 4] += bytes->negative ? -part : part;
	}
	sketch_sum_settle(sum);
}

/* Bits of a settled magnitude from a place downwards, 64 of them. */
static uint64_t
bits_below(const SketchSum *size, int top, bool *more)
{
	uint64_t	bits = 0;
	int			i;

	for (i = 0; i < 64; i++)
	{
		int			place = top - i;

		bits <<= 1;
		if (place >= 0)
			bits |= (uint64_t) (size->piece[place / 32] >> (place % 32)) & 1;
	}
	*more = false;
	for (i = 0; i <= top - 64; i++)
		if ((size->piece[i / 32] >> (i % 32)) & 1)
			*more = true;
	return bits;
}

/*
 * The sum rounded once, to the nearest and to even between two: the result
 * times two to the exponent.  Apart, because a sum may exceed all doubles when
 * its mean does not.
 */
double
sketch_sum_rounded(const SketchSum *sum, int *exponent)
{
	SketchSum	size;
	bool		negative = magnitude(sum, &size);
	int			top = BYTE_PIECES * 32 - 1;
	uint64_t	bits;
	uint64_t	mantissa;
	bool		more;

	while (top >= 0 && size.piece[top / 32] == 0)
		top -= 32;
	while (top >= 0 && ((size.piece[top / 32] >> (top % 32)) & 1) == 0)
		top--;
	*exponent = 0;
	if (top < 0)
		return 0;
	bits = bits_below(&size, top, &more);
	mantissa = bits >> 11;
	if ((bits & 0x7ff) > 0x400 || ((bits & 0x7ff) == 0x400 && (more || (mantissa & 1))))
		mantissa++;
	*exponent = top - 52 - 1074;
	return negative ? -(double) mantissa : (double) mantissa;
}
