-- Proves bcce.sketch: percentiles within the error and by the rank of
-- percentile_disc, one result whatever the order and grouping of rows, and
-- bytes and text that come back as they were or are refused.
SET client_min_messages = warning;
SET search_path = bcce, public;
SET extra_float_digits = 1;

\echo == golden values
SELECT percentile_sketch(v) FROM (VALUES (2.5::float8), (-1), (2.5), (1e-3), ('-0')) AS t (v);
SELECT percentile_sketch(v::float8) FROM (SELECT 2 ^ (v % 4) AS v FROM generate_series(0, 39) AS v) AS t;
SELECT approx_percentile(s, ARRAY[0, 0.5, 0.95, 0.99, 1]) AS percentiles, mean(s), sum(s), num_vals(s), min_val(s), max_val(s), round(error(s)::numeric, 6) AS error, is_exact(s)
FROM (SELECT percentile_sketch(v) AS s FROM generate_series(1, 1000) AS v) AS t;
SELECT sketch_send(percentile_sketch(v)) FROM generate_series(1, 33) AS v;
SELECT * FROM buckets((SELECT percentile_sketch(v::float8) FROM (VALUES (1::float8), (1), (3), ('Infinity'), ('NaN'), ('-Infinity')) AS t (v)));
SELECT lower < 2 AND upper >= 2 AS around_2, count FROM buckets((SELECT percentile_sketch(2::float8) FROM generate_series(1, 40)) || (SELECT percentile_sketch(2.01::float8) FROM generate_series(1, 5)) || (SELECT percentile_sketch(0::float8) FROM generate_series(1, 3)));

\echo == nothing, one row, NULLs
SELECT percentile_sketch(v) IS NULL AS sketch, approx_percentile(v, 0.5) IS NULL AS percentile, approx_percentile(v, ARRAY[0.5]) IS NULL AS percentiles FROM (SELECT 1::float8 AS v WHERE false) AS t;
SELECT percentile_sketch(NULL::float8) IS NULL AS sketch, rollup(NULL) IS NULL AS merged, approx_percentile(NULL::float8, 0.5) IS NULL AS percentile;
SELECT approx_percentile(s, 0.5) IS NULL AS percentile, approx_percentile(s, ARRAY[0.5]) IS NULL AS percentiles, approx_percentile_rank(s, 1) IS NULL AS rank,
       share_below(s, 1) IS NULL AS share, mean(s) IS NULL AS mean, sum(s) IS NULL AS sum, min_val(s) IS NULL AS min, max_val(s) IS NULL AS max,
       num_vals(s), error(s), is_exact(s), (SELECT count(*) FROM buckets(s)) AS buckets, s || s AS twice, s::jsonb, s::jsonb::sketch
FROM (SELECT 'version=1 scale=6'::sketch AS s) AS t;
SELECT rollup(s) FROM (VALUES ('version=1 scale=6'::sketch), (NULL)) AS t (s);
SELECT approx_percentile(v, 0.5), approx_percentile(v, NULL::float8), approx_percentile(v, '{0,NULL,1}'::float8[]), approx_percentile(v, '{{0.1,0.9},{0,1}}'::float8[]), approx_percentile(v, '{}'::float8[])
FROM (VALUES (7.25::float8), (NULL)) AS t (v);
SELECT approx_percentile(s, NULL::float8), approx_percentile(s, ARRAY[0.5, NULL]), approx_percentile(s, '{}'::float8[]) FROM (SELECT percentile_sketch(v) AS s FROM generate_series(1, 3) AS v) AS t;

\echo == 32 numbers are kept, 33 are not
SELECT n, is_exact(s), approx_percentile(s, 0.5) = n / 2 + n % 2 AS exact, error(s) = 0 AS no_error FROM (VALUES (31), (32), (33)) AS t (n), LATERAL (SELECT percentile_sketch(v) AS s FROM generate_series(1, n) AS v) AS u;

