-- Prices and words, set by whoever may.
CREATE OR REPLACE FUNCTION bcce_data.resolve_tenant(tenant text) RETURNS uuid
LANGUAGE plpgsql STABLE AS $body$
DECLARE
    found_tenant uuid;
BEGIN
    IF tenant IS NULL OR tenant = '' THEN
        SELECT t.tenant_id INTO found_tenant FROM bcce_data.tenants t
        WHERE t.tenant_id = bcce.current_tenant() AND t.deleted_at IS NULL;
        RETURN found_tenant;
    END IF;
    -- Row security leaves the tenants that the caller may write for.
    SELECT t.tenant_id INTO found_tenant
    FROM bcce_data.tenants t
    WHERE (t.slug = tenant OR t.external_id = tenant OR t.tenant_id = bcce.try_uuid(tenant))
      AND t.deleted_at IS NULL
    ORDER BY t.tenant_id = bcce.try_uuid(tenant) DESC NULLS LAST, t.slug = tenant DESC
    LIMIT 1;
    RETURN found_tenant;
END
$body$;
COMMENT ON FUNCTION bcce_data.resolve_tenant(text) IS 'tenant by uuid, slug or external id among those that the caller may write for; NULL in: the caller''s own';

CREATE OR REPLACE FUNCTION bcce_data.refuse(reason text) RETURNS void
LANGUAGE plpgsql STABLE AS $body$
DECLARE
    said record;
BEGIN
    SELECT r.sqlstate, r.message, r.hint INTO said FROM bcce_data.rejection_reasons r WHERE r.reason = refuse.reason;
    PERFORM bcce.raise_error(said.sqlstate, said.message, NULL, said.hint);
END
$body$;
COMMENT ON FUNCTION bcce_data.refuse(text) IS 'raises the error of a reason, without any text of the caller';

