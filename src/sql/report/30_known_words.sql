-- The words that inboxes and record_...() functions take for states.
CREATE OR REPLACE VIEW bcce.known_words WITH (security_invoker = true) AS
SELECT a.tenant_id, a.domain, a.alias AS word, a.value AS report_word
FROM bcce_data.value_aliases a
UNION ALL
SELECT NULL::uuid, d.domain, d.alias, d.value
FROM bcce_data.default_value_aliases d;
COMMENT ON VIEW bcce.known_words IS 'Which words for states and severities may senders use? One row per word; a tenant''s own word goes before that of everybody. bcce.add_value_alias() teaches further ones.';
COMMENT ON COLUMN bcce.known_words.tenant_id IS 'tenant that taught the word; NULL: known for everybody';
COMMENT ON COLUMN bcce.known_words.domain IS 'run_status, severity or incident_status';
COMMENT ON COLUMN bcce.known_words.word IS 'word of a sender, in any case';
COMMENT ON COLUMN bcce.known_words.report_word IS 'word of the reports that is stored for it';
