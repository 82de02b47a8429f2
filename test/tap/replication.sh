#!/usr/bin/env bash
# What logical replication brings is redacted like anything else, counts for
# budgets at once, and a membership that it takes away is gone for sessions that
# are open.  Speaks TAP.
set -euo pipefail
. "$(dirname "$0")/../lib/tap.sh"

own_server replica -c wal_level=logical -c max_prepared_transactions=2 >/dev/null

# until_is SECONDS EXPECTED DATABASE SQL: waits for an answer.
until_is() {
    local i got=
    for ((i = 0; i < $1 * 5; i++)); do
        got=$(sql "$3" postgres -c "$4")
        [ "$got" != "$2" ] || break
        sleep 0.2
    done
    printf '%s' "$got"
}

createdb here
sql here postgres >/dev/null <<'SQL'
CREATE EXTENSION bcce;
SELECT bcce.create_tenant('alpha', 'Alpha'), bcce.create_login('regress_replica', 'alpha');
INSERT INTO bcce_data.teams (tenant_id, team_id, team_name) SELECT tenant_id, 'core', 'Core' FROM bcce_data.tenants;
SELECT bcce.set_budget('all', 100, tenant => 'alpha'), bcce.set_budget('core', 1000, team => 'core', tenant => 'alpha');
SQL
tenant=$(sql here postgres -c "SELECT tenant_id FROM bcce_data.tenants")

# A sender that knows nothing of bcce: tables of the same names, raw text.
createdb there
sql there postgres >/dev/null <<SQL
CREATE SCHEMA bcce_data;
CREATE TABLE bcce_data.incidents (tenant_id uuid, incident_id text, opened_at timestamptz, title text, PRIMARY KEY (tenant_id, incident_id));
CREATE TABLE bcce_data.model_usage (tenant_id uuid, source text DEFAULT 'api', idempotency_key text, at timestamptz, model_id text DEFAULT 'm', user_key text, reported_cost_usd numeric,
    PRIMARY KEY (tenant_id, source, idempotency_key, at));
CREATE TABLE bcce_data.principals (tenant_id uuid, user_key text, team_id text, PRIMARY KEY (tenant_id, user_key));
CREATE SCHEMA bcce_private;
CREATE TABLE bcce_private.membership (tenant_id uuid, role_name text, PRIMARY KEY (tenant_id, role_name));
INSERT INTO bcce_data.incidents VALUES ('$tenant', 'before', now(), 'call ada@example.org');
INSERT INTO bcce_private.membership VALUES ('$tenant', 'regress_replica');
CREATE PUBLICATION feed FOR TABLE bcce_data.incidents, bcce_data.model_usage, bcce_data.principals, bcce_private.membership;
SELECT pg_create_logical_replication_slot('feed', 'pgoutput');
SQL
# The subscriber starts from the rows it has; the first copy would meet the
# membership that create_login() made.
#
# From 16 on apply workers become the owner of the table unless told not to, and
# row security is forced on the owner.
as_owner=
[ "$(sql here postgres -c 'SHOW server_version_num')" -lt 160000 ] || as_owner=", run_as_owner = true"
sql here postgres -c "CREATE SUBSCRIPTION feed CONNECTION 'host=$PGHOST port=$PGPORT user=postgres dbname=there' PUBLICATION feed WITH (create_slot = false, slot_name = feed, copy_data = false$as_owner)" >/dev/null

sql there postgres -c "INSERT INTO bcce_data.incidents VALUES ('$tenant', 'after', now(), 'call ada@example.org')" >/dev/null
is "$(until_is 20 'call [EMAIL]' here "SELECT title FROM bcce_data.incidents WHERE incident_id = 'after'")" 'call [EMAIL]' "an inserted row is redacted by the apply worker"
sql there postgres -c "UPDATE bcce_data.incidents SET title = 'card 4111 1111 1111 1111' WHERE incident_id = 'after'" >/dev/null
is "$(until_is 20 'card [CREDIT_CARD]' here "SELECT title FROM bcce_data.incidents WHERE incident_id = 'after'")" 'card [CREDIT_CARD]' "an updated row too"

is "$(sql here postgres -c "SELECT kind, redaction_count FROM bcce.redaction_stats ORDER BY kind" | tr '\n' ' ')" "credit_card|1 email|1 " "both are counted"

