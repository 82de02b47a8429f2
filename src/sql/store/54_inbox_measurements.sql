-- Inboxes of samples, predictions and model calls.
CREATE OR REPLACE VIEW bcce.inbox_metrics WITH (security_invoker = true) AS
SELECT NULL::text AS tenant, NULL::text AS service_id, NULL::text AS observed_at, NULL::text AS request_count,
       NULL::text AS error_count, NULL::text AS p50_latency_ms, NULL::text AS p95_latency_ms, NULL::text AS p99_latency_ms,
       NULL::text AS throughput_rps, NULL::text AS cpu_percent, NULL::text AS memory_percent, NULL::text AS storage_percent,
       NULL::text AS network_percent, NULL::text AS window_seconds, NULL::text AS idempotency_key, NULL::text AS source,
       NULL::text AS is_test
WHERE false;
COMMENT ON VIEW bcce.inbox_metrics IS 'Write-only: INSERT or COPY samples of services here, all columns text; the same sample again is stored once. Bad rows are counted in bcce.rejected.';

CREATE OR REPLACE VIEW bcce.inbox_predictions WITH (security_invoker = true) AS
SELECT NULL::text AS tenant, NULL::text AS prediction_id, NULL::text AS model_name, NULL::text AS model_version,
       NULL::text AS target_kind, NULL::text AS target_id, NULL::text AS predicted_at, NULL::text AS horizon_seconds,
       NULL::text AS failure_probability, NULL::text AS features_hash, NULL::text AS outcome, NULL::text AS outcome_at,
       NULL::text AS source, NULL::text AS is_test
WHERE false;
COMMENT ON VIEW bcce.inbox_predictions IS 'Write-only: INSERT or COPY predictions here, all columns text; a later row with the same prediction_id and an outcome reports what became of it. Bad rows are counted in bcce.rejected.';

CREATE OR REPLACE VIEW bcce.inbox_model_usage WITH (security_invoker = true) AS
SELECT NULL::text AS tenant, NULL::text AS model_id, NULL::text AS at, NULL::text AS input_tokens, NULL::text AS output_tokens,
       NULL::text AS cache_read_tokens, NULL::text AS cache_write_5m_tokens, NULL::text AS cache_write_1h_tokens,
       NULL::text AS user_id, NULL::text AS run_id, NULL::text AS session_id, NULL::text AS provider, NULL::text AS region,
       NULL::text AS latency_ms, NULL::text AS is_batch, NULL::text AS reported_cost_usd, NULL::text AS idempotency_key,
       NULL::text AS source, NULL::text AS is_test
WHERE false;
COMMENT ON VIEW bcce.inbox_model_usage IS 'Write-only: INSERT or COPY calls of language models here, all columns text; the same call again is stored once. Bad rows are counted in bcce.rejected.';

CREATE OR REPLACE FUNCTION bcce_data.inbox_metrics() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    sample bcce_data.performance_metrics;
    given text[] := ARRAY[NEW.request_count, NEW.error_count, NEW.p50_latency_ms, NEW.p95_latency_ms, NEW.p99_latency_ms,
        NEW.throughput_rps, NEW.cpu_percent, NEW.memory_percent, NEW.storage_percent, NEW.network_percent, NEW.window_seconds];
    fault text;
