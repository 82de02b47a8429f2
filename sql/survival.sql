-- Proves that km_quantile(), km_mean(), km_curve() and mttr_incl_open() give the
-- published numbers of known sets and those of other ways to compute them; that
-- ties, nothing but open rows and bad durations are as defined; that the answer
-- does not depend on the order of rows or the split between workers.
\set VERBOSITY sqlstate

-- Freireich and others 1963: weeks in remission of leukaemia with 6-MP, + still in remission.
-- Survival, Greenwood's standard error and the log(-log) interval as in Kleinbaum and Klein 2012, ch. 2, and the output of SAS and R.
CREATE TABLE survival_case (name text, duration double precision, observed boolean);
INSERT INTO survival_case
SELECT name, rtrim(d, '+')::double precision, d NOT LIKE '%+'
FROM (VALUES
    ('6-MP', '6,6,6,6+,7,9+,10,10+,11+,13,16,17+,19+,20+,22,23,25+,32+,32+,34+,35+'),
    ('placebo', '1,1,2,2,3,4,4,5,5,8,8,8,8,11,11,12,12,15,17,22,23'),
    -- Embury and others 1977, by Miller 1981: weeks in remission of AML.
    ('maintained', '9,13,13+,18,23,28+,31,34,45+,48,161+'),
    ('not maintained', '5,5,8,8,12,16+,23,27,30,33,43,45'),
    -- Kaplan and Meier 1958, the example of their introduction.
    ('Kaplan-Meier', '0.8,1.0+,2.7+,3.1,5.4,7.0+,9.2,12.1+')
) AS c (name, durations)
CROSS JOIN unnest(string_to_array(durations, ',')) AS d;
SELECT c.duration, c.at_risk, c.events, c.censored, round(c.survival::numeric, 4) AS survival,
       round(c.survival_low::numeric, 3) AS low, round(c.survival_high::numeric, 3) AS high
FROM unnest((SELECT bcce.km_curve(duration, observed) FROM survival_case WHERE name = '6-MP')) AS c;
SELECT count(*) AS steps, count(*) FILTER (WHERE round(c.survival::numeric, 4) <> p.survival) AS survival_differs,
       count(*) FILTER (WHERE round(c.survival_low::numeric, 3) <> p.low OR round(c.survival_high::numeric, 3) <> p.high) AS interval_differs
FROM unnest((SELECT bcce.km_curve(duration, observed) FROM survival_case WHERE name = '6-MP')) AS c
FULL JOIN (VALUES (6, 0.8571, 0.620, 0.952), (7, 0.8067, 0.563, 0.923), (10, 0.7529, 0.503, 0.889), (13, 0.6902, 0.432, 0.849),
                  (16, 0.6275, 0.368, 0.805), (22, 0.5378, 0.268, 0.747), (23, 0.4482, 0.188, 0.680)) AS p (duration, survival, low, high)
     ON p.duration = c.duration
WHERE c.events > 0 OR c.events IS NULL;
SELECT p.name, count(*) AS steps, count(*) FILTER (WHERE round(c.survival::numeric, 4) IS DISTINCT FROM p.survival) AS differ
FROM (VALUES
    ('placebo', '1,2,3,4,5,8,11,12,15,17,22,23', '.9048,.8095,.7619,.6667,.5714,.3810,.2857,.1905,.1429,.0952,.0476,0'),
    ('maintained', '9,13,18,23,31,34,48', '.9091,.8182,.7159,.6136,.4909,.3682,.1841'),
    ('not maintained', '5,8,12,23,27,30,33,43,45', '.8333,.6667,.5833,.4861,.3889,.2917,.1944,.0972,0'),
    ('Kaplan-Meier', '0.8,3.1,5.4,9.2', '.875,.7,.525,.2625')
) AS published (name, durations, survivals)
CROSS JOIN LATERAL (SELECT published.name, d::double precision AS duration, s::numeric AS survival
                    FROM unnest(string_to_array(durations, ','), string_to_array(survivals, ',')) AS u (d, s)) AS p
LEFT JOIN (SELECT s.name, c.* FROM (SELECT name, bcce.km_curve(duration, observed) AS curve FROM survival_case GROUP BY name) AS s, unnest(s.curve) AS c) AS c
     ON c.name = p.name AND c.duration = p.duration AND c.events > 0
