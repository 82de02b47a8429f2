-- Proves that a budget is what its calls add up to, in every scope, period and
-- zone; that an alert is written once; that a forecast has a band that holds; and
-- who may ask.
SET client_min_messages = warning;
CREATE DATABASE regress_budgets;
\set home :DBNAME
\c regress_budgets
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE EXTENSION bcce;
SELECT bcce.create_tenant('bud-a', 'A', timezone => 'America/New_York') AS a, bcce.create_tenant('bud-b', 'B') AS b \gset
SELECT bcce.create_login('regress_bud_reader', 'bud-a'), bcce.create_login('regress_bud_cost', 'bud-a', 'cost'),
       bcce.create_login('regress_bud_admin', 'bud-a', 'admin'), bcce.create_login('regress_bud_other', 'bud-b'), bcce.create_login('regress_bud_writer', 'bud-a', 'ingest') \g /dev/null
SET bcce.test_now = '2015-03-20 12:00:00+00';
\set VERBOSITY sqlstate
\echo == what is refused
SELECT bcce.set_budget('Ada Lovelace', 1, tenant => 'bud-a');
SELECT bcce.set_budget('x', 0, tenant => 'bud-a');
SELECT bcce.set_budget('x', 'NaN', tenant => 'bud-a');
SELECT bcce.set_budget('x', 1, 'year', tenant => 'bud-a');
SELECT bcce.set_budget('x', 1, 'custom', valid_from => '2015-01-01', tenant => 'bud-a');
SELECT bcce.set_budget('x', 1, valid_from => '2015-01-02', valid_until => '2015-01-01', tenant => 'bud-a');
SELECT bcce.set_budget('x', 1, valid_until => 'infinity', tenant => 'bud-a');
SELECT bcce.set_budget('x', 1, timezone => 'Mars', tenant => 'bud-a');
SELECT bcce.set_budget('x', 1, thresholds => '{50,NULL}', tenant => 'bud-a');
SELECT bcce.set_budget('x', 1, thresholds => '{0}', tenant => 'bud-a');
SELECT bcce.set_budget('x', 1, mode => 'stop', tenant => 'bud-a');
SELECT bcce.set_budget('x', 1, unpriced => 'guess', tenant => 'bud-a');
SELECT bcce.set_budget('x', 1, tenant => 'nobody');
\set VERBOSITY default
SELECT count(*) AS budgets FROM bcce_data.budgets;

