-- Proves that check_security() finds nothing in what install() makes, and each
-- fault when it is planted, with a way out that is one.
SET client_min_messages = warning;
CREATE DATABASE regress_security;
\set home :DBNAME
\c regress_security
SET client_min_messages = warning;
CREATE EXTENSION bcce;
\t on
\a
\echo == nothing in a new store, nor with tenants and logins of every kind
SELECT * FROM bcce.check_security();
\o /dev/null
SELECT bcce.create_tenant('alpha', 'Alpha'), bcce.create_tenant('beta', 'Beta');
SELECT bcce.create_login('regress_security_' || kind, CASE WHEN kind <> 'token' THEN 'alpha' END, kind) FROM unnest('{user,cost,admin,ingest,platform,token}'::text[]) AS kind;
SELECT bcce.add_membership('regress_security_platform', 'beta');
SELECT bcce_data.make_partition('bcce_data.events', '2001-01-01 00:00+00');
\o
CREATE SCHEMA elsewhere;
CREATE VIEW elsewhere.fine WITH (security_invoker = on) AS SELECT * FROM bcce.analytics_overview;
CREATE MATERIALIZED VIEW elsewhere.unseen AS SELECT * FROM bcce.analytics_overview;
CREATE POLICY narrower ON bcce_data.events AS RESTRICTIVE FOR SELECT TO bcce_analytics_user USING (NOT is_test);
CREATE INDEX more ON bcce_data.events (tenant_id, occurred_at, event_type);
SELECT * FROM bcce.check_security();

