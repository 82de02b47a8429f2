-- Proves what analytics_overview counts, when it says NULL, that a window reads
-- as it was at its end, and what overview_json() answers.
SET timezone = 'UTC';
SET bcce.test_now = '2026-01-31 12:00:00+00';
SELECT bcce.create_tenant('over-acme', 'Acme', 'ext-acme') IS NOT NULL AS acme,
       bcce.create_tenant('over-beta', 'Beta') IS NOT NULL AS beta,
       bcce.create_tenant('over-idle', 'Idle') IS NOT NULL AS idle,
       bcce.create_tenant('over-gone', 'Gone') IS NOT NULL AS gone;
UPDATE bcce_data.tenants SET deleted_at = '2026-01-30 00:00:00+00' WHERE slug = 'over-gone';

-- Acme: 150 runs of which 12 failed.  Beta: 89 runs, one running, 11 failed.
INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, workflow_id, user_key, status, started_at, finished_at)
SELECT t.tenant_id, 'r' || n, 'w', 'u' || n % 5,
       CASE WHEN t.slug = 'over-beta' AND n = 89 THEN 'running'
            WHEN n <= CASE t.slug WHEN 'over-acme' THEN 6 ELSE 11 END THEN 'failed'
            WHEN t.slug = 'over-acme' AND n <= 12 THEN 'timed_out'
            ELSE 'succeeded' END,
       '2026-01-10 00:00:00+00'::timestamptz + n * interval '1 hour',
       CASE WHEN t.slug = 'over-beta' AND n = 89 THEN NULL
            ELSE '2026-01-10 00:30:00+00'::timestamptz + n * interval '1 hour' END
FROM bcce_data.tenants t
CROSS JOIN generate_series(1, 150) AS n
WHERE t.slug IN ('over-acme', 'over-gone') OR t.slug = 'over-beta' AND n <= 89;
-- Tests and skipped runs never count.
INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, workflow_id, status, started_at, finished_at, is_test)
SELECT t.tenant_id, 'not' || n, 'w', CASE n WHEN 1 THEN 'skipped' ELSE 'failed' END, '2026-01-11', '2026-01-11', n = 2
FROM bcce_data.tenants t CROSS JOIN generate_series(1, 2) AS n
WHERE t.slug = 'over-acme';
INSERT INTO bcce_data.services (tenant_id, service_id, service_name, expected_interval_seconds)
SELECT tenant_id, 's', 'S', 60 FROM bcce_data.tenants WHERE slug = 'over-acme';
INSERT INTO bcce_data.performance_metrics (tenant_id, idempotency_key, observed_at, service_id, p95_latency_ms, throughput_rps)
SELECT tenant_id, k, at::timestamptz, 's', p95, rps
FROM bcce_data.tenants
CROSS JOIN (VALUES ('a', '2026-01-20', 240.45, 88.4), ('b', '2026-01-21', 250.45, 90.0), ('c', '2026-01-22', NULL, NULL)) AS m (k, at, p95, rps)
WHERE slug = 'over-acme';
INSERT INTO bcce_data.predictions (tenant_id, prediction_id, predicted_at, model_name, target_kind, target_id, failure_probability)
SELECT tenant_id, 'p' || n, '2026-01-20', 'm', 'external', 'x' || n, 0.225
FROM bcce_data.tenants CROSS JOIN generate_series(1, 45) AS n
WHERE slug = 'over-acme';

SELECT tenant_name, total_workflows, failed_workflows, failure_rate_percent, finished_workflows, running_workflows,
       cancelled_workflows, success_rate_percent, failure_rate_low_percent, failure_rate_high_percent
FROM bcce.analytics_overview WHERE tenant_name IN ('Acme', 'Beta', 'Idle', 'Gone') ORDER BY tenant_name;
SELECT tenant_name, total_predictions, open_incidents, active_users, first_activity_at, last_activity_at, as_of
FROM bcce.analytics_overview WHERE tenant_name IN ('Acme', 'Beta', 'Idle') ORDER BY tenant_name;

