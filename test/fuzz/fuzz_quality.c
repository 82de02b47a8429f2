/*
 * fuzz_quality.c
 *		Throws made-up predictions, samples and bytes at the cores of model quality
 *		and checks what they promise: results of plain sums over all pairs; the
 *		same bytes however rows were ordered and grouped; bytes that come back as
 *		they were, or are refused.
 *
 * Stands alone: fuzz_quality [seconds] [seed].
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "stats/quality.h"
#include "stats/sort.h"
#include "stats/two_samples.h"
#include "random.h"

#define MAX_ROWS 600

/* What was allocated since the last look; a run frees all of it. */
static void *allocated[20000];
static int	allocations;

void *
calibration_alloc(void *context, size_t size)
{
	void	   *p = calloc(1, size);

	(void) context;
	if (p == NULL || allocations == 20000)
		abort();
	allocated[allocations++] = p;
	return p;
}

static void
free_all(void)
{
	while (allocations > 0)
		free(allocated[--allocations]);
}

/* The file behind lists of keys, which is written to as chance wants. */
static char file[4 * 1024 * 1024];
static size_t file_size;

static int	next_random(int below);

void *
values_alloc(void *context, size_t size)
{
	void	   *p = malloc(size);

	(void) context;
	if (p == NULL)
		abort();
	return p;
}

void
values_free(void *pointer)
{
	free(pointer);
}

bool
values_are_full(void *context, size_t size)
{
	(void) context;
	(void) size;
	return next_random(3) == 0;
}

uint64_t
values_write(void *context, const ValueRun *previous, const uint64_t *words, size_t n)
{
	uint64_t	place = file_size;

	(void) context;
	if (file_size + sizeof(ValueRun) + n * sizeof(uint64_t) > sizeof(file))
		abort();
	memcpy(file + file_size, previous, sizeof(ValueRun));
	memcpy(file + file_size + sizeof(ValueRun), words, n * sizeof(uint64_t));
	file_size += sizeof(ValueRun) + n * sizeof(uint64_t);
	return place;
}

void
values_read(void *context, uint64_t place, uint64_t offset, void *to, size_t size)
{
	(void) context;
	if (place + offset + size > file_size)
		abort();
	memcpy(to, file + place + offset, size);
}

static void
tick(void)
{
}

/* A probability of the given kind of data. */
static double
make_probability(int kind)
{
	static const double few[] = {0, 1, 0.5, 0.1, 0.3, 0.7, 1e-15, 5e-324, 1e-300, 2.2250738585072014e-308};

	switch (kind)
	{
		case 0:
			return next_share();
		case 1:
			return few[next_random(10)];
		case 2:
			return next_random(11) / 10.0;
		case 3:
			return 1 - ldexp(1, -1 - next_random(53));
		default:
			return ldexp(next_share(), -next_random(1074));
	}
}

