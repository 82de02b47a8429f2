-- Calls of language models from transcripts and telemetry of Claude Code: each
-- call once whatever tells of it and in whatever order, nothing but what is on
-- the list is kept, and no line stops the rest.
SET client_min_messages = warning;
CREATE DATABASE regress_requests;
\set home :DBNAME
\c regress_requests
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE EXTENSION bcce;
SELECT bcce.create_tenant('req-a', 'A') IS NOT NULL AS made, bcce.create_tenant('req-b', 'B') IS NOT NULL AS made_b;
SELECT bcce.create_login('regress_req_writer', 'req-a', 'ingest');
SET ROLE regress_req_writer;

-- Three lines of one answer, output growing; the last has the split of its cache
-- writes.  A line of the client's own, one that is torn, an empty one, one that
-- is no object, a prompt, and a second call with spaces in its JSON and a NUL.
\set lines '{"type":"assistant","sessionId":"s1","cwd":"/srv/ada/secret/shop","timestamp":"2026-07-01T10:00:00.000Z","requestId":"req_1","uuid":"u1","message":{"id":"msg_1","model":"claude-sonnet-5","content":[{"type":"text","text":"mail ada@example.org, password hunter2-hunter2"}],"usage":{"input_tokens":10,"cache_creation_input_tokens":300,"cache_read_input_tokens":1000,"output_tokens":1,"service_tier":"standard"}}}\n{"type":"assistant","sessionId":"s1","cwd":"/srv/ada/secret/shop","timestamp":"2026-07-01T10:00:04.000Z","requestId":"req_1","uuid":"u2","message":{"id":"msg_1","model":"claude-sonnet-5","usage":{"input_tokens":10,"cache_creation_input_tokens":300,"cache_creation":{"ephemeral_5m_input_tokens":100,"ephemeral_1h_input_tokens":200},"cache_read_input_tokens":1000,"output_tokens":50}}}\n{"type":"user","timestamp":"2026-07-01T10:01:00Z","message":{"role":"user","content":"a prompt of ada@example.org"}}\n{"type":"assistant","timestamp":"2026-07-01T10:02:00Z","sessionId":"s1","uuid":"u3","message":{"id":"x","model":"<synthetic>","usage":{"input_tokens":0,"output_tokens":0}}}\n{"type":"assistant","message":{"id":"msg_torn","usage":{"inp\n\n[1,2]\n{ "message" : { "usage" : { "output_tokens" : 7, "input_tokens" : 3 }, "content": "\\u0000", "model" : "claude-haiku-4-5-20251001", "id" : "msg_2" }, "timestamp" : "2026-07-01T12:00:00+02:00", "sessionId" : "s1" , "costUSD": 0.25 }\n'
SELECT lines, call_lines, added, changed, synthetic, refused, malformed, malformed_at
FROM bcce.ingest_transcript('laptop', replace(:'lines', '\n', E'\n'), 'Ada@example.org', 'shop');
-- The same again, in two halves and backwards: nothing new.
SELECT sum(t.added) AS added, sum(t.changed) AS changed
FROM (SELECT line FROM string_to_table(:'lines', '\n') WITH ORDINALITY AS l (line, n) WHERE line <> '' ORDER BY n DESC OFFSET 0) AS l
CROSS JOIN LATERAL bcce.ingest_transcript('laptop', l.line, 'Ada@example.org', 'shop') AS t;
-- A resumed session is copied under another name: the call stays where it was; more output replaces less.
SELECT added, changed FROM bcce.ingest_transcript('laptop',
    '{"sessionId":"s2","timestamp":"2026-07-01T10:00:04.000Z","requestId":"req_9","message":{"id":"msg_1","model":"claude-sonnet-5","usage":{"input_tokens":10,"cache_creation_input_tokens":300,"cache_creation":{"ephemeral_5m_input_tokens":100,"ephemeral_1h_input_tokens":200},"cache_read_input_tokens":1000,"output_tokens":60}}}', NULL, 'other');
