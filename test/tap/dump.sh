#!/usr/bin/env bash
# Proves that pg_dump, plain and custom, moves a database with bcce to another
# cluster: same rows, same answers, same guards, each login in its own tenant,
# with the logins made before the restore and after it.  Speaks TAP.
set -euo pipefail
. "$(dirname "$0")/../lib/tap.sh"
lib=$(cd "$(dirname "$0")/../lib" && pwd)

# One order of rows for any query, and "now" held still, so that answers can be compared.
reports="analytics_overview mttr_analysis cost_analysis usage_trends service_health_dashboard prediction_accuracy rejected"
stop_at="2026-11-20 12:00:00+00"
answers() {
    local report
    {
        echo "SET bcce.test_now = '$stop_at';"
        echo "SET ROLE \"$2\";"
        for report in $reports; do
            echo "\\echo == $report"
            echo "COPY (SELECT * FROM bcce.$report AS r ORDER BY r::text) TO STDOUT CSV HEADER;"
            [ $report = rejected ] || echo "COPY (SELECT * FROM bcce.$report('2026-01-01 00:00+00', '$stop_at') AS r ORDER BY r::text) TO STDOUT CSV HEADER;"
        done
    } | sql "$1"
}
rows() {
    sql "$1" postgres <<'SQL'
SELECT format('SELECT %L, count(*), md5(string_agg(md5(t::text), '''' ORDER BY t::text)) FROM %s AS t;', c.oid::regclass, c.oid::regclass)
FROM pg_class c WHERE c.relnamespace::regnamespace::text IN ('bcce_data', 'bcce_private') AND c.relkind = 'r'
ORDER BY c.oid::regclass::text COLLATE "C" \gexec
SQL
}
properties() {
    sql "$1" postgres -f "$lib/fingerprint.sql" -c 'SELECT * FROM public.fingerprint ORDER BY 1, 2, 3' -c 'DROP VIEW public.fingerprint'
}
logins="regress_dump_alpha regress_dump_cost regress_dump_admin regress_dump_ingest regress_dump_both regress_dump_none"
make_logins() {
    local login
    for login in $logins; do
        echo "CREATE ROLE $login LOGIN;"
    done
    cat <<'SQL'
GRANT bcce_analytics_user TO regress_dump_alpha, regress_dump_none;
GRANT bcce_cost_analyst TO regress_dump_cost;
GRANT bcce_analytics_admin TO regress_dump_admin;
GRANT bcce_ingest TO regress_dump_ingest;
GRANT bcce_platform TO regress_dump_both;
SQL
}
group_roles="bcce_owner bcce_maintainer bcce_analytics_user bcce_cost_analyst bcce_analytics_admin bcce_ingest bcce_platform"

own_server source
source_host=$PGHOST
createdb shop
psql -Xq -d shop -c 'CREATE EXTENSION bcce'
stop_at=$(sql shop postgres -c "SELECT date_trunc('minute', now()) + interval '1 minute'")
sql shop postgres -f "$lib/seed.sql" >"$work/seed.out"
is "$(grep -c ERROR "$work/seed.out" || true)" 0 "the source database is filled"
sql shop postgres >"$work/source.out" <<'SQL'
SELECT bcce.create_login('regress_dump_alpha', 'alpha', 'user'), bcce.create_login('regress_dump_cost', 'beta', 'cost'),
       bcce.create_login('regress_dump_admin', 'beta', 'admin'), bcce.create_login('regress_dump_ingest', 'alpha', 'ingest'),
       bcce.create_login('regress_dump_both', 'alpha', 'platform');
SELECT bcce.add_membership('regress_dump_both', 'beta');
CREATE ROLE regress_dump_none LOGIN IN ROLE bcce_analytics_user;
SET TIME ZONE 'UTC';
SELECT bcce.set_redaction_rule('project', 'Falcon', tenant => 'alpha'), bcce.set_redaction_rule('customer', 'Kunde', pattern => 'Kunde \d+', context_words => '{von}', tenant => 'beta');
SELECT bcce.set_redaction_style('numbered', 'alpha');
CREATE INDEX regress_own_idx ON bcce_data.workflow_runs (tenant_id, environment);
CREATE POLICY regress_own_wall ON bcce_data.incidents AS RESTRICTIVE FOR SELECT TO bcce_analytics_user USING (severity <> 'sev4');
SQL
is "$(grep ERROR "$work/source.out" || true)" "" "with logins, an index and a policy of its own"
like "$(sql shop postgres -c 'SELECT count(*) FROM bcce_data.workflow_runs_default')" '^[1-9]' "rows wait in a default partition"

psql -Xq -d shop -c ANALYZE
rows shop >"$work/rows"
properties shop >"$work/properties"
grep -v '^== ' "$work/rows" | grep -q ERROR && ok 1 "rows can be read" || ok 0 "rows can be read"
like "$(wc -l <"$work/properties")" '^[0-9]{4}' "many properties to compare"
for login in postgres $logins; do
    answers shop "$login" >"$work/answers.$login"
done
is "$(grep -c ERROR "$work/answers.regress_dump_alpha" || true)" 0 "a login gets every report"
like "$(cat "$work/answers.regress_dump_alpha")" 'Alpha tenant' "of its tenant"

pg_dump -d shop -f "$work/shop.sql"
pg_dump -d shop -Fc -f "$work/shop.custom"
chmod 644 "$work/shop.sql" "$work/shop.custom"
is "$(pg_dump -d shop -f /dev/null 2>&1)" "" "pg_dump has nothing to say"
stop_cluster source

# Other OIDs than in the source.
own_server target >/dev/null
psql -Xq -d postgres >/dev/null <<'SQL'
CREATE TABLE shift AS SELECT 1;
SELECT format('CREATE ROLE regress_shift_%s', i) FROM generate_series(1, 50) AS i \gexec
SELECT format('CREATE TABLE shift_%s (a text)', i) FROM generate_series(1, 200) AS i \gexec
SQL

for format in plain custom; do
    for order in before after; do
        name="$format, logins made $order"
        target="shop_${format}_$order"
        createdb "$target"
        if [ $order = before ]; then
            { for role in $group_roles; do echo "CREATE ROLE $role NOLOGIN;"; done; make_logins; } | sql postgres >"$work/logins.out"
        fi
        if [ $format = plain ]; then
            psql -X -q -v ON_ERROR_STOP=1 -d "$target" -f "$work/shop.sql" >/dev/null 2>"$work/restore.err" || echo "psql failed" >>"$work/restore.err"
        else
            pg_restore -d "$target" "$work/shop.custom" 2>"$work/restore.err" || echo "pg_restore failed" >>"$work/restore.err"
        fi
        psql -Xq -d "$target" -c ANALYZE
        is "$(grep -vE 'row_security is off, as in a restore|^HINT:  Where no dump brings it' "$work/restore.err" || true)" "" "$name: restored without a word"
        if [ $order = after ]; then
            make_logins | sql postgres >"$work/logins.out"
            is "$(sql "$target" postgres -c "SELECT count(*) FROM bcce_private.membership WHERE role IS NOT NULL")" 0 "$name: no membership is bound to a role that does not exist"
        fi
        is "$(grep ERROR "$work/logins.out" || true)" "" "$name: logins made"
        # A membership is dumped by name and kept by OID.
        is "$(rows "$target" | grep -v membership)" "$(grep -v membership "$work/rows")" "$name: the same rows in every table"
        is "$(properties "$target")" "$(cat "$work/properties")" "$name: the same rights, policies, triggers, indexes, constraints, functions, comments"
        for login in postgres $logins; do
            is "$(answers "$target" "$login")" "$(cat "$work/answers.$login")" "$name: the same answers for $login"
        done
        is "$(sql "$target" regress_dump_alpha -c "SELECT current_tenant || ': ' || tenants FROM bcce.whoami()")" "alpha: alpha" "$name: a login is in its tenant"
        is "$(sql "$target" regress_dump_both -c "SELECT tenants FROM bcce.whoami()")" "alpha, beta" "$name: one of several is in its tenants"
        is "$(sql "$target" regress_dump_none -c "SELECT tenants IS NULL FROM bcce.whoami()")" t "$name: one of none is in none"
        # A membership whose role was missing counts by name; upkeep binds it.
        sql "$target" postgres -c 'SELECT * FROM bcce.maintain()' >/dev/null
        is "$(rows "$target" | grep membership)" "$(grep membership "$work/rows")" "$name: the same memberships"
        sql "$target" postgres -c "INSERT INTO bcce_data.incidents (tenant_id, incident_id, title, opened_at) SELECT tenant_id, 'new', 'Falcon from ada@example.org', now() FROM bcce_data.tenants WHERE slug = 'alpha'" >/dev/null
        is "$(sql "$target" postgres -c "SELECT title FROM bcce_data.incidents WHERE incident_id = 'new'")" "[PROJECT_1] from [EMAIL_1]" "$name: the redaction trigger fires, with the rules and the style of the tenant"
        is "$(sql "$target" postgres -c "SELECT string_agg(DISTINCT action, ', ') FROM bcce.install()")" "unchanged" "$name: install() finds nothing to do"
        psql -Xq -d postgres -c "DROP DATABASE $target" >/dev/null
        { for login in $logins; do echo "DROP ROLE $login;"; done; for role in $group_roles; do echo "DROP ROLE $role;"; done; } | sql postgres >"$work/drop.out"
        is "$(grep ERROR "$work/drop.out" || true)" "" "$name: nothing of it is left"
    done
done
done_testing
