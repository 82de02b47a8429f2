-- Proves prediction_drift and calibration_table, and how an admin sets what they
-- are judged by: thresholds and references of models.
SET timezone = 'America/New_York';      -- a zone whose days of 23 and 25 hours must not matter
SET bcce.test_now = '2026-03-10 12:00:00+00';
\o /dev/null
SELECT bcce.create_tenant('drift-' || name, 'Drift ' || name) FROM unnest(ARRAY['a', 'b', 'none']) AS name;
SELECT bcce.create_login('regress_drift_admin', 'drift-a', 'admin'), bcce.create_login('regress_drift_user', 'drift-a');
\o
CREATE FUNCTION pg_temp.tenant(name text) RETURNS uuid LANGUAGE sql STABLE AS
$$SELECT tenant_id FROM bcce_data.tenants WHERE slug = 'drift-' || name$$;
-- Probabilities from low up to high, one an hour from an instant on; external, so that an outcome is what is told.
CREATE FUNCTION pg_temp.predict(tenant text, model text, first timestamptz, n integer, low float8, high float8, told boolean DEFAULT true) RETURNS void LANGUAGE sql AS
$$INSERT INTO bcce_data.predictions (tenant_id, prediction_id, predicted_at, model_name, model_version, target_kind, target_id, failure_probability, outcome, outcome_at)
  SELECT pg_temp.tenant(tenant), format('%s-%s-%s', model, first, i), at, model, '1', 'external', format('%s-%s', first, i), p,
         CASE WHEN told THEN (i * 7919 % n < p * n)::integer END, CASE WHEN told THEN at + interval '1 hour' END
  FROM generate_series(0, n - 1) AS i
  CROSS JOIN LATERAL (SELECT first + i * interval '1 hour' AS at, low + (high - low) * i / n AS p) x$$;
\o /dev/null
SELECT pg_temp.predict('a', model, first::timestamptz, n, low, high, told)
FROM (VALUES ('same', '2026-02-01 00:00+00', 168, 0.0, 1.0, true), ('same', '2026-03-03 12:00+00', 168, 0.0, 1.0, true),
             ('shifted', '2026-02-01 00:00+00', 168, 0.0, 1.0, true), ('shifted', '2026-03-03 12:00+00', 168, 0.6, 0.9, false),
             ('few', '2026-02-01 00:00+00', 49, 0.0, 1.0, true), ('few', '2026-03-03 12:00+00', 168, 0.0, 1.0, true),
             ('silent', '2026-02-01 00:00+00', 168, 0.0, 1.0, true), ('silent', '2026-03-03 10:00+00', 51, 0.0, 1.0, true),
             ('unset', '2026-02-01 00:00+00', 168, 0.0, 1.0, true)) AS v (model, first, n, low, high, told);
\o
INSERT INTO bcce_data.models (tenant_id, model_name, model_version, threshold) SELECT pg_temp.tenant('a'), m, '1', 0.5 FROM unnest('{same,shifted,few,silent}'::text[]) AS m;
INSERT INTO bcce_data.models (tenant_id, model_name, model_version) VALUES (pg_temp.tenant('b'), 'unused', '2');

\echo == an admin sets the reference of its own models
\set VERBOSITY sqlstate
SET ROLE regress_drift_user;
SELECT bcce.set_prediction_threshold(0.2, 'same', '1');
SELECT bcce.set_prediction_reference('2026-02-01 00:00+00', '2026-02-08 00:00+00', 'same', '1');
RESET ROLE;
SET ROLE regress_drift_admin;
SELECT m, bcce.set_prediction_reference('2026-02-01 00:00+00', '2026-02-08 00:00+00', m, '1') AS set FROM unnest('{same,shifted,few,silent}'::text[]) AS m;
SELECT bcce.set_prediction_reference('2026-02-01', '2026-02-08', 'same');
SELECT bcce.set_prediction_reference('2026-02-01', '2026-02-08', 'unused', '2', 'drift-b');
SELECT bcce.set_prediction_reference('2026-02-01', '2026-02-08', 'unused', '2', 'nowhere');
SELECT bcce.set_prediction_reference('2026-02-08', '2026-02-08', 'same', '1');
SELECT bcce.set_prediction_reference('2026-02-08', NULL, 'same', '1');
SELECT bcce.set_prediction_threshold(1.01, 'same', '1');
SELECT bcce.set_prediction_threshold('NaN', 'same', '1');
SELECT bcce.set_prediction_threshold(0.5, NULL, '1');
\set VERBOSITY terse
SELECT bcce.set_prediction_threshold(0.5, 'unheard of');
RESET ROLE;
\set VERBOSITY default

