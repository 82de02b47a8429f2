-- Making tenants and logins, and finding out who one is.
CREATE OR REPLACE FUNCTION bcce.create_tenant(
    slug text, name text, external_id text DEFAULT NULL, timezone text DEFAULT 'UTC') RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    made uuid := bcce.uuid_v7();
BEGIN
    IF slug IS NULL OR slug !~ '^[a-z0-9][a-z0-9-]{0,62}$' THEN
        PERFORM bcce.raise_error('22023', 'a tenant''s slug is 1 to 63 of a-z, 0-9 and -, not beginning with -', NULL,
            'Take a short name that writers can put in a column, such as acme.');
    END IF;
    IF name IS NULL OR length(bcce.redact(name)) NOT BETWEEN 1 AND 200 OR length(name) > 200 THEN
        PERFORM bcce.raise_error('22023', 'a tenant''s name has 1 to 200 characters', NULL,
            'Give the name that reports are to show.');
    END IF;
    IF length(external_id) NOT BETWEEN 1 AND 200 OR bcce.contains_pii(external_id) THEN
        PERFORM bcce.raise_error('22023', 'an external id has 1 to 200 characters and no personal data', NULL,
            'Give the id under which your systems know the tenant, not a person''s address; leave it out where there is none.');
    END IF;
    IF timezone IS NULL OR NOT EXISTS (SELECT FROM pg_timezone_names z WHERE z.name = create_tenant.timezone) THEN
        PERFORM bcce.raise_error('22023', 'unknown time zone', NULL,
            'Give an IANA name, such as Europe/Berlin; pg_timezone_names lists them.');
    END IF;
    IF EXISTS (SELECT FROM bcce_data.tenants t
               WHERE t.slug = create_tenant.slug OR t.external_id = create_tenant.external_id) THEN
        PERFORM bcce.raise_error('23505', 'a tenant with this slug or external id exists', NULL,
            'Choose another slug; a deleted tenant keeps its own.');
    END IF;
    INSERT INTO bcce_data.tenants (tenant_id, tenant_name, slug, external_id, timezone)
    VALUES (made, name, slug, external_id, timezone);
    -- Three random uuids carry 366 random bits; the key has 256.
    INSERT INTO bcce_private.tenant_key (tenant_id, key)
    VALUES (made, sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));
    RETURN made;
END
$body$;
COMMENT ON FUNCTION bcce.create_tenant(text, text, text, text) IS
'Makes a tenant and its random key; returns its id. slug: short name for writers and logins. timezone: IANA name in which its days are cut. Errors: 22023 bad slug, name, external id or zone, 23505 slug or external id taken.';

