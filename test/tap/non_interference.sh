#!/usr/bin/env bash
# Proves that another tenant's data make no difference: two databases that are
# equal but for the rows of tenant beta give alpha's logins the same answers,
# byte for byte, to everything that is asked.  In one beta does not exist; in
# the other it has more than alpha.  Finds what nobody thought of.  Speaks TAP.
set -euo pipefail
. "$(dirname "$0")/../lib/tap.sh"
lib=$(cd "$(dirname "$0")/../lib" && pwd)

without=bcce_without_$$ with=bcce_with_$$
logins="user cost admin platform ingest"
work=$(mktemp -d)
clean() {
    psql -Xq -d postgres -c "DROP DATABASE IF EXISTS $without WITH (FORCE)" -c "DROP DATABASE IF EXISTS $with WITH (FORCE)" >/dev/null 2>&1 || true
    for login in $logins token; do psql -Xq -d postgres -c "DROP ROLE IF EXISTS regress_ni_$login" >/dev/null 2>&1 || true; done
    rm -rf "$work"
}
trap clean EXIT
psql -Xq -d postgres -c "CREATE DATABASE $with"
sql $with postgres -c 'CREATE EXTENSION bcce' >/dev/null
sql $with postgres -f "$lib/seed.sql" >"$work/seed.out"
sql $with postgres -v lib="$lib" >>"$work/seed.out" <<'SQL'
SELECT bcce.create_login('regress_ni_' || kind, 'alpha', kind) FROM unnest('{user,cost,admin,platform,ingest}'::text[]) AS kind;
SELECT bcce.set_redaction_rule('project', 'Falcon', tenant => 'alpha');
SELECT bcce.set_prediction_threshold(0.4, 'model-alpha', tenant => 'alpha');
-- A day that costs more than its weekday, counters, and a call that beta will be told of as well.
SELECT count(bcce.record_model_usage('claude-alpha', statement_timestamp() - make_interval(days => 7 * week), 1000, 100, user_id => 'person-alpha', reported_cost_usd => CASE week WHEN 0 THEN 500 ELSE 9 + week END,
    idempotency_key => 'week' || week, tenant => 'alpha')) FROM generate_series(0, 6) AS week;
SELECT added FROM bcce.ingest_transcript('x', '{"sessionId":"s1","timestamp":"2026-07-01T10:00:00Z","message":{"id":"msg_shared","model":"claude-alpha","usage":{"input_tokens":1,"output_tokens":1}}}', tenant => 'alpha');
INSERT INTO bcce_data.model_usage_counters (tenant_id, series_key, started_at, at, metric, token_class, model_id, session_id, value, is_cumulative)
SELECT tenant_id, 'series', '2026-07-01 09:00+00', '2026-07-01 11:00+00', 'tokens', 'input', 'claude-alpha', 's1', 2, true FROM bcce_data.tenants WHERE slug = 'alpha';
SELECT bcce.create_login('regress_ni_token', NULL, 'token');
\i :lib/sign.sql
SELECT bcce.add_context_key('test', pg_temp.public_key(pg_temp.seed('test')));
-- The clock stands still for reports.
SELECT format('ALTER DATABASE %I SET bcce.test_now = %L', current_database(), statement_timestamp()) \gexec
ANALYZE;
SELECT format('ALTER TABLE %s SET (autovacuum_enabled = off)', oid::regclass) FROM pg_class WHERE relnamespace = 'bcce_data'::regnamespace AND relkind = 'r' \gexec
SQL
alpha=$(sql $with postgres -c "SELECT tenant_id FROM bcce_data.tenants WHERE slug = 'alpha'")
beta=$(sql $with postgres -c "SELECT tenant_id FROM bcce_data.tenants WHERE slug = 'beta'")
now=$(sql $with postgres -c "SELECT bcce.report_now()")
psql -Xq -d postgres -c "CREATE DATABASE $without TEMPLATE $with" -c "ALTER DATABASE $without SET bcce.test_now = '$now'"

