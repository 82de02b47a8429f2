/*
 * two_samples_aggregate.c
 *		The aggregates roc_auc(), ks() and psi().
 *
 * All three keep the numbers of two samples, 8 bytes each, and sort them at the
 * end; of the same arguments they share one state.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "compat.h"
#include "error.h"
#include "stats/two_samples.h"

/* First byte of a serialized state. */
#define STATE_VERSION	1

/* Cells of psi() by default: deciles. */
#define DEFAULT_BINS	10

/* Under so many numbers in a sample, psi() says nothing. */
#define PSI_MIN_NUMBERS	50

typedef struct SampleState
{
	MemoryContext context;		/* where the keys live */
	int32		bins;			/* of psi() */
	Sample		sample[2];		/* of rows whose flag is false, true */
	size_t		room[2];
	bool		is_sorted[2];
} SampleState;

/* The context for aggregate states; nobody else may call these functions. */
static MemoryContext
aggregate_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "two-sample function called outside an aggregate");
	return context;
}

static SampleState *
make_state(MemoryContext context, int bins)
{
	SampleState *state = (SampleState *) MemoryContextAllocZero(context, sizeof(SampleState));

	state->context = context;
	state->bins = bins;
	return state;
}

/* Refuses another number of bins within one group. */
static void
check_same_bins(const SampleState *state, int bins)
{
	if (state->bins != bins)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of bins differs between rows of one group"),
				 errhint("Give a constant, or add it to GROUP BY."),
				 bcce_hide_input()));
}

/* Makes room for more keys, at least doubling what there is. */
static void
reserve(SampleState *state, int which, size_t more)
{
	Sample	   *sample = &state->sample[which];
	size_t		max = MaxAllocHugeSize / sizeof(uint64_t);
	size_t		room;

	if (more <= state->room[which] - sample->n)
		return;
	if (more > max - sample->n)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many rows to compare two samples")));
	room = Max(Max(sample->n + more, Min(state->room[which], max / 2) * 2), 4);
	if (sample->keys == NULL)
		sample->keys = (uint64_t *) MemoryContextAllocHuge(state->context, room * sizeof(uint64_t));
	else
		sample->keys = (uint64_t *) repalloc_huge(sample->keys, room * sizeof(uint64_t));
	state->room[which] = room;
}

/* Takes the row of arguments 1 and 2; the caller looked for NULL. */
static Datum
take_row(FunctionCallInfo fcinfo, int bins)
{
	SampleState *state = PG_ARGISNULL(0) ? NULL : (SampleState *) PG_GETARG_POINTER(0);
	double		value = PG_GETARG_FLOAT8(1);
	int			which = PG_GETARG_BOOL(2);
	Sample	   *sample;

	if (isnan(value))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("value is not a number"),
				 errhint("Leave NaN out with FILTER (WHERE ...)."),
				 bcce_hide_input()));
	if (state == NULL)
		state = make_state(aggregate_context(fcinfo), bins);
	else
		check_same_bins(state, bins);
	sample = &state->sample[which];
	if (sample->n == state->room[which])
		reserve(state, which, 1);
	sample->keys[sample->n++] = sample_key(value);
	state->is_sorted[which] = false;
	PG_RETURN_POINTER(state);
}

/* The state as it was, for a row that does not count. */
static Datum
leave_row(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_POINTER(PG_GETARG_POINTER(0));
}

PG_FUNCTION_INFO_V1(two_samples_step);
/* two_samples_step(internal, value, flag) returns internal */
Datum
two_samples_step(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return leave_row(fcinfo);
	return take_row(fcinfo, DEFAULT_BINS);
}

PG_FUNCTION_INFO_V1(two_samples_step_bins);
/* two_samples_step(internal, value, flag, bins) returns internal */
Datum
two_samples_step_bins(PG_FUNCTION_ARGS)
{
	int			bins;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return leave_row(fcinfo);
	bins = PG_ARGISNULL(3) ? 0 : PG_GETARG_INT32(3);
	if (bins < 2 || bins > PSI_MAX_BINS)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("number of bins is not between 2 and %d", PSI_MAX_BINS),
				 errhint("Leave it out for %d bins.", DEFAULT_BINS),
				 bcce_hide_input()));
	return take_row(fcinfo, bins);
}

PG_FUNCTION_INFO_V1(two_samples_combine);
/* two_samples_combine(internal, internal) returns internal */
Datum
two_samples_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	SampleState *state = PG_ARGISNULL(0) ? NULL : (SampleState *) PG_GETARG_POINTER(0);
	SampleState *other = PG_ARGISNULL(1) ? NULL : (SampleState *) PG_GETARG_POINTER(1);
	int			which;

	if (other == NULL)
		return leave_row(fcinfo);
	if (state == NULL)
		state = make_state(context, other->bins);
	else
		check_same_bins(state, other->bins);
	for (which = 0; which < 2; which++)
	{
		size_t		n = other->sample[which].n;

		if (n == 0)
			continue;
		reserve(state, which, n);
		memcpy(state->sample[which].keys + state->sample[which].n, other->sample[which].keys, n * sizeof(uint64_t));
		state->sample[which].n += n;
		state->is_sorted[which] = false;
	}
	PG_RETURN_POINTER(state);
}

/* What comes before the keys of a serialized state. */
typedef struct StateHeader
{
	int32		version;
	int32		bins;
	uint64		n[2];
} StateHeader;

