-- Proves whose tenants the getters see: by membership, time of validity,
-- group role, SET ROLE and SECURITY DEFINER, and that no change of a
-- membership or a role, committed or rolled back, leaves a stale answer.
SET client_min_messages = warning;

-- Before there is a table nobody has a tenant, and it is no error.
BEGIN;
DROP SCHEMA IF EXISTS bcce_private CASCADE;
SELECT bcce.current_tenants() = '{}' AS no_tenants, bcce.current_tenant() IS NULL AS no_tenant;
CREATE SCHEMA bcce_private;
SELECT bcce.current_tenants() = '{}' AS no_tenants, bcce.current_tenant() IS NULL AS no_tenant;
ROLLBACK;

CREATE ROLE regress_readers;
CREATE ROLE regress_ann IN ROLE regress_readers;
CREATE ROLE regress_bob IN ROLE regress_readers;
CREATE ROLE regress_team IN ROLE regress_readers;
CREATE ROLE regress_bypass BYPASSRLS IN ROLE regress_readers;
CREATE ROLE regress_super SUPERUSER IN ROLE regress_readers;
CREATE SCHEMA regress_tenancy;
GRANT USAGE ON SCHEMA bcce, regress_tenancy TO regress_readers;
GRANT EXECUTE ON FUNCTION bcce.current_tenants(), bcce.current_tenant(), bcce.bypasses_row_security()
    TO regress_readers;

\set a '''aaaaaaaa-0000-0000-0000-000000000001'''
\set b '''bbbbbbbb-0000-0000-0000-000000000002'''
\set c '''cccccccc-0000-0000-0000-000000000003'''
INSERT INTO bcce_data.tenants (tenant_id, tenant_name, slug) VALUES
    (:a, 'Tenant a', 'regress-a'),
    (:b, 'Tenant b', 'regress-b'),
    (:c, 'Tenant c', 'regress-c');

-- Tenants by their first letter; the last column is the current one.
CREATE FUNCTION regress_tenancy.mine() RETURNS text LANGUAGE sql STABLE PARALLEL RESTRICTED AS $$
    SELECT coalesce((SELECT string_agg(left(t::text, 1), '' ORDER BY n)
                     FROM unnest(bcce.current_tenants()) WITH ORDINALITY AS u (t, n)), '-')
           || ' ' || coalesce(left(bcce.current_tenant()::text, 1), '-')
$$;

-- No row, one, several, a default, two defaults.
SET ROLE regress_ann;
SELECT regress_tenancy.mine() AS none, bcce.current_tenants() AS empty_array;
RESET ROLE;
INSERT INTO bcce_private.membership (role_name, tenant_id) VALUES ('regress_ann', :b);
SET ROLE regress_ann;
SELECT regress_tenancy.mine() AS only_b;
RESET ROLE;
INSERT INTO bcce_private.membership (role_name, tenant_id) VALUES ('regress_ann', :c), ('regress_ann', :a);
SET ROLE regress_ann;
SELECT regress_tenancy.mine() AS several;
RESET ROLE;
UPDATE bcce_private.membership SET is_default = true WHERE tenant_id = :c;
SET ROLE regress_ann;
SELECT regress_tenancy.mine() AS default_c;
RESET ROLE;
UPDATE bcce_private.membership SET is_default = true WHERE tenant_id = :a;
SET ROLE regress_ann;
SELECT regress_tenancy.mine() AS two_defaults;
RESET ROLE;

-- Validity is half-open and judged at each statement.
UPDATE bcce_private.membership SET valid_until = now() - interval '1 s' WHERE tenant_id = :a;
SET ROLE regress_ann;
SELECT regress_tenancy.mine() AS a_expired;
RESET ROLE;
UPDATE bcce_private.membership SET valid_from = now() + interval '1 day' WHERE tenant_id = :b;
SET ROLE regress_ann;
SELECT regress_tenancy.mine() AS b_in_the_future;
RESET ROLE;
UPDATE bcce_private.membership SET valid_from = '-infinity', valid_until = clock_timestamp() + interval '0.4 s'
WHERE role = 'regress_ann'::regrole;
SET ROLE regress_ann;
SELECT regress_tenancy.mine() AS still_valid;
SELECT pg_sleep(0.5);
SELECT regress_tenancy.mine() AS expired_while_cached;
RESET ROLE;
TRUNCATE bcce_private.membership;
SET ROLE regress_ann;
SELECT regress_tenancy.mine() AS none_after_truncate;
RESET ROLE;

-- Through a group; the same tenant twice is one, and a default anywhere counts.
INSERT INTO bcce_private.membership (role_name, tenant_id, is_default, valid_until) VALUES
    ('regress_ann', :a, false, 'infinity'),
    ('regress_team', :a, true, 'infinity'),
    ('regress_team', :b, false, 'infinity'),
    ('regress_bob', :c, false, 'infinity');