RESET ROLE;
SELECT idempotency_key, at, session_id, project, user_key ~ '^user_[a-z2-7]+$' AS user_is_hidden, model_id, input_tokens AS i, output_tokens AS o, cache_read_tokens AS r,
    cache_write_5m_tokens AS w5, cache_write_1h_tokens AS w1, ttl_assumed, charged_usd, client_cost_usd, told_by
FROM bcce_data.model_usage ORDER BY 1;
SELECT source, reason, sum(rejected_count) FROM bcce.rejected GROUP BY 1, 2 ORDER BY 1, 2;

-- Only the earliest line says where a call belongs, whichever comes first.
SET ROLE regress_req_writer;
SELECT added, changed FROM bcce.ingest_transcript('laptop', '{"sessionId":"later","cwd":"C:\\Users\\ada\\late","timestamp":"2026-07-31T23:59:59Z","message":{"id":"msg_3","model":"claude-opus-5","usage":{"input_tokens":1,"output_tokens":9}}}');
SELECT added, changed FROM bcce.ingest_transcript('laptop', '{"sessionId":"early","cwd":"/srv/soon","timestamp":"2026-06-30T23:59:59Z","message":{"id":"msg_3","model":"claude-opus-5","usage":{"input_tokens":1,"output_tokens":2}}}');
RESET ROLE;
SELECT at, session_id, project, output_tokens, ttl_assumed FROM bcce_data.model_usage WHERE idempotency_key = 'msg:msg_3';

-- Copies with one time: the first session by name, whether one document tells of
-- both or one after the other.  Another id of the request is a name of the call.
SET ROLE regress_req_writer;
SELECT sum(t.added) AS added, sum(t.changed) AS changed
FROM (VALUES (1, 'b a'), (2, 'a b'), (3, 'b'), (4, 'a'), (5, 'a'), (6, 'b')) AS v (n, sessions)
CROSS JOIN LATERAL (SELECT string_agg(format('{"sessionId":"%s","requestId":"req_%s_%s","timestamp":"2026-07-02T10:00:00Z","message":{"id":"tie_%s","model":"claude-opus-5","usage":{"input_tokens":1,"output_tokens":9}}}',
    w.session, (v.n + 1) / 2, w.session, (v.n + 1) / 2), E'\n') AS lines FROM regexp_split_to_table(v.sessions, ' ') AS w (session)) AS l
CROSS JOIN LATERAL bcce.ingest_transcript('laptop', l.lines) AS t;
RESET ROLE;
SELECT u.idempotency_key, u.session_id, u.request_id, (SELECT string_agg(k.request_key, ' ' ORDER BY k.request_key) FROM bcce_data.model_usage_keys AS k WHERE k.call_key = u.idempotency_key) AS names
FROM bcce_data.model_usage AS u WHERE u.idempotency_key LIKE 'msg:tie%' ORDER BY 1;
-- Lines without an id of their message: known by the request, else by themselves.
SET ROLE regress_req_writer;
SELECT sum(t.added) AS added, sum(t.changed) AS changed
FROM (VALUES ('{"requestId":"tie_r","timestamp":"2026-07-02T10:00:00Z","message":{"model":"claude-opus-5","usage":{"input_tokens":1}}}'),
    ('{"requestId":"tie_r","uuid":"tie_u","timestamp":"2026-07-02T10:00:00Z","message":{"model":"claude-opus-5","usage":{"input_tokens":1,"output_tokens":2}}}'),
    ('{"uuid":"tie_u","timestamp":"2026-07-02T10:00:00Z","message":{"model":"claude-opus-5","usage":{"input_tokens":3}}}'),
    ('{"requestId":"tie_s","timestamp":"2026-07-02T10:00:00Z","message":{"id":"tie_s1","model":"claude-opus-5","usage":{"input_tokens":1}}}' || E'\n' ||
     '{"requestId":"tie_s","timestamp":"2026-07-02T10:00:00Z","message":{"id":"tie_s2","model":"claude-opus-5","usage":{"input_tokens":1}}}')) AS v (lines)
