/*
 * quality_aggregate.c
 *		The aggregates brier(), log_loss(), ece(), mce(), calibration_bins() and
 *		mcc(), and the functions wilson_low() and wilson_high().
 *
 * ece(), mce() and calibration_bins() of the same arguments share one state.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "libpq/pqformat.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "compat.h"
#include "error.h"
#include "stats/quality.h"

#define DEFAULT_BINS		10
#define DEFAULT_CONFIDENCE	0.95

/* First byte of a serialized confusion. */
#define CONFUSION_VERSION	1

void *
calibration_alloc(void *context, size_t size)
{
	return MemoryContextAllocZero((MemoryContext) context, size);
}

/* The context for aggregate states; nobody else may call these functions. */
static MemoryContext
aggregate_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "model quality function called outside an aggregate");
	return context;
}

/* The state in that argument; NULL where there is none yet. */
static void *
state_arg(FunctionCallInfo fcinfo, int number)
{
	return PG_ARGISNULL(number) ? NULL : (void *) PG_GETARG_POINTER(number);
}

/* What a transition or combine function returns. */
static Datum
return_state(FunctionCallInfo fcinfo, void *state)
{
	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(state);
}

/* Refuses a serialized state that no serialize function wrote. */
static void
check_state(bool valid)
{
	if (!valid)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("serialized state of a model quality aggregate is not valid"),
				 bcce_hide_input()));
}

/* A probability; anything else would make a score of nonsense. */
static double
probability_arg(FunctionCallInfo fcinfo, int number)
{
	double		p = PG_GETARG_FLOAT8(number);

	if (!(p >= 0 && p <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("probability is not between 0 and 1"),
				 errhint("Write 5 percent as 0.05; leave out what is no probability with FILTER (WHERE ...)."),
				 bcce_hide_input()));
	return p;
}

/* Takes a row into a score; rows without probability or outcome do not count. */
static Datum
score_step(FunctionCallInfo fcinfo, ScoreKind kind)
{
	Score	   *score = (Score *) state_arg(fcinfo, 0);

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return return_state(fcinfo, score);
	if (score == NULL)
		score = (Score *) MemoryContextAllocZero(aggregate_context(fcinfo), sizeof(Score));
	score_add(score, kind, probability_arg(fcinfo, 1), PG_GETARG_BOOL(2));
	PG_RETURN_POINTER(score);
}

PG_FUNCTION_INFO_V1(brier_step);
/* brier_step(internal, p, y) returns internal */
Datum
brier_step(PG_FUNCTION_ARGS)
{
	return score_step(fcinfo, SCORE_BRIER);
}

PG_FUNCTION_INFO_V1(log_loss_step);
/* log_loss_step(internal, p, y) returns internal */
Datum
log_loss_step(PG_FUNCTION_ARGS)
{
	return score_step(fcinfo, SCORE_LOG_LOSS);
}

PG_FUNCTION_INFO_V1(score_combine);
/* score_combine(internal, internal) returns internal */
Datum
score_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	Score	   *score = (Score *) state_arg(fcinfo, 0);
	Score	   *other = (Score *) state_arg(fcinfo, 1);

	if (other == NULL)
		return return_state(fcinfo, score);
	if (score == NULL)
		score = (Score *) MemoryContextAllocZero(context, sizeof(Score));
	score->n += other->n;
	sketch_sum_merge(&score->sum, &other->sum);
	PG_RETURN_POINTER(score);
}

static bytea *
score_serialize(FunctionCallInfo fcinfo, ScoreKind kind)
{
	bytea	   *bytes = (bytea *) palloc(VARHDRSZ + SCORE_PACKED_BOUND);

	aggregate_context(fcinfo);
	SET_VARSIZE(bytes, VARHDRSZ + score_pack((Score *) PG_GETARG_POINTER(0), kind, (uint8_t *) VARDATA(bytes)));
	return bytes;
}

static Score *
score_deserialize(FunctionCallInfo fcinfo, ScoreKind kind)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	Score	   *score = (Score *) palloc0(sizeof(Score));

	aggregate_context(fcinfo);
	check_state(score_unpack(score, kind, (const uint8_t *) VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes)));
	return score;
}

