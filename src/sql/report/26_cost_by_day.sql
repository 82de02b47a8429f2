-- cost_by_day: what each day cost, one row per tenant and local day.
CREATE OR REPLACE FUNCTION bcce.cost_by_day(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    period_start_at timestamptz,
    usage_date date,
    workflow_runs bigint,
    metric_count bigint,
    prediction_count bigint,
    workflow_cost_usd numeric,
    monitoring_cost_usd numeric,
    prediction_cost_usd numeric,
    model_cost_usd numeric,
    infra_cost_usd numeric,
    tariff_cost_usd numeric,
    provider_cost_usd numeric,
    total_cost_usd numeric,
    cost_per_execution_hour_usd numeric,
    cost_per_workflow_usd numeric,
    cost_per_user_usd numeric,
    unpriced_units bigint,
    is_lower_bound boolean,
    estimated_share_percent numeric,
    currency text
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH unit AS (
        SELECT
            u.tenant_id,
            local.day,
            count(*) FILTER (WHERE u.item = 'workflow_run') AS runs,
            count(*) FILTER (WHERE u.item = 'metric') AS metrics,
            count(*) FILTER (WHERE u.item = 'prediction') AS predictions,
            sum(u.usd) FILTER (WHERE u.item = 'workflow_run') AS run_usd,
            sum(u.usd) FILTER (WHERE u.item = 'metric') AS metric_usd,
            sum(u.usd) FILTER (WHERE u.item = 'prediction') AS prediction_usd,
            sum(u.usd) FILTER (WHERE u.item = 'model_call') AS model_usd,
            count(*) - count(u.usd) AS unpriced,
            sum(u.run_seconds) AS run_seconds
        FROM bcce_data.tenants t
        JOIN bcce_data.cost_units(since, until) u ON u.tenant_id = t.tenant_id
        CROSS JOIN LATERAL bcce_data.local_date(u.at, t.timezone) local
        WHERE t.deleted_at IS NULL
        GROUP BY u.tenant_id, local.day
    ),
    bill AS (
        SELECT
            c.tenant_id,
            c.amount_usd,
            c.period_start_at,
            c.period_end_at,
            greatest(c.period_start_at, since) AS first_at,
            least(c.period_end_at, moment.now) - interval '1 microsecond' AS last_at,
            moment.now
        FROM bcce_data.infra_costs c
        CROSS JOIN (SELECT least(until, bcce.report_now()) AS now) moment
        WHERE c.period_start_at < moment.now
          AND (since IS NULL OR c.period_end_at > since)
          AND (since IS NULL OR since < moment.now)
          AND isfinite(c.period_start_at) AND isfinite(c.period_end_at)
    ),
    extent AS (
        SELECT d.tenant_id, min(d.first_day) AS first_day, max(d.last_day) AS last_day
        FROM (
            SELECT u.tenant_id, u.day AS first_day, u.day AS last_day
            FROM unit u
            UNION ALL
            SELECT b.tenant_id, first_local.day, last_local.day
            FROM bill b
            JOIN bcce_data.tenants t ON t.tenant_id = b.tenant_id
            CROSS JOIN LATERAL bcce_data.local_date(b.first_at, t.timezone) first_local
            CROSS JOIN LATERAL bcce_data.local_date(b.last_at, t.timezone) last_local
        ) d
        GROUP BY d.tenant_id
    ),
    -- Two days more than needed: the day after may be one that the zone left out.
    day AS (
        SELECT
            t.tenant_id,
            t.tenant_name,
            t.billing_currency,
            e.last_day,
            e.first_day + n.n AS day,
            midnight.starts_at,
            lead(midnight.starts_at) OVER (PARTITION BY t.tenant_id ORDER BY n.n) AS ends_at
        FROM bcce_data.tenants t
        JOIN extent e ON e.tenant_id = t.tenant_id
        CROSS JOIN LATERAL generate_series(0, e.last_day - e.first_day + 2) AS n (n)
        CROSS JOIN LATERAL bcce_data.local_midnight(e.first_day + n.n, t.timezone) midnight
        WHERE t.deleted_at IS NULL AND midnight.starts_at IS NOT NULL
    ),
    -- What had accrued by the end of the day less what had by its start, so that
    -- roundings cancel over the days.
    infra AS (
        SELECT
            d.tenant_id,
            d.day,
            sum(bcce_data.infra_share(b.amount_usd, b.period_start_at, b.period_end_at, since, least(d.ends_at, b.now))
                - bcce_data.infra_share(b.amount_usd, b.period_start_at, b.period_end_at, since, least(d.starts_at, b.now))) AS usd
        FROM day d
        JOIN bill b ON b.tenant_id = d.tenant_id AND d.starts_at <= b.last_at AND d.ends_at > b.first_at
        GROUP BY d.tenant_id, d.day
    ),
    person AS (
        SELECT a.tenant_id, local.day, count(DISTINCT a.user_key) AS active
        FROM bcce_data.tenants t
        JOIN bcce_data.user_activity(since, until, since) a ON a.tenant_id = t.tenant_id
        CROSS JOIN LATERAL bcce_data.local_date(a.at, t.timezone) local
        WHERE t.deleted_at IS NULL
        GROUP BY a.tenant_id, local.day
    )
    SELECT
        d.tenant_id,
        d.tenant_name,
        d.starts_at,
        d.day,
        part.runs,
        part.metrics,
        part.predictions,
        part.run_usd,
        part.metric_usd,
        part.prediction_usd,
        part.model_usd,
        part.infra_usd,
        part.run_usd + part.metric_usd + part.prediction_usd,
        part.model_usd + part.infra_usd,
        total.usd,
        round(total.usd * 3600 / nullif(u.run_seconds, 0), 10),
        round(total.usd / nullif(part.runs, 0), 10),
        round(total.usd / nullif(p.active, 0), 10),
        part.unpriced,
        part.unpriced > 0,
        -- As in cost_analysis: every known model cost is a reported one.
        round(100 * 0 / nullif(part.model_usd, 0), 1),
        d.billing_currency
    FROM day d
    LEFT JOIN unit u ON u.tenant_id = d.tenant_id AND u.day = d.day
    LEFT JOIN infra i ON i.tenant_id = d.tenant_id AND i.day = d.day
    LEFT JOIN person p ON p.tenant_id = d.tenant_id AND p.day = d.day
    CROSS JOIN LATERAL (
        SELECT
            coalesce(u.runs, 0) AS runs,
            coalesce(u.metrics, 0) AS metrics,
            coalesce(u.predictions, 0) AS predictions,
            coalesce(u.run_usd, 0) AS run_usd,
            coalesce(u.metric_usd, 0) AS metric_usd,
            coalesce(u.prediction_usd, 0) AS prediction_usd,
            coalesce(u.model_usd, 0) AS model_usd,
            coalesce(i.usd, 0) AS infra_usd,
            coalesce(u.unpriced, 0) AS unpriced
    ) part
    CROSS JOIN LATERAL (
        SELECT part.run_usd + part.metric_usd + part.prediction_usd + part.model_usd + part.infra_usd AS usd
    ) total
    WHERE d.day <= d.last_day;
END;
COMMENT ON FUNCTION bcce.cost_by_day(timestamptz, timestamptz) IS 'What did each day cost, of what falls between since (inclusive) and until (exclusive)? NULL leaves an end open. Same columns as the view of this name; each part summed over the days is that of cost_analysis for the same period.';

CREATE OR REPLACE VIEW bcce.cost_by_day WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.period_start_at,
    x.usage_date,
    x.workflow_runs,
    x.metric_count,
    x.prediction_count,
    x.workflow_cost_usd,
    x.monitoring_cost_usd,
    x.prediction_cost_usd,
    x.model_cost_usd,
    x.infra_cost_usd,
    x.tariff_cost_usd,
    x.provider_cost_usd,
    x.total_cost_usd,
    x.cost_per_execution_hour_usd,
    x.cost_per_workflow_usd,
    x.cost_per_user_usd,
    x.unpriced_units,
    x.is_lower_bound,
    x.estimated_share_percent,
    x.currency
FROM bcce.cost_by_day(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.cost_by_day IS 'What did each day cost? One row per visible tenant and local day from its first to its last cost, days without any included. For a period use the function of this name.';
COMMENT ON COLUMN bcce.cost_by_day.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.cost_by_day.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.cost_by_day.period_start_at IS 'first instant of the day in the tenant''s zone';
COMMENT ON COLUMN bcce.cost_by_day.usage_date IS 'day in the tenant''s zone';
COMMENT ON COLUMN bcce.cost_by_day.workflow_runs IS 'runs started, failed and running ones included, skipped ones not';
COMMENT ON COLUMN bcce.cost_by_day.metric_count IS 'metric samples stored';
COMMENT ON COLUMN bcce.cost_by_day.prediction_count IS 'predictions made';
COMMENT ON COLUMN bcce.cost_by_day.workflow_cost_usd IS 'US dollars for the runs: each as charged when it was recorded, else at the price of its start';
COMMENT ON COLUMN bcce.cost_by_day.monitoring_cost_usd IS 'US dollars for the metric samples: each as charged when it was recorded, else at the price of its time';
COMMENT ON COLUMN bcce.cost_by_day.prediction_cost_usd IS 'US dollars for the predictions: each as charged when it was recorded, else at the price of its time';
COMMENT ON COLUMN bcce.cost_by_day.model_cost_usd IS 'US dollars for model calls, as the senders reported them; a call without a reported cost is in unpriced_units';
COMMENT ON COLUMN bcce.cost_by_day.infra_cost_usd IS 'US dollars of the infrastructure bills, by their overlap with the day up to now; what rounding to ten decimals leaves over falls on the later days, so that days add up';
COMMENT ON COLUMN bcce.cost_by_day.tariff_cost_usd IS 'US dollars by the chargeback tariff: workflow, monitoring and prediction cost';
COMMENT ON COLUMN bcce.cost_by_day.provider_cost_usd IS 'US dollars paid to providers: model and infrastructure cost';
COMMENT ON COLUMN bcce.cost_by_day.total_cost_usd IS 'US dollars, sum of the five parts, unrounded';
COMMENT ON COLUMN bcce.cost_by_day.cost_per_execution_hour_usd IS 'US dollars per hour that the day''s runs ran, cancelled ones included, running ones up to now or the period''s end; NULL: none ran';
COMMENT ON COLUMN bcce.cost_by_day.cost_per_workflow_usd IS 'US dollars in total per run; NULL: no runs';
COMMENT ON COLUMN bcce.cost_by_day.cost_per_user_usd IS 'US dollars in total per distinct pseudonymous user of the day with a run, an event or a model call; NULL: no users';
COMMENT ON COLUMN bcce.cost_by_day.unpriced_units IS 'runs, samples, predictions and model calls whose cost is unknown: they are left out of the sums';
COMMENT ON COLUMN bcce.cost_by_day.is_lower_bound IS 'true when some cost is unknown, so that the sums are lower bounds';
COMMENT ON COLUMN bcce.cost_by_day.estimated_share_percent IS 'percent of the model cost that is estimated rather than reported, one decimal; NULL: no model cost';
COMMENT ON COLUMN bcce.cost_by_day.currency IS 'currency of the money columns';
