-- Proves that the change of model cost is split into volume, price and mix
-- without a rest, each where it belongs; what the cache saved; which calls have
-- no price and why; that repricing changes what the price change touches and
-- nothing else; and the report of a period.
SET client_min_messages = warning;
CREATE DATABASE regress_cost_drivers;
\set home :DBNAME
\c regress_cost_drivers
SET client_min_messages = warning;
SET TimeZone = 'America/New_York';
SET bcce.test_now = '2015-06-30 12:00:00+00';
CREATE EXTENSION bcce;
\o /dev/null
SELECT bcce.create_tenant('one', 'One', timezone => 'Europe/Berlin'), bcce.create_tenant('two', 'Two'), bcce.create_login('regress_drivers_one', 'one', 'cost');
SELECT bcce.set_model_price('acme-' || m, c, p, NULL)
FROM (VALUES ('big', 'input', 0.00001), ('big', 'output', 0.00005), ('big', 'cache_read', 0.000001), ('big', 'cache_write_5m', 0.0000125), ('big', 'cache_write_1h', 0.00002), ('big', 'web_search', 0.01),
             ('small', 'input', 0.000001), ('small', 'output', 0.000005), ('mid', 'input', 0.000003), ('mid', 'output', 0.000015)) AS p (m, c, p);
SELECT bcce.set_model_price('acme-big', 'input', 0.00003, NULL, 200000), bcce.set_model_price('acme-big', 'output', 0.00007, NULL, 200000), bcce.set_model_price('acme-big', 'cache_read', 0.000003, NULL, 200000);
SELECT bcce.set_model_price_factor('acme-big', 'us', 1.1, NULL), bcce.set_model_price_factor('acme-big', 'fast', 6, NULL);
\o
SELECT tenant_id AS one FROM bcce_data.tenants WHERE slug = 'one' \gset
SELECT tenant_id AS two FROM bcce_data.tenants WHERE slug = 'two' \gset
\pset null -

\echo == the parts of a call
SELECT bcce.token_cost_parts('acme-big', '2015-01-01', 1000, 100, 10000, 20, 30, 2) AS parts, bcce.estimate_token_cost('acme-big', '2015-01-01', 1000, 100, 10000, 20, 30, 2) AS whole;
-- All counts make the context; searches are not multiplied.
SELECT bcce.token_cost_parts('acme-big', '2015-01-01', 1000, 100, 199001, 0, 0, 1, 'fast', 'us') AS long_fast_us,
       bcce.token_cost_parts('acme-big', '2015-01-01', 1000, NULL, 199000) AS short;
SELECT bcce.token_cost_parts('acme-small', '2015-01-01', 1, 1, 1) AS missing_price, bcce.token_cost_parts('nobody', '2015-01-01', 1, 1) AS unknown, bcce.token_cost_parts(NULL, '2015-01-01', 1, 1) AS none,
       bcce.token_cost_parts('<synthetic>', '2015-01-01', 0, 0) AS synthetic, bcce.token_cost_parts('acme-big', '2015-01-01', 9007199254740993, 0) AS huge;
\set VERBOSITY sqlstate
SELECT bcce.token_cost_parts('acme-big', '2015-01-01', -1, 0);
\set VERBOSITY default
SELECT count(*) FILTER (WHERE (SELECT sum(p) FROM unnest(bcce.token_cost_parts('acme-big', '2015-01-01', i * 7919 % 300000, i % 5000, i * 31 % 200000, i % 90, i % 70, i % 3, s, g)) AS p)
                        = bcce.estimate_token_cost('acme-big', '2015-01-01', i * 7919 % 300000, i % 5000, i * 31 % 200000, i % 90, i % 70, i % 3, s, g)) AS sums_of_parts,
       count(bcce.estimate_token_cost('acme-big', '2015-01-01', i * 7919 % 300000, i % 5000, i * 31 % 200000, i % 90, i % 70, i % 3, s, g)) AS priced
