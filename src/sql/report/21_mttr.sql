-- mttr_analysis: how long recovery takes, one row per tenant.
CREATE OR REPLACE FUNCTION bcce.mttr_analysis(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
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
    mtbf_hours double precision,
    availability_percent numeric,
    median_mttr_incl_open_minutes double precision,
    p95_mttr_incl_open_minutes double precision,
    mtta_incl_open_minutes double precision,
    censoring_warning boolean
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH basis AS (
        SELECT b.tenant_id, b.tenant_name, b.basis
        FROM bcce_data.mttr_basis() b
    ),
    incident AS (
        SELECT i.tenant_id, i.is_derived, i.state, i.started_at, i.recovery_minutes, i.open_minutes, i.is_fallback, i.acknowledge_minutes, i.unacknowledged_minutes, i.detect_minutes
        FROM bcce_data.mttr_incidents(since, until) i
    ),
    recovery AS (
        SELECT
            i.tenant_id,
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
                bcce.km_mean(coalesce(i.acknowledge_minutes, i.unacknowledged_minutes), i.acknowledge_minutes IS NOT NULL) END AS acknowledge_incl_open
        FROM incident i
        GROUP BY i.tenant_id
    ),
    observed AS (
        SELECT o.tenant_id, o.starts_at, o.ends_at
        FROM bcce_data.observed_time(since, until) o
    ),
    span AS (
        SELECT i.tenant_id, i.started_at, i.ended_at
        FROM bcce_data.impact_spans(until) i
    ),
    impact AS (
        SELECT
            o.tenant_id,
            count(s.started_at) FILTER (WHERE s.started_at >= o.starts_at) AS starts,
            range_agg(tstzrange(greatest(s.started_at, o.starts_at), least(s.ended_at, o.ends_at)))
                FILTER (WHERE s.ended_at > o.starts_at) AS spans
        FROM observed o
        JOIN span s ON s.tenant_id = o.tenant_id AND s.started_at < o.ends_at AND s.ended_at >= o.starts_at
        GROUP BY o.tenant_id
    ),
    uptime AS (
        SELECT
            o.tenant_id,
            i.starts,
            extract(epoch FROM o.ends_at - o.starts_at) AS observed_seconds,
            coalesce((SELECT sum(extract(epoch FROM upper(u.span) - lower(u.span)))
                      FROM unnest(i.spans) AS u (span)), 0) AS impact_seconds
        FROM observed o
        LEFT JOIN impact i ON i.tenant_id = o.tenant_id
    )
    SELECT
        b.tenant_id,
        b.tenant_name,
        b.basis,
        coalesce(r.total, 0),
        r.mean,
        r.median,
        r.p95,
        coalesce(r.recovered, 0),
        coalesce(r.still_open, 0),
        coalesce(r.invalid, 0),
        coalesce(r.fallback, 0),
        coalesce(r.derived, 0),
        bcce_data.age_minutes(r.oldest_open_at, (SELECT least(until, bcce.report_now()))),
        r.acknowledge_minutes,
        r.detect_minutes,
        ((u.observed_seconds - u.impact_seconds) / 3600 / nullif(u.starts, 0))::double precision,
        round(100.0 * (1 - u.impact_seconds / u.observed_seconds), 4),
        r.median_incl_open,
        r.p95_incl_open,
        r.acknowledge_incl_open,
        coalesce(bcce_data.is_censored(r.still_open, r.median, r.median_incl_open), false)
    FROM basis b
    LEFT JOIN recovery r ON r.tenant_id = b.tenant_id
    LEFT JOIN uptime u ON u.tenant_id = b.tenant_id;
END;
COMMENT ON FUNCTION bcce.mttr_analysis(timestamptz, timestamptz) IS 'How long does recovery take, for incidents that began between since (inclusive) and until (exclusive)? NULL leaves an end open. Same columns as the view of this name; what ended after the window still counts as open.';

CREATE OR REPLACE VIEW bcce.mttr_analysis WITH (security_invoker = true) AS
SELECT
    m.tenant_id,
    m.tenant_name,
    m.mttr_basis,
    m.incident_count,
    m.avg_mttr_minutes,
    m.median_mttr_minutes,
    m.p95_mttr_minutes,
    m.recovered_count,
    m.open_count,
    m.invalid_count,
    m.fallback_count,
    m.derived_count,
    m.oldest_open_minutes,
    m.mtta_minutes,
    m.mttd_minutes,
    m.mtbf_hours,
    m.availability_percent,
    m.median_mttr_incl_open_minutes,
    m.p95_mttr_incl_open_minutes,
    m.mtta_incl_open_minutes,
    m.censoring_warning
FROM bcce.mttr_analysis(NULL::timestamptz, NULL::timestamptz) m;
COMMENT ON VIEW bcce.mttr_analysis IS 'How long does it take until an incident is over (time to recover, MTTR), over all retained data? One row per visible tenant. For a period use the function of this name.';
COMMENT ON COLUMN bcce.mttr_analysis.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.mttr_analysis.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.mttr_analysis.mttr_basis IS 'which incidents count: declared, derived (failure episodes of workflows, from the first failed run to the next success), or both; the tenant''s setting, auto resolved';
COMMENT ON COLUMN bcce.mttr_analysis.incident_count IS 'incidents that began: recovered, open and invalid';
COMMENT ON COLUMN bcce.mttr_analysis.avg_mttr_minutes IS 'mean recovery time of the recovered incidents, minutes, from the start of impact to recovery; several spans of impact count by their union';
COMMENT ON COLUMN bcce.mttr_analysis.median_mttr_minutes IS 'median recovery time of the recovered incidents, minutes';
COMMENT ON COLUMN bcce.mttr_analysis.p95_mttr_minutes IS '95th percentile of the recovery time of the recovered incidents, minutes';
COMMENT ON COLUMN bcce.mttr_analysis.recovered_count IS 'incidents that are over';
COMMENT ON COLUMN bcce.mttr_analysis.open_count IS 'incidents that are not over: they are in none of the times above, only in those with incl_open in their name';
COMMENT ON COLUMN bcce.mttr_analysis.invalid_count IS 'incidents that end before they begin or more than five minutes in the future: left out of the times';
COMMENT ON COLUMN bcce.mttr_analysis.fallback_count IS 'recovered incidents for which nothing but the closing time is known';
COMMENT ON COLUMN bcce.mttr_analysis.derived_count IS 'incidents that are failure episodes of workflows';
COMMENT ON COLUMN bcce.mttr_analysis.oldest_open_minutes IS 'age of the oldest open incident, minutes; NULL: none is open';
COMMENT ON COLUMN bcce.mttr_analysis.mtta_minutes IS 'mean time to acknowledge, minutes, from detection (else opening); acknowledged declared incidents only';
COMMENT ON COLUMN bcce.mttr_analysis.mttd_minutes IS 'mean time to detect, minutes, from the start of impact; declared incidents with both times only';
COMMENT ON COLUMN bcce.mttr_analysis.mtbf_hours IS 'mean time between failures, hours: observed time without impact of declared incidents, divided by the impacts that began; NULL: none began';
COMMENT ON COLUMN bcce.mttr_analysis.availability_percent IS 'percent of the observed time without impact of a declared incident, four decimals; NULL: the tenant never declared one';
COMMENT ON COLUMN bcce.mttr_analysis.median_mttr_incl_open_minutes IS 'median recovery time with the open incidents included, minutes: the smallest time by which half have recovered, open ones counted as lasting at least their age (Kaplan-Meier); one of the recovery times, where median_mttr_minutes may lie between two; NULL: too many are still open to tell';
COMMENT ON COLUMN bcce.mttr_analysis.p95_mttr_incl_open_minutes IS '95th percentile of the recovery time with the open incidents included, minutes, in the same way; NULL: too many are still open to tell';
COMMENT ON COLUMN bcce.mttr_analysis.mtta_incl_open_minutes IS 'mean time to acknowledge with the unacknowledged incidents included, minutes, no wait counted for longer than the longest so far (restricted Kaplan-Meier mean); one that was over without being acknowledged waited until then; NULL: none acknowledged';
COMMENT ON COLUMN bcce.mttr_analysis.censoring_warning IS 'true when open incidents make median_mttr_minutes too good to be believed: it is under 80 percent of the median with the open ones, or that is not known';
