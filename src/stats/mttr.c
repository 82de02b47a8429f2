/*
 * mttr.c
 *		Mean and percentile time to recovery, in minutes, as aggregates.
 *
 * Both work on spans in microseconds, the server's own unit: the mean from an
 * exact sum and one division, so that it does not depend on the order of rows
 * or on the split between workers; the percentile from all spans as
 * percentile_exact() has it, with the result that percentile_cont() gives over
 * minutes.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/int.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "error.h"
#include "stats/percentile_exact.h"

#define USECS_PER_MINUTE_F	60000000.0

/* Doubles hold every integer up to this. */
#define EXACT_IN_DOUBLE		(INT64CONST(1) << 53)

/* First byte of a serialized state. */
#define MEAN_VERSION		1

typedef struct MeanState
{
	int128		sum;			/* microseconds */
	int64		n;
} MeanState;

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

PG_FUNCTION_INFO_V1(mttr_percentile_step);
/* mttr_percentile_step(internal, opened_at, recovered_at, q) returns internal */
Datum
mttr_percentile_step(PG_FUNCTION_ARGS)
{
	ExactState *state = exact_state_for_row(fcinfo, VALUES_SPAN, ASK_ONE, 3);
	int64		span;

	if (span_of_args(fcinfo, &span) && !state->ask->isnull)
		values_add(&state->list, key_of_span(span));
	PG_RETURN_POINTER(state);
}

static Datum
minutes_between(const uint64 *below, const uint64 *above, const PercentileRank *rank)
{
	return Float8GetDatum(percentile_between(span_minutes(span_of_key(*below)), span_minutes(span_of_key(*above)), rank));
}

PG_FUNCTION_INFO_V1(mttr_percentile_final);
/* mttr_percentile_final(internal) returns double precision: NULL without a recovery */
Datum
mttr_percentile_final(PG_FUNCTION_ARGS)
{
	return exact_final(fcinfo, FLOAT8OID, minutes_between);
}
