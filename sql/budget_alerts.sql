-- Proves that one flap is one alert: when alerts fire, resolve and fire again, who
-- is told; the limit of a day; and that upkeep prices calls as their tenant does,
-- whoever runs it.
SET client_min_messages = warning;
CREATE DATABASE regress_budget_alerts;
\set home :DBNAME
\c regress_budget_alerts
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE EXTENSION bcce;
SELECT bcce.create_tenant('al-a', 'A') AS a, bcce.create_tenant('al-b', 'B', timezone => 'America/New_York') AS b \gset
SELECT bcce.create_login('regress_al_reader', 'al-a'), bcce.create_login('regress_al_other', 'al-b'), bcce.create_login('regress_al_admin', 'al-a', 'admin') \g /dev/null
CREATE ROLE regress_al_upkeep;
GRANT USAGE ON SCHEMA bcce TO regress_al_upkeep;
GRANT EXECUTE ON FUNCTION bcce.check_budgets(), bcce.maintain() TO regress_al_upkeep;
CREATE FUNCTION spend(tenant uuid, key text, at timestamptz, usd numeric) RETURNS void LANGUAGE sql AS
$$INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, reported_cost_usd) VALUES (tenant, key, at, 'm', usd)$$;
-- What a run of check_budgets() changes, and what the alerts are then.
CREATE VIEW check_now AS SELECT budget, period_start_at, threshold_percent AS pct, kind, state, times_fired AS n, is_notified AS told FROM bcce.check_budgets() ORDER BY 1, 2, 3, 4;
CREATE VIEW alerts AS SELECT budget, period_start_at, threshold_percent AS pct, kind, state, spent_usd AS spent, limit_usd AS lim, at, fired_at, resolved_at, times_fired AS n, notified_at
FROM bcce.budget_alerts ORDER BY budget, period_start_at, threshold_percent, kind;
SET datestyle = 'ISO';

\echo == spending: fires once, resolves, fires again as the same alert
SET bcce.test_now = '2015-03-10 12:00+00';
SELECT bcce.set_budget('all', 100, thresholds => '{80,100}', tenant => 'al-a');
UPDATE bcce_data.budgets SET set_at = '2015-03-01';
SELECT spend(:'a', '1', '2015-03-02', 85) \g /dev/null
SELECT * FROM check_now;
SELECT * FROM check_now;
SET bcce.test_now = '2015-03-10 13:00+00';
-- A larger amount resolves it; the former one again fires it, and within a day nobody is told twice.
SELECT bcce.set_budget('all', 200, thresholds => '{80,100}', tenant => 'al-a');
SELECT * FROM check_now;
SET bcce.test_now = '2015-03-10 14:00+00';
SELECT bcce.set_budget('all', 100, thresholds => '{80,100}', tenant => 'al-a');
SELECT * FROM check_now;
SELECT * FROM alerts;
-- A call deleted, and told again a day after the last word: told again.
DELETE FROM bcce_data.model_usage WHERE idempotency_key = '1';
SELECT * FROM check_now;
SET bcce.test_now = '2015-03-11 12:00+00';
SELECT spend(:'a', '1', '2015-03-02', 85) \g /dev/null
SELECT * FROM check_now;
-- The larger amount reached: another limit is news at once, and the threshold of 100 is a new alert.
SELECT bcce.set_budget('all', 200, thresholds => '{80,100}', tenant => 'al-a');
SELECT * FROM check_now;
SET bcce.test_now = '2015-03-11 13:00+00';
SELECT spend(:'a', '2', '2015-03-11 12:30+00', 120) \g /dev/null
SELECT * FROM check_now;
-- What fires now is one filter away.
SELECT budget, threshold_percent, kind, spent_usd, limit_usd, times_fired FROM bcce.budget_alerts WHERE state = 'firing' ORDER BY 2;
-- A threshold that nobody asks for any more, a budget that is gone.
SELECT bcce.set_budget('all', 200, thresholds => '{100}', tenant => 'al-a');
SELECT * FROM check_now;
BEGIN;
SELECT bcce.set_budget('all', NULL, tenant => 'al-a');
SELECT * FROM check_now;
ROLLBACK;

