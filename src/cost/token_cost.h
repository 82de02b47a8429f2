/*
 * token_cost.h
 *		What the tokens of one model call cost, exactly.
 *
 * Pure C: knows no PostgreSQL, so it can be tried and fuzzed alone.  Prices are
 * whole pico-dollars (1e-12 US dollars) per unit; multipliers are whole ten
 * thousandths.  The product of one price, a count and up to three multipliers is
 * a whole number of 1e-24 dollars, so nothing is ever rounded.
 */
#ifndef BCCE_TOKEN_COST_H
#define BCCE_TOKEN_COST_H

#include <stdbool.h>
#include <stdint.h>

/* In 1e-24 US dollars.  Aligned as what palloc() returns, as int128 of the server. */
typedef __int128 TokenUsd __attribute__((aligned(8)));

#define TOKEN_USD_SCALE		24
#define PICO_SCALE			12
#define FACTOR_ONE			10000

typedef enum TokenClass
{
	TOKENS_INPUT,
	TOKENS_OUTPUT,
	TOKENS_CACHE_READ,
	TOKENS_CACHE_WRITE_5M,
	TOKENS_CACHE_WRITE_1H,
	TOKENS_WEB_SEARCH,			/* searches, not tokens */
	TOKENS_SECOND,				/* priced by time: cannot be told from tokens */
	TOKEN_CLASSES
} TokenClass;

typedef enum ServiceTier
{
	TIER_STANDARD,
	TIER_BATCH,
	TIER_FLEX,
	TIER_PRIORITY,
	SERVICE_TIERS
} ServiceTier;

typedef enum PriceFactor
{
	FACTOR_FAST,				/* speed fast */
	FACTOR_US,					/* inference within the United States */
	FACTOR_BATCH,				/* where batches have no price of their own */
	FACTOR_DISCOUNT,			/* what a tenant has agreed on */
	PRICE_FACTORS
} PriceFactor;

/* Why there is a cost, or none.  Names in token_cost_status_name[]. */
typedef enum TokenCostStatus
{
	COST_PRICED,
	COST_SYNTHETIC,				/* made by the client, never sent: costs nothing */
	COST_NO_TOKENS,
	COST_UNKNOWN_MODEL,
	COST_NO_PRICE_AT_TIME,
	COST_NOT_TOKEN_PRICED,
	COST_MISSING_PRICE,			/* of a class of tokens that was used */
	COST_MISSING_FACTOR,
	COST_OUT_OF_RANGE,
	COST_STATUSES
} TokenCostStatus;

extern const char *const token_class_name[TOKEN_CLASSES];
extern const char *const service_tier_name[SERVICE_TIERS];
extern const char *const price_factor_name[PRICE_FACTORS];
extern const char *const token_cost_status_name[COST_STATUSES];

#define NO_PRICE			INT64_C(-1)

/* The prices of a model during one span of time. */
typedef struct ModelPrices
{
	bool		known;			/* any price at all */
	int			ncontexts;
	const int64_t *above;		/* ascending, above[0] is 0: sizes of context */
	int64_t    *pico;			/* [tier][context][class] */
	int32_t		factor[PRICE_FACTORS];	/* ten thousandths, 0: not known */
} ModelPrices;

static inline int64_t *
price_slot(const ModelPrices *p, ServiceTier tier, int context, TokenClass class)
{
	return &p->pico[((int) tier * p->ncontexts + context) * TOKEN_CLASSES + (int) class];
}

#define ALL_CLASSES			((1u << TOKENS_SECOND) - 1)

/* One call.  Classes that are not asked for count for its context all the same. */
typedef struct TokenUsage
{
	int64_t		count[TOKENS_SECOND];	/* of each class; -1: unknown */
	unsigned	priced;			/* bit of each class whose cost is asked for */
	ServiceTier tier;
	bool		fast;
	bool		us;
} TokenUsage;

/*
 * The cost of a call; *usd is set when the status is COST_PRICED.  A NULL-like
 * unknown count is zero when another is known.
 */
extern TokenCostStatus token_cost(const ModelPrices *prices, const TokenUsage *usage, TokenUsd *usd);

#define MODEL_NAMES		3		/* spellings tried after the name itself */

/*
 * Under which other spellings a model may stand in a price list: without the
 * flag [1m], without what a provider puts around the name, without the date at
 * its end.  Points into the name; returns how many.  No guess by likeness.
 */
extern int model_spellings(const char *name, int len, const char **spelling, int *spelling_len);

#endif