# One loses beta, the other gets more of it, and every setting that a tenant has.
sql $without postgres >>"$work/seed.out" <<SQL
SET session_replication_role = replica;
SELECT format('DELETE FROM %s WHERE tenant_id = %L', c.oid::regclass, '$beta') FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
WHERE c.relnamespace::regnamespace::text IN ('bcce_data', 'bcce_private') AND c.relkind = 'r' \gexec
SQL
# Plans rest on sizes, which are everybody's (docs/security.md, Limits).  While
# the sizes are the same so are they, costs and all.
explain() {
    local name
    for name in $twins; do echo "EXPLAIN SELECT * FROM bcce.$name; EXPLAIN SELECT * FROM bcce.$name('2026-01-01', '$now') WHERE tenant_id = '$beta';"; done | sql "$1" "$2"
}
twins=$(sql $with postgres -c "SELECT relname FROM pg_class c WHERE relnamespace = 'bcce'::regnamespace AND relkind = 'v'
    AND EXISTS (SELECT FROM pg_proc p WHERE p.pronamespace = c.relnamespace AND p.proname = c.relname) ORDER BY 1")
for login in user platform; do
    plans=$(explain $with regress_ni_$login)
    is "$plans" "$(explain $without regress_ni_$login)" "$login: the same plans, whether there are rows of beta or not"
    like "$(wc -l <<<"$plans")" '^[0-9]{3,}$' "and there are plans"
done

sql $with postgres >>"$work/seed.out" <<SQL
SELECT bcce.create_tenant('gamma', 'Gamma tenant');
SELECT count(bcce.record_workflow_run('wf-' || i % 9, CASE i % 3 WHEN 0 THEN 'failed' ELSE 'succeeded' END, at, at + make_interval(secs => i), 'run-' || i,
    'person-alpha-' || i % 9, 'svc-alpha-' || i % 2, error_message => 'busy', tenant => t))
FROM unnest('{beta,gamma}'::text[]) AS t, generate_series(1, 400) AS i, LATERAL (SELECT '$now'::timestamptz - make_interval(hours => 2 * i)) AS s (at);
SELECT count(bcce.record_incident('inc-alpha-' || i, '$now'::timestamptz - make_interval(hours => i), 'more', 'sev1', tenant => 'beta')) FROM generate_series(1, 50) AS i;
SELECT count(bcce.record_prediction('model-alpha', 'external', 'thing-' || i, 0.9, '$now'::timestamptz - make_interval(hours => i), prediction_id => 'pred-alpha-' || i, tenant => 'beta')) FROM generate_series(1, 100) AS i;
SELECT count(*) FROM generate_series(1, 100) AS i, LATERAL bcce.resolve_prediction('pred-alpha-' || i, 0, '$now', 'beta');
SELECT count(*) FROM generate_series(1, 100) AS i, LATERAL bcce.record_metric('svc-alpha-0', '$now'::timestamptz - make_interval(mins => i), 9, 9, 9, 9, 9, tenant => 'beta');
SELECT count(*) FROM generate_series(1, 100) AS i, LATERAL bcce.record_model_usage('claude-alpha', '$now'::timestamptz - make_interval(mins => i), 9, 9, user_id => 'person-alpha', tenant => 'beta');
SELECT stored FROM bcce.ingest_events((SELECT jsonb_agg(jsonb_build_object('tenant', 'beta', 'event_type', 'search', 'guest_id', 'guest-alpha' || i, 'occurred_at', '$now'::timestamptz - make_interval(mins => i))) FROM generate_series(1, 99) AS i));
SELECT bcce.set_price(item, 7, '2025-01-01 00:00+00', 'beta') FROM unnest('{workflow_run,metric_sample,prediction}'::text[]) AS item;
SELECT bcce.set_model_price('claude-alpha', 'input', 7, '2025-01-01 00:00+00', tenant => 'beta');
SELECT bcce.set_model_alias('claude-alpha', 'claude-sonnet-4-5', '2025-01-01 00:00+00', 'beta');
SELECT bcce.add_value_alias('run_status', 'well', 'succeeded', 'beta');
SELECT bcce.set_redaction_rule('project', 'Hawk', tenant => 'beta'), bcce.set_redaction_style('hash', 'beta');
SELECT count(bcce.record_model_usage('claude-alpha', '$now'::timestamptz - make_interval(days => 7 * week), 1000, 100, user_id => 'person-alpha', reported_cost_usd => 100 * week, idempotency_key => 'week' || week, tenant => 'beta')) FROM generate_series(0, 8) AS week;
SELECT added FROM bcce.ingest_transcript('x', '{"sessionId":"s1","timestamp":"2026-07-01T10:00:00Z","message":{"id":"msg_shared","model":"claude-alpha","usage":{"input_tokens":9,"output_tokens":9}}}', tenant => 'beta');
INSERT INTO bcce_data.model_usage_counters (tenant_id, series_key, started_at, at, metric, token_class, model_id, session_id, value, is_cumulative)
SELECT '$beta', 'series', '2026-07-01 09:00+00', '2026-07-01 10:00+00', 'tokens', 'input', 'claude-alpha', 's1', 1, true;
SELECT bcce.set_anomaly_limit('floor_usd', 1000, 'beta'), bcce.set_anomaly_limit('min_weekdays', 8, 'beta');
SELECT bcce.set_slo(50, '*', 'beta'), bcce.set_prediction_threshold(0.9, 'model-alpha', tenant => 'beta'), bcce.set_holiday('2026-02-02', tenant => 'beta');
SELECT bcce.record_cost_adjustment('CN-alpha', '$now', -77, 'credit', tenant => 'beta'), bcce.set_tariff_includes_models(true, 'beta');
INSERT INTO bcce.inbox_workflow_runs (tenant, run_id, workflow_id, status, started_at) SELECT 'beta', 'bad-' || i, 'wf', 'what?', 'never' FROM generate_series(1, 20) AS i;
SQL
is "$(grep -E 'ERROR|WARNING' "$work/seed.out" || true)" "" "two databases: alpha in both, beta in one"
like "$(sql $with postgres -c "SELECT count(*) > 400 FROM bcce_data.workflow_runs WHERE tenant_id = '$beta'")$(sql $without postgres -c "SELECT count(*) FROM bcce_data.tenants WHERE tenant_id = '$beta'")" '^t0$' "beta has much in one and does not exist in the other"
state="SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM bcce_data.workflow_runs AS t WHERE tenant_id = '$alpha'"
is "$(sql $with postgres -c "$state")" "$(sql $without postgres -c "$state")" "and alpha is the same in both"

# --- the session ---------------------------------------------------------------
# What every login asks, whether it may or not.  Reports in an order: the order
# in which rows happen to come is the planner's, and that of no use to a reader.
views=$(sql $with postgres -c "SELECT relname FROM pg_class WHERE relnamespace = 'bcce'::regnamespace AND relkind = 'v' ORDER BY 1")
# questions LOGIN
questions() {
    local name
    for name in $views; do
        echo "SELECT * FROM bcce.$name AS r ORDER BY r::text COLLATE \"C\";"
    done
    for name in $twins; do
        case $1 in
            user | platform) echo "SELECT * FROM bcce.$name('2026-01-01', '$now') AS r ORDER BY r::text COLLATE \"C\";" ;;&
            user) echo "SELECT count(*) FROM bcce.$name WHERE tenant_id = '$beta' OR tenant_name LIKE 'B%';" ;;
            cost | admin) echo "SELECT bcce.export_csv('$name');" ;;
        esac
    done
    cat <<SQL
