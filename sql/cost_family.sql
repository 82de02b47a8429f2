-- Proves that the cost reports agree with each other to the last digit, over
-- random data with adjustments, calls that a tariff covers and calls of unknown
-- cost: what two of them differ by is always a column that says so.
SET client_min_messages = warning;
CREATE DATABASE regress_cost_family;
\set home :DBNAME
\c regress_cost_family
SET client_min_messages = warning;
SET timezone = 'UTC';
SET bcce.test_now = '2026-07-20 12:00:00+00';
CREATE EXTENSION bcce;
\o /dev/null
SELECT bcce.create_tenant('both', 'Both charged', timezone => 'Europe/Berlin'), bcce.create_tenant('covered', 'Covered', timezone => 'America/New_York'),
       bcce.create_tenant('empty', 'Empty'), bcce.create_tenant('only', 'Only adjusted', timezone => 'Asia/Kathmandu');
SELECT bcce.set_tariff_includes_models(true, 'covered'), bcce.set_tariff_includes_models(true, 'empty');
\o

\echo == half a year of everything, by a seed
CREATE TEMP TABLE unit AS
SELECT t.tenant_id, i, ('x' || substr(md5(t.slug || i), 1, 7))::bit(28)::integer AS x,
       '2026-01-01 00:00+00'::timestamptz + (('x' || substr(md5(i || t.slug), 1, 7))::bit(28)::integer % 17280000) * interval '1 second' AS at
FROM bcce_data.tenants t, generate_series(1, 2000) AS i WHERE t.slug IN ('both', 'covered');
INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, workflow_id, service_id, user_key, status, started_at, finished_at, charged_usd, is_test)
SELECT tenant_id, 'r' || i, 'w' || x % 5, CASE WHEN x % 3 = 0 THEN 's' || x % 4 END, CASE WHEN x % 7 > 0 THEN 'u' || x % 7 END,
       (ARRAY['succeeded', 'failed', 'skipped', 'cancelled'])[1 + x % 4], at, at, CASE WHEN x % 2 = 0 THEN x / 1e9 END, x % 11 = 0
FROM unit WHERE i % 4 = 0;
-- One in eight is not known by its id.
INSERT INTO bcce_data.workflow_run_keys SELECT tenant_id, run_id, started_at FROM bcce_data.workflow_runs WHERE run_id NOT LIKE '%8';
INSERT INTO bcce_data.performance_metrics (tenant_id, idempotency_key, observed_at, service_id, charged_usd)
SELECT tenant_id, 'm' || i, at, 's' || x % 4, CASE WHEN x % 2 = 0 THEN x / 1e9 END FROM unit WHERE i % 4 = 1;
INSERT INTO bcce_data.predictions (tenant_id, prediction_id, predicted_at, model_name, target_kind, target_id, horizon_seconds, failure_probability)
SELECT tenant_id, 'p' || i, at, 'm', 'service', 's' || x % 4, 60, 0.5 FROM unit WHERE i % 4 = 2;
INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, provider, user_key, team_id, project, run_id, input_tokens, output_tokens, cache_read_tokens,
    cache_write_5m_tokens, cache_write_1h_tokens, web_searches, speed, inference_geo, reported_cost_usd, charged_usd, is_test)
SELECT tenant_id, 'c' || i, at, (ARRAY['claude-sonnet-5', 'claude-opus-5', 'claude-haiku-4-5', 'nobody-knows'])[1 + x % 4], (ARRAY['anthropic', 'bedrock', NULL])[1 + x % 3],
       CASE WHEN x % 5 > 0 THEN 'u' || x % 5 END, CASE WHEN x % 3 = 0 THEN 't' || x % 2 END, CASE WHEN x % 11 > 3 THEN 'p' || x % 11 END,
       CASE WHEN x % 3 > 0 THEN 'r' || 4 * (x % 600) END, x % 90001, x % 4001, x % 150001, x % 7001, x % 5003, x % 3,
       'standard', CASE WHEN x % 13 = 0 THEN 'us' END, CASE WHEN x % 17 = 0 THEN x / 1e10 END, CASE WHEN x % 19 = 0 THEN x / 1e12 END, x % 23 = 0
