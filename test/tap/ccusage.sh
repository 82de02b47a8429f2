#!/usr/bin/env bash
# The calls of the sample transcripts against another counter: ccusage 20.0.20,
# which works without this extension and prices offline from a list of its own.
# It has three rules that are not the vendors': the price above 200,000 tokens is
# taken for the tokens beyond in each class, not for the request; inference kept
# in the US and searches cost nothing more; and what it has no price for is free.
# Priced so, and only here, the tokens that the product stored give its numbers in
# every cell of its reports, so that the difference of the totals is these rules.
set -uo pipefail
. "$(dirname "$0")/../lib/tap.sh"
version=20.0.20
data=$(cd "${BCCE_DATA:-/nonexistent}/../cost/transcripts" 2>/dev/null && pwd) || skip_all "no cost data beside BCCE_DATA"
command -v npm >/dev/null || skip_all "npm is not installed"
work=$TMPDIR
db=$PGDATABASE
npm_config_cache=$work/npm npm_config_update_notifier=false timeout 120 npm install --prefix "$work/ccusage" --ignore-scripts --no-audit --no-fund \
    "ccusage@$version" >"$work/npm.log" 2>&1 || skip_all "npm could not install ccusage $version"
# report SET NAME [OPTION]: a report of ccusage as JSON, in UTC, of nothing but the set.
report() {
    env -i PATH="$PATH" HOME="$work" CLAUDE_CONFIG_DIR="$data/$1" "$work/ccusage/node_modules/.bin/ccusage" claude "${@:2}" \
        --offline --json --mode calculate --timezone UTC --breakdown 2>>"$work/ccusage.log"
}
q() { sql "$db" postgres -c "$1"; }

