-- Proves the steps of severe incidents and the silence of sources:
-- incident_timeline, data_freshness.
SET timezone = 'UTC';
SET bcce.test_now = '2026-11-03 12:00:00+00';
SELECT count(bcce.create_tenant('ops-' || name, 'Ops ' || name)) AS tenants FROM unnest(ARRAY['one', 'idle', 'gone']) AS name;
CREATE FUNCTION pg_temp.tenant(name text) RETURNS uuid LANGUAGE sql STABLE AS
$$SELECT tenant_id FROM bcce_data.tenants WHERE slug = 'ops-' || name$$;
INSERT INTO bcce_data.incidents (tenant_id, incident_id, service_id, severity, incident_type, title, opened_at, affected_resources, merged_into, is_test)
SELECT pg_temp.tenant(tenant), id, 's', severity, 'outage', 'reported by ada@example.org', '2026-11-01', 'db 1', merged, is_test
FROM (VALUES ('one', '1', 'sev1', NULL, false), ('one', '2', 'sev2', NULL, false), ('one', '3', 'sev3', NULL, false), ('one', '4', NULL, NULL, false),
             ('one', '5', 'sev1', '1', false), ('one', '6', 'sev1', NULL, true), ('gone', '1', 'sev1', NULL, false)) AS i (tenant, id, severity, merged, is_test);
INSERT INTO bcce_data.incident_events (tenant_id, incident_id, at, kind, response_action)
SELECT i.tenant_id, i.incident_id, '2026-11-01 00:00'::timestamptz + n * interval '1 minute', 'action', 'step ' || n
FROM bcce_data.incidents i CROSS JOIN generate_series(1, 2) AS n WHERE i.tenant_id IN (pg_temp.tenant('one'), pg_temp.tenant('gone'));
UPDATE bcce_data.tenants SET deleted_at = '2026-11-02' WHERE tenant_id = pg_temp.tenant('gone');
SELECT at, incident_id, service_id, incident_type, severity, title, affected_resources, event_kind, response_action, actor_key
FROM bcce.incident_timeline WHERE tenant_name LIKE 'Ops%' ORDER BY at DESC, incident_id;
SELECT incident_id, response_action FROM bcce.incident_timeline('2026-11-01 00:01', '2026-11-01 00:02') WHERE tenant_name LIKE 'Ops%' ORDER BY incident_id;

-- Newest first without being asked.
SELECT at, incident_id FROM bcce.incident_timeline WHERE tenant_name LIKE 'Ops%';

-- Received 900 seconds ago is not late, 901 is; what was received later than the window's end is not known there.
INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, workflow_id, status, started_at, finished_at, source, recorded_at, is_test)
SELECT pg_temp.tenant('one'), id, 'w', 'failed', at::timestamptz, at::timestamptz, source, received::timestamptz, is_test
FROM (VALUES ('1', '2026-11-01', 'ci', '2026-11-03 11:45', false), ('2', '2026-11-02', 'ci', '2026-11-02', false), ('3', '2026-11-02', 'cron', '2026-11-03 11:44:59', false),
             ('4', '2026-11-02', 'test', '2026-11-03', true), ('5', '2026-11-02', 'clock', '2026-11-04', false)) AS r (id, at, source, received, is_test);
INSERT INTO bcce_data.events (tenant_id, idempotency_key, occurred_at, event_type, source, received_at) VALUES (pg_temp.tenant('one'), '1', '2026-11-03', 'search', 'app', '2026-11-03 11:00');
INSERT INTO bcce_data.performance_metrics (tenant_id, idempotency_key, observed_at, service_id, source, recorded_at) VALUES (pg_temp.tenant('one'), '1', '2026-11-03', 's', 'agent', '2026-11-03 12:00');
INSERT INTO bcce_data.predictions (tenant_id, prediction_id, predicted_at, model_name, target_kind, target_id, failure_probability, source, recorded_at) VALUES (pg_temp.tenant('one'), '1', '2026-11-03', 'm', 'external', 'x', 0.5, 'model', '2026-11-03 11:00');
INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, source, recorded_at) VALUES (pg_temp.tenant('one'), '1', '2026-11-03', 'm', 'gateway', '2026-11-03 11:00');
SELECT fact, source, last_received_at, last_occurred_at, lag_seconds AS lag, expected_seconds AS expected, is_late
FROM bcce.data_freshness WHERE tenant_name LIKE 'Ops%' ORDER BY fact COLLATE "C", source COLLATE "C";
SELECT fact, source, lag_seconds AS lag FROM bcce.data_freshness(NULL, '2026-11-02 12:00') WHERE tenant_name LIKE 'Ops%';
-- A limit of the tenant's own.
INSERT INTO bcce_data.health_thresholds (tenant_id, threshold, value) VALUES (pg_temp.tenant('one'), 'stale_after_minutes', 60);
SELECT count(*) FILTER (WHERE is_late) AS late, count(*) AS sources FROM bcce.data_freshness WHERE tenant_name LIKE 'Ops%';

CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS
$$BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END$$;
SELECT report, count(line) FILTER (WHERE line ~ 'Function Scan' AND line !~ 'generate_series|unnest') AS function_scans
FROM unnest(ARRAY['incident_timeline', 'data_freshness']) AS report
CROSS JOIN LATERAL pg_temp.plan(format('SELECT * FROM bcce.%s(%L, %L)', report, '2026-10-31', '2026-11-02')) AS line
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
        EXECUTE format('DELETE FROM %s WHERE tenant_id IN (SELECT tenant_id FROM bcce_data.tenants WHERE slug LIKE %L)', store, 'ops-%');
    END LOOP;
END
$$;
