-- Proves how service_health_dashboard judges a service, where the limits come
-- from, and that the judged minutes end at the window's end.
SET timezone = 'UTC';
SET bcce.test_now = '2026-01-31 12:00:00+00';
SELECT count(bcce.create_tenant('health-' || name, 'Health ' || name)) AS tenants FROM unnest(ARRAY['a', 'b', 'none']) AS name;
CREATE FUNCTION pg_temp.tenant(name text) RETURNS uuid LANGUAGE sql STABLE AS
$$SELECT tenant_id FROM bcce_data.tenants WHERE slug = 'health-' || name$$;
INSERT INTO bcce_data.services (tenant_id, service_id, service_name, expected_interval_seconds, retired_at)
SELECT pg_temp.tenant('a'), id, upper(id), seconds, retired_at::timestamptz
FROM (VALUES ('calm', NULL, NULL), ('quiet', NULL, NULL), ('never', NULL, NULL), ('old', NULL, NULL), ('edge', NULL, NULL), ('slow_beat', 600, NULL),
             ('fast_beat', 60, NULL), ('half', NULL, NULL), ('half_few', NULL, NULL), ('errors', NULL, NULL), ('errors_few', NULL, NULL),
             ('errors_five', NULL, NULL), ('slow', NULL, NULL), ('busy', NULL, NULL), ('limit', NULL, NULL), ('sev1', NULL, NULL), ('sev2', NULL, NULL),
             ('sev3', NULL, NULL), ('upkeep', NULL, NULL), ('upkeep_over', NULL, NULL), ('retired', NULL, '2026-01-01 12:00:00+00'),
             ('retiring', NULL, '2026-01-01 12:00:01+00'), ('untold', NULL, NULL)) AS s (id, seconds, retired_at);
INSERT INTO bcce_data.services (tenant_id, service_id, service_name) VALUES (pg_temp.tenant('b'), 'errors', 'Same name elsewhere');
CREATE FUNCTION pg_temp.sample(service text, age interval, requests bigint DEFAULT 100, errors bigint DEFAULT 0, p95 float8 DEFAULT 100,
    cpu float8 DEFAULT 10, memory float8 DEFAULT 10, storage float8 DEFAULT 10, network float8 DEFAULT 10) RETURNS void LANGUAGE sql AS
$$INSERT INTO bcce_data.performance_metrics (tenant_id, idempotency_key, observed_at, service_id, request_count, error_count,
      p50_latency_ms, p95_latency_ms, p99_latency_ms, throughput_rps, cpu_percent, memory_percent, storage_percent, network_percent)
  SELECT pg_temp.tenant('a'), gen_random_uuid()::text, '2026-01-31 12:00:00+00'::timestamptz - age, service, requests, errors,
         p95 / 2, p95, p95 * 2, 5, cpu, memory, storage, network$$;
SELECT count(pg_temp.sample(s, '5 minutes')) FROM unnest(ARRAY['calm', 'sev1', 'sev2', 'sev3', 'upkeep', 'upkeep_over', 'retired', 'retiring']) AS s;
SELECT pg_temp.sample('quiet', '0', 0), pg_temp.sample('old', '15 minutes 1 second'), pg_temp.sample('edge', '15 minutes'),
       pg_temp.sample('slow_beat', '30 minutes'), pg_temp.sample('fast_beat', '3 minutes 1 second'), pg_temp.sample('untold', '1 minute', NULL, NULL),
       pg_temp.sample('half', '1 minute', 10, 5), pg_temp.sample('half_few', '1 minute', 9, 9),
       pg_temp.sample('errors', '1 minute', 10, 0), pg_temp.sample('errors', '2 minutes', 10, 2), pg_temp.sample('errors', '16 minutes', 999, 999),
       pg_temp.sample('errors_few', '1 minute', 19, 9), pg_temp.sample('errors_five', '1 minute', 100, 5),
       pg_temp.sample('slow', '1 minute', 100, 0, 2500), pg_temp.sample('slow', '2 minutes', 100, 0, 1501),
       pg_temp.sample('busy', '1 minute', 100, 6, 2001, 71, 81, 86, 61), pg_temp.sample('limit', '1 minute', 100, 0, 2000, 70, 80, 85, 60) \g /dev/null
