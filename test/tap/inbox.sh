#!/usr/bin/env bash
# Rows of an inbox are stored in batches, and nobody can tell: savepoints, an
# error in the last row, statements inside statements, two writers with the
# same ids, no rows, bad rows among good ones.  Speaks TAP.
#
# BCCE_INBOX_ROWS: rows of the long load (default 50000, a tenth of them bad).
set -euo pipefail
. "$(dirname "$0")/../lib/tap.sh"

rows=${BCCE_INBOX_ROWS:-50000}
database=bcce_inbox
sql postgres postgres -c "DROP DATABASE IF EXISTS $database" >/dev/null
createdb $database
sql $database postgres >/dev/null <<'SQL'
CREATE EXTENSION bcce;
SELECT bcce.create_tenant('alpha', 'Alpha'), bcce.create_login('regress_inbox_writer', 'alpha', 'ingest');
SQL
out=$(mktemp -d)

writer() {
    sql $database regress_inbox_writer "$@"
}
owner() {
    sql $database postgres "$@"
}
# runs FROM TO: lines for COPY, one finished run each, in tab-separated text.
runs() {
    seq "$1" "$2" | awk '{ printf "run-%d\tbuild\tpassed\t2026-01-01T00:00:00Z\t2026-01-01T00:01:00Z\n", $1 }'
}
copy="COPY bcce.inbox_workflow_runs (run_id, workflow_id, status, started_at, finished_at) FROM STDIN"
insert="INSERT INTO bcce.inbox_workflow_runs (run_id, workflow_id, status, started_at, finished_at)
        SELECT 'run-' || i, 'build', 'passed', '2026-01-01T00:00:00Z', '2026-01-01T00:01:00Z'"
stored() {
    owner -c "SELECT count(*) || ' runs, ' || (SELECT count(*) FROM bcce_data.workflow_run_keys) || ' keys' FROM bcce_data.workflow_runs"
}
rejected() {
    owner -c "SELECT string_agg(concat_ws(' ', reason, rejected_count), ', ' ORDER BY reason) FROM bcce.rejected"
}
empty() {
    owner -c "TRUNCATE bcce_data.workflow_runs, bcce_data.workflow_run_keys, bcce_data.rejected_input, bcce_data.incidents, bcce_data.predictions, bcce_data.prediction_keys, bcce_data.events CASCADE" | grep -v "^NOTICE" || true
}

is "$(printf '%s;\n\\.\n' "$copy" | writer)" "" "COPY of no rows is no error"
is "$(writer -c "$insert FROM generate_series(1, 0) i")" "" "nor is INSERT of none"
is "$(stored)" "0 runs, 0 keys" "and stores none"

{ echo "$copy;"; runs 1 10000; echo '\.'; } | writer >"$out/long"
is "$(cat "$out/long") $(stored)" " 10000 runs, 10000 keys" "more rows than one batch holds"

# The last line has a field too many.
empty
{ echo "$copy;"; runs 1 10000; printf 'run-x\tbuild\tpassed\t\t\ttoo many\n\\.\n'; echo "SELECT 'the session goes on';"
  echo "$copy;"; runs 1 5; echo '\.'; } | writer >"$out/last"
like "$(cat "$out/last")" "ERROR: .*the session goes on" "an error in the last row of COPY"
is "$(stored)" "5 runs, 5 keys" "takes all its rows back, and the next COPY is whole"
empty
like "$(writer -c "$insert FROM generate_series(1, 10000) i WHERE 1 / (10000 - i) >= 0")" "division by zero" "an error in the last row of INSERT"
is "$(stored)" "0 runs, 0 keys" "takes all its rows back"

