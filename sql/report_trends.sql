-- Proves that usage_trends cuts days in the tenant's zone, by their first instant,
-- that they add up to the other reports, and what the look-back columns see.
-- Compiling the plan would take longer than running it on these few rows.
SET jit = off;
SET timezone = 'Pacific/Honolulu';
SET datestyle = 'ISO, YMD';
SET bcce.test_now = '2015-12-31 12:00:00+00';
CREATE FUNCTION pg_temp.tenant(name text) RETURNS uuid LANGUAGE sql STABLE AS
$$SELECT tenant_id FROM bcce_data.tenants WHERE slug = 'trend-' || name$$;
CREATE FUNCTION pg_temp.run(tenant text, VARIADIC starts timestamptz[]) RETURNS void LANGUAGE sql AS
$$INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, workflow_id, status, started_at, finished_at)
  SELECT pg_temp.tenant(tenant), gen_random_uuid()::text, 'w', 'succeeded', s, s + interval '10 minutes' FROM unnest(starts) AS s$$;

-- Days that are not 24 hours long, and where they begin (shown in UTC).  All are past: what clocks will do next year is still changed.
SELECT count(bcce.create_tenant('trend-' || n, zone, NULL, zone)) AS tenants
FROM (VALUES ('ny', 'America/New_York'), ('hav', 'America/Havana'), ('azo', 'Atlantic/Azores'), ('bei', 'Asia/Beirut'),
             ('lord', 'Australia/Lord_Howe'), ('kat', 'Asia/Kathmandu'), ('api', 'Pacific/Apia'), ('john', 'America/St_Johns')) AS z (n, zone);
SELECT pg_temp.run(n, first::timestamptz, last::timestamptz)
FROM (VALUES ('ny', '2015-03-07 12:00+00', '2015-11-02 12:00+00'), ('hav', '2015-03-07 12:00+00', '2015-11-02 12:00+00'),
             ('azo', '2015-03-28 12:00+00', '2015-10-26 12:00+00'), ('bei', '2015-03-28 12:00+00', '2015-10-26 12:00+00'),
             ('lord', '2015-04-04 12:00+00', '2015-10-05 12:00+00'), ('kat', '2015-04-04 12:00+00', '2015-04-06 12:00+00'),
             ('api', '2011-12-28 12:00+00', '2012-01-01 12:00+00'), ('john', '2010-11-05 12:00+00', '2010-11-09 12:00+00')) AS r (n, first, last);
SELECT timezone, usage_date, period_start_at AT TIME ZONE 'UTC' AS starts_utc, hours_in_day
FROM bcce.usage_trends
WHERE tenant_id IN (SELECT tenant_id FROM bcce_data.tenants WHERE slug LIKE 'trend-%')
  AND (hours_in_day <> 24 OR timezone = 'Pacific/Apia')
ORDER BY timezone, usage_date;
-- No day is missing, none overlaps, each begins at its date.
SELECT bool_and(next_at IS NULL OR next_at = period_start_at + hours_in_day * interval '1 hour') AS gapless,
       bool_and((period_start_at AT TIME ZONE timezone)::date = usage_date
                AND ((period_start_at - interval '1 microsecond') AT TIME ZONE timezone)::date < usage_date) AS first_instant,
       count(*) FILTER (WHERE timezone = 'Asia/Kathmandu') AS kathmandu_days
FROM (
    SELECT u.*, lead(u.period_start_at) OVER (PARTITION BY u.tenant_id ORDER BY u.usage_date) AS next_at
    FROM bcce.usage_trends u WHERE u.tenant_id IN (SELECT tenant_id FROM bcce_data.tenants WHERE slug LIKE 'trend-%')
) d;
-- Runs on either side of a repeated midnight; in St John's in 2010 the clock went
-- back from 00:01 to 23:01, after the new day had begun.
SELECT pg_temp.run('hav', '2015-11-01 03:59:59+00', '2015-11-01 04:00:00+00', '2015-11-01 04:59:59+00', '2015-11-01 05:00:00+00');
SELECT pg_temp.run('john', '2010-11-07 02:29:59+00', '2010-11-07 02:30:00+00', '2010-11-07 02:31:00+00', '2010-11-07 03:31:00+00');
SELECT timezone, usage_date, total_workflows, peak_hour, peak_hour_workflows
FROM bcce.usage_trends WHERE timezone IN ('America/Havana', 'America/St_Johns') AND total_workflows > 0 ORDER BY timezone, usage_date;

