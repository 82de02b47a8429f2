-- public.fingerprint: one row for each property of the store that must survive
-- a repair, a re-creation and a dump.  Names, never OIDs.
CREATE VIEW public.fingerprint AS
WITH ours AS (
    SELECT c.* FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('bcce', 'bcce_data', 'bcce_private')
)
SELECT 'relation' AS kind, c.oid::regclass::text AS object,
       concat_ws(' ', c.relkind, c.relrowsecurity, c.relforcerowsecurity, c.relowner::regrole, c.reloptions,
                 pg_get_expr(c.relpartbound, c.oid), obj_description(c.oid, 'pg_class')) AS property
FROM ours c WHERE c.relkind IN ('r', 'p', 'v')
UNION ALL
SELECT 'column', c.oid::regclass || '.' || a.attname,
       concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated, pg_get_expr(d.adbin, d.adrelid),
                 CASE WHEN NOT c.relispartition THEN col_description(c.oid, a.attnum) END)
FROM ours c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relkind IN ('r', 'p', 'v')
UNION ALL
SELECT 'right', c.oid::regclass::text, x.grantee::regrole || ' ' || x.privilege_type
FROM ours c CROSS JOIN aclexplode(c.relacl) AS x WHERE x.grantee <> c.relowner AND c.relkind IN ('r', 'p', 'v')
UNION ALL
SELECT 'right', c.oid::regclass || '.' || a.attname, x.grantee::regrole || ' ' || x.privilege_type
FROM ours c JOIN pg_attribute a ON a.attrelid = c.oid CROSS JOIN aclexplode(a.attacl) AS x
UNION ALL
SELECT 'policy', c.oid::regclass || ' ' || p.polname,
       concat_ws(' ', p.polpermissive, p.polcmd,
                 (SELECT array_agg(r.rolname ORDER BY r.rolname) FROM pg_roles r WHERE r.oid = ANY (p.polroles)),
                 pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
FROM ours c JOIN pg_policy p ON p.polrelid = c.oid
UNION ALL
SELECT 'trigger', c.oid::regclass || ' ' || t.tgname, t.tgenabled::text || ' ' || pg_get_triggerdef(t.oid)
FROM ours c JOIN pg_trigger t ON t.tgrelid = c.oid WHERE NOT t.tgisinternal
UNION ALL
SELECT 'index', x.indrelid::regclass || ' ' || i.relname, pg_get_indexdef(x.indexrelid)
FROM ours c JOIN pg_index x ON x.indrelid = c.oid JOIN pg_class i ON i.oid = x.indexrelid
UNION ALL
SELECT 'constraint', c.oid::regclass || ' ' || k.conname, pg_get_constraintdef(k.oid)
FROM ours c JOIN pg_constraint k ON k.conrelid = c.oid
UNION ALL
SELECT 'function', p.oid::regprocedure::text,
       concat_ws(' ', p.proowner::regrole, p.prosecdef, p.provolatile, p.proisstrict, p.proparallel, p.proconfig,
                 CASE WHEN p.prosqlbody IS NULL THEN md5(pg_get_functiondef(p.oid)) END, obj_description(p.oid, 'pg_proc'))
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname IN ('bcce', 'bcce_data', 'bcce_private') AND p.prokind <> 'a'
UNION ALL
SELECT 'right', p.oid::regprocedure::text,
       CASE x.grantee WHEN 0 THEN 'everybody' ELSE x.grantee::regrole::text END || ' ' || x.privilege_type
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
CROSS JOIN aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS x
WHERE n.nspname IN ('bcce', 'bcce_data', 'bcce_private') AND x.grantee <> p.proowner
UNION ALL
SELECT 'right', 'schema ' || n.nspname,
       CASE x.grantee WHEN 0 THEN 'everybody' ELSE x.grantee::regrole::text END || ' ' || x.privilege_type
FROM pg_namespace n CROSS JOIN aclexplode(n.nspacl) AS x
WHERE n.nspname IN ('bcce', 'bcce_data', 'bcce_private') AND x.grantee <> n.nspowner;
