-- Group roles.  Made always, also when a dump is being restored: its policies
-- and grants name them.  A role of that name that can log in, is a superuser
-- or bypasses row security is refused rather than trusted.
DO $$
DECLARE
    wanted CONSTANT text[] := ARRAY[
        'bcce_owner',           'bcce: owns the store; nobody logs in as it',
        'bcce_maintainer',      'bcce: owns the upkeep functions (partitions, tenants); nobody logs in as it',
        'bcce_analytics_user',  'bcce: reads the reports of its own tenant',
        'bcce_cost_analyst',    'bcce: reads the cost reports of its own tenant',
        'bcce_analytics_admin', 'bcce: reads and configures its own tenant',
        'bcce_ingest',          'bcce: writes for its own tenant, reads nothing',
        'bcce_platform',        'bcce: reads the reports of several tenants',
        'bcce_token',           'bcce: may present tokens that say which tenants it speaks for'];
    known record;
    i integer;
BEGIN
    FOR i IN 1 .. cardinality(wanted) BY 2 LOOP
        SELECT rolcanlogin, rolsuper, rolbypassrls INTO known
        FROM pg_catalog.pg_roles WHERE rolname = wanted[i];
        IF NOT FOUND THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted[i]);
        ELSIF known.rolcanlogin OR known.rolsuper OR known.rolbypassrls THEN
            RAISE EXCEPTION USING
                ERRCODE = 'invalid_role_specification',
                MESSAGE = format('role "%s" exists and has more rights than a group role of bcce may have', wanted[i]),
                HINT = format('Rename it, or run: ALTER ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS;', wanted[i]);
        END IF;
        EXECUTE format('COMMENT ON ROLE %I IS %L', wanted[i], wanted[i + 1]);
    END LOOP;
END
$$;

GRANT bcce_analytics_user TO bcce_analytics_admin;
GRANT bcce_owner TO bcce_maintainer;

