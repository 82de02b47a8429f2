-- Proves: pseudonyms are the documented keyed hash, differ by tenant and
-- domain, are stable when applied twice, follow a changed key, and are made for
-- nobody but the tenant's own.  uuid_v7() makes ordered identifiers.
\set VERBOSITY sqlstate

\set one '''11111111-1111-4111-8111-111111111111'''
\set two '''22222222-2222-4222-8222-222222222222'''
\set three '''33333333-3333-4333-8333-333333333333'''
INSERT INTO bcce_data.tenants (tenant_id, tenant_name, slug) VALUES
    (:one, 'Tenant one', 'regress-one'),
    (:two, 'Tenant two', 'regress-two'),
    (:three, 'Tenant three', 'regress-three');
INSERT INTO bcce_private.tenant_key (tenant_id, key) VALUES
(:one, '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'),
(:two, decode(repeat('ff', 32), 'hex'));

-- names computed by another implementation of BLAKE2b and base32
SELECT bcce.pseudonym('ada@example.org', 'user', :one) = 'user_xgxbcchmqahjekrxdbg6blbh2a' AS plain,
       bcce.pseudonym('ada@example.org', 'email', :one) = 'email_dqtx2xoyhkbo6u3t6hl62gjo2m' AS other_domain,
       bcce.pseudonym('', 'user', :one) = 'user_fte7chvlhnm2algj7xrexh5erm' AS empty,
       bcce.pseudonym('Zoë 東京', 'user', :one) = 'user_5pba4h3tt6rnbnuuqbq7hlh2dy' AS multibyte,
       bcce.pseudonym('x', 'abcdefghijklmnop', :one) = 'abcdefghijklmnop_bznt5lktg7kzmmpl2akzhbv3ya' AS longest_domain,
       bcce.pseudonym(repeat('0123456789', 100000), 'user', :one) = 'user_bpftaz2ht5azqxids65vfpif2a' AS huge;
SELECT bcce.pseudonym('ada@example.org', 'user', :two) = 'user_yqyczosnr4vp3scoxoq72dhipy' AS other_tenant,
       bcce.pseudonym('Zoë 東京', 'user', :two) = 'user_5pipy4qzgwmix2qp37cbh6gzim' AS other_tenant_multibyte;

-- shape, and no two of many values share a name
SELECT bool_and(p ~ '^user_[a-z2-7]{26}$') AS shape, count(DISTINCT p) = 20000 AS distinct_names,
       bool_and(bcce.pseudonym(p, 'user', :one) = p) AS twice_is_once,
       bool_and(bcce.pseudonym(p, 'user', :two) = p) AS known_elsewhere_too,
       bool_and(bcce.pseudonym(p, 'account', :one) <> p) AS hashed_in_other_domain
FROM (SELECT bcce.pseudonym('user' || g, 'user', :one) AS p FROM generate_series(1, 20000) AS g) AS names;

-- near the shape, but not of it: hashed
SELECT bool_and(bcce.pseudonym(v, 'user', :one) <> v) AS hashed
FROM (VALUES ('user_xgxbcchmqahjekrxdbg6blbh2'), ('user_xgxbcchmqahjekrxdbg6blbh2aa'),
             ('user_xgxbcchmqahjekrxdbg6blbh2b'), ('user_xgxbcchmqahjekrxdbg6blbh1a'),
             ('USER_xgxbcchmqahjekrxdbg6blbh2a'), ('user_XGXBCCHMQAHJEKRXDBG6BLBH2A'),
             ('user-xgxbcchmqahjekrxdbg6blbh2a'), ('users_xgxbcchmqahjekrxdbg6blbh2a'),
             ('use_xgxbcchmqahjekrxdbg6blbh2a'), (' user_xgxbcchmqahjekrxdbg6blbh2a'), ('user_'), ('user')) AS near (v);

-- serial = parallel
CREATE TABLE pseudo_values AS SELECT g, 'value ' || g AS v FROM generate_series(1, 20000) AS g;
ALTER TABLE pseudo_values SET (parallel_workers = 2);
ANALYZE pseudo_values;
SELECT md5(string_agg(bcce.pseudonym(v, 'user', :one), ',' ORDER BY g)) AS serial FROM pseudo_values \gset
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT count(*) FROM pseudo_values WHERE bcce.pseudonym(v, 'user', :one) LIKE 'user_%';
SELECT md5(string_agg(p, ',' ORDER BY g)) = :'serial' AS parallel_same
FROM (SELECT g, bcce.pseudonym(v, 'user', :one) AS p FROM pseudo_values WHERE bcce.pseudonym(v, 'user', :one) LIKE 'user_%') AS names;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
DROP TABLE pseudo_values;

