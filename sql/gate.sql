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

\echo == rows without a key of their own: equal ones once, different ones all, under any setting
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
SELECT bcce.record_metric('digest', '2026-01-02 00:00+00', latency_digest => bcce.percentile_sketch(v::float8 ORDER BY v)) FROM generate_series(1, 3) AS v;
SELECT bcce.record_metric('digest', '2026-01-02 00:00+00', latency_digest => bcce.percentile_sketch(v::float8 ORDER BY v DESC)) FROM generate_series(1, 3) AS v;
SELECT bcce.record_metric('digest', '2026-01-02 00:00+00', latency_digest => '{"scale": 6, "values": [1, 2, 4]}'::jsonb::bcce.sketch);
\o
\set VERBOSITY sqlstate
SELECT bcce.record_metric('digest', '2026-01-02 00:00+00', latency_digest => 'version=1 scale=6 values=-1');
SELECT bcce.record_metric('digest', '2026-01-02 00:00+00', latency_digest => 'version=1 scale=6 inf=1');
\set VERBOSITY terse
RESET ROLE;
SELECT bcce.sketch_from_bytes(latency_digest) AS digest FROM bcce_data.performance_metrics WHERE service_id = 'digest' ORDER BY bcce.sketch_from_bytes(latency_digest)::text;
DELETE FROM bcce_data.performance_metrics WHERE service_id = 'digest';
SELECT count(*) AS calls FROM bcce_data.model_usage;
SELECT p50_latency_ms FROM bcce_data.performance_metrics ORDER BY 1;

\echo == an incident, told bit by bit
SET ROLE regress_gate_writer;
\o /dev/null
SELECT bcce.record_incident('mail ada@example.org', recovered_at => '2026-01-01 01:00+00');
SELECT bcce.record_incident('mail ada@example.org', '2026-01-01 00:00+00', title => 'slow', severity => 'high');
SELECT bcce.record_incident('mail ada@example.org', recovered_at => '2026-01-01 01:00+00');
INSERT INTO bcce.inbox_incidents (incident_id, closed_at) VALUES ('mail ada@example.org', '2026-01-01T02:00:00Z'), ('unheard', '2026-01-01T02:00:00Z');
SELECT bcce.record_incident('mail ada@example.org', status => 'open', detected_at => '2026-01-01 00:05+00');
\echo == what was done in it, once
SELECT bcce.record_incident_event('mail ada@example.org', 'action', '2026-01-01 00:10+00', 'rolled back, told bob@example.org', 'carol') FROM generate_series(1, 2);
SELECT bcce.record_incident_event('unheard', 'action');
SELECT bcce.record_incident_event('mail ada@example.org', '');
SELECT bcce.record_incident_event('mail ada@example.org', 'action', NULL);
SELECT bcce.record_incident_event('mail ada@example.org', 'action', '1969-01-01 00:00+00');
SELECT bcce.record_incident_event('mail ada@example.org', 'action', tenant => 'beta');
\o
RESET ROLE;
SELECT title, severity, status, opened_at, detected_at, recovered_at, closed_at FROM bcce_data.incidents;
SELECT at, event_kind, response_action, left(actor_key, 5) AS who FROM bcce.incident_timeline;
SELECT reason, rejected_count FROM bcce.rejected WHERE source = 'inbox_incidents';

\echo == a run whose end comes first, comes again, changes, or lies before its start
SET ROLE regress_gate_writer;
\o /dev/null
SELECT bcce.record_workflow_run('build', 'ok', '2026-01-03 00:00+00', '2026-01-03 01:00+00', run_id => 'late start');
SELECT bcce.record_workflow_run('build', 'running', '2026-01-03 00:00+00', run_id => 'late start', queued_at => '2026-01-02 23:00+00', environment => 'prod');
SELECT bcce.record_workflow_run('build', 'running', '2026-01-03 00:00+00', run_id => 'changed', error_message => 'none yet');
SELECT bcce.record_workflow_run('build', 'ok', '2026-01-03 00:00+00', '2026-01-03 01:00+00', run_id => 'changed');
SELECT bcce.record_workflow_run('build', 'failed', '2026-01-03 00:00+00', '2026-01-03 02:00+00', run_id => 'changed', error_message => 'broken');
SELECT bcce.record_workflow_run('build', 'running', '2026-01-03 00:00+00', run_id => 'changed', error_message => 'starting');
SELECT bcce.record_workflow_run('build', 'skipped', '2026-01-03 00:00+00', '2026-01-03 00:00+00', run_id => 'skipped first');
SELECT bcce.record_workflow_run('build', 'ok', '2026-01-03 00:00+00', '2026-01-03 02:00+00', run_id => 'skipped first');
SELECT bcce.record_workflow_run('build', 'ok', '2026-01-03 00:00+00', '2026-01-03 02:00+00', run_id => 'a test', is_test => true);
SELECT bcce.record_workflow_run('build', 'failed', '2026-01-03 00:00+00', '2026-01-03 02:00+00', run_id => 'a test');
SELECT bcce.record_workflow_run('build', 'failed', '2026-01-02 00:00+00', '2026-01-02 02:00+00', run_id => 'changed');
\o
RESET ROLE;
SELECT run_id, status, started_at, finished_at, queued_at, environment, error_message, charged_usd FROM bcce_data.workflow_runs
WHERE run_id IN ('late start', 'changed', 'skipped first', 'a test') ORDER BY run_id;

