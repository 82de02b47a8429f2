-- Proves that hours added up before change no answer: each thing that a cell
-- depends on takes away what it made wrong, and what is left is still used.
--
-- Each hour is made wrong by 1000 after a refresh, each day by a million.  So spent
-- less what the calls add up to says how many days and hours an answer was made
-- of; any other difference would show.
SET client_min_messages = warning;
SET timezone = 'UTC';
BEGIN;
SELECT bcce.create_tenant('bh-a', 'A', timezone => 'Asia/Kathmandu') AS a, bcce.create_tenant('bh-b', 'B') AS b \gset
SET bcce.test_now = '2026-03-20 12:30:00+00';
INSERT INTO bcce_data.teams (tenant_id, team_id, team_name) VALUES (:'a', 'core', 'Core'), (:'a', 'edge', 'Edge');
INSERT INTO bcce_data.principals (tenant_id, user_key, team_id) VALUES (:'a', 'ada@example.org', 'core'), (:'a', 'bob@example.org', NULL);
CREATE TEMP TABLE call (k text, at timestamptz, who text, team text, usd numeric, model text);
INSERT INTO call VALUES
    ('1', '2026-03-02 10:05+00', 'ada@example.org', NULL, 0.1, 'm'), ('2', '2026-03-02 10:59:59.999999+00', 'bob@example.org', 'core', 0.02, 'm'),
    ('3', '2026-03-02 11:00+00', 'ada@example.org', 'edge', 0.003, 'm'), ('4', '2026-03-09 05:00+00', 'ada@example.org', NULL, 0.0004, 'm'),
    ('5', '2026-03-20 12:10+00', 'ada@example.org', NULL, 1, 'm'),
    -- The first of March begins at 18:15 UTC there: one call before, one in the same hour, which is cut, after.
    ('6', '2026-02-28 18:10+00', 'ada@example.org', NULL, 64, 'm'), ('7', '2026-02-28 18:20+00', 'ada@example.org', NULL, 0.25, 'm'),
    -- Of unknown cost, of a cost that a price of today gives, and a test.
    ('8', '2026-03-03 01:00+00', 'ada@example.org', NULL, NULL, 'nobody'), ('9', '2026-03-03 02:00+00', 'ada@example.org', NULL, NULL, 'claude-sonnet-4-5');
INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, user_key, team_id, input_tokens, charged_usd)
SELECT :'a', k, at, model, who, team, 100, usd FROM call;
SELECT bcce.set_budget('all', 100, tenant => 'bh-a'), bcce.set_budget('core', 100, team => 'core', tenant => 'bh-a'),
       bcce.set_budget('ada', 100, 'quarter', user_key => 'ada@example.org', tenant => 'bh-a'), bcce.set_budget('deploy', 100, workflow => 'deploy', tenant => 'bh-a') \g /dev/null
CREATE FUNCTION pg_temp.truth(b bcce_data.budgets, since timestamptz) RETURNS numeric LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(coalesce(u.reported_cost_usd, u.charged_usd, bcce.estimate_token_cost(u.model_id, u.at, u.input_tokens, u.output_tokens, u.cache_read_tokens,
        u.cache_write_5m_tokens, u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier, u.tenant_id))), 0)
    FROM bcce_data.model_usage u LEFT JOIN bcce_data.principals p ON p.tenant_id = u.tenant_id AND p.user_key = u.user_key
    LEFT JOIN bcce_data.workflow_runs r ON r.tenant_id = u.tenant_id AND r.run_id = u.run_id
    WHERE u.tenant_id = b.tenant_id AND NOT u.is_test AND u.at >= since AND u.at < bcce.report_now()
      AND (b.team_id IS NULL OR b.team_id = coalesce(u.team_id, p.team_id)) AND (b.user_key IS NULL OR b.user_key = u.user_key)
      AND (b.project IS NULL OR b.project = u.project) AND (b.model_id IS NULL OR b.model_id = u.model_id) AND (b.workflow_id IS NULL OR b.workflow_id = r.workflow_id) $$;
-- By budget: cells that were used, or what is wrong.
CREATE FUNCTION pg_temp.used() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT string_agg(concat(s.budget, ' ', div(w.wrong, 1e6), 'd', div(w.wrong % 1e6, 1000), 'h', ' and ' || nullif(trim_scale(w.wrong % 1000), 0)), ', ' ORDER BY s.budget COLLATE "C")
    FROM bcce.budget_status s JOIN bcce_data.budgets b USING (tenant_id, budget)
    CROSS JOIN LATERAL (SELECT s.spent_usd - pg_temp.truth(b, s.period_start_at) AS wrong) w WHERE s.is_open AND s.tenant_name = 'A' $$;
