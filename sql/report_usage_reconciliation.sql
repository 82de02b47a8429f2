-- Proves that what the counters of clients say is read right, delta and
-- cumulative, over resets and the ends of days, and stands beside the tokens of
-- the calls that they can have counted; that what one side does not say is NULL;
-- and that clients' estimates are compared with ours of the same calls.
SET client_min_messages = warning;
CREATE DATABASE regress_reconciliation;
\set home :DBNAME
\c regress_reconciliation
SET client_min_messages = warning;
SET TimeZone = 'America/New_York';
SET bcce.test_now = '2015-06-30 12:00:00+00';
CREATE EXTENSION bcce;
\o /dev/null
SELECT bcce.create_tenant('one', 'One', timezone => 'Europe/Berlin'), bcce.create_tenant('two', 'Two'), bcce.create_tenant('none', 'None'), bcce.create_login('regress_reconciliation_one', 'one'), bcce.create_login('regress_reconciliation_cost', 'one', 'cost');
SELECT bcce.set_model_price('acme-a', c, p, NULL) FROM (VALUES ('input', 0.001), ('output', 0.002), ('cache_read', 0.0001), ('cache_write_5m', 0.0012), ('cache_write_1h', 0.002)) AS p (c, p);
\o
\pset null -
CREATE FUNCTION pg_temp.point(series text, started_at timestamptz, at timestamptz, value numeric, cumulative boolean DEFAULT false, class text DEFAULT 'input', model text DEFAULT 'acme-a',
    session text DEFAULT 's1', metric text DEFAULT 'tokens', tenant text DEFAULT 'one') RETURNS void LANGUAGE sql AS $$
    INSERT INTO bcce_data.model_usage_counters (tenant_id, series_key, started_at, at, metric, token_class, model_id, session_id, value, is_cumulative)
    SELECT tenant_id, series, started_at, at, metric, CASE metric WHEN 'tokens' THEN class END, model, session, value, cumulative FROM bcce_data.tenants WHERE slug = tenant
$$;
CREATE FUNCTION pg_temp.call(at timestamptz, input bigint, output bigint DEFAULT NULL, model text DEFAULT 'acme-a', session text DEFAULT 's1', told_by integer DEFAULT 1, client numeric DEFAULT NULL,
    reads bigint DEFAULT NULL, w5 bigint DEFAULT NULL, w1 bigint DEFAULT NULL, tenant text DEFAULT 'one', event_tokens bigint[] DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
    INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, session_id, input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, told_by, client_cost_usd, event_tokens)
    SELECT tenant_id, bcce.uuid_v7(), at, model, session, input, output, reads, w5, w1, told_by, client, event_tokens FROM bcce_data.tenants WHERE slug = tenant
$$;
CREATE FUNCTION pg_temp.sides() RETURNS TABLE (day text, model text, counters bigint, calls bigint, difference bigint, percent numeric, counted_calls bigint, others bigint) LANGUAGE sql AS $$
    SELECT to_char(usage_date, 'MM-DD'), model_id, counter_tokens, call_tokens, difference_tokens, token_difference_percent, counted_calls, uncounted_calls FROM bcce.usage_reconciliation ORDER BY usage_date, model_id
$$;

\echo == delta points add up; a cumulative counter counts by what it rose since its start, and anew from each start
BEGIN;
SELECT pg_temp.point('delta', at - interval '1 minute', at, v) FROM (VALUES ('2015-06-02 10:00+02'::timestamptz, 100), ('2015-06-02 10:05+02', 20), ('2015-06-03 10:00+02', 3)) AS p (at, v) \g /dev/null
-- 1000 + 500 on the first, 0 + 200 on the second; a new start: 40 + 10; one that fell without a new start: 7 + 2.
SELECT pg_temp.point('sum', s, at, v, true, 'output') FROM (VALUES
    ('2015-06-01 09:00+02'::timestamptz, '2015-06-01 10:00+02'::timestamptz, 1000), ('2015-06-01 09:00+02', '2015-06-01 11:00+02', 1500), ('2015-06-01 09:00+02', '2015-06-02 01:00+02', 1500), ('2015-06-01 09:00+02', '2015-06-02 10:00+02', 1700),
    ('2015-06-02 12:00+02', '2015-06-02 13:00+02', 40), ('2015-06-02 12:00+02', '2015-06-02 14:00+02', 50), ('2015-06-03 09:00+02', '2015-06-03 10:00+02', 7), ('2015-06-03 09:00+02', '2015-06-03 11:00+02', 2)) AS p (s, at, v) \g /dev/null
