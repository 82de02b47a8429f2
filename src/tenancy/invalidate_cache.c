/*
 * invalidate_cache.c
 *		The statement trigger that tells every session to read a table anew.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "fmgr.h"
#include "utils/inval.h"
#include "utils/rel.h"

#include "compat.h"
#include "error.h"

/*
 * Called as a trigger, after the change?  Per row as well as per statement:
 * logical replication applies rows without firing statement triggers.
 */
static bool
called_after_change(FunctionCallInfo fcinfo)
{
	return CALLED_AS_TRIGGER(fcinfo) &&
		TRIGGER_FIRED_AFTER(((TriggerData *) fcinfo->context)->tg_event);
}

PG_FUNCTION_INFO_V1(invalidate_cache);
/*
 * SQL: sends a relcache invalidation for the trigger's table.  This session
 * takes it in at the end of the command, the others when we commit.
 */
Datum
invalidate_cache(PG_FUNCTION_ARGS)
{
	if (!called_after_change(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("bcce.invalidate_cache() must run as a trigger after a change"),
				 errhint("Use CREATE TRIGGER ... AFTER INSERT OR UPDATE OR DELETE ON ... FOR EACH ROW, and another AFTER TRUNCATE FOR EACH STATEMENT."),
				 bcce_hide_input()));

	CacheInvalidateRelcacheByRelid(RelationGetRelid(((TriggerData *) fcinfo->context)->tg_relation));
	PG_RETURN_POINTER(NULL);
}
