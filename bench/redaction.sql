-- What bench/redaction measures: texts, and the expressions that stand in for
-- redact().
\set ON_ERROR_STOP on
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS bcce_bench CASCADE;
CREATE SCHEMA bcce_bench;

CREATE UNLOGGED TABLE bcce_bench.corpus (id bigint GENERATED ALWAYS AS IDENTITY, record jsonb NOT NULL);
CREATE UNLOGGED TABLE bcce_bench.texts (set text NOT NULL, id bigint NOT NULL, t text NOT NULL);

-- What one writes without an extension: the kinds that redact() knows, each as
-- the pattern that is passed around for it.  Fourteen stay below the 32
-- compiled patterns that a backend keeps; SQL inlines the function.
CREATE FUNCTION bcce_bench.chain(t text) RETURNS text LANGUAGE sql IMMUTABLE AS
$$
    SELECT regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
        regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
        regexp_replace(regexp_replace(regexp_replace(regexp_replace(t,
        '-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----', '[SECRET]', 'g'),
        '([a-z][a-z0-9+.-]*://[^:/@\s]+:)[^@/\s]+@', '\1[URL_CREDENTIALS]@', 'g'),
        '\mey' || 'J[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+', '[SECRET]', 'g'),
        '\m(AK' || 'IA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36,}|xox[abprs]-[A-Za-z0-9-]{10,}|sk-[A-Za-z0-9_-]{20,})', '[SECRET]', 'g'),
        '(bearer|basic) [A-Za-z0-9._~+/=-]{16,}', '\1 [SECRET]', 'gi'),
        '(password|passwd|pwd|secret|token|api_?key)(["'']?\s*[:=]\s*["'']?)[^\s"'',;]+', '\1\2[SECRET]', 'gi'),
        '[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}', '[EMAIL]', 'g'),
        '\m[A-Z]{2}\d{2}( ?[A-Z0-9]{4}){2,7}( ?[A-Z0-9]{1,4})?\M', '[IBAN]', 'g'),
        '\m(\d[ -]?){12,18}\d\M', '[CREDIT_CARD]', 'g'),
        '\m\d{3}-\d{2}-\d{4}\M', '[US_SSN]', 'g'),
        '\m(\d{1,3}\.){3}\d{1,3}\M', '[IP]', 'g'),
        '\m(([0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}|([0-9A-Fa-f]{1,4}:){1,6}(:[0-9A-Fa-f]{1,4}){1,6}|::([0-9A-Fa-f]{1,4}:){0,5}[0-9A-Fa-f]{1,4})\M', '[IP]', 'g'),
        '\m([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}\M', '[MAC]', 'g'),
        '(\+?\d{1,3}[ .-]?)?\(?\d{3}\)?[ .-]?\d{3}[ .-]?\d{4}\M', '[PHONE]', 'g')
$$;

-- Log lines where there are no corpora.
CREATE FUNCTION bcce_bench.generate() RETURNS void LANGUAGE sql AS
$$
    INSERT INTO bcce_bench.corpus (record)
    SELECT jsonb_build_object('id', 'lh-' || i, 'text', format('2026-11-20 %s:%s:%s,%s %s [worker-%s] %s',
        lpad((i % 24)::text, 2, '0'), lpad((i % 60)::text, 2, '0'), lpad((i * 7 % 60)::text, 2, '0'),
        lpad((i * 31 % 1000)::text, 3, '0'), (ARRAY['INFO', 'WARN', 'DEBUG'])[1 + i % 3], i % 17,
        CASE i % 8
            WHEN 0 THEN format('Received block blk_%s of size %s from 10.25%s.%s.%s', i * 7919, i * 13, i % 5, i % 250, i % 199)
            WHEN 1 THEN format('session opened for user svc%s by (uid=%s)', i % 40, i % 9)
            WHEN 2 THEN format('GET /api/v2/runs/%s?limit=50&offset=%s status: 200 len: %s time: 0.%s', md5(i::text), i, i * 3, i)
            WHEN 3 THEN format('workflow step finished in %s ms, max_tokens: 4096, input_tokens: %s', i * 3, i * 11)
            WHEN 4 THEN format('Failed password for invalid user admin from 10.9.%s.%s port %s ssh2', i % 250, i % 199, 1024 + i)
            WHEN 5 THEN format('org.example.store.Cache: evicted %s of %s entries, ratio 0.%s', i % 97, i, i % 89)
            WHEN 6 THEN format('retrying request %s after %s ms', gen_random_uuid(), i % 5000)
            ELSE format('mail for user%s@example.org deferred', i) END))
    FROM generate_series(1, 8000) AS i
    UNION ALL
    SELECT jsonb_build_object('id', 'pr-' || i, 'spans', '[{}]'::jsonb, 'text', format((ARRAY[
        'Please send the invoice to jo%s@example.org before Friday, thanks.',
        'My card 4111 1111 1111 1111 was charged %s times, can you call me back?',
        'Reach me under +1 415 555 0132, the ticket is %s.'])[1 + i % 3], i))
    FROM generate_series(1, 800) AS i
