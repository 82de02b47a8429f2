-- Proves that reports with a window read only the months of the window: every
-- report of the catalogue, by its twin and by a filter on its time column.
-- Each line is a report and a partitioned fact, each number how many of the
-- fact's 15 partitions the plan reads: as the explained query ran, a partition
-- that the executor left out does not count.
SET client_min_messages = warning;
CREATE DATABASE regress_pruning;
\set home :DBNAME
\c regress_pruning
SET client_min_messages = warning;
SET TimeZone = 'UTC';
CREATE EXTENSION bcce;
SET bcce.test_now = '2020-02-20 12:00:00+00';
SET max_parallel_workers_per_gather = 0;

\echo == fourteen months and a default partition of every fact, rows of two tenants in all of them
DO $$
DECLARE
    parent regclass;
    child regclass;
BEGIN
    FOR parent IN SELECT partrelid FROM pg_partitioned_table WHERE partrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'bcce_data'::regnamespace) LOOP
        -- Those of the months around today.
        FOR child IN SELECT inhrelid FROM pg_inherits WHERE inhparent = parent AND inhrelid::regclass::text NOT LIKE '%\_default' LOOP
            EXECUTE format('DROP TABLE %s', child);
        END LOOP;
        PERFORM bcce_data.make_partition(parent, '2019-01-01 00:00+00'::timestamptz + make_interval(months => n)) FROM generate_series(0, 13) AS n;
    END LOOP;
END
$$;
\o /dev/null
SELECT bcce.create_tenant('prune-' || name, 'Prune ' || name, timezone => 'Europe/Berlin') FROM unnest('{a,b}'::text[]) AS name;
SELECT bcce.create_login('regress_pruning_reader', 'prune-a');
\o
CREATE TEMP TABLE spot AS
SELECT t.tenant_id, d AS at, n
FROM bcce_data.tenants t
-- The last ones have no month of their own.
CROSS JOIN generate_series('2019-01-01 09:00+00'::timestamptz, '2020-03-05 09:00+00', '1 day') WITH ORDINALITY AS g (d, n);
INSERT INTO bcce_data.services (tenant_id, service_id, service_name) SELECT tenant_id, 'shop', 'Shop' FROM bcce_data.tenants;
INSERT INTO bcce_data.workflows (tenant_id, workflow_id, name, kind) SELECT tenant_id, 'deploy', 'Deploy', 'deployment' FROM bcce_data.tenants;
INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, started_at, workflow_id, service_id, user_key, status, finished_at, error_class)
SELECT tenant_id, 'r' || n || kind, at, 'deploy', 'shop', 'user-' || n % 5,
       (ARRAY['succeeded', 'failed', 'running'])[kind], CASE kind WHEN 1 THEN at + interval '20 minutes' WHEN 2 THEN at + interval '1 minute' END, 'timeout'
FROM spot, generate_series(1, 3) AS kind;
INSERT INTO bcce_data.workflow_run_keys (tenant_id, run_id, started_at) SELECT tenant_id, run_id, started_at FROM bcce_data.workflow_runs;
INSERT INTO bcce_data.performance_metrics (tenant_id, idempotency_key, observed_at, service_id, request_count, error_count, p95_latency_ms)
SELECT tenant_id, 'm' || n, at, 'shop', 10, 1, 100 FROM spot;
INSERT INTO bcce_data.predictions (tenant_id, prediction_id, predicted_at, model_name, target_kind, target_id, horizon_seconds, failure_probability)
SELECT tenant_id, 'p' || n || kind, at, 'risk', kind, CASE kind WHEN 'service' THEN 'shop' ELSE 'r' || n || '1' END, 3600, 0.5
FROM spot, unnest('{service,run}'::text[]) AS kind;
INSERT INTO bcce_data.models (tenant_id, model_name, reference_from, reference_to)
SELECT tenant_id, 'risk', '2019-04-10 00:00+00', '2019-05-10 00:00+00' FROM bcce_data.tenants;
INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, user_key, run_id, reported_cost_usd)
SELECT tenant_id, 'u' || n, at, 'claude', 'user-' || n % 5, 'r' || n || '1', 0.01 FROM spot;
INSERT INTO bcce_data.events (tenant_id, idempotency_key, occurred_at, event_type, user_key, guest_key, guest_type, session_id, service_id)
SELECT tenant_id, 'e' || n, at, 'page_view', 'user-' || n % 5, 'guest-' || n % 7, 'business', 's' || n, 'shop' FROM spot;
INSERT INTO bcce_data.incidents (tenant_id, incident_id, service_id, severity, opened_at, recovered_at)
SELECT tenant_id, 'i' || n, 'shop', 'sev1', at, at + interval '1 hour' FROM spot WHERE n % 10 = 0;
INSERT INTO bcce_data.budgets (tenant_id, budget, amount_usd, period, timezone) SELECT tenant_id, 'week', 1, 'week', 'Europe/Berlin' FROM bcce_data.tenants;
INSERT INTO bcce_data.invoices (tenant_id, provider, period_start_at, period_end_at, amount_usd)
SELECT tenant_id, 'claude', since::timestamptz, since::timestamptz + interval '5 days', 1 FROM bcce_data.tenants, unnest('{2019-03-10 00:00+00,2019-07-11 00:00+00}'::text[]) AS since;
INSERT INTO bcce_data.slos (tenant_id, service_id, target_percent) SELECT tenant_id, '*', 99.9 FROM bcce_data.tenants;
INSERT INTO bcce_data.principals (tenant_id, user_key, provisioned_at) SELECT tenant_id, 'user-' || n, '2019-07-12 00:00+00' FROM bcce_data.tenants, generate_series(0, 4) AS n;
-- Incidents told by the runs count beside the declared ones, and a price of a run
-- includes its calls, which leads from calls to their runs.
UPDATE bcce_data.tenants SET mttr_source = 'both', tariff_includes_models = true;
ANALYZE;

