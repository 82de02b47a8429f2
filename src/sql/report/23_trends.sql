-- usage_trends: how use changes, one row per tenant and local day.
CREATE OR REPLACE FUNCTION bcce.usage_trends(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    period_start_at timestamptz,
    usage_date date,
    timezone text,
    total_workflows bigint,
    failed_workflows bigint,
    failure_rate_percent numeric,
    avg_duration_seconds double precision,
    p95_duration_seconds double precision,
    active_users bigint,
    new_users bigint,
    sessions bigint,
    events bigint,
    predictions bigint,
    model_calls bigint,
    input_tokens bigint,
    output_tokens bigint,
    cache_read_tokens bigint,
    total_cost_usd numeric,
    peak_hour integer,
    peak_hour_workflows bigint,
    peak_concurrent_runs bigint,
    workflows_7d_avg double precision,
    change_vs_7d_ago_percent numeric,
    anomaly_score double precision,
    is_partial_day boolean,
    hours_in_day numeric
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH active AS (
        SELECT
            t.tenant_id,
            t.tenant_name,
            t.timezone,
            first.at AS first_at,
            CASE WHEN until IS NOT NULL THEN
                     greatest(last.at, (SELECT least(until - interval '1 microsecond', bcce.report_now())))
                 WHEN last.at < (SELECT bcce.report_now() - interval '840 hours') THEN last.at
                 ELSE greatest(last.at, (SELECT bcce.report_now())) END AS last_at
        FROM bcce_data.tenants t
        CROSS JOIN LATERAL (
            SELECT least(
                (SELECT min(r.started_at) FROM bcce_data.workflow_runs r
                 WHERE r.tenant_id = t.tenant_id AND NOT r.is_test AND r.status <> 'skipped'
                   AND r.started_at < coalesce(until, 'infinity')),
                (SELECT min(m.observed_at) FROM bcce_data.performance_metrics m
                 WHERE m.tenant_id = t.tenant_id AND NOT m.is_test
                   AND m.observed_at < coalesce(until, 'infinity')),
                (SELECT min(p.predicted_at) FROM bcce_data.predictions p
                 WHERE p.tenant_id = t.tenant_id AND NOT p.is_test
                   AND p.predicted_at < coalesce(until, 'infinity')),
                (SELECT min(u.at) FROM bcce_data.model_usage u
                 WHERE u.tenant_id = t.tenant_id AND NOT u.is_test
                   AND u.at < coalesce(until, 'infinity')),
                (SELECT min(e.occurred_at) FROM bcce_data.events e
                 WHERE e.tenant_id = t.tenant_id AND NOT e.is_test
                   AND e.occurred_at < coalesce(until, 'infinity'))
            ) AS at
        ) first
        CROSS JOIN LATERAL (
            SELECT greatest(
                (SELECT max(r.started_at) FROM bcce_data.workflow_runs r
                 WHERE r.tenant_id = t.tenant_id AND NOT r.is_test AND r.status <> 'skipped'
                   AND r.started_at < coalesce(until, 'infinity')),
                (SELECT max(m.observed_at) FROM bcce_data.performance_metrics m
                 WHERE m.tenant_id = t.tenant_id AND NOT m.is_test
                   AND m.observed_at < coalesce(until, 'infinity')),
                (SELECT max(p.predicted_at) FROM bcce_data.predictions p
                 WHERE p.tenant_id = t.tenant_id AND NOT p.is_test
                   AND p.predicted_at < coalesce(until, 'infinity')),
                (SELECT max(u.at) FROM bcce_data.model_usage u
                 WHERE u.tenant_id = t.tenant_id AND NOT u.is_test
                   AND u.at < coalesce(until, 'infinity')),
                (SELECT max(e.occurred_at) FROM bcce_data.events e
                 WHERE e.tenant_id = t.tenant_id AND NOT e.is_test
                   AND e.occurred_at < coalesce(until, 'infinity'))
            ) AS at
        ) last
        WHERE t.deleted_at IS NULL AND first.at <= last.at
    ),
    -- A date that the zone left out has no instant.
    midnight AS (
        SELECT
            a.tenant_id,
            a.tenant_name,
            a.timezone,
            a.first_at,
            a.last_at,
            bounds.first_date,
            dates.usage_date,
            earliest.starts_at AS at,
            earliest.again_at
        FROM active a
        CROSS JOIN LATERAL (
            SELECT (a.first_at AT TIME ZONE a.timezone)::date AS first_date,
                   (a.last_at AT TIME ZONE a.timezone)::date AS last_date,
                   (since AT TIME ZONE a.timezone)::date - 58 AS lookback_date
        ) bounds
        CROSS JOIN LATERAL (
            SELECT greatest(bounds.first_date, bounds.lookback_date) + n.n AS usage_date
            FROM generate_series(0, bounds.last_date + 2 - greatest(bounds.first_date, bounds.lookback_date)) AS n (n)
        ) dates
        CROSS JOIN LATERAL bcce_data.local_midnight(dates.usage_date, a.timezone) earliest
        WHERE earliest.starts_at IS NOT NULL
    ),
    day AS (
        SELECT
            m.tenant_id,
            m.tenant_name,
            m.timezone,
            m.first_at,
            m.first_date,
            m.usage_date,
            m.at AS starts_at,
            m.again_at,
            m.at <= m.last_at AS has_begun,
            lead(m.at) OVER (PARTITION BY m.tenant_id ORDER BY m.usage_date) AS ends_at
        FROM midnight m
    ),
    -- A fact belongs to its local date, but for the rare clock that was put back
    -- over midnight: the new day had begun already, and goes on.
    begun AS (
        SELECT d.tenant_id, d.usage_date, d.starts_at, d.again_at
        FROM day d
        WHERE d.again_at > d.starts_at
          AND ((d.again_at - interval '1 microsecond') AT TIME ZONE d.timezone)::date < d.usage_date
    ),
    run AS NOT MATERIALIZED (
        SELECT
            r.tenant_id,
            local.date + (b.tenant_id IS NOT NULL)::integer AS usage_date,
            r.started_at,
            r.finished_at,
            r.status,
            r.duration_s,
            r.user_key,
            r.charged_usd,
            a.timezone,
            (since IS NULL OR r.started_at >= since) AS in_window
        FROM bcce_data.workflow_runs r
        JOIN active a ON a.tenant_id = r.tenant_id
        CROSS JOIN LATERAL (SELECT (r.started_at AT TIME ZONE a.timezone)::date AS date) local
        LEFT JOIN begun b ON b.tenant_id = r.tenant_id AND b.usage_date = local.date + 1
            AND r.started_at >= b.starts_at AND r.started_at < b.again_at
        WHERE r.started_at >= coalesce(since - interval '1440 hours', '-infinity')
          AND r.started_at < coalesce(until, 'infinity')
          AND NOT r.is_test AND r.status <> 'skipped'
    ),
    usage AS NOT MATERIALIZED (
        SELECT
            u.tenant_id,
            local.date + (b.tenant_id IS NOT NULL)::integer AS usage_date,
            u.user_key,
            u.session_id,
            u.input_tokens,
            u.output_tokens,
            u.cache_read_tokens,
            coalesce(u.input_tokens, u.output_tokens, u.cache_read_tokens,
                     u.cache_write_5m_tokens, u.cache_write_1h_tokens) IS NOT NULL AS has_tokens,
            u.reported_cost_usd
        FROM bcce_data.model_usage u
        JOIN active a ON a.tenant_id = u.tenant_id
        CROSS JOIN LATERAL (SELECT (u.at AT TIME ZONE a.timezone)::date AS date) local
        LEFT JOIN begun b ON b.tenant_id = u.tenant_id AND b.usage_date = local.date + 1
            AND u.at >= b.starts_at AND u.at < b.again_at
        WHERE u.at >= coalesce(since, '-infinity')
          AND u.at < coalesce(until, 'infinity')
          AND NOT u.is_test
    ),
    event AS NOT MATERIALIZED (
        SELECT
            e.tenant_id,
            local.date + (b.tenant_id IS NOT NULL)::integer AS usage_date,
            e.user_key,
            e.session_id
        FROM bcce_data.events e
        JOIN active a ON a.tenant_id = e.tenant_id
        CROSS JOIN LATERAL (SELECT (e.occurred_at AT TIME ZONE a.timezone)::date AS date) local
        LEFT JOIN begun b ON b.tenant_id = e.tenant_id AND b.usage_date = local.date + 1
            AND e.occurred_at >= b.starts_at AND e.occurred_at < b.again_at
        WHERE e.occurred_at >= coalesce(since, '-infinity')
          AND e.occurred_at < coalesce(until, 'infinity')
          AND NOT e.is_test
    ),
    run_day AS (
        SELECT
            r.tenant_id,
            r.usage_date,
            count(*) AS starts,
            count(*) FILTER (WHERE r.in_window) AS total,
            count(*) FILTER (WHERE r.in_window AND r.finished_at <= (SELECT least(until, bcce.report_now()))
                             AND r.status IN ('failed', 'timed_out')) AS failed,
            count(*) FILTER (WHERE r.in_window AND r.finished_at <= (SELECT least(until, bcce.report_now()))
                             AND r.status IN ('succeeded', 'failed', 'timed_out')) AS finished,
            avg(r.duration_s) FILTER (WHERE r.in_window AND r.finished_at <= (SELECT least(until, bcce.report_now()))
                                      AND r.status IN ('succeeded', 'failed', 'timed_out')) AS avg_seconds,
            percentile_cont(0.95) WITHIN GROUP (ORDER BY r.duration_s)
                FILTER (WHERE r.in_window AND r.finished_at <= (SELECT least(until, bcce.report_now()))
                        AND r.status IN ('succeeded', 'failed', 'timed_out')) AS p95_seconds,
            sum(coalesce(r.charged_usd, bcce.estimate_cost('workflow_run', 1, r.started_at, r.tenant_id)))
                FILTER (WHERE r.in_window) AS usd
        FROM run r
        GROUP BY r.tenant_id, r.usage_date
    ),
    metric_day AS (
        SELECT
            m.tenant_id,
            local.date + (b.tenant_id IS NOT NULL)::integer AS usage_date,
            sum(coalesce(m.charged_usd, bcce.estimate_cost('metric', 1, m.observed_at, m.tenant_id))) AS usd
        FROM bcce_data.performance_metrics m
        JOIN active a ON a.tenant_id = m.tenant_id
        CROSS JOIN LATERAL (SELECT (m.observed_at AT TIME ZONE a.timezone)::date AS date) local
        LEFT JOIN begun b ON b.tenant_id = m.tenant_id AND b.usage_date = local.date + 1
            AND m.observed_at >= b.starts_at AND m.observed_at < b.again_at
        WHERE m.observed_at >= coalesce(since, '-infinity')
          AND m.observed_at < coalesce(until, 'infinity')
          AND NOT m.is_test
        GROUP BY m.tenant_id, local.date + (b.tenant_id IS NOT NULL)::integer
    ),
    prediction_day AS (
        SELECT
            p.tenant_id,
            local.date + (b.tenant_id IS NOT NULL)::integer AS usage_date,
            count(*) AS total,
            sum(coalesce(p.charged_usd, bcce.estimate_cost('prediction', 1, p.predicted_at, p.tenant_id))) AS usd
        FROM bcce_data.predictions p
        JOIN active a ON a.tenant_id = p.tenant_id
        CROSS JOIN LATERAL (SELECT (p.predicted_at AT TIME ZONE a.timezone)::date AS date) local
        LEFT JOIN begun b ON b.tenant_id = p.tenant_id AND b.usage_date = local.date + 1
            AND p.predicted_at >= b.starts_at AND p.predicted_at < b.again_at
        WHERE p.predicted_at >= coalesce(since, '-infinity')
          AND p.predicted_at < coalesce(until, 'infinity')
          AND NOT p.is_test
        GROUP BY p.tenant_id, local.date + (b.tenant_id IS NOT NULL)::integer
    ),
    usage_day AS (
        SELECT
            u.tenant_id,
            u.usage_date,
            count(*) AS calls,
            sum(coalesce(u.input_tokens, CASE WHEN u.has_tokens THEN 0 END))::bigint AS input_tokens,
            sum(coalesce(u.output_tokens, CASE WHEN u.has_tokens THEN 0 END))::bigint AS output_tokens,
            sum(coalesce(u.cache_read_tokens, CASE WHEN u.has_tokens THEN 0 END))::bigint AS cache_read_tokens,
            sum(u.reported_cost_usd) AS usd
        FROM usage u
        GROUP BY u.tenant_id, u.usage_date
    ),
    event_day AS (
        SELECT e.tenant_id, e.usage_date, count(*) AS total
        FROM event e
        GROUP BY e.tenant_id, e.usage_date
    ),
    user_day AS (
        SELECT k.tenant_id, k.usage_date, count(*) AS active
        FROM (
            SELECT r.tenant_id, r.usage_date, r.user_key FROM run r WHERE r.in_window
            UNION
            SELECT e.tenant_id, e.usage_date, e.user_key FROM event e
            UNION
            SELECT u.tenant_id, u.usage_date, u.user_key FROM usage u
        ) k
        WHERE k.user_key IS NOT NULL
        GROUP BY k.tenant_id, k.usage_date
    ),
    session_day AS (
        SELECT k.tenant_id, k.usage_date, count(*) AS total
        FROM (
            SELECT e.tenant_id, e.usage_date, e.session_id FROM event e
            UNION
            SELECT u.tenant_id, u.usage_date, u.session_id FROM usage u
        ) k
        WHERE k.session_id IS NOT NULL
        GROUP BY k.tenant_id, k.usage_date
    ),
    -- First seen ever, so over all history.
    new_user_day AS (
        SELECT
            f.tenant_id,
            local.date + (b.tenant_id IS NOT NULL)::integer AS usage_date,
            count(*) AS total
        FROM (
            SELECT k.tenant_id, k.user_key, min(k.first_at) AS first_at
            FROM (
                SELECT r.tenant_id, r.user_key, min(r.started_at) AS first_at
                FROM bcce_data.workflow_runs r
                WHERE r.started_at < coalesce(until, 'infinity')
                  AND NOT r.is_test AND r.status <> 'skipped' AND r.user_key IS NOT NULL
                GROUP BY r.tenant_id, r.user_key
                UNION ALL
                SELECT e.tenant_id, e.user_key, min(e.occurred_at)
                FROM bcce_data.events e
                WHERE e.occurred_at < coalesce(until, 'infinity')
                  AND NOT e.is_test AND e.user_key IS NOT NULL
                GROUP BY e.tenant_id, e.user_key
                UNION ALL
                SELECT u.tenant_id, u.user_key, min(u.at)
                FROM bcce_data.model_usage u
                WHERE u.at < coalesce(until, 'infinity')
                  AND NOT u.is_test AND u.user_key IS NOT NULL
                GROUP BY u.tenant_id, u.user_key
            ) k
            GROUP BY k.tenant_id, k.user_key
        ) f
        JOIN active a ON a.tenant_id = f.tenant_id
        CROSS JOIN LATERAL (SELECT (f.first_at AT TIME ZONE a.timezone)::date AS date) local
        LEFT JOIN begun b ON b.tenant_id = f.tenant_id AND b.usage_date = local.date + 1
            AND f.first_at >= b.starts_at AND f.first_at < b.again_at
        WHERE since IS NULL OR f.first_at >= since
        GROUP BY f.tenant_id, local.date + (b.tenant_id IS NOT NULL)::integer
    ),
    peak_day AS (
        SELECT DISTINCT ON (h.tenant_id, h.usage_date) h.tenant_id, h.usage_date, h.hour, h.starts
        FROM (
            SELECT
                r.tenant_id,
                r.usage_date,
                extract(hour FROM r.started_at AT TIME ZONE r.timezone)::integer AS hour,
                count(*) AS starts
            FROM run r
            WHERE r.in_window
            GROUP BY r.tenant_id, r.usage_date, extract(hour FROM r.started_at AT TIME ZONE r.timezone)::integer
        ) h
        ORDER BY h.tenant_id, h.usage_date, h.starts DESC, h.hour
    ),
    -- A sweep over starts (+1) and ends (-1); each day's first instant is a mark
    -- that brings the level over midnight and tells the edges after it their day.
    concurrency_day AS (
        SELECT s.tenant_id, s.usage_date, max(s.level) AS peak
        FROM (
            SELECT
                edge.tenant_id,
                max(edge.usage_date) OVER sweep AS usage_date,
                sum(edge.change) OVER sweep AS level
            FROM (
                SELECT d.tenant_id, d.starts_at AS at, 0 AS change, d.usage_date
                FROM day d
                WHERE since IS NULL OR d.ends_at > since
                UNION ALL
                SELECT r.tenant_id, way.at, way.change, NULL::date
                FROM bcce_data.workflow_runs r
                CROSS JOIN LATERAL (
                    SELECT r.started_at AS at, 1 AS change
                    UNION ALL
                    SELECT r.finished_at, -1
                    WHERE r.finished_at <= (SELECT least(until, bcce.report_now()))
                ) way
                WHERE (since IS NULL OR r.finished_at IS NULL OR r.finished_at > since - interval '48 hours')
                  AND r.started_at < coalesce(until, 'infinity')
                  AND r.started_at < (SELECT least(until, bcce.report_now()))
                  AND (r.finished_at IS NULL OR r.finished_at > r.started_at)
                  AND NOT r.is_test AND r.status <> 'skipped'
            ) edge
            WINDOW sweep AS (PARTITION BY edge.tenant_id ORDER BY edge.at)
        ) s
        WHERE s.usage_date IS NOT NULL
        GROUP BY s.tenant_id, s.usage_date
    ),
    -- Look-backs see whole days, also those before the window.
    pace AS (
        SELECT
            d.tenant_id,
            d.tenant_name,
            d.timezone,
            d.first_at,
            d.first_date,
            d.usage_date,
            d.starts_at,
            d.ends_at,
            d.has_begun,
            r.total,
            r.failed,
            r.finished,
            r.avg_seconds,
            r.p95_seconds,
            r.usd,
            coalesce(r.starts, 0) AS starts,
            avg(coalesce(r.starts, 0)) OVER (
                PARTITION BY d.tenant_id ORDER BY d.usage_date
                RANGE BETWEEN interval '6 days' PRECEDING AND CURRENT ROW) AS week_mean,
            sum(coalesce(r.starts, 0)) OVER (
                PARTITION BY d.tenant_id ORDER BY d.usage_date
                RANGE BETWEEN interval '7 days' PRECEDING AND interval '7 days' PRECEDING) AS week_ago,
            array_agg(coalesce(r.starts, 0)) OVER (
                PARTITION BY d.tenant_id, extract(isodow FROM d.usage_date) ORDER BY d.usage_date
                RANGE BETWEEN interval '56 days' PRECEDING AND interval '7 days' PRECEDING) AS same_weekday
        FROM day d
        LEFT JOIN run_day r ON r.tenant_id = d.tenant_id AND r.usage_date = d.usage_date
        WHERE d.ends_at > d.first_at
    )
    SELECT
        d.tenant_id,
        d.tenant_name,
        d.starts_at,
        d.usage_date,
        d.timezone,
        coalesce(d.total, 0),
        coalesce(d.failed, 0),
        round(100.0 * d.failed / nullif(d.finished, 0), 1),
        d.avg_seconds,
        d.p95_seconds,
        coalesce(k.active, 0),
        coalesce(n.total, 0),
        coalesce(s.total, 0),
        coalesce(e.total, 0),
        coalesce(p.total, 0),
        coalesce(u.calls, 0),
        CASE WHEN u.calls > 0 THEN u.input_tokens ELSE 0 END,
        CASE WHEN u.calls > 0 THEN u.output_tokens ELSE 0 END,
        CASE WHEN u.calls > 0 THEN u.cache_read_tokens ELSE 0 END,
        coalesce(d.usd, 0) + coalesce(m.usd, 0) + coalesce(p.usd, 0) + coalesce(u.usd, 0),
        h.hour,
        h.starts,
        coalesce(c.peak, 0),
        CASE WHEN d.usage_date - d.first_date >= 6 THEN d.week_mean::double precision END,
        round(100.0 * (d.starts - d.week_ago) / nullif(d.week_ago, 0), 1),
        CASE WHEN cardinality(d.same_weekday) >= 4 THEN
            (d.starts - usual.median) / (1.4826 * nullif(usual.deviation, 0))
        END,
        d.ends_at > (SELECT least(until, bcce.report_now())) OR coalesce(d.starts_at < since, false),
        trim_scale(round(extract(epoch FROM d.ends_at - d.starts_at) / 3600, 4))
    FROM pace d
    CROSS JOIN LATERAL (
        SELECT
            middle.median,
            (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(x.starts - middle.median))
             FROM unnest(d.same_weekday) AS x (starts)) AS deviation
        FROM (
            SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY x.starts) AS median
            FROM unnest(d.same_weekday) AS x (starts)
        ) middle
    ) usual
    LEFT JOIN metric_day m ON m.tenant_id = d.tenant_id AND m.usage_date = d.usage_date
    LEFT JOIN prediction_day p ON p.tenant_id = d.tenant_id AND p.usage_date = d.usage_date
    LEFT JOIN usage_day u ON u.tenant_id = d.tenant_id AND u.usage_date = d.usage_date
    LEFT JOIN event_day e ON e.tenant_id = d.tenant_id AND e.usage_date = d.usage_date
    LEFT JOIN user_day k ON k.tenant_id = d.tenant_id AND k.usage_date = d.usage_date
    LEFT JOIN session_day s ON s.tenant_id = d.tenant_id AND s.usage_date = d.usage_date
    LEFT JOIN new_user_day n ON n.tenant_id = d.tenant_id AND n.usage_date = d.usage_date
    LEFT JOIN peak_day h ON h.tenant_id = d.tenant_id AND h.usage_date = d.usage_date
    LEFT JOIN concurrency_day c ON c.tenant_id = d.tenant_id AND c.usage_date = d.usage_date
    WHERE d.has_begun AND (since IS NULL OR d.ends_at > since);
