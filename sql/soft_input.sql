-- Proves: the try_ functions take what the server's own conversions take within
-- their bounds, with the same result, answer NULL for all else and never raise,
-- whatever the bytes; and no setting of the session changes a point in time.
\set VERBOSITY sqlstate

-- points in time: the same instant from many writings
SELECT v, bcce.try_timestamptz(v) = '2026-03-04 05:06:07+00' AS same
FROM (VALUES ('2026-03-04 05:06:07'), ('2026-03-04T05:06:07Z'), ('2026-03-04t05:06:07z'), ('  2026-03-04 05:06:07+00 '),
             ('2026-03-04T07:06:07+02:00'), ('2026-03-04T00:06:07-0500'), ('2026-03-04 10:36:07+05:30'),
             ('2026-03-04T05:06:07.000000Z'), ('2026-03-04 05:06:07,000'), ('20260304T050607Z'), ('2026/03/04 05:06:07'),
             ('Wed, 04 Mar 2026 05:06:07 GMT'), ('4 March 2026 5:06:07 am UTC'), ('Mar 4 2026 05:06:07'), ('04-Mar-2026 05:06:07'),
             ('2026-03-04 06:06:07 Europe/Berlin'), ('2026-03-04 00:06:07 America/New_York'), ('2026-03-04 08:06:07 Etc/GMT-3'),
             ('2026-063 05:06:07'), ('Sat, 2026-03-04 05:06:07 ut'), ('04/Mar/2026:05:06:07 +0000'), ('2026-03-04 05:06:07,0 Z')) AS writings (v);
SELECT bcce.try_timestamptz('2026-03-04') = '2026-03-04 00:00+00' AS date_only,
       bcce.try_timestamptz('20260304') = '2026-03-04 00:00+00' AS basic_date,
       bcce.try_timestamptz('26-03-04') = '2026-03-04 00:00+00' AS short_year,
       bcce.try_timestamptz('2026-03-04 05:06:07.123456789') = '2026-03-04 05:06:07.123457+00' AS nanoseconds,
       bcce.try_timestamptz('0044-03-15 BC') = '0044-03-15 00:00+00 BC' AS ides,
       bcce.try_timestamptz('294276-12-31 23:59:59.999999') = '294276-12-31 23:59:59.999999+00' AS last_one;

-- the zone argument, also across a change to summer time
SELECT bcce.try_timestamptz('2026-07-01 12:00', 'Europe/Berlin') = '2026-07-01 10:00+00' AS summer,
       bcce.try_timestamptz('2026-01-01 12:00', 'Europe/Berlin') = '2026-01-01 11:00+00' AS winter,
       bcce.try_timestamptz('2026-01-01 12:00+05', 'Europe/Berlin') = '2026-01-01 07:00+00' AS own_zone_wins,
       bcce.try_timestamptz('2026-01-01 12:00', 'Europe/Nowhere') IS NULL AS unknown_zone,
       bcce.try_timestamptz('2026-01-01 12:00', '') IS NULL AS empty_zone,
       bcce.try_timestamptz('2026-01-01 12:00', '../../etc/passwd') IS NULL AS path,
       bcce.try_timestamptz('2026-01-01 12:00', 'Zürich') IS NULL AS multibyte_zone,
       bcce.try_timestamptz('2026-01-01 12:00', repeat('x', 100000)) IS NULL AS huge_zone;

-- what is no point in time, or is one that moves
SELECT v, bcce.try_timestamptz(v) IS NULL AS refused
FROM (VALUES ('now'), ('today'), ('tomorrow'), ('yesterday'), ('infinity'), ('-infinity'), ('epoch'), ('allballs'), ('today 10:00'),
             ('10:00'), ('2026-03-04 now'), ('2026-02-30'), ('2026-13-01'), ('04/03/2026'), ('2026-03-04 25:00'), ('2026-03-04 05:06 CST'),
             ('2026-03-04 05:06 GMT+2'), ('2026-03-04 05:06 UTC-2'), ('2026-03-04 05:06 EST5EDT'), ('2026-03-04 05:06+99'),
             ('1772600767'), ('1772600767000'), ('202603040506'), ('J2461104'), ('294277-01-01'), ('4714-01-01 BC'),
             ('2026-03-04 05:06 Europe/Nowhere'), ('2026-03-04 05:06 ../etc/passwd'), ('now/utc'), ('2026-03-04 Mar-05'), ('2026-03-04 sun.5'), ('Mar-04-2026'), ('2026-03-04 05:06Z+2'), ('2026-03-04 05:06 x/y'), ('2026-03-04''; --'),
             ('1999-12-31amEurope/Berlin'), ('1999-12-31amEurope/Berlin::Z'), ('1999-12-31BC/UTC'), ('1999-12-31 Mar/UTC'), ('1999-12-31 Z::5'), ('1999-12-31 UTC:30'), ('1999-12-31 10:00-sun9'),
             ('1999-12-31 sun:05'), ('1999-12-31 10:00,5'), ('1999-12-31 Europe/Berlin:GMT'),
             ('2026-03-04 (Wed)'), ('२०२६-०३-०४'), ('2026–03–04'), (''), ('   '), (E'\t\n'), ('-'), ('T'), ('Z'), ('Mar'), ('2026')) AS writings (v)
