-- Calls of language models as Claude Code tells of them: in transcripts, several
-- lines for one answer, copied when a session is resumed; and in telemetry.  One
-- call is one row, whoever tells of it and in whatever order.
--
-- A call is its message (message.id), else its request, else its line.  Of its
-- lines the one with the most output counts; where it belongs, the earliest says.
DO $do$
BEGIN
    IF to_regtype('bcce_data.given_model_request') IS NULL THEN
        CREATE TYPE bcce_data.given_model_request AS (
            told_by smallint, message_id text, request_id text, other_key text, at timestamptz, counted_at timestamptz, session_id text, project text,
            user_id text, team_id text, model_id text, input_tokens bigint, output_tokens bigint, cache_read_tokens bigint,
            cache_write_5m_tokens bigint, cache_write_1h_tokens bigint, web_searches bigint, speed text, inference_geo text,
            service_tier text, ttl_assumed boolean, client_cost_usd numeric, run_id text, query_source text, agent_name text,
            latency_ms double precision, names text[]);
    ELSIF NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = to_regclass('bcce_data.given_model_request') AND a.attname = 'names' AND NOT a.attisdropped) THEN
        ALTER TYPE bcce_data.given_model_request ADD ATTRIBUTE names text[];
    END IF;
END
$do$;
COMMENT ON TYPE bcce_data.given_model_request IS 'a call of a language model as a line of a transcript or an event of telemetry tells of it';

-- A count that is told and cannot be read must not pass for one that is not told,
-- which costs nothing: it becomes one that request_fault() refuses.  So does
-- what is out of range, near enough to it to be added up.
CREATE OR REPLACE FUNCTION bcce_data.told_count(told text) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $body$
    SELECT CASE WHEN told IS NOT NULL AND btrim(told) <> ''
        THEN least(greatest(coalesce(bcce.try_bigint(told), bcce.try_bigint(trim_scale(bcce.try_numeric(told))::text), 1000000000000001), -1), 1000000000000001) END
$body$;
COMMENT ON FUNCTION bcce_data.told_count(text) IS 'a count as told, also as 100.0 or 1e2; NULL: not told; -1 below zero, 10^15 + 1 above 10^15 or no whole number: refused as a fault';

-- Which record of one call says what it used: a transcript's before an event's,
-- the most output, the one with the split of cache writes, with the speed, the
-- earliest.  The same order whatever came first, so that loading is order-free.
CREATE OR REPLACE FUNCTION bcce_data.count_rank(told_by smallint, output_tokens bigint, ttl_assumed boolean, speed text, counted_at timestamptz,
    input_tokens bigint, cache_read_tokens bigint, cache_write_5m_tokens bigint, cache_write_1h_tokens bigint) RETURNS numeric[]
LANGUAGE sql IMMUTABLE AS $body$
    SELECT ARRAY[told_by & 1, coalesce(output_tokens, -1), (NOT ttl_assumed)::integer, (speed IS NOT NULL)::integer, -extract(epoch FROM counted_at - timestamptz 'epoch'),
        coalesce(input_tokens, -1), coalesce(cache_read_tokens, -1), coalesce(cache_write_5m_tokens, -1), coalesce(cache_write_1h_tokens, -1)]
$body$;
COMMENT ON FUNCTION bcce_data.count_rank(smallint, bigint, boolean, text, timestamptz, bigint, bigint, bigint, bigint) IS 'the larger it is, the more a record of a call says what the call used';

-- The row of a call's own key, locked; made where no name of it is known.
CREATE OR REPLACE FUNCTION bcce_data.claim_call(target uuid, names text[], call_at timestamptz, call_source text, OUT call bcce_data.model_usage_keys, OUT is_new boolean)
LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    known text;
BEGIN
    LOOP
        SELECT k.call_key INTO known FROM bcce_data.model_usage_keys k
        WHERE k.tenant_id = target AND k.request_key = ANY (names)
        ORDER BY array_position(names, k.request_key) LIMIT 1;
        IF FOUND THEN
            SELECT k.* INTO call FROM bcce_data.model_usage_keys k WHERE k.tenant_id = target AND k.request_key = known FOR UPDATE;
            is_new := false;
            RETURN;
        END IF;
        INSERT INTO bcce_data.model_usage_keys AS k (tenant_id, request_key, call_key, source, at)
        VALUES (target, names[1], names[1], call_source, call_at)
        ON CONFLICT DO NOTHING RETURNING k.* INTO call;
        is_new := FOUND;
        EXIT WHEN is_new;
        -- Another writer was first; now it is known.
    END LOOP;
