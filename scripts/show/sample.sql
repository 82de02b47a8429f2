-- The six reports on the tenants of the generator: all retained data, as of now.
\ir style.sql
\echo
\echo '  · in a table means unknown or not applicable: it is never a 0 in disguise.'
\echo
\echo '1  analytics_overview: how is each tenant doing?'
SELECT replace(tenant_name, ' (sample)', '') AS tenant, total_workflows AS runs, failed_workflows AS failed, failure_rate_percent AS "failure %",
       failure_rate_low_percent || ' - ' || failure_rate_high_percent AS "95 % range", running_workflows AS running,
       round(avg_p95_latency_ms::numeric) AS "p95 ms", round(avg_throughput_rps::numeric, 1) AS "req/s",
       open_incidents AS "open inc.", active_users AS users
FROM bcce.analytics_overview WHERE tenant_name LIKE '%(sample)' ORDER BY tenant_name;
\echo
\echo '2  mttr_analysis: how long does recovery take?  (minutes; open incidents are only in the median with them, at their age)'
SELECT replace(tenant_name, ' (sample)', '') AS tenant, mttr_basis AS basis, incident_count AS incidents, recovered_count AS recovered, open_count AS open,
       round(avg_mttr_minutes::numeric, 1) AS mean, round(median_mttr_minutes::numeric, 1) AS median,
       round(p95_mttr_minutes::numeric, 1) AS p95, round(median_mttr_incl_open_minutes::numeric, 1) AS "median with open", fallback_count AS "closed only", round(oldest_open_minutes::numeric) AS "oldest open",
       round(mtta_minutes::numeric, 1) AS "to acknowledge", availability_percent AS "available %"
FROM bcce.mttr_analysis WHERE tenant_name LIKE '%(sample)' ORDER BY tenant_name;
\echo
\echo '3  cost_analysis: what does it cost?  (US dollars; "at least" = some model calls came without a cost)'
SELECT replace(tenant_name, ' (sample)', '') AS tenant, round(workflow_cost_usd, 2) AS runs, round(monitoring_cost_usd, 2) AS samples, round(prediction_cost_usd, 2) AS predictions,
       round(model_cost_usd, 2) AS models, round(infra_cost_usd, 2) AS infra, round(total_cost_usd, 2) AS total,
       CASE WHEN is_lower_bound THEN 'at least, ' || unpriced_units || ' unpriced' ELSE 'complete' END AS "how sure",
       round(cost_per_workflow_usd, 4) AS "per run", round(cost_per_user_usd, 2) AS "per user"
FROM bcce.cost_analysis WHERE tenant_name LIKE '%(sample)' ORDER BY tenant_name;
\echo
\echo '4  usage_trends: how does use change?  (the last eight days, cut in the tenant''s own zone; * not a whole day)'
SELECT replace(tenant_name, ' (sample)', '') AS tenant, usage_date || CASE WHEN is_partial_day THEN ' *' ELSE '' END AS day, to_char(usage_date, 'Dy') AS "wd",
       total_workflows AS runs, failure_rate_percent AS "failure %", round(avg_duration_seconds::numeric) AS "mean s",
       round(p95_duration_seconds::numeric) AS "p95 s", active_users AS users, sessions, events, predictions, model_calls AS "model calls",
       round(total_cost_usd, 2) AS usd, peak_hour AS "peak h", round(workflows_7d_avg::numeric, 1) AS "7-day mean"
FROM bcce.usage_trends(now() - interval '192 hours', NULL) WHERE tenant_name LIKE '%(sample)' ORDER BY tenant_name, usage_date;
\echo
\echo '5  service_health_dashboard: which services are well?  (the last 15 minutes)'
SELECT replace(tenant_name, ' (sample)', '') AS tenant, service_name AS service, status, status_reason AS why, request_count AS requests, round(error_rate_percent, 2) AS "errors %",
       round(p95_latency_ms::numeric) AS "p95 ms", round(cpu_percent::numeric) AS "cpu %", open_incidents AS "open inc.",
       round(latest_failure_probability::numeric, 2) AS "predicted"
FROM bcce.service_health_dashboard WHERE tenant_name LIKE '%(sample)'
ORDER BY tenant_name, array_position(ARRAY['down', 'degraded', 'stale', 'unknown', 'maintenance', 'healthy'], status), service_name;
\echo
\echo '6  prediction_accuracy: how good are the failure predictions?  (AUC 0.5 = guessing, 1 = perfect; ratio = failures expected / seen)'
SELECT replace(tenant_name, ' (sample)', '') AS tenant, model_name AS model, model_version AS version, total_predictions AS made, labelled_count AS known, pending_count AS pending,
       late_count AS late, precision_percent AS "precision %", recall_percent AS "recall %", round(brier_score::numeric, 4) AS brier,
       round(brier_skill_score::numeric, 3) AS skill, round(auc::numeric, 3) AS auc, round(ece::numeric, 3) AS ece, round(calibration_ratio::numeric, 2) AS ratio
FROM bcce.prediction_accuracy WHERE tenant_name LIKE '%(sample)' ORDER BY tenant_name, model_name, model_version;
