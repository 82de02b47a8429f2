-- Proves that the inboxes of samples, predictions, model calls and JSON lines
-- store good rows once, count bad ones with their reason, and never raise.
SET client_min_messages = warning;
SET timezone = 'UTC';
SELECT bcce.create_tenant('inbox-a', 'Inbox A') AS a \gset
SELECT bcce.create_login('regress_inbox', 'inbox-a', 'ingest');
SET ROLE regress_inbox;

\echo == samples
COPY bcce.inbox_metrics (service_id, observed_at, request_count, error_count, p95_latency_ms, cpu_percent, is_test) FROM STDIN (FORMAT csv);
api,2026-01-01T00:00:00Z,100,5,12.5,50,
api,2026-01-01T00:00:00Z,100,5,12.5,50,
api,2026-01-01T00:05:00Z, 100 ,5,1e2,50.5,false
api,2026-01-01T00:10:00Z,many,5,12.5,50,
api,2026-01-01T00:10:00Z,1,5,NaN,50,
api,2026-01-01T00:10:00Z,1,5,,101,
api,2026-01-01T00:10:00Z,-1,5,,1,
api,yesterday,1,5,,1,
api,,1,5,,1,
,2026-01-01T00:10:00Z,1,5,,1,
api,2026-01-01T00:10:00Z,1,5,,1,perhaps
\.

