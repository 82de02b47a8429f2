-- Cost: what a quantity costs by the price book.

CREATE FUNCTION bcce.estimate_cost(item text, quantity numeric, at timestamptz DEFAULT now(), tenant uuid DEFAULT NULL) RETURNS numeric
AS 'MODULE_PATHNAME' LANGUAGE C
STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.estimate_cost(text, numeric, timestamptz, uuid) IS
'The cost in US dollars of a quantity of an item: quantity times the unit price that holds at that moment, exact and unrounded. The tenant''s own price goes before the default price; the tenant is the caller''s current one unless given, and one that is not the caller''s gets the default price, as one that does not exist. NULL when there is no price, or when the item, the quantity or the time is NULL. Error 22023 when the quantity is negative, infinite or NaN.';


-- Calls of language models, by the tokens of each class.

CREATE FUNCTION bcce.estimate_token_cost(model text, at timestamptz, input bigint, output bigint,
    cache_read bigint DEFAULT 0, cache_write_5m bigint DEFAULT 0, cache_write_1h bigint DEFAULT 0, web_searches bigint DEFAULT 0,
    speed text DEFAULT 'standard', geo text DEFAULT NULL, service_tier text DEFAULT 'standard',
    tenant uuid DEFAULT NULL, as_of timestamptz DEFAULT NULL) RETURNS numeric
AS 'MODULE_PATHNAME' LANGUAGE C
STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.estimate_token_cost(text, timestamptz, bigint, bigint, bigint, bigint, bigint, bigint, text, text, text, uuid, timestamptz) IS
'The cost in US dollars of a call of a language model, exact and unrounded: tokens of each class times the price that holds at that moment, a request above a price list''s threshold of context as a whole at the higher prices, times the multipliers of speed fast and of inference in the us; searches by the piece. Counts may be NULL while another is known. as_of: by the prices that were known then (NULL: now). The tenant''s own prices go before the defaults; a tenant that is not the caller''s gets the defaults. NULL when the cost is not known, token_cost_status() says why; never 0 for that. Error 22003: a count is negative.';

CREATE FUNCTION bcce.token_cost_status(model text, at timestamptz, input bigint, output bigint,
    cache_read bigint DEFAULT 0, cache_write_5m bigint DEFAULT 0, cache_write_1h bigint DEFAULT 0, web_searches bigint DEFAULT 0,
    speed text DEFAULT 'standard', geo text DEFAULT NULL, service_tier text DEFAULT 'standard',
    tenant uuid DEFAULT NULL, as_of timestamptz DEFAULT NULL) RETURNS text
AS 'MODULE_PATHNAME' LANGUAGE C
STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.token_cost_status(text, timestamptz, bigint, bigint, bigint, bigint, bigint, bigint, text, text, text, uuid, timestamptz) IS
'Why estimate_token_cost() of the same arguments has a cost (priced; synthetic: never sent, costs 0) or is NULL: no_tokens (all counts unknown), unknown_model, no_price_at_time, not_token_priced (priced by time), missing_price (of a class that was used, or of the tier), missing_factor (of fast, us or batch), out_of_range (a count above 2^53, or the product). Error 22003: a count is negative.';

CREATE FUNCTION bcce.token_cost_parts(model text, at timestamptz, input bigint, output bigint,
    cache_read bigint DEFAULT 0, cache_write_5m bigint DEFAULT 0, cache_write_1h bigint DEFAULT 0, web_searches bigint DEFAULT 0,
    speed text DEFAULT 'standard', geo text DEFAULT NULL, service_tier text DEFAULT 'standard',
    tenant uuid DEFAULT NULL, as_of timestamptz DEFAULT NULL) RETURNS numeric[]
AS 'MODULE_PATHNAME' LANGUAGE C
STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.token_cost_parts(text, timestamptz, bigint, bigint, bigint, bigint, bigint, bigint, text, text, text, uuid, timestamptz) IS
'The cost in US dollars that estimate_token_cost() of the same arguments gives, by class: six numbers, of input, output, cache reads, five-minute and one-hour cache writes and searches, whose sum is the cost to the last digit. NULL when the cost is not known. Error 22003: a count is negative.';