\echo == what is not finite stands where the server sorts it
CREATE TEMP TABLE odd AS SELECT unnest('{NaN,Infinity,-Infinity,0,-0,1,-1,4.9e-324,-4.9e-324,1.7976931348623157e308}'::float8[]) AS v;
SELECT q, approx_percentile(v, q) IS NOT DISTINCT FROM percentile_disc(q) WITHIN GROUP (ORDER BY v) AS same FROM odd, (VALUES (0), (0.1), (0.15), (0.3), (0.5), (0.7), (0.85), (0.9), (1)) AS t (q) GROUP BY q ORDER BY q;
SELECT q, many IS NOT DISTINCT FROM disc AS same
FROM (SELECT q::float8, approx_percentile(v, q::float8) AS many, percentile_disc(q::float8) WITHIN GROUP (ORDER BY v) AS disc
      FROM odd, generate_series(1, 10), (VALUES (0), (0.1), (0.35), (0.4), (0.5), (0.8), (0.85), (0.95), (1)) AS t (q) GROUP BY q) AS t
ORDER BY q;
SELECT sum(s), mean(s), min_val(s), max_val(s), num_vals(s), approx_percentile_rank(s, 'NaN') AS rank_nan, share_below(s, 'NaN') AS below_nan, approx_percentile_rank(s, 'Infinity') AS rank_inf, share_below(s, 'Infinity') AS below_inf, share_below(s, '-Infinity') AS below_minus_inf
FROM (SELECT percentile_sketch(v) AS s FROM odd) AS t;
SELECT sum(percentile_sketch(v)) AS sum_infinity FROM odd WHERE v > 1 AND v <> 'NaN';
SELECT sum(s), mean(s) FROM (SELECT percentile_sketch(1.7e308::float8) AS s FROM generate_series(1, 50)) AS t;

\echo == shares
SELECT share_below(s, 0), approx_percentile_rank(s, 0), share_below(s, -1), approx_percentile_rank(s, 1e9), share_below(s, 1e9) < 1 AS below_the_largest
FROM (SELECT percentile_sketch(CASE WHEN v % 4 = 0 THEN 0 ELSE 10 ^ (v % 10) END::float8) AS s FROM generate_series(1, 1000) AS v) AS t;
SELECT approx_percentile_rank(s, 500) BETWEEN 0.497 AND 0.503 AS half FROM (SELECT percentile_sketch(v) AS s FROM generate_series(1, 1000) AS v) AS t;

\echo == data that others are wrong about: worst error over percentiles, in units of what is said
CREATE TEMP TABLE data AS
SELECT 'octaves 50' AS kind, 2 ^ (50 * ((v * 7919) % 10007) / 10007.0)::float8 AS v FROM generate_series(1, 10007) AS v
UNION ALL SELECT 'ties', (v % 7)::float8 FROM generate_series(1, 5000) AS v
UNION ALL SELECT 'constant', 1234.5678 FROM generate_series(1, 5000)
UNION ALL SELECT 'two points', CASE WHEN v % 100 = 0 THEN 1e12 ELSE 1e-12 END FROM generate_series(1, 5000) AS v
UNION ALL SELECT 'subnormal', v * 4.9e-324 * 1e10 FROM generate_series(1, 5000) AS v
UNION ALL SELECT 'both signs', (v - 2500) * abs(v - 2500.0) FROM generate_series(1, 5000) AS v
UNION ALL SELECT 'heavy tail', 1 / (1 - v / 5001.0) ^ 3 FROM generate_series(1, 5000) AS v
UNION ALL SELECT 'all doubles', CASE v % 3 WHEN 0 THEN 10.0::float8 ^ (v % 300) WHEN 1 THEN -(10.0::float8 ^ -(v % 300)) ELSE 0 END FROM generate_series(1, 5000) AS v;
SELECT kind, max(abs(a.v - e.v) / nullif(abs(e.v), 0)) <= error AS within, round(error::numeric, 4) AS error,
       max(abs(a.v - e.v)) FILTER (WHERE e.v = 0) IS NOT DISTINCT FROM CASE WHEN bool_or(e.v = 0) THEN 0 END AS zeros_exact
FROM (SELECT kind, error(percentile_sketch(v)) AS error,
             approx_percentile(v, (SELECT array_agg((q / 1000.0)::float8 ORDER BY q) FROM generate_series(0, 1000) AS q)) AS approximate,
             percentile_disc((SELECT array_agg((q / 1000.0)::float8 ORDER BY q) FROM generate_series(0, 1000) AS q)) WITHIN GROUP (ORDER BY v) AS exact
      FROM data GROUP BY kind) AS t
