/*
 * sketch_import.c
 *		Sketches from exponential histograms that others made.
 *
 * Their buckets are ours, at scales up to 20; what they may leave out is
 * estimated from the buckets.  In order: sketch_to_buckets(), buckets and
 * zeros, then range and sum once something is there.
 */
#include "stats/sketch.h"

#include <math.h>
#include <string.h>

/*
 * Adds a count to a bucket of the given scale, which is at least that of the
 * sketch; false for a bucket outside the range of doubles.
 */
bool
sketch_import_bucket(Sketch *sketch, bool negative, int scale, int64_t bucket, uint64_t count)
{
	SketchStore *store = negative ? &sketch->buckets->negative : &sketch->buckets->positive;
	int64_t		size = INT64_C(1) << (scale < 0 ? 0 : scale);
	int			by = scale < 0 ? -scale : 0;

	if (bucket < ((-1074 * size - 1) >> by) || bucket > ((1024 * size - 1) >> by))
		return false;
	while (!sketch_load_bucket(sketch, store, bucket >> (scale - sketch->scale), count))
	{
		if (sketch->scale <= 0)
			return false;
		sketch_lower_scale(sketch, sketch->scale - 1);
	}
	return true;
}

/* Adds zeros. */
void
sketch_import_zeros(Sketch *sketch, uint64_t count)
{
	sketch->buckets->n_zero = sketch_add_counts(sketch->buckets->n_zero, count);
}

/* The number nearest to the given one within a bucket; NaN gives its outer end. */
static double
within(double magnitude, int32_t bucket, int scale, bool outer)
{
	double		least = nextafter(sketch_lower(bucket, scale), INFINITY);
	double		most = sketch_upper(bucket, scale);

	if (isnan(magnitude))
		return outer ? most : least;
	return magnitude < least ? least : (magnitude > most ? most : magnitude);
}

/*
 * Sets the smallest and the largest number; one that is NaN, or not in the
 * outermost bucket, moves to it.  Others round when they choose a bucket.
 */
void
sketch_import_range(Sketch *sketch, double min, double max)
{
	SketchBuckets *buckets = sketch->buckets;
	int32_t		first_positive;
	int32_t		last_positive;
	int32_t		first_negative;
	int32_t		last_negative;
	bool		positive = sketch_range(&buckets->positive, &first_positive, &last_positive);
	bool		negative = sketch_range(&buckets->negative, &first_negative, &last_negative);

	if (negative)
		buckets->min = -within(-min, last_negative, sketch->scale, true);
	else if (buckets->n_zero > 0)
		buckets->min = 0;
	else
		buckets->min = within(min, first_positive, sketch->scale, false);
	if (positive)
		buckets->max = within(max, last_positive, sketch->scale, true);
	else if (buckets->n_zero > 0)
		buckets->max = 0;
	else
		buckets->max = -within(-max, first_negative, sketch->scale, false);
	if (buckets->max < buckets->min)
		buckets->max = buckets->min;
}

/* Sets the sum; NaN stands for one that is not known. */
void
sketch_import_sum(Sketch *sketch, double sum)
{
	SketchBuckets *buckets = sketch->buckets;
	int32_t		i;

	memset(&buckets->sum, 0, sizeof(SketchSum));
	if (!isnan(sum))
	{
		sketch_sum_number(&buckets->sum, sum, 1);
		return;
	}
	for (i = 0; i < buckets->positive.room; i++)
		if (buckets->positive.counts[i] > 0)
			sketch_sum_number(&buckets->sum, sketch_middle(buckets->positive.first + i, sketch->scale),
							  buckets->positive.counts[i]);
	for (i = 0; i < buckets->negative.room; i++)
		if (buckets->negative.counts[i] > 0)
			sketch_sum_number(&buckets->sum, -sketch_middle(buckets->negative.first + i, sketch->scale),
							  buckets->negative.counts[i]);
}