CROSS JOIN LATERAL bcce.ingest_transcript('laptop', v.lines || E'\n' || v.lines) AS t;
RESET ROLE;
SELECT k.request_key, k.call_key, u.output_tokens FROM bcce_data.model_usage_keys AS k LEFT JOIN bcce_data.model_usage AS u ON u.idempotency_key = k.request_key
WHERE k.request_key ~ 'tie_[rsu]' ORDER BY 1;
DELETE FROM bcce_data.model_usage WHERE idempotency_key LIKE '%:tie%';
DELETE FROM bcce_data.model_usage_keys WHERE call_key LIKE '%:tie%';

-- What cannot be a call is refused and counted: no time, no model, a negative or
-- huge count, half a token, no count, no id at all, an instant before 1970.
SET ROLE regress_req_writer;
SELECT t.call_lines, t.added, t.refused, t.malformed FROM (SELECT string_agg(line, E'\n') AS lines FROM (VALUES ('{"message":{"id":"bad_1","model":"m","usage":{"input_tokens":1}}}'),
    ('{"timestamp":"2026-07-01T00:00:00Z","message":{"id":"bad_2","usage":{"input_tokens":1}}}'),
    ('{"timestamp":"2026-07-01T00:00:00Z","message":{"id":"bad_3","model":"m","usage":{"input_tokens":-1}}}'),
    ('{"timestamp":"2026-07-01T00:00:00Z","message":{"id":"bad_4","model":"m","usage":{"input_tokens":1e17}}}'),
    ('{"timestamp":"2026-07-01T00:00:00Z","message":{"id":"bad_5","model":"m","usage":{"output_tokens":"many"}}}'),
    ('{"timestamp":"2026-07-01T00:00:00Z","message":{"model":"m","usage":{"input_tokens":1}}}'),
    ('{"timestamp":"1969-07-01T00:00:00Z","message":{"id":"bad_6","model":"m","usage":{"input_tokens":1}}}'),
    ('{"timestamp":"2026-07-01T00:00:00Z","message":{"id":"' || repeat('x', 300) || '","model":"m","usage":{"input_tokens":1}}}'),
    ('{"timestamp":"2026-07-01T00:00:00Z","message":{"id":"bad_7","model":"m","usage":[1]}}'),
    ('{"timestamp":"2026-07-01T00:00:00Z","message":"usage"}')) AS v (line)) AS l
CROSS JOIN LATERAL bcce.ingest_transcript('laptop', l.lines) AS t;
-- A count that cannot be read is no count of nothing: 10.0 and 1e1 are ten, "ten"
-- and 2.5 are faults, and what is out of range is no error of the whole.
SELECT t.call_lines, t.added, t.refused FROM (SELECT string_agg(format('{"timestamp":"2026-07-01T00:00:00Z","message":{"id":"odd_%s","model":"m","usage":%s}}', n, usage), E'\n') AS lines
    FROM unnest(ARRAY['{"input_tokens":10.0,"output_tokens":1e1}', '{"input_tokens":"ten","output_tokens":1}', '{"input_tokens":2.5,"output_tokens":1}',
        '{"input_tokens":null,"output_tokens":1}', '{"input_tokens":1,"cache_creation_input_tokens":1,"cache_creation":{"ephemeral_5m_input_tokens":9e18,"ephemeral_1h_input_tokens":9e18}}',
        '{"input_tokens":1,"cache_creation_input_tokens":-9e18,"cache_creation":{"ephemeral_1h_input_tokens":9e18}}']) WITH ORDINALITY AS u (usage, n)) AS l
CROSS JOIN LATERAL bcce.ingest_transcript('laptop', l.lines) AS t;
RESET ROLE;
SELECT idempotency_key, input_tokens, output_tokens FROM bcce_data.model_usage WHERE idempotency_key LIKE '%:odd%' ORDER BY 1;
DELETE FROM bcce_data.model_usage WHERE idempotency_key LIKE '%:odd%';
DELETE FROM bcce_data.model_usage_keys WHERE call_key LIKE '%:odd%';
SET ROLE regress_req_writer;
SELECT * FROM bcce.ingest_transcript(NULL, NULL);
SELECT lines, added FROM bcce.ingest_transcript('laptop', '');
RESET ROLE;

