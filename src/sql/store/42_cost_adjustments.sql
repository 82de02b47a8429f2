-- What changes a cost afterwards, and what a tariff includes: told by whoever may.
CREATE OR REPLACE FUNCTION bcce.record_cost_adjustment(
    adjustment_id text, at timestamptz, amount_usd numeric, kind text, applies_to text DEFAULT 'model', provider text DEFAULT NULL,
    corrects_at timestamptz DEFAULT NULL, reason text DEFAULT NULL, tenant text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    target uuid := bcce_data.resolve_tenant(tenant);
BEGIN
    IF target IS NULL THEN
        PERFORM bcce_data.refuse('unknown_tenant');
    END IF;
    IF adjustment_id IS NULL OR length(adjustment_id) NOT BETWEEN 1 AND 256 THEN
        PERFORM bcce.raise_error('22023', 'an adjustment''s id has 1 to 256 characters', NULL, 'Give what it is known by, such as the number of the credit note.');
    END IF;
    IF amount_usd IS NULL THEN
        DELETE FROM bcce_data.cost_adjustments a
        WHERE a.tenant_id = target AND a.adjustment_id = bcce_data.key_text(target, record_cost_adjustment.adjustment_id);
        RETURN;
    END IF;
    IF NOT (amount_usd BETWEEN -1e15 AND 1e15) THEN
        PERFORM bcce.raise_error('22003', 'an amount is a number within 1e15', NULL, 'Give NULL to remove the adjustment.');
    END IF;
    IF kind IS NULL OR kind NOT IN ('credit', 'refund', 'discount', 'correction') THEN
        PERFORM bcce.raise_error('22023', 'unknown kind of adjustment', NULL, 'Known: credit, refund, discount, correction.');
    END IF;
    IF amount_usd > 0 AND kind <> 'correction' THEN
        PERFORM bcce.raise_error('22003', 'a credit, refund or discount lowers the cost: its amount is negative', NULL,
            'Give -100 for a credit of 100 US dollars; what raises the cost, or takes a credit back, is a correction.');
    END IF;
    IF applies_to IS NULL OR applies_to NOT IN ('workflow', 'monitoring', 'prediction', 'model', 'infra') THEN
        PERFORM bcce.raise_error('22023', 'unknown part of the cost', NULL, 'Known: workflow, monitoring, prediction, model, infra.');
    END IF;
    IF at IS NULL THEN
        PERFORM bcce_data.refuse('missing_time');
    END IF;
    PERFORM bcce_data.refuse_any(ARRAY[bcce_data.time_fault(at, corrects_at)]);
    IF corrects_at > at THEN
        PERFORM bcce.raise_error('22008', 'a charge lies after the adjustment that changes it', NULL,
            'at is when the adjustment counts, corrects_at when the charge was made, at the latest then.');
    END IF;
    IF length(btrim(provider)) NOT BETWEEN 1 AND 256 OR length(reason) > 1000 THEN
        PERFORM bcce.raise_error('22023', 'a provider''s name has 1 to 256 characters, a reason at most 1000', NULL, 'Leave out what is not known.');
    END IF;
    INSERT INTO bcce_data.cost_adjustments (tenant_id, adjustment_id, at, amount_usd, kind, applies_to, provider, corrects_at, reason)
    VALUES (target, adjustment_id, at, amount_usd, kind, applies_to, lower(btrim(provider)), corrects_at, left(bcce.redact(reason), 1000))
    ON CONFLICT ON CONSTRAINT cost_adjustments_pkey DO UPDATE
    SET at = excluded.at, amount_usd = excluded.amount_usd, kind = excluded.kind, applies_to = excluded.applies_to, provider = excluded.provider,
        corrects_at = excluded.corrects_at, reason = excluded.reason, recorded_at = now();
END
$body$;
COMMENT ON FUNCTION bcce.record_cost_adjustment(text, timestamptz, numeric, text, text, text, timestamptz, text, text) IS
'Records what changes a cost afterwards, in US dollars: kind credit, refund or discount (amount negative) or correction (either sign). It counts from at on in adjustments_usd of the cost reports; applies_to: the part that it changes, workflow, monitoring, prediction, model or infra. provider: who granted it, as the calls name it; corrects_at: when the charge was made that it changes, if it is one in particular. Recorded again under its id it replaces what was said; amount NULL removes it. Errors: 22023 bad id, kind, part, provider or reason, 22003 bad amount or sign, 22004 no time, 22008 bad time, P0002 tenant not found.';

CREATE OR REPLACE FUNCTION bcce.set_tariff_includes_models(is_included boolean, tenant text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    target uuid := bcce_data.resolve_tenant(tenant);
BEGIN
    IF target IS NULL THEN
        PERFORM bcce_data.refuse('unknown_tenant');
    END IF;
    UPDATE bcce_data.tenants t SET tariff_includes_models = coalesce(is_included, false)
    WHERE t.tenant_id = target AND t.tariff_includes_models <> coalesce(is_included, false);
END
$body$;
COMMENT ON FUNCTION bcce.set_tariff_includes_models(boolean, text) IS
'Says whether the price of a run includes its model calls. true: what the calls of a run that is charged cost is left out of total_cost_usd, as covered_model_cost_usd, so that a run is not charged twice; model_cost_usd, provider_cost_usd, budgets and cost_focus have it still. Calls that name no run, or one that is unknown, skipped or a test, are not covered. false or NULL, the default: runs and calls are both charged. It holds for all time, the past included; the column tariff_includes_models of the cost reports shows it. For one tenant. Error P0002: tenant not found.';