/* Predictions, in one heap or in several that are merged, in any order. */
static void
check_scores(void)
{
	static double p[MAX_ROWS];
	static bool y[MAX_ROWS];
	int			n = 1 + next_random(MAX_ROWS);
	int			kind = next_random(5);
	int			bins = next_random(4) == 0 ? 1 + next_random(40) : 10;
	int			heaps = 1 + next_random(4);
	Score		score[5][2];
	Calibration calibration[5];
	uint8_t		bytes[2][SCORE_PACKED_BOUND];
	uint8_t    *packed[2];
	size_t		len[2];
	long double brier = 0;
	int			i;
	int			k;

	memset(score, 0, sizeof(score));
	for (k = 0; k < 5; k++)
		calibration_init(&calibration[k], NULL, bins);
	for (i = 0; i < n; i++)
	{
		p[i] = make_probability(kind);
		y[i] = next_share() < p[i];
		brier += ((long double) p[i] - y[i]) * ((long double) p[i] - y[i]);
		score_add(&score[4][0], SCORE_BRIER, p[i], y[i]);
		score_add(&score[4][1], SCORE_LOG_LOSS, p[i], y[i]);
		calibration_add(&calibration[4], p[i], y[i]);
	}
	for (i = n - 1; i >= 0; i--)
	{
		k = next_random(heaps);
		score_add(&score[k][0], SCORE_BRIER, p[i], y[i]);
		score_add(&score[k][1], SCORE_LOG_LOSS, p[i], y[i]);
		calibration_add(&calibration[k], p[i], y[i]);
	}
	for (k = 1; k < heaps; k++)
	{
		for (i = 0; i < 2; i++)
		{
			score[0][i].n += score[k][i].n;
			sketch_sum_merge(&score[0][i].sum, &score[k][i].sum);
		}
		calibration_merge(&calibration[0], &calibration[k]);
	}
	require(fabsl(score_mean(&score[0][0]) - brier / n) < 1e-15L, "the Brier score is another");
	require(score_mean(&score[0][1]) >= 0 && score_mean(&score[0][1]) < 34.6, "the log loss is out of range");
	for (i = 0; i < 2; i++)
	{
		ScoreKind	which = i == 0 ? SCORE_BRIER : SCORE_LOG_LOSS;
		Score		back;

		len[0] = score_pack(&score[0][i], which, bytes[0]);
		len[1] = score_pack(&score[4][i], which, bytes[1]);
		require(len[0] == len[1] && memcmp(bytes[0], bytes[1], len[0]) == 0, "grouping changes a score");
		require(score_unpack(&back, which, bytes[0], len[0]) && score_mean(&back) == score_mean(&score[0][i]), "a score does not come back");
		bytes[0][next_random((int) len[0])] ^= (uint8_t) (1 + next_random(255));
		if (score_unpack(&back, which, bytes[0], len[0] - (next_random(8) == 0)) && back.n > 0)
			require(score_mean(&back) >= 0 && score_mean(&back) <= 35, "a damaged score is out of range");
	}
	for (i = 0; i < 2; i++)
	{
		packed[i] = malloc(calibration_pack_bound(&calibration[4 * i]));
		len[i] = calibration_pack(&calibration[4 * i], packed[i]);
	}
	require(len[0] == len[1] && memcmp(packed[0], packed[1], len[0]) == 0, "grouping changes bins");
	require(calibration_count(&calibration[0]) == n, "rows are missing in bins");
	require(calibration_ece(&calibration[0]) <= calibration_mce(&calibration[0]) * (1 + 1e-12) && calibration_mce(&calibration[0]) <= 1, "ece is above mce");
	{
		Calibration back;

		require(calibration_unpack(&back, NULL, packed[0], len[0]) && calibration_ece(&back) == calibration_ece(&calibration[0]), "bins do not come back");
		for (k = 1 + next_random(3); k > 0; k--)
			packed[0][next_random((int) len[0])] ^= (uint8_t) (1 + next_random(255));
		if (calibration_unpack(&back, NULL, packed[0], next_random(4) == 0 ? (size_t) next_random((int) len[0] + 1) : len[0]))
		{
			for (i = 0; i < back.bins; i++)
				require(back.bin[i] == NULL || (calibration_bin_mean(back.bin[i]) >= 0 && calibration_bin_mean(back.bin[i]) <= 1), "a damaged bin is out of range");
			calibration_merge(&back, &back);
		}
	}
	free(packed[0]);
	free(packed[1]);
	free_all();
}

static int
compare_keys(const void *x, const void *y)
{
	uint64_t	a = *(const uint64_t *) x;
	uint64_t	b = *(const uint64_t *) y;

	return (a > b) - (a < b);
}

/* A number of the given kind of data; never NaN. */
static double
make_number(int kind)
{
	uint64_t	bits = next_bits();
	double		value;

	switch (kind)
	{
		case 0:
			return next_share();
		case 1:
			return next_random(7) - 3;
		case 2:
			memcpy(&value, &bits, sizeof(value));
			return isnan(value) ? 0 : value;
		case 3:
			return next_random(4) == 0 ? INFINITY : next_random(3) == 0 ? -INFINITY : next_random(2) == 0 ? -0.0 : 0.0;
		case 4:
			return 42;
		default:
			return 1 + ldexp((double) next_random(300), -52);
	}
}

/* A sorted sample that comes in pieces. */
typedef struct Pieces
{
	SampleStream stream;		/* the first field */
	const uint64_t *end;
} Pieces;

