-- Ways in for calls of language models.
DO $do$
BEGIN
    IF to_regtype('bcce_data.given_model_usage') IS NULL THEN
        CREATE TYPE bcce_data.given_model_usage AS (
            tenant_id uuid, fault text, model_id text, at timestamptz, input_tokens bigint, output_tokens bigint,
            cache_read_tokens bigint, cache_write_5m_tokens bigint, cache_write_1h_tokens bigint, user_id text, run_id text,
            session_id text, provider text, region text, latency_ms double precision, is_batch boolean,
            reported_cost_usd numeric, idempotency_key text, source text, is_test boolean);
    END IF;
    -- What an earlier build did not take.
    IF NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = to_regclass('bcce_data.given_model_usage') AND a.attname = 'project') THEN
        ALTER TYPE bcce_data.given_model_usage
            ADD ATTRIBUTE web_searches bigint, ADD ATTRIBUTE speed text, ADD ATTRIBUTE inference_geo text, ADD ATTRIBUTE service_tier text,
            ADD ATTRIBUTE project text, ADD ATTRIBUTE team_id text, ADD ATTRIBUTE request_id text, ADD ATTRIBUTE query_source text, ADD ATTRIBUTE agent_name text;
    END IF;
    IF to_regprocedure('bcce.record_model_usage(text, timestamptz, bigint, bigint, bigint, bigint, bigint, text, text, text, text, text, double precision, boolean, numeric, text, text, boolean, text)') IS NOT NULL THEN
        -- Beside the one of today, a call with its arguments would fit both.
        DROP FUNCTION bcce.record_model_usage(text, timestamptz, bigint, bigint, bigint, bigint, bigint, text, text, text, text, text, double precision, boolean, numeric, text, text, boolean, text);
    END IF;
END
$do$;
COMMENT ON TYPE bcce_data.given_model_usage IS 'a model call as a sender gives it';

CREATE OR REPLACE FUNCTION bcce_data.model_usage_rows(calls bcce_data.given_model_usage[], faults text[])
RETURNS TABLE (tenant_id uuid, source text, idempotency_key text, at timestamptz, model_id text, provider text, region text, user_key text,
    session_id text, run_id text, input_tokens bigint, output_tokens bigint, cache_read_tokens bigint, cache_write_5m_tokens bigint,
    cache_write_1h_tokens bigint, latency_ms double precision, is_batch boolean, is_test boolean, reported_cost_usd numeric,
    web_searches bigint, speed text, inference_geo text, service_tier text, project text, team_id text, request_id text,
    query_source text, agent_name text, charged_usd numeric, priced_at timestamptz)
LANGUAGE sql STABLE AS $body$
    SELECT r.tenant_id, coalesce(r.source, 'api'),
        coalesce(nullif(r.idempotency_key, ''), bcce.pseudonym(ROW(r.model_id, nullif(r.user_id, ''), r.session_id, r.run_id,
            r.input_tokens, r.output_tokens, r.cache_read_tokens, r.cache_write_5m_tokens, r.cache_write_1h_tokens,
            r.reported_cost_usd, encode(float8send(r.latency_ms), 'hex'))::text
            -- The key of a call without these stays what it was before there were any.
            || CASE WHEN num_nonnulls(r.web_searches, r.speed, r.inference_geo, r.service_tier, r.project, r.team_id, r.request_id, r.query_source, r.agent_name) > 0
                THEN ROW(r.web_searches, r.speed, r.inference_geo, r.service_tier, r.project, r.team_id, r.request_id, r.query_source, r.agent_name)::text ELSE '' END,
            'content', r.tenant_id)),
        r.at, r.model_id, r.provider, r.region, nullif(r.user_id, ''), nullif(r.session_id, ''), nullif(r.run_id, ''),
        r.input_tokens, r.output_tokens, r.cache_read_tokens, r.cache_write_5m_tokens, r.cache_write_1h_tokens,
        r.latency_ms, coalesce(r.is_batch, false) OR word.service_tier IS NOT DISTINCT FROM 'batch', coalesce(r.is_test, false), r.reported_cost_usd,
        r.web_searches, word.speed, word.inference_geo, word.service_tier, nullif(r.project, ''), nullif(r.team_id, ''), nullif(r.request_id, ''),
        nullif(r.query_source, ''), nullif(r.agent_name, ''), cost.usd, CASE WHEN cost.usd IS NOT NULL THEN now() END
    FROM ROWS FROM (unnest(calls), unnest(faults)) AS r
    CROSS JOIN LATERAL (
        SELECT lower(nullif(btrim(r.speed), '')) AS speed, lower(nullif(btrim(r.inference_geo), '')) AS inference_geo,
            coalesce(lower(nullif(btrim(r.service_tier), '')), CASE WHEN r.is_batch THEN 'batch' END) AS service_tier) AS word
    CROSS JOIN LATERAL (
        SELECT bcce.estimate_token_cost(r.model_id, r.at, r.input_tokens, r.output_tokens, r.cache_read_tokens, r.cache_write_5m_tokens,
            r.cache_write_1h_tokens, r.web_searches, word.speed, word.inference_geo, word.service_tier, r.tenant_id) AS usd OFFSET 0) AS cost
    WHERE r.unnest IS NULL
