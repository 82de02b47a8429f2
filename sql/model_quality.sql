-- Proves: the aggregates of model quality give what can be computed by hand and
-- by plain sums over all pairs; unknown outcomes count nowhere; no rows, or one
-- class where two are needed, are unknown; what is no probability is refused;
-- parallel workers, order and grouping change no bit; damaged states are refused.
SET search_path = bcce, public, pg_temp;
SET extra_float_digits = 1;
CREATE TEMP TABLE hand (p double precision, y boolean);
INSERT INTO hand VALUES (0.1, false), (0.1, true), (0.35, false), (0.35, true), (0.8, true), (0.8, false), (0.3, false), (1, true), (0.95, true),
    (0.2, NULL), (NULL, true), (NULL, NULL), ('NaN', NULL), (7, NULL);

\echo == by hand: rows without p or y do not count, whatever p is
SELECT brier(p, y)::numeric(20, 15) AS brier, (2.1375 / 9)::numeric(20, 15) AS by_hand, log_loss(p, y)::numeric(20, 15) AS log_loss,
       ((-2 * ln(0.1) - ln(0.9) - ln(0.65) - ln(0.35) - ln(0.8) - ln(0.2) - ln(0.7) - ln(0.95) + ln(0.1)) / 9)::numeric(20, 15) AS by_hand FROM hand;
SELECT roc_auc(p, y)::numeric(20, 15), ece(p, y)::numeric(20, 15), mce(p, y), mcc(p >= 0.35, y)::numeric(20, 15), ks(p, y), psi(p, y) FROM hand;
SELECT (SELECT avg(CASE WHEN a.p > b.p THEN 1 WHEN a.p = b.p THEN 0.5 ELSE 0 END) FROM hand a, hand b WHERE a.y AND NOT b.y AND a.p IS NOT NULL)::numeric(20, 15) AS auc,
       (SELECT sum(abs(gap)) / 9 FROM (SELECT sum(p - y::integer) AS gap FROM hand WHERE p >= 0 AND y IS NOT NULL GROUP BY least(floor(p * 10), 9)) b)::numeric(20, 15) AS ece,
       (SELECT corr(y::integer, (p >= 0.35)::integer) FROM hand)::numeric(20, 15) AS mcc;
SELECT b.lower, b.upper, b.n, b.mean_predicted, b.observed_rate, round(b.observed_low::numeric, 6) AS low, round(b.observed_high::numeric, 6) AS high
FROM unnest((SELECT calibration_bins(p, y) FROM hand)) AS b;
SELECT b.* FROM unnest((SELECT calibration_bins(p, y, 2) FROM hand)) AS b;
SELECT ece(p, y, 10) = ece(p, y) AS ten_is_the_default, ece(p, y, 1)::numeric(20, 15) AS one_bin, mce(p, y, 1)::numeric(20, 15) AS its_distance, array_length(calibration_bins(p, y, 1000), 1) AS bins FROM hand;
-- A probability is in bin least(floor(p * bins), bins - 1), computed in doubles.
SELECT p, (SELECT array_agg(i) FROM unnest(calibration_bins(p, true)) WITH ORDINALITY AS b (l, u, n, m, o, ol, oh, i) WHERE b.n = 1) AS bin, least(floor(p * 10), 9) + 1 AS wanted
FROM unnest('{0,0.1,0.29999999999999993,0.3,0.57999999999999996,0.6,0.7,0.99999999999999989,1}'::float8[]) AS p GROUP BY p ORDER BY p;

\echo == perfect, worst, and one class
SELECT brier(y::integer, y) AS brier, log_loss(y::integer, y) < 1e-14 AS log_loss, roc_auc(y::integer, y), ece(y::integer, y), mcc(y, y), ks(y::integer, y) FROM hand;
SELECT brier((NOT y)::integer, y) AS brier, log_loss((NOT y)::integer, y)::numeric(20, 10) AS log_loss, ((-6 * ln(1e-15::float8) - 4 * ln(1 - (1 - 1e-15::float8))) / 10)::numeric(20, 10) AS by_hand, roc_auc((NOT y)::integer, y), ece((NOT y)::integer, y), mcc(NOT y, y) FROM hand;
SELECT brier(p, true) AS brier, roc_auc(p, true), mcc(p > 0.5, true), mcc(true, p > 0.5) AS mcc_one_predicted, ks(p, true), ks(p, false), ece(p, false)::numeric(20, 15) FROM hand WHERE p <= 1;
\echo == no rows, and none that counts
SELECT brier(p, y), log_loss(p, y), roc_auc(p, y), ece(p, y), mce(p, y), mcc(p > 0.5, y), ks(p, y), psi(p, y), calibration_bins(p, y) FROM hand WHERE false;
SELECT brier(p, y), log_loss(p, y), roc_auc(p, y), ece(p, y), mce(p, y), mcc(p > 0.5, y), ks(p, y), psi(p, y), calibration_bins(p, y), ece(p, y, 5), psi(p, y, 5) FROM hand WHERE p IS NULL OR y IS NULL;