-- a key of a transaction that is rolled back is forgotten; one that is committed is kept
BEGIN;
INSERT INTO bcce_private.tenant_key (tenant_id, key) VALUES (:three, decode(repeat('ab', 32), 'hex'));
SELECT length(bcce.pseudonym('x', 'user', :three)) = 31 AS own_row_seen;
ROLLBACK;
SELECT bcce.pseudonym('x', 'user', :three);
INSERT INTO bcce_private.tenant_key (tenant_id, key) VALUES (:three, decode(repeat('ff', 32), 'hex'));
SELECT bcce.pseudonym('ada@example.org', 'user', :three) = 'user_yqyczosnr4vp3scoxoq72dhipy' AS committed_row_seen;

-- a changed key counts from the table's next relcache invalidation on
UPDATE bcce_private.tenant_key SET key = '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f' WHERE tenant_id = :three;
ANALYZE bcce_private.tenant_key;
SELECT bcce.pseudonym('ada@example.org', 'user', :three) = 'user_xgxbcchmqahjekrxdbg6blbh2a' AS new_key_used;
DELETE FROM bcce_private.tenant_key WHERE tenant_id = :three;
ANALYZE bcce_private.tenant_key;
SELECT bcce.pseudonym('ada@example.org', 'user', :three);

-- NULL
SELECT bcce.pseudonym(NULL, 'user', :one) IS NULL AS value,
       bcce.pseudonym('x', NULL, :one) IS NULL AS domain,
       bcce.pseudonym('x', 'user', NULL) IS NULL AS tenant,
       bcce.pseudonym(NULL, 'user') IS NULL AS value_of_current;

-- errors: domains, no current tenant, a foreign tenant
SELECT bcce.pseudonym('x', '', :one);
SELECT bcce.pseudonym('x', 'abcdefghijklmnopq', :one);
SELECT bcce.pseudonym('x', 'User', :one);
SELECT bcce.pseudonym('x', 'user1', :one);
SELECT bcce.pseudonym('x', 'schlüssel', :one);
SELECT bcce.pseudonym('x', repeat('a', 100000), :one);
SELECT bcce.pseudonym('x', 'user');
CREATE ROLE regress_pseudonym;
GRANT USAGE ON SCHEMA bcce TO regress_pseudonym;
GRANT EXECUTE ON FUNCTION bcce.pseudonym(text, text, uuid) TO regress_pseudonym;
SET ROLE regress_pseudonym;
\set VERBOSITY terse
SELECT bcce.pseudonym('x', 'user', :one);
SELECT key FROM bcce_private.tenant_key;
-- nor by a trigger on a table of one's own, whatever tenant the row names
CREATE TEMP TABLE pseudo_own (tenant_id uuid, person text, note text);
CREATE TRIGGER redact BEFORE INSERT ON pseudo_own FOR EACH ROW EXECUTE FUNCTION bcce.redact_columns('user:person');
INSERT INTO pseudo_own VALUES (:one, 'ada@example.org') RETURNING person;
CREATE OR REPLACE TRIGGER redact BEFORE INSERT ON pseudo_own FOR EACH ROW EXECUTE FUNCTION bcce.redact_columns('person');
INSERT INTO pseudo_own VALUES (:one, 'ada@example.org') RETURNING person;
RESET ROLE;
\set VERBOSITY default
DROP OWNED BY regress_pseudonym;
DROP ROLE regress_pseudonym;
SELECT bcce.pseudonym('x', 'user', :three);
SELECT bcce.pseudonym('x', 'User', :one);

-- without the store
BEGIN;
ALTER TABLE bcce_private.tenant_key RENAME TO tenant_key_away;
SELECT bcce.pseudonym('x', 'user', :one);
ROLLBACK;
SELECT bcce.pseudonym('ada@example.org', 'user', :one) = 'user_xgxbcchmqahjekrxdbg6blbh2a' AS back_again;
DELETE FROM bcce_private.tenant_key WHERE tenant_id IN (:one, :two);

-- uuid_v7: version 7, variant 10, the time of now, and ordered within a session
SELECT bool_and(u::text ~ '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$') AS version_and_variant,
       bool_and(u > before) IS TRUE AS ascending,
       count(DISTINCT u) = 100000 AS distinct_ids,
       count(DISTINCT substr(u::text, 21)) = 100000 AS random_tails,
       bool_and(abs(('x0000' || substr(replace(u::text, '-', ''), 1, 12))::bit(64)::bigint / 1000.0
                    - extract(epoch FROM clock_timestamp())) < 60) AS time_part
FROM (SELECT u, lag(u, 1, '00000000-0000-7000-8000-000000000000') OVER (ORDER BY g) AS before
      FROM (SELECT g, bcce.uuid_v7() AS u FROM generate_series(1, 100000) AS g) AS made) AS pairs;
