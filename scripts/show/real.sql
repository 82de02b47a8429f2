-- The reports on the real data sets, each over its own period: the functions of
-- the reports' names take since and until, and judge what is open, running or
-- stale as of until, so that old data read as they were.
\ir style.sql
\echo
\echo 'CI runs of three repositories: each over its own period, by analytics_overview(since, until)'
SELECT o.tenant_name, to_char(p.since, 'YYYY-MM-DD') || ' - ' || to_char(p.until, 'YYYY-MM-DD') AS period, o.total_workflows AS runs,
       o.finished_workflows AS finished, o.failed_workflows AS failed, o.cancelled_workflows AS cancelled, o.failure_rate_percent AS "failure %",
       o.failure_rate_low_percent || ' - ' || o.failure_rate_high_percent AS "95 % range"
FROM (SELECT t.tenant_id, min(r.started_at) AS since, max(r.finished_at) + interval '1 second' AS until
      FROM bcce_data.workflow_runs r JOIN bcce_data.tenants t ON t.tenant_id = r.tenant_id
      WHERE r.source = 'github-actions' GROUP BY 1) p
CROSS JOIN LATERAL bcce.analytics_overview(p.since, p.until) o
WHERE o.tenant_id = p.tenant_id ORDER BY o.tenant_name;
\echo '  Skipped runs and those that waited for approval (action_required) never ran: they are not counted.'
\echo
\echo 'The same: how long until a failed workflow succeeds again?  mttr_analysis(since, until), basis "derived" from the runs (hours)'
SELECT m.tenant_name, m.mttr_basis AS basis, m.incident_count AS episodes, m.recovered_count AS recovered, m.open_count AS open,
       round((m.avg_mttr_minutes / 60)::numeric, 1) AS mean, round((m.median_mttr_minutes / 60)::numeric, 1) AS median,
       round((m.p95_mttr_minutes / 60)::numeric, 1) AS p95
FROM (SELECT t.tenant_id, min(r.started_at) AS since, max(r.finished_at) + interval '1 second' AS until
      FROM bcce_data.workflow_runs r JOIN bcce_data.tenants t ON t.tenant_id = r.tenant_id
      WHERE r.source = 'github-actions' GROUP BY 1) p
CROSS JOIN LATERAL bcce.mttr_analysis(p.since, p.until) m
WHERE m.tenant_id = p.tenant_id ORDER BY m.tenant_name;
\echo '  Source: xadupre/xadupre.github.io (public GitHub API).'

SELECT coalesce(min(opened_at), '1970-01-01') AS since, coalesce(max(greatest(opened_at, resolved_at, closed_at)) + interval '1 second', '1970-01-02') AS until
FROM bcce_data.incidents WHERE source = 'servicenow' \gset
\echo
\echo 'Incidents of an IT company by mttr_analysis(' :'since' ',' :'until' ')'
SELECT tenant_name, incident_count AS incidents, recovered_count AS recovered, open_count AS open, invalid_count AS "ends before start",
       fallback_count AS "closed only", round(avg_mttr_minutes::numeric, 1) AS "mean min", round(median_mttr_minutes::numeric, 1) AS "median min",
       round(p95_mttr_minutes::numeric, 1) AS "p95 min"
FROM bcce.mttr_analysis(:'since', :'until') WHERE tenant_name LIKE 'IT service desk%';
\echo '  The mean is more than twice the median: some tickets stay open for weeks.  "closed only" were never resolved; for them the closing counts.'
\echo
\echo 'The same incidents as one would have read the report then: without the open ones and with them (Kaplan-Meier), minutes'
SELECT to_char(at, 'YYYY-MM-DD') AS "as of", incident_count AS incidents, open_count AS open, round(median_mttr_minutes::numeric, 1) AS "median min",
       coalesce(round(median_mttr_incl_open_minutes::numeric, 1)::text, 'not known') AS "with open ones",
       coalesce(round(p95_mttr_incl_open_minutes::numeric, 1)::text, 'not known') AS "p95 with open ones", censoring_warning AS "do not believe the median"
FROM unnest('{2016-03-01,2016-03-06,2016-03-18,2016-04-01,2016-05-15,2017-03-01}'::timestamptz[]) AS at
CROSS JOIN LATERAL bcce.mttr_analysis(NULL, at) m WHERE tenant_name LIKE 'IT service desk%' ORDER BY at;
\echo '  Source: Amaral, Fantinato, Peres (2018), Incident management process enriched event log, UCI, DOI 10.24432/C57S4H, CC BY 4.0.'

