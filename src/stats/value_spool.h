/*
 * value_spool.h
 *		Lists of values in an aggregate: their memory, and the file behind it.
 */
#ifndef BCCE_VALUE_SPOOL_H
#define BCCE_VALUE_SPOOL_H

#include "fmgr.h"

#include "stats/values.h"

typedef struct ValueSpool ValueSpool;

/*
 * The spool for the states of the aggregate that calls; all states of a memory
 * context share one.  *spools keeps them, from one call to the next, and lives
 * as long as flinfo->fn_mcxt.
 */
extern ValueSpool *value_spool_of(FunctionCallInfo fcinfo, MemoryContext context, ValueSpool **spools);

/* A spool for a state that lives in the current context and needs no file. */
extern ValueSpool *value_spool_temporary(void);

/* Words that values_select() may gather at a time. */
extern size_t value_spool_room(void);

#endif
