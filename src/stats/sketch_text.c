/*
 * sketch_text.c
 *		Sketches as text, for people and for dumps.
 *
 * Fields in a fixed order, with one blank between them:
 *
 *	version=1 scale=6 nan=1 inf=1 -inf=1 values=0.5,2,2
 *	version=1 scale=6 zero=3 min=-1 max=9.5 sum=0x1f8p-4 positive=-65:4,209:1 negative=-1:7
 *
 * A field of nothing is left out.  The sum is exact: a hexadecimal number times
 * a power of two.  Buckets are bucket:count.
 */
#include "stats/sketch_index.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes that a number takes at most, with what stands around it. */
#define NUMBER_BYTES	32

/* How many bytes sketch_to_text() needs at most, its end included. */
size_t
sketch_text_bound(Sketch *sketch)
{
	size_t		n = 12 * NUMBER_BYTES;
	const SketchStore *store;
	int			i;

	sketch_settle(sketch);
	n += sketch->n_values * NUMBER_BYTES;
	if (sketch->buckets == NULL)
		return n;
	n += 2 * SKETCH_SUM_BYTES;
	for (store = &sketch->buckets->positive;; store = &sketch->buckets->negative)
	{
		for (i = 0; i < store->room; i++)
			n += store->counts[i] != 0 ? NUMBER_BYTES : 0;
		if (store == &sketch->buckets->negative)
			return n;
	}
}

/* Writes a number in the fewest digits that are read back as it is. */
static char *
put_number(char *out, double value)
{
	int			digits;
	int			len = 0;

	for (digits = 15; digits <= 17; digits++)
	{
		len = snprintf(out, NUMBER_BYTES, "%.*g", digits, value);
		if (strtod(out, NULL) == value)
			break;
	}
	return out + len;
}

static char *
put_count(char *out, const char *name, uint64_t count)
{
	if (count == 0)
		return out;
	return out + sprintf(out, " %s=%" PRIu64, name, count);
}

static char *
put_sum(char *out, const SketchSum *sum)
{
	SketchSumBytes bytes;
	int			i;

	sketch_sum_to_bytes(sum, &bytes);
	out += sprintf(out, " sum=%s0x", bytes.negative ? "-" : "");
	if (bytes.len == 0)
		out += sprintf(out, "0");
	for (i = bytes.len - 1; i >= 0; i--)
		out += sprintf(out, i == bytes.len - 1 ? "%x" : "%02x", bytes.bytes[i]);
	return out + sprintf(out, "p%d", bytes.len == 0 ? 0 : 8 * bytes.first - 1074);
}

static char *
put_store(char *out, const char *name, const SketchStore *store)
{
	char		before = '=';
	int32_t		i;

	for (i = 0; i < store->room; i++)
	{
		if (store->counts[i] == 0)
			continue;
		if (before == '=')
			out += sprintf(out, " %s", name);
		out += sprintf(out, "%c%d:%" PRIu64, before, (int) (store->first + i), store->counts[i]);
		before = ',';
	}
	return out;
}

/* Writes the text and a zero byte. */
void
sketch_to_text(Sketch *sketch, char *out)
{
	SketchOdd	odd = sketch_odd(sketch);
	int			i;

	sketch_settle(sketch);
	out += sprintf(out, "version=%d scale=%d", SKETCH_VERSION, sketch->scale);
	out = put_count(out, "nan", odd.n_nan);
	out = put_count(out, "inf", odd.n_pos_inf);
	out = put_count(out, "-inf", odd.n_neg_inf);
	sketch_sort(sketch);
	for (i = 0; i < sketch->n_values; i++)
	{
		out += sprintf(out, i == 0 ? " values=" : ",");
		out = put_number(out, sketch->values[i]);
	}
	if (sketch->buckets == NULL)
		return;
	out = put_count(out, "zero", sketch->buckets->n_zero);
	out += sprintf(out, " min=");
	out = put_number(out, sketch->buckets->min);
	out += sprintf(out, " max=");
	out = put_number(out, sketch->buckets->max);
	out = put_sum(out, &sketch->buckets->sum);
	out = put_store(out, "positive", &sketch->buckets->positive);
	put_store(out, "negative", &sketch->buckets->negative);
}

/* Steps over a word when it is the next. */
static bool
take(const char **text, const char *word)
{
	size_t		len = strlen(word);

	if (strncmp(*text, word, len) != 0)
		return false;
	*text += len;
	return true;
}

/* A whole number in decimal digits within limits. */
static bool
take_integer(const char **text, int64_t least, int64_t most, int64_t *value)
{
	const char *digits = *text + (**text == '-');
	char	   *end;
	long long	number;

	if (*digits < '0' || *digits > '9')
		return false;
	errno = 0;
	number = strtoll(*text, &end, 10);
	if (errno != 0 || number < least || number > most)
		return false;
	*value = number;
	*text = end;
	return true;
}

