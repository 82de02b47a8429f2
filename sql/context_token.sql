-- Proves what a context token is taken for: whose tenants it gives, when and
-- for how long it counts, which keys sign it, and how a tenant is chosen.  What
-- an attacker tries is in test/pgtap/context_token.sql and test/tap/context.sh.
SET client_min_messages = warning;
CREATE DATABASE regress_context;
\set home :DBNAME
\c regress_context
SET client_min_messages = warning;
\set VERBOSITY terse
CREATE EXTENSION bcce;
\getenv abs_srcdir PG_ABS_SRCDIR
\set signer :abs_srcdir '/test/lib/sign.sql'
\set ECHO none
\set QUIET on
\i :signer
\set QUIET off
\set ECHO all
\t on
\o /dev/null
SELECT bcce.create_tenant('alpha', 'Alpha', 'ext-alpha') AS a, bcce.create_tenant('beta', 'Beta') AS b, bcce.create_tenant('gamma', 'Gamma') AS c \gset
SELECT bcce.create_login('regress_context_bi', NULL, 'token'), bcce.create_login('regress_context_ann', 'alpha'), bcce.create_login('regress_context_two', 'alpha');
SELECT bcce.add_membership('regress_context_two', 'beta');
SELECT bcce.add_context_key('test', pg_temp.public_key(pg_temp.seed('test')), '-infinity');
\o

\echo == the signer of the tests is that of RFC 8032, section 7.1, and of vector 4-S-3 of PASETO
SELECT pg_temp.public_key(seed) = public_key AND pg_temp.sign(seed, message) = signature AS rfc8032
FROM (VALUES
    ('\x9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'::bytea, '\xd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'::bytea, ''::bytea,
     '\xe5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b'::bytea),
    ('\xc5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7', '\xfc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025', '\xaf82',
     '\x6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a')) AS v (seed, public_key, message, signature);
SELECT pg_temp.mint_bytes('{"data":"this is a signed message","exp":"2022-01-01T00:00:00+00:00"}', '\xb4cbfb43df4ce210727d953e4a713307fa19bb7d9f85041438d9e11b942a3774',
                          '{"test-vector":"4-S-3"}', '{"kid":"zVhMiPBP9fRf2snEcT7gFTioeA9COcNy9DfgL1W60haN"}')
     = 'v4.public.eyJkYXRhIjoidGhpcyBpcyBhIHNpZ25lZCBtZXNzYWdlIiwiZXhwIjoiMjAyMi0wMS0wMVQwMDowMDowMCswMDowMCJ9NPWciuD3d0o5eXJXG5pJy-DiVEoyPYWs1YSTwWHNJq6DZD3je5gf-0M4JR9ipdUSJbIovzmBECeaWmaqcaP0DQ.eyJraWQiOiJ6VmhNaVBCUDlmUmYyc25FY1Q3Z0ZUaW9lQTlDT2NOeTlEZmdMMVc2MGhhTiJ9' AS paseto;
SELECT bcce.context_assertion() = format('bcce|%s|regress_context', system_identifier) AS bound FROM pg_control_system();

-- Tenants by name, and the one at work.
CREATE TABLE bcce.names (id uuid, name text);
INSERT INTO bcce.names SELECT tenant_id, slug FROM bcce_data.tenants;
GRANT SELECT ON bcce.names TO PUBLIC;
CREATE FUNCTION bcce.mine() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce(string_agg(n.name, ' ' ORDER BY n.name), '-') || ' / ' || coalesce(max(n.name) FILTER (WHERE n.id = bcce.current_tenant()), '-')
    FROM bcce.names n WHERE n.id = ANY (bcce.current_tenants())
$$;
SELECT pg_temp.mint(pg_temp.claims('regress_context_bi', ARRAY[:'a']::uuid[])) AS only_a,
       pg_temp.mint(pg_temp.claims('regress_context_bi', ARRAY[:'b']::uuid[])) AS only_b,
       pg_temp.mint(pg_temp.claims('regress_context_bi', ARRAY[:'b', :'a']::uuid[])) AS both,
       pg_temp.mint(pg_temp.claims('regress_context_bi', ARRAY[:'a']::uuid[], '{"jti": "again"}')) AS only_a_again,
       pg_temp.mint(pg_temp.claims('regress_context_bi', ARRAY[gen_random_uuid()])) AS nobody,
       pg_temp.mint(pg_temp.claims('regress_context_two', ARRAY[:'a']::uuid[])) AS for_two \gset