ORDER BY bcce.try_timestamptz(v) IS NULL, v COLLATE "C";
SELECT bcce.try_timestamptz(repeat('2026-03-04 ', 10000)) IS NULL AS huge, bcce.try_timestamptz(repeat('1 ', 60)) IS NULL AS many_fields;

-- settings of the session do not count, and are left as they were
SELECT array_agg(bcce.try_timestamptz(v) ORDER BY v COLLATE "C")::text AS plain
FROM unnest('{2026-03-04,01-02-03,03/04/05,04-Mar-2026 05:06,2026-03-04 05:06 GMT,Sat Mar 7 2026 05:06}'::text[]) AS v \gset
SET timezone = 'Asia/Kolkata';
SET datestyle = 'German, DMY';
SET timezone_abbreviations = 'Australia';
SET intervalstyle = 'iso_8601';
SELECT array_agg(bcce.try_timestamptz(v) ORDER BY v COLLATE "C") = :'plain'::timestamptz[] AS same
FROM unnest('{2026-03-04,01-02-03,03/04/05,04-Mar-2026 05:06,2026-03-04 05:06 GMT,Sat Mar 7 2026 05:06}'::text[]) AS v;
SHOW timezone;
SHOW datestyle;
SELECT '2026-03-04 00:00'::timestamptz = '2026-03-03 18:30+00' AS session_zone_back,
       '04.03.2026'::date = make_date(2026, 3, 4) AS session_order_back;
RESET timezone;
RESET datestyle;
RESET timezone_abbreviations;
RESET intervalstyle;

-- numbers
SELECT v, bcce.try_float8(v) AS float8, bcce.try_bigint(v) AS bigint, bcce.try_numeric(v) = v::numeric AS numeric_same
FROM (VALUES (1, '0'), (2, ' 42 '), (3, '+7'), (4, '-7'), (5, '1.50'), (6, '.5'), (7, '5.'), (8, '1e3'), (9, '-1.5E-3'), (10, '007'),
             (11, '9223372036854775807'), (12, '9223372036854775808'), (13, '-9223372036854775808'), (14, '-9223372036854775809'),
             (15, '1e309'), (16, '1e-400'), (17, '4.9e-324')) AS writings (n, v) ORDER BY n;
SELECT v, bcce.try_float8(v) IS NULL AND bcce.try_bigint(v) IS NULL AND bcce.try_numeric(v) IS NULL AS refused
FROM (VALUES ('NaN'), ('inf'), ('Infinity'), ('-Infinity'), ('0x1F'), ('0b1'), ('1_000'), ('1,5'), ('1 000'), ('1e'), ('e5'), ('1e+'), ('.'), ('-'), ('+'),
             ('--1'), ('1-'), ('1.2.3'), ('1e1001'), ('1e99999999999999999999'), ('١٢٣'), ('１'), ('1'||chr(160)), ('abc'), ('1abc'), (''), (' ')) AS writings (v)
ORDER BY 2, v COLLATE "C";
SELECT bcce.try_numeric(repeat('9', 1000)) = repeat('9', 1000)::numeric AS thousand_digits,
       bcce.try_numeric(repeat('9', 1001)) IS NULL AS one_more,
       bcce.try_numeric('1e1000') = 10::numeric ^ 1000 AS large_exponent,
       bcce.try_numeric('1e-1000') = '1e-1000'::numeric AS small_exponent,
       bcce.try_numeric(repeat('1', 500) || '.' || repeat('1', 500) || 'e1000') IS NOT NULL AS both,
       bcce.try_float8(repeat('0', 1000)) = 0 AS zeros,
       bcce.try_bigint(repeat('0', 100000) || '5') = 5 AS leading_zeros,
       bcce.try_bigint(repeat('9', 100000)) IS NULL AS huge;