END
$body$;
COMMENT ON FUNCTION bcce_data.claim_call(uuid, text[], timestamptz, text) IS 'finds or makes the key of a call by any of its names, the first its own, and locks it';

-- A record as the store will hold it, so that it can be compared with what is there.
CREATE OR REPLACE FUNCTION bcce_data.normal_request(target uuid, r bcce_data.given_model_request) RETURNS bcce_data.given_model_request
LANGUAGE plpgsql STABLE AS $body$
DECLARE
    names text[] := '{}';
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['msg:' || r.message_id, 'req:' || r.request_id, r.other_key] || r.names LOOP
        name := bcce_data.key_text(target, name);
        IF name IS NOT NULL AND name <> ALL (names) THEN
            names := names || name;
        END IF;
    END LOOP;
    r.names := names;
    r.model_id := bcce_data.key_text(target, r.model_id);
    r.request_id := bcce_data.key_text(target, r.request_id);
    r.session_id := bcce_data.key_text(target, r.session_id);
    r.run_id := bcce_data.key_text(target, r.run_id);
    r.project := bcce_data.key_text(target, r.project);
    r.team_id := bcce_data.key_text(target, r.team_id);
    r.user_id := CASE WHEN r.user_id ~ '^user_[a-z2-7]{26}$' THEN r.user_id ELSE bcce.pseudonym(r.user_id, 'user', target) END;
    r.query_source := bcce.redact(r.query_source);
    r.agent_name := bcce.redact(r.agent_name);
    RETURN r;
END
$body$;
COMMENT ON FUNCTION bcce_data.normal_request(uuid, bcce_data.given_model_request) IS 'a record with its names, and with identifiers and people as the redaction trigger stores them';

CREATE OR REPLACE FUNCTION bcce_data.token_counts(r bcce_data.given_model_request) RETURNS bigint[]
LANGUAGE sql IMMUTABLE AS $body$
    SELECT ARRAY[coalesce((r).input_tokens, 0), coalesce((r).output_tokens, 0), coalesce((r).cache_read_tokens, 0),
        coalesce((r).cache_write_5m_tokens, 0) + coalesce((r).cache_write_1h_tokens, 0)]
$body$;
COMMENT ON FUNCTION bcce_data.token_counts(bcce_data.given_model_request) IS 'input, output, cache reads and cache writes of a record';