BEGIN
    sample.tenant_id := bcce_data.resolve_tenant(NEW.tenant);
    IF sample.tenant_id IS NULL THEN
        PERFORM bcce_data.reject(NULL, 'inbox_metrics', 'unknown_tenant', NULL);
        RETURN NEW;
    END IF;
    sample.service_id := NEW.service_id;
    sample.observed_at := bcce.try_timestamptz(NEW.observed_at);
    sample.request_count := bcce.try_bigint(NEW.request_count);
    sample.error_count := bcce.try_bigint(NEW.error_count);
    sample.p50_latency_ms := bcce.try_float8(NEW.p50_latency_ms);
    sample.p95_latency_ms := bcce.try_float8(NEW.p95_latency_ms);
    sample.p99_latency_ms := bcce.try_float8(NEW.p99_latency_ms);
    sample.throughput_rps := bcce.try_float8(NEW.throughput_rps);
    sample.cpu_percent := bcce.try_float8(NEW.cpu_percent);
    sample.memory_percent := bcce.try_float8(NEW.memory_percent);
    sample.storage_percent := bcce.try_float8(NEW.storage_percent);
    sample.network_percent := bcce.try_float8(NEW.network_percent);
    sample.window_seconds := bcce.try_float8(NEW.window_seconds);
    sample.idempotency_key := nullif(NEW.idempotency_key, '');
    sample.source := coalesce(nullif(NEW.source, ''), 'inbox');
    sample.is_test := bcce.try_boolean(NEW.is_test);
    fault := CASE
        WHEN NEW.observed_at <> '' AND sample.observed_at IS NULL THEN 'bad_time'
        -- As many numbers were read as were given.
        WHEN cardinality(array_remove(array_remove(given, ''), NULL)) <>
             num_nonnulls(sample.request_count, sample.error_count, sample.p50_latency_ms, sample.p95_latency_ms,
                          sample.p99_latency_ms, sample.throughput_rps, sample.cpu_percent, sample.memory_percent,
                          sample.storage_percent, sample.network_percent, sample.window_seconds) THEN 'bad_number'
        WHEN NEW.is_test <> '' AND sample.is_test IS NULL THEN 'bad_boolean'
        ELSE bcce_data.put_metric(sample)
    END;
    IF fault IS NOT NULL THEN
        PERFORM bcce_data.reject(sample.tenant_id, 'inbox_metrics', fault, sample.idempotency_key);
    END IF;
    RETURN NEW;
END
$body$;
COMMENT ON FUNCTION bcce_data.inbox_metrics() IS 'stores or refuses a row of bcce.inbox_metrics';

CREATE OR REPLACE FUNCTION bcce_data.inbox_predictions() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    prediction bcce_data.predictions;
    outcome bigint := bcce.try_bigint(NEW.outcome);
    outcome_at timestamptz := bcce.try_timestamptz(NEW.outcome_at);
    fault text;
BEGIN
    prediction.tenant_id := bcce_data.resolve_tenant(NEW.tenant);
    IF prediction.tenant_id IS NULL THEN
        PERFORM bcce_data.reject(NULL, 'inbox_predictions', 'unknown_tenant', NULL);
        RETURN NEW;
    END IF;
    prediction.prediction_id := coalesce(nullif(NEW.prediction_id, ''), bcce.uuid_v7()::text);
    prediction.model_name := NEW.model_name;
    prediction.model_version := NEW.model_version;
    prediction.target_kind := lower(btrim(NEW.target_kind));
    prediction.target_id := NEW.target_id;
    prediction.predicted_at := bcce.try_timestamptz(NEW.predicted_at);
    prediction.horizon_seconds := bcce.try_float8(NEW.horizon_seconds);
    prediction.failure_probability := bcce.try_float8(NEW.failure_probability);
    prediction.features_hash := nullif(NEW.features_hash, '');
    prediction.source := coalesce(nullif(NEW.source, ''), 'inbox');
    prediction.is_test := bcce.try_boolean(NEW.is_test);
    fault := CASE
        WHEN (NEW.predicted_at <> '' AND prediction.predicted_at IS NULL) OR (NEW.outcome_at <> '' AND outcome_at IS NULL) THEN 'bad_time'
        WHEN NEW.horizon_seconds <> '' AND prediction.horizon_seconds IS NULL THEN 'bad_number'
        WHEN NEW.outcome <> '' AND (outcome IS NULL OR outcome NOT IN (0, 1)) THEN 'bad_outcome'
        WHEN NEW.is_test <> '' AND prediction.is_test IS NULL THEN 'bad_boolean'
        -- A row with nothing but an outcome is about a prediction that is known.
        WHEN outcome IS NULL OR NEW.failure_probability <> '' THEN bcce_data.put_prediction(prediction)
    END;
    IF fault IS NULL AND outcome IS NOT NULL THEN
        fault := bcce_data.put_outcome(prediction.tenant_id, prediction.prediction_id, outcome::integer,
                                       coalesce(outcome_at, statement_timestamp()));
    END IF;
    IF fault IS NOT NULL THEN
        PERFORM bcce_data.reject(prediction.tenant_id, 'inbox_predictions', fault, prediction.prediction_id);
    END IF;
    RETURN NEW;
