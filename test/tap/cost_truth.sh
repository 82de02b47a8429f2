#!/usr/bin/env bash
# Calls of language models in transcripts and telemetry whose exact cost is known:
# the total and every cell, loaded in any order, twice, in pieces and both ways;
# what telemetry counts agrees; a price list reports its faults, a history of
# prices replays; nobody's address is anywhere in the cluster.
set -uo pipefail
. "$(dirname "$0")/../lib/tap.sh"
data=$(cd "${BCCE_DATA:-/nonexistent}/../cost" 2>/dev/null && pwd) || skip_all "no cost data beside BCCE_DATA"
command -v python3 >/dev/null || skip_all "python3 is not installed"
work=$TMPDIR
db=$PGDATABASE
q() { sql "$db" postgres -c "$1"; }
q "SELECT bcce.create_tenant('truth', 'Truth')" >/dev/null

# One statement a file, or several of pieces; seed 0 keeps files whole and in order.
python3 - "$data" "$work" <<'PY'
import csv, glob, os, random, sys
data, work = sys.argv[1:3]
base = data + '/transcripts'
# Addresses that stand nowhere else in the cluster.
def mark(s):
    return s.replace('@example.', '@costtruth.example.')
people = {r['session_id']: (mark(r['user']), r['team']) for r in csv.DictReader(open(base + '/synthetic-a-truth-requests.csv'))}
def quote(s):
    return 'NULL' if s is None else '$q$' + s + '$q$'
for seed in range(3):
    random.seed(seed)
    calls = []
    for path in sorted(glob.glob(base + '/synthetic-a/**/*.jsonl', recursive=True)):
        project, name = os.path.relpath(path, base + '/synthetic-a/projects').split('/')[:2]
        user, team = people.get(name.replace('.jsonl', ''), (None, None))
        lines = open(path, errors='surrogateescape').read().split('\n')
        pieces = [lines]
        if seed:
            random.shuffle(lines)
            at = random.randrange(len(lines) + 1)
            pieces = [lines[:at], lines[at:]]
        calls += ["SELECT bcce.ingest_transcript('claude-code', $jsonl$" + '\n'.join(p) + '$jsonl$, ' +
                  ', '.join(map(quote, (user, project, team))) + ", 'truth');" for p in pieces]
    export = ["SELECT bcce.ingest_otlp($jsonl$" + mark(line.strip()) + "$jsonl$, 'truth', 'claude-code');"
              for kind in ('logs', 'metrics') for line in open(f'{data}/otlp/{kind}.otlp.jsonl')]
    if seed:
        random.shuffle(calls)
    open(f'{work}/transcripts.{seed}.sql', 'w').write('\n'.join(calls))
    open(f'{work}/otlp.sql', 'w').write('\n'.join(export))
    both = calls + export
    random.shuffle(both)
    open(f'{work}/both.{seed}.sql', 'w').write('\n'.join(both))
PY
load() { sql "$db" postgres -f "$1" | grep -c ERROR; }
# All there is but what depends on when it was loaded, and the name of the key that came first.
content() {
    q "SELECT md5(string_agg(t::text, '' ORDER BY t.at, t.model_id, t.input_tokens, t.output_tokens)) FROM (SELECT at, model_id, user_key, session_id, run_id, request_id,
        project, team_id, input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, web_searches, speed, inference_geo, service_tier,
        client_cost_usd, charged_usd, counted_at, ttl_assumed, told_by, event_tokens FROM bcce_data.model_usage) AS t"
}
total() { q "SELECT count(*) || ' calls, ' || trim_scale(sum(charged_usd)) || ' USD, ' || count(*) FILTER (WHERE charged_usd IS NULL) || ' unpriced' FROM bcce_data.model_usage"; }
empty() { q "TRUNCATE bcce_data.model_usage, bcce_data.model_usage_keys, bcce_data.model_usage_counters" >/dev/null; }

