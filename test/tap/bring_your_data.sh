#!/usr/bin/env bash
# Every block of docs/bring-your-data.md runs and prints what the page says it
# prints; after each way in the rows are in the store; the columns that the page
# calls needed are the needed ones.  Speaks TAP.
#
# usage: bring_your_data.sh [--update]
#   --update  write what the blocks print into the page
#
# Runs two clusters of its own: one with bcce, and shop.example.org, a source
# that knows nothing of it.  pg_cron really runs a job, which takes up to a
# minute; where it is not installed its blocks are skipped.
set -euo pipefail
page=$(cd "$(dirname "$0")/../.." && pwd)/docs/bring-your-data.md

# count EXPECTED NAME QUERY: in the store, as a superuser.
count() {
    local got
    got=$(psql -XAtqc "$3" 2>&1) || true
    if [ "$got" = "$1" ]; then
        echo "ok - $2"
    else
        echo "not ok - $2"
        echo "# got $got instead of $1"
    fi
}
runs() { echo "SELECT count(*) FROM bcce_data.workflow_runs WHERE run_id LIKE '$1'"; }

# in_files PATTERN: in the tables, the write-ahead log or the log of the target.
in_files() { grep -qaEr "$1" "$work/target/data/base" "$work/target/data/pg_wal" "$work/target/log"; }

# needed_columns: the page's table against the inboxes.  A row with just the
# needed columns is taken; without one of them it is refused.
needed_columns() {
    python3 - "$page" <<'PYTHON'
import re, sys
value = {"status": "failed", "target_kind": "service", "failure_probability": "0.5", "horizon_seconds": "60"}
for line in open(sys.argv[1], encoding="utf-8"):
    cells = re.match(r"\| `(inbox_\w+)` \| (.*?) \| (.*?) \|", line)
    if not cells:
        continue
    inbox, columns, keys = cells[1], re.findall(r"`(\w+)`", cells[2]), re.findall(r"`(\w+)`", cells[3])
    row = {c: value.get(c, "2026-01-01T00:00:00Z" if c == "at" or c.endswith("_at") else "needed") for c in columns}
    for left_out in [None, *columns]:
        kept = {c: v for c, v in row.items() if c != left_out}
        print(f"{inbox}\t{left_out or 'nothing'}\t"
              f"INSERT INTO bcce.{inbox} (tenant, {', '.join(kept)}) VALUES ('acme', {', '.join(repr(v) for v in kept.values())})")
    print(f"{inbox}\tno column\tSELECT {', '.join(columns + keys)} FROM bcce.{inbox}")
PYTHON
}
check_needed_columns() {
    local inbox left_out statement expected got tested=0
    while IFS=$'\t' read -r inbox left_out statement; do
        tested=$((tested + 1))
        case $left_out in
            nothing) expected=0 ;;
            'no column') expected=exists ;;
            *) expected=1 ;;
        esac
        if [ $expected = exists ]; then
            got=$(psql -XAtqc "$statement LIMIT 0" 2>&1) && got=exists
        else
            got=$(psql -XAtq -v ON_ERROR_STOP=1 -c "BEGIN; DELETE FROM bcce_data.rejected_input; $statement; SELECT count(*) FROM bcce_data.rejected_input; ROLLBACK" 2>&1) || true
        fi
        if [ "$got" = $expected ]; then
            echo "ok - $inbox: $left_out missing"
        else
            echo "not ok - $inbox: $left_out missing"
            echo "# got $got instead of $expected: $statement"
        fi
    done < <(needed_columns)
    [ $tested -gt 20 ] && echo "ok - the page names what is needed" || echo "not ok - the page names what is needed"
}

