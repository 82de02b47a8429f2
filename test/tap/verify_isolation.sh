#!/usr/bin/env bash
# Proves that verify_isolation() finds nothing where there is nothing, and every
# hole that was made, and leaves nothing behind.  Speaks TAP.
set -euo pipefail
. "$(dirname "$0")/../lib/tap.sh"
lib=$(cd "$(dirname "$0")/../lib" && pwd)

database=bcce_verify_$$
clean() {
    psql -Xq -d postgres -c "DROP DATABASE IF EXISTS $database WITH (FORCE)" -c "DROP ROLE IF EXISTS regress_verify" >/dev/null 2>&1 || true
}
trap clean EXIT
psql -Xq -d postgres -c "CREATE DATABASE $database"
sql $database postgres -c 'CREATE EXTENSION bcce' -f "$lib/seed.sql" >/dev/null
sql $database postgres -c "SELECT bcce.create_login('regress_verify', 'alpha', 'admin')" >/dev/null
state="SELECT (SELECT count(*) FROM bcce_data.tenants), (SELECT count(*) FROM bcce_data.workflow_runs), (SELECT count(*) FROM bcce_private.membership), (SELECT count(*) FROM pg_roles WHERE rolname LIKE 'bcce\_probe%')"
before=$(sql $database postgres -c "$state")

is "$(sql $database postgres -c "SELECT checked_as, tried > 5, leaks FROM bcce.verify_isolation()")" \
    "$(printf '%s|t|0\n' bcce_analytics_admin bcce_analytics_user bcce_cost_analyst bcce_platform bcce_token)" "five groups read what they may and see nobody else"
is "$(sql $database postgres -c "SELECT DISTINCT outcome, CASE outcome WHEN 'refused' THEN detail END FROM bcce_private.isolation_report ORDER BY 1")" "$(printf 'apart|\nrefused|SQLSTATE P0002')" "each attempt is written down, refused where there is no tenant to check"
is "$(sql $database postgres -c "$state")" "$before" "roles, tenants and facts of it are gone"
is "$(sqlstate $database regress_verify 'SELECT * FROM bcce.verify_isolation()')" "ERROR:  42501" "no admin of a tenant may call it"
is "$(sql $database postgres -v VERBOSITY=sqlstate -c 'SET ROLE bcce_owner' -c 'SELECT * FROM bcce.verify_isolation()')" "ERROR:  42501" "nor a superuser under another role"

sql $database postgres >/dev/null <<SQL
CREATE SCHEMA wide;
GRANT USAGE ON SCHEMA wide TO PUBLIC;
-- A broken policy, both locks.
ALTER POLICY reader ON bcce_data.tenants USING (true);
ALTER POLICY reader_wall ON bcce_data.tenants USING (true);
-- A partition within reach.
GRANT USAGE ON SCHEMA bcce_data TO bcce_cost_analyst;
GRANT SELECT ON bcce_data.workflow_runs_default TO bcce_cost_analyst;
ALTER TABLE bcce_data.workflow_runs_default DISABLE ROW LEVEL SECURITY;
INSERT INTO bcce.inbox_workflow_runs (tenant, run_id, workflow_id, status, started_at) VALUES ('beta', 'far', 'w', 'running', '2199-01-01T00:00:00Z');
-- An ordinary view, one that only counts, one that only fails, a materialized one.
CREATE VIEW wide.ordinary AS SELECT * FROM bcce_data.predictions;
CREATE VIEW wide.counted AS SELECT count(*) FROM bcce_data.model_usage;
CREATE VIEW wide.fails AS SELECT 1 / (CASE WHEN EXISTS (SELECT FROM bcce_data.incidents WHERE incident_id = 'probe') THEN 0 ELSE 1 END) AS told;
CREATE MATERIALIZED VIEW wide.kept AS SELECT tenant_id, tenant_name FROM bcce.analytics_overview;
GRANT SELECT ON wide.ordinary, wide.counted, wide.fails, wide.kept TO bcce_analytics_user;
SQL
sql $database postgres -c "SELECT count(*) FROM bcce.verify_isolation()" >/dev/null
found=$(sql $database postgres -c "SELECT checked_as, object FROM bcce_private.isolation_report WHERE outcome = 'leak' ORDER BY 1, 2")
for leak in 'bcce_analytics_user|bcce.analytics_overview' 'bcce_cost_analyst|bcce.cost_analysis(' 'bcce_cost_analyst|bcce_data.workflow_runs_default' 'bcce_analytics_user|wide.ordinary' \
    'bcce_analytics_user|wide.counted' 'bcce_analytics_user|wide.fails' 'bcce_analytics_user|wide.kept' 'bcce_token|wide.ordinary'; do
    like "$(grep -F "$leak" <<<"$found" || true)" . "a planted hole is found: $leak"
done
is "$(grep -E 'data_dictionary|known_words' <<<"$found" || true)" "" "and what has none is not blamed"
done_testing