FROM generate_series(1, 2000) AS i, unnest('{standard,fast}'::text[]) AS s, unnest('{us,NULL}'::text[]) AS g;

\echo == each effect alone
CREATE FUNCTION pg_temp.call(tenant uuid, at timestamptz, model text, input bigint, output bigint, n integer DEFAULT 1, reported numeric DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
    INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, input_tokens, output_tokens, reported_cost_usd)
    SELECT tenant, bcce.uuid_v7(), at, model, input, output, reported FROM generate_series(1, n)
$$;
CREATE FUNCTION pg_temp.effects() RETURNS TABLE (model text, class text, before bigint, now bigint, change numeric, volume numeric, price numeric, mix numeric, is_lower_bound boolean) LANGUAGE sql AS $$
    SELECT model_id, token_class, previous_quantity, quantity, change_usd, trim_scale(volume_effect_usd), trim_scale(price_effect_usd), trim_scale(mix_effect_usd), is_lower_bound
    FROM bcce.cost_drivers('2015-06-08 00:00+00', '2015-06-15 00:00+00') ORDER BY model_id, token_class
$$;
-- Twice as many of the same calls: volume and nothing else.  What lies outside both weeks does not count.
BEGIN;
SELECT pg_temp.call(:'one', '2015-06-01 00:00+00', 'acme-mid', 1000, 100, 3), pg_temp.call(:'one', '2015-06-08 00:00+00', 'acme-mid', 1000, 100, 6),
            pg_temp.call(:'one', '2015-05-31 23:59:59+00', 'acme-mid', 1000, 100, 9), pg_temp.call(:'one', '2015-06-15 00:00+00', 'acme-mid', 1000, 100, 9) \g /dev/null
SELECT * FROM pg_temp.effects();
ROLLBACK;
-- A dearer price on 10 June: price.
BEGIN;
SELECT bcce.set_model_price('acme-mid', 'input', 0.000004, '2015-06-10 00:00+00') \g /dev/null
SELECT pg_temp.call(:'one', d, 'acme-mid', 1000, 100) FROM generate_series('2015-06-01 12:00+00'::timestamptz, '2015-06-14 12:00+00', '1 day') AS d \g /dev/null
SELECT * FROM pg_temp.effects();
ROLLBACK;
-- As many calls, by another model, twice as long, and of a model that had no price before: mix.
BEGIN;
SELECT bcce.set_model_price('acme-new', c, 0.000001, '2015-06-08 00:00+00') FROM unnest('{input,output}'::text[]) AS c \g /dev/null
SELECT pg_temp.call(:'one', '2015-06-01 12:00+00', 'acme-mid', 1000, 100, 4), pg_temp.call(:'one', '2015-06-09 12:00+00', 'acme-mid', 2000, 100, 2), pg_temp.call(:'one', '2015-06-09 12:00+00', 'acme-small', 1000, 100),
            pg_temp.call(:'one', '2015-06-09 12:00+00', 'acme-new', 1000, 100) \g /dev/null
SELECT * FROM pg_temp.effects();
ROLLBACK;
-- Nothing before; nothing now; reported; unknown.
BEGIN;
SELECT pg_temp.call(:'one', '2015-06-09 12:00+00', 'acme-mid', 1000, 100, 2), pg_temp.call(:'two', '2015-06-01 12:00+00', 'acme-mid', 1000, 100, 2, 0.5), pg_temp.call(:'two', '2015-06-01 12:00+00', 'nobody', 1, 1) \g /dev/null
SELECT * FROM pg_temp.effects();
ROLLBACK;

