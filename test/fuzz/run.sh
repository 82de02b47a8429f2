#!/usr/bin/env bash
# Builds the parts that need no server with sanitizers and fuzzes them, the
# seconds for each: run.sh [seconds] [seed]
set -euo pipefail
cd "$(dirname "$0")/../.."

# fuzz NAME SOURCES: builds test/fuzz/NAME.c and runs it.
fuzz() {
    local name=$1
    shift
    "${CC:-cc}" -g -O1 -std=gnu99 -Wall -Wextra -Werror -fsanitize=address,undefined \
        -fno-sanitize-recover=all -Isrc -o "test/fuzz/$name.bin" "test/fuzz/$name.c" "$@" -lm
    "test/fuzz/$name.bin" "$seconds" "$seed"
}

seconds=${1:-10}
seed=${2:-1}
fuzz fuzz_scan src/redact/scan.c src/redact/context.c src/redact/render.c src/redact/detect_*.c
fuzz fuzz_sketch src/stats/sketch.c src/stats/sketch_bound.c src/stats/sketch_read.c \
    src/stats/sketch_pack.c src/stats/sketch_text.c src/stats/sketch_sum.c