\echo == the end of the period resolves; late is only what nobody was told
SET bcce.test_now = '2015-04-01 00:00+00';
SELECT * FROM check_now;
SELECT * FROM check_now;
SELECT bcce.set_budget('all', 200, thresholds => '{50,100}', tenant => 'al-a');
SELECT * FROM check_now;
-- Crossed and resolved within March, crossed again by a call told in April: late.
BEGIN;
UPDATE bcce_data.budget_alerts SET resolved_at = '2015-03-12' WHERE threshold_percent = 100;
SELECT * FROM check_now;
ROLLBACK;
-- Late ends 35 days after the period.
SET bcce.test_now = '2015-05-05 23:59+00';
SELECT * FROM check_now;
SET bcce.test_now = '2015-05-06 00:00+00';
SELECT * FROM check_now;
SELECT kind, pct, state, fired_at, resolved_at FROM alerts;
SELECT bcce.set_budget('all', NULL, tenant => 'al-a');

\echo == a forecast about the limit does not flap
SET bcce.test_now = '2015-07-11 12:00+00';
SELECT spend(:'a', 'day ' || d::date, d, 10) FROM generate_series('2015-06-01 01:00+00'::timestamptz, '2015-07-10 01:00+00', '1 day') AS d \g /dev/null
SELECT bcce.set_budget('f', 300, thresholds => '{}', tenant => 'al-a');
UPDATE bcce_data.budgets SET set_at = '2015-07-01';
SELECT spent_usd, forecast_usd FROM bcce.budget_status WHERE budget = 'f' AND is_open;
SELECT * FROM check_now;
-- Two days of July cost other sums: the forecast is what a check sees.
CREATE FUNCTION at_cost(usd numeric) RETURNS TABLE (forecast_usd numeric, changed text, fires boolean, n integer) LANGUAGE plpgsql AS $$
BEGIN
    UPDATE bcce_data.model_usage SET reported_cost_usd = usd WHERE idempotency_key IN ('day 2015-07-04', 'day 2015-07-05');
    SELECT string_agg(c.kind || ' ' || c.state || CASE WHEN c.told THEN ', told' ELSE '' END, '; ') INTO changed FROM check_now c;
    SELECT round(s.forecast_usd, 2) INTO forecast_usd FROM bcce.budget_status s WHERE s.budget = 'f' AND s.is_open;
    SELECT bool_or(a.state = 'firing'), max(a.n) INTO fires, at_cost.n FROM alerts a WHERE a.kind = 'forecast';
    RETURN NEXT;
END
$$;
SELECT * FROM at_cost(7);
SELECT * FROM at_cost(3);
SELECT * FROM at_cost(2);
SELECT * FROM at_cost(6);
SELECT * FROM at_cost(10);
-- An amount set just above the forecast resolves it at once: the margin is for a forecast that moves, not for a limit that does.
SELECT bcce.set_budget('f', 312, thresholds => '{}', tenant => 'al-a');
SELECT * FROM check_now;
SELECT bcce.set_budget('f', 300, thresholds => '{}', tenant => 'al-a');
SELECT * FROM check_now;
-- What it said came true: another alert has the word.
SELECT spend(:'a', 'much', '2015-07-11 11:00+00', 200) \g /dev/null
SELECT * FROM check_now;
DELETE FROM bcce_data.model_usage WHERE idempotency_key = 'much';
SELECT * FROM check_now;
SET bcce.test_now = '2015-08-01 00:00+00';
SELECT * FROM check_now;
SELECT bcce.set_budget('f', NULL, tenant => 'al-a');

