/*
 * survival_aggregate.c
 *		The aggregates km_quantile(), km_quantile_low(), km_quantile_high(),
 *		km_mean(), km_curve() and mttr_incl_open().
 *
 * One state serves all of them: the keys of all subjects, 8 bytes each, and the
 * quantile or the restriction that was asked for.  A final function sorts the
 * keys, which changes nothing that anybody can see: aggregates with the same
 * arguments share a state and sort it once, and more rows may follow.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "fmgr.h"
#include "funcapi.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "compat.h"
#include "error.h"
#include "stats/sort.h"
#include "stats/survival.h"

/* First byte of a serialized state. */
#define STATE_VERSION	1

/* Bytes before the keys: version, unit, kind of question, is it NULL, the question, count. */
#define STATE_HEADER	(1 + 1 + 1 + 1 + 8 + 8)

/* What was asked beside the rows. */
typedef enum AskKind
{
	ASK_NOTHING,
	ASK_QUANTILE,
	ASK_RESTRICTION
} AskKind;

typedef struct SurvivalState
{
	MemoryContext context;		/* where the keys live */
	uint8		unit;
	uint8		kind;			/* of the question */
	bool		isnull;
	double		asked;
	int64		n;
	int64		room;
	int64		sorted;			/* so many are in order */
	uint64	   *keys;
} SurvivalState;

/* The context for aggregate states; nobody else may call these functions. */
static MemoryContext
aggregate_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "survival function called outside an aggregate");
	return context;
}

/* Lets a long loop be cancelled. */
static void
check_interrupts(void)
{
	CHECK_FOR_INTERRUPTS();
}

/* Refuses a quantile that is none. */
static void
check_quantile(double q)
{
	if (isnan(q) || q < 0 || q > 1)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("percentile is not between 0 and 1"),
				 errdetail("It is %s.", float8out_internal(q)),
				 errhint("Write the 95th percentile as 0.95."),
				 bcce_hide_input()));
}

/* Refuses a restriction that is none. */
static void
check_restriction(double restriction)
{
	if (isnan(restriction) || restriction < 0)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("restriction of a mean is negative or not a number"),
				 errdetail("It is %s.", float8out_internal(restriction)),
				 errhint("Give the duration up to which the mean is to count, in the unit of the durations."),
				 bcce_hide_input()));
}

/* Refuses a second question within one group. */
static void
check_same_question(const SurvivalState *state, AskKind kind, bool isnull, double asked)
{
	if (state->isnull != isnull || (!isnull && state->asked != asked))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg(kind == ASK_QUANTILE ? "percentile differs between rows of one group" :
						"restriction differs between rows of one group"),
				 errdetail("All rows of a group must ask for the same."),
				 errhint("Give a constant, or add it to GROUP BY."),
				 bcce_hide_input()));
}

static SurvivalState *
make_state(MemoryContext context, SurvivalUnit unit, AskKind kind, bool isnull, double asked)
{
	SurvivalState *state;

	if (!isnull && kind == ASK_QUANTILE)
		check_quantile(asked);
	if (!isnull && kind == ASK_RESTRICTION)
		check_restriction(asked);
	state = (SurvivalState *) MemoryContextAllocZero(context, sizeof(SurvivalState));
	state->context = context;
	state->unit = (uint8) unit;
	state->kind = (uint8) kind;
	state->isnull = isnull;
	state->asked = isnull ? 0 : asked;
	return state;
}

/* Makes room for more keys, at least doubling what there is. */
static void
reserve(SurvivalState *state, int64 more)
{
	int64		max = (int64) (MaxAllocHugeSize / sizeof(uint64));
	int64		room;

	if (more <= state->room - state->n)
		return;
	if (more > max - state->n)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many rows for one estimate of survival")));
	room = Max(Max(state->n + more, Min(state->room, max / 2) * 2), 4);
	if (state->keys == NULL)
		state->keys = (uint64 *) MemoryContextAllocHuge(state->context, room * sizeof(uint64));
	else
		state->keys = (uint64 *) repalloc_huge(state->keys, room * sizeof(uint64));
	state->room = room;
}

/* The state for this row, with the question looked at; argument at is the question. */
static SurvivalState *
state_for_row(FunctionCallInfo fcinfo, SurvivalUnit unit, AskKind kind, int at, double otherwise)
{
	bool		isnull = at >= 0 && PG_ARGISNULL(at);
	double		asked = at < 0 || isnull ? otherwise : PG_GETARG_FLOAT8(at);
	SurvivalState *state;

	if (PG_ARGISNULL(0))
		return make_state(aggregate_context(fcinfo), unit, kind, isnull, asked);
	state = (SurvivalState *) PG_GETARG_POINTER(0);
	if (at >= 0)
		check_same_question(state, kind, isnull, asked);
	return state;
}

