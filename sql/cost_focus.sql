-- Proves that cost_focus adds up to cost_analysis to the last digit, that price
-- times quantity is the cost in every row, that what has no cost is beside it,
-- that nobody is named, and that a file of it is one of FOCUS 1.2.
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
       count(*) FILTER (WHERE f::text ~* '@|\m(ada|bob)\M') AS named,
       sum("BilledCost") = (SELECT model_cost_usd FROM bcce.cost_analysis) AS adds_up, sum("BilledCost") = (SELECT sum(total_usd) FROM bcce.cost_focus_coverage) AS covers
FROM bcce.cost_focus f;
SELECT at AT TIME ZONE 'UTC' AS at, model_id, reason, input_tokens, output_tokens, user_key ~ '^user_' AS hidden FROM bcce.cost_focus_unpriced;
SELECT period_start_at AT TIME ZONE 'UTC' AS month, call_count, priced_calls, unpriced_calls, covered_percent FROM bcce.cost_focus_coverage ORDER BY 1;
SELECT count(DISTINCT "x_RequestId") AS requests FROM bcce.cost_focus('2026-08-01 00:00Z', '2026-08-02 00:00Z');
RESET ROLE;
\echo == adjustments
SELECT bcce.record_cost_adjustment('CN-1', '2026-08-02 10:30Z', -0.5, 'credit', provider => 'Anthropic', reason => 'promised to ada@example.org', tenant => 'foc-a'),
       bcce.record_cost_adjustment('CN-2', '2026-09-02 10:30Z', -0.25, 'refund', corrects_at => '2026-08-01 00:00:01Z', tenant => 'foc-a'),
       bcce.record_cost_adjustment('CN-3', '2026-09-03 10:30Z', 0.125, 'correction', corrects_at => '2026-09-01 00:00Z', tenant => 'foc-a'),
       bcce.record_cost_adjustment('CN-4', '2026-09-03 10:30Z', -9, 'credit', 'infra', tenant => 'foc-a'), bcce.record_cost_adjustment('CN-5', '2100-01-01', -9, 'discount', tenant => 'foc-a') \g /dev/null
INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, input_tokens, output_tokens) VALUES (:'a', 'short', '2026-08-02 00:00Z', 'claude-sonnet-4-5', 1000, 0);
SET bcce.test_now = '2026-10-01 00:00:00+00';
SET ROLE regress_foc_cost;
SELECT "x_AdjustmentId" AS id, "BillingPeriodStart" AT TIME ZONE 'UTC' AS month, "ChargePeriodStart" AT TIME ZONE 'UTC' AS charged, "ChargeCategory" AS category, "ChargeClass" AS class,
       "ChargeDescription" AS description, "ProviderName" AS provider, "BilledCost" AS usd, "ListCost" AS list, "SkuId" AS sku
