/*
 * sketch_bound.c
 *		From numbers to buckets and back, by table and without logarithms.
 */
#include "stats/sketch_index.h"

#include <math.h>

/* The bucket of a positive finite number. */
int32_t
sketch_bucket(double magnitude, int scale)
{
	uint64_t	bits;
	int32_t		exponent;
	uint64_t	mantissa;

	memcpy(&bits, &magnitude, sizeof(bits));
	exponent = (int32_t) (bits >> MANTISSA_BITS);
	mantissa = bits & MANTISSA_MASK;
	if (exponent == 0)
	{
		/* below the normal range, where the leading bit is not implied */
		exponent = 1;
		while ((mantissa >> MANTISSA_BITS) == 0)
		{
			mantissa <<= 1;
			exponent--;
		}
		mantissa &= MANTISSA_MASK;
	}
	return sketch_finest_bucket(exponent - 1023, mantissa) >> (SKETCH_MAX_SCALE - scale);
}

/* A bound as a number from 1 to 2 and a power of two. */
static double
bound_parts(int64_t bucket, int scale, int *exponent)
{
	int64_t		finest = bucket * (INT64_C(1) << (SKETCH_MAX_SCALE - scale));

	*exponent = (int) (finest >> 9);
	return 1 + (double) sketch_bound[finest & 511] / (double) (UINT64_C(1) << MANTISSA_BITS);
}

/*
 * The lower bound of a bucket: the largest double that is not above it.  Since
 * buckets include their upper bound, a number of the bucket is greater.
 */
double
sketch_lower(int32_t bucket, int scale)
{
	int			exponent;
	double		part = bound_parts(bucket, scale, &exponent);

	/* rounding up would pass the bound, below the normal range */
	if (exponent < -1022)
		part = floor(ldexp(part, exponent + 1074)) * ldexp(1, -1074);
	else
		part = ldexp(part, exponent);
	return part;
}

/* The upper bound of a bucket: the largest double in it. */
double
sketch_upper(int32_t bucket, int scale)
{
	double		bound = sketch_lower(bucket + 1, scale);

	return isinf(bound) ? 1.7976931348623157e308 : bound;
}

/*
 * The number whose relative distance from both bounds is the same: the
 * harmonic mean.  No other one has a smaller largest error.
 */
double
sketch_middle(int32_t bucket, int scale)
{
	int			below;
	int			above;
	double		lower = bound_parts(bucket, scale, &below);
	double		upper = bound_parts((int64_t) bucket + 1, scale, &above);

	upper = ldexp(upper, above - below);
	return ldexp(2 * lower / (1 + lower / upper), below);
}

/* How far, relative to any number of a bucket, its middle can be when rounded. */
double
sketch_scale_error(int scale)
{
	double		ratio;
	double		error;
	int			exponent;

	ratio = bound_parts(1, scale, &exponent);
	ratio = ldexp(ratio, exponent);
	error = (1 - 1 / ratio) / (1 + 1 / ratio) + ldexp(1, -51);
	return error > 1 ? 1 : error;
}

/* The coarsest scale from 0 whose error is no larger; -1 when there is none. */
int
sketch_scale_for(double error)
{
	int			scale;

	for (scale = 0; scale <= SKETCH_MAX_SCALE; scale++)
		if (sketch_scale_error(scale) <= error)
			return scale;
	return -1;
}