FROM unit WHERE i % 4 = 3;
INSERT INTO bcce_data.infra_costs (tenant_id, category, amount_usd, period_start_at, period_end_at)
SELECT tenant_id, 'month', 100.01, m, m + interval '1 month' FROM bcce_data.tenants, generate_series('2026-01-01 00:00+00'::timestamptz, '2026-07-01', '1 month') AS m
WHERE slug IN ('both', 'covered');
\o /dev/null
SELECT bcce.record_cost_adjustment('a' || i, at, CASE WHEN kind = 'correction' AND x % 2 = 0 THEN 1 ELSE -1 END * (x % 1000003) / 1e6, kind,
           (ARRAY['workflow', 'monitoring', 'prediction', 'model', 'infra'])[1 + x % 5], (ARRAY['Anthropic', 'bedrock', NULL])[1 + x % 3],
           CASE WHEN x % 4 = 0 THEN at - (x % 70) * interval '1 day' END, 'number ' || i, slug)
FROM unit JOIN bcce_data.tenants USING (tenant_id) CROSS JOIN LATERAL (SELECT (ARRAY['credit', 'refund', 'discount', 'correction'])[1 + i % 4] AS kind) AS k WHERE i % 10 = 0;
-- Some to come, some on the last instant of a day, and a tenant with nothing else.
SELECT bcce.record_cost_adjustment('later', '2026-07-20 12:00:01+00', -1000, 'credit', tenant => 'both'), bcce.record_cost_adjustment('now', '2026-07-20 12:00:00+00', -0.5, 'credit', tenant => 'both'),
       bcce.record_cost_adjustment('edge', '2026-03-08 04:59:59.999999+00', -0.25, 'refund', 'workflow', tenant => 'covered'),
       bcce.record_cost_adjustment('before all', '2025-12-01 00:00+00', 7.123456789, 'correction', 'infra', tenant => 'only'), bcce.record_cost_adjustment('after', '2026-02-01 00:00+00', -9, 'refund', tenant => 'only');
SELECT bcce.record_invoice(p, tstzrange(m, m + interval '1 month'), 50, slug) FROM unnest('{anthropic,bedrock}'::text[]) AS p, generate_series('2026-01-01 00:00+00'::timestamptz, '2026-06-01', '1 month') AS m, bcce_data.tenants WHERE slug IN ('both', 'covered');
\o
CREATE TEMP TABLE span AS
SELECT * FROM (VALUES (1, NULL::timestamptz, NULL::timestamptz), (2, '2025-01-01 00:00+00', '2027-01-01 00:00+00'), (3, '2026-03-01 00:00+00', '2026-04-17 13:07:11.5+00'),
    (4, '2026-03-08 04:00+00', '2026-03-08 08:30+00'), (5, '2026-05-01 04:10+00', NULL), (6, NULL, '2026-04-05 03:30+00'), (7, '2026-07-01 00:00+00', '2026-07-01 00:00+00'),
    (8, NULL, '2026-01-10 00:00+00')) AS v (n, since, until);
