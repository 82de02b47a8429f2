-- cost_analysis_repriced(): what model calls would have cost by the prices known
-- at another time.  cost_report(): what a period cost, piece by piece.
CREATE OR REPLACE FUNCTION bcce.cost_analysis_repriced(as_of timestamptz DEFAULT NULL, since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    model_id text,
    model_call_count bigint,
    changed_call_count bigint,
    model_cost_usd numeric,
    repriced_cost_usd numeric,
    change_usd numeric,
    unpriced_units bigint,
    repriced_unpriced_units bigint,
    currency text
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        x.model_id,
        x.calls,
        x.changed,
        x.usd,
        x.repriced_usd,
        x.repriced_usd - x.usd,
        x.unpriced,
        x.repriced_unpriced,
        t.billing_currency
    FROM bcce_data.tenants t
    JOIN (
        SELECT
            u.tenant_id,
            u.model_id,
            count(*) AS calls,
            count(*) FILTER (WHERE c.usd IS DISTINCT FROM c.repriced_usd) AS changed,
            coalesce(sum(c.usd), 0) AS usd,
            coalesce(sum(c.repriced_usd), 0) AS repriced_usd,
            count(*) - count(c.usd) AS unpriced,
            count(*) - count(c.repriced_usd) AS repriced_unpriced
        FROM bcce_data.model_usage u
        CROSS JOIN LATERAL (
            SELECT
                coalesce(u.reported_cost_usd, u.charged_usd, bcce.estimate_token_cost(u.model_id, u.at, u.input_tokens, u.output_tokens, u.cache_read_tokens,
                    u.cache_write_5m_tokens, u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier, u.tenant_id)) AS usd,
                coalesce(u.reported_cost_usd, bcce.estimate_token_cost(u.model_id, u.at, u.input_tokens, u.output_tokens, u.cache_read_tokens,
                    u.cache_write_5m_tokens, u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier, u.tenant_id, as_of)) AS repriced_usd
            OFFSET 0
        ) c
        WHERE u.at >= coalesce(since, '-infinity')
          AND u.at < coalesce(until, 'infinity')
          AND NOT u.is_test
        GROUP BY u.tenant_id, u.model_id
    ) x ON x.tenant_id = t.tenant_id
    WHERE t.deleted_at IS NULL;
END;
COMMENT ON FUNCTION bcce.cost_analysis_repriced(timestamptz, timestamptz, timestamptz) IS 'What would the model calls between since (inclusive) and until (exclusive; NULL: open ends) cost by the prices that were known at as_of (NULL: now)? One row per visible tenant and model: its calls and how many of them would cost something else, US dollars as they count in cost_analysis and repriced, the difference, and how many calls have no known cost, now and repriced. What a sender reported stays as it is. Nothing is stored.';

CREATE OR REPLACE FUNCTION bcce.cost_report(period interval DEFAULT '30 days', grain text DEFAULT 'period', alert_threshold numeric DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    period_start_at timestamptz,
    period_start_date date,
    day_count bigint,
    workflow_cost_usd numeric,
    monitoring_cost_usd numeric,
    prediction_cost_usd numeric,
    model_cost_usd numeric,
    infra_cost_usd numeric,
    total_cost_usd numeric,
    unpriced_units bigint,
    is_lower_bound boolean,
    over_threshold boolean,
    currency text,
    adjustments_usd numeric,
    covered_model_cost_usd numeric,
    tariff_includes_models boolean
)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict use_column
BEGIN
    IF cost_report.grain IS NULL OR cost_report.grain NOT IN ('period', 'day', 'week', 'month', 'quarter', 'year') THEN
        PERFORM bcce.raise_error('22023', 'unknown grain of a cost report', NULL, 'Known: period (all in one), day, week, month, quarter, year.');
    END IF;
    IF cost_report.period IS NULL OR cost_report.period <= interval '0' THEN
        PERFORM bcce.raise_error('22023', 'the period of a cost report must be longer than nothing', NULL, 'For example period => ''30 days''.');
    END IF;
    RETURN QUERY
    SELECT
        d.tenant_id,
        d.tenant_name,
        min(d.period_start_at),
        min(d.usage_date),
        count(*),
        sum(d.workflow_cost_usd),
        sum(d.monitoring_cost_usd),
        sum(d.prediction_cost_usd),
        sum(d.model_cost_usd),
        sum(d.infra_cost_usd),
        sum(d.total_cost_usd),
        sum(d.unpriced_units)::bigint,
        bool_or(d.is_lower_bound),
        CASE WHEN sum(d.total_cost_usd) > cost_report.alert_threshold THEN true
             WHEN NOT bool_or(d.is_lower_bound) THEN sum(d.total_cost_usd) > cost_report.alert_threshold END,
        d.currency,
        sum(d.adjustments_usd),
        sum(d.covered_model_cost_usd),
        d.tariff_includes_models
    -- Days of UTC: those of the session's zone could be of 23 hours.
    FROM bcce.cost_by_day((bcce.report_now() AT TIME ZONE 'UTC' - cost_report.period) AT TIME ZONE 'UTC', bcce.report_now()) d
    GROUP BY d.tenant_id, d.tenant_name, d.currency, d.tariff_includes_models,
             CASE WHEN cost_report.grain <> 'period' THEN date_trunc(cost_report.grain, d.usage_date::timestamp) END
    ORDER BY d.tenant_name, d.tenant_id, min(d.usage_date);
END
$body$;
COMMENT ON FUNCTION bcce.cost_report(interval, text, numeric) IS 'What did the last 30 days (or another period, up to now) cost? One row per visible tenant and day, week, month, quarter or year of its zone as grain says, one in all by default; the first and the last may be cut short, day_count says by how much. US dollars by part and in total (the sum of the parts and adjustments_usd less covered_model_cost_usd, as in cost_analysis), how many units have no known cost, and whether the row is over alert_threshold US dollars: NULL without a threshold, or when that is unknown because some cost is. Error 22023: an unknown grain, or a period that is not positive.';