# What test/readme.py calls around the blocks.
case ${1:-} in
    conf)
        . "$(dirname "$0")/../../scripts/lib.sh"
        name=${2:-target}
        as_server tee -a "$work/$name/data/postgresql.conf" >/dev/null
        as_server "$pg_bin/pg_ctl" -D "$work/$name/data" -m fast -w restart >"$work/restart.log" 2>&1 || cat "$work/restart.log" "$work/$name/log"
        exit ;;
    before)
        case $2 in
            *pg_cron) [ -e "$("$PG_CONFIG" --sharedir)/extension/pg_cron.control" ] || echo "skip pg_cron is not installed" ;;
        esac
        exit ;;
    after)
        case $2 in
            'What a row needs') check_needed_columns ;;
            1.*) count 4 "way 1: four runs" "$(runs 'ci-%')" ;;
            2.*)
                count 4 "way 2: four runs" "$(runs 'n-%')"
                for setting in default terse; do
                    echo "mallory-$setting,too,few" | PGOPTIONS="-c log_error_verbosity=$setting" psql -Xq \
                        -c '\copy bcce.inbox_workflow_runs (run_id, status) FROM pstdin CSV' >/dev/null 2>&1 || true
                done
                in_files 'mallory-default' && echo "ok - the log has a line of another shape" || echo "not ok - the log has a line of another shape"
                in_files 'mallory-terse' && echo "not ok - but not where it is terse" || echo "ok - but not where it is terse" ;;
            'Foreign table and watermark')
                count 3 "way 3: three runs" "$(runs 'shop-%')"
                fetch="SET LOCAL ROLE acme_pull; DO 'BEGIN PERFORM pull.fetch_jobs(); END'; SELECT seen_until FROM pull.watermark; ROLLBACK"
                psql -Xq -h "$source_host" -d shop -c "INSERT INTO jobs VALUES (99, 'import', 'running', NULL, now(), NULL, NULL, '2099-01-01')"
                count '2025-01-26 10:06:00+00' "way 3: a row from the future leaves the watermark" "BEGIN; $fetch"
                psql -Xq -h "$source_host" -d shop -c "DELETE FROM jobs WHERE id = 99"
                count '2025-02-01 00:00:00+00' "way 3: so does a source with no news" "BEGIN; UPDATE pull.watermark SET seen_until = '2025-02-01 00:00+00'; $fetch" ;;
            'Emptying, watching, ending')
                count 3 "way 4: three incidents" "SELECT count(*) FROM bcce_data.incidents"
                count 0 "way 4: no raw text in the landing table" "SELECT count(*) FROM public.tickets WHERE subject IS NOT NULL"
                in_files 'fixed by \[EMAIL' && echo "ok - way 4: the files of the target have the redacted text" ||
                    echo "not ok - way 4: the files of the target have the redacted text"
                in_files 'fixed by eve|4111 1111 1111 1111' && echo "not ok - way 4: and not the raw text" ||
                    echo "ok - way 4: and not the raw text" ;;
            'JSON lines')
                count "1 1 1 1 2" "way 5: a run, a sample, a prediction, a model call, two events" \
                    "SELECT concat_ws(' ', (SELECT count(*) FROM bcce_data.workflow_runs WHERE run_id = 't-1'),
                        (SELECT count(*) FROM bcce_data.performance_metrics), (SELECT count(*) FROM bcce_data.predictions),
                        (SELECT count(*) FROM bcce_data.model_usage), (SELECT count(*) FROM bcce_data.events))" ;;
            'A JSON array') count 4 "way 5: four events" "SELECT count(*) FROM bcce_data.events" ;;
            'Telemetry')
                count "3 calls, 1 of both" "way 6: each call once" \
                    "SELECT count(*) || ' calls, ' || count(*) FILTER (WHERE told_by = 3) || ' of both' FROM bcce_data.model_usage WHERE session_id LIKE 's-%'"
                in_files 'hunter2|ask eve@' && echo "not ok - way 6: no text of a transcript in any file" || echo "ok - way 6: no text of a transcript in any file" ;;
            'Jobs of pg_cron') count 4 "way 3: the job brought the fourth run" "$(runs 'shop-%')" ;;
            'Is it still running?')
                count 0 "no address of a person anywhere" "SELECT count(*) FROM (SELECT r::text AS row FROM bcce_data.workflow_runs r
                    UNION ALL SELECT i::text FROM bcce_data.incidents i UNION ALL SELECT e::text FROM bcce_data.events e
                    UNION ALL SELECT m::text FROM bcce_data.model_usage m UNION ALL SELECT j::text FROM bcce_data.rejected_input j) AS stored
                    WHERE row LIKE '%@%'" ;;
        esac
        exit ;;
esac

. "$(dirname "$0")/../lib/tap.sh"
own_server source -c max_worker_processes=16
source_host=$PGHOST
# The login of the page has to show its password.
{ echo "local shop bcce_export scram-sha-256"; as_server cat "$cluster/data/pg_hba.conf"; } >"$work/hba"
as_server tee "$cluster/data/pg_hba.conf" <"$work/hba" >/dev/null
psql -Xq -d postgres -c 'SELECT pg_reload_conf()' -c 'CREATE DATABASE shop' >/dev/null
own_server target -c max_worker_processes=16
export work pg_bin source_host PGUSER PGHOST PG_CONFIG=${PG_CONFIG:-pg_config}
python3 "$(dirname "$0")/../readme.py" --bare --database analytics --replace "shop.example.org=$source_host" \
    --replace " scripts/load-claude-code= $(cd "$(dirname "$0")/../.." && pwd)/scripts/load-claude-code" \
    --hook "bash $(cd "$(dirname "$0")" && pwd)/bring_your_data.sh" "$@" "$page"
