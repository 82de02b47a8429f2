-- Proves that the cost by user, team, model, project, workflow and service adds
-- up to cost_analysis, part by part and to the last digit, that what has no key
-- has a row, and whose a cost is; and that days add up to any range of time in
-- zones whose clocks change.
SET client_min_messages = warning;
CREATE DATABASE regress_cost_by_key;
\set home :DBNAME
\c regress_cost_by_key
SET client_min_messages = warning;
SET TimeZone = 'UTC';
SET bcce.test_now = '2026-12-31 12:00:00+00';
CREATE EXTENSION bcce;
\o /dev/null
SELECT bcce.create_tenant(translate(lower(zone), '/_', '--'), zone, timezone => zone)
FROM unnest('{Europe/Berlin,America/New_York,Australia/Lord_Howe,America/Havana,Asia/Kathmandu,America/Santiago}'::text[]) AS zone;
SELECT bcce.create_tenant('whose', 'Whose');
\o
SELECT tenant_id AS whose FROM bcce_data.tenants WHERE slug = 'whose' \gset

\echo == whose a cost is
INSERT INTO bcce_data.teams VALUES (:'whose', 'red', 'Red');
INSERT INTO bcce_data.principals (tenant_id, user_key, team_id) VALUES (:'whose', 'ada', 'red'), (:'whose', 'bob', NULL);
INSERT INTO bcce_data.services (tenant_id, service_id, service_name) VALUES (:'whose', 'shop', 'Shop');
INSERT INTO bcce_data.workflows (tenant_id, workflow_id, name, service_id) VALUES (:'whose', 'build', 'Build', 'shop'), (:'whose', 'lint', 'Lint', NULL);
INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, workflow_id, service_id, user_key, status, started_at, finished_at)
SELECT :'whose', id, workflow, service, who, 'succeeded', at::timestamptz, at::timestamptz
FROM (VALUES ('r1', 'build', NULL, 'ada', '2026-02-01'), ('r2', 'build', 'api', 'bob', '2026-02-02'), ('r3', 'lint', NULL, NULL, '2026-02-03'),
             -- Long before its calls.
             ('r0', 'build', NULL, 'ada', '2025-06-01')) AS r (id, workflow, service, who, at);
INSERT INTO bcce_data.workflow_run_keys SELECT tenant_id, run_id, started_at FROM bcce_data.workflow_runs;
INSERT INTO bcce_data.performance_metrics (tenant_id, idempotency_key, observed_at, service_id) VALUES (:'whose', 'm', '2026-02-02', 'api');
INSERT INTO bcce_data.predictions (tenant_id, prediction_id, predicted_at, model_name, target_kind, target_id, horizon_seconds, failure_probability)
SELECT :'whose', kind || id, '2026-02-02', 'm', kind, id, 60, 0.5
FROM (VALUES ('service', 'shop'), ('run', 'r1'), ('run', 'r3'), ('run', 'gone'), ('external', 'x')) AS p (kind, id);
INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, user_key, team_id, project, run_id, input_tokens, output_tokens, web_searches, reported_cost_usd, charged_usd)
SELECT :'whose', n, '2026-02-04', model, who, team, project, run, input, output, searches, reported, charged
FROM (VALUES (1, 'a', 'ada', NULL, 'site', 'r1', 10, NULL, NULL, 1.5, NULL),
             (2, 'a', 'ada', 'blue', 'site', 'r0', NULL, NULL, 2, NULL, 0.25),
             (3, 'b', 'bob', NULL, NULL, 'r3', 30, 1, 1, NULL, NULL),
             (4, 'b', NULL, NULL, NULL, 'gone', 0, 0, NULL, 0, NULL),
             (5, 'c', 'eve', 'blue', 'app', NULL, NULL, NULL, NULL, NULL, 0.0000000000000001)) AS c (n, model, who, team, project, run, input, output, searches, reported, charged);
