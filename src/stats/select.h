/*
 * select.h
 *		Exact percentiles of an array by selection, without a server underneath.
 *
 * The percentile is the one with interpolation between neighbours ("type 7" of
 * Hyndman and Fan 1996), which percentile_cont() computes, by the same
 * expressions in the same order, so that the bits agree.
 */
#ifndef BCCE_SELECT_H
#define BCCE_SELECT_H

#include <stddef.h>
#include <stdint.h>

/* Called once per pass over the data, to let the caller stop; may be NULL. */
typedef void (*SelectTick) (void);

/* Between which ranks (from 0) a percentile lies, and how far. */
typedef struct PercentileRank
{
	size_t		below;
	size_t		above;			/* below, or one more */
	double		fraction;		/* 0 when both are the same */
} PercentileRank;

/* The place of percentile q (0 to 1) among n values, n at least 1. */
extern PercentileRank percentile_rank(size_t n, double q);

/* The value that far between two neighbours. */
extern double percentile_between(double below, double above, const PercentileRank *rank);

/*
 * Reorders v[0..n-1] so that v[k] is the value of rank k, with nothing larger
 * before it and nothing smaller behind.
 */
extern void select_int64(int64_t *v, size_t n, size_t k, SelectTick tick);

/* The two neighbours of a percentile; reorders v. */
extern void percentile_int64(int64_t *v, size_t n, const PercentileRank *rank,
							 int64_t *below, int64_t *above, SelectTick tick);

#endif