PG_FUNCTION_INFO_V1(brier_serialize);
/* brier_serialize(internal) returns bytea */
Datum
brier_serialize(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(score_serialize(fcinfo, SCORE_BRIER));
}

PG_FUNCTION_INFO_V1(brier_deserialize);
/* brier_deserialize(bytea, internal) returns internal */
Datum
brier_deserialize(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(score_deserialize(fcinfo, SCORE_BRIER));
}

PG_FUNCTION_INFO_V1(log_loss_serialize);
/* log_loss_serialize(internal) returns bytea */
Datum
log_loss_serialize(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(score_serialize(fcinfo, SCORE_LOG_LOSS));
}

PG_FUNCTION_INFO_V1(log_loss_deserialize);
/* log_loss_deserialize(bytea, internal) returns internal */
Datum
log_loss_deserialize(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(score_deserialize(fcinfo, SCORE_LOG_LOSS));
}

PG_FUNCTION_INFO_V1(score_final);
/* score_final(internal) returns double precision: NULL without a prediction */
Datum
score_final(PG_FUNCTION_ARGS)
{
	Score	   *score = (Score *) state_arg(fcinfo, 0);

	aggregate_context(fcinfo);
	if (score == NULL || score->n == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(score_mean(score));
}

/* A new state for so many bins. */
static Calibration *
make_calibration(MemoryContext context, int bins)
{
	Calibration *calibration = (Calibration *) MemoryContextAlloc(context, sizeof(Calibration));

	calibration_init(calibration, context, bins);
	return calibration;
}

/* Refuses another number of bins within one group. */
static void
check_same_bins(const Calibration *calibration, int bins)
{
	if (calibration->bins != bins)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of bins differs between rows of one group"),
				 errhint("Give a constant, or add it to GROUP BY."),
				 bcce_hide_input()));
}

/* The number of bins of an argument. */
static int
bins_arg(FunctionCallInfo fcinfo, int number)
{
	int			bins = PG_ARGISNULL(number) ? 0 : PG_GETARG_INT32(number);

	if (bins < 1 || bins > CALIBRATION_MAX_BINS)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("number of bins is not between 1 and %d", CALIBRATION_MAX_BINS),
				 errhint("Leave it out for %d bins.", DEFAULT_BINS),
				 bcce_hide_input()));
	return bins;
}

static Datum
calibration_take_row(FunctionCallInfo fcinfo, int bins)
{
	Calibration *calibration = (Calibration *) state_arg(fcinfo, 0);

	if (calibration == NULL)
		calibration = make_calibration(aggregate_context(fcinfo), bins);
	else
		check_same_bins(calibration, bins);
	calibration_add(calibration, probability_arg(fcinfo, 1), PG_GETARG_BOOL(2));
	PG_RETURN_POINTER(calibration);
}

PG_FUNCTION_INFO_V1(calibration_step);
/* calibration_step(internal, p, y) returns internal */
Datum
calibration_step(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return return_state(fcinfo, state_arg(fcinfo, 0));
	return calibration_take_row(fcinfo, DEFAULT_BINS);
}

PG_FUNCTION_INFO_V1(calibration_step_bins);
/* calibration_step(internal, p, y, bins) returns internal */
Datum
calibration_step_bins(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return return_state(fcinfo, state_arg(fcinfo, 0));
	return calibration_take_row(fcinfo, bins_arg(fcinfo, 3));
}

PG_FUNCTION_INFO_V1(calibration_combine);
/* calibration_combine(internal, internal) returns internal */
Datum
calibration_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	Calibration *calibration = (Calibration *) state_arg(fcinfo, 0);
	Calibration *other = (Calibration *) state_arg(fcinfo, 1);

	if (other == NULL)
		return return_state(fcinfo, calibration);
	if (calibration == NULL)
		calibration = make_calibration(context, other->bins);
	else
		check_same_bins(calibration, other->bins);
	calibration_merge(calibration, other);
	PG_RETURN_POINTER(calibration);
}

