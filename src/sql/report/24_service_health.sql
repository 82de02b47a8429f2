-- service_health_dashboard: how services are now, one row per tenant and service.
CREATE OR REPLACE FUNCTION bcce.service_health_dashboard(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    service_id text,
    service_name text,
    status text,
    status_reason text,
    status_since timestamptz,
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
    availability_30d_percent numeric,
    slo_target_percent numeric,
    error_budget_remaining_percent numeric,
    latest_failure_probability double precision,
    in_maintenance boolean
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH service AS MATERIALIZED (
        SELECT
            l.tenant_id,
            l.tenant_name,
            l.service_id,
            l.service_name,
            l.expected_interval_seconds,
            l.judged_at,
            l.slo_target_percent,
            l.stale_seconds,
            l.window_minutes,
            l.window_starts_at,
            l.down_error_percent,
            l.down_min_requests,
            l.degraded_error_percent,
            l.degraded_min_requests,
            l.degraded_p95_latency_ms,
            l.degraded_cpu_percent,
            l.degraded_memory_percent,
            l.degraded_storage_percent,
            l.degraded_network_percent,
            l.fast_burn_rate,
            l.slow_burn_rate
        FROM bcce_data.service_limits(until) l
    ),
    incident AS (
        SELECT i.tenant_id, i.service_id, count(*) AS still_open, min(i.severity) AS worst_severity
        FROM bcce_data.declared_incidents(until) i
        WHERE i.state = 'open' AND i.started_at <= (SELECT least(until, bcce.report_now()))
        GROUP BY i.tenant_id, i.service_id
    ),
    -- As availability in mttr_analysis, of one service: from its first sample or incident, at most 30 days.
    observed AS (
        SELECT
            s.tenant_id,
            s.service_id,
            greatest(first.at, s.judged_at - interval '720 hours') AS starts_at,
            s.judged_at AS ends_at
        FROM service s
        JOIN bcce_data.mttr_basis() b ON b.tenant_id = s.tenant_id AND b.ever
        CROSS JOIN LATERAL (
            SELECT least(
                (SELECT min(m.observed_at) FROM bcce_data.performance_metrics m
                 WHERE m.tenant_id = s.tenant_id AND m.service_id = s.service_id AND NOT m.is_test
                   AND m.observed_at < coalesce(until, 'infinity') AND m.observed_at <= s.judged_at),
                (SELECT min(p.started_at) FROM bcce_data.impact_spans(until) p
                 WHERE p.tenant_id = s.tenant_id AND p.service_id = s.service_id)
            ) AS at
        ) first
        WHERE first.at < s.judged_at
    ),
    uptime AS (
        SELECT
            o.tenant_id,
            o.service_id,
            round(100 * (1 - coalesce((SELECT sum(extract(epoch FROM upper(u.span) - lower(u.span)))
                                       FROM unnest(impact.spans) AS u (span)), 0)
                             / extract(epoch FROM o.ends_at - o.starts_at)), 4) AS percent
        FROM observed o
        LEFT JOIN (
            SELECT
                o.tenant_id,
                o.service_id,
                range_agg(tstzrange(greatest(p.started_at, o.starts_at), least(p.ended_at, o.ends_at))) AS spans
            FROM observed o
            JOIN bcce_data.impact_spans(until) p
                ON p.tenant_id = o.tenant_id AND p.service_id = o.service_id
                AND p.started_at < o.ends_at AND p.ended_at > o.starts_at
            GROUP BY o.tenant_id, o.service_id
        ) impact ON impact.tenant_id = o.tenant_id AND impact.service_id = o.service_id
    )
    SELECT
        s.tenant_id,
        s.tenant_name,
        s.service_id,
        s.service_name,
        verdict.status,
        verdict.reason,
        CASE verdict.status
            -- A day back the last sample and the maintenance window tell more than the sweep does.
            WHEN 'stale' THEN coalesce(since_when.at, greatest(seen.last_at + make_interval(secs => s.stale_seconds), maintenance.over_at))
            WHEN 'maintenance' THEN coalesce(since_when.at, maintenance.began_at)
            WHEN 'unknown' THEN NULL
            ELSE since_when.at
        END,
        seen.last_at,
        s.window_minutes,
        sample.requests,
        sample.errors,
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
        availability.percent,
        s.slo_target_percent,
        slo.budget_remaining_percent,
        prediction.failure_probability,
        maintenance.began_at IS NOT NULL
    FROM service s
    LEFT JOIN bcce_data.slo_state(until) slo ON slo.tenant_id = s.tenant_id AND slo.service_id = s.service_id
    LEFT JOIN incident i ON i.tenant_id = s.tenant_id AND i.service_id = s.service_id
    CROSS JOIN LATERAL (
        SELECT min(w.starts_at) FILTER (WHERE w.ends_at > s.judged_at) AS began_at,
               max(w.ends_at) FILTER (WHERE w.ends_at <= s.judged_at) AS over_at
        FROM bcce_data.maintenance_windows w
        WHERE w.tenant_id = s.tenant_id AND w.service_id = s.service_id AND w.starts_at <= s.judged_at
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
            bcce_data.whole_number(coalesce(sum(m.request_count), 0)) AS requests,
            bcce_data.whole_number(coalesce(sum(m.error_count), 0)) AS errors,
            sum(m.request_count) FILTER (WHERE m.error_count IS NOT NULL) AS rated_requests,
            sum(m.error_count) FILTER (WHERE m.request_count IS NOT NULL) AS rated_errors,
            coalesce(bcce.approx_percentile(bcce.rollup(bcce.sketch_from_bytes(m.latency_digest)), 0.5), avg(m.p50_latency_ms)) AS p50_latency_ms,
            coalesce(bcce.approx_percentile(bcce.rollup(bcce.sketch_from_bytes(m.latency_digest)), 0.95), avg(m.p95_latency_ms)) AS p95_latency_ms,
            coalesce(bcce.approx_percentile(bcce.rollup(bcce.sketch_from_bytes(m.latency_digest)), 0.99), avg(m.p99_latency_ms)) AS p99_latency_ms,
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
          AND m.observed_at >= s.window_starts_at
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
            maintenance.began_at IS NOT NULL AS in_maintenance,
            seen.last_at IS NULL AS is_unknown,
            seen.last_at < s.judged_at - make_interval(secs => s.stale_seconds) AS is_stale,
            sample.rated_requests::double precision AS requests,
            sample.rated_errors::double precision AS errors
    ) known
    CROSS JOIN LATERAL bcce_data.health_verdict(
        known.in_maintenance, known.is_unknown, known.is_stale, s.stale_seconds, i.worst_severity, known.requests, known.errors,
        sample.p95_latency_ms, sample.cpu_percent, sample.memory_percent, sample.storage_percent, sample.network_percent,
        s.slo_target_percent, slo.fast_fires, slo.slow_fires, s.down_error_percent, s.down_min_requests,
        s.degraded_error_percent, s.degraded_min_requests, s.degraded_p95_latency_ms, s.degraded_cpu_percent,
        s.degraded_memory_percent, s.degraded_storage_percent, s.degraded_network_percent, s.fast_burn_rate, s.slow_burn_rate) verdict
    LEFT JOIN bcce_data.status_since(until) since_when
        ON since_when.tenant_id = s.tenant_id AND since_when.service_id = s.service_id
    LEFT JOIN uptime availability ON availability.tenant_id = s.tenant_id AND availability.service_id = s.service_id;
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
    h.status_since,
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
    h.availability_30d_percent,
    h.slo_target_percent,
    h.error_budget_remaining_percent,
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
COMMENT ON COLUMN bcce.service_health_dashboard.status_since IS 'moment since which the status has held, exact within the last 24 hours (status_lookback_minutes); NULL: for longer than that, or unknown';
COMMENT ON COLUMN bcce.service_health_dashboard.last_seen_at IS 'time of the last sample; NULL: never any';
COMMENT ON COLUMN bcce.service_health_dashboard.window_minutes IS 'length of the time that is judged, minutes';
COMMENT ON COLUMN bcce.service_health_dashboard.request_count IS 'requests in those minutes';
COMMENT ON COLUMN bcce.service_health_dashboard.error_count IS 'failed requests in those minutes';
COMMENT ON COLUMN bcce.service_health_dashboard.error_rate_percent IS 'percent of the requests that failed, four decimals, over samples that tell both; NULL: no requests';
COMMENT ON COLUMN bcce.service_health_dashboard.p50_latency_ms IS 'median latency, milliseconds: of the merged digests of the samples, else the mean of theirs';
COMMENT ON COLUMN bcce.service_health_dashboard.p95_latency_ms IS '95th percentile of latency, milliseconds: of the merged digests of the samples, else the mean of theirs';
COMMENT ON COLUMN bcce.service_health_dashboard.p99_latency_ms IS '99th percentile of latency, milliseconds: of the merged digests of the samples, else the mean of theirs';
COMMENT ON COLUMN bcce.service_health_dashboard.throughput_rps IS 'mean throughput of the samples, requests per second, weighted by sample length';
COMMENT ON COLUMN bcce.service_health_dashboard.cpu_percent IS 'mean CPU use, 0 to 100';
COMMENT ON COLUMN bcce.service_health_dashboard.memory_percent IS 'mean memory use, 0 to 100';
COMMENT ON COLUMN bcce.service_health_dashboard.storage_percent IS 'mean storage use, 0 to 100';
COMMENT ON COLUMN bcce.service_health_dashboard.network_percent IS 'mean network use, 0 to 100';
COMMENT ON COLUMN bcce.service_health_dashboard.open_incidents IS 'declared incidents of the service that are open';
COMMENT ON COLUMN bcce.service_health_dashboard.worst_open_severity IS 'worst severity among them, sev1 to sev4; NULL: none open, or unclassified';
COMMENT ON COLUMN bcce.service_health_dashboard.availability_30d_percent IS 'percent of the last 30 days (since its first sample or incident where that is later) without impact of a declared incident of the service, four decimals; NULL: the tenant never declared one, or nothing is known of the service';
COMMENT ON COLUMN bcce.service_health_dashboard.slo_target_percent IS 'percent of the requests that the service promises to answer without error (slos); NULL: it promises none';
COMMENT ON COLUMN bcce.service_health_dashboard.error_budget_remaining_percent IS 'percent of the errors that the target allows over 30 days that is left, four decimals, by samples that tell both counts; below 0: overspent; NULL: no target or no requests';
COMMENT ON COLUMN bcce.service_health_dashboard.latest_failure_probability IS 'latest predicted probability that the service fails, 0 to 1; NULL: never predicted';
COMMENT ON COLUMN bcce.service_health_dashboard.in_maintenance IS 'true inside a declared maintenance window';
