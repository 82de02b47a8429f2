/*
 * token_cost.c
 *		The arithmetic of token prices, and spellings of model names.
 *
 * A request whose context (input, cache reads and cache writes) is larger than
 * a threshold is priced at that threshold's rates as a whole.  A class of tokens
 * that was used and has no price makes the cost unknown, never cheaper.
 */
#include <string.h>

#include "cost/token_cost.h"

const char *const token_class_name[TOKEN_CLASSES] = {
	"input", "output", "cache_read", "cache_write_5m", "cache_write_1h", "web_search", "second"
};

const char *const service_tier_name[SERVICE_TIERS] = {"standard", "batch", "flex", "priority"};

const char *const price_factor_name[PRICE_FACTORS] = {"fast", "us", "batch", "discount"};

const char *const token_cost_status_name[COST_STATUSES] = {
	"priced", "synthetic", "no_tokens", "unknown_model", "no_price_at_time", "not_token_priced",
	"missing_price", "missing_factor", "out_of_range"
};

/* Counts above are not exact in JSON either, and keep products far from 2^127. */
#define MOST_TOKENS			(INT64_C(1) << 53)

/* Is the model priced by tokens in this tier and context? */
static bool
has_rates(const ModelPrices *p, ServiceTier tier, int context)
{
	return *price_slot(p, tier, context, TOKENS_INPUT) >= 0;
}

/* The rates that hold for a context of that many tokens: the highest passed. */
static int
context_rates(const ModelPrices *p, ServiceTier tier, int64_t tokens)
{
	int			i;

	for (i = p->ncontexts - 1; i > 0; i--)
		if (tokens > p->above[i] &&
			(has_rates(p, tier, i) || (tier != TIER_STANDARD && has_rates(p, TIER_STANDARD, i))))
			return i;
	return 0;
}

/* Multiplies by a factor; false when it is not known or the result too large. */
static TokenCostStatus
multiply(TokenUsd *usd, int32_t factor)
{
	if (factor <= 0)
		return COST_MISSING_FACTOR;
	if (__builtin_mul_overflow(*usd, (TokenUsd) factor, usd))
		return COST_OUT_OF_RANGE;
	return COST_PRICED;
}

/* The cost of the tokens in pico-dollars, before multipliers. */
static TokenCostStatus
token_sum(const ModelPrices *p, const TokenUsage *usage, ServiceTier tier, TokenUsd *sum)
{
	int64_t		context = 0;
	int			rates;
	int			class;

	for (class = TOKENS_INPUT; class <= TOKENS_CACHE_WRITE_1H; class++)
	{
		if (usage->count[class] > MOST_TOKENS)
			return COST_OUT_OF_RANGE;
		if (class != TOKENS_OUTPUT && usage->count[class] > 0)
			context += usage->count[class];
	}
	rates = context_rates(p, tier, context);
	*sum = 0;
	for (class = TOKENS_INPUT; class <= TOKENS_CACHE_WRITE_1H; class++)
	{
		int64_t		price = *price_slot(p, tier, rates, class);

		if (usage->count[class] <= 0)
			continue;
		if (price < 0)
			return COST_MISSING_PRICE;
		/* Below 2^53 * 2^63, and five of them below 2^119. */
		if (usage->priced & (1u << class))
			*sum += (TokenUsd) usage->count[class] * price;
	}
	return COST_PRICED;
}

/* Are all counts unknown? */
static bool
no_count(const TokenUsage *usage)
{
	int			class;

	for (class = 0; class < TOKENS_SECOND; class++)
		if (usage->count[class] >= 0)
			return false;
	return true;
}