\echo == two samples
-- A score need be no probability: infinities have their place, zeros are one.
SELECT roc_auc(v, y) AS auc, ks(v, y) FROM (VALUES ('-Infinity'::float8, false), (-1, false), (0, true), ('-0', false), (1e300, true), ('Infinity', true)) AS t (v, y);
SELECT psi(v, r) AS psi_of_49, ks(v, r) AS ks_of_49 FROM (SELECT v, v > 49 AS r FROM generate_series(1, 200) AS v) t;
SELECT psi(v, r) AS equal FROM (SELECT v % 50, v < 100 FROM generate_series(0, 199) AS v) t (v, r);
-- Each decile holds ten of the reference; of the others, 30 are in the first and 20 in the last.
SELECT psi(v, r)::numeric(20, 12) AS psi, (8 * (-0.1 + 0.01) * ln(0.01 / 0.1) + 0.5 * ln(0.6 / 0.1) + 0.3 * ln(0.4 / 0.1))::numeric(20, 12) AS by_hand, ks(v, r)
FROM (SELECT g / 100.0, true FROM generate_series(1, 100) AS g UNION ALL SELECT 0, false FROM generate_series(1, 30) UNION ALL SELECT 5, false FROM generate_series(1, 20)) t (v, r);
-- Equal deciles end one cell; a cell that both lack does not count.
SELECT psi(v, r), psi(v, r, 5) AS psi5 FROM (SELECT 0.5, g <= 60 FROM generate_series(1, 1000) AS g) t (v, r);
SELECT psi(v, r)::numeric(20, 12) AS psi, ((0.25 - 0.5 / 60) * ln(0.25 * 60 / 0.5) + (0.75 - 1) * ln(0.75))::numeric(20, 12) AS by_hand
FROM (SELECT CASE WHEN g > 135 THEN 0.7 ELSE 0.5 END, g <= 60 FROM generate_series(1, 160) AS g) t (v, r);

\echo == intervals
SELECT round(100 * wilson_low(12, 150)::numeric, 6) AS low, round(100 * wilson_high(12, 150)::numeric, 6) AS high, wilson_low(0, 10) AS none, wilson_high(10, 10) AS all,
       wilson_low(0, 0) IS NULL AND wilson_high(0, 0) IS NULL AS of_none, wilson_low(NULL, 5) IS NULL AS of_null;
-- The numbers of deviations are those of the normal distribution: (n + z^2) * high of no success is z^2.
SELECT c AS confidence, sqrt(1000 * h / (1 - h))::numeric(20, 12) AS deviations FROM unnest('{0.5,0.8,0.9,0.95,0.99,0.999,0.999999,0.9999999999999999}'::float8[]) AS c, wilson_high(0, 1000, c) AS h;
SELECT bool_and(low <= s / 40.0 AND high >= s / 40.0 AND abs(low - 1 + wilson_high(40 - s, 40)) < 1e-15) AS around_and_symmetric
FROM generate_series(0, 40) AS s, wilson_low(s, 40) AS low, wilson_high(s, 40) AS high;

