-- Ways in for incidents.
DO $do$
BEGIN
    IF to_regtype('bcce_data.given_incident') IS NULL THEN
        CREATE TYPE bcce_data.given_incident AS (
            tenant_id uuid, fault text, incident_id text, service_id text, severity text, priority text, incident_type text,
            title text, status text, opened_at timestamptz, impact_started_at timestamptz, detected_at timestamptz,
            acknowledged_at timestamptz, mitigated_at timestamptz, recovered_at timestamptz, resolved_at timestamptz,
            closed_at timestamptz, merged_into text, affected_resources text, caused_by_run text, source text, is_test boolean);
    END IF;
END
$do$;
COMMENT ON TYPE bcce_data.given_incident IS 'an incident, or what became known of one, as a sender gives it';

CREATE OR REPLACE FUNCTION bcce_data.put_incidents(incidents bcce_data.given_incident[]) RETURNS text[]
LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    order_of CONSTANT text[] := ARRAY['open', 'acknowledged', 'mitigated', 'resolved', 'closed'];
    faults text[];
    opened timestamptz[];
    later bigint[];
    ordinal bigint;
BEGIN
    -- Of several rows of one incident the first goes with the others, the
    -- rest one by one after it.
    IF cardinality(incidents) > 1 THEN
        SELECT array_agg(k.ordinal ORDER BY k.tenant_id, k.incident_id COLLATE "C", k.ordinal) INTO later
        FROM (
            SELECT g.tenant_id, g.incident_id, g.ordinal,
                   row_number() OVER (PARTITION BY g.tenant_id, g.incident_id COLLATE "C" ORDER BY g.ordinal) AS place
            FROM (
                SELECT i.tenant_id, bcce_data.key_text(i.tenant_id, i.incident_id) AS incident_id, i.ordinality AS ordinal
                FROM unnest(incidents) WITH ORDINALITY AS i
                WHERE i.fault IS NULL AND i.incident_id <> '') AS g) AS k
        WHERE k.place > 1;
    END IF;
    later := coalesce(later, '{}');

    SELECT array_agg(CASE WHEN g.later THEN 'later' ELSE coalesce(g.fault, CASE
            WHEN g.incident_id IS NULL OR g.incident_id = '' THEN 'missing_id'
            WHEN greatest(length(g.incident_id), length(g.service_id), length(g.merged_into), length(g.caused_by_run)) > 256 THEN 'key_too_long'
            WHEN g.opened IS NULL THEN 'missing_time'
            ELSE bcce_data.time_fault(g.opened, g.impact_started_at, g.detected_at, g.acknowledged_at, g.mitigated_at,
                                      g.recovered_at, g.resolved_at, g.closed_at)
        END) END), array_agg(g.opened)
    INTO faults, opened
    FROM (
        SELECT i.*, (i.ordinality IN (SELECT unnest(later))) IS TRUE AS later,
               coalesce(i.opened_at, i.detected_at, i.impact_started_at,
                        (SELECT known.opened_at
                         FROM (SELECT bcce_data.key_text(i.tenant_id, i.incident_id) AS key WHERE length(i.incident_id) <= 256 OFFSET 0) AS m
                         CROSS JOIN LATERAL (
                             SELECT k.opened_at FROM bcce_data.incidents k
                             WHERE k.tenant_id = i.tenant_id AND k.incident_id = m.key OFFSET 0) AS known)) AS opened
        FROM unnest(incidents) WITH ORDINALITY AS i OFFSET 0) AS g;

    PERFORM bcce_data.mention_services(array_agg(m.tenant_id), array_agg(m.service_id)) FROM (
        SELECT DISTINCT (g.incident).tenant_id, nullif((g.incident).service_id, '') AS service_id
        FROM (SELECT unnest(incidents) AS incident, unnest(faults) AS fault) AS g WHERE g.fault IS NULL) AS m;

    -- What a later row says replaces what was known; what it leaves out stays.
    INSERT INTO bcce_data.incidents AS i (tenant_id, incident_id, service_id, severity, priority, incident_type, title, status,
        opened_at, impact_started_at, detected_at, acknowledged_at, mitigated_at, recovered_at, resolved_at, closed_at,
        merged_into, affected_resources, caused_by_run, source, is_test)
    SELECT r.tenant_id, r.incident_id, nullif(r.service_id, ''), r.severity, r.priority, r.incident_type, r.title,
        coalesce(r.status, CASE
            WHEN r.closed_at IS NOT NULL THEN 'closed'
            WHEN coalesce(r.recovered_at, r.resolved_at) IS NOT NULL THEN 'resolved'
            WHEN r.mitigated_at IS NOT NULL THEN 'mitigated'
            WHEN r.acknowledged_at IS NOT NULL THEN 'acknowledged'
            ELSE 'open' END),
        r.opened, r.impact_started_at, r.detected_at, r.acknowledged_at, r.mitigated_at, r.recovered_at, r.resolved_at, r.closed_at,
        r.merged_into, r.affected_resources, r.caused_by_run, coalesce(r.source, 'api'), coalesce(r.is_test, false)
    FROM ROWS FROM (unnest(incidents), unnest(faults), unnest(opened)) AS r (tenant_id, given_fault, incident_id, service_id, severity,
        priority, incident_type, title, status, opened_at, impact_started_at, detected_at, acknowledged_at, mitigated_at, recovered_at,
        resolved_at, closed_at, merged_into, affected_resources, caused_by_run, source, is_test, fault, opened)
    WHERE r.fault IS NULL
    ORDER BY r.tenant_id, r.incident_id COLLATE "C"
    ON CONFLICT ON CONSTRAINT incidents_pkey DO UPDATE
    SET service_id = coalesce(excluded.service_id, i.service_id),
        severity = coalesce(excluded.severity, i.severity),
        priority = coalesce(excluded.priority, i.priority),
        incident_type = coalesce(excluded.incident_type, i.incident_type),
        title = coalesce(excluded.title, i.title),
        status = CASE WHEN array_position(order_of, excluded.status) >= array_position(order_of, i.status)
                      THEN excluded.status ELSE i.status END,
        opened_at = least(i.opened_at, excluded.opened_at),
        impact_started_at = coalesce(excluded.impact_started_at, i.impact_started_at),
        detected_at = coalesce(excluded.detected_at, i.detected_at),
        acknowledged_at = coalesce(excluded.acknowledged_at, i.acknowledged_at),
        mitigated_at = coalesce(excluded.mitigated_at, i.mitigated_at),
        recovered_at = coalesce(excluded.recovered_at, i.recovered_at),
        resolved_at = coalesce(excluded.resolved_at, i.resolved_at),
        closed_at = coalesce(excluded.closed_at, i.closed_at),
        merged_into = coalesce(excluded.merged_into, i.merged_into),
        affected_resources = coalesce(excluded.affected_resources, i.affected_resources),
        caused_by_run = coalesce(excluded.caused_by_run, i.caused_by_run);

    FOREACH ordinal IN ARRAY later LOOP
        faults[ordinal] := (bcce_data.put_incidents(ARRAY[incidents[ordinal]]))[1];
    END LOOP;
    RETURN faults;
