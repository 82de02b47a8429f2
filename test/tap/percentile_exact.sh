#!/usr/bin/env bash
# Proves that exact percentiles can be cancelled whatever they are at, that no
# temporary file is left behind, and that damaged bytes of a state are refused or
# give some answer, but do no harm.  Speaks TAP.
set -euo pipefail
. "$(dirname "$0")/../lib/tap.sh"
work=$(mktemp -d)
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT

# Reading, writing to the file, dividing ties again and again, thousands of percentiles.
qs="(SELECT array_agg(i / 2000.0)::float8[] FROM generate_series(0, 2000) AS i)"
rows="generate_series(1, 3000000) AS g"
cancelled=0 missed=0 worst=0
for query in \
    "SELECT bcce.percentile_exact((g % 7919) * interval '1 us', $qs) FROM $rows" \
    "SELECT bcce.percentile_exact(g / 3e6, $qs), bcce.median(g % 2) FROM $rows" \
    "SELECT count(m) FROM (SELECT bcce.percentile_exact(g, $qs) OVER (PARTITION BY g / 1000000) AS m FROM $rows OFFSET 0) AS t"; do
    for wait in 30 300 1000 2500; do
        got=$(sql "$PGDATABASE" postgres <<SQL
\set VERBOSITY sqlstate
SET work_mem = '64kB';
SET max_parallel_workers_per_gather = 0;
SELECT clock_timestamp() AS began \gset
SET statement_timeout = $wait;
\o /dev/null
$query;
\o
RESET statement_timeout;
SELECT round(1000 * extract(epoch FROM clock_timestamp() - :'began'::timestamptz)) - $wait;
SQL
        )
        late=${got##*$'\n'}
        # One that was done before its time is nobody's fault: machines differ.
        if [[ $got = *57014* ]]; then
            cancelled=$((cancelled + 1))
        elif [ "$late" -gt 0 ]; then
            missed=$((missed + 1))
        fi
        [ "$late" -le "$worst" ] || worst=$late
    done
done
is "$missed" 0 "cancelled wherever it is"
ok $((cancelled < 3)) "each query at least at its beginning ($cancelled of 12)"
echo "# latest $worst ms after the timeout, two round trips included"
is "$(sql "$PGDATABASE" postgres -c "SELECT count(*) FROM pg_ls_tmpdir()")" 0 "no temporary file is left"

# A library that calls the functions of the aggregate with states of our own.
if ! ${CC:-cc} -shared -fPIC -I"$("${PG_CONFIG:-pg_config}" --includedir-server)" -o "$work/state.so" "$(dirname "$0")/../lib/aggregate_state.c" 2>"$work/cc.log"; then
    ok 1 "build of the library"
    sed 's/^/# /' "$work/cc.log" | head -n 5
    done_testing
fi
chmod 644 "$work/state.so"
sql "$PGDATABASE" postgres >/dev/null <<SQL
CREATE FUNCTION make_state(anyarray, float8[], regprocedure, regprocedure) RETURNS bytea AS '$work/state.so' LANGUAGE C STRICT;
CREATE FUNCTION end_state(bytea, regprocedure, regprocedure, regprocedure) RETURNS boolean AS '$work/state.so' LANGUAGE C STRICT;
CREATE FUNCTION damage(bytes bytea, final regprocedure, OUT whole boolean, OUT refused int, OUT harmless int, OUT other text) LANGUAGE plpgsql AS \$\$
DECLARE
    damaged bytea;
BEGIN
    refused := 0;
    harmless := 0;
    whole := end_state(bytes, 'bcce.exact_deserialize(bytea, internal)', 'bcce.exact_combine(internal, internal)', final);
    FOR i IN 0..length(bytes) - 1 LOOP
        FOREACH damaged IN ARRAY ARRAY[set_byte(bytes, i, get_byte(bytes, i) # 1), set_byte(bytes, i, get_byte(bytes, i) # 128),
                                       set_byte(bytes, i, 255 - get_byte(bytes, i)), substr(bytes, 1, i), bytes || substr(bytes, 1, i + 1)] LOOP
            BEGIN
                PERFORM end_state(damaged, 'bcce.exact_deserialize(bytea, internal)', 'bcce.exact_combine(internal, internal)', final);
                harmless := harmless + 1;
            EXCEPTION WHEN OTHERS THEN
                IF SQLSTATE IN ('22P03', '08P01', '54000', '22008') THEN refused := refused + 1; ELSE other := SQLSTATE || ' ' || SQLERRM; END IF;
            END;
        END LOOP;
    END LOOP;
END \$\$;
SQL
state() { echo "make_state($1, '{{0.5,NULL},{0,1}}', 'bcce.percentile_exact_step(internal, $2, double precision[])', 'bcce.exact_serialize(internal)')"; }
like "$(sql "$PGDATABASE" postgres -c "SELECT (damage($(state "ARRAY[3, 'NaN', -1, 1e300]::float8[]" 'double precision'), 'bcce.percentiles_exact_final(internal)')).*")" \
    '^t\|[1-9][0-9]{2}\|[0-9]+\|$' "damaged bytes of numbers are refused, or are an answer"
like "$(sql "$PGDATABASE" postgres -c "SELECT (damage($(state "ARRAY['1 day', '-3 mons', '00:00:01']::interval[]" interval), 'bcce.percentiles_exact_interval_final(internal)')).*")" \
    '^t\|[1-9][0-9]{2}\|[0-9]+\|$' "damaged bytes of intervals are refused, or are an answer"
sql "$PGDATABASE" postgres -c "DROP FUNCTION damage, make_state, end_state" >/dev/null
done_testing
