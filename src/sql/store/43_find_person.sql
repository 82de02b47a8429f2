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
