-- Proves how credits, refunds, discounts and corrections are recorded, what they
-- change and when, who may record and see them, and that the price of a run may
-- include its calls.
SET client_min_messages = warning;
CREATE DATABASE regress_cost_adjustments;
\set home :DBNAME
\c regress_cost_adjustments
SET client_min_messages = warning;
SET timezone = 'UTC';
SET bcce.test_now = '2026-03-20 12:00:00+00';
CREATE EXTENSION bcce;
SELECT bcce.create_tenant('adj-a', 'A', timezone => 'Europe/Berlin') AS a, bcce.create_tenant('adj-b', 'B') AS b \gset
SELECT bcce.create_login('regress_adj_cost', 'adj-a', 'cost'), bcce.create_login('regress_adj_admin', 'adj-a', 'admin'), bcce.create_login('regress_adj_other', 'adj-b'),
       bcce.create_login('regress_adj_writer', 'adj-a', 'ingest') \g /dev/null
INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, workflow_id, status, started_at, finished_at, charged_usd, is_test)
SELECT :'a', id, 'w', status, '2026-02-28 23:30Z', '2026-02-28 23:40Z', 2, is_test FROM (VALUES ('paid', 'succeeded', false), ('skipped', 'skipped', false), ('test', 'failed', true)) AS r (id, status, is_test);
INSERT INTO bcce_data.workflow_run_keys SELECT tenant_id, run_id, started_at FROM bcce_data.workflow_runs;
INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, provider, project, run_id, reported_cost_usd)
SELECT :'a', k, at::timestamptz, 'm', 'anthropic', 'site', run, usd
FROM (VALUES ('1', '2026-03-02 10:00Z', 'paid', 16), ('2', '2026-03-02 10:00Z', NULL, 1), ('3', '2026-03-02 10:00Z', 'skipped', 2), ('4', '2026-03-02 10:00Z', 'test', 4),
             ('5', '2026-03-02 10:00Z', 'unheard', 8), ('6', '2026-03-02 10:00Z', 'paid', NULL)) AS c (k, at, run, usd);
SET ROLE regress_adj_admin;
\o /dev/null
SELECT bcce.record_cost_adjustment('CN-1', '2026-03-05 10:00Z', -99, 'credit');
SELECT bcce.record_cost_adjustment('CN-1', '2026-03-05 10:00Z', -3.25, 'credit', provider => ' Anthropic ', reason => 'promised to ada@example.org');
SELECT bcce.record_cost_adjustment('CN-2', '2026-03-05 10:00Z', -0.5, 'refund', 'workflow', corrects_at => '2026-02-28 23:30Z');
SELECT bcce.record_cost_adjustment('CN-3', '2026-02-27 10:00Z', 0.125, 'correction', 'infra');
SELECT bcce.record_cost_adjustment('CN-4', '2026-03-20 12:00:00.000001Z', -7, 'discount');
SELECT bcce.record_cost_adjustment('mail of ada@example.org', '2026-03-05', -1, 'credit'), bcce.record_cost_adjustment('mail of ada@example.org', '2026-03-05', -2, 'credit');
\o
SELECT count(*) FILTER (WHERE adjustment_id LIKE 'id\_%') AS hidden FROM bcce.cost_adjustments;
SELECT bcce.record_cost_adjustment('mail of ada@example.org', NULL, NULL, NULL), bcce.record_cost_adjustment('unheard', NULL, NULL, NULL) \g /dev/null
SELECT at, adjustment_id, kind, applies_to, provider, amount_usd, corrects_at, reason, is_counted, currency FROM bcce.cost_adjustments ORDER BY adjustment_id;
SELECT adjustment_id FROM bcce.cost_adjustments('2026-02-27 10:00Z', '2026-03-05 10:00Z');
\echo == what is refused
\set SHOW_CONTEXT never
SELECT bcce.record_cost_adjustment('x', '2026-03-05', 1, 'credit');
SELECT bcce.record_cost_adjustment('x', '2026-03-05', 1, 'tip');
SELECT bcce.record_cost_adjustment('x', '2026-03-05', -1, 'credit', 'everything');
SELECT bcce.record_cost_adjustment('x', '2026-03-05', -1, 'credit', corrects_at => '2026-03-06');
\set VERBOSITY sqlstate
SELECT bcce.record_cost_adjustment('', '2026-03-05', -1, 'credit');
SELECT bcce.record_cost_adjustment(NULL, '2026-03-05', -1, 'credit');
SELECT bcce.record_cost_adjustment(repeat('x', 257), '2026-03-05', -1, 'credit');
SELECT bcce.record_cost_adjustment('x', NULL, -1, 'credit');
SELECT bcce.record_cost_adjustment('x', 'infinity', -1, 'credit');
SELECT bcce.record_cost_adjustment('x', '1969-12-31', -1, 'credit');
SELECT bcce.record_cost_adjustment('x', '2026-03-05', -1, 'credit', corrects_at => '-infinity');
SELECT bcce.record_cost_adjustment('x', '2026-03-05', 'NaN', 'correction');
SELECT bcce.record_cost_adjustment('x', '2026-03-05', '-Infinity', 'credit');
SELECT bcce.record_cost_adjustment('x', '2026-03-05', -1, NULL);
SELECT bcce.record_cost_adjustment('x', '2026-03-05', -1, 'credit', NULL);
SELECT bcce.record_cost_adjustment('x', '2026-03-05', -1, 'credit', provider => ' ');
SELECT bcce.record_cost_adjustment('x', '2026-03-05', -1, 'credit', reason => repeat('x', 1001));
SELECT bcce.record_cost_adjustment('x', '2026-03-05', -1, 'credit', tenant => 'adj-b');
SELECT bcce.set_tariff_includes_models(true, 'adj-b');
SET ROLE regress_adj_cost;
SELECT bcce.record_cost_adjustment('x', '2026-03-05', -1, 'credit');
SELECT bcce.set_tariff_includes_models(true);
SELECT * FROM bcce_data.cost_adjustments;
SET ROLE regress_adj_writer;
SELECT bcce.record_cost_adjustment('x', '2026-03-05', -1, 'credit');
SET ROLE regress_adj_other;
\set VERBOSITY default
SELECT count(*) AS of_another FROM bcce.cost_adjustments;
\echo == what the reports make of them
SET ROLE regress_adj_cost;
SELECT workflow_cost_usd AS workflow, model_cost_usd AS model, infra_cost_usd AS infra, tariff_cost_usd AS tariff, provider_cost_usd AS provider, total_cost_usd AS total,
       adjustments_usd AS adjusted, provider_adjustments_usd AS of_providers, covered_model_cost_usd AS covered, tariff_includes_models AS includes, unpriced_units AS unpriced
