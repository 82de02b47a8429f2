-- Proves which incidents mttr_analysis counts, what their recovery time is, and
-- that a window reads as it was at its end.
SET timezone = 'UTC';
SET bcce.test_now = '2015-01-31 12:00:00+00';
SELECT count(bcce.create_tenant('mttr-' || name, 'Mttr ' || name)) AS tenants
FROM unnest(ARRAY['decl', 'runs', 'both', 'idle', 'odd']) AS name;
CREATE FUNCTION pg_temp.tenant(name text) RETURNS uuid LANGUAGE sql STABLE AS
$$SELECT tenant_id FROM bcce_data.tenants WHERE slug = 'mttr-' || name$$;
CREATE FUNCTION pg_temp.mttr(name text, since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL,
    OUT basis text, OUT n bigint, OUT avg numeric, OUT median numeric, OUT p95 numeric, OUT recovered bigint, OUT open bigint,
    OUT invalid bigint, OUT fallback bigint, OUT derived bigint, OUT oldest numeric)
LANGUAGE sql STABLE AS
$$SELECT mttr_basis, incident_count, round(avg_mttr_minutes::numeric, 3), round(median_mttr_minutes::numeric, 3),
         round(p95_mttr_minutes::numeric, 3), recovered_count, open_count, invalid_count, fallback_count, derived_count,
         round(oldest_open_minutes::numeric, 3)
  FROM bcce.mttr_analysis(since, until) WHERE tenant_name = 'Mttr ' || name$$;

-- Recoveries of 10, 20, 30, 600 minutes and three still open.
INSERT INTO bcce_data.incidents (tenant_id, incident_id, service_id, opened_at, recovered_at)
SELECT pg_temp.tenant('decl'), 'i' || minutes, 's', '2015-01-30 00:00:00+00',
       CASE WHEN minutes <= 600 THEN '2015-01-30 00:00:00+00'::timestamptz + minutes * interval '1 minute' END
FROM unnest(ARRAY[10, 20, 30, 600, 700, 800, 900]) AS minutes;
-- A failed job of a tenant that declares incidents is none of its incidents.
INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, workflow_id, status, started_at, finished_at)
VALUES (pg_temp.tenant('decl'), 'r', 'w', 'failed', '2015-01-29', '2015-01-29');
SELECT * FROM pg_temp.mttr('decl');
SELECT * FROM pg_temp.mttr('idle');
-- At 00:25 only two had recovered.  The incidents are those of the window's start of impact.
SELECT * FROM pg_temp.mttr('decl', '2015-01-30', '2015-01-30 00:25:00+00');
SELECT n, avg, open FROM pg_temp.mttr('decl', '2015-01-30 00:00:01+00', NULL);
SELECT n, avg, open FROM pg_temp.mttr('decl', NULL, '2015-01-30 00:00:00+00');
-- Recovered at the very end of the window is recovered.
SELECT recovered FROM pg_temp.mttr('decl', NULL, '2015-01-30 00:10:00+00');

-- Which clocks count, one incident a day: impact before detection before opening;
-- recovery before mitigation before resolution; closing only where nothing else is known.
INSERT INTO bcce_data.incidents (tenant_id, incident_id, opened_at, impact_started_at, detected_at, acknowledged_at, mitigated_at,
    recovered_at, resolved_at, closed_at, merged_into, is_test)
SELECT pg_temp.tenant('odd'), id, opened_at::timestamptz, impact_at::timestamptz, detected_at::timestamptz, acknowledged_at::timestamptz,
       mitigated_at::timestamptz, recovered_at::timestamptz, resolved_at::timestamptz, closed_at::timestamptz, merged_into, is_test