\echo == digests of latencies: a sketch, an exponential histogram, or a rejection
COPY bcce.inbox_metrics (service_id, observed_at, latency_digest) FROM STDIN (DELIMITER ';');
digest;2026-01-01T00:00:00Z;version=1 scale=6 values=10,20.5
digest;2026-01-01T00:00:00Z;version=1 scale=6 values=10,20.5
digest;2026-01-01T00:00:00Z;version=1 scale=6 values=10,20.6
digest;2026-01-01T00:01:00Z; {"scale": 3, "count": "6", "sum": 30, "zeroCount": 1, "positive": {"offset": 16, "bucketCounts": ["2", "3"]}, "min": 0, "max": 5}
digest;2026-01-01T00:02:00Z;
digest;2026-01-01T00:03:00Z;version=1 scale=6 values=-1
digest;2026-01-01T00:03:00Z;version=1 scale=6 values=1e16
digest;2026-01-01T00:03:00Z;version=1 scale=6 values=1 nan=1
digest;2026-01-01T00:03:00Z;version=1 scale=6 nan=1
digest;2026-01-01T00:03:00Z;{"scale": 3, "count": 7, "positive": {"offset": 16, "bucketCounts": ["2", "3"]}}
digest;2026-01-01T00:03:00Z;{"scale": 3, "positive": {"offset": 99999, "bucketCounts": ["2", "x"]}}
digest;2026-01-01T00:03:00Z;{"scale": 3,
digest;2026-01-01T00:03:00Z;{"scale": 1e99, "values": [1e999]}
digest;2026-01-01T00:03:00Z;12 ms
\.

\echo == predictions, told at once or later
COPY bcce.inbox_predictions (prediction_id, model_name, target_kind, target_id, predicted_at, failure_probability, horizon_seconds, outcome, outcome_at) FROM STDIN (FORMAT csv);
p1,m,external,t1,2026-01-01T00:00:00Z,0.9,,1,2026-01-02T00:00:00Z
p2,m,External,t2,2026-01-01T00:00:00Z,0.1,,,
p2,,,,,,,0,2026-01-03T00:00:00Z
p3,m,service,t3,2026-01-01T00:00:00Z,0.1,3600,,
p4,m,external,t4,2026-01-01T00:00:00Z,1.1,,,
p4,m,external,t4,2026-01-01T00:00:00Z,NaN,,,
p4,m,service,t4,2026-01-01T00:00:00Z,0.5,,,
p4,m,weather,t4,2026-01-01T00:00:00Z,0.5,,,
p9,,,,,,,1,2026-01-03T00:00:00Z
p1,,,,,,,2,2026-01-03T00:00:00Z
p1,,,,,,,1,soon
\.

\echo == model calls
COPY bcce.inbox_model_usage (model_id, at, input_tokens, output_tokens, user_id, reported_cost_usd, is_batch) FROM STDIN (FORMAT csv);
claude,2026-01-01T00:00:00Z,100,20,ada@example.org,0.0123456789012345,
claude,2026-01-01T00:00:00Z,100,20,ada@example.org,0.0123456789012345,
claude,2026-01-01T00:01:00Z,100,,bob,,true
claude,2026-01-01T00:01:00Z,1.5,,bob,,
claude,2026-01-01T00:01:00Z,1,,bob,free,
,2026-01-01T00:01:00Z,1,,bob,,
\.
-- What a price and a report depend on besides: only another project makes the second another call.
COPY bcce.inbox_model_usage (model_id, at, input_tokens, output_tokens, web_searches, speed, inference_geo, service_tier, project, team_id, request_id, query_source, agent_name) FROM STDIN (FORMAT csv);
claude-opus-5,2026-01-03T00:00:00Z,1000,100,2, Fast,US,,shop,payments,req_1,subagent,review for ada@example.org
claude-opus-5,2026-01-03T00:00:00Z,1000,100,2, Fast,US,,till,payments,req_1,subagent,review for ada@example.org
claude-opus-5,2026-01-03T00:00:00Z,1000,100,2, Fast,US,,till,payments,req_1,subagent,review for ada@example.org
claude-opus-5,2026-01-03T00:02:00Z,1000,100,,warp,,,ada@example.org,,,,
claude-opus-5,2026-01-03T00:03:00Z,1000,100,,,,BATCH,,,,,
claude-opus-5,2026-01-03T00:04:00Z,1000,100,0.5,,,,,,,,
claude-opus-5,2026-01-03T00:04:00Z,1000,100,-1,,,,,,,,
\.
INSERT INTO bcce.inbox_model_usage (model_id, at, request_id) VALUES ('claude-opus-5', '2026-01-03T00:04:00Z', repeat('r', 257)), ('claude-opus-5', '2026-01-03T00:04:00Z', '');

\echo == lines of JSON, one of them an array
COPY bcce.inbox_json FROM STDIN (DELIMITER E'\x01');
{"event_type": "page_view", "occurred_at": "2026-01-01T00:00:00Z", "guest_id": "g", "page": "/a", "event_id": "e1"}
{"event_type": "page_view", "occurred_at": "2026-01-01T00:00:00Z", "guest_id": "g", "page": "/a", "event_id": "e1"}
{"inbox": "workflow_runs", "run_id": "r1", "workflow_id": "w", "status": "passed", "started_at": "2026-01-01T00:00:00Z", "finished_at": "2026-01-01T00:01:00Z"}
[{"inbox": "incidents", "incident_id": "i1", "opened_at": "2026-01-01T00:00:00Z", "title": "ask ada@example.org"}, {"inbox": "metrics", "service_id": "api", "observed_at": "2026-01-02T00:00:00Z", "cpu_percent": 12.5}]
{"inbox": "predictions", "prediction_id": "p5", "model_name": "m", "target_kind": "external", "target_id": "x", "predicted_at": "2026-01-01T00:00:00Z", "failure_probability": 0.25}
{"inbox": "model_usage", "model_id": "claude", "at": "2026-01-02T00:00:00Z", "input_tokens": 7}
{"inbox": "model_usage", "model_id": "claude-opus-5", "at": "2026-01-04T00:00:00Z", "input_tokens": 1000, "output_tokens": 100, "web_searches": 1, "inference_geo": "us", "project": "shop", "team_id": "payments", "agent_name": null}
{"inbox": "metrics", "service_id": "digest", "observed_at": "2026-01-01T00:05:00Z", "latency_digest": {"scale": 6, "values": [3, 1, 2]}}

{"inbox": "secrets"}
{"event_type": "page_view", "tenant": "somebody-else"}
{"event_type":
[1, "two", null]
\.
RESET ROLE;

SELECT service_id, observed_at, request_count, p95_latency_ms, cpu_percent FROM bcce_data.performance_metrics WHERE tenant_id = :'a' AND service_id <> 'digest' ORDER BY observed_at;
SELECT observed_at, bcce.sketch_from_bytes(latency_digest) AS digest FROM bcce_data.performance_metrics WHERE tenant_id = :'a' AND service_id = 'digest' ORDER BY observed_at, latency_digest;
SELECT prediction_id, target_kind, failure_probability, outcome, outcome_at FROM bcce_data.predictions WHERE tenant_id = :'a' ORDER BY prediction_id;
SELECT model_id, at, input_tokens, output_tokens, left(user_key, 5) AS who, reported_cost_usd, is_batch FROM bcce_data.model_usage WHERE tenant_id = :'a' ORDER BY at;
SELECT at, web_searches AS searches, speed, inference_geo AS geo, service_tier AS tier, is_batch, regexp_replace(project, '^id_.*', 'id_') AS project, team_id, request_id, query_source, agent_name, charged_usd,
    charged_usd = bcce.estimate_token_cost(model_id, at, 1000, 100, web_searches => web_searches, speed => speed, geo => inference_geo) AS right, priced_at IS NOT NULL AS is_priced
FROM bcce_data.model_usage WHERE tenant_id = :'a' AND model_id = 'claude-opus-5' ORDER BY at, project;
SELECT event_type, idempotency_key, properties FROM bcce_data.events WHERE tenant_id = :'a';
SELECT run_id, status FROM bcce_data.workflow_runs WHERE tenant_id = :'a';
SELECT incident_id, title FROM bcce_data.incidents WHERE tenant_id = :'a';
SELECT source, reason, rejected_count FROM bcce.rejected WHERE tenant_id = :'a' ORDER BY 1, 2;

DELETE FROM bcce_private.membership WHERE tenant_id = :'a';
DROP OWNED BY regress_inbox;
DROP ROLE regress_inbox;
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['performance_metrics', 'predictions', 'prediction_keys', 'models', 'model_usage', 'events', 'workflow_runs',
                             'workflow_run_keys', 'workflows', 'services', 'incidents', 'rejected_input'] LOOP
        EXECUTE format('DELETE FROM bcce_data.%I WHERE tenant_id = (SELECT tenant_id FROM bcce_data.tenants WHERE slug = %L)', t, 'inbox-a');
    END LOOP;
END
$$;
DELETE FROM bcce_private.tenant_key WHERE tenant_id = :'a';
DELETE FROM bcce_data.tenants WHERE tenant_id = :'a';
