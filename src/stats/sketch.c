/*
 * sketch.c
 *		Filling and merging sketches.
 */
#include "stats/sketch_index.h"

#include <math.h>

/* Buckets of a new store, and by how many a store grows at least. */
#define STORE_STEP		64

/* Sum of two counts; one that is too large stays at the largest. */
uint64_t
sketch_add_counts(uint64_t a, uint64_t b)
{
	return b > SKETCH_MAX_COUNT - a ? SKETCH_MAX_COUNT : a + b;
}

/* An empty sketch. */
void
sketch_init(Sketch *sketch, void *context, int scale)
{
	memset(sketch, 0, sizeof(Sketch));
	sketch->context = context;
	sketch->scale = (int16_t) scale;
}

/* Lends an empty sketch memory for its first numbers. */
void
sketch_lend(Sketch *sketch, double *values, int room)
{
	sketch->values = values;
	sketch->values_room = (int16_t) room;
	sketch->values_lent = true;
}

/* Gives back the memory of a sketch, and empties it. */
void
sketch_reset(Sketch *sketch)
{
	if (sketch->values != NULL && !sketch->values_lent)
		sketch_free(sketch->values);
	if (sketch->odd != NULL)
		sketch_free(sketch->odd);
	if (sketch->buckets != NULL)
	{
		if (sketch->buckets->positive.counts != NULL)
			sketch_free(sketch->buckets->positive.counts);
		if (sketch->buckets->negative.counts != NULL)
			sketch_free(sketch->buckets->negative.counts);
		sketch_free(sketch->buckets);
	}
	sketch_init(sketch, sketch->context, sketch->scale);
}

/* The first and the last bucket in use of a store that is up to date; false when none is. */
bool
sketch_range(const SketchStore *store, int32_t *first, int32_t *last)
{
	int32_t		i = 0;
	int32_t		j = store->room;

	while (i < j && store->counts[i] == 0)
		i++;
	while (j > i && store->counts[j - 1] == 0)
		j--;
	*first = store->first + i;
	*last = store->first + j - 1;
	return i < j;
}

/* Adds what the bytes of a store count. */
void
sketch_add_recent(SketchStore *store)
{
	uint8_t    *recent = sketch_recent(store);
	int32_t		i;

	for (i = 0; i < store->room; i++)
		store->counts[i] = sketch_add_counts(store->counts[i], recent[i]);
	memset(recent, 0, store->room);
	store->has_recent = false;
}

/* Moves a store that is up to date to other room, which holds every bucket in use. */
static void
move_store(Sketch *sketch, SketchStore *store, int32_t first, int32_t room)
{
	uint64_t   *counts = (uint64_t *) sketch_alloc(sketch->context, room * (sizeof(uint64_t) + sizeof(uint8_t)));
	int32_t		from = first > store->first ? first : store->first;
	int32_t		end = first + room < store->first + store->room ? first + room : store->first + store->room;

	memset(counts, 0, room * (sizeof(uint64_t) + sizeof(uint8_t)));
	if (from < end)
		memcpy(counts + (from - first), store->counts + (from - store->first), (end - from) * sizeof(uint64_t));
	if (store->counts != NULL)
		sketch_free(store->counts);
	store->counts = counts;
	store->first = first;
	store->room = room;
}

/*
 * Makes room for buckets from first to last, at least half more than there is;
 * false, with nothing done, when they and those in use span too many.
 */
bool
sketch_reserve(Sketch *sketch, SketchStore *store, int32_t first, int32_t last)
{
	bool		grows_down = first < store->first;
	int32_t		used_first;
	int32_t		used_last;
	int32_t		room;

	if (store->room > 0 && first >= store->first && last - store->first < store->room)
		return true;
	if (store->has_recent)
		sketch_add_recent(store);
	if (sketch_range(store, &used_first, &used_last))
	{
		first = used_first < first ? used_first : first;
		last = used_last > last ? used_last : last;
	}
	if (last - first >= SKETCH_MAX_BUCKETS)
		return false;
	room = last - first + 1;
	if (room < store->room + store->room / 2)
		room = store->room + store->room / 2;
	room = (room + STORE_STEP - 1) / STORE_STEP * STORE_STEP;
	if (room > SKETCH_MAX_BUCKETS)
		room = SKETCH_MAX_BUCKETS;

	/* the slack is where more is likely to come */
	if (store->room == 0)
		first -= (room - (last - first + 1)) / 2;
	else if (grows_down)
		first = last - room + 1;
	move_store(sketch, store, first, room);
	return true;
}