-- Delta and cumulative points do not count against each other, even of one series and start: 5000 + 6000 + 400.
SELECT pg_temp.point('both', '2015-06-02 15:00+02', '2015-06-02 15:01+02', 5000, true, 'cache_read'), pg_temp.point('both', '2015-06-02 15:00+02', '2015-06-02 15:02+02', 6000, false, 'cache_read'),
       pg_temp.point('both', '2015-06-02 15:00+02', '2015-06-02 15:03+02', 5400, true, 'cache_read'), pg_temp.point('delta', '2015-06-02 15:00+02', '2015-06-02 15:03+02', 8, false, NULL) \g /dev/null
SELECT usage_date, counter_tokens, counter_input_tokens AS input, counter_output_tokens AS output, counter_cache_read_tokens AS reads, counter_cache_write_tokens AS writes, counter_cost_usd AS cost, call_tokens, difference_tokens, counted_calls
FROM bcce.usage_reconciliation ORDER BY 1;
-- A window sees what came before it, as the last state of a counter, and cuts days.
SELECT usage_date, counter_output_tokens AS output FROM bcce.usage_reconciliation('2015-06-02 10:00+02', '2015-06-02 14:00+02');
SELECT count(*) AS none FROM (VALUES ('infinity'::timestamptz, NULL::timestamptz), (NULL, '-infinity'), ('2015-06-03', '2015-06-01'), ('2015-06-02', '2015-06-02')) AS w (since, until), LATERAL bcce.usage_reconciliation(w.since, w.until);
SELECT count(*) FROM bcce.usage_reconciliation('-infinity', 'infinity');
ROLLBACK;

\echo == the calls that counters can have counted
BEGIN;
SELECT pg_temp.point('in', '2015-06-02 10:00+02', '2015-06-02 11:00+02', 1000), pg_temp.point('out', '2015-06-02 10:00+02', '2015-06-02 11:00+02', 90, class => 'output'), pg_temp.point('r', '2015-06-02 10:00+02', '2015-06-02 11:00+02', 7, class => 'cache_read'),
       pg_temp.point('w', '2015-06-02 10:00+02', '2015-06-02 11:00+02', 30, class => 'cache_write') \g /dev/null
SELECT pg_temp.call('2015-06-02 10:10+02', 400, 50, w5 => 10, w1 => 20),              -- by its session
       pg_temp.call('2015-06-02 10:20+02', 500, 40, session => NULL, told_by => 2, reads => 7),     -- by telemetry
       pg_temp.call('2015-06-02 10:30+02', 999, 9, session => 'other'), pg_temp.call('2015-06-02 10:30+02', 999, 9, session => NULL, told_by => 0),
       pg_temp.call('2015-06-03 10:30+02', 999, 9)                                     -- the session's counters are silent on that day
\g /dev/null
SELECT * FROM pg_temp.sides();
SELECT counter_input_tokens AS ci, call_input_tokens AS i, counter_output_tokens AS co, call_output_tokens AS o, counter_cache_read_tokens AS cr, call_cache_read_tokens AS r, counter_cache_write_tokens AS cw, call_cache_write_tokens AS w FROM bcce.usage_reconciliation WHERE counted_calls > 0;
-- Another 100 tokens in: they agree.
SELECT pg_temp.call('2015-06-02 10:40+02', 100) \g /dev/null
SELECT * FROM pg_temp.sides() WHERE day = '06-02';
ROLLBACK;

\echo == over midnight in Berlin: other days, the same sum
BEGIN;
SELECT pg_temp.call('2015-06-02 23:59+02', 60), pg_temp.point('in', '2015-06-02 23:58+02', '2015-06-03 00:01+02', 60), pg_temp.call('2015-06-03 00:00:30+02', 40, model => 'acme-b'), pg_temp.point('in', '2015-06-03 00:00+02', '2015-06-03 00:01+02', 40, model => 'acme-b') \g /dev/null
SELECT * FROM pg_temp.sides();
SELECT sum(counter_tokens) = sum(call_tokens) AS agree FROM bcce.usage_reconciliation;
ROLLBACK;

