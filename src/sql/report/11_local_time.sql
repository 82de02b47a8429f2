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

-- Calendars.  A report by period is a loop over a calendar, with a look into the
-- facts between the two ends of each period: so what a reader asks of
-- period_start_at, which is the calendar's own column, leaves periods out before
-- any fact is read, and months with them.  OFFSET 0 keeps a calendar apart: each
-- end is computed once, and a filter waits at its door.
CREATE OR REPLACE FUNCTION bcce_data.local_hours(first_at timestamptz, last_at timestamptz, timezone text)
RETURNS TABLE (starts_at timestamptz, ends_at timestamptz, is_whole boolean)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT
        h.starts_at,
        h.starts_at + interval '1 hour',
        ((h.starts_at + interval '59 minutes 59.999999 seconds') AT TIME ZONE timezone) - (h.starts_at AT TIME ZONE timezone)
            = interval '59 minutes 59.999999 seconds'
    FROM (
        -- By half hours, as a clock may be put forward by one.
        SELECT DISTINCT hour.starts_at
        FROM bcce_data.local_hour(first_at, timezone) first_hour
        CROSS JOIN LATERAL generate_series(first_hour.starts_at, last_at, interval '30 minutes') AS g (at)
        CROSS JOIN LATERAL bcce_data.local_hour(g.at, timezone) hour
    ) h
    OFFSET 0;
END;
COMMENT ON FUNCTION bcce_data.local_hours(timestamptz, timestamptz, text) IS 'The hours by the clock of a zone from that of first_at to that of last_at. What lies between their ends is theirs, but where the clock was changed (not is_whole) only that of which local_hour says so.';

CREATE OR REPLACE FUNCTION bcce_data.local_periods(first_at timestamptz, last_at timestamptz, timezone text, unit text)
RETURNS TABLE (first_day date, starts_at timestamptz, ends_at timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT p.first_day, p.starts_at, p.ends_at
    FROM (
        -- A date that the zone left out begins and ends with the day after it.
        SELECT
            g.first_day::date AS first_day,
            coalesce(this.starts_at, after_this.starts_at) AS starts_at,
            coalesce(next.starts_at, after_next.starts_at) AS ends_at
        FROM bcce_data.local_date(first_at, timezone) first_local
        CROSS JOIN LATERAL bcce_data.local_date(last_at, timezone) last_local
        CROSS JOIN LATERAL generate_series(date_trunc(unit, first_local.day::timestamp), last_local.day::timestamp, (CASE unit WHEN 'quarter' THEN '3 months' ELSE '1 ' || unit END)::interval) AS g (first_day)
        CROSS JOIN LATERAL bcce_data.local_midnight(g.first_day::date, timezone) this
        CROSS JOIN LATERAL bcce_data.local_midnight(g.first_day::date + 1, timezone) after_this
        CROSS JOIN LATERAL bcce_data.local_midnight((g.first_day + (CASE unit WHEN 'quarter' THEN '3 months' ELSE '1 ' || unit END)::interval)::date, timezone) next
        CROSS JOIN LATERAL bcce_data.local_midnight((g.first_day + (CASE unit WHEN 'quarter' THEN '3 months' ELSE '1 ' || unit END)::interval)::date + 1, timezone) after_next
        OFFSET 0
    ) p
    WHERE p.starts_at < p.ends_at
    OFFSET 0;
END;
COMMENT ON FUNCTION bcce_data.local_periods(timestamptz, timestamptz, text, text) IS 'The days, weeks (from Monday), months or quarters of a zone from that of first_at to that of last_at: first_day, and the instants at which they begin and end. What lies between is theirs, as local_date says.';