\echo == anything: the effects are the change, the classes the cost
-- Changing prices, all classes, long contexts, factors, reported and frozen costs.
SELECT bcce.set_model_price('acme-big', 'input', 0.000007 + n * 0.0000013, '2015-03-01 00:00+00'::timestamptz + n * interval '500 hours') IS NULL FROM generate_series(1, 4) AS n;
INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, web_searches, speed, inference_geo, reported_cost_usd, charged_usd, priced_at, is_test)
SELECT tenant_id, i, at, model, x % 30011, x % 5003, big.reads, big.w5, big.w1, big.searches, CASE WHEN x % 19 = 0 THEN 'fast' END, CASE WHEN x % 7 = 0 THEN 'us' END,
       CASE WHEN x % 11 = 0 THEN x / 1e12 END, CASE WHEN x % 3 = 0 THEN bcce.estimate_token_cost(model, at, x % 30011, x % 5003, big.reads, big.w5, big.w1, big.searches, CASE WHEN x % 19 = 0 THEN 'fast' END, CASE WHEN x % 7 = 0 THEN 'us' END, NULL, tenant_id) WHEN x % 29 = 0 THEN 0.3 END,
       now(), x % 31 = 0
FROM bcce_data.tenants, generate_series(1, 3000) AS i
CROSS JOIN LATERAL (SELECT ('x' || substr(md5(slug || i), 1, 7))::bit(28)::integer AS x) AS draw
CROSS JOIN LATERAL (SELECT '2015-01-01 00:00+00'::timestamptz + (draw.x % 15552000) * interval '1 second' AS at, (ARRAY['acme-big', 'acme-big', 'acme-mid', 'acme-small', 'nobody'])[1 + i % 5] AS model) AS what
CROSS JOIN LATERAL (SELECT CASE WHEN model = 'acme-big' THEN draw.x % 250000 END AS reads, CASE WHEN model = 'acme-big' AND draw.x % 250000 < 150000 THEN draw.x % 5000 END AS w5,
                           CASE WHEN model = 'acme-big' AND draw.x % 250000 < 150000 THEN draw.x % 3000 END AS w1, CASE WHEN model = 'acme-big' THEN draw.x % 3 END AS searches) AS big;
CREATE TEMP TABLE span AS SELECT n, '2015-01-01 00:00+00'::timestamptz + (n * 7919 % 150) * interval '1 day' AS since, '2015-01-01 00:00+00'::timestamptz + (n * 7919 % 150 + n % 40) * interval '1 day' + n * interval '1 hour' AS until FROM generate_series(1, 30) AS n
UNION ALL SELECT 31, NULL, NULL UNION ALL SELECT 32, NULL, '2015-05-01' UNION ALL SELECT 33, '2015-05-01', NULL;
SELECT count(*) AS cells, count(*) FILTER (WHERE d.change_usd <> d.volume_effect_usd + d.price_effect_usd + d.mix_effect_usd OR d.change_usd <> d.cost_usd - d.previous_cost_usd) AS with_a_rest,
       count(DISTINCT d.token_class) AS classes, count(*) FILTER (WHERE d.price_effect_usd <> 0) > 20 AS some_price, count(*) FILTER (WHERE d.price_effect_usd <> 0 AND (d.model_id, d.token_class) <> ('acme-big', 'input')) AS price_elsewhere
FROM span s CROSS JOIN LATERAL bcce.cost_drivers(s.since, s.until) d;
SELECT count(*) AS sums, count(*) FILTER (WHERE d.cost IS DISTINCT FROM now.usd OR d.previous IS DISTINCT FROM before.usd) AS wrong
FROM (SELECT s.n, d.tenant_id, d.model_id, d.window_start_at AS w, d.window_end_at AS e, sum(d.cost_usd) AS cost, sum(d.previous_cost_usd) AS previous FROM span s CROSS JOIN LATERAL bcce.cost_drivers(s.since, s.until) d GROUP BY 1, 2, 3, 4, 5) AS d
CROSS JOIN LATERAL (SELECT coalesce(sum(m.model_cost_usd), 0) AS usd FROM bcce.cost_by_model(d.w, d.e) m WHERE m.tenant_id = d.tenant_id AND m.model_id = d.model_id) AS now
CROSS JOIN LATERAL (SELECT coalesce(sum(m.model_cost_usd), 0) AS usd FROM bcce.cost_by_model(d.w - extract(epoch FROM d.e - d.w) * interval '1 second', d.w) m WHERE m.tenant_id = d.tenant_id AND m.model_id = d.model_id) AS before;
SELECT count(*) FILTER (WHERE window_start_at = '2015-05-31 12:00+00' AND window_end_at = '2015-06-30 12:00+00') = count(*) AS last_30_days FROM bcce.cost_drivers;
SELECT count(*) AS none FROM (VALUES ('infinity'::timestamptz, NULL::timestamptz), ('-infinity', NULL), (NULL, '-infinity'), ('2015-05-02', '2015-05-01'), ('2015-05-01', '2015-05-01')) AS w (since, until), LATERAL bcce.cost_drivers(w.since, w.until);

