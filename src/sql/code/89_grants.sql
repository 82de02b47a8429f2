-- Grants on members stand here and never in install(): pg_dump takes what was
-- granted during CREATE EXTENSION for granted, so a grant made by an install()
-- that a restore skips would be missing there.
GRANT USAGE ON SCHEMA bcce TO PUBLIC;
GRANT CREATE ON SCHEMA bcce TO bcce_owner;

-- Functions that read no table are anybody's, like those of any extension;
-- redact_columns() among them: it makes pseudonyms, which take the key of any
-- NEW.tenant_id, only in tables of superusers and of bcce_owner.  These are not:
REVOKE ALL ON FUNCTION
    bcce.run_module(text),
    bcce.install(),
    bcce.uninstall(text),
    bcce.store_object_count(),
    bcce.raise_error(text, text, text, text),
    bcce.log_line(text),
    bcce.invalidate_cache(),
    bcce.collect_rows(),
    bcce.mark_hour(),
    bcce.forget_marks(),
    bcce.pseudonym(text, text),
    bcce.pseudonym(text, text, uuid),
    bcce.set_context(text),
    bcce.redact_for(uuid, text, text[], text),
    bcce.redact_for(uuid, jsonb, text[], text),
    bcce.contains_pii(text, uuid),
    bcce.check_redaction_rule()
    FROM PUBLIC;

GRANT EXECUTE ON FUNCTION bcce.set_context(text) TO bcce_token;

-- Who may name a person's pseudonym can find that person's rows, so readers may
-- not, and admins do it by bcce.find_person(), which writes it down.
GRANT EXECUTE ON FUNCTION bcce.pseudonym(text, text) TO bcce_ingest;
GRANT EXECUTE ON FUNCTION bcce.pseudonym(text, text, uuid) TO bcce_owner;

-- Nor may they ask which words a tenant hides, or by which name it keeps a value.
GRANT EXECUTE ON FUNCTION bcce.redact_for(uuid, text, text[], text), bcce.redact_for(uuid, jsonb, text[], text)
    TO bcce_analytics_admin, bcce_ingest, bcce_owner;
GRANT EXECUTE ON FUNCTION bcce.contains_pii(text, uuid), bcce.check_redaction_rule() TO bcce_owner;

-- Keeps the failing statement out of the log: for the functions of bcce only.
GRANT EXECUTE ON FUNCTION bcce.raise_error(text, text, text, text)
    TO bcce_owner, bcce_analytics_user, bcce_cost_analyst, bcce_platform;
GRANT EXECUTE ON FUNCTION bcce.log_line(text) TO bcce_owner;

-- Triggers of a new partition are made by its owner.
GRANT EXECUTE ON FUNCTION bcce.invalidate_cache(), bcce.collect_rows(), bcce.mark_hour(), bcce.forget_marks() TO bcce_owner;