\pset null -
SELECT CASE user_key WHEN bcce.pseudonym('ada', 'user', tenant_id) THEN 'ada' WHEN bcce.pseudonym('bob', 'user', tenant_id) THEN 'bob' WHEN bcce.pseudonym('eve', 'user', tenant_id) THEN 'eve' ELSE user_key END AS who,
       workflow_runs AS runs, model_call_count AS calls, workflow_cost_usd AS workflow, model_cost_usd AS model, total_cost_usd AS total, cost_share_percent AS share,
       unpriced_units AS unpriced, is_lower_bound, estimated_share_percent AS estimated
FROM bcce.cost_by_user WHERE tenant_name = 'Whose' ORDER BY who;
SELECT team_id, team_name, workflow_runs AS runs, model_call_count AS calls, total_cost_usd AS total, unpriced_units AS unpriced FROM bcce.cost_by_team WHERE tenant_name = 'Whose' ORDER BY team_id;
SELECT model_id, model_call_count AS calls, input_tokens AS input, output_tokens AS output, web_searches AS searches, model_cost_usd AS model, total_cost_usd AS total, unpriced_units AS unpriced, estimated_share_percent AS estimated
FROM bcce.cost_by_model WHERE tenant_name = 'Whose' ORDER BY model_id;
SELECT project, model_call_count AS calls, total_cost_usd AS total, cost_share_percent AS share FROM bcce.cost_by_project WHERE tenant_name = 'Whose' ORDER BY project;
SELECT workflow_id, workflow_name, workflow_runs AS runs, prediction_count AS predictions, model_call_count AS calls, workflow_cost_usd AS workflow, prediction_cost_usd AS prediction, model_cost_usd AS model, total_cost_usd AS total
FROM bcce.cost_by_workflow WHERE tenant_name = 'Whose' ORDER BY workflow_id;
SELECT service_id, service_name, workflow_runs AS runs, metric_count AS metrics, prediction_count AS predictions, model_call_count AS calls, workflow_cost_usd AS workflow, monitoring_cost_usd AS monitoring,
       prediction_cost_usd AS prediction, model_cost_usd AS model, total_cost_usd AS total
FROM bcce.cost_by_service WHERE tenant_name = 'Whose' ORDER BY service_id;
-- The calls of a run that began before the window.
SELECT workflow_id, workflow_runs AS runs, model_cost_usd AS model FROM bcce.cost_by_workflow('2026-02-04', '2026-02-05') WHERE tenant_name = 'Whose' ORDER BY workflow_id;

\echo == a year of everything in six zones
CREATE TEMP TABLE unit AS
SELECT t.tenant_id, t.timezone AS zone, i, ('x' || substr(md5(t.timezone || i), 1, 7))::bit(28)::integer AS x,
       '2026-01-01 00:00+00'::timestamptz + (('x' || substr(md5(i || t.timezone), 1, 7))::bit(28)::integer % 31536000) * interval '1 second' AS at
FROM bcce_data.tenants t, generate_series(1, 1500) AS i WHERE t.slug <> 'whose';
-- Some on the very hours in which clocks change.
UPDATE unit SET at = d + (x % 10800) * interval '1 second' - interval '90 minutes'
FROM unnest('{2026-03-29 01:00+00,2026-10-25 01:00+00,2026-03-08 07:00+00,2026-11-01 06:00+00,2026-04-04 15:00+00,2026-10-03 15:30+00,2026-03-08 05:00+00,2026-11-01 05:00+00,2026-04-05 03:00+00,2026-09-06 04:00+00}'::timestamptz[])
     WITH ORDINALITY AS c (d, n) WHERE n = i % 40;
INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, workflow_id, service_id, user_key, status, started_at, finished_at, charged_usd)
SELECT tenant_id, 'r' || i, 'w' || x % 5, CASE WHEN x % 3 = 0 THEN 's' || x % 4 END, CASE WHEN x % 7 > 0 THEN 'u' || x % 7 END, 'succeeded', at, at, CASE WHEN x % 2 = 0 THEN x / 1e9 END
FROM unit WHERE i % 4 = 0;
INSERT INTO bcce_data.workflow_run_keys SELECT tenant_id, run_id, started_at FROM bcce_data.workflow_runs WHERE run_id ~ '..' ON CONFLICT DO NOTHING;
INSERT INTO bcce_data.performance_metrics (tenant_id, idempotency_key, observed_at, service_id, charged_usd)
SELECT tenant_id, 'm' || i, at, 's' || x % 4, CASE WHEN x % 2 = 0 THEN x / 1e9 END FROM unit WHERE i % 4 = 1;
INSERT INTO bcce_data.predictions (tenant_id, prediction_id, predicted_at, model_name, target_kind, target_id, horizon_seconds, failure_probability)
SELECT tenant_id, 'p' || i, at, 'm', k, CASE k WHEN 'run' THEN 'r' || 4 * (x % 400) ELSE 's' || x % 4 END, 60, 0.5
FROM unit CROSS JOIN LATERAL (SELECT (ARRAY['run', 'service', 'external'])[1 + x % 3] AS k) AS kind WHERE i % 4 = 2;
INSERT INTO bcce_data.principals (tenant_id, user_key) SELECT DISTINCT tenant_id, 'u' || x % 7 FROM unit;
INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, user_key, team_id, project, run_id, input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
    web_searches, speed, inference_geo, reported_cost_usd, charged_usd, ttl_assumed)
SELECT tenant_id, 'c' || i, at, (ARRAY['claude-sonnet-5', 'claude-opus-5', 'claude-haiku-4-5', 'nobody-knows'])[1 + x % 4], CASE WHEN x % 5 > 0 THEN 'u' || x % 5 END,
       CASE WHEN x % 3 = 0 THEN 't' || x % 2 END, CASE WHEN x % 11 > 3 THEN 'p' || x % 11 END, CASE WHEN x % 2 = 0 THEN 'r' || 4 * (x % 400) END,
       x % 90001, x % 4001, x % 150001, x % 7001, x % 5003, x % 3, 'standard', CASE WHEN x % 13 = 0 THEN 'us' END, CASE WHEN x % 17 = 0 THEN x / 1e10 END, CASE WHEN x % 19 = 0 THEN x / 1e12 END, x % 6 = 0
FROM unit WHERE i % 4 = 3;
INSERT INTO bcce_data.infra_costs (tenant_id, category, amount_usd, period_start_at, period_end_at)
SELECT tenant_id, 'month', 100.01, m, m + interval '1 month' FROM bcce_data.tenants, generate_series('2026-01-01 00:00+00'::timestamptz, '2026-12-01', '1 month') AS m WHERE slug <> 'whose';
-- Windows: all, a year, months, an odd span, the hours of a change, nothing.
CREATE TEMP TABLE span AS
SELECT * FROM (VALUES (1, NULL::timestamptz, NULL::timestamptz), (2, '2026-01-01 00:00+00', '2027-01-01 00:00+00'), (3, '2026-03-01 00:00+00', '2026-04-17 13:07:11.5+00'),
    (4, '2026-10-25 00:30+00', '2026-10-25 01:30+00'), (5, '2026-11-01 04:10+00', NULL), (6, NULL, '2026-04-05 03:30+00'), (7, '2026-07-01 00:00+00', '2026-07-01 00:00+00')) AS v (n, since, until);