is "$(load "$work/transcripts.0.sql")" 0 "transcripts load"
is "$(total)" "628 calls, 87.75258808 USD, 18 unpriced" "the total, to the last digit, by the prices that are shipped"
is "$(q "SELECT sum((input_tokens + output_tokens + cache_read_tokens + coalesce(cache_write_5m_tokens, 0) + coalesce(cache_write_1h_tokens, 0))) || ' ' || min(model_id)
    || ' ' || string_agg(DISTINCT bcce.token_cost_status(model_id, at, input_tokens, output_tokens), ',') FROM bcce_data.model_usage WHERE charged_usd IS NULL")" \
    "2451371 claude-aurora-7-20270101 unknown_model" "what is unpriced is named with its tokens"

# Each cell of the truth: day and model, user, project.  Part of the query, so
# that the names of people reach no file.
truth=$(python3 - "$data" <<'PY'
import json, sys
truth = json.load(open(sys.argv[1] + '/transcripts/synthetic-a-truth.json'))
print(',\n'.join("('%s', '%s', %d, %d, %d, %d, %d, %d, %d, %s)" % (kind, cell.replace('@example.', '@costtruth.example.'), v['requests'], v['unpriced_requests'], v['input'],
    v['output'], v['cache_5m'], v['cache_1h'], v['cache_read'], v['cost']) for kind in ('day_model', 'user', 'project') for cell, v in truth[kind].items()))
PY
)
like "$(wc -l <<<"$truth")" '^[0-9]{3}$' "the truth has cells"
compare="SELECT count(*) FROM (SELECT kind, CASE kind WHEN 'user' THEN bcce.pseudonym(cell, 'user', (SELECT tenant_id FROM bcce_data.tenants WHERE slug = 'truth')) ELSE cell END AS cell,
            requests, unpriced, input, output, w5, w1, r, cost
        FROM (VALUES $truth) AS v (kind, cell, requests, unpriced, input, output, w5, w1, r, cost)) AS t
    FULL JOIN cell AS c USING (kind, cell)
    WHERE (t.requests, t.unpriced, t.input, t.output, t.w5, t.w1, t.r, t.cost) IS DISTINCT FROM (c.requests, c.unpriced, c.input, c.output, c.w5, c.w1, c.r, c.cost)"
cells="WITH cell AS (
        SELECT k.kind, k.cell, count(*) AS requests, count(*) FILTER (WHERE u.charged_usd IS NULL) AS unpriced, sum(u.input_tokens) AS input, sum(u.output_tokens) AS output,
            sum(coalesce(u.cache_write_5m_tokens, 0)) AS w5, sum(coalesce(u.cache_write_1h_tokens, 0)) AS w1, sum(u.cache_read_tokens) AS r, coalesce(sum(u.charged_usd), 0) AS cost
        FROM bcce_data.model_usage AS u
        CROSS JOIN LATERAL (VALUES ('day_model', (u.at AT TIME ZONE 'UTC')::date || '|' || u.model_id), ('user', u.user_key), ('project', u.project)) AS k (kind, cell)
        GROUP BY 1, 2)
    $compare"
# The same by the reports: the models of each day, the users, the projects.
reports="WITH report AS (
        SELECT 'day_model' AS kind, d.day || '|' || m.model_id AS cell, to_jsonb(m) AS r
        FROM (SELECT DISTINCT (at AT TIME ZONE 'UTC')::date AS day FROM bcce_data.model_usage) AS d
        CROSS JOIN LATERAL bcce.cost_by_model(d.day::timestamp AT TIME ZONE 'UTC', (d.day + 1)::timestamp AT TIME ZONE 'UTC') AS m
        UNION ALL SELECT 'user', user_key, to_jsonb(u) FROM bcce.cost_by_user AS u
        UNION ALL SELECT 'project', project, to_jsonb(p) FROM bcce.cost_by_project AS p
    ), cell AS (
        SELECT kind, cell, (r ->> 'model_call_count')::bigint AS requests, (r ->> 'unpriced_units')::bigint AS unpriced, (r ->> 'input_tokens')::bigint AS input,
            (r ->> 'output_tokens')::bigint AS output, coalesce((r ->> 'cache_write_5m_tokens')::bigint, 0) AS w5, coalesce((r ->> 'cache_write_1h_tokens')::bigint, 0) AS w1,
            (r ->> 'cache_read_tokens')::bigint AS r, coalesce((r ->> 'model_cost_usd')::numeric, 0) AS cost
        FROM report)
    $compare"
