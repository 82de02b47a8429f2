-- Proves that an invoice is held against exactly the calls of its provider and
-- period, that no cost changes by it, and who may record one.
SET client_min_messages = warning;
CREATE DATABASE regress_invoices;
\set home :DBNAME
\c regress_invoices
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE EXTENSION bcce;
SELECT bcce.create_tenant('inv-a', 'A') AS a, bcce.create_tenant('inv-b', 'B') AS b \gset
SELECT bcce.create_login('regress_inv_reader', 'inv-b'), bcce.create_login('regress_inv_cost', 'inv-a', 'cost'), bcce.create_login('regress_inv_admin', 'inv-a', 'admin') \g /dev/null
INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, provider, reported_cost_usd, is_test)
SELECT :'a', k, at::timestamptz, 'm', provider, usd, is_test
FROM (VALUES
    ('1', '2026-01-31 23:59:59.999999', 'anthropic', 1, false), ('2', '2026-02-01 00:00', 'anthropic', 2, false), ('3', '2026-02-28 23:59:59.999999', ' Anthropic ', 4, false),
    ('4', '2026-03-01 00:00', 'anthropic', 8, false), ('5', '2026-02-10', 'bedrock', 16, false), ('6', '2026-02-10', NULL, 32, false),
    ('7', '2026-02-10', 'anthropic', NULL, false), ('8', '2026-02-10', 'anthropic', 64, true)
) AS c (k, at, provider, usd, is_test);
SET ROLE regress_inv_admin;
SELECT bcce.record_invoice('Anthropic', '[2026-02-01 00:00Z,2026-03-01 00:00Z)', 6.30), bcce.record_invoice('bedrock', '[2026-02-01 00:00Z,2026-03-01 00:00Z)', 99),
       bcce.record_invoice('bedrock', '[2026-02-01 00:00Z,2026-03-01 00:00Z)', 10), bcce.record_invoice('openai', '[2026-02-01 00:00Z,2026-03-01 00:00Z)', 0),
       bcce.record_invoice('gone', '[2026-02-01 00:00Z,2026-03-01 00:00Z)', 1), bcce.record_invoice('gone', '[2026-02-01 00:00Z,2026-03-01 00:00Z)', NULL),
       bcce.record_invoice('bedrock', '[2026-03-01 00:00Z,2026-04-01 00:00Z)', -2) \g /dev/null
\set VERBOSITY sqlstate
SELECT bcce.record_invoice('', '[2026-02-01 00:00Z,2026-03-01 00:00Z)', 1);
SELECT bcce.record_invoice('x', '[2026-02-01 00:00Z,)', 1);
SELECT bcce.record_invoice('x', 'empty', 1);
SELECT bcce.record_invoice('x', NULL, 1);
SELECT bcce.record_invoice('x', '[2026-02-01 00:00Z,2026-03-01 00:00Z]', 1);
SELECT bcce.record_invoice('x', '[2026-02-01 00:00Z,infinity)', 1);
SELECT bcce.record_invoice('x', '[2026-02-01 00:00Z,2026-03-01 00:00Z)', 'NaN');
SELECT bcce.record_invoice('x', '[2026-02-01 00:00Z,2026-03-01 00:00Z)', 1, 'inv-b');
SET ROLE regress_inv_cost;
SELECT bcce.record_invoice('x', '[2026-02-01 00:00Z,2026-03-01 00:00Z)', 1);
\set VERBOSITY default
SELECT provider, period_start_at::date::text AS begins, metered_usd, invoiced_usd, difference_usd, difference_percent, call_count, unpriced_calls, unnamed_calls, is_lower_bound
FROM bcce.cost_reconciliation ORDER BY 1, 2;
SELECT provider FROM bcce.cost_reconciliation('2026-02-02', NULL) ORDER BY 1;
SELECT model_cost_usd FROM bcce.cost_analysis;
SET ROLE regress_inv_reader;
SELECT count(*) AS of_another FROM bcce.cost_reconciliation;
RESET ROLE;
\c :home
SET client_min_messages = warning;
DROP DATABASE regress_invoices;
DROP ROLE regress_inv_reader, regress_inv_cost, regress_inv_admin;
