-- Logins that present tokens, the keys of those who sign these, and the choice
-- of a tenant.
CREATE OR REPLACE FUNCTION bcce.set_membership_mode(role regrole, mode text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    found_role record;
BEGIN
    IF mode IS NULL OR mode NOT IN ('direct', 'token') THEN
        PERFORM bcce.raise_error('22023', 'unknown mode of membership', NULL, 'Known modes: direct, token.');
    END IF;
    SELECT oid, rolname, rolsuper OR rolbypassrls AS bypasses INTO found_role FROM pg_roles WHERE oid = role::oid;
    IF found_role.rolname IS NULL THEN
        PERFORM bcce.raise_error('42704', 'role not found', NULL, 'Make it with bcce.create_login().');
    END IF;
    IF mode = 'direct' THEN
        DELETE FROM bcce_private.token_login t WHERE t.role = found_role.oid OR t.role_name = found_role.rolname;
        RETURN;
    END IF;
    IF found_role.bypasses THEN
        PERFORM bcce.raise_error('0LP01', 'a role that bypasses row security sees every tenant; a token would not bound it', NULL,
            'Make a login of its own: bcce.create_login(name, NULL, ''token'').');
    END IF;
    IF EXISTS (SELECT FROM bcce_private.membership m WHERE m.role = found_role.oid) THEN
        PERFORM bcce.raise_error('55000', 'the role has memberships, which would count again if it ceased to present tokens', NULL,
            'Take them away first: bcce.remove_membership().');
    END IF;
    -- A row of that name may be of a role that is gone.
    DELETE FROM bcce_private.token_login t WHERE t.role_name = found_role.rolname AND t.role IS DISTINCT FROM found_role.oid;
    INSERT INTO bcce_private.token_login (role_name) VALUES (found_role.rolname) ON CONFLICT DO NOTHING;
END
$body$;
COMMENT ON FUNCTION bcce.set_membership_mode(regrole, text) IS
'Says where the tenants of a role come from: direct, its memberships (as for every role not told otherwise), or token, the token that it presents to set_context() in each transaction. A token role also needs GRANT bcce_token. Errors: 22023 unknown mode, 42704 role not found, 0LP01 the role bypasses row security, 55000 it has memberships.';

CREATE OR REPLACE FUNCTION bcce.add_context_key(
    kid text, public_key bytea, not_before timestamptz DEFAULT now(), not_after timestamptz DEFAULT 'infinity') RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    IF kid IS NULL OR kid !~ '^[A-Za-z0-9._-]{1,64}$' THEN
        PERFORM bcce.raise_error('22023', 'the name of a key is 1 to 64 of A-Z, a-z, 0-9, ., _ and -', NULL, 'Take a name with a date, such as portal-2026-01.');
    END IF;
    -- Most private keys fail here, so that one given by mistake is not kept.
    IF public_key IS NULL OR NOT bcce.is_ed25519_public_key(public_key) THEN
        PERFORM bcce.raise_error('22023', 'this is not an Ed25519 public key', 'It has 32 bytes that are a point of the curve.',
            'scripts/mint-token new-key prints the call. If it was the private key that you gave, make another pair.');
    END IF;
    IF not_before IS NULL OR not_after IS NULL OR not_after <= not_before THEN
        PERFORM bcce.raise_error('22023', 'a key ends after it begins', NULL, NULL);
    END IF;
    INSERT INTO bcce_private.context_key (kid, public_key, not_before, not_after)
    VALUES (add_context_key.kid, add_context_key.public_key, add_context_key.not_before, add_context_key.not_after)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        PERFORM bcce.raise_error('42710', 'a key of this name exists', NULL, 'Names are given once, also to keys that are revoked.');
    END IF;
END
$body$;
COMMENT ON FUNCTION bcce.add_context_key(text, bytea, timestamptz, timestamptz) IS
'Trusts whoever holds the private key of this Ed25519 public key (32 bytes) to name tenants in context tokens, from not_before to before not_after. Errors: 22023 bad name, key or times, 42710 name taken.';

CREATE OR REPLACE FUNCTION bcce.rotate_context_key(
    old_kid text, kid text, public_key bytea, overlap interval DEFAULT '1 hour') RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    IF overlap IS NULL OR overlap < interval '0' THEN
        PERFORM bcce.raise_error('22023', 'the overlap is not negative', NULL, NULL);
    END IF;
    UPDATE bcce_private.context_key k SET not_after = greatest(least(k.not_after, now() + overlap), k.not_before + interval '1 microsecond')
    WHERE k.kid = old_kid AND k.revoked_at IS NULL AND k.not_after > now();
    IF NOT FOUND THEN
        PERFORM bcce.raise_error('P0002', 'there is no key of this name in force', NULL, 'bcce_private.context_key lists them.');
    END IF;
    PERFORM bcce.add_context_key(kid, public_key);
END
$body$;
COMMENT ON FUNCTION bcce.rotate_context_key(text, text, bytea, interval) IS
'Adds a key and lets an old one end after the overlap, in which both count. Errors: P0002 no such key in force, 22023 negative overlap, and those of add_context_key().';

CREATE OR REPLACE FUNCTION bcce.revoke_context_key(kid text) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    UPDATE bcce_private.context_key k SET revoked_at = now() WHERE k.kid = revoke_context_key.kid AND k.revoked_at IS NULL;
    RETURN FOUND;
END
$body$;
COMMENT ON FUNCTION bcce.revoke_context_key(text) IS
'Ends a key at once: no token of it is taken any more, and contexts that are set end with the running statement of their session. Returns whether there was a key to revoke.';

CREATE OR REPLACE FUNCTION bcce.use_tenant(tenant text, is_local boolean DEFAULT true) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    -- A word that stands for no tenant goes on as an id that no tenant has, so
    -- that both are refused in the same words.
    PERFORM bcce.use_tenant(CASE WHEN tenant <> '' THEN coalesce(bcce_data.resolve_tenant(tenant), '00000000-0000-0000-0000-000000000000') END, is_local);
END
$body$;
COMMENT ON FUNCTION bcce.use_tenant(text, boolean) IS
'Chooses the tenant to work in, by slug, external id or uuid, among the caller''s own: until the transaction ends, or with is_local => false for the session. It counts for the role that chose and while the tenant is the role''s; bcce_platform sees all its tenants whatever is chosen. NULL or an empty text undoes the choice. Error P0002: none of the caller''s tenants, or there is none.';
