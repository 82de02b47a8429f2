-- Proves the sample's rows of analytics_overview: 150 runs with 12 failures are
-- 8.0 percent; 89 runs started, 88 finished, 11 failed are 12.5; a tenant
-- without runs has a rate of NULL; and the four-column CSV, byte for byte.
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
ROLLBACK;
