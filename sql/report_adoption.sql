-- Proves who takes part and how well is deployed, by local month, and the
-- numbers for programs: adoption, dora_metrics, metrics().
SET timezone = 'UTC';
SET bcce.test_now = '2015-11-11 05:00:00+00';
SELECT count(bcce.create_tenant('adopt-' || name, 'Adopt ' || name, timezone => 'America/New_York')) AS tenants
FROM unnest(ARRAY['york', 'idle', 'gone']) AS name;
CREATE FUNCTION pg_temp.tenant(name text) RETURNS uuid LANGUAGE sql STABLE AS
$$SELECT tenant_id FROM bcce_data.tenants WHERE slug = 'adopt-' || name$$;
INSERT INTO bcce_data.teams (tenant_id, team_id, team_name) SELECT pg_temp.tenant('york'), t, t FROM unnest(ARRAY['red', 'blue', 'empty']) AS t;
INSERT INTO bcce_data.principals (tenant_id, user_key, team_id, provisioned_at, deprovisioned_at)
SELECT pg_temp.tenant('york'), who, team, at::timestamptz, until::timestamptz
FROM (VALUES ('a', 'red', '2015-01-01', NULL), ('b', 'blue', '2015-01-01', NULL), ('c', 'blue', '2015-11-05', NULL), ('d', NULL, '2015-01-01', '2015-10-15'),
             ('e', NULL, '2015-12-01', NULL)) AS p (who, team, at, until);
-- October ends at 04:00 UTC on 1 November; ten days of 24 hours and an hour more have passed since.
INSERT INTO bcce_data.workflows (tenant_id, workflow_id, name, kind) VALUES (pg_temp.tenant('york'), 'd', 'Deploy', 'deployment');
INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, workflow_id, user_key, status, started_at, finished_at, is_test)
SELECT pg_temp.tenant(tenant), id, workflow, who, status, at::timestamptz, CASE WHEN status <> 'running' THEN at::timestamptz + interval '1 hour' END, is_test
FROM (VALUES
    ('york', '1', 'd', 'a', 'succeeded', '2015-10-10 12:00', false), ('york', '2', 'd', 'b', 'failed', '2015-11-01 03:59', false),
    ('york', '3', 'd', 'a', 'succeeded', '2015-11-01 04:00', false), ('york', '4', 'd', 'a', 'timed_out', '2015-11-02 04:00', false),
    ('york', '5', 'd', 'x', 'running', '2015-11-11 04:00', false), ('york', '6', 'd', 'x', 'cancelled', '2015-11-10 05:00', false),
    ('york', '7', 'j', 'a', 'failed', '2015-11-10 04:59:59', false), ('york', '8', 'd', 'b', 'failed', '2015-11-10 12:00', true),
    ('york', '9', 'd', 'b', 'skipped', '2015-11-10 12:00', false), ('gone', '1', 'd', 'a', 'failed', '2015-11-10 12:00', false)
) AS r (tenant, id, workflow, who, status, at, is_test);
UPDATE bcce_data.tenants SET deleted_at = '2015-11-10' WHERE tenant_id = pg_temp.tenant('gone');
SELECT month, period_start_at, active_users AS active, invited_users AS invited, active_invited_users AS both, active_percent AS percent, teams,
       active_teams, active_teams_percent AS teams_percent, retained_users AS retained, retained_percent
FROM bcce.adoption WHERE tenant_name LIKE 'Adopt%' ORDER BY month;
-- Activity before the window counts for being retained only.
SELECT month, active_users AS active, retained_users AS retained, retained_percent FROM bcce.adoption('2015-11-11', NULL) WHERE tenant_name LIKE 'Adopt%';
SELECT month, active_users AS active, retained_users AS retained, retained_percent FROM bcce.adoption('2015-11-02', '2015-11-03') WHERE tenant_name LIKE 'Adopt%';
-- Months without anybody are rows of zeros.  July ends at 04:00 UTC on 1 August: its last seven days begin on the 25th.
INSERT INTO bcce_data.principals (tenant_id, user_key, provisioned_at) VALUES (pg_temp.tenant('idle'), 'a', '2015-09-30');
INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, user_key, session_id)
SELECT pg_temp.tenant('idle'), id, at::timestamptz, 'm', who, session
FROM (VALUES ('1', '2015-07-05 12:00', 'a', 's1'), ('2', '2015-07-25 03:59', 'b', 's1'), ('3', '2015-07-25 04:00', 'c', 's2'), ('4', '2015-08-01 03:59', 'd', 's3'),
             ('5', '2015-10-20 12:00', 'a', NULL), ('6', '2015-10-30 12:00', 'a', NULL)) AS u (id, at, who, session);
INSERT INTO bcce_data.events (tenant_id, idempotency_key, occurred_at, event_type, session_id) VALUES (pg_temp.tenant('idle'), 'e', '2015-08-15', 'view', 's1');
SELECT month, active_users AS active, weekly_active_users AS weekly, wau_mau_percent AS percent, sessions, invited_users AS invited, active_percent,
       retained_users AS retained, retained_percent
