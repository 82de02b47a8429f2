-- calibration_table: whether probabilities mean what they say, one row per tenant, model, version and bin.
CREATE OR REPLACE FUNCTION bcce.calibration_table(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    model_name text,
    model_version text,
    bin integer,
    lower_probability double precision,
    upper_probability double precision,
    labelled_count bigint,
    mean_predicted double precision,
    observed_rate double precision,
    observed_low double precision,
    observed_high double precision
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        s.tenant_id,
        s.tenant_name,
        s.model_name,
        s.model_version,
        g.bin,
        (g.bin - 1) / 10.0::double precision,
        g.bin / 10.0::double precision,
        coalesce((s.bins[g.bin]).n, 0),
        (s.bins[g.bin]).mean_predicted,
        (s.bins[g.bin]).observed_rate,
        (s.bins[g.bin]).observed_low,
        (s.bins[g.bin]).observed_high
    FROM bcce_data.prediction_scores(since, until, false) s
    CROSS JOIN generate_series(1, 10) AS g (bin);
END;
COMMENT ON FUNCTION bcce.calibration_table(timestamptz, timestamptz) IS 'Did the probabilities predicted between since (inclusive) and until (exclusive) mean what they said? NULL leaves an end open. Same columns as the view of this name; what became known after the window is still pending.';

CREATE OR REPLACE VIEW bcce.calibration_table WITH (security_invoker = true) AS
SELECT
    a.tenant_id,
    a.tenant_name,
    a.model_name,
    a.model_version,
    a.bin,
    a.lower_probability,
    a.upper_probability,
    a.labelled_count,
    a.mean_predicted,
    a.observed_rate,
    a.observed_low,
    a.observed_high
FROM bcce.calibration_table(NULL::timestamptz, NULL::timestamptz) a;
COMMENT ON VIEW bcce.calibration_table IS 'Do probabilities mean what they say: of what was predicted at 70 percent, did 70 percent fail? One row per visible tenant, model, version and bin of probabilities. Over all retained data; for a period use the function of this name.';
COMMENT ON COLUMN bcce.calibration_table.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.calibration_table.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.calibration_table.model_name IS 'model';
COMMENT ON COLUMN bcce.calibration_table.model_version IS 'version of the model; empty where senders give none';
COMMENT ON COLUMN bcce.calibration_table.bin IS 'bin, 1 to 10, of equal width';
COMMENT ON COLUMN bcce.calibration_table.lower_probability IS 'lowest probability in the bin';
COMMENT ON COLUMN bcce.calibration_table.upper_probability IS 'probability at which the bin ends: not in it, except for 1 in the last';
COMMENT ON COLUMN bcce.calibration_table.labelled_count IS 'predictions in the bin whose outcome is known';
COMMENT ON COLUMN bcce.calibration_table.mean_predicted IS 'their mean predicted probability, 0 to 1; NULL: there is none';
COMMENT ON COLUMN bcce.calibration_table.observed_rate IS 'share of them whose target failed, 0 to 1: near mean_predicted where probabilities mean what they say; NULL: there is none';
COMMENT ON COLUMN bcce.calibration_table.observed_low IS 'lower end of the shares 95 % confidence interval (Wilson), 0 to 1';
COMMENT ON COLUMN bcce.calibration_table.observed_high IS 'upper end of the shares 95 % confidence interval (Wilson), 0 to 1';