\echo == errors
\set VERBOSITY sqlstate
SELECT brier(p, true) FROM unnest('{1.0000000000000002}'::float8[]) AS p;
SELECT log_loss(p, true) FROM unnest('{-1e-300}'::float8[]) AS p;
SELECT ece(p, true) FROM unnest('{NaN}'::float8[]) AS p;
SELECT roc_auc(p, true) FROM unnest('{NaN}'::float8[]) AS p;
SELECT psi(CASE g WHEN 100 THEN 'Infinity'::float8 ELSE 1 END, g % 2 = 0) FROM generate_series(1, 200) AS g;
SELECT ece(0.5, true, 0);
SELECT mce(0.5, true, 1001);
SELECT calibration_bins(0.5, true, NULL);
SELECT psi(0.5, true, 1);
SELECT ece(0.5, true, g) FROM generate_series(5, 6) AS g;
SELECT psi(0.5, true, g) FROM generate_series(5, 6) AS g;
SELECT wilson_low(-1, 5);
SELECT wilson_high(6, 5);
SELECT wilson_high(1, 5, 1);
SELECT wilson_high(1, 5, 'NaN');
-- Nobody has a state to give: refused with one code or another, as the minor release of the server is.
DO $$BEGIN PERFORM brier_step(NULL, 0.5, true); RAISE WARNING 'accepted'; EXCEPTION WHEN undefined_function OR feature_not_supported THEN END$$;
\set VERBOSITY default
SELECT brier(95, true);

\echo == order, grouping, window and parallel workers change no bit
CREATE TABLE quality_rows AS
SELECT g, g % 7 AS model, CASE WHEN g % 3 = 0 THEN round(h::numeric, 2)::float8 WHEN g % 1000 = 1 THEN 0 WHEN g % 1000 = 2 THEN 1 ELSE h * h END AS p,
       CASE WHEN g % 50 > 0 THEN hashint4(g + 1) % 100 < 60 * h END AS y
FROM (SELECT g, (hashint8(g) + 2147483648) / 4294967296.0::float8 AS h FROM generate_series(1, 40000) AS g) AS t;
CREATE VIEW quality_results AS
SELECT model, brier(p, y), log_loss(p, y), roc_auc(p, y), ece(p, y), mce(p, y), ece(p, y, 33) AS ece33, mcc(p >= 0.5, y), ks(p, y), psi(p, y), psi(p, y, 4) AS psi4, calibration_bins(p, y)::text AS bins
FROM quality_rows GROUP BY model;
SET max_parallel_workers_per_gather = 0;
CREATE TABLE quality_serial AS SELECT * FROM quality_results;
SELECT count(*) AS models, count(*) FILTER (WHERE s::text = o::text) AS same
FROM quality_serial s JOIN (
    SELECT model, brier(p, y), log_loss(p, y), roc_auc(p, y), ece(p, y), mce(p, y), ece(p, y, 33), mcc(p >= 0.5, y), ks(p, y), psi(p, y), psi(p, y, 4), calibration_bins(p, y)::text
    FROM (SELECT * FROM quality_rows ORDER BY model, hashint4(g + 5)) t GROUP BY model) o USING (model);
-- On disk, and sorted there.
SET work_mem = '64kB';
SET hash_mem_multiplier = 1;
SELECT count(*) AS models, count(*) FILTER (WHERE s::text = p::text) AS same FROM quality_serial s JOIN quality_results p USING (model);
\set VERBOSITY sqlstate
SET temp_file_limit = '64kB';
SELECT roc_auc(p, y) FROM quality_rows;
\set VERBOSITY default
RESET temp_file_limit;
RESET work_mem;
RESET hash_mem_multiplier;
-- Finished again and again, as a window grows.
SELECT bool_and(w.auc IS NOT DISTINCT FROM e.auc AND w.brier = e.brier AND w.ece = e.ece AND w.ks IS NOT DISTINCT FROM e.ks) AS running
FROM (SELECT g, roc_auc(p, y) OVER o AS auc, brier(p, y) OVER o AS brier, ece(p, y) OVER o AS ece, ks(p, y) OVER o AS ks FROM quality_rows WHERE g <= 120 WINDOW o AS (ORDER BY g)) w
JOIN (SELECT a.g, roc_auc(b.p, b.y) AS auc, brier(b.p, b.y) AS brier, ece(b.p, b.y) AS ece, ks(b.p, b.y) AS ks FROM quality_rows a JOIN quality_rows b ON b.g <= a.g WHERE a.g <= 120 GROUP BY a.g) e USING (g);
SET max_parallel_workers_per_gather = 2;
ALTER TABLE quality_rows SET (parallel_workers = 2);
ANALYZE quality_rows;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET enable_sort = off;
EXPLAIN (COSTS OFF) SELECT brier(p, y), log_loss(p, y), roc_auc(p, y), ece(p, y), mce(p, y), mcc(p >= 0.5, y), ks(p, y), psi(p, y), calibration_bins(p, y) FROM quality_rows;
EXPLAIN (COSTS OFF) SELECT model, brier(p, y), roc_auc(p, y), ece(p, y, 5), psi(p, y, 5) FROM quality_rows GROUP BY model;
SELECT count(*) AS models, count(*) FILTER (WHERE s::text = p::text) AS same FROM quality_serial s JOIN quality_results p USING (model);
-- Workers that see nothing, and bins that differ between them.
SELECT brier(p, y), roc_auc(p, y), ece(p, y), mcc(p >= 0.5, y) FROM quality_rows WHERE g < 0;
SELECT count(*), roc_auc(p, NULL), ece(p, NULL), mcc(NULL, y) FROM quality_rows;
\set VERBOSITY sqlstate
SELECT ece(p, y, CASE WHEN g < 20000 THEN 5 ELSE 6 END) FROM quality_rows;
SELECT psi(p, y, CASE WHEN g < 20000 THEN 5 ELSE 6 END) FROM quality_rows;
\set VERBOSITY default
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET enable_sort;

