/*
 * mttr.c
 *		Mean and percentile time to recovery, in minutes, as aggregates.
 *
 * Both work on spans in microseconds, the server's own unit: the mean from an
 * exact sum and one division, so that it does not depend on the order of rows
 * or on the split between workers; the percentile by selection from all spans,
 * with the result that percentile_cont() gives over minutes.
 */
#include "postgres.h"

#include <math.h>

#include "common/int.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "error.h"
#include "stats/select.h"

#define USECS_PER_MINUTE_F	60000000.0

/* Doubles hold every integer up to this. */
#define EXACT_IN_DOUBLE		(INT64CONST(1) << 53)

/* First byte of a serialized state. */
#define MEAN_VERSION		1
#define PERCENTILE_VERSION	1

typedef struct MeanState
{
	int128		sum;			/* microseconds */
	int64		n;
} MeanState;

typedef struct PercentileState
{
	MemoryContext context;		/* where the spans live */
	double		q;
	bool		q_isnull;
	int64		n;
	int64		room;
	int64	   *spans;			/* microseconds */
} PercentileState;

/* The context for aggregate states; nobody else may call these functions. */
static MemoryContext
aggregate_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "mttr function called outside an aggregate");
	return context;
}

/*
 * The span from arguments 1 and 2, in microseconds; false for what counts
 * nowhere: not recovered, not opened, infinite, or recovered before opened.
 */
static bool
span_of_args(FunctionCallInfo fcinfo, int64 *span)
{
	TimestampTz opened;
	TimestampTz recovered;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return false;
	opened = PG_GETARG_TIMESTAMPTZ(1);
	recovered = PG_GETARG_TIMESTAMPTZ(2);
	if (TIMESTAMP_NOT_FINITE(opened) || TIMESTAMP_NOT_FINITE(recovered) || recovered < opened)
		return false;
	if (pg_sub_s64_overflow(recovered, opened, span))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("time to recovery is out of range"),
				 errdetail("The two instants are more than 292271 years apart."),
				 errhint("Leave such rows out with FILTER (WHERE ...)."),
				 bcce_hide_input()));
	return true;
}

/*
 * Minutes of a span, as extract(epoch FROM span)::float8 / 60: the seconds are
 * the double nearest to the exact decimal.
 */
static double
span_minutes(int64 span)
{
	char		decimal[32];

	if (span <= EXACT_IN_DOUBLE)
		return (double) span / 1000000.0 / 60.0;
	snprintf(decimal, sizeof(decimal), INT64_FORMAT ".%06d",
			 span / 1000000, (int) (span % 1000000));
	return strtod(decimal, NULL) / 60.0;
}

