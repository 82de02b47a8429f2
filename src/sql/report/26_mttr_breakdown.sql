-- mttr_breakdown: where recovery takes long, one row per tenant, severity, service and basis.
CREATE OR REPLACE FUNCTION bcce.mttr_breakdown(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    severity text,
    service_id text,
    service_name text,
    mttr_basis text,
    incident_count bigint,
    avg_mttr_minutes double precision,
    median_mttr_minutes double precision,
    p95_mttr_minutes double precision,
    recovered_count bigint,
    open_count bigint,
    invalid_count bigint,
    fallback_count bigint,
    derived_count bigint,
    oldest_open_minutes double precision,
    mtta_minutes double precision,
    mttd_minutes double precision,
    median_mttr_incl_open_minutes double precision,
    p95_mttr_incl_open_minutes double precision,
    mtta_incl_open_minutes double precision,
    censoring_warning boolean,
    median_mttr_incl_open_low_minutes double precision,
    median_mttr_incl_open_high_minutes double precision,
    avg_mttr_incl_open_minutes double precision,
    avg_mttr_incl_open_limit_minutes double precision,
    avg_mttr_business_minutes double precision,
    mtbf_hours double precision,
    availability_percent numeric
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH observed AS (
        SELECT o.tenant_id, o.starts_at, o.ends_at
        FROM bcce_data.observed_time(since, until) o
    )
    SELECT
        b.tenant_id,
        b.tenant_name,
        b.severity,
        b.service_id,
        s.service_name,
        b.basis,
        b.total,
        b.mean,
        b.median,
        b.p95,
        b.recovered,
        b.still_open,
        b.invalid,
        b.fallback,
        b.derived,
        bcce_data.age_minutes(b.oldest_open_at, (SELECT least(until, bcce.report_now()))),
        b.acknowledge_minutes,
        b.detect_minutes,
        b.median_incl_open,
        b.p95_incl_open,
        b.acknowledge_incl_open,
        bcce_data.is_censored(b.still_open, b.median, b.median_incl_open),
        b.median_low,
        b.median_high,
        CASE WHEN b.recovered > 0 THEN b.mean_incl_open END,
        CASE WHEN b.recovered > 0 THEN b.longest END,
        b.business_mean,
        ((uptime.observed_seconds - uptime.impact_seconds) / 3600 / nullif(uptime.starts, 0))::double precision,
        round(100.0 * (1 - uptime.impact_seconds / uptime.observed_seconds), 4)
    FROM (
        SELECT
            t.tenant_id,
            t.tenant_name,
            coalesce(i.severity, 'unclassified') AS severity,
            i.service_id,
            CASE WHEN i.is_derived THEN 'derived' ELSE 'declared' END AS basis,
            count(*) AS total,
            avg(i.recovery_minutes) AS mean,
            bcce.median(i.recovery_minutes) AS median,
            bcce.percentile_exact(i.recovery_minutes, 0.95) AS p95,
            count(*) FILTER (WHERE i.state = 'recovered') AS recovered,
            count(*) FILTER (WHERE i.state = 'open') AS still_open,
            count(*) FILTER (WHERE i.state = 'invalid') AS invalid,
            count(*) FILTER (WHERE i.state = 'recovered' AND i.is_fallback) AS fallback,
            count(*) FILTER (WHERE i.is_derived) AS derived,
            min(i.started_at) FILTER (WHERE i.state = 'open') AS oldest_open_at,
            avg(i.acknowledge_minutes) AS acknowledge_minutes,
            avg(i.detect_minutes) AS detect_minutes,
            bcce.km_quantile(coalesce(i.recovery_minutes, i.open_minutes), i.state = 'recovered', 0.5) AS median_incl_open,
            bcce.km_quantile(coalesce(i.recovery_minutes, i.open_minutes), i.state = 'recovered', 0.95) AS p95_incl_open,
            CASE WHEN count(i.acknowledge_minutes) > 0 THEN
                bcce.km_mean(coalesce(i.acknowledge_minutes, i.unacknowledged_minutes), i.acknowledge_minutes IS NOT NULL) END AS acknowledge_incl_open,
            bcce.km_quantile_low(coalesce(i.recovery_minutes, i.open_minutes), i.state = 'recovered', 0.5) AS median_low,
            bcce.km_quantile_high(coalesce(i.recovery_minutes, i.open_minutes), i.state = 'recovered', 0.5) AS median_high,
            bcce.km_mean(coalesce(i.recovery_minutes, i.open_minutes), i.state = 'recovered') AS mean_incl_open,
            max(coalesce(i.recovery_minutes, i.open_minutes)) AS longest,
            avg(business.minutes) AS business_mean
        FROM bcce_data.tenants t
        JOIN bcce_data.mttr_incidents(since, until) i ON i.tenant_id = t.tenant_id
        LEFT JOIN LATERAL (
            SELECT CASE WHEN i.state = 'recovered' THEN
                coalesce(range_agg(p.span), tstzmultirange(tstzrange(i.started_at, i.ended_at))) END AS spans
            FROM bcce_data.incident_impacts p
            WHERE p.tenant_id = i.tenant_id AND p.incident_id = i.incident_id
              AND (until IS NULL OR lower(p.span) < until)
        ) impact ON true
        LEFT JOIN LATERAL bcce_data.business_minutes(t.tenant_id, t.timezone, impact.spans) business ON true
        GROUP BY t.tenant_id, t.tenant_name, coalesce(i.severity, 'unclassified'), i.service_id, i.is_derived
    ) b
    LEFT JOIN bcce_data.services s ON s.tenant_id = b.tenant_id AND s.service_id = b.service_id
    -- As in mttr_analysis, with the impacts of this severity and service.
    LEFT JOIN observed o ON o.tenant_id = b.tenant_id AND b.basis = 'declared'
    LEFT JOIN (
        SELECT
            o.tenant_id,
            coalesce(p.severity, 'unclassified') AS severity,
            p.service_id,
            count(*) FILTER (WHERE p.started_at >= o.starts_at) AS starts,
            range_agg(tstzrange(greatest(p.started_at, o.starts_at), least(p.ended_at, o.ends_at)))
                FILTER (WHERE p.ended_at > o.starts_at) AS spans
        FROM observed o
        JOIN bcce_data.impact_spans(until) p ON p.tenant_id = o.tenant_id AND p.started_at < o.ends_at AND p.ended_at >= o.starts_at
        GROUP BY o.tenant_id, coalesce(p.severity, 'unclassified'), p.service_id
    ) impact ON impact.tenant_id = o.tenant_id AND impact.severity = b.severity AND impact.service_id IS NOT DISTINCT FROM b.service_id
    CROSS JOIN LATERAL (
        SELECT
            impact.starts,
            extract(epoch FROM o.ends_at - o.starts_at) AS observed_seconds,
            coalesce((SELECT sum(extract(epoch FROM upper(u.span) - lower(u.span)))
                      FROM unnest(impact.spans) AS u (span)), 0) AS impact_seconds
    ) uptime;
END;
COMMENT ON FUNCTION bcce.mttr_breakdown(timestamptz, timestamptz) IS 'Where does recovery take long, for incidents that began between since (inclusive) and until (exclusive)? NULL leaves an end open. Same columns as the view of this name; what ended after the window still counts as open.';

CREATE OR REPLACE VIEW bcce.mttr_breakdown WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.severity,
    x.service_id,
    x.service_name,
    x.mttr_basis,
    x.incident_count,
    x.avg_mttr_minutes,
    x.median_mttr_minutes,
    x.p95_mttr_minutes,
    x.recovered_count,
    x.open_count,
    x.invalid_count,
    x.fallback_count,
    x.derived_count,
    x.oldest_open_minutes,
    x.mtta_minutes,
    x.mttd_minutes,
    x.median_mttr_incl_open_minutes,
    x.p95_mttr_incl_open_minutes,
    x.mtta_incl_open_minutes,
    x.censoring_warning,
    x.median_mttr_incl_open_low_minutes,
    x.median_mttr_incl_open_high_minutes,
    x.avg_mttr_incl_open_minutes,
    x.avg_mttr_incl_open_limit_minutes,
    x.avg_mttr_business_minutes,
    x.mtbf_hours,
    x.availability_percent
FROM bcce.mttr_breakdown(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.mttr_breakdown IS 'Where does recovery take long? One row per visible tenant, severity, service and basis with an incident. For a period use the function of this name.';
COMMENT ON COLUMN bcce.mttr_breakdown.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.mttr_breakdown.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.mttr_breakdown.severity IS 'sev1 (worst) to sev4; unclassified where the sender gave none, and for failure episodes';
COMMENT ON COLUMN bcce.mttr_breakdown.service_id IS 'service of the incident or episode; NULL: none named';
COMMENT ON COLUMN bcce.mttr_breakdown.service_name IS 'display name of the service; NULL: it was never declared';
COMMENT ON COLUMN bcce.mttr_breakdown.mttr_basis IS 'declared, or derived (failure episodes of workflows, from the first failed run to the next success)';
COMMENT ON COLUMN bcce.mttr_breakdown.incident_count IS 'incidents that began: recovered, open and invalid';
COMMENT ON COLUMN bcce.mttr_breakdown.avg_mttr_minutes IS 'mean recovery time of the recovered incidents, minutes, from the start of impact to recovery; several spans of impact count by their union';
COMMENT ON COLUMN bcce.mttr_breakdown.median_mttr_minutes IS 'median recovery time of the recovered incidents, minutes';
COMMENT ON COLUMN bcce.mttr_breakdown.p95_mttr_minutes IS '95th percentile of the recovery time of the recovered incidents, minutes';
COMMENT ON COLUMN bcce.mttr_breakdown.recovered_count IS 'incidents that are over';
COMMENT ON COLUMN bcce.mttr_breakdown.open_count IS 'incidents that are not over: they are in none of the times above, only in those with incl_open in their name';
COMMENT ON COLUMN bcce.mttr_breakdown.invalid_count IS 'incidents that end before they begin or more than five minutes in the future: left out of the times';
COMMENT ON COLUMN bcce.mttr_breakdown.fallback_count IS 'recovered incidents for which nothing but the closing time is known';
COMMENT ON COLUMN bcce.mttr_breakdown.derived_count IS 'incidents that are failure episodes of workflows';
COMMENT ON COLUMN bcce.mttr_breakdown.oldest_open_minutes IS 'age of the oldest open incident, minutes; NULL: none is open';
COMMENT ON COLUMN bcce.mttr_breakdown.mtta_minutes IS 'mean time to acknowledge, minutes, from detection (else opening); acknowledged declared incidents only';
COMMENT ON COLUMN bcce.mttr_breakdown.mttd_minutes IS 'mean time to detect, minutes, from the start of impact; declared incidents with both times only';
COMMENT ON COLUMN bcce.mttr_breakdown.median_mttr_incl_open_minutes IS 'median recovery time with the open incidents included, minutes: the smallest time by which half have recovered, open ones counted as lasting at least their age (Kaplan-Meier); one of the recovery times, where median_mttr_minutes may lie between two; NULL: too many are still open to tell';
COMMENT ON COLUMN bcce.mttr_breakdown.p95_mttr_incl_open_minutes IS '95th percentile of the recovery time with the open incidents included, minutes, in the same way; NULL: too many are still open to tell';
COMMENT ON COLUMN bcce.mttr_breakdown.mtta_incl_open_minutes IS 'mean time to acknowledge with the unacknowledged incidents included, minutes, no wait counted for longer than the longest so far (restricted Kaplan-Meier mean); one that was over without being acknowledged waited until then; NULL: none acknowledged';
COMMENT ON COLUMN bcce.mttr_breakdown.censoring_warning IS 'true when open incidents make median_mttr_minutes too good to be believed: it is under 80 percent of the median with the open ones, or that is not known';
COMMENT ON COLUMN bcce.mttr_breakdown.median_mttr_incl_open_low_minutes IS 'lower bound of the 95 percent interval of median_mttr_incl_open_minutes, minutes (log-log); NULL: under five recovered';
COMMENT ON COLUMN bcce.mttr_breakdown.median_mttr_incl_open_high_minutes IS 'upper bound of the 95 percent interval of median_mttr_incl_open_minutes, minutes (log-log); NULL: under five recovered, or not known how long it may be';
COMMENT ON COLUMN bcce.mttr_breakdown.avg_mttr_incl_open_minutes IS 'mean recovery time with the open incidents included, minutes, none counted for longer than avg_mttr_incl_open_limit_minutes (restricted Kaplan-Meier mean); NULL: none recovered';
COMMENT ON COLUMN bcce.mttr_breakdown.avg_mttr_incl_open_limit_minutes IS 'longest recovery time or age of an open incident, minutes: the limit of avg_mttr_incl_open_minutes; two means compare only where the limits do';
COMMENT ON COLUMN bcce.mttr_breakdown.avg_mttr_business_minutes IS 'mean recovery time of the recovered incidents within the tenant''s business hours (set_business_hours, without its holidays), minutes; NULL: it has none, or none recovered';
COMMENT ON COLUMN bcce.mttr_breakdown.mtbf_hours IS 'mean time between failures, hours: observed time of the tenant without impact of its declared incidents of this severity and service, divided by the impacts that began; NULL: none began, or the row is of failure episodes';
COMMENT ON COLUMN bcce.mttr_breakdown.availability_percent IS 'percent of the observed time of the tenant without impact of a declared incident of this severity and service, four decimals; NULL: the row is of failure episodes';
