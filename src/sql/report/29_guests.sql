-- What guests do, and what is done with services.
CREATE OR REPLACE FUNCTION bcce.guest_activity(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    period_start_at timestamptz,
    usage_date date,
    guest_type text,
    page_views bigint,
    searches bigint,
    faq_views bigint,
    chat_sessions bigint,
    events bigint,
    sessions bigint,
    guests bigint
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        c.starts_at,
        c.first_day,
        g.guest_type,
        g.page_views,
        g.searches,
        g.faq_views,
        g.chat_sessions,
        g.events,
        g.sessions,
        g.guests
    FROM bcce_data.tenants t
    CROSS JOIN LATERAL bcce_data.fact_ends(t.tenant_id, since, until) seen
    CROSS JOIN LATERAL bcce_data.local_periods(seen.first_event_at, seen.last_event_at, t.timezone, 'day') c
    CROSS JOIN LATERAL (
        SELECT
            coalesce(e.guest_type, 'unknown') AS guest_type,
            count(*) FILTER (WHERE e.event_type = 'page_view') AS page_views,
            count(*) FILTER (WHERE e.event_type = 'search') AS searches,
            count(*) FILTER (WHERE e.event_type = 'faq_view') AS faq_views,
            count(*) FILTER (WHERE e.event_type = 'chat_session') AS chat_sessions,
            count(*) AS events,
            count(DISTINCT e.session_id) AS sessions,
            count(DISTINCT e.guest_key) AS guests
        FROM bcce_data.events e
        WHERE e.tenant_id = t.tenant_id
          AND NOT e.is_test
          AND (e.guest_key IS NOT NULL OR e.guest_type IS NOT NULL)
          AND e.occurred_at >= c.starts_at
          AND e.occurred_at < c.ends_at
          AND e.occurred_at >= coalesce(since, '-infinity')
          AND e.occurred_at < coalesce(until, 'infinity')
        GROUP BY coalesce(e.guest_type, 'unknown')
    ) g
    WHERE t.deleted_at IS NULL;
END;
COMMENT ON FUNCTION bcce.guest_activity(timestamptz, timestamptz) IS 'What did guests do between since (inclusive) and until (exclusive), by segment and day? NULL leaves an end open. Same columns as the view of this name.';

CREATE OR REPLACE VIEW bcce.guest_activity WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.period_start_at,
    x.usage_date,
    x.guest_type,
    x.page_views,
    x.searches,
    x.faq_views,
    x.chat_sessions,
    x.events,
    x.sessions,
    x.guests
FROM bcce.guest_activity(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.guest_activity IS 'What do guests do: pages, searches, chats, day by day? One row per visible tenant, local day and guest segment with an event. For a period use the function of this name.';
COMMENT ON COLUMN bcce.guest_activity.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.guest_activity.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.guest_activity.period_start_at IS 'first instant of the day in the tenant''s zone';
COMMENT ON COLUMN bcce.guest_activity.usage_date IS 'day in the tenant''s zone';
COMMENT ON COLUMN bcce.guest_activity.guest_type IS 'segment of the guests; unknown where the sender gave none';
COMMENT ON COLUMN bcce.guest_activity.page_views IS 'events of type page_view';
COMMENT ON COLUMN bcce.guest_activity.searches IS 'events of type search';
COMMENT ON COLUMN bcce.guest_activity.faq_views IS 'events of type faq_view';
COMMENT ON COLUMN bcce.guest_activity.chat_sessions IS 'events of type chat_session';
COMMENT ON COLUMN bcce.guest_activity.events IS 'events of any type';
COMMENT ON COLUMN bcce.guest_activity.sessions IS 'distinct sessions with an event';
COMMENT ON COLUMN bcce.guest_activity.guests IS 'distinct pseudonymous guests with an event';

-- What is done with each service, day by day.
CREATE OR REPLACE FUNCTION bcce.service_usage(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    period_start_at timestamptz,
    usage_date date,
    service_id text,
    service_name text,
    page_views bigint,
    searches bigint,
    faq_views bigint,
    chat_sessions bigint,
    events bigint,
    sessions bigint,
    guests bigint,
    active_users bigint
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        c.starts_at,
        c.first_day,
        g.service_id,
        s.service_name,
        g.page_views,
        g.searches,
        g.faq_views,
        g.chat_sessions,
        g.events,
        g.sessions,
        g.guests,
        g.users
    FROM bcce_data.tenants t
    CROSS JOIN LATERAL bcce_data.fact_ends(t.tenant_id, since, until) seen
    CROSS JOIN LATERAL bcce_data.local_periods(seen.first_event_at, seen.last_event_at, t.timezone, 'day') c
    CROSS JOIN LATERAL (
        SELECT
            e.service_id,
            count(*) FILTER (WHERE e.event_type = 'page_view') AS page_views,
            count(*) FILTER (WHERE e.event_type = 'search') AS searches,
            count(*) FILTER (WHERE e.event_type = 'faq_view') AS faq_views,
            count(*) FILTER (WHERE e.event_type = 'chat_session') AS chat_sessions,
            count(*) AS events,
            count(DISTINCT e.session_id) AS sessions,
            count(DISTINCT e.guest_key) AS guests,
            count(DISTINCT e.user_key) AS users
        FROM bcce_data.events e
        WHERE e.tenant_id = t.tenant_id
          AND NOT e.is_test
          AND e.service_id IS NOT NULL
          AND e.occurred_at >= c.starts_at
          AND e.occurred_at < c.ends_at
          AND e.occurred_at >= coalesce(since, '-infinity')
          AND e.occurred_at < coalesce(until, 'infinity')
        GROUP BY e.service_id
    ) g
    LEFT JOIN bcce_data.services s ON s.tenant_id = t.tenant_id AND s.service_id = g.service_id
    WHERE t.deleted_at IS NULL;
END;
COMMENT ON FUNCTION bcce.service_usage(timestamptz, timestamptz) IS 'How were services used between since (inclusive) and until (exclusive), day by day? NULL leaves an end open. Same columns as the view of this name.';

CREATE OR REPLACE VIEW bcce.service_usage WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.period_start_at,
    x.usage_date,
    x.service_id,
    x.service_name,
    x.page_views,
    x.searches,
    x.faq_views,
    x.chat_sessions,
    x.events,
    x.sessions,
    x.guests,
    x.active_users
FROM bcce.service_usage(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.service_usage IS 'How is each service used? One row per visible tenant, local day and service with an event. For a period use the function of this name.';
COMMENT ON COLUMN bcce.service_usage.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.service_usage.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.service_usage.period_start_at IS 'first instant of the day in the tenant''s zone';
COMMENT ON COLUMN bcce.service_usage.usage_date IS 'day in the tenant''s zone';
COMMENT ON COLUMN bcce.service_usage.service_id IS 'service that the sender named; events that name none are left out';
COMMENT ON COLUMN bcce.service_usage.service_name IS 'display name of the service; NULL: it was never declared';
COMMENT ON COLUMN bcce.service_usage.page_views IS 'events of type page_view';
COMMENT ON COLUMN bcce.service_usage.searches IS 'events of type search';
COMMENT ON COLUMN bcce.service_usage.faq_views IS 'events of type faq_view';
COMMENT ON COLUMN bcce.service_usage.chat_sessions IS 'events of type chat_session';
COMMENT ON COLUMN bcce.service_usage.events IS 'events of any type';
COMMENT ON COLUMN bcce.service_usage.sessions IS 'distinct sessions with an event';
COMMENT ON COLUMN bcce.service_usage.guests IS 'distinct pseudonymous guests with an event';
COMMENT ON COLUMN bcce.service_usage.active_users IS 'distinct pseudonymous users with an event; guests are not users';
