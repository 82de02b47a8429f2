/*
 * sketch_read.c
 *		Answers from sketches.
 *
 * Numbers are ordered as the server orders them: -Infinity, the finite ones,
 * Infinity, NaN.
 */
#include "stats/sketch_index.h"

#include <math.h>
#include <string.h>

/*
 * Sorts the numbers kept as they are: each goes to the place of its rank, which
 * comparisons of all pairs give without a branch.
 */
void
sketch_sort(Sketch *sketch)
{
	double		sorted[SKETCH_MAX_VALUES];
	int			rank[SKETCH_MAX_VALUES];
	int			n = sketch->n_values;
	int			i;
	int			j;

	if (n == 0)
		return;
	for (i = 0; i < n; i++)
	{
		double		value = sketch->values[i];
		int			below = 0;

		for (j = 0; j < i; j++)
		{
			int			greater = sketch->values[j] > value;

			rank[j] += greater;
			below += 1 - greater;
		}
		rank[i] = below;
	}
	for (i = 0; i < n; i++)
		sorted[rank[i]] = sketch->values[i];
	memcpy(sketch->values, sorted, n * sizeof(double));
}

/* How many numbers a store counts. */
static uint64_t
store_count(const SketchStore *store)
{
	uint64_t	n = 0;
	int32_t		i;

	for (i = 0; i < store->room; i++)
		n = sketch_add_counts(n, store->counts[i]);
	return n;
}

/* How many finite numbers there are. */
static uint64_t
finite_count(Sketch *sketch)
{
	uint64_t	n;

	sketch_settle(sketch);
	if (sketch->buckets == NULL)
		return (uint64_t) sketch->n_values;
	n = sketch_add_counts(store_count(&sketch->buckets->negative), sketch->buckets->n_zero);
	return sketch_add_counts(n, store_count(&sketch->buckets->positive));
}

/* How many numbers there are with those that are not finite. */
static uint64_t
all_count(SketchOdd odd, uint64_t n_finite)
{
	uint64_t	n = sketch_add_counts(odd.n_neg_inf, n_finite);

	return sketch_add_counts(sketch_add_counts(n, odd.n_pos_inf), odd.n_nan);
}

/* How many numbers there are. */
uint64_t
sketch_count(Sketch *sketch)
{
	return all_count(sketch_odd(sketch), finite_count(sketch));
}

/* The smallest and the largest finite number; false when there is none. */
static bool
finite_range(Sketch *sketch, double *min, double *max)
{
	int			i;

	sketch_settle(sketch);
	if (sketch->buckets != NULL)
	{
		*min = sketch->buckets->min;
		*max = sketch->buckets->max;
		return true;
	}
	*min = INFINITY;
	*max = -INFINITY;
	for (i = 0; i < sketch->n_values; i++)
	{
		*min = sketch->values[i] < *min ? sketch->values[i] : *min;
		*max = sketch->values[i] > *max ? sketch->values[i] : *max;
	}
	return sketch->n_values > 0;
}

/* The smallest number; the sketch has one. */
double
sketch_min(Sketch *sketch)
{
	SketchOdd	odd = sketch_odd(sketch);
	double		min;
	double		max;

	if (odd.n_neg_inf > 0)
		return -INFINITY;
	if (finite_range(sketch, &min, &max))
		return min;
	return odd.n_pos_inf > 0 ? INFINITY : NAN;
}

/* The largest number; the sketch has one. */
double
sketch_max(Sketch *sketch)
{
	SketchOdd	odd = sketch_odd(sketch);
	double		min;
	double		max;

	if (odd.n_nan > 0)
		return NAN;
	if (odd.n_pos_inf > 0)
		return INFINITY;
	if (finite_range(sketch, &min, &max))
		return max;
	return -INFINITY;
}

