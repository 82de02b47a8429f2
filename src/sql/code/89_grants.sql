-- Grants on members stand here and never in install(): pg_dump takes what was
-- granted during CREATE EXTENSION for granted, so a grant made by an install()
-- that a restore skips would be missing there.
GRANT USAGE ON SCHEMA bcce TO PUBLIC;
GRANT CREATE ON SCHEMA bcce TO bcce_owner;

-- Functions that read no table are anybody's, like those of any extension.
-- These are not.  redact_columns() makes pseudonyms with the key of any
-- NEW.tenant_id: on a table of one's own it would name people, in any tenant.
-- Only CREATE TRIGGER asks for the right, firing does not.
REVOKE ALL ON FUNCTION
    bcce.run_module(text),
    bcce.install(),
    bcce.uninstall(text),
    bcce.store_object_count(),
    bcce.redact_columns(),
    bcce.invalidate_cache(),
    bcce.pseudonym(text, text),
    bcce.pseudonym(text, text, uuid)
    FROM PUBLIC;

-- Who may name a person's pseudonym can find that person's rows, so readers may not.
GRANT EXECUTE ON FUNCTION bcce.pseudonym(text, text) TO bcce_analytics_admin, bcce_ingest;
GRANT EXECUTE ON FUNCTION bcce.pseudonym(text, text, uuid) TO bcce_owner;

-- Triggers of a new partition are made by its owner.
GRANT EXECUTE ON FUNCTION bcce.redact_columns(), bcce.invalidate_cache() TO bcce_owner;

