/*
 * uuid_v7.c
 *		Identifiers that sort by the time they were made (RFC 9562, 5.7).
 *
 * 48 bits of Unix milliseconds, a 12-bit counter (RFC 9562, 6.2, method 1) and
 * 62 random bits.  The counter starts at a random number below 2048 in each
 * millisecond and never runs backwards within a backend; when it is full, or
 * the clock steps back, the time part is carried on from the last one.
 */
#include "postgres.h"

#include <sodium.h>

#include "fmgr.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "compat.h"

#define COUNTER_MAX		0x0fff
#define COUNTER_START	0x07ff	/* largest first value */

/* Seconds from the Unix epoch to the server's. */
#define EPOCH_SECONDS	((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY)

/* The next pair of time and counter, always above the last one. */
static void
next_tick(uint64 *msec, uint32 *counter)
{
	static uint64 last_msec = 0;
	static uint32 last_counter = 0;
	uint64		now = (uint64) (GetCurrentTimestamp() + EPOCH_SECONDS * USECS_PER_SEC) / 1000;

	if (now > last_msec || last_counter == COUNTER_MAX)
	{
		last_msec = Max(now, last_msec + 1);
		last_counter = randombytes_random() & COUNTER_START;
	}
	else
		last_counter++;
	*msec = last_msec;
	*counter = last_counter;
}

PG_FUNCTION_INFO_V1(uuid_v7);
/* uuid_v7() returns uuid */
Datum
uuid_v7(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *uuid = (pg_uuid_t *) palloc(sizeof(pg_uuid_t));
	uint64		msec;
	uint32		counter;
	int			i;

	next_tick(&msec, &counter);
	for (i = 0; i < 6; i++)
		uuid->data[i] = (unsigned char) (msec >> (40 - 8 * i));
	uuid->data[6] = 0x70 | (unsigned char) (counter >> 8);
	uuid->data[7] = (unsigned char) counter;
	randombytes_buf(uuid->data + 8, 8);
	uuid->data[8] = 0x80 | (uuid->data[8] & 0x3f);
	PG_RETURN_UUID_P(uuid);
}