PG_FUNCTION_INFO_V1(calibration_serialize);
/* calibration_serialize(internal) returns bytea */
Datum
calibration_serialize(PG_FUNCTION_ARGS)
{
	Calibration *calibration = (Calibration *) PG_GETARG_POINTER(0);
	bytea	   *bytes = (bytea *) palloc(VARHDRSZ + calibration_pack_bound(calibration));

	aggregate_context(fcinfo);
	SET_VARSIZE(bytes, VARHDRSZ + calibration_pack(calibration, (uint8_t *) VARDATA(bytes)));
	PG_RETURN_BYTEA_P(bytes);
}

PG_FUNCTION_INFO_V1(calibration_deserialize);
/* calibration_deserialize(bytea, internal) returns internal */
Datum
calibration_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	Calibration *calibration = (Calibration *) palloc(sizeof(Calibration));

	aggregate_context(fcinfo);
	check_state(calibration_unpack(calibration, CurrentMemoryContext,
								   (const uint8_t *) VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes)));
	PG_RETURN_POINTER(calibration);
}

PG_FUNCTION_INFO_V1(ece_final);
/* ece_final(internal) returns double precision: NULL without a prediction */
Datum
ece_final(PG_FUNCTION_ARGS)
{
	Calibration *calibration = (Calibration *) state_arg(fcinfo, 0);

	aggregate_context(fcinfo);
	if (calibration == NULL || calibration_count(calibration) == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(calibration_ece(calibration));
}

PG_FUNCTION_INFO_V1(mce_final);
/* mce_final(internal) returns double precision: NULL without a prediction */
Datum
mce_final(PG_FUNCTION_ARGS)
{
	Calibration *calibration = (Calibration *) state_arg(fcinfo, 0);

	aggregate_context(fcinfo);
	if (calibration == NULL || calibration_count(calibration) == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(calibration_mce(calibration));
}

/* One bin as a row of bcce.calibration_bin; rates are NULL in an empty one. */
static Datum
bin_datum(TupleDesc row, const Calibration *calibration, int place)
{
	const CalibrationBin *bin = calibration->bin[place];
	Datum		values[7] = {0};
	bool		nulls[7] = {false, false, false, true, true, true, true};

	values[0] = Float8GetDatum((double) place / calibration->bins);
	values[1] = Float8GetDatum((double) (place + 1) / calibration->bins);
	values[2] = Int64GetDatum(bin == NULL ? 0 : bin->n);
	if (bin != NULL)
	{
		double		deviations = normal_deviations(DEFAULT_CONFIDENCE);

		values[3] = Float8GetDatum(calibration_bin_mean(bin));
		values[4] = Float8GetDatum((double) bin->events / (double) bin->n);
		values[5] = Float8GetDatum(wilson_lower(bin->events, bin->n, deviations));
		values[6] = Float8GetDatum(wilson_upper(bin->events, bin->n, deviations));
		nulls[3] = nulls[4] = nulls[5] = nulls[6] = false;
	}
	return HeapTupleGetDatum(heap_form_tuple(row, values, nulls));
}

PG_FUNCTION_INFO_V1(calibration_bins_final);
/* calibration_bins_final(internal) returns calibration_bin[]: NULL without a prediction */
Datum
calibration_bins_final(PG_FUNCTION_ARGS)
{
	Calibration *calibration = (Calibration *) state_arg(fcinfo, 0);
	Oid			type;
	TupleDesc	row;
	Datum	   *bins;
	int			i;

	aggregate_context(fcinfo);
	if (calibration == NULL || calibration_count(calibration) == 0)
		PG_RETURN_NULL();
	type = get_element_type(get_func_rettype(fcinfo->flinfo->fn_oid));
	row = lookup_rowtype_tupdesc_copy(type, -1);
	if (row->natts != 7)
		elog(ERROR, "calibration_bin has %d columns", row->natts);
	bins = (Datum *) palloc(calibration->bins * sizeof(Datum));
	for (i = 0; i < calibration->bins; i++)
		bins[i] = bin_datum(row, calibration, i);
	PG_RETURN_ARRAYTYPE_P(construct_array(bins, calibration->bins, type, -1, false, TYPALIGN_DOUBLE));
}

PG_FUNCTION_INFO_V1(mcc_step);
/* mcc_step(internal, predicted, actual) returns internal */
Datum
mcc_step(PG_FUNCTION_ARGS)
{
	Confusion  *confusion = (Confusion *) state_arg(fcinfo, 0);

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return return_state(fcinfo, confusion);
	if (confusion == NULL)
		confusion = (Confusion *) MemoryContextAllocZero(aggregate_context(fcinfo), sizeof(Confusion));
	confusion->n[PG_GETARG_BOOL(1)][PG_GETARG_BOOL(2)]++;
	PG_RETURN_POINTER(confusion);
}

PG_FUNCTION_INFO_V1(mcc_combine);
/* mcc_combine(internal, internal) returns internal */
Datum
mcc_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	Confusion  *confusion = (Confusion *) state_arg(fcinfo, 0);
	Confusion  *other = (Confusion *) state_arg(fcinfo, 1);
	int			i;

	if (other == NULL)
		return return_state(fcinfo, confusion);
	if (confusion == NULL)
		confusion = (Confusion *) MemoryContextAllocZero(context, sizeof(Confusion));
	for (i = 0; i < 4; i++)
		confusion->n[i / 2][i % 2] += other->n[i / 2][i % 2];
	PG_RETURN_POINTER(confusion);
}

PG_FUNCTION_INFO_V1(mcc_serialize);
/* mcc_serialize(internal) returns bytea */
Datum
mcc_serialize(PG_FUNCTION_ARGS)
{
	Confusion  *confusion = (Confusion *) PG_GETARG_POINTER(0);
	StringInfoData out;
	int			i;

	aggregate_context(fcinfo);
	pq_begintypsend(&out);
	pq_sendbyte(&out, CONFUSION_VERSION);
	for (i = 0; i < 4; i++)
		pq_sendint64(&out, confusion->n[i / 2][i % 2]);
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

PG_FUNCTION_INFO_V1(mcc_deserialize);
/* mcc_deserialize(bytea, internal) returns internal */
Datum
mcc_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	Confusion  *confusion = (Confusion *) palloc(sizeof(Confusion));
	StringInfoData in;
	int			i;

	aggregate_context(fcinfo);
	initStringInfo(&in);
	appendBinaryStringInfo(&in, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	check_state(in.len == 1 + 4 * 8 && pq_getmsgbyte(&in) == CONFUSION_VERSION);
	for (i = 0; i < 4; i++)
	{
		confusion->n[i / 2][i % 2] = pq_getmsgint64(&in);
		check_state(confusion->n[i / 2][i % 2] >= 0 && confusion->n[i / 2][i % 2] <= PG_INT64_MAX / 4096);
	}
	pfree(in.data);
	PG_RETURN_POINTER(confusion);
}

PG_FUNCTION_INFO_V1(mcc_final);
/* mcc_final(internal) returns double precision: NULL where it is not defined */
Datum
mcc_final(PG_FUNCTION_ARGS)
{
	Confusion  *confusion = (Confusion *) state_arg(fcinfo, 0);
	double		mcc;

	aggregate_context(fcinfo);
	if (confusion == NULL || !confusion_mcc(confusion, &mcc))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(mcc);
}

/* The end of an interval that arguments ask for. */
static Datum
wilson(FunctionCallInfo fcinfo, double (*end) (int64_t, int64_t, double))
{
	int64		successes = PG_GETARG_INT64(0);
	int64		n = PG_GETARG_INT64(1);
	double		confidence = PG_GETARG_FLOAT8(2);

	if (successes < 0 || n < successes)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("number of successes is not between 0 and the number of trials"),
				 bcce_hide_input()));
	if (!(confidence > 0 && confidence < 1))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("confidence is not between 0 and 1"),
				 errhint("Write 95 percent as 0.95."),
				 bcce_hide_input()));
	if (n == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(end(successes, n, normal_deviations(confidence)));
}

PG_FUNCTION_INFO_V1(wilson_low);
/* wilson_low(successes, n, confidence) returns double precision */
Datum
wilson_low(PG_FUNCTION_ARGS)
{
	return wilson(fcinfo, wilson_lower);
}

PG_FUNCTION_INFO_V1(wilson_high);
/* wilson_high(successes, n, confidence) returns double precision */
Datum
wilson_high(PG_FUNCTION_ARGS)
{
	return wilson(fcinfo, wilson_upper);
}
