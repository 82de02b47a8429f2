/*
 * fuzz_values.c
 *		Throws made-up values at lists of values and at selection, and checks what
 *		they promise: every rank the one that sorting gives, whatever the order of
 *		values, the memory for the list and for the selection; words in the order
 *		of the values they stand for, and back to the same bits.
 *
 * usage: fuzz_values [seconds] [seed]
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "stats/select.h"
#include "stats/value_key.h"
#include "stats/values.h"
#include "random.h"

#define MAX_VALUES 40000
#define MAX_RANKS 300

/* The file, and how much memory there is before it is used. */
static char *file;
static size_t file_size;
static size_t file_room;
static size_t limit;
static size_t in_use;
static int	n_ticks;

void *
values_alloc(void *context, size_t size)
{
	size_t	   *p = malloc(size + 2 * sizeof(size_t));

	(void) context;
	if (p == NULL)
		abort();
	p[0] = size;
	in_use += size;
	return p + 2;
}

void
values_free(void *pointer)
{
	size_t	   *p = (size_t *) pointer - 2;

	in_use -= p[0];
	free(p);
}

bool
values_are_full(void *context, size_t size)
{
	(void) context;
	return in_use + size > limit;
}

uint64_t
values_write(void *context, const ValueRun *previous, const uint64_t *words, size_t n)
{
	uint64_t	place = file_size;
	size_t		size = sizeof(ValueRun) + n * sizeof(uint64_t);

	(void) context;
	if (file_size + size > file_room)
	{
		file_room = 2 * (file_size + size);
		file = realloc(file, file_room);
	}
	memcpy(file + file_size, previous, sizeof(ValueRun));
	memcpy(file + file_size + sizeof(ValueRun), words, n * sizeof(uint64_t));
	file_size += size;
	return place;
}

void
values_read(void *context, uint64_t place, uint64_t offset, void *to, size_t size)
{
	(void) context;
	require(place + offset + size <= file_size, "read behind the end");
	memcpy(to, file + place + offset, size);
}

static void
tick(void)
{
	n_ticks++;
}

/* The i-th of n words of some kind of data. */
static uint64_t
make_word(int kind, int i, int n)
{
	switch (kind)
	{
		case 0:
			return next_bits();
		case 1:
			return key_of_double(exp((double) (next_bits() >> 40) / 1e6));
		case 2:
			return 42;
		case 3:
			return (uint64_t) next_random(2) << 63;
		case 4:
			return (uint64_t) i << 20;
		case 5:
			return (uint64_t) (n - i) << 44;
		case 6:
			return (uint64_t) (i < n / 2 ? i : n - i);
		case 7:
			return UINT64_C(0x4000123456780000) + (uint64_t) next_random(70000);
		case 8:
			return key_of_double(next_random(3) ? 0 : next_random(2) ? -0.0 : NAN);
		default:
			return (uint64_t) next_random(10) << next_random(64);
	}
}

static int	compare_width;

static int
compare(const void *x, const void *y)
{
	const uint64_t *a = x;
	const uint64_t *b = y;

	if (a[0] != b[0] || compare_width == 1)
		return (a[0] > b[0]) - (a[0] < b[0]);
	return (a[1] > b[1]) - (a[1] < b[1]);
}

static int
compare_ranks(const void *x, const void *y)
{
	uint64_t	a = *(const uint64_t *) x;
	uint64_t	b = *(const uint64_t *) y;

	return (a > b) - (a < b);
}

/* Adds words, which belong to a second list that is appended. */
static void
append_to(void *arg, const uint64_t *words, size_t n)
{
	values_append(arg, words, n);
}

