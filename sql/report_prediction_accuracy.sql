-- Proves how predictions meet their outcomes and how the scores are made.
SET timezone = 'UTC';
SET bcce.test_now = '2026-01-31 12:00:00+00';
SELECT count(bcce.create_tenant('pred-' || name, 'Pred ' || name)) AS tenants FROM unnest(ARRAY['a', 'b', 'none']) AS name;
CREATE FUNCTION pg_temp.tenant(name text) RETURNS uuid LANGUAGE sql STABLE AS
$$SELECT tenant_id FROM bcce_data.tenants WHERE slug = 'pred-' || name$$;
CREATE FUNCTION pg_temp.predict(model text, id text, kind text, target text, at timestamptz, p float8, horizon float8 DEFAULT NULL,
    outcome integer DEFAULT NULL, outcome_at timestamptz DEFAULT NULL) RETURNS void LANGUAGE sql AS
$$INSERT INTO bcce_data.predictions (tenant_id, prediction_id, predicted_at, model_name, model_version, target_kind, target_id, horizon_seconds,
      failure_probability, outcome, outcome_at)
  VALUES (pg_temp.tenant('a'), id, at, model, '1', kind, target, horizon, p, outcome, outcome_at)$$;
CREATE VIEW pg_temp.counts AS
SELECT model_name, total_predictions AS total, labelled_count AS labelled, pending_count AS pending, unlabelable_count AS unlabelable,
       superseded_count AS superseded, late_count AS late, true_positives AS tp, false_positives AS fp, true_negatives AS tn, false_negatives AS fn
FROM bcce.prediction_accuracy WHERE tenant_name LIKE 'Pred %';

-- Runs: every state, each with a prediction of its own.
INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, workflow_id, service_id, status, started_at, finished_at, is_test)
SELECT pg_temp.tenant('a'), id, 'w', NULL, status, '2026-01-20 10:00', finished_at::timestamptz, is_test
FROM (VALUES ('ok', 'succeeded', '2026-01-20 11:00', false), ('bad', 'failed', '2026-01-20 11:00', false), ('slow', 'timed_out', '2026-01-20 12:00', false),
             ('stop', 'cancelled', '2026-01-20 11:00', false), ('skip', 'skipped', '2026-01-20 11:00', false), ('now', 'running', NULL, false),
             ('test', 'failed', '2026-01-20 11:00', true)) AS r (id, status, finished_at, is_test);
SELECT pg_temp.predict('run', 'r-' || t, 'run', t, '2026-01-20 09:00', p)
FROM (VALUES ('ok', 0.2), ('bad', 0.5), ('slow', 0.4), ('stop', 0.9), ('skip', 0.9), ('now', 0.9), ('test', 0.9), ('unheard', 0.9)) AS v (t, p) \g /dev/null
-- An earlier prediction is superseded; one at the start counts, one after it is late.
SELECT pg_temp.predict('run', 'early', 'run', 'ok', '2026-01-19 09:00', 0.9), pg_temp.predict('run', 'late', 'run', 'ok', '2026-01-20 10:00:01', 0.9),
       pg_temp.predict('start', 'at', 'run', 'bad', '2026-01-20 10:00', 0.9), pg_temp.predict('start', 'twin1', 'run', 'bad', '2026-01-20 10:00', 0.1),
       pg_temp.predict('unheard', 'u1', 'run', 'unheard', '2026-01-01', 0.9), pg_temp.predict('unheard', 'u2', 'run', 'unheard', '2026-01-02', 0.9) \g /dev/null
SELECT * FROM pg_temp.counts WHERE total > 0 ORDER BY model_name COLLATE "C";
-- The label delay is the run's end, the lead time the failure's; true positives only.
SELECT median_label_delay_minutes, median_lead_time_minutes FROM bcce.prediction_accuracy WHERE model_name = 'run' AND tenant_name = 'Pred a';
-- At 11:30 the slow run was still running.
SELECT total_predictions, labelled_count, pending_count, superseded_count, late_count
FROM bcce.prediction_accuracy('2026-01-20', '2026-01-20 11:30:00+00') WHERE model_name = 'run' AND tenant_name = 'Pred a';

-- Services: (predicted_at, predicted_at + horizon].
INSERT INTO bcce_data.incidents (tenant_id, incident_id, service_id, opened_at, impact_started_at, recovered_at, merged_into, is_test)
SELECT pg_temp.tenant('a'), id, service, opened_at::timestamptz, impact_at::timestamptz, '2026-01-12', merged_into, is_test
FROM (VALUES ('i1', 's', '2026-01-10 01:30', '2026-01-10 01:00', NULL, false), ('i2', 'quiet', '2026-01-10 01:00', NULL, NULL, true),
             ('i3', 'quiet', '2026-01-10 01:00', NULL, 'i1', false)) AS i (id, service, opened_at, impact_at, merged_into, is_test);
