-- What every way in shares: identifiers, first mentions, counted rejections.
-- These run inside the definer functions that call them, under their pinned
-- search_path, once or more a row: plpgsql keeps their plans.
CREATE OR REPLACE FUNCTION bcce_data.key_text(tenant uuid, value text) RETURNS text
LANGUAGE plpgsql STABLE AS $body$
BEGIN
    RETURN CASE WHEN bcce.contains_pii(value) THEN bcce.pseudonym(value, 'id', tenant) ELSE value END;
END
$body$;
COMMENT ON FUNCTION bcce_data.key_text(uuid, text) IS 'an identifier as the redaction trigger will store it, so that it can be looked up before';

CREATE OR REPLACE FUNCTION bcce_data.time_fault(VARIADIC instants timestamptz[]) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $body$
BEGIN
    RETURN CASE WHEN '1970-01-01 00:00:00+00' > ANY (instants) OR '2201-01-01 00:00:00+00' <= ANY (instants)
                THEN 'time_out_of_range' END;
END
$body$;
COMMENT ON FUNCTION bcce_data.time_fault(timestamptz[]) IS 'reason to refuse an instant outside 1970 to 2200, NULL where there is none';

CREATE OR REPLACE FUNCTION bcce_data.reject(tenant uuid, source text, reason text, example_key text) RETURNS void
LANGUAGE plpgsql VOLATILE AS $body$
BEGIN
    INSERT INTO bcce_data.rejected_input (tenant_id, source, reason, example_key)
    VALUES (coalesce(tenant, bcce.current_tenant(), '00000000-0000-0000-0000-000000000000'), source, reason,
            CASE WHEN tenant IS NOT NULL AND length(example_key) <= 256 THEN example_key END);
END
$body$;
COMMENT ON FUNCTION bcce_data.reject(uuid, text, text, text) IS 'counts a refused row; its id is kept only where the tenant is known, whose key can hide it';

CREATE OR REPLACE FUNCTION bcce_data.mention_service(tenant uuid, service text) RETURNS void
LANGUAGE plpgsql VOLATILE AS $body$
BEGIN
    IF service IS NOT NULL
       AND NOT EXISTS (SELECT FROM bcce_data.services s WHERE s.tenant_id = tenant AND s.service_id = service) THEN
        INSERT INTO bcce_data.services (tenant_id, service_id, service_name) VALUES (tenant, service, service)
        ON CONFLICT DO NOTHING;
    END IF;
END
$body$;
COMMENT ON FUNCTION bcce_data.mention_service(uuid, text) IS 'makes the row of a service at its first mention';

CREATE OR REPLACE FUNCTION bcce_data.put_workflow_run(run bcce_data.workflow_runs) RETURNS text
LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    fault text;
    known_start timestamptz;
