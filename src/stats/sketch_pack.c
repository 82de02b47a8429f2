/*
 * sketch_pack.c
 *		Sketches as bytes.
 *
 *	version		1
 *	flags		which of the following are there
 *	scale		signed
 *	counts of NaN, Infinity, -Infinity, each when flagged
 * then either, when exact,
 *	number of values, and the values in ascending order
 * or
 *	count of zeros, when flagged
 *	smallest and largest finite number
 *	sum: leading zero bytes; length and sign; magnitude, lowest byte first
 *	positive, then negative buckets, each when flagged: number of the first,
 *	how many are in use, and for each the unused ones before it and its count
 *
 * Whole numbers take seven bits a byte, lowest first; signed ones have their
 * sign in the lowest bit.  A gap below 7 and a count up to 31 share one byte:
 * three bits of gap, five of count less one; at the top of either's range the
 * rest follows.  Doubles are in little-endian order.  One sketch has one form:
 * any other is refused.
 */
#include "stats/sketch_index.h"

#include <math.h>
#include <string.h>

#define FLAG_EXACT		0x01
#define FLAG_NAN		0x02
#define FLAG_POS_INF	0x04
#define FLAG_NEG_INF	0x08
#define FLAG_ZERO		0x10
#define FLAG_POSITIVE	0x20
#define FLAG_NEGATIVE	0x40

#define VARINT_BYTES	10
#define GAP_REST		7
#define COUNT_REST		31

/* The bytes still to read; bad once something was wrong. */
typedef struct Reader
{
	const uint8_t *at;
	const uint8_t *end;
	bool		bad;
} Reader;

static uint8_t *
put_varint(uint8_t *out, uint64_t value)
{
	while (value >= 0x80)
	{
		*out++ = (uint8_t) (value | 0x80);
		value >>= 7;
	}
	*out++ = (uint8_t) value;
	return out;
}

static uint8_t *
put_double(uint8_t *out, double value)
{
	uint64_t	bits;
	int			i;

	memcpy(&bits, &value, sizeof(bits));
	for (i = 0; i < 8; i++)
		*out++ = (uint8_t) (bits >> (8 * i));
	return out;
}

static uint8_t
get_byte(Reader *in)
{
	if (in->at == in->end)
	{
		in->bad = true;
		return 0;
	}
	return *in->at++;
}

/* A whole number in its shortest form. */
static uint64_t
get_varint(Reader *in)
{
	uint64_t	value = 0;
	int			shift;

	for (shift = 0; shift < 64; shift += 7)
	{
		uint8_t		byte = get_byte(in);

		if (shift == 63 && byte > 1)
			break;
		value |= (uint64_t) (byte & 0x7f) << shift;
		if (byte < 0x80)
		{
			if (byte == 0 && shift > 0)
				break;
			return value;
		}
	}
	in->bad = true;
	return 0;
}

/* The bits of a double, which compilers read at once where they can. */
static inline uint64_t
bits_at(const uint8_t *at)
{
	return (uint64_t) at[0] | (uint64_t) at[1] << 8 | (uint64_t) at[2] << 16 | (uint64_t) at[3] << 24 |
		(uint64_t) at[4] << 32 | (uint64_t) at[5] << 40 | (uint64_t) at[6] << 48 | (uint64_t) at[7] << 56;
}

/* A finite number, not minus zero. */
static double
get_double(Reader *in)
{
	uint64_t	bits;
	double		value;

	if (in->end - in->at < 8)
	{
		in->bad = true;
		return 0;
	}
	bits = bits_at(in->at);
	in->at += 8;
	memcpy(&value, &bits, sizeof(value));
	if (((bits >> 52) & 0x7ff) == 0x7ff || bits == UINT64_C(1) << 63)
	{
		in->bad = true;
		return 0;
	}
	return value;
}

/* A count of what is flagged, so not 0. */
static uint64_t
get_count(Reader *in)
{
	uint64_t	count = get_varint(in);

	if (count == 0 || count > SKETCH_MAX_COUNT)
		in->bad = true;
	return count;
}