\echo == the limit of a day
\set VERBOSITY sqlstate
SELECT bcce.set_budget('d', 310, daily_burst_percent => -1, tenant => 'al-a');
SELECT bcce.set_budget('d', 310, daily_burst_percent => 'NaN', tenant => 'al-a');
SELECT bcce.set_budget('d', 310, daily_burst_percent => 'Infinity', tenant => 'al-a');
SELECT bcce.set_budget('d', 310, 'day', daily_burst_percent => 50, tenant => 'al-a');
\set VERBOSITY default
-- 310 over the 31 days of July is 10; in New York the day begins at 04:00 UTC.
DELETE FROM bcce_data.model_usage;
SET bcce.test_now = '2015-07-11 12:00+00';
SELECT bcce.set_budget('d', 310, thresholds => '{}', daily_burst_percent => 50, mode => 'block', tenant => 'al-b');
UPDATE bcce_data.budgets SET set_at = '2015-07-01';
SELECT spend(:'b', 'yesterday', '2015-07-11 03:59:59.999999+00', 100), spend(:'b', 'today', '2015-07-11 04:00+00', 14.99) \g /dev/null
SELECT daily_limit_usd, spent_today_usd, spent_usd, state FROM bcce.budget_status WHERE is_open;
SELECT * FROM check_now;
SELECT is_allowed, budget, spent_usd, limit_usd, spent_percent, reason FROM bcce.budget_check(tenant => 'al-b');
SELECT spend(:'b', 'today too', '2015-07-11 11:00+00', 0.01) \g /dev/null
SELECT * FROM check_now;
SELECT spent, lim FROM alerts WHERE kind = 'daily';
SELECT is_allowed, budget, spent_usd, limit_usd, spent_percent, reason FROM bcce.budget_check(tenant => 'al-b');
SELECT bcce.set_budget('d', 310, thresholds => '{}', daily_burst_percent => 50, tenant => 'al-b');
SELECT is_allowed, reason FROM bcce.budget_check(tenant => 'al-b');
-- Calls of unknown cost at the dearest price count for the day, too.
SELECT bcce.set_budget('d', 310, thresholds => '{}', daily_burst_percent => 50, unpriced => 'dearest', mode => 'block', tenant => 'al-b');
SELECT c.is_allowed, c.spent_usd = s.spent_today_usd AS same, c.reason FROM bcce.budget_check(tenant => 'al-b') c JOIN bcce.budget_status s USING (budget) WHERE s.is_open;
-- Midnight there: another day, another alert; the burst of yesterday is over.
SET bcce.test_now = '2015-07-12 04:00+00';
SELECT is_allowed, spent_usd, limit_usd, reason FROM bcce.budget_check(tenant => 'al-b');
SELECT * FROM check_now;
SELECT spend(:'b', 'Sunday', '2015-07-12 04:30+00', 15) \g /dev/null
SET bcce.test_now = '2015-07-12 05:00+00';
SELECT * FROM check_now;
-- Days that a period touches: over a change of the clock, of a budget that begins in the middle, and of one with ends of its own.
SELECT bcce_data.daily_limit(310, 0, '2015-03-01 05:00+00', '2015-04-01 04:00+00', 'America/New_York') AS march,
       bcce_data.daily_limit(7, 0, '2015-03-02 05:00+00', '2015-03-09 04:00+00', 'America/New_York') AS week,
       bcce_data.daily_limit(100, 40, '2015-07-12 12:00+00', '2015-08-01 00:00+00', 'UTC') AS from_the_12th,
       bcce_data.daily_limit(1, 0, '2015-07-12 12:00+00', '2015-07-12 12:00:00.000001+00', 'UTC') AS instant,
       bcce_data.daily_limit(100, NULL, '2015-07-12 12:00+00', '2015-08-01 00:00+00', 'UTC') AS none;
SELECT bcce.set_budget('d', NULL, tenant => 'al-b'), bcce.set_budget('sprint', 100, 'custom', thresholds => '{}', mode => 'block', daily_burst_percent => 0,
    valid_from => '2015-07-10 04:00+00', valid_until => '2015-07-20 04:00+00', tenant => 'al-b') \g /dev/null
