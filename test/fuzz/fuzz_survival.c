/*
 * fuzz_survival.c
 *		Throws made-up durations at the Kaplan-Meier estimate and checks it against
 *		other ways to the same numbers: Efron's redistribution to the right, the
 *		rank of a quantile and the plain mean where nothing is censored.
 *
 * Stands alone (fuzz_survival [seconds] [seed]), or is linked as a libFuzzer
 * target with -DLIBFUZZER.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "stats/sort.h"
#include "stats/survival.h"
#include "random.h"

#define MAX_SUBJECTS	2000

static long ticks;

static void
tick(void)
{
	ticks++;
}

static int
compare(const void *x, const void *y)
{
	uint64_t	a = *(const uint64_t *) x;
	uint64_t	b = *(const uint64_t *) y;

	return (a > b) - (a < b);
}

/* Sorted by the code and by the library alike, with a tick now and then. */
static void
check_sort(const uint64_t *keys, size_t n, uint64_t *sorted)
{
	uint64_t   *expected = malloc((n + 1) * sizeof(uint64_t));

	memcpy(sorted, keys, n * sizeof(uint64_t));
	memcpy(expected, keys, n * sizeof(uint64_t));
	ticks = 0;
	sort_words(sorted, n, tick);
	qsort(expected, n, sizeof(uint64_t), compare);
	require(memcmp(sorted, expected, n * sizeof(uint64_t)) == 0, "not in order");
	require(ticks >= (long) (n / 65536), "sorts on without asking whether to stop");
	free(expected);
}

/*
 * The estimate by Efron 1967: all subjects weigh the same; what a censored one
 * weighs goes in equal parts to those that last longer.  What ended by a step
 * is the weight of its ends and of those before.
 */
static void
check_curve(const uint64_t *keys, size_t n)
{
	SurvivalWalk walk;
	long double share = n > 0 ? 1.0L / n : 0;
	long double left = 1;
	double		before = 1;
	double		spread = 0;
	size_t		seen = 0;

	survival_begin(&walk, keys, n);
	while (survival_next(&walk))
	{
		const SurvivalStep *step = &walk.step;
		double		low;
		double		high;
		size_t		i;

		require(step->at_risk == n - seen && step->events + step->censored > 0, "rows at risk");
		for (i = 0; i < step->events; i++)
			require(keys[seen++] == survival_key(step->time, true), "ends");
		left -= share * step->events;
		for (i = 0; i < step->censored; i++)
		{
			require(keys[seen++] == survival_key(step->time, false), "censorings");
			if (seen < n)
				share += share / (long double) (n - seen);
		}
		require(fabsl(step->survival - left) < 1e-15L * 8, "survival is not that of Efron");
		require(step->survival <= before && step->survival >= 0, "survival rises");
		require((step->survival == before) == (step->events == 0), "a step without an end, or an end without a step");
		require(step->variance >= spread, "variance falls");
		if (survival_interval(step, &low, &high))
			require(0 <= low && low <= step->survival && step->survival <= high && high <= 1, "interval");
		else
			require(step->survival == 0 || step->survival == 1, "no interval");
		before = step->survival;
		spread = step->variance;
	}
	require(seen == n, "rows left over");
}

/* Quantiles against the curve, their bounds around them. */
static void
check_quantiles(const uint64_t *keys, size_t n)
{
	uint64_t	before = 0;
	size_t		events = 0;
	size_t		i;

	for (i = 0; i < n; i++)
		events += !(keys[i] & 1);
	for (i = 0; i <= 40; i++)
	{
		double		q = i / 40.0;
		uint64_t	time = UINT64_MAX;
		uint64_t	low = UINT64_MAX;
		uint64_t	high = UINT64_MAX;
		uint64_t	first = UINT64_MAX;
		uint64_t	first_low = UINT64_MAX;
		uint64_t	first_high = UINT64_MAX;
		bool		known = survival_quantile(keys, n, q, tick, &time);
		bool		has_low = survival_quantile_low(keys, n, q, tick, &low);
		bool		has_high = survival_quantile_high(keys, n, q, tick, &high);
		SurvivalWalk walk;

		survival_begin(&walk, keys, n);
		while (survival_next(&walk))
		{
			double		share = 1 - q + 1e-12;
			double		lower = walk.step.survival;
			double		upper = INFINITY;

			if (walk.step.events == 0)
				continue;
			survival_interval(&walk.step, &lower, &upper);
			first = first == UINT64_MAX && walk.step.survival <= share ? walk.step.time : first;
			first_low = first_low == UINT64_MAX && lower <= share ? walk.step.time : first_low;
			first_high = first_high == UINT64_MAX && upper <= share ? walk.step.time : first_high;
		}
		require(known == (first != UINT64_MAX) && time == first, "quantile");
		require(events < SURVIVAL_MIN_EVENTS || (low == first_low && high == first_high), "bounds of a quantile");
		require(time >= before, "quantiles are not in order");
		require(events >= SURVIVAL_MIN_EVENTS || (!has_low && !has_high), "interval of few ends");
		require(!has_high || known, "upper bound without a quantile");
		require(!known || events < SURVIVAL_MIN_EVENTS || has_low, "quantile without a lower bound");
		require(low == UINT64_MAX || low <= time, "lower bound is above");
		require(high >= time, "upper bound is below");
		before = time;
	}
}

/* With nothing censored, rank k of n is the quantile k/n, for every n and k. */
static void
check_ranks(void)
{
	uint64_t	keys[200];
	size_t		n;
	size_t		k;

	for (n = 1; n <= 200; n++)
	{
		for (k = 0; k < n; k++)
			keys[k] = survival_key(survival_time_of_double((double) (k + 1)), true);
		for (k = 1; k <= n; k++)
		{
			uint64_t	time = 0;

			require(survival_quantile(keys, n, (double) k / (double) n, NULL, &time) &&
					survival_double_of_time(time) == (double) k, "rank of a quantile");
		}
	}
}