FROM (VALUES
    ('all', '2015-01-01 10:20', '2015-01-01 10:00', '2015-01-01 10:10', '2015-01-01 10:25', '2015-01-01 10:40', '2015-01-01 11:00', '2015-01-01 12:00', '2015-01-01 20:00', NULL, false),
    ('mitigated', '2015-01-02 10:20', NULL, '2015-01-02 10:10', NULL, '2015-01-02 10:40', NULL, '2015-01-02 12:00', '2015-01-02 20:00', NULL, false),
    ('resolved', '2015-01-03 10:20', NULL, NULL, '2015-01-03 10:15', NULL, NULL, '2015-01-03 12:00', '2015-01-03 20:00', NULL, false),
    ('closed', '2015-01-04 10:20', NULL, NULL, NULL, NULL, NULL, NULL, '2015-01-04 20:20', NULL, false),
    ('zero', '2015-01-05 10:00', NULL, NULL, NULL, NULL, '2015-01-05 10:00', NULL, NULL, NULL, false),
    ('negative', '2015-01-06 10:00', NULL, NULL, NULL, NULL, '2015-01-06 09:00', '2015-01-06 11:00', NULL, NULL, false),
    ('ahead', '2015-01-31 11:00', NULL, NULL, NULL, NULL, '2015-01-31 12:05', NULL, NULL, NULL, false),
    ('skewed', '2015-01-31 11:00', NULL, NULL, NULL, NULL, '2015-01-31 12:05:01', NULL, NULL, NULL, false),
    ('merged', '2015-01-07 10:00', NULL, NULL, NULL, NULL, '2015-01-07 11:00', NULL, NULL, 'all', false),
    ('test', '2015-01-07 10:00', NULL, NULL, NULL, NULL, '2015-01-07 11:00', NULL, NULL, NULL, true)
) AS i (id, opened_at, impact_at, detected_at, acknowledged_at, mitigated_at, recovered_at, resolved_at, closed_at, merged_into, is_test);
SELECT to_char(day, 'DD') AS day, m.n, m.avg, m.recovered, m.open, m.invalid, m.fallback
FROM generate_series('2015-01-01 00:00+00'::timestamptz, '2015-01-07', interval '1 day') AS day
CROSS JOIN LATERAL pg_temp.mttr('odd', day, day + interval '1 day') m ORDER BY 1;
-- With an open end five minutes ahead is recovered, later is invalid; with the window's end now, the former is open.
SELECT n, avg, recovered, open, invalid FROM pg_temp.mttr('odd', '2015-01-31', NULL);
SELECT n, avg, recovered, open, invalid, oldest FROM pg_temp.mttr('odd', '2015-01-31', '2015-01-31 12:00:00+00');
-- Skew is judged against now, not against the window's end: both are invalid or open there alike.
SELECT n, recovered, open, invalid FROM pg_temp.mttr('odd', '2015-01-31', '2015-01-31 11:30:00+00');
SELECT n = recovered + open + invalid AS adds_up, n FROM pg_temp.mttr('odd');
SELECT round(mtta_minutes::numeric, 3) AS mtta, round(mttd_minutes::numeric, 3) AS mttd
FROM bcce.mttr_analysis WHERE tenant_name = 'Mttr odd';

-- A reopened incident: [0, 60) and [30, 90) and [120, 150) minutes are 120 minutes of impact.
INSERT INTO bcce_data.incidents (tenant_id, incident_id, opened_at, recovered_at)
VALUES (pg_temp.tenant('odd'), 'reopened', '2015-01-08', '2015-01-08 02:30');
INSERT INTO bcce_data.incident_impacts (tenant_id, incident_id, span)
SELECT pg_temp.tenant('odd'), 'reopened', span::tstzrange
FROM unnest(ARRAY['[2015-01-08 00:00,2015-01-08 01:00)', '[2015-01-08 00:30,2015-01-08 01:30)', '[2015-01-08 02:00,2015-01-08 02:30)']) AS span;
SELECT n, avg, recovered FROM pg_temp.mttr('odd', '2015-01-08', '2015-01-09');
SELECT n, avg, recovered, open, oldest FROM pg_temp.mttr('odd', '2015-01-08', '2015-01-08 02:10:00+00');
-- Between two impacts only the first is known.
SELECT n, avg, recovered, open FROM pg_temp.mttr('odd', '2015-01-08', '2015-01-08 01:45:00+00');
-- Four days watched less two hours of impact (by union) are 94 hours for three impacts; a day without impact is 100 %.
SELECT mtbf_hours, availability_percent FROM bcce.mttr_analysis('2015-01-08', '2015-01-12') WHERE tenant_name = 'Mttr odd';
SELECT mtbf_hours, availability_percent FROM bcce.mttr_analysis('2015-01-12', '2015-01-13') WHERE tenant_name = 'Mttr odd';
-- An incident that began earlier still takes its part of the window.
SELECT mtbf_hours, availability_percent FROM bcce.mttr_analysis('2015-01-08 01:00:00+00', '2015-01-08 02:00:00+00') WHERE tenant_name = 'Mttr odd';
SELECT mtbf_hours, availability_percent FROM bcce.mttr_analysis WHERE tenant_name IN ('Mttr idle', 'Mttr runs');