-- Telemetry: an event of a request that a transcript told of adds what it knows;
-- one of another request is a call; one without an id of its request is found by
-- its counts, before or after the transcript.  Counts that differ are shown.
SET ROLE regress_req_writer;
\set event '{"timeUnixNano":"1782900000000000000","body":{"stringValue":"claude_code.api_request"},"attributes":[{"key":"event.name","value":{"stringValue":"api_request"}},{"key":"session.id","value":{"stringValue":"s1"}},{"key":"event.sequence","value":{"intValue":SEQ}},{"key":"user.email","value":{"stringValue":"ada@example.org"}},{"key":"prompt","value":{"stringValue":"a secret prompt"}},{"key":"model","value":{"stringValue":"claude-sonnet-5"}},{"key":"input_tokens","value":{"intValue":"10"}},{"key":"output_tokens","value":{"stringValue":"OUT"}},{"key":"cache_read_tokens","value":{"intValue":1000}},{"key":"cache_creation_tokens","value":{"intValue":"300"}},{"key":"cost_usd","value":{"doubleValue":0.125}},{"key":"speed","value":{"stringValue":"normal"}},{"key":"request_id","value":{"stringValue":"REQ"}},{"key":"workflow.run_id","value":{"stringValue":"wf_7"}}]}'
CREATE FUNCTION pg_temp.export(VARIADIC events text[]) RETURNS jsonb LANGUAGE sql AS
$$
    SELECT ('{"resourceLogs":[{"resource":{"attributes":[{"key":"team.id","value":{"stringValue":"payments"}}]},"scopeLogs":[{"logRecords":['
        || array_to_string(events, ',') || ']}]}]}')::jsonb
$$;
SELECT * FROM bcce.ingest_otlp(pg_temp.export(replace(replace(replace(:'event', 'SEQ', '1'), 'OUT', '60'), 'REQ', 'req_1'),
    replace(replace(replace(:'event', 'SEQ', '2'), 'OUT', '5'), 'REQ', 'req_2'), replace(replace(:'event', 'SEQ', '4'), 'api_request', 'user_prompt')));
SELECT * FROM bcce.ingest_otlp(pg_temp.export(replace(replace(replace(:'event', 'SEQ', '1'), 'OUT', '60'), 'REQ', 'req_1'),
    replace(replace(replace(:'event', 'SEQ', '3'), 'OUT', '77'), 'REQ', '')));
