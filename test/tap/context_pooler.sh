#!/usr/bin/env bash
# Proves that a context does not pass from one client to the next when pgbouncer
# in transaction mode serves both on one server connection.  Speaks TAP.
set -euo pipefail
. "$(dirname "$0")/../lib/tap.sh"
lib=$(cd "$(dirname "$0")/../lib" && pwd)
pgbouncer=$(PATH=$PATH:/usr/sbin command -v pgbouncer) || skip_all "pgbouncer is not installed"

own_server pooled >/dev/null
createdb shop
sql shop postgres >/dev/null <<SQL
CREATE EXTENSION bcce;
\\i $lib/sign.sql
SELECT bcce.create_tenant('alpha', 'Alpha'), bcce.create_tenant('beta', 'Beta'), bcce.create_login('bi', NULL, 'token'), bcce.create_login('ann', 'alpha');
SELECT bcce.add_membership('ann', 'beta');
SELECT bcce.add_context_key('test', pg_temp.public_key(pg_temp.seed('test')));
SQL
# mint TENANT...
mint() {
    sql shop postgres -f "$lib/sign.sql" -c "SELECT pg_temp.mint(pg_temp.claims('bi', array_agg(tenant_id))) FROM bcce_data.tenants WHERE slug = ANY (string_to_array('$*', ' '))"
}
alpha=$(mint alpha) beta=$(mint beta) both=$(mint alpha beta)

pool=$work/pool
mkdir "$pool"
printf '"bi" ""\n"ann" ""\n' >"$pool/users"
cat >"$pool/ini" <<INI
[databases]
shop = host=$PGHOST port=$PGPORT dbname=shop
[pgbouncer]
listen_addr =
unix_socket_dir = $pool
listen_port = 6432
auth_type = trust
auth_file = $pool/users
pool_mode = transaction
default_pool_size = 1
ignore_startup_parameters = extra_float_digits,options
logfile = $pool/log
pidfile = $pool/pid
INI
[ "$(id -u)" -ne 0 ] || chown -R "$server_user" "$pool"
as_server "$pgbouncer" -d "$pool/ini" >/dev/null 2>&1
stop_pool() {
    kill "$(cat "$pool/pid" 2>/dev/null)" 2>/dev/null || true
    clean_up
}
trap stop_pool EXIT

# Two clients that stay connected, each read and written through pipes.
declare -A to from
client() {
    mkfifo "$work/$1.in" "$work/$1.out"
    psql -XAtq -v VERBOSITY=sqlstate -h "$pool" -p 6432 -U "$2" -d shop <"$work/$1.in" >"$work/$1.out" 2>&1 &
    exec {fd}>"$work/$1.in" && to[$1]=$fd
    exec {fd}<"$work/$1.out" && from[$1]=$fd
}
send() {
    printf '%s;\n\\echo end\n' "$2" >&"${to[$1]}"
}
answer() {
    local line result=
    while IFS= read -r -t 20 line <&"${from[$1]}"; do
        if [ "$line" = end ]; then
            printf '%s' "$result"
            return
        fi
        [ -z "$line" ] || result+=${result:+ }$line
    done
    printf 'no answer'
}
ask() {
    send "$1" "$2"
    answer "$1"
}
mine="SELECT coalesce(string_agg(tenant_name, ',' ORDER BY tenant_name), 'none') FROM bcce.analytics_overview"
client a bi
client b bi
server=$(ask a "SELECT pg_backend_pid()")
is "$(ask b "SELECT pg_backend_pid()")" "$server" "two clients share a server connection"
is "$(ask a "BEGIN; SELECT bcce.set_context('$alpha'); $mine; COMMIT")" Alpha "one presents a token"
is "$(ask b "$mine")" none "the other sees nothing of it"
is "$(ask b "BEGIN; SELECT bcce.set_context('$beta'); $mine; COMMIT")" Beta "and presents its own"
is "$(ask a "$mine")" none "of which the first sees nothing"
is "$(ask a "BEGIN; SELECT bcce.set_context('$alpha'); $mine")" Alpha "a transaction that stays open"
send b "$mine"
is "$(ask a "$mine; COMMIT")" Alpha "keeps its own while the other waits"
is "$(answer b)" none "and leaves nothing to it"
is "$(ask a "BEGIN; SELECT bcce.set_context('$alpha'); SELECT 1 / 0")" "ERROR:  22012" "a transaction that fails"
is "$(ask a "ROLLBACK")$(ask b "$mine")" none "leaves nothing either"
is "$(ask a "BEGIN; SELECT bcce.set_context('$both'); SELECT bcce.use_tenant('beta'); $mine; COMMIT")" Beta "a tenant chosen for the transaction"
is "$(ask b "BEGIN; SELECT bcce.set_context('$both'); $mine; COMMIT")" none "is not chosen for the other client"
is "$(ask b "SELECT pg_backend_pid()")" "$server" "all of it on one connection"

# Bind parameters through the pooler: pgbench's extended protocol.
cat >"$work/bind.sql" <<'SQL'
BEGIN;
SELECT bcce.set_context(:token);
SELECT 1 / count(*)::int FROM bcce.analytics_overview WHERE tenant_name = 'Alpha';
COMMIT;
SQL
bench() {
    "$pg_bin/pgbench" -n -t 20 -c 2 -M extended -D "token=$1" -h "$pool" -p 6432 -U bi -f "$work/bind.sql" shop 2>&1 | grep -E 'processed|ERROR' | head -n 1
}
like "$(bench "$alpha")" 'processed: 40/40' "a token as bind parameter"
like "$(bench "$beta")" 'division by zero|processed: 0/40' "and the tenant is that of the token"

# A login of its own with several tenants: the default way of choosing.
client c ann
client d ann
is "$(ask c "BEGIN; SELECT bcce.use_tenant('alpha'); $mine; COMMIT")" Alpha "a member chooses"
is "$(ask d "$mine")" none "for its own transaction"
done_testing