INSERT INTO bcce_data.workflows (tenant_id, workflow_id, name, service_id) VALUES (pg_temp.tenant('a'), 'ws', 'Ws', 'by_run');
INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, workflow_id, service_id, status, started_at, finished_at)
VALUES (pg_temp.tenant('a'), 'f1', 'ws', NULL, 'failed', '2026-01-10 01:00', '2026-01-10 03:00'),
       (pg_temp.tenant('a'), 'f2', 'w', 'fine', 'succeeded', '2026-01-10 01:00', '2026-01-10 03:00');
INSERT INTO bcce_data.performance_metrics (tenant_id, idempotency_key, observed_at, service_id)
VALUES (pg_temp.tenant('a'), '1', '2026-01-10 01:00', 'sampled');
SELECT pg_temp.predict('in', 's1', 'service', 's', '2026-01-10 00:00', 0.9, 3600),
       pg_temp.predict('before', 's2', 'service', 's', '2026-01-10 00:00', 0.9, 3599),
       pg_temp.predict('at', 's3', 'service', 's', '2026-01-10 01:00', 0.9, 3600),
       pg_temp.predict('runs', 's4', 'service', 'by_run', '2026-01-10 00:00', 0.9, 7200),
       pg_temp.predict('succeeds', 's5', 'service', 'fine', '2026-01-10 00:00', 0.9, 7200),
       pg_temp.predict('sampled', 's6', 'service', 'sampled', '2026-01-10 00:00', 0.1, 7200),
       pg_temp.predict('quiet', 's7', 'service', 'quiet', '2026-01-10 00:00', 0.1, 7200),
       pg_temp.predict('over', 's8', 'service', 's', '2026-01-31 11:00', 0.1, 3600),
       pg_temp.predict('open', 's9', 'service', 's', '2026-01-31 11:00', 0.1, 3601),
       pg_temp.predict('several', 'sa', 'service', 's', '2026-01-10 00:00', 0.1, 3600), pg_temp.predict('several', 'sb', 'service', 's', '2026-01-10 00:00', 0.9, 3600),
       pg_temp.predict('several', 'sc', 'service', 's', '2026-01-10 00:00', 0.9, 3601), pg_temp.predict('several', 'sd', 'service', 's', '2026-01-10 00:01', 0.9, 3600) \g /dev/null
SELECT * FROM pg_temp.counts WHERE model_name IN ('in', 'before', 'at', 'runs', 'succeeds', 'sampled', 'quiet', 'over', 'open', 'several') ORDER BY model_name COLLATE "C";
SELECT model_name, median_label_delay_minutes, median_lead_time_minutes FROM bcce.prediction_accuracy WHERE model_name IN ('in', 'runs', 'sampled') AND tenant_name = 'Pred a' ORDER BY model_name;

-- A told outcome wins, once it is known; external ones have no other.
SELECT pg_temp.predict('told', 't1', 'run', 'ok', '2026-01-20 09:00', 0.9, NULL, 1, '2026-01-21'),
       pg_temp.predict('told', 't2', 'service', 'quiet', '2026-01-31 11:59', 0.9, 7200, 0, '2026-01-31 12:00'),
       pg_temp.predict('told', 't3', 'run', 'now', '2026-01-20 09:00', 0.9, NULL, 1, '2026-01-31 12:00:01'),
       pg_temp.predict('ext', 'e1', 'external', 'x', '2026-01-01', 0.9, NULL, 1, '2026-01-02'), pg_temp.predict('ext', 'e2', 'external', 'x', '2026-01-02', 0.9, NULL, 0, '2026-01-03'),
       pg_temp.predict('ext', 'e3', 'external', 'x', '2026-01-03', 0.9), pg_temp.predict('ext', 'e4', 'external', 'x', '2026-01-04', 0.9) \g /dev/null
SELECT * FROM pg_temp.counts WHERE model_name IN ('told', 'ext') ORDER BY model_name COLLATE "C";
SELECT count(*) AS models_that_do_not_add_up FROM bcce.prediction_accuracy
WHERE total_predictions <> labelled_count + pending_count + unlabelable_count + superseded_count + late_count
   OR labelled_count <> true_positives + false_positives + true_negatives + false_negatives;

