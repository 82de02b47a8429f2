/*
 * sketch_jsonb.c
 *		Sketches as the exponential histograms of OpenTelemetry, and back.
 *
 * The names are those of ExponentialHistogramDataPoint: count, sum, min, max,
 * scale, zero_count, positive and negative with offset and bucket_counts.  Names
 * in camel case and counts in quotes, which its JSON form has, are read too.
 * What it has no place for stands in fields of our own: values (as long as they
 * are kept), nan_count, infinity_count, negative_infinity_count.
 */
#include "postgres.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "compat.h"
#include "error.h"
#include "stats/sketch_index.h"
#include "stats/sketch_type.h"

/* The finest scale that OpenTelemetry knows. */
#define OTEL_MAX_SCALE	20

/* The largest count of buckets that is read. */
#define MAX_READ_BUCKETS	1000000

/* Writes a finite number so that it is read back as it is, whatever the settings. */
static void
put_digits(StringInfo out, double value)
{
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	double_to_shortest_decimal_buf(value, digits);
	appendStringInfoString(out, digits);
}

static void
put_number(StringInfo out, const char *name, double value)
{
	appendStringInfo(out, ", \"%s\": ", name);
	put_digits(out, value);
}

static void
put_count(StringInfo out, const char *name, uint64 count)
{
	if (count > 0)
		appendStringInfo(out, ", \"%s\": " UINT64_FORMAT, name, count);
}

static void
put_store(StringInfo out, const char *name, const SketchStore *store)
{
	int32_t		first;
	int32_t		last;
	int32_t		i;

	if (!sketch_range(store, &first, &last))
		return;
	appendStringInfo(out, ", \"%s\": {\"offset\": %d, \"bucket_counts\": [", name, first);
	for (i = first; i <= last; i++)
		appendStringInfo(out, "%s" UINT64_FORMAT, i == first ? "" : ", ", store->counts[i - store->first]);
	appendStringInfoString(out, "]}");
}

PG_FUNCTION_INFO_V1(sketch_to_jsonb);
/* sketch_to_jsonb(sketch) returns jsonb */
Datum
sketch_to_jsonb(PG_FUNCTION_ARGS)
{
	StringInfoData out;
	StringInfoData values;
	Sketch		sketch;
	SketchOdd	odd;
	int			i;

	sketch_of_datum(&sketch, PG_GETARG_DATUM(0));
	odd = sketch_odd(&sketch);
	sketch.odd = NULL;
	initStringInfo(&values);
	if (sketch.buckets == NULL)
	{
		for (i = 0; i < sketch.n_values; i++)
		{
			appendStringInfoString(&values, i == 0 ? "" : ", ");
			put_digits(&values, sketch.values[i]);
		}
		sketch_to_buckets(&sketch);
	}

	initStringInfo(&out);
	appendStringInfo(&out, "{\"scale\": %d, \"count\": " UINT64_FORMAT ", \"zero_count\": " UINT64_FORMAT,
					 sketch.scale, sketch_count(&sketch), sketch.buckets->n_zero);
	if (sketch_count(&sketch) > 0)
	{
		double		sum = sketch_sum(&sketch);

		if (!isinf(sum))
			put_number(&out, "sum", sum);
		put_number(&out, "min", sketch.buckets->min);
		put_number(&out, "max", sketch.buckets->max);
	}
	put_store(&out, "positive", &sketch.buckets->positive);
	put_store(&out, "negative", &sketch.buckets->negative);
	if (values.len > 0)
		appendStringInfo(&out, ", \"values\": [%s]", values.data);
	put_count(&out, "nan_count", odd.n_nan);
	put_count(&out, "infinity_count", odd.n_pos_inf);
	put_count(&out, "negative_infinity_count", odd.n_neg_inf);
	appendStringInfoChar(&out, '}');
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(out.data)));
}

/* Refuses a document that is no histogram, and says where. */
static void
check_field(bool valid, const char *name)
{
	if (!valid)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("document is not an exponential histogram"),
				 errdetail("Field \"%s\" is missing, of another kind, or does not agree with the others.", name),
				 bcce_hide_input()));
}

/* A field by either of its names; false when it is missing or null. */
static bool
find_field(JsonbContainer *object, const char *name, const char *camel, JsonbValue *value)
{
	if (getKeyJsonValueFromContainer(object, name, strlen(name), value) == NULL &&
		getKeyJsonValueFromContainer(object, camel, strlen(camel), value) == NULL)
		return false;
	return value->type != jbvNull;
}

/* A number, which may stand in quotes. */
static Numeric
numeric_of_value(const JsonbValue *value, const char *name)
{
	char	   *digits;

	if (value->type == jbvNumeric)
		return value->val.numeric;
	check_field(value->type == jbvString && value->val.string.len <= 40, name);
	digits = pnstrdup(value->val.string.val, value->val.string.len);
	check_field(strspn(digits, "0123456789+-.eE") == strlen(digits), name);
	return DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(digits),
											   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

static int64
integer_of_value(const JsonbValue *value, int64 least, int64 most, const char *name)
{
	Numeric		number = numeric_of_value(value, name);
	int64		integer = DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(number)));

	/* rounded, if it was no whole number */
	check_field(integer >= least && integer <= most &&
				DatumGetBool(DirectFunctionCall2(numeric_eq, NumericGetDatum(number),
												 DirectFunctionCall1(int8_numeric, Int64GetDatum(integer)))), name);
	return integer;
}

