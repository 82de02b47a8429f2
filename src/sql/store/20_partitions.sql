-- Row security of one table, and monthly partitions of the facts.
CREATE OR REPLACE FUNCTION bcce_data.secure_table(target regclass) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    wanted record;
    is_private boolean;
    model CONSTANT regclass := 'bcce_data.tenants';
BEGIN
    SELECT n.nspname = 'bcce_private' INTO is_private
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = target;
    IF EXISTS (SELECT FROM pg_class WHERE oid = target AND NOT (relrowsecurity AND relforcerowsecurity)) THEN
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', target);
    END IF;
    -- The scalar sub-select is evaluated once and drives an index; the array
    -- form only serves those who have several tenants.
    FOR wanted IN
        SELECT * FROM (VALUES
            ('reader', 'PERMISSIVE', 'SELECT', 'bcce_analytics_user, bcce_cost_analyst',
             'tenant_id = (SELECT bcce.current_tenant())', NULL, false),
            ('reader_wall', 'RESTRICTIVE', 'SELECT', 'bcce_analytics_user, bcce_cost_analyst',
             'tenant_id = (SELECT bcce.current_tenant())', NULL, false),
            ('platform', 'PERMISSIVE', 'SELECT', 'bcce_platform',
             'tenant_id = ANY ((SELECT bcce.current_tenants())::uuid[])', NULL, false),
            ('writer', 'PERMISSIVE', 'ALL', 'bcce_owner',
             '(SELECT bcce.bypasses_row_security()) OR tenant_id = ANY ((SELECT bcce.current_tenants())::uuid[])',
             '(SELECT bcce.bypasses_row_security()) OR tenant_id = ANY ((SELECT bcce.current_tenants())::uuid[])', true),
            ('maintainer', 'PERMISSIVE', 'ALL', 'bcce_maintainer', 'true', 'true', true)
        ) AS policy (name, mode, command, roles, using_expression, check_expression, on_private)
    LOOP
        -- A policy equal to that of the tenants, which is made anew each time,
        -- stays: dropping it would lock the table against readers.
        CONTINUE WHEN target <> model AND NOT (is_private AND NOT wanted.on_private) AND EXISTS (
            SELECT FROM pg_policy p JOIN pg_policy m ON m.polrelid = model AND m.polname = p.polname
            WHERE p.polrelid = target AND p.polname = wanted.name
              AND (p.polcmd, p.polpermissive, p.polroles, pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
                  IS NOT DISTINCT FROM
                  (m.polcmd, m.polpermissive, m.polroles, pg_get_expr(m.polqual, m.polrelid), pg_get_expr(m.polwithcheck, m.polrelid)));
        IF EXISTS (SELECT FROM pg_policy WHERE polrelid = target AND polname = wanted.name) THEN
            EXECUTE format('DROP POLICY %I ON %s', wanted.name, target);
        END IF;
        CONTINUE WHEN is_private AND NOT wanted.on_private;
        EXECUTE format('CREATE POLICY %I ON %s AS %s FOR %s TO %s USING (%s)%s',
            wanted.name, target, wanted.mode, wanted.command, wanted.roles, wanted.using_expression,
            CASE WHEN wanted.check_expression IS NULL THEN '' ELSE format(' WITH CHECK (%s)', wanted.check_expression) END);
    END LOOP;
END
$body$;
COMMENT ON FUNCTION bcce_data.secure_table(regclass) IS 'switches row security of a table on and forces it, with the policies that every table of the store has';

-- Bounds are written as text and read back, which the session's DateStyle must
-- not change: 'SQL' writes Kolkata's IST, which is read as Israel's.
CREATE OR REPLACE FUNCTION bcce_data.make_partition(parent regclass, month timestamptz) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, YMD' SET timezone = 'UTC' AS $body$
DECLARE
    month_start timestamptz := date_trunc('month', month, 'UTC');
    month_end timestamptz := date_trunc('month', month_start + interval '32 days', 'UTC');
    parent_name text;
    key_column text;
    partition_name text;
    columns text;
    moved bigint := 0;
    before oid[];
BEGIN
    SELECT c.relname, a.attname INTO parent_name, key_column
    FROM pg_class c JOIN pg_partitioned_table p ON p.partrelid = c.oid
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = p.partattrs[0]
    WHERE c.oid = parent;
    partition_name := format('%s_%s', parent_name, to_char(month_start AT TIME ZONE 'UTC', 'YYYY_MM'));
    IF to_regclass('bcce_data.' || quote_ident(partition_name)) IS NOT NULL THEN
        RETURN NULL;
    END IF;

    -- Rows that waited in the default partition move first: a partition cannot
    -- be attached while the default one holds rows that belong to it.  They
    -- were redacted when they came in, and the new table has no trigger yet.
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO columns
    FROM pg_attribute WHERE attrelid = parent AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
    -- Writers wait at the parent: one that had chosen the default partition
    -- already would be refused there once the month has its own.  Readers wait
    -- there too, not at the default partition: by then they would have chosen
    -- partitions, and found rows neither where they were nor where they are.
    EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', parent);
    EXECUTE format('LOCK TABLE bcce_data.%I IN ACCESS EXCLUSIVE MODE', parent_name || '_default');
    SELECT l.partitions INTO before FROM bcce_data.partition_list(parent) l;
    EXECUTE format('CREATE TABLE bcce_data.%I (LIKE %s INCLUDING ALL)', partition_name, parent);
    EXECUTE format(
        'WITH moved AS (DELETE FROM bcce_data.%1$I WHERE %2$I >= %3$L AND %2$I < %4$L RETURNING %5$s)
         INSERT INTO bcce_data.%6$I (%5$s) SELECT %5$s FROM moved',
        parent_name || '_default', key_column, month_start, month_end, columns, partition_name);
    GET DIAGNOSTICS moved = ROW_COUNT;
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION bcce_data.%I FOR VALUES FROM (%L) TO (%L)',
        parent, partition_name, month_start, month_end);
    EXECUTE format('COMMENT ON TABLE bcce_data.%I IS %L', partition_name,
        format('%s of %s (UTC)', parent_name, to_char(month_start AT TIME ZONE 'UTC', 'YYYY-MM')));
    PERFORM bcce_data.secure_table(format('bcce_data.%I', partition_name)::regclass);
    IF parent = 'bcce_data.model_usage'::regclass THEN
        -- The calls are the same in one more partition.
        UPDATE bcce_data.budget_scopes s SET partitions = l.partitions FROM bcce_data.partition_list(parent) l WHERE s.partitions = before;
        EXECUTE format('CREATE TRIGGER forget_budget_hours AFTER TRUNCATE ON bcce_data.%I FOR EACH STATEMENT EXECUTE FUNCTION bcce_data.forget_budget_hours()', partition_name);
        EXECUTE format('ALTER TABLE bcce_data.%I ENABLE ALWAYS TRIGGER forget_budget_hours', partition_name);
    END IF;
    EXECUTE format('ALTER TABLE bcce_data.%I OWNER TO bcce_owner', partition_name);
    RETURN moved;