SELECT bool_and(bcce.try_float8(f::text) = f) AS float8_round_trip
FROM (SELECT (random() - 0.5) * 10 ^ (g % 600 - 300)::float8 AS f FROM generate_series(1, 6000) AS g) AS made;

-- truth values, identifiers, addresses
SELECT v, bcce.try_boolean(v) AS b FROM unnest('{true,FALSE,t,f,yes,No,on,off,of,1,0," y ",o,2,tru3,10,ja,是}'::text[]) AS v;
SELECT v, bcce.try_uuid(v) FROM unnest('{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11,a0eebc999c0b4ef8bb6d6bb9bd380a11,"{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}",
    " a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11 ",a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1,a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a111,"{a0eebc999c0b4ef8bb6d6bb9bd380a11",
    a0e-ebc999c0b4ef8bb6d6bb9bd380a11,a0eebc99--9c0b4ef8bb6d6bb9bd380a11,a0eebc999c0b4ef8bb6d6bb9bd380a11-,g0eebc999c0b4ef8bb6d6bb9bd380a11,"{}",-}'::text[]) AS v;
SELECT v, bcce.try_inet(v) FROM unnest('{10.1.2.3," 10.1.2.3/8 ",::1,2001:DB8::1/64,::ffff:10.1.2.3,10.1.2,10.1.2.3.4,10.1.2.256,10.1.2.3/33,::1/129,fe80::1%eth0,
    10.1.2.3/,10.1.2.3:80,:,::,1,localhost,１.1.1.1}'::text[]) AS v;
SELECT bcce.try_inet(repeat('1.', 100000)) IS NULL AS inet, bcce.try_uuid(repeat('a', 100000)) IS NULL AS uuid, bcce.try_boolean(repeat('t', 100000)) IS NULL AS bool;

-- JSON
SELECT v, bcce.try_jsonb(v) FROM (VALUES ('{"a": [1, 2.50, -3e2, "x", true, null, {}]}'), (' null '), ('"text"'), ('7'), ('{"a":1,"a":2}'), ('"é東\u00e9\ud83d\ude00"'),
    ('{"b":"\" \\ \/ ]}"}'), ('[]')) AS documents (v);