SELECT s.daily_limit_usd, s.spent_today_usd, c.is_allowed, c.spent_usd, c.limit_usd, c.reason FROM bcce.budget_status s CROSS JOIN LATERAL bcce.budget_check(tenant => 'al-b') c;
SELECT bcce.set_budget('sprint', NULL, tenant => 'al-b');

\echo == upkeep by a login of its own prices calls as their tenant does
DELETE FROM bcce_data.model_usage;
DELETE FROM bcce_data.budget_alerts;
SELECT bcce.set_model_price('own-model', 'input', 0.001, '2015-01-01', tenant => 'al-a'), bcce.set_model_price('claude-sonnet-4-5', 'input', 0.002, '2015-01-01', tenant => 'al-a') \g /dev/null
INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, input_tokens, output_tokens)
SELECT t, m, '2015-07-02', m, 1000, 0 FROM unnest(ARRAY[:'a', :'b']::uuid[]) AS t, unnest('{own-model,claude-sonnet-4-5}'::text[]) AS m;
SELECT bcce.set_budget('own', 3, thresholds => '{100}', mode => 'block', tenant => 'al-a'), bcce.set_budget('own', 0.003, thresholds => '{100}', mode => 'block', tenant => 'al-b') \g /dev/null
UPDATE bcce_data.budgets SET set_at = '2015-07-01';
SELECT tenant_name, spent_usd, unpriced_calls FROM bcce.budget_status WHERE is_open ORDER BY 1;
SET ROLE regress_al_upkeep;
SELECT count(*) AS changes, count(DISTINCT c.tenant_id) AS tenants FROM bcce.check_budgets() c;
RESET ROLE;
SELECT tenant_name, spent_usd, limit_usd FROM bcce.budget_alerts ORDER BY 1;
-- The login itself gets no price of a tenant, not even beside upkeep in one statement.
CREATE FUNCTION as_upkeep(tenant uuid) RETURNS numeric LANGUAGE plpgsql STABLE SECURITY DEFINER AS
$$BEGIN RETURN bcce.estimate_token_cost('own-model', '2015-07-02', 1000, 0, tenant => as_upkeep.tenant); END$$;
ALTER FUNCTION as_upkeep OWNER TO bcce_maintainer;
SET ROLE regress_al_upkeep;
SELECT as_upkeep(:'a') AS upkeep, bcce.estimate_token_cost('own-model', '2015-07-02', 1000, 0, tenant => :'a') AS login, as_upkeep(:'a') AS again, as_upkeep(:'b') AS of_b;
SELECT count(*) AS changes FROM bcce.check_budgets();
SELECT task, detail FROM bcce.maintain() WHERE task = 'budgets';
\set VERBOSITY sqlstate
SELECT count(*) FROM bcce.budget_alerts;
SELECT bcce.budget_check(tenant => 'al-a');
\set VERBOSITY default
-- A reader is told by the prices of its tenant, of no other.
SET ROLE regress_al_reader;
SELECT c.is_allowed, c.spent_usd, s.spent_usd AS status_usd, c.unpriced_share_percent FROM bcce.budget_check() c JOIN bcce.budget_status s USING (budget) WHERE s.is_open;
SELECT state, count(*) FROM bcce.budget_alerts GROUP BY 1;
SET ROLE regress_al_other;
SELECT c.is_allowed, c.spent_usd, s.spent_usd AS status_usd, c.unpriced_share_percent FROM bcce.budget_check() c JOIN bcce.budget_status s USING (budget) WHERE s.is_open;
SELECT bcce.estimate_token_cost('own-model', '2015-07-02', 1000, 0, tenant => :'a') AS of_another;
SET ROLE regress_al_admin;
SELECT bcce.set_budget('mine', 31, daily_burst_percent => 0, user_key => 'eve@example.org');
SELECT daily_limit_usd FROM bcce.budget_status WHERE budget = 'mine' AND is_open;
RESET ROLE;
\c :home
SET client_min_messages = warning;
DROP DATABASE regress_budget_alerts;
DROP ROLE regress_al_reader, regress_al_other, regress_al_admin, regress_al_upkeep;
