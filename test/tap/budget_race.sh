#!/usr/bin/env bash
# What budgets say, forecast and exhaustion included, is what their calls add up to, to the last digit, whoever
# writes, refreshes or is killed meanwhile.  Writers insert, move calls to other
# hours and months, delete, and roll back; some change teams and budgets; others
# refresh, one of which is killed again and again; maintain() makes partitions.
# Each check is one statement that adds up the calls itself.  Speaks TAP.
# RACE_SECONDS (default 8) is how long it goes on.
set -euo pipefail
. "$(dirname "$0")/../lib/tap.sh"
PATH=$("${PG_CONFIG:-pg_config}" --bindir):$PATH
seconds=${RACE_SECONDS:-8}
database=bcce_budget_race
work=$(mktemp -d)
sql postgres postgres -c "DROP DATABASE IF EXISTS $database" >/dev/null
createdb $database
sql $database postgres >"$work/setup.out" <<'SQL'
SET client_min_messages = error;
CREATE EXTENSION bcce;
SELECT bcce.create_tenant(s, s, timezone => 'Asia/Kathmandu') FROM unnest('{all,team,person,two,dearest,workflow}'::text[]) s;
INSERT INTO bcce_data.teams (tenant_id, team_id, team_name) SELECT tenant_id, t, t FROM bcce_data.tenants, unnest('{core,edge}'::text[]) t;
INSERT INTO bcce_data.principals (tenant_id, user_key, team_id)
SELECT tenant_id, 'p' || n || '@example.org', CASE WHEN n > 2 THEN 'core' END FROM bcce_data.tenants, generate_series(1, 4) n;
INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, workflow_id, status, started_at, finished_at)
SELECT tenant_id, r, 'w-' || r, 'succeeded', '2026-01-01', '2026-01-02' FROM bcce_data.tenants, unnest('{r1,r2}'::text[]) r;
INSERT INTO bcce_data.workflow_run_keys SELECT tenant_id, run_id, started_at FROM bcce_data.workflow_runs;
SELECT bcce.set_budget('b', 100, 'quarter', tenant => 'all'), bcce.set_budget('b', 20, 'quarter', team => 'core', tenant => 'team'),
       bcce.set_budget('b', 10, 'custom', user_key => 'p1@example.org', valid_from => now() - interval '777 hours 11 minutes', valid_until => now() + interval '1 year', tenant => 'person'),
       bcce.set_budget('b', 1e9, 'month', project => 'shop', model => 'm1', tenant => 'two'),
       bcce.set_budget('b', 1e9, 'month', unpriced => 'dearest', timezone => 'America/New_York', tenant => 'dearest'),
       bcce.set_budget('b', 1e9, 'month', workflow => 'w-r1', tenant => 'workflow');
CREATE TABLE checks (what text, tenant text, said text, truth text, is_same boolean);
CREATE FUNCTION one_of(VARIADIC text[]) RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT $1[1 + floor(random() * cardinality($1))::int] $$;
-- A time of the last weeks, most often one of few hours.
CREATE FUNCTION some_time() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
    SELECT now() + interval '20 minutes' - CASE WHEN random() < 0.7 THEN random() * interval '3 hours' + floor(random() * 3) * interval '20 days'
                                                ELSE random() * interval '75 days' END $$;
CREATE FUNCTION add_call() RETURNS void LANGUAGE sql VOLATILE AS $$
    INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, user_key, team_id, project, run_id, input_tokens, reported_cost_usd, charged_usd, is_test)
    SELECT (SELECT tenant_id FROM bcce_data.tenants WHERE slug = (SELECT one_of('all', 'team', 'person', 'two', 'dearest', 'workflow'))), gen_random_uuid()::text, some_time(),
           one_of('m1', 'm1', 'm1', 'claude-sonnet-4-5', 'nobody'), one_of('p1', 'p2', 'p3', 'p4') || '@example.org', one_of('core', 'edge', NULL, NULL), one_of('shop', 'shop', 'site', NULL),
           one_of('r1', 'r2', NULL), (random() * 1000)::int, CASE WHEN random() < 0.4 THEN round(random()::numeric, 1 + (random() * 8)::int) END,
           CASE WHEN random() < 0.6 THEN round(random()::numeric, 10) END, random() < 0.1 $$;
