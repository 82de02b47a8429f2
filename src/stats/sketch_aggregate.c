/*
 * sketch_aggregate.c
 *		The aggregates percentile_sketch(), rollup() and approx_percentile().
 *
 * One state serves all of them: a sketch, and what was asked beside it.  Up to
 * nine numbers it takes 144 bytes, for the sake of groups by the million.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/float.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "error.h"
#include "stats/sketch_state.h"

/* First byte of a serialized state. */
#define STATE_VERSION	1

#define USECS_PER_SEC_F	1000000.0

/* What a transition function remembers from row to row. */
typedef struct StepMemory
{
	bool		fixed;			/* the second argument cannot change */
	Ask		   *ask;			/* then it, once a row had it */
} StepMemory;

/* The context for aggregate states; nobody else may call these functions. */
MemoryContext
sketch_aggregate_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "sketch function called outside an aggregate");
	return context;
}

/* A state without numbers. */
SketchState *
sketch_make_state(MemoryContext context, int scale)
{
	SketchState *state = (SketchState *) MemoryContextAlloc(context, sizeof(SketchState));

	sketch_init(&state->sketch, context, scale);
	sketch_lend(&state->sketch, state->first, lengthof(state->first));
	state->ask = NULL;
	state->window = NULL;
	return state;
}

/* The scale that keeps an error. */
static int
scale_of_error(double error)
{
	int			scale = isnan(error) || error > 1 ? -1 : sketch_scale_for(error);

	if (scale < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("error of a sketch is not between %.6f and 1", sketch_scale_error(SKETCH_MAX_SCALE) + 5e-7),
				 errdetail("It is %s.", float8out_internal(error)),
				 errhint("Write 1 percent as 0.01; percentile_cont() has no error."),
				 bcce_hide_input()));
	return scale;
}

/* Keeps a second argument, and refuses what it cannot be. */
Ask *
sketch_make_ask(MemoryContext context, AskKind kind, bool isnull, Datum datum)
{
	Ask		   *ask = (Ask *) MemoryContextAllocZero(context, sizeof(Ask));

	ask->kind = (uint8) kind;
	ask->isnull = isnull;
	if (!isnull && kind == ASK_PERCENTILES)
	{
		ArrayType  *array = DatumGetArrayTypeP(datum);

		sketch_check_percentiles(array);
		ask->array = (ArrayType *) MemoryContextAlloc(context, VARSIZE(array));
		memcpy(ask->array, array, VARSIZE(array));
	}
	else if (!isnull)
		ask->number = DatumGetFloat8(datum);
	if (!isnull && kind == ASK_PERCENTILE)
		sketch_check_percentile(ask->number);
	return ask;
}

/* The scale that the second argument asks for; no error given is the default one. */
int
sketch_scale_of_ask(const Ask *ask)
{
	return ask->kind == ASK_ERROR && !ask->isnull ? scale_of_error(ask->number) : SKETCH_DEFAULT_SCALE;
}

/* Is the second argument of the aggregate the same in all rows of the query? */
static bool
is_fixed(FunctionCallInfo fcinfo)
{
	Aggref	   *aggref = AggGetAggref(fcinfo);
	Expr	   *expr;

	if (aggref == NULL || list_length(aggref->args) < 2)
		return false;
	expr = lsecond_node(TargetEntry, aggref->args)->expr;
	return IsA(expr, Const) || (IsA(expr, Param) && ((Param *) expr)->paramkind == PARAM_EXTERN);
}