/* Joins neighbouring buckets until the store is at a scale lower by so much. */
static void
store_lower(Sketch *sketch, SketchStore *store, int by)
{
	SketchStore old;
	int32_t		first;
	int32_t		last;
	int32_t		i;

	if (store->room == 0)
		return;
	if (store->has_recent)
		sketch_add_recent(store);
	old = *store;
	memset(store, 0, sizeof(SketchStore));
	if (sketch_range(&old, &first, &last))
	{
		move_store(sketch, store, first >> by, (last >> by) - (first >> by) + 1);
		for (i = first; i <= last; i++)
		{
			uint64_t   *count = &store->counts[(i >> by) - store->first];

			*count = sketch_add_counts(*count, old.counts[i - old.first]);
		}
	}
	sketch_free(old.counts);
}

/* Lowers the scale, unless it is as low already. */
void
sketch_lower_scale(Sketch *sketch, int scale)
{
	int			by = sketch->scale - scale;

	if (by <= 0)
		return;
	if (sketch->buckets != NULL)
	{
		store_lower(sketch, &sketch->buckets->positive, by);
		store_lower(sketch, &sketch->buckets->negative, by);
	}
	sketch->scale = (int16_t) scale;
}

/* Adds to the count of a bucket of the scale that the sketch has. */
static bool
store_add(Sketch *sketch, SketchStore *store, int32_t bucket, uint64_t count)
{
	uint64_t   *counter;

	if ((bucket < store->first || bucket - store->first >= store->room) &&
		!sketch_reserve(sketch, store, bucket, bucket))
		return false;
	counter = &store->counts[bucket - store->first];
	*counter = sketch_add_counts(*counter, count);
	return true;
}

/* Counts a finite number into the buckets, without its share of the sum. */
static void
count_number(Sketch *sketch, double value, uint64_t count)
{
	SketchBuckets *buckets = sketch->buckets;
	SketchStore *store = value > 0 ? &buckets->positive : &buckets->negative;

	if (value < buckets->min)
		buckets->min = value;
	if (value > buckets->max)
		buckets->max = value;
	if (value == 0)
		buckets->n_zero = sketch_add_counts(buckets->n_zero, count);
	else
		while (!store_add(sketch, store, sketch_bucket(fabs(value), sketch->scale), count))
			sketch_lower_scale(sketch, sketch->scale - 1);
}

/* Adds a finite number to the sum so many times. */
void
sketch_sum_number(SketchSum *sum, double value, uint64_t count)
{
	SketchSum	term;
	uint64_t	bits;

	memcpy(&bits, &value, sizeof(bits));
	if (count == 1)
	{
		sketch_sum_add(sum, bits);
		return;
	}

	/* by doubling */
	memset(&term, 0, sizeof(term));
	sketch_sum_add(&term, bits);
	for (; count != 0; count >>= 1)
	{
		SketchSum	same;

		if (count & 1)
			sketch_sum_merge(sum, &term);
		same = term;
		sketch_sum_merge(&term, &same);
	}
}

/*
 * Counts numbers of the short array from the given one on, until one that is
 * not positive and of the normal range, or has no bucket yet; returns its place.
 * The numbers wait for memory together rather than one after the other.
 */
static int
count_run(Sketch *sketch, int i)
{
	SketchBuckets *buckets = sketch->buckets;
	SketchSumRun run = {0, 0, 0};
	const double *values = sketch->values;
	uint64_t   *counts = buckets->positive.counts;
	uint8_t    *recent = sketch_recent(&buckets->positive);
	uint32_t	first = (uint32_t) buckets->positive.first;
	uint32_t	room = (uint32_t) buckets->positive.room;
	int			by = SKETCH_MAX_SCALE - sketch->scale;
	int			n = sketch->n_values;
	double		min = buckets->min;
	double		max = buckets->max;

	for (; i < n; i++)
	{
		double		value = values[i];
		uint64_t	bits;
		uint32_t	exponent;
		uint32_t	place;

		memcpy(&bits, &value, sizeof(bits));
		exponent = (uint32_t) (bits >> MANTISSA_BITS);	/* with the sign above */
		if (exponent - 1 >= 2046)
			break;
		place = (uint32_t) (sketch_finest_bucket((int32_t) exponent - 1023, bits & MANTISSA_MASK) >> by) - first;
		if (place >= room)
			break;
		if (++recent[place] == 0)
			counts[place] = sketch_add_counts(counts[place], UINT8_MAX + 1);
		sketch_sum_run_add(&buckets->sum, &run, bits);
		min = value < min ? value : min;
		max = value > max ? value : max;
	}
	sketch_sum_run_end(&buckets->sum, &run);
	buckets->positive.has_recent |= room > 0;
	buckets->min = min;
	buckets->max = max;
	return i;
}

