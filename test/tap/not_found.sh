#!/usr/bin/env bash
# Proves that what belongs to another tenant and what does not exist are answered
# alike, text, SQLSTATE and all, by every function that is given a tenant or an
# object: the functions are those of the catalogue, so that no new one is
# forgotten.  Speaks TAP.
set -euo pipefail
. "$(dirname "$0")/../lib/tap.sh"
lib=$(cd "$(dirname "$0")/../lib" && pwd)

database=bcce_not_found_$$
clean() {
    psql -Xq -d postgres -c "DROP DATABASE IF EXISTS $database WITH (FORCE)" >/dev/null 2>&1 || true
    for login in all platform none; do psql -Xq -d postgres -c "DROP ROLE IF EXISTS regress_nf_$login" >/dev/null 2>&1 || true; done
}
trap clean EXIT
psql -Xq -d postgres -c "CREATE DATABASE $database"
sql $database postgres -c 'CREATE EXTENSION bcce' -f "$lib/seed.sql" >/dev/null
made=$(sql $database postgres <<'SQL'
SELECT bcce.create_login('regress_nf_all', 'alpha', 'admin'), bcce.create_login('regress_nf_platform', 'alpha', 'platform');
GRANT bcce_ingest, bcce_cost_analyst TO regress_nf_all;
CREATE ROLE regress_nf_none LOGIN IN ROLE bcce_analytics_admin, bcce_ingest;
SELECT bcce.set_redaction_rule('project', 'Hawk', tenant => 'beta'), bcce.set_redaction_rule('project', 'Falcon', tenant => 'alpha'), bcce.set_redaction_rule('hidden', 'Owl', tenant => 'beta');
SELECT bcce.record_metric('svc-beta-0', '2026-06-01', 1, idempotency_key => 'key-beta', tenant => 'beta'),
       bcce.record_model_usage('claude-beta', '2026-06-01', 1, 1, user_id => 'person-beta-1', session_id => 'session of beta', idempotency_key => 'key-beta', request_id => 'request of beta', tenant => 'beta'),
       bcce.record_prediction('model-beta', 'external', 'thing of beta', 0.5, '2026-06-01', prediction_id => 'pred-beta-99', tenant => 'beta');
SELECT bcce.record_cost_adjustment('CN-beta', '2026-06-01', -1, 'credit', tenant => 'beta');
SELECT bcce.set_price('workflow_run', 7, '2025-01-01 00:00+00', 'beta');
SELECT bcce.set_model_price('claude-alpha', class, 7, '2025-01-01 00:00+00', tenant => 'beta') FROM unnest('{input,output}'::text[]) AS class;
CREATE SCHEMA helper;
GRANT USAGE ON SCHEMA helper TO PUBLIC;
-- What a statement answers, and takes back what it did.  Ids that it was given
-- or that are new each time are not of interest.
CREATE FUNCTION helper.answer(statement text, variadic ids text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text; state text; message text; detail text; hint text; context text; id text;
BEGIN
    BEGIN
        EXECUTE format('SELECT string_agg(t::text, ''; '') FROM (%s) AS t', statement) INTO result;
        RAISE EXCEPTION USING ERRCODE = 'ZZ001';
    EXCEPTION WHEN SQLSTATE 'ZZ001' THEN
        result := coalesce(result, '(null)');
    WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
        result := concat_ws(' | ', state, message, detail, hint, context);
    END;
    FOREACH id IN ARRAY ids LOOP result := replace(result, id, '<given>'); END LOOP;
    RETURN regexp_replace(result, '[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}', '<new>', 'g');
END
$$;
-- What to give an argument, by its name.
CREATE TABLE helper.given (name text PRIMARY KEY, value text);
INSERT INTO helper.given VALUES
    ('domain', '''run_status'''), ('alias', '''odd'''), ('value', '''failed'''), ('rule', '''project'''), ('literal', '''Falcon'''), ('document', '''Falcon and Hawk'''),
    ('event', '''{"event_type": "x", "event_id": "of mine"}'''), ('events', '''[{"event_type": "x", "event_id": "of mine"}]'''), ('payload', '''{"resourceMetrics": []}'''),
    ('source', '''mine'''), ('jsonl', '''{"type": "summary"}'''), ('prices', '''{"claude-x": {"litellm_provider": "anthropic", "mode": "chat", "input_cost_per_token": 0.000001, "output_cost_per_token": 0.000002}}'''),
    ('incident_id', '''inc-alpha-1'''), ('opened_at', '''2026-06-01'''), ('kind', '''note'''), ('at', '''2026-06-01'''), ('service_id', '''svc-alpha-0'''), ('model_id', '''claude-alpha'''),
    ('model_name', '''model-alpha'''), ('target_kind', '''external'''), ('target_id', '''thing'''), ('failure_probability', '0.5'), ('workflow_id', '''wf'''), ('status', '''running'''),
    ('started_at', '''2026-06-01'''), ('prediction_id', '''pred-alpha-20'''), ('outcome', '1'), ('weekdays', '''{1}'''), ('opens', '''09:00'''), ('closes', '''17:00'''), ('day', '''2026-06-01'''),
    ('model', '''claude-alpha'''), ('token_class', '''input'''), ('price_usd', '3'), ('factor_kind', '''batch'''), ('factor', '0.5'), ('reference_from', '''2026-06-01'''), ('reference_to', '''2026-07-01'''),
    ('threshold', '0.5'), ('item', '''workflow_run'''), ('quantity', '3'), ('style', '''tag'''), ('target_percent', '99'), ('limit_name', '''floor_usd'''), ('limit_value', '10'), ('input', '1000'), ('output', '1000'), ('report', '''cost_analysis'''),
    ('row_counts', '''{1}'''), ('identifier', '''person-alpha-1'''), ('reason', '''to compare'''), ('budget', '''all'''), ('amount_usd', '100'), ('provider', '''anthropic'''),
    ('period', '''[2026-01-01 00:00+00,2026-02-01 00:00+00)''::tstzrange'), ('adjustment_id', '''CN-1'''), ('is_included', 'true');
-- Arguments that name an object, and one of beta's.
CREATE TABLE helper.object_of_beta (name text PRIMARY KEY, id text);
INSERT INTO helper.object_of_beta VALUES
    ('prediction_id', 'pred-beta-99'), ('incident_id', 'inc-beta-1'), ('merged_into', 'inc-beta-2'), ('run_id', 'run-beta-1'), ('retry_of', 'run-beta-2'), ('caused_by_run', 'run-beta-3'),
    ('target_id', 'thing of beta'), ('workflow_id', 'wf-beta-0'), ('service_id', 'svc-beta-0'), ('user_id', 'person-beta-1'), ('user_key', 'person-beta-1'), ('model_id', 'claude-beta'), ('model_name', 'model-beta'),
    ('model', 'claude-beta'), ('session_id', 'session of beta'), ('team_id', 'team of beta'), ('request_id', 'request of beta'), ('idempotency_key', 'key-beta'), ('rule', 'hidden'), ('alias', 'went-fine'), ('identifier', 'person-beta-1'), ('adjustment_id', 'CN-beta');
-- Every argument of a function that somebody who is no superuser may call.
CREATE VIEW helper.arguments AS
SELECT p.oid, p.oid::regprocedure::text AS function, p.proname, p.proargnames[i] AS name, format_type(p.proargtypes[i - 1], NULL) AS type,
       array(SELECT a FROM unnest(p.proargnames[1 : p.pronargs - p.pronargdefaults]) AS a WHERE a <> p.proargnames[i]) AS needed
FROM pg_proc p, generate_series(1, p.pronargs) AS i
WHERE p.pronamespace = 'bcce'::regnamespace AND p.prokind = 'f' AND NOT 'internal'::regtype = ANY (p.proargtypes::oid[])
  AND EXISTS (SELECT FROM unnest('{bcce_analytics_user,bcce_cost_analyst,bcce_analytics_admin,bcce_ingest,bcce_platform}'::text[]) AS g (name) WHERE has_function_privilege(g.name, p.oid, 'EXECUTE'));
CREATE VIEW helper.tenant_arguments AS SELECT * FROM helper.arguments WHERE name ~ '^tenants?$|^tenant_' OR type IN ('uuid', 'uuid[]');
CREATE VIEW helper.object_arguments AS SELECT * FROM helper.arguments WHERE type = 'text' AND (name ~ '_id$|_of$|_by_run$|_key$' OR name IN ('merged_into', 'rule', 'alias', 'model', 'model_name', 'identifier'));
-- A call of the function with this one.
CREATE FUNCTION helper.call(function text, proname name, argument text, type text, needed text[], id text) RETURNS text LANGUAGE sql AS $$
    SELECT format('SELECT * FROM bcce.%I(%s)', proname, string_agg(a.name || ' => ' || a.value, ', ' ORDER BY a.n))
    FROM (SELECT n, u.name, CASE WHEN u.name = 'document' AND function LIKE '%jsonb%' THEN '''{"a": "Falcon and Hawk"}''::jsonb'
                                 WHEN u.name = 'document' THEN '''Falcon and Hawk''::text'
                                 WHEN u.name = 'kind' AND proname = 'record_cost_adjustment' THEN '''correction''' ELSE g.value END AS value
          FROM unnest(needed) WITH ORDINALITY AS u (name, n) LEFT JOIN helper.given AS g USING (name)
          UNION ALL SELECT 99, argument, CASE WHEN type = 'uuid[]' THEN quote_literal('{' || id || '}') ELSE quote_literal(id) END || '::' || type) AS a
$$;
GRANT SELECT ON ALL TABLES IN SCHEMA helper TO PUBLIC;
SQL
)
is "$(grep ERROR <<<"$made" || true)" "" "two tenants, beta with an object of every kind"
alpha=$(sql $database postgres -c "SELECT tenant_id FROM bcce_data.tenants WHERE slug = 'alpha'")
beta=$(sql $database postgres -c "SELECT tenant_id FROM bcce_data.tenants WHERE slug = 'beta'")
nobody=00000000-0000-7000-8000-000000000000
is "$(sql $database postgres -c "SELECT function, u.name FROM helper.arguments AS a, unnest(a.needed) AS u (name) WHERE a.oid IN (SELECT oid FROM helper.tenant_arguments UNION SELECT oid FROM helper.object_arguments)
    AND NOT EXISTS (SELECT FROM helper.given AS g WHERE g.name = u.name) AND u.name NOT IN ('document', 'tenant', 'tenants') GROUP BY 1, 2")" "" "a new argument that is needed has a line in helper.given"
is "$(sql $database postgres -c "SELECT function, name FROM helper.object_arguments EXCEPT SELECT a.function, a.name FROM helper.object_arguments AS a JOIN helper.object_of_beta AS o USING (name)")" "" \
    "one that names an object has a line in helper.object_of_beta"
like "$(sql $database postgres -c "SELECT count(*) FROM helper.tenant_arguments")|$(sql $database postgres -c "SELECT count(*) FROM helper.object_arguments")" '^[3-9][0-9]\|[2-9][0-9]$' "there are many of either"

# ask LOGIN QUERY
ask() {
    sql $database "$1" -c "SET default_transaction_read_only = off" -c "SET client_min_messages = warning" -c "$2"
}
# tenant LOGIN UUID SLUG EXTERNAL: what every function says about this tenant.
tenant() {
    ask "$1" "SELECT a.function || ' ' || helper.answer(helper.call(function, proname, name, type, needed, form), '$2', '$4', '$3') FROM helper.tenant_arguments AS a,
              unnest(CASE WHEN a.type LIKE 'uuid%' THEN '{$2}' ELSE '{$2,$3,$4}' END::text[]) WITH ORDINALITY AS u (form, n) ORDER BY a.oid, n"
}
refused='^(bcce\.)?[a-z_]+\(.*\) [0-9A-Z]{5} \|'
for login in all platform none; do
    theirs=$(tenant regress_nf_$login "$beta" beta ext-beta)
    is "$theirs" "$(tenant regress_nf_$login $nobody nobody ext-nobody)" "$login: beta and nobody are the same to every function"
    is "$(grep -E 'Beta tenant|\[PROJECT\] and|^ERROR' <<<"$theirs" || true)" "" "$login: and nothing of beta is in the answers"
    like "$(grep -cE "$refused" <<<"$theirs")" '^[5-9][0-9]$|^[0-9]{3}$' "$login: most are refusals"
done
is "$(tenant regress_nf_all "$alpha" alpha ext-alpha | grep -E "$refused" || true)" "" "the same calls for one's own tenant are good ones"

# object LOGIN VALUE: what every function says about an object.
object() {
    ask "$1" "SELECT a.function || ' ' || a.name || ' ' || helper.answer(helper.call(function, proname, a.name, type, needed, $2), $2) FROM helper.object_arguments AS a JOIN helper.object_of_beta AS o USING (name)
              ORDER BY a.oid, name"
}
theirs=$(object regress_nf_all o.id)
is "$theirs" "$(object regress_nf_all "'none_' || o.name")" "an object of beta's and one that does not exist are the same to every function"
like "$(grep -c P0002 <<<"$theirs")" '^[1-9]' "those that need one say that there is none"

# The comparison sees what it is to see.
sql $database postgres >/dev/null <<'SQL'
CREATE FUNCTION bcce.tell(tenant text) RETURNS boolean LANGUAGE sql SECURITY DEFINER AS 'SELECT EXISTS (SELECT FROM bcce_data.tenants t WHERE t.slug = tenant)';
GRANT EXECUTE ON FUNCTION bcce.tell(text) TO bcce_analytics_user;
SQL
is "$(diff <(tenant regress_nf_all "$beta" beta ext-beta) <(tenant regress_nf_all $nobody nobody ext-nobody) | grep '^[<>]' | cut -d' ' -f1,2)" "$(printf '%s\n' '< tell(text)' '> tell(text)')" "a function that tells is found out"
done_testing
