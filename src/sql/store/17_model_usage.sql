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
CREATE TABLE IF NOT EXISTS bcce_data.model_usage_default PARTITION OF bcce_data.model_usage DEFAULT;
CREATE INDEX IF NOT EXISTS model_usage_at_idx ON bcce_data.model_usage (tenant_id, at);
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