# Calls that an apply worker writes leave marks: budgets are right as soon as a call
# is there, though hours were added up before.  Each cell is made wrong by 1000 to
# tell that it was used; a day counts as one, and else each of its hours does.
now="SET bcce.test_now = '2025-03-20 12:30:00+00'"
spent() { sql here postgres -c "$now" -c "SELECT trim_scale(spent_usd) FROM bcce.budget_check(tenant => 'alpha')" -c "SELECT trim_scale(spent_usd) FROM bcce.budget_status WHERE budget = 'core' AND is_open" | tr '\n' ' '; }
marks() { sql here postgres -c "SELECT count(*) FROM bcce_data.model_usage_marks"; }
refresh() {
    sql here postgres -c "$now" -c "SELECT bcce_data.refresh_budget_hours()" -c "UPDATE bcce_data.budget_hours SET usd = usd % 1000 + 1000" \
        -c "UPDATE bcce_data.budget_days SET usd = usd % 1000 + 1000" >/dev/null
}
# brings STATEMENT CALLS SPENT NAME: there, what is then here, and what budgets say before any refresh.
brings() {
    sql there postgres -c "$1" >/dev/null
    is "$(until_is 20 "$2" here "SELECT string_agg(idempotency_key || to_char(at, ' HH24:MI'), ', ' ORDER BY idempotency_key) FROM bcce_data.model_usage") $(spent)" "$2 $3 " "$4"
}
call="INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, reported_cost_usd, user_key) VALUES ('$tenant'"
brings "$call, 'a', '2025-03-02 10:05+00', 0.1, 'ada')" 'a 10:05' '0.1 0' "a call by an apply worker counts for budgets"
refresh
is "$(spent)$(marks)" '1000.1 0 0' "then what was added up stands for it"
brings "$call, 'b', '2025-03-02 10:40+00', 0.02, NULL)" 'a 10:05, b 10:40' '0.12 0' "until a call of the same hour comes"
refresh
is "$(spent)$(marks)" '1000.12 0 0' "it is added up anew"
brings "$call, 'c', '2025-03-02 10:59+00', 0.003, NULL)" 'a 10:05, b 10:40, c 10:59' '0.123 0' "the worker's next transaction marks the hour again"
refresh
brings "UPDATE bcce_data.model_usage SET at = '2025-03-02 11:30+00' WHERE idempotency_key = 'c'" 'a 10:05, b 10:40, c 11:30' '0.123 0' "a call that moves marks both hours"
refresh
brings "DELETE FROM bcce_data.model_usage WHERE idempotency_key = 'c'" 'a 10:05, b 10:40' '1000.12 0' "one that goes marks its own only"
refresh
sql there postgres -c "INSERT INTO bcce_data.principals VALUES ('$tenant', 'ada', 'core')" >/dev/null
is "$(until_is 20 1 here "SELECT count(*) FROM bcce_data.principals") $(spent)" '1 1000.12 0.1 ' "a person's team changes the team's budget"
refresh
is "$(spent)$(marks)" '1000.12 1000.1 0' "all is added up"
sql here postgres -c "$now" -c "UPDATE bcce_data.budget_hours SET usd = usd % 1000" -c "UPDATE bcce_data.budget_days SET usd = usd % 1000" >/dev/null
is "$(spent)" '0.12 0.1 ' "to what the calls are"
sql there postgres -c "TRUNCATE bcce_data.model_usage" >/dev/null
is "$(until_is 20 0 here "SELECT count(*) FROM bcce_data.model_usage") $(spent)" '0 0 0 ' "a table that is emptied is nothing spent"

# A prepared transaction is counted when it is prepared, and for good when it commits.
sql here postgres -c "BEGIN; INSERT INTO bcce_data.incidents (tenant_id, incident_id, opened_at, title) VALUES ('$tenant', 'two', now(), 'from 10.1.2.3'); PREPARE TRANSACTION 'two'" \
    -c "INSERT INTO bcce_data.incidents (tenant_id, incident_id, opened_at, title) VALUES ('$tenant', 'three', now(), 'from 10.1.2.3')" >/dev/null
is "$(sql here postgres -c "SELECT sum(redaction_count) FROM bcce.redaction_stats WHERE kind = 'ip'")" 1 "a prepared transaction does not count yet"
sql here postgres -c "COMMIT PREPARED 'two'" >/dev/null
is "$(sql here postgres -c "SELECT sum(redaction_count) FROM bcce.redaction_stats WHERE kind = 'ip'")" 2 "and counts once it is committed"

# One session that has its memberships cached while they go.
reader_in=$(mktemp -u) reader_out=$(mktemp)
mkfifo "$reader_in"
psql -XAtq -U regress_replica -d here <"$reader_in" >"$reader_out" 2>&1 &
exec {reader}>"$reader_in"
echo "SELECT count(*) FROM bcce.analytics_overview;" >&"$reader"
for ((i = 0; i < 50; i++)); do [ -s "$reader_out" ] && break; sleep 0.1; done
is "$(cat "$reader_out")" 1 "a reader sees its tenant"
sql there postgres -c "DELETE FROM bcce_private.membership" >/dev/null
is "$(until_is 20 0 here "SELECT count(*) FROM bcce_private.membership")" 0 "the membership is taken away by replication"
echo "SELECT count(*) FROM bcce.analytics_overview;" >&"$reader"
for ((i = 0; i < 50; i++)); do [ "$(wc -l <"$reader_out")" -ge 2 ] && break; sleep 0.1; done
exec {reader}>&-
is "$(tail -n 1 "$reader_out")" 0 "and the open session of the reader sees nothing any more"
rm -f "$reader_in" "$reader_out"

sql here postgres -c 'ALTER SUBSCRIPTION feed DISABLE' -c 'ALTER SUBSCRIPTION feed SET (slot_name = NONE)' -c 'DROP SUBSCRIPTION feed' >/dev/null
done_testing
