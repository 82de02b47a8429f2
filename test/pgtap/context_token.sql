-- Proves that a context token is taken as it was signed or not at all, and that
-- whoever tries learns nothing but that it is not valid.
\set ON_ERROR_STOP on
\set QUIET on
BEGIN;
SET client_min_messages = error;
\ir ../lib/sign.sql
SELECT plan(49);

SELECT bcce.create_tenant('tap-a', 'Tenant A') AS a, bcce.create_tenant('tap-b', 'Tenant B') AS b \gset
SELECT bcce.create_login('regress_tap_bi', NULL, 'token'), bcce.create_login('regress_tap_bi2', NULL, 'token'),
       bcce.create_login('regress_tap_user', 'tap-a'), bcce.create_login('Ärger "☕"', NULL, 'token') \g /dev/null
CREATE ROLE regress_tap_direct IN ROLE bcce_token, bcce_analytics_user;
SELECT bcce.add_context_key('test', pg_temp.public_key(pg_temp.seed('test'))),
       bcce.add_context_key('other', pg_temp.public_key(pg_temp.seed('other'))) \g /dev/null

-- What the caller gets from a token: its tenants, or everything an error tells.
CREATE FUNCTION pg_temp.attempt(token text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    message text; detail text; hint text; result text;
BEGIN
    BEGIN
        PERFORM bcce.set_context(token);
        result := bcce.current_tenants()::text;
        RAISE EXCEPTION USING ERRCODE = 'ZZ001';    -- takes the context back
    EXCEPTION
        WHEN SQLSTATE 'ZZ001' THEN RETURN result;
        WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            RETURN concat_ws('|', SQLSTATE, message, detail, hint);
    END;
END
$$;
-- Claims of the login for tenant A.
CREATE FUNCTION pg_temp.usual(more jsonb DEFAULT '{}') RETURNS text LANGUAGE sql AS
$$SELECT pg_temp.claims('regress_tap_bi', ARRAY[current_setting('tap.a')]::uuid[], more)$$;
-- Raw JSON behind the usual claims.
CREATE FUNCTION pg_temp.and_raw(claims text) RETURNS text LANGUAGE sql AS
$$SELECT rtrim(pg_temp.usual(), '}') || ', ' || claims || '}'$$;
SELECT set_config('tap.a', :'a', true) \g /dev/null
SELECT '28000|the context token is not valid||Get a new token for this role and for what bcce.context_assertion() says; the server log has the reason.' AS refused,
       format('{%s}', :'a'::uuid) AS tenant_a, pg_temp.mint(pg_temp.usual()) AS good \gset
-- Every token of a list is refused, all in the same words.
CREATE FUNCTION pg_temp.outcomes(tokens text[]) RETURNS text LANGUAGE sql AS
$$SELECT string_agg(DISTINCT pg_temp.attempt(t), E'\n') FROM unnest(tokens) AS t$$;

SET ROLE regress_tap_bi;
SELECT is(pg_temp.attempt(:'good'), :'tenant_a', 'a good token gives its tenant');
SELECT is(pg_temp.attempt(pg_temp.mint(pg_temp.usual('{"nbf": "2026-01-01T00:00:00Z", "jti": "x", "iss": "portal"}'))), :'tenant_a', 'with claims that are for people, too');
SELECT is(pg_temp.attempt(pg_temp.mint(pg_temp.usual(), 'other', footer => '{"kid":"other"}')), :'tenant_a', 'signed with another trusted key');

-- Every byte and bit.
SELECT is(pg_temp.outcomes(array_agg(overlay(:'good' PLACING chr(ascii(substr(:'good', i, 1)) # (1 << bit)) FROM i FOR 1))), :'refused', 'every bit of every byte flipped: refused')
FROM generate_series(1, length(:'good')) AS i, generate_series(0, 6) AS bit WHERE ascii(substr(:'good', i, 1)) # (1 << bit) <> 0;
SELECT is(pg_temp.outcomes(array_agg(left(:'good', i))), :'refused', 'cut after any byte: refused') FROM generate_series(0, length(:'good') - 1) AS i;
SELECT is(pg_temp.outcomes(array_agg(left(:'good', i) || substr(:'good', i + 2))), :'refused', 'any byte left out: refused') FROM generate_series(0, length(:'good') - 1) AS i;
SELECT is(pg_temp.outcomes(array_agg(left(:'good', i) || c || substr(:'good', i + 1))), :'refused', 'a byte put in anywhere: refused')
FROM generate_series(0, length(:'good')) AS i, unnest(ARRAY['A', '-', '_', '.', '=', '+', '/', ' ', 'é', E'\n', E'\x01']) AS c;

-- Algorithm confusion.
SELECT is(pg_temp.outcomes(array_agg(h || substr(:'good', 11))), :'refused', 'another header is refused')
FROM unnest('{v1.public.,v2.public.,v3.public.,v4.local.,v5.public.,V4.public.,v4.Public.,v4.public..,.v4.public.,v4public.," v4.public."}'::text[]) AS h;
RESET ROLE;
SELECT array_agg(pg_temp.mint_bytes(convert_to(pg_temp.usual(), 'UTF8'), pg_temp.seed('test'), bcce.context_assertion(), header => h)) AS headers
FROM unnest('{v1.public.,v2.public.,v4.local.,V4.public.}'::text[]) AS h \gset
SET ROLE regress_tap_bi;
SELECT is(pg_temp.outcomes(:'headers'::text[]), :'refused', 'also when it is signed');
SELECT is(pg_temp.attempt('eyJhbGciOiJub25lIn0.' || pg_temp.base64url(convert_to(pg_temp.usual(), 'UTF8')) || '.'), :'refused', 'a JWT of algorithm none is refused');
SELECT is(pg_temp.attempt('v4.public.' || pg_temp.base64url(convert_to(pg_temp.usual(), 'UTF8') || s) || '.' || pg_temp.base64url('{"kid":"test"}')), :'refused', 'a signature that is none is refused: ' || name)
FROM (VALUES ('zeros', decode(repeat('00', 64), 'hex')), ('missing', ''), ('short', decode(repeat('00', 63), 'hex')),
             ('hash under the public key', sha512(pg_temp.public_key(pg_temp.seed('test')) || convert_to(pg_temp.usual(), 'UTF8'))),
             ('identity', decode('01' || repeat('00', 63), 'hex'))) AS v (name, s);

-- What it is signed for and with.
SELECT is(pg_temp.outcomes(array_agg(pg_temp.mint(pg_temp.usual(), assertion => a))), :'refused', 'signed for another cluster or database: refused')
FROM unnest(ARRAY['', 'bcce', 'bcce|1|' || current_database(), replace(bcce.context_assertion(), current_database(), 'postgres'),
                  bcce.context_assertion() || ' ', bcce.context_assertion() || '|', upper(bcce.context_assertion())]) AS a;
SELECT is(pg_temp.attempt(pg_temp.mint(pg_temp.usual(), 'other')), :'refused', 'signed with another key than it names: refused');
SELECT is(pg_temp.attempt(pg_temp.mint(pg_temp.usual(), 'nobody', footer => '{"kid":"nobody"}')), :'refused', 'signed with a key that nobody trusts: refused');
SELECT is(pg_temp.outcomes(array_agg(pg_temp.mint(pg_temp.usual(), footer => f))), :'refused', 'a footer that is not just the name of its key: refused')
FROM unnest(ARRAY['', '{}', 'test', '"test"', '{"kid":"TEST"}', '{"kid":"test","kid":"test"}', '{"kid":"other","kid":"test"}', '{"kid":"test","wpk":"x"}', '{"kid":["test"]}',
                  '{"kid":"test"}x', '{"kid":"test\u0000"}', '{"kid":" test"}', '{"kid":"' || repeat('t', 65) || '"}', E'{"kid":"test'' OR true --"}', '{"kid":null}']) AS f;

-- Whom and what for.
SELECT is(pg_temp.outcomes(array_agg(pg_temp.mint(pg_temp.usual(jsonb_build_object('sub', s))))), :'refused', 'a token of another role: refused')
FROM unnest('{regress_tap_bi2,REGRESS_TAP_BI,regress_tap_b,"regress_tap_bi ",regress_tap_user,postgres,bcce_analytics_user,public,current_user,*}'::text[]) AS s;
SELECT is(pg_temp.outcomes(array_agg(pg_temp.mint(pg_temp.usual(c)))), :'refused', 'a claim that is missing, unknown or no string: refused')
FROM unnest(ARRAY['{"sub": null}', '{"tid": null}', '{"iat": null}', '{"exp": null}', '{"aud": "x"}', '{"cap": ["all"]}', '{"role": "bcce_platform"}', '{"": ""}', '{"tenants": []}', '{"sub": 1}',
                  '{"tid": []}', '{"tid": "*"}', '{"tid": ["*"]}', '{"tid": {"0": "x"}}', '{"tid": [null]}', '{"exp": 99999999999}', '{"exp": true}', '{"jti": 1}', '{"jti": {"a": {"b": []}}}']::jsonb[]) AS c;
SELECT is(pg_temp.outcomes(array_agg(pg_temp.mint(m))), :'refused', 'a claim given twice, however it is written: refused')
FROM unnest(ARRAY[pg_temp.and_raw('"sub": "regress_tap_bi"'), pg_temp.and_raw('"tid": ["' || :'b' || '"]'), pg_temp.and_raw('"\u0074id": ["' || :'b' || '"]'),
                  pg_temp.and_raw('"exp": "2099-01-01T00:00:00Z"'), pg_temp.and_raw('"iat": "2026-01-01T00:00:00Z"'), pg_temp.and_raw('"jti": "", "jti": ""'),
                  '{"tid": ["' || :'b' || '"], ' || ltrim(pg_temp.usual(), '{')]) AS m;
SELECT is(pg_temp.attempt(pg_temp.mint(pg_temp.usual(jsonb_build_object('tid', (SELECT array_agg(g) FROM (SELECT :'a'::uuid AS g UNION ALL SELECT gen_random_uuid() FROM generate_series(2, n)) s))))) LIKE '{%',
          n = 64, format('%s tenants are %s', n, CASE WHEN n = 64 THEN 'taken' ELSE 'too many' END)) FROM unnest('{64,65}'::integer[]) AS n;
SELECT is(pg_temp.attempt(pg_temp.mint(pg_temp.usual(jsonb_build_object('tid', ARRAY[:'a', :'a'])))), :'refused', 'a tenant given twice: refused');

-- When.
SELECT is(pg_temp.attempt(pg_temp.mint(pg_temp.usual(jsonb_build_object('iat', pg_temp.instant(clock_timestamp() + i), 'nbf', pg_temp.instant(clock_timestamp() + n),
                                                                        'exp', pg_temp.instant(clock_timestamp() + e))))), expected, name)
FROM (VALUES
    (interval '-10 min', interval '-10 min', interval '-1 ms', :'refused', 'expired a moment ago: refused'),
    ('-1 year', '-1 year', '-1 year + 10 min', :'refused', 'expired a year ago: refused'),
    ('0', '0', '15 min 1 s', :'refused', 'a longer life than allowed: refused'),
    ('-1 hour', '0', '10 min', :'refused', 'issued long ago for long: refused'),
    ('0', '0', '7000 years', :'refused', 'for ever: refused'),
    ('1 min', '1 min', '10 min', :'refused', 'not yet issued: refused'),
    ('0', '2 min', '10 min', :'refused', 'not yet valid: refused'),
    ('20 s', '20 s', '10 min', :'tenant_a', 'a clock that is ahead a little: taken')) AS v (i, n, e, expected, name);
SELECT is(pg_temp.outcomes(array_agg(pg_temp.mint(pg_temp.usual(jsonb_build_object('exp', e))))), :'refused', 'an expiry that is no instant: refused')
FROM unnest('{"",now,infinity,epoch,tomorrow,2099-01-01,"2099-01-01 00:00:00Z",2099-01-01T00:00:00,9999-99-99T99:99:99Z,-infinity,0}'::text[]) AS e;

-- Size and bytes.
SELECT is(pg_temp.attempt(t), :'refused', name)
FROM (VALUES (NULL, 'NULL: refused'), ('', 'empty: refused'), ('.', 'a dot: refused'), (repeat('.', 4000), 'dots: refused'), (repeat('A', 4097), '4097 bytes: refused'),
             ('v4.public.' || repeat('A', 50000000), '50 MB: refused'), (repeat('é', 2000), 'no ASCII: refused'), ('v4.public.' || repeat('AAAA', 1000), 'zeros: refused')) AS v (t, name);
SELECT is(pg_temp.outcomes(array_agg(pg_temp.mint_bytes(overlay(convert_to(pg_temp.usual('{"jti": "xxxx"}'), 'UTF8') PLACING bytes FROM position('xxxx'::bytea IN convert_to(pg_temp.usual('{"jti": "xxxx"}'), 'UTF8')) FOR 4), pg_temp.seed('test'), bcce.context_assertion()))),
          :'refused', 'invalid UTF-8, control characters and zeros under a good signature: refused')
FROM unnest('{"\\xff","\\xc3","\\xc0af","\\xe28","\\xeda080","\\xf4908080","\\x00","\\x0a","\\x1f"}'::text[]) AS t, LATERAL (SELECT decode(rpad(substr(t, 3), (length(t) - 1) / 2 * 2, '0'), 'hex')) AS d (bytes);
SELECT is(pg_temp.outcomes(array_agg(pg_temp.mint(m))), :'refused', 'claims that are no object, or more than one: refused')
FROM unnest(ARRAY['null', '[]', '"x"', '1', '{}', pg_temp.usual() || pg_temp.usual(), '[' || pg_temp.usual() || ']', pg_temp.usual() || ' x', replace(pg_temp.usual(), '"', ''''), '{' || pg_temp.usual() || '}',
                  '{"a":' || repeat('[', 1000) || repeat(']', 1000) || '}']) AS m;
RESET ROLE;

-- Others with the same token.
SET ROLE regress_tap_bi2;
SELECT is(pg_temp.attempt(:'good'), :'refused', 'another login that presents tokens cannot use it');
RESET ROLE;
SET ROLE regress_tap_user;
SELECT matches(pg_temp.attempt(:'good'), '^42501\|permission denied for function set_context', 'a login with a tenant of its own may not present any');
RESET ROLE;
SELECT pg_temp.mint(pg_temp.usual('{"sub": "regress_tap_direct"}')) AS direct, pg_temp.mint(pg_temp.usual(jsonb_build_object('sub', 'Ärger "☕"'))) AS odd, pg_temp.mint(pg_temp.usual(jsonb_build_object('sub', current_user))) AS super \gset
SET ROLE regress_tap_direct;
SELECT is(pg_temp.attempt(:'direct'), :'refused', 'nor one that was not told to, although it may call the function');
RESET ROLE;
SELECT is(pg_temp.attempt(:'super'), :'refused', 'nor a superuser');
SET ROLE "Ärger ""☕""";
SELECT is(pg_temp.attempt(:'odd'), :'tenant_a', 'a role of any name can');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