static void
add_key(SurvivalState *state, uint64 time, bool observed)
{
	if (state->isnull)
		return;					/* the answer is NULL, whatever the rows */
	reserve(state, 1);
	state->keys[state->n++] = survival_key(time, observed);
}

/* Takes arguments 1 and 2, unless they say nothing about how long it lasted. */
static void
add_duration(FunctionCallInfo fcinfo, SurvivalState *state)
{
	double		duration;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return;
	duration = PG_GETARG_FLOAT8(1);
	if (duration >= 0 && !isinf(duration))
		add_key(state, survival_time_of_double(duration), PG_GETARG_BOOL(2));
}

PG_FUNCTION_INFO_V1(km_step);
/* km_step(internal, duration, observed) returns internal */
Datum
km_step(PG_FUNCTION_ARGS)
{
	SurvivalState *state = state_for_row(fcinfo, SURVIVAL_DOUBLE, ASK_NOTHING, -1, 0);

	add_duration(fcinfo, state);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(km_quantile_step);
/* km_quantile_step(internal, duration, observed, q) returns internal */
Datum
km_quantile_step(PG_FUNCTION_ARGS)
{
	SurvivalState *state = state_for_row(fcinfo, SURVIVAL_DOUBLE, ASK_QUANTILE, 3, 0);

	add_duration(fcinfo, state);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(km_mean_step);
/* km_mean_step(internal, duration, observed, restriction) returns internal */
Datum
km_mean_step(PG_FUNCTION_ARGS)
{
	SurvivalState *state = state_for_row(fcinfo, SURVIVAL_DOUBLE, ASK_RESTRICTION, 3, 0);

	add_duration(fcinfo, state);
	PG_RETURN_POINTER(state);
}

/*
 * Takes opened_at, recovered_at and as_of (arguments 1 to 3), as known at
 * as_of: what opened later is not there yet, what recovered later is open.
 */
static void
add_incident(FunctionCallInfo fcinfo, SurvivalState *state)
{
	TimestampTz opened;
	TimestampTz end;
	TimestampTz as_of;
	bool		observed;
	int64		span;

	if (!PG_ARGISNULL(3) && TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMPTZ(3)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("as_of is infinite"),
				 errdetail("What is still open would be infinitely old."),
				 errhint("Give the time at which the data was current, or now()."),
				 bcce_hide_input()));
	if (PG_ARGISNULL(1) || PG_ARGISNULL(3))
		return;
	opened = PG_GETARG_TIMESTAMPTZ(1);
	as_of = PG_GETARG_TIMESTAMPTZ(3);
	if (TIMESTAMP_NOT_FINITE(opened) || opened > as_of)
		return;
	observed = !PG_ARGISNULL(2) && PG_GETARG_TIMESTAMPTZ(2) <= as_of;
	end = observed ? PG_GETARG_TIMESTAMPTZ(2) : as_of;
	if (end < opened)
		return;
	if (pg_sub_s64_overflow(end, opened, &span))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("time to recovery is out of range"),
				 errdetail("The two instants are more than 292271 years apart."),
				 errhint("Leave such rows out with FILTER (WHERE ...)."),
				 bcce_hide_input()));
	add_key(state, (uint64) span, observed);
}