\echo == what the cache saved
BEGIN;
DELETE FROM bcce_data.model_usage;
DELETE FROM bcce_data.default_model_prices WHERE model_id = 'acme-big' AND token_class = 'input' AND context_above = 0;
SELECT bcce.set_model_price('acme-big', 'input', 0.00001, NULL) \g /dev/null
INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, inference_geo)
VALUES (:'one', 1, '2015-06-01', 'acme-big', 1000, 5, 1000000, 0, 0, NULL),        -- above the threshold: 1000000 x (30 - 3)
       (:'one', 2, '2015-06-01', 'acme-big', 0, 5, 100000, 2000, 1000, 'us'),      -- 1.1 x (100000 x (10 - 1) - 2000 x 2.5 - 1000 x 10)
       (:'one', 3, '2015-06-01', 'acme-mid', 10, 5, 7, NULL, NULL, NULL),          -- no price for reads
       (:'one', 4, '2015-06-01', 'acme-mid', 10, 5, NULL, NULL, NULL, NULL),
       (:'two', 1, '2015-06-01', 'acme-big', 0, 0, 0, 100000, 0, NULL);            -- never read
SELECT tenant_name, model_id, model_call_count AS calls, cache_read_percent AS percent, trim_scale(read_savings_usd) AS reads, trim_scale(write_premium_usd) AS writes, trim_scale(cache_savings_usd) AS saved, unpriced_units
FROM bcce.cost_cache_savings ORDER BY 1, 2;
SELECT 27 + 1.1 * 0.9 AS reads, 1.1 * 0.015 AS writes;
ROLLBACK;

\echo == which calls have no price, and why
SELECT tenant_name, model_id, reason, model_call_count = (SELECT count(*) FROM bcce_data.model_usage u WHERE u.tenant_id = x.tenant_id AND u.model_id = x.model_id AND NOT u.is_test AND coalesce(reported_cost_usd, charged_usd) IS NULL) AS all_of_them,
       input_tokens > 0 AS with_tokens, first_seen_at < last_seen_at AS seen
FROM bcce.unpriced_usage x ORDER BY 1, 2, 3;
SELECT bool_and(x.n = c.unpriced_units) AS as_counted FROM bcce.cost_analysis c JOIN (SELECT tenant_id, sum(model_call_count) AS n FROM bcce.unpriced_usage GROUP BY 1) x USING (tenant_id);
BEGIN;
DELETE FROM bcce_data.model_usage;
SELECT pg_temp.call(:'one', '2015-06-01', 'acme-mid', NULL, NULL), pg_temp.call(:'one', '2015-06-01', 'acme-mid', NULL, NULL, 1, 2), pg_temp.call(:'one', '2015-06-02', 'acme-late', 1, 1, 2), pg_temp.call(:'one', '2015-06-03', '<synthetic>', 0, 0) \g /dev/null
SELECT bcce.set_model_price('acme-late', 'input', 1, '2015-07-01') \g /dev/null
SELECT model_id, reason, model_call_count AS calls, input_tokens, (first_seen_at AT TIME ZONE 'UTC')::date AS first FROM bcce.unpriced_usage ORDER BY 1, 2;
ROLLBACK;