# Savepoints between, and around, the batches of one transaction.
empty
writer >"$out/savepoint" <<SQL
BEGIN;
$insert FROM generate_series(1, 5000) i;
SAVEPOINT s;
$insert FROM generate_series(4001, 9000) i;
ROLLBACK TO s;
$insert FROM generate_series(9001, 9100) i;
RELEASE s;
COMMIT;
SQL
is "$(cat "$out/savepoint") $(stored)" " 5100 runs, 5100 keys" "a savepoint rolled back between two statements"
empty
{ echo "BEGIN; SAVEPOINT s;"; echo "$copy;"; runs 1 5000; printf 'run-x\n\\.\n'; echo "ROLLBACK TO s;"
  echo "$copy;"; runs 4000 4100; echo '\.'; echo "COMMIT;"; } | writer >"$out/savepoint"
is "$(stored)" "101 runs, 101 keys" "a savepoint rolled back after a COPY that failed"

# A function that the INSERT calls inserts into the same inbox, and every third
# time takes that back: while the batch of the outer statement is half full.
empty
owner -c "GRANT CREATE ON SCHEMA public TO regress_inbox_writer"
writer >"$out/nested" <<SQL
CREATE FUNCTION public.nested(i bigint) RETURNS text LANGUAGE plpgsql AS \$\$
BEGIN
    INSERT INTO bcce.inbox_workflow_runs (run_id, workflow_id, status, started_at, finished_at)
    VALUES ('inner-' || i, 'build', 'passed', '2026-01-01T00:00:00Z', '2026-01-01T00:01:00Z');
    PERFORM 1 / (i % 3);
    RETURN 'outer-' || i;
EXCEPTION WHEN division_by_zero THEN
    RETURN 'outer-' || i;
END
\$\$;
INSERT INTO bcce.inbox_workflow_runs (run_id, workflow_id, status, started_at, finished_at)
SELECT public.nested(i), 'build', 'failed', '2026-01-01T00:00:00Z', '2026-01-01T00:01:00Z' FROM generate_series(1::bigint, 4500) i;
SQL
is "$(cat "$out/nested") $(owner -c "SELECT string_agg(kind || ' ' || n, ', ' ORDER BY kind) FROM (SELECT split_part(run_id, '-', 1) || ' ' || status AS kind, count(*) AS n FROM bcce_data.workflow_runs GROUP BY 1) k")" \
    " inner succeeded 3000, outer failed 4500" "statements inside a statement keep their own rows"

# Two insertions in one statement, into one inbox and into two.
empty
writer >"$out/cte" <<SQL
WITH one AS ($insert FROM generate_series(1, 5000) i),
     two AS ($insert FROM generate_series(5001, 5010) i),
     three AS (INSERT INTO bcce.inbox_incidents (incident_id, opened_at) SELECT 'i' || i, '2026-01-01T00:00:00Z' FROM generate_series(1, 7) i)
$insert FROM generate_series(6001, 6100) i;
SQL
is "$(cat "$out/cte") $(stored) $(owner -c "SELECT count(*) FROM bcce_data.incidents")" " 5110 runs, 5110 keys 7" "several insertions in one statement"

# A statement that was cancelled leaves nothing behind for the next.
empty
writer >"$out/cancel" <<SQL
SET statement_timeout = '150ms';
$insert FROM generate_series(1, 3000000) i;
SET statement_timeout = 0;
$insert FROM generate_series(1, 3) i;
SQL
like "$(cat "$out/cancel")" "canceling statement" "a statement that takes too long is cancelled"
is "$(stored)" "3 runs, 3 keys" "and leaves nothing for the next"

# Later rows of the same thing, in the batch of the first and in later ones.
empty
{ echo "COPY bcce.inbox_workflow_runs (run_id, workflow_id, status, started_at, finished_at, error_class) FROM STDIN;"
  for i in $(seq 1 3000); do
      printf 'r%d\tbuild\trunning\t2026-01-01T00:00:00Z\t\\N\t\\N\nr%d\tbuild\tfailed\t2026-01-01T09:00:00Z\t2026-01-01T10:00:00Z\tE%d\n' "$i" "$i" "$i"
  done
  for i in $(seq 1 3000); do printf 'r%d\tbuild\trunning\t2026-01-01T00:00:00Z\t\\N\t\\N\n' "$i"; done
  echo '\.'; } | writer >"$out/later"