SELECT added, changed FROM bcce.ingest_transcript('laptop', '{"sessionId":"s1","timestamp":"2026-07-01T10:00:00Z","message":{"id":"msg_4","model":"claude-sonnet-5","usage":{"input_tokens":10,"cache_creation_input_tokens":300,"cache_read_input_tokens":1000,"output_tokens":77}}}
{"sessionId":"s1","timestamp":"2026-07-01T10:00:00Z","requestId":"req_2","message":{"id":"msg_5","model":"claude-sonnet-5","usage":{"input_tokens":10,"cache_creation_input_tokens":300,"cache_read_input_tokens":1000,"output_tokens":6}}}');
SELECT added, changed FROM bcce.ingest_otlp(pg_temp.export(replace(replace(replace(:'event', 'SEQ', '3'), 'OUT', '77'), 'REQ', '')));
RESET ROLE;
SELECT idempotency_key, request_id, output_tokens AS o, event_tokens, source_mismatch, told_by, run_id, team_id, client_cost_usd, count(*) OVER (PARTITION BY user_key) AS of_this_person
FROM bcce_data.model_usage WHERE told_by & 2 = 2 ORDER BY idempotency_key;
SELECT request_key, call_key, at IS NOT NULL AS is_own FROM bcce_data.model_usage_keys ORDER BY request_key;

-- A session that is resumed counts its events from the start again: two calls,
-- with or without ids of their requests; sent again they change nothing.  A
-- duration that cannot be stops no export, a count that cannot be read is a fault.
SET ROLE regress_req_writer;
\set event2 '{"timeUnixNano":"TIME000000000","body":{"stringValue":"claude_code.api_request"},"attributes":[{"key":"session.id","value":{"stringValue":"s9"}},{"key":"event.sequence","value":{"intValue":1}},{"key":"model","value":{"stringValue":"claude-sonnet-5"}},{"key":"input_tokens","value":{"COUNT"}},{"key":"output_tokens","value":{"intValue":1}},{"key":"duration_ms","value":{"doubleValue":-1}},{"key":"request_id","value":{"stringValue":"REQ"}}]}'
SELECT calls, added, changed, refused FROM bcce.ingest_otlp(pg_temp.export(VARIADIC (
    SELECT array_agg(replace(replace(replace(:'event2', 'TIME', (1782950000 + n)::text), 'REQ', req), 'COUNT', told) ORDER BY n)
    FROM (VALUES (1, '', 'intValue":"10'), (2, '', 'intValue":"10'), (3, 'odd_1', 'intValue":"10'), (4, 'odd_2', 'intValue":"10'), (5, '', 'intValue":"ten')) AS v (n, req, told))));
\g
RESET ROLE;
SELECT idempotency_key, at, request_id, input_tokens, latency_ms FROM bcce_data.model_usage WHERE session_id = 's9' ORDER BY at;
DELETE FROM bcce_data.model_usage_keys WHERE call_key IN (SELECT idempotency_key FROM bcce_data.model_usage WHERE session_id = 's9');
DELETE FROM bcce_data.model_usage WHERE session_id = 's9';

-- A collector that groups records has moved the person and the session to the
-- resource, of events and of points.
SET ROLE regress_req_writer;
SELECT added, points FROM bcce.ingest_otlp('{"resourceLogs":[{"resource":{"attributes":[{"key":"session.id","value":{"stringValue":"s8"}},{"key":"user.email","value":{"stringValue":"ada@example.org"}}]},"scopeLogs":[{"logRecords":[{"timeUnixNano":"1782950000000000000","body":{"stringValue":"claude_code.api_request"},"attributes":[{"key":"model","value":{"stringValue":"m"}},{"key":"input_tokens","value":{"intValue":1}},{"key":"request_id","value":{"stringValue":"req_8"}}]}]}]}],
    "resourceMetrics":[{"resource":{"attributes":[{"key":"session.id","value":{"stringValue":"s8"}},{"key":"user.email","value":{"stringValue":"ada@example.org"}}]},"scopeMetrics":[{"metrics":[{"name":"claude_code.token.usage","sum":{"aggregationTemporality":1,"dataPoints":[{"attributes":[{"key":"type","value":{"stringValue":"input"}}],"startTimeUnixNano":"1782900000000000000","timeUnixNano":"1782950000000000000","asInt":"1"}]}}]}]}]}');
RESET ROLE;
SELECT u.session_id, u.user_key = c.user_key AS same_person, u.user_key = bcce.pseudonym('ada@example.org', 'user', u.tenant_id) AS is_ada
FROM bcce_data.model_usage AS u JOIN bcce_data.model_usage_counters AS c USING (tenant_id, session_id) WHERE session_id = 's8';
DELETE FROM bcce_data.model_usage_counters WHERE session_id = 's8';
DELETE FROM bcce_data.model_usage_keys WHERE call_key = 'req:req_8';
DELETE FROM bcce_data.model_usage WHERE session_id = 's8';

-- Counters: a point again is stored once; a bad one is counted.
SET ROLE regress_req_writer;
\set points '{"resourceMetrics":[{"resource":{},"scopeMetrics":[{"metrics":[{"name":"claude_code.token.usage","sum":{"aggregationTemporality":1,"dataPoints":[{"attributes":[{"key":"type","value":{"stringValue":"cacheRead"}},{"key":"model","value":{"stringValue":"claude-sonnet-5"}},{"key":"user.email","value":{"stringValue":"ada@example.org"}}],"startTimeUnixNano":"1782900000000000000","timeUnixNano":1782900060000000000,"asInt":"500"},{"attributes":[],"startTimeUnixNano":"1782900000000000000","timeUnixNano":"1782900060000000000","asDouble":-1},{"attributes":[],"timeUnixNano":"soon","asDouble":1}]}},{"name":"claude_code.commit.count","sum":{"dataPoints":[{"asInt":"1"}]}}]}]}]}'
SELECT points, refused FROM bcce.ingest_otlp(:'points');
SELECT points, refused FROM bcce.ingest_otlp(:'points');
-- Documents of other shapes are empty, not errors.
SELECT d, t.* FROM unnest(ARRAY['{}', '[]', '1', '{"resourceLogs": {}}', '{"resourceLogs": [1, {"scopeLogs": [{"logRecords": [{}, null]}]}]}']) AS d
CROSS JOIN LATERAL bcce.ingest_otlp(d::jsonb) AS t;
RESET ROLE;
SELECT metric, token_class, model_id, user_key ~ '^user_' AS user_is_hidden, value, is_cumulative FROM bcce_data.model_usage_counters;

-- Nobody's address, prompt or path is anywhere in the store.
SELECT count(*) AS leaks FROM (SELECT u::text FROM bcce_data.model_usage AS u UNION ALL SELECT k::text FROM bcce_data.model_usage_keys AS k
    UNION ALL SELECT c::text FROM bcce_data.model_usage_counters AS c UNION ALL SELECT r::text FROM bcce_data.rejected_input AS r) AS t (line)
WHERE line ~ '@|hunter2|prompt|/srv/ada|secret';

-- Another tenant with the same message has a call of its own; a stranger's tenant is not found.
SELECT added FROM bcce.ingest_transcript('x', '{"sessionId":"s1","timestamp":"2026-07-01T10:00:00Z","message":{"id":"msg_1","model":"claude-sonnet-5","usage":{"input_tokens":1,"output_tokens":1}}}', tenant => 'req-b');
SELECT count(*) AS calls_of_msg_1, count(DISTINCT tenant_id) AS tenants FROM bcce_data.model_usage WHERE idempotency_key = 'msg:msg_1';
-- Only who sees all tenants finds it, and a call that they know by different names.
SELECT added FROM bcce.ingest_otlp(pg_temp.export(replace(replace(replace(:'event', 'SEQ', '1'), 'OUT', '5'), 'REQ', 'req_2')), 'req-b');
SELECT * FROM bcce.find_shared_calls();
SELECT bcce.create_login('regress_req_admin', 'req-a', 'admin'), bcce.create_login('regress_req_platform', 'req-a', 'platform');
CREATE ROLE regress_req_upkeep IN ROLE bcce_maintainer;
SET ROLE regress_req_upkeep;
SELECT count(*) AS pairs_for_upkeep FROM bcce.find_shared_calls();
RESET ROLE;
-- Granted by mistake it shows nothing, with all that it reads granted too.
\set VERBOSITY sqlstate
GRANT EXECUTE ON FUNCTION bcce.find_shared_calls() TO regress_req_admin, regress_req_platform;
SET ROLE regress_req_admin;
SELECT count(*) FROM bcce.find_shared_calls();
SET ROLE regress_req_platform;
SELECT count(*) FROM bcce.find_shared_calls();
RESET ROLE;
GRANT SELECT ON bcce_data.model_usage_keys, bcce_data.tenants TO regress_req_admin, regress_req_platform;
GRANT USAGE ON SCHEMA bcce_data TO regress_req_admin, regress_req_platform;
SET ROLE regress_req_admin;
SELECT count(*) FROM bcce.find_shared_calls();
SET ROLE regress_req_platform;
SELECT count(*) FROM bcce.find_shared_calls();
RESET ROLE;
REVOKE ALL ON FUNCTION bcce.find_shared_calls() FROM regress_req_admin, regress_req_platform;
SET ROLE regress_req_admin;
SELECT count(*) FROM bcce.find_shared_calls();
RESET ROLE;
REVOKE ALL ON bcce_data.model_usage_keys, bcce_data.tenants FROM regress_req_admin, regress_req_platform;
REVOKE ALL ON SCHEMA bcce_data FROM regress_req_admin, regress_req_platform;
\set VERBOSITY default
SET ROLE regress_req_writer;
\set VERBOSITY sqlstate
SELECT bcce.ingest_transcript('x', '{}', tenant => 'req-b');
SELECT bcce.ingest_otlp('{}', 'req-b');
SELECT count(*) FROM bcce_data.model_usage;
RESET ROLE;

\c :home
DROP DATABASE regress_requests;
DROP ROLE regress_req_writer, regress_req_admin, regress_req_platform, regress_req_upkeep;
