#!/usr/bin/env bash
# Proves that what cannot be stored is counted or refused with a SQLSTATE and a
# hint, that good rows of the same batch are stored, and that nothing is left
# half-written.  Speaks TAP.
set -euo pipefail
. "$(dirname "$0")/../lib/tap.sh"
work=$(mktemp -d)

database=bcce_malformed_$$
clean() {
    psql -Xq -d postgres -c "DROP DATABASE IF EXISTS $database WITH (FORCE)" -c "DROP ROLE IF EXISTS regress_malformed_writer" >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap clean EXIT
psql -Xq -d postgres -c "CREATE DATABASE $database"
psql -Xq -d $database -c 'CREATE EXTENSION bcce'
sql $database postgres >/dev/null <<'SQL'
SELECT bcce.create_tenant('alpha', 'Alpha'), bcce.create_tenant('beta', 'Beta');
SELECT bcce.create_login('regress_malformed_writer', 'alpha', 'ingest');
SQL
counts() {
    sql $database postgres <<'SQL'
SELECT format('SELECT %L, count(*) FROM %s;', c.oid::regclass, c.oid::regclass) FROM pg_class c
WHERE c.relnamespace = 'bcce_data'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> 'rejected_input' ORDER BY 1 \gexec
SQL
}
before=$(counts)

# refused SQLSTATE STATEMENT NAME: that state, a hint, and nothing written.
refused() {
    local output
    output=$(psql -XAtq -v VERBOSITY=verbose -U regress_malformed_writer -d $database -c "$2" 2>&1 || true)
    if [[ $output =~ ERROR:\ \ $1: ]] && [[ $output =~ HINT: ]]; then
        ok 0 "$3: $1"
    else
        ok 1 "$3: $1"
        printf '#   got: %s\n' "$(printf '%s' "$output" | head -n 3 | tr '\n' ' ' | cut -c1-300)"
    fi
}
run="bcce.record_workflow_run('wf', 'failed', now()"
refused P0002 "SELECT $run, now(), tenant => 'nobody')" "a run of an unknown tenant"
refused P0002 "SELECT $run, now(), tenant => 'beta')" "a run of somebody else's tenant"
refused 22023 "SELECT bcce.record_workflow_run('wf', 'perhaps', now(), now())" "an unknown status word"
refused 22023 "SELECT bcce.record_workflow_run('wf', '', now(), now())" "an empty status word"
refused 22023 "SELECT bcce.record_workflow_run('wf', NULL, now(), now())" "no status word"
refused 23514 "SELECT $run, now() - interval '1 s')" "finished before it started"
refused 23514 "SELECT $run)" "failed, but never finished"
refused 23514 "SELECT bcce.record_workflow_run('wf', 'running', now(), now())" "running, but finished"
refused 22004 "SELECT bcce.record_workflow_run('', 'failed', now(), now())" "an empty id"
refused 22004 "SELECT bcce.record_workflow_run(NULL, 'failed', now(), now())" "no id"
refused 22004 "SELECT bcce.record_workflow_run('wf', 'failed', NULL, now())" "no time"
refused 22001 "SELECT bcce.record_workflow_run(repeat('x', 257), 'failed', now(), now())" "a long id"
refused 22001 "SELECT $run, now(), repeat('x', 10000000))" "an id of 10 MB"
refused 22008 "SELECT bcce.record_workflow_run('wf', 'failed', 'infinity', 'infinity')" "infinity"
refused 22008 "SELECT bcce.record_workflow_run('wf', 'failed', '-infinity', now())" "minus infinity"
refused 22008 "SELECT bcce.record_workflow_run('wf', 'failed', '0001-01-01', '0001-01-02')" "the year 1"
refused 22008 "SELECT bcce.record_workflow_run('wf', 'failed', '294276-01-01', '294276-01-02')" "the year 294276"
refused 22008 "SELECT bcce.record_workflow_run('wf', 'failed', now(), 'infinity')" "an end at infinity"
refused 22008 "SELECT $run, now(), queued_at => '-infinity')" "queued at minus infinity"
refused 22004 "SELECT bcce.record_incident('', now())" "an incident without an id"
refused 22004 "SELECT bcce.record_incident('i')" "an incident without a time"
refused 22023 "SELECT bcce.record_incident('i', now(), severity => 'sev9')" "an unknown severity"
refused 22023 "SELECT bcce.record_incident('i', now(), status => 'asleep')" "an unknown status of an incident"
refused 22008 "SELECT bcce.record_incident('i', now(), recovered_at => 'infinity')" "an incident that recovers at infinity"
for p in 1.0000001 -0.0000001 "'NaN'" "'Infinity'" "'-Infinity'" NULL; do
    refused 22003 "SELECT bcce.record_prediction('m', 'external', 't', $p)" "a probability of $p"
done
refused 22023 "SELECT bcce.record_prediction('m', 'weather', 't', 0.5)" "an unknown kind of target"
refused 22004 "SELECT bcce.record_prediction('m', 'service', 't', 0.5)" "a service without a horizon"
for h in -1 0 "'NaN'" "'Infinity'"; do
    refused 22003 "SELECT bcce.record_prediction('m', 'service', 't', 0.5, horizon_seconds => $h)" "a horizon of $h"
done
refused P0002 "SELECT bcce.resolve_prediction('never', 1)" "an outcome of an unknown prediction"
refused 22023 "SELECT bcce.resolve_prediction('never', 2)" "an outcome of 2"
for n in -1 "'NaN'" "'Infinity'" 1e16; do
    refused 22003 "SELECT bcce.record_metric('s', p95_latency_ms => $n)" "a latency of $n"
    refused 22003 "SELECT bcce.record_metric('s', cpu_percent => $n)" "a percentage of $n"
    refused 22003 "SELECT bcce.record_metric('s', window_seconds => $n)" "a window of $n"
    refused 22003 "SELECT bcce.record_model_usage('m', reported_cost_usd => $n)" "a cost of $n"
    refused 22003 "SELECT bcce.record_model_usage('m', latency_ms => $n)" "a call of $n ms"
done
refused 22003 "SELECT bcce.record_metric('s', request_count => -1)" "a negative count"
refused 22003 "SELECT bcce.record_model_usage('m', input_tokens => -9223372036854775808)" "the least bigint"
refused 22003 "SELECT bcce.record_model_usage('m', input_tokens => 9223372036854775807)" "the greatest bigint"
refused 22023 "SELECT bcce.ingest_event('[]')" "an event that is an array"
refused 22023 "SELECT bcce.ingest_event('\"x\"')" "an event that is a string"
refused 22023 "SELECT bcce.ingest_events('{}')" "events that are an object"
refused 22004 "SELECT bcce.ingest_event('{}')" "an event without a type"
refused 22007 "SELECT bcce.ingest_event('{\"event_type\": \"x\", \"occurred_at\": \"yesterday-ish\"}')" "an event at no time"
refused 22007 "SELECT bcce.ingest_event('{\"event_type\": \"x\", \"occurred_at\": \"infinity\"}')" "an event at infinity"
refused 22P02 "SELECT bcce.ingest_event('{\"event_type\": \"x\", \"ip\": \"999.1.1.1\"}')" "an event from no address"
refused 22023 "SELECT bcce.ingest_event('{\"event_type\": \"x\", \"is_test\": \"maybe\"}')" "an event that is perhaps a test"
refused P0002 "SELECT bcce.ingest_event('{\"event_type\": \"x\", \"tenant\": \"beta\"}')" "an event of somebody else's tenant"
is "$(counts)" "$before" "nothing was written"

# In one transaction of the caller, a refusal takes the whole with it, as SQL does.
sql $database regress_malformed_writer -c "BEGIN; SELECT bcce.record_incident('half', now()); SELECT bcce.record_incident('half2', 'infinity'); COMMIT" >/dev/null
is "$(counts)" "$before" "a transaction is all or nothing"

# Batches: the good are stored, each bad one is counted once.
is "$(sql $database regress_malformed_writer -c "SELECT * FROM bcce.ingest_events('[
    {\"event_type\": \"good\", \"event_id\": \"1\"}, 1, null, \"x\", [], {}, {\"event_type\": \"\"},
    {\"event_type\": \"x\", \"occurred_at\": \"2026-13-45\"}, {\"event_type\": \"x\", \"occurred_at\": \"1969-01-01\"},
    {\"event_type\": \"x\", \"ip\": \"1.2.3\"}, {\"event_type\": \"x\", \"tenant\": \"beta\"}, {\"event_type\": \"x\", \"is_test\": 7},
    {\"event_type\": \"good\", \"event_id\": \"2\", \"occurred_at\": \"2026-01-01T00:00:00Z\", \"properties\": 5},
    {\"event_type\": \"good\", \"event_id\": \"2\", \"occurred_at\": \"2026-01-01T00:00:00Z\"}]')")" "2|1|11" "a batch of events: stored, known, refused"
is "$(sql $database postgres -c "SELECT sum(rejected_count), bool_and(message <> ''), bool_and(hint <> '') FROM bcce.rejected WHERE source = 'ingest_events'")" "11|t|t" "each refused one is counted, with a reason and a way out"

copy_result=$(sql $database regress_malformed_writer <<'SQL'
COPY bcce.inbox_workflow_runs (tenant, run_id, workflow_id, status, started_at, finished_at) FROM STDIN WITH (FORMAT csv);
alpha,good1,wf,passed,2026-01-01T00:00:00Z,2026-01-01T00:01:00Z
nobody,bad1,wf,passed,2026-01-01T00:00:00Z,2026-01-01T00:01:00Z
beta,bad2,wf,passed,2026-01-01T00:00:00Z,2026-01-01T00:01:00Z
alpha,bad3,wf,perhaps,2026-01-01T00:00:00Z,2026-01-01T00:01:00Z
alpha,bad4,wf,passed,2026-01-01T00:00:00Z,2025-01-01T00:01:00Z
alpha,bad5,wf,passed,infinity,infinity
alpha,bad6,wf,passed,0001-01-01,0001-01-02
alpha,bad7,wf,passed,294276-12-31,294276-12-31
alpha,bad8,wf,passed,999999-12-31,
alpha,bad9,,passed,2026-01-01T00:00:00Z,2026-01-01T00:01:00Z
alpha,,wf,passed,,
,good2,wf,running,2026-01-01 00:00:00,
alpha,good3,wf,PASSED ,2026-01-01T00:00:00+02,2026-01-01T00:01:00Z
alpha,bad10,wf,passed,"now","tomorrow"
\.
COPY bcce.inbox_incidents (tenant, incident_id, severity, opened_at, is_test) FROM STDIN WITH (FORMAT csv);
,inc1,critical,2026-01-01T00:00:00Z,
,inc2,sev77,2026-01-01T00:00:00Z,
,inc3,critical,never,
,inc4,critical,2026-01-01T00:00:00Z,perhaps
,,critical,2026-01-01T00:00:00Z,
\.
COPY bcce.inbox_events (event_id, event_type, occurred_at, ip, properties) FROM STDIN WITH (FORMAT csv, QUOTE '~');
ev1,click,2026-01-01T00:00:00Z,10.1.2.3,{"a": 1}
ev2,click,2026-01-01T00:00:00Z,10.1.2.3.4,{"a": 1}
ev3,click,2026-01-01T00:00:00Z,,{"a":
ev4,click,2026-01-01T00:00:00Z,,[]
ev5,click,2026-01-01T00:00:00Z,,{"a": "\u0000"}
ev6,,2026-01-01T00:00:00Z,,
ev7,click,,,
\.
SQL
)
is "$copy_result" "" "inboxes raise nothing"
is "$(sql $database postgres -c "SELECT string_agg(run_id, ',' ORDER BY run_id) FROM bcce_data.workflow_runs")" "good1,good2,good3" "the good runs of the batch are stored"
is "$(sql $database postgres -c "SELECT string_agg(incident_id, ',' ORDER BY incident_id) FROM bcce_data.incidents")" "inc1" "the good incidents"
is "$(sql $database postgres -c "SELECT string_agg(idempotency_key, ',' ORDER BY idempotency_key) FROM bcce_data.events WHERE idempotency_key LIKE 'ev%'")" "ev1" "the good events"
is "$(sql $database postgres -c "SELECT string_agg(source || ' ' || n, ', ' ORDER BY source) FROM (SELECT source, sum(rejected_count) AS n FROM bcce.rejected WHERE source LIKE 'inbox%' GROUP BY source) AS s")" \
    "inbox_events 6, inbox_incidents 4, inbox_workflow_runs 11" "every bad row is counted"
is "$(sql $database postgres -c "SELECT count(*) FROM bcce_data.workflow_runs r FULL JOIN bcce_data.workflow_run_keys k USING (tenant_id, run_id, started_at) WHERE r.run_id IS NULL OR k.run_id IS NULL")" 0 "no key without its run"
is "$(sql $database postgres -c "SELECT count(*) FROM bcce_data.predictions p FULL JOIN bcce_data.prediction_keys k USING (tenant_id, prediction_id, predicted_at) WHERE p.prediction_id IS NULL OR k.prediction_id IS NULL")" 0 "no key without its prediction"

# Bytes that are no text: the server refuses the COPY as a whole.
before=$(counts)
printf 'alpha,b1,wf,passed,2026-01-01T00:00:00Z,2026-01-01T00:01:00Z\nalpha,b\xff2,wf,passed,2026-01-01T00:00:00Z,2026-01-01T00:01:00Z\n' >"$work/latin.csv"
printf 'alpha,b1,wf,passed,2026-01-01T00:00:00Z,2026-01-01T00:01:00Z\nalpha,b\x002,wf,passed,2026-01-01T00:00:00Z,2026-01-01T00:01:00Z\n' >"$work/nul.csv"
for file in latin nul; do
    like "$(psql -XAtq -v VERBOSITY=sqlstate -U regress_malformed_writer -d $database -c "\\copy bcce.inbox_workflow_runs (tenant, run_id, workflow_id, status, started_at, finished_at) FROM '$work/$file.csv' CSV" 2>&1 || true)" '22021|22P0' "bytes that are no UTF-8 ($file): SQLSTATE"
    is "$(counts)" "$before" "bytes that are no UTF-8 ($file): nothing is half-written"
done

# Long text is stored, or cut down by rule, and the rest of the batch with it.
is "$(sql $database regress_malformed_writer -c "SELECT bcce.record_workflow_run('wf', 'failed', '2026-02-01 00:00+00', '2026-02-01 00:01+00', 'long', error_message => repeat('words and more ', 700000))")" long "a message of 10 MB"
is "$(sql $database postgres -c "SELECT length(error_message) >= 1000 FROM bcce_data.workflow_runs WHERE run_id = 'long'")" t "is kept"
python3 -c "print('alpha,big,wf,failed,2026-02-01T00:00:00Z,2026-02-01T00:01:00Z,' + 'x' * 10000000)
print('alpha,after,wf,failed,2026-02-01T00:00:00Z,2026-02-01T00:01:00Z,y')
print('alpha,' + 'z' * 10000000 + ',wf,failed,2026-02-01T00:00:00Z,2026-02-01T00:01:00Z,y')" >"$work/big.csv"
is "$(psql -XAtq -U regress_malformed_writer -d $database -c "\\copy bcce.inbox_workflow_runs (tenant, run_id, workflow_id, status, started_at, finished_at, error_message) FROM '$work/big.csv' CSV" 2>&1 | cut -c1-200)" "" "fields of 10 MB through an inbox"
is "$(sql $database postgres -c "SELECT count(*) FROM bcce_data.workflow_runs WHERE run_id IN ('big', 'after')")" 2 "the good rows are stored"
is "$(sql $database postgres -c "SELECT sum(rejected_count) FROM bcce.rejected WHERE reason = 'key_too_long'")" 1 "the id of 10 MB is counted"

# The same bytes again change nothing; a newer state of the same id does.
before=$(counts)
for i in 1 2; do
    sql $database regress_malformed_writer -c "SELECT bcce.record_workflow_run('wf', 'passed', '2026-01-01T00:00:00Z', '2026-01-01T00:01:00Z', 'good1')" >/dev/null
done
is "$(counts)" "$before" "a retry is no second row"
for text in "'{'" "'{\"a\": \"\\u0000\"}'"; do
    like "$(psql -XAtq -v VERBOSITY=sqlstate -U regress_malformed_writer -d $database -c "SELECT bcce.ingest_event($text)" 2>&1 || true)" '22P0' "bad JSON as an argument is the server's own error"
done
is "$(counts)" "$before" "and writes nothing"
done_testing
