-- How much was redacted: counted by the trigger, never any text.
CREATE OR REPLACE FUNCTION bcce.redaction_stats(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    period_start_at timestamptz,
    usage_date date,
    source text,
    kind text,
    rule text,
    redaction_count bigint
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        midnight.starts_at,
        local.day,
        c.source,
        c.kind,
        c.rule,
        sum(c.redaction_count)::bigint
    FROM bcce_data.tenants t
    JOIN bcce_data.redaction_counts c ON c.tenant_id = t.tenant_id
    CROSS JOIN LATERAL bcce_data.local_date(c.counted_at, t.timezone) local
    CROSS JOIN LATERAL bcce_data.local_midnight(local.day, t.timezone) midnight
    WHERE t.deleted_at IS NULL
      AND c.counted_at >= coalesce(since, '-infinity')
      AND c.counted_at < coalesce(until, 'infinity')
    GROUP BY t.tenant_id, t.tenant_name, midnight.starts_at, local.day, c.source, c.kind, c.rule;
END;
COMMENT ON FUNCTION bcce.redaction_stats(timestamptz, timestamptz) IS 'How much personal data and how many secrets were redacted between since (inclusive) and until (exclusive), by day, table and kind? NULL leaves an end open; counts are kept by the quarter of an hour, and one counts where it begins in the window. Same columns as the view of this name.';

CREATE OR REPLACE VIEW bcce.redaction_stats WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.period_start_at,
    x.usage_date,
    x.source,
    x.kind,
    x.rule,
    x.redaction_count
FROM bcce.redaction_stats(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.redaction_stats IS 'How much personal data and how many secrets were redacted, and where? One row per visible tenant, local day, table, kind and rule; never any text. For a period use the function of this name.';
COMMENT ON COLUMN bcce.redaction_stats.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.redaction_stats.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.redaction_stats.period_start_at IS 'first instant of the day in the tenant''s zone';
COMMENT ON COLUMN bcce.redaction_stats.usage_date IS 'day in the tenant''s zone on which the rows were written';
COMMENT ON COLUMN bcce.redaction_stats.source IS 'table that the rows were written to: one of the store, or schema.table; other where that is no plain name';
COMMENT ON COLUMN bcce.redaction_stats.kind IS 'email, phone, credit_card, us_ssn, iban, ip, mac, url_credentials, secret, national_id, crypto_wallet, or custom for a rule of the tenant''s own';
COMMENT ON COLUMN bcce.redaction_stats.rule IS 'of kind custom: name of the rule; else NULL';
COMMENT ON COLUMN bcce.redaction_stats.redaction_count IS 'findings replaced before a row was written; a row that is sent again counts again';
