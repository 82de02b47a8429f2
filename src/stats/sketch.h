/*
 * sketch.h
 *		A summary of numbers that answers percentiles, without a server underneath.
 *
 * A base-2 exponential histogram: bucket k of a scale holds the magnitudes in
 * (2^(k/2^scale), 2^((k+1)/2^scale)].  Lowering the scale by one joins every
 * two neighbours, so summaries of different scales can be merged, and data too
 * wide for the buckets makes them wider rather than fail.  Up to 32 numbers are
 * kept as they are.
 *
 * What a sketch holds depends on the numbers alone, not on their order nor on
 * how they were grouped before merging; so do its bytes.
 */
#ifndef BCCE_SKETCH_H
#define BCCE_SKETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stats/sketch_sum.h"

#define SKETCH_VERSION			1
#define SKETCH_MIN_SCALE		(-10)
#define SKETCH_MAX_SCALE		9
#define SKETCH_DEFAULT_SCALE	6
#define SKETCH_MAX_VALUES		32		/* kept as they are */
#define SKETCH_MAX_WAITING		128		/* to be counted into buckets together */
#define SKETCH_MAX_BUCKETS		4096	/* of each sign, from first to last */
#define SKETCH_MAX_COUNT		((uint64_t) INT64_MAX)	/* counts stay there */

/*
 * Counts of consecutive buckets.  As many bytes follow them, in which numbers
 * are counted first: the counts of hundreds of groups exceed a processor's
 * cache, their bytes do not.
 */
typedef struct SketchStore
{
	int32_t		first;			/* bucket of counts[0] */
	int32_t		room;
	bool		has_recent;		/* perhaps, in the bytes */
	uint64_t   *counts;			/* NULL when room is 0 */
} SketchStore;

/* What a sketch of more than SKETCH_MAX_VALUES numbers has. */
typedef struct SketchBuckets
{
	double		min;			/* of the finite ones, as is max */
	double		max;
	uint64_t	n_zero;
	SketchStore positive;
	SketchStore negative;
	SketchSum	sum;
} SketchBuckets;

/* How many are not finite. */
typedef struct SketchOdd
{
	uint64_t	n_nan;
	uint64_t	n_pos_inf;
	uint64_t	n_neg_inf;
} SketchOdd;

/* Small, for there may be millions of them. */
typedef struct Sketch
{
	void	   *context;		/* for sketch_alloc() */
	int16_t		scale;
	int16_t		n_values;
	int16_t		values_room;
	bool		values_lent;	/* by the caller of sketch_lend() */
	double	   *values;			/* finite ones that the buckets do not count */
	SketchBuckets *buckets;		/* NULL while values holds them all */
	SketchOdd  *odd;			/* NULL while there is none */
} Sketch;

/* A part of the data in ascending order, for sketch_walk(). */
typedef struct SketchPart
{
	double		lower;			/* NaN for the NaNs; lower = upper for one value */
	double		upper;
	uint64_t	count;
} SketchPart;

/* Called for each part; false stops the walk. */
typedef bool (*SketchVisit) (const SketchPart *part, void *arg);

/* From whoever uses sketches: memory, never NULL, and a point where to stop when asked to. */
extern void *sketch_alloc(void *context, size_t size);
extern void sketch_free(void *pointer);
extern void sketch_pause(void);

/* sketch.c: making */
extern void sketch_init(Sketch *sketch, void *context, int scale);
extern void sketch_lend(Sketch *sketch, double *values, int room);
extern SketchOdd *sketch_make_odd(Sketch *sketch);
extern bool sketch_reserve_values(Sketch *sketch, int n);
extern void sketch_reset(Sketch *sketch);
extern void sketch_add_slow(Sketch *sketch, double value, uint64_t count);
extern void sketch_merge(Sketch *sketch, Sketch *other);
extern void sketch_lower_scale(Sketch *sketch, int scale);
extern void sketch_to_buckets(Sketch *sketch);
extern void sketch_count_values(Sketch *sketch);
extern void sketch_add_recent(SketchStore *store);
extern void sketch_sum_number(SketchSum *sum, double value, uint64_t count);
extern bool sketch_reserve(Sketch *sketch, SketchStore *store, int32_t first, int32_t last);
extern bool sketch_is_bucket(int64_t bucket, int scale);
extern bool sketch_load_bucket(Sketch *sketch, SketchStore *store, int64_t bucket, uint64_t count);
extern bool sketch_range(const SketchStore *store, int32_t *first, int32_t *last);
extern uint64_t sketch_add_counts(uint64_t a, uint64_t b);

/* sketch_bound.c: from numbers to buckets and back */
extern int sketch_scale_for(double error);
extern double sketch_scale_error(int scale);
extern int32_t sketch_bucket(double magnitude, int scale);
extern double sketch_lower(int32_t bucket, int scale);
extern double sketch_upper(int32_t bucket, int scale);
extern double sketch_middle(int32_t bucket, int scale);

/* sketch_import.c: from histograms made elsewhere */
extern bool sketch_import_bucket(Sketch *sketch, bool negative, int scale, int64_t bucket, uint64_t count);
extern void sketch_import_zeros(Sketch *sketch, uint64_t count);
extern void sketch_import_range(Sketch *sketch, double min, double max);
extern void sketch_import_sum(Sketch *sketch, double sum);

/* sketch_read.c: answers */
extern uint64_t sketch_count(Sketch *sketch);
extern double sketch_min(Sketch *sketch);
extern double sketch_max(Sketch *sketch);
extern double sketch_sum(Sketch *sketch);
extern double sketch_mean(Sketch *sketch);
extern double sketch_error(Sketch *sketch);
extern double sketch_percentile(Sketch *sketch, double q);
extern double sketch_share(Sketch *sketch, double value, bool inclusive);
extern void sketch_walk(Sketch *sketch, SketchVisit visit, void *arg);
extern void sketch_sort(Sketch *sketch);

/* sketch_pack.c, sketch_text.c: the two forms; false for what is none */
extern size_t sketch_pack_bound(Sketch *sketch);
extern size_t sketch_pack(Sketch *sketch, uint8_t *out);
extern bool sketch_unpack(Sketch *sketch, const uint8_t *bytes, size_t len);
extern bool sketch_add_packed(Sketch *sketch, const uint8_t *bytes, size_t len);
extern bool sketch_is_sound(Sketch *sketch);
extern size_t sketch_text_bound(Sketch *sketch);
extern void sketch_to_text(Sketch *sketch, char *out);
extern bool sketch_from_text(Sketch *sketch, const char *text);

#endif
