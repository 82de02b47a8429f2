-- Signs context tokens in plain SQL, so that tests need no program beside the
-- server.  RFC 8032 word for word and slow: a tenth of a second a signature,
-- and no more secret than a test's key.  All in pg_temp.
CREATE FUNCTION pg_temp.little_endian(bytes bytea) RETURNS numeric LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    n numeric := 0;
BEGIN
    FOR i IN REVERSE length(bytes) - 1 .. 0 LOOP
        n := n * 256 + get_byte(bytes, i);
    END LOOP;
    RETURN n;
END
$$;
CREATE FUNCTION pg_temp.to_bytes(n numeric, len integer) RETURNS bytea LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    bytes bytea := decode(repeat('00', len), 'hex');
BEGIN
    FOR i IN 0 .. len - 1 LOOP
        bytes := set_byte(bytes, i, mod(n, 256)::integer);
        n := div(n, 256);
    END LOOP;
    RETURN bytes;
END
$$;
CREATE FUNCTION pg_temp.p() RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT 57896044618658097711785492504343953926634992332820282019728792003956564819949';
-- Points are (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z.
CREATE FUNCTION pg_temp.add_points(a numeric[], b numeric[]) RETURNS numeric[] LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    p CONSTANT numeric := 57896044618658097711785492504343953926634992332820282019728792003956564819949;
    d CONSTANT numeric := 37095705934669439343138083508754565189542113879843219016388785533085940283555;
    m numeric := mod((a[2] - a[1]) * (b[2] - b[1]), p);
    n numeric := mod((a[2] + a[1]) * (b[2] + b[1]), p);
    t numeric := mod(mod(2 * a[4] * b[4], p) * d, p);
    z numeric := mod(2 * a[3] * b[3], p);
BEGIN
    RETURN ARRAY[mod((n - m) * (z - t), p), mod((z + t) * (n + m), p), mod((z - t) * (z + t), p), mod((n - m) * (n + m), p)];
END
$$;
CREATE FUNCTION pg_temp.times_base(scalar bytea) RETURNS bytea LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    p CONSTANT numeric := pg_temp.p();
    x CONSTANT numeric := 15112221349535400772501151409588531511454012693041857206046113283949847762202;
    y CONSTANT numeric := 46316835694926478169428394003475163141307993866256225615783033603165251855960;
    base CONSTANT numeric[] := ARRAY[x, y, 1, mod(x * y, p)];
    point numeric[] := ARRAY[0, 1, 1, 0];
    exponent CONSTANT bytea := pg_temp.to_bytes(p - 2, 32);
    inverse numeric := 1;
BEGIN
    FOR i IN REVERSE 255 .. 0 LOOP
        point := pg_temp.add_points(point, point);
        IF get_bit(scalar, i) = 1 THEN
            point := pg_temp.add_points(point, base);
        END IF;
    END LOOP;
    FOR i IN REVERSE 255 .. 0 LOOP
        inverse := mod(inverse * inverse, p);
        IF get_bit(exponent, i) = 1 THEN
            inverse := mod(inverse * point[3], p);
        END IF;
    END LOOP;
    RETURN pg_temp.to_bytes(mod(mod(point[2] * inverse, p) + p, p)
                            + mod(mod(mod(point[1] * inverse, p) + p, p), 2) * 2::numeric ^ 255, 32);
END
$$;
CREATE FUNCTION pg_temp.secret_scalar(seed bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT set_byte(set_byte(h, 0, get_byte(h, 0) & 248), 31, get_byte(h, 31) & 127 | 64)
    FROM (SELECT substr(sha512(seed), 1, 32)) AS s (h)
$$;
CREATE FUNCTION pg_temp.public_key(seed bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS
'SELECT pg_temp.times_base(pg_temp.secret_scalar(seed))';
CREATE FUNCTION pg_temp.sign(seed bytea, message bytea) RETURNS bytea LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    l CONSTANT numeric := 7237005577332262213973186563042994240857116359379907606001950938285454250989;
    nonce numeric := mod(pg_temp.little_endian(sha512(substr(sha512(seed), 33) || message)), l);
    commitment bytea := pg_temp.times_base(pg_temp.to_bytes(nonce, 32));
    challenge numeric := mod(pg_temp.little_endian(sha512(commitment || pg_temp.public_key(seed) || message)), l);
BEGIN
    RETURN commitment || pg_temp.to_bytes(mod(nonce + challenge * pg_temp.little_endian(pg_temp.secret_scalar(seed)), l), 32);
END
$$;
CREATE FUNCTION pg_temp.base64url(bytes bytea) RETURNS text LANGUAGE sql IMMUTABLE AS
$$SELECT translate(encode(bytes, 'base64'), E'+/=\n', '-_')$$;
-- A token of any message, header and footer, well signed.
CREATE FUNCTION pg_temp.mint_bytes(
    message bytea, seed bytea, assertion text, footer text DEFAULT '{"kid":"test"}', header text DEFAULT 'v4.public.') RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT header || pg_temp.base64url(message || pg_temp.sign(seed, pg_temp.to_bytes(4, 8) || string_agg(pg_temp.to_bytes(length(piece), 8) || piece, '' ORDER BY n)))
           || CASE WHEN footer = '' THEN '' ELSE '.' || pg_temp.base64url(convert_to(footer, 'UTF8')) END
    FROM unnest(ARRAY[convert_to(header, 'UTF8'), message, convert_to(footer, 'UTF8'), convert_to(assertion, 'UTF8')]) WITH ORDINALITY AS u (piece, n)
$$;
CREATE FUNCTION pg_temp.instant(at timestamptz) RETURNS text LANGUAGE sql STABLE AS
$$SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')$$;
-- The usual claims; more replaces or adds some, and takes away where it says null.
CREATE FUNCTION pg_temp.claims(role text, tenants uuid[], more jsonb DEFAULT '{}') RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object('sub', role, 'tid', tenants, 'iat', pg_temp.instant(clock_timestamp()),
                             'exp', pg_temp.instant(clock_timestamp() + interval '10 minutes')) || more)::text
$$;
-- The test's key: public_key('test') under the name "test".
CREATE FUNCTION pg_temp.seed(name text) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$SELECT sha256(convert_to(name, 'UTF8'))$$;
CREATE FUNCTION pg_temp.mint(claims text, seed text DEFAULT 'test', assertion text DEFAULT bcce.context_assertion(), footer text DEFAULT '{"kid":"test"}') RETURNS text LANGUAGE sql STABLE AS $$
    SELECT pg_temp.mint_bytes(convert_to(claims, 'UTF8'), pg_temp.seed(seed), assertion, footer)
$$;
