#!/usr/bin/env bash
# Proves that an e-mail address, a payment card and a cloud key do not arrive
# anywhere in clear, whatever way they come: no table, no write-ahead log, no
# server log; refused rows included.  Speaks TAP.
#
# Not planted, because the server decides before bcce is asked: values that do
# not convert to the type of an argument (a date, a number, jsonb), and what a
# client prints of its own statement.
set -euo pipefail
. "$(dirname "$0")/../lib/tap.sh"

own_server privacy -c wal_level=replica -c full_page_writes=on
database=vault
psql -Xq -d postgres -c "CREATE DATABASE $database"
psql -Xq -d $database -c 'CREATE EXTENSION bcce'
psql -XAtq -d $database >/dev/null <<'SQL'
SELECT bcce.create_tenant('alpha', 'Alpha');
SELECT bcce.create_login('regress_privacy_writer', 'alpha', 'ingest');
SELECT bcce.create_login('regress_privacy_admin', 'alpha', 'admin');
SELECT bcce.create_login('regress_privacy_reader', 'alpha');
SELECT bcce.record_prediction('m', 'external', 't', 0.5, prediction_id => 'known', tenant => 'alpha');
CHECKPOINT;
SQL

# Whole in no file of the project: put together here.
mail="ada.lovelace""@""example""-corp.org"
card="4111""11111111""1111"
key="AKIA""IOSFODNN7""QXZWPLE"
planted="from $mail card $card key $key end"
is "$(sql $database postgres -c "SELECT bcce.redact('$planted') ~ '@|4111|AKIA'")" f "the three are ones that the scanner knows"

# The one statement above names them in clear only to a function that stores
# nothing; it succeeded, so that it is in no log.  From here on they count.
value="'$planted'"
json="jsonb_build_object('event_type', 'page_view', 'note', $value, 'list', jsonb_build_array($value, jsonb_build_object('deep', $value)))"

