-- Events of guests and users, one JSON object each.
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

CREATE OR REPLACE FUNCTION bcce_data.put_event(event bcce_data.events) RETURNS text
LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    fault text;
BEGIN
    fault := CASE
        WHEN event.event_type IS NULL OR event.event_type = '' THEN 'no_event_type'
        -- A tag may be longer than what it stands for.
        WHEN length(event.event_type) > 100 OR length(bcce.redact(event.event_type)) > 100
             OR greatest(length(event.idempotency_key), length(event.session_id), length(event.service_id), length(event.source)) > 256 THEN 'key_too_long'
        WHEN event.occurred_at IS NULL THEN 'missing_time'
        ELSE bcce_data.time_fault(event.occurred_at)
    END;
    IF fault IS NOT NULL THEN
        RETURN fault;
    END IF;
    event.user_key := nullif(event.user_key, '');
    event.guest_key := nullif(event.guest_key, '');
    event.session_id := nullif(event.session_id, '');
    event.idempotency_key := nullif(event.idempotency_key, '');
    event.service_id := bcce_data.key_text(event.tenant_id, nullif(event.service_id, ''));
    PERFORM bcce_data.mention_service(event.tenant_id, event.service_id);
    INSERT INTO bcce_data.events (tenant_id, source, idempotency_key, occurred_at, event_type, guest_key, guest_type, user_key,
        session_id, service_id, ip_prefix, user_agent_family, properties, is_test)
    VALUES (event.tenant_id, coalesce(event.source, 'api'),
        coalesce(event.idempotency_key, bcce.pseudonym(ROW(event.event_type, event.guest_key, event.guest_type, event.user_key, event.session_id,
                      event.service_id, event.ip_prefix, event.user_agent_family, event.properties)::text, 'content', event.tenant_id)),
        event.occurred_at, event.event_type, event.guest_key, event.guest_type, event.user_key, event.session_id,
        event.service_id, event.ip_prefix, event.user_agent_family, event.properties, coalesce(event.is_test, false))
    ON CONFLICT DO NOTHING;
    RETURN CASE WHEN FOUND THEN NULL ELSE 'duplicate' END;
END
$body$;
COMMENT ON FUNCTION bcce_data.put_event(bcce_data.events) IS 'stores an event once; returns duplicate where it is known, or the reason where it is refused';

CREATE OR REPLACE FUNCTION bcce_data.put_event_object(tenant uuid, document jsonb) RETURNS text
LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    event bcce_data.events;
    known CONSTANT text[] := ARRAY['tenant', 'event_type', 'type', 'occurred_at', 'timestamp', 'guest_id', 'guest_type', 'segment',
        'user_id', 'session_id', 'service_id', 'ip', 'user_agent', 'idempotency_key', 'event_id', 'source', 'is_test', 'properties'];
    time_text text := coalesce(document ->> 'occurred_at', document ->> 'timestamp');
    ip_text text := nullif(document ->> 'ip', '');
    test_text text := nullif(document ->> 'is_test', '');
BEGIN
    IF jsonb_typeof(document) IS DISTINCT FROM 'object' THEN
        RETURN 'not_an_object';
    END IF;
    event.tenant_id := tenant;
    event.event_type := coalesce(document ->> 'event_type', document ->> 'type');
    event.occurred_at := CASE WHEN time_text IS NULL THEN statement_timestamp() ELSE bcce.try_timestamptz(time_text) END;
    event.guest_key := document ->> 'guest_id';
    event.guest_type := coalesce(document ->> 'guest_type', document ->> 'segment');
    event.user_key := document ->> 'user_id';
    event.session_id := document ->> 'session_id';
    event.service_id := document ->> 'service_id';
    event.ip_prefix := bcce.try_inet(ip_text);
    event.user_agent_family := bcce_data.user_agent_family(document ->> 'user_agent');
    event.idempotency_key := coalesce(document ->> 'idempotency_key', document ->> 'event_id');
    event.source := document ->> 'source';
    event.is_test := bcce.try_boolean(test_text);
    -- What has no column of its own is kept beside the properties.
    event.properties := nullif(
        (document - known) || CASE jsonb_typeof(document -> 'properties')
            WHEN 'object' THEN document -> 'properties'
            WHEN 'null' THEN '{}'
            ELSE CASE WHEN document ? 'properties' THEN jsonb_build_object('properties', document -> 'properties') ELSE '{}' END
        END, '{}');
    IF time_text IS NOT NULL AND event.occurred_at IS NULL THEN
        RETURN 'bad_time';
    ELSIF ip_text IS NOT NULL AND event.ip_prefix IS NULL THEN
        RETURN 'bad_address';
    ELSIF test_text IS NOT NULL AND event.is_test IS NULL THEN
        RETURN 'bad_boolean';
    END IF;
    RETURN bcce_data.put_event(event);
END
$body$;
COMMENT ON FUNCTION bcce_data.put_event_object(uuid, jsonb) IS 'stores one event given as a JSON object; returns as put_event()';

CREATE OR REPLACE FUNCTION bcce.ingest_event(event jsonb, tenant text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    target uuid := bcce_data.writable_tenant(coalesce(tenant, event ->> 'tenant'));
    outcome text := bcce_data.put_event_object(target, event);
BEGIN
    IF outcome IS NOT NULL AND outcome <> 'duplicate' THEN
        PERFORM bcce_data.refuse(outcome);
    END IF;
    RETURN coalesce(outcome, 'stored');
END
$body$;
COMMENT ON FUNCTION bcce.ingest_event(jsonb, text) IS
'Stores one event given as a JSON object: event_type, occurred_at (default now), guest_id, guest_type, user_id, session_id, service_id, ip, user_agent, idempotency_key, source, is_test, properties; other members join the properties. People become pseudonyms, the address its network, the user agent its family; text is redacted. Returns stored or duplicate. Errors: P0002 tenant not found, 22004 no type, 22007 unreadable time, 22P02 unreadable address, 22023 not an object.';

CREATE OR REPLACE FUNCTION bcce.ingest_events(
    events jsonb, tenant text DEFAULT NULL, OUT stored bigint, OUT duplicates bigint, OUT rejected bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    event jsonb;
    target uuid;
    outcome text;
BEGIN
    IF jsonb_typeof(events) IS DISTINCT FROM 'array' THEN
        PERFORM bcce_data.refuse('not_an_object');
    END IF;
    stored := 0;
    duplicates := 0;
    rejected := 0;
    FOR event IN SELECT value FROM jsonb_array_elements(events) LOOP
        target := bcce_data.resolve_tenant(coalesce(tenant, event ->> 'tenant'));
        outcome := CASE WHEN target IS NULL THEN 'unknown_tenant' ELSE bcce_data.put_event_object(target, event) END;
        IF outcome IS NULL THEN
            stored := stored + 1;
        ELSIF outcome = 'duplicate' THEN
            duplicates := duplicates + 1;
        ELSE
            rejected := rejected + 1;
            PERFORM bcce_data.reject(target, 'ingest_events', outcome, coalesce(event ->> 'idempotency_key', event ->> 'event_id'));
        END IF;
    END LOOP;
END
$body$;
COMMENT ON FUNCTION bcce.ingest_events(jsonb, text) IS
'Stores an array of events as ingest_event() does and returns how many were stored, known already and refused. A bad event is counted in bcce.rejected and does not stop the others. Errors: 22023 not an array.';
