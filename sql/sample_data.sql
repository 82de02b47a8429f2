-- Proves that the sample data are the same in every database and session, that
-- a second call adds nothing, that nothing planted is stored, that every
-- report answers from them, and that each status of a service occurs.
SET client_min_messages = warning;
\set DB1 :DBNAME
\set end '''2026-03-15 12:00:30+00'''

CREATE DATABASE regress_sample_data_1;
CREATE DATABASE regress_sample_data_2;
\c regress_sample_data_1
SET client_min_messages = warning;
CREATE EXTENSION bcce;

-- What is stored, without ids that are random: one line per fact.
CREATE FUNCTION pg_temp.fingerprint() RETURNS text LANGUAGE sql SET extra_float_digits = 0 AS $$
    SELECT md5(string_agg(line, E'\n' ORDER BY line COLLATE "C"))
    FROM (
        SELECT concat_ws('|', 'run', t.slug, run_id, extract(epoch FROM started_at), workflow_id, service_id, status, extract(epoch FROM queued_at),
                         extract(epoch FROM finished_at), error_class, error_message, environment, retry_of, charged_usd) AS line
        FROM bcce_data.workflow_runs JOIN bcce_data.tenants t USING (tenant_id)
        UNION ALL
        SELECT concat_ws('|', 'incident', t.slug, incident_id, service_id, severity, title, status, extract(epoch FROM opened_at),
                         extract(epoch FROM impact_started_at), extract(epoch FROM acknowledged_at), extract(epoch FROM mitigated_at),
                         extract(epoch FROM recovered_at), extract(epoch FROM closed_at), is_test)
        FROM bcce_data.incidents JOIN bcce_data.tenants t USING (tenant_id)
        UNION ALL
        SELECT concat_ws('|', 'impact', t.slug, incident_id, extract(epoch FROM lower(span)), extract(epoch FROM upper(span)))
        FROM bcce_data.incident_impacts JOIN bcce_data.tenants t USING (tenant_id)
        UNION ALL
        SELECT concat_ws('|', 'incident event', t.slug, incident_id, event_id, extract(epoch FROM at), kind, response_action)
        FROM bcce_data.incident_events JOIN bcce_data.tenants t USING (tenant_id)
        UNION ALL
        SELECT concat_ws('|', 'metric', t.slug, idempotency_key, extract(epoch FROM observed_at), service_id, window_seconds, request_count,
                         error_count, p95_latency_ms, throughput_rps, cpu_percent, memory_percent, storage_percent, network_percent, charged_usd, latency_digest)
        FROM bcce_data.performance_metrics JOIN bcce_data.tenants t USING (tenant_id)
        UNION ALL
        SELECT concat_ws('|', 'prediction', t.slug, prediction_id, extract(epoch FROM predicted_at), model_name, model_version, target_id,
                         failure_probability, charged_usd)
        FROM bcce_data.predictions JOIN bcce_data.tenants t USING (tenant_id)
        UNION ALL
        SELECT concat_ws('|', 'call', t.slug, idempotency_key, extract(epoch FROM at), model_id, session_id, input_tokens, output_tokens,
                         cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, project, run_id, latency_ms, reported_cost_usd, charged_usd)
        FROM bcce_data.model_usage JOIN bcce_data.tenants t USING (tenant_id)
        UNION ALL
        SELECT concat_ws('|', 'event', t.slug, idempotency_key, extract(epoch FROM occurred_at), event_type, guest_type, session_id, service_id,
                         ip_prefix, user_agent_family, properties)
        FROM bcce_data.events JOIN bcce_data.tenants t USING (tenant_id)
        UNION ALL
        SELECT concat_ws('|', 'bill', t.slug, category, amount_usd, extract(epoch FROM period_start_at))
        FROM bcce_data.infra_costs JOIN bcce_data.tenants t USING (tenant_id)
    ) facts
$$;

SET timezone = 'Pacific/Auckland';
SET datestyle = 'German';
SET intervalstyle = 'sql_standard';
SELECT * FROM bcce.generate_sample_data(ending_at => :end);
SELECT pg_temp.fingerprint() AS first \gset

-- The same call adds nothing, and changes nothing.
SELECT count(*) AS added FROM bcce.generate_sample_data(ending_at => :end);
SELECT pg_temp.fingerprint() = :'first' AS unchanged;

