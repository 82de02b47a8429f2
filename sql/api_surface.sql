-- Lists everything that people touch, so that no change of it goes unnoticed:
-- what belongs to the extension, and what install() puts into schema bcce.
SET client_min_messages = warning;
\pset format unaligned
\pset tuples_only on

\echo == members of the extension
SELECT pg_describe_object(classid, objid, objsubid) COLLATE "C" AS member
FROM pg_depend
WHERE refclassid = 'pg_extension'::regclass AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'bcce') AND deptype = 'e'
  AND classid <> 'pg_type'::regclass        -- the row types of members, listed since PostgreSQL 17
ORDER BY member;

\echo == functions: who may change the answer, NULL in, parallel, whose rights, member or made by install()
SELECT format('%s %s -> %s | %s %s %s%s | %s',
              CASE p.prokind WHEN 'a' THEN 'aggregate' ELSE 'function' END,
              p.oid::regprocedure, pg_get_function_result(p.oid),
              CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END,
              CASE WHEN p.proisstrict THEN 'strict' ELSE 'called' END,
              CASE p.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' ELSE 'unsafe' END,
              CASE WHEN p.prosecdef THEN ' definer' ELSE '' END,
              CASE WHEN EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
                   THEN 'member' ELSE 'owner ' || p.proowner::regrole END) COLLATE "C" AS line
FROM pg_proc p
WHERE p.pronamespace = 'bcce'::regnamespace
ORDER BY line;

\echo == views, their columns and who may read or write them
SELECT format('view %s (%s) | %s', c.oid::regclass,
              (SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum)
               FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
              (SELECT string_agg(lower(x.privilege_type) || ' ' || x.grantee::regrole, ', ' ORDER BY x.privilege_type COLLATE "C", x.grantee::regrole::text COLLATE "C")
               FROM aclexplode(c.relacl) AS x WHERE x.grantee <> c.relowner)) COLLATE "C" AS line
FROM pg_class c WHERE c.relnamespace = 'bcce'::regnamespace AND c.relkind = 'v'
ORDER BY line;

\echo == who may call what is not for everybody
SELECT format('%s: %s', p.oid::regprocedure,
              (SELECT string_agg(x.grantee::regrole::text, ', ' ORDER BY x.grantee::regrole::text COLLATE "C")
               FROM aclexplode(p.proacl) AS x WHERE x.grantee <> p.proowner)) COLLATE "C" AS line
FROM pg_proc p
WHERE p.pronamespace = 'bcce'::regnamespace
  AND NOT EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS x WHERE x.grantee = 0)
ORDER BY line;

\echo == columns of the store that readers may read, through the reports
SELECT format('%s: %s(%s)', g.grantee, c.oid::regclass, g.columns) COLLATE "C" AS line
FROM pg_class c
CROSS JOIN LATERAL (
    SELECT x.grantee::regrole::text AS grantee, string_agg(a.attname, ', ' ORDER BY a.attname COLLATE "C") AS columns
    FROM pg_attribute a CROSS JOIN aclexplode(a.attacl) AS x
    WHERE a.attrelid = c.oid GROUP BY x.grantee) AS g
WHERE c.relnamespace IN ('bcce_data'::regnamespace, 'bcce_private'::regnamespace)
ORDER BY line;

\echo == settings
LOAD 'bcce';
SELECT format('%s | %s | %s', name, context, short_desc) FROM pg_settings WHERE name LIKE 'bcce.%' ORDER BY 1;
