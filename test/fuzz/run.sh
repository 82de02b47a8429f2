#!/usr/bin/env bash
# Builds the scanner with sanitizers and fuzzes it: run.sh [seconds] [seed]
set -euo pipefail
cd "$(dirname "$0")/../.."

binary=test/fuzz/fuzz_scan.bin
"${CC:-cc}" -g -O1 -std=gnu99 -Wall -Wextra -Werror -fsanitize=address,undefined \
    -fno-sanitize-recover=all -Isrc -o "$binary" test/fuzz/fuzz_scan.c \
    src/redact/scan.c src/redact/context.c src/redact/render.c src/redact/anchors*.c src/redact/detect_*.c -lm
"$binary" "${1:-10}" "${2:-1}"
