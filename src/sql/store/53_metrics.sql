-- Ways in for samples of services.
DO $do$
BEGIN
    IF to_regtype('bcce_data.given_metric') IS NULL THEN
        CREATE TYPE bcce_data.given_metric AS (
            tenant_id uuid, fault text, service_id text, observed_at timestamptz, window_seconds double precision,
            request_count bigint, error_count bigint, p50_latency_ms double precision, p95_latency_ms double precision,
            p99_latency_ms double precision, throughput_rps double precision, cpu_percent double precision,
            memory_percent double precision, storage_percent double precision, network_percent double precision,
            idempotency_key text, source text, is_test boolean, latency_digest bytea);
    ELSIF NOT EXISTS (SELECT FROM pg_catalog.pg_attribute
                      WHERE attrelid = 'bcce_data.given_metric'::pg_catalog.regclass AND attname = 'latency_digest') THEN
        ALTER TYPE bcce_data.given_metric ADD ATTRIBUTE latency_digest bytea;
    END IF;
END
$do$;
COMMENT ON TYPE bcce_data.given_metric IS 'a sample as a sender gives it';

-- Without a key of its own a sample has one made of its bytes: the text of a
-- float follows the session's extra_float_digits.
CREATE OR REPLACE FUNCTION bcce_data.metric_rows(samples bcce_data.given_metric[], faults text[])
RETURNS TABLE (tenant_id uuid, source text, idempotency_key text, observed_at timestamptz, service_id text, window_seconds double precision,
    request_count bigint, error_count bigint, p50_latency_ms double precision, p95_latency_ms double precision, p99_latency_ms double precision,
    throughput_rps double precision, cpu_percent double precision, memory_percent double precision, storage_percent double precision,
    network_percent double precision, is_test boolean, charged_usd numeric, latency_digest bytea)
LANGUAGE sql STABLE AS $body$
    SELECT s.tenant_id, s.source, coalesce(nullif(s.idempotency_key, ''), bcce.pseudonym(ROW(s.service_id,
               encode(array_send(ARRAY[s.window_seconds, s.p50_latency_ms, s.p95_latency_ms, s.p99_latency_ms, s.throughput_rps,
                                       s.request_count, s.error_count]), 'hex'),
               encode(array_send(ARRAY[s.cpu_percent, s.memory_percent, s.storage_percent, s.network_percent]), 'hex')
                   || coalesce(encode(s.latency_digest, 'hex'), ''))::text,
               'content', s.tenant_id)),
        s.observed_at, s.service_id, s.window_seconds, s.request_count, s.error_count,
        s.p50_latency_ms, s.p95_latency_ms, s.p99_latency_ms, s.throughput_rps,
        s.cpu_percent, s.memory_percent, s.storage_percent, s.network_percent, coalesce(s.is_test, false),
        CASE WHEN s.is_test IS NOT TRUE THEN bcce.estimate_cost('metric', 1, s.observed_at, s.tenant_id) END,
        s.latency_digest
    FROM (
        SELECT r.tenant_id, coalesce(r.source, 'api') AS source, r.idempotency_key, r.observed_at,
               bcce_data.key_text(r.tenant_id, r.service_id) AS service_id, r.window_seconds, r.request_count, r.error_count,
               r.p50_latency_ms, r.p95_latency_ms, r.p99_latency_ms, r.throughput_rps,
               r.cpu_percent, r.memory_percent, r.storage_percent, r.network_percent, r.is_test, r.latency_digest
        FROM ROWS FROM (unnest(samples), unnest(faults)) AS r
        WHERE r.unnest IS NULL OFFSET 0) AS s
$body$;
COMMENT ON FUNCTION bcce_data.metric_rows(bcce_data.given_metric[], text[]) IS 'the samples without a fault as bcce_data.performance_metrics takes them';