/* How many buckets are in use. */
static int
used_buckets(const SketchStore *store)
{
	int			n = 0;
	int32_t		i;

	for (i = 0; i < store->room; i++)
		n += store->counts[i] != 0;
	return n;
}

/* How many bytes sketch_pack() needs at most. */
size_t
sketch_pack_bound(Sketch *sketch)
{
	size_t		n = 3 + 3 * VARINT_BYTES;

	sketch_settle(sketch);
	if (sketch->buckets == NULL)
		return n + VARINT_BYTES + sketch->n_values * sizeof(double);
	n += VARINT_BYTES + 2 * sizeof(double) + 2 * VARINT_BYTES + SKETCH_SUM_BYTES + 4 * VARINT_BYTES;
	n += (size_t) (used_buckets(&sketch->buckets->positive) + used_buckets(&sketch->buckets->negative)) *
		(1 + 2 * VARINT_BYTES);
	return n;
}

static uint8_t *
put_sum(uint8_t *out, const SketchSum *sum)
{
	SketchSumBytes bytes;

	sketch_sum_to_bytes(sum, &bytes);
	out = put_varint(out, bytes.first);
	out = put_varint(out, (uint64_t) bytes.len << 1 | bytes.negative);
	memcpy(out, bytes.bytes, bytes.len);
	return out + bytes.len;
}

static uint8_t *
put_store(uint8_t *out, const SketchStore *store)
{
	int32_t		first;
	int32_t		last;
	uint32_t	gap = 0;
	int32_t		i;

	if (!sketch_range(store, &first, &last))
		return out;
	out = put_varint(out, first < 0 ? (uint64_t) ~first << 1 | 1 : (uint64_t) first << 1);
	out = put_varint(out, used_buckets(store));
	for (i = first - store->first; i <= last - store->first; i++)
	{
		uint64_t	count = store->counts[i];

		if (count == 0)
		{
			gap++;
			continue;
		}
		*out++ = (uint8_t) ((gap < GAP_REST ? gap : GAP_REST) << 5 |
							(count <= COUNT_REST ? count - 1 : COUNT_REST));
		if (gap >= GAP_REST)
			out = put_varint(out, gap - GAP_REST);
		if (count > COUNT_REST)
			out = put_varint(out, count - COUNT_REST - 1);
		gap = 0;
	}
	return out;
}

/* Which parts there are. */
static uint8_t
flags_of(const Sketch *sketch)
{
	SketchOdd	odd = sketch_odd(sketch);
	uint8_t		flags = 0;

	flags |= odd.n_nan > 0 ? FLAG_NAN : 0;
	flags |= odd.n_pos_inf > 0 ? FLAG_POS_INF : 0;
	flags |= odd.n_neg_inf > 0 ? FLAG_NEG_INF : 0;
	if (sketch->buckets == NULL)
		return flags | FLAG_EXACT;
	flags |= sketch->buckets->n_zero > 0 ? FLAG_ZERO : 0;
	flags |= used_buckets(&sketch->buckets->positive) > 0 ? FLAG_POSITIVE : 0;
	flags |= used_buckets(&sketch->buckets->negative) > 0 ? FLAG_NEGATIVE : 0;
	return flags;
}