/* A finite number in decimal digits. */
static bool
take_number(const char **text, double *value)
{
	size_t		len = strspn(*text, "0123456789+-.e");
	char		copy[2 * NUMBER_BYTES];
	char	   *end;

	if (len == 0 || len >= sizeof(copy))
		return false;
	memcpy(copy, *text, len);
	copy[len] = '\0';
	*value = strtod(copy, &end);
	if (*end != '\0' || isnan(*value) || isinf(*value))
		return false;
	if (*value == 0)
		*value = 0;				/* minus zero is zero */
	*text += len;
	return true;
}

/* A count with its name; without the name the count stays 0. */
static bool
take_count(const char **text, const char *name, uint64_t *count)
{
	int64_t		value;

	if (!take(text, name))
		return true;
	if (!take_integer(text, 1, INT64_MAX, &value))
		return false;
	*count = (uint64_t) value;
	return true;
}

/* The value of a hexadecimal digit, or -1. */
static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
take_sum(const char **text, SketchSum *sum)
{
	SketchSumBytes bytes = {0};
	size_t		digits;
	size_t		i;
	int64_t		exponent;

	bytes.negative = take(text, "-");
	if (!take(text, "0x"))
		return false;
	digits = strspn(*text, "0123456789abcdef");
	if (digits == 0 || digits > 2 * SKETCH_SUM_BYTES)
		return false;
	for (i = 0; i < digits; i++)
		bytes.bytes[i / 2] |= (uint8_t) (hex_digit((*text)[digits - 1 - i]) << (4 * (i % 2)));
	*text += digits;
	if (!take(text, "p") || !take_integer(text, -1074, 8 * SKETCH_SUM_BYTES, &exponent))
		return false;
	if (digits == 1 && bytes.bytes[0] == 0)
		return !bytes.negative && exponent == 0;
	bytes.len = (int) (digits + 1) / 2;
	bytes.first = (int) (exponent + 1074) / 8;
	if ((exponent + 1074) % 8 != 0 || bytes.first + bytes.len > SKETCH_SUM_BYTES)
		return false;
	sketch_sum_add_bytes(sum, &bytes);
	return true;
}

static bool
take_values(const char **text, Sketch *sketch)
{
	double		value;

	do
	{
		if (sketch->n_values == SKETCH_MAX_VALUES || !take_number(text, &value))
			return false;
		sketch_add_slow(sketch, value, 1);
	} while (take(text, ","));
	return true;
}

/* Buckets in ascending order. */
static bool
take_store(const char **text, const char *name, Sketch *sketch, SketchStore *store)
{
	int64_t		before = INT32_MIN;
	int64_t		bucket;
	int64_t		count;

	if (!take(text, name))
		return true;
	do
	{
		if (!take_integer(text, before + 1, INT32_MAX, &bucket) || !take(text, ":") ||
			!take_integer(text, 1, INT64_MAX, &count) ||
			!sketch_load_bucket(sketch, store, bucket, (uint64_t) count))
			return false;
		before = bucket;
	} while (take(text, ","));
	return true;
}

/* The fields of a sketch with buckets. */
static bool
take_buckets(const char **text, Sketch *sketch)
{
	SketchBuckets *buckets;

	sketch_to_buckets(sketch);
	buckets = sketch->buckets;
	return take_count(text, " zero=", &buckets->n_zero) &&
		take(text, " min=") && take_number(text, &buckets->min) &&
		take(text, " max=") && take_number(text, &buckets->max) &&
		take(text, " sum=") && take_sum(text, &buckets->sum) &&
		take_store(text, " positive=", sketch, &buckets->positive) &&
		take_store(text, " negative=", sketch, &buckets->negative);
}

/* Reads text into an empty sketch; false when it is not of the form above. */
bool
sketch_from_text(Sketch *sketch, const char *text)
{
	SketchOdd	odd = {0, 0, 0};
	int64_t		version;
	int64_t		scale;
	bool		valid;

	while (*text == ' ')
		text++;
	if (!take(&text, "version=") || !take_integer(&text, SKETCH_VERSION, SKETCH_VERSION, &version) ||
		!take(&text, " scale=") || !take_integer(&text, SKETCH_MIN_SCALE, SKETCH_MAX_SCALE, &scale))
		return false;
	sketch->scale = (int16_t) scale;
	if (!take_count(&text, " nan=", &odd.n_nan) ||
		!take_count(&text, " inf=", &odd.n_pos_inf) ||
		!take_count(&text, " -inf=", &odd.n_neg_inf))
		return false;
	if (odd.n_nan > 0 || odd.n_pos_inf > 0 || odd.n_neg_inf > 0)
		*sketch_make_odd(sketch) = odd;
	if (take(&text, " values="))
		valid = take_values(&text, sketch);
	else if (text[0] == ' ' && text[1] != ' ' && text[1] != '\0')
		valid = take_buckets(&text, sketch);
	else
		valid = true;
	while (*text == ' ')
		text++;
	return valid && *text == '\0' && sketch_is_sound(sketch);
}
