/*
 * inbox.c
 *		The triggers of the inboxes: collect the rows of a statement and hand
 *		them in batches to the function that stores them.
 *
 * One function serves the three triggers of each inbox.  Before the statement
 * it opens a batch, instead of each row it puts the row into the batch, and
 * after the statement it hands over what is left and closes the batch.  The
 * storing function, a plpgsql trigger function of bcce_data, sees the rows as
 * the transition table "batch", which views do not have by themselves.
 *
 * Statements nest: a function that an INSERT into an inbox calls may insert
 * into the same inbox.  Each statement has its own batch, and because they end
 * in the reverse order of their beginnings, the innermost batch of a view is
 * that of the running statement.  A batch lives in the memory of its
 * subtransaction: an error takes both away.
 *
 * Most batches hold nothing that is known already, and to insert them plainly
 * costs a tenth less than ON CONFLICT does.  So a batch is tried as new, in a
 * subtransaction; if a row of it turns out to be known, the same batch is stored
 * again with ON CONFLICT, and so are the next ones.  The storing function is
 * told which by the argument of its trigger, "new" or "any".
 *
 * COPY adds the row in hand to the context of any error, a cancelled or timed
 * out statement included, and the server log keeps context and statement.  So
 * everything here runs without the context of its callers, and what it raises
 * is marked not to print the statement.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "commands/trigger.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/syscache.h"
#include "utils/tuplestore.h"

#include "compat.h"
#include "error.h"

/*
 * A batch is handed over when it has so many rows or bytes: enough to share
 * the cost of the statements that store it, little enough to stay in memory.
 */
#define BATCH_ROWS	16384
#define BATCH_BYTES (8 * 1024 * 1024)

/*
 * Of a batch so small, what a subtransaction costs is more than what it saves.
 * And a transaction has no more of them than others can keep in mind when they
 * take their snapshots: the server's limit is 64 for each session.
 */
#define TRY_MIN_ROWS	64
#define TRY_MAX_IN_TRANSACTION	56

/* After a known row, so many batches at most are stored with ON CONFLICT. */
#define MAX_PATIENCE	64

typedef struct Batch
{
	struct Batch *outer;		/* batch of the statement around this one */
	MemoryContext context;		/* holds this struct and the rows */
	Oid			inbox;			/* view that the statement writes to */
	FmgrInfo	store;			/* function that stores the rows */
	Trigger		trigger;		/* as that function sees it */
	Tuplestorestate *rows;		/* NULL while there are none */
	int			row_count;
	Size		byte_count;
} Batch;

static Batch *innermost = NULL;

/* What this session has learnt of its senders. */
static struct
{
	int			patience;		/* batches to wait after the next known row */
	int			waiting;		/* batches still to wait */
	FullTransactionId transaction;	/* that has tried so often */
	int			tries;
}			senders = {.patience = 1};

/* Refuses every use but the three that the inboxes make of it. */
static TriggerData *
check_call(FunctionCallInfo fcinfo)
{
	TriggerData *data = CALLED_AS_TRIGGER(fcinfo) ? (TriggerData *) fcinfo->context : NULL;

	if (data == NULL || !TRIGGER_FIRED_BY_INSERT(data->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(data->tg_event) == TRIGGER_FIRED_INSTEAD(data->tg_event) ||
		data->tg_relation->rd_rel->relkind != RELKIND_VIEW || data->tg_trigger->tgnargs != 1)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("bcce.collect_rows() must run as a trigger before, instead of and after insertions into a view, with one argument"),
				 errhint("Name the trigger function of bcce_data that stores the rows."),
				 bcce_hide_input()));
	return data;
}

/*
 * The function of bcce_data that the trigger's argument names, looked up
 * without asking for rights: a writer has none in that schema.
 */
static Oid
storing_function(const char *name)
{
	return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid,
						   CStringGetDatum(name),
						   PointerGetDatum(buildoidvector(NULL, 0)),
						   ObjectIdGetDatum(get_namespace_oid("bcce_data", false)));
}

/* It may be gone from the start, or be dropped while a long COPY runs. */
static void
check_function(Oid function)
{
	if (!SearchSysCacheExists1(PROCOID, ObjectIdGetDatum(function)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("the function of this inbox is missing"),
				 errhint("Run SELECT * FROM bcce.install() as a superuser."),
				 bcce_hide_input()));
}

/* Called when the memory of a batch goes, by whatever way. */
static void
forget_batch(void *arg)
{
	Batch	  **link = &innermost;

	while (*link != NULL && *link != arg)
		link = &(*link)->outer;
	if (*link != NULL)
		*link = (*link)->outer;
}

static void
open_batch(TriggerData *data)
{
	MemoryContext context = AllocSetContextCreate(CurTransactionContext, "bcce inbox", ALLOCSET_DEFAULT_SIZES);
	Batch	   *batch = MemoryContextAllocZero(context, sizeof(Batch));
	MemoryContextCallback *callback = MemoryContextAllocZero(context, sizeof(MemoryContextCallback));
	Oid			function = storing_function(data->tg_trigger->tgargs[0]);

	check_function(function);
	batch->context = context;
	batch->inbox = RelationGetRelid(data->tg_relation);
	batch->trigger = *data->tg_trigger;
	batch->trigger.tgnewtable = "batch";
	fmgr_info_cxt(function, &batch->store, context);

	batch->outer = innermost;
	innermost = batch;
	callback->func = forget_batch;
	callback->arg = batch;
	MemoryContextRegisterResetCallback(context, callback);
}

