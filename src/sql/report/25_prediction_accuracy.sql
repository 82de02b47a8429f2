-- prediction_accuracy: how good predictions were, one row per tenant, model and version.
CREATE OR REPLACE FUNCTION bcce.prediction_accuracy(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    model_name text,
    model_version text,
    total_predictions bigint,
    labelled_count bigint,
    pending_count bigint,
    unlabelable_count bigint,
    superseded_count bigint,
    late_count bigint,
    threshold double precision,
    true_positives bigint,
    false_positives bigint,
    true_negatives bigint,
    false_negatives bigint,
    accuracy_percent numeric,
    precision_percent numeric,
    recall_percent numeric,
    specificity_percent numeric,
    f1_score double precision,
    mcc double precision,
    brier_score double precision,
    brier_skill_score double precision,
    log_loss double precision,
    auc double precision,
    ece double precision,
    mce double precision,
    mean_predicted double precision,
    base_rate_percent numeric,
    calibration_ratio double precision,
    median_label_delay_minutes double precision,
    median_lead_time_minutes double precision,
    accuracy_low_percent numeric,
    accuracy_high_percent numeric
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        s.tenant_id,
        s.tenant_name,
        s.model_name,
        s.model_version,
        s.total_predictions,
        s.labelled_count,
        s.pending_count,
        s.unlabelable_count,
        s.superseded_count,
        s.late_count,
        s.threshold,
        s.true_positives,
        s.false_positives,
        s.true_negatives,
        s.false_negatives,
        s.accuracy_percent,
        s.precision_percent,
        s.recall_percent,
        s.specificity_percent,
        s.f1_score,
        s.mcc,
        s.brier_score,
        s.brier_skill_score,
        s.log_loss,
        s.auc,
        s.ece,
        s.mce,
        s.mean_predicted,
        s.base_rate_percent,
        s.calibration_ratio,
        s.median_label_delay_minutes,
        s.median_lead_time_minutes,
        s.accuracy_low_percent,
        s.accuracy_high_percent
    FROM bcce_data.prediction_scores(since, until, false) s;
END;
COMMENT ON FUNCTION bcce.prediction_accuracy(timestamptz, timestamptz) IS 'How good were the predictions made between since (inclusive) and until (exclusive)? NULL leaves an end open. Same columns as the view of this name; what became known after the window is still pending.';

CREATE OR REPLACE VIEW bcce.prediction_accuracy WITH (security_invoker = true) AS
SELECT
    a.tenant_id,
    a.tenant_name,
    a.model_name,
    a.model_version,
    a.total_predictions,
    a.labelled_count,
    a.pending_count,
    a.unlabelable_count,
    a.superseded_count,
    a.late_count,
    a.threshold,
    a.true_positives,
    a.false_positives,
    a.true_negatives,
    a.false_negatives,
    a.accuracy_percent,
    a.precision_percent,
    a.recall_percent,
    a.specificity_percent,
    a.f1_score,
    a.mcc,
    a.brier_score,
    a.brier_skill_score,
    a.log_loss,
    a.auc,
    a.ece,
    a.mce,
    a.mean_predicted,
    a.base_rate_percent,
    a.calibration_ratio,
    a.median_label_delay_minutes,
    a.median_lead_time_minutes,
    a.accuracy_low_percent,
    a.accuracy_high_percent
FROM bcce.prediction_accuracy(NULL::timestamptz, NULL::timestamptz) a;
COMMENT ON VIEW bcce.prediction_accuracy IS 'Can the failure predictions be trusted: how good are they, over all retained data? One row per visible tenant, model and version. For a period use the function of this name.';
COMMENT ON COLUMN bcce.prediction_accuracy.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.prediction_accuracy.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.prediction_accuracy.model_name IS 'model';
COMMENT ON COLUMN bcce.prediction_accuracy.model_version IS 'version of the model; empty where senders give none';
COMMENT ON COLUMN bcce.prediction_accuracy.total_predictions IS 'predictions made: labelled, pending, unlabelable, superseded and late';
COMMENT ON COLUMN bcce.prediction_accuracy.labelled_count IS 'predictions whose outcome is known: all the scores are about these';
COMMENT ON COLUMN bcce.prediction_accuracy.pending_count IS 'predictions whose run is not over, whose horizon is not over, or whose outcome was not reported yet';
COMMENT ON COLUMN bcce.prediction_accuracy.unlabelable_count IS 'predictions whose run was cancelled or skipped, or whose service sent nothing during the horizon';
COMMENT ON COLUMN bcce.prediction_accuracy.superseded_count IS 'predictions that a later one of the model about the same target replaced';
COMMENT ON COLUMN bcce.prediction_accuracy.late_count IS 'predictions made after their run started';
COMMENT ON COLUMN bcce.prediction_accuracy.threshold IS 'probability at or above which a prediction counts as failure predicted, 0 to 1';
COMMENT ON COLUMN bcce.prediction_accuracy.true_positives IS 'failure predicted, and it failed';
COMMENT ON COLUMN bcce.prediction_accuracy.false_positives IS 'failure predicted, but it did not fail';
COMMENT ON COLUMN bcce.prediction_accuracy.true_negatives IS 'no failure predicted, and it did not fail';
COMMENT ON COLUMN bcce.prediction_accuracy.false_negatives IS 'no failure predicted, but it failed';
COMMENT ON COLUMN bcce.prediction_accuracy.accuracy_percent IS 'percent of the labelled predictions that were right, one decimal';
COMMENT ON COLUMN bcce.prediction_accuracy.precision_percent IS 'percent of the predicted failures that came, one decimal; NULL: none was predicted';
COMMENT ON COLUMN bcce.prediction_accuracy.recall_percent IS 'percent of the failures that were predicted, one decimal; NULL: there were none';
COMMENT ON COLUMN bcce.prediction_accuracy.specificity_percent IS 'percent of what did not fail that was predicted so, one decimal; NULL: everything failed';
COMMENT ON COLUMN bcce.prediction_accuracy.f1_score IS 'harmonic mean of precision and recall, 0 to 1';
COMMENT ON COLUMN bcce.prediction_accuracy.mcc IS 'Matthews correlation coefficient, -1 to 1; NULL: only one class predicted or seen';
COMMENT ON COLUMN bcce.prediction_accuracy.brier_score IS 'mean squared distance of probability and outcome, 0 (best) to 1';
COMMENT ON COLUMN bcce.prediction_accuracy.brier_skill_score IS 'part of the Brier score of always saying the base rate that the model saves; 1 is best, below 0 worse than that; NULL: only one class seen';
COMMENT ON COLUMN bcce.prediction_accuracy.log_loss IS 'mean negative natural logarithm of the probability given to what happened, probabilities clipped to 1e-15 from 0 and 1';
COMMENT ON COLUMN bcce.prediction_accuracy.auc IS 'probability that a failure got a higher probability than a non-failure (area under the ROC curve), ties one half; NULL: only one class seen';
COMMENT ON COLUMN bcce.prediction_accuracy.ece IS 'expected calibration error, 0 to 1: mean distance of predicted and observed rate over ten bins of equal width, weighted by count';
COMMENT ON COLUMN bcce.prediction_accuracy.mce IS 'largest such distance in one bin, 0 to 1';
COMMENT ON COLUMN bcce.prediction_accuracy.mean_predicted IS 'mean predicted probability, 0 to 1';
COMMENT ON COLUMN bcce.prediction_accuracy.base_rate_percent IS 'percent of the labelled predictions whose target failed, one decimal';
COMMENT ON COLUMN bcce.prediction_accuracy.calibration_ratio IS 'failures expected divided by failures observed; NULL: none observed';
COMMENT ON COLUMN bcce.prediction_accuracy.median_label_delay_minutes IS 'median time from a prediction to the knowledge of its outcome, minutes';
COMMENT ON COLUMN bcce.prediction_accuracy.median_lead_time_minutes IS 'median time from a prediction to the failure, minutes, true positives only';
COMMENT ON COLUMN bcce.prediction_accuracy.accuracy_low_percent IS 'lower end of the accuracy''s 95 % confidence interval (Wilson), percent';
COMMENT ON COLUMN bcce.prediction_accuracy.accuracy_high_percent IS 'upper end of the accuracy''s 95 % confidence interval (Wilson), percent';