/* The sum or the mean: exact, and rounded at the end. */
static double
total(Sketch *sketch, double divisor)
{
	SketchOdd	odd = sketch_odd(sketch);
	SketchSum	sum = {{0}, 0};
	uint64_t	bits;
	double		part;
	int			exponent;
	int			i;

	sketch_settle(sketch);
	if (odd.n_nan > 0 || (odd.n_pos_inf > 0 && odd.n_neg_inf > 0))
		return NAN;
	if (odd.n_pos_inf > 0 || odd.n_neg_inf > 0)
		return odd.n_pos_inf > 0 ? INFINITY : -INFINITY;
	if (sketch->buckets != NULL)
		sum = sketch->buckets->sum;
	else
		for (i = 0; i < sketch->n_values; i++)
		{
			memcpy(&bits, &sketch->values[i], sizeof(bits));
			sketch_sum_add(&sum, bits);
		}
	part = sketch_sum_rounded(&sum, &exponent);
	return ldexp(part / divisor, exponent);
}

/* The sum: Infinity when it exceeds the largest double. */
double
sketch_sum(Sketch *sketch)
{
	return total(sketch, 1);
}

/* The mean, which lies between the smallest and the largest number. */
double
sketch_mean(Sketch *sketch)
{
	double		mean = total(sketch, (double) sketch_count(sketch));
	double		min;
	double		max;

	if (!isnan(mean) && !isinf(mean) && finite_range(sketch, &min, &max))
		mean = mean < min ? min : (mean > max ? max : mean);
	return mean;
}

/* How far a percentile can be from the number it stands for, relative to that. */
double
sketch_error(Sketch *sketch)
{
	sketch_settle(sketch);
	return sketch->buckets == NULL ? 0 : sketch_scale_error(sketch->scale);
}

/* Visits the buckets of a store; those of negative numbers, from the largest. */
static bool
walk_store(const Sketch *sketch, const SketchStore *store, bool negative, SketchVisit visit, void *arg)
{
	int32_t		i;

	for (i = 0; i < store->room; i++)
	{
		int32_t		place = negative ? store->room - 1 - i : i;
		int32_t		bucket = store->first + place;
		SketchPart	part;

		if (store->counts[place] == 0)
			continue;
		part.lower = negative ? -sketch_upper(bucket, sketch->scale) : sketch_lower(bucket, sketch->scale);
		part.upper = negative ? -sketch_lower(bucket, sketch->scale) : sketch_upper(bucket, sketch->scale);
		part.lower = part.lower < sketch->buckets->min ? sketch->buckets->min : part.lower;
		part.upper = part.upper > sketch->buckets->max ? sketch->buckets->max : part.upper;
		part.count = store->counts[place];
		if (!visit(&part, arg))
			return false;
	}
	return true;
}

/* Visits one value, if it is there. */
static bool
walk_value(double value, uint64_t count, SketchVisit visit, void *arg)
{
	SketchPart	part;

	part.lower = part.upper = value;
	part.count = count;
	return count == 0 || visit(&part, arg);
}

/* Visits everything that is there, in order. */
void
sketch_walk(Sketch *sketch, SketchVisit visit, void *arg)
{
	const SketchBuckets *buckets = sketch->buckets;
	SketchOdd	odd = sketch_odd(sketch);
	int			i;
	int			same;

	sketch_settle(sketch);
	sketch_sort(sketch);
	if (!walk_value(-INFINITY, odd.n_neg_inf, visit, arg))
		return;
	for (i = 0; i < sketch->n_values; i += same)
	{
		for (same = 1; i + same < sketch->n_values && sketch->values[i + same] == sketch->values[i];)
			same++;
		if (!walk_value(sketch->values[i], same, visit, arg))
			return;
	}
	if (buckets != NULL &&
		!(walk_store(sketch, &buckets->negative, true, visit, arg) &&
		  walk_value(0, buckets->n_zero, visit, arg) &&
		  walk_store(sketch, &buckets->positive, false, visit, arg)))
		return;
	if (walk_value(INFINITY, odd.n_pos_inf, visit, arg))
		walk_value(NAN, odd.n_nan, visit, arg);
}

/* The rank, from 1, that percentile_disc() takes among n numbers. */
static uint64_t
rank_of(uint64_t n, double q)
{
	double		rank = ceil(q * (double) n);

	if (rank >= (double) n)
		return n;
	return rank < 1 ? 1 : (uint64_t) rank;
}

