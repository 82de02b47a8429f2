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
#include "ingest/soft_text.h"
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

/* A document that is read; what is wrong with it is told at the end. */
typedef struct Document
{
	const char *wrong;			/* the first field that is, or NULL */
	bool		too_large;		/* it is a number out of range */
} Document;

/* Notes a field that is not as it should be; returns whether it is. */
static bool
check_field(Document *document, bool valid, const char *name)
{
	if (!valid && document->wrong == NULL)
		document->wrong = name;
	return valid;
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

/* A number, which may stand in quotes; NULL for what is none. */
static Numeric
numeric_of_value(Document *document, const JsonbValue *value, const char *name)
{
	if (value->type == jbvNumeric)
		return value->val.numeric;
	if (!check_field(document, value->type == jbvString && value->val.string.len <= 40 &&
					 text_is_number(value->val.string.val, value->val.string.len), name))
		return NULL;
	return DatumGetNumeric(DirectFunctionCall3(numeric_in,
											   CStringGetDatum(pnstrdup(value->val.string.val, value->val.string.len)),
											   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

/* A whole number; the least for what is none. */
static int64
integer_of_value(Document *document, const JsonbValue *value, int64 least, int64 most, const char *name)
{
	Numeric		number = numeric_of_value(document, value, name);
	Datum		datum = NumericGetDatum(number);
	bool		valid;

	if (number == NULL)
		return least;
	valid = DatumGetBool(DirectFunctionCall2(numeric_ge, datum, DirectFunctionCall1(int8_numeric, Int64GetDatum(least)))) &&
		DatumGetBool(DirectFunctionCall2(numeric_le, datum, DirectFunctionCall1(int8_numeric, Int64GetDatum(most)))) &&
		DatumGetBool(DirectFunctionCall2(numeric_eq, datum, DirectFunctionCall2(numeric_trunc, datum, Int32GetDatum(0))));
	return check_field(document, valid, name) ? DatumGetInt64(DirectFunctionCall1(numeric_int8, datum)) : least;
}

static int64
integer_field(Document *document, JsonbContainer *object, const char *name, const char *camel,
			  int64 least, int64 most, int64 missing)
{
	JsonbValue	value;

	if (!find_field(object, name, camel, &value))
		return missing;
	return integer_of_value(document, &value, least, most, name);
}

/* A finite number; 0 for what is none. */
static double
number_of_value(Document *document, const JsonbValue *value, const char *name)
{
	Numeric		number = numeric_of_value(document, value, name);
	double		result;

	if (number == NULL)
		return 0;
	result = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(number)));
	if (!isinf(result))
		return result;
	document->too_large = document->wrong == NULL;
	check_field(document, false, name);
	return 0;
}

/* NaN when the field is missing. */
static double
number_field(Document *document, JsonbContainer *object, const char *name)
{
	JsonbValue	value;

	if (!find_field(object, name, name, &value))
		return NAN;
	return number_of_value(document, &value, name);
}

/* The elements of an array; NULL for what is none. */
static JsonbContainer *
array_of_value(Document *document, const JsonbValue *value, uint32 most, const char *name)
{
	bool		valid = value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data) &&
	!JsonContainerIsScalar(value->val.binary.data) && JsonContainerSize(value->val.binary.data) <= most;

	return check_field(document, valid, name) ? value->val.binary.data : NULL;
}

/* Buckets of one sign. */
static void
read_store(Document *document, JsonbContainer *object, const char *name, int scale, Sketch *sketch)
{
	bool		negative = strcmp(name, "negative") == 0;
	JsonbValue	value;
	JsonbContainer *buckets;
	JsonbIterator *it;
	JsonbIteratorToken token;
	int64		bucket;

	if (!find_field(object, name, name, &value) ||
		!check_field(document, value.type == jbvBinary && JsonContainerIsObject(value.val.binary.data), name))
		return;
	object = value.val.binary.data;
	bucket = integer_field(document, object, "offset", "offset", PG_INT32_MIN, PG_INT32_MAX, 0);
	if (!find_field(object, "bucket_counts", "bucketCounts", &value))
		return;
	buckets = array_of_value(document, &value, MAX_READ_BUCKETS, "bucket_counts");
	if (buckets == NULL)
		return;
	it = JsonbIteratorInit(buckets);
	while (document->wrong == NULL && (token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		int64		count;

		CHECK_FOR_INTERRUPTS();
		if (token != WJB_ELEM)
			continue;
		count = integer_of_value(document, &value, 0, PG_INT64_MAX, "bucket_counts");
		if (count > 0)
			check_field(document, sketch_import_bucket(sketch, negative, scale, bucket, (uint64) count), "offset");
		bucket++;
	}
}

/* The numbers themselves. */
static void
read_values(Document *document, const JsonbValue *values, Sketch *sketch)
{
	JsonbContainer *array = array_of_value(document, values, SKETCH_MAX_VALUES, "values");
	JsonbIterator *it;
	JsonbValue	value;
	JsonbIteratorToken token;

	if (array == NULL)
		return;
	it = JsonbIteratorInit(array);
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
		if (token == WJB_ELEM)
			sketch_add_slow(sketch, number_of_value(document, &value, "values"), 1);
}

/* Reads a histogram into a new sketch, which is of use if nothing is wrong. */
static void
read_histogram(Document *document, JsonbContainer *object, Sketch *sketch)
{
	JsonbValue	values;
	int			scale;
	int64		n;
	SketchOdd  *odd;

	if (!check_field(document, JsonContainerIsObject(object), "scale"))
		return;
	scale = (int) integer_field(document, object, "scale", "scale", SKETCH_MIN_SCALE, OTEL_MAX_SCALE, OTEL_MAX_SCALE + 1);
	if (!check_field(document, scale <= OTEL_MAX_SCALE, "scale"))
		return;
	sketch_init(sketch, CurrentMemoryContext, Min(scale, SKETCH_MAX_SCALE));
	if (find_field(object, "values", "values", &values))
		read_values(document, &values, sketch);
	else
	{
		sketch_to_buckets(sketch);
		n = integer_field(document, object, "zero_count", "zeroCount", 0, PG_INT64_MAX, 0);
		sketch_import_zeros(sketch, (uint64) n);
		read_store(document, object, "positive", scale, sketch);
		read_store(document, object, "negative", scale, sketch);
		if (sketch_count(sketch) == 0)
			sketch_reset(sketch);
		else
		{
			sketch_import_range(sketch, number_field(document, object, "min"), number_field(document, object, "max"));
			sketch_import_sum(sketch, number_field(document, object, "sum"));
		}
	}
	n = integer_field(document, object, "count", "count", 0, PG_INT64_MAX, (int64) sketch_count(sketch));
	check_field(document, (uint64) n == sketch_count(sketch), "count");
	odd = sketch_make_odd(sketch);
	odd->n_nan = integer_field(document, object, "nan_count", "nanCount", 0, PG_INT64_MAX, 0);
	odd->n_pos_inf = integer_field(document, object, "infinity_count", "infinityCount", 0, PG_INT64_MAX, 0);
	odd->n_neg_inf = integer_field(document, object, "negative_infinity_count", "negativeInfinityCount", 0, PG_INT64_MAX, 0);
}

PG_FUNCTION_INFO_V1(sketch_from_jsonb);
/* sketch_from_jsonb(jsonb) returns sketch */
Datum
sketch_from_jsonb(PG_FUNCTION_ARGS)
{
	Document	document = {NULL, false};
	Sketch		sketch;

	read_histogram(&document, &PG_GETARG_JSONB_P(0)->root, &sketch);
	if (document.wrong != NULL)
		ereport(ERROR,
				(errcode(document.too_large ? ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE : ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("document is not an exponential histogram"),
				 errdetail("Field \"%s\" is missing, of another kind, or does not agree with the others.", document.wrong),
				 bcce_hide_input()));
	PG_RETURN_DATUM(sketch_get_datum(&sketch));
}

PG_FUNCTION_INFO_V1(try_sketch_jsonb);
/* try_sketch(jsonb) returns sketch */
Datum
try_sketch_jsonb(PG_FUNCTION_ARGS)
{
	Document	document = {NULL, false};
	Sketch		sketch;

	read_histogram(&document, &PG_GETARG_JSONB_P(0)->root, &sketch);
	if (document.wrong != NULL)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(sketch_get_datum(&sketch));
}

PG_FUNCTION_INFO_V1(try_sketch);
/* try_sketch(text) returns sketch */
Datum
try_sketch(PG_FUNCTION_ARGS)
{
	Sketch		sketch;

	sketch_init(&sketch, CurrentMemoryContext, SKETCH_DEFAULT_SCALE);
	if (!sketch_from_text(&sketch, text_to_cstring(PG_GETARG_TEXT_PP(0))))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(sketch_get_datum(&sketch));
}
