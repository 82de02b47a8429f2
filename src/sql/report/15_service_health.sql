-- How a service is judged: one definition for the dashboard, for the moment
-- since when a status holds, and for burn rates.
CREATE OR REPLACE FUNCTION bcce_data.service_limits(until timestamptz)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    service_id text,
    service_name text,
    expected_interval_seconds integer,
    judged_at timestamptz,
    slo_target_percent numeric,
    stale_seconds double precision,
    window_minutes double precision,
    down_error_percent double precision,
    down_min_requests double precision,
    degraded_error_percent double precision,
    degraded_min_requests double precision,
    degraded_p95_latency_ms double precision,
    degraded_cpu_percent double precision,
    degraded_memory_percent double precision,
    degraded_storage_percent double precision,
    degraded_network_percent double precision,
    fast_burn_rate double precision,
    fast_burn_long_minutes double precision,
    fast_burn_short_minutes double precision,
    slow_burn_rate double precision,
    slow_burn_long_minutes double precision,
    slow_burn_short_minutes double precision,
    burn_min_requests double precision,
    window_starts_at timestamptz,
    fast_long_starts_at timestamptz,
    fast_short_starts_at timestamptz,
    slow_long_starts_at timestamptz,
    slow_short_starts_at timestamptz,
    lookback_starts_at timestamptz,
    reach interval,
    reads_from timestamptz
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        l.tenant_id,
        l.tenant_name,
        l.service_id,
        l.service_name,
        l.expected_interval_seconds,
        l.judged_at,
        l.slo_target_percent,
        stale.seconds,
        l.window_minutes,
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
        l.fast_burn_long_minutes,
        l.fast_burn_short_minutes,
        l.slow_burn_rate,
        l.slow_burn_long_minutes,
        l.slow_burn_short_minutes,
        l.burn_min_requests,
        l.judged_at - make_interval(secs => l.window_minutes * 60),
        l.judged_at - make_interval(secs => l.fast_burn_long_minutes * 60),
        l.judged_at - make_interval(secs => l.fast_burn_short_minutes * 60),
        l.judged_at - make_interval(secs => l.slow_burn_long_minutes * 60),
        l.judged_at - make_interval(secs => l.slow_burn_short_minutes * 60),
        l.judged_at - make_interval(secs => l.status_lookback_minutes * 60),
        make_interval(secs => reach.minutes * 60),
        l.judged_at - make_interval(secs => 60 * (l.status_lookback_minutes + greatest(reach.minutes, stale.seconds / 60)))
    FROM (
        SELECT
            o.tenant_id,
            o.tenant_name,
            o.service_id,
            o.service_name,
            o.expected_interval_seconds,
            o.judged_at,
            o.slo_target_percent,
            max(o.value) FILTER (WHERE o.threshold = 'stale_intervals') AS stale_intervals,
            max(o.value) FILTER (WHERE o.threshold = 'stale_after_minutes') AS stale_after_minutes,
            max(o.value) FILTER (WHERE o.threshold = 'window_minutes') AS window_minutes,
            max(o.value) FILTER (WHERE o.threshold = 'down_error_percent') AS down_error_percent,
            max(o.value) FILTER (WHERE o.threshold = 'down_min_requests') AS down_min_requests,
            max(o.value) FILTER (WHERE o.threshold = 'degraded_error_percent') AS degraded_error_percent,
            max(o.value) FILTER (WHERE o.threshold = 'degraded_min_requests') AS degraded_min_requests,
            max(o.value) FILTER (WHERE o.threshold = 'degraded_p95_latency_ms') AS degraded_p95_latency_ms,
            max(o.value) FILTER (WHERE o.threshold = 'degraded_cpu_percent') AS degraded_cpu_percent,
            max(o.value) FILTER (WHERE o.threshold = 'degraded_memory_percent') AS degraded_memory_percent,
            max(o.value) FILTER (WHERE o.threshold = 'degraded_storage_percent') AS degraded_storage_percent,
            max(o.value) FILTER (WHERE o.threshold = 'degraded_network_percent') AS degraded_network_percent,
            max(o.value) FILTER (WHERE o.threshold = 'fast_burn_rate') AS fast_burn_rate,
            max(o.value) FILTER (WHERE o.threshold = 'fast_burn_long_minutes') AS fast_burn_long_minutes,
            max(o.value) FILTER (WHERE o.threshold = 'fast_burn_short_minutes') AS fast_burn_short_minutes,
            max(o.value) FILTER (WHERE o.threshold = 'slow_burn_rate') AS slow_burn_rate,
            max(o.value) FILTER (WHERE o.threshold = 'slow_burn_long_minutes') AS slow_burn_long_minutes,
            max(o.value) FILTER (WHERE o.threshold = 'slow_burn_short_minutes') AS slow_burn_short_minutes,
            max(o.value) FILTER (WHERE o.threshold = 'burn_min_requests') AS burn_min_requests,
            max(o.value) FILTER (WHERE o.threshold = 'status_lookback_minutes') AS status_lookback_minutes
        FROM (
            SELECT
                t.tenant_id,
                t.tenant_name,
                s.service_id,
                s.service_name,
                s.expected_interval_seconds,
                moment.at AS judged_at,
                coalesce(slo.target_percent, any_slo.target_percent) AS slo_target_percent,
                d.threshold,
                coalesce(own.value, every.value, d.value) AS value
            FROM bcce_data.tenants t
            JOIN bcce_data.services s ON s.tenant_id = t.tenant_id
            CROSS JOIN (SELECT least(until, bcce.report_now()) AS at) moment
            CROSS JOIN bcce_data.default_health_thresholds d
            LEFT JOIN bcce_data.health_thresholds own
                ON own.tenant_id = s.tenant_id AND own.service_id = s.service_id AND own.threshold = d.threshold
            LEFT JOIN bcce_data.health_thresholds every
                ON every.tenant_id = s.tenant_id AND every.service_id = '*' AND every.threshold = d.threshold
            LEFT JOIN bcce_data.slos slo ON slo.tenant_id = s.tenant_id AND slo.service_id = s.service_id
            LEFT JOIN bcce_data.slos any_slo ON any_slo.tenant_id = s.tenant_id AND any_slo.service_id = '*'
            WHERE t.deleted_at IS NULL
              AND (s.retired_at IS NULL OR s.retired_at > moment.at - interval '720 hours')
        ) o
        GROUP BY o.tenant_id, o.tenant_name, o.service_id, o.service_name, o.expected_interval_seconds, o.judged_at, o.slo_target_percent
    ) l
    CROSS JOIN LATERAL (
        SELECT coalesce(l.stale_intervals * l.expected_interval_seconds, l.stale_after_minutes * 60) AS seconds
    ) stale
    CROSS JOIN LATERAL (
        SELECT greatest(l.window_minutes, CASE WHEN l.slo_target_percent < 100 THEN
            greatest(l.fast_burn_long_minutes, l.fast_burn_short_minutes, l.slow_burn_long_minutes, l.slow_burn_short_minutes) END) AS minutes
    ) reach
    -- Kept apart: what a condition computes from a column is no condition for an index under row security.
    OFFSET 0;
