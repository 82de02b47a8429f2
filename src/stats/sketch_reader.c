/*
 * sketch_reader.c
 *		What SQL can ask of a sketch.
 *
 * A sketch without a number has a count and an error; all else of it is NULL.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "compat.h"
#include "stats/sketch_type.h"

static Datum
float8_datum(double value)
{
	return Float8GetDatum(value);
}

PG_FUNCTION_INFO_V1(sketch_approx_percentile);
/* approx_percentile(sketch, q) returns double precision */
Datum
sketch_approx_percentile(PG_FUNCTION_ARGS)
{
	double		q = PG_GETARG_FLOAT8(1);
	Sketch		sketch;

	sketch_check_percentile(q);
	sketch_of_datum(&sketch, PG_GETARG_DATUM(0));
	if (sketch_count(&sketch) == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(sketch_percentile(&sketch, q));
}

PG_FUNCTION_INFO_V1(sketch_approx_percentiles);
/* approx_percentile(sketch, q[]) returns double precision[] */
Datum
sketch_approx_percentiles(PG_FUNCTION_ARGS)
{
	ArrayType  *qs = PG_GETARG_ARRAYTYPE_P(1);
	Sketch		sketch;

	sketch_of_datum(&sketch, PG_GETARG_DATUM(0));
	if (sketch_count(&sketch) == 0)
	{
		sketch_check_percentiles(qs);
		PG_RETURN_NULL();
	}
	PG_RETURN_DATUM(sketch_percentiles(&sketch, qs, FLOAT8OID, float8_datum));
}

/* The share of numbers up to a value. */
static Datum
share(FunctionCallInfo fcinfo, bool inclusive)
{
	Sketch		sketch;

	sketch_of_datum(&sketch, PG_GETARG_DATUM(0));
	if (sketch_count(&sketch) == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(sketch_share(&sketch, PG_GETARG_FLOAT8(1), inclusive));
}

PG_FUNCTION_INFO_V1(sketch_approx_percentile_rank);
/* approx_percentile_rank(sketch, value) returns double precision */
Datum
sketch_approx_percentile_rank(PG_FUNCTION_ARGS)
{
	return share(fcinfo, true);
}

PG_FUNCTION_INFO_V1(sketch_share_below);
/* share_below(sketch, value) returns double precision */
Datum
sketch_share_below(PG_FUNCTION_ARGS)
{
	return share(fcinfo, false);
}

/* One of the numbers that describe a sketch with numbers. */
static Datum
describe(FunctionCallInfo fcinfo, double (*of) (Sketch *sketch))
{
	Sketch		sketch;

	sketch_of_datum(&sketch, PG_GETARG_DATUM(0));
	if (sketch_count(&sketch) == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(of(&sketch));
}

PG_FUNCTION_INFO_V1(sketch_mean_of);
/* mean(sketch) returns double precision */
Datum
sketch_mean_of(PG_FUNCTION_ARGS)
{
	return describe(fcinfo, sketch_mean);
}

PG_FUNCTION_INFO_V1(sketch_sum_of);
/* sum(sketch) returns double precision */
Datum
sketch_sum_of(PG_FUNCTION_ARGS)
{
	return describe(fcinfo, sketch_sum);
}

PG_FUNCTION_INFO_V1(sketch_min_val);
/* min_val(sketch) returns double precision */
Datum
sketch_min_val(PG_FUNCTION_ARGS)
{
	return describe(fcinfo, sketch_min);
}

PG_FUNCTION_INFO_V1(sketch_max_val);
/* max_val(sketch) returns double precision */
Datum
sketch_max_val(PG_FUNCTION_ARGS)
{
	return describe(fcinfo, sketch_max);
}

PG_FUNCTION_INFO_V1(sketch_num_vals);
/* num_vals(sketch) returns bigint */
Datum
sketch_num_vals(PG_FUNCTION_ARGS)
{
	Sketch		sketch;

	sketch_of_datum(&sketch, PG_GETARG_DATUM(0));
	PG_RETURN_INT64((int64) sketch_count(&sketch));
}

PG_FUNCTION_INFO_V1(sketch_error_of);
/* error(sketch) returns double precision */
Datum
sketch_error_of(PG_FUNCTION_ARGS)
{
	Sketch		sketch;

	sketch_of_datum(&sketch, PG_GETARG_DATUM(0));
	PG_RETURN_FLOAT8(sketch_error(&sketch));
}

PG_FUNCTION_INFO_V1(sketch_is_exact);
/* is_exact(sketch) returns boolean */
Datum
sketch_is_exact(PG_FUNCTION_ARGS)
{
	Sketch		sketch;

	sketch_of_datum(&sketch, PG_GETARG_DATUM(0));
	PG_RETURN_BOOL(sketch.buckets == NULL);
}

/* A row for a part of the data. */
static bool
put_row(const SketchPart *part, void *arg)
{
	ReturnSetInfo *result = (ReturnSetInfo *) arg;
	Datum		values[3];
	bool		nulls[3] = {false, false, false};

	CHECK_FOR_INTERRUPTS();
	values[0] = Float8GetDatum(part->lower);
	values[1] = Float8GetDatum(part->upper);
	values[2] = Int64GetDatum((int64) part->count);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	return true;
}

PG_FUNCTION_INFO_V1(sketch_buckets);
/* buckets(sketch) returns table (lower, upper, count) */
Datum
sketch_buckets(PG_FUNCTION_ARGS)
{
	Sketch		sketch;

	InitMaterializedSRF(fcinfo, 0);
	sketch_of_datum(&sketch, PG_GETARG_DATUM(0));
	sketch_walk(&sketch, put_row, fcinfo->resultinfo);
	return (Datum) 0;
}
