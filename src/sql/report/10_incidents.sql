-- What the reports mean by a declared incident: one definition for all of them.
CREATE OR REPLACE FUNCTION bcce_data.declared_incidents(until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    incident_id text,
    service_id text,
    severity text,
    state text,
    started_at timestamptz,
    ended_at timestamptz,
    impact_minutes double precision,
    is_fallback boolean
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        clock.tenant_id,
        clock.incident_id,
        clock.service_id,
        clock.severity,
        verdict.state,
        clock.started_at,
        clock.ended_at,
        CASE WHEN verdict.state = 'recovered' THEN
            coalesce(clock.union_seconds, extract(epoch FROM clock.ended_at - clock.started_at))::double precision / 60
        END,
        clock.is_fallback
    FROM (
        SELECT
            i.tenant_id,
            i.incident_id,
            i.service_id,
            i.severity,
            coalesce(impact.started_at, i.impact_started_at, i.detected_at, i.opened_at) AS started_at,
            CASE WHEN impact.started_at IS NOT NULL THEN impact.ended_at
                 ELSE coalesce(i.recovered_at, i.mitigated_at, i.resolved_at, i.closed_at) END AS ended_at,
            impact.union_seconds,
            impact.started_at IS NULL AND i.closed_at IS NOT NULL
                AND coalesce(i.recovered_at, i.mitigated_at, i.resolved_at) IS NULL AS is_fallback
        FROM bcce_data.incidents i
        LEFT JOIN LATERAL (
            SELECT
                min(lower(part.span)) AS started_at,
                CASE WHEN NOT bool_or(upper_inf(part.span)) THEN max(upper(part.span)) END AS ended_at,
                CASE WHEN NOT bool_or(upper_inf(part.span) OR NOT isfinite(lower(part.span)) OR NOT isfinite(upper(part.span)))
                     THEN sum(extract(epoch FROM upper(part.span) - lower(part.span))) END AS union_seconds
            FROM (
                SELECT unnest(range_agg(p.span)) AS span
                FROM bcce_data.incident_impacts p
                WHERE p.tenant_id = i.tenant_id AND p.incident_id = i.incident_id
                  AND (until IS NULL OR lower(p.span) < until)
            ) part
        ) impact ON true
        WHERE NOT i.is_test AND i.merged_into IS NULL
    ) clock
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN NOT isfinite(clock.started_at) OR clock.ended_at < clock.started_at
                OR clock.ended_at > (SELECT bcce.report_now() + interval '5 minutes') THEN 'invalid'
            WHEN clock.ended_at <= (SELECT least(until, bcce.report_now() + interval '5 minutes')) THEN 'recovered'
            ELSE 'open'
        END AS state
    ) verdict
    WHERE until IS NULL OR clock.started_at < until;
END;
COMMENT ON FUNCTION bcce_data.declared_incidents(timestamptz) IS 'Declared incidents (no tests, none merged into another) that began before until, with their state then: recovered, open or invalid (ends before it starts, or more than five minutes in the future). They start with their impact, else when detected or opened, and end when recovered, mitigated or resolved, else when closed (is_fallback). Recorded impact spans go before the clocks: impact_minutes is the length of their union, in minutes, NULL unless recovered.';