PG_FUNCTION_INFO_V1(two_samples_serialize);
/* two_samples_serialize(internal) returns bytea */
Datum
two_samples_serialize(PG_FUNCTION_ARGS)
{
	SampleState *state = (SampleState *) PG_GETARG_POINTER(0);
	StateHeader header = {STATE_VERSION, state->bins, {state->sample[0].n, state->sample[1].n}};
	size_t		max = (MaxAllocSize - VARHDRSZ - sizeof(header)) / sizeof(uint64_t);
	size_t		size;
	bytea	   *bytes;
	char	   *to;
	int			which;

	aggregate_context(fcinfo);
	if (header.n[0] + header.n[1] > max)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many rows for one worker that compares two samples"),
				 errdetail("A worker can hand over %lld rows.", (long long) max),
				 errhint("SET max_parallel_workers_per_gather = 0.")));
	size = VARHDRSZ + sizeof(header) + (header.n[0] + header.n[1]) * sizeof(uint64_t);
	bytes = (bytea *) palloc(size);
	SET_VARSIZE(bytes, size);
	memcpy(VARDATA(bytes), &header, sizeof(header));
	to = VARDATA(bytes) + sizeof(header);
	for (which = 0; which < 2; which++)
	{
		size = state->sample[which].n * sizeof(uint64_t);
		if (size > 0)
			memcpy(to, state->sample[which].keys, size);
		to += size;
	}
	PG_RETURN_BYTEA_P(bytes);
}

/* Lets a long sort be cancelled. */
static void
check_interrupts(void)
{
	CHECK_FOR_INTERRUPTS();
}

/* Refuses a serialized state that no serialize function wrote. */
static void
check_state(bool valid)
{
	if (!valid)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("serialized state of two samples is not valid"),
				 bcce_hide_input()));
}

PG_FUNCTION_INFO_V1(two_samples_deserialize);
/* two_samples_deserialize(bytea, internal) returns internal */
Datum
two_samples_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	const char *from = VARDATA_ANY(bytes);
	size_t		len = VARSIZE_ANY_EXHDR(bytes);
	size_t		n;
	StateHeader header;
	SampleState *state;
	int			which;

	aggregate_context(fcinfo);
	check_state(len >= sizeof(header));
	memcpy(&header, from, sizeof(header));
	from += sizeof(header);
	n = (len - sizeof(header)) / sizeof(uint64_t);
	check_state(header.version == STATE_VERSION && header.bins >= 2 && header.bins <= PSI_MAX_BINS &&
				header.n[0] <= n && header.n[1] == n - header.n[0] &&
				len == sizeof(header) + n * sizeof(uint64_t));
	state = make_state(CurrentMemoryContext, header.bins);
	for (which = 0; which < 2; which++)
	{
		Sample	   *sample = &state->sample[which];

		if (header.n[which] == 0)
			continue;
		reserve(state, which, header.n[which]);
		memcpy(sample->keys, from, header.n[which] * sizeof(uint64_t));
		sample->n = header.n[which];
		from += header.n[which] * sizeof(uint64_t);
		check_state(sample_is_valid(sample, check_interrupts));
	}
	PG_RETURN_POINTER(state);
}

/*
 * The state of an aggregate that is to end, sorted; NULL where one of the
 * samples is smaller than that.  Keys change their order only, so more rows may
 * follow and the state may be finished again.
 */
static SampleState *
final_state(FunctionCallInfo fcinfo, size_t at_least)
{
	SampleState *state = PG_ARGISNULL(0) ? NULL : (SampleState *) PG_GETARG_POINTER(0);
	int			which;

	aggregate_context(fcinfo);
	if (state == NULL || state->sample[0].n < at_least || state->sample[1].n < at_least)
		return NULL;
	for (which = 0; which < 2; which++)
		if (!state->is_sorted[which])
		{
			sample_sort(state->sample[which].keys, state->sample[which].n, check_interrupts);
			state->is_sorted[which] = true;
		}
	return state;
}

PG_FUNCTION_INFO_V1(roc_auc_final);
/* roc_auc_final(internal) returns double precision: NULL without both classes */
Datum
roc_auc_final(PG_FUNCTION_ARGS)
{
	SampleState *state = final_state(fcinfo, 1);

	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(sample_auc(&state->sample[0], &state->sample[1], check_interrupts));
}

PG_FUNCTION_INFO_V1(ks_final);
/* ks_final(internal) returns double precision: NULL without both samples */
Datum
ks_final(PG_FUNCTION_ARGS)
{
	SampleState *state = final_state(fcinfo, 1);

	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(sample_ks(&state->sample[0], &state->sample[1], check_interrupts));
}

/* Refuses infinities: between one and a number there is no percentile. */
static void
check_finite(const Sample *sample)
{
	if (isinf(sample_value(sample->keys[0])) || isinf(sample_value(sample->keys[sample->n - 1])))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("reference value is infinite"),
				 errhint("Leave infinities out with FILTER (WHERE ...)."),
				 bcce_hide_input()));
}

PG_FUNCTION_INFO_V1(psi_final);
/* psi_final(internal) returns double precision: NULL under 50 numbers in a sample */
Datum
psi_final(PG_FUNCTION_ARGS)
{
	SampleState *state = final_state(fcinfo, PSI_MIN_NUMBERS);

	if (state == NULL)
		PG_RETURN_NULL();
	check_finite(&state->sample[1]);
	PG_RETURN_FLOAT8(sample_psi(&state->sample[0], &state->sample[1], state->bins));
}