CREATE FUNCTION pg_temp.refresh() RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM bcce_data.refresh_budget_hours();
    UPDATE bcce_data.budget_hours SET usd = usd % 1000 + 1000;
    UPDATE bcce_data.budget_days SET usd = usd % 1000 + 1000000;
    RETURN pg_temp.used();
END $$;
SELECT pg_temp.used() AS never;
-- The hour that Kathmandu's March begins in is cut, the hour now goes on, runs may come after their calls.
SELECT pg_temp.refresh() AS refreshed;
-- budget_check() says the same, also of what is made of calls alone.
SELECT c.budget, c.spent_usd = s.spent_usd AS same, c.unpriced_share_percent = s.unpriced_share_percent AS same_share
FROM bcce_data.budgets b JOIN bcce.budget_status s USING (tenant_id, budget)
CROSS JOIN LATERAL bcce.budget_check(b.team_id, b.user_key, b.project, b.model_id, b.workflow_id, b.tenant_id::text) c
WHERE s.is_open AND c.budget = s.budget ORDER BY 1;

\echo == every way in leaves a mark
SAVEPOINT s;
INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, charged_usd) VALUES (:'a', 'x', '2026-03-02 10:30+00', 'm', 0.5);
SELECT pg_temp.used() AS inserted;
ROLLBACK TO s;
SELECT pg_temp.used() AS rolled_back, count(*) AS marks FROM bcce_data.model_usage_marks;
-- What a savepoint took back is marked again by who comes after it, in the same transaction.
INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, charged_usd) VALUES (:'a', 'x', '2026-03-02 10:30+00', 'm', 0.5);
SELECT pg_temp.used() AS inserted, count(*) AS marks FROM bcce_data.model_usage_marks;
-- Once is enough.
INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, charged_usd) VALUES (:'a', 'y', '2026-03-02 10:31+00', 'm', 0.5);
SELECT count(*) AS marks FROM bcce_data.model_usage_marks;
-- And after a refresh that took it.
SELECT pg_temp.refresh() AS refreshed;
SELECT count(*) AS marks FROM bcce_data.model_usage_marks;
INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, charged_usd) VALUES (:'a', 'z', '2026-03-02 10:31+00', 'm', 0.5);
SELECT pg_temp.used() AS inserted, count(*) AS marks FROM bcce_data.model_usage_marks;
-- And after all were emptied out, when everything is built again.
TRUNCATE bcce_data.model_usage_marks;
SELECT pg_temp.refresh() AS refreshed;
INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, charged_usd) VALUES (:'a', 'zz', '2026-03-02 10:31+00', 'm', 0.5);
SELECT pg_temp.used() AS inserted, count(*) AS marks FROM bcce_data.model_usage_marks;
ROLLBACK TO s;
UPDATE bcce_data.model_usage SET at = '2026-03-09 05:30+00' WHERE idempotency_key = '3';
SELECT pg_temp.used() AS moved;
ROLLBACK TO s;
UPDATE bcce_data.model_usage SET at = '2026-01-09 05:30+00' WHERE idempotency_key = '3';
SELECT pg_temp.used() AS moved_to_another_month;
ROLLBACK TO s;
UPDATE bcce_data.model_usage SET is_test = true WHERE idempotency_key = '4';
SELECT pg_temp.used() AS now_a_test;
ROLLBACK TO s;
UPDATE bcce_data.model_usage SET tenant_id = :'b' WHERE idempotency_key = '4';
SELECT pg_temp.used() AS now_anothers;
ROLLBACK TO s;
DELETE FROM bcce_data.model_usage WHERE idempotency_key = '4';
SELECT pg_temp.used() AS deleted;
ROLLBACK TO s;
SELECT bcce.record_model_usage('m', '2026-03-02 10:30+00', reported_cost_usd => 3, tenant => 'bh-a');
SELECT pg_temp.used() AS recorded;
ROLLBACK TO s;
INSERT INTO bcce.inbox_model_usage (tenant, model_id, at, reported_cost_usd) VALUES ('bh-a', 'm', '2026-03-02T10:30:00Z', '3');
SELECT pg_temp.used() AS through_the_inbox;
ROLLBACK TO s;
SET LOCAL session_replication_role = replica;
INSERT INTO bcce_data.model_usage_default (tenant_id, idempotency_key, at, model_id, charged_usd) VALUES (:'a', 'x', '2026-03-02 10:30+00', 'm', 0.5);
SELECT pg_temp.used() AS replicated_into_the_partition;
ROLLBACK TO s;