$$;

CREATE FUNCTION bcce_bench.fill() RETURNS void LANGUAGE plpgsql AS
$$
BEGIN
    INSERT INTO bcce_bench.texts
    SELECT 'log', id, record ->> 'text' FROM bcce_bench.corpus WHERE record ->> 'id' LIKE 'lh-%';
    INSERT INTO bcce_bench.texts
    SELECT 'clean', id, t FROM bcce_bench.texts
    WHERE set = 'log' AND bcce_bench.chain(t) = t AND NOT bcce.contains_pii(t);
    INSERT INTO bcce_bench.texts
    SELECT '4k', min(id), string_agg(t, E'\n')
    FROM (SELECT id, t, (row_number() OVER (ORDER BY md5(id::text)) - 1) / 30 AS bundle
          FROM bcce_bench.texts WHERE set = 'log') AS bundled
    GROUP BY bundle;
    INSERT INTO bcce_bench.texts
    SELECT 'pii', id, record ->> 'text' FROM bcce_bench.corpus WHERE record ->> 'id' LIKE 'pr%';
    INSERT INTO bcce_bench.texts
    SELECT 'dense', id, record ->> 'text' FROM bcce_bench.corpus
    WHERE record ->> 'id' LIKE 'pr%' AND record -> 'spans' <> '[]';
    -- The line is one value among five keys.
    CREATE UNLOGGED TABLE bcce_bench.documents AS
    SELECT CASE WHEN bcce.contains_pii(t) THEN 'jsonb_hit' ELSE 'jsonb_clean' END AS set, id,
        jsonb_build_object('line', t, 'level', 'info', 'source', 'worker', 'attempt', id % 5, 'done', true) AS d
    FROM bcce_bench.texts WHERE set = 'log';
    ALTER TABLE bcce_bench.documents ADD PRIMARY KEY (set, id);
    -- Rows of one set lie together, so that each run reads one range of pages.
    CREATE UNLOGGED TABLE bcce_bench.clean AS SELECT t FROM bcce_bench.texts WHERE set = 'clean' ORDER BY id;
    CREATE UNLOGGED TABLE bcce_bench.log AS SELECT t FROM bcce_bench.texts WHERE set = 'log' ORDER BY id;
    CREATE UNLOGGED TABLE bcce_bench."4k" AS SELECT t FROM bcce_bench.texts WITH NO DATA;
    -- Uncompressed in the line: decompression is no part of what is compared.
    ALTER TABLE bcce_bench."4k" ALTER t SET STORAGE EXTERNAL;
    ALTER TABLE bcce_bench."4k" SET (toast_tuple_target = 8160);
    INSERT INTO bcce_bench."4k" SELECT t || '' FROM bcce_bench.texts WHERE set = '4k' ORDER BY id;
    CREATE UNLOGGED TABLE bcce_bench.pii AS SELECT t FROM bcce_bench.texts WHERE set = 'pii' ORDER BY id;
    CREATE UNLOGGED TABLE bcce_bench.dense AS SELECT t FROM bcce_bench.texts WHERE set = 'dense' ORDER BY id;
    CREATE UNLOGGED TABLE bcce_bench.jsonb_clean AS SELECT d AS t FROM bcce_bench.documents WHERE set = 'jsonb_clean' ORDER BY id;
    CREATE UNLOGGED TABLE bcce_bench.jsonb_hit AS SELECT d AS t FROM bcce_bench.documents WHERE set = 'jsonb_hit' ORDER BY id;
    ANALYZE bcce_bench.clean, bcce_bench.log, bcce_bench."4k", bcce_bench.pii, bcce_bench.dense,
        bcce_bench.jsonb_clean, bcce_bench.jsonb_hit;
END
$$;

CREATE VIEW bcce_bench.sets AS
SELECT set AS name, count(*) AS row_count, round(avg(octet_length(t)))::int AS mean_bytes,
    round(100.0 * count(*) FILTER (WHERE bcce.contains_pii(t)) / count(*))::int AS hit_percent
FROM bcce_bench.texts GROUP BY set
ORDER BY array_position(ARRAY['clean', 'log', '4k', 'pii', 'dense'], set);