\echo == a token counts until the transaction ends, and within its savepoint
SET ROLE regress_context_bi;
SELECT bcce.mine(), bcce.membership_mode();
BEGIN;
SELECT bcce.set_context(:'only_a');
SELECT bcce.mine(), bcce.membership_mode();
SELECT tenant_name FROM bcce.analytics_overview;
COMMIT;
SELECT bcce.mine();
BEGIN;
SAVEPOINT s;
SELECT bcce.set_context(:'only_a');
SELECT bcce.mine();
ROLLBACK TO s;
SELECT bcce.mine();
SELECT bcce.set_context(:'only_b');
SELECT bcce.mine();
RELEASE s;
SELECT bcce.mine();
ROLLBACK;
SELECT bcce.mine();
SET client_min_messages = warning;
SELECT bcce.set_context(:'only_a');
SELECT bcce.mine();
BEGIN READ ONLY;
SELECT bcce.set_context(:'only_a');
SELECT bcce.mine();
COMMIT;

\echo == one context a transaction, unless it says the same
BEGIN;
SELECT bcce.set_context(:'only_a');
SELECT bcce.set_context(:'only_a_again');
SAVEPOINT s;
SELECT bcce.set_context(:'only_b');
ROLLBACK TO s;
SELECT bcce.set_context(:'both');
ROLLBACK TO s;
SELECT bcce.mine();
RESET ALL;
SELECT bcce.mine();
SELECT bcce.set_context(:'only_b');
SELECT bcce.mine();
ROLLBACK;

\echo == a token of a tenant that does not exist shows nothing
BEGIN;
SELECT bcce.set_context(:'nobody');
SELECT bcce.mine();
SELECT count(*) FROM bcce.analytics_overview;
ROLLBACK;

\echo == several tenants: one is chosen, for the transaction or the session, by any of its names
BEGIN;
SELECT bcce.set_context(:'both');
SELECT bcce.mine();
SELECT count(*) FROM bcce.analytics_overview;
SELECT explanation FROM bcce.whoami();
SELECT bcce.use_tenant('beta');
SELECT bcce.mine();
SELECT tenant_name FROM bcce.analytics_overview;
SELECT bcce.use_tenant('ext-alpha');
SELECT bcce.mine();
SELECT bcce.use_tenant(:'b'::uuid);
SELECT bcce.mine();
SELECT bcce.use_tenant(NULL);
SELECT bcce.mine();
SAVEPOINT s;
SELECT bcce.use_tenant('gamma');
ROLLBACK TO s;
SELECT bcce.use_tenant('nowhere');
ROLLBACK TO s;
SELECT bcce.use_tenant(:'c'::uuid);
ROLLBACK TO s;
SELECT bcce.use_tenant('alpha', is_local => false);
COMMIT;
SELECT bcce.mine();
BEGIN;
SELECT bcce.set_context(:'both');
SELECT bcce.mine();
COMMIT;
BEGIN;
SELECT bcce.set_context(:'only_b');
SELECT bcce.mine() AS the_choice_is_not_replaced;
COMMIT;
BEGIN;
SELECT bcce.use_tenant('', is_local => false);
ROLLBACK;
BEGIN;
SELECT bcce.set_context(:'only_b');
SELECT bcce.mine() AS still_chosen;
COMMIT;
RESET ALL;
SELECT bcce.use_tenant('alpha');
RESET ROLE;

\echo == members choose as well; a choice counts for the role that made it
SET ROLE regress_context_two;
SELECT bcce.mine();
SELECT bcce.use_tenant('beta', false);
SELECT bcce.mine();
SET ROLE regress_context_ann;
SELECT bcce.mine();
SET ROLE regress_context_two;
SELECT bcce.mine();
RESET ROLE;
SELECT bcce.remove_membership('regress_context_two', 'beta');
SET ROLE regress_context_two;
SELECT bcce.mine();
SELECT bcce.use_tenant('beta');
SELECT bcce.use_tenant(NULL, false);
SELECT bcce.mine();
RESET ROLE;

