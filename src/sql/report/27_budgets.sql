-- Budgets: what of them is spent, and what will be by the end of their period.
--
-- Remaining days go on as their weekdays did over the last four weeks.  The band
-- comes from the errors that the same rule, looking as far ahead, would have made
-- on the days past; where those are too few, from how days scatter about the mean
-- of their weekday, as if they were independent.
CREATE OR REPLACE FUNCTION bcce_data.cost_forecast(daily numeric[], ahead integer) RETURNS numeric[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    days integer := coalesce(cardinality(daily), 0);
    skip integer := 0;
    weeks integer;
    guess numeric;
    spread numeric;
    f CONSTANT numeric[] := bcce.weekday_forecast(daily, ahead);
BEGIN
    IF cardinality(f) = 3 THEN
        RETURN ARRAY[f[1], greatest(f[1] + f[2], 0), greatest(f[1] + f[3], 0), 3];
    END IF;
    WHILE skip < days AND coalesce(daily[skip + 1], 0) = 0 LOOP
        skip := skip + 1;
    END LOOP;
    days := days - skip;
    IF days < 2 OR ahead IS NULL OR ahead < 1 THEN
        RETURN NULL;
    END IF;

    IF f IS NULL THEN
        SELECT sum(d) * ahead / days, stddev_samp(coalesce(d, 0)) INTO guess, spread FROM unnest(daily[skip + 1:]) AS d;
        spread := 1.2816 * spread * sqrt(ahead + ahead::numeric * ahead / days);
        RETURN ARRAY[guess, greatest(guess - spread, 0), guess + spread, 1];
    END IF;

    weeks := least(4, days / 7);
    SELECT sqrt(sum((x.usd - x.mean) ^ 2) / (7 * weeks - 7)) INTO spread
    FROM (SELECT d.usd, avg(d.usd) OVER (PARTITION BY d.n % 7) AS mean
          FROM (SELECT coalesce(daily[skip + n], 0) AS usd, n FROM generate_series(days - 7 * weeks + 1, days) AS n) d) x;
    spread := 1.2816 * spread * sqrt(ahead * (1 + 1.0 / weeks));
    RETURN ARRAY[f[1], greatest(f[1] - spread, 0), f[1] + spread, 2];
END
$body$;
COMMENT ON FUNCTION bcce_data.cost_forecast(numeric[], integer) IS 'What the days ahead will cost, from the cost of the complete days before, oldest first: the expected sum, the ends of a band for 8 cases of 10, and how: 1 linear (under 14 days), 2 weekday mean with the scatter of days, 3 weekday mean with its own past errors. NULL: under two days since the first cost.';

CREATE OR REPLACE FUNCTION bcce_data.daily_limit(amount_usd numeric, burst_percent numeric, starts_at timestamptz, ends_at timestamptz, timezone text) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN burst_percent IS NOT NULL THEN
        greatest(0.0000000001, trim_scale(round(amount_usd * (1 + burst_percent / 100)
            / (((ends_at - interval '1 microsecond') AT TIME ZONE timezone)::date - (starts_at AT TIME ZONE timezone)::date + 1), 10))) END;
END;
COMMENT ON FUNCTION bcce_data.daily_limit(numeric, numeric, timestamptz, timestamptz, text) IS 'What a day of a budget''s period, end exclusive, may cost: an even share of the amount over the days of the zone that the period touches, and the burst on top; ten decimals, above 0. NULL: no burst is set.';

CREATE OR REPLACE FUNCTION bcce.budget_status(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    budget text,
    period_start_at timestamptz,
    period_end_at timestamptz,
    period text,
    is_open boolean,
    team_id text,
    user_key text,
    project text,
    model_id text,
    workflow_id text,
    limit_usd numeric,
    spent_usd numeric,
    spent_percent numeric,
    forecast_usd numeric,
    forecast_low_usd numeric,
    forecast_high_usd numeric,
    forecast_method text,
    exhausts_at timestamptz,
    state text,
    call_count bigint,
    unpriced_calls bigint,
    unpriced_share_percent numeric,
    is_lower_bound boolean,
    mode text,
    currency text,
    daily_limit_usd numeric,
    spent_today_usd numeric
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        b.budget,
        p.starts_at,
        p.ends_at,
        b.period,
        p.is_open,
        b.team_id,
        b.user_key,
        b.project,
        b.model_id,
        b.workflow_id,
        b.amount_usd,
        s.usd,
        round(100 * s.usd / b.amount_usd, 1),
        CASE WHEN f.expected IS NOT NULL THEN round(greatest(s.usd, s.before_today + f.expected[1]), 10) END,
        CASE WHEN f.expected IS NOT NULL THEN round(greatest(s.usd, s.before_today + f.expected[2]), 10) END,
        CASE WHEN f.expected IS NOT NULL THEN round(greatest(s.usd, s.before_today + f.expected[3]), 10) END,
        (ARRAY['linear, under 14 days of data', 'weekday mean of 28 days, band by the scatter of days', 'weekday mean of 28 days, band by past errors'])[f.expected[4]::integer],
        CASE
            WHEN s.usd >= b.amount_usd THEN crossing.at
            WHEN s.before_today + f.expected[1] > b.amount_usd
                THEN p.now + (p.ends_at - p.now) * ((b.amount_usd - s.usd) / (s.before_today + f.expected[1] - s.usd))::double precision
        END,
        CASE WHEN s.usd >= b.amount_usd THEN 'over' WHEN s.usd >= 0.8 * b.amount_usd THEN 'warn' ELSE 'ok' END,
        s.calls,
        s.unpriced,
        round(100.0 * s.unpriced / nullif(s.calls, 0), 1),
        s.unpriced > 0 AND b.unpriced = 'ignore',
        b.mode,
        t.billing_currency,
        CASE WHEN p.is_open THEN bcce_data.daily_limit(b.amount_usd, b.daily_burst_percent, p.starts_at, p.ends_at, b.timezone) END,
        CASE WHEN p.is_open THEN s.usd - s.before_today END
    FROM bcce_data.budgets b
    JOIN bcce_data.tenants t ON t.tenant_id = b.tenant_id AND t.deleted_at IS NULL
    CROSS JOIN LATERAL (
        SELECT least(until, bcce.report_now()) AS now, least(until - interval '1 microsecond', bcce.report_now()) AS last_at, e.first_call_at
        FROM bcce_data.fact_ends(t.tenant_id, NULL, until) e
    ) moment
    CROSS JOIN LATERAL (
        SELECT
            greatest(c.starts_at, lower(b.valid)) AS starts_at,
            least(c.ends_at, upper(b.valid)) AS ends_at,
            moment.now,
            date_trunc('day', moment.now, b.timezone) AS today_at,
            least(c.ends_at, upper(b.valid)) > moment.now AS is_open
        FROM (
            SELECT d.starts_at, d.ends_at
            FROM bcce_data.local_periods(
                CASE WHEN b.period <> 'custom' AND isfinite(moment.now) THEN greatest(lower(b.valid), since, least(moment.first_call_at, moment.now)) END,
                least(moment.last_at, upper(b.valid) - interval '1 microsecond'), b.timezone, nullif(b.period, 'custom')) d
            UNION ALL
            SELECT lower(b.valid), upper(b.valid)
            WHERE b.period = 'custom' AND lower(b.valid) <= moment.last_at AND (since IS NULL OR upper(b.valid) > since)
        ) c
    ) p
    -- Each of one row; outer joins, as the planner leaves out those of which nothing is asked.
    LEFT JOIN bcce_data.dearest_prices(CASE b.unpriced WHEN 'dearest' THEN b.tenant_id END, p.starts_at, p.ends_at) dearest ON true
    LEFT JOIN LATERAL (
        SELECT
            sum(c.usd) AS usd,
            sum(c.usd) FILTER (WHERE c.is_before_today) AS before_today,
            sum(c.calls)::bigint AS calls,
            sum(c.unpriced)::bigint AS unpriced
        FROM (
            SELECT
                r.is_before_today,
                CASE WHEN u.unpriced > 0 AND b.unpriced = 'dearest' THEN
                    u.usd + coalesce(u.input_tokens, 0) * dearest.input_usd + coalesce(u.output_tokens, 0) * dearest.output_usd
                    + coalesce(u.cache_read_tokens, 0) * dearest.cache_read_usd + coalesce(u.cache_write_5m_tokens, 0) * dearest.cache_write_5m_usd
                    + coalesce(u.cache_write_1h_tokens, 0) * dearest.cache_write_1h_usd + coalesce(u.web_searches, 0) * dearest.web_search_usd
                ELSE u.usd END AS usd,
                u.calls,
                u.unpriced
            FROM (
                SELECT p.starts_at AS since, greatest(p.starts_at, least(p.today_at, p.ends_at)) AS until, true AS is_before_today
                UNION ALL
                SELECT greatest(p.starts_at, least(p.today_at, p.ends_at)), least(p.ends_at, p.now), false
            ) r
            CROSS JOIN LATERAL bcce_data.budget_spent(b.tenant_id, b.team_id, b.user_key, b.project, b.model_id, b.workflow_id, r.since, r.until) u
        ) c
    ) s ON true
    -- Half a year of days before today in the budget's zone, and in an exhausted
    -- period those of UTC, which are added up already: a day is a run of both.
    LEFT JOIN (
        SELECT d.timezone, array_agg(d.starts_at ORDER BY d.n) AS starts
        FROM (
            SELECT z.timezone, n, coalesce(this.starts_at, after_this.starts_at) AS starts_at
            FROM (SELECT DISTINCT x.timezone FROM bcce_data.budgets x) z
            CROSS JOIN LATERAL (SELECT (least(until, bcce.report_now()) AT TIME ZONE z.timezone)::date AS today) w
            CROSS JOIN LATERAL generate_series(0, CASE WHEN isfinite(w.today) THEN 182 END) AS n
            CROSS JOIN LATERAL bcce_data.local_midnight(w.today - 182 + n, z.timezone) this
            CROSS JOIN LATERAL bcce_data.local_midnight(w.today - 181 + n, z.timezone) after_this
        ) d
        GROUP BY d.timezone
    ) days ON days.timezone = b.timezone
    LEFT JOIN LATERAL (
        SELECT array_agg(u.since ORDER BY u.since) AS since, array_agg(u.usd ORDER BY u.since) AS usd
        FROM (
            SELECT array_agg(DISTINCT c.at) AS bounds
            FROM (
                SELECT unnest(days.starts) AS at WHERE p.is_open
                UNION ALL
                SELECT unnest(ARRAY[p.starts_at, least(p.ends_at, p.now)]) WHERE s.usd >= b.amount_usd
                UNION ALL
                SELECT g.at
                FROM generate_series(CASE WHEN s.usd >= b.amount_usd THEN date_trunc('day', p.starts_at, 'UTC') + interval '24 hours' END,
                                     least(p.ends_at, p.now) - interval '1 microsecond', interval '24 hours') AS g (at)
            ) c
        ) r
        CROSS JOIN LATERAL bcce_data.budget_sums(b.tenant_id, b.team_id, b.user_key, b.project, b.model_id, b.workflow_id, r.bounds) u
    ) sums ON true
    LEFT JOIN LATERAL (
        SELECT min(c.at) AS at
        FROM (
            SELECT u.at, d.usd_before + sum(u.usd) OVER (ORDER BY u.at) AS usd
            FROM (
                SELECT c.since, c.usd - c.day_usd AS usd_before, c.usd
                FROM (
                    SELECT x.since, sum(x.usd) OVER (ORDER BY x.since) AS usd, x.usd AS day_usd
                    FROM unnest(sums.since, sums.usd) AS x (since, usd)
                    WHERE s.usd >= b.amount_usd AND x.since >= p.starts_at AND x.usd IS NOT NULL
                ) c
                WHERE c.usd >= b.amount_usd
                ORDER BY c.since
                LIMIT 1
            ) d
            CROSS JOIN LATERAL bcce_data.budget_calls(b.tenant_id, b.team_id, b.user_key, b.project, b.model_id, b.workflow_id,
                d.since, least(d.since + interval '24 hours', p.ends_at, p.now)) u
            WHERE u.at >= p.starts_at AND u.at < p.ends_at
        ) c
        WHERE c.usd >= b.amount_usd
    ) crossing ON true
    LEFT JOIN LATERAL (
        SELECT bcce_data.cost_forecast(
            array_agg(h.usd ORDER BY g.n),
            ((p.ends_at - interval '1 microsecond') AT TIME ZONE b.timezone)::date - (p.today_at AT TIME ZONE b.timezone)::date + 1) AS expected
        FROM generate_series(1, CASE WHEN p.is_open THEN 182 END) AS g (n)
        LEFT JOIN (
            SELECT width_bucket(x.since, days.starts) AS n, sum(x.usd) AS usd
            FROM unnest(sums.since, sums.usd) AS x (since, usd)
            GROUP BY 1
        ) h ON h.n = g.n
    ) f ON true;
END;
COMMENT ON FUNCTION bcce.budget_status(timestamptz, timestamptz) IS 'How much of each budget is spent, in the periods that overlap the time between since (inclusive) and until (exclusive), as it stood at until? NULL leaves an end open. Same columns as the view of this name. A period counts from its start, also where that lies before since.';

CREATE OR REPLACE VIEW bcce.budget_status WITH (security_invoker = true) AS
SELECT
    s.tenant_id,
    s.tenant_name,
    s.budget,
    s.period_start_at,
    s.period_end_at,
    s.period,
    s.is_open,
    s.team_id,
    s.user_key,
    s.project,
    s.model_id,
    s.workflow_id,
    s.limit_usd,
    s.spent_usd,
    s.spent_percent,
    s.forecast_usd,
    s.forecast_low_usd,
    s.forecast_high_usd,
    s.forecast_method,
    s.exhausts_at,
    s.state,
    s.call_count,
    s.unpriced_calls,
    s.unpriced_share_percent,
    s.is_lower_bound,
    s.mode,
    s.currency,
    s.daily_limit_usd,
    s.spent_today_usd
FROM bcce.budget_status(NULL::timestamptz, NULL::timestamptz) s;
COMMENT ON VIEW bcce.budget_status IS 'How much of each budget is spent, and will it last? One row per visible tenant, budget and period from the first model call to now. Spent is what the calls add up to now: nothing is counted along. For a period use the function of this name.';
COMMENT ON COLUMN bcce.budget_status.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.budget_status.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.budget_status.budget IS 'name of the budget';
COMMENT ON COLUMN bcce.budget_status.period_start_at IS 'start of the period in the budget''s zone, or of the budget''s validity where that is later';
COMMENT ON COLUMN bcce.budget_status.period_end_at IS 'end of the period, exclusive, or of the budget''s validity where that is earlier';
COMMENT ON COLUMN bcce.budget_status.period IS 'day, week, month, quarter or custom';
COMMENT ON COLUMN bcce.budget_status.is_open IS 'the period goes on';
COMMENT ON COLUMN bcce.budget_status.team_id IS 'only calls of this team; NULL: of all';
COMMENT ON COLUMN bcce.budget_status.user_key IS 'only calls of this person, a pseudonym; NULL: of all';
COMMENT ON COLUMN bcce.budget_status.project IS 'only calls of this project, redacted; NULL: of all';
COMMENT ON COLUMN bcce.budget_status.model_id IS 'only calls of this model; NULL: of all';
COMMENT ON COLUMN bcce.budget_status.workflow_id IS 'only calls of runs of this workflow; NULL: of all';
COMMENT ON COLUMN bcce.budget_status.limit_usd IS 'US dollars that may be spent in the period, as the budget is set now';
COMMENT ON COLUMN bcce.budget_status.spent_usd IS 'US dollars that the calls of the period cost, as in cost_analysis; calls of unknown cost by the budget''s rule for them';
COMMENT ON COLUMN bcce.budget_status.spent_percent IS 'percent of the limit that is spent, one decimal';
COMMENT ON COLUMN bcce.budget_status.forecast_usd IS 'US dollars expected to be spent by the end of the period: what was spent before today, and for the days from today on the mean of their weekday over the last 28 complete days; NULL: the period is over, or under two days of data';
COMMENT ON COLUMN bcce.budget_status.forecast_low_usd IS 'US dollars, lower end of the band in which 8 of 10 such forecasts end';
COMMENT ON COLUMN bcce.budget_status.forecast_high_usd IS 'US dollars, upper end of the band in which 8 of 10 such forecasts end';
COMMENT ON COLUMN bcce.budget_status.forecast_method IS 'how forecast and band were made';
COMMENT ON COLUMN bcce.budget_status.exhausts_at IS 'when the limit was reached, or will be by the forecast, spent evenly from now to the end; NULL: not in this period';
COMMENT ON COLUMN bcce.budget_status.state IS 'over (all of the limit is spent), warn (80 percent are), ok';
COMMENT ON COLUMN bcce.budget_status.call_count IS 'model calls of the period';
COMMENT ON COLUMN bcce.budget_status.unpriced_calls IS 'model calls among them whose cost is unknown';
COMMENT ON COLUMN bcce.budget_status.unpriced_share_percent IS 'percent of the calls whose cost is unknown, one decimal; NULL: no calls';
COMMENT ON COLUMN bcce.budget_status.is_lower_bound IS 'true when calls of unknown cost are left out, so that more may be spent';
COMMENT ON COLUMN bcce.budget_status.mode IS 'alert, or block: budget_check() advises against further calls once the limit is spent';
COMMENT ON COLUMN bcce.budget_status.currency IS 'currency of the money columns';
COMMENT ON COLUMN bcce.budget_status.daily_limit_usd IS 'US dollars that may be spent in a day: an even share of the limit over the days of the period, and the budget''s burst on top; NULL: days have no limit, or the period is over';
COMMENT ON COLUMN bcce.budget_status.spent_today_usd IS 'US dollars spent since midnight in the budget''s zone; NULL: the period is over';

CREATE OR REPLACE FUNCTION bcce.budget_alerts(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    at timestamptz,
    budget text,
    kind text,
    threshold_percent numeric,
    period_start_at timestamptz,
    spent_usd numeric,
    limit_usd numeric,
    forecast_usd numeric,
    currency text,
    state text,
    fired_at timestamptz,
    resolved_at timestamptz,
    times_fired integer,
    notified_at timestamptz
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        a.at,
        a.budget,
        a.kind,
        a.threshold_percent,
        a.period_start_at,
        a.spent_usd,
        a.limit_usd,
        a.forecast_usd,
        t.billing_currency,
        CASE WHEN a.resolved_at IS NULL THEN 'firing' ELSE 'resolved' END,
        a.fired_at,
        a.resolved_at,
        a.times_fired,
        a.notified_at
    FROM bcce_data.budget_alerts a
    JOIN bcce_data.tenants t ON t.tenant_id = a.tenant_id AND t.deleted_at IS NULL
    WHERE (since IS NULL OR a.at >= since) AND (until IS NULL OR a.at < until);
END;
COMMENT ON FUNCTION bcce.budget_alerts(timestamptz, timestamptz) IS 'Which budgets ran low, by alerts that first fired between since (inclusive) and until (exclusive), and which of them fire still? NULL leaves an end open. Same columns as the view of this name.';

CREATE OR REPLACE VIEW bcce.budget_alerts WITH (security_invoker = true) AS
SELECT
    a.tenant_id,
    a.tenant_name,
    a.at,
    a.budget,
    a.kind,
    a.threshold_percent,
    a.period_start_at,
    a.spent_usd,
    a.limit_usd,
    a.forecast_usd,
    a.currency,
    a.state,
    a.fired_at,
    a.resolved_at,
    a.times_fired,
    a.notified_at
FROM bcce.budget_alerts(NULL::timestamptz, NULL::timestamptz) a;
COMMENT ON VIEW bcce.budget_alerts IS 'Which budgets ran low, when was it said, and what fires now (state = ''firing'')? One row per visible tenant, budget, period (or day), threshold and kind, as the last check_budgets() left it. For a period use the function of this name.';
COMMENT ON COLUMN bcce.budget_alerts.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.budget_alerts.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.budget_alerts.at IS 'when it first fired';
COMMENT ON COLUMN bcce.budget_alerts.budget IS 'name of the budget';
COMMENT ON COLUMN bcce.budget_alerts.kind IS 'crossed (so much was spent), late (calls told after the period''s end crossed it), forecast (so much will be spent by its end), daily (so much was spent in a day)';
COMMENT ON COLUMN bcce.budget_alerts.threshold_percent IS 'percent of the limit that was crossed';
COMMENT ON COLUMN bcce.budget_alerts.period_start_at IS 'start of the budget''s period; of the day for kind daily';
COMMENT ON COLUMN bcce.budget_alerts.spent_usd IS 'US dollars spent in the period, or the day, when it last fired';
COMMENT ON COLUMN bcce.budget_alerts.limit_usd IS 'US dollars that might be spent in the period, or the day, when it last fired';
COMMENT ON COLUMN bcce.budget_alerts.forecast_usd IS 'US dollars forecast for the end of the period when it last fired; NULL: none';
COMMENT ON COLUMN bcce.budget_alerts.currency IS 'currency of the money columns';
COMMENT ON COLUMN bcce.budget_alerts.state IS 'firing, or resolved: the spending or forecast fell below again, the period or day ended, or the budget no longer asks for it';
COMMENT ON COLUMN bcce.budget_alerts.fired_at IS 'when it last fired';
COMMENT ON COLUMN bcce.budget_alerts.resolved_at IS 'when check_budgets() found its cause gone; NULL: it fires';
COMMENT ON COLUMN bcce.budget_alerts.times_fired IS 'how often it fired, again after each time it was resolved';
COMMENT ON COLUMN bcce.budget_alerts.notified_at IS 'when NOTIFY bcce_budget_alerts was last sent for it';

-- Everybody can listen to a channel: what is sent says whose alerts to read and
-- nothing else.
CREATE OR REPLACE FUNCTION bcce.check_budgets()
RETURNS TABLE (tenant_id uuid, budget text, period_start_at timestamptz, threshold_percent numeric, kind text, state text, times_fired integer, is_notified boolean)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict use_column
DECLARE
    moment CONSTANT timestamptz := bcce.report_now();
    told uuid[] := '{}';
BEGIN
    PERFORM bcce_data.refresh_budget_hours();
    -- One at a time, so that what fires by one is not judged by another from before.
    LOCK TABLE bcce_data.budget_alerts IN SHARE ROW EXCLUSIVE MODE;
    FOR tenant_id, budget, period_start_at, threshold_percent, kind, state, times_fired, is_notified IN
        WITH due AS MATERIALIZED (
            SELECT s.tenant_id, s.budget, c.starts_at, c.threshold, c.kind, c.fires, c.spent_usd, c.limit_usd, s.forecast_usd,
                   a.at IS NULL OR a.notified_at <= moment - interval '24 hours' OR a.limit_usd <> c.limit_usd AS notifies
            FROM bcce.budget_status(moment - interval '840 hours', NULL) s
            JOIN bcce_data.budgets b ON b.tenant_id = s.tenant_id AND b.budget = s.budget
            CROSS JOIN LATERAL (
                SELECT DISTINCT s.period_start_at AS starts_at, t.threshold, CASE WHEN s.is_open THEN 'crossed' ELSE 'late' END AS kind,
                       true AS fires, s.spent_usd, s.limit_usd
                FROM unnest(b.thresholds) AS t (threshold)
                WHERE s.spent_usd * 100 >= t.threshold * s.limit_usd
                UNION ALL
                SELECT s.period_start_at, 100, 'forecast', s.forecast_usd >= s.limit_usd, s.spent_usd, s.limit_usd
                WHERE s.is_open AND s.spent_usd < s.limit_usd AND s.forecast_usd >= 0.95 * s.limit_usd
                UNION ALL
                SELECT greatest(s.period_start_at, date_trunc('day', moment, b.timezone)), 100, 'daily', true, s.spent_today_usd, s.daily_limit_usd
                WHERE s.is_open AND s.spent_today_usd >= s.daily_limit_usd
            ) c
            LEFT JOIN bcce_data.budget_alerts a ON a.tenant_id = s.tenant_id AND a.budget = s.budget AND a.period_start_at = c.starts_at
                AND a.threshold_percent = c.threshold AND a.kind = c.kind
            WHERE s.period_end_at > b.set_at
              -- Late is what nobody was told by the end of the period.
              AND NOT (c.kind = 'late' AND EXISTS (
                  SELECT FROM bcce_data.budget_alerts x
                  WHERE x.tenant_id = s.tenant_id AND x.budget = s.budget AND x.period_start_at = c.starts_at
                    AND x.threshold_percent = c.threshold AND x.kind = 'crossed' AND (x.resolved_at IS NULL OR x.resolved_at >= s.period_end_at)))
        ), fired AS (
            INSERT INTO bcce_data.budget_alerts AS a (tenant_id, budget, period_start_at, threshold_percent, kind,
                                                      spent_usd, limit_usd, forecast_usd, at, fired_at, notified_at)
            SELECT d.tenant_id, d.budget, d.starts_at, d.threshold, d.kind, d.spent_usd, d.limit_usd, d.forecast_usd, moment, moment,
                   CASE WHEN d.notifies THEN moment ELSE '-infinity' END
            FROM due d
            WHERE d.fires
            ON CONFLICT ON CONSTRAINT budget_alerts_pkey DO UPDATE
            SET spent_usd = excluded.spent_usd, limit_usd = excluded.limit_usd, forecast_usd = excluded.forecast_usd,
                fired_at = excluded.fired_at, resolved_at = NULL, times_fired = a.times_fired + 1,
                notified_at = greatest(a.notified_at, excluded.notified_at)
            WHERE a.resolved_at IS NOT NULL
            RETURNING a.tenant_id, a.budget, a.period_start_at, a.threshold_percent, a.kind, a.times_fired
        ), resolved AS (
            UPDATE bcce_data.budget_alerts a SET resolved_at = greatest(a.fired_at, moment)
            WHERE a.resolved_at IS NULL
              AND NOT EXISTS (
                  SELECT FROM due d
                  WHERE d.tenant_id = a.tenant_id AND d.budget = a.budget AND d.starts_at = a.period_start_at
                    AND d.threshold = a.threshold_percent AND d.kind = a.kind AND (d.fires OR d.limit_usd = a.limit_usd))
            RETURNING a.tenant_id, a.budget, a.period_start_at, a.threshold_percent, a.kind, a.times_fired
        )
        SELECT f.tenant_id, f.budget, f.period_start_at, f.threshold_percent, f.kind, 'firing', f.times_fired, d.notifies
        FROM fired f
        JOIN due d ON d.tenant_id = f.tenant_id AND d.budget = f.budget AND d.starts_at = f.period_start_at
            AND d.threshold = f.threshold_percent AND d.kind = f.kind
        UNION ALL
        SELECT r.tenant_id, r.budget, r.period_start_at, r.threshold_percent, r.kind, 'resolved', r.times_fired, false
        FROM resolved r
        ORDER BY 1, 2, 3, 4, 5
    LOOP
        IF is_notified AND tenant_id <> ALL (told) THEN
            told := told || tenant_id;
            PERFORM pg_notify('bcce_budget_alerts', tenant_id::text);
        END IF;
        RETURN NEXT;
    END LOOP;
END
$body$;
COMMENT ON FUNCTION bcce.check_budgets() IS
'Brings budget_alerts up to date, for all tenants, and returns what changed. An alert fires for every threshold that a budget''s spending has reached (crossed), has reached by calls told after the end of a period within the last 35 days (late), for a budget that the forecast exceeds (forecast), and for a day that reaches its limit (daily); there is one a period and threshold, or day, and it fires until it is resolved: when the spending or forecast is below again (calls deleted or repriced, amount raised), the period or day has ended (late: 35 days ago), or the budget is gone or asks for it no more. A forecast about the limit does not flap: the alert stays until the forecast is below 95 percent of the same limit, or all of it is spent. What fires again is the same alert, with times_fired one more. NOTIFY bcce_budget_alerts with the tenant''s uuid and nothing else is sent once for a tenant where something fires for the first time, or again at another limit or 24 hours after it was last told (is_notified); nothing is sent for what is resolved. maintain() calls it, and pg_cron may more often, as limits of a day need, which are judged while the day lasts; calls wait for each other. It adds up the hours whose calls have changed and, for budgets of a workflow and calls of unknown cost, reads the calls of the open periods and of half a year for the forecasts.';

CREATE OR REPLACE FUNCTION bcce.budget_check(
    team text DEFAULT NULL, user_key text DEFAULT NULL, project text DEFAULT NULL, model text DEFAULT NULL, workflow text DEFAULT NULL,
    tenant text DEFAULT NULL)
RETURNS TABLE (is_allowed boolean, budget text, spent_usd numeric, limit_usd numeric, spent_percent numeric, unpriced_share_percent numeric, reason text)
-- Planning would take longer than adding up some hundred calls.
-- VOLATILE, so that what follows the lock sees what was committed before it: with
-- the caller's older snapshot, calls that maintain() has moved since would be
-- neither where they were nor where they are.
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $body$
#variable_conflict use_column
DECLARE
    target CONSTANT uuid := bcce_data.resolve_tenant(tenant);
    moment CONSTANT timestamptz := bcce.report_now();
    start_at timestamptz;
    end_at timestamptz;
    b bcce_data.budgets;
    s record;
    blocks boolean;
    share numeric;
    best numeric;
    today record;
    what text;
BEGIN
    IF target IS NULL THEN
        PERFORM bcce_data.refuse('unknown_tenant');
    END IF;
    LOCK TABLE ONLY bcce_data.model_usage IN ACCESS SHARE MODE;
    is_allowed := true;
    reason := 'no budget applies';
    FOR b IN
        SELECT x.*
        FROM bcce_data.budgets x
        WHERE x.tenant_id = target AND x.valid @> moment
          AND (x.team_id IS NULL OR x.team_id = budget_check.team)
          AND (x.user_key IS NULL OR x.user_key = budget_check.user_key)
          AND (x.project IS NULL OR x.project = budget_check.project)
          AND (x.model_id IS NULL OR x.model_id = budget_check.model)
          AND (x.workflow_id IS NULL OR x.workflow_id = budget_check.workflow)
        ORDER BY x.budget COLLATE "C"
    LOOP
        IF b.period = 'custom' THEN
            start_at := lower(b.valid);
            end_at := upper(b.valid);
        ELSE
            SELECT greatest(lower(b.valid), d.starts_at), least(upper(b.valid), d.ends_at) INTO start_at, end_at
            FROM bcce_data.local_periods(moment, moment, b.timezone, b.period) d;
        END IF;
        SELECT c.* INTO s FROM bcce_data.spent(b, start_at, end_at, start_at, moment) c;
        what := 'budget';
        IF b.daily_burst_percent IS NOT NULL THEN
            -- The day counts as the budget where less of it is left.
            SELECT c.usd, bcce_data.daily_limit(b.amount_usd, b.daily_burst_percent, start_at, end_at, b.timezone) AS limit_usd INTO today
            FROM bcce_data.spent(b, start_at, end_at, greatest(start_at, date_trunc('day', moment, b.timezone)), moment) c;
            IF today.usd / today.limit_usd > s.usd / b.amount_usd THEN
                s.usd := today.usd;
                b.amount_usd := today.limit_usd;
                what := 'daily limit';
            END IF;
        END IF;
        -- What blocks comes first, then what is nearest to its end.
        blocks := b.mode = 'block' AND s.usd >= b.amount_usd;
        share := s.usd / b.amount_usd;
        CONTINUE WHEN (blocks, share) <= (NOT is_allowed, best);
        best := share;
        is_allowed := NOT blocks;
        budget := b.budget;
        spent_usd := s.usd;
        limit_usd := b.amount_usd;
        spent_percent := round(100 * s.usd / b.amount_usd, 1);
        unpriced_share_percent := round(100.0 * s.unpriced / nullif(s.calls, 0), 1);
        reason := CASE WHEN s.usd < b.amount_usd THEN 'within ' || what WHEN is_allowed THEN what || ' is spent, alert only' ELSE what || ' is spent' END;
    END LOOP;
    RETURN NEXT;
END
$body$;
COMMENT ON FUNCTION bcce.budget_check(text, text, text, text, text, text) IS
'May a further call of this team, person (by the pseudonym), project, model and workflow be made? One row: is_allowed is false when a budget of mode block that covers the call, or its limit of today, is spent; with it the budget that says so, else the one nearest to its end: US dollars spent and allowed in its open period, percent, percent of the calls of unknown cost, and the reason. Advice: nothing is reserved. What is spent is what the calls add up to, to the last digit. Whole hours and days whose calls have not changed since check_budgets() or maintain() last ran were added up then, so it takes about half a millisecond however many calls the period has; add 0.3 ms for each thousand calls of the hour that goes on, of the hours that have changed since, and where neither ran; budgets of a workflow, and calls of unknown cost, are added up from the calls each time. A budget with a limit of the day stands for whichever of the two is nearer to its end: today''s US dollars, and a reason that says daily limit. tenant: slug, external id or uuid; NULL: your own. Error P0002: tenant not found.';
