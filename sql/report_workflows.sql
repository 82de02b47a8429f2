-- Proves the reports of runs that fail, drag or hang: top_failures,
-- recent_workflow_errors, slow_runs, hung_runs, executions_by_status_hourly,
-- recovery_episodes.
SET timezone = 'UTC';
SET bcce.test_now = '2015-11-01 09:00:00+00';
SELECT count(bcce.create_tenant('flow-' || name, 'Flow ' || name, timezone => 'America/New_York')) AS tenants
FROM unnest(ARRAY['york', 'idle', 'gone', 'many']) AS name;
CREATE FUNCTION pg_temp.tenant(name text) RETURNS uuid LANGUAGE sql STABLE AS
$$SELECT tenant_id FROM bcce_data.tenants WHERE slug = 'flow-' || name$$;
INSERT INTO bcce_data.workflows (tenant_id, workflow_id, name, service_id) VALUES (pg_temp.tenant('york'), 'b', 'Build', 's');
-- 05:00 and 06:00 UTC are both one o'clock in New York.
INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, workflow_id, status, started_at, finished_at, error_class, error_message, is_test)
SELECT pg_temp.tenant(tenant), id, workflow, status, started_at::timestamptz, finished_at::timestamptz, class, message, is_test
FROM (VALUES
    ('york', '1', 'b', 'failed', '2015-11-01 05:00', '2015-11-01 05:10', 'Timeout', 'first, ask ada@example.org', false),
    ('york', '2', 'b', 'timed_out', '2015-11-01 05:59', '2015-11-01 06:10', 'Timeout', 'second, ask ada@example.org', false),
    ('york', '3', 'b', 'failed', '2015-11-01 06:00', '2015-11-01 06:30', 'Timeout', NULL, false),
    ('york', '4', 'a', 'failed', '2015-11-01 06:10', '2015-11-01 06:20', NULL, NULL, false),
    ('york', '5', 'c', 'failed', '2015-11-01 06:10', '2015-11-01 06:20', 'Other', NULL, false),
    ('york', '6', 'b', 'succeeded', '2015-11-01 08:00', '2015-11-01 08:10:00.001', NULL, NULL, false),
    ('york', '7', 'b', 'cancelled', '2015-11-01 08:00', '2015-11-01 08:59', NULL, NULL, false),
    ('york', '8', 'b', 'running', '2015-11-01 08:29:59', NULL, NULL, NULL, false),
    ('york', '9', 'b', 'running', '2015-11-01 08:30', NULL, NULL, NULL, false),
    ('york', 'late', 'c', 'failed', '2015-11-01 08:50', '2015-11-01 09:01', 'Other', NULL, false),
    ('york', 'skipped', 'c', 'skipped', '2015-11-01 03:00', '2015-11-01 03:00', NULL, NULL, false),
    ('york', 'test', 'c', 'failed', '2015-11-01 03:00', '2015-11-01 04:00', 'Other', NULL, true),
    ('gone', '1', 'c', 'failed', '2015-11-01 03:00', '2015-11-01 04:00', 'Other', NULL, false)
) AS r (tenant, id, workflow, status, started_at, finished_at, class, message, is_test);
UPDATE bcce_data.tenants SET deleted_at = '2015-11-01' WHERE tenant_id = pg_temp.tenant('gone');

-- Ties by workflow; the latest message that there is, redacted.
SELECT failure_rank AS rank, workflow_id, workflow_name, error_class, failure_count AS n, share_percent AS share, last_error_message,
       first_failed_at, last_failed_at
FROM bcce.top_failures WHERE tenant_name LIKE 'Flow%' ORDER BY rank;
-- At 06:15 only two had failed.
SELECT workflow_id, failure_count AS n, share_percent AS share FROM bcce.top_failures(NULL, '2015-11-01 06:15') WHERE tenant_name LIKE 'Flow%';

