/*
 * sort.c
 *		Keys sorted in place, byte by byte: see sort.h.
 */
#include "stats/sort.h"

#include <stdbool.h>
#include <string.h>

/* Ranges up to this are sorted by insertion. */
#define SMALL_RANGE		48

/* Keys between two ticks: about a millisecond. */
#define TICK_KEYS		0x1ffff

/* Sorts a short range. */
static void
insertion_sort(uint64_t *keys, size_t n)
{
	size_t		i;

	for (i = 1; i < n; i++)
	{
		uint64_t	key = keys[i];
		size_t		j = i;

		for (; j > 0 && keys[j - 1] > key; j--)
			keys[j] = keys[j - 1];
		keys[j] = key;
	}
}

/* Counts the keys by the byte at that shift; true if all are in one place. */
static bool
count_by_byte(const uint64_t *keys, size_t n, int shift, size_t *count, SortTick tick)
{
	size_t		i;

	memset(count, 0, 256 * sizeof(size_t));
	for (i = 0; i < n; i++)
	{
		count[(keys[i] >> shift) & 0xff]++;
		if ((i & TICK_KEYS) == TICK_KEYS)
			tick();
	}
	return count[(keys[0] >> shift) & 0xff] == n;
}

/*
 * Puts every key where those of its byte belong: each key that lies elsewhere
 * changes places with one of where it belongs, until there is none.
 */
static void
place_by_byte(uint64_t *keys, int shift, const size_t *count, SortTick tick)
{
	size_t		next[256];
	size_t		end = 0;
	size_t		moves = 0;
	int			byte;

	for (byte = 0; byte < 256; byte++)
	{
		next[byte] = end;
		end += count[byte];
	}
	end = 0;
	for (byte = 0; byte < 256; byte++)
	{
		end += count[byte];
		while (next[byte] < end)
		{
			uint64_t	key = keys[next[byte]];
			int			home = (key >> shift) & 0xff;

			while (home != byte)
			{
				uint64_t	other = keys[next[home]];

				keys[next[home]++] = key;
				key = other;
				home = (key >> shift) & 0xff;
				if ((++moves & TICK_KEYS) == 0)
					tick();
			}
			keys[next[byte]++] = key;
		}
	}
}

/* Sorts keys that agree in the bytes above the one at that shift. */
static void
sort_from_byte(uint64_t *keys, size_t n, int shift, SortTick tick)
{
	size_t		count[256];
	size_t		start = 0;
	int			byte;

	while (n > SMALL_RANGE && count_by_byte(keys, n, shift, count, tick))
	{
		if (shift == 0)
			return;
		shift -= 8;
	}
	if (n <= SMALL_RANGE)
	{
		insertion_sort(keys, n);
		return;
	}
	place_by_byte(keys, shift, count, tick);
	for (byte = 0; byte < 256 && shift > 0; byte++)
	{
		if (count[byte] > 1)
			sort_from_byte(keys + start, count[byte], shift - 8, tick);
		start += count[byte];
	}
	tick();
}

/* See the header. */
void
sort_words(uint64_t *keys, size_t n, SortTick tick)
{
	if (n > 1)
		sort_from_byte(keys, n, 56, tick);
}
