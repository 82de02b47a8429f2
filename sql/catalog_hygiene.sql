-- Proves rules of the catalogue that hold for every object, those to come
-- included.  Every query here must return no row.
\t on
SET client_min_messages = warning;

-- What is made later must be guarded as what was made first: a month of the
-- past, in every partitioned table.
BEGIN;
DO $$
DECLARE
    parent regclass;
BEGIN
    FOR parent IN SELECT partrelid FROM pg_partitioned_table JOIN pg_class c ON c.oid = partrelid
                  WHERE c.relnamespace = 'bcce_data'::regnamespace LOOP
        PERFORM bcce_data.make_partition(parent, '2001-02-03 00:00+00');
    END LOOP;
END
$$;
SELECT count(*) = (SELECT count(*) FROM pg_partitioned_table JOIN pg_class c ON c.oid = partrelid WHERE c.relnamespace = 'bcce_data'::regnamespace)
       AND count(*) > 4 AS months_made
FROM pg_class WHERE relname LIKE '%\_2001\_02';

CREATE TEMP VIEW ours AS
SELECT c.oid, c.relname, c.relkind, c.relispartition, c.relowner, c.relacl, c.reloptions, c.relrowsecurity,
       c.relforcerowsecurity, n.nspname, c.oid::regclass::text AS name,
       EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e') AS is_member,
       EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped) AS has_tenant
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('bcce', 'bcce_data', 'bcce_private');
CREATE TEMP VIEW our_functions AS
SELECT p.oid, p.proname, p.prosecdef, p.proconfig, p.proowner, p.proacl, n.nspname, p.oid::regprocedure::text AS name,
       EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e') AS is_member
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname IN ('bcce', 'bcce_data', 'bcce_private');

\echo == views that do not read with the rights of their reader
SELECT name FROM ours
WHERE relkind = 'v' AND nspname = 'bcce' AND NOT coalesce(reloptions @> '{security_invoker=true}', false);

\echo == tables of tenants without row security, or without it forced
SELECT name FROM ours
WHERE relkind IN ('r', 'p') AND has_tenant AND NOT (relrowsecurity AND relforcerowsecurity);

\echo == other private tables without row security, or without it forced
SELECT name FROM ours
WHERE relkind IN ('r', 'p') AND nspname = 'bcce_private' AND NOT is_member AND NOT (relrowsecurity AND relforcerowsecurity);

\echo == tables of tenants without one of the policies, or with one of another form
SELECT o.name, w.policy
FROM ours o
JOIN (VALUES ('reader', true, 'r', false, '{bcce_analytics_user,bcce_cost_analyst}'::text[], '(tenant_id = ( SELECT bcce.current_tenant() AS current_tenant))', NULL),
             ('reader_wall', false, 'r', false, '{bcce_analytics_user,bcce_cost_analyst}', '(tenant_id = ( SELECT bcce.current_tenant() AS current_tenant))', NULL),
             ('platform', true, 'r', false, '{bcce_platform}', '(tenant_id = ANY (( SELECT bcce.current_tenants() AS current_tenants)))', NULL),
             ('writer', true, '*', true, '{bcce_owner}',
              '(( SELECT bcce.bypasses_row_security() AS bypasses_row_security) OR (tenant_id = ANY (( SELECT bcce.current_tenants() AS current_tenants))))',
              '(( SELECT bcce.bypasses_row_security() AS bypasses_row_security) OR (tenant_id = ANY (( SELECT bcce.current_tenants() AS current_tenants))))'),
             ('maintainer', true, '*', true, '{bcce_maintainer}', 'true', 'true'))
     AS w (policy, is_permissive, command, is_private, roles, reads, writes)
  ON w.is_private OR o.nspname <> 'bcce_private'
LEFT JOIN pg_policy p ON p.polrelid = o.oid AND p.polname = w.policy
  AND p.polpermissive = w.is_permissive AND p.polcmd = w.command
  AND (SELECT array_agg(rolname::text ORDER BY rolname) FROM pg_roles WHERE oid = ANY (p.polroles)) = w.roles
  AND replace(pg_get_expr(p.polqual, p.polrelid), '::uuid[]', '') = w.reads
  AND replace(pg_get_expr(p.polwithcheck, p.polrelid), '::uuid[]', '') IS NOT DISTINCT FROM w.writes
