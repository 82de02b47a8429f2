-- Proves that everybody can find a report and the meaning of its columns, that
-- whoami() tells what there is to read, and what report_tenant() answers.
SET client_min_messages = warning;
CREATE DATABASE regress_find;
\set home :DBNAME
\c regress_find
SET client_min_messages = warning;
SET TimeZone = 'UTC';
\set VERBOSITY terse
CREATE EXTENSION bcce;
\t on

\echo == reports without a question, a grain or a reader, columns without a definition or a unit: none
SELECT report, question, grain, roles FROM bcce.reports WHERE num_nulls(question, grain, roles) > 0 OR question !~ '^[A-Z].*\?$' OR grain = '';
SELECT report, column_name FROM bcce.data_dictionary WHERE num_nulls(definition, unit, pii, data_type) > 0 OR definition = '';
-- The rule refuses what breaks it.
BEGIN;
COMMENT ON VIEW bcce.rejected IS 'no question';
COMMENT ON COLUMN bcce.rejected.hint IS NULL;
SELECT report, question, grain FROM bcce.reports WHERE num_nulls(question, grain) > 0;
SELECT report, column_name FROM bcce.data_dictionary WHERE definition IS NULL;
ROLLBACK;

\echo == every view that is no inbox, with every column; no inbox
SELECT c.relname FROM pg_class c LEFT JOIN bcce.reports r ON r.report = c.relname
WHERE c.relnamespace = 'bcce'::regnamespace AND c.relkind = 'v' AND (r.report IS NULL) <> (c.relname LIKE 'inbox\_%');
SELECT c.relname, a.attname FROM bcce.reports r JOIN pg_class c ON c.oid = format('bcce.%I', r.report)::regclass
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
LEFT JOIN bcce.data_dictionary d ON d.report = r.report AND d.column_name = a.attname AND d.ordinal = a.attnum
WHERE d.report IS NULL;

\echo == the catalogue of the six and of what was refused
SELECT report, question, grain FROM bcce.reports
WHERE report IN ('analytics_overview', 'mttr_analysis', 'cost_analysis', 'usage_trends', 'service_health_dashboard', 'prediction_accuracy', 'rejected')
ORDER BY report COLLATE "C";
SELECT report, time_column, twin, replace(roles, 'bcce_', '') AS roles FROM bcce.reports
WHERE report IN ('analytics_overview', 'cost_analysis', 'usage_trends', 'rejected', 'reports') ORDER BY report COLLATE "C";
SELECT report, column_name, data_type, unit, pii, definition FROM bcce.data_dictionary
WHERE (report, column_name) IN (('analytics_overview', 'failure_rate_percent'), ('usage_trends', 'usage_date'), ('usage_trends', 'hours_in_day'),
                                ('cost_analysis', 'total_cost_usd'), ('mttr_analysis', 'avg_mttr_minutes'), ('rejected', 'example_key'),
                                ('analytics_overview', 'avg_failure_probability'), ('usage_trends', 'peak_hour'), ('mttr_analysis', 'mttr_basis'))
ORDER BY report COLLATE "C", column_name COLLATE "C";

\echo == who may read it
\o /dev/null
SELECT bcce.create_tenant('alpha', 'Alpha', 'ext-alpha'), bcce.create_tenant('beta', 'Beta');
SELECT bcce.create_login('regress_find_' || kind, 'alpha', kind) FROM unnest('{user,cost,admin,ingest,platform}'::text[]) AS kind;
\o
SET ROLE regress_find_user;
SELECT count(*) > 6 AS reports FROM bcce.reports;
SELECT count(*) > 100 AS columns FROM bcce.data_dictionary;
SET ROLE regress_find_cost;
SELECT count(*) > 6 AS reports FROM bcce.reports;
SET ROLE regress_find_ingest;
SELECT count(*) > 6 AS reports FROM bcce.reports;
RESET ROLE;

\echo == whoami() counts what reports are made from, and says where data come in
CREATE FUNCTION pg_temp.told(who text) RETURNS TABLE (login text, runs bigint, incidents bigint, metrics bigint, predictions bigint, model_calls bigint, events bigint, explanation text)
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('SET ROLE %I', who);
    SELECT replace(who, 'regress_find_', ''), w.runs, w.incidents, w.metrics, w.predictions, w.model_calls, w.events, w.explanation
    INTO login, runs, incidents, metrics, predictions, model_calls, events, explanation FROM bcce.whoami() w;
    RESET ROLE;
    RETURN NEXT;
