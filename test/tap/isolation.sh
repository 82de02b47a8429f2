#!/usr/bin/env bash
# Proves that tenants are apart: whatever a login of tenant alpha asks, reads,
# sets or tries to write, nothing of tenant beta comes, and nothing goes there.
# Speaks TAP.
set -euo pipefail
. "$(dirname "$0")/../lib/tap.sh"
lib=$(cd "$(dirname "$0")/../lib" && pwd)

database=bcce_isolation_$$ other=bcce_isolation_other_$$
logins="user cost admin ingest platform none outsider"
work=$(mktemp -d)
clean() {
    psql -Xq -d postgres -c "DROP DATABASE IF EXISTS $database WITH (FORCE)" -c "DROP DATABASE IF EXISTS $other WITH (FORCE)" >/dev/null 2>&1 || true
    for login in $logins leaky; do
        psql -Xq -d postgres -c "DROP ROLE IF EXISTS regress_isolation_$login" >/dev/null 2>&1 || true
    done
    rm -rf "$work"
}
trap clean EXIT
psql -Xq -d postgres -c "CREATE DATABASE $database" -c "CREATE DATABASE $other"
psql -Xq -d $database -c 'CREATE EXTENSION bcce'
psql -Xq -d $other -c 'CREATE EXTENSION bcce'
sql $database postgres -f "$lib/seed.sql" >"$work/seed.out"
sql $database postgres >>"$work/seed.out" <<'SQL'
SELECT bcce.create_login('regress_isolation_user', 'alpha', 'user'), bcce.create_login('regress_isolation_cost', 'alpha', 'cost'),
       bcce.create_login('regress_isolation_admin', 'alpha', 'admin'), bcce.create_login('regress_isolation_ingest', 'alpha', 'ingest'),
       bcce.create_login('regress_isolation_platform', 'alpha', 'platform');
SELECT bcce.add_membership('regress_isolation_platform', 'beta');
CREATE ROLE regress_isolation_none LOGIN IN ROLE bcce_analytics_user, bcce_cost_analyst, bcce_analytics_admin, bcce_ingest, bcce_platform;
CREATE ROLE regress_isolation_outsider LOGIN;
CREATE SCHEMA leaky AUTHORIZATION regress_isolation_user;
GRANT USAGE ON SCHEMA leaky TO PUBLIC;
ANALYZE;
SQL
is "$(grep ERROR "$work/seed.out" || true)" "" "two tenants with facts and a login of each kind"
beta=$(sql $database postgres -c "SELECT tenant_id FROM bcce_data.tenants WHERE slug = 'beta'")
alpha=$(sql $database postgres -c "SELECT tenant_id FROM bcce_data.tenants WHERE slug = 'alpha'")

