-- Proves that a day which costs far more than its weekday is shown with the
-- numbers that one gets by hand, and why: more calls, other calls, or a price
-- change, which is never called use; that the effects add up to the change; and
-- that a slow and simple way to look for such days finds the same ones.
SET client_min_messages = warning;
CREATE DATABASE regress_cost_anomalies;
\set home :DBNAME
\c regress_cost_anomalies
SET client_min_messages = warning;
SET TimeZone = 'America/New_York';
SET bcce.test_now = '2015-06-20 12:00:00+00';
CREATE EXTENSION bcce;
\o /dev/null
SELECT bcce.create_tenant('one', 'One', timezone => 'Europe/Berlin'), bcce.create_tenant('two', 'Two'), bcce.create_login('regress_anomalies_one', 'one', 'cost'), bcce.create_login('regress_anomalies_admin', 'one', 'admin');
-- A call of a million tokens of acme-a costs 10 dollars in and 20 out, of acme-b ten times as much.
SELECT bcce.set_model_price('acme-' || m, c, p, NULL)
FROM (VALUES ('a', 'input', 0.00001), ('a', 'output', 0.00002), ('b', 'input', 0.0001), ('b', 'output', 0.0002)) AS p (m, c, p);
\o
SELECT tenant_id AS one FROM bcce_data.tenants WHERE slug = 'one' \gset
SELECT tenant_id AS two FROM bcce_data.tenants WHERE slug = 'two' \gset
\pset null -
-- Calls at noon in Berlin.
CREATE FUNCTION pg_temp.call(day date, n integer, model text DEFAULT 'acme-a', input bigint DEFAULT 1000000, output bigint DEFAULT 0, person text DEFAULT NULL,
    project text DEFAULT NULL, reported numeric DEFAULT NULL, tenant text DEFAULT 'one', local_time time DEFAULT '12:00', run text DEFAULT NULL, team text DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
    INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, user_key, project, team_id, run_id, input_tokens, output_tokens, reported_cost_usd)
    SELECT tenant_id, bcce.uuid_v7(), (day + local_time) AT TIME ZONE 'Europe/Berlin', model, person, project, team, run, input, output, reported
    FROM bcce_data.tenants, generate_series(1, n) WHERE slug = tenant
$$;
-- So many calls on each of the Mondays before 15 June, the last one first.
CREATE FUNCTION pg_temp.mondays(variadic n integer[]) RETURNS void LANGUAGE sql AS $$
    SELECT pg_temp.call('2015-06-15'::date - 7 * week::integer, calls) FROM unnest(n) WITH ORDINALITY AS w (calls, week)
$$;
CREATE FUNCTION pg_temp.rows(day date DEFAULT '2015-06-15') RETURNS TABLE (scope text, usd numeric, expected numeric, deviations numeric, weekdays bigint, like_day text, main_cause text, volume numeric, price numeric, mix numeric) LANGUAGE sql AS $$
    SELECT concat_ws(' ', scope_kind, regexp_replace(scope_value, '^user_[a-z2-7]{26}$', 'pseudonym')), trim_scale(cost_usd), trim_scale(expected_cost_usd), round(deviation_score::numeric, 3), weekday_count, concat_ws(' and ', to_char(baseline_date, 'MM-DD'), to_char(other_baseline_date, 'MM-DD')),
           main_cause, trim_scale(volume_effect_usd), trim_scale(price_effect_usd), trim_scale(mix_effect_usd)
    FROM bcce.cost_anomalies WHERE usage_date = day ORDER BY scope_kind, scope_value
$$;