is "$(cat "$out/later") $(owner -c "SELECT count(*) || ' ' || count(*) FILTER (WHERE status = 'failed' AND duration_s = 36000 AND error_class = 'E' || substr(run_id, 2)) FROM bcce_data.workflow_runs")" \
    " 3000 3000" "the start of a run, its end, and its start again"
owner -c "CREATE TABLE public.versions AS SELECT run_id, xmin::text AS version FROM bcce_data.workflow_runs" >/dev/null
writer -c "INSERT INTO bcce.inbox_workflow_runs (run_id, workflow_id, status, started_at, finished_at, error_class) SELECT 'r' || i, 'build', 'failed', '2026-01-01T09:00:00Z', '2026-01-01T10:00:00Z', 'E' || i FROM generate_series(1, 3000) i"
is "$(owner -c "SELECT count(*) FROM public.versions v JOIN bcce_data.workflow_runs r USING (run_id) WHERE r.xmin::text <> v.version")" 0 \
    "rows that say nothing new write nothing"

{ echo "COPY bcce.inbox_incidents (incident_id, opened_at, title, recovered_at) FROM STDIN;"
  for i in $(seq 1 2500); do printf 'i%d\t\\N\t\\N\t2026-01-01T02:00:00Z\ni%d\t2026-01-01T00:00:00Z\ttitle %d\t\\N\ni%d\t\\N\t\\N\t2026-01-01T01:00:00Z\n' "$i" "$i" "$i" "$i"; done
  echo '\.'; } | writer >"$out/later"
is "$(cat "$out/later") $(owner -c "SELECT count(*) || ' ' || count(*) FILTER (WHERE status = 'resolved' AND recovered_at = '2026-01-01 01:00+00' AND title LIKE 'title %') FROM bcce_data.incidents")" \
    " 2500 2500" "what is known of an incident, bit by bit"
is "$(rejected)" "missing_time 2500" "but not before it was opened"

{ echo "COPY bcce.inbox_predictions (prediction_id, model_name, target_kind, target_id, predicted_at, failure_probability, outcome, outcome_at) FROM STDIN;"
  for i in $(seq 1 2500); do printf 'p%d\tm\texternal\tt\t2026-01-01T00:00:00Z\t0.25\t\\N\t\\N\np%d\tm\texternal\tt\t2026-01-01T00:00:00Z\t0.75\t\\N\t\\N\np%d\t\\N\t\\N\t\\N\t\\N\t\\N\t1\t2026-01-02T00:00:00Z\n' "$i" "$i" "$i"; done
  echo '\.'; } | writer >"$out/later"
is "$(cat "$out/later") $(owner -c "SELECT count(*) || ' ' || count(*) FILTER (WHERE failure_probability = 0.25 AND outcome = 1) FROM bcce_data.predictions")" \
    " 2500 2500" "a prediction, another try, and its outcome"

# An outcome that came before its prediction in one batch is not the last.
writer -c "INSERT INTO bcce.inbox_predictions (prediction_id, model_name, target_kind, target_id, predicted_at, failure_probability, outcome, outcome_at) VALUES
    ('last', NULL, NULL, NULL, NULL, NULL, '1', '2026-01-02T00:00:00Z'), ('last', 'm', 'external', 't', '2026-01-01T00:00:00Z', '0.5', '0', '2026-01-03T00:00:00Z')"
is "$(owner -c "SELECT outcome || ' ' || outcome_at::date FROM bcce_data.predictions WHERE prediction_id = 'last'")" "0 2026-01-03" "of several outcomes the last row's holds"

