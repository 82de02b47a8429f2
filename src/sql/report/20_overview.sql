-- analytics_overview: what happened, one row per tenant.
CREATE OR REPLACE FUNCTION bcce.analytics_overview(since timestamptz, until timestamptz, include_retries boolean)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    total_workflows bigint,
    failed_workflows bigint,
    failure_rate_percent numeric,
    avg_p95_latency_ms double precision,
    avg_throughput_rps double precision,
    total_predictions bigint,
    avg_failure_probability double precision,
    finished_workflows bigint,
    running_workflows bigint,
    cancelled_workflows bigint,
    success_rate_percent numeric,
    failure_rate_low_percent numeric,
    failure_rate_high_percent numeric,
    p95_latency_ms double precision,
    p95_is_approximate boolean,
    open_incidents bigint,
    active_users bigint,
    first_activity_at timestamptz,
    last_activity_at timestamptz,
    as_of timestamptz
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        coalesce(run.total, 0),
        coalesce(run.failed, 0),
        round(100.0 * run.failed / nullif(run.finished, 0), 1),
        metric.avg_p95_latency_ms,
        metric.avg_throughput_rps,
        coalesce(prediction.total, 0),
        prediction.avg_failure_probability,
        coalesce(run.finished, 0),
        coalesce(run.total - run.finished - run.cancelled, 0),
        coalesce(run.cancelled, 0),
        round(100.0 * (run.finished - run.failed) / nullif(run.finished, 0), 1),
        -- Wilson: (k + z^2/2 +- z sqrt(k (n - k) / n + z^2/4)) / (n + z^2), z = 1.959963984540054
        round(100.0 * (run.failed + 3.841458820694124 / 2 - 1.959963984540054
            * sqrt(1.0 * run.failed * (run.finished - run.failed) / nullif(run.finished, 0) + 3.841458820694124 / 4))
            / (run.finished + 3.841458820694124), 1),
        round(100.0 * (run.failed + 3.841458820694124 / 2 + 1.959963984540054
            * sqrt(1.0 * run.failed * (run.finished - run.failed) / nullif(run.finished, 0) + 3.841458820694124 / 4))
            / (run.finished + 3.841458820694124), 1),
        metric.p95_latency_ms,
        CASE WHEN metric.p95_latency_ms IS NOT NULL THEN NOT metric.digest_is_exact END,
        coalesce(incident.still_open, 0),
        coalesce(person.active, 0),
        least(run.first_at, metric.first_at, prediction.first_at, person.first_at),
        greatest(run.last_at, metric.last_at, prediction.last_at, person.last_at),
        (SELECT least(until, bcce.report_now()))
    FROM bcce_data.tenants t
    LEFT JOIN (
        SELECT
            r.tenant_id,
            count(*) AS total,
            count(*) FILTER (WHERE r.finished_at <= (SELECT least(until, bcce.report_now()))
                             AND r.status IN ('failed', 'timed_out')) AS failed,
            count(*) FILTER (WHERE r.finished_at <= (SELECT least(until, bcce.report_now()))
                             AND r.status IN ('succeeded', 'failed', 'timed_out')) AS finished,
            count(*) FILTER (WHERE r.finished_at <= (SELECT least(until, bcce.report_now()))
                             AND r.status = 'cancelled') AS cancelled,
            min(r.started_at) AS first_at,
            max(r.started_at) AS last_at
        FROM bcce_data.workflow_runs r
        WHERE r.started_at >= coalesce(since, '-infinity')
          AND r.started_at < coalesce(until, 'infinity')
          AND NOT r.is_test AND r.status <> 'skipped'
          AND (include_retries OR NOT EXISTS (
              -- A retry starts after what it repeats, so the window's start holds for it, too.
              SELECT 1
              FROM bcce_data.workflow_runs again
              WHERE again.tenant_id = r.tenant_id AND again.retry_of = r.run_id AND again.retry_of <> again.run_id
                AND again.started_at >= coalesce(since, '-infinity')
                AND again.started_at < coalesce(until, 'infinity')
                AND NOT again.is_test AND again.status <> 'skipped'
          ))
        GROUP BY r.tenant_id
    ) run ON run.tenant_id = t.tenant_id
    LEFT JOIN (
        -- A sample of unknown length weighs as much as the known ones do on average.
        SELECT
            m.tenant_id,
            avg(m.p95_latency_ms) AS avg_p95_latency_ms,
            bcce.approx_percentile(bcce.rollup(bcce.sketch_from_bytes(m.latency_digest)), 0.95) AS p95_latency_ms,
            bcce.is_exact(bcce.rollup(bcce.sketch_from_bytes(m.latency_digest))) AS digest_is_exact,
            CASE WHEN min(length.s) FILTER (WHERE m.throughput_rps IS NOT NULL)
                      < max(length.s) FILTER (WHERE m.throughput_rps IS NOT NULL) THEN
                (sum(m.throughput_rps * length.s)
                    + coalesce(avg(length.s) FILTER (WHERE m.throughput_rps IS NOT NULL)
                               * sum(m.throughput_rps) FILTER (WHERE length.s IS NULL), 0))
                / (avg(length.s) FILTER (WHERE m.throughput_rps IS NOT NULL) * count(m.throughput_rps))
            ELSE avg(m.throughput_rps) END AS avg_throughput_rps,
            min(m.observed_at) AS first_at,
            max(m.observed_at) AS last_at
        FROM bcce_data.performance_metrics m
        LEFT JOIN bcce_data.services s ON s.tenant_id = m.tenant_id AND s.service_id = m.service_id
        CROSS JOIN LATERAL (SELECT coalesce(m.window_seconds, s.expected_interval_seconds) AS s) length
        WHERE m.observed_at >= coalesce(since, '-infinity')
          AND m.observed_at < coalesce(until, 'infinity')
          AND NOT m.is_test
        GROUP BY m.tenant_id
    ) metric ON metric.tenant_id = t.tenant_id
    LEFT JOIN (
        SELECT
            p.tenant_id,
            count(*) AS total,
            avg(p.failure_probability) AS avg_failure_probability,
            min(p.predicted_at) AS first_at,
            max(p.predicted_at) AS last_at
        FROM bcce_data.predictions p
        WHERE p.predicted_at >= coalesce(since, '-infinity')
          AND p.predicted_at < coalesce(until, 'infinity')
          AND NOT p.is_test
        GROUP BY p.tenant_id
    ) prediction ON prediction.tenant_id = t.tenant_id
    LEFT JOIN (
        SELECT i.tenant_id, count(*) AS still_open
        FROM bcce_data.declared_incidents(until) i
        WHERE i.state = 'open' AND i.started_at <= (SELECT least(until, bcce.report_now()))
        GROUP BY i.tenant_id
    ) incident ON incident.tenant_id = t.tenant_id
    LEFT JOIN (
        -- One row per user and fact first: few rows are left to be made distinct.
        SELECT a.tenant_id, count(DISTINCT a.user_key) AS active, min(a.first_at) AS first_at, max(a.last_at) AS last_at
        FROM (
            SELECT r.tenant_id, r.user_key, min(r.started_at) AS first_at, max(r.started_at) AS last_at
            FROM bcce_data.workflow_runs r
            WHERE r.started_at >= coalesce(since, '-infinity')
              AND r.started_at < coalesce(until, 'infinity')
              AND NOT r.is_test AND r.status <> 'skipped'
            GROUP BY r.tenant_id, r.user_key
            UNION ALL
            SELECT e.tenant_id, e.user_key, min(e.occurred_at), max(e.occurred_at)
            FROM bcce_data.events e
            WHERE e.occurred_at >= coalesce(since, '-infinity')
              AND e.occurred_at < coalesce(until, 'infinity')
              AND NOT e.is_test
            GROUP BY e.tenant_id, e.user_key
            UNION ALL
            SELECT u.tenant_id, u.user_key, min(u.at), max(u.at)
            FROM bcce_data.model_usage u
            WHERE u.at >= coalesce(since, '-infinity')
              AND u.at < coalesce(until, 'infinity')
              AND NOT u.is_test
            GROUP BY u.tenant_id, u.user_key
        ) a
        GROUP BY a.tenant_id
    ) person ON person.tenant_id = t.tenant_id
    WHERE t.deleted_at IS NULL;