views=$(sql $database postgres -c "SELECT oid::regclass FROM pg_class WHERE relnamespace = 'bcce'::regnamespace AND relkind = 'v' ORDER BY relname")
reports=$(sql $database postgres -c "SELECT relname FROM pg_class c WHERE relnamespace = 'bcce'::regnamespace AND relkind = 'v'
    AND EXISTS (SELECT FROM pg_proc p WHERE p.pronamespace = c.relnamespace AND p.proname = c.relname) ORDER BY relname")
tables=$(sql $database postgres -c "SELECT oid::regclass FROM pg_class WHERE relnamespace::regnamespace::text IN ('bcce_data', 'bcce_private') AND relkind IN ('r', 'p') ORDER BY 1::text")
functions=$(sql $database postgres -c "SELECT oid::regprocedure FROM pg_proc WHERE pronamespace::regnamespace::text IN ('bcce', 'bcce_data', 'bcce_private') AND prokind = 'f' ORDER BY 1::text")
like "$(wc -w <<<"$reports")" '^[6-9]|^[0-9]{2}' "at least six reports with twins"

# everything LOGIN: what the login gets to see of every object, by every way to
# name it.  Errors go on.
everything() {
    {
        for view in $views; do echo "SELECT * FROM $view;"; done
        for report in $reports; do
            echo "SELECT * FROM bcce.$report('2000-01-01', '2100-01-01');"
            echo "SELECT * FROM bcce.$report(NULL, NULL) WHERE tenant_id = '$beta';"
            echo "SELECT bcce.export_csv('$report');"
            echo "SELECT bcce.export_json('$report', '2000-01-01', '2100-01-01');"
            echo "SELECT count(*) FROM bcce.$report WHERE tenant_id = '$beta' OR tenant_name LIKE 'B%' HAVING count(*) > 0 AND count(*) <> 999;"
        done
        for table in $tables; do
            echo "SELECT * FROM $table;"
            echo "TABLE ONLY $table;"
            echo "COPY $table TO STDOUT;"
        done
        # Tables column by column, for those that may read some.
        echo "SELECT format('SELECT %s FROM %s;', string_agg(quote_ident(a.attname), ', '), a.attrelid::regclass) FROM pg_attribute a
              JOIN pg_class c ON c.oid = a.attrelid
              WHERE c.relnamespace::regnamespace::text IN ('bcce_data', 'bcce_private') AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
                AND has_column_privilege(c.oid, a.attnum, 'SELECT') GROUP BY a.attrelid \\gexec"
        # Every function that may be called, with beta in every place where it fits.
        echo "SELECT format('SELECT bcce.%I(%s);', p.proname, (SELECT string_agg(CASE
                  WHEN t = 'uuid'::regtype THEN quote_literal('$beta') || '::uuid'
                  WHEN t = 'text'::regtype THEN '''beta''::text'
                  WHEN t = 'jsonb'::regtype THEN '''{\"tenant\": \"beta\", \"event_type\": \"x\"}''::jsonb'
                  WHEN t = 'timestamptz'::regtype THEN 'now()'
                  WHEN t IN ('integer'::regtype, 'bigint'::regtype, 'numeric'::regtype, 'double precision'::regtype, 'smallint'::regtype) THEN '1::' || t
                  ELSE 'NULL::' || t END, ', ' ORDER BY j) FROM unnest(p.proargtypes::oid[]::regtype[]) WITH ORDINALITY AS u (t, j)))
              FROM pg_proc p WHERE p.pronamespace = 'bcce'::regnamespace AND p.prokind = 'f' AND has_function_privilege(p.oid, 'EXECUTE')
                AND p.prorettype NOT IN ('trigger'::regtype, 'internal'::regtype) AND NOT 'internal'::regtype = ANY (p.proargtypes::oid[])
                AND p.proname <> 'raise_error' \\gexec"
        echo "SELECT bcce.overview_json(slug) FROM (VALUES ('beta'), ('ext-beta'), ('$beta')) AS v (slug);"
        echo "SELECT bcce.overview_json('$beta'::uuid);"
        echo "SELECT bcce.report_tenant(slug) FROM (VALUES ('beta'), ('ext-beta'), ('$beta')) AS v (slug);"
        echo "SELECT bcce.report_tenant('$beta'::uuid);"
        echo "SELECT bcce.estimate_cost('workflow_run', 1, now(), '$beta');"
    } | sql $database "$1" -v ON_ERROR_STOP=0 | sed "s/LINE [0-9]*:.*//; /^ *\^/d"
}
# Beta's words: names, ids, its uuid.  What the login itself put into a question
# is no answer.
beta_words="Beta tenant|svc-beta|wf-beta|run-beta|inc-beta|model-beta|claude-beta|thing of beta|message of beta|title of beta|old-beta|bad-beta|pred-beta|$beta"
for login in user cost admin ingest none outsider; do
    everything regress_isolation_$login >"$work/seen.$login"
    is "$(grep -E "$beta_words" "$work/seen.$login" | head -n 5 || true)" "" "$login: nothing of beta in any view, twin, table, partition or function"
