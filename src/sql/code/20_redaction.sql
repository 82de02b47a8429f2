
-- Redaction: personal data and secrets in text and JSON.

CREATE FUNCTION bcce.redact(document text) RETURNS text
    AS 'MODULE_PATHNAME', 'redact_text'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.redact(text) IS
    'The text with personal data and secrets replaced by tags such as [EMAIL]. Text without any is returned unchanged; redacting again changes nothing.';

CREATE FUNCTION bcce.redact(document jsonb) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'redact_jsonb'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.redact(jsonb) IS
    'The document with personal data and secrets in its values replaced by tags. Key names are context: any value under "password" is a secret. Keys and all other types stay as they are.';

CREATE FUNCTION bcce.redact(document text, kinds text[], style text DEFAULT 'tag') RETURNS text
    AS 'MODULE_PATHNAME', 'redact_text_as'
    LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.redact(text, text[], text) IS
    'Redacts only the kinds given: email, phone, credit_card, us_ssn, iban, ip, mac, url_credentials, secret, and the packs national_id and crypto_wallet, which are off unless named. NULL and ''default'' stand for all but the packs, ''all'' for all: ARRAY[''default'', ''national_id''] adds one. In a style: tag, mask (asterisks, the last four digits stay), numbered ([EMAIL_1], the same number for the same text) or drop. Error 22023 for an unknown kind or style.';

CREATE FUNCTION bcce.redact(document jsonb, kinds text[], style text DEFAULT 'tag') RETURNS jsonb
    AS 'MODULE_PATHNAME', 'redact_jsonb_as'
    LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.redact(jsonb, text[], text) IS
    'Redacts only the kinds given (NULL: all but the packs, as redact(text, text[], text)) in the values of a document, in the style tag, mask, numbered or drop. Error 22023 for an unknown kind or style.';

CREATE FUNCTION bcce.redact_for(tenant uuid, document text, kinds text[] DEFAULT NULL, style text DEFAULT NULL) RETURNS text
    AS 'MODULE_PATHNAME', 'redact_for_text'
    LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.redact_for(uuid, text, text[], text) IS
    'The text as the tables of a tenant would keep it: with its redaction rules (kind custom) and in its style unless one is given. kinds as for redact(), and custom; styles as there, and hash: [EMAIL_BCDFGHJKLMNPQR], fourteen consonants (56 bits) of BLAKE2b keyed by the tenant and the tag, the same for the same text within one tenant, others elsewhere. NULL for no tenant or no text. Errors: 42501 the tenant is none of the caller''s, 22023 unknown kind or style, P0002 style hash and the tenant has no key. Source: RFC 7693.';

CREATE FUNCTION bcce.redact_for(tenant uuid, document jsonb, kinds text[] DEFAULT NULL, style text DEFAULT NULL) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'redact_for_jsonb'
    LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.redact_for(uuid, jsonb, text[], text) IS
    'The values of a document redacted as redact_for(tenant, text) does; keys and all other types stay as they are. Rules do not look at numbers.';

CREATE FUNCTION bcce.contains_pii(document text, tenant uuid) RETURNS boolean
    AS 'MODULE_PATHNAME', 'contains_pii_for'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.contains_pii(text, uuid) IS
    'True when redact_for() would change the text for this tenant. Stops at the first hit. Error 42501: the tenant is none of the caller''s.';

CREATE FUNCTION bcce.find_pii(document text,
    OUT kind text, OUT subtype text, OUT start integer, OUT length integer, OUT confidence real)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'find_pii'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 4;
COMMENT ON FUNCTION bcce.find_pii(text) IS
    'Where personal data and secrets of the default kinds stand: start in characters from 1 as substr() counts, length in characters, confidence from 0 to 1. Never the text itself.';

CREATE FUNCTION bcce.find_pii(document text, kinds text[],
    OUT kind text, OUT subtype text, OUT start integer, OUT length integer, OUT confidence real)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'find_pii'
    LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 4;
COMMENT ON FUNCTION bcce.find_pii(text, text[]) IS
    'The same for the kinds given, as redact(text, text[], text) knows them: ARRAY[''all''] shows the packs national_id and crypto_wallet, too. Error 22023 for an unknown kind.';

CREATE FUNCTION bcce.contains_pii(document text) RETURNS boolean
    AS 'MODULE_PATHNAME', 'contains_pii'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.contains_pii(text) IS
    'True when redact() would change the text. Stops at the first hit.';

CREATE FUNCTION bcce.check_redaction_rule() RETURNS trigger
    AS 'MODULE_PATHNAME', 'check_redaction_rule'
    LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION bcce.check_redaction_rule() IS
    'Trigger BEFORE INSERT OR UPDATE of bcce_data.redaction_rules: refuses a rule that would not work, and says why without showing it. Errors: 22023 bad name, kind, literal, class, lengths, context words or style; 2201B the expression is not valid, has a back reference, looks around or has too many states, matches the empty text or does not contain its literal; 39P01 for another kind of trigger.';

CREATE FUNCTION bcce.redact_columns() RETURNS trigger
    AS 'MODULE_PATHNAME', 'redact_columns'
    LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION bcce.redact_columns() IS
    'BEFORE INSERT OR UPDATE FOR EACH ROW trigger that redacts the columns named in its arguments: text, text[], jsonb and json (keys too); inet and cidr are cut to /24 and /48. ''key:column'' replaces an identifier that holds personal data by a pseudonym, ''user:column'' replaces whatever is no pseudonym yet, both with the key of NEW.tenant_id. Errors: 39P01 for another kind of trigger, 42703 for an unknown column, 42804 for a type it cannot redact, 428C9 for a generated column. Makes pseudonyms only in tables of superusers and of bcce_owner (42501), since it takes the key of whatever tenant the row names.';