-- Plants a fault, prints what is found, does what the findings say, prints
-- whether any is left, and takes all of it back.
CREATE FUNCTION pg_temp.plant(VARIADIC faults text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    fault text;
    found text[];
    fixes text[];
    left_over bigint;
BEGIN
    FOREACH fault IN ARRAY faults LOOP
        BEGIN
            EXECUTE fault;
            SELECT array_agg(c.level || ' ' || c.id || ': ' || c.object || ': ' || c.detail), array_agg(DISTINCT c.fix) INTO found, fixes FROM bcce.check_security() c;
            FOR i IN 1 .. coalesce(cardinality(fixes), 0) LOOP
                BEGIN
                    EXECUTE fixes[i];
                EXCEPTION WHEN syntax_error OR undefined_object OR undefined_function OR undefined_column THEN NULL;
                END;
            END LOOP;
            SELECT count(*) INTO left_over FROM bcce.check_security();
            RAISE EXCEPTION USING ERRCODE = 'ZZ001';
        EXCEPTION WHEN SQLSTATE 'ZZ001' THEN NULL;
        END;
        RETURN NEXT '-- ' || fault;
        RETURN QUERY SELECT '   ' || f FROM unnest(found[:2]) AS f;
        IF found IS NULL OR cardinality(found) > 2 THEN
            RETURN NEXT CASE WHEN found IS NULL THEN '   NOT FOUND' ELSE format('   and %s more', cardinality(found) - 2) END;
        END IF;
        RETURN NEXT CASE WHEN left_over = 0 THEN '   fixed' ELSE '   by hand: ' || array_to_string(fixes[:2], ' | ') END;
    END LOOP;
END
$$;
SELECT * FROM pg_temp.plant(
    'ALTER TABLE bcce_data.events DISABLE ROW LEVEL SECURITY',
    'ALTER TABLE bcce_data.events_2001_01 NO FORCE ROW LEVEL SECURITY',
    'ALTER TABLE bcce_private.context_key DISABLE ROW LEVEL SECURITY',
    'DROP POLICY reader_wall ON bcce_data.events',
    'DROP POLICY reader ON bcce_data.events_2001_01',
    'ALTER POLICY reader ON bcce_data.events USING (true)',
    'ALTER POLICY reader_wall ON bcce_data.events TO bcce_cost_analyst',
    'ALTER POLICY writer ON bcce_data.events WITH CHECK (true)',
    'CREATE TABLE bcce_data.newcomer (tenant_id uuid PRIMARY KEY); ALTER TABLE bcce_data.newcomer OWNER TO bcce_owner',
    'CREATE POLICY wide ON bcce_data.events FOR SELECT TO regress_security_user USING (true)',
    $q$CREATE POLICY odd ON bcce_data.events AS RESTRICTIVE FOR SELECT USING (tenant_id::text = current_setting('app.tenant', true))$q$,
    'CREATE POLICY slow ON bcce_data.events AS RESTRICTIVE FOR SELECT USING (tenant_id = bcce.current_tenant())',
    'ALTER FUNCTION bcce.current_tenant() IMMUTABLE',
    'ALTER FUNCTION bcce.current_tenants() LEAKPROOF');
SELECT * FROM pg_temp.plant(
    'GRANT SELECT ON bcce_data.events_2001_01 TO regress_security_user',
    'GRANT SELECT (tenant_id) ON bcce_data.events_2001_01 TO bcce_analytics_user',
    'GRANT SELECT ON bcce_data.events TO bcce_analytics_user',
    'GRANT TRUNCATE ON bcce_data.events TO bcce_ingest',
    'GRANT REFERENCES (tenant_id) ON bcce_data.tenants TO regress_security_user',
    'GRANT SELECT (tenant_id) ON bcce_data.tenants TO regress_security_ingest',
    'GRANT SELECT ON bcce_private.tenant_key TO PUBLIC',
    'GRANT SELECT (key) ON bcce_private.tenant_key TO bcce_analytics_user',
    'GRANT SELECT ON bcce.analytics_overview TO PUBLIC',
    'GRANT UPDATE ON bcce.inbox_events TO bcce_ingest',
    'GRANT USAGE ON SCHEMA bcce_data TO bcce_analytics_user',
    'GRANT CREATE ON SCHEMA bcce TO regress_security_user',
    'GRANT CREATE ON SCHEMA public TO PUBLIC',
    'ALTER TABLE bcce_data.events OWNER TO regress_security_user');
SELECT * FROM pg_temp.plant(
    'CREATE VIEW elsewhere.all_runs AS SELECT * FROM bcce_data.workflow_runs',
    'CREATE VIEW elsewhere.all_tenants AS SELECT * FROM bcce.analytics_overview',
    'CREATE VIEW elsewhere.two_steps AS SELECT * FROM elsewhere.fine',
    'ALTER VIEW bcce.cost_analysis RESET (security_invoker)',
    'GRANT SELECT ON elsewhere.unseen TO regress_security_user',
    'CREATE MATERIALIZED VIEW bcce_data.kept AS SELECT * FROM bcce_data.events; GRANT SELECT ON bcce_data.kept TO bcce_analytics_user',
    'ALTER TABLE bcce_data.events DISABLE TRIGGER redact',
    'ALTER TABLE bcce_data.events ENABLE REPLICA TRIGGER redact',
    'ALTER TABLE bcce_private.membership ENABLE TRIGGER invalidate_cache',
    'DROP TRIGGER redact ON bcce_data.incidents',
    'ALTER TABLE bcce_data.services ADD CONSTRAINT everywhere UNIQUE (service_name)',
    'CREATE UNIQUE INDEX everywhere ON bcce_data.teams (team_name)');
SELECT * FROM pg_temp.plant(
    'ALTER ROLE bcce_analytics_user LOGIN',
    'ALTER ROLE bcce_owner BYPASSRLS',
    'GRANT bcce_owner TO regress_security_admin',
    'GRANT bcce_maintainer TO bcce_analytics_admin',
    'ALTER ROLE regress_security_user SUPERUSER',
    'ALTER ROLE regress_security_token BYPASSRLS',
    'ALTER ROLE regress_security_admin CREATEROLE',
    'GRANT pg_read_all_data TO regress_security_user',
    'GRANT pg_monitor TO regress_security_user',
    'GRANT pg_execute_server_program TO bcce_analytics_admin',
    'ALTER DATABASE regress_security OWNER TO regress_security_admin',
    $q$CREATE ROLE regress_security_b IN ROLE bcce_analytics_user; SELECT bcce.add_membership('regress_security_b', 'beta'); GRANT regress_security_b TO regress_security_user$q$,
    $q$CREATE ROLE regress_security_gone; SELECT bcce.add_membership('regress_security_gone', 'beta'); DROP ROLE regress_security_gone$q$,
    $q$INSERT INTO bcce_private.membership (role_name, tenant_id) SELECT 'nobody', tenant_id FROM bcce_data.tenants WHERE slug = 'beta'$q$,
    $q$INSERT INTO bcce_private.token_login (role_name) VALUES ('nobody')$q$,
    $q$INSERT INTO bcce_private.token_login (role_name) VALUES ('regress_security_user')$q$,
    $q$INSERT INTO bcce_private.context_key (kid, public_key, not_before, not_after) VALUES ('old', sha256(''), '-infinity', now() - interval '1 day')$q$,
    'GRANT SET ON PARAMETER bcce.context TO regress_security_user',
    'GRANT ALTER SYSTEM ON PARAMETER bcce.context_max_ttl TO PUBLIC');
SELECT * FROM pg_temp.plant(
    'ALTER FUNCTION bcce.whoami() RESET search_path',
    'ALTER FUNCTION bcce.whoami() SET search_path = pg_catalog',
    'ALTER FUNCTION bcce.create_tenant(text, text, text, text) OWNER TO postgres',
    $q$CREATE FUNCTION elsewhere.all_of_it() RETURNS SETOF bcce_data.tenants LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'SELECT * FROM bcce_data.tenants'$q$,
    $q$CREATE FUNCTION elsewhere.for_one() RETURNS integer LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'; REVOKE ALL ON FUNCTION elsewhere.for_one() FROM PUBLIC; GRANT EXECUTE ON FUNCTION elsewhere.for_one() TO regress_security_cost$q$,
    'GRANT EXECUTE ON FUNCTION bcce.find_person(text, text) TO PUBLIC',
    $q$CREATE FUNCTION elsewhere.leaks(text) RETURNS boolean LANGUAGE sql AS 'SELECT true' LEAKPROOF$q$);
\echo == nothing is left of it
SELECT * FROM bcce.check_security();
SET ROLE regress_security_admin;
SELECT count(*) FROM bcce.check_security();
RESET ROLE;

\c :home
SET client_min_messages = warning;
DROP DATABASE regress_security;
DROP ROLE regress_security_user, regress_security_cost, regress_security_admin, regress_security_ingest, regress_security_platform, regress_security_token;
