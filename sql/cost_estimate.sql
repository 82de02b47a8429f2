-- Proves which price bcce.estimate_cost() takes, for whom and when, that the
-- result is exact, and that no change of a price leaves a stale answer.
SET client_min_messages = warning;

-- Before there is a price book there are no prices, and it is no error.
BEGIN;
DROP SCHEMA IF EXISTS bcce_data CASCADE;
SELECT bcce.estimate_cost('regress.token', 1) IS NULL AS no_schema;
CREATE SCHEMA bcce_data;
SELECT bcce.estimate_cost('regress.token', 1) IS NULL AS no_table;
ROLLBACK;

CREATE ROLE regress_payer;
CREATE ROLE regress_stranger;
GRANT USAGE ON SCHEMA bcce TO regress_payer, regress_stranger;
GRANT EXECUTE ON FUNCTION bcce.estimate_cost(text, numeric, timestamptz, uuid) TO regress_payer, regress_stranger;

\set a '''aaaaaaaa-0000-0000-0000-000000000001'''
\set b '''bbbbbbbb-0000-0000-0000-000000000002'''
\set nobody '''dddddddd-0000-0000-0000-000000000004'''
INSERT INTO bcce_data.tenants (tenant_id, tenant_name, slug) VALUES
    (:a, 'Tenant a', 'regress-a'),
    (:b, 'Tenant b', 'regress-b');
INSERT INTO bcce_private.membership (role_name, tenant_id) VALUES ('regress_payer', :a);

-- No price, then one; NULL in, NULL out; exact and unrounded.
SELECT bcce.estimate_cost('regress.token', 1) IS NULL AS no_price;
INSERT INTO bcce_data.default_unit_prices (item, valid, price_usd) VALUES
    ('regress.token', '[2024-01-01 00:00+00,2025-01-01 00:00+00)', 0.000003),
    ('regress.token', '[2025-01-01 00:00+00,2026-01-01 00:00+00)', 0.000002),
    ('regress.token', '[2026-06-01 00:00+00,)', 0.0000015),
    ('regress.toke', '(,)', 7),
    ('regress.tokens', '(,)', 9),
    ('regress.free', '(,)', 0),
    ('regress.plain-name_2', '(,)', 0.1);
SELECT bcce.estimate_cost('regress.token', 1234567.89, '2024-05-05') AS exact,
       bcce.estimate_cost('regress.token', 0.00000000000000000001, '2024-05-05') AS tiny,
       bcce.estimate_cost('regress.toke', 123456789012345678901234567890.123456789, '2024-05-05') AS huge;
SELECT bcce.estimate_cost('regress.toke', 3) AS shorter_name,
       bcce.estimate_cost('regress.tokens', 3) AS longer_name,
       bcce.estimate_cost('regress.plain-name_2', 3) AS punctuated,
       bcce.estimate_cost('regress.free', 3) AS free,
       bcce.estimate_cost('regress.toke', 0) AS nothing_used;
SELECT bcce.estimate_cost('regress.tok', 3) IS NULL AS unknown_item,
       bcce.estimate_cost('', 3) IS NULL AS empty_item,
       bcce.estimate_cost(repeat('regress.token', 100000), 3) IS NULL AS long_item,
       bcce.estimate_cost(NULL, 3) IS NULL AS null_item,
       bcce.estimate_cost('regress.toke', NULL) IS NULL AS null_quantity,
       bcce.estimate_cost('regress.toke', 3, NULL) IS NULL AS null_time;

-- Half-open ranges, a gap, and the ends of time.
SELECT t AS at, bcce.estimate_cost('regress.token', 1000000, t::timestamptz) AS usd
FROM unnest(ARRAY['-infinity', '2023-12-31 23:59:59.999999+00', '2024-01-01 00:00+00', '2024-12-31 23:59:59.999999+00',
                  '2025-01-01 00:00+00', '2025-12-31 23:59:59.999999+00', '2026-01-01 00:00+00',
                  '2026-06-01 00:00+00', 'infinity']) WITH ORDINALITY AS u (t, n)
ORDER BY n;
-- Bounds count as stored.
INSERT INTO bcce_data.default_unit_prices (item, valid, price_usd) VALUES
    ('regress.bounds', '(2024-01-01 00:00+00,2024-02-01 00:00+00]', 1);
SELECT bcce.estimate_cost('regress.bounds', 1, '2024-01-01 00:00+00') IS NULL AS lower_excluded,
       bcce.estimate_cost('regress.bounds', 1, '2024-02-01 00:00+00') = 1 AS upper_included,
       bcce.estimate_cost('regress.bounds', 1, '2024-02-01 00:00:00.000001+00') IS NULL AS past_it;

-- Tenants' own prices.
INSERT INTO bcce_data.unit_prices (tenant_id, item, valid, price_usd) VALUES
    (:a, 'regress.token', '[2025-03-01 00:00+00,2025-04-01 00:00+00)', 0.000001),
    (:b, 'regress.token', '[2025-03-01 00:00+00,2025-04-01 00:00+00)', 0.000009),
    (:a, 'regress.special', '(,)', 2);
