-- mttr_by_month: how recovery develops, one row per tenant and local month.
CREATE OR REPLACE FUNCTION bcce.mttr_by_month(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    period_start_at timestamptz,
    month date,
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
    censoring_warning boolean
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        m.tenant_id,
        m.tenant_name,
        first_day.starts_at,
        m.month,
        m.basis,
        m.total,
        m.mean,
        m.median,
        m.p95,
        m.recovered,
        m.still_open,
        m.invalid,
        m.fallback,
        m.derived,
        bcce_data.age_minutes(m.oldest_open_at, (SELECT least(until, bcce.report_now()))),
        m.acknowledge_minutes,
        m.detect_minutes,
        m.median_incl_open,
        m.p95_incl_open,
        m.acknowledge_incl_open,
        bcce_data.is_censored(m.still_open, m.median, m.median_incl_open)
    FROM (
        SELECT
            b.tenant_id,
            b.tenant_name,
            b.timezone,
            b.basis,
            date_trunc('month', local.day::timestamp)::date AS month,
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
        FROM bcce_data.mttr_basis() b
        JOIN bcce_data.mttr_incidents(since, until) i ON i.tenant_id = b.tenant_id
        CROSS JOIN LATERAL bcce_data.local_date(i.started_at, b.timezone) local
        WHERE isfinite(i.started_at)
        GROUP BY b.tenant_id, b.tenant_name, b.timezone, b.basis, date_trunc('month', local.day::timestamp)::date
    ) m
    CROSS JOIN LATERAL bcce_data.local_midnight(m.month, m.timezone) first_day;
END;
COMMENT ON FUNCTION bcce.mttr_by_month(timestamptz, timestamptz) IS 'How long does recovery take, month by month, for incidents that began between since (inclusive) and until (exclusive)? NULL leaves an end open. Same columns as the view of this name; what ended after the window still counts as open.';

CREATE OR REPLACE VIEW bcce.mttr_by_month WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.period_start_at,
    x.month,
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
    x.censoring_warning
FROM bcce.mttr_by_month(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.mttr_by_month IS 'How does the time to recover (MTTR) develop from month to month? One row per visible tenant and month of its zone in which an incident began. For a period use the function of this name.';
COMMENT ON COLUMN bcce.mttr_by_month.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.mttr_by_month.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.mttr_by_month.period_start_at IS 'first instant of the month in the tenant''s zone';
COMMENT ON COLUMN bcce.mttr_by_month.month IS 'first day of the month in which the impact began';
COMMENT ON COLUMN bcce.mttr_by_month.mttr_basis IS 'which incidents count: declared, derived (failure episodes of workflows, from the first failed run to the next success), or both; the tenant''s setting, auto resolved';
COMMENT ON COLUMN bcce.mttr_by_month.incident_count IS 'incidents that began: recovered, open and invalid';
COMMENT ON COLUMN bcce.mttr_by_month.avg_mttr_minutes IS 'mean recovery time of the recovered incidents, minutes, from the start of impact to recovery; several spans of impact count by their union';
COMMENT ON COLUMN bcce.mttr_by_month.median_mttr_minutes IS 'median recovery time of the recovered incidents, minutes';
COMMENT ON COLUMN bcce.mttr_by_month.p95_mttr_minutes IS '95th percentile of the recovery time of the recovered incidents, minutes';
COMMENT ON COLUMN bcce.mttr_by_month.recovered_count IS 'incidents that are over';
COMMENT ON COLUMN bcce.mttr_by_month.open_count IS 'incidents that are not over: they are in none of the times above, only in those with incl_open in their name';
COMMENT ON COLUMN bcce.mttr_by_month.invalid_count IS 'incidents that end before they begin or more than five minutes in the future: left out of the times';
COMMENT ON COLUMN bcce.mttr_by_month.fallback_count IS 'recovered incidents for which nothing but the closing time is known';
COMMENT ON COLUMN bcce.mttr_by_month.derived_count IS 'incidents that are failure episodes of workflows';
COMMENT ON COLUMN bcce.mttr_by_month.oldest_open_minutes IS 'age of the oldest open incident of the month, minutes; NULL: none is open';
COMMENT ON COLUMN bcce.mttr_by_month.mtta_minutes IS 'mean time to acknowledge, minutes, from detection (else opening); acknowledged declared incidents only';
COMMENT ON COLUMN bcce.mttr_by_month.mttd_minutes IS 'mean time to detect, minutes, from the start of impact; declared incidents with both times only';
COMMENT ON COLUMN bcce.mttr_by_month.median_mttr_incl_open_minutes IS 'median recovery time with the open incidents included, minutes: the smallest time by which half have recovered, open ones counted as lasting at least their age (Kaplan-Meier); one of the recovery times, where median_mttr_minutes may lie between two; NULL: too many are still open to tell';
COMMENT ON COLUMN bcce.mttr_by_month.p95_mttr_incl_open_minutes IS '95th percentile of the recovery time with the open incidents included, minutes, in the same way; NULL: too many are still open to tell';
COMMENT ON COLUMN bcce.mttr_by_month.mtta_incl_open_minutes IS 'mean time to acknowledge with the unacknowledged incidents included, minutes, no wait counted for longer than the longest so far (restricted Kaplan-Meier mean); one that was over without being acknowledged waited until then; NULL: none acknowledged';
COMMENT ON COLUMN bcce.mttr_by_month.censoring_warning IS 'true when open incidents make median_mttr_minutes too good to be believed: it is under 80 percent of the median with the open ones, or that is not known';
