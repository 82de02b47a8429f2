#!/usr/bin/env bash
# Every SQL block of the pages for analysts, BI tools and the DBA runs, and
# prints what the page says it prints.
docs=$(dirname "$0")/../../docs
exec python3 "$(dirname "$0")/../docs.py" "$docs/analyst.md" "$docs/bi.md" "$docs/dba.md" "$docs/security.md"
