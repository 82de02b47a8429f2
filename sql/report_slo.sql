-- Proves error budgets and how fast they burn, availability over 30 days, and
-- since when a service has its status: slo_burn_rate and those columns of
-- service_health_dashboard.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET bcce.test_now = '2026-01-31 12:00:00+00';
SELECT count(bcce.create_tenant('slo-' || name, 'Slo ' || name)) AS tenants FROM unnest(ARRAY['a', 'b', 'since']) AS name;
CREATE FUNCTION pg_temp.tenant(name text) RETURNS uuid LANGUAGE sql STABLE AS
$$SELECT tenant_id FROM bcce_data.tenants WHERE slug = 'slo-' || name$$;
INSERT INTO bcce_data.services (tenant_id, service_id, service_name)
SELECT pg_temp.tenant('a'), s, s FROM unnest(ARRAY['fast', 'few', 'slow', 'strict', 'calm', 'none', 'silent', 'past', 'untold']) AS s;
-- A target of the service, of all the tenant's, of another tenant.
INSERT INTO bcce_data.slos (tenant_id, service_id, target_percent)
VALUES (pg_temp.tenant('a'), '*', 99), (pg_temp.tenant('a'), 'slow', 99.9), (pg_temp.tenant('a'), 'strict', 100), (pg_temp.tenant('b'), '*', 50);
INSERT INTO bcce_data.performance_metrics (tenant_id, idempotency_key, observed_at, service_id, request_count, error_count, is_test)
SELECT pg_temp.tenant('a'), gen_random_uuid()::text, '2026-01-31 12:00+00'::timestamptz - make_interval(secs => age), service, requests, errors, is_test
FROM (VALUES
    -- 15 of 100 in five minutes and 300 of 2,000 in the hour are 15 times the 1 percent.
    ('fast', 300, 100, 15, false), ('fast', 301, 1900, 285, false), ('fast', 3601, 8000, 0, false), ('fast', 60, 9999, 9999, true),
    -- 19 requests in five minutes tell nothing; 24 in half an hour do: 2 of 24, 20 of 400.
    ('few', 60, 19, 0, false), ('few', 1000, 5, 2, false), ('few', 20000, 376, 18, false),
    -- 0.7 percent is seven times 0.1 percent, over half an hour and over six: 14 of 2,000, 70 of 10,000.
    ('slow', 1200, 2000, 14, false), ('slow', 20000, 8000, 56, false), ('slow', 2592000, 90000, 0, false), ('slow', 2592001, 90000, 90000, false),
    ('strict', 60, 1000, 1, false), ('calm', 60, 1000, 0, false), ('untold', 60, NULL, 5, false), ('untold', 61, 5, NULL, false)
) AS m (service, age, requests, errors, is_test);
SELECT service_id, window_pair AS pair, slo_target_percent AS target, long_request_count AS long_n, short_request_count AS short_n,
       long_error_rate_percent AS long_rate, short_error_rate_percent AS short_rate, round(long_burn_rate::numeric, 4) AS long_burn,
       round(short_burn_rate::numeric, 4) AS short_burn, burn_rate_threshold AS threshold, is_firing AS fires,
       error_budget_remaining_percent AS budget, round(exhausted_in_hours::numeric, 4) AS hours
FROM bcce.slo_burn_rate WHERE tenant_name LIKE 'Slo%' ORDER BY service_id, window_pair;
SELECT service_id, status, status_reason, slo_target_percent AS target, error_budget_remaining_percent AS budget
FROM bcce.service_health_dashboard WHERE tenant_name = 'Slo a' ORDER BY service_id;
-- At 11:54:59 the fast burn's five minutes are empty; 30 days before that there was nothing but failure.
SELECT service_id, window_pair AS pair, short_request_count AS short_n, is_firing AS fires, error_budget_remaining_percent AS budget
FROM bcce.slo_burn_rate('2026-01-31', '2026-01-31 11:54:59') WHERE tenant_name LIKE 'Slo%' AND service_id IN ('fast', 'slow') ORDER BY service_id, window_pair;
SELECT error_budget_remaining_percent AS budget, exhausted_in_hours AS hours
FROM bcce.slo_burn_rate(NULL, '2026-01-02') WHERE tenant_name LIKE 'Slo%' AND service_id = 'slow';

