-- service_health_dashboard: how services are now, one row per tenant and service.
CREATE OR REPLACE FUNCTION bcce.service_health_dashboard(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    service_id text,
    service_name text,
    status text,
    status_reason text,
    last_seen_at timestamptz,
    window_minutes double precision,
    request_count bigint,
    error_count bigint,
    error_rate_percent numeric,
    p50_latency_ms double precision,
    p95_latency_ms double precision,
    p99_latency_ms double precision,
    throughput_rps double precision,
    cpu_percent double precision,
    memory_percent double precision,
    storage_percent double precision,
    network_percent double precision,
    open_incidents bigint,
    worst_open_severity text,
    latest_failure_probability double precision,
    in_maintenance boolean
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH service AS (
        SELECT
            t.tenant_id,
            t.tenant_name,
            s.service_id,
            s.service_name,
            s.expected_interval_seconds
        FROM bcce_data.tenants t
        JOIN bcce_data.services s ON s.tenant_id = t.tenant_id
        WHERE t.deleted_at IS NULL
          AND (s.retired_at IS NULL OR s.retired_at > (SELECT least(until, bcce.report_now()) - interval '720 hours'))
    ),
    -- The limit of the service itself, else the tenant's for all services, else the default.
    threshold AS (
        SELECT
            l.tenant_id,
            l.service_id,
            max(l.value) FILTER (WHERE l.threshold = 'window_minutes') AS window_minutes,
            max(l.value) FILTER (WHERE l.threshold = 'stale_after_minutes') AS stale_after_minutes,
            max(l.value) FILTER (WHERE l.threshold = 'stale_intervals') AS stale_intervals,
            max(l.value) FILTER (WHERE l.threshold = 'down_error_percent') AS down_error_percent,
            max(l.value) FILTER (WHERE l.threshold = 'down_min_requests') AS down_min_requests,
            max(l.value) FILTER (WHERE l.threshold = 'degraded_error_percent') AS degraded_error_percent,
            max(l.value) FILTER (WHERE l.threshold = 'degraded_min_requests') AS degraded_min_requests,
            max(l.value) FILTER (WHERE l.threshold = 'degraded_p95_latency_ms') AS degraded_p95_latency_ms,
            max(l.value) FILTER (WHERE l.threshold = 'degraded_cpu_percent') AS degraded_cpu_percent,
            max(l.value) FILTER (WHERE l.threshold = 'degraded_memory_percent') AS degraded_memory_percent,
            max(l.value) FILTER (WHERE l.threshold = 'degraded_storage_percent') AS degraded_storage_percent,
            max(l.value) FILTER (WHERE l.threshold = 'degraded_network_percent') AS degraded_network_percent
        FROM (
            SELECT s.tenant_id, s.service_id, d.threshold, coalesce(own.value, every.value, d.value) AS value
            FROM service s
            CROSS JOIN bcce_data.default_health_thresholds d
            LEFT JOIN bcce_data.health_thresholds own
                ON own.tenant_id = s.tenant_id AND own.service_id = s.service_id AND own.threshold = d.threshold
            LEFT JOIN bcce_data.health_thresholds every
                ON every.tenant_id = s.tenant_id AND every.service_id = '*' AND every.threshold = d.threshold
        ) l
        GROUP BY l.tenant_id, l.service_id
    ),
    incident AS (
        SELECT i.tenant_id, i.service_id, count(*) AS still_open, min(i.severity) AS worst_severity
        FROM bcce_data.declared_incidents(until) i
        WHERE i.state = 'open' AND i.started_at <= (SELECT least(until, bcce.report_now()))
        GROUP BY i.tenant_id, i.service_id
    )
    SELECT
        s.tenant_id,
        s.tenant_name,
        s.service_id,
        s.service_name,
        verdict.status,
        CASE verdict.status
            WHEN 'maintenance' THEN 'inside a declared maintenance window'
            WHEN 'unknown' THEN 'no sample was ever received'
            WHEN 'stale' THEN reason.stale
            WHEN 'down' THEN reason.down
            WHEN 'degraded' THEN reason.degraded
        END,
        seen.last_at,
        l.window_minutes,
        coalesce(sample.requests, 0),
        coalesce(sample.errors, 0),
        round(100.0 * sample.rated_errors / nullif(sample.rated_requests, 0), 4),
        sample.p50_latency_ms,
        sample.p95_latency_ms,
        sample.p99_latency_ms,
        sample.throughput_rps,
        sample.cpu_percent,
        sample.memory_percent,
        sample.storage_percent,
        sample.network_percent,
        coalesce(i.still_open, 0),
        i.worst_severity,
        prediction.failure_probability,
        maintenance.now
    FROM service s
    JOIN threshold l ON l.tenant_id = s.tenant_id AND l.service_id = s.service_id
    LEFT JOIN incident i ON i.tenant_id = s.tenant_id AND i.service_id = s.service_id
    CROSS JOIN LATERAL (
        SELECT EXISTS (
            SELECT 1
            FROM bcce_data.maintenance_windows w
            WHERE w.tenant_id = s.tenant_id AND w.service_id = s.service_id
              AND w.starts_at <= (SELECT least(until, bcce.report_now()))
              AND w.ends_at > (SELECT least(until, bcce.report_now()))
        ) AS now
    ) maintenance
    CROSS JOIN LATERAL (
        SELECT (
            SELECT m.observed_at
            FROM bcce_data.performance_metrics m
            WHERE m.tenant_id = s.tenant_id AND m.service_id = s.service_id AND NOT m.is_test
              AND m.observed_at < coalesce(until, 'infinity')
              AND m.observed_at <= (SELECT least(until, bcce.report_now()))
            ORDER BY m.observed_at DESC
            LIMIT 1
        ) AS last_at
    ) seen
    CROSS JOIN LATERAL (
        SELECT
            sum(m.request_count)::bigint AS requests,
            sum(m.error_count)::bigint AS errors,
            sum(m.request_count) FILTER (WHERE m.error_count IS NOT NULL) AS rated_requests,
            sum(m.error_count) FILTER (WHERE m.request_count IS NOT NULL) AS rated_errors,
            avg(m.p50_latency_ms) AS p50_latency_ms,
            avg(m.p95_latency_ms) AS p95_latency_ms,
            avg(m.p99_latency_ms) AS p99_latency_ms,
            CASE WHEN min(length.s) FILTER (WHERE m.throughput_rps IS NOT NULL)
                      < max(length.s) FILTER (WHERE m.throughput_rps IS NOT NULL) THEN
                (sum(m.throughput_rps * length.s)
                    + coalesce(avg(length.s) FILTER (WHERE m.throughput_rps IS NOT NULL)
                               * sum(m.throughput_rps) FILTER (WHERE length.s IS NULL), 0))
                / (avg(length.s) FILTER (WHERE m.throughput_rps IS NOT NULL) * count(m.throughput_rps))
            ELSE avg(m.throughput_rps) END AS throughput_rps,
            avg(m.cpu_percent) AS cpu_percent,
            avg(m.memory_percent) AS memory_percent,
            avg(m.storage_percent) AS storage_percent,
            avg(m.network_percent) AS network_percent
        FROM bcce_data.performance_metrics m
        CROSS JOIN LATERAL (
            SELECT coalesce(m.window_seconds, s.expected_interval_seconds) AS s
        ) length
        WHERE m.tenant_id = s.tenant_id AND m.service_id = s.service_id AND NOT m.is_test
          AND m.observed_at >= (SELECT least(until, bcce.report_now())) - make_interval(secs => l.window_minutes * 60)
          AND m.observed_at <= (SELECT least(until, bcce.report_now()))
          AND m.observed_at < coalesce(until, 'infinity')
    ) sample
    CROSS JOIN LATERAL (
        SELECT (
            SELECT p.failure_probability
            FROM bcce_data.predictions p
            WHERE p.tenant_id = s.tenant_id AND p.target_kind = 'service' AND p.target_id = s.service_id AND NOT p.is_test
              AND p.predicted_at < coalesce(until, 'infinity')
              AND p.predicted_at <= (SELECT least(until, bcce.report_now()))
            ORDER BY p.predicted_at DESC, p.prediction_id DESC
            LIMIT 1
        ) AS failure_probability
    ) prediction
    CROSS JOIN LATERAL (
        SELECT
            CASE WHEN seen.last_at < (SELECT least(until, bcce.report_now()))
                    - make_interval(secs => coalesce(l.stale_intervals * s.expected_interval_seconds,
                                                     l.stale_after_minutes * 60)) THEN
                'last sample is older than '
                    || coalesce(l.stale_intervals * s.expected_interval_seconds / 60, l.stale_after_minutes) || ' minutes'
            END AS stale,
            nullif(concat_ws('; ',
                CASE WHEN i.worst_severity = 'sev1' THEN 'open sev1 incident' END,
                CASE WHEN sample.rated_requests >= l.down_min_requests
                        AND 100 * sample.rated_errors >= l.down_error_percent * sample.rated_requests THEN
                    'error rate of at least ' || l.down_error_percent || ' percent' END
            ), '') AS down,
            nullif(concat_ws('; ',
                CASE WHEN i.worst_severity = 'sev2' THEN 'open sev2 incident' END,
                CASE WHEN sample.rated_requests >= l.degraded_min_requests
                        AND 100 * sample.rated_errors > l.degraded_error_percent * sample.rated_requests THEN
                    'error rate above ' || l.degraded_error_percent || ' percent' END,
                CASE WHEN sample.p95_latency_ms > l.degraded_p95_latency_ms THEN
                    'p95 latency above ' || l.degraded_p95_latency_ms || ' ms' END,
                CASE WHEN sample.cpu_percent > l.degraded_cpu_percent THEN
                    'CPU above ' || l.degraded_cpu_percent || ' percent' END,
                CASE WHEN sample.memory_percent > l.degraded_memory_percent THEN
                    'memory above ' || l.degraded_memory_percent || ' percent' END,
                CASE WHEN sample.storage_percent > l.degraded_storage_percent THEN
                    'storage above ' || l.degraded_storage_percent || ' percent' END,
                CASE WHEN sample.network_percent > l.degraded_network_percent THEN
                    'network above ' || l.degraded_network_percent || ' percent' END
            ), '') AS degraded
    ) reason
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN maintenance.now THEN 'maintenance'
            WHEN seen.last_at IS NULL THEN 'unknown'
            WHEN reason.stale IS NOT NULL THEN 'stale'
            WHEN reason.down IS NOT NULL THEN 'down'
            WHEN reason.degraded IS NOT NULL THEN 'degraded'
            ELSE 'healthy'
        END AS status
    ) verdict;