END;
COMMENT ON FUNCTION bcce.analytics_overview(timestamptz, timestamptz, boolean) IS 'The same, and with include_retries false the counts and rates of runs are over last attempts only: a run that another one repeats (retry_of) before the window''s end is left out. People and activity are those of all attempts.';

CREATE OR REPLACE FUNCTION bcce.analytics_overview(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    total_workflows bigint,
    failed_workflows bigint,
    failure_rate_percent numeric,
    avg_p95_latency_ms double precision,
    avg_throughput_rps double precision,
    total_predictions bigint,
    avg_failure_probability double precision,
    finished_workflows bigint,
    running_workflows bigint,
    cancelled_workflows bigint,
    success_rate_percent numeric,
    failure_rate_low_percent numeric,
    failure_rate_high_percent numeric,
    p95_latency_ms double precision,
    p95_is_approximate boolean,
    open_incidents bigint,
    active_users bigint,
    first_activity_at timestamptz,
    last_activity_at timestamptz,
    as_of timestamptz
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        o.tenant_id,
        o.tenant_name,
        o.total_workflows,
        o.failed_workflows,
        o.failure_rate_percent,
        o.avg_p95_latency_ms,
        o.avg_throughput_rps,
        o.total_predictions,
        o.avg_failure_probability,
        o.finished_workflows,
        o.running_workflows,
        o.cancelled_workflows,
        o.success_rate_percent,
        o.failure_rate_low_percent,
        o.failure_rate_high_percent,
        o.p95_latency_ms,
        o.p95_is_approximate,
        o.open_incidents,
        o.active_users,
        o.first_activity_at,
        o.last_activity_at,
        o.as_of
    FROM bcce.analytics_overview(since, until, true) o;
END;
COMMENT ON FUNCTION bcce.analytics_overview(timestamptz, timestamptz) IS 'How is each tenant doing between since (inclusive) and until (exclusive)? NULL leaves an end open. Same columns as the view of this name; states are those at the window''s end, or now.';

CREATE OR REPLACE VIEW bcce.analytics_overview WITH (security_invoker = true) AS
SELECT
    o.tenant_id,
    o.tenant_name,
    o.total_workflows,
    o.failed_workflows,
    o.failure_rate_percent,
    o.avg_p95_latency_ms,
    o.avg_throughput_rps,
    o.total_predictions,
    o.avg_failure_probability,
    o.finished_workflows,
    o.running_workflows,
    o.cancelled_workflows,
    o.success_rate_percent,
    o.failure_rate_low_percent,
    o.failure_rate_high_percent,
    o.p95_latency_ms,
    o.p95_is_approximate,
    o.open_incidents,
    o.active_users,
    o.first_activity_at,
    o.last_activity_at,
    o.as_of
FROM bcce.analytics_overview(NULL::timestamptz, NULL::timestamptz) o;
COMMENT ON VIEW bcce.analytics_overview IS 'How is each tenant doing, over all retained data: how much ran, how much of it failed, how fast, for how many people? One row per visible tenant. For a period use the function of this name.';
COMMENT ON COLUMN bcce.analytics_overview.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.analytics_overview.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.analytics_overview.total_workflows IS 'runs started: running, finished and cancelled; skipped ones are not counted';
COMMENT ON COLUMN bcce.analytics_overview.failed_workflows IS 'runs that failed or timed out';
COMMENT ON COLUMN bcce.analytics_overview.failure_rate_percent IS 'percent of the finished runs that failed or timed out, one decimal; NULL: none finished';
COMMENT ON COLUMN bcce.analytics_overview.avg_p95_latency_ms IS 'mean of the samples'' p95 latency, milliseconds; NULL: no sample has one';
COMMENT ON COLUMN bcce.analytics_overview.avg_throughput_rps IS 'mean throughput of the samples, requests per second, weighted by sample length (the service''s declared interval where a sample has none)';
COMMENT ON COLUMN bcce.analytics_overview.total_predictions IS 'predictions made';
COMMENT ON COLUMN bcce.analytics_overview.avg_failure_probability IS 'mean predicted probability of failure, 0 to 1; NULL: no predictions';
COMMENT ON COLUMN bcce.analytics_overview.finished_workflows IS 'runs that succeeded, failed or timed out: what the rates divide by';
COMMENT ON COLUMN bcce.analytics_overview.running_workflows IS 'runs started and not over yet';
COMMENT ON COLUMN bcce.analytics_overview.cancelled_workflows IS 'runs that were cancelled';
COMMENT ON COLUMN bcce.analytics_overview.success_rate_percent IS 'percent of the finished runs that succeeded, one decimal; NULL: none finished';
COMMENT ON COLUMN bcce.analytics_overview.failure_rate_low_percent IS 'lower end of the failure rate''s 95 % confidence interval (Wilson), percent; NULL: none finished';
COMMENT ON COLUMN bcce.analytics_overview.failure_rate_high_percent IS 'upper end of the failure rate''s 95 % confidence interval (Wilson), percent; NULL: none finished';
COMMENT ON COLUMN bcce.analytics_overview.p95_latency_ms IS '95th percentile of latency, milliseconds, from the merged digests of the samples; NULL: no sample has a digest';
COMMENT ON COLUMN bcce.analytics_overview.p95_is_approximate IS 'whether p95_latency_ms is within the error of the digests (0.5415 % by default) rather than exact; NULL: there is none';
COMMENT ON COLUMN bcce.analytics_overview.open_incidents IS 'declared incidents open now (at the end of a period), whenever they began';
COMMENT ON COLUMN bcce.analytics_overview.active_users IS 'distinct pseudonymous users with a run, an event or a model call; guests are not users';
COMMENT ON COLUMN bcce.analytics_overview.first_activity_at IS 'time of the first run, event, model call, prediction or sample';
COMMENT ON COLUMN bcce.analytics_overview.last_activity_at IS 'time of the last run, event, model call, prediction or sample';
COMMENT ON COLUMN bcce.analytics_overview.as_of IS 'moment at which states are judged: now, or the end of the period';

-- A tenant of somebody else and one that does not exist are the same to the caller.
CREATE OR REPLACE FUNCTION bcce.overview_json(tenant uuid) RETURNS json
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT row_to_json(sample)
    FROM (
        SELECT
            o.tenant_id,
            o.total_workflows,
            o.failed_workflows,
            o.failure_rate_percent,
            round(o.avg_p95_latency_ms::numeric, 1) AS avg_p95_latency_ms,
            round(o.avg_throughput_rps::numeric, 1) AS avg_throughput_rps,
            o.total_predictions,
            round(o.avg_failure_probability::numeric, 2) AS avg_failure_probability
        FROM bcce.analytics_overview(NULL::timestamptz, NULL::timestamptz) o
        WHERE o.tenant_id = tenant
    ) sample
    UNION ALL
    SELECT NULL::json
    FROM bcce.raise_error('P0002', 'tenant not found', NULL, NULL) refusal
    WHERE NOT EXISTS (
        SELECT 1
        FROM bcce_data.tenants t
        WHERE t.tenant_id = tenant AND t.deleted_at IS NULL
    );
END;
COMMENT ON FUNCTION bcce.overview_json(uuid) IS 'The eight main numbers of a tenant, over all its data, as JSON: rates, latency and throughput with one decimal, the probability with two, null where unknown. Error P0002 when there is no such tenant or it is not the caller''s.';

CREATE OR REPLACE FUNCTION bcce_data.tenant_named(tenant text) RETURNS uuid
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT t.tenant_id
    FROM bcce_data.tenants t
    WHERE tenant IN (t.slug, t.external_id)
       OR replace(t.tenant_id::text, '-', '') = lower(replace(btrim(tenant, '{}'), '-', ''))
    ORDER BY t.slug = tenant DESC, t.external_id = tenant DESC NULLS LAST
    LIMIT 1;
END;
COMMENT ON FUNCTION bcce_data.tenant_named(text) IS 'The visible tenant of that slug, external id or uuid; NULL: there is none.';

CREATE OR REPLACE FUNCTION bcce.overview_json(tenant text) RETURNS json
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT bcce.overview_json(bcce_data.tenant_named(tenant));
END;
COMMENT ON FUNCTION bcce.overview_json(text) IS 'The same for a tenant named by slug, external id or uuid.';