\echo == scopes: each and-combination is the sum of its calls
INSERT INTO bcce_data.teams (tenant_id, team_id, team_name) VALUES (:'a', 'core', 'Core');
INSERT INTO bcce_data.principals (tenant_id, user_key, team_id) VALUES (:'a', bcce.pseudonym('ada@example.org', 'user', :'a'), 'core');
INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, workflow_id, status, started_at, finished_at) VALUES (:'a', 'r1', 'deploy', 'succeeded', '2015-02-01', '2015-02-02');
INSERT INTO bcce_data.workflow_run_keys (tenant_id, run_id, started_at) VALUES (:'a', 'r1', '2015-02-01');
INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, user_key, team_id, project, run_id, reported_cost_usd, is_test)
SELECT :'a', k, at::timestamptz, model, who, team, project, run, usd, is_test
FROM (VALUES
    ('1', '2015-03-01 04:59:59.999999+00', 'm1', 'ada@example.org', NULL, 'shop', NULL, 64, false),   -- February in New York
    ('2', '2015-03-01 05:00+00', 'm1', 'ada@example.org', NULL, 'shop', NULL, 1, false),
    ('3', '2015-03-08 06:59+00', 'm2', 'ada@example.org', 'edge', 'shop', 'r1', 2, false),            -- the team that the call names
    ('4', '2015-03-10 12:00+00', 'm1', 'bob@example.org', 'core', 'site', NULL, 4, false),
    ('5', '2015-03-20 11:59:59+00', 'm2', NULL, NULL, NULL, 'r1', 8, false),
    ('6', '2015-03-20 12:00+00', 'm1', 'ada@example.org', 'core', 'shop', 'r1', 16, false),           -- now, not before
    ('7', '2015-03-10 12:00+00', 'm1', 'ada@example.org', 'core', 'shop', 'r1', 32, true)
) AS c (k, at, model, who, team, project, run, usd, is_test);
SELECT bcce.set_budget('all', 20, tenant => 'bud-a'), bcce.set_budget('utc', 90, timezone => 'UTC', tenant => 'bud-a'),
       bcce.set_budget('core', 10, team => 'core', tenant => 'bud-a'), bcce.set_budget('ada', 10, user_key => 'ada@example.org', tenant => 'bud-a'),
       bcce.set_budget('shop', 10, project => 'shop', tenant => 'bud-a'), bcce.set_budget('m2', 10, model => 'm2', tenant => 'bud-a'),
       bcce.set_budget('deploy', 10, workflow => 'deploy', tenant => 'bud-a'),
       bcce.set_budget('m2-deploy-shop', 2, model => 'm2', workflow => 'deploy', project => 'shop', tenant => 'bud-a'),
       bcce.set_budget('from-now', 10, valid_from => '2015-03-10 12:00+00', tenant => 'bud-a'),
       bcce.set_budget('sprint', 12, 'custom', valid_from => '2015-03-08', valid_until => '2015-03-12', tenant => 'bud-a'),
       bcce.set_budget('gone', 1, tenant => 'bud-a'), bcce.set_budget('gone', NULL, tenant => 'bud-a') \g /dev/null
SELECT budget, period_start_at, period_end_at, is_open, spent_usd, limit_usd, spent_percent, state, call_count, exhausts_at
FROM bcce.budget_status WHERE period_end_at > '2015-03-01 05:00+00' ORDER BY budget COLLATE "C", period_start_at;
-- February is a period of its own where calls or the budget reach back to it.
SELECT budget, period_start_at, spent_usd, forecast_usd, is_open FROM bcce.budget_status WHERE period_end_at <= '2015-03-01 05:00+00' ORDER BY 1;
-- Whoever the person is, nobody reads it here.
SELECT count(*) FILTER (WHERE b::text LIKE '%example%') AS names, count(*) FILTER (WHERE b.user_key ~ '^user_') AS pseudonyms FROM bcce_data.budgets b;
-- Periods of every length, over a change of the clock: each call in one, and their sum is that of the month.
SELECT bcce.set_budget(p, 100, p, tenant => 'bud-a') FROM unnest('{day,week,month,quarter}'::text[]) AS p \g /dev/null
SELECT budget, count(*) AS periods, sum(spent_usd) AS usd, sum(call_count) AS calls, min(period_start_at) AS first, max(period_end_at) AS last,
       min(period_end_at - period_start_at) AS shortest, max(period_end_at - period_start_at) AS longest
FROM bcce.budget_status WHERE budget IN ('day', 'week', 'month', 'quarter') GROUP BY 1 ORDER BY longest;
-- The twin: as it stood, and no more than the view.
SELECT budget, period_start_at, spent_usd, is_open FROM bcce.budget_status('2015-03-08 12:00+00', '2015-03-09 12:00+00') WHERE budget IN ('all', 'day', 'sprint') ORDER BY 1, 2;
SELECT count(*) AS rows_that_differ FROM (SELECT to_jsonb(s) FROM bcce.budget_status s EXCEPT SELECT to_jsonb(s) FROM bcce.budget_status(NULL, NULL) s) d;
SELECT count(*) FROM bcce.budget_status('infinity', NULL) UNION ALL SELECT count(*) FROM bcce.budget_status(NULL, '-infinity');
SELECT bcce.set_budget(b, NULL, tenant => 'bud-a') FROM unnest('{day,week,month,quarter,utc}'::text[]) AS b \g /dev/null