CREATE VIEW public.fact AS
SELECT p.partrelid::regclass::text AS parent, regexp_replace(p.partrelid::regclass::text, '^bcce_data\.', '') AS fact, i.inhrelid::regclass::text AS part
FROM pg_partitioned_table p JOIN pg_inherits i ON i.inhparent = p.partrelid
WHERE p.partrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'bcce_data'::regnamespace);
SELECT fact, count(*) AS partitions FROM public.fact GROUP BY fact ORDER BY fact COLLATE "C";

-- Runs a statement as the reader and returns the nodes of its plan.  A look at
-- one end of an index (the first sample, the last run) is no scan.
CREATE FUNCTION public.nodes(statement text) RETURNS TABLE (function text, part text, was_run boolean, is_look boolean)
LANGUAGE plpgsql AS $$
DECLARE
    plan jsonb;
BEGIN
    SET LOCAL ROLE regress_pruning_reader;
    EXECUTE 'EXPLAIN (ANALYZE, VERBOSE, COSTS OFF, TIMING OFF, SUMMARY OFF, FORMAT JSON) ' || statement INTO plan;
    RESET ROLE;
    RETURN QUERY
    WITH RECURSIVE walk (node, under_limit) AS (
        SELECT plan -> 0 -> 'Plan', false
        UNION ALL
        SELECT c.node, w.node ->> 'Node Type' = 'Limit'
                       OR w.under_limit AND w.node ->> 'Node Type' IN ('Append', 'Merge Append', 'Result', 'Subquery Scan')
        FROM walk w CROSS JOIN LATERAL jsonb_array_elements(w.node -> 'Plans') AS c (node)
    )
    SELECT CASE WHEN node ->> 'Node Type' = 'Function Scan' AND node ->> 'Schema' LIKE 'bcce%' THEN node ->> 'Function Name' END,
           'bcce_data.' || (node ->> 'Relation Name'), (node ->> 'Actual Loops')::numeric > 0,
           under_limit AND node ->> 'Node Type' IN ('Index Scan', 'Index Only Scan')
    FROM walk;
END
$$;

-- A report over a window, as literals, as an expression that is not known before
-- the query runs, as parameters of a plan for any value, and over all time.
CREATE FUNCTION public.look(report text, way text) RETURNS TABLE (function text, part text, was_run boolean, is_look boolean)
LANGUAGE plpgsql AS $$
DECLARE
    since CONSTANT text := '2019-07-10 00:00:00+00';
    until CONSTANT text := '2019-07-17 00:00:00+00';
    filter text := (SELECT r.time_column FROM bcce.reports r WHERE r.report = look.report);
    -- A month is asked for by its first instant: in Berlin June's last two hours, by UTC.
    filter_since CONSTANT text := CASE WHEN EXISTS (
        SELECT FROM pg_attribute a WHERE a.attrelid = to_regclass(format('bcce.%I', report)) AND a.attname = 'month'
    ) THEN '2019-06-30 22:00:00+00' ELSE since END;
