/*
 * price_list.c
 *		Prices in a sorted array, and which of them holds at a moment.
 */
#include "postgres.h"

#include "price_list.h"

#define FIRST_CAPACITY 16

/* An empty list in the current memory context. */
void
price_list_init(PriceList *list)
{
	list->count = 0;
	list->capacity = FIRST_CAPACITY;
	list->prices = palloc(FIRST_CAPACITY * sizeof(Price));
}

/* Adds a price at the end.  Sort before looking anything up. */
void
price_list_append(PriceList *list, const Price *price)
{
	if (list->count == list->capacity)
	{
		list->capacity *= 2;
		list->prices = repalloc_huge(list->prices, list->capacity * sizeof(Price));
	}
	list->prices[list->count++] = *price;
}

/* Orders items by their bytes; any fixed order serves a search. */
static int
compare_items(const char *a, size_t a_length, const char *b, size_t b_length)
{
	int			order = memcmp(a, b, Min(a_length, b_length));

	if (order != 0)
		return order;
	return (a_length > b_length) - (a_length < b_length);
}

/* Orders a price against a tenant and an item. */
static int
compare_subject(const Price *price, const pg_uuid_t *tenant,
				const char *item, size_t item_length)
{
	int			order = memcmp(price->tenant.data, tenant->data, UUID_LEN);

	if (order != 0)
		return order;
	return compare_items(price->item, price->item_length, item, item_length);
}

/* For qsort: by tenant, item, start. */
static int
compare_prices(const void *a, const void *b)
{
	const Price *left = a;
	const Price *right = b;
	int			order = compare_subject(left, &right->tenant, right->item,
										right->item_length);

	if (order != 0)
		return order;
	return (left->valid.from > right->valid.from) - (left->valid.from < right->valid.from);
}

/* Puts the list in the order the search needs. */
void
price_list_sort(PriceList *list)
{
	qsort(list->prices, list->count, sizeof(Price), compare_prices);
}

/* Does the price hold at that moment?  Bounds count as they were stored. */
static bool
price_holds(const Price *price, TimestampTz at)
{
	const TimeRange *valid = &price->valid;

	if (at < valid->from || (at == valid->from && !valid->from_included))
		return false;
	return at < valid->until || (at == valid->until && valid->until_included);
}

/* How many prices sort before or at the key?  Binary search. */
static size_t
count_up_to(const PriceList *list, const PriceKey *key)
{
	size_t		low = 0;
	size_t		high = list->count;

	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;
		const Price *price = &list->prices[middle];
		int			order = compare_subject(price, &key->tenant, key->item,
											key->item_length);

		if (order < 0 || (order == 0 && price->valid.from <= key->at))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * The price that holds at that moment, NULL if none does.  Ranges of one item
 * should not overlap, then the first one looked at decides; should they
 * overlap all the same, the latest start wins.
 */
const Price *
price_list_find(const PriceList *list, const PriceKey *key)
{
	for (size_t i = count_up_to(list, key); i > 0; i--)
	{
		const Price *price = &list->prices[i - 1];

		if (compare_subject(price, &key->tenant, key->item, key->item_length) != 0)
			return NULL;
		if (price_holds(price, key->at))
			return price;
	}
	return NULL;
}
