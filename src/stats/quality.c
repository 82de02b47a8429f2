/*
 * quality.c
 *		How good probabilities were: see quality.h.
 *
 * Sources: Brier 1950; Murphy 1973 (calibration); Naeini, Cooper and Hauskrecht
 * 2015 (expected and maximum calibration error); Matthews 1975; Wilson 1927;
 * Wichura 1988 (AS 241, inverse of the normal distribution).
 */
#include "stats/quality.h"

#include <math.h>
#include <string.h>

/* Probabilities are kept this far from 0 and 1 where their logarithm is taken. */
#define LOG_LOSS_CLIP	1e-15

/* More than any log loss of one prediction: -ln(1e-15) is 34.54. */
#define LOG_LOSS_LIMIT	35

/* More rows than any table has: bytes that say so are no state, and sums of what they say do not overflow. */
#define COUNT_LIMIT		(INT64_C(1) << 52)

/* Adds a finite double. */
static void
add_double(SketchSum *sum, double value)
{
	uint64_t	bits;

	memcpy(&bits, &value, sizeof(bits));
	sketch_sum_add(sum, bits);
}

/* Takes n away from a sum; in two parts, as a double holds 53 bits. */
static void
subtract_count(SketchSum *sum, int64_t n)
{
	add_double(sum, -(double) (n & ~INT64_C(0xffffffff)));
	add_double(sum, -(double) (n & INT64_C(0xffffffff)));
}

/* The sum, rounded once. */
static double
sum_value(const SketchSum *sum)
{
	int			exponent;
	double		mantissa = sketch_sum_rounded(sum, &exponent);

	return ldexp(mantissa, exponent);
}

/* Is the sum at least 0 and at most n? */
static bool
sum_is_within(const SketchSum *sum, int64_t n)
{
	SketchSum	over = *sum;

	subtract_count(&over, n);
	return sum_value(sum) >= 0 && sum_value(&over) <= 0;
}

/* Brier's score of one prediction. */
static double
brier_of(double p, bool y)
{
	double		distance = p - (y ? 1 : 0);

	return distance * distance;
}

/* Minus the logarithm of the probability given to what happened. */
static double
log_loss_of(double p, bool y)
{
	if (p < LOG_LOSS_CLIP)
		p = LOG_LOSS_CLIP;
	if (p > 1 - LOG_LOSS_CLIP)
		p = 1 - LOG_LOSS_CLIP;
	return y ? -log(p) : -log1p(-p);
}

/* Adds a prediction, p from 0 to 1. */
void
score_add(Score *score, ScoreKind kind, double p, bool y)
{
	add_double(&score->sum, kind == SCORE_BRIER ? brier_of(p, y) : log_loss_of(p, y));
	score->n++;
}

/* The mean; n is not 0. */
double
score_mean(const Score *score)
{
	return sum_value(&score->sum) / (double) score->n;
}

static uint8_t *
put_number(uint8_t *to, uint64_t number, int bytes)
{
	while (bytes-- > 0)
		*to++ = (uint8_t) (number >> (8 * bytes));
	return to;
}

static uint8_t *
put_sum(uint8_t *to, const SketchSum *sum)
{
	SketchSumBytes bytes;

	sketch_sum_to_bytes(sum, &bytes);
	to = put_number(to, bytes.first, 2);
	to = put_number(to, bytes.len, 2);
	memcpy(to, bytes.bytes, bytes.len);
	return to + bytes.len;
}

/* Bytes that are read; none are left once something was wrong. */
typedef struct Reader
{
	const uint8_t *at;
	size_t		left;
	bool		valid;
} Reader;

static uint64_t
get_number(Reader *in, int bytes)
{
	uint64_t	number = 0;

	if (in->left < (size_t) bytes)
	{
		in->left = 0;
		in->valid = false;
		return 0;
	}
	in->left -= bytes;
	while (bytes-- > 0)
		number = number << 8 | *in->at++;
	return number;
}

/* Reads a sum in its one form: no byte more than it needs. */
static void
get_sum(Reader *in, SketchSum *sum)
{
	SketchSumBytes bytes;

	bytes.negative = false;
	bytes.first = (int) get_number(in, 2);
	bytes.len = (int) get_number(in, 2);
	memset(sum, 0, sizeof(*sum));
	if (!in->valid || bytes.first + bytes.len > SKETCH_SUM_BYTES || (size_t) bytes.len > in->left ||
		(bytes.len == 0 && bytes.first != 0) ||
		(bytes.len > 0 && (in->at[0] == 0 || in->at[bytes.len - 1] == 0)))
	{
		in->valid = false;
		return;
	}
	memcpy(bytes.bytes, in->at, bytes.len);
	in->at += bytes.len;
	in->left -= bytes.len;
	sketch_sum_add_bytes(sum, &bytes);
}