-- Availability: 30 days less 3 of union; what began before; a service that is younger; no incident of the service.
SELECT service_id, availability_30d_percent FROM bcce.service_health_dashboard WHERE tenant_name = 'Slo a' AND service_id = 'calm';
INSERT INTO bcce_data.incidents (tenant_id, incident_id, service_id, severity, opened_at, recovered_at)
SELECT pg_temp.tenant('a'), id, service, 'sev3', opened_at::timestamptz, recovered_at::timestamptz
FROM (VALUES ('1', 'slow', '2026-01-10', '2026-01-12'), ('2', 'slow', '2026-01-11', '2026-01-13'), ('3', 'past', '2025-12-01', '2026-01-04 12:00'),
             ('4', 'past', '2026-01-31', NULL), ('5', 'fast', '2026-01-31 12:00', NULL), ('6', 'fast', '2026-01-20', '2026-01-19')) AS i (id, service, opened_at, recovered_at);
SELECT service_id, availability_30d_percent FROM bcce.service_health_dashboard WHERE tenant_name = 'Slo a' ORDER BY service_id;
SELECT availability_30d_percent FROM bcce.service_health_dashboard(NULL, '2026-01-12') WHERE tenant_name = 'Slo a' AND service_id = 'slow';

-- Since when.  Samples every five minutes from 30 hours ago to 11:58.
INSERT INTO bcce_data.services (tenant_id, service_id, service_name)
SELECT pg_temp.tenant('since'), s, s FROM unnest(ARRAY['always', 'recovered', 'slow', 'sev1', 'spell', 'stale', 'long_stale', 'upkeep', 'long_upkeep', 'over', 'never', 'burn', 'new', 'digest', 'digest_over']) AS s;
INSERT INTO bcce_data.slos (tenant_id, service_id, target_percent) VALUES (pg_temp.tenant('since'), 'burn', 99);
INSERT INTO bcce_data.performance_metrics (tenant_id, idempotency_key, observed_at, service_id, request_count, error_count, p95_latency_ms, cpu_percent, latency_digest)
SELECT pg_temp.tenant('since'), s || n, m.at, s, 100,
       CASE WHEN s = 'recovered' AND m.at BETWEEN '2026-01-31 09:00+00' AND '2026-01-31 10:00+00' THEN 60
            WHEN s = 'burn' AND m.at >= '2026-01-31 06:00+00' THEN 7 * (n % 2) * 2 ELSE 0 END,
       CASE WHEN s = 'slow' AND m.at >= '2026-01-31 11:00+00' THEN 4000 ELSE 0.1 END,
       CASE WHEN s = 'spell' AND m.at = '2026-01-31 08:03+00' THEN 100 ELSE 60.1 END,
       -- One of ten requests is slow, or none; every other sample has no digest.
       CASE WHEN s LIKE 'digest%' AND n % 2 = 0 THEN
           bcce.sketch_send((SELECT bcce.percentile_sketch(CASE WHEN r % 10 = 0 AND (s = 'digest' AND m.at >= '2026-01-31 10:00+00'
               OR s = 'digest_over' AND m.at BETWEEN '2026-01-31 06:00+00' AND '2026-01-31 07:00+00') THEN 2600 ELSE r END) FROM generate_series(1, 60) AS r)) END
FROM unnest(ARRAY['always', 'recovered', 'slow', 'sev1', 'spell', 'stale', 'upkeep', 'long_upkeep', 'over', 'burn', 'new', 'digest', 'digest_over']) AS s
CROSS JOIN generate_series(0, 360) AS n
CROSS JOIN LATERAL (SELECT '2026-01-31 11:58+00'::timestamptz - n * interval '5 minutes' AS at) m
WHERE (s <> 'stale' OR m.at < '2026-01-31 10:00+00') AND (s <> 'new' OR m.at >= '2026-01-31 07:00+00');
INSERT INTO bcce_data.performance_metrics (tenant_id, idempotency_key, observed_at, service_id, request_count)
VALUES (pg_temp.tenant('since'), 'long', '2026-01-20 10:00+00', 'long_stale', 100);
INSERT INTO bcce_data.incidents (tenant_id, incident_id, service_id, severity, opened_at, recovered_at)
VALUES (pg_temp.tenant('since'), '1', 'sev1', 'sev2', '2026-01-31 01:00', NULL), (pg_temp.tenant('since'), '2', 'sev1', 'sev1', '2026-01-31 02:00', '2026-01-31 03:00'),
       (pg_temp.tenant('since'), '3', 'sev1', 'sev1', '2026-01-31 02:30', NULL);
