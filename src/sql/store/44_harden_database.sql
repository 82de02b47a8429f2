-- What the server grants to everybody and a database of tenants should not.
CREATE OR REPLACE FUNCTION bcce.harden_database(apply boolean DEFAULT false) RETURNS TABLE (statement text, reason text, done boolean)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    FOR statement, reason IN
        SELECT format('REVOKE %s ON DATABASE %I FROM PUBLIC', a.privilege_type, d.datname),
               CASE a.privilege_type
                   WHEN 'CONNECT' THEN 'logins of other databases can connect; create_login() grants CONNECT to its own, other roles then need it granted'
                   ELSE 'temporary tables outlive the client of a pooled connection, and a login can shadow names with them' END
        FROM pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS a
        WHERE d.datname = current_database() AND a.grantee = 0
        UNION ALL
        SELECT format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC', n.nspname), 'anybody can put objects there that others may call or read by mistake'
        FROM pg_namespace n, aclexplode(n.nspacl) AS a
        WHERE a.grantee = 0 AND a.privilege_type = 'CREATE' AND n.nspname !~ '^pg_'
        UNION ALL
        SELECT format('REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC', p.oid::regprocedure), 'anybody can call it, and it runs as a superuser'
        FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
        WHERE p.prosecdef AND r.rolsuper AND p.pronamespace <> 'pg_catalog'::regnamespace
          AND EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a WHERE a.grantee = 0)
        ORDER BY 1
    LOOP
        IF apply THEN
            EXECUTE statement;
        END IF;
        done := coalesce(apply, false);
        RETURN NEXT;
    END LOOP;
END
$body$;
COMMENT ON FUNCTION bcce.harden_database(boolean) IS
'What everybody may do in this database and a database of tenants should not allow: one statement a row, and why. Shows them; with apply => true runs them too, as the caller, who must own what they change. No row: nothing is left to do. It never runs by itself, as other applications of the database may count on these rights.';
