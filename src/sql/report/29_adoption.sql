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
    retained_percent numeric,
    weekly_active_users bigint,
    wau_mau_percent numeric,
    sessions bigint
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH activity AS (
        SELECT t.tenant_id, a.user_key, date_trunc('month', local.day::timestamp)::date AS month,
               bool_or(since IS NULL OR a.at >= since) AS in_window,
               max(local.day) AS last_day,
               max(a.at) AS last_at
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
    -- From the first month with an active user to now, or to the last one where that is over 35 days ago.
    span AS (
        SELECT
            t.tenant_id,
            t.tenant_name,
            t.timezone,
            a.first_month,
            date_trunc('month', last.day::timestamp)::date AS last_month,
            last.day AS last_day
        FROM bcce_data.tenants t
        JOIN (
            SELECT
                m.tenant_id,
                min(m.month) FILTER (WHERE m.in_window) AS first_month,
                CASE WHEN until IS NOT NULL THEN
                         greatest(max(m.last_at), (SELECT least(until - interval '1 microsecond', bcce.report_now())))
                     WHEN max(m.last_at) < (SELECT bcce.report_now() - interval '840 hours') THEN max(m.last_at)
                     ELSE greatest(max(m.last_at), (SELECT bcce.report_now())) END AS last_at
            FROM activity m
            GROUP BY m.tenant_id
        ) a ON a.tenant_id = t.tenant_id
        CROSS JOIN LATERAL bcce_data.local_date(a.last_at, t.timezone) last
        WHERE a.first_month IS NOT NULL
    ),
    month AS (
        SELECT
            s.tenant_id,
            s.tenant_name,
            s.timezone,
            calendar.month,
            coalesce(u.active, 0) AS active,
            coalesce(u.retained, 0) AS retained,
            before.ever AS active_before,
            least(s.last_day, (calendar.month + interval '1 month')::date - 1) AS last_day,
            first_day.starts_at,
            next_day.starts_at AS ends_at
        FROM span s
        CROSS JOIN LATERAL (
            SELECT (s.first_month + make_interval(months => n.n))::date AS month
            FROM generate_series(0, (extract(year FROM s.last_month) * 12 + extract(month FROM s.last_month)
                                     - extract(year FROM s.first_month) * 12 - extract(month FROM s.first_month))::integer) AS n (n)
        ) calendar
        LEFT JOIN user_month u ON u.tenant_id = s.tenant_id AND u.month = calendar.month
        LEFT JOIN user_month before ON before.tenant_id = s.tenant_id AND before.month = (calendar.month - interval '1 month')::date
        CROSS JOIN LATERAL bcce_data.local_midnight(calendar.month, s.timezone) first_day
        CROSS JOIN LATERAL bcce_data.local_midnight((calendar.month + interval '1 month')::date, s.timezone) next_day
    ),
    weekly AS (
        SELECT m.tenant_id, m.month, count(*) AS active
        FROM month m
        JOIN activity a ON a.tenant_id = m.tenant_id AND a.month = m.month AND a.in_window AND a.last_day > m.last_day - 7
        GROUP BY m.tenant_id, m.month
    ),
    session AS (
        SELECT t.tenant_id, date_trunc('month', local.day::timestamp)::date AS month, count(DISTINCT k.session_id) AS total
        FROM bcce_data.tenants t
        JOIN (
            SELECT e.tenant_id, e.session_id, e.occurred_at AS at
            FROM bcce_data.events e
            WHERE e.occurred_at >= coalesce(since, '-infinity')
              AND e.occurred_at < coalesce(until, 'infinity')
              AND NOT e.is_test AND e.session_id IS NOT NULL
            UNION ALL
            SELECT u.tenant_id, u.session_id, u.at
            FROM bcce_data.model_usage u
            WHERE u.at >= coalesce(since, '-infinity')
              AND u.at < coalesce(until, 'infinity')
              AND NOT u.is_test AND u.session_id IS NOT NULL
        ) k ON k.tenant_id = t.tenant_id
        CROSS JOIN LATERAL bcce_data.local_date(k.at, t.timezone) local
        WHERE t.deleted_at IS NULL
        GROUP BY t.tenant_id, date_trunc('month', local.day::timestamp)::date
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
        round(100.0 * coalesce(i.active, 0) / nullif(i.total, 0), 1),
        coalesce(i.teams, 0),
        coalesce(i.active_teams, 0),
        round(100.0 * i.active_teams / nullif(i.teams, 0), 1),
        m.retained,
        round(100.0 * m.retained / nullif(m.active_before, 0), 1),
        coalesce(w.active, 0),
        round(100.0 * coalesce(w.active, 0) / nullif(m.active, 0), 1),
        coalesce(s.total, 0)
    FROM month m
    LEFT JOIN invited i ON i.tenant_id = m.tenant_id AND i.month = m.month
    LEFT JOIN weekly w ON w.tenant_id = m.tenant_id AND w.month = m.month
    LEFT JOIN session s ON s.tenant_id = m.tenant_id AND s.month = m.month;
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
    x.retained_percent,
    x.weekly_active_users,
    x.wau_mau_percent,
    x.sessions
FROM bcce.adoption(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.adoption IS 'How does adoption develop: how many of the people invited really use it, and stay? One row per visible tenant and month of its zone, from the first with an active user to now (to the last where that is over 35 days ago); months without activity included. For a period use the function of this name.';
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
COMMENT ON COLUMN bcce.adoption.weekly_active_users IS 'active users of the last seven days of the month (so far), days before the month not included';
COMMENT ON COLUMN bcce.adoption.wau_mau_percent IS 'percent of the month''s active users who were active in its last seven days (WAU by MAU), one decimal; NULL: nobody was active';
COMMENT ON COLUMN bcce.adoption.sessions IS 'distinct sessions of events and model calls';

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
            count(*) FILTER (WHERE r.status IN ('failed', 'timed_out') AND ended.by_now) AS failed,
            max(r.started_at) AS last_at
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
    ),
    -- From the first month with a deployment to now, or to the last one where that is over 35 days ago.
    span AS (
        SELECT a.tenant_id, a.tenant_name, a.timezone, a.first_month, date_trunc('month', last.day::timestamp)::date AS last_month
        FROM (
            SELECT
                d.tenant_id,
                d.tenant_name,
                d.timezone,
                min(d.month) AS first_month,
                CASE WHEN until IS NOT NULL THEN
                         greatest(max(d.last_at), (SELECT least(until - interval '1 microsecond', bcce.report_now())))
                     WHEN max(d.last_at) < (SELECT bcce.report_now() - interval '840 hours') THEN max(d.last_at)
                     ELSE (SELECT bcce.report_now()) END AS last_at
            FROM deployment d
            GROUP BY d.tenant_id, d.tenant_name, d.timezone
        ) a
        CROSS JOIN LATERAL bcce_data.local_date(a.last_at, a.timezone) last
    )
    SELECT
        c.tenant_id,
        c.tenant_name,
        first_day.starts_at,
        c.month,
        coalesce(d.started, 0),
        coalesce(d.succeeded, 0),
        coalesce(d.failed, 0),
        round(coalesce(d.succeeded, 0) * 86400 / nullif(extract(epoch FROM least(next_day.starts_at, (SELECT least(until, bcce.report_now())))
                                                     - greatest(first_day.starts_at, since)), 0), 4),
        round(100.0 * d.failed / nullif(d.succeeded + d.failed, 0), 1),
        m.median_mttr_minutes
    FROM (
        SELECT s.tenant_id, s.tenant_name, s.timezone, (s.first_month + make_interval(months => n.n))::date AS month
        FROM span s
        CROSS JOIN LATERAL generate_series(0, (extract(year FROM s.last_month) * 12 + extract(month FROM s.last_month)
            - extract(year FROM s.first_month) * 12 - extract(month FROM s.first_month))::integer) AS n (n)
    ) c
    LEFT JOIN deployment d ON d.tenant_id = c.tenant_id AND d.month = c.month
    LEFT JOIN bcce.mttr_by_month(since, until) m ON m.tenant_id = c.tenant_id AND m.month = c.month
    CROSS JOIN LATERAL bcce_data.local_midnight(c.month, c.timezone) first_day
    CROSS JOIN LATERAL bcce_data.local_midnight((c.month + interval '1 month')::date, c.timezone) next_day;
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
COMMENT ON VIEW bcce.dora_metrics IS 'How often and how well is deployed? One row per visible tenant and month of its zone, from the first with a run of a workflow of kind deployment to now (to the last where that is over 35 days ago); months without one included. For a period use the function of this name.';
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
