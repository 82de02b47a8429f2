/*
 * value_spool.c
 *		Lists of values in an aggregate: their memory, and the file behind it.
 *
 * All groups of an aggregate share a file.  A list writes to it once the memory
 * context that the executor gave for the states is past what a hash table may
 * take (work_mem times hash_mem_multiplier): so it does not matter whether one
 * group is large or there are many.
 *
 * The file goes with the context.  In a plain or grouped aggregate the executor
 * calls back when it empties the context, and an error closes the file by the
 * resource owner.  A window aggregate has no such call; its file belongs to no
 * resource owner and is closed by the memory context, after an error too.
 */
#include "postgres.h"

#include "commands/tablespace.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

#include "compat.h"
#include "stats/value_spool.h"

/* Writes are collected up to this. */
#define SPOOL_BUFFER	(64 * 1024)

/* What values_select() gathers at a time, in bytes. */
#define MIN_ROOM		(512 * 1024)
#define MAX_ROOM		(8 * 1024 * 1024)

struct ValueSpool
{
	ValueSpool *next;			/* of another memory context */
	MemoryContext context;		/* of the lists */
	bool		in_use;			/* will be told when the context is emptied */
	bool		is_window;
	size_t		limit;			/* bytes; 0 for none */
	File		file;			/* 0 while there is none */
	uint64		end;			/* of the file, what is collected included */
	char	   *buffer;			/* in context */
	size_t		n_buffered;
	MemoryContextCallback callback;
};

/* Bytes that the states may take: an eighth is left for the selection. */
static size_t
memory_limit(void)
{
	return get_hash_memory_limit() / 8 * 7;
}

size_t
value_spool_room(void)
{
	return Min(Max(memory_limit() / 8, MIN_ROOM), MAX_ROOM) / sizeof(uint64);
}

/* Closes the file; the context is about to be emptied. */
static void
close_spool(ValueSpool *spool)
{
	if (spool->file > 0)
		FileClose(spool->file);
	spool->file = 0;
	spool->end = 0;
	spool->buffer = NULL;
	spool->n_buffered = 0;
	spool->in_use = false;
}

static void
close_after_group(Datum arg)
{
	close_spool((ValueSpool *) DatumGetPointer(arg));
}

static void
close_after_window(void *arg)
{
	close_spool((ValueSpool *) arg);
}

ValueSpool *
value_spool_of(FunctionCallInfo fcinfo, MemoryContext context, ValueSpool **spools)
{
	ValueSpool *spool;

	for (spool = *spools; spool != NULL; spool = spool->next)
		if (spool->context == context)
			break;
	if (spool == NULL)
	{
		spool = (ValueSpool *) MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(ValueSpool));
		spool->context = context;
		spool->is_window = AggCheckCallContext(fcinfo, NULL) == AGG_CONTEXT_WINDOW;
		spool->next = *spools;
		*spools = spool;
	}
	if (!spool->in_use)
	{
		spool->limit = memory_limit();
		if (spool->is_window)
		{
			spool->callback.func = close_after_window;
			spool->callback.arg = spool;
			MemoryContextRegisterResetCallback(context, &spool->callback);
		}
		else
			AggRegisterCallback(fcinfo, close_after_group, PointerGetDatum(spool));
		spool->in_use = true;
	}
	return spool;
}

ValueSpool *
value_spool_temporary(void)
{
	ValueSpool *spool = (ValueSpool *) palloc0(sizeof(ValueSpool));

	spool->context = CurrentMemoryContext;
	return spool;
}

/* See values.h. */
void *
values_alloc(void *context, size_t size)
{
	return MemoryContextAllocHuge(((ValueSpool *) context)->context, size);
}

/* See values.h. */
void
values_free(void *pointer)
{
	pfree(pointer);
}

/* See values.h. */
bool
values_are_full(void *context, size_t size)
{
	ValueSpool *spool = (ValueSpool *) context;

	return spool->limit > 0 && MemoryContextMemAllocated(spool->context, true) + size > spool->limit;
}

/* Says the way out to those who meet the limit on temporary files. */
static void
hint_at_limit(void *arg)
{
	if (geterrcode() == ERRCODE_CONFIGURATION_LIMIT_EXCEEDED || geterrcode() == ERRCODE_DISK_FULL)
		errhint("This aggregate keeps every value. Raise work_mem or temp_file_limit; for percentiles there is approx_percentile().");
}

/* Writes at a place of the file, which is made first where there is none. */
static void
write_file(ValueSpool *spool, const char *bytes, size_t size, uint64 place)
{
	ErrorContextCallback callback = {.callback = hint_at_limit,.previous = error_context_stack};

	error_context_stack = &callback;
	if (spool->file <= 0)
	{
		PrepareTempTablespaces();
		spool->file = OpenTemporaryFile(spool->is_window);
	}
	while (size > 0)
	{
		int			part = (int) Min(size, 1024 * 1024);
		int			written;

		CHECK_FOR_INTERRUPTS();
		errno = 0;
		written = FileWrite(spool->file, unconstify(char *, bytes), part, (off_t) place, WAIT_EVENT_BUFFILE_WRITE);
		if (written <= 0)
		{
			if (errno == 0)
				errno = ENOSPC;
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not write to file \"%s\": %m", FilePathName(spool->file))));
		}
		bytes += written;
		place += written;
		size -= written;
	}
	error_context_stack = callback.previous;
}

/* Writes what is collected. */
static void
flush_buffer(ValueSpool *spool)
{
	size_t		n = spool->n_buffered;

	if (n == 0)
		return;
	spool->n_buffered = 0;
	write_file(spool, spool->buffer, n, spool->end - n);
}

/* Adds bytes to the end of the file. */
static void
append_bytes(ValueSpool *spool, const char *bytes, size_t size)
{
	if (spool->n_buffered + size > SPOOL_BUFFER)
		flush_buffer(spool);
	if (size > SPOOL_BUFFER / 2)
	{
		flush_buffer(spool);
		write_file(spool, bytes, size, spool->end);
	}
	else
	{
		if (spool->buffer == NULL)
			spool->buffer = (char *) MemoryContextAlloc(spool->context, SPOOL_BUFFER);
		memcpy(spool->buffer + spool->n_buffered, bytes, size);
		spool->n_buffered += size;
	}
	spool->end += size;
}

/* See values.h. */
uint64_t
values_write(void *context, const ValueRun *previous, const uint64_t *words, size_t n)
{
	ValueSpool *spool = (ValueSpool *) context;
	uint64		place = spool->end;

	append_bytes(spool, (const char *) previous, sizeof(ValueRun));
	append_bytes(spool, (const char *) words, n * sizeof(uint64));
	return place;
}

/* See values.h. */
void
values_read(void *context, uint64_t place, uint64_t offset, void *to, size_t size)
{
	ValueSpool *spool = (ValueSpool *) context;
	int			got;

	flush_buffer(spool);
	got = FileRead(spool->file, (char *) to, (int) size, (off_t) (place + offset), WAIT_EVENT_BUFFILE_READ);
	if (got != (int) size)
		ereport(ERROR,
				(errcode_for_file_access(),
				 got < 0 ? errmsg("could not read file \"%s\": %m", FilePathName(spool->file)) :
				 errmsg("could not read file \"%s\": read only %d of %zu bytes", FilePathName(spool->file), got, size)));
}