-- A tenant's call, any one.
CREATE FUNCTION some_call() RETURNS tid LANGUAGE sql VOLATILE AS $$
    SELECT u.ctid FROM bcce_data.model_usage u
    WHERE u.tenant_id = (SELECT tenant_id FROM bcce_data.tenants WHERE slug = (SELECT one_of('all', 'team', 'person', 'two', 'dearest', 'workflow'))) AND u.at >= (SELECT some_time())
    ORDER BY u.at LIMIT 1 $$;
SELECT add_call() FROM generate_series(1, 3000);
SELECT bcce.maintain();
-- What the calls add up to.
CREATE FUNCTION truth(b bcce_data.budgets, since timestamptz, until timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(CASE WHEN c.usd IS NULL AND b.unpriced = 'dearest' THEN c.input_tokens * (
               SELECT max(m.price_usd) FROM bcce_data.default_model_prices m
               WHERE upper_inf(m.known) AND m.token_class = 'input' AND m.valid && tstzrange(since, greatest(until, now()))) ELSE c.usd END), 0)::text
    FROM (SELECT u.*, coalesce(u.reported_cost_usd, u.charged_usd, bcce.estimate_token_cost(u.model_id, u.at, u.input_tokens, u.output_tokens, u.cache_read_tokens,
              u.cache_write_5m_tokens, u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier, u.tenant_id)) AS usd
          FROM bcce_data.model_usage u) c
    LEFT JOIN bcce_data.principals p ON p.tenant_id = c.tenant_id AND p.user_key = c.user_key
    LEFT JOIN bcce_data.workflow_runs r ON r.tenant_id = c.tenant_id AND r.run_id = c.run_id
    WHERE c.tenant_id = b.tenant_id AND c.at >= since AND c.at < least(until, now()) AND NOT c.is_test
      AND (b.team_id IS NULL OR b.team_id = coalesce(c.team_id, p.team_id)) AND (b.user_key IS NULL OR b.user_key = c.user_key)
      AND (b.project IS NULL OR b.project = c.project) AND (b.model_id IS NULL OR b.model_id = c.model_id) AND (b.workflow_id IS NULL OR b.workflow_id = r.workflow_id) $$;
-- What is forecast of an open period, and when an exhausted one was, by the calls alone.
CREATE FUNCTION outlook(b bcce_data.budgets, s bcce.budget_status) RETURNS text LANGUAGE sql STABLE AS $$
    WITH c AS MATERIALIZED (
        SELECT u.at, coalesce(u.reported_cost_usd, u.charged_usd, bcce.estimate_token_cost(u.model_id, u.at, u.input_tokens, u.output_tokens, u.cache_read_tokens,
              u.cache_write_5m_tokens, u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier, u.tenant_id)) AS usd
        FROM bcce_data.model_usage u
        LEFT JOIN bcce_data.principals p ON p.tenant_id = u.tenant_id AND p.user_key = u.user_key
        LEFT JOIN bcce_data.workflow_runs r ON r.tenant_id = u.tenant_id AND r.run_id = u.run_id
        WHERE u.tenant_id = b.tenant_id AND u.at < now() AND NOT u.is_test
          AND (b.team_id IS NULL OR b.team_id = coalesce(u.team_id, p.team_id)) AND (b.user_key IS NULL OR b.user_key = u.user_key)
          AND (b.project IS NULL OR b.project = u.project) AND (b.model_id IS NULL OR b.model_id = u.model_id) AND (b.workflow_id IS NULL OR b.workflow_id = r.workflow_id)
    ), t AS (SELECT (now() AT TIME ZONE b.timezone)::date AS today)
    SELECT concat_ws(' ',
        (SELECT min(x.at) FROM (SELECT c.at, sum(c.usd) OVER (ORDER BY c.at) AS usd FROM c WHERE c.at >= s.period_start_at AND c.at < s.period_end_at) x
         WHERE s.spent_usd >= s.limit_usd AND x.usd >= s.limit_usd),
        (SELECT string_agg(round(greatest(s.spent_usd, s.spent_usd - s.spent_today_usd + f.usd), 10)::text, ' ' ORDER BY f.n)
         FROM t, unnest((bcce_data.cost_forecast(
             (SELECT array_agg((SELECT sum(c.usd) FROM c WHERE (c.at AT TIME ZONE b.timezone)::date = g::date) ORDER BY g) FROM generate_series(t.today - 182, t.today - 1, interval '1 day') g),
             ((s.period_end_at - interval '1 microsecond') AT TIME ZONE b.timezone)::date - t.today + 1))[1:3]) WITH ORDINALITY AS f (usd, n)
         WHERE s.is_open)) $$;