\echo == more calls
-- 10, 10, 20, 20, 20, 30, 30, 40 dollars: the median of log(1 + cost) is log 21, the median deviation log 31 - log 21.
SELECT round((exp(ln(21) + 4 * 1.4826 * (ln(31) - ln(21))) - 1)::numeric, 2) AS four_deviations_above;
BEGIN;
SELECT pg_temp.mondays(1, 2, 3, 2, 4, 3, 2, 1), pg_temp.call('2015-06-15', 21) \g /dev/null
SELECT * FROM pg_temp.rows();
SELECT pg_temp.call('2015-06-15', 1) \g /dev/null
SELECT round(((ln(221) - ln(21)) / (1.4826 * (ln(31) - ln(21))))::numeric, 3) AS deviations, 20 * 22 / 2 - 20 AS volume;
SELECT * FROM pg_temp.rows();
SELECT period_start_at, usage_date, is_partial_day, change_usd, main_model_id, main_model_percent, main_user_key ~ '^user_[a-z2-7]{26}$' AS user_is_pseudonym, main_user_percent, main_token_class, main_token_class_percent, call_count, unpriced_calls, is_lower_bound, currency FROM bcce.cost_anomalies WHERE scope_kind = 'tenant';
ROLLBACK;

\echo == who always pays the same, and pays double; a cent below one and a half times; no more than the floor
BEGIN;
SELECT pg_temp.mondays(5, 5, 5), pg_temp.call('2015-06-15', 10, person => 'u1') \g /dev/null
SELECT * FROM pg_temp.rows();
ROLLBACK;
BEGIN;
SELECT pg_temp.mondays(5, 5, 5, 5), pg_temp.call('2015-06-15', 1, input => 7500000) \g /dev/null
SELECT count(*) AS none FROM pg_temp.rows();
SELECT pg_temp.call('2015-06-15', 1, input => 1) \g /dev/null
SELECT scope, usd FROM pg_temp.rows();
ROLLBACK;
BEGIN;
SELECT pg_temp.call('2015-06-15'::date - 7 * week, 1, input => 100) FROM generate_series(1, 3) AS week UNION ALL SELECT pg_temp.call('2015-06-15', 1, input => 500000) \g /dev/null
SELECT count(*) AS none FROM pg_temp.rows();
SELECT pg_temp.call('2015-06-15', 1, input => 1) \g /dev/null
SELECT scope, usd, expected FROM pg_temp.rows();
ROLLBACK;

\echo == a price doubles, and nothing else
BEGIN;
SELECT pg_temp.mondays(5, 5, 5, 5, 5), pg_temp.call('2015-06-15', 5), bcce.set_model_price('acme-a', 'input', 0.00002, '2015-06-10 00:00+00') \g /dev/null
SELECT * FROM pg_temp.rows();
SELECT scope_kind, main_model_id, main_model_percent, main_user_key ~ '^user_[a-z2-7]{26}$' AS user_is_pseudonym, main_user_percent, main_token_class, main_token_class_percent FROM bcce.cost_anomalies ORDER BY 1;
-- Charged when it was recorded: by what was known then.
UPDATE bcce_data.model_usage SET charged_usd = bcce.estimate_token_cost(model_id, at, input_tokens, output_tokens), priced_at = clock_timestamp();
SELECT scope, main_cause, price FROM pg_temp.rows();
-- More calls as well: the larger part has the word.
SELECT pg_temp.call('2015-06-15', 1) \g /dev/null
SELECT scope, usd, main_cause, volume, price, mix FROM pg_temp.rows() WHERE scope = 'tenant';
SELECT pg_temp.call('2015-06-15', 5) \g /dev/null
SELECT scope, usd, main_cause, volume, price, mix FROM pg_temp.rows() WHERE scope = 'tenant';
ROLLBACK;
-- Nor is it use where the price is put right for the time past, too: what was charged stays.
BEGIN;
SELECT pg_temp.mondays(5, 5, 5, 5) \g /dev/null
UPDATE bcce_data.model_usage SET charged_usd = bcce.estimate_token_cost(model_id, at, input_tokens, output_tokens), priced_at = now() - interval '1 microsecond';
SELECT bcce.set_model_price('acme-a', 'input', 0.00002, NULL), pg_temp.call('2015-06-15', 5) \g /dev/null
SELECT * FROM pg_temp.rows() WHERE scope = 'tenant';
UPDATE bcce_data.model_usage SET charged_usd = bcce.estimate_token_cost(model_id, at, input_tokens, output_tokens), priced_at = clock_timestamp() WHERE charged_usd IS NULL;
SELECT scope, usd, main_cause, volume, price, mix FROM pg_temp.rows() WHERE scope = 'tenant';
ROLLBACK;
-- Between two days in the middle, of which one had the old price: half of it.
BEGIN;
SELECT pg_temp.mondays(3, 4, 10, 10), pg_temp.call('2015-06-15', 50), bcce.set_model_price('acme-a', 'input', 0.00002, '2015-06-03 00:00+00') \g /dev/null
SELECT bcce.set_anomaly_limit('min_deviations', 1, 'one') \g /dev/null
SELECT * FROM pg_temp.rows() WHERE scope = 'tenant';
SELECT (60 + 100) / 2 AS expected, round(80 * 50 / ((3 + 10) / 2.0) - 80, 10) AS volume, (0 + 50 * 10) / 2 AS price;
ROLLBACK;
-- No price then: that is no price change.
BEGIN;
SELECT bcce.set_model_price('acme-new', 'input', 0.0001, '2015-06-10 00:00+00'), pg_temp.mondays(5, 5, 5), pg_temp.call('2015-06-15', 5, 'acme-new') \g /dev/null
SELECT scope, main_cause, volume, price, mix FROM pg_temp.rows() WHERE scope = 'tenant';
ROLLBACK;

