/*
 * two_samples.c
 *		Two samples of numbers compared: see two_samples.h.
 *
 * Sources: Mann and Whitney 1947; Hanley and McNeil 1982 (area under the ROC
 * curve); Smirnov 1939.
 */
#include "stats/two_samples.h"

#include "stats/select.h"

/* Keys between two ticks: about a millisecond. */
#define TICK_KEYS		0x1ffff

/* Is there a key at hand? */
static inline bool
has_key(SampleStream *stream)
{
	return stream->at < stream->end || (stream->refill != NULL && stream->refill(stream));
}

/* Goes past the keys that equal this one, and says how many. */
static inline uint64_t
take_equal(SampleStream *stream, uint64_t key)
{
	uint64_t	n = 0;

	while (has_key(stream) && *stream->at == key)
	{
		stream->at++;
		n++;
	}
	return n;
}

/* The next key of two samples, and how often each has it; false at the end of both. */
static inline bool
next_key(SampleStream *first, SampleStream *second, uint64_t *n_first, uint64_t *n_second)
{
	bool		more_first = has_key(first);
	bool		more_second = has_key(second);
	uint64_t	key;

	if (!more_first && !more_second)
		return false;
	if (more_first && more_second)
		key = *first->at < *second->at ? *first->at : *second->at;
	else
		key = more_first ? *first->at : *second->at;
	*n_first = take_equal(first, key);
	*n_second = take_equal(second, key);
	return true;
}

/* See the header. */
double
sample_auc(SampleStream *first, SampleStream *second, SampleTick tick)
{
	unsigned __int128 twice = 0;	/* a pair that is told apart counts 2, a tie 1 */
	unsigned __int128 pairs = (unsigned __int128) first->n * second->n;
	uint64_t	below = 0;		/* keys of the first that are smaller */
	uint64_t	equal;
	uint64_t	n;
	size_t		steps = 0;

	while (next_key(first, second, &equal, &n))
	{
		twice += (unsigned __int128) n * (2 * below + equal);
		below += equal;
		if ((++steps & TICK_KEYS) == 0)
			tick();
	}
	return (double) twice / (double) (2 * pairs);
}

/* See the header. */
double
sample_ks(SampleStream *first, SampleStream *second, SampleTick tick)
{
	unsigned __int128 max = 0;
	unsigned __int128 pairs = (unsigned __int128) first->n * second->n;
	uint64_t	upto[2] = {0, 0};
	uint64_t	n[2];
	size_t		steps = 0;

	while (next_key(first, second, &n[0], &n[1]))
	{
		unsigned __int128 a = (unsigned __int128) (upto[0] += n[0]) * second->n;
		unsigned __int128 b = (unsigned __int128) (upto[1] += n[1]) * first->n;

		if ((a > b ? a - b : b - a) > max)
			max = a > b ? a - b : b - a;
		if ((++steps & TICK_KEYS) == 0)
			tick();
	}
	return (double) max / (double) pairs;
}

/* Cells, each up to and with its edge, the last without; and what they hold. */
typedef struct Cells
{
	uint64_t	edges[PSI_MAX_BINS];
	int			n_edges;
	uint64_t	counts[2][PSI_MAX_BINS];	/* of the current sample, the reference */
	uint64_t   *count;			/* those that are counted now */
	SampleTick	tick;
} Cells;

/* Counts keys into cells; a ValueTaker. */
static void
count_cells(void *arg, const uint64_t *words, size_t n)
{
	Cells	   *cells = (Cells *) arg;
	size_t		i;

	cells->tick();
	for (i = 0; i < n; i++)
	{
		int			low = 0;
		int			high = cells->n_edges;

		while (low < high)
		{
			int			middle = (low + high) / 2;

			if (cells->edges[middle] < words[i])
				low = middle + 1;
			else
				high = middle;
		}
		cells->count[low]++;
	}
}

/*
 * Edges at the percentiles of the reference, as percentile_cont() has them;
 * those that are equal make one.
 */
static void
find_edges(Cells *cells, const ValueList *reference, int bins, size_t room, SampleTick tick)
{
	PercentileRank place[PSI_MAX_BINS];
	uint64_t	ranks[2 * PSI_MAX_BINS] = {0};
	uint64_t	keys[2 * PSI_MAX_BINS];
	int			of_below[PSI_MAX_BINS];
	size_t		n_ranks = 0;
	int			i;

	for (i = 1; i < bins; i++)
	{
		place[i] = percentile_rank(values_count(reference), (double) i / bins);
		/* ascending, each rank once: the one below may be one of the last two */
		while (n_ranks > 0 && ranks[n_ranks - 1] >= place[i].below)
			n_ranks--;
		of_below[i] = (int) n_ranks;
		ranks[n_ranks++] = place[i].below;
		if (place[i].above != place[i].below)
			ranks[n_ranks++] = place[i].above;
	}
	values_select(reference, ranks, n_ranks, keys, room, tick);
	cells->n_edges = 0;
	for (i = 1; i < bins; i++)
	{
		int			above = of_below[i] + (place[i].above != place[i].below);
		double		edge = percentile_between(double_of_key(keys[of_below[i]]), double_of_key(keys[above]), &place[i]);

		if (cells->n_edges == 0 || sample_key(edge) > cells->edges[cells->n_edges - 1])
			cells->edges[cells->n_edges++] = sample_key(edge);
	}
}

/* What a cell adds to the index; where one sample has none, half a number is taken. */
static double
psi_of_cell(uint64_t current, uint64_t current_n, uint64_t reference, uint64_t reference_n)
{
	double		now = (current == 0 ? 0.5 : (double) current) / (double) current_n;
	double		then = (reference == 0 ? 0.5 : (double) reference) / (double) reference_n;

	return current + reference == 0 ? 0 : (now - then) * log(now / then);
}

/* See the header.  A cell that is empty in both samples tells nothing. */
double
sample_psi(const ValueList *current, const ValueList *reference, int bins, size_t room, SampleTick tick)
{
	Cells		cells;
	double		psi = 0;
	int			i;

	memset(cells.counts, 0, sizeof(cells.counts));
	cells.tick = tick;
	find_edges(&cells, reference, bins, room, tick);
	cells.count = cells.counts[0];
	values_scan(current, count_cells, &cells);
	cells.count = cells.counts[1];
	values_scan(reference, count_cells, &cells);
	for (i = 0; i <= cells.n_edges; i++)
		psi += psi_of_cell(cells.counts[0][i], values_count(current), cells.counts[1][i], values_count(reference));
	return psi;
}
