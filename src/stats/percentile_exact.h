/*
 * percentile_exact.h
 *		The state of aggregates that keep every value for an exact percentile.
 */
#ifndef BCCE_PERCENTILE_EXACT_H
#define BCCE_PERCENTILE_EXACT_H

#include "fmgr.h"

#include "stats/percentile_ask.h"
#include "stats/select.h"
#include "stats/value_key.h"
#include "stats/value_spool.h"

/* What the values are; the list has them as words in ascending order. */
typedef enum ValueKind
{
	VALUES_FLOAT8,
	VALUES_INTERVAL,			/* microseconds, and the fields */
	VALUES_SPAN					/* microseconds, not negative */
} ValueKind;

typedef struct ExactState
{
	ValueList	list;
	PercentileAsk *ask;
} ExactState;

/* What the aggregate is asked for, in an argument or without one. */
typedef enum AskKind
{
	ASK_MEDIAN,
	ASK_ONE,
	ASK_MANY
} AskKind;

/* The percentile between two values of the list. */
typedef Datum (*ExactBetween) (const uint64 *below, const uint64 *above, const PercentileRank *rank);

extern ExactState *exact_new_state(FunctionCallInfo fcinfo, ValueKind kind, AskKind asks, int argument);
extern Datum exact_final(FunctionCallInfo fcinfo, Oid type, ExactBetween between);

/* The state for this row, whose question is that argument. */
static inline ExactState *
exact_state_for_row(FunctionCallInfo fcinfo, ValueKind kind, AskKind asks, int argument)
{
	ExactState *state;

	if (PG_ARGISNULL(0))
		return exact_new_state(fcinfo, kind, asks, argument);
	state = (ExactState *) PG_GETARG_POINTER(0);
	if (asks != ASK_MEDIAN &&
		!percentile_ask_is(state->ask, asks == ASK_MANY, PG_ARGISNULL(argument), PG_GETARG_DATUM(argument)))
		percentile_ask_differs();
	return state;
}

#endif
