/*
 * percentile_exact.c
 *		The aggregates percentile_exact() and median(): percentile_cont() that
 *		can hash, run in parallel and as a window, and need not sort.
 *
 * All kinds of values share a state, a list of words in the order of the values,
 * so that one function of each kind combines, writes and reads it.  Without
 * values it takes 64 bytes, and up to six values 64 more, for the sake of groups
 * by the million.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "error.h"
#include "stats/percentile_exact.h"

/* First byte of a serialized state. */
#define STATE_VERSION	1

/* Words that are checked at a time. */
#define CHECK_WORDS		1024

/* What a function keeps from one group to the next. */
typedef struct ExactCache
{
	ValueSpool *spools;
	PercentileAsk *ask;			/* of the first group, and likely of all */
} ExactCache;

/* The context for aggregate states; nobody else may call these functions. */
static MemoryContext
aggregate_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "percentile function called outside an aggregate");
	return context;
}

/* Words of a value. */
static int
width_of(ValueKind kind)
{
	return kind == VALUES_INTERVAL ? 2 : 1;
}

static ExactCache *
cache_of(FunctionCallInfo fcinfo)
{
	if (fcinfo->flinfo->fn_extra == NULL)
		fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(ExactCache));
	return (ExactCache *) fcinfo->flinfo->fn_extra;
}

/* An empty state in the context of the aggregate, with nothing asked yet. */
static ExactState *
make_state(FunctionCallInfo fcinfo, int width)
{
	MemoryContext context = aggregate_context(fcinfo);
	ExactState *state = (ExactState *) MemoryContextAlloc(context, sizeof(ExactState));

	values_init(&state->list, value_spool_of(fcinfo, context, &cache_of(fcinfo)->spools), width);
	state->ask = NULL;
	return state;
}

/* The state for the first row of a group. */
ExactState *
exact_new_state(FunctionCallInfo fcinfo, ValueKind kind, AskKind asks, int argument)
{
	ExactState *state = make_state(fcinfo, width_of(kind));
	ExactCache *cache = cache_of(fcinfo);
	bool		many = asks == ASK_MANY;
	bool		isnull = asks != ASK_MEDIAN && PG_ARGISNULL(argument);
	Datum		datum = asks == ASK_MEDIAN ? Float8GetDatum(0.5) : isnull ? (Datum) 0 : PG_GETARG_DATUM(argument);

	if (cache->ask == NULL)
		cache->ask = percentile_ask_make(fcinfo->flinfo->fn_mcxt, many, isnull, datum);
	state->ask = percentile_ask_is(cache->ask, many, isnull, datum) ? cache->ask :
		percentile_ask_make(aggregate_context(fcinfo), many, isnull, datum);
	return state;
}

/* The two words of an interval: first its length, as intervals are ordered. */
static void
add_interval(ValueList *list, const Interval *span)
{
	int			infinity = bcce_interval_infinity(span);
	int128		length = (int128) span->month * DAYS_PER_MONTH + span->day;

	if (infinity != 0)
	{
		values_add_pair(list, infinity < 0 ? 0 : PG_UINT64_MAX, infinity < 0 ? 0 : PG_UINT64_MAX);
		return;
	}
	length = length * USECS_PER_DAY + span->time;
	if (length < PG_INT64_MIN || length > PG_INT64_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("interval is out of range for an exact percentile"),
				 errdetail("It is longer than 106751991 days."),
				 errhint("Leave such rows out with FILTER (WHERE ...), or use percentile_cont()."),
				 bcce_hide_input()));
	values_add_pair(list, (uint64) (int64) length ^ KEY_SIGN,
					((uint64) ((uint32) span->month ^ 0x80000000u) << 32) | ((uint32) span->day ^ 0x80000000u));
}

/* The interval of two words; false when there is none. */
static bool
interval_of_words(const uint64 *words, Interval *span)
{
	int64		length = (int64) (words[0] ^ KEY_SIGN);
	int128		rest;

	span->month = (int32) ((uint32) (words[1] >> 32) ^ 0x80000000u);
	span->day = (int32) ((uint32) words[1] ^ 0x80000000u);
	if (words[0] == words[1] && (words[0] == 0 || words[0] == PG_UINT64_MAX))
	{
		span->time = words[0] == 0 ? PG_INT64_MIN : PG_INT64_MAX;	/* infinite */
		return bcce_interval_infinity(span) != 0;
	}
	rest = length - ((int128) span->month * DAYS_PER_MONTH + span->day) * USECS_PER_DAY;
	span->time = (int64) rest;
	return rest >= PG_INT64_MIN && rest <= PG_INT64_MAX;
}

