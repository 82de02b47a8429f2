-- service_health_by_hour: how services were, one row per tenant, service and hour.
CREATE OR REPLACE FUNCTION bcce.service_health_by_hour(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    service_id text,
    service_name text,
    period_start_at timestamptz,
    sample_count bigint,
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
    network_percent double precision
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        h.service_id,
        h.service_name,
        c.starts_at,
        h.samples,
        h.requests,
        h.errors,
        h.error_rate_percent,
        h.p50,
        h.p95,
        h.p99,
        h.throughput,
        h.cpu,
        h.memory,
        h.storage,
        h.network
    FROM bcce_data.tenants t
    CROSS JOIN LATERAL bcce_data.fact_ends(t.tenant_id, since, until) seen
    CROSS JOIN LATERAL (SELECT least(seen.last_metric_at, (SELECT least(until, bcce.report_now()))) AS last_at) e
    CROSS JOIN LATERAL bcce_data.local_hours(seen.first_metric_at, e.last_at, t.timezone) c
    CROSS JOIN LATERAL (
        SELECT
            m.service_id,
            s.service_name,
            count(*) AS samples,
            bcce_data.whole_number(coalesce(sum(m.request_count), 0)) AS requests,
            bcce_data.whole_number(coalesce(sum(m.error_count), 0)) AS errors,
            round(100.0 * sum(m.error_count) FILTER (WHERE m.request_count IS NOT NULL)
                / nullif(sum(m.request_count) FILTER (WHERE m.error_count IS NOT NULL), 0), 4) AS error_rate_percent,
            coalesce(bcce.approx_percentile(bcce.rollup(bcce.sketch_from_bytes(m.latency_digest)), 0.5), avg(m.p50_latency_ms)) AS p50,
            coalesce(bcce.approx_percentile(bcce.rollup(bcce.sketch_from_bytes(m.latency_digest)), 0.95), avg(m.p95_latency_ms)) AS p95,
            coalesce(bcce.approx_percentile(bcce.rollup(bcce.sketch_from_bytes(m.latency_digest)), 0.99), avg(m.p99_latency_ms)) AS p99,
            -- As in service_health_dashboard: equal lengths give the plain mean, an
            -- unknown length counts as a mean one.
            CASE WHEN min(length.s) FILTER (WHERE m.throughput_rps IS NOT NULL)
                      < max(length.s) FILTER (WHERE m.throughput_rps IS NOT NULL) THEN
                (sum(m.throughput_rps * length.s)
                    + coalesce(avg(length.s) FILTER (WHERE m.throughput_rps IS NOT NULL)
                               * sum(m.throughput_rps) FILTER (WHERE length.s IS NULL), 0))
                / (avg(length.s) FILTER (WHERE m.throughput_rps IS NOT NULL) * count(m.throughput_rps))
            ELSE avg(m.throughput_rps) END AS throughput,
            avg(m.cpu_percent) AS cpu,
            avg(m.memory_percent) AS memory,
            avg(m.storage_percent) AS storage,
            avg(m.network_percent) AS network
        FROM bcce_data.performance_metrics m
        LEFT JOIN bcce_data.services s ON s.tenant_id = m.tenant_id AND s.service_id = m.service_id
        CROSS JOIN LATERAL bcce_data.local_hour(m.observed_at, t.timezone) hour
        CROSS JOIN LATERAL (
            SELECT coalesce(m.window_seconds, s.expected_interval_seconds) AS s
        ) length
        WHERE m.tenant_id = t.tenant_id
          AND NOT m.is_test
          AND m.observed_at >= c.starts_at
          AND m.observed_at < c.ends_at
          AND (c.is_whole OR hour.starts_at = c.starts_at)
          AND m.observed_at >= coalesce(since, '-infinity')
          AND m.observed_at < coalesce(until, 'infinity')
          AND m.observed_at <= (SELECT least(until, bcce.report_now()))
        GROUP BY m.service_id, s.service_name
    ) h
    WHERE t.deleted_at IS NULL;
END;
COMMENT ON FUNCTION bcce.service_health_by_hour(timestamptz, timestamptz) IS 'How were services hour by hour, by the samples between since (inclusive) and until (exclusive)? NULL leaves an end open. Same columns as the view of this name.';

CREATE OR REPLACE VIEW bcce.service_health_by_hour WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.service_id,
    x.service_name,
    x.period_start_at,
    x.sample_count,
    x.request_count,
    x.error_count,
    x.error_rate_percent,
    x.p50_latency_ms,
    x.p95_latency_ms,
    x.p99_latency_ms,
    x.throughput_rps,
    x.cpu_percent,
    x.memory_percent,
    x.storage_percent,
    x.network_percent
FROM bcce.service_health_by_hour(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.service_health_by_hour IS 'How did each service fare, hour by hour: error rate, latency, load? One row per visible tenant, service and hour of the tenant''s clock with a sample. For a period use the function of this name.';
COMMENT ON COLUMN bcce.service_health_by_hour.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.service_health_by_hour.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.service_health_by_hour.service_id IS 'service';
COMMENT ON COLUMN bcce.service_health_by_hour.service_name IS 'display name of the service; NULL: it was never declared';
COMMENT ON COLUMN bcce.service_health_by_hour.period_start_at IS 'start of the hour by the clock of the tenant''s zone; a repeated hour is two';
COMMENT ON COLUMN bcce.service_health_by_hour.sample_count IS 'metric samples of the hour';
COMMENT ON COLUMN bcce.service_health_by_hour.request_count IS 'requests';
COMMENT ON COLUMN bcce.service_health_by_hour.error_count IS 'requests that failed';
COMMENT ON COLUMN bcce.service_health_by_hour.error_rate_percent IS 'percent of the requests that failed, four decimals, over samples with both counts; NULL: no requests';
COMMENT ON COLUMN bcce.service_health_by_hour.p50_latency_ms IS 'median latency, milliseconds: of the merged digests of the samples, else the mean of their medians';
COMMENT ON COLUMN bcce.service_health_by_hour.p95_latency_ms IS '95th percentile of latency, milliseconds: of the merged digests of the samples, else the mean of theirs';
COMMENT ON COLUMN bcce.service_health_by_hour.p99_latency_ms IS '99th percentile of latency, milliseconds: of the merged digests of the samples, else the mean of theirs';
COMMENT ON COLUMN bcce.service_health_by_hour.throughput_rps IS 'requests per second, mean weighted by the length of the samples';
COMMENT ON COLUMN bcce.service_health_by_hour.cpu_percent IS 'mean CPU use, percent';
COMMENT ON COLUMN bcce.service_health_by_hour.memory_percent IS 'mean memory use, percent';
COMMENT ON COLUMN bcce.service_health_by_hour.storage_percent IS 'mean storage use, percent';
COMMENT ON COLUMN bcce.service_health_by_hour.network_percent IS 'mean network use, percent';
