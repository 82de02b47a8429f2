/*
 * sketch_sum.h
 *		Sums of doubles without rounding, whatever their order.
 *
 * The sum is an integer in units of 2^-1074, the smallest double, cut into
 * pieces of 32 bits that lie in 64 bits each: an addition touches two pieces,
 * and carries are settled once in many additions.  The idea is the small
 * superaccumulator of Neal, "Fast exact summation using small and large
 * superaccumulators", 2015.
 */
#ifndef BCCE_SKETCH_SUM_H
#define BCCE_SKETCH_SUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The largest double times 2^63 needs 2161 bits; the last pieces hold carries. */
#define SKETCH_SUM_PIECES	70

/* Bytes of the largest magnitude that is kept: 2^2176 units, less one. */
#define SKETCH_SUM_BYTES	272

/* Additions before carries must be settled: each adds less than 2^52 to a piece. */
#define SKETCH_SUM_ADDITIONS	1024

typedef struct SketchSum
{
	int64_t		piece[SKETCH_SUM_PIECES];
	int32_t		additions;		/* since carries were settled */
} SketchSum;

/* A sum as its sign and the bytes of its magnitude, lowest first. */
typedef struct SketchSumBytes
{
	bool		negative;
	int			first;			/* how many zero bytes come before */
	int			len;			/* 0 for a sum of 0 */
	uint8_t		bytes[SKETCH_SUM_BYTES];
} SketchSumBytes;

extern void sketch_sum_settle(SketchSum *sum);
extern void sketch_sum_merge(SketchSum *sum, SketchSum *other);
extern void sketch_sum_to_bytes(const SketchSum *sum, SketchSumBytes *bytes);
extern void sketch_sum_add_bytes(SketchSum *sum, const SketchSumBytes *bytes);
extern double sketch_sum_rounded(const SketchSum *sum, int *exponent);

/* Room for so many additions, of at most SKETCH_SUM_ADDITIONS. */
static inline void
sketch_sum_expect(SketchSum *sum, int n)
{
	if (sum->additions > SKETCH_SUM_ADDITIONS - n)
		sketch_sum_settle(sum);
	sum->additions += n;
}

/* Adds a finite number that is given by its bits, to a sum that expects it. */
static inline void
sketch_sum_add_expected(SketchSum *sum, uint64_t bits)
{
	uint32_t	exponent = (uint32_t) (bits >> 52) & 0x7ff;
	uint64_t	mantissa = bits & ((UINT64_C(1) << 52) - 1);
	uint32_t	place = exponent - (exponent != 0);
	uint32_t	shift = place & 31;
	int64_t    *piece = &sum->piece[place >> 5];
	int64_t		low;
	int64_t		high;

	mantissa |= (uint64_t) (exponent != 0) << 52;
	low = (int64_t) ((mantissa << shift) & 0xffffffffu);
	high = (int64_t) (mantissa >> (32 - shift));
	if (bits >> 63)
	{
		low = -low;
		high = -high;
	}
	piece[0] += low;
	piece[1] += high;
}

/* Adds a finite number that is given by its bits. */
static inline void
sketch_sum_add(SketchSum *sum, uint64_t bits)
{
	sketch_sum_expect(sum, 1);
	sketch_sum_add_expected(sum, bits);
}

/* Additions to neighbouring pieces, which wait here. */
typedef struct SketchSumRun
{
	uint32_t	piece;
	uint64_t	low;
	uint64_t	high;
} SketchSumRun;

/* Adds what waits. */
static inline void
sketch_sum_run_end(SketchSum *sum, SketchSumRun *run)
{
	sum->piece[run->piece] += (int64_t) run->low;
	sum->piece[run->piece + 1] += (int64_t) run->high;
	run->low = run->high = 0;
}

/* Adds a positive number of the normal range to a sum that expects it. */
static inline void
sketch_sum_run_add(SketchSum *sum, SketchSumRun *run, uint64_t bits)
{
	uint32_t	place = (uint32_t) (bits >> 52) - 1;
	uint64_t	mantissa = (bits & ((UINT64_C(1) << 52) - 1)) | UINT64_C(1) << 52;

	if (place >> 5 != run->piece)
	{
		sketch_sum_run_end(sum, run);
		run->piece = place >> 5;
	}
	run->low += (mantissa << (place & 31)) & 0xffffffffu;
	run->high += mantissa >> (32 - (place & 31));
}

#endif
