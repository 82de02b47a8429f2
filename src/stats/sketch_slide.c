/*
 * sketch_slide.c
 *		The aggregates of sketches over frames that slide.
 *
 * The type of the numbers is looked up when a query begins, so that a few
 * functions serve all of the aggregates.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/memutils.h"

#include "compat.h"
#include "stats/sketch_state.h"

/* The number of this row. */
static double
number_of(FunctionCallInfo fcinfo)
{
	Oid		   *type = (Oid *) fcinfo->flinfo->fn_extra;

	if (type == NULL)
	{
		type = (Oid *) MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(Oid));
		*type = get_fn_expr_argtype(fcinfo->flinfo, 1);
		fcinfo->flinfo->fn_extra = type;
	}
	switch (*type)
	{
		case FLOAT8OID:
			return sketch_float8_arg(fcinfo);
		case INT8OID:
			return sketch_bigint_arg(fcinfo);
		case NUMERICOID:
			return sketch_numeric_arg(fcinfo);
		case INTERVALOID:
			return sketch_interval_arg(fcinfo);
		default:
			elog(ERROR, "no sketch of type %u", *type);
	}
	return 0;					/* not reached, which not every compiler knows */
}

/* A row joins the frame at its end. */
static Datum
slide(FunctionCallInfo fcinfo, AskKind kind)
{
	MemoryContext context = sketch_aggregate_context(fcinfo);
	SketchState *state;
	SketchWindow *window;
	bool		isnull;

	/* not NULL even without a number, by the rules of the server */
	if (PG_ARGISNULL(0))
	{
		state = sketch_make_state(context, SKETCH_DEFAULT_SCALE);
		state->window = (SketchWindow *) MemoryContextAlloc(context, sizeof(SketchWindow));
		sketch_window_init(state->window, context, SKETCH_DEFAULT_SCALE);
	}
	else
		state = (SketchState *) PG_GETARG_POINTER(0);
	if (PG_ARGISNULL(1))
		PG_RETURN_POINTER(state);
	window = state->window;
	isnull = kind != ASK_NOTHING && PG_ARGISNULL(2);
	if (kind != ASK_NOTHING && state->ask != NULL && window->first == window->end)
	{
		/* a new first row may have another question */
		if (state->ask->array != NULL)
			pfree(state->ask->array);
		pfree(state->ask);
		state->ask = NULL;
	}
	if (kind != ASK_NOTHING && state->ask == NULL)
	{
		state->ask = sketch_make_ask(context, kind, isnull, isnull ? (Datum) 0 : PG_GETARG_DATUM(2));
		sketch_window_reset(window, sketch_scale_of_ask(state->ask));
	}
	else if (kind != ASK_NOTHING)
		sketch_check_row_ask(state->ask, kind, isnull, isnull ? (Datum) 0 : PG_GETARG_DATUM(2));
	sketch_window_add(window, number_of(fcinfo));
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(sketch_slide);
/* sketch_slide(internal, "any") returns internal */
Datum
sketch_slide(PG_FUNCTION_ARGS)
{
	return slide(fcinfo, ASK_NOTHING);
}

PG_FUNCTION_INFO_V1(sketch_slide_error);
/* sketch_slide(internal, "any", error) returns internal */
Datum
sketch_slide_error(PG_FUNCTION_ARGS)
{
	return slide(fcinfo, ASK_ERROR);
}

PG_FUNCTION_INFO_V1(sketch_slide_percentile);
/* approx_percentile_slide(internal, "any", q) returns internal */
Datum
sketch_slide_percentile(PG_FUNCTION_ARGS)
{
	return slide(fcinfo, ASK_PERCENTILE);
}

PG_FUNCTION_INFO_V1(sketch_slide_percentiles);
/* approx_percentile_slide(internal, "any", q[]) returns internal */
Datum
sketch_slide_percentiles(PG_FUNCTION_ARGS)
{
	return slide(fcinfo, ASK_PERCENTILES);
}

PG_FUNCTION_INFO_V1(sketch_slide_out);
/* sketch_slide_out(internal, "any" [, question]) returns internal: the first row leaves */
Datum
sketch_slide_out(PG_FUNCTION_ARGS)
{
	SketchState *state = PG_ARGISNULL(0) ? NULL : (SketchState *) PG_GETARG_POINTER(0);

	sketch_aggregate_context(fcinfo);
	if (state == NULL || state->window == NULL)
		elog(ERROR, "row leaves a frame that has none");
	if (!PG_ARGISNULL(1))
		sketch_window_remove(state->window);
	PG_RETURN_POINTER(state);
}