FROM bcce.cost_focus WHERE "ChargeCategory" <> 'Usage' ORDER BY 1;
SELECT sum("BilledCost") = (SELECT model_cost_usd + provider_adjustments_usd + 9 FROM bcce.cost_analysis) AS adds_up, sum("BilledCost") = (SELECT sum(total_usd) FROM bcce.cost_focus_coverage) AS covers FROM bcce.cost_focus;
SELECT period_start_at AT TIME ZONE 'UTC' AS month, call_count, adjustments_usd FROM bcce.cost_focus_coverage ORDER BY 1;
\echo == one file
SELECT count(*) AS lines FROM bcce.cost_focus_export() UNION ALL SELECT count(*) FROM bcce.cost_focus_export(unpriced => 'zero') UNION ALL SELECT count(*) FROM bcce.cost_focus_export('2026-09-01 00:00Z', '2026-09-03 00:00Z');
\getenv abs_builddir PG_ABS_BUILDDIR
\set file :abs_builddir '/results/cost_focus.csv'
\pset format unaligned
\pset tuples_only on
\o :file
SELECT line FROM bcce.cost_focus_export(unpriced => 'zero') AS line;
\o
\pset format aligned
\pset tuples_only off
\set SHOW_CONTEXT never
SELECT * FROM bcce.cost_focus_export(unpriced => 'null');
SELECT * FROM bcce.cost_focus_export(unpriced => NULL);
SELECT * FROM bcce.export_lines('focus', 'cost_analysis');
SET ROLE regress_foc_writer;
SELECT * FROM bcce.cost_focus_export();
RESET ROLE;
SELECT report, row_count FROM bcce_data.export_log ORDER BY row_count;
SELECT tenant_id, row_count FROM bcce_data.export_log WHERE tenant_id <> :'a';
-- All columns of the file as text, as whoever gets it reads them.
SELECT format('CREATE TABLE file (%s)', string_agg(quote_ident(attname) || ' text', ', ' ORDER BY attnum)) AS make
FROM pg_attribute WHERE attrelid = 'bcce.cost_focus'::regclass AND attnum > 0 AND attname <> 'tenant_id' \gset
:make;
\set copy '\\copy file FROM ' :file ' (FORMAT csv, HEADER)'
:copy
-- FOCUS 1.2: what a column is called, whether it must be there and may be null.
CREATE TABLE focus (name text, is_mandatory boolean, may_be_null boolean);
INSERT INTO focus SELECT n, true, false FROM unnest('{BilledCost,BillingAccountId,BillingCurrency,BillingPeriodEnd,BillingPeriodStart,ChargeCategory,ChargePeriodEnd,ChargePeriodStart,ContractedCost,EffectiveCost,InvoiceIssuerName,ListCost,ProviderName,PublisherName,ServiceCategory,ServiceName}'::text[]) AS n;
INSERT INTO focus SELECT n, true, true FROM unnest('{BillingAccountName,ChargeClass,ChargeDescription,PricingQuantity,PricingUnit}'::text[]) AS n;
INSERT INTO focus SELECT n, false, false FROM unnest('{BillingAccountType,ChargeFrequency,ServiceSubcategory}'::text[]) AS n;
INSERT INTO focus SELECT n, false, true FROM unnest('{AvailabilityZone,CapacityReservationId,CapacityReservationStatus,CommitmentDiscountCategory,CommitmentDiscountId,CommitmentDiscountName,CommitmentDiscountQuantity,CommitmentDiscountStatus,CommitmentDiscountType,CommitmentDiscountUnit,ConsumedQuantity,ConsumedUnit,ContractedUnitPrice,InvoiceId,ListUnitPrice,PricingCategory,PricingCurrency,PricingCurrencyContractedUnitPrice,PricingCurrencyEffectiveCost,PricingCurrencyListUnitPrice,RegionId,RegionName,ResourceId,ResourceName,ResourceType,SkuId,SkuMeter,SkuPriceDetails,SkuPriceId,SubAccountId,SubAccountName,SubAccountType,Tags}'::text[]) AS n;
SELECT a.attname AS neither_of_focus_nor_x FROM pg_attribute a WHERE a.attrelid = 'file'::regclass AND a.attnum > 0 AND a.attname NOT LIKE 'x\_%' AND a.attname NOT IN (SELECT name FROM focus);
SELECT f.name AS missing FROM focus f WHERE f.is_mandatory AND f.name NOT IN (SELECT attname FROM pg_attribute WHERE attrelid = 'file'::regclass);
SELECT min(attnum) FILTER (WHERE attname LIKE 'x\_%') > max(attnum) FILTER (WHERE attname NOT LIKE 'x\_%') AS own_columns_last FROM pg_attribute WHERE attrelid = 'file'::regclass AND attnum > 0;
SELECT v.key AS null_in_file, count(*) FROM file CROSS JOIN LATERAL jsonb_each_text(to_jsonb(file)) AS v JOIN focus f ON f.name = v.key WHERE v.value IS NULL AND NOT f.may_be_null GROUP BY 1;
SELECT v.key AS empty_or_untidy, count(*) FROM file CROSS JOIN LATERAL jsonb_each_text(to_jsonb(file)) AS v WHERE btrim(v.value) = '' OR v.value <> btrim(v.value) GROUP BY 1;
SELECT v.key AS no_instant_of_focus, v.value FROM file CROSS JOIN LATERAL jsonb_each_text(to_jsonb(file)) AS v WHERE v.key ~ 'Period(Start|End)$' AND v.value !~ '^\d{4}-\d\d-\d\dT\d\d:00:00Z$';
SELECT v.key AS no_number_of_focus, v.value FROM file CROSS JOIN LATERAL jsonb_each_text(to_jsonb(file)) AS v WHERE v.key ~ '(Cost|UnitPrice|Quantity)$' AND v.value !~ '^-?\d+(\.\d+)?$';
-- The rules that join columns; each broken only where an unknown cost is said to be 0.
SELECT "x_PricingStatus" AS status, "ChargeCategory" AS category, "ChargeClass" AS class, count(*) AS rows,
       count(*) FILTER (WHERE "ChargeCategory" NOT IN ('Usage', 'Purchase', 'Tax', 'Credit', 'Adjustment') OR "ChargeClass" <> 'Correction' OR "ChargeFrequency" NOT IN ('One-Time', 'Recurring', 'Usage-Based')) AS words,
       count(*) FILTER (WHERE "ChargeCategory" = 'Usage' AND "ChargeClass" IS NULL AND num_nulls("ConsumedQuantity", "PricingQuantity", "SkuPriceId", "ListUnitPrice", "ContractedUnitPrice") > 0) AS usage_needs,
       count(*) FILTER (WHERE "ChargeCategory" = 'Usage' AND num_nulls("SkuId", "PricingCategory") > 0 OR "ChargeCategory" <> 'Usage' AND "ConsumedQuantity" IS NOT NULL) AS category_needs,
       count(*) FILTER (WHERE ("ConsumedQuantity" IS NULL) <> ("ConsumedUnit" IS NULL) OR ("PricingQuantity" IS NULL) <> ("PricingUnit" IS NULL) OR ("ResourceId" IS NULL) <> ("ResourceType" IS NULL)
                           OR ("RegionId" IS NULL) <> ("RegionName" IS NULL) OR ("SkuId" IS NULL) <> ("SkuMeter" IS NULL) OR ("SkuPriceId" IS NULL) AND "SkuPriceDetails" IS NOT NULL) AS pairs,
       count(*) FILTER (WHERE "ListUnitPrice"::numeric * "PricingQuantity"::numeric <> "ListCost"::numeric OR "ContractedUnitPrice"::numeric * "PricingQuantity"::numeric <> "ContractedCost"::numeric
                           OR least("ListUnitPrice"::numeric, "ContractedUnitPrice"::numeric) < 0) AS products,
       count(*) FILTER (WHERE "ListUnitPrice" IS NULL AND NOT ("ListCost" = "BilledCost" AND "ContractedCost" = "BilledCost" AND "EffectiveCost" = "BilledCost")) AS sums,
       count(*) FILTER (WHERE "ChargePeriodStart" >= "ChargePeriodEnd" OR "BillingPeriodStart" >= "BillingPeriodEnd"
                           OR ("ChargePeriodStart" < "BillingPeriodStart" OR "ChargePeriodEnd" > "BillingPeriodEnd") <> ("ChargeClass" IS NOT NULL)) AS periods,
       sum("BilledCost"::numeric) AS usd