CROSS JOIN LATERAL unnest(approximate) WITH ORDINALITY AS a (v, i) JOIN LATERAL unnest(exact) WITH ORDINALITY AS e (v, i) USING (i)
GROUP BY kind, error ORDER BY kind COLLATE "C";
SELECT asked, round(error(percentile_sketch(v, asked::float8))::numeric, 6) AS given FROM data, (VALUES (0.5), (0.1), (0.01), (0.005), (0.001), (0.0007)) AS t (asked) WHERE kind = 'both signs' GROUP BY asked ORDER BY asked;

\echo == the same bytes in every order and grouping, and in parallel
SELECT kind, count(DISTINCT bytes) AS results
FROM (SELECT kind, sketch_send(percentile_sketch(v ORDER BY v)) AS bytes FROM data GROUP BY kind
      UNION ALL SELECT kind, sketch_send(percentile_sketch(v ORDER BY v DESC)) FROM data GROUP BY kind
      UNION ALL SELECT kind, sketch_send(percentile_sketch(v ORDER BY md5(v::text))) FROM data GROUP BY kind
      UNION ALL SELECT kind, sketch_send(rollup(s ORDER BY part)) FROM (SELECT kind, hashfloat8(v) % 5 AS part, percentile_sketch(v) AS s FROM data GROUP BY 1, 2) AS t GROUP BY kind
      UNION ALL SELECT kind, sketch_send(rollup(s ORDER BY part DESC)) FROM (SELECT kind, (random() * 400)::int AS part, percentile_sketch(v) AS s FROM data GROUP BY 1, 2) AS t GROUP BY kind
      UNION ALL SELECT a.kind, sketch_send(b.s || a.s) FROM (SELECT kind, percentile_sketch(v) AS s FROM data WHERE v > 1 GROUP BY 1) AS a JOIN (SELECT kind, percentile_sketch(v) AS s FROM data WHERE v <= 1 GROUP BY 1) AS b USING (kind)
     ) AS t
GROUP BY kind ORDER BY kind COLLATE "C";
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 0;
CREATE TABLE sketch_rows AS SELECT kind, v FROM data;
ALTER TABLE sketch_rows SET (parallel_workers = 3);
CREATE TABLE sketch_serial AS SELECT kind, percentile_sketch(v) AS s, approx_percentile(v, 0.9) AS p, approx_percentile(v, ARRAY[0.1, NULL, 0.9]) AS ps, percentile_sketch(v, 0.1) AS coarse FROM sketch_rows GROUP BY kind;
SET max_parallel_workers_per_gather = 3; SET parallel_leader_participation = off;
EXPLAIN (COSTS OFF) SELECT percentile_sketch(v), approx_percentile(v, 0.9), approx_percentile(v, ARRAY[0.1, 0.9]) FROM sketch_rows;
EXPLAIN (COSTS OFF) SELECT rollup(s) FROM sketch_serial;
SELECT count(*) AS kinds, bool_and(sketch_send(a.s) = sketch_send(b.s) AND sketch_send(a.coarse) = sketch_send(b.coarse) AND a.p = b.p AND a.ps = b.ps) AS same
FROM sketch_serial AS a
JOIN (SELECT kind, percentile_sketch(v) AS s, approx_percentile(v, 0.9) AS p, approx_percentile(v, ARRAY[0.1, NULL, 0.9]) AS ps, percentile_sketch(v, 0.1) AS coarse FROM sketch_rows GROUP BY kind) AS b USING (kind);
SELECT sketch_send((SELECT rollup(s) FROM sketch_serial)) = sketch_send((SELECT percentile_sketch(v) FROM sketch_rows)) AS merged_is_direct;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET max_parallel_workers_per_gather; RESET parallel_leader_participation;

\echo == sums without rounding
SELECT sum(percentile_sketch(v)) FROM (VALUES (1e300::float8), (1), (-1e300), (1e-300)) AS t (v);
SELECT sum(percentile_sketch(v ORDER BY i)) = 5000 AS cancelled FROM (SELECT i, unnest(ARRAY[1e200, 1, -1e200]::float8[]) AS v FROM generate_series(1, 5000) AS i) AS t;
SELECT sum(percentile_sketch(0.1::float8)) FROM generate_series(1, 10);

