-- Since when services have their status.  A sweep over the moments at which a
-- judgement may change: samples that come into and leave the windows, gaps
-- between samples that grow stale, incidents and maintenance that begin and end.
-- A sample that passes no limit, with none near it that does, changes nothing.
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
                SELECT j.at, max(j.at) FILTER (WHERE j.status <> j.last_status) OVER () AS differed_at
                FROM (
                    SELECT k.at, verdict.status, first_value(verdict.status) OVER (ORDER BY k.at DESC) AS last_status
                    FROM (
                        SELECT
                            c.at,
                            c.maintenance > 0 AS in_maintenance,
                            c.stale > 0 AS is_stale,
                            CASE WHEN c.sev1 > 0 THEN 'sev1' WHEN c.sev2 > 0 THEN 'sev2' END AS worst_severity,
                            CASE WHEN c.rated > 0 THEN c.requests END AS requests,
                            CASE WHEN c.rated > 0 THEN c.errors END AS errors,
                            -- As the dashboard has it: of the merged digests where there is one.
                            coalesce(CASE WHEN c.digests > 0 THEN (
                                SELECT bcce.approx_percentile(bcce.rollup(bcce.sketch_from_bytes(d.latency_digest)), 0.95)
                                FROM bcce_data.performance_metrics d
                                WHERE d.tenant_id = s.tenant_id AND d.service_id = s.service_id AND NOT d.is_test
                                  AND d.observed_at < coalesce(until, 'infinity')
                                  AND d.observed_at >= c.at - s.window_minutes * interval '1 minute' AND d.observed_at <= c.at
                            ) END, c.p95 / nullif(1e6 * c.p95_n, 0)) AS p95,
                            c.cpu / nullif(1e6 * c.cpu_n, 0) AS cpu,
                            c.memory / nullif(1e6 * c.memory_n, 0) AS memory,
                            c.storage / nullif(1e6 * c.storage_n, 0) AS storage,
                            c.network / nullif(1e6 * c.network_n, 0) AS network,
                            least(bcce_data.burn_rate(c.fast_long_errors, c.fast_long_requests, c.fast_short_requests, s.slo_target_percent, s.burn_min_requests),
                                  bcce_data.burn_rate(c.fast_short_errors, c.fast_short_requests, c.fast_short_requests, s.slo_target_percent, s.burn_min_requests)
                                 ) > s.fast_burn_rate AS fast_fires,
                            least(bcce_data.burn_rate(c.slow_long_errors, c.slow_long_requests, c.slow_short_requests, s.slo_target_percent, s.burn_min_requests),
                                  bcce_data.burn_rate(c.slow_short_errors, c.slow_short_requests, c.slow_short_requests, s.slo_target_percent, s.burn_min_requests)
                                 ) > s.slow_burn_rate AS slow_fires
                        FROM (
                            SELECT
                                e.at,
                                sum(e.maintenance) OVER sweep AS maintenance,
                                sum(e.stale) OVER sweep AS stale,
                                sum(e.sev1) OVER sweep AS sev1,
                                sum(e.sev2) OVER sweep AS sev2,
                                sum(e.judged) FILTER (WHERE e.requests IS NOT NULL) OVER sweep AS rated,
                                sum(e.judged * e.requests) OVER sweep AS requests,
                                sum(e.judged * e.errors) OVER sweep AS errors,
                                sum(e.judged * e.p95) OVER sweep AS p95,
                                sum(e.judged) FILTER (WHERE e.p95 IS NOT NULL) OVER sweep AS p95_n,
                                sum(e.judged) FILTER (WHERE e.has_digest) OVER sweep AS digests,
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
                                -- What happened before the sweep begins is known when it begins: no sample so far.
                                SELECT
                                    s.lookback_starts_at AS at, 1 AS stale, 0 AS judged, 0 AS fast_long, 0 AS fast_short, 0 AS slow_long, 0 AS slow_short,
                                    NULL::double precision AS requests, NULL::double precision AS errors, NULL::double precision AS p95,
                                    NULL::double precision AS cpu, NULL::double precision AS memory, NULL::double precision AS storage,
                                    NULL::double precision AS network, false AS has_digest, 0 AS sev1, 0 AS sev2, 0 AS maintenance
                                UNION ALL
                                SELECT
                                    greatest(way.at, s.lookback_starts_at), way.stale, way.judged, way.fast_long, way.fast_short, way.slow_long, way.slow_short,
                                    near.requests, near.errors, near.p95, near.cpu, near.memory, near.storage, near.network, near.has_digest, 0, 0, 0
                                FROM (
                                    SELECT
                                        m.at, m.requests, m.errors, m.p95, m.cpu, m.memory, m.storage, m.network, m.has_digest,
                                        lag(m.at) OVER in_time IS NULL AS is_first,
                                        lead(m.at) OVER in_time AS next_at,
                                        max(m.bad_at) OVER in_time >= m.at - s.reach
                                            OR min(m.bad_at) OVER (ORDER BY m.at DESC) <= m.at + s.reach AS matters
                                    FROM (
                                        SELECT
                                            m.observed_at AS at,
                                            rated.requests,
                                            rated.errors,
                                            -- Whole numbers, so that what leaves a sum takes away exactly what it brought.
                                            round(m.p95_latency_ms * 1e6) AS p95,
                                            round(m.cpu_percent * 1e6) AS cpu,
                                            round(m.memory_percent * 1e6) AS memory,
                                            round(m.storage_percent * 1e6) AS storage,
                                            round(m.network_percent * 1e6) AS network,
                                            m.latency_digest IS NOT NULL AS has_digest,
                                            CASE WHEN m.p95_latency_ms > s.degraded_p95_latency_ms OR m.cpu_percent > s.degraded_cpu_percent
                                                      OR m.memory_percent > s.degraded_memory_percent OR m.storage_percent > s.degraded_storage_percent
                                                      OR m.network_percent > s.degraded_network_percent
                                                      -- None above the limit, none above it when merged; but for the error of buckets.
                                                      OR bcce.approx_percentile(digest.sketch, 0.95) * 1.03 > s.degraded_p95_latency_ms
                                                      OR bcce.error(digest.sketch) > 0.01
                                                      OR rated.errors > 0 AND (100 * rated.errors >= s.down_error_percent * rated.requests
                                                          OR 100 * rated.errors > s.degraded_error_percent * rated.requests
                                                          OR 100 * rated.errors > least(s.fast_burn_rate, s.slow_burn_rate) * rated.requests
                                                              * (100 - s.slo_target_percent)::double precision)
                                                      OR s.down_error_percent = 0 OR s.down_min_requests = 0
                                                 THEN m.observed_at END AS bad_at
                                        FROM bcce_data.performance_metrics m
                                        CROSS JOIN LATERAL (
                                            SELECT CASE WHEN m.error_count IS NOT NULL THEN m.request_count::double precision END AS requests,
                                                   CASE WHEN m.request_count IS NOT NULL THEN m.error_count::double precision END AS errors
                                        ) rated
                                        CROSS JOIN LATERAL (SELECT bcce.sketch_from_bytes(m.latency_digest) AS sketch) digest
                                        WHERE m.tenant_id = s.tenant_id AND m.service_id = s.service_id AND NOT m.is_test
                                          AND m.observed_at < coalesce(until, 'infinity')
                                          AND m.observed_at >= s.reads_from AND m.observed_at <= s.judged_at
                                    ) m
                                    WINDOW in_time AS (ORDER BY m.at)
                                ) near
                                CROSS JOIN LATERAL (
                                    SELECT near.at, 0 AS stale, 1 AS judged, 1 AS fast_long, 1 AS fast_short, 1 AS slow_long, 1 AS slow_short
                                    WHERE near.matters
                                    UNION ALL
                                    SELECT near.at + leaving.minutes * interval '1 minute' + interval '1 microsecond', 0,
                                           leaving.judged, leaving.fast_long, leaving.fast_short, leaving.slow_long, leaving.slow_short
                                    FROM (VALUES (s.window_minutes, -1, 0, 0, 0, 0),
                                                 (s.fast_burn_long_minutes, 0, -1, 0, 0, 0), (s.fast_burn_short_minutes, 0, 0, -1, 0, 0),
                                                 (s.slow_burn_long_minutes, 0, 0, 0, -1, 0), (s.slow_burn_short_minutes, 0, 0, 0, 0, -1))
                                         AS leaving (minutes, judged, fast_long, fast_short, slow_long, slow_short)
                                    WHERE near.matters AND (leaving.judged = -1 OR s.slo_target_percent < 100)
                                    UNION ALL
                                    SELECT near.at, -1, 0, 0, 0, 0, 0
                                    WHERE near.is_first
                                    UNION ALL
                                    SELECT gap.at, gap.stale, 0, 0, 0, 0, 0
                                    FROM (VALUES (near.at + s.stale_seconds * interval '1 second' + interval '1 microsecond', 1), (near.next_at, -1))
                                         AS gap (at, stale)
                                    WHERE near.next_at IS NULL OR near.next_at > near.at + s.stale_seconds * interval '1 second'
                                ) way
                                WHERE way.at <= s.judged_at
                                UNION ALL
                                SELECT
                                    greatest(way.at, s.lookback_starts_at), 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                                    CASE WHEN d.severity = 'sev1' THEN way.change ELSE 0 END,
                                    CASE WHEN d.severity = 'sev2' THEN way.change ELSE 0 END, 0
                                FROM bcce_data.declared_incidents(until) d
                                CROSS JOIN LATERAL (
                                    SELECT d.started_at AS at, 1 AS change UNION ALL SELECT d.ended_at, -1
                                ) way
                                WHERE d.tenant_id = s.tenant_id AND d.service_id = s.service_id
                                  AND d.state <> 'invalid' AND d.severity IN ('sev1', 'sev2') AND way.at <= s.judged_at
                                UNION ALL
                                SELECT greatest(way.at, s.lookback_starts_at), 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, way.change
                                FROM bcce_data.maintenance_windows w
                                CROSS JOIN LATERAL (
                                    SELECT w.starts_at AS at, 1 AS change UNION ALL SELECT w.ends_at, -1
                                ) way
                                WHERE w.tenant_id = s.tenant_id AND w.service_id = s.service_id AND way.at <= s.judged_at
                            ) e
                            WINDOW sweep AS (ORDER BY e.at)
                        ) c
                        WHERE c.nth = 1
                    ) k
                    CROSS JOIN LATERAL bcce_data.health_verdict(
                        k.in_maintenance, false, k.is_stale, s.stale_seconds, k.worst_severity, k.requests, k.errors,
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
