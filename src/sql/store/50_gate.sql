-- What every way in shares: identifiers, first mentions, counted rejections.
-- These run inside the definer functions that call them, under their pinned
-- search_path.
--
-- A fact has one function, put_...s(), for one row and for many: it takes rows
-- of a type given_..., in the order in which the sender gave them, stores what
-- is sound, and returns for each row the reason of its refusal or NULL.  A row
-- whose fault is set already is only handed back.
--
-- all_new says that every key is probably new: then no ON CONFLICT is asked for,
-- which costs less, and a known key is error 23505.  Only bcce.collect_rows()
-- may say so, which catches that and comes again.
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
--
-- The callers also give the statements memory for a whole batch, whatever the
-- session has: what they would put into temporary files is not redacted yet.
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
