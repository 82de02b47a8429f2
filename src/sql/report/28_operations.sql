-- What happened in incidents, and which sources fell silent.
CREATE OR REPLACE FUNCTION bcce.incident_timeline(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    at timestamptz,
    incident_id text,
    service_id text,
    incident_type text,
    severity text,
    title text,
    affected_resources text,
    event_kind text,
    response_action text,
    actor_key text
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        e.at,
        i.incident_id,
        i.service_id,
        i.incident_type,
        i.severity,
        i.title,
        i.affected_resources,
        e.kind,
        e.response_action,
        e.actor_key
    FROM bcce_data.tenants t
    JOIN bcce_data.incidents i ON i.tenant_id = t.tenant_id
    CROSS JOIN LATERAL (
        SELECT v.at, v.kind, v.response_action, v.actor_key, v.event_id, 0 AS step
        FROM bcce_data.incident_events v
        WHERE v.tenant_id = i.tenant_id AND v.incident_id = i.incident_id
        UNION ALL
        SELECT m.at, m.kind, NULL, NULL, NULL, m.step
        FROM (VALUES
            (1, 'impact_started', i.impact_started_at),
            (2, 'opened', i.opened_at),
            (3, 'detected', i.detected_at),
            (4, 'acknowledged', i.acknowledged_at),
            (5, 'mitigated', i.mitigated_at),
            (6, 'recovered', i.recovered_at),
            (7, 'resolved', i.resolved_at),
            (8, 'closed', i.closed_at)) AS m (step, kind, at)
        WHERE m.at IS NOT NULL
    ) e
    WHERE t.deleted_at IS NULL
      AND NOT i.is_test AND i.merged_into IS NULL
      AND i.severity IN ('sev1', 'sev2')
      AND e.at >= coalesce(since, '-infinity')
      AND e.at < coalesce(until, 'infinity')
    ORDER BY e.at DESC, i.tenant_id, i.incident_id, e.step DESC, e.event_id DESC;
END;
COMMENT ON FUNCTION bcce.incident_timeline(timestamptz, timestamptz) IS 'What happened in severe incidents between since (inclusive) and until (exclusive)? NULL leaves an end open. Same columns as the view of this name.';

CREATE OR REPLACE VIEW bcce.incident_timeline WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.at,
    x.incident_id,
    x.service_id,
    x.incident_type,
    x.severity,
    x.title,
    x.affected_resources,
    x.event_kind,
    x.response_action,
    x.actor_key
FROM bcce.incident_timeline(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.incident_timeline IS 'What happened in severe incidents, step by step? One row per event and per known time of a declared sev1 or sev2 incident, newest first. For a period use the function of this name.';
COMMENT ON COLUMN bcce.incident_timeline.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.incident_timeline.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.incident_timeline.at IS 'when it happened';
COMMENT ON COLUMN bcce.incident_timeline.incident_id IS 'incident';
COMMENT ON COLUMN bcce.incident_timeline.service_id IS 'service of the incident';
COMMENT ON COLUMN bcce.incident_timeline.incident_type IS 'type of the incident';
COMMENT ON COLUMN bcce.incident_timeline.severity IS 'sev1 or sev2';
COMMENT ON COLUMN bcce.incident_timeline.title IS 'title of the incident, redacted';
COMMENT ON COLUMN bcce.incident_timeline.affected_resources IS 'what is affected, redacted';
COMMENT ON COLUMN bcce.incident_timeline.event_kind IS 'impact_started, opened, detected, acknowledged, mitigated, recovered, resolved or closed: a time of the incident itself; otherwise the kind of the event in the sender''s word';
COMMENT ON COLUMN bcce.incident_timeline.response_action IS 'what was done, redacted';
COMMENT ON COLUMN bcce.incident_timeline.actor_key IS 'pseudonym of who did it';

-- Which sources fell silent.
CREATE OR REPLACE FUNCTION bcce.data_freshness(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    fact text,
    source text,
    last_received_at timestamptz,
    last_occurred_at timestamptz,
    lag_seconds double precision,
    expected_seconds double precision,
    is_late boolean
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        f.fact,
        f.source,
        f.received_at,
        f.occurred_at,
        lag.seconds,
        60 * coalesce(own.value, d.value),
        lag.seconds > 60 * coalesce(own.value, d.value)
    FROM bcce_data.tenants t
    JOIN (
        SELECT r.tenant_id, 'workflow_runs' AS fact, r.source, max(r.recorded_at) AS received_at, max(r.started_at) AS occurred_at
        FROM bcce_data.workflow_runs r
        WHERE r.started_at >= coalesce(since, '-infinity')
          AND r.started_at < coalesce(until, 'infinity')
          AND NOT r.is_test AND r.recorded_at <= (SELECT least(until, bcce.report_now()))
        GROUP BY r.tenant_id, r.source
        UNION ALL
        SELECT m.tenant_id, 'performance_metrics', m.source, max(m.recorded_at), max(m.observed_at)
        FROM bcce_data.performance_metrics m
        WHERE m.observed_at >= coalesce(since, '-infinity')
          AND m.observed_at < coalesce(until, 'infinity')
          AND NOT m.is_test AND m.recorded_at <= (SELECT least(until, bcce.report_now()))
        GROUP BY m.tenant_id, m.source
        UNION ALL
        SELECT p.tenant_id, 'predictions', p.source, max(p.recorded_at), max(p.predicted_at)
        FROM bcce_data.predictions p
        WHERE p.predicted_at >= coalesce(since, '-infinity')
          AND p.predicted_at < coalesce(until, 'infinity')
          AND NOT p.is_test AND p.recorded_at <= (SELECT least(until, bcce.report_now()))
        GROUP BY p.tenant_id, p.source
        UNION ALL
        SELECT u.tenant_id, 'model_usage', u.source, max(u.recorded_at), max(u.at)
        FROM bcce_data.model_usage u
        WHERE u.at >= coalesce(since, '-infinity')
          AND u.at < coalesce(until, 'infinity')
          AND NOT u.is_test AND u.recorded_at <= (SELECT least(until, bcce.report_now()))
        GROUP BY u.tenant_id, u.source
        UNION ALL
        SELECT e.tenant_id, 'events', e.source, max(e.received_at), max(e.occurred_at)
        FROM bcce_data.events e
        WHERE e.occurred_at >= coalesce(since, '-infinity')
          AND e.occurred_at < coalesce(until, 'infinity')
          AND NOT e.is_test AND e.received_at <= (SELECT least(until, bcce.report_now()))
        GROUP BY e.tenant_id, e.source
    ) f ON f.tenant_id = t.tenant_id
    JOIN bcce_data.default_health_thresholds d ON d.threshold = 'stale_after_minutes'
    LEFT JOIN bcce_data.health_thresholds own
        ON own.tenant_id = t.tenant_id AND own.service_id = '*' AND own.threshold = d.threshold
    CROSS JOIN LATERAL (
        SELECT extract(epoch FROM (SELECT least(until, bcce.report_now())) - f.received_at)::double precision AS seconds
    ) lag
    WHERE t.deleted_at IS NULL;
END;
COMMENT ON FUNCTION bcce.data_freshness(timestamptz, timestamptz) IS 'Which sources had fallen silent at the end of the window, by facts between since (inclusive) and until (exclusive)? NULL leaves an end open. Same columns as the view of this name.';

CREATE OR REPLACE VIEW bcce.data_freshness WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.fact,
    x.source,
    x.last_received_at,
    x.last_occurred_at,
    x.lag_seconds,
    x.expected_seconds,
    x.is_late
FROM bcce.data_freshness(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.data_freshness IS 'Which sources have fallen silent? One row per visible tenant, kind of fact and source that ever sent one. For a period use the function of this name.';
COMMENT ON COLUMN bcce.data_freshness.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.data_freshness.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.data_freshness.fact IS 'kind of fact: workflow_runs, performance_metrics, predictions, model_usage or events';
COMMENT ON COLUMN bcce.data_freshness.source IS 'source, as the sender calls it';
COMMENT ON COLUMN bcce.data_freshness.last_received_at IS 'when the latest of its facts was received';
COMMENT ON COLUMN bcce.data_freshness.last_occurred_at IS 'time of the latest fact itself';
COMMENT ON COLUMN bcce.data_freshness.lag_seconds IS 'time since last_received_at, seconds, up to now or the window''s end';
COMMENT ON COLUMN bcce.data_freshness.expected_seconds IS 'limit of silence, seconds: the tenant''s stale_after_minutes for all services, else the default';
COMMENT ON COLUMN bcce.data_freshness.is_late IS 'true when the lag is over the limit';