-- Derived episodes: two workflows; F F S, then F (open); cancelled neither opens nor closes.
INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, workflow_id, service_id, status, started_at, finished_at, is_test)
SELECT pg_temp.tenant(tenant), id, workflow, service, status, started_at::timestamptz, finished_at::timestamptz, is_test
FROM (VALUES
    ('a1', 'a', 's', 'succeeded', '2015-01-10 00:00', '2015-01-10 00:10', false),
    ('a2', 'a', 's', 'failed', '2015-01-10 01:00', '2015-01-10 01:10', false),
    ('a3', 'a', 's', 'cancelled', '2015-01-10 02:00', '2015-01-10 02:10', false),
    ('a4', 'a', 's', 'timed_out', '2015-01-10 03:00', '2015-01-10 03:10', false),
    ('a5', 'a', 's', 'succeeded', '2015-01-10 03:30', '2015-01-10 03:40', true),
    ('a6', 'a', 's', 'succeeded', '2015-01-10 04:00', '2015-01-10 04:10', false),
    ('a7', 'a', 's', 'succeeded', '2015-01-10 05:00', '2015-01-10 05:10', false),
    ('b1', 'b', NULL, 'failed', '2015-01-11 00:00', '2015-01-11 00:30', false),
    ('b2', 'b', NULL, 'running', '2015-01-11 01:00', NULL, false),
    ('b3', 'b', NULL, 'cancelled', '2015-01-11 02:00', '2015-01-11 02:30', false)
) AS r (id, workflow, service, status, started_at, finished_at, is_test)
CROSS JOIN unnest(ARRAY['runs', 'both']) AS tenant;
SELECT * FROM pg_temp.mttr('runs');
-- Episodes form over all history: one that began before the window is not of the window.
SELECT n, derived FROM pg_temp.mttr('runs', '2015-01-10 02:00:00+00', '2015-01-10 05:00:00+00');
SELECT n, avg, open, oldest FROM pg_temp.mttr('runs', NULL, '2015-01-10 04:00:00+00');
SELECT n, avg, open FROM pg_temp.mttr('runs', NULL, '2015-01-10 01:05:00+00');
-- Equal ends are ordered by start, then id.
INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, workflow_id, status, started_at, finished_at)
SELECT pg_temp.tenant('runs'), id, 'c', status, started_at::timestamptz, '2015-01-20 01:00'
FROM (VALUES ('c2', 'failed', '2015-01-20 00:10'), ('c1', 'succeeded', '2015-01-20 00:20'), ('c3', 'failed', '2015-01-20 00:20'), ('c4', 'succeeded', '2015-01-20 00:20')) AS r (id, status, started_at);
SELECT n, avg, recovered, open FROM pg_temp.mttr('runs', '2015-01-20', NULL);

-- Auto looks at all incidents, also outside of the window; a test incident is none.
INSERT INTO bcce_data.incidents (tenant_id, incident_id, service_id, opened_at, recovered_at, is_test)
VALUES (pg_temp.tenant('runs'), 'test', 's', '2015-01-10', '2015-01-11', true),
       (pg_temp.tenant('both'), 'i', 's', '2015-01-10 04:00', '2015-01-10 06:00', false);
