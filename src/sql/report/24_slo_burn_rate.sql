-- How fast error budgets burn, one row per tenant, service with a target and pair of windows.
CREATE OR REPLACE FUNCTION bcce.slo_burn_rate(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    service_id text,
    service_name text,
    window_pair text,
    slo_target_percent numeric,
    long_window_minutes double precision,
    short_window_minutes double precision,
    long_request_count bigint,
    short_request_count bigint,
    long_error_rate_percent numeric,
    short_error_rate_percent numeric,
    long_burn_rate double precision,
    short_burn_rate double precision,
    burn_rate_threshold double precision,
    is_firing boolean,
    error_budget_remaining_percent numeric,
    exhausted_in_hours double precision
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        l.tenant_id,
        l.tenant_name,
        l.service_id,
        l.service_name,
        pair.name,
        l.slo_target_percent,
        pair.long_minutes,
        pair.short_minutes,
        pair.long_requests,
        pair.short_requests,
        round(100.0 * pair.long_errors / nullif(pair.long_requests, 0), 4),
        round(100.0 * pair.short_errors / nullif(pair.short_requests, 0), 4),
        pair.long_burn,
        pair.short_burn,
        pair.threshold,
        pair.fires,
        n.budget_remaining_percent,
        CASE WHEN n.budget_remaining_percent <= 0 THEN 0
             ELSE n.budget_remaining_percent::double precision / 100 * 720 / nullif(pair.long_burn, 0) END
    FROM bcce_data.service_limits(until) l
    JOIN bcce_data.slo_state(until) n ON n.tenant_id = l.tenant_id AND n.service_id = l.service_id
    CROSS JOIN LATERAL (
        SELECT 'fast' AS name, l.fast_burn_long_minutes AS long_minutes, l.fast_burn_short_minutes AS short_minutes,
               n.fast_long_requests AS long_requests, n.fast_long_errors AS long_errors,
               n.fast_short_requests AS short_requests, n.fast_short_errors AS short_errors,
               n.fast_long_burn AS long_burn, n.fast_short_burn AS short_burn, l.fast_burn_rate AS threshold, n.fast_fires AS fires
        UNION ALL
        SELECT 'slow', l.slow_burn_long_minutes, l.slow_burn_short_minutes, n.slow_long_requests, n.slow_long_errors,
               n.slow_short_requests, n.slow_short_errors, n.slow_long_burn, n.slow_short_burn, l.slow_burn_rate, n.slow_fires
    ) pair;
END;
COMMENT ON FUNCTION bcce.slo_burn_rate(timestamptz, timestamptz) IS 'How fast did error budgets burn just before until (exclusive), or how fast do they now where until is NULL? Same columns as the view of this name; the windows end there whatever since says.';

CREATE OR REPLACE VIEW bcce.slo_burn_rate WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.service_id,
    x.service_name,
    x.window_pair,
    x.slo_target_percent,
    x.long_window_minutes,
    x.short_window_minutes,
    x.long_request_count,
    x.short_request_count,
    x.long_error_rate_percent,
    x.short_error_rate_percent,
    x.long_burn_rate,
    x.short_burn_rate,
    x.burn_rate_threshold,
    x.is_firing,
    x.error_budget_remaining_percent,
    x.exhausted_in_hours
FROM bcce.slo_burn_rate(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.slo_burn_rate IS 'How fast do error budgets burn? One row per visible tenant, service with a target (slos) and pair of windows. For a past moment use the function of this name.';
COMMENT ON COLUMN bcce.slo_burn_rate.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.slo_burn_rate.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.slo_burn_rate.service_id IS 'service';
COMMENT ON COLUMN bcce.slo_burn_rate.service_name IS 'display name of the service';
COMMENT ON COLUMN bcce.slo_burn_rate.window_pair IS 'fast or slow: short windows that see an outage, or long ones that see a slow leak';
COMMENT ON COLUMN bcce.slo_burn_rate.slo_target_percent IS 'percent of the requests that the service promises to answer without error (slos)';
COMMENT ON COLUMN bcce.slo_burn_rate.long_window_minutes IS 'length of the long window, minutes';
COMMENT ON COLUMN bcce.slo_burn_rate.short_window_minutes IS 'length of the short window, minutes';
COMMENT ON COLUMN bcce.slo_burn_rate.long_request_count IS 'requests in the long window, of samples that tell both counts';
COMMENT ON COLUMN bcce.slo_burn_rate.short_request_count IS 'requests in the short window, of samples that tell both counts';
COMMENT ON COLUMN bcce.slo_burn_rate.long_error_rate_percent IS 'percent of the requests in the long window that failed, four decimals; NULL: no requests';
COMMENT ON COLUMN bcce.slo_burn_rate.short_error_rate_percent IS 'percent of the requests in the short window that failed, four decimals; NULL: no requests';
COMMENT ON COLUMN bcce.slo_burn_rate.long_burn_rate IS 'error rate of the long window divided by the one that the target allows: 1 uses the budget up in 30 days; NULL: under 20 requests (burn_min_requests) in the short window, or a target of 100 percent';
COMMENT ON COLUMN bcce.slo_burn_rate.short_burn_rate IS 'the same of the short window';
COMMENT ON COLUMN bcce.slo_burn_rate.burn_rate_threshold IS 'burn rate above which the pair fires';
COMMENT ON COLUMN bcce.slo_burn_rate.is_firing IS 'true when both burn rates are above the threshold; NULL: not known';
COMMENT ON COLUMN bcce.slo_burn_rate.error_budget_remaining_percent IS 'percent of the errors that the target allows over 30 days that is left, four decimals; below 0: overspent; NULL: no requests';
COMMENT ON COLUMN bcce.slo_burn_rate.exhausted_in_hours IS 'hours until the budget is used up at the long window''s pace and steady traffic; 0: it is; NULL: never at this pace, or not known';
