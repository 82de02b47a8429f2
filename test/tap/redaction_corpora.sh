#!/usr/bin/env bash
# Redaction on the labelled corpora: what is found against what is labelled, by
# the scorer that lies beside them; and on every line, in every style, that
# redacting twice changes nothing and no text grows without bound.
# Needs a running server (PG*), a superuser, PGDATABASE with bcce, python3.
set -uo pipefail
. "$(dirname "$0")/../lib/tap.sh"
data=${BCCE_DATA:-$root_dir/../shared/data/real}
corpora=${BCCE_CORPORA:-$data/../../corpora/redaction}
[ -e "$corpora/score.py" ] || skip_all "no corpora at $corpora"
command -v python3 >/dev/null || skip_all "python3 is not installed"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
run() { psql -XqAt -v ON_ERROR_STOP=1 "$@"; }

run -c "SET client_min_messages = error" -c "DROP TABLE IF EXISTS corpus_lines" \
    -c "CREATE UNLOGGED TABLE corpus_lines (file text, record jsonb)"
for file in "$corpora"/*.jsonl; do
    name=$(basename "$file" .jsonl)
    run -c "ALTER TABLE corpus_lines ALTER file SET DEFAULT '$name'"
    # A line is one JSON record; COPY must not see its backslashes as its own.
    sed 's/\\/\\\\/g' "$file" | run -c "\copy corpus_lines (record) FROM pstdin"
done
ok $? "the corpora load: $(run -c "SELECT count(*) FROM corpus_lines") lines"

for style in tag mask numbered drop; do
    for kinds in default all; do
        is "$(run -c "SELECT count(*) FROM corpus_lines, LATERAL (SELECT bcce.redact(record ->> 'text', ARRAY['$kinds'], '$style') AS once) AS r
                      WHERE bcce.redact(once, ARRAY['$kinds'], '$style') <> once")" 0 "redacting twice changes nothing: $style, $kinds"
        is "$(run -c "SELECT count(*) FROM corpus_lines, LATERAL (SELECT bcce.redact(record, ARRAY['$kinds'], '$style') AS once) AS r
                      WHERE bcce.redact(once, ARRAY['$kinds'], '$style') <> once")" 0 "as jsonb likewise: $style, $kinds"
    done
    is "$(run -c "SELECT count(*) FROM corpus_lines WHERE octet_length(bcce.redact(record ->> 'text', ARRAY['all'], '$style')) > octet_length(record ->> 'text') + 32 * (
                      SELECT count(*) FROM bcce.find_pii(record ->> 'text', ARRAY['all']))")" 0 "a text grows by a tag for each hit at most: $style"
done
is "$(run -c "SELECT count(*) FROM corpus_lines WHERE bcce.redact(record) ->> 'text' <> bcce.redact(record ->> 'text')")" 0 "a value of jsonb is redacted as the text is"
is "$(run -c "SELECT count(*) FROM corpus_lines WHERE bcce.contains_pii(record ->> 'text') <> (bcce.redact(record ->> 'text') <> record ->> 'text')")" 0 \
    "contains_pii says whether redact changes the text"

# find KINDS: what is found, under the scorer's names.
find_all() {
    run -c "SELECT jsonb_build_object('id', record ->> 'id', 'spans', coalesce((
                SELECT jsonb_agg(jsonb_build_object('start', p.start - 1, 'end', p.start - 1 + p.length, 'type',
                    CASE p.kind WHEN 'national_id' THEN 'PERSON_ID_OTHER' WHEN 'crypto_wallet' THEN 'CRYPTO' ELSE upper(p.kind) END))
                FROM bcce.find_pii(record ->> 'text', ARRAY['$1']) AS p), '[]'))
            FROM corpus_lines" >"$folder/$1.jsonl"
}
find_all default
find_all all

# score KINDS FILE...: the scorer's answer on some of the corpora, as JSON.
score() {
    local kinds=$1 file paths=()
    shift
    for file in "$@"; do paths+=("$corpora/$file.jsonl"); done
    python3 "$corpora/score.py" "$folder/$kinds.jsonl" "${paths[@]}" --json
}
# at_least JSON EXPRESSION LIMIT NAME; at_most likewise.  s is the answer.
measure() { python3 -c 'import json, sys; s = json.loads(sys.argv[1]); print("%.5f" % eval(sys.argv[2]))' "$1" "$2"; }
at_least() { local got; got=$(measure "$1" "$2"); ok "$(python3 -c "print(0 if $got >= $3 else 1)")" "$4: $got, at least $3"; }
at_most() { local got; got=$(measure "$1" "$2"); ok "$(python3 -c "print(0 if $got <= $3 else 1)")" "$4: $got, at most $3"; }

files=()
for file in "$corpora"/*.jsonl; do files+=("$(basename "$file" .jsonl)"); done
all=$(score default "${files[@]}")
structured=$(score default presidio_research)
phones=$(score default libphonenumber_examples)
logs=$(score default loghub_lines)
packs=$(score all "${files[@]}")
pack_logs=$(score all loghub_lines)

at_least "$structured" "min(v['F1'] for k, v in s['spans'].items() if k not in ('ALL', 'PERSON_ID_OTHER', 'CRYPTO'))" 0.97 "structured kinds in sentences, the least F1"
at_least "$all" "s['spans']['SECRET']['R_any']" 0.95 "secrets, recall of any kind"
at_least "$all" "s['spans']['SECRET']['R']" 0.92 "secrets, recall of their own kind"
at_least "$all" "s['spans']['IBAN']['R']" 1.0 "IBAN, recall"
at_most "$all" "s['whole']['IBAN']['alarm_rate']" 0.01 "IBAN, alarms on bad checksums"
at_least "$all" "s['spans']['CREDIT_CARD']['R']" 0.99 "cards, recall"
at_most "$all" "s['whole']['CREDIT_CARD']['alarm_rate']" 0 "cards, alarms on failed Luhn"
at_least "$phones" "s['spans']['PHONE']['R']" 0.99 "example numbers of all countries, recall"
at_least "$all" "s['spans']['IP']['F1']" 0.99 "addresses, F1"
at_least "$all" "s['spans']['MAC']['R']" 1.0 "hardware addresses, recall"
at_least "$all" "s['spans']['URL_CREDENTIALS']['R']" 0.97 "passwords in URLs, recall"
at_most "$logs" "s['chars']['over']" 0.0005 "log lines, share of characters redacted that should not be"
for kind in CREDIT_CARD:0.001 PHONE:0.002; do
    at_most "$logs" "s['spans'].get('${kind%%:*}', {}).get('pred', 0) / $(run -c "SELECT count(*) FROM corpus_lines WHERE file = 'loghub_lines'")" \
        "${kind#*:}" "log lines with a false ${kind%%:*}"
done
at_least "$packs" "s['spans']['PERSON_ID_OTHER']['R_any']" 0.85 "pack of national ids, recall of any kind"
at_most "$packs" "s['whole']['PERSON_ID_OTHER']['alarm_rate']" 0.05 "pack of national ids, alarms"
at_least "$packs" "s['spans']['CRYPTO']['R']" 1.0 "pack of wallets, recall"
at_most "$packs" "s['whole']['CRYPTO']['alarm_rate']" 0 "pack of wallets, alarms"
at_most "$pack_logs" "sum(s['spans'].get(k, {}).get('pred', 0) for k in ('PERSON_ID_OTHER', 'CRYPTO'))" 0 "log lines with a false hit of the packs"
run -c "DROP TABLE corpus_lines"
done_testing
