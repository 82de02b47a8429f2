/*
 * values.h
 *		A growing list of values in chunks, of which any number may be on disk.
 *
 * A value is one or two words of 64 bits.  Chunks are never moved; they are a
 * power of two in bytes and grow with the list, from 64 bytes to 1 MB, so that
 * a list of a few values is small and a long one wastes an eighth at most.
 * Where memory is short the list writes its chunks out, as runs that each name
 * the one before: what stays in memory does not depend on the number of values.
 *
 * Needs no server: memory and files are what values_alloc() and the others
 * below make of them, for the server in value_spool.c, for tests in test/fuzz.
 */
#ifndef BCCE_VALUES_H
#define BCCE_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ValueChunk
{
	struct ValueChunk *older;	/* full, as are all but the newest */
	size_t		room;			/* words */
	uint64_t	words[];
} ValueChunk;

/* Where a run is, and how many words it has; no words: there is none. */
typedef struct ValueRun
{
	uint64_t	place;
	uint64_t	n;
} ValueRun;

typedef struct ValueList
{
	void	   *context;		/* for values_alloc() and the others */
	ValueChunk *newest;
	uint64_t   *next;			/* where the next word goes */
	uint64_t   *end;			/* end of the newest chunk */
	uint64_t	n_before;		/* words outside the newest chunk */
	uint64_t	run_place;		/* the newest run */
	uint32_t	run_n;
	uint32_t	width;			/* words of a value: 1 or 2 */
} ValueList;

/* What takes words of a list, some whole values at a time. */
typedef void (*ValueTaker) (void *arg, const uint64_t *words, size_t n);

/* Memory; values_alloc() does not fail. */
extern void *values_alloc(void *context, size_t size);
extern void values_free(void *pointer);

/* Would so many bytes more be too many? */
extern bool values_are_full(void *context, size_t size);

/* Writes a run: the run before it, then words.  Returns its place. */
extern uint64_t values_write(void *context, const ValueRun *previous, const uint64_t *words, size_t n);

/* Reads bytes of a run, which starts with the run before it. */
extern void values_read(void *context, uint64_t place, uint64_t offset, void *to, size_t size);

extern void values_init(ValueList *list, void *context, int width);
extern void values_grow(ValueList *list);
extern void values_append(ValueList *list, const uint64_t *words, size_t n);
extern void values_scan(const ValueList *list, ValueTaker take, void *arg);
extern void values_reset(ValueList *list);

/* How many values there are. */
static inline uint64_t
values_count(const ValueList *list)
{
	return (list->n_before + (list->newest == NULL ? 0 : list->next - list->newest->words)) / list->width;
}

/* Adds a value of one word. */
static inline void
values_add(ValueList *list, uint64_t word)
{
	if (list->next == list->end)
		values_grow(list);
	*list->next++ = word;
}

/* Adds a value of two words. */
static inline void
values_add_pair(ValueList *list, uint64_t high, uint64_t low)
{
	if (list->next == list->end)
		values_grow(list);
	list->next[0] = high;
	list->next[1] = low;
	list->next += 2;
}

/*
 * Values of some ranks: ranks, ascending and from 0, of all values; answers of
 * width words for each.  Keeps no more than room words at a time beside the
 * list and two tables of 64K entries; room is at least 64.  The list stays as
 * it is.
 */
extern void values_select(const ValueList *list, const uint64_t *ranks, size_t n_ranks,
						  uint64_t *answers, size_t room, void (*tick) (void));

#endif