\echo == one side alone is NULL on the other; a counter may name no model, and a call no tokens
BEGIN;
SELECT pg_temp.point('in', '2015-06-02 10:00+02', '2015-06-02 11:00+02', 10, model => NULL), pg_temp.point('cost', '2015-06-02 10:00+02', '2015-06-02 11:00+02', 0.5, model => 'acme-c', metric => 'cost_usd'),
       pg_temp.call('2015-06-02 10:10+02', NULL, NULL, told_by => 2), pg_temp.call('2015-06-02 10:10+02', 5, NULL, 'acme-b', told_by => 2, session => 'x'), pg_temp.point('z', '2015-06-02 10:00+02', '2015-06-02 11:00+02', 0, model => 'acme-z'), pg_temp.call('2015-06-02 10:10+02', 0, NULL, 'acme-z', told_by => 2) \g /dev/null
SELECT * FROM pg_temp.sides();
SELECT model_id, counter_cost_usd, call_cost_usd, client_cost_usd, same_call_cost_usd, cost_difference_usd, cost_difference_percent, unpriced_calls, is_lower_bound FROM bcce.usage_reconciliation ORDER BY 1;
ROLLBACK;

\echo == what clients estimate beside ours, of the same calls
BEGIN;
-- By us 1.0, 2.0, 0.5 and unknown.
SELECT pg_temp.point('cost', '2015-06-02 10:00+02', '2015-06-02 11:00+02', 4.25, metric => 'cost_usd'), pg_temp.call('2015-06-02 10:10+02', 1000, client => 1.5, told_by => 2), pg_temp.call('2015-06-02 10:10+02', 2000, client => 2, told_by => 2),
       pg_temp.call('2015-06-02 10:10+02', 500), pg_temp.call('2015-06-02 10:10+02', NULL, client => 3, told_by => 2), pg_temp.call('2015-06-02 10:10+02', 9, client => 9, session => 'other') \g /dev/null
SELECT counter_cost_usd, trim_scale(call_cost_usd) AS call_cost_usd, client_cost_usd, trim_scale(same_call_cost_usd) AS same_call_cost_usd, trim_scale(cost_difference_usd) AS difference, cost_difference_percent AS percent, counted_calls, unpriced_calls, uncounted_calls, is_lower_bound, currency FROM bcce.usage_reconciliation;
-- Two sources that do not agree are counted.
SELECT pg_temp.call('2015-06-02 10:10+02', 10, 5, told_by => 3, event_tokens => '{10,4,0,0}'), pg_temp.call('2015-06-02 10:10+02', 10, 5, told_by => 3, event_tokens => '{10,5,0,0}') \g /dev/null
SELECT mismatched_calls FROM bcce.usage_reconciliation;
ROLLBACK;

\echo == by export: cumulative telemetry sent again and late changes nothing
BEGIN;
CREATE FUNCTION pg_temp.export(temporality integer, start timestamptz, at timestamptz, value bigint) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('resourceMetrics', jsonb_build_array(jsonb_build_object('scopeMetrics', jsonb_build_array(jsonb_build_object('metrics', jsonb_build_array(jsonb_build_object('name', 'claude_code.token.usage',
        'sum', jsonb_build_object('aggregationTemporality', temporality, 'dataPoints', jsonb_build_array(jsonb_build_object('startTimeUnixNano', (extract(epoch FROM start) * 1e9)::bigint::text, 'timeUnixNano', (extract(epoch FROM at) * 1e9)::bigint::text, 'asInt', value::text,
            'attributes', jsonb_build_array(jsonb_build_object('key', 'type', 'value', jsonb_build_object('stringValue', 'input')), jsonb_build_object('key', 'model', 'value', jsonb_build_object('stringValue', 'acme-a')), jsonb_build_object('key', 'session.id', 'value', jsonb_build_object('stringValue', 's1')))))))))))))
$$;
SELECT sum(t.points) AS points FROM (VALUES ('2015-06-02 10:30+02'::timestamptz, 300), ('2015-06-02 10:10+02', 100), ('2015-06-02 10:20+02', 250), ('2015-06-02 10:10+02', 100)) AS p (at, v), LATERAL bcce.ingest_otlp(pg_temp.export(2, '2015-06-02 10:00+02', at, v), 'one') AS t;
SELECT pg_temp.call('2015-06-02 10:05+02', 100), pg_temp.call('2015-06-02 10:15+02', 200) \g /dev/null
SELECT * FROM pg_temp.sides();
ROLLBACK;

