-- Spells in which a workflow fails, until it succeeds again.
CREATE OR REPLACE FUNCTION bcce.recovery_episodes(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    failed_at timestamptz,
    recovered_at timestamptz,
    workflow_id text,
    workflow_name text,
    service_id text,
    runs_failed bigint,
    recovery_minutes double precision,
    open_minutes double precision,
    incident_id text
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        e.tenant_id,
        e.tenant_name,
        e.failed_at,
        CASE WHEN e.state = 'recovered' THEN e.ended_at END,
        e.workflow_id,
        w.name,
        e.service_id,
        e.runs_failed,
        CASE WHEN e.state = 'recovered' THEN extract(epoch FROM e.ended_at - e.failed_at)::double precision / 60 END,
        CASE WHEN e.state = 'open' THEN
            extract(epoch FROM (SELECT least(until, bcce.report_now())) - e.failed_at)::double precision / 60 END,
        e.incident_id
    FROM bcce_data.failure_episodes(until, false) e
    LEFT JOIN bcce_data.workflows w ON w.tenant_id = e.tenant_id AND w.workflow_id = e.workflow_id
    WHERE (since IS NULL OR e.failed_at >= since)
      AND (until IS NULL OR e.failed_at < until);
END;
COMMENT ON FUNCTION bcce.recovery_episodes(timestamptz, timestamptz) IS 'When did workflows begin to fail between since (inclusive) and until (exclusive), and when did they succeed again? NULL leaves an end open. Same columns as the view of this name; episodes form over all history, and what succeeded after the window is still open.';

CREATE OR REPLACE VIEW bcce.recovery_episodes WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.failed_at,
    x.recovered_at,
    x.workflow_id,
    x.workflow_name,
    x.service_id,
    x.runs_failed,
    x.recovery_minutes,
    x.open_minutes,
    x.incident_id
FROM bcce.recovery_episodes(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.recovery_episodes IS 'When did workflows fail, and when did they work again? One row per failure episode of a workflow: from its first failed run after a success to the next success. For a period use the function of this name.';
COMMENT ON COLUMN bcce.recovery_episodes.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.recovery_episodes.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.recovery_episodes.failed_at IS 'end of the first failed run of the episode';
COMMENT ON COLUMN bcce.recovery_episodes.recovered_at IS 'end of the next successful run; NULL: there is none yet, or its time lies over five minutes in the future';
COMMENT ON COLUMN bcce.recovery_episodes.workflow_id IS 'workflow';
COMMENT ON COLUMN bcce.recovery_episodes.workflow_name IS 'display name of the workflow; NULL: it was never declared';
COMMENT ON COLUMN bcce.recovery_episodes.service_id IS 'service of the first failed run, else of the workflow';
COMMENT ON COLUMN bcce.recovery_episodes.runs_failed IS 'runs of the episode that failed or timed out; cancelled ones neither count nor end it';
COMMENT ON COLUMN bcce.recovery_episodes.recovery_minutes IS 'time from failed_at to recovered_at, minutes; NULL: not recovered';
COMMENT ON COLUMN bcce.recovery_episodes.open_minutes IS 'age of an episode that is open, minutes, up to now or the window''s end; NULL: not open';
COMMENT ON COLUMN bcce.recovery_episodes.incident_id IS 'declared incident of the same service that the episode overlaps, the earliest of several; NULL: none';
