-- Tenancy: who the caller is, whose rows the caller may see, and the trigger
-- that keeps every session's copy of the configuration current.  None of these
-- is LEAKPROOF or SECURITY DEFINER: the library reads bcce_private itself.

CREATE FUNCTION bcce.current_tenants() RETURNS uuid[]
AS 'MODULE_PATHNAME' LANGUAGE C
STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION bcce.current_tenants() IS
'The caller''s tenants, sorted and distinct; an empty array when there are none, never NULL. The caller is the role that SET ROLE chose, or else the login; a SECURITY DEFINER function does not change it. A membership counts when the caller has the privileges of its role and the statement started within its time of validity. In a policy write = ANY ((SELECT bcce.current_tenants())::uuid[]).';

CREATE FUNCTION bcce.current_tenant() RETURNS uuid
AS 'MODULE_PATHNAME' LANGUAGE C
STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION bcce.current_tenant() IS
'The tenant the caller works in: the only one of bcce.current_tenants(), else the one that is marked as default, if exactly one is; else NULL, which shows no rows. In a policy write tenant_id = (SELECT bcce.current_tenant()), so that it is evaluated once for a statement.';

CREATE FUNCTION bcce.bypasses_row_security() RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C
STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION bcce.bypasses_row_security() IS
'True when no policy applies to the caller: the role that SET ROLE chose, or else the login, is a superuser or has BYPASSRLS.';

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

