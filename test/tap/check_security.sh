#!/usr/bin/env bash
# Proves that check_security() finds nothing in what install() makes, and each
# fault when it is planted, by the right rule, with a way out that is one.
# Speaks TAP.
set -euo pipefail
. "$(dirname "$0")/../lib/tap.sh"

database=bcce_check_security_$$
kinds="user cost admin ingest platform token"
clean() {
    psql -Xq -d postgres -c "DROP DATABASE IF EXISTS $database WITH (FORCE)" >/dev/null 2>&1 || true
    for kind in $kinds; do psql -Xq -d postgres -c "DROP ROLE IF EXISTS regress_security_$kind" >/dev/null 2>&1 || true; done
}
trap clean EXIT
psql -Xq -d postgres -c "CREATE DATABASE $database"
sql $database postgres -c "SET client_min_messages = warning" -c 'CREATE EXTENSION bcce' >/dev/null
is "$(sql $database postgres -c 'SELECT * FROM bcce.check_security()')" "" "nothing in a new store"
sql $database postgres >/dev/null <<'SQL'
SELECT bcce.create_tenant('alpha', 'Alpha'), bcce.create_tenant('beta', 'Beta');
SELECT bcce.create_login('regress_security_' || kind, CASE WHEN kind <> 'token' THEN 'alpha' END, kind) FROM unnest('{user,cost,admin,ingest,platform,token}'::text[]) AS kind;
SELECT bcce.add_membership('regress_security_platform', 'beta');
SELECT bcce_data.make_partition('bcce_data.events', '2001-01-01 00:00+00');
CREATE SCHEMA elsewhere;
CREATE VIEW elsewhere.fine WITH (security_invoker = on) AS SELECT * FROM bcce.analytics_overview;
CREATE MATERIALIZED VIEW elsewhere.unseen AS SELECT * FROM bcce.analytics_overview;
CREATE POLICY narrower ON bcce_data.events AS RESTRICTIVE FOR SELECT TO bcce_analytics_user USING (NOT is_test);
CREATE INDEX more ON bcce_data.events (tenant_id, occurred_at, event_type);
-- Plants a fault, tells the rules that find it, does what the findings say,
-- tells whether any is left, and takes all of it back.
CREATE FUNCTION elsewhere.plant(fault text, OUT rules text, OUT state text) LANGUAGE plpgsql AS $$
DECLARE
    fixes text[];
BEGIN
    EXECUTE replace(fault, 'DATABASE here', 'DATABASE ' || current_database());
    SELECT string_agg(DISTINCT c.id, ' ' ORDER BY c.id), array_agg(DISTINCT c.fix) INTO rules, fixes FROM bcce.check_security() c;
    FOR i IN 1 .. coalesce(cardinality(fixes), 0) LOOP
        BEGIN
            EXECUTE fixes[i];
        EXCEPTION WHEN syntax_error OR undefined_object OR undefined_function OR undefined_column THEN NULL;
        END;
    END LOOP;
    state := CASE WHEN EXISTS (SELECT FROM bcce.check_security()) THEN 'by hand' ELSE 'fixed' END;
    RAISE EXCEPTION USING ERRCODE = 'ZZ001';
EXCEPTION WHEN SQLSTATE 'ZZ001' THEN
    NULL;
END
$$;
SQL
is "$(sql $database postgres -c 'SELECT * FROM bcce.check_security()')" "" "nor with tenants, logins of every kind, and what a DBA may add"

