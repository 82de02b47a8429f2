/*
 * estimate_token_cost.c
 *		What calls of language models cost: for one call, and summed up.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "error.h"
#include "cost/model_book.h"
#include "tenancy/tenancy.h"

/* The arguments, from the first one of the call on. */
enum
{
	ARG_MODEL,
	ARG_AT,
	ARG_COUNTS,					/* one for each class up to TOKENS_WEB_SEARCH */
	ARG_SPEED = ARG_COUNTS + TOKENS_SECOND,
	ARG_GEO,
	ARG_TIER,
	ARG_TENANT,
	ARG_AS_OF
};

#define SUM_VERSION		1

/* The short forms leave the last arguments out. */
#define ARG_IS_NULL(n)	((n) >= PG_NARGS() || PG_ARGISNULL(n))

/* State of the aggregate. */
typedef struct CostSum
{
	TokenUsd	usd;
	int64		priced;
} CostSum;

/*
 * Whose prices apply: the tenant given, or else the caller's current one.  NULL
 * for a tenant that is none of the caller's: it gets the defaults, as one that
 * does not exist.  Asked once per statement and tenant.
 */
static const pg_uuid_t *
pricing_tenant(FunctionCallInfo fcinfo, int argument)
{
	static uint64 statement = 0;
	static Oid	role = InvalidOid;
	static Oid	running = InvalidOid;
	static bool asked_null;
	static pg_uuid_t asked;
	static bool has_tenant;
	static pg_uuid_t tenant;
	uint64		now = statement;
	bool		unchanged = statement_unchanged(&now);
	bool		is_null = ARG_IS_NULL(argument);
	pg_uuid_t  *given = is_null ? NULL : PG_GETARG_UUID_P(argument);

	if (!unchanged || role != GetOuterUserId() || running != GetUserId() || is_null != asked_null ||
		(given != NULL && memcmp(given, &asked, sizeof(asked)) != 0))
	{
		statement = 0;
		if (is_null)
			has_tenant = current_tenant_id(&tenant);
		else
		{
			asked = tenant = *given;
			has_tenant = tenant_is_readable(given);
		}
		asked_null = is_null;
		role = GetOuterUserId();
		running = GetUserId();
		statement = now;
	}
	return has_tenant ? &tenant : NULL;
}

static bool
text_is(text *t, const char *word)
{
	return VARSIZE_ANY_EXHDR(t) == strlen(word) && memcmp(VARDATA_ANY(t), word, strlen(word)) == 0;
}

/* The counts of the call; negative ones are refused. */
static void
read_counts(FunctionCallInfo fcinfo, int first, TokenUsage *usage)
{
	int			class;

	for (class = 0; class < TOKENS_SECOND; class++)
	{
		int			argument = first + ARG_COUNTS + class;

		usage->count[class] = ARG_IS_NULL(argument) ? -1 : PG_GETARG_INT64(argument);
		if (!ARG_IS_NULL(argument) && usage->count[class] < 0)
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("a count of tokens is negative"),
					 errhint("Pass NULL for an unknown count."),
					 bcce_hide_input()));
	}
}

/* Speed, place and tier.  False for a word whose price nobody knows. */
static bool
read_terms(FunctionCallInfo fcinfo, int first, TokenUsage *usage)
{
	text	   *speed = ARG_IS_NULL(first + ARG_SPEED) ? NULL : PG_GETARG_TEXT_PP(first + ARG_SPEED);
	text	   *geo = ARG_IS_NULL(first + ARG_GEO) ? NULL : PG_GETARG_TEXT_PP(first + ARG_GEO);
	text	   *tier = ARG_IS_NULL(first + ARG_TIER) ? NULL : PG_GETARG_TEXT_PP(first + ARG_TIER);
	int			i;

	usage->fast = speed != NULL && text_is(speed, "fast");
	if (speed != NULL && !usage->fast && !text_is(speed, "standard") && !text_is(speed, ""))
		return false;
	usage->us = geo != NULL && text_is(geo, "us");
	if (geo != NULL && !usage->us && !text_is(geo, "not_available") && !text_is(geo, "global") && !text_is(geo, ""))
		return false;
	usage->tier = TIER_STANDARD;
	if (tier == NULL || text_is(tier, ""))
		return true;
	for (i = 0; i < SERVICE_TIERS; i++)
		if (text_is(tier, service_tier_name[i]))
		{
			usage->tier = i;
			return true;
		}
	return false;
}

