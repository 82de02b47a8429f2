-- Telemetry of Claude Code: OpenTelemetry's export requests as JSON.  Events of
-- the type api_request are calls; the counters of tokens and cost are kept to
-- check the calls by.  Everything else is left out, people become pseudonyms.
CREATE OR REPLACE FUNCTION bcce_data.otlp_attributes(attributes jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $body$
    SELECT coalesce(jsonb_object_agg(a.item ->> 'key', coalesce(a.item #> '{value,stringValue}', a.item #> '{value,intValue}', a.item #> '{value,doubleValue}', a.item #> '{value,boolValue}'))
        FILTER (WHERE a.item ->> 'key' IS NOT NULL), '{}')
    FROM jsonb_array_elements(CASE jsonb_typeof(attributes) WHEN 'array' THEN attributes ELSE '[]' END) AS a (item)
$body$;
COMMENT ON FUNCTION bcce_data.otlp_attributes(jsonb) IS 'attributes of OpenTelemetry as an object; numbers may be strings there';

-- What is listed is an array, and nothing else is.
CREATE OR REPLACE FUNCTION bcce_data.otlp_items(document jsonb, member text) RETURNS SETOF jsonb
LANGUAGE sql IMMUTABLE AS $body$
    SELECT jsonb_array_elements(CASE jsonb_typeof(document -> member) WHEN 'array' THEN document -> member ELSE '[]' END)
$body$;
COMMENT ON FUNCTION bcce_data.otlp_items(jsonb, text) IS 'the elements of a list in a document, none where it is no list';

CREATE OR REPLACE FUNCTION bcce_data.otlp_time(nanoseconds text) RETURNS timestamptz
LANGUAGE sql IMMUTABLE AS $body$
    SELECT CASE WHEN bcce.try_bigint(nanoseconds) BETWEEN 0 AND 7289654400000000000
        THEN timestamptz 'epoch' + (bcce.try_bigint(nanoseconds) / 1000) * interval '1 microsecond' END
$body$;
COMMENT ON FUNCTION bcce_data.otlp_time(text) IS 'an instant from nanoseconds since 1970, cut to microseconds';

CREATE OR REPLACE FUNCTION bcce_data.otlp_person(attributes jsonb) RETURNS text
LANGUAGE sql IMMUTABLE AS $body$
    SELECT coalesce(nullif(btrim(attributes ->> 'user.email'), ''), nullif(attributes ->> 'user.account_uuid', ''), nullif(attributes ->> 'user.account_id', ''), nullif(attributes ->> 'user.id', ''))
$body$;
COMMENT ON FUNCTION bcce_data.otlp_person(jsonb) IS 'who made a call, to be turned into a pseudonym: the address, as loaders of transcripts know people by it, else the account, else the installation';

CREATE OR REPLACE FUNCTION bcce_data.event_request(a jsonb, resource jsonb, event_at timestamptz) RETURNS bcce_data.given_model_request
LANGUAGE plpgsql IMMUTABLE AS $body$
DECLARE
    r bcce_data.given_model_request;
BEGIN
    r.told_by := 2;
    r.request_id := nullif(a ->> 'request_id', '');
    r.at := coalesce(bcce.try_timestamptz(a ->> 'event.timestamp'), event_at);
    r.counted_at := r.at;
    -- Collectors that group records move what they share to the resource.
    r.session_id := coalesce(nullif(a ->> 'session.id', ''), nullif(resource ->> 'session.id', ''));
    -- A session that is resumed keeps its id and counts its events from the start again.
    r.other_key := coalesce('creq:' || nullif(a ->> 'client_request_id', ''), 'evt:' || r.session_id || ':' || (a ->> 'event.sequence') || ':' || extract(epoch FROM r.at));
    r.user_id := bcce_data.otlp_person(resource || a);
    r.team_id := coalesce(nullif(resource ->> 'team.id', ''), nullif(a ->> 'team.id', ''));
    r.model_id := nullif(a ->> 'model', '');
    r.input_tokens := bcce_data.told_count(a ->> 'input_tokens');
    r.output_tokens := bcce_data.told_count(a ->> 'output_tokens');
    r.cache_read_tokens := bcce_data.told_count(a ->> 'cache_read_tokens');
    -- Telemetry does not say how long cache writes live.
    r.cache_write_5m_tokens := bcce_data.told_count(a ->> 'cache_creation_tokens');
    r.ttl_assumed := coalesce(r.cache_write_5m_tokens > 0, false);
    r.speed := CASE WHEN a ->> 'speed' = 'fast' THEN 'fast' WHEN a ->> 'speed' IN ('', 'normal') THEN NULL ELSE a ->> 'speed' END;
    r.client_cost_usd := coalesce(bcce.try_bigint(a ->> 'cost_usd_micros')::numeric / 1000000, bcce.try_numeric(a ->> 'cost_usd'));
    r.run_id := nullif(a ->> 'workflow.run_id', '');
    r.query_source := nullif(a ->> 'query_source', '');
    r.agent_name := nullif(a ->> 'agent.name', '');
    -- Of a duration nothing hangs: one that cannot be is not known.
    r.latency_ms := bcce.try_float8(a ->> 'duration_ms');
    r.latency_ms := CASE WHEN r.latency_ms BETWEEN 0 AND 1e15 THEN r.latency_ms END;
    RETURN r;
END
$body$;
COMMENT ON FUNCTION bcce_data.event_request(jsonb, jsonb, timestamptz) IS 'what an api_request event tells of a call, by an allow-list of its attributes';

-- Points of claude_code.token.usage and claude_code.cost.usage.
CREATE OR REPLACE FUNCTION bcce_data.put_counters(target uuid, payload jsonb, OUT stored bigint, OUT refused bigint)
LANGUAGE plpgsql VOLATILE AS $body$
BEGIN
    WITH point AS (
        SELECT m.item ->> 'name' AS name, bcce_data.otlp_attributes(p.item -> 'attributes') AS a, bcce_data.otlp_attributes(r.item #> '{resource,attributes}') AS resource,
            bcce_data.otlp_time(p.item ->> 'startTimeUnixNano') AS started_at, bcce_data.otlp_time(p.item ->> 'timeUnixNano') AS at,
            coalesce(bcce.try_numeric(p.item ->> 'asInt'), bcce.try_numeric(p.item ->> 'asDouble')) AS value,
            m.item #>> '{sum,aggregationTemporality}' IN ('2', 'AGGREGATION_TEMPORALITY_CUMULATIVE') AS is_cumulative
        FROM bcce_data.otlp_items(payload, 'resourceMetrics') AS r (item)
        CROSS JOIN LATERAL bcce_data.otlp_items(r.item, 'scopeMetrics') AS s (item)
        CROSS JOIN LATERAL bcce_data.otlp_items(s.item, 'metrics') AS m (item)
        CROSS JOIN LATERAL bcce_data.otlp_items(m.item -> 'sum', 'dataPoints') AS p (item)
        WHERE m.item ->> 'name' IN ('claude_code.token.usage', 'claude_code.cost.usage')
    ),
    sound AS (
        SELECT p.*, p.started_at IS NOT NULL AND p.at IS NOT NULL AND p.value >= 0 AND p.value <= 1e15 AND bcce_data.time_fault(p.at) IS NULL AS is_sound FROM point AS p
    ),
    made AS (
        INSERT INTO bcce_data.model_usage_counters (tenant_id, series_key, started_at, at, metric, token_class, model_id, user_key, session_id, value, is_cumulative)
        SELECT target, k.series_key, k.started_at, k.at,
            CASE k.name WHEN 'claude_code.token.usage' THEN 'tokens' ELSE 'cost_usd' END,
            CASE k.a ->> 'type' WHEN 'input' THEN 'input' WHEN 'output' THEN 'output' WHEN 'cacheRead' THEN 'cache_read' WHEN 'cacheCreation' THEN 'cache_write' END,
            k.a ->> 'model', bcce_data.otlp_person(k.resource || k.a), coalesce(nullif(k.a ->> 'session.id', ''), nullif(k.resource ->> 'session.id', '')), k.value, k.is_cumulative
        FROM (SELECT p.*, bcce.pseudonym(ROW(p.name, p.a, p.resource)::text, 'series', target) AS series_key FROM sound AS p WHERE p.is_sound) AS k
        ORDER BY k.series_key COLLATE "C", k.started_at, k.at
        ON CONFLICT DO NOTHING RETURNING 1
    )
    SELECT (SELECT count(*) FROM made), (SELECT count(*) FROM sound AS p WHERE p.is_sound IS NOT TRUE) INTO stored, refused;
END
$body$;
COMMENT ON FUNCTION bcce_data.put_counters(uuid, jsonb) IS 'stores the points of the token and cost counters of an export, each once';

CREATE OR REPLACE FUNCTION bcce.ingest_otlp(payload jsonb, tenant text DEFAULT NULL, source text DEFAULT 'otlp',
    OUT events bigint, OUT calls bigint, OUT added bigint, OUT changed bigint, OUT points bigint, OUT ignored bigint, OUT refused bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET work_mem = '256MB' AS $body$
DECLARE
    target uuid := bcce_data.writable_tenant(tenant);
    requests bcce_data.given_model_request[];
    faults text[];
    counters record;
BEGIN
    SELECT count(*), count(*) FILTER (WHERE l.is_call), array_agg(bcce_data.event_request(l.a, l.resource, l.at)) FILTER (WHERE l.is_call)
    INTO events, calls, requests
    FROM (
        SELECT e.a, e.resource, e.at, (e.a ->> 'event.name' = 'api_request' OR e.body = 'claude_code.api_request') IS TRUE AS is_call
        FROM (
            SELECT bcce_data.otlp_attributes(l.item -> 'attributes') AS a, bcce_data.otlp_attributes(r.item #> '{resource,attributes}') AS resource,
                coalesce(bcce_data.otlp_time(l.item ->> 'timeUnixNano'), bcce_data.otlp_time(l.item ->> 'observedTimeUnixNano')) AS at, l.item #>> '{body,stringValue}' AS body
            FROM bcce_data.otlp_items(payload, 'resourceLogs') AS r (item)
            CROSS JOIN LATERAL bcce_data.otlp_items(r.item, 'scopeLogs') AS s (item)
            CROSS JOIN LATERAL bcce_data.otlp_items(s.item, 'logRecords') AS l (item)
        ) AS e
    ) AS l;
    SELECT array_agg(g.r) FILTER (WHERE g.fault IS NULL), array_agg(g.fault) FILTER (WHERE g.fault IS NOT NULL) INTO requests, faults
    FROM (SELECT r, bcce_data.request_fault(r) AS fault FROM unnest(requests) AS r) AS g;
    PERFORM bcce_data.reject('telemetry', array_fill(target, ARRAY[cardinality(faults)]), faults, NULL) WHERE faults IS NOT NULL;
    SELECT p.added, p.changed INTO added, changed FROM bcce_data.put_model_requests(target, requests, left(coalesce(nullif(source, ''), 'otlp'), 256)) AS p;
    counters := bcce_data.put_counters(target, payload);
    PERFORM bcce_data.reject('telemetry', array_fill(target, ARRAY[counters.refused::integer]), array_fill('bad_number'::text, ARRAY[counters.refused::integer]), NULL)
    WHERE counters.refused > 0;
    points := counters.stored;
    ignored := events - calls;
    refused := coalesce(cardinality(faults), 0) + counters.refused;
END
$body$;
COMMENT ON FUNCTION bcce.ingest_otlp(jsonb, text, text) IS
'Stores what Claude Code exports by OpenTelemetry (one export request in OTLP/JSON, logs or metrics, or both): events of API requests as calls of language models, one row for each call whether a transcript tells of it too or not, and the points of the token and cost counters, each once. Says how many events there were, how many told of a call, how many calls are new or changed, how many points are new, how many events were of other kinds, and how many were refused (counted in bcce.rejected). People become pseudonyms; prompts, tool input and the like are never stored. Error P0002: tenant not found.';
