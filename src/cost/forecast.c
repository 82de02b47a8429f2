/*
 * forecast.c
 *		What the days ahead will cost if they go on as their weekdays did over the
 *		last four weeks, and how wrong the same rule would have been in the past.
 *
 * All of it is the server's own exact arithmetic of numeric.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

#include "compat.h"

/* Under this many days there is no weekday to speak of. */
#define LEAST_DAYS		14
#define MOST_WEEKS		4

/* Errors that a band is made of at least. */
#define LEAST_ERRORS	20

/* What was spent by the end of each day; total[0] is zero. */
typedef struct Spending
{
	Datum	   *total;
	int64		days;
} Spending;

static Datum
plus(Datum a, Datum b)
{
	return DirectFunctionCall2(numeric_add, a, b);
}

static Datum
minus(Datum a, Datum b)
{
	return DirectFunctionCall2(numeric_sub, a, b);
}

static int
compare_numeric(const void *a, const void *b)
{
	CHECK_FOR_INTERRUPTS();
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, *(const Datum *) a, *(const Datum *) b));
}

/* Adds up the days from the first with a cost; without one that is NULL costs nothing. */
static Spending
add_up(ArrayType *daily)
{
	Datum		zero = NumericGetDatum(int64_to_numeric(0));
	Spending	spending;
	Datum	   *usd;
	bool	   *is_null;
	int			n;
	int			skip = 0;

	deconstruct_array(daily, NUMERICOID, -1, false, TYPALIGN_INT, &usd, &is_null, &n);
	while (skip < n && (is_null[skip] || compare_numeric(&usd[skip], &zero) == 0))
		skip++;
	spending.days = n - skip;
	spending.total = palloc(sizeof(Datum) * (n - skip + 1));
	spending.total[0] = zero;
	for (int i = skip; i < n; i++)
	{
		Datum	   *total = &spending.total[i - skip];

		CHECK_FOR_INTERRUPTS();
		total[1] = is_null[i] ? total[0] : plus(total[0], usd[i]);
	}
	return spending;
}

/*
 * What the days ahead of an origin cost by the rule: full weeks as the mean of
 * the weeks before, and the rest as the mean of the same weekdays.
 */
static Datum
guess_from(const Spending *spending, int64 origin, int64 ahead, int64 weeks)
{
	const Datum *total = spending->total;
	Datum		guess = DirectFunctionCall2(numeric_mul, NumericGetDatum(int64_to_numeric(ahead / 7)),
											minus(total[origin], total[origin - 7 * weeks]));

	for (int64 week = 1; week <= weeks; week++)
	{
		int64		same = origin - 7 * week;

		guess = minus(plus(guess, total[same + ahead % 7]), total[same]);
	}
	return DirectFunctionCall2(numeric_div, guess, NumericGetDatum(int64_to_numeric(weeks)));
}

/* The errors of the rule from every origin whose days ahead are past; how many. */
static int64
past_errors(const Spending *spending, int64 ahead, int64 weeks, Datum *errors)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "forecast", ALLOCSET_DEFAULT_SIZES);
	int64		count = 0;

	for (int64 origin = 7 * weeks; origin + ahead <= spending->days; origin++)
	{
		MemoryContext result = MemoryContextSwitchTo(scratch);
		Datum		error = minus(minus(spending->total[origin + ahead], spending->total[origin]),
								  guess_from(spending, origin, ahead, weeks));

		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(result);
		errors[count++] = PointerGetDatum(PG_DETOAST_DATUM_COPY(error));
		MemoryContextReset(scratch);
	}
	MemoryContextDelete(scratch);
	return count;
}

/* The value that a share of the sorted ones does not exceed, as percentile_disc() has it. */
static Datum
percentile_of(const Datum *sorted, int64 count, double share)
{
	return sorted[(int64) ceil(share * count) - 1];
}

PG_FUNCTION_INFO_V1(weekday_forecast);
/* SQL: NULL, or one element, or three, with the errors between which 8 of 10 lay. */
Datum
weekday_forecast(PG_FUNCTION_ARGS)
{
	Spending	spending = add_up(PG_GETARG_ARRAYTYPE_P(0));
	int64		ahead = PG_GETARG_INT32(1);
	int64		weeks = Min(MOST_WEEKS, spending.days / 7);
	Datum		result[3];
	Datum	   *errors;
	int64		count;

	if (spending.days < LEAST_DAYS || ahead < 1)
		PG_RETURN_NULL();
	result[0] = guess_from(&spending, spending.days, ahead, weeks);
	errors = palloc(sizeof(Datum) * spending.days);
	count = past_errors(&spending, ahead, weeks, errors);
	if (count < LEAST_ERRORS)
		PG_RETURN_ARRAYTYPE_P(construct_array(result, 1, NUMERICOID, -1, false, TYPALIGN_INT));
	qsort(errors, count, sizeof(Datum), compare_numeric);
	result[1] = percentile_of(errors, count, 0.1);
	result[2] = percentile_of(errors, count, 0.9);
	PG_RETURN_ARRAYTYPE_P(construct_array(result, 3, NUMERICOID, -1, false, TYPALIGN_INT));
}
