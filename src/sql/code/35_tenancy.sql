-- Tenancy: who the caller is, whose rows the caller may see, and the trigger
-- that keeps every session's copy of the configuration current.  None of these
-- is LEAKPROOF or SECURITY DEFINER: the library reads bcce_private itself.

CREATE FUNCTION bcce.current_tenants() RETURNS uuid[]
AS 'MODULE_PATHNAME' LANGUAGE C
STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION bcce.current_tenants() IS
'The caller''s tenants, sorted and distinct; an empty array when there are none, never NULL. The caller is the role that SET ROLE chose, or else the login; a SECURITY DEFINER function does not change it. A login that presents tokens has the tenants of the token of this transaction, while the token and its key are in force when the statement starts; any other role has those of its memberships: one counts when the caller has the privileges of its role and the statement started within its time of validity. In a policy write = ANY ((SELECT bcce.current_tenants())::uuid[]).';

CREATE FUNCTION bcce.current_tenant() RETURNS uuid
AS 'MODULE_PATHNAME' LANGUAGE C
STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION bcce.current_tenant() IS
'The tenant the caller works in: the one chosen with bcce.use_tenant(), while it is the caller''s; where none was chosen the only one of bcce.current_tenants(), else the one that is marked as default, if exactly one is; else NULL, which shows no rows. In a policy write tenant_id = (SELECT bcce.current_tenant()), so that it is evaluated once for a statement.';

CREATE FUNCTION bcce.bypasses_row_security() RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C
STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION bcce.bypasses_row_security() IS
'True when no policy applies to the caller: the role that SET ROLE chose, or else the login, is a superuser or has BYPASSRLS.';

CREATE FUNCTION bcce.membership_mode() RETURNS text
AS 'MODULE_PATHNAME' LANGUAGE C
STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION bcce.membership_mode() IS
'Where the caller''s tenants come from: direct (memberships) or token (the token of the transaction).';

CREATE FUNCTION bcce.use_tenant(tenant uuid, is_local boolean DEFAULT true) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C
VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION bcce.use_tenant(uuid, boolean) IS
'Chooses the tenant to work in among the caller''s own: until the transaction ends, or with is_local => false for the session. It counts for the role that chose and while the tenant is the role''s. NULL undoes the choice. Error P0002: none of the caller''s tenants, or there is none.';

CREATE FUNCTION bcce.set_context(token text) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C
VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION bcce.set_context(text) IS
'Takes the tenants of a signed token (PASETO v4.public) as those of this transaction. Footer {"kid": name of a key of bcce_private.context_key}; implicit assertion as bcce.context_assertion() says; claims sub (the caller''s role), tid (array of 1 to 64 tenant ids), iat and exp (RFC 3339, no more apart than bcce.context_max_ttl), and if wanted nbf, jti, iss, no others. At most 4096 bytes. Writes nothing, so standbys and read-only transactions do. Pass it as a bind parameter: other sessions of the same role see the text of statements. Errors: 28000 the token is not valid, whatever the reason, which only the server log has; 55000 the transaction has another context; 42501 not allowed here. Source: PASETO v4, RFC 8032.';

CREATE FUNCTION bcce.context_assertion() RETURNS text
AS 'MODULE_PATHNAME' LANGUAGE C
STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.context_assertion() IS
'What context tokens for this database must be signed for, their implicit assertion: bcce|system identifier of the cluster|name of the database. A standby has that of its primary. No secret.';

CREATE FUNCTION bcce.is_ed25519_public_key(key bytea) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C
IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.is_ed25519_public_key(bytea) IS
'True for the 32 bytes of a point of the main subgroup of the curve, which an Ed25519 public key is and 15 of 16 random values are not. Source: RFC 8032, section 5.1.3.';

CREATE FUNCTION bcce.invalidate_cache() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C
VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION bcce.invalidate_cache() IS
'Trigger AFTER INSERT, UPDATE, DELETE or TRUNCATE, for each row or statement: makes every session read the table anew, this one after the command and the others after the commit. Any other use is the error 39P01.';

CREATE FUNCTION bcce.library_version() RETURNS text
AS 'MODULE_PATHNAME' LANGUAGE C
IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.library_version() IS
'The version of the extension that the loaded library was built for.';