\echo == who presents tokens has no memberships, and the other way round
SELECT bcce.add_membership('regress_context_bi', 'alpha');
SELECT bcce.set_membership_mode('regress_context_two', 'token');
SELECT bcce.set_membership_mode('regress_context_two', 'other');
SELECT bcce.set_membership_mode(current_user::regrole, 'token');
SELECT bcce.create_login('regress_context_x', 'alpha', 'token');
SELECT bcce.create_login('regress_context_x', NULL, 'user');
SELECT bcce.set_membership_mode('regress_context_bi', 'direct');
SET ROLE regress_context_bi;
SELECT bcce.membership_mode();
SELECT bcce.set_context(:'only_a');
RESET ROLE;
SELECT bcce.set_membership_mode('regress_context_bi', 'token'), bcce.set_membership_mode('regress_context_bi', 'token');

-- A role that ceases to present tokens within the transaction: the token narrows.
BEGIN;
SELECT bcce.remove_membership('regress_context_two', 'alpha'), bcce.set_membership_mode('regress_context_two', 'token');
GRANT bcce_token TO regress_context_two;
SET LOCAL ROLE regress_context_two;
SELECT bcce.set_context(:'for_two');
SELECT bcce.mine();
RESET ROLE;
SELECT bcce.set_membership_mode('regress_context_two', 'direct'), bcce.add_membership('regress_context_two', 'alpha'), bcce.add_membership('regress_context_two', 'beta');
SET LOCAL ROLE regress_context_two;
SELECT bcce.mine();
ROLLBACK;

-- A renamed role stays one; a new role of its name is none.
CREATE ROLE regress_context_old IN ROLE bcce_analytics_user, bcce_token;
SELECT bcce.set_membership_mode('regress_context_old', 'token');
ALTER ROLE regress_context_old RENAME TO regress_context_new;
CREATE ROLE regress_context_old IN ROLE bcce_analytics_user, bcce_token;
SET ROLE regress_context_old;
SELECT bcce.membership_mode();
SET ROLE regress_context_new;
SELECT bcce.membership_mode();
RESET ROLE;
SELECT detail FROM bcce.maintain() WHERE task = 'memberships';
DROP ROLE regress_context_new;
SELECT detail FROM bcce.maintain() WHERE task = 'memberships';
SELECT role_name FROM bcce_private.token_login;
DROP ROLE regress_context_old;

\echo == keys: added, in force for a time, rotated, revoked
SELECT bcce.add_context_key('test', pg_temp.public_key(pg_temp.seed('other')));
SELECT bcce.add_context_key('', pg_temp.public_key(pg_temp.seed('other')));
SELECT bcce.add_context_key('a key', pg_temp.public_key(pg_temp.seed('other')));
SELECT bcce.add_context_key(NULL, pg_temp.public_key(pg_temp.seed('other')));
SELECT bcce.add_context_key('x', NULL);
SELECT bcce.add_context_key('x', '\x00');
SELECT bcce.add_context_key('x', decode(repeat('00', 32), 'hex'));
SELECT bcce.add_context_key('x', decode('01' || repeat('00', 31), 'hex')) AS order_one;
SELECT count(*) FILTER (WHERE bcce.is_ed25519_public_key(pg_temp.seed(g::text))) < 15 AS private_keys_mostly_refused FROM generate_series(1, 100) AS g;
SELECT bcce.add_context_key('x', pg_temp.public_key(pg_temp.seed('other')), now(), now());
SELECT bcce.add_context_key('later', pg_temp.public_key(pg_temp.seed('later')), now() + interval '1 hour');
SELECT bcce.add_context_key('earlier', pg_temp.public_key(pg_temp.seed('earlier')), '-infinity', now() - interval '1 s');
SELECT pg_temp.mint(pg_temp.claims('regress_context_bi', ARRAY[:'a']::uuid[]), 'later', footer => '{"kid":"later"}') AS later,
       pg_temp.mint(pg_temp.claims('regress_context_bi', ARRAY[:'a']::uuid[]), 'earlier', footer => '{"kid":"earlier"}') AS earlier,
       pg_temp.mint(pg_temp.claims('regress_context_bi', ARRAY[:'a']::uuid[]), 'next', footer => '{"kid":"next"}') AS next \gset