-- Which part of which report is not that of cost_analysis: none, of how many looked at.
WITH answer AS (
    SELECT s.n, 'user' AS by, to_jsonb(c) AS c FROM span s CROSS JOIN LATERAL bcce.cost_by_user(s.since, s.until) c
    UNION ALL SELECT s.n, 'team', to_jsonb(c) FROM span s CROSS JOIN LATERAL bcce.cost_by_team(s.since, s.until) c
    UNION ALL SELECT s.n, 'model', to_jsonb(c) FROM span s CROSS JOIN LATERAL bcce.cost_by_model(s.since, s.until) c
    UNION ALL SELECT s.n, 'project', to_jsonb(c) FROM span s CROSS JOIN LATERAL bcce.cost_by_project(s.since, s.until) c
    UNION ALL SELECT s.n, 'workflow', to_jsonb(c) FROM span s CROSS JOIN LATERAL bcce.cost_by_workflow(s.since, s.until) c
    UNION ALL SELECT s.n, 'service', to_jsonb(c) FROM span s CROSS JOIN LATERAL bcce.cost_by_service(s.since, s.until) c
    UNION ALL SELECT s.n, 'day', to_jsonb(c) FROM span s CROSS JOIN LATERAL bcce.cost_by_day(s.since, s.until) c
), part AS (
    SELECT n, by, c ->> 'tenant_id' AS tenant, key, sum(value::numeric) AS value
    FROM answer CROSS JOIN LATERAL jsonb_each_text(c) WHERE key ~ '^(workflow|monitoring|prediction|model|infra)_cost_usd$|^workflow_runs$|^(metric|prediction)_count$|^unpriced_units$'
    GROUP BY 1, 2, 3, 4
), whole AS (
    SELECT s.n, c.tenant_id::text AS tenant, key, value::numeric AS value
    FROM span s CROSS JOIN LATERAL bcce.cost_analysis(s.since, s.until) c CROSS JOIN LATERAL jsonb_each_text(to_jsonb(c))
    WHERE key ~ '^(workflow|monitoring|prediction|model|infra)_cost_usd$|^workflow_runs$|^(metric|prediction)_count$|^unpriced_units$'
), shown AS (
    SELECT DISTINCT by, key FROM part
)
SELECT s.by, count(*) FILTER (WHERE w.value <> 0) AS sums, count(DISTINCT s.key) AS parts,
       count(*) FILTER (WHERE coalesce(p.value, 0) IS DISTINCT FROM w.value AND s.key <> 'unpriced_units') AS wrong,
       count(*) FILTER (WHERE coalesce(p.value, 0) > w.value) AS too_many_unpriced
FROM shown s JOIN whole w ON w.key = s.key LEFT JOIN part p ON p.by = s.by AND p.n = w.n AND p.tenant = w.tenant AND p.key = w.key
GROUP BY s.by ORDER BY s.by;

\echo == cost of cache writes whose life nobody told
SELECT model_cost_usd < model_cost_upper_usd AS above, bcce.estimate_token_cost('claude-opus-5', '2026-02-01', 0, 0, 0, 0, 1000000) AS one_hour FROM bcce.cost_analysis WHERE tenant_name = 'Europe/Berlin';
BEGIN;
DELETE FROM bcce_data.model_usage;
INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, cache_write_5m_tokens, ttl_assumed) VALUES (:'whose', '1', '2026-02-01', 'claude-opus-5', 1000000, true), (:'whose', '2', '2026-02-01', 'claude-opus-5', 1000000, false);
SELECT model_cost_usd, model_cost_upper_usd FROM bcce.cost_analysis WHERE tenant_name IN ('Whose', 'Europe/Berlin') ORDER BY tenant_name;
DELETE FROM bcce_data.default_model_prices WHERE model_id = 'claude-opus-5' AND token_class = 'cache_write_1h';
SELECT model_cost_usd, model_cost_upper_usd FROM bcce.cost_analysis WHERE tenant_name = 'Whose';
ROLLBACK;

\echo == counts whose sum no bigint holds stop no report, and are unknown
BEGIN;
INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, web_searches)
SELECT :'whose', 'absurd-' || n, '2026-12-31 11:00+00', 'absurd-1', 1e15, 1e15, 1e15, 1e15, 1e15, 1e15 FROM generate_series(1, 9500) AS n;
INSERT INTO bcce_data.performance_metrics (tenant_id, idempotency_key, observed_at, service_id, window_seconds, request_count, error_count)
SELECT :'whose', 'absurd-' || n, '2026-12-31 11:50+00', 'shop', 1, 1e15, 1e15 FROM generate_series(1, 9500) AS n;
DO $$
DECLARE
    report text;
BEGIN
    FOR report IN SELECT r.report FROM bcce.reports r LOOP
        EXECUTE format('SELECT count(t::text) FROM bcce.%I AS t', report);
    END LOOP;
END
$$;
SELECT model_call_count, input_tokens, cache_write_1h_tokens, web_searches, unpriced_units FROM bcce.cost_by_model WHERE model_id = 'absurd-1';
SELECT request_count, error_count FROM bcce.service_health_dashboard WHERE tenant_id = :'whose' AND service_id = 'shop';
ROLLBACK;

\c :home
SET client_min_messages = warning;
DROP DATABASE regress_cost_by_key;