-- The JSON has eight keys, in order, rounded half away from zero.
SELECT replace(bcce.overview_json('over-acme')::text, tenant_id::text, 'id') AS json FROM bcce_data.tenants WHERE slug = 'over-acme';
SELECT replace(bcce.overview_json('over-idle')::text, tenant_id::text, 'id') AS json FROM bcce_data.tenants WHERE slug = 'over-idle';
SELECT bcce.overview_json('ext-acme')::text = bcce.overview_json('over-acme')::text AS by_external_id,
       bcce.overview_json(tenant_id::text)::text = bcce.overview_json('over-acme')::text AS by_uuid_text,
       bcce.overview_json(upper('{' || tenant_id || '}'))::text = bcce.overview_json('over-acme')::text AS by_uuid_in_braces,
       bcce.overview_json(tenant_id)::text = bcce.overview_json('over-acme')::text AS by_uuid
FROM bcce_data.tenants WHERE slug = 'over-acme';
\set VERBOSITY sqlstate
SELECT bcce.overview_json('over-nobody');
SELECT bcce.overview_json('over-gone');
SELECT bcce.overview_json(NULL::text);
SELECT bcce.overview_json('00000000-0000-0000-0000-000000000000'::uuid);
\set VERBOSITY default

-- A window reads as it was at its end: r5 ends at 05:30, r6 starts at 06:00.
SELECT total_workflows, failed_workflows, finished_workflows, running_workflows, failure_rate_percent, as_of
FROM bcce.analytics_overview('2026-01-10 03:00:00+00', '2026-01-10 05:15:00+00') WHERE tenant_name = 'Acme';
-- Ended at the window's end is ended; started at it is outside.
SELECT total_workflows, running_workflows
FROM bcce.analytics_overview('2026-01-10 03:00:00+00', '2026-01-10 05:30:00+00') WHERE tenant_name = 'Acme';
SELECT total_workflows, running_workflows
FROM bcce.analytics_overview('2026-01-10 03:00:00+00', '2026-01-10 05:00:00+00') WHERE tenant_name = 'Acme';
-- Only running runs: a total, but no rate.
SELECT total_workflows, running_workflows, failure_rate_percent, success_rate_percent, failure_rate_low_percent
FROM bcce.analytics_overview('2026-01-13 17:00:00+00', NULL) WHERE tenant_name = 'Beta';
-- An empty window keeps its row.
SELECT total_workflows, failure_rate_percent, avg_p95_latency_ms, total_predictions, first_activity_at
FROM bcce.analytics_overview('2025-01-01', '2025-02-01') WHERE tenant_name = 'Acme';
-- The twin with open ends is the view; two halves add up.
SELECT count(*) AS rows_that_differ FROM (
    (SELECT to_jsonb(o) FROM bcce.analytics_overview o EXCEPT SELECT to_jsonb(o) FROM bcce.analytics_overview(NULL, NULL) o)
    UNION ALL
    (SELECT to_jsonb(o) FROM bcce.analytics_overview('1970-01-01', '2026-01-31 12:00:00+00') o EXCEPT SELECT to_jsonb(o) FROM bcce.analytics_overview o)
) d;
SELECT bool_and(a.total_workflows + b.total_workflows = w.total_workflows) AS halves_add_up
FROM bcce.analytics_overview w
JOIN bcce.analytics_overview(NULL, '2026-01-12') a USING (tenant_id)
JOIN bcce.analytics_overview('2026-01-12', NULL) b USING (tenant_id);

-- Throughput is weighted by length; a sample without one has the service's interval.
UPDATE bcce_data.performance_metrics SET window_seconds = 180
WHERE idempotency_key = 'a' AND tenant_id = (SELECT tenant_id FROM bcce_data.tenants WHERE slug = 'over-acme');
SELECT avg_throughput_rps::numeric(10, 4) AS weighted FROM bcce.analytics_overview WHERE tenant_name = 'Acme';

