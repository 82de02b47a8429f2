#!/usr/bin/env bash
# scripts/load-claude-code over folders as they are found: a file that a crash has
# torn in the middle of a character, zeros, an empty one, a line of 9 MB, names
# with quotes; and each thing that can be wrong says its way out.
# Needs a running server (PG*), a superuser, PGDATABASE with bcce.
set -uo pipefail
. "$(dirname "$0")/../lib/tap.sh"
work=$TMPDIR
db=$PGDATABASE
q() { sql "$db" postgres -c "$1"; }
load() { "$(dirname "$0")/../../scripts/load-claude-code" "$@" 2>&1; }
q "SELECT bcce.create_tenant('folders', 'Folders'), bcce.create_login('folders_writer', 'folders', 'ingest'), bcce.create_login('folders_reader', 'folders')" >/dev/null

line() { printf '{"sessionId":"s","timestamp":"2026-06-01T10:00:00Z","cwd":"/srv/shop","pad":"%s","message":{"id":"%s","model":"claude-opus-5","usage":{"input_tokens":%s,"output_tokens":1}}}\n' "${3:-}" "$1" "$2"; }
folder="$work/it's a \"folder\""
mkdir -p "$folder/ada" "$folder/b\$(x)" "$work/empty"
{ line m1 10; printf '{"type":"user","message":{"content":"caf\xc3'; } >"$folder/ada/a torn.jsonl"
{ line m2 20; printf '\000\000\000\n\xff\xfe\n'; line m3 30; } >"$folder/ada/zeros.jsonl"
: >"$folder/ada/empty.jsonl"
line m4 40 "$(head -c 9000000 /dev/zero | tr '\0' x)" >"$folder/b\$(x)/long.jsonl"
line m5 50 >"$folder/none's.jsonl"

export PGUSER=folders_writer
is "$(load --user-by-folder "$folder" | tail -n 1)" "5 transcripts: 5 lines of calls, 5 calls new, 0 changed, 0 lines refused, 1 malformed" "torn, empty and long files: every call is loaded, the torn line is counted"
is "$(load --user-by-folder "$folder" | tail -n 1)" "5 transcripts: 5 lines of calls, 0 calls new, 0 changed, 0 lines refused, 1 malformed" "again: nothing new"
is "$(q "SELECT string_agg(idempotency_key || ' ' || input_tokens || ' ' || project || ' ' || (user_key IS NOT NULL), ', ' ORDER BY input_tokens) FROM bcce_data.model_usage WHERE source = 'claude-code'")" \
    "msg:m1 10 shop true, msg:m2 20 shop true, msg:m3 30 shop true, msg:m4 40 shop true, msg:m5 50 shop false" "each with its tokens, its project and the person of its folder; who is in none is nobody"

like "$(load "$work/missing")" "missing is no folder.*claude/projects" "a missing folder"
like "$(load "$work/empty")" "no transcripts .*claude/projects" "an empty folder"
like "$(load --tenant)" "tenant needs a value" "an option without its value"
like "$(load --tenant nobody "$folder")" "tenant not found.*HINT.*was not loaded.*counts nothing twice" "an unknown tenant"
is "$(load --tenant nobody "$folder" | grep -cE 'CONTEXT|PL/pgSQL|LINE')" 0 "and no insides of the server"
like "$(PGDATABASE=postgres load "$folder")" "the database postgres has no bcce.*CREATE EXTENSION" "a database without bcce"
like "$(PGDATABASE=no_such_database load "$folder")" "no connection to a database.*PGDATABASE" "no database"
like "$(PGUSER=folders_reader load "$folder")" "folders_reader may not write.*create_login" "a login that may not write"
unset PGUSER
psql -XqAt -d "$db" -U postgres -c "DROP OWNED BY folders_writer, folders_reader" -c "DROP ROLE folders_writer, folders_reader"
done_testing
