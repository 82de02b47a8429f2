-- Making, repairing and closing the store.
CREATE FUNCTION bcce.run_module(sql text) RETURNS void
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION bcce.run_module(text) IS
'Runs SQL whose objects stay outside the extension; a step of install(). Superusers only (SQLSTATE 42501).';

CREATE FUNCTION bcce.store_object_count() RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $body$
    SELECT (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname IN ('bcce', 'bcce_data', 'bcce_private'))
         + (SELECT count(*) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
            WHERE n.nspname IN ('bcce', 'bcce_data', 'bcce_private'))
         + (SELECT count(*) FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname IN ('bcce_data', 'bcce_private'))
         + (SELECT count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname IN ('bcce', 'bcce_data', 'bcce_private') AND NOT t.tgisinternal)
         + (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname IN ('bcce_data', 'bcce_private') AND c.relrowsecurity AND c.relforcerowsecurity)
$body$;
COMMENT ON FUNCTION bcce.store_object_count() IS
'How many tables, views, functions, policies, triggers and row security switches the store has; install() tells by it what it made.';

CREATE FUNCTION bcce.install() RETURNS TABLE (module text, action text, ms numeric)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $body$
DECLARE
    step record;
    began timestamptz;
    before bigint;
    made bigint;
    installed_version text;
BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
            MESSAGE = 'only a superuser may install the store of bcce';
    END IF;
    SELECT extversion INTO installed_version FROM pg_extension WHERE extname = 'bcce';
    IF bcce.library_version() <> installed_version THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('the bcce library is version %s, its SQL in this database version %s',
                             bcce.library_version(), installed_version),
            HINT = 'Install the library of the same release, reconnect, and run ALTER EXTENSION bcce UPDATE.';
    END IF;
    -- One at a time; an advisory lock could be held by any login.
    IF to_regclass('bcce_data.schema_version') IS NOT NULL THEN
        LOCK TABLE bcce_data.schema_version IN SHARE ROW EXCLUSIVE MODE;
    END IF;
    FOR step IN SELECT m.part, m.name, m.sql FROM bcce.module m ORDER BY m.ordinal LOOP
        began := clock_timestamp();
        before := bcce.store_object_count();
        PERFORM bcce.run_module(step.sql);
        made := bcce.store_object_count() - before;
        module := step.part || '/' || step.name;
        action := CASE WHEN made > 0 THEN format('made %s objects', made) ELSE 'unchanged' END;
        ms := round(1000 * extract(epoch FROM clock_timestamp() - began), 1);
        RETURN NEXT;
    END LOOP;
    INSERT INTO bcce_data.schema_version (version) VALUES (installed_version)
    ON CONFLICT (version) DO NOTHING;
END
$body$;
COMMENT ON FUNCTION bcce.install() IS
'Makes, completes and repairs the store and the reports: one row per module with what was done and how long it took in milliseconds. Safe to run again; never drops data. CREATE EXTENSION calls it; after ALTER EXTENSION UPDATE and after a restore a superuser may. Errors: 42501 not a superuser, 55000 library and SQL differ.';

CREATE FUNCTION bcce.uninstall(data text DEFAULT 'keep') RETURNS TABLE (object text, action text)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $body$
DECLARE
    item record;
BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
            MESSAGE = 'only a superuser may uninstall bcce';
    END IF;
    IF data IS NULL OR data NOT IN ('keep', 'drop') THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = 'unknown choice for the data',
            HINT = 'Use uninstall(data => ''keep'') or uninstall(data => ''drop'').';
    END IF;

    -- Everything in schema bcce that is not a member: reports first, they depend on the twins.
    FOR item IN
        SELECT c.oid::regclass::text AS name, 'VIEW' AS kind FROM pg_class c
        WHERE c.relnamespace = 'bcce'::regnamespace AND c.relkind = 'v'
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
        ORDER BY c.oid DESC
    LOOP
        EXECUTE format('DROP VIEW %s', item.name);
        object := item.name; action := 'dropped view'; RETURN NEXT;
    END LOOP;
    FOR item IN
        SELECT t.tgname, t.tgrelid::regclass::text AS name FROM pg_trigger t
        JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND n.nspname IN ('bcce_data', 'bcce_private')
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', item.tgname, item.name);
        object := item.name; action := 'dropped trigger ' || item.tgname; RETURN NEXT;
    END LOOP;
    FOR item IN
        SELECT p.polname, p.polrelid::regclass::text AS name FROM pg_policy p
        JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('bcce_data', 'bcce_private')
    LOOP
        EXECUTE format('DROP POLICY %I ON %s', item.polname, item.name);
    END LOOP;
    FOR item IN
        SELECT p.oid::regprocedure::text AS name, p.prokind FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname IN ('bcce', 'bcce_data', 'bcce_private')
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.refclassid = 'pg_proc'::regclass AND d.refobjid = p.oid AND d.classid = 'pg_attrdef'::regclass)
        ORDER BY p.oid DESC
    LOOP
        EXECUTE format('DROP ROUTINE %s', item.name);
        object := item.name; action := 'dropped function'; RETURN NEXT;
    END LOOP;

    IF data = 'drop' THEN
        DROP SCHEMA bcce_data, bcce_private CASCADE;
        object := 'bcce_data, bcce_private'; action := 'dropped with all data'; RETURN NEXT;
        RETURN;
    END IF;

    -- What stays is shut: no reader or writer keeps a right, and row security
    -- without a policy shows nothing.  Defaults that call the library go too.
    FOR item IN
        SELECT c.oid::regclass::text AS name, a.attname FROM pg_attrdef d
        JOIN pg_class c ON c.oid = d.adrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
        WHERE n.nspname IN ('bcce_data', 'bcce_private') AND a.attgenerated = '' AND NOT c.relispartition
          AND EXISTS (SELECT FROM pg_depend x JOIN pg_depend e ON e.classid = 'pg_proc'::regclass AND e.objid = x.refobjid AND e.deptype = 'e'
                      WHERE x.classid = 'pg_attrdef'::regclass AND x.objid = d.oid AND x.refclassid = 'pg_proc'::regclass)
    LOOP
        EXECUTE format('ALTER TABLE %s ALTER COLUMN %I DROP DEFAULT', item.name, item.attname);
    END LOOP;
    REVOKE ALL ON ALL TABLES IN SCHEMA bcce_data, bcce_private
        FROM bcce_analytics_user, bcce_cost_analyst, bcce_analytics_admin, bcce_ingest, bcce_platform;
    REVOKE ALL ON SCHEMA bcce_data, bcce_private
        FROM bcce_analytics_user, bcce_cost_analyst, bcce_analytics_admin, bcce_ingest, bcce_platform;
    object := 'bcce_data, bcce_private'; action := 'kept, closed to readers and writers'; RETURN NEXT;
END
$body$;
COMMENT ON FUNCTION bcce.uninstall(text) IS
'Prepares DROP EXTENSION: drops reports, functions, triggers and policies of the store. data => ''keep'' (default) leaves the tables, closed to everybody but superusers; a later CREATE EXTENSION opens them again. data => ''drop'' deletes them. Errors: 42501 not a superuser, 22023 unknown choice.';