SELECT * FROM bcce.whoami();
SELECT bcce.current_tenant(), bcce.current_tenants();
SELECT bcce.export_json('cost_analysis');
SELECT bcce.export_jsonl('analytics_overview', '2026-01-01', '$now');
SELECT bcce.export_csv('nonsense');
SELECT * FROM bcce.find_shared_calls();
SELECT scope_kind, cost_usd, expected_cost_usd FROM bcce.cost_anomalies ORDER BY 1;
SELECT difference_tokens FROM bcce.usage_reconciliation WHERE counter_tokens > 0;
SELECT bcce.log_export('cost_analysis', '{$beta}', '{1}');
SELECT * FROM bcce.find_pii('mail jo@example.org Hawk and Falcon');
SELECT bcce.redact('mail jo@example.org Hawk and Falcon');
SELECT bcce.redact_for('$alpha', 'Hawk and Falcon');
SELECT bcce.redact_for('$beta', 'Hawk and Falcon');
SELECT bcce.redact_for('$beta', '{"a": "Hawk and Falcon"}'::jsonb);
SELECT bcce.contains_pii('Hawk', '$beta');
SELECT bcce.pseudonym('person-alpha-1', 'user');
SELECT bcce.pseudonym('person-alpha-1', 'user', '$beta');
SELECT * FROM bcce.find_person('person-alpha-1', 'to compare');
SELECT * FROM bcce.find_person('person-beta-1', 'to compare');
SELECT bcce.estimate_cost(item, 3, '2026-06-01', tenant) FROM unnest('{workflow_run,metric_sample,prediction,nonsense}'::text[]) AS item, unnest('{$alpha,$beta,NULL}'::uuid[]) AS tenant;
SELECT bcce.estimate_cost('workflow_run', 1, '2026-06-01', '$beta');
SELECT bcce.estimate_cost('workflow_run', 1, '2026-06-01');
SELECT bcce.estimate_token_cost('claude-alpha', '2026-06-01', 1000, 1000, tenant => '$beta');
SELECT bcce.estimate_token_cost('claude-alpha', '2026-06-01', 1000, 1000);
SELECT bcce.token_cost_status('claude-alpha', '2026-06-01', 1000, 1000, tenant => '$beta');
SELECT bcce.estimate_token_cost('claude-sonnet-4-5', '2026-06-01', 1000, 1000, tenant => '$beta');
SELECT * FROM bcce_data.tenants;
SELECT count(*) FROM bcce_data.workflow_runs_default;
SELECT * FROM bcce_private.membership;
TABLE bcce_data.workflow_runs;
COPY bcce_data.workflow_runs TO STDOUT;
COPY (SELECT tenant_name, total_workflows FROM bcce.analytics_overview) TO STDOUT;
SELECT 1 / (total_workflows - total_workflows) FROM bcce.analytics_overview;
SELECT 1 / (CASE WHEN tenant_name LIKE 'B%' THEN 0 ELSE 1 END) FROM bcce.analytics_overview;
SELECT (tenant_name || run_id)::integer FROM bcce.slow_runs ORDER BY run_id COLLATE "C" LIMIT 1;
SELECT * FROM bcce.nonsense;
SELECT nonsense FROM bcce.cost_analysis;
SELECT * FROM bcce.cost_analysis('yesterday?', NULL);
SELECT * FROM bcce.metrics('nonsense');
SELECT count(*) FROM pg_stats WHERE schemaname LIKE 'bcce%';
SELECT r.relname, r.relkind, r.relacl, r.reloptions, r.relnatts, obj_description(r.oid) FROM pg_class r WHERE relnamespace = 'bcce'::regnamespace ORDER BY 1;
SELECT attrelid::regclass, attname, atttypid::regtype, col_description(attrelid, attnum) FROM pg_attribute WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'bcce'::regnamespace) ORDER BY 1::text, attnum;
SELECT oid::regprocedure, proacl, prosrc FROM pg_proc WHERE pronamespace = 'bcce'::regnamespace ORDER BY 1::text;
SELECT relname, relkind, relacl FROM pg_class WHERE relnamespace::regnamespace::text IN ('bcce_data', 'bcce_private') ORDER BY 1;
SELECT polrelid::regclass, polname, pg_get_expr(polqual, polrelid) FROM pg_policy ORDER BY 1::text, 2;
SELECT rolname FROM pg_roles WHERE rolname LIKE 'bcce%' ORDER BY 1;
\d bcce.*
\df bcce.overview*
\dp bcce.
SQL
    for name in total_workflows p95_latency_ms failure_rate_percent total_cost_usd nonsense; do echo "SELECT * FROM bcce.metrics('$name', '30d', 'service') AS r ORDER BY r::text COLLATE \"C\";"; done
    # An id of beta: there in one database, in the other not.
    for name in beta ext-beta "$beta" nobody; do
        echo "SELECT bcce.overview_json('$name'); SELECT bcce.report_tenant('$name'); SELECT bcce.use_tenant('$name');"
        for call in "set_price('workflow_run', 1, '2026-06-01'" "set_slo(90, '*'" "set_anomaly_limit('floor_usd', 1" "set_holiday('2026-03-03', true" "set_redaction_style('tag'" "drop_redaction_rule('project'" \
            "record_cost_adjustment('CN-alpha', '$now', -1, 'credit'" "set_tariff_includes_models(true" \
            "resolve_prediction('pred-beta-20', 1, '$now'" "record_incident_event('inc-beta-1', 'note', '$now', NULL, NULL" "ingest_event('{\"event_type\": \"x\", \"event_id\": \"e1\"}'"; do
            echo "SELECT bcce.$call, tenant => '$name');"
        done
    done
    echo "SELECT bcce.overview_json('$beta'::uuid); SELECT bcce.report_tenant('$beta'::uuid); SELECT bcce.use_tenant('$beta'::uuid);"
}
# Whatever one may think of: joins of two reports on columns, conditions and
# groups by lot, the same in both databases.
by_lot() {
    sql $with postgres <<SQL
SELECT setseed(0.6) IS NULL;
WITH columns AS MATERIALIZED (
    SELECT c.relname AS report, array_agg(quote_ident(a.attname) ORDER BY a.attnum) AS names, cardinality(array_agg(a.attname)) AS n
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
    WHERE c.relnamespace = 'bcce'::regnamespace AND c.relkind = 'v' AND c.relname = ANY (string_to_array('$(tr '\n' ' ' <<<"$twins")', ' ')) GROUP BY c.relname
), lots AS MATERIALIZED (
    SELECT i, (array_agg(report ORDER BY random()))[1:2] AS r, floor(random() * 4)::int AS shape, random() AS x, random() AS y, random() AS z FROM generate_series(1, 24) AS i, columns GROUP BY i
)
SELECT format('SELECT count(*), md5(string_agg(q::text, '' '' ORDER BY q::text COLLATE "C")) FROM (SELECT a.%s AS u, b.%s AS v, %s FROM bcce.%I AS a %s JOIN bcce.%I AS b USING (tenant_id) WHERE %s GROUP BY 1, 2) AS q;',
    a.names[1 + floor(x * a.n)::int], b.names[1 + floor(y * b.n)::int], (ARRAY['count(*)', 'min(a.tenant_name)', 'rank() OVER (ORDER BY count(*))', 'count(DISTINCT b.tenant_id)'])[1 + shape],
    r[1], (ARRAY['LEFT', 'FULL', 'INNER', 'RIGHT'])[1 + shape], r[2],
    (ARRAY[format('a.%s IS NOT NULL', a.names[1 + floor(z * a.n)::int]), format('b.%s::text > ''B''', b.names[1 + floor(z * b.n)::int]),
           format('1 / (CASE WHEN a.tenant_name LIKE ''B%%'' THEN 0 ELSE 1 END) = 1 OR a.%s IS NULL', a.names[1 + floor(z * a.n)::int]),
           format('a.tenant_id <> ALL (SELECT c.tenant_id FROM bcce.%I AS c WHERE c.tenant_id <> ''$alpha'')', r[2])])[1 + floor(y * 4)::int])
FROM lots JOIN columns AS a ON a.report = r[1] JOIN columns AS b ON b.report = r[2] ORDER BY i;
SQL
}
by_lot | grep '^SELECT' >"$work/by_lot"
# What writers write, ids of beta's among them, and what is there afterwards.
writes() {
    cat <<SQL
SELECT bcce.record_workflow_run('wf', 'well', '2026-06-01', '2026-06-02', 'run-beta-1');
SELECT bcce.record_workflow_run('wf', 'failed', '2026-06-01', '2026-06-02', 'run-beta-1');
SELECT bcce.record_workflow_run('wf', 'failed', '2026-06-01', '2026-06-02', 'run-mine', 'person-beta-1', 'svc-beta-1', error_message => 'Hawk and Falcon', retry_of => 'run-beta-2');
SELECT bcce.record_incident('inc-beta-1', '2026-06-01', 'mine', 'sev1', merged_into => 'inc-beta-2', caused_by_run => 'run-beta-3');
SELECT bcce.record_incident_event('inc-beta-2', 'note', '2026-06-01');
SELECT bcce.record_prediction('model-beta', 'workflow_run', 'run-beta-4', 0.5, '2026-06-01', prediction_id => 'pred-beta-1');
SELECT bcce.resolve_prediction('pred-beta-2', 1, '2026-06-02');
SELECT bcce.record_metric('svc-beta-0', '2026-06-01', 1, 1, 1, 1, 1, idempotency_key => 'm1');
SELECT bcce.record_model_usage('claude-beta', '2026-06-01', 1, 1, idempotency_key => 'u1', run_id => 'run-beta-5');
SELECT bcce.ingest_event('{"event_type": "page_view", "event_id": "e1", "occurred_at": "2026-06-01T00:00:00Z", "guest_id": "guest-beta1"}');
SELECT * FROM bcce.ingest_events('[{"event_type": "x", "tenant": "beta"}, {"event_type": "x", "tenant": "nobody"}, {"event_type": "x", "event_id": "e2", "occurred_at": "2026-06-01T00:00:00Z"}]');
SELECT * FROM bcce.ingest_transcript('mine', '{"type": "x"}', tenant => 'beta');
SELECT * FROM bcce.ingest_otlp('{}', 'beta');
INSERT INTO bcce.inbox_workflow_runs (tenant, run_id, workflow_id, status, started_at) VALUES ('beta', 'run-beta-1', 'wf', 'passed', '2026-06-01T00:00:00Z'), (NULL, 'run-beta-9', 'wf', 'well', '2026-06-01T00:00:00Z'), ('nobody', 'x', 'wf', 'passed', '2026-06-01T00:00:00Z');
INSERT INTO bcce.inbox_incidents (tenant, incident_id, opened_at) VALUES ('beta', 'inc-beta-1', '2026-06-01'), (NULL, 'inc-beta-3', '2026-06-01');
INSERT INTO bcce_data.workflow_runs (tenant_id, run_id) VALUES ('$beta', 'run-beta-1');
TRUNCATE bcce_data.workflow_runs;
SQL
}
# run DATABASE: all answers, login by login.
run() {
    local login
    for login in $logins; do
        questions $login | sql "$1" regress_ni_$login -v VERBOSITY=verbose | sed "s/^/$login: /"
    done
    sql "$1" regress_ni_user -f "$work/by_lot" | sed "s/^/user by lot: /"
    # A login that many share, in a transaction that goes on after errors.
    {
        echo "\\set ON_ERROR_ROLLBACK on"
        echo "BEGIN; SELECT bcce.set_context('$(sql "$1" postgres -f "$lib/sign.sql" -c "SELECT pg_temp.mint(pg_temp.claims('regress_ni_token', '{$alpha}'))")');"
        for view in $views; do echo "SELECT * FROM bcce.$view AS r ORDER BY r::text COLLATE \"C\";"; done
        questions token | grep -vE 'AS r ORDER BY|^\\\\'
        echo "COMMIT;"
    } | sql "$1" regress_ni_token -v VERBOSITY=verbose | sed "s/^/token: /"
    for login in admin ingest; do
        { echo "SET default_transaction_read_only = off;"; writes; } | sql "$1" regress_ni_$login -v VERBOSITY=verbose | sed "s/^/$login: /"
    done
    for login in user cost; do
        for view in executions_by_status_hourly analytics_overview cost_analysis mttr_analysis top_failures incident_timeline prediction_accuracy usage_trends guest_activity; do
            echo "SELECT * FROM bcce.$view AS r ORDER BY r::text COLLATE \"C\";"
        done | sql "$1" regress_ni_$login | sed "s/^/$login after writing: /"
    done
}
run $without >"$work/without" &
run $with >"$work/with"
wait
like "$({ questions user; writes; } | grep -o ";" | wc -l)" '^([2-9][0-9]{2}|[0-9]{4})$' "at least 200 statements"
for login in $logins token; do
    is "$(grep "^$login" "$work/with")" "$(grep "^$login" "$work/without")" "$login: the same answers, byte for byte"