/* The state of a group whose first row has this second argument. */
static SketchState *
first_state(FunctionCallInfo fcinfo, AskKind kind, bool isnull, Datum datum)
{
	StepMemory *memory = (StepMemory *) fcinfo->flinfo->fn_extra;
	SketchState *state;
	Ask		   *ask;

	if (memory == NULL)
	{
		memory = (StepMemory *) MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(StepMemory));
		memory->fixed = is_fixed(fcinfo);
		fcinfo->flinfo->fn_extra = memory;
	}
	ask = memory->ask;
	if (ask == NULL)
		ask = sketch_make_ask(memory->fixed ? fcinfo->flinfo->fn_mcxt : sketch_aggregate_context(fcinfo), kind, isnull, datum);
	if (memory->fixed)
		memory->ask = ask;
	state = sketch_make_state(sketch_aggregate_context(fcinfo), sketch_scale_of_ask(ask));
	state->ask = ask;
	return state;
}

/* Refuses a second argument that is not that of the first row. */
void
sketch_check_same_ask(const Ask *ask, AskKind kind, bool isnull, double number, ArrayType *array)
{
	bool		same = ask != NULL && ask->kind == kind && ask->isnull == isnull;

	if (same && !isnull && kind == ASK_PERCENTILES)
		same = VARSIZE(array) == VARSIZE(ask->array) && memcmp(array, ask->array, VARSIZE(array)) == 0;
	else if (same && !isnull)
		same = number == ask->number;
	if (!same)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg(kind == ASK_ERROR ? "error differs between rows of one group" :
						"percentile differs between rows of one group"),
				 errdetail("All rows of a group must ask for the same."),
				 errhint("Give a constant, or add it to GROUP BY."),
				 bcce_hide_input()));
}

/* The state for this row, with the second argument looked at. */
static inline SketchState *
state_for_row(FunctionCallInfo fcinfo, AskKind kind)
{
	SketchState *state;
	StepMemory *memory;
	bool		isnull;
	Datum		datum;

	if (kind == ASK_NOTHING)
		return PG_ARGISNULL(0) ? sketch_make_state(sketch_aggregate_context(fcinfo), SKETCH_DEFAULT_SCALE) :
			(SketchState *) PG_GETARG_POINTER(0);
	isnull = PG_ARGISNULL(2);
	datum = isnull ? (Datum) 0 : PG_GETARG_DATUM(2);
	if (PG_ARGISNULL(0))
		return first_state(fcinfo, kind, isnull, datum);
	state = (SketchState *) PG_GETARG_POINTER(0);
	memory = (StepMemory *) fcinfo->flinfo->fn_extra;
	if (memory != NULL && memory->fixed)
		return state;
	sketch_check_row_ask(state->ask, kind, isnull, datum);
	return state;
}

/*
 * Transition functions of one input type: without a second argument, with an
 * error, with a percentile, with several.
 */
#define STEP_FUNCTION(name, kind, value_of) \
PG_FUNCTION_INFO_V1(name); \
Datum \
name(PG_FUNCTION_ARGS) \
{ \
	SketchState *state; \
 \
	if (PG_ARGISNULL(1)) \
	{ \
		if (PG_ARGISNULL(0)) \
			PG_RETURN_NULL(); \
		PG_RETURN_POINTER(PG_GETARG_POINTER(0)); \
	} \
	state = state_for_row(fcinfo, kind); \
	sketch_add(&state->sketch, value_of(fcinfo)); \
	PG_RETURN_POINTER(state); \
} \
extern int	no_such_variable

