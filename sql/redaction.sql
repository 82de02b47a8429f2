-- Redaction: what is found and what is left alone, kind by kind; that tagging
-- twice changes nothing; that JSON keeps its shape; and that the trigger lets
-- no way into a table skip it.  Answers are truths wherever they can be.
\set VERBOSITY sqlstate
SET client_min_messages = warning;

-- A text is redacted as expected, and again to itself.
CREATE FUNCTION pg_temp.becomes(before text, after text) RETURNS text LANGUAGE sql AS
$$
    SELECT CASE
        WHEN bcce.redact(before) IS DISTINCT FROM after THEN 'becomes: ' || bcce.redact(before)
        WHEN bcce.redact(after) <> after THEN 'again: ' || bcce.redact(after)
        WHEN bcce.contains_pii(before) <> (before <> after) THEN 'contains_pii differs'
        ELSE 'ok' END
$$;

-- Positives.  Tokens are put together from pieces and belong to nobody.
SELECT n, pg_temp.becomes(before, after) AS verdict
FROM (VALUES
    (1, 'mail jo.doe+x@example.org now', 'mail [EMAIL] now'),
    (2, 'a@xn--d1acufc.xn--p1ai', '[EMAIL]'),
    (3, 'Zoë <zoë@exämple.org>, ok', 'Zoë <[EMAIL]>, ok'),
    (4, 'call +1 415 555 0132 or +44 20 7946 0958.', 'call [PHONE] or [PHONE].'),
    (5, '(415) 555-0132 x12', '[PHONE]'),
    (6, 'phone: 555 01 23', 'phone: [PHONE]'),
    (7, 'card 4111 1111 1111 1111, 3782-822463-10005', 'card [CREDIT_CARD], [CREDIT_CARD]'),
    (8, '4242424242424242', '[CREDIT_CARD]'),
    (9, 'ssn 536-32-3065', 'ssn [US_SSN]'),
    (10, 'my ssn is 536 32 3065', 'my ssn is [US_SSN]'),
    (11, 'GB82 WEST 1234 5698 7654 32 de89370400440532013000', '[IBAN] [IBAN]'),
    (12, 'from 10.1.2.3:80 and [2001:db8::1]', 'from [IP]:80 and [[IP]]'),
    (13, '::ffff:192.0.2.1 fe80::1%eth0', '[IP] [IP]%eth0'),
    (14, '00:1a:2b:3c:4d:5e 00-1A-2B-3C-4D-5E 001a.2b3c.4d5e', '[MAC] [MAC] [MAC]'),
    (15, 'postgres://app:hunter2@db.example.org/x', 'postgres://app:[URL_CREDENTIALS]@db.example.org/x'),
    (16, 'key AKIAIOSFODNN7EXAMPLE.', 'key [SECRET].'),
    (17, 'gh' || 'p_' || repeat('aB3x', 9), '[SECRET]'),
    (18, 'gl' || 'pat-' || repeat('x9Yz', 5), '[SECRET]'),
    (19, 'xo' || 'xb-' || '123456789012-' || repeat('aB3x', 6), '[SECRET]'),
    (20, 'sk_' || 'live_' || repeat('aB3x', 6), '[SECRET]'),
    (21, 'sk-' || 'ant-' || repeat('aB3-', 8), '[SECRET]'),
    (22, 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJqb2huIn0.c2lnbmF0dXJl', '[SECRET]'),
    (23, E'-----BEGIN RSA ' || E'PRIVATE KEY-----\nMIIabc+/=\n-----END RSA ' || 'PRIVATE KEY-----', '[SECRET]'),
    (24, 'password=hunter2; next', 'password=[SECRET]; next'),
    (25, '{"api_key": "abc", "n": 1}', '{"api_key": "[SECRET]", "n": 1}'),
    (26, 'Authorization: Bearer ' || repeat('aB3x', 6), 'Authorization: Bearer [SECRET]'),
    (27, 'run --password hunter2 now', 'run --password [SECRET] now'),
    (28, '<password>hunter2</password>', '<password>[SECRET]</password>'),
    (29, '日本 jo@example.org 日本', '日本 [EMAIL] 日本'),
    (30, 'AccountKey=' || repeat('aB3/', 8) || '==;', 'AccountKey=[SECRET];'),
    (31, '17,4111111111111111,12/27', '17,[CREDIT_CARD],12/27'),
    (32, 'Jo,4111-1111-1111-1111,123', 'Jo,[CREDIT_CARD],123'),
    (33, '7,536-32-3065,7', '7,[US_SSN],7'),
    (34, '?k%3D' || 'AKIAIOSFODNN7EXAMPLE%26n', '?k%3D[SECRET]%26n'),
    (35, '{"k":"\u0022' || 'AKIAIOSFODNN7EXAMPLE\u0022"}', '{"k":"\u0022[SECRET]\u0022"}'),
    (36, '%5Bgh' || 'p_' || repeat('aB3x', 9), '%5B[SECRET]'),
    (37, 'export_jo@example.org_2026.csv', '[EMAIL]_2026.csv'),
    (38, 'jo@example.org@', '[EMAIL]@'),
    (39, 'jo@example.org@example.net', '[EMAIL]'),
    (40, '4111.1111.1111.1111', '[CREDIT_CARD]'),
    (41, '?mail=jo%2Bx%40example.org&x=1 to%3Djo%40example.org', '?mail=[EMAIL]&x=1 to%3D[EMAIL]'),
    (42, 'ring 06-10446904 or 090-1234-5678', 'ring [PHONE] or [PHONE]'),
    (43, E'kind: Secret\ndata:\n  user: YWRtaW4=\n  file: |\n    c2VjcmV0\nname: x',
        E'kind: Secret\ndata:\n  user: [SECRET]\n  file: |\n    [SECRET]\nname: x'),
    (44, E'data:\n  user: YWRtaW4=\nkind: secret\n', E'data:\n  user: [SECRET]\nkind: secret\n'),
    (45, 'MTk4MTk4MTk4MTk4MTk4MTk4.' || 'Cl2FMQ.' || repeat('Zn4y', 7), '[SECRET]'),
    (46, 'Ab18' || 'Q~' || repeat('xY7_', 8) || ' ' || repeat('0a1b', 8) || '-us20', '[SECRET] [SECRET]'),
    (47, 'if ("hunter2" == password) { password "hunter2x"', 'if ("[SECRET]" == password) { password "[SECRET]"'),
    (48, E'curl -X POST \\\n  -u jo:hunter2 x', E'curl -X POST \\\n  -u jo:[SECRET] x')
) AS t (n, before, after) ORDER BY n;

-- Negatives: left as they are.
SELECT n, pg_temp.becomes(v, v) AS verdict
FROM (VALUES
    (1, ''), (2, 'nothing here'), (3, 'max_tokens: 4096, input_tokens: 12345678901'),
    (4, 'token_count=17 key_id=9 keyboard: qwerty author: x9K2mQ7wL4pZ8vN3'),
    (5, 'public_key = x9K2mQ7wL4pZ8vN3'), (6, 'password=${DB_PASSWORD} secret: <secret>'),
    (7, 'password: xxxxxxxx token=[REDACTED] pwd=****'), (8, '4111 1111 1111 1112'),
    (9, 'id_4111111111111111 4111111111111111x blk_-4111111111111111'),
    (10, '000-12-3456 666-12-3456 900-12-3456 123-00-4567 123-45-0000'),
    (11, 'std::cout << a::b; ::'), (12, 'Version 1.2.3.4 and 1.2.3 and 256.1.1.1'),
    (13, '2024-01-31 12:30:45,123 at 10:20'), (14, 'a@b npm i @scope/pkg git@github.com:o/r icon@2x.png'),
    (15, '550e8400-e29b-41d4-a716-446655440000'), (16, 'GB82 WEST 1234 5698 7654 33'),
    (17, 'http://localhost:8080/x@y'), (18, '00:00:00:00:00:00'), (19, '1234567890 555 1234 2024'),
    (20, '[EMAIL] [CREDIT_CARD_2] password=[SECRET]'),
    (21, 'password=user_abcdefghijklmnopqrstuvwxyz'), (23, '[SessionTracker:ZooKeeperServer@325] 50%40 ~~ x-us1 kind: Secret'),
    (24, '2024-01-31 06-10446904x 0123.4567'), (22, 'sha256:' || repeat('0a1b', 16))
) AS t (n, v) ORDER BY n;

-- NULL, kinds, styles.
SELECT bcce.redact(NULL::text) IS NULL AND bcce.redact(NULL::jsonb) IS NULL
    AND bcce.redact(NULL::text, NULL) IS NULL AND bcce.contains_pii(NULL) IS NULL AS null_in_null_out;
SELECT bcce.redact('jo@example.org 10.1.2.3', ARRAY['ip']) AS only_ip,
    bcce.redact('jo@example.org 10.1.2.3', '{}') AS no_kind;
SELECT style, bcce.redact('jo@example.org 4111 1111 1111 1111 mo@example.org jo@example.org 10.1.2.3', NULL, style)
FROM unnest(ARRAY['tag', 'mask', 'numbered', 'drop']) AS style;
SELECT bcce.redact('{"a": ["jo@example.org", "mo@example.org", "jo@example.org"]}'::jsonb, NULL, 'numbered');
SELECT bool_and(bcce.redact(once, NULL, style) = once) AS styles_rest
FROM unnest(ARRAY['tag', 'mask', 'numbered', 'drop']) AS style,
    bcce.redact('jo@example.org, phone +14155550132 password=hunter2 10.1.2.3', NULL, style) AS once;
SELECT bcce.redact('x', ARRAY['name']);
SELECT bcce.redact('x', ARRAY[NULL]::text[]);
SELECT bcce.redact('x', NULL, 'hash');
SELECT bcce.redact('{}'::jsonb, ARRAY['name']);

-- An ampersand is a sign of a password unless a parameter or an entity begins;
-- what stands behind a scheme may be named; a webhook is a secret by its path.
SELECT bcce.redact(t) FROM (VALUES (1, 'DJANGO_SECRET_KEY=k2#4f)9w!e&z0x'), (2, 'GET /?password=abc12&user=bob'), (3, 'password=abc&amp;x=1'),
    (4, 'make PASSWORD=abc && ls'), (5, 'authorization: Digest username="Mufasa", realm="x"'), (6, 'Authorization: Token token="abc123def456ghi7"'),
    (7, 'curl "https://x.example/?password=Abcdef12==" y'), (8, '_gitlab_session=0123456789abcdef0123456789abcdef'),
    (9, 'https://discord.com/api/webhooks/123456789012345678/' || repeat('aB3dE6gH', 8)), (10, 'see discord.com/api/webhooks/ for more')) AS v (n, t) ORDER BY n;
SELECT once, bcce.redact(once) = once AS rests FROM bcce.redact('authorization: password=&x@y.com') AS once;

-- Positions count characters.
SELECT kind, subtype, start, length, round(confidence::numeric, 2) AS confidence,
    substr(t, start, length) AS what
FROM (VALUES ('é 日本 jo@example.org, 10.1.2.3')) AS v (t), bcce.find_pii(t);
SELECT count(*) FROM bcce.find_pii('');

-- Long and toasted texts.
SELECT length(bcce.redact(repeat('x ', 5000000) || 'jo@example.org')) AS long_text;
CREATE TEMP TABLE long_texts (t text);
INSERT INTO long_texts SELECT string_agg(md5(i::text), ' ') || ' jo@example.org' FROM generate_series(1, 1000) AS i;
SELECT right(bcce.redact(t), 8) AS toasted FROM long_texts;
SELECT bcce.redact(repeat('@', 1000000)) = repeat('@', 1000000) AS hostile;

-- JSON: values only, types kept, keys as context.
SELECT bcce.redact('{"a": [1, 2.50, true, null, "x", {"mail": "jo@example.org"}], "jo@example.org": {}}'::jsonb);
SELECT bcce.redact('"jo@example.org"'::jsonb), bcce.redact('17'::jsonb), bcce.redact('[]'::jsonb), bcce.redact('null'::jsonb);
SELECT bcce.redact('{"password": "abc", "api_key": ["abc", "def"], "max_tokens": 4096, "token_count": "12", "pin": 1234,
    "card_number": 4111111111111111, "cardNumber": "4111 1111 1111 1111", "ssn": 536323065, "id": 4111111111111111, "phone": "5550123"}'::jsonb);
SELECT d = bcce.redact(d) AS unchanged FROM (VALUES ('{"b": 1.00, "a": {"c": []}}'::jsonb)) AS v (d);
SELECT bcce.redact(once) = once AS json_rests
FROM bcce.redact('{"password": "abc", "n": ["jo@example.org", 1]}'::jsonb) AS once;

-- The trigger, on a partitioned table.
CREATE TABLE redaction_rows (
    tenant_id uuid, day date NOT NULL, gone int, body text, short varchar(4), tags text[], doc jsonb,
    raw json, addr inet, ext_id text, person text, other text
) PARTITION BY RANGE (day);
ALTER TABLE redaction_rows DROP COLUMN gone;
CREATE TABLE redaction_rows_1 PARTITION OF redaction_rows FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE redaction_rows_2 (other text, person text, ext_id text, addr inet, raw json, doc jsonb, tags text[],
    short varchar(4), body text, day date NOT NULL, tenant_id uuid);
ALTER TABLE redaction_rows ATTACH PARTITION redaction_rows_2 FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
CREATE TRIGGER redact BEFORE INSERT OR UPDATE ON redaction_rows FOR EACH ROW
    EXECUTE FUNCTION bcce.redact_columns('body', 'short', 'tags', 'doc', 'raw', 'addr');
ALTER TABLE redaction_rows ENABLE ALWAYS TRIGGER redact;

INSERT INTO redaction_rows (day, body, short, tags, doc, raw, addr, other)
SELECT d, 'jo@example.org', '::1', ARRAY['a', NULL, 'jo@example.org'],
    '{"jo@example.org": 1, "mo@example.org": 2, "[EMAIL]#2": 3, "x": "jo@example.org"}',
    '{"a":  "jo@example.org", "a": 1}', '192.0.2.77', 'jo@example.org'
FROM unnest(ARRAY['2020-05-05', '2021-05-05']::date[]) AS d;
SELECT tableoid::regclass, body, short, tags, doc, raw, addr, other FROM redaction_rows ORDER BY day;
UPDATE redaction_rows SET body = 'again mo@example.org' WHERE day = '2020-05-05';
UPDATE redaction_rows SET day = '2021-06-06', body = 'moved mo@example.org' WHERE day = '2020-05-05';
SET session_replication_role = replica;
COPY redaction_rows (day, body, doc) FROM stdin;
2020-07-07	copied jo@example.org	{"k": "v"}
2020-08-08	clean	\N
\.
RESET session_replication_role;
ALTER TABLE redaction_rows ADD COLUMN later text;
INSERT INTO redaction_rows (day, body, later) VALUES ('2020-09-09', 'after jo@example.org', 'x');
SELECT day, body, doc IS NULL AS no_doc FROM redaction_rows ORDER BY day, body;
SELECT count(*) AS leaks FROM redaction_rows AS r WHERE (to_jsonb(r) - 'other')::text LIKE '%@%';

-- Identifiers and persons become pseudonyms of the row's tenant.
CREATE FUNCTION pg_temp.bad(arguments text, events text DEFAULT 'BEFORE INSERT', level text DEFAULT 'ROW') RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER bad %s ON redaction_bad FOR EACH %s EXECUTE FUNCTION bcce.redact_columns(%s)',
        events, level, arguments);
    INSERT INTO redaction_bad DEFAULT VALUES;
END $$;
CREATE TABLE redaction_bad (t text DEFAULT 'a', n int DEFAULT 1, tenant_id uuid, loud text GENERATED ALWAYS AS (upper(t)) STORED);
SELECT pg_temp.bad($$'missing'$$);
SELECT pg_temp.bad($$'n'$$);
SELECT pg_temp.bad($$'loud'$$);
SELECT pg_temp.bad($$'user:n'$$);
SELECT pg_temp.bad($$'user:t'$$);
SELECT pg_temp.bad($$'USER 1:t'$$);
SELECT pg_temp.bad($$'t'$$, 'AFTER INSERT');
SELECT pg_temp.bad($$'t'$$, 'BEFORE INSERT', 'STATEMENT');
SELECT pg_temp.bad($$'key:t'$$);
DROP TABLE redaction_bad, redaction_rows;

-- Addresses that run into each other are one hit: a mask leaves the last host, and nobody's name.
SELECT once, bcce.redact(once, NULL, 'mask') = once AS at_rest
FROM bcce.redact('--token Mqfz@BXSiWJEXEiJiwdffosn&xez@BXSiWJEXEiIiwdffosn.xez@BXSiWiWJEXE!_', NULL, 'mask') AS once;
