-- Network addresses.
CREATE FUNCTION bcce.truncate_ip(ip inet, v4 int DEFAULT 24, v6 int DEFAULT 48)
RETURNS inet
AS 'MODULE_PATHNAME', 'truncate_ip'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.truncate_ip(inet, int, int) IS
'Network of an address: at most v4 bits for IPv4 (default 24) and v6 bits for IPv6 (default 48), host bits zero. IPv4 written as IPv6 (::ffff:a.b.c.d) becomes IPv4 first; a network already wider than that stays as wide; addresses of 2002::/16 and 64:ff9b::/96 show no more than v4 bits of the IPv4 address they carry. Error 22023: length outside 0..32 or 0..128. Source: RFC 4291, RFC 3056, RFC 6052.';