/* The score as bytes, SCORE_PACKED_BOUND at most; returns how many. */
size_t
score_pack(const Score *score, ScoreKind kind, uint8_t *bytes)
{
	uint8_t    *to = bytes;

	*to++ = (uint8_t) kind;
	to = put_number(to, (uint64_t) score->n, 8);
	return put_sum(to, &score->sum) - bytes;
}

/* The score of bytes; false if these are not the bytes of one. */
bool
score_unpack(Score *score, ScoreKind kind, const uint8_t *bytes, size_t len)
{
	Reader		in = {bytes, len, true};
	int64_t		limit = kind == SCORE_BRIER ? 1 : LOG_LOSS_LIMIT;

	in.valid = get_number(&in, 1) == (uint64_t) kind;
	score->n = (int64_t) get_number(&in, 8);
	get_sum(&in, &score->sum);
	return in.valid && in.left == 0 && score->n >= 0 && score->n <= COUNT_LIMIT &&
		sum_is_within(&score->sum, score->n * limit);
}

/* No predictions yet. */
void
calibration_init(Calibration *calibration, void *context, int bins)
{
	calibration->context = context;
	calibration->bins = bins;
	calibration->bin = (CalibrationBin **) calibration_alloc(context, bins * sizeof(CalibrationBin *));
}

/* The bin of that place. */
static CalibrationBin *
bin_at(Calibration *calibration, int place)
{
	if (calibration->bin[place] == NULL)
		calibration->bin[place] = (CalibrationBin *) calibration_alloc(calibration->context, sizeof(CalibrationBin));
	return calibration->bin[place];
}

/* Adds a prediction, p from 0 to 1; a probability of 1 is in the last bin. */
void
calibration_add(Calibration *calibration, double p, bool y)
{
	int			place = (int) floor(p * calibration->bins);
	CalibrationBin *bin = bin_at(calibration, place < calibration->bins ? place : calibration->bins - 1);

	bin->n++;
	bin->events += y;
	add_double(&bin->sum, p);
}

/* Adds the predictions of another, with as many bins. */
void
calibration_merge(Calibration *calibration, Calibration *other)
{
	int			i;

	for (i = 0; i < other->bins; i++)
	{
		CalibrationBin *bin;

		if (other->bin[i] == NULL)
			continue;
		bin = bin_at(calibration, i);
		bin->n += other->bin[i]->n;
		bin->events += other->bin[i]->events;
		sketch_sum_merge(&bin->sum, &other->bin[i]->sum);
	}
}

int64_t
calibration_count(const Calibration *calibration)
{
	int64_t		n = 0;
	int			i;

	for (i = 0; i < calibration->bins; i++)
		if (calibration->bin[i] != NULL)
			n += calibration->bin[i]->n;
	return n;
}

/* The mean probability in a bin. */
double
calibration_bin_mean(const CalibrationBin *bin)
{
	return sum_value(&bin->sum) / (double) bin->n;
}

/* By how many events the probabilities of a bin are off. */
static double
bin_distance(const CalibrationBin *bin)
{
	SketchSum	distance = bin->sum;

	subtract_count(&distance, bin->events);
	return fabs(sum_value(&distance));
}

/* Expected calibration error; there is a prediction. */
double
calibration_ece(const Calibration *calibration)
{
	double		distance = 0;
	int			i;

	for (i = 0; i < calibration->bins; i++)
		if (calibration->bin[i] != NULL)
			distance += bin_distance(calibration->bin[i]);
	return distance / (double) calibration_count(calibration);
}

/* Maximum calibration error; there is a prediction. */
double
calibration_mce(const Calibration *calibration)
{
	double		max = 0;
	int			i;

	for (i = 0; i < calibration->bins; i++)
		if (calibration->bin[i] != NULL)
			max = fmax(max, bin_distance(calibration->bin[i]) / (double) calibration->bin[i]->n);
	return max;
}

/* Bytes of packed bins at most. */
size_t
calibration_pack_bound(const Calibration *calibration)
{
	size_t		bound = 1 + 2;
	int			i;

	for (i = 0; i < calibration->bins; i++)
		if (calibration->bin[i] != NULL)
			bound += 2 + 8 + 8 + 4 + SKETCH_SUM_BYTES;
	return bound;
}

