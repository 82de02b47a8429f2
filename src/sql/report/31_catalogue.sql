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
          AND (a.attname IN ('period_start_at', 'occurred_at', 'started_at', 'opened_at', 'observed_at', 'predicted_at', 'failed_at', 'at')
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
        WHEN a.attname ~ '_usd$' THEN 'US dollars'
        WHEN a.attname ~ '_ms$' THEN 'milliseconds'
        WHEN a.attname ~ '_rps$' THEN 'requests per second'
        WHEN a.attname ~ '_percent$' THEN 'percent'
        WHEN a.attname ~ '_hour$' THEN 'hour of the day'
        WHEN a.attname ~ '^hours_' THEN 'hours'
        WHEN a.attname ~ '_(seconds|minutes|hours|days|tokens|bytes)$' THEN substring(a.attname FROM '[a-z]+$')
        WHEN a.attname ~ '_(probability|ratio|score)$' THEN substring(a.attname FROM '[a-z]+$')
        WHEN a.attname ~ '_count$' OR a.atttypid IN ('bigint'::regtype, 'integer'::regtype, 'smallint'::regtype) THEN 'count'
        WHEN t.typcategory = 'N' THEN 'number'
        ELSE format_type(a.atttypid, a.atttypmod)
    END AS unit,
    col_description(c.oid, a.attnum) AS definition,
    CASE WHEN a.attname LIKE '%\_key' THEN 'pseudonym' ELSE 'none' END AS pii,
    a.attnum::integer AS ordinal
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
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
