-- Proves the siblings of the reports that show a development: cost_by_day,
-- mttr_by_month, prediction_accuracy_by_week, service_health_by_hour.
SET timezone = 'UTC';
SET bcce.test_now = '2015-11-03 12:00:00+00';
SELECT count(bcce.create_tenant('period-' || name, 'Period ' || name, timezone => 'America/New_York')) AS tenants
FROM unnest(ARRAY['york', 'idle', 'gone']) AS name;
CREATE FUNCTION pg_temp.tenant(name text) RETURNS uuid LANGUAGE sql STABLE AS
$$SELECT tenant_id FROM bcce_data.tenants WHERE slug = 'period-' || name$$;

-- 31 October ends at 04:00 UTC; 1 November has 25 hours and ends at 05:00 UTC.
INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, workflow_id, user_key, status, started_at, finished_at, charged_usd, is_test)
SELECT pg_temp.tenant(tenant), id, 'w', who, status, started_at::timestamptz, finished_at::timestamptz, 0.5, is_test
FROM (VALUES
    ('york', 'a', 'u1', 'succeeded', '2015-11-01 03:59:59.999999', '2015-11-01 04:29:59.999999', false),
    ('york', 'b', 'u1', 'failed', '2015-11-01 04:00', '2015-11-01 05:00', false),
    ('york', 'c', 'u2', 'cancelled', '2015-11-02 04:59', '2015-11-02 05:59', false),
    ('york', 'd', NULL, 'running', '2015-11-03 06:00', NULL, false),
    ('york', 'e', 'u3', 'failed', '2015-11-02 12:00', '2015-11-02 12:00', true),
    ('york', 'f', 'u3', 'skipped', '2015-11-02 12:00', '2015-11-02 12:00', false),
    ('gone', 'a', 'u1', 'succeeded', '2015-11-01 04:00', '2015-11-01 05:00', false)
) AS r (tenant, id, who, status, started_at, finished_at, is_test);
UPDATE bcce_data.tenants SET deleted_at = '2015-11-02' WHERE tenant_id = pg_temp.tenant('gone');
-- A bill over 31 October to 3 November, 96 hours and one of the clock's change: 97 hours.
INSERT INTO bcce_data.infra_costs (tenant_id, category, amount_usd, period_start_at, period_end_at)
VALUES (pg_temp.tenant('york'), 'servers', 97, '2015-10-31 04:00', '2015-11-04 05:00'),
       (pg_temp.tenant('york'), 'future', 97, '2015-12-01', '2015-12-02');
INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, reported_cost_usd)
SELECT pg_temp.tenant('york'), k, '2015-11-02 04:59', 'm', usd FROM (VALUES ('1', 0.25), ('2', NULL)) AS c (k, usd);
SELECT usage_date, period_start_at, workflow_runs, workflow_cost_usd, model_cost_usd, infra_cost_usd, total_cost_usd,
       cost_per_execution_hour_usd AS per_hour, cost_per_user_usd AS per_user, unpriced_units AS unpriced
FROM bcce.cost_by_day WHERE tenant_name LIKE 'Period%' ORDER BY usage_date;
-- The days add up to cost_analysis, also where a window cuts days and bills.
SELECT w.since, w.until, d.days, d.runs = c.workflow_runs AS runs, d.infra = c.infra_cost_usd AS infra, d.total = c.total_cost_usd AS total,
       d.unpriced = c.unpriced_units AS unpriced, d.infra AS infra_usd
FROM (VALUES (NULL::timestamptz, NULL::timestamptz), ('2015-10-31 04:00:07', '2015-11-02 01:02:03'), ('2015-11-01 04:00', '2015-11-02 05:00'),
             ('2015-11-01 07:00', '2015-11-01 07:10')) AS w (since, until)
CROSS JOIN LATERAL bcce.cost_analysis(w.since, w.until) c
CROSS JOIN LATERAL (
    SELECT count(*) AS days, sum(x.workflow_runs) AS runs, sum(x.infra_cost_usd) AS infra, sum(x.total_cost_usd) AS total, sum(x.unpriced_units) AS unpriced
    FROM bcce.cost_by_day(w.since, w.until) x WHERE x.tenant_id = c.tenant_id) d
WHERE c.tenant_name = 'Period york' ORDER BY d.days DESC, w.since;
SELECT count(*) AS before_anything FROM bcce.cost_by_day(NULL, '2010-01-01') WHERE tenant_name LIKE 'Period%';

-- Months by the start of impact in New York: 1 November 03:59 UTC is still October there.
INSERT INTO bcce_data.incidents (tenant_id, incident_id, opened_at, acknowledged_at, recovered_at, is_test)
SELECT pg_temp.tenant('york'), id, opened_at::timestamptz, ack::timestamptz, recovered_at::timestamptz, is_test
FROM (VALUES ('1', '2015-11-01 03:59', '2015-11-01 04:09', '2015-11-01 04:59', false), ('2', '2015-10-10 00:00', NULL, '2015-10-10 00:20', false),
             ('3', '2015-11-01 04:00', NULL, NULL, false), ('4', '2015-08-02 00:00', NULL, '2015-08-01 00:00', false),
             ('5', '2015-09-02 00:00', NULL, '2015-09-02 01:00', true)) AS i (id, opened_at, ack, recovered_at, is_test);