END
$body$;
COMMENT ON FUNCTION bcce_data.inbox_predictions() IS 'stores or refuses a row of bcce.inbox_predictions';

CREATE OR REPLACE FUNCTION bcce_data.inbox_model_usage() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    call bcce_data.model_usage;
    given text[] := ARRAY[NEW.input_tokens, NEW.output_tokens, NEW.cache_read_tokens, NEW.cache_write_5m_tokens,
        NEW.cache_write_1h_tokens, NEW.latency_ms, NEW.reported_cost_usd];
    fault text;
BEGIN
    call.tenant_id := bcce_data.resolve_tenant(NEW.tenant);
    IF call.tenant_id IS NULL THEN
        PERFORM bcce_data.reject(NULL, 'inbox_model_usage', 'unknown_tenant', NULL);
        RETURN NEW;
    END IF;
    call.model_id := NEW.model_id;
    call.at := bcce.try_timestamptz(NEW.at);
    call.input_tokens := bcce.try_bigint(NEW.input_tokens);
    call.output_tokens := bcce.try_bigint(NEW.output_tokens);
    call.cache_read_tokens := bcce.try_bigint(NEW.cache_read_tokens);
    call.cache_write_5m_tokens := bcce.try_bigint(NEW.cache_write_5m_tokens);
    call.cache_write_1h_tokens := bcce.try_bigint(NEW.cache_write_1h_tokens);
    call.user_key := nullif(NEW.user_id, '');
    call.run_id := nullif(NEW.run_id, '');
    call.session_id := nullif(NEW.session_id, '');
    call.provider := nullif(NEW.provider, '');
    call.region := nullif(NEW.region, '');
    call.latency_ms := bcce.try_float8(NEW.latency_ms);
    call.is_batch := bcce.try_boolean(NEW.is_batch);
    call.reported_cost_usd := bcce.try_numeric(NEW.reported_cost_usd);
    call.idempotency_key := nullif(NEW.idempotency_key, '');
    call.source := coalesce(nullif(NEW.source, ''), 'inbox');
    call.is_test := bcce.try_boolean(NEW.is_test);
    fault := CASE
        WHEN NEW.at <> '' AND call.at IS NULL THEN 'bad_time'
        WHEN cardinality(array_remove(array_remove(given, ''), NULL)) <>
             num_nonnulls(call.input_tokens, call.output_tokens, call.cache_read_tokens, call.cache_write_5m_tokens,
                          call.cache_write_1h_tokens, call.latency_ms, call.reported_cost_usd) THEN 'bad_number'
        WHEN (NEW.is_test <> '' AND call.is_test IS NULL) OR (NEW.is_batch <> '' AND call.is_batch IS NULL) THEN 'bad_boolean'
        ELSE bcce_data.put_model_usage(call)
    END;
    IF fault IS NOT NULL THEN
        PERFORM bcce_data.reject(call.tenant_id, 'inbox_model_usage', fault, call.idempotency_key);
    END IF;
    RETURN NEW;
END
$body$;
COMMENT ON FUNCTION bcce_data.inbox_model_usage() IS 'stores or refuses a row of bcce.inbox_model_usage';

CREATE OR REPLACE TRIGGER inbox INSTEAD OF INSERT ON bcce.inbox_metrics
    FOR EACH ROW EXECUTE FUNCTION bcce.inbox_row('inbox_metrics');
CREATE OR REPLACE TRIGGER inbox INSTEAD OF INSERT ON bcce.inbox_predictions
    FOR EACH ROW EXECUTE FUNCTION bcce.inbox_row('inbox_predictions');
CREATE OR REPLACE TRIGGER inbox INSTEAD OF INSERT ON bcce.inbox_model_usage
    FOR EACH ROW EXECUTE FUNCTION bcce.inbox_row('inbox_model_usage');
