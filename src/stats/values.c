/*
 * values.c
 *		A growing list of values in chunks, of which any number may be on disk.
 */
#include "stats/values.h"

#include <string.h>

#define MIN_CHUNK	64			/* bytes, the head of the chunk included */
#define MAX_CHUNK	(1024 * 1024)

/* Chunks of shorter lists double the list, those of longer ones add an eighth. */
#define SHORT_LIST	2048		/* bytes */

/* Words read from a run at a time. */
#define READ_WORDS	8192

void
values_init(ValueList *list, void *context, int width)
{
	memset(list, 0, sizeof(ValueList));
	list->context = context;
	list->width = (uint32_t) width;
}

/* The words of the newest chunk. */
static size_t
newest_count(const ValueList *list)
{
	return list->newest == NULL ? 0 : (size_t) (list->next - list->newest->words);
}

/* Bytes of the chunk that is to follow so many words. */
static size_t
chunk_size(uint64_t n)
{
	uint64_t	want = n * sizeof(uint64_t);
	size_t		size = MIN_CHUNK;

	if (want >= SHORT_LIST)
		want /= 8;
	else
		want += sizeof(ValueChunk);
	while (size < MAX_CHUNK && size * 2 <= want)
		size *= 2;
	return size;
}

/* Writes all chunks out, and keeps the largest for what comes. */
static void
spill(ValueList *list)
{
	ValueChunk *kept = list->newest;
	ValueChunk *chunk;
	ValueChunk *older;
	size_t		n_newest = newest_count(list);

	for (chunk = list->newest; chunk != NULL; chunk = older)
	{
		size_t		n = chunk == list->newest ? n_newest : chunk->room;
		ValueRun	previous = {list->run_place, list->run_n};

		older = chunk->older;
		if (n > 0)
		{
			list->run_place = values_write(list->context, &previous, chunk->words, n);
			list->run_n = (uint32_t) n;
		}
		if (chunk == kept)
			continue;
		if (chunk->room > kept->room)
		{
			ValueChunk *swap = chunk;

			chunk = kept;
			kept = swap;
		}
		values_free(chunk);
	}
	list->n_before += n_newest;
	kept->older = NULL;
	list->newest = kept;
	list->next = kept->words;
	list->end = kept->words + kept->room;
}

/* Makes room for at least one value; called when the newest chunk is full. */
void
values_grow(ValueList *list)
{
	size_t		size = chunk_size(list->n_before + newest_count(list));
	ValueChunk *chunk;

	if (list->newest != NULL && values_are_full(list->context, size))
	{
		spill(list);
		return;
	}
	chunk = (ValueChunk *) values_alloc(list->context, size);
	list->n_before += newest_count(list);
	chunk->older = list->newest;
	chunk->room = (size - offsetof(ValueChunk, words)) / sizeof(uint64_t);	/* even, as 64 and 16 are */
	list->newest = chunk;
	list->next = chunk->words;
	list->end = chunk->words + chunk->room;
}

/* Adds whole values. */
void
values_append(ValueList *list, const uint64_t *words, size_t n)
{
	while (n > 0)
	{
		size_t		part;

		if (list->next == list->end)
			values_grow(list);
		part = (size_t) (list->end - list->next);
		if (part > n)
			part = n;
		memcpy(list->next, words, part * sizeof(uint64_t));
		list->next += part;
		words += part;
		n -= part;
	}
}

/* Hands out the words of the runs, from the newest to the oldest. */
static void
scan_runs(const ValueList *list, ValueTaker take, void *arg)
{
	ValueRun	run = {list->run_place, list->run_n};
	uint64_t   *buffer = (uint64_t *) values_alloc(list->context, READ_WORDS * sizeof(uint64_t));

	while (run.n > 0)
	{
		uint64_t	head = sizeof(ValueRun) / sizeof(uint64_t);
		uint64_t	total = head + run.n;
		uint64_t	at;
		ValueRun	previous = {0, 0};

		for (at = 0; at < total; at += READ_WORDS)
		{
			size_t		part = (size_t) (total - at < READ_WORDS ? total - at : READ_WORDS);

			values_read(list->context, run.place, at * sizeof(uint64_t), buffer, part * sizeof(uint64_t));
			if (at == 0)
			{
				memcpy(&previous, buffer, sizeof(previous));
				take(arg, buffer + head, part - head);
			}
			else
				take(arg, buffer, part);
		}
		run = previous;
	}
	values_free(buffer);
}

/* Hands out all words, in no order that means anything. */
void
values_scan(const ValueList *list, ValueTaker take, void *arg)
{
	ValueChunk *chunk;

	for (chunk = list->newest; chunk != NULL; chunk = chunk->older)
		take(arg, chunk->words, chunk == list->newest ? newest_count(list) : chunk->room);
	if (list->run_n > 0)
		scan_runs(list, take, arg);
}

/* Frees the memory of a list; its runs go with the file. */
void
values_reset(ValueList *list)
{
	ValueChunk *chunk;
	ValueChunk *older;

	for (chunk = list->newest; chunk != NULL; chunk = older)
	{
		older = chunk->older;
		values_free(chunk);
	}
	values_init(list, list->context, (int) list->width);
}