/* The mean against the plain one, and against Efron's weights. */
static void
check_mean(const uint64_t *keys, size_t n)
{
	double		mean = -1;
	double		short_mean = -1;
	long double expected = 0;
	long double share = n > 0 ? 1.0L / n : 0;
	long double left = 1;
	double		longest = n > 0 ? survival_double_of_time(keys[n - 1] >> 1) : 0;
	bool		ended = n > 0 && !(keys[n - 1] & 1);
	size_t		i;

	require(survival_mean(keys, n, NAN, tick, &mean) == (n > 0), "mean of nothing");
	if (n == 0)
		return;
	for (i = 0; i < n; i++)
		if (keys[i] & 1)
			share += i + 1 < n ? share / (long double) (n - i - 1) : 0;
		else
		{
			expected += share * survival_double_of_time(keys[i] >> 1);
			left -= share;
		}
	if (!ended)
		expected += left * longest;
	require(fabsl(mean - expected) <= 1e-13L * longest + 5e-324L * n, "mean");
	require(survival_mean(keys, n, INFINITY, tick, &short_mean) == ended && short_mean == mean, "mean without a restriction");
	require(survival_mean(keys, n, longest, tick, &short_mean) && short_mean == mean, "mean up to the longest");
	require(survival_mean(keys, n, longest / 2, tick, &short_mean) && short_mean <= mean &&
			short_mean <= longest / 2 * (1 + 1e-15) + 5e-324, "mean up to the half");
	require(survival_mean(keys, n, 0, tick, &short_mean) && short_mean == 0, "mean up to nothing");
}

/* Durations of one kind: ties, wide, whole, subnormal and huge, random bits. */
static double
make_duration(int kind)
{
	uint64_t	bits;
	double		value;

	switch (kind)
	{
		case 0:
			return next_random(10);
		case 1:
			return exp(30 * next_share());
		case 2:
			return next_random(100000);
		case 3:
			return next_random(2) ? ldexp(next_random(1000), -1074) : 1.7976931348623157e308 * next_share();
		case 4:
			return next_random(3) ? 0.0 : -0.0;
		default:
			bits = next_bits() >> 1;
			memcpy(&value, &bits, sizeof(value));
			return isfinite(value) ? value : 1;
	}
}

static void
check_subjects(void)
{
	uint64_t	keys[MAX_SUBJECTS];
	uint64_t	sorted[MAX_SUBJECTS];
	int			kind = next_random(6);
	double		open = next_random(4) == 0 ? 0 : next_random(4) == 0 ? 1 : next_share();
	size_t		n = (size_t) (next_random(3) ? next_random(60) : next_random(MAX_SUBJECTS));
	size_t		i;

	for (i = 0; i < n; i++)
		keys[i] = survival_key(survival_time_of_double(make_duration(kind)), next_share() >= open);
	require(survival_keys_valid(keys, n, SURVIVAL_DOUBLE, tick), "good keys refused");
	check_sort(keys, n, sorted);
	check_curve(sorted, n);
	check_quantiles(sorted, n);
	check_mean(sorted, n);
}

/* Bytes that may be no keys: refused, or estimated like any others. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t		n = size / sizeof(uint64_t);
	uint64_t   *keys = malloc(size + 1);
	uint64_t   *sorted = malloc(size + 1);
	bool		valid = true;
	size_t		i;

	memcpy(keys, data, n * sizeof(uint64_t));
	for (i = 0; i < n; i++)
		valid = valid && isfinite(survival_double_of_time(keys[i] >> 1));
	require(survival_keys_valid(keys, n, SURVIVAL_INTEGER, tick), "whole numbers refused");
	require(survival_keys_valid(keys, n, SURVIVAL_DOUBLE, tick) == valid, "what is no number");
	check_sort(keys, n, sorted);
	check_curve(sorted, n);
	check_quantiles(sorted, n);
	if (valid)
		check_mean(sorted, n);
	free(sorted);
	free(keys);
	return 0;
}

#ifndef LIBFUZZER

/* More than one stretch between ticks; sorted, equal and random keys. */
static void
check_many(void)
{
	size_t		n = 300000;
	uint64_t   *keys = malloc(n * sizeof(uint64_t));
	uint64_t   *sorted = malloc(n * sizeof(uint64_t));
	int			kind;
	size_t		i;

	for (kind = 0; kind < 3; kind++)
	{
		for (i = 0; i < n; i++)
			keys[i] = kind == 0 ? i : kind == 1 ? 42 : next_bits();
		check_sort(keys, n, sorted);
		check_curve(sorted, n);
	}
	free(sorted);
	free(keys);
}

int
main(int argc, char **argv)
{
	time_t		stop = time(NULL) + (argc > 1 ? atoi(argv[1]) : 10);
	long		n = 0;

	if (argc > 2)
		state = strtoull(argv[2], NULL, 10) * 2654435761u + 1;
	check_ranks();
	check_many();
	do
	{
		uint64_t	noise[24];
		size_t		i;

		check_subjects();
		for (i = 0; i < 24; i++)
			noise[i] = next_bits();
		LLVMFuzzerTestOneInput((const uint8_t *) noise, (size_t) next_random(sizeof(noise)));
		n++;
	} while (time(NULL) < stop);
	printf("fuzz_survival: %ld sets of durations, nothing found\n", n);
	return 0;
}

#endif
