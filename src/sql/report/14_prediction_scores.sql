-- How good predictions were: one definition for all reports.
CREATE OR REPLACE FUNCTION bcce_data.prediction_scores(since timestamptz, until timestamptz, by_week boolean)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    model_name text,
    model_version text,
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
    accuracy_high_percent numeric,
    estimated_accuracy_pending_percent numeric,
    bins bcce.calibration_bin[]
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH judged AS (
        SELECT
            k.tenant_id,
            k.model_name,
            k.model_version,
            CASE WHEN by_week THEN date_trunc('week', local.day::timestamp)::date ELSE '-infinity' END AS week,
            k.p,
            k.state,
            k.y,
            k.label_delay,
            k.lead_time
        FROM bcce_data.judged_predictions(since, until) k
        JOIN bcce_data.tenants t ON t.tenant_id = k.tenant_id AND t.deleted_at IS NULL
        CROSS JOIN LATERAL bcce_data.local_date(k.predicted_at, t.timezone) local
    ),
    -- One row per model, known by its own row or by its predictions.
    model AS (
        SELECT x.tenant_id, t.tenant_name, x.model_name, x.model_version, coalesce(max(x.threshold), 0.5) AS threshold
        FROM (
            SELECT m.tenant_id, m.model_name, m.model_version, m.threshold
            FROM bcce_data.models m
            UNION ALL
            SELECT j.tenant_id, j.model_name, j.model_version, NULL
            FROM judged j
        ) x
        JOIN bcce_data.tenants t ON t.tenant_id = x.tenant_id AND t.deleted_at IS NULL
        GROUP BY x.tenant_id, t.tenant_name, x.model_name, x.model_version
    ),
    tally AS (
        SELECT
            j.tenant_id,
            j.model_name,
            j.model_version,
            j.week,
            count(*) AS total,
            count(*) FILTER (WHERE j.state = 'labelled') AS labelled,
            count(*) FILTER (WHERE j.state = 'pending') AS pending,
            count(*) FILTER (WHERE j.state = 'unlabelable') AS unlabelable,
            count(*) FILTER (WHERE j.state = 'superseded') AS superseded,
            count(*) FILTER (WHERE j.state = 'late') AS late,
            -- Each is right with this chance, if probabilities mean what they say.
            avg((CASE WHEN j.p >= m.threshold THEN j.p ELSE 1 - j.p END)::numeric) FILTER (WHERE j.state = 'pending') AS pending_rightness
        FROM judged j
        JOIN model m ON m.tenant_id = j.tenant_id AND m.model_name = j.model_name AND m.model_version = j.model_version
        GROUP BY j.tenant_id, j.model_name, j.model_version, j.week
    ),
    labelled AS (
        SELECT
            j.tenant_id,
            j.model_name,
            j.model_version,
            j.week,
            j.p,
            j.y = 1 AS has_failed,
            j.p >= m.threshold AS is_positive,
            extract(epoch FROM j.label_delay)::double precision / 60 AS label_delay_minutes,
            extract(epoch FROM j.lead_time)::double precision / 60 AS lead_time_minutes
        FROM judged j
        JOIN model m ON m.tenant_id = j.tenant_id AND m.model_name = j.model_name AND m.model_version = j.model_version
        WHERE j.state = 'labelled'
    ),
    score AS (
        SELECT
            l.tenant_id,
            l.model_name,
            l.model_version,
            l.week,
            count(*) AS n,
            count(*) FILTER (WHERE l.has_failed) AS failures,
            count(*) FILTER (WHERE l.is_positive AND l.has_failed) AS tp,
            count(*) FILTER (WHERE l.is_positive AND NOT l.has_failed) AS fp,
            count(*) FILTER (WHERE NOT l.is_positive AND NOT l.has_failed) AS tn,
            count(*) FILTER (WHERE NOT l.is_positive AND l.has_failed) AS fn,
            bcce.mcc(l.is_positive, l.has_failed) AS mcc,
            bcce.brier(l.p, l.has_failed) AS brier,
            bcce.log_loss(l.p, l.has_failed) AS log_loss,
            bcce.roc_auc(l.p, l.has_failed) AS auc,
            bcce.ece(l.p, l.has_failed) AS ece,
            bcce.mce(l.p, l.has_failed) AS mce,
            bcce.calibration_bins(l.p, l.has_failed) AS bins,
            bcce.median(l.label_delay_minutes) FILTER (WHERE l.label_delay_minutes >= 0) AS label_delay_minutes,
            bcce.median(l.lead_time_minutes) FILTER (WHERE l.is_positive AND l.has_failed AND l.lead_time_minutes >= 0) AS lead_time_minutes
        FROM labelled l
        GROUP BY l.tenant_id, l.model_name, l.model_version, l.week
    )
    SELECT
        m.tenant_id,
        m.tenant_name,
        m.model_name,
        m.model_version,
        t.week,
        coalesce(t.total, 0),
        coalesce(t.labelled, 0),
        coalesce(t.pending, 0),
        coalesce(t.unlabelable, 0),
        coalesce(t.superseded, 0),
        coalesce(t.late, 0),
        m.threshold,
        coalesce(s.tp, 0),
        coalesce(s.fp, 0),
        coalesce(s.tn, 0),
        coalesce(s.fn, 0),
        round(100.0 * (s.tp + s.tn) / s.n, 1),
        round(100.0 * s.tp / nullif(s.tp + s.fp, 0), 1),
        round(100.0 * s.tp / nullif(s.tp + s.fn, 0), 1),
        round(100.0 * s.tn / nullif(s.tn + s.fp, 0), 1),
        2.0::double precision * s.tp / nullif(2 * s.tp + s.fp + s.fn, 0),
        s.mcc,
        s.brier,
        1 - s.brier / nullif(base.rate * (1 - base.rate), 0),
        s.log_loss,
        s.auc,
        s.ece,
        s.mce,
        expected.failures / s.n,
        round(100.0 * s.failures / s.n, 1),
        expected.failures / nullif(s.failures, 0),
        s.label_delay_minutes,
        s.lead_time_minutes,
        round((100 * bcce.wilson_low(s.tp + s.tn, s.n))::numeric, 1),
        round((100 * bcce.wilson_high(s.tp + s.tn, s.n))::numeric, 1),
        CASE WHEN s.ece < 0.05 THEN round(100 * t.pending_rightness, 1) END,
        s.bins
    FROM model m
    LEFT JOIN tally t ON t.tenant_id = m.tenant_id AND t.model_name = m.model_name AND t.model_version = m.model_version
    LEFT JOIN score s ON s.tenant_id = t.tenant_id AND s.model_name = t.model_name
        AND s.model_version = t.model_version AND s.week = t.week
    CROSS JOIN LATERAL (SELECT s.failures::double precision / s.n AS rate) base
    -- From the bins' exact sums, so that it does not depend on the order of rows.
    CROSS JOIN LATERAL (SELECT sum(b.n * b.mean_predicted) AS failures FROM unnest(s.bins) b) expected
    WHERE NOT by_week OR t.week IS NOT NULL;
END;
COMMENT ON FUNCTION bcce_data.prediction_scores(timestamptz, timestamptz, boolean) IS 'How good the predictions made between since (inclusive) and until (exclusive) were: one row per model and version, or, by week, per model, version and ISO week of the tenant''s zone with a prediction; week is the Monday, -infinity for all together.';