done
like "$(grep -c 'Alpha tenant' "$work/with")" '^[0-9]{3,}$' "with something in them"
like "$(grep 'token: ' "$work/with")" 'Alpha tenant' "the token's among them"
like "$(grep -cE '^(user|cost|token): (model|tenant)\|[0-9.]+\|[0-9.]+$' "$work/with")" '^[1-9]' "a day that costs more than its weekday, too"
like "$(wc -l <"$work/by_lot")|$(grep 'by lot' "$work/with" | grep -c ': [1-9].*|')" '^24\|(1[0-9]|2[0-9])$' "and most questions by lot"
like "$(grep -c 'P0002' "$work/with")" '^[0-9]{2,}$' "and refusals"

# The comparison sees what it is to see.
sql $with postgres >/dev/null <<'SQL'
SELECT format('ALTER POLICY %I ON bcce_data.%I USING (true)', policy, name) FROM unnest('{reader,reader_wall}'::text[]) AS policy, unnest('{tenants,workflow_runs}'::text[]) AS name \gexec
SQL
planted="SELECT count(*) FROM bcce.executions_by_status_hourly"
ok "$([ "$(sql $with regress_ni_user -c "$planted")" != "$(sql $without regress_ni_user -c "$planted")" ]; echo $?)" "a planted leak makes a difference"
done_testing