END;
COMMENT ON FUNCTION bcce.service_health_dashboard(timestamptz, timestamptz) IS 'How was each service just before until (exclusive), or how is it now where until is NULL? Same columns as the view of this name; the judged minutes end there whatever since says.';

CREATE OR REPLACE VIEW bcce.service_health_dashboard WITH (security_invoker = true) AS
SELECT
    h.tenant_id,
    h.tenant_name,
    h.service_id,
    h.service_name,
    h.status,
    h.status_reason,
    h.last_seen_at,
    h.window_minutes,
    h.request_count,
    h.error_count,
    h.error_rate_percent,
    h.p50_latency_ms,
    h.p95_latency_ms,
    h.p99_latency_ms,
    h.throughput_rps,
    h.cpu_percent,
    h.memory_percent,
    h.storage_percent,
    h.network_percent,
    h.open_incidents,
    h.worst_open_severity,
    h.latest_failure_probability,
    h.in_maintenance
FROM bcce.service_health_dashboard(NULL::timestamptz, NULL::timestamptz) h;
COMMENT ON VIEW bcce.service_health_dashboard IS 'How is each service now: healthy, degraded or down, and why? One row per visible tenant and service; a retired one leaves after 30 days. For a past moment use the function of this name.';
COMMENT ON COLUMN bcce.service_health_dashboard.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.service_health_dashboard.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.service_health_dashboard.service_id IS 'service';
COMMENT ON COLUMN bcce.service_health_dashboard.service_name IS 'display name of the service';
COMMENT ON COLUMN bcce.service_health_dashboard.status IS 'maintenance, unknown (no sample ever), stale (no recent sample), down, degraded or healthy: the first that applies; limits are in health_thresholds';
COMMENT ON COLUMN bcce.service_health_dashboard.status_reason IS 'why, all reasons for that status; NULL: healthy';
COMMENT ON COLUMN bcce.service_health_dashboard.last_seen_at IS 'time of the last sample; NULL: never any';
COMMENT ON COLUMN bcce.service_health_dashboard.window_minutes IS 'length of the time that is judged, minutes';
COMMENT ON COLUMN bcce.service_health_dashboard.request_count IS 'requests in those minutes';
COMMENT ON COLUMN bcce.service_health_dashboard.error_count IS 'failed requests in those minutes';
COMMENT ON COLUMN bcce.service_health_dashboard.error_rate_percent IS 'percent of the requests that failed, four decimals, over samples that tell both; NULL: no requests';
COMMENT ON COLUMN bcce.service_health_dashboard.p50_latency_ms IS 'mean of the samples'' median latency, milliseconds';
COMMENT ON COLUMN bcce.service_health_dashboard.p95_latency_ms IS 'mean of the samples'' p95 latency, milliseconds';
COMMENT ON COLUMN bcce.service_health_dashboard.p99_latency_ms IS 'mean of the samples'' p99 latency, milliseconds';
COMMENT ON COLUMN bcce.service_health_dashboard.throughput_rps IS 'mean throughput of the samples, requests per second, weighted by sample length';
COMMENT ON COLUMN bcce.service_health_dashboard.cpu_percent IS 'mean CPU use, 0 to 100';
COMMENT ON COLUMN bcce.service_health_dashboard.memory_percent IS 'mean memory use, 0 to 100';
COMMENT ON COLUMN bcce.service_health_dashboard.storage_percent IS 'mean storage use, 0 to 100';
COMMENT ON COLUMN bcce.service_health_dashboard.network_percent IS 'mean network use, 0 to 100';
COMMENT ON COLUMN bcce.service_health_dashboard.open_incidents IS 'declared incidents of the service that are open';
COMMENT ON COLUMN bcce.service_health_dashboard.worst_open_severity IS 'worst severity among them, sev1 to sev4; NULL: none open, or unclassified';
COMMENT ON COLUMN bcce.service_health_dashboard.latest_failure_probability IS 'latest predicted probability that the service fails, 0 to 1; NULL: never predicted';
COMMENT ON COLUMN bcce.service_health_dashboard.in_maintenance IS 'true inside a declared maintenance window';
