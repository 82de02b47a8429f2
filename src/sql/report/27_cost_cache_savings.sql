-- cost_cache_savings: what the cache of prompts saved, and what writing it cost.
CREATE OR REPLACE FUNCTION bcce.cost_cache_savings(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    model_id text,
    model_call_count bigint,
    input_tokens bigint,
    cache_read_tokens bigint,
    cache_write_5m_tokens bigint,
    cache_write_1h_tokens bigint,
    cache_read_percent numeric,
    read_savings_usd numeric,
    write_premium_usd numeric,
    cache_savings_usd numeric,
    unpriced_units bigint,
    currency text
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        x.model_id,
        x.calls,
        x.input_tokens,
        x.cache_read_tokens,
        x.cache_write_5m_tokens,
        x.cache_write_1h_tokens,
        round(100 * x.cache_read_tokens / nullif(x.context_tokens, 0), 1),
        x.savings,
        x.premium,
        x.savings - x.premium,
        x.unpriced,
        t.billing_currency
    FROM bcce_data.tenants t
    JOIN (
        SELECT
            u.tenant_id,
            u.model_id,
            count(*) AS calls,
            bcce_data.whole_number(sum(u.input_tokens)) AS input_tokens,
            bcce_data.whole_number(sum(u.cache_read_tokens)) AS cache_read_tokens,
            bcce_data.whole_number(sum(u.cache_write_5m_tokens)) AS cache_write_5m_tokens,
            bcce_data.whole_number(sum(u.cache_write_1h_tokens)) AS cache_write_1h_tokens,
            sum(coalesce(u.input_tokens, 0) + cache.read + cache.written) AS context_tokens,
            -- Of a call of which only one can be told, neither counts.
            sum(as_is.without_reads - as_is.usd) FILTER (WHERE as_is.without_writes IS NOT NULL) AS savings,
            sum(as_is.usd - as_is.without_writes) FILTER (WHERE as_is.without_reads IS NOT NULL) AS premium,
            count(*) FILTER (WHERE cache.read + cache.written > 0 AND num_nulls(as_is.usd, as_is.without_reads, as_is.without_writes) > 0) AS unpriced
        FROM bcce_data.model_usage u
        CROSS JOIN LATERAL (
            SELECT
                coalesce(u.cache_read_tokens, 0) AS read,
                coalesce(u.cache_write_5m_tokens, 0) + coalesce(u.cache_write_1h_tokens, 0) AS written,
                CASE WHEN u.charged_usd IS NOT NULL THEN u.priced_at END AS as_of
        ) cache
        -- The context stays as large, so each call stays at its rates.
        CROSS JOIN LATERAL (
            SELECT
                bcce.estimate_token_cost(u.model_id, u.at, u.input_tokens, u.output_tokens, u.cache_read_tokens, u.cache_write_5m_tokens,
                    u.cache_write_1h_tokens, 0, u.speed, u.inference_geo, u.service_tier, u.tenant_id, cache.as_of) AS usd,
                bcce.estimate_token_cost(u.model_id, u.at, coalesce(u.input_tokens, 0) + cache.read, u.output_tokens, 0, u.cache_write_5m_tokens,
                    u.cache_write_1h_tokens, 0, u.speed, u.inference_geo, u.service_tier, u.tenant_id, cache.as_of) AS without_reads,
                bcce.estimate_token_cost(u.model_id, u.at, coalesce(u.input_tokens, 0) + cache.written, u.output_tokens, u.cache_read_tokens, 0,
                    0, 0, u.speed, u.inference_geo, u.service_tier, u.tenant_id, cache.as_of) AS without_writes
            OFFSET 0
        ) as_is
        WHERE u.at >= coalesce(since, '-infinity')
          AND u.at < coalesce(until, 'infinity')
          AND NOT u.is_test
        GROUP BY u.tenant_id, u.model_id
    ) x ON x.tenant_id = t.tenant_id
    WHERE t.deleted_at IS NULL;
END;
COMMENT ON FUNCTION bcce.cost_cache_savings(timestamptz, timestamptz) IS 'What did the prompt cache save, of the calls between since (inclusive) and until (exclusive)? NULL leaves an end open. Same columns as the view of this name.';

CREATE OR REPLACE VIEW bcce.cost_cache_savings WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.model_id,
    x.model_call_count,
    x.input_tokens,
    x.cache_read_tokens,
    x.cache_write_5m_tokens,
    x.cache_write_1h_tokens,
    x.cache_read_percent,
    x.read_savings_usd,
    x.write_premium_usd,
    x.cache_savings_usd,
    x.unpriced_units,
    x.currency
FROM bcce.cost_cache_savings(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.cost_cache_savings IS 'What does the prompt cache save, and is writing it worth while? One row per visible tenant and model. For a period use the function of this name.';
COMMENT ON COLUMN bcce.cost_cache_savings.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.cost_cache_savings.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.cost_cache_savings.model_id IS 'model as the calls name it';
COMMENT ON COLUMN bcce.cost_cache_savings.model_call_count IS 'model calls';
COMMENT ON COLUMN bcce.cost_cache_savings.input_tokens IS 'tokens into the model, cache reads and writes apart; NULL: no call told';
COMMENT ON COLUMN bcce.cost_cache_savings.cache_read_tokens IS 'tokens that the model read from its cache; NULL: no call told';
COMMENT ON COLUMN bcce.cost_cache_savings.cache_write_5m_tokens IS 'tokens written to the five-minute cache, those of unknown life among them; NULL: no call told';
COMMENT ON COLUMN bcce.cost_cache_savings.cache_write_1h_tokens IS 'tokens written to the one-hour cache; NULL: no call told';
COMMENT ON COLUMN bcce.cost_cache_savings.cache_read_percent IS 'percent of the tokens into the model, cache writes included, that were read from the cache, one decimal; NULL: no tokens';
COMMENT ON COLUMN bcce.cost_cache_savings.read_savings_usd IS 'US dollars saved by reading: tokens read times what input would have cost more, by the prices of each call; NULL: no known price';
COMMENT ON COLUMN bcce.cost_cache_savings.write_premium_usd IS 'US dollars paid for writing: tokens written times what they cost more than input, by the prices of each call; NULL: no known price';
COMMENT ON COLUMN bcce.cost_cache_savings.cache_savings_usd IS 'US dollars saved in all: by reading less for writing; negative: the cache cost more than it saved; NULL: no known price';
COMMENT ON COLUMN bcce.cost_cache_savings.unpriced_units IS 'calls that used the cache at prices which are unknown: they are left out of the sums';
COMMENT ON COLUMN bcce.cost_cache_savings.currency IS 'currency of the money columns';