# Which session's line of a call counts: ccusage puts the call there, the product
# where its earliest line is, which differs where an answer was copied by half.
q "CREATE TABLE public.line (set text, message text, session text, output_tokens bigint)" >/dev/null
for set in synthetic-a real-sniffly; do
    q "SELECT bcce.create_tenant('$set', '$set')" >/dev/null
    find "$data/$set/projects" -name '*.jsonl' | sort | while read -r file; do
        project=${file#"$data/$set/projects/"}
        printf "\\\\set lines \`cat '%s'\`\nSELECT bcce.ingest_transcript('claude-code', :'lines', project => '%s', tenant => '%s');\n" "$file" "${project%%/*}" "$set"
        echo "INSERT INTO public.line SELECT '$set', l.line #>> '{message,id}', l.line ->> 'sessionId', (l.line #>> '{message,usage,output_tokens}')::bigint
            FROM (SELECT bcce.try_jsonb(t) AS line FROM string_to_table(:'lines', E'\n') AS t) AS l WHERE l.line #> '{message,usage}' IS NOT NULL;"
    done | sql "$db" postgres | grep -c ERROR
done >"$work/errors"
is "$(paste -sd ' ' "$work/errors")" "0 0" "the transcripts load"

# Each report as it is; its cells: what it groups by, the model, four counts, the cost.
q "CREATE TABLE public.ccusage (set text, report text, document jsonb)" >/dev/null
for set in synthetic-a real-sniffly; do
    for name in daily weekly monthly session; do
        file=$work/$set.$name
        report "$set" $name $([ $name != daily ] || echo --instances) | tr -d '\n' >"$file"
        sql "$db" postgres -v set="$set" -v name="$name" -v file="$file" <<'SQL'
\setenv FILE :file
\set document `cat "$FILE"`
INSERT INTO public.ccusage VALUES (:'set', :'name', :'document');
SQL
    done
done
is "$(q "SELECT count(*) FROM public.ccusage WHERE document ? 'totals'")" 8 "ccusage $version reports by project and day, week, month and session"
q "CREATE VIEW public.theirs AS
    SELECT c.set, c.report, coalesce(r.item ->> 'project' || ' ' || (r.item ->> 'date'), r.item ->> 'week', r.item ->> 'month', r.item ->> 'sessionId') AS cell, m.item ->> 'modelName' AS model,
        (m.item ->> 'inputTokens')::bigint AS input, (m.item ->> 'outputTokens')::bigint AS output, (m.item ->> 'cacheReadTokens')::bigint AS cache_read,
        (m.item ->> 'cacheCreationTokens')::bigint AS cache_write, (m.item ->> 'cost')::numeric AS cost
    FROM public.ccusage AS c
    CROSS JOIN LATERAL jsonb_path_query(c.document, 'strict \$.** ? (exists(@.modelBreakdowns))') AS r (item)
    CROSS JOIN LATERAL jsonb_array_elements(r.item -> 'modelBreakdowns') AS m (item)" >/dev/null
# What the product stored, priced by those rules and the same book.
q "CREATE VIEW public.ours AS
    WITH call AS (
        SELECT t.slug AS set, u.*, cost.usd, line.session AS their_session
        FROM bcce_data.model_usage AS u
        JOIN bcce_data.tenants AS t USING (tenant_id)
        CROSS JOIN LATERAL (SELECT l.session FROM public.line AS l WHERE l.set = t.slug AND 'msg:' || l.message = u.idempotency_key
            ORDER BY l.output_tokens DESC, l.session COLLATE \"C\" LIMIT 1) AS line
        -- As it is in the book, or without its date.
        CROSS JOIN LATERAL (SELECT CASE WHEN EXISTS (SELECT FROM bcce_data.default_model_prices AS p WHERE p.model_id = u.model_id) THEN u.model_id
            ELSE regexp_replace(u.model_id, '-[0-9]{8}\$', '') END AS name) AS book
        CROSS JOIN LATERAL (
            SELECT sum(least(coalesce(c.tokens, 0), 200000) * p.price_usd + greatest(coalesce(c.tokens, 0) - 200000, 0) * coalesce(above.price_usd, p.price_usd))
                * CASE u.speed WHEN 'fast' THEN (SELECT f.factor FROM bcce_data.default_model_price_factors AS f
                    WHERE f.model_id = book.name AND f.factor_kind = 'fast' AND f.valid @> u.at AND f.known @> now()) ELSE 1 END AS usd
            FROM (VALUES ('input', u.input_tokens), ('output', u.output_tokens), ('cache_read', u.cache_read_tokens), ('cache_write_5m', u.cache_write_5m_tokens),
                ('cache_write_1h', u.cache_write_1h_tokens)) AS c (class, tokens)
            JOIN bcce_data.default_model_prices AS p ON p.model_id = book.name AND p.token_class = c.class AND p.context_above = 0 AND p.service_tier = 'standard'
                AND p.valid @> u.at AND p.known @> now()
            LEFT JOIN bcce_data.default_model_prices AS above ON above.model_id = book.name AND above.token_class = c.class AND above.context_above = 200000
                AND above.service_tier = 'standard' AND above.valid @> u.at AND above.known @> now()
        ) AS cost
    )
    SELECT c.set, k.report, k.cell, c.model_id || CASE c.speed WHEN 'fast' THEN '-fast' ELSE '' END AS model, sum(c.input_tokens) AS input, sum(c.output_tokens) AS output,
        sum(c.cache_read_tokens) AS cache_read, sum(coalesce(c.cache_write_5m_tokens, 0) + coalesce(c.cache_write_1h_tokens, 0)) AS cache_write, coalesce(sum(c.usd), 0) AS cost
    FROM call AS c
    CROSS JOIN LATERAL (SELECT (c.at AT TIME ZONE 'UTC')::date AS day) AS d
    CROSS JOIN LATERAL (VALUES ('daily', c.project || ' ' || d.day), ('weekly', (d.day - extract(dow FROM d.day)::integer)::text), ('monthly', to_char(d.day, 'YYYY-MM')),
        ('session', c.their_session)) AS k (report, cell)
    GROUP BY 1, 2, 3, 4" >/dev/null
is "$(q "SELECT count(*) FROM public.theirs AS t FULL JOIN public.ours AS o USING (set, report, cell, model)
    WHERE (t.input, t.output, t.cache_read, t.cache_write) IS DISTINCT FROM (o.input, o.output, o.cache_read, o.cache_write)")" 0 "the tokens of every cell are the same"
is "$(q "SELECT count(*) FROM public.theirs AS t FULL JOIN public.ours AS o USING (set, report, cell, model) WHERE abs(t.cost - o.cost) < 1e-9 IS NOT TRUE")" 0 \
    "by its rules every cell costs the same, to 1e-9"
is "$(q "SELECT count(*) FILTER (WHERE is_elsewhere) || ' of ' || count(*) FROM (SELECT u.session_id <> (SELECT l.session FROM public.line AS l WHERE 'msg:' || l.message = u.idempotency_key
    ORDER BY l.output_tokens DESC, l.session COLLATE \"C\" LIMIT 1) AS is_elsewhere FROM bcce_data.model_usage AS u) AS c")" "2 of 690" "the session of a call is the same, but for two answers copied by half"
# What is known of the two sets, and what the rules come to.
is "$(q "SELECT string_agg(c.set || ' ' || round((c.document #>> '{totals,totalCost}')::numeric, 9), ', ' ORDER BY c.set DESC) FROM public.ccusage AS c WHERE c.report = 'session'")" \
    "synthetic-a 84.974545555, real-sniffly 2.032668600" "its totals are the known ones"
is "$(q "SELECT string_agg(t.slug || ' ' || s.usd, ', ' ORDER BY t.slug DESC) FROM bcce_data.tenants AS t
    CROSS JOIN LATERAL (SELECT trim_scale(sum(u.charged_usd)) AS usd FROM bcce_data.model_usage AS u WHERE u.tenant_id = t.tenant_id) AS s
    WHERE t.slug IN ('synthetic-a', 'real-sniffly')")" "synthetic-a 87.75258808, real-sniffly 2.0326686" "by the product's rules the totals are the true ones"
q "SELECT '# ' || set || ', ' || report || ': ' || count(*) || ' cells, most they differ by ' || max(abs(t.cost - o.cost))::float8 || ' USD'
    FROM public.theirs AS t JOIN public.ours AS o USING (set, report, cell, model) GROUP BY set, report ORDER BY set DESC, report"
sed 's/^/# /' "$work/ccusage.log" | head -n 5
q "DROP VIEW public.ours, public.theirs; DROP TABLE public.ccusage, public.line" >/dev/null
done_testing