# A plan made while a table was small does not read it whole when it is not,
# and a prediction is found by its id among those of the same instant.
empty
owner -c "VACUUM FULL ANALYZE bcce_data.models, bcce_data.services, bcce_data.workflows, bcce_data.predictions, bcce_data.prediction_keys" >/dev/null
is "$(writer -c "SET statement_timeout = '30s'" \
    -c "INSERT INTO bcce.inbox_predictions (prediction_id, model_name, target_kind, target_id, predicted_at, failure_probability) SELECT 'p' || i, 'm' || i, 'external', 't', '2026-01-01T00:00:00Z', '0.5' FROM generate_series(1, 25000) i" \
    -c "INSERT INTO bcce.inbox_predictions (prediction_id, outcome, outcome_at) SELECT 'p' || i, '1', '2026-01-02T00:00:00Z' FROM generate_series(1, 25000) i")" "" "many models and outcomes at once take no longer each"
is "$(owner -c "SELECT count(*) FROM bcce_data.predictions WHERE outcome = 1")" 25000 "and are all stored"

# Two writers with the same ids, in opposite orders.
empty
{ echo "$copy;"; runs 1 20000; echo '\.'; } >"$out/up"
{ echo "$copy;"; runs 1 20000 | tac; echo '\.'; } >"$out/down"
writer <"$out/up" >"$out/up.log" & writer <"$out/down" >"$out/down.log" & wait
grep -h -o -E 'deadlock detected|ERROR.*' "$out/up.log" "$out/down.log" >"$out/both" || true
is "$(stored)" "20000 runs, 20000 keys" "two writers with the same runs in opposite orders: each run once"
ok "$(grep -vc 'deadlock detected' "$out/both" || true)" "no error but, at worst, a deadlock that the server resolved"
# Within a batch all writers lock in one order.
empty
for i in 1 2 3 4 5; do
    { echo "BEGIN;"; echo "$copy;"; runs 1 4000; echo '\.'; echo "COMMIT;"; } | writer >>"$out/one" &
    { echo "BEGIN;"; echo "$copy;"; runs 1 4000 | tac; echo '\.'; echo "COMMIT;"; } | writer >>"$out/two" &
    wait
done
is "$(cat "$out/one" "$out/two") $(stored)" " 4000 runs, 4000 keys" "batches of the same runs in opposite orders do not deadlock"

# A batch is tried as new; one known row among it, and it is stored once all the
# same, whatever inbox it is of: nobody is told, and no error names the key.
events="COPY bcce.inbox_events (event_id, event_type, occurred_at) FROM STDIN"
event_lines() {
    seq "$1" "$2" | awk '{ printf "secret-key-%d\tpage_view\t2026-01-01T00:00:00Z\n", $1 }'
}
empty
{ echo "$events;"; event_lines 1 20000; echo '\.'; echo "$events;"; event_lines 19900 40000; echo '\.'
  echo "BEGIN;"; echo "$events;"; event_lines 40000 40100; echo '\.'; echo "SAVEPOINT s;"; echo "$events;"; event_lines 40050 40200; echo '\.'
  echo "ROLLBACK TO s;"; echo "$events;"; event_lines 40090 40150; event_lines 40090 40150; printf 'x\tpage_view\tnever\n\\.\n'; echo "COMMIT;"; } | writer >"$out/known"
