#!/usr/bin/env bash
# Redaction in databases of other encodings than UTF-8, with clients of others
# again, and with bytes that are no text in any: hits are found between
# characters of several bytes, positions count characters, nothing is lost or
# broken, and redacting again changes nothing.
# Needs a running server (PG*) and a superuser.
set -uo pipefail
. "$(dirname "$0")/../lib/tap.sh"

run() { psql -XqAt -v ON_ERROR_STOP=1 "$@" 2>&1; }
database=bcce_encodings
create() {
    run -d postgres -c "SET client_min_messages = error" -c "DROP DATABASE IF EXISTS $database" \
        -c "CREATE DATABASE $database ENCODING '$1' LOCALE 'C' TEMPLATE template0"
    # The functions alone: the whole extension takes longer, and is created once below.
    { echo "CREATE SCHEMA bcce;"; sed 's,MODULE_PATHNAME,$libdir/bcce,' "$(dirname "$0")/../../src/sql/code/20_redaction.sql"; } | run -d $database
}

# The same sentence in every encoding that can write it: before, between and behind.
for row in "LATIN1|Zoë Ünal à Orléans" "LATIN9|Zoë € Ünal" "WIN1252|Zoë “Ünal” €" "KOI8R|Привет мир" "EUC_JP|日本語テスト" "EUC_KR|한국어 시험" "EUC_TW|繁體中文" "EUC_CN|简体中文" "SQL_ASCII|Zoë 日本"; do
    encoding=${row%%|*} words=${row#*|}
    create "$encoding" >/dev/null
    got=$(PGCLIENTENCODING=$([ "$encoding" = SQL_ASCII ] && echo SQL_ASCII || echo UTF8) run -d $database -v words="$words" <<'SQL'
SELECT bcce.redact(t) = replace(replace(replace(t, 'jo@example.org', '[EMAIL]'), '10.1.2.3', '[IP]'), 'hunter2x', '[SECRET]')
    AND bcce.redact(bcce.redact(t)) = bcce.redact(t) AND bcce.redact(to_jsonb(t)) #>> '{}' = bcce.redact(t)
    AND length(bcce.redact(t, NULL, 'drop')) = length(t) - length('jo@example.org10.1.2.3hunter2x')
    AND (SELECT string_agg(substr(t, start, length), ' ' ORDER BY start) FROM bcce.find_pii(t)) = 'jo@example.org 10.1.2.3 hunter2x'
    AND bcce.redact(:'words') = :'words' AND octet_length(:'words') > 4
FROM (SELECT :'words' || ' jo@example.org ' || :'words' || ' 10.1.2.3 ' || :'words' || E'\npassword=hunter2x\n' || :'words' AS t) AS v;
SQL
    )
    is "$got" t "$encoding: found between characters of several bytes, and counted in characters"
done

run -d postgres -c "DROP DATABASE $database" -c "CREATE DATABASE $database ENCODING 'EUC_JP' LOCALE 'C' TEMPLATE template0" >/dev/null
is "$(run -d $database -c "SET client_min_messages = error" -c "CREATE EXTENSION bcce" -c "SELECT bcce.redact('jo@example.org')")" "[EMAIL]" "the extension can be created in EUC_JP"

# The client's encoding is converted before, and does not matter.
create UTF8 >/dev/null
for client in UTF8 LATIN1 EUC_JP SJIS BIG5 GB18030 SHIFT_JIS_2004 UHC; do
    is "$(PGCLIENTENCODING=$client run -d $database -c "SELECT bcce.redact('mail jo@example.org, id 10.1.2.3')")" "mail [EMAIL], id [IP]" "client encoding $client"
done
# Shift JIS has letters and backslashes as second bytes: 表 is 0x95 0x5C.
is "$(printf "SELECT count(*), max(start) FROM bcce.find_pii('\\225\\134 jo@example.org \\225\\134');\n" | PGCLIENTENCODING=SJIS run -d $database)" "1|3" "a client that sends Shift JIS"
create EUC_JP >/dev/null
is "$(printf "SELECT count(*), max(start) FROM bcce.find_pii('\\225\\134 jo@example.org \\225\\134');\n" | PGCLIENTENCODING=SJIS run -d $database)" "1|3" "the same into a database in EUC_JP"

# Any bytes at all, in SQL_ASCII, which checks none: every byte beside a hit, and random ones.
create SQL_ASCII >/dev/null
got=$(PGCLIENTENCODING=SQL_ASCII run -d $database <<'SQL'
SELECT count(*) || ' ' || count(*) FILTER (WHERE bcce.redact(t) NOT LIKE '%[EMAIL]%') || ' ' || count(*) FILTER (WHERE bcce.redact(bcce.redact(t)) <> bcce.redact(t))
FROM generate_series(128, 255) AS b, LATERAL (SELECT convert_from(decode(repeat(to_hex(b), 3) || encode(' jo@example.org ', 'hex') || repeat(to_hex(b), 2), 'hex'), 'SQL_ASCII') AS t) AS v;
SQL
)
is "$got" "128 0 0" "any byte that begins no character"
got=$(PGCLIENTENCODING=SQL_ASCII run -d $database <<'SQL'
SELECT count(*) FILTER (WHERE bcce.redact(once, ARRAY['all'], style) <> once OR position('jo@example.org' IN once) > 0) || ' of ' || count(*)
FROM generate_series(1, 2000) AS i, unnest(ARRAY['tag', 'mask', 'numbered', 'drop']) AS style,
    LATERAL (SELECT replace(decode(md5(i::text) || encode(' jo@example.org ', 'hex') || md5((-i)::text) || md5((i * 7)::text), 'hex')::text, '\x', '') AS hex) AS h,
    LATERAL (SELECT convert_from(decode(regexp_replace(regexp_replace(hex, '(..)', '\1 ', 'g'), '00 | ', '', 'g'), 'hex'), 'SQL_ASCII') AS t) AS v,
    LATERAL (SELECT bcce.redact(t, ARRAY['all'], style) AS once) AS r;
SQL
)
is "$got" "0 of 8000" "random bytes, in every style"

# Invalid UTF-8 never gets into a text; what is cut in a character is refused before.
create UTF8 >/dev/null
like "$(run -d $database -v VERBOSITY=sqlstate -c "SELECT bcce.redact(convert_from('\xc3', 'UTF8'))")" 22021 "half a character is an error of the server's"
is "$(run -d $database -c "SELECT bool_and(bcce.redact(left(t, n)) IS NOT NULL AND length(bcce.redact(left(t, n), NULL, 'drop')) <= n) FROM (VALUES ('日本 jo@exämple.org 日本 password=hüntér2 ☃ +41 44 668 18 00')) AS v (t), generate_series(0, length(t)) AS n")" t "texts cut at every character"
run -d postgres -c "DROP DATABASE $database" >/dev/null
done_testing