$body$;
COMMENT ON FUNCTION bcce_data.model_usage_rows(bcce_data.given_model_usage[], text[]) IS 'the calls without a fault as bcce_data.model_usage takes them';

DROP FUNCTION IF EXISTS bcce_data.put_model_usage(bcce_data.given_model_usage[]);
CREATE OR REPLACE FUNCTION bcce_data.put_model_usage(calls bcce_data.given_model_usage[], all_new boolean) RETURNS text[]
LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    faults text[];
BEGIN
    SELECT array_agg(coalesce(c.fault, CASE
        WHEN c.model_id IS NULL OR c.model_id = '' THEN 'missing_id'
        WHEN greatest(length(c.model_id), length(c.idempotency_key), length(c.session_id), length(c.run_id), length(c.source), length(c.project),
            length(c.team_id), length(c.request_id), length(c.query_source), length(c.agent_name), length(c.speed), length(c.inference_geo), length(c.service_tier)) > 256 THEN 'key_too_long'
        WHEN c.at IS NULL THEN 'missing_time'
        WHEN least(c.input_tokens, c.output_tokens, c.cache_read_tokens, c.cache_write_5m_tokens, c.cache_write_1h_tokens, c.web_searches) < 0
             OR c.reported_cost_usd < 0 OR c.latency_ms < 0 THEN 'negative_number'
        WHEN greatest(c.input_tokens, c.output_tokens, c.cache_read_tokens, c.cache_write_5m_tokens, c.cache_write_1h_tokens, c.web_searches) > 1e15
             OR c.reported_cost_usd > 1e15 OR c.latency_ms > 1e15 THEN 'bad_number'
        ELSE bcce_data.time_fault(c.at)
    END)) INTO faults
    FROM unnest(calls) AS c;

    -- In the order of the keys, so that two writers wait for each other
    -- instead of deadlocking.
    IF all_new THEN
        INSERT INTO bcce_data.model_usage (tenant_id, source, idempotency_key, at, model_id, provider, region, user_key, session_id,
            run_id, input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, latency_ms,
            is_batch, is_test, reported_cost_usd, web_searches, speed, inference_geo, service_tier, project, team_id, request_id,
            query_source, agent_name, charged_usd, priced_at)
        SELECT r.* FROM bcce_data.model_usage_rows(calls, faults) AS r ORDER BY r.tenant_id, r.idempotency_key COLLATE "C";
    ELSE
        INSERT INTO bcce_data.model_usage (tenant_id, source, idempotency_key, at, model_id, provider, region, user_key, session_id,
            run_id, input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, latency_ms,
            is_batch, is_test, reported_cost_usd, web_searches, speed, inference_geo, service_tier, project, team_id, request_id,
            query_source, agent_name, charged_usd, priced_at)
        SELECT r.* FROM bcce_data.model_usage_rows(calls, faults) AS r ORDER BY r.tenant_id, r.idempotency_key COLLATE "C"
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN faults;
END
$body$;
COMMENT ON FUNCTION bcce_data.put_model_usage(bcce_data.given_model_usage[], boolean) IS 'stores model calls once each; returns the reason of each that is refused; all_new: error 23505 if one is known, for less work';

