/*
 * two_samples_aggregate.c
 *		The aggregates roc_auc(), ks() and psi().
 *
 * All three keep the numbers of two samples, 8 bytes each, on disk where they
 * are more than work_mem times hash_mem_multiplier; of the same arguments they
 * share one state.  At the end roc_auc() and ks() sort a sample that is in
 * memory in a copy of it, one that is on disk as the server sorts.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_operator_d.h"
#include "catalog/pg_type_d.h"
#include "fmgr.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/tuplesort.h"

#include "compat.h"
#include "error.h"
#include "stats/sort.h"
#include "stats/two_samples.h"
#include "stats/value_spool.h"

/* First byte of a serialized state. */
#define STATE_VERSION	1

/* Cells of psi() by default: deciles. */
#define DEFAULT_BINS	10

/* Under so many numbers in a sample, psi() says nothing. */
#define PSI_MIN_NUMBERS	50

/* Keys taken from a sort, or checked, at a time. */
#define SOME_KEYS		1024

typedef struct SampleState
{
	int32		bins;			/* of psi() */
	ValueList	sample[2];		/* of rows whose flag is false, true */
} SampleState;

/* A sample that is read in order. */
typedef struct SortedSample
{
	SampleStream stream;		/* the first field */
	uint64_t   *keys;			/* all, or some of them */
	Tuplesortstate *sort;		/* NULL where all keys are there */
} SortedSample;

/* The context for aggregate states; nobody else may call these functions. */
static MemoryContext
aggregate_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "two-sample function called outside an aggregate");
	return context;
}

static void
init_state(SampleState *state, ValueSpool *spool, int bins)
{
	state->bins = bins;
	values_init(&state->sample[0], spool, 1);
	values_init(&state->sample[1], spool, 1);
}

/* A new state of the aggregate. */
static SampleState *
make_state(FunctionCallInfo fcinfo, int bins)
{
	MemoryContext context = aggregate_context(fcinfo);
	SampleState *state = (SampleState *) MemoryContextAlloc(context, sizeof(SampleState));
	ValueSpool *spools = (ValueSpool *) fcinfo->flinfo->fn_extra;

	init_state(state, value_spool_of(fcinfo, context, &spools), bins);
	fcinfo->flinfo->fn_extra = spools;
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

/* Takes the row of arguments 1 and 2; the caller looked for NULL. */
static Datum
take_row(FunctionCallInfo fcinfo, int bins)
{
	SampleState *state = PG_ARGISNULL(0) ? NULL : (SampleState *) PG_GETARG_POINTER(0);
	double		value = PG_GETARG_FLOAT8(1);

	if (isnan(value))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("value is not a number"),
				 errhint("Leave NaN out with FILTER (WHERE ...)."),
				 bcce_hide_input()));
	if (state == NULL)
		state = make_state(fcinfo, bins);
	else
		check_same_bins(state, bins);
	values_add(&state->sample[PG_GETARG_BOOL(2)], sample_key(value));
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

/* Adds keys to a sample; a ValueTaker. */
static void
append_keys(void *arg, const uint64 *keys, size_t n)
{
	CHECK_FOR_INTERRUPTS();
	values_append((ValueList *) arg, keys, n);
}

/* Copies keys, and moves on where to; a ValueTaker. */
static void
copy_keys(void *arg, const uint64 *keys, size_t n)
{
	char	  **to = (char **) arg;

	CHECK_FOR_INTERRUPTS();
	memcpy(*to, keys, n * sizeof(uint64));
	*to += n * sizeof(uint64);
}

PG_FUNCTION_INFO_V1(two_samples_combine);
/* two_samples_combine(internal, internal) returns internal */
Datum
two_samples_combine(PG_FUNCTION_ARGS)
{
	SampleState *state = PG_ARGISNULL(0) ? NULL : (SampleState *) PG_GETARG_POINTER(0);
	SampleState *other = PG_ARGISNULL(1) ? NULL : (SampleState *) PG_GETARG_POINTER(1);

	aggregate_context(fcinfo);
	if (other == NULL)
		return leave_row(fcinfo);
	if (state == NULL)
		state = make_state(fcinfo, other->bins);
	else
		check_same_bins(state, other->bins);
	values_scan(&other->sample[0], append_keys, &state->sample[0]);
	values_scan(&other->sample[1], append_keys, &state->sample[1]);
	PG_RETURN_POINTER(state);
}

