/*
 * estimate_cost.c
 *		What a quantity of something costs.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "error.h"
#include "price_book.h"
#include "tenancy/tenancy.h"

/* Is the number less than zero? */
static bool
is_negative(Numeric number)
{
	Numeric		sign = DatumGetNumeric(DirectFunctionCall1(numeric_sign,
														   NumericGetDatum(number)));

	return DatumGetInt32(DirectFunctionCall1(numeric_int4, NumericGetDatum(sign))) < 0;
}

/* Refuses a quantity that cannot be one. */
static void
check_quantity(Numeric quantity)
{
	if (numeric_is_nan(quantity) || numeric_is_inf(quantity) || is_negative(quantity))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("quantity must be a finite number, zero or more"),
				 errhint("Pass NULL for an unknown quantity; the cost is then NULL."),
				 bcce_hide_input()));
}

/*
 * Whose prices apply: the tenant asked for, or else the caller's current one.
 * False for a tenant that is none of the caller's, so the answer is the same
 * as for one that does not exist.
 */
static bool
pricing_tenant(FunctionCallInfo fcinfo, int argument, pg_uuid_t *tenant)
{
	if (PG_ARGISNULL(argument))
		return current_tenant_id(tenant);
	*tenant = *PG_GETARG_UUID_P(argument);
	return tenant_is_readable(tenant);
}

PG_FUNCTION_INFO_V1(estimate_cost);
/* SQL: quantity times the price that holds at that moment, unrounded. */
Datum
estimate_cost(PG_FUNCTION_ARGS)
{
	text	   *item;
	Numeric		quantity;
	Numeric		price_usd;
	pg_uuid_t	tenant;
	bool		has_tenant;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	item = PG_GETARG_TEXT_PP(0);
	quantity = PG_GETARG_NUMERIC(1);
	check_quantity(quantity);

	has_tenant = pricing_tenant(fcinfo, 3, &tenant);
	price_usd = price_book_find(has_tenant ? &tenant : NULL, VARDATA_ANY(item),
								VARSIZE_ANY_EXHDR(item), PG_GETARG_TIMESTAMPTZ(2));
	if (price_usd == NULL)
		PG_RETURN_NULL();
	return DirectFunctionCall2(numeric_mul, NumericGetDatum(quantity),
							   NumericGetDatum(price_usd));
}
