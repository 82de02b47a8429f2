/*
 * survival.h
 *		The Kaplan-Meier estimate of how long things last, of which some have not
 *		ended yet, without a server underneath.
 *
 * A subject is known to have lasted for some time, and either ended then (it is
 * observed) or is only known to have lasted that long (it is censored).  One
 * key of 64 bits holds both: the time above, whether it is censored in the
 * lowest bit.  So sorted keys have the ends before the censorings of the same
 * time, as the estimate takes them.
 *
 * Nothing depends on the order in which keys came: they are sorted first.
 * Source: Kaplan and Meier 1958; variance by Greenwood 1926.
 */
#ifndef BCCE_SURVIVAL_H
#define BCCE_SURVIVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Fewer ends than this give no interval of a quantile. */
#define SURVIVAL_MIN_EVENTS		5

/* Called now and then in long loops, to let the caller stop; may be NULL. */
typedef void (*SurvivalTick) (void);

/* What the times in keys are. */
typedef enum SurvivalUnit
{
	SURVIVAL_DOUBLE = 1,		/* the bits of a double, finite and not negative */
	SURVIVAL_INTEGER			/* an integer of 63 bits */
} SurvivalUnit;

/* One time at which subjects ended or were censored. */
typedef struct SurvivalStep
{
	uint64_t	time;			/* as in the key */
	size_t		at_risk;		/* just before */
	size_t		events;
	size_t		censored;
	double		survival;		/* share that lasts longer */
	double		variance;		/* Greenwood's sum, up to here */
} SurvivalStep;

/* A walk over sorted keys.  Survival is kept in two doubles, as good as exact. */
typedef struct SurvivalWalk
{
	const uint64_t *keys;
	size_t		n;
	size_t		at;
	size_t		run_risk;		/* at risk after the last censoring */
	double		run_high;		/* survival then */
	double		run_low;
	SurvivalStep step;			/* the last one */
} SurvivalWalk;

/* The key of a subject. */
static inline uint64_t
survival_key(uint64_t time, bool observed)
{
	return time << 1 | (observed ? 0 : 1);
}

/* A finite number that is not negative, as a time.  Such bits order as it does. */
static inline uint64_t
survival_time_of_double(double value)
{
	uint64_t	bits;

	value += 0.0;				/* no minus zero */
	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static inline double
survival_double_of_time(uint64_t time)
{
	double		value;

	memcpy(&value, &time, sizeof(value));
	return value;
}

extern bool survival_keys_valid(const uint64_t *keys, size_t n, SurvivalUnit unit, SurvivalTick tick);

extern void survival_begin(SurvivalWalk *walk, const uint64_t *keys, size_t n);
extern bool survival_next(SurvivalWalk *walk);
extern bool survival_interval(const SurvivalStep *step, double *low, double *high);

extern bool survival_quantile(const uint64_t *keys, size_t n, double q, SurvivalTick tick, uint64_t *time);
extern bool survival_quantile_low(const uint64_t *keys, size_t n, double q, SurvivalTick tick, uint64_t *time);
extern bool survival_quantile_high(const uint64_t *keys, size_t n, double q, SurvivalTick tick, uint64_t *time);
extern bool survival_mean(const uint64_t *keys, size_t n, double restriction, SurvivalTick tick, double *mean);

#endif
