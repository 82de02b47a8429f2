/*
 * two_samples.h
 *		Two samples of numbers compared, without a server underneath: how well
 *		numbers tell two classes apart, and how far apart two distributions are.
 *
 * A sample is a list of keys (value_key.h), of any length.  Counting is in
 * integers: no result depends on the order of rows.
 */
#ifndef BCCE_TWO_SAMPLES_H
#define BCCE_TWO_SAMPLES_H

#include "stats/value_key.h"
#include "stats/values.h"

/* How many cells psi may have. */
#define PSI_MAX_BINS	1000

/* Called now and then, to let the caller stop. */
typedef void (*SampleTick) (void);

/* A sorted sample, some keys at a time. */
typedef struct SampleStream
{
	const uint64_t *at;
	const uint64_t *end;
	uint64_t	n;				/* keys in all */
	bool		(*refill) (struct SampleStream *stream);	/* false at the end; NULL where all keys are here */
} SampleStream;

/* The key of a number that is not NaN; both zeros have one. */
static inline uint64_t
sample_key(double value)
{
	return key_of_double(value + 0.0);
}

/* Is it the key of a number? */
static inline bool
sample_key_is_valid(uint64_t key)
{
	return key >= key_of_double(-INFINITY) && key <= key_of_double(INFINITY) && key != key_of_double(-0.0);
}

/*
 * Of samples that are not empty: the probability that a number of the second is
 * larger than one of the first, ties one half (area under the ROC curve); and
 * the largest distance of their distribution functions.
 */
extern double sample_auc(SampleStream *first, SampleStream *second, SampleTick tick);
extern double sample_ks(SampleStream *first, SampleStream *second, SampleTick tick);

/*
 * The population stability index over 2 to PSI_MAX_BINS cells that hold equal
 * parts of the reference.  The samples need not be sorted and are not empty;
 * no reference is infinite; room is as for values_select().
 */
extern double sample_psi(const ValueList *current, const ValueList *reference, int bins, size_t room, SampleTick tick);

#endif