static inline void
add_float8_of_args(FunctionCallInfo fcinfo, ValueList *list)
{
	values_add(list, key_of_double(PG_GETARG_FLOAT8(1)));
}

static inline void
add_interval_of_args(FunctionCallInfo fcinfo, ValueList *list)
{
	add_interval(list, PG_GETARG_INTERVAL_P(1));
}

/* Transition functions by type and question. */
#define STEP_FUNCTION(name, kind, asks, add_of_args) \
PG_FUNCTION_INFO_V1(name); \
Datum \
name(PG_FUNCTION_ARGS) \
{ \
	ExactState *state = exact_state_for_row(fcinfo, kind, asks, 2); \
 \
	if (!PG_ARGISNULL(1) && !state->ask->isnull) \
		add_of_args(fcinfo, &state->list); \
	PG_RETURN_POINTER(state); \
} \
extern int	no_such_variable

STEP_FUNCTION(exact_step_float8_median, VALUES_FLOAT8, ASK_MEDIAN, add_float8_of_args);
STEP_FUNCTION(exact_step_float8_percentile, VALUES_FLOAT8, ASK_ONE, add_float8_of_args);
STEP_FUNCTION(exact_step_float8_percentiles, VALUES_FLOAT8, ASK_MANY, add_float8_of_args);
STEP_FUNCTION(exact_step_interval_median, VALUES_INTERVAL, ASK_MEDIAN, add_interval_of_args);
STEP_FUNCTION(exact_step_interval_percentile, VALUES_INTERVAL, ASK_ONE, add_interval_of_args);
STEP_FUNCTION(exact_step_interval_percentiles, VALUES_INTERVAL, ASK_MANY, add_interval_of_args);

/* Adds words to a list; a ValueTaker. */
static void
append_words(void *arg, const uint64 *words, size_t n)
{
	CHECK_FOR_INTERRUPTS();
	values_append((ValueList *) arg, words, n);
}

/* A question in another context. */
static PercentileAsk *
copy_ask(MemoryContext context, const PercentileAsk *ask)
{
	return percentile_ask_make(context, ask->many, ask->isnull,
							   ask->isnull ? (Datum) 0 : ask->many ? PointerGetDatum(ask->array) : Float8GetDatum(ask->q));
}

PG_FUNCTION_INFO_V1(exact_combine);
/* exact_combine(internal, internal) returns internal */
Datum
exact_combine(PG_FUNCTION_ARGS)
{
	ExactState *state = PG_ARGISNULL(0) ? NULL : (ExactState *) PG_GETARG_POINTER(0);
	ExactState *other = PG_ARGISNULL(1) ? NULL : (ExactState *) PG_GETARG_POINTER(1);

	aggregate_context(fcinfo);
	if (other == NULL)
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	if (state == NULL)
	{
		ExactCache *cache = cache_of(fcinfo);

		state = make_state(fcinfo, (int) other->list.width);
		if (cache->ask == NULL)
			cache->ask = copy_ask(fcinfo->flinfo->fn_mcxt, other->ask);
		state->ask = percentile_asks_are_same(cache->ask, other->ask) ? cache->ask :
			copy_ask(aggregate_context(fcinfo), other->ask);
	}
	else if (!percentile_asks_are_same(state->ask, other->ask))
		percentile_ask_differs();
	values_scan(&other->list, append_words, &state->list);
	PG_RETURN_POINTER(state);
}

/* Copies words; a ValueTaker. */
static void
copy_words(void *arg, const uint64 *words, size_t n)
{
	char	  **to = (char **) arg;

	CHECK_FOR_INTERRUPTS();
	memcpy(*to, words, n * sizeof(uint64));
	*to += n * sizeof(uint64);
}