-- What a call's row becomes by a further record of it.
CREATE OR REPLACE FUNCTION bcce_data.merge_request(u bcce_data.model_usage, r bcce_data.given_model_request) RETURNS bcce_data.model_usage
LANGUAGE plpgsql IMMUTABLE AS $body$
BEGIN
    IF bcce_data.count_rank(r.told_by, r.output_tokens, r.ttl_assumed, r.speed, r.counted_at, r.input_tokens, r.cache_read_tokens, r.cache_write_5m_tokens, r.cache_write_1h_tokens)
       > bcce_data.count_rank(u.told_by, u.output_tokens, u.ttl_assumed, u.speed, u.counted_at, u.input_tokens, u.cache_read_tokens, u.cache_write_5m_tokens, u.cache_write_1h_tokens) THEN
        u.model_id := r.model_id; u.input_tokens := r.input_tokens; u.output_tokens := r.output_tokens; u.cache_read_tokens := r.cache_read_tokens;
        u.cache_write_5m_tokens := r.cache_write_5m_tokens; u.cache_write_1h_tokens := r.cache_write_1h_tokens; u.web_searches := r.web_searches;
        u.speed := r.speed; u.inference_geo := r.inference_geo; u.service_tier := r.service_tier; u.ttl_assumed := r.ttl_assumed; u.counted_at := r.counted_at;
    END IF;
    -- Where it belongs: as the earliest record of a transcript says, else an
    -- event; of copies with one time the first by name.
    IF (-(r.told_by & 1), r.at, coalesce(r.session_id, '') COLLATE "C", coalesce(r.project, '') COLLATE "C", coalesce(r.user_id, '') COLLATE "C", coalesce(r.team_id, '') COLLATE "C")
       < (-(u.told_by & 1), u.at, coalesce(u.session_id, '') COLLATE "C", coalesce(u.project, '') COLLATE "C", coalesce(u.user_key, '') COLLATE "C", coalesce(u.team_id, '') COLLATE "C") THEN
        u.at := r.at; u.session_id := coalesce(r.session_id, u.session_id); u.project := coalesce(r.project, u.project);
        u.user_key := coalesce(r.user_id, u.user_key); u.team_id := coalesce(r.team_id, u.team_id); u.request_id := coalesce(r.request_id, u.request_id);
    END IF;
    u.session_id := coalesce(u.session_id, r.session_id); u.project := coalesce(u.project, r.project); u.user_key := coalesce(u.user_key, r.user_id);
    u.team_id := coalesce(u.team_id, r.team_id); u.run_id := coalesce(u.run_id, r.run_id); u.request_id := coalesce(u.request_id, r.request_id);
    u.query_source := coalesce(u.query_source, r.query_source); u.agent_name := coalesce(u.agent_name, r.agent_name);
    u.latency_ms := coalesce(u.latency_ms, r.latency_ms); u.client_cost_usd := greatest(u.client_cost_usd, r.client_cost_usd);
    IF r.told_by & 2 = 2 THEN
        u.event_tokens := coalesce(u.event_tokens, bcce_data.token_counts(r));
    END IF;
    u.told_by := u.told_by | r.told_by;
    RETURN u;
END
$body$;
COMMENT ON FUNCTION bcce_data.merge_request(bcce_data.model_usage, bcce_data.given_model_request) IS 'the row of a call after a further record of it, the same whatever came first';

-- Bedrock gives requests no id: then an event and a transcript tell of the same
-- call if model and all counts agree, and the session too or else the second: a
-- resumed session is copied under another name.  The key of the nearest row.
CREATE OR REPLACE FUNCTION bcce_data.twin_call(target uuid, twin_told_by smallint, call_at timestamptz, session text, model text, counts bigint[]) RETURNS text
LANGUAGE sql STABLE AS $body$
    SELECT c.idempotency_key FROM bcce_data.model_usage c
    WHERE c.tenant_id = target AND c.at >= call_at - interval '1 hour' AND c.at < call_at + interval '1 hour'
      AND (c.session_id = session OR abs(extract(epoch FROM c.at - call_at)) < 2)
      AND c.told_by = twin_told_by AND c.request_id IS NULL AND c.model_id = model
      AND counts = ARRAY[coalesce(c.input_tokens, 0), coalesce(c.output_tokens, 0), coalesce(c.cache_read_tokens, 0), coalesce(c.cache_write_5m_tokens, 0) + coalesce(c.cache_write_1h_tokens, 0)]
    ORDER BY abs(extract(epoch FROM c.at - call_at)), c.at, c.idempotency_key COLLATE "C" LIMIT 1
$body$;
COMMENT ON FUNCTION bcce_data.twin_call(uuid, smallint, timestamptz, text, text, bigint[]) IS 'the call that another kind of source told of, without an id of its request, with the same model and counts, and the same session or at the same time';

-- A transcript's call takes in the event that was stored for it before.
CREATE OR REPLACE FUNCTION bcce_data.absorb_event(target uuid, call bcce_data.model_usage_keys, r bcce_data.given_model_request) RETURNS void
LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    twin text := bcce_data.twin_call(target, 2::smallint, r.at, r.session_id, r.model_id, bcce_data.token_counts(r));
    event bcce_data.model_usage;
