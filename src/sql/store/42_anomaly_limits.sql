-- What an admin sets for cost_anomalies.
CREATE OR REPLACE FUNCTION bcce.set_anomaly_limit(limit_name text, limit_value numeric, tenant text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    target uuid := bcce_data.resolve_tenant(tenant);
BEGIN
    IF target IS NULL THEN
        PERFORM bcce_data.refuse('unknown_tenant');
    END IF;
    IF limit_name IS NULL OR NOT EXISTS (SELECT FROM bcce_data.default_anomaly_limits d WHERE d.limit_name = set_anomaly_limit.limit_name) THEN
        PERFORM bcce.raise_error('22023', 'unknown limit of cost anomalies', NULL, 'Known: min_deviations, floor_usd, min_ratio, min_weekdays.');
    END IF;
    IF NOT (limit_value >= 0 AND limit_value <= 1e15) OR limit_name = 'min_ratio' AND limit_value < 1
        OR limit_name = 'min_weekdays' AND limit_value NOT IN (1, 2, 3, 4, 5, 6, 7, 8) THEN
        PERFORM bcce.raise_error('22003', 'a limit lies outside its range', NULL,
            'min_ratio begins at 1, min_weekdays is 1 to 8 days, the others are 0 to 1e15; NULL is the default.');
    END IF;
    IF limit_value IS NULL THEN
        DELETE FROM bcce_data.anomaly_limits l WHERE l.tenant_id = target AND l.limit_name = set_anomaly_limit.limit_name;
        RETURN;
    END IF;
    INSERT INTO bcce_data.anomaly_limits (tenant_id, limit_name, value) VALUES (target, limit_name, limit_value)
    ON CONFLICT ON CONSTRAINT anomaly_limits_pkey DO UPDATE SET value = excluded.value;
END
$body$;
COMMENT ON FUNCTION bcce.set_anomaly_limit(text, numeric, text) IS
'Sets what a day''s cost must pass for cost_anomalies to show it, for days past, too: min_deviations (4 robust deviations), floor_usd (5 US dollars), min_ratio (1.5 times the expected cost), min_weekdays (3 same weekdays in the eight weeks before). NULL: the default again. For one tenant. Errors: 22023 unknown limit, 22003 value out of range, P0002 tenant not found.';