/* Writes the bytes, and returns how many there are. */
size_t
sketch_pack(Sketch *sketch, uint8_t *out)
{
	SketchOdd	odd = sketch_odd(sketch);
	uint8_t    *start = out;
	uint8_t		flags;
	int			i;

	sketch_settle(sketch);
	flags = flags_of(sketch);
	*out++ = SKETCH_VERSION;
	*out++ = flags;
	*out++ = (uint8_t) sketch->scale;
	if (flags & FLAG_NAN)
		out = put_varint(out, odd.n_nan);
	if (flags & FLAG_POS_INF)
		out = put_varint(out, odd.n_pos_inf);
	if (flags & FLAG_NEG_INF)
		out = put_varint(out, odd.n_neg_inf);
	if (flags & FLAG_EXACT)
	{
		sketch_sort(sketch);
		*out++ = (uint8_t) sketch->n_values;
		for (i = 0; i < sketch->n_values; i++)
			out = put_double(out, sketch->values[i]);
		return out - start;
	}
	if (flags & FLAG_ZERO)
		out = put_varint(out, sketch->buckets->n_zero);
	out = put_double(out, sketch->buckets->min);
	out = put_double(out, sketch->buckets->max);
	out = put_sum(out, &sketch->buckets->sum);
	out = put_store(out, &sketch->buckets->positive);
	out = put_store(out, &sketch->buckets->negative);
	return out - start;
}

/* Numbers in ascending order; returns how many. */
static int
get_values(Reader *in, double *values)
{
	int			n = get_byte(in);
	int			i;

	if (n > SKETCH_MAX_VALUES)
		in->bad = true;
	for (i = 0; i < n && !in->bad; i++)
	{
		values[i] = get_double(in);
		if (i > 0 && values[i] < values[i - 1])
			in->bad = true;
	}
	return n;
}

/*
 * Copies numbers, at least one; false unless they ascend and are finite, none
 * of them minus zero.  Positive ones, which are most, ascend as their bits do.
 */
static bool
copy_values(const uint8_t *bytes, int n, double *values)
{
	uint64_t	before = bits_at(bytes);
	bool		bad = false;
	int			i;

	if (before >> 63)
	{
		Reader		in = {bytes - 1, bytes + n * sizeof(double), false};

		return get_values(&in, values) == n && !in.bad;
	}
	for (i = 0; i < n; i++)
	{
		uint64_t	bits = bits_at(bytes + i * sizeof(double));

		memcpy(&values[i], &bits, sizeof(bits));
		bad |= bits < before;
		before = bits;
	}
	return !bad && before < UINT64_C(0x7ff) << 52;
}

static void
get_sum(Reader *in, SketchSum *sum)
{
	SketchSumBytes bytes;
	uint64_t	first = get_varint(in);
	uint64_t	len = get_varint(in);

	bytes.negative = len & 1;
	len >>= 1;
	if (in->bad || first > SKETCH_SUM_BYTES || len > SKETCH_SUM_BYTES - first ||
		len > (uint64_t) (in->end - in->at) || (len == 0 && (first > 0 || bytes.negative)))
	{
		in->bad = true;
		return;
	}
	bytes.first = (int) first;
	bytes.len = (int) len;
	memcpy(bytes.bytes, in->at, len);
	in->at += len;
	if (len > 0 && (bytes.bytes[0] == 0 || bytes.bytes[len - 1] == 0))
		in->bad = true;
	else
		sketch_sum_add_bytes(sum, &bytes);
}

/* What exceeds a field, which cannot exceed a count. */
static uint64_t
get_rest(Reader *in)
{
	uint64_t	rest = get_varint(in);

	if (rest > SKETCH_MAX_COUNT)
		in->bad = true;
	return rest;
}