PG_FUNCTION_INFO_V1(mttr_incl_open_step);
/* mttr_incl_open_step(internal, opened_at, recovered_at, as_of) returns internal */
Datum
mttr_incl_open_step(PG_FUNCTION_ARGS)
{
	SurvivalState *state = state_for_row(fcinfo, SURVIVAL_INTEGER, ASK_QUANTILE, -1, 0.5);

	add_incident(fcinfo, state);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(mttr_incl_open_quantile_step);
/* mttr_incl_open_quantile_step(internal, opened_at, recovered_at, as_of, q) returns internal */
Datum
mttr_incl_open_quantile_step(PG_FUNCTION_ARGS)
{
	SurvivalState *state = state_for_row(fcinfo, SURVIVAL_INTEGER, ASK_QUANTILE, 4, 0);

	add_incident(fcinfo, state);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(km_combine);
/* km_combine(internal, internal) returns internal */
Datum
km_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	SurvivalState *state = PG_ARGISNULL(0) ? NULL : (SurvivalState *) PG_GETARG_POINTER(0);
	SurvivalState *other = PG_ARGISNULL(1) ? NULL : (SurvivalState *) PG_GETARG_POINTER(1);

	if (other == NULL)
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	if (state == NULL)
		state = make_state(context, (SurvivalUnit) other->unit, (AskKind) other->kind, other->isnull, other->asked);
	else
		check_same_question(state, (AskKind) other->kind, other->isnull, other->asked);
	if (other->n > 0)
	{
		reserve(state, other->n);
		memcpy(state->keys + state->n, other->keys, other->n * sizeof(uint64));
		state->n += other->n;
	}
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(km_serialize);
/* km_serialize(internal) returns bytea */
Datum
km_serialize(PG_FUNCTION_ARGS)
{
	SurvivalState *state = (SurvivalState *) PG_GETARG_POINTER(0);
	int64		max = (int64) (MaxAllocSize - VARHDRSZ - STATE_HEADER - 1) / 8;
	StringInfoData out;

	aggregate_context(fcinfo);
	if (state->n > max)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many rows for one worker of an estimate of survival"),
				 errdetail("A worker can hand over %lld rows.", (long long) max),
				 errhint("SET max_parallel_workers_per_gather = 0.")));
	pq_begintypsend(&out);
	enlargeStringInfo(&out, STATE_HEADER + state->n * sizeof(uint64));
	pq_sendbyte(&out, STATE_VERSION);
	pq_sendbyte(&out, state->unit);
	pq_sendbyte(&out, state->kind);
	pq_sendbyte(&out, state->isnull);
	pq_sendfloat8(&out, state->asked);
	pq_sendint64(&out, state->n);
	if (state->n > 0)
		pq_sendbytes(&out, (const char *) state->keys, state->n * sizeof(uint64));
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

/* Refuses a serialized state that no serialize function wrote. */
static void
check_state(bool valid)
{
	if (!valid)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("serialized state of an estimate of survival is not valid"),
				 bcce_hide_input()));
}

PG_FUNCTION_INFO_V1(km_deserialize);
/* km_deserialize(bytea, internal) returns internal */
Datum
km_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	SurvivalState *state;
	StringInfoData in;
	int			unit;
	int			kind;
	int			isnull;
	double		asked;
	int64		n;

	aggregate_context(fcinfo);
	check_state(VARSIZE_ANY_EXHDR(bytes) >= STATE_HEADER);
	in.data = VARDATA_ANY(bytes);
	in.len = VARSIZE_ANY_EXHDR(bytes);
	in.maxlen = in.len;
	in.cursor = 0;
	check_state(pq_getmsgbyte(&in) == STATE_VERSION);
	unit = pq_getmsgbyte(&in);
	kind = pq_getmsgbyte(&in);
	isnull = pq_getmsgbyte(&in);
	asked = pq_getmsgfloat8(&in);
	n = pq_getmsgint64(&in);
	check_state((unit == SURVIVAL_DOUBLE || unit == SURVIVAL_INTEGER) && kind <= ASK_RESTRICTION &&
				(isnull == 0 || isnull == 1) && asked >= 0 && (kind != ASK_QUANTILE || asked <= 1) &&
				n >= 0 && n <= in.len && n * (int64) sizeof(uint64) == in.len - in.cursor &&
				(n == 0 || isnull == 0));

	state = make_state(CurrentMemoryContext, (SurvivalUnit) unit, (AskKind) kind, isnull == 1, asked);
	if (n > 0)
	{
		reserve(state, n);
		memcpy(state->keys, in.data + in.cursor, n * sizeof(uint64));
		state->n = n;
		check_state(survival_keys_valid(state->keys, n, (SurvivalUnit) unit, check_interrupts));
	}
	PG_RETURN_POINTER(state);
}

/* The state of an aggregate that is to end, its keys sorted; NULL for a NULL result. */
static SurvivalState *
final_state(FunctionCallInfo fcinfo)
{
	SurvivalState *state = PG_ARGISNULL(0) ? NULL : (SurvivalState *) PG_GETARG_POINTER(0);

	aggregate_context(fcinfo);
	if (state == NULL || state->n == 0)
		return NULL;
	if (state->sorted < state->n)
		sort_words(state->keys, state->n, check_interrupts);
	state->sorted = state->n;
	return state;
}

/* How one quantile is found. */
typedef bool (*QuantileFunction) (const uint64_t *keys, size_t n, double q, SurvivalTick tick, uint64_t *time);

static Datum
final_quantile(FunctionCallInfo fcinfo, QuantileFunction quantile)
{
	SurvivalState *state = final_state(fcinfo);
	uint64		time;

	if (state == NULL || !quantile(state->keys, state->n, state->asked, check_interrupts, &time))
		PG_RETURN_NULL();
	if (state->unit == SURVIVAL_INTEGER)	/* microseconds to minutes, as mttr() does */
		PG_RETURN_FLOAT8((double) time / 1000000.0 / 60.0);
	PG_RETURN_FLOAT8(survival_double_of_time(time));
}