SELECT recency_rank AS rank, finished_at, run_id, workflow_name, service_id, status, error_class, error_message, duration_seconds AS seconds
FROM bcce.recent_workflow_errors WHERE tenant_name LIKE 'Flow%' ORDER BY rank;
INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, workflow_id, status, started_at, finished_at)
SELECT pg_temp.tenant('many'), n::text, 'w', 'failed', '2015-11-01 04:00', '2015-11-01 04:00'::timestamptz + n * interval '1 second' FROM generate_series(1, 30) AS n;
SELECT count(*) AS n, min(finished_at) AS earliest, max(finished_at) AS latest FROM bcce.recent_workflow_errors WHERE tenant_name = 'Flow many';

-- Over 600 seconds, not at 600; what was cancelled did not complete.
SELECT run_id, status, duration_seconds AS seconds, service_id FROM bcce.slow_runs WHERE tenant_name LIKE 'Flow%' ORDER BY run_id;
SELECT run_id FROM bcce.slow_runs(NULL, '2015-11-01 06:29:59') WHERE tenant_name LIKE 'Flow%' ORDER BY run_id;
-- Over 1800 seconds, not at 1800; at 08:45 the cancelled one was running, too.
SELECT run_id, running_seconds AS seconds, workflow_name FROM bcce.hung_runs WHERE tenant_name LIKE 'Flow%' ORDER BY run_id;
SELECT run_id, running_seconds AS seconds FROM bcce.hung_runs(NULL, '2015-11-01 08:45') WHERE tenant_name LIKE 'Flow%' ORDER BY run_id;

-- Dense; the repeated hour is two; a run that ends later is running.
SELECT period_start_at, total_workflows AS total, succeeded_workflows AS succeeded, failed_workflows AS failed, timed_out_workflows AS timed_out,
       cancelled_workflows AS cancelled, running_workflows AS running
FROM bcce.executions_by_status_hourly WHERE tenant_name = 'Flow york' ORDER BY period_start_at;
SELECT period_start_at, total_workflows AS total, failed_workflows AS failed, running_workflows AS running
FROM bcce.executions_by_status_hourly('2015-11-01 05:30', '2015-11-01 06:05') WHERE tenant_name = 'Flow york' ORDER BY period_start_at;
-- To the window's end, which is exclusive, and to the last run of old data.
SELECT period_start_at, total_workflows AS total FROM bcce.executions_by_status_hourly('2015-11-01 06:05', '2015-11-01 08:00') WHERE tenant_name = 'Flow york' ORDER BY period_start_at;
BEGIN;
SET LOCAL bcce.test_now = '2015-12-25 00:00:00+00';
SELECT max(period_start_at) AS last FROM bcce.executions_by_status_hourly WHERE tenant_name = 'Flow york';
ROLLBACK;
SELECT count(*) AS rows_of_idle FROM bcce.executions_by_status_hourly WHERE tenant_name = 'Flow idle';