END;
COMMENT ON FUNCTION bcce_data.service_limits(timestamptz) IS 'Services (not those retired 30 days ago) with the moment at which they are judged, until or now, and their limits: the service''s own, else the tenant''s for all services, else the default. slo_target_percent: NULL where none is promised; ..._starts_at: where windows begin; reach: length of the longest; lookback_starts_at and reads_from: how far back status_since looks, and reads to know.';

CREATE OR REPLACE FUNCTION bcce_data.health_verdict(
    in_maintenance boolean, is_unknown boolean, is_stale boolean, stale_seconds double precision,
    worst_severity text, requests double precision, errors double precision, p95_latency_ms double precision,
    cpu_percent double precision, memory_percent double precision, storage_percent double precision, network_percent double precision,
    slo_target_percent numeric, fast_fires boolean, slow_fires boolean,
    down_error_percent double precision, down_min_requests double precision,
    degraded_error_percent double precision, degraded_min_requests double precision, degraded_p95_latency_ms double precision,
    degraded_cpu_percent double precision, degraded_memory_percent double precision, degraded_storage_percent double precision,
    degraded_network_percent double precision, fast_burn_rate double precision, slow_burn_rate double precision)
RETURNS TABLE (status text, reason text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT
        CASE WHEN in_maintenance THEN 'maintenance'
             WHEN is_unknown THEN 'unknown'
             WHEN is_stale THEN 'stale'
             WHEN test.has_sev1 OR test.down_errors THEN 'down'
             WHEN test.has_sev2 OR test.errors OR test.latency OR test.cpu OR test.memory OR test.storage OR test.network
                  OR test.no_budget OR test.fast OR test.slow THEN 'degraded'
             ELSE 'healthy' END,
        CASE WHEN in_maintenance THEN 'inside a declared maintenance window'
             WHEN is_unknown THEN 'no sample was ever received'
             WHEN is_stale THEN 'last sample is older than ' || stale_seconds / 60 || ' minutes'
             WHEN test.has_sev1 OR test.down_errors THEN concat_ws('; ',
                CASE WHEN test.has_sev1 THEN 'open sev1 incident' END,
                CASE WHEN test.down_errors THEN 'error rate of at least ' || down_error_percent || ' percent' END)
             ELSE nullif(concat_ws('; ',
                CASE WHEN test.has_sev2 THEN 'open sev2 incident' END,
                CASE WHEN test.errors THEN 'error rate above ' || degraded_error_percent || ' percent' END,
                CASE WHEN test.latency THEN 'p95 latency above ' || degraded_p95_latency_ms || ' ms' END,
                CASE WHEN test.cpu THEN 'CPU above ' || degraded_cpu_percent || ' percent' END,
                CASE WHEN test.memory THEN 'memory above ' || degraded_memory_percent || ' percent' END,
                CASE WHEN test.storage THEN 'storage above ' || degraded_storage_percent || ' percent' END,
                CASE WHEN test.network THEN 'network above ' || degraded_network_percent || ' percent' END,
                CASE WHEN test.no_budget THEN 'an error where none is allowed' END,
                CASE WHEN test.fast THEN 'error budget burns over ' || fast_burn_rate || ' times too fast' END,
                CASE WHEN test.slow THEN 'error budget burns over ' || slow_burn_rate || ' times too fast for hours' END), '') END
    FROM (
        SELECT
            coalesce(worst_severity = 'sev1', false) AS has_sev1,
            coalesce(requests >= down_min_requests AND 100 * errors >= down_error_percent * requests, false) AS down_errors,
            coalesce(worst_severity = 'sev2', false) AS has_sev2,
            coalesce(requests >= degraded_min_requests AND 100 * errors > degraded_error_percent * requests, false) AS errors,
            coalesce(p95_latency_ms > degraded_p95_latency_ms, false) AS latency,
            coalesce(cpu_percent > degraded_cpu_percent, false) AS cpu,
            coalesce(memory_percent > degraded_memory_percent, false) AS memory,
            coalesce(storage_percent > degraded_storage_percent, false) AS storage,
            coalesce(network_percent > degraded_network_percent, false) AS network,
            coalesce(slo_target_percent = 100 AND errors > 0, false) AS no_budget,
            coalesce(fast_fires, false) AS fast,
            coalesce(slow_fires, false) AS slow
    ) test;
END;
COMMENT ON FUNCTION bcce_data.health_verdict(boolean, boolean, boolean, double precision, text, double precision, double precision, double precision, double precision, double precision, double precision, double precision, numeric, boolean, boolean, double precision, double precision, double precision, double precision, double precision, double precision, double precision, double precision, double precision, double precision, double precision) IS 'The status of a service by what is known of it and its limits, the first that applies of maintenance, unknown, stale, down, degraded and healthy, and all reasons for it.';

-- How fast an error budget burns: 1 uses it up in exactly 30 days.
CREATE OR REPLACE FUNCTION bcce_data.burn_rate(
    errors double precision, requests double precision, short_requests double precision, slo_target_percent numeric, min_requests double precision)
RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN short_requests >= min_requests AND requests > 0 AND slo_target_percent < 100 THEN
    errors * 100 / (requests * (100 - slo_target_percent)::double precision) END;
COMMENT ON FUNCTION bcce_data.burn_rate(double precision, double precision, double precision, numeric, double precision) IS 'Error rate divided by the error rate that the target allows; NULL with too few requests in the short window, or where the target allows none.';

CREATE OR REPLACE FUNCTION bcce_data.slo_state(until timestamptz)
RETURNS TABLE (
    tenant_id uuid,
    service_id text,
    fast_long_requests bigint,
    fast_long_errors bigint,
    fast_short_requests bigint,
    fast_short_errors bigint,
    slow_long_requests bigint,
    slow_long_errors bigint,
    slow_short_requests bigint,
    slow_short_errors bigint,
    fast_long_burn double precision,
    fast_short_burn double precision,
    slow_long_burn double precision,
    slow_short_burn double precision,
    fast_fires boolean,
    slow_fires boolean,
    budget_remaining_percent numeric
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        l.tenant_id,
        l.service_id,
        coalesce(n.fast_long_requests, 0),
        coalesce(n.fast_long_errors, 0),
        coalesce(n.fast_short_requests, 0),
        coalesce(n.fast_short_errors, 0),
        coalesce(n.slow_long_requests, 0),
        coalesce(n.slow_long_errors, 0),
        coalesce(n.slow_short_requests, 0),
        coalesce(n.slow_short_errors, 0),
        burn.fast_long,
        burn.fast_short,
        burn.slow_long,
        burn.slow_short,
        least(burn.fast_long, burn.fast_short) > l.fast_burn_rate,
        least(burn.slow_long, burn.slow_short) > l.slow_burn_rate,
        CASE WHEN l.slo_target_percent = 100 THEN 0.0000
             ELSE round(100 * (1 - month.errors * 100 / nullif(month.requests * (100 - l.slo_target_percent), 0)), 4) END
    FROM bcce_data.service_limits(until) l
    CROSS JOIN LATERAL (
        SELECT sum(m.request_count) AS requests, sum(m.error_count) AS errors
        FROM bcce_data.performance_metrics m
        WHERE m.tenant_id = l.tenant_id AND m.service_id = l.service_id AND NOT m.is_test
          AND m.request_count IS NOT NULL AND m.error_count IS NOT NULL
          AND m.observed_at < coalesce(until, 'infinity')
          AND m.observed_at >= (SELECT least(until, bcce.report_now()) - interval '720 hours')
          AND m.observed_at <= (SELECT least(until, bcce.report_now()))
    ) month
    CROSS JOIN LATERAL (
        SELECT
            bcce_data.whole_number(sum(m.request_count) FILTER (WHERE m.observed_at >= l.fast_long_starts_at)) AS fast_long_requests,
            bcce_data.whole_number(sum(m.error_count) FILTER (WHERE m.observed_at >= l.fast_long_starts_at)) AS fast_long_errors,
            bcce_data.whole_number(sum(m.request_count) FILTER (WHERE m.observed_at >= l.fast_short_starts_at)) AS fast_short_requests,
            bcce_data.whole_number(sum(m.error_count) FILTER (WHERE m.observed_at >= l.fast_short_starts_at)) AS fast_short_errors,
            bcce_data.whole_number(sum(m.request_count) FILTER (WHERE m.observed_at >= l.slow_long_starts_at)) AS slow_long_requests,
            bcce_data.whole_number(sum(m.error_count) FILTER (WHERE m.observed_at >= l.slow_long_starts_at)) AS slow_long_errors,
            bcce_data.whole_number(sum(m.request_count) FILTER (WHERE m.observed_at >= l.slow_short_starts_at)) AS slow_short_requests,
            bcce_data.whole_number(sum(m.error_count) FILTER (WHERE m.observed_at >= l.slow_short_starts_at)) AS slow_short_errors
        FROM bcce_data.performance_metrics m
        WHERE m.tenant_id = l.tenant_id AND m.service_id = l.service_id AND NOT m.is_test
          AND m.request_count IS NOT NULL AND m.error_count IS NOT NULL
          AND m.observed_at < coalesce(until, 'infinity')
          AND m.observed_at >= least(l.fast_long_starts_at, l.fast_short_starts_at, l.slow_long_starts_at, l.slow_short_starts_at)
          AND m.observed_at <= l.judged_at
    ) n
    CROSS JOIN LATERAL (
        SELECT
            bcce_data.burn_rate(n.fast_long_errors, n.fast_long_requests, n.fast_short_requests, l.slo_target_percent, l.burn_min_requests) AS fast_long,
            bcce_data.burn_rate(n.fast_short_errors, n.fast_short_requests, n.fast_short_requests, l.slo_target_percent, l.burn_min_requests) AS fast_short,
            bcce_data.burn_rate(n.slow_long_errors, n.slow_long_requests, n.slow_short_requests, l.slo_target_percent, l.burn_min_requests) AS slow_long,
            bcce_data.burn_rate(n.slow_short_errors, n.slow_short_requests, n.slow_short_requests, l.slo_target_percent, l.burn_min_requests) AS slow_short
    ) burn
    WHERE l.slo_target_percent IS NOT NULL;
END;
COMMENT ON FUNCTION bcce_data.slo_state(timestamptz) IS 'Services with a target: requests and errors (of samples that tell both) in the long and short window of each pair that end at until or now, how fast the error budget burns there, and what is left of it over 30 days.';
