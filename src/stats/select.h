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
	uint64_t	below;
	uint64_t	above;			/* below, or one more */
	double		fraction;		/* 0 when both are the same */
} PercentileRank;

/* The place of percentile q (0 to 1) among n values, n at least 1. */
extern PercentileRank percentile_rank(uint64_t n, double q);

/* The value that far between two neighbours. */
extern double percentile_between(double below, double above, const PercentileRank *rank);

/*
 * Reorders n values, of one word or of two that order one after the other, so
 * that each of the ranks (ascending, of values before v plus first) holds the
 * value of that rank.
 */
extern void select_words(uint64_t *v, size_t n, int width, uint64_t first,
						 const uint64_t *ranks, size_t n_ranks, SelectTick tick);

#endif
