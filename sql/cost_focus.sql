-- Proves that cost_focus adds up to cost_analysis to the last digit, that price
-- times quantity is the cost in every row, that what has no cost is beside it,
-- and that nobody is named.
SET client_min_messages = warning;
CREATE DATABASE regress_focus;
\set home :DBNAME
\c regress_focus
SET client_min_messages = warning;
SET timezone = 'Asia/Tokyo';
CREATE EXTENSION bcce;
SELECT bcce.create_tenant('foc-a', 'A') AS a, bcce.create_tenant('foc-b', 'B') AS b \gset
SELECT bcce.create_login('regress_foc_cost', 'foc-a', 'cost'), bcce.create_login('regress_foc_other', 'foc-b'), bcce.create_login('regress_foc_writer', 'foc-a', 'ingest') \g /dev/null
SET ROLE regress_foc_writer;
SELECT count(*) FROM bcce.ingest_transcript('laptop', replace('{"sessionId":"s1","timestamp":"2026-07-31T23:59:59Z","requestId":"req_1","message":{"id":"msg_1","model":"claude-opus-4-5","usage":{"input_tokens":10,"output_tokens":50,"cache_read_input_tokens":1000,"cache_creation_input_tokens":300,"cache_creation":{"ephemeral_5m_input_tokens":100,"ephemeral_1h_input_tokens":200},"server_tool_use":{"web_search_requests":3},"service_tier":"standard"}}}\n{"sessionId":"s1","timestamp":"2026-08-01T00:00:00Z","requestId":"req_2","message":{"id":"msg_2","model":"claude-sonnet-4-5","usage":{"input_tokens":250000,"output_tokens":7}}}\n{"sessionId":"s1","timestamp":"2026-08-01T00:00:01Z","requestId":"req_3","message":{"id":"msg_3","model":"model-of-nobody","usage":{"input_tokens":5,"output_tokens":7}}}', '\n', E'\n'), 'ada@example.org', 'shop');
RESET ROLE;
INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, provider, user_key, project, input_tokens, reported_cost_usd, is_test)
VALUES (:'a', 'told', '2026-08-02 00:00Z', 'm', 'bedrock', 'bob@example.org', 'mail ada@example.org', 7, 0.1234567, false),
       (:'a', 'test', '2026-08-02 00:00Z', 'm', 'bedrock', NULL, NULL, 7, 5, true),
       (:'b', 'other', '2026-08-02 00:00Z', 'claude-sonnet-4-5', NULL, NULL, NULL, 7, NULL, false);
SET ROLE regress_foc_cost;
SELECT "BillingPeriodStart" AT TIME ZONE 'UTC' AS month, "ChargePeriodEnd" AT TIME ZONE 'UTC' AS hour_end, "ChargeDescription", "PricingQuantity" AS quantity, "PricingUnit" AS unit,
       trim_scale("ContractedUnitPrice") AS price, trim_scale("BilledCost") AS usd, "PublisherName" AS publisher, "x_CostBasis" AS basis
FROM bcce.cost_focus ORDER BY "x_RequestedAt", "ChargeDescription" COLLATE "C";
SELECT count(*) AS rows, count(*) FILTER (WHERE "ContractedUnitPrice" * "PricingQuantity" <> "ContractedCost" OR "ListUnitPrice" * "PricingQuantity" <> "ListCost") AS that_differ,
       count(*) FILTER (WHERE num_nulls("BilledCost", "EffectiveCost", "ListCost", "ContractedCost", "BillingPeriodStart", "ChargePeriodStart", "SkuId", "BillingAccountId", "ChargeCategory") > 0) AS with_null,
       count(*) FILTER (WHERE f::text ~ '@|ada|bob') AS named,
       sum("BilledCost") = (SELECT model_cost_usd FROM bcce.cost_analysis) AS adds_up, sum("BilledCost") = (SELECT sum(total_usd) FROM bcce.cost_focus_coverage) AS covers
FROM bcce.cost_focus f;
SELECT at AT TIME ZONE 'UTC' AS at, model_id, reason, input_tokens, output_tokens, user_key ~ '^user_' AS hidden FROM bcce.cost_focus_unpriced;
SELECT period_start_at AT TIME ZONE 'UTC' AS month, call_count, priced_calls, unpriced_calls, covered_percent FROM bcce.cost_focus_coverage ORDER BY 1;
SELECT count(DISTINCT "x_RequestId") AS requests FROM bcce.cost_focus('2026-08-01 00:00Z', '2026-08-02 00:00Z');
RESET ROLE;
-- A later price does not change what was charged, and a book without its past leaves the sum as it was.
SELECT sum("BilledCost") AS before FROM bcce.cost_focus WHERE tenant_id = :'a' \gset
SELECT bcce.set_model_price('claude-opus-4-5', 'input', 0.5, '2020-01-01') \g /dev/null
SELECT sum("BilledCost") = :before AS same FROM bcce.cost_focus WHERE tenant_id = :'a';
DELETE FROM bcce_data.default_model_prices WHERE model_id = 'claude-opus-4-5';
SELECT sum("BilledCost") = :before AS same, count(*) FILTER (WHERE "SkuMeter" = 'Requests') AS unsplit FROM bcce.cost_focus WHERE tenant_id = :'a';
SET ROLE regress_foc_other;
SELECT count(*) AS own, count(*) FILTER (WHERE "SubAccountName" <> 'B') AS others FROM bcce.cost_focus;
RESET ROLE;
\c :home
SET client_min_messages = warning;
DROP DATABASE regress_focus;
DROP ROLE regress_foc_cost, regress_foc_other, regress_foc_writer;