\echo == calls of unknown cost: left out and said, or at the dearest price
INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, input_tokens, output_tokens)
VALUES (:'b', 'known', '2015-03-02', 'claude-sonnet-4-5', 1000, 100), (:'b', 'unknown', '2015-03-02', 'model-of-nobody', 1000, 100), (:'b', 'silent', '2015-03-02', 'model-of-nobody', NULL, NULL);
SELECT bcce.set_budget('lenient', 1, tenant => 'bud-b'), bcce.set_budget('strict', 1, unpriced => 'dearest', mode => 'block', tenant => 'bud-b') \g /dev/null
SELECT budget, call_count, unpriced_calls, unpriced_share_percent, is_lower_bound,
       spent_usd = bcce.estimate_token_cost('claude-sonnet-4-5', '2015-03-02', 1000, 100)
           + CASE budget WHEN 'strict' THEN (SELECT 1000 * max(price_usd) FILTER (WHERE token_class = 'input') + 100 * max(price_usd) FILTER (WHERE token_class = 'output')
                FROM bcce_data.default_model_prices WHERE upper_inf(known) AND valid && tstzrange('2015-03-01', '2015-04-01')) ELSE 0 END AS as_said
FROM bcce.budget_status WHERE tenant_name = 'B' ORDER BY 1;
SELECT c.budget, c.spent_usd = s.spent_usd AS same FROM bcce.budget_check(tenant => 'bud-b') c JOIN bcce.budget_status s USING (budget);

\echo == may one more call be made
SELECT bcce.set_budget('m2-deploy-shop', 2, model => 'm2', workflow => 'deploy', project => 'shop', mode => 'block', tenant => 'bud-a') \g /dev/null
SELECT c.is_allowed, c.budget, c.spent_usd, c.limit_usd, c.spent_percent, c.reason
FROM (VALUES (1, NULL, NULL, NULL), (2, 'shop', 'm2', 'deploy'), (3, 'shop', 'm2', 'other'), (4, 'site', 'm1', NULL)) AS q (n, project, model, workflow)
CROSS JOIN LATERAL bcce.budget_check(project => q.project, model => q.model, workflow => q.workflow, tenant => 'bud-a') c ORDER BY q.n;
-- The same as the report says of every budget, asked for by its scope.
SELECT count(*) AS budgets, count(*) FILTER (WHERE c.spent_usd <> s.spent_usd AND c.budget = s.budget) AS that_differ
FROM bcce.budget_status s CROSS JOIN LATERAL bcce.budget_check(s.team_id, s.user_key, s.project, s.model_id, s.workflow_id, s.tenant_id::text) c WHERE s.is_open;
-- An amount however small blocks nothing by itself.
BEGIN;
SELECT bcce.set_budget('tiny', 1e-40, tenant => 'bud-b') \g /dev/null
SELECT is_allowed, budget, reason FROM bcce.budget_check(tenant => 'bud-b');
ROLLBACK;
SELECT bcce.set_budget('m2-deploy-shop', 2, model => 'm2', workflow => 'deploy', project => 'shop', tenant => 'bud-a') \g /dev/null

\echo == alerts: once a threshold and period, kept, late ones told apart
UPDATE bcce_data.budgets SET set_at = '2015-03-05';
SELECT budget, period_start_at::date, threshold_percent, kind FROM bcce.check_budgets() WHERE tenant_id = :'a' ORDER BY 1, 2, 3, 4;
SELECT count(*) AS again FROM bcce.check_budgets();
-- More is spent: the next thresholds only.  February is closed: what comes now is late, and nobody had been told.
INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, reported_cost_usd) VALUES (:'a', '8', '2015-03-19', 'm1', 4.5);
UPDATE bcce_data.budgets SET set_at = '2015-02-05' WHERE budget = 'all';
SELECT budget, period_start_at::date, threshold_percent, kind FROM bcce.check_budgets() ORDER BY 1, 2, 3, 4;
-- A larger amount: what was written stays, and is resolved.
SELECT bcce.set_budget('all', 1000, tenant => 'bud-a') \g /dev/null
SELECT state, count(*) FROM bcce.check_budgets() GROUP BY 1;
SELECT kind, count(*), min(spent_usd), max(limit_usd) FROM bcce.budget_alerts WHERE tenant_name = 'A' AND budget = 'all' GROUP BY 1 ORDER BY 1;
SELECT task, detail FROM bcce.maintain() WHERE task = 'budgets';

