-- Proves: percentile_exact() and median() give what percentile_cont() gives, to
-- the bit, for any data, type and memory; one result for any plan, serial or
-- parallel, hashed or sorted, grouped or as a window.
\set VERBOSITY sqlstate

-- by hand, and the types that come by an implicit cast
SELECT bcce.median(v), bcce.percentile_exact(v, 0), bcce.percentile_exact(v, 0.25), bcce.percentile_exact(v, 1)
FROM (VALUES (4), (1), (2), (NULL)) AS t (v);
SELECT bcce.median(v) AS bigint, bcce.median(v::numeric) AS numeric, bcce.median(v::real) AS real, bcce.median(v::smallint) AS smallint
FROM (VALUES (4::bigint), (1)) AS t (v);
SELECT bcce.median(v) = percentile_cont(0.5) WITHIN GROUP (ORDER BY v) AS numeric_as_in_core
FROM (VALUES (0.1::numeric), (12345678901234567890.12345), (0.3)) AS t (v);
SELECT bcce.median(v) FROM (VALUES (1e400::numeric)) AS t (v);
SELECT bcce.percentile_exact(v, '[2:3][0:1]={{0.5,NULL},{1,0}}'::float8[]) AS shape,
       bcce.percentile_exact(v, '{}'::float8[]) AS none,
       bcce.percentile_exact(v, '{NULL}'::float8[]) AS unknown,
       bcce.percentile_exact(v, NULL::float8[]) IS NULL AS null_array,
       bcce.percentile_exact(v, NULL::float8) IS NULL AS null_q
FROM generate_series(1, 4) AS v;

-- nothing to count is unknown
SELECT bcce.median(v) IS NULL AS median, bcce.percentile_exact(v, 0.5) IS NULL AS one, bcce.percentile_exact(v, '{0.5}'::float8[]) IS NULL AS many
FROM (VALUES (NULL::float8)) AS t (v);
SELECT bcce.median(v) IS NULL AS median, bcce.percentile_exact(v, 0.5) IS NULL AS one, bcce.percentile_exact(v, '{0.5}'::float8[]) IS NULL AS many
FROM (VALUES (1::float8)) AS t (v) WHERE v > 1;
SELECT bcce.median(v) IS NULL AS interval_median FROM (VALUES (NULL::interval)) AS t (v);

-- FILTER, DISTINCT, and beside each other
SELECT bcce.median(v) FILTER (WHERE v > 1) AS filtered, bcce.median(DISTINCT v) AS once,
       bcce.percentile_exact(v, 0.9), bcce.percentile_exact(v, '{0.9}'::float8[])
FROM (VALUES (1), (1), (1), (2), (9)) AS t (v);

-- a q that is none, or that changes, is an error; as in core without values too
SELECT bcce.percentile_exact(v, 1.000001) FROM (VALUES (1)) AS t (v);
SELECT bcce.percentile_exact(v, -0.5) FROM (VALUES (NULL::float8)) AS t (v);
SELECT bcce.percentile_exact(v, 'NaN') FROM (VALUES (1)) AS t (v);
SELECT bcce.percentile_exact(v, '{0.5,NULL,95}'::float8[]) FROM (VALUES (1)) AS t (v);
SELECT bcce.percentile_exact(v, v / 4.0) FROM (VALUES (1), (2)) AS t (v);
SELECT bcce.percentile_exact(v, ARRAY[v / 4.0]::float8[]) FROM (VALUES (1), (2)) AS t (v);
SELECT bcce.percentile_exact(v, CASE WHEN v = 1 THEN 0.5 END) FROM (VALUES (1), (2)) AS t (v);
SELECT q, bcce.percentile_exact(v, q) FROM generate_series(1, 5) AS v, (VALUES (0.25), (0.6), (NULL)) AS t (q) GROUP BY q ORDER BY q;
\set VERBOSITY default
SELECT bcce.percentile_exact(v, 95) FROM (VALUES (1)) AS t (v);
SELECT bcce.percentile_exact(v, 1.0000001) FROM (VALUES (1)) AS t (v);
\set VERBOSITY sqlstate

-- NaN last, infinities, and both zeros
SELECT q, bcce.percentile_exact(v, q) FROM (VALUES ('NaN'::float8), ('-Infinity'), (0), ('Infinity'), (-'NaN'::float8)) AS t (v), unnest('{0,0.25,0.5,0.75,0.8,1}'::float8[]) AS q GROUP BY q ORDER BY q;
SELECT bcce.percentile_exact(v, '{0,0.5,1}'::float8[]) AS zeros FROM (VALUES (0::float8), (-0.0::float8), (0)) AS t (v);

