/*
 * fuzz_sketch.c
 *		Throws made-up numbers and bytes at sketches and checks what they promise:
 *		percentiles within the error and by the rank of percentile_disc; the same
 *		bytes however the numbers were ordered and grouped; sums without rounding;
 *		bytes and text that come back as they were, or are refused.
 *
 * Stands alone (fuzz_sketch [seconds] [seed]), or is for libFuzzer with -DLIBFUZZER.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "stats/sketch_index.h"
#include "stats/sketch_window.h"
#include "random.h"

#define MAX_NUMBERS 3000

void *
sketch_alloc(void *context, size_t size)
{
	void	   *p = malloc(size);

	(void) context;
	if (p == NULL)
		abort();
	return p;
}

void
sketch_free(void *p)
{
	free(p);
}

void
sketch_pause(void)
{
}

/* The order of the server: NaN above everything. */
static int
compare(const void *x, const void *y)
{
	double		a = *(const double *) x;
	double		b = *(const double *) y;

	if (isnan(a) || isnan(b))
		return (isnan(a) != 0) - (isnan(b) != 0);
	return (a > b) - (a < b);
}

static bool
same(double a, double b)
{
	return (isnan(a) && isnan(b)) || a == b;
}

/* A number of the given kind of data. */
static double
make_number(int kind)
{
	static const double few[] = {0, -0.0, 1, -1, 2, 4, 0.5, 3, 1e300, -1e300, 5e-324, -5e-324, 1e-310, 2.2250738585072014e-308, 1.7976931348623157e308};
	uint64_t	bits;
	double		value;

	switch (kind)
	{
		case 0:
			return exp(3 * next_share() * next_share() - 4 * next_share());
		case 1:
			return ldexp(1 + next_share(), next_random(50));
		case 2:
			return few[next_random(sizeof(few) / sizeof(few[0]))];
		case 3:
			bits = next_bits();
			memcpy(&value, &bits, sizeof(value));
			return value;
		case 4:
			return next_random(3) == 0 ? INFINITY : next_random(3) == 0 ? -INFINITY : next_random(2) == 0 ? NAN : next_share();
		case 5:
			return next_random(4) == 0 ? 0 : next_share() - 0.5;
		case 6:
			return 42;
		case 7:
			return next_random(2) ? 1e-3 : 1e9;
		case 8:
			return ldexp((double) next_random(1000), -1074);
		default:
			return ldexp(1, next_random(40) - 20);
	}
}

/* The bytes of a sketch; freed by the caller. */
static uint8_t *
pack(Sketch *sketch, size_t *len)
{
	uint8_t    *bytes = malloc(sketch_pack_bound(sketch));

	*len = sketch_pack(sketch, bytes);
	require(*len <= sketch_pack_bound(sketch), "more bytes than the bound");
	return bytes;
}

static void
require_same_bytes(Sketch *a, Sketch *b, const char *what)
{
	size_t		len_a;
	size_t		len_b;
	uint8_t    *bytes_a = pack(a, &len_a);
	uint8_t    *bytes_b = pack(b, &len_b);

	require(len_a == len_b && memcmp(bytes_a, bytes_b, len_a) == 0, what);
	free(bytes_a);
	free(bytes_b);
}

static bool
count_part(const SketchPart *part, void *arg)
{
	SketchPart *before = arg;

	require(part->count > 0, "empty part");
	require(isnan(part->upper) || (part->lower <= part->upper && !(part->lower < before->upper)), "parts out of order");
	before->upper = isnan(part->upper) ? INFINITY : part->upper;
	before->count = sketch_add_counts(before->count, part->count);
	return true;
}

