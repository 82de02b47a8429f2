-- Proves what exports are, byte for byte, that spreadsheets take no text for a
-- formula, and that each export is logged, read-only logins' too.
SET client_min_messages = warning;
CREATE DATABASE regress_export;
\set home :DBNAME
\c regress_export
SET client_min_messages = warning;
SET TimeZone = 'Asia/Tokyo';
SET DateStyle = 'German';
\set VERBOSITY terse
CREATE EXTENSION bcce;
\t on
\pset format unaligned
INSERT INTO bcce_data.tenants (tenant_id, tenant_name, slug) VALUES
    ('11111111-1111-1111-1111-111111111111', 'Acme Corp', 'acme'),
    ('22222222-2222-2222-2222-222222222222', 'Beta Inc', 'beta'),
    ('33333333-3333-3333-3333-333333333333', 'Gamma, "Ltd"', 'gamma');
INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, workflow_id, started_at, finished_at, status)
SELECT t.tenant_id, 'run-' || n, 'w', s.at,
       CASE WHEN n <= t.started - t.running THEN s.at + interval '1 minute' END,
       CASE WHEN n <= t.failed THEN 'failed' WHEN n <= t.started - t.running THEN 'succeeded' ELSE 'running' END
FROM (VALUES ('11111111-1111-1111-1111-111111111111'::uuid, 150, 0, 12), ('22222222-2222-2222-2222-222222222222', 89, 1, 11))
     AS t (tenant_id, started, running, failed)
CROSS JOIN LATERAL generate_series(1, t.started) AS n
CROSS JOIN LATERAL (SELECT '2026-01-05 08:00:00+00'::timestamptz + make_interval(mins => n)) AS s (at);

\echo == the four columns of the sample
SELECT bcce.export_csv('overview');
SELECT bcce.export_jsonl('overview');
SELECT bcce.export_json('overview');
SELECT bcce.export_csv('overview', until => '2026-01-05 08:11:00+00');
SELECT * FROM bcce.export_csv('analytics_overview', '2026-01-05 08:00:00+00', '2026-01-06 08:00:00+00');
SELECT * FROM bcce.export_csv('overview') WITH ORDINALITY LIMIT 1;

\echo == every report has the columns of the view in both forms, and as many rows
SELECT r.report FROM bcce.reports r
CROSS JOIN LATERAL (SELECT string_agg(d.column_name, ',' ORDER BY d.ordinal) AS header FROM bcce.data_dictionary d WHERE d.report = r.report) AS d
WHERE (SELECT l FROM bcce.export_csv(r.report) AS l LIMIT 1) IS DISTINCT FROM d.header
   OR (SELECT count(*) FROM bcce.export_csv(r.report)) <> (SELECT count(*) + 1 FROM bcce.export_jsonl(r.report))
   OR json_array_length(bcce.export_json(r.report)) <> (SELECT count(*) FROM bcce.export_jsonl(r.report))
   OR (SELECT string_agg(k, ',') FROM (SELECT l::json AS o FROM bcce.export_jsonl(r.report) AS l LIMIT 1) AS one, json_object_keys(one.o) AS k) <> d.header;
-- What COPY writes as CSV, COPY of ours reads back.
CREATE TEMP TABLE back (LIKE bcce.data_dictionary);
\getenv abs_builddir PG_ABS_BUILDDIR
\set file :abs_builddir '/results/export.csv'
\o :file
SELECT bcce.export_csv('data_dictionary');
\o
\set copy '\\copy back FROM ' :file ' (FORMAT csv, HEADER)'
:copy
SELECT count(*) > 100 AS many FROM back;
(TABLE back EXCEPT TABLE bcce.data_dictionary) UNION ALL (TABLE bcce.data_dictionary EXCEPT TABLE back);