done
everything regress_isolation_platform >"$work/seen.platform"
like "$(cat "$work/seen.platform")" 'Beta tenant' "the same questions of one who may see beta show it"
like "$(cat "$work/seen.user")" 'Alpha tenant' "and those of alpha's reader show alpha"
is "$(grep -cE 'Alpha tenant|svc-alpha' "$work/seen.none" || true)" 0 "no membership: no rows of anybody"
is "$(for view in $(grep -vE 'bcce.(reports|data_dictionary|metric_catalogue|known_words)$' <<<"$views"); do sql $database regress_isolation_none -c "SELECT count(*) FROM $view"; done | grep -v inbox | sort -u | grep -v 'permission denied' || true)" 0 "no membership: every report answers with no row and no error"
is "$(for report in $reports; do sql $database regress_isolation_none -c "SELECT count(*) FROM bcce.$report('2020-01-01')"; done | sort -u)" 0 "no membership: every twin, too"
is "$(grep -E 'Alpha tenant|svc-alpha' "$work/seen.ingest" "$work/seen.outsider" || true)" "" "a writer reads nothing, nor does an outsider"
is "$(for report in $reports; do case $report in cost_* | budget_* | unpriced_usage | usage_reconciliation) ;; *) sqlstate $database regress_isolation_cost "SELECT * FROM bcce.$report" ;; esac; done | sort -u)" "ERROR:  42501" "a cost analyst reads the cost reports only"
like "$(sql $database regress_isolation_cost -c 'SELECT tenant_name FROM bcce.cost_analysis')" '^Alpha tenant$' "and these"
# Read-only by default is a convenience that a login can switch off.
export PGOPTIONS="-c default_transaction_read_only=off"
for login in user cost admin ingest platform none; do
    is "$(for table in $tables; do
        sqlstate $database regress_isolation_$login "INSERT INTO $table DEFAULT VALUES"
        sqlstate $database regress_isolation_$login "DELETE FROM $table"
        sqlstate $database regress_isolation_$login "TRUNCATE $table"
    done | sort -u)" "ERROR:  42501" "$login: no table takes INSERT, DELETE or TRUNCATE"
done
is "$(for view in $views; do
    sqlstate $database regress_isolation_ingest "UPDATE $view SET tenant = 'x'"
    sqlstate $database regress_isolation_ingest "DELETE FROM $view"
done | sort -u | grep -vE '42501|42703|55000' || true)" "" "a writer cannot UPDATE or DELETE through a view"

# A writer of alpha and the facts of beta.
beta_rows() {
    sql $database postgres -c "SELECT format('SELECT %L, count(*), md5(string_agg(t::text, '''' ORDER BY t::text)) FROM %s t WHERE tenant_id = %L;', c.oid::regclass, c.oid::regclass, '$beta')
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
        WHERE c.relnamespace::regnamespace::text IN ('bcce_data', 'bcce_private') AND c.relkind = 'r' ORDER BY c.oid::regclass::text" | sql $database postgres
}
beta_rows >"$work/beta.before"
for tenant in beta ext-beta "$beta" nobody 00000000-0000-7000-8000-000000000000; do
    is "$(for call in "record_workflow_run('w', 'failed', now(), now(), 'run-beta-1', tenant => '$tenant')" "record_incident('inc-beta-1', now(), tenant => '$tenant')" \
        "record_metric('s', tenant => '$tenant')" "record_prediction('m', 'external', 't', 0.5, tenant => '$tenant')" "resolve_prediction('pred-beta-2', 0, tenant => '$tenant')" \
        "record_model_usage('m', tenant => '$tenant')" "ingest_event('{\"event_type\": \"x\"}', '$tenant')" "ingest_event('{\"event_type\": \"x\", \"tenant\": \"$tenant\"}')"; do
        psql -XAtq -v VERBOSITY=verbose -U regress_isolation_ingest -d $database -c "SELECT bcce.$call" 2>&1 | grep -E 'ERROR|HINT|DETAIL' | tr '\n' ' '; echo
    done | sort -u)" "$(printf 'ERROR:  P0002: tenant not found HINT:  Give a slug, external id or uuid of a tenant that you may write for, or leave it out where you have exactly one; bcce.whoami() lists them. ')" "a writer of alpha cannot write for $tenant, and cannot tell whether it exists"
done
for inbox in inbox_workflow_runs inbox_incidents inbox_events; do
    sql $database regress_isolation_ingest -c "INSERT INTO bcce.$inbox (tenant) VALUES ('beta'), ('ext-beta'), ('$beta')" >/dev/null
done
sql $database regress_isolation_ingest -c "SELECT bcce.ingest_events('[{\"event_type\": \"x\", \"tenant\": \"beta\"}]'), bcce.record_incident('inc-beta-1', now(), title => 'mine')" \
    -c "SELECT bcce.record_workflow_run('wf-beta-0', 'failed', now(), now(), 'run-beta-1')" >/dev/null