/* Counts the numbers of the short array into the buckets, and empties it. */
void
sketch_count_values(Sketch *sketch)
{
	int			i;

	sketch_sum_expect(&sketch->buckets->sum, sketch->n_values);
	for (i = count_run(sketch, 0); i < sketch->n_values; i = count_run(sketch, i + 1))
	{
		uint64_t	bits;

		memcpy(&bits, &sketch->values[i], sizeof(bits));
		sketch_sum_add_expected(&sketch->buckets->sum, bits);
		count_number(sketch, sketch->values[i], 1);
	}
	sketch->n_values = 0;
}

/* Turns the numbers kept as they are into buckets. */
void
sketch_to_buckets(Sketch *sketch)
{
	if (sketch->buckets == NULL)
	{
		sketch->buckets = (SketchBuckets *) sketch_alloc(sketch->context, sizeof(SketchBuckets));
		memset(sketch->buckets, 0, sizeof(SketchBuckets));
		sketch->buckets->min = INFINITY;
		sketch->buckets->max = -INFINITY;
	}
	sketch_count_values(sketch);
}

/*
 * Makes room in the short array: by counting it into buckets where there are
 * some, and in a longer one.  The more buckets, the more numbers wait for them:
 * then the memory of a bucket is fetched for several at once.
 */
static void
grow_values(Sketch *sketch)
{
	int			room = 4;
	int			limit = SKETCH_MAX_VALUES;
	double	   *values;

	if (sketch->buckets == NULL && sketch->values_room >= SKETCH_MAX_VALUES)
		sketch_to_buckets(sketch);
	else if (sketch->buckets != NULL)
		sketch_count_values(sketch);
	if (sketch->buckets != NULL)
		limit = (sketch->buckets->positive.room + sketch->buckets->negative.room) / 2;
	limit = limit < SKETCH_MAX_VALUES ? SKETCH_MAX_VALUES : (limit > SKETCH_MAX_WAITING ? SKETCH_MAX_WAITING : limit);
	while (room <= sketch->values_room)
		room *= 2;
	if (room > limit)
		return;
	values = (double *) sketch_alloc(sketch->context, room * sizeof(double));
	if (sketch->n_values > 0)
		memcpy(values, sketch->values, sketch->n_values * sizeof(double));
	if (sketch->values != NULL && !sketch->values_lent)
		sketch_free(sketch->values);
	sketch->values = values;
	sketch->values_room = (int16_t) room;
	sketch->values_lent = false;
}

/* Room for so many numbers in the short array; false where they need buckets. */
bool
sketch_reserve_values(Sketch *sketch, int n)
{
	if (sketch->buckets == NULL && sketch->n_values + n > SKETCH_MAX_VALUES)
		return false;
	while (sketch->n_values + n > sketch->values_room)
		grow_values(sketch);
	return true;
}

/* The counts of what is not finite, to be changed. */
SketchOdd *
sketch_make_odd(Sketch *sketch)
{
	if (sketch->odd == NULL)
	{
		sketch->odd = (SketchOdd *) sketch_alloc(sketch->context, sizeof(SketchOdd));
		memset(sketch->odd, 0, sizeof(SketchOdd));
	}
	return sketch->odd;
}

/* Counts what is not finite. */
static void
add_odd(Sketch *sketch, const SketchOdd *more)
{
	SketchOdd  *odd = sketch_make_odd(sketch);

	odd->n_nan = sketch_add_counts(odd->n_nan, more->n_nan);
	odd->n_pos_inf = sketch_add_counts(odd->n_pos_inf, more->n_pos_inf);
	odd->n_neg_inf = sketch_add_counts(odd->n_neg_inf, more->n_neg_inf);
}

