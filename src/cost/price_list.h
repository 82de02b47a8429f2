/*
 * price_list.h
 *		Prices in a sorted array, and which of them holds at a moment.
 *
 * Knows nothing of tables, so it can be tried without them.
 */
#ifndef BCCE_PRICE_LIST_H
#define BCCE_PRICE_LIST_H

#include "utils/numeric.h"
#include "utils/uuid.h"

#include "cost/time_range.h"

typedef struct Price
{
	pg_uuid_t	tenant;			/* all zero in the list of default prices */
	const char *item;
	size_t		item_length;
	TimeRange	valid;
	Numeric		price_usd;
} Price;

typedef struct PriceList
{
	Price	   *prices;
	size_t		count;
	size_t		capacity;
} PriceList;

/* What is looked for. */
typedef struct PriceKey
{
	pg_uuid_t	tenant;
	const char *item;
	size_t		item_length;
	TimestampTz at;
} PriceKey;

extern void price_list_init(PriceList *list);
extern void price_list_append(PriceList *list, const Price *price);
extern void price_list_sort(PriceList *list);
extern const Price *price_list_find(const PriceList *list, const PriceKey *key);

#endif