is "$(cat "$out/known") $(owner -c "SELECT count(*) || ' ' || count(DISTINCT idempotency_key) FROM bcce_data.events") $(rejected)" " 40150 40150 bad_time 1" "known rows in any batch are stored once, and refused ones counted once"
is "$(grep -c -E 'secret-key|already exists' "$out/known" || true)" 0 "and no error names a key"
is "$(owner -c "SELECT count(DISTINCT xmin::text) > 2 FROM bcce_data.events")" t "what is new is stored in subtransactions"
empty
{ for i in $(seq 1 90); do echo "$events;"; event_lines $((i * 100)) $((i * 100 + 99)); echo '\.'; done | { echo "BEGIN;"; cat; echo "COMMIT;"; }; } | writer >"$out/many"
is "$(cat "$out/many") $(owner -c "SELECT count(*) || ' ' || (count(DISTINCT xmin::text) <= 57) FROM bcce_data.events")" " 9000 true" "a transaction has no more of them than a snapshot keeps"
empty
for inbox in metrics model_usage predictions; do
    case $inbox in
        metrics) row="'svc', '2026-01-01T00:00:00Z', 'k' || i" columns="service_id, observed_at, idempotency_key" table=performance_metrics ;;
        model_usage) row="'m', '2026-01-01T00:00:00Z', 'k' || i" columns="model_id, at, idempotency_key" table=model_usage ;;
        predictions) row="'m', 'external', 't', '2026-01-01T00:00:00Z', '0.5', 'k' || i" columns="model_name, target_kind, target_id, predicted_at, failure_probability, prediction_id" table=predictions ;;
    esac
    is "$(writer -c "INSERT INTO bcce.inbox_$inbox ($columns) SELECT $row FROM generate_series(1, 500) i" \
        -c "INSERT INTO bcce.inbox_$inbox ($columns) SELECT $row FROM generate_series(400, 900) i" \
        -c "INSERT INTO bcce.inbox_$inbox ($columns) SELECT $row FROM generate_series(901, 1400) i")$(owner -c "SELECT count(*) FROM bcce_data.$table")" 1400 "known rows of inbox_$inbox among new ones"
done

# What is not redacted yet goes to no temporary file, however little memory a
# session has; and what a try that was taken back redacted is counted once.
empty
owner -c "TRUNCATE bcce_data.redaction_counts" >/dev/null
mails() {
    seq "$1" "$2" | awk '{ printf "m%d\tpage_view\t2026-01-01T00:00:00Z\t{\"note\":\"from ada%d@example.org, %0200d\"}\n", $1, $1, 0 }'
}
copy_mails="COPY bcce.inbox_events (event_id, event_type, occurred_at, properties) FROM STDIN"
temporary="SELECT temp_files FROM pg_stat_database WHERE datname = '$database'"
before=$(owner -c "$temporary")
{ echo "SET work_mem = '64kB';"; echo "$copy_mails;"; mails 1 40000; echo '\.'
  echo "COPY bcce.inbox_json (line) FROM STDIN;"; seq 1 20000 | awk '{ printf "{\"event_id\":\"j%d\",\"event_type\":\"page_view\",\"occurred_at\":\"2026-01-01T00:00:00Z\",\"note\":\"%0300d\"}\n", $1, 0 }'; echo '\.'; } | writer >"$out/mails"
is "$(cat "$out/mails") $(owner -c "SELECT count(*) FROM bcce_data.events") $(($(owner -c "$temporary") - before))" " 60000 0" "no temporary file is written for a batch"
is "$(owner -c "SELECT sum(redaction_count) FROM bcce_data.redaction_counts WHERE kind = 'email'")" 40000 "each redaction is counted"
{ echo "$copy_mails;"; mails 39901 40100; echo '\.'; } | writer >"$out/mails"
is "$(cat "$out/mails") $(owner -c "SELECT count(*) FROM bcce_data.events") $(owner -c "SELECT sum(redaction_count) FROM bcce_data.redaction_counts WHERE kind = 'email'")" " 60100 40200" "once, too, where the batch was stored again"