-- No id looks like personal data: the trigger would have hidden it.
SELECT (SELECT count(*) FROM bcce_data.workflow_run_keys WHERE run_id LIKE 'id\_%') + (SELECT count(*) FROM bcce_data.prediction_keys WHERE prediction_id LIKE 'id\_%')
     + (SELECT count(*) FROM bcce_data.performance_metrics WHERE idempotency_key LIKE 'id\_%') + (SELECT count(*) FROM bcce_data.model_usage WHERE idempotency_key LIKE 'id\_%' OR session_id LIKE 'id\_%')
     + (SELECT count(*) FROM bcce_data.events WHERE idempotency_key LIKE 'id\_%' OR session_id LIKE 'id\_%') + (SELECT count(*) FROM bcce_data.incidents WHERE incident_id LIKE 'id\_%') AS hidden_ids;

-- Exactly as many events, sessions and guests as asked for.
SELECT count(*) AS events, count(DISTINCT (tenant_id, session_id)) AS sessions, count(DISTINCT (tenant_id, guest_key)) AS guests
FROM bcce_data.events;

-- None of the planted text is stored anywhere; its tags are.
CREATE FUNCTION pg_temp.rows_matching(pattern text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    target regclass;
    found bigint;
    total bigint := 0;
BEGIN
    FOR target IN SELECT oid FROM pg_class WHERE relnamespace IN ('bcce_data'::regnamespace, 'bcce_private'::regnamespace) AND relkind = 'r'
    LOOP
        -- But for bytes, whose digits are nobody's.
        EXECUTE format($q$SELECT count(*) FROM %s AS t WHERE regexp_replace(t::text, '\\x[0-9a-f]+', '', 'g') ~ $1$q$, target) INTO found USING pattern;
        total := total + found;
    END LOOP;
    RETURN total;
END
$$;
SELECT pg_temp.rows_matching('jane[.]roe|4111 1111|90182|AKIA|QZ7J4MWX|ghp_|H8i9J0|user-[0-9]+@|guest-[0-9]+|192[.]0[.]2[.][1-9]') AS planted;
SELECT pg_temp.rows_matching('\[EMAIL\]') > 0 AS mail, pg_temp.rows_matching('\[CREDIT_CARD\]') > 0 AS card,
       pg_temp.rows_matching('\[PHONE\]') > 0 AS phone, pg_temp.rows_matching('\[SECRET') > 0 AS secret,
       pg_temp.rows_matching('192[.]0[.]2[.]0/24') > 0 AS network;

-- Every report answers, for all time and for a period.
SET bcce.test_now = '2026-03-15 12:00:30+00';
SELECT (SELECT count(*) FROM bcce.analytics_overview) AS overview, (SELECT count(*) FROM bcce.mttr_analysis) AS mttr,
       (SELECT count(*) FROM bcce.cost_analysis) AS cost, (SELECT count(*) FROM bcce.usage_trends) AS days,
       (SELECT count(*) FROM bcce.service_health_dashboard) AS services, (SELECT count(*) FROM bcce.prediction_accuracy) AS models;
SELECT tenant_name, total_workflows, failure_rate_percent, running_workflows, open_incidents, active_users
FROM bcce.analytics_overview('2026-03-01', '2026-03-15 12:00:30+00') ORDER BY tenant_name;
SELECT tenant_name, incident_count, recovered_count, open_count, fallback_count FROM bcce.mttr_analysis ORDER BY tenant_name;
SELECT tenant_name, service_id, status, status_reason FROM bcce.service_health_dashboard ORDER BY tenant_name, service_id;
-- Better than the base rate, worse than certain, and close to what was said.
SELECT tenant_name, model_name, model_version, auc BETWEEN 0.7 AND 0.95 AS useful, brier_skill_score BETWEEN 0.02 AND 0.5 AS better,
       calibration_ratio BETWEEN 0.75 AND 1.3 AS calibrated
FROM bcce.prediction_accuracy ORDER BY tenant_name, model_name, model_version;
-- Fewer runs at weekends, most by day, a long tail.
SELECT avg(total_workflows) FILTER (WHERE extract(isodow FROM usage_date) > 5) < 0.5 * avg(total_workflows) FILTER (WHERE extract(isodow FROM usage_date) <= 5) AS weekly,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY peak_hour) BETWEEN 9 AND 18 AS daily
FROM bcce.usage_trends;
SELECT avg(duration_s) > 1.3 * percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_s) AS heavy_tail,
       array_agg(DISTINCT status ORDER BY status) AS statuses, count(retry_of) > 0 AS has_retries FROM bcce_data.workflow_runs;
SELECT count(*) FILTER (WHERE spans > 1) AS reopened FROM (SELECT count(*) AS spans FROM bcce_data.incident_impacts GROUP BY tenant_id, incident_id) i;
SELECT count(reported_cost_usd) BETWEEN 1 AND count(*) - 1 AS some_costs_reported FROM bcce_data.model_usage;

