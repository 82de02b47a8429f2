-- Since when services have their status.  A sweep over all moments at which a
-- judgement may change: samples that come into and leave the windows, last
-- samples that grow stale, incidents and maintenance that begin and end.  Sums
-- are numeric, so that what leaves takes away exactly what it brought.
CREATE OR REPLACE FUNCTION bcce_data.status_since(until timestamptz)
RETURNS TABLE (tenant_id uuid, service_id text, at timestamptz)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        s.tenant_id,
        s.service_id,
        (
            SELECT CASE WHEN max(h.differed_at) IS NOT NULL THEN
                coalesce(min(h.at) FILTER (WHERE h.at > h.differed_at), s.judged_at) END
            FROM (
                SELECT
                    j.at,
                    max(j.at) FILTER (WHERE j.status <> j.last_status) OVER () AS differed_at
                FROM (
                    SELECT
                        k.at,
                        verdict.status,
                        last_value(verdict.status) OVER (ORDER BY k.at ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS last_status
                    FROM (
                        SELECT
                            c.at,
                            c.in_maintenance,
                            c.last_at,
                            CASE WHEN c.sev1 > 0 THEN 'sev1' WHEN c.sev2 > 0 THEN 'sev2' END AS worst_severity,
                            CASE WHEN c.rated > 0 THEN c.requests::double precision END AS requests,
                            CASE WHEN c.rated > 0 THEN c.errors::double precision END AS errors,
                            (c.p95 / nullif(c.p95_n, 0))::double precision AS p95,
                            (c.cpu / nullif(c.cpu_n, 0))::double precision AS cpu,
                            (c.memory / nullif(c.memory_n, 0))::double precision AS memory,
                            (c.storage / nullif(c.storage_n, 0))::double precision AS storage,
                            (c.network / nullif(c.network_n, 0))::double precision AS network,
                            least(bcce_data.burn_rate(c.fast_long_errors::double precision, c.fast_long_requests::double precision,
                                      c.fast_short_requests::double precision, s.slo_target_percent, s.burn_min_requests),
                                  bcce_data.burn_rate(c.fast_short_errors::double precision, c.fast_short_requests::double precision,
                                      c.fast_short_requests::double precision, s.slo_target_percent, s.burn_min_requests)) > s.fast_burn_rate AS fast_fires,
                            least(bcce_data.burn_rate(c.slow_long_errors::double precision, c.slow_long_requests::double precision,
                                      c.slow_short_requests::double precision, s.slo_target_percent, s.burn_min_requests),
                                  bcce_data.burn_rate(c.slow_short_errors::double precision, c.slow_short_requests::double precision,
                                      c.slow_short_requests::double precision, s.slo_target_percent, s.burn_min_requests)) > s.slow_burn_rate AS slow_fires
                        FROM (
                            SELECT
                                e.at,
                                sum(e.maintenance) OVER sweep > 0 AS in_maintenance,
                                max(e.sample_at) OVER sweep AS last_at,
                                sum(e.sev1) OVER sweep AS sev1,
                                sum(e.sev2) OVER sweep AS sev2,
                                sum(e.judged * e.rated) OVER sweep AS rated,
                                sum(e.judged * e.requests) OVER sweep AS requests,
                                sum(e.judged * e.errors) OVER sweep AS errors,
                                sum(e.judged * e.p95) OVER sweep AS p95,
                                sum(e.judged) FILTER (WHERE e.p95 IS NOT NULL) OVER sweep AS p95_n,
                                sum(e.judged * e.cpu) OVER sweep AS cpu,
                                sum(e.judged) FILTER (WHERE e.cpu IS NOT NULL) OVER sweep AS cpu_n,
                                sum(e.judged * e.memory) OVER sweep AS memory,
                                sum(e.judged) FILTER (WHERE e.memory IS NOT NULL) OVER sweep AS memory_n,
                                sum(e.judged * e.storage) OVER sweep AS storage,
                                sum(e.judged) FILTER (WHERE e.storage IS NOT NULL) OVER sweep AS storage_n,
                                sum(e.judged * e.network) OVER sweep AS network,
                                sum(e.judged) FILTER (WHERE e.network IS NOT NULL) OVER sweep AS network_n,
                                sum(e.fast_long * e.requests) OVER sweep AS fast_long_requests,
                                sum(e.fast_long * e.errors) OVER sweep AS fast_long_errors,
                                sum(e.fast_short * e.requests) OVER sweep AS fast_short_requests,
                                sum(e.fast_short * e.errors) OVER sweep AS fast_short_errors,
                                sum(e.slow_long * e.requests) OVER sweep AS slow_long_requests,
                                sum(e.slow_long * e.errors) OVER sweep AS slow_long_errors,
                                sum(e.slow_short * e.requests) OVER sweep AS slow_short_requests,
                                sum(e.slow_short * e.errors) OVER sweep AS slow_short_errors,
                                row_number() OVER (PARTITION BY e.at) AS nth
                            FROM (
                                -- What happened before the sweep begins is known when it begins.
                                SELECT
                                    greatest(edge.at, s.judged_at - make_interval(secs => s.status_lookback_minutes * 60)) AS at,
                                    edge.sample_at, edge.judged, edge.fast_long, edge.fast_short, edge.slow_long, edge.slow_short,
                                    edge.rated, edge.requests, edge.errors, edge.p95, edge.cpu, edge.memory, edge.storage, edge.network,
                                    edge.sev1, edge.sev2, edge.maintenance
                                FROM (
                                    SELECT
                                        s.judged_at - make_interval(secs => s.status_lookback_minutes * 60) AS at,
                                        NULL::timestamptz AS sample_at, 0 AS judged, 0 AS fast_long, 0 AS fast_short, 0 AS slow_long, 0 AS slow_short,
                                        0 AS rated, NULL::numeric AS requests, NULL::numeric AS errors, NULL::numeric AS p95, NULL::numeric AS cpu,
                                        NULL::numeric AS memory, NULL::numeric AS storage, NULL::numeric AS network,
                                        0 AS sev1, 0 AS sev2, 0 AS maintenance
                                    UNION ALL
                                    SELECT
                                        way.at, way.sample_at, way.judged, way.fast_long, way.fast_short, way.slow_long, way.slow_short,
                                        (m.request_count IS NOT NULL AND m.error_count IS NOT NULL)::integer AS rated,
                                        CASE WHEN m.error_count IS NOT NULL THEN m.request_count::numeric END AS requests,
                                        CASE WHEN m.request_count IS NOT NULL THEN m.error_count::numeric END AS errors,
                                        m.p95_latency_ms::numeric AS p95,
                                        m.cpu_percent::numeric AS cpu,
                                        m.memory_percent::numeric AS memory,
                                        m.storage_percent::numeric AS storage,
                                        m.network_percent::numeric AS network,
                                        0 AS sev1, 0 AS sev2, 0 AS maintenance
                                    FROM bcce_data.performance_metrics m
                                    CROSS JOIN LATERAL (
                                        SELECT m.observed_at AS at, m.observed_at AS sample_at, 1 AS judged,
                                               1 AS fast_long, 1 AS fast_short, 1 AS slow_long, 1 AS slow_short
                                        UNION ALL
                                        SELECT m.observed_at + make_interval(secs => s.window_minutes * 60) + interval '1 microsecond', NULL, -1, 0, 0, 0, 0
                                        UNION ALL
                                        SELECT m.observed_at + make_interval(secs => s.stale_seconds) + interval '1 microsecond', NULL, 0, 0, 0, 0, 0
                                        UNION ALL
                                        SELECT m.observed_at + make_interval(secs => leaving.minutes * 60) + interval '1 microsecond', NULL, 0,
                                               leaving.fast_long, leaving.fast_short, leaving.slow_long, leaving.slow_short
                                        FROM (VALUES (s.fast_burn_long_minutes, -1, 0, 0, 0), (s.fast_burn_short_minutes, 0, -1, 0, 0),
                                                     (s.slow_burn_long_minutes, 0, 0, -1, 0), (s.slow_burn_short_minutes, 0, 0, 0, -1))
                                             AS leaving (minutes, fast_long, fast_short, slow_long, slow_short)
                                        WHERE s.slo_target_percent < 100
                                    ) way
                                    WHERE m.tenant_id = s.tenant_id AND m.service_id = s.service_id AND NOT m.is_test
                                      AND (until IS NULL OR m.observed_at < until)
                                      AND m.observed_at <= (SELECT least(until, bcce.report_now()))
                                      AND m.observed_at >= s.judged_at - make_interval(secs => 60 * (s.status_lookback_minutes
                                          + greatest(s.window_minutes, s.stale_seconds / 60, CASE WHEN s.slo_target_percent < 100 THEN
                                                greatest(s.fast_burn_long_minutes, s.fast_burn_short_minutes,
                                                         s.slow_burn_long_minutes, s.slow_burn_short_minutes) END)))
                                    UNION ALL
                                    SELECT
                                        way.at, NULL, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                                        CASE WHEN d.severity = 'sev1' THEN way.change ELSE 0 END,
                                        CASE WHEN d.severity = 'sev2' THEN way.change ELSE 0 END, 0
                                    FROM bcce_data.declared_incidents(until) d
                                    CROSS JOIN LATERAL (
                                        SELECT d.started_at AS at, 1 AS change UNION ALL SELECT d.ended_at, -1
                                    ) way
                                    WHERE d.tenant_id = s.tenant_id AND d.service_id = s.service_id
                                      AND d.state <> 'invalid' AND d.severity IN ('sev1', 'sev2')
                                    UNION ALL
                                    SELECT way.at, NULL, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, way.change
                                    FROM bcce_data.maintenance_windows w
                                    CROSS JOIN LATERAL (
                                        SELECT w.starts_at AS at, 1 AS change UNION ALL SELECT w.ends_at, -1
                                    ) way
                                    WHERE w.tenant_id = s.tenant_id AND w.service_id = s.service_id
                                ) edge
                                WHERE edge.at <= s.judged_at
                            ) e
                            WINDOW sweep AS (ORDER BY e.at)
                        ) c
                        WHERE c.nth = 1
                    ) k
                    CROSS JOIN LATERAL bcce_data.health_verdict(
                        k.in_maintenance, k.last_at, k.at, s.stale_seconds, k.worst_severity, k.requests, k.errors,
                        k.p95, k.cpu, k.memory, k.storage, k.network, s.slo_target_percent, k.fast_fires, k.slow_fires,
                        s.down_error_percent, s.down_min_requests, s.degraded_error_percent, s.degraded_min_requests,
                        s.degraded_p95_latency_ms, s.degraded_cpu_percent, s.degraded_memory_percent, s.degraded_storage_percent,
                        s.degraded_network_percent, s.fast_burn_rate, s.slow_burn_rate) verdict
                ) j
            ) h
        )
    FROM bcce_data.service_limits(until) s;
END;
COMMENT ON FUNCTION bcce_data.status_since(timestamptz) IS 'Since when each service has had the status that it has at until or now; NULL: for longer than status_lookback_minutes.';