BEGIN
    IF twin IS NULL THEN
        RETURN;
    END IF;
    DELETE FROM bcce_data.model_usage c USING bcce_data.model_usage_keys k
    WHERE k.tenant_id = target AND k.request_key = twin AND c.tenant_id = target AND c.source = k.source AND c.idempotency_key = twin AND c.at = k.at
    RETURNING c.* INTO event;
    IF event.tenant_id IS NULL THEN
        RETURN;
    END IF;
    UPDATE bcce_data.model_usage_keys k SET call_key = call.call_key, source = NULL, at = NULL WHERE k.tenant_id = target AND k.request_key = twin;
    UPDATE bcce_data.model_usage c
    SET told_by = c.told_by | 2, event_tokens = event.event_tokens, run_id = coalesce(c.run_id, event.run_id), user_key = coalesce(c.user_key, event.user_key),
        team_id = coalesce(c.team_id, event.team_id), query_source = coalesce(c.query_source, event.query_source), agent_name = coalesce(c.agent_name, event.agent_name),
        latency_ms = coalesce(c.latency_ms, event.latency_ms), client_cost_usd = greatest(c.client_cost_usd, event.client_cost_usd)
    FROM bcce_data.model_usage_keys k
    WHERE k.tenant_id = target AND k.request_key = call.call_key AND c.tenant_id = target AND c.source = k.source AND c.idempotency_key = k.request_key AND c.at = k.at;
END
$body$;
COMMENT ON FUNCTION bcce_data.absorb_event(uuid, bcce_data.model_usage_keys, bcce_data.given_model_request) IS 'joins the row of a telemetry event without an id of its request with the transcript''s row of the same call';

-- The rows of calls that nobody has told of, with their names.
CREATE OR REPLACE FUNCTION bcce_data.insert_calls(target uuid, calls bcce_data.given_model_request[], call_source text) RETURNS bigint
LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    made bigint;
BEGIN
    INSERT INTO bcce_data.model_usage (tenant_id, source, idempotency_key, at, model_id, provider, user_key, session_id, run_id, request_id,
        project, team_id, query_source, agent_name, input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
        web_searches, speed, inference_geo, service_tier, latency_ms, client_cost_usd, counted_at, ttl_assumed, told_by, event_tokens, charged_usd, priced_at)
    SELECT target, call_source, r.names[1], r.at, r.model_id, 'anthropic', r.user_id, r.session_id, r.run_id, r.request_id,
        r.project, r.team_id, r.query_source, r.agent_name, r.input_tokens, r.output_tokens, r.cache_read_tokens, r.cache_write_5m_tokens, r.cache_write_1h_tokens,
        r.web_searches, r.speed, r.inference_geo, r.service_tier, r.latency_ms, r.client_cost_usd, r.counted_at, r.ttl_assumed, r.told_by,
        CASE WHEN r.told_by & 2 = 2 THEN bcce_data.token_counts(r) END,
        cost.usd, CASE WHEN cost.usd IS NOT NULL THEN now() END
    FROM unnest(calls) AS r
    CROSS JOIN LATERAL (SELECT bcce.estimate_token_cost(r.model_id, r.at, r.input_tokens, r.output_tokens, r.cache_read_tokens, r.cache_write_5m_tokens,
        r.cache_write_1h_tokens, r.web_searches, r.speed, r.inference_geo, r.service_tier, target) AS usd OFFSET 0) AS cost
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS made = ROW_COUNT;
    RETURN made;
END
$body$;
COMMENT ON FUNCTION bcce_data.insert_calls(uuid, bcce_data.given_model_request[], text) IS 'stores the rows of calls whose keys are made';

-- Stores one call, or what a further record of it says.  True: new; false: changed; NULL: nothing new.
CREATE OR REPLACE FUNCTION bcce_data.put_model_request(target uuid, given bcce_data.given_model_request, call_source text) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    r bcce_data.given_model_request := given;
    names text[] := r.names;
    claimed record;
    u bcce_data.model_usage;
    old bcce_data.model_usage;