# A tenth of the rows is bad, in five ways.
empty
seq 1 "$rows" | awk -v OFS='\t' '
    $1 % 50 == 10 { print "run-" $1, "build", "exploded", "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z", ""; next }
    $1 % 50 == 20 { print "run-" $1, "build", "passed", "yesterday", "2026-01-01T00:01:00Z", ""; next }
    $1 % 50 == 30 { print "run-" $1, "", "passed", "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z", ""; next }
    $1 % 50 == 40 { print "run-" $1, "build", "passed", "2026-01-01T00:02:00Z", "2026-01-01T00:01:00Z", ""; next }
    $1 % 50 == 0  { print "run-" $1, "build", "passed", "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z", "somebody-else"; next }
    { print "run-" $1, "build", "passed", "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z", "" }' >"$out/mixed"
{ echo "COPY bcce.inbox_workflow_runs (run_id, workflow_id, status, started_at, finished_at, tenant) FROM STDIN;"; cat "$out/mixed"; echo '\.'; } | writer >"$out/bad"
is "$(cat "$out/bad") $(stored)" " $((rows - rows / 10)) runs, $((rows - rows / 10)) keys" "$((rows / 10)) bad rows among $rows: the good ones are stored"
fifth=$((rows / 50))
is "$(rejected)" "bad_time $fifth, finished_before_started $fifth, missing_id $fifth, unknown_status $fifth, unknown_tenant $fifth" "and the bad ones counted by reason"
is "$(owner -c "SELECT count(*) FROM bcce.rejected WHERE example_key IN (SELECT run_id FROM bcce_data.workflow_runs)")" 0 "with the id of a bad one"

# An id that is a person's address, in two spellings of one pseudonym.
empty
writer -c "INSERT INTO bcce.inbox_incidents (incident_id, opened_at) VALUES ('ada@example.org', '2026-01-01T00:00:00Z'), (' ada@example.org', '2026-01-01T00:00:00Z'), ('ADA@example.org', '2026-01-01T00:00:00Z')"
is "$(owner -c "SELECT count(*) FROM bcce_data.incidents WHERE incident_id ~* '\mada\M'")" 0 "ids that hold an address do not stop a batch, nor stay"

# The address, and the pseudonym that it got before, name one run.
pseudonym=$(owner -c "SELECT bcce.pseudonym('ada@example.org', 'id', tenant_id) FROM bcce_data.tenants WHERE slug = 'alpha'")
writer -c "INSERT INTO bcce.inbox_workflow_runs (run_id, workflow_id, status, started_at) VALUES ('$pseudonym', 'w', 'running', '2026-01-01T00:00:00Z'), ('ada@example.org', 'w', 'running', '2026-01-02T00:00:00Z')"
is "$(owner -c "SELECT string_agg(r.started_at::date || ' ' || k.started_at::date, ', ') FROM bcce_data.workflow_runs r JOIN bcce_data.workflow_run_keys k USING (tenant_id, run_id) WHERE run_id = '$pseudonym'")" "2026-01-01 2026-01-01" "an id and its pseudonym are one run, with the start of the first"
is "$(writer -c "SELECT bcce.record_workflow_run('w', 'running', '2026-01-01T00:00:00Z', run_id => 'no service', service_id => '')")" "no service" "an empty service is none"

# Without one of its triggers an inbox would lose rows: it refuses them.
owner -c "DROP TRIGGER inbox_close ON bcce.inbox_workflow_runs"
like "$(writer -c "$insert FROM generate_series(1, 1) i")" "a trigger of this inbox is missing.*install" "an inbox without its last trigger refuses"
owner -c "SELECT count(*) FROM bcce.install()" >/dev/null
owner -c "DROP TRIGGER inbox_open ON bcce.inbox_workflow_runs"
like "$(writer -c "$insert FROM generate_series(1, 1) i")" "a trigger of this inbox is missing.*install" "and without its first"
owner -c "SELECT count(*) FROM bcce.install()" >/dev/null
is "$(writer -c "$insert FROM generate_series(1, 1) i")" "" "install() repairs both"
owner -c "CREATE TABLE public.t (a text); CREATE TRIGGER x BEFORE INSERT ON public.t FOR EACH ROW EXECUTE FUNCTION bcce.collect_rows('inbox_events')" >/dev/null
is "$(VERBOSITY=sqlstate sqlstate $database postgres "INSERT INTO public.t VALUES ('a')" | tail -1)" "ERROR:  39P01" "on a table the trigger refuses to run"

owner -c "DROP OWNED BY regress_inbox_writer" >/dev/null
dropdb $database
sql postgres postgres -c "DROP ROLE regress_inbox_writer" >/dev/null
rm -rf "$out"
done_testing
