-- prediction_drift: whether probabilities are still distributed as in a reference, one row per tenant, model and version.
CREATE OR REPLACE FUNCTION bcce.prediction_drift(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    model_name text,
    model_version text,
    reference_from timestamptz,
    reference_to timestamptz,
    reference_count bigint,
    recent_count bigint,
    psi double precision,
    ks double precision,
    no_data_reason text,
    pending_count bigint,
    ece double precision,
    estimated_accuracy_pending_percent numeric
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        s.tenant_id,
        s.tenant_name,
        s.model_name,
        s.model_version,
        m.reference_from,
        m.reference_to,
        d.reference_count,
        d.recent_count,
        d.psi,
        CASE WHEN reason.text IS NULL THEN d.ks END,
        reason.text,
        s.pending_count,
        s.ece,
        s.estimated_accuracy_pending_percent
    FROM bcce_data.prediction_scores(since, until, false) s
    LEFT JOIN bcce_data.models m ON m.tenant_id = s.tenant_id AND m.model_name = s.model_name AND m.model_version = s.model_version
    -- A prediction may be in both samples, so each is read by itself.
    CROSS JOIN LATERAL (
        SELECT
            count(*) FILTER (WHERE x.is_reference) AS reference_count,
            count(*) FILTER (WHERE NOT x.is_reference) AS recent_count,
            bcce.psi(x.p, x.is_reference) AS psi,
            bcce.ks(x.p, x.is_reference) AS ks
        FROM (
            SELECT p.failure_probability AS p, true AS is_reference
            FROM bcce_data.predictions p
            WHERE p.tenant_id = s.tenant_id AND p.model_name = s.model_name AND p.model_version = s.model_version AND NOT p.is_test
              AND p.predicted_at >= m.reference_from AND p.predicted_at < m.reference_to
              AND p.predicted_at < (SELECT least(until, bcce.report_now()))
            UNION ALL
            SELECT p.failure_probability, false
            FROM bcce_data.predictions p
            WHERE p.tenant_id = s.tenant_id AND p.model_name = s.model_name AND p.model_version = s.model_version AND NOT p.is_test
              AND p.predicted_at >= (SELECT least(until, bcce.report_now()) - interval '168 hours')
              AND p.predicted_at < (SELECT least(until, bcce.report_now()))
        ) x
    ) d
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN m.reference_from IS NULL OR m.reference_to IS NULL THEN 'the model has no reference'
            WHEN d.reference_count < 50 THEN 'under 50 predictions in the reference'
            WHEN d.recent_count < 50 THEN 'under 50 predictions in the last 7 days'
        END AS text
    ) reason;
END;
COMMENT ON FUNCTION bcce.prediction_drift(timestamptz, timestamptz) IS 'Have the predictions drifted from a reference in the 7 days before until? NULL leaves an end open; the 7 days end at until or now, whatever since; pending predictions and their estimate are those made from since (inclusive) to until (exclusive). Same columns as the view of this name.';

CREATE OR REPLACE VIEW bcce.prediction_drift WITH (security_invoker = true) AS
SELECT
    a.tenant_id,
    a.tenant_name,
    a.model_name,
    a.model_version,
    a.reference_from,
    a.reference_to,
    a.reference_count,
    a.recent_count,
    a.psi,
    a.ks,
    a.no_data_reason,
    a.pending_count,
    a.ece,
    a.estimated_accuracy_pending_percent
FROM bcce.prediction_drift(NULL::timestamptz, NULL::timestamptz) a;
COMMENT ON VIEW bcce.prediction_drift IS 'Do models still predict as they used to: have their probabilities drifted from a reference? One row per visible tenant, model and version. The last 7 days against the time set by set_prediction_reference(), and what may be expected of the predictions without outcome.';
COMMENT ON COLUMN bcce.prediction_drift.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.prediction_drift.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.prediction_drift.model_name IS 'model';
COMMENT ON COLUMN bcce.prediction_drift.model_version IS 'version of the model; empty where senders give none';
COMMENT ON COLUMN bcce.prediction_drift.reference_from IS 'start of the time that the model is compared with; NULL: none was set by set_prediction_reference()';
COMMENT ON COLUMN bcce.prediction_drift.reference_to IS 'end of that time, which is not in it';
COMMENT ON COLUMN bcce.prediction_drift.reference_count IS 'predictions made in that time';
COMMENT ON COLUMN bcce.prediction_drift.recent_count IS 'predictions made in the last 7 days, up to the end of the window';
COMMENT ON COLUMN bcce.prediction_drift.psi IS 'population stability index of the probabilities of the last 7 days against those of the reference, over its deciles; above 0.25 is usually called a shift; an empty cell counts as half a prediction; NULL: see no_data_reason';
COMMENT ON COLUMN bcce.prediction_drift.ks IS 'largest distance of their distribution functions, 0 to 1 (Kolmogorov-Smirnov); NULL as psi';
COMMENT ON COLUMN bcce.prediction_drift.no_data_reason IS 'why psi and ks are NULL; NULL: they are not';
COMMENT ON COLUMN bcce.prediction_drift.pending_count IS 'predictions in the window whose outcome is not known yet';
COMMENT ON COLUMN bcce.prediction_drift.ece IS 'expected calibration error of the labelled predictions in the window, 0 to 1, as in prediction_accuracy';
COMMENT ON COLUMN bcce.prediction_drift.estimated_accuracy_pending_percent IS 'percent of the pending predictions that will prove right if probabilities mean what they say: mean of the probability of what was predicted, one decimal; an estimate, in no accuracy; NULL: none is pending, or ece is not below 0.05';
