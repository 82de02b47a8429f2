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
    currency text,
    adjustments_usd numeric,
    provider_adjustments_usd numeric,
    covered_model_cost_usd numeric,
    tariff_includes_models boolean
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH bill AS (
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
    )
    SELECT
        t.tenant_id,
        t.tenant_name,
        c.starts_at,
        c.first_day,
        part.runs,
        part.metrics,
        part.predictions,
        part.run_usd,
        part.metric_usd,
        part.prediction_usd,
        part.model_usd,
        part.infra_usd,
        part.run_usd + part.metric_usd + part.prediction_usd + part.adjustment_usd - part.provider_adjustment_usd,
        part.model_usd + part.infra_usd + part.provider_adjustment_usd,
        total.usd,
        round(total.usd * 3600 / nullif(u.run_seconds, 0), 10),
        round(total.usd / nullif(part.runs, 0), 10),
        round(total.usd / nullif(p.active, 0), 10),
        part.unpriced,
        part.unpriced > 0,
        round(100 * part.estimated_usd / nullif(part.model_usd, 0), 1),
        t.billing_currency,
        part.adjustment_usd,
        part.provider_adjustment_usd,
        part.covered_usd,
        t.tariff_includes_models
    FROM bcce_data.tenants t
    CROSS JOIN LATERAL (
        SELECT
            least(u.first_run_at, u.first_metric_at, u.first_prediction_at, u.first_call_at, bills.first_at, adjusted.first_at) AS first_at,
            greatest(u.last_run_at, u.last_metric_at, u.last_prediction_at, u.last_call_at, bills.last_at, adjusted.last_at) AS last_at
        FROM bcce_data.fact_ends(t.tenant_id, since, until) u
        CROSS JOIN (
            SELECT min(b.first_at) AS first_at, max(b.last_at) AS last_at
            FROM bill b
            WHERE b.tenant_id = t.tenant_id
        ) bills
        CROSS JOIN (
            SELECT min(a.at) AS first_at, max(a.at) AS last_at
            FROM bcce_data.adjustments(since, until) a
            WHERE a.tenant_id = t.tenant_id
        ) adjusted
    ) e
    CROSS JOIN LATERAL bcce_data.local_periods(e.first_at, e.last_at, t.timezone, 'day') c
    -- Each of one row; outer joins, as the planner leaves out those of which nothing is asked.
    LEFT JOIN LATERAL (
        SELECT
            count(*) FILTER (WHERE u.item = 'workflow_run') AS runs,
            count(*) FILTER (WHERE u.item = 'metric') AS metrics,
            count(*) FILTER (WHERE u.item = 'prediction') AS predictions,
            sum(u.usd) FILTER (WHERE u.item = 'workflow_run') AS run_usd,
            sum(u.usd) FILTER (WHERE u.item = 'metric') AS metric_usd,
            sum(u.usd) FILTER (WHERE u.item = 'prediction') AS prediction_usd,
            sum(u.usd) FILTER (WHERE u.item = 'model_call') AS model_usd,
            sum(u.usd) FILTER (WHERE u.is_estimated) AS estimated_usd,
            sum(u.usd) FILTER (WHERE u.is_covered) AS covered_usd,
            count(*) - count(u.usd) AS unpriced,
            sum(u.run_seconds) AS run_seconds
        FROM bcce_data.cost_units(since, until) u
        WHERE u.tenant_id = t.tenant_id AND u.at >= c.starts_at AND u.at < c.ends_at
    ) u ON true
    -- What had accrued by the end of the day less what had by its start, so that
    -- roundings cancel over the days.
    LEFT JOIN LATERAL (
        SELECT
            sum(bcce_data.infra_share(b.amount_usd, b.period_start_at, b.period_end_at, since, least(c.ends_at, b.now))
                - bcce_data.infra_share(b.amount_usd, b.period_start_at, b.period_end_at, since, least(c.starts_at, b.now))) AS usd
        FROM bill b
        WHERE b.tenant_id = t.tenant_id AND c.starts_at <= b.last_at AND c.ends_at > b.first_at
    ) i ON true
    LEFT JOIN LATERAL (
        SELECT sum(a.usd) AS usd, sum(a.usd) FILTER (WHERE a.is_provider) AS provider_usd
        FROM bcce_data.adjustments(since, until) a
        WHERE a.tenant_id = t.tenant_id AND a.at >= c.starts_at AND a.at < c.ends_at
    ) adjusted ON true
    LEFT JOIN LATERAL (
        SELECT count(DISTINCT a.user_key) AS active
        FROM bcce_data.user_activity(since, until) a
        WHERE a.tenant_id = t.tenant_id AND a.at >= c.starts_at AND a.at < c.ends_at
    ) p ON true
    CROSS JOIN LATERAL (
        SELECT
            u.runs,
            u.metrics,
            u.predictions,
            coalesce(u.run_usd, 0) AS run_usd,
            coalesce(u.metric_usd, 0) AS metric_usd,
            coalesce(u.prediction_usd, 0) AS prediction_usd,
            coalesce(u.model_usd, 0) AS model_usd,
            coalesce(u.estimated_usd, 0) AS estimated_usd,
            coalesce(i.usd, 0) AS infra_usd,
            coalesce(adjusted.usd, 0) AS adjustment_usd,
            coalesce(adjusted.provider_usd, 0) AS provider_adjustment_usd,
            coalesce(u.covered_usd, 0) AS covered_usd,
            u.unpriced
    ) part
    CROSS JOIN LATERAL (
        SELECT part.run_usd + part.metric_usd + part.prediction_usd + part.model_usd + part.infra_usd + part.adjustment_usd - part.covered_usd AS usd
    ) total
    WHERE t.deleted_at IS NULL;
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
    x.currency,
    x.adjustments_usd,
    x.provider_adjustments_usd,
    x.covered_model_cost_usd,
    x.tariff_includes_models
