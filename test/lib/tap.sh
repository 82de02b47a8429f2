# tap.sh: TAP for test scripts.  Sourced, not run.
export PSQLRC=/dev/null
export PGTZ=UTC
test_count=0
any_failed=0

# ok STATUS NAME: STATUS 0 is good.
ok() {
    test_count=$((test_count + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $test_count - $2"
    else
        any_failed=1
        echo "not ok $test_count - $2"
    fi
}

# is GOT EXPECTED NAME: long values show their first lines.
is() {
    if [ "$1" = "$2" ]; then
        ok 0 "$3"
    else
        ok 1 "$3"
        diff <(printf '%s\n' "$2") <(printf '%s\n' "$1") | head -n 12 | cut -c1-400 | sed 's/^/# /' || true
    fi
}

# like GOT PATTERN NAME
like() {
    if [[ $1 =~ $2 ]]; then
        ok 0 "$3"
    else
        ok 1 "$3"
        printf '#   got: %s\n#   no match for: %s\n' "$(printf '%s' "$1" | head -n 5 | tr '\n' ' ' | cut -c1-600)" "$2"
    fi
}

skip_all() {
    echo "1..1"
    echo "ok 1 # SKIP $1"
    exit 0
}

done_testing() {
    echo "1..$test_count"
    exit $any_failed
}

# sql DATABASE [ROLE] reads statements from stdin or -c; errors are part of what it prints.
sql() {
    local database=$1 role=${2:-postgres}
    shift; [ $# -eq 0 ] || shift
    psql -XAtq -U "$role" -d "$database" "$@" 2>&1 || true
}

# sqlstate DATABASE ROLE STATEMENT: what the statement prints, or its SQLSTATE.
sqlstate() {
    psql -XAtq -v VERBOSITY=sqlstate -U "$2" -d "$1" -c "$3" 2>&1 || true
}

# own_server NAME: a cluster of this script's own, stopped when it ends.
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
own_server() {
    if [ -z "${work:-}" ]; then
        make_work tap
        trap clean_up EXIT
    fi
    pg_bin=$("${PG_CONFIG:-pg_config}" --bindir)
    PATH="$pg_bin:$PATH"
    start_cluster "$@"
}
