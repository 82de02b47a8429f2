#!/usr/bin/env bash
# A transcript of a coding assistant with keys, passwords, addresses and card
# numbers in its tool output (transcript.py makes it up): redaction and storing
# as events take every planted value away, touch no count of tokens and no id,
# and leave structure and types as they were.
# Needs a running server (PG*), a superuser, PGDATABASE with bcce, python3.
set -uo pipefail
. "$(dirname "$0")/../lib/tap.sh"
command -v python3 >/dev/null || skip_all "python3 is not installed"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
run() { psql -XqAt -v ON_ERROR_STOP=1 "$@"; }
python3 "$(dirname "$0")/transcript.py" "$folder"
ok $? "a transcript is made"

run <<SQL
SET client_min_messages = error;
DROP SCHEMA IF EXISTS transcript CASCADE;
CREATE SCHEMA transcript;
CREATE TABLE transcript.lines (n int GENERATED ALWAYS AS IDENTITY (START 0 MINVALUE 0), line jsonb);
CREATE TABLE transcript.clean (line jsonb);
CREATE TABLE transcript.planted (n int, value text, source text);
-- Every scalar of a document: where it is, its type, itself.
CREATE FUNCTION transcript.scalars(document jsonb) RETURNS TABLE (path text, type text, value text) LANGUAGE sql AS \$\$
    WITH RECURSIVE nodes AS (
        SELECT '' AS path, document AS node
        UNION ALL
        SELECT nodes.path || '/' || child.key, child.node
        FROM nodes, LATERAL (
            SELECT key, value FROM jsonb_each(CASE jsonb_typeof(nodes.node) WHEN 'object' THEN nodes.node ELSE '{}' END)
            UNION ALL
            SELECT i::text, value FROM jsonb_array_elements(CASE jsonb_typeof(nodes.node) WHEN 'array' THEN nodes.node ELSE '[]' END) WITH ORDINALITY AS a (value, i)
        ) AS child (key, node))
    SELECT path, jsonb_typeof(node), CASE WHEN jsonb_typeof(node) NOT IN ('object', 'array') THEN node #>> '{}' END FROM nodes \$\$;
SQL
for table in lines clean; do
    sed 's/\\/\\\\/g' "$folder/$table.jsonl" | run -c "\copy transcript.$table (line) FROM pstdin"
done
run -v planted="$(cat "$folder/planted.json")" <<'SQL'
INSERT INTO transcript.planted SELECT (p ->> 'line')::int, p ->> 'value', p ->> 'source' FROM jsonb_array_elements(:'planted') AS p;
-- A value as it stands inside of a JSON string, and inside of JSON in one.
ALTER TABLE transcript.planted ADD as_text text;
UPDATE transcript.planted SET as_text = trim('"' FROM to_jsonb(value)::text);
CREATE TABLE transcript.redacted AS SELECT n, line, bcce.redact(line) AS new FROM transcript.lines;
SQL
ok $? "it loads: $(run -c "SELECT (SELECT count(*) FROM transcript.lines) || ' lines, ' || count(*) || ' values planted' FROM transcript.planted")"

is "$(run -c "SELECT count(*) FROM transcript.planted AS p JOIN transcript.lines AS l USING (n) WHERE position(as_text IN line::text) = 0")" 0 "every planted value is in the transcript"
is "$(run -c "SELECT string_agg(DISTINCT source || ': ' || left(value, 6), ', ') FROM transcript.planted AS p JOIN transcript.redacted AS r USING (n) WHERE position(as_text IN new::text) > 0")" "" "none is left in it after redact(jsonb)"
is "$(run -c "SELECT count(*) FROM transcript.planted AS p JOIN transcript.redacted AS r USING (n) WHERE position(as_text IN bcce.redact(line::text)) > 0")" 0 "nor after redact(text) of the line as it was written"
is "$(run -c "SELECT count(*) FROM transcript.redacted, LATERAL (
                  (SELECT path, type FROM transcript.scalars(line) EXCEPT ALL SELECT path, type FROM transcript.scalars(new))
                  UNION ALL (SELECT path, type FROM transcript.scalars(new) EXCEPT ALL SELECT path, type FROM transcript.scalars(line))) AS d")" 0 "structure and types are equal"
is "$(run -c "SELECT count(*) FROM transcript.redacted, LATERAL (
                  SELECT path, value FROM transcript.scalars(line) WHERE type <> 'string' OR path ~ '/(uuid|parentUuid|sessionId|timestamp|requestId|id|tool_use_id|model|version|type|role|name|cwd|gitBranch|service_tier|stop_reason)$'
                  EXCEPT ALL SELECT path, value FROM transcript.scalars(new)) AS d")" 0 "no count, number, id, time or version is touched"
is "$(run -c "SELECT count(*) FROM transcript.redacted, transcript.scalars(new) WHERE path ~ 'tokens$' AND type <> 'number'")" 0 "counts of tokens are numbers"
like "$(run -c "SELECT count(*) FROM transcript.redacted, transcript.scalars(new) WHERE path ~ 'tokens$'")" '^[1-9][0-9]{2}' "and there are hundreds of them"
is "$(run -c "SELECT count(*) FROM transcript.redacted WHERE bcce.redact(new) <> new")" 0 "redacting again changes nothing"
is "$(run -c "SELECT string_agg(DISTINCT d.value, ', ') FROM transcript.clean, LATERAL (SELECT value FROM transcript.scalars(bcce.redact(line)) EXCEPT SELECT value FROM transcript.scalars(line)) AS d (value)")" "" \
    "what only looks like it stays: $(run -c "SELECT count(*) FROM transcript.clean") lines"

# Stored as events, by the inbox of JSON lines.
run -c "SET client_min_messages = error" -c "DROP ROLE IF EXISTS regress_transcript" -c "SELECT bcce.create_tenant('transcript', 'Transcript'), bcce.create_login('regress_transcript', 'transcript', 'ingest')" >/dev/null
run -c "COPY (SELECT jsonb_build_object('event_id', 'line-' || n, 'event_type', 'tool_result', 'occurred_at', line ->> 'timestamp', 'properties', line) FROM transcript.lines ORDER BY n) TO STDOUT" >"$folder/events"
run -U regress_transcript -c "\copy bcce.inbox_json (line) FROM '$folder/events'"
ok $? "the lines are copied into the inbox"
is "$(run -c "SELECT count(*) FROM bcce_data.events WHERE event_type = 'tool_result'")" "$(run -c "SELECT count(*) FROM transcript.lines")" "every line is an event"
is "$(run -c "SELECT count(*) FROM transcript.planted AS p, (SELECT string_agg(to_jsonb(e)::text, E'\n') AS stored FROM bcce_data.events AS e) AS s WHERE position(as_text IN stored) > 0")" 0 "no planted value is stored"
is "$(run -c "SELECT count(*) FROM (
                  SELECT path, type, value FROM transcript.lines, transcript.scalars(line) WHERE path ~ 'tokens$'
                  EXCEPT ALL SELECT path, type, value FROM bcce_data.events, transcript.scalars(properties) WHERE path ~ 'tokens$') AS d")" 0 "every count of tokens is, as a number"
[ -n "${KEEP:-}" ] || run -c "SET client_min_messages = error" -c "DROP SCHEMA transcript CASCADE" -c "DROP OWNED BY regress_transcript" -c "DROP ROLE regress_transcript" >/dev/null
done_testing