-- Scores.  Ties share their rank; 1.0 is in the last bin; the threshold is the model's.
INSERT INTO bcce_data.models (tenant_id, model_name, model_version, threshold)
VALUES (pg_temp.tenant('b'), 'score', '', 0.35), (pg_temp.tenant('b'), 'unused', '2', 0.7);
CREATE TABLE pg_temp.truth (model text, p float8, y integer);
INSERT INTO truth VALUES ('score', 0.1, 0), ('score', 0.1, 1), ('score', 0.35, 0), ('score', 0.35, 1), ('score', 0.8, 1), ('score', 0.8, 0),
    ('score', 0.3, 0), ('score', 1.0, 1), ('score', 0.95, 1), ('ones', 0.6, 1), ('ones', 1.0, 1), ('zeros', 0.2, 0), ('zeros', 0.0, 0), ('wrong', 0, 1), ('wrong', 1, 0);
INSERT INTO bcce_data.predictions (tenant_id, prediction_id, predicted_at, model_name, target_kind, target_id, failure_probability, outcome, outcome_at)
SELECT pg_temp.tenant('b'), 'p' || row_number() OVER (), '2026-01-10', model, 'external', 'x', p, y, '2026-01-10 01:00' FROM truth;
SELECT model_name, model_version, threshold, total_predictions AS total, true_positives AS tp, false_positives AS fp, true_negatives AS tn, false_negatives AS fn,
       accuracy_percent, precision_percent, recall_percent, specificity_percent, base_rate_percent, accuracy_low_percent AS low, accuracy_high_percent AS high
FROM bcce.prediction_accuracy WHERE tenant_name = 'Pred b' ORDER BY model_name COLLATE "C";
SELECT model_name, round(f1_score::numeric, 6) AS f1, round(mcc::numeric, 6) AS mcc, round(brier_score::numeric, 6) AS brier,
       round(brier_skill_score::numeric, 6) AS skill, round(log_loss::numeric, 6) AS log_loss, round(auc::numeric, 6) AS auc,
       round(ece::numeric, 6) AS ece, round(mce::numeric, 6) AS mce, round(mean_predicted::numeric, 6) AS mean_p, round(calibration_ratio::numeric, 6) AS ratio
FROM bcce.prediction_accuracy WHERE tenant_name = 'Pred b' ORDER BY model_name COLLATE "C";
-- The same from all pairs and plain sums.
SELECT round((SELECT avg(CASE WHEN a.p > b.p THEN 1 WHEN a.p = b.p THEN 0.5 ELSE 0 END) FROM truth a, truth b
              WHERE a.model = 'score' AND b.model = 'score' AND a.y = 1 AND b.y = 0), 6) AS auc,
       round((SELECT sum(abs(gap)) / 9 FROM (SELECT sum(p - y) AS gap FROM truth WHERE model = 'score' GROUP BY least(floor(p * 10), 9)) b)::numeric, 6) AS ece,
       round((SELECT corr(y, (p >= 0.35)::integer) FROM truth WHERE model = 'score')::numeric, 6) AS mcc;
-- The tenant without models has no row; a model without predictions in the window keeps its row.
SELECT count(*) AS rows FROM bcce.prediction_accuracy WHERE tenant_name = 'Pred none';
SELECT model_name, total_predictions, accuracy_percent FROM bcce.prediction_accuracy('2025-01-01', '2025-02-01') WHERE tenant_name = 'Pred b' ORDER BY model_name;

SELECT count(*) AS rows_that_differ
FROM (SELECT to_jsonb(o) FROM bcce.prediction_accuracy o EXCEPT SELECT to_jsonb(o) FROM bcce.prediction_accuracy(NULL, NULL) o) d;
CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS
$$BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END$$;
SELECT count(*) AS function_scans
FROM pg_temp.plan('SELECT * FROM bcce.prediction_accuracy(''2026-01-01'', ''2026-02-01'')') AS line
WHERE line LIKE '%Function Scan%' AND line NOT LIKE '%Function Scan on unnest%';

DO $$
DECLARE
    store regclass;
BEGIN
    FOR store IN
        SELECT c.oid FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
        WHERE c.relnamespace IN ('bcce_data'::regnamespace, 'bcce_private'::regnamespace)
          AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        ORDER BY c.relname = 'tenants', c.relname = 'teams', c.relname
    LOOP
        EXECUTE format('DELETE FROM %s WHERE tenant_id IN (SELECT tenant_id FROM bcce_data.tenants WHERE slug LIKE %L)', store, 'pred-%');
    END LOOP;
END
$$;
