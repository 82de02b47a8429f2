#!/usr/bin/env bash
# Proves that the ways around a question do not lead around the wall: COPY and
# INSERT with RETURNING or ON CONFLICT, names of a login's own in front of those
# of the store, cursors and plans that outlive a role, savepoints, parallel
# workers under a membership, foreign keys.  Speaks TAP.
set -euo pipefail
. "$(dirname "$0")/../lib/tap.sh"
lib=$(cd "$(dirname "$0")/../lib" && pwd)

database=bcce_side_doors_$$
logins="user both admin ingest bi"
clean() {
    psql -Xq -d postgres -c "DROP DATABASE IF EXISTS $database WITH (FORCE)" >/dev/null 2>&1 || true
    for login in $logins; do psql -Xq -d postgres -c "DROP ROLE IF EXISTS regress_side_$login" >/dev/null 2>&1 || true; done
}
trap clean EXIT
psql -Xq -d postgres -c "CREATE DATABASE $database"
sql $database postgres -c 'CREATE EXTENSION bcce' -f "$lib/seed.sql" >/dev/null
made=$(sql $database postgres <<'SQL'
SELECT bcce.create_login('regress_side_user', 'alpha'), bcce.create_login('regress_side_both', 'alpha'), bcce.create_login('regress_side_admin', 'alpha', 'admin'),
       bcce.create_login('regress_side_ingest', 'alpha', 'ingest'), bcce.create_login('regress_side_bi', NULL, 'token');
SELECT bcce.add_membership('regress_side_both', 'beta');
-- Tables in pg_temp hide others; functions and operators need a schema.
CREATE SCHEMA leaky AUTHORIZATION regress_side_admin;
GRANT USAGE ON SCHEMA leaky TO PUBLIC;
SET ROLE regress_side_admin;
CREATE FUNCTION leaky.lower(text) RETURNS text LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'shadowed as %', current_user; END$$;
CREATE FUNCTION leaky.now() RETURNS timestamptz LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'shadowed as %', current_user; END$$;
CREATE FUNCTION leaky.same(uuid, uuid) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'shadowed as %', current_user; END$$;
CREATE OPERATOR leaky.= (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = leaky.same);
CREATE FUNCTION leaky.same(text, text) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'shadowed as %', current_user; END$$;
CREATE OPERATOR leaky.= (LEFTARG = text, RIGHTARG = text, FUNCTION = leaky.same);
RESET ROLE;
ALTER ROLE regress_side_user RESET default_transaction_read_only;
SQL
)
is "$(grep ERROR <<<"$made" || true)" "" "two tenants and their logins"
alpha=$(sql $database postgres -c "SELECT tenant_id FROM bcce_data.tenants WHERE slug = 'alpha'")
beta=$(sql $database postgres -c "SELECT tenant_id FROM bcce_data.tenants WHERE slug = 'beta'")
of_beta() {
    sql $database postgres <<SQL
SELECT format('SELECT %L, count(*), sum(hashtextextended(t::text, 0)) FROM %s AS t WHERE tenant_id = %L', c.oid::regclass, c.oid::regclass, '$beta')
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' WHERE c.relnamespace::regnamespace::text IN ('bcce_data', 'bcce_private') AND c.relkind = 'r' ORDER BY 1 \gexec
SQL
}
before=$(of_beta)
names="SELECT coalesce(string_agg(tenant_name, ',' ORDER BY tenant_name), 'none') FROM bcce.analytics_overview"

# --- writing ------------------------------------------------------------------
inbox="bcce.inbox_workflow_runs (tenant, run_id, workflow_id, status, started_at)"
row() { echo "VALUES ($1, '$2', 'wf', 'running', '2026-06-01T00:00:00Z')"; }
printf 'COPY %s FROM STDIN;\nbeta\trun-beta-1\twf\trunning\t2026-06-01T00:00:00Z\n%s\tnew\twf\trunning\t2026-06-01T00:00:00Z\n\\.\n' "$inbox" "$beta" >"${TMPDIR:-/tmp}/side_doors_$$"
is "$(sql $database regress_side_ingest -f "${TMPDIR:-/tmp}/side_doors_$$")" "" "COPY for another tenant is counted without a word"
rm -f "${TMPDIR:-/tmp}/side_doors_$$"
# What an id of beta's, one of one's own and a new one are answered.
for ending in "RETURNING run_id" "ON CONFLICT DO NOTHING" "ON CONFLICT DO NOTHING RETURNING 1"; do
    answers=$(for id in run-beta-1 run-alpha-1 run-new; do sqlstate $database regress_side_ingest "INSERT INTO $inbox $(row NULL $id) $ending"; done | sort -u)
    like "$(wc -l <<<"$answers")|$answers" '^1\|(1|ERROR:  [0-9A-Z]{5})?$' "INSERT $ending tells no id from another"
done
is "$(for id in "$beta" 00000000-0000-7000-8000-000000000000; do
    for table in workflow_runs workflow_runs_default incidents services tenants; do
        sqlstate $database regress_side_ingest "INSERT INTO bcce_data.$table (tenant_id) VALUES ('$id') ON CONFLICT DO NOTHING"
        sqlstate $database regress_side_admin "COPY bcce_data.$table (tenant_id) FROM STDIN"
        sqlstate $database regress_side_admin "TRUNCATE bcce_data.$table CASCADE"
        sqlstate $database regress_side_admin "CREATE TEMP TABLE child (tenant_id uuid REFERENCES bcce_data.$table)"
        sqlstate $database regress_side_admin "BEGIN; LOCK bcce_data.$table IN ACCESS SHARE MODE"
    done