/* The call whose arguments begin there, and its prices; COST_PRICED if there may be a cost. */
static TokenCostStatus
read_call(FunctionCallInfo fcinfo, int first, TokenUsage *usage, const ModelPrices **prices)
{
	text	   *model = PG_GETARG_TEXT_PP(first + ARG_MODEL);
	bool		clear;
	TimestampTz as_of = ARG_IS_NULL(first + ARG_AS_OF) ? AS_OF_NOW : PG_GETARG_TIMESTAMPTZ(first + ARG_AS_OF);

	read_counts(fcinfo, first, usage);
	usage->priced = ALL_CLASSES;
	clear = read_terms(fcinfo, first, usage);
	/* What the client shows in place of an answer that never came. */
	if (text_is(model, "<synthetic>"))
		return COST_SYNTHETIC;
	*prices = model_book_find(pricing_tenant(fcinfo, first + ARG_TENANT), VARDATA_ANY(model),
							  VARSIZE_ANY_EXHDR(model), PG_GETARG_TIMESTAMPTZ(first + ARG_AT), as_of);
	if (*prices == NULL)
		return COST_UNKNOWN_MODEL;
	return clear ? COST_PRICED : COST_MISSING_FACTOR;
}

/* The cost of the call whose arguments begin there. */
static TokenCostStatus
cost_of_call(FunctionCallInfo fcinfo, int first, TokenUsd *usd)
{
	const ModelPrices *prices;
	TokenUsage	usage;
	TokenCostStatus status = read_call(fcinfo, first, &usage, &prices);

	*usd = 0;
	return status == COST_PRICED ? token_cost(prices, &usage, usd) : status;
}

/* A cost beyond what 64 bits hold: by its decimal text. */
static Datum
long_numeric(TokenUsd usd, int scale)
{
	char		digits[64];
	char	   *at = digits + sizeof(digits) - 1;

	*at = '\0';
	for (; usd > 0 || scale >= 0; usd /= 10)
	{
		*--at = (char) ('0' + (int) (usd % 10));
		if (--scale == 0)
			*--at = '.';
	}
	return DirectFunctionCall3(numeric_in, CStringGetDatum(at), ObjectIdGetDatum(InvalidOid),
							   Int32GetDatum(-1));
}

/* A number of 1e-24 dollars; zeros at the end are left out. */
static Datum
usd_numeric(TokenUsd usd)
{
	const int64 pico = INT64CONST(1000000000000);
	TokenUsd	in_pico = usd / pico;
	int			scale = TOKEN_USD_SCALE;
	int64		small;

	/* Without multipliers pico-dollars are enough. */
	if (in_pico * pico == usd)
	{
		usd = in_pico;
		scale = PICO_SCALE;
	}
	while (usd > PG_INT64_MAX && scale > 0 && usd % 10 == 0)
	{
		usd /= 10;
		scale--;
	}
	if (usd > PG_INT64_MAX)
		return long_numeric(usd, scale);
	small = (int64) usd;
	while (scale >= 4 && small % 10000 == 0)
	{
		small /= 10000;
		scale -= 4;
	}
	while (scale > 0 && small % 10 == 0)
	{
		small /= 10;
		scale--;
	}
	return NumericGetDatum(int64_div_fast_to_numeric(small, scale));
}

static bool
has_cost(TokenCostStatus status)
{
	return status == COST_PRICED || status == COST_SYNTHETIC;
}

PG_FUNCTION_INFO_V1(estimate_token_cost);
/* SQL: the cost of a call, NULL when it is not known. */
Datum
estimate_token_cost(PG_FUNCTION_ARGS)
{
	TokenUsd	usd;

	if (PG_ARGISNULL(ARG_MODEL) || PG_ARGISNULL(ARG_AT) ||
		!has_cost(cost_of_call(fcinfo, 0, &usd)))
		PG_RETURN_NULL();
	return usd_numeric(usd);
}

PG_FUNCTION_INFO_V1(token_cost_parts);
/* SQL: the cost of a call by class, NULL when it is not known. */
Datum
token_cost_parts(PG_FUNCTION_ARGS)
{
	const ModelPrices *prices = NULL;
	TokenUsage	usage;
	TokenUsd	usd = 0;
	TokenCostStatus status;
	Datum		part[TOKENS_SECOND];
	int			class;

	if (PG_ARGISNULL(ARG_MODEL) || PG_ARGISNULL(ARG_AT))
		PG_RETURN_NULL();
	status = read_call(fcinfo, 0, &usage, &prices);
	/* Only if there is a cost of the whole. */
	if (status == COST_PRICED)
		status = token_cost(prices, &usage, &usd);
	if (!has_cost(status))
		PG_RETURN_NULL();
	for (class = 0; class < TOKENS_SECOND; class++)
	{
		usage.priced = 1u << class;
		usd = 0;
		if (status == COST_PRICED)
			token_cost(prices, &usage, &usd);
		part[class] = usd_numeric(usd);
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(part, TOKENS_SECOND, NUMERICOID, -1, false, TYPALIGN_INT));
}

