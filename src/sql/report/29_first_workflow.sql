-- How long people take until they first run something.
CREATE OR REPLACE FUNCTION bcce.first_workflow_by_user(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    user_key text,
    team_id text,
    provisioned_at timestamptz,
    first_run_at timestamptz,
    first_run_minutes double precision,
    waiting_minutes double precision,
    is_waiting boolean
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        p.user_key,
        p.team_id,
        p.provisioned_at,
        f.first_at,
        CASE WHEN f.first_at >= p.provisioned_at THEN extract(epoch FROM f.first_at - p.provisioned_at)::double precision / 60 END,
        CASE WHEN f.first_at IS NULL THEN extract(epoch FROM
            least(p.deprovisioned_at, (SELECT least(until, bcce.report_now()))) - p.provisioned_at)::double precision / 60 END,
        f.first_at IS NULL
    FROM bcce_data.tenants t
    JOIN bcce_data.principals p ON p.tenant_id = t.tenant_id
    LEFT JOIN (
        SELECT r.tenant_id, r.user_key, min(r.started_at) AS first_at
        FROM bcce_data.workflow_runs r
        WHERE NOT r.is_test AND r.status <> 'skipped' AND r.user_key IS NOT NULL
          AND r.started_at < coalesce(until, 'infinity')
        GROUP BY r.tenant_id, r.user_key
    ) f ON f.tenant_id = p.tenant_id AND f.user_key = p.user_key
    WHERE t.deleted_at IS NULL
      AND isfinite(p.provisioned_at)
      AND (since IS NULL OR p.provisioned_at >= since)
      AND (until IS NULL OR p.provisioned_at < until)
      AND p.provisioned_at <= (SELECT least(until, bcce.report_now()));
END;
COMMENT ON FUNCTION bcce.first_workflow_by_user(timestamptz, timestamptz) IS 'How long did each of those provisioned between since (inclusive) and until (exclusive) take to a first run? NULL leaves an end open. Same columns as the view of this name; who first ran one after the window still waits.';

CREATE OR REPLACE VIEW bcce.first_workflow_by_user WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.user_key,
    x.team_id,
    x.provisioned_at,
    x.first_run_at,
    x.first_run_minutes,
    x.waiting_minutes,
    x.is_waiting
FROM bcce.first_workflow_by_user(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.first_workflow_by_user IS 'How long does each person take until a first run? One row per person with a known time of provisioning. For a period use the function of this name.';
COMMENT ON COLUMN bcce.first_workflow_by_user.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.first_workflow_by_user.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.first_workflow_by_user.user_key IS 'pseudonym of the person';
COMMENT ON COLUMN bcce.first_workflow_by_user.team_id IS 'team of the person; NULL: none known';
COMMENT ON COLUMN bcce.first_workflow_by_user.provisioned_at IS 'when access was given';
COMMENT ON COLUMN bcce.first_workflow_by_user.first_run_at IS 'start of the first run; NULL: none yet';
COMMENT ON COLUMN bcce.first_workflow_by_user.first_run_minutes IS 'time from provisioning to the first run, minutes; NULL: none yet, or it was before';
COMMENT ON COLUMN bcce.first_workflow_by_user.waiting_minutes IS 'time that one who ran none yet has waited, minutes, up to deprovisioning, now or the window''s end; NULL: not waiting';
COMMENT ON COLUMN bcce.first_workflow_by_user.is_waiting IS 'true for one who ran none yet: the time to the first run is longer than waiting_minutes (censored)';

-- The same, one row per tenant.
CREATE OR REPLACE FUNCTION bcce.time_to_first_workflow(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    provisioned_users bigint,
    started_users bigint,
    ran_before_users bigint,
    waiting_users bigint,
    median_minutes double precision,
    longest_wait_minutes double precision
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        count(u.user_key),
        count(u.first_run_minutes),
        count(*) FILTER (WHERE u.first_run_at < u.provisioned_at),
        count(*) FILTER (WHERE u.is_waiting),
        bcce.km_quantile(coalesce(u.first_run_minutes, u.waiting_minutes), NOT u.is_waiting, 0.5),
        max(u.waiting_minutes)
    FROM bcce_data.tenants t
    LEFT JOIN bcce.first_workflow_by_user(since, until) u ON u.tenant_id = t.tenant_id
    WHERE t.deleted_at IS NULL
    GROUP BY t.tenant_id, t.tenant_name;
END;
COMMENT ON FUNCTION bcce.time_to_first_workflow(timestamptz, timestamptz) IS 'How long did it take until those provisioned between since (inclusive) and until (exclusive) first ran a workflow? NULL leaves an end open. Same columns as the view of this name; who first ran one after the window still waits.';

CREATE OR REPLACE VIEW bcce.time_to_first_workflow WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.provisioned_users,
    x.started_users,
    x.ran_before_users,
    x.waiting_users,
    x.median_minutes,
    x.longest_wait_minutes
FROM bcce.time_to_first_workflow(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.time_to_first_workflow IS 'How long does it take until people first run a workflow? One row per visible tenant. For a period use the function of this name.';
COMMENT ON COLUMN bcce.time_to_first_workflow.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.time_to_first_workflow.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.time_to_first_workflow.provisioned_users IS 'people with a known time of provisioning';
COMMENT ON COLUMN bcce.time_to_first_workflow.started_users IS 'of these, who ran a workflow since';
COMMENT ON COLUMN bcce.time_to_first_workflow.ran_before_users IS 'of these, whose first run is before their provisioning: left out of the median';
COMMENT ON COLUMN bcce.time_to_first_workflow.waiting_users IS 'of these, who ran none yet: in the median, they count as taking longer than they have waited';
COMMENT ON COLUMN bcce.time_to_first_workflow.median_minutes IS 'median time from provisioning to the first run, minutes: the smallest time by which half had one, those who wait included (Kaplan-Meier); NULL: too many still wait to tell, or nobody ran one';
COMMENT ON COLUMN bcce.time_to_first_workflow.longest_wait_minutes IS 'longest time that one who ran none yet has waited, minutes, up to deprovisioning, now or the window''s end';