BEGIN
    IF r.told_by = 2 AND r.request_id IS NULL AND NOT EXISTS (SELECT FROM bcce_data.model_usage_keys k WHERE k.tenant_id = target AND k.request_key = ANY (names)) THEN
        names := bcce_data.twin_call(target, 1::smallint, r.at, r.session_id, r.model_id, bcce_data.token_counts(r)) || names;
        names := array_remove(names, NULL);
    END IF;
    -- A message is a call of its own, but where an event of its request came first.
    claimed := bcce_data.claim_call(target, CASE WHEN r.message_id IS NULL THEN names ELSE names[1:1] END, r.at, call_source);
    IF claimed.is_new AND r.message_id IS NOT NULL AND r.request_id IS NOT NULL THEN
        SELECT c.* INTO u FROM bcce_data.model_usage_keys k
        JOIN bcce_data.model_usage_keys o ON o.tenant_id = k.tenant_id AND o.request_key = k.call_key
        JOIN bcce_data.model_usage c ON c.tenant_id = o.tenant_id AND c.source = o.source AND c.idempotency_key = o.call_key AND c.at = o.at
        WHERE k.tenant_id = target AND k.request_key = ANY (names[2:]) AND c.told_by & 1 = 0
        ORDER BY array_position(names, k.request_key) LIMIT 1;
        IF FOUND THEN
            UPDATE bcce_data.model_usage_keys k SET call_key = u.idempotency_key, source = NULL, at = NULL
            WHERE k.tenant_id = target AND k.request_key = names[1];
            claimed := bcce_data.claim_call(target, ARRAY[u.idempotency_key], r.at, call_source);
        END IF;
    END IF;
    INSERT INTO bcce_data.model_usage_keys (tenant_id, request_key, call_key)
    SELECT target, n.name, (claimed.call).call_key FROM unnest(names[2:]) AS n (name)
    WHERE NOT EXISTS (SELECT FROM bcce_data.model_usage_keys k WHERE k.tenant_id = target AND k.request_key = n.name)
    ON CONFLICT DO NOTHING;

    IF claimed.is_new THEN
        r.names := ARRAY[(claimed.call).call_key];
        PERFORM bcce_data.insert_calls(target, ARRAY[r], call_source);
        IF r.told_by = 1 AND r.request_id IS NULL THEN
            PERFORM bcce_data.absorb_event(target, claimed.call, r);
        END IF;
        RETURN true;
    END IF;

    SELECT c.* INTO old FROM bcce_data.model_usage c
    WHERE c.tenant_id = target AND c.source = (claimed.call).source AND c.idempotency_key = (claimed.call).call_key AND c.at = (claimed.call).at;
    u := bcce_data.merge_request(old, r);
    IF u IS NOT DISTINCT FROM old THEN
        RETURN NULL;
    END IF;
    IF (u.model_id, u.at, u.input_tokens, u.output_tokens, u.cache_read_tokens, u.cache_write_5m_tokens, u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier)
       IS DISTINCT FROM (old.model_id, old.at, old.input_tokens, old.output_tokens, old.cache_read_tokens, old.cache_write_5m_tokens, old.cache_write_1h_tokens, old.web_searches, old.speed, old.inference_geo, old.service_tier) THEN
        u.charged_usd := bcce.estimate_token_cost(u.model_id, u.at, u.input_tokens, u.output_tokens, u.cache_read_tokens, u.cache_write_5m_tokens,
            u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier, target);
        u.priced_at := CASE WHEN u.charged_usd IS NOT NULL THEN now() END;
    END IF;
    UPDATE bcce_data.model_usage c
    SET at = u.at, model_id = u.model_id, user_key = u.user_key, session_id = u.session_id, run_id = u.run_id, request_id = u.request_id, project = u.project,
        team_id = u.team_id, query_source = u.query_source, agent_name = u.agent_name, input_tokens = u.input_tokens, output_tokens = u.output_tokens,
        cache_read_tokens = u.cache_read_tokens, cache_write_5m_tokens = u.cache_write_5m_tokens, cache_write_1h_tokens = u.cache_write_1h_tokens,
        web_searches = u.web_searches, speed = u.speed, inference_geo = u.inference_geo, service_tier = u.service_tier, latency_ms = u.latency_ms,
        client_cost_usd = u.client_cost_usd, counted_at = u.counted_at, ttl_assumed = u.ttl_assumed, told_by = u.told_by, event_tokens = u.event_tokens,
        charged_usd = u.charged_usd, priced_at = u.priced_at
    WHERE c.tenant_id = target AND c.source = old.source AND c.idempotency_key = old.idempotency_key AND c.at = old.at;
    IF u.at <> old.at THEN
        UPDATE bcce_data.model_usage_keys k SET at = u.at WHERE k.tenant_id = target AND k.request_key = old.idempotency_key;
    END IF;
    IF u.told_by = 1 AND u.request_id IS NULL THEN
        r.at := u.at; r.session_id := u.session_id; r.model_id := u.model_id; r.input_tokens := u.input_tokens; r.output_tokens := u.output_tokens;
        r.cache_read_tokens := u.cache_read_tokens; r.cache_write_5m_tokens := u.cache_write_5m_tokens; r.cache_write_1h_tokens := u.cache_write_1h_tokens;
        PERFORM bcce_data.absorb_event(target, claimed.call, r);
    END IF;
    RETURN false;