PG_FUNCTION_INFO_V1(exact_serialize);
/* exact_serialize(internal) returns bytea */
Datum
exact_serialize(PG_FUNCTION_ARGS)
{
	ExactState *state = (ExactState *) PG_GETARG_POINTER(0);
	uint64		n = values_count(&state->list) * state->list.width;
	StringInfoData head;
	bytea	   *bytes;
	char	   *to;
	uint64		max;

	aggregate_context(fcinfo);
	initStringInfo(&head);
	pq_sendbyte(&head, STATE_VERSION);
	pq_sendbyte(&head, state->list.width);
	percentile_ask_send(&head, state->ask);
	pq_sendint64(&head, (int64) n);
	max = (MaxAllocSize - VARHDRSZ - head.len) / sizeof(uint64);
	if (n > max)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many rows for one worker of an exact percentile"),
				 errdetail("A worker can hand over %llu rows of a group.", (unsigned long long) (max / state->list.width)),
				 errhint("SET max_parallel_workers_per_gather = 0, or use approx_percentile().")));
	bytes = (bytea *) palloc(VARHDRSZ + head.len + n * sizeof(uint64));
	SET_VARSIZE(bytes, VARHDRSZ + head.len + n * sizeof(uint64));
	memcpy(VARDATA(bytes), head.data, head.len);
	to = VARDATA(bytes) + head.len;
	values_scan(&state->list, copy_words, &to);
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
				 errmsg("serialized state of an exact percentile is not valid"),
				 bcce_hide_input()));
}

PG_FUNCTION_INFO_V1(exact_deserialize);
/*
 * exact_deserialize(bytea, internal) returns internal.  The words are not looked
 * at: any of them can be ordered, and is some value when it is the answer.
 */
Datum
exact_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	ExactState *state = (ExactState *) palloc(sizeof(ExactState));
	StringInfoData in;
	int			width;
	uint64		n;

	aggregate_context(fcinfo);
	in.data = VARDATA_ANY(bytes);
	in.len = in.maxlen = VARSIZE_ANY_EXHDR(bytes);
	in.cursor = 0;
	check_state(pq_getmsgbyte(&in) == STATE_VERSION);
	width = pq_getmsgbyte(&in);
	check_state(width == 1 || width == 2);
	values_init(&state->list, value_spool_temporary(), width);
	state->ask = percentile_ask_receive(&in);
	check_state(state->ask != NULL);
	n = (uint64) pq_getmsgint64(&in);
	check_state(n <= MaxAllocSize && n % width == 0 && n * sizeof(uint64) == (uint64) (in.len - in.cursor));
	while (n > 0)
	{
		uint64		words[CHECK_WORDS];	/* those in the bytes are not aligned */
		size_t		part = Min(n, CHECK_WORDS);

		pq_copymsgbytes(&in, (char *) words, (int) (part * sizeof(uint64)));
		append_words(&state->list, words, part);
		n -= part;
	}
	PG_RETURN_POINTER(state);
}

/* Lets a long selection be cancelled. */
static void
check_interrupts(void)
{
	CHECK_FOR_INTERRUPTS();
}

/* A rank that is wanted, and for which of the neighbours. */
typedef struct Wanted
{
	uint64		rank;
	int			neighbour;		/* 2 * i below percentile i, and one more above */
} Wanted;

static int
compare_wanted(const void *x, const void *y)
{
	uint64		a = ((const Wanted *) x)->rank;
	uint64		b = ((const Wanted *) y)->rank;

	return (a > b) - (a < b);
}

/* The neighbours of percentiles: width words for each one, below and above in turn. */
static uint64 *
find_neighbours(ExactState *state, const PercentileRank *ranks, int n)
{
	int			width = (int) state->list.width;
	int			two = 2 * n;
	Wanted	   *wanted = (Wanted *) palloc(two * sizeof(Wanted));
	uint64	   *sorted = (uint64 *) palloc(two * sizeof(uint64));
	uint64	   *found = (uint64 *) palloc(two * width * sizeof(uint64));
	uint64	   *neighbours = (uint64 *) palloc(two * width * sizeof(uint64));
	int			i;

	for (i = 0; i < two; i++)
	{
		wanted[i].rank = (i & 1) ? ranks[i / 2].above : ranks[i / 2].below;
		wanted[i].neighbour = i;
	}
	if (n > 1)
		qsort(wanted, two, sizeof(Wanted), compare_wanted);
	for (i = 0; i < two; i++)
		sorted[i] = wanted[i].rank;
	values_select(&state->list, sorted, two, found, value_spool_room(), check_interrupts);
	for (i = 0; i < two; i++)
		memcpy(neighbours + wanted[i].neighbour * width, found + i * width, width * sizeof(uint64));
	return neighbours;
}

