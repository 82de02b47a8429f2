/*
 * model_book.h
 *		Which prices of a language model hold at a moment.
 */
#ifndef BCCE_MODEL_BOOK_H
#define BCCE_MODEL_BOOK_H

#include "datatype/timestamp.h"
#include "utils/uuid.h"

#include "cost/token_cost.h"

/* as_of: by what was known then; this, by what is known now. */
#define AS_OF_NOW		DT_NOEND

/*
 * The prices of a model at a moment, the tenant's own before the defaults
 * (tenant NULL: nobody's own).  NULL when nothing is known of such a model.  Good
 * until the next call.  Does not ask who is calling.
 */
extern const ModelPrices *model_book_find(const pg_uuid_t *tenant, const char *model, int len,
										  TimestampTz at, TimestampTz as_of);

/*
 * Has nothing been committed since the number was taken, as far as the statement
 * under way sees?  Takes a new number.  What was decided under the same number
 * need not be decided again.
 */
extern bool statement_unchanged(uint64 *number);

#endif