BEGIN
    fault := CASE
        WHEN run.workflow_id IS NULL OR run.workflow_id = '' OR run.run_id = '' THEN 'missing_id'
        WHEN greatest(length(run.run_id), length(run.workflow_id), length(run.service_id), length(run.retry_of)) > 256 THEN 'key_too_long'
        WHEN run.started_at IS NULL THEN 'missing_time'
        WHEN run.status IS NULL THEN 'unknown_status'
        WHEN run.finished_at < run.started_at THEN 'finished_before_started'
        WHEN run.status = 'running' AND run.finished_at IS NOT NULL THEN 'finished_while_running'
        WHEN run.status <> 'running' AND run.finished_at IS NULL THEN 'finished_missing'
        ELSE bcce_data.time_fault(run.started_at, run.finished_at, run.queued_at)
    END;
    IF fault IS NOT NULL THEN
        RETURN fault;
    END IF;
    run.run_id := bcce_data.key_text(run.tenant_id, coalesce(run.run_id, bcce.uuid_v7()::text));
    run.workflow_id := bcce_data.key_text(run.tenant_id, run.workflow_id);
    run.service_id := bcce_data.key_text(run.tenant_id, nullif(run.service_id, ''));
    run.user_key := nullif(run.user_key, '');
    run.is_test := coalesce(run.is_test, false);

    PERFORM bcce_data.mention_service(run.tenant_id, run.service_id);
    SELECT coalesce(run.service_id, w.service_id) INTO run.service_id FROM bcce_data.workflows w
    WHERE w.tenant_id = run.tenant_id AND w.workflow_id = run.workflow_id;
    IF NOT FOUND THEN
        INSERT INTO bcce_data.workflows (tenant_id, workflow_id, name, service_id)
        VALUES (run.tenant_id, run.workflow_id, run.workflow_id, run.service_id)
        ON CONFLICT DO NOTHING;
    END IF;

    INSERT INTO bcce_data.workflow_run_keys (tenant_id, run_id, started_at)
    VALUES (run.tenant_id, run.run_id, run.started_at)
    ON CONFLICT DO NOTHING;
    IF FOUND THEN
        INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, started_at, workflow_id, service_id, user_key, status,
            queued_at, finished_at, error_class, error_message, environment, region, risk_level, identity_provider,
            retry_of, source_account, source, classification, is_test, charged_usd)
        VALUES (run.tenant_id, run.run_id, run.started_at, run.workflow_id, run.service_id, run.user_key, run.status,
            run.queued_at, run.finished_at, run.error_class, run.error_message, run.environment, run.region, run.risk_level,
            run.identity_provider, run.retry_of, run.source_account, coalesce(run.source, 'api'), run.classification, run.is_test,
            CASE WHEN run.status <> 'skipped' AND NOT run.is_test
                 THEN bcce.estimate_cost('workflow_run', 1, run.started_at, run.tenant_id) END)
        ON CONFLICT DO NOTHING;
        RETURN NULL;
    END IF;

    -- A known run: a newer state replaces an older one, and what was not known
    -- is filled in, also by the start of a run whose end came first.  A run
    -- that ended does not run again.
    SELECT k.started_at INTO known_start FROM bcce_data.workflow_run_keys k
    WHERE k.tenant_id = run.tenant_id AND k.run_id = run.run_id;
    IF run.finished_at < known_start THEN
        RETURN 'finished_before_started';
    END IF;
    UPDATE bcce_data.workflow_runs AS r
    SET status = CASE WHEN run.status = 'running' THEN r.status ELSE run.status END,
        finished_at = coalesce(run.finished_at, r.finished_at),
        queued_at = coalesce(r.queued_at, run.queued_at),
        service_id = coalesce(r.service_id, run.service_id),
        user_key = coalesce(r.user_key, run.user_key),
        error_class = CASE WHEN run.status = 'running' THEN coalesce(r.error_class, run.error_class)
                           ELSE coalesce(run.error_class, r.error_class) END,
        error_message = CASE WHEN run.status = 'running' THEN coalesce(r.error_message, run.error_message)
                             ELSE coalesce(run.error_message, r.error_message) END,
        environment = coalesce(r.environment, run.environment),
        region = coalesce(r.region, run.region),
        risk_level = coalesce(r.risk_level, run.risk_level),
        identity_provider = coalesce(r.identity_provider, run.identity_provider),
        retry_of = coalesce(r.retry_of, run.retry_of),
        source_account = coalesce(r.source_account, run.source_account),
        classification = coalesce(r.classification, run.classification),
        charged_usd = CASE WHEN r.status = 'skipped' AND run.status <> 'skipped' AND NOT r.is_test
                           THEN bcce.estimate_cost('workflow_run', 1, r.started_at, r.tenant_id) ELSE r.charged_usd END
    WHERE r.tenant_id = run.tenant_id AND r.run_id = run.run_id AND r.started_at = known_start;
    RETURN NULL;
END
$body$;
COMMENT ON FUNCTION bcce_data.put_workflow_run(bcce_data.workflow_runs) IS 'stores a run or brings a known one up to date; returns the reason where it is refused';

CREATE OR REPLACE FUNCTION bcce_data.put_incident(incident bcce_data.incidents) RETURNS text
LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    fault text;
    order_of CONSTANT text[] := ARRAY['open', 'acknowledged', 'mitigated', 'resolved', 'closed'];