\echo == forecasts
-- Weekdays 10, weekends 2: the rule finds it exactly, with no band, and what is left of the month follows.
SELECT bcce.create_tenant('bud-f', 'F') AS f \gset
INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, reported_cost_usd)
SELECT :'f', d::text, d + interval '1 hour', 'm', CASE WHEN extract(isodow FROM d) < 6 THEN 10 ELSE 2 END
FROM generate_series('2014-11-03 00:00+00'::timestamptz, '2015-03-20', '1 day') AS d;
SELECT bcce.set_budget('month', 200, tenant => 'bud-f') \g /dev/null
SELECT spent_usd, forecast_usd, forecast_low_usd, forecast_high_usd, forecast_method, exhausts_at, state,
       forecast_usd = (SELECT sum(CASE WHEN extract(isodow FROM d) < 6 THEN 10 ELSE 2 END) FROM generate_series('2015-03-01'::date, '2015-03-31', '1 day') AS d) AS exact
FROM bcce.budget_status WHERE tenant_name = 'F' AND is_open;
UPDATE bcce_data.budgets SET set_at = '2015-03-05' WHERE budget = 'month';
SELECT kind, threshold_percent FROM bcce.check_budgets() WHERE tenant_id = :'f' ORDER BY 1, 2;
-- 13 days, 14 days, too few; a day and none; nothing ahead.
SELECT bcce_data.cost_forecast(array_fill(2.5, ARRAY[13]), 4) AS linear, bcce_data.cost_forecast(array_fill(2.5, ARRAY[14]), 4) AS weekday,
       bcce_data.cost_forecast('{0,0,NULL,1}', 4) AS one_day, bcce_data.cost_forecast(NULL, 4) AS none, bcce_data.cost_forecast('{1,2,3}', 0) AS no_ahead;
-- The rule alone, by hand: four weeks of 1 to 7 times their number, ten days on from a Sunday; days without a cost before the first do not count.
SELECT bcce.weekday_forecast(array_agg((CASE WHEN d > 3 THEN (1 + (d - 4) % 7) * ((d - 4) / 7 + 1) END)::numeric ORDER BY d), 10)::text = ARRAY[(28 + 6) * 2.5]::numeric(20,16)[]::text AS by_hand
FROM generate_series(1, 31) AS d;
-- Errors of the past: none where weeks are the same; always too low where each day costs more.
SELECT bcce.weekday_forecast(array_agg((d % 7)::numeric ORDER BY d), 3)::numeric(9,2)[] AS no_error,
       bcce.weekday_forecast(array_agg(d::numeric ORDER BY d), 1)::numeric(9,2)[] AS always_late FROM generate_series(1, 60) AS d;
SELECT bcce.weekday_forecast('{}', 1) AS empty, bcce.weekday_forecast(array_fill(1::numeric, ARRAY[13]), 1) AS few, bcce.weekday_forecast(array_fill(1::numeric, ARRAY[14]), 0) AS not_ahead,
       bcce.weekday_forecast(array_fill(NULL::numeric, ARRAY[60]), 1) AS free, bcce.weekday_forecast(array_fill('NaN'::numeric, ARRAY[60]), 3) AS nan,
       bcce.weekday_forecast(array_fill(1.5, ARRAY[7, 2]), 2147483647)::numeric(20,2)[] AS far;
