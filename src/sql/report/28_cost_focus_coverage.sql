-- cost_focus_unpriced and cost_focus_coverage: what cost_focus has to leave out,
-- and how much that is.
CREATE OR REPLACE FUNCTION bcce.cost_focus_unpriced(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    at timestamptz,
    model_id text,
    reason text,
    user_key text,
    request_id text,
    input_tokens bigint,
    output_tokens bigint,
    cache_read_tokens bigint,
    cache_write_5m_tokens bigint,
    cache_write_1h_tokens bigint,
    web_searches bigint
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        u.at,
        u.model_id,
        why.reason,
        u.user_key,
        u.request_id,
        u.input_tokens,
        u.output_tokens,
        u.cache_read_tokens,
        u.cache_write_5m_tokens,
        u.cache_write_1h_tokens,
        u.web_searches
    FROM bcce_data.model_usage u
    JOIN bcce_data.tenants t ON t.tenant_id = u.tenant_id AND t.deleted_at IS NULL
    CROSS JOIN LATERAL (
        SELECT bcce.token_cost_status(u.model_id, u.at, u.input_tokens, u.output_tokens, u.cache_read_tokens, u.cache_write_5m_tokens,
            u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier, u.tenant_id) AS reason
        OFFSET 0
    ) why
    WHERE u.at >= coalesce(since, '-infinity')
      AND u.at < coalesce(until, 'infinity')
      AND NOT u.is_test
      AND coalesce(u.reported_cost_usd, u.charged_usd) IS NULL
      AND why.reason NOT IN ('priced', 'synthetic');
END;
COMMENT ON FUNCTION bcce.cost_focus_unpriced(timestamptz, timestamptz) IS 'Which model calls between since (inclusive) and until (exclusive) are not in cost_focus, since their cost is unknown? NULL leaves an end open. Same columns as the view of this name.';

CREATE OR REPLACE VIEW bcce.cost_focus_unpriced WITH (security_invoker = true) AS
SELECT
    f.tenant_id,
    f.tenant_name,
    f.at,
    f.model_id,
    f.reason,
    f.user_key,
    f.request_id,
    f.input_tokens,
    f.output_tokens,
    f.cache_read_tokens,
    f.cache_write_5m_tokens,
    f.cache_write_1h_tokens,
    f.web_searches
FROM bcce.cost_focus_unpriced(NULL::timestamptz, NULL::timestamptz) f;
COMMENT ON VIEW bcce.cost_focus_unpriced IS 'Which model calls are not in cost_focus, since their cost is unknown? One row per request of visible tenants. For a period use the function of this name.';
COMMENT ON COLUMN bcce.cost_focus_unpriced.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.cost_focus_unpriced.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.cost_focus_unpriced.at IS 'when the call was made';
COMMENT ON COLUMN bcce.cost_focus_unpriced.model_id IS 'model';
COMMENT ON COLUMN bcce.cost_focus_unpriced.reason IS 'why its cost is unknown, as in unpriced_usage';
COMMENT ON COLUMN bcce.cost_focus_unpriced.user_key IS 'pseudonym of the person';
COMMENT ON COLUMN bcce.cost_focus_unpriced.request_id IS 'the provider''s id of the request';
COMMENT ON COLUMN bcce.cost_focus_unpriced.input_tokens IS 'tokens in; NULL: unknown';
COMMENT ON COLUMN bcce.cost_focus_unpriced.output_tokens IS 'tokens out; NULL: unknown';
COMMENT ON COLUMN bcce.cost_focus_unpriced.cache_read_tokens IS 'tokens read from the cache';
COMMENT ON COLUMN bcce.cost_focus_unpriced.cache_write_5m_tokens IS 'tokens written to the five-minute cache';
COMMENT ON COLUMN bcce.cost_focus_unpriced.cache_write_1h_tokens IS 'tokens written to the one-hour cache';
COMMENT ON COLUMN bcce.cost_focus_unpriced.web_searches IS 'searches made by the provider for the call';

CREATE OR REPLACE FUNCTION bcce.cost_focus_coverage(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    period_start_at timestamptz,
    month date,
    call_count bigint,
    priced_calls bigint,
    unpriced_calls bigint,
    covered_percent numeric,
    total_usd numeric,
    currency text,
    adjustments_usd numeric
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        c.starts_at,
        c.first_day,
        x.calls,
        x.priced,
        x.calls - x.priced,
        round(100.0 * x.priced / nullif(x.calls, 0), 1),
        x.usd + j.usd,
        t.billing_currency,
        j.usd
    FROM bcce_data.tenants t
    CROSS JOIN LATERAL bcce_data.fact_ends(t.tenant_id, since, until) e
    CROSS JOIN LATERAL (
        SELECT min(a.at) AS first_at, max(a.at) AS last_at
        FROM bcce_data.adjustments(since, until) a
        WHERE a.tenant_id = t.tenant_id AND a.applies_to = 'model'
    ) adjusted
    CROSS JOIN LATERAL bcce_data.local_periods(least(e.first_call_at, adjusted.first_at), greatest(e.last_call_at, adjusted.last_at), 'UTC', 'month') c
    LEFT JOIN LATERAL (
        SELECT count(*) AS calls, count(k.usd) AS priced, coalesce(sum(k.usd), 0) AS usd
        FROM (
            SELECT coalesce(u.reported_cost_usd, u.charged_usd, bcce.estimate_token_cost(u.model_id, u.at, u.input_tokens, u.output_tokens,
                u.cache_read_tokens, u.cache_write_5m_tokens, u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier, u.tenant_id)) AS usd
            FROM bcce_data.model_usage u
            WHERE u.tenant_id = t.tenant_id AND u.at >= c.starts_at AND u.at < c.ends_at AND NOT u.is_test
              AND u.at >= coalesce(since, '-infinity')
              AND u.at < coalesce(until, 'infinity')
        ) k
    ) x ON true
    LEFT JOIN LATERAL (
        SELECT coalesce(sum(a.usd), 0) AS usd
        FROM bcce_data.adjustments(since, until) a
        WHERE a.tenant_id = t.tenant_id AND a.at >= c.starts_at AND a.at < c.ends_at AND a.applies_to = 'model'
    ) j ON true
    WHERE t.deleted_at IS NULL;
END;
COMMENT ON FUNCTION bcce.cost_focus_coverage(timestamptz, timestamptz) IS 'How much of the model calls between since (inclusive) and until (exclusive) is in cost_focus? NULL leaves an end open. Same columns as the view of this name.';

CREATE OR REPLACE VIEW bcce.cost_focus_coverage WITH (security_invoker = true) AS
SELECT
    f.tenant_id,
    f.tenant_name,
    f.period_start_at,
    f.month,
    f.call_count,
    f.priced_calls,
    f.unpriced_calls,
    f.covered_percent,
    f.total_usd,
    f.currency,
    f.adjustments_usd
FROM bcce.cost_focus_coverage(NULL::timestamptz, NULL::timestamptz) f;
COMMENT ON VIEW bcce.cost_focus_coverage IS 'How much of the model calls is in cost_focus? One row per visible tenant and month (UTC) from the first call or adjustment to the last. For a period use the function of this name.';
COMMENT ON COLUMN bcce.cost_focus_coverage.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.cost_focus_coverage.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.cost_focus_coverage.period_start_at IS 'start of the month (UTC), as BillingPeriodStart';
COMMENT ON COLUMN bcce.cost_focus_coverage.month IS 'first day of the month (UTC)';
COMMENT ON COLUMN bcce.cost_focus_coverage.call_count IS 'model calls';
COMMENT ON COLUMN bcce.cost_focus_coverage.priced_calls IS 'model calls with a cost: those in cost_focus, and those that were never sent';
COMMENT ON COLUMN bcce.cost_focus_coverage.unpriced_calls IS 'model calls whose cost is unknown: those in cost_focus_unpriced';
COMMENT ON COLUMN bcce.cost_focus_coverage.covered_percent IS 'percent of the calls with a cost, one decimal; NULL: no calls';
COMMENT ON COLUMN bcce.cost_focus_coverage.total_usd IS 'US dollars of all calls with a cost, and of adjustments of model cost: the sum of BilledCost';
COMMENT ON COLUMN bcce.cost_focus_coverage.currency IS 'currency of the money columns';
COMMENT ON COLUMN bcce.cost_focus_coverage.adjustments_usd IS 'US dollars of total_usd that are credits, refunds, discounts and corrections';