SET ROLE regress_context_bi;
SELECT bcce.set_context(:'later');
SELECT bcce.set_context(:'earlier');
SELECT bcce.set_context(:'next');
RESET ROLE;
SELECT bcce.rotate_context_key('nowhere', 'next', pg_temp.public_key(pg_temp.seed('next')));
SELECT bcce.rotate_context_key('test', 'next', pg_temp.public_key(pg_temp.seed('next')), '-1 s');
SELECT bcce.rotate_context_key('test', 'next', pg_temp.public_key(pg_temp.seed('next')), '10 min');
SELECT kid, CASE WHEN not_after BETWEEN now() + interval '9 min' AND now() + interval '10 min' THEN 'soon' ELSE not_after::text END AS not_after FROM bcce_private.context_key WHERE kid IN ('test', 'next') ORDER BY kid;
SET ROLE regress_context_bi;
BEGIN;
SELECT bcce.set_context(:'only_a'), bcce.set_context(:'next');
SELECT bcce.mine();
ROLLBACK;
BEGIN;
SELECT bcce.set_context(:'next');
SELECT bcce.mine();
RESET ROLE;
SELECT bcce.revoke_context_key('next'), bcce.revoke_context_key('next') AS twice, bcce.revoke_context_key('nowhere') AS nowhere;
SET ROLE regress_context_bi;
SELECT bcce.mine() AS revoked_within_the_transaction;
SELECT bcce.set_context(:'next');
ROLLBACK;
RESET ROLE;
UPDATE bcce_private.context_key SET not_after = clock_timestamp() WHERE kid = 'test';
SET ROLE regress_context_bi;
SELECT bcce.set_context(:'only_a');
RESET ROLE;
UPDATE bcce_private.context_key SET not_after = 'infinity' WHERE kid = 'test';

\echo == a token ends while its transaction goes on; how long it may live
SELECT pg_temp.mint(pg_temp.claims('regress_context_bi', ARRAY[:'a']::uuid[], jsonb_build_object('exp', pg_temp.instant(clock_timestamp() + interval '20 min')))) AS long \gset
SELECT pg_temp.mint(pg_temp.claims('regress_context_bi', ARRAY[:'a']::uuid[], jsonb_build_object('exp', pg_temp.instant(clock_timestamp() + interval '1.5 s')))) AS brief \gset
SET ROLE regress_context_bi;
BEGIN;
SELECT bcce.set_context(:'brief');
SELECT bcce.mine();
SELECT pg_sleep(1.6);
SELECT bcce.mine();
COMMIT;
SELECT bcce.set_context(:'long');
SET bcce.context_max_ttl = '1h';
RESET ROLE;
SET bcce.context_max_ttl = '1h';
SET ROLE regress_context_bi;
BEGIN;
SELECT bcce.set_context(:'long');
COMMIT;
RESET ROLE;
RESET bcce.context_max_ttl;

\echo == who may: nobody else presents tokens, keeps keys or says who presents tokens
SELECT r.rolname, bool_or(has_function_privilege(r.oid, p.oid, 'EXECUTE')) AS set_context,
       bool_or(has_function_privilege(r.oid, q.oid, 'EXECUTE')) AS any_of_the_rest
FROM pg_roles r, pg_proc p, pg_proc q
WHERE r.rolname ~ '^bcce_|^regress_context_' AND r.rolname NOT IN ('bcce_maintainer', 'bcce_tester') AND p.oid = 'bcce.set_context(text)'::regprocedure
  AND q.pronamespace = 'bcce'::regnamespace AND q.proname IN ('add_context_key', 'rotate_context_key', 'revoke_context_key', 'set_membership_mode')
GROUP BY 1 HAVING bool_or(has_function_privilege(r.oid, p.oid, 'EXECUTE')) OR bool_or(has_function_privilege(r.oid, q.oid, 'EXECUTE')) ORDER BY 1;
SELECT count(*) AS rights_on_private_tables FROM pg_class c, aclexplode(c.relacl) a
WHERE c.oid IN ('bcce_private.context_key'::regclass, 'bcce_private.token_login'::regclass) AND a.grantee <> c.relowner;
SELECT relrowsecurity AND relforcerowsecurity AS row_security, relowner::regrole FROM pg_class WHERE oid IN ('bcce_private.context_key'::regclass, 'bcce_private.token_login'::regclass);

\c :home
SET client_min_messages = warning;
DROP DATABASE regress_context;
DROP ROLE regress_context_bi, regress_context_ann, regress_context_two;