-- Backtest: weekdays and noise of up to 60 percent, from 300 origins of three series, for the days left of a month, a week and tomorrow.
CREATE TEMP TABLE series AS
SELECT s, array_agg(CASE WHEN d % 7 < 5 THEN 100 ELSE 20 END * (0.4 + 1.2 * ((hashint8(d * 7919 + s * 104729)::bigint + 2147483648) % 100000) / 100000) ORDER BY d) AS usd
FROM generate_series(1, 3) AS s, generate_series(1, 500) AS d GROUP BY s;
SELECT ahead, count(*) AS forecasts, count(*) FILTER (WHERE truth BETWEEN f[2] AND f[3]) * 100 / count(*) BETWEEN 72 AND 88 AS band_holds,
       percentile_disc(0.5) WITHIN GROUP (ORDER BY abs(truth - f[1])) < percentile_disc(0.5) WITHIN GROUP (ORDER BY abs(truth - linear)) AS beats_linear
FROM (SELECT a.ahead, bcce_data.cost_forecast(s.usd[o - 181:o], a.ahead) AS f, (SELECT sum(x) FROM unnest(s.usd[o + 1:o + a.ahead]) AS x) AS truth,
             (SELECT avg(x) * a.ahead FROM unnest(s.usd[o - 9:o]) AS x) AS linear
      FROM series s, generate_series(182, 480, 3) AS o, unnest('{1,4,17}'::int[]) AS a (ahead)) t GROUP BY 1 ORDER BY 1;

-- The half year begins at the budget's midnight, whatever the zone of the session: there it is an hour later, as of July.
BEGIN;
SELECT bcce.create_tenant('bud-z', 'Z') AS z \gset
SELECT bcce.set_budget('b', 10, tenant => 'bud-z') \g /dev/null
INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, charged_usd) VALUES (:'z', 'z', '2026-01-19 00:30+00', 'm', 1);
SET LOCAL bcce.test_now = '2026-07-20 12:00+00';
SET LOCAL timezone = 'America/New_York';
SELECT forecast_usd, forecast_method FROM bcce.budget_status('2026-07-01 00:00+00') WHERE tenant_id = :'z' AND is_open;
ROLLBACK;

\echo == who may ask
SET ROLE regress_bud_reader;
SELECT count(*) > 0 AS own, count(*) FILTER (WHERE tenant_name <> 'A') AS others FROM bcce.budget_status;
SELECT count(*) > 0 AS own, count(*) FILTER (WHERE tenant_name <> 'A') AS others FROM bcce.budget_alerts;
SELECT is_allowed, budget IS NOT NULL AS has_one FROM bcce.budget_check();
\set VERBOSITY sqlstate
SELECT bcce.budget_check(tenant => 'bud-b');
SELECT bcce.set_budget('mine', 1);
SELECT bcce.check_budgets();
SET ROLE regress_bud_cost;
SELECT count(*) > 0 AS own, count(*) FILTER (WHERE tenant_name <> 'A') AS others FROM bcce.budget_status;
SELECT count(*) > 0 AS own FROM bcce.budget_alerts;
SELECT is_allowed FROM bcce.budget_check();
SET ROLE regress_bud_admin;
SELECT bcce.set_budget('mine', 5, user_key => 'eve@example.org');
SELECT bcce.set_budget('theirs', 5, tenant => 'bud-b');
SELECT budget, user_key ~ '^user_' AS hidden FROM bcce.budget_status WHERE budget = 'mine';
SET ROLE regress_bud_other;
SELECT count(*) AS own, count(*) FILTER (WHERE tenant_name <> 'B') AS others FROM bcce.budget_status;
SET ROLE regress_bud_writer;
SELECT count(*) FROM bcce.budget_status;
SELECT is_allowed FROM bcce.budget_check();
RESET ROLE;
\set VERBOSITY default
\c :home
SET client_min_messages = warning;
DROP DATABASE regress_budgets;
DROP ROLE regress_bud_reader, regress_bud_cost, regress_bud_admin, regress_bud_other, regress_bud_writer;
