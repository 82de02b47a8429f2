-- One CloudWatch series as samples of a service, from stdin; metric is the
-- column it goes to, cpu_percent or request_count:
--   psql -v service=rds_e47b3b -v metric=cpu_percent -f scripts/load/cloudwatch.sql < series.csv
\set tenant cloudwatch
\set name 'AWS servers (CloudWatch)'
\set zone UTC
\ir tenant.sql
CREATE TEMP TABLE series (at timestamptz, value double precision);
\copy series FROM pstdin (FORMAT csv, HEADER)

-- The same value at the same time is one sample; another value is another.
CREATE TEMP TABLE sample AS
SELECT DISTINCT at, value FROM series
WHERE value >= 0 AND (:'metric' <> 'cpu_percent' OR value <= 100);

SELECT format('  %s: %s points read, %s sent as %s, %s left out (repeated, or over 100 percent)', :'service',
    (SELECT count(*) FROM series), count(*), :'metric', (SELECT count(*) FROM series) - count(*))
FROM sample
CROSS JOIN LATERAL bcce.record_metric(:'service', at,
    request_count => CASE :'metric' WHEN 'request_count' THEN round(value)::bigint END,
    cpu_percent => CASE :'metric' WHEN 'cpu_percent' THEN value END,
    window_seconds => 300, source => 'cloudwatch', tenant => :'tenant') \g (tuples_only=on format=unaligned)