END
$body$;
COMMENT ON FUNCTION bcce_data.put_model_request(uuid, bcce_data.given_model_request, text) IS 'stores a call, or what a further record of it says; true: new, false: changed, NULL: nothing new';

CREATE OR REPLACE FUNCTION bcce_data.place_rank(target uuid, r bcce_data.given_model_request) RETURNS text[]
LANGUAGE sql STABLE AS $body$
    SELECT ARRAY[coalesce(bcce_data.key_text(target, (r).session_id), ''), coalesce(bcce_data.key_text(target, (r).project), ''),
        coalesce(bcce.pseudonym((r).user_id, 'user', target), ''), coalesce(bcce_data.key_text(target, (r).team_id), '')]
$body$;
COMMENT ON FUNCTION bcce_data.place_rank(uuid, bcce_data.given_model_request) IS 'of records with one time, the one with the smaller says where the call belongs: as merge_request() compares them';

-- Of each call's records in a batch the one that counts, with the place of the
-- earliest and the names of all, as the store will hold it.
CREATE OR REPLACE FUNCTION bcce_data.join_records(target uuid, requests bcce_data.given_model_request[]) RETURNS bcce_data.given_model_request[]
LANGUAGE plpgsql STABLE AS $body$
DECLARE
    calls bcce_data.given_model_request[] := '{}';
    call bcce_data.given_model_request;
    r bcce_data.given_model_request;
    call_key text;
    key text;
BEGIN
    FOR r IN
        SELECT q.* FROM unnest(requests) AS q
        ORDER BY coalesce('msg:' || q.message_id, 'req:' || q.request_id, q.other_key) COLLATE "C",
            bcce_data.count_rank(q.told_by, q.output_tokens, q.ttl_assumed, q.speed, q.counted_at, q.input_tokens, q.cache_read_tokens, q.cache_write_5m_tokens, q.cache_write_1h_tokens) DESC
    LOOP
        key := coalesce('msg:' || r.message_id, 'req:' || r.request_id, r.other_key);
        IF key IS DISTINCT FROM call_key THEN
            IF call_key IS NOT NULL THEN
                calls := array_append(calls, bcce_data.normal_request(target, call));
            END IF;
            call := r;
            call_key := key;
            CONTINUE;
        END IF;
        IF r.request_id <> call.request_id OR r.other_key <> call.other_key THEN
            call.names := call.names || ARRAY['req:' || r.request_id, 'req:' || call.request_id, r.other_key];
        END IF;
        IF r.at < call.at OR (r.at = call.at AND bcce_data.place_rank(target, r) COLLATE "C" < bcce_data.place_rank(target, call)) THEN
            call.at := r.at;
            call.session_id := coalesce(r.session_id, call.session_id);
            call.project := coalesce(r.project, call.project);
            call.user_id := coalesce(r.user_id, call.user_id);
            call.team_id := coalesce(r.team_id, call.team_id);
            call.request_id := coalesce(r.request_id, call.request_id);
        END IF;
        call.session_id := coalesce(call.session_id, r.session_id);
        call.project := coalesce(call.project, r.project);
        call.user_id := coalesce(call.user_id, r.user_id);
        call.team_id := coalesce(call.team_id, r.team_id);
        call.request_id := coalesce(call.request_id, r.request_id);
        call.client_cost_usd := greatest(call.client_cost_usd, r.client_cost_usd);
        call.query_source := greatest(call.query_source, r.query_source);
    END LOOP;
    RETURN CASE WHEN call_key IS NOT NULL THEN array_append(calls, bcce_data.normal_request(target, call)) END;