\echo == as many calls, of another model, with more tokens, out instead of in: mix
BEGIN;
SELECT pg_temp.mondays(5, 5, 5), pg_temp.call('2015-06-15', 3), pg_temp.call('2015-06-15', 2, 'acme-b', person => 'u1') \g /dev/null
SELECT * FROM pg_temp.rows() WHERE scope = 'tenant';
SELECT main_model_id, main_model_percent, main_user_key ~ '^user_[a-z2-7]{26}$' AS user_is_pseudonym, main_user_percent FROM bcce.cost_anomalies WHERE scope_kind = 'tenant';
ROLLBACK;
BEGIN;
SELECT pg_temp.mondays(5, 5, 5), pg_temp.call('2015-06-15', 5, output => 1000000) \g /dev/null
SELECT scope, usd, main_cause, volume, price, mix FROM pg_temp.rows() WHERE scope = 'tenant';
SELECT main_token_class, main_token_class_percent FROM bcce.cost_anomalies WHERE scope_kind = 'tenant';
ROLLBACK;
-- What senders report cannot be split, and is not called larger calls.
BEGIN;
SELECT pg_temp.call('2015-06-15'::date - 7 * week, 5, reported => 2) FROM generate_series(1, 3) AS week UNION ALL SELECT pg_temp.call('2015-06-15', 5, reported => 4) \g /dev/null
SELECT scope, usd, main_cause, volume, price, mix FROM pg_temp.rows() WHERE scope = 'tenant';
SELECT main_token_class FROM bcce.cost_anomalies WHERE scope_kind = 'tenant';
ROLLBACK;

\echo == under three of the weekday there is no measure, unless the tenant says so
BEGIN;
SELECT pg_temp.mondays(5, 5), pg_temp.call('2015-06-15', 50) \g /dev/null
SELECT count(*) AS none FROM pg_temp.rows();
SELECT bcce.set_anomaly_limit('min_weekdays', 2, 'one') \g /dev/null
SELECT scope, weekdays FROM pg_temp.rows();
ROLLBACK;

\echo == days without calls cost nothing, from the first day on
BEGIN;
-- Every Tuesday for five weeks, and now on a Monday; the user since one week.
SELECT pg_temp.call('2015-05-12'::date + 7 * week, 3) FROM generate_series(0, 4) AS week UNION ALL SELECT pg_temp.call('2015-06-15', 1, person => 'u1') UNION ALL SELECT pg_temp.call('2015-06-08', 1, input => 0, person => 'u1') \g /dev/null
SELECT * FROM pg_temp.rows();
ROLLBACK;
-- Who calls on three Mondays of eight is no anomaly on the fourth, nor with ten times as much, but with 25 times.
BEGIN;
SELECT pg_temp.call('2015-04-19', 1), pg_temp.mondays(0, 2, 0, 0, 2, 0, 2, 0), pg_temp.call('2015-06-15', 20) \g /dev/null
SELECT count(*) AS none FROM pg_temp.rows();
SELECT pg_temp.call('2015-06-15', 30) \g /dev/null
SELECT round((ln(501) / (1.253314 * 3 * ln(21) / 8))::numeric, 3) AS deviations;
SELECT scope, usd, expected, deviations, main_cause, volume FROM pg_temp.rows();
ROLLBACK;
-- Silent for half a year: the tenant is an old one, its model begins anew.
BEGIN;
SELECT pg_temp.call('2014-11-15', 1), pg_temp.call('2015-06-15', 5) \g /dev/null
SELECT * FROM pg_temp.rows();
ROLLBACK;