\echo == repricing changes what the price change touches, and nothing else
DELETE FROM bcce_data.model_usage WHERE charged_usd = 0.3;
UPDATE bcce_data.model_usage SET priced_at = clock_timestamp() WHERE charged_usd IS NOT NULL;
SELECT clock_timestamp() AS before_change \gset
SELECT bcce.set_model_price('acme-mid', 'output', 0.00002, '2015-04-01 00:00+00') IS NULL;
SELECT tenant_name, model_id, changed_call_count > 0 AS changed, change_usd = w.output * 0.000005 AND changed_call_count = w.calls AS just_those, change_usd = 0 AS same
FROM bcce.cost_analysis_repriced() r
CROSS JOIN LATERAL (
    -- Frozen, not reported, of the model, from April on.
    SELECT coalesce(sum(output_tokens), 0) AS output, count(*) AS calls FROM bcce_data.model_usage u
    WHERE u.tenant_id = r.tenant_id AND u.model_id = r.model_id AND r.model_id = 'acme-mid' AND NOT is_test AND reported_cost_usd IS NULL AND charged_usd IS NOT NULL AND at >= '2015-04-01 00:00+00' AND output_tokens > 0) w
WHERE tenant_name = 'One' ORDER BY 1, 2;
-- By what was known before the change nothing is other than it was charged.
SELECT r.model_id, count(*) FILTER (WHERE change_usd <> 0) AS changed FROM bcce.cost_analysis_repriced(:'before_change', '2015-01-01', '2015-04-01') r GROUP BY 1 ORDER BY 1;
SELECT sum(model_cost_usd) = (SELECT sum(model_cost_usd) FROM bcce.cost_analysis) AS as_in_cost_analysis FROM bcce.cost_analysis_repriced();

\echo == the report of a period
SELECT g AS grain, count(*) > 0 AS has_rows, sum(day_count) AS days, sum(total_cost_usd) = (SELECT sum(total_cost_usd) FROM bcce.cost_analysis('2015-04-01 12:00+00', '2015-06-30 12:00+00')) AS adds_up
FROM unnest('{period,day,week,month,quarter,year}'::text[]) AS g, LATERAL bcce.cost_report('90 days', g) GROUP BY g ORDER BY g;
SELECT tenant_name, period_start_date, day_count, total_cost_usd > 10 AS over, over_threshold FROM bcce.cost_report('3 months', 'month', 10) ORDER BY 1, 2;
-- Some cost is unknown, so not over the threshold is unknown too.
SELECT tenant_name, over_threshold, is_lower_bound FROM bcce.cost_report(alert_threshold => 1e9) UNION ALL SELECT tenant_name, over_threshold, is_lower_bound FROM bcce.cost_report() ORDER BY 1;
\set VERBOSITY terse
SELECT bcce.cost_report(grain => 'fortnight');
SELECT bcce.cost_report(period => '-1 day');
SELECT bcce.cost_report(NULL);

\echo == a cost analyst reads all of it, of the own tenant
SET ROLE regress_drivers_one;
SELECT string_agg(DISTINCT tenant_name, ',') FROM (
    SELECT tenant_name FROM bcce.cost_drivers UNION ALL SELECT tenant_name FROM bcce.cost_cache_savings UNION ALL SELECT tenant_name FROM bcce.unpriced_usage UNION ALL SELECT tenant_name FROM bcce.cost_report()
    UNION ALL SELECT tenant_name FROM bcce.cost_analysis_repriced(now()) UNION ALL SELECT tenant_name FROM bcce.unpriced_usage('2015-01-01', NULL) UNION ALL SELECT tenant_name FROM bcce.cost_by_user) x;
RESET ROLE;
\c :home
SET client_min_messages = warning;
DROP DATABASE regress_cost_drivers;
DROP ROLE regress_drivers_one;