PG_FUNCTION_INFO_V1(mttr_mean_step);
/* mttr_mean_step(internal, opened_at, recovered_at) returns internal */
Datum
mttr_mean_step(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	MeanState  *state = PG_ARGISNULL(0) ? NULL : (MeanState *) PG_GETARG_POINTER(0);
	int64		span;

	if (state == NULL)
		state = (MeanState *) MemoryContextAllocZero(context, sizeof(MeanState));
	if (span_of_args(fcinfo, &span))
	{
		state->sum += span;
		state->n++;
	}
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(mttr_mean_combine);
/* mttr_mean_combine(internal, internal) returns internal */
Datum
mttr_mean_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	MeanState  *state = PG_ARGISNULL(0) ? NULL : (MeanState *) PG_GETARG_POINTER(0);
	MeanState  *other = PG_ARGISNULL(1) ? NULL : (MeanState *) PG_GETARG_POINTER(1);

	if (state == NULL)
		state = (MeanState *) MemoryContextAllocZero(context, sizeof(MeanState));
	if (other != NULL)
	{
		state->sum += other->sum;
		state->n += other->n;
	}
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(mttr_mean_serialize);
/* mttr_mean_serialize(internal) returns bytea */
Datum
mttr_mean_serialize(PG_FUNCTION_ARGS)
{
	MeanState  *state = (MeanState *) PG_GETARG_POINTER(0);
	StringInfoData out;

	aggregate_context(fcinfo);
	pq_begintypsend(&out);
	pq_sendbyte(&out, MEAN_VERSION);
	pq_sendint64(&out, state->n);
	pq_sendint64(&out, (int64) (state->sum >> 64));
	pq_sendint64(&out, (int64) state->sum);
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

/* A reader over the bytes of a serialized state. */
static void
read_bytes(StringInfo in, bytea *bytes)
{
	initStringInfo(in);
	appendBinaryStringInfo(in, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
}

/* Refuses a serialized state that no serialize function wrote. */
static void
check_state(bool valid)
{
	if (!valid)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("serialized state of mttr is not valid"),
				 bcce_hide_input()));
}

PG_FUNCTION_INFO_V1(mttr_mean_deserialize);
/* mttr_mean_deserialize(bytea, internal) returns internal */
Datum
mttr_mean_deserialize(PG_FUNCTION_ARGS)
{
	MeanState  *state = (MeanState *) palloc0(sizeof(MeanState));
	StringInfoData in;
	uint64		high;

	aggregate_context(fcinfo);
	read_bytes(&in, PG_GETARG_BYTEA_PP(0));
	check_state(pq_getmsgbyte(&in) == MEAN_VERSION);
	state->n = pq_getmsgint64(&in);
	high = (uint64) pq_getmsgint64(&in);
	state->sum = (int128) (((uint128) high << 64) | (uint64) pq_getmsgint64(&in));
	pq_getmsgend(&in);
	check_state(state->n >= 0 && state->sum >= 0 &&
				state->sum <= (int128) state->n * PG_INT64_MAX);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(mttr_mean_final);
/* mttr_mean_final(internal) returns double precision: NULL without a recovery */
Datum
mttr_mean_final(PG_FUNCTION_ARGS)
{
	MeanState  *state = PG_ARGISNULL(0) ? NULL : (MeanState *) PG_GETARG_POINTER(0);

	aggregate_context(fcinfo);
	if (state == NULL || state->n == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8((double) state->sum / (USECS_PER_MINUTE_F * (double) state->n));
}

/* Refuses a percentile that is none, as percentile_cont() does. */
static void
check_percentile(double q)
{
	if (isnan(q) || q < 0 || q > 1)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("percentile is not between 0 and 1"),
				 errdetail("It is %g.", q),
				 errhint("Write the 95th percentile as 0.95."),
				 bcce_hide_input()));
}

/* Refuses a second percentile within one group. */
static void
check_same_percentile(PercentileState *state, bool isnull, double q)
{
	if (state->q_isnull != isnull || (!isnull && state->q != q))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("percentile differs between rows of one group"),
				 errdetail("All rows of a group must ask for the same percentile."),
				 errhint("Give a constant, or add the percentile to GROUP BY."),
				 bcce_hide_input()));
}

/* An empty state for a percentile. */
static PercentileState *
make_state(MemoryContext context, bool isnull, double q)
{
	PercentileState *state;

	if (!isnull)
		check_percentile(q);
	state = (PercentileState *) MemoryContextAllocZero(context, sizeof(PercentileState));
	state->context = context;
	state->q_isnull = isnull;
	state->q = isnull ? 0 : q;
	return state;
}

/* Makes room for more spans, at least doubling what there is. */
static void
reserve(PercentileState *state, int64 more)
{
	int64		max = (int64) (MaxAllocHugeSize / sizeof(int64));
	int64		room;

	if (more <= state->room - state->n)
		return;
	if (more > max - state->n)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many rows for an exact percentile")));
	room = Max(Max(state->n + more, Min(state->room, max / 2) * 2), 4);
	if (state->spans == NULL)
		state->spans = (int64 *) MemoryContextAllocHuge(state->context, room * sizeof(int64));
	else
		state->spans = (int64 *) repalloc_huge(state->spans, room * sizeof(int64));
	state->room = room;
}

PG_FUNCTION_INFO_V1(mttr_percentile_step);
/* mttr_percentile_step(internal, opened_at, recovered_at, q) returns internal */
Datum
mttr_percentile_step(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	PercentileState *state = PG_ARGISNULL(0) ? NULL : (PercentileState *) PG_GETARG_POINTER(0);
	bool		isnull = PG_ARGISNULL(3);
	double		q = isnull ? 0 : PG_GETARG_FLOAT8(3);
	int64		span;

	if (state == NULL)
		state = make_state(context, isnull, q);
	else
		check_same_percentile(state, isnull, q);
	if (span_of_args(fcinfo, &span) && !isnull)
	{
		reserve(state, 1);
		state->spans[state->n++] = span;
	}
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(mttr_percentile_combine);
/* mttr_percentile_combine(internal, internal) returns internal */
Datum
mttr_percentile_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	PercentileState *state = PG_ARGISNULL(0) ? NULL : (PercentileState *) PG_GETARG_POINTER(0);
	PercentileState *other = PG_ARGISNULL(1) ? NULL : (PercentileState *) PG_GETARG_POINTER(1);

	if (other == NULL)
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	if (state == NULL)
		state = make_state(context, other->q_isnull, other->q);
	else
		check_same_percentile(state, other->q_isnull, other->q);
	if (other->n > 0)
	{
		reserve(state, other->n);
		memcpy(state->spans + state->n, other->spans, other->n * sizeof(int64));
		state->n += other->n;
	}
	PG_RETURN_POINTER(state);
}

