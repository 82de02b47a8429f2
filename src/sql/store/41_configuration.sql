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
    IF bcce.contains_pii(alias, target) THEN
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

CREATE OR REPLACE FUNCTION bcce.set_redaction_rule(
    rule text, literal text, character_class text DEFAULT NULL, min_length integer DEFAULT NULL, max_length integer DEFAULT NULL,
    pattern text DEFAULT NULL, context_words text[] DEFAULT NULL, style text DEFAULT NULL, ignore_case boolean DEFAULT false,
    enabled boolean DEFAULT true, tenant text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    target uuid := bcce_data.resolve_tenant(tenant);
    most CONSTANT integer := 200;
BEGIN
    IF target IS NULL THEN
        PERFORM bcce_data.refuse('unknown_tenant');
    END IF;
    PERFORM FROM bcce_data.tenants t WHERE t.tenant_id = target FOR NO KEY UPDATE;
    IF (SELECT count(*) FROM bcce_data.redaction_rules r WHERE r.tenant_id = target AND r.rule IS DISTINCT FROM set_redaction_rule.rule) >= most THEN
        PERFORM bcce.raise_error('54000', format('a tenant has at most %s redaction rules', most), NULL,
            'Drop one with bcce.drop_redaction_rule(), or join several in an expression.');
    END IF;
    INSERT INTO bcce_data.redaction_rules AS r (tenant_id, rule, kind, literal, ignore_case, character_class, min_length, max_length,
                                                pattern, context_words, style, enabled)
    VALUES (target, rule, CASE WHEN pattern IS NOT NULL THEN 'regex'
                               WHEN num_nonnulls(character_class, min_length, max_length) > 0 THEN 'prefix' ELSE 'literal' END,
            literal, coalesce(ignore_case, false), character_class, min_length, max_length,
            pattern, nullif(context_words, '{}'), style, coalesce(enabled, true))
    ON CONFLICT ON CONSTRAINT redaction_rules_pkey DO UPDATE
    SET kind = excluded.kind, literal = excluded.literal, ignore_case = excluded.ignore_case, character_class = excluded.character_class,
        min_length = excluded.min_length, max_length = excluded.max_length, pattern = excluded.pattern,
        context_words = excluded.context_words, style = excluded.style, enabled = excluded.enabled;
END
$body$;
COMMENT ON FUNCTION bcce.set_redaction_rule(text, text, text, integer, integer, text, text[], text, boolean, boolean, text) IS
'Has a text of a tenant redacted besides the built-in kinds, from now on and in whatever it writes; what is stored already stays. rule: a name, which in upper case is the tag. literal alone: that text, where it stands as a word. With character_class (digits, hex, letters, alnum, token) and min_length, max_length: the literal as a prefix and so many characters behind it. With pattern: what this expression matches around the literal, which every match must contain, within 256 bytes on each side. context_words: one of them must stand in the 48 bytes before, or in the key. style: tag, mask, numbered, drop, hash; NULL: as the tenant''s other findings. Setting a rule again replaces it. At most 200 rules a tenant. Errors: 22023 and 2201B bad rule, with the reason and never with its text; 54000 too many; P0002 tenant not found.';

CREATE OR REPLACE FUNCTION bcce.drop_redaction_rule(rule text, tenant text DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    target uuid := bcce_data.resolve_tenant(tenant);
BEGIN
    IF target IS NULL THEN
        PERFORM bcce_data.refuse('unknown_tenant');
    END IF;
    DELETE FROM bcce_data.redaction_rules r WHERE r.tenant_id = target AND r.rule = drop_redaction_rule.rule;
    RETURN FOUND;
END
$body$;
COMMENT ON FUNCTION bcce.drop_redaction_rule(text, text) IS
'Takes a redaction rule away; returns whether there was one of this name. Error P0002: tenant not found.';

CREATE OR REPLACE FUNCTION bcce.set_redaction_style(style text, tenant text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    target uuid := bcce_data.resolve_tenant(tenant);
BEGIN
    IF target IS NULL THEN
        PERFORM bcce_data.refuse('unknown_tenant');
    END IF;
    IF style NOT IN ('tag', 'mask', 'numbered', 'drop', 'hash') THEN
        PERFORM bcce.raise_error('22023', 'unknown style of redaction', NULL, 'Known styles: tag, mask, numbered, drop, hash.');
    END IF;
    IF coalesce(style, 'tag') = 'tag' THEN
        DELETE FROM bcce_data.redaction_styles s WHERE s.tenant_id = target;
        RETURN;
    END IF;
    INSERT INTO bcce_data.redaction_styles (tenant_id, style) VALUES (target, set_redaction_style.style)
    ON CONFLICT ON CONSTRAINT redaction_styles_pkey DO UPDATE SET style = excluded.style;
END
$body$;
COMMENT ON FUNCTION bcce.set_redaction_style(text, text) IS
'Sets how what is found in a tenant''s writings is replaced from now on: tag (NULL, the default), mask, numbered, drop or hash; a rule with a style of its own keeps it. What is stored already stays. Errors: 22023 unknown style, P0002 tenant not found.';

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
