-- How runs ended, hour by hour.
CREATE OR REPLACE FUNCTION bcce.executions_by_status_hourly(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    period_start_at timestamptz,
    total_workflows bigint,
    succeeded_workflows bigint,
    failed_workflows bigint,
    timed_out_workflows bigint,
    cancelled_workflows bigint,
    running_workflows bigint
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        c.starts_at,
        run.total,
        run.succeeded,
        run.failed,
        run.timed_out,
        run.cancelled,
        run.running
    FROM bcce_data.tenants t
    CROSS JOIN LATERAL bcce_data.fact_ends(t.tenant_id, since, until) seen
    CROSS JOIN LATERAL bcce_data.local_hour(seen.last_run_at, t.timezone) last_hour
    -- To the window's end or now, so that an outage shows; to the last run where that is over 35 days ago.
    CROSS JOIN LATERAL (
        SELECT CASE WHEN until IS NOT NULL THEN
                         greatest(last_hour.starts_at, (SELECT least(until - interval '1 microsecond', bcce.report_now())))
                     WHEN last_hour.starts_at < (SELECT bcce.report_now() - interval '840 hours') THEN last_hour.starts_at
                     ELSE greatest(last_hour.starts_at, (SELECT bcce.report_now())) END AS last_at
    ) e
    CROSS JOIN LATERAL bcce_data.local_hours(seen.first_run_at, e.last_at, t.timezone) c
    CROSS JOIN LATERAL (
        SELECT
            count(*) AS total,
            count(*) FILTER (WHERE ended.by_now AND r.status = 'succeeded') AS succeeded,
            count(*) FILTER (WHERE ended.by_now AND r.status = 'failed') AS failed,
            count(*) FILTER (WHERE ended.by_now AND r.status = 'timed_out') AS timed_out,
            count(*) FILTER (WHERE ended.by_now AND r.status = 'cancelled') AS cancelled,
            count(*) FILTER (WHERE ended.by_now IS NOT TRUE) AS running
        FROM bcce_data.workflow_runs r
        CROSS JOIN LATERAL bcce_data.local_hour(r.started_at, t.timezone) hour
        CROSS JOIN LATERAL (SELECT r.finished_at <= (SELECT least(until, bcce.report_now())) AS by_now) ended
        WHERE r.tenant_id = t.tenant_id
          AND NOT r.is_test AND r.status <> 'skipped'
          AND r.started_at >= c.starts_at
          AND r.started_at < c.ends_at
          AND (c.is_whole OR hour.starts_at = c.starts_at)
          AND r.started_at >= coalesce(since, '-infinity')
          AND r.started_at < coalesce(until, 'infinity')
    ) run
    WHERE t.deleted_at IS NULL;
END;
COMMENT ON FUNCTION bcce.executions_by_status_hourly(timestamptz, timestamptz) IS 'How did the runs end that started between since (inclusive) and until (exclusive), hour by hour? NULL leaves an end open. Same columns as the view of this name; what finished after the window still counts as running.';

CREATE OR REPLACE VIEW bcce.executions_by_status_hourly WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.period_start_at,
    x.total_workflows,
    x.succeeded_workflows,
    x.failed_workflows,
    x.timed_out_workflows,
    x.cancelled_workflows,
    x.running_workflows
FROM bcce.executions_by_status_hourly(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.executions_by_status_hourly IS 'How do runs end, hour by hour? One row per visible tenant and hour of its clock from its first run to now (to its last where that is over 35 days ago), hours without any included. For a period use the function of this name.';
COMMENT ON COLUMN bcce.executions_by_status_hourly.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.executions_by_status_hourly.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.executions_by_status_hourly.period_start_at IS 'start of the hour by the clock of the tenant''s zone; a repeated hour is two';
COMMENT ON COLUMN bcce.executions_by_status_hourly.total_workflows IS 'runs started, skipped ones not';
COMMENT ON COLUMN bcce.executions_by_status_hourly.succeeded_workflows IS 'of these, succeeded';
COMMENT ON COLUMN bcce.executions_by_status_hourly.failed_workflows IS 'of these, failed';
COMMENT ON COLUMN bcce.executions_by_status_hourly.timed_out_workflows IS 'of these, timed out';
COMMENT ON COLUMN bcce.executions_by_status_hourly.cancelled_workflows IS 'of these, cancelled';
COMMENT ON COLUMN bcce.executions_by_status_hourly.running_workflows IS 'of these, not finished';