-- 100,000 groups of all kinds of numbers, each with its own q
SELECT setseed(0.5);
CREATE TABLE exact_random AS
SELECT g, q, CASE g % 12 WHEN 0 THEN floor(random() * 4)
                         WHEN 1 THEN exp(random() * 40 - 20)
                         WHEN 2 THEN -exp(random() * 1400 - 700)
                         WHEN 3 THEN (ARRAY['NaN', 'Infinity', '-Infinity', '1', '2'])[1 + floor(random() * 5)]::float8
                         WHEN 4 THEN (ARRAY['4.9406564584124654e-324', '-4.9406564584124654e-324', '1e-310', '1'])[1 + floor(random() * 4)]::float8
                         WHEN 5 THEN random() * 1.7976931348623157e308
                         WHEN 6 THEN 42
                         WHEN 7 THEN 1e15 + floor(random() * 3)
                         WHEN 8 THEN floor(random() * 3) - 1
                         WHEN 9 THEN CASE WHEN random() < 0.3 THEN NULL ELSE random() END
                         ELSE random() - 0.5 END AS v
FROM (SELECT g, random() AS q, CASE WHEN g % 1000 = 7 THEN 500 WHEN random() < 0.3 THEN 1 ELSE 1 + floor(random() * 12)::int END AS n
      FROM generate_series(1, 100000) AS g) AS made, generate_series(1, n);
CREATE VIEW exact_random_core AS
SELECT g, float8send(percentile_cont(q) WITHIN GROUP (ORDER BY v)) AS one,
       percentile_cont(ARRAY[0, q / 2, NULL, 0.5, 0.95, 1]) WITHIN GROUP (ORDER BY v)::text AS many
FROM exact_random GROUP BY g, q;
CREATE VIEW exact_random_bcce AS
SELECT g, float8send(bcce.percentile_exact(v, q)) AS one,
       bcce.percentile_exact(v, ARRAY[0, q / 2, NULL, 0.5, 0.95, 1])::text AS many
FROM exact_random GROUP BY g, q;
CREATE TABLE exact_random_expected AS TABLE exact_random_core;
-- the bits of a NaN are the processor's
CREATE VIEW exact_random_difference AS
SELECT count(*) AS groups, count(*) FILTER (WHERE (c.one IS DISTINCT FROM b.one AND c.many NOT LIKE '%NaN%') OR c.many IS DISTINCT FROM b.many) AS different
FROM exact_random_expected AS c FULL JOIN exact_random_bcce AS b USING (g);
SET max_parallel_workers_per_gather = 0;
TABLE exact_random_difference;
SET enable_hashagg = off;
TABLE exact_random_difference;
RESET enable_hashagg;
-- many groups in little memory: the server puts groups off, and lists are cut into many runs
SET work_mem = '64kB';
TABLE exact_random_difference;
RESET work_mem;

-- long lists: shapes that defeat simple pivots or share their leading bits, in memory and past it
CREATE TABLE exact_long AS
SELECT shape, CASE shape WHEN 'sorted' THEN g WHEN 'reversed' THEN 60000 - g WHEN 'equal' THEN 7 WHEN 'organ pipe' THEN least(g, 60000 - g)
                         WHEN 'two values' THEN g % 2 WHEN 'saw' THEN g % 17 WHEN 'one octave' THEN 1 + random() / 1e6
                         WHEN 'lognormal' THEN exp(4 + 2 * sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()))
                         WHEN 'NaN' THEN CASE WHEN g % 3 = 0 THEN 'NaN' ELSE random() END
                         WHEN 'signs' THEN random() - 0.5 END::float8 AS v
FROM generate_series(0, 59999) AS g, unnest('{sorted,reversed,equal,organ pipe,two values,saw,one octave,lognormal,NaN,signs}'::text[]) AS shape;
CREATE TABLE exact_long_expected AS
SELECT shape, percentile_cont((SELECT array_agg(i / 40.0 ORDER BY i)::float8[] FROM generate_series(0, 40) AS i)) WITHIN GROUP (ORDER BY v)::text AS many
FROM exact_long GROUP BY shape;
CREATE VIEW exact_long_difference AS
SELECT count(*) AS shapes, count(*) FILTER (WHERE c.many IS DISTINCT FROM b.many) AS different
FROM exact_long_expected AS c
FULL JOIN (SELECT shape, bcce.percentile_exact(v, (SELECT array_agg(i / 40.0 ORDER BY i)::float8[] FROM generate_series(0, 40) AS i))::text AS many
           FROM exact_long GROUP BY shape) AS b USING (shape);