\echo == drift: the last 7 days, 168 hours, against the reference
SELECT model_name, to_char(reference_from AT TIME ZONE 'UTC', 'MM-DD HH24') AS from, reference_count AS reference, recent_count AS recent, round(psi::numeric, 6) AS psi, round(ks::numeric, 6) AS ks, no_data_reason
FROM bcce.prediction_drift WHERE tenant_name LIKE 'Drift %' ORDER BY tenant_name, model_name;
-- By plain sums.
WITH sample AS (
    SELECT failure_probability AS p, predicted_at < '2026-02-08 00:00+00' AS is_reference FROM bcce_data.predictions
    WHERE tenant_id = pg_temp.tenant('a') AND model_name = 'shifted'
), edge AS (
    SELECT e, row_number() OVER (ORDER BY e) AS i FROM unnest((SELECT percentile_cont('{0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9}'::float8[]) WITHIN GROUP (ORDER BY p) FROM sample WHERE is_reference)) AS e
), cell AS (
    SELECT i, sum((s.cell = i AND is_reference)::integer)::numeric AS reference, sum((s.cell = i AND NOT is_reference)::integer)::numeric AS recent
    FROM generate_series(1, 10) AS i, (SELECT is_reference, 1 + (SELECT count(*) FROM edge WHERE e < p) AS cell FROM sample) AS s GROUP BY i
)
SELECT round(sum((greatest(recent, 0.5) / 168 - reference / 168) * ln(greatest(recent, 0.5) / reference)), 6) AS psi,
       (SELECT round(max(abs(a - b)), 6) FROM (SELECT avg((s.p <= v.p AND s.is_reference)::integer) * 2 AS a, avg((s.p <= v.p AND NOT s.is_reference)::integer) * 2 AS b
                                               FROM sample s, sample v GROUP BY v.p) AS f) AS ks FROM cell;
-- Test predictions do not count; reports of a past window read as they did then, whatever since.
UPDATE bcce_data.predictions SET is_test = true WHERE tenant_id = pg_temp.tenant('a') AND model_name = 'same' AND predicted_at >= '2026-03-03' AND failure_probability < 0.5;
SELECT model_name, reference_count, recent_count, round(psi::numeric, 3) AS psi FROM bcce.prediction_drift WHERE model_name = 'same';
SELECT model_name, reference_count, recent_count, pending_count, no_data_reason FROM bcce.prediction_drift('2026-02-07 00:00+00', '2026-02-07 00:00+00') WHERE model_name IN ('same', 'shifted') AND tenant_name = 'Drift a' ORDER BY 1;
SELECT reference_count, recent_count, psi, ks FROM bcce.prediction_drift(NULL, '2026-02-08 00:00+00') WHERE model_name = 'same' AND tenant_name = 'Drift a';

\echo == what pending predictions promise, at its threshold, where ece is below 0.05
SELECT model_name, pending_count, round(ece::numeric, 4) AS ece, estimated_accuracy_pending_percent FROM bcce.prediction_drift WHERE tenant_name = 'Drift a' AND model_name = 'shifted';
SELECT round(100 * avg(greatest(failure_probability, 1 - failure_probability))::numeric, 1) AS at_one_half, round(100 * avg(1 - failure_probability)::numeric, 1) AS at_0_95
FROM bcce_data.predictions WHERE tenant_id = pg_temp.tenant('a') AND model_name = 'shifted' AND outcome IS NULL;
SET ROLE regress_drift_admin;
SELECT bcce.set_prediction_threshold(0.95, 'shifted', '1');
RESET ROLE;
SELECT d.pending_count, d.estimated_accuracy_pending_percent, a.threshold, a.accuracy_percent FROM bcce.prediction_drift d JOIN bcce.prediction_accuracy a USING (tenant_id, model_name, model_version)
WHERE a.tenant_name = 'Drift a' AND model_name = 'shifted';
-- Badly calibrated, it promises nothing.
UPDATE bcce_data.predictions SET outcome = 1 WHERE tenant_id = pg_temp.tenant('a') AND model_name = 'shifted' AND outcome = 0 AND failure_probability > 0.6;
SELECT pending_count, round(ece::numeric, 4) AS ece, estimated_accuracy_pending_percent FROM bcce.prediction_drift WHERE tenant_name = 'Drift a' AND model_name = 'shifted';
SET ROLE regress_drift_admin;
SELECT bcce.set_prediction_threshold(NULL, 'shifted', '1'), bcce.set_prediction_reference(NULL, NULL, 'shifted', '1');
RESET ROLE;
SELECT threshold, reference_from, reference_to FROM bcce_data.models WHERE tenant_id = pg_temp.tenant('a') AND model_name = 'shifted';