DROP FUNCTION IF EXISTS bcce_data.put_metrics(bcce_data.given_metric[]);
CREATE OR REPLACE FUNCTION bcce_data.put_metrics(samples bcce_data.given_metric[], all_new boolean) RETURNS text[]
LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    faults text[];
BEGIN
    SELECT array_agg(coalesce(s.fault, CASE
        WHEN s.service_id IS NULL OR s.service_id = '' THEN 'missing_id'
        WHEN greatest(length(s.service_id), length(s.idempotency_key), length(s.source)) > 256 THEN 'key_too_long'
        WHEN s.observed_at IS NULL THEN 'missing_time'
        WHEN s.window_seconds = 0 OR least(s.window_seconds, s.p50_latency_ms, s.p95_latency_ms, s.p99_latency_ms,
                                           s.throughput_rps, s.request_count, s.error_count) < 0 THEN 'negative_number'
        WHEN greatest(s.window_seconds, s.p50_latency_ms, s.p95_latency_ms, s.p99_latency_ms,
                      s.throughput_rps, s.request_count, s.error_count) > 1e15 THEN 'bad_number'
        WHEN least(s.cpu_percent, s.memory_percent, s.storage_percent, s.network_percent) < 0
             OR greatest(s.cpu_percent, s.memory_percent, s.storage_percent, s.network_percent) > 100 THEN 'bad_percent'
        WHEN bcce.min_val(digest.sketch) < 0 THEN 'negative_number'
        WHEN bcce.max_val(digest.sketch) > 1e15 THEN 'bad_number'
        ELSE bcce_data.time_fault(s.observed_at)
    END)) INTO faults
    FROM unnest(samples) AS s CROSS JOIN LATERAL (SELECT bcce.sketch_from_bytes(s.latency_digest) AS sketch) AS digest;

    PERFORM bcce_data.mention_services(array_agg(m.tenant_id), array_agg(m.service_id)) FROM (
        SELECT DISTINCT (g.sample).tenant_id, nullif((g.sample).service_id, '') AS service_id
        FROM (SELECT unnest(samples) AS sample, unnest(faults) AS fault) AS g WHERE g.fault IS NULL) AS m;

    -- In the order of the keys, so that two writers wait for each other
    -- instead of deadlocking.
    IF all_new THEN
        INSERT INTO bcce_data.performance_metrics (tenant_id, source, idempotency_key, observed_at, service_id, window_seconds,
            request_count, error_count, p50_latency_ms, p95_latency_ms, p99_latency_ms, throughput_rps,
            cpu_percent, memory_percent, storage_percent, network_percent, is_test, charged_usd, latency_digest)
        SELECT s.* FROM bcce_data.metric_rows(samples, faults) AS s ORDER BY s.tenant_id, s.idempotency_key COLLATE "C";
    ELSE
        INSERT INTO bcce_data.performance_metrics (tenant_id, source, idempotency_key, observed_at, service_id, window_seconds,
            request_count, error_count, p50_latency_ms, p95_latency_ms, p99_latency_ms, throughput_rps,
            cpu_percent, memory_percent, storage_percent, network_percent, is_test, charged_usd, latency_digest)
        SELECT s.* FROM bcce_data.metric_rows(samples, faults) AS s ORDER BY s.tenant_id, s.idempotency_key COLLATE "C"
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN faults;
END
$body$;
COMMENT ON FUNCTION bcce_data.put_metrics(bcce_data.given_metric[], boolean) IS 'stores samples once each; returns the reason of each that is refused; all_new: error 23505 if one is known, for less work';