\echo == a day that is not over, and one that has just begun by the clock of the tenant
BEGIN;
SELECT pg_temp.call('2015-06-20'::date - 7 * week, 2) FROM generate_series(1, 4) AS week UNION ALL SELECT pg_temp.call('2015-06-20', 4, local_time => '13:59') UNION ALL SELECT pg_temp.call('2015-06-20', 40, local_time => '14:00') \g /dev/null
SELECT scope_kind, usage_date, is_partial_day, trim_scale(cost_usd) AS usd FROM bcce.cost_anomalies ORDER BY 1;
SELECT scope_kind, usage_date, is_partial_day, trim_scale(cost_usd) AS usd FROM bcce.cost_anomalies(NULL, '2015-06-20 11:59:30+00') ORDER BY 1;
SELECT count(*) AS none FROM bcce.cost_anomalies(NULL, '2015-06-20 11:59+00');
-- Half a day cheaper than usual is nothing.
SELECT count(*) AS none FROM bcce.cost_anomalies(NULL, '2015-06-13 11:00+00');
ROLLBACK;

\echo == the clock is put forward: 29 March has 23 hours
BEGIN;
-- Calls at both ends of each day; the price doubles as the day begins that 5 April is compared with, an hour farther back.
SELECT pg_temp.call(d, n, local_time => t) FROM (VALUES ('2015-03-08'::date, 1), ('2015-03-15', 1), ('2015-03-22', 1), ('2015-03-29', 3), ('2015-04-05', 20)) AS w (d, n), unnest('{00:00,23:59:59}'::time[]) AS t \g /dev/null
SELECT bcce.set_model_price('acme-a', 'input', 0.00002, '2015-03-15 00:00+01'), bcce.set_anomaly_limit('min_deviations', 1, 'one') \g /dev/null
SELECT * FROM pg_temp.rows('2015-04-05') WHERE scope = 'tenant';
SELECT * FROM pg_temp.rows('2015-03-29') WHERE scope = 'tenant';
SELECT period_start_at AT TIME ZONE 'UTC' AS utc FROM bcce.cost_anomalies WHERE scope_kind = 'tenant' AND usage_date = '2015-03-29';
ROLLBACK;

\echo == unknown cost is no cost of 0
BEGIN;
SELECT pg_temp.mondays(5, 5), pg_temp.call('2015-06-15', 10), pg_temp.call('2015-06-15', 2, 'nobody') \g /dev/null
SELECT pg_temp.call('2015-06-15'::date - 7 * week, 5, 'nobody') FROM generate_series(3, 6) AS week \g /dev/null
-- Four Mondays of which nothing is known are no measure.
SELECT count(*) AS none FROM pg_temp.rows();
SELECT pg_temp.call('2015-05-25', 5) \g /dev/null
SELECT scope_kind, trim_scale(cost_usd) AS usd, trim_scale(expected_cost_usd) AS expected, weekday_count, call_count, unpriced_calls, is_lower_bound, trim_scale(volume_effect_usd) AS volume FROM bcce.cost_anomalies ORDER BY 1;
ROLLBACK;

