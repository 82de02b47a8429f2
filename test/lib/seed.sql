-- Two tenants with facts that tell which of them they are of, in several
-- months, one of them with no partition yet; roles are not made here.
SET TIME ZONE 'UTC';
SELECT bcce.create_tenant('alpha', 'Alpha tenant', 'ext-alpha', 'Europe/Berlin') AS alpha \gset
SELECT bcce.create_tenant('beta', 'Beta tenant', 'ext-beta', 'America/New_York') AS beta \gset
SELECT bcce.set_price('workflow_run', 0.03, '2026-01-01 00:00+00', 'alpha');
SELECT bcce.add_value_alias('run_status', 'went-fine', 'succeeded', 'beta');
SELECT bcce.record_workflow_run('wf-' || t || '-' || i % 3, CASE WHEN i % 5 = 0 THEN 'failed' WHEN i % 7 = 0 THEN 'cancelled' ELSE 'succeeded' END,
           at, at + make_interval(secs => 60 + i * n), 'run-' || t || '-' || i, 'person-' || t || '-' || i % 4, 'svc-' || t || '-' || i % 2,
           error_message => 'message of ' || t, tenant => t)
FROM (VALUES ('alpha', 1), ('beta', 3)) AS tenants (t, n), generate_series(1, 40) AS i,
     LATERAL (SELECT statement_timestamp() - make_interval(hours => 30 * i)) AS s (at);
SELECT bcce.record_metric('svc-' || t || '-' || i % 2, statement_timestamp() - make_interval(mins => i), 100 * n, i * n, 10 * n, 20 * n + i, 30 * n,
           1.5 * n, 10 * n, 5 * n, window_seconds => 60, idempotency_key => 'm' || i, tenant => t)
FROM (VALUES ('alpha', 1), ('beta', 3)) AS tenants (t, n), generate_series(1, 30) AS i;
SELECT bcce.record_incident('inc-' || t || '-' || i, at, 'title of ' || t, 'sev' || 1 + i % 4, NULL, 'svc-' || t || '-0',
           detected_at => at, recovered_at => CASE WHEN i % 4 > 0 THEN at + make_interval(mins => 10 * i * n) END, tenant => t)
FROM (VALUES ('alpha', 1), ('beta', 3)) AS tenants (t, n), generate_series(1, 12) AS i,
     LATERAL (SELECT statement_timestamp() - make_interval(days => 2 * i)) AS s (at);
SELECT bcce.record_prediction('model-' || t, 'external', 'thing-' || i, (i * n % 10) / 10.0, statement_timestamp() - make_interval(days => i),
           prediction_id => 'pred-' || t || '-' || i, tenant => t)
FROM (VALUES ('alpha', 1), ('beta', 3)) AS tenants (t, n), generate_series(1, 20) AS i;
SELECT bcce.resolve_prediction('pred-' || t || '-' || i, i % 2, statement_timestamp() - make_interval(days => i - 1), t)
FROM (VALUES ('alpha'), ('beta')) AS tenants (t), generate_series(2, 16) AS i;
SELECT bcce.record_model_usage('claude-' || t, statement_timestamp() - make_interval(hours => i), 1000 * n, 100 * i, user_id => 'person-' || t,
           reported_cost_usd => 0.001 * n, idempotency_key => 'u' || i, tenant => t)
FROM (VALUES ('alpha', 1), ('beta', 3)) AS tenants (t, n), generate_series(1, 20) AS i;
SELECT stored, duplicates, rejected FROM bcce.ingest_events((
    SELECT jsonb_agg(jsonb_build_object('tenant', t, 'event_type', 'page_view', 'occurred_at', statement_timestamp() - make_interval(hours => i),
        'guest_id', 'guest-' || t || i, 'ip', '203.0.113.' || i, 'event_id', 'e' || i, 'properties', jsonb_build_object('of', t)))
    FROM (VALUES ('alpha'), ('beta'), ('nobody')) AS tenants (t), generate_series(1, 15) AS i));
SELECT bcce.record_cost_adjustment('CN-' || t, statement_timestamp() - interval '2 days', -n, 'credit', reason => 'promised to ' || t, tenant => t)
FROM (VALUES ('alpha', 1), ('beta', 3)) AS tenants (t, n);
INSERT INTO bcce_data.slos (tenant_id, target_percent) VALUES (:'alpha', 99), (:'beta', 97);
SELECT bcce.set_business_hours('{1,2,3,4,5}', '09:00', closes, t), bcce.set_holiday('2026-01-01', tenant => t)
FROM (VALUES ('alpha', time '17:00'), ('beta', time '18:00')) AS tenants (t, closes);
INSERT INTO bcce_data.principals (tenant_id, user_key, provisioned_at)
SELECT tenant_id::uuid, 'newcomer-' || i, statement_timestamp() - make_interval(days => i * n)
FROM (VALUES (:'alpha', 1), (:'beta', 3)) AS tenants (tenant_id, n), generate_series(1, 3) AS i;
SELECT task FROM bcce.maintain();
INSERT INTO bcce.inbox_workflow_runs (tenant, run_id, workflow_id, status, started_at, finished_at)
SELECT t, 'old-' || t, 'wf-' || t || '-0', 'passed', (statement_timestamp() - interval '150 days')::text, (statement_timestamp() - interval '149 days')::text
FROM (VALUES ('alpha'), ('beta')) AS tenants (t);
INSERT INTO bcce.inbox_workflow_runs (tenant, run_id, workflow_id, status, started_at, finished_at)
VALUES ('alpha', 'bad-alpha', 'wf-alpha-0', 'what?', '2026-05-05T00:00:00Z', NULL),
       ('beta', 'bad-beta', 'wf-beta-0', 'passed', '2026-05-05T00:00:00Z', '2026-05-04T00:00:00Z');