CREATE OR REPLACE FUNCTION bcce.record_metric(
    service_id text, observed_at timestamptz DEFAULT now(), request_count bigint DEFAULT NULL, error_count bigint DEFAULT NULL,
    p50_latency_ms double precision DEFAULT NULL, p95_latency_ms double precision DEFAULT NULL,
    p99_latency_ms double precision DEFAULT NULL, throughput_rps double precision DEFAULT NULL,
    cpu_percent double precision DEFAULT NULL, memory_percent double precision DEFAULT NULL,
    storage_percent double precision DEFAULT NULL, network_percent double precision DEFAULT NULL,
    window_seconds double precision DEFAULT NULL, idempotency_key text DEFAULT NULL, source text DEFAULT 'api',
    is_test boolean DEFAULT false, tenant text DEFAULT NULL, latency_digest bcce.sketch DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET work_mem = '256MB' AS $body$
DECLARE
    sample bcce_data.given_metric;
BEGIN
    sample.tenant_id := bcce_data.writable_tenant(tenant);
    sample.service_id := service_id;
    sample.observed_at := observed_at;
    sample.request_count := request_count;
    sample.error_count := error_count;
    sample.p50_latency_ms := p50_latency_ms;
    sample.p95_latency_ms := p95_latency_ms;
    sample.p99_latency_ms := p99_latency_ms;
    sample.throughput_rps := throughput_rps;
    sample.cpu_percent := cpu_percent;
    sample.memory_percent := memory_percent;
    sample.storage_percent := storage_percent;
    sample.network_percent := network_percent;
    sample.window_seconds := window_seconds;
    sample.idempotency_key := idempotency_key;
    sample.source := source;
    sample.is_test := is_test;
    sample.latency_digest := bcce.sketch_send(latency_digest);
    PERFORM bcce_data.refuse_any(bcce_data.put_metrics(ARRAY[sample], false));
END
$body$;
COMMENT ON FUNCTION bcce.record_metric(text, timestamptz, bigint, bigint, double precision, double precision, double precision, double precision, double precision, double precision, double precision, double precision, double precision, text, text, boolean, text, bcce.sketch) IS
'Records a sample of a service: counts, latencies in milliseconds, requests per second, percentages 0 to 100; and all latencies as a sketch or, cast to one, an exponential histogram of OpenTelemetry. The same sample again is stored once. Errors: P0002 tenant not found, 22003 number out of range, 22004 missing id or time, 22001 id too long, 22008 time out of range.';

CREATE OR REPLACE VIEW bcce.inbox_metrics WITH (security_invoker = true) AS
SELECT NULL::text AS tenant, NULL::text AS service_id, NULL::text AS observed_at, NULL::text AS request_count,
       NULL::text AS error_count, NULL::text AS p50_latency_ms, NULL::text AS p95_latency_ms, NULL::text AS p99_latency_ms,
       NULL::text AS throughput_rps, NULL::text AS cpu_percent, NULL::text AS memory_percent, NULL::text AS storage_percent,
       NULL::text AS network_percent, NULL::text AS window_seconds, NULL::text AS idempotency_key, NULL::text AS source,
       NULL::text AS is_test, NULL::text AS latency_digest
WHERE false;
COMMENT ON VIEW bcce.inbox_metrics IS 'Write-only: INSERT or COPY samples of services here, all columns text; latency_digest is a sketch or an exponential histogram of OpenTelemetry in JSON. The same sample again is stored once. Bad rows are counted in bcce.rejected.';

CREATE OR REPLACE FUNCTION bcce_data.inbox_metrics() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET work_mem = '256MB' AS $body$
DECLARE
    tenants jsonb := bcce_data.resolve_tenants(ARRAY(SELECT DISTINCT bcce_data.tenant_word(b.tenant) FROM batch b));
    samples bcce_data.given_metric[];
    faults text[];
BEGIN
    SELECT array_agg(ROW(
        g.tenant_id::uuid,
        CASE
            WHEN g.tenant_id IS NULL THEN 'unknown_tenant'
            WHEN g.observed_at <> '' AND g.observed IS NULL THEN 'bad_time'
            -- As many numbers were read as were given.
            WHEN num_nonnulls(nullif(g.request_count, ''), nullif(g.error_count, ''), nullif(g.p50_latency_ms, ''),
                              nullif(g.p95_latency_ms, ''), nullif(g.p99_latency_ms, ''), nullif(g.throughput_rps, ''),
                              nullif(g.cpu_percent, ''), nullif(g.memory_percent, ''), nullif(g.storage_percent, ''),
                              nullif(g.network_percent, ''), nullif(g.window_seconds, ''))
                 <> num_nonnulls(g.requests, g.errors, g.p50, g.p95, g.p99, g.throughput, g.cpu, g.memory, g.storage, g.network, g.span)
                 THEN 'bad_number'
            WHEN g.is_test <> '' AND bcce.try_boolean(g.is_test) IS NULL THEN 'bad_boolean'
            WHEN g.latency_digest <> '' AND g.digest IS NULL THEN 'bad_digest'
        END,
        g.service_id, g.observed, g.span, g.requests, g.errors, g.p50, g.p95, g.p99, g.throughput,
        g.cpu, g.memory, g.storage, g.network, nullif(g.idempotency_key, ''), nullif(g.source, ''),
        bcce.try_boolean(g.is_test), bcce.sketch_send(g.digest)
    )::bcce_data.given_metric) INTO samples
    FROM (
        SELECT b.*, tenants ->> bcce_data.tenant_word(b.tenant) AS tenant_id, bcce.try_timestamptz(b.observed_at) AS observed,
               bcce.try_bigint(b.request_count) AS requests, bcce.try_bigint(b.error_count) AS errors,
               bcce.try_float8(b.p50_latency_ms) AS p50, bcce.try_float8(b.p95_latency_ms) AS p95,
               bcce.try_float8(b.p99_latency_ms) AS p99, bcce.try_float8(b.throughput_rps) AS throughput,
               bcce.try_float8(b.cpu_percent) AS cpu, bcce.try_float8(b.memory_percent) AS memory,
               bcce.try_float8(b.storage_percent) AS storage, bcce.try_float8(b.network_percent) AS network,
               bcce.try_float8(b.window_seconds) AS span,
               CASE WHEN b.latency_digest LIKE '%{%' THEN bcce.try_sketch(bcce.try_jsonb(b.latency_digest))
                    ELSE bcce.try_sketch(b.latency_digest) END AS digest
        FROM batch b OFFSET 0) AS g;
    faults := bcce_data.put_metrics(samples, TG_ARGV[0] = 'new');
    PERFORM bcce_data.reject('inbox_metrics', array_agg((g.sample).tenant_id), array_agg(g.fault), array_agg((g.sample).idempotency_key))
    FROM (SELECT unnest(samples) AS sample, unnest(faults) AS fault) AS g WHERE g.fault IS NOT NULL;
    RETURN NULL;
END
$body$;
COMMENT ON FUNCTION bcce_data.inbox_metrics() IS 'stores or refuses the rows of bcce.inbox_metrics';
