/*
 * redact_trigger.c
 *		The trigger that keeps personal data out of tables: every row, whatever
 *		way it came.
 *
 * It looks at NEW and at nothing else: no query, so it also works where a
 * worker or a subscriber writes.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/inet.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "compat.h"
#include "crypto/pseudonym.h"
#include "error.h"
#include "network/truncate_ip.h"
#include "redact/column_plan.h"
#include "redact/redact.h"
#include "redact/transaction_counts.h"

#define KEEP_V4		24			/* prefix bits of an address that is stored */
#define KEEP_V6		48

/* A tag may be longer than varchar(n) allows, and nobody checks after us. */
static text *
fit(text *value, int max_characters)
{
	int			bytes;

	if (value == NULL || max_characters == 0)
		return value;
	bytes = pg_mbcharcliplen(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), max_characters);
	if (bytes < VARSIZE_ANY_EXHDR(value))
		return cstring_to_text_with_len(VARDATA_ANY(value), bytes);
	return value;
}

/*
 * Where a short text is remembered; NULL when it is not.  Without rules of a
 * tenant what is found depends on the bytes alone.
 */
static CleanText *
clean_place(const Redactor *r, Column *column, const char *bytes, size_t len)
{
	if (r->options.rules != NULL || len == 0 || len > CLEAN_BYTES)
		return NULL;
	return &column->clean[(len + (unsigned char) bytes[0] + (unsigned char) bytes[len - 1]) % CLEAN_TEXTS];
}

/*
 * Does a column's text hold a hit?  Words such as types and sources come again
 * with every row and are looked up faster than scanned.
 */
static bool
has_hit(Redactor *r, Column *column, const char *bytes, size_t len)
{
	CleanText  *known = clean_place(r, column, bytes, len);

	if (known != NULL && known->len == len && memcmp(known->bytes, bytes, len) == 0)
		return false;
	if (redactor_scan(r, bytes, len))
		return true;
	if (known != NULL)
	{
		known->len = len;
		memcpy(known->bytes, bytes, len);
	}
	return false;
}

/* The elements of a text array; false when none holds a hit. */
static bool
redact_array(Redactor *r, const Column *column, Datum value, Datum *out)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	Datum	   *items;
	bool	   *nulls;
	int			n;
	int			i;
	bool		changed = false;

	deconstruct_array(array, column->type, -1, false, TYPALIGN_INT, &items, &nulls, &n);
	for (i = 0; i < n; i++)
	{
		text	   *t = nulls[i] ? NULL : redactor_datum(r, items[i]);

		if (t == NULL)
			continue;
		items[i] = PointerGetDatum(fit(t, column->max_characters));
		changed = true;
	}
	if (changed)
		*out = PointerGetDatum(construct_md_array(items, nulls, ARR_NDIM(array), ARR_DIMS(array),
												  ARR_LBOUND(array), column->type, -1, false,
												  TYPALIGN_INT));
	return changed;
}

/* What jsonb refuses of a json, such as \u0000, is not shown to the log. */
static void
hide_json(void *arg)
{
	bcce_hide_input();
}

/*
 * json goes through jsonb.  Keys that stand twice are one there, so the text
 * itself is asked as well: what it hides in the first is not kept.
 */
static bool
redact_json(Redactor *r, Datum value, Datum *out)
{
	char	   *string = TextDatumGetCString(value);
	ErrorContextCallback callback = {error_context_stack, hide_json, NULL};
	Datum		document;
	Jsonb	   *redacted;

	error_context_stack = &callback;
	document = DirectFunctionCall1(jsonb_in, CStringGetDatum(string));
	error_context_stack = callback.previous;
	redacted = redactor_jsonb(r, DatumGetJsonbP(document), true);
	r->options.key = NULL;
	if (redacted == NULL && !redactor_scan(r, string, strlen(string)))
		return false;
	if (redacted != NULL)
		document = JsonbPGetDatum(redacted);
	*out = CStringGetTextDatum(DatumGetCString(DirectFunctionCall1(jsonb_out, document)));
	return true;
}

