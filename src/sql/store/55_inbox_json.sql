-- JSON lines: one inbox for all facts.
CREATE OR REPLACE VIEW bcce.inbox_json WITH (security_invoker = true) AS
SELECT NULL::text AS line WHERE false;
COMMENT ON VIEW bcce.inbox_json IS 'Write-only: INSERT or COPY lines of JSON here, each an object with the columns of an inbox as members, or an array of such objects. Bad lines are counted in bcce.rejected.';

CREATE OR REPLACE FUNCTION bcce_data.inbox_json() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    document jsonb := bcce.try_jsonb(NEW.line);
    item jsonb;
    target uuid;
    fault text;
BEGIN
    IF NEW.line IS NULL OR btrim(NEW.line) = '' THEN
        RETURN NEW;                 -- an empty line, as at the end of a file
    ELSIF document IS NULL THEN
        PERFORM bcce_data.reject(NULL, 'inbox_json', 'bad_json', NULL);
        RETURN NEW;
    END IF;
    FOR item IN
        SELECT value FROM jsonb_array_elements(CASE jsonb_typeof(document) WHEN 'array' THEN document ELSE jsonb_build_array(document) END)
    LOOP
        CASE
            WHEN jsonb_typeof(item) <> 'object' THEN
                PERFORM bcce_data.reject(NULL, 'inbox_json', 'not_an_object', NULL);
            WHEN coalesce(item ->> 'inbox', 'events') = 'events' THEN
                -- Straight to the store: members without a column are kept.
                target := bcce_data.resolve_tenant(item ->> 'tenant');
                fault := CASE WHEN target IS NULL THEN 'unknown_tenant'
                              ELSE nullif(bcce_data.put_event_object(target, item - 'inbox'), 'duplicate') END;
                IF fault IS NOT NULL THEN
                    PERFORM bcce_data.reject(target, 'inbox_json', fault, coalesce(item ->> 'idempotency_key', item ->> 'event_id'));
                END IF;
            WHEN item ->> 'inbox' = 'workflow_runs' THEN
                INSERT INTO bcce.inbox_workflow_runs SELECT (jsonb_populate_record(NULL::bcce.inbox_workflow_runs, item)).*;
            WHEN item ->> 'inbox' = 'incidents' THEN
                INSERT INTO bcce.inbox_incidents SELECT (jsonb_populate_record(NULL::bcce.inbox_incidents, item)).*;
            WHEN item ->> 'inbox' = 'metrics' THEN
                INSERT INTO bcce.inbox_metrics SELECT (jsonb_populate_record(NULL::bcce.inbox_metrics, item)).*;
            WHEN item ->> 'inbox' = 'predictions' THEN
                INSERT INTO bcce.inbox_predictions SELECT (jsonb_populate_record(NULL::bcce.inbox_predictions, item)).*;
            WHEN item ->> 'inbox' = 'model_usage' THEN
                INSERT INTO bcce.inbox_model_usage SELECT (jsonb_populate_record(NULL::bcce.inbox_model_usage, item)).*;
            ELSE
                PERFORM bcce_data.reject(NULL, 'inbox_json', 'unknown_inbox', NULL);
        END CASE;
    END LOOP;
    RETURN NEW;
END
$body$;
COMMENT ON FUNCTION bcce_data.inbox_json() IS 'stores or refuses a line of bcce.inbox_json';

CREATE OR REPLACE TRIGGER inbox INSTEAD OF INSERT ON bcce.inbox_json
    FOR EACH ROW EXECUTE FUNCTION bcce.inbox_row('inbox_json');

-- The columns of every inbox.
DO $do$
DECLARE
    col record;
BEGIN
    FOR col IN
        SELECT a.attrelid::regclass AS inbox, a.attname FROM pg_attribute a
        JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.relnamespace = 'bcce'::regnamespace AND c.relkind = 'v' AND c.relname LIKE 'inbox\_%' AND a.attnum > 0
    LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', col.inbox, col.attname, CASE
            WHEN col.attname = 'tenant' THEN 'slug, external id or uuid; empty: the writer''s own tenant'
            WHEN col.attname LIKE '%\_at' THEN 'ISO 8601 instant; without a zone it is read as UTC'
            WHEN col.attname IN ('user_id', 'guest_id') THEN 'the sender''s id of the person; stored as a pseudonym'
            WHEN col.attname IN ('status', 'severity') THEN 'a word of the reports or a known synonym'
            WHEN col.attname = 'ip' THEN 'address; stored as its network'
            WHEN col.attname = 'user_agent' THEN 'stored as its family'
            WHEN col.attname = 'line' THEN 'a JSON object, or an array of them; inbox names the inbox (default events), the other members are its columns'
            WHEN col.attname ~ '_(count|ms|rps|percent|seconds|tokens|usd|probability)$' THEN 'a plain decimal number; empty: unknown'
            WHEN col.attname = 'outcome' THEN '1 it failed, 0 it did not; empty: not known yet'
            WHEN col.attname IN ('is_test', 'is_batch') THEN 'true or false; test rows never count'
            WHEN col.attname LIKE '%\_id' OR col.attname IN ('retry_of', 'merged_into', 'caused_by_run') THEN 'the sender''s id'
            ELSE 'as in the table of the fact; redacted' END);
    END LOOP;
END
$do$;