GROUP BY p.name ORDER BY p.name;
-- Medians 23, 8, 31, 23; intervals of the log(-log) kind; means restricted to the longest time, 52.6 and 22.7 in R.
SELECT name, bcce.km_quantile(duration, observed, 0.5) AS median, bcce.km_quantile_low(duration, observed, 0.5) AS low,
       bcce.km_quantile_high(duration, observed, 0.5) AS high, bcce.km_quantile(duration, observed, 0.25) AS quartile,
       bcce.km_quantile(duration, observed, 0.95) AS p95,
       round(bcce.km_mean(duration, observed)::numeric, 4) AS mean, max(duration) AS limit
FROM survival_case GROUP BY name ORDER BY name;
SELECT round(bcce.km_mean(duration, observed, 10)::numeric, 4) AS to_10, bcce.km_mean(duration, observed, 35) = bcce.km_mean(duration, observed) AS to_longest,
       bcce.km_mean(duration, observed, 35.1) IS NULL AS beyond, bcce.km_mean(duration, observed, 0) AS to_0
FROM survival_case WHERE name = '6-MP';
SELECT bcce.km_mean(duration, observed, 'Infinity') = 182.0 / 21 AS all_ended FROM survival_case WHERE name = 'placebo';

-- Ten, twenty, thirty and six hundred minutes, and three open for 700, 800 and 900: not 25, but 600.
SELECT bcce.km_quantile(d, o, 0.5) AS median, bcce.km_quantile(d, o, 0.95) IS NULL AS p95_unknown, bcce.km_quantile_low(d, o, 0.5) IS NULL AS under_five
FROM (VALUES (10, true), (20, true), (30, true), (600, true), (700, false), (800, false), (900, false)) AS v (d, o);
-- With nothing open the median is one of the durations.
SELECT bcce.km_quantile(d, true, 0.5) AS km, percentile_disc(0.5) WITHIN GROUP (ORDER BY d) AS disc, percentile_cont(0.5) WITHIN GROUP (ORDER BY d) AS interpolated
FROM unnest(ARRAY[10, 20, 30, 40]) AS d;
-- Ends before what is censored at the same time: the reverse would give 0.5, 0.
SELECT c.duration, c.at_risk, c.events, c.censored, round(c.survival::numeric, 4) AS survival, round(c.survival_low::numeric, 4) AS low, round(c.survival_high::numeric, 4) AS high
FROM unnest((SELECT bcce.km_curve(d, o) FROM (VALUES (5, false), (5, true), (9, true)) AS v (d, o))) AS c;
-- Several ends at once are one step; all at once leave nothing to say about an interval but its lower bound.
SELECT c.* FROM unnest((SELECT bcce.km_curve(7, true) FROM generate_series(1, 6))) AS c;
SELECT bcce.km_quantile(7, true, 0.5) AS median, bcce.km_quantile_low(7, true, 0.5) AS low, bcce.km_quantile_high(7, true, 0.5) AS high FROM generate_series(1, 6);
-- Nothing has ended: no quantile, survival 1 without an interval, and a mean that is only its limit.
SELECT bcce.km_quantile(d, false, 0.5) AS median, bcce.km_quantile(d, false, 0) AS q0, bcce.km_quantile_low(d, false, 0.5) AS low, bcce.km_mean(d, false) AS mean,
       bcce.km_curve(d, false) AS curve
FROM unnest(ARRAY[3, 1, 3]) AS d;
-- No rows.
SELECT bcce.km_quantile(1, true, 0.5) AS median, bcce.km_mean(1, true) AS mean, bcce.km_mean(1, true, 5) AS mean_5, bcce.km_curve(1, true) AS curve WHERE false;
-- Left out: what says nothing.  A zero counts, and minus zero is one.
SELECT c.duration, c.at_risk, c.events, c.censored, round(c.survival::numeric, 4) AS survival FROM unnest((
SELECT bcce.km_curve(d, o)
FROM (VALUES (NULL::double precision, true), (1, NULL), ('NaN', true), ('NaN', false), ('Infinity', true), ('Infinity', false), ('-Infinity', true), (-1, true), (-1e-300, false),
             (0, true), ('-0', true), (1e308, false)) AS v (d, o))) AS c;
SELECT bcce.km_quantile(d, true, 0.5) IS NULL AS only_nan, bcce.km_mean(d, true) IS NULL AS mean FROM unnest(ARRAY['NaN', '-5']::double precision[]) AS d;

-- q: from the first end to the last; NULL gives NULL; one that is none, or that changes, is an error.
SELECT bcce.km_quantile(d, true, 0) AS q0, bcce.km_quantile(d, true, 1) AS q1, bcce.km_quantile(d, true, NULL) AS q_null, bcce.km_quantile_high(d, true, NULL) AS high_null,
       bcce.km_mean(d, true, NULL) AS mean_null
