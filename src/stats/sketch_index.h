/*
 * sketch_index.h
 *		The bucket of a number from its bits, and the addition of one number.
 *
 * Inline, because it runs once per row.
 */
#ifndef BCCE_SKETCH_INDEX_H
#define BCCE_SKETCH_INDEX_H

#include <string.h>

#include "stats/sketch.h"
#include "stats/sketch_table.h"

#define MANTISSA_BITS	52
#define MANTISSA_MASK	((UINT64_C(1) << MANTISSA_BITS) - 1)

/*
 * The bucket, at the finest scale, of a positive number with the given
 * exponent and mantissa.  The bounds are further apart than the steps of the
 * start table, so one comparison tells on which side of a bound it is.
 */
static inline int32_t
sketch_finest_bucket(int32_t exponent, uint64_t mantissa)
{
	int32_t		below = sketch_start[mantissa >> (MANTISSA_BITS - 10)];

	below += mantissa > sketch_bound[below];
	return exponent * 512 + below - 1;
}

/* Adds one number. */
static inline void
sketch_add(Sketch *sketch, double value)
{
	SketchBuckets *buckets = sketch->buckets;
	uint64_t	bits;
	uint32_t	exponent;

	memcpy(&bits, &value, sizeof(bits));
	exponent = (uint32_t) (bits >> MANTISSA_BITS);	/* with the sign above */
	if (buckets != NULL && exponent - 1 < 2046)
	{
		/* a positive normal number, when its bucket is there already */
		int32_t		bucket = sketch_finest_bucket((int32_t) exponent - 1023, bits & MANTISSA_MASK);
		uint32_t	place;

		bucket >>= SKETCH_MAX_SCALE - sketch->scale;
		place = (uint32_t) bucket - (uint32_t) buckets->positive.first;
		if (place < (uint32_t) buckets->positive.room)
		{
			uint64_t   *count = &buckets->positive.counts[place];

			*count += *count < SKETCH_MAX_COUNT;
			if (value < buckets->min)
				buckets->min = value;
			if (value > buckets->max)
				buckets->max = value;
			sketch_sum_add(&buckets->sum, bits);
			return;
		}
	}
	sketch_add_slow(sketch, value, 1);
}

#endif