CREATE FUNCTION bcce.sum_token_cost_step(internal, text, timestamptz, bigint, bigint, bigint, bigint, bigint, bigint, text, text, text, uuid, timestamptz) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C
STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sum_token_cost_step(internal, text, timestamptz, bigint, bigint, bigint, bigint, bigint, bigint, text, text, text, uuid, timestamptz) IS
'Part of the aggregate sum_token_cost(): takes a row.';

CREATE FUNCTION bcce.sum_token_cost_combine(internal, internal) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C
IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sum_token_cost_combine(internal, internal) IS
'Part of the aggregate sum_token_cost(): joins the states of two workers.';

CREATE FUNCTION bcce.sum_token_cost_serialize(internal) RETURNS bytea
AS 'MODULE_PATHNAME' LANGUAGE C
IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sum_token_cost_serialize(internal) IS
'Part of the aggregate sum_token_cost(): state to bytes.';

CREATE FUNCTION bcce.sum_token_cost_deserialize(bytea, internal) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C
IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sum_token_cost_deserialize(bytea, internal) IS
'Part of the aggregate sum_token_cost(): bytes to state, every byte checked. Error 22P03: not a state.';

CREATE FUNCTION bcce.sum_token_cost_final(internal) RETURNS numeric
AS 'MODULE_PATHNAME' LANGUAGE C
IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sum_token_cost_final(internal) IS
'Part of the aggregate sum_token_cost(): the result.';

CREATE AGGREGATE bcce.sum_token_cost(model text, at timestamptz, input bigint, output bigint, cache_read bigint, cache_write_5m bigint,
    cache_write_1h bigint, web_searches bigint, speed text, geo text, service_tier text, tenant uuid, as_of timestamptz) (
    SFUNC = bcce.sum_token_cost_step,
    STYPE = internal,
    SSPACE = 64,
    FINALFUNC = bcce.sum_token_cost_final,
    COMBINEFUNC = bcce.sum_token_cost_combine,
    SERIALFUNC = bcce.sum_token_cost_serialize,
    DESERIALFUNC = bcce.sum_token_cost_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.sum_token_cost(text, timestamptz, bigint, bigint, bigint, bigint, bigint, bigint, text, text, text, uuid, timestamptz) IS
'The sum of estimate_token_cost() over calls, in US dollars, exact and the same in every order and plan. Calls without a known cost are left out: count them with FILTER (WHERE bcce.token_cost_status(...) NOT IN (''priced'', ''synthetic'')). NULL when no call had a cost. Errors: 22003 a count is negative, or the sum above 170 trillion US dollars.';

CREATE FUNCTION bcce.sum_token_cost_step(internal, text, timestamptz, bigint, bigint, bigint, bigint, bigint) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C
STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sum_token_cost_step(internal, text, timestamptz, bigint, bigint, bigint, bigint, bigint) IS
'Part of the aggregate sum_token_cost() of seven arguments: takes a row.';

CREATE AGGREGATE bcce.sum_token_cost(model text, at timestamptz, input bigint, output bigint, cache_read bigint, cache_write_5m bigint,
    cache_write_1h bigint) (
    SFUNC = bcce.sum_token_cost_step,
    STYPE = internal,
    SSPACE = 64,
    FINALFUNC = bcce.sum_token_cost_final,
    COMBINEFUNC = bcce.sum_token_cost_combine,
    SERIALFUNC = bcce.sum_token_cost_serialize,
    DESERIALFUNC = bcce.sum_token_cost_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.sum_token_cost(text, timestamptz, bigint, bigint, bigint, bigint, bigint) IS
'The same for calls at standard speed and tier, without searches, at the prices of the caller''s tenant as they are known now.';

CREATE FUNCTION bcce.weekday_forecast(daily numeric[], ahead integer) RETURNS numeric[]
AS 'MODULE_PATHNAME' LANGUAGE C
IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.weekday_forecast(numeric[], integer) IS
'What the days ahead cost if each does as its weekday did on the mean of the last four weeks (fewer where there are fewer), from the cost of complete days, oldest first, in the unit of these; days before the first cost do not count, NULL is 0. One element, or, where the same rule can be tried on at least 20 days past, three: the second and third are its errors, what came less what it said, as far ahead, at percentiles 10 and 90 (percentile_disc). NULL: under 14 days, or none ahead.';