END
$$;
\o /dev/null
SELECT bcce.add_membership('regress_find_platform', 'beta');
\o
CREATE ROLE regress_find_stranger;
CREATE ROLE regress_find_lonely IN ROLE bcce_analytics_user;
\pset null -
SELECT t.* FROM unnest('{user,cost,admin,ingest,platform,stranger,lonely}'::text[]) AS kind, pg_temp.told('regress_find_' || kind) AS t;
SELECT runs, events, explanation FROM bcce.whoami();
\o /dev/null
SET ROLE regress_find_ingest;
SELECT bcce.record_workflow_run('build', 'failed', '2026-01-01 00:00+00', '2026-01-01 01:00+00', run_id => 'a' || n) FROM generate_series(1, 3) AS n;
SELECT bcce.record_workflow_run('build', 'failed', '2026-01-01 00:00+00', '2026-01-01 01:00+00', run_id => 'a4', is_test => true);
SELECT bcce.record_incident('i1', '2026-01-01 00:00+00', severity => 'sev1'), bcce.record_metric('shop', '2026-01-01 00:00+00');
SELECT bcce.record_prediction('risk', 'external', 't', 0.5), bcce.record_model_usage('claude'), bcce.ingest_event('{"event_type": "view"}');
RESET ROLE;
SELECT bcce.record_workflow_run('build', 'failed', '2026-01-01 00:00+00', '2026-01-01 01:00+00', run_id => 'b1', tenant => 'beta');
\o
SELECT t.* FROM unnest('{user,cost,admin,ingest,platform,stranger,lonely}'::text[]) AS kind, pg_temp.told('regress_find_' || kind) AS t;
SELECT runs, events, explanation FROM bcce.whoami();
UPDATE bcce_data.tenants SET deleted_at = now() WHERE slug = 'beta';
SELECT t.login, t.runs FROM pg_temp.told('regress_find_platform') AS t;
SELECT runs FROM bcce.whoami();
-- A function with other columns is made anew by install(), and everybody may call it.
BEGIN;
DROP FUNCTION bcce.whoami();
CREATE FUNCTION bcce.whoami(OUT login text, OUT explanation text) LANGUAGE sql AS $$SELECT 'x', 'y'$$;
SELECT count(*) > 10 AS modules FROM bcce.install();
SELECT t.runs FROM pg_temp.told('regress_find_stranger') AS t;
SELECT runs FROM bcce.whoami();
ROLLBACK;
\pset null ''
DROP ROLE regress_find_stranger, regress_find_lonely;

\echo == report_tenant(): every column of the three reports, services and models
SELECT tenant_id AS alpha FROM bcce_data.tenants WHERE slug = 'alpha' \gset
SELECT tenant_id AS beta FROM bcce_data.tenants WHERE slug = 'beta' \gset
UPDATE bcce_data.tenants SET deleted_at = NULL WHERE slug = 'beta';
SET ROLE regress_find_user;
SELECT string_agg(k, ', ') AS keys FROM json_object_keys(bcce.report_tenant('alpha')) AS k;
SELECT (r -> 'overview')::jsonb - 'as_of' = (SELECT to_jsonb(o) - 'as_of' FROM bcce.analytics_overview o) AS overview,
       (r -> 'mttr')::jsonb - 'oldest_open_minutes' = (SELECT to_jsonb(m) - 'oldest_open_minutes' FROM bcce.mttr_analysis m) AS mttr,
       (r -> 'cost')::jsonb - '{cost_per_hour_usd}'::text[] = (SELECT to_jsonb(c) - '{cost_per_hour_usd}'::text[] FROM bcce.cost_analysis c) AS cost,
       (SELECT array_agg(k) FROM json_object_keys(r -> 'cost') AS k)
           = (SELECT array_agg(column_name ORDER BY ordinal) FROM bcce.data_dictionary WHERE report = 'cost_analysis') AS in_order
FROM bcce.report_tenant('alpha') AS r;
SELECT s ->> 'service_id' AS service, s ->> 'status' AS status FROM json_array_elements(bcce.report_tenant('alpha') -> 'services') AS s;
SELECT m ->> 'model_name' AS model, m ->> 'labelled_count' AS labelled, m ->> 'accuracy_percent' AS accuracy FROM json_array_elements(bcce.report_tenant('alpha') -> 'models') AS m;
SELECT bcce.report_tenant('ext-alpha') ->> 'cost' = bcce.report_tenant('alpha') ->> 'cost' AS by_external_id,
       bcce.report_tenant(:'alpha') ->> 'cost' = bcce.report_tenant('alpha') ->> 'cost' AS by_uuid_text,
       bcce.report_tenant(:'alpha'::uuid) ->> 'cost' = bcce.report_tenant('alpha') ->> 'cost' AS by_uuid;
-- Another tenant is one that does not exist.
\set VERBOSITY sqlstate
SELECT bcce.report_tenant('beta');
\set VERBOSITY terse
SELECT bcce.report_tenant('beta');
SELECT bcce.report_tenant(:'beta');
SELECT bcce.report_tenant(:'beta'::uuid);
SELECT bcce.report_tenant('nobody');
SELECT bcce.report_tenant('00000000-0000-0000-0000-000000000000'::uuid);
SELECT bcce.report_tenant(NULL::text);
SELECT bcce.report_tenant(NULL::uuid);
SET ROLE regress_find_cost;
SELECT bcce.report_tenant('alpha');
RESET ROLE;
SELECT bcce.report_tenant('beta') -> 'services' AS services, bcce.report_tenant('beta') -> 'models' AS models,
       bcce.report_tenant('beta') -> 'overview' ->> 'total_workflows' AS runs;
-- @more@
\c :home
SET client_min_messages = warning;
DROP DATABASE regress_find;
DROP ROLE regress_find_user, regress_find_cost, regress_find_admin, regress_find_ingest, regress_find_platform;