/* Asks everything, and checks what must hold for any sketch. */
static void
read_all(Sketch *sketch)
{
	SketchPart	parts = {0, -INFINITY, 0};
	Sketch		copy;
	double		before = 0;
	char	   *text;
	int			i;

	sketch_walk(sketch, count_part, &parts);
	require(parts.count == sketch_count(sketch), "parts do not add up to the count");
	text = malloc(sketch_text_bound(sketch));
	sketch_to_text(sketch, text);
	require(strlen(text) < sketch_text_bound(sketch), "more text than the bound");
	sketch_init(&copy, NULL, 0);
	require(sketch_from_text(&copy, text), "own text refused");
	require_same_bytes(sketch, &copy, "text changes a sketch");
	sketch_reset(&copy);
	free(text);
	if (sketch_count(sketch) == 0)
		return;
	(void) sketch_sum(sketch);
	(void) sketch_mean(sketch);
	for (i = 0; i <= 20; i++)
	{
		double		value = sketch_percentile(sketch, i / 20.0);
		double		below = sketch_share(sketch, value, false);
		double		within = sketch_share(sketch, value, true);

		require(i == 0 || compare(&before, &value) <= 0, "percentiles are not in order");
		require(below >= 0 && below <= within && within <= 1, "shares are not in order");
		before = value;
	}
	require(same(sketch_percentile(sketch, 0), sketch_min(sketch)), "first percentile is not the smallest");
	require(same(sketch_percentile(sketch, 1), sketch_max(sketch)), "last percentile is not the largest");
}

/* Percentiles and shares against the sorted numbers. */
static void
check_answers(Sketch *sketch, double *v, int n)
{
	double		error = sketch_error(sketch);
	int			i;

	qsort(v, n, sizeof(double), compare);
	require(sketch_count(sketch) == (uint64_t) n, "count");
	require(same(sketch_min(sketch), v[0]) && same(sketch_max(sketch), v[n - 1]), "smallest or largest");
	for (i = 0; i < 40; i++)
	{
		double		q = i < 4 ? i / 3.0 : next_share();
		int			rank = (int) ceil(q * n);
		double		exact = v[rank < 1 ? 0 : rank - 1];
		double		value = sketch_percentile(sketch, q);

		if (isnan(exact) || isinf(exact))
			require(same(value, exact), "percentile of what is not finite");
		else
			require(fabs(value - exact) <= fabs(exact) * error + (fabs(exact) < 1e-300 ? 2.5e-324 * 2 : 0), "error is larger than said");
	}
	for (i = 0; i < 10; i++)
	{
		double		value = v[next_random(n)];
		int			below = 0;
		int			within = 0;
		int			j;

		for (j = 0; j < n; j++)
		{
			below += compare(&v[j], &value) < 0;
			within += compare(&v[j], &value) <= 0;
		}
		if (value == 0 || isnan(value) || isinf(value) || sketch->buckets == NULL)
		{
			require(sketch_share(sketch, value, false) == (double) below / n, "share below");
			require(sketch_share(sketch, value, true) == (double) within / n, "share within");
		}
	}
}

/* The sum of whole multiples of 2^-20, which 128 bits hold. */
static void
check_sum(void)
{
	Sketch		sketch;
	__int128	sum = 0;
	int			n = 1 + next_random(200);
	int			i;

	sketch_init(&sketch, NULL, SKETCH_DEFAULT_SCALE);
	for (i = 0; i < n; i++)
	{
		int64_t		part = (int64_t) (next_bits() >> (1 + next_random(62))) & ((INT64_C(1) << 53) - 1);
		double		value = ldexp((double) (next_random(2) ? part : -part), -20);

		if (next_random(8) == 0)
		{
			sketch_add_slow(&sketch, value, 1000003);
			sum += (__int128) (value * 1048576) * 1000003;
		}
		else
		{
			sketch_add(&sketch, value);
			sum += (__int128) (value * 1048576);
		}
	}
	require(sketch_sum(&sketch) == ldexp((double) sum, -20), "sum");
	sketch_reset(&sketch);
}