/* Buckets, whose last one should be that of the given magnitude. */
static void
get_store(Reader *in, Sketch *sketch, SketchStore *store, double largest)
{
	uint64_t	first = get_varint(in);
	uint64_t	n = get_varint(in);
	int64_t		bucket;
	int64_t		last;
	uint64_t	i;

	if (first > UINT32_MAX || n == 0 || n > SKETCH_MAX_BUCKETS)
	{
		in->bad = true;
		return;
	}
	bucket = (int64_t) (first >> 1);
	if (first & 1)
		bucket = ~bucket;
	if (!sketch_is_bucket(bucket, sketch->scale))
	{
		in->bad = true;
		return;
	}
	last = bucket + SKETCH_MAX_BUCKETS - 1;
	if (largest > 0 && sketch_bucket(largest, sketch->scale) >= bucket)
		(void) sketch_reserve(sketch, store, (int32_t) bucket, sketch_bucket(largest, sketch->scale));
	for (i = 0; i < n && !in->bad; i++)
	{
		uint8_t		byte = get_byte(in);
		uint64_t	gap = byte >> 5;
		uint64_t	count = (uint64_t) (byte & COUNT_REST) + 1;

		if (gap == GAP_REST)
			gap += get_rest(in);
		if (count == COUNT_REST + 1)
			count += get_rest(in);
		if (i == 0 ? gap > 0 : gap > SKETCH_MAX_BUCKETS)
			in->bad = true;
		if (in->bad)
			return;
		bucket += (int64_t) gap + (i > 0);
		if (bucket > last || !sketch_load_bucket(sketch, store, bucket, count))
			in->bad = true;
	}
}

/* Are the smallest and the largest number where the buckets say? */
bool
sketch_is_sound(Sketch *sketch)
{
	const SketchBuckets *buckets = sketch->buckets;
	int32_t		first_positive;
	int32_t		last_positive;
	int32_t		first_negative;
	int32_t		last_negative;
	bool		positive;
	bool		negative;
	bool		sound;

	if (buckets == NULL)
		return true;
	positive = sketch_range(&buckets->positive, &first_positive, &last_positive);
	negative = sketch_range(&buckets->negative, &first_negative, &last_negative);
	if (!(buckets->min <= buckets->max))
		return false;

	if (negative)
		sound = buckets->min < 0 && sketch_bucket(-buckets->min, sketch->scale) == last_negative;
	else if (buckets->n_zero > 0)
		sound = buckets->min == 0;
	else
		sound = positive && buckets->min > 0 && sketch_bucket(buckets->min, sketch->scale) == first_positive;
	if (positive)
		sound = sound && buckets->max > 0 && sketch_bucket(buckets->max, sketch->scale) == last_positive;
	else if (buckets->n_zero > 0)
		sound = sound && buckets->max == 0;
	else
		sound = sound && buckets->max < 0 && sketch_bucket(-buckets->max, sketch->scale) == first_negative;
	return sound;
}

/*
 * Reads bytes into an empty sketch; false when they are none that sketch_pack()
 * writes.
 */
bool
sketch_unpack(Sketch *sketch, const uint8_t *bytes, size_t len)
{
	Reader		in = {bytes, bytes + len, false};
	uint8_t		version = get_byte(&in);
	uint8_t		flags = get_byte(&in);
	int			scale = (int8_t) get_byte(&in);

	if (in.bad || version != SKETCH_VERSION || flags > (FLAG_NEGATIVE << 1) - 1 ||
		((flags & FLAG_EXACT) && (flags & (FLAG_ZERO | FLAG_POSITIVE | FLAG_NEGATIVE))) ||
		scale < SKETCH_MIN_SCALE || scale > SKETCH_MAX_SCALE)
		return false;
	sketch->scale = (int16_t) scale;
	if (flags & FLAG_NAN)
		sketch_make_odd(sketch)->n_nan = get_count(&in);
	if (flags & FLAG_POS_INF)
		sketch_make_odd(sketch)->n_pos_inf = get_count(&in);
	if (flags & FLAG_NEG_INF)
		sketch_make_odd(sketch)->n_neg_inf = get_count(&in);
	if (flags & FLAG_EXACT)
	{
		double		values[SKETCH_MAX_VALUES];
		int			n = get_values(&in, values);
		int			i;

		for (i = 0; i < n && !in.bad; i++)
			sketch_add(sketch, values[i]);
	}
	else
	{
		sketch_to_buckets(sketch);
		if (flags & FLAG_ZERO)
			sketch->buckets->n_zero = get_count(&in);
		sketch->buckets->min = get_double(&in);
		sketch->buckets->max = get_double(&in);
		if (!in.bad)
			get_sum(&in, &sketch->buckets->sum);
		if (!in.bad && (flags & FLAG_POSITIVE))
			get_store(&in, sketch, &sketch->buckets->positive, sketch->buckets->max);
		if (!in.bad && (flags & FLAG_NEGATIVE))
			get_store(&in, sketch, &sketch->buckets->negative, -sketch->buckets->min);
	}
	return !in.bad && in.at == in.end && sketch_is_sound(sketch);
}

