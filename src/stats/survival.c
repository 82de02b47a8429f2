/*
 * survival.c
 *		The Kaplan-Meier estimate of how long things last, of which some have not
 *		ended yet, without a server underneath.
 */
#include "stats/survival.h"

#include <math.h>

/* Keys or steps between two calls of the tick, a power of two. */
#define TICK_EVERY		65536

/*
 * A quantile such as 0.9 is not a double, and neither is what it leaves.  A
 * curve that comes this close to it has reached it.
 */
#define SLACK			1e-12

/* The 97.5th percentile of the standard normal distribution. */
#define Z_95			1.959963984540054

static inline void
tick_at(size_t i, SurvivalTick tick)
{
	if ((i & (TICK_EVERY - 1)) == 0 && tick != NULL)
		tick();
}

/* Can these be keys of times in this unit? */
bool
survival_keys_valid(const uint64_t *keys, size_t n, SurvivalUnit unit, SurvivalTick tick)
{
	const uint64_t infinite = survival_key(survival_time_of_double(INFINITY), true);
	size_t		i;

	if (unit == SURVIVAL_INTEGER)
		return true;			/* all are */
	for (i = 0; i < n; i++)
	{
		tick_at(i, tick);
		if (keys[i] >= infinite)
			return false;
	}
	return true;
}

/* Starts a walk over sorted keys. */
void
survival_begin(SurvivalWalk *walk, const uint64_t *keys, size_t n)
{
	memset(walk, 0, sizeof(*walk));
	walk->keys = keys;
	walk->n = n;
	walk->run_risk = n;
	walk->run_high = 1;
	walk->step.survival = 1;
}

/*
 * (*high, *low) times a, divided by b, both below 2^53: right to some 100 bits.
 * (Dekker 1971; fma() gives what a product or a quotient leaves over.)
 */
static void
multiply_ratio(double *high, double *low, double a, double b)
{
	double		product = *high * a;
	double		rest = fma(*high, a, -product) + *low * a;
	double		quotient = product / b;
	double		more = (fma(-quotient, b, product) + rest) / b;

	*high = quotient + more;
	*low = more - (*high - quotient);
}

/*
 * Goes on to the next time; false behind the last.
 *
 * Between two censorings the factors of the estimate cancel out, so survival is
 * that after the last censoring, times who is left, divided by who was.
 */
bool
survival_next(SurvivalWalk *walk)
{
	SurvivalStep *step = &walk->step;
	const uint64_t *keys = walk->keys;
	size_t		at = walk->at;
	double		left;

	if (at >= walk->n)
		return false;
	step->time = keys[at] >> 1;
	step->at_risk = walk->n - at;
	for (; at < walk->n && keys[at] == survival_key(step->time, true); at++)
		;
	step->events = at - walk->at;
	left = (double) (walk->n - at);
	if (step->events > 0)
	{
		double		high = walk->run_high;
		double		low = walk->run_low;

		multiply_ratio(&high, &low, left, (double) walk->run_risk);
		step->survival = high;
		if (left > 0)
			step->variance += (double) step->events / ((double) step->at_risk * left);
		if (at < walk->n && keys[at] == survival_key(step->time, false))
		{
			walk->run_high = high;
			walk->run_low = low;
		}
	}
	else
		multiply_ratio(&walk->run_high, &walk->run_low, (double) step->at_risk, (double) walk->run_risk);
	step->censored = at;
	for (; at < walk->n && keys[at] == survival_key(step->time, false); at++)
		;
	step->censored = at - step->censored;
	if (step->censored > 0)
		walk->run_risk = walk->n - at;
	walk->at = at;
	return true;
}

/*
 * The 95 % interval of survival after a step, by the log(-log) transform, which
 * keeps it between 0 and 1; false where all or none are left: there is none.
 */
bool
survival_interval(const SurvivalStep *step, double *low, double *high)
{
	double		width;

	if (!(step->survival > 0 && step->survival < 1))
		return false;
	width = Z_95 * sqrt(step->variance) / -log(step->survival);
	*low = pow(step->survival, exp(width));
	*high = pow(step->survival, exp(-width));
	return true;
}

