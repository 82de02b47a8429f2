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
    SELECT
        t.tenant_id,
        t.tenant_name,
        c.starts_at,
        c.first_day,
        person.active,
        invited.total,
        invited.active,
        round(100.0 * invited.active / nullif(invited.total, 0), 1),
        invited.teams,
        invited.active_teams,
        round(100.0 * invited.active_teams / nullif(invited.teams, 0), 1),
        person.retained,
        round(100.0 * person.retained / nullif(person.active_before, 0), 1),
        person.weekly,
        round(100.0 * person.weekly / nullif(person.active, 0), 1),
        session.total
    FROM bcce_data.tenants t
    CROSS JOIN LATERAL (
        SELECT
            least(
                (SELECT r.started_at FROM bcce_data.workflow_runs r
                 WHERE r.tenant_id = t.tenant_id AND NOT r.is_test AND r.status <> 'skipped' AND r.user_key IS NOT NULL
                   AND r.started_at >= coalesce(since, '-infinity') AND r.started_at < coalesce(until, 'infinity')
                 ORDER BY r.started_at LIMIT 1),
                (SELECT e.occurred_at FROM bcce_data.events e
                 WHERE e.tenant_id = t.tenant_id AND NOT e.is_test AND e.user_key IS NOT NULL
                   AND e.occurred_at >= coalesce(since, '-infinity') AND e.occurred_at < coalesce(until, 'infinity')
                 ORDER BY e.occurred_at LIMIT 1),
                (SELECT u.at FROM bcce_data.model_usage u
                 WHERE u.tenant_id = t.tenant_id AND NOT u.is_test AND u.user_key IS NOT NULL
                   AND u.at >= coalesce(since, '-infinity') AND u.at < coalesce(until, 'infinity')
                 ORDER BY u.at LIMIT 1)
            ) AS first_at,
            greatest(
                (SELECT r.started_at FROM bcce_data.workflow_runs r
                 WHERE r.tenant_id = t.tenant_id AND NOT r.is_test AND r.status <> 'skipped' AND r.user_key IS NOT NULL
                   AND r.started_at >= coalesce(since, '-infinity') AND r.started_at < coalesce(until, 'infinity')
                 ORDER BY r.started_at DESC LIMIT 1),
                (SELECT e.occurred_at FROM bcce_data.events e
                 WHERE e.tenant_id = t.tenant_id AND NOT e.is_test AND e.user_key IS NOT NULL
                   AND e.occurred_at >= coalesce(since, '-infinity') AND e.occurred_at < coalesce(until, 'infinity')
                 ORDER BY e.occurred_at DESC LIMIT 1),
                (SELECT u.at FROM bcce_data.model_usage u
                 WHERE u.tenant_id = t.tenant_id AND NOT u.is_test AND u.user_key IS NOT NULL
                   AND u.at >= coalesce(since, '-infinity') AND u.at < coalesce(until, 'infinity')
                 ORDER BY u.at DESC LIMIT 1)
            ) AS last_at
        OFFSET 0
    ) seen
    -- From the first month with an active user to now, or to the last one where that is over 35 days ago.
    -- Kept apart: a helper is not inlined where its argument holds a sub-select.
    CROSS JOIN LATERAL (
        SELECT CASE WHEN until IS NOT NULL THEN
                         greatest(seen.last_at, (SELECT least(until - interval '1 microsecond', bcce.report_now())))
                     WHEN seen.last_at < (SELECT bcce.report_now() - interval '840 hours') THEN seen.last_at
                     ELSE greatest(seen.last_at, (SELECT bcce.report_now())) END AS last_at
        OFFSET 0
    ) e
    CROSS JOIN LATERAL bcce_data.local_date(e.last_at, t.timezone) last
    CROSS JOIN LATERAL bcce_data.local_periods(seen.first_at, e.last_at, t.timezone, 'month') c
    -- Kept apart: under row security an index takes a column, but no computation.
    CROSS JOIN LATERAL (
        SELECT m.starts_at
        FROM bcce_data.local_midnight((c.first_day - interval '1 month')::date, t.timezone) m
        OFFSET 0
    ) month_before
    -- Each of one row; outer joins, as the planner leaves out those of which nothing is asked.
    LEFT JOIN LATERAL (
        SELECT
            count(*) FILTER (WHERE x.is_active) AS active,
            count(*) FILTER (WHERE x.is_active AND x.was_active) AS retained,
            count(*) FILTER (WHERE x.was_active) AS active_before,
            count(*) FILTER (WHERE x.is_active AND x.last_day > least(last.day, (c.first_day + interval '1 month')::date - 1) - 7) AS weekly,
            array_agg(x.user_key) FILTER (WHERE x.is_active) AS user_keys
        FROM (
            SELECT u.user_key, u.is_active, u.was_active, local.day AS last_day
            FROM (
                SELECT
                    a.user_key,
                    bool_or(a.at >= c.starts_at AND (since IS NULL OR a.at >= since)) AS is_active,
                    bool_or(a.at < c.starts_at) AS was_active,
                    max(a.at) AS last_at
                FROM bcce_data.user_activity(since - interval '1536 hours', until) a
                WHERE a.tenant_id = t.tenant_id AND a.at >= month_before.starts_at AND a.at < c.ends_at
                GROUP BY a.user_key
            ) u
            CROSS JOIN LATERAL bcce_data.local_date(u.last_at, t.timezone) local
        ) x
    ) person ON true
    LEFT JOIN LATERAL (
        SELECT
            count(*) AS total,
            count(k.user_key) AS active,
            count(DISTINCT p.team_id) AS teams,
            count(DISTINCT p.team_id) FILTER (WHERE k.user_key IS NOT NULL) AS active_teams
        FROM bcce_data.principals p
        LEFT JOIN unnest(person.user_keys) AS k (user_key) ON k.user_key = p.user_key
        WHERE p.tenant_id = t.tenant_id
          AND p.provisioned_at < c.ends_at AND p.provisioned_at <= (SELECT least(until, bcce.report_now()))
          AND (p.deprovisioned_at IS NULL OR p.deprovisioned_at >= c.starts_at)
    ) invited ON true
    LEFT JOIN LATERAL (
        SELECT count(DISTINCT k.session_id) AS total
        FROM (
            SELECT e.session_id
            FROM bcce_data.events e
            WHERE e.tenant_id = t.tenant_id
              AND e.occurred_at >= c.starts_at AND e.occurred_at < c.ends_at
              AND e.occurred_at >= coalesce(since, '-infinity') AND e.occurred_at < coalesce(until, 'infinity')
              AND NOT e.is_test
            UNION ALL
            SELECT u.session_id
            FROM bcce_data.model_usage u
            WHERE u.tenant_id = t.tenant_id
              AND u.at >= c.starts_at AND u.at < c.ends_at
              AND u.at >= coalesce(since, '-infinity') AND u.at < coalesce(until, 'infinity')
              AND NOT u.is_test
        ) k
    ) session ON true
    WHERE t.deleted_at IS NULL;
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
    SELECT
        t.tenant_id,
        t.tenant_name,
        c.starts_at,
        c.first_day,
        run.started,
        run.succeeded,
        run.failed,
        round(run.succeeded * 86400 / nullif(extract(epoch FROM least(c.ends_at, (SELECT least(until, bcce.report_now())))
                                                     - greatest(c.starts_at, since)), 0), 4),
        round(100.0 * run.failed / nullif(run.succeeded + run.failed, 0), 1),
        m.median_mttr_minutes
    FROM bcce_data.tenants t
    CROSS JOIN LATERAL (
        SELECT min(first.at) AS first_at, max(last.at) AS last_at
        FROM bcce_data.workflows w
        CROSS JOIN LATERAL (
            SELECT r.started_at AS at
            FROM bcce_data.workflow_runs r
            WHERE r.tenant_id = w.tenant_id AND r.workflow_id = w.workflow_id
              AND NOT r.is_test AND r.status <> 'skipped'
              AND r.started_at >= coalesce(since, '-infinity') AND r.started_at < coalesce(until, 'infinity')
              AND r.started_at <= (SELECT least(until, bcce.report_now()))
            ORDER BY r.started_at
            LIMIT 1
        ) first
        CROSS JOIN LATERAL (
            SELECT r.started_at AS at
            FROM bcce_data.workflow_runs r
            WHERE r.tenant_id = w.tenant_id AND r.workflow_id = w.workflow_id
              AND NOT r.is_test AND r.status <> 'skipped'
              AND r.started_at >= coalesce(since, '-infinity') AND r.started_at < coalesce(until, 'infinity')
              AND r.started_at <= (SELECT least(until, bcce.report_now()))
            ORDER BY r.started_at DESC
            LIMIT 1
        ) last
        WHERE w.tenant_id = t.tenant_id AND w.kind = 'deployment'
    ) seen
    -- From the first month with a deployment to now, or to the last one where that is over 35 days ago.
    -- Kept apart: a helper is not inlined where its argument holds a sub-select.
    CROSS JOIN LATERAL (
        SELECT CASE WHEN until IS NOT NULL THEN
                         greatest(seen.last_at, (SELECT least(until - interval '1 microsecond', bcce.report_now())))
                     WHEN seen.last_at < (SELECT bcce.report_now() - interval '840 hours') THEN seen.last_at
                     ELSE (SELECT bcce.report_now()) END AS last_at
        OFFSET 0
    ) e
    CROSS JOIN LATERAL bcce_data.local_periods(seen.first_at, e.last_at, t.timezone, 'month') c
    LEFT JOIN LATERAL (
        SELECT
            count(*) AS started,
            count(*) FILTER (WHERE r.status = 'succeeded' AND ended.by_now) AS succeeded,
            count(*) FILTER (WHERE r.status IN ('failed', 'timed_out') AND ended.by_now) AS failed
        FROM bcce_data.workflows w
        JOIN bcce_data.workflow_runs r ON r.tenant_id = w.tenant_id AND r.workflow_id = w.workflow_id
        CROSS JOIN LATERAL (SELECT r.finished_at <= (SELECT least(until, bcce.report_now())) AS by_now) ended
        WHERE w.tenant_id = t.tenant_id AND w.kind = 'deployment'
          AND NOT r.is_test AND r.status <> 'skipped'
          AND r.started_at >= c.starts_at AND r.started_at < c.ends_at
          AND r.started_at >= coalesce(since, '-infinity') AND r.started_at < coalesce(until, 'infinity')
          AND r.started_at <= (SELECT least(until, bcce.report_now()))
    ) run ON true
    LEFT JOIN bcce.mttr_by_month(since, until) m ON m.tenant_id = t.tenant_id AND m.month = c.first_day
    WHERE t.deleted_at IS NULL;
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