sql $database regress_isolation_admin -c "SELECT bcce.set_price('workflow_run', 9, now(), 'beta')" -c "SELECT bcce.add_value_alias('run_status', 'x', 'failed', 'beta')" \
    -c "SELECT bcce.log_export('overview', '{$beta}', '{1}')" >/dev/null
beta_rows >"$work/beta.after"
is "$(cat "$work/beta.after")" "$(cat "$work/beta.before")" "nothing of beta has changed, ids of its own included"
is "$(sqlstate $database regress_isolation_ingest "SELECT bcce.create_tenant('x', 'x')"; sqlstate $database regress_isolation_ingest "SELECT bcce.add_membership('regress_isolation_ingest', 'beta')"
      sqlstate $database regress_isolation_admin "SELECT bcce.add_membership('regress_isolation_admin', 'beta')"; sqlstate $database regress_isolation_admin "SELECT bcce.create_login('x', 'beta')")" \
    "$(printf 'ERROR:  42501\n%.0s' 1 2 3 4)" "nobody gives a tenant to himself"

# Another tenant's id and one that does not exist are answered alike.
for login in user admin platform none; do
    for form in "'beta'" "'$beta'::uuid" "'$beta'"; do
        [ $login != platform ] || continue
        for function in overview_json report_tenant; do
            a=$(psql -XAtq -v VERBOSITY=verbose -U regress_isolation_$login -d $database -c "SELECT bcce.$function($form)" 2>&1 | grep -v LOCATION || true)
            b=$(psql -XAtq -v VERBOSITY=verbose -U regress_isolation_$login -d $database -c "SELECT bcce.$function($(sed "s/beta/nobody/; s/$beta/00000000-0000-7000-8000-000000000000/" <<<"$form"))" 2>&1 | grep -v LOCATION || true)
            is "$a" "$b" "$login: $function of beta as of nobody (${form:0:10})"
        done
    done
done