/* An address cut to the network that is stored. */
static bool
truncate_address(Datum value, Datum *out)
{
	inet	   *old = DatumGetInetPP(value);
	inet	   *cut = ip_truncate(old, KEEP_V4, KEEP_V6);

	*out = InetPGetDatum(cut);
	return VARSIZE_ANY_EXHDR(old) != VARSIZE_ANY_EXHDR(cut) ||
		memcmp(VARDATA_ANY(old), VARDATA_ANY(cut), VARSIZE_ANY_EXHDR(old)) != 0;
}

/* NEW.tenant_id; NULL when there is none. */
static const pg_uuid_t *
tenant_of(const ColumnPlan *plan, const TupleTableSlot *row)
{
	if (plan->tenant == 0 || row->tts_isnull[plan->tenant - 1])
		return NULL;
	return DatumGetUUIDP(row->tts_values[plan->tenant - 1]);
}

/* NEW.tenant_id, without which there is no pseudonym. */
static const pg_uuid_t *
row_tenant(const ColumnPlan *plan, const TupleTableSlot *row)
{
	const pg_uuid_t *tenant = tenant_of(plan, row);

	if (tenant == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("redact_columns needs the tenant of the row to make a pseudonym"),
				 errhint("Give the row a tenant_id of type uuid."),
				 bcce_hide_input()));
	return tenant;
}

/* Is the value already a pseudonym of this domain? */
static bool
is_pseudonym_of(const char *value, size_t len, const char *domain)
{
	size_t		n = strlen(domain);

	return len > n && memcmp(value, domain, n) == 0 && value[n] == '_' &&
		pseudonym_is(value, len);
}

/* An identifier or a person: replaced whole, so that equal ones stay equal. */
static bool
redact_identifier(Redactor *r, const ColumnPlan *plan, Column *column,
				  const TupleTableSlot *row, Datum value, Datum *out)
{
	text	   *in = DatumGetTextPP(value);
	const char *bytes = VARDATA_ANY(in);
	size_t		len = VARSIZE_ANY_EXHDR(in);
	bool		is_key = strcmp(column->domain, "key") == 0;
	const pg_uuid_t *tenant;

	if (is_key ? !has_hit(r, column, bytes, len) : is_pseudonym_of(bytes, len, column->domain))
		return false;
	if (is_key)
		redactor_count(r, &r->result);
	tenant = row_tenant(plan, row);
	*out = PointerGetDatum(fit(pseudonym_for(tenant, bytes, len, is_key ? "id" : column->domain),
							   column->max_characters));
	return true;
}

/* In style drop nothing may be left of a text; a table may ask for something. */
static text *
never_empty(text *value)
{
	return value != NULL && VARSIZE_ANY_EXHDR(value) == 0 ? cstring_to_text("[REDACTED]") : value;
}

/* A text, NULL when it stays as it is. */
static text *
redact_plain(Redactor *r, Column *column, Datum value)
{
	text	   *in = DatumGetTextPP(value);
	const char *bytes = VARDATA_ANY(in);
	size_t		len = VARSIZE_ANY_EXHDR(in);

	if (has_hit(r, column, bytes, len))
		return fit(never_empty(redactor_scanned(r, bytes, len)), column->max_characters);
	if ((Pointer) in != DatumGetPointer(value))
		pfree(in);
	return NULL;
}

/* One column of the row; false when it stays as it is. */
static bool
redact_column(Redactor *r, const ColumnPlan *plan, Column *column,
			  const TupleTableSlot *row, Datum value, Datum *out)
{
	Jsonb	   *document;
	text	   *t;

	r->options.key = NULL;
	if (column->domain != NULL)
		return redact_identifier(r, plan, column, row, value, out);
	switch (column->form)
	{
		case FORM_TEXT:
			t = redact_plain(r, column, value);
			*out = PointerGetDatum(t);
			return t != NULL;
		case FORM_TEXT_ARRAY:
			return redact_array(r, column, value, out);
		case FORM_JSONB:
			document = redactor_jsonb(r, DatumGetJsonbP(value), true);
			*out = JsonbPGetDatum(document);
			return document != NULL;
		case FORM_JSON:
			return redact_json(r, value, out);
		case FORM_INET:
			return truncate_address(value, out);
	}
	return false;
}