-- Every number of every report, summed over its rows.
CREATE TEMP TABLE answer AS
WITH row AS (
    SELECT s.n, 'analysis' AS report, to_jsonb(c) AS c FROM span s CROSS JOIN LATERAL bcce.cost_analysis(s.since, s.until) c
    UNION ALL SELECT s.n, 'day', to_jsonb(c) FROM span s CROSS JOIN LATERAL bcce.cost_by_day(s.since, s.until) c
    UNION ALL SELECT s.n, 'user', to_jsonb(c) FROM span s CROSS JOIN LATERAL bcce.cost_by_user(s.since, s.until) c
    UNION ALL SELECT s.n, 'team', to_jsonb(c) FROM span s CROSS JOIN LATERAL bcce.cost_by_team(s.since, s.until) c
    UNION ALL SELECT s.n, 'model', to_jsonb(c) FROM span s CROSS JOIN LATERAL bcce.cost_by_model(s.since, s.until) c
    UNION ALL SELECT s.n, 'project', to_jsonb(c) FROM span s CROSS JOIN LATERAL bcce.cost_by_project(s.since, s.until) c
    UNION ALL SELECT s.n, 'workflow', to_jsonb(c) FROM span s CROSS JOIN LATERAL bcce.cost_by_workflow(s.since, s.until) c
    UNION ALL SELECT s.n, 'service', to_jsonb(c) FROM span s CROSS JOIN LATERAL bcce.cost_by_service(s.since, s.until) c
    UNION ALL SELECT s.n, 'repriced', to_jsonb(c) FROM span s CROSS JOIN LATERAL bcce.cost_analysis_repriced(NULL, s.since, s.until) c
    UNION ALL SELECT s.n, 'trends', to_jsonb(c) FROM span s CROSS JOIN LATERAL bcce.usage_trends(s.since, s.until) c
    UNION ALL SELECT s.n, 'coverage', to_jsonb(c) FROM span s CROSS JOIN LATERAL bcce.cost_focus_coverage(s.since, s.until) c
    UNION ALL SELECT s.n, 'focus ' || c."ChargeCategory", jsonb_build_object('tenant_id', c.tenant_id, 'usd', c."BilledCost", 'rows', 1) FROM span s CROSS JOIN LATERAL bcce.cost_focus(s.since, s.until) c
    UNION ALL SELECT s.n, 'zero ' || c."ChargeCategory", jsonb_build_object('tenant_id', c.tenant_id, 'usd', c."BilledCost", 'rows', 1, 'unpriced', (c."x_PricingStatus" <> 'priced')::integer)
        FROM span s CROSS JOIN LATERAL bcce.cost_focus(s.since, s.until, true) c
    UNION ALL SELECT s.n, 'unpriced', jsonb_build_object('tenant_id', c.tenant_id, 'unpriced', 1) FROM span s CROSS JOIN LATERAL bcce.cost_focus_unpriced(s.since, s.until) c
    UNION ALL SELECT s.n, 'adjustment', jsonb_build_object('tenant_id', c.tenant_id, 'usd', c.amount_usd, c.applies_to, c.amount_usd) FROM span s CROSS JOIN LATERAL bcce.cost_adjustments(s.since, s.until) c WHERE c.is_counted
    -- What is covered, the long way round.
    UNION ALL SELECT s.n, 'truth', jsonb_build_object('tenant_id', u.tenant_id, 'covered', coalesce(u.reported_cost_usd, u.charged_usd, bcce.estimate_token_cost(u.model_id, u.at, u.input_tokens, u.output_tokens,
            u.cache_read_tokens, u.cache_write_5m_tokens, u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier, u.tenant_id)))
        FROM span s JOIN bcce_data.model_usage u ON u.at >= coalesce(s.since, '-infinity') AND u.at < coalesce(s.until, 'infinity') AND NOT u.is_test
        WHERE u.run_id IN (SELECT r.run_id FROM bcce_data.workflow_runs r WHERE r.tenant_id = u.tenant_id AND r.status IN ('succeeded', 'failed', 'cancelled') AND NOT r.is_test AND r.run_id NOT LIKE '%8')
          AND u.tenant_id = (SELECT tenant_id FROM bcce_data.tenants WHERE slug = 'covered')
)
SELECT r.n, r.report, (r.c ->> 'tenant_id')::uuid AS tenant_id, key, sum(value::numeric) AS value
FROM row r CROSS JOIN LATERAL jsonb_each_text(r.c) WHERE key ~ '_usd$|^(usd|rows|covered|unpriced|unpriced_calls|workflow|monitoring|prediction|model|infra)$' GROUP BY 1, 2, 3, 4;
CREATE FUNCTION pg_temp.v(n integer, report text, tenant uuid, key text) RETURNS numeric LANGUAGE sql STABLE AS
$$SELECT coalesce((SELECT a.value FROM answer a WHERE a.n = $1 AND a.report = $2 AND a.tenant_id = $3 AND a.key = $4), 0)$$;

