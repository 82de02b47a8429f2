-- Proves: mttr() is the exact mean, and with a third argument the percentile
-- that percentile_cont() gives to the last digit; serial, parallel and merged
-- results agree; what has not recovered counts nowhere and is never a zero.
\set VERBOSITY sqlstate

-- by hand: 10, 20 and 60 minutes; the rest does not count
CREATE TABLE mttr_hand (opened timestamptz, recovered timestamptz);
INSERT INTO mttr_hand VALUES
('2026-01-01 00:00+00', '2026-01-01 00:10+00'),
('2026-01-01 01:00+00', '2026-01-01 01:20+00'),
('2026-01-01 02:00+00', '2026-01-01 03:00+00'),
('2026-01-01 03:00+00', NULL),
(NULL, '2026-01-01 03:00+00'),
(NULL, NULL),
('2026-01-01 05:00+00', '2026-01-01 04:00+00'),
('2026-01-01 05:00+00', 'infinity'),
('-infinity', '2026-01-01 05:00+00'),
('-infinity', 'infinity');
SELECT bcce.mttr(opened, recovered) AS mean_minutes,
       bcce.mttr(opened, recovered, 0) AS smallest,
       bcce.mttr(opened, recovered, 0.5) AS median,
       bcce.mttr(opened, recovered, 0.75) AS between,
       bcce.mttr(opened, recovered, 1) AS largest
FROM mttr_hand;
SELECT bcce.mttr(opened, opened) = 0 AS recovered_at_once, bcce.mttr(opened, opened, 0.5) = 0 AS median_at_once
FROM mttr_hand WHERE isfinite(opened);

-- nothing recovered, and no rows at all: unknown
SELECT bcce.mttr(opened, recovered) IS NULL AS mean, bcce.mttr(opened, recovered, 0.5) IS NULL AS median
FROM mttr_hand WHERE recovered IS NULL;
SELECT bcce.mttr(opened, recovered) IS NULL AS mean, bcce.mttr(opened, recovered, 0.5) IS NULL AS median
FROM mttr_hand WHERE false;
SELECT bcce.mttr(opened, recovered) FILTER (WHERE recovered < opened) IS NULL AS only_negative FROM mttr_hand;

-- q: NULL gives NULL; one that is none, or that changes, is an error
SELECT bcce.mttr(opened, recovered, NULL) IS NULL AS q_null FROM mttr_hand;
SELECT bcce.mttr(opened, recovered, 1.000001) FROM mttr_hand;
SELECT bcce.mttr(opened, recovered, -0.5) FROM mttr_hand;
SELECT bcce.mttr(opened, recovered, 'NaN') FROM mttr_hand;
SELECT bcce.mttr(opened, recovered, 'Infinity') FROM mttr_hand;
SELECT bcce.mttr(opened, recovered, 95) FROM mttr_hand WHERE recovered IS NULL;
SELECT bcce.mttr(opened, recovered, CASE WHEN opened > '2026-01-01 01:30+00' THEN 0.9 ELSE 0.5 END) FROM mttr_hand;
SELECT bcce.mttr(opened, recovered, CASE WHEN opened > '2026-01-01 01:30+00' THEN NULL ELSE 0.5 END) FROM mttr_hand;
SELECT bcce.mttr(opened, recovered, CASE WHEN opened > '2026-01-01 01:30+00' THEN 0.5 END) FROM mttr_hand;
SELECT q, bcce.mttr(opened, recovered, q) FROM mttr_hand, (VALUES (0.25), (0.5)) AS wanted (q) GROUP BY q ORDER BY q;

-- the longest spans; beyond 64 bits is an error
SELECT bcce.mttr('4713-01-01 00:00+00 BC', '280000-01-01 00:00+00') =
       bcce.mttr('4713-01-01 00:00+00 BC', '280000-01-01 00:00+00', 0.5) AS very_long;
