/*
 * mark_hour.c
 *		The row triggers that say which hours of a fact table have changed.
 *
 * A summary of facts may stand for an hour as long as no mark of that hour is
 * there.  So the mark is written by the transaction that changes the fact, and
 * before the row is: nothing can see the change without the mark.
 *
 * Marks are plain rows without a unique key.  One for each hour and transaction
 * is enough, so those written are remembered until the transaction ends.  They
 * are forgotten earlier when a subtransaction is rolled back, which may have
 * written them, or when this session deletes marks: a refresh in the same
 * transaction may have taken them.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/partition.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "common/hashfn.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "compat.h"
#include "error.h"

typedef struct Mark
{
	TimestampTz hour;			/* start of the hour; DT_NOBEGIN for all hours */
	pg_uuid_t	tenant;
	Oid			table;			/* of the marks */
	uint32		unused;			/* keeps the bytes comparable */
} Mark;

/* What a trigger looks up at the first row of a statement. */
typedef struct Target
{
	Oid			table;			/* of the marks */
	int			tenant;			/* columns of the fact */
	int			at;				/* 0 where there is none: all hours */
} Target;

/*
 * Marks of the current transaction, each in the one place that its hash
 * gives it: what is pushed out is only written twice.
 */
#define REMEMBERED_MARKS	1024

static struct
{
	Mark		mark;
	uint64		round;
}			remembered[REMEMBERED_MARKS];
static uint64 current_round = 1;

static void
transaction_ends(XactEvent event, void *arg)
{
	current_round++;
}

static void
subtransaction_ends(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		current_round++;
}

/* Has what was written forgotten when it may be gone. */
static void
watch_transactions(void)
{
	static bool registered = false;

	if (registered)
		return;
	RegisterXactCallback(transaction_ends, NULL);
	RegisterSubXactCallback(subtransaction_ends, NULL);
	registered = true;
}

/*
 * Adds a mark to its table.  Whoever may change the fact leaves the mark, so
 * neither rights nor policies are asked.
 */
static void
write_mark(const Mark *mark)
{
	Relation	rel = table_open(mark->table, RowExclusiveLock);
	EState	   *estate = CreateExecutorState();
	ResultRelInfo *target = makeNode(ResultRelInfo);
	TupleTableSlot *slot;

	if (RelationGetDescr(rel)->natts != 2 || TupleDescAttr(RelationGetDescr(rel), 0)->atttypid != UUIDOID ||
		TupleDescAttr(RelationGetDescr(rel), 1)->atttypid != TIMESTAMPTZOID)
		elog(ERROR, "table of marks is not of a tenant and an hour");

	InitResultRelInfo(target, rel, 0, NULL, 0);
	ExecOpenIndices(target, false);
	slot = table_slot_create(rel, NULL);
	slot->tts_values[0] = UUIDPGetDatum(&mark->tenant);
	slot->tts_values[1] = TimestampTzGetDatum(mark->hour);
	slot->tts_isnull[0] = slot->tts_isnull[1] = false;
	ExecStoreVirtualTuple(slot);
	ExecSimpleRelationInsert(target, estate, slot);

	ExecDropSingleTupleTableSlot(slot);
	ExecCloseIndices(target);
	FreeExecutorState(estate);
	table_close(rel, NoLock);
}

/* Start of the hour, of Universal Time, that an instant lies in. */
static TimestampTz
hour_of(TimestampTz at)
{
	TimestampTz past = at % USECS_PER_HOUR;

	return at - (past < 0 ? past + USECS_PER_HOUR : past);
}

/* The number of a column. */
static int
find_column(TriggerData *trigger, const char *name, Oid type)
{
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	int			column = SPI_fnumber(desc, name);

	if (column <= 0 || TupleDescAttr(desc, column - 1)->atttypid != type)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("a table with marks has a tenant_id of type uuid and the named column of type timestamptz"),
				 bcce_hide_input()));
	return column;
}

/*
 * The table of marks: beside the table that has the trigger, which a partition
 * that was moved to another schema has from its parent.
 */
