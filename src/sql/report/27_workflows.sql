-- Runs that fail, drag or hang.
CREATE OR REPLACE FUNCTION bcce.top_failures(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    failure_rank bigint,
    workflow_id text,
    workflow_name text,
    error_class text,
    failure_count bigint,
    share_percent numeric,
    last_error_message text,
    first_failed_at timestamptz,
    last_failed_at timestamptz
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        f.tenant_id,
        f.tenant_name,
        row_number() OVER (PARTITION BY f.tenant_id ORDER BY f.failures DESC, f.workflow_id COLLATE "C", f.error_class COLLATE "C"),
        f.workflow_id,
        w.name,
        f.error_class,
        f.failures,
        round(100.0 * f.failures / sum(f.failures) OVER (PARTITION BY f.tenant_id), 1),
        f.last_message,
        f.first_at,
        f.last_at
    FROM (
        -- Ranked and not collected: a workflow may have failed a million times.
        SELECT
            k.tenant_id,
            k.tenant_name,
            k.workflow_id,
            k.error_class,
            count(*) AS failures,
            max(k.error_message) FILTER (WHERE k.recency = 1) AS last_message,
            min(k.finished_at) AS first_at,
            max(k.finished_at) AS last_at
        FROM (
            SELECT
                t.tenant_id,
                t.tenant_name,
                r.workflow_id,
                class.error_class,
                r.error_message,
                r.finished_at,
                row_number() OVER (PARTITION BY t.tenant_id, r.workflow_id, class.error_class, r.error_message IS NULL
                                   ORDER BY r.finished_at DESC, r.run_id DESC) AS recency
            FROM bcce_data.tenants t
            JOIN bcce_data.workflow_runs r ON r.tenant_id = t.tenant_id
            CROSS JOIN LATERAL (SELECT coalesce(r.error_class, 'unclassified') AS error_class) class
            WHERE t.deleted_at IS NULL
              AND NOT r.is_test
              AND r.status IN ('failed', 'timed_out')
              AND r.started_at >= coalesce(since, '-infinity')
              AND r.started_at < coalesce(until, 'infinity')
              AND r.finished_at <= (SELECT least(until, bcce.report_now()))
        ) k
        GROUP BY k.tenant_id, k.tenant_name, k.workflow_id, k.error_class
    ) f
    LEFT JOIN bcce_data.workflows w ON w.tenant_id = f.tenant_id AND w.workflow_id = f.workflow_id;
END;
COMMENT ON FUNCTION bcce.top_failures(timestamptz, timestamptz) IS 'What failed most among the runs that started between since (inclusive) and until (exclusive)? NULL leaves an end open. Same columns as the view of this name; what failed after the window does not count.';

CREATE OR REPLACE VIEW bcce.top_failures WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.failure_rank,
    x.workflow_id,
    x.workflow_name,
    x.error_class,
    x.failure_count,
    x.share_percent,
    x.last_error_message,
    x.first_failed_at,
    x.last_failed_at
FROM bcce.top_failures(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.top_failures IS 'Which workflow fails most, and with which error? One row per visible tenant, workflow and error class with a failed run. For a period use the function of this name.';
COMMENT ON COLUMN bcce.top_failures.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.top_failures.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.top_failures.failure_rank IS 'place in the tenant''s list, 1 for most failures; ties by workflow and error class';
COMMENT ON COLUMN bcce.top_failures.workflow_id IS 'workflow';
COMMENT ON COLUMN bcce.top_failures.workflow_name IS 'display name of the workflow; NULL: it was never declared';
COMMENT ON COLUMN bcce.top_failures.error_class IS 'error class; unclassified where the sender gave none';
COMMENT ON COLUMN bcce.top_failures.failure_count IS 'failed and timed out runs';
COMMENT ON COLUMN bcce.top_failures.share_percent IS 'percent of the tenant''s failed runs, one decimal';
COMMENT ON COLUMN bcce.top_failures.last_error_message IS 'message of the latest of them that has one, redacted';
COMMENT ON COLUMN bcce.top_failures.first_failed_at IS 'end of the first of them';
COMMENT ON COLUMN bcce.top_failures.last_failed_at IS 'end of the last of them';

-- The latest failures of each tenant.
CREATE OR REPLACE FUNCTION bcce.recent_workflow_errors(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    recency_rank bigint,
    finished_at timestamptz,
    run_id text,
    workflow_id text,
    workflow_name text,
    service_id text,
    status text,
    error_class text,
    error_message text,
    duration_seconds double precision
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        f.tenant_id,
        f.tenant_name,
        f.place,
        f.finished_at,
        f.run_id,
        f.workflow_id,
        w.name,
        coalesce(f.service_id, w.service_id),
        f.status,
        f.error_class,
        f.error_message,
        f.duration_s
    FROM (
        SELECT
            t.tenant_id,
            t.tenant_name,
            r.finished_at,
            r.run_id,
            r.workflow_id,
            r.service_id,
            r.status,
            r.error_class,
            r.error_message,
            r.duration_s,
            row_number() OVER (PARTITION BY t.tenant_id ORDER BY r.finished_at DESC, r.run_id DESC) AS place
        FROM bcce_data.tenants t
        JOIN bcce_data.workflow_runs r ON r.tenant_id = t.tenant_id
        WHERE t.deleted_at IS NULL
          AND NOT r.is_test
          AND r.status IN ('failed', 'timed_out')
          AND r.started_at >= coalesce(since, '-infinity')
          AND r.started_at < coalesce(until, 'infinity')
          AND r.finished_at <= (SELECT least(until, bcce.report_now()))
    ) f
    LEFT JOIN bcce_data.workflows w ON w.tenant_id = f.tenant_id AND w.workflow_id = f.workflow_id
    WHERE f.place <= 20;
END;
COMMENT ON FUNCTION bcce.recent_workflow_errors(timestamptz, timestamptz) IS 'Which were the latest failures among the runs that started between since (inclusive) and until (exclusive)? NULL leaves an end open. Same columns as the view of this name; what failed after the window does not count.';

CREATE OR REPLACE VIEW bcce.recent_workflow_errors WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.recency_rank,
    x.finished_at,
    x.run_id,
    x.workflow_id,
    x.workflow_name,
    x.service_id,
    x.status,
    x.error_class,
    x.error_message,
    x.duration_seconds
FROM bcce.recent_workflow_errors(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.recent_workflow_errors IS 'Which runs failed last? One row per failed run, the latest 20 of each visible tenant. For a period use the function of this name.';
COMMENT ON COLUMN bcce.recent_workflow_errors.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.recent_workflow_errors.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.recent_workflow_errors.recency_rank IS '1 for the latest failure of the tenant';
COMMENT ON COLUMN bcce.recent_workflow_errors.finished_at IS 'when the run failed';
COMMENT ON COLUMN bcce.recent_workflow_errors.run_id IS 'run';
COMMENT ON COLUMN bcce.recent_workflow_errors.workflow_id IS 'workflow';
COMMENT ON COLUMN bcce.recent_workflow_errors.workflow_name IS 'display name of the workflow; NULL: it was never declared';
COMMENT ON COLUMN bcce.recent_workflow_errors.service_id IS 'service of the run, else of the workflow';
COMMENT ON COLUMN bcce.recent_workflow_errors.status IS 'failed or timed_out';
COMMENT ON COLUMN bcce.recent_workflow_errors.error_class IS 'error class; NULL: the sender gave none';
COMMENT ON COLUMN bcce.recent_workflow_errors.error_message IS 'error message, redacted';
COMMENT ON COLUMN bcce.recent_workflow_errors.duration_seconds IS 'how long the run ran, seconds';

-- Runs that took over ten minutes.
CREATE OR REPLACE FUNCTION bcce.slow_runs(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    started_at timestamptz,
    finished_at timestamptz,
    run_id text,
    workflow_id text,
    workflow_name text,
    service_id text,
    status text,
    duration_seconds double precision
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        r.started_at,
        r.finished_at,
        r.run_id,
        r.workflow_id,
        w.name,
        coalesce(r.service_id, w.service_id),
        r.status,
        r.duration_s
    FROM bcce_data.tenants t
    JOIN bcce_data.workflow_runs r ON r.tenant_id = t.tenant_id
    LEFT JOIN bcce_data.workflows w ON w.tenant_id = r.tenant_id AND w.workflow_id = r.workflow_id
    WHERE t.deleted_at IS NULL
      AND NOT r.is_test
      AND r.status IN ('succeeded', 'failed', 'timed_out')
      AND r.duration_s > 600
      AND r.started_at >= coalesce(since, '-infinity')
      AND r.started_at < coalesce(until, 'infinity')
      AND r.finished_at <= (SELECT least(until, bcce.report_now()));
END;
COMMENT ON FUNCTION bcce.slow_runs(timestamptz, timestamptz) IS 'Which runs that started between since (inclusive) and until (exclusive) took over 600 seconds? NULL leaves an end open. Same columns as the view of this name; what finished after the window does not count.';

CREATE OR REPLACE VIEW bcce.slow_runs WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.started_at,
    x.finished_at,
    x.run_id,
    x.workflow_id,
    x.workflow_name,
    x.service_id,
    x.status,
    x.duration_seconds
FROM bcce.slow_runs(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.slow_runs IS 'Which runs were slow and took too long? One row per run that succeeded, failed or timed out after more than 600 seconds. For a period use the function of this name.';
COMMENT ON COLUMN bcce.slow_runs.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.slow_runs.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.slow_runs.started_at IS 'when the run started';
COMMENT ON COLUMN bcce.slow_runs.finished_at IS 'when the run finished';
COMMENT ON COLUMN bcce.slow_runs.run_id IS 'run';
COMMENT ON COLUMN bcce.slow_runs.workflow_id IS 'workflow';
COMMENT ON COLUMN bcce.slow_runs.workflow_name IS 'display name of the workflow; NULL: it was never declared';
COMMENT ON COLUMN bcce.slow_runs.service_id IS 'service of the run, else of the workflow';
COMMENT ON COLUMN bcce.slow_runs.status IS 'succeeded, failed or timed_out';
COMMENT ON COLUMN bcce.slow_runs.duration_seconds IS 'how long the run ran, seconds';

-- Runs that do not end.
CREATE OR REPLACE FUNCTION bcce.hung_runs(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    started_at timestamptz,
    run_id text,
    workflow_id text,
    workflow_name text,
    service_id text,
    running_seconds double precision
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        r.started_at,
        r.run_id,
        r.workflow_id,
        w.name,
        coalesce(r.service_id, w.service_id),
        extract(epoch FROM (SELECT least(until, bcce.report_now())) - r.started_at)::double precision
    FROM bcce_data.tenants t
    JOIN bcce_data.workflow_runs r ON r.tenant_id = t.tenant_id
    LEFT JOIN bcce_data.workflows w ON w.tenant_id = r.tenant_id AND w.workflow_id = r.workflow_id
    WHERE t.deleted_at IS NULL
      AND NOT r.is_test
      AND r.status <> 'skipped'
      AND r.started_at >= coalesce(since, '-infinity')
      AND r.started_at < coalesce(until, 'infinity')
      AND r.started_at < (SELECT least(until, bcce.report_now()) - interval '1800 seconds')
      AND (r.finished_at IS NULL OR r.finished_at > (SELECT least(until, bcce.report_now())));
END;
COMMENT ON FUNCTION bcce.hung_runs(timestamptz, timestamptz) IS 'Which runs that started between since (inclusive) and until (exclusive) had run for over 1800 seconds at the end of the window? NULL leaves an end open. Same columns as the view of this name.';

CREATE OR REPLACE VIEW bcce.hung_runs WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.started_at,
    x.run_id,
    x.workflow_id,
    x.workflow_name,
    x.service_id,
    x.running_seconds
FROM bcce.hung_runs(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.hung_runs IS 'Which runs hang? One row per run that has been running for more than 1800 seconds. For a period use the function of this name.';
COMMENT ON COLUMN bcce.hung_runs.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.hung_runs.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.hung_runs.started_at IS 'when the run started';
COMMENT ON COLUMN bcce.hung_runs.run_id IS 'run';
COMMENT ON COLUMN bcce.hung_runs.workflow_id IS 'workflow';
COMMENT ON COLUMN bcce.hung_runs.workflow_name IS 'display name of the workflow; NULL: it was never declared';
COMMENT ON COLUMN bcce.hung_runs.service_id IS 'service of the run, else of the workflow';
COMMENT ON COLUMN bcce.hung_runs.running_seconds IS 'how long it has been running, seconds, now or at the window''s end';