SELECT coalesce(min(predicted_at), '1970-01-01') AS since, coalesce(max(outcome_at) + interval '1 second', '1970-01-02') AS until
FROM bcce_data.predictions WHERE source = 'fivethirtyeight' \gset
\echo
\echo 'Game forecasts by prediction_accuracy(' :'since' ',' :'until' '): "failure" is a win of side 1'
SELECT model_name AS league, total_predictions AS forecasts, labelled_count AS known, pending_count AS ties, accuracy_percent AS "right %",
       round(brier_score::numeric, 4) AS brier, round(brier_skill_score::numeric, 3) AS skill, round(log_loss::numeric, 4) AS "log loss",
       round(auc::numeric, 4) AS auc, round(ece::numeric, 4) AS ece, round(calibration_ratio::numeric, 3) AS ratio
FROM bcce.prediction_accuracy(:'since', :'until') WHERE tenant_name LIKE 'Game forecasts%' ORDER BY model_name;
\echo '  Source: FiveThirtyEight, checking-our-work-data, CC BY 4.0.'

SELECT coalesce(min(observed_at), '1970-01-01') AS since, coalesce(max(observed_at) + interval '1 second', '1970-01-02') AS until
FROM bcce_data.performance_metrics WHERE source = 'cloudwatch' \gset
\echo
\echo 'AWS servers by service_health_dashboard(' :'since' ',' :'until' '): as they were at the end of that period'
SELECT service_name AS service, status, status_reason AS why, to_char(last_seen_at, 'YYYY-MM-DD HH24:MI') AS "last sample",
       round(cpu_percent::numeric, 1) AS "cpu %", request_count AS requests
FROM bcce.service_health_dashboard(:'since', :'until') WHERE tenant_name LIKE 'AWS servers%' ORDER BY status, service_name;
\echo '  Most series end earlier than the last one, so they are stale by then: that is what an operator would have seen.'
\echo '  Source: Numenta Anomaly Benchmark (numenta/NAB), MIT, Copyright Numenta Inc.'
\echo
\echo 'Public services by service_health_dashboard, each site as it was at its last check'
SELECT h.tenant_name AS site, to_char(p.until, 'YYYY-MM-DD HH24:MI') AS "as of", h.status, count(*) AS services,
       left(string_agg(h.service_name, ', ' ORDER BY h.service_name), 60) AS names
FROM (SELECT tenant_id, min(observed_at) AS since, max(observed_at) + interval '1 second' AS until
      FROM bcce_data.performance_metrics WHERE source = 'upptime' GROUP BY 1) p
CROSS JOIN LATERAL bcce.service_health_dashboard(p.since, p.until) h
WHERE h.tenant_id = p.tenant_id GROUP BY 1, 2, 3 ORDER BY 1, 3;
\echo '  A check now and then is no rate: fewer than 10 requests in 15 minutes never make a service down or degraded.'
\echo '  Sources: TORO-Server/upptime, MIT; manticoresoftware/upptime, code MIT, history Open Database License 1.0 (ODbL).'

SELECT coalesce(min(occurred_at), '1970-01-01') AS since, coalesce(max(occurred_at) + interval '1 second', '1970-01-02') AS until FROM bcce_data.events WHERE source = 'weblog' \gset
\echo
\echo 'A public blog by usage_trends(' :'since' ',' :'until' ')'
SELECT usage_date AS day, is_partial_day AS partial, events, hours_in_day AS hours FROM bcce.usage_trends(:'since', :'until')
WHERE tenant_name LIKE 'Public blog%' ORDER BY usage_date;
\echo '  What is stored of a visitor: a pseudonym, the network of the address, the family of the program.'
SELECT left(guest_key, 12) || '...' AS guest, ip_prefix AS network, user_agent_family AS program, event_type AS event, left(properties::text, 70) AS properties
FROM bcce_data.events WHERE source = 'weblog' AND properties ? 'query' ORDER BY occurred_at, idempotency_key LIMIT 3;
\echo '  Source: elastic/examples (apache_logs), Apache License 2.0.'

SELECT coalesce(min(occurred_at), '1970-01-01') AS since, coalesce(max(occurred_at) + interval '1 second', '1970-01-02') AS until FROM bcce_data.events WHERE source = 'bookings' \gset
\echo
\echo 'A city hotel by usage_trends(' :'since' ',' :'until' '): its five busiest days'
SELECT usage_date AS day, to_char(usage_date, 'Dy') AS "wd", events, sessions AS bookings FROM bcce.usage_trends(:'since', :'until')
WHERE tenant_name LIKE 'City hotel%' ORDER BY events DESC, usage_date LIMIT 5;
\echo '  Source: Antonio, de Almeida, Nunes (2019), Hotel booking demand datasets, DOI 10.1016/j.dib.2018.11.126, CC BY 4.0.'