-- Sums of days are the other reports' numbers over the same range.
SELECT bcce.create_tenant('trend-sum', 'Sum', NULL, 'America/New_York') IS NOT NULL AS sum;
INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, workflow_id, user_key, status, started_at, finished_at, is_test)
SELECT pg_temp.tenant('sum'), 'r' || n, 'w', 'u' || n % 7,
       (ARRAY['succeeded', 'failed', 'timed_out', 'cancelled', 'skipped', 'running', 'succeeded'])[1 + n % 7],
       at, CASE WHEN n % 7 <> 5 THEN at + n % 11 * interval '1 hour' END, n % 13 = 0
FROM generate_series(1, 700) AS n
CROSS JOIN LATERAL (SELECT '2015-10-20 03:30:00+00'::timestamptz + n * interval '37 minutes' AS at) x;
INSERT INTO bcce_data.performance_metrics (tenant_id, idempotency_key, observed_at, service_id, charged_usd)
SELECT pg_temp.tenant('sum'), n::text, '2015-10-19 00:00:00+00'::timestamptz + n * interval '5 hours', 's', CASE WHEN n % 3 = 0 THEN 0.125 END
FROM generate_series(1, 100) AS n;
INSERT INTO bcce_data.predictions (tenant_id, prediction_id, predicted_at, model_name, target_kind, target_id, failure_probability)
SELECT pg_temp.tenant('sum'), n::text, '2015-10-21 00:00:00+00'::timestamptz + n * interval '7 hours', 'm', 'external', 'x', 0.5
FROM generate_series(1, 50) AS n;
INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, user_key, session_id, input_tokens, output_tokens, reported_cost_usd)
SELECT pg_temp.tenant('sum'), n::text, '2015-10-22 00:00:00+00'::timestamptz + n * interval '3 hours', 'm', 'v' || n % 9, 's' || n / 4, n, NULLIF(n % 5, 0), n * 0.001
FROM generate_series(1, 90) AS n;
INSERT INTO bcce_data.events (tenant_id, idempotency_key, occurred_at, event_type, user_key, session_id)
SELECT pg_temp.tenant('sum'), n::text, '2015-10-22 01:00:00+00'::timestamptz + n * interval '2 hours', 'search', 'u' || n % 3, 's' || n / 4
FROM generate_series(1, 90) AS n;
SELECT w.name, count(*) AS days,
       sum(d.total_workflows) = max(o.total_workflows) AS runs,
       sum(d.failed_workflows) = max(o.failed_workflows) AS failed,
       sum(d.predictions) = max(o.total_predictions) AS predictions,
       sum(d.total_cost_usd) = max(c.tariff_cost_usd + c.model_cost_usd) AS cost,
       max(d.active_users) <= max(o.active_users) AS users
FROM (VALUES ('all', NULL::timestamptz, NULL::timestamptz), ('autumn', '2015-10-31 04:00+00', '2015-11-03 05:00+00'), ('crooked', '2015-10-25 17:23+00', '2015-11-02 03:21+00')) AS w (name, since, until)
CROSS JOIN LATERAL bcce.usage_trends(w.since, w.until) d
JOIN LATERAL bcce.analytics_overview(w.since, w.until) o ON o.tenant_id = d.tenant_id
JOIN LATERAL bcce.cost_analysis(w.since, w.until) c ON c.tenant_id = d.tenant_id
WHERE d.tenant_name = 'Sum' GROUP BY w.name ORDER BY w.name;
SELECT sum(new_users) = (SELECT active_users FROM bcce.analytics_overview WHERE tenant_name = 'Sum') AS everybody_was_new_once,
       sum(events) AS events, sum(model_calls) AS model_calls, sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens
