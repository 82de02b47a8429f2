/*
 * sketch_type.c
 *		The type bcce.sketch: input, output, and its operator.
 *
 * A value is a varlena of the bytes that sketch_pack() writes.  It may have been
 * written by anybody who can write files, so it is checked whenever it is read.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "error.h"
#include "stats/sketch_type.h"

/* Memory for the core, from the context of the sketch. */
void *
sketch_alloc(void *context, size_t size)
{
	return MemoryContextAllocHuge((MemoryContext) context, size);
}

void
sketch_free(void *pointer)
{
	pfree(pointer);
}

void
sketch_pause(void)
{
	CHECK_FOR_INTERRUPTS();
}

/* Reads a value into a new sketch in the current memory context. */
void
sketch_of_datum(Sketch *sketch, Datum datum)
{
	struct varlena *packed = PG_DETOAST_DATUM_PACKED(datum);

	sketch_init(sketch, CurrentMemoryContext, SKETCH_DEFAULT_SCALE);
	if (!sketch_unpack(sketch, (const uint8_t *) VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed)))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("stored sketch is not valid"),
				 bcce_hide_input()));
	if ((Pointer) packed != DatumGetPointer(datum))
		pfree(packed);
}

/* A value for a sketch. */
Datum
sketch_get_datum(Sketch *sketch)
{
	struct varlena *packed = (struct varlena *) palloc(VARHDRSZ + sketch_pack_bound(sketch));

	SET_VARSIZE(packed, VARHDRSZ + sketch_pack(sketch, (uint8_t *) VARDATA(packed)));
	return PointerGetDatum(packed);
}

/* Refuses a percentile that is none, as percentile_cont() does. */
void
sketch_check_percentile(double q)
{
	if (isnan(q) || q < 0 || q > 1)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("percentile is not between 0 and 1"),
				 errdetail("It is %s.", float8out_internal(q)),
				 errhint("Write the 95th percentile as 0.95."),
				 bcce_hide_input()));
}

/* Refuses an array with a percentile that is none. */
void
sketch_check_percentiles(ArrayType *qs)
{
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	int			i;

	deconstruct_array(qs, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &elements, &nulls, &n);
	for (i = 0; i < n; i++)
		if (!nulls[i])
			sketch_check_percentile(DatumGetFloat8(elements[i]));
	pfree(elements);
	pfree(nulls);
}

/* An array of percentiles, of the shape of the array that asks for them. */
Datum
sketch_percentiles(Sketch *sketch, ArrayType *qs, Oid type, PercentileDatum convert)
{
	bool		is_float = type == FLOAT8OID;
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	int			i;

	deconstruct_array(qs, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &elements, &nulls, &n);
	if (n == 0)
		return PointerGetDatum(construct_empty_array(type));
	for (i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (nulls[i])
			continue;
		sketch_check_percentile(DatumGetFloat8(elements[i]));
		elements[i] = convert(sketch_percentile(sketch, DatumGetFloat8(elements[i])));
	}
	return PointerGetDatum(construct_md_array(elements, nulls, ARR_NDIM(qs), ARR_DIMS(qs), ARR_LBOUND(qs), type,
											  is_float ? sizeof(float8) : sizeof(Interval),
											  is_float && FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

PG_FUNCTION_INFO_V1(sketch_in);
/* sketch_in(cstring) returns sketch */
Datum
sketch_in(PG_FUNCTION_ARGS)
{
	Sketch		sketch;

	sketch_init(&sketch, CurrentMemoryContext, SKETCH_DEFAULT_SCALE);
	if (!sketch_from_text(&sketch, PG_GETARG_CSTRING(0)))
		bcce_ereturn(fcinfo->context, (Datum) 0,
					 (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					  errmsg("invalid input syntax for type sketch"),
					  errhint("Use what a sketch is shown as, such as 'version=1 scale=6 values=0.5,2'."),
					  bcce_hide_input()));
	PG_RETURN_DATUM(sketch_get_datum(&sketch));
}

PG_FUNCTION_INFO_V1(sketch_out);
/* sketch_out(sketch) returns cstring */
Datum
sketch_out(PG_FUNCTION_ARGS)
{
	Sketch		sketch;
	char	   *text;

	sketch_of_datum(&sketch, PG_GETARG_DATUM(0));
	text = (char *) palloc(sketch_text_bound(&sketch));
	sketch_to_text(&sketch, text);
	PG_RETURN_CSTRING(text);
}

PG_FUNCTION_INFO_V1(sketch_recv);
/* sketch_recv(internal) returns sketch */
Datum
sketch_recv(PG_FUNCTION_ARGS)
{
	StringInfo	in = (StringInfo) PG_GETARG_POINTER(0);
	int			len = in->len - in->cursor;
	Sketch		sketch;

	sketch_init(&sketch, CurrentMemoryContext, SKETCH_DEFAULT_SCALE);
	if (!sketch_unpack(&sketch, (const uint8_t *) pq_getmsgbytes(in, len), len))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary form of type sketch"),
				 bcce_hide_input()));
	PG_RETURN_DATUM(sketch_get_datum(&sketch));
}

PG_FUNCTION_INFO_V1(sketch_send);
/* sketch_send(sketch) returns bytea */
Datum
sketch_send(PG_FUNCTION_ARGS)
{
	Sketch		sketch;

	/* the same bytes, behind the same header */
	sketch_of_datum(&sketch, PG_GETARG_DATUM(0));
	PG_RETURN_DATUM(sketch_get_datum(&sketch));
}

PG_FUNCTION_INFO_V1(sketch_from_bytes);
/* sketch_from_bytes(bytea) returns sketch */
Datum
sketch_from_bytes(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	Sketch		sketch;

	sketch_init(&sketch, CurrentMemoryContext, SKETCH_DEFAULT_SCALE);
	if (!sketch_unpack(&sketch, (const uint8_t *) VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary form of type sketch"),
				 bcce_hide_input()));
	PG_RETURN_POINTER(bytes);
}

PG_FUNCTION_INFO_V1(sketch_union);
/* sketch_union(sketch, sketch) returns sketch */
Datum
sketch_union(PG_FUNCTION_ARGS)
{
	Sketch		sketch;
	Sketch		other;

	sketch_of_datum(&sketch, PG_GETARG_DATUM(0));
	sketch_of_datum(&other, PG_GETARG_DATUM(1));
	sketch_merge(&sketch, &other);
	PG_RETURN_DATUM(sketch_get_datum(&sketch));
}