-- Digests merge: the percentile of all latencies, exact up to 32 of them.  None, or only an empty one, is unknown.
INSERT INTO bcce_data.performance_metrics (tenant_id, idempotency_key, observed_at, service_id, p95_latency_ms, is_test, latency_digest)
SELECT tenant_id, 'd' || day, make_timestamptz(2026, 1, day, 0, 0, 0, 'UTC'), 's', 1, day = 4,
       bcce.sketch_send((SELECT bcce.percentile_sketch(v) FROM generate_series(CASE day WHEN 1 THEN 1 WHEN 4 THEN 1000 ELSE 21 END, CASE day WHEN 1 THEN 20 WHEN 4 THEN 2000 ELSE 100 END) AS v))
FROM bcce_data.tenants CROSS JOIN unnest(ARRAY[1, 2, 4]) AS day WHERE slug = 'over-idle'
UNION ALL
SELECT tenant_id, 'none', '2026-01-03', 's', 7, false, bcce.sketch_send('version=1 scale=6'::bcce.sketch) FROM bcce_data.tenants WHERE slug = 'over-idle';
SELECT day, avg_p95_latency_ms, p95_latency_ms, p95_latency_ms BETWEEN 95 * (1 - 0.005416) AND 95 * 1.005416 AS within, p95_is_approximate
FROM (VALUES ('all', '2026-01-01', '2026-02-01'), ('first', '2026-01-01', '2026-01-02'), ('second', '2026-01-02', '2026-01-03'), ('empty', '2026-01-03', '2026-01-04'),
             ('test', '2026-01-04', '2026-01-05')) AS d (day, since, until)
CROSS JOIN LATERAL bcce.analytics_overview(since::timestamptz, until::timestamptz) o WHERE o.tenant_name = 'Idle' ORDER BY since, until;
DELETE FROM bcce_data.performance_metrics WHERE tenant_id = (SELECT tenant_id FROM bcce_data.tenants WHERE slug = 'over-idle');

-- Wilson at the edges, 0 of 1 and 1 of 1; 41 of 400 is 10.25, a tie that a float would round down; cancelled runs are not finished.
INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, workflow_id, status, started_at, finished_at)
SELECT tenant_id, 'i1', 'w', 'succeeded', '2026-01-01'::timestamptz, '2026-01-01'::timestamptz FROM bcce_data.tenants WHERE slug = 'over-idle'
UNION ALL
SELECT tenant_id, 'i2', 'w', 'failed', '2026-01-02', '2026-01-02' FROM bcce_data.tenants WHERE slug = 'over-idle'
UNION ALL
SELECT tenant_id, 'j' || n, 'w', CASE WHEN n <= 41 THEN 'failed' WHEN n = 401 THEN 'cancelled' ELSE 'succeeded' END, '2026-01-03', '2026-01-03'
FROM bcce_data.tenants CROSS JOIN generate_series(1, 401) AS n WHERE slug = 'over-idle';
SELECT since::date, failure_rate_percent, success_rate_percent, failure_rate_low_percent, failure_rate_high_percent, cancelled_workflows
FROM generate_series('2026-01-01', '2026-01-03', interval '1 day') AS since
CROSS JOIN LATERAL bcce.analytics_overview(since, since + interval '1 day') o
WHERE o.tenant_name = 'Idle' ORDER BY since;

-- Open incidents count whenever they began; merged, test, recovered ones do not.
INSERT INTO bcce_data.incidents (tenant_id, incident_id, opened_at, recovered_at, closed_at, merged_into, is_test)
SELECT t.tenant_id, i.id, i.opened_at::timestamptz, i.recovered_at::timestamptz, i.closed_at::timestamptz, i.merged_into, i.is_test
FROM bcce_data.tenants t
CROSS JOIN (VALUES
    ('open', '2025-06-01', NULL, NULL, NULL, false),
    ('later', '2026-01-20', '2026-01-25', NULL, NULL, false),
    ('closed', '2026-01-20', NULL, '2026-01-21', NULL, false),
    ('merged', '2026-01-20', NULL, NULL, 'open', false),
    ('test', '2026-01-20', NULL, NULL, NULL, true)) AS i (id, opened_at, recovered_at, closed_at, merged_into, is_test)
