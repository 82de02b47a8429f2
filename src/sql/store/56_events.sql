-- Ways in for events of guests and users.
DO $do$
BEGIN
    IF to_regtype('bcce_data.given_event') IS NULL THEN
        CREATE TYPE bcce_data.given_event AS (
            tenant_id uuid, fault text, event_type text, occurred_at timestamptz, guest_id text, guest_type text, user_id text,
            session_id text, service_id text, ip inet, user_agent_family text, properties jsonb, idempotency_key text,
            source text, is_test boolean);
    END IF;
END
$do$;
COMMENT ON TYPE bcce_data.given_event IS 'an event as a sender gives it';

CREATE OR REPLACE FUNCTION bcce_data.user_agent_family(user_agent text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $body$
BEGIN
    RETURN CASE
        WHEN user_agent IS NULL OR user_agent IN ('', '-') THEN NULL
        WHEN user_agent ~* '(bot|crawl|spider|slurp|feed|monitor|archiver)' THEN 'Bot'
        WHEN user_agent ~ 'Edg(e|A|iOS)?/' THEN 'Edge'
        WHEN user_agent ~ 'OPR/|Opera' THEN 'Opera'
        WHEN user_agent ~ 'Firefox/|FxiOS/' THEN 'Firefox'
        WHEN user_agent ~ 'Chrome/|CriOS/|Chromium/' THEN 'Chrome'
        WHEN user_agent ~ 'Safari/' THEN 'Safari'
        WHEN user_agent ~ 'MSIE|Trident/' THEN 'Internet Explorer'
        WHEN user_agent ~* '^(curl|wget|python|java|go-http|ruby|perl|okhttp|libwww)' THEN 'Script'
        ELSE 'Other'
    END;
END
$body$;
COMMENT ON FUNCTION bcce_data.user_agent_family(text) IS 'family of a program by its user agent; the user agent itself is never stored';

-- left() counts the characters of every text, octet_length() reads a number.
CREATE OR REPLACE FUNCTION bcce_data.user_agent_word(user_agent text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $body$
    SELECT CASE WHEN octet_length(user_agent) <= 2000 THEN user_agent ELSE left(user_agent, 2000) END
$body$;
COMMENT ON FUNCTION bcce_data.user_agent_word(text) IS 'a row''s user agent as user_agent_families() takes it: no longer than a family can be told by';

CREATE OR REPLACE FUNCTION bcce_data.user_agent_families(user_agents text[]) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $body$
BEGIN
    RETURN (SELECT jsonb_object_agg(u.user_agent, bcce_data.user_agent_family(u.user_agent))
            FROM unnest(user_agents) AS u (user_agent) WHERE u.user_agent IS NOT NULL);
END
$body$;
COMMENT ON FUNCTION bcce_data.user_agent_families(text[]) IS 'families by user agent: programs are few and their families slow to tell';

CREATE OR REPLACE FUNCTION bcce_data.event_rows(events bcce_data.given_event[], faults text[])
RETURNS TABLE (tenant_id uuid, source text, idempotency_key text, occurred_at timestamptz, event_type text, guest_key text,
    guest_type text, user_key text, session_id text, service_id text, ip_prefix inet, user_agent_family text, properties jsonb, is_test boolean)
LANGUAGE sql STABLE AS $body$
    SELECT e.tenant_id, e.source,
        coalesce(e.idempotency_key, bcce.pseudonym(ROW(e.event_type, e.guest_id, e.guest_type, e.user_id, e.session_id, e.service_id,
                                                       e.ip, e.user_agent_family, e.properties)::text, 'content', e.tenant_id)),
        e.occurred_at, e.event_type, e.guest_id, e.guest_type, e.user_id, e.session_id, e.service_id, e.ip,
        e.user_agent_family, e.properties, e.is_test
    FROM (
        SELECT r.tenant_id, coalesce(r.source, 'api') AS source, nullif(r.idempotency_key, '') AS idempotency_key, r.occurred_at,
               r.event_type, nullif(r.guest_id, '') AS guest_id, r.guest_type, nullif(r.user_id, '') AS user_id,
               nullif(r.session_id, '') AS session_id, bcce_data.key_text(r.tenant_id, nullif(r.service_id, '')) AS service_id,
               r.ip, r.user_agent_family, r.properties, coalesce(r.is_test, false) AS is_test
        FROM ROWS FROM (unnest(events), unnest(faults)) AS r
        WHERE r.unnest IS NULL OFFSET 0) AS e
$body$;
COMMENT ON FUNCTION bcce_data.event_rows(bcce_data.given_event[], text[]) IS 'the events without a fault as bcce_data.events takes them';

DROP FUNCTION IF EXISTS bcce_data.put_events(bcce_data.given_event[]);
CREATE OR REPLACE FUNCTION bcce_data.put_events(events bcce_data.given_event[], all_new boolean, OUT faults text[], OUT stored bigint)
LANGUAGE plpgsql VOLATILE AS $body$
BEGIN
    SELECT array_agg(coalesce(e.fault, CASE
        WHEN e.event_type IS NULL OR e.event_type = '' THEN 'no_event_type'
        -- A tag may be longer than what it stands for.
        WHEN length(e.event_type) > 100 OR length(bcce.redact_for(e.tenant_id, e.event_type)) > 100
             OR greatest(length(e.idempotency_key), length(e.session_id), length(e.service_id), length(e.source)) > 256 THEN 'key_too_long'
        WHEN e.occurred_at IS NULL THEN 'missing_time'
        ELSE bcce_data.time_fault(e.occurred_at)
    END)) INTO faults
    FROM unnest(events) AS e;

    PERFORM bcce_data.mention_services(array_agg(m.tenant_id), array_agg(m.service_id)) FROM (
        SELECT DISTINCT (g.event).tenant_id, nullif((g.event).service_id, '') AS service_id
        FROM (SELECT unnest(events) AS event, unnest(faults) AS fault) AS g WHERE g.fault IS NULL) AS m;

    -- In the order of the keys, so that two writers wait for each other
    -- instead of deadlocking.
    IF all_new THEN
        INSERT INTO bcce_data.events (tenant_id, source, idempotency_key, occurred_at, event_type, guest_key, guest_type, user_key,
            session_id, service_id, ip_prefix, user_agent_family, properties, is_test)
        SELECT e.* FROM bcce_data.event_rows(events, faults) AS e ORDER BY e.tenant_id, e.idempotency_key COLLATE "C";
    ELSE
        INSERT INTO bcce_data.events (tenant_id, source, idempotency_key, occurred_at, event_type, guest_key, guest_type, user_key,
            session_id, service_id, ip_prefix, user_agent_family, properties, is_test)
        SELECT e.* FROM bcce_data.event_rows(events, faults) AS e ORDER BY e.tenant_id, e.idempotency_key COLLATE "C"
        ON CONFLICT DO NOTHING;
    END IF;
    GET DIAGNOSTICS stored = ROW_COUNT;
END
$body$;
COMMENT ON FUNCTION bcce_data.put_events(bcce_data.given_event[], boolean) IS 'stores events once each; returns the reason of each that is refused, and how many were not known; all_new: error 23505 if one is known, for less work';

CREATE OR REPLACE FUNCTION bcce_data.events_of_json(documents jsonb[], tenant text) RETURNS bcce_data.given_event[]
LANGUAGE plpgsql STABLE AS $body$
DECLARE
    known CONSTANT text[] := ARRAY['tenant', 'inbox', 'event_type', 'type', 'occurred_at', 'timestamp', 'guest_id', 'guest_type', 'segment',
        'user_id', 'session_id', 'service_id', 'ip', 'user_agent', 'idempotency_key', 'event_id', 'source', 'is_test', 'properties'];
    tenants jsonb := bcce_data.resolve_tenants(ARRAY(
        SELECT DISTINCT bcce_data.tenant_word(coalesce(events_of_json.tenant, d.document ->> 'tenant')) FROM unnest(documents) AS d (document)));
    families jsonb := bcce_data.user_agent_families(ARRAY(
        SELECT DISTINCT bcce_data.user_agent_word(d.document ->> 'user_agent') FROM unnest(documents) AS d (document)));
BEGIN
    RETURN (
        SELECT array_agg(ROW(
            g.tenant_id::uuid,
            CASE
                WHEN jsonb_typeof(g.document) IS DISTINCT FROM 'object' THEN 'not_an_object'
                WHEN g.tenant_id IS NULL THEN 'unknown_tenant'
                WHEN g.time_text IS NOT NULL AND bcce.try_timestamptz(g.time_text) IS NULL THEN 'bad_time'
                WHEN g.ip_text <> '' AND g.ip IS NULL THEN 'bad_address'
                WHEN g.test_text <> '' AND bcce.try_boolean(g.test_text) IS NULL THEN 'bad_boolean'
            END,
            coalesce(g.document ->> 'event_type', g.document ->> 'type'),
            CASE WHEN g.time_text IS NULL THEN statement_timestamp() ELSE bcce.try_timestamptz(g.time_text) END,
            g.document ->> 'guest_id', coalesce(g.document ->> 'guest_type', g.document ->> 'segment'), g.document ->> 'user_id',
            g.document ->> 'session_id', g.document ->> 'service_id', g.ip,
            families ->> bcce_data.user_agent_word(g.document ->> 'user_agent'),
            -- What has no column of its own is kept beside the properties.
            CASE WHEN jsonb_typeof(g.document) = 'object' THEN nullif(
                (g.document - known) || CASE jsonb_typeof(g.document -> 'properties')
                    WHEN 'object' THEN g.document -> 'properties'
                    WHEN 'null' THEN '{}'
                    ELSE CASE WHEN g.document ? 'properties' THEN jsonb_build_object('properties', g.document -> 'properties') ELSE '{}' END
                END, '{}') END,
            coalesce(g.document ->> 'idempotency_key', g.document ->> 'event_id'),
            g.document ->> 'source',
            bcce.try_boolean(g.test_text)
        )::bcce_data.given_event)
        FROM (
            SELECT d.document, tenants ->> bcce_data.tenant_word(coalesce(events_of_json.tenant, d.document ->> 'tenant')) AS tenant_id,
                   coalesce(d.document ->> 'occurred_at', d.document ->> 'timestamp') AS time_text, d.document ->> 'ip' AS ip_text,
                   bcce.try_inet(d.document ->> 'ip') AS ip, d.document ->> 'is_test' AS test_text
            FROM unnest(documents) AS d (document) OFFSET 0) AS g);
END
$body$;
COMMENT ON FUNCTION bcce_data.events_of_json(jsonb[], text) IS 'events given as JSON objects; tenant, where given, goes before that of an object';

CREATE OR REPLACE FUNCTION bcce.ingest_event(event jsonb, tenant text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET work_mem = '256MB' AS $body$
DECLARE
    outcome record;
BEGIN
    outcome := bcce_data.put_events(bcce_data.events_of_json(ARRAY[event], tenant), false);
    PERFORM bcce_data.refuse_any(outcome.faults);
    RETURN CASE outcome.stored WHEN 1 THEN 'stored' ELSE 'duplicate' END;
END
$body$;
COMMENT ON FUNCTION bcce.ingest_event(jsonb, text) IS
'Stores one event given as a JSON object: event_type, occurred_at (default now), guest_id, guest_type, user_id, session_id, service_id, ip, user_agent, idempotency_key, source, is_test, properties; other members join the properties. People become pseudonyms, the address its network, the user agent its family; text is redacted. Returns stored or duplicate. Errors: P0002 tenant not found, 22004 no type, 22007 unreadable time, 22P02 unreadable address, 22023 not an object.';

CREATE OR REPLACE FUNCTION bcce.ingest_events(
    events jsonb, tenant text DEFAULT NULL, OUT stored bigint, OUT duplicates bigint, OUT rejected bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET work_mem = '256MB' AS $body$
DECLARE
    given bcce_data.given_event[];
    faults text[];
BEGIN
    IF jsonb_typeof(events) IS DISTINCT FROM 'array' THEN
        PERFORM bcce_data.refuse('not_an_object');
    END IF;
    given := bcce_data.events_of_json(ARRAY(SELECT jsonb_array_elements(events)), tenant);
    SELECT p.faults, p.stored INTO faults, stored FROM bcce_data.put_events(given, false) p;
    rejected := cardinality(faults) - cardinality(array_positions(faults, NULL));
    duplicates := cardinality(faults) - rejected - stored;
    PERFORM bcce_data.reject('ingest_events', array_agg((g.event).tenant_id), array_agg(g.fault), array_agg((g.event).idempotency_key))
    FROM (SELECT unnest(given) AS event, unnest(faults) AS fault) AS g WHERE g.fault IS NOT NULL;
END
$body$;
COMMENT ON FUNCTION bcce.ingest_events(jsonb, text) IS
'Stores an array of events as ingest_event() does and returns how many were stored, known already and refused. A bad event is counted in bcce.rejected and does not stop the others. Errors: 22023 not an array.';

CREATE OR REPLACE VIEW bcce.inbox_events WITH (security_invoker = true) AS
SELECT NULL::text AS tenant, NULL::text AS event_id, NULL::text AS event_type, NULL::text AS occurred_at, NULL::text AS guest_id,
       NULL::text AS guest_type, NULL::text AS user_id, NULL::text AS session_id, NULL::text AS service_id, NULL::text AS ip,
       NULL::text AS user_agent, NULL::text AS properties, NULL::text AS source, NULL::text AS is_test
WHERE false;
COMMENT ON VIEW bcce.inbox_events IS 'Write-only: INSERT or COPY events here, all columns text, properties a JSON object; the same event_id at the same time is stored once. Bad rows are counted in bcce.rejected.';

CREATE OR REPLACE FUNCTION bcce_data.inbox_events() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET work_mem = '256MB' AS $body$
DECLARE
    tenants jsonb := bcce_data.resolve_tenants(ARRAY(SELECT DISTINCT bcce_data.tenant_word(b.tenant) FROM batch b));
    families jsonb := bcce_data.user_agent_families(ARRAY(SELECT DISTINCT bcce_data.user_agent_word(b.user_agent) FROM batch b));
    events bcce_data.given_event[];
    faults text[];
BEGIN
    SELECT array_agg(ROW(
        g.tenant_id::uuid,
        CASE
            WHEN g.tenant_id IS NULL THEN 'unknown_tenant'
            WHEN g.occurred_at <> '' AND g.occurred IS NULL THEN 'bad_time'
            WHEN g.ip <> '' AND g.address IS NULL THEN 'bad_address'
            WHEN g.properties <> '' AND g.document IS NULL THEN 'bad_json'
            WHEN jsonb_typeof(g.document) <> 'object' THEN 'not_an_object'
            WHEN g.is_test <> '' AND bcce.try_boolean(g.is_test) IS NULL THEN 'bad_boolean'
        END,
        g.event_type, g.occurred, g.guest_id, nullif(g.guest_type, ''), g.user_id, g.session_id, g.service_id, g.address,
        families ->> bcce_data.user_agent_word(g.user_agent), g.document, nullif(g.event_id, ''), nullif(g.source, ''),
        bcce.try_boolean(g.is_test)
    )::bcce_data.given_event) INTO events
    FROM (
        SELECT b.*, tenants ->> bcce_data.tenant_word(b.tenant) AS tenant_id, bcce.try_timestamptz(b.occurred_at) AS occurred,
               bcce.try_inet(b.ip) AS address, bcce.try_jsonb(b.properties) AS document
        FROM batch b OFFSET 0) AS g;
    faults := (bcce_data.put_events(events, TG_ARGV[0] = 'new')).faults;
    PERFORM bcce_data.reject('inbox_events', array_agg((g.event).tenant_id), array_agg(g.fault), array_agg((g.event).idempotency_key))
    FROM (SELECT unnest(events) AS event, unnest(faults) AS fault) AS g WHERE g.fault IS NOT NULL;
    RETURN NULL;
END
$body$;
COMMENT ON FUNCTION bcce_data.inbox_events() IS 'stores or refuses the rows of bcce.inbox_events';
