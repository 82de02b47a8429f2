-- When a tenant works, for its admins to say.
CREATE OR REPLACE FUNCTION bcce.set_business_hours(weekdays integer[], opens time, closes time, tenant text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    target uuid := bcce_data.resolve_tenant(tenant);
BEGIN
    IF target IS NULL THEN
        PERFORM bcce_data.refuse('unknown_tenant');
    END IF;
    IF weekdays IS NULL OR NOT weekdays <@ ARRAY[1, 2, 3, 4, 5, 6, 7] THEN
        PERFORM bcce.raise_error('22023', 'days of the week are 1 to 7', NULL, 'Give {1,2,3,4,5} for Monday to Friday.');
    END IF;
    IF (opens IS NULL) <> (closes IS NULL) OR opens = closes THEN
        PERFORM bcce.raise_error('22023', 'opening and closing are one time, or only one is given', NULL,
            'Give both, such as 09:00 and 17:30, 00:00 and 24:00 for the whole day, or NULL for both to make the days free.');
    END IF;
    DELETE FROM bcce_data.business_hours h WHERE h.tenant_id = target AND h.weekday = ANY (weekdays);
    INSERT INTO bcce_data.business_hours (tenant_id, weekday, opens, closes)
    SELECT DISTINCT target, d.weekday, set_business_hours.opens, set_business_hours.closes
    FROM unnest(weekdays) AS d (weekday)
    WHERE set_business_hours.opens IS NOT NULL;
END
$body$;
COMMENT ON FUNCTION bcce.set_business_hours(integer[], time, time, text) IS
'Sets when a tenant works on some days of the week (1 Monday to 7 Sunday), by the clock of its zone: avg_mttr_business_minutes of mttr_breakdown counts these hours only. One span a day; closes before opens is on the next day; NULL for both makes the days free. Errors: 22023 no day of the week, or no span; P0002 tenant not found.';

CREATE OR REPLACE FUNCTION bcce.set_holiday(day date, is_free boolean DEFAULT true, tenant text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    target uuid := bcce_data.resolve_tenant(tenant);
BEGIN
    IF target IS NULL THEN
        PERFORM bcce_data.refuse('unknown_tenant');
    END IF;
    IF day IS NULL OR is_free IS NULL OR NOT isfinite(day) THEN
        PERFORM bcce.raise_error('22023', 'a holiday is a finite date', NULL, 'Give a date such as 2026-12-25, and true or false.');
    END IF;
    IF is_free THEN
        INSERT INTO bcce_data.holidays (tenant_id, day) VALUES (target, set_holiday.day) ON CONFLICT DO NOTHING;
    ELSE
        DELETE FROM bcce_data.holidays h WHERE h.tenant_id = target AND h.day = set_holiday.day;
    END IF;
END
$body$;
COMMENT ON FUNCTION bcce.set_holiday(date, boolean, text) IS
'Says that a tenant does not work on a day of its zone, or with is_free => false that it does after all. Errors: 22023 no date, P0002 tenant not found.';