SELECT month, period_start_at, mttr_basis AS basis, incident_count AS n, avg_mttr_minutes AS avg, median_mttr_minutes AS median, p95_mttr_minutes AS p95,
       recovered_count AS recovered, open_count AS open, invalid_count AS invalid, oldest_open_minutes AS oldest, mtta_minutes AS mtta
FROM bcce.mttr_by_month WHERE tenant_name LIKE 'Period%' ORDER BY month;
SELECT month, median_mttr_minutes AS median, median_mttr_incl_open_minutes AS median_incl_open, p95_mttr_incl_open_minutes AS p95_incl_open,
       mtta_incl_open_minutes AS mtta_incl_open, censoring_warning AS warning
FROM bcce.mttr_by_month WHERE tenant_name LIKE 'Period%' ORDER BY month;
SELECT month, incident_count AS n, recovered_count AS recovered, open_count AS open, oldest_open_minutes AS oldest
FROM bcce.mttr_by_month('2015-10-11', '2015-11-01 04:30') WHERE tenant_name LIKE 'Period%' ORDER BY month;

-- Weeks begin on Monday in New York: Monday 2 November at 05:00 UTC.
INSERT INTO bcce_data.predictions (tenant_id, prediction_id, predicted_at, model_name, target_kind, target_id, failure_probability, outcome, outcome_at)
SELECT pg_temp.tenant('york'), id, at::timestamptz, 'm', 'external', id, p, y, at::timestamptz + interval '1 hour' * y / y
FROM (VALUES ('1', '2015-11-02 04:59:59', 0.9, 1), ('2', '2015-10-26 04:00', 0.8, 1), ('3', '2015-11-02 05:00', 0.5, NULL), ('4', '2015-10-26 03:59', 0.1, 1)) AS q (id, at, p, y);
SELECT week, period_start_at, total_predictions AS n, labelled_count AS labelled, pending_count AS pending, true_positives AS tp, false_negatives AS fn,
       accuracy_percent AS accuracy, recall_percent AS recall, round(brier_score::numeric, 4) AS brier
FROM bcce.prediction_accuracy_by_week WHERE tenant_name LIKE 'Period%' ORDER BY week;
SELECT sum(total_predictions) AS by_week, (SELECT total_predictions FROM bcce.prediction_accuracy WHERE tenant_name = 'Period york') AS together
FROM bcce.prediction_accuracy_by_week WHERE tenant_name = 'Period york';

-- Hours by the clock; 01:00 comes twice on 1 November.
INSERT INTO bcce_data.services (tenant_id, service_id, service_name, expected_interval_seconds) VALUES (pg_temp.tenant('york'), 's', 'S', 60);
INSERT INTO bcce_data.performance_metrics (tenant_id, idempotency_key, observed_at, service_id, window_seconds, request_count, error_count, p95_latency_ms,
    throughput_rps, cpu_percent, is_test)
SELECT pg_temp.tenant('york'), concat(at, load), at::timestamptz, service, seconds, requests, errors, p95, rps, load, is_test
FROM (VALUES ('2015-11-01 05:00', 's', 60, 10, 1, 100, 1, 10, false), ('2015-11-01 05:59', 's', 180, 20, 0, 200, 5, 20, false), ('2015-11-01 05:30', 's', NULL, 70, NULL, NULL, NULL, NULL, false),
             ('2015-11-01 06:00', 's', 60, 0, 0, NULL, 0, 30, false), ('2015-11-01 06:30', 't', NULL, NULL, NULL, NULL, NULL, NULL, false), ('2015-11-01 06:30', 's', 60, 5, 5, 5, 5, 50, true)
     ) AS m (at, service, seconds, requests, errors, p95, rps, load, is_test);
SELECT service_id, service_name, period_start_at, sample_count AS samples, request_count AS requests, error_count AS errors, error_rate_percent AS rate,
       p95_latency_ms AS p95, throughput_rps AS rps, cpu_percent AS cpu
FROM bcce.service_health_by_hour WHERE tenant_name LIKE 'Period%' ORDER BY period_start_at, service_id;
SELECT count(*) AS in_a_half_open_window FROM bcce.service_health_by_hour('2015-11-01 05:00:01', '2015-11-01 06:00') WHERE tenant_name LIKE 'Period%';

-- The twins with open ends are the views, and are inlined.
CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS
$$BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END$$;
SELECT report, count(line) FILTER (WHERE line ~ 'Function Scan' AND line !~ 'generate_series|unnest') AS function_scans
FROM unnest(ARRAY['cost_by_day', 'mttr_by_month', 'prediction_accuracy_by_week', 'service_health_by_hour']) AS report
CROSS JOIN LATERAL pg_temp.plan(format('SELECT * FROM bcce.%s(%L, %L)', report, '2015-10-31', '2015-11-02')) AS line
GROUP BY report ORDER BY report;

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
        EXECUTE format('DELETE FROM %s WHERE tenant_id IN (SELECT tenant_id FROM bcce_data.tenants WHERE slug LIKE %L)', store, 'period-%');
    END LOOP;
END
$$;
