#!/usr/bin/env bash
# Whoever listens is told of alerts of budgets once a tenant, when they are
# committed, and nothing but whose they are; two checks at once tell once.
# Speaks TAP.
set -euo pipefail
. "$(dirname "$0")/../lib/tap.sh"

database=bcce_budget_alerts
sql postgres postgres -c "DROP DATABASE IF EXISTS $database" >/dev/null
createdb $database
sql $database postgres >/dev/null <<'SQL'
CREATE EXTENSION bcce;
SELECT bcce.create_tenant('alpha', 'Alpha'), bcce.create_tenant('beta', 'Beta'), bcce.create_tenant('quiet', 'Quiet');
SELECT bcce.create_login('regress_listener', 'quiet');
SELECT bcce.set_budget(b, 10, tenant => t) FROM unnest('{secret-plan,other}'::text[]) AS b, unnest('{alpha,beta,quiet}'::text[]) AS t;
INSERT INTO bcce_data.model_usage (tenant_id, idempotency_key, at, model_id, reported_cost_usd)
SELECT tenant_id, 'k', date_trunc('month', now(), timezone), 'm', 11 FROM bcce_data.tenants WHERE slug IN ('alpha', 'beta');
SQL
uuids=$(sql $database postgres -c "SELECT string_agg(tenant_id::text, ' ' ORDER BY tenant_id) FROM bcce_data.tenants WHERE slug IN ('alpha', 'beta')")
alpha=$(sql $database postgres -c "SELECT tenant_id FROM bcce_data.tenants WHERE slug = 'alpha'")
out=$(mktemp -d)

# A login of another tenant listens: whoever may connect can.
mkfifo "$out/in"
psql -XAtq -U regress_listener -d $database <"$out/in" >"$out/heard" 2>&1 &
exec {listener}>"$out/in"
echo "LISTEN bcce_budget_alerts; LISTEN mark; SELECT 'ready';" >&$listener

# heard_by TEXT: waits until the listener printed it.
heard_by() {
    for _ in $(seq 1 200); do
        ! grep -q "$1" "$out/heard" || return 0
        echo "SELECT 1;" >&$listener
        sleep 0.05
    done
    echo "# the listener never printed: $1"
}

# heard: the payloads since the last time.  Notifications come in the order of
# commits, so that nothing of before is left out once the mark is heard.
marks=0
seen=0
heard() {
    marks=$((marks + 1))
    sql $database postgres -c "NOTIFY mark, 'mark $marks.'"
    heard_by "mark $marks\."
    grep -o '"bcce_budget_alerts".*received' "$out/heard" | sed 's/.*payload "\(.*\)" received/\1/' | tail -n +$((seen + 1)) >"$out/new" || true
    seen=$((seen + $(wc -l <"$out/new")))
    sort "$out/new" | tr '\n' ' ' | sed 's/ $//'
}
heard_by ready

sql $database postgres -c "BEGIN; SELECT bcce.check_budgets(); ROLLBACK" >"$out/rolled-back"
is "$(grep -c crossed "$out/rolled-back")" 16 "a check finds the alerts of two budgets of two tenants"
heard >"$out/told"
is "$(cat "$out/told")" "" "rolled back, nobody is told"
is "$(sql $database postgres -c 'SELECT count(*) FROM bcce_data.budget_alerts')" 0 "and nothing is written"

# A transaction that lasts: told at its end.  A second check waits for it.
sql $database postgres -c "BEGIN; SELECT bcce.check_budgets(); SELECT pg_sleep(4); COMMIT" >"$out/first" &
first=$!
for _ in $(seq 1 100); do
    [ "$(sql $database postgres -c "SELECT count(*) FROM pg_locks WHERE relation = 'bcce_data.budget_alerts'::regclass AND mode = 'ShareRowExclusiveLock' AND granted")" = 0 ] || break
    sleep 0.05
done
heard >"$out/told"
is "$(cat "$out/told")" "" "before the commit nobody is told"
is "$(sql $database postgres -c "SELECT detail FROM bcce.maintain() WHERE task = 'budgets'")" "in use, left for the next run" "maintain() does not wait for it"
sql $database postgres -c "SELECT bcce.check_budgets()" >"$out/second"
wait $first
heard >"$out/told"
is "$(cat "$out/told")" "$uuids" "after it once for each tenant with alerts: its uuid and nothing else"
is "$(grep -c crossed "$out/first"; cat "$out/second")" 16 "a second check at the same time waits, and finds nothing new"
is "$(grep -c 'secret\|Alpha\|alpha\|10\.' "$out/heard" || true)" 0 "no name and no sum is heard"

# Resolved, and again within a day: the table knows, nobody is woken.
sql $database postgres -c "SELECT bcce.set_budget('other', 1000, tenant => 'alpha'); SELECT bcce.check_budgets()" >"$out/resolved"
is "$(grep -c resolved "$out/resolved")" 4 "a larger amount resolves its alerts"
sql $database postgres -c "SELECT bcce.set_budget('other', 10, tenant => 'alpha'); SELECT bcce.check_budgets()" >"$out/again"
is "$(grep -c 'firing,2,f' "$out/again")" 4 "the former one fires them again"
heard >"$out/told"
is "$(cat "$out/told")" "" "of neither anybody is told"
sql $database postgres -c "UPDATE bcce_data.budget_alerts SET notified_at = notified_at - interval '1 day'" -c "SELECT bcce.set_budget('other', 1000, tenant => 'alpha'); SELECT bcce.check_budgets()" \
    -c "SELECT bcce.set_budget('other', 10, tenant => 'alpha'); SELECT bcce.check_budgets()" >/dev/null
heard >"$out/told"
is "$(cat "$out/told")" "$alpha" "a day after the last word the next firing is told"

exec {listener}>&-
wait
sql postgres postgres -c "DROP DATABASE $database" -c 'DROP ROLE regress_listener' >/dev/null
rm -rf "$out"
done_testing