\echo == people, runs, prices
UPDATE bcce_data.principals SET team_id = 'core' WHERE tenant_id = :'a' AND team_id IS NULL;
SELECT pg_temp.used() AS a_team_changed;
SELECT pg_temp.refresh() AS refreshed;
ROLLBACK TO s;
DELETE FROM bcce_data.principals WHERE tenant_id = :'a' AND team_id = 'core';
SELECT pg_temp.used() AS a_person_gone;
ROLLBACK TO s;
UPDATE bcce_data.model_usage SET run_id = 'r1' WHERE idempotency_key = '4';
INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, workflow_id, status, started_at, finished_at) VALUES (:'a', 'r1', 'deploy', 'succeeded', '2026-02-01', '2026-02-02');
INSERT INTO bcce_data.workflow_run_keys (tenant_id, run_id, started_at) VALUES (:'a', 'r1', '2026-02-01');
SELECT pg_temp.used() AS a_run_came_later, (SELECT spent_usd FROM bcce.budget_status WHERE budget = 'deploy' AND is_open) AS deploy;
ROLLBACK TO s;
SELECT bcce.set_model_price('nobody', 'input', 1, '2026-01-01', tenant => 'bh-a') \g /dev/null
SELECT pg_temp.used() AS a_price_came_later, (SELECT unpriced_calls FROM bcce.budget_status WHERE budget = 'all' AND is_open) AS unpriced;
ROLLBACK TO s;

\echo == budgets
SELECT bcce.set_budget('all', 50, 'quarter', timezone => 'America/New_York', mode => 'block', tenant => 'bh-a') \g /dev/null
SELECT pg_temp.used() AS another_period_of_the_same_calls;
ROLLBACK TO s;
SELECT bcce.set_budget('all', 50, valid_from => '2026-03-02 10:30+00', tenant => 'bh-a') \g /dev/null
SELECT pg_temp.used() AS from_within_an_hour;
ROLLBACK TO s;
SELECT bcce.set_budget('all', 50, model => 'm', tenant => 'bh-a') \g /dev/null
SELECT pg_temp.used() AS other_calls;
SELECT pg_temp.refresh() AS refreshed;
ROLLBACK TO s;
SET LOCAL session_replication_role = replica;
UPDATE bcce_data.budgets SET project = 'shop' WHERE budget = 'ada';
SELECT pg_temp.used() AS other_calls_by_replication;
ROLLBACK TO s;
SELECT bcce.set_budget(b, NULL, tenant => 'bh-a') FROM unnest('{all,ada,core,deploy}'::text[]) b \g /dev/null
SELECT bcce_data.refresh_budget_hours() \g /dev/null
SELECT count(*) AS scopes_without_a_budget, (SELECT count(*) FROM bcce_data.budget_hours) AS cells FROM bcce_data.budget_scopes;
ROLLBACK TO s;

\echo == partitions
SELECT bcce_data.make_partition('bcce_data.model_usage', '2026-03-01') AS moved;
SELECT pg_temp.used() AS partition_made, count(*) FILTER (WHERE s.partitions = l.partitions) AS scopes_kept
FROM bcce_data.budget_scopes s, bcce_data.partition_list('bcce_data.model_usage') l;
SELECT pg_temp.refresh() AS refreshed;
SAVEPOINT made;
ALTER TABLE bcce_data.model_usage DETACH PARTITION bcce_data.model_usage_2026_03;
SELECT pg_temp.used() AS detached;
ALTER TABLE bcce_data.model_usage ATTACH PARTITION bcce_data.model_usage_2026_03 FOR VALUES FROM ('2026-03-01') TO ('2026-04-01');
SELECT pg_temp.used() AS attached_again;
ROLLBACK TO made;
CREATE SCHEMA archive;
ALTER TABLE bcce_data.model_usage_2026_03 SET SCHEMA archive;
DELETE FROM bcce_data.model_usage WHERE idempotency_key = '4';
SELECT pg_temp.used() AS partition_elsewhere;
ROLLBACK TO made;
TRUNCATE bcce_data.model_usage_2026_03;
SELECT pg_temp.used() AS partition_emptied;
ROLLBACK TO made;
DROP TABLE bcce_data.model_usage_2026_03;
SELECT pg_temp.used() AS partition_dropped;
ROLLBACK TO s;
TRUNCATE bcce_data.budget_hours;
SELECT pg_temp.used() AS cells_emptied;
ROLLBACK TO s;

\echo == repair: what was built without the trigger is thrown away
DROP TRIGGER write_mark ON bcce_data.model_usage;
SELECT count(*) > 0 AS installed FROM bcce.install();
SELECT pg_temp.used() AS repaired;
ROLLBACK TO s;

\echo == forecasts and the moment of exhaustion: the same from calls, from cells and with hours changed since
INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, user_key, charged_usd)
SELECT :'a', 'd' || g, g, 'm', 'ada@example.org', 0.00001 * row_number() OVER () FROM generate_series('2025-10-01 00:07+00'::timestamptz, '2026-03-20 12:00+00', '17 hours') AS g;
SELECT bcce.set_budget('all', 0.4, 'quarter', tenant => 'bh-a'), bcce.set_budget('ada', 0.1, 'quarter', timezone => 'America/New_York', user_key => 'ada@example.org', tenant => 'bh-a'),
       bcce.set_budget('utc', 1000, timezone => 'UTC', tenant => 'bh-a') \g /dev/null