FROM unnest(ARRAY[4, 2, 8]) AS d;
SELECT bcce.km_quantile(1, true, 1.000001);
SELECT bcce.km_quantile(1, true, 'NaN');
SELECT bcce.km_quantile_low(NULL, true, -0.1);
SELECT bcce.km_mean(1, true, -1);
SELECT bcce.km_mean(1, true, 'NaN');
SELECT bcce.km_quantile(1, true, g / 10.0) FROM generate_series(1, 2) AS g;
SELECT bcce.km_quantile(1, true, CASE g WHEN 1 THEN 0.5 END) FROM generate_series(1, 2) AS g;
SELECT bcce.km_mean(1, true, g) FROM generate_series(1, 2) AS g;
\set VERBOSITY default
SELECT bcce.km_quantile(1, true, 95);
SELECT bcce.km_mean(1, true, -1);
SELECT bcce.km_mean(1, true, g) FROM generate_series(1, 2) AS g;
SELECT bcce.mttr_incl_open('2026-01-01', NULL, 'infinity');
\set VERBOSITY sqlstate

-- The step at one half is met for every n, which a product of doubles misses for half of all even n.
SELECT count(*) FILTER (WHERE km <> disc) AS differ, count(*) AS compared
FROM (SELECT n, q, bcce.km_quantile(i, true, q) AS km, percentile_disc(q) WITHIN GROUP (ORDER BY i) AS disc
      FROM generate_series(1, 200) AS n, unnest(ARRAY[0.5, 0.25, 0.75, 0.95]) AS q, generate_series(1, n) AS i
      GROUP BY n, q) AS m;
-- And where one row was censored before: 2k + 1 rows, k of 2k left at the median.
SELECT count(*) FILTER (WHERE median <> k) AS differ
FROM (SELECT k, bcce.km_quantile(i, i > 0, 0.5) AS median FROM generate_series(1, 200) AS k, generate_series(0, 2 * k) AS i GROUP BY k) AS m;

-- Random rows against windows and numeric: ties, a third open.
SELECT setseed(0.5);
CREATE TABLE survival_random AS
SELECT (g % 200)::int AS team, CASE WHEN g % 3 = 0 THEN floor(random() * 20) ELSE exp(random() * 8) END AS duration, random() < 0.66 AS observed
FROM (SELECT floor(200 * power(random(), 3))::int + 200 * g AS g FROM generate_series(1, 20000) AS g) AS skewed;
CREATE TABLE survival_expected AS
WITH step AS (
    SELECT team, duration, count(*) FILTER (WHERE observed) AS events, count(*) AS n
    FROM survival_random GROUP BY team, duration
),
risk AS (
    SELECT team, duration, events, n, sum(n) OVER (PARTITION BY team ORDER BY duration DESC) AS at_risk FROM step
)
SELECT team, duration, events, n - events AS censored, at_risk,
       exp(sum(ln(nullif(1 - events / at_risk, 0)::numeric(60, 40))) OVER lasted) * CASE WHEN min(at_risk - events) OVER lasted > 0 THEN 1 ELSE 0 END AS survival
FROM risk WINDOW lasted AS (PARTITION BY team ORDER BY duration);
SELECT count(*) AS steps, count(*) FILTER (WHERE (c.at_risk, c.events, c.censored) IS DISTINCT FROM (e.at_risk, e.events, e.censored)) AS counts_differ,
       max(abs(c.survival::numeric - e.survival)) < 1e-15 AS survival_agrees
FROM (SELECT t.team, s.* FROM (SELECT team, bcce.km_curve(duration, observed) AS curve FROM survival_random GROUP BY team) AS t, unnest(t.curve) AS s) AS c
FULL JOIN survival_expected AS e USING (team, duration);
SELECT count(*) AS compared, count(*) FILTER (WHERE m.km IS DISTINCT FROM e.expected) AS differ, count(*) FILTER (WHERE e.expected IS NULL) > 0 AS some_never
FROM (SELECT team, q, bcce.km_quantile(duration, observed, q) AS km FROM survival_random, unnest(ARRAY[0.1, 0.5, 0.95]) AS q GROUP BY team, q) AS m
JOIN (SELECT team, q, min(duration) FILTER (WHERE events > 0 AND survival <= 1 - q::numeric + 1e-12) AS expected
      FROM survival_expected, unnest(ARRAY[0.1, 0.5, 0.95]) AS q GROUP BY team, q) AS e USING (team, q);