CREATE VIEW pg_temp.answers AS
    SELECT bcce.estimate_cost('regress.token', 1000000, '2025-03-15') AS mine,
           bcce.estimate_cost('regress.token', 1000000, '2025-04-01 00:00+00') AS afterwards,
           bcce.estimate_cost('regress.token', 1000000, '2025-03-15', 'aaaaaaaa-0000-0000-0000-000000000001') AS a,
           bcce.estimate_cost('regress.token', 1000000, '2025-03-15', 'bbbbbbbb-0000-0000-0000-000000000002') AS b,
           bcce.estimate_cost('regress.token', 1000000, '2025-03-15', 'dddddddd-0000-0000-0000-000000000004') AS nobody,
           bcce.estimate_cost('regress.special', 1) AS special;
GRANT SELECT ON pg_temp.answers TO PUBLIC;
SELECT 'superuser' AS who, answers.* FROM pg_temp.answers;
SET ROLE regress_payer;
SELECT 'payer of a' AS who, answers.* FROM pg_temp.answers;
SET ROLE regress_stranger;
SELECT 'stranger' AS who, answers.* FROM pg_temp.answers;
RESET ROLE;

-- Several tenants without a default: the default price, until one is named.
INSERT INTO bcce_private.membership (role_name, tenant_id) VALUES ('regress_payer', :b);
SET ROLE regress_payer;
SELECT 'payer of a and b' AS who, answers.* FROM pg_temp.answers;
RESET ROLE;
DELETE FROM bcce_private.membership WHERE role = 'regress_payer'::regrole AND tenant_id = :a;
SET ROLE regress_payer;
SELECT 'payer of b' AS who, answers.* FROM pg_temp.answers;
RESET ROLE;

-- Changes are seen at the next statement and gone after a rollback.
BEGIN;
UPDATE bcce_data.default_unit_prices SET price_usd = 8 WHERE item = 'regress.toke';
SELECT bcce.estimate_cost('regress.toke', 1) AS updated;
SAVEPOINT s;
DELETE FROM bcce_data.default_unit_prices WHERE item = 'regress.toke';
SELECT bcce.estimate_cost('regress.toke', 1) IS NULL AS deleted;
ROLLBACK TO s;
SELECT bcce.estimate_cost('regress.toke', 1) AS updated;
ROLLBACK;
SELECT bcce.estimate_cost('regress.toke', 1) AS as_before;
BEGIN;
TRUNCATE bcce_data.unit_prices;
SELECT bcce.estimate_cost('regress.special', 1, now(), :a) IS NULL AS truncated;
ROLLBACK;
SELECT bcce.estimate_cost('regress.special', 1, now(), :a) AS as_before;

-- Parallel workers find the same prices for the same caller.
CREATE TABLE regress_usage (quantity numeric NOT NULL);
INSERT INTO regress_usage SELECT n FROM generate_series(1, 10000) AS n;
ANALYZE regress_usage;
GRANT SELECT ON regress_usage TO regress_payer;
SET ROLE regress_payer;
SELECT sum(bcce.estimate_cost('regress.token', quantity, '2025-03-15')) AS serial FROM regress_usage;
SET parallel_leader_participation = off;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT sum(bcce.estimate_cost('regress.token', quantity, '2025-03-15')) AS parallel FROM regress_usage;
EXPLAIN (COSTS OFF)
SELECT sum(bcce.estimate_cost('regress.token', quantity, '2025-03-15')) AS parallel FROM regress_usage;
RESET ROLE;
BEGIN;
UPDATE bcce_data.unit_prices SET price_usd = 1 WHERE tenant_id = :b;
SET LOCAL ROLE regress_payer;
SELECT sum(bcce.estimate_cost('regress.token', quantity, '2025-03-15')) AS own_change FROM regress_usage;
ROLLBACK;
RESET parallel_leader_participation;
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- Many prices, each found where it belongs.
BEGIN;
INSERT INTO bcce_data.default_unit_prices (item, valid, price_usd)
SELECT 'regress.many.' || i, tstzrange(day, day + interval '1 day'), i * 1000 + d
FROM generate_series(1, 50) AS i, generate_series(0, 99) AS d,
     LATERAL (SELECT timestamptz '2025-01-01 00:00+00' + d * interval '24 hours') AS s (day)
ORDER BY md5(i || ' ' || d);
SELECT count(*) AS wrong
FROM generate_series(1, 50) AS i, generate_series(0, 99) AS d
WHERE bcce.estimate_cost('regress.many.' || i, 1, timestamptz '2025-01-01 12:00+00' + d * interval '24 hours')
      IS DISTINCT FROM i * 1000 + d;
ROLLBACK;

-- What is no quantity.
SELECT bcce.estimate_cost('regress.toke', -1);
\set VERBOSITY sqlstate
SELECT bcce.estimate_cost('regress.unknown', -0.000001);
SELECT bcce.estimate_cost('regress.toke', 'NaN');
SELECT bcce.estimate_cost('regress.toke', 'Infinity');
SELECT bcce.estimate_cost('regress.toke', '-Infinity');
\set VERBOSITY default

-- Leave nothing.
DROP TABLE regress_usage;
DROP VIEW pg_temp.answers;
DELETE FROM bcce_private.membership;
DELETE FROM bcce_data.unit_prices WHERE item LIKE 'regress.%';
DELETE FROM bcce_data.default_unit_prices WHERE item LIKE 'regress.%';
DELETE FROM bcce_data.tenants WHERE slug LIKE 'regress-%';
DROP OWNED BY regress_payer, regress_stranger;
DROP ROLE regress_payer, regress_stranger;