/* Place in a store, perhaps outside of it, of a positive number of the normal range. */
static inline uint32_t
place_of_bits(uint64_t bits, int by, int32_t first)
{
	return (uint32_t) ((sketch_finest_bucket((int32_t) (bits >> MANTISSA_BITS) - 1023, bits & MANTISSA_MASK) >> by) - first);
}

/*
 * Counts packed numbers, at least one, straight into the buckets.  False, with
 * nothing done, unless they ascend, are positive and of the normal range, and
 * have a bucket each: which the first and the last one tell.
 */
static bool
count_packed(Sketch *sketch, const uint8_t *bytes, int n)
{
	SketchBuckets *buckets = sketch->buckets;
	SketchStore *store = &buckets->positive;
	SketchSumRun run = {0, 0, 0};
	uint8_t    *recent = sketch_recent(store);
	uint64_t	least = bits_at(bytes);
	uint64_t	most = least;
	int			by = SKETCH_MAX_SCALE - sketch->scale;
	int32_t		first = store->first;
	bool		bad = false;
	double		value;
	int			i;

	for (i = 1; i < n; i++)
	{
		uint64_t	bits = bits_at(bytes + i * sizeof(double));

		bad |= bits < most;
		most = bits;
	}
	if (bad || least < UINT64_C(1) << MANTISSA_BITS || most >= UINT64_C(0x7ff) << MANTISSA_BITS ||
		place_of_bits(least, by, first) >= (uint32_t) store->room ||
		place_of_bits(most, by, first) >= (uint32_t) store->room)
		return false;

	sketch_sum_expect(&buckets->sum, n);
	for (i = 0; i < n; i++)
	{
		uint64_t	bits = bits_at(bytes + i * sizeof(double));
		uint32_t	place = place_of_bits(bits, by, first);

		if (++recent[place] == 0)
			store->counts[place] = sketch_add_counts(store->counts[place], UINT8_MAX + 1);
		sketch_sum_run_add(&buckets->sum, &run, bits);
	}
	sketch_sum_run_end(&buckets->sum, &run);
	store->has_recent = true;
	memcpy(&value, &least, sizeof(value));
	buckets->min = value < buckets->min ? value : buckets->min;
	memcpy(&value, &most, sizeof(value));
	buckets->max = value > buckets->max ? value : buckets->max;
	return true;
}

/*
 * Adds the numbers of a packed sketch that keeps them and has no others: the
 * short way for sums over many small sketches.  False, with nothing added, for
 * bytes of another kind, good or bad.
 */
bool
sketch_add_packed(Sketch *sketch, const uint8_t *bytes, size_t len)
{
	int			scale;
	int			n;

	if (len < 4 + sizeof(double) || bytes[0] != SKETCH_VERSION || bytes[1] != FLAG_EXACT)
		return false;
	scale = (int8_t) bytes[2];
	n = bytes[3];
	if (scale < SKETCH_MIN_SCALE || scale > SKETCH_MAX_SCALE ||
		n > SKETCH_MAX_VALUES || len != 4 + n * sizeof(double))
		return false;
	if (sketch->buckets != NULL && scale >= sketch->scale && count_packed(sketch, bytes + 4, n))
		return true;
	if ((sketch->values_room - sketch->n_values < n && !sketch_reserve_values(sketch, n)) ||
		!copy_values(bytes + 4, n, sketch->values + sketch->n_values))
		return false;
	sketch->n_values += (int16_t) n;
	if (scale < sketch->scale)
		sketch_lower_scale(sketch, scale);
	return true;
}
