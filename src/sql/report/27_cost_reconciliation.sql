-- cost_reconciliation: what was metered beside what was billed.
CREATE OR REPLACE FUNCTION bcce.cost_reconciliation(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    provider text,
    period_start_at timestamptz,
    period_end_at timestamptz,
    metered_usd numeric,
    invoiced_usd numeric,
    difference_usd numeric,
    difference_percent numeric,
    call_count bigint,
    unpriced_calls bigint,
    unnamed_calls bigint,
    is_lower_bound boolean,
    currency text,
    adjustments_usd numeric,
    unnamed_adjustments_usd numeric
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        i.provider,
        i.period_start_at,
        i.period_end_at,
        m.usd,
        i.amount_usd,
        i.amount_usd - m.usd - j.usd,
        round(100 * (i.amount_usd - m.usd - j.usd) / nullif(i.amount_usd, 0), 1),
        m.calls,
        m.unpriced,
        m.unnamed,
        m.unpriced > 0,
        t.billing_currency,
        j.usd,
        j.unnamed_usd
    FROM bcce_data.invoices i
    JOIN bcce_data.tenants t ON t.tenant_id = i.tenant_id AND t.deleted_at IS NULL
    LEFT JOIN LATERAL (
        SELECT
            coalesce(sum(c.usd) FILTER (WHERE c.is_named), 0) AS usd,
            count(*) FILTER (WHERE c.is_named) AS calls,
            count(*) FILTER (WHERE c.is_named AND c.usd IS NULL) AS unpriced,
            count(*) FILTER (WHERE NOT c.is_named) AS unnamed
        FROM (
            SELECT
                coalesce(u.reported_cost_usd, u.charged_usd, bcce.estimate_token_cost(u.model_id, u.at, u.input_tokens, u.output_tokens,
                    u.cache_read_tokens, u.cache_write_5m_tokens, u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier, u.tenant_id)) AS usd,
                coalesce(u.provider, '') <> '' AS is_named
            FROM bcce_data.model_usage u
            WHERE u.tenant_id = i.tenant_id AND u.at >= i.period_start_at AND u.at < i.period_end_at AND NOT u.is_test
              AND (coalesce(u.provider, '') = '' OR lower(btrim(u.provider)) = i.provider)
        ) c
    ) m ON true
    LEFT JOIN LATERAL (
        SELECT
            coalesce(sum(a.amount_usd) FILTER (WHERE a.provider = i.provider), 0) AS usd,
            coalesce(sum(a.amount_usd) FILTER (WHERE a.provider IS NULL), 0) AS unnamed_usd
        FROM bcce_data.cost_adjustments a
        WHERE a.tenant_id = i.tenant_id AND a.at >= i.period_start_at AND a.at < i.period_end_at AND a.applies_to = 'model'
          AND a.at <= (SELECT bcce.report_now())
    ) j ON true
    WHERE (since IS NULL OR i.period_start_at >= since) AND (until IS NULL OR i.period_start_at < until);
END;
COMMENT ON FUNCTION bcce.cost_reconciliation(timestamptz, timestamptz) IS 'Does what was metered agree with the invoices whose period begins between since (inclusive) and until (exclusive)? NULL leaves an end open. Same columns as the view of this name.';

CREATE OR REPLACE VIEW bcce.cost_reconciliation WITH (security_invoker = true) AS
SELECT
    r.tenant_id,
    r.tenant_name,
    r.provider,
    r.period_start_at,
    r.period_end_at,
    r.metered_usd,
    r.invoiced_usd,
    r.difference_usd,
    r.difference_percent,
    r.call_count,
    r.unpriced_calls,
    r.unnamed_calls,
    r.is_lower_bound,
    r.currency,
    r.adjustments_usd,
    r.unnamed_adjustments_usd
FROM bcce.cost_reconciliation(NULL::timestamptz, NULL::timestamptz) r;
COMMENT ON VIEW bcce.cost_reconciliation IS 'Does what was metered agree with what the provider billed? One row per visible tenant and invoice. For a period use the function of this name.';
COMMENT ON COLUMN bcce.cost_reconciliation.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.cost_reconciliation.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.cost_reconciliation.provider IS 'provider of the invoice, redacted';
COMMENT ON COLUMN bcce.cost_reconciliation.period_start_at IS 'start of the invoice''s period';
COMMENT ON COLUMN bcce.cost_reconciliation.period_end_at IS 'end of the invoice''s period, exclusive';
COMMENT ON COLUMN bcce.cost_reconciliation.metered_usd IS 'US dollars of the calls of that provider in the period, as in cost_analysis';
COMMENT ON COLUMN bcce.cost_reconciliation.invoiced_usd IS 'US dollars that the provider billed';
COMMENT ON COLUMN bcce.cost_reconciliation.difference_usd IS 'US dollars billed above what was metered and adjusted (metered_usd + adjustments_usd); negative: below';
COMMENT ON COLUMN bcce.cost_reconciliation.difference_percent IS 'the difference in percent of the invoice, one decimal; NULL: the invoice is of 0';
COMMENT ON COLUMN bcce.cost_reconciliation.call_count IS 'calls of that provider in the period';
COMMENT ON COLUMN bcce.cost_reconciliation.unpriced_calls IS 'calls among them whose cost is unknown: a first reason for a difference';
COMMENT ON COLUMN bcce.cost_reconciliation.unnamed_calls IS 'calls in the period that name no provider, counted in none: a second reason';
COMMENT ON COLUMN bcce.cost_reconciliation.is_lower_bound IS 'true when some cost is unknown, so that more was metered';
COMMENT ON COLUMN bcce.cost_reconciliation.currency IS 'currency of the money columns';
COMMENT ON COLUMN bcce.cost_reconciliation.adjustments_usd IS 'US dollars of credits, refunds, discounts and corrections of model cost that name this provider and count in the period (cost_adjustments)';
COMMENT ON COLUMN bcce.cost_reconciliation.unnamed_adjustments_usd IS 'US dollars of such adjustments in the period that name no provider, counted in none: a third reason';