END
$body$;
COMMENT ON FUNCTION bcce_data.put_incidents(bcce_data.given_incident[]) IS 'stores incidents or brings known ones up to date; returns the reason of each that is refused';

CREATE OR REPLACE FUNCTION bcce.record_incident(
    incident_id text, opened_at timestamptz DEFAULT NULL, title text DEFAULT NULL, severity text DEFAULT NULL,
    status text DEFAULT NULL, service_id text DEFAULT NULL, priority text DEFAULT NULL, incident_type text DEFAULT NULL,
    impact_started_at timestamptz DEFAULT NULL, detected_at timestamptz DEFAULT NULL, acknowledged_at timestamptz DEFAULT NULL,
    mitigated_at timestamptz DEFAULT NULL, recovered_at timestamptz DEFAULT NULL, resolved_at timestamptz DEFAULT NULL,
    closed_at timestamptz DEFAULT NULL, merged_into text DEFAULT NULL, affected_resources text DEFAULT NULL,
    caused_by_run text DEFAULT NULL, source text DEFAULT 'api', is_test boolean DEFAULT false, tenant text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET work_mem = '256MB' AS $body$
DECLARE
    incident bcce_data.given_incident;
BEGIN
    incident.tenant_id := bcce_data.writable_tenant(tenant);
    incident.incident_id := incident_id;
    incident.opened_at := opened_at;
    incident.title := title;
    incident.severity := bcce_data.known_word(incident.tenant_id, 'severity', severity);
    incident.status := bcce_data.known_word(incident.tenant_id, 'incident_status', status);
    incident.service_id := service_id;
    incident.priority := priority;
    incident.incident_type := incident_type;
    incident.impact_started_at := impact_started_at;
    incident.detected_at := detected_at;
    incident.acknowledged_at := acknowledged_at;
    incident.mitigated_at := mitigated_at;
    incident.recovered_at := recovered_at;
    incident.resolved_at := resolved_at;
    incident.closed_at := closed_at;
    incident.merged_into := merged_into;
    incident.affected_resources := affected_resources;
    incident.caused_by_run := caused_by_run;
    incident.source := source;
    incident.is_test := is_test;
    incident.fault := CASE
        WHEN severity <> '' AND incident.severity IS NULL THEN 'unknown_severity'
        WHEN status <> '' AND incident.status IS NULL THEN 'unknown_status'
    END;
    PERFORM bcce_data.refuse_any(bcce_data.put_incidents(ARRAY[incident]));
    RETURN bcce_data.key_text(incident.tenant_id, incident_id);
END
$body$;
COMMENT ON FUNCTION bcce.record_incident(text, timestamptz, text, text, text, text, text, text, timestamptz, timestamptz, timestamptz, timestamptz, timestamptz, timestamptz, timestamptz, text, text, text, text, boolean, text) IS
'Records an incident, and again under the same incident_id whatever becomes known: what is given replaces, what is left out stays. opened_at defaults to detected_at or impact_started_at, and need not be given again. Returns the incident_id. Errors: P0002 tenant not found, 22023 unknown severity or status, 22004 missing id or time, 22001 id too long, 22008 time out of range.';

CREATE OR REPLACE FUNCTION bcce.record_incident_event(
    incident_id text, kind text, at timestamptz DEFAULT now(), response_action text DEFAULT NULL, user_id text DEFAULT NULL,
    tenant text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $body$
DECLARE
    target uuid := bcce_data.writable_tenant(tenant);
    key text := bcce_data.key_text(target, incident_id);
BEGIN
    PERFORM bcce_data.refuse_any(ARRAY[CASE
        WHEN incident_id IS NULL OR incident_id = '' OR kind IS NULL OR kind = '' THEN 'missing_id'
        WHEN greatest(length(incident_id), length(kind)) > 256 THEN 'key_too_long'
        WHEN at IS NULL THEN 'missing_time'
        WHEN NOT EXISTS (SELECT FROM bcce_data.incidents i WHERE i.tenant_id = target AND i.incident_id = key) THEN 'unknown_incident'
        ELSE bcce_data.time_fault(at)
    END]);
    -- The id is made of the content, so that a retry stores nothing.
    INSERT INTO bcce_data.incident_events (tenant_id, incident_id, event_id, at, kind, response_action, actor_key)
    VALUES (target, key, md5(bcce.pseudonym(ROW(kind, at AT TIME ZONE 'UTC', response_action, user_id)::text, 'content', target))::uuid,
            at, kind, response_action, nullif(user_id, ''))
    ON CONFLICT DO NOTHING;
END
$body$;
COMMENT ON FUNCTION bcce.record_incident_event(text, text, timestamptz, text, text, text) IS
'Records what happened or was done in a known incident: kind is a word of your own, such as alert, comment or action; response_action is redacted, user_id stored as a pseudonym. The same event again is stored once. Errors: P0002 tenant or incident not found, 22004 missing id, kind or time, 22001 id or kind too long, 22008 time out of range.';

CREATE OR REPLACE VIEW bcce.inbox_incidents WITH (security_invoker = true) AS
SELECT NULL::text AS tenant, NULL::text AS incident_id, NULL::text AS service_id, NULL::text AS severity, NULL::text AS priority,
       NULL::text AS incident_type, NULL::text AS title, NULL::text AS status, NULL::text AS opened_at,
       NULL::text AS impact_started_at, NULL::text AS detected_at, NULL::text AS acknowledged_at, NULL::text AS mitigated_at,
       NULL::text AS recovered_at, NULL::text AS resolved_at, NULL::text AS closed_at, NULL::text AS merged_into,
       NULL::text AS affected_resources, NULL::text AS caused_by_run, NULL::text AS source, NULL::text AS is_test
WHERE false;
COMMENT ON VIEW bcce.inbox_incidents IS 'Write-only: INSERT or COPY incidents here, all columns text; a later row with the same incident_id adds to it. Bad rows are counted in bcce.rejected.';

CREATE OR REPLACE FUNCTION bcce_data.inbox_incidents() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET work_mem = '256MB' AS $body$
DECLARE
    tenants jsonb := bcce_data.resolve_tenants(ARRAY(SELECT DISTINCT bcce_data.tenant_word(b.tenant) FROM batch b));
    severities jsonb := bcce_data.known_words('severity', ARRAY(
        SELECT DISTINCT bcce_data.status_word(tenants ->> bcce_data.tenant_word(b.tenant), b.severity) FROM batch b));
    statuses jsonb := bcce_data.known_words('incident_status', ARRAY(
        SELECT DISTINCT bcce_data.status_word(tenants ->> bcce_data.tenant_word(b.tenant), b.status) FROM batch b));
    incidents bcce_data.given_incident[];
    faults text[];
BEGIN
    SELECT array_agg(ROW(
        g.tenant_id::uuid,
        CASE
            WHEN g.tenant_id IS NULL THEN 'unknown_tenant'
            -- As many times were read as were given.
            WHEN num_nonnulls(nullif(g.opened_at, ''), nullif(g.impact_started_at, ''), nullif(g.detected_at, ''),
                              nullif(g.acknowledged_at, ''), nullif(g.mitigated_at, ''), nullif(g.recovered_at, ''),
                              nullif(g.resolved_at, ''), nullif(g.closed_at, ''))
                 <> num_nonnulls(g.opened, g.impact_started, g.detected, g.acknowledged, g.mitigated, g.recovered, g.resolved, g.closed)
                 THEN 'bad_time'
            WHEN g.severity <> '' AND g.known_severity IS NULL THEN 'unknown_severity'
            WHEN g.status <> '' AND g.known_status IS NULL THEN 'unknown_status'
            WHEN g.is_test <> '' AND bcce.try_boolean(g.is_test) IS NULL THEN 'bad_boolean'
        END,
        nullif(g.incident_id, ''), nullif(g.service_id, ''), g.known_severity, nullif(g.priority, ''), nullif(g.incident_type, ''),
        nullif(g.title, ''), g.known_status, g.opened, g.impact_started, g.detected, g.acknowledged, g.mitigated, g.recovered,
        g.resolved, g.closed, nullif(g.merged_into, ''), nullif(g.affected_resources, ''), nullif(g.caused_by_run, ''),
        nullif(g.source, ''), bcce.try_boolean(g.is_test)
    )::bcce_data.given_incident) INTO incidents
    FROM (
        SELECT b.*, bcce.try_timestamptz(b.opened_at) AS opened, bcce.try_timestamptz(b.impact_started_at) AS impact_started,
               bcce.try_timestamptz(b.detected_at) AS detected, bcce.try_timestamptz(b.acknowledged_at) AS acknowledged,
               bcce.try_timestamptz(b.mitigated_at) AS mitigated, bcce.try_timestamptz(b.recovered_at) AS recovered,
               bcce.try_timestamptz(b.resolved_at) AS resolved, bcce.try_timestamptz(b.closed_at) AS closed,
               severities ->> bcce_data.status_word(b.tenant_id, b.severity) AS known_severity,
               statuses ->> bcce_data.status_word(b.tenant_id, b.status) AS known_status
        FROM (SELECT b.*, tenants ->> bcce_data.tenant_word(b.tenant) AS tenant_id FROM batch b) AS b OFFSET 0) AS g;
    faults := bcce_data.put_incidents(incidents);
    PERFORM bcce_data.reject('inbox_incidents', array_agg((g.incident).tenant_id), array_agg(g.fault), array_agg((g.incident).incident_id))
    FROM (SELECT unnest(incidents) AS incident, unnest(faults) AS fault) AS g WHERE g.fault IS NOT NULL;
    RETURN NULL;
END
$body$;
COMMENT ON FUNCTION bcce_data.inbox_incidents() IS 'stores or refuses the rows of bcce.inbox_incidents';
