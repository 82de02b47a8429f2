-- What an admin sets for models that predict failures.
CREATE OR REPLACE FUNCTION bcce.set_prediction_threshold(threshold double precision, model_name text, model_version text DEFAULT '', tenant text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    target uuid := bcce_data.resolve_tenant(tenant);
BEGIN
    IF target IS NULL THEN
        PERFORM bcce_data.refuse('unknown_tenant');
    END IF;
    IF NOT threshold BETWEEN 0 AND 1 THEN
        PERFORM bcce.raise_error('22003', 'a threshold is a probability, 0 to 1', NULL, 'Give 0.2 for 20 percent, NULL for the default 0.5.');
    END IF;
    UPDATE bcce_data.models m SET threshold = coalesce(set_prediction_threshold.threshold, 0.5)
    WHERE m.tenant_id = target AND m.model_name = set_prediction_threshold.model_name AND m.model_version = set_prediction_threshold.model_version;
    IF NOT FOUND THEN
        PERFORM bcce.raise_error('P0002', 'model not found', NULL, 'The first prediction of a model makes it known; prediction_accuracy lists names and versions.');
    END IF;
END
$body$;
COMMENT ON FUNCTION bcce.set_prediction_threshold(double precision, text, text, text) IS
'Sets the probability at or above which a model predicts a failure, for predictions made before, too (prediction_accuracy). NULL: 0.5. For one tenant. Errors: 22003 threshold out of range, P0002 tenant or model not found.';

CREATE OR REPLACE FUNCTION bcce.set_prediction_reference(reference_from timestamptz, reference_to timestamptz, model_name text, model_version text DEFAULT '', tenant text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    target uuid := bcce_data.resolve_tenant(tenant);
BEGIN
    IF target IS NULL THEN
        PERFORM bcce_data.refuse('unknown_tenant');
    END IF;
    IF (reference_from IS NULL) <> (reference_to IS NULL) OR reference_from >= reference_to THEN
        PERFORM bcce.raise_error('22023', 'a reference begins before it ends', NULL, 'Give both instants, or NULL for both to remove the reference.');
    END IF;
    UPDATE bcce_data.models m SET reference_from = set_prediction_reference.reference_from, reference_to = set_prediction_reference.reference_to
    WHERE m.tenant_id = target AND m.model_name = set_prediction_reference.model_name AND m.model_version = set_prediction_reference.model_version;
    IF NOT FOUND THEN
        PERFORM bcce.raise_error('P0002', 'model not found', NULL, 'The first prediction of a model makes it known; prediction_accuracy lists names and versions.');
    END IF;
END
$body$;
COMMENT ON FUNCTION bcce.set_prediction_reference(timestamptz, timestamptz, text, text, text) IS
'Sets the time, from inclusive to exclusive, whose predictions a model is compared with (prediction_drift): one in which it was known to be good. NULL for both removes it. For one tenant. Errors: 22023 no beginning before an end, P0002 tenant or model not found.';
