/*
 * percentile_ask.h
 *		The percentiles that an aggregate is asked for, the same in all rows of a group.
 */
#ifndef BCCE_PERCENTILE_ASK_H
#define BCCE_PERCENTILE_ASK_H

#include "lib/stringinfo.h"
#include "utils/array.h"

typedef struct PercentileAsk
{
	bool		many;			/* an array */
	bool		isnull;
	double		q;				/* when it is one */
	ArrayType  *array;			/* when there are many */
} PercentileAsk;

extern PercentileAsk *percentile_ask_make(MemoryContext context, bool many, bool isnull, Datum datum);
extern bool percentile_ask_is(const PercentileAsk *ask, bool many, bool isnull, Datum datum);
extern bool percentile_asks_are_same(const PercentileAsk *a, const PercentileAsk *b);
extern void percentile_ask_differs(void);
extern void percentile_ask_send(StringInfo out, const PercentileAsk *ask);
extern PercentileAsk *percentile_ask_receive(StringInfo in);

#endif
