#!/usr/bin/env bash
# Checks verify_hmac() against every sha256 and sha512 vector of RFC 4231 and
# Wycheproof.  Speaks TAP.  Needs a running server with bcce (PGHOST, PGDATABASE
# ... as for psql) and python3.
#
# Vectors whose tag is shorter than the digest are right for the primitive but
# must be refused by our verifier: a webhook's signature is the whole code.
set -euo pipefail

corpora=${BCCE_DATA:+$BCCE_DATA/../../corpora/hmac}
corpora=${corpora:-$(dirname "$0")/../../../shared/corpora/hmac}
if [ ! -r "$corpora/rfc4231.json" ]; then
    echo "1..1"
    echo "ok 1 # SKIP no vectors at $corpora"
    exit 0
fi

# One statement that answers one TAP line per vector.
statement() {
    python3 - "$corpora" <<'PYTHON'
import glob
import json
import os
import sys

DIGEST_BYTES = {"sha256": 32, "sha512": 64}
folder = sys.argv[1]
rows = []


def add(name, algorithm, key, data, tag, valid):
    """One vector: our answer is true only for a valid tag of full length."""
    whole = len(tag) // 2 == DIGEST_BYTES[algorithm]
    if valid and not whole:
        name += " (truncated: refused)"
    name = name.replace("'", "''")
    rows.append(f"('{name}', '{algorithm}', '\\x{key}'::bytea, '\\x{data}'::bytea, "
                f"'\\x{tag}'::bytea, {'true' if valid and whole else 'false'})")


with open(os.path.join(folder, "rfc4231.json")) as file:
    for case in json.load(file)["cases"]:
        for algorithm in DIGEST_BYTES:
            tag = case.get(algorithm)
            if tag:
                add(f"RFC 4231 case {case['case']} {algorithm}", algorithm,
                    case["key_hex"], case["data_hex"], tag, True)
                add(f"RFC 4231 case {case['case']} {algorithm} 128 bits", algorithm,
                    case["key_hex"], case["data_hex"], tag[:32], True)

for path in sorted(glob.glob(os.path.join(folder, "wycheproof_*.json"))):
    with open(path) as file:
        suite = json.load(file)
    algorithm = suite["algorithm"].lower().replace("hmac", "")
    if algorithm not in DIGEST_BYTES:
        continue
    for group in suite["testGroups"]:
        for test in group["tests"]:
            add(f"Wycheproof {algorithm} {test['tcId']} {test['comment']}", algorithm,
                test["key"], test["msg"], test["tag"], test["result"] == "valid")

print(f"SELECT '1..{len(rows)}';")
print("SELECT CASE WHEN bcce.verify_hmac(data, tag, key, algorithm) = expected THEN 'ok ' ELSE 'not ok ' END"
      " || row_number() OVER () || ' - ' || name")
print("FROM (VALUES")
print(",\n".join(rows))
print(") AS vector (name, algorithm, key, data, tag, expected);")
PYTHON
}

output=$(statement | psql -X -q -A -t -v ON_ERROR_STOP=1)
echo "$output"
! grep -q '^not ok' <<<"$output"
