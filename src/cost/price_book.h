/*
 * price_book.h
 *		The unit prices of the database, kept per backend.
 */
#ifndef BCCE_PRICE_BOOK_H
#define BCCE_PRICE_BOOK_H

#include "datatype/timestamp.h"
#include "utils/numeric.h"
#include "utils/uuid.h"

/*
 * The price in US dollars of one unit of the item at that moment: the
 * tenant's own (tenant NULL: nobody's), else the default.  NULL when there is
 * none.  Good until the next call.  Does not ask who is calling.
 */
extern Numeric price_book_find(const pg_uuid_t *tenant, const char *item,
							   size_t item_length, TimestampTz at);

#endif