WHERE t.slug = 'over-idle';
SELECT (SELECT open_incidents FROM bcce.analytics_overview WHERE tenant_name = 'Idle') AS now,
       (SELECT open_incidents FROM bcce.analytics_overview('2026-01-22', '2026-01-23') WHERE tenant_name = 'Idle') AS then,
       (SELECT open_incidents FROM bcce.analytics_overview(NULL, '2026-01-25') WHERE tenant_name = 'Idle') AS at_recovery,
       (SELECT open_incidents FROM bcce.analytics_overview(NULL, '2025-06-01') WHERE tenant_name = 'Idle') AS before_all;

-- Users: of runs, events and model calls, once each; guests are none.
INSERT INTO bcce_data.events (tenant_id, idempotency_key, occurred_at, event_type, guest_key, user_key)
SELECT tenant_id, k, '2026-01-05', 'page_view', g, u FROM bcce_data.tenants
CROSS JOIN (VALUES ('1', 'g1', NULL), ('2', NULL, 'ann'), ('3', NULL, 'bob')) AS e (k, g, u) WHERE slug = 'over-idle';
INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, user_key, is_test)
SELECT tenant_id, k, '2026-01-06', 'm', u, k = '3' FROM bcce_data.tenants
CROSS JOIN (VALUES ('1', 'bob'), ('2', 'cid'), ('3', 'test')) AS c (k, u) WHERE slug = 'over-idle';
SELECT active_users, first_activity_at, last_activity_at FROM bcce.analytics_overview WHERE tenant_name = 'Idle';

-- Last attempts only: 1 is repeated by 2, and that by 3; the repeats of 4 are a skipped run and a test, and of another tenant;
-- 5 names itself; 6 is repeated after the 5th of January.
INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, workflow_id, user_key, status, started_at, finished_at, retry_of, is_test)
SELECT t.tenant_id, id, 'w', who, status, at::timestamptz, at::timestamptz, retry_of, is_test
FROM (VALUES ('idle', '1', 'dan', 'failed', '2026-01-03', NULL, false), ('idle', '2', 'dan', 'failed', '2026-01-04', '1', false), ('idle', '3', 'dan', 'succeeded', '2026-01-04', '2', false),
             ('idle', '4', 'eve', 'failed', '2026-01-04', NULL, false), ('idle', '4b', 'eve', 'skipped', '2026-01-04', '4', false), ('idle', '4c', 'eve', 'failed', '2026-01-04', '4', true),
             ('beta', '4d', 'eve', 'succeeded', '2026-01-04', '4', false), ('idle', '5', NULL, 'failed', '2026-01-04', '5', false),
             ('idle', '6', NULL, 'failed', '2026-01-04', NULL, false), ('idle', '6b', NULL, 'cancelled', '2026-01-06', '6', false)) AS r (tenant, id, who, status, at, retry_of, is_test)
JOIN bcce_data.tenants t ON t.slug = 'over-' || r.tenant;
SELECT retries, until, total_workflows AS total, failed_workflows AS failed, finished_workflows AS finished, cancelled_workflows AS cancelled,
       failure_rate_percent AS rate, active_users AS users, first_activity_at
FROM unnest(ARRAY[true, false]) AS retries CROSS JOIN unnest(ARRAY[NULL, '2026-01-05 00:00+00'::timestamptz]) AS until
CROSS JOIN LATERAL bcce.analytics_overview(NULL, until, retries) WHERE tenant_name = 'Idle' ORDER BY retries DESC, until;
SELECT total_workflows AS total FROM bcce.analytics_overview('2026-01-04', '2026-01-05', include_retries => false) WHERE tenant_name = 'Idle';

-- The twin is inlined.
CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS
$$BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END$$;
SELECT count(*) AS function_scans
FROM unnest(ARRAY['', ', true', ', false']) AS retries
CROSS JOIN LATERAL pg_temp.plan(format('SELECT * FROM bcce.analytics_overview(''2026-01-01'', ''2026-02-01''%s)', retries)) AS line WHERE line LIKE '%Function Scan%';

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
        EXECUTE format('DELETE FROM %s WHERE tenant_id IN (SELECT tenant_id FROM bcce_data.tenants WHERE slug LIKE %L)', store, 'over-%');
    END LOOP;
END
$$;