-- With all ended the mean is the mean.
SELECT max(abs(bcce_mean - mean) / mean) < 1e-14 AS mean_agrees
FROM (SELECT team, bcce.km_mean(duration, true) AS bcce_mean, avg(duration) AS mean FROM survival_random GROUP BY team) AS m;
-- As a window: the same state is finished again and again.
SELECT bool_and(running IS NOT DISTINCT FROM expected) AS running_median
FROM (SELECT g, bcce.km_quantile(v, v % 3 > 0, 0.5) OVER (ORDER BY g) AS running FROM (SELECT g, (g * 7919) % 211 AS v FROM generate_series(1, 100) AS g) AS made) AS w
JOIN (SELECT a.g, bcce.km_quantile((b.g * 7919) % 211, (b.g * 7919) % 211 % 3 > 0, 0.5) AS expected
      FROM generate_series(1, 100) AS a (g) JOIN generate_series(1, 100) AS b (g) ON b.g <= a.g GROUP BY a.g) AS e USING (g);

-- mttr_incl_open: as known at as_of.
CREATE TABLE survival_incident (opened timestamptz, recovered timestamptz);
INSERT INTO survival_incident
SELECT '2026-01-30 00:00+00', CASE WHEN m <= 600 THEN '2026-01-30 00:00+00'::timestamptz + m * interval '1 minute' END FROM unnest(ARRAY[10, 20, 30, 600, 700, 800, 900]) AS m;
INSERT INTO survival_incident VALUES
('2026-02-01 00:00+00', NULL), ('2026-02-01 00:00+00', '2026-02-01 00:01+00'),
(NULL, '2026-01-30 00:01+00'), (NULL, NULL), ('-infinity', '2026-01-30 00:01+00'), ('infinity', NULL),
('2026-01-30 00:00+00', '2026-01-29 23:00+00'), ('2026-01-30 00:00+00', '-infinity');
SELECT bcce.mttr_incl_open(opened, recovered, '2026-01-30 15:00+00') AS median,
       bcce.mttr_incl_open(opened, recovered, '2026-01-30 15:00+00', 0.25) AS quartile,
       bcce.mttr_incl_open(opened, recovered, '2026-01-30 15:00+00', 0.95) AS p95,
       bcce.mttr_incl_open(opened, recovered, '2026-01-30 00:25+00') AS at_25,
       bcce.mttr_incl_open(opened, recovered, '2026-01-30 00:25+00', 0.25) AS quartile_at_25,
       bcce.mttr_incl_open(opened, recovered, '2026-01-30 00:10+00', 0.1) AS recovered_just_now,
       bcce.mttr_incl_open(opened, recovered, '2026-01-29 00:10+00') AS before_all,
       bcce.mttr_incl_open(opened, recovered, NULL) AS no_as_of, bcce.mttr_incl_open(opened, recovered, '2026-01-30 15:00+00', NULL) AS q_null
FROM survival_incident;
-- Recovery in the future, and never, are open; the same as their ages among the others.
SELECT bcce.mttr_incl_open('2026-01-01', r, '2026-01-02', 0.1) IS NULL AS none_recovered FROM unnest(ARRAY[NULL, 'infinity', '2026-01-03']::timestamptz[]) AS r;
SELECT bcce.mttr_incl_open(o, r, '2026-06-01', 0.5) = bcce.km_quantile(extract(epoch FROM coalesce(r, '2026-06-01') - o)::double precision / 60, r IS NOT NULL, 0.5) AS same,
       bcce.mttr_incl_open(o, r, '2026-06-01') = bcce.mttr_incl_open(o, r, '2026-06-01', 0.5) AS default_half
FROM (SELECT '2026-01-01'::timestamptz + random() * interval '9 days' AS o, CASE WHEN random() < 0.7 THEN '2026-01-10'::timestamptz + random() * interval '9 days' END AS r FROM generate_series(1, 500)) AS made;
SELECT bcce.mttr_incl_open(opened, recovered, 'infinity') FROM survival_incident;
SELECT bcce.mttr_incl_open(opened, recovered, '-infinity') FROM survival_incident;
SELECT bcce.mttr_incl_open('4713-01-01 00:00+00 BC', NULL, '294276-12-31 00:00+00');
SELECT bcce.mttr_incl_open(opened, recovered, '2026-01-30 15:00+00', 2) FROM survival_incident;

-- Any order, serial or parallel: the same bits.
SELECT count(DISTINCT answer) AS answers
FROM (SELECT (bcce.km_mean(duration, observed ORDER BY duration), bcce.km_curve(duration, observed ORDER BY duration))::text AS answer FROM survival_random
      UNION ALL SELECT (bcce.km_mean(duration, observed ORDER BY duration DESC, team), bcce.km_curve(duration, observed ORDER BY duration DESC, team))::text FROM survival_random
      UNION ALL SELECT (bcce.km_mean(duration, observed ORDER BY team, observed), bcce.km_curve(duration, observed ORDER BY team, observed))::text FROM survival_random) AS orders;