CREATE FUNCTION check_all() RETURNS void LANGUAGE sql VOLATILE AS $$
    INSERT INTO checks
    SELECT 'status', s.tenant_name, s.spent_usd::text || ' ' || s.period_start_at, truth(b, s.period_start_at, s.period_end_at) || ' ' || s.period_start_at,
           s.spent_usd::text = truth(b, s.period_start_at, s.period_end_at)
    FROM bcce.budget_status s JOIN bcce_data.budgets b USING (tenant_id, budget)
    UNION ALL
    SELECT 'outlook', s.tenant_name, x.said, x.truth, x.said = x.truth
    FROM bcce.budget_status s JOIN bcce_data.budgets b USING (tenant_id, budget)
    CROSS JOIN LATERAL (SELECT concat_ws(' ', CASE WHEN s.spent_usd >= s.limit_usd THEN s.exhausts_at END, s.forecast_usd, s.forecast_low_usd, s.forecast_high_usd) AS said,
                               outlook(b, s) AS truth) x
    UNION ALL
    SELECT 'check', t.slug, c.spent_usd::text, x.truth, c.spent_usd::text = x.truth
    FROM bcce_data.budgets b JOIN bcce_data.tenants t USING (tenant_id)
    CROSS JOIN LATERAL bcce.budget_check(b.team_id, b.user_key, b.project, b.model_id, b.workflow_id, t.slug) c
    CROSS JOIN LATERAL (SELECT truth(b, CASE b.period WHEN 'custom' THEN lower(b.valid) ELSE date_trunc(b.period, now(), b.timezone) END, 'infinity') AS truth) x $$;
SQL
is "$(grep ERROR "$work/setup.out" || true)" "" "calls and budgets"

cat >"$work/write.sql" <<'SQL'
\set pause random(0, 20)
\set any random(1, 6)
BEGIN;
SELECT add_call();
UPDATE bcce_data.model_usage SET at = some_time(), charged_usd = round(random()::numeric, 10), is_test = random() < 0.1 WHERE ctid = (SELECT some_call()) AND random() < 0.7;
SAVEPOINT a;
SELECT add_call() FROM generate_series(1, 5);
DELETE FROM bcce_data.model_usage WHERE ctid = (SELECT some_call());
\if :any <= 3
ROLLBACK TO a;
SELECT add_call() FROM generate_series(1, 3);
\endif
\if :any = 4
SELECT bcce.record_model_usage('m1', some_time(), 100, 10, user_id => 'p1@example.org', reported_cost_usd => 0.25, idempotency_key => gen_random_uuid()::text, tenant => 'person');
\endif
\if :any = 5
INSERT INTO bcce.inbox_model_usage (tenant, model_id, at, input_tokens, user_id, reported_cost_usd, idempotency_key)
SELECT 'all', 'm1', some_time()::text, '5', 'p3@example.org', '0.125', gen_random_uuid()::text FROM generate_series(1, 20);
\endif
\if :any = 6
SELECT add_call() FROM generate_series(1, 30);
SELECT bcce_data.refresh_budget_hours();
SELECT add_call() FROM generate_series(1, 3);
\endif
\sleep :pause ms
COMMIT;
SQL
# budget_check() reads by a snapshot of its own: here it is that of all.
echo 'BEGIN ISOLATION LEVEL REPEATABLE READ; LOCK TABLE ONLY bcce_data.model_usage IN ACCESS SHARE MODE; SELECT check_all(); COMMIT;' >"$work/check.sql"
echo 'SELECT bcce.check_budgets();' >"$work/refresh.sql"
cat >"$work/change.sql" <<'SQL'
UPDATE bcce_data.principals SET team_id = one_of('core', 'edge', NULL) WHERE user_key = (SELECT user_key FROM bcce_data.principals ORDER BY random() LIMIT 1);
SELECT bcce.set_budget('b', 1e9, one_of('day', 'month', 'quarter'), project => one_of('shop', 'site', NULL), model => one_of('m1', NULL), tenant => 'two');
\sleep 150 ms
SQL
race() { PGAPPNAME=$1 pgbench -n -T "$seconds" -c "$2" -f "$work/$1.sql" --max-tries=1000 -d $database >"$work/$1.out" 2>&1; }
race write 5 & race check 2 & race refresh 1 & race change 1 &
end=$((SECONDS + seconds)) killed=0
while [ $SECONDS -lt $end ]; do PGAPPNAME=victim sql $database postgres -c 'SELECT bcce.check_budgets()' >>"$work/victim.out"; done &
while [ $SECONDS -lt $end ]; do sql $database postgres -c 'SELECT detail FROM bcce.maintain()' >>"$work/maintain.out"; sleep 1; done &
while [ $SECONDS -lt $end ]; do
    killed=$((killed + $(sql $database postgres -c "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'victim' AND state = 'active'")))
    sleep 0.0$((1 + RANDOM % 9))
