-- Proves: report_now() is the statement's start, the same in all its parts;
-- bcce.test_now replaces it, takes instants with a zone only, and only from a
-- superuser.
\set VERBOSITY sqlstate

SELECT bcce.report_now() = statement_timestamp() AS is_statement_start;
BEGIN;
SELECT pg_sleep(0.01);
SELECT bcce.report_now() > transaction_timestamp() AS not_the_transaction_start;
COMMIT;
SELECT count(DISTINCT bcce.report_now()) = 1 AS one_instant FROM generate_series(1, 1000);

-- a test's instant, whatever the session's zone and date style
SET timezone = 'America/New_York';
SET datestyle = 'SQL, DMY';
SET bcce.test_now = '2026-03-04 05:06:07.891011+02';
SET timezone = 'Asia/Kolkata';
SELECT bcce.report_now() = '2026-03-04 03:06:07.891011 UTC' AS set_value;
SELECT bool_and(bcce.report_now() = '2026-03-04 03:06:07.891011 UTC') AS in_every_row FROM generate_series(1, 1000);
SET bcce.test_now = '2026-03-04T05:06:07Z';
SELECT bcce.report_now() = '2026-03-04 05:06:07+00' AS iso;
SET bcce.test_now = '2026-03-04 05:06:07+01:00';
SELECT bcce.report_now() = '2026-03-04 04:06:07+00' AS with_offset;
RESET timezone;
RESET datestyle;

-- scope: transaction, savepoint, reset, empty
BEGIN;
SET LOCAL bcce.test_now = '2020-01-01 00:00+00';
SAVEPOINT s;
SET LOCAL bcce.test_now = '2021-01-01 00:00+00';
ROLLBACK TO s;
SELECT bcce.report_now() = '2020-01-01 00:00+00' AS savepoint_undone;
ROLLBACK;
SELECT bcce.report_now() = '2026-03-04 04:06:07+00' AS transaction_undone;
SET bcce.test_now = '';
SELECT bcce.report_now() = statement_timestamp() AS empty_is_off;
SET bcce.test_now = '2020-01-01 00:00+00';
RESET bcce.test_now;
SELECT bcce.report_now() = statement_timestamp() AS reset_is_off;

-- refused, and the value stays
SET bcce.test_now = '2020-01-01 00:00+00';
SET bcce.test_now = '2026-03-04 05:06:07';
SET bcce.test_now = '2026-03-04';
SET bcce.test_now = 'now';
SET bcce.test_now = 'infinity';
SET bcce.test_now = 'yesterday';
SET bcce.test_now = '2026-02-30 00:00+00';
SET bcce.test_now = '2026-03-04 05:06:07 CST';
SET bcce.test_now = 'über';
SELECT bcce.report_now() = '2020-01-01 00:00+00' AS unchanged;
RESET bcce.test_now;
\set VERBOSITY terse
SET bcce.test_now = 'tomorrow';
\set VERBOSITY sqlstate

-- nobody else may set it; it is not listed; unknown settings of the name space are errors
CREATE ROLE regress_time;
SET ROLE regress_time;
SET bcce.test_now = '2020-01-01 00:00+00';
SELECT set_config('bcce.test_now', '2020-01-01 00:00+00', true);
RESET ROLE;
DROP ROLE regress_time;
SELECT count(*) FROM pg_settings WHERE name = 'bcce.test_now';
SET bcce.test_then = '';

-- parallel workers have the value, too
CREATE TABLE time_rows AS SELECT g FROM generate_series(1, 10000) AS g;
ALTER TABLE time_rows SET (parallel_workers = 2);
ANALYZE time_rows;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET parallel_leader_participation = off;
SET bcce.test_now = '2020-01-01 00:00+00';
EXPLAIN (COSTS OFF) SELECT count(*) FILTER (WHERE bcce.report_now() + g * interval '0' = '2020-01-01 00:00+00') FROM time_rows;
SELECT count(*) FILTER (WHERE bcce.report_now() + g * interval '0' = '2020-01-01 00:00+00') FROM time_rows;
RESET bcce.test_now;
SELECT count(*) FILTER (WHERE bcce.report_now() + g * interval '0' = statement_timestamp()) FROM time_rows;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET parallel_leader_participation;
DROP TABLE time_rows;

-- a worker restores it before other settings, so it may not depend on them
\set conninfo 'dbname=' :DBNAME ' options=''-c bcce.test_now=2026-01-31T12:00:00+00'''
\o /dev/null
\c :conninfo
\o
SELECT count(set_config(name, 'on', false)) AS forced FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
SELECT bcce.report_now() = '2026-01-31 12:00:00+00' AS in_worker;
SELECT (now() AT TIME ZONE 'Europe/Berlin') > '2000-01-01' AS zones_work;