is "$(sql "$db" postgres <<<"$cells")" 0 "every cell of day and model, user and project"
is "$(sql "$db" postgres <<<"$reports")" 0 "and of the reports of them"
is "$(q "SELECT coalesce(model_cost_usd::text, 'NULL') || ' ' || unpriced_units FROM bcce.cost_by_model WHERE model_id LIKE '%aurora%'")" "NULL 18" "what an unknown model costs is unknown, not 0"
is "$(q "SELECT model_id || ' ' || reason || ' ' || model_call_count || ' ' || input_tokens + output_tokens + cache_read_tokens + coalesce(cache_write_5m_tokens, 0) + coalesce(cache_write_1h_tokens, 0)
    FROM bcce.unpriced_usage WHERE tenant_name = 'Truth'")" "claude-aurora-7-20270101 unknown_model 18 2451371" "unpriced_usage names it"
first=$(content)
is "$(load "$work/transcripts.1.sql") $(total) $(content)" "0 628 calls, 87.75258808 USD, 18 unpriced $first" "loaded again, shuffled and in pieces: nothing changes"

empty
is "$(load "$work/transcripts.2.sql") $(content)" "0 $first" "shuffled and in pieces from the start: the same rows"
empty
for seed in 0 1 2; do
    load "$work/transcripts.$seed.sql" >"$work/errors.$seed" &
done
wait
is "$(sort -u "$work"/errors.?) $(content)" "0 $first" "three at a time, each in another order: the same rows, and none waits for another in vain"
empty
is "$(PGUSER=postgres "$(dirname "$0")/../../scripts/load-claude-code" --tenant truth --user "O'Hara\\@costtruth.example.net" "$data/transcripts/synthetic-a/projects" 2>&1 | tail -n 1) $(total)" \
    "74 transcripts: 1628 lines of calls, 628 calls new, 2 changed, 0 lines refused, 1 malformed 628 calls, 87.75258808 USD, 18 unpriced" "by the script that loads folders"
empty
sql "$db" postgres -f "$work/transcripts.2.sql" >/dev/null
is "$(load "$work/otlp.sql") $(q "SELECT count(*) FILTER (WHERE told_by = 3) || ' of ' || count(*) || ', mismatches ' || count(*) FILTER (WHERE source_mismatch) FROM bcce_data.model_usage")" \
    "0 151 of 628, mismatches 0" "telemetry tells of the same calls"
is "$(sql "$db" postgres <<<"$cells")" 0 "and changes no cell"
# The report of both, with calls of which only transcripts tell beside them.
is "$(q "SELECT count(*) > 2, count(*) FILTER (WHERE (i, o, r, w) IS DISTINCT FROM (0, 0, 0, 0)), sum(calls), sum(others), sum(mismatched), bool_and(abs(cost_percent) < 0.1) FROM (
    SELECT model_id, sum(counter_input_tokens) - sum(call_input_tokens) AS i, sum(counter_output_tokens) - sum(call_output_tokens) AS o, sum(counter_cache_read_tokens) - sum(call_cache_read_tokens) AS r,
        sum(counter_cache_write_tokens) - sum(call_cache_write_tokens) AS w, sum(counted_calls) AS calls, sum(uncounted_calls) AS others, sum(mismatched_calls) AS mismatched,
        100 * (sum(counter_cost_usd) - sum(client_cost_usd)) / nullif(sum(client_cost_usd), 0) AS cost_percent
    FROM bcce.usage_reconciliation WHERE tenant_name = 'Truth' GROUP BY model_id) AS m WHERE calls > 0")" "t|0|151|477|0|t" "usage_reconciliation: counters and calls agree for each model and class"
is "$(q "SELECT string_agg(DISTINCT usage_date::text, ' ' ORDER BY usage_date::text) FROM bcce.usage_reconciliation WHERE counted_calls > 0 AND model_id NOT LIKE '%aurora%'
    AND (difference_tokens = 0 AND abs(cost_difference_percent) < 0.1) IS NOT TRUE")" "2026-06-26 2026-06-27" "and on each day, but for a session over midnight; clients' estimates are ours"