/* Adds a number so many times: any number, not one that sketch_add() can do. */
void
sketch_add_slow(Sketch *sketch, double value, uint64_t count)
{
	if (count == 0)
		return;
	if (isnan(value) || isinf(value))
	{
		SketchOdd	odd = {0, 0, 0};

		*(isnan(value) ? &odd.n_nan : (value > 0 ? &odd.n_pos_inf : &odd.n_neg_inf)) = count;
		add_odd(sketch, &odd);
	}
	else
	{
		value += 0.0;			/* minus zero is zero */
		if (count <= (uint64_t) SKETCH_MAX_VALUES &&
			(sketch->buckets != NULL || count <= (uint64_t) (SKETCH_MAX_VALUES - sketch->n_values)))
		{
			for (; count > 0; count--)
			{
				if (sketch->n_values == sketch->values_room)
					grow_values(sketch);
				sketch->values[sketch->n_values++] = value;
			}
			return;
		}
		sketch_to_buckets(sketch);
		count_number(sketch, value, count);
		sketch_sum_number(&sketch->buckets->sum, value, count);
	}
}

/* Is there a double in this bucket? */
bool
sketch_is_bucket(int64_t bucket, int scale)
{
	int			by = SKETCH_MAX_SCALE - scale;

	return bucket >= ((INT64_C(-1074) * 512 - 1) >> by) && bucket <= ((INT64_C(1024) * 512 - 1) >> by);
}

/* Adds a count read from outside; false for a bucket that cannot be. */
bool
sketch_load_bucket(Sketch *sketch, SketchStore *store, int64_t bucket, uint64_t count)
{
	if (count == 0 || count > SKETCH_MAX_COUNT || !sketch_is_bucket(bucket, sketch->scale))
		return false;
	return store_add(sketch, store, (int32_t) bucket, count);
}

/* Makes room for the buckets of another store, at a scale that allows it. */
static void
reserve_merged(Sketch *sketch, SketchStore *store, int scale, const SketchStore *from)
{
	int32_t		first;
	int32_t		last;

	if (!sketch_range(from, &first, &last))
		return;
	while (!sketch_reserve(sketch, store, first >> (scale - sketch->scale), last >> (scale - sketch->scale)))
		sketch_lower_scale(sketch, sketch->scale - 1);
}

/* Adds the counts of another store, for which there is room. */
static void
merge_counts(Sketch *sketch, SketchStore *store, int scale, const SketchStore *from)
{
	int			by = scale - sketch->scale;
	int32_t		first;
	int32_t		last;
	int32_t		i;

	if (!sketch_range(from, &first, &last))
		return;
	for (i = first; i <= last; i++)
	{
		uint64_t   *count = &store->counts[(i >> by) - store->first];

		*count = sketch_add_counts(*count, from->counts[i - from->first]);
	}
}

/* Adds the contents of another sketch, whose contents stay what they are. */
void
sketch_merge(Sketch *sketch, Sketch *other)
{
	SketchBuckets *into;
	SketchBuckets *from = other->buckets;
	int			scale;
	int			i;

	if (other->odd != NULL)
		add_odd(sketch, other->odd);
	sketch_lower_scale(sketch, other->scale);
	for (i = 0; i < other->n_values; i++)
		sketch_add(sketch, other->values[i]);
	if (from == NULL)
		return;
	if (from->positive.has_recent)
		sketch_add_recent(&from->positive);
	sketch_to_buckets(sketch);
	into = sketch->buckets;
	if (from->min < into->min)
		into->min = from->min;
	if (from->max > into->max)
		into->max = from->max;
	into->n_zero = sketch_add_counts(into->n_zero, from->n_zero);
	sketch_sum_merge(&into->sum, &from->sum);
	do
	{
		/* a lower scale for one takes back the room of the other */
		scale = sketch->scale;
		reserve_merged(sketch, &into->positive, other->scale, &from->positive);
		reserve_merged(sketch, &into->negative, other->scale, &from->negative);
	} while (scale != sketch->scale);
	merge_counts(sketch, &into->positive, other->scale, &from->positive);
	merge_counts(sketch, &into->negative, other->scale, &from->negative);
}
