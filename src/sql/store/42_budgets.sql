-- Budgets, set by whoever may.
CREATE OR REPLACE FUNCTION bcce.set_budget(
    budget text, amount_usd numeric, period text DEFAULT 'month',
    team text DEFAULT NULL, user_key text DEFAULT NULL, project text DEFAULT NULL, model text DEFAULT NULL, workflow text DEFAULT NULL,
    timezone text DEFAULT NULL, thresholds numeric[] DEFAULT '{50,80,90,100}', mode text DEFAULT 'alert', unpriced text DEFAULT 'ignore',
    daily_burst_percent numeric DEFAULT NULL,
    valid_from timestamptz DEFAULT NULL, valid_until timestamptz DEFAULT NULL, tenant text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    target uuid := bcce_data.resolve_tenant(tenant);
    zone text;
BEGIN
    IF target IS NULL THEN
        PERFORM bcce_data.refuse('unknown_tenant');
    END IF;
    IF budget IS NULL OR budget !~ '^[a-z0-9][a-z0-9_.-]{0,62}$' THEN
        PERFORM bcce.raise_error('22023', 'a budget''s name is 1 to 63 of a-z, 0-9, _, . and -, beginning with a letter or digit', NULL, NULL);
    END IF;
    IF amount_usd IS NULL THEN
        DELETE FROM bcce_data.budgets b WHERE b.tenant_id = target AND b.budget = set_budget.budget;
        RETURN;
    END IF;
    IF NOT (amount_usd > 0 AND amount_usd <= 1e15) THEN
        PERFORM bcce.raise_error('22003', 'a budget is an amount above 0 and up to 1e15', NULL, 'Give NULL to remove the budget.');
    END IF;
    IF period IS NULL OR period NOT IN ('day', 'week', 'month', 'quarter', 'custom') THEN
        PERFORM bcce.raise_error('22023', 'unknown period', NULL, 'Known: day, week, month, quarter, and custom with valid_from and valid_until.');
    END IF;
    IF NOT (isfinite(coalesce(valid_from, now())) AND isfinite(coalesce(valid_until, now()))) OR valid_from >= valid_until
        OR period = 'custom' AND (valid_from IS NULL OR valid_until IS NULL) THEN
        PERFORM bcce.raise_error('22008', 'a budget holds from an instant to a later one', NULL, 'NULL leaves an end open; period custom needs both.');
    END IF;
    IF mode IS NULL OR mode NOT IN ('alert', 'block') THEN
        PERFORM bcce.raise_error('22023', 'unknown mode of a budget', NULL, 'Known: alert, block.');
    END IF;
    IF unpriced IS NULL OR unpriced NOT IN ('ignore', 'dearest') THEN
        PERFORM bcce.raise_error('22023', 'unknown way to count calls of unknown cost', NULL, 'Known: ignore, dearest.');
    END IF;
    IF thresholds IS NULL OR cardinality(thresholds) > 20 OR array_position(thresholds, NULL) IS NOT NULL
        OR NOT (0 < ALL (thresholds) AND 1000 >= ALL (thresholds)) THEN
        PERFORM bcce.raise_error('22003', 'thresholds are up to 20 percentages above 0 and up to 1000', NULL, 'Give ''{80,100}'' for 80 and 100 percent.');
    END IF;
    IF NOT (daily_burst_percent >= 0 AND daily_burst_percent <= 100000) THEN
        PERFORM bcce.raise_error('22003', 'the burst of a day is a percentage from 0 to 100000', NULL, 'Give 40 for a day of up to 1.4 times an even share, NULL for no limit of days.');
    END IF;
    IF daily_burst_percent IS NOT NULL AND period = 'day' THEN
        PERFORM bcce.raise_error('22023', 'a budget by the day has its limit of a day already', NULL, 'Leave daily_burst_percent out.');
    END IF;
    IF greatest(length(team), length(user_key), length(project), length(model), length(workflow)) > 256 THEN
        PERFORM bcce_data.refuse('key_too_long');
    END IF;
    SELECT coalesce(set_budget.timezone, t.timezone) INTO zone FROM bcce_data.tenants t WHERE t.tenant_id = target;
    IF timezone IS NOT NULL AND NOT EXISTS (SELECT FROM pg_timezone_names z WHERE z.name = set_budget.timezone) THEN
        PERFORM bcce.raise_error('22023', 'unknown time zone', NULL, 'Give an IANA name, such as Europe/Berlin; pg_timezone_names lists them.');
    END IF;
    INSERT INTO bcce_data.budgets (tenant_id, budget, amount_usd, period, timezone, team_id, user_key, project, model_id, workflow_id,
                                   thresholds, mode, unpriced, daily_burst_percent, valid, set_at)
    VALUES (target, budget, amount_usd, period, zone, nullif(team, ''), nullif(user_key, ''), nullif(project, ''), nullif(model, ''), nullif(workflow, ''),
            thresholds, mode, unpriced, daily_burst_percent, tstzrange(valid_from, valid_until), bcce.report_now())
    ON CONFLICT ON CONSTRAINT budgets_pkey DO UPDATE
    SET amount_usd = excluded.amount_usd, period = excluded.period, timezone = excluded.timezone, team_id = excluded.team_id,
        user_key = excluded.user_key, project = excluded.project, model_id = excluded.model_id, workflow_id = excluded.workflow_id,
        thresholds = excluded.thresholds, mode = excluded.mode, unpriced = excluded.unpriced,
        daily_burst_percent = excluded.daily_burst_percent, valid = excluded.valid;
END
$body$;
COMMENT ON FUNCTION bcce.set_budget(text, numeric, text, text, text, text, text, text, text, numeric[], text, text, numeric, timestamptz, timestamptz, text) IS
'Sets how many US dollars model calls may cost in each day, week, month or quarter of a zone (NULL: the tenant''s), or (custom) from valid_from to valid_until; amount NULL removes the budget. team, user_key, project, model, workflow: only calls of all those given; a person is kept as a pseudonym. Only calls from valid_from to before valid_until count: now() for a budget that starts from here. thresholds: percent at which check_budgets() alerts. mode block: budget_check() advises against more once it is spent. unpriced: calls of unknown cost do not count (ignore) or count each token at the highest price in the book (dearest). daily_burst_percent: each day of the zone has a limit too, an even share of the amount over all days of the period and so many percent on top; 40 gives who works from Monday to Friday an even share of such days. Setting a budget again replaces it; alerts written stay. Errors: 22023 bad name, period, zone, mode or unpriced, or a burst with period day, 22003 bad amount, threshold or burst, 22008 bad time, 22001 id too long, P0002 tenant not found.';