both=$(content)
for seed in 1 2; do
    empty
    is "$(load "$work/both.$seed.sql") $(total) $(content)" "0 628 calls, 87.75258808 USD, 18 unpriced $both" "transcripts and telemetry in any order ($seed): the same rows"
done
is "$(q "SELECT string_agg(c.value::text, ' ' ORDER BY c.token_class) = (SELECT concat_ws(' ', sum(event_tokens[3]), sum(event_tokens[4]), sum(event_tokens[1]), sum(event_tokens[2]))
        FROM bcce_data.model_usage WHERE event_tokens IS NOT NULL)
    FROM (SELECT token_class, sum(value)::bigint AS value FROM bcce_data.model_usage_counters WHERE metric = 'tokens' GROUP BY 1) AS c")" t "the counters agree with the calls"

# A real session.
empty
sql "$db" postgres -v file="$(ls "$data"/transcripts/real-sniffly/projects/*/*.jsonl)" >/dev/null <<'SQL'
\setenv FILE :file
\set lines `cat "$FILE"`
SELECT bcce.ingest_transcript('claude-code', :'lines', 'ada@costtruth.example.org', tenant => 'truth');
SQL
is "$(total)" "62 calls, 2.0326686 USD, 0 unpriced" "a real session"

# The price list, and the history of prices.
sql "$db" postgres -v file="$data/prices/litellm-prices-2026-07-24.json" >"$work/import" <<'SQL'
\setenv FILE :file
\set list `cat "$FILE"`
SELECT count(*) FILTER (WHERE note LIKE 'five-minute%') || ' and ' || count(*) FILTER (WHERE note LIKE '%times the price of input%')
FROM bcce.import_prices(:'list', NULL, 'a list') WHERE action = 'suspicious';
SELECT count(*) FROM bcce.import_prices(:'list', NULL, 'a list') WHERE action IN ('refused', 'change');
SQL
is "$(head -n 2 "$work/import" | tr '\n' ' ')" "49 and 4 0 " "a price list reports its 49 and 4 known faults, and differs in nothing from what is shipped"
q "CREATE TABLE public.history (model text, field text, value numeric, observed_from timestamptz, observed_until timestamptz)" >/dev/null
sql "$db" postgres -c "\copy public.history from '$data/prices/litellm-claude-price-history.csv' csv header" >/dev/null
is "$(sql "$db" postgres <<'SQL'
BEGIN;
DELETE FROM bcce_data.default_model_prices;
DELETE FROM bcce_data.default_model_price_factors;
-- Each interval of the history by the reader of lists, as the price that held then.
WITH item AS (
    SELECT l.kind, l.key, l.value, tstzrange(h.observed_from, h.observed_until) AS valid
    FROM public.history AS h
    CROSS JOIN LATERAL bcce_data.read_price_list(jsonb_build_object(h.model, CASE WHEN h.field LIKE 'provider_specific_entry.%'
        THEN jsonb_build_object('provider_specific_entry', jsonb_build_object(split_part(h.field, '.', 2), h.value)) ELSE jsonb_build_object(h.field, h.value) END)) AS l
    WHERE l.kind IS NOT NULL AND NOT isempty(tstzrange(h.observed_from, h.observed_until))
), price AS (
    INSERT INTO bcce_data.default_model_prices (model_id, token_class, context_above, service_tier, valid, price_usd)
    SELECT key[1], key[2], key[3]::bigint, key[4], valid, value FROM item WHERE kind = 'model_prices' RETURNING 1
), factor AS (
    INSERT INTO bcce_data.default_model_price_factors (model_id, factor_kind, valid, factor)
    SELECT key[1], key[2], valid, value FROM item WHERE kind = 'model_price_factors' RETURNING 1
)
SELECT (SELECT count(*) FROM price) > 1100, (SELECT count(*) FROM factor);
ROLLBACK;
SQL
)" "t|14" "the history of prices replays without a clash"

# Addresses of the people in the samples: in no file of the cluster.
q "CHECKPOINT" >/dev/null
home=$(q "SHOW data_directory")
is "$(grep -rlaF '@costtruth.example' "$home/base" "$home/pg_wal" 2>/dev/null | head -n 3)" "" "nobody's address is in any file"
q "DROP TABLE public.history" >/dev/null
done_testing