INSERT INTO bcce_data.incidents (tenant_id, incident_id, service_id, severity, opened_at, recovered_at)
SELECT pg_temp.tenant('a'), id, service, severity, opened_at::timestamptz, recovered_at::timestamptz
FROM (VALUES ('1', 'sev1', 'sev1', '2026-01-01', NULL), ('2', 'sev1', 'sev3', '2026-01-01', NULL), ('3', 'sev2', 'sev2', '2026-01-31 11:59', NULL),
             ('4', 'sev3', 'sev3', '2026-01-31', NULL), ('5', 'sev3', NULL, '2026-01-31', NULL), ('6', 'calm', 'sev1', '2026-01-31', '2026-01-31 12:00')) AS i (id, service, severity, opened_at, recovered_at);
INSERT INTO bcce_data.maintenance_windows (tenant_id, service_id, starts_at, ends_at)
VALUES (pg_temp.tenant('a'), 'upkeep', '2026-01-31 12:00', '2026-01-31 13:00'), (pg_temp.tenant('a'), 'upkeep_over', '2026-01-31 11:00', '2026-01-31 12:00');
INSERT INTO bcce_data.predictions (tenant_id, prediction_id, predicted_at, model_name, target_kind, target_id, horizon_seconds, failure_probability)
SELECT pg_temp.tenant('a'), id, at::timestamptz, 'm', kind, 'calm', 60, p
FROM (VALUES ('1', '2026-01-30', 'service', 0.2), ('2', '2026-01-31', 'service', 0.3), ('3', '2026-01-31 10:00', 'run', 0.9), ('4', '2026-02-01', 'service', 0.8)) AS p (id, at, kind, p);

SELECT service_id, status, status_reason, request_count, error_count, error_rate_percent, open_incidents, worst_open_severity
FROM bcce.service_health_dashboard WHERE tenant_name = 'Health a' ORDER BY service_id COLLATE "C";
SELECT service_name, status, last_seen_at, window_minutes, request_count, error_rate_percent, p95_latency_ms, open_incidents, in_maintenance
FROM bcce.service_health_dashboard WHERE tenant_name IN ('Health b', 'Health none');
SELECT service_name, last_seen_at, window_minutes, p50_latency_ms, p95_latency_ms, p99_latency_ms, throughput_rps, cpu_percent, memory_percent,
       storage_percent, network_percent, latest_failure_probability, in_maintenance
FROM bcce.service_health_dashboard WHERE tenant_name = 'Health a' AND service_id IN ('calm', 'slow', 'upkeep') ORDER BY service_id;
-- Four decimals: 1 of 8,000 requests is 0.0125 percent.
SELECT pg_temp.sample('calm', '3 minutes', 7900, 1);
SELECT error_rate_percent FROM bcce.service_health_dashboard WHERE tenant_name = 'Health a' AND service_id = 'calm';

-- A limit of the service beats the tenant's, which beats the default.
INSERT INTO bcce_data.health_thresholds (tenant_id, service_id, threshold, value)
VALUES (pg_temp.tenant('a'), '*', 'degraded_cpu_percent', 5), (pg_temp.tenant('a'), 'calm', 'degraded_cpu_percent', 10),
       (pg_temp.tenant('a'), 'errors', 'window_minutes', 20);
SELECT service_id, status, status_reason, window_minutes, request_count FROM bcce.service_health_dashboard
WHERE tenant_name = 'Health a' AND service_id IN ('calm', 'errors', 'limit') ORDER BY service_id;

-- The minutes end at the window's end, whatever since; what came later is not known.
SELECT service_id, status, last_seen_at, request_count, open_incidents, latest_failure_probability
FROM bcce.service_health_dashboard('2026-01-31 11:59:59+00', '2026-01-31 11:57:00+00')
WHERE tenant_name = 'Health a' AND service_id IN ('calm', 'quiet', 'retired', 'sev2', 'upkeep_over') ORDER BY service_id;
SELECT service_id, status FROM bcce.service_health_dashboard(NULL, '2026-01-31 11:55:00+00')
WHERE tenant_name = 'Health a' AND service_id = 'sev3';

SELECT count(*) AS rows_that_differ
FROM (SELECT to_jsonb(o) FROM bcce.service_health_dashboard o EXCEPT SELECT to_jsonb(o) FROM bcce.service_health_dashboard(NULL, NULL) o) d;
CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS
$$BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END$$;
SELECT count(*) AS function_scans
FROM pg_temp.plan('SELECT * FROM bcce.service_health_dashboard(''2026-01-01'', ''2026-02-01'')') AS line
WHERE line LIKE '%Function Scan%' AND line NOT LIKE '%Function Scan on unnest%';

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
        EXECUTE format('DELETE FROM %s WHERE tenant_id IN (SELECT tenant_id FROM bcce_data.tenants WHERE slug LIKE %L)', store, 'health-%');
    END LOOP;
END
$$;