\echo == one rule a line: how often it was tried on something, and how often it failed
WITH c AS (
    SELECT s.n, t.tenant_id, t.slug FROM span s, bcce_data.tenants t
), a AS (
    SELECT c.*, v.* FROM c CROSS JOIN LATERAL (
        SELECT pg_temp.v(n, 'analysis', tenant_id, 'workflow_cost_usd') AS workflow, pg_temp.v(n, 'analysis', tenant_id, 'monitoring_cost_usd') AS monitoring,
               pg_temp.v(n, 'analysis', tenant_id, 'prediction_cost_usd') AS prediction, pg_temp.v(n, 'analysis', tenant_id, 'model_cost_usd') AS model,
               pg_temp.v(n, 'analysis', tenant_id, 'infra_cost_usd') AS infra, pg_temp.v(n, 'analysis', tenant_id, 'adjustments_usd') AS adjusted,
               pg_temp.v(n, 'analysis', tenant_id, 'provider_adjustments_usd') AS provider_adjusted, pg_temp.v(n, 'analysis', tenant_id, 'covered_model_cost_usd') AS covered,
               pg_temp.v(n, 'analysis', tenant_id, 'tariff_cost_usd') AS tariff, pg_temp.v(n, 'analysis', tenant_id, 'provider_cost_usd') AS provider, pg_temp.v(n, 'analysis', tenant_id, 'total_cost_usd') AS total) v
), rule AS (
    SELECT 1 AS line, 'total = parts + adjustments - covered' AS rule, total AS one, workflow + monitoring + prediction + model + infra + adjusted - covered AS other FROM a
    UNION ALL SELECT 2, 'total = tariff + provider - covered', total, tariff + provider - covered FROM a
    UNION ALL SELECT 3, 'provider = model + infra + provider adjustments', provider, model + infra + provider_adjusted FROM a
    UNION ALL SELECT 4, 'adjustments = counted rows of cost_adjustments', adjusted, pg_temp.v(n, 'adjustment', tenant_id, 'usd') FROM a
    UNION ALL SELECT 5, 'provider adjustments = those of model and infra', provider_adjusted, pg_temp.v(n, 'adjustment', tenant_id, 'model') + pg_temp.v(n, 'adjustment', tenant_id, 'infra') FROM a
    UNION ALL SELECT 6, 'covered = calls of charged runs, only by the setting', covered, pg_temp.v(n, 'truth', tenant_id, 'covered') FROM a
    UNION ALL SELECT 10, 'sum of days = range: ' || key, pg_temp.v(n, 'day', tenant_id, key), pg_temp.v(n, 'analysis', tenant_id, key)
        FROM c, unnest('{workflow,monitoring,prediction,model,infra,tariff,provider,total,covered_model}'::text[]) AS k, LATERAL (SELECT k || '_cost_usd' AS key) AS q
    UNION ALL SELECT 11, 'sum of days = range: ' || key, pg_temp.v(n, 'day', tenant_id, key), pg_temp.v(n, 'analysis', tenant_id, key) FROM c, unnest('{adjustments_usd,provider_adjustments_usd}'::text[]) AS key
    UNION ALL SELECT 20, 'covered by ' || k, pg_temp.v(n, k, tenant_id, 'covered_model_cost_usd'), covered FROM a, unnest('{user,team,model,project,workflow,service}'::text[]) AS k
    UNION ALL SELECT 21, 'total by ' || k, pg_temp.v(n, k, tenant_id, 'total_cost_usd'), workflow + model - covered FROM a, unnest('{user,team}'::text[]) AS k
    UNION ALL SELECT 22, 'total by ' || k, pg_temp.v(n, k, tenant_id, 'total_cost_usd'), model - covered FROM a, unnest('{model,project}'::text[]) AS k
    UNION ALL SELECT 23, 'total by workflow', pg_temp.v(n, 'workflow', tenant_id, 'total_cost_usd'), workflow + prediction + model - covered FROM a
    UNION ALL SELECT 24, 'total by service = total - infra - adjustments', pg_temp.v(n, 'service', tenant_id, 'total_cost_usd'), total - infra - adjusted FROM a
    UNION ALL SELECT 25, 'usage_trends = total - infra - adjustments', pg_temp.v(n, 'trends', tenant_id, 'total_cost_usd'), total - infra - adjusted FROM a
    UNION ALL SELECT 26, 'repriced model cost', pg_temp.v(n, 'repriced', tenant_id, 'model_cost_usd'), model FROM a
    UNION ALL SELECT 30, 'focus: usage = model cost', pg_temp.v(n, 'focus Usage', tenant_id, 'usd'), model FROM a
    UNION ALL SELECT 31, 'focus: the rest = adjustments of model cost', pg_temp.v(n, 'focus Credit', tenant_id, 'usd') + pg_temp.v(n, 'focus Adjustment', tenant_id, 'usd'), pg_temp.v(n, 'adjustment', tenant_id, 'model') FROM a
    UNION ALL SELECT 32, 'focus: all = coverage', pg_temp.v(n, 'focus Usage', tenant_id, 'usd') + pg_temp.v(n, 'focus Credit', tenant_id, 'usd') + pg_temp.v(n, 'focus Adjustment', tenant_id, 'usd'),
        pg_temp.v(n, 'coverage', tenant_id, 'total_usd') FROM a
    UNION ALL SELECT 33, 'coverage: adjustments', pg_temp.v(n, 'coverage', tenant_id, 'adjustments_usd'), pg_temp.v(n, 'adjustment', tenant_id, 'model') FROM a
    UNION ALL SELECT 34, 'unpriced as 0: the same sum', pg_temp.v(n, 'zero Usage', tenant_id, 'usd'), model FROM a
    UNION ALL SELECT 35, 'unpriced as 0: a row for each unpriced call', pg_temp.v(n, 'zero Usage', tenant_id, 'unpriced'), pg_temp.v(n, 'unpriced', tenant_id, 'unpriced') FROM a
    UNION ALL SELECT 36, 'unpriced as 0: no other row more', pg_temp.v(n, 'zero Usage', tenant_id, 'rows'), pg_temp.v(n, 'focus Usage', tenant_id, 'rows') + pg_temp.v(n, 'unpriced', tenant_id, 'unpriced') FROM a
    UNION ALL SELECT 37, 'unpriced calls of the coverage', pg_temp.v(n, 'coverage', tenant_id, 'unpriced_calls'), pg_temp.v(n, 'unpriced', tenant_id, 'unpriced') FROM a
)
SELECT rule, count(*) FILTER (WHERE one <> 0) AS tried, count(*) FILTER (WHERE one IS DISTINCT FROM other) AS failed FROM rule GROUP BY line, rule ORDER BY line, rule COLLATE "C";

