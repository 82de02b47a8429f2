#!/usr/bin/env bash
# Proves that set_context() takes what scripts/mint-token and the programs of
# docs/security.md sign, and what they print of a key.  Speaks TAP.
set -euo pipefail
. "$(dirname "$0")/../lib/tap.sh"
root=$(cd "$(dirname "$0")/../.." && pwd)
command -v python3 >/dev/null && command -v openssl >/dev/null || skip_all "python3 or openssl is not installed"
openssl version | grep -qE 'OpenSSL ([3-9]|[1-9][0-9])' || skip_all "OpenSSL is older than 3"

database=bcce_mint_token_$$
work=$(mktemp -d)
clean() {
    psql -Xq -d postgres -c "DROP DATABASE IF EXISTS $database WITH (FORCE)" -c 'DROP ROLE IF EXISTS "regress_mint ""é"' >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap clean EXIT
role='regress_mint "é'
psql -Xq -d postgres -c "CREATE DATABASE $database"
sql $database postgres >/dev/null <<'SQL'
CREATE EXTENSION bcce;
SELECT bcce.create_tenant('alpha', 'Alpha'), bcce.create_tenant('beta', 'Beta'), bcce.create_login('regress_mint "é', NULL, 'token');
SQL
alpha=$(sql $database postgres -c "SELECT tenant_id FROM bcce_data.tenants WHERE slug = 'alpha'")
beta=$(sql $database postgres -c "SELECT tenant_id FROM bcce_data.tenants WHERE slug = 'beta'")
assertion=$(sql $database postgres -c "SELECT bcce.context_assertion()")
# takes TOKEN: the tenants that it gives.
takes() {
    sql $database "$role" -c "BEGIN; SELECT bcce.set_context('$1'); SELECT array_length(bcce.current_tenants(), 1), bcce.current_tenants() <@ '{$alpha,$beta}'" | tail -n 1
}

statement=$("$root/scripts/mint-token" new-key "$work/key.pem" portal)
is "$(stat -c %a "$work/key.pem")" 600 "a private key is its owner's"
is "$("$root/scripts/mint-token" new-key "$work/key.pem" portal 2>&1 | grep -c exists)" 1 "and not written over"
is "$(sql $database postgres -v ON_ERROR_STOP=1 -c "$statement" -c "SELECT count(*) FROM bcce_private.context_key")" "$(printf '\n1')" "a database takes its public key by the statement that is printed"
mint() {
    "$root/scripts/mint-token" sign --key "$work/key.pem" --kid portal --role "$role" --for "$assertion" "$@"
}
is "$(takes "$(mint --tenant "$alpha")")" "1|t" "scripts/mint-token signs for one tenant"
is "$(takes "$(mint --tenant "$beta" --tenant "$alpha")")" "2|t" "and for two"
like "$(takes "$(mint --tenant "$alpha" --minutes 20)")" 'HINT' "not for longer than the database allows"

# The programs of the documentation, as they are printed there.
block() {
    awk -v fence="\`\`\`$1" '$0 == fence { on = 1; next } /^```/ { on = 0 } on' "$root/docs/security.md"
}
export KEY=$work/key.pem ASSERTION=$assertion ROLE=$role ALPHA=$alpha BETA=$beta
if python3 -c 'import cryptography' 2>/dev/null; then
    { block python; echo 'import os; e = os.environ; print(mint(open(e["KEY"], "rb").read(), "portal", e["ASSERTION"], e["ROLE"], [e["BETA"], e["ALPHA"]]))'; } >"$work/mint.py"
    is "$(takes "$(python3 "$work/mint.py")")" "2|t" "the program in Python"
else
    ok 0 "the program in Python # SKIP the package cryptography is not installed"
fi
if command -v node >/dev/null; then
    { block js; echo 'const e = process.env; console.log(mint(require("fs").readFileSync(e.KEY), "portal", e.ASSERTION, e.ROLE, [e.BETA, e.ALPHA]));'; } >"$work/mint.js"
    is "$(takes "$(node "$work/mint.js")")" "2|t" "the program in JavaScript"
else
    ok 0 "the program in JavaScript # SKIP node is not installed"
fi
done_testing