/* Cuts numbers into groups, and merges those in some order. */
static void
check_merges(Sketch *direct, const double *v, int n, const int *scales)
{
	Sketch		groups[8];
	int			n_groups = 1 + next_random(8);
	int			i;

	for (i = 0; i < n_groups; i++)
		sketch_init(&groups[i], NULL, scales[i]);
	for (i = 0; i < n; i++)
	{
		int			to = i < n_groups ? i : next_random(n_groups);

		sketch_add(&groups[to], v[i]);
	}
	while (n_groups > 1)
	{
		int			into = next_random(n_groups - 1);
		Sketch		swap = groups[into];

		if (next_random(2))
		{
			groups[into] = groups[n_groups - 1];
			groups[n_groups - 1] = swap;
		}
		sketch_merge(&groups[into], &groups[n_groups - 1]);
		sketch_reset(&groups[--n_groups]);
	}
	sketch_lower_scale(direct, groups[0].scale);
	require_same_bytes(direct, &groups[0], "bytes depend on how numbers were grouped");
	sketch_reset(&groups[0]);
}

/* Adding packed numbers, also more than a byte counts, is merging, also of what is none. */
static void
check_packed(const uint8_t *bytes, size_t size)
{
	int			n = next_random(3) * 40;
	Sketch		sketch;
	Sketch		added;
	Sketch		merged;
	int			i;

	sketch_init(&sketch, NULL, 0);
	sketch_init(&added, NULL, SKETCH_MAX_SCALE);
	sketch_init(&merged, NULL, SKETCH_MAX_SCALE);
	for (i = 0; i < n; i++)
	{
		sketch_add(&added, i);
		sketch_add(&merged, i);
	}
	if (!sketch_unpack(&sketch, bytes, size))
		require(!sketch_add_packed(&added, bytes, size), "what is no sketch was added");
	else if (sketch_add_packed(&added, bytes, size))
	{
		sketch_merge(&merged, &sketch);
		for (i = next_random(16) == 0 ? 600 : 0; i > 0; i--)
		{
			if (!sketch_add_packed(&added, bytes, size))
				sketch_merge(&added, &sketch);
			sketch_merge(&merged, &sketch);
		}
		require_same_bytes(&added, &merged, "packed numbers are added otherwise");
	}
	sketch_reset(&sketch);
	sketch_reset(&added);
	sketch_reset(&merged);
}

/* A window that slides holds what a sketch of its numbers is. */
static void
check_window(void)
{
	int			scale = next_random(2) ? SKETCH_DEFAULT_SCALE : next_random(SKETCH_MAX_SCALE + 1);
	int			n = 1 + next_random(MAX_NUMBERS);
	int			width = 1 + (next_random(2) ? next_random(40) : next_random(400));
	int			wild = next_random(3) == 0 ? 20 + next_random(200) : 0;
	int			kind = next_random(10);
	double	   *numbers = malloc(n * sizeof(double));
	SketchWindow window;
	int			first = 0;
	int			i;

	sketch_window_init(&window, NULL, scale);
	for (i = 0; i < n; i++)
	{
		Sketch		direct;
		int			j;

		numbers[i] = make_number(wild > 0 && i % wild < 20 ? next_random(10) : kind);
		while (i - first >= width || (i > first && next_random(50) == 0))
		{
			sketch_window_remove(&window);
			first++;
		}
		sketch_window_add(&window, numbers[i]);
		if (next_random(8) > 0 && i < n - 1)
			continue;
		sketch_init(&direct, NULL, scale);
		for (j = first; j <= i; j++)
			sketch_add(&direct, numbers[j]);
		require_same_bytes(&direct, sketch_window_read(&window), "a window holds other than its numbers");
		sketch_reset(&direct);
	}
	sketch_reset(&window.all);
	sketch_reset(&window.few);
	free(window.numbers);
	free(window.least.places);
	free(window.most.places);
	free(numbers);
}