/* Adds what is paid by the search; it is never multiplied. */
static TokenCostStatus
add_searches(const ModelPrices *p, const TokenUsage *usage, TokenUsd *usd)
{
	int64_t		price = *price_slot(p, TIER_STANDARD, 0, TOKENS_WEB_SEARCH);
	int64_t		searches = usage->count[TOKENS_WEB_SEARCH];
	TokenUsd	cost;

	if (searches <= 0)
		return COST_PRICED;
	if (price < 0)
		return COST_MISSING_PRICE;
	if (!(usage->priced & (1u << TOKENS_WEB_SEARCH)))
		return COST_PRICED;
	if (searches > MOST_TOKENS ||
		__builtin_mul_overflow((TokenUsd) searches * price,
							   (TokenUsd) FACTOR_ONE * FACTOR_ONE * FACTOR_ONE, &cost) ||
		__builtin_add_overflow(*usd, cost, usd))
		return COST_OUT_OF_RANGE;
	return COST_PRICED;
}

/*
 * Fast and US go together with a discount; a batch is neither fast nor does it
 * need a factor where batches have prices.  So there are three at most.
 */
static TokenCostStatus
apply_factors(const ModelPrices *p, const TokenUsage *usage, bool batch_factor, TokenUsd *usd)
{
	int32_t		discount = p->factor[FACTOR_DISCOUNT] > 0 ? p->factor[FACTOR_DISCOUNT] : FACTOR_ONE;
	int32_t		speed = batch_factor ? p->factor[FACTOR_BATCH] :
		usage->fast ? p->factor[FACTOR_FAST] : FACTOR_ONE;
	int32_t		geo = usage->us ? p->factor[FACTOR_US] : FACTOR_ONE;
	TokenCostStatus status;

	if (batch_factor && usage->fast)
		return COST_MISSING_FACTOR;
	status = multiply(usd, speed);
	if (status == COST_PRICED)
		status = multiply(usd, geo);
	if (status == COST_PRICED)
		status = multiply(usd, discount);
	return status;
}

TokenCostStatus
token_cost(const ModelPrices *prices, const TokenUsage *usage, TokenUsd *usd)
{
	ServiceTier tier = usage->tier;
	bool		batch_factor = false;
	TokenCostStatus status;

	if (no_count(usage))
		return COST_NO_TOKENS;
	if (!prices->known)
		return COST_NO_PRICE_AT_TIME;
	if (!has_rates(prices, TIER_STANDARD, 0))
		return *price_slot(prices, TIER_STANDARD, 0, TOKENS_SECOND) >= 0 ?
			COST_NOT_TOKEN_PRICED : COST_MISSING_PRICE;
	if (tier == TIER_BATCH && !has_rates(prices, tier, 0))
	{
		/* Prices of batches go before a multiplier, never both. */
		tier = TIER_STANDARD;
		batch_factor = true;
	}
	status = token_sum(prices, usage, tier, usd);
	if (status == COST_PRICED)
		status = apply_factors(prices, usage, batch_factor, usd);
	if (status == COST_PRICED)
		status = add_searches(prices, usage, usd);
	return status;
}

/* Does the text end in that many digits behind a sign? */
static bool
ends_in_date(const char *name, int len)
{
	int			i;

	if (len < 10 || (name[len - 9] != '-' && name[len - 9] != '@'))
		return false;
	for (i = len - 8; i < len; i++)
		if (name[i] < '0' || name[i] > '9')
			return false;
	return memcmp(name + len - 8, "20", 2) == 0;
}

int
model_spellings(const char *name, int len, const char **spelling, int *spelling_len)
{
	int			n = 0;
	int			i;

	if (len > 4 && memcmp(name + len - 4, "[1m]", 4) == 0)
	{
		len -= 4;
		spelling[n] = name;
		spelling_len[n++] = len;
	}
	for (i = len - 1; i >= 0 && name[i] != '/'; i--)
		;
	if (i >= 0)
	{
		/* The profile of an application has an id there, not a model. */
		static const char profile[] = "application-inference-profile/";
		int			profile_len = (int) sizeof(profile) - 1;

		if (i + 1 >= profile_len && memcmp(name + i + 1 - profile_len, profile, (size_t) profile_len) == 0)
			return n;
		name += i + 1;
		len -= i + 1;
		if (len == 0)
			return n;
		spelling[n] = name;
		spelling_len[n++] = len;
	}
	if (ends_in_date(name, len))
	{
		spelling[n] = name;
		spelling_len[n++] = len - 9;
	}
	return n;
}
