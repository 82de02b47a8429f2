/*
 * quality.h
 *		How good probabilities were, without a server underneath: scores of single
 *		predictions, calibration by bins, and intervals of Wilson.
 *
 * Sums are kept without rounding, so that no result depends on the order of
 * rows or on how they were grouped before merging.
 */
#ifndef BCCE_QUALITY_H
#define BCCE_QUALITY_H

#include "stats/sketch_sum.h"

/* How many bins there may be. */
#define CALIBRATION_MAX_BINS	1000

/* Scores of single predictions, of which the mean is taken. */
typedef enum ScoreKind
{
	SCORE_BRIER = 1,
	SCORE_LOG_LOSS = 2
} ScoreKind;

typedef struct Score
{
	int64_t		n;
	SketchSum	sum;
} Score;

/* Predictions of one bin. */
typedef struct CalibrationBin
{
	int64_t		n;
	int64_t		events;			/* what was predicted came */
	SketchSum	sum;			/* of the probabilities */
} CalibrationBin;

/* Bins of equal width from 0 to 1; NULL where there was no prediction. */
typedef struct Calibration
{
	void	   *context;		/* for calibration_alloc() */
	int			bins;
	CalibrationBin **bin;
} Calibration;

/* Predicted and actual classes: rows by [predicted][actual]. */
typedef struct Confusion
{
	int64_t		n[2][2];
} Confusion;

/* Zeroed memory, from whoever uses bins; does not return NULL. */
extern void *calibration_alloc(void *context, size_t size);

/* Bytes of a packed score at most. */
#define SCORE_PACKED_BOUND	(1 + 8 + 4 + SKETCH_SUM_BYTES)

extern void score_add(Score *score, ScoreKind kind, double p, bool y);
extern double score_mean(const Score *score);
extern size_t score_pack(const Score *score, ScoreKind kind, uint8_t *bytes);
extern bool score_unpack(Score *score, ScoreKind kind, const uint8_t *bytes, size_t len);

extern void calibration_init(Calibration *calibration, void *context, int bins);
extern void calibration_add(Calibration *calibration, double p, bool y);
extern void calibration_merge(Calibration *calibration, Calibration *other);
extern int64_t calibration_count(const Calibration *calibration);
extern double calibration_bin_mean(const CalibrationBin *bin);
extern double calibration_ece(const Calibration *calibration);
extern double calibration_mce(const Calibration *calibration);
extern size_t calibration_pack_bound(const Calibration *calibration);
extern size_t calibration_pack(const Calibration *calibration, uint8_t *bytes);
extern bool calibration_unpack(Calibration *calibration, void *context, const uint8_t *bytes, size_t len);

/* Matthews' correlation coefficient; false where it is not defined. */
extern bool confusion_mcc(const Confusion *confusion, double *mcc);

/* How many standard deviations hold that share of a normal distribution, 0 < confidence < 1. */
extern double normal_deviations(double confidence);

/* Ends of Wilson's interval of a rate; 0 <= successes <= n, n > 0. */
extern double wilson_lower(int64_t successes, int64_t n, double deviations);
extern double wilson_upper(int64_t successes, int64_t n, double deviations);

#endif