STEP_FUNCTION(sketch_step_float8, ASK_NOTHING, sketch_float8_arg);
STEP_FUNCTION(sketch_step_float8_error, ASK_ERROR, sketch_float8_arg);
STEP_FUNCTION(sketch_step_float8_percentile, ASK_PERCENTILE, sketch_float8_arg);
STEP_FUNCTION(sketch_step_float8_percentiles, ASK_PERCENTILES, sketch_float8_arg);
STEP_FUNCTION(sketch_step_bigint, ASK_NOTHING, sketch_bigint_arg);
STEP_FUNCTION(sketch_step_bigint_error, ASK_ERROR, sketch_bigint_arg);
STEP_FUNCTION(sketch_step_bigint_percentile, ASK_PERCENTILE, sketch_bigint_arg);
STEP_FUNCTION(sketch_step_bigint_percentiles, ASK_PERCENTILES, sketch_bigint_arg);
STEP_FUNCTION(sketch_step_numeric, ASK_NOTHING, sketch_numeric_arg);
STEP_FUNCTION(sketch_step_numeric_error, ASK_ERROR, sketch_numeric_arg);
STEP_FUNCTION(sketch_step_numeric_percentile, ASK_PERCENTILE, sketch_numeric_arg);
STEP_FUNCTION(sketch_step_numeric_percentiles, ASK_PERCENTILES, sketch_numeric_arg);
STEP_FUNCTION(sketch_step_interval, ASK_NOTHING, sketch_interval_arg);
STEP_FUNCTION(sketch_step_interval_error, ASK_ERROR, sketch_interval_arg);
STEP_FUNCTION(sketch_step_interval_percentile, ASK_PERCENTILE, sketch_interval_arg);
STEP_FUNCTION(sketch_step_interval_percentiles, ASK_PERCENTILES, sketch_interval_arg);

PG_FUNCTION_INFO_V1(sketch_step_sketch);
/* sketch_step(internal, sketch) returns internal */
Datum
sketch_step_sketch(PG_FUNCTION_ARGS)
{
	SketchState *state = PG_ARGISNULL(0) ? NULL : (SketchState *) PG_GETARG_POINTER(0);
	struct varlena *packed;

	if (PG_ARGISNULL(1))
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	if (state == NULL)
		state = sketch_make_state(sketch_aggregate_context(fcinfo), SKETCH_MAX_SCALE);
	packed = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(1));
	if (!sketch_add_packed(&state->sketch, (const uint8_t *) VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed)))
	{
		Sketch		sketch;

		/* in the context of this row, which goes with it */
		sketch_of_datum(&sketch, PointerGetDatum(packed));
		sketch_merge(&state->sketch, &sketch);
	}
	PG_RETURN_POINTER(state);
}

/* The same question in another context. */
static Ask *
copy_ask(MemoryContext context, const Ask *ask)
{
	Ask		   *copy;

	if (ask == NULL)
		return NULL;
	copy = (Ask *) MemoryContextAlloc(context, sizeof(Ask));
	*copy = *ask;
	if (ask->array != NULL)
	{
		copy->array = (ArrayType *) MemoryContextAlloc(context, VARSIZE(ask->array));
		memcpy(copy->array, ask->array, VARSIZE(ask->array));
	}
	return copy;
}

PG_FUNCTION_INFO_V1(sketch_combine);
/* sketch_combine(internal, internal) returns internal */
Datum
sketch_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = sketch_aggregate_context(fcinfo);
	SketchState *state = PG_ARGISNULL(0) ? NULL : (SketchState *) PG_GETARG_POINTER(0);
	SketchState *other = PG_ARGISNULL(1) ? NULL : (SketchState *) PG_GETARG_POINTER(1);

	if (other == NULL)
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	if (state == NULL)
	{
		state = sketch_make_state(context, other->sketch.scale);
		state->ask = copy_ask(context, other->ask);
	}
	else if (other->ask != NULL)
		sketch_check_same_ask(state->ask, (AskKind) other->ask->kind, other->ask->isnull, other->ask->number, other->ask->array);
	sketch_merge(&state->sketch, &other->sketch);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(sketch_serialize);