WHERE o.relkind IN ('r', 'p') AND o.has_tenant AND p.oid IS NULL
ORDER BY 1, 2;

\echo == policies besides these
SELECT o.name, p.polname FROM ours o JOIN pg_policy p ON p.polrelid = o.oid
WHERE p.polname NOT IN ('reader', 'reader_wall', 'platform', 'writer', 'maintainer')
   AND (o.name, p.polname) <> ('bcce_data.rejected_input', 'writer_of_nobody')
   OR (o.nspname = 'bcce_private' AND p.polname NOT IN ('writer', 'maintainer'))
ORDER BY 1, 2;

\echo == rights on a partition for anybody but its owner
SELECT o.name, a.grantee::regrole, a.privilege_type
FROM ours o CROSS JOIN aclexplode(o.relacl) AS a
WHERE o.relispartition AND a.grantee <> o.relowner
UNION ALL
SELECT o.name || '.' || t.attname, a.grantee::regrole, a.privilege_type
FROM ours o JOIN pg_attribute t ON t.attrelid = o.oid CROSS JOIN aclexplode(t.attacl) AS a
WHERE o.relispartition AND a.grantee <> o.relowner;

\echo == rights that nobody needs
SELECT o.name, a.grantee::regrole, a.privilege_type
FROM ours o CROSS JOIN aclexplode(o.relacl) AS a
WHERE a.grantee <> o.relowner
  AND (a.privilege_type IN ('TRUNCATE', 'REFERENCES', 'TRIGGER', 'DELETE', 'UPDATE') OR a.grantee = 0
       OR o.relkind IN ('S', 'm') OR (o.nspname <> 'bcce' AND NOT o.is_member)
       OR (a.privilege_type = 'INSERT' AND NOT (o.relname LIKE 'inbox\_%' AND a.grantee = 'bcce_ingest'::regrole)))
UNION ALL
SELECT o.name || '.' || t.attname, a.grantee::regrole, a.privilege_type
FROM ours o JOIN pg_attribute t ON t.attrelid = o.oid CROSS JOIN aclexplode(t.attacl) AS a
WHERE a.grantee <> o.relowner
  AND (a.privilege_type <> 'SELECT' OR a.grantee = 0 OR o.nspname = 'bcce_private'
       OR a.grantee NOT IN ('bcce_analytics_user'::regrole, 'bcce_cost_analyst'::regrole, 'bcce_platform'::regrole));

\echo == sequences and materialized views in reach
SELECT name FROM ours WHERE relkind = 'm' OR (relkind = 'S' AND relacl IS NOT NULL);

\echo == use of the schemas of the store for anybody but its owners
SELECT n.nspname, a.grantee::regrole, a.privilege_type
FROM pg_namespace n CROSS JOIN aclexplode(n.nspacl) AS a
WHERE n.nspname IN ('bcce_data', 'bcce_private')
  AND a.grantee NOT IN ('bcce_owner'::regrole, 'bcce_maintainer'::regrole);

\echo == objects of the store that belong to somebody else
SELECT name, relowner::regrole FROM ours
WHERE NOT is_member AND relkind IN ('r', 'p', 'v') AND relowner <> 'bcce_owner'::regrole
UNION ALL
SELECT name, proowner::regrole FROM our_functions
WHERE NOT is_member AND proowner NOT IN ('bcce_owner'::regrole, 'bcce_maintainer'::regrole);

\echo == functions with the rights of their owner: no fixed search_path, a superuser as owner, open to everybody
SELECT name, proowner::regrole FROM our_functions
WHERE prosecdef
  AND (NOT coalesce(proconfig @> '{"search_path=pg_catalog, pg_temp"}', false)
       OR (SELECT rolsuper OR rolbypassrls OR rolcanlogin FROM pg_roles WHERE oid = proowner)
       OR (proname <> 'whoami'
           AND EXISTS (SELECT FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) AS a WHERE a.grantee = 0)));

\echo == members with the rights of their owner
SELECT name FROM our_functions WHERE prosecdef AND is_member;

\echo == functions of the store that everybody may call
SELECT name FROM our_functions
WHERE NOT is_member AND proname <> 'whoami'
  AND EXISTS (SELECT FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) AS a WHERE a.grantee = 0);

