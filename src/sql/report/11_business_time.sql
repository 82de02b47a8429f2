-- How much of a span falls into the hours in which a tenant works.
CREATE OR REPLACE FUNCTION bcce_data.business_minutes(tenant uuid, timezone text, spans tstzmultirange)
RETURNS TABLE (minutes double precision)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN spans IS NOT NULL AND EXISTS (SELECT FROM bcce_data.business_hours h WHERE h.tenant_id = tenant) THEN
        coalesce((
            SELECT sum(extract(epoch FROM upper(part.span) - lower(part.span)))
            FROM (
                -- Open days as instants.  A clock that is put forward may skip a close; a day never ends before it began.
                SELECT unnest(range_agg(tstzrange(o.opens_at, greatest(o.opens_at, o.closes_at))) * spans) AS span
                FROM (
                    SELECT
                        (d.day::date + h.opens) AT TIME ZONE timezone AS opens_at,
                        (d.day::date + (h.closes <= h.opens)::integer + h.closes) AT TIME ZONE timezone AS closes_at
                    FROM bcce_data.business_hours h
                    -- From the day before, whose work may last over midnight.
                    CROSS JOIN LATERAL generate_series(
                        date_trunc('week', (lower(spans) AT TIME ZONE timezone) - interval '1 day') + (h.weekday - 1) * interval '1 day',
                        upper(spans) AT TIME ZONE timezone,
                        interval '7 days'
                    ) AS d (day)
                    WHERE h.tenant_id = tenant
                      AND NOT EXISTS (SELECT FROM bcce_data.holidays f WHERE f.tenant_id = tenant AND f.day = d.day::date)
                ) o
            ) part
        ), 0)::double precision / 60
    END;
END;
COMMENT ON FUNCTION bcce_data.business_minutes(uuid, text, tstzmultirange) IS 'Minutes of finite spans that lie in the business hours of a tenant, by the clock of its zone and without its holidays; NULL: it has no business hours, or spans is NULL.';
