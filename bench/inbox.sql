-- Rows for bench/inbox as senders give them, one view a fact: i counts them.
-- Ids rise with time, as those of most senders do; every second run has a
-- message and every event some properties with free text.
CREATE SCHEMA bench;
CREATE VIEW bench.tick AS
SELECT i, to_char('2026-01-01 00:00+00'::timestamptz + i * interval '5 seconds', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS at,
       to_char('2026-01-01 00:00+00'::timestamptz + i * interval '5 seconds' + (20 + i % 600) * interval '1 second', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS later
FROM generate_series(1::bigint, :rows) AS i;

CREATE VIEW bench.workflow_runs AS
SELECT i, 'run-' || 100000000 + i AS run_id, 'workflow-' || i * 7919 % 200 AS workflow_id, 'service-' || i * 7919 % 20 AS service_id,
       'user' || i * 31 % 500 || '@example.org' AS user_id,
       (ARRAY['passed', 'success', 'failure', 'timeout', 'passed', 'error'])[1 + i % 6] AS status,
       at AS started_at, later AS finished_at,
       CASE WHEN i % 6 IN (2, 3, 5) THEN 'E' || i % 9 END AS error_class,
       CASE WHEN i % 6 IN (2, 3, 5) THEN 'step ' || i % 7 || ' failed: connection to 10.2.' || i % 250 || '.' || i % 13
            || ' refused after ' || i % 600 || ' ms, see https://ci.example.org/runs/' || i END AS error_message,
       'production' AS environment, 'eu-west-1' AS region
FROM bench.tick;

CREATE VIEW bench.incidents AS
SELECT i, 'INC' || 100000000 + i AS incident_id, 'service-' || i * 7919 % 20 AS service_id, 'sev-' || 1 + i % 4 AS severity,
       'disk of db-' || i % 500 || ' full, tell ops' || i % 50 || '@example.org' AS title, at AS opened_at, later AS acknowledged_at,
       later AS recovered_at, 'closed' AS status
FROM bench.tick;

CREATE VIEW bench.metrics AS
SELECT i, 'service-' || i % 50 AS service_id, at AS observed_at, 100 + i % 900 AS request_count, i % 7 AS error_count,
       5 + i % 40 AS p50_latency_ms, 50 + i % 400 + 0.25 AS p95_latency_ms, i % 100 AS cpu_percent, i % 90 AS memory_percent,
       300 AS window_seconds
FROM bench.tick;

CREATE VIEW bench.predictions AS
SELECT i, 'p' || 100000000 + i AS prediction_id, 'risk' AS model_name, 'v' || i % 4 AS model_version, 'external' AS target_kind,
       'job-' || i % 10000 AS target_id, at AS predicted_at, round((i * 37 % 1000) / 1000.0, 3) AS failure_probability,
       i % 10 / 9 AS outcome, later AS outcome_at
FROM bench.tick;

CREATE VIEW bench.model_usage AS
SELECT i, 'claude-' || i % 3 AS model_id, at, i % 9000 AS input_tokens, i % 700 AS output_tokens, i % 90000 AS cache_read_tokens,
       'user' || i * 31 % 500 || '@example.org' AS user_id, 'session-' || i / 40 AS session_id, i % 4000 AS latency_ms,
       'req_' || 100000000 + i AS idempotency_key
FROM bench.tick;

CREATE VIEW bench.events AS
SELECT i, 'e' || 100000000 + i AS event_id, (ARRAY['page_view', 'search', 'faq_view', 'chat_session'])[1 + i % 4] AS event_type, at AS occurred_at,
       'guest-' || i * 31 % 5000 AS guest_id, 'business' AS guest_type, 'session-' || i / 12 AS session_id,
       '203.0.' || i % 113 || '.' || i % 250 AS ip, 'Mozilla/5.0 (X11; Linux x86_64; rv:' || i % 40 || '.0) Gecko/20100101 Firefox/' || i % 40 || '.0' AS user_agent,
       json_build_object('page', '/rooms/' || i % 900, 'query', 'sea view for ' || i % 6 || ' people near the old town, late arrival', 'ms', i % 800) AS properties
FROM bench.tick;

CREATE VIEW bench.json AS
SELECT i, (to_jsonb(e) - 'i' - 'properties' || jsonb_build_object('properties', e.properties))::text AS line FROM bench.events e;
