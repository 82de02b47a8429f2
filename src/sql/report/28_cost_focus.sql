-- cost_focus: the cost of model calls under the names of FinOps FOCUS 1.2.
--
-- One row a request and class of tokens, so that price times quantity is the cost;
-- a request whose cost was reported as one sum is one row.  Only what has a cost:
-- FOCUS knows no unknown one.  The rest is in cost_focus_unpriced, and how much
-- that is in cost_focus_coverage.
CREATE OR REPLACE FUNCTION bcce.cost_focus(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    "BillingAccountId" text,
    "BillingAccountName" text,
    "SubAccountId" text,
    "SubAccountName" text,
    "BillingPeriodStart" timestamptz,
    "BillingPeriodEnd" timestamptz,
    "ChargePeriodStart" timestamptz,
    "ChargePeriodEnd" timestamptz,
    "BillingCurrency" text,
    "PricingCurrency" text,
    "ChargeCategory" text,
    "ChargeClass" text,
    "ChargeFrequency" text,
    "ChargeDescription" text,
    "ProviderName" text,
    "PublisherName" text,
    "InvoiceIssuerName" text,
    "ServiceCategory" text,
    "ServiceSubcategory" text,
    "ServiceName" text,
    "RegionId" text,
    "RegionName" text,
    "ResourceId" text,
    "ResourceType" text,
    "SkuId" text,
    "SkuPriceId" text,
    "SkuMeter" text,
    "SkuPriceDetails" jsonb,
    "ConsumedQuantity" numeric,
    "ConsumedUnit" text,
    "PricingQuantity" numeric,
    "PricingUnit" text,
    "PricingCategory" text,
    "ListUnitPrice" numeric,
    "ListCost" numeric,
    "ContractedUnitPrice" numeric,
    "ContractedCost" numeric,
    "EffectiveCost" numeric,
    "BilledCost" numeric,
    "Tags" jsonb,
    "x_UserKey" text,
    "x_SessionId" text,
    "x_WorkflowRunId" text,
    "x_QuerySource" text,
    "x_AgentName" text,
    "x_RequestId" text,
    "x_CostBasis" text,
    "x_PricedAt" timestamptz,
    "x_RequestedAt" timestamptz
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        coalesce(t.org_id, t.tenant_id::text),
        t.tenant_name,
        t.tenant_id::text,
        t.tenant_name,
        date_trunc('month', u.at, 'UTC'),
        (date_trunc('month', u.at AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC',
        date_trunc('hour', u.at, 'UTC'),
        date_trunc('hour', u.at, 'UTC') + interval '1 hour',
        t.billing_currency,
        t.billing_currency,
        'Usage',
        NULL,
        'Usage-Based',
        u.model_id || ' ' || k.meter,
        u.provider,
        CASE WHEN u.model_id LIKE '%claude%' THEN 'Anthropic' END,
        u.provider,
        'AI and Machine Learning',
        'Generative AI',
        'Model calls',
        u.region,
        u.region,
        u.model_id,
        'model',
        u.model_id || ':' || k.class,
        u.model_id || ':' || k.class || ':' || coalesce(u.service_tier, 'standard') || ':' || coalesce(u.speed, 'standard') || ':' || coalesce(u.inference_geo, 'global'),
        k.meter,
        jsonb_strip_nulls(jsonb_build_object('service_tier', u.service_tier, 'speed', u.speed, 'inference_geo', u.inference_geo)),
        k.quantity,
        k.unit,
        k.quantity,
        k.unit,
        'Standard',
        k.usd / k.quantity,
        k.usd,
        k.usd / k.quantity,
        k.usd,
        k.usd,
        k.usd,
        jsonb_strip_nulls(jsonb_build_object('team', u.team_id, 'project', u.project)),
        u.user_key,
        u.session_id,
        u.run_id,
        u.query_source,
        u.agent_name,
        u.request_id,
        CASE WHEN u.reported_cost_usd IS NULL THEN 'estimated' ELSE 'reported' END,
        CASE WHEN u.reported_cost_usd IS NULL THEN coalesce(u.priced_at, bcce.report_now()) END,
        u.at
    FROM bcce_data.model_usage u
    JOIN bcce_data.tenants t ON t.tenant_id = u.tenant_id AND t.deleted_at IS NULL
    CROSS JOIN LATERAL (
        SELECT CASE WHEN u.reported_cost_usd IS NULL THEN
            bcce.token_cost_parts(u.model_id, u.at, u.input_tokens, u.output_tokens, u.cache_read_tokens, u.cache_write_5m_tokens,
                u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier, u.tenant_id,
                CASE WHEN u.charged_usd IS NOT NULL THEN u.priced_at END) END AS usd
        OFFSET 0
    ) part
    -- Where the parts are not those of what was charged, a price list was
    -- replaced as a whole: the sum stays right, as one row.
    CROSS JOIN LATERAL (
        SELECT u.reported_cost_usd IS NULL AND part.usd IS NOT NULL
               AND coalesce(u.charged_usd = (SELECT sum(p) FROM unnest(part.usd) AS p), true) AS is_split
    ) way
    CROSS JOIN LATERAL (
        SELECT x.class, x.meter, x.quantity::numeric AS quantity, x.unit, x.usd
        FROM (VALUES
            ('input', 'Input Tokens', u.input_tokens, 'Tokens', part.usd[1]),
            ('output', 'Output Tokens', u.output_tokens, 'Tokens', part.usd[2]),
            ('cache_read', 'Cache Read Tokens', u.cache_read_tokens, 'Tokens', part.usd[3]),
            ('cache_write_5m', 'Cache Write 5m Tokens', u.cache_write_5m_tokens, 'Tokens', part.usd[4]),
            ('cache_write_1h', 'Cache Write 1h Tokens', u.cache_write_1h_tokens, 'Tokens', part.usd[5]),
            ('web_search', 'Web Searches', u.web_searches, 'Searches', part.usd[6])
        ) AS x (class, meter, quantity, unit, usd)
        WHERE way.is_split AND x.quantity > 0
        UNION ALL
        SELECT 'request', 'Requests', 1, 'Requests', coalesce(u.reported_cost_usd, u.charged_usd)
        WHERE NOT way.is_split AND coalesce(u.reported_cost_usd, u.charged_usd) IS NOT NULL
    ) k
    WHERE u.at >= coalesce(since, '-infinity')
      AND u.at < coalesce(until, 'infinity')
      AND NOT u.is_test;
END;
COMMENT ON FUNCTION bcce.cost_focus(timestamptz, timestamptz) IS 'What did each model call between since (inclusive) and until (exclusive) cost, by class of tokens, under the names of FinOps FOCUS 1.2? NULL leaves an end open. Same columns as the view of this name.';

CREATE OR REPLACE VIEW bcce.cost_focus WITH (security_invoker = true) AS
SELECT
    f.tenant_id,
    f."BillingAccountId",
    f."BillingAccountName",
    f."SubAccountId",
    f."SubAccountName",
    f."BillingPeriodStart",
    f."BillingPeriodEnd",
    f."ChargePeriodStart",
    f."ChargePeriodEnd",
    f."BillingCurrency",
    f."PricingCurrency",
    f."ChargeCategory",
    f."ChargeClass",
    f."ChargeFrequency",
    f."ChargeDescription",
    f."ProviderName",
    f."PublisherName",
    f."InvoiceIssuerName",
    f."ServiceCategory",
    f."ServiceSubcategory",
    f."ServiceName",
    f."RegionId",
    f."RegionName",
    f."ResourceId",
    f."ResourceType",
    f."SkuId",
    f."SkuPriceId",
    f."SkuMeter",
    f."SkuPriceDetails",
    f."ConsumedQuantity",
    f."ConsumedUnit",
    f."PricingQuantity",
    f."PricingUnit",
    f."PricingCategory",
    f."ListUnitPrice",
    f."ListCost",
    f."ContractedUnitPrice",
    f."ContractedCost",
    f."EffectiveCost",
    f."BilledCost",
    f."Tags",
    f."x_UserKey",
    f."x_SessionId",
    f."x_WorkflowRunId",
    f."x_QuerySource",
    f."x_AgentName",
    f."x_RequestId",
    f."x_CostBasis",
    f."x_PricedAt",
    f."x_RequestedAt"
FROM bcce.cost_focus(NULL::timestamptz, NULL::timestamptz) f;
COMMENT ON VIEW bcce.cost_focus IS 'What did each model call cost, under the names of FinOps FOCUS 1.2? One row per request and class of tokens of visible tenants that has a cost; price times quantity is the cost. For a period use the function of this name.';
COMMENT ON COLUMN bcce.cost_focus.tenant_id IS 'tenant; not of FOCUS: leave it out of a file for others';
COMMENT ON COLUMN bcce.cost_focus."BillingAccountId" IS 'organisation that pays, else the tenant';
COMMENT ON COLUMN bcce.cost_focus."BillingAccountName" IS 'display name of the tenant';
COMMENT ON COLUMN bcce.cost_focus."SubAccountId" IS 'tenant';
COMMENT ON COLUMN bcce.cost_focus."SubAccountName" IS 'display name of the tenant';
COMMENT ON COLUMN bcce.cost_focus."BillingPeriodStart" IS 'start of the month (UTC)';
COMMENT ON COLUMN bcce.cost_focus."BillingPeriodEnd" IS 'end of the month (UTC), exclusive';
COMMENT ON COLUMN bcce.cost_focus."ChargePeriodStart" IS 'start of the hour (UTC) of the request';
COMMENT ON COLUMN bcce.cost_focus."ChargePeriodEnd" IS 'end of that hour, exclusive';
COMMENT ON COLUMN bcce.cost_focus."BillingCurrency" IS 'currency of the costs';
COMMENT ON COLUMN bcce.cost_focus."PricingCurrency" IS 'currency of the prices';
COMMENT ON COLUMN bcce.cost_focus."ChargeCategory" IS 'Usage';
COMMENT ON COLUMN bcce.cost_focus."ChargeClass" IS 'NULL: no correction of an earlier charge';
COMMENT ON COLUMN bcce.cost_focus."ChargeFrequency" IS 'Usage-Based';
COMMENT ON COLUMN bcce.cost_focus."ChargeDescription" IS 'model and class of tokens';
COMMENT ON COLUMN bcce.cost_focus."ProviderName" IS 'provider as the call names it, redacted; NULL: it does not';
COMMENT ON COLUMN bcce.cost_focus."PublisherName" IS 'who made the model; NULL: not known by its name';
COMMENT ON COLUMN bcce.cost_focus."InvoiceIssuerName" IS 'who bills it: the provider; NULL: the call names none';
COMMENT ON COLUMN bcce.cost_focus."ServiceCategory" IS 'AI and Machine Learning';
COMMENT ON COLUMN bcce.cost_focus."ServiceSubcategory" IS 'Generative AI';
COMMENT ON COLUMN bcce.cost_focus."ServiceName" IS 'Model calls';
COMMENT ON COLUMN bcce.cost_focus."RegionId" IS 'region as the call names it, redacted; NULL: it does not';
COMMENT ON COLUMN bcce.cost_focus."RegionName" IS 'the same';
COMMENT ON COLUMN bcce.cost_focus."ResourceId" IS 'model';
COMMENT ON COLUMN bcce.cost_focus."ResourceType" IS 'model';
COMMENT ON COLUMN bcce.cost_focus."SkuId" IS 'model and class of tokens: the same over time and tenants';
COMMENT ON COLUMN bcce.cost_focus."SkuPriceId" IS 'SKU with all that its price depends on but the time';
COMMENT ON COLUMN bcce.cost_focus."SkuMeter" IS 'class of tokens';
COMMENT ON COLUMN bcce.cost_focus."SkuPriceDetails" IS 'service tier, speed and place of inference, where the call names them';
COMMENT ON COLUMN bcce.cost_focus."ConsumedQuantity" IS 'tokens, searches or requests';
COMMENT ON COLUMN bcce.cost_focus."ConsumedUnit" IS 'Tokens, Searches or Requests';
COMMENT ON COLUMN bcce.cost_focus."PricingQuantity" IS 'the quantity that is priced: the same';
COMMENT ON COLUMN bcce.cost_focus."PricingUnit" IS 'Tokens, Searches or Requests: prices are those of one';
COMMENT ON COLUMN bcce.cost_focus."PricingCategory" IS 'Standard';
COMMENT ON COLUMN bcce.cost_focus."ListUnitPrice" IS 'price of one unit as charged, multipliers in it; a list price beside a tenant''s own is not told apart';
COMMENT ON COLUMN bcce.cost_focus."ListCost" IS 'ListUnitPrice times PricingQuantity';
COMMENT ON COLUMN bcce.cost_focus."ContractedUnitPrice" IS 'price of one unit as charged';
COMMENT ON COLUMN bcce.cost_focus."ContractedCost" IS 'ContractedUnitPrice times PricingQuantity';
COMMENT ON COLUMN bcce.cost_focus."EffectiveCost" IS 'the same: commitments and credits are not spread';
COMMENT ON COLUMN bcce.cost_focus."BilledCost" IS 'the cost as reported or, by x_CostBasis, estimated: invoices are compared (cost_reconciliation), not spread';
COMMENT ON COLUMN bcce.cost_focus."Tags" IS 'team and project, where the call names them';
COMMENT ON COLUMN bcce.cost_focus."x_UserKey" IS 'pseudonym of the person';
COMMENT ON COLUMN bcce.cost_focus."x_SessionId" IS 'the sender''s id of the session';
COMMENT ON COLUMN bcce.cost_focus."x_WorkflowRunId" IS 'run that the call belongs to';
COMMENT ON COLUMN bcce.cost_focus."x_QuerySource" IS 'what asked: main, subagent or auxiliary';
COMMENT ON COLUMN bcce.cost_focus."x_AgentName" IS 'agent that made the call';
COMMENT ON COLUMN bcce.cost_focus."x_RequestId" IS 'the provider''s id of the request';
COMMENT ON COLUMN bcce.cost_focus."x_CostBasis" IS 'reported by the sender, or estimated from its tokens';
COMMENT ON COLUMN bcce.cost_focus."x_PricedAt" IS 'as of when prices were known that made the estimate; NULL: reported';
COMMENT ON COLUMN bcce.cost_focus."x_RequestedAt" IS 'when the call was made';

CREATE OR REPLACE FUNCTION bcce.cost_focus_unpriced(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    at timestamptz,
    model_id text,
    reason text,
    user_key text,
    request_id text,
    input_tokens bigint,
    output_tokens bigint,
    cache_read_tokens bigint,
    cache_write_5m_tokens bigint,
    cache_write_1h_tokens bigint,
    web_searches bigint
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        u.at,
        u.model_id,
        why.reason,
        u.user_key,
        u.request_id,
        u.input_tokens,
        u.output_tokens,
        u.cache_read_tokens,
        u.cache_write_5m_tokens,
        u.cache_write_1h_tokens,
        u.web_searches
    FROM bcce_data.model_usage u
    JOIN bcce_data.tenants t ON t.tenant_id = u.tenant_id AND t.deleted_at IS NULL
    CROSS JOIN LATERAL (
        SELECT bcce.token_cost_status(u.model_id, u.at, u.input_tokens, u.output_tokens, u.cache_read_tokens, u.cache_write_5m_tokens,
            u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier, u.tenant_id) AS reason
        OFFSET 0
    ) why
    WHERE u.at >= coalesce(since, '-infinity')
      AND u.at < coalesce(until, 'infinity')
      AND NOT u.is_test
      AND coalesce(u.reported_cost_usd, u.charged_usd) IS NULL
      AND why.reason NOT IN ('priced', 'synthetic');
END;
COMMENT ON FUNCTION bcce.cost_focus_unpriced(timestamptz, timestamptz) IS 'Which model calls between since (inclusive) and until (exclusive) are not in cost_focus, since their cost is unknown? NULL leaves an end open. Same columns as the view of this name.';

CREATE OR REPLACE VIEW bcce.cost_focus_unpriced WITH (security_invoker = true) AS
SELECT
    f.tenant_id,
    f.tenant_name,
    f.at,
    f.model_id,
    f.reason,
    f.user_key,
    f.request_id,
    f.input_tokens,
    f.output_tokens,
    f.cache_read_tokens,
    f.cache_write_5m_tokens,
    f.cache_write_1h_tokens,
    f.web_searches
FROM bcce.cost_focus_unpriced(NULL::timestamptz, NULL::timestamptz) f;
COMMENT ON VIEW bcce.cost_focus_unpriced IS 'Which model calls are not in cost_focus, since their cost is unknown? One row per request of visible tenants. For a period use the function of this name.';
COMMENT ON COLUMN bcce.cost_focus_unpriced.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.cost_focus_unpriced.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.cost_focus_unpriced.at IS 'when the call was made';
COMMENT ON COLUMN bcce.cost_focus_unpriced.model_id IS 'model';
COMMENT ON COLUMN bcce.cost_focus_unpriced.reason IS 'why its cost is unknown, as in unpriced_usage';
COMMENT ON COLUMN bcce.cost_focus_unpriced.user_key IS 'pseudonym of the person';
COMMENT ON COLUMN bcce.cost_focus_unpriced.request_id IS 'the provider''s id of the request';
COMMENT ON COLUMN bcce.cost_focus_unpriced.input_tokens IS 'tokens in; NULL: unknown';
COMMENT ON COLUMN bcce.cost_focus_unpriced.output_tokens IS 'tokens out; NULL: unknown';
COMMENT ON COLUMN bcce.cost_focus_unpriced.cache_read_tokens IS 'tokens read from the cache';
COMMENT ON COLUMN bcce.cost_focus_unpriced.cache_write_5m_tokens IS 'tokens written to the five-minute cache';
COMMENT ON COLUMN bcce.cost_focus_unpriced.cache_write_1h_tokens IS 'tokens written to the one-hour cache';
COMMENT ON COLUMN bcce.cost_focus_unpriced.web_searches IS 'searches made by the provider for the call';

CREATE OR REPLACE FUNCTION bcce.cost_focus_coverage(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    period_start_at timestamptz,
    month date,
    call_count bigint,
    priced_calls bigint,
    unpriced_calls bigint,
    covered_percent numeric,
    total_usd numeric,
    currency text
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        c.starts_at,
        c.first_day,
        x.calls,
        x.priced,
        x.calls - x.priced,
        round(100.0 * x.priced / nullif(x.calls, 0), 1),
        x.usd,
        t.billing_currency
    FROM bcce_data.tenants t
    CROSS JOIN LATERAL bcce_data.fact_ends(t.tenant_id, since, until) e
    CROSS JOIN LATERAL bcce_data.local_periods(e.first_call_at, e.last_call_at, 'UTC', 'month') c
    LEFT JOIN LATERAL (
        SELECT count(*) AS calls, count(k.usd) AS priced, coalesce(sum(k.usd), 0) AS usd
        FROM (
            SELECT coalesce(u.reported_cost_usd, u.charged_usd, bcce.estimate_token_cost(u.model_id, u.at, u.input_tokens, u.output_tokens,
                u.cache_read_tokens, u.cache_write_5m_tokens, u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier, u.tenant_id)) AS usd
            FROM bcce_data.model_usage u
            WHERE u.tenant_id = t.tenant_id AND u.at >= c.starts_at AND u.at < c.ends_at AND NOT u.is_test
              AND u.at >= coalesce(since, '-infinity')
              AND u.at < coalesce(until, 'infinity')
        ) k
    ) x ON true
    WHERE t.deleted_at IS NULL;
END;
COMMENT ON FUNCTION bcce.cost_focus_coverage(timestamptz, timestamptz) IS 'How much of the model calls between since (inclusive) and until (exclusive) is in cost_focus? NULL leaves an end open. Same columns as the view of this name.';

CREATE OR REPLACE VIEW bcce.cost_focus_coverage WITH (security_invoker = true) AS
SELECT
    f.tenant_id,
    f.tenant_name,
    f.period_start_at,
    f.month,
    f.call_count,
    f.priced_calls,
    f.unpriced_calls,
    f.covered_percent,
    f.total_usd,
    f.currency
FROM bcce.cost_focus_coverage(NULL::timestamptz, NULL::timestamptz) f;
COMMENT ON VIEW bcce.cost_focus_coverage IS 'How much of the model calls is in cost_focus? One row per visible tenant and month (UTC) from the first call to the last. For a period use the function of this name.';
COMMENT ON COLUMN bcce.cost_focus_coverage.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.cost_focus_coverage.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.cost_focus_coverage.period_start_at IS 'start of the month (UTC), as BillingPeriodStart';
COMMENT ON COLUMN bcce.cost_focus_coverage.month IS 'first day of the month (UTC)';
COMMENT ON COLUMN bcce.cost_focus_coverage.call_count IS 'model calls';
COMMENT ON COLUMN bcce.cost_focus_coverage.priced_calls IS 'model calls with a cost: those in cost_focus, and those that were never sent';
COMMENT ON COLUMN bcce.cost_focus_coverage.unpriced_calls IS 'model calls whose cost is unknown: those in cost_focus_unpriced';
COMMENT ON COLUMN bcce.cost_focus_coverage.covered_percent IS 'percent of the calls with a cost, one decimal; NULL: no calls';
COMMENT ON COLUMN bcce.cost_focus_coverage.total_usd IS 'US dollars of all calls with a cost: the sum of BilledCost';
COMMENT ON COLUMN bcce.cost_focus_coverage.currency IS 'currency of the money columns';
