-- usage_reconciliation: what the counters of clients say beside the calls that
-- are stored, and what clients take a call's cost for beside ours.
CREATE OR REPLACE FUNCTION bcce.usage_reconciliation(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    period_start_at timestamptz,
    usage_date date,
    model_id text,
    counter_tokens bigint,
    call_tokens bigint,
    difference_tokens bigint,
    token_difference_percent numeric,
    counter_input_tokens bigint,
    call_input_tokens bigint,
    counter_output_tokens bigint,
    call_output_tokens bigint,
    counter_cache_read_tokens bigint,
    call_cache_read_tokens bigint,
    counter_cache_write_tokens bigint,
    call_cache_write_tokens bigint,
    counter_cost_usd numeric,
    call_cost_usd numeric,
    client_cost_usd numeric,
    same_call_cost_usd numeric,
    cost_difference_usd numeric,
    cost_difference_percent numeric,
    counted_calls bigint,
    mismatched_calls bigint,
    unpriced_calls bigint,
    uncounted_calls bigint,
    is_lower_bound boolean,
    currency text
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        c.starts_at,
        c.first_day,
        x.model_id,
        x.counter_tokens,
        x.call_tokens,
        x.counter_tokens - x.call_tokens,
        round(100.0 * (x.counter_tokens - x.call_tokens) / nullif(x.call_tokens, 0), 1),
        x.counter_input_tokens,
        x.call_input_tokens,
        x.counter_output_tokens,
        x.call_output_tokens,
        x.counter_cache_read_tokens,
        x.call_cache_read_tokens,
        x.counter_cache_write_tokens,
        x.call_cache_write_tokens,
        x.counter_cost_usd,
        x.call_cost_usd,
        trim_scale(x.client_cost_usd),
        x.same_call_cost_usd,
        trim_scale(x.client_cost_usd - x.same_call_cost_usd),
        round(100 * (x.client_cost_usd - x.same_call_cost_usd) / nullif(x.same_call_cost_usd, 0), 1),
        x.calls,
        x.mismatched,
        x.unpriced,
        x.uncounted,
        x.unpriced > 0,
        t.billing_currency
    FROM bcce_data.tenants t
    CROSS JOIN LATERAL bcce_data.fact_ends(t.tenant_id, since, until) call
    CROSS JOIN LATERAL (
        SELECT
            least(call.first_call_at, (
                SELECT k.at FROM bcce_data.model_usage_counters k
                WHERE k.tenant_id = t.tenant_id AND k.at >= coalesce(since, '-infinity') AND k.at < coalesce(until, 'infinity')
                ORDER BY k.at LIMIT 1)) AS first_at,
            greatest(call.last_call_at, (
                SELECT k.at FROM bcce_data.model_usage_counters k
                WHERE k.tenant_id = t.tenant_id AND k.at >= coalesce(since, '-infinity') AND k.at < coalesce(until, 'infinity')
                ORDER BY k.at DESC LIMIT 1)) AS last_at
        OFFSET 0
    ) e
    CROSS JOIN LATERAL bcce_data.local_periods(e.first_at, e.last_at, t.timezone, 'day') c
    -- Kept apart: what a condition computes from a column is no condition for an index under row security.
    CROSS JOIN LATERAL (SELECT c.ends_at + interval '24 hours' AS at OFFSET 0) day_after
    CROSS JOIN LATERAL (
        SELECT
            s.model_id,
            bcce_data.whole_number(sum(s.counter_tokens)) AS counter_tokens,
            bcce_data.whole_number(sum(s.call_tokens)) AS call_tokens,
            bcce_data.whole_number(sum(s.counter_input_tokens)) AS counter_input_tokens,
            bcce_data.whole_number(sum(s.call_input_tokens)) AS call_input_tokens,
            bcce_data.whole_number(sum(s.counter_output_tokens)) AS counter_output_tokens,
            bcce_data.whole_number(sum(s.call_output_tokens)) AS call_output_tokens,
            bcce_data.whole_number(sum(s.counter_cache_read_tokens)) AS counter_cache_read_tokens,
            bcce_data.whole_number(sum(s.call_cache_read_tokens)) AS call_cache_read_tokens,
            bcce_data.whole_number(sum(s.counter_cache_write_tokens)) AS counter_cache_write_tokens,
            bcce_data.whole_number(sum(s.call_cache_write_tokens)) AS call_cache_write_tokens,
            sum(s.counter_cost_usd) AS counter_cost_usd,
            sum(s.call_cost_usd) AS call_cost_usd,
            sum(s.client_cost_usd) AS client_cost_usd,
            sum(s.same_call_cost_usd) AS same_call_cost_usd,
            coalesce(sum(s.calls), 0)::bigint AS calls,
            coalesce(sum(s.mismatched), 0)::bigint AS mismatched,
            coalesce(sum(s.unpriced), 0)::bigint AS unpriced,
            coalesce(sum(s.uncounted), 0)::bigint AS uncounted
        FROM (
            SELECT
                k.model_id,
                sum(k.amount) FILTER (WHERE k.metric = 'tokens') AS counter_tokens,
                NULL::numeric AS call_tokens,
                sum(k.amount) FILTER (WHERE k.token_class = 'input') AS counter_input_tokens,
                NULL::numeric AS call_input_tokens,
                sum(k.amount) FILTER (WHERE k.token_class = 'output') AS counter_output_tokens,
                NULL::numeric AS call_output_tokens,
                sum(k.amount) FILTER (WHERE k.token_class = 'cache_read') AS counter_cache_read_tokens,
                NULL::numeric AS call_cache_read_tokens,
                sum(k.amount) FILTER (WHERE k.token_class = 'cache_write') AS counter_cache_write_tokens,
                NULL::numeric AS call_cache_write_tokens,
                sum(k.amount) FILTER (WHERE k.metric = 'cost_usd') AS counter_cost_usd,
                NULL::numeric AS call_cost_usd,
                NULL::numeric AS client_cost_usd,
                NULL::numeric AS same_call_cost_usd,
                NULL::bigint AS calls,
                NULL::bigint AS mismatched,
                NULL::bigint AS unpriced,
                NULL::bigint AS uncounted
            FROM (
                -- A cumulative point counts from its start on: what is new is what it
                -- rose by since the last point of that start, which may lie before the
                -- day; one that fell began anew.
                SELECT k.model_id, k.metric, k.token_class, k.value - coalesce(CASE WHEN last.value <= k.value THEN last.value END, 0) AS amount
                FROM (
                    SELECT
                        k.series_key,
                        k.started_at,
                        k.at,
                        k.model_id,
                        k.metric,
                        k.token_class,
                        k.value,
                        k.is_cumulative,
                        CASE WHEN k.is_cumulative THEN lag(k.value) OVER (PARTITION BY k.is_cumulative, k.series_key, k.started_at ORDER BY k.at) END AS last_value
                    FROM bcce_data.model_usage_counters k
                    WHERE k.tenant_id = t.tenant_id AND k.at >= c.starts_at AND k.at < c.ends_at
                      AND k.at >= coalesce(since, '-infinity') AND k.at < coalesce(until, 'infinity')
                ) k
                LEFT JOIN LATERAL (
                    SELECT p.value
                    FROM bcce_data.model_usage_counters p
                    WHERE p.tenant_id = t.tenant_id AND p.series_key = k.series_key AND p.started_at = k.started_at AND p.at < k.at
                      AND p.is_cumulative AND k.is_cumulative AND k.last_value IS NULL
                    ORDER BY p.at DESC
                    LIMIT 1
                ) before_day ON true
                CROSS JOIN LATERAL (SELECT coalesce(k.last_value, before_day.value) AS value) last
            ) k
            GROUP BY k.model_id
            UNION ALL
            SELECT
                u.model_id,
                NULL,
                sum(coalesce(u.input_tokens, 0) + coalesce(u.output_tokens, 0) + coalesce(u.cache_read_tokens, 0) + coalesce(u.cache_write_tokens, 0))
                    FILTER (WHERE u.is_counted AND coalesce(u.input_tokens, u.output_tokens, u.cache_read_tokens, u.cache_write_tokens) IS NOT NULL),
                NULL,
                sum(u.input_tokens) FILTER (WHERE u.is_counted),
                NULL,
                sum(u.output_tokens) FILTER (WHERE u.is_counted),
                NULL,
                sum(u.cache_read_tokens) FILTER (WHERE u.is_counted),
                NULL,
                sum(u.cache_write_tokens) FILTER (WHERE u.is_counted),
                NULL,
                sum(u.usd) FILTER (WHERE u.is_counted),
                sum(u.client_cost_usd) FILTER (WHERE u.is_counted AND u.usd IS NOT NULL),
                sum(u.usd) FILTER (WHERE u.is_counted AND u.client_cost_usd IS NOT NULL),
                count(*) FILTER (WHERE u.is_counted),
                count(*) FILTER (WHERE u.is_counted AND u.source_mismatch),
                count(*) FILTER (WHERE u.is_counted AND u.usd IS NULL),
                count(*) FILTER (WHERE NOT u.is_counted)
            FROM (
                SELECT
                    u.model_id,
                    u.input_tokens,
                    u.output_tokens,
                    u.cache_read_tokens,
                    coalesce(u.cache_write_5m_tokens + u.cache_write_1h_tokens, u.cache_write_5m_tokens, u.cache_write_1h_tokens) AS cache_write_tokens,
                    u.client_cost_usd,
                    u.source_mismatch,
                    u.told_by & 2 = 2 OR watched.session_id IS NOT NULL AS is_counted,
                    bcce_data.call_cost_usd(u.reported_cost_usd, u.charged_usd, u.model_id, u.at, u.input_tokens, u.output_tokens, u.cache_read_tokens,
                        u.cache_write_5m_tokens, u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier, u.tenant_id) AS usd
                FROM bcce_data.model_usage u
                -- Sessions whose counters counted on that day; the point that says so may come on the next.
                LEFT JOIN (
                    SELECT DISTINCT k.session_id
                    FROM bcce_data.model_usage_counters k
                    WHERE k.tenant_id = t.tenant_id AND k.at >= c.starts_at AND k.at < day_after.at AND k.started_at < c.ends_at
                      AND k.at < coalesce(until, 'infinity')
                ) watched ON watched.session_id = u.session_id
                WHERE u.tenant_id = t.tenant_id AND u.at >= c.starts_at AND u.at < c.ends_at
                  AND u.at >= coalesce(since, '-infinity') AND u.at < coalesce(until, 'infinity')
                  AND NOT u.is_test
                OFFSET 0
            ) u
            GROUP BY u.model_id
        ) s
        GROUP BY s.model_id
    ) x
    WHERE t.deleted_at IS NULL;
END;
COMMENT ON FUNCTION bcce.usage_reconciliation(timestamptz, timestamptz) IS 'Do the counters that clients export agree with the calls that are stored, of what falls between since (inclusive) and until (exclusive)? NULL leaves an end open. Same columns as the view of this name.';

CREATE OR REPLACE VIEW bcce.usage_reconciliation WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.period_start_at,
    x.usage_date,
    x.model_id,
    x.counter_tokens,
    x.call_tokens,
    x.difference_tokens,
    x.token_difference_percent,
    x.counter_input_tokens,
    x.call_input_tokens,
    x.counter_output_tokens,
    x.call_output_tokens,
    x.counter_cache_read_tokens,
    x.call_cache_read_tokens,
    x.counter_cache_write_tokens,
    x.call_cache_write_tokens,
    x.counter_cost_usd,
    x.call_cost_usd,
    x.client_cost_usd,
    x.same_call_cost_usd,
    x.cost_difference_usd,
    x.cost_difference_percent,
    x.counted_calls,
    x.mismatched_calls,
    x.unpriced_calls,
    x.uncounted_calls,
    x.is_lower_bound,
    x.currency
FROM bcce.usage_reconciliation(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.usage_reconciliation IS 'Do the counters of tokens and cost that clients export agree with the calls that are stored? One row per visible tenant, local day and model with a call or a point of a counter. A session over midnight differs on both days and agrees over them. For a period use the function of this name.';
COMMENT ON COLUMN bcce.usage_reconciliation.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.usage_reconciliation.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.usage_reconciliation.period_start_at IS 'first instant of the day in the tenant''s zone';
COMMENT ON COLUMN bcce.usage_reconciliation.usage_date IS 'day in the tenant''s zone: of a call that of its time, of a counter that of the point that tells of the tokens, which may come some time after the calls';
COMMENT ON COLUMN bcce.usage_reconciliation.model_id IS 'model as the calls and counters name it; NULL: counters that name none';
COMMENT ON COLUMN bcce.usage_reconciliation.counter_tokens IS 'tokens by the counters that clients export: what delta points say, and by how much cumulative ones rose, anew after each start; NULL: no point of tokens';
COMMENT ON COLUMN bcce.usage_reconciliation.call_tokens IS 'tokens of the calls that counters can have counted: those that telemetry tells of, and those of sessions that sent counters then; NULL: no such call tells';
COMMENT ON COLUMN bcce.usage_reconciliation.difference_tokens IS 'tokens that counters say above those of the calls: calls that are missing here; negative: more than they say; NULL: one side says nothing';
COMMENT ON COLUMN bcce.usage_reconciliation.token_difference_percent IS 'the difference in percent of the tokens of the calls, one decimal';
COMMENT ON COLUMN bcce.usage_reconciliation.counter_input_tokens IS 'tokens into models, cache reads and writes apart, by the counters; NULL: they do not say';
COMMENT ON COLUMN bcce.usage_reconciliation.call_input_tokens IS 'tokens into models, cache reads and writes apart, of the calls; NULL: they do not say';
COMMENT ON COLUMN bcce.usage_reconciliation.counter_output_tokens IS 'tokens out of models, by the counters; NULL: they do not say';
COMMENT ON COLUMN bcce.usage_reconciliation.call_output_tokens IS 'tokens out of models, of the calls; NULL: they do not say';
COMMENT ON COLUMN bcce.usage_reconciliation.counter_cache_read_tokens IS 'tokens read from the cache, by the counters; NULL: they do not say';
COMMENT ON COLUMN bcce.usage_reconciliation.call_cache_read_tokens IS 'tokens read from the cache, of the calls; NULL: they do not say';
COMMENT ON COLUMN bcce.usage_reconciliation.counter_cache_write_tokens IS 'tokens written to the cache, for whatever time, by the counters; NULL: they do not say';
COMMENT ON COLUMN bcce.usage_reconciliation.call_cache_write_tokens IS 'tokens written to the cache, for whatever time, of the calls; NULL: they do not say';
COMMENT ON COLUMN bcce.usage_reconciliation.counter_cost_usd IS 'US dollars by the cost counters, the client''s own estimate; NULL: no point of cost';
COMMENT ON COLUMN bcce.usage_reconciliation.call_cost_usd IS 'US dollars of the calls, as in cost_by_model; NULL: none has a known cost';
COMMENT ON COLUMN bcce.usage_reconciliation.client_cost_usd IS 'US dollars that clients estimated call by call, of the calls of which our cost is known, too; NULL: none';
COMMENT ON COLUMN bcce.usage_reconciliation.same_call_cost_usd IS 'US dollars that the same calls cost by us';
COMMENT ON COLUMN bcce.usage_reconciliation.cost_difference_usd IS 'US dollars that clients estimate above ours for the same calls; negative: below';
COMMENT ON COLUMN bcce.usage_reconciliation.cost_difference_percent IS 'that in percent of ours, one decimal';
COMMENT ON COLUMN bcce.usage_reconciliation.counted_calls IS 'calls that counters can have counted';
COMMENT ON COLUMN bcce.usage_reconciliation.mismatched_calls IS 'calls among them of which transcript and telemetry tell different counts; those of the transcript are kept';
COMMENT ON COLUMN bcce.usage_reconciliation.unpriced_calls IS 'calls among them whose cost is unknown';
COMMENT ON COLUMN bcce.usage_reconciliation.uncounted_calls IS 'other calls of the model: of clients without telemetry, with nothing to compare; in no other column';
COMMENT ON COLUMN bcce.usage_reconciliation.is_lower_bound IS 'true when the cost of some call is unknown, so that call_cost_usd is a lower bound';
COMMENT ON COLUMN bcce.usage_reconciliation.currency IS 'currency of the money columns';