\echo == frames of windows
SELECT bool_and(p = d) AS same FROM (
    SELECT approx_percentile(v, 0.5) OVER w AS p, (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY u) FROM generate_series(greatest(v - 9, 1), v) AS u) AS d
    FROM generate_series(1, 100) AS v WINDOW w AS (ORDER BY v ROWS 9 PRECEDING)) AS t;

-- Frames that slide take numbers back; what is left is what a sketch of the frame alone has, to the byte, with NULLs, NaN, infinite
-- numbers, a spell of a thousand octaves that makes buckets wider for a while, and numbers kept as they are.
CREATE TEMP TABLE slid AS
SELECT i, CASE WHEN i % 7 = 3 THEN NULL WHEN i % 50 BETWEEN 10 AND 14 THEN ('{NaN,Infinity,-Infinity,0,-0}'::float8[])[i % 5 + 1]
               WHEN i BETWEEN 300 AND 330 THEN 2.0::float8 ^ (i * 7 % 1000 - 500) ELSE (i * 7919 % 1000) * CASE WHEN i % 3 = 0 THEN -1 ELSE 1.5 END END AS v
FROM generate_series(1, 700) AS i;
SELECT f.size, bool_and(a.s IS NOT DISTINCT FROM b.s) AS sketches, bool_and(a.fine IS NOT DISTINCT FROM b.fine) AS fine_sketches,
       bool_and(a.p IS NOT DISTINCT FROM b.p) AS percentiles, bool_and(a.ps IS NOT DISTINCT FROM b.ps) AS arrays, count(DISTINCT bcce.error(bcce.sketch_from_bytes(b.s))) > 2 AS of_all_scales
FROM (VALUES (0), (1), (31), (32), (45), (200)) AS f (size)
CROSS JOIN LATERAL (
    SELECT i, sketch_send(percentile_sketch(v) OVER w) AS s, sketch_send(percentile_sketch(v, 0.001) OVER w) AS fine,
           approx_percentile(v, 0.9) OVER w AS p, approx_percentile(v, ARRAY[0.1, NULL, 1]) OVER w AS ps
    FROM slid WINDOW w AS (ORDER BY i ROWS f.size PRECEDING)) AS a
CROSS JOIN LATERAL (
    SELECT sketch_send(percentile_sketch(v)) AS s, sketch_send(percentile_sketch(v, 0.001)) AS fine, approx_percentile(v, 0.9) AS p, approx_percentile(v, ARRAY[0.1, NULL, 1]) AS ps
    FROM slid WHERE slid.i BETWEEN a.i - f.size AND a.i) AS b
GROUP BY f.size ORDER BY f.size;
SELECT v, approx_percentile(v::numeric, 0.5) OVER w AS "numeric", approx_percentile(v * interval '1 s', ARRAY[0.5]) OVER w AS "interval", approx_percentile(v, 0.5) FILTER (WHERE v % 2 = 0) OVER w AS filtered,
       percentile_sketch(v) OVER (ORDER BY v ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW) AS others, percentile_sketch(v) OVER (ORDER BY v RANGE BETWEEN 2 PRECEDING AND 1 PRECEDING) AS range
FROM generate_series(1, 4) AS v WINDOW w AS (ORDER BY v ROWS 1 PRECEDING) ORDER BY v;
SELECT approx_percentile(v, v / 10.0) OVER (ORDER BY v ROWS CURRENT ROW) AS own_question FROM generate_series(1, 3) AS v;

\echo == input types
SELECT approx_percentile(v::bigint, 0.5), approx_percentile(v::numeric, 0.5), approx_percentile(v::int, 0.5), approx_percentile(v::real, 0.5), percentile_sketch(v::numeric) FROM generate_series(1, 5) AS v;
SELECT approx_percentile(v, ARRAY[0, 0.5, 1]) FROM (VALUES ('NaN'::numeric), ('-Infinity'), (10 ^ 400::numeric)) AS t (v);
SELECT approx_percentile(v, 0.5), approx_percentile(v, ARRAY[0, NULL, 1]), percentile_sketch(v) FROM (VALUES ('1 month'::interval), ('-3 days 01:00:00.5'), ('100 hours')) AS t (v);
SELECT approx_percentile(v, 1) = v AS huge FROM (VALUES ('178000000 years'::interval)) AS t (v) GROUP BY v;
SELECT approx_percentile(v, 0.9) BETWEEN interval '1 day 05:49' AND interval '1 day 06:10' AS about FROM (SELECT make_interval(mins => v) AS v FROM generate_series(1, 2000) AS v) AS t;