done
wait
cat "$work"/{write,check,refresh,change,maintain}.out | grep -E 'ERROR|error|aborted' | grep -v 'connection to server' | head -n 5 | sed 's/^/# /' || true
is "$(cat "$work"/{write,check,refresh,change,maintain}.out | grep -cE 'ERROR|error:|aborted' || true)" 0 "nobody meets an error"
checks() { sql $database postgres -c "SELECT count(*) FILTER (WHERE NOT is_same) FROM checks"; }
echo "# $(sql $database postgres -c "SELECT count(*) || ' sums checked of ' || (SELECT count(*) FROM bcce_data.model_usage) || ' calls' FROM checks"), $killed refreshes killed"
is "$(sql $database postgres -c "SELECT count(*) > 0 FROM checks") $(checks)" "t 0" "each sum is that of the calls"
sql $database postgres -c "SELECT * FROM checks WHERE NOT is_same LIMIT 5" | sed 's/^/# /'
like "$killed" '[1-9]' "refreshes were killed"

# Quiet again: the cells alone say it.
sql $database postgres -c "SELECT bcce.check_budgets()" >/dev/null
is "$(sql $database postgres -c "SELECT (SELECT count(*) FROM bcce_data.model_usage_marks), (SELECT count(*) > 4 FROM bcce_data.budget_scopes), (SELECT count(*) > 100 FROM bcce_data.budget_hours), (SELECT count(*) > 50 FROM bcce_data.budget_days)")" "0|t|t|t" "all is built"
sql $database postgres -c "TRUNCATE checks" -c "SELECT check_all()" >/dev/null
is "$(checks)" 0 "and right"
# Of what is written while a partition is away nobody leaves a mark.
sql $database postgres -c "SELECT count(bcce_data.refresh_budget_hours()::text) FROM generate_series(1, 3)" >/dev/null
sql $database postgres >"$work/detach.out" <<'SQL'
SELECT to_char(date_trunc('month', now(), 'UTC'), '"model_usage_"YYYY_MM') AS name, date_trunc('month', now(), 'UTC') AS since, date_trunc('month', now(), 'UTC') + interval '1 month' AS until \gset
ALTER TABLE bcce_data.model_usage DETACH PARTITION bcce_data.:name;
UPDATE bcce_data.:name SET charged_usd = charged_usd + 0.5;
ALTER TABLE bcce_data.model_usage ATTACH PARTITION bcce_data.:name FOR VALUES FROM (:'since') TO (:'until');
TRUNCATE checks;
SELECT check_all();
SQL
is "$(grep ERROR "$work/detach.out" || true) $(checks)" " 0" "a partition that was changed while detached"
sql $database postgres -c "SELECT count(bcce_data.refresh_budget_hours()::text) FROM generate_series(1, 3)" -c "TRUNCATE checks" -c "SELECT check_all()" >/dev/null
is "$(checks)" 0 "after a refresh, too"
is "$(sql $database postgres -c "UPDATE bcce_data.budget_hours SET usd = usd + 1" -c "UPDATE bcce_data.budget_days SET usd = usd + 1" -c "TRUNCATE checks" -c "SELECT check_all()" -c "SELECT count(DISTINCT tenant) > 3 FROM checks WHERE NOT is_same" | tail -n 1)" t "a wrong cell would be seen"

sql postgres postgres -c "DROP DATABASE $database" >/dev/null
rm -rf "$work"
done_testing
