/*
 * two_samples.h
 *		Two samples of numbers compared, without a server underneath: how well
 *		numbers tell two classes apart, and how far apart two distributions are.
 *
 * A sample is an array of keys, unsigned integers in the order of the doubles
 * that they stand for.  Counting is in integers: no result depends on the order
 * of rows.
 */
#ifndef BCCE_TWO_SAMPLES_H
#define BCCE_TWO_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SAMPLE_SIGN		(UINT64_C(1) << 63)

/* Keys of minus and plus infinity; those of other doubles lie between. */
#define SAMPLE_MIN_KEY	UINT64_C(0x000fffffffffffff)
#define SAMPLE_MAX_KEY	UINT64_C(0xfff0000000000000)

/* How many cells psi may have. */
#define PSI_MAX_BINS	1000

/* Called now and then, to let the caller stop. */
typedef void (*SampleTick) (void);

typedef struct Sample
{
	size_t		n;
	uint64_t   *keys;			/* sorted, where that is asked for */
} Sample;

/* The key of a number that is not NaN; both zeros have one. */
static inline uint64_t
sample_key(double value)
{
	uint64_t	bits;

	value += 0.0;
	memcpy(&bits, &value, sizeof(bits));
	return bits & SAMPLE_SIGN ? ~bits : bits | SAMPLE_SIGN;
}

/* The number of a key. */
static inline double
sample_value(uint64_t key)
{
	uint64_t	bits = key & SAMPLE_SIGN ? key & ~SAMPLE_SIGN : ~key;
	double		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* Are these the keys of numbers? */
extern bool sample_is_valid(const Sample *sample, SampleTick tick);

/* Sorts keys, in time that grows with n whatever they are, without memory. */
extern void sample_sort(uint64_t *keys, size_t n, SampleTick tick);

/*
 * Of sorted samples, none of them empty: the probability that a number of the
 * second is larger than one of the first, ties one half (area under the ROC
 * curve); the largest distance of their distribution functions; and the
 * population stability index over cells that hold equal parts of the second.
 */
extern double sample_auc(const Sample *first, const Sample *second, SampleTick tick);
extern double sample_ks(const Sample *first, const Sample *second, SampleTick tick);
extern double sample_psi(const Sample *current, const Sample *reference, int bins);

#endif
