-- Ways in for predictions and what became of them.
DO $do$
BEGIN
    IF to_regtype('bcce_data.given_prediction') IS NULL THEN
        CREATE TYPE bcce_data.given_prediction AS (
            tenant_id uuid, fault text, prediction_id text, model_name text, model_version text, target_kind text, target_id text,
            predicted_at timestamptz, horizon_seconds double precision, failure_probability double precision, features_hash text,
            outcome integer, outcome_at timestamptz, source text, is_test boolean);
    END IF;
END
$do$;
COMMENT ON TYPE bcce_data.given_prediction IS 'a prediction, or only the outcome of a known one, as a sender gives it';
DROP FUNCTION IF EXISTS bcce_data.put_predictions(bcce_data.given_prediction[]);
CREATE OR REPLACE FUNCTION bcce_data.put_predictions(predictions bcce_data.given_prediction[], all_new boolean) RETURNS text[]
LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    faults text[];
    made_tenants uuid[];
    made_predictions text[];
    known bigint[];
    ordinal bigint;
BEGIN
    -- A row with nothing but an outcome is about a prediction that is known.
    SELECT array_agg(coalesce(p.fault, CASE
        WHEN p.outcome NOT IN (0, 1) THEN 'bad_outcome'
        WHEN p.outcome IS NOT NULL AND p.outcome_at IS NULL THEN 'missing_time'
        WHEN p.outcome IS NOT NULL AND p.failure_probability IS NULL THEN
            CASE WHEN p.prediction_id IS NULL OR p.prediction_id = '' THEN 'missing_id' END
        WHEN p.model_name IS NULL OR p.model_name = '' OR p.target_id IS NULL OR p.target_id = ''
             OR p.prediction_id IS NULL OR p.prediction_id = '' THEN 'missing_id'
        WHEN greatest(length(p.prediction_id), length(p.model_name), length(p.model_version), length(p.target_id),
                      length(p.features_hash)) > 256 THEN 'key_too_long'
        WHEN p.predicted_at IS NULL THEN 'missing_time'
        WHEN p.target_kind IS NULL OR p.target_kind NOT IN ('run', 'service', 'external') THEN 'unknown_target_kind'
        WHEN p.failure_probability IS NULL OR NOT p.failure_probability BETWEEN 0 AND 1 THEN 'bad_probability'
        WHEN p.target_kind = 'service' AND p.horizon_seconds IS NULL THEN 'missing_horizon'
        WHEN NOT (p.horizon_seconds > 0 AND p.horizon_seconds <= 1e9) THEN 'bad_number'
    END, bcce_data.time_fault(p.predicted_at, p.outcome_at))) INTO faults
    FROM unnest(predictions) AS p;

    INSERT INTO bcce_data.models (tenant_id, model_name, model_version)
    SELECT m.tenant_id, m.model_name, m.model_version
    FROM (
        SELECT d.tenant_id, bcce_data.key_text(d.tenant_id, d.model_name) AS model_name,
               bcce_data.key_text(d.tenant_id, d.model_version) AS model_version
        FROM (
            SELECT DISTINCT (g.prediction).tenant_id, (g.prediction).model_name, coalesce((g.prediction).model_version, '') AS model_version
            FROM (SELECT unnest(predictions) AS prediction, unnest(faults) AS fault) AS g
            WHERE g.fault IS NULL AND (g.prediction).failure_probability IS NOT NULL) AS d OFFSET 0) AS m
    WHERE (EXISTS (
        SELECT FROM bcce_data.models k
        WHERE k.tenant_id = m.tenant_id AND k.model_name = m.model_name AND k.model_version = m.model_version)) IS NOT TRUE
    ORDER BY m.tenant_id, m.model_name COLLATE "C", m.model_version COLLATE "C"
    ON CONFLICT DO NOTHING;

    -- In the order of the keys, so that two writers wait for each other
    -- instead of deadlocking.
    IF all_new THEN
        WITH made AS (
            INSERT INTO bcce_data.prediction_keys (tenant_id, prediction_id, predicted_at)
            SELECT h.tenant_id, h.key, h.predicted_at
            FROM (
                SELECT (g.prediction).tenant_id, bcce_data.key_text((g.prediction).tenant_id, (g.prediction).prediction_id) AS key,
                       (g.prediction).predicted_at, g.ordinal
                FROM (SELECT unnest(predictions) AS prediction, unnest(faults) AS fault, generate_subscripts(faults, 1) AS ordinal) AS g
                WHERE g.fault IS NULL AND (g.prediction).failure_probability IS NOT NULL) AS h
            ORDER BY h.tenant_id, h.key COLLATE "C", h.ordinal
            RETURNING tenant_id, prediction_id
        )
        SELECT array_agg(m.tenant_id), array_agg(m.prediction_id) INTO made_tenants, made_predictions FROM made m;
    ELSE
        WITH made AS (
            INSERT INTO bcce_data.prediction_keys (tenant_id, prediction_id, predicted_at)
            SELECT h.tenant_id, h.key, h.predicted_at
            FROM (
                SELECT (g.prediction).tenant_id, bcce_data.key_text((g.prediction).tenant_id, (g.prediction).prediction_id) AS key,
                       (g.prediction).predicted_at, g.ordinal
                FROM (SELECT unnest(predictions) AS prediction, unnest(faults) AS fault, generate_subscripts(faults, 1) AS ordinal) AS g
                WHERE g.fault IS NULL AND (g.prediction).failure_probability IS NOT NULL) AS h
            ORDER BY h.tenant_id, h.key COLLATE "C", h.ordinal
            ON CONFLICT DO NOTHING
            RETURNING tenant_id, prediction_id
        )
        SELECT array_agg(m.tenant_id), array_agg(m.prediction_id) INTO made_tenants, made_predictions FROM made m;
    END IF;
    IF coalesce(cardinality(made_predictions), 0) < cardinality(array_positions(faults, NULL)) THEN
        -- Not the first row of its prediction.
        SELECT array_agg(k.ordinal ORDER BY k.tenant_id, k.prediction_id COLLATE "C", k.ordinal) INTO known
        FROM (
            SELECT h.*, row_number() OVER (PARTITION BY h.tenant_id, h.prediction_id ORDER BY h.is_outcome, h.ordinal) AS place
            FROM (
                SELECT (g.prediction).tenant_id, g.ordinal, (g.prediction).failure_probability IS NULL AS is_outcome,
                       bcce_data.key_text((g.prediction).tenant_id, (g.prediction).prediction_id) AS prediction_id
                FROM (SELECT unnest(predictions) AS prediction, unnest(faults) AS fault,
                             generate_subscripts(faults, 1)::bigint AS ordinal) AS g
                WHERE g.fault IS NULL) AS h
        ) AS k
        WHERE k.is_outcome OR k.place > 1
           OR ((k.tenant_id, k.prediction_id) IN (SELECT * FROM unnest(made_tenants, made_predictions))) IS NOT TRUE;
    END IF;

    INSERT INTO bcce_data.predictions (tenant_id, prediction_id, predicted_at, model_name, model_version, target_kind, target_id,
        horizon_seconds, failure_probability, features_hash, outcome, outcome_at, source, is_test, charged_usd)
    SELECT r.tenant_id, r.prediction_id, r.predicted_at, r.model_name, coalesce(r.model_version, ''), r.target_kind, r.target_id,
        r.horizon_seconds, r.failure_probability, r.features_hash, r.outcome,
        CASE WHEN r.outcome IS NOT NULL THEN r.outcome_at END, coalesce(r.source, 'api'), coalesce(r.is_test, false),
        CASE WHEN r.is_test IS NOT TRUE THEN bcce.estimate_cost('prediction', 1, r.predicted_at, r.tenant_id) END
    FROM ROWS FROM (unnest(predictions), unnest(faults)) WITH ORDINALITY AS r
    WHERE r.unnest IS NULL AND (r.ordinality IN (SELECT unnest(known))) IS NOT TRUE;

    -- A probability that was given is never changed afterwards: no peeking.
    -- An outcome is; the last of several holds.
    IF known IS NOT NULL THEN
        FOREACH ordinal IN ARRAY ARRAY(
            SELECT g.ordinality FROM (
                SELECT p.*, bcce_data.key_text(p.tenant_id, p.prediction_id) AS key FROM unnest(predictions) WITH ORDINALITY AS p
                WHERE p.outcome IS NOT NULL AND (p.ordinality IN (SELECT unnest(known))) IS TRUE OFFSET 0) AS g
            WHERE (EXISTS (SELECT FROM bcce_data.prediction_keys w WHERE w.tenant_id = g.tenant_id AND w.prediction_id = g.key)) IS NOT TRUE)
        LOOP
            faults[ordinal] := 'unknown_prediction';
        END LOOP;
        UPDATE bcce_data.predictions p SET outcome = g.outcome, outcome_at = g.outcome_at
        FROM (
            SELECT DISTINCT ON (k.tenant_id, k.key COLLATE "C") k.* FROM (
                SELECT g.*, bcce_data.key_text(g.tenant_id, g.prediction_id) AS key
                FROM ROWS FROM (unnest(predictions), unnest(faults)) WITH ORDINALITY AS g
                WHERE g.outcome IS NOT NULL AND g.unnest IS NULL OFFSET 0) AS k
            ORDER BY k.tenant_id, k.key COLLATE "C", k.ordinality DESC) AS g
        CROSS JOIN LATERAL (
            SELECT w.* FROM bcce_data.prediction_keys w WHERE w.tenant_id = g.tenant_id AND w.prediction_id = g.key OFFSET 0) AS w
        WHERE p.tenant_id = w.tenant_id AND p.prediction_id = w.prediction_id AND p.predicted_at = w.predicted_at
          AND (g.ordinality IN (SELECT unnest(known))) IS TRUE;
    END IF;
    RETURN faults;