BEGIN
    CASE way
    WHEN 'literal' THEN
        RETURN QUERY SELECT * FROM public.nodes(format('SELECT * FROM bcce.%I(%L, %L)', report, since, until));
    WHEN 'expression' THEN
        RETURN QUERY SELECT * FROM public.nodes(format('SELECT * FROM bcce.%I(%L::timestamptz + (now() - now()), %L::timestamptz + (now() - now()))', report, since, until));
    WHEN 'parameter' THEN
        SET LOCAL plan_cache_mode = force_generic_plan;
        EXECUTE format('PREPARE looked (timestamptz, timestamptz) AS SELECT * FROM bcce.%I($1, $2)', report);
        RETURN QUERY SELECT * FROM public.nodes(format('EXECUTE looked (%L, %L)', since, until));
        DEALLOCATE looked;
        SET LOCAL plan_cache_mode = auto;
    WHEN 'all' THEN
        RETURN QUERY SELECT * FROM public.nodes(format('SELECT * FROM bcce.%I(NULL, NULL)', report));
    WHEN 'filter' THEN
        RETURN QUERY SELECT * FROM public.nodes(format('SELECT * FROM bcce.%I WHERE %I BETWEEN %L AND %L', report, filter, filter_since, until));
    WHEN 'view' THEN
        RETURN QUERY SELECT * FROM public.nodes(format('SELECT * FROM bcce.%I', report));
    END CASE;
END
$$;

CREATE TEMP TABLE seen AS
SELECT r.report, w.way, n.*
FROM bcce.reports r
CROSS JOIN unnest('{literal,expression,parameter,all,filter,view}'::text[]) AS w (way)
CROSS JOIN LATERAL public.look(r.report, w.way) AS n
WHERE CASE WHEN w.way IN ('filter', 'view') THEN r.time_column IS NOT NULL ELSE r.twin IS NOT NULL END;

-- Which definitions need more than the window, and why; back: how far before
-- since, NULL: to the first fact.
CREATE TEMP TABLE exception (report text, fact text, back interval, reason text);
INSERT INTO exception VALUES
    ('adoption', 'workflow_runs', '64 days', 'who stayed was active in the month before'),
    ('adoption', 'events', '64 days', 'who stayed was active in the month before'),
    ('adoption', 'model_usage', '64 days', 'who stayed was active in the month before'),
    ('budget_status', 'model_usage', '182 days', 'a forecast by half a year of days'),
    ('cost_anomalies', 'model_usage', '59 days', 'the same weekdays of eight weeks'),
    ('cost_anomalies', 'workflow_runs', '59 days', 'the same weekdays of eight weeks'),
    ('dora_metrics', 'workflow_runs', NULL, 'an incident told by runs begins with the first failure after the last success, however long ago'),
    ('mttr_analysis', 'workflow_runs', NULL, 'an incident told by runs begins with the first failure after the last success, however long ago'),
    ('mttr_by_month', 'workflow_runs', NULL, 'an incident told by runs begins with the first failure after the last success, however long ago'),
    ('mttr_breakdown', 'workflow_runs', NULL, 'an incident told by runs begins with the first failure after the last success, however long ago'),
    ('recovery_episodes', 'workflow_runs', NULL, 'an incident told by runs begins with the first failure after the last success, however long ago'),
    ('prediction_accuracy', 'workflow_runs', NULL, 'a predicted run may have begun at any time before its prediction'),
    ('prediction_accuracy_by_week', 'workflow_runs', NULL, 'a predicted run may have begun at any time before its prediction'),
    ('prediction_drift', 'workflow_runs', NULL, 'a predicted run may have begun at any time before its prediction'),
    ('prediction_drift', 'predictions', '91 days', 'the reference that a model is compared with, here April and May'),
    ('calibration_table', 'workflow_runs', NULL, 'a predicted run may have begun at any time before its prediction'),
    ('service_health_dashboard', 'performance_metrics', '30 days', 'an error budget of 30 days'),
    ('slo_burn_rate', 'performance_metrics', '30 days', 'an error budget of 30 days'),
    ('time_to_first_workflow', 'workflow_runs', NULL, 'the first run ever'),
    ('first_workflow_by_user', 'workflow_runs', NULL, 'the first run ever'),
    ('usage_trends', 'workflow_runs', NULL, 'new users: the first run ever; runs at a time: whenever they began'),
    ('usage_trends', 'events', NULL, 'new users: the first event ever'),
    ('usage_trends', 'model_usage', NULL, 'new users: the first model call ever');

-- Which views read more than their twins do where their time column is filtered.
CREATE TEMP TABLE filter_exception (report text, fact text, reason text);
INSERT INTO filter_exception VALUES
    ('cost_anomalies', 'model_usage', 'days are judged by others, which are put together before a filter applies; the twin prunes'),
    ('cost_anomalies', 'workflow_runs', 'days are judged by others, which are put together before a filter applies; the twin prunes'),
    ('prediction_accuracy_by_week', 'predictions', 'a later prediction of a target supersedes an earlier one, however much later: all are judged before weeks are formed; the twin prunes'),
    ('prediction_accuracy_by_week', 'performance_metrics', 'samples tell whether a predicted service was heard of, asked of all predictions; the twin prunes');