-- Helpers that only their owner may call run under the path of their caller.
\echo == SQL and PL/pgSQL functions in reach without a fixed search_path whose body is a string
SELECT f.name FROM our_functions f JOIN pg_proc p USING (oid) JOIN pg_language l ON l.oid = p.prolang
WHERE l.lanname IN ('sql', 'plpgsql') AND p.prosqlbody IS NULL
  AND NOT coalesce(f.proconfig @> '{"search_path=pg_catalog, pg_temp"}', false)
  AND (f.nspname = 'bcce' OR EXISTS (SELECT FROM aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) AS a WHERE a.grantee <> f.proowner))
  -- Called by a generated column, with every name qualified.
  AND f.name <> 'bcce_private.role_by_name(text)';

\echo == objects without a comment
SELECT 'schema ' || nspname FROM pg_namespace
WHERE nspname IN ('bcce', 'bcce_data', 'bcce_private') AND obj_description(oid, 'pg_namespace') IS NULL
UNION ALL
SELECT 'role ' || rolname FROM pg_roles WHERE rolname LIKE 'bcce\_%' AND rolname <> 'bcce_tester' AND NOT rolcanlogin AND shobj_description(oid, 'pg_authid') IS NULL
UNION ALL
SELECT 'relation ' || name FROM ours WHERE relkind IN ('r', 'p', 'v') AND obj_description(oid, 'pg_class') IS NULL
UNION ALL
SELECT 'column ' || o.name || '.' || a.attname FROM ours o JOIN pg_attribute a ON a.attrelid = o.oid
WHERE o.relkind IN ('r', 'p', 'v') AND NOT o.relispartition AND a.attnum > 0 AND NOT a.attisdropped
  AND col_description(o.oid, a.attnum) IS NULL
UNION ALL
SELECT 'function ' || name FROM our_functions WHERE obj_description(oid, 'pg_proc') IS NULL
ORDER BY 1;

\echo == text, JSON and addresses that neither the redaction trigger nor a check of words or form guards
SELECT o.name, a.attname
FROM ours o JOIN pg_attribute a ON a.attrelid = o.oid
WHERE o.relkind IN ('r', 'p') AND o.has_tenant AND NOT o.relispartition
  AND a.attnum > 0 AND NOT a.attisdropped
  AND a.atttypid IN ('text'::regtype, 'varchar'::regtype, 'json'::regtype, 'jsonb'::regtype, 'inet'::regtype, 'cidr'::regtype,
                     'text[]'::regtype, 'name'::regtype, 'bpchar'::regtype, 'xml'::regtype)
  AND NOT EXISTS (
        SELECT FROM pg_trigger t
        WHERE t.tgrelid = o.oid AND t.tgfoid = 'bcce.redact_columns()'::regprocedure
          AND a.attname::text IN (SELECT regexp_replace(argument, '^[a-z]+:', '')
                                  FROM unnest(string_to_array(encode(t.tgargs, 'escape'), '\000')) AS argument))
  AND NOT EXISTS (
        SELECT FROM pg_constraint c
        WHERE c.conrelid = o.oid AND c.contype = 'c' AND a.attnum = ANY (c.conkey)
          AND pg_get_constraintdef(c.oid) ~ (format('\m%s\M', a.attname) || ' (= ANY|= |~ )'))
  AND (o.name, a.attname::text) NOT IN (
        VALUES -- A name of a zone: a check asks the server whether it knows it.
               ('bcce_data.tenants', 'timezone'), ('bcce_data.budgets', 'timezone'),
               -- A name in pg_roles, which is there in clear.
               ('bcce_private.membership', 'role_name'),
               ('bcce_private.token_login', 'role_name'),
               -- References a row of the defaults, which a DBA writes.
               ('bcce_data.health_thresholds', 'threshold'),
               -- What a tenant hides, as it is to be found; a trigger refuses what the built-in kinds find.
               ('bcce_data.redaction_rules', 'literal'), ('bcce_data.redaction_rules', 'pattern'), ('bcce_data.redaction_rules', 'context_words'))
ORDER BY 1, 2;

\echo == redaction triggers that replication would skip, or that do not fire before both insert and update of a row
SELECT o.name, t.tgenabled, t.tgtype FROM ours o JOIN pg_trigger t ON t.tgrelid = o.oid
WHERE t.tgfoid = 'bcce.redact_columns()'::regprocedure AND (t.tgenabled <> 'A' OR t.tgtype <> 1 + 2 + 4 + 16 OR t.tgqual IS NOT NULL);
\echo == partitions whose parent has a redaction trigger and which have none
SELECT o.name FROM ours o JOIN pg_inherits i ON i.inhrelid = o.oid JOIN pg_trigger t ON t.tgrelid = i.inhparent
WHERE t.tgfoid = 'bcce.redact_columns()'::regprocedure
  AND NOT EXISTS (SELECT FROM pg_trigger c WHERE c.tgrelid = o.oid AND c.tgparentid = t.oid);
