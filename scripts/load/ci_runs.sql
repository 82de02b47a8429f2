-- CI runs of one repository, from stdin:
--   psql -v tenant=my-repo -f scripts/load/ci_runs.sql < my-repo.csv
\set name :tenant
\set zone UTC
\ir tenant.sql
CREATE TEMP TABLE ci (
    run_id text, workflow text, event text, status text, conclusion text, created_at text, updated_at text,
    duration_seconds text, head_sha text);
\copy ci FROM pstdin (FORMAT csv, HEADER)

-- The conclusions go in as they are: bcce_data.default_value_aliases knows
-- that success is succeeded and that action_required never ran (skipped).
INSERT INTO bcce.inbox_workflow_runs (tenant, run_id, workflow_id, status, started_at, finished_at, source)
SELECT :'tenant', run_id, workflow, conclusion, created_at, updated_at, 'github-actions'
FROM ci;

SELECT format('  %s: %s runs read, %s refused (%s)', :'tenant', count(*),
    (SELECT coalesce(sum(rejected_count), 0) FROM bcce.rejected r JOIN bcce_data.tenants t ON t.tenant_id = r.tenant_id
     WHERE r.source = 'inbox_workflow_runs' AND t.slug = :'tenant'),
    (SELECT string_agg(c.conclusion || ' ' || c.n, ', ' ORDER BY c.n DESC) FROM (SELECT conclusion, count(*) AS n FROM ci GROUP BY 1) c))
FROM ci \g (tuples_only=on format=unaligned)