END
$body$;
COMMENT ON FUNCTION bcce_data.join_records(uuid, bcce_data.given_model_request[]) IS 'records, one for each call, as the store will hold them';

-- Stores calls none of whose names was known, all at once; those of which another
-- writer was quicker to tell, one by one.
CREATE OR REPLACE FUNCTION bcce_data.put_new_requests(target uuid, calls bcce_data.given_model_request[], call_source text, OUT added bigint, OUT changed bigint)
LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    made text[];
    any_late boolean;
    late bcce_data.given_model_request[];
    call bcce_data.given_model_request;
    outcome boolean;
BEGIN
    added := 0;
    changed := 0;
    WITH name AS MATERIALIZED (
        SELECT n.name, n.place, c.names[1] AS call_key, c.at FROM unnest(calls) AS c CROSS JOIN LATERAL unnest(c.names) WITH ORDINALITY AS n (name, place)
    ),
    key AS (
        INSERT INTO bcce_data.model_usage_keys AS k (tenant_id, request_key, call_key, source, at)
        SELECT target, n.name, n.call_key, CASE WHEN n.place = 1 THEN call_source END, CASE WHEN n.place = 1 THEN n.at END FROM name AS n
        ORDER BY n.name COLLATE "C"
        ON CONFLICT DO NOTHING RETURNING k.request_key
    )
    SELECT array_agg(k.request_key), count(*) < (SELECT count(*) FROM name) INTO made, any_late FROM key AS k;
    IF any_late THEN
        SELECT array_agg(c ORDER BY c.names[1] COLLATE "C") FILTER (WHERE NOT c.names <@ coalesce(made, '{}')), array_agg(c) FILTER (WHERE c.names <@ made)
        INTO late, calls FROM unnest(calls) AS c;
        DELETE FROM bcce_data.model_usage_keys k USING unnest(late) AS c
        WHERE k.tenant_id = target AND k.call_key = c.names[1] AND k.request_key = ANY (c.names) AND k.request_key = ANY (made);
    END IF;
    added := bcce_data.insert_calls(target, calls, call_source);
    FOREACH call IN ARRAY coalesce(late, '{}') LOOP
        outcome := bcce_data.put_model_request(target, call, call_source);
        added := added + coalesce(outcome, false)::integer;
        changed := changed + (outcome IS FALSE)::integer;
    END LOOP;
END
$body$;
COMMENT ON FUNCTION bcce_data.put_new_requests(uuid, bcce_data.given_model_request[], text) IS 'stores calls that nobody has told of';

-- Many records of one kind, each call once.  Most calls are new, or nothing is
-- new about them, which one statement each finds out and does; the others are
-- put one by one.
CREATE OR REPLACE FUNCTION bcce_data.put_model_requests(target uuid, requests bcce_data.given_model_request[], call_source text, OUT added bigint, OUT changed bigint)
LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    calls bcce_data.given_model_request[];
    first_at timestamptz;
    last_at timestamptz;
    loose_events boolean;
    any_told boolean;
    run record;
    call bcce_data.given_model_request;
    outcome boolean;
    put record;