/* Bytes that may be none: refused, or a sketch with exactly these bytes. */
static void
check_bytes(const uint8_t *data, size_t size)
{
	uint8_t    *copy = malloc(size ? size : 1);
	Sketch		sketch;

	memcpy(copy, data, size);
	check_packed(copy, size);
	sketch_init(&sketch, NULL, 0);
	if (sketch_unpack(&sketch, copy, size))
	{
		size_t		len;
		uint8_t    *bytes = pack(&sketch, &len);

		require(len == size && memcmp(bytes, data, len) == 0, "two forms of one sketch");
		free(bytes);
		read_all(&sketch);
		if (size > 0 && next_random(4) == 0)
		{
			Sketch		other;

			sketch_init(&other, NULL, next_random(10));
			sketch_add(&other, make_number(3));
			sketch_merge(&other, &sketch);
			sketch_merge(&sketch, &other);
			read_all(&sketch);
			sketch_reset(&other);
		}
	}
	sketch_reset(&sketch);
	free(copy);
}

/* Text that may be none. */
static void
check_text(const char *text)
{
	Sketch		sketch;

	sketch_init(&sketch, NULL, 0);
	if (sketch_from_text(&sketch, text))
		read_all(&sketch);
	sketch_reset(&sketch);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char	   *text = malloc(size + 1);

	check_bytes(data, size);
	memcpy(text, data, size);
	text[size] = '\0';
	check_text(text);
	free(text);
	return 0;
}

#ifndef LIBFUZZER

/* The constants against the mathematics library, and buckets against bounds. */
static void
check_table(void)
{
	int			i;

	for (i = 0; i <= 512; i++)
		require(fabsl((long double) sketch_bound[i] - (exp2l(i / 512.0L) - 1) * 4503599627370496.0L) < 1, "bound");
	for (i = 0; i < 1024; i++)
		require(i == 0 ? sketch_start[0] == 0 :
				sketch_bound[sketch_start[i] - 1] < (uint64_t) i << 42 &&
				sketch_bound[sketch_start[i]] >= (uint64_t) i << 42, "start");
	require(sketch_scale_for(0.01) == 6 && sketch_scale_for(0.001) == 9 && sketch_scale_for(1e-9) == -1, "scale of an error");
	require(fabs(sketch_scale_error(6) - 0.005415) < 1e-6, "error of a scale");
	for (i = 0; i < 2000000; i++)
	{
		int			scale = next_random(20) - 10;
		double		value = fabs(make_number(next_random(10)));
		int32_t		bucket;

		if (isnan(value) || isinf(value) || value == 0)
			continue;
		if (next_random(3) == 0)
			value = sketch_upper(sketch_bucket(value, scale), scale);
		bucket = sketch_bucket(value, scale);
		require(sketch_lower(bucket, scale) < value && value <= sketch_upper(bucket, scale), "number is not in its bucket");
	}
}

/* Round trips and damage of one sketch. */
static void
check_forms(Sketch *sketch)
{
	size_t		len;
	uint8_t    *bytes = pack(sketch, &len);
	char	   *text = malloc(sketch_text_bound(sketch) + 1);
	size_t		text_len;
	int			i;

	check_bytes(bytes, len);
	for (i = 0; i < 30; i++)
	{
		size_t		at = next_random(3) ? (size_t) next_random((int) (len < 40 ? len : 40)) : (size_t) next_random((int) len);
		uint8_t		was = bytes[at];

		bytes[at] = next_random(2) ? (uint8_t) next_bits() : was ^ (uint8_t) (1 << next_random(8));
		check_bytes(bytes, next_random(4) ? len : (size_t) next_random((int) len + 1));
		if (next_random(4))
			bytes[at] = was;
	}
	sketch_to_text(sketch, text);
	text_len = strlen(text);
	for (i = 0; i < 10; i++)
	{
		size_t		at = (size_t) next_random((int) text_len);

		text[at] = next_random(2) ? "0123456789 -:,=p."[next_random(17)] : text[next_random((int) text_len)];
		check_text(text);
	}
	free(text);
	free(bytes);
}