SET ROLE regress_ann;
SELECT regress_tenancy.mine() AS not_in_team;
RESET ROLE;
GRANT regress_team TO regress_ann;
SET ROLE regress_ann;
SELECT regress_tenancy.mine() AS granted_while_cached;
RESET ROLE;
UPDATE bcce_private.membership SET valid_until = now() WHERE role = 'regress_team'::regrole AND tenant_id = :a;
SET ROLE regress_ann;
SELECT regress_tenancy.mine() AS default_expired;
RESET ROLE;
UPDATE bcce_private.membership SET valid_until = 'infinity';
REVOKE regress_team FROM regress_ann;
SET ROLE regress_ann;
SELECT regress_tenancy.mine() AS revoked_while_cached;
RESET ROLE;

-- A member without inheritance has not the privileges, until it sets the role.
CREATE ROLE regress_distant NOINHERIT;
GRANT USAGE ON SCHEMA bcce, regress_tenancy TO regress_distant;
GRANT EXECUTE ON FUNCTION bcce.current_tenants(), bcce.current_tenant() TO regress_distant;
GRANT regress_team TO regress_distant;
SET SESSION AUTHORIZATION regress_distant;
SELECT regress_tenancy.mine() AS not_inherited;
SET ROLE regress_team;
SELECT regress_tenancy.mine() AS as_the_team;
RESET ROLE;
SELECT regress_tenancy.mine() AS not_inherited;
RESET SESSION AUTHORIZATION;

-- The login, SET ROLE, RESET ROLE.
GRANT regress_bob TO regress_ann;
SET SESSION AUTHORIZATION regress_ann;
SELECT regress_tenancy.mine() AS ann_and_bob;
SET ROLE regress_bob;
SELECT regress_tenancy.mine() AS bob;
RESET ROLE;
SELECT regress_tenancy.mine() AS ann_and_bob;
RESET SESSION AUTHORIZATION;
REVOKE regress_bob FROM regress_ann;

-- A SECURITY DEFINER function answers for the caller, not for its owner.
CREATE FUNCTION regress_tenancy.definer() RETURNS text LANGUAGE sql SECURITY DEFINER STABLE
    AS 'SELECT current_user || '' '' || regress_tenancy.mine() || '' '' || bcce.bypasses_row_security()';
ALTER FUNCTION regress_tenancy.definer() OWNER TO regress_super;
SET ROLE regress_ann;
SELECT regress_tenancy.definer();
SET ROLE regress_bob;
SELECT regress_tenancy.definer();
RESET ROLE;

-- Who bypasses; a superuser has only its own rows.
SELECT bcce.bypasses_row_security() AS superuser_session;
SET ROLE regress_ann;
SELECT bcce.bypasses_row_security() AS ann;
SET ROLE regress_bypass;
SELECT bcce.bypasses_row_security() AS bypass, regress_tenancy.mine();
SET ROLE regress_super;
SELECT bcce.bypasses_row_security() AS super, regress_tenancy.mine();
RESET ROLE;
INSERT INTO bcce_private.membership (role_name, tenant_id) VALUES ('regress_super', :b);
SET ROLE regress_super;
SELECT regress_tenancy.mine() AS own_row_only;
RESET ROLE;
GRANT regress_team TO regress_super;
ALTER ROLE regress_super NOSUPERUSER;
SET ROLE regress_super;
SELECT bcce.bypasses_row_security() AS super, regress_tenancy.mine() AS no_longer_superuser;
RESET ROLE;

-- Changes in a transaction are seen at the next statement and gone after it.
SET ROLE regress_ann;
SELECT regress_tenancy.mine() AS only_a;
RESET ROLE;
BEGIN;
INSERT INTO bcce_private.membership (role_name, tenant_id, is_default) VALUES ('regress_ann', :c, true);
SET LOCAL ROLE regress_ann;
SELECT regress_tenancy.mine() AS inserted;
RESET ROLE;
SAVEPOINT s;
DELETE FROM bcce_private.membership WHERE role = 'regress_ann'::regrole AND tenant_id = :a;
SET LOCAL ROLE regress_ann;
SELECT regress_tenancy.mine() AS deleted_in_savepoint;
RESET ROLE;
ROLLBACK TO s;
SET LOCAL ROLE regress_ann;
SELECT regress_tenancy.mine() AS after_rollback_to_savepoint;
ROLLBACK;
SET ROLE regress_ann;
SELECT regress_tenancy.mine() AS after_rollback;
RESET ROLE;

-- A command that fails after the cache saw its rows, before its message left.
CREATE FUNCTION regress_tenancy.look_and_fail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    CREATE TEMP TABLE regress_step ();      -- makes the row visible
    SET LOCAL ROLE regress_ann;
    RAISE WARNING 'inside: %', regress_tenancy.mine();
    RAISE EXCEPTION 'failed on purpose';
END
$$;
CREATE TRIGGER "!first" AFTER INSERT ON bcce_private.membership
    FOR EACH ROW EXECUTE FUNCTION regress_tenancy.look_and_fail();
