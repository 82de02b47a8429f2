#!/usr/bin/env bash
# Builds the parts that need no server with sanitizers and fuzzes them, the
# seconds for each: run.sh [seconds] [seed]
# With CORPUS=folder and clang the scanner is fuzzed by libFuzzer, which keeps
# there what it learns; TARGETS="fuzz_sketch fuzz_token" names others that have
# an entry for it (LIBFUZZER), or some of all without CORPUS.  fuzz_scan.hex holds
# what it kept before, and inputs that failed once; they are tried first.
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${1:-10}
seed=${2:-1}
flags=(-g -O1 -std=gnu99 -Wall -Wextra -Wno-unused-parameter -Werror -fsanitize=address,undefined -fno-sanitize-recover=all -Isrc)
scanner=(src/redact/{context,render,rules}.c src/redact/{scan,anchors}*.c src/redact/detect_*.c)
token=(src/crypto/token{,_json,_claims}.c)
sketch=(src/stats/sketch{,_bound,_read,_pack,_text,_sum,_window}.c)
values=(src/stats/{values,values_select,select}.c)
quality=(src/stats/{quality,sort,two_samples,sketch_sum}.c "${values[@]}")

# fuzz NAME SOURCES: builds test/fuzz/NAME.c and runs it.
fuzz() {
    local name=$1 hex
    shift
    [[ " $targets " = *" $name "* ]] || return 0
    hex=$(ls "test/fuzz/$name.hex" 2>/dev/null || true)
    if [ -z "${CORPUS:-}" ]; then
        "${CC:-cc}" "${flags[@]}" -o "test/fuzz/$name.bin" "test/fuzz/$name.c" "$@" -lm -lsodium
        "test/fuzz/$name.bin" "$seconds" "$seed" $hex
        return
    fi
    mkdir -p "$CORPUS/$name"
    [ -z "$hex" ] || python3 -c 'import sys
for n, line in enumerate(open(sys.argv[1])):
    open(f"{sys.argv[2]}/kept-{n}", "wb").write(bytes.fromhex(line))' "$hex" "$CORPUS/$name"
    clang "${flags[@]}" -Wno-unused-function -fsanitize=fuzzer -DLIBFUZZER -o "test/fuzz/$name.bin" "test/fuzz/$name.c" "$@" -lm -lsodium
    "test/fuzz/$name.bin" -max_total_time="$seconds" -seed="$seed" -max_len=800 "$CORPUS/$name"
}

all="fuzz_scan fuzz_sketch fuzz_token fuzz_values fuzz_survival fuzz_quality"
targets=${TARGETS:-${CORPUS:+fuzz_scan}}
targets=${targets:-$all}
fuzz fuzz_scan "${scanner[@]}"
fuzz fuzz_sketch "${sketch[@]}"
fuzz fuzz_token "${token[@]}"
fuzz fuzz_values "${values[@]}"
fuzz fuzz_survival src/stats/{sort,survival}.c
fuzz fuzz_quality "${quality[@]}"
