-- Which report answers what, and what its columns mean: read from the comments,
-- so that a report has one description for every tool.
CREATE OR REPLACE VIEW bcce.reports WITH (security_invoker = true) AS
SELECT
    c.relname::text AS report,
    substring(d.description FROM '^[^?]+\?') AS question,
    substring(d.description FROM 'One row per ([^.;]+)') AS grain,
    (
        SELECT a.attname::text
        FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
          AND a.atttypid IN ('timestamptz'::regtype, 'date'::regtype)
          -- Others, such as last_seen_at, describe a row and do not place it in time.
          AND (a.attname IN ('period_start_at', 'occurred_at', 'started_at', 'opened_at', 'observed_at', 'predicted_at', 'failed_at', 'provisioned_at', 'at')
               OR a.attname LIKE '%\_date')
        ORDER BY a.attnum
        LIMIT 1
    ) AS time_column,
    (
        SELECT format('bcce.%I(since, until)', p.proname)
        FROM pg_catalog.pg_proc p
        WHERE p.oid = to_regprocedure(format('bcce.%I(pg_catalog.timestamptz, pg_catalog.timestamptz)', c.relname)) AND p.proretset
    ) AS twin,
    (
        SELECT string_agg(r.rolname::text, ', ' ORDER BY r.rolname::text COLLATE "C")
        FROM pg_catalog.pg_roles r
        WHERE r.rolname IN ('bcce_analytics_user', 'bcce_cost_analyst', 'bcce_analytics_admin', 'bcce_ingest', 'bcce_platform')
          AND has_table_privilege(r.oid, c.oid, 'SELECT')
    ) AS roles
FROM pg_catalog.pg_class c
CROSS JOIN LATERAL (SELECT obj_description(c.oid, 'pg_class') AS description) d
WHERE c.relnamespace = (SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname = 'bcce')
  AND c.relkind = 'v' AND c.relname NOT LIKE 'inbox\_%';
COMMENT ON VIEW bcce.reports IS 'Which report answers my question? One row per report. Made from the comments of the reports.';
COMMENT ON COLUMN bcce.reports.report IS 'name of the view in schema bcce';
COMMENT ON COLUMN bcce.reports.question IS 'question that it answers';
COMMENT ON COLUMN bcce.reports.grain IS 'what one row stands for: one row per ...';
COMMENT ON COLUMN bcce.reports.time_column IS 'column for the time filter of a BI tool; NULL: the rows have no place in time, a period comes from the twin';
COMMENT ON COLUMN bcce.reports.twin IS 'function with the same columns for the time from since to before until; NULL: there is none';
COMMENT ON COLUMN bcce.reports.roles IS 'groups that may read it';

-- What a report reads, itself and through the functions that it calls, to eight
-- calls deep.
CREATE OR REPLACE FUNCTION bcce_data.report_sources()
RETURNS TABLE (report text, columns text)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH member AS (
        SELECT p.oid
        FROM pg_catalog.pg_proc p
        JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname IN ('bcce', 'bcce_data')
    ),
    one AS (
        SELECT p.oid AS caller, p.oid AS callee
        FROM member p
        UNION
        SELECT d.objid, d.refobjid
        FROM pg_catalog.pg_depend d
        JOIN member caller ON caller.oid = d.objid
        JOIN member callee ON callee.oid = d.refobjid
        WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.refclassid = 'pg_catalog.pg_proc'::regclass
    ),
    two AS (
        SELECT DISTINCT a.caller, b.callee FROM one a JOIN one b ON b.caller = a.callee
    ),
    four AS (
        SELECT DISTINCT a.caller, b.callee FROM two a JOIN two b ON b.caller = a.callee
    ),
    eight AS (
        SELECT DISTINCT a.caller, b.callee FROM four a JOIN four b ON b.caller = a.callee
    ),
    view AS (
        SELECT c.relname::text AS report, r.oid AS rule
        FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'bcce'
        JOIN pg_catalog.pg_rewrite r ON r.ev_class = c.oid
        WHERE c.relkind = 'v' AND c.relname NOT LIKE 'inbox\_%'
    ),
    reader AS (
        SELECT v.report, 'pg_catalog.pg_rewrite'::regclass::oid AS classid, v.rule AS objid
        FROM view v
        UNION
        SELECT v.report, 'pg_catalog.pg_proc'::regclass::oid, e.callee
        FROM view v
        JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = v.rule
            AND d.refclassid = 'pg_catalog.pg_proc'::regclass
        JOIN eight e ON e.caller = d.refobjid
    )
    SELECT x.report, string_agg(x.name, ', ' ORDER BY x.name COLLATE "C")
    FROM (
        SELECT DISTINCT r.report, c.relname || '.' || a.attname AS name
        FROM reader r
        JOIN pg_catalog.pg_depend d ON d.classid = r.classid AND d.objid = r.objid AND d.refclassid = 'pg_catalog.pg_class'::regclass
        JOIN pg_catalog.pg_class c ON c.oid = d.refobjid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'bcce_data'
        JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid AND a.attnum > 0
        -- These decide which rows count, for every report alike.
        WHERE a.attname NOT IN ('tenant_id', 'tenant_name', 'is_test', 'deleted_at')
    ) x
    GROUP BY x.report;
