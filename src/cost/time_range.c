/*
 * time_range.c
 *		The bounds of a tstzrange.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/rangetypes.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "cost/time_range.h"

bool
read_time_range(Datum value, TimeRange *result)
{
	RangeType  *range = DatumGetRangeTypeP(value);
	TypeCacheEntry *type = lookup_type_cache(TSTZRANGEOID, TYPECACHE_RANGE_INFO);
	RangeBound	lower;
	RangeBound	upper;
	bool		empty;

	range_deserialize(type, range, &lower, &upper, &empty);
	if ((Pointer) range != DatumGetPointer(value))
		pfree(range);
	if (empty)
		return false;

	result->from = lower.infinite ? DT_NOBEGIN : DatumGetTimestampTz(lower.val);
	result->from_included = lower.infinite || lower.inclusive;
	result->until = upper.infinite ? DT_NOEND : DatumGetTimestampTz(upper.val);
	result->until_included = upper.infinite || upper.inclusive;
	return true;
}
