/*
 * percentile_ask.c
 *		The percentiles that an aggregate is asked for, the same in all rows of a group.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "libpq/pqformat.h"
#include "utils/array.h"

#include "compat.h"
#include "error.h"
#include "stats/percentile_ask.h"
#include "stats/sketch_type.h"

/* Keeps what a row asks for, and refuses what it cannot be. */
PercentileAsk *
percentile_ask_make(MemoryContext context, bool many, bool isnull, Datum datum)
{
	PercentileAsk *ask = (PercentileAsk *) MemoryContextAllocZero(context, sizeof(PercentileAsk));

	ask->many = many;
	ask->isnull = isnull;
	if (isnull)
		return ask;
	if (many)
	{
		ArrayType  *array = DatumGetArrayTypeP(datum);

		sketch_check_percentiles(array);
		ask->array = (ArrayType *) MemoryContextAlloc(context, VARSIZE(array));
		memcpy(ask->array, array, VARSIZE(array));
	}
	else
	{
		ask->q = DatumGetFloat8(datum);
		sketch_check_percentile(ask->q);
	}
	return ask;
}

static bool
same_array(ArrayType *a, ArrayType *b)
{
	return VARSIZE(a) == VARSIZE(b) && memcmp(a, b, VARSIZE(a)) == 0;
}

/* Does a row ask for the same? */
bool
percentile_ask_is(const PercentileAsk *ask, bool many, bool isnull, Datum datum)
{
	if (ask->many != many || ask->isnull != isnull)
		return false;
	if (isnull)
		return true;
	return many ? same_array(ask->array, DatumGetArrayTypeP(datum)) : ask->q == DatumGetFloat8(datum);
}

bool
percentile_asks_are_same(const PercentileAsk *a, const PercentileAsk *b)
{
	if (a->many != b->many || a->isnull != b->isnull)
		return false;
	if (a->isnull)
		return true;
	return a->many ? same_array(a->array, b->array) : a->q == b->q;
}

void
percentile_ask_differs(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("percentile differs between rows of one group"),
			 errdetail("All rows of a group must ask for the same percentile."),
			 errhint("Give a constant, or add the percentile to GROUP BY."),
			 bcce_hide_input()));
}

/* Writes it for another process. */
void
percentile_ask_send(StringInfo out, const PercentileAsk *ask)
{
	Datum	   *qs;
	bool	   *nulls;
	int			n;
	int			i;

	pq_sendbyte(out, ask->many);
	pq_sendbyte(out, ask->isnull);
	if (ask->isnull)
		return;
	if (!ask->many)
	{
		pq_sendfloat8(out, ask->q);
		return;
	}
	pq_sendint32(out, ARR_NDIM(ask->array));
	for (i = 0; i < ARR_NDIM(ask->array); i++)
	{
		pq_sendint32(out, ARR_DIMS(ask->array)[i]);
		pq_sendint32(out, ARR_LBOUND(ask->array)[i]);
	}
	deconstruct_array(ask->array, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &qs, &nulls, &n);
	for (i = 0; i < n; i++)
	{
		pq_sendbyte(out, nulls[i]);
		pq_sendfloat8(out, nulls[i] ? 0 : DatumGetFloat8(qs[i]));
	}
}

/* The array of what percentile_ask_send() wrote; NULL when it wrote none. */
static ArrayType *
receive_array(StringInfo in)
{
	int			dims[MAXDIM];
	int			bounds[MAXDIM];
	int			ndim = (int) pq_getmsgint(in, 4);
	int			n;
	Datum	   *qs;
	bool	   *nulls;
	int			i;

	if (ndim < 0 || ndim > MAXDIM)
		return NULL;
	for (i = 0; i < ndim; i++)
	{
		dims[i] = (int) pq_getmsgint(in, 4);
		bounds[i] = (int) pq_getmsgint(in, 4);
		if (dims[i] <= 0)
			return NULL;
	}
	if (ndim == 0)
		return construct_empty_array(FLOAT8OID);
	n = ArrayGetNItems(ndim, dims);
	ArrayCheckBounds(ndim, dims, bounds);
	if (n > (in->len - in->cursor) / 9)
		return NULL;
	qs = (Datum *) palloc(n * sizeof(Datum));
	nulls = (bool *) palloc(n * sizeof(bool));
	for (i = 0; i < n; i++)
	{
		int			isnull = pq_getmsgbyte(in);
		double		q = pq_getmsgfloat8(in);

		if (isnull > 1 || !(q >= 0 && q <= 1))
			return NULL;
		nulls[i] = isnull != 0;
		qs[i] = Float8GetDatum(q);
	}
	return construct_md_array(qs, nulls, ndim, dims, bounds, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
}

/* Reads it in the current context; NULL when the bytes are none. */
PercentileAsk *
percentile_ask_receive(StringInfo in)
{
	PercentileAsk *ask = (PercentileAsk *) palloc0(sizeof(PercentileAsk));
	int			many = pq_getmsgbyte(in);
	int			isnull = pq_getmsgbyte(in);

	if (many > 1 || isnull > 1)
		return NULL;
	ask->many = many != 0;
	ask->isnull = isnull != 0;
	if (ask->isnull)
		return ask;
	if (ask->many)
	{
		ask->array = receive_array(in);
		return ask->array == NULL ? NULL : ask;
	}
	ask->q = pq_getmsgfloat8(in);
	return ask->q >= 0 && ask->q <= 1 ? ask : NULL;
}
