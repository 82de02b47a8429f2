#!/usr/bin/env bash
# Proves that a membership or role changed by one session reaches another at
# its next statement, also within a transaction, and that nothing uncommitted
# does.  Connects with the PG* environment as a superuser; makes a database of
# its own and drops it.  Output is TAP.
set -euo pipefail

database=bcce_membership_cache_$$
work=$(mktemp -d)
export PSQLRC=/dev/null PGOPTIONS="-c client_min_messages=warning"
test_count=0
failed=0
declare -A to from pid

# psql in the maintenance database.
maintain() {
    psql -XAtq -v ON_ERROR_STOP=1 -d "${PGDATABASE:-postgres}" "$@"
}

# session NAME: starts a psql that reads and writes through pipes.
session() {
    mkfifo "$work/$1.in" "$work/$1.out"
    psql -XAtq -d "$database" <"$work/$1.in" >"$work/$1.out" 2>&1 &
    pid[$1]=$!
    exec {fd}>"$work/$1.in" && to[$1]=$fd
    exec {fd}<"$work/$1.out" && from[$1]=$fd
}

# send NAME SQL: does not wait.
send() {
    printf '%s;\n\\echo end\n' "$2" >&"${to[$1]}"
}

# answer NAME: what the session printed for the statement sent last.
answer() {
    local line result=
    while IFS= read -r -t 30 line <&"${from[$1]}"; do
        if [ "$line" = end ]; then
            printf '%s' "$result"
            return
        fi
        result+=${result:+ }$line
    done
    printf 'no answer'
}

# ask NAME SQL: sends and waits.
ask() {
    send "$1" "$2"
    answer "$1"
}

# run NAME SQL: as ask, for a statement that should print nothing.
run() {
    local output
    output=$(ask "$1" "$2")
    [ -z "$output" ] || echo "# $1: $output"
}

# is GOT EXPECTED NAME
is() {
    test_count=$((test_count + 1))
    if [ "$1" = "$2" ]; then
        echo "ok $test_count - $3"
    else
        failed=1
        echo "not ok $test_count - $3"
        echo "#   got: $1"
        echo "#   expected: $2"
    fi
}

# Waits until the reader waits for a lock.
wait_for_lock() {
    for _ in $(seq 100); do
        [ "$(maintain -c "SELECT count(*) FROM pg_stat_activity WHERE datname = '$database' AND wait_event_type = 'Lock'")" = 0 ] || return 0
        sleep 0.1
    done
    echo "# nobody waits for a lock"
}

clean_up() {
    local name
    for name in "${!to[@]}"; do
        fd=${to[$name]}
        exec {fd}>&-
        wait "${pid[$name]}" || true
    done
    maintain -c "DROP DATABASE IF EXISTS $database" \
        -c "DROP ROLE IF EXISTS regress_cached, regress_cached_team" || true
    rm -rf "$work"
}
trap clean_up EXIT

maintain -c "CREATE DATABASE $database" -c "CREATE ROLE regress_cached" -c "CREATE ROLE regress_cached_team"
psql -XAtq -v ON_ERROR_STOP=1 -d "$database" <<'SQL'
CREATE EXTENSION bcce;
INSERT INTO bcce_data.tenants (tenant_id, tenant_name, slug) VALUES
    ('aaaaaaaa-0000-0000-0000-000000000001', 'Tenant a', 'regress-a'),
    ('bbbbbbbb-0000-0000-0000-000000000002', 'Tenant b', 'regress-b');
GRANT USAGE ON SCHEMA bcce TO regress_cached, regress_cached_team;
GRANT EXECUTE ON FUNCTION bcce.current_tenant(), bcce.current_tenants() TO regress_cached, regress_cached_team;
SQL

a=aaaaaaaa-0000-0000-0000-000000000001
b=bbbbbbbb-0000-0000-0000-000000000002
mine="SELECT coalesce(bcce.current_tenant()::text, 'none')"