/* Bytes before the keys: version, bins, how many keys of each sample. */
#define STATE_HEADER	(1 + 4 + 8 + 8)

PG_FUNCTION_INFO_V1(two_samples_serialize);
/* two_samples_serialize(internal) returns bytea */
Datum
two_samples_serialize(PG_FUNCTION_ARGS)
{
	SampleState *state = (SampleState *) PG_GETARG_POINTER(0);
	uint64		n[2] = {values_count(&state->sample[0]), values_count(&state->sample[1])};
	uint64		max = (MaxAllocSize - VARHDRSZ - STATE_HEADER) / sizeof(uint64);
	StringInfoData head;
	bytea	   *bytes;
	char	   *to;

	aggregate_context(fcinfo);
	if (n[0] + n[1] > max)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many rows for one worker that compares two samples"),
				 errdetail("A worker can hand over %llu rows of a group.", (unsigned long long) max),
				 errhint("SET max_parallel_workers_per_gather = 0.")));
	initStringInfo(&head);
	pq_sendbyte(&head, STATE_VERSION);
	pq_sendint32(&head, state->bins);
	pq_sendint64(&head, (int64) n[0]);
	pq_sendint64(&head, (int64) n[1]);
	bytes = (bytea *) palloc(VARHDRSZ + STATE_HEADER + (n[0] + n[1]) * sizeof(uint64));
	SET_VARSIZE(bytes, VARHDRSZ + STATE_HEADER + (n[0] + n[1]) * sizeof(uint64));
	memcpy(VARDATA(bytes), head.data, STATE_HEADER);
	to = VARDATA(bytes) + STATE_HEADER;
	values_scan(&state->sample[0], copy_keys, &to);
	values_scan(&state->sample[1], copy_keys, &to);
	pfree(head.data);
	PG_RETURN_BYTEA_P(bytes);
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

/* Reads so many keys of a serialized state. */
static void
receive_keys(StringInfo in, ValueList *sample, uint64 n)
{
	while (n > 0)
	{
		uint64		keys[SOME_KEYS];	/* those in the bytes are not aligned */
		size_t		part = Min(n, SOME_KEYS);
		size_t		i;

		pq_copymsgbytes(in, (char *) keys, (int) (part * sizeof(uint64)));
		for (i = 0; i < part; i++)
			check_state(sample_key_is_valid(keys[i]));
		append_keys(sample, keys, part);
		n -= part;
	}
}

PG_FUNCTION_INFO_V1(two_samples_deserialize);
/* two_samples_deserialize(bytea, internal) returns internal */
Datum
two_samples_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	SampleState *state = (SampleState *) palloc(sizeof(SampleState));
	StringInfoData in;
	uint64		n[2];
	int			bins;

	aggregate_context(fcinfo);
	in.data = VARDATA_ANY(bytes);
	in.len = in.maxlen = VARSIZE_ANY_EXHDR(bytes);
	in.cursor = 0;
	check_state(in.len >= STATE_HEADER && pq_getmsgbyte(&in) == STATE_VERSION);
	bins = (int) pq_getmsgint(&in, 4);
	n[0] = (uint64) pq_getmsgint64(&in);
	n[1] = (uint64) pq_getmsgint64(&in);
	check_state(bins >= 2 && bins <= PSI_MAX_BINS && n[0] <= MaxAllocSize && n[1] <= MaxAllocSize &&
				(n[0] + n[1]) * sizeof(uint64) == (uint64) (in.len - in.cursor));
	init_state(state, value_spool_temporary(), bins);
	receive_keys(&in, &state->sample[0], n[0]);
	receive_keys(&in, &state->sample[1], n[1]);
	PG_RETURN_POINTER(state);
}

/* Lets a long sort be cancelled. */
static void
check_interrupts(void)
{
	CHECK_FOR_INTERRUPTS();
}

/*
 * The state of an aggregate that is to end; NULL where one of the samples is
 * smaller than that.  It stays as it is, so that more rows may follow.
 */
static SampleState *
final_state(FunctionCallInfo fcinfo, uint64 at_least)
{
	SampleState *state = PG_ARGISNULL(0) ? NULL : (SampleState *) PG_GETARG_POINTER(0);

	aggregate_context(fcinfo);
	if (state == NULL || values_count(&state->sample[0]) < at_least || values_count(&state->sample[1]) < at_least)
		return NULL;
	return state;
}