TABLE exact_long_difference;
SET work_mem = '256kB';
TABLE exact_long_difference;
SET work_mem = '64kB';
TABLE exact_long_difference;
SELECT bcce.percentile_exact(v, '{0,0.5,0.9,0.95,0.99,1}'::float8[]) = percentile_cont('{0,0.5,0.9,0.95,0.99,1}'::float8[]) WITHIN GROUP (ORDER BY v) AS all_rows FROM exact_long;
SELECT count(*) AS again_in_a_window FROM (SELECT bcce.median(v) OVER () AS m FROM exact_long WHERE shape IN ('signs', 'lognormal')) AS w
WHERE m = (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY v) FROM exact_long WHERE shape IN ('signs', 'lognormal'));
-- it was written to a file: without one it is an error that says the way out
SET temp_file_limit = 0;
\set VERBOSITY terse
DO $$
DECLARE
    hint text;
BEGIN
    PERFORM bcce.median(v) FROM exact_long;
EXCEPTION WHEN configuration_limit_exceeded THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RAISE WARNING '%', hint;
END
$$;
\set VERBOSITY sqlstate
RESET temp_file_limit;
-- an error behind the file, in a block and as a window
\set VERBOSITY default
DO $$
DECLARE
    i int;
    m double precision;
BEGIN
    FOR i IN 1..3 LOOP
        BEGIN
            SELECT bcce.median(1 / (g - 50000)) INTO m FROM generate_series(1, 60000) AS g;
        EXCEPTION WHEN division_by_zero THEN
            NULL;
        END;
        BEGIN
            SELECT max(w) INTO m FROM (SELECT bcce.median(g) OVER (), 1 / (g - 50000) AS w FROM generate_series(1, 60000) AS g) AS t;
        EXCEPTION WHEN division_by_zero THEN
            NULL;
        END;
        SELECT bcce.median(g) INTO m FROM generate_series(1, 60000) AS g;
    END LOOP;
    RAISE NOTICE 'median %', m;
END $$;
\set VERBOSITY sqlstate
RESET work_mem;

-- windows: any frame is what its rows give
SELECT count(*) AS frames, count(*) FILTER (WHERE p IS DISTINCT FROM (SELECT percentile_cont(0.3) WITHIN GROUP (ORDER BY (b.g * 7919) % 211)
                                                                        FROM generate_series(greatest(w.g - 9, 1), least(w.g + 3, 300)) AS b (g))) AS different
FROM (SELECT g, bcce.percentile_exact((g * 7919) % 211, 0.3) OVER (ORDER BY g ROWS BETWEEN 9 PRECEDING AND 3 FOLLOWING) AS p FROM generate_series(1, 300) AS g) AS w;
SELECT count(*) AS running, count(*) FILTER (WHERE p IS DISTINCT FROM (SELECT percentile_cont('{0.5,1}'::float8[]) WITHIN GROUP (ORDER BY (b.g * 7919) % 211)
                                                                         FROM generate_series(1, w.g) AS b (g))) AS different
FROM (SELECT g, bcce.percentile_exact((g * 7919) % 211, '{0.5,1}'::float8[]) OVER (ORDER BY g) AS p FROM generate_series(1, 200) AS g) AS w;