static void
check_list(void)
{
	static uint64_t words[2 * MAX_VALUES];
	static uint64_t ranks[MAX_RANKS];
	static uint64_t answers[2 * MAX_RANKS];
	int			width = 1 + next_random(2);
	int			kind = next_random(10);
	int			low_kind = next_random(10);
	int			n = 1 + (next_random(4) ? next_random(200) : next_random(MAX_VALUES));
	int			n_ranks = 1 + (next_random(4) ? next_random(6) : next_random(MAX_RANKS));
	size_t		room = 64 + (size_t) (next_random(2) ? next_random(2000) : next_random(2 * MAX_VALUES));
	int			split = next_random(3) ? n : next_random(n + 1);
	ValueList	list;
	ValueList	other;
	int			i;

	limit = next_random(2) ? SIZE_MAX / 2 : (size_t) next_random(100000);
	file_size = 0;
	values_init(&list, NULL, width);
	values_init(&other, NULL, width);
	for (i = 0; i < n; i++)
	{
		ValueList  *to = i < split ? &list : &other;

		words[i * width] = make_word(kind, i, n);
		if (width == 1)
			values_add(to, words[i]);
		else
		{
			words[2 * i + 1] = make_word(low_kind, i, n);
			values_add_pair(to, words[2 * i], words[2 * i + 1]);
		}
	}
	values_scan(&other, append_to, &list);
	values_reset(&other);
	require(values_count(&list) == (uint64_t) n, "count");
	require(limit > 100000 || list.newest == NULL || in_use <= limit + 1024, "more memory than there is");
	for (i = 0; i < n_ranks; i++)
		ranks[i] = (uint64_t) next_random(n);
	qsort(ranks, n_ranks, sizeof(uint64_t), compare_ranks);
	compare_width = width;
	qsort(words, n, width * sizeof(uint64_t), compare);
	for (i = 0; i < 2; i++)		/* again: selecting changes nothing */
	{
		int			j;

		values_select(&list, ranks, n_ranks, answers, room, tick);
		for (j = 0; j < n_ranks; j++)
			require(memcmp(answers + j * width, words + ranks[j] * width, width * sizeof(uint64_t)) == 0, "value of a rank");
	}
	values_reset(&list);
	require(in_use == 0, "memory is left");
}

/* Doubles and spans keep their order and their bits. */
static void
check_keys(void)
{
	int			i;

	for (i = 0; i < 1000; i++)
	{
		uint64_t	bits[2] = {next_bits(), next_bits()};
		double		value[2];
		int64_t		span[2];
		double		back;

		if (next_random(4) == 0)
			bits[1] = bits[0] + (uint64_t) next_random(3) - 1;
		memcpy(value, bits, sizeof(value));
		back = double_of_key(key_of_double(value[0]));
		if (isnan(value[0]))
			require(isnan(back) && key_of_double(value[0]) == KEY_NAN, "key of NaN");
		else
			require(memcmp(&back, value, sizeof(back)) == 0, "double of a key");
		if (!isnan(value[0]) && !isnan(value[1]))
			require(value[0] < value[1] ? key_of_double(value[0]) < key_of_double(value[1]) :
					value[0] == value[1] || key_of_double(value[0]) > key_of_double(value[1]), "order of doubles");
		span[0] = (int64_t) (bits[0] >> (1 + next_random(63)));
		span[1] = next_random(3) ? (int64_t) (bits[1] >> (1 + next_random(63))) : span[0] + (span[0] < INT64_MAX);
		require(span_of_key(key_of_span(span[0])) == span[0] && span_of_key(key_of_span(span[1])) == span[1], "span of a key");
		require((span[0] < span[1]) == (key_of_span(span[0]) < key_of_span(span[1])), "order of spans");
	}
	require(key_of_double(-INFINITY) < key_of_double(-1) && key_of_double(-0.0) < key_of_double(0) &&
			key_of_double(INFINITY) < KEY_NAN, "order of doubles that are none");
}

/* Percentiles of ranks that are easy to see. */
static void
check_ranks(void)
{
	PercentileRank rank = percentile_rank(5, 0.6);

	require(rank.below == 2 && rank.above == 3 && percentile_between(1, 2, &rank) == 1 + (0.6 * 4 - 2) * 1, "rank between two");
	rank = percentile_rank(1, 1);
	require(rank.below == 0 && rank.above == 0, "rank of one");
	rank = percentile_rank(UINT64_C(1) << 62, 1);
	require(rank.above <= (UINT64_C(1) << 62) - 1, "rank of many");
}

int
main(int argc, char **argv)
{
	time_t		stop = time(NULL) + (argc > 1 ? atoi(argv[1]) : 10);
	long		n = 0;

	if (argc > 2)
		state = strtoull(argv[2], NULL, 10) * 2654435761u + 1;
	check_ranks();
	do
	{
		check_list();
		check_keys();
		n++;
	} while (time(NULL) < stop);
	free(file);
	require(n_ticks > 0, "no tick");
	printf("fuzz_values: %ld lists, nothing found\n", n);
	return 0;
}