INSERT INTO bcce_data.maintenance_windows (tenant_id, service_id, starts_at, ends_at)
VALUES (pg_temp.tenant('since'), 'upkeep', '2026-01-31 09:00', '2026-01-31 10:00'), (pg_temp.tenant('since'), 'upkeep', '2026-01-31 10:00', '2026-01-31 13:00'),
       (pg_temp.tenant('since'), 'long_upkeep', '2026-01-28', '2026-02-02'), (pg_temp.tenant('since'), 'over', '2026-01-31 04:00', '2026-01-31 05:00'),
       (pg_temp.tenant('since'), 'long_stale', '2026-01-25', '2026-01-25 05:00');
-- recovered: the last bad sample, of 09:58, leaves the 15 minutes after 10:13; but at 10:13 one of four is bad: 60 of 400
-- is over 5 percent.  slow: at 11:08 two of four samples have 4,000 ms, 2000.05 on the average.  spell: one sample of 100
-- among three of 60.1 is 70.075 percent of CPU, until it leaves after 08:18.  stale: the last sample is of 09:58.
SELECT service_id, status, status_reason, status_since FROM bcce.service_health_dashboard WHERE tenant_name = 'Slo since' ORDER BY service_id COLLATE "C";
-- The same as judged minute by minute: the status at since and after is the same, just before it is another.
SELECT h.service_id, bool_and(CASE WHEN p.at >= h.status_since THEN p.status = h.status END) AS same_since,
       bool_and(CASE WHEN p.at = h.status_since - interval '1 microsecond' THEN p.status <> h.status END) AS other_before
FROM bcce.service_health_dashboard h
CROSS JOIN LATERAL (
    SELECT m.at, b.status
    -- The twin's until is exclusive.
    FROM (SELECT h.status_since + n * interval '1 minute' AS at, h.status_since + n * interval '1 minute' + interval '1 microsecond' AS until
          FROM generate_series(0, 60) AS n
          UNION ALL SELECT h.status_since - interval '1 microsecond', h.status_since - interval '1 microsecond') m
    CROSS JOIN LATERAL bcce.service_health_dashboard(NULL, m.until) b
    WHERE b.tenant_id = h.tenant_id AND b.service_id = h.service_id AND m.at < '2026-01-31 12:00'
) p
WHERE h.tenant_name = 'Slo since' AND h.status_since IS NOT NULL AND h.service_id <> 'long_stale'
GROUP BY h.service_id ORDER BY h.service_id COLLATE "C";
-- A limit of the tenant's own: how far back.
INSERT INTO bcce_data.health_thresholds (tenant_id, threshold, value) VALUES (pg_temp.tenant('since'), 'status_lookback_minutes', 100);
SELECT service_id, status, status_since FROM bcce.service_health_dashboard
WHERE tenant_name = 'Slo since' AND service_id IN ('recovered', 'slow', 'spell', 'sev1') ORDER BY service_id;

SELECT count(*) AS rows_that_differ
FROM (SELECT to_jsonb(o) FROM bcce.slo_burn_rate o EXCEPT SELECT to_jsonb(o) FROM bcce.slo_burn_rate(NULL, NULL) o) d;
CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS
$$BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END$$;
SELECT report, count(line) FILTER (WHERE line ~ 'Function Scan' AND line !~ 'generate_series|unnest') AS function_scans
FROM unnest(ARRAY['slo_burn_rate', 'service_health_dashboard']) AS report
CROSS JOIN LATERAL pg_temp.plan(format('SELECT * FROM bcce.%s(%L, %L)', report, '2026-01-01', '2026-02-01')) AS line
GROUP BY report ORDER BY report;

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
        EXECUTE format('DELETE FROM %s WHERE tenant_id IN (SELECT tenant_id FROM bcce_data.tenants WHERE slug LIKE %L)', store, 'slo-%');
    END LOOP;
END
$$;