END
$body$;
COMMENT ON FUNCTION bcce_data.make_partition(regclass, timestamptz) IS 'makes the partition of a month (UTC) and moves its rows out of the default partition; returns how many, NULL where it stood already';

CREATE OR REPLACE FUNCTION bcce.maintain() RETURNS TABLE (task text, object text, detail text, ms numeric)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET lock_timeout = '500ms' AS $body$
DECLARE
    parent record;
    month record;
    began timestamptz;
    moved bigint;
    gone bigint;
    more bigint;
BEGIN
    BEGIN
        LOCK TABLE bcce_data.schema_version IN SHARE ROW EXCLUSIVE MODE NOWAIT;
    EXCEPTION WHEN lock_not_available THEN
        task := 'skipped'; object := NULL; detail := 'another maintain() or install() is running'; ms := 0;
        RETURN NEXT;
        RETURN;
    END;

    FOR parent IN
        SELECT c.oid::regclass AS name, c.relname, a.attname AS key_column
        FROM pg_partitioned_table p JOIN pg_class c ON c.oid = p.partrelid
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = p.partattrs[0]
        WHERE c.relnamespace = 'bcce_data'::regnamespace ORDER BY c.relname
    LOOP
        -- The future beyond stays in the default partition, and so does, until
        -- the next run, what goes beyond twenty years of months: times come
        -- from senders, partitions cost every query.
        FOR month IN EXECUTE format(
            'SELECT start_at FROM (
                 SELECT DISTINCT date_trunc(''month'', %1$I, ''UTC'') AS start_at FROM bcce_data.%2$I
                 WHERE %1$I < statement_timestamp() + interval ''3 months''
                 UNION
                 SELECT date_trunc(''month'', statement_timestamp(), ''UTC'') + make_interval(months => n)
                 FROM generate_series(0, 3) AS n) months
             ORDER BY start_at DESC LIMIT 240', parent.key_column, parent.relname || '_default')
        LOOP
            began := clock_timestamp();
            task := 'partition';
            object := format('%s %s', parent.relname, to_char(month.start_at AT TIME ZONE 'UTC', 'YYYY-MM'));
            -- It locks a table that every report reads, and keeps the lock to
            -- the end: waiting long for the next one could end in a deadlock.
            BEGIN
                moved := bcce_data.make_partition(parent.name, month.start_at);
                CONTINUE WHEN moved IS NULL;
                detail := format('made, %s rows moved in', moved);
            EXCEPTION WHEN lock_not_available THEN
                detail := 'in use, left for the next run';
            END;
            ms := round(1000 * extract(epoch FROM clock_timestamp() - began), 1);
            RETURN NEXT;
        END LOOP;
    END LOOP;

    -- What was refused is appended row by row; here it becomes one row a reason.
    began := clock_timestamp();
    WITH folded AS (
        DELETE FROM bcce_data.rejected_input RETURNING *
    )
    INSERT INTO bcce_data.rejected_input (tenant_id, source, reason, example_key, rejected_count, first_seen_at, last_seen_at)
    SELECT tenant_id, source, reason, min(example_key), sum(rejected_count), min(first_seen_at), max(last_seen_at)
    FROM folded GROUP BY tenant_id, source, reason;
    GET DIAGNOSTICS moved = ROW_COUNT;
    task := 'rejected input'; object := 'rejected_input'; detail := format('folded into %s rows', moved);
    ms := round(1000 * extract(epoch FROM clock_timestamp() - began), 1);
    RETURN NEXT;

    -- Of redactions counted apart, only those of one quarter of an hour are added
    -- up, and only where there is more than one row: nothing is lost by it.
    began := clock_timestamp();
    WITH many AS (
        SELECT c.tenant_id, c.source, c.kind, coalesce(c.rule, '') AS rule, c.counted_at
        FROM bcce_data.redaction_counts c GROUP BY 1, 2, 3, 4, 5 HAVING count(*) > 1
    ), folded AS (
        DELETE FROM bcce_data.redaction_counts c USING many m
        WHERE (c.tenant_id, c.source, c.kind, coalesce(c.rule, ''), c.counted_at) = (m.tenant_id, m.source, m.kind, m.rule, m.counted_at)
        RETURNING c.*
    )
    INSERT INTO bcce_data.redaction_counts (tenant_id, source, kind, rule, redaction_count, counted_at)
    SELECT tenant_id, source, kind, rule, sum(redaction_count), counted_at
    FROM folded GROUP BY tenant_id, source, kind, rule, counted_at;
    GET DIAGNOSTICS moved = ROW_COUNT;
    task := 'redaction counts'; object := 'redaction_counts'; detail := format('folded into %s rows', moved);
    ms := round(1000 * extract(epoch FROM clock_timestamp() - began), 1);
    RETURN NEXT;

    -- A renamed role keeps its rights; here its new name is noted for the next
    -- dump, and a role that was missing at a restore is bound.  A dropped one
    -- leaves: after a dump its row would be that of a new role of its name.
    began := clock_timestamp();
    DELETE FROM bcce_private.membership m
    WHERE m.role IS NOT NULL AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = m.role::oid);
    GET DIAGNOSTICS gone = ROW_COUNT;
    UPDATE bcce_private.membership m SET role_name = r.rolname
    FROM pg_roles r
    WHERE (m.role IS NOT NULL AND r.oid = m.role::oid AND r.rolname <> m.role_name)
       OR (m.role IS NULL AND r.rolname = m.role_name);
    GET DIAGNOSTICS moved = ROW_COUNT;
    DELETE FROM bcce_private.token_login t
    WHERE t.role IS NOT NULL AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = t.role::oid);
    GET DIAGNOSTICS more = ROW_COUNT;
    gone := gone + more;
    UPDATE bcce_private.token_login t SET role_name = r.rolname
    FROM pg_roles r
    WHERE (t.role IS NOT NULL AND r.oid = t.role::oid AND r.rolname <> t.role_name)
       OR (t.role IS NULL AND r.rolname = t.role_name);
    GET DIAGNOSTICS more = ROW_COUNT;
    moved := moved + more;
    task := 'memberships'; object := 'membership'; detail := format('%s names refreshed, %s dropped roles removed', moved, gone);
    ms := round(1000 * extract(epoch FROM clock_timestamp() - began), 1);
    RETURN NEXT;

    began := clock_timestamp();
    task := 'budgets'; object := 'budget_alerts';
    BEGIN
        SELECT format('%s alerts fired, %s resolved', count(*) FILTER (WHERE c.state = 'firing'), count(*) FILTER (WHERE c.state = 'resolved'))
        INTO detail FROM bcce.check_budgets() c;
    EXCEPTION WHEN lock_not_available THEN
        detail := 'in use, left for the next run';
    END;
    ms := round(1000 * extract(epoch FROM clock_timestamp() - began), 1);
    RETURN NEXT;
END
$body$;
COMMENT ON FUNCTION bcce.maintain() IS
'Upkeep: makes the monthly partitions of facts three months ahead and for every month that waits in a default partition, folds bcce.rejected and bcce.redaction_stats, refreshes role names, removes the memberships of dropped roles, adds up what budgets'' calls cost by hours and checks the budgets. Never waits long for a lock: a table in use is left for the next run. One row per task. Run it daily (pg_cron, cron); nothing breaks when it does not run.';