# What finds it, whether its fix is a statement that closes it, and the fault.
while IFS= read -r line; do
    rules=${line%% | *} rest=${line#* | }
    state=${rest%% | *} fault=${rest#* | }
    is "$(PGOPTIONS='-c client_min_messages=error' sql $database postgres -v fault="$fault" <<<"SELECT rules, state FROM elsewhere.plant(:'fault')")" "$rules|$state" "$rules: ${fault:0:100}"
done <<'FAULTS'
row_security_off | fixed | ALTER TABLE bcce_data.events DISABLE ROW LEVEL SECURITY
row_security_off | fixed | ALTER TABLE bcce_data.events_2001_01 NO FORCE ROW LEVEL SECURITY
row_security_off | fixed | ALTER TABLE bcce_private.context_key DISABLE ROW LEVEL SECURITY
policy_missing | fixed | DROP POLICY reader_wall ON bcce_data.events
policy_missing | fixed | DROP POLICY reader ON bcce_data.events_2001_01
policy_missing | fixed | ALTER POLICY reader ON bcce_data.events USING (true)
policy_missing | fixed | ALTER POLICY reader_wall ON bcce_data.events TO bcce_cost_analyst
policy_missing | fixed | ALTER POLICY writer ON bcce_data.events WITH CHECK (true)
policy_missing row_security_off trigger_missing | by hand | CREATE TABLE bcce_data.newcomer (tenant_id uuid PRIMARY KEY, name text); ALTER TABLE bcce_data.newcomer OWNER TO bcce_owner
policy_widens | fixed | CREATE POLICY wide ON bcce_data.events FOR SELECT TO regress_security_user USING (true)
policy_setting | fixed | CREATE POLICY odd ON bcce_data.events AS RESTRICTIVE FOR SELECT USING (tenant_id::text = current_setting('app.tenant', true))
policy_per_row | by hand | CREATE POLICY slow ON bcce_data.events AS RESTRICTIVE FOR SELECT USING (tenant_id = bcce.current_tenant())
policy_volatility | fixed | ALTER FUNCTION bcce.current_tenant() IMMUTABLE
function_leakproof | fixed | ALTER FUNCTION bcce.current_tenants() LEAKPROOF
partition_granted | fixed | GRANT SELECT ON bcce_data.events_2001_01 TO regress_security_user
partition_granted | fixed | GRANT SELECT (tenant_id) ON bcce_data.events_2001_01 TO bcce_analytics_user
privilege_excess | fixed | GRANT SELECT ON bcce_data.events TO bcce_analytics_user
privilege_excess | fixed | GRANT TRUNCATE ON bcce_data.events TO bcce_ingest
privilege_excess | fixed | GRANT REFERENCES (tenant_id) ON bcce_data.tenants TO regress_security_user
privilege_excess | fixed | GRANT SELECT (tenant_id) ON bcce_data.tenants TO regress_security_ingest
privilege_excess | fixed | GRANT SELECT ON bcce_private.tenant_key TO PUBLIC
privilege_excess | fixed | GRANT SELECT (key) ON bcce_private.tenant_key TO bcce_analytics_user
privilege_excess | fixed | GRANT SELECT ON bcce.analytics_overview TO PUBLIC
privilege_excess | fixed | GRANT UPDATE ON bcce.inbox_events TO bcce_ingest
schema_open | fixed | GRANT USAGE ON SCHEMA bcce_data TO bcce_analytics_user
schema_open | fixed | GRANT CREATE ON SCHEMA bcce TO regress_security_user
schema_open | fixed | GRANT CREATE ON SCHEMA public TO PUBLIC
owner_other | fixed | ALTER TABLE bcce_data.events OWNER TO regress_security_user
view_as_owner | fixed | CREATE VIEW elsewhere.all_runs AS SELECT * FROM bcce_data.workflow_runs
view_as_owner | fixed | CREATE VIEW elsewhere.all_tenants AS SELECT * FROM bcce.analytics_overview
view_as_owner | fixed | CREATE VIEW elsewhere.two_steps AS SELECT * FROM elsewhere.fine
view_as_owner | fixed | ALTER VIEW bcce.cost_analysis RESET (security_invoker)
materialized_view | fixed | GRANT SELECT ON elsewhere.unseen TO regress_security_user
materialized_view privilege_excess | fixed | CREATE MATERIALIZED VIEW bcce_data.kept AS SELECT * FROM bcce_data.events; GRANT SELECT ON bcce_data.kept TO bcce_analytics_user
trigger_off | fixed | ALTER TABLE bcce_data.events DISABLE TRIGGER redact
trigger_off | fixed | ALTER TABLE bcce_data.events ENABLE REPLICA TRIGGER redact
trigger_off | fixed | ALTER TABLE bcce_private.membership ENABLE TRIGGER invalidate_cache
trigger_off | fixed | ALTER TABLE bcce_data.model_usage DISABLE TRIGGER write_mark
trigger_missing | fixed | DROP TRIGGER redact ON bcce_data.incidents
key_without_tenant | fixed | ALTER TABLE bcce_data.services ADD CONSTRAINT everywhere UNIQUE (service_name)
key_without_tenant | fixed | CREATE UNIQUE INDEX everywhere ON bcce_data.teams (team_name)
group_power | fixed | ALTER ROLE bcce_analytics_user LOGIN
group_power | fixed | ALTER ROLE bcce_owner BYPASSRLS
owner_granted | fixed | GRANT bcce_owner TO regress_security_admin
owner_granted | fixed | GRANT bcce_maintainer TO bcce_analytics_admin
login_power | fixed | ALTER ROLE regress_security_user SUPERUSER
login_power | fixed | ALTER ROLE regress_security_token BYPASSRLS
login_power | fixed | ALTER ROLE regress_security_admin CREATEROLE
login_reads_all | fixed | GRANT pg_read_all_data TO regress_security_user
login_reads_all | fixed | GRANT pg_monitor TO regress_security_user
login_reads_all | fixed | GRANT pg_execute_server_program TO bcce_analytics_admin
login_owns_database | by hand | ALTER DATABASE here OWNER TO regress_security_admin
login_two_tenants | by hand | CREATE ROLE regress_security_b IN ROLE bcce_analytics_user; SELECT bcce.add_membership('regress_security_b', 'beta'); GRANT regress_security_b TO regress_security_user
membership_dangling | fixed | CREATE ROLE regress_security_gone; SELECT bcce.add_membership('regress_security_gone', 'beta'); DROP ROLE regress_security_gone
membership_dangling | fixed | INSERT INTO bcce_private.membership (role_name, tenant_id) SELECT 'nobody', tenant_id FROM bcce_data.tenants WHERE slug = 'beta'
token_login_dangling | fixed | INSERT INTO bcce_private.token_login (role_name) VALUES ('nobody')
token_login_bound | by hand | INSERT INTO bcce_private.token_login (role_name) VALUES ('regress_security_user')
key_expired | fixed | INSERT INTO bcce_private.context_key (kid, public_key, not_before, not_after) VALUES ('old', sha256(''), '-infinity', now() - interval '1 day')
parameter_granted | fixed | GRANT SET ON PARAMETER bcce.context TO regress_security_user
parameter_granted | fixed | GRANT ALTER SYSTEM ON PARAMETER bcce.context_max_ttl TO PUBLIC
definer_path | fixed | ALTER FUNCTION bcce.whoami() RESET search_path
definer_path | fixed | ALTER FUNCTION bcce.whoami() SET search_path = pg_catalog
definer_superuser | fixed | ALTER FUNCTION bcce.create_tenant(text, text, text, text) OWNER TO postgres
definer_superuser | fixed | CREATE FUNCTION elsewhere.all_of_it() RETURNS SETOF bcce_data.tenants LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'SELECT * FROM bcce_data.tenants'
definer_superuser | fixed | CREATE FUNCTION elsewhere.for_one() RETURNS integer LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'; REVOKE ALL ON FUNCTION elsewhere.for_one() FROM PUBLIC; GRANT EXECUTE ON FUNCTION elsewhere.for_one() TO regress_security_cost
function_open | fixed | GRANT EXECUTE ON FUNCTION bcce.find_person(text, text) TO PUBLIC
function_leakproof | fixed | CREATE FUNCTION elsewhere.leaks(text) RETURNS boolean LANGUAGE sql AS 'SELECT true' LEAKPROOF
FAULTS
is "$(sql $database postgres -c 'SELECT * FROM bcce.check_security()')" "" "nothing is left of it"
is "$(sqlstate $database regress_security_admin 'SELECT * FROM bcce.check_security()')" "ERROR:  42501" "no admin of a tenant may call it"
done_testing
