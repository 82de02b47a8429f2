-- Webhook signatures.
CREATE FUNCTION bcce.verify_hmac(data bytea, signature bytea, key bytea, algorithm text DEFAULT 'sha256')
RETURNS boolean
AS 'MODULE_PATHNAME', 'verify_hmac'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.verify_hmac(bytea, bytea, bytea, text) IS
'Is signature the whole HMAC of data under key? sha256 (32 bytes) or sha512 (64 bytes), compared in constant time. A signature that is empty, too short or too long is false, never an error. Keys of any length from 1 byte. Error 22023: empty key, unknown algorithm. Source: RFC 2104, RFC 4231.';
