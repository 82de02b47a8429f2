-- Invoices, recorded by whoever may.
CREATE OR REPLACE FUNCTION bcce.record_invoice(provider text, period tstzrange, amount_usd numeric, tenant text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    target uuid := bcce_data.resolve_tenant(tenant);
    start_at timestamptz := lower(period);
    end_at timestamptz := upper(period);
BEGIN
    IF target IS NULL THEN
        PERFORM bcce_data.refuse('unknown_tenant');
    END IF;
    IF provider IS NULL OR length(btrim(provider)) NOT BETWEEN 1 AND 256 THEN
        PERFORM bcce.raise_error('22023', 'a provider''s name has 1 to 256 characters', NULL, 'Give it as the calls name it, such as anthropic or bedrock.');
    END IF;
    IF NOT coalesce(isfinite(start_at) AND isfinite(end_at) AND lower_inc(period) AND NOT upper_inc(period), false) THEN
        PERFORM bcce.raise_error('22008', 'an invoice is for a time with a start and an end, the end exclusive', NULL,
            'Give tstzrange(''2026-10-01 00:00Z'', ''2026-11-01 00:00Z'').');
    END IF;
    IF NOT (amount_usd BETWEEN -1e15 AND 1e15) THEN
        PERFORM bcce.raise_error('22003', 'an amount is a number within 1e15', NULL, 'Give NULL to remove the invoice.');
    END IF;
    IF amount_usd IS NULL THEN
        DELETE FROM bcce_data.invoices i
        WHERE i.tenant_id = target AND i.provider = lower(btrim(record_invoice.provider)) AND i.period_start_at = start_at AND i.period_end_at = end_at;
        RETURN;
    END IF;
    INSERT INTO bcce_data.invoices (tenant_id, provider, period_start_at, period_end_at, amount_usd)
    VALUES (target, lower(btrim(provider)), start_at, end_at, amount_usd)
    ON CONFLICT ON CONSTRAINT invoices_pkey DO UPDATE SET amount_usd = excluded.amount_usd, recorded_at = now();
END
$body$;
COMMENT ON FUNCTION bcce.record_invoice(text, tstzrange, numeric, text) IS
'Records what a provider billed for model calls of a time, in US dollars (negative: a refund; NULL removes it); recorded again it replaces the amount. No cost changes by it: cost_reconciliation holds it against what was metered. Errors: 22023 bad provider, 22008 bad period, 22003 bad amount, P0002 tenant not found.';