SELECT bcce.mttr('4713-01-01 00:00+00 BC', '294276-12-31 00:00+00');
SELECT bcce.mttr('4713-01-01 00:00+00 BC', '294276-12-31 00:00+00', 0.5);
\set VERBOSITY default
SELECT bcce.mttr(opened, recovered, 95) FROM mttr_hand;
SELECT bcce.mttr(opened, recovered, extract(hour FROM opened)::float8 / 24) FROM mttr_hand WHERE isfinite(opened);
\set VERBOSITY sqlstate
DROP TABLE mttr_hand;

-- random data: many group sizes, ties, microseconds, centuries
SELECT setseed(0.42);
CREATE TABLE mttr_random AS
SELECT (g % 300)::int AS team, opened,
       opened + CASE WHEN random() < 0.1 THEN NULL
                     WHEN random() < 0.3 THEN floor(random() * 20) * interval '1 minute'
                     WHEN random() < 0.01 THEN random() * interval '200000 days'
                     WHEN random() < 0.05 THEN - random() * interval '1 day'
                     ELSE exp(random() * 12) * interval '1 second' END AS recovered
FROM (SELECT g, timestamptz '2026-01-01 00:00+00' + random() * interval '300 days' AS opened
      FROM (SELECT floor(300 * power(random(), 3))::int + 300 * g AS g FROM generate_series(1, 60000) AS g) AS skewed) AS made;
CREATE VIEW mttr_expected AS
SELECT team, q, percentile_cont(q) WITHIN GROUP (ORDER BY extract(epoch FROM (recovered - opened))::float8 / 60) AS expected
FROM mttr_random, unnest('{0, 0.001, 0.1, 0.25, 0.3333333333333333, 0.5, 0.9, 0.95, 0.99, 1}'::float8[]) AS q
WHERE recovered >= opened GROUP BY team, q;
SELECT count(*) AS compared, count(*) FILTER (WHERE expected IS DISTINCT FROM ours) AS different
FROM mttr_expected
FULL JOIN (SELECT team, q, bcce.mttr(opened, recovered, q) AS ours
           FROM mttr_random, unnest('{0, 0.001, 0.1, 0.25, 0.3333333333333333, 0.5, 0.9, 0.95, 0.99, 1}'::float8[]) AS q
           GROUP BY team, q) AS m USING (team, q);
SELECT percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM (recovered - opened))::float8 / 60)
       FILTER (WHERE recovered >= opened) = bcce.mttr(opened, recovered, 0.95) AS all_rows
FROM mttr_random;
SELECT max(abs(bcce - exact) / exact) < 3e-16 AS mean_is_exact
FROM (SELECT bcce.mttr(opened, recovered)::text::numeric AS bcce,
             sum(extract(epoch FROM (recovered - opened))::numeric(50, 30)) FILTER (WHERE recovered >= opened)
             / (60 * count(*) FILTER (WHERE recovered >= opened)) AS exact
      FROM mttr_random GROUP BY team) AS means;

-- spans past 2^53 microseconds keep to percentile_cont()
SELECT bool_and(expected = ours) AS long_spans
FROM (SELECT g % 5, percentile_cont(0.37) WITHIN GROUP (ORDER BY extract(epoch FROM (recovered - opened))::float8 / 60) AS expected,
             bcce.mttr(opened, recovered, 0.37) AS ours
      FROM (SELECT g, timestamptz '2026-01-01 00:00:00.123457+00' AS opened,
                   timestamptz '2400-01-01 00:00+00' + g * g * interval '83571.919191 seconds' AS recovered
            FROM generate_series(1, 2000) AS g) AS made GROUP BY g % 5) AS pairs;