SELECT basis FROM pg_temp.mttr('runs');
SELECT basis, n FROM pg_temp.mttr('both', '2015-01-15', NULL);
-- Both: the episode of service s overlaps its incident and belongs to it; the other has no service.
UPDATE bcce_data.tenants SET mttr_source = 'both' WHERE tenant_id = pg_temp.tenant('both');
SELECT * FROM pg_temp.mttr('both');
-- Touching is not overlapping; before the incident began, the episode stands alone.
UPDATE bcce_data.incidents SET opened_at = '2015-01-10 04:10' WHERE tenant_id = pg_temp.tenant('both');
SELECT n, avg, derived FROM pg_temp.mttr('both');
UPDATE bcce_data.incidents SET opened_at = '2015-01-10 04:00' WHERE tenant_id = pg_temp.tenant('both');
SELECT n, open, derived FROM pg_temp.mttr('both', NULL, '2015-01-10 04:00:00+00');
-- The workflow's service counts where the run names none.
INSERT INTO bcce_data.workflows (tenant_id, workflow_id, name, service_id) VALUES (pg_temp.tenant('both'), 'b', 'B', 's');
UPDATE bcce_data.incidents SET recovered_at = '2015-01-11 00:31' WHERE tenant_id = pg_temp.tenant('both');
SELECT n, avg, derived FROM pg_temp.mttr('both');
UPDATE bcce_data.tenants SET mttr_source = 'derived' WHERE tenant_id = pg_temp.tenant('both');
SELECT basis, n, derived FROM pg_temp.mttr('both');

-- By severity, service and basis: an episode has no severity; the parts add up to the whole.
UPDATE bcce_data.incidents SET severity = 'sev2' WHERE tenant_id = pg_temp.tenant('decl') AND incident_id IN ('i10', 'i700');
UPDATE bcce_data.incidents SET service_id = NULL WHERE tenant_id = pg_temp.tenant('decl') AND incident_id = 'i20';
INSERT INTO bcce_data.services (tenant_id, service_id, service_name) VALUES (pg_temp.tenant('decl'), 's', 'Shop');
UPDATE bcce_data.tenants SET mttr_source = 'both' WHERE tenant_id = pg_temp.tenant('both');
SELECT tenant_name AS tenant, severity, service_id AS service, service_name AS name, mttr_basis AS basis, incident_count AS n, avg_mttr_minutes AS avg, median_mttr_minutes AS median,
       round(p95_mttr_minutes::numeric, 3) AS p95, recovered_count AS recovered, open_count AS open, derived_count AS derived, round(oldest_open_minutes::numeric, 3) AS oldest
FROM bcce.mttr_breakdown WHERE tenant_name IN ('Mttr decl', 'Mttr both', 'Mttr runs', 'Mttr idle') ORDER BY tenant_name, severity, service_id, mttr_basis;
SELECT severity, service_id AS service, incident_count AS n, avg_mttr_minutes AS avg, open_count AS open, oldest_open_minutes AS oldest
FROM bcce.mttr_breakdown('2015-01-30', '2015-01-30 00:25:00+00') WHERE tenant_name = 'Mttr decl' ORDER BY severity, service_id;
SELECT count(*) AS tenants_that_differ
FROM bcce.mttr_analysis m
LEFT JOIN (SELECT tenant_id, sum(incident_count) AS n, sum(recovered_count) AS recovered, sum(open_count) AS open, sum(invalid_count) AS invalid,
                  sum(fallback_count) AS fallback, sum(derived_count) AS derived, max(oldest_open_minutes) AS oldest
           FROM bcce.mttr_breakdown GROUP BY tenant_id) b ON b.tenant_id = m.tenant_id
WHERE (m.incident_count, m.recovered_count, m.open_count, m.invalid_count, m.fallback_count, m.derived_count, m.oldest_open_minutes)
      IS DISTINCT FROM (coalesce(b.n, 0), coalesce(b.recovered, 0), coalesce(b.open, 0), coalesce(b.invalid, 0), coalesce(b.fallback, 0), coalesce(b.derived, 0), b.oldest);

-- Availability and the time between failures by severity and service: 60 hours are observed, and what is open has hurt for
-- 36 of them: 24 hours are left for two impacts, or for four.  Of the 100 minutes before 01:40 it hurt in all.
SELECT severity, service_id AS service, mttr_basis AS basis, round(mtbf_hours::numeric, 3) AS mtbf, availability_percent AS available
FROM bcce.mttr_breakdown WHERE tenant_name IN ('Mttr decl', 'Mttr both', 'Mttr runs') ORDER BY tenant_name, severity, service_id, mttr_basis;
SELECT severity, service_id AS service, round(mtbf_hours::numeric, 3) AS mtbf, availability_percent AS available
FROM bcce.mttr_breakdown('2015-01-30', '2015-01-30 01:40:00+00') WHERE tenant_name = 'Mttr decl' ORDER BY severity, service_id;
-- Where there is one severity and service, they are the tenant's.
SELECT count(*) AS tenants, count(*) FILTER (WHERE (b.mtbf_hours, b.availability_percent) IS DISTINCT FROM (m.mtbf_hours, m.availability_percent)) AS differ
FROM bcce.mttr_analysis('2015-01-08', '2015-01-12') m JOIN bcce.mttr_breakdown('2015-01-08', '2015-01-12') b USING (tenant_id)
WHERE m.tenant_name = 'Mttr odd';

