-- prediction_accuracy_by_week: the same as prediction_accuracy over time.
CREATE OR REPLACE FUNCTION bcce.prediction_accuracy_by_week(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    model_name text,
    model_version text,
    period_start_at timestamptz,
    week date,
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
        monday.starts_at,
        s.week,
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
    FROM bcce_data.prediction_scores(since, until, true) s
    JOIN bcce_data.tenants t ON t.tenant_id = s.tenant_id
    CROSS JOIN LATERAL bcce_data.local_midnight(s.week, t.timezone) monday;
END;
COMMENT ON FUNCTION bcce.prediction_accuracy_by_week(timestamptz, timestamptz) IS 'How good were the predictions made between since (inclusive) and until (exclusive), week by week? NULL leaves an end open. Same columns as the view of this name; what became known after the window is still pending.';

CREATE OR REPLACE VIEW bcce.prediction_accuracy_by_week WITH (security_invoker = true) AS
SELECT
    a.tenant_id,
    a.tenant_name,
    a.model_name,
    a.model_version,
    a.period_start_at,
    a.week,
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
FROM bcce.prediction_accuracy_by_week(NULL::timestamptz, NULL::timestamptz) a;
COMMENT ON VIEW bcce.prediction_accuracy_by_week IS 'How does the quality of the failure predictions develop? One row per visible tenant, model, version and ISO week of the tenant''s zone with a prediction. For a period use the function of this name.';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.model_name IS 'model';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.model_version IS 'version of the model; empty where senders give none';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.period_start_at IS 'first instant of the week, which begins on Monday in the tenant''s zone';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.week IS 'Monday of the week in which the prediction was made';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.total_predictions IS 'predictions made: labelled, pending, unlabelable, superseded and late';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.labelled_count IS 'predictions whose outcome is known: all the scores are about these';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.pending_count IS 'predictions whose run is not over, whose horizon is not over, or whose outcome was not reported yet';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.unlabelable_count IS 'predictions whose run was cancelled or skipped, or whose service sent nothing during the horizon';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.superseded_count IS 'predictions that a later one of the model about the same target replaced';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.late_count IS 'predictions made after their run started';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.threshold IS 'probability at or above which a prediction counts as failure predicted, 0 to 1';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.true_positives IS 'failure predicted, and it failed';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.false_positives IS 'failure predicted, but it did not fail';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.true_negatives IS 'no failure predicted, and it did not fail';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.false_negatives IS 'no failure predicted, but it failed';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.accuracy_percent IS 'percent of the labelled predictions that were right, one decimal';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.precision_percent IS 'percent of the predicted failures that came, one decimal; NULL: none was predicted';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.recall_percent IS 'percent of the failures that were predicted, one decimal; NULL: there were none';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.specificity_percent IS 'percent of what did not fail that was predicted so, one decimal; NULL: everything failed';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.f1_score IS 'harmonic mean of precision and recall, 0 to 1';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.mcc IS 'Matthews correlation coefficient, -1 to 1; NULL: only one class predicted or seen';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.brier_score IS 'mean squared distance of probability and outcome, 0 (best) to 1';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.brier_skill_score IS 'part of the Brier score of always saying the base rate that the model saves; 1 is best, below 0 worse than that; NULL: only one class seen';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.log_loss IS 'mean negative natural logarithm of the probability given to what happened, probabilities clipped to 1e-15 from 0 and 1';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.auc IS 'probability that a failure got a higher probability than a non-failure (area under the ROC curve), ties one half; NULL: only one class seen';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.ece IS 'expected calibration error, 0 to 1: mean distance of predicted and observed rate over ten bins of equal width, weighted by count';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.mce IS 'largest such distance in one bin, 0 to 1';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.mean_predicted IS 'mean predicted probability, 0 to 1';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.base_rate_percent IS 'percent of the labelled predictions whose target failed, one decimal';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.calibration_ratio IS 'failures expected divided by failures observed; NULL: none observed';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.median_label_delay_minutes IS 'median time from a prediction to the knowledge of its outcome, minutes';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.median_lead_time_minutes IS 'median time from a prediction to the failure, minutes, true positives only';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.accuracy_low_percent IS 'lower end of the accuracy''s 95 % confidence interval (Wilson), percent';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.accuracy_high_percent IS 'upper end of the accuracy''s 95 % confidence interval (Wilson), percent';
