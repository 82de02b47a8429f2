-- When a tenant's days and hours begin: one definition for all reports.
--
-- A local day begins at the first instant whose local date it is.  AT TIME
-- ZONE alone is not enough: of a repeated midnight it gives the second.  So
-- midnight is tried with the offset of the day before, then with that of the
-- day after; in a gap that begins at midnight, the former is the gap's end.
CREATE OR REPLACE FUNCTION bcce_data.local_midnight(day date, timezone text)
RETURNS TABLE (starts_at timestamptz, again_at timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT
        CASE
            WHEN candidate.by_day_before AT TIME ZONE timezone = local.wall THEN candidate.by_day_before
            WHEN candidate.by_day_after AT TIME ZONE timezone = local.wall THEN candidate.by_day_after
            WHEN (candidate.by_day_before AT TIME ZONE timezone)::date = day THEN candidate.by_day_before
        END,
        candidate.by_day_after
    FROM (
        SELECT day::timestamp AS wall, day::timestamp AT TIME ZONE timezone AS guess
    ) local
    CROSS JOIN LATERAL (
        SELECT (local.wall - (((local.guess - interval '24 hours') AT TIME ZONE timezone)
                              - ((local.guess - interval '24 hours') AT TIME ZONE 'UTC'))) AT TIME ZONE 'UTC' AS by_day_before,
               (local.wall - (((local.guess + interval '24 hours') AT TIME ZONE timezone)
                              - ((local.guess + interval '24 hours') AT TIME ZONE 'UTC'))) AT TIME ZONE 'UTC' AS by_day_after
    ) candidate;
END;
COMMENT ON FUNCTION bcce_data.local_midnight(date, text) IS 'When a day begins in a zone: starts_at, the first instant of that local date, NULL for a date that the zone left out; again_at, its midnight by the offset of the day after.';

-- A fact belongs to its local date, but for the rare clock that was put back
-- over midnight: the new day had begun already, and goes on.
CREATE OR REPLACE FUNCTION bcce_data.local_date(at timestamptz, timezone text)
RETURNS TABLE (day date)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE
        WHEN (at AT TIME ZONE timezone)::time < '20:00' OR NOT isfinite(at) THEN (at AT TIME ZONE timezone)::date
        ELSE (at AT TIME ZONE timezone)::date + coalesce((
            SELECT m.starts_at <= at
            FROM bcce_data.local_midnight((at AT TIME ZONE timezone)::date + 1, timezone) m
        ), false)::integer
    END;
END;
COMMENT ON FUNCTION bcce_data.local_date(timestamptz, text) IS 'The day to which an instant belongs in a zone.';

CREATE OR REPLACE FUNCTION bcce_data.local_hour(at timestamptz, timezone text)
RETURNS TABLE (starts_at timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT at - ((at AT TIME ZONE timezone) - date_trunc('hour', at AT TIME ZONE timezone));
END;
COMMENT ON FUNCTION bcce_data.local_hour(timestamptz, text) IS 'When the hour of an instant began by the clock of a zone; a repeated hour is two hours.';