/* Without the trigger before the statement, or after it, rows would be lost. */
static Batch *
find_batch(TriggerData *data)
{
	Batch	   *batch = innermost;

	while (batch != NULL && batch->inbox != RelationGetRelid(data->tg_relation))
		batch = batch->outer;
	if (batch == NULL || !data->tg_relation->trigdesc->trig_insert_after_statement)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("a trigger of this inbox is missing"),
				 errhint("Run SELECT * FROM bcce.install() as a superuser."),
				 bcce_hide_input()));
	return batch;
}

static void
add_row(Batch *batch, TriggerData *data)
{
	/* Not spilled to a file here: the rows are not redacted yet. */
	if (batch->rows == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(batch->context);

		batch->rows = tuplestore_begin_heap(true, false, MAX_KILOBYTES);
		MemoryContextSwitchTo(caller);
	}
	tuplestore_puttupleslot(batch->rows, data->tg_trigslot);
	batch->row_count++;
	batch->byte_count += data->tg_trigtuple->t_len;
}

/* Calls the storing function as a trigger after an insertion of the rows. */
static void
call_store(Batch *batch, Relation inbox, char *rows_are)
{
	LOCAL_FCINFO(fcinfo, 0);
	TriggerData data = {0};

	batch->trigger.tgnargs = 1;
	batch->trigger.tgargs = &rows_are;
	data.type = T_TriggerData;
	data.tg_event = TRIGGER_EVENT_INSERT | TRIGGER_EVENT_AFTER;
	data.tg_relation = inbox;
	data.tg_trigger = &batch->trigger;
	data.tg_newtable = batch->rows;
	InitFunctionCallInfoData(*fcinfo, &batch->store, 0, InvalidOid, (Node *) &data, NULL);
	(void) FunctionCallInvoke(fcinfo);
}

/* Is it worth trying whether all rows are new? */
static bool
may_be_new(const Batch *batch)
{
	FullTransactionId transaction = GetTopFullTransactionId();

	if (!FullTransactionIdEquals(transaction, senders.transaction))
	{
		senders.transaction = transaction;
		senders.tries = 0;
	}
	if (batch->row_count < TRY_MIN_ROWS || senders.tries >= TRY_MAX_IN_TRANSACTION)
		return false;
	if (senders.waiting > 0)
	{
		senders.waiting--;
		return false;
	}
	senders.tries++;
	return true;
}

/*
 * Stores the rows if all of them are new.  False, with nothing done, when one
 * is known: the error that says so, and which row it is, goes nowhere.
 */
static bool
store_new(Batch *batch, Relation inbox)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		call_store(batch, inbox, "new");
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;

	if (error == NULL)
	{
		senders.patience = Max(senders.patience / 2, 1);
		return true;
	}
	if (error->sqlerrcode != ERRCODE_UNIQUE_VIOLATION)
		ReThrowError(error);
	FreeErrorData(error);
	senders.waiting = senders.patience;
	senders.patience = Min(senders.patience * 2, MAX_PATIENCE);
	return false;
}

/* Stores the rows of a batch, and empties it. */
static void
hand_over(Batch *batch, Relation inbox)
{
	if (batch->rows == NULL)
		return;
	check_function(batch->store.fn_oid);
	if (!may_be_new(batch) || !store_new(batch, inbox))
		call_store(batch, inbox, "any");

	tuplestore_end(batch->rows);
	batch->rows = NULL;
	batch->row_count = 0;
	batch->byte_count = 0;
}

static HeapTuple
serve(FunctionCallInfo fcinfo)
{
	TriggerData *data = check_call(fcinfo);
	Batch	   *batch;

	if (TRIGGER_FIRED_BEFORE(data->tg_event))
	{
		open_batch(data);
		return NULL;
	}
	batch = find_batch(data);
	if (TRIGGER_FIRED_INSTEAD(data->tg_event))
	{
		add_row(batch, data);
		if (batch->row_count >= BATCH_ROWS || batch->byte_count >= BATCH_BYTES)
			hand_over(batch, data->tg_relation);
	}
	else
	{
		hand_over(batch, data->tg_relation);
		MemoryContextDelete(batch->context);
	}
	/* A cancel that is due is better taken here than by COPY. */
	CHECK_FOR_INTERRUPTS();
	return data->tg_trigtuple;
}

PG_FUNCTION_INFO_V1(collect_rows);
/* SQL: trigger on an inbox: BEFORE STATEMENT, INSTEAD OF each row, AFTER STATEMENT. */
Datum
collect_rows(PG_FUNCTION_ARGS)
{
	ErrorContextCallback *callers = error_context_stack;
	MemoryContext context = CurrentMemoryContext;
	HeapTuple	row = NULL;

	error_context_stack = NULL;
	PG_TRY();
	{
		row = serve(fcinfo);
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
	return PointerGetDatum(row);
}
