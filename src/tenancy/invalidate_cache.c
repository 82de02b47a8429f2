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
 * Called as a trigger, after a statement?  TRUNCATE triggers are always for
 * the statement, and a trigger for UPDATE OF columns is accepted as well.
 */
static bool
called_after_statement(FunctionCallInfo fcinfo)
{
	TriggerEvent event;

	if (!CALLED_AS_TRIGGER(fcinfo))
		return false;
	event = ((TriggerData *) fcinfo->context)->tg_event;
	return TRIGGER_FIRED_AFTER(event) && TRIGGER_FIRED_FOR_STATEMENT(event);
}

PG_FUNCTION_INFO_V1(invalidate_cache);
/*
 * SQL: sends a relcache invalidation for the trigger's table.  This session
 * takes it in at the end of the command, the others when we commit.
 */
Datum
invalidate_cache(PG_FUNCTION_ARGS)
{
	if (!called_after_statement(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("bcce.invalidate_cache() must run as a trigger after a statement"),
				 errhint("Use CREATE TRIGGER ... AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON ... FOR EACH STATEMENT EXECUTE FUNCTION bcce.invalidate_cache()."),
				 bcce_hide_input()));

	CacheInvalidateRelcacheByRelid(RelationGetRelid(((TriggerData *) fcinfo->context)->tg_relation));
	PG_RETURN_POINTER(NULL);
}