\echo == every scope by its own measure: a user, the team that a call names or else that of the user, a project, the workflow of a run
BEGIN;
INSERT INTO bcce_data.teams (tenant_id, team_id, team_name) SELECT :'one', t, t FROM unnest('{blue,red}'::text[]) AS t;
INSERT INTO bcce_data.principals (tenant_id, user_key, team_id) VALUES (:'one', 'u1', 'blue'), (:'one', 'u2', 'red');
INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, started_at, workflow_id, status)
SELECT :'one', 'r' || week, '2015-06-15 08:00+00'::timestamptz - week * interval '168 hours', 'deploy', 'running' FROM generate_series(0, 4) AS week;
INSERT INTO bcce_data.workflow_run_keys (tenant_id, run_id, started_at) SELECT tenant_id, run_id, started_at FROM bcce_data.workflow_runs;
SELECT pg_temp.call(d, 1, person => 'u1', project => 'site', run => r), pg_temp.call(d, 50, 'acme-b', person => 'u2', project => 'shop')
FROM (SELECT '2015-06-15'::date - 7 * week, 'r' || week FROM generate_series(1, 4) AS week) AS w (d, r)
UNION ALL SELECT pg_temp.call('2015-06-15', 3, person => 'u1', project => 'site', run => 'r0'), pg_temp.call('2015-06-15', 50, 'acme-b', person => 'u2', project => 'shop', team => 'green') \g /dev/null
SELECT * FROM pg_temp.rows();
ROLLBACK;

\echo == limits of a tenant
BEGIN;
SELECT pg_temp.mondays(5, 5, 5), pg_temp.call('2015-06-15', 10), pg_temp.call('2015-06-15'::date - 7 * week, 5, tenant => 'two') FROM generate_series(1, 3) AS week \g /dev/null
SELECT pg_temp.call('2015-06-15', 10, tenant => 'two') \g /dev/null
SET ROLE regress_anomalies_admin;
SELECT count(*) FROM bcce.cost_anomalies;
SELECT bcce.set_anomaly_limit('floor_usd', 100) \g /dev/null
SELECT count(*) AS above_100 FROM bcce.cost_anomalies;
SELECT bcce.set_anomaly_limit('floor_usd', 99.99), bcce.set_anomaly_limit('min_ratio', 2) \g /dev/null
SELECT count(*) AS above_2_times FROM bcce.cost_anomalies;
SELECT bcce.set_anomaly_limit('min_ratio', NULL), bcce.set_anomaly_limit('min_deviations', 1000) \g /dev/null
SELECT count(*) AS as_before FROM bcce.cost_anomalies;
RESET ROLE;
SELECT tenant_name, count(*) FROM bcce.cost_anomalies GROUP BY 1 ORDER BY 1;
SELECT slug, limit_name, value FROM bcce_data.anomaly_limits JOIN bcce_data.tenants USING (tenant_id) ORDER BY 1, 2;
ROLLBACK;
\set VERBOSITY terse
SELECT bcce.set_anomaly_limit('none', 1, 'one');
SELECT bcce.set_anomaly_limit(NULL, 1, 'one');
SELECT bcce.set_anomaly_limit('floor_usd', -1, 'one');
SELECT bcce.set_anomaly_limit('floor_usd', 'NaN', 'one');
SELECT bcce.set_anomaly_limit('min_ratio', 0.9, 'one');
SELECT bcce.set_anomaly_limit('min_weekdays', 2.5, 'one');
SELECT bcce.set_anomaly_limit('floor_usd', 1, 'three');
SET ROLE regress_anomalies_one;
SELECT bcce.set_anomaly_limit('floor_usd', 1);
RESET ROLE;
\set VERBOSITY default

\echo == anything: the same days as the simple way finds, and no rest
-- Two tenants, five months, users of all habits, prices that change, costs that are reported, charged, unknown.
SELECT bcce.set_model_price('acme-a', 'input', 0.00001 + n * 0.000007, '2015-03-01 00:00+00'::timestamptz + n * interval '700 hours') IS NULL FROM generate_series(1, 4) AS n;
INSERT INTO bcce_data.teams (tenant_id, team_id, team_name) SELECT tenant_id, t, t FROM bcce_data.tenants, unnest('{team0,team1}'::text[]) AS t;
INSERT INTO bcce_data.principals (tenant_id, user_key, team_id) SELECT tenant_id, 'u' || n, 'team' || n % 2 FROM bcce_data.tenants, generate_series(1, 3) AS n;
INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, started_at, workflow_id, status)
SELECT tenant_id, 'r' || n, '2015-01-31 00:00+00'::timestamptz + n * interval '14 hours', 'wf' || n % 3, 'running' FROM bcce_data.tenants, generate_series(1, 200) AS n;
INSERT INTO bcce_data.workflow_run_keys (tenant_id, run_id, started_at) SELECT tenant_id, run_id, started_at FROM bcce_data.workflow_runs;
INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, user_key, project, team_id, run_id, input_tokens, output_tokens, reported_cost_usd, is_test)
SELECT tenant_id, i, at, (ARRAY['acme-a', 'acme-a', 'acme-b', 'nobody'])[1 + x % 4], nullif('u' || x / 4 % 6, 'u0'), nullif('p' || x / 24 % 4, 'p0'), CASE WHEN x / 96 % 5 = 0 THEN 'team9' END,
       CASE WHEN x / 480 % 2 = 0 THEN 'r' || 1 + extract(epoch FROM at - '2015-02-01')::integer / 50400 END, amount, amount / 3, CASE WHEN x % 13 = 0 THEN amount / 100000.0 END, x % 41 = 0