BEGIN
    incident.opened_at := coalesce(incident.opened_at, incident.detected_at, incident.impact_started_at);
    IF incident.opened_at IS NULL AND length(incident.incident_id) <= 256 THEN
        SELECT i.opened_at INTO incident.opened_at FROM bcce_data.incidents i
        WHERE i.tenant_id = incident.tenant_id AND i.incident_id = bcce_data.key_text(incident.tenant_id, incident.incident_id);
    END IF;
    fault := CASE
        WHEN incident.incident_id IS NULL OR incident.incident_id = '' THEN 'missing_id'
        WHEN greatest(length(incident.incident_id), length(incident.service_id), length(incident.merged_into), length(incident.caused_by_run)) > 256 THEN 'key_too_long'
        WHEN incident.opened_at IS NULL THEN 'missing_time'
        ELSE bcce_data.time_fault(incident.opened_at, incident.impact_started_at, incident.detected_at, incident.acknowledged_at,
                                  incident.mitigated_at, incident.recovered_at, incident.resolved_at, incident.closed_at)
    END;
    IF fault IS NOT NULL THEN
        RETURN fault;
    END IF;
    incident.status := coalesce(incident.status, CASE
        WHEN incident.closed_at IS NOT NULL THEN 'closed'
        WHEN coalesce(incident.recovered_at, incident.resolved_at) IS NOT NULL THEN 'resolved'
        WHEN incident.mitigated_at IS NOT NULL THEN 'mitigated'
        WHEN incident.acknowledged_at IS NOT NULL THEN 'acknowledged'
        ELSE 'open' END);
    incident.incident_id := bcce_data.key_text(incident.tenant_id, incident.incident_id);
    incident.service_id := bcce_data.key_text(incident.tenant_id, nullif(incident.service_id, ''));
    PERFORM bcce_data.mention_service(incident.tenant_id, incident.service_id);

    -- What a later row says replaces what was known; what it leaves out stays.
    INSERT INTO bcce_data.incidents AS i (tenant_id, incident_id, service_id, severity, priority, incident_type, title, status,
        opened_at, impact_started_at, detected_at, acknowledged_at, mitigated_at, recovered_at, resolved_at, closed_at,
        merged_into, affected_resources, caused_by_run, source, is_test)
    VALUES (incident.tenant_id, incident.incident_id, incident.service_id, incident.severity, incident.priority,
        incident.incident_type, incident.title, incident.status, incident.opened_at, incident.impact_started_at,
        incident.detected_at, incident.acknowledged_at, incident.mitigated_at, incident.recovered_at, incident.resolved_at,
        incident.closed_at, incident.merged_into, incident.affected_resources, incident.caused_by_run,
        coalesce(incident.source, 'api'), coalesce(incident.is_test, false))
    ON CONFLICT ON CONSTRAINT incidents_pkey DO UPDATE
    SET service_id = coalesce(excluded.service_id, i.service_id),
        severity = coalesce(excluded.severity, i.severity),
        priority = coalesce(excluded.priority, i.priority),
        incident_type = coalesce(excluded.incident_type, i.incident_type),
        title = coalesce(excluded.title, i.title),
        status = CASE WHEN array_position(order_of, excluded.status) >= array_position(order_of, i.status)
                      THEN excluded.status ELSE i.status END,
        opened_at = least(i.opened_at, excluded.opened_at),
        impact_started_at = coalesce(excluded.impact_started_at, i.impact_started_at),
        detected_at = coalesce(excluded.detected_at, i.detected_at),
        acknowledged_at = coalesce(excluded.acknowledged_at, i.acknowledged_at),
        mitigated_at = coalesce(excluded.mitigated_at, i.mitigated_at),
        recovered_at = coalesce(excluded.recovered_at, i.recovered_at),
        resolved_at = coalesce(excluded.resolved_at, i.resolved_at),
        closed_at = coalesce(excluded.closed_at, i.closed_at),
        merged_into = coalesce(excluded.merged_into, i.merged_into),
        affected_resources = coalesce(excluded.affected_resources, i.affected_resources),
        caused_by_run = coalesce(excluded.caused_by_run, i.caused_by_run);
    RETURN NULL;
END
$body$;
COMMENT ON FUNCTION bcce_data.put_incident(bcce_data.incidents) IS 'stores an incident or brings a known one up to date; returns the reason where it is refused';

CREATE OR REPLACE FUNCTION bcce_data.put_metric(sample bcce_data.performance_metrics) RETURNS text
LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    fault text;
    measurements double precision[] := ARRAY[sample.window_seconds, sample.p50_latency_ms, sample.p95_latency_ms,
        sample.p99_latency_ms, sample.throughput_rps, sample.request_count, sample.error_count];
    percents double precision[] := ARRAY[sample.cpu_percent, sample.memory_percent, sample.storage_percent, sample.network_percent];
