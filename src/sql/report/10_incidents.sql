-- A window on the time of a fact is written x >= coalesce(since, '-infinity') AND
-- x < coalesce(until, 'infinity'), here and in all reports: of (since IS NULL OR
-- x >= since) the planner can leave out months for literals alone, not for
-- parameters or now() - interval '7 days'.  (A fact's time is never infinite.)

-- What the reports mean by a declared incident: one definition for all of them.
CREATE OR REPLACE FUNCTION bcce_data.declared_incidents(until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    incident_id text,
    service_id text,
    severity text,
    state text,
    started_at timestamptz,
    ended_at timestamptz,
    impact_minutes double precision,
    is_fallback boolean,
    open_minutes double precision
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        clock.tenant_id,
        clock.incident_id,
        clock.service_id,
        clock.severity,
        verdict.state,
        clock.started_at,
        clock.ended_at,
        CASE WHEN verdict.state = 'recovered' THEN
            coalesce(clock.union_seconds, extract(epoch FROM clock.ended_at - clock.started_at))::double precision / 60
        END,
        clock.is_fallback,
        -- An incident may begin after the moment of judgement by a fast clock: age 0.
        CASE WHEN verdict.state = 'open' THEN
            coalesce(clock.seconds_so_far, extract(epoch FROM (SELECT least(until, bcce.report_now()))
                - least(clock.started_at, (SELECT least(until, bcce.report_now())))))::double precision / 60
        END
    FROM (
        SELECT
            i.tenant_id,
            i.incident_id,
            i.service_id,
            i.severity,
            coalesce(impact.started_at, i.impact_started_at, i.detected_at, i.opened_at) AS started_at,
            CASE WHEN impact.started_at IS NOT NULL THEN impact.ended_at
                 ELSE coalesce(i.recovered_at, i.mitigated_at, i.resolved_at, i.closed_at) END AS ended_at,
            impact.union_seconds,
            impact.seconds_so_far,
            impact.started_at IS NULL AND i.closed_at IS NOT NULL
                AND coalesce(i.recovered_at, i.mitigated_at, i.resolved_at) IS NULL AS is_fallback
        FROM bcce_data.incidents i
        LEFT JOIN LATERAL (
            SELECT
                min(part.started_at) AS started_at,
                CASE WHEN count(*) = count(part.ended_at) THEN max(part.ended_at) END AS ended_at,
                -- Infinite times cannot be subtracted.
                CASE WHEN bool_and(isfinite(part.started_at)) AND count(*) = count(part.ended_at) THEN
                    sum(extract(epoch FROM part.ended_at - CASE WHEN isfinite(part.started_at) THEN part.started_at END)) END AS union_seconds,
                sum(extract(epoch FROM least(part.ended_at, (SELECT least(until, bcce.report_now()))) - part.started_at))
                    FILTER (WHERE isfinite(part.started_at) AND part.started_at <= (SELECT least(until, bcce.report_now()))) AS seconds_so_far
            FROM (
                SELECT lower(u.span) AS started_at, nullif(upper(u.span), 'infinity') AS ended_at
                FROM (
                    SELECT unnest(range_agg(p.span)) AS span
                    FROM bcce_data.incident_impacts p
                    WHERE p.tenant_id = i.tenant_id AND p.incident_id = i.incident_id
                      AND (until IS NULL OR lower(p.span) < until)
                ) u
            ) part
        ) impact ON true
        WHERE NOT i.is_test AND i.merged_into IS NULL
    ) clock
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN NOT isfinite(clock.started_at) OR clock.ended_at < clock.started_at
                OR clock.ended_at > (SELECT bcce.report_now() + interval '5 minutes') THEN 'invalid'
            WHEN clock.ended_at <= (SELECT least(until, bcce.report_now() + interval '5 minutes')) THEN 'recovered'
            ELSE 'open'
        END AS state
    ) verdict
    WHERE until IS NULL OR clock.started_at < until;
END;
COMMENT ON FUNCTION bcce_data.declared_incidents(timestamptz) IS 'Declared incidents (no tests, none merged into another) that began before until, with their state then: recovered, open or invalid (ends before it starts, or more than five minutes in the future). They start with their impact, else when detected or opened, and end when recovered, mitigated or resolved, else when closed (is_fallback). Recorded impact spans go before the clocks: impact_minutes is the length of their union, in minutes, NULL unless recovered; open_minutes the same so far (the age, where no spans are recorded), NULL unless open.';

-- When services hurt: the spans that availability takes the union of.
CREATE OR REPLACE FUNCTION bcce_data.impact_spans(until timestamptz)
RETURNS TABLE (tenant_id uuid, service_id text, started_at timestamptz, ended_at timestamptz, severity text)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT d.tenant_id, d.service_id, d.started_at, coalesce(d.ended_at, 'infinity'), d.severity
    FROM bcce_data.declared_incidents(until) d
    WHERE d.state <> 'invalid'
      AND NOT EXISTS (
          SELECT 1
          FROM bcce_data.incident_impacts p
          WHERE p.tenant_id = d.tenant_id AND p.incident_id = d.incident_id
            AND (until IS NULL OR lower(p.span) < until)
      )
    UNION ALL
    SELECT d.tenant_id, d.service_id, lower(p.span), coalesce(upper(p.span), 'infinity'), d.severity
    FROM bcce_data.declared_incidents(until) d
    JOIN bcce_data.incident_impacts p ON p.tenant_id = d.tenant_id AND p.incident_id = d.incident_id
    WHERE d.state <> 'invalid'
      AND (until IS NULL OR lower(p.span) < until);
END;
COMMENT ON FUNCTION bcce_data.impact_spans(timestamptz) IS 'Spans of impact of declared incidents that began before until: the recorded ones, or from the start of an incident to its end where none is recorded; infinity: not over. They overlap.';

-- Whose incidents count, and which: one definition for all reports of recovery.
CREATE OR REPLACE FUNCTION bcce_data.mttr_basis()
RETURNS TABLE (tenant_id uuid, tenant_name text, timezone text, ever boolean, basis text)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        t.timezone,
        declared.ever,
        CASE WHEN t.mttr_source <> 'auto' THEN t.mttr_source
             WHEN declared.ever THEN 'declared'
             ELSE 'derived' END AS basis
    FROM bcce_data.tenants t
    CROSS JOIN LATERAL (
        SELECT EXISTS (
            SELECT 1
            FROM bcce_data.incidents i
            WHERE i.tenant_id = t.tenant_id AND NOT i.is_test
        ) AS ever
    ) declared
    WHERE t.deleted_at IS NULL;
END;
COMMENT ON FUNCTION bcce_data.mttr_basis() IS 'Tenants, whether they ever declared an incident, and which incidents count for them: declared, derived or both; the tenant''s setting, auto resolved.';

-- What availability and the time between failures are judged over.
CREATE OR REPLACE FUNCTION bcce_data.observed_time(since timestamptz, until timestamptz)
RETURNS TABLE (tenant_id uuid, starts_at timestamptz, ends_at timestamptz)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH declared AS (
        SELECT d.tenant_id, d.started_at
        FROM bcce_data.declared_incidents(until) d
        WHERE d.state <> 'invalid'
    )
    SELECT o.tenant_id, o.starts_at, o.ends_at
    FROM (
        SELECT
            b.tenant_id,
            greatest(since, first.at) AS starts_at,
            (SELECT least(until, bcce.report_now())) AS ends_at
        FROM bcce_data.mttr_basis() b
        CROSS JOIN LATERAL (
            SELECT least(
                (SELECT min(r.started_at) FROM bcce_data.workflow_runs r
                 WHERE r.tenant_id = b.tenant_id AND NOT r.is_test AND r.status <> 'skipped'),
                (SELECT min(m.observed_at) FROM bcce_data.performance_metrics m
                 WHERE m.tenant_id = b.tenant_id AND NOT m.is_test),
                (SELECT min(p.predicted_at) FROM bcce_data.predictions p
                 WHERE p.tenant_id = b.tenant_id AND NOT p.is_test),
                (SELECT min(u.at) FROM bcce_data.model_usage u
                 WHERE u.tenant_id = b.tenant_id AND NOT u.is_test),
                (SELECT min(e.occurred_at) FROM bcce_data.events e
                 WHERE e.tenant_id = b.tenant_id AND NOT e.is_test),
                (SELECT min(d.started_at) FROM declared d WHERE d.tenant_id = b.tenant_id)
            ) AS at
        ) first
        WHERE b.ever AND first.at IS NOT NULL
    ) o
    WHERE o.starts_at < o.ends_at;
END;
COMMENT ON FUNCTION bcce_data.observed_time(timestamptz, timestamptz) IS 'From the later of since and the tenant''s first fact to until or now, for tenants that ever declared an incident; none where that is empty.';

-- Failure episodes of workflows: from the first failed run to the next success.
-- One definition for MTTR, where they stand in for declared incidents, and for
-- the report that lists them.
CREATE OR REPLACE FUNCTION bcce_data.failure_episodes(until timestamptz, counted_only boolean)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    basis text,
    workflow_id text,
    service_id text,
    failed_at timestamptz,
    ended_at timestamptz,
    state text,
    runs_failed bigint,
    incident_id text
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        n.tenant_id,
        n.tenant_name,
        n.basis,
        n.workflow_id,
        n.service_id,
        n.failed_at,
        n.ended_at,
        CASE WHEN n.ended_at > (SELECT bcce.report_now() + interval '5 minutes') THEN 'invalid'
             WHEN n.ended_at <= (SELECT least(until, bcce.report_now() + interval '5 minutes')) THEN 'recovered'
             ELSE 'open' END,
        n.runs_failed,
        (
            SELECT d.incident_id
            FROM bcce_data.declared_incidents(until) d
            WHERE d.tenant_id = n.tenant_id
              AND d.service_id = n.service_id
              AND d.started_at <= (SELECT least(until, bcce.report_now()))
              AND (n.failed_at < coalesce(d.ended_at, 'infinity') OR n.failed_at = d.started_at)
              AND (d.started_at < coalesce(n.ended_at, 'infinity') OR d.started_at = n.failed_at)
            ORDER BY d.started_at, d.incident_id
            LIMIT 1
        )
    FROM (
        -- Where a workflow turns from success to failure or back.  Formed over all
        -- history, so that a window's edge never makes or hides an episode.
        SELECT
            o.tenant_id,
            o.tenant_name,
            o.basis,
            o.workflow_id,
            o.service_id,
            o.is_failure,
            o.finished_at AS failed_at,
            lead(o.finished_at) OVER turns AS ended_at,
            coalesce(lead(o.failures) OVER turns, o.all_failures) - o.failures + 1 AS runs_failed
        FROM (
            SELECT
                r.tenant_id,
                b.tenant_name,
                b.basis,
                r.workflow_id,
                coalesce(r.service_id, w.service_id) AS service_id,
                r.finished_at,
                r.started_at,
                r.run_id,
                r.status <> 'succeeded' AS is_failure,
                lag(r.status <> 'succeeded') OVER runs AS was_failure,
                count(*) FILTER (WHERE known.failure) OVER runs AS failures,
                count(*) FILTER (WHERE known.failure) OVER (PARTITION BY r.tenant_id, r.workflow_id) AS all_failures
            FROM bcce_data.mttr_basis() b
            JOIN bcce_data.workflow_runs r ON r.tenant_id = b.tenant_id
            LEFT JOIN bcce_data.workflows w ON w.tenant_id = r.tenant_id AND w.workflow_id = r.workflow_id
            CROSS JOIN LATERAL (
                SELECT r.status <> 'succeeded' AND r.finished_at <= (SELECT least(until, bcce.report_now())) AS failure
            ) known
            WHERE (NOT counted_only OR b.basis IN ('derived', 'both'))
              AND NOT r.is_test
              AND r.status IN ('succeeded', 'failed', 'timed_out')
              AND r.started_at < coalesce(until, 'infinity')
            WINDOW runs AS (PARTITION BY r.tenant_id, r.workflow_id ORDER BY r.finished_at, r.started_at, r.run_id)
        ) o
        WHERE o.is_failure IS DISTINCT FROM o.was_failure
        WINDOW turns AS (PARTITION BY o.tenant_id, o.workflow_id ORDER BY o.finished_at, o.started_at, o.run_id)
    ) n
    WHERE n.is_failure
      AND n.failed_at <= (SELECT least(until, bcce.report_now()));
END;
COMMENT ON FUNCTION bcce_data.failure_episodes(timestamptz, boolean) IS 'Failure episodes of workflows that began before until, over all history: from the finish of the first failed run to the finish of the next success (ended_at), with their state at until or now: recovered, open, or invalid (the success lies over five minutes in the future). Cancelled runs neither open nor close. runs_failed counts the failures known then; incident_id is the declared incident of the same service that an episode overlaps, the earliest of several. counted_only: only of tenants whose MTTR counts episodes.';

CREATE OR REPLACE FUNCTION bcce_data.mttr_incidents(since timestamptz, until timestamptz)
RETURNS TABLE (
    tenant_id uuid,
    incident_id text,
    service_id text,
    severity text,
    is_derived boolean,
    state text,
    started_at timestamptz,
    recovery_minutes double precision,
    is_fallback boolean,
    acknowledge_minutes double precision,
    detect_minutes double precision,
    open_minutes double precision,
    unacknowledged_minutes double precision,
    ended_at timestamptz
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH basis AS (
        SELECT b.tenant_id, b.basis
        FROM bcce_data.mttr_basis() b
    ),
    declared AS (
        SELECT
            d.tenant_id,
            d.incident_id,
            d.service_id,
            d.severity,
            d.state,
            d.started_at,
            d.ended_at,
            d.impact_minutes,
            d.is_fallback,
            d.open_minutes
        FROM bcce_data.declared_incidents(until) d
    )
    SELECT
        d.tenant_id,
        d.incident_id,
        d.service_id,
        d.severity,
        false AS is_derived,
        d.state,
        d.started_at,
        d.impact_minutes AS recovery_minutes,
        d.is_fallback,
        CASE WHEN i.acknowledged_at >= coalesce(i.detected_at, i.opened_at)
                AND i.acknowledged_at <= (SELECT least(until, bcce.report_now())) AND isfinite(coalesce(i.detected_at, i.opened_at)) THEN
            extract(epoch FROM i.acknowledged_at - coalesce(i.detected_at, i.opened_at))::double precision / 60 END,
        CASE WHEN i.detected_at >= i.impact_started_at
                AND i.detected_at <= (SELECT least(until, bcce.report_now())) AND isfinite(i.impact_started_at) THEN
            extract(epoch FROM i.detected_at - i.impact_started_at)::double precision / 60 END,
        d.open_minutes,
        CASE WHEN d.state <> 'invalid' AND isfinite(coalesce(i.detected_at, i.opened_at))
                AND NOT coalesce(i.acknowledged_at <= (SELECT least(until, bcce.report_now())), false)
                AND coalesce(i.detected_at, i.opened_at) <= least(d.ended_at, (SELECT least(until, bcce.report_now()))) THEN
            extract(epoch FROM least(d.ended_at, (SELECT least(until, bcce.report_now())))
                - coalesce(i.detected_at, i.opened_at))::double precision / 60 END,
        d.ended_at
    FROM declared d
    JOIN basis b ON b.tenant_id = d.tenant_id
    JOIN bcce_data.incidents i ON i.tenant_id = d.tenant_id AND i.incident_id = d.incident_id
    WHERE b.basis IN ('declared', 'both')
      AND (since IS NULL OR d.started_at >= since)
    UNION ALL
    SELECT
        e.tenant_id,
        NULL,
        e.service_id,
        NULL,
        true,
        e.state,
        e.failed_at,
        CASE WHEN e.state = 'recovered' THEN extract(epoch FROM e.ended_at - e.failed_at)::double precision / 60 END,
        false,
        NULL,
        NULL,
        CASE WHEN e.state = 'open' THEN extract(epoch FROM (SELECT least(until, bcce.report_now())) - e.failed_at)::double precision / 60 END,
        NULL,
        e.ended_at
    FROM bcce_data.failure_episodes(until, true) e
    WHERE (since IS NULL OR e.failed_at >= since)
      AND (until IS NULL OR e.failed_at < until)
      AND (e.basis = 'derived' OR e.incident_id IS NULL);
END;
COMMENT ON FUNCTION bcce_data.mttr_incidents(timestamptz, timestamptz) IS 'The incidents of each tenant''s basis that began between since (inclusive) and until (exclusive): declared ones, and failure episodes of workflows (from the first failed run to the next success). recovery_minutes is NULL unless recovered, open_minutes unless open; the times to acknowledge and to detect are known of declared incidents only. unacknowledged_minutes is how long one waited for it that nobody has acknowledged: up to the window''s end or now, or until it was over.';

CREATE OR REPLACE FUNCTION bcce_data.age_minutes(at timestamptz, now timestamptz) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN at IS NOT NULL THEN extract(epoch FROM greatest(now - nullif(at, 'infinity'), interval '0'))::double precision / 60 END;
COMMENT ON FUNCTION bcce_data.age_minutes(timestamptz, timestamptz) IS 'How long something has lasted by now, in minutes; 0 for what begins later, by a fast clock; NULL: nothing.';

CREATE OR REPLACE FUNCTION bcce_data.is_censored(still_open bigint, median double precision, median_incl_open double precision) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN still_open > 0 AND median IS NOT NULL AND (median_incl_open IS NULL OR median < 0.8 * median_incl_open);
COMMENT ON FUNCTION bcce_data.is_censored(bigint, double precision, double precision) IS 'Does the median of what has recovered flatter: is it below four fifths of the one that counts what is still open, or is that one not reached?';