-- With what is still open.  The seven above began at once, so the open ones are 36 hours old.
CREATE FUNCTION pg_temp.km(name text, since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL,
    OUT median numeric, OUT incl_open numeric, OUT p95_incl_open numeric, OUT mtta numeric, OUT mtta_incl_open numeric, OUT warning boolean)
LANGUAGE sql STABLE AS
$$SELECT round(median_mttr_minutes::numeric, 3), round(median_mttr_incl_open_minutes::numeric, 3), round(p95_mttr_incl_open_minutes::numeric, 3),
         round(mtta_minutes::numeric, 3), round(mtta_incl_open_minutes::numeric, 3), censoring_warning
  FROM bcce.mttr_analysis(since, until) WHERE tenant_name = 'Mttr ' || name$$;
SELECT (pg_temp.km(name)).* FROM unnest(ARRAY['decl', 'idle', 'runs']) AS name;
-- At 00:25 two of seven had recovered: not known.  A window with nothing open does not warn, wherever the medians differ.
SELECT * FROM pg_temp.km('decl', '2015-01-30', '2015-01-30 00:25:00+00');
SELECT * FROM pg_temp.km('odd', '2015-01-01', '2015-01-05');
-- Open with impacts: at 02:10 the reopened incident had hurt for 100 minutes, not for 130; at 01:45 it was over after 90.
SELECT state, impact_minutes, open_minutes FROM bcce_data.mttr_incidents('2015-01-08', '2015-01-08 02:10:00+00') i
JOIN bcce_data.declared_incidents('2015-01-08 02:10:00+00') d USING (tenant_id, incident_id, state, open_minutes) WHERE tenant_id = pg_temp.tenant('odd');
SELECT state, impact_minutes, open_minutes FROM bcce_data.declared_incidents('2015-01-08 01:45:00+00') d WHERE tenant_id = pg_temp.tenant('odd') AND incident_id = 'reopened';
-- An impact that ends at infinity is open, one that began at minus infinity is invalid; neither breaks the report.
INSERT INTO bcce_data.incidents (tenant_id, incident_id, opened_at) SELECT pg_temp.tenant('odd'), id, '2015-01-13' FROM unnest(ARRAY['forever', 'since ever', 'to come']) AS id;
INSERT INTO bcce_data.incident_impacts (tenant_id, incident_id, span)
VALUES (pg_temp.tenant('odd'), 'forever', '[2015-01-13,infinity)'), (pg_temp.tenant('odd'), 'since ever', '[-infinity,2015-01-13)'),
       (pg_temp.tenant('odd'), 'forever', '[2015-01-12,2015-01-12 12:00)'), (pg_temp.tenant('odd'), 'to come', '[2015-02-13,)');