BEGIN
    added := 0;
    changed := 0;
    IF requests IS NULL THEN
        RETURN;
    END IF;
    calls := bcce_data.join_records(target, requests);
    -- A first load is of nothing but new calls.
    SELECT count(k.request_key) > 0 OR count(*) > count(DISTINCT n.name COLLATE "C") OR bool_or(c.request_id IS NULL AND c.told_by = 2),
        min(c.at) FILTER (WHERE c.request_id IS NULL), max(c.at) FILTER (WHERE c.request_id IS NULL)
    INTO any_told, first_at, last_at
    FROM unnest(calls) AS c
    CROSS JOIN LATERAL unnest(c.names) AS n (name)
    -- By the index, each alone: what the planner knows of a store that grows is old.
    LEFT JOIN LATERAL (SELECT k.request_key FROM bcce_data.model_usage_keys k WHERE k.tenant_id = target AND k.request_key = n.name OFFSET 0) AS k ON true;
    -- An event without an id of its request may be a call that has none either.
    loose_events := first_at IS NOT NULL AND EXISTS (
        SELECT FROM bcce_data.model_usage c
        WHERE c.tenant_id = target AND c.told_by = 2 AND c.request_id IS NULL AND c.at >= first_at - interval '1 hour' AND c.at < last_at + interval '1 hour');
    IF NOT any_told AND NOT loose_events THEN
        SELECT p.added, p.changed INTO added, changed FROM bcce_data.put_new_requests(target, calls, call_source) AS p;
        RETURN;
    END IF;
    -- In one order for all writers, or two of them would wait for each other.
    FOR run IN
        WITH call AS (
            SELECT row_number() OVER (ORDER BY r.names[1] COLLATE "C") AS n, r FROM unnest(calls) AS r
        ),
        state AS (
            SELECT x.n, bool_and(x.request_key IS NOT NULL) AND min(x.call_key) = max(x.call_key) AS is_known,
                   bool_or(x.is_shared OR x.request_key IS NOT NULL) AS is_taken, min(x.call_key) AS call_key
            FROM (
                SELECT c.n, k.request_key, k.call_key, count(*) OVER (PARTITION BY n.name) > 1 AS is_shared
                FROM call AS c
                CROSS JOIN LATERAL unnest((c.r).names) AS n (name)
                LEFT JOIN LATERAL (SELECT k.request_key, k.call_key FROM bcce_data.model_usage_keys k WHERE k.tenant_id = target AND k.request_key = n.name OFFSET 0) AS k ON true
            ) AS x
            GROUP BY x.n
        ),
        found AS (
            SELECT c.n, c.r, NOT s.is_taken AND ((c.r).request_id IS NOT NULL OR ((c.r).told_by = 1 AND NOT loose_events)) AS is_new
            FROM call AS c
            JOIN state AS s USING (n)
            LEFT JOIN LATERAL (SELECT k.source, k.at FROM bcce_data.model_usage_keys k WHERE k.tenant_id = target AND k.request_key = s.call_key OFFSET 0) AS k ON s.is_known
            LEFT JOIN LATERAL (
                SELECT bcce_data.merge_request(u, c.r) IS NOT DISTINCT FROM u AS is_told FROM bcce_data.model_usage u
                WHERE u.tenant_id = target AND u.source = k.source AND u.idempotency_key = s.call_key AND u.at = k.at OFFSET 0) AS u ON s.is_known
            WHERE u.is_told IS NOT TRUE
        )
        SELECT f.is_new, array_agg(f.r ORDER BY f.n) AS calls
        FROM (SELECT g.*, g.n - row_number() OVER (PARTITION BY g.is_new ORDER BY g.n) AS island FROM (SELECT f.r, f.is_new, row_number() OVER (ORDER BY f.n) AS n FROM found AS f) AS g) AS f
        GROUP BY f.is_new, f.island
        ORDER BY min(f.n)
    LOOP
        IF run.is_new THEN
            put := bcce_data.put_new_requests(target, run.calls, call_source);
            added := added + put.added;
            changed := changed + put.changed;
        ELSE
            FOREACH call IN ARRAY run.calls LOOP
                outcome := bcce_data.put_model_request(target, call, call_source);
                added := added + coalesce(outcome, false)::integer;
                changed := changed + (outcome IS FALSE)::integer;
            END LOOP;
        END IF;
    END LOOP;
END
$body$;
COMMENT ON FUNCTION bcce_data.put_model_requests(uuid, bcce_data.given_model_request[], text) IS 'stores the calls that records tell of; how many were new and how many changed';
