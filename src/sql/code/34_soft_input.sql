-- Conversions that answer NULL instead of raising an error.

CREATE FUNCTION bcce.try_timestamptz(value text, zone text DEFAULT 'UTC')
RETURNS timestamptz
AS 'MODULE_PATHNAME', 'try_timestamptz'
LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.try_timestamptz(text, text) IS
'Point in time, or NULL. Dates are read year, month, day; a text without a zone is taken in the given one; no setting of the session counts. NULL for words whose meaning moves (now, today, infinity), zone abbreviations other than Z, UT, UTC and GMT, GMT+2 and the like, bare digits other than YYYYMMDD, and an unknown zone. White space around is ignored. Never errors.';

CREATE FUNCTION bcce.try_float8(value text)
RETURNS double precision
AS 'MODULE_PATHNAME', 'try_float8'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.try_float8(text) IS
'Finite number in decimal or scientific notation, or NULL; also NULL for NaN, infinities, hexadecimal, more than 1000 digits, or what float8 cannot hold. White space around is ignored. Never errors.';

CREATE FUNCTION bcce.try_bigint(value text)
RETURNS bigint
AS 'MODULE_PATHNAME', 'try_bigint'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.try_bigint(text) IS
'Whole number of 64 bits in decimal digits with or without a sign, or NULL. White space around is ignored. Never errors.';

CREATE FUNCTION bcce.try_numeric(value text)
RETURNS numeric
AS 'MODULE_PATHNAME', 'try_numeric'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.try_numeric(text) IS
'Exact number in decimal or scientific notation, or NULL; at most 1000 digits and an exponent from -1000 to 1000; NULL for NaN, infinities, hexadecimal. White space around is ignored. Never errors.';

CREATE FUNCTION bcce.try_boolean(value text)
RETURNS boolean
AS 'MODULE_PATHNAME', 'try_boolean'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.try_boolean(text) IS
'Truth value in the words of PostgreSQL (true, false, yes, no, on, off, 1, 0, in any case, and unique beginnings), or NULL. White space around is ignored. Never errors.';

CREATE FUNCTION bcce.try_uuid(value text)
RETURNS uuid
AS 'MODULE_PATHNAME', 'try_uuid'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.try_uuid(text) IS
'Identifier in the forms of PostgreSQL (with or without hyphens and braces, in any case), or NULL. White space around is ignored. Never errors.';

CREATE FUNCTION bcce.try_inet(value text)
RETURNS inet
AS 'MODULE_PATHNAME', 'try_inet'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.try_inet(text) IS
'IPv4 or IPv6 address, with or without a prefix length, or NULL. White space around is ignored. Never errors.';

CREATE FUNCTION bcce.try_jsonb(value text)
RETURNS jsonb
AS 'MODULE_PATHNAME', 'try_jsonb'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.try_jsonb(text) IS
'JSON document, or NULL; at most 16 MB and 500 levels, numbers as in try_numeric, no \u0000, and in a database that is not in UTF-8 no \u escapes. White space around is ignored. Never errors.';
