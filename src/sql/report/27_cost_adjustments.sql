-- cost_adjustments: what was credited, refunded, discounted or corrected.
CREATE OR REPLACE FUNCTION bcce.cost_adjustments(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    at timestamptz,
    adjustment_id text,
    kind text,
    applies_to text,
    provider text,
    amount_usd numeric,
    corrects_at timestamptz,
    reason text,
    is_counted boolean,
    recorded_at timestamptz,
    currency text
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        a.at,
        a.adjustment_id,
        a.kind,
        a.applies_to,
        a.provider,
        a.amount_usd,
        a.corrects_at,
        a.reason,
        a.at <= (SELECT bcce.report_now()),
        a.recorded_at,
        t.billing_currency
    FROM bcce_data.cost_adjustments a
    JOIN bcce_data.tenants t ON t.tenant_id = a.tenant_id AND t.deleted_at IS NULL
    WHERE a.at >= coalesce(since, '-infinity')
      AND a.at < coalesce(until, 'infinity');
END;
COMMENT ON FUNCTION bcce.cost_adjustments(timestamptz, timestamptz) IS 'What was credited, refunded, discounted or corrected between since (inclusive) and until (exclusive)? NULL leaves an end open. Same columns as the view of this name; those that are counted add up to adjustments_usd of cost_analysis for the same period.';

CREATE OR REPLACE VIEW bcce.cost_adjustments WITH (security_invoker = true) AS
SELECT
    a.tenant_id,
    a.tenant_name,
    a.at,
    a.adjustment_id,
    a.kind,
    a.applies_to,
    a.provider,
    a.amount_usd,
    a.corrects_at,
    a.reason,
    a.is_counted,
    a.recorded_at,
    a.currency
FROM bcce.cost_adjustments(NULL::timestamptz, NULL::timestamptz) a;
COMMENT ON VIEW bcce.cost_adjustments IS 'What was credited, refunded, discounted or corrected afterwards, and why? One row per adjustment of visible tenants. For a period use the function of this name.';
COMMENT ON COLUMN bcce.cost_adjustments.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.cost_adjustments.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.cost_adjustments.at IS 'when it counts';
COMMENT ON COLUMN bcce.cost_adjustments.adjustment_id IS 'the sender''s id of it, such as the number of a credit note';
COMMENT ON COLUMN bcce.cost_adjustments.kind IS 'credit, refund, discount or correction';
COMMENT ON COLUMN bcce.cost_adjustments.applies_to IS 'part of the cost that it changes: workflow, monitoring, prediction, model or infra';
COMMENT ON COLUMN bcce.cost_adjustments.provider IS 'provider that granted it, redacted; NULL: not said';
COMMENT ON COLUMN bcce.cost_adjustments.amount_usd IS 'US dollars; negative: it lowers the cost';
COMMENT ON COLUMN bcce.cost_adjustments.corrects_at IS 'when the charge was made that it changes; NULL: none in particular';
COMMENT ON COLUMN bcce.cost_adjustments.reason IS 'why, redacted; NULL: not said';
COMMENT ON COLUMN bcce.cost_adjustments.is_counted IS 'its time has come, so that the cost reports count it';
COMMENT ON COLUMN bcce.cost_adjustments.recorded_at IS 'when it was recorded last';
COMMENT ON COLUMN bcce.cost_adjustments.currency IS 'currency of the money columns';
