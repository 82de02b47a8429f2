/*
 * rule_row.c
 *		Rows of bcce_data.redaction_rules, and the rules they make.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "compat.h"
#include "error.h"
#include "redact/render.h"
#include "redact/rule_row.h"

/* A column by name: a dump may restore them in another order.  False: NULL. */
static bool
column(HeapTuple tuple, TupleDesc desc, const char *name, Oid type, Datum *value)
{
	bool		isnull;
	int			i;

	for (i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (att->attisdropped || strcmp(NameStr(att->attname), name) != 0 || att->atttypid != type)
			continue;
		*value = heap_getattr(tuple, att->attnum, desc, &isnull);
		return !isnull;
	}
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"redaction_rules\" is not as this version of bcce makes it"),
			 errdetail("Column \"%s\" is missing or has another type.", name),
			 errhint("Ask a superuser to run bcce.install()."),
			 bcce_hide_input()));
	return false;
}

static char *
text_column(HeapTuple tuple, TupleDesc desc, const char *name)
{
	Datum		value;

	return column(tuple, desc, name, TEXTOID, &value) ? TextDatumGetCString(value) : NULL;
}

static int
length_column(HeapTuple tuple, TupleDesc desc, const char *name)
{
	Datum		value;

	return column(tuple, desc, name, INT4OID, &value) ? DatumGetInt32(value) : -1;
}

static bool
flag_column(HeapTuple tuple, TupleDesc desc, const char *name)
{
	Datum		value;

	return column(tuple, desc, name, BOOLOID, &value) && DatumGetBool(value);
}

/* Copies a row into the current memory context. */
void
rule_row_read(RuleRow *row, HeapTuple tuple, TupleDesc desc)
{
	Datum		value;
	Datum	   *words;
	bool	   *nulls;
	int			i;

	memset(row, 0, sizeof(RuleRow));
	if (column(tuple, desc, "tenant_id", UUIDOID, &value))
		row->tenant = *DatumGetUUIDP(value);
	row->name = text_column(tuple, desc, "rule");
	row->kind = text_column(tuple, desc, "kind");
	row->literal = text_column(tuple, desc, "literal");
	row->class = text_column(tuple, desc, "character_class");
	row->min_length = length_column(tuple, desc, "min_length");
	row->max_length = length_column(tuple, desc, "max_length");
	row->pattern = text_column(tuple, desc, "pattern");
	row->style = text_column(tuple, desc, "style");
	row->ignore_case = flag_column(tuple, desc, "ignore_case");
	row->enabled = flag_column(tuple, desc, "enabled");
	if (!column(tuple, desc, "context_words", TEXTARRAYOID, &value))
		return;
	deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false, TYPALIGN_INT,
					  &words, &nulls, &row->ncontext);
	row->context = palloc0((row->ncontext + 1) * sizeof(char *));
	for (i = 0; i < row->ncontext; i++)
		row->context[i] = nulls[i] ? NULL : TextDatumGetCString(words[i]);
}

/* Makes the rule of a row that was checked; it refers to the row's texts. */
void
rule_row_compile(const RuleRow *row, RedactRule *rule)
{
	const char *reason;

	memset(rule, 0, sizeof(RedactRule));
	rule->name = row->name;
	rule->kind = (RuleKind) rule_word_index(row->kind, rule_kind_name, RULE_KINDS);
	rule->literal = row->literal;
	rule->literal_len = strlen(row->literal);
	rule->ignore_case = row->ignore_case;
	rule->context = (const char *const *) row->context;
	rule->ncontext = row->ncontext;
	if (row->style != NULL)
		rule->style = (uint8_t) (1 + rule_word_index(row->style, redact_style_name, STYLES));
	if (rule->kind == RULE_PREFIX)
	{
		rule->class = (RuleClass) rule_word_index(row->class, rule_class_name, RULE_CLASSES);
		rule->min_length = row->min_length;
		rule->max_length = row->max_length;
	}
	if (rule->kind == RULE_REGEX)
	{
		rule->regex = rule_regex_compile(row->pattern, &reason);
		if (rule->regex == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_REGULAR_EXPRESSION),
					 errmsg("the expression of redaction rule \"%s\" is not valid any more", row->name),
					 errdetail("%s", reason),
					 errhint("Set the rule anew with bcce.set_redaction_rule(), or drop it with bcce.drop_redaction_rule()."),
					 bcce_hide_input()));
	}
}