/* Buckets that start anywhere in what bytes can say, where none can be too. */
static void
check_first_bucket(void)
{
	/* version, flags, scale, 1 as the smallest and 2^1023 as the largest, no sum; then positive buckets */
	static const uint8_t head[] = {1, 0x20, 9, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0xe0, 0x7f, 0, 0};
	int			shift;
	int			i;

	for (shift = 0; shift < 64; shift++)
		for (i = -4; i < 4; i++)
		{
			uint64_t	first = (UINT64_C(1) << shift) + (uint64_t) (int64_t) i;
			uint8_t		bytes[sizeof(head) + 12];
			size_t		len = sizeof(head);

			memcpy(bytes, head, sizeof(head));
			for (; first >= 0x80; first >>= 7)
				bytes[len++] = (uint8_t) (first | 0x80);
			bytes[len++] = (uint8_t) first;
			bytes[len++] = 1;
			bytes[len++] = 0;
			check_bytes(bytes, len);
		}
}

/* Every byte of a few sketches changed to every other. */
static void
check_every_byte(void)
{
	int			kind;
	int			i;

	for (kind = 3; kind < 7; kind++)
	{
		Sketch		sketch;
		uint8_t    *bytes;
		size_t		len;
		size_t		at;

		sketch_init(&sketch, NULL, SKETCH_DEFAULT_SCALE);
		for (i = kind < 6 ? 30 : 0; i < 33; i++)
			sketch_add(&sketch, kind < 6 ? make_number(kind) : i / 10 - 1);
		bytes = pack(&sketch, &len);
		/* the last of 256 is the byte that was there */
		for (at = 0; at < len; at++)
			for (i = 0; i < 256; i++)
			{
				bytes[at]++;
				check_bytes(bytes, len);
			}
		free(bytes);
		sketch_reset(&sketch);
	}
}

static void
check_numbers(void)
{
	static const int plain[8] = {6, 6, 6, 6, 6, 6, 6, 6};
	double		v[MAX_NUMBERS];
	int			mixed[8];
	int			kinds = next_random(4) == 0;
	int			kind = next_random(10);
	int			n = 1 + (next_random(3) ? next_random(80) : next_random(MAX_NUMBERS));
	Sketch		direct;
	int			i;

	for (i = 0; i < n; i++)
		v[i] = make_number(kinds ? next_random(10) : kind);
	sketch_init(&direct, NULL, SKETCH_DEFAULT_SCALE);
	for (i = 0; i < n; i++)
		sketch_add(&direct, v[i]);
	check_merges(&direct, v, n, plain);
	read_all(&direct);
	check_forms(&direct);
	check_answers(&direct, v, n);
	for (i = 0; i < 8; i++)
		mixed[i] = next_random(20) - 10;
	if (next_random(2))
		check_merges(&direct, v, n, plain);
	sketch_reset(&direct);

	sketch_init(&direct, NULL, SKETCH_MAX_SCALE);
	for (i = 0; i < n; i++)
		sketch_add(&direct, v[i]);
	check_answers(&direct, v, n);
	check_merges(&direct, v, n, mixed);
	check_answers(&direct, v, n);
	sketch_reset(&direct);
}

int
main(int argc, char **argv)
{
	time_t		stop = time(NULL) + (argc > 1 ? atoi(argv[1]) : 10);
	long		n = 0;

	if (argc > 2)
		state = strtoull(argv[2], NULL, 10) * 2654435761u + 1;
	check_table();
	check_first_bucket();
	check_every_byte();
	do
	{
		uint8_t		noise[64];
		size_t		i;

		check_numbers();
		check_sum();
		check_window();
		for (i = 0; i < sizeof(noise); i++)
			noise[i] = i == 0 ? 1 : (uint8_t) next_bits();
		LLVMFuzzerTestOneInput(noise, (size_t) next_random(sizeof(noise)));
		n++;
	} while (time(NULL) < stop);
	printf("fuzz_sketch: %ld sets of numbers, nothing found\n", n);
	return 0;
}

#endif