static Oid
marks_of(Relation rel, const char *name)
{
	Oid			table = get_relname_relid(name, RelationGetNamespace(rel));

	if (!OidIsValid(table) && rel->rd_rel->relispartition)
		table = get_relname_relid(name, get_rel_namespace(llast_oid(get_partition_ancestors(RelationGetRelid(rel)))));
	if (!OidIsValid(table))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("the table of marks does not exist"),
				 errhint("Run SELECT * FROM bcce.install(); as a superuser."),
				 bcce_hide_input()));
	return table;
}

/* Where the trigger finds what it needs. */
static Target *
find_target(TriggerData *trigger, MemoryContext context)
{
	Target	   *target = MemoryContextAllocZero(context, sizeof(Target));

	target->table = marks_of(trigger->tg_relation, trigger->tg_trigger->tgargs[0]);
	target->tenant = find_column(trigger, "tenant_id", UUIDOID);
	if (trigger->tg_trigger->tgnargs > 1)
		target->at = find_column(trigger, trigger->tg_trigger->tgargs[1], TIMESTAMPTZOID);
	return target;
}

/* Marks the hour of one version of a row, unless that was done already. */
static void
mark_row(TriggerData *trigger, const Target *target, HeapTuple tuple)
{
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	Mark		mark = {.hour = DT_NOBEGIN,.table = target->table};
	bool		isnull;
	Datum		value = heap_getattr(tuple, target->tenant, desc, &isnull);
	uint32		place;

	/* What is NULL, or no time, is refused by the table itself. */
	if (isnull)
		return;
	mark.tenant = *DatumGetUUIDP(value);
	if (target->at > 0)
	{
		value = heap_getattr(tuple, target->at, desc, &isnull);
		if (isnull || TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(value)))
			return;
		mark.hour = hour_of(DatumGetTimestampTz(value));
	}

	place = hash_bytes((const unsigned char *) &mark, sizeof(mark)) % REMEMBERED_MARKS;
	if (remembered[place].round == current_round && memcmp(&remembered[place].mark, &mark, sizeof(mark)) == 0)
		return;
	write_mark(&mark);
	remembered[place].mark = mark;
	remembered[place].round = current_round;
}

/* Event of the trigger that is called, before a change; 0 if it is none. */
static TriggerEvent
event_before(FunctionCallInfo fcinfo)
{
	TriggerEvent event = CALLED_AS_TRIGGER(fcinfo) ? ((TriggerData *) fcinfo->context)->tg_event : 0;

	return TRIGGER_FIRED_BEFORE(event) ? event : 0;
}

PG_FUNCTION_INFO_V1(mark_hour);
/* SQL: trigger that marks the hours in which a changed row lies and lay. */
Datum
mark_hour(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	Target	   *target = (Target *) fcinfo->flinfo->fn_extra;

	if (!TRIGGER_FIRED_FOR_ROW(event_before(fcinfo)) || trigger->tg_trigger->tgnargs < 1 || trigger->tg_trigger->tgnargs > 2)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("bcce.mark_hour() must run as a trigger before a change of a row"),
				 errhint("Use CREATE TRIGGER ... BEFORE INSERT OR UPDATE OR DELETE ON ... FOR EACH ROW, with the table of marks and the column of time."),
				 bcce_hide_input()));
	if (target == NULL)
		fcinfo->flinfo->fn_extra = target = find_target(trigger, fcinfo->flinfo->fn_mcxt);

	watch_transactions();
	mark_row(trigger, target, trigger->tg_trigtuple);
	if (!TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		return PointerGetDatum(trigger->tg_trigtuple);
	mark_row(trigger, target, trigger->tg_newtuple);
	return PointerGetDatum(trigger->tg_newtuple);
}

PG_FUNCTION_INFO_V1(forget_marks);
/* SQL: trigger on a table of marks, so that none is taken for written that is gone. */
Datum
forget_marks(PG_FUNCTION_ARGS)
{
	TriggerEvent event = event_before(fcinfo);

	if (!TRIGGER_FIRED_BY_TRUNCATE(event) && !(TRIGGER_FIRED_FOR_ROW(event) && TRIGGER_FIRED_BY_DELETE(event)))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("bcce.forget_marks() must run as a trigger before the deletion of a row or of all"),
				 errhint("Use CREATE TRIGGER ... BEFORE DELETE ON ... FOR EACH ROW, and one BEFORE TRUNCATE."),
				 bcce_hide_input()));
	current_round++;
	return PointerGetDatum(((TriggerData *) fcinfo->context)->tg_trigtuple);
}
