-- Calls of language models.
CREATE TABLE IF NOT EXISTS bcce_data.model_usage (
    tenant_id uuid NOT NULL,
    source text NOT NULL DEFAULT 'api',
    idempotency_key text NOT NULL,
    at timestamptz NOT NULL,
    model_id text NOT NULL,
    provider text,
    region text,
    user_key text,
    session_id text,
    run_id text,
    input_tokens bigint,
    output_tokens bigint,
    cache_read_tokens bigint,
    cache_write_5m_tokens bigint,
    cache_write_1h_tokens bigint,
    latency_ms double precision,
    is_batch boolean NOT NULL DEFAULT false,
    is_test boolean NOT NULL DEFAULT false,
    reported_cost_usd numeric,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT model_usage_pkey PRIMARY KEY (tenant_id, source, idempotency_key, at),
    CONSTRAINT model_usage_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT model_usage_at_check CHECK (at >= '1970-01-01 00:00:00+00' AND at < '2201-01-01 00:00:00+00'),
    CONSTRAINT model_usage_tokens_check CHECK (
        least(input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens) >= 0
        AND greatest(input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens) <= 1000000000000000),
    CONSTRAINT model_usage_latency_ms_check CHECK (latency_ms >= 0 AND latency_ms <= 1e15),
    CONSTRAINT model_usage_reported_cost_usd_check CHECK (reported_cost_usd >= 0 AND reported_cost_usd <= 1e15)
) PARTITION BY RANGE (at);
-- Columns that an earlier build did not make.
ALTER TABLE bcce_data.model_usage
    ADD COLUMN IF NOT EXISTS request_id text,
    ADD COLUMN IF NOT EXISTS project text,
    ADD COLUMN IF NOT EXISTS team_id text,
    ADD COLUMN IF NOT EXISTS query_source text,
    ADD COLUMN IF NOT EXISTS agent_name text,
    ADD COLUMN IF NOT EXISTS speed text,
    ADD COLUMN IF NOT EXISTS inference_geo text,
    ADD COLUMN IF NOT EXISTS service_tier text,
    ADD COLUMN IF NOT EXISTS web_searches bigint CONSTRAINT model_usage_web_searches_check CHECK (web_searches >= 0 AND web_searches <= 1000000000000000),
    ADD COLUMN IF NOT EXISTS client_cost_usd numeric CONSTRAINT model_usage_client_cost_usd_check CHECK (client_cost_usd >= 0 AND client_cost_usd <= 1e15),
    ADD COLUMN IF NOT EXISTS charged_usd numeric CONSTRAINT model_usage_charged_usd_check CHECK (charged_usd >= 0),
    ADD COLUMN IF NOT EXISTS priced_at timestamptz,
    ADD COLUMN IF NOT EXISTS counted_at timestamptz,
    ADD COLUMN IF NOT EXISTS ttl_assumed boolean NOT NULL DEFAULT false,
    ADD COLUMN IF NOT EXISTS told_by smallint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS event_tokens bigint[],
    ADD COLUMN IF NOT EXISTS source_mismatch boolean NOT NULL GENERATED ALWAYS AS (
        event_tokens IS NOT NULL AND told_by & 1 = 1 AND event_tokens <> ARRAY[coalesce(input_tokens, 0), coalesce(output_tokens, 0),
            coalesce(cache_read_tokens, 0), coalesce(cache_write_5m_tokens, 0) + coalesce(cache_write_1h_tokens, 0)]) STORED;