\echo == cost_report and invoices
SELECT grain, count(*) AS rows, sum(total_cost_usd) = (SELECT sum(total_cost_usd) FROM bcce.cost_by_day(bcce.report_now() - interval '100 days', bcce.report_now())) AS total,
       bool_and(total_cost_usd = workflow_cost_usd + monitoring_cost_usd + prediction_cost_usd + model_cost_usd + infra_cost_usd + adjustments_usd - covered_model_cost_usd) AS parts,
       sum(covered_model_cost_usd) > 0 AS covers, bool_or(tariff_includes_models) AND NOT bool_and(tariff_includes_models) AS by_tenant
FROM unnest('{period,week,month}'::text[]) AS grain CROSS JOIN LATERAL bcce.cost_report('100 days', grain) r GROUP BY grain ORDER BY grain;
SELECT count(*) AS invoices, bool_and(difference_usd = invoiced_usd - metered_usd - adjustments_usd) AS differ_by_this, count(*) FILTER (WHERE adjustments_usd <> 0) > 10 AS adjusted,
       sum(adjustments_usd) + sum(unnamed_adjustments_usd) / 2 = (SELECT sum(amount_usd) FROM bcce.cost_adjustments('2026-01-01', '2026-07-01') WHERE applies_to = 'model' AND tenant_name <> 'Only adjusted') AS all_of_them
FROM bcce.cost_reconciliation;

\c :home
SET client_min_messages = warning;
DROP DATABASE regress_cost_family;
