-- What became of predictions: one definition for all reports.
CREATE OR REPLACE FUNCTION bcce_data.judged_predictions(since timestamptz, until timestamptz)
RETURNS TABLE (
    tenant_id uuid,
    model_name text,
    model_version text,
    predicted_at timestamptz,
    p double precision,
    state text,
    y integer,
    label_delay interval,
    lead_time interval
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH prediction AS (
        SELECT
            p.tenant_id,
            p.model_name,
            p.model_version,
            p.prediction_id,
            p.predicted_at,
            p.target_kind,
            p.target_id,
            p.horizon_seconds,
            p.predicted_at + make_interval(secs => p.horizon_seconds) AS horizon_at,
            p.failure_probability AS p,
            CASE WHEN p.outcome_at <= (SELECT least(until, bcce.report_now())) THEN p.outcome END AS told,
            p.outcome_at AS told_at
        FROM bcce_data.predictions p
        WHERE p.predicted_at >= coalesce(since, '-infinity')
          AND p.predicted_at < coalesce(until, 'infinity')
          AND NOT p.is_test
    ),
    -- What was heard of the predicted services: failures by their start, and any run or incident.
    sign AS (
        SELECT r.tenant_id, coalesce(r.service_id, w.service_id) AS service_id, r.started_at AS at,
               r.status IN ('failed', 'timed_out') AND r.finished_at <= (SELECT least(until, bcce.report_now())) AS is_failure
        FROM bcce_data.workflow_runs r
        LEFT JOIN bcce_data.workflows w ON w.tenant_id = r.tenant_id AND w.workflow_id = r.workflow_id
        WHERE NOT r.is_test AND r.status <> 'skipped'
          AND r.started_at >= coalesce(since, '-infinity')
          AND r.started_at < coalesce(until, 'infinity')
          AND r.started_at <= (SELECT least(until, bcce.report_now()))
        UNION ALL
        SELECT i.tenant_id, i.service_id, i.started_at, true
        FROM bcce_data.declared_incidents(until) i
        WHERE i.started_at <= (SELECT least(until, bcce.report_now()))
    ),
    -- Few rows, once: met with each sign they are cheap even where the planner
    -- knows nothing of the tables yet and joins row by row.
    foretold AS MATERIALIZED (
        SELECT DISTINCT p.tenant_id, p.target_id AS service_id
        FROM prediction p
        WHERE p.target_kind = 'service'
    ),
    -- Backwards in time; at equal times the prediction comes first, so that only
    -- what began after it is ahead of it.  The predictions ride along: joining
    -- back to them would leave the planner a join by tenant alone.
    ahead AS (
        SELECT
            x.tenant_id,
            x.model_name,
            x.model_version,
            x.prediction_id,
            x.at,
            x.service_id,
            x.horizon_seconds,
            x.horizon_at,
            x.p,
            x.told,
            x.told_at,
            min(x.failure_at) OVER backwards AS failure_at,
            min(x.heard_at) OVER backwards AS heard_at
        FROM (
            SELECT p.tenant_id, p.target_id AS service_id, p.predicted_at AS at, p.prediction_id,
                   p.model_name, p.model_version, p.horizon_seconds, p.horizon_at, p.p, p.told, p.told_at,
                   NULL::timestamptz AS failure_at, NULL::timestamptz AS heard_at
            FROM prediction p
            WHERE p.target_kind = 'service'
            UNION ALL
            SELECT s.tenant_id, s.service_id, s.at, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                   CASE WHEN s.is_failure THEN s.at END, s.at
            FROM sign s
            WHERE EXISTS (
                SELECT 1
                FROM foretold f
                WHERE f.tenant_id = s.tenant_id AND f.service_id = s.service_id
            )
        ) x
        WINDOW backwards AS (
            PARTITION BY x.tenant_id, x.service_id
            ORDER BY x.at DESC, x.prediction_id IS NULL
            ROWS UNBOUNDED PRECEDING)
    ),
    paired AS (
        SELECT
            h.tenant_id,
            h.model_name,
            h.model_version,
            h.prediction_id,
            h.at AS predicted_at,
            'service' AS target_kind,
            h.service_id AS target_id,
            h.horizon_seconds,
            h.horizon_at,
            h.p,
            h.told,
            h.told_at,
            NULL::boolean AS run_is_test,
            NULL AS run_status,
            NULL::timestamptz AS run_finished_at,
            false AS is_late,
            CASE WHEN h.failure_at <= h.horizon_at THEN h.failure_at END AS service_failure_at,
            h.heard_at <= h.horizon_at AS was_heard
        FROM ahead h
        WHERE h.prediction_id IS NOT NULL
        UNION ALL
        SELECT
            p.tenant_id,
            p.model_name,
            p.model_version,
            p.prediction_id,
            p.predicted_at,
            p.target_kind,
            p.target_id,
            p.horizon_seconds,
            p.horizon_at,
            p.p,
            p.told,
            p.told_at,
            r.is_test,
            r.status,
            r.finished_at,
            coalesce(r.started_at < p.predicted_at, false),
            NULL,
            NULL
        FROM prediction p
        LEFT JOIN bcce_data.workflow_runs r
            ON p.target_kind = 'run' AND r.tenant_id = p.tenant_id AND r.run_id = p.target_id
            AND r.started_at < coalesce(until, 'infinity')
        WHERE p.target_kind <> 'service'
    ),
    ranked AS (
        SELECT
            q.tenant_id,
            q.model_name,
            q.model_version,
            q.predicted_at,
            q.target_kind,
            q.target_id,
            q.horizon_at,
            q.p,
            q.told,
            q.told_at,
            q.run_is_test,
            q.run_status,
            q.run_finished_at,
            q.is_late,
            q.service_failure_at,
            q.was_heard,
            -- What was told of an external thing belongs to that very prediction.
            NOT q.is_late AND row_number() OVER (
                PARTITION BY q.tenant_id, q.model_name, q.model_version, q.target_kind, q.target_id, q.is_late,
                    CASE WHEN q.target_kind = 'service' THEN q.predicted_at END,
                    CASE WHEN q.target_kind = 'service' THEN q.horizon_seconds END,
                    CASE WHEN q.target_kind = 'external' AND q.told IS NOT NULL THEN q.prediction_id END
                ORDER BY q.predicted_at DESC, q.prediction_id DESC
            ) > 1 AS is_superseded
        FROM paired q
    )
    SELECT
        k.tenant_id,
        k.model_name,
        k.model_version,
        k.predicted_at,
        k.p,
        verdict.state,
        CASE WHEN verdict.state = 'labelled' THEN coalesce(k.told::integer, CASE k.target_kind
            WHEN 'run' THEN (k.run_status IN ('failed', 'timed_out'))::integer
            ELSE (k.service_failure_at IS NOT NULL)::integer END) END AS y,
        CASE WHEN k.told IS NOT NULL THEN k.told_at
             WHEN k.target_kind = 'run' THEN k.run_finished_at
             ELSE k.horizon_at END - k.predicted_at AS label_delay,
        CASE k.target_kind WHEN 'run' THEN k.run_finished_at
                           WHEN 'service' THEN k.service_failure_at
                           ELSE k.told_at END - k.predicted_at AS lead_time
    FROM ranked k
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN k.is_late THEN 'late'
            WHEN k.is_superseded THEN 'superseded'
            WHEN k.told IS NOT NULL THEN 'labelled'
            WHEN k.target_kind = 'external' THEN 'pending'
            WHEN k.target_kind = 'run' THEN CASE
                WHEN k.run_is_test THEN 'unlabelable'
                WHEN k.run_finished_at <= (SELECT least(until, bcce.report_now())) THEN
                    CASE WHEN k.run_status IN ('cancelled', 'skipped') THEN 'unlabelable' ELSE 'labelled' END
                ELSE 'pending' END
            WHEN k.horizon_at > (SELECT least(until, bcce.report_now())) THEN 'pending'
            WHEN k.was_heard THEN 'labelled'
            WHEN EXISTS (
                SELECT 1
                FROM bcce_data.performance_metrics m
                WHERE m.tenant_id = k.tenant_id AND m.service_id = k.target_id AND NOT m.is_test
                  AND m.observed_at > k.predicted_at AND m.observed_at <= k.horizon_at
            ) THEN 'labelled'
            ELSE 'unlabelable'
        END AS state
    ) verdict;
END;
COMMENT ON FUNCTION bcce_data.judged_predictions(timestamptz, timestamptz) IS 'Predictions made between since (inclusive) and until (exclusive) with their state at the end of the window: labelled, pending, unlabelable, superseded or late; y is the outcome of the labelled ones.';