session reader
session writer
run reader "SET ROLE regress_cached"

is "$(ask reader "$mine")" none "no membership"
run writer "INSERT INTO bcce_private.membership (role_name, tenant_id) VALUES ('regress_cached', '$a')"
is "$(ask reader "$mine")" $a "a committed row arrives"

run writer "BEGIN; UPDATE bcce_private.membership SET tenant_id = '$b'"
is "$(ask reader "$mine")" $a "an uncommitted change does not"
run writer "ROLLBACK"
is "$(ask reader "$mine")" $a "nor one rolled back"
run writer "UPDATE bcce_private.membership SET tenant_id = '$b'"
is "$(ask reader "$mine")" $b "an update arrives"

run reader "BEGIN"
is "$(ask reader "$mine")" $b "within a transaction"
run writer "DELETE FROM bcce_private.membership"
is "$(ask reader "$mine")" none "a revocation ends access at the next statement of the same transaction"
run reader "COMMIT"

run writer "INSERT INTO bcce_private.membership (role_name, tenant_id) VALUES ('regress_cached', '$a')"
run reader "BEGIN ISOLATION LEVEL REPEATABLE READ"
is "$(ask reader "$mine")" $a "within a repeatable read transaction"
run writer "UPDATE bcce_private.membership SET valid_until = now()"
is "$(ask reader "$mine")" none "an expiry ends access there as well"
run reader "COMMIT"

run writer "TRUNCATE bcce_private.membership"
run writer "INSERT INTO bcce_private.membership (role_name, tenant_id) VALUES ('regress_cached_team', '$b')"
is "$(ask reader "$mine")" none "not in the team"
run writer "GRANT regress_cached_team TO regress_cached"
is "$(ask reader "$mine")" $b "GRANT arrives"
run writer "REVOKE regress_cached_team FROM regress_cached"
is "$(ask reader "$mine")" none "REVOKE arrives"

# The reader's cache is empty and it waits for the table while the row changes.
run writer "INSERT INTO bcce_private.membership (role_name, tenant_id) VALUES ('regress_cached', '$a')"
run writer "BEGIN; LOCK TABLE bcce_private.membership IN ACCESS EXCLUSIVE MODE"
send reader "$mine"
wait_for_lock
run writer "UPDATE bcce_private.membership SET tenant_id = '$b' WHERE role_name = 'regress_cached'; COMMIT"
is "$(answer reader)" $b "a change while the cache is being filled counts"
is "$(ask reader "$mine")" $b "and afterwards"
run writer "DELETE FROM bcce_private.membership"
is "$(ask reader "$mine")" none "and the next one arrives"

# Redaction rules reach other sessions in the same way.
found="SELECT bcce.redact_for('$a', 'Falcon')"
session ruled
is "$(ask ruled "$found")" Falcon "no redaction rule"
run writer "BEGIN"
ask writer "SELECT bcce.set_redaction_rule('project', 'Falcon', tenant => '$a')" >/dev/null
is "$(ask writer "$found") $(ask ruled "$found")" "[PROJECT] Falcon" "one that is not committed counts for its session only"
run writer "COMMIT"
run ruled "BEGIN"
is "$(ask ruled "$found")" "[PROJECT]" "a committed rule arrives"
run writer "UPDATE bcce_data.redaction_rules SET rule = 'bird'"
is "$(ask ruled "$found")" "[BIRD]" "a changed one at the next statement of the same transaction"
ask writer "SELECT bcce.set_redaction_style('numbered', '$a')" >/dev/null
is "$(ask ruled "$found")" "[BIRD_1]" "and so does a style"
run writer "TRUNCATE bcce_data.redaction_rules, bcce_data.redaction_styles"
is "$(ask ruled "$found")" Falcon "and a rule that is gone is gone"
run ruled "COMMIT"

run writer "DROP TABLE bcce_private.membership CASCADE"
is "$(ask reader "$mine")" none "no table, no tenant"

echo "1..$test_count"
exit $failed
