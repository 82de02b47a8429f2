-- Proves that plain questions lead to the report that answers them: twenty
-- questions, asked by the login of one tenant, who searches bcce.reports and
-- bcce.data_dictionary for the words, and reads the answer from what comes up.
SET client_min_messages = warning;
CREATE DATABASE regress_questions;
\set home :DBNAME
\c regress_questions
SET client_min_messages = warning;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
CREATE EXTENSION bcce;
SET bcce.test_now = '2026-03-31 18:00:00+00';
\o /dev/null
SELECT * FROM bcce.generate_sample_data(ending_at => '2026-03-31 18:00:00+00');
SELECT bcce.create_login('regress_questions_ada', 'sample-acme');
INSERT INTO bcce.inbox_workflow_runs (tenant, run_id, workflow_id, status, started_at)
VALUES ('sample-acme', 'x', 'build', 'exploded', '2026-03-31T10:00:00Z');
-- As if they had come in when they happened, but for the model calls.
UPDATE bcce_data.workflow_runs SET recorded_at = started_at;
UPDATE bcce_data.performance_metrics SET recorded_at = observed_at;
UPDATE bcce_data.predictions SET recorded_at = predicted_at;
UPDATE bcce_data.model_usage SET recorded_at = least(at, '2026-03-20 00:00+00');
UPDATE bcce_data.events SET received_at = occurred_at;
\o
ANALYZE;
GRANT TEMPORARY ON DATABASE regress_questions TO regress_questions_ada;
SET ROLE regress_questions_ada;
SELECT explanation FROM bcce.whoami();

-- The words of a question, any of them, against what a report says of itself:
-- its question weighs most, then its name, what a row is, and the columns.
CREATE FUNCTION pg_temp.search(question text) RETURNS TABLE (place bigint, report text) LANGUAGE sql AS $$
    SELECT row_number() OVER (ORDER BY ts_rank('{0.02, 0.2, 0.5, 1}', d.words, q.words) DESC, d.report COLLATE "C"), d.report
    FROM (
        SELECT r.report,
               setweight(to_tsvector('english', r.question), 'A') || setweight(to_tsvector('english', replace(r.report, '_', ' ')), 'B')
               || setweight(to_tsvector('english', r.grain), 'C') || setweight(to_tsvector('english', (
                   SELECT string_agg(replace(c.column_name, '_', ' ') || ' ' || c.definition, '. ')
                   FROM bcce.data_dictionary c WHERE c.report = r.report)), 'D') AS words
        FROM bcce.reports r
    ) d
    CROSS JOIN (SELECT replace(plainto_tsquery('english', question)::text, '&', '|')::tsquery AS words) q
    WHERE d.words @@ q.words
$$;
CREATE TEMP TABLE asked (question text, report text, place bigint);
CREATE FUNCTION pg_temp.ask(question text, report text) RETURNS TABLE (question text, report text, place text) LANGUAGE sql AS $$
    WITH noted AS (
        INSERT INTO asked SELECT ask.question, ask.report, (SELECT s.place FROM pg_temp.search(ask.question) s WHERE s.report = ask.report) RETURNING *
    )
    SELECT n.question, n.report, coalesce(n.place::text, 'NOT FOUND') FROM noted n
$$;

SELECT * FROM pg_temp.ask('Which workflow fails most?', 'top_failures');
SELECT workflow_name, error_class, failure_count, share_percent FROM bcce.top_failures ORDER BY failure_rank LIMIT 3;

SELECT * FROM pg_temp.ask('How long until an incident is over, typically?', 'mttr_analysis');
SELECT recovered_count, round(median_mttr_minutes) AS median_minutes, round(avg_mttr_minutes) AS mean_minutes, open_count FROM bcce.mttr_analysis;

-- March begins and ends in Berlin.
SELECT * FROM pg_temp.ask('What did March cost?', 'cost_analysis');
SELECT round(total_cost_usd, 2) AS total_usd, is_lower_bound, unpriced_units FROM bcce.cost_analysis('2026-03-01 00:00 Europe/Berlin', '2026-04-01 00:00 Europe/Berlin');

SELECT * FROM pg_temp.ask('Which service breached its error rate last week?', 'service_health_by_hour');
SELECT service_name, count(*) AS hours_above_1_percent, max(error_rate_percent) AS worst_percent
FROM bcce.service_health_by_hour('2026-03-23 00:00 Europe/Berlin', '2026-03-30 00:00 Europe/Berlin')
WHERE error_rate_percent > 1 GROUP BY service_name ORDER BY hours_above_1_percent DESC;

SELECT * FROM pg_temp.ask('Which runs hang right now?', 'hung_runs');
SELECT run_id, workflow_name, running_seconds FROM bcce.hung_runs ORDER BY started_at;

SELECT * FROM pg_temp.ask('Which runs took too long?', 'slow_runs');
SELECT workflow_name, count(*) AS runs, max(duration_seconds) AS longest_seconds FROM bcce.slow_runs GROUP BY workflow_name ORDER BY runs DESC, workflow_name LIMIT 3;