FROM bcce_data.tenants, generate_series(1, 4000) AS i
CROSS JOIN LATERAL (SELECT ('x' || substr(md5(slug || i), 1, 7))::bit(28)::integer AS x, ('x' || substr(md5(i || slug), 1, 7))::bit(28)::integer AS y) AS draw
CROSS JOIN LATERAL (SELECT '2015-02-01 00:00+00'::timestamptz + (x % 11975040) * interval '1 second' AS at, (20000 + y % 100000) * CASE WHEN y % 61 = 0 THEN 60 WHEN x % 11975040 BETWEEN 8640000 AND 8726400 THEN 25 ELSE 1 END::bigint AS amount) AS what
ORDER BY i;
UPDATE bcce_data.model_usage SET charged_usd = bcce.estimate_token_cost(model_id, at, input_tokens, output_tokens), priced_at = clock_timestamp() WHERE length(idempotency_key) % 2 = 0 AND reported_cost_usd IS NULL;
SELECT bcce.set_anomaly_limit(limit_name, value, 'two') IS NULL FROM (VALUES ('min_deviations', 2.5), ('floor_usd', 1), ('min_ratio', 1.2), ('min_weekdays', 4)) AS l (limit_name, value);
-- One look at all calls of a day and scope, for each day.
CREATE TEMP TABLE day AS
WITH call AS (
    SELECT u.tenant_id, (u.at AT TIME ZONE t.timezone)::date AS day, s.kind, s.value, u.at,
        coalesce(u.reported_cost_usd, u.charged_usd, bcce.estimate_token_cost(u.model_id, u.at, u.input_tokens, u.output_tokens)) AS usd
    FROM bcce_data.model_usage u JOIN bcce_data.tenants t USING (tenant_id)
    LEFT JOIN bcce_data.principals p USING (tenant_id, user_key) LEFT JOIN bcce_data.workflow_runs r USING (tenant_id, run_id)
    CROSS JOIN LATERAL (VALUES ('tenant', ''), ('user', u.user_key), ('team', coalesce(u.team_id, p.team_id)), ('project', u.project), ('model', u.model_id), ('workflow', r.workflow_id)) AS s (kind, value)
    WHERE NOT u.is_test AND s.value IS NOT NULL
)
SELECT tenant_id, kind, value, day, sum(usd) AS usd, count(*) AS calls FROM call GROUP BY 1, 2, 3, 4;
CREATE INDEX ON day (tenant_id, kind, value, day);
ANALYZE day, bcce_data.model_usage;
CREATE TEMP TABLE simple AS
WITH judged AS (
    SELECT d.*, b.n, b.middle, b.expected,
        (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(ln(1 + x.usd::float8) - b.middle)) FROM unnest(b.costs) AS x (usd)) AS mad,
        (SELECT avg(abs(ln(1 + x.usd::float8) - b.middle)) FROM unnest(b.costs) AS x (usd)) AS mean
    FROM day d
    CROSS JOIN LATERAL (SELECT min(f.day) AS first_day FROM day f WHERE (f.tenant_id, f.kind, f.value) = (d.tenant_id, d.kind, d.value) AND f.day >= CASE WHEN d.kind = 'tenant' THEN '2000-01-01' ELSE d.day - 56 END AND f.day <= d.day) AS f
    CROSS JOIN LATERAL (
        SELECT count(*) AS n, array_agg(usd) AS costs, percentile_cont(0.5) WITHIN GROUP (ORDER BY ln(1 + usd::float8)) AS middle,
            (percentile_disc(0.5) WITHIN GROUP (ORDER BY usd) - percentile_disc(0.5) WITHIN GROUP (ORDER BY -usd)) / 2 AS expected
        FROM (SELECT CASE WHEN x.day IS NULL THEN 0 ELSE x.usd END AS usd
              FROM generate_series(1, 8) AS week LEFT JOIN day x ON (x.tenant_id, x.kind, x.value, x.day) = (d.tenant_id, d.kind, d.value, d.day - 7 * week)
              WHERE d.day - 7 * week >= f.first_day) AS w
        WHERE usd IS NOT NULL) AS b
)
SELECT tenant_id, kind, nullif(value, '') AS value, day, usd, expected, n, calls
FROM judged JOIN bcce_data.tenants USING (tenant_id)
WHERE n >= CASE slug WHEN 'two' THEN 4 ELSE 3 END AND usd > CASE slug WHEN 'two' THEN 1 ELSE 5 END AND usd > CASE slug WHEN 'two' THEN 1.2 ELSE 1.5 END * expected
  AND CASE WHEN mad > 0 THEN (ln(1 + usd::float8) - middle) / (1.4826 * mad) WHEN expected = 0 AND mean > 0 THEN (ln(1 + usd::float8) - middle) / (1.253314 * mean) ELSE 'infinity' END > CASE slug WHEN 'two' THEN 2.5 ELSE 4 END;