CREATE FUNCTION pg_temp.answers() RETURNS TABLE (budget text, said text) LANGUAGE sql STABLE AS $$
    SELECT s.budget, s::text FROM bcce.budget_status s WHERE s.tenant_name = 'A' AND (s.is_open OR s.exhausts_at IS NOT NULL) $$;
DELETE FROM bcce_data.budget_scopes;
CREATE TEMP TABLE answer AS SELECT 'calls' AS way, * FROM pg_temp.answers();
SELECT bcce_data.refresh_budget_hours() FROM generate_series(1, 3) \g /dev/null
INSERT INTO answer SELECT 'cells', * FROM pg_temp.answers();
UPDATE bcce_data.budget_hours SET usd = usd + 1;
UPDATE bcce_data.budget_days SET usd = usd + 1;
INSERT INTO answer SELECT 'wrong', * FROM pg_temp.answers();
INSERT INTO bcce_data.model_usage_marks SELECT :'a', h FROM generate_series('2025-09-30 00:00+00'::timestamptz, '2026-03-20 12:00+00', '1 hour') AS h;
INSERT INTO answer SELECT 'marked', * FROM pg_temp.answers();
-- 3000 of the hours.
SELECT bcce_data.refresh_budget_hours() \g /dev/null
INSERT INTO answer SELECT 'some marked', * FROM pg_temp.answers();
SELECT bcce_data.refresh_budget_hours() \g /dev/null
DELETE FROM bcce_data.budget_hours h WHERE h.hour_at < '2025-11-10 05:00+00' OR h.hour_at >= '2026-02-10 07:00+00';
UPDATE bcce_data.budget_scopes SET built_from = '2025-11-10 05:00+00', built_until = '2026-02-10 07:00+00';
INSERT INTO answer SELECT 'some built', * FROM pg_temp.answers();
SELECT w.way, count(*) AS periods, count(*) FILTER (WHERE w.said = c.said) AS same, count(DISTINCT w.budget) FILTER (WHERE w.said <> c.said) AS budgets_that_differ
FROM answer w JOIN (SELECT budget, said, split_part(said, ',', 4) AS start_at FROM answer WHERE way = 'calls') c ON c.budget = w.budget AND c.start_at = split_part(w.said, ',', 4)
GROUP BY 1 ORDER BY 1;
SELECT s.budget, s.spent_usd, s.exhausts_at, s.forecast_usd, s.forecast_method FROM bcce.budget_status s WHERE s.tenant_name = 'A' AND s.is_open AND s.budget IN ('all', 'ada', 'utc') ORDER BY 1;
ROLLBACK TO s;

\echo == misuse
\set VERBOSITY sqlstate
CREATE TEMP TABLE fact (tenant_id uuid, at timestamptz);
CREATE TRIGGER t AFTER INSERT ON fact FOR EACH ROW EXECUTE FUNCTION bcce.mark_hour('marks', 'at');
SAVEPOINT m;
INSERT INTO fact VALUES (:'a', now());
ROLLBACK TO m;
DROP TRIGGER t ON fact;
CREATE TRIGGER t BEFORE INSERT ON fact FOR EACH ROW EXECUTE FUNCTION bcce.mark_hour('marks', 'at');
SAVEPOINT m;
INSERT INTO fact VALUES (:'a', now());
ROLLBACK TO m;
CREATE TEMP TABLE marks (tenant_id uuid, hour_at timestamptz);
INSERT INTO fact VALUES (:'a', '1969-12-31 23:59:59.999999+00'), (:'a', '1970-01-01 00:00+00'), (NULL, now()), (:'a', NULL), (:'a', 'infinity'), (:'a', '4713-01-01 00:00+00 BC');
SELECT hour_at FROM marks ORDER BY 1;
CREATE TRIGGER t2 BEFORE INSERT ON fact FOR EACH ROW EXECUTE FUNCTION bcce.mark_hour('marks', 'when');
SAVEPOINT m;
INSERT INTO fact VALUES (:'a', now());
ROLLBACK TO m;
CREATE TRIGGER t BEFORE INSERT ON marks FOR EACH ROW EXECUTE FUNCTION bcce.forget_marks();
INSERT INTO marks VALUES (:'a', now());
ROLLBACK;
\set VERBOSITY default

-- Only where each statement sees what was committed before it.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT bcce.create_tenant('bh-c', 'C') AS c \gset
SELECT bcce.set_budget('all', 50, tenant => 'bh-c') \g /dev/null
SELECT bcce_data.refresh_budget_hours() \g /dev/null
SELECT count(*) AS scopes FROM bcce_data.budget_scopes WHERE tenant_id = :'c';
ROLLBACK;