CREATE OR REPLACE FUNCTION bcce.record_model_usage(
    model_id text, at timestamptz DEFAULT now(), input_tokens bigint DEFAULT NULL, output_tokens bigint DEFAULT NULL,
    cache_read_tokens bigint DEFAULT NULL, cache_write_5m_tokens bigint DEFAULT NULL, cache_write_1h_tokens bigint DEFAULT NULL,
    user_id text DEFAULT NULL, run_id text DEFAULT NULL, session_id text DEFAULT NULL, provider text DEFAULT NULL,
    region text DEFAULT NULL, latency_ms double precision DEFAULT NULL, is_batch boolean DEFAULT false,
    reported_cost_usd numeric DEFAULT NULL, idempotency_key text DEFAULT NULL, source text DEFAULT 'api',
    is_test boolean DEFAULT false, tenant text DEFAULT NULL, web_searches bigint DEFAULT NULL, speed text DEFAULT NULL,
    inference_geo text DEFAULT NULL, service_tier text DEFAULT NULL, project text DEFAULT NULL, team_id text DEFAULT NULL,
    request_id text DEFAULT NULL, query_source text DEFAULT NULL, agent_name text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET work_mem = '256MB' AS $body$
DECLARE
    call bcce_data.given_model_usage;
BEGIN
    call.tenant_id := bcce_data.writable_tenant(tenant);
    call.model_id := model_id;
    call.at := at;
    call.input_tokens := input_tokens;
    call.output_tokens := output_tokens;
    call.cache_read_tokens := cache_read_tokens;
    call.cache_write_5m_tokens := cache_write_5m_tokens;
    call.cache_write_1h_tokens := cache_write_1h_tokens;
    call.user_id := user_id;
    call.run_id := run_id;
    call.session_id := session_id;
    call.provider := provider;
    call.region := region;
    call.latency_ms := latency_ms;
    call.is_batch := is_batch;
    call.reported_cost_usd := reported_cost_usd;
    call.idempotency_key := idempotency_key;
    call.source := source;
    call.is_test := is_test;
    call.web_searches := web_searches;
    call.speed := speed;
    call.inference_geo := inference_geo;
    call.service_tier := service_tier;
    call.project := project;
    call.team_id := team_id;
    call.request_id := request_id;
    call.query_source := query_source;
    call.agent_name := agent_name;
    PERFORM bcce_data.refuse_any(bcce_data.put_model_usage(ARRAY[call], false));
END
$body$;
COMMENT ON FUNCTION bcce.record_model_usage(text, timestamptz, bigint, bigint, bigint, bigint, bigint, text, text, text, text, text, double precision, boolean, numeric, text, text, boolean, text, bigint, text, text, text, text, text, text, text, text) IS
'Records a call of a language model: tokens by class (NULL: unknown), the person as a pseudonym, the cost in US dollars if the sender knows it, and what else its price and its place depend on: searches, speed (standard or fast), inference_geo (us), service_tier (standard, batch, flex or priority), project, team. The same call again is stored once. Errors: P0002 tenant not found, 22003 number out of range, 22004 missing id or time, 22001 id too long, 22008 time out of range.';

CREATE OR REPLACE VIEW bcce.inbox_model_usage WITH (security_invoker = true) AS
SELECT NULL::text AS tenant, NULL::text AS model_id, NULL::text AS at, NULL::text AS input_tokens, NULL::text AS output_tokens,
       NULL::text AS cache_read_tokens, NULL::text AS cache_write_5m_tokens, NULL::text AS cache_write_1h_tokens,
       NULL::text AS user_id, NULL::text AS run_id, NULL::text AS session_id, NULL::text AS provider, NULL::text AS region,
       NULL::text AS latency_ms, NULL::text AS is_batch, NULL::text AS reported_cost_usd, NULL::text AS idempotency_key,
       NULL::text AS source, NULL::text AS is_test, NULL::text AS web_searches, NULL::text AS speed, NULL::text AS inference_geo,
       NULL::text AS service_tier, NULL::text AS project, NULL::text AS team_id, NULL::text AS request_id, NULL::text AS query_source,
       NULL::text AS agent_name
WHERE false;
COMMENT ON VIEW bcce.inbox_model_usage IS 'Write-only: INSERT or COPY calls of language models here, all columns text; the same call again is stored once. Bad rows are counted in bcce.rejected.';

CREATE OR REPLACE FUNCTION bcce_data.inbox_model_usage() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET work_mem = '256MB' AS $body$
DECLARE
    tenants jsonb := bcce_data.resolve_tenants(ARRAY(SELECT DISTINCT bcce_data.tenant_word(b.tenant) FROM batch b));
    calls bcce_data.given_model_usage[];
    faults text[];
BEGIN
    SELECT array_agg(ROW(
        g.tenant_id::uuid,
        CASE
            WHEN g.tenant_id IS NULL THEN 'unknown_tenant'
            WHEN g.at <> '' AND g.called_at IS NULL THEN 'bad_time'
            -- As many numbers were read as were given.
            WHEN num_nonnulls(nullif(g.input_tokens, ''), nullif(g.output_tokens, ''), nullif(g.cache_read_tokens, ''),
                              nullif(g.cache_write_5m_tokens, ''), nullif(g.cache_write_1h_tokens, ''),
                              nullif(g.latency_ms, ''), nullif(g.reported_cost_usd, ''), nullif(g.web_searches, ''))
                 <> num_nonnulls(g.input, g.output, g.cache_read, g.cache_write_5m, g.cache_write_1h, g.latency, g.reported_cost, g.searches)
                 THEN 'bad_number'
            WHEN (g.is_test <> '' AND bcce.try_boolean(g.is_test) IS NULL)
                 OR (g.is_batch <> '' AND bcce.try_boolean(g.is_batch) IS NULL) THEN 'bad_boolean'
        END,
        g.model_id, g.called_at, g.input, g.output, g.cache_read, g.cache_write_5m, g.cache_write_1h, g.user_id,
        nullif(g.run_id, ''), nullif(g.session_id, ''), nullif(g.provider, ''), nullif(g.region, ''), g.latency,
        bcce.try_boolean(g.is_batch), g.reported_cost, nullif(g.idempotency_key, ''), nullif(g.source, ''),
        bcce.try_boolean(g.is_test), g.searches, nullif(g.speed, ''), nullif(g.inference_geo, ''), nullif(g.service_tier, ''), nullif(g.project, ''),
        nullif(g.team_id, ''), nullif(g.request_id, ''), nullif(g.query_source, ''), nullif(g.agent_name, '')
    )::bcce_data.given_model_usage) INTO calls
    FROM (
        SELECT b.*, tenants ->> bcce_data.tenant_word(b.tenant) AS tenant_id, bcce.try_timestamptz(b.at) AS called_at,
               bcce.try_bigint(b.input_tokens) AS input, bcce.try_bigint(b.output_tokens) AS output,
               bcce.try_bigint(b.cache_read_tokens) AS cache_read, bcce.try_bigint(b.cache_write_5m_tokens) AS cache_write_5m,
               bcce.try_bigint(b.cache_write_1h_tokens) AS cache_write_1h, bcce.try_float8(b.latency_ms) AS latency,
               bcce.try_numeric(b.reported_cost_usd) AS reported_cost, bcce.try_bigint(b.web_searches) AS searches
        FROM batch b OFFSET 0) AS g;
    faults := bcce_data.put_model_usage(calls, TG_ARGV[0] = 'new');
    PERFORM bcce_data.reject('inbox_model_usage', array_agg((g.call).tenant_id), array_agg(g.fault), array_agg((g.call).idempotency_key))
    FROM (SELECT unnest(calls) AS call, unnest(faults) AS fault) AS g WHERE g.fault IS NOT NULL;
    RETURN NULL;
END
$body$;
COMMENT ON FUNCTION bcce_data.inbox_model_usage() IS 'stores or refuses the rows of bcce.inbox_model_usage';
