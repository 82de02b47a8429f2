-- Proves what guests do and how services are used, by local day, and how long
-- people take to a first run: guest_activity, service_usage, time_to_first_workflow,
-- first_workflow_by_user.
SET timezone = 'UTC';
SET bcce.test_now = '2015-11-03 12:00:00+00';
SELECT count(bcce.create_tenant('guest-' || name, 'Guest ' || name, timezone => 'America/New_York')) AS tenants
FROM unnest(ARRAY['york', 'idle', 'gone']) AS name;
CREATE FUNCTION pg_temp.tenant(name text) RETURNS uuid LANGUAGE sql STABLE AS
$$SELECT tenant_id FROM bcce_data.tenants WHERE slug = 'guest-' || name$$;
INSERT INTO bcce_data.services (tenant_id, service_id, service_name) VALUES (pg_temp.tenant('york'), 'app', 'App');
-- 1 November has 25 hours in New York: 04:00 to 05:00 UTC of the next day.
INSERT INTO bcce_data.events (tenant_id, idempotency_key, occurred_at, event_type, guest_key, guest_type, user_key, session_id, service_id, is_test)
SELECT pg_temp.tenant(tenant), id, at::timestamptz, kind, guest, segment, who, session, service, is_test
FROM (VALUES
    ('york', '1', '2015-11-01 03:59:59', 'page_view', 'g1', 'family', NULL, 's1', 'app', false),
    ('york', '2', '2015-11-01 04:00', 'page_view', 'g1', 'family', NULL, 's1', 'app', false),
    ('york', '3', '2015-11-02 04:59', 'search', 'g1', 'family', NULL, 's2', NULL, false),
    ('york', '4', '2015-11-01 12:00', 'faq_view', 'g2', 'family', NULL, 's3', 'bot', false),
    ('york', '5', '2015-11-01 12:00', 'chat_session', 'g3', NULL, NULL, NULL, 'bot', false),
    ('york', '6', '2015-11-01 12:00', 'other', 'g3', NULL, NULL, NULL, 'bot', false),
    ('york', '7', '2015-11-01 12:00', 'page_view', NULL, NULL, 'u1', 's4', 'app', false),
    ('york', '8', '2015-11-02 05:00', 'page_view', 'g1', 'business', NULL, 's5', NULL, false),
    ('york', '9', '2015-11-01 12:00', 'page_view', 'g9', 'family', NULL, 's9', 'app', true),
    ('gone', '1', '2015-11-01 12:00', 'page_view', 'g1', 'family', NULL, 's1', 'app', false)
) AS e (tenant, id, at, kind, guest, segment, who, session, service, is_test);
UPDATE bcce_data.tenants SET deleted_at = '2015-11-02' WHERE tenant_id = pg_temp.tenant('gone');
SELECT usage_date, period_start_at, guest_type, page_views, searches, faq_views, chat_sessions, events, sessions, guests
FROM bcce.guest_activity WHERE tenant_name LIKE 'Guest%' ORDER BY usage_date, guest_type;
SELECT usage_date, guest_type, events FROM bcce.guest_activity('2015-11-01 04:00', '2015-11-01 12:00') WHERE tenant_name LIKE 'Guest%';
SELECT usage_date, service_id, service_name, page_views, searches, faq_views, chat_sessions, events, sessions, guests, active_users
FROM bcce.service_usage WHERE tenant_name LIKE 'Guest%' ORDER BY usage_date, service_id;

-- 10 and 30 minutes to the first run; one ran before, one waits for 2 hours, one left after 5 hours, one comes in the future.
INSERT INTO bcce_data.principals (tenant_id, user_key, provisioned_at, deprovisioned_at)
SELECT pg_temp.tenant('york'), who, at::timestamptz, until::timestamptz
FROM (VALUES ('a', '2015-11-01 10:00', NULL), ('b', '2015-11-01 10:00', NULL), ('c', '2015-11-01 10:00', NULL), ('d', '2015-11-03 10:00', NULL),
             ('e', '2015-11-01 10:00', '2015-11-01 15:00'), ('f', '2015-12-01', NULL), ('g', NULL, NULL)) AS p (who, at, until);
INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, workflow_id, user_key, status, started_at, finished_at, is_test)
SELECT pg_temp.tenant('york'), id, 'w', who, status, at::timestamptz, CASE WHEN status <> 'running' THEN at::timestamptz END, is_test
FROM (VALUES ('1', 'a', 'running', '2015-11-01 10:10', false), ('2', 'b', 'failed', '2015-11-01 10:30', false), ('3', 'c', 'failed', '2015-11-01 09:00', false),
             ('4', 'c', 'failed', '2015-11-01 11:00', false), ('5', 'd', 'failed', '2015-11-03 10:01', true), ('6', 'd', 'skipped', '2015-11-03 10:01', false)) AS r (id, who, status, at, is_test);
SELECT tenant_name, provisioned_users AS provisioned, started_users AS started, ran_before_users AS before, waiting_users AS waiting,
       median_minutes AS median, longest_wait_minutes AS longest
FROM bcce.time_to_first_workflow WHERE tenant_name LIKE 'Guest%' ORDER BY tenant_name;
SELECT user_key LIKE 'user\_%' AS keyed, provisioned_at, first_run_at, first_run_minutes AS minutes, waiting_minutes AS waiting, is_waiting
FROM bcce.first_workflow_by_user WHERE tenant_name LIKE 'Guest%' ORDER BY provisioned_at, minutes, waiting;
SELECT user_key LIKE 'user\_%' AS keyed, first_run_minutes AS minutes, waiting_minutes AS waiting
FROM bcce.first_workflow_by_user('2015-11-01 10:00', '2015-11-01 10:20') WHERE tenant_name LIKE 'Guest%' ORDER BY provisioned_at, minutes, waiting;
-- At 10:20 only one of three had run; the others had waited for 20 minutes: the median is not known.
SELECT provisioned_users AS provisioned, started_users AS started, waiting_users AS waiting, median_minutes AS median, longest_wait_minutes AS longest
FROM bcce.time_to_first_workflow(NULL, '2015-11-01 10:20') WHERE tenant_name = 'Guest york';

CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS
$$BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END$$;
SELECT report, count(line) FILTER (WHERE line ~ 'Function Scan' AND line !~ 'generate_series|unnest') AS function_scans
FROM unnest(ARRAY['guest_activity', 'service_usage', 'time_to_first_workflow', 'first_workflow_by_user']) AS report
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
        EXECUTE format('DELETE FROM %s WHERE tenant_id IN (SELECT tenant_id FROM bcce_data.tenants WHERE slug LIKE %L)', store, 'guest-%');
    END LOOP;
END
$$;