-- orders that defeat simple pivots: sorted, reversed, equal, organ pipe, two values, saw
SELECT shape, expected = ours AS same
FROM (SELECT shape, percentile_cont(0.613) WITHIN GROUP (ORDER BY (v + 0.0)::float8) AS expected,
             bcce.mttr('2026-01-01 00:00+00', '2026-01-01 00:00+00'::timestamptz + v * interval '1 minute', 0.613) AS ours
      FROM (SELECT shape, CASE shape WHEN 'sorted' THEN g WHEN 'reversed' THEN 5000 - g WHEN 'equal' THEN 7
                                     WHEN 'organ pipe' THEN least(g, 5000 - g) WHEN 'two values' THEN g % 2
                                     WHEN 'saw' THEN g % 17 END AS v
            FROM generate_series(0, 4999) AS g,
                 unnest('{sorted,reversed,equal,organ pipe,two values,saw}'::text[]) AS shape) AS made
      GROUP BY shape) AS shapes ORDER BY shape COLLATE "C";

-- as a window: the same state is finished again and again
SELECT bool_and(running = expected) AS running_median
FROM (SELECT g, bcce.mttr('2026-01-01 00:00+00', '2026-01-01 00:00+00'::timestamptz + v * interval '1 minute', 0.5) OVER (ORDER BY g) AS running
      FROM (SELECT g, (g * 7919) % 211 AS v FROM generate_series(1, 200) AS g) AS made) AS w
JOIN (SELECT a.g, percentile_cont(0.5) WITHIN GROUP (ORDER BY ((b.g * 7919) % 211)::float8) AS expected
      FROM generate_series(1, 200) AS a (g) JOIN generate_series(1, 200) AS b (g) ON b.g <= a.g GROUP BY a.g) AS e USING (g);

-- serial = parallel
SET max_parallel_workers_per_gather = 0;
CREATE TABLE mttr_serial AS
SELECT team, bcce.mttr(opened, recovered) AS mean, bcce.mttr(opened, recovered, 0.95) AS p95 FROM mttr_random GROUP BY team;
SELECT bcce.mttr(opened, recovered)::text AS mean, bcce.mttr(opened, recovered, 0.95)::text AS p95 FROM mttr_random \gset
SET max_parallel_workers_per_gather = 2;
ALTER TABLE mttr_random SET (parallel_workers = 2);
ANALYZE mttr_random;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET enable_sort = off;
EXPLAIN (COSTS OFF) SELECT bcce.mttr(opened, recovered), bcce.mttr(opened, recovered, 0.95) FROM mttr_random;
SELECT bcce.mttr(opened, recovered)::text = :'mean' AS mean_same, bcce.mttr(opened, recovered, 0.95)::text = :'p95' AS p95_same FROM mttr_random;
EXPLAIN (COSTS OFF) SELECT team, bcce.mttr(opened, recovered), bcce.mttr(opened, recovered, 0.95) FROM mttr_random GROUP BY team;
SELECT count(*) > 100 AS groups, count(*) FILTER (WHERE s.mean IS DISTINCT FROM p.mean OR s.p95 IS DISTINCT FROM p.p95) AS different
FROM mttr_serial AS s
FULL JOIN (SELECT team, bcce.mttr(opened, recovered) AS mean, bcce.mttr(opened, recovered, 0.95) AS p95
           FROM mttr_random GROUP BY team) AS p USING (team);
-- one worker asks for another percentile; all rows filtered out in every worker
SELECT bcce.mttr(opened, recovered, CASE WHEN team < 200 THEN 0.5 ELSE 0.6 END) FROM mttr_random;
SELECT bcce.mttr(opened, recovered, NULL) IS NULL AS q_null, bcce.mttr(opened, NULL, 0.5) IS NULL AS none_recovered,
       bcce.mttr(opened, NULL) IS NULL AS mean_none FROM mttr_random;
SELECT bcce.mttr(opened, recovered, 0.5) IS NULL AS no_rows, bcce.mttr(opened, recovered) IS NULL AS mean_no_rows FROM mttr_random WHERE team < 0;
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET enable_sort;
DROP VIEW mttr_expected;
DROP TABLE mttr_random, mttr_serial;