\echo == formulas, line breaks, quotes, empty and unknown, numbers below zero
INSERT INTO bcce_data.rejected_input (tenant_id, source, reason, example_key, rejected_count)
SELECT '11111111-1111-1111-1111-111111111111', 's' || n, reason, key, 1
FROM unnest(ARRAY['=1+1', '+1', '-1', '@SUM(A1)', E'\tx', E'\rx', 'a,b', 'a"b', E'a\nb', '', NULL, 'a=b', '''=1', '=a,"b"'],
            ARRAY['-1', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x']) WITH ORDINALITY AS u (key, reason, n);
SELECT replace(replace(regexp_replace(l, '(,[^,]*){2},((?:[^,"]|"(?:[^"]|"")*")*)$', ' | \2'), E'\r', '<CR>'), E'\t', '<TAB>') AS line
FROM bcce.export_csv('rejected') AS l;
INSERT INTO bcce_data.infra_costs (tenant_id, category, amount_usd, period_start_at, period_end_at)
VALUES ('22222222-2222-2222-2222-222222222222', 'refund', -100.50, '2026-01-01 00:00+00', '2026-01-02 00:00+00');
SELECT l LIKE '%,-100.5%' AND l NOT LIKE '%''%' AS number_untouched FROM bcce.export_csv('cost_analysis') AS l WHERE l LIKE '2222%';
SELECT l ->> 'infra_cost_usd' FROM bcce.export_jsonl('cost_analysis') AS j, LATERAL (SELECT j::json) AS o (l) WHERE j LIKE '%2222%';

-- Money: two decimals, six for the cost of a unit; the report itself does not round.
INSERT INTO bcce_data.performance_metrics (tenant_id, idempotency_key, observed_at, service_id) VALUES ('22222222-2222-2222-2222-222222222222', 'm', '2026-01-05 09:00+00', 's');
SELECT l ->> 'workflow_cost_usd' AS workflow, l ->> 'monitoring_cost_usd' AS monitoring, l ->> 'cost_per_workflow_usd' AS per_workflow,
       (SELECT monitoring_cost_usd FROM bcce.cost_analysis WHERE tenant_name = 'Beta Inc') AS unrounded
FROM bcce.export_jsonl('cost_analysis') AS j, LATERAL (SELECT j::json) AS o (l) WHERE j LIKE '%2222%';

\echo == names that are no report
SELECT bcce.export_csv('inbox_events');
SELECT bcce.export_csv('module');
SELECT bcce.export_csv('analytics_overview; DROP TABLE bcce_data.tenants');
SELECT bcce.export_csv('pg_catalog.pg_authid');
SELECT bcce.export_jsonl('Overview');
SELECT bcce.export_json(NULL);
SELECT bcce.export_csv('rejected', '2026-01-01 00:00+00');
SELECT bcce.export_lines('xml', 'overview');
SELECT bcce.log_export('nothing', NULL, NULL);
\set VERBOSITY sqlstate
SELECT bcce.export_csv('inbox_events');
\set VERBOSITY default
\set SHOW_CONTEXT never
SELECT bcce.export_csv('nothing');
\set VERBOSITY terse

\echo == who may export what, and the log
TRUNCATE bcce_data.export_log;
\o /dev/null
INSERT INTO bcce_private.tenant_key (tenant_id, key) VALUES ('33333333-3333-3333-3333-333333333333', sha256('gamma'));
SELECT bcce.create_login('regress_export_' || kind, 'acme', kind) FROM unnest('{user,cost,admin,ingest,platform}'::text[]) AS kind;
SELECT bcce.add_membership('regress_export_platform', 'beta');
CREATE ROLE "regress_export_jane@example.org" LOGIN IN ROLE bcce_analytics_user;
SELECT bcce.add_membership('"regress_export_jane@example.org"', 'gamma');
\o
CREATE FUNCTION public.try(who text, report text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    told text;
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', who);
    BEGIN
        SELECT count(*)::text || ' lines' INTO told FROM bcce.export_csv(report);
    EXCEPTION WHEN OTHERS THEN
        told := SQLSTATE;
    END;
    RESET ROLE;
    RETURN who || ', ' || report || ': ' || told;
END
$$;
SELECT public.try('regress_export_' || kind, report) FROM unnest('{user,cost,admin,ingest,platform}'::text[]) AS kind, unnest('{overview,cost_analysis,rejected}'::text[]) AS report;
-- The login is that of the session, the tenants those of the rows.
SELECT t.slug, l.login = session_user AS is_session_user, l.report, l.row_count, count(*) AS exports FROM bcce_data.export_log l JOIN bcce_data.tenants t USING (tenant_id) GROUP BY 1, 2, 3, 4 ORDER BY 1, 3, 4;
TRUNCATE bcce_data.export_log;
SELECT rolname FROM pg_roles WHERE rolname LIKE 'regress\_export%' AND rolconfig @> '{default_transaction_read_only=on}' ORDER BY 1;
-- Read-only, as such logins are: a line of the server log alone, and nothing for the client.
SET SESSION AUTHORIZATION regress_export_user;
SET client_min_messages = log;
SET default_transaction_read_only = on;
SELECT bcce.export_csv('overview');
SET client_min_messages = warning;
SET default_transaction_read_only = off;
SELECT bcce.export_csv('overview');
SELECT count(*) FROM bcce.export_csv('usage_trends', '2000-01-01 00:00+00', '2000-01-02 00:00+00');
-- Nobody writes into the log of another tenant.
SELECT bcce.log_export('overview', '{22222222-2222-2222-2222-222222222222}', '{7}');
SELECT bcce.log_export('overview', '{11111111-1111-1111-1111-111111111111}', '{-7}');
SELECT bcce.log_line('x');
SELECT * FROM bcce_data.export_log;
SET SESSION AUTHORIZATION "regress_export_jane@example.org";
SELECT bcce.export_csv('overview');
SET SESSION AUTHORIZATION regress_export_cost;
SELECT bcce.export_csv('overview');
SELECT bcce.export_csv('nothing');
SELECT count(*) FROM bcce.export_csv('cost_analysis');
RESET SESSION AUTHORIZATION;
SELECT t.slug, regexp_replace(l.login, '^id_[a-z0-9]{26}$', 'id_...') AS login, l.report, l.row_count FROM bcce_data.export_log l JOIN bcce_data.tenants t USING (tenant_id) ORDER BY 1, 2, 3, 4;

\c :home
SET client_min_messages = warning;
DROP DATABASE regress_export;
DROP ROLE regress_export_user, regress_export_cost, regress_export_admin, regress_export_ingest, regress_export_platform, "regress_export_jane@example.org";
