-- What the calls of a budget add up to.
--
-- The calls that a budget is about; NULL asks nothing.  A class of tokens that a
-- call does not tell of is NULL.
CREATE OR REPLACE FUNCTION bcce_data.budget_calls(
    tenant uuid, team text, person text, in_project text, model text, workflow text, since timestamptz, until timestamptz,
    is_frozen boolean DEFAULT NULL)
RETURNS TABLE (
    at timestamptz,
    usd numeric,
    input_tokens bigint,
    output_tokens bigint,
    cache_read_tokens bigint,
    cache_write_5m_tokens bigint,
    cache_write_1h_tokens bigint,
    web_searches bigint
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        u.at,
        bcce_data.call_cost_usd(u.reported_cost_usd, u.charged_usd, u.model_id, u.at, u.input_tokens, u.output_tokens,
            u.cache_read_tokens, u.cache_write_5m_tokens, u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier, u.tenant_id),
        u.input_tokens,
        u.output_tokens,
        u.cache_read_tokens,
        u.cache_write_5m_tokens,
        u.cache_write_1h_tokens,
        u.web_searches
    FROM bcce_data.model_usage u
    WHERE u.tenant_id = tenant AND u.at >= since AND u.at < until AND NOT u.is_test
      AND (is_frozen IS NOT TRUE OR coalesce(u.reported_cost_usd, u.charged_usd) IS NOT NULL)
      AND (is_frozen IS NOT FALSE OR (u.reported_cost_usd IS NULL AND u.charged_usd IS NULL))
      AND (person IS NULL OR u.user_key = person)
      AND (in_project IS NULL OR u.project = in_project)
      AND (model IS NULL OR u.model_id = model)
      AND (team IS NULL OR team = coalesce(u.team_id, (
          SELECT p.team_id FROM bcce_data.principals p WHERE p.tenant_id = u.tenant_id AND p.user_key = u.user_key)))
      AND (workflow IS NULL OR workflow = (
          SELECT r.workflow_id
          FROM bcce_data.workflow_run_keys k
          JOIN bcce_data.workflow_runs r ON r.tenant_id = k.tenant_id AND r.run_id = k.run_id AND r.started_at = k.started_at
          WHERE k.tenant_id = u.tenant_id AND k.run_id = u.run_id));
END;
COMMENT ON FUNCTION bcce_data.budget_calls(uuid, text, text, text, text, text, timestamptz, timestamptz, boolean) IS 'Model calls of a tenant between since (inclusive) and until (exclusive), of the team, person, project, model and workflow that are not NULL, with their cost in US dollars as cost_units has it; NULL: unknown. is_frozen: only calls whose cost was reported or charged, which later prices do not change, or (false) only the others.';

-- One statement, so one snapshot: it sees a mark exactly when it sees the change
-- of the calls.  Days without a mark, hours without one of the other days, calls
-- of the other times, and at any time the calls whose cost depends on the prices
-- of today.
CREATE OR REPLACE FUNCTION bcce_data.budget_spent(
    tenant uuid, team text, person text, in_project text, model text, workflow text, since timestamptz, until timestamptz)
RETURNS TABLE (
    usd numeric,
    calls bigint,
    unpriced bigint,
    input_tokens numeric,
    output_tokens numeric,
    cache_read_tokens numeric,
    cache_write_5m_tokens numeric,
    cache_write_1h_tokens numeric,
    web_searches numeric
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH built AS MATERIALIZED (        -- one row, or none
        SELECT
            x.scope,
            x.starts_at,
            x.ends_at,
            -- Whole days in between; none where both are the end.
            least(date_trunc('day', x.starts_at + interval '24 hours' - interval '1 microsecond', 'UTC'), x.ends_at) AS days_from,
            greatest(date_trunc('day', x.ends_at, 'UTC'),
                     least(date_trunc('day', x.starts_at + interval '24 hours' - interval '1 microsecond', 'UTC'), x.ends_at)) AS days_until
        FROM (
            SELECT
                s.scope,
                greatest(s.built_from, date_trunc('hour', since + interval '1 hour' - interval '1 microsecond', 'UTC')) AS starts_at,
                least(s.built_until, date_trunc('hour', until, 'UTC')) AS ends_at
            FROM bcce_data.budget_scopes s
            -- Whose run a call is may become known after the call.
            WHERE workflow IS NULL
              AND s.tenant_id = tenant AND s.scope = (SELECT bcce_data.budget_scope(team, person, in_project, model))
              AND s.partitions = (SELECT l.partitions FROM bcce_data.partition_list('bcce_data.model_usage'::regclass) l)
              AND (team IS NULL OR NOT EXISTS (SELECT FROM bcce_data.model_usage_marks m WHERE m.tenant_id = tenant AND m.hour_at = '-infinity'))
        ) x
        WHERE x.starts_at < x.ends_at
    ), marked AS MATERIALIZED (
        SELECT DISTINCT m.hour_at, date_trunc('day', m.hour_at, 'UTC') AS day_at
        FROM built b JOIN bcce_data.model_usage_marks m ON m.tenant_id = tenant AND m.hour_at >= b.starts_at AND m.hour_at < b.ends_at
    ), hourly (scope, starts_at, ends_at) AS (
        SELECT b.scope, b.starts_at, b.days_from FROM built b
        UNION ALL
        SELECT b.scope, b.days_until, b.ends_at FROM built b
        UNION ALL
        SELECT DISTINCT b.scope, m.day_at, m.day_at + interval '24 hours' FROM built b JOIN marked m ON m.day_at >= b.days_from AND m.day_at < b.days_until
    ), live (starts_at, ends_at) AS (
        SELECT since, until WHERE NOT EXISTS (SELECT FROM built)
        UNION ALL
        SELECT since, b.starts_at FROM built b WHERE since < b.starts_at
        UNION ALL
        SELECT b.ends_at, until FROM built b WHERE b.ends_at < until
        UNION ALL
        SELECT m.hour_at, m.hour_at + interval '1 hour' FROM marked m
    )
    SELECT
        coalesce(sum(p.usd), 0),
        coalesce(sum(p.calls), 0)::bigint,
        coalesce(sum(p.unpriced), 0)::bigint,
        sum(p.input_tokens),
        sum(p.output_tokens),
        sum(p.cache_read_tokens),
        sum(p.cache_write_5m_tokens),
        sum(p.cache_write_1h_tokens),
        sum(p.web_searches)
    FROM (
        SELECT sum(d.usd) AS usd, sum(d.call_count)::bigint AS calls, NULL::bigint AS unpriced, NULL::numeric AS input_tokens, NULL::numeric AS output_tokens,
               NULL::numeric AS cache_read_tokens, NULL::numeric AS cache_write_5m_tokens, NULL::numeric AS cache_write_1h_tokens, NULL::numeric AS web_searches
        FROM built b JOIN bcce_data.budget_days d ON d.tenant_id = tenant AND d.scope = b.scope AND d.day_at >= b.days_from AND d.day_at < b.days_until
        WHERE d.day_at NOT IN (SELECT m.day_at FROM marked m)
        UNION ALL
        SELECT f.usd, f.calls, NULL, NULL, NULL, NULL, NULL, NULL, NULL
        FROM hourly r
        CROSS JOIN LATERAL (
            SELECT sum(h.usd) AS usd, sum(h.call_count)::bigint AS calls
            FROM bcce_data.budget_hours h
            WHERE h.tenant_id = tenant AND h.scope = r.scope AND h.hour_at >= r.starts_at AND h.hour_at < r.ends_at
              AND h.hour_at NOT IN (SELECT m.hour_at FROM marked m)
        ) f
        UNION ALL
        SELECT f.usd, f.calls, NULL, NULL, NULL, NULL, NULL, NULL, NULL
        FROM live l
        CROSS JOIN LATERAL (
            -- The bounds of all choose the partitions before the first is opened.
            SELECT sum(c.usd) AS usd, count(*) AS calls
            FROM bcce_data.budget_calls(tenant, team, person, in_project, model, workflow, l.starts_at, l.ends_at, true) c
            WHERE c.at >= since AND c.at < until
        ) f
        UNION ALL
        SELECT
            sum(c.usd),
            count(*),
            count(*) FILTER (WHERE c.usd IS NULL),
            sum(c.input_tokens) FILTER (WHERE c.usd IS NULL),
            sum(c.output_tokens) FILTER (WHERE c.usd IS NULL),
            sum(c.cache_read_tokens) FILTER (WHERE c.usd IS NULL),
            sum(c.cache_write_5m_tokens) FILTER (WHERE c.usd IS NULL),
            sum(c.cache_write_1h_tokens) FILTER (WHERE c.usd IS NULL),
            sum(c.web_searches) FILTER (WHERE c.usd IS NULL)
        FROM bcce_data.budget_calls(tenant, team, person, in_project, model, workflow, since, until, false) c
    ) p;
END;
COMMENT ON FUNCTION bcce_data.budget_spent(uuid, text, text, text, text, text, timestamptz, timestamptz) IS 'What the calls of budget_calls() add up to: US dollars of those of known cost, how many they all are, how many of them are of unknown cost, and the tokens of these. The same to the last digit whatever budget_hours and budget_days hold.';

-- The same for many spans of time at once: each is put together like the one
-- of budget_spent().
CREATE OR REPLACE FUNCTION bcce_data.budget_sums(
    tenant uuid, team text, person text, in_project text, model text, workflow text, bounds timestamptz[])
RETURNS TABLE (since timestamptz, usd numeric)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH built AS MATERIALIZED (        -- one row for each span; no scope where no hour of it is built
        SELECT
            h.since,
            h.until,
            CASE WHEN h.starts_at < h.ends_at THEN h.scope END AS scope,
            h.starts_at,
            h.ends_at,
            least(date_bin('24 hours', h.starts_at + interval '24 hours' - interval '1 microsecond', '1970-01-01 00:00+00'), h.ends_at) AS days_from,
            date_bin('24 hours', h.ends_at, '1970-01-01 00:00+00') AS days_until    -- no whole day: not above days_from
        FROM (
            SELECT
                g.since,
                g.until,
                s.scope,
                greatest(s.built_from, date_bin('1 hour', g.since + interval '1 hour' - interval '1 microsecond', '1970-01-01 00:00+00')) AS starts_at,
                least(s.built_until, date_bin('1 hour', g.until, '1970-01-01 00:00+00')) AS ends_at
            FROM unnest(bounds, bounds[2:]) AS g (since, until)
            LEFT JOIN bcce_data.budget_scopes s
                -- Whose run a call is may become known after the call.
                ON workflow IS NULL
                AND s.tenant_id = tenant AND s.scope = (SELECT bcce_data.budget_scope(team, person, in_project, model))
                AND s.partitions = (SELECT l.partitions FROM bcce_data.partition_list('bcce_data.model_usage'::regclass) l)
                AND (team IS NULL OR NOT EXISTS (SELECT FROM bcce_data.model_usage_marks m WHERE m.tenant_id = tenant AND m.hour_at = '-infinity'))
            WHERE g.since < g.until
            OFFSET 0                    -- each end is computed once
        ) h
        OFFSET 0
    ), reach AS MATERIALIZED (          -- what is built of all spans, one row or none
        SELECT b.scope, min(b.starts_at) AS starts_at, max(b.ends_at) AS ends_at,
               min(b.days_from) FILTER (WHERE b.days_from < b.days_until) AS days_from, max(b.days_until) FILTER (WHERE b.days_from < b.days_until) AS days_until
        FROM built b WHERE b.scope IS NOT NULL GROUP BY b.scope
    ), marked AS MATERIALIZED (         -- hours, and whether a span has all of their day
        SELECT DISTINCT bounds[m.n] AS since, m.scope, m.hour_at, m.day_at,
               m.day_at >= m.days_from AND m.day_at < m.days_until AND m.day_at >= bounds[m.n] AND m.day_at + interval '24 hours' <= bounds[m.n + 1] AS has_day
        FROM (
            SELECT width_bucket(m.hour_at, bounds) AS n, m.hour_at, date_trunc('day', m.hour_at, 'UTC') AS day_at, r.*
            FROM reach r JOIN bcce_data.model_usage_marks m ON m.tenant_id = tenant AND m.hour_at >= r.starts_at AND m.hour_at < r.ends_at
            OFFSET 0
        ) m
        WHERE m.hour_at + interval '1 hour' <= bounds[m.n + 1]
    ), hourly (since, scope, starts_at, ends_at) AS (
        SELECT b.since, b.scope, b.starts_at, CASE WHEN b.days_from < b.days_until THEN b.days_from ELSE b.ends_at END
        FROM built b WHERE b.scope IS NOT NULL AND NOT (b.starts_at = b.days_from AND b.days_from < b.days_until)
        UNION ALL
        SELECT b.since, b.scope, b.days_until, b.ends_at FROM built b WHERE b.scope IS NOT NULL AND b.days_from < b.days_until AND b.days_until < b.ends_at
        UNION ALL
        SELECT DISTINCT m.since, m.scope, m.day_at, m.day_at + interval '24 hours' FROM marked m WHERE m.has_day
    ), live (since, starts_at, ends_at) AS (
        SELECT b.since, b.since, b.until FROM built b WHERE b.scope IS NULL
        UNION ALL
        SELECT b.since, b.since, b.starts_at FROM built b WHERE b.scope IS NOT NULL AND b.since < b.starts_at
        UNION ALL
        SELECT b.since, b.ends_at, b.until FROM built b WHERE b.scope IS NOT NULL AND b.ends_at < b.until
        UNION ALL
        SELECT m.since, m.hour_at, m.hour_at + interval '1 hour' FROM marked m
    )
    SELECT p.since, sum(p.usd)
    FROM (
        -- One look for the days of all spans.
        SELECT bounds[d.n], d.usd
        FROM (
            SELECT width_bucket(d.day_at, bounds) AS n, d.day_at, d.usd
            FROM reach r JOIN bcce_data.budget_days d ON d.tenant_id = tenant AND d.scope = r.scope AND d.day_at >= r.days_from AND d.day_at < r.days_until
            WHERE d.day_at NOT IN (SELECT m.day_at FROM marked m)
            OFFSET 0
        ) d
        WHERE d.day_at + interval '24 hours' <= bounds[d.n + 1]
        UNION ALL
        SELECT r.since, h.usd
        FROM hourly r JOIN bcce_data.budget_hours h ON h.tenant_id = tenant AND h.scope = r.scope AND h.hour_at >= r.starts_at AND h.hour_at < r.ends_at
        WHERE h.hour_at NOT IN (SELECT m.hour_at FROM marked m)
        UNION ALL
        SELECT l.since, f.usd
        FROM live l
        CROSS JOIN LATERAL (
            SELECT sum(c.usd) AS usd
            FROM bcce_data.budget_calls(tenant, team, person, in_project, model, workflow, l.starts_at, l.ends_at, true) c
            WHERE c.at >= bounds[1] AND c.at < bounds[cardinality(bounds)]
        ) f
        UNION ALL
        SELECT bounds[width_bucket(c.at, bounds)], c.usd
        FROM bcce_data.budget_calls(tenant, team, person, in_project, model, workflow, bounds[1], bounds[cardinality(bounds)], false) c
    ) p (since, usd)
    GROUP BY p.since;
END;
COMMENT ON FUNCTION bcce_data.budget_sums(uuid, text, text, text, text, text, timestamptz[]) IS 'What the calls of budget_calls() of known cost add up to between each of the ascending bounds (inclusive) and the next (exclusive), in US dollars; NULL, or no row, where there is none. The same to the last digit whatever budget_hours and budget_days hold.';

CREATE OR REPLACE FUNCTION bcce_data.dearest_prices(tenant uuid, since timestamptz, until timestamptz)
RETURNS TABLE (
    input_usd numeric,
    output_usd numeric,
    cache_read_usd numeric,
    cache_write_5m_usd numeric,
    cache_write_1h_usd numeric,
    web_search_usd numeric
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        coalesce(max(d.price_usd) FILTER (WHERE d.token_class = 'input'), 0),
        coalesce(max(d.price_usd) FILTER (WHERE d.token_class = 'output'), 0),
        coalesce(max(d.price_usd) FILTER (WHERE d.token_class = 'cache_read'), 0),
        coalesce(max(d.price_usd) FILTER (WHERE d.token_class = 'cache_write_5m'), 0),
        coalesce(max(d.price_usd) FILTER (WHERE d.token_class = 'cache_write_1h'), 0),
        coalesce(max(d.price_usd) FILTER (WHERE d.token_class = 'web_search'), 0)
    FROM (
        SELECT m.token_class, m.price_usd
        FROM bcce_data.default_model_prices m
        WHERE upper_inf(m.known) AND m.valid && tstzrange(since, until) AND tenant IS NOT NULL
        UNION ALL
        SELECT m.token_class, m.price_usd
        FROM bcce_data.model_prices m
        WHERE m.tenant_id = tenant AND upper_inf(m.known) AND m.valid && tstzrange(since, until)
    ) d;
END;
COMMENT ON FUNCTION bcce_data.dearest_prices(uuid, timestamptz, timestamptz) IS 'The highest price in the book of each class of tokens between since and until, the defaults and the tenant''s own, in US dollars; all 0 where the tenant is NULL.';

CREATE OR REPLACE FUNCTION bcce_data.spent(
    b bcce_data.budgets, starts_at timestamptz, ends_at timestamptz, since timestamptz, until timestamptz, OUT usd numeric, OUT calls bigint, OUT unpriced bigint)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED AS $body$
DECLARE
    s record;
BEGIN
    -- Plans without runs, and without persons, start faster.
    IF b.workflow_id IS NULL AND b.team_id IS NULL THEN
        SELECT c.* INTO s
        FROM bcce_data.budget_spent(b.tenant_id, NULL, b.user_key, b.project, b.model_id, NULL, since, until) c;
    ELSIF b.workflow_id IS NULL THEN
        SELECT c.* INTO s
        FROM bcce_data.budget_spent(b.tenant_id, b.team_id, b.user_key, b.project, b.model_id, NULL, since, until) c;
    ELSE
        SELECT c.* INTO s
        FROM bcce_data.budget_spent(b.tenant_id, b.team_id, b.user_key, b.project, b.model_id, b.workflow_id, since, until) c;
    END IF;
    usd := s.usd;
    calls := s.calls;
    unpriced := s.unpriced;
    IF b.unpriced = 'dearest' AND s.unpriced > 0 THEN
        SELECT s.usd + coalesce(s.input_tokens, 0) * d.input_usd + coalesce(s.output_tokens, 0) * d.output_usd
            + coalesce(s.cache_read_tokens, 0) * d.cache_read_usd + coalesce(s.cache_write_5m_tokens, 0) * d.cache_write_5m_usd
            + coalesce(s.cache_write_1h_tokens, 0) * d.cache_write_1h_usd + coalesce(s.web_searches, 0) * d.web_search_usd INTO usd
        FROM bcce_data.dearest_prices(b.tenant_id, starts_at, ends_at) d;
    END IF;
END
$body$;
COMMENT ON FUNCTION bcce_data.spent(bcce_data.budgets, timestamptz, timestamptz, timestamptz, timestamptz) IS 'US dollars that a budget counts between since and until, in its period from starts_at to ends_at (ends exclusive), the calls, and those of unknown cost.';
