-- Samples of what a service does.
CREATE TABLE IF NOT EXISTS bcce_data.performance_metrics (
    tenant_id uuid NOT NULL,
    source text NOT NULL DEFAULT 'api',
    idempotency_key text NOT NULL,
    observed_at timestamptz NOT NULL,
    service_id text NOT NULL,
    window_seconds double precision,
    request_count bigint,
    error_count bigint,
    p50_latency_ms double precision,
    p95_latency_ms double precision,
    p99_latency_ms double precision,
    throughput_rps double precision,
    cpu_percent double precision,
    memory_percent double precision,
    storage_percent double precision,
    network_percent double precision,
    is_test boolean NOT NULL DEFAULT false,
    charged_usd numeric,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    latency_digest bytea,
    CONSTRAINT performance_metrics_pkey PRIMARY KEY (tenant_id, source, idempotency_key, observed_at),
    CONSTRAINT performance_metrics_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    -- One check for several columns: a check is read anew by every statement.
    CONSTRAINT performance_metrics_observed_at_check CHECK (observed_at >= '1970-01-01 00:00:00+00' AND observed_at < '2201-01-01 00:00:00+00'),
    CONSTRAINT performance_metrics_count_check CHECK (least(request_count, error_count) >= 0 AND greatest(request_count, error_count) <= 1000000000000000),
    CONSTRAINT performance_metrics_measurement_check CHECK (
        least(window_seconds, p50_latency_ms, p95_latency_ms, p99_latency_ms, throughput_rps) >= 0
        AND greatest(window_seconds, p50_latency_ms, p95_latency_ms, p99_latency_ms, throughput_rps) <= 1e15),
    CONSTRAINT performance_metrics_percent_check CHECK (
        least(cpu_percent, memory_percent, storage_percent, network_percent) >= 0
        AND greatest(cpu_percent, memory_percent, storage_percent, network_percent) <= 100),
    CONSTRAINT performance_metrics_charged_usd_check CHECK (charged_usd >= 0 AND charged_usd <= 1e15)
) PARTITION BY RANGE (observed_at);
ALTER TABLE bcce_data.performance_metrics ADD COLUMN IF NOT EXISTS latency_digest bytea;
CREATE TABLE IF NOT EXISTS bcce_data.performance_metrics_default PARTITION OF bcce_data.performance_metrics DEFAULT;
CREATE INDEX IF NOT EXISTS performance_metrics_service_idx ON bcce_data.performance_metrics (tenant_id, service_id, observed_at);
CREATE INDEX IF NOT EXISTS performance_metrics_observed_at_idx ON bcce_data.performance_metrics (tenant_id, observed_at);
COMMENT ON TABLE bcce_data.performance_metrics IS 'one row per sample of a service; by month of observed_at';
COMMENT ON COLUMN bcce_data.performance_metrics.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.performance_metrics.source IS 'who sent it';
COMMENT ON COLUMN bcce_data.performance_metrics.idempotency_key IS 'the sender''s key of the sample, or one made from its content: the same key at the same time is stored once';
COMMENT ON COLUMN bcce_data.performance_metrics.observed_at IS 'end of the sample''s window';
COMMENT ON COLUMN bcce_data.performance_metrics.service_id IS 'service';
COMMENT ON COLUMN bcce_data.performance_metrics.window_seconds IS 'length of the sample''s window in seconds';
COMMENT ON COLUMN bcce_data.performance_metrics.request_count IS 'requests in the window';
COMMENT ON COLUMN bcce_data.performance_metrics.error_count IS 'failed requests in the window';
COMMENT ON COLUMN bcce_data.performance_metrics.p50_latency_ms IS 'median latency in milliseconds';
COMMENT ON COLUMN bcce_data.performance_metrics.p95_latency_ms IS '95th percentile of latency in milliseconds';
COMMENT ON COLUMN bcce_data.performance_metrics.p99_latency_ms IS '99th percentile of latency in milliseconds';
COMMENT ON COLUMN bcce_data.performance_metrics.throughput_rps IS 'requests per second';
COMMENT ON COLUMN bcce_data.performance_metrics.cpu_percent IS 'CPU use, 0 to 100';
COMMENT ON COLUMN bcce_data.performance_metrics.memory_percent IS 'memory use, 0 to 100';
COMMENT ON COLUMN bcce_data.performance_metrics.storage_percent IS 'storage use, 0 to 100';
COMMENT ON COLUMN bcce_data.performance_metrics.network_percent IS 'network use, 0 to 100';
COMMENT ON COLUMN bcce_data.performance_metrics.is_test IS 'test samples never count';
COMMENT ON COLUMN bcce_data.performance_metrics.charged_usd IS 'price of the sample in US dollars as of its time, frozen when it was recorded';
COMMENT ON COLUMN bcce_data.performance_metrics.recorded_at IS 'when it was recorded';
COMMENT ON COLUMN bcce_data.performance_metrics.latency_digest IS 'latencies of the window in milliseconds as a sketch, in the bytes of sketch_send(): a column of the type itself would go with the extension';