FROM bcce.cost_analysis;
SELECT usage_date, workflow_cost_usd AS workflow, model_cost_usd AS model, tariff_cost_usd AS tariff, provider_cost_usd AS provider, total_cost_usd AS total, adjustments_usd AS adjusted
FROM bcce.cost_by_day WHERE total_cost_usd <> 0 ORDER BY usage_date;
SELECT count(*) AS days, min(usage_date) AS first, max(usage_date) AS last FROM bcce.cost_by_day;
SELECT since::date AS since, until::date AS until, adjustments_usd AS adjusted
FROM (VALUES ('2026-02-27 10:00Z'::timestamptz, '2026-03-05 10:00Z'::timestamptz), ('2026-03-05 10:00Z', '2026-03-05 10:00:00.000001Z'), (NULL, '2026-02-27 10:00Z'), ('2026-03-06', '2026-12-31')) AS w (since, until)
CROSS JOIN LATERAL bcce.cost_analysis(w.since, w.until) ORDER BY w.since;
SELECT period_start_date, workflow_cost_usd AS workflow, model_cost_usd AS model, total_cost_usd AS total, adjustments_usd AS adjusted, covered_model_cost_usd AS covered, over_threshold
FROM bcce.cost_report('30 days', 'month', 20) ORDER BY 1;
RESET ROLE;
SET bcce.test_now = '2026-03-20 12:00:00.000001+00';
SELECT adjustments_usd AS a_moment_later FROM bcce.cost_analysis WHERE tenant_id = :'a';
SET bcce.test_now = '2026-03-20 12:00:00+00';
SET ROLE regress_adj_admin;
SELECT bcce.record_invoice('anthropic', '[2026-03-01 00:00Z,2026-04-01 00:00Z)', 28), bcce.record_cost_adjustment('CN-5', '2026-03-06', -0.75, 'credit') \g /dev/null
SELECT metered_usd AS metered, invoiced_usd AS invoiced, adjustments_usd AS adjusted, difference_usd AS difference, unnamed_adjustments_usd AS unnamed FROM bcce.cost_reconciliation;
\echo == the price of a run includes its calls
SELECT bcce.set_tariff_includes_models(true) \g /dev/null
-- Of 31 US dollars 16 belong to the run that is paid.
SELECT model_cost_usd AS model, covered_model_cost_usd AS covered, provider_cost_usd AS provider, tariff_cost_usd AS tariff, total_cost_usd AS total, tariff_includes_models AS includes, unpriced_units AS unpriced
FROM bcce.cost_analysis;
SELECT model_cost_usd AS model, covered_model_cost_usd AS covered, total_cost_usd AS total, cost_share_percent AS share FROM bcce.cost_by_model;
SELECT workflow_id, workflow_cost_usd AS workflow, model_cost_usd AS model, covered_model_cost_usd AS covered, total_cost_usd AS total, cost_share_percent AS share FROM bcce.cost_by_workflow ORDER BY 1;
SELECT usage_date, total_cost_usd AS total FROM bcce.usage_trends WHERE total_cost_usd > 0 ORDER BY 1;
SELECT sum("BilledCost") AS as_before FROM bcce.cost_focus;
-- The run began before.
SELECT workflow_cost_usd AS workflow, covered_model_cost_usd AS covered, total_cost_usd AS total FROM bcce.cost_analysis('2026-03-02', '2026-03-03');
-- A run that nobody sent yet, and one that turns out to be a test.
RESET ROLE;
INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, workflow_id, status, started_at, finished_at, charged_usd) VALUES (:'a', 'unheard', 'w', 'failed', '2026-03-02 09:00Z', '2026-03-02 09:40Z', 0);
INSERT INTO bcce_data.workflow_run_keys VALUES (:'a', 'unheard', '2026-03-02 09:00Z');
SELECT covered_model_cost_usd AS with_it FROM bcce.cost_analysis WHERE tenant_id = :'a';
UPDATE bcce_data.workflow_runs SET is_test = true WHERE run_id = 'paid';
SELECT covered_model_cost_usd AS without_the_other FROM bcce.cost_analysis WHERE tenant_id = :'a';
SELECT bcce.set_tariff_includes_models(NULL, 'adj-a') \g /dev/null
SELECT covered_model_cost_usd AS none, tariff_includes_models AS includes FROM bcce.cost_analysis WHERE tenant_id = :'a';
-- A deleted tenant has none.
UPDATE bcce_data.tenants SET deleted_at = now() WHERE tenant_id = :'a';
SELECT count(*) FROM bcce.cost_adjustments;
\c :home
SET client_min_messages = warning;
DROP DATABASE regress_cost_adjustments;
DROP ROLE regress_adj_cost, regress_adj_admin, regress_adj_other, regress_adj_writer;