static bool
next_piece(SampleStream *stream)
{
	Pieces	   *pieces = (Pieces *) stream;
	size_t		left = pieces->end - stream->end;

	stream->at = stream->end;
	stream->end += left < 3 ? left : (size_t) next_random((int) left - 1) + 1;
	return left > 0;
}

static SampleStream *
open_pieces(Pieces *pieces, const uint64_t *keys, size_t n)
{
	bool		whole = next_random(2) == 0;

	pieces->stream.at = keys;
	pieces->stream.end = whole ? keys + n : keys;
	pieces->stream.n = n;
	pieces->stream.refill = whole ? NULL : next_piece;
	pieces->end = keys + n;
	return &pieces->stream;
}

/* The index by its definition, from sorted keys. */
static double
plain_psi(uint64_t keys[2][MAX_ROWS * 4], const size_t *n, int bins)
{
	double		edge = -INFINITY;
	double		psi = 0;
	int			i;

	for (i = 1; i <= bins; i++)
	{
		double		place = (double) i / bins * (double) (n[1] - 1);
		size_t		low = (size_t) floor(place);
		size_t		high = (size_t) ceil(place);
		double		last = edge;
		size_t		cell[2] = {0, 0};
		double		share[2];
		size_t		j;
		int			which;

		edge = i == bins ? INFINITY : double_of_key(keys[1][low]);
		if (i < bins && high != low)
			edge += (place - (double) low) * (double_of_key(keys[1][high]) - double_of_key(keys[1][low]));
		if (!(edge > last))
		{
			edge = last;
			continue;
		}
		for (which = 0; which < 2; which++)
		{
			for (j = 0; j < n[which]; j++)
				cell[which] += double_of_key(keys[which][j]) > last && double_of_key(keys[which][j]) <= edge;
			share[which] = (cell[which] == 0 ? 0.5 : (double) cell[which]) / (double) n[which];
		}
		if (cell[0] + cell[1] > 0)
			psi += (share[0] - share[1]) * log(share[0] / share[1]);
	}
	return psi;
}

/* Two samples against sums over all pairs. */
static void
check_samples(void)
{
	static uint64_t keys[2][MAX_ROWS * 4];
	static uint64_t again[MAX_ROWS * 4];
	int			kind = next_random(6);
	ValueList	list[2];
	Pieces		pieces[2];
	size_t		n[2];
	int64_t		twice = 0;
	double		auc;
	double		ks = 0;
	double		got;
	int			which;
	size_t		i;
	size_t		j;

	file_size = 0;
	for (which = 0; which < 2; which++)
	{
		values_init(&list[which], NULL, 1);
		n[which] = 1 + next_random(next_random(5) == 0 ? MAX_ROWS * 4 : 120);
		for (i = 0; i < n[which]; i++)
		{
			double		value = make_number(kind);

			keys[which][i] = sample_key(value);
			require(double_of_key(keys[which][i]) == value && sample_key_is_valid(keys[which][i]), "a number does not come back");
			values_add(&list[which], keys[which][i]);
		}
		memcpy(again, keys[which], n[which] * sizeof(uint64_t));
		qsort(again, n[which], sizeof(uint64_t), compare_keys);
		sort_words(keys[which], n[which], tick);
		require(memcmp(again, keys[which], n[which] * sizeof(uint64_t)) == 0, "keys are not sorted");
	}
	auc = sample_auc(open_pieces(&pieces[0], keys[0], n[0]), open_pieces(&pieces[1], keys[1], n[1]), tick);
	require(fabs(auc + sample_auc(open_pieces(&pieces[1], keys[1], n[1]), open_pieces(&pieces[0], keys[0], n[0]), tick) - 1) < 1e-15, "both areas do not add up to 1");
	got = sample_ks(open_pieces(&pieces[0], keys[0], n[0]), open_pieces(&pieces[1], keys[1], n[1]), tick);
	require(got == sample_ks(open_pieces(&pieces[1], keys[1], n[1]), open_pieces(&pieces[0], keys[0], n[0]), tick) && got >= 0 && got <= 1, "the distance depends on the side");
	if (n[0] <= 120 && n[1] <= 120)
	{
		for (i = 0; i < n[0]; i++)
			for (j = 0; j < n[1]; j++)
				twice += 2 * (double_of_key(keys[0][i]) < double_of_key(keys[1][j])) + (double_of_key(keys[0][i]) == double_of_key(keys[1][j]));
		require(auc == (double) twice / (double) (2 * n[0] * n[1]), "the area is another");
		for (which = 0; which < 2; which++)
			for (i = 0; i < n[which]; i++)
			{
				int64_t		upto[2] = {0, 0};
				int			s;

				for (s = 0; s < 2; s++)
					for (j = 0; j < n[s]; j++)
						upto[s] += keys[s][j] <= keys[which][i];
				ks = fmax(ks, (double) llabs(upto[0] * (int64_t) n[1] - upto[1] * (int64_t) n[0]) / (double) (n[0] * n[1]));
			}
		require(got == ks, "the distance is another");
	}
	if (kind != 3)
	{
		int			bins = 2 + next_random(next_random(9) == 0 ? PSI_MAX_BINS - 1 : 30);

		got = sample_psi(&list[0], &list[1], bins, 64 + next_random(2000), tick);
		require(isfinite(got) && got >= 0, "the index is no distance");
		require(got == plain_psi(keys, n, bins), "the index is another");
		require(sample_psi(&list[1], &list[1], bins, 64, tick) == 0, "the index of a sample with itself is not 0");
	}
	values_reset(&list[0]);
	values_reset(&list[1]);
}

