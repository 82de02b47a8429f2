-- How many of those invited take part, and how often and well is deployed.
CREATE OR REPLACE FUNCTION bcce.adoption(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    period_start_at timestamptz,
    month date,
    active_users bigint,
    invited_users bigint,
    active_invited_users bigint,
    active_percent numeric,
    teams bigint,
    active_teams bigint,
    active_teams_percent numeric,
    retained_users bigint,
    retained_percent numeric
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH activity AS (
        SELECT t.tenant_id, a.user_key, date_trunc('month', local.day::timestamp)::date AS month,
               bool_or(since IS NULL OR a.at >= since) AS in_window
        FROM bcce_data.tenants t
        JOIN bcce_data.user_activity(since - interval '1536 hours', until) a ON a.tenant_id = t.tenant_id
        CROSS JOIN LATERAL bcce_data.local_date(a.at, t.timezone) local
        WHERE t.deleted_at IS NULL
        GROUP BY t.tenant_id, a.user_key, date_trunc('month', local.day::timestamp)::date
    ),
    user_month AS (
        SELECT
            m.tenant_id,
            m.month,
            count(*) AS ever,
            count(*) FILTER (WHERE m.in_window) AS active,
            count(before.user_key) FILTER (WHERE m.in_window) AS retained
        FROM activity m
        LEFT JOIN activity before
            ON before.tenant_id = m.tenant_id AND before.user_key = m.user_key
            AND before.month = (m.month - interval '1 month')::date
        GROUP BY m.tenant_id, m.month
    ),
    month AS (
        SELECT
            t.tenant_id,
            t.tenant_name,
            u.month,
            u.active,
            u.retained,
            before.ever AS active_before,
            first_day.starts_at,
            next_day.starts_at AS ends_at
        FROM user_month u
        JOIN bcce_data.tenants t ON t.tenant_id = u.tenant_id
        LEFT JOIN user_month before ON before.tenant_id = u.tenant_id AND before.month = (u.month - interval '1 month')::date
        CROSS JOIN LATERAL bcce_data.local_midnight(u.month, t.timezone) first_day
        CROSS JOIN LATERAL bcce_data.local_midnight((u.month + interval '1 month')::date, t.timezone) next_day
        WHERE u.active > 0
    ),
    invited AS (
        SELECT
            m.tenant_id,
            m.month,
            count(*) AS total,
            count(a.user_key) AS active,
            count(DISTINCT p.team_id) AS teams,
            count(DISTINCT p.team_id) FILTER (WHERE a.user_key IS NOT NULL) AS active_teams
        FROM month m
        JOIN bcce_data.principals p ON p.tenant_id = m.tenant_id
            AND p.provisioned_at < m.ends_at AND p.provisioned_at <= (SELECT least(until, bcce.report_now()))
            AND (p.deprovisioned_at IS NULL OR p.deprovisioned_at >= m.starts_at)
        LEFT JOIN activity a ON a.tenant_id = m.tenant_id AND a.month = m.month AND a.user_key = p.user_key AND a.in_window
        GROUP BY m.tenant_id, m.month
    )
    SELECT
        m.tenant_id,
        m.tenant_name,
        m.starts_at,
        m.month,
        m.active,
        coalesce(i.total, 0),
        coalesce(i.active, 0),
        round(100.0 * i.active / nullif(i.total, 0), 1),
        coalesce(i.teams, 0),
        coalesce(i.active_teams, 0),
        round(100.0 * i.active_teams / nullif(i.teams, 0), 1),
        m.retained,
        round(100.0 * m.retained / nullif(m.active_before, 0), 1)
    FROM month m
    LEFT JOIN invited i ON i.tenant_id = m.tenant_id AND i.month = m.month;
END;
COMMENT ON FUNCTION bcce.adoption(timestamptz, timestamptz) IS 'Who took part between since (inclusive) and until (exclusive), month by month? NULL leaves an end open. Same columns as the view of this name; who was active in a month before the window counts as retained.';

CREATE OR REPLACE VIEW bcce.adoption WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.period_start_at,
    x.month,
    x.active_users,
    x.invited_users,
    x.active_invited_users,
    x.active_percent,
    x.teams,
    x.active_teams,
    x.active_teams_percent,
    x.retained_users,
    x.retained_percent
FROM bcce.adoption(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.adoption IS 'How does adoption develop: how many of the people invited really use it, and stay? One row per visible tenant and month of its zone with an active user. For a period use the function of this name.';
COMMENT ON COLUMN bcce.adoption.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.adoption.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.adoption.period_start_at IS 'first instant of the month in the tenant''s zone';
COMMENT ON COLUMN bcce.adoption.month IS 'first day of the month';
COMMENT ON COLUMN bcce.adoption.active_users IS 'distinct pseudonymous users with a run, an event or a model call; guests are not users';
COMMENT ON COLUMN bcce.adoption.invited_users IS 'people provisioned before the month''s end (or now) and not deprovisioned before its start';
COMMENT ON COLUMN bcce.adoption.active_invited_users IS 'active users who are invited';
COMMENT ON COLUMN bcce.adoption.active_percent IS 'percent of the invited who are active, one decimal; NULL: nobody is invited';
COMMENT ON COLUMN bcce.adoption.teams IS 'teams with an invited member';
COMMENT ON COLUMN bcce.adoption.active_teams IS 'of these, with an active one';
COMMENT ON COLUMN bcce.adoption.active_teams_percent IS 'percent of the teams with an active member, one decimal; NULL: no teams';
COMMENT ON COLUMN bcce.adoption.retained_users IS 'active users who were active in the month before';
COMMENT ON COLUMN bcce.adoption.retained_percent IS 'percent of the users of the month before who are active, one decimal; NULL: there were none';

-- How often and how well is deployed, month by month.
CREATE OR REPLACE FUNCTION bcce.dora_metrics(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    period_start_at timestamptz,
    month date,
    deployments_started bigint,
    deployments_succeeded bigint,
    deployments_failed bigint,
    deployments_per_day numeric,
    change_failure_rate_percent numeric,
    median_recovery_minutes double precision
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH deployment AS (
        SELECT
            t.tenant_id,
            t.tenant_name,
            t.timezone,
            date_trunc('month', local.day::timestamp)::date AS month,
            count(*) AS started,
            count(*) FILTER (WHERE r.status = 'succeeded' AND ended.by_now) AS succeeded,
            count(*) FILTER (WHERE r.status IN ('failed', 'timed_out') AND ended.by_now) AS failed
        FROM bcce_data.tenants t
        JOIN bcce_data.workflows w ON w.tenant_id = t.tenant_id AND w.kind = 'deployment'
        JOIN bcce_data.workflow_runs r ON r.tenant_id = w.tenant_id AND r.workflow_id = w.workflow_id
        CROSS JOIN LATERAL bcce_data.local_date(r.started_at, t.timezone) local
        CROSS JOIN LATERAL (SELECT r.finished_at <= (SELECT least(until, bcce.report_now())) AS by_now) ended
        WHERE t.deleted_at IS NULL
          AND NOT r.is_test AND r.status <> 'skipped'
          AND r.started_at >= coalesce(since, '-infinity')
          AND r.started_at < coalesce(until, 'infinity')
          AND r.started_at <= (SELECT least(until, bcce.report_now()))
        GROUP BY t.tenant_id, t.tenant_name, t.timezone, date_trunc('month', local.day::timestamp)::date
    )
    SELECT
        d.tenant_id,
        d.tenant_name,
        first_day.starts_at,
        d.month,
        d.started,
        d.succeeded,
        d.failed,
        round(d.succeeded * 86400 / nullif(extract(epoch FROM least(next_day.starts_at, (SELECT least(until, bcce.report_now())))
                                                     - greatest(first_day.starts_at, since)), 0), 4),
        round(100.0 * d.failed / nullif(d.succeeded + d.failed, 0), 1),
        m.median_mttr_minutes
    FROM deployment d
    LEFT JOIN bcce.mttr_by_month(since, until) m ON m.tenant_id = d.tenant_id AND m.month = d.month
    CROSS JOIN LATERAL bcce_data.local_midnight(d.month, d.timezone) first_day
    CROSS JOIN LATERAL bcce_data.local_midnight((d.month + interval '1 month')::date, d.timezone) next_day;
END;
COMMENT ON FUNCTION bcce.dora_metrics(timestamptz, timestamptz) IS 'How often and how well was deployed between since (inclusive) and until (exclusive), month by month? NULL leaves an end open. Same columns as the view of this name; what finished after the window does not count as finished.';

CREATE OR REPLACE VIEW bcce.dora_metrics WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.period_start_at,
    x.month,
    x.deployments_started,
    x.deployments_succeeded,
    x.deployments_failed,
    x.deployments_per_day,
    x.change_failure_rate_percent,
    x.median_recovery_minutes
FROM bcce.dora_metrics(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.dora_metrics IS 'How often and how well is deployed? One row per visible tenant and month of its zone with a run of a workflow of kind deployment. For a period use the function of this name.';
COMMENT ON COLUMN bcce.dora_metrics.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.dora_metrics.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.dora_metrics.period_start_at IS 'first instant of the month in the tenant''s zone';
COMMENT ON COLUMN bcce.dora_metrics.month IS 'month in which the deployments started';
COMMENT ON COLUMN bcce.dora_metrics.deployments_started IS 'runs of workflows of kind deployment, skipped ones not';
COMMENT ON COLUMN bcce.dora_metrics.deployments_succeeded IS 'of these, succeeded';
COMMENT ON COLUMN bcce.dora_metrics.deployments_failed IS 'of these, failed or timed out';
COMMENT ON COLUMN bcce.dora_metrics.deployments_per_day IS 'succeeded deployments per day of the month, up to now or the window''s end, four decimals';
COMMENT ON COLUMN bcce.dora_metrics.change_failure_rate_percent IS 'percent of the finished deployments that failed or timed out, one decimal; NULL: none finished';
COMMENT ON COLUMN bcce.dora_metrics.median_recovery_minutes IS 'median recovery time of the incidents that began in the month, minutes, as in mttr_by_month; NULL: none recovered';
