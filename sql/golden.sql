-- Proves the sample's rows of analytics_overview: 150 runs with 12 failures are
-- 8.0 percent; 89 runs started, 88 finished, 11 failed are 12.5; a tenant
-- without runs has a rate of NULL; and the four-column CSV, byte for byte.
-- And those of mttr_analysis: 10, 20, 30 and 600 minutes and three still open
-- for 700, 800 and 900 are a median of 25 and a mean of 165, but 600 with the
-- open ones; with nothing open 10, 20, 30 and 40 are 25 and 20, and no warning.
BEGIN;
INSERT INTO bcce_data.tenants (tenant_id, tenant_name, slug) VALUES
    ('11111111-1111-1111-1111-111111111111', 'Acme Corp', 'golden-acme'),
    ('22222222-2222-2222-2222-222222222222', 'Beta Inc', 'golden-beta'),
    ('33333333-3333-3333-3333-333333333333', 'Gamma Ltd', 'golden-gamma');
INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, workflow_id, started_at, finished_at, status)
SELECT t.tenant_id, 'run-' || n, 'w', s.at,
       CASE WHEN n <= t.started - t.running THEN s.at + interval '1 minute' END,
       CASE WHEN n <= t.failed THEN 'failed' WHEN n <= t.started - t.running THEN 'succeeded' ELSE 'running' END
FROM (VALUES ('11111111-1111-1111-1111-111111111111'::uuid, 150, 0, 12), ('22222222-2222-2222-2222-222222222222', 89, 1, 11))
     AS t (tenant_id, started, running, failed)
CROSS JOIN LATERAL generate_series(1, t.started) AS n
CROSS JOIN LATERAL (SELECT '2026-01-05 08:00:00+00'::timestamptz + make_interval(mins => n)) AS s (at);

SELECT tenant_name, total_workflows, finished_workflows, failed_workflows, failure_rate_percent
FROM bcce.analytics_overview WHERE tenant_id IN
    ('11111111-1111-1111-1111-111111111111', '22222222-2222-2222-2222-222222222222', '33333333-3333-3333-3333-333333333333')
ORDER BY tenant_name;

-- As an export: the header and the rows of the sample.
\copy (SELECT tenant_id, tenant_name, total_workflows, failure_rate_percent FROM bcce.analytics_overview WHERE tenant_name IN ('Acme Corp', 'Beta Inc') ORDER BY total_workflows DESC) TO STDOUT (FORMAT csv, HEADER)
-- NULL leaves the field empty.
\copy (SELECT tenant_id, tenant_name, total_workflows, failure_rate_percent FROM bcce.analytics_overview WHERE tenant_name = 'Gamma Ltd') TO STDOUT (FORMAT csv, HEADER)

-- The time to recover, at noon: open ones by their age, recovered ones by their length.
SET LOCAL bcce.test_now = '2026-01-31 12:00:00+00';
INSERT INTO bcce_data.tenants (tenant_name, slug)
SELECT 'Mttr ' || name, 'golden-mttr-' || name FROM unnest(ARRAY['censored', 'closed', 'open', 'none', 'ahead', 'late']) AS name;
INSERT INTO bcce_data.incidents (tenant_id, incident_id, opened_at, recovered_at)
SELECT t.tenant_id, format('%s+%s', lasted, ahead), '2026-01-31 12:00:00+00'::timestamptz - lasted * interval '1 minute',
       CASE WHEN NOT is_open THEN '2026-01-31 12:00:00+00'::timestamptz + ahead * interval '1 minute' END
FROM (VALUES ('censored', 10, false, 0), ('censored', 20, false, 0), ('censored', 30, false, 0), ('censored', 600, false, 0),
             ('censored', 700, true, 0), ('censored', 800, true, 0), ('censored', 900, true, 0),
             ('closed', 10, false, 0), ('closed', 20, false, 0), ('closed', 30, false, 0), ('closed', 40, false, 0),
             ('open', 50, true, 0), ('open', 60, true, 0),
             -- Six minutes ahead are a wrong clock, four are not.
             ('ahead', 10, false, 4), ('ahead', 10, false, 6), ('ahead', 30, true, 0),
             -- One of three has recovered: the curve never reaches one half.
             ('late', 10, false, 0), ('late', 20, true, 0), ('late', 30, true, 0)) AS i (name, lasted, is_open, ahead)
JOIN bcce_data.tenants t ON t.slug = 'golden-mttr-' || i.name;
SELECT tenant_name, incident_count AS n, recovered_count AS recovered, open_count AS open, invalid_count AS invalid, avg_mttr_minutes AS avg,
       median_mttr_minutes AS median, median_mttr_incl_open_minutes AS median_incl_open, p95_mttr_incl_open_minutes AS p95_incl_open,
       mtta_incl_open_minutes AS mtta_incl_open, censoring_warning AS warning
FROM bcce.mttr_analysis WHERE tenant_name LIKE 'Mttr %' ORDER BY tenant_name;
-- As it was at 02:05, when the 600, 700, 800 and 900 had been open for 5, 105, 205 and 305 minutes.
SELECT tenant_name, open_count AS open, median_mttr_minutes AS median, median_mttr_incl_open_minutes AS median_incl_open, censoring_warning AS warning
FROM bcce.mttr_analysis(NULL, '2026-01-31 02:05:00+00') WHERE tenant_name = 'Mttr censored';
ROLLBACK;
