-- Pseudonyms and identifiers.
CREATE FUNCTION bcce.pseudonym(value text, domain text)
RETURNS text
AS 'MODULE_PATHNAME', 'pseudonym'
LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.pseudonym(text, text) IS
'Keyed name of a value in the caller''s current tenant: the domain (1 to 16 letters a-z), an underscore and 26 characters of base32, 128 bits of BLAKE2b. Equal values have equal names within one tenant and domain and unrelated names elsewhere. A value that already has this form and domain is returned as it is. The bytes are hashed as they are: fold case and trim before. Errors: 22023 domain not valid; 55000 no current tenant, or the store is not installed; P0002 the tenant has no key. Source: RFC 7693, RFC 4648.';

CREATE FUNCTION bcce.pseudonym(value text, domain text, tenant uuid)
RETURNS text
AS 'MODULE_PATHNAME', 'pseudonym_in_tenant'
LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.pseudonym(text, text, uuid) IS
'Keyed name of a value in the given tenant, as pseudonym(value, domain) makes it for the current one. Error 42501: the tenant is none of the caller''s; others as there.';

CREATE FUNCTION bcce.uuid_v7()
RETURNS uuid
AS 'MODULE_PATHNAME', 'uuid_v7'
LANGUAGE C VOLATILE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.uuid_v7() IS
'New identifier that sorts by time: Unix milliseconds, a counter and 62 random bits; always above the last one of the same session. Never errors. Source: RFC 9562, section 5.7.';
