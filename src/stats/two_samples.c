/*
 * two_samples.c
 *		Two samples of numbers compared: see two_samples.h.
 *
 * Sources: Mann and Whitney 1947; Hanley and McNeil 1982 (area under the ROC
 * curve); Smirnov 1939; McIlroy, Bostic and McIlroy 1993 (radix sort in place).
 */
#include "stats/two_samples.h"

#include <math.h>

#include "stats/select.h"

/* Ranges up to this are sorted by insertion. */
#define SMALL_RANGE		48

/* Keys between two ticks: about a millisecond. */
#define TICK_KEYS		0x1ffff

/* See the header. */
bool
sample_is_valid(const Sample *sample, SampleTick tick)
{
	size_t		i;

	for (i = 0; i < sample->n; i++)
	{
		if (sample->keys[i] < SAMPLE_MIN_KEY || sample->keys[i] > SAMPLE_MAX_KEY ||
			sample->keys[i] == ~SAMPLE_SIGN)
			return false;		/* no number, or minus zero */
		if ((i & TICK_KEYS) == TICK_KEYS)
			tick();
	}
	return true;
}

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
count_by_byte(const uint64_t *keys, size_t n, int shift, size_t *count, SampleTick tick)
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
place_by_byte(uint64_t *keys, int shift, const size_t *count, SampleTick tick)
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
sort_from_byte(uint64_t *keys, size_t n, int shift, SampleTick tick)
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
sample_sort(uint64_t *keys, size_t n, SampleTick tick)
{
	if (n > 1)
		sort_from_byte(keys, n, 56, tick);
}

/* See the header. */
double
sample_auc(const Sample *first, const Sample *second, SampleTick tick)
{
	unsigned __int128 twice = 0;	/* a pair that is told apart counts 2, a tie 1 */
	unsigned __int128 pairs = (unsigned __int128) first->n * second->n;
	size_t		below = 0;		/* keys of the first that are smaller */
	size_t		upto = 0;		/* or equal */
	size_t		i;

	for (i = 0; i < second->n; i++)
	{
		while (below < first->n && first->keys[below] < second->keys[i])
			below++;
		if (upto < below)
			upto = below;
		while (upto < first->n && first->keys[upto] == second->keys[i])
			upto++;
		twice += (unsigned __int128) below + upto;
		if ((i & TICK_KEYS) == TICK_KEYS)
			tick();
	}
	return (double) twice / (double) (2 * pairs);
}

/* See the header. */
double
sample_ks(const Sample *first, const Sample *second, SampleTick tick)
{
	unsigned __int128 max = 0;
	unsigned __int128 pairs = (unsigned __int128) first->n * second->n;
	size_t		i = 0;
	size_t		j = 0;
	size_t		steps = 0;

	/* behind the end of one sample the distance only shrinks */
	while (i < first->n && j < second->n)
	{
		uint64_t	key = first->keys[i] < second->keys[j] ? first->keys[i] : second->keys[j];
		unsigned __int128 a;
		unsigned __int128 b;

		while (i < first->n && first->keys[i] == key)
			i++;
		while (j < second->n && second->keys[j] == key)
			j++;
		a = (unsigned __int128) i * second->n;
		b = (unsigned __int128) j * first->n;
		if ((a > b ? a - b : b - a) > max)
			max = a > b ? a - b : b - a;
		if ((++steps & TICK_KEYS) == 0)
			tick();
	}
	return (double) max / (double) pairs;
}

/* How many keys of a sorted sample are at most that. */
static size_t
count_upto(const Sample *sample, uint64_t key)
{
	size_t		low = 0;
	size_t		high = sample->n;

	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;

		if (sample->keys[middle] <= key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* What a cell adds to the index; where one sample has none, half a number is taken. */
static double
psi_of_cell(size_t current, size_t current_n, size_t reference, size_t reference_n)
{
	double		now = (current == 0 ? 0.5 : (double) current) / (double) current_n;
	double		then = (reference == 0 ? 0.5 : (double) reference) / (double) reference_n;

	return current + reference == 0 ? 0 : (now - then) * log(now / then);
}

/*
 * See the header.  Cells end at the percentiles of the reference, as
 * percentile_cont() has them, and hold their upper end; percentiles that are
 * equal end one cell.  A cell that is empty in both samples tells nothing.
 */
double
sample_psi(const Sample *current, const Sample *reference, int bins)
{
	double		psi = 0;
	double		edge = -INFINITY;
	size_t		current_upto = 0;
	size_t		reference_upto = 0;
	int			i;

	for (i = 1; i <= bins; i++)
	{
		size_t		current_end = current->n;
		size_t		reference_end = reference->n;

		if (i < bins)
		{
			PercentileRank rank = percentile_rank(reference->n, (double) i / bins);
			double		next = percentile_between(sample_value(reference->keys[rank.below]),
												  sample_value(reference->keys[rank.above]), &rank);

			if (!(next > edge))
				continue;
			edge = next;
			current_end = count_upto(current, sample_key(edge));
			reference_end = count_upto(reference, sample_key(edge));
		}
		psi += psi_of_cell(current_end - current_upto, current->n,
						   reference_end - reference_upto, reference->n);
		current_upto = current_end;
		reference_upto = reference_end;
	}
	return psi;
}
