/*
 * inbox.c
 *		The trigger of the inboxes: runs the function that stores a row, and
 *		lets no error carry the row.
 *
 * COPY adds the row in hand to the context of any error, a cancelled or timed
 * out statement included, and the server log keeps context and statement.  So
 * the row's function runs without the context of its callers, and what it
 * raises is marked not to print the statement.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "compat.h"
#include "error.h"

/* Refuses every use but the one that the inboxes make of it. */
static TriggerData *
check_call(FunctionCallInfo fcinfo)
{
	TriggerData *data = CALLED_AS_TRIGGER(fcinfo) ? (TriggerData *) fcinfo->context : NULL;

	if (data == NULL || !TRIGGER_FIRED_INSTEAD(data->tg_event) ||
		!TRIGGER_FIRED_BY_INSERT(data->tg_event) || data->tg_trigger->tgnargs != 1)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("bcce.inbox_row() must run as a trigger instead of an insertion, with one argument"),
				 errhint("Name the trigger function of bcce_data that stores a row."),
				 bcce_hide_input()));
	return data;
}

/*
 * The function of bcce_data that the trigger's argument names, looked up once
 * a statement and without asking for rights: a writer has none in that schema.
 */
static FmgrInfo *
row_function(FunctionCallInfo fcinfo, TriggerData *data)
{
	FmgrInfo   *flinfo = fcinfo->flinfo;

	if (flinfo->fn_extra == NULL)
	{
		FmgrInfo   *function = MemoryContextAllocZero(flinfo->fn_mcxt, sizeof(FmgrInfo));
		Oid			oid = GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid,
										  CStringGetDatum(data->tg_trigger->tgargs[0]),
										  PointerGetDatum(buildoidvector(NULL, 0)),
										  ObjectIdGetDatum(get_namespace_oid("bcce_data", false)));

		if (!OidIsValid(oid))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_FUNCTION),
					 errmsg("the function of this inbox is missing"),
					 errhint("Run SELECT * FROM bcce.install() as a superuser."),
					 bcce_hide_input()));
		fmgr_info_cxt(oid, function, flinfo->fn_mcxt);
		flinfo->fn_extra = function;
	}
	return (FmgrInfo *) flinfo->fn_extra;
}

PG_FUNCTION_INFO_V1(inbox_row);
/* SQL: trigger INSTEAD OF INSERT on an inbox. */
Datum
inbox_row(PG_FUNCTION_ARGS)
{
	TriggerData *data = check_call(fcinfo);
	FmgrInfo   *function = row_function(fcinfo, data);
	ErrorContextCallback *callers = error_context_stack;
	MemoryContext context = CurrentMemoryContext;
	Datum		result = (Datum) 0;

	error_context_stack = NULL;
	PG_TRY();
	{
		LOCAL_FCINFO(inner, 0);

		InitFunctionCallInfoData(*inner, function, 0, InvalidOid, fcinfo->context, NULL);
		result = FunctionCallInvoke(inner);

		/* A cancel that is due is better taken here than by COPY. */
		CHECK_FOR_INTERRUPTS();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		error->hide_stmt = true;
		error->hide_ctx = true;
		ReThrowError(error);
	}
	PG_END_TRY();
	error_context_stack = callers;
	return result;
}