\echo == counts up to 2^63 - 1
CREATE TEMP TABLE huge AS SELECT 'version=1 scale=6 zero=4611686018427387904 min=0 max=1 sum=0x1p-2 positive=-1:4611686018427387904'::sketch AS s;
SELECT num_vals(s), approx_percentile(s, ARRAY[0.25, 0.75]), approx_percentile_rank(s, 0), num_vals(s || s), approx_percentile(s || s, ARRAY[0.25, 0.75, 1]) FROM huge;
SELECT s || s || s || s AS stays FROM huge;

\echo == OpenTelemetry
SELECT s::jsonb FROM (SELECT percentile_sketch(v::float8) AS s FROM (VALUES (1), (1.01), (-1), (0), ('NaN')) AS t (v)) AS t;
SELECT count(*) AS kinds, bool_and(s::jsonb = s::jsonb::sketch::jsonb) AS json_stays, bool_and(num_vals(s) = num_vals(s::jsonb::sketch) AND approx_percentile(s, 0.9) = approx_percentile(s::jsonb::sketch, 0.9)) AS answers_stay FROM sketch_serial;
SELECT bool_and(sketch_send(s) = sketch_send(s::jsonb::sketch)) AS kept FROM (SELECT percentile_sketch(v) AS s FROM odd WHERE v IN ('NaN', 'Infinity', '-Infinity', 0, 1, -1)) AS t;
-- Whatever others send becomes a sketch that can be read.
SELECT count(*), bool_and(sketch_send(s::text::sketch) = sketch_send(s)) AS text_stays, bool_and(s::jsonb = s::jsonb::sketch::jsonb) AS json_stays, bool_and(num_vals(s) = (document ->> 'count')::bigint) AS counted
FROM (SELECT document, document::sketch AS s FROM (
    SELECT jsonb_build_object('scale', scale, 'count', 3 + i % 5 + 7 * width, 'zero_count', i % 5, 'min', i - 500, 'max', i,
                              'negative', jsonb_build_object('offset', (hashint8(i) % (2 ^ scale * 1000)::bigint), 'bucket_counts', ARRAY[0, 2, 0, 1]),
                              'positive', jsonb_build_object('offset', (hashint8(i + 1) % (2 ^ scale * 900)::bigint), 'bucket_counts', array_fill(7, ARRAY[width]))) AS document
    FROM (SELECT i, i % 21 AS scale, 1 + i * 31 % 80 AS width FROM generate_series(1, 840) AS i) AS t) AS t OFFSET 0) AS t;
SELECT '{"scale": 20, "zeroCount": "2", "count": "9", "positive": {"offset": 1048575, "bucketCounts": ["3", 0, "4"]}, "min": 0, "max": 2, "sum": 14}'::jsonb::sketch;
SELECT s, mean(s) FROM (SELECT '{"scale": -2, "negative": {"offset": -1, "bucket_counts": [1]}, "positive": {"offset": 0, "bucket_counts": [2, 1]}}'::jsonb::sketch AS s) AS t;
\set VERBOSITY sqlstate
SELECT '[]'::jsonb::sketch;
SELECT '{}'::jsonb::sketch;
SELECT '{"scale": 21}'::jsonb::sketch;
SELECT '{"scale": 1.5}'::jsonb::sketch;
SELECT '{"scale": 6, "count": 1}'::jsonb::sketch;
SELECT '{"scale": 6, "zero_count": -1}'::jsonb::sketch;
SELECT '{"scale": 6, "positive": 1}'::jsonb::sketch;
SELECT '{"scale": 6, "positive": {"offset": 70000, "bucket_counts": [1]}}'::jsonb::sketch;
SELECT '{"scale": 6, "positive": {"offset": 0, "bucket_counts": ["x"]}}'::jsonb::sketch;
SELECT '{"scale": 6, "positive": {"offset": 0, "bucket_counts": {}}}'::jsonb::sketch;
SELECT '{"scale": 6, "values": [1e400]}'::jsonb::sketch;
SELECT '{"scale": 6, "values": [[1]]}'::jsonb::sketch;
\set VERBOSITY default