# Settings: numbers that do not hang on the time of the question.
numbers() {
    local settings=$1 login=$2 report
    for report in analytics_overview cost_analysis usage_trends mttr_analysis prediction_accuracy; do
        echo "$settings SELECT md5(string_agg(r::text, '' ORDER BY r::text)), count(*) FROM (SELECT to_jsonb(x) - ARRAY['as_of', 'oldest_open_minutes', 'oldest_open_age_minutes'] - array(SELECT k FROM jsonb_object_keys(to_jsonb(x)) k WHERE k LIKE '%age%' OR k LIKE '%incl_open%') AS r FROM bcce.$report(NULL, '2026-11-01 00:00+00') AS x) AS q;"
    done | sql $database "$login" | sed 's/^SET$//' | grep -v '^$'
}
plain=$(numbers "" regress_isolation_user)
like "$plain" '^[0-9a-f]{32}\|[1-9]' "numbers to compare"
for setting in "row_security = off" "row_security = on" "search_path = pg_temp, public" "search_path = leaky, bcce" "TimeZone = 'Asia/Tokyo'" "TimeZone = 'UTC'" "DateStyle = 'German'" \
    "IntervalStyle = 'iso_8601'" "extra_float_digits = -5" "session_replication_role = replica" "bcce.test_now = '2020-01-01 00:00+00'" "bcce.tenant = '$beta'" \
    "bcce.current_tenant = '$beta'" "app.current_tenant = '$beta'" "role = bcce_owner" "role = bcce_maintainer" "session_authorization = postgres" "role = regress_isolation_platform" \
    "plan_cache_mode = force_generic_plan" "jit = on" "enable_seqscan = off" "constraint_exclusion = on" "enable_partition_pruning = off" "force_parallel_mode = on" \
    "standard_conforming_strings = off" "client_encoding = 'LATIN1'" "default_transaction_isolation = serializable" "check_function_bodies = off" "transform_null_equals = on" \
    "lc_numeric = 'C'" "array_nulls = off" "backslash_quote = on" "quote_all_identifiers = on" "statement_timeout = 0" "work_mem = '64kB'" "default_transaction_read_only = off"; do
    got=$(numbers "SET $setting;" regress_isolation_user)
    got=$(grep -vE '^(psql:.*)?(ERROR|WARNING|HINT|DETAIL|CONTEXT)' <<<"$got" || true)
    if [ "$setting" = "extra_float_digits = -5" ]; then
        is "$(cut -d'|' -f2 <<<"$got")" "$(cut -d'|' -f2 <<<"$plain")" "SET $setting shows no other rows"
        continue
    fi
    # Instants print in the session's zone: read in that zone, print in another.
    if [[ $setting == TimeZone* ]]; then
        for zone in "TimeZone = 'UTC'" "$setting"; do
            for report in $reports; do
                echo "SET $zone; BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT * FROM bcce.$report(NULL, '2026-11-01 00:00+00') AS r ORDER BY r; COMMIT; SET TimeZone = 'UTC'; FETCH ALL FROM c; CLOSE c;"
            done | sql $database regress_isolation_user >"$work/zone.${zone//[^A-Za-z]/}"
        done
        like "$(wc -l <"$work/zone.TimeZoneUTC")" '^[0-9]{2,}' "rows to compare"
        is "$(cat "$work/zone.${setting//[^A-Za-z]/}")" "$(cat "$work/zone.TimeZoneUTC")" "SET $setting shows the same rows and numbers"
        continue
    fi
    # row_security = off is answered with an error instead of with all rows.
    [ "$setting" = "row_security = off" ] && [ -z "$got" ] && got=$plain
    is "$got" "$plain" "SET $setting shows the same rows and numbers"
done
is "$(sql $database regress_isolation_user -v VERBOSITY=sqlstate -c "SELECT bcce.report_now() > '2026-01-01'" -c "SET bcce.test_now = '2020-01-01 00:00+00'")" "$(printf 't\nERROR:  42501')" "bcce.test_now is refused"
like "$(sqlstate $database regress_isolation_user "SELECT 1 FROM bcce.report_now(); SET bcce.test_now = '2020-01-01 00:00+00'; SELECT bcce.report_now() < '2021-01-01'" | tail -n 1)" '42501|^f' "and has no effect when set before the library is there"
like "$(sql $database regress_isolation_user -c "SET bcce.test_now = '2020-01-01 00:00+00'" -c "SELECT bcce.report_now() < '2021-01-01'" | tail -n 1)" 'f$' "nor afterwards"

# Roles: a login can only become what it was granted.
for role in bcce_owner bcce_maintainer bcce_platform regress_isolation_platform postgres; do
    is "$(sqlstate $database regress_isolation_user "SET ROLE $role")" "ERROR:  42501" "SET ROLE $role is refused"
done
is "$(sql $database regress_isolation_user -c 'SET ROLE bcce_analytics_user' -c 'SELECT count(*) FROM bcce.analytics_overview' -c 'RESET ROLE' -c 'SELECT tenant_name FROM bcce.analytics_overview' -c 'SET SESSION AUTHORIZATION DEFAULT' -c 'SELECT tenant_name FROM bcce.analytics_overview')" \
    "$(printf '0\nAlpha tenant\nAlpha tenant')" "SET ROLE to the group shows nothing, RESET shows alpha again"
is "$(sql $database postgres -c 'SET ROLE regress_isolation_user' -c 'SELECT string_agg(tenant_name, $$,$$) FROM bcce.analytics_overview' -c 'SET ROLE regress_isolation_none' -c 'SELECT count(*) FROM bcce.analytics_overview')" \
    "$(printf 'Alpha tenant\n0')" "a superuser who sets a role sees as the role"

# Tricks: functions and tables of the login's own in the way.
leak=$(sql $database regress_isolation_user <<'SQL'
SET default_transaction_read_only = off;
CREATE TABLE leaky.seen (what text);
CREATE FUNCTION leaky.spy(what text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN RAISE NOTICE 'spied %', what; RETURN true; END $$;
CREATE FUNCTION leaky.current_tenant() RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid';
CREATE FUNCTION leaky.eq(text, text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN RAISE NOTICE 'spied %', $1; RETURN true; END $$;
CREATE OPERATOR leaky.= (LEFTARG = text, RIGHTARG = text, FUNCTION = leaky.eq);
CREATE TEMP TABLE tenants (tenant_id uuid);
CREATE TEMP TABLE workflow_runs (tenant_id uuid);
CREATE TEMP TABLE membership (role regrole, tenant_id uuid);
SET search_path = pg_temp, leaky, bcce;
SELECT tenant_name FROM bcce.analytics_overview WHERE leaky.spy(tenant_name);
SELECT count(*) FROM bcce.usage_trends WHERE leaky.spy(tenant_name);
SELECT count(*) FROM bcce.service_health_dashboard WHERE leaky.spy(service_name) AND leaky.spy(tenant_name);
SELECT count(*) FROM bcce.prediction_accuracy WHERE model_name OPERATOR(leaky.=) 'x';
SELECT count(*) FROM bcce.cost_analysis('2026-01-01') AS c WHERE leaky.spy(c.tenant_name) OR 1 / (CASE WHEN c.tenant_name = 'Beta tenant' THEN 0 ELSE 1 END) = 1;
EXPLAIN (ANALYZE, VERBOSE) SELECT * FROM bcce.analytics_overview WHERE leaky.spy(tenant_name);
SQL
)
like "$leak" 'spied Alpha tenant' "a leaky function in WHERE sees the login's own rows"
is "$(grep -E "$beta_words" <<<"$leak" || true)" "" "and nothing of beta"
is "$(sql $database regress_isolation_admin -c "SET search_path = leaky, pg_temp" -c "SELECT tenant_name FROM bcce.analytics_overview")" "Alpha tenant" "names of others in the search path change nothing"
is "$(sql $database regress_isolation_user -c "SELECT most_common_vals FROM pg_stats WHERE schemaname LIKE 'bcce%'" -c "SELECT count(*) FROM pg_statistic" 2>&1 | grep -E "$beta_words" || true)" "" "nor do the planner's statistics"

# One prepared plan, several roles.
is "$(sql $database postgres <<'SQL'
SET plan_cache_mode = force_generic_plan;
PREPARE q AS SELECT coalesce(string_agg(tenant_name, ',' ORDER BY tenant_name), 'none') FROM bcce.analytics_overview;
PREPARE t (timestamptz) AS SELECT coalesce(string_agg(tenant_name, ',' ORDER BY tenant_name), 'none') FROM bcce.cost_analysis($1);
SET ROLE regress_isolation_user; EXECUTE q; EXECUTE t ('2020-01-01');
SET ROLE regress_isolation_platform; EXECUTE q; EXECUTE t ('2020-01-01');
SET ROLE regress_isolation_none; EXECUTE q; EXECUTE t ('2020-01-01');
SET ROLE regress_isolation_user; EXECUTE q; EXECUTE t ('2020-01-01');
RESET ROLE; EXECUTE q;
SET ROLE regress_isolation_cost; EXECUTE t ('2020-01-01');
SQL
)" "$(printf '%s\n' 'Alpha tenant' 'Alpha tenant' 'Alpha tenant,Beta tenant' 'Alpha tenant,Beta tenant' none none 'Alpha tenant' 'Alpha tenant' 'Alpha tenant,Beta tenant' 'Alpha tenant')" "a prepared generic plan follows the role"

# Two databases of one cluster.
sql $other postgres -c "SELECT bcce.create_tenant('gamma', 'Gamma tenant')" -c "SELECT bcce.record_incident('g', now(), tenant => 'gamma')" >/dev/null
is "$(sql $other regress_isolation_user -c 'SELECT count(*) FROM bcce.analytics_overview' -c 'SELECT tenants IS NULL FROM bcce.whoami()')" "$(printf '0\nt')" "a membership counts in its own database only"
is "$(sqlstate $other regress_isolation_ingest "SELECT bcce.record_incident('x', now(), tenant => 'gamma')")" "ERROR:  P0002" "for writers, too"
sql $other postgres -c "SELECT bcce.add_membership('regress_isolation_user', 'gamma')" >/dev/null
is "$(sql $other regress_isolation_user -c 'SELECT tenant_name FROM bcce.analytics_overview')|$(sql $database regress_isolation_user -c 'SELECT tenant_name FROM bcce.analytics_overview')" "Gamma tenant|Alpha tenant" "one login may have another tenant in each"
done_testing
