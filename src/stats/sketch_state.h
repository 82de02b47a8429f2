/*
 * sketch_state.h
 *		States of the aggregates of sketches, and what their rows hold.
 *
 * Intervals count in seconds, a day as 24 hours and a month as 30 days, as the
 * server does when it orders them.
 */
#ifndef BCCE_SKETCH_STATE_H
#define BCCE_SKETCH_STATE_H

#include <math.h>

#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "stats/sketch_index.h"
#include "stats/sketch_type.h"
#include "stats/sketch_window.h"

/* What the second argument of an aggregate is. */
typedef enum AskKind
{
	ASK_NOTHING,
	ASK_ERROR,
	ASK_PERCENTILE,
	ASK_PERCENTILES
} AskKind;

/* The second argument of the aggregate, the same in all rows of a group. */
typedef struct Ask
{
	uint8		kind;
	bool		isnull;
	double		number;			/* percentile or error */
	ArrayType  *array;			/* percentiles */
} Ask;

/* A power of two bytes, as memory is handed out. */
typedef struct SketchState
{
	Sketch		sketch;
	Ask		   *ask;			/* NULL when there is no second argument */
	SketchWindow *window;		/* which frames that slide have instead of the sketch */
	double		first[9];		/* lent to the sketch */
} SketchState;

extern MemoryContext sketch_aggregate_context(FunctionCallInfo fcinfo);
extern SketchState *sketch_make_state(MemoryContext context, int scale);
extern Ask *sketch_make_ask(MemoryContext context, AskKind kind, bool isnull, Datum datum);
extern int	sketch_scale_of_ask(const Ask *ask);
extern void sketch_check_same_ask(const Ask *ask, AskKind kind, bool isnull, double number, ArrayType *array);

/* Refuses a second argument that is not that of the first row. */
static inline void
sketch_check_row_ask(const Ask *ask, AskKind kind, bool isnull, Datum datum)
{
	if (kind == ASK_PERCENTILES)
		sketch_check_same_ask(ask, kind, isnull, 0, isnull ? NULL : DatumGetArrayTypeP(datum));
	else
		sketch_check_same_ask(ask, kind, isnull, isnull ? 0 : DatumGetFloat8(datum), NULL);
}

/* Arguments of the input types as doubles. */
static inline double
sketch_float8_arg(FunctionCallInfo fcinfo)
{
	return PG_GETARG_FLOAT8(1);
}

static inline double
sketch_bigint_arg(FunctionCallInfo fcinfo)
{
	return (double) PG_GETARG_INT64(1);
}

static inline double
sketch_numeric_arg(FunctionCallInfo fcinfo)
{
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, PG_GETARG_DATUM(1)));
}

static inline double
sketch_interval_arg(FunctionCallInfo fcinfo)
{
	Interval   *span = PG_GETARG_INTERVAL_P(1);
	int			infinity = bcce_interval_infinity(span);
	int128		usecs = (int128) span->month * DAYS_PER_MONTH + span->day;

	if (infinity != 0)
		return infinity * INFINITY;
	usecs = usecs * USECS_PER_DAY + span->time;
	return (double) usecs / 1000000.0;
}

#endif
