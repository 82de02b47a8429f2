-- Which rules a tenant has, without what they look for.
CREATE OR REPLACE VIEW bcce.redaction_rules WITH (security_invoker = true) AS
SELECT r.tenant_id, r.rule, r.kind, r.style, r.enabled, r.created_at
FROM bcce_data.redaction_rules r;
COMMENT ON VIEW bcce.redaction_rules IS 'What does a tenant have redacted besides the built-in kinds? One row per redaction rule; never what it looks for. bcce.set_redaction_rule() makes and changes rules.';
COMMENT ON COLUMN bcce.redaction_rules.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.redaction_rules.rule IS 'name of the rule; in upper case the tag of its hits';
COMMENT ON COLUMN bcce.redaction_rules.kind IS 'literal, prefix or regex';
COMMENT ON COLUMN bcce.redaction_rules.style IS 'tag, mask, numbered, drop or hash; NULL: as the tenant''s other findings';
COMMENT ON COLUMN bcce.redaction_rules.enabled IS 'false: the rule is kept and not used';
COMMENT ON COLUMN bcce.redaction_rules.created_at IS 'when the rule was made';
