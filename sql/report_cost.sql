-- Proves what cost_analysis charges, that an unknown cost is counted and never
-- guessed, and how infrastructure bills fall into a window.
SET timezone = 'UTC';
SET bcce.test_now = '2026-01-31 12:00:00+00';
SELECT count(bcce.create_tenant('cost-' || name, 'Cost ' || name)) AS tenants
FROM unnest(ARRAY['golden', 'mixed', 'idle']) AS name;
CREATE FUNCTION pg_temp.tenant(name text) RETURNS uuid LANGUAGE sql STABLE AS
$$SELECT tenant_id FROM bcce_data.tenants WHERE slug = 'cost-' || name$$;

-- 150 runs and 45 predictions: 1.50 + 0.90 = 2.40, no samples.
INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, workflow_id, user_key, status, started_at, finished_at)
SELECT pg_temp.tenant('golden'), 'r' || n, 'w', 'u' || n % 4, 'succeeded',
       '2026-01-10 00:00:00+00'::timestamptz + n * interval '1 minute',
       '2026-01-10 00:00:30+00'::timestamptz + n * interval '1 minute'
FROM generate_series(1, 150) AS n;
INSERT INTO bcce_data.predictions (tenant_id, prediction_id, predicted_at, model_name, target_kind, target_id, failure_probability)
SELECT pg_temp.tenant('golden'), 'p' || n, '2026-01-10 00:01', 'm', 'external', 'x', 0.5 FROM generate_series(1, 45) AS n;
SELECT workflow_runs, metric_count, prediction_count, workflow_cost_usd, monitoring_cost_usd, prediction_cost_usd, model_cost_usd,
       infra_cost_usd, tariff_cost_usd, provider_cost_usd, total_cost_usd
FROM bcce.cost_analysis WHERE tenant_name = 'Cost golden';
-- 149 minutes from the first to the last unit; 150 × 30 seconds of runs.
SELECT cost_per_hour_usd, cost_per_execution_hour_usd, cost_per_workflow_usd, cost_per_user_usd, unpriced_units, is_lower_bound,
       estimated_share_percent, currency
FROM bcce.cost_analysis WHERE tenant_name = 'Cost golden';
SELECT cost_per_hour_usd = round(2.40 * 60 / 149, 10) AS per_hour, cost_per_execution_hour_usd = round(2.40 / 1.25, 10) AS per_run_hour
FROM bcce.cost_analysis WHERE tenant_name = 'Cost golden';
-- Nothing at all: parts are 0, quotients NULL.
SELECT workflow_runs, total_cost_usd, cost_per_hour_usd, cost_per_execution_hour_usd, cost_per_workflow_usd, cost_per_user_usd, unpriced_units,
       is_lower_bound, estimated_share_percent, currency
FROM bcce.cost_analysis WHERE tenant_name = 'Cost idle';

-- A price of the tenant's own from 15 January on; the boundary belongs to the new price.
INSERT INTO bcce_data.unit_prices (tenant_id, item, valid, price_usd)
VALUES (pg_temp.tenant('mixed'), 'workflow_run', tstzrange('2026-01-15', NULL), 0.07);
INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, workflow_id, status, started_at, finished_at, charged_usd, is_test)
SELECT pg_temp.tenant('mixed'), id, 'w', status, started_at::timestamptz, finished_at::timestamptz, charged, is_test
FROM (VALUES
    ('before', 'failed', '2026-01-14 23:59:59.999999', '2026-01-15 01:00', NULL, false),
    ('at', 'cancelled', '2026-01-15 00:00', '2026-01-15 02:00', NULL, false),
    ('frozen', 'succeeded', '2026-01-16 00:00', '2026-01-16 01:00', 0.5, false),
    ('running', 'running', '2026-01-31 06:00', NULL, 0, false),
    ('skipped', 'skipped', '2026-01-16 00:00', '2026-01-16 00:00', NULL, false),
    ('test', 'failed', '2026-01-16 00:00', '2026-01-16 00:00', NULL, true)
) AS r (id, status, started_at, finished_at, charged, is_test);
SELECT workflow_runs, workflow_cost_usd, cost_per_workflow_usd, unpriced_units
FROM bcce.cost_analysis WHERE tenant_name = 'Cost mixed';
-- 1 h + 2 h + 1 h + 6 h still running; at the end of the 15th, 3 h.
SELECT round(total_cost_usd / cost_per_execution_hour_usd, 3) AS hours FROM bcce.cost_analysis WHERE tenant_name = 'Cost mixed';
SELECT round(total_cost_usd / cost_per_execution_hour_usd, 3) AS hours
FROM bcce.cost_analysis('2026-01-14', '2026-01-15 01:00:00+00') WHERE tenant_name = 'Cost mixed';
-- Less than an hour between first and last counts as an hour.
SELECT total_cost_usd, cost_per_hour_usd FROM bcce.cost_analysis('2026-01-14', '2026-01-15 01:00:00+00') WHERE tenant_name = 'Cost mixed';