SELECT * FROM pg_temp.ask('How many people used it yesterday?', 'usage_trends');
SELECT usage_date, active_users, new_users FROM bcce.usage_trends WHERE usage_date = '2026-03-30';

SELECT * FROM pg_temp.ask('Is the payments service down right now?', 'service_health_dashboard');
SELECT status, status_reason FROM bcce.service_health_dashboard WHERE service_name = 'Payments';

SELECT * FROM pg_temp.ask('Can we trust the failure predictions?', 'prediction_accuracy');
SELECT model_name, model_version, accuracy_percent, precision_percent, recall_percent, round(brier_skill_score::numeric, 3) AS skill
FROM bcce.prediction_accuracy ORDER BY model_name, model_version;

SELECT * FROM pg_temp.ask('Are the predictions getting better or worse?', 'prediction_accuracy_by_week');
SELECT week, labelled_count, round(brier_score::numeric, 3) AS brier FROM bcce.prediction_accuracy_by_week
WHERE model_name = 'service-outlook' AND week >= '2026-03-09' ORDER BY week;

SELECT * FROM pg_temp.ask('How much ran, and how much of it failed?', 'analytics_overview');
SELECT total_workflows, failed_workflows, failure_rate_percent FROM bcce.analytics_overview;

SELECT * FROM pg_temp.ask('Why did the last runs fail?', 'recent_workflow_errors');
SELECT finished_at, workflow_name, error_class FROM bcce.recent_workflow_errors ORDER BY recency_rank LIMIT 3;

SELECT * FROM pg_temp.ask('In which hour do most runs fail?', 'executions_by_status_hourly');
SELECT extract(hour FROM period_start_at AT TIME ZONE 'Europe/Berlin') AS hour, sum(failed_workflows) AS failed
FROM bcce.executions_by_status_hourly GROUP BY 1 ORDER BY failed DESC, hour LIMIT 1;

SELECT * FROM pg_temp.ask('What happened in the last severe incident?', 'incident_timeline');
SELECT at, event_kind, response_action FROM bcce.incident_timeline
WHERE incident_id = (SELECT incident_id FROM bcce.incident_timeline ORDER BY at DESC, incident_id LIMIT 1) ORDER BY at, event_kind COLLATE "C";

SELECT * FROM pg_temp.ask('Has any source stopped sending data?', 'data_freshness');
SELECT fact, source, round(lag_seconds / 3600) AS silent_hours, is_late FROM bcce.data_freshness ORDER BY lag_seconds DESC LIMIT 2;

SELECT * FROM pg_temp.ask('How often do we deploy?', 'dora_metrics');
SELECT month, deployments_started, deployments_per_day, change_failure_rate_percent FROM bcce.dora_metrics ORDER BY month;

SELECT * FROM pg_temp.ask('How many of the invited people really use it?', 'adoption');
SELECT month, active_users, invited_users, active_percent FROM bcce.adoption ORDER BY month;

SELECT * FROM pg_temp.ask('What do our guests do most: read, search or chat?', 'guest_activity');
SELECT guest_type, sum(page_views) AS page_views, sum(searches) AS searches, sum(chat_sessions) AS chats FROM bcce.guest_activity('2026-03-01 00:00 Europe/Berlin') GROUP BY guest_type ORDER BY guest_type;

SELECT * FROM pg_temp.ask('Which rows were refused, and why?', 'rejected');
SELECT source, message, rejected_count FROM bcce.rejected;

SELECT * FROM pg_temp.ask('Which day was the most expensive?', 'cost_by_day');
SELECT usage_date, round(total_cost_usd, 2) AS total_usd FROM bcce.cost_by_day ORDER BY total_cost_usd DESC LIMIT 1;

\echo == twenty questions, each report among the first three; most first
SELECT count(*) AS questions, count(DISTINCT report) AS reports, count(*) FILTER (WHERE place = 1) >= 15 AS most_first FROM asked;
SELECT question, report, place FROM asked WHERE place > 3 OR place IS NULL;
\echo == every report is first for its own question
SELECT r.report, s.place FROM bcce.reports r LEFT JOIN LATERAL (SELECT * FROM pg_temp.search(r.question) f WHERE f.report = r.report) s ON true
WHERE s.place IS DISTINCT FROM 1;
\echo == the search finds nothing for words that no report has, and loses a report whose question is taken away
SELECT * FROM pg_temp.ask('Xyzzy?', 'hung_runs');
RESET ROLE;
BEGIN;
COMMENT ON VIEW bcce.hung_runs IS 'Nothing? One row per thing.';
SET LOCAL ROLE regress_questions_ada;
SELECT s.place > 1 AS is_lost FROM pg_temp.search('Which runs hang right now?') s WHERE s.report = 'hung_runs';
ROLLBACK;

\c :home
SET client_min_messages = warning;
DROP DATABASE regress_questions;
DROP ROLE regress_questions_ada;