SELECT kind, count(*) > 3 AS some, count(*) FILTER (WHERE a.tenant_id IS NULL) AS only_here FROM simple s
LEFT JOIN bcce.cost_anomalies a ON (a.tenant_id, a.scope_kind, a.usage_date) = (s.tenant_id, s.kind, s.day) AND a.scope_value IS NOT DISTINCT FROM s.value AND (a.cost_usd, a.expected_cost_usd, a.weekday_count, a.call_count) = (s.usd, s.expected, s.n, s.calls)
GROUP BY 1 ORDER BY 1;
SELECT count(*) = (SELECT count(*) FROM simple) AS no_others, count(*) FILTER (WHERE change_usd <> volume_effect_usd + price_effect_usd + mix_effect_usd OR change_usd <> cost_usd - expected_cost_usd) AS with_a_rest,
    count(DISTINCT main_cause) AS causes, count(*) FILTER (WHERE main_cause = 'price change' AND price_effect_usd < greatest(volume_effect_usd, mix_effect_usd)) AS misnamed,
    count(*) FILTER (WHERE main_model_percent IS NULL OR main_user_percent IS NULL OR main_token_class_percent <= 0) AS unexplained,
    count(*) FILTER (WHERE scope_kind = 'model' AND (main_model_id, main_model_percent) <> (scope_value, 100) OR scope_kind = 'user' AND (main_user_key, main_user_percent) <> (scope_value, 100)) AS not_itself
FROM bcce.cost_anomalies;
-- What the day's calls cost more than on the days compared with, each priced anew.
SELECT count(*) > 50 AS many, count(*) FILTER (WHERE a.price_effect_usd <> p.usd) AS wrong, count(*) FILTER (WHERE p.usd <> 0) > 5 AS some
FROM bcce.cost_anomalies a JOIN bcce_data.tenants t USING (tenant_id)
CROSS JOIN LATERAL (
    SELECT coalesce(sum(now.usd - coalesce(earlier.usd, now.usd)), 0) * CASE WHEN a.other_baseline_date IS NULL THEN 1 ELSE 0.5 END AS usd
    FROM bcce_data.model_usage u CROSS JOIN LATERAL (VALUES (a.baseline_date), (a.other_baseline_date)) AS b (day)
    CROSS JOIN LATERAL bcce.estimate_token_cost(u.model_id, u.at, u.input_tokens, u.output_tokens) AS now (usd)
    CROSS JOIN LATERAL bcce.estimate_token_cost(u.model_id, u.at - (a.period_start_at - b.day::timestamp AT TIME ZONE t.timezone), u.input_tokens, u.output_tokens) AS earlier (usd)
    WHERE u.tenant_id = a.tenant_id AND (u.at AT TIME ZONE t.timezone)::date = a.usage_date AND b.day IS NOT NULL AND u.reported_cost_usd IS NULL AND NOT u.is_test
      AND (a.scope_kind = 'tenant' OR a.scope_kind = 'user' AND u.user_key = a.scope_value OR a.scope_kind = 'model' AND u.model_id = a.scope_value OR a.scope_kind = 'project' AND u.project = a.scope_value)
) AS p
WHERE a.scope_kind NOT IN ('team', 'workflow');

