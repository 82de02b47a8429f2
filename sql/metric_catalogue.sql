-- Proves that every number of the reports is in metric_catalogue, once, with a
-- definition and a unit, and that its sources are those of the catalogue.
SET client_min_messages = warning;
\pset null -
\echo == metrics without a definition, unit, direction or source
SELECT metric FROM bcce.metric_catalogue
WHERE coalesce(definition, '') = '' OR coalesce(unit, '') IN ('', 'number') OR source_columns IS NULL OR reports IS NULL
   OR direction NOT IN ('higher is better', 'lower is better', 'neutral') OR classification IS NULL OR pii IS NULL;
\echo == metrics in two units
SELECT metric, count(*), count(DISTINCT unit) FROM bcce.metric_catalogue GROUP BY metric HAVING count(*) > 1;
\echo == numbers of reports, ranks apart, that are no metric
SELECT d.report, d.column_name, d.unit FROM bcce.data_dictionary d
WHERE d.data_type IN ('bigint', 'integer', 'numeric', 'double precision', 'smallint', 'real')
  AND d.report NOT IN ('reports', 'data_dictionary', 'metric_catalogue') AND d.unit <> 'rank'
  AND NOT EXISTS (SELECT FROM bcce.metric_catalogue m
                  WHERE m.metric = d.column_name AND m.unit = d.unit AND d.report = ANY (string_to_array(m.reports, ', ')))
ORDER BY 1, 2;
\echo == metrics that no report shows
SELECT m.metric, r FROM bcce.metric_catalogue m CROSS JOIN unnest(string_to_array(m.reports, ', ')) AS r
WHERE NOT EXISTS (SELECT FROM bcce.data_dictionary d WHERE d.report = r AND d.column_name = m.metric);
\echo == sources that are not columns of the store
SELECT m.metric, s FROM bcce.metric_catalogue m CROSS JOIN unnest(string_to_array(m.source_columns, ', ')) AS s
WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = ('bcce_data.' || split_part(s, '.', 1))::regclass
                  AND a.attname = split_part(s, '.', 2) AND NOT a.attisdropped);
\echo == reports whose sources are other than a walk of any depth finds
WITH RECURSIVE used AS (
    SELECT c.relname::text AS report, 'pg_rewrite'::regclass AS classid, r.oid AS objid
    FROM pg_class c JOIN pg_rewrite r ON r.ev_class = c.oid
    WHERE c.relnamespace = 'bcce'::regnamespace AND c.relkind = 'v' AND c.relname NOT LIKE 'inbox\_%'
    UNION
    SELECT u.report, 'pg_proc'::regclass, d.refobjid FROM used u
    JOIN pg_depend d ON d.classid = u.classid AND d.objid = u.objid AND d.refclassid = 'pg_proc'::regclass
), walk AS (
    SELECT u.report, string_agg(DISTINCT (c.relname || '.' || a.attname) COLLATE "C", ', ') AS columns
    FROM used u
    JOIN pg_depend d ON d.classid = u.classid AND d.objid = u.objid AND d.refclassid = 'pg_class'::regclass
    JOIN pg_class c ON c.oid = d.refobjid AND c.relnamespace = 'bcce_data'::regnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid AND a.attnum > 0
    WHERE a.attname NOT IN ('tenant_id', 'tenant_name', 'is_test', 'deleted_at')
    GROUP BY u.report
)
SELECT w.report FROM walk w LEFT JOIN bcce_data.report_sources() s ON s.report = w.report WHERE s.columns IS DISTINCT FROM w.columns
UNION ALL
SELECT s.report FROM bcce_data.report_sources() s WHERE s.report NOT IN (SELECT report FROM walk);

\echo == some of them
SELECT metric, unit, direction, classification, pii, definition FROM bcce.metric_catalogue
WHERE metric IN ('failure_rate_percent', 'total_cost_usd', 'availability_percent', 'runs_failed', 'first_run_minutes', 'auc', 'throughput_rps', 'latest_failure_probability')
ORDER BY metric;
SELECT metric, reports FROM bcce.metric_catalogue WHERE metric IN ('failure_rate_percent', 'throughput_rps') ORDER BY metric;
SELECT source_columns FROM bcce.metric_catalogue WHERE metric = 'runs_failed';
SELECT column_name, classification, pii FROM bcce.data_dictionary WHERE report = 'incident_timeline' ORDER BY ordinal;
SELECT DISTINCT source_columns FROM bcce.data_dictionary WHERE report IN ('incident_timeline', 'metric_catalogue') ORDER BY 1;
-- A column without a comment is a metric without a definition, which the first list would show.
BEGIN;
CREATE VIEW bcce.regress_new AS SELECT 1::bigint AS shiny, s.tenant_id, s.service_name FROM bcce_data.services s;
SELECT metric, unit, definition, reports, source_columns FROM bcce.metric_catalogue WHERE metric = 'shiny';
COMMENT ON COLUMN bcce.regress_new.shiny IS 'how it shines';
SELECT metric, unit, definition, reports, source_columns FROM bcce.metric_catalogue WHERE metric = 'shiny';
-- Readers of every kind see it.
SET ROLE bcce_cost_analyst;
SELECT count(*) > 100 AS metrics FROM bcce.metric_catalogue;
SET ROLE bcce_analytics_user;
SELECT count(*) > 100 AS metrics FROM bcce.metric_catalogue;
ROLLBACK;