/* The percentiles of an array, in its shape. */
static Datum
final_array(ExactState *state, Oid type, ExactBetween between)
{
	ArrayType  *array = state->ask->array;
	bool		is_float = type == FLOAT8OID;
	int			width = (int) state->list.width;
	uint64		count = values_count(&state->list);
	Datum	   *datums;
	bool	   *nulls;
	PercentileRank *ranks;
	uint64	   *neighbours;
	int			n;
	int			n_ranks = 0;
	int			i;

	deconstruct_array(array, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &datums, &nulls, &n);
	if (n == 0)
		return PointerGetDatum(construct_empty_array(type));
	ranks = (PercentileRank *) palloc(n * sizeof(PercentileRank));
	for (i = 0; i < n; i++)
		if (!nulls[i])
			ranks[n_ranks++] = percentile_rank(count, DatumGetFloat8(datums[i]));
	neighbours = find_neighbours(state, ranks, n_ranks);
	n_ranks = 0;
	for (i = 0; i < n; i++)
		if (!nulls[i])
		{
			datums[i] = between(neighbours, neighbours + width, &ranks[n_ranks++]);
			neighbours += 2 * width;
		}
	return PointerGetDatum(construct_md_array(datums, nulls, ARR_NDIM(array), ARR_DIMS(array), ARR_LBOUND(array), type,
											  is_float ? sizeof(float8) : sizeof(Interval),
											  is_float ? FLOAT8PASSBYVAL : false, TYPALIGN_DOUBLE));
}

/* What was asked for; NULL without values or without a question.  The state stays as it is. */
Datum
exact_final(FunctionCallInfo fcinfo, Oid type, ExactBetween between)
{
	ExactState *state = PG_ARGISNULL(0) ? NULL : (ExactState *) PG_GETARG_POINTER(0);
	PercentileRank rank;
	uint64	   *neighbours;

	aggregate_context(fcinfo);
	if (state == NULL || state->ask->isnull || values_count(&state->list) == 0)
		PG_RETURN_NULL();
	if (state->ask->many)
		return final_array(state, type, between);
	rank = percentile_rank(values_count(&state->list), state->ask->q);
	neighbours = find_neighbours(state, &rank, 1);
	return between(neighbours, neighbours + state->list.width, &rank);
}

static Datum
between_float8(const uint64 *below, const uint64 *above, const PercentileRank *rank)
{
	return Float8GetDatum(percentile_between(double_of_key(*below), double_of_key(*above), rank));
}

/* By the functions that percentile_cont() uses, in its order. */
static Datum
between_interval(const uint64 *below, const uint64 *above, const PercentileRank *rank)
{
	Interval   *low = (Interval *) palloc(sizeof(Interval));
	Interval   *high = (Interval *) palloc(sizeof(Interval));
	Datum		part;

	check_state(interval_of_words(below, low) && interval_of_words(above, high));
	if (rank->above == rank->below)
		return IntervalPGetDatum(low);
	part = DirectFunctionCall2(interval_mi, IntervalPGetDatum(high), IntervalPGetDatum(low));
	part = DirectFunctionCall2(interval_mul, part, Float8GetDatum(rank->fraction));
	return DirectFunctionCall2(interval_pl, part, IntervalPGetDatum(low));
}

PG_FUNCTION_INFO_V1(exact_final_float8);
/* percentile_exact_final(internal) returns double precision, or an array of them */
Datum
exact_final_float8(PG_FUNCTION_ARGS)
{
	return exact_final(fcinfo, FLOAT8OID, between_float8);
}

PG_FUNCTION_INFO_V1(exact_final_interval);
/* percentile_exact_interval_final(internal) returns interval, or an array of them */
Datum
exact_final_interval(PG_FUNCTION_ARGS)
{
	return exact_final(fcinfo, INTERVALOID, between_interval);
}