SELECT incident_id, state, impact_minutes, open_minutes FROM bcce_data.declared_incidents() d
WHERE tenant_id = pg_temp.tenant('odd') AND incident_id IN ('forever', 'since ever', 'to come') ORDER BY incident_id;
SELECT n, open, invalid FROM pg_temp.mttr('odd', '2015-01-12', NULL);
DELETE FROM bcce_data.incidents WHERE tenant_id = pg_temp.tenant('odd') AND incident_id IN ('forever', 'since ever', 'to come');
-- Acknowledged after 10 and 40 minutes; not at all, but over after 30; open and unacknowledged for 60 at the window's end.
-- Left out: acknowledged before it was detected, over before it was detected, and detected at an infinite time.
INSERT INTO bcce_data.incidents (tenant_id, incident_id, opened_at, detected_at, acknowledged_at, recovered_at)
SELECT pg_temp.tenant('odd'), id, opened_at::timestamptz, detected_at::timestamptz, ack::timestamptz, recovered_at::timestamptz
FROM (VALUES
    ('ack10', '2015-01-20 10:00', NULL, '2015-01-20 10:10', '2015-01-20 10:20'),
    ('ack40', '2015-01-20 10:00', '2015-01-20 10:10', '2015-01-20 10:50', NULL),
    ('over30', '2015-01-20 10:00', NULL, NULL, '2015-01-20 10:30'),
    ('open60', '2015-01-20 10:00', NULL, NULL, NULL),
    ('before', '2015-01-20 10:00', '2015-01-20 10:10', '2015-01-20 10:05', NULL),
    ('over', '2015-01-20 10:00', '2015-01-20 10:40', NULL, '2015-01-20 10:30'),
    ('minus', '2015-01-20 10:00', '-infinity', '2015-01-20 10:05', NULL)
) AS i (id, opened_at, detected_at, ack, recovered_at);
SELECT incident_id, acknowledge_minutes AS acknowledged, unacknowledged_minutes AS waiting
FROM bcce_data.mttr_incidents(NULL, '2015-01-20 11:00:00+00') WHERE tenant_id = pg_temp.tenant('odd') AND started_at >= '2015-01-20' OR incident_id = 'minus' ORDER BY incident_id;
-- The mean is 10 + 3/4 * (40 - 10) + 3/8 * 20 up to 60, by hand.
SELECT mtta, mtta_incl_open FROM pg_temp.km('odd', '2015-01-20', '2015-01-20 11:00:00+00');
-- At 10:45 only the first was acknowledged: 10 + 3/4 * 35 up to 45.
SELECT mtta, mtta_incl_open FROM pg_temp.km('odd', '2015-01-20', '2015-01-20 10:45:00+00');
SELECT mtta, mtta_incl_open FROM pg_temp.km('odd', '2015-01-20', '2015-01-20 10:05:00+00');
DELETE FROM bcce_data.incidents WHERE tenant_id = pg_temp.tenant('odd') AND incident_id IN ('ack10', 'ack40', 'over30', 'open60', 'before', 'over', 'minus');

-- By severity and service: the interval, from five recovered on; the mean up to the longest, nothing where none recovered.
INSERT INTO bcce_data.incidents (tenant_id, incident_id, service_id, severity, opened_at, recovered_at)
SELECT pg_temp.tenant('decl'), severity || minutes, 'km', severity, '2015-01-31 12:00:00+00'::timestamptz - minutes * interval '1 minute',
       CASE WHEN is_over THEN '2015-01-31 12:00:00+00'::timestamptz END
FROM (VALUES ('sev1', 10, true), ('sev1', 20, true), ('sev1', 30, true), ('sev1', 40, true), ('sev1', 50, true), ('sev1', 60, true), ('sev1', 25, false), ('sev1', 90, false),
             ('sev3', 10, true), ('sev3', 20, true), ('sev3', 30, true), ('sev3', 40, true), ('sev4', 100, false)) AS i (severity, minutes, is_over);
SELECT severity, recovered_count AS recovered, open_count AS open, median_mttr_minutes AS median, median_mttr_incl_open_minutes AS incl_open,
       median_mttr_incl_open_low_minutes AS low, median_mttr_incl_open_high_minutes AS high, p95_mttr_incl_open_minutes AS p95_incl_open,
       avg_mttr_minutes AS avg, round(avg_mttr_incl_open_minutes::numeric, 3) AS avg_incl_open, avg_mttr_incl_open_limit_minutes AS up_to, censoring_warning AS warning
FROM bcce.mttr_breakdown WHERE tenant_name = 'Mttr decl' AND service_id = 'km' ORDER BY severity;
-- All its numbers are those of the aggregates over the incidents.
SELECT count(*) AS cells, count(*) FILTER (WHERE (b.median_mttr_incl_open_minutes, b.p95_mttr_incl_open_minutes) IS DISTINCT FROM (c.median, c.p95)) AS differ,
       count(*) FILTER (WHERE b.open_count = 0 AND abs(b.avg_mttr_incl_open_minutes - b.avg_mttr_minutes) > 1e-9) AS means_differ,
       count(*) FILTER (WHERE b.open_count = 0 AND b.censoring_warning) AS false_warnings
