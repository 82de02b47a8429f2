#!/usr/bin/env bash
# Builds the scanner with sanitizers and fuzzes it: run.sh [seconds] [seed]
# With CORPUS=folder and clang, by libFuzzer, which keeps what it learns there.
set -euo pipefail
cd "$(dirname "$0")/../.."

binary=test/fuzz/fuzz_scan.bin
sources=(test/fuzz/fuzz_scan.c src/redact/{scan,context,render}.c src/redact/anchors*.c src/redact/detect_*.c)
flags=(-g -O1 -std=gnu99 -Wall -Wextra -Werror -fsanitize=address,undefined -fno-sanitize-recover=all -Isrc)
if [ -n "${CORPUS:-}" ]; then
    mkdir -p "$CORPUS"
    clang "${flags[@]}" -fsanitize=fuzzer -DLIBFUZZER -o "$binary" "${sources[@]}" -lm
    "$binary" -max_total_time="${1:-10}" -seed="${2:-1}" -max_len=800 "$CORPUS"
else
    "${CC:-cc}" "${flags[@]}" -o "$binary" "${sources[@]}" -lm
    "$binary" "${1:-10}" "${2:-1}"
fi
