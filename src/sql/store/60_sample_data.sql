-- Sample data: two tenants with about 90 days of everything, made by integer
-- arithmetic from a seed, so that the same arguments give the same rows in
-- every session, in whatever order a plan computes them.
--
-- The text that is planted to show the redaction is put together from pieces,
-- so that no whole secret stands here.

-- Products modulo numbers of quite different size, xor between them: not a
-- good hash, but one expression, which a plan inlines.
CREATE OR REPLACE FUNCTION bcce_data.sample_draw(seed bigint, stream bigint, n bigint) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ((((((((((seed & 2147483647) * 1103515245 + 12345) % 2147483647 # 1431655765)
    + (stream & 65535) * 1597334677) % 1500450271 * 1640531513 % 2038074743 # 715827882)
    + (n & 2147483647) * 1223106847) % 1786433189 * 1812433253 % 1073741789 # 858993459)
    * 1566083941 % 1299709349 # 954437176) * 1664525 % 1610612741 # 477218588) * 1299721 % 999999937
    + 0.5::double precision) / 999999937;
COMMENT ON FUNCTION bcce_data.sample_draw(bigint, bigint, bigint) IS 'chance of the sample data: a number between 0 and 1, always the same for the same arguments; stream says what is drawn, n for which row';

CREATE OR REPLACE FUNCTION bcce_data.sample_normal(seed bigint, stream bigint, n bigint) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN sqrt(-2 * ln(bcce_data.sample_draw(seed, stream, n))) * cos(2 * pi() * bcce_data.sample_draw(seed, stream + 32768, n));
COMMENT ON FUNCTION bcce_data.sample_normal(bigint, bigint, bigint) IS 'chance of the sample data: a normally distributed number, mean 0, standard deviation 1';

CREATE OR REPLACE FUNCTION bcce_data.sample_pii(n bigint) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE n % 5
    WHEN 0 THEN 'reported by jane.roe' || '@' || 'guest-mail.example'
    WHEN 1 THEN 'card 4111 ' || '1111 1111 ' || '1111 was declined'
    WHEN 2 THEN 'call back at +49 ' || '30 90182' || '0144'
    WHEN 3 THEN 'used key AKIA' || 'QZ7J4MWX' || '5KTN2VRB'
    ELSE 'token=ghp_' || 'a1B2c3D4e5F6' || 'g7H8i9J0k1L2' || 'm3N4o5P6q7R8'
END;
COMMENT ON FUNCTION bcce_data.sample_pii(bigint) IS 'text with personal data or a secret, for the redaction to remove';

-- Tenants of the sample data, with what makes them different.
CREATE OR REPLACE FUNCTION bcce_data.sample_tenants()
RETURNS TABLE (no bigint, tenant_id uuid, slug text, zone text, runs_a_day double precision, users bigint)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $body$
    SELECT s.no, t.tenant_id, t.slug, s.zone, s.runs_a_day, s.users
    FROM (VALUES (1, 'sample-acme', 'Europe/Berlin', 42, 24), (2, 'sample-beta', 'America/New_York', 26, 14))
         AS s (no, slug, zone, runs_a_day, users)
    JOIN bcce_data.tenants t ON t.slug = s.slug
$body$;
COMMENT ON FUNCTION bcce_data.sample_tenants() IS 'the tenants of the sample data that exist';

-- A moment of a local day in the zone: most by day, some at night.
CREATE OR REPLACE FUNCTION bcce_data.sample_moment(seed bigint, stream bigint, n bigint, day date, zone text) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (day + make_interval(secs => (floor(86400 * (CASE
    WHEN bcce_data.sample_draw(seed, stream, n) < 0.15 THEN bcce_data.sample_draw(seed, stream + 1, n)
    ELSE 0.57 + 0.13 * bcce_data.sample_normal(seed, stream + 2, n) END)))::bigint % 86400)) AT TIME ZONE zone;
COMMENT ON FUNCTION bcce_data.sample_moment(bigint, bigint, bigint, date, text) IS 'a moment of a local day: most by day, some at night';

CREATE OR REPLACE FUNCTION bcce_data.sample_dimensions(prefix text, seed bigint, until timestamptz) RETURNS TABLE (tenant_id uuid, fact text)
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $body$
    WITH teams AS (
        INSERT INTO bcce_data.teams (tenant_id, team_id, team_name)
        SELECT t.tenant_id, v.team_id, v.team_name
        FROM bcce_data.sample_tenants() t
        CROSS JOIN (VALUES ('platform', 'Platform'), ('payments', 'Payments'), ('guest', 'Guest experience')) AS v (team_id, team_name)
        ON CONFLICT DO NOTHING RETURNING tenant_id
    ), principals AS (
        INSERT INTO bcce_data.principals (tenant_id, user_key, team_id, role, provisioned_at)
        SELECT t.tenant_id, format('user-%s@%s.example', u, t.slug), (ARRAY['platform', 'payments', 'guest'])[1 + u % 3],
               CASE WHEN u % 7 = 0 THEN 'lead' ELSE 'developer' END,
               until - make_interval(hours => 2160 - (1400 * u / t.users)::integer)
        FROM bcce_data.sample_tenants() t CROSS JOIN LATERAL generate_series(1, t.users) AS u
        ON CONFLICT DO NOTHING RETURNING tenant_id
    ), services AS (
        INSERT INTO bcce_data.services (tenant_id, service_id, service_name, team_id, criticality, expected_interval_seconds, created_at, retired_at)
        SELECT t.tenant_id, v.service_id, v.service_name, v.team_id, v.criticality, v.seconds, until - interval '2160 hours',
               CASE WHEN v.service_id = 'old-portal' THEN until - interval '1440 hours' END
        FROM bcce_data.sample_tenants() t
        JOIN (VALUES (1, 'api-gateway', 'API gateway', 'platform', 'high', 300), (1, 'guest-app', 'Guest app', 'guest', 'high', 300),
                     (1, 'payments', 'Payments', 'payments', 'high', 300), (1, 'search', 'Search', 'guest', 'medium', 300),
                     (1, 'reporting', 'Reporting', 'platform', 'low', 300), (1, 'loyalty-import', 'Loyalty import', 'guest', 'low', NULL),
                     (1, 'old-portal', 'Old portal', 'guest', 'low', 300),
                     (2, 'checkout', 'Checkout', 'payments', 'high', 300), (2, 'inventory', 'Inventory', 'platform', 'medium', 300),
                     (2, 'notifications', 'Notifications', 'guest', 'medium', 300), (2, 'scoring', 'Scoring', 'platform', 'low', NULL))
             AS v (no, service_id, service_name, team_id, criticality, seconds) ON v.no = t.no
        ON CONFLICT DO NOTHING RETURNING tenant_id
    ), maintenance AS (
        INSERT INTO bcce_data.maintenance_windows (tenant_id, service_id, starts_at, ends_at)
        SELECT t.tenant_id, v.service_id, until + make_interval(hours => v.starts), until + make_interval(hours => v.ends)
        FROM bcce_data.sample_tenants() t
        JOIN (VALUES (1, 'reporting', -1, 3), (2, 'inventory', -172, -170)) AS v (no, service_id, starts, ends) ON v.no = t.no
        ON CONFLICT DO NOTHING RETURNING tenant_id
    ), workflows AS (
        INSERT INTO bcce_data.workflows (tenant_id, workflow_id, name, service_id, kind, created_at)
        SELECT t.tenant_id, v.workflow_id, v.name, v.service_id, v.kind, until - interval '2160 hours'
        FROM bcce_data.sample_tenants() t
        JOIN (VALUES (1, 'build', 'Build and test', 'api-gateway', 'job'), (1, 'deploy', 'Deploy', 'guest-app', 'deployment'),
                     (1, 'review', 'Assisted code review', NULL, 'job'), (1, 'settle', 'Settle payments', 'payments', 'job'),
                     (1, 'report', 'Daily report', 'reporting', 'job'),
                     (2, 'build', 'Build and test', 'checkout', 'job'), (2, 'deploy', 'Deploy', 'checkout', 'deployment'),
                     (2, 'review', 'Assisted code review', NULL, 'job'), (2, 'restock', 'Restock', 'inventory', 'job'))
             AS v (no, workflow_id, name, service_id, kind) ON v.no = t.no
        ON CONFLICT DO NOTHING RETURNING tenant_id
    ), infra AS (
        INSERT INTO bcce_data.infra_costs (tenant_id, category, amount_usd, period_start_at, period_end_at)
        SELECT t.tenant_id, v.category,
               round((v.usd / t.no * (0.9 + 0.2 * bcce_data.sample_draw(seed, 900, t.no * 100 + v.no * 10 + p)))::numeric, 2),
               until - make_interval(hours => 720 * p), until - make_interval(hours => 720 * (p - 1))
        FROM bcce_data.sample_tenants() t
        CROSS JOIN (VALUES (1, 'compute', 310), (2, 'storage', 45), (3, 'network', 20)) AS v (no, category, usd)
        CROSS JOIN generate_series(1, 3) AS p
        ON CONFLICT DO NOTHING RETURNING tenant_id
    )
    SELECT tenant_id, 'teams' FROM teams UNION ALL SELECT tenant_id, 'principals' FROM principals
    UNION ALL SELECT tenant_id, 'services' FROM services UNION ALL SELECT tenant_id, 'maintenance_windows' FROM maintenance
    UNION ALL SELECT tenant_id, 'workflows' FROM workflows UNION ALL SELECT tenant_id, 'infra_costs' FROM infra
$body$;
COMMENT ON FUNCTION bcce_data.sample_dimensions(text, bigint, timestamptz) IS 'sample data: teams, people, services, workflows, bills; one row for each that was added';

-- Runs come in a daily and weekly rhythm, fail in spells of six hours, last a
-- log-normal time and are repeated after some of the failures.
CREATE OR REPLACE FUNCTION bcce_data.sample_runs(prefix text, seed bigint, until timestamptz) RETURNS TABLE (tenant_id uuid, fact text)
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $body$
    WITH slot AS MATERIALIZED (
        SELECT t.no, t.tenant_id, t.slug, t.users, t.zone, d, (until AT TIME ZONE t.zone)::date - d::integer AS day,
               t.no * 10000000 + d * 1000 + i AS n
        FROM bcce_data.sample_tenants() t
        CROSS JOIN generate_series(0::bigint, 90) AS d
        CROSS JOIN LATERAL generate_series(1, (t.runs_a_day * (1.15 - d / 300.0)
            * CASE WHEN extract(isodow FROM (until AT TIME ZONE t.zone)::date - d::integer) > 5 THEN 0.25 ELSE 1 END
            * (0.8 + 0.4 * bcce_data.sample_draw(seed, 13, t.no * 1000 + d)))::integer) AS i
    ), start AS MATERIALIZED (
        SELECT s.*, bcce_data.sample_moment(seed, 10, s.n, s.day, s.zone) AS at,
               1000 * bcce_data.sample_draw(seed, 17, s.n) AS pick
        FROM slot s
    ), kind AS (
        SELECT s.*, w.workflow_id, w.service_id, w.typical_seconds,
               bcce_data.sample_draw(seed, 14, s.n) < CASE
                   WHEN bcce_data.sample_draw(seed, 15, s.no * 100000 + w.nth * 10000
                        + (extract(epoch FROM s.at)::bigint / 21600) % 10000) < 0.05 THEN 0.7 ELSE 0.04 END AS breaks,
               round(exp(ln(w.typical_seconds) + 0.9 * bcce_data.sample_normal(seed, 16, s.n))) + 1 AS seconds
        FROM start s
        JOIN (VALUES (1, 1, 0, 400, 'build', 'api-gateway', 260), (1, 2, 400, 520, 'deploy', 'guest-app', 190),
                     (1, 3, 520, 850, 'review', NULL, 95), (1, 4, 850, 950, 'settle', 'payments', 420),
                     (1, 5, 950, 1001, 'report', 'reporting', 900),
                     (2, 1, 0, 450, 'build', 'checkout', 310), (2, 2, 450, 560, 'deploy', 'checkout', 150),
                     (2, 3, 560, 880, 'review', NULL, 80), (2, 4, 880, 1001, 'restock', 'inventory', 600))
             AS w (no, nth, from_x, to_x, workflow_id, service_id, typical_seconds)
             ON w.no = s.no AND s.pick >= w.from_x AND s.pick < w.to_x
        WHERE s.at >= until - interval '2160 hours' AND s.at < until
    ), state AS MATERIALIZED (
        SELECT k.*, CASE
                   WHEN bcce_data.sample_draw(seed, 18, k.n) < 0.015 THEN 'skipped'
                   WHEN bcce_data.sample_draw(seed, 18, k.n) < 0.05 THEN 'cancelled'
                   WHEN k.seconds > 3600 THEN 'timed_out'
                   WHEN k.breaks THEN 'failed'
                   ELSE 'succeeded' END AS ended_as
        FROM kind k
    ), run AS (
        SELECT s.no, s.tenant_id, s.n, s.workflow_id, s.service_id, s.slug, s.users, s.d, NULL::bigint AS retry_of,
               s.at, s.ended_as AS status,
               s.at + make_interval(secs => CASE s.ended_as WHEN 'skipped' THEN 0 WHEN 'timed_out' THEN 3600 ELSE s.seconds END) AS ends_at
        FROM state s
        UNION ALL
        SELECT s.no, s.tenant_id, s.n + 500, s.workflow_id, s.service_id, s.slug, s.users, s.d, s.n,
               s.at + make_interval(secs => s.seconds + 90),
               CASE WHEN bcce_data.sample_draw(seed, 19, s.n) < 0.25 THEN 'failed' ELSE 'succeeded' END,
               s.at + make_interval(secs => s.seconds + 90 + round(s.seconds * (0.6 + bcce_data.sample_draw(seed, 20, s.n))))
        FROM state s
        WHERE s.ended_as = 'failed' AND bcce_data.sample_draw(seed, 21, s.n) < 0.55
          AND s.at + make_interval(secs => s.seconds + 90) < until
        UNION ALL     -- runs of the last hours that hang
        SELECT t.no, t.tenant_id, t.no, 'build', CASE t.no WHEN 1 THEN 'api-gateway' ELSE 'checkout' END, t.slug, t.users, 0, NULL,
               until - make_interval(mins => 40 + 95 * (t.no - 1)::integer), 'succeeded', until + interval '3 hours'
        FROM bcce_data.sample_tenants() t
    ), made AS MATERIALIZED (
        SELECT r.*, format('%s-run-%s', prefix, r.n) AS run_id,
               CASE WHEN r.ends_at > until THEN 'running' ELSE r.status END AS final_status,
               CASE WHEN r.ends_at <= until THEN r.ends_at END AS finished_at
        FROM run r
    ), keys AS (
        INSERT INTO bcce_data.workflow_run_keys (tenant_id, run_id, started_at)
        SELECT tenant_id, run_id, at FROM made
        ON CONFLICT DO NOTHING
    ), runs AS (
        INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, started_at, workflow_id, service_id, user_key, status, queued_at,
            finished_at, error_class, error_message, environment, region, risk_level, identity_provider, retry_of, source, is_test, charged_usd)
        SELECT tenant_id, run_id, at, workflow_id, service_id,
               -- People join over time, and some work more than others.
               format('user-%s@%s.example', 1 + floor(bcce_data.sample_draw(seed, 22, n) ^ 1.6 * users * least(1, 0.5 + (90 - d) / 120.0)), slug),
               final_status, at - make_interval(secs => floor(1 + 20 * bcce_data.sample_draw(seed, 23, n) ^ 3)), finished_at,
               CASE final_status WHEN 'failed' THEN (ARRAY['TestFailure', 'ConnectionError', 'OutOfMemory', 'PermissionDenied'])[1 + floor(4 * bcce_data.sample_draw(seed, 24, n))::integer]
                                 WHEN 'timed_out' THEN 'Timeout' END,
               CASE WHEN final_status = 'failed' AND bcce_data.sample_draw(seed, 25, n) < 0.4 THEN 'step 4 of 7 failed: ' || bcce_data.sample_pii(n)
                    WHEN final_status = 'failed' THEN 'step ' || 1 + n % 7 || ' of 7 failed with exit code ' || 1 + n % 3
                    WHEN final_status = 'timed_out' THEN 'no answer within 3600 seconds' END,
               CASE WHEN workflow_id = 'deploy' AND n % 3 = 0 THEN 'production' WHEN n % 2 = 0 THEN 'staging' ELSE 'development' END,
               CASE no WHEN 1 THEN 'eu-central-1' ELSE 'us-east-1' END,
               CASE WHEN workflow_id IN ('deploy', 'settle') THEN 'high' ELSE 'low' END,
               CASE WHEN n % 4 = 0 THEN 'github' ELSE 'sso' END,
               prefix || '-run-' || retry_of, 'sample', false,
               CASE WHEN final_status <> 'skipped' THEN bcce.estimate_cost('workflow_run', 1, at, tenant_id) END
        FROM made
        ON CONFLICT DO NOTHING RETURNING tenant_id
    )
    SELECT tenant_id, 'workflow_runs' FROM runs
$body$;
COMMENT ON FUNCTION bcce_data.sample_runs(text, bigint, timestamptz) IS 'sample data: runs; one row for each that was added';

CREATE OR REPLACE FUNCTION bcce_data.sample_incidents(prefix text, seed bigint, until timestamptz) RETURNS TABLE (tenant_id uuid, fact text)
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $body$
    WITH plan AS MATERIALIZED (
        SELECT t.tenant_id, t.no, t.no * 1000 + k AS n, k,
               until - make_interval(secs => floor(3600 * (30 + 2080 * bcce_data.sample_draw(seed, 30, t.no * 1000 + k)))) AS at,
               1 + floor(4 * sqrt(bcce_data.sample_draw(seed, 31, t.no * 1000 + k)))::integer AS level,
               round(60 * exp(3.6 + 1.1 * bcce_data.sample_normal(seed, 32, t.no * 1000 + k))) AS seconds,
               CASE t.no WHEN 1 THEN (ARRAY['api-gateway', 'guest-app', 'payments', 'search', 'reporting'])[1 + k % 5]
                         ELSE (ARRAY['checkout', 'inventory', 'notifications'])[1 + k % 3] END AS service_id,
               false AS is_open
        FROM bcce_data.sample_tenants() t CROSS JOIN LATERAL generate_series(1, CASE t.no WHEN 1 THEN 17 ELSE 9 END) AS k
        UNION ALL     -- still open: these make the dashboard's status
        SELECT t.tenant_id, t.no, t.no * 1000 + v.k, v.k, until - make_interval(mins => v.minutes), v.level, 0, v.service_id, true
        FROM bcce_data.sample_tenants() t
        JOIN (VALUES (1, 101, 22, 1, 'payments'), (1, 102, 4300, 3, 'search'), (2, 101, 190, 2, 'notifications')) AS v (no, k, minutes, level, service_id)
            ON v.no = t.no
    ), incidents AS (
        INSERT INTO bcce_data.incidents (tenant_id, incident_id, service_id, severity, priority, incident_type, title, status, opened_at,
            impact_started_at, detected_at, acknowledged_at, mitigated_at, recovered_at, resolved_at, closed_at, affected_resources, source, is_test)
        SELECT tenant_id, format('%s-inc-%s', prefix, n), service_id,
               CASE WHEN k <> 7 THEN 'sev' || level END, 'P' || level,
               (ARRAY['availability', 'latency', 'data', 'security'])[1 + k % 4],
               (ARRAY['Errors above limit', 'Slow answers', 'Data arrive late', 'Log-ins refused'])[1 + k % 4]
                   || CASE WHEN k % 3 = 0 THEN ': ' || bcce_data.sample_pii(n) ELSE '' END,
               CASE WHEN NOT is_open THEN CASE WHEN k % 4 = 0 THEN 'resolved' ELSE 'closed' END
                    WHEN level = 1 THEN 'acknowledged' ELSE 'open' END,
               at, CASE WHEN k % 5 <> 0 THEN at - make_interval(secs => 60 + 37 * (k % 9)) END, at - make_interval(secs => 20),
               CASE WHEN NOT is_open OR level = 1 THEN at + make_interval(secs => round(60 * exp(1.5 + 0.7 * bcce_data.sample_normal(seed, 33, n)))) END,
               CASE WHEN NOT is_open AND k % 2 = 0 AND k <> 8 THEN at + make_interval(secs => round(seconds * 0.7)) END,
               -- The eighth was only ever closed: the fallback of the recovery clock.
               CASE WHEN NOT is_open AND k <> 8 THEN at + make_interval(secs => seconds) END,
               CASE WHEN NOT is_open AND k <> 8 THEN at + make_interval(secs => seconds + 1800) END,
               CASE WHEN NOT is_open AND k % 4 <> 0 OR k = 8 THEN at + make_interval(secs => seconds + 86400) END,
               service_id || ', ' || 1 + k % 3 || ' hosts', 'sample', k = 9
        FROM plan
        ON CONFLICT DO NOTHING RETURNING tenant_id, incident_id
    ), impacts AS (
        INSERT INTO bcce_data.incident_impacts (tenant_id, incident_id, span)
        SELECT p.tenant_id, format('%s-inc-%s', prefix, p.n),
               tstzrange(p.at + make_interval(secs => part.starts * p.seconds), p.at + make_interval(secs => part.ends * p.seconds))
        FROM plan p CROSS JOIN (VALUES (0, 1), (3, 4.5)) AS part (starts, ends)
        WHERE p.k = 5 AND EXISTS (SELECT FROM incidents)     -- reopened: it hurt twice
        ON CONFLICT DO NOTHING RETURNING tenant_id
    ), events AS (
        INSERT INTO bcce_data.incident_events (tenant_id, incident_id, event_id, at, kind, response_action, actor_key)
        SELECT p.tenant_id, format('%s-inc-%s', prefix, p.n), md5(format('%s-%s-%s', prefix, p.n, e.k))::uuid,
               p.at + make_interval(secs => e.k * 120), e.kind, e.action || CASE WHEN p.k % 4 = 1 AND e.k = 2 THEN ', ' || bcce_data.sample_pii(p.n) ELSE '' END,
               format('user-%s@sample.example', 1 + p.k % 6)
        FROM plan p
        CROSS JOIN (VALUES (0, 'alert', 'paged the team on duty'), (1, 'comment', 'looked at the logs'), (2, 'action', 'rolled back')) AS e (k, kind, action)
        WHERE EXISTS (SELECT FROM incidents)
        ON CONFLICT DO NOTHING RETURNING tenant_id
    )
    SELECT tenant_id, 'incidents' FROM incidents
    UNION ALL SELECT tenant_id, 'incident_impacts' FROM impacts
    UNION ALL SELECT tenant_id, 'incident_events' FROM events
$body$;
COMMENT ON FUNCTION bcce_data.sample_incidents(text, bigint, timestamptz) IS 'sample data: incidents, when they hurt and what was done; one row for each that was added';

-- Samples every five minutes for the last 36 hours and every hour before.  The
-- last of them show a service down, one degraded and one gone silent.
CREATE OR REPLACE FUNCTION bcce_data.sample_metrics(prefix text, seed bigint, until timestamptz) RETURNS TABLE (tenant_id uuid, fact text)
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $body$
    WITH tick AS MATERIALIZED (
        SELECT t.tenant_id, t.no * 10000000 + v.nth * 100000 + g.i AS n, v.service_id, v.rps, v.ms, v.cpu, g.seconds,
               until - make_interval(secs => g.age) AS at, g.age,
               CASE WHEN extract(isodow FROM local.at) > 5 THEN v.weekend ELSE 1 END
                   * (1 + 0.8 * sin((extract(hour FROM local.at) + extract(minute FROM local.at) / 60.0 - 8) * pi() / 12)) AS load
        FROM bcce_data.sample_tenants() t
        JOIN (VALUES (1, 1, 'api-gateway', 14.0, 45, 38, 0.5), (1, 2, 'guest-app', 6.0, 160, 42, 1.3), (1, 3, 'payments', 1.2, 220, 22, 0.9),
                     (1, 4, 'search', 3.5, 90, 30, 1.1), (1, 5, 'reporting', 0.1, 600, 30, 0.2), (1, 6, 'old-portal', 0.4, 300, 20, 0.8),
                     (2, 1, 'checkout', 4.0, 120, 35, 1.2), (2, 2, 'inventory', 0.8, 70, 24, 0.6), (2, 3, 'notifications', 2.0, 60, 18, 0.7))
             AS v (no, nth, service_id, rps, ms, cpu, weekend) ON v.no = t.no
        CROSS JOIN LATERAL (
            SELECT i, 300 * i AS age, 300.0 AS seconds FROM generate_series(0, 431) AS i
            UNION ALL
            SELECT 1000 + i, 3600 * i, 3600 FROM generate_series(36, 2159) AS i
        ) g
        CROSS JOIN LATERAL (SELECT (until - make_interval(secs => g.age)) AT TIME ZONE t.zone AS at) local
        WHERE CASE v.service_id WHEN 'search' THEN g.age >= 3000 WHEN 'old-portal' THEN g.age >= 5184000 ELSE true END
    ), trouble AS MATERIALIZED (
        SELECT k.*, CASE WHEN k.service_id = 'payments' AND k.age < 1320 THEN 'down'
                         WHEN k.service_id = 'guest-app' AND k.age < 2700 THEN 'slow'
                         WHEN EXISTS (SELECT FROM bcce_data.incidents i
                                      WHERE i.tenant_id = k.tenant_id AND i.service_id = k.service_id AND i.source = 'sample' AND NOT i.is_test
                                        AND i.severity IN ('sev1', 'sev2') AND i.opened_at <= k.at AND i.recovered_at > k.at) THEN 'hurt'
                         ELSE 'no' END AS kind
        FROM tick k
    ), sample AS MATERIALIZED (
        SELECT r.*, round(r.rps * r.seconds * r.load * exp(0.15 * bcce_data.sample_normal(seed, 40, r.n)))::bigint AS requests,
               r.ms * (0.8 + 0.25 * r.load) * exp(0.18 * bcce_data.sample_normal(seed, 41, r.n))
                   * CASE r.kind WHEN 'slow' THEN 10 WHEN 'hurt' THEN 2.5 WHEN 'down' THEN 4 ELSE 1 END AS latency,
               CASE r.kind WHEN 'down' THEN 0.62 WHEN 'slow' THEN 0.03 WHEN 'hurt' THEN 0.18 ELSE 0.002 END
                   * exp(0.5 * bcce_data.sample_normal(seed, 42, r.n)) AS error_share
        FROM trouble r
    ), metrics AS (
        INSERT INTO bcce_data.performance_metrics (tenant_id, source, idempotency_key, observed_at, service_id, window_seconds, request_count,
            error_count, p50_latency_ms, p95_latency_ms, p99_latency_ms, throughput_rps, cpu_percent, memory_percent, storage_percent,
            network_percent, charged_usd, latency_digest)
        SELECT tenant_id, 'sample', format('%s-m-%s', prefix, n), at, service_id, seconds, requests,
               least(requests, round(requests * least(error_share, 0.95)))::bigint,
               round(latency::numeric, 1)::double precision, round((latency * 2.4)::numeric, 1)::double precision,
               round((latency * 4.1)::numeric, 1)::double precision, round((requests / seconds)::numeric, 3)::double precision,
               round(least(97, cpu * (0.6 + 0.4 * load) * exp(0.1 * bcce_data.sample_normal(seed, 43, n)) * CASE kind WHEN 'slow' THEN 2.6 ELSE 1 END)::numeric, 1)::double precision,
               round(least(95, 45 + 15 * bcce_data.sample_draw(seed, 44, n))::numeric, 1)::double precision,
               round((40 + 25 * (7776000 - age) / 7776000)::numeric, 1)::double precision,
               round(least(90, 8 * load + 4 * bcce_data.sample_draw(seed, 45, n))::numeric, 1)::double precision,
               bcce.estimate_cost('metric', 1, at, tenant_id),
               -- Twenty latencies stand for all: the 10th is the median, the 19th the 95th percentile, the last the 99th.
               (SELECT bcce.sketch_send(bcce.percentile_sketch(round((latency * spread)::numeric, 1)::double precision))
                FROM unnest(ARRAY[0.34, 0.42, 0.49, 0.55, 0.61, 0.68, 0.75, 0.82, 0.91, 1, 1.1, 1.2, 1.32, 1.45, 1.6, 1.78, 1.98, 2.16, 2.4, 4.1]) AS spread)
        FROM sample
        ON CONFLICT DO NOTHING RETURNING tenant_id
    )
    SELECT tenant_id, 'performance_metrics' FROM metrics
$body$;
COMMENT ON FUNCTION bcce_data.sample_metrics(text, bigint, timestamptz) IS 'sample data: samples of services; one row for each that was added';

-- A prediction sees a noisy signal of what will happen and answers with the
-- probability that follows from it by Bayes' rule: calibrated, not perfect.
CREATE OR REPLACE FUNCTION bcce_data.sample_predictions(prefix text, seed bigint, until timestamptz) RETURNS TABLE (tenant_id uuid, fact text)
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $body$
    WITH target AS MATERIALIZED (
        SELECT t.no, r.tenant_id, 'run' AS kind, r.run_id AS target_id, substring(r.run_id FROM '[0-9]+$')::bigint AS n, NULL::integer AS horizon,
               -- Some come after the start and do not count.
               r.started_at + make_interval(secs => CASE WHEN bcce_data.sample_draw(seed, 50, substring(r.run_id FROM '[0-9]+$')::bigint) < 0.01 THEN 20
                   ELSE -30 - floor(400 * bcce_data.sample_draw(seed, 51, substring(r.run_id FROM '[0-9]+$')::bigint)) END) AS at,
               CASE WHEN r.started_at < until - interval '720 hours' THEN '1.0' ELSE '1.1' END AS version,
               r.status IN ('failed', 'timed_out') AS fails
        FROM bcce_data.sample_tenants() t
        JOIN bcce_data.workflow_runs r ON r.tenant_id = t.tenant_id
        WHERE r.run_id LIKE prefix || '-run-%'
          AND bcce_data.sample_draw(seed, 52, substring(r.run_id FROM '[0-9]+$')::bigint) < 0.35
        UNION ALL
        SELECT t.no, t.tenant_id, 'service', s.service_id, 400000000 + t.no * 10000000 + g.i * 100 + s.nth, 14400,
               moment.at, '2026.1',
               EXISTS (SELECT FROM bcce_data.workflow_runs r WHERE r.tenant_id = t.tenant_id AND r.service_id = s.service_id
                         AND r.status IN ('failed', 'timed_out') AND r.started_at > moment.at AND r.started_at <= moment.at + interval '4 hours')
               OR EXISTS (SELECT FROM bcce_data.incidents i WHERE i.tenant_id = t.tenant_id AND i.service_id = s.service_id
                         AND i.opened_at > moment.at AND i.opened_at <= moment.at + interval '4 hours')
        FROM bcce_data.sample_tenants() t
        JOIN (VALUES (1, 1, 'api-gateway'), (1, 2, 'guest-app'), (1, 3, 'payments'), (2, 1, 'checkout'), (2, 2, 'inventory')) AS s (no, nth, service_id)
            ON s.no = t.no
        CROSS JOIN generate_series(0, 89 * 4) AS g (i)
        CROSS JOIN LATERAL (SELECT until - make_interval(mins => 55 + g.i * 360) AS at) moment
    ), rated AS MATERIALIZED (
        SELECT x.*, avg(CASE WHEN x.fails THEN 1.0 ELSE 0.0 END) OVER (PARTITION BY x.tenant_id, x.kind, x.version) AS base
        FROM target x
    ), answer AS MATERIALIZED (
        SELECT r.*, round((1 / (1 + (1 - r.base) / r.base * exp(0.72 - 1.2 *
                   (CASE WHEN r.fails THEN 1.2 ELSE 0 END + bcce_data.sample_normal(seed, 53, r.n)))))::numeric, 4)::double precision AS p,
               format('%s-pred-%s', prefix, r.n) AS prediction_id,
               CASE r.kind WHEN 'run' THEN 'run-risk' ELSE 'service-outlook' END AS model_name
        FROM rated r
        WHERE r.base > 0 AND r.base < 1
    ), models AS (
        -- Compared with its first two weeks.
        INSERT INTO bcce_data.models (tenant_id, model_name, model_version, threshold, reference_from, reference_to)
        SELECT tenant_id, model_name, version, 0.2, min(at), min(at) + interval '336 hours' FROM answer
        GROUP BY tenant_id, model_name, version
        ON CONFLICT DO NOTHING RETURNING tenant_id
    ), keys AS (
        INSERT INTO bcce_data.prediction_keys (tenant_id, prediction_id, predicted_at)
        SELECT tenant_id, prediction_id, at FROM answer
        ON CONFLICT DO NOTHING
    ), predictions AS (
        INSERT INTO bcce_data.predictions (tenant_id, prediction_id, predicted_at, model_name, model_version, target_kind, target_id,
            horizon_seconds, failure_probability, source, charged_usd)
        SELECT tenant_id, prediction_id, at, model_name, version, kind, target_id, horizon, p, 'sample',
               bcce.estimate_cost('prediction', 1, at, tenant_id)
        FROM answer
        ON CONFLICT DO NOTHING RETURNING tenant_id
    )
    SELECT tenant_id, 'models' FROM models UNION ALL SELECT tenant_id, 'predictions' FROM predictions
$body$;
COMMENT ON FUNCTION bcce_data.sample_predictions(text, bigint, timestamptz) IS 'sample data: models and their predictions; one row for each that was added';

CREATE OR REPLACE FUNCTION bcce_data.sample_model_usage(prefix text, seed bigint, until timestamptz) RETURNS TABLE (tenant_id uuid, fact text)
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $body$
    WITH slot AS MATERIALIZED (
        SELECT t.tenant_id, t.no, t.slug, t.users, t.zone, d, (until AT TIME ZONE t.zone)::date - d::integer AS day,
               t.no * 10000000 + d * 1000 + i AS n
        FROM bcce_data.sample_tenants() t
        CROSS JOIN generate_series(0::bigint, 90) AS d
        CROSS JOIN LATERAL generate_series(1, (0.6 * t.runs_a_day * (1.2 - d / 200.0)
            * CASE WHEN extract(isodow FROM (until AT TIME ZONE t.zone)::date - d::integer) > 5 THEN 0.15 ELSE 1 END)::integer) AS i
    ), start AS MATERIALIZED (
        SELECT s.*, bcce_data.sample_moment(seed, 60, s.n, s.day, s.zone) AS at, bcce_data.sample_draw(seed, 67, s.n) AS pick
        FROM slot s
    ), call AS MATERIALIZED (
        SELECT s.*, m.model_id,
               round(exp(8.2 + 0.9 * bcce_data.sample_normal(seed, 63, s.n)))::bigint AS input_tokens,
               round(exp(6.1 + 0.8 * bcce_data.sample_normal(seed, 64, s.n)))::bigint AS output_tokens,
               CASE WHEN s.n % 3 <> 0 THEN round(exp(9.4 + 0.7 * bcce_data.sample_normal(seed, 65, s.n)))::bigint END AS cache_read_tokens,
               CASE WHEN s.n % 8 = 1 THEN round(exp(7.9 + 0.5 * bcce_data.sample_normal(seed, 82, s.n)))::bigint END AS cache_write_5m_tokens,
               CASE WHEN s.n % 8 = 5 THEN round(exp(7.9 + 0.5 * bcce_data.sample_normal(seed, 82, s.n)))::bigint END AS cache_write_1h_tokens,
               bcce_data.sample_draw(seed, 83, s.n) AS place,
               bcce_data.sample_draw(seed, 66, s.n) AS known
        FROM start s
        -- The last one is in no price list.
        JOIN (VALUES (0, 0.6, 'claude-sonnet-5'), (0.6, 0.89, 'claude-haiku-4-5'), (0.89, 0.985, 'claude-opus-5'), (0.985, 1.1, 'house-model-1'))
             AS m (from_x, to_x, model_id) ON s.pick >= m.from_x AND s.pick < m.to_x
        WHERE s.at >= until - interval '2160 hours' AND s.at < until
    ), told AS MATERIALIZED (
        SELECT c.*,
               -- Some senders tell no tokens.
               CASE WHEN c.known < 0.98 THEN bcce.estimate_token_cost(c.model_id, c.at, c.input_tokens, c.output_tokens, c.cache_read_tokens,
                   c.cache_write_5m_tokens, c.cache_write_1h_tokens, tenant => c.tenant_id) END AS usd
        FROM call c
    ), usage AS (
        INSERT INTO bcce_data.model_usage (tenant_id, source, idempotency_key, at, model_id, provider, region, user_key, session_id, run_id, project,
            input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, latency_ms, reported_cost_usd, charged_usd, priced_at)
        SELECT tenant_id, 'sample', format('%s-usage-%s', prefix, n), at, model_id, 'bedrock', CASE no WHEN 1 THEN 'eu-central-1' ELSE 'us-east-1' END,
               format('user-%s@%s.example', 1 + floor(bcce_data.sample_draw(seed, 68, n) ^ 1.4 * users * least(1, 0.5 + (90 - d) / 120.0)), slug),
               format('%s-%s-%s', prefix, d, 1 + floor(9 * bcce_data.sample_draw(seed, 69, n))),
               (SELECT k.run_id FROM bcce_data.workflow_run_keys k WHERE k.tenant_id = told.tenant_id AND k.run_id = format('%s-run-%s', prefix, n) AND n % 5 <> 0),
               (ARRAY['guest-app', 'payments-api', 'data-platform', 'website'])[1 + floor(4.5 * place ^ 1.5)::integer],
               CASE WHEN known < 0.98 THEN input_tokens END, CASE WHEN known < 0.98 THEN output_tokens END, CASE WHEN known < 0.98 THEN cache_read_tokens END,
               CASE WHEN known < 0.98 THEN cache_write_5m_tokens END, CASE WHEN known < 0.98 THEN cache_write_1h_tokens END, round(400 + 14 * output_tokens),
               -- Some tell what they paid.
               CASE WHEN known < 0.1 THEN round(usd, 6) END, usd, CASE WHEN usd IS NOT NULL THEN now() END
        FROM told
        ON CONFLICT DO NOTHING RETURNING tenant_id
    )
    SELECT tenant_id, 'model_usage' FROM usage
$body$;
COMMENT ON FUNCTION bcce_data.sample_model_usage(text, bigint, timestamptz) IS 'sample data: model calls; one row for each that was added';

CREATE OR REPLACE FUNCTION bcce_data.sample_events(prefix text, seed bigint, until timestamptz, guests bigint, sessions bigint, events bigint)
RETURNS TABLE (tenant_id uuid, fact text)
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $body$
    WITH session AS MATERIALIZED (
        SELECT s, CASE WHEN s < guests THEN s ELSE floor(bcce_data.sample_draw(seed, 70, s) ^ 1.8 * guests)::bigint END AS guest,
               floor(91 * bcce_data.sample_draw(seed, 71, s))::integer AS day, floor(91 * bcce_data.sample_draw(seed, 72, s))::integer AS other_day
        FROM generate_series(0, sessions - 1) AS s
    ), visit AS MATERIALIZED (
        -- Guests come more at weekends: a weekday gives way to a second try.
        SELECT v.*, t.tenant_id, t.no,
               bcce_data.sample_moment(seed, 73, v.s, today.local - CASE
                   WHEN extract(isodow FROM today.local - v.day) <= 4 THEN v.other_day ELSE v.day END, t.zone) AS at
        FROM session v
        JOIN bcce_data.sample_tenants() t ON t.no = CASE WHEN bcce_data.sample_draw(seed, 76, v.guest) < 0.6 THEN 1 ELSE 2 END
        CROSS JOIN LATERAL (SELECT (until AT TIME ZONE t.zone)::date AS local) today
    ), event AS MATERIALIZED (
        SELECT e, v.s, v.guest, v.tenant_id, v.no, bcce_data.sample_draw(seed, 77, e) AS x,
               v.at - make_interval(hours => CASE WHEN v.at > until - interval '1 hour' THEN 24 ELSE 0 END
                                           - CASE WHEN v.at < until - interval '2160 hours' THEN 24 ELSE 0 END)
               + make_interval(secs => CASE WHEN e < sessions THEN 0 ELSE floor(least(3500, exp(5.6 + 1.1 * bcce_data.sample_normal(seed, 78, e)))) END) AS at
        FROM generate_series(0, events - 1) AS e
        JOIN visit v ON v.s = CASE WHEN e < sessions THEN e ELSE floor(bcce_data.sample_draw(seed, 79, e) * sessions)::bigint END
    ), stored AS (
        INSERT INTO bcce_data.events (tenant_id, source, idempotency_key, occurred_at, event_type, guest_key, guest_type, session_id,
            service_id, ip_prefix, user_agent_family, properties)
        SELECT tenant_id, 'sample', format('%s-event-%s', prefix, e), at,
               CASE WHEN x < 0.45 THEN 'page_view' WHEN x < 0.6 THEN 'search' WHEN x < 0.72 THEN 'faq_view' WHEN x < 0.85 THEN 'chat_session' ELSE 'service_interaction' END,
               format('guest-%s', guest), (ARRAY['business', 'leisure', 'family'])[1 + guest % 3], format('%s-visit-%s', prefix, s),
               CASE WHEN x >= 0.85 THEN CASE no WHEN 1 THEN 'guest-app' ELSE 'checkout' END END,
               CASE guest % 4 WHEN 0 THEN format('2001:db8:%s:1::%s', guest % 9000, 1 + e % 90)
                              ELSE format('%s.%s', (ARRAY['192.0.2', '198.51.100', '203.0.113'])[guest % 4], 1 + guest % 250) END::inet,
               (ARRAY['Chrome', 'Safari', 'Firefox', 'Edge'])[1 + guest % 4],
               CASE WHEN x < 0.45 THEN jsonb_build_object('path', (ARRAY['/rooms', '/offers', '/spa', '/checkout'])[1 + e % 4])
                    WHEN x < 0.6 THEN jsonb_build_object('query', (ARRAY['late check-out', 'parking', 'breakfast', 'airport shuttle'])[1 + e % 4], 'results', e % 12)
                    WHEN x < 0.72 THEN jsonb_build_object('topic', (ARRAY['wifi', 'pets', 'pool'])[1 + e % 3])
                    WHEN x < 0.85 THEN jsonb_build_object('message', CASE WHEN e % 4 = 0 THEN 'please help, ' || bcce_data.sample_pii(e / 4) ELSE 'when is breakfast?' END,
                                                          'seconds', floor(30 + 600 * bcce_data.sample_draw(seed, 80, e) ^ 2))
                    ELSE jsonb_build_object('service', (ARRAY['housekeeping', 'room_service', 'concierge'])[1 + e % 3], 'rating', 1 + floor(5 * sqrt(bcce_data.sample_draw(seed, 81, e)))) END
        FROM event
        ON CONFLICT DO NOTHING RETURNING tenant_id
    )
    SELECT tenant_id, 'events' FROM stored
$body$;
COMMENT ON FUNCTION bcce_data.sample_events(text, bigint, timestamptz, bigint, bigint, bigint) IS 'sample data: guest events; one row for each that was added';

CREATE OR REPLACE FUNCTION bcce.generate_sample_data(
    guests integer DEFAULT 100, sessions integer DEFAULT 500, events integer DEFAULT 5000, seed integer DEFAULT 42,
    ending_at timestamptz DEFAULT now())
RETURNS TABLE (tenant text, fact text, row_count bigint)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET jit = off SET client_min_messages = warning AS $body$
DECLARE
    until timestamptz := date_trunc('minute', ending_at, 'UTC');
    set_id text;
    prefix text;
    event_prefix text;
    parent regclass;
BEGIN
    IF guests IS NULL OR sessions IS NULL OR events IS NULL OR seed IS NULL OR ending_at IS NULL
       OR guests NOT BETWEEN 1 AND 1000000 OR sessions NOT BETWEEN 1 AND 10000000 OR events NOT BETWEEN 0 AND 100000000 THEN
        PERFORM bcce.raise_error('22023', 'sample data need 1 to 1,000,000 guests, 1 to 10,000,000 sessions and 0 to 100,000,000 events', NULL,
            'Leave arguments out to get 100 guests, 500 sessions and 5,000 events.');
    END IF;
    IF NOT ending_at BETWEEN '1971-01-01 00:00:00+00' AND '2200-01-01 00:00:00+00' THEN
        PERFORM bcce.raise_error('22008', 'sample data end between the years 1971 and 2199', NULL, 'Leave ending_at out to end now.');
    END IF;
    -- Ids name the arguments: the same call adds nothing, another adds its own.
    set_id := to_hex(extract(epoch FROM until)::bigint / 60);
    prefix := format('s%s-%s', seed, set_id);
    event_prefix := format('%s-%s-%s-%s', prefix, guests, sessions, events);

    IF NOT EXISTS (SELECT FROM bcce_data.tenants t WHERE t.slug = 'sample-acme') THEN
        PERFORM bcce.create_tenant('sample-acme', 'Acme Corp (sample)', NULL, 'Europe/Berlin');
    END IF;
    IF NOT EXISTS (SELECT FROM bcce_data.tenants t WHERE t.slug = 'sample-beta') THEN
        PERFORM bcce.create_tenant('sample-beta', 'Beta Inc (sample)', NULL, 'America/New_York');
    END IF;
    FOREACH parent IN ARRAY ARRAY['bcce_data.workflow_runs', 'bcce_data.performance_metrics', 'bcce_data.predictions',
                                  'bcce_data.model_usage', 'bcce_data.events']::regclass[]
    LOOP
        PERFORM bcce_data.make_partition(parent, until - make_interval(hours => 720 * n)) FROM generate_series(0, 3) AS n;
    END LOOP;

    RETURN QUERY
    WITH added AS (
        SELECT * FROM bcce_data.sample_dimensions(prefix, seed, until)
    )
    SELECT t.slug, a.fact, count(*) FROM added a JOIN bcce_data.sample_tenants() t ON t.tenant_id = a.tenant_id GROUP BY 1, 2 ORDER BY 1, 2;
    -- Runs and incidents first: metrics and predictions look at them.
    RETURN QUERY SELECT t.slug, a.fact, count(*) FROM bcce_data.sample_runs(prefix, seed, until) a
        JOIN bcce_data.sample_tenants() t ON t.tenant_id = a.tenant_id GROUP BY 1, 2 ORDER BY 1, 2;
    RETURN QUERY SELECT t.slug, a.fact, count(*) FROM bcce_data.sample_incidents(prefix, seed, until) a
        JOIN bcce_data.sample_tenants() t ON t.tenant_id = a.tenant_id GROUP BY 1, 2 ORDER BY 1, 2;
    RETURN QUERY SELECT t.slug, a.fact, count(*) FROM bcce_data.sample_metrics(prefix, seed, until) a
        JOIN bcce_data.sample_tenants() t ON t.tenant_id = a.tenant_id GROUP BY 1, 2 ORDER BY 1, 2;
    RETURN QUERY SELECT t.slug, a.fact, count(*) FROM bcce_data.sample_predictions(prefix, seed, until) a
        JOIN bcce_data.sample_tenants() t ON t.tenant_id = a.tenant_id GROUP BY 1, 2 ORDER BY 1, 2;
    RETURN QUERY SELECT t.slug, a.fact, count(*) FROM bcce_data.sample_model_usage(prefix, seed, until) a
        JOIN bcce_data.sample_tenants() t ON t.tenant_id = a.tenant_id GROUP BY 1, 2 ORDER BY 1, 2;
    RETURN QUERY SELECT t.slug, a.fact, count(*) FROM bcce_data.sample_events(event_prefix, seed, until, guests, sessions, events) a
        JOIN bcce_data.sample_tenants() t ON t.tenant_id = a.tenant_id GROUP BY 1, 2 ORDER BY 1, 2;
END
$body$;
COMMENT ON FUNCTION bcce.generate_sample_data(integer, integer, integer, integer, timestamptz) IS
'Fills two tenants, sample-acme (Europe/Berlin) and sample-beta (America/New_York), with 90 days that end at ending_at (cut to the minute): runs, incidents, service samples, predictions, model calls, and exactly so many guest events. The same arguments always give the same rows, and a second call with them adds nothing; other arguments add their own. Personal data and secrets are planted in the free text and redacted on the way in. Returns how many rows were added. For a superuser. Errors: 22023 a count out of range, 22008 time out of range.';
