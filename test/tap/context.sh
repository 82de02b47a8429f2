#!/usr/bin/env bash
# Proves that nobody but bcce.set_context() sets a context, by whatever route,
# that a context follows its transaction into parallel workers, cached plans
# and definer functions, that standbys and read-only transactions take tokens,
# and that no token gets into the server log.  Speaks TAP.
set -euo pipefail
. "$(dirname "$0")/../lib/tap.sh"
lib=$(cd "$(dirname "$0")/../lib" && pwd)

own_server primary >/dev/null
createdb shop
sql shop postgres -c 'CREATE EXTENSION bcce' -f "$lib/seed.sql" >/dev/null
sql shop postgres >/dev/null <<'SQL'
SELECT bcce.create_login('bi', NULL, 'token'), bcce.create_login('ann', 'alpha');
CREATE SCHEMA wide AUTHORIZATION bi;
GRANT USAGE ON SCHEMA wide TO PUBLIC;
-- What a policy of the two forms and a careless definer function make of it.
CREATE TABLE public.facts (tenant_id uuid, n integer);
INSERT INTO facts SELECT tenant_id, g FROM bcce_data.tenants, generate_series(1, 5000) AS g;
ALTER TABLE facts ENABLE ROW LEVEL SECURITY;
CREATE POLICY reader ON facts FOR SELECT TO bi, ann USING (tenant_id = (SELECT bcce.current_tenant()));
CREATE TABLE public.bare (LIKE facts);
INSERT INTO bare SELECT * FROM public.facts;
ALTER TABLE bare ENABLE ROW LEVEL SECURITY;
CREATE POLICY reader ON bare FOR SELECT TO bi, ann USING (tenant_id = bcce.current_tenant());
GRANT SELECT ON facts, bare TO bi, ann;
ANALYZE facts, bare;
CREATE FUNCTION public.as_owner(command text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$DECLARE result text; BEGIN EXECUTE command INTO result; RETURN result; END$$;
SQL
alpha=$(sql shop postgres -c "SELECT tenant_id FROM bcce_data.tenants WHERE slug = 'alpha'")
beta=$(sql shop postgres -c "SELECT tenant_id FROM bcce_data.tenants WHERE slug = 'beta'")
sql shop postgres -f "$lib/sign.sql" -c "SELECT bcce.add_context_key('test', pg_temp.public_key(pg_temp.seed('test')))" >/dev/null

# mint ROLE TENANT [CLAIMS AS JSON [DATABASE]]: a good token but for these claims.
mint() {
    sql "${4:-shop}" postgres -f "$lib/sign.sql" -c "SELECT pg_temp.mint(pg_temp.claims('$1', ARRAY['$2']::uuid[], '${3:-{\}}'))"
}
token=$(mint bi "$alpha")
token_beta=$(mint bi "$beta")
[ -n "$alpha" ] && [ -n "$beta" ] || exit 1
like "$token" '^v4\.public\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$' "a token"
mine="SELECT bcce.current_tenants(), (SELECT count(*) FROM bcce.analytics_overview)"
is "$(sql shop bi -c "BEGIN; SELECT bcce.set_context('$token'); $mine; COMMIT" | tail -n 1)" "{$alpha}|1" "it gives its tenant"
is "$(sql shop bi -c "$mine")" "{}|0" "without it there is none"

# --- routes to a forged context -------------------------------------------
# What the setting would hold, were it set_context() that sets it.
forged="$(sql shop postgres -c "SELECT oid FROM pg_roles WHERE rolname = 'bi'") 900000000000000000 test ${alpha//-/}"

# forge NAME STATEMENT: the login's own session, from its first statement on
# and with the library loaded before.
aborted='s/^ERROR:  current transaction is aborted.*/{}|0/'
forge() {
    local got
    got=$(sql shop bi -v VERBOSITY=terse -c "$2" -c "$mine")
    is "$(tail -n 1 <<<"$got" | sed "$aborted")" "{}|0" "$1: shows nothing"
    is "$(grep -cE "${alpha//-/}|Alpha|$alpha|$token" <<<"$got" || true)" 0 "$1: nor prints what was tried"
    got=$(sql shop bi -c "$mine" -c "$2" -c "$mine")
    is "$(tail -n 1 <<<"$got" | sed "$aborted")" "{}|0" "$1, after the library was loaded: shows nothing"
}
routes() {
    local value
    for value in "$forged" "$token"; do
        forge "$1: SET" "SET bcce.context = '$value'"
        forge "$1: set_config()" "SELECT set_config('bcce.context', '$value', false) IS NULL"
    done
    forge "$1: SET LOCAL" "BEGIN; SET LOCAL bcce.context = '$forged'"
    forge "$1: DO" "DO 'BEGIN PERFORM set_config(''bcce.context'', ''$forged'', false); END'"
    forge "$1: UPDATE pg_settings" "UPDATE pg_settings SET setting = '$forged' WHERE name = 'bcce.context'"
    forge "$1: the chosen tenant" "SET bcce.chosen_tenant = '${forged%% *} ${alpha//-/}'"
    forge "$1: ALTER ROLE itself" "ALTER ROLE bi SET bcce.context = '$forged'"
    forge "$1: a function that sets it" "SET default_transaction_read_only = off; CREATE OR REPLACE FUNCTION wide.f() RETURNS text LANGUAGE sql SET bcce.context = '$forged' AS 'SELECT bcce.current_tenants()::text'; SELECT wide.f()"
    is "$(PGOPTIONS="-c bcce.context=${forged// /\\ }" sql shop bi -c "$mine" | tail -n 1 | grep -v 'permission denied' || true)" "$2" "$1: PGOPTIONS: shows nothing"
    is "$(sql shop bi -c "SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET parallel_leader_participation = off" \
        -c "SET bcce.context = '$forged'" -c "SELECT count(*) FROM public.facts" -c "SELECT count(*) FROM public.bare" | tail -n 2 | tr '\n' ' ')" "0 0 " "$1: SET before parallel workers start: they show nothing"
}
routes "not preloaded" "{}|0"

sql shop postgres -c "ALTER DATABASE shop SET session_preload_libraries = 'bcce'" >/dev/null
routes "preloaded by the session" "{}|0"
is "$(sqlstate shop bi "SET bcce.context = '$forged'")" "ERROR:  42501" "preloaded: SET is refused at once"
sql shop postgres -c "ALTER DATABASE shop RESET session_preload_libraries" >/dev/null

# The careless: rights and settings that a superuser gives away.
sql shop postgres -c "GRANT SET ON PARAMETER bcce.context TO bi" >/dev/null
forge "GRANT SET ON PARAMETER" "SET bcce.context = '$forged'"
is "$(sql shop bi -v VERBOSITY=sqlstate -c "$mine" -c "SET bcce.context = '$forged'" | tail -n 1)" "ERROR:  42501" "GRANT SET ON PARAMETER: refused all the same"
sql shop postgres -c "REVOKE SET ON PARAMETER bcce.context FROM bi" >/dev/null
for where in "ROLE bi" "DATABASE shop" "ROLE bi IN DATABASE shop"; do
    sql shop postgres -c "ALTER $where SET bcce.context = '$forged'" >/dev/null
    is "$(sql shop bi -c "$mine" | tail -n 1)" "{}|0" "a superuser's ALTER $where SET: shows nothing"
    is "$(sql shop postgres -c 'SELECT bcce.current_tenants()' -c "ALTER $where SET bcce.context = '$forged'" -c "SET ROLE bi" -c "$mine" | tail -n 1)" "{}|0" "nor after SET ROLE"
    sql shop postgres -c "ALTER $where RESET bcce.context" >/dev/null
done
is "$(sql shop postgres -v VERBOSITY=sqlstate -c 'SELECT bcce.current_tenants()' -c "SET bcce.context = '$forged'" -c "ALTER SYSTEM SET bcce.context = '$forged'" -c 'SET ROLE bi' -c "$mine")" \
    "$(printf '{}\nERROR:  42501\nERROR:  55P02\n{}|0')" "a superuser cannot set it either"
is "$(sql shop bi -c "SELECT public.as_owner(\$\$SELECT set_config('bcce.context', '$forged', false)\$\$)" -c "$mine" | tail -n 1)" "{}|0" "nor can a superuser's definer function"
as_server sh -c "echo \"bcce.context = '$forged'\" >>'$cluster/data/postgresql.conf'"
sql shop postgres -c 'SELECT pg_reload_conf()' >/dev/null
sleep 0.5
is "$(sql shop bi -c "$mine" | tail -n 1)" "{}|0" "nor the configuration file"
as_server sed -i '$d' "$cluster/data/postgresql.conf"
sql shop postgres -c 'SELECT pg_reload_conf()' >/dev/null

is "$(sql shop bi -v VERBOSITY=sqlstate -c "$mine" -c 'SHOW bcce.context' -c "SELECT current_setting('bcce.context')" -c "SELECT count(*) FROM pg_settings WHERE name IN ('bcce.context', 'bcce.chosen_tenant')" -c 'SET bcce.other = 1' -c 'RESET bcce.context' | tail -n +2)" \
    "$(printf 'ERROR:  42501\nERROR:  42501\n0\nERROR:  42602\nERROR:  42501')" "it cannot be read or reset, and no other setting of that prefix made"

# --- the life of a context --------------------------------------------------
# within TOKEN STATEMENT...: in one transaction of the shared login.
within() {
    local statement all="BEGIN; SELECT bcce.set_context('$1');"
    shift
    for statement in "$@"; do all+=" $statement;"; done
    sql shop bi -c "$all COMMIT" | tail -n +2
}
names="SELECT coalesce(string_agg(tenant_name, ','), 'none') FROM bcce.analytics_overview"
is "$(within "$token" "$names" 'SET LOCAL ROLE bcce_analytics_user' "$names" 'RESET ROLE' "$names")" "$(printf 'Alpha tenant\nnone\nAlpha tenant')" "SET ROLE voids it, RESET ROLE finds it again"
is "$(within "$token" "SELECT public.as_owner('SELECT bcce.current_tenants()')" "SELECT public.as_owner('SELECT current_user || bcce.bypasses_row_security()')")" "$(printf '{%s}\npostgresfalse' "$alpha")" "a definer function neither loses nor widens it"
is "$(sql shop bi -c "BEGIN; SELECT public.as_owner('SELECT bcce.set_context(''$token'')'); $mine; COMMIT" | tail -n 1)" "{$alpha}|1" "one that calls set_context() sets it for the transaction"
is "$(within "$token" "DECLARE c CURSOR WITH HOLD FOR $names" && sql shop bi -c "$names")" none "a held cursor leaves no context behind"
is "$(sql shop bi -c "BEGIN; SELECT bcce.set_context('$token'); COMMIT" -c "BEGIN; SELECT bcce.set_context('$token'); PREPARE TRANSACTION 'x'" -c "$names" | tail -n 1)" none "nor does a transaction that ends in whatever way"
is "$(sql shop bi -c "BEGIN; SELECT bcce.set_context('$token'); DISCARD TEMP; RESET ALL; $mine; COMMIT" | tail -n 1)" "{}|0" "RESET ALL clears it"
is "$(sql shop bi -c "BEGIN READ ONLY; SELECT bcce.set_context('$token'); $mine; COMMIT" | tail -n 1)" "{$alpha}|1" "a read-only transaction takes it"
is "$(sqlstate shop bi "BEGIN; SELECT bcce.set_context('$token'); WITH w AS MATERIALIZED (SELECT bcce.set_context('$token_beta')) SELECT tenant_name FROM bcce.analytics_overview, w")" "$(printf '\nERROR:  55000')" "no other within a statement"
is "$(sql shop bi -c "WITH w AS MATERIALIZED (SELECT set_config('role', 'postgres', true)) SELECT tenant_name FROM bcce.analytics_overview, w" | grep -c tenant)" 0 "nor another role"
sql shop postgres -c "SET ROLE bi; BEGIN; SELECT bcce.set_context('$token'); CREATE TEMP TABLE t (a int); COMMIT" >/dev/null
is "$(sql shop bi -v VERBOSITY=sqlstate <<SQL
SET default_transaction_read_only = off;
CREATE FUNCTION wide.set() RETURNS integer LANGUAGE plpgsql IMMUTABLE AS \$\$BEGIN PERFORM bcce.set_context('$token'); RETURN 1; END\$\$;
CREATE TABLE wide.t AS SELECT 1 AS a;
CREATE INDEX ON wide.t ((wide.set()));
SQL
)" "ERROR:  42501" "a security-restricted operation, such as making an index, sets none"

# Generic plans follow the context.
is "$(sql shop bi <<SQL | grep -v '^$'
SET plan_cache_mode = force_generic_plan;
PREPARE a AS $names; PREPARE f AS SELECT count(*) FROM public.facts;
BEGIN; SELECT bcce.set_context('$token'); EXECUTE a; EXECUTE f; COMMIT;
EXECUTE a; EXECUTE f;
BEGIN; SELECT bcce.set_context('$token_beta'); EXECUTE a; EXECUTE f; COMMIT;
BEGIN; SELECT bcce.set_context('$token'); EXECUTE a; SET LOCAL ROLE bcce_analytics_user; EXECUTE a; COMMIT;
EXECUTE f;
SQL
)" "$(printf '%s\n' 'Alpha tenant' 5000 none 0 'Beta tenant' 5000 'Alpha tenant' none 0)" "a prepared generic plan follows the context"

# Parallel workers, the leader not taking part.
parallel="SET LOCAL max_parallel_workers_per_gather = 2; SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0; SET LOCAL min_parallel_table_scan_size = 0; SET LOCAL parallel_leader_participation = off"
got=$(within "$token" "$parallel" "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT count(*) FROM public.facts" "SELECT count(*), count(DISTINCT tenant_id), min(tenant_id::text) FROM public.facts" "SELECT count(*) FROM public.bare")
like "$got" 'Workers Launched: [12]' "workers scan under the policy"
is "$(tail -n 2 <<<"$got")" "$(printf '5000|1|%s\n5000' "$alpha")" "and see the tenant's rows, all and no others, in both forms of a policy"
sql shop postgres -c "CREATE FUNCTION public.in_worker() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS \$\$SELECT bcce.current_tenants()::text\$\$" >/dev/null
is "$(within "$token" "$parallel" "SELECT DISTINCT public.in_worker() FROM public.facts")" "{$alpha}" "a function wrongly marked safe finds the context in a worker"
forced=$(sql shop postgres -c "SELECT CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'debug_parallel_query' ELSE 'force_parallel_mode' END")
is "$(within "$token" "$parallel" "SET LOCAL $forced = on" "$names" "SELECT md5(string_agg(w::text, '' ORDER BY w::text)) FROM bcce.workflows AS w")" \
    "$(within "$token" "$names" "SELECT md5(string_agg(w::text, '' ORDER BY w::text)) FROM bcce.workflows AS w")" "reports answer the same in workers"

# --- what is logged -----------------------------------------------------------
logged=$(as_server wc -l <"$cluster/log")
log() { as_server tail -n "+$((logged + 1))" "$cluster/log"; }
expired=$(mint bi "$alpha" '{"iat": "2026-01-01T00:00:00Z", "exp": "2026-01-01T00:01:00Z"}')
other=$(mint ann "$alpha")
bad=${token:0:60}$([ "${token:60:1}" = A ] && echo B || echo A)${token:61}
for attempt in "$expired" "$other" "$bad" "x$token" "v4.public.AAAA" "$(printf "$token%.0s" {1..20})"; do
    got=$(sql shop bi -v VERBOSITY=verbose -c "SELECT bcce.set_context('$attempt')" | sed '/^LOCATION/d')
    is "$got" "$(printf 'ERROR:  28000: the context token is not valid\nHINT:  Get a new token for this role and for what bcce.context_assertion() says; the server log has the reason.')" "refused in the same words"
done
for reason in 'has expired' 'another role' 'not that of its key' 'not the form' 'more than 4096 bytes'; do
    like "$(log)" "$reason" "the log has the reason: $reason"
done
pieces=$(printf '%s\n' "$token" "$expired" "$other" | cut -d. -f3 | cut -c30-60)
sql shop bi -c "PREPARE p (text) AS SELECT bcce.set_context(\$1)" -c "EXECUTE p ('$bad')" >/dev/null
is "$(log | grep -cF "$pieces" || true)" 0 "and nothing of any token that set_context() was given"

# --- a dump --------------------------------------------------------------------
createdb copy
"$pg_bin/pg_dump" shop 2>/dev/null | psql -Xq -v ON_ERROR_STOP=1 -d copy >/dev/null 2>&1
is "$(sqlstate copy bi "BEGIN; SELECT bcce.set_context('$token')")" "ERROR:  28000" "a restored copy does not take tokens of the original"
is "$(sql copy bi -c "BEGIN; SELECT bcce.set_context('$(mint bi "$alpha" '{}' copy)'); $mine; COMMIT" | tail -n 1)" "{$alpha}|1" "but its own, with the keys and logins of the dump"

# --- standby ------------------------------------------------------------------
mkdir -p "$work/standby"
[ "$(id -u)" -ne 0 ] || chown "$server_user" "$work/standby"
as_server "$pg_bin/pg_basebackup" -D "$work/standby/data" -R -X stream -c fast -h "$PGHOST" -U postgres >/dev/null 2>&1
(resume_cluster standby -c hot_standby=on)
standby="$work/standby"
is "$(PGHOST=$standby sql shop bi -c 'SELECT pg_is_in_recovery()' -c "BEGIN; SELECT bcce.set_context('$token'); $mine; COMMIT" -c "$mine" | sed '/^$/d')" "$(printf 't\n{%s}|1\n{}|0' "$alpha")" "a standby takes the primary's token"
sql shop postgres -c "SELECT bcce.revoke_context_key('test')" >/dev/null
for ((i = 0; i < 50; i++)); do
    got=$(PGHOST=$standby sqlstate shop bi "BEGIN; SELECT bcce.set_context('$token')")
    [ "$got" != "ERROR:  28000" ] || break
    sleep 0.1
done
is "$got" "ERROR:  28000" "until its key is revoked"
done_testing