done | sort -u)" "ERROR:  42501" "no table takes a row, a key, a lock or TRUNCATE, so no constraint answers"
# A reference is one within the tenant, whatever there is beyond.
is "$(sql $database postgres -c "SELECT conrelid::regclass, conname FROM pg_constraint c WHERE contype = 'f' AND connamespace = 'bcce_data'::regnamespace AND conparentid = 0
    AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.conrelid AND a.attnum = c.conkey[1] AND a.attname = 'tenant_id') AND confrelid <> 'bcce_data.tenants'::regclass
    AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.confrelid AND a.attname = 'tenant_id')")" "" "every foreign key between facts begins with the tenant"

# --- names of a login's own ----------------------------------------------------
shadow="CREATE TEMP TABLE tenants AS SELECT '$beta'::uuid AS tenant_id, 'alpha' AS slug, 'ext-alpha' AS external_id, NULL::timestamptz AS deleted_at;
CREATE TEMP TABLE membership AS SELECT '$beta'::uuid AS tenant_id, 0::oid AS role;
CREATE TEMP TABLE value_aliases AS SELECT 1 AS x;
CREATE TEMP TABLE workflow_runs AS SELECT 1 AS x;
SET search_path = pg_temp, leaky, bcce, pg_catalog;"
is "$(sql $database regress_side_ingest -c "$shadow" -c "SELECT bcce.record_workflow_run('wf', 'FAILED', '2026-06-01', '2026-06-02', 'shadowed')" -c "SELECT bcce.ingest_event('{\"event_type\": \"x\", \"event_id\": \"shadowed\"}', 'alpha')" \
    -c "INSERT INTO $inbox $(row "'alpha'" shadowed-too)" -c "SELECT tenants FROM bcce.whoami()")" "$(printf 'shadowed\nstored\nalpha')" "a writer's functions use the store's names, not his"
is "$(sql $database regress_side_admin -c "SET default_transaction_read_only = off" -c "$shadow" -c "SELECT bcce.set_slo(98)" -c "SELECT bcce.set_price('workflow_run', 0.04, '2026-06-01')" \
    -c "SELECT bcce.set_redaction_rule('own', 'Owl')" -c "SELECT count(*) FROM bcce.find_person('person-beta-1', 'to see')" -c "SELECT tenant_name FROM bcce.cost_analysis" -c "SELECT bcce.redact_for('$alpha', 'Owl')" | grep -v '^$')" \
    "$(printf '0\nAlpha tenant\n[OWN]')" "an admin's, too"
is "$(sql $database postgres -c "SELECT DISTINCT tenant_id = '$alpha' FROM bcce_data.workflow_runs WHERE run_id LIKE 'shadowed%'" -c "SELECT tenant_id = '$alpha' FROM bcce_data.redaction_rules WHERE rule = 'own'")" "$(printf 't\nt')" "and what they wrote is alpha's"
is "$(of_beta)" "$before" "of beta's nothing has changed"

# --- what outlives a role or a choice -------------------------------------------
is "$(sql $database postgres <<SQL | grep -v '^$'
SET plan_cache_mode = force_generic_plan;
SET ROLE regress_side_both;
BEGIN;
SELECT bcce.use_tenant('beta');
DECLARE held CURSOR WITH HOLD FOR $names;
SAVEPOINT s;
SELECT bcce.use_tenant('alpha');
$names;
ROLLBACK TO s;
$names;
SAVEPOINT s;
SELECT bcce.use_tenant('alpha');
RELEASE s;
$names;
COMMIT;
FETCH held;
$names;
SET ROLE regress_side_user;
$names;
PREPARE p AS SELECT tenant_name FROM bcce.cost_analysis;
EXECUTE p;
SET ROLE regress_side_bi;
EXECUTE p;
$names;
SQL
)" "$(printf '%s\n' 'Alpha tenant' 'Beta tenant' 'Alpha tenant' 'Alpha tenant' none 'Alpha tenant' 'Alpha tenant' none)" "a choice follows savepoints and ends with its transaction, a held cursor has that of the commit, and a plan asks again"
is "$(sql $database postgres <<SQL
BEGIN;
SET LOCAL ROLE regress_side_user;
DECLARE c CURSOR FOR SELECT tenant_name FROM bcce.analytics_overview;
SET LOCAL ROLE regress_side_bi;
FETCH ALL FROM c;
SQL
)" "" "a cursor that is read under another role shows that role's rows"

# --- parallel workers ------------------------------------------------------------
got=$(sql $database postgres <<SQL
CREATE FUNCTION public.in_worker() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS 'SELECT bcce.current_tenants()::text';
CREATE TABLE public.many AS SELECT g FROM generate_series(1, 20000) AS g;
GRANT SELECT ON public.many TO regress_side_user;
ANALYZE public.many;
SET ROLE regress_side_user;
SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET parallel_leader_participation = off;
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT DISTINCT public.in_worker() FROM public.many;
SELECT DISTINCT public.in_worker() FROM public.many;
$names;
SQL
)
like "$got" 'Workers Launched: [12]' "workers, the leader not taking part"
is "$(tail -n 2 <<<"$got")" "$(printf '{%s}\nAlpha tenant' "$alpha")" "find the membership of the role that asks"
done_testing