-- Without a price the cost is unknown: left out, counted, and the sums are lower bounds.
INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, reported_cost_usd, is_test)
SELECT pg_temp.tenant('mixed'), k, '2026-01-20', 'm', usd, is_test
FROM (VALUES ('1', 0.0000000001, false), ('2', 1.25, false), ('3', NULL, false), ('4', 100, true)) AS c (k, usd, is_test);
INSERT INTO bcce_data.performance_metrics (tenant_id, idempotency_key, observed_at, service_id)
SELECT pg_temp.tenant('mixed'), k, '2026-01-20', 's' FROM unnest(ARRAY['1', '2']) AS k;
BEGIN;
UPDATE bcce_data.default_unit_prices SET valid = tstzrange(NULL, '2026-01-20') WHERE item = 'metric';
SELECT metric_count, monitoring_cost_usd, model_cost_usd, unpriced_units, is_lower_bound, estimated_share_percent
FROM bcce.cost_analysis WHERE tenant_name = 'Cost mixed';
ROLLBACK;
SELECT metric_count, monitoring_cost_usd, model_cost_usd, unpriced_units, is_lower_bound FROM bcce.cost_analysis WHERE tenant_name = 'Cost mixed';

-- Bills: January (31 of them over 31 days, 30.5 gone), one of two days, one before all, a refund.
INSERT INTO bcce_data.infra_costs (tenant_id, category, amount_usd, period_start_at, period_end_at)
SELECT pg_temp.tenant('mixed'), category, usd, since::timestamptz, until::timestamptz
FROM (VALUES ('month', 31, '2026-01-01', '2026-02-01'), ('days', 10, '2026-01-10', '2026-01-12'), ('future', 99, '2026-03-01', '2026-04-01'),
             ('refund', -4, '2026-01-10', '2026-01-12')) AS b (category, usd, since, until);
SELECT since::date AS since, until::date AS until, infra_cost_usd
FROM (VALUES (NULL::timestamptz, NULL::timestamptz), ('2026-01-11', '2026-01-12'), ('2026-01-10', '2026-01-12'), ('2026-02-01', NULL), (NULL, '2026-01-01'), (NULL, '2026-05-01')) AS w (since, until)
CROSS JOIN LATERAL bcce.cost_analysis(w.since, w.until) c
WHERE c.tenant_name = 'Cost mixed';
SELECT tariff_cost_usd = workflow_cost_usd + monitoring_cost_usd + prediction_cost_usd AS tariff,
       provider_cost_usd = model_cost_usd + infra_cost_usd AS provider,
       total_cost_usd = tariff_cost_usd + provider_cost_usd AS total,
       total_cost_usd
FROM bcce.cost_analysis WHERE tenant_name = 'Cost mixed';

-- The twin with open ends is the view, halves add up, and it is inlined.
SELECT count(*) AS rows_that_differ
FROM (SELECT to_jsonb(o) FROM bcce.cost_analysis o EXCEPT SELECT to_jsonb(o) FROM bcce.cost_analysis(NULL, NULL) o) d;
SELECT bool_and(a.total_cost_usd + b.total_cost_usd = w.total_cost_usd) AS halves_add_up
FROM bcce.cost_analysis w
JOIN bcce.cost_analysis(NULL, '2026-01-11') a USING (tenant_id)
JOIN bcce.cost_analysis('2026-01-11', NULL) b USING (tenant_id);
CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS
$$BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END$$;
SELECT count(*) AS function_scans
FROM pg_temp.plan('SELECT * FROM bcce.cost_analysis(''2026-01-01'', ''2026-02-01'')') AS line WHERE line LIKE '%Function Scan%';

DO $$
DECLARE
    store regclass;
BEGIN
    FOR store IN
        SELECT c.oid FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
        WHERE c.relnamespace IN ('bcce_data'::regnamespace, 'bcce_private'::regnamespace)
          AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        ORDER BY c.relname = 'tenants', c.relname = 'teams', c.relname
    LOOP
        EXECUTE format('DELETE FROM %s WHERE tenant_id IN (SELECT tenant_id FROM bcce_data.tenants WHERE slug LIKE %L)', store, 'cost-%');
    END LOOP;
END
$$;
