/*
 * soft_time.h
 *		Points in time read from text without ever raising an error.
 */
#ifndef BCCE_SOFT_TIME_H
#define BCCE_SOFT_TIME_H

#include "datatype/timestamp.h"
#include "pgtime.h"

/*
 * Reads a date, or date and time, of len bytes.  A text without a zone is taken in the
 * given one; order of ambiguous dates is year, month, day.  No setting of the
 * session counts.  False for anything else, also for now, today, infinity.
 */
extern bool soft_timestamptz(const char *s, size_t len, pg_tz *zone, TimestampTz *result);

/* A time zone by name, or NULL. */
extern pg_tz *soft_zone(const char *name, size_t len);

#endif