CREATE OR REPLACE FUNCTION bcce.set_price(
    item text, price_usd numeric, valid_from timestamptz DEFAULT now(), tenant text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    target uuid;
    next_start timestamptz;
BEGIN
    IF item IS NULL OR item !~ '^[a-z][a-z0-9_.-]{0,62}$' THEN
        PERFORM bcce.raise_error('22023', 'an item is 1 to 63 of a-z, 0-9, _, . and -, beginning with a letter', NULL,
            'Items that are charged by themselves: workflow_run, metric, prediction.');
    END IF;
    IF price_usd IS NULL OR NOT (price_usd >= 0 AND price_usd <= 1e15) THEN
        PERFORM bcce.raise_error('22003', 'a price is a number from 0 to 1e15', NULL, NULL);
    END IF;
    IF valid_from IS NULL OR NOT isfinite(valid_from) THEN
        PERFORM bcce.raise_error('22004', 'a price needs the time from which it holds', NULL, NULL);
    END IF;

    IF tenant IS NULL AND bcce.bypasses_row_security() THEN
        PERFORM FROM bcce_data.schema_version FOR NO KEY UPDATE;
        SELECT min(lower(p.valid)) INTO next_start FROM bcce_data.default_unit_prices p
        WHERE p.item = set_price.item AND lower(p.valid) > valid_from;
        DELETE FROM bcce_data.default_unit_prices p
        WHERE p.item = set_price.item AND lower(p.valid) = valid_from;
        UPDATE bcce_data.default_unit_prices p SET valid = tstzrange(lower(p.valid), valid_from)
        WHERE p.item = set_price.item AND p.valid @> valid_from;
        INSERT INTO bcce_data.default_unit_prices (item, valid, price_usd)
        VALUES (item, tstzrange(valid_from, next_start), price_usd);
        RETURN;
    END IF;

    target := bcce_data.resolve_tenant(tenant);
    IF target IS NULL THEN
        PERFORM bcce_data.refuse('unknown_tenant');
    END IF;
    PERFORM FROM bcce_data.tenants t WHERE t.tenant_id = target FOR NO KEY UPDATE;
    SELECT min(lower(p.valid)) INTO next_start FROM bcce_data.unit_prices p
    WHERE p.tenant_id = target AND p.item = set_price.item AND lower(p.valid) > valid_from;
    DELETE FROM bcce_data.unit_prices p
    WHERE p.tenant_id = target AND p.item = set_price.item AND lower(p.valid) = valid_from;
    UPDATE bcce_data.unit_prices p SET valid = tstzrange(lower(p.valid), valid_from)
    WHERE p.tenant_id = target AND p.item = set_price.item AND p.valid @> valid_from;
    INSERT INTO bcce_data.unit_prices (tenant_id, item, valid, price_usd)
    VALUES (target, item, tstzrange(valid_from, next_start), price_usd);
END
$body$;
COMMENT ON FUNCTION bcce.set_price(text, numeric, timestamptz, text) IS
'Sets the price of one unit in US dollars from an instant on, until the next price that is already known; the earlier price ends there. tenant: slug, external id or uuid; NULL: your own, and for a superuser the default of everybody. What was charged before does not change. Errors: 22023 bad item, 22003 bad price, P0002 tenant not found.';

CREATE OR REPLACE FUNCTION bcce.add_value_alias(domain text, alias text, value text, tenant text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    target uuid := bcce_data.resolve_tenant(tenant);
BEGIN
    IF target IS NULL THEN
        PERFORM bcce_data.refuse('unknown_tenant');
    END IF;
    IF alias IS NULL OR length(btrim(alias)) NOT BETWEEN 1 AND 100 THEN
        PERFORM bcce.raise_error('22023', 'a word has 1 to 100 characters', NULL, NULL);
    END IF;
    -- Redacted it would be another word, and the server would log this one.
    IF bcce.contains_pii(alias) THEN
        PERFORM bcce.raise_error('22023', 'a word of a sender holds personal data', NULL,
            'Teach words such as passed or sev-1, not text.');
    END IF;
    IF NOT EXISTS (SELECT FROM bcce_data.default_value_aliases d
                   WHERE d.domain = add_value_alias.domain AND d.value = add_value_alias.value) THEN
        PERFORM bcce.raise_error('22023', 'unknown domain, or a word that the reports do not know', NULL,
            'run_status: running, succeeded, failed, timed_out, cancelled, skipped; severity: sev1, sev2, sev3, sev4; incident_status: open, acknowledged, mitigated, resolved, closed.');
    END IF;
    INSERT INTO bcce_data.value_aliases (tenant_id, domain, alias, value)
    VALUES (target, domain, lower(btrim(alias)), value)
    ON CONFLICT ON CONSTRAINT value_aliases_pkey DO UPDATE SET value = excluded.value;
END
$body$;
COMMENT ON FUNCTION bcce.add_value_alias(text, text, text, text) IS
'Teaches the inboxes a word of a sender: domain run_status, severity or incident_status; value is one of the reports'' words. For one tenant. Errors: 22023 unknown domain or value, P0002 tenant not found.';

CREATE OR REPLACE FUNCTION bcce.set_slo(target_percent numeric, service_id text DEFAULT '*', tenant text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    target uuid := bcce_data.resolve_tenant(tenant);
BEGIN
    IF target IS NULL THEN
        PERFORM bcce_data.refuse('unknown_tenant');
    END IF;
    IF service_id IS NULL OR length(service_id) NOT BETWEEN 1 AND 256 THEN
        PERFORM bcce.raise_error('22023', 'a service''s id has 1 to 256 characters', NULL, 'Give the id of a service, or * for those without a target of their own.');
    END IF;
    IF target_percent <= 0 OR target_percent > 100 OR target_percent = 'NaN' THEN
        PERFORM bcce.raise_error('22003', 'a target lies above 0 and up to 100 percent', NULL, 'Give 99.9 for 99.9 percent, NULL to remove the target.');
    END IF;
    IF target_percent IS NULL THEN
        DELETE FROM bcce_data.slos s WHERE s.tenant_id = target AND s.service_id = set_slo.service_id;
        RETURN;
    END IF;
    INSERT INTO bcce_data.slos (tenant_id, service_id, target_percent) VALUES (target, set_slo.service_id, set_slo.target_percent)
    ON CONFLICT ON CONSTRAINT slos_pkey DO UPDATE SET target_percent = excluded.target_percent;
END
$body$;
COMMENT ON FUNCTION bcce.set_slo(numeric, text, text) IS
'Sets what share of its requests, in percent, a service is to answer without error over 30 days; the rest is its error budget (slo_burn_rate, service_health_dashboard). service_id *: all services of the tenant without a target of their own. NULL removes the target. For one tenant. Errors: 22003 target out of range, 22023 bad service id, P0002 tenant not found.';

CREATE OR REPLACE FUNCTION bcce.set_prediction_threshold(threshold double precision, model_name text, model_version text DEFAULT '', tenant text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    target uuid := bcce_data.resolve_tenant(tenant);
BEGIN
    IF target IS NULL THEN
        PERFORM bcce_data.refuse('unknown_tenant');
    END IF;
    IF NOT threshold BETWEEN 0 AND 1 THEN
        PERFORM bcce.raise_error('22003', 'a threshold is a probability, 0 to 1', NULL, 'Give 0.2 for 20 percent, NULL for the default 0.5.');
    END IF;
    UPDATE bcce_data.models m SET threshold = coalesce(set_prediction_threshold.threshold, 0.5)
    WHERE m.tenant_id = target AND m.model_name = set_prediction_threshold.model_name AND m.model_version = set_prediction_threshold.model_version;
    IF NOT FOUND THEN
        PERFORM bcce.raise_error('P0002', 'model not found', NULL, 'The first prediction of a model makes it known; prediction_accuracy lists names and versions.');
    END IF;
END
$body$;
COMMENT ON FUNCTION bcce.set_prediction_threshold(double precision, text, text, text) IS
'Sets the probability at or above which a model predicts a failure, for predictions made before, too (prediction_accuracy). NULL: 0.5. For one tenant. Errors: 22003 threshold out of range, P0002 tenant or model not found.';

CREATE OR REPLACE FUNCTION bcce.set_prediction_reference(reference_from timestamptz, reference_to timestamptz, model_name text, model_version text DEFAULT '', tenant text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    target uuid := bcce_data.resolve_tenant(tenant);
BEGIN
    IF target IS NULL THEN
        PERFORM bcce_data.refuse('unknown_tenant');
    END IF;
    IF (reference_from IS NULL) <> (reference_to IS NULL) OR reference_from >= reference_to THEN
        PERFORM bcce.raise_error('22023', 'a reference begins before it ends', NULL, 'Give both instants, or NULL for both to remove the reference.');
    END IF;
    UPDATE bcce_data.models m SET reference_from = set_prediction_reference.reference_from, reference_to = set_prediction_reference.reference_to
    WHERE m.tenant_id = target AND m.model_name = set_prediction_reference.model_name AND m.model_version = set_prediction_reference.model_version;
    IF NOT FOUND THEN
        PERFORM bcce.raise_error('P0002', 'model not found', NULL, 'The first prediction of a model makes it known; prediction_accuracy lists names and versions.');
    END IF;
END
$body$;
COMMENT ON FUNCTION bcce.set_prediction_reference(timestamptz, timestamptz, text, text, text) IS
'Sets the time, from inclusive to exclusive, whose predictions a model is compared with (prediction_drift): one in which it was known to be good. NULL for both removes it. For one tenant. Errors: 22023 no beginning before an end, P0002 tenant or model not found.';

CREATE OR REPLACE FUNCTION bcce_data.known_word(tenant uuid, kind text, word text) RETURNS text
LANGUAGE plpgsql STABLE AS $body$
DECLARE
    plain text := lower(btrim(word));
    known text;
BEGIN
    SELECT a.value INTO known FROM bcce_data.value_aliases a
    WHERE a.tenant_id = tenant AND a.domain = kind AND a.alias = plain;
    IF NOT FOUND THEN
        SELECT d.value INTO known FROM bcce_data.default_value_aliases d
        WHERE d.domain = kind AND d.alias = plain;
    END IF;
    RETURN known;
END
$body$;
COMMENT ON FUNCTION bcce_data.known_word(uuid, text, text) IS 'the reports'' word for a sender''s word, NULL where nobody knows it';
