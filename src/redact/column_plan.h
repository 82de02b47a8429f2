/*
 * column_plan.h
 *		What the redaction trigger does with the columns of a table.
 */
#ifndef BCCE_COLUMN_PLAN_H
#define BCCE_COLUMN_PLAN_H

#include "commands/trigger.h"
#include "fmgr.h"

#define CLEAN_TEXTS 8			/* remembered of each column, a power of two */
#define CLEAN_BYTES 31			/* the longest of them */

typedef enum ColumnForm
{
	FORM_TEXT,
	FORM_TEXT_ARRAY,
	FORM_JSONB,
	FORM_JSON,
	FORM_INET
} ColumnForm;

/* A text in which nothing was found; len is 0 where there is none yet. */
typedef struct CleanText
{
	uint8		len;
	char		bytes[CLEAN_BYTES];
} CleanText;

typedef struct Column
{
	AttrNumber	number;
	ColumnForm	form;
	int			max_characters; /* of varchar(n), 0 for no limit */
	Oid			type;			/* element type of an array */
	char	   *domain;			/* "key", a pseudonym domain, or NULL */
	CleanText	clean[CLEAN_TEXTS]; /* seen lately */
} Column;

/* The arguments resolved for one relation. */
typedef struct ColumnPlan
{
	Oid			relation;
	Oid			trigger;
	TupleDesc	desc;			/* copy, to notice ALTER TABLE */
	MemoryContext context;
	AttrNumber	tenant;			/* 0 if there is no such column */
	bool		is_trusted;		/* may take rules and keys of any tenant */
	bool		is_temporary;
	int			ncolumns;
	Column		columns[FLEXIBLE_ARRAY_MEMBER];
} ColumnPlan;

/* The plan for the trigger's table, kept between calls. */
extern ColumnPlan *column_plan_of(FunctionCallInfo fcinfo, TriggerData *data);

#endif
