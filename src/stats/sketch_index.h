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

/*
 * Adds one number.  Finite ones go to a short array first, so that a row of one
 * group among many touches one place in memory, not five.
 */
static inline void
sketch_add(Sketch *sketch, double value)
{
	uint64_t	bits;

	memcpy(&bits, &value, sizeof(bits));
	if (((bits >> MANTISSA_BITS) & 0x7ff) != 0x7ff && sketch->n_values < sketch->values_room)
		sketch->values[sketch->n_values++] = value + 0.0;	/* minus zero is zero */
	else
		sketch_add_slow(sketch, value, 1);
}

/* How many are not finite. */
static inline SketchOdd
sketch_odd(const Sketch *sketch)
{
	static const SketchOdd none;

	return sketch->odd == NULL ? none : *sketch->odd;
}

/* The bytes in which a store counts first. */
static inline uint8_t *
sketch_recent(const SketchStore *store)
{
	return store->counts == NULL ? NULL : (uint8_t *) (store->counts + store->room);
}

/* Brings the counts of the buckets, if there are any, up to date. */
static inline void
sketch_settle(Sketch *sketch)
{
	if (sketch->buckets == NULL)
		return;
	if (sketch->n_values > 0)
		sketch_count_values(sketch);
	if (sketch->buckets->positive.has_recent)
		sketch_add_recent(&sketch->buckets->positive);
}

#endif