BEGIN
    fault := CASE
        WHEN sample.service_id IS NULL OR sample.service_id = '' THEN 'missing_id'
        WHEN greatest(length(sample.service_id), length(sample.idempotency_key), length(sample.source)) > 256 THEN 'key_too_long'
        WHEN sample.observed_at IS NULL THEN 'missing_time'
        WHEN sample.window_seconds = 0 OR 0 > ANY (measurements) THEN 'negative_number'
        WHEN 1e15 < ANY (measurements) THEN 'bad_number'
        WHEN 0 > ANY (percents) OR 100 < ANY (percents) THEN 'bad_percent'
        ELSE bcce_data.time_fault(sample.observed_at)
    END;
    IF fault IS NOT NULL THEN
        RETURN fault;
    END IF;
    sample.service_id := bcce_data.key_text(sample.tenant_id, sample.service_id);
    PERFORM bcce_data.mention_service(sample.tenant_id, sample.service_id);
    -- Without a key of its own a sample has one made of its bytes: the text of
    -- a float follows the session's extra_float_digits.
    INSERT INTO bcce_data.performance_metrics (tenant_id, source, idempotency_key, observed_at, service_id, window_seconds,
        request_count, error_count, p50_latency_ms, p95_latency_ms, p99_latency_ms, throughput_rps,
        cpu_percent, memory_percent, storage_percent, network_percent, is_test, charged_usd)
    VALUES (sample.tenant_id, coalesce(sample.source, 'api'),
        coalesce(nullif(sample.idempotency_key, ''), bcce.pseudonym(ROW(sample.service_id, encode(array_send(measurements), 'hex'), encode(array_send(percents), 'hex'))::text, 'content', sample.tenant_id)),
        sample.observed_at, sample.service_id, sample.window_seconds, sample.request_count, sample.error_count,
        sample.p50_latency_ms, sample.p95_latency_ms, sample.p99_latency_ms, sample.throughput_rps,
        sample.cpu_percent, sample.memory_percent, sample.storage_percent, sample.network_percent,
        coalesce(sample.is_test, false),
        CASE WHEN sample.is_test IS NOT TRUE THEN bcce.estimate_cost('metric', 1, sample.observed_at, sample.tenant_id) END)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$body$;
COMMENT ON FUNCTION bcce_data.put_metric(bcce_data.performance_metrics) IS 'stores a sample once; returns the reason where it is refused';

CREATE OR REPLACE FUNCTION bcce_data.put_prediction(prediction bcce_data.predictions) RETURNS text
LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    fault text;
BEGIN
    fault := CASE
        WHEN prediction.model_name IS NULL OR prediction.model_name = '' OR prediction.target_id IS NULL
             OR prediction.target_id = '' OR prediction.prediction_id = '' THEN 'missing_id'
        WHEN greatest(length(prediction.prediction_id), length(prediction.model_name), length(prediction.model_version),
                      length(prediction.target_id), length(prediction.features_hash)) > 256 THEN 'key_too_long'
        WHEN prediction.predicted_at IS NULL THEN 'missing_time'
        WHEN prediction.target_kind IS NULL OR prediction.target_kind NOT IN ('run', 'service', 'external') THEN 'unknown_target_kind'
        WHEN prediction.failure_probability IS NULL OR NOT prediction.failure_probability BETWEEN 0 AND 1 THEN 'bad_probability'
        WHEN prediction.target_kind = 'service' AND prediction.horizon_seconds IS NULL THEN 'missing_horizon'
        WHEN NOT (prediction.horizon_seconds > 0 AND prediction.horizon_seconds <= 1e9) THEN 'bad_number'
        ELSE bcce_data.time_fault(prediction.predicted_at)
    END;
    IF fault IS NOT NULL THEN
        RETURN fault;
    END IF;
    prediction.prediction_id := bcce_data.key_text(prediction.tenant_id, coalesce(prediction.prediction_id, bcce.uuid_v7()::text));
    prediction.model_name := bcce_data.key_text(prediction.tenant_id, prediction.model_name);
    prediction.model_version := bcce_data.key_text(prediction.tenant_id, coalesce(prediction.model_version, ''));
    prediction.target_id := bcce_data.key_text(prediction.tenant_id, prediction.target_id);
    IF NOT EXISTS (SELECT FROM bcce_data.models m WHERE m.tenant_id = prediction.tenant_id
                   AND m.model_name = prediction.model_name AND m.model_version = prediction.model_version) THEN
        INSERT INTO bcce_data.models (tenant_id, model_name, model_version)
        VALUES (prediction.tenant_id, prediction.model_name, prediction.model_version)
        ON CONFLICT DO NOTHING;
    END IF;
    -- A probability that was given is never changed afterwards: no peeking.
    INSERT INTO bcce_data.prediction_keys (tenant_id, prediction_id, predicted_at)
    VALUES (prediction.tenant_id, prediction.prediction_id, prediction.predicted_at)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    INSERT INTO bcce_data.predictions (tenant_id, prediction_id, predicted_at, model_name, model_version, target_kind, target_id,
        horizon_seconds, failure_probability, features_hash, source, is_test, charged_usd)
    VALUES (prediction.tenant_id, prediction.prediction_id, prediction.predicted_at, prediction.model_name,
        prediction.model_version, prediction.target_kind, prediction.target_id, prediction.horizon_seconds,
        prediction.failure_probability, prediction.features_hash, coalesce(prediction.source, 'api'),
        coalesce(prediction.is_test, false),
        CASE WHEN prediction.is_test IS NOT TRUE
             THEN bcce.estimate_cost('prediction', 1, prediction.predicted_at, prediction.tenant_id) END)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$body$;