FROM bcce.usage_trends WHERE tenant_name = 'Sum';
-- A window of whole days is those rows of the view, look-backs included (states and peaks are those at its end).
SELECT count(*) AS rows_that_differ, (SELECT count(*) FROM bcce.usage_trends('2015-10-31 04:00+00', '2015-11-03 05:00+00') WHERE tenant_name = 'Sum') AS days
FROM (
    SELECT to_jsonb(u) - '{failed_workflows,failure_rate_percent,avg_duration_seconds,p95_duration_seconds}'::text[]
    FROM bcce.usage_trends('2015-10-31 04:00+00', '2015-11-03 05:00+00') u WHERE tenant_name = 'Sum'
    EXCEPT
    SELECT to_jsonb(u) - '{failed_workflows,failure_rate_percent,avg_duration_seconds,p95_duration_seconds}'::text[]
    FROM bcce.usage_trends u
) d;
SELECT array_agg(usage_date::text || CASE WHEN is_partial_day THEN ' partial' ELSE '' END ORDER BY usage_date) AS cut_days
FROM bcce.usage_trends('2015-11-01 12:00+00', '2015-11-03 12:00+00') WHERE tenant_name = 'Sum';

-- Look-backs: the same weekday counts 2, 4, 4, 6, 8, then 14; other days are empty.
SELECT bcce.create_tenant('trend-look', 'Look', NULL, 'UTC') IS NOT NULL AS look;
INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, workflow_id, user_key, status, started_at, finished_at)
SELECT pg_temp.tenant('look'), week || '-' || n, 'w', 'ann', CASE WHEN n % 2 = 0 THEN 'failed' ELSE 'succeeded' END,
       '2015-11-02 09:30:00+00'::timestamptz + week * interval '168 hours' + n * interval '10 minutes',
       '2015-11-02 10:00:00+00'::timestamptz + week * interval '168 hours' + n * interval '10 minutes'
FROM unnest(ARRAY[2, 4, 4, 6, 8, 14]) WITH ORDINALITY AS w (runs, week)
CROSS JOIN generate_series(1, runs) AS n;
SET bcce.test_now = '2015-12-15 12:00:00+00';
SELECT usage_date, total_workflows, failed_workflows, failure_rate_percent, avg_duration_seconds, peak_hour, peak_hour_workflows, peak_concurrent_runs,
       round(workflows_7d_avg::numeric, 4) AS avg_7d, change_vs_7d_ago_percent, round(anomaly_score::numeric, 4) AS anomaly, new_users
FROM bcce.usage_trends WHERE tenant_name = 'Look' AND (total_workflows > 0 OR usage_date IN ('2015-11-14', '2015-11-15', '2015-12-15')) ORDER BY usage_date;
-- The median of 2, 4, 4, 6, 8 is 4, the median absolute deviation 2.
SELECT round((14 - 4) / (1.4826 * 2), 4) AS anomaly;
SELECT usage_date, total_workflows, change_vs_7d_ago_percent, round(anomaly_score::numeric, 4) AS anomaly, is_partial_day
FROM bcce.usage_trends('2015-12-14 00:00+00', '2015-12-15 00:00+00') WHERE tenant_name = 'Look';

-- Overlaps over midnight, half-open; a running run lasts to the end; zero length adds nothing.
SELECT bcce.create_tenant('trend-peak', 'Peak', NULL, 'UTC') IS NOT NULL AS peak, bcce.create_tenant('trend-idle', 'Idle days', NULL, 'UTC') IS NOT NULL AS idle;
INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, workflow_id, status, started_at, finished_at)
SELECT pg_temp.tenant('peak'), started_at || coalesce(finished_at, ''), 'w', CASE WHEN finished_at IS NULL THEN 'running' ELSE 'succeeded' END,
       ('2015-12-' || started_at)::timestamptz, ('2015-12-' || finished_at)::timestamptz