-- Episodes: F (c) F S, F F still open; a success first, cancelled and skipped runs are nothing.
INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, workflow_id, service_id, status, started_at, finished_at, is_test)
SELECT pg_temp.tenant('idle'), id, workflow, service, status, started_at::timestamptz, finished_at::timestamptz, is_test
FROM (VALUES
    ('a1', 'a', 's', 'succeeded', '2015-10-10 00:00', '2015-10-10 00:10', false),
    ('a2', 'a', 's', 'failed', '2015-10-10 01:00', '2015-10-10 01:10', false),
    ('a3', 'a', 's', 'cancelled', '2015-10-10 02:00', '2015-10-10 02:10', false),
    ('a4', 'a', 's', 'timed_out', '2015-10-10 03:00', '2015-10-10 03:10', false),
    ('a5', 'a', 's', 'succeeded', '2015-10-10 03:30', '2015-10-10 03:40', true),
    ('a6', 'a', 's', 'succeeded', '2015-10-10 04:00', '2015-10-10 04:10', false),
    ('a7', 'a', 's', 'succeeded', '2015-10-10 05:00', '2015-10-10 05:10', false),
    ('b1', 'b', NULL, 'failed', '2015-11-01 00:00', '2015-11-01 00:30', false),
    ('b2', 'b', NULL, 'running', '2015-11-01 01:00', NULL, false),
    ('b3', 'b', NULL, 'failed', '2015-11-01 08:00', '2015-11-01 08:30', false),
    ('b4', 'b', NULL, 'failed', '2015-11-01 08:50', '2015-11-01 09:01', false),
    ('c1', 'c', NULL, 'failed', '2015-11-01 08:00', '2015-11-01 08:30', false),
    ('c2', 'c', NULL, 'succeeded', '2015-11-01 08:00', '2015-11-01 09:05:01', false),
    ('d1', 'd', NULL, 'failed', '2015-11-01 09:00', '2015-11-01 09:00:01', false)
) AS r (id, workflow, service, status, started_at, finished_at, is_test);
INSERT INTO bcce_data.workflows (tenant_id, workflow_id, name, service_id) VALUES (pg_temp.tenant('idle'), 'b', 'Build', 's');
-- One before, two that overlap, one of another service, one merged, and a test.
INSERT INTO bcce_data.incidents (tenant_id, incident_id, service_id, opened_at, recovered_at, merged_into, is_test)
SELECT pg_temp.tenant('idle'), id, service, opened_at::timestamptz, recovered_at::timestamptz, merged, is_test
FROM (VALUES ('before', 's', '2015-10-10 00:00', '2015-10-10 01:10', NULL, false), ('second', 's', '2015-10-10 02:00', '2015-10-10 02:30', NULL, false),
             ('first', 's', '2015-10-10 01:30', '2015-10-10 01:40', NULL, false), ('other', 'x', '2015-10-10 01:10', NULL, NULL, false),
             ('merged', 's', '2015-10-10 01:10', '2015-10-10 01:20', 'first', false), ('test', 's', '2015-10-10 01:10', '2015-10-10 01:20', NULL, true))
     AS i (id, service, opened_at, recovered_at, merged, is_test);
-- A success over five minutes ahead of the clock does not count, nor a failure ahead of it.
SELECT failed_at, recovered_at, workflow_id, workflow_name, service_id, runs_failed AS n, recovery_minutes AS took, open_minutes AS open, incident_id
FROM bcce.recovery_episodes WHERE tenant_name = 'Flow idle' ORDER BY failed_at, workflow_id;
-- At 03:10 two had failed, and it was still open; at 02:00 one; an episode that began earlier is not of the window.
SELECT failed_at, recovered_at, runs_failed AS n, open_minutes AS open, incident_id FROM bcce.recovery_episodes(NULL, '2015-10-10 03:10:00+00') WHERE tenant_name = 'Flow idle';
SELECT failed_at, recovered_at, runs_failed AS n, open_minutes AS open, incident_id FROM bcce.recovery_episodes('2015-10-10 01:10', '2015-10-10 02:00:00+00') WHERE tenant_name = 'Flow idle';
SELECT count(*) AS n FROM bcce.recovery_episodes('2015-10-10 01:10:00.000001+00', '2015-11-01 00:30+00') WHERE tenant_name = 'Flow idle';
SELECT count(*) AS n FROM bcce.recovery_episodes WHERE tenant_name = 'Flow gone';
-- These are the episodes that count as incidents of a tenant without any.
DELETE FROM bcce_data.incidents WHERE tenant_id = pg_temp.tenant('idle') AND NOT is_test;
SELECT mttr_basis, derived_count, recovered_count, open_count, invalid_count, avg_mttr_minutes, oldest_open_minutes
FROM bcce.mttr_analysis WHERE tenant_name = 'Flow idle';

CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS
$$BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END$$;
SELECT report, count(line) FILTER (WHERE line ~ 'Function Scan' AND line !~ 'generate_series|unnest') AS function_scans
FROM unnest(ARRAY['top_failures', 'recent_workflow_errors', 'slow_runs', 'hung_runs', 'executions_by_status_hourly', 'recovery_episodes']) AS report
CROSS JOIN LATERAL pg_temp.plan(format('SELECT * FROM bcce.%s(%L, %L)', report, '2015-10-31', '2015-11-02')) AS line
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
        EXECUTE format('DELETE FROM %s WHERE tenant_id IN (SELECT tenant_id FROM bcce_data.tenants WHERE slug LIKE %L)', store, 'flow-%');
    END LOOP;
END
$$;
