-- Builds what budget_spent() reads in place of calls.
--
-- The order is what makes it right, in READ COMMITTED, where each statement sees
-- what was committed before it: first the lock, then the marks go, then their
-- hours are added up anew.  Who commits between these two keeps a mark, and its
-- hour is read from the calls until the next refresh.  An end at any point
-- brings back the marks.
CREATE OR REPLACE FUNCTION bcce_data.refresh_budget_hours(tenant uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    batch CONSTANT integer := 3000;         -- hours that are built in one go
    reach CONSTANT timestamptz := date_trunc('hour', bcce.report_now(), 'UTC');
    parts oid[];
    marked timestamptz[];
    wanted bcce_data.budgets[];             -- one budget for each scope
    first_at timestamptz;
    start_at timestamptz;
    end_at timestamptz;
    spans tstzrange[];                      -- to be added up, of one scope
    days timestamptz[];                     -- that they touch
    b record;
BEGIN
    PERFORM FROM bcce_data.tenants t WHERE t.tenant_id = tenant FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    -- None can go and come back while this works.
    LOCK TABLE bcce_data.model_usage IN ACCESS SHARE MODE;
    SELECT l.partitions INTO parts FROM bcce_data.partition_list('bcce_data.model_usage') l;

    WITH gone AS (
        DELETE FROM bcce_data.model_usage_marks m
        WHERE m.tenant_id = tenant
          AND m.hour_at = ANY (ARRAY(SELECT DISTINCT x.hour_at FROM bcce_data.model_usage_marks x WHERE x.tenant_id = tenant ORDER BY 1 DESC LIMIT batch))
        RETURNING m.hour_at
    )
    SELECT coalesce(array_agg(DISTINCT g.hour_at), '{}') INTO marked FROM gone g;

    SELECT coalesce(array_agg(x.one), '{}') INTO wanted
    FROM (
        SELECT DISTINCT ON (bcce_data.budget_scope(g.team_id, g.user_key, g.project, g.model_id)) g AS one
        FROM bcce_data.budgets g WHERE g.tenant_id = tenant AND g.workflow_id IS NULL
    ) x;
    WITH gone AS (
        DELETE FROM bcce_data.budget_scopes s
        WHERE s.tenant_id = tenant
          AND (s.partitions <> parts OR NOT EXISTS (
              SELECT FROM unnest(wanted) w
              WHERE bcce_data.budget_scope(w.team_id, w.user_key, w.project, w.model_id) = s.scope
                AND (w.team_id IS NULL OR '-infinity' <> ALL (marked))))
        RETURNING s.scope
    ), days_gone AS (
        DELETE FROM bcce_data.budget_days d USING gone g WHERE d.tenant_id = tenant AND d.scope = g.scope
    )
    DELETE FROM bcce_data.budget_hours h USING gone g WHERE h.tenant_id = tenant AND h.scope = g.scope;

    first_at := coalesce((SELECT date_trunc('hour', u.at, 'UTC') FROM bcce_data.model_usage u WHERE u.tenant_id = tenant ORDER BY u.at LIMIT 1), reach);
    FOR b IN
        SELECT w.team_id, w.user_key, w.project, w.model_id, k.scope, s.built_from, s.built_until
        FROM unnest(wanted) w
        CROSS JOIN LATERAL (SELECT bcce_data.budget_scope(w.team_id, w.user_key, w.project, w.model_id) AS scope) k
        LEFT JOIN bcce_data.budget_scopes s ON s.tenant_id = tenant AND s.scope = k.scope
    LOOP
        -- From now backwards: the open periods come first.
        IF b.built_until IS NULL OR b.built_until < reach - make_interval(hours => batch) THEN
            DELETE FROM bcce_data.budget_hours h WHERE h.tenant_id = tenant AND h.scope = b.scope;
            DELETE FROM bcce_data.budget_days d WHERE d.tenant_id = tenant AND d.scope = b.scope;
            b.built_from := reach;
            b.built_until := reach;
        END IF;
        start_at := least(b.built_from, greatest(first_at, b.built_from - make_interval(hours => batch)));
        end_at := greatest(b.built_until, reach);
        SELECT array_agg(r.span) INTO spans
        FROM (
            SELECT tstzrange(m.hour_at, m.hour_at + interval '1 hour') AS span
            FROM unnest(marked) AS m (hour_at) WHERE m.hour_at >= b.built_from AND m.hour_at < b.built_until
            UNION ALL VALUES (tstzrange(start_at, b.built_from)), (tstzrange(b.built_until, end_at))
        ) r
        WHERE NOT isempty(r.span);
        DELETE FROM bcce_data.budget_hours h WHERE h.tenant_id = tenant AND h.scope = b.scope AND h.hour_at = ANY (marked);
        INSERT INTO bcce_data.budget_hours (tenant_id, scope, hour_at, usd, call_count)
        SELECT tenant, b.scope, date_trunc('hour', c.at, 'UTC'), sum(c.usd), count(*)
        FROM unnest(spans) AS r (span)
        CROSS JOIN LATERAL bcce_data.budget_calls(tenant, b.team_id, b.user_key, b.project, b.model_id, NULL, lower(r.span), upper(r.span), true) c
        GROUP BY 3;

        days := ARRAY(
            SELECT DISTINCT g.day_at
            FROM unnest(spans) AS r (span)
            CROSS JOIN LATERAL generate_series(date_trunc('day', lower(r.span), 'UTC'), upper(r.span) - interval '1 microsecond', interval '24 hours') AS g (day_at));
        DELETE FROM bcce_data.budget_days d WHERE d.tenant_id = tenant AND d.scope = b.scope AND d.day_at = ANY (days);
        INSERT INTO bcce_data.budget_days (tenant_id, scope, day_at, usd, call_count)
        SELECT tenant, b.scope, g.day_at, sum(h.usd), sum(h.call_count)
        FROM unnest(days) AS g (day_at)
        JOIN bcce_data.budget_hours h ON h.tenant_id = tenant AND h.scope = b.scope AND h.hour_at >= g.day_at AND h.hour_at < g.day_at + interval '24 hours'
        GROUP BY g.day_at;
        INSERT INTO bcce_data.budget_scopes AS s (tenant_id, scope, built_from, built_until, partitions)
        VALUES (tenant, b.scope, start_at, end_at, parts)
        ON CONFLICT ON CONSTRAINT budget_scopes_pkey DO UPDATE
        SET built_from = excluded.built_from, built_until = excluded.built_until, partitions = excluded.partitions;
    END LOOP;

    -- One that came meanwhile may be in some sums and not in others.
    IF parts <> (SELECT l.partitions FROM bcce_data.partition_list('bcce_data.model_usage') l) THEN
        DELETE FROM bcce_data.budget_scopes s WHERE s.tenant_id = tenant;
        DELETE FROM bcce_data.budget_hours h WHERE h.tenant_id = tenant;
        DELETE FROM bcce_data.budget_days d WHERE d.tenant_id = tenant;
    END IF;
END
$body$;
COMMENT ON FUNCTION bcce_data.refresh_budget_hours(uuid) IS 'Adds up the marked hours of a tenant''s budgets anew, and those not built yet, newest first, at most 3000 of each. Returns without waiting where another session does it.';

CREATE OR REPLACE FUNCTION bcce_data.refresh_budget_hours() RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    -- A snapshot that is older than the lock would not see what others built.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RETURN;
    END IF;
    PERFORM bcce_data.refresh_budget_hours(t.tenant_id) FROM bcce_data.tenants t;
END
$body$;
COMMENT ON FUNCTION bcce_data.refresh_budget_hours() IS 'refresh_budget_hours() of every tenant; does nothing but in a transaction of isolation level READ COMMITTED';
