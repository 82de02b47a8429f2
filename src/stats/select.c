/*
 * select.c
 *		Exact percentiles of an array by selection, without a server underneath.
 */
#include "stats/select.h"

#include <math.h>

/* Ranges up to this are sorted by insertion. */
#define SMALL_RANGE		24

/* Ranges above this take nine samples for their pivot. */
#define LARGE_RANGE		512

/* A value of two words. */
typedef struct WordPair
{
	uint64_t	high;
	uint64_t	low;
} WordPair;

#define SELECT_TYPE			uint64_t
#define SELECT_LESS(a, b)	((a) < (b))
#define SELECT_NAME(name)	name##_word
#include "stats/select_template.h"

#define SELECT_TYPE			WordPair
#define SELECT_LESS(a, b)	((a).high < (b).high || ((a).high == (b).high && (a).low < (b).low))
#define SELECT_NAME(name)	name##_pair
#include "stats/select_template.h"

/* See the header. */
PercentileRank
percentile_rank(uint64_t n, double q)
{
	PercentileRank rank;
	double		place = q * (double) (n - 1);

	rank.below = (uint64_t) floor(place);
	rank.above = (uint64_t) ceil(place);

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

/* See the header. */
void
select_words(uint64_t *v, size_t n, int width, uint64_t first,
			 const uint64_t *ranks, size_t n_ranks, SelectTick tick)
{
	int			passes = 8;		/* and two for each halving */
	size_t		m;

	for (m = n; m > 1; m /= 2)
		passes += 2;
	if (width == 1)
		select_word(v, n, first, ranks, n_ranks, passes, tick);
	else
		select_pair((WordPair *) v, n, first, ranks, n_ranks, passes, tick);
}
