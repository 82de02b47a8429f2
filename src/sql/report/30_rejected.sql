-- What was refused, and the way out.
CREATE OR REPLACE VIEW bcce.rejected WITH (security_invoker = true) AS
SELECT r.tenant_id, r.source, r.reason, m.message, m.hint,
       sum(r.rejected_count)::bigint AS rejected_count,
       min(r.first_seen_at) AS first_seen_at,
       max(r.last_seen_at) AS last_seen_at,
       min(r.example_key) AS example_key
FROM bcce_data.rejected_input r
LEFT JOIN bcce_data.rejection_reasons m ON m.reason = r.reason
GROUP BY r.tenant_id, r.source, r.reason, m.message, m.hint;
COMMENT ON VIEW bcce.rejected IS 'Which rows were refused, and why? One row per tenant, source and reason; never any text of the rows.';
COMMENT ON COLUMN bcce.rejected.tenant_id IS 'tenant of the writer; all zeros where it has none';
COMMENT ON COLUMN bcce.rejected.source IS 'inbox or function that refused the rows';
COMMENT ON COLUMN bcce.rejected.reason IS 'reason, a short name';
COMMENT ON COLUMN bcce.rejected.message IS 'what was wrong';
COMMENT ON COLUMN bcce.rejected.hint IS 'the way out';
COMMENT ON COLUMN bcce.rejected.rejected_count IS 'number of rows';
COMMENT ON COLUMN bcce.rejected.first_seen_at IS 'first such row';
COMMENT ON COLUMN bcce.rejected.last_seen_at IS 'last such row';
COMMENT ON COLUMN bcce.rejected.example_key IS 'id of one such row, where the tenant is known';