END;
COMMENT ON FUNCTION bcce_data.report_sources() IS 'Columns of the store that each report reads, as table.column, by the dependencies in the catalogue.';

CREATE OR REPLACE VIEW bcce.data_dictionary WITH (security_invoker = true) AS
SELECT
    c.relname::text AS report,
    a.attname::text AS column_name,
    format_type(a.atttypid, a.atttypmod) AS data_type,
    CASE
        WHEN a.atttypid = 'boolean'::regtype THEN 'true or false'
        WHEN a.atttypid = 'timestamptz'::regtype THEN 'instant'
        WHEN a.atttypid = 'date'::regtype THEN 'local date'
        WHEN a.atttypid = 'uuid'::regtype OR a.attname ~ '_(id|key)$' THEN 'identifier'
        WHEN t.typcategory = 'S' THEN 'text'
        WHEN a.attname ~ '_usd$|(Cost|UnitPrice)$' THEN 'US dollars'
        WHEN a.attname ~ '_ms$' THEN 'milliseconds'
        WHEN a.attname ~ '_rps$' THEN 'requests per second'
        WHEN a.attname ~ '_percent$' THEN 'percent'
        WHEN a.attname ~ '_rank$|^bin$' THEN 'rank'
        WHEN a.attname ~ '^burn_rate|_burn_rate$' THEN 'times the allowed error rate'
        WHEN a.attname ~ '_per_day$|_7d_avg$' THEN 'per day'
        WHEN a.attname ~ '_hour$' THEN 'hour of the day'
        WHEN a.attname ~ '^hours_' THEN 'hours'
        WHEN a.attname ~ '_(seconds|minutes|hours|days|tokens|bytes)$' THEN substring(a.attname FROM '[a-z]+$')
        WHEN a.attname ~ '_(probability|ratio|score)$' THEN substring(a.attname FROM '[a-z]+$')
        WHEN a.attname IN ('auc', 'ece', 'mce', 'ks', 'mean_predicted', 'threshold', 'observed_rate', 'observed_low', 'observed_high') THEN 'probability'
        WHEN a.attname = 'mcc' THEN 'score'
        WHEN a.attname IN ('log_loss', 'psi') THEN 'nats'
        WHEN a.attname ~ '_count$|Quantity$' OR a.atttypid IN ('bigint'::regtype, 'integer'::regtype, 'smallint'::regtype) THEN 'count'
        WHEN t.typcategory = 'N' THEN 'number'
        ELSE format_type(a.atttypid, a.atttypmod)
    END AS unit,
    col_description(c.oid, a.attnum) AS definition,
    CASE WHEN a.attname ~ '(_key|UserKey)$|^scope_value$' THEN 'pseudonym' ELSE 'none' END AS pii,
    a.attnum::integer AS ordinal,
    CASE
        WHEN a.attname ~ '(_key|UserKey)$|^scope_value$' THEN 'personal'
        WHEN a.attname ~ '_usd$|(Cost|UnitPrice)$' THEN 'financial'
        WHEN t.typcategory = 'S' AND col_description(c.oid, a.attnum) ~ '\mredacted\M' THEN 'redacted text'
        ELSE 'operational'
    END AS classification,
    source.columns AS source_columns
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN bcce_data.report_sources() source ON source.report = c.relname::text
WHERE c.relnamespace = (SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname = 'bcce')
  AND c.relkind = 'v' AND c.relname NOT LIKE 'inbox\_%';
