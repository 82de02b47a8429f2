-- One number over time, for programs: what GET /metrics/{type} asks.
CREATE OR REPLACE FUNCTION bcce_data.metric_hours(metric_type text, window_text text, segment text) RETURNS integer
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    IF metric_type IS NULL
        OR metric_type NOT IN ('page_views', 'searches', 'faq_views', 'chat_sessions', 'events', 'sessions', 'workflow_runs') THEN
        PERFORM bcce.raise_error('22023', 'unknown metric type', NULL,
            'Use page_views, searches, faq_views, chat_sessions, events, sessions or workflow_runs.');
    END IF;
    IF window_text IS NULL OR window_text !~ '^[1-9][0-9]{0,3}[hd]$' OR left(window_text, -1)::integer > 3660 THEN
        PERFORM bcce.raise_error('22023', 'unknown window', NULL, 'Use a number of hours or days up to 3660, such as 24h, 7d or 30d.');
    END IF;
    IF segment <> 'guest_type' THEN
        PERFORM bcce.raise_error('22023', 'unknown segment', NULL, 'Use guest_type, or NULL for all together.');
    END IF;
    IF segment IS NOT NULL AND metric_type = 'workflow_runs' THEN
        PERFORM bcce.raise_error('22023', 'runs have no guest segment', NULL, 'Use NULL for the segment.');
    END IF;
    RETURN left(window_text, -1)::integer * CASE right(window_text, 1) WHEN 'd' THEN 24 ELSE 1 END;
END
$body$;
COMMENT ON FUNCTION bcce_data.metric_hours(text, text, text) IS 'Length of a window such as 7d in hours. Error 22023 for a metric type, window or segment that bcce.metrics does not know.';

CREATE OR REPLACE FUNCTION bcce.metrics(metric_type text, window_text text DEFAULT '7d', segment text DEFAULT NULL)
RETURNS TABLE (segment text, period_start_at timestamptz, value double precision)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        fact.guest_segment,
        fact.period_start_at,
        CASE metric_type WHEN 'sessions' THEN count(DISTINCT fact.session_id) ELSE count(*) END::double precision
    FROM (
        SELECT span.kind, span.hours, bcce.report_now() AS now, bcce.report_now() - make_interval(hours => span.hours) AS since
        -- OFFSET 0, so that an unknown word is an error, not a condition known to be false.
        FROM (SELECT metric_type AS kind, bcce_data.metric_hours(metric_type, window_text, metrics.segment) AS hours OFFSET 0) span
    ) ask
    CROSS JOIN LATERAL (
        SELECT
            CASE WHEN metrics.segment IS NOT NULL THEN coalesce(e.guest_type, 'unknown') END AS guest_segment,
            e.tenant_id::text || e.session_id AS session_id,
            CASE WHEN ask.hours <= 48 THEN hour.starts_at ELSE midnight.starts_at END AS period_start_at
        FROM bcce_data.tenants t
        JOIN bcce_data.events e ON e.tenant_id = t.tenant_id
        CROSS JOIN LATERAL bcce_data.local_hour(e.occurred_at, t.timezone) hour
        CROSS JOIN LATERAL bcce_data.local_date(e.occurred_at, t.timezone) local
        CROSS JOIN LATERAL bcce_data.local_midnight(local.day, t.timezone) midnight
        WHERE t.deleted_at IS NULL
          AND NOT e.is_test
          AND e.occurred_at >= ask.since AND e.occurred_at <= ask.now
          AND CASE ask.kind WHEN 'page_views' THEN e.event_type = 'page_view'
                               WHEN 'searches' THEN e.event_type = 'search'
                               WHEN 'faq_views' THEN e.event_type = 'faq_view'
                               WHEN 'chat_sessions' THEN e.event_type = 'chat_session'
                               WHEN 'sessions' THEN e.session_id IS NOT NULL
                               ELSE ask.kind = 'events' END
        UNION ALL
        SELECT
            NULL,
            NULL,
            CASE WHEN ask.hours <= 48 THEN hour.starts_at ELSE midnight.starts_at END
        FROM bcce_data.tenants t
        JOIN bcce_data.workflow_runs r ON r.tenant_id = t.tenant_id
        CROSS JOIN LATERAL bcce_data.local_hour(r.started_at, t.timezone) hour
        CROSS JOIN LATERAL bcce_data.local_date(r.started_at, t.timezone) local
        CROSS JOIN LATERAL bcce_data.local_midnight(local.day, t.timezone) midnight
        WHERE t.deleted_at IS NULL
          AND NOT r.is_test AND r.status <> 'skipped'
          AND r.started_at >= ask.since AND r.started_at <= ask.now
          AND ask.kind = 'workflow_runs'
    ) fact
    GROUP BY fact.guest_segment, fact.period_start_at;
END;
COMMENT ON FUNCTION bcce.metrics(text, text, text) IS 'How often something happened lately, in the tenants that the caller sees: page_views, searches, faq_views, chat_sessions, events, sessions (distinct) or workflow_runs over a window such as 24h, 7d or 30d up to now. One row per bucket with anything in it: an hour for windows up to 48 hours, else a local day; the first and last may be partial. With segment guest_type one row per bucket and guest segment, unknown where the sender gave none. Error 22023 for other words.';