FROM bcce.mttr_breakdown b
JOIN (SELECT i.tenant_id, coalesce(i.severity, 'unclassified') AS severity, i.service_id, CASE WHEN i.is_derived THEN 'derived' ELSE 'declared' END AS mttr_basis,
             bcce.mttr_incl_open(i.started_at, i.started_at + i.recovery_minutes * interval '1 minute', bcce.report_now()) FILTER (WHERE i.state <> 'invalid') AS median,
             bcce.mttr_incl_open(i.started_at, i.started_at + i.recovery_minutes * interval '1 minute', bcce.report_now(), 0.95) FILTER (WHERE i.state <> 'invalid') AS p95
      FROM bcce_data.mttr_incidents(NULL, NULL) i GROUP BY 1, 2, 3, 4) c
  ON c.tenant_id = b.tenant_id AND c.severity = b.severity AND c.service_id IS NOT DISTINCT FROM b.service_id AND c.mttr_basis = b.mttr_basis
WHERE b.tenant_name LIKE 'Mttr %' AND b.tenant_name <> 'Mttr odd';
DELETE FROM bcce_data.incidents WHERE tenant_id = pg_temp.tenant('decl') AND service_id = 'km';

-- On the business calendar: Monday to Friday from 9 to 17:30 in New York, nights from Saturday 22:00 to Sunday 02:00.
-- Friday 2015-03-06 16:00 to Monday 2015-03-09 10:00 is 90 + 240 (Sunday's clock goes from 02:00 to 03:00 and takes nothing) + 60;
-- a Friday that is a holiday has none, but the night of the Saturday before a free Sunday is worked to its end.
-- The year has 261 days of 510 minutes, 52 nights of 240, and an hour more in the night to 1 November.
SELECT bcce.set_business_hours('{1,2,3,4,5}', '09:00', '17:30', 'mttr-idle'), bcce.set_business_hours('{6}', '22:00', '02:00', 'mttr-idle');
UPDATE bcce_data.tenants SET timezone = 'America/New_York' WHERE tenant_id = pg_temp.tenant('idle');
CREATE FUNCTION pg_temp.business(spans text) RETURNS double precision LANGUAGE sql STABLE AS
$$SELECT minutes FROM bcce_data.business_minutes(pg_temp.tenant('idle'), 'America/New_York', (SELECT range_agg(s::tstzrange) FROM unnest(string_to_array(spans, ';')) AS s))$$;
SET timezone = 'America/New_York';
SELECT pg_temp.business('[2015-03-06 16:00,2015-03-09 10:00)') AS weekend, pg_temp.business('[2015-03-06 17:30,2015-03-07 22:00)') AS free,
       pg_temp.business('[2015-03-04 10:00,2015-03-04 10:15)') AS within, pg_temp.business('[2015-03-04 08:00,2015-03-04 20:00)') AS around,
       pg_temp.business('[2015-03-07 23:00,2015-03-08 00:30);[2015-03-08 01:00,2015-03-08 09:00)') AS night_in_parts,
       pg_temp.business('[2015-03-04 12:00,2015-03-04 12:00]') AS instant, pg_temp.business('[2015-01-01,2016-01-01)') AS year;
SELECT bcce.set_holiday('2015-03-06', tenant => 'mttr-idle'), bcce.set_holiday('2015-03-08', tenant => 'mttr-idle'), bcce.set_holiday('2015-03-08', tenant => 'mttr-idle');
SELECT pg_temp.business('[2015-03-06 16:00,2015-03-09 10:00)') AS friday_free;
SELECT bcce.set_holiday('2015-03-06', false, 'mttr-idle');
SELECT pg_temp.business('[2015-03-06 16:00,2015-03-09 10:00)') AS friday_worked;
-- A year of days by another way: 24 hours a day but for the skipped and the repeated one, and every day alone.
SELECT bcce.set_business_hours('{7,6,5,4,3,2,1,1}', '00:00', '24:00', 'mttr-idle'), bcce.set_holiday('2015-03-08', false, 'mttr-idle');
SELECT pg_temp.business('[2015-01-01,2016-01-01)') = 365 * 1440 AS year, pg_temp.business('[2015-03-08,2015-03-09)') AS short_day, pg_temp.business('[2015-11-01,2015-11-02)') AS long_day;
-- A close that the clock skips: a day does not end before it began.
SELECT bcce.set_business_hours('{7}', '02:15', '03:00', 'mttr-idle'), bcce.set_business_hours('{1,2,3,4,5,6}', NULL, NULL, 'mttr-idle');
SELECT pg_temp.business('[2015-03-08,2015-03-09)') AS skipped, pg_temp.business('[2015-03-15,2015-03-16)') AS usual;
SET timezone = 'UTC';
-- In the report: the mean over recovered ones, those outside of business hours with zero; impacts by their union; NULL without a calendar.
SELECT bcce.set_business_hours('{1,2,3,4,5}', '09:00', '17:30', 'mttr-idle'), bcce.set_business_hours('{7}', NULL, NULL, 'mttr-idle');
INSERT INTO bcce_data.incidents (tenant_id, incident_id, service_id, severity, opened_at, recovered_at)
SELECT pg_temp.tenant('idle'), id, 'cal', severity, opened_at::timestamptz, recovered_at::timestamptz
FROM (VALUES ('weekend', 'sev1', '2015-01-09 16:00-05', '2015-01-12 10:00-05'), ('night', 'sev1', '2015-01-10 01:00-05', '2015-01-10 03:00-05'), ('open', 'sev1', '2015-01-12 09:00-05', NULL),
             ('parts', 'sev2', '2015-01-13 09:00-05', '2015-01-13 17:00-05'), ('none', 'sev3', '2015-01-13 09:00-05', NULL), ('wrong', 'sev4', '2015-01-13 09:00-05', '2015-01-12 09:00-05'))
     AS i (id, severity, opened_at, recovered_at);
INSERT INTO bcce_data.incident_impacts (tenant_id, incident_id, span)
SELECT pg_temp.tenant('idle'), 'parts', s::tstzrange FROM unnest(ARRAY['[2015-01-13 08:30-05,2015-01-13 09:30-05)', '[2015-01-13 09:15-05,2015-01-13 09:40-05)', '[2015-01-13 17:00-05,2015-01-13 18:00-05)']) AS s;
SELECT severity, recovered_count AS recovered, open_count AS open, avg_mttr_minutes AS avg, avg_mttr_business_minutes AS business
FROM bcce.mttr_breakdown WHERE tenant_name = 'Mttr idle' ORDER BY severity;
SELECT count(*) > 0 AS others, count(avg_mttr_business_minutes) AS known FROM bcce.mttr_breakdown WHERE tenant_name LIKE 'Mttr %' AND tenant_name <> 'Mttr idle';
\set VERBOSITY sqlstate
SELECT bcce.set_business_hours('{0}', '09:00', '17:30', 'mttr-idle');
SELECT bcce.set_business_hours(NULL, '09:00', '17:30', 'mttr-idle');
SELECT bcce.set_business_hours('{1,NULL}', '09:00', '17:30', 'mttr-idle');
SELECT bcce.set_business_hours('{1}', '09:00', '09:00', 'mttr-idle');
SELECT bcce.set_business_hours('{1}', NULL, '09:00', 'mttr-idle');
SELECT bcce.set_business_hours('{1}', '08:00', '09:00', 'nobody');
SELECT bcce.set_holiday('infinity', tenant => 'mttr-idle');
SELECT bcce.set_holiday(NULL, tenant => 'mttr-idle');
SELECT bcce.set_holiday('2015-01-01', tenant => 'nobody');
\set VERBOSITY default

-- The twin with open ends is the view, and is inlined.
SELECT count(*) AS rows_that_differ
FROM (SELECT to_jsonb(o) FROM bcce.mttr_analysis o EXCEPT SELECT to_jsonb(o) FROM bcce.mttr_analysis(NULL, NULL) o) d;
CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS
$$BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END$$;
SELECT count(*) AS function_scans
FROM unnest(ARRAY['mttr_analysis', 'mttr_breakdown']) AS report
CROSS JOIN LATERAL pg_temp.plan(format('SELECT * FROM bcce.%s(''2015-01-01'', ''2015-02-01'')', report)) AS line
WHERE line LIKE '%Function Scan%' AND line !~ 'Function Scan on (unnest|generate_series)';

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
        EXECUTE format('DELETE FROM %s WHERE tenant_id IN (SELECT tenant_id FROM bcce_data.tenants WHERE slug LIKE %L)', store, 'mttr-%');
    END LOOP;
END
$$;