\echo == damaged states: each byte changed, and cut short
CREATE FUNCTION pg_temp.last(bytea, bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS 'SELECT $2';
CREATE FUNCTION pg_temp.damage(kind text, bytes bytea) RETURNS TABLE (state text, refused bigint, harmless bigint) LANGUAGE plpgsql AS $$
DECLARE
    damaged bytea;
BEGIN
    state := kind; refused := 0; harmless := 0;
    FOR i IN 0 .. length(bytes) LOOP
        FOREACH damaged IN ARRAY CASE WHEN i < length(bytes) THEN ARRAY[set_byte(bytes, i, get_byte(bytes, i) # 1), set_byte(bytes, i, get_byte(bytes, i) # 128),
            set_byte(bytes, i, 255 - get_byte(bytes, i)), substr(bytes, 1, i)] ELSE ARRAY[bytes, bytes || '\x00'] END LOOP
            BEGIN
                EXECUTE format('SELECT pg_temp.%I($1)', 'read_' || kind) USING damaged;
                harmless := harmless + 1;
            EXCEPTION WHEN invalid_binary_representation THEN
                refused := refused + 1;
            END;
        END LOOP;
    END LOOP;
    RETURN NEXT;
END
$$;
-- The serialize function as the end of an aggregate; the deserialize function too, its pointer taken for a number.
SELECT format('CREATE AGGREGATE pg_temp.bytes_%1$s(%3$s) (SFUNC = bcce.%2$s_step, STYPE = internal, FINALFUNC = bcce.%1$s_serialize)', kind, CASE kind WHEN 'mcc' THEN 'mcc' ELSE kind END, args),
       format('CREATE FUNCTION pg_temp.from_%1$s(bytea) RETURNS bigint AS %2$L, %3$L LANGUAGE C STRICT', kind, '$libdir/bcce', kind || '_deserialize'),
       format('CREATE AGGREGATE pg_temp.read_%1$s(bytea) (SFUNC = pg_temp.last, STYPE = bytea, FINALFUNC = pg_temp.from_%1$s)', kind)
FROM (VALUES ('brier', 'float8, boolean'), ('log_loss', 'float8, boolean'), ('calibration', 'float8, boolean'), ('mcc', 'boolean, boolean'), ('two_samples', 'float8, boolean')) AS k (kind, args) \gexec
SELECT d.state, d.refused > 0 AS refused, d.harmless > 0 AS harmless, d.refused + d.harmless = 4 * length(b.bytes) + 2 AS all
FROM (SELECT 'brier' AS kind, pg_temp.bytes_brier(p, y) AS bytes FROM hand UNION ALL SELECT 'log_loss', pg_temp.bytes_log_loss(p, y) FROM hand
      UNION ALL SELECT 'calibration', pg_temp.bytes_calibration(p, y) FROM hand UNION ALL SELECT 'mcc', pg_temp.bytes_mcc(p > 0.5, y) FROM hand
      UNION ALL SELECT 'two_samples', pg_temp.bytes_two_samples(p, y) FROM hand) b
CROSS JOIN LATERAL pg_temp.damage(b.kind, b.bytes) d ORDER BY 1;

DROP VIEW quality_results;
DROP TABLE quality_rows, quality_serial;
