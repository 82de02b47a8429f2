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
            t.tariff_includes_models,
            ends.first_at,
            CASE WHEN until IS NOT NULL THEN
                     greatest(ends.last_at, (SELECT least(until - interval '1 microsecond', bcce.report_now())))
                 WHEN ends.last_at < (SELECT bcce.report_now() - interval '840 hours') THEN ends.last_at
                 ELSE greatest(ends.last_at, (SELECT bcce.report_now())) END AS last_at
        FROM bcce_data.tenants t
        CROSS JOIN LATERAL bcce_data.fact_ends(t.tenant_id, NULL, until) seen
        CROSS JOIN LATERAL (
            SELECT
                least(seen.first_run_at, seen.first_metric_at, seen.first_prediction_at, seen.first_call_at, seen.first_event_at) AS first_at,
                greatest(seen.last_run_at, seen.last_metric_at, seen.last_prediction_at, seen.last_call_at, seen.last_event_at) AS last_at
        ) ends
        WHERE t.deleted_at IS NULL AND ends.first_at <= ends.last_at
    ),
    -- First seen ever, so over all history.
    new_user_day AS (
        SELECT f.tenant_id, local.day AS usage_date, count(*) AS total
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
        CROSS JOIN LATERAL bcce_data.local_date(f.first_at, a.timezone) local
        WHERE since IS NULL OR f.first_at >= since
        GROUP BY f.tenant_id, local.day
    ),
    -- Look-backs see whole days, also those before the window.
    pace AS (
        SELECT DISTINCT ON (a.tenant_id, d.first_day)
            a.tenant_id,
            d.first_day AS usage_date,
            r.starts,
            avg(r.starts) OVER (
                PARTITION BY a.tenant_id ORDER BY d.first_day
                RANGE BETWEEN interval '6 days' PRECEDING AND CURRENT ROW) AS week_mean,
            sum(r.starts) OVER (
                PARTITION BY a.tenant_id ORDER BY d.first_day
                RANGE BETWEEN interval '7 days' PRECEDING AND interval '7 days' PRECEDING) AS week_ago,
            array_agg(r.starts) OVER (
                PARTITION BY a.tenant_id, extract(isodow FROM d.first_day) ORDER BY d.first_day
                RANGE BETWEEN interval '56 days' PRECEDING AND interval '7 days' PRECEDING) AS same_weekday
        FROM active a
        CROSS JOIN LATERAL bcce_data.local_periods(greatest(a.first_at, since - interval '1416 hours'), a.last_at, a.timezone, 'day') d
        CROSS JOIN LATERAL (
            SELECT count(*) AS starts
            FROM bcce_data.workflow_runs r
            WHERE r.tenant_id = a.tenant_id
              AND r.started_at >= d.starts_at AND r.started_at < d.ends_at
              AND r.started_at >= coalesce(since - interval '1440 hours', '-infinity') AND r.started_at < coalesce(until, 'infinity')
              AND NOT r.is_test AND r.status <> 'skipped'
        ) r
    )
    SELECT
        a.tenant_id,
        a.tenant_name,
        c.starts_at,
        c.first_day,
        a.timezone,
        r.total,
        r.failed,
        round(100.0 * r.failed / nullif(r.finished, 0), 1),
        r.avg_seconds,
        r.p95_seconds,
        k.active,
        coalesce(n.total, 0),
        s.total,
        e.total,
        p.total,
        u.calls,
        CASE WHEN u.calls > 0 THEN u.input_tokens ELSE 0 END,
        CASE WHEN u.calls > 0 THEN u.output_tokens ELSE 0 END,
        CASE WHEN u.calls > 0 THEN u.cache_read_tokens ELSE 0 END,
        coalesce(r.usd, 0) + coalesce(m.usd, 0) + coalesce(p.usd, 0) + coalesce(u.usd, 0),
        -h.most[2],
        h.most[1],
        w.peak,
        CASE WHEN c.first_day - (a.first_at AT TIME ZONE a.timezone)::date >= 6 THEN d.week_mean::double precision END,
        round(100.0 * (d.starts - d.week_ago) / nullif(d.week_ago, 0), 1),
        CASE WHEN cardinality(d.same_weekday) >= 4 THEN
            (d.starts - usual.median) / (1.4826 * nullif(usual.deviation, 0))
        END,
        c.ends_at > (SELECT least(until, bcce.report_now())) OR coalesce(c.starts_at < since, false),
        trim_scale(round(extract(epoch FROM c.ends_at - c.starts_at) / 3600, 4))
    FROM (
        -- Runs of over a day, and those that run: of the others a day's own and
        -- those of the 24 hours before are all that can run in it.
        SELECT
            a.tenant_id,
            a.tenant_name,
            a.timezone,
            a.tariff_includes_models,
            a.first_at,
            a.last_at,
            (
                SELECT array_agg(tstzrange(r.started_at, CASE WHEN r.finished_at <= (SELECT least(until, bcce.report_now())) THEN r.finished_at END))
                FROM bcce_data.workflow_runs r
                WHERE r.tenant_id = a.tenant_id
                  AND (r.finished_at > r.started_at + interval '24 hours'
                       OR (r.finished_at <= (SELECT least(until, bcce.report_now()))) IS NOT TRUE)
                  AND r.started_at < coalesce(until, 'infinity')
                  AND r.started_at < (SELECT least(until, bcce.report_now()))
                  AND NOT r.is_test AND r.status <> 'skipped'
            ) AS long_runs
        FROM active a
        OFFSET 0
    ) a
    CROSS JOIN LATERAL bcce_data.local_periods(greatest(a.first_at, since), a.last_at, a.timezone, 'day') c
    -- Kept apart: under row security an index takes a column, but no subtraction.
    CROSS JOIN LATERAL (SELECT c.starts_at - interval '24 hours' AS starts_at OFFSET 0) before
    LEFT JOIN pace d ON d.tenant_id = a.tenant_id AND d.usage_date = c.first_day
    CROSS JOIN LATERAL (
        SELECT
            middle.median,
            (SELECT bcce.median(abs(x.starts - middle.median))
             FROM unnest(d.same_weekday) AS x (starts)) AS deviation
        FROM (
            SELECT bcce.median(x.starts) AS median
            FROM unnest(d.same_weekday) AS x (starts)
        ) middle
    ) usual
    LEFT JOIN new_user_day n ON n.tenant_id = a.tenant_id AND n.usage_date = c.first_day
    -- Each of one row; outer joins, as the planner leaves out those of which nothing is asked.
    LEFT JOIN LATERAL (
        SELECT
            count(*) AS total,
            count(*) FILTER (WHERE ended.by_now AND r.status IN ('failed', 'timed_out')) AS failed,
            count(*) FILTER (WHERE ended.by_now AND r.status IN ('succeeded', 'failed', 'timed_out')) AS finished,
            avg(r.duration_s) FILTER (WHERE ended.by_now AND r.status IN ('succeeded', 'failed', 'timed_out')) AS avg_seconds,
            bcce.percentile_exact(r.duration_s, 0.95) FILTER (WHERE ended.by_now AND r.status IN ('succeeded', 'failed', 'timed_out')) AS p95_seconds,
            sum(coalesce(r.charged_usd, bcce.estimate_cost('workflow_run', 1, r.started_at, r.tenant_id))) AS usd
        FROM bcce_data.workflow_runs r
        CROSS JOIN LATERAL (SELECT r.finished_at <= (SELECT least(until, bcce.report_now())) AS by_now) ended
        WHERE r.tenant_id = a.tenant_id
          AND r.started_at >= c.starts_at AND r.started_at < c.ends_at
          AND r.started_at >= coalesce(since, '-infinity') AND r.started_at < coalesce(until, 'infinity')
          AND NOT r.is_test AND r.status <> 'skipped'
    ) r ON true
    LEFT JOIN LATERAL (
        -- Most starts, and of equals the earliest hour.
        SELECT max(ARRAY[h.starts, -h.hour]) AS most
        FROM (
            SELECT extract(hour FROM r.started_at AT TIME ZONE a.timezone)::integer AS hour, count(*) AS starts
            FROM bcce_data.workflow_runs r
            WHERE r.tenant_id = a.tenant_id
              AND r.started_at >= c.starts_at AND r.started_at < c.ends_at
              AND r.started_at >= coalesce(since, '-infinity') AND r.started_at < coalesce(until, 'infinity')
              AND NOT r.is_test AND r.status <> 'skipped'
            GROUP BY extract(hour FROM r.started_at AT TIME ZONE a.timezone)
        ) h
    ) h ON true
    LEFT JOIN LATERAL (
        -- A sweep over starts (+1) and ends (-1); what ran at midnight starts there.
        SELECT coalesce(max(level.runs), 0) AS peak
        FROM (
            SELECT sum(edge.change) OVER (ORDER BY edge.at) AS runs
            FROM (
                SELECT r.started_at, r.finished_at
                FROM bcce_data.workflow_runs r
                WHERE r.tenant_id = a.tenant_id
                  AND r.started_at >= before.starts_at AND r.started_at < c.ends_at
                  AND r.started_at < coalesce(until, 'infinity')
                  AND r.started_at < (SELECT least(until, bcce.report_now()))
                  AND r.finished_at > c.starts_at
                  AND r.finished_at > r.started_at AND r.finished_at <= r.started_at + interval '24 hours'
                  AND r.finished_at <= (SELECT least(until, bcce.report_now()))
                  AND NOT r.is_test AND r.status <> 'skipped'
                UNION ALL
                SELECT lower(x.span), upper(x.span)
                FROM unnest(a.long_runs) AS x (span)
                WHERE x.span && tstzrange(c.starts_at, c.ends_at)
            ) r
            CROSS JOIN LATERAL (
                SELECT greatest(r.started_at, c.starts_at) AS at, 1 AS change
                UNION ALL
                SELECT r.finished_at, -1
                WHERE r.finished_at < c.ends_at
            ) edge
        ) level
    ) w ON true
    LEFT JOIN LATERAL (
        SELECT count(DISTINCT x.user_key) AS active
        FROM bcce_data.user_activity(since, until) x
        WHERE x.tenant_id = a.tenant_id AND x.at >= c.starts_at AND x.at < c.ends_at
    ) k ON true
    LEFT JOIN LATERAL (
        SELECT count(DISTINCT x.session_id) AS total
        FROM (
            SELECT e.session_id
            FROM bcce_data.events e
            WHERE e.tenant_id = a.tenant_id
              AND e.occurred_at >= c.starts_at AND e.occurred_at < c.ends_at
              AND e.occurred_at >= coalesce(since, '-infinity') AND e.occurred_at < coalesce(until, 'infinity')
              AND NOT e.is_test
            UNION ALL
            SELECT u.session_id
            FROM bcce_data.model_usage u
            WHERE u.tenant_id = a.tenant_id
              AND u.at >= c.starts_at AND u.at < c.ends_at
              AND u.at >= coalesce(since, '-infinity') AND u.at < coalesce(until, 'infinity')
              AND NOT u.is_test
        ) x
    ) s ON true
    LEFT JOIN LATERAL (
        SELECT count(*) AS total
        FROM bcce_data.events e
        WHERE e.tenant_id = a.tenant_id
          AND e.occurred_at >= c.starts_at AND e.occurred_at < c.ends_at
          AND e.occurred_at >= coalesce(since, '-infinity') AND e.occurred_at < coalesce(until, 'infinity')
          AND NOT e.is_test
    ) e ON true
    LEFT JOIN LATERAL (
        SELECT sum(coalesce(m.charged_usd, bcce.estimate_cost('metric', 1, m.observed_at, m.tenant_id))) AS usd
        FROM bcce_data.performance_metrics m
        WHERE m.tenant_id = a.tenant_id
          AND m.observed_at >= c.starts_at AND m.observed_at < c.ends_at
          AND m.observed_at >= coalesce(since, '-infinity') AND m.observed_at < coalesce(until, 'infinity')
          AND NOT m.is_test
    ) m ON true
    LEFT JOIN LATERAL (
        SELECT
            count(*) AS total,
            sum(coalesce(p.charged_usd, bcce.estimate_cost('prediction', 1, p.predicted_at, p.tenant_id))) AS usd
        FROM bcce_data.predictions p
        WHERE p.tenant_id = a.tenant_id
          AND p.predicted_at >= c.starts_at AND p.predicted_at < c.ends_at
          AND p.predicted_at >= coalesce(since, '-infinity') AND p.predicted_at < coalesce(until, 'infinity')
          AND NOT p.is_test
    ) p ON true
    LEFT JOIN LATERAL (
        SELECT
            count(*) AS calls,
            bcce_data.whole_number(sum(coalesce(u.input_tokens, CASE WHEN tokens.any_known THEN 0 END))) AS input_tokens,
            bcce_data.whole_number(sum(coalesce(u.output_tokens, CASE WHEN tokens.any_known THEN 0 END))) AS output_tokens,
            bcce_data.whole_number(sum(coalesce(u.cache_read_tokens, CASE WHEN tokens.any_known THEN 0 END))) AS cache_read_tokens,
            sum(bcce_data.call_cost_usd(u.reported_cost_usd, u.charged_usd, u.model_id, u.at, u.input_tokens, u.output_tokens,
                u.cache_read_tokens, u.cache_write_5m_tokens, u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier, u.tenant_id))
                FILTER (WHERE NOT (a.tariff_includes_models AND EXISTS (
                    SELECT 1
                    FROM bcce_data.workflow_run_keys k
                    WHERE k.tenant_id = u.tenant_id AND k.run_id = u.run_id
                      -- OFFSET 0: no join, so that the key's month alone is read.
                      AND EXISTS (
                          SELECT 1
                          FROM bcce_data.workflow_runs r
                          WHERE r.tenant_id = k.tenant_id AND r.run_id = k.run_id AND r.started_at = k.started_at
                            AND NOT r.is_test AND r.status <> 'skipped'
                          OFFSET 0
                      )))) AS usd
        FROM bcce_data.model_usage u
        CROSS JOIN LATERAL (
            SELECT coalesce(u.input_tokens, u.output_tokens, u.cache_read_tokens,
                            u.cache_write_5m_tokens, u.cache_write_1h_tokens) IS NOT NULL AS any_known
        ) tokens
        WHERE u.tenant_id = a.tenant_id
          AND u.at >= c.starts_at AND u.at < c.ends_at
          AND u.at >= coalesce(since, '-infinity') AND u.at < coalesce(until, 'infinity')
          AND NOT u.is_test
    ) u ON true;
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
COMMENT ON COLUMN bcce.usage_trends.total_cost_usd IS 'US dollars for the day''s runs, samples, predictions and model calls: workflow, monitoring, prediction and model cost less covered_model_cost_usd, as in cost_by_day; infrastructure bills and adjustments are left out';
COMMENT ON COLUMN bcce.usage_trends.peak_hour IS 'local hour, 0 to 23, with the most run starts, the earliest of equals; NULL: no runs';
COMMENT ON COLUMN bcce.usage_trends.peak_hour_workflows IS 'runs started in that hour; NULL: no runs';
COMMENT ON COLUMN bcce.usage_trends.peak_concurrent_runs IS 'most runs under way at one moment of the day, those started earlier included';
COMMENT ON COLUMN bcce.usage_trends.workflows_7d_avg IS 'mean runs a day over this and the six days before; NULL in the first six days';
COMMENT ON COLUMN bcce.usage_trends.change_vs_7d_ago_percent IS 'percent change of the day''s runs against seven days before, one decimal; NULL: none then';
COMMENT ON COLUMN bcce.usage_trends.anomaly_score IS 'distance of the day''s runs from the median of the same weekday in the eight weeks before, in robust standard deviations (1.4826 x median absolute deviation); NULL: under four such days, or no deviation';
COMMENT ON COLUMN bcce.usage_trends.is_partial_day IS 'true when the day is not over or the period cuts it';
COMMENT ON COLUMN bcce.usage_trends.hours_in_day IS 'length of the local day in hours: 24, or 23, 25, 23.5 ... when clocks change';
