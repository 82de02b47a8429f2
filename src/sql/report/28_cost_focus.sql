-- cost_focus: the cost of model calls under the names of FinOps FOCUS 1.2.
--
-- One row a request and class of tokens, so that price times quantity is the cost;
-- a request whose cost was reported as one sum is one row, and so is a credit,
-- refund, discount or correction of model cost.  Only what has a cost: FOCUS knows
-- no unknown one.  The rest is in cost_focus_unpriced, and how much that is in
-- cost_focus_coverage.
CREATE OR REPLACE FUNCTION bcce.cost_focus(since timestamptz, until timestamptz, unpriced_as_zero boolean)
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
    "x_RequestedAt" timestamptz,
    "x_PricingStatus" text,
    "x_ConsumedTokens" bigint,
    "x_AdjustmentId" text,
    "x_AdjustmentKind" text
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
        CASE WHEN k.quantity IS NOT NULL THEN concat_ws(':', u.model_id, k.class, price.tier, price.speed, price.geo, CASE price.context WHEN 'long' THEN 'long' END) END,
        k.meter,
        CASE WHEN k.quantity IS NOT NULL THEN jsonb_build_object('x_ServiceTier', price.tier, 'x_Speed', price.speed, 'x_InferenceGeo', price.geo, 'x_Context', price.context) END,
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
        CASE WHEN k.quantity IS NOT NULL THEN CASE WHEN u.reported_cost_usd IS NULL THEN 'estimated' ELSE 'reported' END END,
        CASE WHEN k.quantity IS NOT NULL AND u.reported_cost_usd IS NULL THEN coalesce(u.priced_at, bcce.report_now()) END,
        u.at,
        k.status,
        k.tokens,
        NULL,
        NULL
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
        SELECT
            u.reported_cost_usd IS NULL AND part.usd IS NOT NULL
                AND coalesce(u.charged_usd = (SELECT sum(p) FROM unnest(part.usd) AS p), true) AS is_split,
            (SELECT sum(t)::bigint FROM unnest(ARRAY[u.input_tokens, u.output_tokens, u.cache_read_tokens, u.cache_write_5m_tokens, u.cache_write_1h_tokens]) AS t) AS tokens
    ) way
    -- A request is above a price list's threshold of context if it is dearer than
    -- its tokens are one by one.
    CROSS JOIN LATERAL (
        SELECT CASE WHEN way.is_split THEN
            bcce.token_cost_parts(u.model_id, u.at, least(u.input_tokens, 1), least(u.output_tokens, 1), least(u.cache_read_tokens, 1), least(u.cache_write_5m_tokens, 1),
                least(u.cache_write_1h_tokens, 1), least(u.web_searches, 1), u.speed, u.inference_geo, u.service_tier, u.tenant_id,
                CASE WHEN u.charged_usd IS NOT NULL THEN u.priced_at END) END AS usd
        OFFSET 0
    ) single
    CROSS JOIN LATERAL (
        SELECT
            coalesce(u.service_tier, 'standard') AS tier,
            coalesce(u.speed, 'standard') AS speed,
            coalesce(u.inference_geo, 'global') AS geo,
            CASE WHEN way.is_split AND part.usd[1:5] IS DISTINCT FROM ARRAY[single.usd[1] * coalesce(u.input_tokens, 0), single.usd[2] * coalesce(u.output_tokens, 0),
                          single.usd[3] * coalesce(u.cache_read_tokens, 0), single.usd[4] * coalesce(u.cache_write_5m_tokens, 0), single.usd[5] * coalesce(u.cache_write_1h_tokens, 0)]
                 THEN 'long' ELSE 'standard' END AS context
        OFFSET 0
    ) price
    CROSS JOIN LATERAL (
        SELECT x.class, x.meter, x.quantity::numeric AS quantity, x.unit, x.usd, 'priced' AS status, CASE x.unit WHEN 'Tokens' THEN x.quantity END AS tokens
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
        SELECT 'request', 'Requests', 1, 'Requests', coalesce(u.reported_cost_usd, u.charged_usd), 'priced', way.tokens
        WHERE NOT way.is_split AND coalesce(u.reported_cost_usd, u.charged_usd) IS NOT NULL
        UNION ALL
        SELECT 'request', 'Requests', NULL, NULL, 0, why.reason, way.tokens
        FROM (
            SELECT bcce.token_cost_status(u.model_id, u.at, u.input_tokens, u.output_tokens, u.cache_read_tokens, u.cache_write_5m_tokens,
                u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier, u.tenant_id) AS reason
            WHERE unpriced_as_zero AND coalesce(u.reported_cost_usd, u.charged_usd) IS NULL
            OFFSET 0
        ) why
        WHERE why.reason NOT IN ('priced', 'synthetic')
    ) k
    WHERE u.at >= coalesce(since, '-infinity')
      AND u.at < coalesce(until, 'infinity')
      AND NOT u.is_test
    UNION ALL
    SELECT
        t.tenant_id,
        coalesce(t.org_id, t.tenant_id::text),
        t.tenant_name,
        t.tenant_id::text,
        t.tenant_name,
        date_trunc('month', a.at, 'UTC'),
        (date_trunc('month', a.at AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC',
        date_trunc('hour', coalesce(a.corrects_at, a.at), 'UTC'),
        date_trunc('hour', coalesce(a.corrects_at, a.at), 'UTC') + interval '1 hour',
        t.billing_currency,
        t.billing_currency,
        CASE WHEN a.kind = 'correction' THEN 'Adjustment' ELSE 'Credit' END,
        CASE WHEN a.corrects_at < date_trunc('month', a.at, 'UTC') THEN 'Correction' END,
        'One-Time',
        concat_ws(': ', a.kind, a.reason),
        a.provider,
        NULL,
        a.provider,
        'AI and Machine Learning',
        'Generative AI',
        'Model calls',
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        a.amount_usd,
        NULL,
        a.amount_usd,
        a.amount_usd,
        a.amount_usd,
        '{}'::jsonb,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        'recorded',
        NULL,
        a.at,
        NULL,
        NULL,
        a.adjustment_id,
        a.kind
    FROM bcce_data.cost_adjustments a
    JOIN bcce_data.tenants t ON t.tenant_id = a.tenant_id AND t.deleted_at IS NULL
    WHERE a.at >= coalesce(since, '-infinity')
      AND a.at < coalesce(until, 'infinity')
      AND a.at <= (SELECT bcce.report_now())
      AND a.applies_to = 'model';
END;
COMMENT ON FUNCTION bcce.cost_focus(timestamptz, timestamptz, boolean) IS 'The same, and with unpriced_as_zero true one more row for each call whose cost is unknown, for who must have all in one file: the four costs 0, which they are not, SkuPriceId, SkuPriceDetails, prices and quantities NULL, and x_PricingStatus says why. FOCUS has no unknown cost; sums are then lower bounds.';

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
    "x_RequestedAt" timestamptz,
    "x_PricingStatus" text,
    "x_ConsumedTokens" bigint,
    "x_AdjustmentId" text,
    "x_AdjustmentKind" text
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
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
        f."x_RequestedAt",
        f."x_PricingStatus",
        f."x_ConsumedTokens",
        f."x_AdjustmentId",
        f."x_AdjustmentKind"
    FROM bcce.cost_focus(since, until, false) f;
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
    f."x_RequestedAt",
    f."x_PricingStatus",
    f."x_ConsumedTokens",
    f."x_AdjustmentId",
    f."x_AdjustmentKind"
FROM bcce.cost_focus(NULL::timestamptz, NULL::timestamptz) f;
COMMENT ON VIEW bcce.cost_focus IS 'What did each model call cost, under the names of FinOps FOCUS 1.2? One row per request and class of tokens of visible tenants that has a cost, and per adjustment of model cost; price times quantity is the cost. For a period use the function of this name.';
COMMENT ON COLUMN bcce.cost_focus.tenant_id IS 'tenant; not of FOCUS: leave it out of a file for others';
COMMENT ON COLUMN bcce.cost_focus."BillingAccountId" IS 'organisation that pays, else the tenant';
COMMENT ON COLUMN bcce.cost_focus."BillingAccountName" IS 'display name of the tenant';
COMMENT ON COLUMN bcce.cost_focus."SubAccountId" IS 'tenant';
COMMENT ON COLUMN bcce.cost_focus."SubAccountName" IS 'display name of the tenant';
COMMENT ON COLUMN bcce.cost_focus."BillingPeriodStart" IS 'start of the month (UTC) of the request, or in which an adjustment counts';
COMMENT ON COLUMN bcce.cost_focus."BillingPeriodEnd" IS 'end of the month (UTC), exclusive';
COMMENT ON COLUMN bcce.cost_focus."ChargePeriodStart" IS 'start of the hour (UTC) of the request, of an adjustment that of the charge which it changes, else its own';
COMMENT ON COLUMN bcce.cost_focus."ChargePeriodEnd" IS 'end of that hour, exclusive';
COMMENT ON COLUMN bcce.cost_focus."BillingCurrency" IS 'currency of the costs';
COMMENT ON COLUMN bcce.cost_focus."PricingCurrency" IS 'currency of the prices';
COMMENT ON COLUMN bcce.cost_focus."ChargeCategory" IS 'Usage; Credit for credits, refunds and discounts, which are sums without a quantity; Adjustment for corrections';
COMMENT ON COLUMN bcce.cost_focus."ChargeClass" IS 'Correction: an adjustment of a charge of an earlier month (UTC); NULL: none of an earlier one';
COMMENT ON COLUMN bcce.cost_focus."ChargeFrequency" IS 'Usage-Based; One-Time for adjustments';
COMMENT ON COLUMN bcce.cost_focus."ChargeDescription" IS 'model and class of tokens; of an adjustment its kind and reason, redacted';
COMMENT ON COLUMN bcce.cost_focus."ProviderName" IS 'provider as the call or adjustment names it, redacted; NULL: it does not';
COMMENT ON COLUMN bcce.cost_focus."PublisherName" IS 'who made the model; NULL: not known by its name, or an adjustment';
COMMENT ON COLUMN bcce.cost_focus."InvoiceIssuerName" IS 'who bills it: the provider; NULL: none is named';
COMMENT ON COLUMN bcce.cost_focus."ServiceCategory" IS 'AI and Machine Learning';
COMMENT ON COLUMN bcce.cost_focus."ServiceSubcategory" IS 'Generative AI';
COMMENT ON COLUMN bcce.cost_focus."ServiceName" IS 'Model calls';
COMMENT ON COLUMN bcce.cost_focus."RegionId" IS 'region as the call names it, redacted; NULL: it does not';
COMMENT ON COLUMN bcce.cost_focus."RegionName" IS 'the same';
COMMENT ON COLUMN bcce.cost_focus."ResourceId" IS 'model; NULL: an adjustment, and so in all of resource, SKU, quantity and unit price';
COMMENT ON COLUMN bcce.cost_focus."ResourceType" IS 'model';
COMMENT ON COLUMN bcce.cost_focus."SkuId" IS 'model and class of tokens: the same over time and tenants';
COMMENT ON COLUMN bcce.cost_focus."SkuPriceId" IS 'SKU with all that its price depends on but the time';
COMMENT ON COLUMN bcce.cost_focus."SkuMeter" IS 'class of tokens';
COMMENT ON COLUMN bcce.cost_focus."SkuPriceDetails" IS 'service tier, speed, place of inference and whether the request is above a threshold of context (long), as in SkuPriceId';
COMMENT ON COLUMN bcce.cost_focus."ConsumedQuantity" IS 'tokens, searches or requests';
COMMENT ON COLUMN bcce.cost_focus."ConsumedUnit" IS 'Tokens, Searches or Requests';
COMMENT ON COLUMN bcce.cost_focus."PricingQuantity" IS 'the quantity that is priced: the same';
COMMENT ON COLUMN bcce.cost_focus."PricingUnit" IS 'Tokens, Searches or Requests: prices are those of one';
COMMENT ON COLUMN bcce.cost_focus."PricingCategory" IS 'Standard; NULL: an adjustment';
COMMENT ON COLUMN bcce.cost_focus."ListUnitPrice" IS 'price of one unit as charged, multipliers in it; a list price beside a tenant''s own is not told apart';
COMMENT ON COLUMN bcce.cost_focus."ListCost" IS 'ListUnitPrice times PricingQuantity; of an adjustment its amount, as in the other three costs';
COMMENT ON COLUMN bcce.cost_focus."ContractedUnitPrice" IS 'price of one unit as charged';
COMMENT ON COLUMN bcce.cost_focus."ContractedCost" IS 'ContractedUnitPrice times PricingQuantity';
COMMENT ON COLUMN bcce.cost_focus."EffectiveCost" IS 'the same: commitments and credits are not spread over calls';
COMMENT ON COLUMN bcce.cost_focus."BilledCost" IS 'the cost as reported or, by x_CostBasis, estimated: invoices are compared (cost_reconciliation), not spread';
COMMENT ON COLUMN bcce.cost_focus."Tags" IS 'team and project, where the call names them';
COMMENT ON COLUMN bcce.cost_focus."x_UserKey" IS 'pseudonym of the person';
COMMENT ON COLUMN bcce.cost_focus."x_SessionId" IS 'the sender''s id of the session';
COMMENT ON COLUMN bcce.cost_focus."x_WorkflowRunId" IS 'run that the call belongs to';
COMMENT ON COLUMN bcce.cost_focus."x_QuerySource" IS 'what asked: main, subagent or auxiliary';
COMMENT ON COLUMN bcce.cost_focus."x_AgentName" IS 'agent that made the call';
COMMENT ON COLUMN bcce.cost_focus."x_RequestId" IS 'the provider''s id of the request';
COMMENT ON COLUMN bcce.cost_focus."x_CostBasis" IS 'reported by the sender, estimated from its tokens, or recorded: an adjustment';
COMMENT ON COLUMN bcce.cost_focus."x_PricedAt" IS 'as of when prices were known that made the estimate; NULL: reported';
COMMENT ON COLUMN bcce.cost_focus."x_RequestedAt" IS 'when the call was made, or an adjustment counts';
COMMENT ON COLUMN bcce.cost_focus."x_PricingStatus" IS 'priced; where unknown costs are wanted as 0, why, as in unpriced_usage; NULL: an adjustment';
COMMENT ON COLUMN bcce.cost_focus."x_ConsumedTokens" IS 'tokens of the row, of a request that is one row those of all classes; NULL: not told, or none';
COMMENT ON COLUMN bcce.cost_focus."x_AdjustmentId" IS 'the sender''s id of the adjustment; NULL: a call';
COMMENT ON COLUMN bcce.cost_focus."x_AdjustmentKind" IS 'credit, refund, discount or correction; NULL: a call';
