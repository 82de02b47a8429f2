-- Runs every expression of bench/redaction in turn, round after round, and
-- prints medians.  :rounds is the number of rounds.
\set ON_ERROR_STOP on
SET max_parallel_workers_per_gather = 0;
SET jit = off;
SET bytea_output = hex;

CREATE TABLE bcce_bench.expressions (set text, name text, expression text, position int GENERATED ALWAYS AS IDENTITY);
INSERT INTO bcce_bench.expressions (set, name, expression)
SELECT set, name, expression
FROM unnest(ARRAY['clean', 'log', '4k', 'pii', 'dense']) WITH ORDINALITY AS s (set, n),
    (VALUES ('scan', 't'), ('redact', 'bcce.redact(t)'), ('contains_pii', 'bcce.contains_pii(t)'),
        ('md5', 'md5(t)'), ('chain', 'bcce_bench.chain(t)')) AS e (name, expression)
ORDER BY n;
INSERT INTO bcce_bench.expressions (set, name, expression)
SELECT set, name, expression
FROM unnest(ARRAY['jsonb_clean', 'jsonb_hit']) WITH ORDINALITY AS s (set, n),
    (VALUES ('scan', 't'), ('redact', 'bcce.redact(t)'), ('jsonb_strip_nulls', 'jsonb_strip_nulls(t)'),
        ('round trip', 'bcce.redact(t::text)::jsonb')) AS e (name, expression)
ORDER BY n;

CREATE TABLE bcce_bench.runs (round int, set text, name text, seconds float8);

-- Processor seconds of this backend so far; wall clock where there is no /proc.
CREATE FUNCTION bcce_bench.cpu() RETURNS float8 LANGUAGE plpgsql AS
$$
BEGIN
    RETURN split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::float8 / 1e9;
EXCEPTION WHEN others THEN
    RETURN extract(epoch FROM clock_timestamp());
END
$$;

-- One expression over one set, often enough to take 20 ms.
CREATE PROCEDURE bcce_bench.measure(round int, set text, name text, expression text) LANGUAGE plpgsql AS
$$
DECLARE
    query text := format('SELECT count(%s) FROM bcce_bench.%I', expression, set);
    started float8;
    spent float8 := 0;
    repeats int := 0;
BEGIN
    WHILE spent < 0.02 LOOP
        started := bcce_bench.cpu();
        EXECUTE query;
        spent := spent + bcce_bench.cpu() - started;
        repeats := repeats + 1;
    END LOOP;
    INSERT INTO bcce_bench.runs VALUES (round, set, name, spent / repeats);
END
$$;

CREATE PROCEDURE bcce_bench.measure_all(rounds int) LANGUAGE plpgsql AS
$$
DECLARE
    round int;
    e record;
BEGIN
    FOR round IN 0 .. rounds LOOP       -- round 0 warms up and does not count
        -- The chain takes a hundred times as long as the others: every other round.
        FOR e IN SELECT * FROM bcce_bench.expressions WHERE round % 2 = 1 OR name <> 'chain' ORDER BY position LOOP
            CALL bcce_bench.measure(round, e.set, e.name, e.expression);
        END LOOP;
    END LOOP;
    DELETE FROM bcce_bench.runs AS r WHERE r.round = 0;
END
$$;
CALL bcce_bench.measure_all(:rounds);

CREATE VIEW bcce_bench.figures AS
WITH sizes AS (
    SELECT set, sum(octet_length(t)) / 1e6 AS mb, count(*) AS row_count FROM bcce_bench.texts GROUP BY set
    UNION ALL
    SELECT set, sum(octet_length(d::text)) / 1e6, count(*) FROM bcce_bench.documents GROUP BY set
)
SELECT r.set, r.name, min(e.position) AS position,
    min(s.mb) / percentile_cont(0.5) WITHIN GROUP (ORDER BY r.seconds) AS mb_per_second,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY r.seconds) / min(s.row_count) * 1e9 AS ns_per_row,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY r.seconds / own.seconds) AS times_redact
FROM bcce_bench.runs AS r
JOIN bcce_bench.runs AS own ON own.round = r.round AND own.set = r.set AND own.name = 'redact'
JOIN bcce_bench.expressions AS e ON e.set = r.set AND e.name = r.name
JOIN sizes AS s ON s.set = r.set
GROUP BY r.set, r.name;

\pset footer off
\pset format aligned
\pset tuples_only off
SELECT set, name AS expression, round(mb_per_second::numeric, 1) AS "MB/s", round(ns_per_row) AS "ns/row",
    round(times_redact::numeric, 2) AS "times as long as redact"
FROM bcce_bench.figures ORDER BY position;