FROM bcce.adoption WHERE tenant_name = 'Adopt idle' ORDER BY month;
-- The last seven days up to the window's end, 00:00 on 29 July in New York; the window's start leaves the first out.
SELECT month, active_users AS active, weekly_active_users AS weekly, sessions FROM bcce.adoption('2015-07-06', '2015-07-29 04:00') WHERE tenant_name = 'Adopt idle';
SELECT month, active_users AS active, weekly_active_users AS weekly, retained_percent FROM bcce.adoption('2015-07-01 04:00', '2015-09-01 04:00') WHERE tenant_name = 'Adopt idle' ORDER BY month;
DELETE FROM bcce_data.model_usage WHERE tenant_id = pg_temp.tenant('idle') AND at >= '2015-10-01';
SELECT count(*) AS months FROM bcce.adoption WHERE tenant_name = 'Adopt idle';
DELETE FROM bcce_data.events WHERE tenant_id = pg_temp.tenant('idle');
INSERT INTO bcce_data.incidents (tenant_id, incident_id, opened_at, recovered_at) VALUES (pg_temp.tenant('york'), 'i', '2015-11-03', '2015-11-03 00:30');
SELECT month, deployments_started AS started, deployments_succeeded AS succeeded, deployments_failed AS failed, deployments_per_day AS per_day,
       change_failure_rate_percent AS failure_rate, median_recovery_minutes AS recovery
FROM bcce.dora_metrics WHERE tenant_name LIKE 'Adopt%' ORDER BY month;
SELECT deployments_started AS started, deployments_succeeded AS succeeded, deployments_per_day AS per_day, change_failure_rate_percent AS failure_rate
FROM bcce.dora_metrics('2015-11-01 04:00', '2015-11-01 05:00') WHERE tenant_name LIKE 'Adopt%';

-- Months without a deployment are rows, to the window's end; the rates are not known there.
SELECT month, deployments_started AS started, deployments_per_day AS per_day, change_failure_rate_percent AS failure_rate, median_recovery_minutes AS recovery
FROM bcce.dora_metrics(NULL, '2015-11-01 03:00') WHERE tenant_name LIKE 'Adopt%';
BEGIN;
SET LOCAL bcce.test_now = '2015-12-06 05:00:00+00';
SELECT month, deployments_started AS started, deployments_per_day AS per_day, change_failure_rate_percent AS failure_rate, median_recovery_minutes AS recovery
FROM bcce.dora_metrics WHERE tenant_name LIKE 'Adopt%' ORDER BY month;
SET LOCAL bcce.test_now = '2016-02-06 05:00:00+00';
SELECT max(month) AS last FROM bcce.dora_metrics WHERE tenant_name LIKE 'Adopt%';
SELECT max(month) AS last FROM bcce.dora_metrics('2015-11-01', '2016-02-01 05:00+00') WHERE tenant_name LIKE 'Adopt%';
ROLLBACK;

-- Numbers for programs, as a reader of one tenant sees them.
SET client_min_messages = warning;
SELECT bcce.create_login('regress_adopt_reader', 'adopt-york');
RESET client_min_messages;
INSERT INTO bcce_data.events (tenant_id, idempotency_key, occurred_at, event_type, guest_type, session_id, is_test)
SELECT pg_temp.tenant(tenant), id, at::timestamptz, kind, segment, session, is_test
FROM (VALUES ('york', '1', '2015-11-11 04:59', 'page_view', 'family', 's', false), ('york', '2', '2015-11-11 04:58', 'page_view', NULL, 's', false),
             ('york', '3', '2015-11-10 05:00', 'search', 'family', 's', false), ('york', '4', '2015-11-10 04:59:59', 'page_view', 'family', NULL, false),
             ('york', '5', '2015-11-11 05:00:01', 'page_view', 'family', 's', false), ('york', '6', '2015-11-11 04:58', 'page_view', NULL, 's', true),
             ('idle', '1', '2015-11-11 04:58', 'page_view', NULL, 's', false)) AS e (tenant, id, at, kind, segment, session, is_test);
SET SESSION AUTHORIZATION regress_adopt_reader;
SET timezone = 'UTC';
SELECT * FROM bcce.metrics('page_views', '24h');
SELECT * FROM bcce.metrics('page_views') ORDER BY period_start_at;
SELECT * FROM bcce.metrics('page_views', '30d', 'guest_type') ORDER BY period_start_at, segment;
SELECT * FROM bcce.metrics('sessions', '24h') ORDER BY period_start_at;
SELECT metric_type, sum(value) AS value
FROM unnest(ARRAY['events', 'searches', 'faq_views', 'workflow_runs']) AS metric_type LEFT JOIN LATERAL bcce.metrics(metric_type, '2d') ON true
GROUP BY metric_type ORDER BY metric_type;
\set SHOW_CONTEXT never
SELECT * FROM bcce.metrics('clicks');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM bcce.metrics('events', '1 week');
SELECT * FROM bcce.metrics('events', '7d', 'country');
SELECT * FROM bcce.metrics('workflow_runs', '7d', 'guest_type');
RESET SESSION AUTHORIZATION;
DROP OWNED BY regress_adopt_reader;
DROP ROLE regress_adopt_reader;

CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS
$$BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END$$;
SELECT report, count(line) FILTER (WHERE line ~ 'Function Scan' AND line !~ 'generate_series|unnest') AS function_scans
FROM unnest(ARRAY['adoption', 'dora_metrics']) AS report
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
        EXECUTE format('DELETE FROM %s WHERE tenant_id IN (SELECT tenant_id FROM bcce_data.tenants WHERE slug LIKE %L)', store, 'adopt-%');
    END LOOP;
END
$$;