/* sketch_serialize(internal) returns bytea */
Datum
sketch_serialize(PG_FUNCTION_ARGS)
{
	SketchState *state = (SketchState *) PG_GETARG_POINTER(0);
	Ask		   *ask = state->ask;
	struct varlena *packed = (struct varlena *) DatumGetPointer(sketch_get_datum(&state->sketch));
	StringInfoData out;

	sketch_aggregate_context(fcinfo);
	pq_begintypsend(&out);
	pq_sendbyte(&out, STATE_VERSION);
	pq_sendbyte(&out, ask == NULL ? ASK_NOTHING : ask->kind);
	if (ask != NULL)
	{
		pq_sendbyte(&out, ask->isnull);
		pq_sendfloat8(&out, ask->number);
		pq_sendint32(&out, ask->array == NULL ? 0 : VARSIZE(ask->array));
		if (ask->array != NULL)
			pq_sendbytes(&out, (const char *) ask->array, VARSIZE(ask->array));
	}
	pq_sendbytes(&out, VARDATA(packed), VARSIZE(packed) - VARHDRSZ);
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

/* Refuses a serialized state that no serialize function wrote. */
static void
check_state(bool valid)
{
	if (!valid)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("serialized state of a sketch is not valid"),
				 bcce_hide_input()));
}

/* An array of doubles from the bytes that the server keeps it in. */
static ArrayType *
read_array(const char *bytes, int size)
{
	ArrayType  *array = (ArrayType *) palloc(size);
	int64		present = 0;
	int			n;
	int			i;

	check_state(size >= (int) sizeof(ArrayType));
	memcpy(array, bytes, size);
	check_state(VARSIZE(array) == size && ARR_ELEMTYPE(array) == FLOAT8OID &&
				ARR_NDIM(array) >= 0 && ARR_NDIM(array) <= MAXDIM &&
				size >= (int) ARR_OVERHEAD_NONULLS(ARR_NDIM(array)));
	for (i = 0; i < ARR_NDIM(array); i++)
		check_state(ARR_DIMS(array)[i] > 0);
	n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	ArrayCheckBounds(ARR_NDIM(array), ARR_DIMS(array), ARR_LBOUND(array));
	check_state(n < size && ARR_DATA_OFFSET(array) <= size &&
				ARR_DATA_OFFSET(array) == (ARR_HASNULL(array) ? ARR_OVERHEAD_WITHNULLS(ARR_NDIM(array), n) :
										   ARR_OVERHEAD_NONULLS(ARR_NDIM(array))));
	for (i = 0; i < n; i++)
		present += !ARR_HASNULL(array) || (ARR_NULLBITMAP(array)[i / 8] & (1 << (i % 8)));
	check_state(size - ARR_DATA_OFFSET(array) == present * (int64) sizeof(float8));
	sketch_check_percentiles(array);
	return array;
}

PG_FUNCTION_INFO_V1(sketch_deserialize);
/* sketch_deserialize(bytea, internal) returns internal */
Datum
sketch_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	SketchState *state;
	StringInfoData in;
	int			kind;
	int			size;

	sketch_aggregate_context(fcinfo);
	state = sketch_make_state(CurrentMemoryContext, SKETCH_DEFAULT_SCALE);
	initStringInfo(&in);
	appendBinaryStringInfo(&in, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	check_state(pq_getmsgbyte(&in) == STATE_VERSION);
	kind = pq_getmsgbyte(&in);
	check_state(kind <= ASK_PERCENTILES);
	if (kind != ASK_NOTHING)
	{
		Ask		   *ask = (Ask *) palloc0(sizeof(Ask));
		int			isnull = pq_getmsgbyte(&in);

		ask->kind = (uint8) kind;
		ask->isnull = isnull != 0;
		ask->number = pq_getmsgfloat8(&in);
		size = (int) pq_getmsgint(&in, 4);
		check_state(isnull <= 1 && ask->number >= 0 && ask->number <= 1 && size >= 0 &&
					(size > 0) == (kind == ASK_PERCENTILES && !isnull));
		if (size > 0)
			ask->array = read_array(pq_getmsgbytes(&in, size), size);
		state->ask = ask;
	}
	size = in.len - in.cursor;
	check_state(sketch_unpack(&state->sketch, (const uint8_t *) pq_getmsgbytes(&in, size), size));
	pfree(in.data);
	PG_RETURN_POINTER(state);
}

