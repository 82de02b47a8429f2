#!/usr/bin/env bash
# Every SQL block of README.md prints what README.md says it prints.
exec python3 "$(dirname "$0")/../readme.py"