/* Which curve is asked when it reaches a share. */
typedef enum CurveKind
{
	CURVE_LOW,
	CURVE_MIDDLE,
	CURVE_HIGH
} CurveKind;

/* Has the curve come down to the share by this step? */
static bool
has_reached(const SurvivalStep *step, CurveKind kind, double share)
{
	double		low;
	double		high;

	if (step->survival <= share && kind != CURVE_HIGH)
		return true;			/* the lower bound is not above the curve */
	if (kind == CURVE_MIDDLE || !survival_interval(step, &low, &high))
		return false;
	return (kind == CURVE_LOW ? low : high) <= share;
}

/* The first time of an end by which the curve has come down to 1 - q. */
static bool
time_reached(const uint64_t *keys, size_t n, CurveKind kind, double q, SurvivalTick tick, uint64_t *time)
{
	SurvivalWalk walk;
	size_t		i = 0;

	survival_begin(&walk, keys, n);
	while (survival_next(&walk))
	{
		tick_at(++i, tick);
		if (walk.step.events > 0 && has_reached(&walk.step, kind, 1 - q + SLACK))
		{
			*time = walk.step.time;
			return true;
		}
	}
	return false;
}

/*
 * The quantile of sorted keys: the smallest time by which a share of q (0 to 1)
 * has ended; false when the curve never gets there.
 */
bool
survival_quantile(const uint64_t *keys, size_t n, double q, SurvivalTick tick, uint64_t *time)
{
	return time_reached(keys, n, CURVE_MIDDLE, q, tick, time);
}

/* Are there ends enough for an interval? */
static bool
has_enough_events(const uint64_t *keys, size_t n, SurvivalTick tick)
{
	size_t		events = 0;
	size_t		i;

	for (i = 0; i < n && events < SURVIVAL_MIN_EVENTS; i++)
	{
		tick_at(i, tick);
		events += !(keys[i] & 1);
	}
	return events >= SURVIVAL_MIN_EVENTS;
}

/*
 * The 95 % interval of the quantile: where the bounds of the curve come down to
 * 1 - q (Brookmeyer and Crowley 1982, by the log(-log) transform).  False for a
 * bound that never does, and under SURVIVAL_MIN_EVENTS ends.
 */
bool
survival_quantile_low(const uint64_t *keys, size_t n, double q, SurvivalTick tick, uint64_t *time)
{
	return has_enough_events(keys, n, tick) && time_reached(keys, n, CURVE_LOW, q, tick, time);
}

bool
survival_quantile_high(const uint64_t *keys, size_t n, double q, SurvivalTick tick, uint64_t *time)
{
	return has_enough_events(keys, n, tick) && time_reached(keys, n, CURVE_HIGH, q, tick, time);
}

/*
 * The mean of sorted keys of doubles: the area under the curve up to the
 * restriction, or up to the longest time when that is NaN.  False where the
 * curve is not known that far: something still lasts at its end.
 */
bool
survival_mean(const uint64_t *keys, size_t n, double restriction, SurvivalTick tick, double *mean)
{
	SurvivalWalk walk;
	double		survival = 1;
	double		before = 0;
	double		sum = 0;
	double		lost = 0;		/* what the additions rounded off */
	size_t		i = 0;

	if (n == 0)
		return false;
	survival_begin(&walk, keys, n);
	while (survival_next(&walk) && !(before >= restriction))
	{
		double		time = survival_double_of_time(walk.step.time);
		double		until = time > restriction ? restriction : time;
		double		area = survival * (until - before);
		double		next = sum + area;

		tick_at(++i, tick);
		lost += sum >= area ? (sum - next) + area : (area - next) + sum;
		sum = next;
		before = until;
		survival = walk.step.survival;
	}
	*mean = sum + lost;
	return isnan(restriction) || survival <= 0 || before >= restriction;
}