/* The sketch of an aggregate that is to end, and the question; NULL without rows. */
static Sketch *
final_sketch(FunctionCallInfo fcinfo, Ask **ask)
{
	SketchState *state = PG_ARGISNULL(0) ? NULL : (SketchState *) PG_GETARG_POINTER(0);

	sketch_aggregate_context(fcinfo);
	if (state == NULL || (state->window != NULL && state->window->first == state->window->end))
		return NULL;
	*ask = state->ask;
	return state->window != NULL ? sketch_window_read(state->window) : &state->sketch;
}

PG_FUNCTION_INFO_V1(sketch_final);
/* sketch_final(internal) returns sketch */
Datum
sketch_final(PG_FUNCTION_ARGS)
{
	Ask		   *ask;
	Sketch	   *sketch = final_sketch(fcinfo, &ask);

	if (sketch == NULL)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(sketch_get_datum(sketch));
}

static Datum
float8_datum(double value)
{
	return Float8GetDatum(value);
}

/* Seconds as an interval of days and less; months only where days end. */
static Datum
interval_datum(double seconds)
{
	Interval   *span = (Interval *) palloc0(sizeof(Interval));
	int128		usecs;
	int128		days;

	if (isnan(seconds) || isinf(seconds))
		return DirectFunctionCall3(interval_in,
								   CStringGetDatum(seconds < 0 ? "-infinity" : "infinity"),
								   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	usecs = (int128) rint(seconds * USECS_PER_SEC_F);
	days = usecs / USECS_PER_DAY;
	span->time = (int64) (usecs % USECS_PER_DAY);
	if (days > PG_INT32_MAX || days < -PG_INT32_MAX)
	{
		span->month = (int32) (days / DAYS_PER_MONTH);
		days %= DAYS_PER_MONTH;
	}
	span->day = (int32) days;
	return IntervalPGetDatum(span);
}

/* The percentile that was asked for; NULL without rows or without a question. */
static Datum
final_percentile(FunctionCallInfo fcinfo, PercentileDatum convert)
{
	Ask		   *ask;
	Sketch	   *sketch = final_sketch(fcinfo, &ask);

	if (sketch == NULL || ask == NULL || ask->isnull || sketch_count(sketch) == 0)
		PG_RETURN_NULL();
	return convert(sketch_percentile(sketch, ask->number));
}

/* The same for several. */
static Datum
final_percentiles(FunctionCallInfo fcinfo, Oid type, PercentileDatum convert)
{
	Ask		   *ask;
	Sketch	   *sketch = final_sketch(fcinfo, &ask);

	if (sketch == NULL || ask == NULL || ask->isnull || sketch_count(sketch) == 0)
		PG_RETURN_NULL();
	return sketch_percentiles(sketch, ask->array, type, convert);
}

PG_FUNCTION_INFO_V1(approx_percentile_final);
/* approx_percentile_final(internal) returns double precision */
Datum
approx_percentile_final(PG_FUNCTION_ARGS)
{
	return final_percentile(fcinfo, float8_datum);
}

PG_FUNCTION_INFO_V1(approx_percentiles_final);
/* approx_percentiles_final(internal) returns double precision[] */
Datum
approx_percentiles_final(PG_FUNCTION_ARGS)
{
	return final_percentiles(fcinfo, FLOAT8OID, float8_datum);
}

PG_FUNCTION_INFO_V1(approx_percentile_interval_final);
/* approx_percentile_interval_final(internal) returns interval */
Datum
approx_percentile_interval_final(PG_FUNCTION_ARGS)
{
	return final_percentile(fcinfo, interval_datum);
}

PG_FUNCTION_INFO_V1(approx_percentiles_interval_final);
/* approx_percentiles_interval_final(internal) returns interval[] */
Datum
approx_percentiles_interval_final(PG_FUNCTION_ARGS)
{
	return final_percentiles(fcinfo, INTERVALOID, interval_datum);
}
