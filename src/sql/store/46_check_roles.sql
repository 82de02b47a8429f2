-- What check_security() looks for at roles, functions, settings and keys.
CREATE OR REPLACE FUNCTION bcce_data.check_roles() RETURNS TABLE (id text, level text, object text, detail text, fix text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
    WITH RECURSIVE groups AS (
        SELECT r.oid, r.rolname, r.rolcanlogin, r.rolsuper, r.rolbypassrls, r.rolcreaterole, r.rolcreatedb, r.rolreplication
        FROM pg_roles r
        WHERE r.rolname IN ('bcce_owner', 'bcce_maintainer', 'bcce_analytics_user', 'bcce_cost_analyst', 'bcce_analytics_admin', 'bcce_ingest', 'bcce_platform', 'bcce_token')
    ), belongs (member, role) AS (      -- who is in which role, at any distance
        SELECT m.member, m.roleid FROM pg_auth_members m
        UNION
        SELECT b.member, m.roleid FROM belongs b JOIN pg_auth_members m ON m.member = b.role
    ), membership (member, role, fix) AS (      -- since 16 each grantor's is one of its own, which only it or its name revokes
        SELECT m.member, m.roleid, format('REVOKE %s FROM %s', m.roleid::regrole, m.member::regrole)
               || coalesce(' GRANTED BY ' || quote_ident(g.rolname), '') || CASE WHEN m.admin_option THEN ' CASCADE;' ELSE ';' END
        FROM pg_auth_members m LEFT JOIN pg_roles g ON g.oid = m.grantor AND g.oid <> 10
    ), power (role, id, level) AS (     -- of roles that the server brings
        VALUES ('pg_read_all_data', 'login_reads_all', 'error'), ('pg_write_all_data', 'login_reads_all', 'error'),
               ('pg_read_server_files', 'login_reads_all', 'error'), ('pg_write_server_files', 'login_reads_all', 'error'),
               ('pg_execute_server_program', 'login_reads_all', 'error'),
               ('pg_monitor', 'login_reads_all', 'warning'), ('pg_read_all_stats', 'login_reads_all', 'warning'),
               ('pg_signal_backend', 'login_disturbs', 'warning'), ('pg_maintain', 'login_disturbs', 'warning')
    ), login AS (                       -- logins that have to do with tenants
        SELECT r.oid, r.rolname, r.rolsuper, r.rolbypassrls, r.rolcreaterole, r.rolreplication
        FROM pg_roles r
        WHERE r.rolcanlogin
          AND (EXISTS (SELECT FROM belongs b JOIN groups g ON g.oid = b.role WHERE b.member = r.oid)
               OR EXISTS (SELECT FROM bcce_private.membership m WHERE m.role = r.oid)
               OR EXISTS (SELECT FROM bcce_private.token_login t WHERE t.role = r.oid))
    )
    SELECT 'group_power', 'error', g.rolname::text, 'A group role of bcce can log in or has an attribute of power.',
           format('ALTER ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION;', g.rolname)
    FROM groups g WHERE g.rolcanlogin OR g.rolsuper OR g.rolbypassrls OR g.rolcreaterole OR g.rolcreatedb OR g.rolreplication
    UNION ALL
    SELECT 'owner_granted', 'error', m.member::regrole::text, format('It is a member of %s, which owns the store or its upkeep.', m.role::regrole), m.fix
    FROM membership m JOIN groups g ON g.oid = m.role
    WHERE g.rolname IN ('bcce_owner', 'bcce_maintainer') AND m.member <> 'bcce_maintainer'::regrole
      AND NOT (SELECT r.rolsuper FROM pg_roles r WHERE r.oid = m.member)
    UNION ALL
    SELECT 'login_power', 'error', l.rolname::text,
           concat_ws(', ', CASE WHEN l.rolsuper THEN 'superuser' END, CASE WHEN l.rolbypassrls THEN 'bypasses row security' END,
                     CASE WHEN l.rolcreaterole THEN 'can make roles' END, CASE WHEN l.rolreplication THEN 'can replicate' END) || ': the wall does not hold it.',
           format('ALTER ROLE %I NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOREPLICATION;', l.rolname)
    FROM login l WHERE l.rolsuper OR l.rolbypassrls OR l.rolcreaterole OR l.rolreplication
    UNION ALL
    SELECT p.id, p.level, l.rolname::text, format('It is a member of %s.', p.role), string_agg(DISTINCT m.fix, ' ')
    FROM login l JOIN belongs b ON b.member = l.oid JOIN power p ON p.role = b.role::regrole::text
    JOIN membership m ON m.role = b.role AND (m.member = l.oid OR EXISTS (SELECT FROM belongs x WHERE x.member = l.oid AND x.role = m.member))
    WHERE m.member::regrole::text NOT LIKE 'pg\_%'
    GROUP BY p.id, p.level, l.rolname, p.role
    UNION ALL
    SELECT 'login_owns_database', 'error', l.rolname::text, 'It owns the database.', format('ALTER DATABASE %I OWNER TO another_role;', d.datname)
    FROM login l JOIN pg_database d ON d.datdba = l.oid AND d.datname = current_database()
    UNION ALL
    -- RESET ROLE and SET ROLE are one statement away for whoever types SQL.
    SELECT 'login_two_tenants', 'error', l.rolname::text, format('By SET ROLE it can become roles of %s tenants.', count(DISTINCT m.tenant_id)),
           'Give each tenant a login of its own, or use tokens.'
    FROM login l JOIN bcce_private.membership m ON m.role = l.oid OR EXISTS (SELECT FROM belongs b WHERE b.member = l.oid AND b.role = m.role)
    WHERE NOT l.rolsuper
    GROUP BY l.oid, l.rolname
    HAVING count(DISTINCT m.role::oid) > 1 AND count(DISTINCT m.tenant_id) > 1
    UNION ALL
    SELECT 'membership_dangling', 'warning', m.role_name,
           CASE WHEN m.role IS NULL THEN 'No role of this name exists; the next one of it gets the tenant.' ELSE 'The role is dropped.' END,
           format('DELETE FROM bcce_private.membership WHERE role_name = %L AND tenant_id = %L;', m.role_name, m.tenant_id)
    FROM bcce_private.membership m
    WHERE m.role IS NULL OR NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = m.role)
    UNION ALL
    SELECT 'token_login_dangling', 'warning', t.role_name, 'The role is dropped, or no role of this name exists.',
           format('DELETE FROM bcce_private.token_login WHERE role_name = %L;', t.role_name)
    FROM bcce_private.token_login t
    WHERE t.role IS NULL OR NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = t.role)
    UNION ALL
    SELECT 'token_login_bound', 'warning', t.role_name, 'It presents tokens and has memberships, which would count if it ceased to.', 'SELECT bcce.remove_membership(role, tenant);'
    FROM bcce_private.token_login t WHERE EXISTS (SELECT FROM bcce_private.membership m WHERE m.role = t.role)
    UNION ALL
    SELECT 'key_expired', 'info', k.kid, 'The key is past its end.', format('DELETE FROM bcce_private.context_key WHERE kid = %L;', k.kid)
    FROM bcce_private.context_key k WHERE k.not_after < now() AND k.revoked_at IS NULL
    UNION ALL
    SELECT 'parameter_granted', 'warning', p.parname, format('%s has %s on the setting.', coalesce(r.rolname, 'PUBLIC'), a.privilege_type),
           format('REVOKE %s ON PARAMETER %s FROM %s;', a.privilege_type, p.parname, coalesce(quote_ident(r.rolname), 'PUBLIC'))
    FROM pg_parameter_acl p CROSS JOIN aclexplode(p.paracl) AS a LEFT JOIN pg_roles r ON r.oid = a.grantee
    WHERE p.parname LIKE 'bcce.%' AND NOT coalesce(r.rolsuper, false)
    UNION ALL
    SELECT 'definer_path', 'error', f.oid::regprocedure::text, 'It runs with the rights of its owner and has no search_path that ends in pg_temp.',
           format('ALTER FUNCTION %s SET search_path = pg_catalog, pg_temp;', f.oid::regprocedure)
    FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace
    WHERE n.nspname IN ('bcce', 'bcce_data', 'bcce_private') AND f.prosecdef
      AND NOT EXISTS (SELECT FROM unnest(f.proconfig) AS c WHERE c ~ '^search_path=.*pg_temp$')
    UNION ALL
    SELECT 'definer_superuser', 'error', f.oid::regprocedure::text, format('It runs as %s, whom row security does not hold, and %s may call it.', o.rolname,
           coalesce((SELECT string_agg(DISTINCT coalesce(g.rolname, 'PUBLIC'), ', ') FROM aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) AS a LEFT JOIN pg_roles g ON g.oid = a.grantee
                     WHERE a.grantee <> f.proowner), 'its owner')),
           CASE WHEN n.nspname IN ('bcce', 'bcce_data', 'bcce_private') THEN 'SELECT * FROM bcce.install();' ELSE format('ALTER ROUTINE %s SECURITY INVOKER;', f.oid::regprocedure) END
    FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace JOIN pg_roles o ON o.oid = f.proowner
    WHERE f.prosecdef AND (o.rolsuper OR o.rolbypassrls) AND o.oid NOT IN (SELECT g.oid FROM groups g) AND n.nspname NOT IN ('pg_catalog', 'information_schema')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e' AND n.nspname NOT IN ('bcce', 'bcce_data', 'bcce_private'))
      AND (n.nspname IN ('bcce', 'bcce_data', 'bcce_private')
           OR EXISTS (SELECT FROM aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) AS a
                      WHERE a.grantee = 0 OR a.grantee IN (SELECT g.oid FROM groups g) OR a.grantee IN (SELECT l.oid FROM login l WHERE NOT l.rolsuper)))
    UNION ALL
    SELECT 'function_open', 'error', f.oid::regprocedure::text, 'Everybody may call it.', format('REVOKE ALL ON ROUTINE %s FROM PUBLIC;', f.oid::regprocedure)
    FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace
    WHERE n.nspname IN ('bcce', 'bcce_data', 'bcce_private') AND f.oid <> 'bcce.whoami()'::regprocedure
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e')
      AND EXISTS (SELECT FROM aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) AS a WHERE a.grantee = 0)
    UNION ALL
    SELECT 'function_leakproof', 'error', f.oid::regprocedure::text, 'It is marked LEAKPROOF, so it meets rows before the policies do.', format('ALTER FUNCTION %s NOT LEAKPROOF;', f.oid::regprocedure)
    FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace
    WHERE f.proleakproof AND n.nspname NOT IN ('pg_catalog', 'information_schema')
      AND (n.nspname IN ('bcce', 'bcce_data', 'bcce_private')
           OR NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e'))
$body$;
COMMENT ON FUNCTION bcce_data.check_roles() IS 'what check_security() finds at roles, functions, settings and keys';

CREATE OR REPLACE FUNCTION bcce.check_security() RETURNS TABLE (id text, level text, object text, detail text, fix text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
    SELECT c.id, c.level, c.object, c.detail, c.fix
    FROM (SELECT * FROM bcce_data.check_tables() UNION ALL SELECT * FROM bcce_data.check_roles()) AS c
    ORDER BY array_position('{error,warning,info}', c.level), c.id, c.object, c.detail
$body$;
COMMENT ON FUNCTION bcce.check_security() IS
'Faults in the catalogue that let a tenant see more than its own, or that would if another thing failed too: id of the rule, level (error: the wall has a hole; warning: it is weaker; info), object, what is wrong, and the way out. No row: nothing found. What everybody may do in the database by the server''s own defaults is shown by harden_database() instead.';