# statements NAME: one call of a function for each text or jsonb argument, all
# others at their defaults or a harmless value of their type.
calls() {
    sql $database postgres <<'SQL'
SELECT format('%s|%s|SELECT bcce.%I(%s)', p.proname, names[i], p.proname,
    (SELECT string_agg(format('%I => %s', n, CASE
        WHEN n = names[i] THEN CASE t WHEN 'text'::regtype THEN '@TEXT@' ELSE '@JSON@' END
        WHEN n = 'tenant' THEN '''alpha'''
        WHEN t = 'timestamptz'::regtype THEN 'now() - interval ''1 hour'' + interval ''1 min'' * ' || j
        WHEN n = 'status' THEN CASE p.proname WHEN 'record_incident' THEN '''open''' ELSE '''failed''' END
        WHEN n = 'severity' THEN '''sev1'''
        WHEN n = 'target_kind' THEN '''external'''
        WHEN n = 'prediction_id' THEN CASE p.proname WHEN 'resolve_prediction' THEN '''known''' ELSE 'gen_random_uuid()::text' END
        WHEN n = 'outcome' THEN '1'
        WHEN t = 'jsonb'::regtype THEN '''{"event_type": "x"}'''
        WHEN t = 'text'::regtype THEN 'gen_random_uuid()::text'
        WHEN t = 'boolean'::regtype THEN 'false'
        WHEN t = 'bcce.sketch'::regtype THEN '''version=1 scale=6 values=1'''
        WHEN t = 'tstzrange'::regtype THEN 'tstzrange(now(), now() + interval ''1 day'')'
        ELSE '0.5::' || t END), ', ' ORDER BY j)
     FROM unnest(names, types) WITH ORDINALITY AS u (n, t, j)))
FROM (SELECT oid, proname, proargnames[1:pronargs] AS names, proargtypes::oid[]::regtype[] AS types
      FROM pg_proc WHERE pronamespace = 'bcce'::regnamespace AND (proname LIKE 'record\_%' OR proname LIKE 'ingest\_%' OR proname = 'resolve_prediction')
        AND has_function_privilege('bcce_ingest', oid, 'EXECUTE')) AS p,
     generate_subscripts(names, 1) AS i
WHERE (to_jsonb(types) ->> (i - 1)) IN ('text', 'jsonb') ORDER BY 1;
SQL
}
calls_made=0
calls_stored=0
: >"$work/statements.sql"
while IFS='|' read -r function argument statement; do
    document=$json
    [ "$function" != ingest_events ] || document="jsonb_build_array($json, jsonb_build_object('occurred_at', $value), $value)"
    statement=${statement//@TEXT@/$value}
    statement=${statement//@JSON@/$document}
    # As a writer, and refused for another reason as well.
    echo "$statement;" >>"$work/statements.sql"
    echo "${statement//\'alpha\'/\'nobody\'};" >>"$work/statements.sql"
    echo "${statement//now() - interval/now() - interval \'900 years\' - interval};" >>"$work/statements.sql"
    calls_made=$((calls_made + 3))
done < <(calls)
like "$calls_made" '^[0-9]{3}' "every text and JSON argument of every function ($calls_made calls)"
sql $database regress_privacy_writer -f "$work/statements.sql" >"$work/statements.out"
calls_stored=$(grep -vc ERROR "$work/statements.out" || true)
like "$calls_stored" '^[0-9]{2,}' "many of them store a row"
like "$(grep -c ERROR "$work/statements.out" || true)" '^[0-9]{2,}' "many are refused"
is "$(grep -vE 'HINT|DETAIL|CONTEXT' "$work/statements.out" | grep -cE "$mail|$card|$key" || true)" 0 "no answer or error repeats them"

# Words that configure, by an admin and by a superuser.
sql $database regress_privacy_admin -c "SELECT bcce.add_value_alias('run_status', $value, 'failed')" -c "SELECT bcce.add_value_alias('run_status', 'x', $value)" \
    -c "SELECT bcce.add_value_alias($value, 'x', 'failed')" -c "SELECT bcce.set_price($value, 1)" -c "SELECT bcce.add_value_alias('run_status', 'x', 'failed', $value)" >/dev/null
for call in "create_tenant($value, 'n')" "create_tenant('gamma', $value)" "create_tenant('delta', 'n', $value)" "create_tenant('eps', 'n', NULL, $value)" \
    "create_login('regress_privacy_x', $value)" "create_login('regress_privacy_x', 'alpha', $value)" "set_price('x', 1, now(), $value)"; do
    sql $database postgres -c "SELECT bcce.$call" >/dev/null
done

# An adjustment keeps its text redacted.
sql $database regress_privacy_admin -c "SELECT bcce.record_cost_adjustment($value, now(), -1, 'credit', provider => $value, reason => $value)" \
    -c "SELECT bcce.record_cost_adjustment('x', now(), -1, $value)" -c "SELECT bcce.record_cost_adjustment('x', now(), -1, 'credit', $value)" >"$work/adjustments.out"
is "$(grep -cE "$mail|$card|$key" "$work/adjustments.out" || true) $(sql $database postgres -c 'SELECT count(*) FROM bcce_data.cost_adjustments')" "0 1" "an adjustment is stored, and no error repeats them"

# A rule that names them is refused; the table of rules takes none.
for argument in "rule => $value, literal => 'abc'" "rule => 'x', literal => $value" "rule => 'x', literal => 'abc', pattern => 'abc' || $value || '('" \
    "rule => 'x', literal => 'abc', context_words => ARRAY[upper($value)]" "rule => 'x', literal => 'abc', style => $value" "rule => 'x', literal => 'abc', character_class => $value"; do
    sql $database regress_privacy_admin -c "SELECT bcce.set_redaction_rule($argument)" >>"$work/rules.out"
done
for column in rule kind literal character_class style; do
    sql $database postgres -c "INSERT INTO bcce_data.redaction_rules (tenant_id, rule, kind, literal, character_class, style) SELECT tenant_id, $(
        for c in rule kind literal character_class style; do [ $c = $column ] && echo "$value," || case $c in rule) echo "'x',";; kind) echo "'literal',";; literal) echo "'abc',";; *) echo "NULL,";; esac; done | tr -d '\n' | sed 's/,$//') FROM bcce_data.tenants" >>"$work/rules.out"