\echo == calibration_table: ten rows for every model, those without predictions too
SELECT bin, lower_probability AS lower, upper_probability AS upper, labelled_count AS n, round(mean_predicted::numeric, 4) AS mean, round(observed_rate::numeric, 4) AS rate,
       round(observed_low::numeric, 4) AS low, round(observed_high::numeric, 4) AS high FROM bcce.calibration_table WHERE tenant_name = 'Drift a' AND model_name = 'silent' ORDER BY bin;
SELECT least(floor(failure_probability * 10), 9) + 1 AS bin, count(*) AS n, round(avg(failure_probability)::numeric, 4) AS mean, round(avg(outcome), 4) AS rate
FROM bcce_data.predictions WHERE tenant_id = pg_temp.tenant('a') AND model_name = 'silent' GROUP BY 1 ORDER BY 1;
SELECT model_name, count(*) AS bins, sum(labelled_count) AS labelled, count(mean_predicted) AS means, count(observed_low) AS intervals FROM bcce.calibration_table WHERE tenant_name LIKE 'Drift %' GROUP BY 1 ORDER BY 1;
-- It and prediction_accuracy are of one piece.
SELECT count(*) AS models, count(*) FILTER (WHERE a.labelled_count = c.n AND abs(a.ece - c.ece) < 1e-15 AND abs(a.mce - c.mce) < 1e-15 AND abs(a.mean_predicted - c.mean) < 1e-15) AS agree
FROM bcce.prediction_accuracy a
JOIN (SELECT tenant_id, model_name, sum(labelled_count) AS n, sum(labelled_count * abs(mean_predicted - observed_rate)) / sum(labelled_count) AS ece, max(abs(mean_predicted - observed_rate)) AS mce,
             sum(labelled_count * mean_predicted) / sum(labelled_count) AS mean FROM bcce.calibration_table WHERE labelled_count > 0 GROUP BY 1, 2) c USING (tenant_id, model_name) WHERE a.tenant_name LIKE 'Drift %';

\echo == twins, and who sees what
SELECT (SELECT count(*) FROM (SELECT to_jsonb(o) FROM bcce.prediction_drift o EXCEPT SELECT to_jsonb(o) FROM bcce.prediction_drift(NULL, NULL) o) d) AS drift_differs,
       (SELECT count(*) FROM (SELECT to_jsonb(o) FROM bcce.calibration_table o EXCEPT SELECT to_jsonb(o) FROM bcce.calibration_table(NULL, NULL) o) d) AS calibration_differs;
SELECT count(*) AS none FROM bcce.prediction_drift WHERE tenant_name = 'Drift none';
SET ROLE regress_drift_user;
SELECT (SELECT string_agg(DISTINCT tenant_name, ', ') FROM bcce.prediction_drift) AS drift, (SELECT string_agg(DISTINCT tenant_name, ', ') FROM bcce.calibration_table('2026-01-01')) AS calibration,
       (SELECT count(*) FROM bcce.calibration_table) AS bins;
RESET ROLE;

SET client_min_messages = warning;
DROP OWNED BY regress_drift_admin, regress_drift_user;
DROP ROLE regress_drift_admin, regress_drift_user;
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
        EXECUTE format('DELETE FROM %s WHERE tenant_id IN (SELECT tenant_id FROM bcce_data.tenants WHERE slug LIKE %L)', store, 'drift-%');
    END LOOP;
END
$$;