/* The finite number of a rank among the buckets, the smallest and largest apart. */
static double
bucket_value(const Sketch *sketch, uint64_t rank)
{
	const SketchStore *store = &sketch->buckets->negative;
	int32_t		i;

	for (i = store->room - 1; i >= 0; i--)
	{
		if (rank <= store->counts[i])
			return -sketch_middle(store->first + i, sketch->scale);
		rank -= store->counts[i];
	}
	if (rank <= sketch->buckets->n_zero)
		return 0;
	rank -= sketch->buckets->n_zero;
	store = &sketch->buckets->positive;
	for (i = 0; i < store->room; i++)
	{
		if (rank <= store->counts[i])
			return sketch_middle(store->first + i, sketch->scale);
		rank -= store->counts[i];
	}
	return sketch->buckets->max;
}

/*
 * The percentile by the rank of percentile_disc(): the number itself while
 * numbers are kept, else the middle of its bucket.  q is from 0 to 1, and the
 * sketch has a number.
 */
double
sketch_percentile(Sketch *sketch, double q)
{
	SketchOdd	odd = sketch_odd(sketch);
	uint64_t	n_finite = finite_count(sketch);
	uint64_t	rank = rank_of(all_count(odd, n_finite), q);
	double		value;

	if (rank <= odd.n_neg_inf)
		return -INFINITY;
	rank -= odd.n_neg_inf;
	if (rank > n_finite)
		return rank - n_finite <= odd.n_pos_inf ? INFINITY : NAN;
	if (sketch->buckets == NULL)
	{
		sketch_sort(sketch);
		return sketch->values[rank - 1];
	}
	if (rank == 1)
		return sketch->buckets->min;
	if (rank == n_finite)
		return sketch->buckets->max;
	value = bucket_value(sketch, rank);
	if (value < sketch->buckets->min)
		return sketch->buckets->min;
	return value > sketch->buckets->max ? sketch->buckets->max : value;
}

/* What count_below() counts. */
typedef struct BelowCount
{
	double		value;
	bool		inclusive;
	double		below;
} BelowCount;

/* Adds what a part has below the value: all, none, or a share by length. */
static bool
count_below(const SketchPart *part, void *arg)
{
	BelowCount *state = (BelowCount *) arg;
	double		value = state->value;
	double		count = (double) part->count;

	if (!(part->lower <= value) || (part->lower == value && !state->inclusive && part->upper == value))
		return false;
	if (part->upper <= value)
		state->below += count;
	else
	{
		/* a bucket has one sign, so its length is a finite number */
		count *= (value - part->lower) / (part->upper - part->lower);
		state->below += count;
	}
	return true;
}

/*
 * The share of numbers that are below the value, or at it when inclusive:
 * exact but for numbers in the bucket of the value, among which it takes them
 * to be spread evenly.  The sketch has a number.
 */
double
sketch_share(Sketch *sketch, double value, bool inclusive)
{
	SketchOdd	odd = sketch_odd(sketch);
	uint64_t	n_finite = finite_count(sketch);
	uint64_t	n = all_count(odd, n_finite);
	BelowCount	state = {value, inclusive, 0};
	double		min;
	double		max;

	if (isnan(value))
		return inclusive ? 1 : (double) (n - odd.n_nan) / (double) n;
	if (isinf(value) && value > 0)
		state.below = (double) sketch_add_counts(sketch_add_counts(odd.n_neg_inf, n_finite),
												 inclusive ? odd.n_pos_inf : 0);
	else if (isinf(value))
		state.below = inclusive ? (double) odd.n_neg_inf : 0;
	else
	{
		double		least = (double) odd.n_neg_inf;
		double		most = (double) sketch_add_counts(odd.n_neg_inf, n_finite);

		sketch_walk(sketch, count_below, &state);

		/* the smallest and the largest are known */
		if (finite_range(sketch, &min, &max))
		{
			least += inclusive && value >= min;
			most -= !inclusive && value <= max;
		}
		state.below = state.below < least ? least : (state.below > most ? most : state.below);
	}
	return state.below / (double) n;
}
