/*
 * model_rows.h
 *		Prices, multipliers and other names of models, as they stand in the store.
 */
#ifndef BCCE_MODEL_ROWS_H
#define BCCE_MODEL_ROWS_H

#include "utils/uuid.h"

#include "cost/time_range.h"
#include "cost/token_cost.h"

typedef enum ModelRowKind
{
	ROW_PRICE,
	ROW_FACTOR,
	ROW_ALIAS
} ModelRowKind;

typedef struct ModelRow
{
	ModelRowKind kind;
	pg_uuid_t	tenant;			/* all zero for everybody's */
	const char *name;			/* the model, or its other name */
	int			name_len;
	TimeRange	valid;
	TimeRange	known;
	TokenClass	class;
	ServiceTier tier;
	PriceFactor factor;
	int64		above;
	int64		value;			/* pico-dollars, or ten thousandths */
	const char *model;			/* of an alias */
	int			model_len;
} ModelRow;

typedef struct ModelRows
{
	ModelRow   *rows;
	size_t		count;
	size_t		capacity;
} ModelRows;

/* The rows of one kind, tenant and name: a part of the sorted array. */
typedef struct ModelRowSpan
{
	const ModelRow *first;
	size_t		count;
} ModelRowSpan;

struct StoreCache;

/* Reads the tables of the store; in the current context, during a fill. */
extern void model_rows_read(struct StoreCache *cache, ModelRows *rows);
extern ModelRowSpan model_rows_of(const ModelRows *rows, ModelRowKind kind, const pg_uuid_t *tenant,
								  const char *name, int name_len);

#endif