CREATE TABLE IF NOT EXISTS bcce_data.model_usage_default PARTITION OF bcce_data.model_usage DEFAULT;
CREATE INDEX IF NOT EXISTS model_usage_at_idx ON bcce_data.model_usage (tenant_id, at);
-- Calls whose cost depends on the prices of today.
CREATE INDEX IF NOT EXISTS model_usage_unpriced_at_idx ON bcce_data.model_usage (tenant_id, at) WHERE reported_cost_usd IS NULL AND charged_usd IS NULL;
COMMENT ON TABLE bcce_data.model_usage IS 'one row per call of a language model; by month of at';
COMMENT ON COLUMN bcce_data.model_usage.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.model_usage.source IS 'who sent it';
COMMENT ON COLUMN bcce_data.model_usage.idempotency_key IS 'the sender''s key of the call, or one made from its content: the same key at the same time is stored once';
COMMENT ON COLUMN bcce_data.model_usage.at IS 'when the call was made';
COMMENT ON COLUMN bcce_data.model_usage.model_id IS 'model';
COMMENT ON COLUMN bcce_data.model_usage.provider IS 'provider, redacted';
COMMENT ON COLUMN bcce_data.model_usage.region IS 'region, redacted';
COMMENT ON COLUMN bcce_data.model_usage.user_key IS 'pseudonym of the person who made the call';
COMMENT ON COLUMN bcce_data.model_usage.session_id IS 'the sender''s id of the session';
COMMENT ON COLUMN bcce_data.model_usage.run_id IS 'run that the call belongs to';
COMMENT ON COLUMN bcce_data.model_usage.input_tokens IS 'tokens in; NULL: unknown';
COMMENT ON COLUMN bcce_data.model_usage.output_tokens IS 'tokens out; NULL: unknown';
COMMENT ON COLUMN bcce_data.model_usage.cache_read_tokens IS 'tokens read from the cache';
COMMENT ON COLUMN bcce_data.model_usage.cache_write_5m_tokens IS 'tokens written to the five-minute cache';
COMMENT ON COLUMN bcce_data.model_usage.cache_write_1h_tokens IS 'tokens written to the one-hour cache';
COMMENT ON COLUMN bcce_data.model_usage.latency_ms IS 'milliseconds until the answer was complete';
COMMENT ON COLUMN bcce_data.model_usage.is_batch IS 'sent as part of a batch';
COMMENT ON COLUMN bcce_data.model_usage.is_test IS 'test calls never count';
COMMENT ON COLUMN bcce_data.model_usage.reported_cost_usd IS 'cost in US dollars as the sender reported it; NULL: not reported';
COMMENT ON COLUMN bcce_data.model_usage.recorded_at IS 'when it was recorded';
COMMENT ON COLUMN bcce_data.model_usage.request_id IS 'the provider''s id of the request';
COMMENT ON COLUMN bcce_data.model_usage.project IS 'project in which the call was made, redacted';
COMMENT ON COLUMN bcce_data.model_usage.team_id IS 'team of the person at that time, as the sender says; else see principals';
COMMENT ON COLUMN bcce_data.model_usage.query_source IS 'what asked: main, subagent or auxiliary';
COMMENT ON COLUMN bcce_data.model_usage.agent_name IS 'agent that made the call';
COMMENT ON COLUMN bcce_data.model_usage.speed IS 'standard or fast';
COMMENT ON COLUMN bcce_data.model_usage.inference_geo IS 'where the provider was asked to compute: us, or anything else for no wish';
COMMENT ON COLUMN bcce_data.model_usage.service_tier IS 'standard, batch, flex or priority';
COMMENT ON COLUMN bcce_data.model_usage.web_searches IS 'searches made by the provider for the call';
COMMENT ON COLUMN bcce_data.model_usage.client_cost_usd IS 'what the client itself took the cost for, US dollars: shown beside ours, never part of it';
COMMENT ON COLUMN bcce_data.model_usage.charged_usd IS 'cost by the prices known at priced_at, US dollars: never changes with later prices; NULL: unknown then';
COMMENT ON COLUMN bcce_data.model_usage.priced_at IS 'when charged_usd was computed; estimate_token_cost(..., as_of => priced_at) gives it again';
COMMENT ON COLUMN bcce_data.model_usage.counted_at IS 'when the line was written whose counts are kept: a transcript has several for one call';
COMMENT ON COLUMN bcce_data.model_usage.ttl_assumed IS 'the sender did not say how long (some of) the cache writes live: they count as five minutes, a lower bound';
COMMENT ON COLUMN bcce_data.model_usage.told_by IS 'who told of the call, bits: 1 a transcript, 2 a telemetry event; 0: another sender';
COMMENT ON COLUMN bcce_data.model_usage.event_tokens IS 'input, output, cache reads and cache writes as the telemetry event counted them';
COMMENT ON COLUMN bcce_data.model_usage.source_mismatch IS 'transcript and event do not agree on the counts; the transcript''s are kept';