/* Confusions and intervals against their formulas. */
static void
check_rates(void)
{
	int64_t		n = 1 + (int64_t) (next_bits() >> (12 + next_random(51)));
	int64_t		s = (int64_t) (next_share() * (double) n);
	double		confidence = next_random(3) == 0 ? 1 - ldexp(1, -1 - next_random(52)) : next_share();
	double		z;
	double		ends[2];
	Confusion	confusion;
	double		mcc;
	int			i;

	if (confidence == 0 || confidence == 1)
		confidence = 0.95;
	z = normal_deviations(confidence);
	require(fabs(erfc(z / sqrt(2)) - (1 - confidence)) <= 1e-14 * (1 - confidence) + 4e-16 * confidence, "deviations do not hold their share");
	ends[0] = wilson_lower(s, n, z);
	ends[1] = wilson_upper(s, n, z);
	require(ends[0] >= 0 && ends[0] <= (double) s / (double) n * (1 + 1e-15) && ends[1] >= (double) s / (double) n * (1 - 1e-15) && ends[1] <= 1, "a rate is outside its interval");
	for (i = 0; i < 2; i++)		/* both are where |rate - x| = z * sqrt(x * (1 - x) / n) */
		require(fabs(fabs((double) s / (double) n - ends[i]) - z * sqrt(ends[i] * (1 - ends[i]) / (double) n)) < 1e-7, "an end is another");
	for (i = 0; i < 4; i++)
		confusion.n[i / 2][i % 2] = next_random(3) == 0 ? 0 : (int64_t) (next_bits() >> (11 + next_random(52)));
	if (confusion_mcc(&confusion, &mcc))
	{
		long double tp = confusion.n[1][1];
		long double fp = confusion.n[1][0];
		long double fn = confusion.n[0][1];
		long double tn = confusion.n[0][0];

		require(fabsl(mcc - (tp * tn - fp * fn) / sqrtl(tp + fp) / sqrtl(tp + fn) / sqrtl(tn + fp) / sqrtl(tn + fn)) < 1e-14L, "mcc is another");
		require(mcc >= -1 && mcc <= 1 && (fp + fn > 0 || mcc == 1) && (tp + tn > 0 || mcc == -1), "mcc is out of range");
	}
}

int
main(int argc, char **argv)
{
	int			seconds = argc > 1 ? atoi(argv[1]) : 10;
	time_t		end = time(NULL) + seconds;
	long		rounds = 0;

	state += argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	do
	{
		check_scores();
		check_samples();
		check_rates();
		rounds++;
	} while ((rounds & 15) != 0 || time(NULL) < end);
	printf("fuzz_quality: %ld rounds\n", rounds);
	return 0;
}