-- Refused arguments; only a superuser may call it.
\set VERBOSITY sqlstate
SELECT * FROM bcce.generate_sample_data(guests => 0);
SELECT * FROM bcce.generate_sample_data(seed => NULL);
SELECT * FROM bcce.generate_sample_data(ending_at => 'infinity');
SELECT has_function_privilege(g, 'bcce.generate_sample_data(integer, integer, integer, integer, timestamptz)', 'EXECUTE') AS allowed
FROM unnest(ARRAY['public', 'bcce_analytics_user', 'bcce_analytics_admin', 'bcce_ingest', 'bcce_platform']::name[]) AS g;
\set VERBOSITY default

-- The same in another database under other settings; another seed differs.
\c regress_sample_data_2
SET client_min_messages = warning;
CREATE EXTENSION bcce;
CREATE FUNCTION pg_temp.fingerprint() RETURNS text LANGUAGE sql SET extra_float_digits = 0 AS $$
    SELECT md5(string_agg(line, E'\n' ORDER BY line COLLATE "C"))
    FROM (
        SELECT concat_ws('|', 'run', t.slug, run_id, extract(epoch FROM started_at), workflow_id, service_id, status, extract(epoch FROM queued_at),
                         extract(epoch FROM finished_at), error_class, error_message, environment, retry_of, charged_usd) AS line
        FROM bcce_data.workflow_runs JOIN bcce_data.tenants t USING (tenant_id)
        UNION ALL
        SELECT concat_ws('|', 'incident', t.slug, incident_id, service_id, severity, title, status, extract(epoch FROM opened_at),
                         extract(epoch FROM impact_started_at), extract(epoch FROM acknowledged_at), extract(epoch FROM mitigated_at),
                         extract(epoch FROM recovered_at), extract(epoch FROM closed_at), is_test)
        FROM bcce_data.incidents JOIN bcce_data.tenants t USING (tenant_id)
        UNION ALL
        SELECT concat_ws('|', 'impact', t.slug, incident_id, extract(epoch FROM lower(span)), extract(epoch FROM upper(span)))
        FROM bcce_data.incident_impacts JOIN bcce_data.tenants t USING (tenant_id)
        UNION ALL
        SELECT concat_ws('|', 'incident event', t.slug, incident_id, event_id, extract(epoch FROM at), kind, response_action)
        FROM bcce_data.incident_events JOIN bcce_data.tenants t USING (tenant_id)
        UNION ALL
        SELECT concat_ws('|', 'metric', t.slug, idempotency_key, extract(epoch FROM observed_at), service_id, window_seconds, request_count,
                         error_count, p95_latency_ms, throughput_rps, cpu_percent, memory_percent, storage_percent, network_percent, charged_usd, latency_digest)
        FROM bcce_data.performance_metrics JOIN bcce_data.tenants t USING (tenant_id)
        UNION ALL
        SELECT concat_ws('|', 'prediction', t.slug, prediction_id, extract(epoch FROM predicted_at), model_name, model_version, target_id,
                         failure_probability, charged_usd)
        FROM bcce_data.predictions JOIN bcce_data.tenants t USING (tenant_id)
        UNION ALL
        SELECT concat_ws('|', 'call', t.slug, idempotency_key, extract(epoch FROM at), model_id, session_id, input_tokens, output_tokens,
                         cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, project, run_id, latency_ms, reported_cost_usd, charged_usd)
        FROM bcce_data.model_usage JOIN bcce_data.tenants t USING (tenant_id)
        UNION ALL
        SELECT concat_ws('|', 'event', t.slug, idempotency_key, extract(epoch FROM occurred_at), event_type, guest_type, session_id, service_id,
                         ip_prefix, user_agent_family, properties)
        FROM bcce_data.events JOIN bcce_data.tenants t USING (tenant_id)
        UNION ALL
        SELECT concat_ws('|', 'bill', t.slug, category, amount_usd, extract(epoch FROM period_start_at))
        FROM bcce_data.infra_costs JOIN bcce_data.tenants t USING (tenant_id)
    ) facts
$$;
SET timezone = 'America/St_Johns';
SET enable_hashjoin = off;
SET enable_nestloop = off;
SELECT sum(row_count) AS added FROM bcce.generate_sample_data(ending_at => :end);
SELECT pg_temp.fingerprint() = :'first' AS same_elsewhere;
SELECT sum(row_count) AS other_events FROM bcce.generate_sample_data(10, 20, 70, 43, :end) WHERE fact = 'events';
SELECT pg_temp.fingerprint() = :'first' AS same_with_more;
\c :DB1
DROP DATABASE regress_sample_data_1;
DROP DATABASE regress_sample_data_2;