FROM bcce.cost_by_day(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.cost_by_day IS 'What did each day cost, and which one was expensive? One row per visible tenant and local day from its first to its last cost, days without any included. For a period use the function of this name.';
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
COMMENT ON COLUMN bcce.cost_by_day.model_cost_usd IS 'US dollars for model calls: each as the sender reported it, else by its tokens at the prices known when it was recorded, else at those known now; a call whose cost is unknown is in unpriced_units';
COMMENT ON COLUMN bcce.cost_by_day.infra_cost_usd IS 'US dollars of the infrastructure bills, by their overlap with the day up to now; what rounding to ten decimals leaves over falls on the later days, so that days add up';
COMMENT ON COLUMN bcce.cost_by_day.tariff_cost_usd IS 'US dollars by the chargeback tariff: workflow, monitoring and prediction cost, and what was adjusted of these';
COMMENT ON COLUMN bcce.cost_by_day.provider_cost_usd IS 'US dollars paid to providers: model and infrastructure cost, and what was adjusted of these';
COMMENT ON COLUMN bcce.cost_by_day.total_cost_usd IS 'US dollars, sum of the five parts and adjustments_usd less covered_model_cost_usd, unrounded: tariff_cost_usd + provider_cost_usd - covered_model_cost_usd';
COMMENT ON COLUMN bcce.cost_by_day.cost_per_execution_hour_usd IS 'US dollars per hour that the day''s runs ran, cancelled ones included, running ones up to now or the period''s end; NULL: none ran';
COMMENT ON COLUMN bcce.cost_by_day.cost_per_workflow_usd IS 'US dollars in total per run; NULL: no runs';
COMMENT ON COLUMN bcce.cost_by_day.cost_per_user_usd IS 'US dollars in total per distinct pseudonymous user of the day with a run, an event or a model call; NULL: no users';
COMMENT ON COLUMN bcce.cost_by_day.unpriced_units IS 'runs, samples, predictions and model calls whose cost is unknown: they are left out of the sums';
COMMENT ON COLUMN bcce.cost_by_day.is_lower_bound IS 'true when some cost is unknown, so that the sums are lower bounds';
COMMENT ON COLUMN bcce.cost_by_day.estimated_share_percent IS 'percent of the model cost that is estimated rather than reported, one decimal; NULL: no model cost';
COMMENT ON COLUMN bcce.cost_by_day.currency IS 'currency of the money columns';
COMMENT ON COLUMN bcce.cost_by_day.adjustments_usd IS 'US dollars of credits, refunds, discounts and corrections (cost_adjustments) by their time, up to now; negative: they lower the cost';
COMMENT ON COLUMN bcce.cost_by_day.provider_adjustments_usd IS 'US dollars of adjustments_usd that are of model or infrastructure cost, and so in provider_cost_usd; the rest is in tariff_cost_usd';
COMMENT ON COLUMN bcce.cost_by_day.covered_model_cost_usd IS 'US dollars of model_cost_usd for calls of runs that are charged, which the price of a run includes and total_cost_usd leaves out; 0 where tariff_includes_models is false';
COMMENT ON COLUMN bcce.cost_by_day.tariff_includes_models IS 'whether the price of a run includes its model calls (set_tariff_includes_models)';