\echo == anything: the days add up to the counters and the calls
INSERT INTO bcce_data.model_usage_counters (tenant_id, series_key, started_at, at, metric, token_class, model_id, session_id, value, is_cumulative)
SELECT tenant_id, 'd' || i % 7, at - interval '1 minute', at, 'tokens', (ARRAY['input', 'output', 'cache_read', 'cache_write'])[1 + i % 4], 'acme-' || i % 3, 's' || i % 7, i * 13 % 1000, false
FROM bcce_data.tenants, generate_series(1, 500) AS i, LATERAL (SELECT '2015-03-20 00:00+00'::timestamptz + i * interval '37 minutes' AS at) AS w WHERE slug <> 'none';
-- Five series, each with a new start every 20 points: the last of each start is all of it.
INSERT INTO bcce_data.model_usage_counters (tenant_id, series_key, started_at, at, metric, token_class, model_id, session_id, value, is_cumulative)
SELECT tenant_id, 'c' || s, '2015-03-20 00:00+00'::timestamptz + n / 20 * interval '20 hours', '2015-03-20 00:30+00'::timestamptz + n * interval '1 hour', 'tokens', 'output', 'acme-' || s % 3, 'c' || s, (n % 20 + 1) * (s + 10), true
FROM bcce_data.tenants, generate_series(1, 5) AS s, generate_series(0, 299) AS n WHERE slug <> 'none';
SELECT pg_temp.call('2015-03-20 00:00+00'::timestamptz + i * interval '41 minutes', i, i % 17, 'acme-' || i % 3, 's' || i % 9, 1 + i % 3, reads => i % 5, tenant => t) FROM generate_series(1, 450) AS i, unnest('{one,two}'::text[]) AS t \g /dev/null
SELECT r.tenant_name, r.tokens = c.tokens AS counters_add_up, r.calls = u.calls AS calls_add_up, r.days FROM (
    SELECT tenant_id, tenant_name, sum(counter_tokens) AS tokens, sum(counted_calls + uncounted_calls) AS calls, count(DISTINCT usage_date) AS days FROM bcce.usage_reconciliation GROUP BY 1, 2) AS r
JOIN (SELECT tenant_id, sum(CASE WHEN NOT is_cumulative OR next IS NULL THEN value END) AS tokens
      FROM (SELECT *, lead(at) OVER (PARTITION BY tenant_id, series_key, started_at, is_cumulative ORDER BY at) AS next FROM bcce_data.model_usage_counters) AS k GROUP BY 1) AS c USING (tenant_id)
JOIN (SELECT tenant_id, count(*) AS calls FROM bcce_data.model_usage GROUP BY 1) AS u USING (tenant_id) ORDER BY 1;
SELECT count(*) AS wrong FROM bcce.usage_reconciliation
WHERE call_tokens IS DISTINCT FROM nullif(coalesce(call_input_tokens, 0) + coalesce(call_output_tokens, 0) + coalesce(call_cache_read_tokens, 0) + coalesce(call_cache_write_tokens, 0), CASE WHEN counted_calls = 0 THEN 0 END)
   OR counter_tokens IS DISTINCT FROM coalesce(counter_input_tokens, 0) + coalesce(counter_output_tokens, 0) + coalesce(counter_cache_read_tokens, 0) + coalesce(counter_cache_write_tokens, 0);
-- Whole days of a window are as without it.
SELECT count(*) > 10 AS some, count(*) FILTER (WHERE a IS DISTINCT FROM w) AS wrong FROM bcce.usage_reconciliation('2015-03-24 00:00+01', '2015-03-30 00:00+02') w JOIN bcce.usage_reconciliation a USING (tenant_id, usage_date, model_id) WHERE w.tenant_name = 'One' AND w.usage_date < '2015-03-29';

\echo == readers of one tenant, an analyst and a cost analyst
SET ROLE regress_reconciliation_one;
SELECT string_agg(DISTINCT tenant_name, ',') FROM (SELECT tenant_name FROM bcce.usage_reconciliation UNION ALL SELECT tenant_name FROM bcce.usage_reconciliation('2015-03-01', NULL)) x;
SET ROLE regress_reconciliation_cost;
SELECT string_agg(DISTINCT tenant_name, ',') FROM bcce.usage_reconciliation;
RESET ROLE;
\c :home
SET client_min_messages = warning;
DROP DATABASE regress_reconciliation;
DROP ROLE regress_reconciliation_one, regress_reconciliation_cost;
