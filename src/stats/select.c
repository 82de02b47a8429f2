/*
 * select.c
 *		Exact percentiles of an array by selection, without a server underneath.
 *
 * Quickselect with a pivot of nine.  Data that defeats the pivot too often is
 * halved by value instead: a 64-bit range has at most 64 halves, so the worst
 * case stays linear, and no adversary can make it quadratic.
 */
#include "stats/select.h"

#include <math.h>
#include <string.h>

/* Ranges up to this are sorted by insertion. */
#define SMALL_RANGE		24

/* Ranges above this take nine samples for their pivot. */
#define LARGE_RANGE		512

/* Passes by pivot before passes by value begin. */
#define PIVOT_PASSES	64

/* See the header. */
PercentileRank
percentile_rank(size_t n, double q)
{
	PercentileRank rank;
	double		place = q * (double) (n - 1);

	rank.below = (size_t) floor(place);
	rank.above = (size_t) ceil(place);

	/* q <= 1 keeps both below n, but for a rounding of huge n */
	if (rank.below > n - 1)
		rank.below = n - 1;
	if (rank.above > n - 1)
		rank.above = n - 1;
	rank.fraction = rank.above == rank.below ? 0 : place - (double) rank.below;
	return rank;
}

/* See the header. */
double
percentile_between(double below, double above, const PercentileRank *rank)
{
	if (rank->above == rank->below)
		return below;
	return below + (rank->fraction * (above - below));
}

/* Sorts a short range. */
static void
insertion_sort(int64_t *v, size_t n)
{
	size_t		i;

	for (i = 1; i < n; i++)
	{
		int64_t		x = v[i];
		size_t		j = i;

		for (; j > 0 && v[j - 1] > x; j--)
			v[j] = v[j - 1];
		v[j] = x;
	}
}

/* The middle one of three. */
static inline int64_t
median3(int64_t a, int64_t b, int64_t c)
{
	if (a < b)
		return b < c ? b : (a < c ? c : a);
	return a < c ? a : (b < c ? c : b);
}

/* A value of the range that is likely near its middle. */
static int64_t
sample_pivot(const int64_t *v, size_t n)
{
	size_t		step = n / 8;

	if (n <= LARGE_RANGE)
		return median3(v[0], v[n / 2], v[n - 1]);
	return median3(median3(v[0], v[step], v[2 * step]),
				   median3(v[3 * step], v[4 * step], v[5 * step]),
				   median3(v[6 * step], v[7 * step], v[n - 1]));
}

/*
 * Parts the range at half way between its smallest and largest value, and
 * returns how many are in the lower half: 0 when all values are equal.
 */
static size_t
halve_by_value(int64_t *v, size_t n)
{
	int64_t		min = v[0];
	int64_t		max = v[0];
	int64_t		middle;
	size_t		lower = 0;
	size_t		i;

	for (i = 1; i < n; i++)
	{
		if (v[i] < min)
			min = v[i];
		if (v[i] > max)
			max = v[i];
	}
	if (min == max)
		return 0;
	middle = (int64_t) ((uint64_t) min + ((uint64_t) max - (uint64_t) min) / 2);
	for (i = 0; i < n; i++)
		if (v[i] <= middle)
		{
			int64_t		swap = v[i];

			v[i] = v[lower];
			v[lower++] = swap;
		}
	return lower;
}

/*
 * Hoare's partition about one of the values: afterwards
 * v[0..*left-1] <= pivot, v[*right..n-1] >= pivot, and what is between equals it.
 */
static void
partition(int64_t *v, size_t n, int64_t pivot, size_t *left, size_t *right)
{
	size_t		i = 0;
	size_t		j = n;			/* one past the range still to look at */

	for (;;)
	{
		int64_t		swap;

		while (v[i] < pivot)
			i++;
		while (v[j - 1] > pivot)
			j--;
		if (i >= j)
			break;
		swap = v[i];
		v[i] = v[j - 1];
		v[j - 1] = swap;
		i++;
		j--;
		if (i >= j)
			break;
	}
	*left = j;
	*right = i;
}

/* See the header. */
void
select_int64(int64_t *v, size_t n, size_t k, SelectTick tick)
{
	int			passes = 0;

	while (n > SMALL_RANGE)
	{
		size_t		left;
		size_t		right;

		if (tick != NULL)
			tick();
		if (passes++ < PIVOT_PASSES)
			partition(v, n, sample_pivot(v, n), &left, &right);
		else
		{
			left = right = halve_by_value(v, n);
			if (left == 0)
				return;			/* all are equal */
		}
		if (k < left)
			n = left;
		else if (k >= right)
		{
			v += right;
			n -= right;
			k -= right;
		}
		else
			return;				/* v[k] equals the pivot */
	}
	insertion_sort(v, n);
}

/* See the header. */
void
percentile_int64(int64_t *v, size_t n, const PercentileRank *rank,
				 int64_t *below, int64_t *above, SelectTick tick)
{
	size_t		i;

	select_int64(v, n, rank->below, tick);
	*below = v[rank->below];
	*above = *below;
	if (rank->above == rank->below)
		return;
	*above = v[rank->above];
	for (i = rank->above + 1; i < n; i++)
		if (v[i] < *above)
			*above = v[i];
}