END
$body$;
COMMENT ON FUNCTION bcce_data.put_predictions(bcce_data.given_prediction[], boolean) IS 'stores predictions once each, and outcomes; returns the reason of each that is refused; all_new: error 23505 if one is known, for less work';

CREATE OR REPLACE FUNCTION bcce.record_prediction(
    model_name text, target_kind text, target_id text, failure_probability double precision,
    predicted_at timestamptz DEFAULT now(), horizon_seconds double precision DEFAULT NULL, prediction_id text DEFAULT NULL,
    model_version text DEFAULT '', features_hash text DEFAULT NULL, source text DEFAULT 'api',
    is_test boolean DEFAULT false, tenant text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET work_mem = '256MB' AS $body$
DECLARE
    prediction bcce_data.given_prediction;
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
    PERFORM bcce_data.refuse_any(bcce_data.put_predictions(ARRAY[prediction], false));
    RETURN bcce_data.key_text(prediction.tenant_id, prediction.prediction_id);
END
$body$;
COMMENT ON FUNCTION bcce.record_prediction(text, text, text, double precision, timestamptz, double precision, text, text, text, text, boolean, text) IS
'Records the predicted probability (0 to 1) that a target fails: a run, a service within horizon_seconds, or something external whose outcome you report with resolve_prediction(). A prediction is never changed afterwards; the same prediction_id again is stored once. Returns the prediction_id. Errors: P0002 tenant not found, 22003 bad probability or horizon, 22023 unknown target kind, 22004 missing id or time, 22001 id too long.';

CREATE OR REPLACE FUNCTION bcce.resolve_prediction(
    prediction_id text, outcome integer, outcome_at timestamptz DEFAULT now(), tenant text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET work_mem = '256MB' AS $body$
DECLARE
    prediction bcce_data.given_prediction;
BEGIN
    prediction.tenant_id := bcce_data.writable_tenant(tenant);
    prediction.prediction_id := prediction_id;
    prediction.outcome := outcome;
    prediction.outcome_at := outcome_at;
    prediction.fault := CASE WHEN outcome IS NULL THEN 'bad_outcome' END;
    PERFORM bcce_data.refuse_any(bcce_data.put_predictions(ARRAY[prediction], false));
END
$body$;
COMMENT ON FUNCTION bcce.resolve_prediction(text, integer, timestamptz, text) IS
'Reports what became of a prediction: 1 it failed, 0 it did not; a reported outcome goes before one derived from runs or incidents. Errors: P0002 prediction or tenant not found, 22023 outcome neither 0 nor 1, 22008 time out of range.';

CREATE OR REPLACE VIEW bcce.inbox_predictions WITH (security_invoker = true) AS
SELECT NULL::text AS tenant, NULL::text AS prediction_id, NULL::text AS model_name, NULL::text AS model_version,
       NULL::text AS target_kind, NULL::text AS target_id, NULL::text AS predicted_at, NULL::text AS horizon_seconds,
       NULL::text AS failure_probability, NULL::text AS features_hash, NULL::text AS outcome, NULL::text AS outcome_at,
       NULL::text AS source, NULL::text AS is_test
WHERE false;
COMMENT ON VIEW bcce.inbox_predictions IS 'Write-only: INSERT or COPY predictions here, all columns text; a later row with the same prediction_id and an outcome reports what became of it. Bad rows are counted in bcce.rejected.';

CREATE OR REPLACE FUNCTION bcce_data.inbox_predictions() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET work_mem = '256MB' AS $body$
DECLARE
    tenants jsonb := bcce_data.resolve_tenants(ARRAY(SELECT DISTINCT bcce_data.tenant_word(b.tenant) FROM batch b));
    predictions bcce_data.given_prediction[];
    faults text[];
BEGIN
    SELECT array_agg(ROW(
        g.tenant_id::uuid,
        CASE
            WHEN g.tenant_id IS NULL THEN 'unknown_tenant'
            WHEN (g.predicted_at <> '' AND g.predicted IS NULL) OR (g.outcome_at <> '' AND g.told_at IS NULL) THEN 'bad_time'
            WHEN g.horizon_seconds <> '' AND g.horizon IS NULL THEN 'bad_number'
            WHEN g.failure_probability <> '' AND g.probability IS NULL THEN 'bad_probability'
            WHEN g.outcome <> '' AND (g.told IS NULL OR g.told NOT IN (0, 1)) THEN 'bad_outcome'
            WHEN g.is_test <> '' AND bcce.try_boolean(g.is_test) IS NULL THEN 'bad_boolean'
        END,
        coalesce(nullif(g.prediction_id, ''), CASE WHEN g.failure_probability <> '' THEN bcce.uuid_v7()::text END),
        g.model_name, g.model_version, lower(btrim(g.target_kind)), g.target_id, g.predicted, g.horizon, g.probability,
        nullif(g.features_hash, ''), CASE WHEN g.told IN (0, 1) THEN g.told::integer END,
        CASE WHEN g.told IS NOT NULL THEN coalesce(g.told_at, statement_timestamp()) END,
        nullif(g.source, ''), bcce.try_boolean(g.is_test)
    )::bcce_data.given_prediction) INTO predictions
    FROM (
        SELECT b.*, tenants ->> bcce_data.tenant_word(b.tenant) AS tenant_id, bcce.try_timestamptz(b.predicted_at) AS predicted,
               bcce.try_timestamptz(b.outcome_at) AS told_at, bcce.try_float8(b.horizon_seconds) AS horizon,
               bcce.try_float8(b.failure_probability) AS probability, bcce.try_bigint(b.outcome) AS told
        FROM batch b OFFSET 0) AS g;
    faults := bcce_data.put_predictions(predictions, TG_ARGV[0] = 'new');
    PERFORM bcce_data.reject('inbox_predictions', array_agg((g.prediction).tenant_id), array_agg(g.fault), array_agg((g.prediction).prediction_id))
    FROM (SELECT unnest(predictions) AS prediction, unnest(faults) AS fault) AS g WHERE g.fault IS NOT NULL;
    RETURN NULL;
END
$body$;
COMMENT ON FUNCTION bcce_data.inbox_predictions() IS 'stores or refuses the rows of bcce.inbox_predictions';