CREATE OR REPLACE FUNCTION bcce.add_membership(
    role regrole, tenant_slug text, is_default boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    found_tenant uuid;
    found_role record;
BEGIN
    SELECT t.tenant_id INTO found_tenant FROM bcce_data.tenants t
    WHERE t.slug = tenant_slug AND t.deleted_at IS NULL;
    IF found_tenant IS NULL THEN
        PERFORM bcce.raise_error('P0002', 'tenant not found', NULL, 'Make it with bcce.create_tenant().');
    END IF;
    SELECT oid, rolname, rolsuper OR rolbypassrls AS bypasses INTO found_role FROM pg_roles WHERE oid = role::oid;
    IF found_role.rolname IS NULL THEN
        PERFORM bcce.raise_error('42704', 'role not found', NULL, 'Make it with bcce.create_login().');
    END IF;
    IF found_role.bypasses THEN
        PERFORM bcce.raise_error('0LP01', 'a role that bypasses row security sees every tenant; it needs no membership', NULL,
            'Give people and tools a login of their own: bcce.create_login().');
    END IF;
    IF EXISTS (SELECT FROM bcce_private.token_login t WHERE t.role = found_role.oid) THEN
        PERFORM bcce.raise_error('55000', 'the role takes its tenants from tokens', NULL,
            'Give the tenant a login of its own, or call bcce.set_membership_mode(role, ''direct'') first.');
    END IF;
    INSERT INTO bcce_private.membership AS m (role_name, tenant_id, is_default)
    VALUES (found_role.rolname, found_tenant, add_membership.is_default)
    ON CONFLICT ON CONSTRAINT membership_pkey DO UPDATE
    SET role_name = excluded.role_name, is_default = excluded.is_default,
        valid_from = '-infinity', valid_until = 'infinity';
END
$body$;
COMMENT ON FUNCTION bcce.add_membership(regrole, text, boolean) IS
'Lets a role read or write for a tenant, by what its groups allow. is_default: the tenant that counts where a role has several. Errors: P0002 tenant not found, 42704 role not found, 0LP01 the role bypasses row security, 55000 it presents tokens.';

CREATE OR REPLACE FUNCTION bcce.remove_membership(role regrole, tenant_slug text) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    DELETE FROM bcce_private.membership m USING bcce_data.tenants t
    WHERE t.tenant_id = m.tenant_id AND t.slug = tenant_slug AND m.role = remove_membership.role;
    RETURN FOUND;
END
$body$;
COMMENT ON FUNCTION bcce.remove_membership(regrole, text) IS
'Takes a tenant from a role, at once and in every session; returns whether there was anything to take.';

-- Runs with the caller's rights: making roles is the caller's to do.
CREATE OR REPLACE FUNCTION bcce.create_login(name text, tenant_slug text, kind text DEFAULT 'user') RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    groups CONSTANT jsonb := '{"user": "bcce_analytics_user", "cost": "bcce_cost_analyst", "admin": "bcce_analytics_admin",
                               "ingest": "bcce_ingest", "platform": "bcce_platform", "token": "bcce_analytics_user"}';
BEGIN
    IF kind IS NULL OR NOT groups ? kind THEN
        PERFORM bcce.raise_error('22023', 'unknown kind of login', NULL,
            'Known kinds: user, cost, admin, ingest, platform, token.');
    END IF;
    IF (kind = 'token') <> (tenant_slug IS NULL) THEN
        PERFORM bcce.raise_error('22023', 'a login belongs to a tenant, unless it presents tokens', NULL,
            'Give a tenant; a login that many share is made by bcce.create_login(name, NULL, ''token'').');
    END IF;
    IF name IS NULL OR name = '' OR octet_length(name) > 63 OR name LIKE 'pg\_%' THEN
        PERFORM bcce.raise_error('42602', 'a login needs a name of 1 to 63 bytes that does not begin with pg_', NULL, NULL);
    END IF;
    IF EXISTS (SELECT FROM pg_roles r WHERE r.rolname = create_login.name) THEN
        PERFORM bcce.raise_error('42710', 'a role of this name exists', NULL,
            'Choose another name, or bind the role you have: GRANT a bcce group to it and call bcce.add_membership().');
    END IF;
    IF NOT (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user) THEN
        PERFORM bcce.raise_error('42501', 'only a superuser or a role with CREATEROLE can make logins', NULL,
            'Ask a DBA, or connect as one.');
    END IF;
    EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS INHERIT IN ROLE %I',
        name, groups ->> kind);
    IF kind = 'token' THEN
        EXECUTE format('GRANT bcce_token TO %I', name);
    END IF;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), name);
    EXECUTE format('ALTER ROLE %I SET search_path = bcce, pg_catalog', name);
    -- Compiling a report's plan takes longer than running it.
    EXECUTE format('ALTER ROLE %I SET jit = off', name);
    EXECUTE format('ALTER ROLE %I SET idle_in_transaction_session_timeout = ''5min''', name);
    IF kind <> 'ingest' THEN
        EXECUTE format('ALTER ROLE %I SET statement_timeout = ''60s''', name);
    END IF;
    IF kind IN ('user', 'cost', 'platform', 'token') THEN
        EXECUTE format('ALTER ROLE %I SET default_transaction_read_only = on', name);
    END IF;
    IF kind = 'token' THEN
        PERFORM bcce.set_membership_mode(format('%I', name)::regrole, 'token');
    ELSE
        PERFORM bcce.add_membership(format('%I', name)::regrole, tenant_slug);
    END IF;
