-- bcce: assembled by scripts/assemble from src/sql.  Edit there, not here.
\echo Use "CREATE EXTENSION bcce" to load this file. \quit

-- Group roles.  Made always, also when a dump is being restored: its policies
-- and grants name them.  A role of that name that can log in, is a superuser
-- or bypasses row security is refused rather than trusted.
DO $$
DECLARE
    wanted CONSTANT text[] := ARRAY[
        'bcce_owner',           'bcce: owns the store; nobody logs in as it',
        'bcce_maintainer',      'bcce: owns the upkeep functions (partitions, tenants); nobody logs in as it',
        'bcce_analytics_user',  'bcce: reads the reports of its own tenant',
        'bcce_cost_analyst',    'bcce: reads the cost reports of its own tenant',
        'bcce_analytics_admin', 'bcce: reads and configures its own tenant',
        'bcce_ingest',          'bcce: writes for its own tenant, reads nothing',
        'bcce_platform',        'bcce: reads the reports of several tenants',
        'bcce_token',           'bcce: may present tokens that say which tenants it speaks for'];
    known record;
    i integer;
BEGIN
    FOR i IN 1 .. cardinality(wanted) BY 2 LOOP
        SELECT rolcanlogin, rolsuper, rolbypassrls INTO known
        FROM pg_catalog.pg_roles WHERE rolname = wanted[i];
        IF NOT FOUND THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted[i]);
        ELSIF known.rolcanlogin OR known.rolsuper OR known.rolbypassrls THEN
            RAISE EXCEPTION USING
                ERRCODE = 'invalid_role_specification',
                MESSAGE = format('role "%s" exists and has more rights than a group role of bcce may have', wanted[i]),
                HINT = format('Rename it, or run: ALTER ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS;', wanted[i]);
        END IF;
        EXECUTE format('COMMENT ON ROLE %I IS %L', wanted[i], wanted[i + 1]);
    END LOOP;
END
$$;

GRANT bcce_analytics_user TO bcce_analytics_admin;
GRANT bcce_owner TO bcce_maintainer;

-- The schema that people touch.  It is made here, not by the control file, so
-- that it belongs to the extension and an existing schema is an error.
CREATE SCHEMA bcce;
COMMENT ON SCHEMA bcce IS 'bcce: functions, aggregates and reports';

-- The store and the reports as text: install() runs it, an upgrade replaces it.
CREATE TABLE bcce.module (
    ordinal integer GENERATED ALWAYS AS IDENTITY,
    part text NOT NULL,
    name text NOT NULL,
    sql text NOT NULL,
    CONSTRAINT module_pkey PRIMARY KEY (ordinal),
    CONSTRAINT module_part_check CHECK (part IN ('store', 'report'))
);
COMMENT ON TABLE bcce.module IS 'SQL of the store and the reports, run in order by bcce.install()';
COMMENT ON COLUMN bcce.module.ordinal IS 'order in which install() runs the modules';
COMMENT ON COLUMN bcce.module.part IS 'store or report';
COMMENT ON COLUMN bcce.module.name IS 'file name of the module under src/sql';
COMMENT ON COLUMN bcce.module.sql IS 'idempotent SQL text';


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
-- The clock of the reports.
CREATE FUNCTION bcce.report_now()
RETURNS timestamptz
AS 'MODULE_PATHNAME', 'report_now'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.report_now() IS
'The instant that reports call now: the start of the statement, or the setting bcce.test_now (superusers only; an instant with its zone, for tests). Never errors.';
-- Network addresses.
CREATE FUNCTION bcce.truncate_ip(ip inet, v4 int DEFAULT 24, v6 int DEFAULT 48)
RETURNS inet
AS 'MODULE_PATHNAME', 'truncate_ip'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.truncate_ip(inet, int, int) IS
'Network of an address: at most v4 bits for IPv4 (default 24) and v6 bits for IPv6 (default 48), host bits zero. IPv4 written as IPv6 (::ffff:a.b.c.d) becomes IPv4 first; a network already wider than that stays as wide; addresses of 2002::/16 and 64:ff9b::/96 show no more than v4 bits of the IPv4 address they carry. Error 22023: length outside 0..32 or 0..128. Source: RFC 4291, RFC 3056, RFC 6052.';
-- Webhook signatures.
CREATE FUNCTION bcce.verify_hmac(data bytea, signature bytea, key bytea, algorithm text DEFAULT 'sha256')
RETURNS boolean
AS 'MODULE_PATHNAME', 'verify_hmac'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.verify_hmac(bytea, bytea, bytea, text) IS
'Is signature the whole HMAC of data under key? sha256 (32 bytes) or sha512 (64 bytes), compared in constant time. A signature that is empty, too short or too long is false, never an error. Keys of any length from 1 byte. Error 22023: empty key, unknown algorithm. Source: RFC 2104, RFC 4231.';
-- Exact percentiles as plain aggregates.  One state serves all; q is the same in
-- all rows of a group.  Integers and numeric come by the server's own implicit
-- cast to double precision, as they do in percentile_cont().

CREATE FUNCTION bcce.exact_combine(internal, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'exact_combine'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.exact_combine(internal, internal) IS
'Part of the aggregates of exact percentiles: joins the states of two workers.';

CREATE FUNCTION bcce.exact_serialize(internal)
RETURNS bytea
AS 'MODULE_PATHNAME', 'exact_serialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.exact_serialize(internal) IS
'Part of the aggregates of exact percentiles: state to bytes. Error 54000: more than 134217725 values (half of that for intervals) from one worker in one group.';

CREATE FUNCTION bcce.exact_deserialize(bytea, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'exact_deserialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.exact_deserialize(bytea, internal) IS
'Part of the aggregates of exact percentiles: bytes to state, checked. Error 22P03: not a state.';

CREATE FUNCTION bcce.percentile_exact_final(internal)
RETURNS double precision
AS 'MODULE_PATHNAME', 'exact_final_float8'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.percentile_exact_final(internal) IS
'Part of the aggregates median(double precision) and percentile_exact(double precision, q): the result.';

CREATE FUNCTION bcce.percentiles_exact_final(internal)
RETURNS double precision[]
AS 'MODULE_PATHNAME', 'exact_final_float8'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.percentiles_exact_final(internal) IS
'Part of the aggregate percentile_exact(double precision, q[]): the result.';

CREATE FUNCTION bcce.median_step(internal, double precision)
RETURNS internal
AS 'MODULE_PATHNAME', 'exact_step_float8_median'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.median_step(internal, double precision) IS
'Part of the aggregate median(double precision): takes a row.';

CREATE FUNCTION bcce.percentile_exact_step(internal, double precision, q double precision)
RETURNS internal
AS 'MODULE_PATHNAME', 'exact_step_float8_percentile'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.percentile_exact_step(internal, double precision, double precision) IS
'Part of the aggregate percentile_exact(double precision, q): takes a row.';

CREATE FUNCTION bcce.percentile_exact_step(internal, double precision, q double precision[])
RETURNS internal
AS 'MODULE_PATHNAME', 'exact_step_float8_percentiles'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.percentile_exact_step(internal, double precision, double precision[]) IS
'Part of the aggregate percentile_exact(double precision, q[]): takes a row.';

CREATE AGGREGATE bcce.median(v double precision) (
    SFUNC = bcce.median_step,
    STYPE = internal,
    SSPACE = 256,
    FINALFUNC = bcce.percentile_exact_final,
    COMBINEFUNC = bcce.exact_combine,
    SERIALFUNC = bcce.exact_serialize,
    DESERIALFUNC = bcce.exact_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.median(double precision) IS
'Median of numbers, exact: to the bit what percentile_cont(0.5) WITHIN GROUP (ORDER BY v) gives, but parallel, without a sort, and usable with OVER. NULLs are left out; NULL without a value. NaN is above everything, -0 goes before 0; integers and numeric are converted to double precision, as percentile_cont() has them. Any order of rows, any plan and any number of workers give the same. Keeps 8 bytes per value, past work_mem * hash_mem_multiplier in a temporary file; a worker of a parallel plan hands its values over in memory. Source: Hyndman and Fan 1996, type 7.';

CREATE AGGREGATE bcce.percentile_exact(v double precision, q double precision) (
    SFUNC = bcce.percentile_exact_step,
    STYPE = internal,
    SSPACE = 256,
    FINALFUNC = bcce.percentile_exact_final,
    COMBINEFUNC = bcce.exact_combine,
    SERIALFUNC = bcce.exact_serialize,
    DESERIALFUNC = bcce.exact_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.percentile_exact(double precision, double precision) IS
'Percentile q (0 to 1) of numbers, exact: to the bit what percentile_cont(q) WITHIN GROUP (ORDER BY v) gives, but parallel, without a sort, and usable with OVER. NULLs are left out; NULL without a value or when q is NULL. NaN is above everything, -0 goes before 0; integers and numeric are converted to double precision, as percentile_cont() has them. Any order of rows, any plan and any number of workers give the same. Keeps 8 bytes per value, past work_mem * hash_mem_multiplier in a temporary file; a worker of a parallel plan hands its values over in memory. Source: Hyndman and Fan 1996, type 7. Errors: 22003 q outside 0 to 1; 22023 q not the same in a group.';

CREATE AGGREGATE bcce.percentile_exact(v double precision, q double precision[]) (
    SFUNC = bcce.percentile_exact_step,
    STYPE = internal,
    SSPACE = 256,
    FINALFUNC = bcce.percentiles_exact_final,
    COMBINEFUNC = bcce.exact_combine,
    SERIALFUNC = bcce.exact_serialize,
    DESERIALFUNC = bcce.exact_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.percentile_exact(double precision, double precision[]) IS
'Percentiles of numbers, one for each q of the array and in its shape, as percentile_exact(v, q) gives each, with one copy of the values; NULL for a q that is NULL. Errors: 22003 a q outside 0 to 1; 22023 q not the same in a group.';

CREATE FUNCTION bcce.percentile_exact_interval_final(internal)
RETURNS interval
AS 'MODULE_PATHNAME', 'exact_final_interval'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.percentile_exact_interval_final(internal) IS
'Part of the aggregates median(interval) and percentile_exact(interval, q): the result.';

CREATE FUNCTION bcce.percentiles_exact_interval_final(internal)
RETURNS interval[]
AS 'MODULE_PATHNAME', 'exact_final_interval'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.percentiles_exact_interval_final(internal) IS
'Part of the aggregate percentile_exact(interval, q[]): the result.';

CREATE FUNCTION bcce.median_step(internal, interval)
RETURNS internal
AS 'MODULE_PATHNAME', 'exact_step_interval_median'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.median_step(internal, interval) IS
'Part of the aggregate median(interval): takes a row.';

CREATE FUNCTION bcce.percentile_exact_step(internal, interval, q double precision)
RETURNS internal
AS 'MODULE_PATHNAME', 'exact_step_interval_percentile'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.percentile_exact_step(internal, interval, double precision) IS
'Part of the aggregate percentile_exact(interval, q): takes a row.';

CREATE FUNCTION bcce.percentile_exact_step(internal, interval, q double precision[])
RETURNS internal
AS 'MODULE_PATHNAME', 'exact_step_interval_percentiles'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.percentile_exact_step(internal, interval, double precision[]) IS
'Part of the aggregate percentile_exact(interval, q[]): takes a row.';

CREATE AGGREGATE bcce.median(v interval) (
    SFUNC = bcce.median_step,
    STYPE = internal,
    SSPACE = 256,
    FINALFUNC = bcce.percentile_exact_interval_final,
    COMBINEFUNC = bcce.exact_combine,
    SERIALFUNC = bcce.exact_serialize,
    DESERIALFUNC = bcce.exact_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.median(interval) IS
'Median of intervals, exact: to the bit what percentile_cont(0.5) WITHIN GROUP (ORDER BY v) gives, but parallel, without a sort, and usable with OVER. NULLs are left out; NULL without a value. Intervals of one length but other fields (24:00 and 1 day) are taken in the order of their months and days, where percentile_cont() takes them as they come. Error: 22008 an interval beyond 106751991 days. Any order of rows, any plan and any number of workers give the same. Keeps 16 bytes per value, past work_mem * hash_mem_multiplier in a temporary file; a worker of a parallel plan hands its values over in memory. Source: Hyndman and Fan 1996, type 7.';

CREATE AGGREGATE bcce.percentile_exact(v interval, q double precision) (
    SFUNC = bcce.percentile_exact_step,
    STYPE = internal,
    SSPACE = 256,
    FINALFUNC = bcce.percentile_exact_interval_final,
    COMBINEFUNC = bcce.exact_combine,
    SERIALFUNC = bcce.exact_serialize,
    DESERIALFUNC = bcce.exact_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.percentile_exact(interval, double precision) IS
'Percentile q (0 to 1) of intervals, exact: to the bit what percentile_cont(q) WITHIN GROUP (ORDER BY v) gives, but parallel, without a sort, and usable with OVER. NULLs are left out; NULL without a value or when q is NULL. Intervals of one length but other fields (24:00 and 1 day) are taken in the order of their months and days, where percentile_cont() takes them as they come. Any order of rows, any plan and any number of workers give the same. Keeps 16 bytes per value, past work_mem * hash_mem_multiplier in a temporary file; a worker of a parallel plan hands its values over in memory. Source: Hyndman and Fan 1996, type 7. Errors: 22003 q outside 0 to 1; 22008 an interval beyond 106751991 days; 22023 q not the same in a group.';

CREATE AGGREGATE bcce.percentile_exact(v interval, q double precision[]) (
    SFUNC = bcce.percentile_exact_step,
    STYPE = internal,
    SSPACE = 256,
    FINALFUNC = bcce.percentiles_exact_interval_final,
    COMBINEFUNC = bcce.exact_combine,
    SERIALFUNC = bcce.exact_serialize,
    DESERIALFUNC = bcce.exact_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.percentile_exact(interval, double precision[]) IS
'Percentiles of intervals, one for each q of the array and in its shape, as percentile_exact(v, q) gives each, with one copy of the values; NULL for a q that is NULL. Errors: 22003 a q outside 0 to 1; 22008 an interval beyond 106751991 days; 22023 q not the same in a group.';
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
-- Time to recovery, over anybody's two columns.

CREATE FUNCTION bcce.mttr_mean_step(internal, timestamptz, timestamptz)
RETURNS internal
AS 'MODULE_PATHNAME', 'mttr_mean_step'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.mttr_mean_step(internal, timestamptz, timestamptz) IS
'Part of the aggregate mttr(opened_at, recovered_at): takes a row.';

CREATE FUNCTION bcce.mttr_mean_combine(internal, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'mttr_mean_combine'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.mttr_mean_combine(internal, internal) IS
'Part of the aggregate mttr(opened_at, recovered_at): joins the states of two workers.';

CREATE FUNCTION bcce.mttr_mean_serialize(internal)
RETURNS bytea
AS 'MODULE_PATHNAME', 'mttr_mean_serialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.mttr_mean_serialize(internal) IS
'Part of the aggregate mttr(opened_at, recovered_at): state to bytes.';

CREATE FUNCTION bcce.mttr_mean_deserialize(bytea, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'mttr_mean_deserialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.mttr_mean_deserialize(bytea, internal) IS
'Part of the aggregate mttr(opened_at, recovered_at): bytes to state, every byte checked. Error 22P03: not a state.';

CREATE FUNCTION bcce.mttr_mean_final(internal)
RETURNS double precision
AS 'MODULE_PATHNAME', 'mttr_mean_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.mttr_mean_final(internal) IS
'Part of the aggregate mttr(opened_at, recovered_at): the result.';

CREATE AGGREGATE bcce.mttr(opened_at timestamptz, recovered_at timestamptz) (
    SFUNC = bcce.mttr_mean_step,
    STYPE = internal,
    SSPACE = 64,
    FINALFUNC = bcce.mttr_mean_final,
    COMBINEFUNC = bcce.mttr_mean_combine,
    SERIALFUNC = bcce.mttr_mean_serialize,
    DESERIALFUNC = bcce.mttr_mean_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.mttr(timestamptz, timestamptz) IS
'Mean time to recovery in minutes over the rows that have recovered: exact sum, one division. Not counted: rows without opened_at or recovered_at, infinite instants, recovery before opening. NULL when nothing is counted. Rows still open are left out, which flatters the mean while incidents last. Error 22008: a span beyond 292271 years.';

CREATE FUNCTION bcce.mttr_percentile_step(internal, timestamptz, timestamptz, double precision)
RETURNS internal
AS 'MODULE_PATHNAME', 'mttr_percentile_step'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.mttr_percentile_step(internal, timestamptz, timestamptz, double precision) IS
'Part of the aggregate mttr(opened_at, recovered_at, q): takes a row.';

CREATE FUNCTION bcce.mttr_percentile_final(internal)
RETURNS double precision
AS 'MODULE_PATHNAME', 'mttr_percentile_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.mttr_percentile_final(internal) IS
'Part of the aggregate mttr(opened_at, recovered_at, q): the result.';

CREATE AGGREGATE bcce.mttr(opened_at timestamptz, recovered_at timestamptz, q double precision) (
    SFUNC = bcce.mttr_percentile_step,
    STYPE = internal,
    SSPACE = 256,
    FINALFUNC = bcce.mttr_percentile_final,
    COMBINEFUNC = bcce.exact_combine,
    SERIALFUNC = bcce.exact_serialize,
    DESERIALFUNC = bcce.exact_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.mttr(timestamptz, timestamptz, double precision) IS
'Percentile q (0 to 1) of the time to recovery in minutes, interpolated as percentile_cont() does and exact; the same rows count as in mttr(opened_at, recovered_at). NULL when nothing is counted or q is NULL. Keeps 8 bytes per row, in a temporary file past work_mem * hash_mem_multiplier. Errors: 22003 q outside 0 to 1; 22023 q differs within a group; 22008 a span beyond 292271 years. Source: Hyndman and Fan 1996, type 7.';
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
-- Tenancy: who the caller is, whose rows the caller may see, and the trigger
-- that keeps every session's copy of the configuration current.  None of these
-- is LEAKPROOF or SECURITY DEFINER: the library reads bcce_private itself.

CREATE FUNCTION bcce.current_tenants() RETURNS uuid[]
AS 'MODULE_PATHNAME' LANGUAGE C
STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION bcce.current_tenants() IS
'The caller''s tenants, sorted and distinct; an empty array when there are none, never NULL. The caller is the role that SET ROLE chose, or else the login; a SECURITY DEFINER function does not change it. A login that presents tokens has the tenants of the token of this transaction, while the token and its key are in force when the statement starts; any other role has those of its memberships: one counts when the caller has the privileges of its role and the statement started within its time of validity. In a policy write = ANY ((SELECT bcce.current_tenants())::uuid[]).';

CREATE FUNCTION bcce.current_tenant() RETURNS uuid
AS 'MODULE_PATHNAME' LANGUAGE C
STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION bcce.current_tenant() IS
'The tenant the caller works in: the one chosen with bcce.use_tenant(), while it is the caller''s; where none was chosen the only one of bcce.current_tenants(), else the one that is marked as default, if exactly one is; else NULL, which shows no rows. In a policy write tenant_id = (SELECT bcce.current_tenant()), so that it is evaluated once for a statement.';

CREATE FUNCTION bcce.bypasses_row_security() RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C
STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION bcce.bypasses_row_security() IS
'True when no policy applies to the caller: the role that SET ROLE chose, or else the login, is a superuser or has BYPASSRLS.';

CREATE FUNCTION bcce.membership_mode() RETURNS text
AS 'MODULE_PATHNAME' LANGUAGE C
STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION bcce.membership_mode() IS
'Where the caller''s tenants come from: direct (memberships) or token (the token of the transaction).';

CREATE FUNCTION bcce.use_tenant(tenant uuid, is_local boolean DEFAULT true) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C
VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION bcce.use_tenant(uuid, boolean) IS
'Chooses the tenant to work in among the caller''s own: until the transaction ends, or with is_local => false for the session. It counts for the role that chose and while the tenant is the role''s. NULL undoes the choice. Error P0002: none of the caller''s tenants, or there is none.';

CREATE FUNCTION bcce.set_context(token text) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C
VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION bcce.set_context(text) IS
'Takes the tenants of a signed token (PASETO v4.public) as those of this transaction. Footer {"kid": name of a key of bcce_private.context_key}; implicit assertion as bcce.context_assertion() says; claims sub (the caller''s role), tid (array of 1 to 64 tenant ids), iat and exp (RFC 3339, no more apart than bcce.context_max_ttl), and if wanted nbf, jti, iss, no others. At most 4096 bytes. Writes nothing, so standbys and read-only transactions do. Pass it as a bind parameter: other sessions of the same role see the text of statements. Errors: 28000 the token is not valid, whatever the reason, which only the server log has; 55000 the transaction has another context; 42501 not allowed here. Source: PASETO v4, RFC 8032.';

CREATE FUNCTION bcce.context_assertion() RETURNS text
AS 'MODULE_PATHNAME' LANGUAGE C
STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.context_assertion() IS
'What context tokens for this database must be signed for, their implicit assertion: bcce|system identifier of the cluster|name of the database. A standby has that of its primary. No secret.';

CREATE FUNCTION bcce.is_ed25519_public_key(key bytea) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C
IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.is_ed25519_public_key(bytea) IS
'True for the 32 bytes of a point of the main subgroup of the curve, which an Ed25519 public key is and 15 of 16 random values are not. Source: RFC 8032, section 5.1.3.';

CREATE FUNCTION bcce.invalidate_cache() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C
VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION bcce.invalidate_cache() IS
'Trigger AFTER INSERT, UPDATE, DELETE or TRUNCATE, for each row or statement: makes every session read the table anew, this one after the command and the others after the commit. Any other use is the error 39P01.';

CREATE FUNCTION bcce.library_version() RETURNS text
AS 'MODULE_PATHNAME' LANGUAGE C
IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.library_version() IS
'The version of the extension that the loaded library was built for.';

-- Errors raised from SQL and PL/pgSQL without a trace of the input.

CREATE FUNCTION bcce.raise_error(sqlstate text, message text, detail text DEFAULT NULL, hint text DEFAULT NULL) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C
VOLATILE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.raise_error(text, text, text, text) IS
'Raises an error with this SQLSTATE and these words, and keeps the statement and its context out of the server log: RAISE of PL/pgSQL would log the text of the statement, with whatever personal data it holds. So none of the words may hold such data either. Error 22023 when the SQLSTATE is not five characters of 0-9 and A-Z, is of class 00, 01 or 02, or the message is missing.';

CREATE FUNCTION bcce.log_line(message text) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C
VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.log_line(text) IS
'Writes a line of level LOG to the server log, without the statement and its context, and sends it to no client. The words must hold no personal data.';

CREATE FUNCTION bcce.collect_rows() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C
VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION bcce.collect_rows() IS
'Trigger of the inboxes, BEFORE STATEMENT, INSTEAD OF each row and AFTER STATEMENT of INSERT: collects the rows and hands them, some thousands at a time, to the trigger function of bcce_data named by its argument, which sees them as the transition table batch. It runs without the context of COPY, which would put the row in hand into the server log with any error, a cancelled statement included. Any other use is the error 39P01.';
-- Cost: what a quantity costs by the price book.

CREATE FUNCTION bcce.estimate_cost(item text, quantity numeric, at timestamptz DEFAULT now(), tenant uuid DEFAULT NULL) RETURNS numeric
AS 'MODULE_PATHNAME' LANGUAGE C
STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.estimate_cost(text, numeric, timestamptz, uuid) IS
'The cost in US dollars of a quantity of an item: quantity times the unit price that holds at that moment, exact and unrounded. The tenant''s own price goes before the default price; the tenant is the caller''s current one unless given, and one that is not the caller''s gets the default price, as one that does not exist. NULL when there is no price, or when the item, the quantity or the time is NULL. Error 22023 when the quantity is negative, infinite or NaN.';


-- Calls of language models, by the tokens of each class.

CREATE FUNCTION bcce.estimate_token_cost(model text, at timestamptz, input bigint, output bigint,
    cache_read bigint DEFAULT 0, cache_write_5m bigint DEFAULT 0, cache_write_1h bigint DEFAULT 0, web_searches bigint DEFAULT 0,
    speed text DEFAULT 'standard', geo text DEFAULT NULL, service_tier text DEFAULT 'standard',
    tenant uuid DEFAULT NULL, as_of timestamptz DEFAULT NULL) RETURNS numeric
AS 'MODULE_PATHNAME' LANGUAGE C
STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.estimate_token_cost(text, timestamptz, bigint, bigint, bigint, bigint, bigint, bigint, text, text, text, uuid, timestamptz) IS
'The cost in US dollars of a call of a language model, exact and unrounded: tokens of each class times the price that holds at that moment, a request above a price list''s threshold of context as a whole at the higher prices, times the multipliers of speed fast and of inference in the us; searches by the piece. Counts may be NULL while another is known. as_of: by the prices that were known then (NULL: now). The tenant''s own prices go before the defaults; a tenant that is not the caller''s gets the defaults. NULL when the cost is not known, token_cost_status() says why; never 0 for that. Error 22003: a count is negative.';

CREATE FUNCTION bcce.token_cost_status(model text, at timestamptz, input bigint, output bigint,
    cache_read bigint DEFAULT 0, cache_write_5m bigint DEFAULT 0, cache_write_1h bigint DEFAULT 0, web_searches bigint DEFAULT 0,
    speed text DEFAULT 'standard', geo text DEFAULT NULL, service_tier text DEFAULT 'standard',
    tenant uuid DEFAULT NULL, as_of timestamptz DEFAULT NULL) RETURNS text
AS 'MODULE_PATHNAME' LANGUAGE C
STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.token_cost_status(text, timestamptz, bigint, bigint, bigint, bigint, bigint, bigint, text, text, text, uuid, timestamptz) IS
'Why estimate_token_cost() of the same arguments has a cost (priced; synthetic: never sent, costs 0) or is NULL: no_tokens (all counts unknown), unknown_model, no_price_at_time, not_token_priced (priced by time), missing_price (of a class that was used, or of the tier), missing_factor (of fast, us or batch), out_of_range (a count above 2^53, or the product). Error 22003: a count is negative.';

CREATE FUNCTION bcce.token_cost_parts(model text, at timestamptz, input bigint, output bigint,
    cache_read bigint DEFAULT 0, cache_write_5m bigint DEFAULT 0, cache_write_1h bigint DEFAULT 0, web_searches bigint DEFAULT 0,
    speed text DEFAULT 'standard', geo text DEFAULT NULL, service_tier text DEFAULT 'standard',
    tenant uuid DEFAULT NULL, as_of timestamptz DEFAULT NULL) RETURNS numeric[]
AS 'MODULE_PATHNAME' LANGUAGE C
STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.token_cost_parts(text, timestamptz, bigint, bigint, bigint, bigint, bigint, bigint, text, text, text, uuid, timestamptz) IS
'The cost in US dollars that estimate_token_cost() of the same arguments gives, by class: six numbers, of input, output, cache reads, five-minute and one-hour cache writes and searches, whose sum is the cost to the last digit. NULL when the cost is not known. Error 22003: a count is negative.';

CREATE FUNCTION bcce.sum_token_cost_step(internal, text, timestamptz, bigint, bigint, bigint, bigint, bigint, bigint, text, text, text, uuid, timestamptz) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C
STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sum_token_cost_step(internal, text, timestamptz, bigint, bigint, bigint, bigint, bigint, bigint, text, text, text, uuid, timestamptz) IS
'Part of the aggregate sum_token_cost(): takes a row.';

CREATE FUNCTION bcce.sum_token_cost_combine(internal, internal) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C
IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sum_token_cost_combine(internal, internal) IS
'Part of the aggregate sum_token_cost(): joins the states of two workers.';

CREATE FUNCTION bcce.sum_token_cost_serialize(internal) RETURNS bytea
AS 'MODULE_PATHNAME' LANGUAGE C
IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sum_token_cost_serialize(internal) IS
'Part of the aggregate sum_token_cost(): state to bytes.';

CREATE FUNCTION bcce.sum_token_cost_deserialize(bytea, internal) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C
IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sum_token_cost_deserialize(bytea, internal) IS
'Part of the aggregate sum_token_cost(): bytes to state, every byte checked. Error 22P03: not a state.';

CREATE FUNCTION bcce.sum_token_cost_final(internal) RETURNS numeric
AS 'MODULE_PATHNAME' LANGUAGE C
IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sum_token_cost_final(internal) IS
'Part of the aggregate sum_token_cost(): the result.';

CREATE AGGREGATE bcce.sum_token_cost(model text, at timestamptz, input bigint, output bigint, cache_read bigint, cache_write_5m bigint,
    cache_write_1h bigint, web_searches bigint, speed text, geo text, service_tier text, tenant uuid, as_of timestamptz) (
    SFUNC = bcce.sum_token_cost_step,
    STYPE = internal,
    SSPACE = 64,
    FINALFUNC = bcce.sum_token_cost_final,
    COMBINEFUNC = bcce.sum_token_cost_combine,
    SERIALFUNC = bcce.sum_token_cost_serialize,
    DESERIALFUNC = bcce.sum_token_cost_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.sum_token_cost(text, timestamptz, bigint, bigint, bigint, bigint, bigint, bigint, text, text, text, uuid, timestamptz) IS
'The sum of estimate_token_cost() over calls, in US dollars, exact and the same in every order and plan. Calls without a known cost are left out: count them with FILTER (WHERE bcce.token_cost_status(...) NOT IN (''priced'', ''synthetic'')). NULL when no call had a cost. Errors: 22003 a count is negative, or the sum above 170 trillion US dollars.';

CREATE FUNCTION bcce.sum_token_cost_step(internal, text, timestamptz, bigint, bigint, bigint, bigint, bigint) RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C
STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sum_token_cost_step(internal, text, timestamptz, bigint, bigint, bigint, bigint, bigint) IS
'Part of the aggregate sum_token_cost() of seven arguments: takes a row.';

CREATE AGGREGATE bcce.sum_token_cost(model text, at timestamptz, input bigint, output bigint, cache_read bigint, cache_write_5m bigint,
    cache_write_1h bigint) (
    SFUNC = bcce.sum_token_cost_step,
    STYPE = internal,
    SSPACE = 64,
    FINALFUNC = bcce.sum_token_cost_final,
    COMBINEFUNC = bcce.sum_token_cost_combine,
    SERIALFUNC = bcce.sum_token_cost_serialize,
    DESERIALFUNC = bcce.sum_token_cost_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.sum_token_cost(text, timestamptz, bigint, bigint, bigint, bigint, bigint) IS
'The same for calls at standard speed and tier, without searches, at the prices of the caller''s tenant as they are known now.';
-- Percentiles that can be stored, merged and read again, with an error that is known.

CREATE TYPE bcce.sketch;
COMMENT ON TYPE bcce.sketch IS
'Numbers summed up for percentiles: up to 32 as they are, more in buckets whose bounds are powers of 2^(1/64) by default, so that a percentile is within 0.5415 % of the number it stands for. Count, sum, smallest and largest number are exact. Merging loses nothing: what a sketch holds does not depend on the order of rows nor on their grouping. Source: Masson, Rim and Lee 2019 (DDSketch); Epicoco and others 2020 (uniform collapse); OpenTelemetry exponential histogram.';

CREATE FUNCTION bcce.sketch_in(cstring)
RETURNS bcce.sketch
AS 'MODULE_PATHNAME', 'sketch_in'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_in(cstring) IS
'Text to sketch. Error 22P02: not the text of a sketch.';

CREATE FUNCTION bcce.sketch_out(bcce.sketch)
RETURNS cstring
AS 'MODULE_PATHNAME', 'sketch_out'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_out(bcce.sketch) IS
'Sketch to text: fields name=value in a fixed order, the sum exact as a hexadecimal number times a power of two, buckets as number:count.';

CREATE FUNCTION bcce.sketch_recv(internal)
RETURNS bcce.sketch
AS 'MODULE_PATHNAME', 'sketch_recv'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_recv(internal) IS
'Bytes to sketch, every byte checked. Error 22P03: not the bytes of a sketch.';

CREATE FUNCTION bcce.sketch_send(bcce.sketch)
RETURNS bytea
AS 'MODULE_PATHNAME', 'sketch_send'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_send(bcce.sketch) IS
'Sketch to bytes, the same on every platform; equal sketches have equal bytes.';

CREATE TYPE bcce.sketch (
    INPUT = bcce.sketch_in,
    OUTPUT = bcce.sketch_out,
    RECEIVE = bcce.sketch_recv,
    SEND = bcce.sketch_send,
    STORAGE = external
);

-- Aggregates.  One state serves all; the second argument is the same in all rows of a group.

CREATE FUNCTION bcce.sketch_combine(internal, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_combine'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_combine(internal, internal) IS
'Part of the aggregates of sketches: joins the states of two workers.';

CREATE FUNCTION bcce.sketch_serialize(internal)
RETURNS bytea
AS 'MODULE_PATHNAME', 'sketch_serialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_serialize(internal) IS
'Part of the aggregates of sketches: state to bytes.';

CREATE FUNCTION bcce.sketch_deserialize(bytea, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_deserialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_deserialize(bytea, internal) IS
'Part of the aggregates of sketches: bytes to state, every byte checked. Error 22P03: not a state.';

CREATE FUNCTION bcce.sketch_final(internal)
RETURNS bcce.sketch
AS 'MODULE_PATHNAME', 'sketch_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_final(internal) IS
'Part of the aggregates percentile_sketch() and rollup(): the result.';

CREATE FUNCTION bcce.approx_percentile_final(internal)
RETURNS double precision
AS 'MODULE_PATHNAME', 'approx_percentile_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.approx_percentile_final(internal) IS
'Part of the aggregate approx_percentile(v, q): the result.';

CREATE FUNCTION bcce.approx_percentiles_final(internal)
RETURNS double precision[]
AS 'MODULE_PATHNAME', 'approx_percentiles_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.approx_percentiles_final(internal) IS
'Part of the aggregate approx_percentile(v, q[]): the result.';

CREATE FUNCTION bcce.approx_percentile_interval_final(internal)
RETURNS interval
AS 'MODULE_PATHNAME', 'approx_percentile_interval_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.approx_percentile_interval_final(internal) IS
'Part of the aggregate approx_percentile(interval, q): the result.';

CREATE FUNCTION bcce.approx_percentiles_interval_final(internal)
RETURNS interval[]
AS 'MODULE_PATHNAME', 'approx_percentiles_interval_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.approx_percentiles_interval_final(internal) IS
'Part of the aggregate approx_percentile(interval, q[]): the result.';

CREATE FUNCTION bcce.sketch_step(internal, bcce.sketch)
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_step_sketch'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_step(internal, bcce.sketch) IS
'Part of the aggregate rollup(sketch): takes a row.';

CREATE AGGREGATE bcce.rollup(sketch bcce.sketch) (
    SFUNC = bcce.sketch_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.sketch_final,
    COMBINEFUNC = bcce.sketch_combine,
    SERIALFUNC = bcce.sketch_serialize,
    DESERIALFUNC = bcce.sketch_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.rollup(bcce.sketch) IS
'One sketch of all the numbers in several sketches, the same to the byte as a sketch made of those numbers at once. Sketches of different error give the largest. NULLs are left out; NULL without a sketch. Error XX001: a stored sketch was damaged.';

-- For frames that slide: a row joins at the end, the first one leaves.  The same for all types of numbers.

CREATE FUNCTION bcce.sketch_slide(internal, "any")
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_slide'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_slide(internal, "any") IS
'Part of the aggregate percentile_sketch(v): a row joins a frame that slides.';

CREATE FUNCTION bcce.sketch_slide(internal, "any", error double precision)
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_slide_error'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_slide(internal, "any", double precision) IS
'Part of the aggregate percentile_sketch(v, error): a row joins a frame that slides.';

CREATE FUNCTION bcce.approx_percentile_slide(internal, "any", q double precision)
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_slide_percentile'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.approx_percentile_slide(internal, "any", double precision) IS
'Part of the aggregate approx_percentile(v, q): a row joins a frame that slides.';

CREATE FUNCTION bcce.approx_percentile_slide(internal, "any", q double precision[])
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_slide_percentiles'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.approx_percentile_slide(internal, "any", double precision[]) IS
'Part of the aggregate approx_percentile(v, q[]): a row joins a frame that slides.';

CREATE FUNCTION bcce.sketch_slide_out(internal, "any")
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_slide_out'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_slide_out(internal, "any") IS
'Part of the aggregate percentile_sketch(v): the first row leaves a frame that slides.';

CREATE FUNCTION bcce.sketch_slide_out(internal, "any", double precision)
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_slide_out'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_slide_out(internal, "any", double precision) IS
'Part of the aggregate percentile_sketch(v, error) and approx_percentile(v, q): the first row leaves a frame that slides.';

CREATE FUNCTION bcce.sketch_slide_out(internal, "any", double precision[])
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_slide_out'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_slide_out(internal, "any", double precision[]) IS
'Part of the aggregate approx_percentile(v, q[]): the first row leaves a frame that slides.';

CREATE FUNCTION bcce.sketch_step(internal, double precision)
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_step_float8'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_step(internal, double precision) IS
'Part of the aggregate percentile_sketch(double precision): takes a row.';

CREATE FUNCTION bcce.sketch_step(internal, double precision, error double precision)
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_step_float8_error'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_step(internal, double precision, double precision) IS
'Part of the aggregate percentile_sketch(double precision, error): takes a row.';

CREATE FUNCTION bcce.approx_percentile_step(internal, double precision, q double precision)
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_step_float8_percentile'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.approx_percentile_step(internal, double precision, double precision) IS
'Part of the aggregate approx_percentile(double precision, q): takes a row.';

CREATE FUNCTION bcce.approx_percentile_step(internal, double precision, q double precision[])
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_step_float8_percentiles'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.approx_percentile_step(internal, double precision, double precision[]) IS
'Part of the aggregate approx_percentile(double precision, q[]): takes a row.';

CREATE AGGREGATE bcce.percentile_sketch(v double precision) (
    SFUNC = bcce.sketch_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.sketch_final,
    COMBINEFUNC = bcce.sketch_combine,
    SERIALFUNC = bcce.sketch_serialize,
    DESERIALFUNC = bcce.sketch_deserialize,
    MSFUNC = bcce.sketch_slide,
    MINVFUNC = bcce.sketch_slide_out,
    MSTYPE = internal,
    MSSPACE = 4096,
    MFINALFUNC = bcce.sketch_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.percentile_sketch(double precision) IS
'Sketch of numbers, for percentiles within 0.5415 %, exact up to 32 of them. NULLs are left out; NULL without a value.';

CREATE AGGREGATE bcce.percentile_sketch(v double precision, error double precision) (
    SFUNC = bcce.sketch_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.sketch_final,
    COMBINEFUNC = bcce.sketch_combine,
    SERIALFUNC = bcce.sketch_serialize,
    DESERIALFUNC = bcce.sketch_deserialize,
    MSFUNC = bcce.sketch_slide,
    MINVFUNC = bcce.sketch_slide_out,
    MSTYPE = internal,
    MSSPACE = 4096,
    MFINALFUNC = bcce.sketch_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.percentile_sketch(double precision, double precision) IS
'Sketch of numbers, for percentiles within the given relative error (0.01 is 1 %; NULL is the default). Data of more than 4096 buckets makes them wider, error(sketch) says how wide. Error 22023: error below 0.000677 or above 1, or not the same in a group.';

CREATE AGGREGATE bcce.approx_percentile(v double precision, q double precision) (
    SFUNC = bcce.approx_percentile_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.approx_percentile_final,
    COMBINEFUNC = bcce.sketch_combine,
    SERIALFUNC = bcce.sketch_serialize,
    DESERIALFUNC = bcce.sketch_deserialize,
    MSFUNC = bcce.approx_percentile_slide,
    MINVFUNC = bcce.sketch_slide_out,
    MSTYPE = internal,
    MSSPACE = 4096,
    MFINALFUNC = bcce.approx_percentile_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.approx_percentile(double precision, double precision) IS
'Percentile q (0 to 1) of numbers, by the rank of percentile_disc() and within 0.5415 % of it; exact up to 32 values. NaN is above everything. NULL without a value or when q is NULL. Errors: 22003 q outside 0 to 1; 22023 q not the same in a group.';

CREATE AGGREGATE bcce.approx_percentile(v double precision, q double precision[]) (
    SFUNC = bcce.approx_percentile_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.approx_percentiles_final,
    COMBINEFUNC = bcce.sketch_combine,
    SERIALFUNC = bcce.sketch_serialize,
    DESERIALFUNC = bcce.sketch_deserialize,
    MSFUNC = bcce.approx_percentile_slide,
    MINVFUNC = bcce.sketch_slide_out,
    MSTYPE = internal,
    MSSPACE = 4096,
    MFINALFUNC = bcce.approx_percentiles_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.approx_percentile(double precision, double precision[]) IS
'Percentiles of numbers, one for each q of the array and in its shape, as approx_percentile(v, q) gives each. Errors: 22003 a q outside 0 to 1; 22023 q not the same in a group.';

CREATE FUNCTION bcce.sketch_step(internal, bigint)
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_step_bigint'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_step(internal, bigint) IS
'Part of the aggregate percentile_sketch(bigint): takes a row.';

CREATE FUNCTION bcce.sketch_step(internal, bigint, error double precision)
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_step_bigint_error'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_step(internal, bigint, double precision) IS
'Part of the aggregate percentile_sketch(bigint, error): takes a row.';

CREATE FUNCTION bcce.approx_percentile_step(internal, bigint, q double precision)
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_step_bigint_percentile'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.approx_percentile_step(internal, bigint, double precision) IS
'Part of the aggregate approx_percentile(bigint, q): takes a row.';

CREATE FUNCTION bcce.approx_percentile_step(internal, bigint, q double precision[])
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_step_bigint_percentiles'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.approx_percentile_step(internal, bigint, double precision[]) IS
'Part of the aggregate approx_percentile(bigint, q[]): takes a row.';

CREATE AGGREGATE bcce.percentile_sketch(v bigint) (
    SFUNC = bcce.sketch_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.sketch_final,
    COMBINEFUNC = bcce.sketch_combine,
    SERIALFUNC = bcce.sketch_serialize,
    DESERIALFUNC = bcce.sketch_deserialize,
    MSFUNC = bcce.sketch_slide,
    MINVFUNC = bcce.sketch_slide_out,
    MSTYPE = internal,
    MSSPACE = 4096,
    MFINALFUNC = bcce.sketch_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.percentile_sketch(bigint) IS
'Sketch of numbers, for percentiles within 0.5415 %, exact up to 32 of them. NULLs are left out; NULL without a value.';

CREATE AGGREGATE bcce.percentile_sketch(v bigint, error double precision) (
    SFUNC = bcce.sketch_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.sketch_final,
    COMBINEFUNC = bcce.sketch_combine,
    SERIALFUNC = bcce.sketch_serialize,
    DESERIALFUNC = bcce.sketch_deserialize,
    MSFUNC = bcce.sketch_slide,
    MINVFUNC = bcce.sketch_slide_out,
    MSTYPE = internal,
    MSSPACE = 4096,
    MFINALFUNC = bcce.sketch_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.percentile_sketch(bigint, double precision) IS
'Sketch of numbers, for percentiles within the given relative error (0.01 is 1 %; NULL is the default). Data of more than 4096 buckets makes them wider, error(sketch) says how wide. Error 22023: error below 0.000677 or above 1, or not the same in a group.';

CREATE AGGREGATE bcce.approx_percentile(v bigint, q double precision) (
    SFUNC = bcce.approx_percentile_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.approx_percentile_final,
    COMBINEFUNC = bcce.sketch_combine,
    SERIALFUNC = bcce.sketch_serialize,
    DESERIALFUNC = bcce.sketch_deserialize,
    MSFUNC = bcce.approx_percentile_slide,
    MINVFUNC = bcce.sketch_slide_out,
    MSTYPE = internal,
    MSSPACE = 4096,
    MFINALFUNC = bcce.approx_percentile_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.approx_percentile(bigint, double precision) IS
'Percentile q (0 to 1) of numbers, by the rank of percentile_disc() and within 0.5415 % of it; exact up to 32 values. NULL without a value or when q is NULL. Errors: 22003 q outside 0 to 1; 22023 q not the same in a group.';

CREATE AGGREGATE bcce.approx_percentile(v bigint, q double precision[]) (
    SFUNC = bcce.approx_percentile_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.approx_percentiles_final,
    COMBINEFUNC = bcce.sketch_combine,
    SERIALFUNC = bcce.sketch_serialize,
    DESERIALFUNC = bcce.sketch_deserialize,
    MSFUNC = bcce.approx_percentile_slide,
    MINVFUNC = bcce.sketch_slide_out,
    MSTYPE = internal,
    MSSPACE = 4096,
    MFINALFUNC = bcce.approx_percentiles_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.approx_percentile(bigint, double precision[]) IS
'Percentiles of numbers, one for each q of the array and in its shape, as approx_percentile(v, q) gives each. Errors: 22003 a q outside 0 to 1; 22023 q not the same in a group.';

CREATE FUNCTION bcce.sketch_step(internal, numeric)
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_step_numeric'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_step(internal, numeric) IS
'Part of the aggregate percentile_sketch(numeric): takes a row.';

CREATE FUNCTION bcce.sketch_step(internal, numeric, error double precision)
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_step_numeric_error'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_step(internal, numeric, double precision) IS
'Part of the aggregate percentile_sketch(numeric, error): takes a row.';

CREATE FUNCTION bcce.approx_percentile_step(internal, numeric, q double precision)
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_step_numeric_percentile'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.approx_percentile_step(internal, numeric, double precision) IS
'Part of the aggregate approx_percentile(numeric, q): takes a row.';

CREATE FUNCTION bcce.approx_percentile_step(internal, numeric, q double precision[])
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_step_numeric_percentiles'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.approx_percentile_step(internal, numeric, double precision[]) IS
'Part of the aggregate approx_percentile(numeric, q[]): takes a row.';

CREATE AGGREGATE bcce.percentile_sketch(v numeric) (
    SFUNC = bcce.sketch_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.sketch_final,
    COMBINEFUNC = bcce.sketch_combine,
    SERIALFUNC = bcce.sketch_serialize,
    DESERIALFUNC = bcce.sketch_deserialize,
    MSFUNC = bcce.sketch_slide,
    MINVFUNC = bcce.sketch_slide_out,
    MSTYPE = internal,
    MSSPACE = 4096,
    MFINALFUNC = bcce.sketch_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.percentile_sketch(numeric) IS
'Sketch of numbers, for percentiles within 0.5415 %, exact up to 32 of them. NULLs are left out; NULL without a value. Numbers are rounded to double precision; one beyond its range counts as infinite.';

CREATE AGGREGATE bcce.percentile_sketch(v numeric, error double precision) (
    SFUNC = bcce.sketch_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.sketch_final,
    COMBINEFUNC = bcce.sketch_combine,
    SERIALFUNC = bcce.sketch_serialize,
    DESERIALFUNC = bcce.sketch_deserialize,
    MSFUNC = bcce.sketch_slide,
    MINVFUNC = bcce.sketch_slide_out,
    MSTYPE = internal,
    MSSPACE = 4096,
    MFINALFUNC = bcce.sketch_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.percentile_sketch(numeric, double precision) IS
'Sketch of numbers, for percentiles within the given relative error (0.01 is 1 %; NULL is the default). Data of more than 4096 buckets makes them wider, error(sketch) says how wide. Numbers are rounded to double precision; one beyond its range counts as infinite. Error 22023: error below 0.000677 or above 1, or not the same in a group.';

CREATE AGGREGATE bcce.approx_percentile(v numeric, q double precision) (
    SFUNC = bcce.approx_percentile_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.approx_percentile_final,
    COMBINEFUNC = bcce.sketch_combine,
    SERIALFUNC = bcce.sketch_serialize,
    DESERIALFUNC = bcce.sketch_deserialize,
    MSFUNC = bcce.approx_percentile_slide,
    MINVFUNC = bcce.sketch_slide_out,
    MSTYPE = internal,
    MSSPACE = 4096,
    MFINALFUNC = bcce.approx_percentile_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.approx_percentile(numeric, double precision) IS
'Percentile q (0 to 1) of numbers, by the rank of percentile_disc() and within 0.5415 % of it; exact up to 32 values. NaN is above everything. NULL without a value or when q is NULL. Numbers are rounded to double precision; one beyond its range counts as infinite. Errors: 22003 q outside 0 to 1; 22023 q not the same in a group.';

CREATE AGGREGATE bcce.approx_percentile(v numeric, q double precision[]) (
    SFUNC = bcce.approx_percentile_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.approx_percentiles_final,
    COMBINEFUNC = bcce.sketch_combine,
    SERIALFUNC = bcce.sketch_serialize,
    DESERIALFUNC = bcce.sketch_deserialize,
    MSFUNC = bcce.approx_percentile_slide,
    MINVFUNC = bcce.sketch_slide_out,
    MSTYPE = internal,
    MSSPACE = 4096,
    MFINALFUNC = bcce.approx_percentiles_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.approx_percentile(numeric, double precision[]) IS
'Percentiles of numbers, one for each q of the array and in its shape, as approx_percentile(v, q) gives each. Numbers are rounded to double precision; one beyond its range counts as infinite. Errors: 22003 a q outside 0 to 1; 22023 q not the same in a group.';

CREATE FUNCTION bcce.sketch_step(internal, interval)
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_step_interval'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_step(internal, interval) IS
'Part of the aggregate percentile_sketch(interval): takes a row.';

CREATE FUNCTION bcce.sketch_step(internal, interval, error double precision)
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_step_interval_error'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_step(internal, interval, double precision) IS
'Part of the aggregate percentile_sketch(interval, error): takes a row.';

CREATE FUNCTION bcce.approx_percentile_step(internal, interval, q double precision)
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_step_interval_percentile'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.approx_percentile_step(internal, interval, double precision) IS
'Part of the aggregate approx_percentile(interval, q): takes a row.';

CREATE FUNCTION bcce.approx_percentile_step(internal, interval, q double precision[])
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_step_interval_percentiles'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.approx_percentile_step(internal, interval, double precision[]) IS
'Part of the aggregate approx_percentile(interval, q[]): takes a row.';

CREATE AGGREGATE bcce.percentile_sketch(v interval) (
    SFUNC = bcce.sketch_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.sketch_final,
    COMBINEFUNC = bcce.sketch_combine,
    SERIALFUNC = bcce.sketch_serialize,
    DESERIALFUNC = bcce.sketch_deserialize,
    MSFUNC = bcce.sketch_slide,
    MINVFUNC = bcce.sketch_slide_out,
    MSTYPE = internal,
    MSSPACE = 4096,
    MFINALFUNC = bcce.sketch_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.percentile_sketch(interval) IS
'Sketch of intervals in seconds, for percentiles within 0.5415 %, exact up to 32 of them. NULLs are left out; NULL without a value. A day is 24 hours and a month 30 days, as when intervals are ordered.';

CREATE AGGREGATE bcce.percentile_sketch(v interval, error double precision) (
    SFUNC = bcce.sketch_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.sketch_final,
    COMBINEFUNC = bcce.sketch_combine,
    SERIALFUNC = bcce.sketch_serialize,
    DESERIALFUNC = bcce.sketch_deserialize,
    MSFUNC = bcce.sketch_slide,
    MINVFUNC = bcce.sketch_slide_out,
    MSTYPE = internal,
    MSSPACE = 4096,
    MFINALFUNC = bcce.sketch_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.percentile_sketch(interval, double precision) IS
'Sketch of intervals in seconds, for percentiles within the given relative error (0.01 is 1 %; NULL is the default). Data of more than 4096 buckets makes them wider, error(sketch) says how wide. A day is 24 hours and a month 30 days, as when intervals are ordered. Error 22023: error below 0.000677 or above 1, or not the same in a group.';

CREATE AGGREGATE bcce.approx_percentile(v interval, q double precision) (
    SFUNC = bcce.approx_percentile_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.approx_percentile_interval_final,
    COMBINEFUNC = bcce.sketch_combine,
    SERIALFUNC = bcce.sketch_serialize,
    DESERIALFUNC = bcce.sketch_deserialize,
    MSFUNC = bcce.approx_percentile_slide,
    MINVFUNC = bcce.sketch_slide_out,
    MSTYPE = internal,
    MSSPACE = 4096,
    MFINALFUNC = bcce.approx_percentile_interval_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.approx_percentile(interval, double precision) IS
'Percentile q (0 to 1) of intervals, by the rank of percentile_disc() and within 0.5415 % of it; exact up to 32 values. NULL without a value or when q is NULL. A day is 24 hours and a month 30 days, as when intervals are ordered. Errors: 22003 q outside 0 to 1; 22023 q not the same in a group.';

CREATE AGGREGATE bcce.approx_percentile(v interval, q double precision[]) (
    SFUNC = bcce.approx_percentile_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.approx_percentiles_interval_final,
    COMBINEFUNC = bcce.sketch_combine,
    SERIALFUNC = bcce.sketch_serialize,
    DESERIALFUNC = bcce.sketch_deserialize,
    MSFUNC = bcce.approx_percentile_slide,
    MINVFUNC = bcce.sketch_slide_out,
    MSTYPE = internal,
    MSSPACE = 4096,
    MFINALFUNC = bcce.approx_percentiles_interval_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.approx_percentile(interval, double precision[]) IS
'Percentiles of intervals, one for each q of the array and in its shape, as approx_percentile(v, q) gives each. A day is 24 hours and a month 30 days, as when intervals are ordered. Errors: 22003 a q outside 0 to 1; 22023 q not the same in a group.';

-- Readers.  Each is NULL for a sketch of no number, but for num_vals, error, is_exact and buckets.

CREATE FUNCTION bcce.approx_percentile(sketch bcce.sketch, q double precision)
RETURNS double precision
AS 'MODULE_PATHNAME', 'sketch_approx_percentile'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.approx_percentile(bcce.sketch, double precision) IS
'Percentile q (0 to 1), in the unit of the numbers (seconds for intervals), by the rank of percentile_disc(): the number of rank ceil(q * n), within error(sketch) of it. The smallest and the largest are exact. Error 22003: q outside 0 to 1.';

CREATE FUNCTION bcce.approx_percentile(sketch bcce.sketch, q double precision[])
RETURNS double precision[]
AS 'MODULE_PATHNAME', 'sketch_approx_percentiles'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.approx_percentile(bcce.sketch, double precision[]) IS
'Percentiles, one for each q of the array and in its shape, as approx_percentile(sketch, q) gives each; NULL for a q that is NULL. Error 22003: a q outside 0 to 1.';

CREATE FUNCTION bcce.approx_percentile_rank(sketch bcce.sketch, value double precision)
RETURNS double precision
AS 'MODULE_PATHNAME', 'sketch_approx_percentile_rank'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.approx_percentile_rank(bcce.sketch, double precision) IS
'Share of numbers (0 to 1) up to and including the value. Exact up to 32 numbers and at 0; otherwise the numbers in the bucket of the value count as spread evenly.';

CREATE FUNCTION bcce.share_below(sketch bcce.sketch, value double precision)
RETURNS double precision
AS 'MODULE_PATHNAME', 'sketch_share_below'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.share_below(bcce.sketch, double precision) IS
'Share of numbers (0 to 1) below the value. Exact up to 32 numbers and at 0; otherwise the numbers in the bucket of the value count as spread evenly.';

CREATE FUNCTION bcce.mean(sketch bcce.sketch)
RETURNS double precision
AS 'MODULE_PATHNAME', 'sketch_mean_of'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.mean(bcce.sketch) IS
'Mean, from an exact sum; NaN or infinite where avg() is.';

CREATE FUNCTION bcce.sum(sketch bcce.sketch)
RETURNS double precision
AS 'MODULE_PATHNAME', 'sketch_sum_of'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sum(bcce.sketch) IS
'Sum, exact and rounded once, so independent of the order of rows; Infinity beyond the range of double precision.';

CREATE FUNCTION bcce.num_vals(sketch bcce.sketch)
RETURNS bigint
AS 'MODULE_PATHNAME', 'sketch_num_vals'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.num_vals(bcce.sketch) IS
'How many numbers there are, NaN and infinite ones included.';

CREATE FUNCTION bcce.min_val(sketch bcce.sketch)
RETURNS double precision
AS 'MODULE_PATHNAME', 'sketch_min_val'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.min_val(bcce.sketch) IS
'Smallest number, exact.';

CREATE FUNCTION bcce.max_val(sketch bcce.sketch)
RETURNS double precision
AS 'MODULE_PATHNAME', 'sketch_max_val'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.max_val(bcce.sketch) IS
'Largest number, exact; NaN when there is one, as max() has it.';

CREATE FUNCTION bcce.error(sketch bcce.sketch)
RETURNS double precision
AS 'MODULE_PATHNAME', 'sketch_error_of'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.error(bcce.sketch) IS
'How far a percentile can be from the number it stands for, relative to that number: 0 while numbers are kept, 0.005415 by default.';

CREATE FUNCTION bcce.is_exact(sketch bcce.sketch)
RETURNS boolean
AS 'MODULE_PATHNAME', 'sketch_is_exact'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.is_exact(bcce.sketch) IS
'Whether the numbers are kept as they are, so that percentiles have no error.';

CREATE FUNCTION bcce.buckets(sketch bcce.sketch)
RETURNS TABLE (lower double precision, upper double precision, count bigint)
AS 'MODULE_PATHNAME', 'sketch_buckets'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 100;
COMMENT ON FUNCTION bcce.buckets(bcce.sketch) IS
'What the sketch holds, in ascending order: how many numbers are from lower to upper, in their unit; lower = upper for a number that is kept, for 0, and for what is infinite or NaN.';

-- Merging two, and the form of OpenTelemetry.

CREATE FUNCTION bcce.sketch_union(bcce.sketch, bcce.sketch)
RETURNS bcce.sketch
AS 'MODULE_PATHNAME', 'sketch_union'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_union(bcce.sketch, bcce.sketch) IS
'One sketch of the numbers in two; the operator ||.';

CREATE OPERATOR bcce.|| (
    LEFTARG = bcce.sketch,
    RIGHTARG = bcce.sketch,
    FUNCTION = bcce.sketch_union,
    COMMUTATOR = OPERATOR(bcce.||)
);
COMMENT ON OPERATOR bcce.|| (bcce.sketch, bcce.sketch) IS
'One sketch of the numbers in two, in whatever order.';

CREATE FUNCTION bcce.sketch_to_jsonb(bcce.sketch)
RETURNS jsonb
AS 'MODULE_PATHNAME', 'sketch_to_jsonb'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_to_jsonb(bcce.sketch) IS
'Sketch as an exponential histogram with the field names of OpenTelemetry (ExponentialHistogramDataPoint); the sum is rounded to double precision. Numbers that are kept stand in values; NaN and infinite ones, which it does not know, in nan_count, infinity_count and negative_infinity_count, and not in count.';

CREATE FUNCTION bcce.sketch_from_jsonb(jsonb)
RETURNS bcce.sketch
AS 'MODULE_PATHNAME', 'sketch_from_jsonb'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_from_jsonb(jsonb) IS
'Exponential histogram of OpenTelemetry to sketch: names in snake or camel case, counts as numbers or in quotes. Missing sum, min and max are estimated from the buckets; scales above 9 become 9. Errors: 22023 a field is missing or wrong; 22003 a number is out of range.';

CREATE FUNCTION bcce.sketch_from_bytes(bytea)
RETURNS bcce.sketch
AS 'MODULE_PATHNAME', 'sketch_from_bytes'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_from_bytes(bytea) IS
'Sketch from the bytes that sketch_send() gives, every byte checked: for columns that must outlive the extension. Error 22P03: not the bytes of a sketch.';

CREATE FUNCTION bcce.try_sketch(value text)
RETURNS bcce.sketch
AS 'MODULE_PATHNAME', 'try_sketch'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.try_sketch(text) IS
'Sketch from its text, or NULL. Never errors.';

CREATE FUNCTION bcce.try_sketch(value jsonb)
RETURNS bcce.sketch
AS 'MODULE_PATHNAME', 'try_sketch_jsonb'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.try_sketch(jsonb) IS
'Exponential histogram of OpenTelemetry to sketch as in the cast, or NULL. Never errors.';

CREATE CAST (bcce.sketch AS jsonb) WITH FUNCTION bcce.sketch_to_jsonb(bcce.sketch);
COMMENT ON CAST (bcce.sketch AS jsonb) IS 'Sketch to an exponential histogram of OpenTelemetry.';
CREATE CAST (jsonb AS bcce.sketch) WITH FUNCTION bcce.sketch_from_jsonb(jsonb);
COMMENT ON CAST (jsonb AS bcce.sketch) IS 'Exponential histogram of OpenTelemetry to sketch.';
-- How good probabilities were, how far apart two samples are, and how sure a rate is: over anybody's columns.

CREATE FUNCTION bcce.brier_step(internal, double precision, boolean)
RETURNS internal
AS 'MODULE_PATHNAME', 'brier_step'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.brier_step(internal, double precision, boolean) IS
'Part of the aggregate brier(p, y): takes a row.';

CREATE FUNCTION bcce.log_loss_step(internal, double precision, boolean)
RETURNS internal
AS 'MODULE_PATHNAME', 'log_loss_step'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.log_loss_step(internal, double precision, boolean) IS
'Part of the aggregate log_loss(p, y): takes a row.';

CREATE FUNCTION bcce.score_combine(internal, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'score_combine'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.score_combine(internal, internal) IS
'Part of the aggregates brier() and log_loss(): joins the states of two workers.';

CREATE FUNCTION bcce.brier_serialize(internal)
RETURNS bytea
AS 'MODULE_PATHNAME', 'brier_serialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.brier_serialize(internal) IS
'Part of the aggregate brier(p, y): state to bytes.';

CREATE FUNCTION bcce.brier_deserialize(bytea, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'brier_deserialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.brier_deserialize(bytea, internal) IS
'Part of the aggregate brier(p, y): bytes to state, every byte checked. Error 22P03: not a state.';

CREATE FUNCTION bcce.log_loss_serialize(internal)
RETURNS bytea
AS 'MODULE_PATHNAME', 'log_loss_serialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.log_loss_serialize(internal) IS
'Part of the aggregate log_loss(p, y): state to bytes.';

CREATE FUNCTION bcce.log_loss_deserialize(bytea, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'log_loss_deserialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.log_loss_deserialize(bytea, internal) IS
'Part of the aggregate log_loss(p, y): bytes to state, every byte checked. Error 22P03: not a state.';

CREATE FUNCTION bcce.score_final(internal)
RETURNS double precision
AS 'MODULE_PATHNAME', 'score_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.score_final(internal) IS
'Part of the aggregates brier() and log_loss(): the result.';

CREATE AGGREGATE bcce.brier(p double precision, y boolean) (
    SFUNC = bcce.brier_step,
    STYPE = internal,
    SSPACE = 576,
    FINALFUNC = bcce.score_final,
    COMBINEFUNC = bcce.score_combine,
    SERIALFUNC = bcce.brier_serialize,
    DESERIALFUNC = bcce.brier_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.brier(double precision, boolean) IS
'Brier score: mean of (p - y)^2, p the probability that was predicted, y whether it happened; 0 is best, 1 worst. Rows without p or without y (outcome not known yet) do not count; NULL when none counts. Error 22003: p is NaN or not between 0 and 1. The sum has no rounding, so the result does not depend on the order of rows or on parallel workers. Source: Brier 1950.';

CREATE AGGREGATE bcce.log_loss(p double precision, y boolean) (
    SFUNC = bcce.log_loss_step,
    STYPE = internal,
    SSPACE = 576,
    FINALFUNC = bcce.score_final,
    COMBINEFUNC = bcce.score_combine,
    SERIALFUNC = bcce.log_loss_serialize,
    DESERIALFUNC = bcce.log_loss_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.log_loss(double precision, boolean) IS
'Log loss: mean of minus the natural logarithm of the probability given to what happened, p kept 1e-15 away from 0 and 1; in nats, 0 is best. Rows without p or without y (outcome not known yet) do not count; NULL when none counts. Error 22003: p is NaN or not between 0 and 1. The sum has no rounding, so the result does not depend on the order of rows or on parallel workers. Source: Good 1952.';

CREATE TYPE bcce.calibration_bin AS (
    lower double precision,
    upper double precision,
    n bigint,
    mean_predicted double precision,
    observed_rate double precision,
    observed_low double precision,
    observed_high double precision
);
COMMENT ON TYPE bcce.calibration_bin IS
'One bin of what calibration_bins() gives; rates are NULL in an empty one.';
COMMENT ON COLUMN bcce.calibration_bin.lower IS 'lowest probability of the bin';
COMMENT ON COLUMN bcce.calibration_bin.upper IS 'probability at which it ends: not in it, except for 1 in the last bin';
COMMENT ON COLUMN bcce.calibration_bin.n IS 'predictions with a probability in the bin';
COMMENT ON COLUMN bcce.calibration_bin.mean_predicted IS 'their mean probability';
COMMENT ON COLUMN bcce.calibration_bin.observed_rate IS 'share of them that happened, 0 to 1';
COMMENT ON COLUMN bcce.calibration_bin.observed_low IS 'lower end of the share''s 95 % confidence interval (Wilson)';
COMMENT ON COLUMN bcce.calibration_bin.observed_high IS 'upper end of the share''s 95 % confidence interval (Wilson)';

CREATE FUNCTION bcce.calibration_step(internal, double precision, boolean)
RETURNS internal
AS 'MODULE_PATHNAME', 'calibration_step'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.calibration_step(internal, double precision, boolean) IS
'Part of the aggregates ece(), mce() and calibration_bins(): takes a row.';

CREATE FUNCTION bcce.calibration_step(internal, double precision, boolean, integer)
RETURNS internal
AS 'MODULE_PATHNAME', 'calibration_step_bins'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.calibration_step(internal, double precision, boolean, integer) IS
'Part of the aggregates ece(), mce() and calibration_bins() with a number of bins: takes a row.';

CREATE FUNCTION bcce.calibration_combine(internal, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'calibration_combine'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.calibration_combine(internal, internal) IS
'Part of the aggregates ece(), mce() and calibration_bins(): joins the states of two workers.';

CREATE FUNCTION bcce.calibration_serialize(internal)
RETURNS bytea
AS 'MODULE_PATHNAME', 'calibration_serialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.calibration_serialize(internal) IS
'Part of the aggregates ece(), mce() and calibration_bins(): state to bytes.';

CREATE FUNCTION bcce.calibration_deserialize(bytea, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'calibration_deserialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.calibration_deserialize(bytea, internal) IS
'Part of the aggregates ece(), mce() and calibration_bins(): bytes to state, every byte checked. Error 22P03: not a state.';

CREATE FUNCTION bcce.ece_final(internal)
RETURNS double precision
AS 'MODULE_PATHNAME', 'ece_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.ece_final(internal) IS
'Part of the aggregate ece(): the result.';

CREATE FUNCTION bcce.mce_final(internal)
RETURNS double precision
AS 'MODULE_PATHNAME', 'mce_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.mce_final(internal) IS
'Part of the aggregate mce(): the result.';

CREATE FUNCTION bcce.calibration_bins_final(internal)
RETURNS bcce.calibration_bin[]
AS 'MODULE_PATHNAME', 'calibration_bins_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.calibration_bins_final(internal) IS
'Part of the aggregate calibration_bins(): the result.';

CREATE AGGREGATE bcce.ece(p double precision, y boolean) (
    SFUNC = bcce.calibration_step,
    STYPE = internal,
    SSPACE = 6400,
    FINALFUNC = bcce.ece_final,
    COMBINEFUNC = bcce.calibration_combine,
    SERIALFUNC = bcce.calibration_serialize,
    DESERIALFUNC = bcce.calibration_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.ece(double precision, boolean) IS
'Expected calibration error, 0 to 1: over bins of equal width from 0 to 1, the distance of mean probability and observed rate, weighted by the number of predictions; empty bins do not count. Ten bins; bin least(floor(p * 10), 9). Rows without p or without y (outcome not known yet) do not count; NULL when none counts. Error 22003: p is NaN or not between 0 and 1. The sum has no rounding, so the result does not depend on the order of rows or on parallel workers. Source: Naeini, Cooper and Hauskrecht 2015.';

CREATE AGGREGATE bcce.ece(p double precision, y boolean, bins integer) (
    SFUNC = bcce.calibration_step,
    STYPE = internal,
    SSPACE = 6400,
    FINALFUNC = bcce.ece_final,
    COMBINEFUNC = bcce.calibration_combine,
    SERIALFUNC = bcce.calibration_serialize,
    DESERIALFUNC = bcce.calibration_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.ece(double precision, boolean, integer) IS
'The same as ece(p, y), with 1 to 1000 bins: bin least(floor(p * bins), bins - 1). Errors: 22003 bins out of range or NULL, 22023 bins differs within a group.';

CREATE AGGREGATE bcce.mce(p double precision, y boolean) (
    SFUNC = bcce.calibration_step,
    STYPE = internal,
    SSPACE = 6400,
    FINALFUNC = bcce.mce_final,
    COMBINEFUNC = bcce.calibration_combine,
    SERIALFUNC = bcce.calibration_serialize,
    DESERIALFUNC = bcce.calibration_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.mce(double precision, boolean) IS
'Maximum calibration error, 0 to 1: over bins of equal width from 0 to 1, the largest distance of mean probability and observed rate; empty bins do not count. Ten bins; bin least(floor(p * 10), 9). Rows without p or without y (outcome not known yet) do not count; NULL when none counts. Error 22003: p is NaN or not between 0 and 1. The sum has no rounding, so the result does not depend on the order of rows or on parallel workers. Source: Naeini, Cooper and Hauskrecht 2015.';

CREATE AGGREGATE bcce.mce(p double precision, y boolean, bins integer) (
    SFUNC = bcce.calibration_step,
    STYPE = internal,
    SSPACE = 6400,
    FINALFUNC = bcce.mce_final,
    COMBINEFUNC = bcce.calibration_combine,
    SERIALFUNC = bcce.calibration_serialize,
    DESERIALFUNC = bcce.calibration_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.mce(double precision, boolean, integer) IS
'The same as mce(p, y), with 1 to 1000 bins: bin least(floor(p * bins), bins - 1). Errors: 22003 bins out of range or NULL, 22023 bins differs within a group.';

CREATE AGGREGATE bcce.calibration_bins(p double precision, y boolean) (
    SFUNC = bcce.calibration_step,
    STYPE = internal,
    SSPACE = 6400,
    FINALFUNC = bcce.calibration_bins_final,
    COMBINEFUNC = bcce.calibration_combine,
    SERIALFUNC = bcce.calibration_serialize,
    DESERIALFUNC = bcce.calibration_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.calibration_bins(double precision, boolean) IS
'Bins of equal width from 0 to 1, empty ones too, each with its number of predictions, mean probability and observed rate; as rows: SELECT b.* FROM unnest((SELECT calibration_bins(p, y) FROM t)) AS b. Ten bins; bin least(floor(p * 10), 9). Rows without p or without y (outcome not known yet) do not count; NULL when none counts. Error 22003: p is NaN or not between 0 and 1. The sum has no rounding, so the result does not depend on the order of rows or on parallel workers. Sources: Murphy 1973 (reliability), Wilson 1927.';

CREATE AGGREGATE bcce.calibration_bins(p double precision, y boolean, bins integer) (
    SFUNC = bcce.calibration_step,
    STYPE = internal,
    SSPACE = 6400,
    FINALFUNC = bcce.calibration_bins_final,
    COMBINEFUNC = bcce.calibration_combine,
    SERIALFUNC = bcce.calibration_serialize,
    DESERIALFUNC = bcce.calibration_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.calibration_bins(double precision, boolean, integer) IS
'The same as calibration_bins(p, y), with 1 to 1000 bins: bin least(floor(p * bins), bins - 1). Errors: 22003 bins out of range or NULL, 22023 bins differs within a group.';

CREATE FUNCTION bcce.mcc_step(internal, boolean, boolean)
RETURNS internal
AS 'MODULE_PATHNAME', 'mcc_step'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.mcc_step(internal, boolean, boolean) IS
'Part of the aggregate mcc(predicted, actual): takes a row.';

CREATE FUNCTION bcce.mcc_combine(internal, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'mcc_combine'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.mcc_combine(internal, internal) IS
'Part of the aggregate mcc(predicted, actual): joins the states of two workers.';

CREATE FUNCTION bcce.mcc_serialize(internal)
RETURNS bytea
AS 'MODULE_PATHNAME', 'mcc_serialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.mcc_serialize(internal) IS
'Part of the aggregate mcc(predicted, actual): state to bytes.';

CREATE FUNCTION bcce.mcc_deserialize(bytea, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'mcc_deserialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.mcc_deserialize(bytea, internal) IS
'Part of the aggregate mcc(predicted, actual): bytes to state, every byte checked. Error 22P03: not a state.';

CREATE FUNCTION bcce.mcc_final(internal)
RETURNS double precision
AS 'MODULE_PATHNAME', 'mcc_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.mcc_final(internal) IS
'Part of the aggregate mcc(predicted, actual): the result.';

CREATE AGGREGATE bcce.mcc(predicted boolean, actual boolean) (
    SFUNC = bcce.mcc_step,
    STYPE = internal,
    SSPACE = 32,
    FINALFUNC = bcce.mcc_final,
    COMBINEFUNC = bcce.mcc_combine,
    SERIALFUNC = bcce.mcc_serialize,
    DESERIALFUNC = bcce.mcc_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.mcc(boolean, boolean) IS
'Matthews correlation coefficient of what was predicted and what happened, -1 to 1; for probabilities mcc(p >= 0.5, y). Rows with a NULL do not count; NULL when none counts and when only one class was predicted or only one happened. Source: Matthews 1975.';

CREATE FUNCTION bcce.two_samples_step(internal, double precision, boolean)
RETURNS internal
AS 'MODULE_PATHNAME', 'two_samples_step'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.two_samples_step(internal, double precision, boolean) IS
'Part of the aggregates roc_auc(), ks() and psi(): takes a row.';

CREATE FUNCTION bcce.two_samples_step(internal, double precision, boolean, integer)
RETURNS internal
AS 'MODULE_PATHNAME', 'two_samples_step_bins'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.two_samples_step(internal, double precision, boolean, integer) IS
'Part of the aggregate psi() with a number of bins: takes a row.';

CREATE FUNCTION bcce.two_samples_combine(internal, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'two_samples_combine'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.two_samples_combine(internal, internal) IS
'Part of the aggregates roc_auc(), ks() and psi(): joins the states of two workers.';

CREATE FUNCTION bcce.two_samples_serialize(internal)
RETURNS bytea
AS 'MODULE_PATHNAME', 'two_samples_serialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.two_samples_serialize(internal) IS
'Part of the aggregates roc_auc(), ks() and psi(): state to bytes.';

CREATE FUNCTION bcce.two_samples_deserialize(bytea, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'two_samples_deserialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.two_samples_deserialize(bytea, internal) IS
'Part of the aggregates roc_auc(), ks() and psi(): bytes to state, every byte checked. Error 22P03: not a state.';

CREATE FUNCTION bcce.roc_auc_final(internal)
RETURNS double precision
AS 'MODULE_PATHNAME', 'roc_auc_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.roc_auc_final(internal) IS
'Part of the aggregate roc_auc(): the result.';

CREATE FUNCTION bcce.ks_final(internal)
RETURNS double precision
AS 'MODULE_PATHNAME', 'ks_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.ks_final(internal) IS
'Part of the aggregate ks(): the result.';

CREATE FUNCTION bcce.psi_final(internal)
RETURNS double precision
AS 'MODULE_PATHNAME', 'psi_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.psi_final(internal) IS
'Part of the aggregate psi(): the result.';

CREATE AGGREGATE bcce.roc_auc(score double precision, y boolean) (
    SFUNC = bcce.two_samples_step,
    STYPE = internal,
    SSPACE = 1024,
    FINALFUNC = bcce.roc_auc_final,
    COMBINEFUNC = bcce.two_samples_combine,
    SERIALFUNC = bcce.two_samples_serialize,
    DESERIALFUNC = bcce.two_samples_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.roc_auc(double precision, boolean) IS
'Area under the ROC curve: the probability that a row with y true has a larger score than one with y false, ties one half; 0.5 is chance, 1 best. The score need be no probability. Exact: pairs are counted in integers. Rows with a NULL do not count; NULL without both classes. Keeps 8 bytes per row, on disk past work_mem. Error 22003: score is NaN. Sources: Mann and Whitney 1947, Hanley and McNeil 1982.';

CREATE AGGREGATE bcce.ks(value double precision, is_reference boolean) (
    SFUNC = bcce.two_samples_step,
    STYPE = internal,
    SSPACE = 1024,
    FINALFUNC = bcce.ks_final,
    COMBINEFUNC = bcce.two_samples_combine,
    SERIALFUNC = bcce.two_samples_serialize,
    DESERIALFUNC = bcce.two_samples_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.ks(double precision, boolean) IS
'Kolmogorov-Smirnov distance of two samples, 0 to 1: the largest distance of their distribution functions, ties minded. Exact: counted in integers. Rows with a NULL do not count; NULL without both samples. Keeps 8 bytes per row, on disk past work_mem. Error 22003: value is NaN. Source: Smirnov 1939.';

CREATE AGGREGATE bcce.psi(value double precision, is_reference boolean) (
    SFUNC = bcce.two_samples_step,
    STYPE = internal,
    SSPACE = 1024,
    FINALFUNC = bcce.psi_final,
    COMBINEFUNC = bcce.two_samples_combine,
    SERIALFUNC = bcce.two_samples_serialize,
    DESERIALFUNC = bcce.two_samples_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.psi(double precision, boolean) IS
'Population stability index of the rows with is_reference false against the others: sum of (a - b) * ln(a / b) over the shares a, b of both in cells between the deciles of the reference; 0 is none, above 0.25 is usually called a shift. Deciles as percentile_cont() has them, equal ones taken once; a cell holds its upper end; where one sample has nothing in a cell it counts as half a row, where both have nothing the cell does not count. Rows with a NULL do not count; NULL under 50 rows in one of the samples. Keeps 8 bytes per row, on disk past work_mem. Error 22003: value is NaN, or a reference value is infinite. Source: Siddiqi 2006.';

CREATE AGGREGATE bcce.psi(value double precision, is_reference boolean, bins integer) (
    SFUNC = bcce.two_samples_step,
    STYPE = internal,
    SSPACE = 1024,
    FINALFUNC = bcce.psi_final,
    COMBINEFUNC = bcce.two_samples_combine,
    SERIALFUNC = bcce.two_samples_serialize,
    DESERIALFUNC = bcce.two_samples_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.psi(double precision, boolean, integer) IS
'The same as psi(value, is_reference), over 2 to 1000 cells of equal parts of the reference. Errors: 22003 bins out of range or NULL, 22023 bins differs within a group.';

CREATE FUNCTION bcce.wilson_low(successes bigint, n bigint, confidence double precision DEFAULT 0.95)
RETURNS double precision
AS 'MODULE_PATHNAME', 'wilson_low'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.wilson_low(bigint, bigint, double precision) IS
'Lower end of Wilson''s confidence interval of a rate: successes out of n, 0 to 1, without continuity correction. NULL for n = 0. Error 22003: successes not between 0 and n, or confidence not between 0 and 1. Sources: Wilson 1927, Wichura 1988 (quantile of the normal distribution).';

CREATE FUNCTION bcce.wilson_high(successes bigint, n bigint, confidence double precision DEFAULT 0.95)
RETURNS double precision
AS 'MODULE_PATHNAME', 'wilson_high'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.wilson_high(bigint, bigint, double precision) IS
'Upper end of Wilson''s confidence interval of a rate: successes out of n, 0 to 1, without continuity correction. NULL for n = 0. Error 22003: successes not between 0 and n, or confidence not between 0 and 1. Sources: Wilson 1927, Wichura 1988 (quantile of the normal distribution).';
-- How long things last of which some have not ended yet (Kaplan and Meier).

CREATE TYPE bcce.km_step AS (
    duration double precision,
    at_risk bigint,
    events bigint,
    censored bigint,
    survival double precision,
    survival_low double precision,
    survival_high double precision
);
COMMENT ON TYPE bcce.km_step IS
'One duration of the curve that km_curve() gives.';
COMMENT ON COLUMN bcce.km_step.duration IS 'duration, in the unit of the aggregate''s input';
COMMENT ON COLUMN bcce.km_step.at_risk IS 'rows that lasted at least so long';
COMMENT ON COLUMN bcce.km_step.events IS 'rows that ended then';
COMMENT ON COLUMN bcce.km_step.censored IS 'rows that had not ended then, and of which no more is known';
COMMENT ON COLUMN bcce.km_step.survival IS 'estimated share that lasts longer, 0 to 1';
COMMENT ON COLUMN bcce.km_step.survival_low IS 'lower bound of its 95 % interval, by the log(-log) transform of Greenwood''s variance; NULL where survival is 1 or 0';
COMMENT ON COLUMN bcce.km_step.survival_high IS 'upper bound of its 95 % interval';

CREATE FUNCTION bcce.km_combine(internal, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'km_combine'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.km_combine(internal, internal) IS
'Part of the aggregates km_quantile(), km_mean(), km_curve() and mttr_incl_open(): joins the states of two workers.';

CREATE FUNCTION bcce.km_serialize(internal)
RETURNS bytea
AS 'MODULE_PATHNAME', 'km_serialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.km_serialize(internal) IS
'Part of the aggregates km_quantile(), km_mean(), km_curve() and mttr_incl_open(): state to bytes.';

CREATE FUNCTION bcce.km_deserialize(bytea, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'km_deserialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.km_deserialize(bytea, internal) IS
'Part of the aggregates km_quantile(), km_mean(), km_curve() and mttr_incl_open(): bytes to state, every byte checked. Error 22P03: not a state.';

CREATE FUNCTION bcce.km_step(internal, double precision, boolean)
RETURNS internal
AS 'MODULE_PATHNAME', 'km_step'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.km_step(internal, double precision, boolean) IS
'Part of the aggregates km_mean(duration, observed) and km_curve(duration, observed): takes a row.';

CREATE FUNCTION bcce.km_quantile_step(internal, double precision, boolean, double precision)
RETURNS internal
AS 'MODULE_PATHNAME', 'km_quantile_step'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.km_quantile_step(internal, double precision, boolean, double precision) IS
'Part of the aggregates km_quantile(duration, observed, q), km_quantile_low() and km_quantile_high(): takes a row.';

CREATE FUNCTION bcce.km_mean_step(internal, double precision, boolean, double precision)
RETURNS internal
AS 'MODULE_PATHNAME', 'km_mean_step'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.km_mean_step(internal, double precision, boolean, double precision) IS
'Part of the aggregate km_mean(duration, observed, restriction): takes a row.';

CREATE FUNCTION bcce.mttr_incl_open_step(internal, timestamptz, timestamptz, timestamptz)
RETURNS internal
AS 'MODULE_PATHNAME', 'mttr_incl_open_step'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.mttr_incl_open_step(internal, timestamptz, timestamptz, timestamptz) IS
'Part of the aggregate mttr_incl_open(opened_at, recovered_at, as_of): takes a row.';

CREATE FUNCTION bcce.mttr_incl_open_step(internal, timestamptz, timestamptz, timestamptz, double precision)
RETURNS internal
AS 'MODULE_PATHNAME', 'mttr_incl_open_quantile_step'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.mttr_incl_open_step(internal, timestamptz, timestamptz, timestamptz, double precision) IS
'Part of the aggregate mttr_incl_open(opened_at, recovered_at, as_of, q): takes a row.';

CREATE FUNCTION bcce.km_quantile_final(internal)
RETURNS double precision
AS 'MODULE_PATHNAME', 'km_quantile_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.km_quantile_final(internal) IS
'Part of the aggregates km_quantile() and mttr_incl_open(): the result.';

CREATE FUNCTION bcce.km_quantile_low_final(internal)
RETURNS double precision
AS 'MODULE_PATHNAME', 'km_quantile_low_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.km_quantile_low_final(internal) IS
'Part of the aggregate km_quantile_low(): the result.';

CREATE FUNCTION bcce.km_quantile_high_final(internal)
RETURNS double precision
AS 'MODULE_PATHNAME', 'km_quantile_high_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.km_quantile_high_final(internal) IS
'Part of the aggregate km_quantile_high(): the result.';

CREATE FUNCTION bcce.km_mean_final(internal)
RETURNS double precision
AS 'MODULE_PATHNAME', 'km_mean_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.km_mean_final(internal) IS
'Part of the aggregate km_mean(): the result.';

CREATE FUNCTION bcce.km_curve_final(internal)
RETURNS bcce.km_step[]
AS 'MODULE_PATHNAME', 'km_curve_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.km_curve_final(internal) IS
'Part of the aggregate km_curve(): the result.';

CREATE AGGREGATE bcce.km_quantile(duration double precision, observed boolean, q double precision) (
    SFUNC = bcce.km_quantile_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.km_quantile_final,
    COMBINEFUNC = bcce.km_combine,
    SERIALFUNC = bcce.km_serialize,
    DESERIALFUNC = bcce.km_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.km_quantile(double precision, boolean, double precision) IS
'Quantile q (0 to 1) of how long things last, those included that have not ended (observed is false: they lasted at least so long). Kaplan-Meier: the smallest duration of an end by which a share of q has ended; an end goes before what is censored at the same duration. NULL where the curve does not get there, and when q is NULL. It is a duration that was observed: of 10, 20, 30 and 40 the median is 20, where an interpolated one is 25. Rows whose duration or observed is NULL, and durations that are negative, infinite or not a number, say nothing and are left out. Keeps 8 bytes per row. Errors: 22003 q outside 0 to 1; 22023 q differs within a group. Source: Kaplan and Meier 1958.';

CREATE AGGREGATE bcce.km_quantile_low(duration double precision, observed boolean, q double precision) (
    SFUNC = bcce.km_quantile_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.km_quantile_low_final,
    COMBINEFUNC = bcce.km_combine,
    SERIALFUNC = bcce.km_serialize,
    DESERIALFUNC = bcce.km_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.km_quantile_low(double precision, boolean, double precision) IS
'Lower bound of the 95 % interval of km_quantile(duration, observed, q): the first duration of an end at which the lower bound of the curve has come down to 1 - q. NULL under five ends. The same rows, unit and errors as km_quantile(), with which it shares its work. Source: Brookmeyer and Crowley 1982, by the log(-log) transform.';

CREATE AGGREGATE bcce.km_quantile_high(duration double precision, observed boolean, q double precision) (
    SFUNC = bcce.km_quantile_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.km_quantile_high_final,
    COMBINEFUNC = bcce.km_combine,
    SERIALFUNC = bcce.km_serialize,
    DESERIALFUNC = bcce.km_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.km_quantile_high(double precision, boolean, double precision) IS
'Upper bound of the 95 % interval of km_quantile(duration, observed, q): the first duration of an end at which the upper bound of the curve has come down to 1 - q. NULL under five ends, and where the bound does not get there: how long it may be is not known. The same rows, unit and errors as km_quantile(), with which it shares its work. Source: Brookmeyer and Crowley 1982, by the log(-log) transform.';

CREATE AGGREGATE bcce.km_mean(duration double precision, observed boolean) (
    SFUNC = bcce.km_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.km_mean_final,
    COMBINEFUNC = bcce.km_combine,
    SERIALFUNC = bcce.km_serialize,
    DESERIALFUNC = bcce.km_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.km_mean(double precision, boolean) IS
'Mean of how long things last, those included that have not ended (observed is false), restricted to the longest duration: the area under the Kaplan-Meier curve up to max(duration). It is the plain mean when all have ended, and too low while the longest has not. NULL without rows. Rows whose duration or observed is NULL, and durations that are negative, infinite or not a number, say nothing and are left out. Keeps 8 bytes per row. Source: Irwin 1949.';

CREATE AGGREGATE bcce.km_mean(duration double precision, observed boolean, restriction double precision) (
    SFUNC = bcce.km_mean_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.km_mean_final,
    COMBINEFUNC = bcce.km_combine,
    SERIALFUNC = bcce.km_serialize,
    DESERIALFUNC = bcce.km_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.km_mean(double precision, boolean, double precision) IS
'Mean of how long things last, none counted for longer than the restriction: the area under the Kaplan-Meier curve up to there, in the unit of the durations. NULL where the curve is not known so far, because the longest duration is shorter and has not ended, and when restriction is NULL. The same rows as in km_mean(duration, observed). Errors: 22003 restriction negative or NaN; 22023 restriction differs within a group. Source: Irwin 1949.';

CREATE AGGREGATE bcce.km_curve(duration double precision, observed boolean) (
    SFUNC = bcce.km_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.km_curve_final,
    COMBINEFUNC = bcce.km_combine,
    SERIALFUNC = bcce.km_serialize,
    DESERIALFUNC = bcce.km_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.km_curve(double precision, boolean) IS
'Kaplan-Meier curve: a row for every duration, in rising order, as an array to unnest: SELECT c.* FROM unnest((SELECT bcce.km_curve(duration, observed) FROM t)) AS c. NULL without rows. The same rows count as in km_quantile(). Error 54000: over 13 million different durations. Source: Kaplan and Meier 1958; Greenwood 1926.';

CREATE AGGREGATE bcce.mttr_incl_open(opened_at timestamptz, recovered_at timestamptz, as_of timestamptz) (
    SFUNC = bcce.mttr_incl_open_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.km_quantile_final,
    COMBINEFUNC = bcce.km_combine,
    SERIALFUNC = bcce.km_serialize,
    DESERIALFUNC = bcce.km_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.mttr_incl_open(timestamptz, timestamptz, timestamptz) IS
'Median of the time to recovery in minutes, those included that were still open at as_of, at their age then (Kaplan-Meier): the smallest time by which a share of 0.5 has recovered. As known at as_of: what opened later is left out, what recovered later is open. Also left out: rows without opened_at or as_of, an infinite opened_at, recovery before opening. NULL where so many have not recovered. Keeps 8 bytes per row. Errors: 22008 a span beyond 292271 years; 22023 as_of infinite. Source: Kaplan and Meier 1958.';

CREATE AGGREGATE bcce.mttr_incl_open(opened_at timestamptz, recovered_at timestamptz, as_of timestamptz, q double precision) (
    SFUNC = bcce.mttr_incl_open_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.km_quantile_final,
    COMBINEFUNC = bcce.km_combine,
    SERIALFUNC = bcce.km_serialize,
    DESERIALFUNC = bcce.km_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.mttr_incl_open(timestamptz, timestamptz, timestamptz, double precision) IS
'Percentile q (0 to 1) of the time to recovery in minutes, those included that were still open at as_of, at their age then (Kaplan-Meier): the smallest time by which a share of q has recovered. As known at as_of: what opened later is left out, what recovered later is open. Also left out: rows without opened_at or as_of, an infinite opened_at, recovery before opening. NULL where so many have not recovered, and when q is NULL. Keeps 8 bytes per row. Errors: 22003 q outside 0 to 1; 22008 a span beyond 292271 years; 22023 as_of infinite, or q differs within a group. Source: Kaplan and Meier 1958.';
-- Making, repairing and closing the store.
CREATE FUNCTION bcce.run_module(sql text) RETURNS void
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION bcce.run_module(text) IS
'Runs SQL whose objects stay outside the extension; a step of install(). Superusers only (SQLSTATE 42501).';

CREATE FUNCTION bcce.store_object_count() RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $body$
    SELECT (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname IN ('bcce', 'bcce_data', 'bcce_private'))
         + (SELECT count(*) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
            WHERE n.nspname IN ('bcce', 'bcce_data', 'bcce_private'))
         + (SELECT count(*) FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname IN ('bcce_data', 'bcce_private'))
         + (SELECT count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname IN ('bcce', 'bcce_data', 'bcce_private') AND NOT t.tgisinternal)
         + (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname IN ('bcce_data', 'bcce_private') AND c.relrowsecurity AND c.relforcerowsecurity)
$body$;
COMMENT ON FUNCTION bcce.store_object_count() IS
'How many tables, views, functions, policies, triggers and row security switches the store has; install() tells by it what it made.';

CREATE FUNCTION bcce.install() RETURNS TABLE (module text, action text, ms numeric)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $body$
DECLARE
    step record;
    began timestamptz;
    before bigint;
    made bigint;
    installed_version text;
BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
            MESSAGE = 'only a superuser may install the store of bcce';
    END IF;
    SELECT extversion INTO installed_version FROM pg_extension WHERE extname = 'bcce';
    IF bcce.library_version() <> installed_version THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('the bcce library is version %s, its SQL in this database version %s',
                             bcce.library_version(), installed_version),
            HINT = 'Install the library of the same release, reconnect, and run ALTER EXTENSION bcce UPDATE.';
    END IF;
    -- One at a time; an advisory lock could be held by any login.
    IF to_regclass('bcce_data.schema_version') IS NOT NULL THEN
        LOCK TABLE bcce_data.schema_version IN SHARE ROW EXCLUSIVE MODE;
    END IF;
    FOR step IN SELECT m.part, m.name, m.sql FROM bcce.module m ORDER BY m.ordinal LOOP
        began := clock_timestamp();
        before := bcce.store_object_count();
        PERFORM bcce.run_module(step.sql);
        made := bcce.store_object_count() - before;
        module := step.part || '/' || step.name;
        action := CASE WHEN made > 0 THEN format('made %s objects', made) ELSE 'unchanged' END;
        ms := round(1000 * extract(epoch FROM clock_timestamp() - began), 1);
        RETURN NEXT;
    END LOOP;
    INSERT INTO bcce_data.schema_version (version) VALUES (installed_version)
    ON CONFLICT (version) DO NOTHING;
END
$body$;
COMMENT ON FUNCTION bcce.install() IS
'Makes, completes and repairs the store and the reports: one row per module with what was done and how long it took in milliseconds. Safe to run again; never drops data. CREATE EXTENSION calls it; after ALTER EXTENSION UPDATE and after a restore a superuser may. Errors: 42501 not a superuser, 55000 library and SQL differ.';

CREATE FUNCTION bcce.uninstall(data text DEFAULT 'keep') RETURNS TABLE (object text, action text)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $body$
DECLARE
    item record;
BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
            MESSAGE = 'only a superuser may uninstall bcce';
    END IF;
    IF data IS NULL OR data NOT IN ('keep', 'drop') THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = 'unknown choice for the data',
            HINT = 'Use uninstall(data => ''keep'') or uninstall(data => ''drop'').';
    END IF;

    -- Everything in schema bcce that is not a member: reports first, they depend on the twins.
    FOR item IN
        SELECT c.oid::regclass::text AS name, 'VIEW' AS kind FROM pg_class c
        WHERE c.relnamespace = 'bcce'::regnamespace AND c.relkind = 'v'
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
        ORDER BY c.oid DESC
    LOOP
        EXECUTE format('DROP VIEW %s', item.name);
        object := item.name; action := 'dropped view'; RETURN NEXT;
    END LOOP;
    FOR item IN
        SELECT t.tgname, t.tgrelid::regclass::text AS name FROM pg_trigger t
        JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND n.nspname IN ('bcce_data', 'bcce_private')
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', item.tgname, item.name);
        object := item.name; action := 'dropped trigger ' || item.tgname; RETURN NEXT;
    END LOOP;
    FOR item IN
        SELECT p.polname, p.polrelid::regclass::text AS name FROM pg_policy p
        JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('bcce_data', 'bcce_private')
    LOOP
        EXECUTE format('DROP POLICY %I ON %s', item.polname, item.name);
    END LOOP;
    FOR item IN
        SELECT p.oid::regprocedure::text AS name, p.prokind FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname IN ('bcce', 'bcce_data', 'bcce_private')
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.refclassid = 'pg_proc'::regclass AND d.refobjid = p.oid AND d.classid = 'pg_attrdef'::regclass)
        ORDER BY p.oid DESC
    LOOP
        EXECUTE format('DROP ROUTINE %s', item.name);
        object := item.name; action := 'dropped function'; RETURN NEXT;
    END LOOP;

    IF data = 'drop' THEN
        DROP SCHEMA bcce_data, bcce_private CASCADE;
        object := 'bcce_data, bcce_private'; action := 'dropped with all data'; RETURN NEXT;
        RETURN;
    END IF;

    -- What stays is shut: no reader or writer keeps a right, and row security
    -- without a policy shows nothing.  Defaults that call the library go too.
    FOR item IN
        SELECT c.oid::regclass::text AS name, a.attname FROM pg_attrdef d
        JOIN pg_class c ON c.oid = d.adrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
        WHERE n.nspname IN ('bcce_data', 'bcce_private') AND a.attgenerated = '' AND NOT c.relispartition
          AND EXISTS (SELECT FROM pg_depend x JOIN pg_depend e ON e.classid = 'pg_proc'::regclass AND e.objid = x.refobjid AND e.deptype = 'e'
                      WHERE x.classid = 'pg_attrdef'::regclass AND x.objid = d.oid AND x.refclassid = 'pg_proc'::regclass)
    LOOP
        EXECUTE format('ALTER TABLE %s ALTER COLUMN %I DROP DEFAULT', item.name, item.attname);
    END LOOP;
    REVOKE ALL ON ALL TABLES IN SCHEMA bcce_data, bcce_private
        FROM bcce_analytics_user, bcce_cost_analyst, bcce_analytics_admin, bcce_ingest, bcce_platform;
    REVOKE ALL ON SCHEMA bcce_data, bcce_private
        FROM bcce_analytics_user, bcce_cost_analyst, bcce_analytics_admin, bcce_ingest, bcce_platform;
    object := 'bcce_data, bcce_private'; action := 'kept, closed to readers and writers'; RETURN NEXT;
END
$body$;
COMMENT ON FUNCTION bcce.uninstall(text) IS
'Prepares DROP EXTENSION: drops reports, functions, triggers and policies of the store. data => ''keep'' (default) leaves the tables, closed to everybody but superusers; a later CREATE EXTENSION opens them again. data => ''drop'' deletes them. Errors: 42501 not a superuser, 22023 unknown choice.';

-- Grants on members stand here and never in install(): pg_dump takes what was
-- granted during CREATE EXTENSION for granted, so a grant made by an install()
-- that a restore skips would be missing there.
GRANT USAGE ON SCHEMA bcce TO PUBLIC;
GRANT CREATE ON SCHEMA bcce TO bcce_owner;

-- Functions that read no table are anybody's, like those of any extension;
-- redact_columns() among them: it makes pseudonyms, which take the key of any
-- NEW.tenant_id, only in tables of superusers and of bcce_owner.  These are not:
REVOKE ALL ON FUNCTION
    bcce.run_module(text),
    bcce.install(),
    bcce.uninstall(text),
    bcce.store_object_count(),
    bcce.raise_error(text, text, text, text),
    bcce.log_line(text),
    bcce.invalidate_cache(),
    bcce.collect_rows(),
    bcce.pseudonym(text, text),
    bcce.pseudonym(text, text, uuid),
    bcce.set_context(text),
    bcce.redact_for(uuid, text, text[], text),
    bcce.redact_for(uuid, jsonb, text[], text),
    bcce.contains_pii(text, uuid),
    bcce.check_redaction_rule()
    FROM PUBLIC;

GRANT EXECUTE ON FUNCTION bcce.set_context(text) TO bcce_token;

-- Who may name a person's pseudonym can find that person's rows, so readers may
-- not, and admins do it by bcce.find_person(), which writes it down.
GRANT EXECUTE ON FUNCTION bcce.pseudonym(text, text) TO bcce_ingest;
GRANT EXECUTE ON FUNCTION bcce.pseudonym(text, text, uuid) TO bcce_owner;

-- Nor may they ask which words a tenant hides, or by which name it keeps a value.
GRANT EXECUTE ON FUNCTION bcce.redact_for(uuid, text, text[], text), bcce.redact_for(uuid, jsonb, text[], text)
    TO bcce_analytics_admin, bcce_ingest, bcce_owner;
GRANT EXECUTE ON FUNCTION bcce.contains_pii(text, uuid), bcce.check_redaction_rule() TO bcce_owner;

-- Keeps the failing statement out of the log: for the functions of bcce only.
GRANT EXECUTE ON FUNCTION bcce.raise_error(text, text, text, text)
    TO bcce_owner, bcce_analytics_user, bcce_cost_analyst, bcce_platform;
GRANT EXECUTE ON FUNCTION bcce.log_line(text) TO bcce_owner;

-- Triggers of a new partition are made by its owner.
GRANT EXECUTE ON FUNCTION bcce.invalidate_cache(), bcce.collect_rows() TO bcce_owner;


INSERT INTO bcce.module (part, name, sql) VALUES ('store', '10_schemas', $bcce_module$
-- Schemas, the version row, and the helpers that later modules use.
CREATE SCHEMA IF NOT EXISTS bcce_data;
COMMENT ON SCHEMA bcce_data IS 'bcce: facts, dimensions, configuration; read through the reports in schema bcce';
CREATE SCHEMA IF NOT EXISTS bcce_private;
COMMENT ON SCHEMA bcce_private IS 'bcce: memberships and keys; nobody but bcce itself reads it';
REVOKE ALL ON SCHEMA bcce_data, bcce_private FROM PUBLIC;

CREATE TABLE IF NOT EXISTS bcce_data.schema_version (
    version text NOT NULL,
    installed_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT schema_version_pkey PRIMARY KEY (version)
);
COMMENT ON TABLE bcce_data.schema_version IS 'versions of the store that install() has brought this database to';
COMMENT ON COLUMN bcce_data.schema_version.version IS 'version of the extension';
COMMENT ON COLUMN bcce_data.schema_version.installed_at IS 'when install() first ran for it';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '11_tenants', $bcce_module$
-- Tenants, who belongs to them, and what is kept about them in private.
CREATE TABLE IF NOT EXISTS bcce_data.tenants (
    tenant_id uuid NOT NULL DEFAULT bcce.uuid_v7(),
    tenant_name text NOT NULL,
    slug text NOT NULL,
    external_id text,
    org_id text,
    timezone text NOT NULL DEFAULT 'UTC',
    region text,
    residency text,
    billing_currency text NOT NULL DEFAULT 'USD',
    mttr_source text NOT NULL DEFAULT 'auto',
    k_min integer NOT NULL DEFAULT 5,
    created_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    CONSTRAINT tenants_pkey PRIMARY KEY (tenant_id),
    CONSTRAINT tenants_slug_key UNIQUE (slug),
    CONSTRAINT tenants_external_id_key UNIQUE (external_id),
    CONSTRAINT tenants_slug_check CHECK (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    CONSTRAINT tenants_tenant_name_check CHECK (length(tenant_name) BETWEEN 1 AND 200),
    CONSTRAINT tenants_external_id_check CHECK (length(external_id) BETWEEN 1 AND 200),
    CONSTRAINT tenants_timezone_check CHECK (('2000-01-01 00:00:00+00'::timestamptz AT TIME ZONE timezone) IS NOT NULL),
    CONSTRAINT tenants_billing_currency_check CHECK (billing_currency = 'USD'),
    CONSTRAINT tenants_mttr_source_check CHECK (mttr_source IN ('auto', 'declared', 'derived', 'both')),
    CONSTRAINT tenants_k_min_check CHECK (k_min >= 1)
);
COMMENT ON TABLE bcce_data.tenants IS 'one row per tenant';
COMMENT ON COLUMN bcce_data.tenants.tenant_id IS 'internal id (uuid v7)';
COMMENT ON COLUMN bcce_data.tenants.tenant_name IS 'display name';
COMMENT ON COLUMN bcce_data.tenants.slug IS 'short name for writers and logins: a-z, 0-9 and -';
COMMENT ON COLUMN bcce_data.tenants.external_id IS 'the tenant''s id in the sender''s systems';
COMMENT ON COLUMN bcce_data.tenants.org_id IS 'organisation that the tenant belongs to';
COMMENT ON COLUMN bcce_data.tenants.timezone IS 'IANA zone in which days, weeks and months are cut';
COMMENT ON COLUMN bcce_data.tenants.region IS 'region in which the tenant works';
COMMENT ON COLUMN bcce_data.tenants.residency IS 'region in which its facts must stay';
COMMENT ON COLUMN bcce_data.tenants.billing_currency IS 'currency of all its money columns; only USD in this release';
COMMENT ON COLUMN bcce_data.tenants.mttr_source IS 'which incidents MTTR counts: declared, derived from runs, both, or auto (declared where any was ever declared)';
COMMENT ON COLUMN bcce_data.tenants.k_min IS 'smallest group shown across tenants';
COMMENT ON COLUMN bcce_data.tenants.created_at IS 'when the tenant was made';
COMMENT ON COLUMN bcce_data.tenants.deleted_at IS 'when set, the tenant no longer counts in any report';

CREATE TABLE IF NOT EXISTS bcce_data.teams (
    tenant_id uuid NOT NULL,
    team_id text NOT NULL,
    team_name text NOT NULL,
    CONSTRAINT teams_pkey PRIMARY KEY (tenant_id, team_id),
    CONSTRAINT teams_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT teams_team_id_check CHECK (length(team_id) BETWEEN 1 AND 256)
);
COMMENT ON TABLE bcce_data.teams IS 'teams of a tenant';
COMMENT ON COLUMN bcce_data.teams.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.teams.team_id IS 'the sender''s id of the team';
COMMENT ON COLUMN bcce_data.teams.team_name IS 'display name, redacted';

CREATE TABLE IF NOT EXISTS bcce_data.principals (
    tenant_id uuid NOT NULL,
    principal_id uuid NOT NULL DEFAULT bcce.uuid_v7(),
    user_key text NOT NULL,
    team_id text,
    role text,
    provisioned_at timestamptz,
    deprovisioned_at timestamptz,
    CONSTRAINT principals_pkey PRIMARY KEY (tenant_id, principal_id),
    CONSTRAINT principals_user_key_key UNIQUE (tenant_id, user_key),
    CONSTRAINT principals_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT principals_team_fkey FOREIGN KEY (tenant_id, team_id) REFERENCES bcce_data.teams
);
COMMENT ON TABLE bcce_data.principals IS 'people of a tenant, by pseudonym only';
COMMENT ON COLUMN bcce_data.principals.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.principals.principal_id IS 'internal id';
COMMENT ON COLUMN bcce_data.principals.user_key IS 'keyed pseudonym of the person (see bcce.pseudonym)';
COMMENT ON COLUMN bcce_data.principals.team_id IS 'team';
COMMENT ON COLUMN bcce_data.principals.role IS 'role in the sender''s words, redacted';
COMMENT ON COLUMN bcce_data.principals.provisioned_at IS 'when access was given';
COMMENT ON COLUMN bcce_data.principals.deprovisioned_at IS 'when access was taken away';

-- A role is kept by OID, so that a dropped and re-made role of the same name
-- inherits nothing, and dumped by name, so that a restore finds it although it
-- has another OID there.  A name that does not exist yet is bound when it does.
-- IMMUTABLE is what a generated column asks for; the value is meant to be that
-- of the moment in which the row is written.
CREATE OR REPLACE FUNCTION bcce_private.role_by_name(role_name text) RETURNS regrole
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $body$
    SELECT pg_catalog.to_regrole(pg_catalog.quote_ident(role_name))
$body$;
COMMENT ON FUNCTION bcce_private.role_by_name(text) IS 'the role of that name, NULL where there is none';

CREATE TABLE IF NOT EXISTS bcce_private.membership (
    role_name text NOT NULL,
    role regrole GENERATED ALWAYS AS (bcce_private.role_by_name(role_name)) STORED,
    tenant_id uuid NOT NULL,
    is_default boolean NOT NULL DEFAULT false,
    valid_from timestamptz NOT NULL DEFAULT '-infinity',
    valid_until timestamptz NOT NULL DEFAULT 'infinity',
    CONSTRAINT membership_pkey PRIMARY KEY (tenant_id, role_name),
    CONSTRAINT membership_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants
);
COMMENT ON TABLE bcce_private.membership IS 'which role reads or writes for which tenant';
COMMENT ON COLUMN bcce_private.membership.role_name IS 'name of the role when the row was made or last refreshed by install()';
COMMENT ON COLUMN bcce_private.membership.role IS 'the role itself; NULL while no role of that name exists';
COMMENT ON COLUMN bcce_private.membership.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_private.membership.is_default IS 'the tenant that counts where a role has several';
COMMENT ON COLUMN bcce_private.membership.valid_from IS 'start, inclusive';
COMMENT ON COLUMN bcce_private.membership.valid_until IS 'end, exclusive';

CREATE TABLE IF NOT EXISTS bcce_private.tenant_key (
    tenant_id uuid NOT NULL,
    key bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT tenant_key_pkey PRIMARY KEY (tenant_id),
    CONSTRAINT tenant_key_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT tenant_key_key_check CHECK (octet_length(key) = 32)
);
COMMENT ON TABLE bcce_private.tenant_key IS 'random key of each tenant: pseudonyms are made with it';
COMMENT ON COLUMN bcce_private.tenant_key.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_private.tenant_key.key IS '32 random bytes';
COMMENT ON COLUMN bcce_private.tenant_key.created_at IS 'when it was made';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '11_token_logins', $bcce_module$
-- Logins that present a token instead of having tenants of their own, and the
-- public keys that tokens may be signed with.  Private keys are nowhere here.
CREATE TABLE IF NOT EXISTS bcce_private.token_login (
    role_name text NOT NULL,
    role regrole GENERATED ALWAYS AS (bcce_private.role_by_name(role_name)) STORED,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT token_login_pkey PRIMARY KEY (role_name)
);
COMMENT ON TABLE bcce_private.token_login IS 'logins that many share: their tenants come from the token of the transaction, never from memberships';
COMMENT ON COLUMN bcce_private.token_login.role_name IS 'name of the role when the row was made or last refreshed by maintain()';
COMMENT ON COLUMN bcce_private.token_login.role IS 'the role itself; NULL while no role of that name exists';
COMMENT ON COLUMN bcce_private.token_login.created_at IS 'when the row was made';

CREATE TABLE IF NOT EXISTS bcce_private.context_key (
    kid text NOT NULL,
    public_key bytea NOT NULL,
    not_before timestamptz NOT NULL DEFAULT now(),
    not_after timestamptz NOT NULL DEFAULT 'infinity',
    revoked_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT context_key_pkey PRIMARY KEY (kid),
    CONSTRAINT context_key_kid_check CHECK (kid ~ '^[A-Za-z0-9._-]{1,64}$'),
    CONSTRAINT context_key_public_key_check CHECK (octet_length(public_key) = 32),
    CONSTRAINT context_key_not_after_check CHECK (not_after > not_before)
);
COMMENT ON TABLE bcce_private.context_key IS 'Ed25519 public keys of those who sign context tokens';
COMMENT ON COLUMN bcce_private.context_key.kid IS 'name of the key, as the footer of a token has it';
COMMENT ON COLUMN bcce_private.context_key.public_key IS '32 bytes; the private key belongs to the signer and is never here';
COMMENT ON COLUMN bcce_private.context_key.not_before IS 'start, inclusive';
COMMENT ON COLUMN bcce_private.context_key.not_after IS 'end, exclusive';
COMMENT ON COLUMN bcce_private.context_key.revoked_at IS 'from then on no token of it counts, whatever not_after says; NULL: not revoked';
COMMENT ON COLUMN bcce_private.context_key.created_at IS 'when the row was made';

-- They belong to no tenant, so they have no place in the policies that do.
DO $do$
DECLARE
    target text;
BEGIN
    FOREACH target IN ARRAY ARRAY['bcce_private.token_login', 'bcce_private.context_key'] LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', target);
        EXECUTE format('DROP POLICY IF EXISTS maintainer ON %s', target);
        EXECUTE format('CREATE POLICY maintainer ON %s TO bcce_maintainer USING (true) WITH CHECK (true)', target);
    END LOOP;
END
$do$;
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '12_configuration', $bcce_module$
-- Prices, thresholds, words and what was refused.  Defaults belong to nobody
-- and have no tenant_id; a tenant's own rows stand beside them.
CREATE TABLE IF NOT EXISTS bcce_data.default_unit_prices (
    item text NOT NULL,
    valid tstzrange NOT NULL DEFAULT tstzrange(NULL, NULL),
    price_usd numeric NOT NULL,
    currency text NOT NULL DEFAULT 'USD',
    CONSTRAINT default_unit_prices_pkey PRIMARY KEY (item, valid),
    CONSTRAINT default_unit_prices_item_check CHECK (item ~ '^[a-z][a-z0-9_.-]{0,62}$'),
    CONSTRAINT default_unit_prices_valid_check CHECK (NOT isempty(valid)),
    CONSTRAINT default_unit_prices_price_usd_check CHECK (price_usd >= 0 AND price_usd < 'Infinity'),
    CONSTRAINT default_unit_prices_currency_check CHECK (currency = 'USD')
);
COMMENT ON TABLE bcce_data.default_unit_prices IS 'prices of billable units for every tenant without a price of its own';
COMMENT ON COLUMN bcce_data.default_unit_prices.item IS 'what is charged: workflow_run, metric, prediction or a name of your own';
COMMENT ON COLUMN bcce_data.default_unit_prices.valid IS 'when the price holds, start inclusive, end exclusive; no two rows of an item overlap';
COMMENT ON COLUMN bcce_data.default_unit_prices.price_usd IS 'price of one unit in US dollars';
COMMENT ON COLUMN bcce_data.default_unit_prices.currency IS 'currency; only USD in this release';

CREATE TABLE IF NOT EXISTS bcce_data.unit_prices (
    tenant_id uuid NOT NULL,
    item text NOT NULL,
    valid tstzrange NOT NULL DEFAULT tstzrange(NULL, NULL),
    price_usd numeric NOT NULL,
    currency text NOT NULL DEFAULT 'USD',
    CONSTRAINT unit_prices_pkey PRIMARY KEY (tenant_id, item, valid),
    CONSTRAINT unit_prices_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT unit_prices_item_check CHECK (item ~ '^[a-z][a-z0-9_.-]{0,62}$'),
    CONSTRAINT unit_prices_valid_check CHECK (NOT isempty(valid)),
    CONSTRAINT unit_prices_price_usd_check CHECK (price_usd >= 0 AND price_usd < 'Infinity'),
    CONSTRAINT unit_prices_currency_check CHECK (currency = 'USD')
);
COMMENT ON TABLE bcce_data.unit_prices IS 'a tenant''s own prices; where one holds it beats the default';
COMMENT ON COLUMN bcce_data.unit_prices.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.unit_prices.item IS 'what is charged';
COMMENT ON COLUMN bcce_data.unit_prices.valid IS 'when the price holds, start inclusive, end exclusive; no two rows of an item overlap';
COMMENT ON COLUMN bcce_data.unit_prices.price_usd IS 'price of one unit in US dollars';
COMMENT ON COLUMN bcce_data.unit_prices.currency IS 'currency; only USD in this release';

-- Overlap is refused under a lock, without asking for the btree_gist extension.
-- The lock is on a row that only bcce can lock: anybody may take an advisory one.
CREATE OR REPLACE FUNCTION bcce_data.refuse_price_overlap() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    owner_tenant uuid;
    is_overlap boolean;
BEGIN
    IF TG_TABLE_NAME = 'unit_prices' THEN
        owner_tenant := NEW.tenant_id;
        PERFORM FROM bcce_data.tenants t WHERE t.tenant_id = owner_tenant FOR NO KEY UPDATE;
        SELECT count(*) > 1 INTO is_overlap FROM bcce_data.unit_prices p
        WHERE p.tenant_id = owner_tenant AND p.item = NEW.item AND p.valid && NEW.valid;
    ELSE
        PERFORM FROM bcce_data.schema_version FOR NO KEY UPDATE;
        SELECT count(*) > 1 INTO is_overlap FROM bcce_data.default_unit_prices p
        WHERE p.item = NEW.item AND p.valid && NEW.valid;
    END IF;
    IF is_overlap THEN
        PERFORM bcce.raise_error('23P01', 'the validity of two prices of one item would overlap', NULL,
            'Use bcce.set_price(), which ends the earlier price where the new one begins.');
    END IF;
    RETURN NULL;
END
$body$;
COMMENT ON FUNCTION bcce_data.refuse_price_overlap() IS 'refuses a price whose validity overlaps another of the same item (SQLSTATE 23P01)';

CREATE OR REPLACE TRIGGER refuse_overlap AFTER INSERT OR UPDATE ON bcce_data.default_unit_prices
    FOR EACH ROW EXECUTE FUNCTION bcce_data.refuse_price_overlap();
CREATE OR REPLACE TRIGGER refuse_overlap AFTER INSERT OR UPDATE ON bcce_data.unit_prices
    FOR EACH ROW EXECUTE FUNCTION bcce_data.refuse_price_overlap();

-- Prices of the chargeback tariff; a DBA changes them with set_price().
INSERT INTO bcce_data.default_unit_prices (item, price_usd)
SELECT item, price_usd
FROM (VALUES ('workflow_run', 0.01), ('metric', 0.005), ('prediction', 0.02)) AS seed (item, price_usd)
WHERE NOT EXISTS (SELECT FROM bcce_data.default_unit_prices p WHERE p.item = seed.item);

CREATE TABLE IF NOT EXISTS bcce_data.default_health_thresholds (
    threshold text NOT NULL,
    value double precision NOT NULL,
    unit text NOT NULL,
    meaning text NOT NULL,
    CONSTRAINT default_health_thresholds_pkey PRIMARY KEY (threshold),
    CONSTRAINT default_health_thresholds_value_check CHECK (value >= 0 AND value <= 1e15)
);
COMMENT ON TABLE bcce_data.default_health_thresholds IS 'limits at which service_health_dashboard calls a service degraded, down or stale';
COMMENT ON COLUMN bcce_data.default_health_thresholds.threshold IS 'name of the limit';
COMMENT ON COLUMN bcce_data.default_health_thresholds.value IS 'the limit';
COMMENT ON COLUMN bcce_data.default_health_thresholds.unit IS 'unit of the value';
COMMENT ON COLUMN bcce_data.default_health_thresholds.meaning IS 'what passing it means';

INSERT INTO bcce_data.default_health_thresholds (threshold, value, unit, meaning)
VALUES ('window_minutes', 15, 'minutes', 'length of the window that is judged'),
       ('stale_after_minutes', 15, 'minutes', 'stale when the last sample is older and the service declares no interval'),
       ('stale_intervals', 3, 'intervals', 'stale when the last sample is older than so many declared intervals'),
       ('down_error_percent', 50, 'percent', 'down at this error rate or above'),
       ('down_min_requests', 10, 'requests', 'fewest requests for down by error rate'),
       ('degraded_error_percent', 5, 'percent', 'degraded above this error rate'),
       ('degraded_min_requests', 20, 'requests', 'fewest requests for degraded by error rate'),
       ('degraded_p95_latency_ms', 2000, 'milliseconds', 'degraded above this p95 latency'),
       ('degraded_cpu_percent', 70, 'percent', 'degraded above this CPU use'),
       ('degraded_memory_percent', 80, 'percent', 'degraded above this memory use'),
       ('degraded_storage_percent', 85, 'percent', 'degraded above this storage use'),
       ('degraded_network_percent', 60, 'percent', 'degraded above this network use'),
       ('fast_burn_rate', 14.4, 'times', 'degraded when the error budget burns faster over both fast windows'),
       ('fast_burn_long_minutes', 60, 'minutes', 'length of the long fast window'),
       ('fast_burn_short_minutes', 5, 'minutes', 'length of the short fast window'),
       ('slow_burn_rate', 6, 'times', 'degraded when the error budget burns faster over both slow windows'),
       ('slow_burn_long_minutes', 360, 'minutes', 'length of the long slow window'),
       ('slow_burn_short_minutes', 30, 'minutes', 'length of the short slow window'),
       ('burn_min_requests', 20, 'requests', 'fewest requests in a short window for a burn rate'),
       ('status_lookback_minutes', 1440, 'minutes', 'how far back status_since looks')
ON CONFLICT (threshold) DO NOTHING;

CREATE TABLE IF NOT EXISTS bcce_data.health_thresholds (
    tenant_id uuid NOT NULL,
    service_id text NOT NULL DEFAULT '*',
    threshold text NOT NULL,
    value double precision NOT NULL,
    CONSTRAINT health_thresholds_pkey PRIMARY KEY (tenant_id, service_id, threshold),
    CONSTRAINT health_thresholds_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT health_thresholds_threshold_fkey FOREIGN KEY (threshold) REFERENCES bcce_data.default_health_thresholds,
    CONSTRAINT health_thresholds_value_check CHECK (value >= 0 AND value <= 1e15)
);
COMMENT ON TABLE bcce_data.health_thresholds IS 'a tenant''s own limits, for one service or for all';
COMMENT ON COLUMN bcce_data.health_thresholds.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.health_thresholds.service_id IS 'service, or * for all of the tenant''s';
COMMENT ON COLUMN bcce_data.health_thresholds.threshold IS 'name of the limit, as in default_health_thresholds';
COMMENT ON COLUMN bcce_data.health_thresholds.value IS 'the limit';

CREATE TABLE IF NOT EXISTS bcce_data.default_value_aliases (
    domain text NOT NULL,
    alias text NOT NULL,
    value text NOT NULL,
    CONSTRAINT default_value_aliases_pkey PRIMARY KEY (domain, alias),
    CONSTRAINT default_value_aliases_domain_check CHECK (domain IN ('run_status', 'severity', 'incident_status')),
    CONSTRAINT default_value_aliases_alias_check CHECK (alias = lower(btrim(alias)) AND length(alias) BETWEEN 1 AND 100)
);
COMMENT ON TABLE bcce_data.default_value_aliases IS 'senders'' words and the reports'' words for them';
COMMENT ON COLUMN bcce_data.default_value_aliases.domain IS 'run_status, severity or incident_status';
COMMENT ON COLUMN bcce_data.default_value_aliases.alias IS 'a sender''s word, lower case';
COMMENT ON COLUMN bcce_data.default_value_aliases.value IS 'the reports'' word';

INSERT INTO bcce_data.default_value_aliases (domain, value, alias)
SELECT domain, value, unnest(string_to_array(aliases, ','))
FROM (VALUES
    ('run_status', 'running', 'running,in_progress,in progress,started,active'),
    ('run_status', 'succeeded', 'succeeded,success,successful,passed,pass,ok,completed,complete,done,neutral'),
    ('run_status', 'failed', 'failed,failure,fail,error,errored,broken,startup_failure'),
    ('run_status', 'timed_out', 'timed_out,timed out,timeout,time_out'),
    ('run_status', 'cancelled', 'cancelled,canceled,aborted,stopped,stale'),
    ('run_status', 'skipped', 'skipped,skip,action_required,not_run'),
    ('severity', 'sev1', 'sev1,sev-1,sev 1,1,p1,critical,1 - critical,1 - high,blocker'),
    ('severity', 'sev2', 'sev2,sev-2,sev 2,2,p2,high,major,2 - high,2 - medium'),
    ('severity', 'sev3', 'sev3,sev-3,sev 3,3,p3,medium,moderate,3 - moderate,3 - medium,3 - low'),
    ('severity', 'sev4', 'sev4,sev-4,sev 4,4,p4,low,minor,4 - low,info,informational'),
    ('incident_status', 'open', 'open,new,active,in_progress,in progress,triggered,reopened,awaiting user info,awaiting vendor,awaiting problem,awaiting evidence,-100'),
    ('incident_status', 'acknowledged', 'acknowledged,ack,investigating,identified'),
    ('incident_status', 'mitigated', 'mitigated,monitoring'),
    ('incident_status', 'resolved', 'resolved,recovered,fixed'),
    ('incident_status', 'closed', 'closed,done,cancelled,canceled')
) AS seed (domain, value, aliases)
ON CONFLICT (domain, alias) DO NOTHING;

CREATE TABLE IF NOT EXISTS bcce_data.value_aliases (
    tenant_id uuid NOT NULL,
    domain text NOT NULL,
    alias text NOT NULL,
    value text NOT NULL,
    CONSTRAINT value_aliases_pkey PRIMARY KEY (tenant_id, domain, alias),
    CONSTRAINT value_aliases_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT value_aliases_domain_check CHECK (domain IN ('run_status', 'severity', 'incident_status')),
    CONSTRAINT value_aliases_alias_check CHECK (alias = lower(btrim(alias)) AND length(alias) BETWEEN 1 AND 100),
    CONSTRAINT value_aliases_value_check CHECK (
        (domain = 'run_status' AND value IN ('running', 'succeeded', 'failed', 'timed_out', 'cancelled', 'skipped'))
        OR (domain = 'severity' AND value IN ('sev1', 'sev2', 'sev3', 'sev4'))
        OR (domain = 'incident_status' AND value IN ('open', 'acknowledged', 'mitigated', 'resolved', 'closed')))
);
COMMENT ON TABLE bcce_data.value_aliases IS 'a tenant''s own words, beside and before the defaults';
COMMENT ON COLUMN bcce_data.value_aliases.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.value_aliases.domain IS 'run_status, severity or incident_status';
COMMENT ON COLUMN bcce_data.value_aliases.alias IS 'the sender''s word, lower case';
COMMENT ON COLUMN bcce_data.value_aliases.value IS 'the reports'' word';

-- What a tenant wants redacted besides the built-in kinds.  A literal may be the
-- secret itself: no report shows it, and a trigger refuses bad rules before a
-- constraint could show the row.
CREATE TABLE IF NOT EXISTS bcce_data.redaction_rules (
    tenant_id uuid NOT NULL,
    rule text NOT NULL,
    kind text NOT NULL,
    literal text NOT NULL,
    ignore_case boolean NOT NULL DEFAULT false,
    character_class text,
    min_length integer,
    max_length integer,
    pattern text,
    context_words text[],
    style text,
    enabled boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT redaction_rules_pkey PRIMARY KEY (tenant_id, rule),
    CONSTRAINT redaction_rules_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT redaction_rules_rule_check CHECK (rule ~ '^[a-z][a-z0-9_]{0,19}$'),
    CONSTRAINT redaction_rules_kind_check CHECK (kind IN ('literal', 'prefix', 'regex')),
    CONSTRAINT redaction_rules_character_class_check CHECK (character_class IN ('digits', 'hex', 'letters', 'alnum', 'token')),
    CONSTRAINT redaction_rules_style_check CHECK (style IN ('tag', 'mask', 'numbered', 'drop', 'hash'))
);
COMMENT ON TABLE bcce_data.redaction_rules IS 'what a tenant wants redacted besides the built-in kinds; bcce.set_redaction_rule() writes it';
COMMENT ON COLUMN bcce_data.redaction_rules.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.redaction_rules.rule IS 'name of the rule; in upper case the tag of its hits';
COMMENT ON COLUMN bcce_data.redaction_rules.kind IS 'literal: the literal as a word; prefix: the literal and a run of characters behind it; regex: what an expression matches around the literal';
COMMENT ON COLUMN bcce_data.redaction_rules.literal IS 'text, prefix or necessary part of the expression, 3 to 100 bytes; shown to nobody';
COMMENT ON COLUMN bcce_data.redaction_rules.ignore_case IS 'letters a-z of the literal match their capitals, too; an expression has (?i) for it';
COMMENT ON COLUMN bcce_data.redaction_rules.character_class IS 'of kind prefix: digits, hex, letters, alnum or token (letters, digits, _ and -)';
COMMENT ON COLUMN bcce_data.redaction_rules.min_length IS 'of kind prefix: fewest characters behind the literal';
COMMENT ON COLUMN bcce_data.redaction_rules.max_length IS 'of kind prefix: most characters behind it, at most 256';
COMMENT ON COLUMN bcce_data.redaction_rules.pattern IS 'of kind regex: the expression, seen on 256 bytes on each side of the literal; shown to nobody';
COMMENT ON COLUMN bcce_data.redaction_rules.context_words IS 'where given, one of these words must stand in the 48 bytes before a hit or in its key; lower case; shown to nobody';
COMMENT ON COLUMN bcce_data.redaction_rules.style IS 'tag, mask, numbered, drop or hash; NULL: as the tenant''s other findings';
COMMENT ON COLUMN bcce_data.redaction_rules.enabled IS 'false: the rule is kept and not used';
COMMENT ON COLUMN bcce_data.redaction_rules.created_at IS 'when the rule was made';

CREATE TABLE IF NOT EXISTS bcce_data.redaction_styles (
    tenant_id uuid NOT NULL,
    style text NOT NULL,
    CONSTRAINT redaction_styles_pkey PRIMARY KEY (tenant_id),
    CONSTRAINT redaction_styles_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT redaction_styles_style_check CHECK (style IN ('tag', 'mask', 'numbered', 'drop', 'hash'))
);
COMMENT ON TABLE bcce_data.redaction_styles IS 'in which style a tenant''s findings are replaced, where it is another than tag';
COMMENT ON COLUMN bcce_data.redaction_styles.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.redaction_styles.style IS 'tag, mask, numbered, drop or hash';

-- Append-only, so that writers never wait for each other; maintain() folds it.
CREATE TABLE IF NOT EXISTS bcce_data.rejected_input (
    tenant_id uuid NOT NULL,
    source text NOT NULL,
    reason text NOT NULL,
    example_key text,
    rejected_count bigint NOT NULL DEFAULT 1,
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS rejected_input_tenant_idx ON bcce_data.rejected_input (tenant_id, source, reason);
COMMENT ON TABLE bcce_data.rejected_input IS 'rows that an inbox or ingest_events() refused: counted, never kept';
COMMENT ON COLUMN bcce_data.rejected_input.tenant_id IS 'tenant of the writer; all zeros where the writer has none';
COMMENT ON COLUMN bcce_data.rejected_input.source IS 'inbox or function that refused the row';
COMMENT ON COLUMN bcce_data.rejected_input.reason IS 'reason, as in rejection_reasons';
COMMENT ON COLUMN bcce_data.rejected_input.example_key IS 'id of one such row, pseudonymised where it holds personal data';
COMMENT ON COLUMN bcce_data.rejected_input.rejected_count IS 'how many rows';
COMMENT ON COLUMN bcce_data.rejected_input.first_seen_at IS 'first such row';
COMMENT ON COLUMN bcce_data.rejected_input.last_seen_at IS 'last such row';

-- Append-only likewise: the trigger adds one row for each transaction, table and
-- kind.  Times are cut to the quarter of an hour, at which every zone's days
-- begin, so that adding rows up loses nothing.
CREATE TABLE IF NOT EXISTS bcce_data.redaction_counts (
    tenant_id uuid NOT NULL,
    source text NOT NULL,
    kind text NOT NULL,
    rule text,
    redaction_count bigint NOT NULL,
    counted_at timestamptz NOT NULL DEFAULT date_bin('15 minutes', now(), '2000-01-01 00:00:00+00'),
    CONSTRAINT redaction_counts_source_check CHECK (source ~ '^[a-z0-9_]+([.][a-z0-9_]+)?$'),
    CONSTRAINT redaction_counts_kind_check CHECK (kind ~ '^[a-z_]+$'),
    CONSTRAINT redaction_counts_rule_check CHECK (rule ~ '^[a-z][a-z0-9_]{0,19}$')
);
CREATE INDEX IF NOT EXISTS redaction_counts_tenant_idx ON bcce_data.redaction_counts (tenant_id, counted_at);
COMMENT ON TABLE bcce_data.redaction_counts IS 'how much was redacted: counted, never kept';
COMMENT ON COLUMN bcce_data.redaction_counts.tenant_id IS 'tenant of the rows';
COMMENT ON COLUMN bcce_data.redaction_counts.source IS 'table they were written to: one of the store, or schema.table; other where that is no plain name';
COMMENT ON COLUMN bcce_data.redaction_counts.kind IS 'kind of what was found, as find_pii() spells it; custom for the tenant''s own rules';
COMMENT ON COLUMN bcce_data.redaction_counts.rule IS 'of kind custom: the rule that found it';
COMMENT ON COLUMN bcce_data.redaction_counts.redaction_count IS 'how many findings were replaced';
COMMENT ON COLUMN bcce_data.redaction_counts.counted_at IS 'quarter of an hour (UTC) in which the transaction began';

CREATE TABLE IF NOT EXISTS bcce_data.rejection_reasons (
    reason text NOT NULL,
    sqlstate text NOT NULL,
    message text NOT NULL,
    hint text NOT NULL,
    CONSTRAINT rejection_reasons_pkey PRIMARY KEY (reason)
);
COMMENT ON TABLE bcce_data.rejection_reasons IS 'why input is refused: one text for the error of a function and for the row in bcce.rejected';
COMMENT ON COLUMN bcce_data.rejection_reasons.reason IS 'short name';
COMMENT ON COLUMN bcce_data.rejection_reasons.sqlstate IS 'SQLSTATE where a function raises it';
COMMENT ON COLUMN bcce_data.rejection_reasons.message IS 'what is wrong';
COMMENT ON COLUMN bcce_data.rejection_reasons.hint IS 'the way out';

INSERT INTO bcce_data.rejection_reasons (reason, sqlstate, message, hint)
VALUES
    ('unknown_tenant', 'P0002', 'tenant not found',
     'Give a slug, external id or uuid of a tenant that you may write for, or leave it out where you have exactly one; bcce.whoami() lists them.'),
    ('missing_id', '22004', 'a required identifier is missing',
     'Give the id of the workflow, service, model or target that the row is about.'),
    ('key_too_long', '22001', 'an identifier is longer than 256 characters',
     'Send the id of the thing, not its content.'),
    ('missing_time', '22004', 'a required time is missing or cannot be read',
     'Give an ISO 8601 instant with its zone, such as 2026-01-31T12:00:00Z.'),
    ('bad_time', '22007', 'a time cannot be read',
     'Give an ISO 8601 instant with its zone, such as 2026-01-31T12:00:00Z.'),
    ('time_out_of_range', '22008', 'a time lies outside the years 1970 to 2200',
     'Check the unit: milliseconds since 1970 must be divided by 1000 and converted first.'),
    ('finished_before_started', '23514', 'the end lies before the start',
     'Check the zone of both times and that they are not swapped.'),
    ('finished_missing', '23514', 'a finished state needs the time at which it was reached',
     'Give finished_at together with succeeded, failed, timed_out, cancelled or skipped.'),
    ('finished_while_running', '23514', 'a running run has no end',
     'Leave finished_at empty while the status is running.'),
    ('unknown_status', '22023', 'unknown status word',
     'Known: running, succeeded, failed, timed_out, cancelled, skipped for runs, open, acknowledged, mitigated, resolved, closed for incidents, and common synonyms; teach it yours with bcce.add_value_alias().'),
    ('unknown_severity', '22023', 'unknown severity word',
     'Known: sev1 to sev4 and common synonyms such as critical, high, medium, low; teach it yours with bcce.add_value_alias().'),
    ('bad_number', '22003', 'a number cannot be read or is not finite within 1e15',
     'Send plain decimal numbers; leave the field empty where there is no value.'),
    ('negative_number', '22003', 'a count or measurement is negative',
     'Counts, latencies, tokens and money start at zero.'),
    ('bad_percent', '22003', 'a percentage lies outside 0 to 100',
     'Send 42.5 for 42.5 percent.'),
    ('bad_digest', '22023', 'a latency digest cannot be read',
     'Send a sketch as it is shown, or an exponential histogram of OpenTelemetry as JSON.'),
    ('bad_probability', '22003', 'a probability lies outside 0 to 1',
     'Send 0.425 for 42.5 percent.'),
    ('missing_horizon', '22004', 'a prediction about a service needs a horizon',
     'Give horizon_seconds: how long after the prediction the failure is expected.'),
    ('bad_outcome', '22023', 'an outcome is neither 0 nor 1',
     'Send 1 where the failure came, 0 where it did not.'),
    ('unknown_target_kind', '22023', 'unknown kind of target',
     'A prediction is about a run, a service, or something external.'),
    ('bad_boolean', '22023', 'a yes/no value cannot be read',
     'Send true or false.'),
    ('bad_json', '22P02', 'a JSON document cannot be read',
     'Send a JSON object in UTF-8 without \u0000.'),
    ('not_an_object', '22023', 'an event is not a JSON object',
     'ingest_event() takes one object, ingest_events() an array of them.'),
    ('bad_address', '22P02', 'an IP address cannot be read',
     'Send one IPv4 or IPv6 address without a port.'),
    ('unknown_inbox', '22023', 'unknown inbox',
     'inbox is workflow_runs, incidents, metrics, predictions, model_usage or events.'),
    ('unknown_incident', 'P0002', 'incident not found',
     'Record the incident first, under the same id and tenant.'),
    ('unknown_prediction', 'P0002', 'prediction not found',
     'Give the prediction_id with which it was recorded.'),
    ('no_event_type', '22004', 'an event has no type',
     'Give event_type, such as page_view, search, faq_view or chat_session.')
ON CONFLICT (reason) DO UPDATE
SET sqlstate = excluded.sqlstate, message = excluded.message, hint = excluded.hint;
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '12_model_prices', $bcce_module$
-- Token prices of language models, on two axes of time: when a price holds, and
-- when it was known.  A row is never changed but to end what was known of it, so
-- that a cost can be computed again as it was, to the digit.  Multipliers and
-- other names of models are rows as well.
DO $do$
DECLARE
    place record;
BEGIN
    -- The defaults belong to nobody; a tenant's own rows have the same columns.
    FOR place IN
        SELECT * FROM (VALUES ('default_', '', '', ''),
            ('', 'tenant_id uuid NOT NULL, ', 'tenant_id, ', ', CONSTRAINT %1$s_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants')
        ) AS t (prefix, tenant_column, tenant_key, tenant_reference)
    LOOP
        EXECUTE format('CREATE TABLE IF NOT EXISTS bcce_data.%1$s (' || place.tenant_column || $sql$
            model_id text NOT NULL,
            token_class text NOT NULL,
            context_above bigint NOT NULL DEFAULT 0,
            service_tier text NOT NULL DEFAULT 'standard',
            valid tstzrange NOT NULL DEFAULT tstzrange(NULL, NULL),
            known tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
            price_usd numeric NOT NULL,
            currency text NOT NULL DEFAULT 'USD',
            source text NOT NULL DEFAULT 'entered',
            CONSTRAINT %1$s_pkey PRIMARY KEY ($sql$ || place.tenant_key || $sql$model_id, token_class, context_above, service_tier, valid, known),
            CONSTRAINT %1$s_model_id_check CHECK (length(model_id) BETWEEN 1 AND 256),
            CONSTRAINT %1$s_token_class_check CHECK (token_class IN ('input', 'output', 'cache_read', 'cache_write_5m', 'cache_write_1h', 'web_search', 'second')),
            CONSTRAINT %1$s_context_above_check CHECK (context_above BETWEEN 0 AND 1000000000000),
            CONSTRAINT %1$s_service_tier_check CHECK (service_tier IN ('standard', 'batch', 'flex', 'priority')),
            CONSTRAINT %1$s_price_usd_check CHECK (price_usd >= 0 AND price_usd <= 1000000 AND price_usd = round(price_usd, 12)),
            CONSTRAINT %1$s_valid_check CHECK (NOT isempty(valid) AND (lower_inf(valid) OR lower_inc(valid)) AND NOT upper_inc(valid)),
            CONSTRAINT %1$s_known_check CHECK (NOT isempty(known) AND NOT lower_inf(known) AND lower_inc(known) AND NOT upper_inc(known)),
            CONSTRAINT %1$s_currency_check CHECK (currency = 'USD')$sql$ || place.tenant_reference || ')', place.prefix || 'model_prices');
        EXECUTE format('CREATE TABLE IF NOT EXISTS bcce_data.%1$s (' || place.tenant_column || $sql$
            model_id text NOT NULL,
            factor_kind text NOT NULL,
            valid tstzrange NOT NULL DEFAULT tstzrange(NULL, NULL),
            known tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
            factor numeric NOT NULL,
            source text NOT NULL DEFAULT 'entered',
            CONSTRAINT %1$s_pkey PRIMARY KEY ($sql$ || place.tenant_key || $sql$model_id, factor_kind, valid, known),
            CONSTRAINT %1$s_model_id_check CHECK (length(model_id) BETWEEN 1 AND 256),
            CONSTRAINT %1$s_factor_kind_check CHECK (factor_kind IN ('fast', 'us', 'batch', 'discount')),
            CONSTRAINT %1$s_factor_check CHECK (factor > 0 AND factor <= 1000 AND factor = round(factor, 4)),
            CONSTRAINT %1$s_valid_check CHECK (NOT isempty(valid) AND (lower_inf(valid) OR lower_inc(valid)) AND NOT upper_inc(valid)),
            CONSTRAINT %1$s_known_check CHECK (NOT isempty(known) AND NOT lower_inf(known) AND lower_inc(known) AND NOT upper_inc(known))$sql$
            || place.tenant_reference || ')', place.prefix || 'model_price_factors');
        EXECUTE format('CREATE TABLE IF NOT EXISTS bcce_data.%1$s (' || place.tenant_column || $sql$
            alias text NOT NULL,
            valid tstzrange NOT NULL DEFAULT tstzrange(NULL, NULL),
            known tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
            model_id text NOT NULL,
            note text,
            CONSTRAINT %1$s_pkey PRIMARY KEY ($sql$ || place.tenant_key || $sql$alias, valid, known),
            CONSTRAINT %1$s_alias_check CHECK (length(alias) >= 1 AND length(alias) <= 256 AND alias <> model_id),
            CONSTRAINT %1$s_model_id_check CHECK (length(model_id) BETWEEN 1 AND 256),
            CONSTRAINT %1$s_valid_check CHECK (NOT isempty(valid) AND (lower_inf(valid) OR lower_inc(valid)) AND NOT upper_inc(valid)),
            CONSTRAINT %1$s_known_check CHECK (NOT isempty(known) AND NOT lower_inf(known) AND lower_inc(known) AND NOT upper_inc(known))$sql$
            || place.tenant_reference || ')', place.prefix || 'model_aliases');
    END LOOP;

    -- What the columns mean, once for all six tables.
    FOR place IN
        SELECT a.attrelid::regclass AS name, a.attname AS column_name,
            CASE a.attname
                WHEN 'tenant_id' THEN 'tenant'
                WHEN 'model_id' THEN CASE WHEN a.attrelid::regclass::text LIKE '%model_aliases' THEN 'the model that is meant'
                    WHEN a.attrelid::regclass::text LIKE '%factors' THEN 'model, or * for all' ELSE 'model as the provider names it' END
                WHEN 'alias' THEN 'another name of a model'
                WHEN 'token_class' THEN 'what is counted: input, output, cache_read, cache_write_5m, cache_write_1h (tokens), web_search (searches), second (priced by time, not by tokens)'
                WHEN 'context_above' THEN 'the price holds for a whole request whose input, cache reads and cache writes are more tokens than this; 0: any'
                WHEN 'service_tier' THEN 'standard, batch, flex or priority'
                WHEN 'factor_kind' THEN 'what multiplies token prices: fast (speed fast), us (inference within the US), batch (where batches have no prices of their own), discount'
                WHEN 'factor' THEN 'the multiplier, up to four decimals; searches are not multiplied'
                WHEN 'valid' THEN 'when it holds, start inclusive, end exclusive'
                WHEN 'known' THEN 'when the store knew it: from when it was entered until it was withdrawn or replaced'
                WHEN 'price_usd' THEN 'price of one token (search, second) in US dollars, up to twelve decimals'
                WHEN 'currency' THEN 'currency; only USD in this release'
                WHEN 'source' THEN 'where the price comes from'
                WHEN 'note' THEN 'why'
            END AS meaning
        FROM pg_attribute a
        WHERE a.attrelid IN ('bcce_data.default_model_prices'::regclass, 'bcce_data.model_prices'::regclass,
            'bcce_data.default_model_price_factors'::regclass, 'bcce_data.model_price_factors'::regclass,
            'bcce_data.default_model_aliases'::regclass, 'bcce_data.model_aliases'::regclass)
          AND a.attnum > 0 AND NOT a.attisdropped
    LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', place.name, place.column_name, place.meaning);
    END LOOP;
END
$do$;
COMMENT ON TABLE bcce_data.default_model_prices IS 'token prices for every tenant without a price of its own; not two rows of one price hold and are known at once';
COMMENT ON TABLE bcce_data.model_prices IS 'a tenant''s own token prices; where one holds it beats the default of the same class, context and tier';
COMMENT ON TABLE bcce_data.default_model_price_factors IS 'multipliers of token prices for every tenant without one of its own';
COMMENT ON TABLE bcce_data.model_price_factors IS 'a tenant''s own multipliers, discounts among them';
COMMENT ON TABLE bcce_data.default_model_aliases IS 'other names of models';
COMMENT ON TABLE bcce_data.model_aliases IS 'a tenant''s own names of models, inference profiles for example';

-- Two rows of one key may not hold at one time and be known at one time.  The
-- lock is on a row that only bcce can lock: anybody may take an advisory one.
CREATE OR REPLACE FUNCTION bcce_data.refuse_model_price_overlap() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    is_overlap boolean;
BEGIN
    IF TG_TABLE_NAME LIKE 'default\_%' THEN
        PERFORM FROM bcce_data.schema_version FOR NO KEY UPDATE;
    ELSE
        PERFORM FROM bcce_data.tenants t WHERE t.tenant_id = NEW.tenant_id FOR NO KEY UPDATE;
    END IF;
    CASE TG_TABLE_NAME
        WHEN 'default_model_prices' THEN
            SELECT count(*) > 1 INTO is_overlap FROM bcce_data.default_model_prices p
            WHERE p.model_id = NEW.model_id AND p.token_class = NEW.token_class AND p.context_above = NEW.context_above
              AND p.service_tier = NEW.service_tier AND p.valid && NEW.valid AND p.known && NEW.known;
        WHEN 'model_prices' THEN
            SELECT count(*) > 1 INTO is_overlap FROM bcce_data.model_prices p
            WHERE p.tenant_id = NEW.tenant_id AND p.model_id = NEW.model_id AND p.token_class = NEW.token_class
              AND p.context_above = NEW.context_above AND p.service_tier = NEW.service_tier AND p.valid && NEW.valid AND p.known && NEW.known;
        WHEN 'default_model_price_factors' THEN
            SELECT count(*) > 1 INTO is_overlap FROM bcce_data.default_model_price_factors p
            WHERE p.model_id = NEW.model_id AND p.factor_kind = NEW.factor_kind AND p.valid && NEW.valid AND p.known && NEW.known;
        WHEN 'model_price_factors' THEN
            SELECT count(*) > 1 INTO is_overlap FROM bcce_data.model_price_factors p
            WHERE p.tenant_id = NEW.tenant_id AND p.model_id = NEW.model_id AND p.factor_kind = NEW.factor_kind
              AND p.valid && NEW.valid AND p.known && NEW.known;
        WHEN 'default_model_aliases' THEN
            SELECT count(*) > 1 INTO is_overlap FROM bcce_data.default_model_aliases p
            WHERE p.alias = NEW.alias AND p.valid && NEW.valid AND p.known && NEW.known;
        WHEN 'model_aliases' THEN
            SELECT count(*) > 1 INTO is_overlap FROM bcce_data.model_aliases p
            WHERE p.tenant_id = NEW.tenant_id AND p.alias = NEW.alias AND p.valid && NEW.valid AND p.known && NEW.known;
    END CASE;
    IF is_overlap THEN
        PERFORM bcce.raise_error('23P01', 'two prices of one kind would hold at one time', NULL,
            'Use bcce.set_model_price() or bcce.import_prices(), which end the earlier price where the new one begins.');
    END IF;
    RETURN NULL;
END
$body$;
COMMENT ON FUNCTION bcce_data.refuse_model_price_overlap() IS 'refuses a price, multiplier or alias that holds and is known together with another of the same key (SQLSTATE 23P01)';

DO $do$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['default_model_prices', 'model_prices', 'default_model_price_factors', 'model_price_factors',
                                'default_model_aliases', 'model_aliases'] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER refuse_overlap AFTER INSERT OR UPDATE ON bcce_data.%I FOR EACH ROW EXECUTE FUNCTION bcce_data.refuse_model_price_overlap()', name);
    END LOOP;
END
$do$;

-- What the store knows without a list: Anthropic's models at Anthropic and on
-- Amazon Bedrock, dollars per million tokens.  A model that has any price stays
-- as it is: a DBA's own prices, or an imported list, are not touched.
DO $do$
BEGIN
    IF EXISTS (SELECT FROM bcce_data.default_model_prices) THEN
        RETURN;
    END IF;
    INSERT INTO bcce_data.default_model_prices (model_id, token_class, context_above, price_usd, source)
    WITH family AS (
        -- above_200k: Sonnet 4 and 4.5 cost twice as much (output one and a half times) there.
        SELECT * FROM (VALUES
            ('claude-fable-5', 10, 50, true, false), ('claude-opus-5', 5, 25, true, false), ('claude-opus-4-8', 5, 25, true, false),
            ('claude-opus-4-7', 5, 25, true, false), ('claude-opus-4-6', 5, 25, true, false), ('claude-opus-4-5', 5, 25, true, false),
            ('claude-opus-4-1', 15, 75, true, false), ('claude-opus-4', 15, 75, true, false), ('claude-sonnet-5', 2, 10, true, false),
            ('claude-sonnet-4-6', 3, 15, true, false), ('claude-sonnet-4-5', 3, 15, true, true), ('claude-sonnet-4', 3, 15, true, true),
            ('claude-haiku-4-5', 1, 5, false, false)
        ) AS t (model, input, output, has_search, above_200k)
    ),
    -- Names on Bedrock; a profile of one region costs a tenth more than a global one.
    name AS (
        SELECT f.*, f.model AS model_id, 1.0 AS uplift FROM family AS f
        UNION ALL
        SELECT f.*, place.prefix || 'anthropic.' || cloud.name, place.uplift
        FROM (VALUES ('claude-fable-5', 'claude-fable-5', '{us.,eu.}'), ('claude-opus-5', 'claude-opus-5', '{us.,eu.,au.,jp.}'),
            ('claude-opus-4-8', 'claude-opus-4-8', '{us.,eu.,au.,jp.}'), ('claude-opus-4-7', 'claude-opus-4-7', '{us.,eu.,au.}'),
            ('claude-opus-4-6', 'claude-opus-4-6-v1', '{us.,eu.,au.}'), ('claude-sonnet-5', 'claude-sonnet-5', '{us.,eu.,au.,jp.}'),
            ('claude-sonnet-4-6', 'claude-sonnet-4-6', '{us.,eu.,au.,jp.}'),
            ('claude-sonnet-4-5', 'claude-sonnet-4-5-20250929-v1:0', '{us.,eu.,au.,jp.}'),
            ('claude-haiku-4-5', 'claude-haiku-4-5-20251001-v1:0', '{us.,eu.,au.,jp.}')
        ) AS cloud (model, name, regions)
        JOIN family AS f ON f.model = cloud.model
        CROSS JOIN LATERAL (
            SELECT prefix, 1.0 AS uplift FROM unnest(ARRAY['', 'global.']) AS prefix
            UNION ALL SELECT prefix, 1.1 FROM unnest(cloud.regions::text[]) AS prefix
        ) AS place
    )
    SELECT n.model_id, c.token_class, c.context_above, trim_scale(n.uplift * c.factor * CASE c.token_class WHEN 'output' THEN n.output ELSE n.input END / 1000000),
        'litellm price list of 2026-07-24'
    FROM name AS n
    CROSS JOIN (VALUES ('input', 0, 1.0), ('output', 0, 1), ('cache_read', 0, 0.1), ('cache_write_5m', 0, 1.25), ('cache_write_1h', 0, 2),
        ('input', 200000, 2), ('output', 200000, 1.5), ('cache_read', 200000, 0.2), ('cache_write_5m', 200000, 2.5), ('cache_write_1h', 200000, 4)
    ) AS c (token_class, context_above, factor)
    -- The list has no one-hour price above 200,000 for Sonnet 4: unknown.
    WHERE (c.context_above = 0 OR n.above_200k) AND NOT (n.model = 'claude-sonnet-4' AND c.context_above > 0 AND c.token_class = 'cache_write_1h')
    UNION ALL
    SELECT n.model_id, 'web_search', 0, 0.01, 'litellm price list of 2026-07-24' FROM name AS n WHERE n.has_search;

    INSERT INTO bcce_data.default_model_price_factors (model_id, factor_kind, factor, source)
    SELECT f.model, f.kind, f.factor, 'litellm price list of 2026-07-24'
    FROM (VALUES ('claude-fable-5', 'us', 1.1), ('claude-opus-5', 'us', 1.1), ('claude-opus-5', 'fast', 2), ('claude-opus-4-8', 'us', 1.1),
        ('claude-opus-4-8', 'fast', 2), ('claude-opus-4-7', 'us', 1.1), ('claude-opus-4-7', 'fast', 6), ('claude-opus-4-6', 'us', 1.1),
        ('claude-opus-4-6', 'fast', 6), ('claude-sonnet-5', 'us', 1.1)) AS f (model, kind, factor);
END
$do$;
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '13_workflows', $bcce_module$
-- Services, workflows and their runs.
CREATE TABLE IF NOT EXISTS bcce_data.services (
    tenant_id uuid NOT NULL,
    service_id text NOT NULL,
    service_name text NOT NULL,
    team_id text,
    criticality text,
    expected_interval_seconds integer,
    created_at timestamptz NOT NULL DEFAULT now(),
    retired_at timestamptz,
    CONSTRAINT services_pkey PRIMARY KEY (tenant_id, service_id),
    CONSTRAINT services_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT services_service_id_check CHECK (length(service_id) BETWEEN 1 AND 256),
    CONSTRAINT services_expected_interval_seconds_check CHECK (expected_interval_seconds > 0)
);
COMMENT ON TABLE bcce_data.services IS 'services of a tenant; a writer''s first mention of one makes its row';
COMMENT ON COLUMN bcce_data.services.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.services.service_id IS 'the sender''s id of the service';
COMMENT ON COLUMN bcce_data.services.service_name IS 'display name, redacted';
COMMENT ON COLUMN bcce_data.services.team_id IS 'team that owns it';
COMMENT ON COLUMN bcce_data.services.criticality IS 'criticality in the sender''s words, redacted';
COMMENT ON COLUMN bcce_data.services.expected_interval_seconds IS 'seconds between two samples; three missed ones make it stale';
COMMENT ON COLUMN bcce_data.services.created_at IS 'when it was first mentioned';
COMMENT ON COLUMN bcce_data.services.retired_at IS 'when it was retired; it leaves the reports 30 days later';

CREATE TABLE IF NOT EXISTS bcce_data.maintenance_windows (
    tenant_id uuid NOT NULL,
    service_id text NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    CONSTRAINT maintenance_windows_pkey PRIMARY KEY (tenant_id, service_id, starts_at),
    CONSTRAINT maintenance_windows_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT maintenance_windows_ends_at_check CHECK (ends_at > starts_at)
);
COMMENT ON TABLE bcce_data.maintenance_windows IS 'declared maintenance of services';
COMMENT ON COLUMN bcce_data.maintenance_windows.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.maintenance_windows.service_id IS 'service';
COMMENT ON COLUMN bcce_data.maintenance_windows.starts_at IS 'start, inclusive';
COMMENT ON COLUMN bcce_data.maintenance_windows.ends_at IS 'end, exclusive';

CREATE TABLE IF NOT EXISTS bcce_data.slos (
    tenant_id uuid NOT NULL,
    service_id text NOT NULL DEFAULT '*',
    target_percent numeric NOT NULL,
    CONSTRAINT slos_pkey PRIMARY KEY (tenant_id, service_id),
    CONSTRAINT slos_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT slos_target_percent_check CHECK (target_percent > 0 AND target_percent <= 100)
);
COMMENT ON TABLE bcce_data.slos IS 'what share of their requests services promise to answer without error, over 30 days';
COMMENT ON COLUMN bcce_data.slos.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.slos.service_id IS 'service, or * for those of the tenant without a row of their own';
COMMENT ON COLUMN bcce_data.slos.target_percent IS 'percent of the requests without error; the rest is the error budget';

CREATE TABLE IF NOT EXISTS bcce_data.workflows (
    tenant_id uuid NOT NULL,
    workflow_id text NOT NULL,
    name text NOT NULL,
    service_id text,
    kind text NOT NULL DEFAULT 'job',
    sla_seconds integer NOT NULL DEFAULT 1800,
    criticality text,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT workflows_pkey PRIMARY KEY (tenant_id, workflow_id),
    CONSTRAINT workflows_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT workflows_workflow_id_check CHECK (length(workflow_id) BETWEEN 1 AND 256),
    CONSTRAINT workflows_kind_check CHECK (kind ~ '^[a-z][a-z0-9_]{0,62}$'),
    CONSTRAINT workflows_sla_seconds_check CHECK (sla_seconds > 0)
);
COMMENT ON TABLE bcce_data.workflows IS 'workflows of a tenant; a writer''s first mention of one makes its row';
COMMENT ON COLUMN bcce_data.workflows.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.workflows.workflow_id IS 'the sender''s id of the workflow';
COMMENT ON COLUMN bcce_data.workflows.name IS 'display name, redacted';
COMMENT ON COLUMN bcce_data.workflows.service_id IS 'service that it belongs to';
COMMENT ON COLUMN bcce_data.workflows.kind IS 'job, deployment or a word of your own';
COMMENT ON COLUMN bcce_data.workflows.sla_seconds IS 'seconds after which a run is late';
COMMENT ON COLUMN bcce_data.workflows.criticality IS 'criticality in the sender''s words, redacted';
COMMENT ON COLUMN bcce_data.workflows.created_at IS 'when it was first mentioned';

-- One row per run, whatever its month: decides insert or update.
CREATE TABLE IF NOT EXISTS bcce_data.workflow_run_keys (
    tenant_id uuid NOT NULL,
    run_id text NOT NULL,
    started_at timestamptz NOT NULL,
    CONSTRAINT workflow_run_keys_pkey PRIMARY KEY (tenant_id, run_id)
);
COMMENT ON TABLE bcce_data.workflow_run_keys IS 'start of every run by its id, over all partitions of workflow_runs';
COMMENT ON COLUMN bcce_data.workflow_run_keys.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.workflow_run_keys.run_id IS 'the sender''s id of the run';
COMMENT ON COLUMN bcce_data.workflow_run_keys.started_at IS 'start of the run, which never changes';

CREATE TABLE IF NOT EXISTS bcce_data.workflow_runs (
    tenant_id uuid NOT NULL,
    run_id text NOT NULL,
    started_at timestamptz NOT NULL,
    workflow_id text NOT NULL,
    service_id text,
    user_key text,
    status text NOT NULL,
    queued_at timestamptz,
    finished_at timestamptz,
    duration_s double precision GENERATED ALWAYS AS (extract(epoch FROM finished_at - started_at)::double precision) STORED,
    error_class text,
    error_message text,
    environment text,
    region text,
    risk_level text,
    identity_provider text,
    retry_of text,
    source_account text,
    source text NOT NULL DEFAULT 'api',
    classification text,
    is_test boolean NOT NULL DEFAULT false,
    charged_usd numeric,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT workflow_runs_pkey PRIMARY KEY (tenant_id, run_id, started_at),
    CONSTRAINT workflow_runs_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT workflow_runs_status_check CHECK (status IN ('running', 'succeeded', 'failed', 'timed_out', 'cancelled', 'skipped')),
    CONSTRAINT workflow_runs_finished_at_check CHECK (finished_at >= started_at),
    CONSTRAINT workflow_runs_terminal_check CHECK ((finished_at IS NOT NULL) = (status <> 'running')),
    CONSTRAINT workflow_runs_started_at_check CHECK (started_at >= '1970-01-01 00:00:00+00' AND started_at < '2201-01-01 00:00:00+00'),
    CONSTRAINT workflow_runs_charged_usd_check CHECK (charged_usd >= 0 AND charged_usd <= 1e15)
) PARTITION BY RANGE (started_at);
CREATE TABLE IF NOT EXISTS bcce_data.workflow_runs_default PARTITION OF bcce_data.workflow_runs DEFAULT;
CREATE INDEX IF NOT EXISTS workflow_runs_started_at_idx ON bcce_data.workflow_runs
    (tenant_id, started_at) INCLUDE (status, finished_at, workflow_id, user_key);
CREATE INDEX IF NOT EXISTS workflow_runs_workflow_idx ON bcce_data.workflow_runs (tenant_id, workflow_id, started_at);
CREATE INDEX IF NOT EXISTS workflow_runs_retry_idx ON bcce_data.workflow_runs (tenant_id, retry_of) WHERE retry_of IS NOT NULL;
COMMENT ON TABLE bcce_data.workflow_runs IS 'one row per run of a workflow, recorded when it starts and completed when it ends; by month of started_at';
COMMENT ON COLUMN bcce_data.workflow_runs.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.workflow_runs.run_id IS 'the sender''s id of the run';
COMMENT ON COLUMN bcce_data.workflow_runs.started_at IS 'when it started';
COMMENT ON COLUMN bcce_data.workflow_runs.workflow_id IS 'workflow';
COMMENT ON COLUMN bcce_data.workflow_runs.service_id IS 'service that it ran for';
COMMENT ON COLUMN bcce_data.workflow_runs.user_key IS 'pseudonym of the person who started it';
COMMENT ON COLUMN bcce_data.workflow_runs.status IS 'running, succeeded, failed, timed_out, cancelled or skipped';
COMMENT ON COLUMN bcce_data.workflow_runs.queued_at IS 'when it was queued';
COMMENT ON COLUMN bcce_data.workflow_runs.finished_at IS 'when it ended; NULL exactly while it runs';
COMMENT ON COLUMN bcce_data.workflow_runs.duration_s IS 'seconds from start to end';
COMMENT ON COLUMN bcce_data.workflow_runs.error_class IS 'class of the error, redacted';
COMMENT ON COLUMN bcce_data.workflow_runs.error_message IS 'message of the error, redacted';
COMMENT ON COLUMN bcce_data.workflow_runs.environment IS 'environment, redacted';
COMMENT ON COLUMN bcce_data.workflow_runs.region IS 'region, redacted';
COMMENT ON COLUMN bcce_data.workflow_runs.risk_level IS 'risk level, redacted';
COMMENT ON COLUMN bcce_data.workflow_runs.identity_provider IS 'identity provider, redacted';
COMMENT ON COLUMN bcce_data.workflow_runs.retry_of IS 'run that this one repeats';
COMMENT ON COLUMN bcce_data.workflow_runs.source_account IS 'account that it came from';
COMMENT ON COLUMN bcce_data.workflow_runs.source IS 'who sent it';
COMMENT ON COLUMN bcce_data.workflow_runs.classification IS 'data class, redacted';
COMMENT ON COLUMN bcce_data.workflow_runs.is_test IS 'test runs never count';
COMMENT ON COLUMN bcce_data.workflow_runs.charged_usd IS 'price of the run in US dollars as of its start, frozen when it was recorded';
COMMENT ON COLUMN bcce_data.workflow_runs.recorded_at IS 'when it was recorded';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '14_metrics', $bcce_module$
-- Samples of what a service does.
CREATE TABLE IF NOT EXISTS bcce_data.performance_metrics (
    tenant_id uuid NOT NULL,
    source text NOT NULL DEFAULT 'api',
    idempotency_key text NOT NULL,
    observed_at timestamptz NOT NULL,
    service_id text NOT NULL,
    window_seconds double precision,
    request_count bigint,
    error_count bigint,
    p50_latency_ms double precision,
    p95_latency_ms double precision,
    p99_latency_ms double precision,
    throughput_rps double precision,
    cpu_percent double precision,
    memory_percent double precision,
    storage_percent double precision,
    network_percent double precision,
    is_test boolean NOT NULL DEFAULT false,
    charged_usd numeric,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    latency_digest bytea,
    CONSTRAINT performance_metrics_pkey PRIMARY KEY (tenant_id, source, idempotency_key, observed_at),
    CONSTRAINT performance_metrics_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    -- One check for several columns: a check is read anew by every statement.
    CONSTRAINT performance_metrics_observed_at_check CHECK (observed_at >= '1970-01-01 00:00:00+00' AND observed_at < '2201-01-01 00:00:00+00'),
    CONSTRAINT performance_metrics_count_check CHECK (least(request_count, error_count) >= 0 AND greatest(request_count, error_count) <= 1000000000000000),
    CONSTRAINT performance_metrics_measurement_check CHECK (
        least(window_seconds, p50_latency_ms, p95_latency_ms, p99_latency_ms, throughput_rps) >= 0
        AND greatest(window_seconds, p50_latency_ms, p95_latency_ms, p99_latency_ms, throughput_rps) <= 1e15),
    CONSTRAINT performance_metrics_percent_check CHECK (
        least(cpu_percent, memory_percent, storage_percent, network_percent) >= 0
        AND greatest(cpu_percent, memory_percent, storage_percent, network_percent) <= 100),
    CONSTRAINT performance_metrics_charged_usd_check CHECK (charged_usd >= 0 AND charged_usd <= 1e15)
) PARTITION BY RANGE (observed_at);
ALTER TABLE bcce_data.performance_metrics ADD COLUMN IF NOT EXISTS latency_digest bytea;
CREATE TABLE IF NOT EXISTS bcce_data.performance_metrics_default PARTITION OF bcce_data.performance_metrics DEFAULT;
CREATE INDEX IF NOT EXISTS performance_metrics_service_idx ON bcce_data.performance_metrics (tenant_id, service_id, observed_at);
CREATE INDEX IF NOT EXISTS performance_metrics_observed_at_idx ON bcce_data.performance_metrics (tenant_id, observed_at);
COMMENT ON TABLE bcce_data.performance_metrics IS 'one row per sample of a service; by month of observed_at';
COMMENT ON COLUMN bcce_data.performance_metrics.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.performance_metrics.source IS 'who sent it';
COMMENT ON COLUMN bcce_data.performance_metrics.idempotency_key IS 'the sender''s key of the sample, or one made from its content: the same key at the same time is stored once';
COMMENT ON COLUMN bcce_data.performance_metrics.observed_at IS 'end of the sample''s window';
COMMENT ON COLUMN bcce_data.performance_metrics.service_id IS 'service';
COMMENT ON COLUMN bcce_data.performance_metrics.window_seconds IS 'length of the sample''s window in seconds';
COMMENT ON COLUMN bcce_data.performance_metrics.request_count IS 'requests in the window';
COMMENT ON COLUMN bcce_data.performance_metrics.error_count IS 'failed requests in the window';
COMMENT ON COLUMN bcce_data.performance_metrics.p50_latency_ms IS 'median latency in milliseconds';
COMMENT ON COLUMN bcce_data.performance_metrics.p95_latency_ms IS '95th percentile of latency in milliseconds';
COMMENT ON COLUMN bcce_data.performance_metrics.p99_latency_ms IS '99th percentile of latency in milliseconds';
COMMENT ON COLUMN bcce_data.performance_metrics.throughput_rps IS 'requests per second';
COMMENT ON COLUMN bcce_data.performance_metrics.cpu_percent IS 'CPU use, 0 to 100';
COMMENT ON COLUMN bcce_data.performance_metrics.memory_percent IS 'memory use, 0 to 100';
COMMENT ON COLUMN bcce_data.performance_metrics.storage_percent IS 'storage use, 0 to 100';
COMMENT ON COLUMN bcce_data.performance_metrics.network_percent IS 'network use, 0 to 100';
COMMENT ON COLUMN bcce_data.performance_metrics.is_test IS 'test samples never count';
COMMENT ON COLUMN bcce_data.performance_metrics.charged_usd IS 'price of the sample in US dollars as of its time, frozen when it was recorded';
COMMENT ON COLUMN bcce_data.performance_metrics.recorded_at IS 'when it was recorded';
COMMENT ON COLUMN bcce_data.performance_metrics.latency_digest IS 'latencies of the window in milliseconds as a sketch, in the bytes of sketch_send(): a column of the type itself would go with the extension';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '15_incidents', $bcce_module$
-- Declared incidents, what happened in them, and when they hurt.
CREATE TABLE IF NOT EXISTS bcce_data.incidents (
    tenant_id uuid NOT NULL,
    incident_id text NOT NULL,
    service_id text,
    severity text,
    priority text,
    incident_type text,
    title text,
    status text NOT NULL DEFAULT 'open',
    opened_at timestamptz NOT NULL,
    impact_started_at timestamptz,
    detected_at timestamptz,
    acknowledged_at timestamptz,
    mitigated_at timestamptz,
    recovered_at timestamptz,
    resolved_at timestamptz,
    closed_at timestamptz,
    merged_into text,
    affected_resources text,
    caused_by_run text,
    source text NOT NULL DEFAULT 'api',
    is_test boolean NOT NULL DEFAULT false,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT incidents_pkey PRIMARY KEY (tenant_id, incident_id),
    CONSTRAINT incidents_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT incidents_incident_id_check CHECK (length(incident_id) BETWEEN 1 AND 256),
    CONSTRAINT incidents_severity_check CHECK (severity IN ('sev1', 'sev2', 'sev3', 'sev4')),
    CONSTRAINT incidents_status_check CHECK (status IN ('open', 'acknowledged', 'mitigated', 'resolved', 'closed')),
    CONSTRAINT incidents_opened_at_check CHECK (opened_at >= '1970-01-01 00:00:00+00' AND opened_at < '2201-01-01 00:00:00+00')
);
CREATE INDEX IF NOT EXISTS incidents_opened_at_idx ON bcce_data.incidents (tenant_id, opened_at);
CREATE INDEX IF NOT EXISTS incidents_service_idx ON bcce_data.incidents (tenant_id, service_id, opened_at);
COMMENT ON TABLE bcce_data.incidents IS 'one row per declared incident';
COMMENT ON COLUMN bcce_data.incidents.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.incidents.incident_id IS 'the sender''s id of the incident';
COMMENT ON COLUMN bcce_data.incidents.service_id IS 'service that suffers';
COMMENT ON COLUMN bcce_data.incidents.severity IS 'sev1 (worst) to sev4; NULL: unclassified';
COMMENT ON COLUMN bcce_data.incidents.priority IS 'priority in the sender''s words, redacted';
COMMENT ON COLUMN bcce_data.incidents.incident_type IS 'type in the sender''s words, redacted';
COMMENT ON COLUMN bcce_data.incidents.title IS 'title, redacted';
COMMENT ON COLUMN bcce_data.incidents.status IS 'open, acknowledged, mitigated, resolved or closed';
COMMENT ON COLUMN bcce_data.incidents.opened_at IS 'when it was declared';
COMMENT ON COLUMN bcce_data.incidents.impact_started_at IS 'when it began to hurt';
COMMENT ON COLUMN bcce_data.incidents.detected_at IS 'when it was noticed';
COMMENT ON COLUMN bcce_data.incidents.acknowledged_at IS 'when somebody took it';
COMMENT ON COLUMN bcce_data.incidents.mitigated_at IS 'when it stopped hurting, by a stopgap';
COMMENT ON COLUMN bcce_data.incidents.recovered_at IS 'when service was back';
COMMENT ON COLUMN bcce_data.incidents.resolved_at IS 'when the cause was removed';
COMMENT ON COLUMN bcce_data.incidents.closed_at IS 'when the paperwork was done';
COMMENT ON COLUMN bcce_data.incidents.merged_into IS 'incident that this one is part of; it then does not count by itself';
COMMENT ON COLUMN bcce_data.incidents.affected_resources IS 'what is affected, redacted';
COMMENT ON COLUMN bcce_data.incidents.caused_by_run IS 'run that caused it';
COMMENT ON COLUMN bcce_data.incidents.source IS 'who sent it';
COMMENT ON COLUMN bcce_data.incidents.is_test IS 'test incidents never count';
COMMENT ON COLUMN bcce_data.incidents.recorded_at IS 'when it was recorded';

CREATE TABLE IF NOT EXISTS bcce_data.incident_events (
    tenant_id uuid NOT NULL,
    incident_id text NOT NULL,
    event_id uuid NOT NULL DEFAULT bcce.uuid_v7(),
    at timestamptz NOT NULL,
    kind text NOT NULL,
    response_action text,
    actor_key text,
    CONSTRAINT incident_events_pkey PRIMARY KEY (tenant_id, incident_id, event_id),
    CONSTRAINT incident_events_incident_fkey FOREIGN KEY (tenant_id, incident_id) REFERENCES bcce_data.incidents ON DELETE CASCADE
);
COMMENT ON TABLE bcce_data.incident_events IS 'what happened during an incident';
COMMENT ON COLUMN bcce_data.incident_events.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.incident_events.incident_id IS 'incident';
COMMENT ON COLUMN bcce_data.incident_events.event_id IS 'internal id';
COMMENT ON COLUMN bcce_data.incident_events.at IS 'when it happened';
COMMENT ON COLUMN bcce_data.incident_events.kind IS 'what kind of event, redacted';
COMMENT ON COLUMN bcce_data.incident_events.response_action IS 'what was done, redacted';
COMMENT ON COLUMN bcce_data.incident_events.actor_key IS 'pseudonym of the person who did it';

CREATE TABLE IF NOT EXISTS bcce_data.incident_impacts (
    tenant_id uuid NOT NULL,
    incident_id text NOT NULL,
    span tstzrange NOT NULL,
    CONSTRAINT incident_impacts_pkey PRIMARY KEY (tenant_id, incident_id, span),
    CONSTRAINT incident_impacts_incident_fkey FOREIGN KEY (tenant_id, incident_id) REFERENCES bcce_data.incidents ON DELETE CASCADE,
    CONSTRAINT incident_impacts_span_check CHECK (NOT isempty(span) AND NOT lower_inf(span))
);
COMMENT ON TABLE bcce_data.incident_impacts IS 'spans in which an incident hurt; a reopened one has several, an open end means it still does';
COMMENT ON COLUMN bcce_data.incident_impacts.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.incident_impacts.incident_id IS 'incident';
COMMENT ON COLUMN bcce_data.incident_impacts.span IS 'start inclusive, end exclusive';

-- When a tenant works: what the mean on the business calendar counts.
CREATE TABLE IF NOT EXISTS bcce_data.business_hours (
    tenant_id uuid NOT NULL,
    weekday smallint NOT NULL,
    opens time NOT NULL,
    closes time NOT NULL,
    CONSTRAINT business_hours_pkey PRIMARY KEY (tenant_id, weekday),
    CONSTRAINT business_hours_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT business_hours_weekday_check CHECK (weekday BETWEEN 1 AND 7)
);
COMMENT ON TABLE bcce_data.business_hours IS 'when a tenant works on a day of the week; a day without a row is free';
COMMENT ON COLUMN bcce_data.business_hours.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.business_hours.weekday IS 'day of the week, 1 Monday to 7 Sunday';
COMMENT ON COLUMN bcce_data.business_hours.opens IS 'start of work by the clock of the tenant''s zone';
COMMENT ON COLUMN bcce_data.business_hours.closes IS 'end of work; not later than opens: on the next day';

CREATE TABLE IF NOT EXISTS bcce_data.holidays (
    tenant_id uuid NOT NULL,
    day date NOT NULL,
    CONSTRAINT holidays_pkey PRIMARY KEY (tenant_id, day),
    CONSTRAINT holidays_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT holidays_day_check CHECK (isfinite(day))
);
COMMENT ON TABLE bcce_data.holidays IS 'days on which a tenant does not work, whatever the day of the week';
COMMENT ON COLUMN bcce_data.holidays.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.holidays.day IS 'date in the tenant''s zone; no work begins on it';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '16_predictions', $bcce_module$
-- Failure predictions and the models that make them.
CREATE TABLE IF NOT EXISTS bcce_data.models (
    tenant_id uuid NOT NULL,
    model_name text NOT NULL,
    model_version text NOT NULL DEFAULT '',
    threshold double precision NOT NULL DEFAULT 0.5,
    reference_from timestamptz,
    reference_to timestamptz,
    CONSTRAINT models_pkey PRIMARY KEY (tenant_id, model_name, model_version),
    CONSTRAINT models_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT models_model_name_check CHECK (length(model_name) BETWEEN 1 AND 256),
    CONSTRAINT models_model_version_check CHECK (length(model_version) <= 256),
    CONSTRAINT models_threshold_check CHECK (threshold BETWEEN 0 AND 1)
);
COMMENT ON TABLE bcce_data.models IS 'models that predict failures; the first prediction of one makes its row';
COMMENT ON COLUMN bcce_data.models.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.models.model_name IS 'name of the model';
COMMENT ON COLUMN bcce_data.models.model_version IS 'version; empty where the sender gives none';
COMMENT ON COLUMN bcce_data.models.threshold IS 'a probability at or above it predicts a failure';
COMMENT ON COLUMN bcce_data.models.reference_from IS 'start of the window that drift is measured against';
COMMENT ON COLUMN bcce_data.models.reference_to IS 'end of that window';

CREATE TABLE IF NOT EXISTS bcce_data.prediction_keys (
    tenant_id uuid NOT NULL,
    prediction_id text NOT NULL,
    predicted_at timestamptz NOT NULL,
    CONSTRAINT prediction_keys_pkey PRIMARY KEY (tenant_id, prediction_id)
);
COMMENT ON TABLE bcce_data.prediction_keys IS 'time of every prediction by its id, over all partitions of predictions';
COMMENT ON COLUMN bcce_data.prediction_keys.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.prediction_keys.prediction_id IS 'the sender''s id of the prediction';
COMMENT ON COLUMN bcce_data.prediction_keys.predicted_at IS 'time of the prediction, which never changes';

CREATE TABLE IF NOT EXISTS bcce_data.predictions (
    tenant_id uuid NOT NULL,
    prediction_id text NOT NULL,
    predicted_at timestamptz NOT NULL,
    model_name text NOT NULL,
    model_version text NOT NULL DEFAULT '',
    target_kind text NOT NULL,
    target_id text NOT NULL,
    horizon_seconds double precision,
    failure_probability double precision NOT NULL,
    features_hash text,
    outcome smallint,
    outcome_at timestamptz,
    source text NOT NULL DEFAULT 'api',
    is_test boolean NOT NULL DEFAULT false,
    charged_usd numeric,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT predictions_pkey PRIMARY KEY (tenant_id, predicted_at, prediction_id),
    CONSTRAINT predictions_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT predictions_target_kind_check CHECK (target_kind IN ('run', 'service', 'external')),
    CONSTRAINT predictions_horizon_seconds_check CHECK (horizon_seconds > 0 AND horizon_seconds <= 1e9),
    CONSTRAINT predictions_horizon_required_check CHECK (target_kind <> 'service' OR horizon_seconds IS NOT NULL),
    CONSTRAINT predictions_failure_probability_check CHECK (failure_probability BETWEEN 0 AND 1),
    CONSTRAINT predictions_outcome_check CHECK (outcome IN (0, 1)),
    CONSTRAINT predictions_outcome_at_check CHECK ((outcome IS NULL) = (outcome_at IS NULL)),
    CONSTRAINT predictions_predicted_at_check CHECK (predicted_at >= '1970-01-01 00:00:00+00' AND predicted_at < '2201-01-01 00:00:00+00'),
    CONSTRAINT predictions_charged_usd_check CHECK (charged_usd >= 0 AND charged_usd <= 1e15)
) PARTITION BY RANGE (predicted_at);
CREATE TABLE IF NOT EXISTS bcce_data.predictions_default PARTITION OF bcce_data.predictions DEFAULT;
CREATE INDEX IF NOT EXISTS predictions_target_idx ON bcce_data.predictions (tenant_id, target_kind, target_id, predicted_at);
COMMENT ON TABLE bcce_data.predictions IS 'one row per predicted probability of failure; by month of predicted_at';
COMMENT ON COLUMN bcce_data.predictions.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.predictions.prediction_id IS 'the sender''s id of the prediction';
COMMENT ON COLUMN bcce_data.predictions.predicted_at IS 'when it was made';
COMMENT ON COLUMN bcce_data.predictions.model_name IS 'model';
COMMENT ON COLUMN bcce_data.predictions.model_version IS 'version of the model';
COMMENT ON COLUMN bcce_data.predictions.target_kind IS 'run (the run fails), service (it fails within the horizon) or external (the sender reports the outcome)';
COMMENT ON COLUMN bcce_data.predictions.target_id IS 'id of the run, service or external thing';
COMMENT ON COLUMN bcce_data.predictions.horizon_seconds IS 'seconds after predicted_at within which the failure is expected';
COMMENT ON COLUMN bcce_data.predictions.failure_probability IS 'probability of failure, 0 to 1';
COMMENT ON COLUMN bcce_data.predictions.features_hash IS 'hash of the features that the model saw';
COMMENT ON COLUMN bcce_data.predictions.outcome IS 'reported outcome: 1 it failed, 0 it did not; NULL: not reported';
COMMENT ON COLUMN bcce_data.predictions.outcome_at IS 'when the outcome was known';
COMMENT ON COLUMN bcce_data.predictions.source IS 'who sent it';
COMMENT ON COLUMN bcce_data.predictions.is_test IS 'test predictions never count';
COMMENT ON COLUMN bcce_data.predictions.charged_usd IS 'price of the prediction in US dollars as of its time, frozen when it was recorded';
COMMENT ON COLUMN bcce_data.predictions.recorded_at IS 'when it was recorded';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '17_model_usage', $bcce_module$
-- Calls of language models.
CREATE TABLE IF NOT EXISTS bcce_data.model_usage (
    tenant_id uuid NOT NULL,
    source text NOT NULL DEFAULT 'api',
    idempotency_key text NOT NULL,
    at timestamptz NOT NULL,
    model_id text NOT NULL,
    provider text,
    region text,
    user_key text,
    session_id text,
    run_id text,
    input_tokens bigint,
    output_tokens bigint,
    cache_read_tokens bigint,
    cache_write_5m_tokens bigint,
    cache_write_1h_tokens bigint,
    latency_ms double precision,
    is_batch boolean NOT NULL DEFAULT false,
    is_test boolean NOT NULL DEFAULT false,
    reported_cost_usd numeric,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT model_usage_pkey PRIMARY KEY (tenant_id, source, idempotency_key, at),
    CONSTRAINT model_usage_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT model_usage_at_check CHECK (at >= '1970-01-01 00:00:00+00' AND at < '2201-01-01 00:00:00+00'),
    CONSTRAINT model_usage_tokens_check CHECK (
        least(input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens) >= 0
        AND greatest(input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens) <= 1000000000000000),
    CONSTRAINT model_usage_latency_ms_check CHECK (latency_ms >= 0 AND latency_ms <= 1e15),
    CONSTRAINT model_usage_reported_cost_usd_check CHECK (reported_cost_usd >= 0 AND reported_cost_usd <= 1e15)
) PARTITION BY RANGE (at);
-- Columns that an earlier build did not make.
ALTER TABLE bcce_data.model_usage
    ADD COLUMN IF NOT EXISTS request_id text,
    ADD COLUMN IF NOT EXISTS project text,
    ADD COLUMN IF NOT EXISTS team_id text,
    ADD COLUMN IF NOT EXISTS query_source text,
    ADD COLUMN IF NOT EXISTS agent_name text,
    ADD COLUMN IF NOT EXISTS speed text,
    ADD COLUMN IF NOT EXISTS inference_geo text,
    ADD COLUMN IF NOT EXISTS service_tier text,
    ADD COLUMN IF NOT EXISTS web_searches bigint CONSTRAINT model_usage_web_searches_check CHECK (web_searches >= 0 AND web_searches <= 1000000000000000),
    ADD COLUMN IF NOT EXISTS client_cost_usd numeric CONSTRAINT model_usage_client_cost_usd_check CHECK (client_cost_usd >= 0 AND client_cost_usd <= 1e15),
    ADD COLUMN IF NOT EXISTS charged_usd numeric CONSTRAINT model_usage_charged_usd_check CHECK (charged_usd >= 0),
    ADD COLUMN IF NOT EXISTS priced_at timestamptz,
    ADD COLUMN IF NOT EXISTS counted_at timestamptz,
    ADD COLUMN IF NOT EXISTS ttl_assumed boolean NOT NULL DEFAULT false,
    ADD COLUMN IF NOT EXISTS told_by smallint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS event_tokens bigint[],
    ADD COLUMN IF NOT EXISTS source_mismatch boolean NOT NULL GENERATED ALWAYS AS (
        event_tokens IS NOT NULL AND told_by & 1 = 1 AND event_tokens <> ARRAY[coalesce(input_tokens, 0), coalesce(output_tokens, 0),
            coalesce(cache_read_tokens, 0), coalesce(cache_write_5m_tokens, 0) + coalesce(cache_write_1h_tokens, 0)]) STORED;
CREATE TABLE IF NOT EXISTS bcce_data.model_usage_default PARTITION OF bcce_data.model_usage DEFAULT;
CREATE INDEX IF NOT EXISTS model_usage_at_idx ON bcce_data.model_usage (tenant_id, at);
COMMENT ON TABLE bcce_data.model_usage IS 'one row per call of a language model; by month of at';
COMMENT ON COLUMN bcce_data.model_usage.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.model_usage.source IS 'who sent it';
COMMENT ON COLUMN bcce_data.model_usage.idempotency_key IS 'the sender''s key of the call, or one made from its content: the same key at the same time is stored once';
COMMENT ON COLUMN bcce_data.model_usage.at IS 'when the call was made';
COMMENT ON COLUMN bcce_data.model_usage.model_id IS 'model';
COMMENT ON COLUMN bcce_data.model_usage.provider IS 'provider, redacted';
COMMENT ON COLUMN bcce_data.model_usage.region IS 'region, redacted';
COMMENT ON COLUMN bcce_data.model_usage.user_key IS 'pseudonym of the person who made the call';
COMMENT ON COLUMN bcce_data.model_usage.session_id IS 'the sender''s id of the session';
COMMENT ON COLUMN bcce_data.model_usage.run_id IS 'run that the call belongs to';
COMMENT ON COLUMN bcce_data.model_usage.input_tokens IS 'tokens in; NULL: unknown';
COMMENT ON COLUMN bcce_data.model_usage.output_tokens IS 'tokens out; NULL: unknown';
COMMENT ON COLUMN bcce_data.model_usage.cache_read_tokens IS 'tokens read from the cache';
COMMENT ON COLUMN bcce_data.model_usage.cache_write_5m_tokens IS 'tokens written to the five-minute cache';
COMMENT ON COLUMN bcce_data.model_usage.cache_write_1h_tokens IS 'tokens written to the one-hour cache';
COMMENT ON COLUMN bcce_data.model_usage.latency_ms IS 'milliseconds until the answer was complete';
COMMENT ON COLUMN bcce_data.model_usage.is_batch IS 'sent as part of a batch';
COMMENT ON COLUMN bcce_data.model_usage.is_test IS 'test calls never count';
COMMENT ON COLUMN bcce_data.model_usage.reported_cost_usd IS 'cost in US dollars as the sender reported it; NULL: not reported';
COMMENT ON COLUMN bcce_data.model_usage.recorded_at IS 'when it was recorded';
COMMENT ON COLUMN bcce_data.model_usage.request_id IS 'the provider''s id of the request';
COMMENT ON COLUMN bcce_data.model_usage.project IS 'project in which the call was made, redacted';
COMMENT ON COLUMN bcce_data.model_usage.team_id IS 'team of the person at that time, as the sender says; else see principals';
COMMENT ON COLUMN bcce_data.model_usage.query_source IS 'what asked: main, subagent or auxiliary';
COMMENT ON COLUMN bcce_data.model_usage.agent_name IS 'agent that made the call';
COMMENT ON COLUMN bcce_data.model_usage.speed IS 'standard or fast';
COMMENT ON COLUMN bcce_data.model_usage.inference_geo IS 'where the provider was asked to compute: us, or anything else for no wish';
COMMENT ON COLUMN bcce_data.model_usage.service_tier IS 'standard, batch, flex or priority';
COMMENT ON COLUMN bcce_data.model_usage.web_searches IS 'searches made by the provider for the call';
COMMENT ON COLUMN bcce_data.model_usage.client_cost_usd IS 'what the client itself took the cost for, US dollars: shown beside ours, never part of it';
COMMENT ON COLUMN bcce_data.model_usage.charged_usd IS 'cost by the prices known at priced_at, US dollars: never changes with later prices; NULL: unknown then';
COMMENT ON COLUMN bcce_data.model_usage.priced_at IS 'when charged_usd was computed; estimate_token_cost(..., as_of => priced_at) gives it again';
COMMENT ON COLUMN bcce_data.model_usage.counted_at IS 'when the line was written whose counts are kept: a transcript has several for one call';
COMMENT ON COLUMN bcce_data.model_usage.ttl_assumed IS 'the sender did not say how long (some of) the cache writes live: they count as five minutes, a lower bound';
COMMENT ON COLUMN bcce_data.model_usage.told_by IS 'who told of the call, bits: 1 a transcript, 2 a telemetry event; 0: another sender';
COMMENT ON COLUMN bcce_data.model_usage.event_tokens IS 'input, output, cache reads and cache writes as the telemetry event counted them';
COMMENT ON COLUMN bcce_data.model_usage.source_mismatch IS 'transcript and event do not agree on the counts; the transcript''s are kept';

-- One call has several names: its message, its request.  The row of its first
-- name, the call's own key, says where the call is; the others lead there.
CREATE TABLE IF NOT EXISTS bcce_data.model_usage_keys (
    tenant_id uuid NOT NULL,
    request_key text NOT NULL,
    call_key text NOT NULL,
    source text,
    at timestamptz,
    CONSTRAINT model_usage_keys_pkey PRIMARY KEY (tenant_id, request_key),
    CONSTRAINT model_usage_keys_at_check CHECK ((request_key = call_key) = (at IS NOT NULL))
);
COMMENT ON TABLE bcce_data.model_usage_keys IS 'which call a message or a request is, over all partitions of model_usage; only calls of transcripts and telemetry';
COMMENT ON COLUMN bcce_data.model_usage_keys.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.model_usage_keys.request_key IS 'name of the call: msg:, req: or another prefix and the provider''s id';
COMMENT ON COLUMN bcce_data.model_usage_keys.call_key IS 'the call''s own key, which is its idempotency_key';
COMMENT ON COLUMN bcce_data.model_usage_keys.source IS 'source of the call''s row; only beside its own key';
COMMENT ON COLUMN bcce_data.model_usage_keys.at IS 'time of the call''s row; only beside its own key';

-- Counters that clients send beside the calls: to check sums, never to charge.
CREATE TABLE IF NOT EXISTS bcce_data.model_usage_counters (
    tenant_id uuid NOT NULL,
    series_key text NOT NULL,
    started_at timestamptz NOT NULL,
    at timestamptz NOT NULL,
    metric text NOT NULL,
    token_class text,
    model_id text,
    user_key text,
    session_id text,
    value numeric NOT NULL,
    is_cumulative boolean NOT NULL,
    CONSTRAINT model_usage_counters_pkey PRIMARY KEY (tenant_id, series_key, started_at, at),
    CONSTRAINT model_usage_counters_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT model_usage_counters_at_check CHECK (at >= '1970-01-01 00:00:00+00' AND at < '2201-01-01 00:00:00+00'),
    CONSTRAINT model_usage_counters_metric_check CHECK (metric IN ('tokens', 'cost_usd')),
    CONSTRAINT model_usage_counters_token_class_check CHECK (token_class IN ('input', 'output', 'cache_read', 'cache_write')),
    CONSTRAINT model_usage_counters_value_check CHECK (value >= 0 AND value <= 1e15)
);
CREATE INDEX IF NOT EXISTS model_usage_counters_at_idx ON bcce_data.model_usage_counters (tenant_id, at);
COMMENT ON TABLE bcce_data.model_usage_counters IS 'points of the token and cost counters that clients export; a delta point is what came since started_at, a cumulative one the sum since then';
COMMENT ON COLUMN bcce_data.model_usage_counters.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.model_usage_counters.series_key IS 'pseudonym of all attributes of the series: the same export again is stored once';
COMMENT ON COLUMN bcce_data.model_usage_counters.started_at IS 'when the point''s count began';
COMMENT ON COLUMN bcce_data.model_usage_counters.at IS 'when it was taken';
COMMENT ON COLUMN bcce_data.model_usage_counters.metric IS 'tokens or cost_usd';
COMMENT ON COLUMN bcce_data.model_usage_counters.token_class IS 'input, output, cache_read or cache_write; NULL for cost';
COMMENT ON COLUMN bcce_data.model_usage_counters.model_id IS 'model';
COMMENT ON COLUMN bcce_data.model_usage_counters.user_key IS 'pseudonym of the person';
COMMENT ON COLUMN bcce_data.model_usage_counters.session_id IS 'the sender''s id of the session';
COMMENT ON COLUMN bcce_data.model_usage_counters.value IS 'tokens, or US dollars by the client''s own estimate';
COMMENT ON COLUMN bcce_data.model_usage_counters.is_cumulative IS 'the value counts from started_at on with every point of the series, not anew from point to point';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '18_budgets', $bcce_module$
-- What may be spent, and what was said about it.  Nothing here counts money: what
-- was spent is added up from the calls, whenever it is asked for.
CREATE TABLE IF NOT EXISTS bcce_data.budgets (
    tenant_id uuid NOT NULL,
    budget text NOT NULL,
    amount_usd numeric NOT NULL,
    period text NOT NULL,
    timezone text NOT NULL,
    team_id text,
    user_key text,
    project text,
    model_id text,
    workflow_id text,
    thresholds numeric[] NOT NULL DEFAULT '{50,80,90,100}',
    mode text NOT NULL DEFAULT 'alert',
    unpriced text NOT NULL DEFAULT 'ignore',
    valid tstzrange NOT NULL DEFAULT tstzrange(NULL, NULL),
    set_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT budgets_pkey PRIMARY KEY (tenant_id, budget),
    CONSTRAINT budgets_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT budgets_budget_check CHECK (budget ~ '^[a-z0-9][a-z0-9_.-]{0,62}$'),
    CONSTRAINT budgets_amount_usd_check CHECK (amount_usd > 0 AND amount_usd <= 1e15),
    CONSTRAINT budgets_period_check CHECK (period IN ('day', 'week', 'month', 'quarter', 'custom')),
    CONSTRAINT budgets_timezone_check CHECK (('2000-01-01 00:00:00+00'::timestamptz AT TIME ZONE timezone) IS NOT NULL),
    CONSTRAINT budgets_thresholds_check CHECK (cardinality(thresholds) <= 20 AND array_position(thresholds, NULL) IS NULL
                                               AND 0 < ALL (thresholds) AND 1000 >= ALL (thresholds)),
    CONSTRAINT budgets_mode_check CHECK (mode IN ('alert', 'block')),
    CONSTRAINT budgets_unpriced_check CHECK (unpriced IN ('ignore', 'dearest')),
    CONSTRAINT budgets_valid_check CHECK (NOT isempty(valid) AND (lower_inf(valid) OR lower_inc(valid)) AND NOT upper_inc(valid)),
    CONSTRAINT budgets_custom_check CHECK (period <> 'custom' OR NOT (lower_inf(valid) OR upper_inf(valid)))
);
COMMENT ON TABLE bcce_data.budgets IS 'what may be spent on model calls in a period, by the tenant or by a part of it';
COMMENT ON COLUMN bcce_data.budgets.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.budgets.budget IS 'name of the budget';
COMMENT ON COLUMN bcce_data.budgets.amount_usd IS 'US dollars that may be spent in each period';
COMMENT ON COLUMN bcce_data.budgets.period IS 'day, week (from Monday), month or quarter of the zone, or custom: all of valid';
COMMENT ON COLUMN bcce_data.budgets.timezone IS 'IANA zone in which periods are cut';
COMMENT ON COLUMN bcce_data.budgets.team_id IS 'only calls of this team; NULL: of all';
COMMENT ON COLUMN bcce_data.budgets.user_key IS 'only calls of this person, by the pseudonym; NULL: of all';
COMMENT ON COLUMN bcce_data.budgets.project IS 'only calls of this project, redacted; NULL: of all';
COMMENT ON COLUMN bcce_data.budgets.model_id IS 'only calls of this model; NULL: of all';
COMMENT ON COLUMN bcce_data.budgets.workflow_id IS 'only calls of runs of this workflow; NULL: of all';
COMMENT ON COLUMN bcce_data.budgets.thresholds IS 'percent of the amount at which an alert is written, once a period';
COMMENT ON COLUMN bcce_data.budgets.mode IS 'alert, or block: budget_check() advises against further calls once the amount is spent';
COMMENT ON COLUMN bcce_data.budgets.unpriced IS 'how calls of unknown cost count: ignore (not at all), dearest (each token at the highest price in the book)';
COMMENT ON COLUMN bcce_data.budgets.valid IS 'only calls in this time count, start inclusive, end exclusive';
COMMENT ON COLUMN bcce_data.budgets.set_at IS 'when the budget was first set; periods that had ended by then raise no alerts';

CREATE TABLE IF NOT EXISTS bcce_data.budget_alerts (
    tenant_id uuid NOT NULL,
    budget text NOT NULL,
    period_start_at timestamptz NOT NULL,
    threshold_percent numeric NOT NULL,
    kind text NOT NULL,
    spent_usd numeric NOT NULL,
    limit_usd numeric NOT NULL,
    forecast_usd numeric,
    at timestamptz NOT NULL,
    CONSTRAINT budget_alerts_pkey PRIMARY KEY (tenant_id, budget, period_start_at, threshold_percent, kind),
    CONSTRAINT budget_alerts_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT budget_alerts_kind_check CHECK (kind IN ('crossed', 'late', 'forecast'))
);
COMMENT ON TABLE bcce_data.budget_alerts IS 'alerts of budgets, each written once; they stay when a budget is changed or removed';
COMMENT ON COLUMN bcce_data.budget_alerts.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.budget_alerts.budget IS 'name of the budget';
COMMENT ON COLUMN bcce_data.budget_alerts.period_start_at IS 'start of the budget''s period';
COMMENT ON COLUMN bcce_data.budget_alerts.threshold_percent IS 'percent of the amount';
COMMENT ON COLUMN bcce_data.budget_alerts.kind IS 'crossed (so much was spent), late (calls told after the period''s end crossed it), forecast (so much will be spent by its end)';
COMMENT ON COLUMN bcce_data.budget_alerts.spent_usd IS 'US dollars spent then';
COMMENT ON COLUMN bcce_data.budget_alerts.limit_usd IS 'US dollars of the budget then';
COMMENT ON COLUMN bcce_data.budget_alerts.forecast_usd IS 'US dollars forecast then for the end of the period; NULL: none';
COMMENT ON COLUMN bcce_data.budget_alerts.at IS 'when it was written';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '18_events', $bcce_module$
-- What guests and users do.
CREATE TABLE IF NOT EXISTS bcce_data.events (
    tenant_id uuid NOT NULL,
    source text NOT NULL DEFAULT 'api',
    idempotency_key text NOT NULL,
    occurred_at timestamptz NOT NULL,
    event_type text NOT NULL,
    guest_key text,
    guest_type text,
    user_key text,
    session_id text,
    service_id text,
    ip_prefix inet,
    user_agent_family text,
    properties jsonb,
    is_test boolean NOT NULL DEFAULT false,
    received_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT events_pkey PRIMARY KEY (tenant_id, source, idempotency_key, occurred_at),
    CONSTRAINT events_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT events_event_type_check CHECK (length(event_type) BETWEEN 1 AND 100),
    CONSTRAINT events_occurred_at_check CHECK (occurred_at >= '1970-01-01 00:00:00+00' AND occurred_at < '2201-01-01 00:00:00+00')
) PARTITION BY RANGE (occurred_at);
CREATE TABLE IF NOT EXISTS bcce_data.events_default PARTITION OF bcce_data.events DEFAULT;
CREATE INDEX IF NOT EXISTS events_occurred_at_idx ON bcce_data.events (tenant_id, occurred_at) INCLUDE (event_type, session_id, user_key);
COMMENT ON TABLE bcce_data.events IS 'one row per event of a guest or user; by month of occurred_at';
COMMENT ON COLUMN bcce_data.events.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.events.source IS 'who sent it';
COMMENT ON COLUMN bcce_data.events.idempotency_key IS 'the sender''s key of the event, or one made from its content: the same key at the same time is stored once';
COMMENT ON COLUMN bcce_data.events.occurred_at IS 'when it happened';
COMMENT ON COLUMN bcce_data.events.event_type IS 'page_view, search, faq_view, chat_session, service_interaction or a word of your own';
COMMENT ON COLUMN bcce_data.events.guest_key IS 'pseudonym of the guest';
COMMENT ON COLUMN bcce_data.events.guest_type IS 'segment of the guest, redacted';
COMMENT ON COLUMN bcce_data.events.user_key IS 'pseudonym of the user';
COMMENT ON COLUMN bcce_data.events.session_id IS 'the sender''s id of the session';
COMMENT ON COLUMN bcce_data.events.service_id IS 'service that it was about';
COMMENT ON COLUMN bcce_data.events.ip_prefix IS 'network that it came from: /24 of IPv4, /48 of IPv6';
COMMENT ON COLUMN bcce_data.events.user_agent_family IS 'family of the program, such as Firefox';
COMMENT ON COLUMN bcce_data.events.properties IS 'further properties, redacted';
COMMENT ON COLUMN bcce_data.events.is_test IS 'test events never count';
COMMENT ON COLUMN bcce_data.events.received_at IS 'when it was received';

CREATE TABLE IF NOT EXISTS bcce_data.infra_costs (
    tenant_id uuid NOT NULL,
    category text NOT NULL,
    amount_usd numeric NOT NULL,
    period_start_at timestamptz NOT NULL,
    period_end_at timestamptz NOT NULL,
    CONSTRAINT infra_costs_pkey PRIMARY KEY (tenant_id, category, period_start_at, period_end_at),
    CONSTRAINT infra_costs_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT infra_costs_amount_usd_check CHECK (amount_usd BETWEEN -1e15 AND 1e15),
    CONSTRAINT infra_costs_period_check CHECK (period_end_at > period_start_at)
);
COMMENT ON TABLE bcce_data.infra_costs IS 'infrastructure bills; a report''s window takes its share by overlap in time';
COMMENT ON COLUMN bcce_data.infra_costs.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.infra_costs.category IS 'what was bought, redacted';
COMMENT ON COLUMN bcce_data.infra_costs.amount_usd IS 'amount in US dollars for the whole period; negative for a refund';
COMMENT ON COLUMN bcce_data.infra_costs.period_start_at IS 'start, inclusive';
COMMENT ON COLUMN bcce_data.infra_costs.period_end_at IS 'end, exclusive';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '18_invoices', $bcce_module$
-- What providers billed for model calls, to hold against what was metered.
CREATE TABLE IF NOT EXISTS bcce_data.invoices (
    tenant_id uuid NOT NULL,
    provider text NOT NULL,
    period_start_at timestamptz NOT NULL,
    period_end_at timestamptz NOT NULL,
    amount_usd numeric NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT invoices_pkey PRIMARY KEY (tenant_id, provider, period_start_at, period_end_at),
    CONSTRAINT invoices_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT invoices_amount_usd_check CHECK (amount_usd BETWEEN -1e15 AND 1e15),
    CONSTRAINT invoices_period_check CHECK (period_end_at > period_start_at AND isfinite(period_start_at) AND isfinite(period_end_at))
);
COMMENT ON TABLE bcce_data.invoices IS 'what providers billed for model calls; never part of a cost, only compared with it';
COMMENT ON COLUMN bcce_data.invoices.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.invoices.provider IS 'provider as the calls name it, in small letters, redacted';
COMMENT ON COLUMN bcce_data.invoices.period_start_at IS 'start, inclusive';
COMMENT ON COLUMN bcce_data.invoices.period_end_at IS 'end, exclusive';
COMMENT ON COLUMN bcce_data.invoices.amount_usd IS 'amount in US dollars; negative for a refund';
COMMENT ON COLUMN bcce_data.invoices.recorded_at IS 'when it was recorded last';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '19_export_log', $bcce_module$
-- Who took what out.
CREATE TABLE IF NOT EXISTS bcce_data.export_log (
    tenant_id uuid NOT NULL,
    exported_at timestamptz NOT NULL DEFAULT now(),
    login text NOT NULL,
    report text NOT NULL,
    row_count bigint NOT NULL,
    CONSTRAINT export_log_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT export_log_row_count_check CHECK (row_count >= 0)
);
CREATE INDEX IF NOT EXISTS export_log_tenant_idx ON bcce_data.export_log (tenant_id, exported_at);
COMMENT ON TABLE bcce_data.export_log IS 'one row per export and tenant, where the transaction could write; others are lines of the server log';
COMMENT ON COLUMN bcce_data.export_log.tenant_id IS 'tenant whose rows were exported';
COMMENT ON COLUMN bcce_data.export_log.exported_at IS 'when the transaction of the export began';
COMMENT ON COLUMN bcce_data.export_log.login IS 'login that exported, pseudonymised where it holds personal data';
COMMENT ON COLUMN bcce_data.export_log.report IS 'report';
COMMENT ON COLUMN bcce_data.export_log.row_count IS 'number of rows of the tenant, header not counted';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '19_person_lookups', $bcce_module$
-- Who looked up a person.
CREATE TABLE IF NOT EXISTS bcce_data.person_lookups (
    tenant_id uuid NOT NULL,
    looked_up_at timestamptz NOT NULL DEFAULT now(),
    login text NOT NULL,
    reason text NOT NULL,
    pseudonym text NOT NULL,
    row_count bigint NOT NULL,
    CONSTRAINT person_lookups_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT person_lookups_row_count_check CHECK (row_count >= 0)
);
CREATE INDEX IF NOT EXISTS person_lookups_tenant_idx ON bcce_data.person_lookups (tenant_id, looked_up_at);
COMMENT ON TABLE bcce_data.person_lookups IS 'one row per call of find_person() that was committed; the server log has a line of every one';
COMMENT ON COLUMN bcce_data.person_lookups.tenant_id IS 'tenant in which it was looked';
COMMENT ON COLUMN bcce_data.person_lookups.looked_up_at IS 'when the transaction of the look-up began';
COMMENT ON COLUMN bcce_data.person_lookups.login IS 'login that asked, pseudonymised where it holds personal data';
COMMENT ON COLUMN bcce_data.person_lookups.reason IS 'reason given, redacted';
COMMENT ON COLUMN bcce_data.person_lookups.pseudonym IS 'pseudonym of the person; what was given to find it is not kept';
COMMENT ON COLUMN bcce_data.person_lookups.row_count IS 'number of rows found';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '20_partitions', $bcce_module$
-- Row security of one table, and monthly partitions of the facts.
CREATE OR REPLACE FUNCTION bcce_data.secure_table(target regclass) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    wanted record;
    is_private boolean;
    model CONSTANT regclass := 'bcce_data.tenants';
BEGIN
    SELECT n.nspname = 'bcce_private' INTO is_private
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = target;
    IF EXISTS (SELECT FROM pg_class WHERE oid = target AND NOT (relrowsecurity AND relforcerowsecurity)) THEN
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', target);
    END IF;
    -- The scalar sub-select is evaluated once and drives an index; the array
    -- form only serves those who have several tenants.
    FOR wanted IN
        SELECT * FROM (VALUES
            ('reader', 'PERMISSIVE', 'SELECT', 'bcce_analytics_user, bcce_cost_analyst',
             'tenant_id = (SELECT bcce.current_tenant())', NULL, false),
            ('reader_wall', 'RESTRICTIVE', 'SELECT', 'bcce_analytics_user, bcce_cost_analyst',
             'tenant_id = (SELECT bcce.current_tenant())', NULL, false),
            ('platform', 'PERMISSIVE', 'SELECT', 'bcce_platform',
             'tenant_id = ANY ((SELECT bcce.current_tenants())::uuid[])', NULL, false),
            ('writer', 'PERMISSIVE', 'ALL', 'bcce_owner',
             '(SELECT bcce.bypasses_row_security()) OR tenant_id = ANY ((SELECT bcce.current_tenants())::uuid[])',
             '(SELECT bcce.bypasses_row_security()) OR tenant_id = ANY ((SELECT bcce.current_tenants())::uuid[])', true),
            ('maintainer', 'PERMISSIVE', 'ALL', 'bcce_maintainer', 'true', 'true', true)
        ) AS policy (name, mode, command, roles, using_expression, check_expression, on_private)
    LOOP
        -- A policy equal to that of the tenants, which is made anew each time,
        -- stays: dropping it would lock the table against readers.
        CONTINUE WHEN target <> model AND NOT (is_private AND NOT wanted.on_private) AND EXISTS (
            SELECT FROM pg_policy p JOIN pg_policy m ON m.polrelid = model AND m.polname = p.polname
            WHERE p.polrelid = target AND p.polname = wanted.name
              AND (p.polcmd, p.polpermissive, p.polroles, pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
                  IS NOT DISTINCT FROM
                  (m.polcmd, m.polpermissive, m.polroles, pg_get_expr(m.polqual, m.polrelid), pg_get_expr(m.polwithcheck, m.polrelid)));
        IF EXISTS (SELECT FROM pg_policy WHERE polrelid = target AND polname = wanted.name) THEN
            EXECUTE format('DROP POLICY %I ON %s', wanted.name, target);
        END IF;
        CONTINUE WHEN is_private AND NOT wanted.on_private;
        EXECUTE format('CREATE POLICY %I ON %s AS %s FOR %s TO %s USING (%s)%s',
            wanted.name, target, wanted.mode, wanted.command, wanted.roles, wanted.using_expression,
            CASE WHEN wanted.check_expression IS NULL THEN '' ELSE format(' WITH CHECK (%s)', wanted.check_expression) END);
    END LOOP;
END
$body$;
COMMENT ON FUNCTION bcce_data.secure_table(regclass) IS 'switches row security of a table on and forces it, with the policies that every table of the store has';

-- Bounds are written as text and read back, which the session's DateStyle must
-- not change: 'SQL' writes Kolkata's IST, which is read as Israel's.
CREATE OR REPLACE FUNCTION bcce_data.make_partition(parent regclass, month timestamptz) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, YMD' SET timezone = 'UTC' AS $body$
DECLARE
    month_start timestamptz := date_trunc('month', month, 'UTC');
    month_end timestamptz := date_trunc('month', month_start + interval '32 days', 'UTC');
    parent_name text;
    key_column text;
    partition_name text;
    columns text;
    moved bigint := 0;
BEGIN
    SELECT c.relname, a.attname INTO parent_name, key_column
    FROM pg_class c JOIN pg_partitioned_table p ON p.partrelid = c.oid
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = p.partattrs[0]
    WHERE c.oid = parent;
    partition_name := format('%s_%s', parent_name, to_char(month_start AT TIME ZONE 'UTC', 'YYYY_MM'));
    IF to_regclass('bcce_data.' || quote_ident(partition_name)) IS NOT NULL THEN
        RETURN NULL;
    END IF;

    -- Rows that waited in the default partition move first: a partition cannot
    -- be attached while the default one holds rows that belong to it.  They
    -- were redacted when they came in, and the new table has no trigger yet.
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO columns
    FROM pg_attribute WHERE attrelid = parent AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
    -- Writers wait at the parent: one that had chosen the default partition
    -- already would be refused there once the month has its own.
    EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', parent);
    EXECUTE format('LOCK TABLE bcce_data.%I IN ACCESS EXCLUSIVE MODE', parent_name || '_default');
    EXECUTE format('CREATE TABLE bcce_data.%I (LIKE %s INCLUDING ALL)', partition_name, parent);
    EXECUTE format(
        'WITH moved AS (DELETE FROM bcce_data.%1$I WHERE %2$I >= %3$L AND %2$I < %4$L RETURNING %5$s)
         INSERT INTO bcce_data.%6$I (%5$s) SELECT %5$s FROM moved',
        parent_name || '_default', key_column, month_start, month_end, columns, partition_name);
    GET DIAGNOSTICS moved = ROW_COUNT;
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION bcce_data.%I FOR VALUES FROM (%L) TO (%L)',
        parent, partition_name, month_start, month_end);
    EXECUTE format('COMMENT ON TABLE bcce_data.%I IS %L', partition_name,
        format('%s of %s (UTC)', parent_name, to_char(month_start AT TIME ZONE 'UTC', 'YYYY-MM')));
    PERFORM bcce_data.secure_table(format('bcce_data.%I', partition_name)::regclass);
    EXECUTE format('ALTER TABLE bcce_data.%I OWNER TO bcce_owner', partition_name);
    RETURN moved;
END
$body$;
COMMENT ON FUNCTION bcce_data.make_partition(regclass, timestamptz) IS 'makes the partition of a month (UTC) and moves its rows out of the default partition; returns how many, NULL where it stood already';

CREATE OR REPLACE FUNCTION bcce.maintain() RETURNS TABLE (task text, object text, detail text, ms numeric)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET lock_timeout = '500ms' AS $body$
DECLARE
    parent record;
    month record;
    began timestamptz;
    moved bigint;
    gone bigint;
    more bigint;
BEGIN
    BEGIN
        LOCK TABLE bcce_data.schema_version IN SHARE ROW EXCLUSIVE MODE NOWAIT;
    EXCEPTION WHEN lock_not_available THEN
        task := 'skipped'; object := NULL; detail := 'another maintain() or install() is running'; ms := 0;
        RETURN NEXT;
        RETURN;
    END;

    FOR parent IN
        SELECT c.oid::regclass AS name, c.relname, a.attname AS key_column
        FROM pg_partitioned_table p JOIN pg_class c ON c.oid = p.partrelid
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = p.partattrs[0]
        WHERE c.relnamespace = 'bcce_data'::regnamespace ORDER BY c.relname
    LOOP
        -- The future beyond stays in the default partition, and so does, until
        -- the next run, what goes beyond twenty years of months: times come
        -- from senders, partitions cost every query.
        FOR month IN EXECUTE format(
            'SELECT start_at FROM (
                 SELECT DISTINCT date_trunc(''month'', %1$I, ''UTC'') AS start_at FROM bcce_data.%2$I
                 WHERE %1$I < statement_timestamp() + interval ''3 months''
                 UNION
                 SELECT date_trunc(''month'', statement_timestamp(), ''UTC'') + make_interval(months => n)
                 FROM generate_series(0, 3) AS n) months
             ORDER BY start_at DESC LIMIT 240', parent.key_column, parent.relname || '_default')
        LOOP
            began := clock_timestamp();
            task := 'partition';
            object := format('%s %s', parent.relname, to_char(month.start_at AT TIME ZONE 'UTC', 'YYYY-MM'));
            -- It locks a table that every report reads, and keeps the lock to
            -- the end: waiting long for the next one could end in a deadlock.
            BEGIN
                moved := bcce_data.make_partition(parent.name, month.start_at);
                CONTINUE WHEN moved IS NULL;
                detail := format('made, %s rows moved in', moved);
            EXCEPTION WHEN lock_not_available THEN
                detail := 'in use, left for the next run';
            END;
            ms := round(1000 * extract(epoch FROM clock_timestamp() - began), 1);
            RETURN NEXT;
        END LOOP;
    END LOOP;

    -- What was refused is appended row by row; here it becomes one row a reason.
    began := clock_timestamp();
    WITH folded AS (
        DELETE FROM bcce_data.rejected_input RETURNING *
    )
    INSERT INTO bcce_data.rejected_input (tenant_id, source, reason, example_key, rejected_count, first_seen_at, last_seen_at)
    SELECT tenant_id, source, reason, min(example_key), sum(rejected_count), min(first_seen_at), max(last_seen_at)
    FROM folded GROUP BY tenant_id, source, reason;
    GET DIAGNOSTICS moved = ROW_COUNT;
    task := 'rejected input'; object := 'rejected_input'; detail := format('folded into %s rows', moved);
    ms := round(1000 * extract(epoch FROM clock_timestamp() - began), 1);
    RETURN NEXT;

    -- Of redactions counted apart, only those of one quarter of an hour are added
    -- up, and only where there is more than one row: nothing is lost by it.
    began := clock_timestamp();
    WITH many AS (
        SELECT c.tenant_id, c.source, c.kind, coalesce(c.rule, '') AS rule, c.counted_at
        FROM bcce_data.redaction_counts c GROUP BY 1, 2, 3, 4, 5 HAVING count(*) > 1
    ), folded AS (
        DELETE FROM bcce_data.redaction_counts c USING many m
        WHERE (c.tenant_id, c.source, c.kind, coalesce(c.rule, ''), c.counted_at) = (m.tenant_id, m.source, m.kind, m.rule, m.counted_at)
        RETURNING c.*
    )
    INSERT INTO bcce_data.redaction_counts (tenant_id, source, kind, rule, redaction_count, counted_at)
    SELECT tenant_id, source, kind, rule, sum(redaction_count), counted_at
    FROM folded GROUP BY tenant_id, source, kind, rule, counted_at;
    GET DIAGNOSTICS moved = ROW_COUNT;
    task := 'redaction counts'; object := 'redaction_counts'; detail := format('folded into %s rows', moved);
    ms := round(1000 * extract(epoch FROM clock_timestamp() - began), 1);
    RETURN NEXT;

    -- A renamed role keeps its rights; here its new name is noted for the next
    -- dump, and a role that was missing at a restore is bound.  A dropped one
    -- leaves: after a dump its row would be that of a new role of its name.
    began := clock_timestamp();
    DELETE FROM bcce_private.membership m
    WHERE m.role IS NOT NULL AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = m.role::oid);
    GET DIAGNOSTICS gone = ROW_COUNT;
    UPDATE bcce_private.membership m SET role_name = r.rolname
    FROM pg_roles r
    WHERE (m.role IS NOT NULL AND r.oid = m.role::oid AND r.rolname <> m.role_name)
       OR (m.role IS NULL AND r.rolname = m.role_name);
    GET DIAGNOSTICS moved = ROW_COUNT;
    DELETE FROM bcce_private.token_login t
    WHERE t.role IS NOT NULL AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = t.role::oid);
    GET DIAGNOSTICS more = ROW_COUNT;
    gone := gone + more;
    UPDATE bcce_private.token_login t SET role_name = r.rolname
    FROM pg_roles r
    WHERE (t.role IS NOT NULL AND r.oid = t.role::oid AND r.rolname <> t.role_name)
       OR (t.role IS NULL AND r.rolname = t.role_name);
    GET DIAGNOSTICS more = ROW_COUNT;
    moved := moved + more;
    task := 'memberships'; object := 'membership'; detail := format('%s names refreshed, %s dropped roles removed', moved, gone);
    ms := round(1000 * extract(epoch FROM clock_timestamp() - began), 1);
    RETURN NEXT;

    began := clock_timestamp();
    task := 'budgets'; object := 'budget_alerts';
    BEGIN
        SELECT format('%s new alerts', count(*)) INTO detail FROM bcce.check_budgets();
    EXCEPTION WHEN lock_not_available THEN
        detail := 'in use, left for the next run';
    END;
    ms := round(1000 * extract(epoch FROM clock_timestamp() - began), 1);
    RETURN NEXT;
END
$body$;
COMMENT ON FUNCTION bcce.maintain() IS
'Upkeep: makes the monthly partitions of facts three months ahead and for every month that waits in a default partition, folds bcce.rejected and bcce.redaction_stats, refreshes role names, removes the memberships of dropped roles and checks the budgets. Never waits long for a lock: a table in use is left for the next run. One row per task. Run it daily (pg_cron, cron); nothing breaks when it does not run.';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '30_security', $bcce_module$
-- Row security and the redaction trigger of every table, and what a DROP
-- EXTENSION ... CASCADE may have taken away.
DO $do$
DECLARE
    target regclass;
    pair record;
BEGIN
    -- Parents before partitions, always in one order, so that two runs and
    -- running queries do not lock each other out.
    FOR target IN
        SELECT c.oid::regclass FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('bcce_data', 'bcce_private') AND c.relkind IN ('r', 'p')
          AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped)
        ORDER BY c.oid <> 'bcce_data.tenants'::regclass, c.relispartition, n.nspname, c.relname
    LOOP
        PERFORM bcce_data.secure_table(target);
    END LOOP;
    -- A writer without a tenant is counted under all zeros: an inbox must not raise.
    DROP POLICY IF EXISTS writer_of_nobody ON bcce_data.rejected_input;
    CREATE POLICY writer_of_nobody ON bcce_data.rejected_input FOR INSERT TO bcce_owner
        WITH CHECK (tenant_id = '00000000-0000-0000-0000-000000000000');

    FOR target IN
        SELECT c.oid::regclass FROM pg_class c
        WHERE c.relnamespace = 'bcce_data'::regnamespace AND c.relispartition AND c.relname LIKE '%\_default'
          AND obj_description(c.oid, 'pg_class') IS NULL
    LOOP
        EXECUTE format('COMMENT ON TABLE %s IS %L', target, 'rows whose month has no partition yet; bcce.maintain() moves them');
    END LOOP;

    FOR pair IN
        SELECT * FROM (VALUES
            ('bcce_data.tenants', 'tenant_id'), ('bcce_data.principals', 'principal_id'),
            ('bcce_data.incident_events', 'event_id')) AS defaults (table_name, column_name)
    LOOP
        IF NOT EXISTS (SELECT FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
                       WHERE d.adrelid = pair.table_name::regclass AND a.attname = pair.column_name) THEN
            EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT bcce.uuid_v7()', pair.table_name, pair.column_name);
        END IF;
    END LOOP;

    -- ENABLE ALWAYS: replication apply and session_replication_role = replica
    -- do not get round it.  'key:' names an identifier (replaced whole by a
    -- pseudonym where it holds personal data), 'user:' and 'guest:' a person.
    FOR pair IN
        SELECT * FROM (VALUES
            ('tenants', '{tenant_name,key:external_id,org_id,region,residency}'::text[]),
            ('teams', '{key:team_id,team_name}'),
            ('principals', '{user:user_key,key:team_id,role}'),
            ('value_aliases', '{alias}'),
            ('unit_prices', '{key:item}'),
            ('model_prices', '{key:model_id,source}'),
            ('model_price_factors', '{key:model_id,source}'),
            ('model_aliases', '{key:alias,key:model_id,note}'),
            ('health_thresholds', '{key:service_id}'),
            ('rejected_input', '{source,reason,key:example_key}'),
            ('services', '{key:service_id,service_name,key:team_id,criticality}'),
            ('maintenance_windows', '{key:service_id}'),
            ('slos', '{key:service_id}'),
            ('workflows', '{key:workflow_id,name,key:service_id,criticality}'),
            ('workflow_run_keys', '{key:run_id}'),
            ('workflow_runs', '{key:run_id,key:workflow_id,key:service_id,user:user_key,error_class,error_message,environment,region,risk_level,identity_provider,key:retry_of,key:source_account,source,classification}'),
            ('performance_metrics', '{source,key:idempotency_key,key:service_id}'),
            ('incidents', '{key:incident_id,key:service_id,priority,incident_type,title,key:merged_into,affected_resources,key:caused_by_run,source}'),
            ('incident_events', '{key:incident_id,kind,response_action,user:actor_key}'),
            ('incident_impacts', '{key:incident_id}'),
            ('models', '{key:model_name,key:model_version}'),
            ('prediction_keys', '{key:prediction_id}'),
            ('predictions', '{key:prediction_id,key:model_name,key:model_version,key:target_id,key:features_hash,source}'),
            ('model_usage', '{source,key:idempotency_key,key:model_id,provider,region,user:user_key,key:session_id,key:run_id,key:request_id,key:project,key:team_id,query_source,agent_name,speed,inference_geo,service_tier}'),
            ('model_usage_keys', '{key:request_key,key:call_key,source}'),
            ('model_usage_counters', '{series_key,metric,key:model_id,user:user_key,key:session_id}'),
            ('events', '{source,key:idempotency_key,event_type,guest:guest_key,guest_type,user:user_key,key:session_id,key:service_id,ip_prefix,user_agent_family,properties}'),
            ('infra_costs', '{category}'),
            ('budgets', '{key:budget,key:team_id,user:user_key,key:project,key:model_id,key:workflow_id}'),
            ('budget_alerts', '{key:budget}'),
            ('invoices', '{provider}'),
            ('export_log', '{key:login,report}'),
            ('person_lookups', '{key:login,reason,key:pseudonym}')
        ) AS guarded (table_name, columns)
    LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER redact BEFORE INSERT OR UPDATE ON bcce_data.%I FOR EACH ROW EXECUTE FUNCTION bcce.redact_columns(%s)',
            pair.table_name, (SELECT string_agg(quote_literal(c), ', ') FROM unnest(pair.columns) AS c));
        EXECUTE format('ALTER TABLE bcce_data.%I ENABLE ALWAYS TRIGGER redact', pair.table_name);
    END LOOP;

    -- A rule is checked in full wherever it comes from: it works on all that follows.
    CREATE OR REPLACE TRIGGER check_rule BEFORE INSERT OR UPDATE ON bcce_data.redaction_rules
        FOR EACH ROW EXECUTE FUNCTION bcce.check_redaction_rule();
    ALTER TABLE bcce_data.redaction_rules ENABLE ALWAYS TRIGGER check_rule;

    -- A later row that says nothing new writes nothing: retries and overlapping
    -- loads leave no dead rows.  Runs after redact, in the order of names.
    FOREACH target IN ARRAY ARRAY['bcce_data.workflow_runs', 'bcce_data.incidents', 'bcce_data.predictions']::regclass[] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER suppress_redundant_update BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()', target);
    END LOOP;

    -- A change of rows alone tells no other session; this does.
    FOREACH target IN ARRAY ARRAY['bcce_private.membership', 'bcce_private.tenant_key', 'bcce_private.token_login', 'bcce_private.context_key',
                                  'bcce_data.default_unit_prices', 'bcce_data.unit_prices',
                                  'bcce_data.redaction_rules', 'bcce_data.redaction_styles',
                                  'bcce_data.default_model_prices', 'bcce_data.model_prices',
                                  'bcce_data.default_model_price_factors', 'bcce_data.model_price_factors',
                                  'bcce_data.default_model_aliases', 'bcce_data.model_aliases']::regclass[]
    LOOP
        -- For each row, since logical replication fires no statement triggers.
        EXECUTE format('CREATE OR REPLACE TRIGGER invalidate_cache AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION bcce.invalidate_cache()', target);
        EXECUTE format('CREATE OR REPLACE TRIGGER invalidate_cache_truncate AFTER TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION bcce.invalidate_cache()', target);
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER invalidate_cache, ENABLE ALWAYS TRIGGER invalidate_cache_truncate', target);
    END LOOP;
END
$do$;

-- Partitions for now and the next three months.
SELECT bcce_data.make_partition(c.oid::regclass, statement_timestamp() + make_interval(months => n))
FROM pg_partitioned_table p JOIN pg_class c ON c.oid = p.partrelid
CROSS JOIN generate_series(0, 3) AS n
WHERE c.relnamespace = 'bcce_data'::regnamespace;
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '40_tenancy', $bcce_module$
-- Making tenants and logins, and finding out who one is.
CREATE OR REPLACE FUNCTION bcce.create_tenant(
    slug text, name text, external_id text DEFAULT NULL, timezone text DEFAULT 'UTC') RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    made uuid := bcce.uuid_v7();
BEGIN
    IF slug IS NULL OR slug !~ '^[a-z0-9][a-z0-9-]{0,62}$' THEN
        PERFORM bcce.raise_error('22023', 'a tenant''s slug is 1 to 63 of a-z, 0-9 and -, not beginning with -', NULL,
            'Take a short name that writers can put in a column, such as acme.');
    END IF;
    IF name IS NULL OR length(bcce.redact(name)) NOT BETWEEN 1 AND 200 OR length(name) > 200 THEN
        PERFORM bcce.raise_error('22023', 'a tenant''s name has 1 to 200 characters', NULL,
            'Give the name that reports are to show.');
    END IF;
    IF length(external_id) NOT BETWEEN 1 AND 200 OR bcce.contains_pii(external_id) THEN
        PERFORM bcce.raise_error('22023', 'an external id has 1 to 200 characters and no personal data', NULL,
            'Give the id under which your systems know the tenant, not a person''s address; leave it out where there is none.');
    END IF;
    IF timezone IS NULL OR NOT EXISTS (SELECT FROM pg_timezone_names z WHERE z.name = create_tenant.timezone) THEN
        PERFORM bcce.raise_error('22023', 'unknown time zone', NULL,
            'Give an IANA name, such as Europe/Berlin; pg_timezone_names lists them.');
    END IF;
    IF EXISTS (SELECT FROM bcce_data.tenants t
               WHERE t.slug = create_tenant.slug OR t.external_id = create_tenant.external_id) THEN
        PERFORM bcce.raise_error('23505', 'a tenant with this slug or external id exists', NULL,
            'Choose another slug; a deleted tenant keeps its own.');
    END IF;
    INSERT INTO bcce_data.tenants (tenant_id, tenant_name, slug, external_id, timezone)
    VALUES (made, name, slug, external_id, timezone);
    -- Three random uuids carry 366 random bits; the key has 256.
    INSERT INTO bcce_private.tenant_key (tenant_id, key)
    VALUES (made, sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));
    RETURN made;
END
$body$;
COMMENT ON FUNCTION bcce.create_tenant(text, text, text, text) IS
'Makes a tenant and its random key; returns its id. slug: short name for writers and logins. timezone: IANA name in which its days are cut. Errors: 22023 bad slug, name, external id or zone, 23505 slug or external id taken.';

CREATE OR REPLACE FUNCTION bcce.add_membership(
    role regrole, tenant_slug text, is_default boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    found_tenant uuid;
    found_role record;
BEGIN
    SELECT t.tenant_id INTO found_tenant FROM bcce_data.tenants t
    WHERE t.slug = tenant_slug AND t.deleted_at IS NULL;
    IF found_tenant IS NULL THEN
        PERFORM bcce.raise_error('P0002', 'tenant not found', NULL, 'Make it with bcce.create_tenant().');
    END IF;
    SELECT oid, rolname, rolsuper OR rolbypassrls AS bypasses INTO found_role FROM pg_roles WHERE oid = role::oid;
    IF found_role.rolname IS NULL THEN
        PERFORM bcce.raise_error('42704', 'role not found', NULL, 'Make it with bcce.create_login().');
    END IF;
    IF found_role.bypasses THEN
        PERFORM bcce.raise_error('0LP01', 'a role that bypasses row security sees every tenant; it needs no membership', NULL,
            'Give people and tools a login of their own: bcce.create_login().');
    END IF;
    IF EXISTS (SELECT FROM bcce_private.token_login t WHERE t.role = found_role.oid) THEN
        PERFORM bcce.raise_error('55000', 'the role takes its tenants from tokens', NULL,
            'Give the tenant a login of its own, or call bcce.set_membership_mode(role, ''direct'') first.');
    END IF;
    INSERT INTO bcce_private.membership AS m (role_name, tenant_id, is_default)
    VALUES (found_role.rolname, found_tenant, add_membership.is_default)
    ON CONFLICT ON CONSTRAINT membership_pkey DO UPDATE
    SET role_name = excluded.role_name, is_default = excluded.is_default,
        valid_from = '-infinity', valid_until = 'infinity';
END
$body$;
COMMENT ON FUNCTION bcce.add_membership(regrole, text, boolean) IS
'Lets a role read or write for a tenant, by what its groups allow. is_default: the tenant that counts where a role has several. Errors: P0002 tenant not found, 42704 role not found, 0LP01 the role bypasses row security, 55000 it presents tokens.';

CREATE OR REPLACE FUNCTION bcce.remove_membership(role regrole, tenant_slug text) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    DELETE FROM bcce_private.membership m USING bcce_data.tenants t
    WHERE t.tenant_id = m.tenant_id AND t.slug = tenant_slug AND m.role = remove_membership.role;
    RETURN FOUND;
END
$body$;
COMMENT ON FUNCTION bcce.remove_membership(regrole, text) IS
'Takes a tenant from a role, at once and in every session; returns whether there was anything to take.';

-- Runs with the caller's rights: making roles is the caller's to do.
CREATE OR REPLACE FUNCTION bcce.create_login(name text, tenant_slug text, kind text DEFAULT 'user') RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    groups CONSTANT jsonb := '{"user": "bcce_analytics_user", "cost": "bcce_cost_analyst", "admin": "bcce_analytics_admin",
                               "ingest": "bcce_ingest", "platform": "bcce_platform", "token": "bcce_analytics_user"}';
BEGIN
    IF kind IS NULL OR NOT groups ? kind THEN
        PERFORM bcce.raise_error('22023', 'unknown kind of login', NULL,
            'Known kinds: user, cost, admin, ingest, platform, token.');
    END IF;
    IF (kind = 'token') <> (tenant_slug IS NULL) THEN
        PERFORM bcce.raise_error('22023', 'a login belongs to a tenant, unless it presents tokens', NULL,
            'Give a tenant; a login that many share is made by bcce.create_login(name, NULL, ''token'').');
    END IF;
    IF name IS NULL OR name = '' OR octet_length(name) > 63 OR name LIKE 'pg\_%' THEN
        PERFORM bcce.raise_error('42602', 'a login needs a name of 1 to 63 bytes that does not begin with pg_', NULL, NULL);
    END IF;
    IF EXISTS (SELECT FROM pg_roles r WHERE r.rolname = create_login.name) THEN
        PERFORM bcce.raise_error('42710', 'a role of this name exists', NULL,
            'Choose another name, or bind the role you have: GRANT a bcce group to it and call bcce.add_membership().');
    END IF;
    IF NOT (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user) THEN
        PERFORM bcce.raise_error('42501', 'only a superuser or a role with CREATEROLE can make logins', NULL,
            'Ask a DBA, or connect as one.');
    END IF;
    EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS INHERIT IN ROLE %I',
        name, groups ->> kind);
    IF kind = 'token' THEN
        EXECUTE format('GRANT bcce_token TO %I', name);
    END IF;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), name);
    EXECUTE format('ALTER ROLE %I SET search_path = bcce, pg_catalog', name);
    -- Compiling a report's plan takes longer than running it.
    EXECUTE format('ALTER ROLE %I SET jit = off', name);
    EXECUTE format('ALTER ROLE %I SET idle_in_transaction_session_timeout = ''5min''', name);
    IF kind <> 'ingest' THEN
        EXECUTE format('ALTER ROLE %I SET statement_timeout = ''60s''', name);
    END IF;
    IF kind IN ('user', 'cost', 'platform', 'token') THEN
        EXECUTE format('ALTER ROLE %I SET default_transaction_read_only = on', name);
    END IF;
    IF kind = 'token' THEN
        PERFORM bcce.set_membership_mode(format('%I', name)::regrole, 'token');
    ELSE
        PERFORM bcce.add_membership(format('%I', name)::regrole, tenant_slug);
    END IF;
END
$body$;
COMMENT ON FUNCTION bcce.create_login(text, text, text) IS
'Makes a login for one tenant with just the rights of its kind: user (reads reports), cost (cost reports only), admin (reads and configures), ingest (writes, reads nothing), platform (reads several tenants; add them with add_membership()), token (a login that many share; it has no tenant, so give NULL, and reads those of the token that it presents to set_context() in each transaction). It has no password yet: set one with \password in psql, so that it appears in no log. Errors: 22023 unknown kind, or a tenant missing or given for nothing, 42602 bad name, 42710 name taken, 42501 not allowed, P0002 tenant not found.';

-- Other columns need another function.
DO $do$
BEGIN
    IF EXISTS (SELECT FROM pg_proc p WHERE p.oid = to_regprocedure('bcce.whoami()')
               AND p.proargnames IS DISTINCT FROM '{login,acting_as,groups,tenants,current_tenant,bypasses_row_security,explanation,runs,incidents,metrics,predictions,model_calls,events}'::text[]) THEN
        DROP FUNCTION bcce.whoami();
    END IF;
END
$do$;
CREATE OR REPLACE FUNCTION bcce.whoami(
    OUT login text, OUT acting_as text, OUT groups text, OUT tenants text, OUT current_tenant text,
    OUT bypasses_row_security boolean, OUT explanation text,
    OUT runs bigint, OUT incidents bigint, OUT metrics bigint, OUT predictions bigint, OUT model_calls bigint, OUT events bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    outer_role name := CASE current_setting('role') WHEN 'none' THEN session_user ELSE current_setting('role') END;
    -- Enough to know that there is something, and no long wait where there is much.
    most CONSTANT bigint := 1000000;
    is_reader boolean;
    is_cost_analyst boolean;
    is_platform boolean;
    seen uuid[];
BEGIN
    login := session_user;
    acting_as := outer_role;
    bypasses_row_security := bcce.bypasses_row_security();
    SELECT string_agg(r.rolname, ', ' ORDER BY r.rolname),
           coalesce(bool_or(r.rolname = 'bcce_analytics_user'), false),
           coalesce(bool_or(r.rolname = 'bcce_cost_analyst'), false),
           coalesce(bool_or(r.rolname = 'bcce_platform'), false)
    INTO groups, is_reader, is_cost_analyst, is_platform FROM pg_roles r
    WHERE r.rolname IN ('bcce_analytics_user', 'bcce_cost_analyst', 'bcce_analytics_admin', 'bcce_ingest', 'bcce_platform', 'bcce_token')
      AND pg_has_role(outer_role, r.oid, 'USAGE');
    SELECT string_agg(t.slug, ', ' ORDER BY t.slug),
           max(t.slug) FILTER (WHERE t.tenant_id = bcce.current_tenant())
    INTO tenants, current_tenant
    FROM bcce_data.tenants t
    WHERE t.tenant_id = ANY (bcce.current_tenants()) AND t.deleted_at IS NULL;

    -- What the policies and the rights on reports show: the groups of one
    -- tenant's readers restrict what bcce_platform permits.
    IF bypasses_row_security OR is_reader OR is_cost_analyst OR is_platform THEN
        SELECT coalesce(array_agg(t.tenant_id), '{}') INTO seen FROM bcce_data.tenants t
        WHERE t.deleted_at IS NULL
          AND CASE WHEN bypasses_row_security THEN true
                   WHEN is_reader OR is_cost_analyst THEN t.tenant_id = bcce.current_tenant()
                   ELSE t.tenant_id = ANY (bcce.current_tenants()) END;
        SELECT count(*) INTO runs FROM (
            SELECT FROM bcce_data.workflow_runs f WHERE f.tenant_id = ANY (seen) AND NOT f.is_test LIMIT most) AS counted;
        SELECT count(*) INTO metrics FROM (
            SELECT FROM bcce_data.performance_metrics f WHERE f.tenant_id = ANY (seen) AND NOT f.is_test LIMIT most) AS counted;
        SELECT count(*) INTO predictions FROM (
            SELECT FROM bcce_data.predictions f WHERE f.tenant_id = ANY (seen) AND NOT f.is_test LIMIT most) AS counted;
        SELECT count(*) INTO model_calls FROM (
            SELECT FROM bcce_data.model_usage f WHERE f.tenant_id = ANY (seen) AND NOT f.is_test LIMIT most) AS counted;
        -- No report on cost tells these.
        IF bypasses_row_security OR is_reader OR is_platform THEN
            SELECT count(*) INTO incidents FROM (
                SELECT FROM bcce_data.incidents f WHERE f.tenant_id = ANY (seen) AND NOT f.is_test LIMIT most) AS counted;
            SELECT count(*) INTO events FROM (
                SELECT FROM bcce_data.events f WHERE f.tenant_id = ANY (seen) AND NOT f.is_test LIMIT most) AS counted;
        END IF;
    END IF;

    explanation := CASE
        WHEN bypasses_row_security THEN
            'You bypass row security: reports show every tenant.'
        WHEN groups IS NULL THEN
            'You are in none of the groups of bcce, so you may not read or write: ask for GRANT bcce_analytics_user or for a login by bcce.create_login().'
        WHEN tenants IS NULL AND bcce.membership_mode() = 'token' THEN
            'You share this login, and this transaction has no valid token, so every report is empty: BEGIN, SELECT bcce.set_context(token), read, COMMIT.'
        WHEN tenants IS NULL AND groups = 'bcce_ingest' THEN
            'You belong to no tenant, so all that you write is refused: ask for bcce.add_membership().'
        WHEN tenants IS NULL THEN
            'You belong to no tenant, so every report is empty: ask for bcce.add_membership().'
        WHEN groups = 'bcce_ingest' THEN
            format('You write for %s and read nothing.', tenants)
        WHEN is_platform AND NOT is_reader AND NOT is_cost_analyst THEN
            format('Reports show the tenants %s.', tenants)
        WHEN current_tenant IS NULL AND bcce.membership_mode() = 'token' THEN
            'None of the tenants of your token is chosen, so every report is empty: SELECT bcce.use_tenant(name).'
        WHEN current_tenant IS NULL THEN
            'None of your tenants is chosen and none is the default, so every report is empty: SELECT bcce.use_tenant(name), or ask for bcce.add_membership(..., is_default => true), or for the group bcce_platform instead of your own.'
        WHEN NOT is_reader AND NOT is_platform THEN
            format('The cost reports show the tenant %s; you may read no others.', current_tenant)
        ELSE format('Reports show the tenant %s.', current_tenant)
    END || CASE
        WHEN seen = '{}' AND bypasses_row_security THEN
            ' There is no tenant yet: make one with bcce.create_tenant().'
        WHEN seen <> '{}' AND runs + metrics + predictions + model_calls + coalesce(incidents, 0) + coalesce(events, 0) = 0 THEN
            ' There are no data yet: a login of the kind ingest sends them, with bcce.record_workflow_run() and its like, or with INSERT and COPY into bcce.inbox_workflow_runs and the other inboxes.'
        ELSE ''
    END;
END
$body$;
COMMENT ON FUNCTION bcce.whoami() IS
'Who you are here: login, role you act as (SET ROLE), groups of bcce, tenants, and in one sentence what reports show you or why they are empty; then the number of rows that your reports are made from: runs, incidents, metrics (samples), predictions, model_calls, events. Test rows are not counted, counting stops at 1,000,000 (that many or more), and NULL means that you may read no report on them.';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '41_configuration', $bcce_module$
-- Prices and words, set by whoever may.
CREATE OR REPLACE FUNCTION bcce_data.resolve_tenant(tenant text) RETURNS uuid
LANGUAGE plpgsql STABLE AS $body$
DECLARE
    found_tenant uuid;
BEGIN
    IF tenant IS NULL OR tenant = '' THEN
        SELECT t.tenant_id INTO found_tenant FROM bcce_data.tenants t
        WHERE t.tenant_id = bcce.current_tenant() AND t.deleted_at IS NULL;
        RETURN found_tenant;
    END IF;
    -- Row security leaves the tenants that the caller may write for.
    SELECT t.tenant_id INTO found_tenant
    FROM bcce_data.tenants t
    WHERE (t.slug = tenant OR t.external_id = tenant OR t.tenant_id = bcce.try_uuid(tenant))
      AND t.deleted_at IS NULL
    ORDER BY t.tenant_id = bcce.try_uuid(tenant) DESC NULLS LAST, t.slug = tenant DESC
    LIMIT 1;
    RETURN found_tenant;
END
$body$;
COMMENT ON FUNCTION bcce_data.resolve_tenant(text) IS 'tenant by uuid, slug or external id among those that the caller may write for; NULL in: the caller''s own';

CREATE OR REPLACE FUNCTION bcce_data.refuse(reason text) RETURNS void
LANGUAGE plpgsql STABLE AS $body$
DECLARE
    said record;
BEGIN
    SELECT r.sqlstate, r.message, r.hint INTO said FROM bcce_data.rejection_reasons r WHERE r.reason = refuse.reason;
    PERFORM bcce.raise_error(said.sqlstate, said.message, NULL, said.hint);
END
$body$;
COMMENT ON FUNCTION bcce_data.refuse(text) IS 'raises the error of a reason, without any text of the caller';

CREATE OR REPLACE FUNCTION bcce.set_price(
    item text, price_usd numeric, valid_from timestamptz DEFAULT now(), tenant text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    target uuid;
    next_start timestamptz;
BEGIN
    IF item IS NULL OR item !~ '^[a-z][a-z0-9_.-]{0,62}$' THEN
        PERFORM bcce.raise_error('22023', 'an item is 1 to 63 of a-z, 0-9, _, . and -, beginning with a letter', NULL,
            'Items that are charged by themselves: workflow_run, metric, prediction.');
    END IF;
    IF price_usd IS NULL OR NOT (price_usd >= 0 AND price_usd <= 1e15) THEN
        PERFORM bcce.raise_error('22003', 'a price is a number from 0 to 1e15', NULL, NULL);
    END IF;
    IF valid_from IS NULL OR NOT isfinite(valid_from) THEN
        PERFORM bcce.raise_error('22004', 'a price needs the time from which it holds', NULL, NULL);
    END IF;

    IF tenant IS NULL AND bcce.bypasses_row_security() THEN
        PERFORM FROM bcce_data.schema_version FOR NO KEY UPDATE;
        SELECT min(lower(p.valid)) INTO next_start FROM bcce_data.default_unit_prices p
        WHERE p.item = set_price.item AND lower(p.valid) > valid_from;
        DELETE FROM bcce_data.default_unit_prices p
        WHERE p.item = set_price.item AND lower(p.valid) = valid_from;
        UPDATE bcce_data.default_unit_prices p SET valid = tstzrange(lower(p.valid), valid_from)
        WHERE p.item = set_price.item AND p.valid @> valid_from;
        INSERT INTO bcce_data.default_unit_prices (item, valid, price_usd)
        VALUES (item, tstzrange(valid_from, next_start), price_usd);
        RETURN;
    END IF;

    target := bcce_data.resolve_tenant(tenant);
    IF target IS NULL THEN
        PERFORM bcce_data.refuse('unknown_tenant');
    END IF;
    PERFORM FROM bcce_data.tenants t WHERE t.tenant_id = target FOR NO KEY UPDATE;
    SELECT min(lower(p.valid)) INTO next_start FROM bcce_data.unit_prices p
    WHERE p.tenant_id = target AND p.item = set_price.item AND lower(p.valid) > valid_from;
    DELETE FROM bcce_data.unit_prices p
    WHERE p.tenant_id = target AND p.item = set_price.item AND lower(p.valid) = valid_from;
    UPDATE bcce_data.unit_prices p SET valid = tstzrange(lower(p.valid), valid_from)
    WHERE p.tenant_id = target AND p.item = set_price.item AND p.valid @> valid_from;
    INSERT INTO bcce_data.unit_prices (tenant_id, item, valid, price_usd)
    VALUES (target, item, tstzrange(valid_from, next_start), price_usd);
END
$body$;
COMMENT ON FUNCTION bcce.set_price(text, numeric, timestamptz, text) IS
'Sets the price of one unit in US dollars from an instant on, until the next price that is already known; the earlier price ends there. tenant: slug, external id or uuid; NULL: your own, and for a superuser the default of everybody. What was charged before does not change. Errors: 22023 bad item, 22003 bad price, P0002 tenant not found.';

CREATE OR REPLACE FUNCTION bcce.add_value_alias(domain text, alias text, value text, tenant text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    target uuid := bcce_data.resolve_tenant(tenant);
BEGIN
    IF target IS NULL THEN
        PERFORM bcce_data.refuse('unknown_tenant');
    END IF;
    IF alias IS NULL OR length(btrim(alias)) NOT BETWEEN 1 AND 100 THEN
        PERFORM bcce.raise_error('22023', 'a word has 1 to 100 characters', NULL, NULL);
    END IF;
    -- Redacted it would be another word, and the server would log this one.
    IF bcce.contains_pii(alias, target) THEN
        PERFORM bcce.raise_error('22023', 'a word of a sender holds personal data', NULL,
            'Teach words such as passed or sev-1, not text.');
    END IF;
    IF NOT EXISTS (SELECT FROM bcce_data.default_value_aliases d
                   WHERE d.domain = add_value_alias.domain AND d.value = add_value_alias.value) THEN
        PERFORM bcce.raise_error('22023', 'unknown domain, or a word that the reports do not know', NULL,
            'run_status: running, succeeded, failed, timed_out, cancelled, skipped; severity: sev1, sev2, sev3, sev4; incident_status: open, acknowledged, mitigated, resolved, closed.');
    END IF;
    INSERT INTO bcce_data.value_aliases (tenant_id, domain, alias, value)
    VALUES (target, domain, lower(btrim(alias)), value)
    ON CONFLICT ON CONSTRAINT value_aliases_pkey DO UPDATE SET value = excluded.value;
END
$body$;
COMMENT ON FUNCTION bcce.add_value_alias(text, text, text, text) IS
'Teaches the inboxes a word of a sender: domain run_status, severity or incident_status; value is one of the reports'' words. For one tenant. Errors: 22023 unknown domain or value, P0002 tenant not found.';

CREATE OR REPLACE FUNCTION bcce.set_slo(target_percent numeric, service_id text DEFAULT '*', tenant text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    target uuid := bcce_data.resolve_tenant(tenant);
BEGIN
    IF target IS NULL THEN
        PERFORM bcce_data.refuse('unknown_tenant');
    END IF;
    IF service_id IS NULL OR length(service_id) NOT BETWEEN 1 AND 256 THEN
        PERFORM bcce.raise_error('22023', 'a service''s id has 1 to 256 characters', NULL, 'Give the id of a service, or * for those without a target of their own.');
    END IF;
    IF target_percent <= 0 OR target_percent > 100 OR target_percent = 'NaN' THEN
        PERFORM bcce.raise_error('22003', 'a target lies above 0 and up to 100 percent', NULL, 'Give 99.9 for 99.9 percent, NULL to remove the target.');
    END IF;
    IF target_percent IS NULL THEN
        DELETE FROM bcce_data.slos s WHERE s.tenant_id = target AND s.service_id = set_slo.service_id;
        RETURN;
    END IF;
    INSERT INTO bcce_data.slos (tenant_id, service_id, target_percent) VALUES (target, set_slo.service_id, set_slo.target_percent)
    ON CONFLICT ON CONSTRAINT slos_pkey DO UPDATE SET target_percent = excluded.target_percent;
END
$body$;
COMMENT ON FUNCTION bcce.set_slo(numeric, text, text) IS
'Sets what share of its requests, in percent, a service is to answer without error over 30 days; the rest is its error budget (slo_burn_rate, service_health_dashboard). service_id *: all services of the tenant without a target of their own. NULL removes the target. For one tenant. Errors: 22003 target out of range, 22023 bad service id, P0002 tenant not found.';

CREATE OR REPLACE FUNCTION bcce.set_redaction_rule(
    rule text, literal text, character_class text DEFAULT NULL, min_length integer DEFAULT NULL, max_length integer DEFAULT NULL,
    pattern text DEFAULT NULL, context_words text[] DEFAULT NULL, style text DEFAULT NULL, ignore_case boolean DEFAULT false,
    enabled boolean DEFAULT true, tenant text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    target uuid := bcce_data.resolve_tenant(tenant);
    most CONSTANT integer := 200;
BEGIN
    IF target IS NULL THEN
        PERFORM bcce_data.refuse('unknown_tenant');
    END IF;
    PERFORM FROM bcce_data.tenants t WHERE t.tenant_id = target FOR NO KEY UPDATE;
    IF (SELECT count(*) FROM bcce_data.redaction_rules r WHERE r.tenant_id = target AND r.rule IS DISTINCT FROM set_redaction_rule.rule) >= most THEN
        PERFORM bcce.raise_error('54000', format('a tenant has at most %s redaction rules', most), NULL,
            'Drop one with bcce.drop_redaction_rule(), or join several in an expression.');
    END IF;
    INSERT INTO bcce_data.redaction_rules AS r (tenant_id, rule, kind, literal, ignore_case, character_class, min_length, max_length,
                                                pattern, context_words, style, enabled)
    VALUES (target, rule, CASE WHEN pattern IS NOT NULL THEN 'regex'
                               WHEN num_nonnulls(character_class, min_length, max_length) > 0 THEN 'prefix' ELSE 'literal' END,
            literal, coalesce(ignore_case, false), character_class, min_length, max_length,
            pattern, nullif(context_words, '{}'), style, coalesce(enabled, true))
    ON CONFLICT ON CONSTRAINT redaction_rules_pkey DO UPDATE
    SET kind = excluded.kind, literal = excluded.literal, ignore_case = excluded.ignore_case, character_class = excluded.character_class,
        min_length = excluded.min_length, max_length = excluded.max_length, pattern = excluded.pattern,
        context_words = excluded.context_words, style = excluded.style, enabled = excluded.enabled;
END
$body$;
COMMENT ON FUNCTION bcce.set_redaction_rule(text, text, text, integer, integer, text, text[], text, boolean, boolean, text) IS
'Has a text of a tenant redacted besides the built-in kinds, from now on and in whatever it writes; what is stored already stays. rule: a name, which in upper case is the tag. literal alone: that text, where it stands as a word. With character_class (digits, hex, letters, alnum, token) and min_length, max_length: the literal as a prefix and so many characters behind it. With pattern: what this expression matches around the literal, which every match must contain, within 256 bytes on each side. context_words: one of them must stand in the 48 bytes before, or in the key. style: tag, mask, numbered, drop, hash; NULL: as the tenant''s other findings. Setting a rule again replaces it. At most 200 rules a tenant. Errors: 22023 and 2201B bad rule, with the reason and never with its text; 54000 too many; P0002 tenant not found.';

CREATE OR REPLACE FUNCTION bcce.drop_redaction_rule(rule text, tenant text DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    target uuid := bcce_data.resolve_tenant(tenant);
BEGIN
    IF target IS NULL THEN
        PERFORM bcce_data.refuse('unknown_tenant');
    END IF;
    DELETE FROM bcce_data.redaction_rules r WHERE r.tenant_id = target AND r.rule = drop_redaction_rule.rule;
    RETURN FOUND;
END
$body$;
COMMENT ON FUNCTION bcce.drop_redaction_rule(text, text) IS
'Takes a redaction rule away; returns whether there was one of this name. Error P0002: tenant not found.';

CREATE OR REPLACE FUNCTION bcce.set_redaction_style(style text, tenant text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    target uuid := bcce_data.resolve_tenant(tenant);
BEGIN
    IF target IS NULL THEN
        PERFORM bcce_data.refuse('unknown_tenant');
    END IF;
    IF style NOT IN ('tag', 'mask', 'numbered', 'drop', 'hash') THEN
        PERFORM bcce.raise_error('22023', 'unknown style of redaction', NULL, 'Known styles: tag, mask, numbered, drop, hash.');
    END IF;
    IF coalesce(style, 'tag') = 'tag' THEN
        DELETE FROM bcce_data.redaction_styles s WHERE s.tenant_id = target;
        RETURN;
    END IF;
    INSERT INTO bcce_data.redaction_styles (tenant_id, style) VALUES (target, set_redaction_style.style)
    ON CONFLICT ON CONSTRAINT redaction_styles_pkey DO UPDATE SET style = excluded.style;
END
$body$;
COMMENT ON FUNCTION bcce.set_redaction_style(text, text) IS
'Sets how what is found in a tenant''s writings is replaced from now on: tag (NULL, the default), mask, numbered, drop or hash; a rule with a style of its own keeps it. What is stored already stays. Errors: 22023 unknown style, P0002 tenant not found.';

CREATE OR REPLACE FUNCTION bcce_data.known_word(tenant uuid, kind text, word text) RETURNS text
LANGUAGE plpgsql STABLE AS $body$
DECLARE
    plain text := lower(btrim(word));
    known text;
BEGIN
    SELECT a.value INTO known FROM bcce_data.value_aliases a
    WHERE a.tenant_id = tenant AND a.domain = kind AND a.alias = plain;
    IF NOT FOUND THEN
        SELECT d.value INTO known FROM bcce_data.default_value_aliases d
        WHERE d.domain = kind AND d.alias = plain;
    END IF;
    RETURN known;
END
$body$;
COMMENT ON FUNCTION bcce_data.known_word(uuid, text, text) IS 'the reports'' word for a sender''s word, NULL where nobody knows it';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '42_budgets', $bcce_module$
-- Budgets, set by whoever may.
CREATE OR REPLACE FUNCTION bcce.set_budget(
    budget text, amount_usd numeric, period text DEFAULT 'month',
    team text DEFAULT NULL, user_key text DEFAULT NULL, project text DEFAULT NULL, model text DEFAULT NULL, workflow text DEFAULT NULL,
    timezone text DEFAULT NULL, thresholds numeric[] DEFAULT '{50,80,90,100}', mode text DEFAULT 'alert', unpriced text DEFAULT 'ignore',
    valid_from timestamptz DEFAULT NULL, valid_until timestamptz DEFAULT NULL, tenant text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    target uuid := bcce_data.resolve_tenant(tenant);
    zone text;
BEGIN
    IF target IS NULL THEN
        PERFORM bcce_data.refuse('unknown_tenant');
    END IF;
    IF budget IS NULL OR budget !~ '^[a-z0-9][a-z0-9_.-]{0,62}$' THEN
        PERFORM bcce.raise_error('22023', 'a budget''s name is 1 to 63 of a-z, 0-9, _, . and -, beginning with a letter or digit', NULL, NULL);
    END IF;
    IF amount_usd IS NULL THEN
        DELETE FROM bcce_data.budgets b WHERE b.tenant_id = target AND b.budget = set_budget.budget;
        RETURN;
    END IF;
    IF NOT (amount_usd > 0 AND amount_usd <= 1e15) THEN
        PERFORM bcce.raise_error('22003', 'a budget is an amount above 0 and up to 1e15', NULL, 'Give NULL to remove the budget.');
    END IF;
    IF period IS NULL OR period NOT IN ('day', 'week', 'month', 'quarter', 'custom') THEN
        PERFORM bcce.raise_error('22023', 'unknown period', NULL, 'Known: day, week, month, quarter, and custom with valid_from and valid_until.');
    END IF;
    IF NOT (isfinite(coalesce(valid_from, now())) AND isfinite(coalesce(valid_until, now()))) OR valid_from >= valid_until
        OR period = 'custom' AND (valid_from IS NULL OR valid_until IS NULL) THEN
        PERFORM bcce.raise_error('22008', 'a budget holds from an instant to a later one', NULL, 'NULL leaves an end open; period custom needs both.');
    END IF;
    IF mode IS NULL OR mode NOT IN ('alert', 'block') THEN
        PERFORM bcce.raise_error('22023', 'unknown mode of a budget', NULL, 'Known: alert, block.');
    END IF;
    IF unpriced IS NULL OR unpriced NOT IN ('ignore', 'dearest') THEN
        PERFORM bcce.raise_error('22023', 'unknown way to count calls of unknown cost', NULL, 'Known: ignore, dearest.');
    END IF;
    IF thresholds IS NULL OR cardinality(thresholds) > 20 OR array_position(thresholds, NULL) IS NOT NULL
        OR NOT (0 < ALL (thresholds) AND 1000 >= ALL (thresholds)) THEN
        PERFORM bcce.raise_error('22003', 'thresholds are up to 20 percentages above 0 and up to 1000', NULL, 'Give ''{80,100}'' for 80 and 100 percent.');
    END IF;
    IF greatest(length(team), length(user_key), length(project), length(model), length(workflow)) > 256 THEN
        PERFORM bcce_data.refuse('key_too_long');
    END IF;
    SELECT coalesce(set_budget.timezone, t.timezone) INTO zone FROM bcce_data.tenants t WHERE t.tenant_id = target;
    IF timezone IS NOT NULL AND NOT EXISTS (SELECT FROM pg_timezone_names z WHERE z.name = set_budget.timezone) THEN
        PERFORM bcce.raise_error('22023', 'unknown time zone', NULL, 'Give an IANA name, such as Europe/Berlin; pg_timezone_names lists them.');
    END IF;
    INSERT INTO bcce_data.budgets (tenant_id, budget, amount_usd, period, timezone, team_id, user_key, project, model_id, workflow_id,
                                   thresholds, mode, unpriced, valid)
    VALUES (target, budget, amount_usd, period, zone, nullif(team, ''), nullif(user_key, ''), nullif(project, ''), nullif(model, ''), nullif(workflow, ''),
            thresholds, mode, unpriced, tstzrange(valid_from, valid_until))
    ON CONFLICT ON CONSTRAINT budgets_pkey DO UPDATE
    SET amount_usd = excluded.amount_usd, period = excluded.period, timezone = excluded.timezone, team_id = excluded.team_id,
        user_key = excluded.user_key, project = excluded.project, model_id = excluded.model_id, workflow_id = excluded.workflow_id,
        thresholds = excluded.thresholds, mode = excluded.mode, unpriced = excluded.unpriced, valid = excluded.valid;
END
$body$;
COMMENT ON FUNCTION bcce.set_budget(text, numeric, text, text, text, text, text, text, text, numeric[], text, text, timestamptz, timestamptz, text) IS
'Sets how many US dollars model calls may cost in each day, week, month or quarter of a zone (NULL: the tenant''s), or (custom) from valid_from to valid_until; amount NULL removes the budget. team, user_key, project, model, workflow: only calls of all those given; a person is kept as a pseudonym. Only calls from valid_from to before valid_until count: now() for a budget that starts from here. thresholds: percent at which check_budgets() alerts. mode block: budget_check() advises against more once it is spent. unpriced: calls of unknown cost do not count (ignore) or count each token at the highest price in the book (dearest). Setting a budget again replaces it; alerts written stay. Errors: 22023 bad name, period, zone, mode or unpriced, 22003 bad amount or threshold, 22008 bad time, 22001 id too long, P0002 tenant not found.';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '42_business_hours', $bcce_module$
-- When a tenant works, for its admins to say.
CREATE OR REPLACE FUNCTION bcce.set_business_hours(weekdays integer[], opens time, closes time, tenant text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    target uuid := bcce_data.resolve_tenant(tenant);
BEGIN
    IF target IS NULL THEN
        PERFORM bcce_data.refuse('unknown_tenant');
    END IF;
    IF weekdays IS NULL OR NOT weekdays <@ ARRAY[1, 2, 3, 4, 5, 6, 7] THEN
        PERFORM bcce.raise_error('22023', 'days of the week are 1 to 7', NULL, 'Give {1,2,3,4,5} for Monday to Friday.');
    END IF;
    IF (opens IS NULL) <> (closes IS NULL) OR opens = closes THEN
        PERFORM bcce.raise_error('22023', 'opening and closing are one time, or only one is given', NULL,
            'Give both, such as 09:00 and 17:30, 00:00 and 24:00 for the whole day, or NULL for both to make the days free.');
    END IF;
    DELETE FROM bcce_data.business_hours h WHERE h.tenant_id = target AND h.weekday = ANY (weekdays);
    INSERT INTO bcce_data.business_hours (tenant_id, weekday, opens, closes)
    SELECT DISTINCT target, d.weekday, set_business_hours.opens, set_business_hours.closes
    FROM unnest(weekdays) AS d (weekday)
    WHERE set_business_hours.opens IS NOT NULL;
END
$body$;
COMMENT ON FUNCTION bcce.set_business_hours(integer[], time, time, text) IS
'Sets when a tenant works on some days of the week (1 Monday to 7 Sunday), by the clock of its zone: avg_mttr_business_minutes of mttr_breakdown counts these hours only. One span a day; closes before opens is on the next day; NULL for both makes the days free. Errors: 22023 no day of the week, or no span; P0002 tenant not found.';

CREATE OR REPLACE FUNCTION bcce.set_holiday(day date, is_free boolean DEFAULT true, tenant text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    target uuid := bcce_data.resolve_tenant(tenant);
BEGIN
    IF target IS NULL THEN
        PERFORM bcce_data.refuse('unknown_tenant');
    END IF;
    IF day IS NULL OR is_free IS NULL OR NOT isfinite(day) THEN
        PERFORM bcce.raise_error('22023', 'a holiday is a finite date', NULL, 'Give a date such as 2026-12-25, and true or false.');
    END IF;
    IF is_free THEN
        INSERT INTO bcce_data.holidays (tenant_id, day) VALUES (target, set_holiday.day) ON CONFLICT DO NOTHING;
    ELSE
        DELETE FROM bcce_data.holidays h WHERE h.tenant_id = target AND h.day = set_holiday.day;
    END IF;
END
$body$;
COMMENT ON FUNCTION bcce.set_holiday(date, boolean, text) IS
'Says that a tenant does not work on a day of its zone, or with is_free => false that it does after all. Errors: 22023 no date, P0002 tenant not found.';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '42_context', $bcce_module$
-- Logins that present tokens, the keys of those who sign these, and the choice
-- of a tenant.
CREATE OR REPLACE FUNCTION bcce.set_membership_mode(role regrole, mode text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    found_role record;
BEGIN
    IF mode IS NULL OR mode NOT IN ('direct', 'token') THEN
        PERFORM bcce.raise_error('22023', 'unknown mode of membership', NULL, 'Known modes: direct, token.');
    END IF;
    SELECT oid, rolname, rolsuper OR rolbypassrls AS bypasses INTO found_role FROM pg_roles WHERE oid = role::oid;
    IF found_role.rolname IS NULL THEN
        PERFORM bcce.raise_error('42704', 'role not found', NULL, 'Make it with bcce.create_login().');
    END IF;
    IF mode = 'direct' THEN
        DELETE FROM bcce_private.token_login t WHERE t.role = found_role.oid OR t.role_name = found_role.rolname;
        RETURN;
    END IF;
    IF found_role.bypasses THEN
        PERFORM bcce.raise_error('0LP01', 'a role that bypasses row security sees every tenant; a token would not bound it', NULL,
            'Make a login of its own: bcce.create_login(name, NULL, ''token'').');
    END IF;
    IF EXISTS (SELECT FROM bcce_private.membership m WHERE m.role = found_role.oid) THEN
        PERFORM bcce.raise_error('55000', 'the role has memberships, which would count again if it ceased to present tokens', NULL,
            'Take them away first: bcce.remove_membership().');
    END IF;
    -- A row of that name may be of a role that is gone.
    DELETE FROM bcce_private.token_login t WHERE t.role_name = found_role.rolname AND t.role IS DISTINCT FROM found_role.oid;
    INSERT INTO bcce_private.token_login (role_name) VALUES (found_role.rolname) ON CONFLICT DO NOTHING;
END
$body$;
COMMENT ON FUNCTION bcce.set_membership_mode(regrole, text) IS
'Says where the tenants of a role come from: direct, its memberships (as for every role not told otherwise), or token, the token that it presents to set_context() in each transaction. A token role also needs GRANT bcce_token. Errors: 22023 unknown mode, 42704 role not found, 0LP01 the role bypasses row security, 55000 it has memberships.';

CREATE OR REPLACE FUNCTION bcce.add_context_key(
    kid text, public_key bytea, not_before timestamptz DEFAULT now(), not_after timestamptz DEFAULT 'infinity') RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    IF kid IS NULL OR kid !~ '^[A-Za-z0-9._-]{1,64}$' THEN
        PERFORM bcce.raise_error('22023', 'the name of a key is 1 to 64 of A-Z, a-z, 0-9, ., _ and -', NULL, 'Take a name with a date, such as portal-2026-01.');
    END IF;
    -- Most private keys fail here, so that one given by mistake is not kept.
    IF public_key IS NULL OR NOT bcce.is_ed25519_public_key(public_key) THEN
        PERFORM bcce.raise_error('22023', 'this is not an Ed25519 public key', 'It has 32 bytes that are a point of the curve.',
            'scripts/mint-token new-key prints the call. If it was the private key that you gave, make another pair.');
    END IF;
    IF not_before IS NULL OR not_after IS NULL OR not_after <= not_before THEN
        PERFORM bcce.raise_error('22023', 'a key ends after it begins', NULL, NULL);
    END IF;
    INSERT INTO bcce_private.context_key (kid, public_key, not_before, not_after)
    VALUES (add_context_key.kid, add_context_key.public_key, add_context_key.not_before, add_context_key.not_after)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        PERFORM bcce.raise_error('42710', 'a key of this name exists', NULL, 'Names are given once, also to keys that are revoked.');
    END IF;
END
$body$;
COMMENT ON FUNCTION bcce.add_context_key(text, bytea, timestamptz, timestamptz) IS
'Trusts whoever holds the private key of this Ed25519 public key (32 bytes) to name tenants in context tokens, from not_before to before not_after. Errors: 22023 bad name, key or times, 42710 name taken.';

CREATE OR REPLACE FUNCTION bcce.rotate_context_key(
    old_kid text, kid text, public_key bytea, overlap interval DEFAULT '1 hour') RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    IF overlap IS NULL OR overlap < interval '0' THEN
        PERFORM bcce.raise_error('22023', 'the overlap is not negative', NULL, NULL);
    END IF;
    UPDATE bcce_private.context_key k SET not_after = greatest(least(k.not_after, now() + overlap), k.not_before + interval '1 microsecond')
    WHERE k.kid = old_kid AND k.revoked_at IS NULL AND k.not_after > now();
    IF NOT FOUND THEN
        PERFORM bcce.raise_error('P0002', 'there is no key of this name in force', NULL, 'bcce_private.context_key lists them.');
    END IF;
    PERFORM bcce.add_context_key(kid, public_key);
END
$body$;
COMMENT ON FUNCTION bcce.rotate_context_key(text, text, bytea, interval) IS
'Adds a key and lets an old one end after the overlap, in which both count. Errors: P0002 no such key in force, 22023 negative overlap, and those of add_context_key().';

CREATE OR REPLACE FUNCTION bcce.revoke_context_key(kid text) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    UPDATE bcce_private.context_key k SET revoked_at = now() WHERE k.kid = revoke_context_key.kid AND k.revoked_at IS NULL;
    RETURN FOUND;
END
$body$;
COMMENT ON FUNCTION bcce.revoke_context_key(text) IS
'Ends a key at once: no token of it is taken any more, and contexts that are set end with the running statement of their session. Returns whether there was a key to revoke.';

CREATE OR REPLACE FUNCTION bcce.use_tenant(tenant text, is_local boolean DEFAULT true) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    -- A word that stands for no tenant goes on as an id that no tenant has, so
    -- that both are refused in the same words.
    PERFORM bcce.use_tenant(CASE WHEN tenant <> '' THEN coalesce(bcce_data.resolve_tenant(tenant), '00000000-0000-0000-0000-000000000000') END, is_local);
END
$body$;
COMMENT ON FUNCTION bcce.use_tenant(text, boolean) IS
'Chooses the tenant to work in, by slug, external id or uuid, among the caller''s own: until the transaction ends, or with is_local => false for the session. It counts for the role that chose and while the tenant is the role''s; bcce_platform sees all its tenants whatever is chosen. NULL or an empty text undoes the choice. Error P0002: none of the caller''s tenants, or there is none.';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '42_invoices', $bcce_module$
-- Invoices, recorded by whoever may.
CREATE OR REPLACE FUNCTION bcce.record_invoice(provider text, period tstzrange, amount_usd numeric, tenant text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    target uuid := bcce_data.resolve_tenant(tenant);
    start_at timestamptz := lower(period);
    end_at timestamptz := upper(period);
BEGIN
    IF target IS NULL THEN
        PERFORM bcce_data.refuse('unknown_tenant');
    END IF;
    IF provider IS NULL OR length(btrim(provider)) NOT BETWEEN 1 AND 256 THEN
        PERFORM bcce.raise_error('22023', 'a provider''s name has 1 to 256 characters', NULL, 'Give it as the calls name it, such as anthropic or bedrock.');
    END IF;
    IF NOT coalesce(isfinite(start_at) AND isfinite(end_at) AND lower_inc(period) AND NOT upper_inc(period), false) THEN
        PERFORM bcce.raise_error('22008', 'an invoice is for a time with a start and an end, the end exclusive', NULL,
            'Give tstzrange(''2026-10-01 00:00Z'', ''2026-11-01 00:00Z'').');
    END IF;
    IF NOT (amount_usd BETWEEN -1e15 AND 1e15) THEN
        PERFORM bcce.raise_error('22003', 'an amount is a number within 1e15', NULL, 'Give NULL to remove the invoice.');
    END IF;
    IF amount_usd IS NULL THEN
        DELETE FROM bcce_data.invoices i
        WHERE i.tenant_id = target AND i.provider = lower(btrim(record_invoice.provider)) AND i.period_start_at = start_at AND i.period_end_at = end_at;
        RETURN;
    END IF;
    INSERT INTO bcce_data.invoices (tenant_id, provider, period_start_at, period_end_at, amount_usd)
    VALUES (target, lower(btrim(provider)), start_at, end_at, amount_usd)
    ON CONFLICT ON CONSTRAINT invoices_pkey DO UPDATE SET amount_usd = excluded.amount_usd, recorded_at = now();
END
$body$;
COMMENT ON FUNCTION bcce.record_invoice(text, tstzrange, numeric, text) IS
'Records what a provider billed for model calls of a time, in US dollars (negative: a refund; NULL removes it); recorded again it replaces the amount. No cost changes by it: cost_reconciliation holds it against what was metered. Errors: 22023 bad provider, 22008 bad period, 22003 bad amount, P0002 tenant not found.';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '42_model_prices', $bcce_module$
-- Prices of language models, set by whoever may and imported from a price list.

-- Whose prices are meant: all zeros for the defaults, which only those may set
-- whom row security does not bind.  Holds off everybody else who sets some.
CREATE OR REPLACE FUNCTION bcce_data.lock_price_book(tenant text) RETURNS uuid
LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    target uuid;
BEGIN
    IF tenant IS NULL AND bcce.bypasses_row_security() THEN
        PERFORM FROM bcce_data.schema_version FOR NO KEY UPDATE;
        RETURN '00000000-0000-0000-0000-000000000000';
    END IF;
    target := bcce_data.resolve_tenant(tenant);
    IF target IS NULL THEN
        PERFORM bcce_data.refuse('unknown_tenant');
    END IF;
    PERFORM FROM bcce_data.tenants t WHERE t.tenant_id = target FOR NO KEY UPDATE;
    RETURN target;
END
$body$;
COMMENT ON FUNCTION bcce_data.lock_price_book(text) IS 'the tenant whose prices are to be set, all zeros for the defaults, after locking the others out';

-- The table of a kind of row, and the columns that are its key and its value.
CREATE OR REPLACE FUNCTION bcce_data.price_table(kind text, target uuid, OUT name text, OUT key_columns text[], OUT value_column text, OUT source_column text, OUT place text)
LANGUAGE plpgsql IMMUTABLE AS $body$
DECLARE
    is_default boolean := target = '00000000-0000-0000-0000-000000000000';
BEGIN
    name := CASE WHEN is_default THEN 'default_' ELSE '' END || kind;
    key_columns := CASE kind WHEN 'model_prices' THEN '{model_id,token_class,context_above,service_tier}'
                             WHEN 'model_price_factors' THEN '{model_id,factor_kind}' ELSE '{alias}' END;
    value_column := CASE kind WHEN 'model_prices' THEN 'price_usd' WHEN 'model_price_factors' THEN 'factor' ELSE 'model_id' END;
    source_column := CASE kind WHEN 'model_aliases' THEN 'note' ELSE 'source' END;
    -- $1 is the key, $2 the tenant.
    SELECT string_agg(format('p.%I%s = $1[%s]', c.name, CASE c.name WHEN 'context_above' THEN '::text' ELSE '' END, c.n), ' AND ')
           || CASE WHEN is_default THEN ' AND $2 IS NOT NULL' ELSE ' AND p.tenant_id = $2' END
    INTO place FROM unnest(key_columns) WITH ORDINALITY AS c (name, n);
END
$body$;
COMMENT ON FUNCTION bcce_data.price_table(text, uuid) IS 'the table of prices, multipliers or aliases, of a tenant or (all zeros) of everybody, and its columns';

CREATE OR REPLACE FUNCTION bcce_data.add_price_row(kind text, target uuid, key text[], valid tstzrange, known tstzrange, value text, source text) RETURNS void
LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    t record := bcce_data.price_table(kind, target);
BEGIN
    EXECUTE format('INSERT INTO bcce_data.%I (%s%s, valid, known, %I, %I) SELECT %s%s, $3, $4, $5%s, $6 WHERE $2 IS NOT NULL',
        t.name, CASE WHEN t.name LIKE 'default\_%' THEN '' ELSE 'tenant_id, ' END,
        (SELECT string_agg(quote_ident(c), ', ') FROM unnest(t.key_columns) AS c), t.value_column, t.source_column,
        CASE WHEN t.name LIKE 'default\_%' THEN '' ELSE '$2, ' END,
        (SELECT string_agg(format('$1[%s]%s', c.n, CASE c.name WHEN 'context_above' THEN '::bigint' ELSE '' END), ', ')
         FROM unnest(t.key_columns) WITH ORDINALITY AS c (name, n)),
        CASE kind WHEN 'model_aliases' THEN '' ELSE '::numeric' END)
    USING key, target, valid, known, value, source;
END
$body$;
COMMENT ON FUNCTION bcce_data.add_price_row(text, uuid, text[], tstzrange, tstzrange, text, text) IS 'inserts one row of put_price_row()';

-- Ends what is known of a row now, or takes it back where it is of this moment.
-- Then what is left of its validity on both sides of the new row goes on.
CREATE OR REPLACE FUNCTION bcce_data.put_price_row(kind text, target uuid, key text[], new_valid tstzrange, new_value text, source text) RETURNS void
LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    t record := bcce_data.price_table(kind, target);
    old record;
    rest tstzrange;
BEGIN
    FOR old IN EXECUTE format('DELETE FROM bcce_data.%I p WHERE %s AND upper_inf(p.known) AND p.valid && $3 RETURNING p.valid, p.known, p.%I::text AS value, p.%I AS source',
                              t.name, t.place, t.value_column, t.source_column) USING key, target, new_valid
    LOOP
        IF lower(old.known) < now() THEN
            PERFORM bcce_data.add_price_row(kind, target, key, old.valid, tstzrange(lower(old.known), now()), old.value, old.source);
        END IF;
        FOR rest IN SELECT unnest(tstzmultirange(old.valid) - tstzmultirange(new_valid)) LOOP
            PERFORM bcce_data.add_price_row(kind, target, key, rest, tstzrange(now(), NULL), old.value, old.source);
        END LOOP;
    END LOOP;
    IF new_value IS NOT NULL THEN
        PERFORM bcce_data.add_price_row(kind, target, key, new_valid, tstzrange(now(), NULL), new_value, source);
    END IF;
END
$body$;
COMMENT ON FUNCTION bcce_data.put_price_row(text, uuid, text[], tstzrange, text, text) IS 'sets a price, multiplier or alias over a span of time, NULL takes it away; what was known before stays readable by as_of';

CREATE OR REPLACE FUNCTION bcce_data.span_from(kind text, target uuid, key text[], valid_from timestamptz) RETURNS tstzrange
LANGUAGE plpgsql STABLE AS $body$
DECLARE
    t record := bcce_data.price_table(kind, target);
    next_start timestamptz;
BEGIN
    EXECUTE format('SELECT min(lower(p.valid)) FROM bcce_data.%I p WHERE %s AND upper_inf(p.known) AND lower(p.valid) > $3', t.name, t.place)
    INTO next_start USING key, target, coalesce(valid_from, '-infinity');
    RETURN tstzrange(valid_from, next_start);
END
$body$;
COMMENT ON FUNCTION bcce_data.span_from(text, uuid, text[], timestamptz) IS 'from an instant on (NULL: always) until the next row of the same key begins';

CREATE OR REPLACE FUNCTION bcce.set_model_price(
    model text, token_class text, price_usd numeric, valid_from timestamptz DEFAULT now(), context_above bigint DEFAULT 0,
    service_tier text DEFAULT 'standard', tenant text DEFAULT NULL, source text DEFAULT 'entered') RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    target uuid := bcce_data.lock_price_book(tenant);
    key text[] := ARRAY[model, token_class, context_above::text, service_tier];
BEGIN
    IF model IS NULL OR length(model) NOT BETWEEN 1 AND 256 THEN
        PERFORM bcce.raise_error('22023', 'a model''s name has 1 to 256 characters', NULL, NULL);
    END IF;
    IF token_class IS NULL OR token_class NOT IN ('input', 'output', 'cache_read', 'cache_write_5m', 'cache_write_1h', 'web_search', 'second') THEN
        PERFORM bcce.raise_error('22023', 'unknown class of tokens', NULL, 'Known: input, output, cache_read, cache_write_5m, cache_write_1h, web_search, second.');
    END IF;
    IF service_tier IS NULL OR service_tier NOT IN ('standard', 'batch', 'flex', 'priority') THEN
        PERFORM bcce.raise_error('22023', 'unknown service tier', NULL, 'Known: standard, batch, flex, priority.');
    END IF;
    IF context_above IS NULL OR context_above NOT BETWEEN 0 AND 1000000000000 THEN
        PERFORM bcce.raise_error('22003', 'a size of context is a number of tokens from 0 to 1e12', NULL, NULL);
    END IF;
    IF price_usd IS NOT NULL AND NOT coalesce(price_usd BETWEEN 0 AND 1000000 AND price_usd = round(price_usd, 12), false) THEN
        PERFORM bcce.raise_error('22003', 'the price of a token is a number from 0 to 1e6 with up to twelve decimals', NULL,
            'It is in US dollars for one token: 0.000003 for 3 dollars a million.');
    END IF;
    IF NOT isfinite(valid_from) THEN
        PERFORM bcce.raise_error('22008', 'a price holds from an instant on', NULL, 'Pass NULL for always.');
    END IF;
    PERFORM bcce_data.put_price_row('model_prices', target, key, bcce_data.span_from('model_prices', target, key, valid_from),
        price_usd::text, coalesce(source, 'entered'));
END
$body$;
COMMENT ON FUNCTION bcce.set_model_price(text, text, numeric, timestamptz, bigint, text, text, text) IS
'Sets the price of one token of a class (of one search for web_search) in US dollars from an instant on (NULL: always) until the next price that is known; NULL takes a price away, as for one that was announced and withdrawn. Costs that were charged do not change, and as_of of estimate_token_cost() still gives what was known before. tenant: slug, external id or uuid; NULL: your own, and for a superuser the default of everybody. Errors: 22023 unknown class or tier, 22003 bad price, 22008 bad time, P0002 tenant not found.';

CREATE OR REPLACE FUNCTION bcce.set_model_price_factor(
    model text, factor_kind text, factor numeric, valid_from timestamptz DEFAULT now(), tenant text DEFAULT NULL, source text DEFAULT 'entered') RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    target uuid := bcce_data.lock_price_book(tenant);
    key text[] := ARRAY[model, factor_kind];
BEGIN
    IF model IS NULL OR length(model) NOT BETWEEN 1 AND 256 THEN
        PERFORM bcce.raise_error('22023', 'a model''s name has 1 to 256 characters', NULL, 'Write * for all models.');
    END IF;
    IF factor_kind IS NULL OR factor_kind NOT IN ('fast', 'us', 'batch', 'discount') THEN
        PERFORM bcce.raise_error('22023', 'unknown kind of multiplier', NULL, 'Known: fast, us, batch, discount.');
    END IF;
    IF factor IS NOT NULL AND NOT coalesce(factor > 0 AND factor <= 1000 AND factor = round(factor, 4), false) THEN
        PERFORM bcce.raise_error('22003', 'a multiplier is a number above 0 and up to 1000 with up to four decimals', NULL, 'Give 0.85 for fifteen percent off.');
    END IF;
    IF NOT isfinite(valid_from) THEN
        PERFORM bcce.raise_error('22008', 'a price holds from an instant on', NULL, 'Pass NULL for always.');
    END IF;
    PERFORM bcce_data.put_price_row('model_price_factors', target, key, bcce_data.span_from('model_price_factors', target, key, valid_from),
        factor::text, coalesce(source, 'entered'));
END
$body$;
COMMENT ON FUNCTION bcce.set_model_price_factor(text, text, numeric, timestamptz, text, text) IS
'Sets a multiplier of a model''s token prices (model *: of all) from an instant on (NULL: always) until the next that is known; NULL takes it away. Kinds: fast, us, batch (where batches have no prices of their own), discount. tenant as in set_model_price(). Errors: 22023 unknown kind, 22003 bad multiplier, 22008 bad time, P0002 tenant not found.';

CREATE OR REPLACE FUNCTION bcce.set_model_alias(
    alias text, model text, valid_from timestamptz DEFAULT NULL, tenant text DEFAULT NULL, note text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    target uuid := bcce_data.lock_price_book(tenant);
    key text[] := ARRAY[alias];
BEGIN
    IF alias IS NULL OR length(alias) NOT BETWEEN 1 AND 256 OR length(model) NOT BETWEEN 1 AND 256 OR alias = model THEN
        PERFORM bcce.raise_error('22023', 'an alias and a model''s name have 1 to 256 characters and differ', NULL, NULL);
    END IF;
    IF NOT isfinite(valid_from) THEN
        PERFORM bcce.raise_error('22008', 'an alias holds from an instant on', NULL, 'Pass NULL for always.');
    END IF;
    PERFORM bcce_data.put_price_row('model_aliases', target, key, bcce_data.span_from('model_aliases', target, key, valid_from), model, note);
END
$body$;
COMMENT ON FUNCTION bcce.set_model_alias(text, text, timestamptz, text, text) IS
'Says which model another name means, the ARN of an inference profile for example, from an instant on (NULL: always); model NULL takes the alias away. It counts for names that are not priced themselves. tenant as in set_model_price(). Errors: 22023 bad name, 22008 bad time, P0002 tenant not found.';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '42_prediction_models', $bcce_module$
-- What an admin sets for models that predict failures.
CREATE OR REPLACE FUNCTION bcce.set_prediction_threshold(threshold double precision, model_name text, model_version text DEFAULT '', tenant text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    target uuid := bcce_data.resolve_tenant(tenant);
BEGIN
    IF target IS NULL THEN
        PERFORM bcce_data.refuse('unknown_tenant');
    END IF;
    IF NOT threshold BETWEEN 0 AND 1 THEN
        PERFORM bcce.raise_error('22003', 'a threshold is a probability, 0 to 1', NULL, 'Give 0.2 for 20 percent, NULL for the default 0.5.');
    END IF;
    UPDATE bcce_data.models m SET threshold = coalesce(set_prediction_threshold.threshold, 0.5)
    WHERE m.tenant_id = target AND m.model_name = set_prediction_threshold.model_name AND m.model_version = set_prediction_threshold.model_version;
    IF NOT FOUND THEN
        PERFORM bcce.raise_error('P0002', 'model not found', NULL, 'The first prediction of a model makes it known; prediction_accuracy lists names and versions.');
    END IF;
END
$body$;
COMMENT ON FUNCTION bcce.set_prediction_threshold(double precision, text, text, text) IS
'Sets the probability at or above which a model predicts a failure, for predictions made before, too (prediction_accuracy). NULL: 0.5. For one tenant. Errors: 22003 threshold out of range, P0002 tenant or model not found.';

CREATE OR REPLACE FUNCTION bcce.set_prediction_reference(reference_from timestamptz, reference_to timestamptz, model_name text, model_version text DEFAULT '', tenant text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    target uuid := bcce_data.resolve_tenant(tenant);
BEGIN
    IF target IS NULL THEN
        PERFORM bcce_data.refuse('unknown_tenant');
    END IF;
    IF (reference_from IS NULL) <> (reference_to IS NULL) OR reference_from >= reference_to THEN
        PERFORM bcce.raise_error('22023', 'a reference begins before it ends', NULL, 'Give both instants, or NULL for both to remove the reference.');
    END IF;
    UPDATE bcce_data.models m SET reference_from = set_prediction_reference.reference_from, reference_to = set_prediction_reference.reference_to
    WHERE m.tenant_id = target AND m.model_name = set_prediction_reference.model_name AND m.model_version = set_prediction_reference.model_version;
    IF NOT FOUND THEN
        PERFORM bcce.raise_error('P0002', 'model not found', NULL, 'The first prediction of a model makes it known; prediction_accuracy lists names and versions.');
    END IF;
END
$body$;
COMMENT ON FUNCTION bcce.set_prediction_reference(timestamptz, timestamptz, text, text, text) IS
'Sets the time, from inclusive to exclusive, whose predictions a model is compared with (prediction_drift): one in which it was known to be good. NULL for both removes it. For one tenant. Errors: 22023 no beginning before an end, P0002 tenant or model not found.';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '43_find_person', $bcce_module$
-- From a person to the pseudonym.  The other way there is none: no table maps
-- pseudonyms to people, and a keyed hash cannot be undone.  So who wants to
-- know who is behind a pseudonym asks for those whom it may be.
CREATE OR REPLACE FUNCTION bcce_data.person_columns() RETURNS TABLE (table_name text, column_name text, domain text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $body$
    SELECT c.relname::text, split_part(argument, ':', 2), split_part(argument, ':', 1)
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid,
         unnest(string_to_array(encode(t.tgargs, 'escape'), '\000')) AS argument
    WHERE t.tgfoid = 'bcce.redact_columns()'::regprocedure AND t.tgparentid = 0
      AND c.relnamespace = 'bcce_data'::regnamespace AND c.relname <> 'person_lookups'
      AND argument ~ '^[a-z]+:'
$body$;
COMMENT ON FUNCTION bcce_data.person_columns() IS 'columns that may hold a pseudonym, and the domain of it; key: an identifier, which becomes an id_... where it holds personal data';

CREATE OR REPLACE FUNCTION bcce.find_person(identifier text, reason text)
RETURNS TABLE (pseudonym text, found_in text, column_name text, row_count bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    tenant CONSTANT uuid := bcce.current_tenant();
    place record;
    total bigint;
BEGIN
    IF tenant IS NULL THEN
        PERFORM bcce.raise_error('55000', 'there is no current tenant', NULL, 'Work as a role that has a tenant; bcce.whoami() says which.');
    END IF;
    IF identifier IS NULL OR btrim(identifier) = '' OR length(identifier) > 1000 THEN
        PERFORM bcce.raise_error('22023', 'an identifier has 1 to 1000 characters', NULL, 'Give what the sender calls the person, or a pseudonym.');
    END IF;
    IF reason IS NULL OR btrim(reason) = '' OR length(reason) > 500 THEN
        PERFORM bcce.raise_error('22023', 'a look-up needs a reason of 1 to 500 characters', NULL, 'Say what for, such as the number of a request.');
    END IF;
    IF current_setting('transaction_read_only') = 'on' THEN
        PERFORM bcce.raise_error('25006', 'a look-up is written down, and this transaction is read-only', NULL, 'SET TRANSACTION READ WRITE on the primary server.');
    END IF;

    FOR place IN
        WITH spelling AS (
            SELECT identifier AS word UNION SELECT lower(btrim(identifier, E' \t\r\n'))
        ), name AS (
            SELECT d.domain, bcce.pseudonym(s.word, CASE d.domain WHEN 'key' THEN 'id' ELSE d.domain END, tenant) AS word
            FROM spelling s, (SELECT DISTINCT c.domain FROM bcce_data.person_columns() c) AS d
            WHERE d.domain <> 'key' OR bcce.contains_pii(s.word) OR s.word ~ '^id_[a-z2-7]{26}$'
        )
        SELECT c.table_name, c.column_name, n.domain, n.word
        FROM name n LEFT JOIN bcce_data.person_columns() c ON c.domain = n.domain
        ORDER BY n.domain = 'key', n.domain DESC, n.word, c.table_name, c.column_name
    LOOP
        EXECUTE format('SELECT count(*) FROM bcce_data.%I WHERE tenant_id = $1 AND %I = $2', place.table_name, place.column_name)
        INTO row_count USING tenant, place.word;
        pseudonym := place.word; found_in := place.table_name; column_name := place.column_name;
        IF row_count > 0 THEN
            total := coalesce(total, 0) + row_count;
            RETURN NEXT;
        END IF;
    END LOOP;

    -- The log keeps it also when the caller takes the transaction back.
    PERFORM bcce.log_line(format('bcce: look-up of a person in tenant %s, rows: %s', tenant, coalesce(total, 0)));
    INSERT INTO bcce_data.person_lookups (tenant_id, login, reason, pseudonym, row_count)
    VALUES (tenant, session_user, reason, bcce.pseudonym(identifier, 'user', tenant), coalesce(total, 0));
END
$body$;
COMMENT ON FUNCTION bcce.find_person(text, text) IS
'Where a person of the caller''s tenant occurs: pseudonym, table and column of the store, number of rows. identifier: what the sender calls the person, as it was sent (also tried trimmed and in lower case), or a pseudonym. There is no way from a pseudonym to a person but to ask for those whom it may be: nothing maps them. Each call is written down in bcce_data.person_lookups, with the reason and without the identifier, and as a line of the server log. Errors: 55000 no current tenant, 22023 identifier or reason missing, 25006 read-only transaction.';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '43_price_import', $bcce_module$
-- Reads a price list in the format of litellm's model_prices_and_context_window.

-- One row for each price and multiplier that the list names, and for each field
-- about money that is none.  Numbers stay decimal: jsonb keeps them as numeric.
CREATE OR REPLACE FUNCTION bcce_data.read_price_list(prices jsonb)
RETURNS TABLE (model_id text, field text, kind text, key text[], value numeric)
LANGUAGE sql IMMUTABLE AS $body$
    SELECT m.model, f.field, p.kind, p.key, p.value
    FROM jsonb_each(CASE jsonb_typeof(prices) WHEN 'object' THEN prices ELSE '{}' END) AS m (model, entry)
    CROSS JOIN LATERAL jsonb_each(CASE jsonb_typeof(m.entry) WHEN 'object' THEN m.entry ELSE '{}' END) AS f (field, value)
    CROSS JOIN LATERAL regexp_match(f.field,
        '^(input_cost_per_token|output_cost_per_token|cache_read_input_token_cost|cache_creation_input_token_cost|cache_creation_input_token_cost_above_1hr|input_cost_per_second)(?:_above_(\d{1,9})k_tokens)?(?:_(batches|flex|priority))?$') AS part
    CROSS JOIN LATERAL (
        SELECT 'model_prices' AS kind, ARRAY[m.model,
            CASE part[1] WHEN 'input_cost_per_token' THEN 'input' WHEN 'output_cost_per_token' THEN 'output'
                WHEN 'cache_read_input_token_cost' THEN 'cache_read' WHEN 'cache_creation_input_token_cost' THEN 'cache_write_5m'
                WHEN 'cache_creation_input_token_cost_above_1hr' THEN 'cache_write_1h' ELSE 'second' END,
            (coalesce(part[2], '0')::bigint * 1000)::text,
            CASE part[3] WHEN 'batches' THEN 'batch' ELSE coalesce(part[3], 'standard') END] AS key,
            f.value::numeric AS value
        WHERE part IS NOT NULL AND jsonb_typeof(f.value) = 'number'
        UNION ALL
        -- The middle size where sizes differ.
        SELECT 'model_prices', ARRAY[m.model, 'web_search', '0', 'standard'], (f.value ->> 'search_context_size_medium')::numeric
        WHERE f.field = 'search_context_cost_per_query' AND jsonb_typeof(f.value -> 'search_context_size_medium') = 'number'
        UNION ALL
        SELECT 'model_price_factors', ARRAY[m.model, e.name], (f.value ->> e.name)::numeric
        FROM unnest(ARRAY['fast', 'us']) AS e (name)
        WHERE f.field = 'provider_specific_entry' AND jsonb_typeof(f.value -> e.name) = 'number'
        UNION ALL
        SELECT NULL, NULL, NULL
        WHERE part IS NULL AND f.field ~ '(cost|pricing|multiplier)' AND f.field NOT IN ('search_context_cost_per_query', 'output_cost_per_second')
    ) AS p
    WHERE length(m.model) BETWEEN 1 AND 256 AND m.model <> 'sample_spec'
$body$;
COMMENT ON FUNCTION bcce_data.read_price_list(jsonb) IS 'the prices and multipliers of a price list in litellm''s format, by the keys of the store; kind NULL: a field about money that is not understood';

-- What looks wrong in a list: reported, not corrected.  The ratios are those
-- that Anthropic has for every model but where its list says otherwise.
CREATE OR REPLACE FUNCTION bcce_data.odd_prices(prices jsonb)
RETURNS TABLE (model_id text, key text[], value numeric, note text)
LANGUAGE sql IMMUTABLE AS $body$
    WITH price AS (
        SELECT l.model_id, l.key, l.key[2] AS class, l.key[3] AS above, l.key[4] AS tier, l.value
        FROM bcce_data.read_price_list(prices) AS l
        WHERE l.kind = 'model_prices' AND l.model_id LIKE '%claude%'
    )
    SELECT p.model_id, p.key, p.value, format('%s times the price of input, usually %s', trim_scale(round(p.value / i.value, 4)), usual.ratio)
    FROM price AS p
    JOIN price AS i ON i.model_id = p.model_id AND i.class = 'input' AND i.above = p.above AND i.tier = p.tier AND i.value > 0
    JOIN (VALUES ('cache_write_5m', 1.25), ('cache_write_1h', 2), ('cache_read', 0.1)) AS usual (class, ratio) ON usual.class = p.class
    WHERE p.value <> i.value * usual.ratio
    UNION ALL
    SELECT p.model_id, p.key[1:1] || 'cache_write_1h'::text || p.key[3:4], NULL, 'five-minute cache writes have a price and one-hour ones have none: their cost is unknown'
    FROM price AS p
    WHERE p.class = 'cache_write_5m' AND p.above = '0' AND p.tier = 'standard'
      AND NOT EXISTS (SELECT FROM price AS h WHERE h.model_id = p.model_id AND h.class = 'cache_write_1h' AND h.above = '0' AND h.tier = 'standard')
$body$;
COMMENT ON FUNCTION bcce_data.odd_prices(jsonb) IS 'prices of Claude models in a list whose ratio to the price of input is unusual, and one-hour cache writes without a price';

CREATE OR REPLACE FUNCTION bcce.import_prices(prices jsonb, valid_from timestamptz DEFAULT now(), source text DEFAULT 'litellm',
    apply boolean DEFAULT false, round_prices boolean DEFAULT false, tenant text DEFAULT NULL)
RETURNS TABLE (action text, model_id text, price text, old_value numeric, new_value numeric, note text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    target uuid := bcce_data.lock_price_book(tenant);
    row record;
BEGIN
    IF prices IS NULL OR jsonb_typeof(prices) <> 'object' THEN
        PERFORM bcce.raise_error('22023', 'a price list is a JSON object of models', NULL,
            'Pass the text of a file such as litellm''s model_prices_and_context_window.json, cast to jsonb.');
    END IF;
    IF NOT isfinite(valid_from) THEN
        PERFORM bcce.raise_error('22008', 'a price holds from an instant on', NULL, 'Pass NULL for always.');
    END IF;
    IF source IS NULL OR length(source) NOT BETWEEN 1 AND 256 THEN
        PERFORM bcce.raise_error('22023', 'a source has 1 to 256 characters', NULL, 'Say where the list comes from, and of which day it is.');
    END IF;

    FOR row IN
        WITH listed AS (
            SELECT l.model_id, l.field, l.kind, l.key,
                CASE WHEN round_prices AND l.kind = 'model_prices' THEN round(l.value, 12) ELSE l.value END AS value,
                array_to_string(l.key[2:], ' ') AS name
            FROM bcce_data.read_price_list(prices) AS l
        ),
        known AS (
            SELECT 'model_prices' AS kind, ARRAY[d.model_id, d.token_class, d.context_above::text, d.service_tier] AS key, d.price_usd AS value, d.source
            FROM bcce_data.default_model_prices AS d
            WHERE target = '00000000-0000-0000-0000-000000000000' AND upper_inf(d.known) AND d.valid @> coalesce(valid_from, '-infinity')
            UNION ALL
            SELECT 'model_price_factors', ARRAY[d.model_id, d.factor_kind], d.factor, d.source
            FROM bcce_data.default_model_price_factors AS d
            WHERE target = '00000000-0000-0000-0000-000000000000' AND upper_inf(d.known) AND d.valid @> coalesce(valid_from, '-infinity')
            UNION ALL
            SELECT 'model_prices', ARRAY[d.model_id, d.token_class, d.context_above::text, d.service_tier], d.price_usd, d.source
            FROM bcce_data.model_prices AS d
            WHERE d.tenant_id = target AND upper_inf(d.known) AND d.valid @> coalesce(valid_from, '-infinity')
            UNION ALL
            SELECT 'model_price_factors', ARRAY[d.model_id, d.factor_kind], d.factor, d.source
            FROM bcce_data.model_price_factors AS d
            WHERE d.tenant_id = target AND upper_inf(d.known) AND d.valid @> coalesce(valid_from, '-infinity')
        ),
        compared AS (
            SELECT l.model_id, l.kind, l.key, coalesce(l.name, l.field) AS name, k.value AS old_value, l.value AS new_value,
                CASE
                    WHEN l.kind IS NULL THEN 'ignored'
                    WHEN l.kind = 'model_prices' AND NOT (l.value BETWEEN 0 AND 1000000 AND l.value = round(l.value, 12)) THEN 'refused'
                    WHEN l.kind = 'model_price_factors' AND NOT (l.value > 0 AND l.value <= 1000 AND l.value = round(l.value, 4)) THEN 'refused'
                    WHEN k.key IS NULL THEN 'add'
                    WHEN k.value <> l.value THEN 'change'
                END AS action,
                CASE
                    WHEN l.kind IS NULL THEN 'not understood: no price of tokens by class'
                    WHEN l.kind = 'model_prices' AND NOT (l.value BETWEEN 0 AND 1000000) THEN 'not between 0 and 1e6'
                    WHEN l.kind = 'model_prices' AND l.value <> round(l.value, 12) THEN 'more than twelve decimals; round_prices => true rounds'
                    WHEN l.kind = 'model_price_factors' THEN NULL
                    WHEN k.value > 0 AND l.value = 0 THEN 'falls to 0'
                    WHEN k.value > 0 AND (l.value > 3 * k.value OR 3 * l.value < k.value) THEN format('%s times the price before', trim_scale(round(l.value / k.value, 4)))
                END AS note
            FROM listed AS l
            LEFT JOIN known AS k ON k.kind = l.kind AND k.key = l.key
        )
        SELECT * FROM (
            SELECT c.action, c.model_id, c.kind, c.key, c.name, c.old_value, c.new_value, c.note, 1 AS rank
            FROM compared AS c WHERE c.action IS NOT NULL
            UNION ALL
            SELECT 'suspicious', c.model_id, NULL, NULL, c.name, c.old_value, c.new_value, c.note, 2
            FROM compared AS c WHERE c.action = 'change' AND c.note IS NOT NULL
            UNION ALL
            SELECT 'suspicious', o.model_id, NULL, NULL, array_to_string(o.key[2:], ' '), NULL, o.value, o.note, 2
            FROM bcce_data.odd_prices(prices) AS o
            UNION ALL
            -- Retired rows vanish from lists; their calls still have to be priced.
            SELECT 'gone', k.key[1], NULL, NULL, array_to_string(k.key[2:], ' '), k.value, NULL, 'no longer in the list; it is kept', 3
            FROM known AS k
            WHERE k.source = import_prices.source
              AND NOT EXISTS (SELECT FROM listed AS l WHERE l.kind = k.kind AND l.key = k.key)
        ) AS t
        ORDER BY t.rank, t.model_id COLLATE "C", t.name COLLATE "C"
    LOOP
        IF apply AND row.action IN ('add', 'change') THEN
            PERFORM bcce_data.put_price_row(row.kind, target, row.key, bcce_data.span_from(row.kind, target, row.key, valid_from),
                row.new_value::text, source);
        END IF;
        action := row.action; model_id := row.model_id; price := row.name; old_value := row.old_value; new_value := row.new_value; note := row.note;
        RETURN NEXT;
    END LOOP;
END
$body$;
COMMENT ON FUNCTION bcce.import_prices(jsonb, timestamptz, text, boolean, boolean, text) IS
'Reads a price list in the format of litellm''s model_prices_and_context_window.json, text in, no network. Shows what it would do, and does it with apply => true: add and change (from valid_from on, NULL: always), refused (no price, or more than twelve decimals unless round_prices), ignored (fields about money that are no price of tokens by class), suspicious (reported, applied all the same), gone (in an earlier list of the same source and no longer in this one; never deleted). price says class, size of context and tier. tenant as in set_model_price(). Errors: 22023 not a list, 22008 bad time, P0002 tenant not found.';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '44_harden_database', $bcce_module$
-- What the server grants to everybody and a database of tenants should not.
CREATE OR REPLACE FUNCTION bcce.harden_database(apply boolean DEFAULT false) RETURNS TABLE (statement text, reason text, done boolean)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    FOR statement, reason IN
        SELECT format('REVOKE %s ON DATABASE %I FROM PUBLIC', a.privilege_type, d.datname),
               CASE a.privilege_type
                   WHEN 'CONNECT' THEN 'logins of other databases can connect; create_login() grants CONNECT to its own, other roles then need it granted'
                   ELSE 'temporary tables outlive the client of a pooled connection, and a login can shadow names with them' END
        FROM pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS a
        WHERE d.datname = current_database() AND a.grantee = 0
        UNION ALL
        SELECT format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC', n.nspname), 'anybody can put objects there that others may call or read by mistake'
        FROM pg_namespace n, aclexplode(n.nspacl) AS a
        WHERE a.grantee = 0 AND a.privilege_type = 'CREATE' AND n.nspname !~ '^pg_'
        UNION ALL
        SELECT format('REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC', p.oid::regprocedure), 'anybody can call it, and it runs as a superuser'
        FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
        WHERE p.prosecdef AND r.rolsuper AND p.pronamespace <> 'pg_catalog'::regnamespace
          AND EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a WHERE a.grantee = 0)
        ORDER BY 1
    LOOP
        IF apply THEN
            EXECUTE statement;
        END IF;
        done := coalesce(apply, false);
        RETURN NEXT;
    END LOOP;
END
$body$;
COMMENT ON FUNCTION bcce.harden_database(boolean) IS
'What everybody may do in this database and a database of tenants should not allow: one statement a row, and why. Shows them; with apply => true runs them too, as the caller, who must own what they change. No row: nothing is left to do. It never runs by itself, as other applications of the database may count on these rights.';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '45_check_tables', $bcce_module$
-- What check_security() looks for at tables, views and triggers.
CREATE OR REPLACE FUNCTION bcce_data.check_tables() RETURNS TABLE (id text, level text, object text, detail text, fix text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $body$
    WITH RECURSIVE ours AS (
        SELECT c.oid, c.relname, c.relkind, c.relispartition, c.relowner, c.relacl, c.relrowsecurity, c.relforcerowsecurity,
               n.nspname, c.oid::regclass::text AS name,
               EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e') AS is_member,
               EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped) AS has_tenant
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('bcce', 'bcce_data', 'bcce_private')
    ), wanted (policy, is_permissive, command, on_private, roles, reads, writes) AS (
        VALUES ('reader', true, 'r'::"char", false, '{bcce_analytics_user,bcce_cost_analyst}'::text[], '(tenant_id = ( SELECT bcce.current_tenant() AS current_tenant))', NULL),
               ('reader_wall', false, 'r', false, '{bcce_analytics_user,bcce_cost_analyst}', '(tenant_id = ( SELECT bcce.current_tenant() AS current_tenant))', NULL),
               ('platform', true, 'r', false, '{bcce_platform}', '(tenant_id = ANY (( SELECT bcce.current_tenants() AS current_tenants)))', NULL),
               ('writer', true, '*', true, '{bcce_owner}',
                '(( SELECT bcce.bypasses_row_security() AS bypasses_row_security) OR (tenant_id = ANY (( SELECT bcce.current_tenants() AS current_tenants))))',
                '(( SELECT bcce.bypasses_row_security() AS bypasses_row_security) OR (tenant_id = ANY (( SELECT bcce.current_tenants() AS current_tenants))))'),
               ('maintainer', true, '*', true, '{bcce_maintainer}', 'true', 'true')
    ), policy AS (
        SELECT o.name, o.nspname, o.has_tenant, p.oid, p.polrelid, p.polname, p.polpermissive, p.polcmd, p.polroles,
               (SELECT array_agg(r.rolname::text ORDER BY r.rolname) FROM pg_roles r WHERE r.oid = ANY (p.polroles)) AS roles,
               replace(pg_get_expr(p.polqual, p.polrelid), '::uuid[]', '') AS reads,
               replace(pg_get_expr(p.polwithcheck, p.polrelid), '::uuid[]', '') AS writes
        FROM ours o JOIN pg_policy p ON p.polrelid = o.oid
    ), granted AS (
        SELECT o.oid, o.name, o.nspname, o.relname, o.relkind, o.relispartition, o.is_member, o.relowner, a.grantee, a.privilege_type, NULL AS column_name
        FROM ours o, aclexplode(o.relacl) AS a
        UNION ALL
        SELECT o.oid, o.name, o.nspname, o.relname, o.relkind, o.relispartition, o.is_member, o.relowner, a.grantee, a.privilege_type, t.attname
        FROM ours o JOIN pg_attribute t ON t.attrelid = o.oid, aclexplode(t.attacl) AS a
    ), reader (oid, relkind, reloptions, relowner, relacl) AS (    -- what reads the store, at any distance
        SELECT c.oid, c.relkind, c.reloptions, c.relowner, c.relacl
        FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class c ON c.oid = r.ev_class
        WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
          AND d.refobjid IN (SELECT o.oid FROM ours o WHERE NOT o.is_member) AND c.oid <> d.refobjid
        UNION
        SELECT c.oid, c.relkind, c.reloptions, c.relowner, c.relacl
        FROM reader x JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = x.oid AND d.classid = 'pg_rewrite'::regclass
        JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class c ON c.oid = r.ev_class WHERE c.oid <> x.oid
    )
    SELECT 'row_security_off', 'error', o.name, 'Row security is not enabled and forced.',
           format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;', o.name)
    FROM ours o
    WHERE o.relkind IN ('r', 'p') AND NOT o.is_member AND (o.has_tenant OR o.nspname = 'bcce_private') AND NOT (o.relrowsecurity AND o.relforcerowsecurity)
    UNION ALL
    SELECT 'policy_missing', 'error', o.name, format('The policy %s is missing or has another form.', w.policy),
           CASE WHEN o.name = 'bcce_data.tenants' THEN 'SELECT * FROM bcce.install();' ELSE format('DROP POLICY IF EXISTS %I ON %s; SELECT bcce_data.secure_table(%L);', w.policy, o.name, o.name) END
    FROM ours o JOIN wanted w ON w.on_private OR o.nspname <> 'bcce_private'
    LEFT JOIN policy p ON p.polrelid = o.oid AND p.polname = w.policy AND p.polpermissive = w.is_permissive AND p.polcmd = w.command
         AND p.roles = w.roles AND p.reads = w.reads AND p.writes IS NOT DISTINCT FROM w.writes
    WHERE o.relkind IN ('r', 'p') AND o.has_tenant AND p.oid IS NULL
    UNION ALL
    SELECT 'policy_widens', 'error', p.name, format('The policy %s is permissive, so it adds rows to those that the wall lets through.', p.polname),
           format('DROP POLICY %I ON %s;', p.polname, p.name)
    FROM policy p
    WHERE p.polpermissive AND p.polname NOT IN (SELECT w.policy FROM wanted w)
      AND (p.name, p.polname) <> ('bcce_data.rejected_input', 'writer_of_nobody')
    UNION ALL
    SELECT 'policy_setting', 'error', p.name, format('The policy %s asks a setting, which any user can set.', p.polname),
           format('DROP POLICY %I ON %s;', p.polname, p.name)
    FROM policy p WHERE concat(p.reads, p.writes) ~ 'current_setting\('
    UNION ALL
    SELECT 'policy_per_row', 'warning', p.name, format('The policy %s calls the tenant getter for each row.', p.polname),
           'Write (SELECT bcce.current_tenant()), which is evaluated once.'
    FROM policy p
    WHERE regexp_replace(concat(p.reads, p.writes), '\( SELECT bcce\.current_tenants?\(\) AS current_tenants?\)', '', 'g') ~ 'current_tenants?\(\)'
    UNION ALL
    SELECT 'policy_volatility', 'error', f.oid::regprocedure::text, 'Policies call it, and it is not STABLE.', format('ALTER FUNCTION %s STABLE;', f.oid::regprocedure)
    FROM pg_proc f
    WHERE f.provolatile <> 's'
      AND f.oid IN (SELECT d.refobjid FROM policy p JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_proc'::regclass)
    UNION ALL
    SELECT 'partition_granted', 'error', g.name, format('%s has %s on a partition, which goes past the policies and rights of its parent.', coalesce(r.rolname, 'PUBLIC'), g.privilege_type),
           format('REVOKE ALL ON %s FROM %s;', g.name, coalesce(quote_ident(r.rolname), 'PUBLIC'))
    FROM granted g LEFT JOIN pg_roles r ON r.oid = g.grantee
    WHERE g.relispartition AND g.grantee <> g.relowner
    UNION ALL
    SELECT 'privilege_excess', 'error', g.name || coalesce('.' || g.column_name, ''),
           format('%s has %s, which nobody needs.', coalesce(r.rolname, 'PUBLIC'), g.privilege_type),
           format('REVOKE %s%s ON %s FROM %s;', g.privilege_type, ' (' || quote_ident(g.column_name) || ')', g.name, coalesce(quote_ident(r.rolname), 'PUBLIC'))
    FROM granted g LEFT JOIN pg_roles r ON r.oid = g.grantee
    WHERE g.grantee <> g.relowner AND NOT g.relispartition AND NOT g.is_member AND NOT coalesce(r.rolsuper, false)
      AND CASE WHEN g.column_name IS NOT NULL
               THEN g.nspname = 'bcce_private' OR g.privilege_type <> 'SELECT' OR coalesce(r.rolname, '') NOT IN ('bcce_analytics_user', 'bcce_cost_analyst', 'bcce_platform')
               ELSE g.nspname <> 'bcce' OR g.relkind <> 'v' OR g.grantee = 0
                    OR g.privilege_type NOT IN ('SELECT', 'INSERT') OR (g.privilege_type = 'INSERT') <> (g.relname LIKE 'inbox\_%') END
    UNION ALL
    SELECT 'schema_open', 'error', n.nspname, format('%s has %s on the schema.', coalesce(r.rolname, 'PUBLIC'), a.privilege_type),
           format('REVOKE %s ON SCHEMA %I FROM %s;', a.privilege_type, n.nspname, coalesce(quote_ident(r.rolname), 'PUBLIC'))
    FROM pg_namespace n CROSS JOIN aclexplode(n.nspacl) AS a LEFT JOIN pg_roles r ON r.oid = a.grantee
    WHERE a.grantee <> n.nspowner AND coalesce(r.rolname, '') NOT IN ('bcce_owner', 'bcce_maintainer')
      AND (n.nspname IN ('bcce_data', 'bcce_private') OR (n.nspname IN ('bcce', 'public') AND a.privilege_type = 'CREATE' AND NOT coalesce(r.rolsuper, false)
           AND (n.nspname = 'bcce' OR a.grantee = 0)))
    UNION ALL
    SELECT 'owner_other', 'error', o.name, format('It belongs to %s, whom no policy or right binds.', o.relowner::regrole), format('ALTER TABLE %s OWNER TO bcce_owner;', o.name)
    FROM ours o WHERE NOT o.is_member AND o.relkind IN ('r', 'p', 'v') AND o.relowner <> 'bcce_owner'::regrole
    UNION ALL
    SELECT 'view_as_owner', 'error', v.oid::regclass::text, 'The view reads the store with the rights of its owner, past row security.',
           format('ALTER VIEW %s SET (security_invoker = true);', v.oid::regclass)
    FROM (SELECT x.oid, x.relkind, x.reloptions FROM reader x
          UNION SELECT c.oid, c.relkind, c.reloptions FROM pg_class c WHERE c.relnamespace = 'bcce'::regnamespace) AS v
    WHERE v.relkind = 'v' AND NOT coalesce(v.reloptions && '{security_invoker=true,security_invoker=on,security_invoker=1}', false)
    UNION ALL
    SELECT 'materialized_view', 'error', v.oid::regclass::text, 'It keeps rows of all tenants, and row security does not reach them.',
           format('REVOKE ALL ON %s FROM %s;', v.oid::regclass, string_agg(DISTINCT coalesce(quote_ident(r.rolname), 'PUBLIC'), ', '))
    FROM reader v CROSS JOIN aclexplode(v.relacl) AS a LEFT JOIN pg_roles r ON r.oid = a.grantee
    WHERE v.relkind = 'm' AND a.grantee <> v.relowner
    GROUP BY v.oid
    UNION ALL
    SELECT 'trigger_off', 'error', o.name, format('The trigger %s is not ENABLE ALWAYS.', t.tgname), format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I;', o.name, t.tgname)
    FROM ours o JOIN pg_trigger t ON t.tgrelid = o.oid
    WHERE t.tgfoid IN ('bcce.redact_columns()'::regprocedure, 'bcce.invalidate_cache()'::regprocedure) AND t.tgenabled <> 'A'
    UNION ALL
    SELECT 'trigger_missing', 'error', o.name, 'The redaction trigger is missing.', 'SELECT * FROM bcce.install();'
    FROM ours o
    WHERE o.relkind IN ('r', 'p') AND o.has_tenant AND o.nspname = 'bcce_data'
      -- Text under a check of words or of form needs none; rules are checked by a trigger of their own.
      AND o.relname <> 'redaction_rules'
      AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = o.oid AND a.attnum > 0 AND NOT a.attisdropped
                  AND a.atttypid IN ('text'::regtype, 'varchar'::regtype, 'json'::regtype, 'jsonb'::regtype, 'inet'::regtype, 'cidr'::regtype, 'text[]'::regtype)
                  AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conrelid = o.oid AND c.contype = 'c' AND a.attnum = ANY (c.conkey)
                                  AND pg_get_constraintdef(c.oid) ~ (format('\m%s\M', a.attname) || ' (= ANY|= |~ )')))
      AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = o.oid AND t.tgfoid = 'bcce.redact_columns()'::regprocedure)
    UNION ALL
    SELECT 'key_without_tenant', 'warning', o.name, format('The key %s does not begin with tenant_id, so it tells one tenant what another has.', c.conname),
           format('ALTER TABLE %s DROP CONSTRAINT %I;', o.name, c.conname)
    FROM ours o JOIN pg_constraint c ON c.conrelid = o.oid
    WHERE o.has_tenant AND NOT o.relispartition AND c.contype IN ('p', 'u', 'f', 'x')
      AND (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = o.oid AND a.attnum = c.conkey[1]) <> 'tenant_id'
      AND NOT (c.contype = 'f' AND c.confrelid IN (SELECT x.oid FROM ours x WHERE NOT x.has_tenant))
      AND (o.name, c.conname::text) NOT IN (VALUES ('bcce_data.tenants', 'tenants_slug_key'), ('bcce_data.tenants', 'tenants_external_id_key'))
    UNION ALL
    SELECT 'key_without_tenant', 'warning', o.name, format('The unique index %s does not begin with tenant_id, so it tells one tenant what another has.', x.indexrelid::regclass),
           format('DROP INDEX %s;', x.indexrelid::regclass)
    FROM ours o JOIN pg_index x ON x.indrelid = o.oid
    WHERE o.has_tenant AND NOT o.relispartition AND x.indisunique AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = x.indexrelid)
      AND (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = o.oid AND a.attnum = x.indkey[0]) IS DISTINCT FROM 'tenant_id'
$body$;
COMMENT ON FUNCTION bcce_data.check_tables() IS 'what check_security() finds at tables, views and triggers';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '46_check_roles', $bcce_module$
-- What check_security() looks for at roles, functions, settings and keys.
CREATE OR REPLACE FUNCTION bcce_data.check_roles() RETURNS TABLE (id text, level text, object text, detail text, fix text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
    WITH RECURSIVE groups AS (
        SELECT r.oid, r.rolname, r.rolcanlogin, r.rolsuper, r.rolbypassrls, r.rolcreaterole, r.rolcreatedb, r.rolreplication
        FROM pg_roles r
        WHERE r.rolname IN ('bcce_owner', 'bcce_maintainer', 'bcce_analytics_user', 'bcce_cost_analyst', 'bcce_analytics_admin', 'bcce_ingest', 'bcce_platform', 'bcce_token')
    ), belongs (member, role) AS (      -- who is in which role, at any distance
        SELECT m.member, m.roleid FROM pg_auth_members m
        UNION
        SELECT b.member, m.roleid FROM belongs b JOIN pg_auth_members m ON m.member = b.role
    ), membership (member, role, fix) AS (      -- since 16 each grantor's is one of its own, which only it or its name revokes
        SELECT m.member, m.roleid, format('REVOKE %s FROM %s', m.roleid::regrole, m.member::regrole)
               || coalesce(' GRANTED BY ' || quote_ident(g.rolname), '') || CASE WHEN m.admin_option THEN ' CASCADE;' ELSE ';' END
        FROM pg_auth_members m LEFT JOIN pg_roles g ON g.oid = m.grantor AND g.oid <> 10
    ), power (role, id, level) AS (     -- of roles that the server brings
        VALUES ('pg_read_all_data', 'login_reads_all', 'error'), ('pg_write_all_data', 'login_reads_all', 'error'),
               ('pg_read_server_files', 'login_reads_all', 'error'), ('pg_write_server_files', 'login_reads_all', 'error'),
               ('pg_execute_server_program', 'login_reads_all', 'error'),
               ('pg_monitor', 'login_reads_all', 'warning'), ('pg_read_all_stats', 'login_reads_all', 'warning'),
               ('pg_signal_backend', 'login_disturbs', 'warning'), ('pg_maintain', 'login_disturbs', 'warning')
    ), login AS (                       -- logins that have to do with tenants
        SELECT r.oid, r.rolname, r.rolsuper, r.rolbypassrls, r.rolcreaterole, r.rolreplication
        FROM pg_roles r
        WHERE r.rolcanlogin
          AND (EXISTS (SELECT FROM belongs b JOIN groups g ON g.oid = b.role WHERE b.member = r.oid)
               OR EXISTS (SELECT FROM bcce_private.membership m WHERE m.role = r.oid)
               OR EXISTS (SELECT FROM bcce_private.token_login t WHERE t.role = r.oid))
    )
    SELECT 'group_power', 'error', g.rolname::text, 'A group role of bcce can log in or has an attribute of power.',
           format('ALTER ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION;', g.rolname)
    FROM groups g WHERE g.rolcanlogin OR g.rolsuper OR g.rolbypassrls OR g.rolcreaterole OR g.rolcreatedb OR g.rolreplication
    UNION ALL
    SELECT 'owner_granted', 'error', m.member::regrole::text, format('It is a member of %s, which owns the store or its upkeep.', m.role::regrole), m.fix
    FROM membership m JOIN groups g ON g.oid = m.role
    WHERE g.rolname IN ('bcce_owner', 'bcce_maintainer') AND m.member <> 'bcce_maintainer'::regrole
      AND NOT (SELECT r.rolsuper FROM pg_roles r WHERE r.oid = m.member)
    UNION ALL
    SELECT 'login_power', 'error', l.rolname::text,
           concat_ws(', ', CASE WHEN l.rolsuper THEN 'superuser' END, CASE WHEN l.rolbypassrls THEN 'bypasses row security' END,
                     CASE WHEN l.rolcreaterole THEN 'can make roles' END, CASE WHEN l.rolreplication THEN 'can replicate' END) || ': the wall does not hold it.',
           format('ALTER ROLE %I NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOREPLICATION;', l.rolname)
    FROM login l WHERE l.rolsuper OR l.rolbypassrls OR l.rolcreaterole OR l.rolreplication
    UNION ALL
    SELECT p.id, p.level, l.rolname::text, format('It is a member of %s.', p.role), string_agg(DISTINCT m.fix, ' ')
    FROM login l JOIN belongs b ON b.member = l.oid JOIN power p ON p.role = b.role::regrole::text
    JOIN membership m ON m.role = b.role AND (m.member = l.oid OR EXISTS (SELECT FROM belongs x WHERE x.member = l.oid AND x.role = m.member))
    WHERE m.member::regrole::text NOT LIKE 'pg\_%'
    GROUP BY p.id, p.level, l.rolname, p.role
    UNION ALL
    SELECT 'login_owns_database', 'error', l.rolname::text, 'It owns the database.', format('ALTER DATABASE %I OWNER TO another_role;', d.datname)
    FROM login l JOIN pg_database d ON d.datdba = l.oid AND d.datname = current_database()
    UNION ALL
    -- RESET ROLE and SET ROLE are one statement away for whoever types SQL.
    SELECT 'login_two_tenants', 'error', l.rolname::text, format('By SET ROLE it can become roles of %s tenants.', count(DISTINCT m.tenant_id)),
           'Give each tenant a login of its own, or use tokens.'
    FROM login l JOIN bcce_private.membership m ON m.role = l.oid OR EXISTS (SELECT FROM belongs b WHERE b.member = l.oid AND b.role = m.role)
    WHERE NOT l.rolsuper
    GROUP BY l.oid, l.rolname
    HAVING count(DISTINCT m.role::oid) > 1 AND count(DISTINCT m.tenant_id) > 1
    UNION ALL
    SELECT 'membership_dangling', 'warning', m.role_name,
           CASE WHEN m.role IS NULL THEN 'No role of this name exists; the next one of it gets the tenant.' ELSE 'The role is dropped.' END,
           format('DELETE FROM bcce_private.membership WHERE role_name = %L AND tenant_id = %L;', m.role_name, m.tenant_id)
    FROM bcce_private.membership m
    WHERE m.role IS NULL OR NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = m.role)
    UNION ALL
    SELECT 'token_login_dangling', 'warning', t.role_name, 'The role is dropped, or no role of this name exists.',
           format('DELETE FROM bcce_private.token_login WHERE role_name = %L;', t.role_name)
    FROM bcce_private.token_login t
    WHERE t.role IS NULL OR NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = t.role)
    UNION ALL
    SELECT 'token_login_bound', 'warning', t.role_name, 'It presents tokens and has memberships, which would count if it ceased to.', 'SELECT bcce.remove_membership(role, tenant);'
    FROM bcce_private.token_login t WHERE EXISTS (SELECT FROM bcce_private.membership m WHERE m.role = t.role)
    UNION ALL
    SELECT 'key_expired', 'info', k.kid, 'The key is past its end.', format('DELETE FROM bcce_private.context_key WHERE kid = %L;', k.kid)
    FROM bcce_private.context_key k WHERE k.not_after < now() AND k.revoked_at IS NULL
    UNION ALL
    SELECT 'parameter_granted', 'warning', p.parname, format('%s has %s on the setting.', coalesce(r.rolname, 'PUBLIC'), a.privilege_type),
           format('REVOKE %s ON PARAMETER %s FROM %s;', a.privilege_type, p.parname, coalesce(quote_ident(r.rolname), 'PUBLIC'))
    FROM pg_parameter_acl p CROSS JOIN aclexplode(p.paracl) AS a LEFT JOIN pg_roles r ON r.oid = a.grantee
    WHERE p.parname LIKE 'bcce.%' AND NOT coalesce(r.rolsuper, false)
    UNION ALL
    SELECT 'definer_path', 'error', f.oid::regprocedure::text, 'It runs with the rights of its owner and has no search_path that ends in pg_temp.',
           format('ALTER FUNCTION %s SET search_path = pg_catalog, pg_temp;', f.oid::regprocedure)
    FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace
    WHERE n.nspname IN ('bcce', 'bcce_data', 'bcce_private') AND f.prosecdef
      AND NOT EXISTS (SELECT FROM unnest(f.proconfig) AS c WHERE c ~ '^search_path=.*pg_temp$')
    UNION ALL
    SELECT 'definer_superuser', 'error', f.oid::regprocedure::text, format('It runs as %s, whom row security does not hold, and %s may call it.', o.rolname,
           coalesce((SELECT string_agg(DISTINCT coalesce(g.rolname, 'PUBLIC'), ', ') FROM aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) AS a LEFT JOIN pg_roles g ON g.oid = a.grantee
                     WHERE a.grantee <> f.proowner), 'its owner')),
           CASE WHEN n.nspname IN ('bcce', 'bcce_data', 'bcce_private') THEN 'SELECT * FROM bcce.install();' ELSE format('ALTER ROUTINE %s SECURITY INVOKER;', f.oid::regprocedure) END
    FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace JOIN pg_roles o ON o.oid = f.proowner
    WHERE f.prosecdef AND (o.rolsuper OR o.rolbypassrls) AND o.oid NOT IN (SELECT g.oid FROM groups g) AND n.nspname NOT IN ('pg_catalog', 'information_schema')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e' AND n.nspname NOT IN ('bcce', 'bcce_data', 'bcce_private'))
      AND (n.nspname IN ('bcce', 'bcce_data', 'bcce_private')
           OR EXISTS (SELECT FROM aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) AS a
                      WHERE a.grantee = 0 OR a.grantee IN (SELECT g.oid FROM groups g) OR a.grantee IN (SELECT l.oid FROM login l WHERE NOT l.rolsuper)))
    UNION ALL
    SELECT 'function_open', 'error', f.oid::regprocedure::text, 'Everybody may call it.', format('REVOKE ALL ON ROUTINE %s FROM PUBLIC;', f.oid::regprocedure)
    FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace
    WHERE n.nspname IN ('bcce', 'bcce_data', 'bcce_private') AND f.oid <> 'bcce.whoami()'::regprocedure
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e')
      AND EXISTS (SELECT FROM aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) AS a WHERE a.grantee = 0)
    UNION ALL
    SELECT 'function_leakproof', 'error', f.oid::regprocedure::text, 'It is marked LEAKPROOF, so it meets rows before the policies do.', format('ALTER FUNCTION %s NOT LEAKPROOF;', f.oid::regprocedure)
    FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace
    WHERE f.proleakproof AND n.nspname NOT IN ('pg_catalog', 'information_schema')
      AND (n.nspname IN ('bcce', 'bcce_data', 'bcce_private')
           OR NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e'))
$body$;
COMMENT ON FUNCTION bcce_data.check_roles() IS 'what check_security() finds at roles, functions, settings and keys';

CREATE OR REPLACE FUNCTION bcce.check_security() RETURNS TABLE (id text, level text, object text, detail text, fix text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
    SELECT c.id, c.level, c.object, c.detail, c.fix
    FROM (SELECT * FROM bcce_data.check_tables() UNION ALL SELECT * FROM bcce_data.check_roles()) AS c
    ORDER BY array_position('{error,warning,info}', c.level), c.id, c.object, c.detail
$body$;
COMMENT ON FUNCTION bcce.check_security() IS
'Faults in the catalogue that let a tenant see more than its own, or that would if another thing failed too: id of the rule, level (error: the wall has a hole; warning: it is weaker; info), object, what is wrong, and the way out. No row: nothing found. What everybody may do in the database by the server''s own defaults is shown by harden_database() instead.';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '50_gate', $bcce_module$
-- What every way in shares: identifiers, first mentions, counted rejections.
-- These run inside the definer functions that call them, under their pinned
-- search_path.
--
-- A fact has one function, put_...s(), for one row and for many: it takes rows
-- of a type given_..., in the order in which the sender gave them, stores what
-- is sound, and returns for each row the reason of its refusal or NULL.  A row
-- whose fault is set already is only handed back.
--
-- Plans are kept and met by batches of every size, so nothing here may join
-- two batches: with a plan made for single rows that would be a nested loop.
-- Lists are asked by IN (...) in a place that the planner cannot turn into a
-- join, which hashes them, and words by a jsonb object.  And a key that is
-- looked up comes out of a sub-select with OFFSET 0: row security lets no
-- function that is not leakproof near an index.  Nor may a plan made while a
-- table was small read it whole for every row when it has grown: a look-up is
-- a sub-select that the planner cannot turn into a join, by LATERAL ... OFFSET 0
-- or EXISTS (...) IS NOT TRUE, and the callers switch sequential scans off.
CREATE OR REPLACE FUNCTION bcce_data.key_text(tenant uuid, value text) RETURNS text
LANGUAGE sql STABLE AS $body$
    SELECT CASE WHEN bcce.contains_pii(value, tenant) THEN bcce.pseudonym(value, 'id', tenant) ELSE value END
$body$;
COMMENT ON FUNCTION bcce_data.key_text(uuid, text) IS 'an identifier as the redaction trigger will store it, so that it can be looked up before';

CREATE OR REPLACE FUNCTION bcce_data.time_fault(VARIADIC instants timestamptz[]) RETURNS text
LANGUAGE sql IMMUTABLE AS $body$
    SELECT CASE WHEN '1970-01-01 00:00:00+00' > ANY (instants) OR '2201-01-01 00:00:00+00' <= ANY (instants)
                THEN 'time_out_of_range' END
$body$;
COMMENT ON FUNCTION bcce_data.time_fault(timestamptz[]) IS 'reason to refuse an instant outside 1970 to 2200, NULL where there is none';

CREATE OR REPLACE FUNCTION bcce_data.reject(source text, tenants uuid[], reasons text[], example_keys text[]) RETURNS void
LANGUAGE plpgsql VOLATILE AS $body$
BEGIN
    IF reasons IS NULL THEN
        RETURN;
    END IF;
    INSERT INTO bcce_data.rejected_input (tenant_id, source, reason, example_key, rejected_count)
    SELECT coalesce(r.tenant, bcce.current_tenant(), '00000000-0000-0000-0000-000000000000'), reject.source, r.reason,
           min(r.example_key) FILTER (WHERE r.tenant IS NOT NULL AND length(r.example_key) <= 256), count(*)
    FROM unnest(tenants, reasons, example_keys) AS r (tenant, reason, example_key)
    GROUP BY 1, r.reason;
END
$body$;
COMMENT ON FUNCTION bcce_data.reject(text, uuid[], text[], text[]) IS 'counts refused rows; an id is kept only where the tenant is known, whose key can hide it';

CREATE OR REPLACE FUNCTION bcce_data.tenant_word(tenant text) RETURNS text
LANGUAGE sql IMMUTABLE AS $body$
    SELECT CASE WHEN octet_length(tenant) <= 300 THEN tenant ELSE left(coalesce(tenant, ''), 300) END
$body$;
COMMENT ON FUNCTION bcce_data.tenant_word(text) IS 'a row''s tenant as resolve_tenants() takes it: longer ones than any that exists are cut';

CREATE OR REPLACE FUNCTION bcce_data.resolve_tenants(words text[]) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $body$
BEGIN
    RETURN (SELECT jsonb_object_agg(w.word, bcce_data.resolve_tenant(w.word)) FROM unnest(words) AS w (word));
END
$body$;
COMMENT ON FUNCTION bcce_data.resolve_tenants(text[]) IS 'tenants by word, as resolve_tenant(); null for unknown ones';

CREATE OR REPLACE FUNCTION bcce_data.status_word(tenant text, word text) RETURNS text
LANGUAGE sql IMMUTABLE AS $body$
    SELECT tenant || ' ' || left(lower(btrim(word)), 101)
$body$;
COMMENT ON FUNCTION bcce_data.status_word(text, text) IS 'a tenant''s id and a sender''s word as known_words() takes them: longer words than any that exists are cut';

CREATE OR REPLACE FUNCTION bcce_data.known_words(kind text, words text[]) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $body$
BEGIN
    RETURN (SELECT jsonb_object_agg(w.word, bcce_data.known_word(left(w.word, 36)::uuid, kind, substr(w.word, 38)))
            FROM unnest(words) AS w (word) WHERE w.word IS NOT NULL);
END
$body$;
COMMENT ON FUNCTION bcce_data.known_words(text, text[]) IS 'the reports'' words for the words of senders, as known_word(); null where nobody knows one';

CREATE OR REPLACE FUNCTION bcce_data.mention_services(tenants uuid[], services text[]) RETURNS void
LANGUAGE plpgsql VOLATILE AS $body$
BEGIN
    INSERT INTO bcce_data.services (tenant_id, service_id, service_name)
    SELECT m.tenant, m.key, m.service
    FROM (
        SELECT g.tenant, g.service, bcce_data.key_text(g.tenant, g.service) AS key
        FROM unnest(tenants, services) AS g (tenant, service)
        WHERE g.service IS NOT NULL OFFSET 0) AS m
    WHERE (EXISTS (SELECT FROM bcce_data.services s WHERE s.tenant_id = m.tenant AND s.service_id = m.key)) IS NOT TRUE
    ORDER BY m.tenant, m.key COLLATE "C"
    ON CONFLICT DO NOTHING;
END
$body$;
COMMENT ON FUNCTION bcce_data.mention_services(uuid[], text[]) IS 'makes the rows of services at their first mention';

CREATE OR REPLACE FUNCTION bcce_data.writable_tenant(tenant text) RETURNS uuid
LANGUAGE plpgsql STABLE AS $body$
DECLARE
    target uuid := bcce_data.resolve_tenant(tenant);
BEGIN
    IF target IS NULL THEN
        PERFORM bcce_data.refuse('unknown_tenant');
    END IF;
    RETURN target;
END
$body$;
COMMENT ON FUNCTION bcce_data.writable_tenant(text) IS 'tenant that the caller may write for; error P0002 where there is none';

CREATE OR REPLACE FUNCTION bcce_data.refuse_any(faults text[]) RETURNS void
LANGUAGE plpgsql STABLE AS $body$
BEGIN
    IF faults[1] IS NOT NULL THEN
        PERFORM bcce_data.refuse(faults[1]);
    END IF;
END
$body$;
COMMENT ON FUNCTION bcce_data.refuse_any(text[]) IS 'raises the error of the one row that a caller gave, if it has one';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '51_workflow_runs', $bcce_module$
-- Ways in for runs of workflows.
DO $do$
BEGIN
    IF to_regtype('bcce_data.given_workflow_run') IS NULL THEN
        CREATE TYPE bcce_data.given_workflow_run AS (
            tenant_id uuid, fault text, run_id text, workflow_id text, service_id text, user_id text, status text,
            queued_at timestamptz, started_at timestamptz, finished_at timestamptz, error_class text, error_message text,
            environment text, region text, risk_level text, identity_provider text, retry_of text, source_account text,
            classification text, source text, is_test boolean);
    END IF;
END
$do$;
COMMENT ON TYPE bcce_data.given_workflow_run IS 'a run as a sender gives it';

CREATE OR REPLACE FUNCTION bcce_data.put_workflow_runs(runs bcce_data.given_workflow_run[]) RETURNS text[]
LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    faults text[];
    made_tenants uuid[];
    made_runs text[];
    known bigint[];             -- first rows of runs that were known before
    later bigint[];             -- further rows of the runs of this batch
    ordinal bigint;
BEGIN
    SELECT array_agg(coalesce(r.fault, CASE
        WHEN r.workflow_id IS NULL OR r.workflow_id = '' OR r.run_id IS NULL OR r.run_id = '' THEN 'missing_id'
        WHEN greatest(length(r.run_id), length(r.workflow_id), length(r.service_id), length(r.retry_of)) > 256 THEN 'key_too_long'
        WHEN r.started_at IS NULL THEN 'missing_time'
        WHEN r.status IS NULL THEN 'unknown_status'
        WHEN r.finished_at < r.started_at THEN 'finished_before_started'
        WHEN r.status = 'running' AND r.finished_at IS NOT NULL THEN 'finished_while_running'
        WHEN r.status <> 'running' AND r.finished_at IS NULL THEN 'finished_missing'
        ELSE bcce_data.time_fault(r.started_at, r.finished_at, r.queued_at)
    END)) INTO faults
    FROM unnest(runs) AS r;

    PERFORM bcce_data.mention_services(array_agg(m.tenant_id), array_agg(m.service_id)) FROM (
        SELECT DISTINCT (g.run).tenant_id, nullif((g.run).service_id, '') AS service_id
        FROM (SELECT unnest(runs) AS run, unnest(faults) AS fault) AS g WHERE g.fault IS NULL) AS m;
    IF EXISTS (
        SELECT FROM (
            SELECT d.tenant_id, bcce_data.key_text(d.tenant_id, d.workflow_id) AS key FROM (
                SELECT DISTINCT (g.run).tenant_id, (g.run).workflow_id
                FROM (SELECT unnest(runs) AS run, unnest(faults) AS fault) AS g WHERE g.fault IS NULL) AS d OFFSET 0) AS m
        WHERE (EXISTS (SELECT FROM bcce_data.workflows w WHERE w.tenant_id = m.tenant_id AND w.workflow_id = m.key)) IS NOT TRUE) THEN
        INSERT INTO bcce_data.workflows (tenant_id, workflow_id, name, service_id)
        SELECT DISTINCT ON ((g.run).tenant_id, (g.run).workflow_id COLLATE "C")
               (g.run).tenant_id, (g.run).workflow_id, (g.run).workflow_id, nullif((g.run).service_id, '')
        FROM (SELECT unnest(runs) AS run, unnest(faults) AS fault, generate_subscripts(faults, 1) AS ordinal) AS g
        WHERE g.fault IS NULL
        ORDER BY (g.run).tenant_id, (g.run).workflow_id COLLATE "C", g.ordinal
        ON CONFLICT DO NOTHING;
    END IF;

    -- In the order of the keys, so that two writers with the same runs wait
    -- for each other instead of deadlocking.
    WITH made AS (
        INSERT INTO bcce_data.workflow_run_keys (tenant_id, run_id, started_at)
        SELECT h.tenant_id, h.key, h.started_at
        FROM (
            SELECT (g.run).tenant_id, bcce_data.key_text((g.run).tenant_id, (g.run).run_id) AS key, (g.run).started_at, g.ordinal
            FROM (SELECT unnest(runs) AS run, unnest(faults) AS fault, generate_subscripts(faults, 1) AS ordinal) AS g
            WHERE g.fault IS NULL) AS h
        ORDER BY h.tenant_id, h.key COLLATE "C", h.ordinal
        ON CONFLICT DO NOTHING
        RETURNING tenant_id, run_id
    )
    SELECT array_agg(m.tenant_id), array_agg(m.run_id) INTO made_tenants, made_runs FROM made m;
    IF coalesce(cardinality(made_runs), 0) < cardinality(array_positions(faults, NULL)) THEN
        SELECT array_agg(k.ordinal) FILTER (WHERE k.place = k.is_made::integer + 1),
               array_agg(k.ordinal ORDER BY k.tenant_id, k.run_id COLLATE "C", k.ordinal) FILTER (WHERE k.place > k.is_made::integer + 1)
        INTO known, later
        FROM (
            SELECT h.tenant_id, h.run_id, h.ordinal,
                   ((h.tenant_id, h.run_id) IN (SELECT * FROM unnest(made_tenants, made_runs))) IS TRUE AS is_made,
                   row_number() OVER (PARTITION BY h.tenant_id, h.run_id ORDER BY h.ordinal) AS place
            FROM (
                SELECT (g.run).tenant_id, bcce_data.key_text((g.run).tenant_id, (g.run).run_id) AS run_id, g.ordinal
                FROM (SELECT unnest(runs) AS run, unnest(faults) AS fault, generate_subscripts(faults, 1)::bigint AS ordinal) AS g
                WHERE g.fault IS NULL) AS h
        ) AS k;
    END IF;

    INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, started_at, workflow_id, service_id, user_key, status,
        queued_at, finished_at, error_class, error_message, environment, region, risk_level, identity_provider,
        retry_of, source_account, source, classification, is_test, charged_usd)
    SELECT r.tenant_id, r.run_id, r.started_at, r.workflow_id,
        coalesce(nullif(r.service_id, ''), (
            SELECT w.service_id FROM (SELECT bcce_data.key_text(r.tenant_id, r.workflow_id) AS key OFFSET 0) AS m
            CROSS JOIN LATERAL (
                SELECT w.service_id FROM bcce_data.workflows w WHERE w.tenant_id = r.tenant_id AND w.workflow_id = m.key OFFSET 0) AS w)),
        nullif(r.user_id, ''), r.status, r.queued_at, r.finished_at, r.error_class, r.error_message, r.environment, r.region,
        r.risk_level, r.identity_provider, r.retry_of, r.source_account, coalesce(r.source, 'api'), r.classification,
        coalesce(r.is_test, false),
        CASE WHEN r.status <> 'skipped' AND r.is_test IS NOT TRUE
             THEN bcce.estimate_cost('workflow_run', 1, r.started_at, r.tenant_id) END
    FROM ROWS FROM (unnest(runs), unnest(faults)) WITH ORDINALITY AS r
    WHERE r.unnest IS NULL AND (r.ordinality IN (SELECT unnest(known))) IS NOT TRUE AND (r.ordinality IN (SELECT unnest(later))) IS NOT TRUE;
    IF known IS NULL THEN
        RETURN faults;
    END IF;

    -- A known run: a newer state replaces an older one, and what was not known
    -- is filled in, also by the start of a run whose end came first.  A run
    -- that ended does not run again.
    FOREACH ordinal IN ARRAY ARRAY(
        SELECT g.ordinality FROM (
            SELECT r.*, bcce_data.key_text(r.tenant_id, r.run_id) AS key FROM unnest(runs) WITH ORDINALITY AS r
            WHERE (r.ordinality IN (SELECT unnest(known))) IS TRUE OFFSET 0) AS g
        CROSS JOIN LATERAL (
            SELECT w.started_at FROM bcce_data.workflow_run_keys w WHERE w.tenant_id = g.tenant_id AND w.run_id = g.key OFFSET 0) AS w
        WHERE g.finished_at < w.started_at)
    LOOP
        faults[ordinal] := 'finished_before_started';
    END LOOP;
    INSERT INTO bcce_data.workflow_runs AS r (tenant_id, run_id, started_at, workflow_id, service_id, user_key, status,
        queued_at, finished_at, error_class, error_message, environment, region, risk_level, identity_provider,
        retry_of, source_account, source, classification, is_test, charged_usd)
    SELECT k.tenant_id, k.run_id, w.started_at, k.workflow_id, nullif(k.service_id, ''), nullif(k.user_id, ''), k.status,
        k.queued_at, k.finished_at, k.error_class, k.error_message, k.environment, k.region, k.risk_level, k.identity_provider,
        k.retry_of, k.source_account, coalesce(k.source, 'api'), k.classification, coalesce(k.is_test, false),
        CASE WHEN k.status <> 'skipped' AND k.is_test IS NOT TRUE
             THEN bcce.estimate_cost('workflow_run', 1, w.started_at, k.tenant_id) END
    FROM (
        SELECT g.*, bcce_data.key_text(g.tenant_id, g.run_id) AS key FROM ROWS FROM (unnest(runs), unnest(faults)) WITH ORDINALITY AS g
        WHERE g.unnest IS NULL AND (g.ordinality IN (SELECT unnest(known))) IS TRUE OFFSET 0) AS k
    CROSS JOIN LATERAL (
        SELECT w.started_at FROM bcce_data.workflow_run_keys w WHERE w.tenant_id = k.tenant_id AND w.run_id = k.key OFFSET 0) AS w
    ORDER BY k.tenant_id, k.key COLLATE "C"
    ON CONFLICT ON CONSTRAINT workflow_runs_pkey DO UPDATE
    SET status = CASE WHEN excluded.status = 'running' THEN r.status ELSE excluded.status END,
        finished_at = coalesce(excluded.finished_at, r.finished_at),
        queued_at = coalesce(r.queued_at, excluded.queued_at),
        service_id = coalesce(r.service_id, excluded.service_id),
        user_key = coalesce(r.user_key, excluded.user_key),
        error_class = CASE WHEN excluded.status = 'running' THEN coalesce(r.error_class, excluded.error_class)
                           ELSE coalesce(excluded.error_class, r.error_class) END,
        error_message = CASE WHEN excluded.status = 'running' THEN coalesce(r.error_message, excluded.error_message)
                             ELSE coalesce(excluded.error_message, r.error_message) END,
        environment = coalesce(r.environment, excluded.environment),
        region = coalesce(r.region, excluded.region),
        risk_level = coalesce(r.risk_level, excluded.risk_level),
        identity_provider = coalesce(r.identity_provider, excluded.identity_provider),
        retry_of = coalesce(r.retry_of, excluded.retry_of),
        source_account = coalesce(r.source_account, excluded.source_account),
        classification = coalesce(r.classification, excluded.classification),
        charged_usd = CASE WHEN r.status = 'skipped' AND NOT r.is_test THEN excluded.charged_usd ELSE r.charged_usd END;

    FOREACH ordinal IN ARRAY coalesce(later, '{}') LOOP
        faults[ordinal] := (bcce_data.put_workflow_runs(ARRAY[runs[ordinal]]))[1];
    END LOOP;
    RETURN faults;
END
$body$;
COMMENT ON FUNCTION bcce_data.put_workflow_runs(bcce_data.given_workflow_run[]) IS 'stores runs or brings known ones up to date; returns the reason of each that is refused';

CREATE OR REPLACE FUNCTION bcce.record_workflow_run(
    workflow_id text, status text, started_at timestamptz, finished_at timestamptz DEFAULT NULL,
    run_id text DEFAULT NULL, user_id text DEFAULT NULL, service_id text DEFAULT NULL, queued_at timestamptz DEFAULT NULL,
    error_class text DEFAULT NULL, error_message text DEFAULT NULL, environment text DEFAULT NULL, region text DEFAULT NULL,
    risk_level text DEFAULT NULL, identity_provider text DEFAULT NULL, retry_of text DEFAULT NULL,
    source_account text DEFAULT NULL, classification text DEFAULT NULL, source text DEFAULT 'api',
    is_test boolean DEFAULT false, tenant text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $body$
DECLARE
    run bcce_data.given_workflow_run;
BEGIN
    run.tenant_id := bcce_data.writable_tenant(tenant);
    run.run_id := coalesce(run_id, bcce.uuid_v7()::text);
    run.workflow_id := workflow_id;
    run.status := bcce_data.known_word(run.tenant_id, 'run_status', status);
    run.started_at := started_at;
    run.finished_at := finished_at;
    run.user_id := user_id;
    run.service_id := service_id;
    run.queued_at := queued_at;
    run.error_class := error_class;
    run.error_message := error_message;
    run.environment := environment;
    run.region := region;
    run.risk_level := risk_level;
    run.identity_provider := identity_provider;
    run.retry_of := retry_of;
    run.source_account := source_account;
    run.classification := classification;
    run.source := source;
    run.is_test := is_test;
    PERFORM bcce_data.refuse_any(bcce_data.put_workflow_runs(ARRAY[run]));
    RETURN bcce_data.key_text(run.tenant_id, run.run_id);
END
$body$;
COMMENT ON FUNCTION bcce.record_workflow_run(text, text, timestamptz, timestamptz, text, text, text, timestamptz, text, text, text, text, text, text, text, text, text, text, boolean, text) IS
'Records a run when it starts (status running) and again under the same run_id when it ends; returns the run_id, a new one where none is given. status takes the words of the reports and common synonyms. Free text is redacted, user_id stored as a pseudonym. Errors: P0002 tenant not found, 22023 unknown status, 23514 end before start or missing, 22004 missing id or time, 22001 id too long, 22008 time out of range.';

CREATE OR REPLACE VIEW bcce.inbox_workflow_runs WITH (security_invoker = true) AS
SELECT NULL::text AS tenant, NULL::text AS run_id, NULL::text AS workflow_id, NULL::text AS service_id, NULL::text AS user_id,
       NULL::text AS status, NULL::text AS queued_at, NULL::text AS started_at, NULL::text AS finished_at,
       NULL::text AS error_class, NULL::text AS error_message, NULL::text AS environment, NULL::text AS region,
       NULL::text AS risk_level, NULL::text AS identity_provider, NULL::text AS retry_of, NULL::text AS source_account,
       NULL::text AS classification, NULL::text AS source, NULL::text AS is_test
WHERE false;
COMMENT ON VIEW bcce.inbox_workflow_runs IS 'Write-only: INSERT or COPY runs here, all columns text; a later row with the same run_id completes the run. Bad rows are counted in bcce.rejected.';

CREATE OR REPLACE FUNCTION bcce_data.inbox_workflow_runs() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $body$
DECLARE
    tenants jsonb := bcce_data.resolve_tenants(ARRAY(SELECT DISTINCT bcce_data.tenant_word(b.tenant) FROM batch b));
    statuses jsonb := bcce_data.known_words('run_status', ARRAY(
        SELECT DISTINCT bcce_data.status_word(tenants ->> bcce_data.tenant_word(b.tenant), b.status) FROM batch b));
    runs bcce_data.given_workflow_run[];
    faults text[];
BEGIN
    SELECT array_agg(ROW(
        g.tenant_id::uuid,
        CASE
            WHEN g.tenant_id IS NULL THEN 'unknown_tenant'
            WHEN (g.queued_at <> '' AND g.queued IS NULL) OR (g.started_at <> '' AND g.started IS NULL)
                 OR (g.finished_at <> '' AND g.finished IS NULL) THEN 'bad_time'
            WHEN g.is_test <> '' AND bcce.try_boolean(g.is_test) IS NULL THEN 'bad_boolean'
        END,
        coalesce(nullif(g.run_id, ''), bcce.uuid_v7()::text), g.workflow_id, nullif(g.service_id, ''), g.user_id,
        statuses ->> bcce_data.status_word(g.tenant_id, g.status), g.queued, g.started, g.finished,
        nullif(g.error_class, ''), nullif(g.error_message, ''), nullif(g.environment, ''), nullif(g.region, ''),
        nullif(g.risk_level, ''), nullif(g.identity_provider, ''), nullif(g.retry_of, ''), nullif(g.source_account, ''),
        nullif(g.classification, ''), nullif(g.source, ''), bcce.try_boolean(g.is_test)
    )::bcce_data.given_workflow_run) INTO runs
    FROM (
        SELECT b.*, tenants ->> bcce_data.tenant_word(b.tenant) AS tenant_id, bcce.try_timestamptz(b.queued_at) AS queued,
               bcce.try_timestamptz(b.started_at) AS started, bcce.try_timestamptz(b.finished_at) AS finished
        FROM batch b OFFSET 0) AS g;
    faults := bcce_data.put_workflow_runs(runs);
    PERFORM bcce_data.reject('inbox_workflow_runs', array_agg((g.run).tenant_id), array_agg(g.fault), array_agg((g.run).run_id))
    FROM (SELECT unnest(runs) AS run, unnest(faults) AS fault) AS g WHERE g.fault IS NOT NULL;
    RETURN NULL;
END
$body$;
COMMENT ON FUNCTION bcce_data.inbox_workflow_runs() IS 'stores or refuses the rows of bcce.inbox_workflow_runs';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '52_incidents', $bcce_module$
-- Ways in for incidents.
DO $do$
BEGIN
    IF to_regtype('bcce_data.given_incident') IS NULL THEN
        CREATE TYPE bcce_data.given_incident AS (
            tenant_id uuid, fault text, incident_id text, service_id text, severity text, priority text, incident_type text,
            title text, status text, opened_at timestamptz, impact_started_at timestamptz, detected_at timestamptz,
            acknowledged_at timestamptz, mitigated_at timestamptz, recovered_at timestamptz, resolved_at timestamptz,
            closed_at timestamptz, merged_into text, affected_resources text, caused_by_run text, source text, is_test boolean);
    END IF;
END
$do$;
COMMENT ON TYPE bcce_data.given_incident IS 'an incident, or what became known of one, as a sender gives it';

CREATE OR REPLACE FUNCTION bcce_data.put_incidents(incidents bcce_data.given_incident[]) RETURNS text[]
LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    order_of CONSTANT text[] := ARRAY['open', 'acknowledged', 'mitigated', 'resolved', 'closed'];
    faults text[];
    opened timestamptz[];
    later bigint[];
    ordinal bigint;
BEGIN
    -- Of several rows of one incident the first goes with the others, the
    -- rest one by one after it.
    IF cardinality(incidents) > 1 THEN
        SELECT array_agg(k.ordinal ORDER BY k.tenant_id, k.incident_id COLLATE "C", k.ordinal) INTO later
        FROM (
            SELECT g.tenant_id, g.incident_id, g.ordinal,
                   row_number() OVER (PARTITION BY g.tenant_id, g.incident_id COLLATE "C" ORDER BY g.ordinal) AS place
            FROM (
                SELECT i.tenant_id, bcce_data.key_text(i.tenant_id, i.incident_id) AS incident_id, i.ordinality AS ordinal
                FROM unnest(incidents) WITH ORDINALITY AS i
                WHERE i.fault IS NULL AND i.incident_id <> '') AS g) AS k
        WHERE k.place > 1;
    END IF;
    later := coalesce(later, '{}');

    SELECT array_agg(CASE WHEN g.later THEN 'later' ELSE coalesce(g.fault, CASE
            WHEN g.incident_id IS NULL OR g.incident_id = '' THEN 'missing_id'
            WHEN greatest(length(g.incident_id), length(g.service_id), length(g.merged_into), length(g.caused_by_run)) > 256 THEN 'key_too_long'
            WHEN g.opened IS NULL THEN 'missing_time'
            ELSE bcce_data.time_fault(g.opened, g.impact_started_at, g.detected_at, g.acknowledged_at, g.mitigated_at,
                                      g.recovered_at, g.resolved_at, g.closed_at)
        END) END), array_agg(g.opened)
    INTO faults, opened
    FROM (
        SELECT i.*, (i.ordinality IN (SELECT unnest(later))) IS TRUE AS later,
               coalesce(i.opened_at, i.detected_at, i.impact_started_at,
                        (SELECT known.opened_at
                         FROM (SELECT bcce_data.key_text(i.tenant_id, i.incident_id) AS key WHERE length(i.incident_id) <= 256 OFFSET 0) AS m
                         CROSS JOIN LATERAL (
                             SELECT k.opened_at FROM bcce_data.incidents k
                             WHERE k.tenant_id = i.tenant_id AND k.incident_id = m.key OFFSET 0) AS known)) AS opened
        FROM unnest(incidents) WITH ORDINALITY AS i OFFSET 0) AS g;

    PERFORM bcce_data.mention_services(array_agg(m.tenant_id), array_agg(m.service_id)) FROM (
        SELECT DISTINCT (g.incident).tenant_id, nullif((g.incident).service_id, '') AS service_id
        FROM (SELECT unnest(incidents) AS incident, unnest(faults) AS fault) AS g WHERE g.fault IS NULL) AS m;

    -- What a later row says replaces what was known; what it leaves out stays.
    INSERT INTO bcce_data.incidents AS i (tenant_id, incident_id, service_id, severity, priority, incident_type, title, status,
        opened_at, impact_started_at, detected_at, acknowledged_at, mitigated_at, recovered_at, resolved_at, closed_at,
        merged_into, affected_resources, caused_by_run, source, is_test)
    SELECT r.tenant_id, r.incident_id, nullif(r.service_id, ''), r.severity, r.priority, r.incident_type, r.title,
        coalesce(r.status, CASE
            WHEN r.closed_at IS NOT NULL THEN 'closed'
            WHEN coalesce(r.recovered_at, r.resolved_at) IS NOT NULL THEN 'resolved'
            WHEN r.mitigated_at IS NOT NULL THEN 'mitigated'
            WHEN r.acknowledged_at IS NOT NULL THEN 'acknowledged'
            ELSE 'open' END),
        r.opened, r.impact_started_at, r.detected_at, r.acknowledged_at, r.mitigated_at, r.recovered_at, r.resolved_at, r.closed_at,
        r.merged_into, r.affected_resources, r.caused_by_run, coalesce(r.source, 'api'), coalesce(r.is_test, false)
    FROM ROWS FROM (unnest(incidents), unnest(faults), unnest(opened)) AS r (tenant_id, given_fault, incident_id, service_id, severity,
        priority, incident_type, title, status, opened_at, impact_started_at, detected_at, acknowledged_at, mitigated_at, recovered_at,
        resolved_at, closed_at, merged_into, affected_resources, caused_by_run, source, is_test, fault, opened)
    WHERE r.fault IS NULL
    ORDER BY r.tenant_id, r.incident_id COLLATE "C"
    ON CONFLICT ON CONSTRAINT incidents_pkey DO UPDATE
    SET service_id = coalesce(excluded.service_id, i.service_id),
        severity = coalesce(excluded.severity, i.severity),
        priority = coalesce(excluded.priority, i.priority),
        incident_type = coalesce(excluded.incident_type, i.incident_type),
        title = coalesce(excluded.title, i.title),
        status = CASE WHEN array_position(order_of, excluded.status) >= array_position(order_of, i.status)
                      THEN excluded.status ELSE i.status END,
        opened_at = least(i.opened_at, excluded.opened_at),
        impact_started_at = coalesce(excluded.impact_started_at, i.impact_started_at),
        detected_at = coalesce(excluded.detected_at, i.detected_at),
        acknowledged_at = coalesce(excluded.acknowledged_at, i.acknowledged_at),
        mitigated_at = coalesce(excluded.mitigated_at, i.mitigated_at),
        recovered_at = coalesce(excluded.recovered_at, i.recovered_at),
        resolved_at = coalesce(excluded.resolved_at, i.resolved_at),
        closed_at = coalesce(excluded.closed_at, i.closed_at),
        merged_into = coalesce(excluded.merged_into, i.merged_into),
        affected_resources = coalesce(excluded.affected_resources, i.affected_resources),
        caused_by_run = coalesce(excluded.caused_by_run, i.caused_by_run);

    FOREACH ordinal IN ARRAY later LOOP
        faults[ordinal] := (bcce_data.put_incidents(ARRAY[incidents[ordinal]]))[1];
    END LOOP;
    RETURN faults;
END
$body$;
COMMENT ON FUNCTION bcce_data.put_incidents(bcce_data.given_incident[]) IS 'stores incidents or brings known ones up to date; returns the reason of each that is refused';

CREATE OR REPLACE FUNCTION bcce.record_incident(
    incident_id text, opened_at timestamptz DEFAULT NULL, title text DEFAULT NULL, severity text DEFAULT NULL,
    status text DEFAULT NULL, service_id text DEFAULT NULL, priority text DEFAULT NULL, incident_type text DEFAULT NULL,
    impact_started_at timestamptz DEFAULT NULL, detected_at timestamptz DEFAULT NULL, acknowledged_at timestamptz DEFAULT NULL,
    mitigated_at timestamptz DEFAULT NULL, recovered_at timestamptz DEFAULT NULL, resolved_at timestamptz DEFAULT NULL,
    closed_at timestamptz DEFAULT NULL, merged_into text DEFAULT NULL, affected_resources text DEFAULT NULL,
    caused_by_run text DEFAULT NULL, source text DEFAULT 'api', is_test boolean DEFAULT false, tenant text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $body$
DECLARE
    incident bcce_data.given_incident;
BEGIN
    incident.tenant_id := bcce_data.writable_tenant(tenant);
    incident.incident_id := incident_id;
    incident.opened_at := opened_at;
    incident.title := title;
    incident.severity := bcce_data.known_word(incident.tenant_id, 'severity', severity);
    incident.status := bcce_data.known_word(incident.tenant_id, 'incident_status', status);
    incident.service_id := service_id;
    incident.priority := priority;
    incident.incident_type := incident_type;
    incident.impact_started_at := impact_started_at;
    incident.detected_at := detected_at;
    incident.acknowledged_at := acknowledged_at;
    incident.mitigated_at := mitigated_at;
    incident.recovered_at := recovered_at;
    incident.resolved_at := resolved_at;
    incident.closed_at := closed_at;
    incident.merged_into := merged_into;
    incident.affected_resources := affected_resources;
    incident.caused_by_run := caused_by_run;
    incident.source := source;
    incident.is_test := is_test;
    incident.fault := CASE
        WHEN severity <> '' AND incident.severity IS NULL THEN 'unknown_severity'
        WHEN status <> '' AND incident.status IS NULL THEN 'unknown_status'
    END;
    PERFORM bcce_data.refuse_any(bcce_data.put_incidents(ARRAY[incident]));
    RETURN bcce_data.key_text(incident.tenant_id, incident_id);
END
$body$;
COMMENT ON FUNCTION bcce.record_incident(text, timestamptz, text, text, text, text, text, text, timestamptz, timestamptz, timestamptz, timestamptz, timestamptz, timestamptz, timestamptz, text, text, text, text, boolean, text) IS
'Records an incident, and again under the same incident_id whatever becomes known: what is given replaces, what is left out stays. opened_at defaults to detected_at or impact_started_at, and need not be given again. Returns the incident_id. Errors: P0002 tenant not found, 22023 unknown severity or status, 22004 missing id or time, 22001 id too long, 22008 time out of range.';

CREATE OR REPLACE FUNCTION bcce.record_incident_event(
    incident_id text, kind text, at timestamptz DEFAULT now(), response_action text DEFAULT NULL, user_id text DEFAULT NULL,
    tenant text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $body$
DECLARE
    target uuid := bcce_data.writable_tenant(tenant);
    key text := bcce_data.key_text(target, incident_id);
BEGIN
    PERFORM bcce_data.refuse_any(ARRAY[CASE
        WHEN incident_id IS NULL OR incident_id = '' OR kind IS NULL OR kind = '' THEN 'missing_id'
        WHEN greatest(length(incident_id), length(kind)) > 256 THEN 'key_too_long'
        WHEN at IS NULL THEN 'missing_time'
        WHEN NOT EXISTS (SELECT FROM bcce_data.incidents i WHERE i.tenant_id = target AND i.incident_id = key) THEN 'unknown_incident'
        ELSE bcce_data.time_fault(at)
    END]);
    -- The id is made of the content, so that a retry stores nothing.
    INSERT INTO bcce_data.incident_events (tenant_id, incident_id, event_id, at, kind, response_action, actor_key)
    VALUES (target, key, md5(bcce.pseudonym(ROW(kind, at AT TIME ZONE 'UTC', response_action, user_id)::text, 'content', target))::uuid,
            at, kind, response_action, nullif(user_id, ''))
    ON CONFLICT DO NOTHING;
END
$body$;
COMMENT ON FUNCTION bcce.record_incident_event(text, text, timestamptz, text, text, text) IS
'Records what happened or was done in a known incident: kind is a word of your own, such as alert, comment or action; response_action is redacted, user_id stored as a pseudonym. The same event again is stored once. Errors: P0002 tenant or incident not found, 22004 missing id, kind or time, 22001 id or kind too long, 22008 time out of range.';

CREATE OR REPLACE VIEW bcce.inbox_incidents WITH (security_invoker = true) AS
SELECT NULL::text AS tenant, NULL::text AS incident_id, NULL::text AS service_id, NULL::text AS severity, NULL::text AS priority,
       NULL::text AS incident_type, NULL::text AS title, NULL::text AS status, NULL::text AS opened_at,
       NULL::text AS impact_started_at, NULL::text AS detected_at, NULL::text AS acknowledged_at, NULL::text AS mitigated_at,
       NULL::text AS recovered_at, NULL::text AS resolved_at, NULL::text AS closed_at, NULL::text AS merged_into,
       NULL::text AS affected_resources, NULL::text AS caused_by_run, NULL::text AS source, NULL::text AS is_test
WHERE false;
COMMENT ON VIEW bcce.inbox_incidents IS 'Write-only: INSERT or COPY incidents here, all columns text; a later row with the same incident_id adds to it. Bad rows are counted in bcce.rejected.';

CREATE OR REPLACE FUNCTION bcce_data.inbox_incidents() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $body$
DECLARE
    tenants jsonb := bcce_data.resolve_tenants(ARRAY(SELECT DISTINCT bcce_data.tenant_word(b.tenant) FROM batch b));
    severities jsonb := bcce_data.known_words('severity', ARRAY(
        SELECT DISTINCT bcce_data.status_word(tenants ->> bcce_data.tenant_word(b.tenant), b.severity) FROM batch b));
    statuses jsonb := bcce_data.known_words('incident_status', ARRAY(
        SELECT DISTINCT bcce_data.status_word(tenants ->> bcce_data.tenant_word(b.tenant), b.status) FROM batch b));
    incidents bcce_data.given_incident[];
    faults text[];
BEGIN
    SELECT array_agg(ROW(
        g.tenant_id::uuid,
        CASE
            WHEN g.tenant_id IS NULL THEN 'unknown_tenant'
            -- As many times were read as were given.
            WHEN num_nonnulls(nullif(g.opened_at, ''), nullif(g.impact_started_at, ''), nullif(g.detected_at, ''),
                              nullif(g.acknowledged_at, ''), nullif(g.mitigated_at, ''), nullif(g.recovered_at, ''),
                              nullif(g.resolved_at, ''), nullif(g.closed_at, ''))
                 <> num_nonnulls(g.opened, g.impact_started, g.detected, g.acknowledged, g.mitigated, g.recovered, g.resolved, g.closed)
                 THEN 'bad_time'
            WHEN g.severity <> '' AND g.known_severity IS NULL THEN 'unknown_severity'
            WHEN g.status <> '' AND g.known_status IS NULL THEN 'unknown_status'
            WHEN g.is_test <> '' AND bcce.try_boolean(g.is_test) IS NULL THEN 'bad_boolean'
        END,
        nullif(g.incident_id, ''), nullif(g.service_id, ''), g.known_severity, nullif(g.priority, ''), nullif(g.incident_type, ''),
        nullif(g.title, ''), g.known_status, g.opened, g.impact_started, g.detected, g.acknowledged, g.mitigated, g.recovered,
        g.resolved, g.closed, nullif(g.merged_into, ''), nullif(g.affected_resources, ''), nullif(g.caused_by_run, ''),
        nullif(g.source, ''), bcce.try_boolean(g.is_test)
    )::bcce_data.given_incident) INTO incidents
    FROM (
        SELECT b.*, bcce.try_timestamptz(b.opened_at) AS opened, bcce.try_timestamptz(b.impact_started_at) AS impact_started,
               bcce.try_timestamptz(b.detected_at) AS detected, bcce.try_timestamptz(b.acknowledged_at) AS acknowledged,
               bcce.try_timestamptz(b.mitigated_at) AS mitigated, bcce.try_timestamptz(b.recovered_at) AS recovered,
               bcce.try_timestamptz(b.resolved_at) AS resolved, bcce.try_timestamptz(b.closed_at) AS closed,
               severities ->> bcce_data.status_word(b.tenant_id, b.severity) AS known_severity,
               statuses ->> bcce_data.status_word(b.tenant_id, b.status) AS known_status
        FROM (SELECT b.*, tenants ->> bcce_data.tenant_word(b.tenant) AS tenant_id FROM batch b) AS b OFFSET 0) AS g;
    faults := bcce_data.put_incidents(incidents);
    PERFORM bcce_data.reject('inbox_incidents', array_agg((g.incident).tenant_id), array_agg(g.fault), array_agg((g.incident).incident_id))
    FROM (SELECT unnest(incidents) AS incident, unnest(faults) AS fault) AS g WHERE g.fault IS NOT NULL;
    RETURN NULL;
END
$body$;
COMMENT ON FUNCTION bcce_data.inbox_incidents() IS 'stores or refuses the rows of bcce.inbox_incidents';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '53_metrics', $bcce_module$
-- Ways in for samples of services.
DO $do$
BEGIN
    IF to_regtype('bcce_data.given_metric') IS NULL THEN
        CREATE TYPE bcce_data.given_metric AS (
            tenant_id uuid, fault text, service_id text, observed_at timestamptz, window_seconds double precision,
            request_count bigint, error_count bigint, p50_latency_ms double precision, p95_latency_ms double precision,
            p99_latency_ms double precision, throughput_rps double precision, cpu_percent double precision,
            memory_percent double precision, storage_percent double precision, network_percent double precision,
            idempotency_key text, source text, is_test boolean, latency_digest bytea);
    ELSIF NOT EXISTS (SELECT FROM pg_catalog.pg_attribute
                      WHERE attrelid = 'bcce_data.given_metric'::pg_catalog.regclass AND attname = 'latency_digest') THEN
        ALTER TYPE bcce_data.given_metric ADD ATTRIBUTE latency_digest bytea;
    END IF;
END
$do$;
COMMENT ON TYPE bcce_data.given_metric IS 'a sample as a sender gives it';

CREATE OR REPLACE FUNCTION bcce_data.put_metrics(samples bcce_data.given_metric[]) RETURNS text[]
LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    faults text[];
BEGIN
    SELECT array_agg(coalesce(s.fault, CASE
        WHEN s.service_id IS NULL OR s.service_id = '' THEN 'missing_id'
        WHEN greatest(length(s.service_id), length(s.idempotency_key), length(s.source)) > 256 THEN 'key_too_long'
        WHEN s.observed_at IS NULL THEN 'missing_time'
        WHEN s.window_seconds = 0 OR least(s.window_seconds, s.p50_latency_ms, s.p95_latency_ms, s.p99_latency_ms,
                                           s.throughput_rps, s.request_count, s.error_count) < 0 THEN 'negative_number'
        WHEN greatest(s.window_seconds, s.p50_latency_ms, s.p95_latency_ms, s.p99_latency_ms,
                      s.throughput_rps, s.request_count, s.error_count) > 1e15 THEN 'bad_number'
        WHEN least(s.cpu_percent, s.memory_percent, s.storage_percent, s.network_percent) < 0
             OR greatest(s.cpu_percent, s.memory_percent, s.storage_percent, s.network_percent) > 100 THEN 'bad_percent'
        WHEN bcce.min_val(digest.sketch) < 0 THEN 'negative_number'
        WHEN bcce.max_val(digest.sketch) > 1e15 THEN 'bad_number'
        ELSE bcce_data.time_fault(s.observed_at)
    END)) INTO faults
    FROM unnest(samples) AS s CROSS JOIN LATERAL (SELECT bcce.sketch_from_bytes(s.latency_digest) AS sketch) AS digest;

    PERFORM bcce_data.mention_services(array_agg(m.tenant_id), array_agg(m.service_id)) FROM (
        SELECT DISTINCT (g.sample).tenant_id, nullif((g.sample).service_id, '') AS service_id
        FROM (SELECT unnest(samples) AS sample, unnest(faults) AS fault) AS g WHERE g.fault IS NULL) AS m;

    -- Without a key of its own a sample has one made of its bytes: the text of
    -- a float follows the session's extra_float_digits.  In the order of the
    -- keys, so that two writers wait for each other instead of deadlocking.
    INSERT INTO bcce_data.performance_metrics (tenant_id, source, idempotency_key, observed_at, service_id, window_seconds,
        request_count, error_count, p50_latency_ms, p95_latency_ms, p99_latency_ms, throughput_rps,
        cpu_percent, memory_percent, storage_percent, network_percent, is_test, charged_usd, latency_digest)
    SELECT s.tenant_id, s.source, coalesce(nullif(s.idempotency_key, ''), bcce.pseudonym(ROW(s.service_id,
               encode(array_send(ARRAY[s.window_seconds, s.p50_latency_ms, s.p95_latency_ms, s.p99_latency_ms, s.throughput_rps,
                                       s.request_count, s.error_count]), 'hex'),
               encode(array_send(ARRAY[s.cpu_percent, s.memory_percent, s.storage_percent, s.network_percent]), 'hex')
                   || coalesce(encode(s.latency_digest, 'hex'), ''))::text,
               'content', s.tenant_id)) AS key,
        s.observed_at, s.service_id, s.window_seconds, s.request_count, s.error_count,
        s.p50_latency_ms, s.p95_latency_ms, s.p99_latency_ms, s.throughput_rps,
        s.cpu_percent, s.memory_percent, s.storage_percent, s.network_percent, coalesce(s.is_test, false),
        CASE WHEN s.is_test IS NOT TRUE THEN bcce.estimate_cost('metric', 1, s.observed_at, s.tenant_id) END,
        s.latency_digest
    FROM (
        SELECT r.tenant_id, coalesce(r.source, 'api') AS source, r.idempotency_key, r.observed_at,
               bcce_data.key_text(r.tenant_id, r.service_id) AS service_id, r.window_seconds, r.request_count, r.error_count,
               r.p50_latency_ms, r.p95_latency_ms, r.p99_latency_ms, r.throughput_rps,
               r.cpu_percent, r.memory_percent, r.storage_percent, r.network_percent, r.is_test, r.latency_digest
        FROM ROWS FROM (unnest(samples), unnest(faults)) AS r
        WHERE r.unnest IS NULL OFFSET 0) AS s
    ORDER BY s.tenant_id, key
    ON CONFLICT DO NOTHING;
    RETURN faults;
END
$body$;
COMMENT ON FUNCTION bcce_data.put_metrics(bcce_data.given_metric[]) IS 'stores samples once each; returns the reason of each that is refused';

CREATE OR REPLACE FUNCTION bcce.record_metric(
    service_id text, observed_at timestamptz DEFAULT now(), request_count bigint DEFAULT NULL, error_count bigint DEFAULT NULL,
    p50_latency_ms double precision DEFAULT NULL, p95_latency_ms double precision DEFAULT NULL,
    p99_latency_ms double precision DEFAULT NULL, throughput_rps double precision DEFAULT NULL,
    cpu_percent double precision DEFAULT NULL, memory_percent double precision DEFAULT NULL,
    storage_percent double precision DEFAULT NULL, network_percent double precision DEFAULT NULL,
    window_seconds double precision DEFAULT NULL, idempotency_key text DEFAULT NULL, source text DEFAULT 'api',
    is_test boolean DEFAULT false, tenant text DEFAULT NULL, latency_digest bcce.sketch DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $body$
DECLARE
    sample bcce_data.given_metric;
BEGIN
    sample.tenant_id := bcce_data.writable_tenant(tenant);
    sample.service_id := service_id;
    sample.observed_at := observed_at;
    sample.request_count := request_count;
    sample.error_count := error_count;
    sample.p50_latency_ms := p50_latency_ms;
    sample.p95_latency_ms := p95_latency_ms;
    sample.p99_latency_ms := p99_latency_ms;
    sample.throughput_rps := throughput_rps;
    sample.cpu_percent := cpu_percent;
    sample.memory_percent := memory_percent;
    sample.storage_percent := storage_percent;
    sample.network_percent := network_percent;
    sample.window_seconds := window_seconds;
    sample.idempotency_key := idempotency_key;
    sample.source := source;
    sample.is_test := is_test;
    sample.latency_digest := bcce.sketch_send(latency_digest);
    PERFORM bcce_data.refuse_any(bcce_data.put_metrics(ARRAY[sample]));
END
$body$;
COMMENT ON FUNCTION bcce.record_metric(text, timestamptz, bigint, bigint, double precision, double precision, double precision, double precision, double precision, double precision, double precision, double precision, double precision, text, text, boolean, text, bcce.sketch) IS
'Records a sample of a service: counts, latencies in milliseconds, requests per second, percentages 0 to 100; and all latencies as a sketch or, cast to one, an exponential histogram of OpenTelemetry. The same sample again is stored once. Errors: P0002 tenant not found, 22003 number out of range, 22004 missing id or time, 22001 id too long, 22008 time out of range.';

CREATE OR REPLACE VIEW bcce.inbox_metrics WITH (security_invoker = true) AS
SELECT NULL::text AS tenant, NULL::text AS service_id, NULL::text AS observed_at, NULL::text AS request_count,
       NULL::text AS error_count, NULL::text AS p50_latency_ms, NULL::text AS p95_latency_ms, NULL::text AS p99_latency_ms,
       NULL::text AS throughput_rps, NULL::text AS cpu_percent, NULL::text AS memory_percent, NULL::text AS storage_percent,
       NULL::text AS network_percent, NULL::text AS window_seconds, NULL::text AS idempotency_key, NULL::text AS source,
       NULL::text AS is_test, NULL::text AS latency_digest
WHERE false;
COMMENT ON VIEW bcce.inbox_metrics IS 'Write-only: INSERT or COPY samples of services here, all columns text; latency_digest is a sketch or an exponential histogram of OpenTelemetry in JSON. The same sample again is stored once. Bad rows are counted in bcce.rejected.';

CREATE OR REPLACE FUNCTION bcce_data.inbox_metrics() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $body$
DECLARE
    tenants jsonb := bcce_data.resolve_tenants(ARRAY(SELECT DISTINCT bcce_data.tenant_word(b.tenant) FROM batch b));
    samples bcce_data.given_metric[];
    faults text[];
BEGIN
    SELECT array_agg(ROW(
        g.tenant_id::uuid,
        CASE
            WHEN g.tenant_id IS NULL THEN 'unknown_tenant'
            WHEN g.observed_at <> '' AND g.observed IS NULL THEN 'bad_time'
            -- As many numbers were read as were given.
            WHEN num_nonnulls(nullif(g.request_count, ''), nullif(g.error_count, ''), nullif(g.p50_latency_ms, ''),
                              nullif(g.p95_latency_ms, ''), nullif(g.p99_latency_ms, ''), nullif(g.throughput_rps, ''),
                              nullif(g.cpu_percent, ''), nullif(g.memory_percent, ''), nullif(g.storage_percent, ''),
                              nullif(g.network_percent, ''), nullif(g.window_seconds, ''))
                 <> num_nonnulls(g.requests, g.errors, g.p50, g.p95, g.p99, g.throughput, g.cpu, g.memory, g.storage, g.network, g.span)
                 THEN 'bad_number'
            WHEN g.is_test <> '' AND bcce.try_boolean(g.is_test) IS NULL THEN 'bad_boolean'
            WHEN g.latency_digest <> '' AND g.digest IS NULL THEN 'bad_digest'
        END,
        g.service_id, g.observed, g.span, g.requests, g.errors, g.p50, g.p95, g.p99, g.throughput,
        g.cpu, g.memory, g.storage, g.network, nullif(g.idempotency_key, ''), nullif(g.source, ''),
        bcce.try_boolean(g.is_test), bcce.sketch_send(g.digest)
    )::bcce_data.given_metric) INTO samples
    FROM (
        SELECT b.*, tenants ->> bcce_data.tenant_word(b.tenant) AS tenant_id, bcce.try_timestamptz(b.observed_at) AS observed,
               bcce.try_bigint(b.request_count) AS requests, bcce.try_bigint(b.error_count) AS errors,
               bcce.try_float8(b.p50_latency_ms) AS p50, bcce.try_float8(b.p95_latency_ms) AS p95,
               bcce.try_float8(b.p99_latency_ms) AS p99, bcce.try_float8(b.throughput_rps) AS throughput,
               bcce.try_float8(b.cpu_percent) AS cpu, bcce.try_float8(b.memory_percent) AS memory,
               bcce.try_float8(b.storage_percent) AS storage, bcce.try_float8(b.network_percent) AS network,
               bcce.try_float8(b.window_seconds) AS span,
               CASE WHEN b.latency_digest LIKE '%{%' THEN bcce.try_sketch(bcce.try_jsonb(b.latency_digest))
                    ELSE bcce.try_sketch(b.latency_digest) END AS digest
        FROM batch b OFFSET 0) AS g;
    faults := bcce_data.put_metrics(samples);
    PERFORM bcce_data.reject('inbox_metrics', array_agg((g.sample).tenant_id), array_agg(g.fault), array_agg((g.sample).idempotency_key))
    FROM (SELECT unnest(samples) AS sample, unnest(faults) AS fault) AS g WHERE g.fault IS NOT NULL;
    RETURN NULL;
END
$body$;
COMMENT ON FUNCTION bcce_data.inbox_metrics() IS 'stores or refuses the rows of bcce.inbox_metrics';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '54_predictions', $bcce_module$
-- Ways in for predictions and what became of them.
DO $do$
BEGIN
    IF to_regtype('bcce_data.given_prediction') IS NULL THEN
        CREATE TYPE bcce_data.given_prediction AS (
            tenant_id uuid, fault text, prediction_id text, model_name text, model_version text, target_kind text, target_id text,
            predicted_at timestamptz, horizon_seconds double precision, failure_probability double precision, features_hash text,
            outcome integer, outcome_at timestamptz, source text, is_test boolean);
    END IF;
END
$do$;
COMMENT ON TYPE bcce_data.given_prediction IS 'a prediction, or only the outcome of a known one, as a sender gives it';
CREATE OR REPLACE FUNCTION bcce_data.put_predictions(predictions bcce_data.given_prediction[]) RETURNS text[]
LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    faults text[];
    made_tenants uuid[];
    made_predictions text[];
    known bigint[];
    ordinal bigint;
BEGIN
    -- A row with nothing but an outcome is about a prediction that is known.
    SELECT array_agg(coalesce(p.fault, CASE
        WHEN p.outcome NOT IN (0, 1) THEN 'bad_outcome'
        WHEN p.outcome IS NOT NULL AND p.outcome_at IS NULL THEN 'missing_time'
        WHEN p.outcome IS NOT NULL AND p.failure_probability IS NULL THEN
            CASE WHEN p.prediction_id IS NULL OR p.prediction_id = '' THEN 'missing_id' END
        WHEN p.model_name IS NULL OR p.model_name = '' OR p.target_id IS NULL OR p.target_id = ''
             OR p.prediction_id IS NULL OR p.prediction_id = '' THEN 'missing_id'
        WHEN greatest(length(p.prediction_id), length(p.model_name), length(p.model_version), length(p.target_id),
                      length(p.features_hash)) > 256 THEN 'key_too_long'
        WHEN p.predicted_at IS NULL THEN 'missing_time'
        WHEN p.target_kind IS NULL OR p.target_kind NOT IN ('run', 'service', 'external') THEN 'unknown_target_kind'
        WHEN p.failure_probability IS NULL OR NOT p.failure_probability BETWEEN 0 AND 1 THEN 'bad_probability'
        WHEN p.target_kind = 'service' AND p.horizon_seconds IS NULL THEN 'missing_horizon'
        WHEN NOT (p.horizon_seconds > 0 AND p.horizon_seconds <= 1e9) THEN 'bad_number'
    END, bcce_data.time_fault(p.predicted_at, p.outcome_at))) INTO faults
    FROM unnest(predictions) AS p;

    INSERT INTO bcce_data.models (tenant_id, model_name, model_version)
    SELECT m.tenant_id, m.model_name, m.model_version
    FROM (
        SELECT d.tenant_id, bcce_data.key_text(d.tenant_id, d.model_name) AS model_name,
               bcce_data.key_text(d.tenant_id, d.model_version) AS model_version
        FROM (
            SELECT DISTINCT (g.prediction).tenant_id, (g.prediction).model_name, coalesce((g.prediction).model_version, '') AS model_version
            FROM (SELECT unnest(predictions) AS prediction, unnest(faults) AS fault) AS g
            WHERE g.fault IS NULL AND (g.prediction).failure_probability IS NOT NULL) AS d OFFSET 0) AS m
    WHERE (EXISTS (
        SELECT FROM bcce_data.models k
        WHERE k.tenant_id = m.tenant_id AND k.model_name = m.model_name AND k.model_version = m.model_version)) IS NOT TRUE
    ORDER BY m.tenant_id, m.model_name COLLATE "C", m.model_version COLLATE "C"
    ON CONFLICT DO NOTHING;

    -- In the order of the keys, so that two writers wait for each other
    -- instead of deadlocking.
    WITH made AS (
        INSERT INTO bcce_data.prediction_keys (tenant_id, prediction_id, predicted_at)
        SELECT h.tenant_id, h.key, h.predicted_at
        FROM (
            SELECT (g.prediction).tenant_id, bcce_data.key_text((g.prediction).tenant_id, (g.prediction).prediction_id) AS key,
                   (g.prediction).predicted_at, g.ordinal
            FROM (SELECT unnest(predictions) AS prediction, unnest(faults) AS fault, generate_subscripts(faults, 1) AS ordinal) AS g
            WHERE g.fault IS NULL AND (g.prediction).failure_probability IS NOT NULL) AS h
        ORDER BY h.tenant_id, h.key COLLATE "C", h.ordinal
        ON CONFLICT DO NOTHING
        RETURNING tenant_id, prediction_id
    )
    SELECT array_agg(m.tenant_id), array_agg(m.prediction_id) INTO made_tenants, made_predictions FROM made m;
    IF coalesce(cardinality(made_predictions), 0) < cardinality(array_positions(faults, NULL)) THEN
        -- Not the first row of its prediction.
        SELECT array_agg(k.ordinal ORDER BY k.tenant_id, k.prediction_id COLLATE "C", k.ordinal) INTO known
        FROM (
            SELECT h.*, row_number() OVER (PARTITION BY h.tenant_id, h.prediction_id ORDER BY h.is_outcome, h.ordinal) AS place
            FROM (
                SELECT (g.prediction).tenant_id, g.ordinal, (g.prediction).failure_probability IS NULL AS is_outcome,
                       bcce_data.key_text((g.prediction).tenant_id, (g.prediction).prediction_id) AS prediction_id
                FROM (SELECT unnest(predictions) AS prediction, unnest(faults) AS fault,
                             generate_subscripts(faults, 1)::bigint AS ordinal) AS g
                WHERE g.fault IS NULL) AS h
        ) AS k
        WHERE k.is_outcome OR k.place > 1
           OR ((k.tenant_id, k.prediction_id) IN (SELECT * FROM unnest(made_tenants, made_predictions))) IS NOT TRUE;
    END IF;

    INSERT INTO bcce_data.predictions (tenant_id, prediction_id, predicted_at, model_name, model_version, target_kind, target_id,
        horizon_seconds, failure_probability, features_hash, outcome, outcome_at, source, is_test, charged_usd)
    SELECT r.tenant_id, r.prediction_id, r.predicted_at, r.model_name, coalesce(r.model_version, ''), r.target_kind, r.target_id,
        r.horizon_seconds, r.failure_probability, r.features_hash, r.outcome,
        CASE WHEN r.outcome IS NOT NULL THEN r.outcome_at END, coalesce(r.source, 'api'), coalesce(r.is_test, false),
        CASE WHEN r.is_test IS NOT TRUE THEN bcce.estimate_cost('prediction', 1, r.predicted_at, r.tenant_id) END
    FROM ROWS FROM (unnest(predictions), unnest(faults)) WITH ORDINALITY AS r
    WHERE r.unnest IS NULL AND (r.ordinality IN (SELECT unnest(known))) IS NOT TRUE;

    -- A probability that was given is never changed afterwards: no peeking.
    -- An outcome is; the last of several holds.
    IF known IS NOT NULL THEN
        FOREACH ordinal IN ARRAY ARRAY(
            SELECT g.ordinality FROM (
                SELECT p.*, bcce_data.key_text(p.tenant_id, p.prediction_id) AS key FROM unnest(predictions) WITH ORDINALITY AS p
                WHERE p.outcome IS NOT NULL AND (p.ordinality IN (SELECT unnest(known))) IS TRUE OFFSET 0) AS g
            WHERE (EXISTS (SELECT FROM bcce_data.prediction_keys w WHERE w.tenant_id = g.tenant_id AND w.prediction_id = g.key)) IS NOT TRUE)
        LOOP
            faults[ordinal] := 'unknown_prediction';
        END LOOP;
        UPDATE bcce_data.predictions p SET outcome = g.outcome, outcome_at = g.outcome_at
        FROM (
            SELECT DISTINCT ON (k.tenant_id, k.key COLLATE "C") k.* FROM (
                SELECT g.*, bcce_data.key_text(g.tenant_id, g.prediction_id) AS key
                FROM ROWS FROM (unnest(predictions), unnest(faults)) WITH ORDINALITY AS g
                WHERE g.outcome IS NOT NULL AND g.unnest IS NULL OFFSET 0) AS k
            ORDER BY k.tenant_id, k.key COLLATE "C", k.ordinality DESC) AS g
        CROSS JOIN LATERAL (
            SELECT w.* FROM bcce_data.prediction_keys w WHERE w.tenant_id = g.tenant_id AND w.prediction_id = g.key OFFSET 0) AS w
        WHERE p.tenant_id = w.tenant_id AND p.prediction_id = w.prediction_id AND p.predicted_at = w.predicted_at
          AND (g.ordinality IN (SELECT unnest(known))) IS TRUE;
    END IF;
    RETURN faults;
END
$body$;
COMMENT ON FUNCTION bcce_data.put_predictions(bcce_data.given_prediction[]) IS 'stores predictions once each, and outcomes; returns the reason of each that is refused';

CREATE OR REPLACE FUNCTION bcce.record_prediction(
    model_name text, target_kind text, target_id text, failure_probability double precision,
    predicted_at timestamptz DEFAULT now(), horizon_seconds double precision DEFAULT NULL, prediction_id text DEFAULT NULL,
    model_version text DEFAULT '', features_hash text DEFAULT NULL, source text DEFAULT 'api',
    is_test boolean DEFAULT false, tenant text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $body$
DECLARE
    prediction bcce_data.given_prediction;
BEGIN
    prediction.tenant_id := bcce_data.writable_tenant(tenant);
    prediction.prediction_id := coalesce(prediction_id, bcce.uuid_v7()::text);
    prediction.model_name := model_name;
    prediction.model_version := model_version;
    prediction.target_kind := target_kind;
    prediction.target_id := target_id;
    prediction.failure_probability := failure_probability;
    prediction.predicted_at := predicted_at;
    prediction.horizon_seconds := horizon_seconds;
    prediction.features_hash := features_hash;
    prediction.source := source;
    prediction.is_test := is_test;
    PERFORM bcce_data.refuse_any(bcce_data.put_predictions(ARRAY[prediction]));
    RETURN bcce_data.key_text(prediction.tenant_id, prediction.prediction_id);
END
$body$;
COMMENT ON FUNCTION bcce.record_prediction(text, text, text, double precision, timestamptz, double precision, text, text, text, text, boolean, text) IS
'Records the predicted probability (0 to 1) that a target fails: a run, a service within horizon_seconds, or something external whose outcome you report with resolve_prediction(). A prediction is never changed afterwards; the same prediction_id again is stored once. Returns the prediction_id. Errors: P0002 tenant not found, 22003 bad probability or horizon, 22023 unknown target kind, 22004 missing id or time, 22001 id too long.';

CREATE OR REPLACE FUNCTION bcce.resolve_prediction(
    prediction_id text, outcome integer, outcome_at timestamptz DEFAULT now(), tenant text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $body$
DECLARE
    prediction bcce_data.given_prediction;
BEGIN
    prediction.tenant_id := bcce_data.writable_tenant(tenant);
    prediction.prediction_id := prediction_id;
    prediction.outcome := outcome;
    prediction.outcome_at := outcome_at;
    prediction.fault := CASE WHEN outcome IS NULL THEN 'bad_outcome' END;
    PERFORM bcce_data.refuse_any(bcce_data.put_predictions(ARRAY[prediction]));
END
$body$;
COMMENT ON FUNCTION bcce.resolve_prediction(text, integer, timestamptz, text) IS
'Reports what became of a prediction: 1 it failed, 0 it did not; a reported outcome goes before one derived from runs or incidents. Errors: P0002 prediction or tenant not found, 22023 outcome neither 0 nor 1, 22008 time out of range.';

CREATE OR REPLACE VIEW bcce.inbox_predictions WITH (security_invoker = true) AS
SELECT NULL::text AS tenant, NULL::text AS prediction_id, NULL::text AS model_name, NULL::text AS model_version,
       NULL::text AS target_kind, NULL::text AS target_id, NULL::text AS predicted_at, NULL::text AS horizon_seconds,
       NULL::text AS failure_probability, NULL::text AS features_hash, NULL::text AS outcome, NULL::text AS outcome_at,
       NULL::text AS source, NULL::text AS is_test
WHERE false;
COMMENT ON VIEW bcce.inbox_predictions IS 'Write-only: INSERT or COPY predictions here, all columns text; a later row with the same prediction_id and an outcome reports what became of it. Bad rows are counted in bcce.rejected.';

CREATE OR REPLACE FUNCTION bcce_data.inbox_predictions() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $body$
DECLARE
    tenants jsonb := bcce_data.resolve_tenants(ARRAY(SELECT DISTINCT bcce_data.tenant_word(b.tenant) FROM batch b));
    predictions bcce_data.given_prediction[];
    faults text[];
BEGIN
    SELECT array_agg(ROW(
        g.tenant_id::uuid,
        CASE
            WHEN g.tenant_id IS NULL THEN 'unknown_tenant'
            WHEN (g.predicted_at <> '' AND g.predicted IS NULL) OR (g.outcome_at <> '' AND g.told_at IS NULL) THEN 'bad_time'
            WHEN g.horizon_seconds <> '' AND g.horizon IS NULL THEN 'bad_number'
            WHEN g.failure_probability <> '' AND g.probability IS NULL THEN 'bad_probability'
            WHEN g.outcome <> '' AND (g.told IS NULL OR g.told NOT IN (0, 1)) THEN 'bad_outcome'
            WHEN g.is_test <> '' AND bcce.try_boolean(g.is_test) IS NULL THEN 'bad_boolean'
        END,
        coalesce(nullif(g.prediction_id, ''), CASE WHEN g.failure_probability <> '' THEN bcce.uuid_v7()::text END),
        g.model_name, g.model_version, lower(btrim(g.target_kind)), g.target_id, g.predicted, g.horizon, g.probability,
        nullif(g.features_hash, ''), CASE WHEN g.told IN (0, 1) THEN g.told::integer END,
        CASE WHEN g.told IS NOT NULL THEN coalesce(g.told_at, statement_timestamp()) END,
        nullif(g.source, ''), bcce.try_boolean(g.is_test)
    )::bcce_data.given_prediction) INTO predictions
    FROM (
        SELECT b.*, tenants ->> bcce_data.tenant_word(b.tenant) AS tenant_id, bcce.try_timestamptz(b.predicted_at) AS predicted,
               bcce.try_timestamptz(b.outcome_at) AS told_at, bcce.try_float8(b.horizon_seconds) AS horizon,
               bcce.try_float8(b.failure_probability) AS probability, bcce.try_bigint(b.outcome) AS told
        FROM batch b OFFSET 0) AS g;
    faults := bcce_data.put_predictions(predictions);
    PERFORM bcce_data.reject('inbox_predictions', array_agg((g.prediction).tenant_id), array_agg(g.fault), array_agg((g.prediction).prediction_id))
    FROM (SELECT unnest(predictions) AS prediction, unnest(faults) AS fault) AS g WHERE g.fault IS NOT NULL;
    RETURN NULL;
END
$body$;
COMMENT ON FUNCTION bcce_data.inbox_predictions() IS 'stores or refuses the rows of bcce.inbox_predictions';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '55_model_usage', $bcce_module$
-- Ways in for calls of language models.
DO $do$
BEGIN
    IF to_regtype('bcce_data.given_model_usage') IS NULL THEN
        CREATE TYPE bcce_data.given_model_usage AS (
            tenant_id uuid, fault text, model_id text, at timestamptz, input_tokens bigint, output_tokens bigint,
            cache_read_tokens bigint, cache_write_5m_tokens bigint, cache_write_1h_tokens bigint, user_id text, run_id text,
            session_id text, provider text, region text, latency_ms double precision, is_batch boolean,
            reported_cost_usd numeric, idempotency_key text, source text, is_test boolean);
    END IF;
END
$do$;
COMMENT ON TYPE bcce_data.given_model_usage IS 'a model call as a sender gives it';

CREATE OR REPLACE FUNCTION bcce_data.put_model_usage(calls bcce_data.given_model_usage[]) RETURNS text[]
LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    faults text[];
BEGIN
    SELECT array_agg(coalesce(c.fault, CASE
        WHEN c.model_id IS NULL OR c.model_id = '' THEN 'missing_id'
        WHEN greatest(length(c.model_id), length(c.idempotency_key), length(c.session_id), length(c.run_id), length(c.source)) > 256 THEN 'key_too_long'
        WHEN c.at IS NULL THEN 'missing_time'
        WHEN least(c.input_tokens, c.output_tokens, c.cache_read_tokens, c.cache_write_5m_tokens, c.cache_write_1h_tokens) < 0
             OR c.reported_cost_usd < 0 OR c.latency_ms < 0 THEN 'negative_number'
        WHEN greatest(c.input_tokens, c.output_tokens, c.cache_read_tokens, c.cache_write_5m_tokens, c.cache_write_1h_tokens) > 1e15
             OR c.reported_cost_usd > 1e15 OR c.latency_ms > 1e15 THEN 'bad_number'
        ELSE bcce_data.time_fault(c.at)
    END)) INTO faults
    FROM unnest(calls) AS c;

    -- In the order of the keys, so that two writers wait for each other
    -- instead of deadlocking.
    INSERT INTO bcce_data.model_usage (tenant_id, source, idempotency_key, at, model_id, provider, region, user_key, session_id,
        run_id, input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, latency_ms,
        is_batch, is_test, reported_cost_usd, service_tier, charged_usd, priced_at)
    SELECT r.tenant_id, coalesce(r.source, 'api'),
        coalesce(nullif(r.idempotency_key, ''), bcce.pseudonym(ROW(r.model_id, nullif(r.user_id, ''), r.session_id, r.run_id,
            r.input_tokens, r.output_tokens, r.cache_read_tokens, r.cache_write_5m_tokens, r.cache_write_1h_tokens,
            r.reported_cost_usd, encode(float8send(r.latency_ms), 'hex'))::text, 'content', r.tenant_id)) AS key,
        r.at, r.model_id, r.provider, r.region, nullif(r.user_id, ''), nullif(r.session_id, ''), nullif(r.run_id, ''),
        r.input_tokens, r.output_tokens, r.cache_read_tokens, r.cache_write_5m_tokens, r.cache_write_1h_tokens,
        r.latency_ms, coalesce(r.is_batch, false), coalesce(r.is_test, false), r.reported_cost_usd,
        CASE WHEN r.is_batch THEN 'batch' END, cost.usd, CASE WHEN cost.usd IS NOT NULL THEN now() END
    FROM ROWS FROM (unnest(calls), unnest(faults)) AS r
    CROSS JOIN LATERAL (
        SELECT bcce.estimate_token_cost(r.model_id, r.at, r.input_tokens, r.output_tokens, r.cache_read_tokens, r.cache_write_5m_tokens,
            r.cache_write_1h_tokens, 0, NULL, NULL, CASE WHEN r.is_batch THEN 'batch' END, r.tenant_id) AS usd OFFSET 0) AS cost
    WHERE r.unnest IS NULL
    ORDER BY r.tenant_id, key
    ON CONFLICT DO NOTHING;
    RETURN faults;
END
$body$;
COMMENT ON FUNCTION bcce_data.put_model_usage(bcce_data.given_model_usage[]) IS 'stores model calls once each; returns the reason of each that is refused';

CREATE OR REPLACE FUNCTION bcce.record_model_usage(
    model_id text, at timestamptz DEFAULT now(), input_tokens bigint DEFAULT NULL, output_tokens bigint DEFAULT NULL,
    cache_read_tokens bigint DEFAULT NULL, cache_write_5m_tokens bigint DEFAULT NULL, cache_write_1h_tokens bigint DEFAULT NULL,
    user_id text DEFAULT NULL, run_id text DEFAULT NULL, session_id text DEFAULT NULL, provider text DEFAULT NULL,
    region text DEFAULT NULL, latency_ms double precision DEFAULT NULL, is_batch boolean DEFAULT false,
    reported_cost_usd numeric DEFAULT NULL, idempotency_key text DEFAULT NULL, source text DEFAULT 'api',
    is_test boolean DEFAULT false, tenant text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $body$
DECLARE
    call bcce_data.given_model_usage;
BEGIN
    call.tenant_id := bcce_data.writable_tenant(tenant);
    call.model_id := model_id;
    call.at := at;
    call.input_tokens := input_tokens;
    call.output_tokens := output_tokens;
    call.cache_read_tokens := cache_read_tokens;
    call.cache_write_5m_tokens := cache_write_5m_tokens;
    call.cache_write_1h_tokens := cache_write_1h_tokens;
    call.user_id := user_id;
    call.run_id := run_id;
    call.session_id := session_id;
    call.provider := provider;
    call.region := region;
    call.latency_ms := latency_ms;
    call.is_batch := is_batch;
    call.reported_cost_usd := reported_cost_usd;
    call.idempotency_key := idempotency_key;
    call.source := source;
    call.is_test := is_test;
    PERFORM bcce_data.refuse_any(bcce_data.put_model_usage(ARRAY[call]));
END
$body$;
COMMENT ON FUNCTION bcce.record_model_usage(text, timestamptz, bigint, bigint, bigint, bigint, bigint, text, text, text, text, text, double precision, boolean, numeric, text, text, boolean, text) IS
'Records a call of a language model: tokens by class (NULL: unknown), the person as a pseudonym, and the cost in US dollars if the sender knows it. The same call again is stored once. Errors: P0002 tenant not found, 22003 number out of range, 22004 missing id or time, 22001 id too long, 22008 time out of range.';

CREATE OR REPLACE VIEW bcce.inbox_model_usage WITH (security_invoker = true) AS
SELECT NULL::text AS tenant, NULL::text AS model_id, NULL::text AS at, NULL::text AS input_tokens, NULL::text AS output_tokens,
       NULL::text AS cache_read_tokens, NULL::text AS cache_write_5m_tokens, NULL::text AS cache_write_1h_tokens,
       NULL::text AS user_id, NULL::text AS run_id, NULL::text AS session_id, NULL::text AS provider, NULL::text AS region,
       NULL::text AS latency_ms, NULL::text AS is_batch, NULL::text AS reported_cost_usd, NULL::text AS idempotency_key,
       NULL::text AS source, NULL::text AS is_test
WHERE false;
COMMENT ON VIEW bcce.inbox_model_usage IS 'Write-only: INSERT or COPY calls of language models here, all columns text; the same call again is stored once. Bad rows are counted in bcce.rejected.';

CREATE OR REPLACE FUNCTION bcce_data.inbox_model_usage() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $body$
DECLARE
    tenants jsonb := bcce_data.resolve_tenants(ARRAY(SELECT DISTINCT bcce_data.tenant_word(b.tenant) FROM batch b));
    calls bcce_data.given_model_usage[];
    faults text[];
BEGIN
    SELECT array_agg(ROW(
        g.tenant_id::uuid,
        CASE
            WHEN g.tenant_id IS NULL THEN 'unknown_tenant'
            WHEN g.at <> '' AND g.called_at IS NULL THEN 'bad_time'
            -- As many numbers were read as were given.
            WHEN num_nonnulls(nullif(g.input_tokens, ''), nullif(g.output_tokens, ''), nullif(g.cache_read_tokens, ''),
                              nullif(g.cache_write_5m_tokens, ''), nullif(g.cache_write_1h_tokens, ''),
                              nullif(g.latency_ms, ''), nullif(g.reported_cost_usd, ''))
                 <> num_nonnulls(g.input, g.output, g.cache_read, g.cache_write_5m, g.cache_write_1h, g.latency, g.reported_cost)
                 THEN 'bad_number'
            WHEN (g.is_test <> '' AND bcce.try_boolean(g.is_test) IS NULL)
                 OR (g.is_batch <> '' AND bcce.try_boolean(g.is_batch) IS NULL) THEN 'bad_boolean'
        END,
        g.model_id, g.called_at, g.input, g.output, g.cache_read, g.cache_write_5m, g.cache_write_1h, g.user_id,
        nullif(g.run_id, ''), nullif(g.session_id, ''), nullif(g.provider, ''), nullif(g.region, ''), g.latency,
        bcce.try_boolean(g.is_batch), g.reported_cost, nullif(g.idempotency_key, ''), nullif(g.source, ''),
        bcce.try_boolean(g.is_test)
    )::bcce_data.given_model_usage) INTO calls
    FROM (
        SELECT b.*, tenants ->> bcce_data.tenant_word(b.tenant) AS tenant_id, bcce.try_timestamptz(b.at) AS called_at,
               bcce.try_bigint(b.input_tokens) AS input, bcce.try_bigint(b.output_tokens) AS output,
               bcce.try_bigint(b.cache_read_tokens) AS cache_read, bcce.try_bigint(b.cache_write_5m_tokens) AS cache_write_5m,
               bcce.try_bigint(b.cache_write_1h_tokens) AS cache_write_1h, bcce.try_float8(b.latency_ms) AS latency,
               bcce.try_numeric(b.reported_cost_usd) AS reported_cost
        FROM batch b OFFSET 0) AS g;
    faults := bcce_data.put_model_usage(calls);
    PERFORM bcce_data.reject('inbox_model_usage', array_agg((g.call).tenant_id), array_agg(g.fault), array_agg((g.call).idempotency_key))
    FROM (SELECT unnest(calls) AS call, unnest(faults) AS fault) AS g WHERE g.fault IS NOT NULL;
    RETURN NULL;
END
$body$;
COMMENT ON FUNCTION bcce_data.inbox_model_usage() IS 'stores or refuses the rows of bcce.inbox_model_usage';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '56_events', $bcce_module$
-- Ways in for events of guests and users.
DO $do$
BEGIN
    IF to_regtype('bcce_data.given_event') IS NULL THEN
        CREATE TYPE bcce_data.given_event AS (
            tenant_id uuid, fault text, event_type text, occurred_at timestamptz, guest_id text, guest_type text, user_id text,
            session_id text, service_id text, ip inet, user_agent_family text, properties jsonb, idempotency_key text,
            source text, is_test boolean);
    END IF;
END
$do$;
COMMENT ON TYPE bcce_data.given_event IS 'an event as a sender gives it';

CREATE OR REPLACE FUNCTION bcce_data.user_agent_family(user_agent text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $body$
BEGIN
    RETURN CASE
        WHEN user_agent IS NULL OR user_agent IN ('', '-') THEN NULL
        WHEN user_agent ~* '(bot|crawl|spider|slurp|feed|monitor|archiver)' THEN 'Bot'
        WHEN user_agent ~ 'Edg(e|A|iOS)?/' THEN 'Edge'
        WHEN user_agent ~ 'OPR/|Opera' THEN 'Opera'
        WHEN user_agent ~ 'Firefox/|FxiOS/' THEN 'Firefox'
        WHEN user_agent ~ 'Chrome/|CriOS/|Chromium/' THEN 'Chrome'
        WHEN user_agent ~ 'Safari/' THEN 'Safari'
        WHEN user_agent ~ 'MSIE|Trident/' THEN 'Internet Explorer'
        WHEN user_agent ~* '^(curl|wget|python|java|go-http|ruby|perl|okhttp|libwww)' THEN 'Script'
        ELSE 'Other'
    END;
END
$body$;
COMMENT ON FUNCTION bcce_data.user_agent_family(text) IS 'family of a program by its user agent; the user agent itself is never stored';

-- left() counts the characters of every text, octet_length() reads a number.
CREATE OR REPLACE FUNCTION bcce_data.user_agent_word(user_agent text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $body$
    SELECT CASE WHEN octet_length(user_agent) <= 2000 THEN user_agent ELSE left(user_agent, 2000) END
$body$;
COMMENT ON FUNCTION bcce_data.user_agent_word(text) IS 'a row''s user agent as user_agent_families() takes it: no longer than a family can be told by';

CREATE OR REPLACE FUNCTION bcce_data.user_agent_families(user_agents text[]) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $body$
BEGIN
    RETURN (SELECT jsonb_object_agg(u.user_agent, bcce_data.user_agent_family(u.user_agent))
            FROM unnest(user_agents) AS u (user_agent) WHERE u.user_agent IS NOT NULL);
END
$body$;
COMMENT ON FUNCTION bcce_data.user_agent_families(text[]) IS 'families by user agent: programs are few and their families slow to tell';

CREATE OR REPLACE FUNCTION bcce_data.put_events(events bcce_data.given_event[], OUT faults text[], OUT stored bigint)
LANGUAGE plpgsql VOLATILE AS $body$
BEGIN
    SELECT array_agg(coalesce(e.fault, CASE
        WHEN e.event_type IS NULL OR e.event_type = '' THEN 'no_event_type'
        -- A tag may be longer than what it stands for.
        WHEN length(e.event_type) > 100 OR length(bcce.redact_for(e.tenant_id, e.event_type)) > 100
             OR greatest(length(e.idempotency_key), length(e.session_id), length(e.service_id), length(e.source)) > 256 THEN 'key_too_long'
        WHEN e.occurred_at IS NULL THEN 'missing_time'
        ELSE bcce_data.time_fault(e.occurred_at)
    END)) INTO faults
    FROM unnest(events) AS e;

    PERFORM bcce_data.mention_services(array_agg(m.tenant_id), array_agg(m.service_id)) FROM (
        SELECT DISTINCT (g.event).tenant_id, nullif((g.event).service_id, '') AS service_id
        FROM (SELECT unnest(events) AS event, unnest(faults) AS fault) AS g WHERE g.fault IS NULL) AS m;

    -- In the order of the keys, so that two writers wait for each other
    -- instead of deadlocking.
    INSERT INTO bcce_data.events (tenant_id, source, idempotency_key, occurred_at, event_type, guest_key, guest_type, user_key,
        session_id, service_id, ip_prefix, user_agent_family, properties, is_test)
    SELECT e.tenant_id, e.source,
        coalesce(e.idempotency_key, bcce.pseudonym(ROW(e.event_type, e.guest_id, e.guest_type, e.user_id, e.session_id, e.service_id,
                                                       e.ip, e.user_agent_family, e.properties)::text, 'content', e.tenant_id)) AS key,
        e.occurred_at, e.event_type, e.guest_id, e.guest_type, e.user_id, e.session_id, e.service_id, e.ip,
        e.user_agent_family, e.properties, e.is_test
    FROM (
        SELECT r.tenant_id, coalesce(r.source, 'api') AS source, nullif(r.idempotency_key, '') AS idempotency_key, r.occurred_at,
               r.event_type, nullif(r.guest_id, '') AS guest_id, r.guest_type, nullif(r.user_id, '') AS user_id,
               nullif(r.session_id, '') AS session_id, bcce_data.key_text(r.tenant_id, nullif(r.service_id, '')) AS service_id,
               r.ip, r.user_agent_family, r.properties, coalesce(r.is_test, false) AS is_test
        FROM ROWS FROM (unnest(events), unnest(faults)) AS r
        WHERE r.unnest IS NULL OFFSET 0) AS e
    ORDER BY e.tenant_id, key
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS stored = ROW_COUNT;
END
$body$;
COMMENT ON FUNCTION bcce_data.put_events(bcce_data.given_event[]) IS 'stores events once each; returns the reason of each that is refused, and how many were not known';

CREATE OR REPLACE FUNCTION bcce_data.events_of_json(documents jsonb[], tenant text) RETURNS bcce_data.given_event[]
LANGUAGE plpgsql STABLE AS $body$
DECLARE
    known CONSTANT text[] := ARRAY['tenant', 'inbox', 'event_type', 'type', 'occurred_at', 'timestamp', 'guest_id', 'guest_type', 'segment',
        'user_id', 'session_id', 'service_id', 'ip', 'user_agent', 'idempotency_key', 'event_id', 'source', 'is_test', 'properties'];
    tenants jsonb := bcce_data.resolve_tenants(ARRAY(
        SELECT DISTINCT bcce_data.tenant_word(coalesce(events_of_json.tenant, d.document ->> 'tenant')) FROM unnest(documents) AS d (document)));
    families jsonb := bcce_data.user_agent_families(ARRAY(
        SELECT DISTINCT bcce_data.user_agent_word(d.document ->> 'user_agent') FROM unnest(documents) AS d (document)));
BEGIN
    RETURN (
        SELECT array_agg(ROW(
            g.tenant_id::uuid,
            CASE
                WHEN jsonb_typeof(g.document) IS DISTINCT FROM 'object' THEN 'not_an_object'
                WHEN g.tenant_id IS NULL THEN 'unknown_tenant'
                WHEN g.time_text IS NOT NULL AND bcce.try_timestamptz(g.time_text) IS NULL THEN 'bad_time'
                WHEN g.ip_text <> '' AND g.ip IS NULL THEN 'bad_address'
                WHEN g.test_text <> '' AND bcce.try_boolean(g.test_text) IS NULL THEN 'bad_boolean'
            END,
            coalesce(g.document ->> 'event_type', g.document ->> 'type'),
            CASE WHEN g.time_text IS NULL THEN statement_timestamp() ELSE bcce.try_timestamptz(g.time_text) END,
            g.document ->> 'guest_id', coalesce(g.document ->> 'guest_type', g.document ->> 'segment'), g.document ->> 'user_id',
            g.document ->> 'session_id', g.document ->> 'service_id', g.ip,
            families ->> bcce_data.user_agent_word(g.document ->> 'user_agent'),
            -- What has no column of its own is kept beside the properties.
            CASE WHEN jsonb_typeof(g.document) = 'object' THEN nullif(
                (g.document - known) || CASE jsonb_typeof(g.document -> 'properties')
                    WHEN 'object' THEN g.document -> 'properties'
                    WHEN 'null' THEN '{}'
                    ELSE CASE WHEN g.document ? 'properties' THEN jsonb_build_object('properties', g.document -> 'properties') ELSE '{}' END
                END, '{}') END,
            coalesce(g.document ->> 'idempotency_key', g.document ->> 'event_id'),
            g.document ->> 'source',
            bcce.try_boolean(g.test_text)
        )::bcce_data.given_event)
        FROM (
            SELECT d.document, tenants ->> bcce_data.tenant_word(coalesce(events_of_json.tenant, d.document ->> 'tenant')) AS tenant_id,
                   coalesce(d.document ->> 'occurred_at', d.document ->> 'timestamp') AS time_text, d.document ->> 'ip' AS ip_text,
                   bcce.try_inet(d.document ->> 'ip') AS ip, d.document ->> 'is_test' AS test_text
            FROM unnest(documents) AS d (document) OFFSET 0) AS g);
END
$body$;
COMMENT ON FUNCTION bcce_data.events_of_json(jsonb[], text) IS 'events given as JSON objects; tenant, where given, goes before that of an object';

CREATE OR REPLACE FUNCTION bcce.ingest_event(event jsonb, tenant text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $body$
DECLARE
    outcome record;
BEGIN
    outcome := bcce_data.put_events(bcce_data.events_of_json(ARRAY[event], tenant));
    PERFORM bcce_data.refuse_any(outcome.faults);
    RETURN CASE outcome.stored WHEN 1 THEN 'stored' ELSE 'duplicate' END;
END
$body$;
COMMENT ON FUNCTION bcce.ingest_event(jsonb, text) IS
'Stores one event given as a JSON object: event_type, occurred_at (default now), guest_id, guest_type, user_id, session_id, service_id, ip, user_agent, idempotency_key, source, is_test, properties; other members join the properties. People become pseudonyms, the address its network, the user agent its family; text is redacted. Returns stored or duplicate. Errors: P0002 tenant not found, 22004 no type, 22007 unreadable time, 22P02 unreadable address, 22023 not an object.';

CREATE OR REPLACE FUNCTION bcce.ingest_events(
    events jsonb, tenant text DEFAULT NULL, OUT stored bigint, OUT duplicates bigint, OUT rejected bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $body$
DECLARE
    given bcce_data.given_event[];
    faults text[];
BEGIN
    IF jsonb_typeof(events) IS DISTINCT FROM 'array' THEN
        PERFORM bcce_data.refuse('not_an_object');
    END IF;
    given := bcce_data.events_of_json(ARRAY(SELECT jsonb_array_elements(events)), tenant);
    SELECT p.faults, p.stored INTO faults, stored FROM bcce_data.put_events(given) p;
    rejected := cardinality(faults) - cardinality(array_positions(faults, NULL));
    duplicates := cardinality(faults) - rejected - stored;
    PERFORM bcce_data.reject('ingest_events', array_agg((g.event).tenant_id), array_agg(g.fault), array_agg((g.event).idempotency_key))
    FROM (SELECT unnest(given) AS event, unnest(faults) AS fault) AS g WHERE g.fault IS NOT NULL;
END
$body$;
COMMENT ON FUNCTION bcce.ingest_events(jsonb, text) IS
'Stores an array of events as ingest_event() does and returns how many were stored, known already and refused. A bad event is counted in bcce.rejected and does not stop the others. Errors: 22023 not an array.';

CREATE OR REPLACE VIEW bcce.inbox_events WITH (security_invoker = true) AS
SELECT NULL::text AS tenant, NULL::text AS event_id, NULL::text AS event_type, NULL::text AS occurred_at, NULL::text AS guest_id,
       NULL::text AS guest_type, NULL::text AS user_id, NULL::text AS session_id, NULL::text AS service_id, NULL::text AS ip,
       NULL::text AS user_agent, NULL::text AS properties, NULL::text AS source, NULL::text AS is_test
WHERE false;
COMMENT ON VIEW bcce.inbox_events IS 'Write-only: INSERT or COPY events here, all columns text, properties a JSON object; the same event_id at the same time is stored once. Bad rows are counted in bcce.rejected.';

CREATE OR REPLACE FUNCTION bcce_data.inbox_events() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $body$
DECLARE
    tenants jsonb := bcce_data.resolve_tenants(ARRAY(SELECT DISTINCT bcce_data.tenant_word(b.tenant) FROM batch b));
    families jsonb := bcce_data.user_agent_families(ARRAY(SELECT DISTINCT bcce_data.user_agent_word(b.user_agent) FROM batch b));
    events bcce_data.given_event[];
    faults text[];
BEGIN
    SELECT array_agg(ROW(
        g.tenant_id::uuid,
        CASE
            WHEN g.tenant_id IS NULL THEN 'unknown_tenant'
            WHEN g.occurred_at <> '' AND g.occurred IS NULL THEN 'bad_time'
            WHEN g.ip <> '' AND g.address IS NULL THEN 'bad_address'
            WHEN g.properties <> '' AND g.document IS NULL THEN 'bad_json'
            WHEN jsonb_typeof(g.document) <> 'object' THEN 'not_an_object'
            WHEN g.is_test <> '' AND bcce.try_boolean(g.is_test) IS NULL THEN 'bad_boolean'
        END,
        g.event_type, g.occurred, g.guest_id, nullif(g.guest_type, ''), g.user_id, g.session_id, g.service_id, g.address,
        families ->> bcce_data.user_agent_word(g.user_agent), g.document, nullif(g.event_id, ''), nullif(g.source, ''),
        bcce.try_boolean(g.is_test)
    )::bcce_data.given_event) INTO events
    FROM (
        SELECT b.*, tenants ->> bcce_data.tenant_word(b.tenant) AS tenant_id, bcce.try_timestamptz(b.occurred_at) AS occurred,
               bcce.try_inet(b.ip) AS address, bcce.try_jsonb(b.properties) AS document
        FROM batch b OFFSET 0) AS g;
    faults := (bcce_data.put_events(events)).faults;
    PERFORM bcce_data.reject('inbox_events', array_agg((g.event).tenant_id), array_agg(g.fault), array_agg((g.event).idempotency_key))
    FROM (SELECT unnest(events) AS event, unnest(faults) AS fault) AS g WHERE g.fault IS NOT NULL;
    RETURN NULL;
END
$body$;
COMMENT ON FUNCTION bcce_data.inbox_events() IS 'stores or refuses the rows of bcce.inbox_events';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '57_inbox_json', $bcce_module$
-- JSON lines: one inbox for all facts.
CREATE OR REPLACE VIEW bcce.inbox_json WITH (security_invoker = true) AS
SELECT NULL::text AS line WHERE false;
COMMENT ON VIEW bcce.inbox_json IS 'Write-only: INSERT or COPY lines of JSON here, each an object with the columns of an inbox as members, or an array of such objects. Bad lines are counted in bcce.rejected.';

CREATE OR REPLACE FUNCTION bcce_data.inbox_json() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $body$
DECLARE
    named CONSTANT text[] := ARRAY['workflow_runs', 'incidents', 'metrics', 'predictions', 'model_usage'];
    items jsonb[];
    bad_lines bigint;
    any_list boolean;
    inboxes text[];
    inbox text;
    events bcce_data.given_event[];
    faults text[];
BEGIN
    -- An empty line, as at the end of a file, is none.
    SELECT array_agg(l.document) FILTER (WHERE l.document IS NOT NULL), count(*) FILTER (WHERE l.document IS NULL),
           bool_or(jsonb_typeof(l.document) = 'array')
    INTO items, bad_lines, any_list
    FROM (SELECT bcce.try_jsonb(b.line) AS document FROM batch b WHERE btrim(b.line) <> '' OFFSET 0) AS l;
    IF any_list THEN
        items := ARRAY(
            SELECT e.item FROM unnest(items) AS l (document)
            CROSS JOIN LATERAL jsonb_array_elements(
                CASE jsonb_typeof(l.document) WHEN 'array' THEN l.document ELSE jsonb_build_array(l.document) END) AS e (item));
    END IF;
    PERFORM bcce_data.reject('inbox_json', array_fill(NULL::uuid, ARRAY[bad_lines::integer]), array_fill('bad_json'::text, ARRAY[bad_lines::integer]), NULL)
    WHERE bad_lines > 0;

    -- However many unknown ones there are, they are one.
    inboxes := ARRAY(
        SELECT DISTINCT CASE WHEN jsonb_typeof(i.item) <> 'object' OR coalesce(i.item ->> 'inbox', 'events') = 'events' THEN 'events'
                             WHEN i.item ->> 'inbox' = ANY (named) THEN i.item ->> 'inbox' ELSE 'unknown' END
        FROM unnest(items) AS i (item));
    FOREACH inbox IN ARRAY inboxes LOOP
        CASE inbox
            WHEN 'events' THEN
                -- Straight to the store: members without a column are kept.
                events := bcce_data.events_of_json(CASE cardinality(inboxes) WHEN 1 THEN items ELSE ARRAY(
                    SELECT i.item FROM unnest(items) AS i (item)
                    WHERE jsonb_typeof(i.item) <> 'object' OR coalesce(i.item ->> 'inbox', 'events') = 'events') END, NULL);
                faults := (bcce_data.put_events(events)).faults;
                PERFORM bcce_data.reject('inbox_json', array_agg((g.event).tenant_id), array_agg(g.fault), array_agg((g.event).idempotency_key))
                FROM (SELECT unnest(events) AS event, unnest(faults) AS fault) AS g WHERE g.fault IS NOT NULL;
            WHEN 'workflow_runs' THEN
                INSERT INTO bcce.inbox_workflow_runs
                SELECT r.* FROM unnest(items) AS i (item) CROSS JOIN LATERAL jsonb_populate_record(NULL::bcce.inbox_workflow_runs, i.item) AS r
                WHERE i.item ->> 'inbox' = 'workflow_runs';
            WHEN 'incidents' THEN
                INSERT INTO bcce.inbox_incidents
                SELECT r.* FROM unnest(items) AS i (item) CROSS JOIN LATERAL jsonb_populate_record(NULL::bcce.inbox_incidents, i.item) AS r
                WHERE i.item ->> 'inbox' = 'incidents';
            WHEN 'metrics' THEN
                INSERT INTO bcce.inbox_metrics
                SELECT r.* FROM unnest(items) AS i (item) CROSS JOIN LATERAL jsonb_populate_record(NULL::bcce.inbox_metrics, i.item) AS r
                WHERE i.item ->> 'inbox' = 'metrics';
            WHEN 'predictions' THEN
                INSERT INTO bcce.inbox_predictions
                SELECT r.* FROM unnest(items) AS i (item) CROSS JOIN LATERAL jsonb_populate_record(NULL::bcce.inbox_predictions, i.item) AS r
                WHERE i.item ->> 'inbox' = 'predictions';
            WHEN 'model_usage' THEN
                INSERT INTO bcce.inbox_model_usage
                SELECT r.* FROM unnest(items) AS i (item) CROSS JOIN LATERAL jsonb_populate_record(NULL::bcce.inbox_model_usage, i.item) AS r
                WHERE i.item ->> 'inbox' = 'model_usage';
            ELSE
                PERFORM bcce_data.reject('inbox_json', array_agg(NULL::uuid), array_agg('unknown_inbox'::text), NULL)
                FROM unnest(items) AS i (item) WHERE jsonb_typeof(i.item) = 'object' AND i.item ->> 'inbox' <> ALL ('events'::text || named);
        END CASE;
    END LOOP;
    RETURN NULL;
END
$body$;
COMMENT ON FUNCTION bcce_data.inbox_json() IS 'stores or refuses the lines of bcce.inbox_json';

-- The three triggers of every inbox, and what its columns mean.
DO $do$
DECLARE
    inbox record;
    col record;
BEGIN
    FOR inbox IN
        SELECT c.oid::regclass AS view, c.relname AS function FROM pg_class c
        WHERE c.relnamespace = 'bcce'::regnamespace AND c.relkind = 'v' AND c.relname LIKE 'inbox\_%'
    LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER inbox_open BEFORE INSERT ON %s FOR EACH STATEMENT EXECUTE FUNCTION bcce.collect_rows(%L)', inbox.view, inbox.function);
        EXECUTE format('CREATE OR REPLACE TRIGGER inbox INSTEAD OF INSERT ON %s FOR EACH ROW EXECUTE FUNCTION bcce.collect_rows(%L)', inbox.view, inbox.function);
        EXECUTE format('CREATE OR REPLACE TRIGGER inbox_close AFTER INSERT ON %s FOR EACH STATEMENT EXECUTE FUNCTION bcce.collect_rows(%L)', inbox.view, inbox.function);
    END LOOP;
    -- A column means what it means in the table of the fact, and is text.
    FOR col IN
        SELECT a.attrelid::regclass AS inbox, a.attname, f.format_type, f.meaning
        FROM pg_attribute a
        JOIN pg_class c ON c.oid = a.attrelid
        LEFT JOIN LATERAL (
            SELECT format_type(k.atttypid, NULL) AS format_type, col_description(k.attrelid, k.attnum) AS meaning
            FROM pg_attribute k
            WHERE k.attrelid = to_regclass('bcce_data.' || CASE c.relname WHEN 'inbox_metrics' THEN 'performance_metrics' ELSE substr(c.relname, 7) END)
              AND k.attname = CASE a.attname WHEN 'event_id' THEN 'idempotency_key' ELSE a.attname END
        ) AS f ON true
        WHERE c.relnamespace = 'bcce'::regnamespace AND c.relkind = 'v' AND c.relname LIKE 'inbox\_%' AND a.attnum > 0
    LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', col.inbox, col.attname, CASE
            WHEN col.attname = 'tenant' THEN 'slug, external id or uuid; empty: the writer''s own tenant'
            WHEN col.attname IN ('user_id', 'guest_id') THEN 'the sender''s id of the person; stored as a pseudonym'
            WHEN col.attname = 'ip' THEN 'address; stored as its network'
            WHEN col.attname = 'user_agent' THEN 'program; stored as its family'
            WHEN col.attname = 'line' THEN 'a JSON object, or an array of them; inbox names the inbox (default events), the other members are its columns'
            WHEN col.attname IN ('status', 'severity') THEN col.meaning || '; takes the words of bcce.known_words'
            ELSE col.meaning || CASE col.format_type
                WHEN 'timestamp with time zone' THEN '; ISO 8601, without a zone in UTC'
                WHEN 'boolean' THEN '; true or false'
                WHEN 'bigint' THEN '; a whole number'
                WHEN 'smallint' THEN '; a whole number'
                WHEN 'jsonb' THEN '; a JSON object'
                WHEN 'text' THEN ''
                ELSE '; a decimal number' END END);
    END LOOP;
END
$do$;
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '58_model_requests', $bcce_module$
-- Calls of language models as Claude Code tells of them: in transcripts, several
-- lines for one answer, copied when a session is resumed; and in telemetry.  One
-- call is one row, whoever tells of it and in whatever order.
--
-- A call is its message (message.id), else its request, else its line.  Of its
-- lines the one with the most output counts; where it belongs, the earliest says.
DO $do$
BEGIN
    IF to_regtype('bcce_data.given_model_request') IS NULL THEN
        CREATE TYPE bcce_data.given_model_request AS (
            told_by smallint, message_id text, request_id text, other_key text, at timestamptz, counted_at timestamptz, session_id text, project text,
            user_id text, team_id text, model_id text, input_tokens bigint, output_tokens bigint, cache_read_tokens bigint,
            cache_write_5m_tokens bigint, cache_write_1h_tokens bigint, web_searches bigint, speed text, inference_geo text,
            service_tier text, ttl_assumed boolean, client_cost_usd numeric, run_id text, query_source text, agent_name text,
            latency_ms double precision);
    END IF;
END
$do$;
COMMENT ON TYPE bcce_data.given_model_request IS 'a call of a language model as a line of a transcript or an event of telemetry tells of it';

-- Which record of one call says what it used: a transcript's before an event's,
-- the most output, the one with the split of cache writes, with the speed, the
-- earliest.  The same order whatever came first, so that loading is order-free.
CREATE OR REPLACE FUNCTION bcce_data.count_rank(told_by smallint, output_tokens bigint, ttl_assumed boolean, speed text, counted_at timestamptz,
    input_tokens bigint, cache_read_tokens bigint, cache_write_5m_tokens bigint, cache_write_1h_tokens bigint) RETURNS numeric[]
LANGUAGE sql IMMUTABLE AS $body$
    SELECT ARRAY[told_by & 1, coalesce(output_tokens, -1), (NOT ttl_assumed)::integer, (speed IS NOT NULL)::integer, -extract(epoch FROM counted_at),
        coalesce(input_tokens, -1), coalesce(cache_read_tokens, -1), coalesce(cache_write_5m_tokens, -1), coalesce(cache_write_1h_tokens, -1)]
$body$;
COMMENT ON FUNCTION bcce_data.count_rank(smallint, bigint, boolean, text, timestamptz, bigint, bigint, bigint, bigint) IS 'the larger it is, the more a record of a call says what the call used';

-- The row of a call's own key, locked; made where no name of it is known.
CREATE OR REPLACE FUNCTION bcce_data.claim_call(target uuid, names text[], call_at timestamptz, call_source text, OUT call bcce_data.model_usage_keys, OUT is_new boolean)
LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    known text;
BEGIN
    LOOP
        SELECT k.call_key INTO known FROM bcce_data.model_usage_keys k
        WHERE k.tenant_id = target AND k.request_key = ANY (names)
        ORDER BY array_position(names, k.request_key) LIMIT 1;
        IF FOUND THEN
            SELECT k.* INTO call FROM bcce_data.model_usage_keys k WHERE k.tenant_id = target AND k.request_key = known FOR UPDATE;
            is_new := false;
            RETURN;
        END IF;
        INSERT INTO bcce_data.model_usage_keys AS k (tenant_id, request_key, call_key, source, at)
        VALUES (target, names[1], names[1], call_source, call_at)
        ON CONFLICT DO NOTHING RETURNING k.* INTO call;
        is_new := FOUND;
        EXIT WHEN is_new;
        -- Another writer was first; now it is known.
    END LOOP;
END
$body$;
COMMENT ON FUNCTION bcce_data.claim_call(uuid, text[], timestamptz, text) IS 'finds or makes the key of a call by any of its names, the first its own, and locks it';

-- A record as the store will hold it, so that it can be compared with what is there.
CREATE OR REPLACE FUNCTION bcce_data.normal_request(target uuid, r bcce_data.given_model_request) RETURNS bcce_data.given_model_request
LANGUAGE plpgsql STABLE AS $body$
BEGIN
    r.model_id := bcce_data.key_text(target, r.model_id);
    r.request_id := bcce_data.key_text(target, r.request_id);
    r.session_id := bcce_data.key_text(target, r.session_id);
    r.run_id := bcce_data.key_text(target, r.run_id);
    r.project := bcce_data.key_text(target, r.project);
    r.team_id := bcce_data.key_text(target, r.team_id);
    r.user_id := CASE WHEN r.user_id ~ '^user_[a-z2-7]{26}$' THEN r.user_id ELSE bcce.pseudonym(r.user_id, 'user', target) END;
    r.query_source := bcce.redact(r.query_source);
    r.agent_name := bcce.redact(r.agent_name);
    RETURN r;
END
$body$;
COMMENT ON FUNCTION bcce_data.normal_request(uuid, bcce_data.given_model_request) IS 'a record with identifiers and people as the redaction trigger stores them';

CREATE OR REPLACE FUNCTION bcce_data.token_counts(r bcce_data.given_model_request) RETURNS bigint[]
LANGUAGE sql IMMUTABLE AS $body$
    SELECT ARRAY[coalesce((r).input_tokens, 0), coalesce((r).output_tokens, 0), coalesce((r).cache_read_tokens, 0),
        coalesce((r).cache_write_5m_tokens, 0) + coalesce((r).cache_write_1h_tokens, 0)]
$body$;
COMMENT ON FUNCTION bcce_data.token_counts(bcce_data.given_model_request) IS 'input, output, cache reads and cache writes of a record';

-- What a call's row becomes by a further record of it.
CREATE OR REPLACE FUNCTION bcce_data.merge_request(u bcce_data.model_usage, r bcce_data.given_model_request) RETURNS bcce_data.model_usage
LANGUAGE plpgsql IMMUTABLE AS $body$
BEGIN
    IF bcce_data.count_rank(r.told_by, r.output_tokens, r.ttl_assumed, r.speed, r.counted_at, r.input_tokens, r.cache_read_tokens, r.cache_write_5m_tokens, r.cache_write_1h_tokens)
       > bcce_data.count_rank(u.told_by, u.output_tokens, u.ttl_assumed, u.speed, u.counted_at, u.input_tokens, u.cache_read_tokens, u.cache_write_5m_tokens, u.cache_write_1h_tokens) THEN
        u.model_id := r.model_id; u.input_tokens := r.input_tokens; u.output_tokens := r.output_tokens; u.cache_read_tokens := r.cache_read_tokens;
        u.cache_write_5m_tokens := r.cache_write_5m_tokens; u.cache_write_1h_tokens := r.cache_write_1h_tokens; u.web_searches := r.web_searches;
        u.speed := r.speed; u.inference_geo := r.inference_geo; u.service_tier := r.service_tier; u.ttl_assumed := r.ttl_assumed; u.counted_at := r.counted_at;
    END IF;
    -- Where it belongs: as the earliest record of a transcript says, else an event.
    IF (r.told_by & 1, -extract(epoch FROM r.at), coalesce(r.session_id, '') COLLATE "C", coalesce(r.project, '') COLLATE "C")
       > (u.told_by & 1, -extract(epoch FROM u.at), coalesce(u.session_id, '') COLLATE "C", coalesce(u.project, '') COLLATE "C") THEN
        u.at := r.at; u.session_id := coalesce(r.session_id, u.session_id); u.project := coalesce(r.project, u.project);
        u.user_key := coalesce(r.user_id, u.user_key); u.team_id := coalesce(r.team_id, u.team_id);
    END IF;
    u.session_id := coalesce(u.session_id, r.session_id); u.project := coalesce(u.project, r.project); u.user_key := coalesce(u.user_key, r.user_id);
    u.team_id := coalesce(u.team_id, r.team_id); u.run_id := coalesce(u.run_id, r.run_id); u.request_id := coalesce(u.request_id, r.request_id);
    u.query_source := coalesce(u.query_source, r.query_source); u.agent_name := coalesce(u.agent_name, r.agent_name);
    u.latency_ms := coalesce(u.latency_ms, r.latency_ms); u.client_cost_usd := greatest(u.client_cost_usd, r.client_cost_usd);
    IF r.told_by & 2 = 2 THEN
        u.event_tokens := coalesce(u.event_tokens, bcce_data.token_counts(r));
    END IF;
    u.told_by := u.told_by | r.told_by;
    RETURN u;
END
$body$;
COMMENT ON FUNCTION bcce_data.merge_request(bcce_data.model_usage, bcce_data.given_model_request) IS 'the row of a call after a further record of it, the same whatever came first';

-- Bedrock gives requests no id: then an event and a transcript tell of the same
-- call if model and all counts agree, and the session too or else the second: a
-- resumed session is copied under another name.  The key of the nearest row.
CREATE OR REPLACE FUNCTION bcce_data.twin_call(target uuid, twin_told_by smallint, call_at timestamptz, session text, model text, counts bigint[]) RETURNS text
LANGUAGE sql STABLE AS $body$
    SELECT c.idempotency_key FROM bcce_data.model_usage c
    WHERE c.tenant_id = target AND c.at >= call_at - interval '1 hour' AND c.at < call_at + interval '1 hour'
      AND (c.session_id = session OR abs(extract(epoch FROM c.at - call_at)) < 2)
      AND c.told_by = twin_told_by AND c.request_id IS NULL AND c.model_id = model
      AND counts = ARRAY[coalesce(c.input_tokens, 0), coalesce(c.output_tokens, 0), coalesce(c.cache_read_tokens, 0), coalesce(c.cache_write_5m_tokens, 0) + coalesce(c.cache_write_1h_tokens, 0)]
    ORDER BY abs(extract(epoch FROM c.at - call_at)), c.at, c.idempotency_key COLLATE "C" LIMIT 1
$body$;
COMMENT ON FUNCTION bcce_data.twin_call(uuid, smallint, timestamptz, text, text, bigint[]) IS 'the call that another kind of source told of, without an id of its request, with the same model and counts, and the same session or at the same time';

-- A transcript's call takes in the event that was stored for it before.
CREATE OR REPLACE FUNCTION bcce_data.absorb_event(target uuid, call bcce_data.model_usage_keys, r bcce_data.given_model_request) RETURNS void
LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    twin text := bcce_data.twin_call(target, 2::smallint, r.at, r.session_id, r.model_id, bcce_data.token_counts(r));
    event bcce_data.model_usage;
BEGIN
    IF twin IS NULL THEN
        RETURN;
    END IF;
    DELETE FROM bcce_data.model_usage c USING bcce_data.model_usage_keys k
    WHERE k.tenant_id = target AND k.request_key = twin AND c.tenant_id = target AND c.source = k.source AND c.idempotency_key = twin AND c.at = k.at
    RETURNING c.* INTO event;
    IF event.tenant_id IS NULL THEN
        RETURN;
    END IF;
    UPDATE bcce_data.model_usage_keys k SET call_key = call.call_key, source = NULL, at = NULL WHERE k.tenant_id = target AND k.request_key = twin;
    UPDATE bcce_data.model_usage c
    SET told_by = c.told_by | 2, event_tokens = event.event_tokens, run_id = coalesce(c.run_id, event.run_id), user_key = coalesce(c.user_key, event.user_key),
        team_id = coalesce(c.team_id, event.team_id), query_source = coalesce(c.query_source, event.query_source), agent_name = coalesce(c.agent_name, event.agent_name),
        latency_ms = coalesce(c.latency_ms, event.latency_ms), client_cost_usd = greatest(c.client_cost_usd, event.client_cost_usd)
    FROM bcce_data.model_usage_keys k
    WHERE k.tenant_id = target AND k.request_key = call.call_key AND c.tenant_id = target AND c.source = k.source AND c.idempotency_key = k.request_key AND c.at = k.at;
END
$body$;
COMMENT ON FUNCTION bcce_data.absorb_event(uuid, bcce_data.model_usage_keys, bcce_data.given_model_request) IS 'joins the row of a telemetry event without an id of its request with the transcript''s row of the same call';

-- Stores one call, or what a further record of it says.  True: new; false: changed; NULL: nothing new.
CREATE OR REPLACE FUNCTION bcce_data.put_model_request(target uuid, given bcce_data.given_model_request, call_source text) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    names text[];
    claimed record;
    r bcce_data.given_model_request := bcce_data.normal_request(target, given);
    u bcce_data.model_usage;
    old bcce_data.model_usage;
BEGIN
    SELECT array_agg(bcce_data.key_text(target, n.name) ORDER BY n.place) INTO names
    FROM (VALUES (1, 'msg:' || given.message_id), (2, 'req:' || given.request_id), (3, given.other_key)) AS n (place, name) WHERE n.name IS NOT NULL;
    IF r.told_by = 2 AND given.request_id IS NULL AND NOT EXISTS (SELECT FROM bcce_data.model_usage_keys k WHERE k.tenant_id = target AND k.request_key = ANY (names)) THEN
        names := bcce_data.twin_call(target, 1::smallint, r.at, r.session_id, r.model_id, bcce_data.token_counts(r)) || names;
        names := array_remove(names, NULL);
    END IF;
    -- A message is a call of its own, but where an event of its request came first.
    claimed := bcce_data.claim_call(target, CASE WHEN given.message_id IS NULL THEN names ELSE names[1:1] END, r.at, call_source);
    IF claimed.is_new AND given.message_id IS NOT NULL AND given.request_id IS NOT NULL THEN
        SELECT c.* INTO u FROM bcce_data.model_usage_keys k
        JOIN bcce_data.model_usage_keys o ON o.tenant_id = k.tenant_id AND o.request_key = k.call_key
        JOIN bcce_data.model_usage c ON c.tenant_id = o.tenant_id AND c.source = o.source AND c.idempotency_key = o.call_key AND c.at = o.at
        WHERE k.tenant_id = target AND k.request_key = names[2] AND c.told_by & 1 = 0;
        IF FOUND THEN
            UPDATE bcce_data.model_usage_keys k SET call_key = u.idempotency_key, source = NULL, at = NULL
            WHERE k.tenant_id = target AND k.request_key = names[1];
            claimed := bcce_data.claim_call(target, ARRAY[u.idempotency_key], r.at, call_source);
        END IF;
    END IF;
    INSERT INTO bcce_data.model_usage_keys (tenant_id, request_key, call_key)
    SELECT target, n.name, (claimed.call).call_key FROM unnest(names[2:]) AS n (name)
    WHERE NOT EXISTS (SELECT FROM bcce_data.model_usage_keys k WHERE k.tenant_id = target AND k.request_key = n.name)
    ON CONFLICT DO NOTHING;

    IF claimed.is_new THEN
        INSERT INTO bcce_data.model_usage (tenant_id, source, idempotency_key, at, model_id, provider, user_key, session_id, run_id, request_id,
            project, team_id, query_source, agent_name, input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
            web_searches, speed, inference_geo, service_tier, latency_ms, client_cost_usd, counted_at, ttl_assumed, told_by, event_tokens, charged_usd, priced_at)
        SELECT target, call_source, (claimed.call).call_key, r.at, r.model_id, 'anthropic', r.user_id, r.session_id, r.run_id, r.request_id,
            r.project, r.team_id, r.query_source, r.agent_name, r.input_tokens, r.output_tokens, r.cache_read_tokens, r.cache_write_5m_tokens, r.cache_write_1h_tokens,
            r.web_searches, r.speed, r.inference_geo, r.service_tier, r.latency_ms, r.client_cost_usd, r.counted_at, r.ttl_assumed, r.told_by,
            CASE WHEN r.told_by & 2 = 2 THEN bcce_data.token_counts(r) END,
            cost.usd, CASE WHEN cost.usd IS NOT NULL THEN now() END
        FROM (SELECT bcce.estimate_token_cost(r.model_id, r.at, r.input_tokens, r.output_tokens, r.cache_read_tokens, r.cache_write_5m_tokens,
                  r.cache_write_1h_tokens, r.web_searches, r.speed, r.inference_geo, r.service_tier, target) AS usd) AS cost;
        IF r.told_by = 1 AND r.request_id IS NULL THEN
            PERFORM bcce_data.absorb_event(target, claimed.call, r);
        END IF;
        RETURN true;
    END IF;

    SELECT c.* INTO old FROM bcce_data.model_usage c
    WHERE c.tenant_id = target AND c.source = (claimed.call).source AND c.idempotency_key = (claimed.call).call_key AND c.at = (claimed.call).at;
    u := bcce_data.merge_request(old, r);
    IF u IS NOT DISTINCT FROM old THEN
        RETURN NULL;
    END IF;
    IF (u.model_id, u.at, u.input_tokens, u.output_tokens, u.cache_read_tokens, u.cache_write_5m_tokens, u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier)
       IS DISTINCT FROM (old.model_id, old.at, old.input_tokens, old.output_tokens, old.cache_read_tokens, old.cache_write_5m_tokens, old.cache_write_1h_tokens, old.web_searches, old.speed, old.inference_geo, old.service_tier) THEN
        u.charged_usd := bcce.estimate_token_cost(u.model_id, u.at, u.input_tokens, u.output_tokens, u.cache_read_tokens, u.cache_write_5m_tokens,
            u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier, target);
        u.priced_at := CASE WHEN u.charged_usd IS NOT NULL THEN now() END;
    END IF;
    UPDATE bcce_data.model_usage c
    SET at = u.at, model_id = u.model_id, user_key = u.user_key, session_id = u.session_id, run_id = u.run_id, request_id = u.request_id, project = u.project,
        team_id = u.team_id, query_source = u.query_source, agent_name = u.agent_name, input_tokens = u.input_tokens, output_tokens = u.output_tokens,
        cache_read_tokens = u.cache_read_tokens, cache_write_5m_tokens = u.cache_write_5m_tokens, cache_write_1h_tokens = u.cache_write_1h_tokens,
        web_searches = u.web_searches, speed = u.speed, inference_geo = u.inference_geo, service_tier = u.service_tier, latency_ms = u.latency_ms,
        client_cost_usd = u.client_cost_usd, counted_at = u.counted_at, ttl_assumed = u.ttl_assumed, told_by = u.told_by, event_tokens = u.event_tokens,
        charged_usd = u.charged_usd, priced_at = u.priced_at
    WHERE c.tenant_id = target AND c.source = old.source AND c.idempotency_key = old.idempotency_key AND c.at = old.at;
    IF u.at <> old.at THEN
        UPDATE bcce_data.model_usage_keys k SET at = u.at WHERE k.tenant_id = target AND k.request_key = old.idempotency_key;
    END IF;
    IF u.told_by = 1 AND u.request_id IS NULL THEN
        r.at := u.at; r.session_id := u.session_id; r.model_id := u.model_id; r.input_tokens := u.input_tokens; r.output_tokens := u.output_tokens;
        r.cache_read_tokens := u.cache_read_tokens; r.cache_write_5m_tokens := u.cache_write_5m_tokens; r.cache_write_1h_tokens := u.cache_write_1h_tokens;
        PERFORM bcce_data.absorb_event(target, claimed.call, r);
    END IF;
    RETURN false;
END
$body$;
COMMENT ON FUNCTION bcce_data.put_model_request(uuid, bcce_data.given_model_request, text) IS 'stores a call, or what a further record of it says; true: new, false: changed, NULL: nothing new';

-- Many records, each call once: of its records in a batch the one that counts,
-- with the place and time of the earliest.
CREATE OR REPLACE FUNCTION bcce_data.put_model_requests(target uuid, requests bcce_data.given_model_request[], call_source text, OUT added bigint, OUT changed bigint)
LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    request bcce_data.given_model_request;
    item record;
    outcome boolean;
BEGIN
    added := 0;
    changed := 0;
    -- In one order for all writers, or two of them would wait for each other.
    FOR item IN
        SELECT g.key, g.told_by,
            (array_agg(g.r ORDER BY bcce_data.count_rank((g.r).told_by, (g.r).output_tokens, (g.r).ttl_assumed, (g.r).speed, (g.r).counted_at, (g.r).input_tokens,
                (g.r).cache_read_tokens, (g.r).cache_write_5m_tokens, (g.r).cache_write_1h_tokens) DESC))[1] AS counts,
            (array_agg(g.r ORDER BY (g.r).at, coalesce((g.r).session_id, '') COLLATE "C", coalesce((g.r).project, '') COLLATE "C"))[1] AS place,
            max((g.r).client_cost_usd) AS client_cost_usd
        FROM (
            SELECT r, r.told_by, coalesce('msg:' || r.message_id, 'req:' || r.request_id, r.other_key) AS key FROM unnest(requests) AS r
        ) AS g
        GROUP BY g.key, g.told_by
        ORDER BY g.key COLLATE "C", g.told_by
    LOOP
        request := item.counts;
        request.at := (item.place).at;
        request.session_id := coalesce((item.place).session_id, request.session_id);
        request.project := coalesce((item.place).project, request.project);
        request.user_id := coalesce((item.place).user_id, request.user_id);
        request.team_id := coalesce((item.place).team_id, request.team_id);
        request.request_id := coalesce((item.place).request_id, request.request_id);
        request.client_cost_usd := item.client_cost_usd;
        outcome := bcce_data.put_model_request(target, request, call_source);
        added := added + coalesce(outcome, false)::integer;
        changed := changed + (outcome IS FALSE)::integer;
    END LOOP;
END
$body$;
COMMENT ON FUNCTION bcce_data.put_model_requests(uuid, bcce_data.given_model_request[], text) IS 'stores the calls that records tell of; how many were new and how many changed';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '59_telemetry', $bcce_module$
-- Telemetry of Claude Code: OpenTelemetry's export requests as JSON.  Events of
-- the type api_request are calls; the counters of tokens and cost are kept to
-- check the calls by.  Everything else is left out, people become pseudonyms.
CREATE OR REPLACE FUNCTION bcce_data.otlp_attributes(attributes jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $body$
    SELECT coalesce(jsonb_object_agg(a.item ->> 'key', coalesce(a.item #> '{value,stringValue}', a.item #> '{value,intValue}', a.item #> '{value,doubleValue}', a.item #> '{value,boolValue}'))
        FILTER (WHERE a.item ->> 'key' IS NOT NULL), '{}')
    FROM jsonb_array_elements(CASE jsonb_typeof(attributes) WHEN 'array' THEN attributes ELSE '[]' END) AS a (item)
$body$;
COMMENT ON FUNCTION bcce_data.otlp_attributes(jsonb) IS 'attributes of OpenTelemetry as an object; numbers may be strings there';

-- What is listed is an array, and nothing else is.
CREATE OR REPLACE FUNCTION bcce_data.otlp_items(document jsonb, member text) RETURNS SETOF jsonb
LANGUAGE sql IMMUTABLE AS $body$
    SELECT jsonb_array_elements(CASE jsonb_typeof(document -> member) WHEN 'array' THEN document -> member ELSE '[]' END)
$body$;
COMMENT ON FUNCTION bcce_data.otlp_items(jsonb, text) IS 'the elements of a list in a document, none where it is no list';

CREATE OR REPLACE FUNCTION bcce_data.otlp_time(nanoseconds text) RETURNS timestamptz
LANGUAGE sql IMMUTABLE AS $body$
    SELECT CASE WHEN bcce.try_bigint(nanoseconds) BETWEEN 0 AND 7289654400000000000
        THEN timestamptz 'epoch' + (bcce.try_bigint(nanoseconds) / 1000) * interval '1 microsecond' END
$body$;
COMMENT ON FUNCTION bcce_data.otlp_time(text) IS 'an instant from nanoseconds since 1970, cut to microseconds';

CREATE OR REPLACE FUNCTION bcce_data.otlp_person(attributes jsonb) RETURNS text
LANGUAGE sql IMMUTABLE AS $body$
    SELECT coalesce(nullif(btrim(attributes ->> 'user.email'), ''), nullif(attributes ->> 'user.account_uuid', ''), nullif(attributes ->> 'user.account_id', ''), nullif(attributes ->> 'user.id', ''))
$body$;
COMMENT ON FUNCTION bcce_data.otlp_person(jsonb) IS 'who made a call, to be turned into a pseudonym: the address, as loaders of transcripts know people by it, else the account, else the installation';

CREATE OR REPLACE FUNCTION bcce_data.event_request(a jsonb, resource jsonb, event_at timestamptz) RETURNS bcce_data.given_model_request
LANGUAGE plpgsql IMMUTABLE AS $body$
DECLARE
    r bcce_data.given_model_request;
BEGIN
    r.told_by := 2;
    r.request_id := nullif(a ->> 'request_id', '');
    r.at := coalesce(bcce.try_timestamptz(a ->> 'event.timestamp'), event_at);
    r.counted_at := r.at;
    r.session_id := nullif(a ->> 'session.id', '');
    r.other_key := coalesce('creq:' || nullif(a ->> 'client_request_id', ''), 'evt:' || r.session_id || ':' || (a ->> 'event.sequence'));
    r.user_id := bcce_data.otlp_person(a);
    r.team_id := coalesce(nullif(resource ->> 'team.id', ''), nullif(a ->> 'team.id', ''));
    r.model_id := nullif(a ->> 'model', '');
    r.input_tokens := bcce.try_bigint(a ->> 'input_tokens');
    r.output_tokens := bcce.try_bigint(a ->> 'output_tokens');
    r.cache_read_tokens := bcce.try_bigint(a ->> 'cache_read_tokens');
    -- Telemetry does not say how long cache writes live.
    r.cache_write_5m_tokens := bcce.try_bigint(a ->> 'cache_creation_tokens');
    r.ttl_assumed := coalesce(r.cache_write_5m_tokens > 0, false);
    r.speed := CASE WHEN a ->> 'speed' = 'fast' THEN 'fast' WHEN a ->> 'speed' IN ('', 'normal') THEN NULL ELSE a ->> 'speed' END;
    r.client_cost_usd := coalesce(bcce.try_bigint(a ->> 'cost_usd_micros')::numeric / 1000000, bcce.try_numeric(a ->> 'cost_usd'));
    r.run_id := nullif(a ->> 'workflow.run_id', '');
    r.query_source := nullif(a ->> 'query_source', '');
    r.agent_name := nullif(a ->> 'agent.name', '');
    r.latency_ms := bcce.try_float8(a ->> 'duration_ms');
    RETURN r;
END
$body$;
COMMENT ON FUNCTION bcce_data.event_request(jsonb, jsonb, timestamptz) IS 'what an api_request event tells of a call, by an allow-list of its attributes';

-- Points of claude_code.token.usage and claude_code.cost.usage.
CREATE OR REPLACE FUNCTION bcce_data.put_counters(target uuid, payload jsonb, OUT stored bigint, OUT refused bigint)
LANGUAGE plpgsql VOLATILE AS $body$
BEGIN
    WITH point AS (
        SELECT m.item ->> 'name' AS name, bcce_data.otlp_attributes(p.item -> 'attributes') AS a, bcce_data.otlp_attributes(r.item #> '{resource,attributes}') AS resource,
            bcce_data.otlp_time(p.item ->> 'startTimeUnixNano') AS started_at, bcce_data.otlp_time(p.item ->> 'timeUnixNano') AS at,
            coalesce(bcce.try_numeric(p.item ->> 'asInt'), bcce.try_numeric(p.item ->> 'asDouble')) AS value,
            m.item #>> '{sum,aggregationTemporality}' IN ('2', 'AGGREGATION_TEMPORALITY_CUMULATIVE') AS is_cumulative
        FROM bcce_data.otlp_items(payload, 'resourceMetrics') AS r (item)
        CROSS JOIN LATERAL bcce_data.otlp_items(r.item, 'scopeMetrics') AS s (item)
        CROSS JOIN LATERAL bcce_data.otlp_items(s.item, 'metrics') AS m (item)
        CROSS JOIN LATERAL bcce_data.otlp_items(m.item -> 'sum', 'dataPoints') AS p (item)
        WHERE m.item ->> 'name' IN ('claude_code.token.usage', 'claude_code.cost.usage')
    ),
    sound AS (
        SELECT p.*, p.started_at IS NOT NULL AND p.at IS NOT NULL AND p.value >= 0 AND p.value <= 1e15 AND bcce_data.time_fault(p.at) IS NULL AS is_sound FROM point AS p
    ),
    made AS (
        INSERT INTO bcce_data.model_usage_counters (tenant_id, series_key, started_at, at, metric, token_class, model_id, user_key, session_id, value, is_cumulative)
        SELECT target, k.series_key, k.started_at, k.at,
            CASE k.name WHEN 'claude_code.token.usage' THEN 'tokens' ELSE 'cost_usd' END,
            CASE k.a ->> 'type' WHEN 'input' THEN 'input' WHEN 'output' THEN 'output' WHEN 'cacheRead' THEN 'cache_read' WHEN 'cacheCreation' THEN 'cache_write' END,
            k.a ->> 'model', bcce_data.otlp_person(k.a), nullif(k.a ->> 'session.id', ''), k.value, k.is_cumulative
        FROM (SELECT p.*, bcce.pseudonym(ROW(p.name, p.a, p.resource)::text, 'series', target) AS series_key FROM sound AS p WHERE p.is_sound) AS k
        ORDER BY k.series_key COLLATE "C", k.started_at, k.at
        ON CONFLICT DO NOTHING RETURNING 1
    )
    SELECT (SELECT count(*) FROM made), (SELECT count(*) FROM sound AS p WHERE p.is_sound IS NOT TRUE) INTO stored, refused;
END
$body$;
COMMENT ON FUNCTION bcce_data.put_counters(uuid, jsonb) IS 'stores the points of the token and cost counters of an export, each once';

CREATE OR REPLACE FUNCTION bcce.ingest_otlp(payload jsonb, tenant text DEFAULT NULL, source text DEFAULT 'otlp',
    OUT events bigint, OUT calls bigint, OUT added bigint, OUT changed bigint, OUT points bigint, OUT ignored bigint, OUT refused bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $body$
DECLARE
    target uuid := bcce_data.writable_tenant(tenant);
    requests bcce_data.given_model_request[];
    faults text[];
    counters record;
BEGIN
    SELECT count(*), count(*) FILTER (WHERE l.is_call), array_agg(bcce_data.event_request(l.a, l.resource, l.at)) FILTER (WHERE l.is_call)
    INTO events, calls, requests
    FROM (
        SELECT e.a, e.resource, e.at, (e.a ->> 'event.name' = 'api_request' OR e.body = 'claude_code.api_request') IS TRUE AS is_call
        FROM (
            SELECT bcce_data.otlp_attributes(l.item -> 'attributes') AS a, bcce_data.otlp_attributes(r.item #> '{resource,attributes}') AS resource,
                coalesce(bcce_data.otlp_time(l.item ->> 'timeUnixNano'), bcce_data.otlp_time(l.item ->> 'observedTimeUnixNano')) AS at, l.item #>> '{body,stringValue}' AS body
            FROM bcce_data.otlp_items(payload, 'resourceLogs') AS r (item)
            CROSS JOIN LATERAL bcce_data.otlp_items(r.item, 'scopeLogs') AS s (item)
            CROSS JOIN LATERAL bcce_data.otlp_items(s.item, 'logRecords') AS l (item)
        ) AS e
    ) AS l;
    SELECT array_agg(g.r) FILTER (WHERE g.fault IS NULL), array_agg(g.fault) FILTER (WHERE g.fault IS NOT NULL) INTO requests, faults
    FROM (SELECT r, bcce_data.request_fault(r) AS fault FROM unnest(requests) AS r) AS g;
    PERFORM bcce_data.reject('telemetry', array_fill(target, ARRAY[cardinality(faults)]), faults, NULL) WHERE faults IS NOT NULL;
    SELECT p.added, p.changed INTO added, changed FROM bcce_data.put_model_requests(target, requests, left(coalesce(nullif(source, ''), 'otlp'), 256)) AS p;
    counters := bcce_data.put_counters(target, payload);
    PERFORM bcce_data.reject('telemetry', array_fill(target, ARRAY[counters.refused::integer]), array_fill('bad_number'::text, ARRAY[counters.refused::integer]), NULL)
    WHERE counters.refused > 0;
    points := counters.stored;
    ignored := events - calls;
    refused := coalesce(cardinality(faults), 0) + counters.refused;
END
$body$;
COMMENT ON FUNCTION bcce.ingest_otlp(jsonb, text, text) IS
'Stores what Claude Code exports by OpenTelemetry (one export request in OTLP/JSON, logs or metrics, or both): events of API requests as calls of language models, one row for each call whether a transcript tells of it too or not, and the points of the token and cost counters, each once. Says how many events there were, how many told of a call, how many calls are new or changed, how many points are new, how many events were of other kinds, and how many were refused (counted in bcce.rejected). People become pseudonyms; prompts, tool input and the like are never stored. Error P0002: tenant not found.';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '59_transcripts', $bcce_module$
-- Transcripts of Claude Code: JSON lines.  Only what is named here is kept: ids,
-- the model, counts, times and flags; never a message, a prompt, what a tool got
-- or gave, nor a path.
CREATE OR REPLACE FUNCTION bcce_data.transcript_request(line jsonb, user_id text, project text, team_id text) RETURNS bcce_data.given_model_request
LANGUAGE plpgsql IMMUTABLE AS $body$
DECLARE
    message jsonb := line -> 'message';
    usage jsonb := line #> '{message,usage}';
    split jsonb := line #> '{message,usage,cache_creation}';
    r bcce_data.given_model_request;
    writes bigint := bcce.try_bigint(usage ->> 'cache_creation_input_tokens');
    known bigint;
BEGIN
    r.told_by := 1;
    r.message_id := nullif(message ->> 'id', '');
    r.request_id := nullif(line ->> 'requestId', '');
    r.other_key := CASE WHEN r.message_id IS NULL AND r.request_id IS NULL THEN 'uuid:' || nullif(line ->> 'uuid', '') END;
    r.at := bcce.try_timestamptz(line ->> 'timestamp');
    r.counted_at := r.at;
    r.session_id := nullif(line ->> 'sessionId', '');
    -- Of a path only its last part, where the loader does not say.
    r.project := coalesce(project, nullif(regexp_replace(line ->> 'cwd', '^.*[/\\]', ''), ''));
    r.user_id := user_id;
    r.team_id := team_id;
    r.model_id := nullif(message ->> 'model', '');
    r.input_tokens := bcce.try_bigint(usage ->> 'input_tokens');
    r.output_tokens := bcce.try_bigint(usage ->> 'output_tokens');
    r.cache_read_tokens := bcce.try_bigint(usage ->> 'cache_read_input_tokens');
    r.cache_write_5m_tokens := bcce.try_bigint(split ->> 'ephemeral_5m_input_tokens');
    r.cache_write_1h_tokens := bcce.try_bigint(split ->> 'ephemeral_1h_input_tokens');
    -- What is not split lives five minutes as far as anybody knows.
    known := coalesce(r.cache_write_5m_tokens, 0) + coalesce(r.cache_write_1h_tokens, 0);
    r.ttl_assumed := writes <> known;
    IF writes > known THEN
        r.cache_write_5m_tokens := coalesce(r.cache_write_5m_tokens, 0) + writes - known;
    END IF;
    r.ttl_assumed := coalesce(r.ttl_assumed, false);
    r.web_searches := bcce.try_bigint(usage #>> '{server_tool_use,web_search_requests}');
    r.speed := nullif(usage ->> 'speed', '');
    r.inference_geo := nullif(usage ->> 'inference_geo', '');
    r.service_tier := nullif(usage ->> 'service_tier', '');
    r.client_cost_usd := bcce.try_numeric(line ->> 'costUSD');
    r.query_source := CASE WHEN line ->> 'isSidechain' = 'true' THEN 'subagent' END;
    RETURN r;
END
$body$;
COMMENT ON FUNCTION bcce_data.transcript_request(jsonb, text, text, text) IS 'what a line of a transcript tells of a call, by an allow-list of its members';

CREATE OR REPLACE FUNCTION bcce_data.request_fault(r bcce_data.given_model_request) RETURNS text
LANGUAGE sql IMMUTABLE AS $body$
    SELECT CASE
        WHEN (r).model_id = '<synthetic>' THEN NULL
        WHEN (r).model_id IS NULL OR coalesce((r).message_id, (r).request_id, (r).other_key) IS NULL THEN 'missing_id'
        WHEN greatest(length((r).model_id), length((r).message_id), length((r).request_id), length((r).other_key), length((r).session_id),
            length((r).project), length((r).run_id), length((r).team_id)) > 250 THEN 'key_too_long'
        WHEN (r).at IS NULL THEN 'missing_time'
        WHEN least((r).input_tokens, (r).output_tokens, (r).cache_read_tokens, (r).cache_write_5m_tokens, (r).cache_write_1h_tokens, (r).web_searches) < 0
            OR (r).client_cost_usd < 0 THEN 'negative_number'
        WHEN greatest((r).input_tokens, (r).output_tokens, (r).cache_read_tokens, (r).cache_write_5m_tokens, (r).cache_write_1h_tokens, (r).web_searches) > 1e15
            OR (r).client_cost_usd > 1e15 OR (r).client_cost_usd = 'NaN' THEN 'bad_number'
        WHEN coalesce((r).input_tokens, (r).output_tokens) IS NULL THEN 'bad_number'
        ELSE bcce_data.time_fault((r).at)
    END
$body$;
COMMENT ON FUNCTION bcce_data.request_fault(bcce_data.given_model_request) IS 'reason to refuse a record of a call, NULL where there is none';

CREATE OR REPLACE FUNCTION bcce.ingest_transcript(source text, jsonl text, user_id text DEFAULT NULL, project text DEFAULT NULL, team_id text DEFAULT NULL,
    tenant text DEFAULT NULL, OUT lines bigint, OUT call_lines bigint, OUT added bigint, OUT changed bigint, OUT synthetic bigint, OUT refused bigint,
    OUT malformed bigint, OUT malformed_at bigint[])
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $body$
DECLARE
    target uuid := bcce_data.writable_tenant(tenant);
    documents jsonb[];
    requests bcce_data.given_model_request[];
    faults text[];
    source_name text := left(coalesce(nullif(source, ''), 'transcript'), 256);
BEGIN
    -- A NUL cannot be stored, and it only ever stands in what is not kept.
    SELECT count(*) FILTER (WHERE p.text <> ''), array_agg(p.document ORDER BY p.ordinal) FILTER (WHERE p.document #> '{message,usage}' IS NOT NULL),
        count(*) FILTER (WHERE p.text <> '' AND (p.document IS NULL OR jsonb_typeof(p.document) <> 'object')),
        (array_agg(p.starts_at ORDER BY p.ordinal) FILTER (WHERE p.text <> '' AND (p.document IS NULL OR jsonb_typeof(p.document) <> 'object')))[1:10]
    INTO lines, documents, malformed, malformed_at
    FROM (
        SELECT l.ordinal, btrim(l.line, E' \t\r') AS text,
            sum(octet_length(l.line) + 1) OVER (ORDER BY l.ordinal ROWS UNBOUNDED PRECEDING) - octet_length(l.line) - 1 AS starts_at,
            bcce.try_jsonb(CASE WHEN l.line LIKE '%\\u0000%' THEN replace(l.line, '\u0000', '\ufffd') ELSE l.line END) AS document
        FROM string_to_table(jsonl, E'\n') WITH ORDINALITY AS l (line, ordinal)
    ) AS p;
    call_lines := coalesce(cardinality(documents), 0);

    SELECT array_agg(g.r), array_agg(bcce_data.request_fault(g.r)), count(*) FILTER (WHERE (g.r).model_id = '<synthetic>')
    INTO requests, faults, synthetic
    FROM (SELECT bcce_data.transcript_request(d.document, nullif(ingest_transcript.user_id, ''), nullif(ingest_transcript.project, ''), nullif(ingest_transcript.team_id, '')) AS r
          FROM unnest(documents) AS d (document) OFFSET 0) AS g;
    SELECT array_agg(g.r) FILTER (WHERE g.fault IS NULL), count(g.fault) INTO requests, refused
    FROM (SELECT unnest(requests) AS r, unnest(faults) AS fault) AS g WHERE (g.r).model_id IS DISTINCT FROM '<synthetic>';
    PERFORM bcce_data.reject('transcript', array_agg(target), array_agg(f.reason), array_agg(NULL::text))
    FROM (SELECT unnest(faults) AS reason UNION ALL SELECT 'bad_json' FROM generate_series(1, malformed)) AS f WHERE f.reason IS NOT NULL;
    SELECT p.added, p.changed INTO added, changed FROM bcce_data.put_model_requests(target, requests, source_name) AS p;
END
$body$;
COMMENT ON FUNCTION bcce.ingest_transcript(text, text, text, text, text, text) IS
'Stores the calls of language models in a transcript of Claude Code (JSON lines, whole or in part): each call once, however many lines tell of it, whoever loads it, how often and in what order. Keeps ids, model, counts, times and flags, nothing else; user_id becomes a pseudonym; project NULL: the last part of the working directory. Says how many lines there were, how many told of a call, how many calls are new or changed, how many lines were synthetic (made by the client), refused (counted in bcce.rejected) or malformed, and where the first ten malformed lines begin, in bytes. Error P0002: tenant not found.';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '60_sample_data', $bcce_module$
-- Sample data: two tenants with about 90 days of everything, made by integer
-- arithmetic from a seed, so that the same arguments give the same rows in
-- every session, in whatever order a plan computes them.
--
-- The text that is planted to show the redaction is put together from pieces,
-- so that no whole secret stands here.

-- Products modulo numbers of quite different size, xor between them: not a
-- good hash, but one expression, which a plan inlines.
CREATE OR REPLACE FUNCTION bcce_data.sample_draw(seed bigint, stream bigint, n bigint) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ((((((((((seed & 2147483647) * 1103515245 + 12345) % 2147483647 # 1431655765)
    + (stream & 65535) * 1597334677) % 1500450271 * 1640531513 % 2038074743 # 715827882)
    + (n & 2147483647) * 1223106847) % 1786433189 * 1812433253 % 1073741789 # 858993459)
    * 1566083941 % 1299709349 # 954437176) * 1664525 % 1610612741 # 477218588) * 1299721 % 999999937
    + 0.5::double precision) / 999999937;
COMMENT ON FUNCTION bcce_data.sample_draw(bigint, bigint, bigint) IS 'chance of the sample data: a number between 0 and 1, always the same for the same arguments; stream says what is drawn, n for which row';

CREATE OR REPLACE FUNCTION bcce_data.sample_normal(seed bigint, stream bigint, n bigint) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN sqrt(-2 * ln(bcce_data.sample_draw(seed, stream, n))) * cos(2 * pi() * bcce_data.sample_draw(seed, stream + 32768, n));
COMMENT ON FUNCTION bcce_data.sample_normal(bigint, bigint, bigint) IS 'chance of the sample data: a normally distributed number, mean 0, standard deviation 1';

CREATE OR REPLACE FUNCTION bcce_data.sample_pii(n bigint) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE n % 5
    WHEN 0 THEN 'reported by jane.roe' || '@' || 'guest-mail.example'
    WHEN 1 THEN 'card 4111 ' || '1111 1111 ' || '1111 was declined'
    WHEN 2 THEN 'call back at +49 ' || '30 90182' || '0144'
    WHEN 3 THEN 'used key AKIA' || 'QZ7J4MWX' || '5KTN2VRB'
    ELSE 'token=ghp_' || 'a1B2c3D4e5F6' || 'g7H8i9J0k1L2' || 'm3N4o5P6q7R8'
END;
COMMENT ON FUNCTION bcce_data.sample_pii(bigint) IS 'text with personal data or a secret, for the redaction to remove';

-- Tenants of the sample data, with what makes them different.
CREATE OR REPLACE FUNCTION bcce_data.sample_tenants()
RETURNS TABLE (no bigint, tenant_id uuid, slug text, zone text, runs_a_day double precision, users bigint)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $body$
    SELECT s.no, t.tenant_id, t.slug, s.zone, s.runs_a_day, s.users
    FROM (VALUES (1, 'sample-acme', 'Europe/Berlin', 42, 24), (2, 'sample-beta', 'America/New_York', 26, 14))
         AS s (no, slug, zone, runs_a_day, users)
    JOIN bcce_data.tenants t ON t.slug = s.slug
$body$;
COMMENT ON FUNCTION bcce_data.sample_tenants() IS 'the tenants of the sample data that exist';

-- A moment of a local day in the zone: most by day, some at night.
CREATE OR REPLACE FUNCTION bcce_data.sample_moment(seed bigint, stream bigint, n bigint, day date, zone text) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (day + make_interval(secs => (floor(86400 * (CASE
    WHEN bcce_data.sample_draw(seed, stream, n) < 0.15 THEN bcce_data.sample_draw(seed, stream + 1, n)
    ELSE 0.57 + 0.13 * bcce_data.sample_normal(seed, stream + 2, n) END)))::bigint % 86400)) AT TIME ZONE zone;
COMMENT ON FUNCTION bcce_data.sample_moment(bigint, bigint, bigint, date, text) IS 'a moment of a local day: most by day, some at night';

CREATE OR REPLACE FUNCTION bcce_data.sample_dimensions(prefix text, seed bigint, until timestamptz) RETURNS TABLE (tenant_id uuid, fact text)
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $body$
    WITH teams AS (
        INSERT INTO bcce_data.teams (tenant_id, team_id, team_name)
        SELECT t.tenant_id, v.team_id, v.team_name
        FROM bcce_data.sample_tenants() t
        CROSS JOIN (VALUES ('platform', 'Platform'), ('payments', 'Payments'), ('guest', 'Guest experience')) AS v (team_id, team_name)
        ON CONFLICT DO NOTHING RETURNING tenant_id
    ), principals AS (
        INSERT INTO bcce_data.principals (tenant_id, user_key, team_id, role, provisioned_at)
        SELECT t.tenant_id, format('user-%s@%s.example', u, t.slug), (ARRAY['platform', 'payments', 'guest'])[1 + u % 3],
               CASE WHEN u % 7 = 0 THEN 'lead' ELSE 'developer' END,
               until - make_interval(hours => 2160 - (1400 * u / t.users)::integer)
        FROM bcce_data.sample_tenants() t CROSS JOIN LATERAL generate_series(1, t.users) AS u
        ON CONFLICT DO NOTHING RETURNING tenant_id
    ), services AS (
        INSERT INTO bcce_data.services (tenant_id, service_id, service_name, team_id, criticality, expected_interval_seconds, created_at, retired_at)
        SELECT t.tenant_id, v.service_id, v.service_name, v.team_id, v.criticality, v.seconds, until - interval '2160 hours',
               CASE WHEN v.service_id = 'old-portal' THEN until - interval '1440 hours' END
        FROM bcce_data.sample_tenants() t
        JOIN (VALUES (1, 'api-gateway', 'API gateway', 'platform', 'high', 300), (1, 'guest-app', 'Guest app', 'guest', 'high', 300),
                     (1, 'payments', 'Payments', 'payments', 'high', 300), (1, 'search', 'Search', 'guest', 'medium', 300),
                     (1, 'reporting', 'Reporting', 'platform', 'low', 300), (1, 'loyalty-import', 'Loyalty import', 'guest', 'low', NULL),
                     (1, 'old-portal', 'Old portal', 'guest', 'low', 300),
                     (2, 'checkout', 'Checkout', 'payments', 'high', 300), (2, 'inventory', 'Inventory', 'platform', 'medium', 300),
                     (2, 'notifications', 'Notifications', 'guest', 'medium', 300), (2, 'scoring', 'Scoring', 'platform', 'low', NULL))
             AS v (no, service_id, service_name, team_id, criticality, seconds) ON v.no = t.no
        ON CONFLICT DO NOTHING RETURNING tenant_id
    ), maintenance AS (
        INSERT INTO bcce_data.maintenance_windows (tenant_id, service_id, starts_at, ends_at)
        SELECT t.tenant_id, v.service_id, until + make_interval(hours => v.starts), until + make_interval(hours => v.ends)
        FROM bcce_data.sample_tenants() t
        JOIN (VALUES (1, 'reporting', -1, 3), (2, 'inventory', -172, -170)) AS v (no, service_id, starts, ends) ON v.no = t.no
        ON CONFLICT DO NOTHING RETURNING tenant_id
    ), workflows AS (
        INSERT INTO bcce_data.workflows (tenant_id, workflow_id, name, service_id, kind, created_at)
        SELECT t.tenant_id, v.workflow_id, v.name, v.service_id, v.kind, until - interval '2160 hours'
        FROM bcce_data.sample_tenants() t
        JOIN (VALUES (1, 'build', 'Build and test', 'api-gateway', 'job'), (1, 'deploy', 'Deploy', 'guest-app', 'deployment'),
                     (1, 'review', 'Assisted code review', NULL, 'job'), (1, 'settle', 'Settle payments', 'payments', 'job'),
                     (1, 'report', 'Daily report', 'reporting', 'job'),
                     (2, 'build', 'Build and test', 'checkout', 'job'), (2, 'deploy', 'Deploy', 'checkout', 'deployment'),
                     (2, 'review', 'Assisted code review', NULL, 'job'), (2, 'restock', 'Restock', 'inventory', 'job'))
             AS v (no, workflow_id, name, service_id, kind) ON v.no = t.no
        ON CONFLICT DO NOTHING RETURNING tenant_id
    ), infra AS (
        INSERT INTO bcce_data.infra_costs (tenant_id, category, amount_usd, period_start_at, period_end_at)
        SELECT t.tenant_id, v.category,
               round((v.usd / t.no * (0.9 + 0.2 * bcce_data.sample_draw(seed, 900, t.no * 100 + v.no * 10 + p)))::numeric, 2),
               until - make_interval(hours => 720 * p), until - make_interval(hours => 720 * (p - 1))
        FROM bcce_data.sample_tenants() t
        CROSS JOIN (VALUES (1, 'compute', 310), (2, 'storage', 45), (3, 'network', 20)) AS v (no, category, usd)
        CROSS JOIN generate_series(1, 3) AS p
        ON CONFLICT DO NOTHING RETURNING tenant_id
    )
    SELECT tenant_id, 'teams' FROM teams UNION ALL SELECT tenant_id, 'principals' FROM principals
    UNION ALL SELECT tenant_id, 'services' FROM services UNION ALL SELECT tenant_id, 'maintenance_windows' FROM maintenance
    UNION ALL SELECT tenant_id, 'workflows' FROM workflows UNION ALL SELECT tenant_id, 'infra_costs' FROM infra
$body$;
COMMENT ON FUNCTION bcce_data.sample_dimensions(text, bigint, timestamptz) IS 'sample data: teams, people, services, workflows, bills; one row for each that was added';

-- Runs come in a daily and weekly rhythm, fail in spells of six hours, last a
-- log-normal time and are repeated after some of the failures.
CREATE OR REPLACE FUNCTION bcce_data.sample_runs(prefix text, seed bigint, until timestamptz) RETURNS TABLE (tenant_id uuid, fact text)
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $body$
    WITH slot AS MATERIALIZED (
        SELECT t.no, t.tenant_id, t.slug, t.users, t.zone, d, (until AT TIME ZONE t.zone)::date - d::integer AS day,
               t.no * 10000000 + d * 1000 + i AS n
        FROM bcce_data.sample_tenants() t
        CROSS JOIN generate_series(0::bigint, 90) AS d
        CROSS JOIN LATERAL generate_series(1, (t.runs_a_day * (1.15 - d / 300.0)
            * CASE WHEN extract(isodow FROM (until AT TIME ZONE t.zone)::date - d::integer) > 5 THEN 0.25 ELSE 1 END
            * (0.8 + 0.4 * bcce_data.sample_draw(seed, 13, t.no * 1000 + d)))::integer) AS i
    ), start AS MATERIALIZED (
        SELECT s.*, bcce_data.sample_moment(seed, 10, s.n, s.day, s.zone) AS at,
               1000 * bcce_data.sample_draw(seed, 17, s.n) AS pick
        FROM slot s
    ), kind AS (
        SELECT s.*, w.workflow_id, w.service_id, w.typical_seconds,
               bcce_data.sample_draw(seed, 14, s.n) < CASE
                   WHEN bcce_data.sample_draw(seed, 15, s.no * 100000 + w.nth * 10000
                        + (extract(epoch FROM s.at)::bigint / 21600) % 10000) < 0.05 THEN 0.7 ELSE 0.04 END AS breaks,
               round(exp(ln(w.typical_seconds) + 0.9 * bcce_data.sample_normal(seed, 16, s.n))) + 1 AS seconds
        FROM start s
        JOIN (VALUES (1, 1, 0, 400, 'build', 'api-gateway', 260), (1, 2, 400, 520, 'deploy', 'guest-app', 190),
                     (1, 3, 520, 850, 'review', NULL, 95), (1, 4, 850, 950, 'settle', 'payments', 420),
                     (1, 5, 950, 1001, 'report', 'reporting', 900),
                     (2, 1, 0, 450, 'build', 'checkout', 310), (2, 2, 450, 560, 'deploy', 'checkout', 150),
                     (2, 3, 560, 880, 'review', NULL, 80), (2, 4, 880, 1001, 'restock', 'inventory', 600))
             AS w (no, nth, from_x, to_x, workflow_id, service_id, typical_seconds)
             ON w.no = s.no AND s.pick >= w.from_x AND s.pick < w.to_x
        WHERE s.at >= until - interval '2160 hours' AND s.at < until
    ), state AS MATERIALIZED (
        SELECT k.*, CASE
                   WHEN bcce_data.sample_draw(seed, 18, k.n) < 0.015 THEN 'skipped'
                   WHEN bcce_data.sample_draw(seed, 18, k.n) < 0.05 THEN 'cancelled'
                   WHEN k.seconds > 3600 THEN 'timed_out'
                   WHEN k.breaks THEN 'failed'
                   ELSE 'succeeded' END AS ended_as
        FROM kind k
    ), run AS (
        SELECT s.no, s.tenant_id, s.n, s.workflow_id, s.service_id, s.slug, s.users, s.d, NULL::bigint AS retry_of,
               s.at, s.ended_as AS status,
               s.at + make_interval(secs => CASE s.ended_as WHEN 'skipped' THEN 0 WHEN 'timed_out' THEN 3600 ELSE s.seconds END) AS ends_at
        FROM state s
        UNION ALL
        SELECT s.no, s.tenant_id, s.n + 500, s.workflow_id, s.service_id, s.slug, s.users, s.d, s.n,
               s.at + make_interval(secs => s.seconds + 90),
               CASE WHEN bcce_data.sample_draw(seed, 19, s.n) < 0.25 THEN 'failed' ELSE 'succeeded' END,
               s.at + make_interval(secs => s.seconds + 90 + round(s.seconds * (0.6 + bcce_data.sample_draw(seed, 20, s.n))))
        FROM state s
        WHERE s.ended_as = 'failed' AND bcce_data.sample_draw(seed, 21, s.n) < 0.55
          AND s.at + make_interval(secs => s.seconds + 90) < until
        UNION ALL     -- runs of the last hours that hang
        SELECT t.no, t.tenant_id, t.no, 'build', CASE t.no WHEN 1 THEN 'api-gateway' ELSE 'checkout' END, t.slug, t.users, 0, NULL,
               until - make_interval(mins => 40 + 95 * (t.no - 1)::integer), 'succeeded', until + interval '3 hours'
        FROM bcce_data.sample_tenants() t
    ), made AS MATERIALIZED (
        SELECT r.*, format('%s-run-%s', prefix, r.n) AS run_id,
               CASE WHEN r.ends_at > until THEN 'running' ELSE r.status END AS final_status,
               CASE WHEN r.ends_at <= until THEN r.ends_at END AS finished_at
        FROM run r
    ), keys AS (
        INSERT INTO bcce_data.workflow_run_keys (tenant_id, run_id, started_at)
        SELECT tenant_id, run_id, at FROM made
        ON CONFLICT DO NOTHING
    ), runs AS (
        INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, started_at, workflow_id, service_id, user_key, status, queued_at,
            finished_at, error_class, error_message, environment, region, risk_level, identity_provider, retry_of, source, is_test, charged_usd)
        SELECT tenant_id, run_id, at, workflow_id, service_id,
               -- People join over time, and some work more than others.
               format('user-%s@%s.example', 1 + floor(bcce_data.sample_draw(seed, 22, n) ^ 1.6 * users * least(1, 0.5 + (90 - d) / 120.0)), slug),
               final_status, at - make_interval(secs => floor(1 + 20 * bcce_data.sample_draw(seed, 23, n) ^ 3)), finished_at,
               CASE final_status WHEN 'failed' THEN (ARRAY['TestFailure', 'ConnectionError', 'OutOfMemory', 'PermissionDenied'])[1 + floor(4 * bcce_data.sample_draw(seed, 24, n))::integer]
                                 WHEN 'timed_out' THEN 'Timeout' END,
               CASE WHEN final_status = 'failed' AND bcce_data.sample_draw(seed, 25, n) < 0.4 THEN 'step 4 of 7 failed: ' || bcce_data.sample_pii(n)
                    WHEN final_status = 'failed' THEN 'step ' || 1 + n % 7 || ' of 7 failed with exit code ' || 1 + n % 3
                    WHEN final_status = 'timed_out' THEN 'no answer within 3600 seconds' END,
               CASE WHEN workflow_id = 'deploy' AND n % 3 = 0 THEN 'production' WHEN n % 2 = 0 THEN 'staging' ELSE 'development' END,
               CASE no WHEN 1 THEN 'eu-central-1' ELSE 'us-east-1' END,
               CASE WHEN workflow_id IN ('deploy', 'settle') THEN 'high' ELSE 'low' END,
               CASE WHEN n % 4 = 0 THEN 'github' ELSE 'sso' END,
               prefix || '-run-' || retry_of, 'sample', false,
               CASE WHEN final_status <> 'skipped' THEN bcce.estimate_cost('workflow_run', 1, at, tenant_id) END
        FROM made
        ON CONFLICT DO NOTHING RETURNING tenant_id
    )
    SELECT tenant_id, 'workflow_runs' FROM runs
$body$;
COMMENT ON FUNCTION bcce_data.sample_runs(text, bigint, timestamptz) IS 'sample data: runs; one row for each that was added';

CREATE OR REPLACE FUNCTION bcce_data.sample_incidents(prefix text, seed bigint, until timestamptz) RETURNS TABLE (tenant_id uuid, fact text)
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $body$
    WITH plan AS MATERIALIZED (
        SELECT t.tenant_id, t.no, t.no * 1000 + k AS n, k,
               until - make_interval(secs => floor(3600 * (30 + 2080 * bcce_data.sample_draw(seed, 30, t.no * 1000 + k)))) AS at,
               1 + floor(4 * sqrt(bcce_data.sample_draw(seed, 31, t.no * 1000 + k)))::integer AS level,
               round(60 * exp(3.6 + 1.1 * bcce_data.sample_normal(seed, 32, t.no * 1000 + k))) AS seconds,
               CASE t.no WHEN 1 THEN (ARRAY['api-gateway', 'guest-app', 'payments', 'search', 'reporting'])[1 + k % 5]
                         ELSE (ARRAY['checkout', 'inventory', 'notifications'])[1 + k % 3] END AS service_id,
               false AS is_open
        FROM bcce_data.sample_tenants() t CROSS JOIN LATERAL generate_series(1, CASE t.no WHEN 1 THEN 17 ELSE 9 END) AS k
        UNION ALL     -- still open: these make the dashboard's status
        SELECT t.tenant_id, t.no, t.no * 1000 + v.k, v.k, until - make_interval(mins => v.minutes), v.level, 0, v.service_id, true
        FROM bcce_data.sample_tenants() t
        JOIN (VALUES (1, 101, 22, 1, 'payments'), (1, 102, 4300, 3, 'search'), (2, 101, 190, 2, 'notifications')) AS v (no, k, minutes, level, service_id)
            ON v.no = t.no
    ), incidents AS (
        INSERT INTO bcce_data.incidents (tenant_id, incident_id, service_id, severity, priority, incident_type, title, status, opened_at,
            impact_started_at, detected_at, acknowledged_at, mitigated_at, recovered_at, resolved_at, closed_at, affected_resources, source, is_test)
        SELECT tenant_id, format('%s-inc-%s', prefix, n), service_id,
               CASE WHEN k <> 7 THEN 'sev' || level END, 'P' || level,
               (ARRAY['availability', 'latency', 'data', 'security'])[1 + k % 4],
               (ARRAY['Errors above limit', 'Slow answers', 'Data arrive late', 'Log-ins refused'])[1 + k % 4]
                   || CASE WHEN k % 3 = 0 THEN ': ' || bcce_data.sample_pii(n) ELSE '' END,
               CASE WHEN NOT is_open THEN CASE WHEN k % 4 = 0 THEN 'resolved' ELSE 'closed' END
                    WHEN level = 1 THEN 'acknowledged' ELSE 'open' END,
               at, CASE WHEN k % 5 <> 0 THEN at - make_interval(secs => 60 + 37 * (k % 9)) END, at - make_interval(secs => 20),
               CASE WHEN NOT is_open OR level = 1 THEN at + make_interval(secs => round(60 * exp(1.5 + 0.7 * bcce_data.sample_normal(seed, 33, n)))) END,
               CASE WHEN NOT is_open AND k % 2 = 0 AND k <> 8 THEN at + make_interval(secs => round(seconds * 0.7)) END,
               -- The eighth was only ever closed: the fallback of the recovery clock.
               CASE WHEN NOT is_open AND k <> 8 THEN at + make_interval(secs => seconds) END,
               CASE WHEN NOT is_open AND k <> 8 THEN at + make_interval(secs => seconds + 1800) END,
               CASE WHEN NOT is_open AND k % 4 <> 0 OR k = 8 THEN at + make_interval(secs => seconds + 86400) END,
               service_id || ', ' || 1 + k % 3 || ' hosts', 'sample', k = 9
        FROM plan
        ON CONFLICT DO NOTHING RETURNING tenant_id, incident_id
    ), impacts AS (
        INSERT INTO bcce_data.incident_impacts (tenant_id, incident_id, span)
        SELECT p.tenant_id, format('%s-inc-%s', prefix, p.n),
               tstzrange(p.at + make_interval(secs => part.starts * p.seconds), p.at + make_interval(secs => part.ends * p.seconds))
        FROM plan p CROSS JOIN (VALUES (0, 1), (3, 4.5)) AS part (starts, ends)
        WHERE p.k = 5 AND EXISTS (SELECT FROM incidents)     -- reopened: it hurt twice
        ON CONFLICT DO NOTHING RETURNING tenant_id
    ), events AS (
        INSERT INTO bcce_data.incident_events (tenant_id, incident_id, event_id, at, kind, response_action, actor_key)
        SELECT p.tenant_id, format('%s-inc-%s', prefix, p.n), md5(format('%s-%s-%s', prefix, p.n, e.k))::uuid,
               p.at + make_interval(secs => e.k * 120), e.kind, e.action || CASE WHEN p.k % 4 = 1 AND e.k = 2 THEN ', ' || bcce_data.sample_pii(p.n) ELSE '' END,
               format('user-%s@sample.example', 1 + p.k % 6)
        FROM plan p
        CROSS JOIN (VALUES (0, 'alert', 'paged the team on duty'), (1, 'comment', 'looked at the logs'), (2, 'action', 'rolled back')) AS e (k, kind, action)
        WHERE EXISTS (SELECT FROM incidents)
        ON CONFLICT DO NOTHING RETURNING tenant_id
    )
    SELECT tenant_id, 'incidents' FROM incidents
    UNION ALL SELECT tenant_id, 'incident_impacts' FROM impacts
    UNION ALL SELECT tenant_id, 'incident_events' FROM events
$body$;
COMMENT ON FUNCTION bcce_data.sample_incidents(text, bigint, timestamptz) IS 'sample data: incidents, when they hurt and what was done; one row for each that was added';

-- Samples every five minutes for the last 36 hours and every hour before.  The
-- last of them show a service down, one degraded and one gone silent.
CREATE OR REPLACE FUNCTION bcce_data.sample_metrics(prefix text, seed bigint, until timestamptz) RETURNS TABLE (tenant_id uuid, fact text)
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $body$
    WITH tick AS MATERIALIZED (
        SELECT t.tenant_id, t.no * 10000000 + v.nth * 100000 + g.i AS n, v.service_id, v.rps, v.ms, v.cpu, g.seconds,
               until - make_interval(secs => g.age) AS at, g.age,
               CASE WHEN extract(isodow FROM local.at) > 5 THEN v.weekend ELSE 1 END
                   * (1 + 0.8 * sin((extract(hour FROM local.at) + extract(minute FROM local.at) / 60.0 - 8) * pi() / 12)) AS load
        FROM bcce_data.sample_tenants() t
        JOIN (VALUES (1, 1, 'api-gateway', 14.0, 45, 38, 0.5), (1, 2, 'guest-app', 6.0, 160, 42, 1.3), (1, 3, 'payments', 1.2, 220, 22, 0.9),
                     (1, 4, 'search', 3.5, 90, 30, 1.1), (1, 5, 'reporting', 0.1, 600, 30, 0.2), (1, 6, 'old-portal', 0.4, 300, 20, 0.8),
                     (2, 1, 'checkout', 4.0, 120, 35, 1.2), (2, 2, 'inventory', 0.8, 70, 24, 0.6), (2, 3, 'notifications', 2.0, 60, 18, 0.7))
             AS v (no, nth, service_id, rps, ms, cpu, weekend) ON v.no = t.no
        CROSS JOIN LATERAL (
            SELECT i, 300 * i AS age, 300.0 AS seconds FROM generate_series(0, 431) AS i
            UNION ALL
            SELECT 1000 + i, 3600 * i, 3600 FROM generate_series(36, 2159) AS i
        ) g
        CROSS JOIN LATERAL (SELECT (until - make_interval(secs => g.age)) AT TIME ZONE t.zone AS at) local
        WHERE CASE v.service_id WHEN 'search' THEN g.age >= 3000 WHEN 'old-portal' THEN g.age >= 5184000 ELSE true END
    ), trouble AS MATERIALIZED (
        SELECT k.*, CASE WHEN k.service_id = 'payments' AND k.age < 1320 THEN 'down'
                         WHEN k.service_id = 'guest-app' AND k.age < 2700 THEN 'slow'
                         WHEN EXISTS (SELECT FROM bcce_data.incidents i
                                      WHERE i.tenant_id = k.tenant_id AND i.service_id = k.service_id AND i.source = 'sample' AND NOT i.is_test
                                        AND i.severity IN ('sev1', 'sev2') AND i.opened_at <= k.at AND i.recovered_at > k.at) THEN 'hurt'
                         ELSE 'no' END AS kind
        FROM tick k
    ), sample AS MATERIALIZED (
        SELECT r.*, round(r.rps * r.seconds * r.load * exp(0.15 * bcce_data.sample_normal(seed, 40, r.n)))::bigint AS requests,
               r.ms * (0.8 + 0.25 * r.load) * exp(0.18 * bcce_data.sample_normal(seed, 41, r.n))
                   * CASE r.kind WHEN 'slow' THEN 10 WHEN 'hurt' THEN 2.5 WHEN 'down' THEN 4 ELSE 1 END AS latency,
               CASE r.kind WHEN 'down' THEN 0.62 WHEN 'slow' THEN 0.03 WHEN 'hurt' THEN 0.18 ELSE 0.002 END
                   * exp(0.5 * bcce_data.sample_normal(seed, 42, r.n)) AS error_share
        FROM trouble r
    ), metrics AS (
        INSERT INTO bcce_data.performance_metrics (tenant_id, source, idempotency_key, observed_at, service_id, window_seconds, request_count,
            error_count, p50_latency_ms, p95_latency_ms, p99_latency_ms, throughput_rps, cpu_percent, memory_percent, storage_percent,
            network_percent, charged_usd, latency_digest)
        SELECT tenant_id, 'sample', format('%s-m-%s', prefix, n), at, service_id, seconds, requests,
               least(requests, round(requests * least(error_share, 0.95)))::bigint,
               round(latency::numeric, 1)::double precision, round((latency * 2.4)::numeric, 1)::double precision,
               round((latency * 4.1)::numeric, 1)::double precision, round((requests / seconds)::numeric, 3)::double precision,
               round(least(97, cpu * (0.6 + 0.4 * load) * exp(0.1 * bcce_data.sample_normal(seed, 43, n)) * CASE kind WHEN 'slow' THEN 2.6 ELSE 1 END)::numeric, 1)::double precision,
               round(least(95, 45 + 15 * bcce_data.sample_draw(seed, 44, n))::numeric, 1)::double precision,
               round((40 + 25 * (7776000 - age) / 7776000)::numeric, 1)::double precision,
               round(least(90, 8 * load + 4 * bcce_data.sample_draw(seed, 45, n))::numeric, 1)::double precision,
               bcce.estimate_cost('metric', 1, at, tenant_id),
               -- Twenty latencies stand for all: the 10th is the median, the 19th the 95th percentile, the last the 99th.
               (SELECT bcce.sketch_send(bcce.percentile_sketch(round((latency * spread)::numeric, 1)::double precision))
                FROM unnest(ARRAY[0.34, 0.42, 0.49, 0.55, 0.61, 0.68, 0.75, 0.82, 0.91, 1, 1.1, 1.2, 1.32, 1.45, 1.6, 1.78, 1.98, 2.16, 2.4, 4.1]) AS spread)
        FROM sample
        ON CONFLICT DO NOTHING RETURNING tenant_id
    )
    SELECT tenant_id, 'performance_metrics' FROM metrics
$body$;
COMMENT ON FUNCTION bcce_data.sample_metrics(text, bigint, timestamptz) IS 'sample data: samples of services; one row for each that was added';

-- A prediction sees a noisy signal of what will happen and answers with the
-- probability that follows from it by Bayes' rule: calibrated, not perfect.
CREATE OR REPLACE FUNCTION bcce_data.sample_predictions(prefix text, seed bigint, until timestamptz) RETURNS TABLE (tenant_id uuid, fact text)
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $body$
    WITH target AS MATERIALIZED (
        SELECT t.no, r.tenant_id, 'run' AS kind, r.run_id AS target_id, substring(r.run_id FROM '[0-9]+$')::bigint AS n, NULL::integer AS horizon,
               -- Some come after the start and do not count.
               r.started_at + make_interval(secs => CASE WHEN bcce_data.sample_draw(seed, 50, substring(r.run_id FROM '[0-9]+$')::bigint) < 0.01 THEN 20
                   ELSE -30 - floor(400 * bcce_data.sample_draw(seed, 51, substring(r.run_id FROM '[0-9]+$')::bigint)) END) AS at,
               CASE WHEN r.started_at < until - interval '720 hours' THEN '1.0' ELSE '1.1' END AS version,
               r.status IN ('failed', 'timed_out') AS fails
        FROM bcce_data.sample_tenants() t
        JOIN bcce_data.workflow_runs r ON r.tenant_id = t.tenant_id
        WHERE r.run_id LIKE prefix || '-run-%'
          AND bcce_data.sample_draw(seed, 52, substring(r.run_id FROM '[0-9]+$')::bigint) < 0.35
        UNION ALL
        SELECT t.no, t.tenant_id, 'service', s.service_id, 400000000 + t.no * 10000000 + g.i * 100 + s.nth, 14400,
               moment.at, '2026.1',
               EXISTS (SELECT FROM bcce_data.workflow_runs r WHERE r.tenant_id = t.tenant_id AND r.service_id = s.service_id
                         AND r.status IN ('failed', 'timed_out') AND r.started_at > moment.at AND r.started_at <= moment.at + interval '4 hours')
               OR EXISTS (SELECT FROM bcce_data.incidents i WHERE i.tenant_id = t.tenant_id AND i.service_id = s.service_id
                         AND i.opened_at > moment.at AND i.opened_at <= moment.at + interval '4 hours')
        FROM bcce_data.sample_tenants() t
        JOIN (VALUES (1, 1, 'api-gateway'), (1, 2, 'guest-app'), (1, 3, 'payments'), (2, 1, 'checkout'), (2, 2, 'inventory')) AS s (no, nth, service_id)
            ON s.no = t.no
        CROSS JOIN generate_series(0, 89 * 4) AS g (i)
        CROSS JOIN LATERAL (SELECT until - make_interval(mins => 55 + g.i * 360) AS at) moment
    ), rated AS MATERIALIZED (
        SELECT x.*, avg(CASE WHEN x.fails THEN 1.0 ELSE 0.0 END) OVER (PARTITION BY x.tenant_id, x.kind, x.version) AS base
        FROM target x
    ), answer AS MATERIALIZED (
        SELECT r.*, round((1 / (1 + (1 - r.base) / r.base * exp(0.72 - 1.2 *
                   (CASE WHEN r.fails THEN 1.2 ELSE 0 END + bcce_data.sample_normal(seed, 53, r.n)))))::numeric, 4)::double precision AS p,
               format('%s-pred-%s', prefix, r.n) AS prediction_id,
               CASE r.kind WHEN 'run' THEN 'run-risk' ELSE 'service-outlook' END AS model_name
        FROM rated r
        WHERE r.base > 0 AND r.base < 1
    ), models AS (
        -- Compared with its first two weeks.
        INSERT INTO bcce_data.models (tenant_id, model_name, model_version, threshold, reference_from, reference_to)
        SELECT tenant_id, model_name, version, 0.2, min(at), min(at) + interval '336 hours' FROM answer
        GROUP BY tenant_id, model_name, version
        ON CONFLICT DO NOTHING RETURNING tenant_id
    ), keys AS (
        INSERT INTO bcce_data.prediction_keys (tenant_id, prediction_id, predicted_at)
        SELECT tenant_id, prediction_id, at FROM answer
        ON CONFLICT DO NOTHING
    ), predictions AS (
        INSERT INTO bcce_data.predictions (tenant_id, prediction_id, predicted_at, model_name, model_version, target_kind, target_id,
            horizon_seconds, failure_probability, source, charged_usd)
        SELECT tenant_id, prediction_id, at, model_name, version, kind, target_id, horizon, p, 'sample',
               bcce.estimate_cost('prediction', 1, at, tenant_id)
        FROM answer
        ON CONFLICT DO NOTHING RETURNING tenant_id
    )
    SELECT tenant_id, 'models' FROM models UNION ALL SELECT tenant_id, 'predictions' FROM predictions
$body$;
COMMENT ON FUNCTION bcce_data.sample_predictions(text, bigint, timestamptz) IS 'sample data: models and their predictions; one row for each that was added';

CREATE OR REPLACE FUNCTION bcce_data.sample_model_usage(prefix text, seed bigint, until timestamptz) RETURNS TABLE (tenant_id uuid, fact text)
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $body$
    WITH slot AS MATERIALIZED (
        SELECT t.tenant_id, t.no, t.slug, t.users, t.zone, d, (until AT TIME ZONE t.zone)::date - d::integer AS day,
               t.no * 10000000 + d * 1000 + i AS n
        FROM bcce_data.sample_tenants() t
        CROSS JOIN generate_series(0::bigint, 90) AS d
        CROSS JOIN LATERAL generate_series(1, (0.6 * t.runs_a_day * (1.2 - d / 200.0)
            * CASE WHEN extract(isodow FROM (until AT TIME ZONE t.zone)::date - d::integer) > 5 THEN 0.15 ELSE 1 END)::integer) AS i
    ), start AS MATERIALIZED (
        SELECT s.*, bcce_data.sample_moment(seed, 60, s.n, s.day, s.zone) AS at, bcce_data.sample_draw(seed, 67, s.n) AS pick
        FROM slot s
    ), call AS MATERIALIZED (
        SELECT s.*, m.model_id,
               round(exp(8.2 + 0.9 * bcce_data.sample_normal(seed, 63, s.n)))::bigint AS input_tokens,
               round(exp(6.1 + 0.8 * bcce_data.sample_normal(seed, 64, s.n)))::bigint AS output_tokens,
               CASE WHEN s.n % 3 <> 0 THEN round(exp(9.4 + 0.7 * bcce_data.sample_normal(seed, 65, s.n)))::bigint END AS cache_read_tokens,
               CASE WHEN s.n % 8 = 1 THEN round(exp(7.9 + 0.5 * bcce_data.sample_normal(seed, 82, s.n)))::bigint END AS cache_write_5m_tokens,
               CASE WHEN s.n % 8 = 5 THEN round(exp(7.9 + 0.5 * bcce_data.sample_normal(seed, 82, s.n)))::bigint END AS cache_write_1h_tokens,
               bcce_data.sample_draw(seed, 83, s.n) AS place,
               bcce_data.sample_draw(seed, 66, s.n) AS known
        FROM start s
        -- The last one is in no price list.
        JOIN (VALUES (0, 0.6, 'claude-sonnet-5'), (0.6, 0.89, 'claude-haiku-4-5'), (0.89, 0.985, 'claude-opus-5'), (0.985, 1.1, 'house-model-1'))
             AS m (from_x, to_x, model_id) ON s.pick >= m.from_x AND s.pick < m.to_x
        WHERE s.at >= until - interval '2160 hours' AND s.at < until
    ), told AS MATERIALIZED (
        SELECT c.*,
               -- Some senders tell no tokens.
               CASE WHEN c.known < 0.98 THEN bcce.estimate_token_cost(c.model_id, c.at, c.input_tokens, c.output_tokens, c.cache_read_tokens,
                   c.cache_write_5m_tokens, c.cache_write_1h_tokens, tenant => c.tenant_id) END AS usd
        FROM call c
    ), usage AS (
        INSERT INTO bcce_data.model_usage (tenant_id, source, idempotency_key, at, model_id, provider, region, user_key, session_id, run_id, project,
            input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, latency_ms, reported_cost_usd, charged_usd, priced_at)
        SELECT tenant_id, 'sample', format('%s-usage-%s', prefix, n), at, model_id, 'bedrock', CASE no WHEN 1 THEN 'eu-central-1' ELSE 'us-east-1' END,
               format('user-%s@%s.example', 1 + floor(bcce_data.sample_draw(seed, 68, n) ^ 1.4 * users * least(1, 0.5 + (90 - d) / 120.0)), slug),
               format('%s-%s-%s', prefix, d, 1 + floor(9 * bcce_data.sample_draw(seed, 69, n))),
               (SELECT k.run_id FROM bcce_data.workflow_run_keys k WHERE k.tenant_id = told.tenant_id AND k.run_id = format('%s-run-%s', prefix, n) AND n % 5 <> 0),
               (ARRAY['guest-app', 'payments-api', 'data-platform', 'website'])[1 + floor(4.5 * place ^ 1.5)::integer],
               CASE WHEN known < 0.98 THEN input_tokens END, CASE WHEN known < 0.98 THEN output_tokens END, CASE WHEN known < 0.98 THEN cache_read_tokens END,
               CASE WHEN known < 0.98 THEN cache_write_5m_tokens END, CASE WHEN known < 0.98 THEN cache_write_1h_tokens END, round(400 + 14 * output_tokens),
               -- Some tell what they paid.
               CASE WHEN known < 0.1 THEN round(usd, 6) END, usd, CASE WHEN usd IS NOT NULL THEN now() END
        FROM told
        ON CONFLICT DO NOTHING RETURNING tenant_id
    )
    SELECT tenant_id, 'model_usage' FROM usage
$body$;
COMMENT ON FUNCTION bcce_data.sample_model_usage(text, bigint, timestamptz) IS 'sample data: model calls; one row for each that was added';

CREATE OR REPLACE FUNCTION bcce_data.sample_events(prefix text, seed bigint, until timestamptz, guests bigint, sessions bigint, events bigint)
RETURNS TABLE (tenant_id uuid, fact text)
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $body$
    WITH session AS MATERIALIZED (
        SELECT s, CASE WHEN s < guests THEN s ELSE floor(bcce_data.sample_draw(seed, 70, s) ^ 1.8 * guests)::bigint END AS guest,
               floor(91 * bcce_data.sample_draw(seed, 71, s))::integer AS day, floor(91 * bcce_data.sample_draw(seed, 72, s))::integer AS other_day
        FROM generate_series(0, sessions - 1) AS s
    ), visit AS MATERIALIZED (
        -- Guests come more at weekends: a weekday gives way to a second try.
        SELECT v.*, t.tenant_id, t.no,
               bcce_data.sample_moment(seed, 73, v.s, today.local - CASE
                   WHEN extract(isodow FROM today.local - v.day) <= 4 THEN v.other_day ELSE v.day END, t.zone) AS at
        FROM session v
        JOIN bcce_data.sample_tenants() t ON t.no = CASE WHEN bcce_data.sample_draw(seed, 76, v.guest) < 0.6 THEN 1 ELSE 2 END
        CROSS JOIN LATERAL (SELECT (until AT TIME ZONE t.zone)::date AS local) today
    ), event AS MATERIALIZED (
        SELECT e, v.s, v.guest, v.tenant_id, v.no, bcce_data.sample_draw(seed, 77, e) AS x,
               v.at - make_interval(hours => CASE WHEN v.at > until - interval '1 hour' THEN 24 ELSE 0 END
                                           - CASE WHEN v.at < until - interval '2160 hours' THEN 24 ELSE 0 END)
               + make_interval(secs => CASE WHEN e < sessions THEN 0 ELSE floor(least(3500, exp(5.6 + 1.1 * bcce_data.sample_normal(seed, 78, e)))) END) AS at
        FROM generate_series(0, events - 1) AS e
        JOIN visit v ON v.s = CASE WHEN e < sessions THEN e ELSE floor(bcce_data.sample_draw(seed, 79, e) * sessions)::bigint END
    ), stored AS (
        INSERT INTO bcce_data.events (tenant_id, source, idempotency_key, occurred_at, event_type, guest_key, guest_type, session_id,
            service_id, ip_prefix, user_agent_family, properties)
        SELECT tenant_id, 'sample', format('%s-event-%s', prefix, e), at,
               CASE WHEN x < 0.45 THEN 'page_view' WHEN x < 0.6 THEN 'search' WHEN x < 0.72 THEN 'faq_view' WHEN x < 0.85 THEN 'chat_session' ELSE 'service_interaction' END,
               format('guest-%s', guest), (ARRAY['business', 'leisure', 'family'])[1 + guest % 3], format('%s-visit-%s', prefix, s),
               CASE WHEN x >= 0.85 THEN CASE no WHEN 1 THEN 'guest-app' ELSE 'checkout' END END,
               CASE guest % 4 WHEN 0 THEN format('2001:db8:%s:1::%s', guest % 9000, 1 + e % 90)
                              ELSE format('%s.%s', (ARRAY['192.0.2', '198.51.100', '203.0.113'])[guest % 4], 1 + guest % 250) END::inet,
               (ARRAY['Chrome', 'Safari', 'Firefox', 'Edge'])[1 + guest % 4],
               CASE WHEN x < 0.45 THEN jsonb_build_object('path', (ARRAY['/rooms', '/offers', '/spa', '/checkout'])[1 + e % 4])
                    WHEN x < 0.6 THEN jsonb_build_object('query', (ARRAY['late check-out', 'parking', 'breakfast', 'airport shuttle'])[1 + e % 4], 'results', e % 12)
                    WHEN x < 0.72 THEN jsonb_build_object('topic', (ARRAY['wifi', 'pets', 'pool'])[1 + e % 3])
                    WHEN x < 0.85 THEN jsonb_build_object('message', CASE WHEN e % 4 = 0 THEN 'please help, ' || bcce_data.sample_pii(e / 4) ELSE 'when is breakfast?' END,
                                                          'seconds', floor(30 + 600 * bcce_data.sample_draw(seed, 80, e) ^ 2))
                    ELSE jsonb_build_object('service', (ARRAY['housekeeping', 'room_service', 'concierge'])[1 + e % 3], 'rating', 1 + floor(5 * sqrt(bcce_data.sample_draw(seed, 81, e)))) END
        FROM event
        ON CONFLICT DO NOTHING RETURNING tenant_id
    )
    SELECT tenant_id, 'events' FROM stored
$body$;
COMMENT ON FUNCTION bcce_data.sample_events(text, bigint, timestamptz, bigint, bigint, bigint) IS 'sample data: guest events; one row for each that was added';

CREATE OR REPLACE FUNCTION bcce.generate_sample_data(
    guests integer DEFAULT 100, sessions integer DEFAULT 500, events integer DEFAULT 5000, seed integer DEFAULT 42,
    ending_at timestamptz DEFAULT now())
RETURNS TABLE (tenant text, fact text, row_count bigint)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET jit = off SET client_min_messages = warning AS $body$
DECLARE
    until timestamptz := date_trunc('minute', ending_at, 'UTC');
    set_id text;
    prefix text;
    event_prefix text;
    parent regclass;
BEGIN
    IF guests IS NULL OR sessions IS NULL OR events IS NULL OR seed IS NULL OR ending_at IS NULL
       OR guests NOT BETWEEN 1 AND 1000000 OR sessions NOT BETWEEN 1 AND 10000000 OR events NOT BETWEEN 0 AND 100000000 THEN
        PERFORM bcce.raise_error('22023', 'sample data need 1 to 1,000,000 guests, 1 to 10,000,000 sessions and 0 to 100,000,000 events', NULL,
            'Leave arguments out to get 100 guests, 500 sessions and 5,000 events.');
    END IF;
    IF NOT ending_at BETWEEN '1971-01-01 00:00:00+00' AND '2200-01-01 00:00:00+00' THEN
        PERFORM bcce.raise_error('22008', 'sample data end between the years 1971 and 2199', NULL, 'Leave ending_at out to end now.');
    END IF;
    -- Ids name the arguments: the same call adds nothing, another adds its own.
    set_id := to_hex(extract(epoch FROM until)::bigint / 60);
    prefix := format('s%s-%s', seed, set_id);
    event_prefix := format('%s-%s-%s-%s', prefix, guests, sessions, events);

    IF NOT EXISTS (SELECT FROM bcce_data.tenants t WHERE t.slug = 'sample-acme') THEN
        PERFORM bcce.create_tenant('sample-acme', 'Acme Corp (sample)', NULL, 'Europe/Berlin');
    END IF;
    IF NOT EXISTS (SELECT FROM bcce_data.tenants t WHERE t.slug = 'sample-beta') THEN
        PERFORM bcce.create_tenant('sample-beta', 'Beta Inc (sample)', NULL, 'America/New_York');
    END IF;
    FOREACH parent IN ARRAY ARRAY['bcce_data.workflow_runs', 'bcce_data.performance_metrics', 'bcce_data.predictions',
                                  'bcce_data.model_usage', 'bcce_data.events']::regclass[]
    LOOP
        PERFORM bcce_data.make_partition(parent, until - make_interval(hours => 720 * n)) FROM generate_series(0, 3) AS n;
    END LOOP;

    RETURN QUERY
    WITH added AS (
        SELECT * FROM bcce_data.sample_dimensions(prefix, seed, until)
    )
    SELECT t.slug, a.fact, count(*) FROM added a JOIN bcce_data.sample_tenants() t ON t.tenant_id = a.tenant_id GROUP BY 1, 2 ORDER BY 1, 2;
    -- Runs and incidents first: metrics and predictions look at them.
    RETURN QUERY SELECT t.slug, a.fact, count(*) FROM bcce_data.sample_runs(prefix, seed, until) a
        JOIN bcce_data.sample_tenants() t ON t.tenant_id = a.tenant_id GROUP BY 1, 2 ORDER BY 1, 2;
    RETURN QUERY SELECT t.slug, a.fact, count(*) FROM bcce_data.sample_incidents(prefix, seed, until) a
        JOIN bcce_data.sample_tenants() t ON t.tenant_id = a.tenant_id GROUP BY 1, 2 ORDER BY 1, 2;
    RETURN QUERY SELECT t.slug, a.fact, count(*) FROM bcce_data.sample_metrics(prefix, seed, until) a
        JOIN bcce_data.sample_tenants() t ON t.tenant_id = a.tenant_id GROUP BY 1, 2 ORDER BY 1, 2;
    RETURN QUERY SELECT t.slug, a.fact, count(*) FROM bcce_data.sample_predictions(prefix, seed, until) a
        JOIN bcce_data.sample_tenants() t ON t.tenant_id = a.tenant_id GROUP BY 1, 2 ORDER BY 1, 2;
    RETURN QUERY SELECT t.slug, a.fact, count(*) FROM bcce_data.sample_model_usage(prefix, seed, until) a
        JOIN bcce_data.sample_tenants() t ON t.tenant_id = a.tenant_id GROUP BY 1, 2 ORDER BY 1, 2;
    RETURN QUERY SELECT t.slug, a.fact, count(*) FROM bcce_data.sample_events(event_prefix, seed, until, guests, sessions, events) a
        JOIN bcce_data.sample_tenants() t ON t.tenant_id = a.tenant_id GROUP BY 1, 2 ORDER BY 1, 2;
END
$body$;
COMMENT ON FUNCTION bcce.generate_sample_data(integer, integer, integer, integer, timestamptz) IS
'Fills two tenants, sample-acme (Europe/Berlin) and sample-beta (America/New_York), with 90 days that end at ending_at (cut to the minute): runs, incidents, service samples, predictions, model calls, and exactly so many guest events. The same arguments always give the same rows, and a second call with them adds nothing; other arguments add their own. Personal data and secrets are planted in the free text and redacted on the way in. Returns how many rows were added. For a superuser. Errors: 22023 a count out of range, 22008 time out of range.';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('store', '61_verify_isolation', $bcce_module$
-- Trying it: what a reader of a tenant without any data sees of all the others.
CREATE TABLE IF NOT EXISTS bcce_private.isolation_report (
    checked_at timestamptz NOT NULL,
    checked_as text NOT NULL,
    object text NOT NULL,
    outcome text NOT NULL,
    detail text NOT NULL,
    CONSTRAINT isolation_report_outcome_check CHECK (outcome IN ('apart', 'refused', 'leak'))
);
COMMENT ON TABLE bcce_private.isolation_report IS 'every attempt of the last verify_isolation()';
COMMENT ON COLUMN bcce_private.isolation_report.checked_at IS 'when it ran';
COMMENT ON COLUMN bcce_private.isolation_report.checked_as IS 'group of the role that tried';
COMMENT ON COLUMN bcce_private.isolation_report.object IS 'relation or function';
COMMENT ON COLUMN bcce_private.isolation_report.outcome IS 'apart: nothing of another tenant; refused: an error; leak';
COMMENT ON COLUMN bcce_private.isolation_report.detail IS 'what was seen, or the SQLSTATE';
ALTER TABLE bcce_private.isolation_report ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS maintainer ON bcce_private.isolation_report;
CREATE POLICY maintainer ON bcce_private.isolation_report TO bcce_maintainer USING (true) WITH CHECK (true);

-- What a role can name: relations with a column that it may read, and functions
-- of bcce that return rows and need no argument, as something to select from.
CREATE OR REPLACE FUNCTION bcce_data.reachable(role name) RETURNS TABLE (object text, source text, has_tenant boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $body$
    SELECT c.oid::regclass::text,
           format('(SELECT %s FROM %s)', string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum), c.oid::regclass),
           bool_or(a.attname = 'tenant_id')
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND has_schema_privilege(role, n.oid, 'USAGE') AND has_column_privilege(role, c.oid, a.attnum, 'SELECT')
    GROUP BY c.oid
    UNION ALL
    SELECT p.oid::regprocedure::text, format('%I.%I()', n.nspname, p.proname), 'tenant_id' = ANY (p.proargnames)
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = 'bcce' AND p.prokind = 'f' AND p.proretset AND p.provolatile <> 'v' AND p.pronargs = p.pronargdefaults
      AND has_function_privilege(role, p.oid, 'EXECUTE')
      -- Of overloaded ones only one can be called without arguments.
      AND NOT EXISTS (SELECT FROM pg_proc q WHERE q.pronamespace = p.pronamespace AND q.proname = p.proname AND q.oid <> p.oid AND q.pronargs = q.pronargdefaults)
$body$;
COMMENT ON FUNCTION bcce_data.reachable(name) IS 'relations and functions without arguments that a role may read, as sources of a query';

-- The fingerprint is a sum: what leaks may be all that there is, and does not
-- have to fit into memory.
CREATE OR REPLACE FUNCTION bcce_data.look_at(role name, source text, foreign_row text) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    seen text;
BEGIN
    PERFORM set_config('role', role, true);
    EXECUTE format('SELECT concat_ws('', '', count(*) FILTER (WHERE %s) || '' of others'', count(*) || '' in all'', sum(hashtextextended(t::text, 0))) FROM %s AS t',
                   foreign_row, source) INTO seen;
    PERFORM set_config('role', 'none', true);
    RETURN seen;
EXCEPTION WHEN OTHERS THEN
    RETURN 'SQLSTATE ' || SQLSTATE;
END
$body$;
COMMENT ON FUNCTION bcce_data.look_at(name, text, text) IS 'how many rows a role sees of others and in all, and their fingerprint; or the SQLSTATE of the error';

CREATE OR REPLACE FUNCTION bcce.verify_isolation() RETURNS TABLE (checked_as text, tried bigint, refused bigint, leaks bigint, first_leak text)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $body$
DECLARE
    probe CONSTANT text := 'bcce_probe_' || replace(gen_random_uuid()::text, '-', '');
    own uuid;
    item record;
    attempts jsonb := '[]';
    was jsonb := '{}';
    seen text;
BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = session_user) OR current_setting('role') <> 'none' THEN
        PERFORM bcce.raise_error('42501', 'only a superuser can try what others see', NULL, 'Log in as one, without SET ROLE.');
    END IF;
    -- All of it happens in a subtransaction that is taken back.
    BEGIN
        own := bcce.create_tenant(left(translate(probe, '_', '-'), 60), 'probe');
        PERFORM bcce.create_tenant('other-' || left(translate(probe, '_', '-'), 50), 'another probe');
        FOR item IN SELECT g.name, r.name AS role FROM unnest('{bcce_analytics_user,bcce_cost_analyst,bcce_analytics_admin,bcce_ingest,bcce_platform,bcce_token}'::text[]) AS g (name),
                    LATERAL (SELECT probe || substr(g.name, 5)) AS r (name) LOOP
            EXECUTE format('CREATE ROLE %I NOLOGIN IN ROLE %I', item.role, item.name);
            IF item.name = 'bcce_token' THEN
                EXECUTE format('GRANT bcce_analytics_user TO %I', item.role);
                PERFORM bcce.set_membership_mode(item.role::regrole, 'token');
            ELSE
                PERFORM bcce.add_membership(item.role::regrole, left(translate(probe, '_', '-'), 60));
            END IF;
        END LOOP;
        -- Round 1 remembers, then another tenant writes, round 2 compares: what
        -- changes by that, or is of another tenant on its face, is a leak.
        FOR round IN 1 .. 2 LOOP
            FOR item IN
                SELECT g.name, r.name AS role, o.object, o.source, o.has_tenant
                FROM unnest('{bcce_analytics_user,bcce_cost_analyst,bcce_analytics_admin,bcce_ingest,bcce_platform,bcce_token}'::text[]) WITH ORDINALITY AS g (name, n),
                     LATERAL (SELECT left(probe || substr(g.name, 5), 63)) AS r (name), LATERAL bcce_data.reachable(r.name::name) AS o
                ORDER BY g.n, o.object
            LOOP
                seen := bcce_data.look_at(item.role, item.source, CASE WHEN item.has_tenant THEN format('t.tenant_id <> %L', own) ELSE 'false' END);
                IF round = 1 THEN
                    was := was || jsonb_build_object(item.role || item.object, seen);
                    CONTINUE;
                END IF;
                attempts := attempts || (jsonb_build_object('as', item.name, 'object', item.object) || CASE
                    WHEN seen NOT LIKE ALL ('{0 of others%,SQLSTATE%}'::text[]) THEN jsonb_build_object('outcome', 'leak', 'detail', 'It shows rows of another tenant.')
                    WHEN seen <> was ->> (item.role || item.object) THEN
                        jsonb_build_object('outcome', 'leak', 'detail', 'What it shows changed when another tenant wrote.')
                    WHEN seen LIKE 'SQLSTATE%' THEN jsonb_build_object('outcome', 'refused', 'detail', seen)
                    ELSE jsonb_build_object('outcome', 'apart', 'detail', substring(seen FROM ', (.*? in all)')) END);
            END LOOP;
            IF round = 1 THEN
                PERFORM bcce_data.write_for_probe('other-' || left(translate(probe, '_', '-'), 50));
            END IF;
        END LOOP;
        RAISE EXCEPTION USING ERRCODE = 'ZZ001';
    EXCEPTION WHEN SQLSTATE 'ZZ001' THEN
        NULL;
    END;

    DELETE FROM bcce_private.isolation_report;
    INSERT INTO bcce_private.isolation_report (checked_at, checked_as, object, outcome, detail)
    SELECT statement_timestamp(), a ->> 'as', a ->> 'object', a ->> 'outcome', a ->> 'detail' FROM jsonb_array_elements(attempts) AS a;
    RETURN QUERY
        SELECT i.checked_as, count(*), count(*) FILTER (WHERE i.outcome = 'refused'), count(*) FILTER (WHERE i.outcome = 'leak'),
               min(i.object || ': ' || i.detail) FILTER (WHERE i.outcome = 'leak')
        FROM bcce_private.isolation_report i GROUP BY i.checked_as ORDER BY i.checked_as;
END
$body$;
COMMENT ON FUNCTION bcce.verify_isolation() IS
'Tries to cross the wall: as a role of each group, bound to a new tenant without data, reads every relation in the database and every report function that the role may, before and after another new tenant writes facts. What shows a row of another tenant, or changes when it writes, is a leak. One row per group: objects tried, refused with an error, leaks, and the first of these; bcce_private.isolation_report has every attempt. Nothing else stays: roles, tenants and facts of it are taken back. Superusers only (SQLSTATE 42501).';

CREATE OR REPLACE FUNCTION bcce_data.write_for_probe(tenant text) RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $body$
    SELECT bcce.record_workflow_run('probe', 'failed', statement_timestamp() - interval '1 hour', statement_timestamp(), run_id => 'probe', user_id => 'probe', service_id => 'probe', error_message => 'probe', tenant => tenant);
    SELECT bcce.record_incident('probe', statement_timestamp() - interval '1 hour', 'probe', service_id => 'probe', tenant => tenant);
    SELECT bcce.record_metric('probe', statement_timestamp(), tenant => tenant);
    SELECT bcce.record_prediction('probe', 'external', 'probe', 0.5, statement_timestamp() - interval '1 hour', prediction_id => 'probe', tenant => tenant);
    SELECT bcce.resolve_prediction('probe', 1, statement_timestamp(), tenant);
    SELECT bcce.record_model_usage('probe', statement_timestamp(), 1000, 100, user_id => 'probe', tenant => tenant);
    SELECT bcce.ingest_event(jsonb_build_object('event_type', 'page_view', 'guest_id', 'probe', 'tenant', tenant));
$body$;
COMMENT ON FUNCTION bcce_data.write_for_probe(text) IS 'one fact of every kind for a tenant, for verify_isolation()';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '10_incidents', $bcce_module$
-- A window on the time of a fact is written x >= coalesce(since, '-infinity') AND
-- x < coalesce(until, 'infinity'), here and in all reports: of (since IS NULL OR
-- x >= since) the planner can leave out months for literals alone, not for
-- parameters or now() - interval '7 days'.  (A fact's time is never infinite.)

-- What the reports mean by a declared incident: one definition for all of them.
CREATE OR REPLACE FUNCTION bcce_data.declared_incidents(until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    incident_id text,
    service_id text,
    severity text,
    state text,
    started_at timestamptz,
    ended_at timestamptz,
    impact_minutes double precision,
    is_fallback boolean,
    open_minutes double precision
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        clock.tenant_id,
        clock.incident_id,
        clock.service_id,
        clock.severity,
        verdict.state,
        clock.started_at,
        clock.ended_at,
        CASE WHEN verdict.state = 'recovered' THEN
            coalesce(clock.union_seconds, extract(epoch FROM clock.ended_at - clock.started_at))::double precision / 60
        END,
        clock.is_fallback,
        -- An incident may begin after the moment of judgement by a fast clock: age 0.
        CASE WHEN verdict.state = 'open' THEN
            coalesce(clock.seconds_so_far, extract(epoch FROM (SELECT least(until, bcce.report_now()))
                - least(clock.started_at, (SELECT least(until, bcce.report_now())))))::double precision / 60
        END
    FROM (
        SELECT
            i.tenant_id,
            i.incident_id,
            i.service_id,
            i.severity,
            coalesce(impact.started_at, i.impact_started_at, i.detected_at, i.opened_at) AS started_at,
            CASE WHEN impact.started_at IS NOT NULL THEN impact.ended_at
                 ELSE coalesce(i.recovered_at, i.mitigated_at, i.resolved_at, i.closed_at) END AS ended_at,
            impact.union_seconds,
            impact.seconds_so_far,
            impact.started_at IS NULL AND i.closed_at IS NOT NULL
                AND coalesce(i.recovered_at, i.mitigated_at, i.resolved_at) IS NULL AS is_fallback
        FROM bcce_data.incidents i
        LEFT JOIN LATERAL (
            SELECT
                min(part.started_at) AS started_at,
                CASE WHEN count(*) = count(part.ended_at) THEN max(part.ended_at) END AS ended_at,
                -- Infinite times cannot be subtracted.
                CASE WHEN bool_and(isfinite(part.started_at)) AND count(*) = count(part.ended_at) THEN
                    sum(extract(epoch FROM part.ended_at - CASE WHEN isfinite(part.started_at) THEN part.started_at END)) END AS union_seconds,
                sum(extract(epoch FROM least(part.ended_at, (SELECT least(until, bcce.report_now()))) - part.started_at))
                    FILTER (WHERE isfinite(part.started_at) AND part.started_at <= (SELECT least(until, bcce.report_now()))) AS seconds_so_far
            FROM (
                SELECT lower(u.span) AS started_at, nullif(upper(u.span), 'infinity') AS ended_at
                FROM (
                    SELECT unnest(range_agg(p.span)) AS span
                    FROM bcce_data.incident_impacts p
                    WHERE p.tenant_id = i.tenant_id AND p.incident_id = i.incident_id
                      AND (until IS NULL OR lower(p.span) < until)
                ) u
            ) part
        ) impact ON true
        WHERE NOT i.is_test AND i.merged_into IS NULL
    ) clock
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN NOT isfinite(clock.started_at) OR clock.ended_at < clock.started_at
                OR clock.ended_at > (SELECT bcce.report_now() + interval '5 minutes') THEN 'invalid'
            WHEN clock.ended_at <= (SELECT least(until, bcce.report_now() + interval '5 minutes')) THEN 'recovered'
            ELSE 'open'
        END AS state
    ) verdict
    WHERE until IS NULL OR clock.started_at < until;
END;
COMMENT ON FUNCTION bcce_data.declared_incidents(timestamptz) IS 'Declared incidents (no tests, none merged into another) that began before until, with their state then: recovered, open or invalid (ends before it starts, or more than five minutes in the future). They start with their impact, else when detected or opened, and end when recovered, mitigated or resolved, else when closed (is_fallback). Recorded impact spans go before the clocks: impact_minutes is the length of their union, in minutes, NULL unless recovered; open_minutes the same so far (the age, where no spans are recorded), NULL unless open.';

-- When services hurt: the spans that availability takes the union of.
CREATE OR REPLACE FUNCTION bcce_data.impact_spans(until timestamptz)
RETURNS TABLE (tenant_id uuid, service_id text, started_at timestamptz, ended_at timestamptz, severity text)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT d.tenant_id, d.service_id, d.started_at, coalesce(d.ended_at, 'infinity'), d.severity
    FROM bcce_data.declared_incidents(until) d
    WHERE d.state <> 'invalid'
      AND NOT EXISTS (
          SELECT 1
          FROM bcce_data.incident_impacts p
          WHERE p.tenant_id = d.tenant_id AND p.incident_id = d.incident_id
            AND (until IS NULL OR lower(p.span) < until)
      )
    UNION ALL
    SELECT d.tenant_id, d.service_id, lower(p.span), coalesce(upper(p.span), 'infinity'), d.severity
    FROM bcce_data.declared_incidents(until) d
    JOIN bcce_data.incident_impacts p ON p.tenant_id = d.tenant_id AND p.incident_id = d.incident_id
    WHERE d.state <> 'invalid'
      AND (until IS NULL OR lower(p.span) < until);
END;
COMMENT ON FUNCTION bcce_data.impact_spans(timestamptz) IS 'Spans of impact of declared incidents that began before until: the recorded ones, or from the start of an incident to its end where none is recorded; infinity: not over. They overlap.';

-- Whose incidents count, and which: one definition for all reports of recovery.
CREATE OR REPLACE FUNCTION bcce_data.mttr_basis()
RETURNS TABLE (tenant_id uuid, tenant_name text, timezone text, ever boolean, basis text)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        t.timezone,
        declared.ever,
        CASE WHEN t.mttr_source <> 'auto' THEN t.mttr_source
             WHEN declared.ever THEN 'declared'
             ELSE 'derived' END AS basis
    FROM bcce_data.tenants t
    CROSS JOIN LATERAL (
        SELECT EXISTS (
            SELECT 1
            FROM bcce_data.incidents i
            WHERE i.tenant_id = t.tenant_id AND NOT i.is_test
        ) AS ever
    ) declared
    WHERE t.deleted_at IS NULL;
END;
COMMENT ON FUNCTION bcce_data.mttr_basis() IS 'Tenants, whether they ever declared an incident, and which incidents count for them: declared, derived or both; the tenant''s setting, auto resolved.';

-- What availability and the time between failures are judged over.
CREATE OR REPLACE FUNCTION bcce_data.observed_time(since timestamptz, until timestamptz)
RETURNS TABLE (tenant_id uuid, starts_at timestamptz, ends_at timestamptz)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH declared AS (
        SELECT d.tenant_id, d.started_at
        FROM bcce_data.declared_incidents(until) d
        WHERE d.state <> 'invalid'
    )
    SELECT o.tenant_id, o.starts_at, o.ends_at
    FROM (
        SELECT
            b.tenant_id,
            greatest(since, first.at) AS starts_at,
            (SELECT least(until, bcce.report_now())) AS ends_at
        FROM bcce_data.mttr_basis() b
        CROSS JOIN LATERAL (
            SELECT least(
                (SELECT min(r.started_at) FROM bcce_data.workflow_runs r
                 WHERE r.tenant_id = b.tenant_id AND NOT r.is_test AND r.status <> 'skipped'),
                (SELECT min(m.observed_at) FROM bcce_data.performance_metrics m
                 WHERE m.tenant_id = b.tenant_id AND NOT m.is_test),
                (SELECT min(p.predicted_at) FROM bcce_data.predictions p
                 WHERE p.tenant_id = b.tenant_id AND NOT p.is_test),
                (SELECT min(u.at) FROM bcce_data.model_usage u
                 WHERE u.tenant_id = b.tenant_id AND NOT u.is_test),
                (SELECT min(e.occurred_at) FROM bcce_data.events e
                 WHERE e.tenant_id = b.tenant_id AND NOT e.is_test),
                (SELECT min(d.started_at) FROM declared d WHERE d.tenant_id = b.tenant_id)
            ) AS at
        ) first
        WHERE b.ever AND first.at IS NOT NULL
    ) o
    WHERE o.starts_at < o.ends_at;
END;
COMMENT ON FUNCTION bcce_data.observed_time(timestamptz, timestamptz) IS 'From the later of since and the tenant''s first fact to until or now, for tenants that ever declared an incident; none where that is empty.';

-- Failure episodes of workflows: from the first failed run to the next success.
-- One definition for MTTR, where they stand in for declared incidents, and for
-- the report that lists them.
CREATE OR REPLACE FUNCTION bcce_data.failure_episodes(until timestamptz, counted_only boolean)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    basis text,
    workflow_id text,
    service_id text,
    failed_at timestamptz,
    ended_at timestamptz,
    state text,
    runs_failed bigint,
    incident_id text
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        n.tenant_id,
        n.tenant_name,
        n.basis,
        n.workflow_id,
        n.service_id,
        n.failed_at,
        n.ended_at,
        CASE WHEN n.ended_at > (SELECT bcce.report_now() + interval '5 minutes') THEN 'invalid'
             WHEN n.ended_at <= (SELECT least(until, bcce.report_now() + interval '5 minutes')) THEN 'recovered'
             ELSE 'open' END,
        n.runs_failed,
        (
            SELECT d.incident_id
            FROM bcce_data.declared_incidents(until) d
            WHERE d.tenant_id = n.tenant_id
              AND d.service_id = n.service_id
              AND d.started_at <= (SELECT least(until, bcce.report_now()))
              AND (n.failed_at < coalesce(d.ended_at, 'infinity') OR n.failed_at = d.started_at)
              AND (d.started_at < coalesce(n.ended_at, 'infinity') OR d.started_at = n.failed_at)
            ORDER BY d.started_at, d.incident_id
            LIMIT 1
        )
    FROM (
        -- Where a workflow turns from success to failure or back.  Formed over all
        -- history, so that a window's edge never makes or hides an episode.
        SELECT
            o.tenant_id,
            o.tenant_name,
            o.basis,
            o.workflow_id,
            o.service_id,
            o.is_failure,
            o.finished_at AS failed_at,
            lead(o.finished_at) OVER turns AS ended_at,
            coalesce(lead(o.failures) OVER turns, o.all_failures) - o.failures + 1 AS runs_failed
        FROM (
            SELECT
                r.tenant_id,
                b.tenant_name,
                b.basis,
                r.workflow_id,
                coalesce(r.service_id, w.service_id) AS service_id,
                r.finished_at,
                r.started_at,
                r.run_id,
                r.status <> 'succeeded' AS is_failure,
                lag(r.status <> 'succeeded') OVER runs AS was_failure,
                count(*) FILTER (WHERE known.failure) OVER runs AS failures,
                count(*) FILTER (WHERE known.failure) OVER (PARTITION BY r.tenant_id, r.workflow_id) AS all_failures
            FROM bcce_data.mttr_basis() b
            JOIN bcce_data.workflow_runs r ON r.tenant_id = b.tenant_id
            LEFT JOIN bcce_data.workflows w ON w.tenant_id = r.tenant_id AND w.workflow_id = r.workflow_id
            CROSS JOIN LATERAL (
                SELECT r.status <> 'succeeded' AND r.finished_at <= (SELECT least(until, bcce.report_now())) AS failure
            ) known
            WHERE (NOT counted_only OR b.basis IN ('derived', 'both'))
              AND NOT r.is_test
              AND r.status IN ('succeeded', 'failed', 'timed_out')
              AND r.started_at < coalesce(until, 'infinity')
            WINDOW runs AS (PARTITION BY r.tenant_id, r.workflow_id ORDER BY r.finished_at, r.started_at, r.run_id)
        ) o
        WHERE o.is_failure IS DISTINCT FROM o.was_failure
        WINDOW turns AS (PARTITION BY o.tenant_id, o.workflow_id ORDER BY o.finished_at, o.started_at, o.run_id)
    ) n
    WHERE n.is_failure
      AND n.failed_at <= (SELECT least(until, bcce.report_now()));
END;
COMMENT ON FUNCTION bcce_data.failure_episodes(timestamptz, boolean) IS 'Failure episodes of workflows that began before until, over all history: from the finish of the first failed run to the finish of the next success (ended_at), with their state at until or now: recovered, open, or invalid (the success lies over five minutes in the future). Cancelled runs neither open nor close. runs_failed counts the failures known then; incident_id is the declared incident of the same service that an episode overlaps, the earliest of several. counted_only: only of tenants whose MTTR counts episodes.';

CREATE OR REPLACE FUNCTION bcce_data.mttr_incidents(since timestamptz, until timestamptz)
RETURNS TABLE (
    tenant_id uuid,
    incident_id text,
    service_id text,
    severity text,
    is_derived boolean,
    state text,
    started_at timestamptz,
    recovery_minutes double precision,
    is_fallback boolean,
    acknowledge_minutes double precision,
    detect_minutes double precision,
    open_minutes double precision,
    unacknowledged_minutes double precision,
    ended_at timestamptz
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH basis AS (
        SELECT b.tenant_id, b.basis
        FROM bcce_data.mttr_basis() b
    ),
    declared AS (
        SELECT
            d.tenant_id,
            d.incident_id,
            d.service_id,
            d.severity,
            d.state,
            d.started_at,
            d.ended_at,
            d.impact_minutes,
            d.is_fallback,
            d.open_minutes
        FROM bcce_data.declared_incidents(until) d
    )
    SELECT
        d.tenant_id,
        d.incident_id,
        d.service_id,
        d.severity,
        false AS is_derived,
        d.state,
        d.started_at,
        d.impact_minutes AS recovery_minutes,
        d.is_fallback,
        CASE WHEN i.acknowledged_at >= coalesce(i.detected_at, i.opened_at)
                AND i.acknowledged_at <= (SELECT least(until, bcce.report_now())) AND isfinite(coalesce(i.detected_at, i.opened_at)) THEN
            extract(epoch FROM i.acknowledged_at - coalesce(i.detected_at, i.opened_at))::double precision / 60 END,
        CASE WHEN i.detected_at >= i.impact_started_at
                AND i.detected_at <= (SELECT least(until, bcce.report_now())) AND isfinite(i.impact_started_at) THEN
            extract(epoch FROM i.detected_at - i.impact_started_at)::double precision / 60 END,
        d.open_minutes,
        CASE WHEN d.state <> 'invalid' AND isfinite(coalesce(i.detected_at, i.opened_at))
                AND NOT coalesce(i.acknowledged_at <= (SELECT least(until, bcce.report_now())), false)
                AND coalesce(i.detected_at, i.opened_at) <= least(d.ended_at, (SELECT least(until, bcce.report_now()))) THEN
            extract(epoch FROM least(d.ended_at, (SELECT least(until, bcce.report_now())))
                - coalesce(i.detected_at, i.opened_at))::double precision / 60 END,
        d.ended_at
    FROM declared d
    JOIN basis b ON b.tenant_id = d.tenant_id
    JOIN bcce_data.incidents i ON i.tenant_id = d.tenant_id AND i.incident_id = d.incident_id
    WHERE b.basis IN ('declared', 'both')
      AND (since IS NULL OR d.started_at >= since)
    UNION ALL
    SELECT
        e.tenant_id,
        NULL,
        e.service_id,
        NULL,
        true,
        e.state,
        e.failed_at,
        CASE WHEN e.state = 'recovered' THEN extract(epoch FROM e.ended_at - e.failed_at)::double precision / 60 END,
        false,
        NULL,
        NULL,
        CASE WHEN e.state = 'open' THEN extract(epoch FROM (SELECT least(until, bcce.report_now())) - e.failed_at)::double precision / 60 END,
        NULL,
        e.ended_at
    FROM bcce_data.failure_episodes(until, true) e
    WHERE (since IS NULL OR e.failed_at >= since)
      AND (until IS NULL OR e.failed_at < until)
      AND (e.basis = 'derived' OR e.incident_id IS NULL);
END;
COMMENT ON FUNCTION bcce_data.mttr_incidents(timestamptz, timestamptz) IS 'The incidents of each tenant''s basis that began between since (inclusive) and until (exclusive): declared ones, and failure episodes of workflows (from the first failed run to the next success). recovery_minutes is NULL unless recovered, open_minutes unless open; the times to acknowledge and to detect are known of declared incidents only. unacknowledged_minutes is how long one waited for it that nobody has acknowledged: up to the window''s end or now, or until it was over.';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '11_business_time', $bcce_module$
-- How much of a span falls into the hours in which a tenant works.
CREATE OR REPLACE FUNCTION bcce_data.business_minutes(tenant uuid, timezone text, spans tstzmultirange)
RETURNS TABLE (minutes double precision)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN spans IS NOT NULL AND EXISTS (SELECT FROM bcce_data.business_hours h WHERE h.tenant_id = tenant) THEN
        coalesce((
            SELECT sum(extract(epoch FROM upper(part.span) - lower(part.span)))
            FROM (
                -- Open days as instants.  A clock that is put forward may skip a close; a day never ends before it began.
                SELECT unnest(range_agg(tstzrange(o.opens_at, greatest(o.opens_at, o.closes_at))) * spans) AS span
                FROM (
                    SELECT
                        (d.day::date + h.opens) AT TIME ZONE timezone AS opens_at,
                        (d.day::date + (h.closes <= h.opens)::integer + h.closes) AT TIME ZONE timezone AS closes_at
                    FROM bcce_data.business_hours h
                    -- From the day before, whose work may last over midnight.
                    CROSS JOIN LATERAL generate_series(
                        date_trunc('week', (lower(spans) AT TIME ZONE timezone) - interval '1 day') + (h.weekday - 1) * interval '1 day',
                        upper(spans) AT TIME ZONE timezone,
                        interval '7 days'
                    ) AS d (day)
                    WHERE h.tenant_id = tenant
                      AND NOT EXISTS (SELECT FROM bcce_data.holidays f WHERE f.tenant_id = tenant AND f.day = d.day::date)
                ) o
            ) part
        ), 0)::double precision / 60
    END;
END;
COMMENT ON FUNCTION bcce_data.business_minutes(uuid, text, tstzmultirange) IS 'Minutes of finite spans that lie in the business hours of a tenant, by the clock of its zone and without its holidays; NULL: it has no business hours, or spans is NULL.';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '11_local_time', $bcce_module$
-- When a tenant's days and hours begin: one definition for all reports.
--
-- A local day begins at the first instant whose local date it is.  AT TIME
-- ZONE alone is not enough: of a repeated midnight it gives the second.  So
-- midnight is tried with the offset of the day before, then with that of the
-- day after; in a gap that begins at midnight, the former is the gap's end.
CREATE OR REPLACE FUNCTION bcce_data.local_midnight(day date, timezone text)
RETURNS TABLE (starts_at timestamptz, again_at timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT
        CASE
            WHEN candidate.by_day_before AT TIME ZONE timezone = local.wall THEN candidate.by_day_before
            WHEN candidate.by_day_after AT TIME ZONE timezone = local.wall THEN candidate.by_day_after
            WHEN (candidate.by_day_before AT TIME ZONE timezone)::date = day THEN candidate.by_day_before
        END,
        candidate.by_day_after
    FROM (
        SELECT day::timestamp AS wall, day::timestamp AT TIME ZONE timezone AS guess
    ) local
    CROSS JOIN LATERAL (
        SELECT (local.wall - (((local.guess - interval '24 hours') AT TIME ZONE timezone)
                              - ((local.guess - interval '24 hours') AT TIME ZONE 'UTC'))) AT TIME ZONE 'UTC' AS by_day_before,
               (local.wall - (((local.guess + interval '24 hours') AT TIME ZONE timezone)
                              - ((local.guess + interval '24 hours') AT TIME ZONE 'UTC'))) AT TIME ZONE 'UTC' AS by_day_after
    ) candidate;
END;
COMMENT ON FUNCTION bcce_data.local_midnight(date, text) IS 'When a day begins in a zone: starts_at, the first instant of that local date, NULL for a date that the zone left out; again_at, its midnight by the offset of the day after.';

-- A fact belongs to its local date, but for the rare clock that was put back
-- over midnight: the new day had begun already, and goes on.
CREATE OR REPLACE FUNCTION bcce_data.local_date(at timestamptz, timezone text)
RETURNS TABLE (day date)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE
        WHEN (at AT TIME ZONE timezone)::time < '20:00' OR NOT isfinite(at) THEN (at AT TIME ZONE timezone)::date
        ELSE (at AT TIME ZONE timezone)::date + coalesce((
            SELECT m.starts_at <= at
            FROM bcce_data.local_midnight((at AT TIME ZONE timezone)::date + 1, timezone) m
        ), false)::integer
    END;
END;
COMMENT ON FUNCTION bcce_data.local_date(timestamptz, text) IS 'The day to which an instant belongs in a zone.';

CREATE OR REPLACE FUNCTION bcce_data.local_hour(at timestamptz, timezone text)
RETURNS TABLE (starts_at timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT at - ((at AT TIME ZONE timezone) - date_trunc('hour', at AT TIME ZONE timezone));
END;
COMMENT ON FUNCTION bcce_data.local_hour(timestamptz, text) IS 'When the hour of an instant began by the clock of a zone; a repeated hour is two hours.';

-- Calendars.  A report by period is a loop over a calendar, with a look into the
-- facts between the two ends of each period: so what a reader asks of
-- period_start_at, which is the calendar's own column, leaves periods out before
-- any fact is read, and months with them.  OFFSET 0 keeps a calendar apart: each
-- end is computed once, and a filter waits at its door.
CREATE OR REPLACE FUNCTION bcce_data.local_hours(first_at timestamptz, last_at timestamptz, timezone text)
RETURNS TABLE (starts_at timestamptz, ends_at timestamptz, is_whole boolean)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT
        h.starts_at,
        h.starts_at + interval '1 hour',
        ((h.starts_at + interval '59 minutes 59.999999 seconds') AT TIME ZONE timezone) - (h.starts_at AT TIME ZONE timezone)
            = interval '59 minutes 59.999999 seconds'
    FROM (
        -- By half hours, as a clock may be put forward by one.
        SELECT DISTINCT hour.starts_at
        FROM bcce_data.local_hour(first_at, timezone) first_hour
        CROSS JOIN LATERAL generate_series(first_hour.starts_at, last_at, interval '30 minutes') AS g (at)
        CROSS JOIN LATERAL bcce_data.local_hour(g.at, timezone) hour
    ) h
    OFFSET 0;
END;
COMMENT ON FUNCTION bcce_data.local_hours(timestamptz, timestamptz, text) IS 'The hours by the clock of a zone from that of first_at to that of last_at. What lies between their ends is theirs, but where the clock was changed (not is_whole) only that of which local_hour says so.';

CREATE OR REPLACE FUNCTION bcce_data.local_periods(first_at timestamptz, last_at timestamptz, timezone text, unit text)
RETURNS TABLE (first_day date, starts_at timestamptz, ends_at timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT p.first_day, p.starts_at, p.ends_at
    FROM (
        -- A date that the zone left out begins and ends with the day after it.
        SELECT
            g.first_day::date AS first_day,
            coalesce(this.starts_at, after_this.starts_at) AS starts_at,
            coalesce(next.starts_at, after_next.starts_at) AS ends_at
        FROM bcce_data.local_date(first_at, timezone) first_local
        CROSS JOIN LATERAL bcce_data.local_date(last_at, timezone) last_local
        CROSS JOIN LATERAL generate_series(date_trunc(unit, first_local.day::timestamp), last_local.day::timestamp, (CASE unit WHEN 'quarter' THEN '3 months' ELSE '1 ' || unit END)::interval) AS g (first_day)
        CROSS JOIN LATERAL bcce_data.local_midnight(g.first_day::date, timezone) this
        CROSS JOIN LATERAL bcce_data.local_midnight(g.first_day::date + 1, timezone) after_this
        CROSS JOIN LATERAL bcce_data.local_midnight((g.first_day + (CASE unit WHEN 'quarter' THEN '3 months' ELSE '1 ' || unit END)::interval)::date, timezone) next
        CROSS JOIN LATERAL bcce_data.local_midnight((g.first_day + (CASE unit WHEN 'quarter' THEN '3 months' ELSE '1 ' || unit END)::interval)::date + 1, timezone) after_next
        OFFSET 0
    ) p
    WHERE p.starts_at < p.ends_at
    OFFSET 0;
END;
COMMENT ON FUNCTION bcce_data.local_periods(timestamptz, timestamptz, text, text) IS 'The days, weeks (from Monday), months or quarters of a zone from that of first_at to that of last_at: first_day, and the instants at which they begin and end. What lies between is theirs, as local_date says.';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '12_cost_units', $bcce_module$
-- What is billable, what it cost, and who is a user: one definition for all reports.
CREATE OR REPLACE FUNCTION bcce_data.cost_units(since timestamptz, until timestamptz)
RETURNS TABLE (
    tenant_id uuid,
    item text,
    at timestamptz,
    usd numeric,
    run_seconds numeric,
    is_estimated boolean,
    upper_usd numeric,
    is_ttl_assumed boolean,
    user_key text,
    team_id text,
    project text,
    model_id text,
    workflow_id text,
    service_id text,
    run_id text,
    input_tokens bigint,
    output_tokens bigint,
    cache_read_tokens bigint,
    cache_write_5m_tokens bigint,
    cache_write_1h_tokens bigint,
    web_searches bigint
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        r.tenant_id,
        'workflow_run',
        r.started_at,
        coalesce(r.charged_usd, bcce.estimate_cost('workflow_run', 1, r.started_at, r.tenant_id)),
        extract(epoch FROM least(r.finished_at, greatest(r.started_at, (SELECT least(until, bcce.report_now())))) - r.started_at),
        false,
        NULL::numeric,
        false,
        r.user_key,
        NULL::text,
        NULL::text,
        NULL::text,
        r.workflow_id,
        r.service_id,
        r.run_id,
        NULL::bigint,
        NULL::bigint,
        NULL::bigint,
        NULL::bigint,
        NULL::bigint,
        NULL::bigint
    FROM bcce_data.workflow_runs r
    WHERE r.started_at >= coalesce(since, '-infinity')
      AND r.started_at < coalesce(until, 'infinity')
      AND NOT r.is_test AND r.status <> 'skipped'
    UNION ALL
    SELECT
        m.tenant_id,
        'metric',
        m.observed_at,
        coalesce(m.charged_usd, bcce.estimate_cost('metric', 1, m.observed_at, m.tenant_id)),
        NULL,
        false,
        NULL,
        false,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        m.service_id,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL
    FROM bcce_data.performance_metrics m
    WHERE m.observed_at >= coalesce(since, '-infinity')
      AND m.observed_at < coalesce(until, 'infinity')
      AND NOT m.is_test
    UNION ALL
    SELECT
        p.tenant_id,
        'prediction',
        p.predicted_at,
        coalesce(p.charged_usd, bcce.estimate_cost('prediction', 1, p.predicted_at, p.tenant_id)),
        NULL,
        false,
        NULL,
        false,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        CASE WHEN p.target_kind = 'service' THEN p.target_id END,
        CASE WHEN p.target_kind = 'run' THEN p.target_id END,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL
    FROM bcce_data.predictions p
    WHERE p.predicted_at >= coalesce(since, '-infinity')
      AND p.predicted_at < coalesce(until, 'infinity')
      AND NOT p.is_test
    UNION ALL
    SELECT
        u.tenant_id,
        'model_call',
        u.at,
        coalesce(u.reported_cost_usd, u.charged_usd, bcce.estimate_token_cost(u.model_id, u.at, u.input_tokens, u.output_tokens,
            u.cache_read_tokens, u.cache_write_5m_tokens, u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier, u.tenant_id)),
        NULL,
        u.reported_cost_usd IS NULL,
        CASE WHEN u.reported_cost_usd IS NULL AND u.ttl_assumed
             THEN bcce.estimate_token_cost(u.model_id, u.at, u.input_tokens, u.output_tokens, u.cache_read_tokens, 0,
                 coalesce(u.cache_write_5m_tokens, 0) + coalesce(u.cache_write_1h_tokens, 0), u.web_searches, u.speed, u.inference_geo,
                 u.service_tier, u.tenant_id, CASE WHEN u.charged_usd IS NOT NULL THEN u.priced_at END)
        END,
        u.reported_cost_usd IS NULL AND u.ttl_assumed,
        u.user_key,
        u.team_id,
        u.project,
        u.model_id,
        NULL,
        NULL,
        u.run_id,
        coalesce(u.input_tokens, tokens.none),
        coalesce(u.output_tokens, tokens.none),
        coalesce(u.cache_read_tokens, tokens.none),
        coalesce(u.cache_write_5m_tokens, tokens.none),
        coalesce(u.cache_write_1h_tokens, tokens.none),
        u.web_searches
    FROM bcce_data.model_usage u
    -- A class that is not told of is empty where another is told of.
    CROSS JOIN LATERAL (
        SELECT CASE WHEN coalesce(u.input_tokens, u.output_tokens, u.cache_read_tokens, u.cache_write_5m_tokens, u.cache_write_1h_tokens) IS NOT NULL
                    THEN 0::bigint END AS none
    ) tokens
    WHERE u.at >= coalesce(since, '-infinity')
      AND u.at < coalesce(until, 'infinity')
      AND NOT u.is_test;
END;
COMMENT ON FUNCTION bcce_data.cost_units(timestamptz, timestamptz) IS 'Runs, metric samples, predictions and model calls between since (inclusive) and until (exclusive) with their cost in US dollars, as reported or charged, else at the price of their time; NULL: unknown. is_estimated: of a model call, from its tokens and not as the sender reported it. run_seconds is how long a run ran, up to now or until. is_ttl_assumed: cache writes of the call are of unknown life, and no cost was reported; upper_usd: what it costs if they are those of one hour. What it belongs to is NULL where the unit does not say; run_id of a prediction is the run that it is about.';

CREATE OR REPLACE FUNCTION bcce_data.infra_share(amount_usd numeric, period_start_at timestamptz, period_end_at timestamptz, since timestamptz, until timestamptz)
RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN (since IS NULL OR period_start_at >= since) AND period_end_at <= until THEN amount_usd
    WHEN period_start_at >= until OR period_end_at <= since OR since >= until THEN 0
    ELSE round(amount_usd * extract(epoch FROM least(period_end_at, until) - greatest(period_start_at, since))
               / extract(epoch FROM period_end_at - period_start_at), 10)
END;
COMMENT ON FUNCTION bcce_data.infra_share(numeric, timestamptz, timestamptz, timestamptz, timestamptz) IS 'The part of a bill that falls between since and until, by overlap, in US dollars; a share is rounded to ten decimals.';

CREATE OR REPLACE FUNCTION bcce_data.user_activity(since timestamptz, until timestamptz)
RETURNS TABLE (tenant_id uuid, user_key text, at timestamptz)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT r.tenant_id, r.user_key, r.started_at
    FROM bcce_data.workflow_runs r
    WHERE r.started_at >= coalesce(since, '-infinity')
      AND r.started_at < coalesce(until, 'infinity')
      AND NOT r.is_test AND r.status <> 'skipped' AND r.user_key IS NOT NULL
    UNION ALL
    SELECT e.tenant_id, e.user_key, e.occurred_at
    FROM bcce_data.events e
    WHERE e.occurred_at >= coalesce(since, '-infinity')
      AND e.occurred_at < coalesce(until, 'infinity')
      AND NOT e.is_test AND e.user_key IS NOT NULL
    UNION ALL
    SELECT u.tenant_id, u.user_key, u.at
    FROM bcce_data.model_usage u
    WHERE u.at >= coalesce(since, '-infinity')
      AND u.at < coalesce(until, 'infinity')
      AND NOT u.is_test AND u.user_key IS NOT NULL;
END;
COMMENT ON FUNCTION bcce_data.user_activity(timestamptz, timestamptz) IS 'What users did between since (inclusive) and until (exclusive): one row per run, event and model call of a pseudonymous user. Guests are not users.';

-- From when to when a tenant has facts: a look at both ends of each month's index.
-- OFFSET 0 keeps the looks apart: each is done once, and only if a report names
-- it.  (min() and max() would look as well, but take three times the planning.)
CREATE OR REPLACE FUNCTION bcce_data.fact_ends(tenant uuid, since timestamptz, until timestamptz)
RETURNS TABLE (
    first_run_at timestamptz,
    last_run_at timestamptz,
    first_metric_at timestamptz,
    last_metric_at timestamptz,
    first_prediction_at timestamptz,
    last_prediction_at timestamptz,
    first_call_at timestamptz,
    last_call_at timestamptz,
    first_event_at timestamptz,
    last_event_at timestamptz
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        (SELECT r.started_at FROM bcce_data.workflow_runs r
         WHERE r.tenant_id = tenant AND NOT r.is_test AND r.status <> 'skipped'
           AND r.started_at >= coalesce(since, '-infinity') AND r.started_at < coalesce(until, 'infinity')
         ORDER BY r.started_at LIMIT 1),
        (SELECT r.started_at FROM bcce_data.workflow_runs r
         WHERE r.tenant_id = tenant AND NOT r.is_test AND r.status <> 'skipped'
           AND r.started_at >= coalesce(since, '-infinity') AND r.started_at < coalesce(until, 'infinity')
         ORDER BY r.started_at DESC LIMIT 1),
        (SELECT m.observed_at FROM bcce_data.performance_metrics m
         WHERE m.tenant_id = tenant AND NOT m.is_test
           AND m.observed_at >= coalesce(since, '-infinity') AND m.observed_at < coalesce(until, 'infinity')
         ORDER BY m.observed_at LIMIT 1),
        (SELECT m.observed_at FROM bcce_data.performance_metrics m
         WHERE m.tenant_id = tenant AND NOT m.is_test
           AND m.observed_at >= coalesce(since, '-infinity') AND m.observed_at < coalesce(until, 'infinity')
         ORDER BY m.observed_at DESC LIMIT 1),
        (SELECT p.predicted_at FROM bcce_data.predictions p
         WHERE p.tenant_id = tenant AND NOT p.is_test
           AND p.predicted_at >= coalesce(since, '-infinity') AND p.predicted_at < coalesce(until, 'infinity')
         ORDER BY p.predicted_at LIMIT 1),
        (SELECT p.predicted_at FROM bcce_data.predictions p
         WHERE p.tenant_id = tenant AND NOT p.is_test
           AND p.predicted_at >= coalesce(since, '-infinity') AND p.predicted_at < coalesce(until, 'infinity')
         ORDER BY p.predicted_at DESC LIMIT 1),
        (SELECT u.at FROM bcce_data.model_usage u
         WHERE u.tenant_id = tenant AND NOT u.is_test
           AND u.at >= coalesce(since, '-infinity') AND u.at < coalesce(until, 'infinity')
         ORDER BY u.at LIMIT 1),
        (SELECT u.at FROM bcce_data.model_usage u
         WHERE u.tenant_id = tenant AND NOT u.is_test
           AND u.at >= coalesce(since, '-infinity') AND u.at < coalesce(until, 'infinity')
         ORDER BY u.at DESC LIMIT 1),
        (SELECT e.occurred_at FROM bcce_data.events e
         WHERE e.tenant_id = tenant AND NOT e.is_test
           AND e.occurred_at >= coalesce(since, '-infinity') AND e.occurred_at < coalesce(until, 'infinity')
         ORDER BY e.occurred_at LIMIT 1),
        (SELECT e.occurred_at FROM bcce_data.events e
         WHERE e.tenant_id = tenant AND NOT e.is_test
           AND e.occurred_at >= coalesce(since, '-infinity') AND e.occurred_at < coalesce(until, 'infinity')
         ORDER BY e.occurred_at DESC LIMIT 1)
    OFFSET 0;
END;
COMMENT ON FUNCTION bcce_data.fact_ends(uuid, timestamptz, timestamptz) IS 'The first and the last run (not skipped), metric sample, prediction, model call and event of a tenant between since (inclusive) and until (exclusive), tests left out.';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '13_predictions', $bcce_module$
-- What became of predictions: one definition for all reports.
CREATE OR REPLACE FUNCTION bcce_data.judged_predictions(since timestamptz, until timestamptz)
RETURNS TABLE (
    tenant_id uuid,
    model_name text,
    model_version text,
    predicted_at timestamptz,
    p double precision,
    state text,
    y integer,
    label_delay interval,
    lead_time interval
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH prediction AS (
        SELECT
            p.tenant_id,
            p.model_name,
            p.model_version,
            p.prediction_id,
            p.predicted_at,
            p.target_kind,
            p.target_id,
            p.horizon_seconds,
            p.predicted_at + make_interval(secs => p.horizon_seconds) AS horizon_at,
            p.failure_probability AS p,
            CASE WHEN p.outcome_at <= (SELECT least(until, bcce.report_now())) THEN p.outcome END AS told,
            p.outcome_at AS told_at
        FROM bcce_data.predictions p
        WHERE p.predicted_at >= coalesce(since, '-infinity')
          AND p.predicted_at < coalesce(until, 'infinity')
          AND NOT p.is_test
    ),
    -- What was heard of the predicted services: failures by their start, and any run or incident.
    sign AS (
        SELECT r.tenant_id, coalesce(r.service_id, w.service_id) AS service_id, r.started_at AS at,
               r.status IN ('failed', 'timed_out') AND r.finished_at <= (SELECT least(until, bcce.report_now())) AS is_failure
        FROM bcce_data.workflow_runs r
        LEFT JOIN bcce_data.workflows w ON w.tenant_id = r.tenant_id AND w.workflow_id = r.workflow_id
        WHERE NOT r.is_test AND r.status <> 'skipped'
          AND r.started_at >= coalesce(since, '-infinity')
          AND r.started_at < coalesce(until, 'infinity')
          AND r.started_at <= (SELECT least(until, bcce.report_now()))
        UNION ALL
        SELECT i.tenant_id, i.service_id, i.started_at, true
        FROM bcce_data.declared_incidents(until) i
        WHERE i.started_at <= (SELECT least(until, bcce.report_now()))
    ),
    -- Few rows, once: met with each sign they are cheap even where the planner
    -- knows nothing of the tables yet and joins row by row.
    foretold AS MATERIALIZED (
        SELECT DISTINCT p.tenant_id, p.target_id AS service_id
        FROM prediction p
        WHERE p.target_kind = 'service'
    ),
    -- Backwards in time; at equal times the prediction comes first, so that only
    -- what began after it is ahead of it.  The predictions ride along: joining
    -- back to them would leave the planner a join by tenant alone.
    ahead AS (
        SELECT
            x.tenant_id,
            x.model_name,
            x.model_version,
            x.prediction_id,
            x.at,
            x.service_id,
            x.horizon_seconds,
            x.horizon_at,
            x.p,
            x.told,
            x.told_at,
            min(x.failure_at) OVER backwards AS failure_at,
            min(x.heard_at) OVER backwards AS heard_at
        FROM (
            SELECT p.tenant_id, p.target_id AS service_id, p.predicted_at AS at, p.prediction_id,
                   p.model_name, p.model_version, p.horizon_seconds, p.horizon_at, p.p, p.told, p.told_at,
                   NULL::timestamptz AS failure_at, NULL::timestamptz AS heard_at
            FROM prediction p
            WHERE p.target_kind = 'service'
            UNION ALL
            SELECT s.tenant_id, s.service_id, s.at, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                   CASE WHEN s.is_failure THEN s.at END, s.at
            FROM sign s
            WHERE EXISTS (
                SELECT 1
                FROM foretold f
                WHERE f.tenant_id = s.tenant_id AND f.service_id = s.service_id
            )
        ) x
        WINDOW backwards AS (
            PARTITION BY x.tenant_id, x.service_id
            ORDER BY x.at DESC, x.prediction_id IS NULL
            ROWS UNBOUNDED PRECEDING)
    ),
    paired AS (
        SELECT
            h.tenant_id,
            h.model_name,
            h.model_version,
            h.prediction_id,
            h.at AS predicted_at,
            'service' AS target_kind,
            h.service_id AS target_id,
            h.horizon_seconds,
            h.horizon_at,
            h.p,
            h.told,
            h.told_at,
            NULL::boolean AS run_is_test,
            NULL AS run_status,
            NULL::timestamptz AS run_finished_at,
            false AS is_late,
            CASE WHEN h.failure_at <= h.horizon_at THEN h.failure_at END AS service_failure_at,
            h.heard_at <= h.horizon_at AS was_heard
        FROM ahead h
        WHERE h.prediction_id IS NOT NULL
        UNION ALL
        SELECT
            p.tenant_id,
            p.model_name,
            p.model_version,
            p.prediction_id,
            p.predicted_at,
            p.target_kind,
            p.target_id,
            p.horizon_seconds,
            p.horizon_at,
            p.p,
            p.told,
            p.told_at,
            r.is_test,
            r.status,
            r.finished_at,
            coalesce(r.started_at < p.predicted_at, false),
            NULL,
            NULL
        FROM prediction p
        LEFT JOIN bcce_data.workflow_runs r
            ON p.target_kind = 'run' AND r.tenant_id = p.tenant_id AND r.run_id = p.target_id
            AND r.started_at < coalesce(until, 'infinity')
        WHERE p.target_kind <> 'service'
    ),
    ranked AS (
        SELECT
            q.tenant_id,
            q.model_name,
            q.model_version,
            q.predicted_at,
            q.target_kind,
            q.target_id,
            q.horizon_at,
            q.p,
            q.told,
            q.told_at,
            q.run_is_test,
            q.run_status,
            q.run_finished_at,
            q.is_late,
            q.service_failure_at,
            q.was_heard,
            -- What was told of an external thing belongs to that very prediction.
            NOT q.is_late AND row_number() OVER (
                PARTITION BY q.tenant_id, q.model_name, q.model_version, q.target_kind, q.target_id, q.is_late,
                    CASE WHEN q.target_kind = 'service' THEN q.predicted_at END,
                    CASE WHEN q.target_kind = 'service' THEN q.horizon_seconds END,
                    CASE WHEN q.target_kind = 'external' AND q.told IS NOT NULL THEN q.prediction_id END
                ORDER BY q.predicted_at DESC, q.prediction_id DESC
            ) > 1 AS is_superseded
        FROM paired q
    )
    SELECT
        k.tenant_id,
        k.model_name,
        k.model_version,
        k.predicted_at,
        k.p,
        verdict.state,
        CASE WHEN verdict.state = 'labelled' THEN coalesce(k.told::integer, CASE k.target_kind
            WHEN 'run' THEN (k.run_status IN ('failed', 'timed_out'))::integer
            ELSE (k.service_failure_at IS NOT NULL)::integer END) END AS y,
        CASE WHEN k.told IS NOT NULL THEN k.told_at
             WHEN k.target_kind = 'run' THEN k.run_finished_at
             ELSE k.horizon_at END - k.predicted_at AS label_delay,
        CASE k.target_kind WHEN 'run' THEN k.run_finished_at
                           WHEN 'service' THEN k.service_failure_at
                           ELSE k.told_at END - k.predicted_at AS lead_time
    FROM ranked k
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN k.is_late THEN 'late'
            WHEN k.is_superseded THEN 'superseded'
            WHEN k.told IS NOT NULL THEN 'labelled'
            WHEN k.target_kind = 'external' THEN 'pending'
            WHEN k.target_kind = 'run' THEN CASE
                WHEN k.run_is_test THEN 'unlabelable'
                WHEN k.run_finished_at <= (SELECT least(until, bcce.report_now())) THEN
                    CASE WHEN k.run_status IN ('cancelled', 'skipped') THEN 'unlabelable' ELSE 'labelled' END
                ELSE 'pending' END
            WHEN k.horizon_at > (SELECT least(until, bcce.report_now())) THEN 'pending'
            WHEN k.was_heard THEN 'labelled'
            WHEN EXISTS (
                SELECT 1
                FROM bcce_data.performance_metrics m
                WHERE m.tenant_id = k.tenant_id AND m.service_id = k.target_id AND NOT m.is_test
                  AND m.observed_at > k.predicted_at AND m.observed_at <= k.horizon_at
            ) THEN 'labelled'
            ELSE 'unlabelable'
        END AS state
    ) verdict;
END;
COMMENT ON FUNCTION bcce_data.judged_predictions(timestamptz, timestamptz) IS 'Predictions made between since (inclusive) and until (exclusive) with their state at the end of the window: labelled, pending, unlabelable, superseded or late; y is the outcome of the labelled ones.';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '14_prediction_scores', $bcce_module$
-- How good predictions were: one definition for all reports.
CREATE OR REPLACE FUNCTION bcce_data.prediction_scores(since timestamptz, until timestamptz, by_week boolean)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    model_name text,
    model_version text,
    week date,
    total_predictions bigint,
    labelled_count bigint,
    pending_count bigint,
    unlabelable_count bigint,
    superseded_count bigint,
    late_count bigint,
    threshold double precision,
    true_positives bigint,
    false_positives bigint,
    true_negatives bigint,
    false_negatives bigint,
    accuracy_percent numeric,
    precision_percent numeric,
    recall_percent numeric,
    specificity_percent numeric,
    f1_score double precision,
    mcc double precision,
    brier_score double precision,
    brier_skill_score double precision,
    log_loss double precision,
    auc double precision,
    ece double precision,
    mce double precision,
    mean_predicted double precision,
    base_rate_percent numeric,
    calibration_ratio double precision,
    median_label_delay_minutes double precision,
    median_lead_time_minutes double precision,
    accuracy_low_percent numeric,
    accuracy_high_percent numeric,
    estimated_accuracy_pending_percent numeric,
    bins bcce.calibration_bin[]
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH judged AS (
        SELECT
            k.tenant_id,
            k.model_name,
            k.model_version,
            CASE WHEN by_week THEN date_trunc('week', local.day::timestamp)::date ELSE '-infinity' END AS week,
            k.p,
            k.state,
            k.y,
            k.label_delay,
            k.lead_time
        FROM bcce_data.judged_predictions(since, until) k
        JOIN bcce_data.tenants t ON t.tenant_id = k.tenant_id AND t.deleted_at IS NULL
        CROSS JOIN LATERAL bcce_data.local_date(k.predicted_at, t.timezone) local
    ),
    -- One row per model, known by its own row or by its predictions.
    model AS (
        SELECT x.tenant_id, t.tenant_name, x.model_name, x.model_version, coalesce(max(x.threshold), 0.5) AS threshold
        FROM (
            SELECT m.tenant_id, m.model_name, m.model_version, m.threshold
            FROM bcce_data.models m
            UNION ALL
            SELECT j.tenant_id, j.model_name, j.model_version, NULL
            FROM judged j
        ) x
        JOIN bcce_data.tenants t ON t.tenant_id = x.tenant_id AND t.deleted_at IS NULL
        GROUP BY x.tenant_id, t.tenant_name, x.model_name, x.model_version
    ),
    tally AS (
        SELECT
            j.tenant_id,
            j.model_name,
            j.model_version,
            j.week,
            count(*) AS total,
            count(*) FILTER (WHERE j.state = 'labelled') AS labelled,
            count(*) FILTER (WHERE j.state = 'pending') AS pending,
            count(*) FILTER (WHERE j.state = 'unlabelable') AS unlabelable,
            count(*) FILTER (WHERE j.state = 'superseded') AS superseded,
            count(*) FILTER (WHERE j.state = 'late') AS late,
            -- Each is right with this chance, if probabilities mean what they say.
            avg((CASE WHEN j.p >= m.threshold THEN j.p ELSE 1 - j.p END)::numeric) FILTER (WHERE j.state = 'pending') AS pending_rightness
        FROM judged j
        JOIN model m ON m.tenant_id = j.tenant_id AND m.model_name = j.model_name AND m.model_version = j.model_version
        GROUP BY j.tenant_id, j.model_name, j.model_version, j.week
    ),
    labelled AS (
        SELECT
            j.tenant_id,
            j.model_name,
            j.model_version,
            j.week,
            j.p,
            j.y = 1 AS has_failed,
            j.p >= m.threshold AS is_positive,
            extract(epoch FROM j.label_delay)::double precision / 60 AS label_delay_minutes,
            extract(epoch FROM j.lead_time)::double precision / 60 AS lead_time_minutes
        FROM judged j
        JOIN model m ON m.tenant_id = j.tenant_id AND m.model_name = j.model_name AND m.model_version = j.model_version
        WHERE j.state = 'labelled'
    ),
    score AS (
        SELECT
            l.tenant_id,
            l.model_name,
            l.model_version,
            l.week,
            count(*) AS n,
            count(*) FILTER (WHERE l.has_failed) AS failures,
            count(*) FILTER (WHERE l.is_positive AND l.has_failed) AS tp,
            count(*) FILTER (WHERE l.is_positive AND NOT l.has_failed) AS fp,
            count(*) FILTER (WHERE NOT l.is_positive AND NOT l.has_failed) AS tn,
            count(*) FILTER (WHERE NOT l.is_positive AND l.has_failed) AS fn,
            bcce.mcc(l.is_positive, l.has_failed) AS mcc,
            bcce.brier(l.p, l.has_failed) AS brier,
            bcce.log_loss(l.p, l.has_failed) AS log_loss,
            bcce.roc_auc(l.p, l.has_failed) AS auc,
            bcce.ece(l.p, l.has_failed) AS ece,
            bcce.mce(l.p, l.has_failed) AS mce,
            bcce.calibration_bins(l.p, l.has_failed) AS bins,
            bcce.median(l.label_delay_minutes) FILTER (WHERE l.label_delay_minutes >= 0) AS label_delay_minutes,
            bcce.median(l.lead_time_minutes) FILTER (WHERE l.is_positive AND l.has_failed AND l.lead_time_minutes >= 0) AS lead_time_minutes
        FROM labelled l
        GROUP BY l.tenant_id, l.model_name, l.model_version, l.week
    )
    SELECT
        m.tenant_id,
        m.tenant_name,
        m.model_name,
        m.model_version,
        t.week,
        coalesce(t.total, 0),
        coalesce(t.labelled, 0),
        coalesce(t.pending, 0),
        coalesce(t.unlabelable, 0),
        coalesce(t.superseded, 0),
        coalesce(t.late, 0),
        m.threshold,
        coalesce(s.tp, 0),
        coalesce(s.fp, 0),
        coalesce(s.tn, 0),
        coalesce(s.fn, 0),
        round(100.0 * (s.tp + s.tn) / s.n, 1),
        round(100.0 * s.tp / nullif(s.tp + s.fp, 0), 1),
        round(100.0 * s.tp / nullif(s.tp + s.fn, 0), 1),
        round(100.0 * s.tn / nullif(s.tn + s.fp, 0), 1),
        2.0::double precision * s.tp / nullif(2 * s.tp + s.fp + s.fn, 0),
        s.mcc,
        s.brier,
        1 - s.brier / nullif(base.rate * (1 - base.rate), 0),
        s.log_loss,
        s.auc,
        s.ece,
        s.mce,
        expected.failures / s.n,
        round(100.0 * s.failures / s.n, 1),
        expected.failures / nullif(s.failures, 0),
        s.label_delay_minutes,
        s.lead_time_minutes,
        round((100 * bcce.wilson_low(s.tp + s.tn, s.n))::numeric, 1),
        round((100 * bcce.wilson_high(s.tp + s.tn, s.n))::numeric, 1),
        CASE WHEN s.ece < 0.05 THEN round(100 * t.pending_rightness, 1) END,
        s.bins
    FROM model m
    LEFT JOIN tally t ON t.tenant_id = m.tenant_id AND t.model_name = m.model_name AND t.model_version = m.model_version
    LEFT JOIN score s ON s.tenant_id = t.tenant_id AND s.model_name = t.model_name
        AND s.model_version = t.model_version AND s.week = t.week
    CROSS JOIN LATERAL (SELECT s.failures::double precision / s.n AS rate) base
    -- From the bins' exact sums, so that it does not depend on the order of rows.
    CROSS JOIN LATERAL (SELECT sum(b.n * b.mean_predicted) AS failures FROM unnest(s.bins) b) expected
    WHERE NOT by_week OR t.week IS NOT NULL;
END;
COMMENT ON FUNCTION bcce_data.prediction_scores(timestamptz, timestamptz, boolean) IS 'How good the predictions made between since (inclusive) and until (exclusive) were: one row per model and version, or, by week, per model, version and ISO week of the tenant''s zone with a prediction; week is the Monday, -infinity for all together.';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '15_service_health', $bcce_module$
-- How a service is judged: one definition for the dashboard, for the moment
-- since when a status holds, and for burn rates.
CREATE OR REPLACE FUNCTION bcce_data.service_limits(until timestamptz)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    service_id text,
    service_name text,
    expected_interval_seconds integer,
    judged_at timestamptz,
    slo_target_percent numeric,
    stale_seconds double precision,
    window_minutes double precision,
    down_error_percent double precision,
    down_min_requests double precision,
    degraded_error_percent double precision,
    degraded_min_requests double precision,
    degraded_p95_latency_ms double precision,
    degraded_cpu_percent double precision,
    degraded_memory_percent double precision,
    degraded_storage_percent double precision,
    degraded_network_percent double precision,
    fast_burn_rate double precision,
    fast_burn_long_minutes double precision,
    fast_burn_short_minutes double precision,
    slow_burn_rate double precision,
    slow_burn_long_minutes double precision,
    slow_burn_short_minutes double precision,
    burn_min_requests double precision,
    window_starts_at timestamptz,
    fast_long_starts_at timestamptz,
    fast_short_starts_at timestamptz,
    slow_long_starts_at timestamptz,
    slow_short_starts_at timestamptz,
    lookback_starts_at timestamptz,
    reach interval,
    reads_from timestamptz
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        l.tenant_id,
        l.tenant_name,
        l.service_id,
        l.service_name,
        l.expected_interval_seconds,
        l.judged_at,
        l.slo_target_percent,
        stale.seconds,
        l.window_minutes,
        l.down_error_percent,
        l.down_min_requests,
        l.degraded_error_percent,
        l.degraded_min_requests,
        l.degraded_p95_latency_ms,
        l.degraded_cpu_percent,
        l.degraded_memory_percent,
        l.degraded_storage_percent,
        l.degraded_network_percent,
        l.fast_burn_rate,
        l.fast_burn_long_minutes,
        l.fast_burn_short_minutes,
        l.slow_burn_rate,
        l.slow_burn_long_minutes,
        l.slow_burn_short_minutes,
        l.burn_min_requests,
        l.judged_at - make_interval(secs => l.window_minutes * 60),
        l.judged_at - make_interval(secs => l.fast_burn_long_minutes * 60),
        l.judged_at - make_interval(secs => l.fast_burn_short_minutes * 60),
        l.judged_at - make_interval(secs => l.slow_burn_long_minutes * 60),
        l.judged_at - make_interval(secs => l.slow_burn_short_minutes * 60),
        l.judged_at - make_interval(secs => l.status_lookback_minutes * 60),
        make_interval(secs => reach.minutes * 60),
        l.judged_at - make_interval(secs => 60 * (l.status_lookback_minutes + greatest(reach.minutes, stale.seconds / 60)))
    FROM (
        SELECT
            o.tenant_id,
            o.tenant_name,
            o.service_id,
            o.service_name,
            o.expected_interval_seconds,
            o.judged_at,
            o.slo_target_percent,
            max(o.value) FILTER (WHERE o.threshold = 'stale_intervals') AS stale_intervals,
            max(o.value) FILTER (WHERE o.threshold = 'stale_after_minutes') AS stale_after_minutes,
            max(o.value) FILTER (WHERE o.threshold = 'window_minutes') AS window_minutes,
            max(o.value) FILTER (WHERE o.threshold = 'down_error_percent') AS down_error_percent,
            max(o.value) FILTER (WHERE o.threshold = 'down_min_requests') AS down_min_requests,
            max(o.value) FILTER (WHERE o.threshold = 'degraded_error_percent') AS degraded_error_percent,
            max(o.value) FILTER (WHERE o.threshold = 'degraded_min_requests') AS degraded_min_requests,
            max(o.value) FILTER (WHERE o.threshold = 'degraded_p95_latency_ms') AS degraded_p95_latency_ms,
            max(o.value) FILTER (WHERE o.threshold = 'degraded_cpu_percent') AS degraded_cpu_percent,
            max(o.value) FILTER (WHERE o.threshold = 'degraded_memory_percent') AS degraded_memory_percent,
            max(o.value) FILTER (WHERE o.threshold = 'degraded_storage_percent') AS degraded_storage_percent,
            max(o.value) FILTER (WHERE o.threshold = 'degraded_network_percent') AS degraded_network_percent,
            max(o.value) FILTER (WHERE o.threshold = 'fast_burn_rate') AS fast_burn_rate,
            max(o.value) FILTER (WHERE o.threshold = 'fast_burn_long_minutes') AS fast_burn_long_minutes,
            max(o.value) FILTER (WHERE o.threshold = 'fast_burn_short_minutes') AS fast_burn_short_minutes,
            max(o.value) FILTER (WHERE o.threshold = 'slow_burn_rate') AS slow_burn_rate,
            max(o.value) FILTER (WHERE o.threshold = 'slow_burn_long_minutes') AS slow_burn_long_minutes,
            max(o.value) FILTER (WHERE o.threshold = 'slow_burn_short_minutes') AS slow_burn_short_minutes,
            max(o.value) FILTER (WHERE o.threshold = 'burn_min_requests') AS burn_min_requests,
            max(o.value) FILTER (WHERE o.threshold = 'status_lookback_minutes') AS status_lookback_minutes
        FROM (
            SELECT
                t.tenant_id,
                t.tenant_name,
                s.service_id,
                s.service_name,
                s.expected_interval_seconds,
                moment.at AS judged_at,
                coalesce(slo.target_percent, any_slo.target_percent) AS slo_target_percent,
                d.threshold,
                coalesce(own.value, every.value, d.value) AS value
            FROM bcce_data.tenants t
            JOIN bcce_data.services s ON s.tenant_id = t.tenant_id
            CROSS JOIN (SELECT least(until, bcce.report_now()) AS at) moment
            CROSS JOIN bcce_data.default_health_thresholds d
            LEFT JOIN bcce_data.health_thresholds own
                ON own.tenant_id = s.tenant_id AND own.service_id = s.service_id AND own.threshold = d.threshold
            LEFT JOIN bcce_data.health_thresholds every
                ON every.tenant_id = s.tenant_id AND every.service_id = '*' AND every.threshold = d.threshold
            LEFT JOIN bcce_data.slos slo ON slo.tenant_id = s.tenant_id AND slo.service_id = s.service_id
            LEFT JOIN bcce_data.slos any_slo ON any_slo.tenant_id = s.tenant_id AND any_slo.service_id = '*'
            WHERE t.deleted_at IS NULL
              AND (s.retired_at IS NULL OR s.retired_at > moment.at - interval '720 hours')
        ) o
        GROUP BY o.tenant_id, o.tenant_name, o.service_id, o.service_name, o.expected_interval_seconds, o.judged_at, o.slo_target_percent
    ) l
    CROSS JOIN LATERAL (
        SELECT coalesce(l.stale_intervals * l.expected_interval_seconds, l.stale_after_minutes * 60) AS seconds
    ) stale
    CROSS JOIN LATERAL (
        SELECT greatest(l.window_minutes, CASE WHEN l.slo_target_percent < 100 THEN
            greatest(l.fast_burn_long_minutes, l.fast_burn_short_minutes, l.slow_burn_long_minutes, l.slow_burn_short_minutes) END) AS minutes
    ) reach
    -- Kept apart: what a condition computes from a column is no condition for an index under row security.
    OFFSET 0;
END;
COMMENT ON FUNCTION bcce_data.service_limits(timestamptz) IS 'Services (not those retired 30 days ago) with the moment at which they are judged, until or now, and their limits: the service''s own, else the tenant''s for all services, else the default. slo_target_percent: NULL where none is promised; ..._starts_at: where windows begin; reach: length of the longest; lookback_starts_at and reads_from: how far back status_since looks, and reads to know.';

CREATE OR REPLACE FUNCTION bcce_data.health_verdict(
    in_maintenance boolean, is_unknown boolean, is_stale boolean, stale_seconds double precision,
    worst_severity text, requests double precision, errors double precision, p95_latency_ms double precision,
    cpu_percent double precision, memory_percent double precision, storage_percent double precision, network_percent double precision,
    slo_target_percent numeric, fast_fires boolean, slow_fires boolean,
    down_error_percent double precision, down_min_requests double precision,
    degraded_error_percent double precision, degraded_min_requests double precision, degraded_p95_latency_ms double precision,
    degraded_cpu_percent double precision, degraded_memory_percent double precision, degraded_storage_percent double precision,
    degraded_network_percent double precision, fast_burn_rate double precision, slow_burn_rate double precision)
RETURNS TABLE (status text, reason text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT
        CASE WHEN in_maintenance THEN 'maintenance'
             WHEN is_unknown THEN 'unknown'
             WHEN is_stale THEN 'stale'
             WHEN test.has_sev1 OR test.down_errors THEN 'down'
             WHEN test.has_sev2 OR test.errors OR test.latency OR test.cpu OR test.memory OR test.storage OR test.network
                  OR test.no_budget OR test.fast OR test.slow THEN 'degraded'
             ELSE 'healthy' END,
        CASE WHEN in_maintenance THEN 'inside a declared maintenance window'
             WHEN is_unknown THEN 'no sample was ever received'
             WHEN is_stale THEN 'last sample is older than ' || stale_seconds / 60 || ' minutes'
             WHEN test.has_sev1 OR test.down_errors THEN concat_ws('; ',
                CASE WHEN test.has_sev1 THEN 'open sev1 incident' END,
                CASE WHEN test.down_errors THEN 'error rate of at least ' || down_error_percent || ' percent' END)
             ELSE nullif(concat_ws('; ',
                CASE WHEN test.has_sev2 THEN 'open sev2 incident' END,
                CASE WHEN test.errors THEN 'error rate above ' || degraded_error_percent || ' percent' END,
                CASE WHEN test.latency THEN 'p95 latency above ' || degraded_p95_latency_ms || ' ms' END,
                CASE WHEN test.cpu THEN 'CPU above ' || degraded_cpu_percent || ' percent' END,
                CASE WHEN test.memory THEN 'memory above ' || degraded_memory_percent || ' percent' END,
                CASE WHEN test.storage THEN 'storage above ' || degraded_storage_percent || ' percent' END,
                CASE WHEN test.network THEN 'network above ' || degraded_network_percent || ' percent' END,
                CASE WHEN test.no_budget THEN 'an error where none is allowed' END,
                CASE WHEN test.fast THEN 'error budget burns over ' || fast_burn_rate || ' times too fast' END,
                CASE WHEN test.slow THEN 'error budget burns over ' || slow_burn_rate || ' times too fast for hours' END), '') END
    FROM (
        SELECT
            coalesce(worst_severity = 'sev1', false) AS has_sev1,
            coalesce(requests >= down_min_requests AND 100 * errors >= down_error_percent * requests, false) AS down_errors,
            coalesce(worst_severity = 'sev2', false) AS has_sev2,
            coalesce(requests >= degraded_min_requests AND 100 * errors > degraded_error_percent * requests, false) AS errors,
            coalesce(p95_latency_ms > degraded_p95_latency_ms, false) AS latency,
            coalesce(cpu_percent > degraded_cpu_percent, false) AS cpu,
            coalesce(memory_percent > degraded_memory_percent, false) AS memory,
            coalesce(storage_percent > degraded_storage_percent, false) AS storage,
            coalesce(network_percent > degraded_network_percent, false) AS network,
            coalesce(slo_target_percent = 100 AND errors > 0, false) AS no_budget,
            coalesce(fast_fires, false) AS fast,
            coalesce(slow_fires, false) AS slow
    ) test;
END;
COMMENT ON FUNCTION bcce_data.health_verdict(boolean, boolean, boolean, double precision, text, double precision, double precision, double precision, double precision, double precision, double precision, double precision, numeric, boolean, boolean, double precision, double precision, double precision, double precision, double precision, double precision, double precision, double precision, double precision, double precision, double precision) IS 'The status of a service by what is known of it and its limits, the first that applies of maintenance, unknown, stale, down, degraded and healthy, and all reasons for it.';

-- How fast an error budget burns: 1 uses it up in exactly 30 days.
CREATE OR REPLACE FUNCTION bcce_data.burn_rate(
    errors double precision, requests double precision, short_requests double precision, slo_target_percent numeric, min_requests double precision)
RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN short_requests >= min_requests AND requests > 0 AND slo_target_percent < 100 THEN
    errors * 100 / (requests * (100 - slo_target_percent)::double precision) END;
COMMENT ON FUNCTION bcce_data.burn_rate(double precision, double precision, double precision, numeric, double precision) IS 'Error rate divided by the error rate that the target allows; NULL with too few requests in the short window, or where the target allows none.';

CREATE OR REPLACE FUNCTION bcce_data.slo_state(until timestamptz)
RETURNS TABLE (
    tenant_id uuid,
    service_id text,
    fast_long_requests bigint,
    fast_long_errors bigint,
    fast_short_requests bigint,
    fast_short_errors bigint,
    slow_long_requests bigint,
    slow_long_errors bigint,
    slow_short_requests bigint,
    slow_short_errors bigint,
    fast_long_burn double precision,
    fast_short_burn double precision,
    slow_long_burn double precision,
    slow_short_burn double precision,
    fast_fires boolean,
    slow_fires boolean,
    budget_remaining_percent numeric
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        l.tenant_id,
        l.service_id,
        coalesce(n.fast_long_requests, 0),
        coalesce(n.fast_long_errors, 0),
        coalesce(n.fast_short_requests, 0),
        coalesce(n.fast_short_errors, 0),
        coalesce(n.slow_long_requests, 0),
        coalesce(n.slow_long_errors, 0),
        coalesce(n.slow_short_requests, 0),
        coalesce(n.slow_short_errors, 0),
        burn.fast_long,
        burn.fast_short,
        burn.slow_long,
        burn.slow_short,
        least(burn.fast_long, burn.fast_short) > l.fast_burn_rate,
        least(burn.slow_long, burn.slow_short) > l.slow_burn_rate,
        CASE WHEN l.slo_target_percent = 100 THEN 0.0000
             ELSE round(100 * (1 - month.errors * 100 / nullif(month.requests * (100 - l.slo_target_percent), 0)), 4) END
    FROM bcce_data.service_limits(until) l
    CROSS JOIN LATERAL (
        SELECT sum(m.request_count) AS requests, sum(m.error_count) AS errors
        FROM bcce_data.performance_metrics m
        WHERE m.tenant_id = l.tenant_id AND m.service_id = l.service_id AND NOT m.is_test
          AND m.request_count IS NOT NULL AND m.error_count IS NOT NULL
          AND m.observed_at < coalesce(until, 'infinity')
          AND m.observed_at >= (SELECT least(until, bcce.report_now()) - interval '720 hours')
          AND m.observed_at <= (SELECT least(until, bcce.report_now()))
    ) month
    CROSS JOIN LATERAL (
        SELECT
            sum(m.request_count) FILTER (WHERE m.observed_at >= l.fast_long_starts_at)::bigint AS fast_long_requests,
            sum(m.error_count) FILTER (WHERE m.observed_at >= l.fast_long_starts_at)::bigint AS fast_long_errors,
            sum(m.request_count) FILTER (WHERE m.observed_at >= l.fast_short_starts_at)::bigint AS fast_short_requests,
            sum(m.error_count) FILTER (WHERE m.observed_at >= l.fast_short_starts_at)::bigint AS fast_short_errors,
            sum(m.request_count) FILTER (WHERE m.observed_at >= l.slow_long_starts_at)::bigint AS slow_long_requests,
            sum(m.error_count) FILTER (WHERE m.observed_at >= l.slow_long_starts_at)::bigint AS slow_long_errors,
            sum(m.request_count) FILTER (WHERE m.observed_at >= l.slow_short_starts_at)::bigint AS slow_short_requests,
            sum(m.error_count) FILTER (WHERE m.observed_at >= l.slow_short_starts_at)::bigint AS slow_short_errors
        FROM bcce_data.performance_metrics m
        WHERE m.tenant_id = l.tenant_id AND m.service_id = l.service_id AND NOT m.is_test
          AND m.request_count IS NOT NULL AND m.error_count IS NOT NULL
          AND m.observed_at < coalesce(until, 'infinity')
          AND m.observed_at >= least(l.fast_long_starts_at, l.fast_short_starts_at, l.slow_long_starts_at, l.slow_short_starts_at)
          AND m.observed_at <= l.judged_at
    ) n
    CROSS JOIN LATERAL (
        SELECT
            bcce_data.burn_rate(n.fast_long_errors, n.fast_long_requests, n.fast_short_requests, l.slo_target_percent, l.burn_min_requests) AS fast_long,
            bcce_data.burn_rate(n.fast_short_errors, n.fast_short_requests, n.fast_short_requests, l.slo_target_percent, l.burn_min_requests) AS fast_short,
            bcce_data.burn_rate(n.slow_long_errors, n.slow_long_requests, n.slow_short_requests, l.slo_target_percent, l.burn_min_requests) AS slow_long,
            bcce_data.burn_rate(n.slow_short_errors, n.slow_short_requests, n.slow_short_requests, l.slo_target_percent, l.burn_min_requests) AS slow_short
    ) burn
    WHERE l.slo_target_percent IS NOT NULL;
END;
COMMENT ON FUNCTION bcce_data.slo_state(timestamptz) IS 'Services with a target: requests and errors (of samples that tell both) in the long and short window of each pair that end at until or now, how fast the error budget burns there, and what is left of it over 30 days.';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '16_status_since', $bcce_module$
-- Since when services have their status.  A sweep over the moments at which a
-- judgement may change: samples that come into and leave the windows, gaps
-- between samples that grow stale, incidents and maintenance that begin and end.
-- A sample that passes no limit, with none near it that does, changes nothing.
CREATE OR REPLACE FUNCTION bcce_data.status_since(until timestamptz)
RETURNS TABLE (tenant_id uuid, service_id text, at timestamptz)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        s.tenant_id,
        s.service_id,
        (
            SELECT CASE WHEN max(h.differed_at) IS NOT NULL THEN
                coalesce(min(h.at) FILTER (WHERE h.at > h.differed_at), s.judged_at) END
            FROM (
                SELECT j.at, max(j.at) FILTER (WHERE j.status <> j.last_status) OVER () AS differed_at
                FROM (
                    SELECT k.at, verdict.status, first_value(verdict.status) OVER (ORDER BY k.at DESC) AS last_status
                    FROM (
                        SELECT
                            c.at,
                            c.maintenance > 0 AS in_maintenance,
                            c.stale > 0 AS is_stale,
                            CASE WHEN c.sev1 > 0 THEN 'sev1' WHEN c.sev2 > 0 THEN 'sev2' END AS worst_severity,
                            CASE WHEN c.rated > 0 THEN c.requests END AS requests,
                            CASE WHEN c.rated > 0 THEN c.errors END AS errors,
                            -- As the dashboard has it: of the merged digests where there is one.
                            coalesce(CASE WHEN c.digests > 0 THEN (
                                SELECT bcce.approx_percentile(bcce.rollup(bcce.sketch_from_bytes(d.latency_digest)), 0.95)
                                FROM bcce_data.performance_metrics d
                                WHERE d.tenant_id = s.tenant_id AND d.service_id = s.service_id AND NOT d.is_test
                                  AND d.observed_at < coalesce(until, 'infinity')
                                  AND d.observed_at >= c.at - s.window_minutes * interval '1 minute' AND d.observed_at <= c.at
                            ) END, c.p95 / nullif(1e6 * c.p95_n, 0)) AS p95,
                            c.cpu / nullif(1e6 * c.cpu_n, 0) AS cpu,
                            c.memory / nullif(1e6 * c.memory_n, 0) AS memory,
                            c.storage / nullif(1e6 * c.storage_n, 0) AS storage,
                            c.network / nullif(1e6 * c.network_n, 0) AS network,
                            least(bcce_data.burn_rate(c.fast_long_errors, c.fast_long_requests, c.fast_short_requests, s.slo_target_percent, s.burn_min_requests),
                                  bcce_data.burn_rate(c.fast_short_errors, c.fast_short_requests, c.fast_short_requests, s.slo_target_percent, s.burn_min_requests)
                                 ) > s.fast_burn_rate AS fast_fires,
                            least(bcce_data.burn_rate(c.slow_long_errors, c.slow_long_requests, c.slow_short_requests, s.slo_target_percent, s.burn_min_requests),
                                  bcce_data.burn_rate(c.slow_short_errors, c.slow_short_requests, c.slow_short_requests, s.slo_target_percent, s.burn_min_requests)
                                 ) > s.slow_burn_rate AS slow_fires
                        FROM (
                            SELECT
                                e.at,
                                sum(e.maintenance) OVER sweep AS maintenance,
                                sum(e.stale) OVER sweep AS stale,
                                sum(e.sev1) OVER sweep AS sev1,
                                sum(e.sev2) OVER sweep AS sev2,
                                sum(e.judged) FILTER (WHERE e.requests IS NOT NULL) OVER sweep AS rated,
                                sum(e.judged * e.requests) OVER sweep AS requests,
                                sum(e.judged * e.errors) OVER sweep AS errors,
                                sum(e.judged * e.p95) OVER sweep AS p95,
                                sum(e.judged) FILTER (WHERE e.p95 IS NOT NULL) OVER sweep AS p95_n,
                                sum(e.judged) FILTER (WHERE e.has_digest) OVER sweep AS digests,
                                sum(e.judged * e.cpu) OVER sweep AS cpu,
                                sum(e.judged) FILTER (WHERE e.cpu IS NOT NULL) OVER sweep AS cpu_n,
                                sum(e.judged * e.memory) OVER sweep AS memory,
                                sum(e.judged) FILTER (WHERE e.memory IS NOT NULL) OVER sweep AS memory_n,
                                sum(e.judged * e.storage) OVER sweep AS storage,
                                sum(e.judged) FILTER (WHERE e.storage IS NOT NULL) OVER sweep AS storage_n,
                                sum(e.judged * e.network) OVER sweep AS network,
                                sum(e.judged) FILTER (WHERE e.network IS NOT NULL) OVER sweep AS network_n,
                                sum(e.fast_long * e.requests) OVER sweep AS fast_long_requests,
                                sum(e.fast_long * e.errors) OVER sweep AS fast_long_errors,
                                sum(e.fast_short * e.requests) OVER sweep AS fast_short_requests,
                                sum(e.fast_short * e.errors) OVER sweep AS fast_short_errors,
                                sum(e.slow_long * e.requests) OVER sweep AS slow_long_requests,
                                sum(e.slow_long * e.errors) OVER sweep AS slow_long_errors,
                                sum(e.slow_short * e.requests) OVER sweep AS slow_short_requests,
                                sum(e.slow_short * e.errors) OVER sweep AS slow_short_errors,
                                row_number() OVER (PARTITION BY e.at) AS nth
                            FROM (
                                -- What happened before the sweep begins is known when it begins: no sample so far.
                                SELECT
                                    s.lookback_starts_at AS at, 1 AS stale, 0 AS judged, 0 AS fast_long, 0 AS fast_short, 0 AS slow_long, 0 AS slow_short,
                                    NULL::double precision AS requests, NULL::double precision AS errors, NULL::double precision AS p95,
                                    NULL::double precision AS cpu, NULL::double precision AS memory, NULL::double precision AS storage,
                                    NULL::double precision AS network, false AS has_digest, 0 AS sev1, 0 AS sev2, 0 AS maintenance
                                UNION ALL
                                SELECT
                                    greatest(way.at, s.lookback_starts_at), way.stale, way.judged, way.fast_long, way.fast_short, way.slow_long, way.slow_short,
                                    near.requests, near.errors, near.p95, near.cpu, near.memory, near.storage, near.network, near.has_digest, 0, 0, 0
                                FROM (
                                    SELECT
                                        m.at, m.requests, m.errors, m.p95, m.cpu, m.memory, m.storage, m.network, m.has_digest,
                                        lag(m.at) OVER in_time IS NULL AS is_first,
                                        lead(m.at) OVER in_time AS next_at,
                                        max(m.bad_at) OVER in_time >= m.at - s.reach
                                            OR min(m.bad_at) OVER (ORDER BY m.at DESC) <= m.at + s.reach AS matters
                                    FROM (
                                        SELECT
                                            m.observed_at AS at,
                                            rated.requests,
                                            rated.errors,
                                            -- Whole numbers, so that what leaves a sum takes away exactly what it brought.
                                            round(m.p95_latency_ms * 1e6) AS p95,
                                            round(m.cpu_percent * 1e6) AS cpu,
                                            round(m.memory_percent * 1e6) AS memory,
                                            round(m.storage_percent * 1e6) AS storage,
                                            round(m.network_percent * 1e6) AS network,
                                            m.latency_digest IS NOT NULL AS has_digest,
                                            CASE WHEN m.p95_latency_ms > s.degraded_p95_latency_ms OR m.cpu_percent > s.degraded_cpu_percent
                                                      OR m.memory_percent > s.degraded_memory_percent OR m.storage_percent > s.degraded_storage_percent
                                                      OR m.network_percent > s.degraded_network_percent
                                                      -- None above the limit, none above it when merged; but for the error of buckets.
                                                      OR bcce.approx_percentile(digest.sketch, 0.95) * 1.03 > s.degraded_p95_latency_ms
                                                      OR bcce.error(digest.sketch) > 0.01
                                                      OR rated.errors > 0 AND (100 * rated.errors >= s.down_error_percent * rated.requests
                                                          OR 100 * rated.errors > s.degraded_error_percent * rated.requests
                                                          OR 100 * rated.errors > least(s.fast_burn_rate, s.slow_burn_rate) * rated.requests
                                                              * (100 - s.slo_target_percent)::double precision)
                                                      OR s.down_error_percent = 0 OR s.down_min_requests = 0
                                                 THEN m.observed_at END AS bad_at
                                        FROM bcce_data.performance_metrics m
                                        CROSS JOIN LATERAL (
                                            SELECT CASE WHEN m.error_count IS NOT NULL THEN m.request_count::double precision END AS requests,
                                                   CASE WHEN m.request_count IS NOT NULL THEN m.error_count::double precision END AS errors
                                        ) rated
                                        CROSS JOIN LATERAL (SELECT bcce.sketch_from_bytes(m.latency_digest) AS sketch) digest
                                        WHERE m.tenant_id = s.tenant_id AND m.service_id = s.service_id AND NOT m.is_test
                                          AND m.observed_at < coalesce(until, 'infinity')
                                          AND m.observed_at >= s.reads_from AND m.observed_at <= s.judged_at
                                    ) m
                                    WINDOW in_time AS (ORDER BY m.at)
                                ) near
                                CROSS JOIN LATERAL (
                                    SELECT near.at, 0 AS stale, 1 AS judged, 1 AS fast_long, 1 AS fast_short, 1 AS slow_long, 1 AS slow_short
                                    WHERE near.matters
                                    UNION ALL
                                    SELECT near.at + leaving.minutes * interval '1 minute' + interval '1 microsecond', 0,
                                           leaving.judged, leaving.fast_long, leaving.fast_short, leaving.slow_long, leaving.slow_short
                                    FROM (VALUES (s.window_minutes, -1, 0, 0, 0, 0),
                                                 (s.fast_burn_long_minutes, 0, -1, 0, 0, 0), (s.fast_burn_short_minutes, 0, 0, -1, 0, 0),
                                                 (s.slow_burn_long_minutes, 0, 0, 0, -1, 0), (s.slow_burn_short_minutes, 0, 0, 0, 0, -1))
                                         AS leaving (minutes, judged, fast_long, fast_short, slow_long, slow_short)
                                    WHERE near.matters AND (leaving.judged = -1 OR s.slo_target_percent < 100)
                                    UNION ALL
                                    SELECT near.at, -1, 0, 0, 0, 0, 0
                                    WHERE near.is_first
                                    UNION ALL
                                    SELECT gap.at, gap.stale, 0, 0, 0, 0, 0
                                    FROM (VALUES (near.at + s.stale_seconds * interval '1 second' + interval '1 microsecond', 1), (near.next_at, -1))
                                         AS gap (at, stale)
                                    WHERE near.next_at IS NULL OR near.next_at > near.at + s.stale_seconds * interval '1 second'
                                ) way
                                WHERE way.at <= s.judged_at
                                UNION ALL
                                SELECT
                                    greatest(way.at, s.lookback_starts_at), 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                                    CASE WHEN d.severity = 'sev1' THEN way.change ELSE 0 END,
                                    CASE WHEN d.severity = 'sev2' THEN way.change ELSE 0 END, 0
                                FROM bcce_data.declared_incidents(until) d
                                CROSS JOIN LATERAL (
                                    SELECT d.started_at AS at, 1 AS change UNION ALL SELECT d.ended_at, -1
                                ) way
                                WHERE d.tenant_id = s.tenant_id AND d.service_id = s.service_id
                                  AND d.state <> 'invalid' AND d.severity IN ('sev1', 'sev2') AND way.at <= s.judged_at
                                UNION ALL
                                SELECT greatest(way.at, s.lookback_starts_at), 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, way.change
                                FROM bcce_data.maintenance_windows w
                                CROSS JOIN LATERAL (
                                    SELECT w.starts_at AS at, 1 AS change UNION ALL SELECT w.ends_at, -1
                                ) way
                                WHERE w.tenant_id = s.tenant_id AND w.service_id = s.service_id AND way.at <= s.judged_at
                            ) e
                            WINDOW sweep AS (ORDER BY e.at)
                        ) c
                        WHERE c.nth = 1
                    ) k
                    CROSS JOIN LATERAL bcce_data.health_verdict(
                        k.in_maintenance, false, k.is_stale, s.stale_seconds, k.worst_severity, k.requests, k.errors,
                        k.p95, k.cpu, k.memory, k.storage, k.network, s.slo_target_percent, k.fast_fires, k.slow_fires,
                        s.down_error_percent, s.down_min_requests, s.degraded_error_percent, s.degraded_min_requests,
                        s.degraded_p95_latency_ms, s.degraded_cpu_percent, s.degraded_memory_percent, s.degraded_storage_percent,
                        s.degraded_network_percent, s.fast_burn_rate, s.slow_burn_rate) verdict
                ) j
            ) h
        )
    FROM bcce_data.service_limits(until) s;
END;
COMMENT ON FUNCTION bcce_data.status_since(timestamptz) IS 'Since when each service has had the status that it has at until or now; NULL: for longer than status_lookback_minutes.';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '20_overview', $bcce_module$
-- analytics_overview: what happened, one row per tenant.
CREATE OR REPLACE FUNCTION bcce.analytics_overview(since timestamptz, until timestamptz, include_retries boolean)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    total_workflows bigint,
    failed_workflows bigint,
    failure_rate_percent numeric,
    avg_p95_latency_ms double precision,
    avg_throughput_rps double precision,
    total_predictions bigint,
    avg_failure_probability double precision,
    finished_workflows bigint,
    running_workflows bigint,
    cancelled_workflows bigint,
    success_rate_percent numeric,
    failure_rate_low_percent numeric,
    failure_rate_high_percent numeric,
    p95_latency_ms double precision,
    p95_is_approximate boolean,
    open_incidents bigint,
    active_users bigint,
    first_activity_at timestamptz,
    last_activity_at timestamptz,
    as_of timestamptz
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        coalesce(run.total, 0),
        coalesce(run.failed, 0),
        round(100.0 * run.failed / nullif(run.finished, 0), 1),
        metric.avg_p95_latency_ms,
        metric.avg_throughput_rps,
        coalesce(prediction.total, 0),
        prediction.avg_failure_probability,
        coalesce(run.finished, 0),
        coalesce(run.total - run.finished - run.cancelled, 0),
        coalesce(run.cancelled, 0),
        round(100.0 * (run.finished - run.failed) / nullif(run.finished, 0), 1),
        -- Wilson: (k + z^2/2 +- z sqrt(k (n - k) / n + z^2/4)) / (n + z^2), z = 1.959963984540054
        round(100.0 * (run.failed + 3.841458820694124 / 2 - 1.959963984540054
            * sqrt(1.0 * run.failed * (run.finished - run.failed) / nullif(run.finished, 0) + 3.841458820694124 / 4))
            / (run.finished + 3.841458820694124), 1),
        round(100.0 * (run.failed + 3.841458820694124 / 2 + 1.959963984540054
            * sqrt(1.0 * run.failed * (run.finished - run.failed) / nullif(run.finished, 0) + 3.841458820694124 / 4))
            / (run.finished + 3.841458820694124), 1),
        metric.p95_latency_ms,
        CASE WHEN metric.p95_latency_ms IS NOT NULL THEN NOT metric.digest_is_exact END,
        coalesce(incident.still_open, 0),
        coalesce(person.active, 0),
        least(run.first_at, metric.first_at, prediction.first_at, person.first_at),
        greatest(run.last_at, metric.last_at, prediction.last_at, person.last_at),
        (SELECT least(until, bcce.report_now()))
    FROM bcce_data.tenants t
    LEFT JOIN (
        SELECT
            r.tenant_id,
            count(*) AS total,
            count(*) FILTER (WHERE r.finished_at <= (SELECT least(until, bcce.report_now()))
                             AND r.status IN ('failed', 'timed_out')) AS failed,
            count(*) FILTER (WHERE r.finished_at <= (SELECT least(until, bcce.report_now()))
                             AND r.status IN ('succeeded', 'failed', 'timed_out')) AS finished,
            count(*) FILTER (WHERE r.finished_at <= (SELECT least(until, bcce.report_now()))
                             AND r.status = 'cancelled') AS cancelled,
            min(r.started_at) AS first_at,
            max(r.started_at) AS last_at
        FROM bcce_data.workflow_runs r
        WHERE r.started_at >= coalesce(since, '-infinity')
          AND r.started_at < coalesce(until, 'infinity')
          AND NOT r.is_test AND r.status <> 'skipped'
          AND (include_retries OR NOT EXISTS (
              -- A retry starts after what it repeats, so the window's start holds for it, too.
              SELECT 1
              FROM bcce_data.workflow_runs again
              WHERE again.tenant_id = r.tenant_id AND again.retry_of = r.run_id AND again.retry_of <> again.run_id
                AND again.started_at >= coalesce(since, '-infinity')
                AND again.started_at < coalesce(until, 'infinity')
                AND NOT again.is_test AND again.status <> 'skipped'
          ))
        GROUP BY r.tenant_id
    ) run ON run.tenant_id = t.tenant_id
    LEFT JOIN (
        -- A sample of unknown length weighs as much as the known ones do on average.
        SELECT
            m.tenant_id,
            avg(m.p95_latency_ms) AS avg_p95_latency_ms,
            bcce.approx_percentile(bcce.rollup(bcce.sketch_from_bytes(m.latency_digest)), 0.95) AS p95_latency_ms,
            bcce.is_exact(bcce.rollup(bcce.sketch_from_bytes(m.latency_digest))) AS digest_is_exact,
            CASE WHEN min(length.s) FILTER (WHERE m.throughput_rps IS NOT NULL)
                      < max(length.s) FILTER (WHERE m.throughput_rps IS NOT NULL) THEN
                (sum(m.throughput_rps * length.s)
                    + coalesce(avg(length.s) FILTER (WHERE m.throughput_rps IS NOT NULL)
                               * sum(m.throughput_rps) FILTER (WHERE length.s IS NULL), 0))
                / (avg(length.s) FILTER (WHERE m.throughput_rps IS NOT NULL) * count(m.throughput_rps))
            ELSE avg(m.throughput_rps) END AS avg_throughput_rps,
            min(m.observed_at) AS first_at,
            max(m.observed_at) AS last_at
        FROM bcce_data.performance_metrics m
        LEFT JOIN bcce_data.services s ON s.tenant_id = m.tenant_id AND s.service_id = m.service_id
        CROSS JOIN LATERAL (SELECT coalesce(m.window_seconds, s.expected_interval_seconds) AS s) length
        WHERE m.observed_at >= coalesce(since, '-infinity')
          AND m.observed_at < coalesce(until, 'infinity')
          AND NOT m.is_test
        GROUP BY m.tenant_id
    ) metric ON metric.tenant_id = t.tenant_id
    LEFT JOIN (
        SELECT
            p.tenant_id,
            count(*) AS total,
            avg(p.failure_probability) AS avg_failure_probability,
            min(p.predicted_at) AS first_at,
            max(p.predicted_at) AS last_at
        FROM bcce_data.predictions p
        WHERE p.predicted_at >= coalesce(since, '-infinity')
          AND p.predicted_at < coalesce(until, 'infinity')
          AND NOT p.is_test
        GROUP BY p.tenant_id
    ) prediction ON prediction.tenant_id = t.tenant_id
    LEFT JOIN (
        SELECT i.tenant_id, count(*) AS still_open
        FROM bcce_data.declared_incidents(until) i
        WHERE i.state = 'open' AND i.started_at <= (SELECT least(until, bcce.report_now()))
        GROUP BY i.tenant_id
    ) incident ON incident.tenant_id = t.tenant_id
    LEFT JOIN (
        -- One row per user and fact first: few rows are left to be made distinct.
        SELECT a.tenant_id, count(DISTINCT a.user_key) AS active, min(a.first_at) AS first_at, max(a.last_at) AS last_at
        FROM (
            SELECT r.tenant_id, r.user_key, min(r.started_at) AS first_at, max(r.started_at) AS last_at
            FROM bcce_data.workflow_runs r
            WHERE r.started_at >= coalesce(since, '-infinity')
              AND r.started_at < coalesce(until, 'infinity')
              AND NOT r.is_test AND r.status <> 'skipped'
            GROUP BY r.tenant_id, r.user_key
            UNION ALL
            SELECT e.tenant_id, e.user_key, min(e.occurred_at), max(e.occurred_at)
            FROM bcce_data.events e
            WHERE e.occurred_at >= coalesce(since, '-infinity')
              AND e.occurred_at < coalesce(until, 'infinity')
              AND NOT e.is_test
            GROUP BY e.tenant_id, e.user_key
            UNION ALL
            SELECT u.tenant_id, u.user_key, min(u.at), max(u.at)
            FROM bcce_data.model_usage u
            WHERE u.at >= coalesce(since, '-infinity')
              AND u.at < coalesce(until, 'infinity')
              AND NOT u.is_test
            GROUP BY u.tenant_id, u.user_key
        ) a
        GROUP BY a.tenant_id
    ) person ON person.tenant_id = t.tenant_id
    WHERE t.deleted_at IS NULL;
END;
COMMENT ON FUNCTION bcce.analytics_overview(timestamptz, timestamptz, boolean) IS 'The same, and with include_retries false the counts and rates of runs are over last attempts only: a run that another one repeats (retry_of) before the window''s end is left out. People and activity are those of all attempts.';

CREATE OR REPLACE FUNCTION bcce.analytics_overview(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    total_workflows bigint,
    failed_workflows bigint,
    failure_rate_percent numeric,
    avg_p95_latency_ms double precision,
    avg_throughput_rps double precision,
    total_predictions bigint,
    avg_failure_probability double precision,
    finished_workflows bigint,
    running_workflows bigint,
    cancelled_workflows bigint,
    success_rate_percent numeric,
    failure_rate_low_percent numeric,
    failure_rate_high_percent numeric,
    p95_latency_ms double precision,
    p95_is_approximate boolean,
    open_incidents bigint,
    active_users bigint,
    first_activity_at timestamptz,
    last_activity_at timestamptz,
    as_of timestamptz
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        o.tenant_id,
        o.tenant_name,
        o.total_workflows,
        o.failed_workflows,
        o.failure_rate_percent,
        o.avg_p95_latency_ms,
        o.avg_throughput_rps,
        o.total_predictions,
        o.avg_failure_probability,
        o.finished_workflows,
        o.running_workflows,
        o.cancelled_workflows,
        o.success_rate_percent,
        o.failure_rate_low_percent,
        o.failure_rate_high_percent,
        o.p95_latency_ms,
        o.p95_is_approximate,
        o.open_incidents,
        o.active_users,
        o.first_activity_at,
        o.last_activity_at,
        o.as_of
    FROM bcce.analytics_overview(since, until, true) o;
END;
COMMENT ON FUNCTION bcce.analytics_overview(timestamptz, timestamptz) IS 'How is each tenant doing between since (inclusive) and until (exclusive)? NULL leaves an end open. Same columns as the view of this name; states are those at the window''s end, or now.';

CREATE OR REPLACE VIEW bcce.analytics_overview WITH (security_invoker = true) AS
SELECT
    o.tenant_id,
    o.tenant_name,
    o.total_workflows,
    o.failed_workflows,
    o.failure_rate_percent,
    o.avg_p95_latency_ms,
    o.avg_throughput_rps,
    o.total_predictions,
    o.avg_failure_probability,
    o.finished_workflows,
    o.running_workflows,
    o.cancelled_workflows,
    o.success_rate_percent,
    o.failure_rate_low_percent,
    o.failure_rate_high_percent,
    o.p95_latency_ms,
    o.p95_is_approximate,
    o.open_incidents,
    o.active_users,
    o.first_activity_at,
    o.last_activity_at,
    o.as_of
FROM bcce.analytics_overview(NULL::timestamptz, NULL::timestamptz) o;
COMMENT ON VIEW bcce.analytics_overview IS 'How is each tenant doing, over all retained data: how much ran, how much of it failed, how fast, for how many people? One row per visible tenant. For a period use the function of this name.';
COMMENT ON COLUMN bcce.analytics_overview.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.analytics_overview.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.analytics_overview.total_workflows IS 'runs started: running, finished and cancelled; skipped ones are not counted';
COMMENT ON COLUMN bcce.analytics_overview.failed_workflows IS 'runs that failed or timed out';
COMMENT ON COLUMN bcce.analytics_overview.failure_rate_percent IS 'percent of the finished runs that failed or timed out, one decimal; NULL: none finished';
COMMENT ON COLUMN bcce.analytics_overview.avg_p95_latency_ms IS 'mean of the samples'' p95 latency, milliseconds; NULL: no sample has one';
COMMENT ON COLUMN bcce.analytics_overview.avg_throughput_rps IS 'mean throughput of the samples, requests per second, weighted by sample length (the service''s declared interval where a sample has none)';
COMMENT ON COLUMN bcce.analytics_overview.total_predictions IS 'predictions made';
COMMENT ON COLUMN bcce.analytics_overview.avg_failure_probability IS 'mean predicted probability of failure, 0 to 1; NULL: no predictions';
COMMENT ON COLUMN bcce.analytics_overview.finished_workflows IS 'runs that succeeded, failed or timed out: what the rates divide by';
COMMENT ON COLUMN bcce.analytics_overview.running_workflows IS 'runs started and not over yet';
COMMENT ON COLUMN bcce.analytics_overview.cancelled_workflows IS 'runs that were cancelled';
COMMENT ON COLUMN bcce.analytics_overview.success_rate_percent IS 'percent of the finished runs that succeeded, one decimal; NULL: none finished';
COMMENT ON COLUMN bcce.analytics_overview.failure_rate_low_percent IS 'lower end of the failure rate''s 95 % confidence interval (Wilson), percent; NULL: none finished';
COMMENT ON COLUMN bcce.analytics_overview.failure_rate_high_percent IS 'upper end of the failure rate''s 95 % confidence interval (Wilson), percent; NULL: none finished';
COMMENT ON COLUMN bcce.analytics_overview.p95_latency_ms IS '95th percentile of latency, milliseconds, from the merged digests of the samples; NULL: no sample has a digest';
COMMENT ON COLUMN bcce.analytics_overview.p95_is_approximate IS 'whether p95_latency_ms is within the error of the digests (0.5415 % by default) rather than exact; NULL: there is none';
COMMENT ON COLUMN bcce.analytics_overview.open_incidents IS 'declared incidents open now (at the end of a period), whenever they began';
COMMENT ON COLUMN bcce.analytics_overview.active_users IS 'distinct pseudonymous users with a run, an event or a model call; guests are not users';
COMMENT ON COLUMN bcce.analytics_overview.first_activity_at IS 'time of the first run, event, model call, prediction or sample';
COMMENT ON COLUMN bcce.analytics_overview.last_activity_at IS 'time of the last run, event, model call, prediction or sample';
COMMENT ON COLUMN bcce.analytics_overview.as_of IS 'moment at which states are judged: now, or the end of the period';

-- A tenant of somebody else and one that does not exist are the same to the caller.
CREATE OR REPLACE FUNCTION bcce.overview_json(tenant uuid) RETURNS json
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT row_to_json(sample)
    FROM (
        SELECT
            o.tenant_id,
            o.total_workflows,
            o.failed_workflows,
            o.failure_rate_percent,
            round(o.avg_p95_latency_ms::numeric, 1) AS avg_p95_latency_ms,
            round(o.avg_throughput_rps::numeric, 1) AS avg_throughput_rps,
            o.total_predictions,
            round(o.avg_failure_probability::numeric, 2) AS avg_failure_probability
        FROM bcce.analytics_overview(NULL::timestamptz, NULL::timestamptz) o
        WHERE o.tenant_id = tenant
    ) sample
    UNION ALL
    SELECT NULL::json
    FROM bcce.raise_error('P0002', 'tenant not found', NULL, NULL) refusal
    WHERE NOT EXISTS (
        SELECT 1
        FROM bcce_data.tenants t
        WHERE t.tenant_id = tenant AND t.deleted_at IS NULL
    );
END;
COMMENT ON FUNCTION bcce.overview_json(uuid) IS 'The eight main numbers of a tenant, over all its data, as JSON: rates, latency and throughput with one decimal, the probability with two, null where unknown. Error P0002 when there is no such tenant or it is not the caller''s.';

CREATE OR REPLACE FUNCTION bcce.overview_json(tenant text) RETURNS json
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT bcce.overview_json((
        SELECT t.tenant_id
        FROM bcce_data.tenants t
        WHERE tenant IN (t.slug, t.external_id)
           OR replace(t.tenant_id::text, '-', '') = lower(replace(btrim(tenant, '{}'), '-', ''))
        ORDER BY t.slug = tenant DESC, t.external_id = tenant DESC NULLS LAST
        LIMIT 1
    ));
END;
COMMENT ON FUNCTION bcce.overview_json(text) IS 'The same for a tenant named by slug, external id or uuid.';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '21_mttr', $bcce_module$
-- mttr_analysis: how long recovery takes, one row per tenant.
CREATE OR REPLACE FUNCTION bcce.mttr_analysis(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    mttr_basis text,
    incident_count bigint,
    avg_mttr_minutes double precision,
    median_mttr_minutes double precision,
    p95_mttr_minutes double precision,
    recovered_count bigint,
    open_count bigint,
    invalid_count bigint,
    fallback_count bigint,
    derived_count bigint,
    oldest_open_minutes double precision,
    mtta_minutes double precision,
    mttd_minutes double precision,
    mtbf_hours double precision,
    availability_percent numeric,
    median_mttr_incl_open_minutes double precision,
    p95_mttr_incl_open_minutes double precision,
    mtta_incl_open_minutes double precision,
    censoring_warning boolean
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH basis AS (
        SELECT b.tenant_id, b.tenant_name, b.basis
        FROM bcce_data.mttr_basis() b
    ),
    incident AS (
        SELECT i.tenant_id, i.is_derived, i.state, i.started_at, i.recovery_minutes, i.open_minutes, i.is_fallback, i.acknowledge_minutes, i.unacknowledged_minutes, i.detect_minutes
        FROM bcce_data.mttr_incidents(since, until) i
    ),
    recovery AS (
        SELECT
            i.tenant_id,
            count(*) AS total,
            avg(i.recovery_minutes) AS mean,
            bcce.median(i.recovery_minutes) AS median,
            bcce.percentile_exact(i.recovery_minutes, 0.95) AS p95,
            count(*) FILTER (WHERE i.state = 'recovered') AS recovered,
            count(*) FILTER (WHERE i.state = 'open') AS still_open,
            count(*) FILTER (WHERE i.state = 'invalid') AS invalid,
            count(*) FILTER (WHERE i.state = 'recovered' AND i.is_fallback) AS fallback,
            count(*) FILTER (WHERE i.is_derived) AS derived,
            min(i.started_at) FILTER (WHERE i.state = 'open') AS oldest_open_at,
            avg(i.acknowledge_minutes) AS acknowledge_minutes,
            avg(i.detect_minutes) AS detect_minutes,
            bcce.km_quantile(coalesce(i.recovery_minutes, i.open_minutes), i.state = 'recovered', 0.5) AS median_incl_open,
            bcce.km_quantile(coalesce(i.recovery_minutes, i.open_minutes), i.state = 'recovered', 0.95) AS p95_incl_open,
            CASE WHEN count(i.acknowledge_minutes) > 0 THEN
                bcce.km_mean(coalesce(i.acknowledge_minutes, i.unacknowledged_minutes), i.acknowledge_minutes IS NOT NULL) END AS acknowledge_incl_open
        FROM incident i
        GROUP BY i.tenant_id
    ),
    observed AS (
        SELECT o.tenant_id, o.starts_at, o.ends_at
        FROM bcce_data.observed_time(since, until) o
    ),
    span AS (
        SELECT i.tenant_id, i.started_at, i.ended_at
        FROM bcce_data.impact_spans(until) i
    ),
    impact AS (
        SELECT
            o.tenant_id,
            count(s.started_at) FILTER (WHERE s.started_at >= o.starts_at) AS starts,
            range_agg(tstzrange(greatest(s.started_at, o.starts_at), least(s.ended_at, o.ends_at)))
                FILTER (WHERE s.ended_at > o.starts_at) AS spans
        FROM observed o
        JOIN span s ON s.tenant_id = o.tenant_id AND s.started_at < o.ends_at AND s.ended_at >= o.starts_at
        GROUP BY o.tenant_id
    ),
    uptime AS (
        SELECT
            o.tenant_id,
            i.starts,
            extract(epoch FROM o.ends_at - o.starts_at) AS observed_seconds,
            coalesce((SELECT sum(extract(epoch FROM upper(u.span) - lower(u.span)))
                      FROM unnest(i.spans) AS u (span)), 0) AS impact_seconds
        FROM observed o
        LEFT JOIN impact i ON i.tenant_id = o.tenant_id
    )
    SELECT
        b.tenant_id,
        b.tenant_name,
        b.basis,
        coalesce(r.total, 0),
        r.mean,
        r.median,
        r.p95,
        coalesce(r.recovered, 0),
        coalesce(r.still_open, 0),
        coalesce(r.invalid, 0),
        coalesce(r.fallback, 0),
        coalesce(r.derived, 0),
        -- An incident may begin after the moment of judgement by a fast clock: age 0.
        extract(epoch FROM (SELECT least(until, bcce.report_now()))
            - least(r.oldest_open_at, (SELECT least(until, bcce.report_now()))))::double precision
            / CASE WHEN r.oldest_open_at IS NOT NULL THEN 60 END,
        r.acknowledge_minutes,
        r.detect_minutes,
        ((u.observed_seconds - u.impact_seconds) / 3600 / nullif(u.starts, 0))::double precision,
        round(100.0 * (1 - u.impact_seconds / u.observed_seconds), 4),
        r.median_incl_open,
        r.p95_incl_open,
        r.acknowledge_incl_open,
        coalesce(r.still_open > 0 AND r.median IS NOT NULL AND (r.median_incl_open IS NULL OR r.median < 0.8 * r.median_incl_open), false)
    FROM basis b
    LEFT JOIN recovery r ON r.tenant_id = b.tenant_id
    LEFT JOIN uptime u ON u.tenant_id = b.tenant_id;
END;
COMMENT ON FUNCTION bcce.mttr_analysis(timestamptz, timestamptz) IS 'How long does recovery take, for incidents that began between since (inclusive) and until (exclusive)? NULL leaves an end open. Same columns as the view of this name; what ended after the window still counts as open.';

CREATE OR REPLACE VIEW bcce.mttr_analysis WITH (security_invoker = true) AS
SELECT
    m.tenant_id,
    m.tenant_name,
    m.mttr_basis,
    m.incident_count,
    m.avg_mttr_minutes,
    m.median_mttr_minutes,
    m.p95_mttr_minutes,
    m.recovered_count,
    m.open_count,
    m.invalid_count,
    m.fallback_count,
    m.derived_count,
    m.oldest_open_minutes,
    m.mtta_minutes,
    m.mttd_minutes,
    m.mtbf_hours,
    m.availability_percent,
    m.median_mttr_incl_open_minutes,
    m.p95_mttr_incl_open_minutes,
    m.mtta_incl_open_minutes,
    m.censoring_warning
FROM bcce.mttr_analysis(NULL::timestamptz, NULL::timestamptz) m;
COMMENT ON VIEW bcce.mttr_analysis IS 'How long does it take until an incident is over (time to recover, MTTR), over all retained data? One row per visible tenant. For a period use the function of this name.';
COMMENT ON COLUMN bcce.mttr_analysis.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.mttr_analysis.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.mttr_analysis.mttr_basis IS 'which incidents count: declared, derived (failure episodes of workflows, from the first failed run to the next success), or both; the tenant''s setting, auto resolved';
COMMENT ON COLUMN bcce.mttr_analysis.incident_count IS 'incidents that began: recovered, open and invalid';
COMMENT ON COLUMN bcce.mttr_analysis.avg_mttr_minutes IS 'mean recovery time of the recovered incidents, minutes, from the start of impact to recovery; several spans of impact count by their union';
COMMENT ON COLUMN bcce.mttr_analysis.median_mttr_minutes IS 'median recovery time of the recovered incidents, minutes';
COMMENT ON COLUMN bcce.mttr_analysis.p95_mttr_minutes IS '95th percentile of the recovery time of the recovered incidents, minutes';
COMMENT ON COLUMN bcce.mttr_analysis.recovered_count IS 'incidents that are over';
COMMENT ON COLUMN bcce.mttr_analysis.open_count IS 'incidents that are not over: they are in none of the times above, only in those with incl_open in their name';
COMMENT ON COLUMN bcce.mttr_analysis.invalid_count IS 'incidents that end before they begin or more than five minutes in the future: left out of the times';
COMMENT ON COLUMN bcce.mttr_analysis.fallback_count IS 'recovered incidents for which nothing but the closing time is known';
COMMENT ON COLUMN bcce.mttr_analysis.derived_count IS 'incidents that are failure episodes of workflows';
COMMENT ON COLUMN bcce.mttr_analysis.oldest_open_minutes IS 'age of the oldest open incident, minutes; NULL: none is open';
COMMENT ON COLUMN bcce.mttr_analysis.mtta_minutes IS 'mean time to acknowledge, minutes, from detection (else opening); acknowledged declared incidents only';
COMMENT ON COLUMN bcce.mttr_analysis.mttd_minutes IS 'mean time to detect, minutes, from the start of impact; declared incidents with both times only';
COMMENT ON COLUMN bcce.mttr_analysis.mtbf_hours IS 'mean time between failures, hours: observed time without impact of declared incidents, divided by the impacts that began; NULL: none began';
COMMENT ON COLUMN bcce.mttr_analysis.availability_percent IS 'percent of the observed time without impact of a declared incident, four decimals; NULL: the tenant never declared one';
COMMENT ON COLUMN bcce.mttr_analysis.median_mttr_incl_open_minutes IS 'median recovery time with the open incidents included, minutes: the smallest time by which half have recovered, open ones counted as lasting at least their age (Kaplan-Meier); one of the recovery times, where median_mttr_minutes may lie between two; NULL: too many are still open to tell';
COMMENT ON COLUMN bcce.mttr_analysis.p95_mttr_incl_open_minutes IS '95th percentile of the recovery time with the open incidents included, minutes, in the same way; NULL: too many are still open to tell';
COMMENT ON COLUMN bcce.mttr_analysis.mtta_incl_open_minutes IS 'mean time to acknowledge with the unacknowledged incidents included, minutes, no wait counted for longer than the longest so far (restricted Kaplan-Meier mean); one that was over without being acknowledged waited until then; NULL: none acknowledged';
COMMENT ON COLUMN bcce.mttr_analysis.censoring_warning IS 'true when open incidents make median_mttr_minutes too good to be believed: it is under 80 percent of the median with the open ones, or that is not known';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '22_cost', $bcce_module$
-- cost_analysis: what it cost, one row per tenant.
CREATE OR REPLACE FUNCTION bcce.cost_analysis(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    workflow_runs bigint,
    metric_count bigint,
    prediction_count bigint,
    workflow_cost_usd numeric,
    monitoring_cost_usd numeric,
    prediction_cost_usd numeric,
    model_cost_usd numeric,
    infra_cost_usd numeric,
    tariff_cost_usd numeric,
    provider_cost_usd numeric,
    total_cost_usd numeric,
    cost_per_hour_usd numeric,
    cost_per_execution_hour_usd numeric,
    cost_per_workflow_usd numeric,
    cost_per_user_usd numeric,
    unpriced_units bigint,
    is_lower_bound boolean,
    estimated_share_percent numeric,
    currency text,
    model_cost_upper_usd numeric
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        part.runs,
        part.metrics,
        part.predictions,
        part.run_usd,
        part.metric_usd,
        part.prediction_usd,
        part.model_usd,
        part.infra_usd,
        part.run_usd + part.metric_usd + part.prediction_usd,
        part.model_usd + part.infra_usd,
        total.usd,
        round(total.usd * 3600 / greatest(extract(epoch FROM unit.last_at - unit.first_at), 3600)
              / CASE WHEN unit.first_at IS NOT NULL THEN 1 END, 10),
        round(total.usd * 3600 / nullif(unit.run_seconds, 0), 10),
        round(total.usd / nullif(part.runs, 0), 10),
        round(total.usd / nullif(person.active, 0), 10),
        part.unpriced,
        part.unpriced > 0,
        round(100 * part.estimated_usd / nullif(part.model_usd, 0), 1),
        t.billing_currency,
        CASE WHEN unit.upper_unknown > 0 THEN NULL ELSE coalesce(unit.upper_usd, 0) END
    FROM bcce_data.tenants t
    LEFT JOIN (
        SELECT
            u.tenant_id,
            count(*) FILTER (WHERE u.item = 'workflow_run') AS runs,
            count(*) FILTER (WHERE u.item = 'metric') AS metrics,
            count(*) FILTER (WHERE u.item = 'prediction') AS predictions,
            sum(u.usd) FILTER (WHERE u.item = 'workflow_run') AS run_usd,
            sum(u.usd) FILTER (WHERE u.item = 'metric') AS metric_usd,
            sum(u.usd) FILTER (WHERE u.item = 'prediction') AS prediction_usd,
            sum(u.usd) FILTER (WHERE u.item = 'model_call') AS model_usd,
            sum(u.usd) FILTER (WHERE u.is_estimated) AS estimated_usd,
            count(*) - count(u.usd) AS unpriced,
            sum(CASE WHEN u.is_ttl_assumed THEN greatest(u.usd, u.upper_usd) ELSE u.usd END) FILTER (WHERE u.item = 'model_call' AND u.usd IS NOT NULL) AS upper_usd,
            count(u.usd) FILTER (WHERE u.is_ttl_assumed AND u.upper_usd IS NULL) AS upper_unknown,
            sum(u.run_seconds) AS run_seconds,
            min(u.at) FILTER (WHERE u.item <> 'model_call') AS first_at,
            max(u.at) FILTER (WHERE u.item <> 'model_call') AS last_at
        FROM bcce_data.cost_units(since, until) u
        GROUP BY u.tenant_id
    ) unit ON unit.tenant_id = t.tenant_id
    LEFT JOIN (
        SELECT
            c.tenant_id,
            sum(bcce_data.infra_share(c.amount_usd, c.period_start_at, c.period_end_at, since, moment.now)) AS usd
        FROM bcce_data.infra_costs c
        CROSS JOIN (SELECT least(until, bcce.report_now()) AS now) moment
        WHERE c.period_start_at < moment.now
          AND (since IS NULL OR c.period_end_at > since)
          AND isfinite(c.period_start_at) AND isfinite(c.period_end_at)
        GROUP BY c.tenant_id
    ) infra ON infra.tenant_id = t.tenant_id
    LEFT JOIN (
        SELECT a.tenant_id, count(DISTINCT a.user_key) AS active
        FROM bcce_data.user_activity(since, until) a
        GROUP BY a.tenant_id
    ) person ON person.tenant_id = t.tenant_id
    CROSS JOIN LATERAL (
        SELECT
            coalesce(unit.runs, 0) AS runs,
            coalesce(unit.metrics, 0) AS metrics,
            coalesce(unit.predictions, 0) AS predictions,
            coalesce(unit.run_usd, 0) AS run_usd,
            coalesce(unit.metric_usd, 0) AS metric_usd,
            coalesce(unit.prediction_usd, 0) AS prediction_usd,
            coalesce(unit.model_usd, 0) AS model_usd,
            coalesce(unit.estimated_usd, 0) AS estimated_usd,
            coalesce(infra.usd, 0) AS infra_usd,
            coalesce(unit.unpriced, 0) AS unpriced
    ) part
    CROSS JOIN LATERAL (
        SELECT part.run_usd + part.metric_usd + part.prediction_usd + part.model_usd + part.infra_usd AS usd
    ) total
    WHERE t.deleted_at IS NULL;
END;
COMMENT ON FUNCTION bcce.cost_analysis(timestamptz, timestamptz) IS 'What did each tenant cost between since (inclusive) and until (exclusive)? NULL leaves an end open. Same columns as the view of this name.';

CREATE OR REPLACE VIEW bcce.cost_analysis WITH (security_invoker = true) AS
SELECT
    c.tenant_id,
    c.tenant_name,
    c.workflow_runs,
    c.metric_count,
    c.prediction_count,
    c.workflow_cost_usd,
    c.monitoring_cost_usd,
    c.prediction_cost_usd,
    c.model_cost_usd,
    c.infra_cost_usd,
    c.tariff_cost_usd,
    c.provider_cost_usd,
    c.total_cost_usd,
    c.cost_per_hour_usd,
    c.cost_per_execution_hour_usd,
    c.cost_per_workflow_usd,
    c.cost_per_user_usd,
    c.unpriced_units,
    c.is_lower_bound,
    c.estimated_share_percent,
    c.currency,
    c.model_cost_upper_usd
FROM bcce.cost_analysis(NULL::timestamptz, NULL::timestamptz) c;
COMMENT ON VIEW bcce.cost_analysis IS 'What did each tenant cost, over all retained data: the total cost and its parts? One row per visible tenant. For a period use the function of this name.';
COMMENT ON COLUMN bcce.cost_analysis.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.cost_analysis.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.cost_analysis.workflow_runs IS 'runs started, failed and running ones included, skipped ones not';
COMMENT ON COLUMN bcce.cost_analysis.metric_count IS 'metric samples stored';
COMMENT ON COLUMN bcce.cost_analysis.prediction_count IS 'predictions made';
COMMENT ON COLUMN bcce.cost_analysis.workflow_cost_usd IS 'US dollars for the runs: each as charged when it was recorded, else at the price of its start';
COMMENT ON COLUMN bcce.cost_analysis.monitoring_cost_usd IS 'US dollars for the metric samples: each as charged when it was recorded, else at the price of its time';
COMMENT ON COLUMN bcce.cost_analysis.prediction_cost_usd IS 'US dollars for the predictions: each as charged when it was recorded, else at the price of its time';
COMMENT ON COLUMN bcce.cost_analysis.model_cost_usd IS 'US dollars for model calls: each as the sender reported it, else by its tokens at the prices known when it was recorded, else at those known now; a call whose cost is unknown is in unpriced_units';
COMMENT ON COLUMN bcce.cost_analysis.infra_cost_usd IS 'US dollars of the infrastructure bills, by their overlap with the period up to now, a share rounded to ten decimals';
COMMENT ON COLUMN bcce.cost_analysis.tariff_cost_usd IS 'US dollars by the chargeback tariff: workflow, monitoring and prediction cost';
COMMENT ON COLUMN bcce.cost_analysis.provider_cost_usd IS 'US dollars paid to providers: model and infrastructure cost';
COMMENT ON COLUMN bcce.cost_analysis.total_cost_usd IS 'US dollars, sum of the five parts, unrounded';
COMMENT ON COLUMN bcce.cost_analysis.cost_per_hour_usd IS 'US dollars per hour between the first and the last run, sample or prediction, at least one hour; NULL: there are none';
COMMENT ON COLUMN bcce.cost_analysis.cost_per_execution_hour_usd IS 'US dollars per hour that runs ran, cancelled ones included, running ones up to now or the period''s end; NULL: none ran';
COMMENT ON COLUMN bcce.cost_analysis.cost_per_workflow_usd IS 'US dollars in total per run; NULL: no runs';
COMMENT ON COLUMN bcce.cost_analysis.cost_per_user_usd IS 'US dollars in total per distinct pseudonymous user with a run, an event or a model call; NULL: no users';
COMMENT ON COLUMN bcce.cost_analysis.unpriced_units IS 'runs, samples, predictions and model calls whose cost is unknown: they are left out of the sums';
COMMENT ON COLUMN bcce.cost_analysis.is_lower_bound IS 'true when some cost is unknown, so that the sums are lower bounds';
COMMENT ON COLUMN bcce.cost_analysis.estimated_share_percent IS 'percent of the model cost that is estimated rather than reported, one decimal; NULL: no model cost';
COMMENT ON COLUMN bcce.cost_analysis.currency IS 'currency of the money columns';
COMMENT ON COLUMN bcce.cost_analysis.model_cost_upper_usd IS 'model_cost_usd if the cache writes whose life no sender told, which count as five minutes, were those of one hour; equal where all was told; NULL: a price of one hour is not known';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '23_trends', $bcce_module$
-- usage_trends: how use changes, one row per tenant and local day.
CREATE OR REPLACE FUNCTION bcce.usage_trends(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    period_start_at timestamptz,
    usage_date date,
    timezone text,
    total_workflows bigint,
    failed_workflows bigint,
    failure_rate_percent numeric,
    avg_duration_seconds double precision,
    p95_duration_seconds double precision,
    active_users bigint,
    new_users bigint,
    sessions bigint,
    events bigint,
    predictions bigint,
    model_calls bigint,
    input_tokens bigint,
    output_tokens bigint,
    cache_read_tokens bigint,
    total_cost_usd numeric,
    peak_hour integer,
    peak_hour_workflows bigint,
    peak_concurrent_runs bigint,
    workflows_7d_avg double precision,
    change_vs_7d_ago_percent numeric,
    anomaly_score double precision,
    is_partial_day boolean,
    hours_in_day numeric
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH active AS (
        SELECT
            t.tenant_id,
            t.tenant_name,
            t.timezone,
            ends.first_at,
            CASE WHEN until IS NOT NULL THEN
                     greatest(ends.last_at, (SELECT least(until - interval '1 microsecond', bcce.report_now())))
                 WHEN ends.last_at < (SELECT bcce.report_now() - interval '840 hours') THEN ends.last_at
                 ELSE greatest(ends.last_at, (SELECT bcce.report_now())) END AS last_at
        FROM bcce_data.tenants t
        CROSS JOIN LATERAL bcce_data.fact_ends(t.tenant_id, NULL, until) seen
        CROSS JOIN LATERAL (
            SELECT
                least(seen.first_run_at, seen.first_metric_at, seen.first_prediction_at, seen.first_call_at, seen.first_event_at) AS first_at,
                greatest(seen.last_run_at, seen.last_metric_at, seen.last_prediction_at, seen.last_call_at, seen.last_event_at) AS last_at
        ) ends
        WHERE t.deleted_at IS NULL AND ends.first_at <= ends.last_at
    ),
    -- First seen ever, so over all history.
    new_user_day AS (
        SELECT f.tenant_id, local.day AS usage_date, count(*) AS total
        FROM (
            SELECT k.tenant_id, k.user_key, min(k.first_at) AS first_at
            FROM (
                SELECT r.tenant_id, r.user_key, min(r.started_at) AS first_at
                FROM bcce_data.workflow_runs r
                WHERE r.started_at < coalesce(until, 'infinity')
                  AND NOT r.is_test AND r.status <> 'skipped' AND r.user_key IS NOT NULL
                GROUP BY r.tenant_id, r.user_key
                UNION ALL
                SELECT e.tenant_id, e.user_key, min(e.occurred_at)
                FROM bcce_data.events e
                WHERE e.occurred_at < coalesce(until, 'infinity')
                  AND NOT e.is_test AND e.user_key IS NOT NULL
                GROUP BY e.tenant_id, e.user_key
                UNION ALL
                SELECT u.tenant_id, u.user_key, min(u.at)
                FROM bcce_data.model_usage u
                WHERE u.at < coalesce(until, 'infinity')
                  AND NOT u.is_test AND u.user_key IS NOT NULL
                GROUP BY u.tenant_id, u.user_key
            ) k
            GROUP BY k.tenant_id, k.user_key
        ) f
        JOIN active a ON a.tenant_id = f.tenant_id
        CROSS JOIN LATERAL bcce_data.local_date(f.first_at, a.timezone) local
        WHERE since IS NULL OR f.first_at >= since
        GROUP BY f.tenant_id, local.day
    ),
    -- Look-backs see whole days, also those before the window.
    pace AS (
        SELECT DISTINCT ON (a.tenant_id, d.first_day)
            a.tenant_id,
            d.first_day AS usage_date,
            r.starts,
            avg(r.starts) OVER (
                PARTITION BY a.tenant_id ORDER BY d.first_day
                RANGE BETWEEN interval '6 days' PRECEDING AND CURRENT ROW) AS week_mean,
            sum(r.starts) OVER (
                PARTITION BY a.tenant_id ORDER BY d.first_day
                RANGE BETWEEN interval '7 days' PRECEDING AND interval '7 days' PRECEDING) AS week_ago,
            array_agg(r.starts) OVER (
                PARTITION BY a.tenant_id, extract(isodow FROM d.first_day) ORDER BY d.first_day
                RANGE BETWEEN interval '56 days' PRECEDING AND interval '7 days' PRECEDING) AS same_weekday
        FROM active a
        CROSS JOIN LATERAL bcce_data.local_periods(greatest(a.first_at, since - interval '1416 hours'), a.last_at, a.timezone, 'day') d
        CROSS JOIN LATERAL (
            SELECT count(*) AS starts
            FROM bcce_data.workflow_runs r
            WHERE r.tenant_id = a.tenant_id
              AND r.started_at >= d.starts_at AND r.started_at < d.ends_at
              AND r.started_at >= coalesce(since - interval '1440 hours', '-infinity') AND r.started_at < coalesce(until, 'infinity')
              AND NOT r.is_test AND r.status <> 'skipped'
        ) r
    )
    SELECT
        a.tenant_id,
        a.tenant_name,
        c.starts_at,
        c.first_day,
        a.timezone,
        r.total,
        r.failed,
        round(100.0 * r.failed / nullif(r.finished, 0), 1),
        r.avg_seconds,
        r.p95_seconds,
        k.active,
        coalesce(n.total, 0),
        s.total,
        e.total,
        p.total,
        u.calls,
        CASE WHEN u.calls > 0 THEN u.input_tokens ELSE 0 END,
        CASE WHEN u.calls > 0 THEN u.output_tokens ELSE 0 END,
        CASE WHEN u.calls > 0 THEN u.cache_read_tokens ELSE 0 END,
        coalesce(r.usd, 0) + coalesce(m.usd, 0) + coalesce(p.usd, 0) + coalesce(u.usd, 0),
        -h.most[2],
        h.most[1],
        w.peak,
        CASE WHEN c.first_day - (a.first_at AT TIME ZONE a.timezone)::date >= 6 THEN d.week_mean::double precision END,
        round(100.0 * (d.starts - d.week_ago) / nullif(d.week_ago, 0), 1),
        CASE WHEN cardinality(d.same_weekday) >= 4 THEN
            (d.starts - usual.median) / (1.4826 * nullif(usual.deviation, 0))
        END,
        c.ends_at > (SELECT least(until, bcce.report_now())) OR coalesce(c.starts_at < since, false),
        trim_scale(round(extract(epoch FROM c.ends_at - c.starts_at) / 3600, 4))
    FROM (
        -- Runs of over a day, and those that run: of the others a day's own and
        -- those of the 24 hours before are all that can run in it.
        SELECT
            a.tenant_id,
            a.tenant_name,
            a.timezone,
            a.first_at,
            a.last_at,
            (
                SELECT array_agg(tstzrange(r.started_at, CASE WHEN r.finished_at <= (SELECT least(until, bcce.report_now())) THEN r.finished_at END))
                FROM bcce_data.workflow_runs r
                WHERE r.tenant_id = a.tenant_id
                  AND (r.finished_at > r.started_at + interval '24 hours'
                       OR (r.finished_at <= (SELECT least(until, bcce.report_now()))) IS NOT TRUE)
                  AND r.started_at < coalesce(until, 'infinity')
                  AND r.started_at < (SELECT least(until, bcce.report_now()))
                  AND NOT r.is_test AND r.status <> 'skipped'
            ) AS long_runs
        FROM active a
        OFFSET 0
    ) a
    CROSS JOIN LATERAL bcce_data.local_periods(greatest(a.first_at, since), a.last_at, a.timezone, 'day') c
    -- Kept apart: under row security an index takes a column, but no subtraction.
    CROSS JOIN LATERAL (SELECT c.starts_at - interval '24 hours' AS starts_at OFFSET 0) before
    LEFT JOIN pace d ON d.tenant_id = a.tenant_id AND d.usage_date = c.first_day
    CROSS JOIN LATERAL (
        SELECT
            middle.median,
            (SELECT bcce.median(abs(x.starts - middle.median))
             FROM unnest(d.same_weekday) AS x (starts)) AS deviation
        FROM (
            SELECT bcce.median(x.starts) AS median
            FROM unnest(d.same_weekday) AS x (starts)
        ) middle
    ) usual
    LEFT JOIN new_user_day n ON n.tenant_id = a.tenant_id AND n.usage_date = c.first_day
    -- Each of one row; outer joins, as the planner leaves out those of which nothing is asked.
    LEFT JOIN LATERAL (
        SELECT
            count(*) AS total,
            count(*) FILTER (WHERE ended.by_now AND r.status IN ('failed', 'timed_out')) AS failed,
            count(*) FILTER (WHERE ended.by_now AND r.status IN ('succeeded', 'failed', 'timed_out')) AS finished,
            avg(r.duration_s) FILTER (WHERE ended.by_now AND r.status IN ('succeeded', 'failed', 'timed_out')) AS avg_seconds,
            bcce.percentile_exact(r.duration_s, 0.95) FILTER (WHERE ended.by_now AND r.status IN ('succeeded', 'failed', 'timed_out')) AS p95_seconds,
            sum(coalesce(r.charged_usd, bcce.estimate_cost('workflow_run', 1, r.started_at, r.tenant_id))) AS usd
        FROM bcce_data.workflow_runs r
        CROSS JOIN LATERAL (SELECT r.finished_at <= (SELECT least(until, bcce.report_now())) AS by_now) ended
        WHERE r.tenant_id = a.tenant_id
          AND r.started_at >= c.starts_at AND r.started_at < c.ends_at
          AND r.started_at >= coalesce(since, '-infinity') AND r.started_at < coalesce(until, 'infinity')
          AND NOT r.is_test AND r.status <> 'skipped'
    ) r ON true
    LEFT JOIN LATERAL (
        -- Most starts, and of equals the earliest hour.
        SELECT max(ARRAY[h.starts, -h.hour]) AS most
        FROM (
            SELECT extract(hour FROM r.started_at AT TIME ZONE a.timezone)::integer AS hour, count(*) AS starts
            FROM bcce_data.workflow_runs r
            WHERE r.tenant_id = a.tenant_id
              AND r.started_at >= c.starts_at AND r.started_at < c.ends_at
              AND r.started_at >= coalesce(since, '-infinity') AND r.started_at < coalesce(until, 'infinity')
              AND NOT r.is_test AND r.status <> 'skipped'
            GROUP BY extract(hour FROM r.started_at AT TIME ZONE a.timezone)
        ) h
    ) h ON true
    LEFT JOIN LATERAL (
        -- A sweep over starts (+1) and ends (-1); what ran at midnight starts there.
        SELECT coalesce(max(level.runs), 0) AS peak
        FROM (
            SELECT sum(edge.change) OVER (ORDER BY edge.at) AS runs
            FROM (
                SELECT r.started_at, r.finished_at
                FROM bcce_data.workflow_runs r
                WHERE r.tenant_id = a.tenant_id
                  AND r.started_at >= before.starts_at AND r.started_at < c.ends_at
                  AND r.started_at < coalesce(until, 'infinity')
                  AND r.started_at < (SELECT least(until, bcce.report_now()))
                  AND r.finished_at > c.starts_at
                  AND r.finished_at > r.started_at AND r.finished_at <= r.started_at + interval '24 hours'
                  AND r.finished_at <= (SELECT least(until, bcce.report_now()))
                  AND NOT r.is_test AND r.status <> 'skipped'
                UNION ALL
                SELECT lower(x.span), upper(x.span)
                FROM unnest(a.long_runs) AS x (span)
                WHERE x.span && tstzrange(c.starts_at, c.ends_at)
            ) r
            CROSS JOIN LATERAL (
                SELECT greatest(r.started_at, c.starts_at) AS at, 1 AS change
                UNION ALL
                SELECT r.finished_at, -1
                WHERE r.finished_at < c.ends_at
            ) edge
        ) level
    ) w ON true
    LEFT JOIN LATERAL (
        SELECT count(DISTINCT x.user_key) AS active
        FROM bcce_data.user_activity(since, until) x
        WHERE x.tenant_id = a.tenant_id AND x.at >= c.starts_at AND x.at < c.ends_at
    ) k ON true
    LEFT JOIN LATERAL (
        SELECT count(DISTINCT x.session_id) AS total
        FROM (
            SELECT e.session_id
            FROM bcce_data.events e
            WHERE e.tenant_id = a.tenant_id
              AND e.occurred_at >= c.starts_at AND e.occurred_at < c.ends_at
              AND e.occurred_at >= coalesce(since, '-infinity') AND e.occurred_at < coalesce(until, 'infinity')
              AND NOT e.is_test
            UNION ALL
            SELECT u.session_id
            FROM bcce_data.model_usage u
            WHERE u.tenant_id = a.tenant_id
              AND u.at >= c.starts_at AND u.at < c.ends_at
              AND u.at >= coalesce(since, '-infinity') AND u.at < coalesce(until, 'infinity')
              AND NOT u.is_test
        ) x
    ) s ON true
    LEFT JOIN LATERAL (
        SELECT count(*) AS total
        FROM bcce_data.events e
        WHERE e.tenant_id = a.tenant_id
          AND e.occurred_at >= c.starts_at AND e.occurred_at < c.ends_at
          AND e.occurred_at >= coalesce(since, '-infinity') AND e.occurred_at < coalesce(until, 'infinity')
          AND NOT e.is_test
    ) e ON true
    LEFT JOIN LATERAL (
        SELECT sum(coalesce(m.charged_usd, bcce.estimate_cost('metric', 1, m.observed_at, m.tenant_id))) AS usd
        FROM bcce_data.performance_metrics m
        WHERE m.tenant_id = a.tenant_id
          AND m.observed_at >= c.starts_at AND m.observed_at < c.ends_at
          AND m.observed_at >= coalesce(since, '-infinity') AND m.observed_at < coalesce(until, 'infinity')
          AND NOT m.is_test
    ) m ON true
    LEFT JOIN LATERAL (
        SELECT
            count(*) AS total,
            sum(coalesce(p.charged_usd, bcce.estimate_cost('prediction', 1, p.predicted_at, p.tenant_id))) AS usd
        FROM bcce_data.predictions p
        WHERE p.tenant_id = a.tenant_id
          AND p.predicted_at >= c.starts_at AND p.predicted_at < c.ends_at
          AND p.predicted_at >= coalesce(since, '-infinity') AND p.predicted_at < coalesce(until, 'infinity')
          AND NOT p.is_test
    ) p ON true
    LEFT JOIN LATERAL (
        SELECT
            count(*) AS calls,
            sum(coalesce(u.input_tokens, CASE WHEN tokens.any_known THEN 0 END))::bigint AS input_tokens,
            sum(coalesce(u.output_tokens, CASE WHEN tokens.any_known THEN 0 END))::bigint AS output_tokens,
            sum(coalesce(u.cache_read_tokens, CASE WHEN tokens.any_known THEN 0 END))::bigint AS cache_read_tokens,
            sum(coalesce(u.reported_cost_usd, u.charged_usd, bcce.estimate_token_cost(u.model_id, u.at, u.input_tokens, u.output_tokens,
                u.cache_read_tokens, u.cache_write_5m_tokens, u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier, u.tenant_id))) AS usd
        FROM bcce_data.model_usage u
        CROSS JOIN LATERAL (
            SELECT coalesce(u.input_tokens, u.output_tokens, u.cache_read_tokens,
                            u.cache_write_5m_tokens, u.cache_write_1h_tokens) IS NOT NULL AS any_known
        ) tokens
        WHERE u.tenant_id = a.tenant_id
          AND u.at >= c.starts_at AND u.at < c.ends_at
          AND u.at >= coalesce(since, '-infinity') AND u.at < coalesce(until, 'infinity')
          AND NOT u.is_test
    ) u ON true;
END;
COMMENT ON FUNCTION bcce.usage_trends(timestamptz, timestamptz) IS 'How does use change from day to day between since (inclusive) and until (exclusive)? NULL leaves an end open. Same columns as the view of this name; a day that the window cuts is partial, and look-back columns see the days before the window.';

CREATE OR REPLACE VIEW bcce.usage_trends WITH (security_invoker = true) AS
SELECT
    u.tenant_id,
    u.tenant_name,
    u.period_start_at,
    u.usage_date,
    u.timezone,
    u.total_workflows,
    u.failed_workflows,
    u.failure_rate_percent,
    u.avg_duration_seconds,
    u.p95_duration_seconds,
    u.active_users,
    u.new_users,
    u.sessions,
    u.events,
    u.predictions,
    u.model_calls,
    u.input_tokens,
    u.output_tokens,
    u.cache_read_tokens,
    u.total_cost_usd,
    u.peak_hour,
    u.peak_hour_workflows,
    u.peak_concurrent_runs,
    u.workflows_7d_avg,
    u.change_vs_7d_ago_percent,
    u.anomaly_score,
    u.is_partial_day,
    u.hours_in_day
FROM bcce.usage_trends(NULL::timestamptz, NULL::timestamptz) u;
COMMENT ON VIEW bcce.usage_trends IS 'How does use change from day to day: runs, failures, people, tokens, cost? One row per visible tenant and local day, from its first activity to today (to its last activity where that is over 35 days ago); days without activity are rows of zeros. For a period use the function of this name.';
COMMENT ON COLUMN bcce.usage_trends.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.usage_trends.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.usage_trends.period_start_at IS 'first instant of the local day';
COMMENT ON COLUMN bcce.usage_trends.usage_date IS 'local date in the tenant''s zone';
COMMENT ON COLUMN bcce.usage_trends.timezone IS 'the tenant''s zone';
COMMENT ON COLUMN bcce.usage_trends.total_workflows IS 'runs started that day: running, finished and cancelled; skipped ones are not counted';
COMMENT ON COLUMN bcce.usage_trends.failed_workflows IS 'those of them that failed or timed out';
COMMENT ON COLUMN bcce.usage_trends.failure_rate_percent IS 'percent of the finished ones that failed or timed out, one decimal; NULL: none finished';
COMMENT ON COLUMN bcce.usage_trends.avg_duration_seconds IS 'mean duration of the finished ones, seconds; NULL: none finished';
COMMENT ON COLUMN bcce.usage_trends.p95_duration_seconds IS '95th percentile of their duration, seconds; NULL: none finished';
COMMENT ON COLUMN bcce.usage_trends.active_users IS 'distinct pseudonymous users with a run, an event or a model call; not additive over days';
COMMENT ON COLUMN bcce.usage_trends.new_users IS 'users first ever seen that day';
COMMENT ON COLUMN bcce.usage_trends.sessions IS 'distinct sessions of events and model calls; not additive over days';
COMMENT ON COLUMN bcce.usage_trends.events IS 'events of guests and users';
COMMENT ON COLUMN bcce.usage_trends.predictions IS 'predictions made';
COMMENT ON COLUMN bcce.usage_trends.model_calls IS 'calls of language models';
COMMENT ON COLUMN bcce.usage_trends.input_tokens IS 'tokens into models; NULL: no call told';
COMMENT ON COLUMN bcce.usage_trends.output_tokens IS 'tokens out of models; NULL: no call told';
COMMENT ON COLUMN bcce.usage_trends.cache_read_tokens IS 'tokens read from the cache; NULL: no call told';
COMMENT ON COLUMN bcce.usage_trends.total_cost_usd IS 'US dollars for the day''s runs, samples, predictions and model calls: tariff_cost_usd + model_cost_usd of cost_analysis; infrastructure bills are not cut into days';
COMMENT ON COLUMN bcce.usage_trends.peak_hour IS 'local hour, 0 to 23, with the most run starts, the earliest of equals; NULL: no runs';
COMMENT ON COLUMN bcce.usage_trends.peak_hour_workflows IS 'runs started in that hour; NULL: no runs';
COMMENT ON COLUMN bcce.usage_trends.peak_concurrent_runs IS 'most runs under way at one moment of the day, those started earlier included';
COMMENT ON COLUMN bcce.usage_trends.workflows_7d_avg IS 'mean runs a day over this and the six days before; NULL in the first six days';
COMMENT ON COLUMN bcce.usage_trends.change_vs_7d_ago_percent IS 'percent change of the day''s runs against seven days before, one decimal; NULL: none then';
COMMENT ON COLUMN bcce.usage_trends.anomaly_score IS 'distance of the day''s runs from the median of the same weekday in the eight weeks before, in robust standard deviations (1.4826 x median absolute deviation); NULL: under four such days, or no deviation';
COMMENT ON COLUMN bcce.usage_trends.is_partial_day IS 'true when the day is not over or the period cuts it';
COMMENT ON COLUMN bcce.usage_trends.hours_in_day IS 'length of the local day in hours: 24, or 23, 25, 23.5 ... when clocks change';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '24_service_health', $bcce_module$
-- service_health_dashboard: how services are now, one row per tenant and service.
CREATE OR REPLACE FUNCTION bcce.service_health_dashboard(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    service_id text,
    service_name text,
    status text,
    status_reason text,
    status_since timestamptz,
    last_seen_at timestamptz,
    window_minutes double precision,
    request_count bigint,
    error_count bigint,
    error_rate_percent numeric,
    p50_latency_ms double precision,
    p95_latency_ms double precision,
    p99_latency_ms double precision,
    throughput_rps double precision,
    cpu_percent double precision,
    memory_percent double precision,
    storage_percent double precision,
    network_percent double precision,
    open_incidents bigint,
    worst_open_severity text,
    availability_30d_percent numeric,
    slo_target_percent numeric,
    error_budget_remaining_percent numeric,
    latest_failure_probability double precision,
    in_maintenance boolean
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH service AS MATERIALIZED (
        SELECT
            l.tenant_id,
            l.tenant_name,
            l.service_id,
            l.service_name,
            l.expected_interval_seconds,
            l.judged_at,
            l.slo_target_percent,
            l.stale_seconds,
            l.window_minutes,
            l.window_starts_at,
            l.down_error_percent,
            l.down_min_requests,
            l.degraded_error_percent,
            l.degraded_min_requests,
            l.degraded_p95_latency_ms,
            l.degraded_cpu_percent,
            l.degraded_memory_percent,
            l.degraded_storage_percent,
            l.degraded_network_percent,
            l.fast_burn_rate,
            l.slow_burn_rate
        FROM bcce_data.service_limits(until) l
    ),
    incident AS (
        SELECT i.tenant_id, i.service_id, count(*) AS still_open, min(i.severity) AS worst_severity
        FROM bcce_data.declared_incidents(until) i
        WHERE i.state = 'open' AND i.started_at <= (SELECT least(until, bcce.report_now()))
        GROUP BY i.tenant_id, i.service_id
    ),
    -- As availability in mttr_analysis, of one service: from its first sample or incident, at most 30 days.
    observed AS (
        SELECT
            s.tenant_id,
            s.service_id,
            greatest(first.at, s.judged_at - interval '720 hours') AS starts_at,
            s.judged_at AS ends_at
        FROM service s
        JOIN bcce_data.mttr_basis() b ON b.tenant_id = s.tenant_id AND b.ever
        CROSS JOIN LATERAL (
            SELECT least(
                (SELECT min(m.observed_at) FROM bcce_data.performance_metrics m
                 WHERE m.tenant_id = s.tenant_id AND m.service_id = s.service_id AND NOT m.is_test
                   AND m.observed_at < coalesce(until, 'infinity') AND m.observed_at <= s.judged_at),
                (SELECT min(p.started_at) FROM bcce_data.impact_spans(until) p
                 WHERE p.tenant_id = s.tenant_id AND p.service_id = s.service_id)
            ) AS at
        ) first
        WHERE first.at < s.judged_at
    ),
    uptime AS (
        SELECT
            o.tenant_id,
            o.service_id,
            round(100 * (1 - coalesce((SELECT sum(extract(epoch FROM upper(u.span) - lower(u.span)))
                                       FROM unnest(impact.spans) AS u (span)), 0)
                             / extract(epoch FROM o.ends_at - o.starts_at)), 4) AS percent
        FROM observed o
        LEFT JOIN (
            SELECT
                o.tenant_id,
                o.service_id,
                range_agg(tstzrange(greatest(p.started_at, o.starts_at), least(p.ended_at, o.ends_at))) AS spans
            FROM observed o
            JOIN bcce_data.impact_spans(until) p
                ON p.tenant_id = o.tenant_id AND p.service_id = o.service_id
                AND p.started_at < o.ends_at AND p.ended_at > o.starts_at
            GROUP BY o.tenant_id, o.service_id
        ) impact ON impact.tenant_id = o.tenant_id AND impact.service_id = o.service_id
    )
    SELECT
        s.tenant_id,
        s.tenant_name,
        s.service_id,
        s.service_name,
        verdict.status,
        verdict.reason,
        CASE verdict.status
            -- A day back the last sample and the maintenance window tell more than the sweep does.
            WHEN 'stale' THEN coalesce(since_when.at, greatest(seen.last_at + make_interval(secs => s.stale_seconds), maintenance.over_at))
            WHEN 'maintenance' THEN coalesce(since_when.at, maintenance.began_at)
            WHEN 'unknown' THEN NULL
            ELSE since_when.at
        END,
        seen.last_at,
        s.window_minutes,
        coalesce(sample.requests, 0),
        coalesce(sample.errors, 0),
        round(100.0 * sample.rated_errors / nullif(sample.rated_requests, 0), 4),
        sample.p50_latency_ms,
        sample.p95_latency_ms,
        sample.p99_latency_ms,
        sample.throughput_rps,
        sample.cpu_percent,
        sample.memory_percent,
        sample.storage_percent,
        sample.network_percent,
        coalesce(i.still_open, 0),
        i.worst_severity,
        availability.percent,
        s.slo_target_percent,
        slo.budget_remaining_percent,
        prediction.failure_probability,
        maintenance.began_at IS NOT NULL
    FROM service s
    LEFT JOIN bcce_data.slo_state(until) slo ON slo.tenant_id = s.tenant_id AND slo.service_id = s.service_id
    LEFT JOIN incident i ON i.tenant_id = s.tenant_id AND i.service_id = s.service_id
    CROSS JOIN LATERAL (
        SELECT min(w.starts_at) FILTER (WHERE w.ends_at > s.judged_at) AS began_at,
               max(w.ends_at) FILTER (WHERE w.ends_at <= s.judged_at) AS over_at
        FROM bcce_data.maintenance_windows w
        WHERE w.tenant_id = s.tenant_id AND w.service_id = s.service_id AND w.starts_at <= s.judged_at
    ) maintenance
    CROSS JOIN LATERAL (
        SELECT (
            SELECT m.observed_at
            FROM bcce_data.performance_metrics m
            WHERE m.tenant_id = s.tenant_id AND m.service_id = s.service_id AND NOT m.is_test
              AND m.observed_at < coalesce(until, 'infinity')
              AND m.observed_at <= (SELECT least(until, bcce.report_now()))
            ORDER BY m.observed_at DESC
            LIMIT 1
        ) AS last_at
    ) seen
    CROSS JOIN LATERAL (
        SELECT
            sum(m.request_count)::bigint AS requests,
            sum(m.error_count)::bigint AS errors,
            sum(m.request_count) FILTER (WHERE m.error_count IS NOT NULL) AS rated_requests,
            sum(m.error_count) FILTER (WHERE m.request_count IS NOT NULL) AS rated_errors,
            coalesce(bcce.approx_percentile(bcce.rollup(bcce.sketch_from_bytes(m.latency_digest)), 0.5), avg(m.p50_latency_ms)) AS p50_latency_ms,
            coalesce(bcce.approx_percentile(bcce.rollup(bcce.sketch_from_bytes(m.latency_digest)), 0.95), avg(m.p95_latency_ms)) AS p95_latency_ms,
            coalesce(bcce.approx_percentile(bcce.rollup(bcce.sketch_from_bytes(m.latency_digest)), 0.99), avg(m.p99_latency_ms)) AS p99_latency_ms,
            CASE WHEN min(length.s) FILTER (WHERE m.throughput_rps IS NOT NULL)
                      < max(length.s) FILTER (WHERE m.throughput_rps IS NOT NULL) THEN
                (sum(m.throughput_rps * length.s)
                    + coalesce(avg(length.s) FILTER (WHERE m.throughput_rps IS NOT NULL)
                               * sum(m.throughput_rps) FILTER (WHERE length.s IS NULL), 0))
                / (avg(length.s) FILTER (WHERE m.throughput_rps IS NOT NULL) * count(m.throughput_rps))
            ELSE avg(m.throughput_rps) END AS throughput_rps,
            avg(m.cpu_percent) AS cpu_percent,
            avg(m.memory_percent) AS memory_percent,
            avg(m.storage_percent) AS storage_percent,
            avg(m.network_percent) AS network_percent
        FROM bcce_data.performance_metrics m
        CROSS JOIN LATERAL (
            SELECT coalesce(m.window_seconds, s.expected_interval_seconds) AS s
        ) length
        WHERE m.tenant_id = s.tenant_id AND m.service_id = s.service_id AND NOT m.is_test
          AND m.observed_at >= s.window_starts_at
          AND m.observed_at <= (SELECT least(until, bcce.report_now()))
          AND m.observed_at < coalesce(until, 'infinity')
    ) sample
    CROSS JOIN LATERAL (
        SELECT (
            SELECT p.failure_probability
            FROM bcce_data.predictions p
            WHERE p.tenant_id = s.tenant_id AND p.target_kind = 'service' AND p.target_id = s.service_id AND NOT p.is_test
              AND p.predicted_at < coalesce(until, 'infinity')
              AND p.predicted_at <= (SELECT least(until, bcce.report_now()))
            ORDER BY p.predicted_at DESC, p.prediction_id DESC
            LIMIT 1
        ) AS failure_probability
    ) prediction
    CROSS JOIN LATERAL (
        SELECT
            maintenance.began_at IS NOT NULL AS in_maintenance,
            seen.last_at IS NULL AS is_unknown,
            seen.last_at < s.judged_at - make_interval(secs => s.stale_seconds) AS is_stale,
            sample.rated_requests::double precision AS requests,
            sample.rated_errors::double precision AS errors
    ) known
    CROSS JOIN LATERAL bcce_data.health_verdict(
        known.in_maintenance, known.is_unknown, known.is_stale, s.stale_seconds, i.worst_severity, known.requests, known.errors,
        sample.p95_latency_ms, sample.cpu_percent, sample.memory_percent, sample.storage_percent, sample.network_percent,
        s.slo_target_percent, slo.fast_fires, slo.slow_fires, s.down_error_percent, s.down_min_requests,
        s.degraded_error_percent, s.degraded_min_requests, s.degraded_p95_latency_ms, s.degraded_cpu_percent,
        s.degraded_memory_percent, s.degraded_storage_percent, s.degraded_network_percent, s.fast_burn_rate, s.slow_burn_rate) verdict
    LEFT JOIN bcce_data.status_since(until) since_when
        ON since_when.tenant_id = s.tenant_id AND since_when.service_id = s.service_id
    LEFT JOIN uptime availability ON availability.tenant_id = s.tenant_id AND availability.service_id = s.service_id;
END;
COMMENT ON FUNCTION bcce.service_health_dashboard(timestamptz, timestamptz) IS 'How was each service just before until (exclusive), or how is it now where until is NULL? Same columns as the view of this name; the judged minutes end there whatever since says.';

CREATE OR REPLACE VIEW bcce.service_health_dashboard WITH (security_invoker = true) AS
SELECT
    h.tenant_id,
    h.tenant_name,
    h.service_id,
    h.service_name,
    h.status,
    h.status_reason,
    h.status_since,
    h.last_seen_at,
    h.window_minutes,
    h.request_count,
    h.error_count,
    h.error_rate_percent,
    h.p50_latency_ms,
    h.p95_latency_ms,
    h.p99_latency_ms,
    h.throughput_rps,
    h.cpu_percent,
    h.memory_percent,
    h.storage_percent,
    h.network_percent,
    h.open_incidents,
    h.worst_open_severity,
    h.availability_30d_percent,
    h.slo_target_percent,
    h.error_budget_remaining_percent,
    h.latest_failure_probability,
    h.in_maintenance
FROM bcce.service_health_dashboard(NULL::timestamptz, NULL::timestamptz) h;
COMMENT ON VIEW bcce.service_health_dashboard IS 'How is each service now: healthy, degraded or down, and why? One row per visible tenant and service; a retired one leaves after 30 days. For a past moment use the function of this name.';
COMMENT ON COLUMN bcce.service_health_dashboard.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.service_health_dashboard.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.service_health_dashboard.service_id IS 'service';
COMMENT ON COLUMN bcce.service_health_dashboard.service_name IS 'display name of the service';
COMMENT ON COLUMN bcce.service_health_dashboard.status IS 'maintenance, unknown (no sample ever), stale (no recent sample), down, degraded or healthy: the first that applies; limits are in health_thresholds';
COMMENT ON COLUMN bcce.service_health_dashboard.status_reason IS 'why, all reasons for that status; NULL: healthy';
COMMENT ON COLUMN bcce.service_health_dashboard.status_since IS 'moment since which the status has held, exact within the last 24 hours (status_lookback_minutes); NULL: for longer than that, or unknown';
COMMENT ON COLUMN bcce.service_health_dashboard.last_seen_at IS 'time of the last sample; NULL: never any';
COMMENT ON COLUMN bcce.service_health_dashboard.window_minutes IS 'length of the time that is judged, minutes';
COMMENT ON COLUMN bcce.service_health_dashboard.request_count IS 'requests in those minutes';
COMMENT ON COLUMN bcce.service_health_dashboard.error_count IS 'failed requests in those minutes';
COMMENT ON COLUMN bcce.service_health_dashboard.error_rate_percent IS 'percent of the requests that failed, four decimals, over samples that tell both; NULL: no requests';
COMMENT ON COLUMN bcce.service_health_dashboard.p50_latency_ms IS 'median latency, milliseconds: of the merged digests of the samples, else the mean of theirs';
COMMENT ON COLUMN bcce.service_health_dashboard.p95_latency_ms IS '95th percentile of latency, milliseconds: of the merged digests of the samples, else the mean of theirs';
COMMENT ON COLUMN bcce.service_health_dashboard.p99_latency_ms IS '99th percentile of latency, milliseconds: of the merged digests of the samples, else the mean of theirs';
COMMENT ON COLUMN bcce.service_health_dashboard.throughput_rps IS 'mean throughput of the samples, requests per second, weighted by sample length';
COMMENT ON COLUMN bcce.service_health_dashboard.cpu_percent IS 'mean CPU use, 0 to 100';
COMMENT ON COLUMN bcce.service_health_dashboard.memory_percent IS 'mean memory use, 0 to 100';
COMMENT ON COLUMN bcce.service_health_dashboard.storage_percent IS 'mean storage use, 0 to 100';
COMMENT ON COLUMN bcce.service_health_dashboard.network_percent IS 'mean network use, 0 to 100';
COMMENT ON COLUMN bcce.service_health_dashboard.open_incidents IS 'declared incidents of the service that are open';
COMMENT ON COLUMN bcce.service_health_dashboard.worst_open_severity IS 'worst severity among them, sev1 to sev4; NULL: none open, or unclassified';
COMMENT ON COLUMN bcce.service_health_dashboard.availability_30d_percent IS 'percent of the last 30 days (since its first sample or incident where that is later) without impact of a declared incident of the service, four decimals; NULL: the tenant never declared one, or nothing is known of the service';
COMMENT ON COLUMN bcce.service_health_dashboard.slo_target_percent IS 'percent of the requests that the service promises to answer without error (slos); NULL: it promises none';
COMMENT ON COLUMN bcce.service_health_dashboard.error_budget_remaining_percent IS 'percent of the errors that the target allows over 30 days that is left, four decimals, by samples that tell both counts; below 0: overspent; NULL: no target or no requests';
COMMENT ON COLUMN bcce.service_health_dashboard.latest_failure_probability IS 'latest predicted probability that the service fails, 0 to 1; NULL: never predicted';
COMMENT ON COLUMN bcce.service_health_dashboard.in_maintenance IS 'true inside a declared maintenance window';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '24_slo_burn_rate', $bcce_module$
-- How fast error budgets burn, one row per tenant, service with a target and pair of windows.
CREATE OR REPLACE FUNCTION bcce.slo_burn_rate(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    service_id text,
    service_name text,
    window_pair text,
    slo_target_percent numeric,
    long_window_minutes double precision,
    short_window_minutes double precision,
    long_request_count bigint,
    short_request_count bigint,
    long_error_rate_percent numeric,
    short_error_rate_percent numeric,
    long_burn_rate double precision,
    short_burn_rate double precision,
    burn_rate_threshold double precision,
    is_firing boolean,
    error_budget_remaining_percent numeric,
    exhausted_in_hours double precision
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        l.tenant_id,
        l.tenant_name,
        l.service_id,
        l.service_name,
        pair.name,
        l.slo_target_percent,
        pair.long_minutes,
        pair.short_minutes,
        pair.long_requests,
        pair.short_requests,
        round(100.0 * pair.long_errors / nullif(pair.long_requests, 0), 4),
        round(100.0 * pair.short_errors / nullif(pair.short_requests, 0), 4),
        pair.long_burn,
        pair.short_burn,
        pair.threshold,
        pair.fires,
        n.budget_remaining_percent,
        CASE WHEN n.budget_remaining_percent <= 0 THEN 0
             ELSE n.budget_remaining_percent::double precision / 100 * 720 / nullif(pair.long_burn, 0) END
    FROM bcce_data.service_limits(until) l
    JOIN bcce_data.slo_state(until) n ON n.tenant_id = l.tenant_id AND n.service_id = l.service_id
    CROSS JOIN LATERAL (
        SELECT 'fast' AS name, l.fast_burn_long_minutes AS long_minutes, l.fast_burn_short_minutes AS short_minutes,
               n.fast_long_requests AS long_requests, n.fast_long_errors AS long_errors,
               n.fast_short_requests AS short_requests, n.fast_short_errors AS short_errors,
               n.fast_long_burn AS long_burn, n.fast_short_burn AS short_burn, l.fast_burn_rate AS threshold, n.fast_fires AS fires
        UNION ALL
        SELECT 'slow', l.slow_burn_long_minutes, l.slow_burn_short_minutes, n.slow_long_requests, n.slow_long_errors,
               n.slow_short_requests, n.slow_short_errors, n.slow_long_burn, n.slow_short_burn, l.slow_burn_rate, n.slow_fires
    ) pair;
END;
COMMENT ON FUNCTION bcce.slo_burn_rate(timestamptz, timestamptz) IS 'How fast did error budgets burn just before until (exclusive), or how fast do they now where until is NULL? Same columns as the view of this name; the windows end there whatever since says.';

CREATE OR REPLACE VIEW bcce.slo_burn_rate WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.service_id,
    x.service_name,
    x.window_pair,
    x.slo_target_percent,
    x.long_window_minutes,
    x.short_window_minutes,
    x.long_request_count,
    x.short_request_count,
    x.long_error_rate_percent,
    x.short_error_rate_percent,
    x.long_burn_rate,
    x.short_burn_rate,
    x.burn_rate_threshold,
    x.is_firing,
    x.error_budget_remaining_percent,
    x.exhausted_in_hours
FROM bcce.slo_burn_rate(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.slo_burn_rate IS 'How fast do error budgets burn? One row per visible tenant, service with a target (slos) and pair of windows. For a past moment use the function of this name.';
COMMENT ON COLUMN bcce.slo_burn_rate.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.slo_burn_rate.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.slo_burn_rate.service_id IS 'service';
COMMENT ON COLUMN bcce.slo_burn_rate.service_name IS 'display name of the service';
COMMENT ON COLUMN bcce.slo_burn_rate.window_pair IS 'fast or slow: short windows that see an outage, or long ones that see a slow leak';
COMMENT ON COLUMN bcce.slo_burn_rate.slo_target_percent IS 'percent of the requests that the service promises to answer without error (slos)';
COMMENT ON COLUMN bcce.slo_burn_rate.long_window_minutes IS 'length of the long window, minutes';
COMMENT ON COLUMN bcce.slo_burn_rate.short_window_minutes IS 'length of the short window, minutes';
COMMENT ON COLUMN bcce.slo_burn_rate.long_request_count IS 'requests in the long window, of samples that tell both counts';
COMMENT ON COLUMN bcce.slo_burn_rate.short_request_count IS 'requests in the short window, of samples that tell both counts';
COMMENT ON COLUMN bcce.slo_burn_rate.long_error_rate_percent IS 'percent of the requests in the long window that failed, four decimals; NULL: no requests';
COMMENT ON COLUMN bcce.slo_burn_rate.short_error_rate_percent IS 'percent of the requests in the short window that failed, four decimals; NULL: no requests';
COMMENT ON COLUMN bcce.slo_burn_rate.long_burn_rate IS 'error rate of the long window divided by the one that the target allows: 1 uses the budget up in 30 days; NULL: under 20 requests (burn_min_requests) in the short window, or a target of 100 percent';
COMMENT ON COLUMN bcce.slo_burn_rate.short_burn_rate IS 'the same of the short window';
COMMENT ON COLUMN bcce.slo_burn_rate.burn_rate_threshold IS 'burn rate above which the pair fires';
COMMENT ON COLUMN bcce.slo_burn_rate.is_firing IS 'true when both burn rates are above the threshold; NULL: not known';
COMMENT ON COLUMN bcce.slo_burn_rate.error_budget_remaining_percent IS 'percent of the errors that the target allows over 30 days that is left, four decimals; below 0: overspent; NULL: no requests';
COMMENT ON COLUMN bcce.slo_burn_rate.exhausted_in_hours IS 'hours until the budget is used up at the long window''s pace and steady traffic; 0: it is; NULL: never at this pace, or not known';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '25_prediction_accuracy', $bcce_module$
-- prediction_accuracy: how good predictions were, one row per tenant, model and version.
CREATE OR REPLACE FUNCTION bcce.prediction_accuracy(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    model_name text,
    model_version text,
    total_predictions bigint,
    labelled_count bigint,
    pending_count bigint,
    unlabelable_count bigint,
    superseded_count bigint,
    late_count bigint,
    threshold double precision,
    true_positives bigint,
    false_positives bigint,
    true_negatives bigint,
    false_negatives bigint,
    accuracy_percent numeric,
    precision_percent numeric,
    recall_percent numeric,
    specificity_percent numeric,
    f1_score double precision,
    mcc double precision,
    brier_score double precision,
    brier_skill_score double precision,
    log_loss double precision,
    auc double precision,
    ece double precision,
    mce double precision,
    mean_predicted double precision,
    base_rate_percent numeric,
    calibration_ratio double precision,
    median_label_delay_minutes double precision,
    median_lead_time_minutes double precision,
    accuracy_low_percent numeric,
    accuracy_high_percent numeric
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        s.tenant_id,
        s.tenant_name,
        s.model_name,
        s.model_version,
        s.total_predictions,
        s.labelled_count,
        s.pending_count,
        s.unlabelable_count,
        s.superseded_count,
        s.late_count,
        s.threshold,
        s.true_positives,
        s.false_positives,
        s.true_negatives,
        s.false_negatives,
        s.accuracy_percent,
        s.precision_percent,
        s.recall_percent,
        s.specificity_percent,
        s.f1_score,
        s.mcc,
        s.brier_score,
        s.brier_skill_score,
        s.log_loss,
        s.auc,
        s.ece,
        s.mce,
        s.mean_predicted,
        s.base_rate_percent,
        s.calibration_ratio,
        s.median_label_delay_minutes,
        s.median_lead_time_minutes,
        s.accuracy_low_percent,
        s.accuracy_high_percent
    FROM bcce_data.prediction_scores(since, until, false) s;
END;
COMMENT ON FUNCTION bcce.prediction_accuracy(timestamptz, timestamptz) IS 'How good were the predictions made between since (inclusive) and until (exclusive)? NULL leaves an end open. Same columns as the view of this name; what became known after the window is still pending.';

CREATE OR REPLACE VIEW bcce.prediction_accuracy WITH (security_invoker = true) AS
SELECT
    a.tenant_id,
    a.tenant_name,
    a.model_name,
    a.model_version,
    a.total_predictions,
    a.labelled_count,
    a.pending_count,
    a.unlabelable_count,
    a.superseded_count,
    a.late_count,
    a.threshold,
    a.true_positives,
    a.false_positives,
    a.true_negatives,
    a.false_negatives,
    a.accuracy_percent,
    a.precision_percent,
    a.recall_percent,
    a.specificity_percent,
    a.f1_score,
    a.mcc,
    a.brier_score,
    a.brier_skill_score,
    a.log_loss,
    a.auc,
    a.ece,
    a.mce,
    a.mean_predicted,
    a.base_rate_percent,
    a.calibration_ratio,
    a.median_label_delay_minutes,
    a.median_lead_time_minutes,
    a.accuracy_low_percent,
    a.accuracy_high_percent
FROM bcce.prediction_accuracy(NULL::timestamptz, NULL::timestamptz) a;
COMMENT ON VIEW bcce.prediction_accuracy IS 'Can the failure predictions be trusted: how good are they, over all retained data? One row per visible tenant, model and version. For a period use the function of this name.';
COMMENT ON COLUMN bcce.prediction_accuracy.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.prediction_accuracy.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.prediction_accuracy.model_name IS 'model';
COMMENT ON COLUMN bcce.prediction_accuracy.model_version IS 'version of the model; empty where senders give none';
COMMENT ON COLUMN bcce.prediction_accuracy.total_predictions IS 'predictions made: labelled, pending, unlabelable, superseded and late';
COMMENT ON COLUMN bcce.prediction_accuracy.labelled_count IS 'predictions whose outcome is known: all the scores are about these';
COMMENT ON COLUMN bcce.prediction_accuracy.pending_count IS 'predictions whose run is not over, whose horizon is not over, or whose outcome was not reported yet';
COMMENT ON COLUMN bcce.prediction_accuracy.unlabelable_count IS 'predictions whose run was cancelled or skipped, or whose service sent nothing during the horizon';
COMMENT ON COLUMN bcce.prediction_accuracy.superseded_count IS 'predictions that a later one of the model about the same target replaced';
COMMENT ON COLUMN bcce.prediction_accuracy.late_count IS 'predictions made after their run started';
COMMENT ON COLUMN bcce.prediction_accuracy.threshold IS 'probability at or above which a prediction counts as failure predicted, 0 to 1';
COMMENT ON COLUMN bcce.prediction_accuracy.true_positives IS 'failure predicted, and it failed';
COMMENT ON COLUMN bcce.prediction_accuracy.false_positives IS 'failure predicted, but it did not fail';
COMMENT ON COLUMN bcce.prediction_accuracy.true_negatives IS 'no failure predicted, and it did not fail';
COMMENT ON COLUMN bcce.prediction_accuracy.false_negatives IS 'no failure predicted, but it failed';
COMMENT ON COLUMN bcce.prediction_accuracy.accuracy_percent IS 'percent of the labelled predictions that were right, one decimal';
COMMENT ON COLUMN bcce.prediction_accuracy.precision_percent IS 'percent of the predicted failures that came, one decimal; NULL: none was predicted';
COMMENT ON COLUMN bcce.prediction_accuracy.recall_percent IS 'percent of the failures that were predicted, one decimal; NULL: there were none';
COMMENT ON COLUMN bcce.prediction_accuracy.specificity_percent IS 'percent of what did not fail that was predicted so, one decimal; NULL: everything failed';
COMMENT ON COLUMN bcce.prediction_accuracy.f1_score IS 'harmonic mean of precision and recall, 0 to 1';
COMMENT ON COLUMN bcce.prediction_accuracy.mcc IS 'Matthews correlation coefficient, -1 to 1; NULL: only one class predicted or seen';
COMMENT ON COLUMN bcce.prediction_accuracy.brier_score IS 'mean squared distance of probability and outcome, 0 (best) to 1';
COMMENT ON COLUMN bcce.prediction_accuracy.brier_skill_score IS 'part of the Brier score of always saying the base rate that the model saves; 1 is best, below 0 worse than that; NULL: only one class seen';
COMMENT ON COLUMN bcce.prediction_accuracy.log_loss IS 'mean negative natural logarithm of the probability given to what happened, probabilities clipped to 1e-15 from 0 and 1';
COMMENT ON COLUMN bcce.prediction_accuracy.auc IS 'probability that a failure got a higher probability than a non-failure (area under the ROC curve), ties one half; NULL: only one class seen';
COMMENT ON COLUMN bcce.prediction_accuracy.ece IS 'expected calibration error, 0 to 1: mean distance of predicted and observed rate over ten bins of equal width, weighted by count';
COMMENT ON COLUMN bcce.prediction_accuracy.mce IS 'largest such distance in one bin, 0 to 1';
COMMENT ON COLUMN bcce.prediction_accuracy.mean_predicted IS 'mean predicted probability, 0 to 1';
COMMENT ON COLUMN bcce.prediction_accuracy.base_rate_percent IS 'percent of the labelled predictions whose target failed, one decimal';
COMMENT ON COLUMN bcce.prediction_accuracy.calibration_ratio IS 'failures expected divided by failures observed; NULL: none observed';
COMMENT ON COLUMN bcce.prediction_accuracy.median_label_delay_minutes IS 'median time from a prediction to the knowledge of its outcome, minutes';
COMMENT ON COLUMN bcce.prediction_accuracy.median_lead_time_minutes IS 'median time from a prediction to the failure, minutes, true positives only';
COMMENT ON COLUMN bcce.prediction_accuracy.accuracy_low_percent IS 'lower end of the accuracy''s 95 % confidence interval (Wilson), percent';
COMMENT ON COLUMN bcce.prediction_accuracy.accuracy_high_percent IS 'upper end of the accuracy''s 95 % confidence interval (Wilson), percent';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '26_calibration_table', $bcce_module$
-- calibration_table: whether probabilities mean what they say, one row per tenant, model, version and bin.
CREATE OR REPLACE FUNCTION bcce.calibration_table(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    model_name text,
    model_version text,
    bin integer,
    lower_probability double precision,
    upper_probability double precision,
    labelled_count bigint,
    mean_predicted double precision,
    observed_rate double precision,
    observed_low double precision,
    observed_high double precision
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        s.tenant_id,
        s.tenant_name,
        s.model_name,
        s.model_version,
        g.bin,
        (g.bin - 1) / 10.0::double precision,
        g.bin / 10.0::double precision,
        coalesce((s.bins[g.bin]).n, 0),
        (s.bins[g.bin]).mean_predicted,
        (s.bins[g.bin]).observed_rate,
        (s.bins[g.bin]).observed_low,
        (s.bins[g.bin]).observed_high
    FROM bcce_data.prediction_scores(since, until, false) s
    CROSS JOIN generate_series(1, 10) AS g (bin);
END;
COMMENT ON FUNCTION bcce.calibration_table(timestamptz, timestamptz) IS 'Did the probabilities predicted between since (inclusive) and until (exclusive) mean what they said? NULL leaves an end open. Same columns as the view of this name; what became known after the window is still pending.';

CREATE OR REPLACE VIEW bcce.calibration_table WITH (security_invoker = true) AS
SELECT
    a.tenant_id,
    a.tenant_name,
    a.model_name,
    a.model_version,
    a.bin,
    a.lower_probability,
    a.upper_probability,
    a.labelled_count,
    a.mean_predicted,
    a.observed_rate,
    a.observed_low,
    a.observed_high
FROM bcce.calibration_table(NULL::timestamptz, NULL::timestamptz) a;
COMMENT ON VIEW bcce.calibration_table IS 'Do probabilities mean what they say: of what was predicted at 70 percent, did 70 percent fail? One row per visible tenant, model, version and bin of probabilities. Over all retained data; for a period use the function of this name.';
COMMENT ON COLUMN bcce.calibration_table.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.calibration_table.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.calibration_table.model_name IS 'model';
COMMENT ON COLUMN bcce.calibration_table.model_version IS 'version of the model; empty where senders give none';
COMMENT ON COLUMN bcce.calibration_table.bin IS 'bin, 1 to 10, of equal width';
COMMENT ON COLUMN bcce.calibration_table.lower_probability IS 'lowest probability in the bin';
COMMENT ON COLUMN bcce.calibration_table.upper_probability IS 'probability at which the bin ends: not in it, except for 1 in the last';
COMMENT ON COLUMN bcce.calibration_table.labelled_count IS 'predictions in the bin whose outcome is known';
COMMENT ON COLUMN bcce.calibration_table.mean_predicted IS 'their mean predicted probability, 0 to 1; NULL: there is none';
COMMENT ON COLUMN bcce.calibration_table.observed_rate IS 'share of them whose target failed, 0 to 1: near mean_predicted where probabilities mean what they say; NULL: there is none';
COMMENT ON COLUMN bcce.calibration_table.observed_low IS 'lower end of the shares 95 % confidence interval (Wilson), 0 to 1';
COMMENT ON COLUMN bcce.calibration_table.observed_high IS 'upper end of the shares 95 % confidence interval (Wilson), 0 to 1';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '26_cost_by_day', $bcce_module$
-- cost_by_day: what each day cost, one row per tenant and local day.
CREATE OR REPLACE FUNCTION bcce.cost_by_day(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    period_start_at timestamptz,
    usage_date date,
    workflow_runs bigint,
    metric_count bigint,
    prediction_count bigint,
    workflow_cost_usd numeric,
    monitoring_cost_usd numeric,
    prediction_cost_usd numeric,
    model_cost_usd numeric,
    infra_cost_usd numeric,
    tariff_cost_usd numeric,
    provider_cost_usd numeric,
    total_cost_usd numeric,
    cost_per_execution_hour_usd numeric,
    cost_per_workflow_usd numeric,
    cost_per_user_usd numeric,
    unpriced_units bigint,
    is_lower_bound boolean,
    estimated_share_percent numeric,
    currency text
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH bill AS (
        SELECT
            c.tenant_id,
            c.amount_usd,
            c.period_start_at,
            c.period_end_at,
            greatest(c.period_start_at, since) AS first_at,
            least(c.period_end_at, moment.now) - interval '1 microsecond' AS last_at,
            moment.now
        FROM bcce_data.infra_costs c
        CROSS JOIN (SELECT least(until, bcce.report_now()) AS now) moment
        WHERE c.period_start_at < moment.now
          AND (since IS NULL OR c.period_end_at > since)
          AND (since IS NULL OR since < moment.now)
          AND isfinite(c.period_start_at) AND isfinite(c.period_end_at)
    )
    SELECT
        t.tenant_id,
        t.tenant_name,
        c.starts_at,
        c.first_day,
        part.runs,
        part.metrics,
        part.predictions,
        part.run_usd,
        part.metric_usd,
        part.prediction_usd,
        part.model_usd,
        part.infra_usd,
        part.run_usd + part.metric_usd + part.prediction_usd,
        part.model_usd + part.infra_usd,
        total.usd,
        round(total.usd * 3600 / nullif(u.run_seconds, 0), 10),
        round(total.usd / nullif(part.runs, 0), 10),
        round(total.usd / nullif(p.active, 0), 10),
        part.unpriced,
        part.unpriced > 0,
        round(100 * part.estimated_usd / nullif(part.model_usd, 0), 1),
        t.billing_currency
    FROM bcce_data.tenants t
    CROSS JOIN LATERAL (
        SELECT
            least(u.first_run_at, u.first_metric_at, u.first_prediction_at, u.first_call_at, bills.first_at) AS first_at,
            greatest(u.last_run_at, u.last_metric_at, u.last_prediction_at, u.last_call_at, bills.last_at) AS last_at
        FROM bcce_data.fact_ends(t.tenant_id, since, until) u
        CROSS JOIN (
            SELECT min(b.first_at) AS first_at, max(b.last_at) AS last_at
            FROM bill b
            WHERE b.tenant_id = t.tenant_id
        ) bills
    ) e
    CROSS JOIN LATERAL bcce_data.local_periods(e.first_at, e.last_at, t.timezone, 'day') c
    -- Each of one row; outer joins, as the planner leaves out those of which nothing is asked.
    LEFT JOIN LATERAL (
        SELECT
            count(*) FILTER (WHERE u.item = 'workflow_run') AS runs,
            count(*) FILTER (WHERE u.item = 'metric') AS metrics,
            count(*) FILTER (WHERE u.item = 'prediction') AS predictions,
            sum(u.usd) FILTER (WHERE u.item = 'workflow_run') AS run_usd,
            sum(u.usd) FILTER (WHERE u.item = 'metric') AS metric_usd,
            sum(u.usd) FILTER (WHERE u.item = 'prediction') AS prediction_usd,
            sum(u.usd) FILTER (WHERE u.item = 'model_call') AS model_usd,
            sum(u.usd) FILTER (WHERE u.is_estimated) AS estimated_usd,
            count(*) - count(u.usd) AS unpriced,
            sum(u.run_seconds) AS run_seconds
        FROM bcce_data.cost_units(since, until) u
        WHERE u.tenant_id = t.tenant_id AND u.at >= c.starts_at AND u.at < c.ends_at
    ) u ON true
    -- What had accrued by the end of the day less what had by its start, so that
    -- roundings cancel over the days.
    LEFT JOIN LATERAL (
        SELECT
            sum(bcce_data.infra_share(b.amount_usd, b.period_start_at, b.period_end_at, since, least(c.ends_at, b.now))
                - bcce_data.infra_share(b.amount_usd, b.period_start_at, b.period_end_at, since, least(c.starts_at, b.now))) AS usd
        FROM bill b
        WHERE b.tenant_id = t.tenant_id AND c.starts_at <= b.last_at AND c.ends_at > b.first_at
    ) i ON true
    LEFT JOIN LATERAL (
        SELECT count(DISTINCT a.user_key) AS active
        FROM bcce_data.user_activity(since, until) a
        WHERE a.tenant_id = t.tenant_id AND a.at >= c.starts_at AND a.at < c.ends_at
    ) p ON true
    CROSS JOIN LATERAL (
        SELECT
            u.runs,
            u.metrics,
            u.predictions,
            coalesce(u.run_usd, 0) AS run_usd,
            coalesce(u.metric_usd, 0) AS metric_usd,
            coalesce(u.prediction_usd, 0) AS prediction_usd,
            coalesce(u.model_usd, 0) AS model_usd,
            coalesce(u.estimated_usd, 0) AS estimated_usd,
            coalesce(i.usd, 0) AS infra_usd,
            u.unpriced
    ) part
    CROSS JOIN LATERAL (
        SELECT part.run_usd + part.metric_usd + part.prediction_usd + part.model_usd + part.infra_usd AS usd
    ) total
    WHERE t.deleted_at IS NULL;
END;
COMMENT ON FUNCTION bcce.cost_by_day(timestamptz, timestamptz) IS 'What did each day cost, of what falls between since (inclusive) and until (exclusive)? NULL leaves an end open. Same columns as the view of this name; each part summed over the days is that of cost_analysis for the same period.';

CREATE OR REPLACE VIEW bcce.cost_by_day WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.period_start_at,
    x.usage_date,
    x.workflow_runs,
    x.metric_count,
    x.prediction_count,
    x.workflow_cost_usd,
    x.monitoring_cost_usd,
    x.prediction_cost_usd,
    x.model_cost_usd,
    x.infra_cost_usd,
    x.tariff_cost_usd,
    x.provider_cost_usd,
    x.total_cost_usd,
    x.cost_per_execution_hour_usd,
    x.cost_per_workflow_usd,
    x.cost_per_user_usd,
    x.unpriced_units,
    x.is_lower_bound,
    x.estimated_share_percent,
    x.currency
FROM bcce.cost_by_day(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.cost_by_day IS 'What did each day cost, and which one was expensive? One row per visible tenant and local day from its first to its last cost, days without any included. For a period use the function of this name.';
COMMENT ON COLUMN bcce.cost_by_day.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.cost_by_day.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.cost_by_day.period_start_at IS 'first instant of the day in the tenant''s zone';
COMMENT ON COLUMN bcce.cost_by_day.usage_date IS 'day in the tenant''s zone';
COMMENT ON COLUMN bcce.cost_by_day.workflow_runs IS 'runs started, failed and running ones included, skipped ones not';
COMMENT ON COLUMN bcce.cost_by_day.metric_count IS 'metric samples stored';
COMMENT ON COLUMN bcce.cost_by_day.prediction_count IS 'predictions made';
COMMENT ON COLUMN bcce.cost_by_day.workflow_cost_usd IS 'US dollars for the runs: each as charged when it was recorded, else at the price of its start';
COMMENT ON COLUMN bcce.cost_by_day.monitoring_cost_usd IS 'US dollars for the metric samples: each as charged when it was recorded, else at the price of its time';
COMMENT ON COLUMN bcce.cost_by_day.prediction_cost_usd IS 'US dollars for the predictions: each as charged when it was recorded, else at the price of its time';
COMMENT ON COLUMN bcce.cost_by_day.model_cost_usd IS 'US dollars for model calls: each as the sender reported it, else by its tokens at the prices known when it was recorded, else at those known now; a call whose cost is unknown is in unpriced_units';
COMMENT ON COLUMN bcce.cost_by_day.infra_cost_usd IS 'US dollars of the infrastructure bills, by their overlap with the day up to now; what rounding to ten decimals leaves over falls on the later days, so that days add up';
COMMENT ON COLUMN bcce.cost_by_day.tariff_cost_usd IS 'US dollars by the chargeback tariff: workflow, monitoring and prediction cost';
COMMENT ON COLUMN bcce.cost_by_day.provider_cost_usd IS 'US dollars paid to providers: model and infrastructure cost';
COMMENT ON COLUMN bcce.cost_by_day.total_cost_usd IS 'US dollars, sum of the five parts, unrounded';
COMMENT ON COLUMN bcce.cost_by_day.cost_per_execution_hour_usd IS 'US dollars per hour that the day''s runs ran, cancelled ones included, running ones up to now or the period''s end; NULL: none ran';
COMMENT ON COLUMN bcce.cost_by_day.cost_per_workflow_usd IS 'US dollars in total per run; NULL: no runs';
COMMENT ON COLUMN bcce.cost_by_day.cost_per_user_usd IS 'US dollars in total per distinct pseudonymous user of the day with a run, an event or a model call; NULL: no users';
COMMENT ON COLUMN bcce.cost_by_day.unpriced_units IS 'runs, samples, predictions and model calls whose cost is unknown: they are left out of the sums';
COMMENT ON COLUMN bcce.cost_by_day.is_lower_bound IS 'true when some cost is unknown, so that the sums are lower bounds';
COMMENT ON COLUMN bcce.cost_by_day.estimated_share_percent IS 'percent of the model cost that is estimated rather than reported, one decimal; NULL: no model cost';
COMMENT ON COLUMN bcce.cost_by_day.currency IS 'currency of the money columns';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '26_mttr_breakdown', $bcce_module$
-- mttr_breakdown: where recovery takes long, one row per tenant, severity, service and basis.
CREATE OR REPLACE FUNCTION bcce.mttr_breakdown(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    severity text,
    service_id text,
    service_name text,
    mttr_basis text,
    incident_count bigint,
    avg_mttr_minutes double precision,
    median_mttr_minutes double precision,
    p95_mttr_minutes double precision,
    recovered_count bigint,
    open_count bigint,
    invalid_count bigint,
    fallback_count bigint,
    derived_count bigint,
    oldest_open_minutes double precision,
    mtta_minutes double precision,
    mttd_minutes double precision,
    median_mttr_incl_open_minutes double precision,
    p95_mttr_incl_open_minutes double precision,
    mtta_incl_open_minutes double precision,
    censoring_warning boolean,
    median_mttr_incl_open_low_minutes double precision,
    median_mttr_incl_open_high_minutes double precision,
    avg_mttr_incl_open_minutes double precision,
    avg_mttr_incl_open_limit_minutes double precision,
    avg_mttr_business_minutes double precision,
    mtbf_hours double precision,
    availability_percent numeric
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH observed AS (
        SELECT o.tenant_id, o.starts_at, o.ends_at
        FROM bcce_data.observed_time(since, until) o
    )
    SELECT
        b.tenant_id,
        b.tenant_name,
        b.severity,
        b.service_id,
        s.service_name,
        b.basis,
        b.total,
        b.mean,
        b.median,
        b.p95,
        b.recovered,
        b.still_open,
        b.invalid,
        b.fallback,
        b.derived,
        extract(epoch FROM (SELECT least(until, bcce.report_now()))
            - least(b.oldest_open_at, (SELECT least(until, bcce.report_now()))))::double precision
            / CASE WHEN b.oldest_open_at IS NOT NULL THEN 60 END,
        b.acknowledge_minutes,
        b.detect_minutes,
        b.median_incl_open,
        b.p95_incl_open,
        b.acknowledge_incl_open,
        b.still_open > 0 AND b.median IS NOT NULL AND (b.median_incl_open IS NULL OR b.median < 0.8 * b.median_incl_open),
        b.median_low,
        b.median_high,
        CASE WHEN b.recovered > 0 THEN b.mean_incl_open END,
        CASE WHEN b.recovered > 0 THEN b.longest END,
        b.business_mean,
        ((uptime.observed_seconds - uptime.impact_seconds) / 3600 / nullif(uptime.starts, 0))::double precision,
        round(100.0 * (1 - uptime.impact_seconds / uptime.observed_seconds), 4)
    FROM (
        SELECT
            t.tenant_id,
            t.tenant_name,
            coalesce(i.severity, 'unclassified') AS severity,
            i.service_id,
            CASE WHEN i.is_derived THEN 'derived' ELSE 'declared' END AS basis,
            count(*) AS total,
            avg(i.recovery_minutes) AS mean,
            bcce.median(i.recovery_minutes) AS median,
            bcce.percentile_exact(i.recovery_minutes, 0.95) AS p95,
            count(*) FILTER (WHERE i.state = 'recovered') AS recovered,
            count(*) FILTER (WHERE i.state = 'open') AS still_open,
            count(*) FILTER (WHERE i.state = 'invalid') AS invalid,
            count(*) FILTER (WHERE i.state = 'recovered' AND i.is_fallback) AS fallback,
            count(*) FILTER (WHERE i.is_derived) AS derived,
            min(i.started_at) FILTER (WHERE i.state = 'open') AS oldest_open_at,
            avg(i.acknowledge_minutes) AS acknowledge_minutes,
            avg(i.detect_minutes) AS detect_minutes,
            bcce.km_quantile(coalesce(i.recovery_minutes, i.open_minutes), i.state = 'recovered', 0.5) AS median_incl_open,
            bcce.km_quantile(coalesce(i.recovery_minutes, i.open_minutes), i.state = 'recovered', 0.95) AS p95_incl_open,
            CASE WHEN count(i.acknowledge_minutes) > 0 THEN
                bcce.km_mean(coalesce(i.acknowledge_minutes, i.unacknowledged_minutes), i.acknowledge_minutes IS NOT NULL) END AS acknowledge_incl_open,
            bcce.km_quantile_low(coalesce(i.recovery_minutes, i.open_minutes), i.state = 'recovered', 0.5) AS median_low,
            bcce.km_quantile_high(coalesce(i.recovery_minutes, i.open_minutes), i.state = 'recovered', 0.5) AS median_high,
            bcce.km_mean(coalesce(i.recovery_minutes, i.open_minutes), i.state = 'recovered') AS mean_incl_open,
            max(coalesce(i.recovery_minutes, i.open_minutes)) AS longest,
            avg(business.minutes) AS business_mean
        FROM bcce_data.tenants t
        JOIN bcce_data.mttr_incidents(since, until) i ON i.tenant_id = t.tenant_id
        LEFT JOIN LATERAL (
            SELECT CASE WHEN i.state = 'recovered' THEN
                coalesce(range_agg(p.span), tstzmultirange(tstzrange(i.started_at, i.ended_at))) END AS spans
            FROM bcce_data.incident_impacts p
            WHERE p.tenant_id = i.tenant_id AND p.incident_id = i.incident_id
              AND (until IS NULL OR lower(p.span) < until)
        ) impact ON true
        LEFT JOIN LATERAL bcce_data.business_minutes(t.tenant_id, t.timezone, impact.spans) business ON true
        GROUP BY t.tenant_id, t.tenant_name, coalesce(i.severity, 'unclassified'), i.service_id, i.is_derived
    ) b
    LEFT JOIN bcce_data.services s ON s.tenant_id = b.tenant_id AND s.service_id = b.service_id
    -- As in mttr_analysis, with the impacts of this severity and service.
    LEFT JOIN observed o ON o.tenant_id = b.tenant_id AND b.basis = 'declared'
    LEFT JOIN (
        SELECT
            o.tenant_id,
            coalesce(p.severity, 'unclassified') AS severity,
            p.service_id,
            count(*) FILTER (WHERE p.started_at >= o.starts_at) AS starts,
            range_agg(tstzrange(greatest(p.started_at, o.starts_at), least(p.ended_at, o.ends_at)))
                FILTER (WHERE p.ended_at > o.starts_at) AS spans
        FROM observed o
        JOIN bcce_data.impact_spans(until) p ON p.tenant_id = o.tenant_id AND p.started_at < o.ends_at AND p.ended_at >= o.starts_at
        GROUP BY o.tenant_id, coalesce(p.severity, 'unclassified'), p.service_id
    ) impact ON impact.tenant_id = o.tenant_id AND impact.severity = b.severity AND impact.service_id IS NOT DISTINCT FROM b.service_id
    CROSS JOIN LATERAL (
        SELECT
            impact.starts,
            extract(epoch FROM o.ends_at - o.starts_at) AS observed_seconds,
            coalesce((SELECT sum(extract(epoch FROM upper(u.span) - lower(u.span)))
                      FROM unnest(impact.spans) AS u (span)), 0) AS impact_seconds
    ) uptime;
END;
COMMENT ON FUNCTION bcce.mttr_breakdown(timestamptz, timestamptz) IS 'Where does recovery take long, for incidents that began between since (inclusive) and until (exclusive)? NULL leaves an end open. Same columns as the view of this name; what ended after the window still counts as open.';

CREATE OR REPLACE VIEW bcce.mttr_breakdown WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.severity,
    x.service_id,
    x.service_name,
    x.mttr_basis,
    x.incident_count,
    x.avg_mttr_minutes,
    x.median_mttr_minutes,
    x.p95_mttr_minutes,
    x.recovered_count,
    x.open_count,
    x.invalid_count,
    x.fallback_count,
    x.derived_count,
    x.oldest_open_minutes,
    x.mtta_minutes,
    x.mttd_minutes,
    x.median_mttr_incl_open_minutes,
    x.p95_mttr_incl_open_minutes,
    x.mtta_incl_open_minutes,
    x.censoring_warning,
    x.median_mttr_incl_open_low_minutes,
    x.median_mttr_incl_open_high_minutes,
    x.avg_mttr_incl_open_minutes,
    x.avg_mttr_incl_open_limit_minutes,
    x.avg_mttr_business_minutes,
    x.mtbf_hours,
    x.availability_percent
FROM bcce.mttr_breakdown(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.mttr_breakdown IS 'Where does recovery take long? One row per visible tenant, severity, service and basis with an incident. For a period use the function of this name.';
COMMENT ON COLUMN bcce.mttr_breakdown.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.mttr_breakdown.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.mttr_breakdown.severity IS 'sev1 (worst) to sev4; unclassified where the sender gave none, and for failure episodes';
COMMENT ON COLUMN bcce.mttr_breakdown.service_id IS 'service of the incident or episode; NULL: none named';
COMMENT ON COLUMN bcce.mttr_breakdown.service_name IS 'display name of the service; NULL: it was never declared';
COMMENT ON COLUMN bcce.mttr_breakdown.mttr_basis IS 'declared, or derived (failure episodes of workflows, from the first failed run to the next success)';
COMMENT ON COLUMN bcce.mttr_breakdown.incident_count IS 'incidents that began: recovered, open and invalid';
COMMENT ON COLUMN bcce.mttr_breakdown.avg_mttr_minutes IS 'mean recovery time of the recovered incidents, minutes, from the start of impact to recovery; several spans of impact count by their union';
COMMENT ON COLUMN bcce.mttr_breakdown.median_mttr_minutes IS 'median recovery time of the recovered incidents, minutes';
COMMENT ON COLUMN bcce.mttr_breakdown.p95_mttr_minutes IS '95th percentile of the recovery time of the recovered incidents, minutes';
COMMENT ON COLUMN bcce.mttr_breakdown.recovered_count IS 'incidents that are over';
COMMENT ON COLUMN bcce.mttr_breakdown.open_count IS 'incidents that are not over: they are in none of the times above, only in those with incl_open in their name';
COMMENT ON COLUMN bcce.mttr_breakdown.invalid_count IS 'incidents that end before they begin or more than five minutes in the future: left out of the times';
COMMENT ON COLUMN bcce.mttr_breakdown.fallback_count IS 'recovered incidents for which nothing but the closing time is known';
COMMENT ON COLUMN bcce.mttr_breakdown.derived_count IS 'incidents that are failure episodes of workflows';
COMMENT ON COLUMN bcce.mttr_breakdown.oldest_open_minutes IS 'age of the oldest open incident, minutes; NULL: none is open';
COMMENT ON COLUMN bcce.mttr_breakdown.mtta_minutes IS 'mean time to acknowledge, minutes, from detection (else opening); acknowledged declared incidents only';
COMMENT ON COLUMN bcce.mttr_breakdown.mttd_minutes IS 'mean time to detect, minutes, from the start of impact; declared incidents with both times only';
COMMENT ON COLUMN bcce.mttr_breakdown.median_mttr_incl_open_minutes IS 'median recovery time with the open incidents included, minutes: the smallest time by which half have recovered, open ones counted as lasting at least their age (Kaplan-Meier); one of the recovery times, where median_mttr_minutes may lie between two; NULL: too many are still open to tell';
COMMENT ON COLUMN bcce.mttr_breakdown.p95_mttr_incl_open_minutes IS '95th percentile of the recovery time with the open incidents included, minutes, in the same way; NULL: too many are still open to tell';
COMMENT ON COLUMN bcce.mttr_breakdown.mtta_incl_open_minutes IS 'mean time to acknowledge with the unacknowledged incidents included, minutes, no wait counted for longer than the longest so far (restricted Kaplan-Meier mean); one that was over without being acknowledged waited until then; NULL: none acknowledged';
COMMENT ON COLUMN bcce.mttr_breakdown.censoring_warning IS 'true when open incidents make median_mttr_minutes too good to be believed: it is under 80 percent of the median with the open ones, or that is not known';
COMMENT ON COLUMN bcce.mttr_breakdown.median_mttr_incl_open_low_minutes IS 'lower bound of the 95 percent interval of median_mttr_incl_open_minutes, minutes (log-log); NULL: under five recovered';
COMMENT ON COLUMN bcce.mttr_breakdown.median_mttr_incl_open_high_minutes IS 'upper bound of the 95 percent interval of median_mttr_incl_open_minutes, minutes (log-log); NULL: under five recovered, or not known how long it may be';
COMMENT ON COLUMN bcce.mttr_breakdown.avg_mttr_incl_open_minutes IS 'mean recovery time with the open incidents included, minutes, none counted for longer than avg_mttr_incl_open_limit_minutes (restricted Kaplan-Meier mean); NULL: none recovered';
COMMENT ON COLUMN bcce.mttr_breakdown.avg_mttr_incl_open_limit_minutes IS 'longest recovery time or age of an open incident, minutes: the limit of avg_mttr_incl_open_minutes; two means compare only where the limits do';
COMMENT ON COLUMN bcce.mttr_breakdown.avg_mttr_business_minutes IS 'mean recovery time of the recovered incidents within the tenant''s business hours (set_business_hours, without its holidays), minutes; NULL: it has none, or none recovered';
COMMENT ON COLUMN bcce.mttr_breakdown.mtbf_hours IS 'mean time between failures, hours: observed time of the tenant without impact of its declared incidents of this severity and service, divided by the impacts that began; NULL: none began, or the row is of failure episodes';
COMMENT ON COLUMN bcce.mttr_breakdown.availability_percent IS 'percent of the observed time of the tenant without impact of a declared incident of this severity and service, four decimals; NULL: the row is of failure episodes';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '26_mttr_by_month', $bcce_module$
-- mttr_by_month: how recovery develops, one row per tenant and local month.
CREATE OR REPLACE FUNCTION bcce.mttr_by_month(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    period_start_at timestamptz,
    month date,
    mttr_basis text,
    incident_count bigint,
    avg_mttr_minutes double precision,
    median_mttr_minutes double precision,
    p95_mttr_minutes double precision,
    recovered_count bigint,
    open_count bigint,
    invalid_count bigint,
    fallback_count bigint,
    derived_count bigint,
    oldest_open_minutes double precision,
    mtta_minutes double precision,
    mttd_minutes double precision,
    median_mttr_incl_open_minutes double precision,
    p95_mttr_incl_open_minutes double precision,
    mtta_incl_open_minutes double precision,
    censoring_warning boolean
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        m.tenant_id,
        m.tenant_name,
        first_day.starts_at,
        m.month,
        m.basis,
        m.total,
        m.mean,
        m.median,
        m.p95,
        m.recovered,
        m.still_open,
        m.invalid,
        m.fallback,
        m.derived,
        extract(epoch FROM (SELECT least(until, bcce.report_now()))
            - least(m.oldest_open_at, (SELECT least(until, bcce.report_now()))))::double precision
            / CASE WHEN m.oldest_open_at IS NOT NULL THEN 60 END,
        m.acknowledge_minutes,
        m.detect_minutes,
        m.median_incl_open,
        m.p95_incl_open,
        m.acknowledge_incl_open,
        m.still_open > 0 AND m.median IS NOT NULL AND (m.median_incl_open IS NULL OR m.median < 0.8 * m.median_incl_open)
    FROM (
        SELECT
            b.tenant_id,
            b.tenant_name,
            b.timezone,
            b.basis,
            date_trunc('month', local.day::timestamp)::date AS month,
            count(*) AS total,
            avg(i.recovery_minutes) AS mean,
            bcce.median(i.recovery_minutes) AS median,
            bcce.percentile_exact(i.recovery_minutes, 0.95) AS p95,
            count(*) FILTER (WHERE i.state = 'recovered') AS recovered,
            count(*) FILTER (WHERE i.state = 'open') AS still_open,
            count(*) FILTER (WHERE i.state = 'invalid') AS invalid,
            count(*) FILTER (WHERE i.state = 'recovered' AND i.is_fallback) AS fallback,
            count(*) FILTER (WHERE i.is_derived) AS derived,
            min(i.started_at) FILTER (WHERE i.state = 'open') AS oldest_open_at,
            avg(i.acknowledge_minutes) AS acknowledge_minutes,
            avg(i.detect_minutes) AS detect_minutes,
            bcce.km_quantile(coalesce(i.recovery_minutes, i.open_minutes), i.state = 'recovered', 0.5) AS median_incl_open,
            bcce.km_quantile(coalesce(i.recovery_minutes, i.open_minutes), i.state = 'recovered', 0.95) AS p95_incl_open,
            CASE WHEN count(i.acknowledge_minutes) > 0 THEN
                bcce.km_mean(coalesce(i.acknowledge_minutes, i.unacknowledged_minutes), i.acknowledge_minutes IS NOT NULL) END AS acknowledge_incl_open
        FROM bcce_data.mttr_basis() b
        JOIN bcce_data.mttr_incidents(since, until) i ON i.tenant_id = b.tenant_id
        CROSS JOIN LATERAL bcce_data.local_date(i.started_at, b.timezone) local
        WHERE isfinite(i.started_at)
        GROUP BY b.tenant_id, b.tenant_name, b.timezone, b.basis, date_trunc('month', local.day::timestamp)::date
    ) m
    CROSS JOIN LATERAL bcce_data.local_midnight(m.month, m.timezone) first_day;
END;
COMMENT ON FUNCTION bcce.mttr_by_month(timestamptz, timestamptz) IS 'How long does recovery take, month by month, for incidents that began between since (inclusive) and until (exclusive)? NULL leaves an end open. Same columns as the view of this name; what ended after the window still counts as open.';

CREATE OR REPLACE VIEW bcce.mttr_by_month WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.period_start_at,
    x.month,
    x.mttr_basis,
    x.incident_count,
    x.avg_mttr_minutes,
    x.median_mttr_minutes,
    x.p95_mttr_minutes,
    x.recovered_count,
    x.open_count,
    x.invalid_count,
    x.fallback_count,
    x.derived_count,
    x.oldest_open_minutes,
    x.mtta_minutes,
    x.mttd_minutes,
    x.median_mttr_incl_open_minutes,
    x.p95_mttr_incl_open_minutes,
    x.mtta_incl_open_minutes,
    x.censoring_warning
FROM bcce.mttr_by_month(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.mttr_by_month IS 'How does the time to recover (MTTR) develop from month to month? One row per visible tenant and month of its zone in which an incident began. For a period use the function of this name.';
COMMENT ON COLUMN bcce.mttr_by_month.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.mttr_by_month.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.mttr_by_month.period_start_at IS 'first instant of the month in the tenant''s zone';
COMMENT ON COLUMN bcce.mttr_by_month.month IS 'first day of the month in which the impact began';
COMMENT ON COLUMN bcce.mttr_by_month.mttr_basis IS 'which incidents count: declared, derived (failure episodes of workflows, from the first failed run to the next success), or both; the tenant''s setting, auto resolved';
COMMENT ON COLUMN bcce.mttr_by_month.incident_count IS 'incidents that began: recovered, open and invalid';
COMMENT ON COLUMN bcce.mttr_by_month.avg_mttr_minutes IS 'mean recovery time of the recovered incidents, minutes, from the start of impact to recovery; several spans of impact count by their union';
COMMENT ON COLUMN bcce.mttr_by_month.median_mttr_minutes IS 'median recovery time of the recovered incidents, minutes';
COMMENT ON COLUMN bcce.mttr_by_month.p95_mttr_minutes IS '95th percentile of the recovery time of the recovered incidents, minutes';
COMMENT ON COLUMN bcce.mttr_by_month.recovered_count IS 'incidents that are over';
COMMENT ON COLUMN bcce.mttr_by_month.open_count IS 'incidents that are not over: they are in none of the times above, only in those with incl_open in their name';
COMMENT ON COLUMN bcce.mttr_by_month.invalid_count IS 'incidents that end before they begin or more than five minutes in the future: left out of the times';
COMMENT ON COLUMN bcce.mttr_by_month.fallback_count IS 'recovered incidents for which nothing but the closing time is known';
COMMENT ON COLUMN bcce.mttr_by_month.derived_count IS 'incidents that are failure episodes of workflows';
COMMENT ON COLUMN bcce.mttr_by_month.oldest_open_minutes IS 'age of the oldest open incident of the month, minutes; NULL: none is open';
COMMENT ON COLUMN bcce.mttr_by_month.mtta_minutes IS 'mean time to acknowledge, minutes, from detection (else opening); acknowledged declared incidents only';
COMMENT ON COLUMN bcce.mttr_by_month.mttd_minutes IS 'mean time to detect, minutes, from the start of impact; declared incidents with both times only';
COMMENT ON COLUMN bcce.mttr_by_month.median_mttr_incl_open_minutes IS 'median recovery time with the open incidents included, minutes: the smallest time by which half have recovered, open ones counted as lasting at least their age (Kaplan-Meier); one of the recovery times, where median_mttr_minutes may lie between two; NULL: too many are still open to tell';
COMMENT ON COLUMN bcce.mttr_by_month.p95_mttr_incl_open_minutes IS '95th percentile of the recovery time with the open incidents included, minutes, in the same way; NULL: too many are still open to tell';
COMMENT ON COLUMN bcce.mttr_by_month.mtta_incl_open_minutes IS 'mean time to acknowledge with the unacknowledged incidents included, minutes, no wait counted for longer than the longest so far (restricted Kaplan-Meier mean); one that was over without being acknowledged waited until then; NULL: none acknowledged';
COMMENT ON COLUMN bcce.mttr_by_month.censoring_warning IS 'true when open incidents make median_mttr_minutes too good to be believed: it is under 80 percent of the median with the open ones, or that is not known';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '26_prediction_accuracy_by_week', $bcce_module$
-- prediction_accuracy_by_week: the same as prediction_accuracy over time.
CREATE OR REPLACE FUNCTION bcce.prediction_accuracy_by_week(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    model_name text,
    model_version text,
    period_start_at timestamptz,
    week date,
    total_predictions bigint,
    labelled_count bigint,
    pending_count bigint,
    unlabelable_count bigint,
    superseded_count bigint,
    late_count bigint,
    threshold double precision,
    true_positives bigint,
    false_positives bigint,
    true_negatives bigint,
    false_negatives bigint,
    accuracy_percent numeric,
    precision_percent numeric,
    recall_percent numeric,
    specificity_percent numeric,
    f1_score double precision,
    mcc double precision,
    brier_score double precision,
    brier_skill_score double precision,
    log_loss double precision,
    auc double precision,
    ece double precision,
    mce double precision,
    mean_predicted double precision,
    base_rate_percent numeric,
    calibration_ratio double precision,
    median_label_delay_minutes double precision,
    median_lead_time_minutes double precision,
    accuracy_low_percent numeric,
    accuracy_high_percent numeric
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        s.tenant_id,
        s.tenant_name,
        s.model_name,
        s.model_version,
        monday.starts_at,
        s.week,
        s.total_predictions,
        s.labelled_count,
        s.pending_count,
        s.unlabelable_count,
        s.superseded_count,
        s.late_count,
        s.threshold,
        s.true_positives,
        s.false_positives,
        s.true_negatives,
        s.false_negatives,
        s.accuracy_percent,
        s.precision_percent,
        s.recall_percent,
        s.specificity_percent,
        s.f1_score,
        s.mcc,
        s.brier_score,
        s.brier_skill_score,
        s.log_loss,
        s.auc,
        s.ece,
        s.mce,
        s.mean_predicted,
        s.base_rate_percent,
        s.calibration_ratio,
        s.median_label_delay_minutes,
        s.median_lead_time_minutes,
        s.accuracy_low_percent,
        s.accuracy_high_percent
    FROM bcce_data.prediction_scores(since, until, true) s
    JOIN bcce_data.tenants t ON t.tenant_id = s.tenant_id
    CROSS JOIN LATERAL bcce_data.local_midnight(s.week, t.timezone) monday;
END;
COMMENT ON FUNCTION bcce.prediction_accuracy_by_week(timestamptz, timestamptz) IS 'How good were the predictions made between since (inclusive) and until (exclusive), week by week? NULL leaves an end open. Same columns as the view of this name; what became known after the window is still pending.';

CREATE OR REPLACE VIEW bcce.prediction_accuracy_by_week WITH (security_invoker = true) AS
SELECT
    a.tenant_id,
    a.tenant_name,
    a.model_name,
    a.model_version,
    a.period_start_at,
    a.week,
    a.total_predictions,
    a.labelled_count,
    a.pending_count,
    a.unlabelable_count,
    a.superseded_count,
    a.late_count,
    a.threshold,
    a.true_positives,
    a.false_positives,
    a.true_negatives,
    a.false_negatives,
    a.accuracy_percent,
    a.precision_percent,
    a.recall_percent,
    a.specificity_percent,
    a.f1_score,
    a.mcc,
    a.brier_score,
    a.brier_skill_score,
    a.log_loss,
    a.auc,
    a.ece,
    a.mce,
    a.mean_predicted,
    a.base_rate_percent,
    a.calibration_ratio,
    a.median_label_delay_minutes,
    a.median_lead_time_minutes,
    a.accuracy_low_percent,
    a.accuracy_high_percent
FROM bcce.prediction_accuracy_by_week(NULL::timestamptz, NULL::timestamptz) a;
COMMENT ON VIEW bcce.prediction_accuracy_by_week IS 'How does the quality of the failure predictions develop? One row per visible tenant, model, version and ISO week of the tenant''s zone with a prediction. For a period use the function of this name.';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.model_name IS 'model';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.model_version IS 'version of the model; empty where senders give none';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.period_start_at IS 'first instant of the week, which begins on Monday in the tenant''s zone';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.week IS 'Monday of the week in which the prediction was made';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.total_predictions IS 'predictions made: labelled, pending, unlabelable, superseded and late';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.labelled_count IS 'predictions whose outcome is known: all the scores are about these';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.pending_count IS 'predictions whose run is not over, whose horizon is not over, or whose outcome was not reported yet';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.unlabelable_count IS 'predictions whose run was cancelled or skipped, or whose service sent nothing during the horizon';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.superseded_count IS 'predictions that a later one of the model about the same target replaced';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.late_count IS 'predictions made after their run started';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.threshold IS 'probability at or above which a prediction counts as failure predicted, 0 to 1';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.true_positives IS 'failure predicted, and it failed';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.false_positives IS 'failure predicted, but it did not fail';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.true_negatives IS 'no failure predicted, and it did not fail';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.false_negatives IS 'no failure predicted, but it failed';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.accuracy_percent IS 'percent of the labelled predictions that were right, one decimal';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.precision_percent IS 'percent of the predicted failures that came, one decimal; NULL: none was predicted';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.recall_percent IS 'percent of the failures that were predicted, one decimal; NULL: there were none';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.specificity_percent IS 'percent of what did not fail that was predicted so, one decimal; NULL: everything failed';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.f1_score IS 'harmonic mean of precision and recall, 0 to 1';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.mcc IS 'Matthews correlation coefficient, -1 to 1; NULL: only one class predicted or seen';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.brier_score IS 'mean squared distance of probability and outcome, 0 (best) to 1';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.brier_skill_score IS 'part of the Brier score of always saying the base rate that the model saves; 1 is best, below 0 worse than that; NULL: only one class seen';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.log_loss IS 'mean negative natural logarithm of the probability given to what happened, probabilities clipped to 1e-15 from 0 and 1';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.auc IS 'probability that a failure got a higher probability than a non-failure (area under the ROC curve), ties one half; NULL: only one class seen';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.ece IS 'expected calibration error, 0 to 1: mean distance of predicted and observed rate over ten bins of equal width, weighted by count';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.mce IS 'largest such distance in one bin, 0 to 1';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.mean_predicted IS 'mean predicted probability, 0 to 1';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.base_rate_percent IS 'percent of the labelled predictions whose target failed, one decimal';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.calibration_ratio IS 'failures expected divided by failures observed; NULL: none observed';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.median_label_delay_minutes IS 'median time from a prediction to the knowledge of its outcome, minutes';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.median_lead_time_minutes IS 'median time from a prediction to the failure, minutes, true positives only';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.accuracy_low_percent IS 'lower end of the accuracy''s 95 % confidence interval (Wilson), percent';
COMMENT ON COLUMN bcce.prediction_accuracy_by_week.accuracy_high_percent IS 'upper end of the accuracy''s 95 % confidence interval (Wilson), percent';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '26_prediction_drift', $bcce_module$
-- prediction_drift: whether probabilities are still distributed as in a reference, one row per tenant, model and version.
CREATE OR REPLACE FUNCTION bcce.prediction_drift(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    model_name text,
    model_version text,
    reference_from timestamptz,
    reference_to timestamptz,
    reference_count bigint,
    recent_count bigint,
    psi double precision,
    ks double precision,
    no_data_reason text,
    pending_count bigint,
    ece double precision,
    estimated_accuracy_pending_percent numeric
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        s.tenant_id,
        s.tenant_name,
        s.model_name,
        s.model_version,
        m.reference_from,
        m.reference_to,
        d.reference_count,
        d.recent_count,
        d.psi,
        CASE WHEN reason.text IS NULL THEN d.ks END,
        reason.text,
        s.pending_count,
        s.ece,
        s.estimated_accuracy_pending_percent
    FROM bcce_data.prediction_scores(since, until, false) s
    LEFT JOIN bcce_data.models m ON m.tenant_id = s.tenant_id AND m.model_name = s.model_name AND m.model_version = s.model_version
    -- A prediction may be in both samples, so each is read by itself.
    CROSS JOIN LATERAL (
        SELECT
            count(*) FILTER (WHERE x.is_reference) AS reference_count,
            count(*) FILTER (WHERE NOT x.is_reference) AS recent_count,
            bcce.psi(x.p, x.is_reference) AS psi,
            bcce.ks(x.p, x.is_reference) AS ks
        FROM (
            SELECT p.failure_probability AS p, true AS is_reference
            FROM bcce_data.predictions p
            WHERE p.tenant_id = s.tenant_id AND p.model_name = s.model_name AND p.model_version = s.model_version AND NOT p.is_test
              AND p.predicted_at >= m.reference_from AND p.predicted_at < m.reference_to
              AND p.predicted_at < (SELECT least(until, bcce.report_now()))
            UNION ALL
            SELECT p.failure_probability, false
            FROM bcce_data.predictions p
            WHERE p.tenant_id = s.tenant_id AND p.model_name = s.model_name AND p.model_version = s.model_version AND NOT p.is_test
              AND p.predicted_at >= (SELECT least(until, bcce.report_now()) - interval '168 hours')
              AND p.predicted_at < (SELECT least(until, bcce.report_now()))
        ) x
    ) d
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN m.reference_from IS NULL OR m.reference_to IS NULL THEN 'the model has no reference'
            WHEN d.reference_count < 50 THEN 'under 50 predictions in the reference'
            WHEN d.recent_count < 50 THEN 'under 50 predictions in the last 7 days'
        END AS text
    ) reason;
END;
COMMENT ON FUNCTION bcce.prediction_drift(timestamptz, timestamptz) IS 'Have the predictions drifted from a reference in the 7 days before until? NULL leaves an end open; the 7 days end at until or now, whatever since; pending predictions and their estimate are those made from since (inclusive) to until (exclusive). Same columns as the view of this name.';

CREATE OR REPLACE VIEW bcce.prediction_drift WITH (security_invoker = true) AS
SELECT
    a.tenant_id,
    a.tenant_name,
    a.model_name,
    a.model_version,
    a.reference_from,
    a.reference_to,
    a.reference_count,
    a.recent_count,
    a.psi,
    a.ks,
    a.no_data_reason,
    a.pending_count,
    a.ece,
    a.estimated_accuracy_pending_percent
FROM bcce.prediction_drift(NULL::timestamptz, NULL::timestamptz) a;
COMMENT ON VIEW bcce.prediction_drift IS 'Do models still predict as they used to: have their probabilities drifted from a reference? One row per visible tenant, model and version. The last 7 days against the time set by set_prediction_reference(), and what may be expected of the predictions without outcome.';
COMMENT ON COLUMN bcce.prediction_drift.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.prediction_drift.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.prediction_drift.model_name IS 'model';
COMMENT ON COLUMN bcce.prediction_drift.model_version IS 'version of the model; empty where senders give none';
COMMENT ON COLUMN bcce.prediction_drift.reference_from IS 'start of the time that the model is compared with; NULL: none was set by set_prediction_reference()';
COMMENT ON COLUMN bcce.prediction_drift.reference_to IS 'end of that time, which is not in it';
COMMENT ON COLUMN bcce.prediction_drift.reference_count IS 'predictions made in that time';
COMMENT ON COLUMN bcce.prediction_drift.recent_count IS 'predictions made in the last 7 days, up to the end of the window';
COMMENT ON COLUMN bcce.prediction_drift.psi IS 'population stability index of the probabilities of the last 7 days against those of the reference, over its deciles; above 0.25 is usually called a shift; an empty cell counts as half a prediction; NULL: see no_data_reason';
COMMENT ON COLUMN bcce.prediction_drift.ks IS 'largest distance of their distribution functions, 0 to 1 (Kolmogorov-Smirnov); NULL as psi';
COMMENT ON COLUMN bcce.prediction_drift.no_data_reason IS 'why psi and ks are NULL; NULL: they are not';
COMMENT ON COLUMN bcce.prediction_drift.pending_count IS 'predictions in the window whose outcome is not known yet';
COMMENT ON COLUMN bcce.prediction_drift.ece IS 'expected calibration error of the labelled predictions in the window, 0 to 1, as in prediction_accuracy';
COMMENT ON COLUMN bcce.prediction_drift.estimated_accuracy_pending_percent IS 'percent of the pending predictions that will prove right if probabilities mean what they say: mean of the probability of what was predicted, one decimal; an estimate, in no accuracy; NULL: none is pending, or ece is not below 0.05';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '26_service_health_by_hour', $bcce_module$
-- service_health_by_hour: how services were, one row per tenant, service and hour.
CREATE OR REPLACE FUNCTION bcce.service_health_by_hour(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    service_id text,
    service_name text,
    period_start_at timestamptz,
    sample_count bigint,
    request_count bigint,
    error_count bigint,
    error_rate_percent numeric,
    p50_latency_ms double precision,
    p95_latency_ms double precision,
    p99_latency_ms double precision,
    throughput_rps double precision,
    cpu_percent double precision,
    memory_percent double precision,
    storage_percent double precision,
    network_percent double precision
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        h.service_id,
        h.service_name,
        c.starts_at,
        h.samples,
        h.requests,
        h.errors,
        h.error_rate_percent,
        h.p50,
        h.p95,
        h.p99,
        h.throughput,
        h.cpu,
        h.memory,
        h.storage,
        h.network
    FROM bcce_data.tenants t
    CROSS JOIN LATERAL bcce_data.fact_ends(t.tenant_id, since, until) seen
    CROSS JOIN LATERAL (SELECT least(seen.last_metric_at, (SELECT least(until, bcce.report_now()))) AS last_at) e
    CROSS JOIN LATERAL bcce_data.local_hours(seen.first_metric_at, e.last_at, t.timezone) c
    CROSS JOIN LATERAL (
        SELECT
            m.service_id,
            s.service_name,
            count(*) AS samples,
            coalesce(sum(m.request_count), 0)::bigint AS requests,
            coalesce(sum(m.error_count), 0)::bigint AS errors,
            round(100.0 * sum(m.error_count) FILTER (WHERE m.request_count IS NOT NULL)
                / nullif(sum(m.request_count) FILTER (WHERE m.error_count IS NOT NULL), 0), 4) AS error_rate_percent,
            coalesce(bcce.approx_percentile(bcce.rollup(bcce.sketch_from_bytes(m.latency_digest)), 0.5), avg(m.p50_latency_ms)) AS p50,
            coalesce(bcce.approx_percentile(bcce.rollup(bcce.sketch_from_bytes(m.latency_digest)), 0.95), avg(m.p95_latency_ms)) AS p95,
            coalesce(bcce.approx_percentile(bcce.rollup(bcce.sketch_from_bytes(m.latency_digest)), 0.99), avg(m.p99_latency_ms)) AS p99,
            -- As in service_health_dashboard: equal lengths give the plain mean, an
            -- unknown length counts as a mean one.
            CASE WHEN min(length.s) FILTER (WHERE m.throughput_rps IS NOT NULL)
                      < max(length.s) FILTER (WHERE m.throughput_rps IS NOT NULL) THEN
                (sum(m.throughput_rps * length.s)
                    + coalesce(avg(length.s) FILTER (WHERE m.throughput_rps IS NOT NULL)
                               * sum(m.throughput_rps) FILTER (WHERE length.s IS NULL), 0))
                / (avg(length.s) FILTER (WHERE m.throughput_rps IS NOT NULL) * count(m.throughput_rps))
            ELSE avg(m.throughput_rps) END AS throughput,
            avg(m.cpu_percent) AS cpu,
            avg(m.memory_percent) AS memory,
            avg(m.storage_percent) AS storage,
            avg(m.network_percent) AS network
        FROM bcce_data.performance_metrics m
        LEFT JOIN bcce_data.services s ON s.tenant_id = m.tenant_id AND s.service_id = m.service_id
        CROSS JOIN LATERAL bcce_data.local_hour(m.observed_at, t.timezone) hour
        CROSS JOIN LATERAL (
            SELECT coalesce(m.window_seconds, s.expected_interval_seconds) AS s
        ) length
        WHERE m.tenant_id = t.tenant_id
          AND NOT m.is_test
          AND m.observed_at >= c.starts_at
          AND m.observed_at < c.ends_at
          AND (c.is_whole OR hour.starts_at = c.starts_at)
          AND m.observed_at >= coalesce(since, '-infinity')
          AND m.observed_at < coalesce(until, 'infinity')
          AND m.observed_at <= (SELECT least(until, bcce.report_now()))
        GROUP BY m.service_id, s.service_name
    ) h
    WHERE t.deleted_at IS NULL;
END;
COMMENT ON FUNCTION bcce.service_health_by_hour(timestamptz, timestamptz) IS 'How were services hour by hour, by the samples between since (inclusive) and until (exclusive)? NULL leaves an end open. Same columns as the view of this name.';

CREATE OR REPLACE VIEW bcce.service_health_by_hour WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.service_id,
    x.service_name,
    x.period_start_at,
    x.sample_count,
    x.request_count,
    x.error_count,
    x.error_rate_percent,
    x.p50_latency_ms,
    x.p95_latency_ms,
    x.p99_latency_ms,
    x.throughput_rps,
    x.cpu_percent,
    x.memory_percent,
    x.storage_percent,
    x.network_percent
FROM bcce.service_health_by_hour(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.service_health_by_hour IS 'How did each service fare, hour by hour: error rate, latency, load? One row per visible tenant, service and hour of the tenant''s clock with a sample. For a period use the function of this name.';
COMMENT ON COLUMN bcce.service_health_by_hour.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.service_health_by_hour.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.service_health_by_hour.service_id IS 'service';
COMMENT ON COLUMN bcce.service_health_by_hour.service_name IS 'display name of the service; NULL: it was never declared';
COMMENT ON COLUMN bcce.service_health_by_hour.period_start_at IS 'start of the hour by the clock of the tenant''s zone; a repeated hour is two';
COMMENT ON COLUMN bcce.service_health_by_hour.sample_count IS 'metric samples of the hour';
COMMENT ON COLUMN bcce.service_health_by_hour.request_count IS 'requests';
COMMENT ON COLUMN bcce.service_health_by_hour.error_count IS 'requests that failed';
COMMENT ON COLUMN bcce.service_health_by_hour.error_rate_percent IS 'percent of the requests that failed, four decimals, over samples with both counts; NULL: no requests';
COMMENT ON COLUMN bcce.service_health_by_hour.p50_latency_ms IS 'median latency, milliseconds: of the merged digests of the samples, else the mean of their medians';
COMMENT ON COLUMN bcce.service_health_by_hour.p95_latency_ms IS '95th percentile of latency, milliseconds: of the merged digests of the samples, else the mean of theirs';
COMMENT ON COLUMN bcce.service_health_by_hour.p99_latency_ms IS '99th percentile of latency, milliseconds: of the merged digests of the samples, else the mean of theirs';
COMMENT ON COLUMN bcce.service_health_by_hour.throughput_rps IS 'requests per second, mean weighted by the length of the samples';
COMMENT ON COLUMN bcce.service_health_by_hour.cpu_percent IS 'mean CPU use, percent';
COMMENT ON COLUMN bcce.service_health_by_hour.memory_percent IS 'mean memory use, percent';
COMMENT ON COLUMN bcce.service_health_by_hour.storage_percent IS 'mean storage use, percent';
COMMENT ON COLUMN bcce.service_health_by_hour.network_percent IS 'mean network use, percent';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '27_budgets', $bcce_module$
-- Budgets: what of them is spent, and what will be by the end of their period.
--
-- The calls that a budget is about; NULL asks nothing.  A class of tokens that a
-- call does not tell of is NULL.
CREATE OR REPLACE FUNCTION bcce_data.budget_calls(
    tenant uuid, team text, person text, in_project text, model text, workflow text, since timestamptz, until timestamptz)
RETURNS TABLE (
    at timestamptz,
    usd numeric,
    input_tokens bigint,
    output_tokens bigint,
    cache_read_tokens bigint,
    cache_write_5m_tokens bigint,
    cache_write_1h_tokens bigint,
    web_searches bigint
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        u.at,
        coalesce(u.reported_cost_usd, u.charged_usd, bcce.estimate_token_cost(u.model_id, u.at, u.input_tokens, u.output_tokens,
            u.cache_read_tokens, u.cache_write_5m_tokens, u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier, u.tenant_id)),
        u.input_tokens,
        u.output_tokens,
        u.cache_read_tokens,
        u.cache_write_5m_tokens,
        u.cache_write_1h_tokens,
        u.web_searches
    FROM bcce_data.model_usage u
    WHERE u.tenant_id = tenant AND u.at >= since AND u.at < until AND NOT u.is_test
      AND (person IS NULL OR u.user_key = person)
      AND (in_project IS NULL OR u.project = in_project)
      AND (model IS NULL OR u.model_id = model)
      AND (team IS NULL OR team = coalesce(u.team_id, (
          SELECT p.team_id FROM bcce_data.principals p WHERE p.tenant_id = u.tenant_id AND p.user_key = u.user_key)))
      AND (workflow IS NULL OR workflow = (
          SELECT r.workflow_id
          FROM bcce_data.workflow_run_keys k
          JOIN bcce_data.workflow_runs r ON r.tenant_id = k.tenant_id AND r.run_id = k.run_id AND r.started_at = k.started_at
          WHERE k.tenant_id = u.tenant_id AND k.run_id = u.run_id));
END;
COMMENT ON FUNCTION bcce_data.budget_calls(uuid, text, text, text, text, text, timestamptz, timestamptz) IS 'Model calls of a tenant between since (inclusive) and until (exclusive), of the team, person, project, model and workflow that are not NULL, with their cost in US dollars as cost_units has it; NULL: unknown.';

-- Remaining days go on as their weekdays did over the last four weeks.  The band
-- comes from the errors that the same rule, looking as far ahead, would have made
-- on the days past; where those are too few, from how days scatter about the mean
-- of their weekday, as if they were independent.
CREATE OR REPLACE FUNCTION bcce_data.cost_forecast(daily numeric[], ahead integer) RETURNS numeric[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    days integer := coalesce(cardinality(daily), 0);
    skip integer := 0;
    weeks integer;
    total numeric[] := '[0:0]={0}';     -- spent by the end of each day
    errors numeric[] := '{}';
    guess numeric;
    spread numeric;
BEGIN
    WHILE skip < days AND coalesce(daily[skip + 1], 0) = 0 LOOP
        skip := skip + 1;
    END LOOP;
    days := days - skip;
    IF days < 2 OR ahead IS NULL OR ahead < 1 THEN
        RETURN NULL;
    END IF;
    FOR n IN 1 .. days LOOP
        total[n] := total[n - 1] + coalesce(daily[skip + n], 0);
    END LOOP;

    IF days < 14 THEN
        guess := total[days] * ahead / days;
        SELECT stddev_samp(coalesce(d, 0)) INTO spread FROM unnest(daily[skip + 1:]) AS d;
        spread := 1.2816 * spread * sqrt(ahead + ahead::numeric * ahead / days);
        RETURN ARRAY[guess, greatest(guess - spread, 0), guess + spread, 1];
    END IF;

    weeks := least(4, days / 7);
    FOR origin IN 7 * weeks .. days LOOP
        CONTINUE WHEN origin + ahead > days AND origin < days;
        guess := (ahead / 7) * (total[origin] - total[origin - 7 * weeks]);
        FOR week IN 1 .. weeks LOOP
            guess := guess + total[origin - 7 * week + ahead % 7] - total[origin - 7 * week];
        END LOOP;
        guess := guess / weeks;
        IF origin + ahead <= days THEN
            errors := errors || (total[origin + ahead] - total[origin] - guess);
        END IF;
    END LOOP;
    IF cardinality(errors) >= 20 THEN
        RETURN (SELECT ARRAY[guess, greatest(guess + percentile_disc(0.1) WITHIN GROUP (ORDER BY e), 0),
                             greatest(guess + percentile_disc(0.9) WITHIN GROUP (ORDER BY e), 0), 3] FROM unnest(errors) AS e);
    END IF;
    SELECT sqrt(sum((x.usd - x.mean) ^ 2) / (7 * weeks - 7)) INTO spread
    FROM (SELECT d.usd, avg(d.usd) OVER (PARTITION BY d.n % 7) AS mean
          FROM (SELECT total[n] - total[n - 1] AS usd, n FROM generate_series(days - 7 * weeks + 1, days) AS n) d) x;
    spread := 1.2816 * spread * sqrt(ahead * (1 + 1.0 / weeks));
    RETURN ARRAY[guess, greatest(guess - spread, 0), guess + spread, 2];
END
$body$;
COMMENT ON FUNCTION bcce_data.cost_forecast(numeric[], integer) IS 'What the days ahead will cost, from the cost of the complete days before, oldest first: the expected sum, the ends of a band for 8 cases of 10, and how: 1 linear (under 14 days), 2 weekday mean with the scatter of days, 3 weekday mean with its own past errors. NULL: under two days since the first cost.';

CREATE OR REPLACE FUNCTION bcce.budget_status(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    budget text,
    period_start_at timestamptz,
    period_end_at timestamptz,
    period text,
    is_open boolean,
    team_id text,
    user_key text,
    project text,
    model_id text,
    workflow_id text,
    limit_usd numeric,
    spent_usd numeric,
    spent_percent numeric,
    forecast_usd numeric,
    forecast_low_usd numeric,
    forecast_high_usd numeric,
    forecast_method text,
    exhausts_at timestamptz,
    state text,
    call_count bigint,
    unpriced_calls bigint,
    unpriced_share_percent numeric,
    is_lower_bound boolean,
    mode text,
    currency text
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        b.budget,
        p.starts_at,
        p.ends_at,
        b.period,
        p.is_open,
        b.team_id,
        b.user_key,
        b.project,
        b.model_id,
        b.workflow_id,
        b.amount_usd,
        s.usd,
        round(100 * s.usd / b.amount_usd, 1),
        CASE WHEN f.expected IS NOT NULL THEN round(greatest(s.usd, s.before_today + f.expected[1]), 10) END,
        CASE WHEN f.expected IS NOT NULL THEN round(greatest(s.usd, s.before_today + f.expected[2]), 10) END,
        CASE WHEN f.expected IS NOT NULL THEN round(greatest(s.usd, s.before_today + f.expected[3]), 10) END,
        (ARRAY['linear, under 14 days of data', 'weekday mean of 28 days, band by the scatter of days', 'weekday mean of 28 days, band by past errors'])[f.expected[4]::integer],
        CASE
            WHEN s.usd >= b.amount_usd THEN crossing.at
            WHEN s.before_today + f.expected[1] > b.amount_usd
                THEN p.now + (p.ends_at - p.now) * ((b.amount_usd - s.usd) / (s.before_today + f.expected[1] - s.usd))::double precision
        END,
        CASE WHEN s.usd >= b.amount_usd THEN 'over' WHEN s.usd >= 0.8 * b.amount_usd THEN 'warn' ELSE 'ok' END,
        s.calls,
        s.unpriced,
        round(100.0 * s.unpriced / nullif(s.calls, 0), 1),
        s.unpriced > 0 AND b.unpriced = 'ignore',
        b.mode,
        t.billing_currency
    FROM bcce_data.budgets b
    JOIN bcce_data.tenants t ON t.tenant_id = b.tenant_id AND t.deleted_at IS NULL
    CROSS JOIN LATERAL (
        SELECT least(until, bcce.report_now()) AS now, least(until - interval '1 microsecond', bcce.report_now()) AS last_at, e.first_call_at
        FROM bcce_data.fact_ends(b.tenant_id, NULL, until) e
    ) moment
    CROSS JOIN LATERAL (
        SELECT
            greatest(c.starts_at, lower(b.valid)) AS starts_at,
            least(c.ends_at, upper(b.valid)) AS ends_at,
            moment.now,
            date_trunc('day', moment.now, b.timezone) AS today_at,
            least(c.ends_at, upper(b.valid)) > moment.now AS is_open
        FROM (
            SELECT d.starts_at, d.ends_at
            FROM bcce_data.local_periods(
                CASE WHEN b.period <> 'custom' AND isfinite(moment.now) THEN greatest(lower(b.valid), since, least(moment.first_call_at, moment.now)) END,
                least(moment.last_at, upper(b.valid) - interval '1 microsecond'), b.timezone, nullif(b.period, 'custom')) d
            UNION ALL
            SELECT lower(b.valid), upper(b.valid)
            WHERE b.period = 'custom' AND lower(b.valid) <= moment.last_at AND (since IS NULL OR upper(b.valid) > since)
        ) c
    ) p
    -- Each of one row; outer joins, as the planner leaves out those of which nothing is asked.
    LEFT JOIN LATERAL (
        SELECT
            coalesce(max(d.price_usd) FILTER (WHERE d.token_class = 'input'), 0) AS input_usd,
            coalesce(max(d.price_usd) FILTER (WHERE d.token_class = 'output'), 0) AS output_usd,
            coalesce(max(d.price_usd) FILTER (WHERE d.token_class = 'cache_read'), 0) AS cache_read_usd,
            coalesce(max(d.price_usd) FILTER (WHERE d.token_class = 'cache_write_5m'), 0) AS cache_write_5m_usd,
            coalesce(max(d.price_usd) FILTER (WHERE d.token_class = 'cache_write_1h'), 0) AS cache_write_1h_usd,
            coalesce(max(d.price_usd) FILTER (WHERE d.token_class = 'web_search'), 0) AS web_search_usd
        FROM (
            SELECT m.token_class, m.price_usd
            FROM bcce_data.default_model_prices m
            WHERE upper_inf(m.known) AND m.valid && tstzrange(p.starts_at, p.ends_at) AND b.unpriced = 'dearest'
            UNION ALL
            SELECT m.token_class, m.price_usd
            FROM bcce_data.model_prices m
            WHERE m.tenant_id = b.tenant_id AND upper_inf(m.known) AND m.valid && tstzrange(p.starts_at, p.ends_at) AND b.unpriced = 'dearest'
        ) d
    ) dearest ON true
    LEFT JOIN LATERAL (
        SELECT
            coalesce(sum(c.usd), 0) AS usd,
            coalesce(sum(c.usd) FILTER (WHERE c.at < p.today_at), 0) AS before_today,
            count(*) AS calls,
            count(*) FILTER (WHERE c.is_unpriced) AS unpriced
        FROM (
            SELECT
                u.at,
                u.usd IS NULL AS is_unpriced,
                CASE WHEN u.usd IS NULL AND b.unpriced = 'dearest' THEN
                    coalesce(u.input_tokens, 0) * dearest.input_usd + coalesce(u.output_tokens, 0) * dearest.output_usd
                    + coalesce(u.cache_read_tokens, 0) * dearest.cache_read_usd + coalesce(u.cache_write_5m_tokens, 0) * dearest.cache_write_5m_usd
                    + coalesce(u.cache_write_1h_tokens, 0) * dearest.cache_write_1h_usd + coalesce(u.web_searches, 0) * dearest.web_search_usd
                ELSE u.usd END AS usd
            FROM bcce_data.budget_calls(b.tenant_id, b.team_id, b.user_key, b.project, b.model_id, b.workflow_id, p.starts_at, least(p.ends_at, p.now)) u
        ) c
    ) s ON true
    LEFT JOIN LATERAL (
        SELECT c.at
        FROM (
            SELECT u.at, sum(u.usd) OVER (ORDER BY u.at) AS usd
            FROM bcce_data.budget_calls(b.tenant_id, b.team_id, b.user_key, b.project, b.model_id, b.workflow_id,
                CASE WHEN s.usd >= b.amount_usd THEN p.starts_at END, least(p.ends_at, p.now)) u
        ) c
        WHERE c.usd >= b.amount_usd
        ORDER BY c.at
        LIMIT 1
    ) crossing ON true
    -- Half a year of days before today, those without a call too.
    LEFT JOIN LATERAL (
        SELECT bcce_data.cost_forecast(
            array_agg(h.usd ORDER BY g.day),
            ((p.ends_at - interval '1 microsecond') AT TIME ZONE b.timezone)::date - (p.today_at AT TIME ZONE b.timezone)::date + 1) AS expected
        FROM generate_series(CASE WHEN p.is_open THEN (p.today_at AT TIME ZONE b.timezone)::date - 182 END::timestamp,
                             (p.today_at AT TIME ZONE b.timezone)::date - 1, interval '1 day') AS g (day)
        LEFT JOIN (
            SELECT date_trunc('day', u.at AT TIME ZONE b.timezone) AS day, sum(u.usd) AS usd
            FROM bcce_data.budget_calls(b.tenant_id, b.team_id, b.user_key, b.project, b.model_id, b.workflow_id,
                CASE WHEN p.is_open THEN p.today_at - interval '182 days' END, p.today_at) u
            GROUP BY 1
        ) h ON h.day = g.day
    ) f ON true;
END;
COMMENT ON FUNCTION bcce.budget_status(timestamptz, timestamptz) IS 'How much of each budget is spent, in the periods that overlap the time between since (inclusive) and until (exclusive), as it stood at until? NULL leaves an end open. Same columns as the view of this name. A period counts from its start, also where that lies before since.';

CREATE OR REPLACE VIEW bcce.budget_status WITH (security_invoker = true) AS
SELECT
    s.tenant_id,
    s.tenant_name,
    s.budget,
    s.period_start_at,
    s.period_end_at,
    s.period,
    s.is_open,
    s.team_id,
    s.user_key,
    s.project,
    s.model_id,
    s.workflow_id,
    s.limit_usd,
    s.spent_usd,
    s.spent_percent,
    s.forecast_usd,
    s.forecast_low_usd,
    s.forecast_high_usd,
    s.forecast_method,
    s.exhausts_at,
    s.state,
    s.call_count,
    s.unpriced_calls,
    s.unpriced_share_percent,
    s.is_lower_bound,
    s.mode,
    s.currency
FROM bcce.budget_status(NULL::timestamptz, NULL::timestamptz) s;
COMMENT ON VIEW bcce.budget_status IS 'How much of each budget is spent, and will it last? One row per visible tenant, budget and period from the first model call to now. Spent is added up from the calls each time. For a period use the function of this name.';
COMMENT ON COLUMN bcce.budget_status.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.budget_status.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.budget_status.budget IS 'name of the budget';
COMMENT ON COLUMN bcce.budget_status.period_start_at IS 'start of the period in the budget''s zone, or of the budget''s validity where that is later';
COMMENT ON COLUMN bcce.budget_status.period_end_at IS 'end of the period, exclusive, or of the budget''s validity where that is earlier';
COMMENT ON COLUMN bcce.budget_status.period IS 'day, week, month, quarter or custom';
COMMENT ON COLUMN bcce.budget_status.is_open IS 'the period goes on';
COMMENT ON COLUMN bcce.budget_status.team_id IS 'only calls of this team; NULL: of all';
COMMENT ON COLUMN bcce.budget_status.user_key IS 'only calls of this person, a pseudonym; NULL: of all';
COMMENT ON COLUMN bcce.budget_status.project IS 'only calls of this project, redacted; NULL: of all';
COMMENT ON COLUMN bcce.budget_status.model_id IS 'only calls of this model; NULL: of all';
COMMENT ON COLUMN bcce.budget_status.workflow_id IS 'only calls of runs of this workflow; NULL: of all';
COMMENT ON COLUMN bcce.budget_status.limit_usd IS 'US dollars that may be spent in the period, as the budget is set now';
COMMENT ON COLUMN bcce.budget_status.spent_usd IS 'US dollars that the calls of the period cost, as in cost_analysis; calls of unknown cost by the budget''s rule for them';
COMMENT ON COLUMN bcce.budget_status.spent_percent IS 'percent of the limit that is spent, one decimal';
COMMENT ON COLUMN bcce.budget_status.forecast_usd IS 'US dollars expected to be spent by the end of the period: what was spent before today, and for the days from today on the mean of their weekday over the last 28 complete days; NULL: the period is over, or under two days of data';
COMMENT ON COLUMN bcce.budget_status.forecast_low_usd IS 'US dollars, lower end of the band in which 8 of 10 such forecasts end';
COMMENT ON COLUMN bcce.budget_status.forecast_high_usd IS 'US dollars, upper end of the band in which 8 of 10 such forecasts end';
COMMENT ON COLUMN bcce.budget_status.forecast_method IS 'how forecast and band were made';
COMMENT ON COLUMN bcce.budget_status.exhausts_at IS 'when the limit was reached, or will be by the forecast, spent evenly from now to the end; NULL: not in this period';
COMMENT ON COLUMN bcce.budget_status.state IS 'over (all of the limit is spent), warn (80 percent are), ok';
COMMENT ON COLUMN bcce.budget_status.call_count IS 'model calls of the period';
COMMENT ON COLUMN bcce.budget_status.unpriced_calls IS 'model calls among them whose cost is unknown';
COMMENT ON COLUMN bcce.budget_status.unpriced_share_percent IS 'percent of the calls whose cost is unknown, one decimal; NULL: no calls';
COMMENT ON COLUMN bcce.budget_status.is_lower_bound IS 'true when calls of unknown cost are left out, so that more may be spent';
COMMENT ON COLUMN bcce.budget_status.mode IS 'alert, or block: budget_check() advises against further calls once the limit is spent';
COMMENT ON COLUMN bcce.budget_status.currency IS 'currency of the money columns';

CREATE OR REPLACE FUNCTION bcce.budget_alerts(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    at timestamptz,
    budget text,
    kind text,
    threshold_percent numeric,
    period_start_at timestamptz,
    spent_usd numeric,
    limit_usd numeric,
    forecast_usd numeric,
    currency text
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        a.at,
        a.budget,
        a.kind,
        a.threshold_percent,
        a.period_start_at,
        a.spent_usd,
        a.limit_usd,
        a.forecast_usd,
        t.billing_currency
    FROM bcce_data.budget_alerts a
    JOIN bcce_data.tenants t ON t.tenant_id = a.tenant_id AND t.deleted_at IS NULL
    WHERE (since IS NULL OR a.at >= since) AND (until IS NULL OR a.at < until);
END;
COMMENT ON FUNCTION bcce.budget_alerts(timestamptz, timestamptz) IS 'Which budgets ran low, as written between since (inclusive) and until (exclusive)? NULL leaves an end open. Same columns as the view of this name.';

CREATE OR REPLACE VIEW bcce.budget_alerts WITH (security_invoker = true) AS
SELECT
    a.tenant_id,
    a.tenant_name,
    a.at,
    a.budget,
    a.kind,
    a.threshold_percent,
    a.period_start_at,
    a.spent_usd,
    a.limit_usd,
    a.forecast_usd,
    a.currency
FROM bcce.budget_alerts(NULL::timestamptz, NULL::timestamptz) a;
COMMENT ON VIEW bcce.budget_alerts IS 'Which budgets ran low, and when was it said? One row per visible tenant, budget, period, threshold and kind. Written by check_budgets(). For a period use the function of this name.';
COMMENT ON COLUMN bcce.budget_alerts.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.budget_alerts.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.budget_alerts.at IS 'when it was written';
COMMENT ON COLUMN bcce.budget_alerts.budget IS 'name of the budget';
COMMENT ON COLUMN bcce.budget_alerts.kind IS 'crossed (so much was spent), late (calls told after the period''s end crossed it), forecast (so much will be spent by its end)';
COMMENT ON COLUMN bcce.budget_alerts.threshold_percent IS 'percent of the limit that was crossed';
COMMENT ON COLUMN bcce.budget_alerts.period_start_at IS 'start of the budget''s period';
COMMENT ON COLUMN bcce.budget_alerts.spent_usd IS 'US dollars spent then';
COMMENT ON COLUMN bcce.budget_alerts.limit_usd IS 'US dollars of the budget then';
COMMENT ON COLUMN bcce.budget_alerts.forecast_usd IS 'US dollars forecast then for the end of the period; NULL: none';
COMMENT ON COLUMN bcce.budget_alerts.currency IS 'currency of the money columns';

-- Everybody can listen to a channel: what is sent says whose alerts to read and
-- nothing else.
CREATE OR REPLACE FUNCTION bcce.check_budgets()
RETURNS TABLE (tenant_id uuid, budget text, period_start_at timestamptz, threshold_percent numeric, kind text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict use_column
DECLARE
    told uuid[] := '{}';
BEGIN
    FOR tenant_id, budget, period_start_at, threshold_percent, kind IN
        INSERT INTO bcce_data.budget_alerts AS a (tenant_id, budget, period_start_at, threshold_percent, kind, spent_usd, limit_usd, forecast_usd, at)
        SELECT s.tenant_id, s.budget, s.period_start_at, c.threshold, c.kind, s.spent_usd, s.limit_usd, s.forecast_usd, bcce.report_now()
        FROM bcce.budget_status(bcce.report_now() - interval '35 days', NULL) s
        JOIN bcce_data.budgets b ON b.tenant_id = s.tenant_id AND b.budget = s.budget
        CROSS JOIN LATERAL (
            SELECT DISTINCT t.threshold, CASE WHEN s.is_open THEN 'crossed' ELSE 'late' END AS kind
            FROM unnest(b.thresholds) AS t (threshold)
            WHERE s.spent_usd * 100 >= t.threshold * s.limit_usd
            UNION ALL
            SELECT 100, 'forecast'
            WHERE s.is_open AND s.spent_usd < s.limit_usd AND s.forecast_usd >= s.limit_usd
        ) c
        WHERE s.period_end_at > b.set_at
          AND NOT (c.kind = 'late' AND EXISTS (
              SELECT FROM bcce_data.budget_alerts x
              WHERE x.tenant_id = s.tenant_id AND x.budget = s.budget AND x.period_start_at = s.period_start_at
                AND x.threshold_percent = c.threshold AND x.kind = 'crossed'))
        ORDER BY 1, 2, 3, 4, 5
        ON CONFLICT ON CONSTRAINT budget_alerts_pkey DO NOTHING
        RETURNING a.tenant_id, a.budget, a.period_start_at, a.threshold_percent, a.kind
    LOOP
        IF tenant_id <> ALL (told) THEN
            told := told || tenant_id;
            PERFORM pg_notify('bcce_budget_alerts', tenant_id::text);
        END IF;
        RETURN NEXT;
    END LOOP;
END
$body$;
COMMENT ON FUNCTION bcce.check_budgets() IS
'Writes an alert for every threshold that a budget''s spending has reached (crossed), has reached by calls told after the end of a period within the last 35 days (late), and for a budget that the forecast exceeds (forecast); each once a period. Returns the new ones and sends NOTIFY bcce_budget_alerts with the tenant''s uuid and nothing else: the report budget_alerts says what. For all tenants; maintain() calls it, and pg_cron may more often. It reads the calls of the open periods and of half a year for the forecasts.';

CREATE OR REPLACE FUNCTION bcce.budget_check(
    team text DEFAULT NULL, user_key text DEFAULT NULL, project text DEFAULT NULL, model text DEFAULT NULL, workflow text DEFAULT NULL,
    tenant text DEFAULT NULL)
RETURNS TABLE (is_allowed boolean, budget text, spent_usd numeric, limit_usd numeric, spent_percent numeric, unpriced_share_percent numeric, reason text)
-- Planning would take longer than adding up some hundred calls.
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $body$
#variable_conflict use_column
DECLARE
    target CONSTANT uuid := bcce_data.resolve_tenant(tenant);
    moment CONSTANT timestamptz := bcce.report_now();
    start_at timestamptz;
    b record;
    s record;
    rank numeric;
    best numeric;
BEGIN
    IF target IS NULL THEN
        PERFORM bcce_data.refuse('unknown_tenant');
    END IF;
    is_allowed := true;
    reason := 'no budget applies';
    FOR b IN
        SELECT x.tenant_id, x.budget, x.amount_usd, x.period, x.timezone, x.team_id, x.user_key, x.project, x.model_id, x.workflow_id, x.mode, x.unpriced, x.valid
        FROM bcce_data.budgets x
        WHERE x.tenant_id = target AND x.valid @> moment
          AND (x.team_id IS NULL OR x.team_id = budget_check.team)
          AND (x.user_key IS NULL OR x.user_key = budget_check.user_key)
          AND (x.project IS NULL OR x.project = budget_check.project)
          AND (x.model_id IS NULL OR x.model_id = budget_check.model)
          AND (x.workflow_id IS NULL OR x.workflow_id = budget_check.workflow)
        ORDER BY x.budget COLLATE "C"
    LOOP
        start_at := CASE WHEN b.period = 'custom' THEN lower(b.valid)
                         ELSE greatest(lower(b.valid), (SELECT d.starts_at FROM bcce_data.local_periods(moment, moment, b.timezone, b.period) d)) END;
        IF b.unpriced = 'dearest' THEN
            SELECT x.spent_usd AS usd, x.call_count AS calls, x.unpriced_calls AS unpriced INTO s
            FROM bcce.budget_status(moment, NULL) x
            WHERE x.tenant_id = b.tenant_id AND x.budget = b.budget AND x.is_open;
        ELSIF b.workflow_id IS NULL THEN
            -- A plan without runs starts in a fifth of the time.
            SELECT coalesce(sum(c.usd), 0) AS usd, count(*) AS calls, count(*) - count(c.usd) AS unpriced INTO s
            FROM bcce_data.budget_calls(b.tenant_id, b.team_id, b.user_key, b.project, b.model_id, NULL, start_at, moment) c;
        ELSE
            SELECT coalesce(sum(c.usd), 0) AS usd, count(*) AS calls, count(*) - count(c.usd) AS unpriced INTO s
            FROM bcce_data.budget_calls(b.tenant_id, b.team_id, b.user_key, b.project, b.model_id, b.workflow_id, start_at, moment) c;
        END IF;
        -- What blocks comes first, then what is nearest to its end.
        rank := s.usd / b.amount_usd + CASE WHEN b.mode = 'block' AND s.usd >= b.amount_usd THEN 1e30 ELSE 0 END;
        CONTINUE WHEN rank <= best;
        best := rank;
        is_allowed := rank < 1e30;
        budget := b.budget;
        spent_usd := s.usd;
        limit_usd := b.amount_usd;
        spent_percent := round(100 * s.usd / b.amount_usd, 1);
        unpriced_share_percent := round(100.0 * s.unpriced / nullif(s.calls, 0), 1);
        reason := CASE WHEN s.usd < b.amount_usd THEN 'within budget' WHEN is_allowed THEN 'budget is spent, alert only' ELSE 'budget is spent' END;
    END LOOP;
    RETURN NEXT;
END
$body$;
COMMENT ON FUNCTION bcce.budget_check(text, text, text, text, text, text) IS
'May a further call of this team, person (by the pseudonym), project, model and workflow be made? One row: is_allowed is false when a budget of mode block that covers the call is spent; with it the budget that says so, else the one nearest to its end: US dollars spent and allowed in its open period, percent, percent of the calls of unknown cost, and the reason. Advice: nothing is reserved. The spending is added up from the calls of the period each time: a fraction of a millisecond for a budget with some hundred calls (about one where it is of a workflow), half a millisecond for each thousand more. tenant: slug, external id or uuid; NULL: your own. Error P0002: tenant not found.';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '27_cost_by_key', $bcce_module$
-- cost_by_user, _team, _model, _project, _workflow and _service: who and what
-- cost how much.  The six have one body; each shows the parts of the cost that
-- can have its key, and a row without the key for what does not say.
DO $do$
DECLARE
    report record;
    part text;
    columns text;
    -- Where a part's units say what they belong to.
    people CONSTANT text[] := '{workflow_run,model_call}';
    calls CONSTANT text[] := '{model_call}';
    runs CONSTANT text[] := '{workflow_run,prediction,model_call}';
    services CONSTANT text[] := '{workflow_run,metric,prediction,model_call}';
    -- The run of a call or prediction, whenever it began; once for all calls of a run.
    run_of CONSTANT text := $sql$
        LEFT JOIN LATERAL (
            SELECT k.started_at
            FROM bcce_data.workflow_run_keys k
            WHERE k.tenant_id = u.tenant_id AND k.run_id = u.run_id AND u.item <> 'workflow_run'
            OFFSET 0
        ) start ON true
        LEFT JOIN LATERAL (
            SELECT r.workflow_id, r.service_id
            FROM bcce_data.workflow_runs r
            WHERE r.tenant_id = u.tenant_id AND r.run_id = u.run_id AND r.started_at = start.started_at
            OFFSET 0
        ) run ON true$sql$;
    unit_run CONSTANT text := $sql$u.workflow_id, u.service_id, CASE WHEN u.item <> 'workflow_run' THEN u.run_id END AS run_id$sql$;
BEGIN
    FOR report IN
        SELECT * FROM (VALUES
            ('user', people, 'user_key', NULL, 'u.user_key', 'u.user_key', NULL, NULL, NULL,
             'pseudonym of the person; NULL: runs and calls of nobody known', NULL,
             'Who spends how much, person by person?', 'user'),
            ('team', people, 'team_id', 'team_name', 'u.user_key, u.team_id', 'coalesce(u.team_id, p.team_id)',
             'LEFT JOIN bcce_data.principals p ON p.tenant_id = u.tenant_id AND p.user_key = u.user_key', 'n.team_name',
             'LEFT JOIN bcce_data.teams n ON n.tenant_id = x.tenant_id AND n.team_id = x.key',
             'team that the call names, else the team of the person; NULL: neither is known', 'display name of the team; NULL: it was never declared',
             'Which team spends how much?', 'team'),
            ('model', calls, 'model_id', NULL, 'u.model_id', 'u.model_id', NULL, NULL, NULL,
             'model as the calls name it', NULL,
             'On which model is how much spent?', 'model'),
            ('project', calls, 'project', NULL, 'u.project', 'u.project', NULL, NULL, NULL,
             'project in which the calls were made, redacted; NULL: calls that name none', NULL,
             'Which project spends how much?', 'project'),
            ('workflow', runs, 'workflow_id', 'workflow_name', unit_run, 'coalesce(u.workflow_id, run.workflow_id)', run_of, 'n.name',
             'LEFT JOIN bcce_data.workflows n ON n.tenant_id = x.tenant_id AND n.workflow_id = x.key',
             'workflow of the run, of a call by its run, of a prediction by the run that it is about; NULL: calls and predictions outside known runs',
             'display name of the workflow; NULL: it was never declared',
             'Which workflow spends how much, its model calls included?', 'workflow'),
            ('service', services, 'service_id', 'service_name', unit_run,
             'coalesce(u.service_id, run.service_id, w.service_id)',
             run_of || $sql$
        LEFT JOIN bcce_data.workflows w ON w.tenant_id = u.tenant_id AND w.workflow_id = coalesce(u.workflow_id, run.workflow_id)$sql$, 'n.service_name',
             'LEFT JOIN bcce_data.services n ON n.tenant_id = x.tenant_id AND n.service_id = x.key',
             'service of the run, else of its workflow, of the sample, of the prediction or of the run that it is about, of a call by its run; NULL: none of them',
             'display name of the service; NULL: it was never declared',
             'On which service is how much spent?', 'service')
        ) AS t (kind, items, key, name, unit, key_of, joins, name_of, name_join, key_meaning, name_meaning, question, grain)
    LOOP
        EXECUTE format($sql$
CREATE OR REPLACE FUNCTION bcce.cost_by_%1$s(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    %2$I text,%3$s
    input_tokens bigint,
    output_tokens bigint,
    cache_read_tokens bigint,
    cache_write_5m_tokens bigint,
    cache_write_1h_tokens bigint,
    web_searches bigint,%4$s
    total_cost_usd numeric,
    cost_share_percent numeric,
    unpriced_units bigint,
    is_lower_bound boolean,
    estimated_share_percent numeric,
    currency text
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        x.key,%5$s
        x.input_tokens,
        x.output_tokens,
        x.cache_read_tokens,
        x.cache_write_5m_tokens,
        x.cache_write_1h_tokens,
        x.web_searches,%6$s
        x.usd,
        round(100 * x.usd / nullif(sum(x.usd) OVER (PARTITION BY t.tenant_id), 0), 1),
        x.unpriced,
        x.unpriced > 0,
        round(100 * x.estimated_usd / nullif(x.model_call_usd, 0), 1),
        t.billing_currency
    FROM bcce_data.tenants t
    JOIN (
        SELECT
            u.tenant_id,
            %7$s AS key,
            sum(u.workflow_runs)::bigint AS workflow_runs,
            sum(u.metrics)::bigint AS metrics,
            sum(u.predictions)::bigint AS predictions,
            sum(u.calls)::bigint AS calls,
            sum(u.input_tokens)::bigint AS input_tokens,
            sum(u.output_tokens)::bigint AS output_tokens,
            sum(u.cache_read_tokens)::bigint AS cache_read_tokens,
            sum(u.cache_write_5m_tokens)::bigint AS cache_write_5m_tokens,
            sum(u.cache_write_1h_tokens)::bigint AS cache_write_1h_tokens,
            sum(u.web_searches)::bigint AS web_searches,
            -- Nothing costs 0, what is unknown NULL.
            coalesce(sum(u.usd) FILTER (WHERE u.item = 'workflow_run'), CASE WHEN count(*) FILTER (WHERE u.item = 'workflow_run') = 0 THEN 0 END) AS workflow_run_usd,
            coalesce(sum(u.usd) FILTER (WHERE u.item = 'metric'), CASE WHEN count(*) FILTER (WHERE u.item = 'metric') = 0 THEN 0 END) AS metric_usd,
            coalesce(sum(u.usd) FILTER (WHERE u.item = 'prediction'), CASE WHEN count(*) FILTER (WHERE u.item = 'prediction') = 0 THEN 0 END) AS prediction_usd,
            coalesce(sum(u.usd) FILTER (WHERE u.item = 'model_call'), CASE WHEN count(*) FILTER (WHERE u.item = 'model_call') = 0 THEN 0 END) AS model_call_usd,
            coalesce(sum(u.estimated_usd), 0) AS estimated_usd,
            sum(u.usd) AS usd,
            sum(u.unpriced)::bigint AS unpriced
        FROM (
            SELECT
                u.tenant_id,
                u.item,
                %8$s,
                count(*) FILTER (WHERE u.item = 'workflow_run') AS workflow_runs,
                count(*) FILTER (WHERE u.item = 'metric') AS metrics,
                count(*) FILTER (WHERE u.item = 'prediction') AS predictions,
                count(*) FILTER (WHERE u.item = 'model_call') AS calls,
                sum(u.input_tokens) AS input_tokens,
                sum(u.output_tokens) AS output_tokens,
                sum(u.cache_read_tokens) AS cache_read_tokens,
                sum(u.cache_write_5m_tokens) AS cache_write_5m_tokens,
                sum(u.cache_write_1h_tokens) AS cache_write_1h_tokens,
                sum(u.web_searches) AS web_searches,
                sum(u.usd) AS usd,
                sum(u.usd) FILTER (WHERE u.is_estimated) AS estimated_usd,
                count(*) - count(u.usd) AS unpriced
            FROM bcce_data.cost_units(since, until) u
            WHERE u.item IN (%9$s)
            GROUP BY u.tenant_id, u.item, %10$s
        ) u%11$s
        GROUP BY u.tenant_id, %7$s
    ) x ON x.tenant_id = t.tenant_id%12$s
    WHERE t.deleted_at IS NULL;
END$sql$,
            report.kind, report.key,
            concat(CASE WHEN report.name IS NOT NULL THEN E'\n    ' || report.name || ' text,' END,
                   (SELECT string_agg(E'\n    ' || c.name || ' bigint,', '' ORDER BY c.n)
                    FROM (VALUES (1, 'workflow_run', 'workflow_runs'), (2, 'metric', 'metric_count'), (3, 'prediction', 'prediction_count'), (4, 'model_call', 'model_call_count')) AS c (n, item, name)
                    WHERE c.item = ANY (report.items))),
            (SELECT string_agg(E'\n    ' || c.name || ' numeric,', '' ORDER BY c.n)
             FROM (VALUES (1, 'workflow_run', 'workflow_cost_usd'), (2, 'metric', 'monitoring_cost_usd'), (3, 'prediction', 'prediction_cost_usd'), (4, 'model_call', 'model_cost_usd')) AS c (n, item, name)
             WHERE c.item = ANY (report.items)),
            concat(CASE WHEN report.name IS NOT NULL THEN E'\n        ' || report.name_of || ',' END,
                   (SELECT string_agg(E'\n        x.' || c.name || ',', '' ORDER BY c.n)
                    FROM (VALUES (1, 'workflow_run', 'workflow_runs'), (2, 'metric', 'metrics'), (3, 'prediction', 'predictions'), (4, 'model_call', 'calls')) AS c (n, item, name)
                    WHERE c.item = ANY (report.items))),
            (SELECT string_agg(E'\n        x.' || i.item || '_usd,', '' ORDER BY i.n) FROM unnest(report.items) WITH ORDINALITY AS i (item, n)),
            report.key_of, report.unit,
            (SELECT string_agg(quote_literal(i), ', ') FROM unnest(report.items) AS i),
            replace(report.unit, ' AS run_id', ''),
            E'\n        ' || report.joins, E'\n    ' || report.name_join);
        EXECUTE format('COMMENT ON FUNCTION bcce.cost_by_%1$s(timestamptz, timestamptz) IS %2$L', report.kind,
            replace(report.question, '?', ', of what falls between since (inclusive) and until (exclusive)?')
            || ' NULL leaves an end open. Same columns as the view of this name; each part summed over the rows is that of cost_analysis for the same period.');

        SELECT string_agg('x.' || quote_ident(p.name), ', ' ORDER BY p.n) INTO columns
        FROM pg_catalog.pg_proc f
        CROSS JOIN LATERAL unnest(f.proargnames, f.proargmodes) WITH ORDINALITY AS p (name, mode, n)
        WHERE f.oid = to_regprocedure(format('bcce.cost_by_%s(pg_catalog.timestamptz, pg_catalog.timestamptz)', report.kind)) AND p.mode = 't';
        EXECUTE format('CREATE OR REPLACE VIEW bcce.cost_by_%1$s WITH (security_invoker = true) AS SELECT %2$s FROM bcce.cost_by_%1$s(NULL::timestamptz, NULL::timestamptz) x',
            report.kind, columns);
        EXECUTE format('COMMENT ON VIEW bcce.cost_by_%1$s IS %2$L', report.kind,
            format('%s One row per visible tenant and %s, and one for what names none. For a period use the function of this name.', report.question, report.grain));
        FOR part IN
            SELECT format('COMMENT ON COLUMN bcce.cost_by_%s.%I IS %L', report.kind, a.attname, m.meaning)
            FROM pg_catalog.pg_attribute a
            LEFT JOIN (VALUES
                ('tenant_id', 'tenant'),
                ('tenant_name', 'display name of the tenant'),
                (report.key, report.key_meaning),
                (report.name, report.name_meaning),
                ('workflow_runs', 'runs started, failed and running ones included, skipped ones not'),
                ('metric_count', 'metric samples stored'),
                ('prediction_count', 'predictions made'),
                ('model_call_count', 'model calls'),
                ('input_tokens', 'tokens into models, cache reads and writes apart; NULL: no call told'),
                ('output_tokens', 'tokens out of models; NULL: no call told'),
                ('cache_read_tokens', 'tokens that models read from their cache; NULL: no call told'),
                ('cache_write_5m_tokens', 'tokens written to the five-minute cache, those of unknown life among them; NULL: no call told'),
                ('cache_write_1h_tokens', 'tokens written to the one-hour cache; NULL: no call told'),
                ('web_searches', 'searches that the provider made for the calls; NULL: no call told'),
                ('workflow_cost_usd', 'US dollars for the runs: each as charged when it was recorded, else at the price of its start; NULL: none has a known cost'),
                ('monitoring_cost_usd', 'US dollars for the metric samples: each as charged when it was recorded, else at the price of its time; NULL: none has a known cost'),
                ('prediction_cost_usd', 'US dollars for the predictions: each as charged when it was recorded, else at the price of its time; NULL: none has a known cost'),
                ('model_cost_usd', 'US dollars for model calls: each as the sender reported it, else by its tokens at the prices known when it was recorded, else at those known now; a call whose cost is unknown is in unpriced_units; NULL: none has a known cost'),
                ('total_cost_usd', 'US dollars, sum of the known parts in this report, unrounded; NULL: no cost is known'),
                ('cost_share_percent', 'percent of the sum of the tenant''s rows in this report, one decimal; NULL: that is 0, or no cost is known'),
                ('unpriced_units', 'runs, samples, predictions and model calls whose cost is unknown: they are left out of the sums'),
                ('is_lower_bound', 'true when some cost is unknown, so that the sums are lower bounds'),
                ('estimated_share_percent', 'percent of the model cost that is estimated rather than reported, one decimal; NULL: no model cost'),
                ('currency', 'currency of the money columns')
            ) AS m (name, meaning) ON m.name = a.attname
            WHERE a.attrelid = format('bcce.cost_by_%s', report.kind)::regclass AND a.attnum > 0 AND NOT a.attisdropped
        LOOP
            EXECUTE part;
        END LOOP;
    END LOOP;
END
$do$;
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '27_cost_cache_savings', $bcce_module$
-- cost_cache_savings: what the cache of prompts saved, and what writing it cost.
CREATE OR REPLACE FUNCTION bcce.cost_cache_savings(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    model_id text,
    model_call_count bigint,
    input_tokens bigint,
    cache_read_tokens bigint,
    cache_write_5m_tokens bigint,
    cache_write_1h_tokens bigint,
    cache_read_percent numeric,
    read_savings_usd numeric,
    write_premium_usd numeric,
    cache_savings_usd numeric,
    unpriced_units bigint,
    currency text
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        x.model_id,
        x.calls,
        x.input_tokens,
        x.cache_read_tokens,
        x.cache_write_5m_tokens,
        x.cache_write_1h_tokens,
        round(100 * x.cache_read_tokens / nullif(x.context_tokens, 0), 1),
        x.savings,
        x.premium,
        x.savings - x.premium,
        x.unpriced,
        t.billing_currency
    FROM bcce_data.tenants t
    JOIN (
        SELECT
            u.tenant_id,
            u.model_id,
            count(*) AS calls,
            sum(u.input_tokens)::bigint AS input_tokens,
            sum(u.cache_read_tokens)::bigint AS cache_read_tokens,
            sum(u.cache_write_5m_tokens)::bigint AS cache_write_5m_tokens,
            sum(u.cache_write_1h_tokens)::bigint AS cache_write_1h_tokens,
            sum(coalesce(u.input_tokens, 0) + cache.read + cache.written) AS context_tokens,
            -- Of a call of which only one can be told, neither counts.
            sum(as_is.without_reads - as_is.usd) FILTER (WHERE as_is.without_writes IS NOT NULL) AS savings,
            sum(as_is.usd - as_is.without_writes) FILTER (WHERE as_is.without_reads IS NOT NULL) AS premium,
            count(*) FILTER (WHERE cache.read + cache.written > 0 AND num_nulls(as_is.usd, as_is.without_reads, as_is.without_writes) > 0) AS unpriced
        FROM bcce_data.model_usage u
        CROSS JOIN LATERAL (
            SELECT
                coalesce(u.cache_read_tokens, 0) AS read,
                coalesce(u.cache_write_5m_tokens, 0) + coalesce(u.cache_write_1h_tokens, 0) AS written,
                CASE WHEN u.charged_usd IS NOT NULL THEN u.priced_at END AS as_of
        ) cache
        -- The context stays as large, so each call stays at its rates.
        CROSS JOIN LATERAL (
            SELECT
                bcce.estimate_token_cost(u.model_id, u.at, u.input_tokens, u.output_tokens, u.cache_read_tokens, u.cache_write_5m_tokens,
                    u.cache_write_1h_tokens, 0, u.speed, u.inference_geo, u.service_tier, u.tenant_id, cache.as_of) AS usd,
                bcce.estimate_token_cost(u.model_id, u.at, coalesce(u.input_tokens, 0) + cache.read, u.output_tokens, 0, u.cache_write_5m_tokens,
                    u.cache_write_1h_tokens, 0, u.speed, u.inference_geo, u.service_tier, u.tenant_id, cache.as_of) AS without_reads,
                bcce.estimate_token_cost(u.model_id, u.at, coalesce(u.input_tokens, 0) + cache.written, u.output_tokens, u.cache_read_tokens, 0,
                    0, 0, u.speed, u.inference_geo, u.service_tier, u.tenant_id, cache.as_of) AS without_writes
            OFFSET 0
        ) as_is
        WHERE u.at >= coalesce(since, '-infinity')
          AND u.at < coalesce(until, 'infinity')
          AND NOT u.is_test
        GROUP BY u.tenant_id, u.model_id
    ) x ON x.tenant_id = t.tenant_id
    WHERE t.deleted_at IS NULL;
END;
COMMENT ON FUNCTION bcce.cost_cache_savings(timestamptz, timestamptz) IS 'What did the prompt cache save, of the calls between since (inclusive) and until (exclusive)? NULL leaves an end open. Same columns as the view of this name.';

CREATE OR REPLACE VIEW bcce.cost_cache_savings WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.model_id,
    x.model_call_count,
    x.input_tokens,
    x.cache_read_tokens,
    x.cache_write_5m_tokens,
    x.cache_write_1h_tokens,
    x.cache_read_percent,
    x.read_savings_usd,
    x.write_premium_usd,
    x.cache_savings_usd,
    x.unpriced_units,
    x.currency
FROM bcce.cost_cache_savings(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.cost_cache_savings IS 'What does the prompt cache save, and is writing it worth while? One row per visible tenant and model. For a period use the function of this name.';
COMMENT ON COLUMN bcce.cost_cache_savings.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.cost_cache_savings.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.cost_cache_savings.model_id IS 'model as the calls name it';
COMMENT ON COLUMN bcce.cost_cache_savings.model_call_count IS 'model calls';
COMMENT ON COLUMN bcce.cost_cache_savings.input_tokens IS 'tokens into the model, cache reads and writes apart; NULL: no call told';
COMMENT ON COLUMN bcce.cost_cache_savings.cache_read_tokens IS 'tokens that the model read from its cache; NULL: no call told';
COMMENT ON COLUMN bcce.cost_cache_savings.cache_write_5m_tokens IS 'tokens written to the five-minute cache, those of unknown life among them; NULL: no call told';
COMMENT ON COLUMN bcce.cost_cache_savings.cache_write_1h_tokens IS 'tokens written to the one-hour cache; NULL: no call told';
COMMENT ON COLUMN bcce.cost_cache_savings.cache_read_percent IS 'percent of the tokens into the model, cache writes included, that were read from the cache, one decimal; NULL: no tokens';
COMMENT ON COLUMN bcce.cost_cache_savings.read_savings_usd IS 'US dollars saved by reading: tokens read times what input would have cost more, by the prices of each call; NULL: no known price';
COMMENT ON COLUMN bcce.cost_cache_savings.write_premium_usd IS 'US dollars paid for writing: tokens written times what they cost more than input, by the prices of each call; NULL: no known price';
COMMENT ON COLUMN bcce.cost_cache_savings.cache_savings_usd IS 'US dollars saved in all: by reading less for writing; negative: the cache cost more than it saved; NULL: no known price';
COMMENT ON COLUMN bcce.cost_cache_savings.unpriced_units IS 'calls that used the cache at prices which are unknown: they are left out of the sums';
COMMENT ON COLUMN bcce.cost_cache_savings.currency IS 'currency of the money columns';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '27_cost_drivers', $bcce_module$
-- cost_drivers: why the cost of models rose or fell against the time before.
CREATE OR REPLACE FUNCTION bcce.cost_drivers(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    window_start_at timestamptz,
    window_end_at timestamptz,
    model_id text,
    token_class text,
    previous_quantity bigint,
    quantity bigint,
    previous_cost_usd numeric,
    cost_usd numeric,
    change_usd numeric,
    volume_effect_usd numeric,
    price_effect_usd numeric,
    mix_effect_usd numeric,
    is_lower_bound boolean,
    currency text
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH period AS (
        -- By the second: days of an interval would follow the session's zone.
        SELECT
            s.starts_at,
            e.ends_at,
            CASE WHEN isfinite(s.starts_at) AND isfinite(e.ends_at) AND s.starts_at < e.ends_at
                 THEN extract(epoch FROM e.ends_at - s.starts_at) * interval '1 second' END AS length
        FROM (SELECT least(until, bcce.report_now()) AS ends_at) e
        CROSS JOIN LATERAL (SELECT coalesce(since, e.ends_at - interval '720 hours') AS starts_at) s
    ),
    call AS (
        SELECT
            u.tenant_id,
            u.model_id,
            u.at >= (SELECT p.starts_at FROM period p) AS is_now,
            u.input_tokens,
            u.output_tokens,
            u.cache_read_tokens,
            u.cache_write_5m_tokens,
            u.cache_write_1h_tokens,
            u.web_searches,
            c.usd,
            c.is_split,
            c.part_1,
            c.part_2,
            c.part_3,
            c.part_4,
            c.part_5,
            c.part_6,
            c.price_effect_1,
            c.price_effect_2,
            c.price_effect_3,
            c.price_effect_4,
            c.price_effect_5,
            c.price_effect_6
        FROM bcce_data.model_usage u
        -- Taken apart at once: a stored array is copied for each look into it.
        CROSS JOIN LATERAL (
            SELECT
                k.usd,
                -- What was reported, or charged otherwise, is of no class.
                k.usd IS NOT NULL AND k.part[1] + k.part[2] + k.part[3] + k.part[4] + k.part[5] + k.part[6] IS NOT DISTINCT FROM k.usd AS is_split,
                k.part[1] AS part_1,
                k.part[2] AS part_2,
                k.part[3] AS part_3,
                k.part[4] AS part_4,
                k.part[5] AS part_5,
                k.part[6] AS part_6,
                k.part[1] - k.earlier_part[1] AS price_effect_1,
                k.part[2] - k.earlier_part[2] AS price_effect_2,
                k.part[3] - k.earlier_part[3] AS price_effect_3,
                k.part[4] - k.earlier_part[4] AS price_effect_4,
                k.part[5] - k.earlier_part[5] AS price_effect_5,
                k.part[6] - k.earlier_part[6] AS price_effect_6
            FROM (
                SELECT
                    coalesce(u.reported_cost_usd, u.charged_usd, bcce.estimate_token_cost(u.model_id, u.at, u.input_tokens, u.output_tokens, u.cache_read_tokens,
                        u.cache_write_5m_tokens, u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier, u.tenant_id)) AS usd,
                    CASE WHEN u.reported_cost_usd IS NULL
                         THEN bcce.token_cost_parts(u.model_id, u.at, u.input_tokens, u.output_tokens, u.cache_read_tokens,
                        u.cache_write_5m_tokens, u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier, u.tenant_id,
                             CASE WHEN u.charged_usd IS NOT NULL THEN u.priced_at END)
                    END AS part,
                    -- The same call, made one period earlier.
                    CASE WHEN u.reported_cost_usd IS NULL AND u.at >= (SELECT p.starts_at FROM period p)
                         THEN bcce.token_cost_parts(u.model_id, u.at - (SELECT p.length FROM period p), u.input_tokens, u.output_tokens, u.cache_read_tokens,
                        u.cache_write_5m_tokens, u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier, u.tenant_id,
                             CASE WHEN u.charged_usd IS NOT NULL THEN u.priced_at END)
                    END AS earlier_part
                OFFSET 0
            ) k
            OFFSET 0
        ) c
        WHERE u.at >= (SELECT p.starts_at - p.length FROM period p)
          AND u.at < (SELECT p.ends_at FROM period p)
          AND NOT u.is_test
    ),
    model AS (
        SELECT
            c.tenant_id,
            c.model_id,
            c.is_now,
            count(c.usd) AS calls,
            count(*) - count(c.usd) AS unpriced,
            ARRAY[sum(c.input_tokens) FILTER (WHERE c.is_split), sum(c.output_tokens) FILTER (WHERE c.is_split),
                  sum(c.cache_read_tokens) FILTER (WHERE c.is_split), sum(c.cache_write_5m_tokens) FILTER (WHERE c.is_split),
                  sum(c.cache_write_1h_tokens) FILTER (WHERE c.is_split), sum(c.web_searches) FILTER (WHERE c.is_split),
                  count(c.usd) FILTER (WHERE NOT c.is_split)] AS quantity,
            ARRAY[sum(c.part_1) FILTER (WHERE c.is_split), sum(c.part_2) FILTER (WHERE c.is_split), sum(c.part_3) FILTER (WHERE c.is_split),
                  sum(c.part_4) FILTER (WHERE c.is_split), sum(c.part_5) FILTER (WHERE c.is_split), sum(c.part_6) FILTER (WHERE c.is_split),
                  sum(c.usd) FILTER (WHERE NOT c.is_split)] AS usd,
            ARRAY[sum(c.price_effect_1) FILTER (WHERE c.is_split), sum(c.price_effect_2) FILTER (WHERE c.is_split),
                  sum(c.price_effect_3) FILTER (WHERE c.is_split), sum(c.price_effect_4) FILTER (WHERE c.is_split),
                  sum(c.price_effect_5) FILTER (WHERE c.is_split), sum(c.price_effect_6) FILTER (WHERE c.is_split),
                  NULL] AS price_effect
        FROM call c
        GROUP BY c.tenant_id, c.model_id, c.is_now
    ),
    cell AS (
        SELECT
            m.tenant_id,
            m.model_id,
            k.token_class,
            coalesce(sum(k.quantity) FILTER (WHERE NOT m.is_now), 0)::bigint AS old_quantity,
            coalesce(sum(k.quantity) FILTER (WHERE m.is_now), 0)::bigint AS new_quantity,
            coalesce(sum(k.usd) FILTER (WHERE NOT m.is_now), 0) AS old_usd,
            coalesce(sum(k.usd) FILTER (WHERE m.is_now), 0) AS new_usd,
            coalesce(sum(k.price_effect), 0) AS price_effect
        FROM model m
        CROSS JOIN LATERAL unnest('{input,output,cache_read,cache_write_5m,cache_write_1h,web_search,unsplit}'::text[], m.quantity, m.usd, m.price_effect)
            AS k (token_class, quantity, usd, price_effect)
        GROUP BY m.tenant_id, m.model_id, k.token_class
        HAVING sum(k.quantity) > 0
    ),
    total AS (
        SELECT
            m.tenant_id,
            coalesce(sum(m.calls) FILTER (WHERE NOT m.is_now), 0) AS old_calls,
            coalesce(sum(m.calls) FILTER (WHERE m.is_now), 0) AS new_calls,
            sum(m.unpriced) > 0 AS is_lower_bound
        FROM model m
        GROUP BY m.tenant_id
    )
    SELECT
        t.tenant_id,
        t.tenant_name,
        p.starts_at,
        p.ends_at,
        c.model_id,
        c.token_class,
        c.old_quantity,
        c.new_quantity,
        c.old_usd,
        c.new_usd,
        c.new_usd - c.old_usd,
        volume.usd,
        c.price_effect,
        c.new_usd - c.old_usd - c.price_effect - volume.usd,
        x.is_lower_bound,
        t.billing_currency
    FROM bcce_data.tenants t
    JOIN total x ON x.tenant_id = t.tenant_id
    JOIN cell c ON c.tenant_id = t.tenant_id
    CROSS JOIN period p
    CROSS JOIN LATERAL (
        SELECT CASE WHEN x.old_calls = 0 THEN c.new_usd - c.old_usd - c.price_effect
                    ELSE round(c.old_usd * x.new_calls / x.old_calls - c.old_usd, 10) END AS usd
    ) volume
    WHERE t.deleted_at IS NULL;
END;
COMMENT ON FUNCTION bcce.cost_drivers(timestamptz, timestamptz) IS 'What drives the change of model cost from the period before to the one of the same length between since (inclusive) and until (exclusive)? An until of NULL is now, a since of NULL 30 days before the end. Same columns as the view of this name.';

CREATE OR REPLACE VIEW bcce.cost_drivers WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.window_start_at,
    x.window_end_at,
    x.model_id,
    x.token_class,
    x.previous_quantity,
    x.quantity,
    x.previous_cost_usd,
    x.cost_usd,
    x.change_usd,
    x.volume_effect_usd,
    x.price_effect_usd,
    x.mix_effect_usd,
    x.is_lower_bound,
    x.currency
FROM bcce.cost_drivers(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.cost_drivers IS 'What drives the change of model spending: volume, prices, or the mix? One row per visible tenant, model and class of tokens used in the last 30 days or the 30 before. For another period, against the one of the same length before it, use the function of this name.';
COMMENT ON COLUMN bcce.cost_drivers.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.cost_drivers.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.cost_drivers.window_start_at IS 'start of the period, inclusive; the one before it ends here';
COMMENT ON COLUMN bcce.cost_drivers.window_end_at IS 'end of the period, exclusive';
COMMENT ON COLUMN bcce.cost_drivers.model_id IS 'model as the calls name it';
COMMENT ON COLUMN bcce.cost_drivers.token_class IS 'input, output, cache_read, cache_write_5m, cache_write_1h, web_search, or unsplit: calls whose cost the sender reported as one sum';
COMMENT ON COLUMN bcce.cost_drivers.previous_quantity IS 'tokens of the class, searches, or calls of an unsplit cost, in the period before; only calls with a known cost';
COMMENT ON COLUMN bcce.cost_drivers.quantity IS 'the same in the period';
COMMENT ON COLUMN bcce.cost_drivers.previous_cost_usd IS 'US dollars in the period before';
COMMENT ON COLUMN bcce.cost_drivers.cost_usd IS 'US dollars in the period; summed over a model, its model_cost_usd';
COMMENT ON COLUMN bcce.cost_drivers.change_usd IS 'US dollars more than in the period before: volume, price and mix effect, to the last digit';
COMMENT ON COLUMN bcce.cost_drivers.volume_effect_usd IS 'US dollars of the change if only the number of the tenant''s calls had changed, rounded to ten decimals; without calls before, all but the price effect';
COMMENT ON COLUMN bcce.cost_drivers.price_effect_usd IS 'US dollars of the change that are due to prices: what the period''s calls cost more than the same calls would have cost one period earlier; 0 where there was no price then';
COMMENT ON COLUMN bcce.cost_drivers.mix_effect_usd IS 'US dollars of the change that are left: other models, more or fewer tokens in a call, other classes of them';
COMMENT ON COLUMN bcce.cost_drivers.is_lower_bound IS 'true when the cost of some call of the tenant in either period is unknown: such calls are left out';
COMMENT ON COLUMN bcce.cost_drivers.currency IS 'currency of the money columns';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '27_cost_reconciliation', $bcce_module$
-- cost_reconciliation: what was metered beside what was billed.
CREATE OR REPLACE FUNCTION bcce.cost_reconciliation(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    provider text,
    period_start_at timestamptz,
    period_end_at timestamptz,
    metered_usd numeric,
    invoiced_usd numeric,
    difference_usd numeric,
    difference_percent numeric,
    call_count bigint,
    unpriced_calls bigint,
    unnamed_calls bigint,
    is_lower_bound boolean,
    currency text
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        i.provider,
        i.period_start_at,
        i.period_end_at,
        m.usd,
        i.amount_usd,
        i.amount_usd - m.usd,
        round(100 * (i.amount_usd - m.usd) / nullif(i.amount_usd, 0), 1),
        m.calls,
        m.unpriced,
        m.unnamed,
        m.unpriced > 0,
        t.billing_currency
    FROM bcce_data.invoices i
    JOIN bcce_data.tenants t ON t.tenant_id = i.tenant_id AND t.deleted_at IS NULL
    LEFT JOIN LATERAL (
        SELECT
            coalesce(sum(c.usd) FILTER (WHERE c.is_named), 0) AS usd,
            count(*) FILTER (WHERE c.is_named) AS calls,
            count(*) FILTER (WHERE c.is_named AND c.usd IS NULL) AS unpriced,
            count(*) FILTER (WHERE NOT c.is_named) AS unnamed
        FROM (
            SELECT
                coalesce(u.reported_cost_usd, u.charged_usd, bcce.estimate_token_cost(u.model_id, u.at, u.input_tokens, u.output_tokens,
                    u.cache_read_tokens, u.cache_write_5m_tokens, u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier, u.tenant_id)) AS usd,
                coalesce(u.provider, '') <> '' AS is_named
            FROM bcce_data.model_usage u
            WHERE u.tenant_id = i.tenant_id AND u.at >= i.period_start_at AND u.at < i.period_end_at AND NOT u.is_test
              AND (coalesce(u.provider, '') = '' OR lower(btrim(u.provider)) = i.provider)
        ) c
    ) m ON true
    WHERE (since IS NULL OR i.period_start_at >= since) AND (until IS NULL OR i.period_start_at < until);
END;
COMMENT ON FUNCTION bcce.cost_reconciliation(timestamptz, timestamptz) IS 'Does what was metered agree with the invoices whose period begins between since (inclusive) and until (exclusive)? NULL leaves an end open. Same columns as the view of this name.';

CREATE OR REPLACE VIEW bcce.cost_reconciliation WITH (security_invoker = true) AS
SELECT
    r.tenant_id,
    r.tenant_name,
    r.provider,
    r.period_start_at,
    r.period_end_at,
    r.metered_usd,
    r.invoiced_usd,
    r.difference_usd,
    r.difference_percent,
    r.call_count,
    r.unpriced_calls,
    r.unnamed_calls,
    r.is_lower_bound,
    r.currency
FROM bcce.cost_reconciliation(NULL::timestamptz, NULL::timestamptz) r;
COMMENT ON VIEW bcce.cost_reconciliation IS 'Does what was metered agree with what the provider billed? One row per visible tenant and invoice. For a period use the function of this name.';
COMMENT ON COLUMN bcce.cost_reconciliation.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.cost_reconciliation.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.cost_reconciliation.provider IS 'provider of the invoice, redacted';
COMMENT ON COLUMN bcce.cost_reconciliation.period_start_at IS 'start of the invoice''s period';
COMMENT ON COLUMN bcce.cost_reconciliation.period_end_at IS 'end of the invoice''s period, exclusive';
COMMENT ON COLUMN bcce.cost_reconciliation.metered_usd IS 'US dollars of the calls of that provider in the period, as in cost_analysis';
COMMENT ON COLUMN bcce.cost_reconciliation.invoiced_usd IS 'US dollars that the provider billed';
COMMENT ON COLUMN bcce.cost_reconciliation.difference_usd IS 'US dollars billed above what was metered; negative: below';
COMMENT ON COLUMN bcce.cost_reconciliation.difference_percent IS 'the difference in percent of the invoice, one decimal; NULL: the invoice is of 0';
COMMENT ON COLUMN bcce.cost_reconciliation.call_count IS 'calls of that provider in the period';
COMMENT ON COLUMN bcce.cost_reconciliation.unpriced_calls IS 'calls among them whose cost is unknown: a first reason for a difference';
COMMENT ON COLUMN bcce.cost_reconciliation.unnamed_calls IS 'calls in the period that name no provider, counted in none: a second reason';
COMMENT ON COLUMN bcce.cost_reconciliation.is_lower_bound IS 'true when some cost is unknown, so that more was metered';
COMMENT ON COLUMN bcce.cost_reconciliation.currency IS 'currency of the money columns';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '27_executions_hourly', $bcce_module$
-- How runs ended, hour by hour.
CREATE OR REPLACE FUNCTION bcce.executions_by_status_hourly(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    period_start_at timestamptz,
    total_workflows bigint,
    succeeded_workflows bigint,
    failed_workflows bigint,
    timed_out_workflows bigint,
    cancelled_workflows bigint,
    running_workflows bigint
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        c.starts_at,
        run.total,
        run.succeeded,
        run.failed,
        run.timed_out,
        run.cancelled,
        run.running
    FROM bcce_data.tenants t
    CROSS JOIN LATERAL bcce_data.fact_ends(t.tenant_id, since, until) seen
    CROSS JOIN LATERAL bcce_data.local_hour(seen.last_run_at, t.timezone) last_hour
    -- To the window's end or now, so that an outage shows; to the last run where that is over 35 days ago.
    CROSS JOIN LATERAL (
        SELECT CASE WHEN until IS NOT NULL THEN
                         greatest(last_hour.starts_at, (SELECT least(until - interval '1 microsecond', bcce.report_now())))
                     WHEN last_hour.starts_at < (SELECT bcce.report_now() - interval '840 hours') THEN last_hour.starts_at
                     ELSE greatest(last_hour.starts_at, (SELECT bcce.report_now())) END AS last_at
    ) e
    CROSS JOIN LATERAL bcce_data.local_hours(seen.first_run_at, e.last_at, t.timezone) c
    CROSS JOIN LATERAL (
        SELECT
            count(*) AS total,
            count(*) FILTER (WHERE ended.by_now AND r.status = 'succeeded') AS succeeded,
            count(*) FILTER (WHERE ended.by_now AND r.status = 'failed') AS failed,
            count(*) FILTER (WHERE ended.by_now AND r.status = 'timed_out') AS timed_out,
            count(*) FILTER (WHERE ended.by_now AND r.status = 'cancelled') AS cancelled,
            count(*) FILTER (WHERE ended.by_now IS NOT TRUE) AS running
        FROM bcce_data.workflow_runs r
        CROSS JOIN LATERAL bcce_data.local_hour(r.started_at, t.timezone) hour
        CROSS JOIN LATERAL (SELECT r.finished_at <= (SELECT least(until, bcce.report_now())) AS by_now) ended
        WHERE r.tenant_id = t.tenant_id
          AND NOT r.is_test AND r.status <> 'skipped'
          AND r.started_at >= c.starts_at
          AND r.started_at < c.ends_at
          AND (c.is_whole OR hour.starts_at = c.starts_at)
          AND r.started_at >= coalesce(since, '-infinity')
          AND r.started_at < coalesce(until, 'infinity')
    ) run
    WHERE t.deleted_at IS NULL;
END;
COMMENT ON FUNCTION bcce.executions_by_status_hourly(timestamptz, timestamptz) IS 'How did the runs end that started between since (inclusive) and until (exclusive), hour by hour? NULL leaves an end open. Same columns as the view of this name; what finished after the window still counts as running.';

CREATE OR REPLACE VIEW bcce.executions_by_status_hourly WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.period_start_at,
    x.total_workflows,
    x.succeeded_workflows,
    x.failed_workflows,
    x.timed_out_workflows,
    x.cancelled_workflows,
    x.running_workflows
FROM bcce.executions_by_status_hourly(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.executions_by_status_hourly IS 'How do runs end, hour by hour? One row per visible tenant and hour of its clock from its first run to now (to its last where that is over 35 days ago), hours without any included. For a period use the function of this name.';
COMMENT ON COLUMN bcce.executions_by_status_hourly.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.executions_by_status_hourly.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.executions_by_status_hourly.period_start_at IS 'start of the hour by the clock of the tenant''s zone; a repeated hour is two';
COMMENT ON COLUMN bcce.executions_by_status_hourly.total_workflows IS 'runs started, skipped ones not';
COMMENT ON COLUMN bcce.executions_by_status_hourly.succeeded_workflows IS 'of these, succeeded';
COMMENT ON COLUMN bcce.executions_by_status_hourly.failed_workflows IS 'of these, failed';
COMMENT ON COLUMN bcce.executions_by_status_hourly.timed_out_workflows IS 'of these, timed out';
COMMENT ON COLUMN bcce.executions_by_status_hourly.cancelled_workflows IS 'of these, cancelled';
COMMENT ON COLUMN bcce.executions_by_status_hourly.running_workflows IS 'of these, not finished';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '27_recovery_episodes', $bcce_module$
-- Spells in which a workflow fails, until it succeeds again.
CREATE OR REPLACE FUNCTION bcce.recovery_episodes(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    failed_at timestamptz,
    recovered_at timestamptz,
    workflow_id text,
    workflow_name text,
    service_id text,
    runs_failed bigint,
    recovery_minutes double precision,
    open_minutes double precision,
    incident_id text
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        e.tenant_id,
        e.tenant_name,
        e.failed_at,
        CASE WHEN e.state = 'recovered' THEN e.ended_at END,
        e.workflow_id,
        w.name,
        e.service_id,
        e.runs_failed,
        CASE WHEN e.state = 'recovered' THEN extract(epoch FROM e.ended_at - e.failed_at)::double precision / 60 END,
        CASE WHEN e.state = 'open' THEN
            extract(epoch FROM (SELECT least(until, bcce.report_now())) - e.failed_at)::double precision / 60 END,
        e.incident_id
    FROM bcce_data.failure_episodes(until, false) e
    LEFT JOIN bcce_data.workflows w ON w.tenant_id = e.tenant_id AND w.workflow_id = e.workflow_id
    WHERE (since IS NULL OR e.failed_at >= since)
      AND (until IS NULL OR e.failed_at < until);
END;
COMMENT ON FUNCTION bcce.recovery_episodes(timestamptz, timestamptz) IS 'When did workflows begin to fail between since (inclusive) and until (exclusive), and when did they succeed again? NULL leaves an end open. Same columns as the view of this name; episodes form over all history, and what succeeded after the window is still open.';

CREATE OR REPLACE VIEW bcce.recovery_episodes WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.failed_at,
    x.recovered_at,
    x.workflow_id,
    x.workflow_name,
    x.service_id,
    x.runs_failed,
    x.recovery_minutes,
    x.open_minutes,
    x.incident_id
FROM bcce.recovery_episodes(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.recovery_episodes IS 'When did workflows fail, and when did they work again? One row per failure episode of a workflow: from its first failed run after a success to the next success. For a period use the function of this name.';
COMMENT ON COLUMN bcce.recovery_episodes.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.recovery_episodes.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.recovery_episodes.failed_at IS 'end of the first failed run of the episode';
COMMENT ON COLUMN bcce.recovery_episodes.recovered_at IS 'end of the next successful run; NULL: there is none yet, or its time lies over five minutes in the future';
COMMENT ON COLUMN bcce.recovery_episodes.workflow_id IS 'workflow';
COMMENT ON COLUMN bcce.recovery_episodes.workflow_name IS 'display name of the workflow; NULL: it was never declared';
COMMENT ON COLUMN bcce.recovery_episodes.service_id IS 'service of the first failed run, else of the workflow';
COMMENT ON COLUMN bcce.recovery_episodes.runs_failed IS 'runs of the episode that failed or timed out; cancelled ones neither count nor end it';
COMMENT ON COLUMN bcce.recovery_episodes.recovery_minutes IS 'time from failed_at to recovered_at, minutes; NULL: not recovered';
COMMENT ON COLUMN bcce.recovery_episodes.open_minutes IS 'age of an episode that is open, minutes, up to now or the window''s end; NULL: not open';
COMMENT ON COLUMN bcce.recovery_episodes.incident_id IS 'declared incident of the same service that the episode overlaps, the earliest of several; NULL: none';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '27_unpriced_usage', $bcce_module$
-- unpriced_usage: model calls whose cost is unknown, and why.
CREATE OR REPLACE FUNCTION bcce.unpriced_usage(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    model_id text,
    reason text,
    model_call_count bigint,
    input_tokens bigint,
    output_tokens bigint,
    cache_read_tokens bigint,
    cache_write_5m_tokens bigint,
    cache_write_1h_tokens bigint,
    web_searches bigint,
    first_seen_at timestamptz,
    last_seen_at timestamptz
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        x.model_id,
        x.reason,
        x.calls,
        x.input_tokens,
        x.output_tokens,
        x.cache_read_tokens,
        x.cache_write_5m_tokens,
        x.cache_write_1h_tokens,
        x.web_searches,
        x.first_at,
        x.last_at
    FROM bcce_data.tenants t
    JOIN (
        SELECT
            u.tenant_id,
            u.model_id,
            why.reason,
            count(*) AS calls,
            sum(u.input_tokens)::bigint AS input_tokens,
            sum(u.output_tokens)::bigint AS output_tokens,
            sum(u.cache_read_tokens)::bigint AS cache_read_tokens,
            sum(u.cache_write_5m_tokens)::bigint AS cache_write_5m_tokens,
            sum(u.cache_write_1h_tokens)::bigint AS cache_write_1h_tokens,
            sum(u.web_searches)::bigint AS web_searches,
            min(u.at) AS first_at,
            max(u.at) AS last_at
        FROM bcce_data.model_usage u
        CROSS JOIN LATERAL (
            SELECT
                bcce.token_cost_status(u.model_id, u.at, u.input_tokens, u.output_tokens, u.cache_read_tokens, u.cache_write_5m_tokens,
                    u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier, u.tenant_id) AS reason
            OFFSET 0
        ) why
        WHERE u.at >= coalesce(since, '-infinity')
          AND u.at < coalesce(until, 'infinity')
          AND NOT u.is_test
          AND coalesce(u.reported_cost_usd, u.charged_usd) IS NULL
          AND why.reason NOT IN ('priced', 'synthetic')
        GROUP BY u.tenant_id, u.model_id, why.reason
    ) x ON x.tenant_id = t.tenant_id
    WHERE t.deleted_at IS NULL;
END;
COMMENT ON FUNCTION bcce.unpriced_usage(timestamptz, timestamptz) IS 'Which calls between since (inclusive) and until (exclusive) have no known price, and why? NULL leaves an end open. Same columns as the view of this name.';

CREATE OR REPLACE VIEW bcce.unpriced_usage WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.model_id,
    x.reason,
    x.model_call_count,
    x.input_tokens,
    x.output_tokens,
    x.cache_read_tokens,
    x.cache_write_5m_tokens,
    x.cache_write_1h_tokens,
    x.web_searches,
    x.first_seen_at,
    x.last_seen_at
FROM bcce.unpriced_usage(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.unpriced_usage IS 'Which model calls have no known price, and why? One row per visible tenant, model and reason. For a period use the function of this name.';
COMMENT ON COLUMN bcce.unpriced_usage.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.unpriced_usage.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.unpriced_usage.model_id IS 'model as the calls name it';
COMMENT ON COLUMN bcce.unpriced_usage.reason IS 'no_tokens: no count was told; unknown_model; no_price_at_time; not_token_priced: priced by time; missing_price: of a class of tokens that was used; missing_factor: of fast, us or batch; out_of_range. set_model_price(), set_model_price_factor(), set_model_alias() and import_prices() mend all but the first and the last';
COMMENT ON COLUMN bcce.unpriced_usage.model_call_count IS 'model calls';
COMMENT ON COLUMN bcce.unpriced_usage.input_tokens IS 'tokens into the model, cache reads and writes apart; NULL: no call told';
COMMENT ON COLUMN bcce.unpriced_usage.output_tokens IS 'tokens out of the model; NULL: no call told';
COMMENT ON COLUMN bcce.unpriced_usage.cache_read_tokens IS 'tokens that the model read from its cache; NULL: no call told';
COMMENT ON COLUMN bcce.unpriced_usage.cache_write_5m_tokens IS 'tokens written to the five-minute cache, those of unknown life among them; NULL: no call told';
COMMENT ON COLUMN bcce.unpriced_usage.cache_write_1h_tokens IS 'tokens written to the one-hour cache; NULL: no call told';
COMMENT ON COLUMN bcce.unpriced_usage.web_searches IS 'searches that the provider made for the calls; NULL: no call told';
COMMENT ON COLUMN bcce.unpriced_usage.first_seen_at IS 'when the first of them was made';
COMMENT ON COLUMN bcce.unpriced_usage.last_seen_at IS 'when the last of them was made';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '27_workflows', $bcce_module$
-- Runs that fail, drag or hang.
CREATE OR REPLACE FUNCTION bcce.top_failures(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    failure_rank bigint,
    workflow_id text,
    workflow_name text,
    error_class text,
    failure_count bigint,
    share_percent numeric,
    last_error_message text,
    first_failed_at timestamptz,
    last_failed_at timestamptz
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        f.tenant_id,
        f.tenant_name,
        row_number() OVER (PARTITION BY f.tenant_id ORDER BY f.failures DESC, f.workflow_id COLLATE "C", f.error_class COLLATE "C"),
        f.workflow_id,
        w.name,
        f.error_class,
        f.failures,
        round(100.0 * f.failures / sum(f.failures) OVER (PARTITION BY f.tenant_id), 1),
        f.last_message,
        f.first_at,
        f.last_at
    FROM (
        -- Ranked and not collected: a workflow may have failed a million times.
        SELECT
            k.tenant_id,
            k.tenant_name,
            k.workflow_id,
            k.error_class,
            count(*) AS failures,
            max(k.error_message) FILTER (WHERE k.recency = 1) AS last_message,
            min(k.finished_at) AS first_at,
            max(k.finished_at) AS last_at
        FROM (
            SELECT
                t.tenant_id,
                t.tenant_name,
                r.workflow_id,
                class.error_class,
                r.error_message,
                r.finished_at,
                row_number() OVER (PARTITION BY t.tenant_id, r.workflow_id, class.error_class, r.error_message IS NULL
                                   ORDER BY r.finished_at DESC, r.run_id DESC) AS recency
            FROM bcce_data.tenants t
            JOIN bcce_data.workflow_runs r ON r.tenant_id = t.tenant_id
            CROSS JOIN LATERAL (SELECT coalesce(r.error_class, 'unclassified') AS error_class) class
            WHERE t.deleted_at IS NULL
              AND NOT r.is_test
              AND r.status IN ('failed', 'timed_out')
              AND r.started_at >= coalesce(since, '-infinity')
              AND r.started_at < coalesce(until, 'infinity')
              AND r.finished_at <= (SELECT least(until, bcce.report_now()))
        ) k
        GROUP BY k.tenant_id, k.tenant_name, k.workflow_id, k.error_class
    ) f
    LEFT JOIN bcce_data.workflows w ON w.tenant_id = f.tenant_id AND w.workflow_id = f.workflow_id;
END;
COMMENT ON FUNCTION bcce.top_failures(timestamptz, timestamptz) IS 'What failed most among the runs that started between since (inclusive) and until (exclusive)? NULL leaves an end open. Same columns as the view of this name; what failed after the window does not count.';

CREATE OR REPLACE VIEW bcce.top_failures WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.failure_rank,
    x.workflow_id,
    x.workflow_name,
    x.error_class,
    x.failure_count,
    x.share_percent,
    x.last_error_message,
    x.first_failed_at,
    x.last_failed_at
FROM bcce.top_failures(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.top_failures IS 'Which workflow fails most, and with which error? One row per visible tenant, workflow and error class with a failed run. For a period use the function of this name.';
COMMENT ON COLUMN bcce.top_failures.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.top_failures.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.top_failures.failure_rank IS 'place in the tenant''s list, 1 for most failures; ties by workflow and error class';
COMMENT ON COLUMN bcce.top_failures.workflow_id IS 'workflow';
COMMENT ON COLUMN bcce.top_failures.workflow_name IS 'display name of the workflow; NULL: it was never declared';
COMMENT ON COLUMN bcce.top_failures.error_class IS 'error class; unclassified where the sender gave none';
COMMENT ON COLUMN bcce.top_failures.failure_count IS 'failed and timed out runs';
COMMENT ON COLUMN bcce.top_failures.share_percent IS 'percent of the tenant''s failed runs, one decimal';
COMMENT ON COLUMN bcce.top_failures.last_error_message IS 'message of the latest of them that has one, redacted';
COMMENT ON COLUMN bcce.top_failures.first_failed_at IS 'end of the first of them';
COMMENT ON COLUMN bcce.top_failures.last_failed_at IS 'end of the last of them';

-- The latest failures of each tenant.
CREATE OR REPLACE FUNCTION bcce.recent_workflow_errors(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    recency_rank bigint,
    finished_at timestamptz,
    run_id text,
    workflow_id text,
    workflow_name text,
    service_id text,
    status text,
    error_class text,
    error_message text,
    duration_seconds double precision
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        f.tenant_id,
        f.tenant_name,
        f.place,
        f.finished_at,
        f.run_id,
        f.workflow_id,
        w.name,
        coalesce(f.service_id, w.service_id),
        f.status,
        f.error_class,
        f.error_message,
        f.duration_s
    FROM (
        SELECT
            t.tenant_id,
            t.tenant_name,
            r.finished_at,
            r.run_id,
            r.workflow_id,
            r.service_id,
            r.status,
            r.error_class,
            r.error_message,
            r.duration_s,
            row_number() OVER (PARTITION BY t.tenant_id ORDER BY r.finished_at DESC, r.run_id DESC) AS place
        FROM bcce_data.tenants t
        JOIN bcce_data.workflow_runs r ON r.tenant_id = t.tenant_id
        WHERE t.deleted_at IS NULL
          AND NOT r.is_test
          AND r.status IN ('failed', 'timed_out')
          AND r.started_at >= coalesce(since, '-infinity')
          AND r.started_at < coalesce(until, 'infinity')
          AND r.finished_at <= (SELECT least(until, bcce.report_now()))
    ) f
    LEFT JOIN bcce_data.workflows w ON w.tenant_id = f.tenant_id AND w.workflow_id = f.workflow_id
    WHERE f.place <= 20;
END;
COMMENT ON FUNCTION bcce.recent_workflow_errors(timestamptz, timestamptz) IS 'Which were the latest failures among the runs that started between since (inclusive) and until (exclusive)? NULL leaves an end open. Same columns as the view of this name; what failed after the window does not count.';

CREATE OR REPLACE VIEW bcce.recent_workflow_errors WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.recency_rank,
    x.finished_at,
    x.run_id,
    x.workflow_id,
    x.workflow_name,
    x.service_id,
    x.status,
    x.error_class,
    x.error_message,
    x.duration_seconds
FROM bcce.recent_workflow_errors(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.recent_workflow_errors IS 'Which runs failed last? One row per failed run, the latest 20 of each visible tenant. For a period use the function of this name.';
COMMENT ON COLUMN bcce.recent_workflow_errors.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.recent_workflow_errors.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.recent_workflow_errors.recency_rank IS '1 for the latest failure of the tenant';
COMMENT ON COLUMN bcce.recent_workflow_errors.finished_at IS 'when the run failed';
COMMENT ON COLUMN bcce.recent_workflow_errors.run_id IS 'run';
COMMENT ON COLUMN bcce.recent_workflow_errors.workflow_id IS 'workflow';
COMMENT ON COLUMN bcce.recent_workflow_errors.workflow_name IS 'display name of the workflow; NULL: it was never declared';
COMMENT ON COLUMN bcce.recent_workflow_errors.service_id IS 'service of the run, else of the workflow';
COMMENT ON COLUMN bcce.recent_workflow_errors.status IS 'failed or timed_out';
COMMENT ON COLUMN bcce.recent_workflow_errors.error_class IS 'error class; NULL: the sender gave none';
COMMENT ON COLUMN bcce.recent_workflow_errors.error_message IS 'error message, redacted';
COMMENT ON COLUMN bcce.recent_workflow_errors.duration_seconds IS 'how long the run ran, seconds';

-- Runs that took over ten minutes.
CREATE OR REPLACE FUNCTION bcce.slow_runs(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    started_at timestamptz,
    finished_at timestamptz,
    run_id text,
    workflow_id text,
    workflow_name text,
    service_id text,
    status text,
    duration_seconds double precision
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        r.started_at,
        r.finished_at,
        r.run_id,
        r.workflow_id,
        w.name,
        coalesce(r.service_id, w.service_id),
        r.status,
        r.duration_s
    FROM bcce_data.tenants t
    JOIN bcce_data.workflow_runs r ON r.tenant_id = t.tenant_id
    LEFT JOIN bcce_data.workflows w ON w.tenant_id = r.tenant_id AND w.workflow_id = r.workflow_id
    WHERE t.deleted_at IS NULL
      AND NOT r.is_test
      AND r.status IN ('succeeded', 'failed', 'timed_out')
      AND r.duration_s > 600
      AND r.started_at >= coalesce(since, '-infinity')
      AND r.started_at < coalesce(until, 'infinity')
      AND r.finished_at <= (SELECT least(until, bcce.report_now()));
END;
COMMENT ON FUNCTION bcce.slow_runs(timestamptz, timestamptz) IS 'Which runs that started between since (inclusive) and until (exclusive) took over 600 seconds? NULL leaves an end open. Same columns as the view of this name; what finished after the window does not count.';

CREATE OR REPLACE VIEW bcce.slow_runs WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.started_at,
    x.finished_at,
    x.run_id,
    x.workflow_id,
    x.workflow_name,
    x.service_id,
    x.status,
    x.duration_seconds
FROM bcce.slow_runs(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.slow_runs IS 'Which runs were slow and took too long? One row per run that succeeded, failed or timed out after more than 600 seconds. For a period use the function of this name.';
COMMENT ON COLUMN bcce.slow_runs.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.slow_runs.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.slow_runs.started_at IS 'when the run started';
COMMENT ON COLUMN bcce.slow_runs.finished_at IS 'when the run finished';
COMMENT ON COLUMN bcce.slow_runs.run_id IS 'run';
COMMENT ON COLUMN bcce.slow_runs.workflow_id IS 'workflow';
COMMENT ON COLUMN bcce.slow_runs.workflow_name IS 'display name of the workflow; NULL: it was never declared';
COMMENT ON COLUMN bcce.slow_runs.service_id IS 'service of the run, else of the workflow';
COMMENT ON COLUMN bcce.slow_runs.status IS 'succeeded, failed or timed_out';
COMMENT ON COLUMN bcce.slow_runs.duration_seconds IS 'how long the run ran, seconds';

-- Runs that do not end.
CREATE OR REPLACE FUNCTION bcce.hung_runs(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    started_at timestamptz,
    run_id text,
    workflow_id text,
    workflow_name text,
    service_id text,
    running_seconds double precision
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        r.started_at,
        r.run_id,
        r.workflow_id,
        w.name,
        coalesce(r.service_id, w.service_id),
        extract(epoch FROM (SELECT least(until, bcce.report_now())) - r.started_at)::double precision
    FROM bcce_data.tenants t
    JOIN bcce_data.workflow_runs r ON r.tenant_id = t.tenant_id
    LEFT JOIN bcce_data.workflows w ON w.tenant_id = r.tenant_id AND w.workflow_id = r.workflow_id
    WHERE t.deleted_at IS NULL
      AND NOT r.is_test
      AND r.status <> 'skipped'
      AND r.started_at >= coalesce(since, '-infinity')
      AND r.started_at < coalesce(until, 'infinity')
      AND r.started_at < (SELECT least(until, bcce.report_now()) - interval '1800 seconds')
      AND (r.finished_at IS NULL OR r.finished_at > (SELECT least(until, bcce.report_now())));
END;
COMMENT ON FUNCTION bcce.hung_runs(timestamptz, timestamptz) IS 'Which runs that started between since (inclusive) and until (exclusive) had run for over 1800 seconds at the end of the window? NULL leaves an end open. Same columns as the view of this name.';

CREATE OR REPLACE VIEW bcce.hung_runs WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.started_at,
    x.run_id,
    x.workflow_id,
    x.workflow_name,
    x.service_id,
    x.running_seconds
FROM bcce.hung_runs(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.hung_runs IS 'Which runs hang? One row per run that has been running for more than 1800 seconds. For a period use the function of this name.';
COMMENT ON COLUMN bcce.hung_runs.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.hung_runs.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.hung_runs.started_at IS 'when the run started';
COMMENT ON COLUMN bcce.hung_runs.run_id IS 'run';
COMMENT ON COLUMN bcce.hung_runs.workflow_id IS 'workflow';
COMMENT ON COLUMN bcce.hung_runs.workflow_name IS 'display name of the workflow; NULL: it was never declared';
COMMENT ON COLUMN bcce.hung_runs.service_id IS 'service of the run, else of the workflow';
COMMENT ON COLUMN bcce.hung_runs.running_seconds IS 'how long it has been running, seconds, now or at the window''s end';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '28_cost_focus', $bcce_module$
-- cost_focus: the cost of model calls under the names of FinOps FOCUS 1.2.
--
-- One row a request and class of tokens, so that price times quantity is the cost;
-- a request whose cost was reported as one sum is one row.  Only what has a cost:
-- FOCUS knows no unknown one.  The rest is in cost_focus_unpriced, and how much
-- that is in cost_focus_coverage.
CREATE OR REPLACE FUNCTION bcce.cost_focus(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    "BillingAccountId" text,
    "BillingAccountName" text,
    "SubAccountId" text,
    "SubAccountName" text,
    "BillingPeriodStart" timestamptz,
    "BillingPeriodEnd" timestamptz,
    "ChargePeriodStart" timestamptz,
    "ChargePeriodEnd" timestamptz,
    "BillingCurrency" text,
    "PricingCurrency" text,
    "ChargeCategory" text,
    "ChargeClass" text,
    "ChargeFrequency" text,
    "ChargeDescription" text,
    "ProviderName" text,
    "PublisherName" text,
    "InvoiceIssuerName" text,
    "ServiceCategory" text,
    "ServiceSubcategory" text,
    "ServiceName" text,
    "RegionId" text,
    "RegionName" text,
    "ResourceId" text,
    "ResourceType" text,
    "SkuId" text,
    "SkuPriceId" text,
    "SkuMeter" text,
    "SkuPriceDetails" jsonb,
    "ConsumedQuantity" numeric,
    "ConsumedUnit" text,
    "PricingQuantity" numeric,
    "PricingUnit" text,
    "PricingCategory" text,
    "ListUnitPrice" numeric,
    "ListCost" numeric,
    "ContractedUnitPrice" numeric,
    "ContractedCost" numeric,
    "EffectiveCost" numeric,
    "BilledCost" numeric,
    "Tags" jsonb,
    "x_UserKey" text,
    "x_SessionId" text,
    "x_WorkflowRunId" text,
    "x_QuerySource" text,
    "x_AgentName" text,
    "x_RequestId" text,
    "x_CostBasis" text,
    "x_PricedAt" timestamptz,
    "x_RequestedAt" timestamptz
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        coalesce(t.org_id, t.tenant_id::text),
        t.tenant_name,
        t.tenant_id::text,
        t.tenant_name,
        date_trunc('month', u.at, 'UTC'),
        (date_trunc('month', u.at AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC',
        date_trunc('hour', u.at, 'UTC'),
        date_trunc('hour', u.at, 'UTC') + interval '1 hour',
        t.billing_currency,
        t.billing_currency,
        'Usage',
        NULL,
        'Usage-Based',
        u.model_id || ' ' || k.meter,
        u.provider,
        CASE WHEN u.model_id LIKE '%claude%' THEN 'Anthropic' END,
        u.provider,
        'AI and Machine Learning',
        'Generative AI',
        'Model calls',
        u.region,
        u.region,
        u.model_id,
        'model',
        u.model_id || ':' || k.class,
        u.model_id || ':' || k.class || ':' || coalesce(u.service_tier, 'standard') || ':' || coalesce(u.speed, 'standard') || ':' || coalesce(u.inference_geo, 'global'),
        k.meter,
        jsonb_strip_nulls(jsonb_build_object('service_tier', u.service_tier, 'speed', u.speed, 'inference_geo', u.inference_geo)),
        k.quantity,
        k.unit,
        k.quantity,
        k.unit,
        'Standard',
        k.usd / k.quantity,
        k.usd,
        k.usd / k.quantity,
        k.usd,
        k.usd,
        k.usd,
        jsonb_strip_nulls(jsonb_build_object('team', u.team_id, 'project', u.project)),
        u.user_key,
        u.session_id,
        u.run_id,
        u.query_source,
        u.agent_name,
        u.request_id,
        CASE WHEN u.reported_cost_usd IS NULL THEN 'estimated' ELSE 'reported' END,
        CASE WHEN u.reported_cost_usd IS NULL THEN coalesce(u.priced_at, bcce.report_now()) END,
        u.at
    FROM bcce_data.model_usage u
    JOIN bcce_data.tenants t ON t.tenant_id = u.tenant_id AND t.deleted_at IS NULL
    CROSS JOIN LATERAL (
        SELECT CASE WHEN u.reported_cost_usd IS NULL THEN
            bcce.token_cost_parts(u.model_id, u.at, u.input_tokens, u.output_tokens, u.cache_read_tokens, u.cache_write_5m_tokens,
                u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier, u.tenant_id,
                CASE WHEN u.charged_usd IS NOT NULL THEN u.priced_at END) END AS usd
        OFFSET 0
    ) part
    -- Where the parts are not those of what was charged, a price list was
    -- replaced as a whole: the sum stays right, as one row.
    CROSS JOIN LATERAL (
        SELECT u.reported_cost_usd IS NULL AND part.usd IS NOT NULL
               AND coalesce(u.charged_usd = (SELECT sum(p) FROM unnest(part.usd) AS p), true) AS is_split
    ) way
    CROSS JOIN LATERAL (
        SELECT x.class, x.meter, x.quantity::numeric AS quantity, x.unit, x.usd
        FROM (VALUES
            ('input', 'Input Tokens', u.input_tokens, 'Tokens', part.usd[1]),
            ('output', 'Output Tokens', u.output_tokens, 'Tokens', part.usd[2]),
            ('cache_read', 'Cache Read Tokens', u.cache_read_tokens, 'Tokens', part.usd[3]),
            ('cache_write_5m', 'Cache Write 5m Tokens', u.cache_write_5m_tokens, 'Tokens', part.usd[4]),
            ('cache_write_1h', 'Cache Write 1h Tokens', u.cache_write_1h_tokens, 'Tokens', part.usd[5]),
            ('web_search', 'Web Searches', u.web_searches, 'Searches', part.usd[6])
        ) AS x (class, meter, quantity, unit, usd)
        WHERE way.is_split AND x.quantity > 0
        UNION ALL
        SELECT 'request', 'Requests', 1, 'Requests', coalesce(u.reported_cost_usd, u.charged_usd)
        WHERE NOT way.is_split AND coalesce(u.reported_cost_usd, u.charged_usd) IS NOT NULL
    ) k
    WHERE u.at >= coalesce(since, '-infinity')
      AND u.at < coalesce(until, 'infinity')
      AND NOT u.is_test;
END;
COMMENT ON FUNCTION bcce.cost_focus(timestamptz, timestamptz) IS 'What did each model call between since (inclusive) and until (exclusive) cost, by class of tokens, under the names of FinOps FOCUS 1.2? NULL leaves an end open. Same columns as the view of this name.';

CREATE OR REPLACE VIEW bcce.cost_focus WITH (security_invoker = true) AS
SELECT
    f.tenant_id,
    f."BillingAccountId",
    f."BillingAccountName",
    f."SubAccountId",
    f."SubAccountName",
    f."BillingPeriodStart",
    f."BillingPeriodEnd",
    f."ChargePeriodStart",
    f."ChargePeriodEnd",
    f."BillingCurrency",
    f."PricingCurrency",
    f."ChargeCategory",
    f."ChargeClass",
    f."ChargeFrequency",
    f."ChargeDescription",
    f."ProviderName",
    f."PublisherName",
    f."InvoiceIssuerName",
    f."ServiceCategory",
    f."ServiceSubcategory",
    f."ServiceName",
    f."RegionId",
    f."RegionName",
    f."ResourceId",
    f."ResourceType",
    f."SkuId",
    f."SkuPriceId",
    f."SkuMeter",
    f."SkuPriceDetails",
    f."ConsumedQuantity",
    f."ConsumedUnit",
    f."PricingQuantity",
    f."PricingUnit",
    f."PricingCategory",
    f."ListUnitPrice",
    f."ListCost",
    f."ContractedUnitPrice",
    f."ContractedCost",
    f."EffectiveCost",
    f."BilledCost",
    f."Tags",
    f."x_UserKey",
    f."x_SessionId",
    f."x_WorkflowRunId",
    f."x_QuerySource",
    f."x_AgentName",
    f."x_RequestId",
    f."x_CostBasis",
    f."x_PricedAt",
    f."x_RequestedAt"
FROM bcce.cost_focus(NULL::timestamptz, NULL::timestamptz) f;
COMMENT ON VIEW bcce.cost_focus IS 'What did each model call cost, under the names of FinOps FOCUS 1.2? One row per request and class of tokens of visible tenants that has a cost; price times quantity is the cost. For a period use the function of this name.';
COMMENT ON COLUMN bcce.cost_focus.tenant_id IS 'tenant; not of FOCUS: leave it out of a file for others';
COMMENT ON COLUMN bcce.cost_focus."BillingAccountId" IS 'organisation that pays, else the tenant';
COMMENT ON COLUMN bcce.cost_focus."BillingAccountName" IS 'display name of the tenant';
COMMENT ON COLUMN bcce.cost_focus."SubAccountId" IS 'tenant';
COMMENT ON COLUMN bcce.cost_focus."SubAccountName" IS 'display name of the tenant';
COMMENT ON COLUMN bcce.cost_focus."BillingPeriodStart" IS 'start of the month (UTC)';
COMMENT ON COLUMN bcce.cost_focus."BillingPeriodEnd" IS 'end of the month (UTC), exclusive';
COMMENT ON COLUMN bcce.cost_focus."ChargePeriodStart" IS 'start of the hour (UTC) of the request';
COMMENT ON COLUMN bcce.cost_focus."ChargePeriodEnd" IS 'end of that hour, exclusive';
COMMENT ON COLUMN bcce.cost_focus."BillingCurrency" IS 'currency of the costs';
COMMENT ON COLUMN bcce.cost_focus."PricingCurrency" IS 'currency of the prices';
COMMENT ON COLUMN bcce.cost_focus."ChargeCategory" IS 'Usage';
COMMENT ON COLUMN bcce.cost_focus."ChargeClass" IS 'NULL: no correction of an earlier charge';
COMMENT ON COLUMN bcce.cost_focus."ChargeFrequency" IS 'Usage-Based';
COMMENT ON COLUMN bcce.cost_focus."ChargeDescription" IS 'model and class of tokens';
COMMENT ON COLUMN bcce.cost_focus."ProviderName" IS 'provider as the call names it, redacted; NULL: it does not';
COMMENT ON COLUMN bcce.cost_focus."PublisherName" IS 'who made the model; NULL: not known by its name';
COMMENT ON COLUMN bcce.cost_focus."InvoiceIssuerName" IS 'who bills it: the provider; NULL: the call names none';
COMMENT ON COLUMN bcce.cost_focus."ServiceCategory" IS 'AI and Machine Learning';
COMMENT ON COLUMN bcce.cost_focus."ServiceSubcategory" IS 'Generative AI';
COMMENT ON COLUMN bcce.cost_focus."ServiceName" IS 'Model calls';
COMMENT ON COLUMN bcce.cost_focus."RegionId" IS 'region as the call names it, redacted; NULL: it does not';
COMMENT ON COLUMN bcce.cost_focus."RegionName" IS 'the same';
COMMENT ON COLUMN bcce.cost_focus."ResourceId" IS 'model';
COMMENT ON COLUMN bcce.cost_focus."ResourceType" IS 'model';
COMMENT ON COLUMN bcce.cost_focus."SkuId" IS 'model and class of tokens: the same over time and tenants';
COMMENT ON COLUMN bcce.cost_focus."SkuPriceId" IS 'SKU with all that its price depends on but the time';
COMMENT ON COLUMN bcce.cost_focus."SkuMeter" IS 'class of tokens';
COMMENT ON COLUMN bcce.cost_focus."SkuPriceDetails" IS 'service tier, speed and place of inference, where the call names them';
COMMENT ON COLUMN bcce.cost_focus."ConsumedQuantity" IS 'tokens, searches or requests';
COMMENT ON COLUMN bcce.cost_focus."ConsumedUnit" IS 'Tokens, Searches or Requests';
COMMENT ON COLUMN bcce.cost_focus."PricingQuantity" IS 'the quantity that is priced: the same';
COMMENT ON COLUMN bcce.cost_focus."PricingUnit" IS 'Tokens, Searches or Requests: prices are those of one';
COMMENT ON COLUMN bcce.cost_focus."PricingCategory" IS 'Standard';
COMMENT ON COLUMN bcce.cost_focus."ListUnitPrice" IS 'price of one unit as charged, multipliers in it; a list price beside a tenant''s own is not told apart';
COMMENT ON COLUMN bcce.cost_focus."ListCost" IS 'ListUnitPrice times PricingQuantity';
COMMENT ON COLUMN bcce.cost_focus."ContractedUnitPrice" IS 'price of one unit as charged';
COMMENT ON COLUMN bcce.cost_focus."ContractedCost" IS 'ContractedUnitPrice times PricingQuantity';
COMMENT ON COLUMN bcce.cost_focus."EffectiveCost" IS 'the same: commitments and credits are not spread';
COMMENT ON COLUMN bcce.cost_focus."BilledCost" IS 'the cost as reported or, by x_CostBasis, estimated: invoices are compared (cost_reconciliation), not spread';
COMMENT ON COLUMN bcce.cost_focus."Tags" IS 'team and project, where the call names them';
COMMENT ON COLUMN bcce.cost_focus."x_UserKey" IS 'pseudonym of the person';
COMMENT ON COLUMN bcce.cost_focus."x_SessionId" IS 'the sender''s id of the session';
COMMENT ON COLUMN bcce.cost_focus."x_WorkflowRunId" IS 'run that the call belongs to';
COMMENT ON COLUMN bcce.cost_focus."x_QuerySource" IS 'what asked: main, subagent or auxiliary';
COMMENT ON COLUMN bcce.cost_focus."x_AgentName" IS 'agent that made the call';
COMMENT ON COLUMN bcce.cost_focus."x_RequestId" IS 'the provider''s id of the request';
COMMENT ON COLUMN bcce.cost_focus."x_CostBasis" IS 'reported by the sender, or estimated from its tokens';
COMMENT ON COLUMN bcce.cost_focus."x_PricedAt" IS 'as of when prices were known that made the estimate; NULL: reported';
COMMENT ON COLUMN bcce.cost_focus."x_RequestedAt" IS 'when the call was made';

CREATE OR REPLACE FUNCTION bcce.cost_focus_unpriced(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    at timestamptz,
    model_id text,
    reason text,
    user_key text,
    request_id text,
    input_tokens bigint,
    output_tokens bigint,
    cache_read_tokens bigint,
    cache_write_5m_tokens bigint,
    cache_write_1h_tokens bigint,
    web_searches bigint
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        u.at,
        u.model_id,
        why.reason,
        u.user_key,
        u.request_id,
        u.input_tokens,
        u.output_tokens,
        u.cache_read_tokens,
        u.cache_write_5m_tokens,
        u.cache_write_1h_tokens,
        u.web_searches
    FROM bcce_data.model_usage u
    JOIN bcce_data.tenants t ON t.tenant_id = u.tenant_id AND t.deleted_at IS NULL
    CROSS JOIN LATERAL (
        SELECT bcce.token_cost_status(u.model_id, u.at, u.input_tokens, u.output_tokens, u.cache_read_tokens, u.cache_write_5m_tokens,
            u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier, u.tenant_id) AS reason
        OFFSET 0
    ) why
    WHERE u.at >= coalesce(since, '-infinity')
      AND u.at < coalesce(until, 'infinity')
      AND NOT u.is_test
      AND coalesce(u.reported_cost_usd, u.charged_usd) IS NULL
      AND why.reason NOT IN ('priced', 'synthetic');
END;
COMMENT ON FUNCTION bcce.cost_focus_unpriced(timestamptz, timestamptz) IS 'Which model calls between since (inclusive) and until (exclusive) are not in cost_focus, since their cost is unknown? NULL leaves an end open. Same columns as the view of this name.';

CREATE OR REPLACE VIEW bcce.cost_focus_unpriced WITH (security_invoker = true) AS
SELECT
    f.tenant_id,
    f.tenant_name,
    f.at,
    f.model_id,
    f.reason,
    f.user_key,
    f.request_id,
    f.input_tokens,
    f.output_tokens,
    f.cache_read_tokens,
    f.cache_write_5m_tokens,
    f.cache_write_1h_tokens,
    f.web_searches
FROM bcce.cost_focus_unpriced(NULL::timestamptz, NULL::timestamptz) f;
COMMENT ON VIEW bcce.cost_focus_unpriced IS 'Which model calls are not in cost_focus, since their cost is unknown? One row per request of visible tenants. For a period use the function of this name.';
COMMENT ON COLUMN bcce.cost_focus_unpriced.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.cost_focus_unpriced.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.cost_focus_unpriced.at IS 'when the call was made';
COMMENT ON COLUMN bcce.cost_focus_unpriced.model_id IS 'model';
COMMENT ON COLUMN bcce.cost_focus_unpriced.reason IS 'why its cost is unknown, as in unpriced_usage';
COMMENT ON COLUMN bcce.cost_focus_unpriced.user_key IS 'pseudonym of the person';
COMMENT ON COLUMN bcce.cost_focus_unpriced.request_id IS 'the provider''s id of the request';
COMMENT ON COLUMN bcce.cost_focus_unpriced.input_tokens IS 'tokens in; NULL: unknown';
COMMENT ON COLUMN bcce.cost_focus_unpriced.output_tokens IS 'tokens out; NULL: unknown';
COMMENT ON COLUMN bcce.cost_focus_unpriced.cache_read_tokens IS 'tokens read from the cache';
COMMENT ON COLUMN bcce.cost_focus_unpriced.cache_write_5m_tokens IS 'tokens written to the five-minute cache';
COMMENT ON COLUMN bcce.cost_focus_unpriced.cache_write_1h_tokens IS 'tokens written to the one-hour cache';
COMMENT ON COLUMN bcce.cost_focus_unpriced.web_searches IS 'searches made by the provider for the call';

CREATE OR REPLACE FUNCTION bcce.cost_focus_coverage(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    period_start_at timestamptz,
    month date,
    call_count bigint,
    priced_calls bigint,
    unpriced_calls bigint,
    covered_percent numeric,
    total_usd numeric,
    currency text
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        c.starts_at,
        c.first_day,
        x.calls,
        x.priced,
        x.calls - x.priced,
        round(100.0 * x.priced / nullif(x.calls, 0), 1),
        x.usd,
        t.billing_currency
    FROM bcce_data.tenants t
    CROSS JOIN LATERAL bcce_data.fact_ends(t.tenant_id, since, until) e
    CROSS JOIN LATERAL bcce_data.local_periods(e.first_call_at, e.last_call_at, 'UTC', 'month') c
    LEFT JOIN LATERAL (
        SELECT count(*) AS calls, count(k.usd) AS priced, coalesce(sum(k.usd), 0) AS usd
        FROM (
            SELECT coalesce(u.reported_cost_usd, u.charged_usd, bcce.estimate_token_cost(u.model_id, u.at, u.input_tokens, u.output_tokens,
                u.cache_read_tokens, u.cache_write_5m_tokens, u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier, u.tenant_id)) AS usd
            FROM bcce_data.model_usage u
            WHERE u.tenant_id = t.tenant_id AND u.at >= c.starts_at AND u.at < c.ends_at AND NOT u.is_test
              AND u.at >= coalesce(since, '-infinity')
              AND u.at < coalesce(until, 'infinity')
        ) k
    ) x ON true
    WHERE t.deleted_at IS NULL;
END;
COMMENT ON FUNCTION bcce.cost_focus_coverage(timestamptz, timestamptz) IS 'How much of the model calls between since (inclusive) and until (exclusive) is in cost_focus? NULL leaves an end open. Same columns as the view of this name.';

CREATE OR REPLACE VIEW bcce.cost_focus_coverage WITH (security_invoker = true) AS
SELECT
    f.tenant_id,
    f.tenant_name,
    f.period_start_at,
    f.month,
    f.call_count,
    f.priced_calls,
    f.unpriced_calls,
    f.covered_percent,
    f.total_usd,
    f.currency
FROM bcce.cost_focus_coverage(NULL::timestamptz, NULL::timestamptz) f;
COMMENT ON VIEW bcce.cost_focus_coverage IS 'How much of the model calls is in cost_focus? One row per visible tenant and month (UTC) from the first call to the last. For a period use the function of this name.';
COMMENT ON COLUMN bcce.cost_focus_coverage.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.cost_focus_coverage.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.cost_focus_coverage.period_start_at IS 'start of the month (UTC), as BillingPeriodStart';
COMMENT ON COLUMN bcce.cost_focus_coverage.month IS 'first day of the month (UTC)';
COMMENT ON COLUMN bcce.cost_focus_coverage.call_count IS 'model calls';
COMMENT ON COLUMN bcce.cost_focus_coverage.priced_calls IS 'model calls with a cost: those in cost_focus, and those that were never sent';
COMMENT ON COLUMN bcce.cost_focus_coverage.unpriced_calls IS 'model calls whose cost is unknown: those in cost_focus_unpriced';
COMMENT ON COLUMN bcce.cost_focus_coverage.covered_percent IS 'percent of the calls with a cost, one decimal; NULL: no calls';
COMMENT ON COLUMN bcce.cost_focus_coverage.total_usd IS 'US dollars of all calls with a cost: the sum of BilledCost';
COMMENT ON COLUMN bcce.cost_focus_coverage.currency IS 'currency of the money columns';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '28_cost_what_if', $bcce_module$
-- cost_analysis_repriced(): what model calls would have cost by the prices known
-- at another time.  cost_report(): what a period cost, piece by piece.
CREATE OR REPLACE FUNCTION bcce.cost_analysis_repriced(as_of timestamptz DEFAULT NULL, since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    model_id text,
    model_call_count bigint,
    changed_call_count bigint,
    model_cost_usd numeric,
    repriced_cost_usd numeric,
    change_usd numeric,
    unpriced_units bigint,
    repriced_unpriced_units bigint,
    currency text
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        x.model_id,
        x.calls,
        x.changed,
        x.usd,
        x.repriced_usd,
        x.repriced_usd - x.usd,
        x.unpriced,
        x.repriced_unpriced,
        t.billing_currency
    FROM bcce_data.tenants t
    JOIN (
        SELECT
            u.tenant_id,
            u.model_id,
            count(*) AS calls,
            count(*) FILTER (WHERE c.usd IS DISTINCT FROM c.repriced_usd) AS changed,
            coalesce(sum(c.usd), 0) AS usd,
            coalesce(sum(c.repriced_usd), 0) AS repriced_usd,
            count(*) - count(c.usd) AS unpriced,
            count(*) - count(c.repriced_usd) AS repriced_unpriced
        FROM bcce_data.model_usage u
        CROSS JOIN LATERAL (
            SELECT
                coalesce(u.reported_cost_usd, u.charged_usd, bcce.estimate_token_cost(u.model_id, u.at, u.input_tokens, u.output_tokens, u.cache_read_tokens,
                    u.cache_write_5m_tokens, u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier, u.tenant_id)) AS usd,
                coalesce(u.reported_cost_usd, bcce.estimate_token_cost(u.model_id, u.at, u.input_tokens, u.output_tokens, u.cache_read_tokens,
                    u.cache_write_5m_tokens, u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier, u.tenant_id, as_of)) AS repriced_usd
            OFFSET 0
        ) c
        WHERE u.at >= coalesce(since, '-infinity')
          AND u.at < coalesce(until, 'infinity')
          AND NOT u.is_test
        GROUP BY u.tenant_id, u.model_id
    ) x ON x.tenant_id = t.tenant_id
    WHERE t.deleted_at IS NULL;
END;
COMMENT ON FUNCTION bcce.cost_analysis_repriced(timestamptz, timestamptz, timestamptz) IS 'What would the model calls between since (inclusive) and until (exclusive; NULL: open ends) cost by the prices that were known at as_of (NULL: now)? One row per visible tenant and model: its calls and how many of them would cost something else, US dollars as they count in cost_analysis and repriced, the difference, and how many calls have no known cost, now and repriced. What a sender reported stays as it is. Nothing is stored.';

CREATE OR REPLACE FUNCTION bcce.cost_report(period interval DEFAULT '30 days', grain text DEFAULT 'period', alert_threshold numeric DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    period_start_at timestamptz,
    period_start_date date,
    day_count bigint,
    workflow_cost_usd numeric,
    monitoring_cost_usd numeric,
    prediction_cost_usd numeric,
    model_cost_usd numeric,
    infra_cost_usd numeric,
    total_cost_usd numeric,
    unpriced_units bigint,
    is_lower_bound boolean,
    over_threshold boolean,
    currency text
)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict use_column
BEGIN
    IF cost_report.grain IS NULL OR cost_report.grain NOT IN ('period', 'day', 'week', 'month', 'quarter', 'year') THEN
        PERFORM bcce.raise_error('22023', 'unknown grain of a cost report', NULL, 'Known: period (all in one), day, week, month, quarter, year.');
    END IF;
    IF cost_report.period IS NULL OR cost_report.period <= interval '0' THEN
        PERFORM bcce.raise_error('22023', 'the period of a cost report must be longer than nothing', NULL, 'For example period => ''30 days''.');
    END IF;
    RETURN QUERY
    SELECT
        d.tenant_id,
        d.tenant_name,
        min(d.period_start_at),
        min(d.usage_date),
        count(*),
        sum(d.workflow_cost_usd),
        sum(d.monitoring_cost_usd),
        sum(d.prediction_cost_usd),
        sum(d.model_cost_usd),
        sum(d.infra_cost_usd),
        sum(d.total_cost_usd),
        sum(d.unpriced_units)::bigint,
        bool_or(d.is_lower_bound),
        CASE WHEN sum(d.total_cost_usd) > cost_report.alert_threshold THEN true
             WHEN NOT bool_or(d.is_lower_bound) THEN sum(d.total_cost_usd) > cost_report.alert_threshold END,
        d.currency
    -- Days of UTC: those of the session's zone could be of 23 hours.
    FROM bcce.cost_by_day((bcce.report_now() AT TIME ZONE 'UTC' - cost_report.period) AT TIME ZONE 'UTC', bcce.report_now()) d
    GROUP BY d.tenant_id, d.tenant_name, d.currency,
             CASE WHEN cost_report.grain <> 'period' THEN date_trunc(cost_report.grain, d.usage_date::timestamp) END
    ORDER BY d.tenant_name, d.tenant_id, min(d.usage_date);
END
$body$;
COMMENT ON FUNCTION bcce.cost_report(interval, text, numeric) IS 'What did the last 30 days (or another period, up to now) cost? One row per visible tenant and day, week, month, quarter or year of its zone as grain says, one in all by default; the first and the last may be cut short, day_count says by how much. US dollars by part and in total, how many units have no known cost, and whether the row is over alert_threshold US dollars: NULL without a threshold, or when that is unknown because some cost is. Error 22023: an unknown grain, or a period that is not positive.';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '28_operations', $bcce_module$
-- What happened in incidents, and which sources fell silent.
CREATE OR REPLACE FUNCTION bcce.incident_timeline(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    at timestamptz,
    incident_id text,
    service_id text,
    incident_type text,
    severity text,
    title text,
    affected_resources text,
    event_kind text,
    response_action text,
    actor_key text
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        e.at,
        i.incident_id,
        i.service_id,
        i.incident_type,
        i.severity,
        i.title,
        i.affected_resources,
        e.kind,
        e.response_action,
        e.actor_key
    FROM bcce_data.tenants t
    JOIN bcce_data.incidents i ON i.tenant_id = t.tenant_id
    CROSS JOIN LATERAL (
        SELECT v.at, v.kind, v.response_action, v.actor_key, v.event_id, 0 AS step
        FROM bcce_data.incident_events v
        WHERE v.tenant_id = i.tenant_id AND v.incident_id = i.incident_id
        UNION ALL
        SELECT m.at, m.kind, NULL, NULL, NULL, m.step
        FROM (VALUES
            (1, 'impact_started', i.impact_started_at),
            (2, 'opened', i.opened_at),
            (3, 'detected', i.detected_at),
            (4, 'acknowledged', i.acknowledged_at),
            (5, 'mitigated', i.mitigated_at),
            (6, 'recovered', i.recovered_at),
            (7, 'resolved', i.resolved_at),
            (8, 'closed', i.closed_at)) AS m (step, kind, at)
        WHERE m.at IS NOT NULL
    ) e
    WHERE t.deleted_at IS NULL
      AND NOT i.is_test AND i.merged_into IS NULL
      AND i.severity IN ('sev1', 'sev2')
      AND e.at >= coalesce(since, '-infinity')
      AND e.at < coalesce(until, 'infinity')
    ORDER BY e.at DESC, i.tenant_id, i.incident_id, e.step DESC, e.event_id DESC;
END;
COMMENT ON FUNCTION bcce.incident_timeline(timestamptz, timestamptz) IS 'What happened in severe incidents between since (inclusive) and until (exclusive)? NULL leaves an end open. Same columns as the view of this name.';

CREATE OR REPLACE VIEW bcce.incident_timeline WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.at,
    x.incident_id,
    x.service_id,
    x.incident_type,
    x.severity,
    x.title,
    x.affected_resources,
    x.event_kind,
    x.response_action,
    x.actor_key
FROM bcce.incident_timeline(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.incident_timeline IS 'What happened in severe incidents, step by step? One row per event and per known time of a declared sev1 or sev2 incident, newest first. For a period use the function of this name.';
COMMENT ON COLUMN bcce.incident_timeline.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.incident_timeline.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.incident_timeline.at IS 'when it happened';
COMMENT ON COLUMN bcce.incident_timeline.incident_id IS 'incident';
COMMENT ON COLUMN bcce.incident_timeline.service_id IS 'service of the incident';
COMMENT ON COLUMN bcce.incident_timeline.incident_type IS 'type of the incident';
COMMENT ON COLUMN bcce.incident_timeline.severity IS 'sev1 or sev2';
COMMENT ON COLUMN bcce.incident_timeline.title IS 'title of the incident, redacted';
COMMENT ON COLUMN bcce.incident_timeline.affected_resources IS 'what is affected, redacted';
COMMENT ON COLUMN bcce.incident_timeline.event_kind IS 'impact_started, opened, detected, acknowledged, mitigated, recovered, resolved or closed: a time of the incident itself; otherwise the kind of the event in the sender''s word';
COMMENT ON COLUMN bcce.incident_timeline.response_action IS 'what was done, redacted';
COMMENT ON COLUMN bcce.incident_timeline.actor_key IS 'pseudonym of who did it';

-- Which sources fell silent.
CREATE OR REPLACE FUNCTION bcce.data_freshness(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    fact text,
    source text,
    last_received_at timestamptz,
    last_occurred_at timestamptz,
    lag_seconds double precision,
    expected_seconds double precision,
    is_late boolean
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        f.fact,
        f.source,
        f.received_at,
        f.occurred_at,
        lag.seconds,
        60 * coalesce(own.value, d.value),
        lag.seconds > 60 * coalesce(own.value, d.value)
    FROM bcce_data.tenants t
    JOIN (
        SELECT r.tenant_id, 'workflow_runs' AS fact, r.source, max(r.recorded_at) AS received_at, max(r.started_at) AS occurred_at
        FROM bcce_data.workflow_runs r
        WHERE r.started_at >= coalesce(since, '-infinity')
          AND r.started_at < coalesce(until, 'infinity')
          AND NOT r.is_test AND r.recorded_at <= (SELECT least(until, bcce.report_now()))
        GROUP BY r.tenant_id, r.source
        UNION ALL
        SELECT m.tenant_id, 'performance_metrics', m.source, max(m.recorded_at), max(m.observed_at)
        FROM bcce_data.performance_metrics m
        WHERE m.observed_at >= coalesce(since, '-infinity')
          AND m.observed_at < coalesce(until, 'infinity')
          AND NOT m.is_test AND m.recorded_at <= (SELECT least(until, bcce.report_now()))
        GROUP BY m.tenant_id, m.source
        UNION ALL
        SELECT p.tenant_id, 'predictions', p.source, max(p.recorded_at), max(p.predicted_at)
        FROM bcce_data.predictions p
        WHERE p.predicted_at >= coalesce(since, '-infinity')
          AND p.predicted_at < coalesce(until, 'infinity')
          AND NOT p.is_test AND p.recorded_at <= (SELECT least(until, bcce.report_now()))
        GROUP BY p.tenant_id, p.source
        UNION ALL
        SELECT u.tenant_id, 'model_usage', u.source, max(u.recorded_at), max(u.at)
        FROM bcce_data.model_usage u
        WHERE u.at >= coalesce(since, '-infinity')
          AND u.at < coalesce(until, 'infinity')
          AND NOT u.is_test AND u.recorded_at <= (SELECT least(until, bcce.report_now()))
        GROUP BY u.tenant_id, u.source
        UNION ALL
        SELECT e.tenant_id, 'events', e.source, max(e.received_at), max(e.occurred_at)
        FROM bcce_data.events e
        WHERE e.occurred_at >= coalesce(since, '-infinity')
          AND e.occurred_at < coalesce(until, 'infinity')
          AND NOT e.is_test AND e.received_at <= (SELECT least(until, bcce.report_now()))
        GROUP BY e.tenant_id, e.source
    ) f ON f.tenant_id = t.tenant_id
    JOIN bcce_data.default_health_thresholds d ON d.threshold = 'stale_after_minutes'
    LEFT JOIN bcce_data.health_thresholds own
        ON own.tenant_id = t.tenant_id AND own.service_id = '*' AND own.threshold = d.threshold
    CROSS JOIN LATERAL (
        SELECT extract(epoch FROM (SELECT least(until, bcce.report_now())) - f.received_at)::double precision AS seconds
    ) lag
    WHERE t.deleted_at IS NULL;
END;
COMMENT ON FUNCTION bcce.data_freshness(timestamptz, timestamptz) IS 'Which sources had fallen silent at the end of the window, by facts between since (inclusive) and until (exclusive)? NULL leaves an end open. Same columns as the view of this name.';

CREATE OR REPLACE VIEW bcce.data_freshness WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.fact,
    x.source,
    x.last_received_at,
    x.last_occurred_at,
    x.lag_seconds,
    x.expected_seconds,
    x.is_late
FROM bcce.data_freshness(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.data_freshness IS 'Which sources have fallen silent? One row per visible tenant, kind of fact and source that ever sent one. For a period use the function of this name.';
COMMENT ON COLUMN bcce.data_freshness.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.data_freshness.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.data_freshness.fact IS 'kind of fact: workflow_runs, performance_metrics, predictions, model_usage or events';
COMMENT ON COLUMN bcce.data_freshness.source IS 'source, as the sender calls it';
COMMENT ON COLUMN bcce.data_freshness.last_received_at IS 'when the latest of its facts was received';
COMMENT ON COLUMN bcce.data_freshness.last_occurred_at IS 'time of the latest fact itself';
COMMENT ON COLUMN bcce.data_freshness.lag_seconds IS 'time since last_received_at, seconds, up to now or the window''s end';
COMMENT ON COLUMN bcce.data_freshness.expected_seconds IS 'limit of silence, seconds: the tenant''s stale_after_minutes for all services, else the default';
COMMENT ON COLUMN bcce.data_freshness.is_late IS 'true when the lag is over the limit';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '29_adoption', $bcce_module$
-- How many of those invited take part, and how often and well is deployed.
CREATE OR REPLACE FUNCTION bcce.adoption(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    period_start_at timestamptz,
    month date,
    active_users bigint,
    invited_users bigint,
    active_invited_users bigint,
    active_percent numeric,
    teams bigint,
    active_teams bigint,
    active_teams_percent numeric,
    retained_users bigint,
    retained_percent numeric,
    weekly_active_users bigint,
    wau_mau_percent numeric,
    sessions bigint
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        c.starts_at,
        c.first_day,
        person.active,
        invited.total,
        invited.active,
        round(100.0 * invited.active / nullif(invited.total, 0), 1),
        invited.teams,
        invited.active_teams,
        round(100.0 * invited.active_teams / nullif(invited.teams, 0), 1),
        person.retained,
        round(100.0 * person.retained / nullif(person.active_before, 0), 1),
        person.weekly,
        round(100.0 * person.weekly / nullif(person.active, 0), 1),
        session.total
    FROM bcce_data.tenants t
    CROSS JOIN LATERAL (
        SELECT
            least(
                (SELECT r.started_at FROM bcce_data.workflow_runs r
                 WHERE r.tenant_id = t.tenant_id AND NOT r.is_test AND r.status <> 'skipped' AND r.user_key IS NOT NULL
                   AND r.started_at >= coalesce(since, '-infinity') AND r.started_at < coalesce(until, 'infinity')
                 ORDER BY r.started_at LIMIT 1),
                (SELECT e.occurred_at FROM bcce_data.events e
                 WHERE e.tenant_id = t.tenant_id AND NOT e.is_test AND e.user_key IS NOT NULL
                   AND e.occurred_at >= coalesce(since, '-infinity') AND e.occurred_at < coalesce(until, 'infinity')
                 ORDER BY e.occurred_at LIMIT 1),
                (SELECT u.at FROM bcce_data.model_usage u
                 WHERE u.tenant_id = t.tenant_id AND NOT u.is_test AND u.user_key IS NOT NULL
                   AND u.at >= coalesce(since, '-infinity') AND u.at < coalesce(until, 'infinity')
                 ORDER BY u.at LIMIT 1)
            ) AS first_at,
            greatest(
                (SELECT r.started_at FROM bcce_data.workflow_runs r
                 WHERE r.tenant_id = t.tenant_id AND NOT r.is_test AND r.status <> 'skipped' AND r.user_key IS NOT NULL
                   AND r.started_at >= coalesce(since, '-infinity') AND r.started_at < coalesce(until, 'infinity')
                 ORDER BY r.started_at DESC LIMIT 1),
                (SELECT e.occurred_at FROM bcce_data.events e
                 WHERE e.tenant_id = t.tenant_id AND NOT e.is_test AND e.user_key IS NOT NULL
                   AND e.occurred_at >= coalesce(since, '-infinity') AND e.occurred_at < coalesce(until, 'infinity')
                 ORDER BY e.occurred_at DESC LIMIT 1),
                (SELECT u.at FROM bcce_data.model_usage u
                 WHERE u.tenant_id = t.tenant_id AND NOT u.is_test AND u.user_key IS NOT NULL
                   AND u.at >= coalesce(since, '-infinity') AND u.at < coalesce(until, 'infinity')
                 ORDER BY u.at DESC LIMIT 1)
            ) AS last_at
        OFFSET 0
    ) seen
    -- From the first month with an active user to now, or to the last one where that is over 35 days ago.
    -- Kept apart: a helper is not inlined where its argument holds a sub-select.
    CROSS JOIN LATERAL (
        SELECT CASE WHEN until IS NOT NULL THEN
                         greatest(seen.last_at, (SELECT least(until - interval '1 microsecond', bcce.report_now())))
                     WHEN seen.last_at < (SELECT bcce.report_now() - interval '840 hours') THEN seen.last_at
                     ELSE greatest(seen.last_at, (SELECT bcce.report_now())) END AS last_at
        OFFSET 0
    ) e
    CROSS JOIN LATERAL bcce_data.local_date(e.last_at, t.timezone) last
    CROSS JOIN LATERAL bcce_data.local_periods(seen.first_at, e.last_at, t.timezone, 'month') c
    -- Kept apart: under row security an index takes a column, but no computation.
    CROSS JOIN LATERAL (
        SELECT m.starts_at
        FROM bcce_data.local_midnight((c.first_day - interval '1 month')::date, t.timezone) m
        OFFSET 0
    ) month_before
    -- Each of one row; outer joins, as the planner leaves out those of which nothing is asked.
    LEFT JOIN LATERAL (
        SELECT
            count(*) FILTER (WHERE x.is_active) AS active,
            count(*) FILTER (WHERE x.is_active AND x.was_active) AS retained,
            count(*) FILTER (WHERE x.was_active) AS active_before,
            count(*) FILTER (WHERE x.is_active AND x.last_day > least(last.day, (c.first_day + interval '1 month')::date - 1) - 7) AS weekly,
            array_agg(x.user_key) FILTER (WHERE x.is_active) AS user_keys
        FROM (
            SELECT u.user_key, u.is_active, u.was_active, local.day AS last_day
            FROM (
                SELECT
                    a.user_key,
                    bool_or(a.at >= c.starts_at AND (since IS NULL OR a.at >= since)) AS is_active,
                    bool_or(a.at < c.starts_at) AS was_active,
                    max(a.at) AS last_at
                FROM bcce_data.user_activity(since - interval '1536 hours', until) a
                WHERE a.tenant_id = t.tenant_id AND a.at >= month_before.starts_at AND a.at < c.ends_at
                GROUP BY a.user_key
            ) u
            CROSS JOIN LATERAL bcce_data.local_date(u.last_at, t.timezone) local
        ) x
    ) person ON true
    LEFT JOIN LATERAL (
        SELECT
            count(*) AS total,
            count(k.user_key) AS active,
            count(DISTINCT p.team_id) AS teams,
            count(DISTINCT p.team_id) FILTER (WHERE k.user_key IS NOT NULL) AS active_teams
        FROM bcce_data.principals p
        LEFT JOIN unnest(person.user_keys) AS k (user_key) ON k.user_key = p.user_key
        WHERE p.tenant_id = t.tenant_id
          AND p.provisioned_at < c.ends_at AND p.provisioned_at <= (SELECT least(until, bcce.report_now()))
          AND (p.deprovisioned_at IS NULL OR p.deprovisioned_at >= c.starts_at)
    ) invited ON true
    LEFT JOIN LATERAL (
        SELECT count(DISTINCT k.session_id) AS total
        FROM (
            SELECT e.session_id
            FROM bcce_data.events e
            WHERE e.tenant_id = t.tenant_id
              AND e.occurred_at >= c.starts_at AND e.occurred_at < c.ends_at
              AND e.occurred_at >= coalesce(since, '-infinity') AND e.occurred_at < coalesce(until, 'infinity')
              AND NOT e.is_test
            UNION ALL
            SELECT u.session_id
            FROM bcce_data.model_usage u
            WHERE u.tenant_id = t.tenant_id
              AND u.at >= c.starts_at AND u.at < c.ends_at
              AND u.at >= coalesce(since, '-infinity') AND u.at < coalesce(until, 'infinity')
              AND NOT u.is_test
        ) k
    ) session ON true
    WHERE t.deleted_at IS NULL;
END;
COMMENT ON FUNCTION bcce.adoption(timestamptz, timestamptz) IS 'Who took part between since (inclusive) and until (exclusive), month by month? NULL leaves an end open. Same columns as the view of this name; who was active in a month before the window counts as retained.';

CREATE OR REPLACE VIEW bcce.adoption WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.period_start_at,
    x.month,
    x.active_users,
    x.invited_users,
    x.active_invited_users,
    x.active_percent,
    x.teams,
    x.active_teams,
    x.active_teams_percent,
    x.retained_users,
    x.retained_percent,
    x.weekly_active_users,
    x.wau_mau_percent,
    x.sessions
FROM bcce.adoption(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.adoption IS 'How does adoption develop: how many of the people invited really use it, and stay? One row per visible tenant and month of its zone, from the first with an active user to now (to the last where that is over 35 days ago); months without activity included. For a period use the function of this name.';
COMMENT ON COLUMN bcce.adoption.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.adoption.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.adoption.period_start_at IS 'first instant of the month in the tenant''s zone';
COMMENT ON COLUMN bcce.adoption.month IS 'first day of the month';
COMMENT ON COLUMN bcce.adoption.active_users IS 'distinct pseudonymous users with a run, an event or a model call; guests are not users';
COMMENT ON COLUMN bcce.adoption.invited_users IS 'people provisioned before the month''s end (or now) and not deprovisioned before its start';
COMMENT ON COLUMN bcce.adoption.active_invited_users IS 'active users who are invited';
COMMENT ON COLUMN bcce.adoption.active_percent IS 'percent of the invited who are active, one decimal; NULL: nobody is invited';
COMMENT ON COLUMN bcce.adoption.teams IS 'teams with an invited member';
COMMENT ON COLUMN bcce.adoption.active_teams IS 'of these, with an active one';
COMMENT ON COLUMN bcce.adoption.active_teams_percent IS 'percent of the teams with an active member, one decimal; NULL: no teams';
COMMENT ON COLUMN bcce.adoption.retained_users IS 'active users who were active in the month before';
COMMENT ON COLUMN bcce.adoption.retained_percent IS 'percent of the users of the month before who are active, one decimal; NULL: there were none';
COMMENT ON COLUMN bcce.adoption.weekly_active_users IS 'active users of the last seven days of the month (so far), days before the month not included';
COMMENT ON COLUMN bcce.adoption.wau_mau_percent IS 'percent of the month''s active users who were active in its last seven days (WAU by MAU), one decimal; NULL: nobody was active';
COMMENT ON COLUMN bcce.adoption.sessions IS 'distinct sessions of events and model calls';

-- How often and how well is deployed, month by month.
CREATE OR REPLACE FUNCTION bcce.dora_metrics(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    period_start_at timestamptz,
    month date,
    deployments_started bigint,
    deployments_succeeded bigint,
    deployments_failed bigint,
    deployments_per_day numeric,
    change_failure_rate_percent numeric,
    median_recovery_minutes double precision
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        c.starts_at,
        c.first_day,
        run.started,
        run.succeeded,
        run.failed,
        round(run.succeeded * 86400 / nullif(extract(epoch FROM least(c.ends_at, (SELECT least(until, bcce.report_now())))
                                                     - greatest(c.starts_at, since)), 0), 4),
        round(100.0 * run.failed / nullif(run.succeeded + run.failed, 0), 1),
        m.median_mttr_minutes
    FROM bcce_data.tenants t
    CROSS JOIN LATERAL (
        SELECT min(first.at) AS first_at, max(last.at) AS last_at
        FROM bcce_data.workflows w
        CROSS JOIN LATERAL (
            SELECT r.started_at AS at
            FROM bcce_data.workflow_runs r
            WHERE r.tenant_id = w.tenant_id AND r.workflow_id = w.workflow_id
              AND NOT r.is_test AND r.status <> 'skipped'
              AND r.started_at >= coalesce(since, '-infinity') AND r.started_at < coalesce(until, 'infinity')
              AND r.started_at <= (SELECT least(until, bcce.report_now()))
            ORDER BY r.started_at
            LIMIT 1
        ) first
        CROSS JOIN LATERAL (
            SELECT r.started_at AS at
            FROM bcce_data.workflow_runs r
            WHERE r.tenant_id = w.tenant_id AND r.workflow_id = w.workflow_id
              AND NOT r.is_test AND r.status <> 'skipped'
              AND r.started_at >= coalesce(since, '-infinity') AND r.started_at < coalesce(until, 'infinity')
              AND r.started_at <= (SELECT least(until, bcce.report_now()))
            ORDER BY r.started_at DESC
            LIMIT 1
        ) last
        WHERE w.tenant_id = t.tenant_id AND w.kind = 'deployment'
    ) seen
    -- From the first month with a deployment to now, or to the last one where that is over 35 days ago.
    -- Kept apart: a helper is not inlined where its argument holds a sub-select.
    CROSS JOIN LATERAL (
        SELECT CASE WHEN until IS NOT NULL THEN
                         greatest(seen.last_at, (SELECT least(until - interval '1 microsecond', bcce.report_now())))
                     WHEN seen.last_at < (SELECT bcce.report_now() - interval '840 hours') THEN seen.last_at
                     ELSE (SELECT bcce.report_now()) END AS last_at
        OFFSET 0
    ) e
    CROSS JOIN LATERAL bcce_data.local_periods(seen.first_at, e.last_at, t.timezone, 'month') c
    LEFT JOIN LATERAL (
        SELECT
            count(*) AS started,
            count(*) FILTER (WHERE r.status = 'succeeded' AND ended.by_now) AS succeeded,
            count(*) FILTER (WHERE r.status IN ('failed', 'timed_out') AND ended.by_now) AS failed
        FROM bcce_data.workflows w
        JOIN bcce_data.workflow_runs r ON r.tenant_id = w.tenant_id AND r.workflow_id = w.workflow_id
        CROSS JOIN LATERAL (SELECT r.finished_at <= (SELECT least(until, bcce.report_now())) AS by_now) ended
        WHERE w.tenant_id = t.tenant_id AND w.kind = 'deployment'
          AND NOT r.is_test AND r.status <> 'skipped'
          AND r.started_at >= c.starts_at AND r.started_at < c.ends_at
          AND r.started_at >= coalesce(since, '-infinity') AND r.started_at < coalesce(until, 'infinity')
          AND r.started_at <= (SELECT least(until, bcce.report_now()))
    ) run ON true
    LEFT JOIN bcce.mttr_by_month(since, until) m ON m.tenant_id = t.tenant_id AND m.month = c.first_day
    WHERE t.deleted_at IS NULL;
END;
COMMENT ON FUNCTION bcce.dora_metrics(timestamptz, timestamptz) IS 'How often and how well was deployed between since (inclusive) and until (exclusive), month by month? NULL leaves an end open. Same columns as the view of this name; what finished after the window does not count as finished.';

CREATE OR REPLACE VIEW bcce.dora_metrics WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.period_start_at,
    x.month,
    x.deployments_started,
    x.deployments_succeeded,
    x.deployments_failed,
    x.deployments_per_day,
    x.change_failure_rate_percent,
    x.median_recovery_minutes
FROM bcce.dora_metrics(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.dora_metrics IS 'How often and how well is deployed? One row per visible tenant and month of its zone, from the first with a run of a workflow of kind deployment to now (to the last where that is over 35 days ago); months without one included. For a period use the function of this name.';
COMMENT ON COLUMN bcce.dora_metrics.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.dora_metrics.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.dora_metrics.period_start_at IS 'first instant of the month in the tenant''s zone';
COMMENT ON COLUMN bcce.dora_metrics.month IS 'month in which the deployments started';
COMMENT ON COLUMN bcce.dora_metrics.deployments_started IS 'runs of workflows of kind deployment, skipped ones not';
COMMENT ON COLUMN bcce.dora_metrics.deployments_succeeded IS 'of these, succeeded';
COMMENT ON COLUMN bcce.dora_metrics.deployments_failed IS 'of these, failed or timed out';
COMMENT ON COLUMN bcce.dora_metrics.deployments_per_day IS 'succeeded deployments per day of the month, up to now or the window''s end, four decimals';
COMMENT ON COLUMN bcce.dora_metrics.change_failure_rate_percent IS 'percent of the finished deployments that failed or timed out, one decimal; NULL: none finished';
COMMENT ON COLUMN bcce.dora_metrics.median_recovery_minutes IS 'median recovery time of the incidents that began in the month, minutes, as in mttr_by_month; NULL: none recovered';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '29_first_workflow', $bcce_module$
-- How long people take until they first run something.
CREATE OR REPLACE FUNCTION bcce.first_workflow_by_user(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    user_key text,
    team_id text,
    provisioned_at timestamptz,
    first_run_at timestamptz,
    first_run_minutes double precision,
    waiting_minutes double precision,
    is_waiting boolean
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        p.user_key,
        p.team_id,
        p.provisioned_at,
        f.first_at,
        CASE WHEN f.first_at >= p.provisioned_at THEN extract(epoch FROM f.first_at - p.provisioned_at)::double precision / 60 END,
        CASE WHEN f.first_at IS NULL THEN extract(epoch FROM
            least(p.deprovisioned_at, (SELECT least(until, bcce.report_now()))) - p.provisioned_at)::double precision / 60 END,
        f.first_at IS NULL
    FROM bcce_data.tenants t
    JOIN bcce_data.principals p ON p.tenant_id = t.tenant_id
    LEFT JOIN (
        SELECT r.tenant_id, r.user_key, min(r.started_at) AS first_at
        FROM bcce_data.workflow_runs r
        WHERE NOT r.is_test AND r.status <> 'skipped' AND r.user_key IS NOT NULL
          AND r.started_at < coalesce(until, 'infinity')
        GROUP BY r.tenant_id, r.user_key
    ) f ON f.tenant_id = p.tenant_id AND f.user_key = p.user_key
    WHERE t.deleted_at IS NULL
      AND isfinite(p.provisioned_at)
      AND (since IS NULL OR p.provisioned_at >= since)
      AND (until IS NULL OR p.provisioned_at < until)
      AND p.provisioned_at <= (SELECT least(until, bcce.report_now()));
END;
COMMENT ON FUNCTION bcce.first_workflow_by_user(timestamptz, timestamptz) IS 'How long did each of those provisioned between since (inclusive) and until (exclusive) take to a first run? NULL leaves an end open. Same columns as the view of this name; who first ran one after the window still waits.';

CREATE OR REPLACE VIEW bcce.first_workflow_by_user WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.user_key,
    x.team_id,
    x.provisioned_at,
    x.first_run_at,
    x.first_run_minutes,
    x.waiting_minutes,
    x.is_waiting
FROM bcce.first_workflow_by_user(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.first_workflow_by_user IS 'How long does each person take until a first run? One row per person with a known time of provisioning. For a period use the function of this name.';
COMMENT ON COLUMN bcce.first_workflow_by_user.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.first_workflow_by_user.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.first_workflow_by_user.user_key IS 'pseudonym of the person';
COMMENT ON COLUMN bcce.first_workflow_by_user.team_id IS 'team of the person; NULL: none known';
COMMENT ON COLUMN bcce.first_workflow_by_user.provisioned_at IS 'when access was given';
COMMENT ON COLUMN bcce.first_workflow_by_user.first_run_at IS 'start of the first run; NULL: none yet';
COMMENT ON COLUMN bcce.first_workflow_by_user.first_run_minutes IS 'time from provisioning to the first run, minutes; NULL: none yet, or it was before';
COMMENT ON COLUMN bcce.first_workflow_by_user.waiting_minutes IS 'time that one who ran none yet has waited, minutes, up to deprovisioning, now or the window''s end; NULL: not waiting';
COMMENT ON COLUMN bcce.first_workflow_by_user.is_waiting IS 'true for one who ran none yet: the time to the first run is longer than waiting_minutes (censored)';

-- The same, one row per tenant.
CREATE OR REPLACE FUNCTION bcce.time_to_first_workflow(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    provisioned_users bigint,
    started_users bigint,
    ran_before_users bigint,
    waiting_users bigint,
    median_minutes double precision,
    longest_wait_minutes double precision
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        count(u.user_key),
        count(u.first_run_minutes),
        count(*) FILTER (WHERE u.first_run_at < u.provisioned_at),
        count(*) FILTER (WHERE u.is_waiting),
        bcce.km_quantile(coalesce(u.first_run_minutes, u.waiting_minutes), NOT u.is_waiting, 0.5),
        max(u.waiting_minutes)
    FROM bcce_data.tenants t
    LEFT JOIN bcce.first_workflow_by_user(since, until) u ON u.tenant_id = t.tenant_id
    WHERE t.deleted_at IS NULL
    GROUP BY t.tenant_id, t.tenant_name;
END;
COMMENT ON FUNCTION bcce.time_to_first_workflow(timestamptz, timestamptz) IS 'How long did it take until those provisioned between since (inclusive) and until (exclusive) first ran a workflow? NULL leaves an end open. Same columns as the view of this name; who first ran one after the window still waits.';

CREATE OR REPLACE VIEW bcce.time_to_first_workflow WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.provisioned_users,
    x.started_users,
    x.ran_before_users,
    x.waiting_users,
    x.median_minutes,
    x.longest_wait_minutes
FROM bcce.time_to_first_workflow(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.time_to_first_workflow IS 'How long does it take until people first run a workflow? One row per visible tenant. For a period use the function of this name.';
COMMENT ON COLUMN bcce.time_to_first_workflow.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.time_to_first_workflow.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.time_to_first_workflow.provisioned_users IS 'people with a known time of provisioning';
COMMENT ON COLUMN bcce.time_to_first_workflow.started_users IS 'of these, who ran a workflow since';
COMMENT ON COLUMN bcce.time_to_first_workflow.ran_before_users IS 'of these, whose first run is before their provisioning: left out of the median';
COMMENT ON COLUMN bcce.time_to_first_workflow.waiting_users IS 'of these, who ran none yet: in the median, they count as taking longer than they have waited';
COMMENT ON COLUMN bcce.time_to_first_workflow.median_minutes IS 'median time from provisioning to the first run, minutes: the smallest time by which half had one, those who wait included (Kaplan-Meier); NULL: too many still wait to tell, or nobody ran one';
COMMENT ON COLUMN bcce.time_to_first_workflow.longest_wait_minutes IS 'longest time that one who ran none yet has waited, minutes, up to deprovisioning, now or the window''s end';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '29_guests', $bcce_module$
-- What guests do, and what is done with services.
CREATE OR REPLACE FUNCTION bcce.guest_activity(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    period_start_at timestamptz,
    usage_date date,
    guest_type text,
    page_views bigint,
    searches bigint,
    faq_views bigint,
    chat_sessions bigint,
    events bigint,
    sessions bigint,
    guests bigint
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        c.starts_at,
        c.first_day,
        g.guest_type,
        g.page_views,
        g.searches,
        g.faq_views,
        g.chat_sessions,
        g.events,
        g.sessions,
        g.guests
    FROM bcce_data.tenants t
    CROSS JOIN LATERAL bcce_data.fact_ends(t.tenant_id, since, until) seen
    CROSS JOIN LATERAL bcce_data.local_periods(seen.first_event_at, seen.last_event_at, t.timezone, 'day') c
    CROSS JOIN LATERAL (
        SELECT
            coalesce(e.guest_type, 'unknown') AS guest_type,
            count(*) FILTER (WHERE e.event_type = 'page_view') AS page_views,
            count(*) FILTER (WHERE e.event_type = 'search') AS searches,
            count(*) FILTER (WHERE e.event_type = 'faq_view') AS faq_views,
            count(*) FILTER (WHERE e.event_type = 'chat_session') AS chat_sessions,
            count(*) AS events,
            count(DISTINCT e.session_id) AS sessions,
            count(DISTINCT e.guest_key) AS guests
        FROM bcce_data.events e
        WHERE e.tenant_id = t.tenant_id
          AND NOT e.is_test
          AND (e.guest_key IS NOT NULL OR e.guest_type IS NOT NULL)
          AND e.occurred_at >= c.starts_at
          AND e.occurred_at < c.ends_at
          AND e.occurred_at >= coalesce(since, '-infinity')
          AND e.occurred_at < coalesce(until, 'infinity')
        GROUP BY coalesce(e.guest_type, 'unknown')
    ) g
    WHERE t.deleted_at IS NULL;
END;
COMMENT ON FUNCTION bcce.guest_activity(timestamptz, timestamptz) IS 'What did guests do between since (inclusive) and until (exclusive), by segment and day? NULL leaves an end open. Same columns as the view of this name.';

CREATE OR REPLACE VIEW bcce.guest_activity WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.period_start_at,
    x.usage_date,
    x.guest_type,
    x.page_views,
    x.searches,
    x.faq_views,
    x.chat_sessions,
    x.events,
    x.sessions,
    x.guests
FROM bcce.guest_activity(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.guest_activity IS 'What do guests do: pages, searches, chats, day by day? One row per visible tenant, local day and guest segment with an event. For a period use the function of this name.';
COMMENT ON COLUMN bcce.guest_activity.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.guest_activity.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.guest_activity.period_start_at IS 'first instant of the day in the tenant''s zone';
COMMENT ON COLUMN bcce.guest_activity.usage_date IS 'day in the tenant''s zone';
COMMENT ON COLUMN bcce.guest_activity.guest_type IS 'segment of the guests; unknown where the sender gave none';
COMMENT ON COLUMN bcce.guest_activity.page_views IS 'events of type page_view';
COMMENT ON COLUMN bcce.guest_activity.searches IS 'events of type search';
COMMENT ON COLUMN bcce.guest_activity.faq_views IS 'events of type faq_view';
COMMENT ON COLUMN bcce.guest_activity.chat_sessions IS 'events of type chat_session';
COMMENT ON COLUMN bcce.guest_activity.events IS 'events of any type';
COMMENT ON COLUMN bcce.guest_activity.sessions IS 'distinct sessions with an event';
COMMENT ON COLUMN bcce.guest_activity.guests IS 'distinct pseudonymous guests with an event';

-- What is done with each service, day by day.
CREATE OR REPLACE FUNCTION bcce.service_usage(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    period_start_at timestamptz,
    usage_date date,
    service_id text,
    service_name text,
    page_views bigint,
    searches bigint,
    faq_views bigint,
    chat_sessions bigint,
    events bigint,
    sessions bigint,
    guests bigint,
    active_users bigint
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        c.starts_at,
        c.first_day,
        g.service_id,
        s.service_name,
        g.page_views,
        g.searches,
        g.faq_views,
        g.chat_sessions,
        g.events,
        g.sessions,
        g.guests,
        g.users
    FROM bcce_data.tenants t
    CROSS JOIN LATERAL bcce_data.fact_ends(t.tenant_id, since, until) seen
    CROSS JOIN LATERAL bcce_data.local_periods(seen.first_event_at, seen.last_event_at, t.timezone, 'day') c
    CROSS JOIN LATERAL (
        SELECT
            e.service_id,
            count(*) FILTER (WHERE e.event_type = 'page_view') AS page_views,
            count(*) FILTER (WHERE e.event_type = 'search') AS searches,
            count(*) FILTER (WHERE e.event_type = 'faq_view') AS faq_views,
            count(*) FILTER (WHERE e.event_type = 'chat_session') AS chat_sessions,
            count(*) AS events,
            count(DISTINCT e.session_id) AS sessions,
            count(DISTINCT e.guest_key) AS guests,
            count(DISTINCT e.user_key) AS users
        FROM bcce_data.events e
        WHERE e.tenant_id = t.tenant_id
          AND NOT e.is_test
          AND e.service_id IS NOT NULL
          AND e.occurred_at >= c.starts_at
          AND e.occurred_at < c.ends_at
          AND e.occurred_at >= coalesce(since, '-infinity')
          AND e.occurred_at < coalesce(until, 'infinity')
        GROUP BY e.service_id
    ) g
    LEFT JOIN bcce_data.services s ON s.tenant_id = t.tenant_id AND s.service_id = g.service_id
    WHERE t.deleted_at IS NULL;
END;
COMMENT ON FUNCTION bcce.service_usage(timestamptz, timestamptz) IS 'How were services used between since (inclusive) and until (exclusive), day by day? NULL leaves an end open. Same columns as the view of this name.';

CREATE OR REPLACE VIEW bcce.service_usage WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.period_start_at,
    x.usage_date,
    x.service_id,
    x.service_name,
    x.page_views,
    x.searches,
    x.faq_views,
    x.chat_sessions,
    x.events,
    x.sessions,
    x.guests,
    x.active_users
FROM bcce.service_usage(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.service_usage IS 'How is each service used? One row per visible tenant, local day and service with an event. For a period use the function of this name.';
COMMENT ON COLUMN bcce.service_usage.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.service_usage.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.service_usage.period_start_at IS 'first instant of the day in the tenant''s zone';
COMMENT ON COLUMN bcce.service_usage.usage_date IS 'day in the tenant''s zone';
COMMENT ON COLUMN bcce.service_usage.service_id IS 'service that the sender named; events that name none are left out';
COMMENT ON COLUMN bcce.service_usage.service_name IS 'display name of the service; NULL: it was never declared';
COMMENT ON COLUMN bcce.service_usage.page_views IS 'events of type page_view';
COMMENT ON COLUMN bcce.service_usage.searches IS 'events of type search';
COMMENT ON COLUMN bcce.service_usage.faq_views IS 'events of type faq_view';
COMMENT ON COLUMN bcce.service_usage.chat_sessions IS 'events of type chat_session';
COMMENT ON COLUMN bcce.service_usage.events IS 'events of any type';
COMMENT ON COLUMN bcce.service_usage.sessions IS 'distinct sessions with an event';
COMMENT ON COLUMN bcce.service_usage.guests IS 'distinct pseudonymous guests with an event';
COMMENT ON COLUMN bcce.service_usage.active_users IS 'distinct pseudonymous users with an event; guests are not users';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '29_metrics', $bcce_module$
-- One number over time, for programs: what GET /metrics/{type} asks.
CREATE OR REPLACE FUNCTION bcce_data.metric_hours(metric_type text, window_text text, segment text) RETURNS integer
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    IF metric_type IS NULL
        OR metric_type NOT IN ('page_views', 'searches', 'faq_views', 'chat_sessions', 'events', 'sessions', 'workflow_runs') THEN
        PERFORM bcce.raise_error('22023', 'unknown metric type', NULL,
            'Use page_views, searches, faq_views, chat_sessions, events, sessions or workflow_runs.');
    END IF;
    IF window_text IS NULL OR window_text !~ '^[1-9][0-9]{0,3}[hd]$' OR left(window_text, -1)::integer > 3660 THEN
        PERFORM bcce.raise_error('22023', 'unknown window', NULL, 'Use a number of hours or days up to 3660, such as 24h, 7d or 30d.');
    END IF;
    IF segment <> 'guest_type' THEN
        PERFORM bcce.raise_error('22023', 'unknown segment', NULL, 'Use guest_type, or NULL for all together.');
    END IF;
    IF segment IS NOT NULL AND metric_type = 'workflow_runs' THEN
        PERFORM bcce.raise_error('22023', 'runs have no guest segment', NULL, 'Use NULL for the segment.');
    END IF;
    RETURN left(window_text, -1)::integer * CASE right(window_text, 1) WHEN 'd' THEN 24 ELSE 1 END;
END
$body$;
COMMENT ON FUNCTION bcce_data.metric_hours(text, text, text) IS 'Length of a window such as 7d in hours. Error 22023 for a metric type, window or segment that bcce.metrics does not know.';

CREATE OR REPLACE FUNCTION bcce.metrics(metric_type text, window_text text DEFAULT '7d', segment text DEFAULT NULL)
RETURNS TABLE (segment text, period_start_at timestamptz, value double precision)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        fact.guest_segment,
        fact.period_start_at,
        CASE metric_type WHEN 'sessions' THEN count(DISTINCT fact.session_id) ELSE count(*) END::double precision
    FROM (
        SELECT span.kind, span.hours, bcce.report_now() AS now, bcce.report_now() - make_interval(hours => span.hours) AS since
        -- OFFSET 0, so that an unknown word is an error, not a condition known to be false.
        FROM (SELECT metric_type AS kind, bcce_data.metric_hours(metric_type, window_text, metrics.segment) AS hours OFFSET 0) span
    ) ask
    CROSS JOIN LATERAL (
        SELECT
            CASE WHEN metrics.segment IS NOT NULL THEN coalesce(e.guest_type, 'unknown') END AS guest_segment,
            e.tenant_id::text || e.session_id AS session_id,
            CASE WHEN ask.hours <= 48 THEN hour.starts_at ELSE midnight.starts_at END AS period_start_at
        FROM bcce_data.tenants t
        JOIN bcce_data.events e ON e.tenant_id = t.tenant_id
        CROSS JOIN LATERAL bcce_data.local_hour(e.occurred_at, t.timezone) hour
        CROSS JOIN LATERAL bcce_data.local_date(e.occurred_at, t.timezone) local
        CROSS JOIN LATERAL bcce_data.local_midnight(local.day, t.timezone) midnight
        WHERE t.deleted_at IS NULL
          AND NOT e.is_test
          AND e.occurred_at >= ask.since AND e.occurred_at <= ask.now
          AND CASE ask.kind WHEN 'page_views' THEN e.event_type = 'page_view'
                               WHEN 'searches' THEN e.event_type = 'search'
                               WHEN 'faq_views' THEN e.event_type = 'faq_view'
                               WHEN 'chat_sessions' THEN e.event_type = 'chat_session'
                               WHEN 'sessions' THEN e.session_id IS NOT NULL
                               ELSE ask.kind = 'events' END
        UNION ALL
        SELECT
            NULL,
            NULL,
            CASE WHEN ask.hours <= 48 THEN hour.starts_at ELSE midnight.starts_at END
        FROM bcce_data.tenants t
        JOIN bcce_data.workflow_runs r ON r.tenant_id = t.tenant_id
        CROSS JOIN LATERAL bcce_data.local_hour(r.started_at, t.timezone) hour
        CROSS JOIN LATERAL bcce_data.local_date(r.started_at, t.timezone) local
        CROSS JOIN LATERAL bcce_data.local_midnight(local.day, t.timezone) midnight
        WHERE t.deleted_at IS NULL
          AND NOT r.is_test AND r.status <> 'skipped'
          AND r.started_at >= ask.since AND r.started_at <= ask.now
          AND ask.kind = 'workflow_runs'
    ) fact
    GROUP BY fact.guest_segment, fact.period_start_at;
END;
COMMENT ON FUNCTION bcce.metrics(text, text, text) IS 'How often something happened lately, in the tenants that the caller sees: page_views, searches, faq_views, chat_sessions, events, sessions (distinct) or workflow_runs over a window such as 24h, 7d or 30d up to now. One row per bucket with anything in it: an hour for windows up to 48 hours, else a local day; the first and last may be partial. With segment guest_type one row per bucket and guest segment, unknown where the sender gave none. Error 22023 for other words.';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '30_known_words', $bcce_module$
-- The words that inboxes and record_...() functions take for states.
CREATE OR REPLACE VIEW bcce.known_words WITH (security_invoker = true) AS
SELECT a.tenant_id, a.domain, a.alias AS word, a.value AS report_word
FROM bcce_data.value_aliases a
UNION ALL
SELECT NULL::uuid, d.domain, d.alias, d.value
FROM bcce_data.default_value_aliases d;
COMMENT ON VIEW bcce.known_words IS 'Which words for states and severities may senders use? One row per word; a tenant''s own word goes before that of everybody. bcce.add_value_alias() teaches further ones.';
COMMENT ON COLUMN bcce.known_words.tenant_id IS 'tenant that taught the word; NULL: known for everybody';
COMMENT ON COLUMN bcce.known_words.domain IS 'run_status, severity or incident_status';
COMMENT ON COLUMN bcce.known_words.word IS 'word of a sender, in any case';
COMMENT ON COLUMN bcce.known_words.report_word IS 'word of the reports that is stored for it';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '30_redaction_rules', $bcce_module$
-- Which rules a tenant has, without what they look for.
CREATE OR REPLACE VIEW bcce.redaction_rules WITH (security_invoker = true) AS
SELECT r.tenant_id, r.rule, r.kind, r.style, r.enabled, r.created_at
FROM bcce_data.redaction_rules r;
COMMENT ON VIEW bcce.redaction_rules IS 'What does a tenant have redacted besides the built-in kinds? One row per redaction rule; never what it looks for. bcce.set_redaction_rule() makes and changes rules.';
COMMENT ON COLUMN bcce.redaction_rules.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.redaction_rules.rule IS 'name of the rule; in upper case the tag of its hits';
COMMENT ON COLUMN bcce.redaction_rules.kind IS 'literal, prefix or regex';
COMMENT ON COLUMN bcce.redaction_rules.style IS 'tag, mask, numbered, drop or hash; NULL: as the tenant''s other findings';
COMMENT ON COLUMN bcce.redaction_rules.enabled IS 'false: the rule is kept and not used';
COMMENT ON COLUMN bcce.redaction_rules.created_at IS 'when the rule was made';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '30_redaction_stats', $bcce_module$
-- How much was redacted: counted by the trigger, never any text.
CREATE OR REPLACE FUNCTION bcce.redaction_stats(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    period_start_at timestamptz,
    usage_date date,
    source text,
    kind text,
    rule text,
    redaction_count bigint
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        midnight.starts_at,
        local.day,
        c.source,
        c.kind,
        c.rule,
        sum(c.redaction_count)::bigint
    FROM bcce_data.tenants t
    JOIN bcce_data.redaction_counts c ON c.tenant_id = t.tenant_id
    CROSS JOIN LATERAL bcce_data.local_date(c.counted_at, t.timezone) local
    CROSS JOIN LATERAL bcce_data.local_midnight(local.day, t.timezone) midnight
    WHERE t.deleted_at IS NULL
      AND c.counted_at >= coalesce(since, '-infinity')
      AND c.counted_at < coalesce(until, 'infinity')
    GROUP BY t.tenant_id, t.tenant_name, midnight.starts_at, local.day, c.source, c.kind, c.rule;
END;
COMMENT ON FUNCTION bcce.redaction_stats(timestamptz, timestamptz) IS 'How much personal data and how many secrets were redacted between since (inclusive) and until (exclusive), by day, table and kind? NULL leaves an end open; counts are kept by the quarter of an hour, and one counts where it begins in the window. Same columns as the view of this name.';

CREATE OR REPLACE VIEW bcce.redaction_stats WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.period_start_at,
    x.usage_date,
    x.source,
    x.kind,
    x.rule,
    x.redaction_count
FROM bcce.redaction_stats(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.redaction_stats IS 'How much personal data and how many secrets were redacted, and where? One row per visible tenant, local day, table, kind and rule; never any text. For a period use the function of this name.';
COMMENT ON COLUMN bcce.redaction_stats.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.redaction_stats.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.redaction_stats.period_start_at IS 'first instant of the day in the tenant''s zone';
COMMENT ON COLUMN bcce.redaction_stats.usage_date IS 'day in the tenant''s zone on which the rows were written';
COMMENT ON COLUMN bcce.redaction_stats.source IS 'table that the rows were written to: one of the store, or schema.table; other where that is no plain name';
COMMENT ON COLUMN bcce.redaction_stats.kind IS 'email, phone, credit_card, us_ssn, iban, ip, mac, url_credentials, secret, national_id, crypto_wallet, or custom for a rule of the tenant''s own';
COMMENT ON COLUMN bcce.redaction_stats.rule IS 'of kind custom: name of the rule; else NULL';
COMMENT ON COLUMN bcce.redaction_stats.redaction_count IS 'findings replaced before a row was written; a row that is sent again counts again';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '30_rejected', $bcce_module$
-- What was refused, and the way out.
CREATE OR REPLACE VIEW bcce.rejected WITH (security_invoker = true) AS
SELECT r.tenant_id, r.source, r.reason, m.message, m.hint,
       sum(r.rejected_count)::bigint AS rejected_count,
       min(r.first_seen_at) AS first_seen_at,
       max(r.last_seen_at) AS last_seen_at,
       min(r.example_key) AS example_key
FROM bcce_data.rejected_input r
LEFT JOIN bcce_data.rejection_reasons m ON m.reason = r.reason
GROUP BY r.tenant_id, r.source, r.reason, m.message, m.hint;
COMMENT ON VIEW bcce.rejected IS 'Which rows were refused, and why? One row per tenant, source and reason; never any text of the rows.';
COMMENT ON COLUMN bcce.rejected.tenant_id IS 'tenant of the writer; all zeros where it has none';
COMMENT ON COLUMN bcce.rejected.source IS 'inbox or function that refused the rows';
COMMENT ON COLUMN bcce.rejected.reason IS 'reason, a short name';
COMMENT ON COLUMN bcce.rejected.message IS 'what was wrong';
COMMENT ON COLUMN bcce.rejected.hint IS 'the way out';
COMMENT ON COLUMN bcce.rejected.rejected_count IS 'number of rows';
COMMENT ON COLUMN bcce.rejected.first_seen_at IS 'first such row';
COMMENT ON COLUMN bcce.rejected.last_seen_at IS 'last such row';
COMMENT ON COLUMN bcce.rejected.example_key IS 'id of one such row, where the tenant is known';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '31_catalogue', $bcce_module$
-- Which report answers what, and what its columns mean: read from the comments,
-- so that a report has one description for every tool.
CREATE OR REPLACE VIEW bcce.reports WITH (security_invoker = true) AS
SELECT
    c.relname::text AS report,
    substring(d.description FROM '^[^?]+\?') AS question,
    substring(d.description FROM 'One row per ([^.;]+)') AS grain,
    (
        SELECT a.attname::text
        FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
          AND a.atttypid IN ('timestamptz'::regtype, 'date'::regtype)
          -- Others, such as last_seen_at, describe a row and do not place it in time.
          AND (a.attname IN ('period_start_at', 'occurred_at', 'started_at', 'opened_at', 'observed_at', 'predicted_at', 'failed_at', 'provisioned_at', 'at')
               OR a.attname LIKE '%\_date')
        ORDER BY a.attnum
        LIMIT 1
    ) AS time_column,
    (
        SELECT format('bcce.%I(since, until)', p.proname)
        FROM pg_catalog.pg_proc p
        WHERE p.oid = to_regprocedure(format('bcce.%I(pg_catalog.timestamptz, pg_catalog.timestamptz)', c.relname)) AND p.proretset
    ) AS twin,
    (
        SELECT string_agg(r.rolname::text, ', ' ORDER BY r.rolname::text COLLATE "C")
        FROM pg_catalog.pg_roles r
        WHERE r.rolname IN ('bcce_analytics_user', 'bcce_cost_analyst', 'bcce_analytics_admin', 'bcce_ingest', 'bcce_platform')
          AND has_table_privilege(r.oid, c.oid, 'SELECT')
    ) AS roles
FROM pg_catalog.pg_class c
CROSS JOIN LATERAL (SELECT obj_description(c.oid, 'pg_class') AS description) d
WHERE c.relnamespace = (SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname = 'bcce')
  AND c.relkind = 'v' AND c.relname NOT LIKE 'inbox\_%';
COMMENT ON VIEW bcce.reports IS 'Which report answers my question? One row per report. Made from the comments of the reports.';
COMMENT ON COLUMN bcce.reports.report IS 'name of the view in schema bcce';
COMMENT ON COLUMN bcce.reports.question IS 'question that it answers';
COMMENT ON COLUMN bcce.reports.grain IS 'what one row stands for: one row per ...';
COMMENT ON COLUMN bcce.reports.time_column IS 'column for the time filter of a BI tool; NULL: the rows have no place in time, a period comes from the twin';
COMMENT ON COLUMN bcce.reports.twin IS 'function with the same columns for the time from since to before until; NULL: there is none';
COMMENT ON COLUMN bcce.reports.roles IS 'groups that may read it';

-- What a report reads, itself and through the functions that it calls, to eight
-- calls deep.
CREATE OR REPLACE FUNCTION bcce_data.report_sources()
RETURNS TABLE (report text, columns text)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH member AS (
        SELECT p.oid
        FROM pg_catalog.pg_proc p
        JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname IN ('bcce', 'bcce_data')
    ),
    one AS (
        SELECT p.oid AS caller, p.oid AS callee
        FROM member p
        UNION
        SELECT d.objid, d.refobjid
        FROM pg_catalog.pg_depend d
        JOIN member caller ON caller.oid = d.objid
        JOIN member callee ON callee.oid = d.refobjid
        WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.refclassid = 'pg_catalog.pg_proc'::regclass
    ),
    two AS (
        SELECT DISTINCT a.caller, b.callee FROM one a JOIN one b ON b.caller = a.callee
    ),
    four AS (
        SELECT DISTINCT a.caller, b.callee FROM two a JOIN two b ON b.caller = a.callee
    ),
    eight AS (
        SELECT DISTINCT a.caller, b.callee FROM four a JOIN four b ON b.caller = a.callee
    ),
    view AS (
        SELECT c.relname::text AS report, r.oid AS rule
        FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'bcce'
        JOIN pg_catalog.pg_rewrite r ON r.ev_class = c.oid
        WHERE c.relkind = 'v' AND c.relname NOT LIKE 'inbox\_%'
    ),
    reader AS (
        SELECT v.report, 'pg_catalog.pg_rewrite'::regclass::oid AS classid, v.rule AS objid
        FROM view v
        UNION
        SELECT v.report, 'pg_catalog.pg_proc'::regclass::oid, e.callee
        FROM view v
        JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = v.rule
            AND d.refclassid = 'pg_catalog.pg_proc'::regclass
        JOIN eight e ON e.caller = d.refobjid
    )
    SELECT x.report, string_agg(x.name, ', ' ORDER BY x.name COLLATE "C")
    FROM (
        SELECT DISTINCT r.report, c.relname || '.' || a.attname AS name
        FROM reader r
        JOIN pg_catalog.pg_depend d ON d.classid = r.classid AND d.objid = r.objid AND d.refclassid = 'pg_catalog.pg_class'::regclass
        JOIN pg_catalog.pg_class c ON c.oid = d.refobjid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'bcce_data'
        JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid AND a.attnum > 0
        -- These decide which rows count, for every report alike.
        WHERE a.attname NOT IN ('tenant_id', 'tenant_name', 'is_test', 'deleted_at')
    ) x
    GROUP BY x.report;
END;
COMMENT ON FUNCTION bcce_data.report_sources() IS 'Columns of the store that each report reads, as table.column, by the dependencies in the catalogue.';

CREATE OR REPLACE VIEW bcce.data_dictionary WITH (security_invoker = true) AS
SELECT
    c.relname::text AS report,
    a.attname::text AS column_name,
    format_type(a.atttypid, a.atttypmod) AS data_type,
    CASE
        WHEN a.atttypid = 'boolean'::regtype THEN 'true or false'
        WHEN a.atttypid = 'timestamptz'::regtype THEN 'instant'
        WHEN a.atttypid = 'date'::regtype THEN 'local date'
        WHEN a.atttypid = 'uuid'::regtype OR a.attname ~ '_(id|key)$' THEN 'identifier'
        WHEN t.typcategory = 'S' THEN 'text'
        WHEN a.attname ~ '_usd$|(Cost|UnitPrice)$' THEN 'US dollars'
        WHEN a.attname ~ '_ms$' THEN 'milliseconds'
        WHEN a.attname ~ '_rps$' THEN 'requests per second'
        WHEN a.attname ~ '_percent$' THEN 'percent'
        WHEN a.attname ~ '_rank$|^bin$' THEN 'rank'
        WHEN a.attname ~ '^burn_rate|_burn_rate$' THEN 'times the allowed error rate'
        WHEN a.attname ~ '_per_day$|_7d_avg$' THEN 'per day'
        WHEN a.attname ~ '_hour$' THEN 'hour of the day'
        WHEN a.attname ~ '^hours_' THEN 'hours'
        WHEN a.attname ~ '_(seconds|minutes|hours|days|tokens|bytes)$' THEN substring(a.attname FROM '[a-z]+$')
        WHEN a.attname ~ '_(probability|ratio|score)$' THEN substring(a.attname FROM '[a-z]+$')
        WHEN a.attname IN ('auc', 'ece', 'mce', 'ks', 'mean_predicted', 'threshold', 'observed_rate', 'observed_low', 'observed_high') THEN 'probability'
        WHEN a.attname = 'mcc' THEN 'score'
        WHEN a.attname IN ('log_loss', 'psi') THEN 'nats'
        WHEN a.attname ~ '_count$|Quantity$' OR a.atttypid IN ('bigint'::regtype, 'integer'::regtype, 'smallint'::regtype) THEN 'count'
        WHEN t.typcategory = 'N' THEN 'number'
        ELSE format_type(a.atttypid, a.atttypmod)
    END AS unit,
    col_description(c.oid, a.attnum) AS definition,
    CASE WHEN a.attname ~ '(_key|UserKey)$' THEN 'pseudonym' ELSE 'none' END AS pii,
    a.attnum::integer AS ordinal,
    CASE
        WHEN a.attname ~ '(_key|UserKey)$' THEN 'personal'
        WHEN a.attname ~ '_usd$|(Cost|UnitPrice)$' THEN 'financial'
        WHEN t.typcategory = 'S' AND col_description(c.oid, a.attnum) ~ '\mredacted\M' THEN 'redacted text'
        ELSE 'operational'
    END AS classification,
    source.columns AS source_columns
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN bcce_data.report_sources() source ON source.report = c.relname::text
WHERE c.relnamespace = (SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname = 'bcce')
  AND c.relkind = 'v' AND c.relname NOT LIKE 'inbox\_%';
COMMENT ON VIEW bcce.data_dictionary IS 'What does a column of a report mean? One row per report and column. Made from the comments of the columns.';
COMMENT ON COLUMN bcce.data_dictionary.report IS 'name of the report';
COMMENT ON COLUMN bcce.data_dictionary.column_name IS 'name of the column';
COMMENT ON COLUMN bcce.data_dictionary.data_type IS 'type in PostgreSQL';
COMMENT ON COLUMN bcce.data_dictionary.unit IS 'unit, told by the name of the column, else by its type';
COMMENT ON COLUMN bcce.data_dictionary.definition IS 'what the values are';
COMMENT ON COLUMN bcce.data_dictionary.pii IS 'pseudonym: a key that may stand for a person; none: says nothing about a person';
COMMENT ON COLUMN bcce.data_dictionary.ordinal IS 'place of the column in the report, rising from 1';
COMMENT ON COLUMN bcce.data_dictionary.classification IS 'personal (stands for a person), financial, redacted text, or operational';
COMMENT ON COLUMN bcce.data_dictionary.source_columns IS 'columns of the store that the report reads, as table.column; NULL: made from the catalogue';

CREATE OR REPLACE VIEW bcce.metric_catalogue WITH (security_invoker = true) AS
SELECT
    m.metric,
    m.definition,
    m.unit,
    CASE
        WHEN m.metric ~ 'threshold|target|expected|^(long_|short_)?window_' THEN 'neutral'
        WHEN m.metric ~ 'savings|success|succeeded_|accuracy|precision|recall|specificity|f1_|^mcc$|^auc$|skill|availability|budget_remaining|exhausted|mtbf|lead_time|throughput|active_|retained|new_users|wau_mau|deployments_(succeeded|per_day)'
            THEN 'higher is better'
        WHEN m.metric ~ 'fail|error|timed_out|latency|duration|running_seconds|_usd$|(Cost|UnitPrice)$|mttr|mtta|mttd|recovery|open_|oldest|incident_count|invalid|unpriced|rejected|late_count|lag_|burn_rate|brier|log_loss|^[em]ce$|^psi$|^ks$|false_|unlabelable|wait|delay|first_run|^median_minutes$'
            THEN 'lower is better'
        ELSE 'neutral'
    END AS direction,
    m.reports,
    (
        SELECT string_agg(DISTINCT u.name COLLATE "C", ', ' ORDER BY u.name COLLATE "C")
        FROM unnest(string_to_array(m.source_columns, ', ')) AS u (name)
    ) AS source_columns,
    m.classification,
    m.pii
FROM (
    SELECT
        d.column_name AS metric,
        d.unit,
        -- That of the first report, where a later one only narrows it down.
        (array_agg(d.definition ORDER BY d.report COLLATE "C"))[1] AS definition,
        string_agg(d.report, ', ' ORDER BY d.report COLLATE "C") AS reports,
        string_agg(d.source_columns, ', ') AS source_columns,
        CASE WHEN bool_or(person.is_one) THEN 'personal' ELSE min(d.classification) END AS classification,
        CASE WHEN bool_or(person.is_one) THEN 'pseudonym' ELSE 'none' END AS pii
    FROM bcce.data_dictionary d
    JOIN (
        SELECT k.report, bool_or(k.column_name IN ('user_key', 'x_UserKey')) AS is_one
        FROM bcce.data_dictionary k
        GROUP BY k.report
    ) person ON person.report = d.report
    WHERE d.unit NOT IN ('identifier', 'text', 'instant', 'local date', 'true or false', 'rank')
      AND d.source_columns IS NOT NULL
    GROUP BY d.column_name, d.unit
) m;
COMMENT ON VIEW bcce.metric_catalogue IS 'Which numbers are there, and what do they mean? One row per metric: a number that several reports show under one name and unit is one metric. Made from the comments of the columns and the dependencies of the reports.';
COMMENT ON COLUMN bcce.metric_catalogue.metric IS 'name of the metric: that of its columns';
COMMENT ON COLUMN bcce.metric_catalogue.definition IS 'what it is; of several reports, in the words of the first';
COMMENT ON COLUMN bcce.metric_catalogue.unit IS 'unit, as in data_dictionary';
COMMENT ON COLUMN bcce.metric_catalogue.direction IS 'higher is better, lower is better, or neutral; told by the name';
COMMENT ON COLUMN bcce.metric_catalogue.reports IS 'reports that show it';
COMMENT ON COLUMN bcce.metric_catalogue.source_columns IS 'columns of the store that these reports read, as table.column';
COMMENT ON COLUMN bcce.metric_catalogue.classification IS 'financial, operational, or personal: the number is about one pseudonymous person in one of the reports';
COMMENT ON COLUMN bcce.metric_catalogue.pii IS 'pseudonym: one of the reports shows it beside the pseudonym of the person whom it is about; none';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '32_tenant', $bcce_module$
-- All about one tenant as one JSON object.  A tenant of somebody else and one
-- that does not exist are the same to the caller.
CREATE OR REPLACE FUNCTION bcce.report_tenant(tenant uuid) RETURNS json
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT json_build_object(
        'overview', (
            SELECT row_to_json(o)
            FROM bcce.analytics_overview(NULL::timestamptz, NULL::timestamptz) o
            WHERE o.tenant_id = tenant),
        'mttr', (
            SELECT row_to_json(m)
            FROM bcce.mttr_analysis(NULL::timestamptz, NULL::timestamptz) m
            WHERE m.tenant_id = tenant),
        'cost', (
            SELECT row_to_json(c)
            FROM bcce.cost_analysis(NULL::timestamptz, NULL::timestamptz) c
            WHERE c.tenant_id = tenant),
        'services', (
            SELECT coalesce(json_agg(json_build_object(
                'service_id', s.service_id,
                'service_name', s.service_name,
                'status', s.status,
                'status_reason', s.status_reason,
                'last_seen_at', s.last_seen_at,
                'open_incidents', s.open_incidents) ORDER BY s.service_id COLLATE "C"), '[]')
            FROM bcce.service_health_dashboard(NULL::timestamptz, NULL::timestamptz) s
            WHERE s.tenant_id = tenant),
        'models', (
            SELECT coalesce(json_agg(json_build_object(
                'model_name', p.model_name,
                'model_version', p.model_version,
                'total_predictions', p.total_predictions,
                'labelled_count', p.labelled_count,
                'accuracy_percent', p.accuracy_percent,
                'accuracy_low_percent', p.accuracy_low_percent,
                'accuracy_high_percent', p.accuracy_high_percent,
                'brier_score', p.brier_score) ORDER BY p.model_name COLLATE "C", p.model_version COLLATE "C"), '[]')
            FROM bcce.prediction_accuracy(NULL::timestamptz, NULL::timestamptz) p
            WHERE p.tenant_id = tenant AND p.model_name IS NOT NULL))
    FROM bcce_data.tenants t
    WHERE t.tenant_id = tenant AND t.deleted_at IS NULL
    UNION ALL
    SELECT NULL::json
    FROM bcce.raise_error('P0002', 'tenant not found', NULL, NULL) refusal
    WHERE NOT EXISTS (
        SELECT 1
        FROM bcce_data.tenants t
        WHERE t.tenant_id = tenant AND t.deleted_at IS NULL
    );
END;
COMMENT ON FUNCTION bcce.report_tenant(uuid) IS 'All about a tenant, over all its data, as one JSON object: overview, mttr and cost with every column of these reports, services with their status, models with their accuracy; null where unknown, [] where there are none. Error P0002 when there is no such tenant or it is not the caller''s.';

CREATE OR REPLACE FUNCTION bcce.report_tenant(tenant text) RETURNS json
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT bcce.report_tenant((
        SELECT t.tenant_id
        FROM bcce_data.tenants t
        WHERE tenant IN (t.slug, t.external_id)
           OR replace(t.tenant_id::text, '-', '') = lower(replace(btrim(tenant, '{}'), '-', ''))
        ORDER BY t.slug = tenant DESC, t.external_id = tenant DESC NULLS LAST
        LIMIT 1
    ));
END;
COMMENT ON FUNCTION bcce.report_tenant(text) IS 'The same for a tenant named by slug, external id or uuid.';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '33_export', $bcce_module$
-- Exports: a report as lines of CSV or JSON, each export logged.
--
-- Readers mostly are in a read-only transaction, and on a standby everybody is:
-- what the log table cannot take is a line of the server log.
CREATE OR REPLACE FUNCTION bcce.log_export(report text, tenants uuid[], row_counts bigint[]) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    total numeric := coalesce((SELECT sum(c.n) FROM unnest(row_counts) AS c (n)), 0);
    written bigint := 0;
BEGIN
    IF report <> 'overview' AND NOT EXISTS (SELECT FROM bcce.reports r WHERE r.report = log_export.report) OR report IS NULL THEN
        PERFORM bcce.raise_error('22023', 'unknown report', NULL, 'bcce.reports lists them.');
    END IF;
    IF current_setting('transaction_read_only') = 'off' THEN
        -- An export of nothing is one of the caller's own tenant.
        INSERT INTO bcce_data.export_log (tenant_id, login, report, row_count)
        SELECT t.tenant_id, session_user, log_export.report, c.n
        FROM (
            SELECT u.tenant_id, sum(u.n)::bigint AS n
            FROM unnest(tenants, row_counts) AS u (tenant_id, n)
            WHERE u.tenant_id IS NOT NULL
            GROUP BY u.tenant_id
            UNION ALL
            SELECT coalesce(bcce.current_tenant(), (bcce.current_tenants())[1]), total::bigint
            WHERE coalesce(cardinality(array_remove(tenants, NULL)), 0) = 0
        ) c
        JOIN bcce_data.tenants t ON t.tenant_id = c.tenant_id
        WHERE c.n >= 0;
        GET DIAGNOSTICS written = ROW_COUNT;
    END IF;
    IF written = 0 THEN
        PERFORM bcce.log_line(format('bcce: export of report "%s", rows: %s', report, total));
    END IF;
END
$body$;
COMMENT ON FUNCTION bcce.log_export(text, uuid[], bigint[]) IS 'Writes down that the caller exported so many rows of these tenants, as the export functions do: in the export log, or as a line of the server log where the transaction is read-only or there is no tenant. Error 22023 for an unknown report.';

CREATE OR REPLACE FUNCTION bcce.export_lines(
    style text, report text, since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL) RETURNS SETOF text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, YMD' SET timezone = 'UTC' SET extra_float_digits = 1 AS $body$
DECLARE
    found_report text;
    has_twin boolean;
    source text;
    names text[];
    columns text[];
    sort_keys text;
    is_text boolean[];
    tenant_column text;
    row_tenant uuid;
    last_tenant uuid;
    n bigint := 0;
    tenants uuid[] := '{}';
    row_counts bigint[] := '{}';
    line text;
BEGIN
    IF style IS NULL OR style NOT IN ('csv', 'jsonl') THEN
        PERFORM bcce.raise_error('22023', 'unknown style of lines', NULL, 'Known styles: csv, jsonl.');
    END IF;
    SELECT r.report, r.twin IS NOT NULL INTO found_report, has_twin FROM bcce.reports r
    WHERE r.report = CASE export_lines.report WHEN 'overview' THEN 'analytics_overview' ELSE export_lines.report END;
    IF found_report IS NULL THEN
        PERFORM bcce.raise_error('22023', 'unknown report', NULL, (
            SELECT 'Known reports: overview, ' || string_agg(r.report, ', ' ORDER BY r.report COLLATE "C") || '.'
            FROM bcce.reports r));
    END IF;
    IF num_nonnulls(since, until) > 0 AND NOT has_twin THEN
        PERFORM bcce.raise_error('22023', 'this report takes no period', NULL, 'Leave since and until out.');
    END IF;
    source := format(CASE WHEN num_nonnulls(since, until) > 0 THEN 'bcce.%I($1, $2)' ELSE 'bcce.%I' END, found_report);

    -- Reports do not round money; here it gets two decimals, the cost of a unit six.
    SELECT array_agg(quote_ident(a.attname) ORDER BY a.attnum),
           array_agg(format(CASE WHEN a.atttypid <> 'numeric'::regtype OR a.attname NOT LIKE '%\_usd' THEN 'r.%I'
                                 WHEN a.attname LIKE 'cost\_per\_%' THEN 'round(r.%I, 6)'
                                 ELSE 'round(r.%I, 2)' END, a.attname) ORDER BY a.attnum),
           array_agg(t.typcategory NOT IN ('N', 'B', 'D') ORDER BY a.attnum),
           string_agg(format(CASE WHEN t.typcategory = 'S' THEN 'r.%I COLLATE "C"' ELSE 'r.%I' END, a.attname), ', '
                      ORDER BY a.attname <> 'tenant_id', a.attnum)
               FILTER (WHERE a.atttypid IN ('uuid'::regtype, 'text'::regtype, 'timestamptz'::regtype, 'date'::regtype)),
           coalesce(max('r.tenant_id'::text) FILTER (WHERE a.attname = 'tenant_id'), 'NULL::uuid')
    INTO names, columns, is_text, sort_keys, tenant_column
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = format('bcce.%I', found_report)::regclass AND a.attnum > 0 AND NOT a.attisdropped
      -- The sample's four columns.
      AND (export_lines.report <> 'overview'
           OR a.attname IN ('tenant_id', 'tenant_name', 'total_workflows', 'failure_rate_percent'));

    IF style = 'csv' THEN
        RETURN NEXT replace(array_to_string(names, ','), '"', '');
        -- A spreadsheet takes text that begins like a formula for one.
        source := format($query$
            SELECT (
                SELECT string_agg(CASE
                    WHEN g.value IS NULL THEN ''
                    WHEN g.value = '' OR g.value ~ '[",\r\n]' THEN '"' || replace(g.value, '"', '""') || '"'
                    ELSE g.value END, ',' ORDER BY f.ordinal)
                FROM unnest(ARRAY[%s]::text[], $3) WITH ORDINALITY AS f (value, is_text, ordinal)
                CROSS JOIN LATERAL (
                    SELECT CASE WHEN f.is_text AND f.value ~ '^[-=+@\t\r]' THEN '''' || f.value ELSE f.value END) AS g (value)
            ), %s FROM %s AS r ORDER BY %s$query$,
            (SELECT string_agg(c || '::text', ', ' ORDER BY o) FROM unnest(columns) WITH ORDINALITY AS u (c, o)),
            tenant_column, source, sort_keys);
    ELSE
        source := format('SELECT (SELECT row_to_json(j) FROM (SELECT %s) AS j)::text, %s FROM %s AS r ORDER BY %s',
            (SELECT string_agg(c || ' AS ' || a, ', ' ORDER BY o) FROM unnest(columns, names) WITH ORDINALITY AS u (c, a, o)),
            tenant_column, source, sort_keys);
    END IF;
    FOR line, row_tenant IN EXECUTE source USING since, until, is_text LOOP
        IF n > 0 AND row_tenant IS DISTINCT FROM last_tenant THEN
            tenants := tenants || last_tenant;
            row_counts := row_counts || n;
            n := 0;
        END IF;
        last_tenant := row_tenant;
        n := n + 1;
        RETURN NEXT line;
    END LOOP;
    IF n > 0 THEN
        tenants := tenants || last_tenant;
        row_counts := row_counts || n;
    END IF;
    PERFORM bcce.log_export(export_lines.report, tenants, row_counts);
END
$body$;
COMMENT ON FUNCTION bcce.export_lines(text, text, timestamptz, timestamptz) IS 'What export_csv() (style csv) and export_jsonl() (style jsonl) return.';

CREATE OR REPLACE FUNCTION bcce.export_csv(report text, since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL) RETURNS SETOF text
LANGUAGE sql VOLATILE
BEGIN ATOMIC
    SELECT l.line FROM bcce.export_lines('csv', report, since, until) AS l (line);
END;
COMMENT ON FUNCTION bcce.export_csv(text, timestamptz, timestamptz) IS 'A report as CSV (RFC 4180), a line per row after the header: fields with a comma, quote or line break are quoted, NULL is an empty field, empty text "", times are UTC, money has two decimals (the cost of a unit six), and text that a spreadsheet would take for a formula has a single quote before it. overview is the short form of analytics_overview: tenant_id, tenant_name, total_workflows, failure_rate_percent. since (inclusive) and until (exclusive) choose a period. Each export is logged. Errors: 22023 unknown report, or one without periods; 42501 not for the caller.';

CREATE OR REPLACE FUNCTION bcce.export_jsonl(report text, since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL) RETURNS SETOF text
LANGUAGE sql VOLATILE
BEGIN ATOMIC
    SELECT l.line FROM bcce.export_lines('jsonl', report, since, until) AS l (line);
END;
COMMENT ON FUNCTION bcce.export_jsonl(text, timestamptz, timestamptz) IS 'A report as JSON lines, one object per row with the columns in order; names, period, log and errors as in export_csv().';

CREATE OR REPLACE FUNCTION bcce.export_json(report text, since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL) RETURNS json
LANGUAGE sql VOLATILE
BEGIN ATOMIC
    SELECT (coalesce('[' || string_agg(l.line, E',\n' ORDER BY l.ordinal) || ']', '[]'))::json
    FROM bcce.export_lines('jsonl', report, since, until) WITH ORDINALITY AS l (line, ordinal);
END;
COMMENT ON FUNCTION bcce.export_json(text, timestamptz, timestamptz) IS 'A report as one JSON array of objects; names, period, log and errors as in export_csv().';
$bcce_module$);

INSERT INTO bcce.module (part, name, sql) VALUES ('report', '90_grants', $bcce_module$
-- Who may read and call what install() makes.  Rights are those that the
-- reports need and no more: a reader gets a column of the store exactly if a
-- report that it may read names it, and no USAGE on bcce_data at all.
DO $do$
DECLARE
    item record;
    readers CONSTANT text := 'bcce_analytics_user, bcce_platform';
    cost_reports CONSTANT text := '^(cost_|budget_|unpriced_usage$)';
    upkeep CONSTANT text[] := '{create_tenant,add_membership,remove_membership,maintain,
                                set_membership_mode,add_context_key,rotate_context_key,revoke_context_key,
                                check_roles,check_security,check_budgets}';
BEGIN
    -- Owners, and nothing for PUBLIC.
    FOR item IN
        SELECT format('ALTER SCHEMA %I OWNER TO bcce_owner', n.nspname) AS command
        FROM pg_namespace n WHERE n.nspname IN ('bcce_data', 'bcce_private') AND n.nspowner <> 'bcce_owner'::regrole
        UNION ALL
        SELECT format('ALTER %s %s OWNER TO bcce_owner', CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END, c.oid::regclass)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('bcce', 'bcce_data', 'bcce_private') AND c.relkind IN ('r', 'p', 'v', 'c')
          AND c.relowner <> 'bcce_owner'::regrole
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.deptype = 'e' AND (d.classid, d.objid) IN (('pg_class'::regclass, c.oid), ('pg_type'::regclass, c.reltype)))
        UNION ALL
        SELECT format('ALTER FUNCTION %s OWNER TO %s', p.oid::regprocedure,
                      CASE WHEN p.proname = ANY (upkeep)
                           THEN 'bcce_maintainer' ELSE 'bcce_owner' END)
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname IN ('bcce', 'bcce_data', 'bcce_private')
          AND p.proowner <> CASE WHEN p.proname = ANY (upkeep)
                                 THEN 'bcce_maintainer' ELSE 'bcce_owner' END::regrole
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
    LOOP
        EXECUTE item.command;
    END LOOP;
    FOR item IN
        SELECT p.oid::regprocedure AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname IN ('bcce', 'bcce_data', 'bcce_private')
          AND EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a WHERE a.grantee = 0)
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', item.name);
    END LOOP;

    -- Writers.
    FOR item IN
        SELECT p.oid::regprocedure AS name FROM pg_proc p
        WHERE p.pronamespace = 'bcce'::regnamespace
          AND p.proname IN ('record_workflow_run', 'record_incident', 'record_incident_event', 'record_metric', 'record_prediction', 'resolve_prediction',
                            'record_model_usage', 'ingest_event', 'ingest_events', 'ingest_transcript', 'ingest_otlp')
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO bcce_ingest', item.name);
    END LOOP;
    GRANT INSERT ON bcce.inbox_workflow_runs, bcce.inbox_incidents, bcce.inbox_metrics, bcce.inbox_predictions,
        bcce.inbox_model_usage, bcce.inbox_events, bcce.inbox_json TO bcce_ingest;

    -- Everybody may ask who they are; admins configure their tenant.  Making
    -- tenants, logins and memberships, and upkeep, stay with the DBA.
    GRANT EXECUTE ON FUNCTION bcce.whoami() TO PUBLIC;
    GRANT EXECUTE ON FUNCTION bcce.use_tenant(text, boolean) TO bcce_analytics_user, bcce_cost_analyst, bcce_platform, bcce_ingest;
    GRANT EXECUTE ON FUNCTION bcce.set_price(text, numeric, timestamptz, text),
                              bcce.add_value_alias(text, text, text, text),
                              bcce.set_slo(numeric, text, text),
                              bcce.find_person(text, text),
                              bcce.record_invoice(text, tstzrange, numeric, text),
                              bcce.set_business_hours(integer[], time, time, text),
                              bcce.set_holiday(date, boolean, text),
                              bcce.set_redaction_rule(text, text, text, integer, integer, text, text[], text, boolean, boolean, text),
                              bcce.drop_redaction_rule(text, text),
                              bcce.set_redaction_style(text, text),
                              bcce.set_budget(text, numeric, text, text, text, text, text, text, text, numeric[], text, text, timestamptz, timestamptz, text),
                              bcce.set_prediction_threshold(double precision, text, text, text),
                              bcce.set_prediction_reference(timestamptz, timestamptz, text, text, text),
                              bcce.set_model_price(text, text, numeric, timestamptz, bigint, text, text, text),
                              bcce.set_model_price_factor(text, text, numeric, timestamptz, text, text),
                              bcce.set_model_alias(text, text, timestamptz, text, text),
                              bcce.import_prices(jsonb, timestamptz, text, boolean, boolean, text) TO bcce_analytics_admin;

    -- Readers: the reports, their twins, and what these name.
    FOR item IN
        SELECT format('GRANT SELECT ON %s TO %s', c.oid::regclass, readers
                      || CASE WHEN c.relname ~ cost_reports OR c.relname IN ('reports', 'data_dictionary', 'metric_catalogue')
                              THEN ', bcce_cost_analyst' ELSE '' END) AS command
        FROM pg_class c
        WHERE c.relnamespace = 'bcce'::regnamespace AND c.relkind = 'v' AND c.relname NOT LIKE 'inbox\_%'
        UNION ALL
        SELECT format('GRANT EXECUTE ON FUNCTION %s TO %s', p.oid::regprocedure, readers
                      || CASE WHEN p.proname ~ cost_reports OR p.proname ~ '^(export|log_export)' THEN ', bcce_cost_analyst' ELSE '' END)
        FROM pg_proc p
        WHERE p.pronamespace = 'bcce'::regnamespace
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
          AND (EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = p.pronamespace AND c.relkind = 'v' AND c.relname = p.proname)
               OR p.proname IN ('cost_analysis_repriced', 'cost_report', 'budget_check', 'overview_json', 'metrics', 'report_tenant', 'export_csv', 'export_jsonl', 'export_json',
                                 'export_lines', 'log_export'))
    LOOP
        EXECUTE item.command;
    END LOOP;
    FOR item IN
        WITH RECURSIVE report AS (      -- reports and twins: object, and whether a cost analyst reads it
            SELECT 'pg_proc'::regclass AS classid, p.oid AS objid, p.proname ~ cost_reports AS is_cost
            FROM pg_proc p
            WHERE p.pronamespace = 'bcce'::regnamespace AND p.prosqlbody IS NOT NULL
            UNION ALL
            SELECT 'pg_rewrite'::regclass, r.oid, c.relname ~ cost_reports OR c.relname IN ('reports', 'data_dictionary', 'metric_catalogue')
            FROM pg_class c JOIN pg_rewrite r ON r.ev_class = c.oid
            WHERE c.relnamespace = 'bcce'::regnamespace AND c.relkind = 'v'
        ), used AS (                    -- and helpers of bcce_data that they call
            SELECT classid, objid, is_cost FROM report
            UNION
            SELECT 'pg_proc'::regclass, d.refobjid, u.is_cost
            FROM used u JOIN pg_depend d ON d.classid = u.classid AND d.objid = u.objid AND d.refclassid = 'pg_proc'::regclass
            JOIN pg_proc p ON p.oid = d.refobjid AND p.pronamespace = 'bcce_data'::regnamespace
        )
        SELECT format('GRANT EXECUTE ON FUNCTION %s TO %s', u.objid::regprocedure, readers
                      || CASE WHEN bool_or(u.is_cost) THEN ', bcce_cost_analyst' ELSE '' END) AS command
        FROM used u JOIN pg_proc p ON u.classid = 'pg_proc'::regclass AND p.oid = u.objid AND p.pronamespace = 'bcce_data'::regnamespace
        GROUP BY u.objid
        UNION ALL
        SELECT format('GRANT SELECT (%s) ON %s TO %s',
                      string_agg(DISTINCT quote_ident(a.attname), ', '), d.refobjid::regclass, readers)
        FROM used u JOIN pg_depend d ON d.classid = u.classid AND d.objid = u.objid AND d.refclassid = 'pg_class'::regclass
        JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid AND a.attnum > 0
        JOIN pg_class c ON c.oid = d.refobjid AND c.relnamespace = 'bcce_data'::regnamespace
        GROUP BY d.refobjid
        UNION ALL
        SELECT format('GRANT SELECT (%s) ON %s TO bcce_cost_analyst',
                      string_agg(DISTINCT quote_ident(a.attname), ', '), d.refobjid::regclass)
        FROM used u JOIN pg_depend d ON d.classid = u.classid AND d.objid = u.objid AND d.refclassid = 'pg_class'::regclass
        JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid AND a.attnum > 0
        JOIN pg_class c ON c.oid = d.refobjid AND c.relnamespace = 'bcce_data'::regnamespace
        WHERE u.is_cost
        GROUP BY d.refobjid
    LOOP
        EXECUTE item.command;
    END LOOP;
END
$do$;
$bcce_module$);

-- A dump being restored brings its own tables, and every script of pg_dump and
-- pg_restore begins with SET row_security = off.
DO $$
BEGIN
    IF current_setting('row_security') = 'off' THEN
        RAISE WARNING USING
            MESSAGE = 'row_security is off, as in a restore: the store of bcce was not made',
            HINT = 'Where no dump brings it, run: SELECT * FROM bcce.install();';
    ELSE
        PERFORM bcce.install();
    END IF;
END
$$;