FROM (VALUES ('10 22:00+0', '11 02:00+0'), ('10 23:00+0', '11 00:00+0'), ('10 23:30+0', '10 23:30+0'), ('11 02:00+0', '11 03:00+0'), ('12 05:00+0', NULL)) AS r (started_at, finished_at);
SELECT usage_date, total_workflows, peak_concurrent_runs, is_partial_day FROM bcce.usage_trends WHERE tenant_name = 'Peak' ORDER BY usage_date;
SELECT usage_date, peak_concurrent_runs FROM bcce.usage_trends('2015-12-11 00:00+00', '2015-12-13 00:00+00') WHERE tenant_name = 'Peak' ORDER BY usage_date;

-- Dense to today, or to the last activity where that is over 35 days ago; no activity, no row.
SET bcce.test_now = '2015-12-12 06:00:00+00';
SELECT min(usage_date) AS first, max(usage_date) AS last, count(*) AS days FROM bcce.usage_trends WHERE tenant_name = 'Peak';
SET bcce.test_now = '2016-01-16 05:00:00+00';
SELECT min(usage_date) AS first, max(usage_date) AS last, count(*) AS days FROM bcce.usage_trends WHERE tenant_name = 'Peak';
SET bcce.test_now = '2016-01-16 05:00:00.000001+00';
SELECT min(usage_date) AS first, max(usage_date) AS last, count(*) AS days FROM bcce.usage_trends WHERE tenant_name = 'Peak';
SELECT count(*) AS rows_without_activity FROM bcce.usage_trends WHERE tenant_name = 'Idle days';
SELECT count(*) AS rows_before_all FROM bcce.usage_trends(NULL, '2015-12-10 22:00+00') WHERE tenant_name = 'Peak';
SELECT array_agg(usage_date::text || ': ' || total_workflows ORDER BY usage_date) AS quiet_window
FROM bcce.usage_trends('2015-12-20 00:00+00', '2015-12-22 00:00+00') WHERE tenant_name = 'Peak';
-- A day of calls that tell no tokens is unknown, a day without calls 0.
INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, output_tokens)
VALUES (pg_temp.tenant('peak'), '1', '2015-12-11 12:00+00', 'm', NULL), (pg_temp.tenant('peak'), '2', '2015-12-12 12:00+00', 'm', NULL), (pg_temp.tenant('peak'), '3', '2015-12-12 12:00+00', 'm', 7);
SELECT usage_date, model_calls, input_tokens, output_tokens FROM bcce.usage_trends(NULL, '2015-12-13 00:00+00') WHERE tenant_name = 'Peak' ORDER BY usage_date;

SELECT count(*) AS rows_that_differ
FROM (SELECT to_jsonb(o) FROM bcce.usage_trends o EXCEPT SELECT to_jsonb(o) FROM bcce.usage_trends(NULL, NULL) o) d;
CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS
$$BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END$$;
SELECT count(*) AS function_scans
FROM pg_temp.plan('SELECT * FROM bcce.usage_trends(''2015-01-01'', ''2015-02-01'')') AS line WHERE line LIKE '%Function Scan on usage_trends%';

DO $$
DECLARE
    store regclass;
BEGIN
    FOR store IN
        SELECT c.oid FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
        WHERE c.relnamespace IN ('bcce_data'::regnamespace, 'bcce_private'::regnamespace)
          AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        ORDER BY c.relname = 'tenants', c.relname = 'teams', c.relname
    LOOP
        EXECUTE format('DELETE FROM %s WHERE tenant_id IN (SELECT tenant_id FROM bcce_data.tenants WHERE slug LIKE %L)', store, 'trend-%');
    END LOOP;
END
$$;
