-- Proves what the gate does with rows that come twice, late, incomplete, too
-- long or from nobody: nothing lost, nothing twice, inboxes never raise.
SET client_min_messages = warning;
CREATE DATABASE regress_gate;
\set home :DBNAME
\c regress_gate
SET client_min_messages = warning;
SET TimeZone = 'UTC';
\set VERBOSITY terse
CREATE EXTENSION bcce;
\t on
\o /dev/null
SELECT bcce.create_tenant('alpha', 'Alpha');
SELECT bcce.create_login('regress_gate_writer', 'alpha', 'ingest');
SELECT string_agg(md5(n::text), '-') AS long FROM generate_series(1, 1000) AS n \gset
\o

\echo == a writer without a tenant is refused by count, not by error
CREATE ROLE regress_gate_nobody IN ROLE bcce_ingest;
SET ROLE regress_gate_nobody;
INSERT INTO bcce.inbox_events (event_type, occurred_at, user_id) VALUES ('view', '2026-01-01T00:00:00Z', 'ada@example.org');
COPY bcce.inbox_workflow_runs (tenant, run_id, workflow_id, status, started_at, error_message) FROM stdin;
alpha	1	build	running	2026-01-01T00:00:00Z	mail ada@example.org
\.
SELECT * FROM bcce.ingest_events('[{"event_type": "view"}]');
RESET ROLE;
SELECT tenant_id, source, reason, rejected_count, example_key FROM bcce.rejected ORDER BY source;
SELECT count(*) AS events FROM bcce_data.events;

\echo == what a key column cannot hold is a counted refusal
SET ROLE regress_gate_writer;
SELECT bcce.record_metric('api', '2026-01-01 00:00+00', source => :'long');
SELECT bcce.record_model_usage('model', '2026-01-01 00:00+00', source => :'long');
SELECT bcce.ingest_event(jsonb_build_object('event_type', 'view', 'source', :'long'::text));
SELECT * FROM bcce.ingest_events(jsonb_build_array(jsonb_build_object('event_type', 'view', 'source', :'long'::text), '{"event_type": "view"}'::jsonb));
INSERT INTO bcce.inbox_events (event_type, occurred_at, source) VALUES ('view', '2026-01-01T00:00:00Z', :'long');
INSERT INTO bcce.inbox_events (event_type, occurred_at) VALUES (repeat('a@b.co ', 14), '2026-01-01T00:00:00Z'), (repeat('x', 100), '2026-01-01T00:00:00Z');
INSERT INTO bcce.inbox_workflow_runs (run_id, workflow_id, status, started_at, source, region) VALUES ('long', 'build', 'running', '2026-01-01T00:00:00Z', :'long', :'long');
RESET ROLE;
SELECT source, reason, rejected_count FROM bcce.rejected WHERE reason = 'key_too_long' ORDER BY source;

\echo == rows without a key of their own: equal ones once, different ones all, whatever the session's settings
SET ROLE regress_gate_writer;
SELECT bcce.ingest_event('{"event_type": "view", "occurred_at": "2026-01-02T00:00:00Z", "session_id": "5"}'),
       bcce.ingest_event('{"event_type": "view", "occurred_at": "2026-01-02T00:00:00Z", "service_id": "5"}'),
       bcce.ingest_event('{"event_type": "view|5", "occurred_at": "2026-01-02T00:00:00Z"}'),
       bcce.ingest_event('{"event_type": "view", "occurred_at": "2026-01-02T00:00:00Z", "session_id": "5"}');
\o /dev/null
SELECT bcce.record_model_usage('m', '2026-01-02 00:00+00', 1, run_id => '5');
SELECT bcce.record_model_usage('m', '2026-01-02 00:00+00', 1, session_id => '5');
SELECT bcce.record_model_usage('m', '2026-01-02 00:00+00', 1, session_id => '5');
SELECT bcce.record_metric('s', '2026-01-02 00:00+00', p50_latency_ms => 0.1::float8 + 0.2);
SET extra_float_digits = 0;
SELECT bcce.record_metric('s', '2026-01-02 00:00+00', p50_latency_ms => 0.1::float8 + 0.2);
SELECT bcce.record_metric('s', '2026-01-02 00:00+00', p50_latency_ms => 0.3);
RESET extra_float_digits;
\o
RESET ROLE;
SELECT count(*) AS calls FROM bcce_data.model_usage;
SELECT p50_latency_ms FROM bcce_data.performance_metrics ORDER BY 1;

\c :home
SET client_min_messages = warning;
DROP DATABASE regress_gate;
DROP ROLE regress_gate_writer, regress_gate_nobody;