SELECT v, bcce.try_jsonb(v) IS NULL AS refused
FROM (VALUES ('{'), ('}'), ('[1,]'), ('{"a"}'), ('{a:1}'), ('{''a'':1}'), ('nul'), ('[1 2]'), ('01'), ('+1'), ('.5'), ('1.'), ('NaN'), ('"\u0000"'), ('{"\u0000":1}'),
             ('"\ud83d"'), ('"\ude00"'), ('"\ud83dx"'), ('"\u12g4"'), ('"\x"'), ('"open'), ('"\'), ('"' || chr(10) || '"'), ('1e1001'), ('[1e-1001]'), ('1e99999999999'),
             ('[' || repeat('9', 1001) || ']'), ('{"a":1} x'), ('[1][2]'), (']['), ('//'), (''), ('  ')) AS documents (v)
WHERE bcce.try_jsonb(v) IS NOT NULL;
SELECT bcce.try_jsonb(repeat('[', 500) || repeat(']', 500)) IS NOT NULL AS depth_500,
       bcce.try_jsonb(repeat('[', 501) || repeat(']', 501)) IS NULL AS depth_501,
       bcce.try_jsonb(repeat('[', 1000000)) IS NULL AS million_open,
       bcce.try_jsonb(repeat('{"a":', 500) || '1' || repeat('}', 500)) IS NOT NULL AS objects_500,
       bcce.try_jsonb('["' || repeat('[', 1000) || '"]') IS NOT NULL AS brackets_in_string,
       bcce.try_jsonb('[' || repeat('9', 1000) || ',1e1000,-1.5e-1000]') IS NOT NULL AS large_numbers,
       bcce.try_jsonb('"' || repeat('é', 1000000) || '"') IS NOT NULL AS long_string,
       bcce.try_jsonb('"' || repeat('x', 16 * 1024 * 1024) || '"') IS NULL AS beyond_16_mb;
SELECT jsonb_array_length(bcce.try_jsonb('[' || repeat('1,', 999999) || '1]')) AS elements;

-- NULL
SELECT bcce.try_timestamptz(NULL) IS NULL AND bcce.try_timestamptz('2026-01-01', NULL) IS NULL AND bcce.try_float8(NULL) IS NULL AND bcce.try_bigint(NULL) IS NULL
       AND bcce.try_numeric(NULL) IS NULL AND bcce.try_boolean(NULL) IS NULL AND bcce.try_uuid(NULL) IS NULL AND bcce.try_inet(NULL) IS NULL AND bcce.try_jsonb(NULL) IS NULL AS nulls;

-- random texts, built from pieces that conversions look for: nothing raises, and
-- each result is the one of the server's own conversion of the trimmed text
CREATE FUNCTION soft_sample() RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT string_agg(CASE WHEN random() < 0.1 THEN chr(1 + floor(random() * 255)::int)
                           ELSE (ARRAY['2026', '-', '03', '04', ' ', ':', '05', '.', '5', '+', '00', 'T', 'Z', 'e', 'E', '1e3', '9', '0', 'GMT', 'UTC', '/', 'Europe/Berlin',
                                       'Mar', 'now', 'today', 'infinity', 'NaN', 'true', 'f', 'no', '{', '}', '[', ']', '"', '\', ',', '\u00', '\ud83d', 'a', 'null', '10.', '1.', '::',
                                       'ff', 'ab', '%', E'\n', 'é', '東', 'x', 'J', 'BC', 'am', 'dst', '12', '1999-12-31', '"k":', '[1]', '0.25', '-7', 'a0eebc99',
                                       '1999-12-31 10:00', 'pm', '1999-12-31 10:00:05', '31-Dec-1999 '])[1 + floor(random() * 65)::int] END, '')
    FROM generate_series(1, 1 + floor(random() * random() * 14)::int)
$$;
CREATE FUNCTION soft_differs(kind text, value text, ours text) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    theirs text;
BEGIN
    IF ours IS NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('SELECT ($1::%s)::text', kind) INTO theirs USING btrim(value, E' \t\n\013\f\r');
    RETURN theirs <> ours;
EXCEPTION WHEN OTHERS THEN
    RETURN true;
END
$$;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set VERBOSITY terse
-- The same texts in every run.
SELECT setseed(0.42);
DO $$
DECLARE
    value text;
    taken int := 0;
    differing int := 0;
    raised int := 0;
    kind text;
    ours text;
BEGIN
    FOR i IN 1 .. 4000 LOOP
        value := soft_sample();
        FOREACH kind IN ARRAY '{timestamptz,float8,bigint,numeric,boolean,uuid,inet,jsonb}'::text[] LOOP
            BEGIN
                ours := CASE kind
                    WHEN 'timestamptz' THEN bcce.try_timestamptz(value)::text
                    WHEN 'float8' THEN bcce.try_float8(value)::text
                    WHEN 'bigint' THEN bcce.try_bigint(value)::text
                    WHEN 'numeric' THEN bcce.try_numeric(value)::text
                    WHEN 'boolean' THEN bcce.try_boolean(value)::text
                    WHEN 'uuid' THEN bcce.try_uuid(value)::text
                    WHEN 'inet' THEN bcce.try_inet(value)::text
                    WHEN 'jsonb' THEN bcce.try_jsonb(value)::text END;
                PERFORM bcce.try_timestamptz('2026-01-01 10:00', value);
                taken := taken + (ours IS NOT NULL)::int;
                IF soft_differs(kind, value, ours) THEN
                    differing := differing + 1;
                    RAISE NOTICE 'differs: % % %', kind, quote_literal(value), ours;
                END IF;
            EXCEPTION WHEN OTHERS THEN
                raised := raised + 1;
                RAISE NOTICE 'raises: % % %', kind, quote_literal(value), SQLSTATE;
            END;
        END LOOP;
    END LOOP;
    RAISE NOTICE 'enough taken: %, differing: %, raised: %', taken > 500, differing, raised;
END
$$;
RESET timezone;
RESET datestyle;
DROP FUNCTION soft_sample(), soft_differs(text, text, text);