done
is "$(grep -c ERROR "$work/rules.out" || true) $(sql $database postgres -c 'SELECT count(*) FROM bcce_data.redaction_rules')" "11 0" "no redaction rule takes them"
is "$(grep -cE "$mail|$card|$key" "$work/rules.out" || true)" 0 "nor does an error repeat them"

# Every column of every inbox: by INSERT and by COPY, good rows and refused ones.
inboxes=$(sql $database postgres -c "SELECT relname || ':' || (SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0)
    FROM pg_class c WHERE relnamespace = 'bcce'::regnamespace AND relname LIKE 'inbox\_%'")
: >"$work/inbox.sql"
declare -A good=([status]=failed [severity]=sev1 [started_at]=2026-06-01T00:00:00Z [finished_at]=2026-06-01T00:01:00Z
    [opened_at]=2026-06-01T00:00:00Z [occurred_at]=2026-06-01T00:00:00Z [event_type]=click [run_id]=@ID@ [incident_id]=@ID@ [event_id]=@ID@
    [workflow_id]=wf [tenant]=alpha)
n=0
for inbox in $inboxes; do
    name=${inbox%%:*} columns=${inbox#*:}
    for bad in ${columns//,/ }; do
        n=$((n + 1))
        values= row=
        for column in ${columns//,/ }; do
            v=${good[$column]:-}
            [ "$name" != inbox_incidents ] || [ "$column" != status ] || v=open
            v=${v//@ID@/id$n}
            [ "$column" != "$bad" ] || v=$planted
            [ "$bad" != properties ] || [ "$column" != properties ] || v="{\"note\": \"$planted\"}"
            values+="${values:+, }'$v'"
            row+="${row:+$'\t'}${v:-\\N}"
        done
        {
            echo "INSERT INTO bcce.$name VALUES ($values);"
            echo "INSERT INTO bcce.$name VALUES (${values//2026-06-01/2926-06-01});"
            echo "COPY bcce.$name FROM STDIN;"
            echo "${row/id$n/idc$n}"
            echo "${row/2026-06-01/2926-06-01}"
            echo '\.'
        } >>"$work/inbox.sql"
    done
done
sql $database regress_privacy_writer -f "$work/inbox.sql" >"$work/inbox.out"
like "$n" '^[0-9]{2}' "every column of every inbox ($n columns, four rows each)"
is "$(grep ERROR "$work/inbox.out" | sort | uniq -c || true)" "" "inboxes never raise"
like "$(sql $database postgres -c 'SELECT sum(rejected_count) FROM bcce.rejected')" '^[0-9]{2,}' "refused rows are counted"

# A COPY that is cancelled while its rows go on coming: COPY puts the row in hand
# into the context of any error.
cancelled_rows() {
    for ((i = $1; i < $1 + 5000; i++)); do
        printf 'cancelled%d\tpage_view\t2026-06-01T00:00:00Z\t%s\t{"note": "%s"}\n' $i "$mail" "$planted"
    done
}
{
    echo "SET statement_timeout = '400ms';"
    echo "COPY bcce.inbox_events (event_id, event_type, occurred_at, user_id, properties) FROM STDIN;"
    cancelled_rows 0
    sleep 1
    cancelled_rows 5000
    echo '\.'
} | sql $database regress_privacy_writer >"$work/cancelled.out"
like "$(cat "$work/cancelled.out")" 'canceling statement due to statement timeout' "a COPY into an inbox is cancelled"
is "$(sql $database postgres -c "SELECT count(*) FROM bcce_data.events WHERE idempotency_key LIKE 'cancelled%'")" 0 "and leaves nothing behind"

# A json that jsonb refuses, in a table with the trigger: the parser would show it.
sql $database postgres -c "CREATE TABLE public.raw (d json)" \
    -c "CREATE TRIGGER redact BEFORE INSERT ON public.raw FOR EACH ROW EXECUTE FUNCTION bcce.redact_columns('d')" \
    -c "INSERT INTO public.raw VALUES ('{\"$mail\": \"\\u0000\"}')" >"$work/raw.out"
like "$(cat "$work/raw.out")" 'unsupported Unicode escape sequence' "a json with a zero character is refused"

# A superuser straight into the tables, also as replication would: each text
# and jsonb column that may hold anything.
sql $database postgres >"$work/direct.sql" <<'SQL'
WITH col AS (
    SELECT c.oid, c.oid::regclass AS name, a.attname, a.attnum, a.atttypid, a.attnotnull, a.atthasdef,
           EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c' AND a.attnum = ANY (k.conkey)
                   AND pg_get_constraintdef(k.oid) ~ (format('\m%s\M', a.attname) || ' (= ANY|= |~ )')) AS is_word
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    WHERE c.relnamespace = 'bcce_data'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND EXISTS (SELECT FROM pg_attribute t WHERE t.attrelid = c.oid AND t.attname = 'tenant_id')
      AND c.relname NOT IN ('health_thresholds', 'redaction_rules')
)
SELECT format(E'INSERT INTO %s (%s) SELECT %s FROM bcce_data.tenants WHERE slug = ''alpha'' LIMIT 1;', t.name,
    string_agg(quote_ident(col.attname), ', ' ORDER BY col.attnum),
    string_agg(CASE
        WHEN col.attname = t.attname AND col.atttypid = 'jsonb'::regtype THEN 'jsonb_build_object(''note'', @TEXT@)'
        WHEN col.attname = t.attname THEN CASE WHEN col.attname = 'alias' THEN 'lower(@TEXT@)' ELSE '@TEXT@' END
        WHEN col.attname = 'tenant_id' AND t.name = 'bcce_data.tenants'::regclass THEN 'gen_random_uuid()'
        WHEN col.attname = 'tenant_id' THEN 'tenant_id'
        WHEN col.attname = 'slug' THEN '''s'' || substr(gen_random_uuid()::text, 1, 8)'
        WHEN col.attname = 'status' THEN CASE t.name::text WHEN 'bcce_data.incidents' THEN '''open''' ELSE '''failed''' END
        WHEN col.attname = 'domain' THEN '''run_status''' WHEN col.attname = 'value' AND col.atttypid = 'text'::regtype THEN '''failed'''
        WHEN col.attname = 'target_kind' THEN '''external''' WHEN col.attname = 'kind' THEN CASE t.name::text WHEN 'bcce_data.budget_alerts' THEN '''late''' WHEN 'bcce_data.cost_adjustments' THEN '''correction''' ELSE '''job''' END
        WHEN col.attname = 'applies_to' THEN '''model'''
        WHEN col.attname = 'mode' THEN '''alert''' WHEN col.attname = 'unpriced' THEN '''ignore''' WHEN col.attname = 'period' THEN '''month'''
        WHEN col.attname = 'budget' THEN '''b'' || substr(gen_random_uuid()::text, 1, 8)'
        WHEN col.attname = 'timezone' THEN '''UTC''' WHEN col.atttypid = 'boolean'::regtype THEN 'false'
        WHEN col.attname = 'token_class' THEN '''input''' WHEN col.attname = 'service_tier' AND col.attnotnull THEN '''standard'''
        WHEN col.attname = 'factor_kind' THEN '''fast''' WHEN col.attname = 'metric' THEN '''tokens'''
        WHEN col.attname IN ('ends_at', 'finished_at', 'period_end_at') THEN 'now() + interval ''1 min'''
        WHEN col.atttypid = 'timestamptz'::regtype THEN 'now()'
        WHEN col.atttypid = 'tstzrange'::regtype THEN 'tstzrange(now(), NULL)'
        WHEN col.atttypid = 'uuid'::regtype THEN 'gen_random_uuid()'
        WHEN col.attname = 'item' THEN '''item''' || ' || ''_' || t.attnum || ''''
        WHEN col.atttypid = 'text'::regtype THEN 'gen_random_uuid()::text'
        ELSE '0.5::' || col.atttypid::regtype END, ', ' ORDER BY col.attnum))
FROM col AS t JOIN col ON col.oid = t.oid
  AND (col.attname = t.attname OR (col.attnotnull AND NOT (col.atthasdef AND col.atttypid <> 'text'::regtype)) OR col.attname IN ('tenant_id', 'finished_at'))
  AND NOT (col.attname IN ('mttr_source', 'billing_currency', 'currency') AND col.attname <> t.attname)
WHERE t.atttypid IN ('text'::regtype, 'jsonb'::regtype) AND NOT t.is_word AND t.attname <> 'timezone'
GROUP BY t.name, t.attname, t.attnum ORDER BY t.name::text, t.attnum;
SQL
is "$(grep -c ERROR "$work/direct.sql" || true)" 0 "statements for every column of every table"
sed -i "s|@TEXT@|$value|g" "$work/direct.sql"
# Other words each time: a duplicate key or a missing parent is the server's own
# error, and it logs the statement.
sed 's/from /once from /g' "$work/direct.sql" | grep -vE 'incident_events|incident_impacts|principals .*team_id|value_aliases|default_|tenants .*(external_id)' >"$work/direct-origin.sql"
sql $database postgres -f "$work/direct-origin.sql" >"$work/direct.out"
is "$(grep ERROR "$work/direct.out" | sort -u | head -n 20 || true)" "" "stored by its triggers"
{ echo "SET session_replication_role = replica;"; sed 's/from /again from /g' "$work/direct.sql" | grep -v value_aliases; } | sql $database postgres >"$work/replica.out"
inserts=$(wc -l <"$work/direct.sql")
like "$inserts" '^[0-9]{2}' "a superuser's INSERT into each column that takes text ($inserts)"
# A tenant made without create_tenant() has no key to hide its external id with.
is "$(grep ERROR "$work/replica.out" | grep -v 'the tenant has no key' | sort -u | head -n 20 || true)" "" "with session_replication_role = replica all are stored"

# COPY by a superuser, and UPDATE.
for replication in origin replica; do
    printf 'SET session_replication_role = %s;\n' $replication
    printf 'COPY bcce_data.workflow_runs (tenant_id, run_id, started_at, workflow_id, status, finished_at, user_key, error_message, environment, region) FROM STDIN;\n'
    printf '%s\t%s %s\t2026-06-02T00:00:00Z\twf %s\tfailed\t2026-06-02T00:01:00Z\t%s\t%s\t%s\t%s\n' "@TENANT@" $replication "$planted" "$planted" "$mail" "$planted" "$planted" "$planted"
    printf '\\.\n'
    printf 'COPY bcce_data.events (tenant_id, idempotency_key, occurred_at, event_type, guest_key, properties) FROM STDIN;\n'
    printf '%s\t%s %s\t2026-06-02T00:00:00Z\t%s\t%s\t{"note": "%s"}\n' "@TENANT@" $replication "$planted" "click $mail" "$mail" "$planted"
    printf '\\.\n'
    printf 'COPY bcce_data.incidents (tenant_id, incident_id, opened_at, title, affected_resources) FROM STDIN;\n'
    printf '%s\t%s %s\t2026-06-02T00:00:00Z\t%s\t%s\n' "@TENANT@" $replication "$planted" "$planted" "$planted"
    printf '\\.\n'
    printf "UPDATE bcce_data.incidents SET title = '%s', priority = '%s';\n" "$planted" "$planted"
    printf "UPDATE bcce_data.workflow_runs SET error_message = '%s', classification = '%s';\n" "$planted" "$planted"
    printf "UPDATE bcce_data.events SET properties = jsonb_build_object('a', '%s');\n" "$planted"
    printf "UPDATE bcce_data.tenants SET tenant_name = '%s';\n" "$planted"
done >"$work/copy.sql"
sed -i "s/@TENANT@/$(sql $database postgres -c "SELECT tenant_id FROM bcce_data.tenants WHERE slug = 'alpha'")/" "$work/copy.sql"
sql $database postgres -f "$work/copy.sql" >"$work/copy.out"
is "$(grep ERROR "$work/copy.out" || true)" "" "COPY and UPDATE by a superuser"
sql $database postgres -c "SELECT * FROM bcce.maintain()" -c CHECKPOINT >/dev/null

# Look for them.  The search itself must not write what it looks for.
found=$(psql -XAtq -d $database -v mail="$mail" -v card="$card" -v key="$key" <<'SQL' 2>&1
SELECT format('SELECT %L, count(*) FROM %s AS t WHERE t::text LIKE %L OR t::text LIKE %L OR t::text LIKE %L HAVING count(*) > 0;',
              c.oid::regclass, c.oid::regclass, '%' || :'mail' || '%', '%' || :'card' || '%', '%' || :'key' || '%')
FROM pg_class c
WHERE c.relkind IN ('r', 'm') AND c.relnamespace::regnamespace::text NOT IN ('information_schema') AND c.relname <> 'pg_statistic' \gexec
SQL
)
[ -z "$found" ] || sql $database postgres -c "SELECT * FROM bcce_data.rejected_input WHERE rejected_input::text LIKE '%4111%'" | cut -c1-400 | sed "s/^/## /"
is "$found" "" "no column of any table of any schema holds one"
is "$(sql $database postgres -c "SELECT count(*) > 0 FROM bcce_data.workflow_runs WHERE error_message LIKE '%[EMAIL]%[CREDIT_CARD]%[%]%'")" t "tags stand in their place"

# An export by a login that only reads leaves a line, and not its statement.
is "$(sql $database regress_privacy_reader -c "SELECT count(*) FROM bcce.export_csv('overview') AS line WHERE line <> '$planted'")" 2 "an export in a read-only transaction"
is "$(grep -c 'LOG:  bcce: export of report "overview", rows: 1$' "$cluster/log")" 1 "is a line of the server log"

# Positive control for the two searches below: a word that is stored as it is.
sql $database postgres -c "SELECT bcce.record_incident('control-word-xyzzy', now(), tenant => 'alpha')" -c "SELECT 'control-error-xyzzy'::integer" >/dev/null
psql -Xq -d postgres -c CHECKPOINT
control=$(cat "$cluster"/data/pg_wal/0* | grep -c -a 'control-word-xyzzy' || true)
like "$control" '^[1-9]' "the search of the write-ahead log finds a word that is stored"
hits=0
for word in "$mail" "$card" "$key"; do
    hits=$((hits + $(cat "$cluster"/data/pg_wal/0* | grep -c -a -F "$word" || true)))
done
is "$hits" 0 "none is in the write-ahead log"
like "$(grep -c 'control-error-xyzzy' "$cluster/log")" '^[1-9]' "the search of the server log finds a statement that failed"
logged=$(grep -nF -e "$mail" -e "$card" -e "$key" "$cluster/log" | sed -e "s/$mail/<mail>/g; s/$card/<card>/g; s/$key/<key>/g" | cut -c1-250 | head -n 12 || true)
is "$logged" "" "none is in the server log"
hits=$(grep -rlaF -e "$mail" -e "$card" -e "$key" "$cluster/data" 2>/dev/null | sed "s,$cluster/,," | head -n 5 || true)
is "$hits" "" "none is in any file of the cluster"
done_testing
