#!/usr/bin/env bash
# Two writers with the same ids, and upkeep beside writers: one row each, no
# error, nothing lost.  Speaks TAP.
set -euo pipefail
. "$(dirname "$0")/../lib/tap.sh"

database=bcce_concurrency
sql postgres postgres -c "DROP DATABASE IF EXISTS $database" >/dev/null
createdb $database
sql $database postgres >/dev/null <<'SQL'
CREATE EXTENSION bcce;
SELECT bcce.create_tenant('alpha', 'Alpha'), bcce.create_login('regress_concurrency', 'alpha', 'ingest');
SQL
out=$(mktemp -d)

# both SQL SQL: the first holds its transaction open while the second works.
both() {
    sql $database regress_concurrency -c "BEGIN; $1; SELECT pg_sleep(0.7); COMMIT" >"$out/first" &
    sleep 0.3
    sql $database regress_concurrency -c "$2" >"$out/second"
    wait
    grep -h ERROR "$out/first" "$out/second" || true
}
count() {
    sql $database postgres -c "SELECT count(*) FROM bcce_data.$1"
}

start="SELECT bcce.record_workflow_run('w', 'running', '2026-01-01 00:00+00', run_id => 'r1')"
end="SELECT bcce.record_workflow_run('w', 'failed', '2026-01-01 00:00+00', '2026-01-01 01:00+00', run_id => 'r1')"
is "$(both "$start" "$end")" "" "a run that starts here and ends there"
is "$(sql $database postgres -c "SELECT string_agg(status, ',') FROM bcce_data.workflow_runs")" failed "is one run, ended"
is "$(both "${end//r1/r2}" "${start//r1/r2}")" "" "the end before the start"
is "$(sql $database postgres -c "SELECT string_agg(status, ',') FROM bcce_data.workflow_runs WHERE run_id = 'r2'")" failed "is one run, ended"

event="SELECT bcce.ingest_event('{\"event_type\": \"x\", \"event_id\": \"e1\", \"occurred_at\": \"2026-01-01T00:00:00Z\"}')"
is "$(both "$event" "$event")" "" "the same event twice"
is "$(sort "$out/first" "$out/second" | tr -d '\n ')" duplicatestored "is stored once and known once"

incident="SELECT bcce.record_incident('i1', '2026-01-01 00:00+00'"
is "$(both "$incident, title => 'a')" "$incident, severity => 'sev1')")" "" "two who know different things of one incident"
is "$(sql $database postgres -c "SELECT title || severity FROM bcce_data.incidents")" asev1 "tell one row"

prediction="SELECT bcce.record_prediction('m', 'external', 't', 0.5, '2026-01-01 00:00+00', prediction_id => 'p1')"
is "$(both "$prediction" "$prediction")" "" "the same prediction twice"
is "$(count predictions)" 1 "is one prediction"

# Upkeep beside writers, with rows that wait in default partitions.
writer() {
    for i in $(seq 1 "$2"); do
        echo "INSERT INTO bcce.inbox_workflow_runs (run_id, workflow_id, status, started_at, finished_at) VALUES ('$1-$i', 'w', 'passed', '20$((10 + i % 14))-0$((1 + i % 9))-01T00:00:00Z', '20$((10 + i % 14))-0$((1 + i % 9))-01T01:00:00Z');"
    done | sql $database regress_concurrency >"$out/writer-$1"
}
before=$(count workflow_runs)
writer a 400 &
writer b 400 &
for i in 1 2 3 4; do
    sql $database postgres -c 'SELECT task, detail FROM bcce.maintain()' >>"$out/maintain"
    sleep 0.2
done
wait
is "$(cat "$out/writer-a" "$out/writer-b" | grep ERROR | sort | uniq -c || true)" "" "writers beside maintain() meet no error"
is "$(grep ERROR "$out/maintain" || true)" "" "nor does maintain()"
is $(($(count workflow_runs) - before)) 800 "and every row is there"
sql $database postgres -c 'SELECT bcce.maintain()' >/dev/null
is "$(count workflow_runs_default)" 0 "none waits in the default partition in the end"
is "$(sql $database postgres -c "SELECT count(*) FROM bcce_data.workflow_runs r WHERE NOT EXISTS (SELECT FROM bcce_data.workflow_run_keys k WHERE (k.tenant_id, k.run_id, k.started_at) = (r.tenant_id, r.run_id, r.started_at))")" 0 "every run has its key"

# A reader that meets a move of rows out of the default partition waits for it,
# and then sees them: neither twice nor not at all.
moved() {
    sql $database postgres -c "INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, charged_usd)
        SELECT t.tenant_id, '$1-' || n, '$1-05 00:00+00', 'm', 1 FROM bcce_data.tenants t, generate_series(1, 10) n"
    sql $database postgres -c "BEGIN; SELECT bcce_data.make_partition('bcce_data.model_usage', '$1-01 00:00+00'); SELECT pg_sleep(1); COMMIT" >"$out/move" &
    sleep 0.4
    sql $database postgres -c "$2"
    wait
}
is "$(moved 2015-01 "SELECT count(*) FROM bcce_data.model_usage WHERE at >= '2015-01-01' AND at < '2015-02-01'") $(cat "$out/move")" "10 10" "a query sees calls that are moved"
is "$(moved 2015-02 "SELECT sum(model_cost_usd) FROM bcce.cost_analysis('2015-02-01', '2015-03-01')")" 10 "a report, too"
sql $database postgres -c "SELECT bcce.set_budget('b', 1000, 'custom', valid_from => '2015-03-01 00:00+00', valid_until => '2100-01-01 00:00+00', tenant => 'alpha')" >/dev/null
is "$(moved 2015-03 "SELECT spent_usd FROM bcce.budget_check(tenant => 'alpha')")" 10 "budget_check(), too"
is "$(moved 2015-04 "BEGIN ISOLATION LEVEL REPEATABLE READ; LOCK TABLE ONLY bcce_data.model_usage IN ACCESS SHARE MODE; SELECT count(*) FROM bcce_data.model_usage; COMMIT")" 40 "and a snapshot that is taken after the lock"

sql postgres postgres -c "DROP DATABASE $database" -c 'DROP ROLE regress_concurrency' >/dev/null
rm -rf "$out"
done_testing