-- intervals: the fields too are those of percentile_cont()
CREATE TABLE exact_spans AS
SELECT g % 500 AS team, (floor(random() * 40) - 20) * interval '1 day' + random() * interval '90 hours' - (g % 3) * interval '1 month' AS v
FROM generate_series(1, 5000) AS g;
INSERT INTO exact_spans SELECT team, NULL FROM exact_spans LIMIT 50;
SELECT count(*) AS groups, count(*) FILTER (WHERE c.one::text IS DISTINCT FROM b.one::text OR c.many::text IS DISTINCT FROM b.many::text OR b.one IS DISTINCT FROM b.median) AS different
FROM (SELECT team, percentile_cont(0.5) WITHIN GROUP (ORDER BY v) AS one, percentile_cont('{0,0.1,NULL,0.77,1}'::float8[]) WITHIN GROUP (ORDER BY v) AS many FROM exact_spans GROUP BY team) AS c
FULL JOIN (SELECT team, bcce.median(v) AS median, bcce.percentile_exact(v, 0.5) AS one, bcce.percentile_exact(v, '{0,0.1,NULL,0.77,1}'::float8[]) AS many FROM exact_spans GROUP BY team) AS b USING (team);
SELECT bcce.percentile_exact(v, '{0,0.5,1}'::float8[]) AS extremes
FROM (VALUES ('-296000 years'::interval), ('296000 years'), ('-106751991 days 1 us'), ('00:00')) AS t (v);
SELECT bcce.median(v) FROM (VALUES ('106751992 days'::interval)) AS t (v);
SELECT bcce.median(v) FROM (VALUES ('-178000000 years'::interval)) AS t (v);
SET work_mem = '64kB';
SELECT bcce.percentile_exact(v, '{0,0.5,0.999,1}'::float8[])::text = percentile_cont('{0,0.5,0.999,1}'::float8[]) WITHIN GROUP (ORDER BY v)::text AS past_memory
FROM (SELECT v * interval '1 second' AS v FROM exact_long WHERE shape IN ('lognormal', 'signs', 'equal')) AS t;
RESET work_mem;

-- serial = parallel
CREATE TABLE exact_serial AS
SELECT shape, bcce.median(v) AS m, bcce.percentile_exact(v, 0.95) AS p, bcce.percentile_exact(v, '[0:2]={0.1,NULL,1}'::float8[])::text AS a, bcce.median(v * interval '1 us')::text AS i
FROM exact_long WHERE v < 'NaN' GROUP BY shape;
SELECT bcce.median(v)::text AS m, bcce.percentile_exact(v, 0.95)::text AS p FROM exact_long \gset
SET max_parallel_workers_per_gather = 2;
ALTER TABLE exact_long SET (parallel_workers = 2);
ANALYZE exact_long;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET enable_sort = off;
EXPLAIN (COSTS OFF) SELECT bcce.median(v), bcce.percentile_exact(v, 0.95), bcce.percentile_exact(v, '{0.5}'::float8[]), bcce.median(v * interval '1 s') FROM exact_long;
SELECT bcce.median(v)::text = :'m' AS median_same, bcce.percentile_exact(v, 0.95)::text = :'p' AS p95_same FROM exact_long;
EXPLAIN (COSTS OFF) SELECT shape, bcce.median(v), bcce.percentile_exact(v, 0.95) FROM exact_long GROUP BY shape;
CREATE VIEW exact_parallel_difference AS
SELECT count(*) AS groups, count(*) FILTER (WHERE s.* IS DISTINCT FROM b.*) AS different
FROM exact_serial AS s
FULL JOIN (SELECT shape, bcce.median(v) AS m, bcce.percentile_exact(v, 0.95) AS p, bcce.percentile_exact(v, '[0:2]={0.1,NULL,1}'::float8[])::text AS a, bcce.median(v * interval '1 us')::text AS i
           FROM exact_long WHERE v < 'NaN' GROUP BY shape) AS b USING (shape);
TABLE exact_parallel_difference;
SET work_mem = '64kB';
TABLE exact_parallel_difference;
RESET work_mem;
-- one worker asks for another percentile; nothing to count in every worker
SELECT bcce.percentile_exact(v, CASE WHEN shape < 'r' THEN 0.5 ELSE 0.6 END) FROM exact_long;
SELECT bcce.percentile_exact(v, CASE WHEN shape < 'r' THEN '{0.5}' ELSE '{0.6}' END::float8[]) FROM exact_long;
SELECT bcce.percentile_exact(v, NULL::float8) IS NULL AS q_null, bcce.median(NULLIF(v, v)) IS NULL AS no_value, bcce.percentile_exact(v, NULL::float8[]) IS NULL AS array_null FROM exact_long;
SELECT bcce.median(v) IS NULL AS no_rows FROM exact_long WHERE v > 1e300 AND v < 1;
RESET ALL;
DROP VIEW exact_random_difference, exact_random_core, exact_random_bcce, exact_long_difference, exact_parallel_difference;
DROP TABLE exact_random, exact_random_expected, exact_long, exact_long_expected, exact_spans, exact_serial;
