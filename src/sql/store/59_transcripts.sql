-- Transcripts of Claude Code: JSON lines.  Only what is named here is kept: ids,
-- the model, counts, times and flags; never a message, a prompt, what a tool got
-- or gave, nor a path.
CREATE OR REPLACE FUNCTION bcce_data.transcript_request(line jsonb, user_id text, project text, team_id text) RETURNS bcce_data.given_model_request
LANGUAGE plpgsql IMMUTABLE AS $body$
DECLARE
    message jsonb := line -> 'message';
    usage jsonb := line #> '{message,usage}';
    split jsonb := line #> '{message,usage,cache_creation}';
    r bcce_data.given_model_request;
    writes bigint := bcce_data.told_count(usage ->> 'cache_creation_input_tokens');
    known bigint;
BEGIN
    r.told_by := 1;
    r.message_id := nullif(message ->> 'id', '');
    r.request_id := nullif(line ->> 'requestId', '');
    r.other_key := CASE WHEN r.message_id IS NULL AND r.request_id IS NULL THEN 'uuid:' || nullif(line ->> 'uuid', '') END;
    r.at := bcce.try_timestamptz(line ->> 'timestamp');
    r.counted_at := r.at;
    r.session_id := nullif(line ->> 'sessionId', '');
    -- Of a path only its last part, where the loader does not say.
    r.project := coalesce(project, nullif(regexp_replace(line ->> 'cwd', '^.*[/\\]', ''), ''));
    r.user_id := user_id;
    r.team_id := team_id;
    r.model_id := nullif(message ->> 'model', '');
    r.input_tokens := bcce_data.told_count(usage ->> 'input_tokens');
    r.output_tokens := bcce_data.told_count(usage ->> 'output_tokens');
    r.cache_read_tokens := bcce_data.told_count(usage ->> 'cache_read_input_tokens');
    r.cache_write_5m_tokens := bcce_data.told_count(split ->> 'ephemeral_5m_input_tokens');
    r.cache_write_1h_tokens := bcce_data.told_count(split ->> 'ephemeral_1h_input_tokens');
    -- What is not split lives five minutes as far as anybody knows.
    known := coalesce(r.cache_write_5m_tokens, 0) + coalesce(r.cache_write_1h_tokens, 0);
    r.ttl_assumed := writes <> known;
    IF writes > known THEN
        r.cache_write_5m_tokens := coalesce(r.cache_write_5m_tokens, 0) + writes - known;
    END IF;
    r.ttl_assumed := coalesce(r.ttl_assumed, false);
    r.web_searches := bcce_data.told_count(usage #>> '{server_tool_use,web_search_requests}');
    r.speed := nullif(usage ->> 'speed', '');
    r.inference_geo := nullif(usage ->> 'inference_geo', '');
    r.service_tier := nullif(usage ->> 'service_tier', '');
    r.client_cost_usd := bcce.try_numeric(line ->> 'costUSD');
    r.query_source := CASE WHEN line ->> 'isSidechain' = 'true' THEN 'subagent' END;
    RETURN r;
END
$body$;
COMMENT ON FUNCTION bcce_data.transcript_request(jsonb, text, text, text) IS 'what a line of a transcript tells of a call, by an allow-list of its members';

CREATE OR REPLACE FUNCTION bcce_data.request_fault(r bcce_data.given_model_request) RETURNS text
LANGUAGE sql IMMUTABLE AS $body$
    SELECT CASE
        WHEN (r).model_id = '<synthetic>' THEN NULL
        WHEN (r).model_id IS NULL OR coalesce((r).message_id, (r).request_id, (r).other_key) IS NULL THEN 'missing_id'
        WHEN greatest(length((r).model_id), length((r).message_id), length((r).request_id), length((r).other_key), length((r).session_id),
            length((r).project), length((r).run_id), length((r).team_id)) > 250 THEN 'key_too_long'
        WHEN (r).at IS NULL THEN 'missing_time'
        WHEN least((r).input_tokens, (r).output_tokens, (r).cache_read_tokens, (r).cache_write_5m_tokens, (r).cache_write_1h_tokens, (r).web_searches) < 0
            OR (r).client_cost_usd < 0 THEN 'negative_number'
        WHEN greatest((r).input_tokens, (r).output_tokens, (r).cache_read_tokens, (r).cache_write_5m_tokens, (r).cache_write_1h_tokens, (r).web_searches) > 1e15
            OR (r).client_cost_usd > 1e15 OR (r).client_cost_usd = 'NaN' THEN 'bad_number'
        WHEN coalesce((r).input_tokens, (r).output_tokens) IS NULL THEN 'bad_number'
        ELSE bcce_data.time_fault((r).at)
    END
$body$;
COMMENT ON FUNCTION bcce_data.request_fault(bcce_data.given_model_request) IS 'reason to refuse a record of a call, NULL where there is none';

CREATE OR REPLACE FUNCTION bcce.ingest_transcript(source text, jsonl text, user_id text DEFAULT NULL, project text DEFAULT NULL, team_id text DEFAULT NULL,
    tenant text DEFAULT NULL, OUT lines bigint, OUT call_lines bigint, OUT added bigint, OUT changed bigint, OUT synthetic bigint, OUT refused bigint,
    OUT malformed bigint, OUT malformed_at bigint[])
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET work_mem = '256MB' AS $body$
DECLARE
    target uuid := bcce_data.writable_tenant(tenant);
    documents jsonb[];
    requests bcce_data.given_model_request[];
    faults text[];
    source_name text := left(coalesce(nullif(source, ''), 'transcript'), 256);
BEGIN
    -- A NUL cannot be stored, and it only ever stands in what is not kept.
    SELECT count(*) FILTER (WHERE p.text <> ''), array_agg(p.document ORDER BY p.ordinal) FILTER (WHERE p.document #> '{message,usage}' IS NOT NULL),
        count(*) FILTER (WHERE p.text <> '' AND (p.document IS NULL OR jsonb_typeof(p.document) <> 'object')),
        (array_agg(p.starts_at ORDER BY p.ordinal) FILTER (WHERE p.text <> '' AND (p.document IS NULL OR jsonb_typeof(p.document) <> 'object')))[1:10]
    INTO lines, documents, malformed, malformed_at
    FROM (
        SELECT l.ordinal, btrim(l.line, E' \t\r') AS text,
            sum(octet_length(l.line) + 1) OVER (ORDER BY l.ordinal ROWS UNBOUNDED PRECEDING) - octet_length(l.line) - 1 AS starts_at,
            bcce.try_jsonb(CASE WHEN l.line LIKE '%\\u0000%' THEN replace(l.line, '\u0000', '\ufffd') ELSE l.line END) AS document
        FROM string_to_table(jsonl, E'\n') WITH ORDINALITY AS l (line, ordinal)
    ) AS p;
    call_lines := coalesce(cardinality(documents), 0);

    SELECT array_agg(g.r) FILTER (WHERE g.fault IS NULL AND NOT g.is_synthetic), array_agg(g.fault) FILTER (WHERE g.fault IS NOT NULL AND NOT g.is_synthetic),
        count(*) FILTER (WHERE g.is_synthetic)
    INTO requests, faults, synthetic
    FROM (
        SELECT t.r, bcce_data.request_fault(t.r) AS fault, (t.r).model_id IS NOT DISTINCT FROM '<synthetic>' AS is_synthetic
        FROM (SELECT bcce_data.transcript_request(d.document, nullif(ingest_transcript.user_id, ''), nullif(ingest_transcript.project, ''), nullif(ingest_transcript.team_id, '')) AS r
              FROM unnest(documents) AS d (document) OFFSET 0) AS t OFFSET 0
    ) AS g;
    refused := coalesce(cardinality(faults), 0);
    IF refused > 0 OR malformed > 0 THEN
        faults := faults || array_fill('bad_json'::text, ARRAY[malformed::integer]);
        PERFORM bcce_data.reject('transcript', array_fill(target, ARRAY[cardinality(faults)]), faults, NULL);
    END IF;
    SELECT p.added, p.changed INTO added, changed FROM bcce_data.put_model_requests(target, requests, source_name) AS p;
END
$body$;
COMMENT ON FUNCTION bcce.ingest_transcript(text, text, text, text, text, text) IS
'Stores the calls of language models in a transcript of Claude Code (JSON lines, whole or in part): each call once, however many lines tell of it, whoever loads it, how often and in what order. Keeps ids, model, counts, times and flags, nothing else; user_id becomes a pseudonym; project NULL: the last part of the working directory. Says how many lines there were, how many told of a call, how many calls are new or changed, how many lines were synthetic (made by the client), refused (counted in bcce.rejected) or malformed, and where the first ten malformed lines begin, in bytes. Error P0002: tenant not found.';