/* The bins as bytes; returns how many. */
size_t
calibration_pack(const Calibration *calibration, uint8_t *bytes)
{
	uint8_t    *to = bytes;
	int			i;

	*to++ = 1;					/* version */
	to = put_number(to, calibration->bins, 2);
	for (i = 0; i < calibration->bins; i++)
	{
		CalibrationBin *bin = calibration->bin[i];

		if (bin == NULL)
			continue;
		to = put_number(to, i, 2);
		to = put_number(to, (uint64_t) bin->n, 8);
		to = put_number(to, (uint64_t) bin->events, 8);
		to = put_sum(to, &bin->sum);
	}
	return to - bytes;
}

/* The bins of bytes; false if these are not the bytes of any. */
bool
calibration_unpack(Calibration *calibration, void *context, const uint8_t *bytes, size_t len)
{
	Reader		in = {bytes, len, true};
	int			version = (int) get_number(&in, 1);
	int			bins = (int) get_number(&in, 2);
	int			last = -1;

	if (!in.valid || version != 1 || bins < 1 || bins > CALIBRATION_MAX_BINS)
		return false;
	calibration_init(calibration, context, bins);
	while (in.left > 0)
	{
		int			place = (int) get_number(&in, 2);
		CalibrationBin *bin;

		if (!in.valid || place <= last || place >= bins)
			return false;
		last = place;
		bin = bin_at(calibration, place);
		bin->n = (int64_t) get_number(&in, 8);
		bin->events = (int64_t) get_number(&in, 8);
		get_sum(&in, &bin->sum);
		if (!in.valid || bin->n < 1 || bin->n > COUNT_LIMIT || bin->events < 0 || bin->events > bin->n ||
			!sum_is_within(&bin->sum, bin->n))
			return false;
	}
	return true;
}

/*
 * See the header.  The four margins are multiplied in the pairs that make
 * perfect agreement exactly 1, and perfect disagreement exactly -1.
 */
bool
confusion_mcc(const Confusion *confusion, double *mcc)
{
	double		tp = (double) confusion->n[1][1];
	double		fp = (double) confusion->n[1][0];
	double		fn = (double) confusion->n[0][1];
	double		tn = (double) confusion->n[0][0];
	__int128	covariance = (__int128) confusion->n[1][1] * confusion->n[0][0] -
	(__int128) confusion->n[1][0] * confusion->n[0][1];
	double		scale;

	if (covariance >= 0)
		scale = sqrt((tp + fp) * (tp + fn)) * sqrt((tn + fp) * (tn + fn));
	else
		scale = sqrt((tp + fp) * (tn + fp)) * sqrt((tp + fn) * (tn + fn));
	if (scale == 0)
		return false;
	*mcc = fmax(-1, fmin(1, (double) covariance / scale));
	return true;
}

/* A polynomial of degree 7, coefficients from the highest on. */
static double
polynomial(const double *coefficient, double x)
{
	double		value = coefficient[0];
	int			i;

	for (i = 1; i < 8; i++)
		value = value * x + coefficient[i];
	return value;
}

/* See the header: AS 241, good to some 1e-16 of the value. */
double
normal_deviations(double confidence)
{
	static const double a[] = {2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4, 1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080e0};
	static const double b[] = {5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4, 5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1};
	static const double c[] = {7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e0, 3.64784832476320460504e0, 5.76949722146069140550e0, 4.63033784615654529590e0, 1.42343711074968357734e0};
	static const double d[] = {1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1, 6.89767334985100004550e-1, 1.67638483018380384940e0, 2.05319162663775882187e0, 1};
	static const double e[] = {2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580e0, 5.46378491116411436990e0, 6.65790464350110377720e0};
	static const double f[] = {2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4, 1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1};
	double		q = confidence / 2;
	double		r;

	if (q <= 0.425)
	{
		r = 0.180625 - q * q;
		return q * polynomial(a, r) / polynomial(b, r);
	}
	r = sqrt(-log((1 - confidence) / 2));
	if (r <= 5)
		return polynomial(c, r - 1.6) / polynomial(d, r - 1.6);
	return polynomial(e, r - 5) / polynomial(f, r - 5);
}

/* The root that both ends of Wilson's interval share. */
static double
wilson_root(double s, double n, double deviations)
{
	return deviations * sqrt(s / n * (n - s) + deviations * deviations / 4);
}

/* See the header; as a quotient, which does not cancel for small rates. */
double
wilson_lower(int64_t successes, int64_t n, double deviations)
{
	double		s = (double) successes;
	double		half = deviations * deviations / 2;

	return s * (s / (double) n) / (s + half + wilson_root(s, (double) n, deviations));
}

/* See the header. */
double
wilson_upper(int64_t successes, int64_t n, double deviations)
{
	double		s = (double) successes;
	double		square = deviations * deviations;

	if (successes == n)
		return 1;
	return (s + square / 2 + wilson_root(s, (double) n, deviations)) / ((double) n + square);
}