\echo == a window shows the days that it touches, as they are without it
CREATE TEMP TABLE all_time AS SELECT * FROM bcce.cost_anomalies;
SELECT count(*) AS windows, sum(n) > 20 AS some, count(*) FILTER (WHERE wrong > 0) AS wrong
FROM (SELECT w.n AS window_number, count(a.tenant_id) AS n, count(*) FILTER (WHERE a IS DISTINCT FROM o) AS wrong
      FROM (SELECT n, '2015-02-01 00:00+00'::timestamptz + n * interval '171 hours' AS since, ('2015-02-20'::date + n * 8)::timestamp AT TIME ZONE z AS until, z FROM generate_series(2, 12, 5) AS n, unnest('{Europe/Berlin,UTC}'::text[]) AS z) AS w
      JOIN bcce_data.tenants t ON t.timezone = w.z
      CROSS JOIN LATERAL (SELECT * FROM bcce.cost_anomalies(w.since, w.until) x WHERE x.tenant_id = t.tenant_id) AS a
      LEFT JOIN all_time o ON o.tenant_id = a.tenant_id AND o.scope_kind = a.scope_kind AND o.scope_value IS NOT DISTINCT FROM a.scope_value AND o.usage_date = a.usage_date
      GROUP BY 1) AS w;
SELECT count(*) FILTER (WHERE a.n <> o.n) AS missing FROM (SELECT n, '2015-02-01 00:00+00'::timestamptz + n * interval '171 hours' AS since, ('2015-02-20'::date + n * 8)::timestamp AT TIME ZONE 'UTC' AS until FROM generate_series(3, 12, 4) AS n) AS w
CROSS JOIN LATERAL (SELECT count(*) AS n FROM bcce.cost_anomalies(w.since, w.until) WHERE tenant_name = 'Two') AS a
CROSS JOIN LATERAL (SELECT count(*) AS n FROM all_time WHERE tenant_name = 'Two' AND period_start_at + interval '24 hours' > w.since AND period_start_at < w.until) AS o;
SELECT count(*) AS none FROM (VALUES ('infinity'::timestamptz, NULL::timestamptz), (NULL, '-infinity'), ('2015-05-02', '2015-02-01'), ('-infinity', '-infinity')) AS w (since, until), LATERAL bcce.cost_anomalies(w.since, w.until);
SELECT count(*) = (SELECT count(*) FROM all_time) AS all FROM (VALUES ('-infinity'::timestamptz, 'infinity'::timestamptz), ('4713-01-01 BC', '294276-12-31')) AS w (since, until), LATERAL bcce.cost_anomalies(w.since, w.until) GROUP BY w;

\echo == as large as a cost can be
BEGIN;
DELETE FROM bcce_data.model_usage;
SELECT pg_temp.mondays(1, 1, 1), pg_temp.call('2015-06-15', 30, reported => 1e15) \g /dev/null
SELECT * FROM pg_temp.rows() WHERE scope = 'tenant';
ROLLBACK;

\echo == a cost analyst reads those of the own tenant
SET ROLE regress_anomalies_one;
SELECT string_agg(DISTINCT tenant_name, ',') FROM (SELECT tenant_name FROM bcce.cost_anomalies UNION ALL SELECT tenant_name FROM bcce.cost_anomalies('2015-03-01', NULL)) x;
RESET ROLE;
\c :home
SET client_min_messages = warning;
DROP DATABASE regress_cost_anomalies;
DROP ROLE regress_anomalies_one, regress_anomalies_admin;
