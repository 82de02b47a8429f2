-- unpriced_usage: model calls whose cost is unknown, and why.
CREATE OR REPLACE FUNCTION bcce.unpriced_usage(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    model_id text,
    reason text,
    model_call_count bigint,
    input_tokens bigint,
    output_tokens bigint,
    cache_read_tokens bigint,
    cache_write_5m_tokens bigint,
    cache_write_1h_tokens bigint,
    web_searches bigint,
    first_seen_at timestamptz,
    last_seen_at timestamptz
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        x.model_id,
        x.reason,
        x.calls,
        x.input_tokens,
        x.output_tokens,
        x.cache_read_tokens,
        x.cache_write_5m_tokens,
        x.cache_write_1h_tokens,
        x.web_searches,
        x.first_at,
        x.last_at
    FROM bcce_data.tenants t
    JOIN (
        SELECT
            u.tenant_id,
            u.model_id,
            why.reason,
            count(*) AS calls,
            bcce_data.whole_number(sum(u.input_tokens)) AS input_tokens,
            bcce_data.whole_number(sum(u.output_tokens)) AS output_tokens,
            bcce_data.whole_number(sum(u.cache_read_tokens)) AS cache_read_tokens,
            bcce_data.whole_number(sum(u.cache_write_5m_tokens)) AS cache_write_5m_tokens,
            bcce_data.whole_number(sum(u.cache_write_1h_tokens)) AS cache_write_1h_tokens,
            bcce_data.whole_number(sum(u.web_searches)) AS web_searches,
            min(u.at) AS first_at,
            max(u.at) AS last_at
        FROM bcce_data.model_usage u
        CROSS JOIN LATERAL (
            SELECT
                bcce.token_cost_status(u.model_id, u.at, u.input_tokens, u.output_tokens, u.cache_read_tokens, u.cache_write_5m_tokens,
                    u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier, u.tenant_id) AS reason
            OFFSET 0
        ) why
        WHERE u.at >= coalesce(since, '-infinity')
          AND u.at < coalesce(until, 'infinity')
          AND NOT u.is_test
          AND coalesce(u.reported_cost_usd, u.charged_usd) IS NULL
          AND why.reason NOT IN ('priced', 'synthetic')
        GROUP BY u.tenant_id, u.model_id, why.reason
    ) x ON x.tenant_id = t.tenant_id
    WHERE t.deleted_at IS NULL;
END;
COMMENT ON FUNCTION bcce.unpriced_usage(timestamptz, timestamptz) IS 'Which calls between since (inclusive) and until (exclusive) have no known price, and why? NULL leaves an end open. Same columns as the view of this name.';

CREATE OR REPLACE VIEW bcce.unpriced_usage WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.model_id,
    x.reason,
    x.model_call_count,
    x.input_tokens,
    x.output_tokens,
    x.cache_read_tokens,
    x.cache_write_5m_tokens,
    x.cache_write_1h_tokens,
    x.web_searches,
    x.first_seen_at,
    x.last_seen_at
FROM bcce.unpriced_usage(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.unpriced_usage IS 'Which model calls have no known price, and why? One row per visible tenant, model and reason. For a period use the function of this name.';
COMMENT ON COLUMN bcce.unpriced_usage.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.unpriced_usage.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.unpriced_usage.model_id IS 'model as the calls name it';
COMMENT ON COLUMN bcce.unpriced_usage.reason IS 'no_tokens: no count was told; unknown_model; no_price_at_time; not_token_priced: priced by time; missing_price: of a class of tokens that was used; missing_factor: of fast, us or batch; out_of_range. set_model_price(), set_model_price_factor(), set_model_alias() and import_prices() mend all but the first and the last';
COMMENT ON COLUMN bcce.unpriced_usage.model_call_count IS 'model calls';
COMMENT ON COLUMN bcce.unpriced_usage.input_tokens IS 'tokens into the model, cache reads and writes apart; NULL: no call told';
COMMENT ON COLUMN bcce.unpriced_usage.output_tokens IS 'tokens out of the model; NULL: no call told';
COMMENT ON COLUMN bcce.unpriced_usage.cache_read_tokens IS 'tokens that the model read from its cache; NULL: no call told';
COMMENT ON COLUMN bcce.unpriced_usage.cache_write_5m_tokens IS 'tokens written to the five-minute cache, those of unknown life among them; NULL: no call told';
COMMENT ON COLUMN bcce.unpriced_usage.cache_write_1h_tokens IS 'tokens written to the one-hour cache; NULL: no call told';
COMMENT ON COLUMN bcce.unpriced_usage.web_searches IS 'searches that the provider made for the calls; NULL: no call told';
COMMENT ON COLUMN bcce.unpriced_usage.first_seen_at IS 'when the first of them was made';
COMMENT ON COLUMN bcce.unpriced_usage.last_seen_at IS 'when the last of them was made';