-- Was a partition of any use for a window?
CREATE FUNCTION pg_temp.is_wanted(part text, since timestamptz, until timestamptz, back interval, ever boolean) RETURNS boolean LANGUAGE sql AS $$
    SELECT CASE WHEN part LIKE '%\_default' THEN ever
           ELSE m.at < until AND (ever OR m.at + interval '1 month' > since - back) END
    FROM (SELECT to_timestamp(substring(part FROM '\d{4}_\d\d$'), 'YYYY_MM') AS at) AS m
$$;

CREATE TEMP TABLE verdict AS
SELECT r.report, v.fact, v.literal, v.expression, v.parameter, v.all_time, v.looks, f.functions,
       CASE WHEN r.twin IS NULL THEN 'no twin'
            WHEN f.functions IS NOT NULL THEN 'FAILS: not inlined'
            WHEN v.fact IS NULL THEN 'reads no fact that has months'
            WHEN v.astray THEN 'FAILS: reads months of no use'
            WHEN v.is_exception AND NOT v.goes_back THEN 'FAILS: the exception is not needed'
            WHEN v.is_exception THEN 'needs more'
            WHEN v.all_time = 0 THEN 'only looks'
            WHEN v.all_time <= v.literal THEN 'reads no more for all time'
            ELSE 'prunes' END AS verdict
FROM bcce.reports r
LEFT JOIN LATERAL (SELECT string_agg(DISTINCT s.function, ', ') AS functions FROM seen s WHERE s.report = r.report AND s.way NOT IN ('filter', 'view')) f ON true
LEFT JOIN LATERAL (
    SELECT p.fact,
           count(DISTINCT s.part) FILTER (WHERE s.way = 'literal' AND NOT s.is_look) AS literal,
           count(DISTINCT s.part) FILTER (WHERE s.way = 'expression' AND NOT s.is_look) AS expression,
           count(DISTINCT s.part) FILTER (WHERE s.way = 'parameter' AND NOT s.is_look) AS parameter,
           count(DISTINCT s.part) FILTER (WHERE s.way = 'all' AND NOT s.is_look) AS all_time,
           count(DISTINCT s.part) FILTER (WHERE s.way = 'literal' AND s.is_look) AS looks,
           coalesce(bool_or(NOT pg_temp.is_wanted(s.part, '2019-07-10', '2019-07-17', coalesce(x.back, '0'), x.report IS NOT NULL AND x.back IS NULL))
               FILTER (WHERE s.way <> 'all' AND NOT s.is_look), false) AS astray,
           coalesce(bool_or(NOT pg_temp.is_wanted(s.part, '2019-07-10', '2019-07-17', '0', false))
               FILTER (WHERE s.way <> 'all' AND NOT s.is_look), false) AS goes_back,
           x.report IS NOT NULL AS is_exception
    FROM seen s JOIN public.fact p ON p.part = s.part
    LEFT JOIN exception x ON x.report = s.report AND x.fact = p.fact
    WHERE s.report = r.report AND s.way NOT IN ('filter', 'view') AND s.was_run
    GROUP BY p.fact, x.report, x.back
) v ON true;

\echo == seven days in the middle, by the twin: partitions read of 15
\pset null ''
SELECT report, CASE WHEN verdict = 'no twin' THEN NULL WHEN functions IS NULL THEN 'yes' ELSE functions END AS inlined,
       fact, literal, expression, parameter, all_time, looks, verdict
FROM verdict ORDER BY report COLLATE "C", fact COLLATE "C";
\echo == what needs more than the window, and why
SELECT reason, string_agg(DISTINCT x.report, ', ') AS reports, string_agg(DISTINCT x.fact, ', ') AS facts, coalesce(x.back::text, 'all before until') AS reads
FROM exception x GROUP BY reason, x.back ORDER BY reason COLLATE "C";

\echo == the same seven days, by a filter on the time column of the view; of months that of July
CREATE TEMP TABLE filtered AS
SELECT r.report, r.time_column, v.fact, v.filter, v.no_filter,
       CASE WHEN v.fact IS NULL THEN 'reads no fact that has months'
            WHEN v.filter = 0 THEN 'FAILS: reads nothing'
            WHEN v.is_exception AND v.filter < v.no_filter THEN 'FAILS: the exception is not needed'
            WHEN v.is_exception THEN 'reads all: use the twin'
            WHEN v.astray THEN 'FAILS: reads months of no use'
            WHEN v.filter = v.no_filter THEN 'needs more'
            WHEN v.goes_back THEN 'prunes, needs more'
            ELSE 'prunes' END AS verdict
