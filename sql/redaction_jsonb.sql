-- Redacted documents are copied byte by byte: each must be the very bytes that
-- the server would have written for it, whatever its shape.
\set ON_ERROR_STOP on

-- Documents of many shapes from one number: deep and wide, of more members than
-- lie between two noted offsets (32), with values of all types and alignments.
CREATE FUNCTION shape(seed int, depth int) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS
$$
DECLARE
    pick int := abs(hashint4(seed # depth * 7919) % 9);
    width int := CASE WHEN depth > 2 AND seed % 5 = 0 THEN 30 + seed % 40 ELSE abs(hashint4(seed + depth) % 6) END;
    result jsonb;
    i int;
BEGIN
    IF depth = 0 OR pick > 5 THEN
        RETURN CASE pick
            WHEN 0 THEN to_jsonb(seed) WHEN 1 THEN to_jsonb(seed / 7.0) WHEN 2 THEN 'true' WHEN 3 THEN 'null'
            WHEN 4 THEN to_jsonb(repeat('x', seed % 23)) WHEN 5 THEN to_jsonb('é ' || seed)
            WHEN 6 THEN to_jsonb(text 'mail jo@example.org') WHEN 7 THEN to_jsonb('from 192.0.2.7, to jo@example.org' || repeat('!', seed % 4))
            ELSE '""' END;
    ELSIF pick < 3 THEN
        result := '[]';
        FOR i IN 1 .. width LOOP
            result := result || jsonb_build_array(shape(seed * 31 + i, depth - 1));
        END LOOP;
    ELSE
        result := '{}';
        FOR i IN 1 .. width LOOP
            result := result || jsonb_build_object(repeat('k', i % 4) || i, shape(seed * 37 + i, depth - 1));
        END LOOP;
    END IF;
    RETURN result;
END
$$;

CREATE TEMP TABLE documents AS SELECT shape(i % 977, 4) AS d FROM generate_series(1, 977) AS i;
INSERT INTO documents SELECT jsonb_build_object('number ' || i, i, 'card_number', 4111111111111111, 'list', d, 'z', 1.5) FROM documents, generate_series(1, 2) AS i;

SELECT count(*) > 2000 AS many, bool_or(bcce.redact(d) <> d) AS some_change, bool_or(bcce.redact(d) = d) AS some_do_not FROM documents;

SELECT count(*) AS other_bytes FROM documents
WHERE record_image_ne(ROW(bcce.redact(d)), ROW(bcce.redact(d)::text::jsonb));
SELECT count(*) AS other_values FROM documents
WHERE bcce.redact(d) <> replace(replace(replace(d::text, 'jo@example.org', '[EMAIL]'), '192.0.2.7', '[IP]'), '4111111111111111', '"[CREDIT_CARD]"')::jsonb;
SELECT style, count(*) AS other_bytes FROM documents, unnest(ARRAY['mask', 'numbered', 'drop']) AS style
WHERE record_image_ne(ROW(bcce.redact(d, NULL, style)), ROW(bcce.redact(d, NULL, style)::text::jsonb)) GROUP BY style;

-- Keys are redacted in tables: documents are then built anew, and these are the same bytes, too.
CREATE TABLE redaction_documents (d jsonb);
CREATE TRIGGER redact BEFORE INSERT ON redaction_documents FOR EACH ROW EXECUTE FUNCTION bcce.redact_columns('d');
INSERT INTO redaction_documents SELECT d FROM documents;
INSERT INTO redaction_documents SELECT jsonb_build_object('a', d, 'jo@example.org', d, 'list', jsonb_build_array('jo@example.org', d)) FROM documents LIMIT 300;
SELECT count(*) AS left_over FROM redaction_documents WHERE d::text ~ 'example.org|192.0.2.7|4111111111111111';
SELECT count(*) AS other_bytes FROM redaction_documents WHERE record_image_ne(ROW(d), ROW(d::text::jsonb));
SELECT count(*) AS other_documents FROM (SELECT d FROM redaction_documents EXCEPT ALL SELECT bcce.redact(d) FROM documents) AS t
WHERE NOT d ? '[EMAIL]';

-- The same text has the same number all over a document, and numbers begin anew in the next.
SELECT bcce.redact(d, NULL, 'numbered')
FROM (VALUES ('{"a": {"b": ["jo@example.org"]}, "c": "mo@example.org", "d": "jo@example.org"}'::jsonb), ('["mo@example.org"]')) AS v (d);

-- A value of the greatest length that changes, between others.
SELECT length(r ->> 'b') AS length, r ->> 'a' AS a, r -> 'c' AS c, record_image_eq(ROW(r), ROW(r::text::jsonb)) AS same_bytes
FROM bcce.redact(jsonb_build_object('a', 'jo@example.org', 'b', repeat('plain words ', 1000000) || 'jo@example.org', 'c', 2.50)) AS r;

-- Deep nesting is refused as the server refuses it, not by a crash.
DO $$
BEGIN
    PERFORM bcce.redact((repeat('[', 6000) || '"jo@example.org"' || repeat(']', 6000))::jsonb);
EXCEPTION WHEN statement_too_complex THEN NULL;
END
$$;

DROP TABLE redaction_documents;
DROP FUNCTION shape(int, int);
