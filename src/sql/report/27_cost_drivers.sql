-- cost_drivers: why the cost of models rose or fell against the time before.
CREATE OR REPLACE FUNCTION bcce.cost_drivers(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    window_start_at timestamptz,
    window_end_at timestamptz,
    model_id text,
    token_class text,
    previous_quantity bigint,
    quantity bigint,
    previous_cost_usd numeric,
    cost_usd numeric,
    change_usd numeric,
    volume_effect_usd numeric,
    price_effect_usd numeric,
    mix_effect_usd numeric,
    is_lower_bound boolean,
    currency text
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH period AS (
        -- By the second: days of an interval would follow the session's zone.
        SELECT
            s.starts_at,
            e.ends_at,
            CASE WHEN isfinite(s.starts_at) AND isfinite(e.ends_at) AND s.starts_at < e.ends_at
                 THEN extract(epoch FROM e.ends_at - s.starts_at) * interval '1 second' END AS length
        FROM (SELECT least(until, bcce.report_now()) AS ends_at) e
        CROSS JOIN LATERAL (SELECT coalesce(since, e.ends_at - interval '720 hours') AS starts_at) s
    ),
    call AS (
        SELECT
            u.tenant_id,
            u.model_id,
            u.at >= (SELECT p.starts_at FROM period p) AS is_now,
            u.input_tokens,
            u.output_tokens,
            u.cache_read_tokens,
            u.cache_write_5m_tokens,
            u.cache_write_1h_tokens,
            u.web_searches,
            c.usd,
            c.is_split,
            c.part_1,
            c.part_2,
            c.part_3,
            c.part_4,
            c.part_5,
            c.part_6,
            c.price_effect_1,
            c.price_effect_2,
            c.price_effect_3,
            c.price_effect_4,
            c.price_effect_5,
            c.price_effect_6
        FROM bcce_data.model_usage u
        -- Taken apart at once: a stored array is copied for each look into it.
        CROSS JOIN LATERAL (
            SELECT
                k.usd,
                -- What was reported, or charged otherwise, is of no class.
                k.usd IS NOT NULL AND k.part[1] + k.part[2] + k.part[3] + k.part[4] + k.part[5] + k.part[6] IS NOT DISTINCT FROM k.usd AS is_split,
                k.part[1] AS part_1,
                k.part[2] AS part_2,
                k.part[3] AS part_3,
                k.part[4] AS part_4,
                k.part[5] AS part_5,
                k.part[6] AS part_6,
                k.part[1] - k.earlier_part[1] AS price_effect_1,
                k.part[2] - k.earlier_part[2] AS price_effect_2,
                k.part[3] - k.earlier_part[3] AS price_effect_3,
                k.part[4] - k.earlier_part[4] AS price_effect_4,
                k.part[5] - k.earlier_part[5] AS price_effect_5,
                k.part[6] - k.earlier_part[6] AS price_effect_6
            FROM (
                SELECT
                    bcce_data.call_cost_usd(u.reported_cost_usd, u.charged_usd, u.model_id, u.at, u.input_tokens, u.output_tokens, u.cache_read_tokens,
                        u.cache_write_5m_tokens, u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier, u.tenant_id) AS usd,
                    CASE WHEN u.reported_cost_usd IS NULL
                         THEN bcce.token_cost_parts(u.model_id, u.at, u.input_tokens, u.output_tokens, u.cache_read_tokens,
                        u.cache_write_5m_tokens, u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier, u.tenant_id,
                             CASE WHEN u.charged_usd IS NOT NULL THEN u.priced_at END)
                    END AS part,
                    -- The same call, made one period earlier.
                    CASE WHEN u.reported_cost_usd IS NULL AND u.at >= (SELECT p.starts_at FROM period p)
                         THEN bcce.token_cost_parts(u.model_id, u.at - (SELECT p.length FROM period p), u.input_tokens, u.output_tokens, u.cache_read_tokens,
                        u.cache_write_5m_tokens, u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier, u.tenant_id,
                             CASE WHEN u.charged_usd IS NOT NULL THEN u.priced_at END)
                    END AS earlier_part
                OFFSET 0
            ) k
            OFFSET 0
        ) c
        WHERE u.at >= (SELECT p.starts_at - p.length FROM period p)
          AND u.at < (SELECT p.ends_at FROM period p)
          AND NOT u.is_test
    ),
    model AS (
        SELECT
            c.tenant_id,
            c.model_id,
            c.is_now,
            count(c.usd) AS calls,
            count(*) - count(c.usd) AS unpriced,
            ARRAY[sum(c.input_tokens) FILTER (WHERE c.is_split), sum(c.output_tokens) FILTER (WHERE c.is_split),
                  sum(c.cache_read_tokens) FILTER (WHERE c.is_split), sum(c.cache_write_5m_tokens) FILTER (WHERE c.is_split),
                  sum(c.cache_write_1h_tokens) FILTER (WHERE c.is_split), sum(c.web_searches) FILTER (WHERE c.is_split),
                  count(c.usd) FILTER (WHERE NOT c.is_split)] AS quantity,
            ARRAY[sum(c.part_1) FILTER (WHERE c.is_split), sum(c.part_2) FILTER (WHERE c.is_split), sum(c.part_3) FILTER (WHERE c.is_split),
                  sum(c.part_4) FILTER (WHERE c.is_split), sum(c.part_5) FILTER (WHERE c.is_split), sum(c.part_6) FILTER (WHERE c.is_split),
                  sum(c.usd) FILTER (WHERE NOT c.is_split)] AS usd,
            ARRAY[sum(c.price_effect_1) FILTER (WHERE c.is_split), sum(c.price_effect_2) FILTER (WHERE c.is_split),
                  sum(c.price_effect_3) FILTER (WHERE c.is_split), sum(c.price_effect_4) FILTER (WHERE c.is_split),
                  sum(c.price_effect_5) FILTER (WHERE c.is_split), sum(c.price_effect_6) FILTER (WHERE c.is_split),
                  NULL] AS price_effect
        FROM call c
        GROUP BY c.tenant_id, c.model_id, c.is_now
    ),
    cell AS (
        SELECT
            m.tenant_id,
            m.model_id,
            k.token_class,
            bcce_data.whole_number(coalesce(sum(k.quantity) FILTER (WHERE NOT m.is_now), 0)) AS old_quantity,
            bcce_data.whole_number(coalesce(sum(k.quantity) FILTER (WHERE m.is_now), 0)) AS new_quantity,
            coalesce(sum(k.usd) FILTER (WHERE NOT m.is_now), 0) AS old_usd,
            coalesce(sum(k.usd) FILTER (WHERE m.is_now), 0) AS new_usd,
            coalesce(sum(k.price_effect), 0) AS price_effect
        FROM model m
        CROSS JOIN LATERAL unnest('{input,output,cache_read,cache_write_5m,cache_write_1h,web_search,unsplit}'::text[], m.quantity, m.usd, m.price_effect)
            AS k (token_class, quantity, usd, price_effect)
        GROUP BY m.tenant_id, m.model_id, k.token_class
        HAVING sum(k.quantity) > 0
    ),
    total AS (
        SELECT
            m.tenant_id,
            coalesce(sum(m.calls) FILTER (WHERE NOT m.is_now), 0) AS old_calls,
            coalesce(sum(m.calls) FILTER (WHERE m.is_now), 0) AS new_calls,
            sum(m.unpriced) > 0 AS is_lower_bound
        FROM model m
        GROUP BY m.tenant_id
    )
    SELECT
        t.tenant_id,
        t.tenant_name,
        p.starts_at,
        p.ends_at,
        c.model_id,
        c.token_class,
        c.old_quantity,
        c.new_quantity,
        c.old_usd,
        c.new_usd,
        c.new_usd - c.old_usd,
        volume.usd,
        c.price_effect,
        c.new_usd - c.old_usd - c.price_effect - volume.usd,
        x.is_lower_bound,
        t.billing_currency
    FROM bcce_data.tenants t
    JOIN total x ON x.tenant_id = t.tenant_id
    JOIN cell c ON c.tenant_id = t.tenant_id
    CROSS JOIN period p
    CROSS JOIN LATERAL (
        SELECT CASE WHEN x.old_calls = 0 THEN c.new_usd - c.old_usd - c.price_effect
                    ELSE round(c.old_usd * x.new_calls / x.old_calls - c.old_usd, 10) END AS usd
    ) volume
    WHERE t.deleted_at IS NULL;
END;
COMMENT ON FUNCTION bcce.cost_drivers(timestamptz, timestamptz) IS 'What drives the change of model cost from the period before to the one of the same length between since (inclusive) and until (exclusive)? An until of NULL is now, a since of NULL 30 days before the end. Same columns as the view of this name.';

CREATE OR REPLACE VIEW bcce.cost_drivers WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.window_start_at,
    x.window_end_at,
    x.model_id,
    x.token_class,
    x.previous_quantity,
    x.quantity,
    x.previous_cost_usd,
    x.cost_usd,
    x.change_usd,
    x.volume_effect_usd,
    x.price_effect_usd,
    x.mix_effect_usd,
    x.is_lower_bound,
    x.currency
FROM bcce.cost_drivers(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.cost_drivers IS 'What drives the change of model spending: volume, prices, or the mix? One row per visible tenant, model and class of tokens used in the last 30 days or the 30 before. For another period, against the one of the same length before it, use the function of this name.';
COMMENT ON COLUMN bcce.cost_drivers.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.cost_drivers.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.cost_drivers.window_start_at IS 'start of the period, inclusive; the one before it ends here';
COMMENT ON COLUMN bcce.cost_drivers.window_end_at IS 'end of the period, exclusive';
COMMENT ON COLUMN bcce.cost_drivers.model_id IS 'model as the calls name it';
COMMENT ON COLUMN bcce.cost_drivers.token_class IS 'input, output, cache_read, cache_write_5m, cache_write_1h, web_search, or unsplit: calls whose cost the sender reported as one sum';
COMMENT ON COLUMN bcce.cost_drivers.previous_quantity IS 'tokens of the class, searches, or calls of an unsplit cost, in the period before; only calls with a known cost';
COMMENT ON COLUMN bcce.cost_drivers.quantity IS 'the same in the period';
COMMENT ON COLUMN bcce.cost_drivers.previous_cost_usd IS 'US dollars in the period before';
COMMENT ON COLUMN bcce.cost_drivers.cost_usd IS 'US dollars in the period; summed over a model, its model_cost_usd';
COMMENT ON COLUMN bcce.cost_drivers.change_usd IS 'US dollars more than in the period before: volume, price and mix effect, to the last digit';
COMMENT ON COLUMN bcce.cost_drivers.volume_effect_usd IS 'US dollars of the change if only the number of the tenant''s calls had changed, rounded to ten decimals; without calls before, all but the price effect';
COMMENT ON COLUMN bcce.cost_drivers.price_effect_usd IS 'US dollars of the change that are due to prices: what the period''s calls cost more than the same calls would have cost one period earlier; 0 where there was no price then';
COMMENT ON COLUMN bcce.cost_drivers.mix_effect_usd IS 'US dollars of the change that are left: other models, more or fewer tokens in a call, other classes of them';
COMMENT ON COLUMN bcce.cost_drivers.is_lower_bound IS 'true when the cost of some call of the tenant in either period is unknown: such calls are left out';
COMMENT ON COLUMN bcce.cost_drivers.currency IS 'currency of the money columns';