END;
COMMENT ON FUNCTION bcce.usage_trends(timestamptz, timestamptz) IS 'How does use change from day to day between since (inclusive) and until (exclusive)? NULL leaves an end open. Same columns as the view of this name; a day that the window cuts is partial, and look-back columns see the days before the window.';

CREATE OR REPLACE VIEW bcce.usage_trends WITH (security_invoker = true) AS
SELECT
    u.tenant_id,
    u.tenant_name,
    u.period_start_at,
    u.usage_date,
    u.timezone,
    u.total_workflows,
    u.failed_workflows,
    u.failure_rate_percent,
    u.avg_duration_seconds,
    u.p95_duration_seconds,
    u.active_users,
    u.new_users,
    u.sessions,
    u.events,
    u.predictions,
    u.model_calls,
    u.input_tokens,
    u.output_tokens,
    u.cache_read_tokens,
    u.total_cost_usd,
    u.peak_hour,
    u.peak_hour_workflows,
    u.peak_concurrent_runs,
    u.workflows_7d_avg,
    u.change_vs_7d_ago_percent,
    u.anomaly_score,
    u.is_partial_day,
    u.hours_in_day
FROM bcce.usage_trends(NULL::timestamptz, NULL::timestamptz) u;
COMMENT ON VIEW bcce.usage_trends IS 'How does use change from day to day: runs, failures, people, tokens, cost? One row per visible tenant and local day, from its first activity to today (to its last activity where that is over 35 days ago); days without activity are rows of zeros. For a period use the function of this name.';
COMMENT ON COLUMN bcce.usage_trends.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.usage_trends.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.usage_trends.period_start_at IS 'first instant of the local day';
COMMENT ON COLUMN bcce.usage_trends.usage_date IS 'local date in the tenant''s zone';
COMMENT ON COLUMN bcce.usage_trends.timezone IS 'the tenant''s zone';
COMMENT ON COLUMN bcce.usage_trends.total_workflows IS 'runs started that day: running, finished and cancelled; skipped ones are not counted';
COMMENT ON COLUMN bcce.usage_trends.failed_workflows IS 'those of them that failed or timed out';
COMMENT ON COLUMN bcce.usage_trends.failure_rate_percent IS 'percent of the finished ones that failed or timed out, one decimal; NULL: none finished';
COMMENT ON COLUMN bcce.usage_trends.avg_duration_seconds IS 'mean duration of the finished ones, seconds; NULL: none finished';
COMMENT ON COLUMN bcce.usage_trends.p95_duration_seconds IS '95th percentile of their duration, seconds; NULL: none finished';
COMMENT ON COLUMN bcce.usage_trends.active_users IS 'distinct pseudonymous users with a run, an event or a model call; not additive over days';
COMMENT ON COLUMN bcce.usage_trends.new_users IS 'users first ever seen that day';
COMMENT ON COLUMN bcce.usage_trends.sessions IS 'distinct sessions of events and model calls; not additive over days';
COMMENT ON COLUMN bcce.usage_trends.events IS 'events of guests and users';
COMMENT ON COLUMN bcce.usage_trends.predictions IS 'predictions made';
COMMENT ON COLUMN bcce.usage_trends.model_calls IS 'calls of language models';
COMMENT ON COLUMN bcce.usage_trends.input_tokens IS 'tokens into models; NULL: no call told';
COMMENT ON COLUMN bcce.usage_trends.output_tokens IS 'tokens out of models; NULL: no call told';
COMMENT ON COLUMN bcce.usage_trends.cache_read_tokens IS 'tokens read from the cache; NULL: no call told';
COMMENT ON COLUMN bcce.usage_trends.total_cost_usd IS 'US dollars for the day''s runs, samples, predictions and model calls: tariff_cost_usd + model_cost_usd of cost_analysis; infrastructure bills are not cut into days';
COMMENT ON COLUMN bcce.usage_trends.peak_hour IS 'local hour, 0 to 23, with the most run starts, the earliest of equals; NULL: no runs';
COMMENT ON COLUMN bcce.usage_trends.peak_hour_workflows IS 'runs started in that hour; NULL: no runs';
COMMENT ON COLUMN bcce.usage_trends.peak_concurrent_runs IS 'most runs under way at one moment of the day, those started earlier included';
COMMENT ON COLUMN bcce.usage_trends.workflows_7d_avg IS 'mean runs a day over this and the six days before; NULL in the first six days';
COMMENT ON COLUMN bcce.usage_trends.change_vs_7d_ago_percent IS 'percent change of the day''s runs against seven days before, one decimal; NULL: none then';
COMMENT ON COLUMN bcce.usage_trends.anomaly_score IS 'distance of the day''s runs from the median of the same weekday in the eight weeks before, in robust standard deviations (1.4826 × median absolute deviation); NULL: under four such days, or no deviation';
COMMENT ON COLUMN bcce.usage_trends.is_partial_day IS 'true when the day is not over or the period cuts it';
COMMENT ON COLUMN bcce.usage_trends.hours_in_day IS 'length of the local day in hours: 24, or 23, 25, 23.5 … when clocks change';