\echo == a prediction given twice keeps its probability; an outcome told twice is the last
SET ROLE regress_gate_writer;
\o /dev/null
SELECT bcce.record_prediction('m', 'run', 'changed', 0.2, '2026-01-02 12:00+00', prediction_id => 'p');
SELECT bcce.record_prediction('m', 'run', 'changed', 0.9, '2026-01-02 13:00+00', prediction_id => 'p');
SELECT bcce.resolve_prediction('p', 1, '2026-01-04 00:00+00');
SELECT bcce.resolve_prediction('p', 0, '2026-01-05 00:00+00');
\o
SELECT bcce.resolve_prediction('p', 2);
SELECT bcce.resolve_prediction('p', 1, 'infinity');
SELECT bcce.resolve_prediction('unheard', 1);
SELECT bcce.resolve_prediction(NULL, 1);
RESET ROLE;
SELECT predicted_at, failure_probability, outcome, outcome_at, charged_usd FROM bcce_data.predictions;

\echo == months are those of UTC, wherever maintain() runs, and no row is lost on the move
SET ROLE regress_gate_writer;
\o /dev/null
SELECT bcce.record_metric('s', '2015-01-31 23:59:59.999999+00', 1), bcce.record_metric('s', '2015-02-01 00:00+00', 1), bcce.record_metric('s', '2015-01-31 18:30+00', 1);
\o
RESET ROLE;
SET TimeZone = 'Asia/Kolkata';
SET DateStyle = 'SQL, DMY';
SELECT object, detail FROM bcce.maintain() WHERE object LIKE '%2015%';
SELECT count(*) AS again FROM bcce.maintain() WHERE task = 'partition';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SELECT tableoid::regclass, observed_at FROM bcce_data.performance_metrics WHERE observed_at < '2016-01-01' ORDER BY observed_at;
SELECT c.relname, c.relowner::regrole, c.relrowsecurity AND c.relforcerowsecurity AS forced, c.relacl IS NULL AS no_grants,
       (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid) = (SELECT count(*) FROM pg_policy p WHERE p.polrelid = i.inhparent) AS policies,
       (SELECT string_agg(t.tgname || ' ' || t.tgenabled::text, ',') FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal) AS triggers,
       (SELECT count(*) FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype IN ('p', 'f', 'c'))
       = (SELECT count(*) FROM pg_constraint k WHERE k.conrelid = i.inhparent AND k.contype IN ('p', 'f', 'c')) AS constraints
FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid WHERE c.relname ~ '_2015_' AND c.relkind = 'r' ORDER BY 1;

\echo == a call of a model with all that its price depends on; a word that no price knows leaves the cost unknown
SET ROLE regress_gate_writer;
\o /dev/null
SELECT bcce.record_model_usage('claude-opus-5', '2026-01-07 00:00+00', 1000, 100, speed => speed, inference_geo => 'us', web_searches => 2, project => 'shop', team_id => 'payments',
    request_id => 'req_1', query_source => 'main', agent_name => 'for ada@example.org') FROM unnest('{standard,fast,fast,warp}'::text[]) AS speed;
\o
SELECT bcce.record_model_usage('m', web_searches => -1);
SELECT bcce.record_model_usage('m', agent_name => repeat('a', 257));
RESET ROLE;
SELECT speed, inference_geo, web_searches, project, team_id, request_id, query_source, agent_name, charged_usd FROM bcce_data.model_usage WHERE at = '2026-01-07 00:00+00' ORDER BY speed;

\echo == an empty id is none: no person, no session, no key
SET ROLE regress_gate_writer;
\o /dev/null
SELECT bcce.record_workflow_run('build', 'running', '2026-01-06 00:00+00', user_id => '');
SELECT bcce.record_model_usage('m', '2026-01-06 00:00+00', 1, user_id => '', session_id => '', idempotency_key => '');
SELECT bcce.record_model_usage('m', '2026-01-06 00:00+00', 2, user_id => '', session_id => '', idempotency_key => '');
SELECT bcce.record_metric('s', '2026-01-06 00:00+00', n, idempotency_key => '') FROM generate_series(1, 2) AS n;
SELECT bcce.ingest_event(jsonb_build_object('event_type', t, 'occurred_at', '2026-01-06T00:00:00Z', 'user_id', '', 'guest_id', '', 'session_id', '', 'event_id', '')) FROM unnest('{a,b}'::text[]) AS t;
\o
RESET ROLE;
SELECT total_workflows, active_users FROM bcce.analytics_overview('2026-01-06', '2026-01-07');
SELECT model_calls, events, sessions, new_users FROM bcce.usage_trends('2026-01-06', '2026-01-07');
SELECT metric_count FROM bcce.cost_analysis('2026-01-06', '2026-01-07');

\c :home
SET client_min_messages = warning;
DROP DATABASE regress_gate;
DROP ROLE regress_gate_writer, regress_gate_nobody;
