-- One function per fact, for callers that hold typed values.  Each runs as
-- bcce_owner; row security then admits only tenants of the outer role, and a
-- tenant of somebody else is answered as one that does not exist.
CREATE OR REPLACE FUNCTION bcce_data.writable_tenant(tenant text) RETURNS uuid
LANGUAGE plpgsql STABLE AS $body$
DECLARE
    target uuid := bcce_data.resolve_tenant(tenant);
BEGIN
    IF target IS NULL THEN
        PERFORM bcce_data.refuse('unknown_tenant');
    END IF;
    RETURN target;
END
$body$;
COMMENT ON FUNCTION bcce_data.writable_tenant(text) IS 'tenant that the caller may write for; error P0002 where there is none';

CREATE OR REPLACE FUNCTION bcce.record_workflow_run(
    workflow_id text, status text, started_at timestamptz, finished_at timestamptz DEFAULT NULL,
    run_id text DEFAULT NULL, user_id text DEFAULT NULL, service_id text DEFAULT NULL, queued_at timestamptz DEFAULT NULL,
    error_class text DEFAULT NULL, error_message text DEFAULT NULL, environment text DEFAULT NULL, region text DEFAULT NULL,
    risk_level text DEFAULT NULL, identity_provider text DEFAULT NULL, retry_of text DEFAULT NULL,
    source_account text DEFAULT NULL, classification text DEFAULT NULL, source text DEFAULT 'api',
    is_test boolean DEFAULT false, tenant text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    run bcce_data.workflow_runs;
    fault text;
BEGIN
    run.tenant_id := bcce_data.writable_tenant(tenant);
    run.run_id := coalesce(run_id, bcce.uuid_v7()::text);
    run.workflow_id := workflow_id;
    run.status := bcce_data.known_word(run.tenant_id, 'run_status', status);
    run.started_at := started_at;
    run.finished_at := finished_at;
    run.user_key := user_id;
    run.service_id := service_id;
    run.queued_at := queued_at;
    run.error_class := error_class;
    run.error_message := error_message;
    run.environment := environment;
    run.region := region;
    run.risk_level := risk_level;
    run.identity_provider := identity_provider;
    run.retry_of := retry_of;
    run.source_account := source_account;
    run.classification := classification;
    run.source := source;
    run.is_test := is_test;
    fault := bcce_data.put_workflow_run(run);
    IF fault IS NOT NULL THEN
        PERFORM bcce_data.refuse(fault);
    END IF;
    RETURN bcce_data.key_text(run.tenant_id, run.run_id);
END
$body$;
COMMENT ON FUNCTION bcce.record_workflow_run(text, text, timestamptz, timestamptz, text, text, text, timestamptz, text, text, text, text, text, text, text, text, text, text, boolean, text) IS
'Records a run when it starts (status running) and again under the same run_id when it ends; returns the run_id, a new one where none is given. status takes the words of the reports and common synonyms. Free text is redacted, user_id stored as a pseudonym. Errors: P0002 tenant not found, 22023 unknown status, 23514 end before start or missing, 22004 missing id or time, 22001 id too long, 22008 time out of range.';

CREATE OR REPLACE FUNCTION bcce.record_incident(
    incident_id text, opened_at timestamptz DEFAULT NULL, title text DEFAULT NULL, severity text DEFAULT NULL,
    status text DEFAULT NULL, service_id text DEFAULT NULL, priority text DEFAULT NULL, incident_type text DEFAULT NULL,
    impact_started_at timestamptz DEFAULT NULL, detected_at timestamptz DEFAULT NULL, acknowledged_at timestamptz DEFAULT NULL,
    mitigated_at timestamptz DEFAULT NULL, recovered_at timestamptz DEFAULT NULL, resolved_at timestamptz DEFAULT NULL,
    closed_at timestamptz DEFAULT NULL, merged_into text DEFAULT NULL, affected_resources text DEFAULT NULL,
    caused_by_run text DEFAULT NULL, source text DEFAULT 'api', is_test boolean DEFAULT false, tenant text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    incident bcce_data.incidents;
    fault text;
BEGIN
    incident.tenant_id := bcce_data.writable_tenant(tenant);
    incident.incident_id := incident_id;
    incident.opened_at := opened_at;
    incident.title := title;
    incident.severity := bcce_data.known_word(incident.tenant_id, 'severity', severity);
    incident.status := bcce_data.known_word(incident.tenant_id, 'incident_status', status);
    incident.service_id := service_id;
    incident.priority := priority;
    incident.incident_type := incident_type;
    incident.impact_started_at := impact_started_at;
    incident.detected_at := detected_at;
    incident.acknowledged_at := acknowledged_at;
    incident.mitigated_at := mitigated_at;
    incident.recovered_at := recovered_at;
    incident.resolved_at := resolved_at;
    incident.closed_at := closed_at;
    incident.merged_into := merged_into;
    incident.affected_resources := affected_resources;
    incident.caused_by_run := caused_by_run;
    incident.source := source;
    incident.is_test := is_test;
    fault := CASE
        WHEN severity <> '' AND incident.severity IS NULL THEN 'unknown_severity'
        WHEN status <> '' AND incident.status IS NULL THEN 'unknown_status'
        ELSE bcce_data.put_incident(incident)
    END;
    IF fault IS NOT NULL THEN
        PERFORM bcce_data.refuse(fault);
    END IF;
    RETURN bcce_data.key_text(incident.tenant_id, incident_id);
END
$body$;
COMMENT ON FUNCTION bcce.record_incident(text, timestamptz, text, text, text, text, text, text, timestamptz, timestamptz, timestamptz, timestamptz, timestamptz, timestamptz, timestamptz, text, text, text, text, boolean, text) IS
'Records an incident, and again under the same incident_id whatever becomes known: what is given replaces, what is left out stays. opened_at defaults to detected_at or impact_started_at, and need not be given again. Returns the incident_id. Errors: P0002 tenant not found, 22023 unknown severity or status, 22004 missing id or time, 22001 id too long, 22008 time out of range.';

CREATE OR REPLACE FUNCTION bcce.record_metric(
    service_id text, observed_at timestamptz DEFAULT now(), request_count bigint DEFAULT NULL, error_count bigint DEFAULT NULL,
    p50_latency_ms double precision DEFAULT NULL, p95_latency_ms double precision DEFAULT NULL,
    p99_latency_ms double precision DEFAULT NULL, throughput_rps double precision DEFAULT NULL,
    cpu_percent double precision DEFAULT NULL, memory_percent double precision DEFAULT NULL,
    storage_percent double precision DEFAULT NULL, network_percent double precision DEFAULT NULL,
    window_seconds double precision DEFAULT NULL, idempotency_key text DEFAULT NULL, source text DEFAULT 'api',
    is_test boolean DEFAULT false, tenant text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    sample bcce_data.performance_metrics;
    fault text;
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
    fault := bcce_data.put_metric(sample);
    IF fault IS NOT NULL THEN
        PERFORM bcce_data.refuse(fault);
    END IF;
END
$body$;
COMMENT ON FUNCTION bcce.record_metric(text, timestamptz, bigint, bigint, double precision, double precision, double precision, double precision, double precision, double precision, double precision, double precision, double precision, text, text, boolean, text) IS
'Records a sample of a service: counts, latencies in milliseconds, requests per second, percentages 0 to 100. The same sample again is stored once. Errors: P0002 tenant not found, 22003 number out of range, 22004 missing id or time, 22001 id too long, 22008 time out of range.';

CREATE OR REPLACE FUNCTION bcce.record_prediction(
    model_name text, target_kind text, target_id text, failure_probability double precision,
    predicted_at timestamptz DEFAULT now(), horizon_seconds double precision DEFAULT NULL, prediction_id text DEFAULT NULL,
    model_version text DEFAULT '', features_hash text DEFAULT NULL, source text DEFAULT 'api',
    is_test boolean DEFAULT false, tenant text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    prediction bcce_data.predictions;
    fault text;
BEGIN
    prediction.tenant_id := bcce_data.writable_tenant(tenant);
    prediction.prediction_id := coalesce(prediction_id, bcce.uuid_v7()::text);
    prediction.model_name := model_name;
    prediction.model_version := model_version;
    prediction.target_kind := target_kind;
    prediction.target_id := target_id;
    prediction.failure_probability := failure_probability;
    prediction.predicted_at := predicted_at;
    prediction.horizon_seconds := horizon_seconds;
    prediction.features_hash := features_hash;
    prediction.source := source;
    prediction.is_test := is_test;
    fault := bcce_data.put_prediction(prediction);
    IF fault IS NOT NULL THEN
        PERFORM bcce_data.refuse(fault);
    END IF;
    RETURN bcce_data.key_text(prediction.tenant_id, prediction.prediction_id);
END
$body$;
COMMENT ON FUNCTION bcce.record_prediction(text, text, text, double precision, timestamptz, double precision, text, text, text, text, boolean, text) IS
'Records the predicted probability (0 to 1) that a target fails: a run, a service within horizon_seconds, or something external whose outcome you report with resolve_prediction(). A prediction is never changed afterwards; the same prediction_id again is stored once. Returns the prediction_id. Errors: P0002 tenant not found, 22003 bad probability or horizon, 22023 unknown target kind, 22004 missing id or time, 22001 id too long.';

CREATE OR REPLACE FUNCTION bcce.resolve_prediction(
    prediction_id text, outcome integer, outcome_at timestamptz DEFAULT now(), tenant text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    fault text := bcce_data.put_outcome(bcce_data.writable_tenant(tenant), prediction_id, outcome, outcome_at);
BEGIN
    IF fault IS NOT NULL THEN
        PERFORM bcce_data.refuse(fault);
    END IF;
END
$body$;
COMMENT ON FUNCTION bcce.resolve_prediction(text, integer, timestamptz, text) IS
'Reports what became of a prediction: 1 it failed, 0 it did not; a reported outcome goes before one derived from runs or incidents. Errors: P0002 prediction or tenant not found, 22023 outcome neither 0 nor 1, 22008 time out of range.';

CREATE OR REPLACE FUNCTION bcce.record_model_usage(
    model_id text, at timestamptz DEFAULT now(), input_tokens bigint DEFAULT NULL, output_tokens bigint DEFAULT NULL,
    cache_read_tokens bigint DEFAULT NULL, cache_write_5m_tokens bigint DEFAULT NULL, cache_write_1h_tokens bigint DEFAULT NULL,
    user_id text DEFAULT NULL, run_id text DEFAULT NULL, session_id text DEFAULT NULL, provider text DEFAULT NULL,
    region text DEFAULT NULL, latency_ms double precision DEFAULT NULL, is_batch boolean DEFAULT false,
    reported_cost_usd numeric DEFAULT NULL, idempotency_key text DEFAULT NULL, source text DEFAULT 'api',
    is_test boolean DEFAULT false, tenant text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    call bcce_data.model_usage;
    fault text;
BEGIN
    call.tenant_id := bcce_data.writable_tenant(tenant);
    call.model_id := model_id;
    call.at := at;
    call.input_tokens := input_tokens;
    call.output_tokens := output_tokens;
    call.cache_read_tokens := cache_read_tokens;
    call.cache_write_5m_tokens := cache_write_5m_tokens;
    call.cache_write_1h_tokens := cache_write_1h_tokens;
    call.user_key := user_id;
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
    fault := bcce_data.put_model_usage(call);
    IF fault IS NOT NULL THEN
        PERFORM bcce_data.refuse(fault);
    END IF;
END
$body$;
COMMENT ON FUNCTION bcce.record_model_usage(text, timestamptz, bigint, bigint, bigint, bigint, bigint, text, text, text, text, text, double precision, boolean, numeric, text, text, boolean, text) IS
'Records a call of a language model: tokens by class (NULL: unknown), the person as a pseudonym, and the cost in US dollars if the sender knows it. The same call again is stored once. Errors: P0002 tenant not found, 22003 number out of range, 22004 missing id or time, 22001 id too long, 22008 time out of range.';