FROM bcce.reports r
LEFT JOIN LATERAL (
    SELECT p.fact, count(DISTINCT s.part) FILTER (WHERE s.way = 'filter') AS filter, count(DISTINCT s.part) FILTER (WHERE s.way = 'view') AS no_filter,
           -- A definition that needs all before until needs all where a filter, which is no until, asks.
           coalesce(bool_or(NOT pg_temp.is_wanted(s.part, '2019-07-10', '2019-07-17', coalesce(x.back, '0'), false)) FILTER (WHERE s.way = 'filter'), false)
               AND NOT (x.report IS NOT NULL AND x.back IS NULL) AS astray,
           coalesce(bool_or(NOT pg_temp.is_wanted(s.part, '2019-07-10', '2019-07-17', '0', false)) FILTER (WHERE s.way = 'filter'), false) AS goes_back,
           f.report IS NOT NULL AS is_exception
    FROM seen s JOIN public.fact p ON p.part = s.part
    LEFT JOIN exception x ON x.report = s.report AND x.fact = p.fact
    LEFT JOIN filter_exception f ON f.report = s.report AND f.fact = p.fact
    WHERE s.report = r.report AND s.way IN ('filter', 'view') AND s.was_run AND NOT s.is_look GROUP BY p.fact, x.report, x.back, f.report
) v ON true
WHERE r.time_column IS NOT NULL;
SELECT * FROM filtered ORDER BY report COLLATE "C", fact COLLATE "C";
SELECT reason, report, fact FROM filter_exception ORDER BY report COLLATE "C", fact COLLATE "C";

\echo == nothing is left out, and nothing fails
SELECT count(DISTINCT r.report) AS reports, count(DISTINCT v.report) AS judged, count(DISTINCT r.report) FILTER (WHERE r.twin IS NOT NULL) AS twins,
       count(DISTINCT v.report) FILTER (WHERE r.twin IS NOT NULL) AS twins_judged, count(DISTINCT r.report) FILTER (WHERE r.time_column IS NOT NULL) AS with_time_column,
       count(DISTINCT f.report) AS with_time_column_judged
FROM bcce.reports r LEFT JOIN verdict v ON v.report = r.report LEFT JOIN filtered f ON f.report = r.report;
SELECT report, fact, verdict FROM verdict WHERE verdict LIKE 'FAILS%' UNION ALL SELECT report, fact, verdict FROM filtered WHERE verdict LIKE 'FAILS%';
SELECT x.report, x.fact FROM exception x WHERE NOT EXISTS (SELECT FROM verdict v WHERE v.report = x.report AND v.fact = x.fact);
SELECT x.report, x.fact FROM filter_exception x WHERE NOT EXISTS (SELECT FROM filtered f WHERE f.report = x.report AND f.fact = x.fact);

\echo == the proof can fail: a twin that is not inlined, and one whose window does not reach the fact
BEGIN;
CREATE FUNCTION public.opaque(since timestamptz, until timestamptz) RETURNS TABLE (report text) LANGUAGE plpgsql STABLE AS $$BEGIN RETURN QUERY SELECT 'x'; END$$;
ALTER FUNCTION public.opaque SET SCHEMA bcce;
CREATE FUNCTION bcce.aimless(since timestamptz, until timestamptz) RETURNS TABLE (n bigint) LANGUAGE sql STABLE BEGIN ATOMIC
    SELECT count(*) FROM bcce_data.workflow_runs r WHERE since IS NULL OR r.started_at >= since; END;
GRANT EXECUTE ON FUNCTION bcce.opaque, bcce.aimless TO PUBLIC;
SELECT w.way, n.function, count(DISTINCT n.part) AS partitions FROM unnest('{literal,expression}'::text[]) AS w (way), LATERAL public.look('opaque', w.way) AS n
WHERE n.function IS NOT NULL GROUP BY 1, 2 ORDER BY 1 DESC;
SELECT w.way, count(DISTINCT n.part) AS partitions FROM unnest('{literal,expression}'::text[]) AS w (way), LATERAL public.look('aimless', w.way) AS n
GROUP BY 1 ORDER BY 1 DESC;
ROLLBACK;

\c :home
SET client_min_messages = warning;
DROP DATABASE regress_pruning;
DROP ROLE regress_pruning_reader;
