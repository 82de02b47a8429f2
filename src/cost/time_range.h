/*
 * time_range.h
 *		The bounds of a tstzrange.
 */
#ifndef BCCE_TIME_RANGE_H
#define BCCE_TIME_RANGE_H

#include "datatype/timestamp.h"

typedef struct TimeRange
{
	TimestampTz from;			/* DT_NOBEGIN when open */
	TimestampTz until;			/* DT_NOEND when open */
	bool		from_included;
	bool		until_included;
} TimeRange;

/* Takes the bounds of a range.  False when it is empty. */
extern bool read_time_range(Datum value, TimeRange *range);

#endif