/* Bytes before the spans: version, NULL flag, percentile, count. */
#define PERCENTILE_HEADER	(1 + 1 + 8 + 8)

PG_FUNCTION_INFO_V1(mttr_percentile_serialize);
/* mttr_percentile_serialize(internal) returns bytea */
Datum
mttr_percentile_serialize(PG_FUNCTION_ARGS)
{
	PercentileState *state = (PercentileState *) PG_GETARG_POINTER(0);
	int64		max = (int64) (MaxAllocSize - VARHDRSZ - PERCENTILE_HEADER - 1) / 8;
	StringInfoData out;

	aggregate_context(fcinfo);
	if (state->n > max)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many rows for one worker of an exact percentile"),
				 errdetail("A worker can hand over %lld rows.", (long long) max),
				 errhint("SET max_parallel_workers_per_gather = 0, or use an approximate percentile.")));
	pq_begintypsend(&out);
	enlargeStringInfo(&out, PERCENTILE_HEADER + state->n * sizeof(int64));
	pq_sendbyte(&out, PERCENTILE_VERSION);
	pq_sendbyte(&out, state->q_isnull);
	pq_sendfloat8(&out, state->q);
	pq_sendint64(&out, state->n);
	if (state->n > 0)
		pq_sendbytes(&out, (const char *) state->spans, state->n * sizeof(int64));
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

/* Are these the spans that a transition function keeps? */
static bool
spans_are_valid(const int64 *spans, int64 n)
{
	int64		i;

	for (i = 0; i < n; i++)
	{
		if (spans[i] < 0)
			return false;
		if ((i & 0xfffff) == 0)
			CHECK_FOR_INTERRUPTS();
	}
	return true;
}

PG_FUNCTION_INFO_V1(mttr_percentile_deserialize);
/* mttr_percentile_deserialize(bytea, internal) returns internal */
Datum
mttr_percentile_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	PercentileState *state;
	StringInfoData in;
	int			flag;
	double		q;
	int64		n;

	aggregate_context(fcinfo);
	read_bytes(&in, bytes);
	check_state(pq_getmsgbyte(&in) == PERCENTILE_VERSION);
	flag = pq_getmsgbyte(&in);
	q = pq_getmsgfloat8(&in);
	n = pq_getmsgint64(&in);
	check_state((flag == 0 || flag == 1) && q >= 0 && q <= 1 &&
				n >= 0 && (uint64) n * 8 == (uint64) (in.len - in.cursor) &&
				n <= in.len);

	state = make_state(CurrentMemoryContext, flag == 1, q);
	if (n > 0)
	{
		reserve(state, n);
		memcpy(state->spans, pq_getmsgbytes(&in, n * sizeof(int64)), n * sizeof(int64));
		state->n = n;
		check_state(spans_are_valid(state->spans, n));
	}
	pfree(in.data);
	PG_RETURN_POINTER(state);
}

/* Lets a long selection be cancelled. */
static void
check_interrupts(void)
{
	CHECK_FOR_INTERRUPTS();
}

PG_FUNCTION_INFO_V1(mttr_percentile_final);
/*
 * mttr_percentile_final(internal) returns double precision: NULL without a
 * recovery.  The spans change their order, not their number or values, so more
 * rows may follow and the state may be finished again.
 */
Datum
mttr_percentile_final(PG_FUNCTION_ARGS)
{
	PercentileState *state = PG_ARGISNULL(0) ? NULL : (PercentileState *) PG_GETARG_POINTER(0);
	PercentileRank rank;
	int64		below;
	int64		above;

	aggregate_context(fcinfo);
	if (state == NULL || state->n == 0 || state->q_isnull)
		PG_RETURN_NULL();
	rank = percentile_rank(state->n, state->q);
	percentile_int64(state->spans, state->n, &rank, &below, &above, check_interrupts);
	PG_RETURN_FLOAT8(percentile_between(span_minutes(below), span_minutes(above), &rank));
}