\echo == text and bytes come back
SELECT bool_and(s::text::sketch::text = s::text AND sketch_send(s::text::sketch) = sketch_send(s)) AS text_stays FROM (SELECT s FROM sketch_serial UNION ALL SELECT coarse FROM sketch_serial UNION ALL SELECT s FROM huge) AS t;
CREATE TABLE sketch_copied (s sketch);
\copy sketch_copied from program 'printf "PGCOPY\\n\\377\\r\\n\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\001\\000\\000\\000\\014\\001\\001\\006\\001\\000\\000\\000\\000\\000\\000\\370\\077\\377\\377"' (format binary)
SELECT s, sketch_send(s) FROM sketch_copied;
\set VERBOSITY sqlstate
\copy sketch_copied from program 'printf "PGCOPY\\n\\377\\r\\n\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\001\\000\\000\\000\\014\\001\\001\\006\\001\\000\\000\\000\\000\\000\\000\\370\\377\\377\\377"' (format binary)
\set VERBOSITY default
DROP TABLE sketch_copied;
-- Stored bytes that somebody wrote past the input functions.
SET search_path = bcce, public, pg_temp;
CREATE CAST (bytea AS sketch) WITHOUT FUNCTION;
SELECT count(*), bool_and(sketch_send(sketch_send(s)::sketch) = sketch_send(s)) AS bytes_stay FROM sketch_serial;
-- Every byte changed to every other, and every end cut off: refused, or a sketch of exactly these bytes that answers and merges.
CREATE FUNCTION pg_temp.damage(bytes bytea) RETURNS TABLE (refused bigint, harmless bigint, other bigint) LANGUAGE plpgsql AS $$
DECLARE
    damaged bytea;
    result sketch;
    merged bytea;
BEGIN
    refused := 0; harmless := 0; other := 0;
    FOR i IN 0 .. length(bytes) - 1 LOOP
        FOR b IN 0 .. 256 LOOP
            CONTINUE WHEN b = get_byte(bytes, i);
            damaged := CASE b WHEN 256 THEN substr(bytes, 1, i) ELSE set_byte(bytes, i, b) END;
            merged := NULL;
            BEGIN
                result := damaged::sketch;
                SELECT sketch_send(rollup(r.s)) INTO merged FROM (VALUES (result)) AS r (s);
                PERFORM approx_percentile(result, ARRAY[0, 0.5, 1]), mean(result), result::text, result::jsonb, result || result;
                IF sketch_send(result) = damaged AND merged = damaged THEN harmless := harmless + 1; ELSE other := other + 1; END IF;
            EXCEPTION WHEN data_corrupted THEN
                refused := refused + (merged IS NULL)::int;
                other := other + (merged IS NOT NULL)::int;
            END;
        END LOOP;
    END LOOP;
    RETURN NEXT;
END
$$;
SELECT kind, refused > 0 AS refused, harmless > 0 AS harmless, other
FROM (SELECT 'kept' AS kind, sketch_send(percentile_sketch(v)) AS bytes FROM generate_series(1, 2) AS v
      UNION ALL SELECT 'kept, some not finite', sketch_send(percentile_sketch(v)) FROM unnest('{-1,NaN,Infinity,-Infinity}'::float8[]) AS v
      UNION ALL SELECT 'buckets', sketch_send(percentile_sketch(v / 12 - 1)) FROM generate_series(1, 36) AS v) AS t, pg_temp.damage(bytes) ORDER BY kind;

DROP CAST (bytea AS sketch);

