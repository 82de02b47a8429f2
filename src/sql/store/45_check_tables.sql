-- What check_security() looks for at tables, views and triggers.
CREATE OR REPLACE FUNCTION bcce_data.check_tables() RETURNS TABLE (id text, level text, object text, detail text, fix text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $body$
    WITH RECURSIVE ours AS (
        SELECT c.oid, c.relname, c.relkind, c.relispartition, c.relowner, c.relacl, c.relrowsecurity, c.relforcerowsecurity,
               n.nspname, c.oid::regclass::text AS name,
               EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e') AS is_member,
               EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped) AS has_tenant
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('bcce', 'bcce_data', 'bcce_private')
    ), wanted (policy, is_permissive, command, on_private, roles, reads, writes) AS (
        VALUES ('reader', true, 'r'::"char", false, '{bcce_analytics_user,bcce_cost_analyst}'::text[], '(tenant_id = ( SELECT bcce.current_tenant() AS current_tenant))', NULL),
               ('reader_wall', false, 'r', false, '{bcce_analytics_user,bcce_cost_analyst}', '(tenant_id = ( SELECT bcce.current_tenant() AS current_tenant))', NULL),
               ('platform', true, 'r', false, '{bcce_platform}', '(tenant_id = ANY (( SELECT bcce.current_tenants() AS current_tenants)))', NULL),
               ('writer', true, '*', true, '{bcce_owner}',
                '(( SELECT bcce.bypasses_row_security() AS bypasses_row_security) OR (tenant_id = ANY (( SELECT bcce.current_tenants() AS current_tenants))))',
                '(( SELECT bcce.bypasses_row_security() AS bypasses_row_security) OR (tenant_id = ANY (( SELECT bcce.current_tenants() AS current_tenants))))'),
               ('maintainer', true, '*', true, '{bcce_maintainer}', 'true', 'true')
    ), policy AS (
        SELECT o.name, o.nspname, o.has_tenant, p.oid, p.polrelid, p.polname, p.polpermissive, p.polcmd, p.polroles,
               (SELECT array_agg(r.rolname::text ORDER BY r.rolname) FROM pg_roles r WHERE r.oid = ANY (p.polroles)) AS roles,
               replace(pg_get_expr(p.polqual, p.polrelid), '::uuid[]', '') AS reads,
               replace(pg_get_expr(p.polwithcheck, p.polrelid), '::uuid[]', '') AS writes
        FROM ours o JOIN pg_policy p ON p.polrelid = o.oid
    ), granted AS (
        SELECT o.oid, o.name, o.nspname, o.relname, o.relkind, o.relispartition, o.is_member, o.relowner, a.grantee, a.privilege_type, NULL AS column_name
        FROM ours o, aclexplode(o.relacl) AS a
        UNION ALL
        SELECT o.oid, o.name, o.nspname, o.relname, o.relkind, o.relispartition, o.is_member, o.relowner, a.grantee, a.privilege_type, t.attname
        FROM ours o JOIN pg_attribute t ON t.attrelid = o.oid, aclexplode(t.attacl) AS a
    ), reader (oid, relkind, reloptions, relowner, relacl) AS (    -- what reads the store, at any distance
        SELECT c.oid, c.relkind, c.reloptions, c.relowner, c.relacl
        FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class c ON c.oid = r.ev_class
        WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
          AND d.refobjid IN (SELECT o.oid FROM ours o WHERE NOT o.is_member) AND c.oid <> d.refobjid
        UNION
        SELECT c.oid, c.relkind, c.reloptions, c.relowner, c.relacl
        FROM reader x JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = x.oid AND d.classid = 'pg_rewrite'::regclass
        JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class c ON c.oid = r.ev_class WHERE c.oid <> x.oid
    )
    SELECT 'row_security_off', 'error', o.name, 'Row security is not enabled and forced.',
           format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;', o.name)
    FROM ours o
    WHERE o.relkind IN ('r', 'p') AND NOT o.is_member AND (o.has_tenant OR o.nspname = 'bcce_private') AND NOT (o.relrowsecurity AND o.relforcerowsecurity)
    UNION ALL
    SELECT 'policy_missing', 'error', o.name, format('The policy %s is missing or has another form.', w.policy),
           CASE WHEN o.name = 'bcce_data.tenants' THEN 'SELECT * FROM bcce.install();' ELSE format('DROP POLICY IF EXISTS %I ON %s; SELECT bcce_data.secure_table(%L);', w.policy, o.name, o.name) END
    FROM ours o JOIN wanted w ON w.on_private OR o.nspname <> 'bcce_private'
    LEFT JOIN policy p ON p.polrelid = o.oid AND p.polname = w.policy AND p.polpermissive = w.is_permissive AND p.polcmd = w.command
         AND p.roles = w.roles AND p.reads = w.reads AND p.writes IS NOT DISTINCT FROM w.writes
    WHERE o.relkind IN ('r', 'p') AND o.has_tenant AND p.oid IS NULL
    UNION ALL
    SELECT 'policy_widens', 'error', p.name, format('The policy %s is permissive, so it adds rows to those that the wall lets through.', p.polname),
           format('DROP POLICY %I ON %s;', p.polname, p.name)
    FROM policy p
    WHERE p.polpermissive AND p.polname NOT IN (SELECT w.policy FROM wanted w)
      AND (p.name, p.polname) <> ('bcce_data.rejected_input', 'writer_of_nobody')
    UNION ALL
    SELECT 'policy_setting', 'error', p.name, format('The policy %s asks a setting, which any user can set.', p.polname),
           format('DROP POLICY %I ON %s;', p.polname, p.name)
    FROM policy p WHERE concat(p.reads, p.writes) ~ 'current_setting\('
    UNION ALL
    SELECT 'policy_per_row', 'warning', p.name, format('The policy %s calls the tenant getter for each row.', p.polname),
           'Write (SELECT bcce.current_tenant()), which is evaluated once.'
    FROM policy p
    WHERE regexp_replace(concat(p.reads, p.writes), '\( SELECT bcce\.current_tenants?\(\) AS current_tenants?\)', '', 'g') ~ 'current_tenants?\(\)'
    UNION ALL
    SELECT 'policy_volatility', 'error', f.oid::regprocedure::text, 'Policies call it, and it is not STABLE.', format('ALTER FUNCTION %s STABLE;', f.oid::regprocedure)
    FROM pg_proc f
    WHERE f.provolatile <> 's'
      AND f.oid IN (SELECT d.refobjid FROM policy p JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_proc'::regclass)
    UNION ALL
    SELECT 'partition_granted', 'error', g.name, format('%s has %s on a partition, which goes past the policies and rights of its parent.', coalesce(r.rolname, 'PUBLIC'), g.privilege_type),
           format('REVOKE ALL ON %s FROM %s;', g.name, coalesce(quote_ident(r.rolname), 'PUBLIC'))
    FROM granted g LEFT JOIN pg_roles r ON r.oid = g.grantee
    WHERE g.relispartition AND g.grantee <> g.relowner
    UNION ALL
    SELECT 'privilege_excess', 'error', g.name || coalesce('.' || g.column_name, ''),
           format('%s has %s, which nobody needs.', coalesce(r.rolname, 'PUBLIC'), g.privilege_type),
           format('REVOKE %s%s ON %s FROM %s;', g.privilege_type, ' (' || quote_ident(g.column_name) || ')', g.name, coalesce(quote_ident(r.rolname), 'PUBLIC'))
    FROM granted g LEFT JOIN pg_roles r ON r.oid = g.grantee
    WHERE g.grantee <> g.relowner AND NOT g.relispartition AND NOT g.is_member AND NOT coalesce(r.rolsuper, false)
      AND CASE WHEN g.column_name IS NOT NULL
               THEN g.nspname = 'bcce_private' OR g.privilege_type <> 'SELECT' OR coalesce(r.rolname, '') NOT IN ('bcce_analytics_user', 'bcce_cost_analyst', 'bcce_platform')
               ELSE g.nspname <> 'bcce' OR g.relkind <> 'v' OR g.grantee = 0
                    OR g.privilege_type NOT IN ('SELECT', 'INSERT') OR (g.privilege_type = 'INSERT') <> (g.relname LIKE 'inbox\_%') END
    UNION ALL
    SELECT 'schema_open', 'error', n.nspname, format('%s has %s on the schema.', coalesce(r.rolname, 'PUBLIC'), a.privilege_type),
           format('REVOKE %s ON SCHEMA %I FROM %s;', a.privilege_type, n.nspname, coalesce(quote_ident(r.rolname), 'PUBLIC'))
    FROM pg_namespace n CROSS JOIN aclexplode(n.nspacl) AS a LEFT JOIN pg_roles r ON r.oid = a.grantee
    WHERE a.grantee <> n.nspowner AND coalesce(r.rolname, '') NOT IN ('bcce_owner', 'bcce_maintainer')
      AND (n.nspname IN ('bcce_data', 'bcce_private') OR (n.nspname IN ('bcce', 'public') AND a.privilege_type = 'CREATE' AND NOT coalesce(r.rolsuper, false)
           AND (n.nspname = 'bcce' OR a.grantee = 0)))
    UNION ALL
    SELECT 'owner_other', 'error', o.name, format('It belongs to %s, whom no policy or right binds.', o.relowner::regrole), format('ALTER TABLE %s OWNER TO bcce_owner;', o.name)
    FROM ours o WHERE NOT o.is_member AND o.relkind IN ('r', 'p', 'v') AND o.relowner <> 'bcce_owner'::regrole
    UNION ALL
    SELECT 'view_as_owner', 'error', v.oid::regclass::text, 'The view reads the store with the rights of its owner, past row security.',
           format('ALTER VIEW %s SET (security_invoker = true);', v.oid::regclass)
    FROM (SELECT x.oid, x.relkind, x.reloptions FROM reader x
          UNION SELECT c.oid, c.relkind, c.reloptions FROM pg_class c WHERE c.relnamespace = 'bcce'::regnamespace) AS v
    WHERE v.relkind = 'v' AND NOT coalesce(v.reloptions && '{security_invoker=true,security_invoker=on,security_invoker=1}', false)
    UNION ALL
    SELECT 'materialized_view', 'error', v.oid::regclass::text, 'It keeps rows of all tenants, and row security does not reach them.',
           format('REVOKE ALL ON %s FROM %s;', v.oid::regclass, string_agg(DISTINCT coalesce(quote_ident(r.rolname), 'PUBLIC'), ', '))
    FROM reader v CROSS JOIN aclexplode(v.relacl) AS a LEFT JOIN pg_roles r ON r.oid = a.grantee
    WHERE v.relkind = 'm' AND a.grantee <> v.relowner
    GROUP BY v.oid
    UNION ALL
    SELECT 'trigger_off', 'error', o.name, format('The trigger %s is not ENABLE ALWAYS.', t.tgname),
           format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I;', o.name, t.tgname)
           || CASE WHEN t.tgfoid IN ('bcce.mark_hour()'::regprocedure, 'bcce.forget_marks()'::regprocedure) THEN ' TRUNCATE bcce_data.budget_scopes;' ELSE '' END
    FROM ours o JOIN pg_trigger t ON t.tgrelid = o.oid
    WHERE t.tgfoid IN ('bcce.redact_columns()'::regprocedure, 'bcce.invalidate_cache()'::regprocedure, 'bcce.mark_hour()'::regprocedure, 'bcce.forget_marks()'::regprocedure)
      AND t.tgenabled <> 'A'
    UNION ALL
    SELECT 'trigger_missing', 'error', o.name, 'The redaction trigger is missing.', 'SELECT * FROM bcce.install();'
    FROM ours o
    WHERE o.relkind IN ('r', 'p') AND o.has_tenant AND o.nspname = 'bcce_data'
      -- Text under a check of words or of form needs none; rules are checked by a trigger of their own.
      AND o.relname <> 'redaction_rules'
      AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = o.oid AND a.attnum > 0 AND NOT a.attisdropped
                  AND a.atttypid IN ('text'::regtype, 'varchar'::regtype, 'json'::regtype, 'jsonb'::regtype, 'inet'::regtype, 'cidr'::regtype, 'text[]'::regtype)
                  AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conrelid = o.oid AND c.contype = 'c' AND a.attnum = ANY (c.conkey)
                                  AND pg_get_constraintdef(c.oid) ~ (format('\m%s\M', a.attname) || ' (= ANY|= |~ )')))
      AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = o.oid AND t.tgfoid = 'bcce.redact_columns()'::regprocedure)
    UNION ALL
    SELECT 'key_without_tenant', 'warning', o.name, format('The key %s does not begin with tenant_id, so it tells one tenant what another has.', c.conname),
           format('ALTER TABLE %s DROP CONSTRAINT %I;', o.name, c.conname)
    FROM ours o JOIN pg_constraint c ON c.conrelid = o.oid
    WHERE o.has_tenant AND NOT o.relispartition AND c.contype IN ('p', 'u', 'f', 'x')
      AND (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = o.oid AND a.attnum = c.conkey[1]) <> 'tenant_id'
      AND NOT (c.contype = 'f' AND c.confrelid IN (SELECT x.oid FROM ours x WHERE NOT x.has_tenant))
      AND (o.name, c.conname::text) NOT IN (VALUES ('bcce_data.tenants', 'tenants_slug_key'), ('bcce_data.tenants', 'tenants_external_id_key'))
    UNION ALL
    SELECT 'key_without_tenant', 'warning', o.name, format('The unique index %s does not begin with tenant_id, so it tells one tenant what another has.', x.indexrelid::regclass),
           format('DROP INDEX %s;', x.indexrelid::regclass)
    FROM ours o JOIN pg_index x ON x.indrelid = o.oid
    WHERE o.has_tenant AND NOT o.relispartition AND x.indisunique AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = x.indexrelid)
      AND (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = o.oid AND a.attnum = x.indkey[0]) IS DISTINCT FROM 'tenant_id'
$body$;
COMMENT ON FUNCTION bcce_data.check_tables() IS 'what check_security() finds at tables, views and triggers';