\echo == triggers that forget cached configuration and that replication would skip
SELECT o.name, t.tgname FROM ours o JOIN pg_trigger t ON t.tgrelid = o.oid
WHERE t.tgfoid = 'bcce.invalidate_cache()'::regprocedure AND t.tgenabled <> 'A';

\echo == keys of tenants that are not led by the tenant
SELECT o.name, c.conname FROM ours o JOIN pg_constraint c ON c.conrelid = o.oid
WHERE o.has_tenant AND NOT o.relispartition AND c.contype IN ('p', 'u', 'f', 'x')
  AND (SELECT attname FROM pg_attribute WHERE attrelid = o.oid AND attnum = c.conkey[1]) <> 'tenant_id'
  AND (o.name, c.conname::text) NOT IN (
        VALUES -- What finds a tenant cannot be led by it.
               ('bcce_data.tenants', 'tenants_slug_key'),
               ('bcce_data.tenants', 'tenants_external_id_key'),
               -- References a table that has no tenants.
               ('bcce_data.health_thresholds', 'health_thresholds_threshold_fkey'))
UNION ALL
SELECT o.name, x.indexrelid::regclass::text FROM ours o JOIN pg_index x ON x.indrelid = o.oid
WHERE o.has_tenant AND NOT o.relispartition
  AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = x.indexrelid)
  AND (SELECT attname FROM pg_attribute WHERE attrelid = o.oid AND attnum = x.indkey[0]) IS DISTINCT FROM 'tenant_id';

\echo == columns of reports in types that BI tools cannot read
SELECT o.name, a.attname, format_type(a.atttypid, a.atttypmod)
FROM ours o JOIN pg_attribute a ON a.attrelid = o.oid JOIN pg_type t ON t.oid = a.atttypid
WHERE o.relkind = 'v' AND o.nspname = 'bcce' AND a.attnum > 0
  AND (t.typtype IN ('r', 'm', 'e', 'c') OR t.typcategory IN ('A', 'R', 'E') OR t.oid IN ('interval'::regtype, 'timestamp'::regtype, 'real'::regtype));

\echo == reports whose twin has other columns
SELECT o.name
FROM ours o JOIN pg_proc p ON p.pronamespace = 'bcce'::regnamespace AND p.proname = o.relname AND p.proretset
WHERE o.relkind = 'v' AND o.nspname = 'bcce'
  AND (SELECT array_agg(a.attname::text || ' ' || a.atttypid::regtype ORDER BY a.attnum)
       FROM pg_attribute a WHERE a.attrelid = o.oid AND a.attnum > 0 AND NOT a.attisdropped)
      IS DISTINCT FROM
      (SELECT array_agg(p.proargnames[i] || ' ' || p.proallargtypes[i]::regtype ORDER BY i)
       FROM generate_subscripts(p.proargmodes, 1) AS i WHERE p.proargmodes[i] = 't');

\echo == functions that nobody said may run in parallel, or may not, though they only compute
SELECT name FROM our_functions JOIN pg_proc p USING (oid)
WHERE is_member AND p.provolatile = 'i' AND p.proparallel <> 's';

\echo == group roles that can do more than they should
SELECT rolname FROM pg_roles
WHERE rolname IN ('bcce_owner', 'bcce_maintainer', 'bcce_analytics_user', 'bcce_cost_analyst', 'bcce_analytics_admin', 'bcce_ingest', 'bcce_platform', 'bcce_token')
  AND (rolcanlogin OR rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication);
\echo == group roles in groups that they should not be in
SELECT m.member::regrole, m.roleid::regrole FROM pg_auth_members m
WHERE m.member::regrole::text LIKE 'bcce\_%' AND m.roleid::regrole::text LIKE 'bcce\_%'
  AND (m.member::regrole::text, m.roleid::regrole::text) NOT IN (VALUES ('bcce_analytics_admin', 'bcce_analytics_user'), ('bcce_maintainer', 'bcce_owner'));
ROLLBACK;