static int64
integer_field(JsonbContainer *object, const char *name, const char *camel, int64 least, int64 most, int64 missing)
{
	JsonbValue	value;

	if (!find_field(object, name, camel, &value))
		return missing;
	return integer_of_value(&value, least, most, name);
}

static double
number_of_value(const JsonbValue *value, const char *name)
{
	Numeric		number = numeric_of_value(value, name);

	return DatumGetFloat8(DirectFunctionCall1(numeric_float8, NumericGetDatum(number)));
}

/* NaN when the field is missing. */
static double
number_field(JsonbContainer *object, const char *name)
{
	JsonbValue	value;

	if (!find_field(object, name, name, &value))
		return NAN;
	return number_of_value(&value, name);
}

/* The elements of an array. */
static JsonbContainer *
array_of_value(const JsonbValue *value, uint32 most, const char *name)
{
	check_field(value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data) &&
				!JsonContainerIsScalar(value->val.binary.data) &&
				JsonContainerSize(value->val.binary.data) <= most, name);
	return value->val.binary.data;
}

/* Buckets of one sign. */
static void
read_store(JsonbContainer *object, const char *name, int scale, Sketch *sketch)
{
	bool		negative = strcmp(name, "negative") == 0;
	JsonbValue	value;
	JsonbContainer *buckets;
	JsonbIterator *it;
	JsonbIteratorToken token;
	int64		bucket;

	if (!find_field(object, name, name, &value))
		return;
	check_field(value.type == jbvBinary && JsonContainerIsObject(value.val.binary.data), name);
	object = value.val.binary.data;
	bucket = integer_field(object, "offset", "offset", PG_INT32_MIN, PG_INT32_MAX, 0);
	if (!find_field(object, "bucket_counts", "bucketCounts", &value))
		return;
	buckets = array_of_value(&value, MAX_READ_BUCKETS, "bucket_counts");
	it = JsonbIteratorInit(buckets);
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		int64		count;

		CHECK_FOR_INTERRUPTS();
		if (token != WJB_ELEM)
			continue;
		count = integer_of_value(&value, 0, PG_INT64_MAX, "bucket_counts");
		if (count > 0)
			check_field(sketch_import_bucket(sketch, negative, scale, bucket, (uint64) count), "offset");
		bucket++;
	}
}

/* The numbers themselves. */
static void
read_values(const JsonbValue *values, Sketch *sketch)
{
	JsonbIterator *it = JsonbIteratorInit(array_of_value(values, SKETCH_MAX_VALUES, "values"));
	JsonbValue	value;
	JsonbIteratorToken token;

	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
		if (token == WJB_ELEM)
			sketch_add_slow(sketch, number_of_value(&value, "values"), 1);
}

PG_FUNCTION_INFO_V1(sketch_from_jsonb);
/* sketch_from_jsonb(jsonb) returns sketch */
Datum
sketch_from_jsonb(PG_FUNCTION_ARGS)
{
	JsonbContainer *object = &PG_GETARG_JSONB_P(0)->root;
	JsonbValue	values;
	Sketch		sketch;
	int			scale;
	int64		n;
	int64		zeros;
	SketchOdd  *odd;

	check_field(JsonContainerIsObject(object), "scale");
	scale = (int) integer_field(object, "scale", "scale", SKETCH_MIN_SCALE, OTEL_MAX_SCALE, OTEL_MAX_SCALE + 1);
	check_field(scale <= OTEL_MAX_SCALE, "scale");
	sketch_init(&sketch, CurrentMemoryContext, Min(scale, SKETCH_MAX_SCALE));
	if (find_field(object, "values", "values", &values))
		read_values(&values, &sketch);
	else
	{
		sketch_to_buckets(&sketch);
		zeros = integer_field(object, "zero_count", "zeroCount", 0, PG_INT64_MAX, 0);
		sketch_import_zeros(&sketch, (uint64) zeros);
		read_store(object, "positive", scale, &sketch);
		read_store(object, "negative", scale, &sketch);
		if (sketch_count(&sketch) == 0)
			sketch_reset(&sketch);
		else
		{
			sketch_import_range(&sketch, number_field(object, "min"), number_field(object, "max"));
			sketch_import_sum(&sketch, number_field(object, "sum"));
		}
	}
	n = integer_field(object, "count", "count", 0, PG_INT64_MAX, (int64) sketch_count(&sketch));
	check_field((uint64) n == sketch_count(&sketch), "count");
	odd = sketch_make_odd(&sketch);
	odd->n_nan = integer_field(object, "nan_count", "nanCount", 0, PG_INT64_MAX, 0);
	odd->n_pos_inf = integer_field(object, "infinity_count", "infinityCount", 0, PG_INT64_MAX, 0);
	odd->n_neg_inf = integer_field(object, "negative_infinity_count", "negativeInfinityCount", 0, PG_INT64_MAX, 0);
	PG_RETURN_DATUM(sketch_get_datum(&sketch));
}