COMMENT ON FUNCTION bcce_data.put_prediction(bcce_data.predictions) IS 'stores a prediction once; returns the reason where it is refused';

CREATE OR REPLACE FUNCTION bcce_data.put_outcome(tenant uuid, prediction text, told integer, told_at timestamptz) RETURNS text
LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    key text := bcce_data.key_text(tenant, prediction);
    fault text := CASE
        WHEN told IS NULL OR told NOT IN (0, 1) THEN 'bad_outcome'
        WHEN told_at IS NULL THEN 'missing_time'
        ELSE bcce_data.time_fault(told_at)
    END;
BEGIN
    IF fault IS NOT NULL THEN
        RETURN fault;
    END IF;
    UPDATE bcce_data.predictions p SET outcome = told, outcome_at = told_at
    FROM bcce_data.prediction_keys k
    WHERE k.tenant_id = tenant AND k.prediction_id = key
      AND p.tenant_id = k.tenant_id AND p.prediction_id = k.prediction_id AND p.predicted_at = k.predicted_at;
    RETURN CASE WHEN NOT FOUND THEN 'unknown_prediction' END;
END
$body$;
COMMENT ON FUNCTION bcce_data.put_outcome(uuid, text, integer, timestamptz) IS 'notes what became of a prediction; returns the reason where it is refused';

CREATE OR REPLACE FUNCTION bcce_data.put_model_usage(call bcce_data.model_usage) RETURNS text
LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    fault text;
    counts numeric[] := ARRAY[call.input_tokens, call.output_tokens, call.cache_read_tokens, call.cache_write_5m_tokens,
        call.cache_write_1h_tokens, call.reported_cost_usd, call.latency_ms::numeric];
BEGIN
    fault := CASE
        WHEN call.model_id IS NULL OR call.model_id = '' THEN 'missing_id'
        WHEN greatest(length(call.model_id), length(call.idempotency_key), length(call.session_id), length(call.run_id),
                      length(call.source)) > 256 THEN 'key_too_long'
        WHEN call.at IS NULL THEN 'missing_time'
        WHEN 0 > ANY (counts) THEN 'negative_number'
        WHEN 1e15 < ANY (counts) THEN 'bad_number'
        ELSE bcce_data.time_fault(call.at)
    END;
    IF fault IS NOT NULL THEN
        RETURN fault;
    END IF;
    call.user_key := nullif(call.user_key, '');
    INSERT INTO bcce_data.model_usage (tenant_id, source, idempotency_key, at, model_id, provider, region, user_key, session_id,
        run_id, input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, latency_ms,
        is_batch, is_test, reported_cost_usd)
    VALUES (call.tenant_id, coalesce(call.source, 'api'),
        coalesce(nullif(call.idempotency_key, ''), bcce.pseudonym(ROW(call.model_id, call.user_key, call.session_id, call.run_id, counts)::text, 'content', call.tenant_id)),
        call.at, call.model_id, call.provider, call.region, call.user_key, nullif(call.session_id, ''), nullif(call.run_id, ''),
        call.input_tokens, call.output_tokens, call.cache_read_tokens, call.cache_write_5m_tokens, call.cache_write_1h_tokens,
        call.latency_ms, coalesce(call.is_batch, false), coalesce(call.is_test, false), call.reported_cost_usd)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$body$;
COMMENT ON FUNCTION bcce_data.put_model_usage(bcce_data.model_usage) IS 'stores a model call once; returns the reason where it is refused';
