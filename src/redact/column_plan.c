/*
 * column_plan.c
 *		The arguments of the redaction trigger, resolved for one table and kept.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "parser/parse_coerce.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "compat.h"
#include "error.h"
#include "redact/column_plan.h"

/* What a column's type allows. */
static void
resolve_type(Column *column, Form_pg_attribute att, const char *name)
{
	int32		typmod = att->atttypmod;
	Oid			type = getBaseTypeAndTypmod(att->atttypid, &typmod);
	Oid			element = get_element_type(type);

	column->type = type;
	column->max_characters = 0;
	if (type == JSONBOID)
		column->form = FORM_JSONB;
	else if (type == JSONOID)
		column->form = FORM_JSON;
	else if (type == INETOID || type == CIDROID)
		column->form = FORM_INET;
	else if (element == TEXTOID || element == VARCHAROID)
	{
		column->form = FORM_TEXT_ARRAY;
		column->type = element;
	}
	else if (type == TEXTOID || type == VARCHAROID || IsBinaryCoercible(type, TEXTOID))
		column->form = FORM_TEXT;
	else
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("redact_columns cannot redact column \"%s\" of type %s",
						name, format_type_be(att->atttypid)),
				 errhint("Columns of type text, varchar, text[], jsonb, json, inet and cidr can be redacted."),
				 bcce_hide_input()));
	if ((type == VARCHAROID || element == VARCHAROID) && typmod >= (int32) VARHDRSZ)
		column->max_characters = typmod - VARHDRSZ;
	if (column->domain && column->form != FORM_TEXT)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of type %s cannot hold a pseudonym",
						name, format_type_be(att->atttypid)),
				 errhint("Use a column of type text."),
				 bcce_hide_input()));
}

/* The number of a column, by name. */
static AttrNumber
column_number(TupleDesc desc, const char *name)
{
	int			i;

	for (i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attisdropped && strcmp(NameStr(att->attname), name) == 0)
			return att->attnum;
	}
	return 0;
}

/*
 * Does the table belong to somebody who may use the keys and rules of every
 * tenant?  The trigger takes those of whatever tenant the row names, so on a
 * table of one's own it would tell the pseudonym of any person and the words
 * that any tenant hides.
 */
static bool
owner_is_trusted(Relation rel)
{
	Oid			owner = rel->rd_rel->relowner;
	Oid			store_owner = get_role_oid("bcce_owner", true);

	return superuser_arg(owner) ||
		(OidIsValid(store_owner) && has_privs_of_role(owner, store_owner));
}

/* Refuses pseudonyms in the table of anybody else. */
static void
check_may_pseudonymize(Relation rel)
{
	if (owner_is_trusted(rel))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied to make pseudonyms in table \"%s\"",
					RelationGetRelationName(rel)),
			 errdetail("The owner of the table is neither a superuser nor a member of bcce_owner."),
			 errhint("Name the column alone to have it redacted, or ask a superuser to own the table."),
			 bcce_hide_input()));
}

/* Resolves one trigger argument, "column" or "domain:column". */
static void
resolve_column(Column *column, Relation rel, const char *argument)
{
	const char *colon = strchr(argument, ':');
	const char *name = argument;
	TupleDesc	desc = RelationGetDescr(rel);

	column->domain = NULL;
	column->number = column_number(desc, argument);
	if (column->number == 0 && colon != NULL)
	{
		name = colon + 1;
		column->domain = pnstrdup(argument, colon - argument);
		column->number = column_number(desc, name);
	}
	if (column->number == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of relation \"%s\" does not exist",
						name, RelationGetRelationName(rel)),
				 errhint("The arguments of redact_columns are column names, 'key:column' or 'user:column'."),
				 bcce_hide_input()));
	/* The server computes it after this trigger, or when it is read. */
	if (TupleDescAttr(desc, column->number - 1)->attgenerated != '\0')
		ereport(ERROR,
				(errcode(ERRCODE_GENERATED_ALWAYS),
				 errmsg("column \"%s\" is generated, so a trigger cannot redact it", name),
				 errhint("Name the columns that it is computed from."),
				 bcce_hide_input()));
	if (column->domain &&
		(strlen(column->domain) < 1 || strlen(column->domain) > 16 ||
		 strspn(column->domain, "abcdefghijklmnopqrstuvwxyz") != strlen(column->domain)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("pseudonym domain of column \"%s\" is not a word", name),
				 errhint("A domain has 1 to 16 letters from a to z."),
				 bcce_hide_input()));
	if (column->domain)
		check_may_pseudonymize(rel);
	resolve_type(column, TupleDescAttr(desc, column->number - 1), name);
}

/* tenant_id, when it is there and a uuid. */
static AttrNumber
tenant_column(TupleDesc desc)
{
	AttrNumber	number = column_number(desc, "tenant_id");

	if (number > 0 && getBaseType(TupleDescAttr(desc, number - 1)->atttypid) != UUIDOID)
		return 0;
	return number;
}

/* Resolves all arguments, in a memory context of the plan's own. */
static ColumnPlan *
make_plan(FmgrInfo *flinfo, Trigger *trigger, Relation rel)
{
	MemoryContext context = AllocSetContextCreate(flinfo->fn_mcxt, "redact_columns",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	ColumnPlan *plan = palloc0(offsetof(ColumnPlan, columns) + trigger->tgnargs * sizeof(Column));
	int			i;

	plan->context = context;
	plan->relation = RelationGetRelid(rel);
	plan->trigger = trigger->tgoid;
	plan->desc = CreateTupleDescCopy(RelationGetDescr(rel));
	plan->tenant = tenant_column(plan->desc);
	plan->is_trusted = owner_is_trusted(rel);
	plan->is_temporary = rel->rd_rel->relpersistence == RELPERSISTENCE_TEMP;
	for (i = 0; i < trigger->tgnargs; i++)
		resolve_column(&plan->columns[i], rel, trigger->tgargs[i]);
	plan->ncolumns = trigger->tgnargs;
	MemoryContextSwitchTo(old);
	return plan;
}

/*
 * Are the columns those that the plan was made for?  equalTupleDescs() does not
 * answer this: the plan's copy has no constraints, so a table with a NOT NULL
 * column would never equal it.
 */
static bool
same_columns(TupleDesc a, TupleDesc b)
{
	int			i;

	if (a->natts != b->natts)
		return false;
	for (i = 0; i < a->natts; i++)
	{
		Form_pg_attribute x = TupleDescAttr(a, i);
		Form_pg_attribute y = TupleDescAttr(b, i);

		if (x->attisdropped != y->attisdropped || x->atttypid != y->atttypid ||
			x->atttypmod != y->atttypmod ||
			strcmp(NameStr(x->attname), NameStr(y->attname)) != 0)
			return false;
	}
	return true;
}

/* The cached plan, made anew when the trigger, relation or columns changed. */
ColumnPlan *
column_plan_of(FunctionCallInfo fcinfo, TriggerData *data)
{
	ColumnPlan *plan = fcinfo->flinfo->fn_extra;
	Relation	rel = data->tg_relation;

	if (plan != NULL && plan->relation == RelationGetRelid(rel) &&
		plan->trigger == data->tg_trigger->tgoid &&
		same_columns(plan->desc, RelationGetDescr(rel)))
		return plan;
	fcinfo->flinfo->fn_extra = NULL;
	if (plan != NULL)
		MemoryContextDelete(plan->context);
	plan = make_plan(fcinfo->flinfo, data->tg_trigger, rel);
	fcinfo->flinfo->fn_extra = plan;
	return plan;
}