/* Gives keys to the server's sort, which orders signed integers; a ValueTaker. */
static void
sort_keys(void *arg, const uint64 *keys, size_t n)
{
	size_t		i;

	CHECK_FOR_INTERRUPTS();
	for (i = 0; i < n; i++)
		tuplesort_putdatum((Tuplesortstate *) arg, Int64GetDatum((int64) (keys[i] ^ KEY_SIGN)), false);
}

/* Takes some keys from the server's sort. */
static bool
refill_from_sort(SampleStream *stream)
{
	SortedSample *sorted = (SortedSample *) stream;
	size_t		n = 0;
	Datum		datum;
	bool		isnull;

	CHECK_FOR_INTERRUPTS();
	while (n < SOME_KEYS && bcce_tuplesort_getdatum(sorted->sort, &datum, &isnull))
		sorted->keys[n++] = (uint64) DatumGetInt64(datum) ^ KEY_SIGN;
	stream->at = sorted->keys;
	stream->end = sorted->keys + n;
	return n > 0;
}

/* A sample in order. */
static void
open_sorted(SortedSample *sorted, const ValueList *sample)
{
	bool		on_disk = sample->run_n > 0;
	char	   *to;

	sorted->stream.n = values_count(sample);
	sorted->sort = NULL;
	sorted->keys = (uint64 *) MemoryContextAllocHuge(CurrentMemoryContext, (on_disk ? SOME_KEYS : sorted->stream.n) * sizeof(uint64));
	sorted->stream.at = sorted->stream.end = sorted->keys;
	sorted->stream.refill = NULL;
	if (on_disk)
	{
		sorted->sort = tuplesort_begin_datum(INT8OID, Int8LessOperator, InvalidOid, false, work_mem, NULL, TUPLESORT_NONE);
		values_scan(sample, sort_keys, sorted->sort);
		tuplesort_performsort(sorted->sort);
		sorted->stream.refill = refill_from_sort;
		return;
	}
	to = (char *) sorted->keys;
	values_scan(sample, copy_keys, &to);
	sort_words(sorted->keys, sorted->stream.n, check_interrupts);
	sorted->stream.end += sorted->stream.n;
}

static void
close_sorted(SortedSample *sorted)
{
	if (sorted->sort != NULL)
		tuplesort_end(sorted->sort);
	pfree(sorted->keys);
}

/* What comes of both samples in order; NULL where one is empty. */
static Datum
final_sorted(FunctionCallInfo fcinfo, double (*compare) (SampleStream *, SampleStream *, SampleTick))
{
	SampleState *state = final_state(fcinfo, 1);
	SortedSample sorted[2];
	double		result;

	if (state == NULL)
		PG_RETURN_NULL();
	open_sorted(&sorted[0], &state->sample[0]);
	open_sorted(&sorted[1], &state->sample[1]);
	result = compare(&sorted[0].stream, &sorted[1].stream, check_interrupts);
	close_sorted(&sorted[0]);
	close_sorted(&sorted[1]);
	PG_RETURN_FLOAT8(result);
}

PG_FUNCTION_INFO_V1(roc_auc_final);
/* roc_auc_final(internal) returns double precision: NULL without both classes */
Datum
roc_auc_final(PG_FUNCTION_ARGS)
{
	return final_sorted(fcinfo, sample_auc);
}

PG_FUNCTION_INFO_V1(ks_final);
/* ks_final(internal) returns double precision: NULL without both samples */
Datum
ks_final(PG_FUNCTION_ARGS)
{
	return final_sorted(fcinfo, sample_ks);
}

/* Refuses infinities: between one and a number there is no percentile; a ValueTaker. */
static void
check_finite(void *arg, const uint64 *keys, size_t n)
{
	size_t		i;

	CHECK_FOR_INTERRUPTS();
	for (i = 0; i < n; i++)
		if (isinf(double_of_key(keys[i])))
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
	values_scan(&state->sample[1], check_finite, NULL);
	PG_RETURN_FLOAT8(sample_psi(&state->sample[0], &state->sample[1], state->bins, value_spool_room(), check_interrupts));
}