-- One call has several names: its message, its request.  The row of its first
-- name, the call's own key, says where the call is; the others lead there.
CREATE TABLE IF NOT EXISTS bcce_data.model_usage_keys (
    tenant_id uuid NOT NULL,
    request_key text NOT NULL,
    call_key text NOT NULL,
    source text,
    at timestamptz,
    CONSTRAINT model_usage_keys_pkey PRIMARY KEY (tenant_id, request_key),
    CONSTRAINT model_usage_keys_at_check CHECK ((request_key = call_key) = (at IS NOT NULL))
);
COMMENT ON TABLE bcce_data.model_usage_keys IS 'which call a message or a request is, over all partitions of model_usage; only calls of transcripts and telemetry';
COMMENT ON COLUMN bcce_data.model_usage_keys.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.model_usage_keys.request_key IS 'name of the call: msg:, req: or another prefix and the provider''s id';
COMMENT ON COLUMN bcce_data.model_usage_keys.call_key IS 'the call''s own key, which is its idempotency_key';
COMMENT ON COLUMN bcce_data.model_usage_keys.source IS 'source of the call''s row; only beside its own key';
COMMENT ON COLUMN bcce_data.model_usage_keys.at IS 'time of the call''s row; only beside its own key';

-- Counters that clients send beside the calls: to check sums, never to charge.
CREATE TABLE IF NOT EXISTS bcce_data.model_usage_counters (
    tenant_id uuid NOT NULL,
    series_key text NOT NULL,
    started_at timestamptz NOT NULL,
    at timestamptz NOT NULL,
    metric text NOT NULL,
    token_class text,
    model_id text,
    user_key text,
    session_id text,
    value numeric NOT NULL,
    is_cumulative boolean NOT NULL,
    CONSTRAINT model_usage_counters_pkey PRIMARY KEY (tenant_id, series_key, started_at, at),
    CONSTRAINT model_usage_counters_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT model_usage_counters_at_check CHECK (at >= '1970-01-01 00:00:00+00' AND at < '2201-01-01 00:00:00+00'),
    CONSTRAINT model_usage_counters_metric_check CHECK (metric IN ('tokens', 'cost_usd')),
    CONSTRAINT model_usage_counters_token_class_check CHECK (token_class IN ('input', 'output', 'cache_read', 'cache_write')),
    CONSTRAINT model_usage_counters_value_check CHECK (value >= 0 AND value <= 1e15)
);
CREATE INDEX IF NOT EXISTS model_usage_counters_at_idx ON bcce_data.model_usage_counters (tenant_id, at);
COMMENT ON TABLE bcce_data.model_usage_counters IS 'points of the token and cost counters that clients export; a delta point is what came since started_at, a cumulative one the sum since then';
COMMENT ON COLUMN bcce_data.model_usage_counters.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.model_usage_counters.series_key IS 'pseudonym of all attributes of the series: the same export again is stored once';
COMMENT ON COLUMN bcce_data.model_usage_counters.started_at IS 'when the point''s count began';
COMMENT ON COLUMN bcce_data.model_usage_counters.at IS 'when it was taken';
COMMENT ON COLUMN bcce_data.model_usage_counters.metric IS 'tokens or cost_usd';
COMMENT ON COLUMN bcce_data.model_usage_counters.token_class IS 'input, output, cache_read or cache_write; NULL for cost';
COMMENT ON COLUMN bcce_data.model_usage_counters.model_id IS 'model';
COMMENT ON COLUMN bcce_data.model_usage_counters.user_key IS 'pseudonym of the person';
COMMENT ON COLUMN bcce_data.model_usage_counters.session_id IS 'the sender''s id of the session';
COMMENT ON COLUMN bcce_data.model_usage_counters.value IS 'tokens, or US dollars by the client''s own estimate';
COMMENT ON COLUMN bcce_data.model_usage_counters.is_cumulative IS 'the value counts from started_at on with every point of the series, not anew from point to point';