PG_FUNCTION_INFO_V1(km_quantile_final);
/* km_quantile_final(internal) returns double precision */
Datum
km_quantile_final(PG_FUNCTION_ARGS)
{
	return final_quantile(fcinfo, survival_quantile);
}

PG_FUNCTION_INFO_V1(km_quantile_low_final);
/* km_quantile_low_final(internal) returns double precision */
Datum
km_quantile_low_final(PG_FUNCTION_ARGS)
{
	return final_quantile(fcinfo, survival_quantile_low);
}

PG_FUNCTION_INFO_V1(km_quantile_high_final);
/* km_quantile_high_final(internal) returns double precision */
Datum
km_quantile_high_final(PG_FUNCTION_ARGS)
{
	return final_quantile(fcinfo, survival_quantile_high);
}

PG_FUNCTION_INFO_V1(km_mean_final);
/* km_mean_final(internal) returns double precision */
Datum
km_mean_final(PG_FUNCTION_ARGS)
{
	SurvivalState *state = final_state(fcinfo);
	double		mean;

	if (state == NULL ||
		!survival_mean(state->keys, state->n, state->kind == ASK_RESTRICTION ? state->asked : NAN,
					   check_interrupts, &mean))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(mean);
}

/* Columns of km_step, and the bytes of a row: all but the last two are known. */
#define CURVE_COLUMNS	7
#define CURVE_ROW_SIZE	(MAXALIGN(SizeofHeapTupleHeader + BITMAPLEN(CURVE_COLUMNS)) + CURVE_COLUMNS * 8)

/* How many steps the curve has. */
static int64
count_steps(const SurvivalState *state)
{
	int64		max = (int64) (MaxAllocSize - ARR_OVERHEAD_NONULLS(1)) / CURVE_ROW_SIZE;
	int64		steps = 1;
	int64		i;

	for (i = 1; i < state->n; i++)
	{
		steps += state->keys[i] >> 1 != state->keys[i - 1] >> 1;
		if ((i & 0xffff) == 0)
			CHECK_FOR_INTERRUPTS();
	}
	if (steps > max)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many different durations for a curve"),
				 errdetail("There are %lld, and a curve has room for %lld.", (long long) steps, (long long) max),
				 errhint("Round the durations, or ask for quantiles."),
				 bcce_hide_input()));
	return steps;
}

/* A step as a row of the curve. */
static Datum
step_row(TupleDesc row_type, const SurvivalStep *step)
{
	Datum		values[CURVE_COLUMNS];
	bool		nulls[CURVE_COLUMNS] = {0};
	double		low = 0;
	double		high = 0;
	bool		known = survival_interval(step, &low, &high);

	values[0] = Float8GetDatum(survival_double_of_time(step->time));
	values[1] = Int64GetDatum((int64) step->at_risk);
	values[2] = Int64GetDatum((int64) step->events);
	values[3] = Int64GetDatum((int64) step->censored);
	values[4] = Float8GetDatum(step->survival);
	values[5] = Float8GetDatum(low);
	values[6] = Float8GetDatum(high);
	nulls[5] = nulls[6] = !known;
	return HeapTupleGetDatum(heap_form_tuple(row_type, values, nulls));
}

PG_FUNCTION_INFO_V1(km_curve_final);
/* km_curve_final(internal) returns km_step[] */
Datum
km_curve_final(PG_FUNCTION_ARGS)
{
	SurvivalState *state = final_state(fcinfo);
	Oid			type = get_element_type(get_fn_expr_rettype(fcinfo->flinfo));
	TupleDesc	row_type;
	SurvivalWalk walk;
	Datum	   *rows;
	int64		steps;
	int64		i = 0;

	if (state == NULL)
		PG_RETURN_NULL();
	row_type = OidIsValid(type) ? lookup_rowtype_tupdesc(type, -1) : NULL;
	if (row_type == NULL || row_type->natts != CURVE_COLUMNS)
		elog(ERROR, "km_curve() does not return rows of a curve");
	steps = count_steps(state);
	rows = (Datum *) palloc(steps * sizeof(Datum));
	survival_begin(&walk, state->keys, state->n);
	while (survival_next(&walk))
	{
		CHECK_FOR_INTERRUPTS();
		rows[i++] = step_row(row_type, &walk.step);
	}
	ReleaseTupleDesc(row_type);
	PG_RETURN_ARRAYTYPE_P(construct_array(rows, (int) steps, type, -1, false, TYPALIGN_DOUBLE));
}