FROM file GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
SELECT "SkuPriceId" AS with_two_meanings FROM file WHERE "SkuPriceId" IS NOT NULL AND "SkuMeter" <> 'Requests' GROUP BY 1 HAVING count(DISTINCT "SkuId") > 1 OR count(DISTINCT "SkuPriceDetails") > 1 OR count(DISTINCT "ListUnitPrice") > 1;
SELECT DISTINCT "SkuPriceId" AS sku_price, "SkuPriceDetails"::jsonb AS details, "ListUnitPrice" AS price FROM file WHERE "SkuId" LIKE '%sonnet%:input';
SELECT d.key AS key, d.value FROM file CROSS JOIN LATERAL jsonb_each("SkuPriceDetails"::jsonb || "Tags"::jsonb) AS d WHERE jsonb_typeof(d.value) IN ('object', 'array') OR "SkuPriceDetails"::jsonb ? d.key AND d.key NOT LIKE 'x\_%';
SELECT count(*) FILTER (WHERE file::text ~* '@|\m(ada|bob)\M') AS named, count(*) FILTER (WHERE "x_PricingStatus" NOT IN ('priced') AND "BilledCost" <> '0') AS not_zero, sum("x_ConsumedTokens"::bigint) AS tokens FROM file;
SELECT sum(coalesce(input_tokens, 0) + coalesce(output_tokens, 0) + coalesce(cache_read_tokens, 0) + coalesce(cache_write_5m_tokens, 0) + coalesce(cache_write_1h_tokens, 0)) AS tokens
FROM bcce_data.model_usage WHERE tenant_id = :'a' AND NOT is_test;
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
