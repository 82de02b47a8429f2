-- cost_analysis: what it cost, one row per tenant.
CREATE OR REPLACE FUNCTION bcce.cost_analysis(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
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
    cost_per_hour_usd numeric,
    cost_per_execution_hour_usd numeric,
    cost_per_workflow_usd numeric,
    cost_per_user_usd numeric,
    unpriced_units bigint,
    is_lower_bound boolean,
    estimated_share_percent numeric,
    currency text,
    model_cost_upper_usd numeric,
    adjustments_usd numeric,
    provider_adjustments_usd numeric,
    covered_model_cost_usd numeric,
    tariff_includes_models boolean
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
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
        round(total.usd * 3600 / greatest(extract(epoch FROM unit.last_at - unit.first_at), 3600)
              / CASE WHEN unit.first_at IS NOT NULL THEN 1 END, 10),
        round(total.usd * 3600 / nullif(unit.run_seconds, 0), 10),
        round(total.usd / nullif(part.runs, 0), 10),
        round(total.usd / nullif(person.active, 0), 10),
        part.unpriced,
        part.unpriced > 0,
        round(100 * part.estimated_usd / nullif(part.model_usd, 0), 1),
        t.billing_currency,
        CASE WHEN unit.upper_unknown > 0 THEN NULL ELSE coalesce(unit.upper_usd, 0) END,
        part.adjustment_usd,
        part.provider_adjustment_usd,
        part.covered_usd,
        t.tariff_includes_models
    FROM bcce_data.tenants t
    LEFT JOIN (
        SELECT
            u.tenant_id,
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
            sum(CASE WHEN u.is_ttl_assumed THEN greatest(u.usd, u.upper_usd) ELSE u.usd END) FILTER (WHERE u.item = 'model_call' AND u.usd IS NOT NULL) AS upper_usd,
            count(u.usd) FILTER (WHERE u.is_ttl_assumed AND u.upper_usd IS NULL) AS upper_unknown,
            sum(u.run_seconds) AS run_seconds,
            min(u.at) FILTER (WHERE u.item <> 'model_call') AS first_at,
            max(u.at) FILTER (WHERE u.item <> 'model_call') AS last_at
        FROM bcce_data.cost_units(since, until) u
        GROUP BY u.tenant_id
    ) unit ON unit.tenant_id = t.tenant_id
    LEFT JOIN (
        SELECT
            c.tenant_id,
            sum(bcce_data.infra_share(c.amount_usd, c.period_start_at, c.period_end_at, since, moment.now)) AS usd
        FROM bcce_data.infra_costs c
        CROSS JOIN (SELECT least(until, bcce.report_now()) AS now) moment
        WHERE c.period_start_at < moment.now
          AND (since IS NULL OR c.period_end_at > since)
          AND isfinite(c.period_start_at) AND isfinite(c.period_end_at)
        GROUP BY c.tenant_id
    ) infra ON infra.tenant_id = t.tenant_id
    LEFT JOIN (
        SELECT a.tenant_id, sum(a.usd) AS usd, sum(a.usd) FILTER (WHERE a.is_provider) AS provider_usd
        FROM bcce_data.adjustments(since, until) a
        GROUP BY a.tenant_id
    ) adjusted ON adjusted.tenant_id = t.tenant_id
    LEFT JOIN (
        SELECT a.tenant_id, count(DISTINCT a.user_key) AS active
        FROM bcce_data.user_activity(since, until) a
        GROUP BY a.tenant_id
    ) person ON person.tenant_id = t.tenant_id
    CROSS JOIN LATERAL (
        SELECT
            coalesce(unit.runs, 0) AS runs,
            coalesce(unit.metrics, 0) AS metrics,
            coalesce(unit.predictions, 0) AS predictions,
            coalesce(unit.run_usd, 0) AS run_usd,
            coalesce(unit.metric_usd, 0) AS metric_usd,
            coalesce(unit.prediction_usd, 0) AS prediction_usd,
            coalesce(unit.model_usd, 0) AS model_usd,
            coalesce(unit.estimated_usd, 0) AS estimated_usd,
            coalesce(infra.usd, 0) AS infra_usd,
            coalesce(adjusted.usd, 0) AS adjustment_usd,
            coalesce(adjusted.provider_usd, 0) AS provider_adjustment_usd,
            coalesce(unit.covered_usd, 0) AS covered_usd,
            coalesce(unit.unpriced, 0) AS unpriced
    ) part
    CROSS JOIN LATERAL (
        SELECT part.run_usd + part.metric_usd + part.prediction_usd + part.model_usd + part.infra_usd + part.adjustment_usd - part.covered_usd AS usd
    ) total
    WHERE t.deleted_at IS NULL;
END;
COMMENT ON FUNCTION bcce.cost_analysis(timestamptz, timestamptz) IS 'What did each tenant cost between since (inclusive) and until (exclusive)? NULL leaves an end open. Same columns as the view of this name.';

CREATE OR REPLACE VIEW bcce.cost_analysis WITH (security_invoker = true) AS
SELECT
    c.tenant_id,
    c.tenant_name,
    c.workflow_runs,
    c.metric_count,
    c.prediction_count,
    c.workflow_cost_usd,
    c.monitoring_cost_usd,
    c.prediction_cost_usd,
    c.model_cost_usd,
    c.infra_cost_usd,
    c.tariff_cost_usd,
    c.provider_cost_usd,
    c.total_cost_usd,
    c.cost_per_hour_usd,
    c.cost_per_execution_hour_usd,
    c.cost_per_workflow_usd,
    c.cost_per_user_usd,
    c.unpriced_units,
    c.is_lower_bound,
    c.estimated_share_percent,
    c.currency,
    c.model_cost_upper_usd,
    c.adjustments_usd,
    c.provider_adjustments_usd,
    c.covered_model_cost_usd,
    c.tariff_includes_models
FROM bcce.cost_analysis(NULL::timestamptz, NULL::timestamptz) c;
COMMENT ON VIEW bcce.cost_analysis IS 'What did each tenant cost, over all retained data: the total cost and its parts? One row per visible tenant. For a period use the function of this name.';
COMMENT ON COLUMN bcce.cost_analysis.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.cost_analysis.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.cost_analysis.workflow_runs IS 'runs started, failed and running ones included, skipped ones not';
COMMENT ON COLUMN bcce.cost_analysis.metric_count IS 'metric samples stored';
COMMENT ON COLUMN bcce.cost_analysis.prediction_count IS 'predictions made';
COMMENT ON COLUMN bcce.cost_analysis.workflow_cost_usd IS 'US dollars for the runs: each as charged when it was recorded, else at the price of its start';
COMMENT ON COLUMN bcce.cost_analysis.monitoring_cost_usd IS 'US dollars for the metric samples: each as charged when it was recorded, else at the price of its time';
COMMENT ON COLUMN bcce.cost_analysis.prediction_cost_usd IS 'US dollars for the predictions: each as charged when it was recorded, else at the price of its time';
COMMENT ON COLUMN bcce.cost_analysis.model_cost_usd IS 'US dollars for model calls: each as the sender reported it, else by its tokens at the prices known when it was recorded, else at those known now; a call whose cost is unknown is in unpriced_units';
COMMENT ON COLUMN bcce.cost_analysis.infra_cost_usd IS 'US dollars of the infrastructure bills, by their overlap with the period up to now, a share rounded to ten decimals';
COMMENT ON COLUMN bcce.cost_analysis.tariff_cost_usd IS 'US dollars by the chargeback tariff: workflow, monitoring and prediction cost, and what was adjusted of these';
COMMENT ON COLUMN bcce.cost_analysis.provider_cost_usd IS 'US dollars paid to providers: model and infrastructure cost, and what was adjusted of these';
COMMENT ON COLUMN bcce.cost_analysis.total_cost_usd IS 'US dollars, sum of the five parts and adjustments_usd less covered_model_cost_usd, unrounded: tariff_cost_usd + provider_cost_usd - covered_model_cost_usd';
COMMENT ON COLUMN bcce.cost_analysis.cost_per_hour_usd IS 'US dollars per hour between the first and the last run, sample or prediction, at least one hour; NULL: there are none';
COMMENT ON COLUMN bcce.cost_analysis.cost_per_execution_hour_usd IS 'US dollars per hour that runs ran, cancelled ones included, running ones up to now or the period''s end; NULL: none ran';
COMMENT ON COLUMN bcce.cost_analysis.cost_per_workflow_usd IS 'US dollars in total per run; NULL: no runs';
COMMENT ON COLUMN bcce.cost_analysis.cost_per_user_usd IS 'US dollars in total per distinct pseudonymous user with a run, an event or a model call; NULL: no users';
COMMENT ON COLUMN bcce.cost_analysis.unpriced_units IS 'runs, samples, predictions and model calls whose cost is unknown: they are left out of the sums';
COMMENT ON COLUMN bcce.cost_analysis.is_lower_bound IS 'true when some cost is unknown, so that the sums are lower bounds';
COMMENT ON COLUMN bcce.cost_analysis.estimated_share_percent IS 'percent of the model cost that is estimated rather than reported, one decimal; NULL: no model cost';
COMMENT ON COLUMN bcce.cost_analysis.currency IS 'currency of the money columns';
COMMENT ON COLUMN bcce.cost_analysis.model_cost_upper_usd IS 'model_cost_usd if the cache writes whose life no sender told, which count as five minutes, were those of one hour; equal where all was told; NULL: a price of one hour is not known';
COMMENT ON COLUMN bcce.cost_analysis.adjustments_usd IS 'US dollars of credits, refunds, discounts and corrections (cost_adjustments) by their time, up to now; negative: they lower the cost';
COMMENT ON COLUMN bcce.cost_analysis.provider_adjustments_usd IS 'US dollars of adjustments_usd that are of model or infrastructure cost, and so in provider_cost_usd; the rest is in tariff_cost_usd';
COMMENT ON COLUMN bcce.cost_analysis.covered_model_cost_usd IS 'US dollars of model_cost_usd for calls of runs that are charged, which the price of a run includes and total_cost_usd leaves out; 0 where tariff_includes_models is false';
COMMENT ON COLUMN bcce.cost_analysis.tariff_includes_models IS 'whether the price of a run includes its model calls (set_tariff_includes_models)';