END
$body$;
COMMENT ON FUNCTION bcce.create_login(text, text, text) IS
'Makes a login for one tenant with just the rights of its kind: user (reads reports), cost (cost reports only), admin (reads and configures), ingest (writes, reads nothing), platform (reads several tenants; add them with add_membership()), token (a login that many share; it has no tenant, so give NULL, and reads those of the token that it presents to set_context() in each transaction). It has no password yet: set one with \password in psql, so that it appears in no log. Errors: 22023 unknown kind, or a tenant missing or given for nothing, 42602 bad name, 42710 name taken, 42501 not allowed, P0002 tenant not found.';

-- Other columns need another function.
DO $do$
BEGIN
    IF EXISTS (SELECT FROM pg_proc p WHERE p.oid = to_regprocedure('bcce.whoami()')
               AND p.proargnames IS DISTINCT FROM '{login,acting_as,groups,tenants,current_tenant,bypasses_row_security,explanation,runs,incidents,metrics,predictions,model_calls,events}'::text[]) THEN
        DROP FUNCTION bcce.whoami();
    END IF;
END
$do$;
CREATE OR REPLACE FUNCTION bcce.whoami(
    OUT login text, OUT acting_as text, OUT groups text, OUT tenants text, OUT current_tenant text,
    OUT bypasses_row_security boolean, OUT explanation text,
    OUT runs bigint, OUT incidents bigint, OUT metrics bigint, OUT predictions bigint, OUT model_calls bigint, OUT events bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    outer_role name := CASE current_setting('role') WHEN 'none' THEN session_user ELSE current_setting('role') END;
    -- Enough to know that there is something, and no long wait where there is much.
    most CONSTANT bigint := 1000000;
    is_reader boolean;
    is_cost_analyst boolean;
    is_platform boolean;
    seen uuid[];
BEGIN
    login := session_user;
    acting_as := outer_role;
    bypasses_row_security := bcce.bypasses_row_security();
    SELECT string_agg(r.rolname, ', ' ORDER BY r.rolname),
           coalesce(bool_or(r.rolname = 'bcce_analytics_user'), false),
           coalesce(bool_or(r.rolname = 'bcce_cost_analyst'), false),
           coalesce(bool_or(r.rolname = 'bcce_platform'), false)
    INTO groups, is_reader, is_cost_analyst, is_platform FROM pg_roles r
    WHERE r.rolname IN ('bcce_analytics_user', 'bcce_cost_analyst', 'bcce_analytics_admin', 'bcce_ingest', 'bcce_platform', 'bcce_token')
      AND pg_has_role(outer_role, r.oid, 'USAGE');
    SELECT string_agg(t.slug, ', ' ORDER BY t.slug),
           max(t.slug) FILTER (WHERE t.tenant_id = bcce.current_tenant())
    INTO tenants, current_tenant
    FROM bcce_data.tenants t
    WHERE t.tenant_id = ANY (bcce.current_tenants()) AND t.deleted_at IS NULL;

    -- What the policies and the rights on reports show: the groups of one
    -- tenant's readers restrict what bcce_platform permits.
    IF bypasses_row_security OR is_reader OR is_cost_analyst OR is_platform THEN
        SELECT coalesce(array_agg(t.tenant_id), '{}') INTO seen FROM bcce_data.tenants t
        WHERE t.deleted_at IS NULL
          AND CASE WHEN bypasses_row_security THEN true
                   WHEN is_reader OR is_cost_analyst THEN t.tenant_id = bcce.current_tenant()
                   ELSE t.tenant_id = ANY (bcce.current_tenants()) END;
        SELECT count(*) INTO runs FROM (
            SELECT FROM bcce_data.workflow_runs f WHERE f.tenant_id = ANY (seen) AND NOT f.is_test LIMIT most) AS counted;
        SELECT count(*) INTO metrics FROM (
            SELECT FROM bcce_data.performance_metrics f WHERE f.tenant_id = ANY (seen) AND NOT f.is_test LIMIT most) AS counted;
        SELECT count(*) INTO predictions FROM (
            SELECT FROM bcce_data.predictions f WHERE f.tenant_id = ANY (seen) AND NOT f.is_test LIMIT most) AS counted;
        SELECT count(*) INTO model_calls FROM (
            SELECT FROM bcce_data.model_usage f WHERE f.tenant_id = ANY (seen) AND NOT f.is_test LIMIT most) AS counted;
        -- No report on cost tells these.
        IF bypasses_row_security OR is_reader OR is_platform THEN
            SELECT count(*) INTO incidents FROM (
                SELECT FROM bcce_data.incidents f WHERE f.tenant_id = ANY (seen) AND NOT f.is_test LIMIT most) AS counted;
            SELECT count(*) INTO events FROM (
                SELECT FROM bcce_data.events f WHERE f.tenant_id = ANY (seen) AND NOT f.is_test LIMIT most) AS counted;
        END IF;
    END IF;

    explanation := CASE
        WHEN bypasses_row_security THEN
            'You bypass row security: reports show every tenant.'
        WHEN groups IS NULL THEN
            'You are in none of the groups of bcce, so you may not read or write: ask for GRANT bcce_analytics_user or for a login by bcce.create_login().'
        WHEN tenants IS NULL AND bcce.membership_mode() = 'token' THEN
            'You share this login, and this transaction has no valid token, so every report is empty: BEGIN, SELECT bcce.set_context(token), read, COMMIT.'
        WHEN tenants IS NULL AND groups = 'bcce_ingest' THEN
            'You belong to no tenant, so all that you write is refused: ask for bcce.add_membership().'
        WHEN tenants IS NULL THEN
            'You belong to no tenant, so every report is empty: ask for bcce.add_membership().'
        WHEN groups = 'bcce_ingest' THEN
            format('You write for %s and read nothing.', tenants)
        WHEN is_platform AND NOT is_reader AND NOT is_cost_analyst THEN
            format('Reports show the tenants %s.', tenants)
        WHEN current_tenant IS NULL AND bcce.membership_mode() = 'token' THEN
            'None of the tenants of your token is chosen, so every report is empty: SELECT bcce.use_tenant(name).'
        WHEN current_tenant IS NULL THEN
            'None of your tenants is chosen and none is the default, so every report is empty: SELECT bcce.use_tenant(name), or ask for bcce.add_membership(..., is_default => true), or for the group bcce_platform instead of your own.'
        WHEN NOT is_reader AND NOT is_platform THEN
            format('The cost reports show the tenant %s; you may read no others.', current_tenant)
        ELSE format('Reports show the tenant %s.', current_tenant)
    END || CASE
        WHEN seen = '{}' AND bypasses_row_security THEN
            ' There is no tenant yet: make one with bcce.create_tenant().'
        WHEN seen <> '{}' AND runs + metrics + predictions + model_calls + coalesce(incidents, 0) + coalesce(events, 0) = 0 THEN
            ' There are no data yet: a login of the kind ingest sends them, with bcce.record_workflow_run() and its like, or with INSERT and COPY into bcce.inbox_workflow_runs and the other inboxes.'
        ELSE ''
    END;
END
$body$;
COMMENT ON FUNCTION bcce.whoami() IS
'Who you are here: login, role you act as (SET ROLE), groups of bcce, tenants, and in one sentence what reports show you or why they are empty; then the number of rows that your reports are made from: runs, incidents, metrics (samples), predictions, model_calls, events. Test rows are not counted, counting stops at 1,000,000 (that many or more), and NULL means that you may read no report on them.';