COMMENT ON VIEW bcce.data_dictionary IS 'What does a column of a report mean? One row per report and column. Made from the comments of the columns.';
COMMENT ON COLUMN bcce.data_dictionary.report IS 'name of the report';
COMMENT ON COLUMN bcce.data_dictionary.column_name IS 'name of the column';
COMMENT ON COLUMN bcce.data_dictionary.data_type IS 'type in PostgreSQL';
COMMENT ON COLUMN bcce.data_dictionary.unit IS 'unit, told by the name of the column, else by its type';
COMMENT ON COLUMN bcce.data_dictionary.definition IS 'what the values are';
COMMENT ON COLUMN bcce.data_dictionary.pii IS 'pseudonym: a key that may stand for a person; none: says nothing about a person';
COMMENT ON COLUMN bcce.data_dictionary.ordinal IS 'place of the column in the report, rising from 1';
COMMENT ON COLUMN bcce.data_dictionary.classification IS 'personal (stands for a person), financial, redacted text, or operational';
COMMENT ON COLUMN bcce.data_dictionary.source_columns IS 'columns of the store that the report reads, as table.column; NULL: made from the catalogue';

CREATE OR REPLACE VIEW bcce.metric_catalogue WITH (security_invoker = true) AS
SELECT
    m.metric,
    m.definition,
    m.unit,
    CASE
        WHEN m.metric ~ 'threshold|target|expected|^(long_|short_)?window_' THEN 'neutral'
        WHEN m.metric ~ 'savings|success|succeeded_|accuracy|precision|recall|specificity|f1_|^mcc$|^auc$|skill|availability|budget_remaining|exhausted|mtbf|lead_time|throughput|active_|retained|new_users|wau_mau|deployments_(succeeded|per_day)'
            THEN 'higher is better'
        WHEN m.metric ~ 'fail|error|timed_out|latency|duration|running_seconds|_usd$|(Cost|UnitPrice)$|mttr|mtta|mttd|recovery|open_|oldest|incident_count|invalid|unpriced|rejected|late_count|lag_|burn_rate|brier|log_loss|^[em]ce$|^psi$|^ks$|false_|unlabelable|wait|delay|first_run|^median_minutes$'
            THEN 'lower is better'
        ELSE 'neutral'
    END AS direction,
    m.reports,
    (
        SELECT string_agg(DISTINCT u.name COLLATE "C", ', ' ORDER BY u.name COLLATE "C")
        FROM unnest(string_to_array(m.source_columns, ', ')) AS u (name)
    ) AS source_columns,
    m.classification,
    m.pii
FROM (
    SELECT
        d.column_name AS metric,
        d.unit,
        -- That of the first report, where a later one only narrows it down.
        (array_agg(d.definition ORDER BY d.report COLLATE "C"))[1] AS definition,
        string_agg(d.report, ', ' ORDER BY d.report COLLATE "C") AS reports,
        string_agg(d.source_columns, ', ') AS source_columns,
        CASE WHEN bool_or(person.is_one) THEN 'personal' ELSE min(d.classification) END AS classification,
        CASE WHEN bool_or(person.is_one) THEN 'pseudonym' ELSE 'none' END AS pii
    FROM bcce.data_dictionary d
    JOIN (
        SELECT k.report, bool_or(k.column_name IN ('user_key', 'x_UserKey', 'scope_value')) AS is_one
        FROM bcce.data_dictionary k
        GROUP BY k.report
    ) person ON person.report = d.report
    WHERE d.unit NOT IN ('identifier', 'text', 'instant', 'local date', 'true or false', 'rank')
      AND d.source_columns IS NOT NULL
    GROUP BY d.column_name, d.unit
) m;
COMMENT ON VIEW bcce.metric_catalogue IS 'Which numbers are there, and what do they mean? One row per metric: a number that several reports show under one name and unit is one metric. Made from the comments of the columns and the dependencies of the reports.';
COMMENT ON COLUMN bcce.metric_catalogue.metric IS 'name of the metric: that of its columns';
COMMENT ON COLUMN bcce.metric_catalogue.definition IS 'what it is; of several reports, in the words of the first';
COMMENT ON COLUMN bcce.metric_catalogue.unit IS 'unit, as in data_dictionary';
COMMENT ON COLUMN bcce.metric_catalogue.direction IS 'higher is better, lower is better, or neutral; told by the name';
COMMENT ON COLUMN bcce.metric_catalogue.reports IS 'reports that show it';
COMMENT ON COLUMN bcce.metric_catalogue.source_columns IS 'columns of the store that these reports read, as table.column';
COMMENT ON COLUMN bcce.metric_catalogue.classification IS 'financial, operational, or personal: the number is about one pseudonymous person in one of the reports';
COMMENT ON COLUMN bcce.metric_catalogue.pii IS 'pseudonym: one of the reports shows it beside the pseudonym of the person whom it is about; none';