/*
 * The rules and the style of NEW.tenant_id, never those of the session.  Returns
 * that tenant, NULL when there is none or it is no business of the table.
 */
static const pg_uuid_t *
use_row_tenant(Redactor *r, const ColumnPlan *plan, const TupleTableSlot *row)
{
	const pg_uuid_t *tenant = plan->is_trusted ? tenant_of(plan, row) : NULL;

	if (tenant != NULL)
		redactor_use_tenant(r, tenant);
	return tenant;
}

/* The tuple with other values. */
static HeapTuple
changed_tuple(HeapTuple old, TupleDesc desc, Datum *values, bool *nulls)
{
	HeapTuple	tuple = heap_form_tuple(desc, values, nulls);

	tuple->t_data->t_ctid = old->t_data->t_ctid;
	tuple->t_self = old->t_self;
	tuple->t_tableOid = old->t_tableOid;
	return tuple;
}

/*
 * The row with its columns redacted; the same tuple when nothing changed.  The
 * slot takes the tuple apart once, for us and for whoever comes after us.
 */
static HeapTuple
redact_row(ColumnPlan *plan, HeapTuple tuple, TupleTableSlot *row)
{
	TupleDesc	desc = row->tts_tupleDescriptor;
	Datum	   *values = NULL;
	Redactor	r;
	RedactCounts counts = {0};
	const pg_uuid_t *tenant;
	int			i;

	slot_getallattrs(row);
	redactor_init(&r);
	tenant = use_row_tenant(&r, plan, row);
	if (tenant != NULL && !plan->is_temporary)
		r.counts = &counts;
	for (i = 0; i < plan->ncolumns; i++)
	{
		Column	   *column = &plan->columns[i];
		int			at = column->number - 1;
		Datum		value;

		if (row->tts_isnull[at] || !redact_column(&r, plan, column, row, row->tts_values[at], &value))
			continue;
		if (values == NULL)
		{
			values = palloc(desc->natts * sizeof(Datum));
			memcpy(values, row->tts_values, desc->natts * sizeof(Datum));
		}
		values[at] = value;
	}
	if (values == NULL)
		return tuple;
	if (r.counts != NULL)
		count_redactions(tenant, plan->relation, &counts, r.options.rules);
	return changed_tuple(tuple, desc, values, row->tts_isnull);
}

/* Refuses every use but the one that can protect a table. */
static void
check_called_properly(FunctionCallInfo fcinfo)
{
	TriggerData *data = (TriggerData *) fcinfo->context;

	if (CALLED_AS_TRIGGER(fcinfo) && TRIGGER_FIRED_BEFORE(data->tg_event) &&
		TRIGGER_FIRED_FOR_ROW(data->tg_event) &&
		(TRIGGER_FIRED_BY_INSERT(data->tg_event) || TRIGGER_FIRED_BY_UPDATE(data->tg_event)))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg("redact_columns must be called by a BEFORE INSERT OR UPDATE trigger for each row"),
			 errhint("Write CREATE TRIGGER ... BEFORE INSERT OR UPDATE ON ... FOR EACH ROW EXECUTE FUNCTION bcce.redact_columns('column', ...)."),
			 bcce_hide_input()));
}

PG_FUNCTION_INFO_V1(redact_columns);

Datum
redact_columns(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;
	ColumnPlan *plan;

	check_called_properly(fcinfo);
	plan = column_plan_of(fcinfo, data);
	if (TRIGGER_FIRED_BY_UPDATE(data->tg_event))
		return PointerGetDatum(redact_row(plan, data->tg_newtuple, data->tg_newslot));
	return PointerGetDatum(redact_row(plan, data->tg_trigtuple, data->tg_trigslot));
}