PG_FUNCTION_INFO_V1(token_cost_status);
/* SQL: why a call has a cost, or none. */
Datum
token_cost_status(PG_FUNCTION_ARGS)
{
	TokenUsd	usd;

	if (PG_ARGISNULL(ARG_MODEL) || PG_ARGISNULL(ARG_AT))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(token_cost_status_name[cost_of_call(fcinfo, 0, &usd)]));
}

/* The context for states; nobody else may call these functions. */
static MemoryContext
aggregate_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "function of sum_token_cost called outside an aggregate");
	return context;
}

static void
add_to_sum(CostSum *sum, TokenUsd usd, int64 priced)
{
	sum->priced += priced;
	if (__builtin_add_overflow(sum->usd, usd, &sum->usd))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("sum of token costs is out of range"),
				 errdetail("It is above 170 trillion US dollars."),
				 bcce_hide_input()));
}

PG_FUNCTION_INFO_V1(sum_token_cost_step);
/* SQL: takes a call; one without a known cost adds nothing. */
Datum
sum_token_cost_step(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	CostSum    *sum = PG_ARGISNULL(0) ? NULL : (CostSum *) PG_GETARG_POINTER(0);
	TokenUsd	usd;

	if (sum == NULL)
		sum = MemoryContextAllocZero(context, sizeof(CostSum));
	if (!PG_ARGISNULL(1 + ARG_MODEL) && !PG_ARGISNULL(1 + ARG_AT) &&
		has_cost(cost_of_call(fcinfo, 1, &usd)))
		add_to_sum(sum, usd, 1);
	PG_RETURN_POINTER(sum);
}

PG_FUNCTION_INFO_V1(sum_token_cost_combine);
/* SQL: joins the sums of two workers. */
Datum
sum_token_cost_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	CostSum    *sum = PG_ARGISNULL(0) ? NULL : (CostSum *) PG_GETARG_POINTER(0);
	CostSum    *other = PG_ARGISNULL(1) ? NULL : (CostSum *) PG_GETARG_POINTER(1);

	if (sum == NULL)
		sum = MemoryContextAllocZero(context, sizeof(CostSum));
	if (other != NULL)
		add_to_sum(sum, other->usd, other->priced);
	PG_RETURN_POINTER(sum);
}

PG_FUNCTION_INFO_V1(sum_token_cost_serialize);
/* SQL: the sum as bytes. */
Datum
sum_token_cost_serialize(PG_FUNCTION_ARGS)
{
	CostSum    *sum = (CostSum *) PG_GETARG_POINTER(0);
	StringInfoData out;

	aggregate_context(fcinfo);
	pq_begintypsend(&out);
	pq_sendbyte(&out, SUM_VERSION);
	pq_sendint64(&out, sum->priced);
	pq_sendint64(&out, (int64) (sum->usd >> 64));
	pq_sendint64(&out, (int64) sum->usd);
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

PG_FUNCTION_INFO_V1(sum_token_cost_deserialize);
/* SQL: the sum from bytes. */
Datum
sum_token_cost_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	CostSum    *sum = palloc0(sizeof(CostSum));
	StringInfoData in;
	int			version;
	uint64		high;

	aggregate_context(fcinfo);
	initStringInfo(&in);
	appendBinaryStringInfo(&in, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	version = pq_getmsgbyte(&in);
	sum->priced = pq_getmsgint64(&in);
	high = (uint64) pq_getmsgint64(&in);
	sum->usd = (TokenUsd) (((unsigned __int128) high << 64) | (uint64) pq_getmsgint64(&in));
	pq_getmsgend(&in);
	if (version != SUM_VERSION || sum->priced < 0 || sum->usd < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("serialized state of sum_token_cost is not valid"),
				 bcce_hide_input()));
	PG_RETURN_POINTER(sum);
}

PG_FUNCTION_INFO_V1(sum_token_cost_final);
/* SQL: the sum, NULL when no call had a cost. */
Datum
sum_token_cost_final(PG_FUNCTION_ARGS)
{
	CostSum    *sum = PG_ARGISNULL(0) ? NULL : (CostSum *) PG_GETARG_POINTER(0);

	aggregate_context(fcinfo);
	if (sum == NULL || sum->priced == 0)
		PG_RETURN_NULL();
	return usd_numeric(sum->usd);
}