GRANT EXECUTE ON FUNCTION regress_tenancy.look_and_fail() TO regress_ann;
DO $$
BEGIN
    INSERT INTO bcce_private.membership (role_name, tenant_id)
    VALUES ('regress_ann', 'cccccccc-0000-0000-0000-000000000003');
EXCEPTION WHEN raise_exception THEN
    SET LOCAL ROLE regress_ann;
    RAISE WARNING 'caught, then: %', regress_tenancy.mine();
END
$$;
SET ROLE regress_ann;
SELECT regress_tenancy.mine() AS afterwards;
RESET ROLE;
DROP TRIGGER "!first" ON bcce_private.membership;

-- A role that is gone leaves its rows without effect.
CREATE ROLE regress_gone;
INSERT INTO bcce_private.membership (role_name, tenant_id) VALUES ('regress_gone', :c);
GRANT regress_gone TO regress_ann;
SET ROLE regress_ann;
SELECT regress_tenancy.mine() AS through_gone;
RESET ROLE;
DROP ROLE regress_gone;
SET ROLE regress_ann;
SELECT regress_tenancy.mine() AS role_dropped;
RESET ROLE;

-- A generic plan follows SET ROLE.
CREATE TABLE regress_tenancy.fact (tenant_id uuid NOT NULL, n int NOT NULL);
INSERT INTO regress_tenancy.fact
SELECT CASE WHEN n % 10 = 0 THEN :b::uuid WHEN n % 10 < 4 THEN :c::uuid ELSE :a::uuid END, n
FROM generate_series(1, 10000) AS n;
ALTER TABLE regress_tenancy.fact ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY reader ON regress_tenancy.fact FOR SELECT TO regress_readers
    USING (tenant_id = (SELECT bcce.current_tenant()));
GRANT SELECT ON regress_tenancy.fact TO regress_readers;
ANALYZE regress_tenancy.fact;
SET plan_cache_mode = force_generic_plan;
PREPARE how_many (int) AS SELECT count(*) FROM regress_tenancy.fact WHERE n > $1;
SET ROLE regress_ann;
EXECUTE how_many (0);
SET ROLE regress_bob;
EXECUTE how_many (0);
SET ROLE regress_bypass;
EXECUTE how_many (0);
SET ROLE regress_ann;
EXECUTE how_many (0);
RESET ROLE;
-- Several tenants and no default: nothing.
UPDATE bcce_private.membership SET is_default = false;
SET ROLE regress_super;
EXECUTE how_many (0);
RESET ROLE;
UPDATE bcce_private.membership SET tenant_id = :b WHERE role = 'regress_ann'::regrole;
SET ROLE regress_ann;
EXECUTE how_many (0);
RESET ROLE;
DEALLOCATE how_many;
RESET plan_cache_mode;

-- Parallel workers alone do the reading and return the same rows.
CREATE FUNCTION regress_tenancy.uses_gather(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
        IF line ~ 'Gather' THEN
            RETURN true;
        END IF;
    END LOOP;
    RETURN false;
END
$$;
SET parallel_leader_participation = off;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET ROLE regress_bob;
SELECT count(*) = 3000 AS right_count, min(left(tenant_id::text, 1)) = 'c' AND max(left(tenant_id::text, 1)) = 'c' AS right_rows
FROM regress_tenancy.fact;
SELECT regress_tenancy.uses_gather('SELECT count(*) FROM regress_tenancy.fact') AS in_parallel;
-- Within a transaction that has changed the memberships as well.
RESET ROLE;
BEGIN;
UPDATE bcce_private.membership SET tenant_id = :b WHERE role = 'regress_bob'::regrole;
SET LOCAL ROLE regress_bob;
SELECT count(*) = 1000 AS right_count FROM regress_tenancy.fact;
ROLLBACK;
SET ROLE regress_bob;
SELECT count(*) = 3000 AS right_count FROM regress_tenancy.fact;
RESET ROLE;
RESET parallel_leader_participation;
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- A table that is not as expected is an error, not an empty answer.
BEGIN;
ALTER TABLE bcce_private.membership RENAME COLUMN valid_until TO ends;
SELECT bcce.current_tenant();
ROLLBACK;

-- The trigger function is for statements, afterwards.
\set VERBOSITY sqlstate
SELECT bcce.invalidate_cache();
CREATE TABLE regress_tenancy.plain (n int);
CREATE TRIGGER beforehand BEFORE INSERT ON regress_tenancy.plain
    FOR EACH STATEMENT EXECUTE FUNCTION bcce.invalidate_cache();
INSERT INTO regress_tenancy.plain VALUES (1);
\set VERBOSITY default

-- The library and the extension are of one version.
SELECT bcce.library_version() = extversion AS same_version FROM pg_extension WHERE extname = 'bcce';

-- Leave nothing.
DROP SCHEMA regress_tenancy CASCADE;
DELETE FROM bcce_private.membership;
DELETE FROM bcce_data.tenants WHERE slug LIKE 'regress-%';
DROP OWNED BY regress_readers, regress_distant;
DROP ROLE regress_readers, regress_ann, regress_bob, regress_team, regress_bypass, regress_super, regress_distant;