\echo == text that is none
CREATE FUNCTION pg_temp.state_of(text text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN coalesce(text::bcce.sketch::text, 'NULL');
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END
$$;
SELECT text, pg_temp.state_of(text) FROM unnest(ARRAY['', 'x', 'version=2 scale=6', 'version=1 scale=10', ' version=1 scale=6 ', 'version=1 scale=6 values=', 'version=1 scale=6 values=1,', 'version=1 scale=6 values=2,-0,1', 'version=1 scale=6 values=NaN', 'version=1 scale=6 values=1e999',
    'version=1 scale=6 nan=0', 'version=1 scale=6 zero=1 min=0 max=0', 'version=1 scale=6 zero=1 min=0 max=1 sum=0x0p0', 'version=1 scale=6 zero=1 min=0 max=0 sum=0x0p0', 'version=1 scale=6 min=1 max=1 sum=0x1p-2 positive=0:1', 'version=1 scale=6 min=1 max=1 sum=0x1p-2 positive=-1:1,-1:1', 'version=1 scale=6 min=1 max=1 sum=0x1p-3 positive=-1:1', 'version=1 scale=6 min=1 max=1e300 sum=0x1p-2 positive=-1:1,63000:1']) AS text;

\echo == errors
\set VERBOSITY sqlstate
SELECT approx_percentile(v, 1.5) FROM generate_series(1, 3) AS v;
SELECT approx_percentile(v, 'NaN'::float8) FROM generate_series(1, 3) AS v;
SELECT approx_percentile(v, ARRAY[0.5, -0.1]) FROM generate_series(1, 3) AS v;
SELECT approx_percentile(v, v / 10.0) FROM generate_series(1, 3) AS v;
SELECT approx_percentile(v, ARRAY[v / 10.0]) FROM generate_series(1, 3) AS v;
SELECT percentile_sketch(v, v / 10.0) FROM generate_series(1, 3) AS v;
SELECT percentile_sketch(v, e) FROM generate_series(1, 3) AS v, (VALUES (0::float8)) AS t (e);
SELECT percentile_sketch(v, e) FROM generate_series(1, 3) AS v, (VALUES ('NaN'::float8)) AS t (e);
SELECT percentile_sketch(v, 1.01) FROM generate_series(1, 3) AS v;
SELECT approx_percentile(s, 2) FROM sketch_serial;
SELECT approx_percentile('version=1 scale=6'::sketch, ARRAY[2]);
-- Nobody has a state to give: refused with one code or another, as the minor release of the server is.
DO $$BEGIN PERFORM sketch_combine(NULL, NULL); RAISE WARNING 'accepted'; EXCEPTION WHEN undefined_function OR feature_not_supported THEN END$$;
DO $$BEGIN PERFORM sketch_final(NULL); RAISE WARNING 'accepted'; EXCEPTION WHEN undefined_function OR feature_not_supported THEN END$$;
SELECT sketch_from_bytes('\x0101');
SELECT approx_percentile(v, v / 10.0) OVER (ORDER BY v ROWS 1 PRECEDING) FROM generate_series(1, 3) AS v;
SELECT percentile_sketch(v, 2) OVER (ORDER BY v ROWS 1 PRECEDING) FROM generate_series(1, 3) AS v;
\set VERBOSITY default
SELECT try_sketch('version=1 scale=6 values=1,2'), try_sketch('version=1 scale=6 values=2,') IS NULL AS text_is_none, try_sketch('{"scale": 6, "values": [1, 2]}'::jsonb), try_sketch('{"scale": 6, "values": [1e400]}'::jsonb) IS NULL AS json_is_none;
SELECT approx_percentile(v, 95) FROM generate_series(1, 3) AS v;
SELECT percentile_sketch(v, 0.0001) FROM generate_series(1, 3) AS v;
SELECT '{"scale": 6, "count": 1}'::jsonb::sketch;
SELECT 'x'::sketch;

\echo == bytes: at most 85 for nine numbers, as a column
SELECT max(pg_column_size(s)) AS bytes FROM (SELECT v / 9 AS g, percentile_sketch(v * 1.1::float8) AS s FROM generate_series(1, 900) AS v GROUP BY 1) AS t;
CREATE TEMP TABLE stored AS SELECT v / 9 AS g, percentile_sketch(v * 1.1::float8) AS s FROM generate_series(1, 900) AS v GROUP BY 1;
SELECT max(pg_column_size(s)) AS stored_bytes FROM stored;
SELECT octet_length(sketch_send(percentile_sketch(exp(sqrt(-2 * ln((v + 0.5) / 50001.0)) * cos(v))))) < 2400 AS bytes_of_50000 FROM generate_series(1, 50000) AS v;

DROP TABLE sketch_rows, sketch_serial;