CREATE VIEW survival_answer AS
SELECT team, bcce.km_quantile(duration, observed, 0.5) AS median, bcce.km_quantile_low(duration, observed, 0.5) AS low, bcce.km_quantile_high(duration, observed, 0.5) AS high,
       bcce.km_mean(duration, observed) AS mean, bcce.km_mean(duration, observed, 100) AS mean_100, bcce.km_curve(duration, observed)::text AS curve,
       bcce.mttr_incl_open('2026-01-01', CASE WHEN observed THEN '2026-01-01'::timestamptz + duration * interval '1 minute' END, '2026-03-01') AS mttr
FROM survival_random GROUP BY team;
SET max_parallel_workers_per_gather = 0;
CREATE TABLE survival_serial AS SELECT * FROM survival_answer;
SELECT bcce.km_quantile(duration, observed, 0.9) AS q, bcce.km_mean(duration, observed) AS mean, md5(bcce.km_curve(duration, observed)::text) AS curve FROM survival_random \gset
SET max_parallel_workers_per_gather = 2;
ALTER TABLE survival_random SET (parallel_workers = 2);
ANALYZE survival_random;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET enable_sort = off;
EXPLAIN (COSTS OFF) SELECT bcce.km_quantile(duration, observed, 0.5), bcce.km_quantile_low(duration, observed, 0.5), bcce.km_mean(duration, observed), bcce.km_mean(duration, observed, 5),
                           bcce.km_curve(duration, observed), bcce.mttr_incl_open('2026-01-01', NULL, '2026-01-02'), bcce.mttr_incl_open('2026-01-01', NULL, '2026-01-02', 0.9)
FROM survival_random;
EXPLAIN (COSTS OFF) SELECT team, bcce.km_quantile(duration, observed, 0.5), bcce.km_curve(duration, observed) FROM survival_random GROUP BY team;
CREATE TABLE survival_parallel AS SELECT * FROM survival_answer;
SELECT count(*) AS groups, count(*) FILTER (WHERE to_jsonb(s) IS DISTINCT FROM to_jsonb(p)) AS differ
FROM survival_serial AS s FULL JOIN survival_parallel AS p USING (team);
SELECT count(*) AS differ
FROM (SELECT bcce.km_quantile(duration, observed, 0.9) AS q, bcce.km_mean(duration, observed) AS mean, md5(bcce.km_curve(duration, observed)::text) AS curve FROM survival_random) AS p
WHERE (p.q::text, p.mean::text, p.curve) IS DISTINCT FROM (:'q', :'mean', :'curve');
-- One worker asks for another quantile; nothing counts in any worker; q is NULL in all.
SELECT bcce.km_quantile(duration, observed, CASE WHEN team < 100 THEN 0.5 ELSE 0.6 END) FROM survival_random;
SELECT bcce.km_quantile(NULL, observed, 0.5) AS none, bcce.km_curve(duration, NULL) AS no_curve, bcce.km_quantile(duration, observed, NULL) AS q_null FROM survival_random;
SELECT bcce.km_quantile(duration, observed, 0.5) AS no_rows FROM survival_random WHERE team < 0;

-- Bytes that another aggregate wrote are refused as a state.
SET client_min_messages = warning;
CREATE AGGREGATE pg_temp.of_core(bigint) (SFUNC = int8_avg_accum, STYPE = internal, COMBINEFUNC = bcce.km_combine, SERIALFUNC = int8_avg_serialize,
    DESERIALFUNC = bcce.km_deserialize, FINALFUNC = bcce.km_quantile_final, PARALLEL = SAFE);
CREATE AGGREGATE pg_temp.of_a_sketch(double precision) (SFUNC = bcce.sketch_step, STYPE = internal, COMBINEFUNC = bcce.km_combine, SERIALFUNC = bcce.sketch_serialize,
    DESERIALFUNC = bcce.km_deserialize, FINALFUNC = bcce.km_mean_final, PARALLEL = SAFE);
SELECT pg_temp.of_core(team) FROM survival_random;
SELECT pg_temp.of_a_sketch(duration) FROM survival_random;
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET enable_sort;
DROP VIEW survival_answer;
DROP TABLE survival_case, survival_random, survival_expected, survival_serial, survival_parallel, survival_incident;
