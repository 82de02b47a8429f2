-- JSON lines: one inbox for all facts.
CREATE OR REPLACE VIEW bcce.inbox_json WITH (security_invoker = true) AS
SELECT NULL::text AS line WHERE false;
COMMENT ON VIEW bcce.inbox_json IS 'Write-only: INSERT or COPY lines of JSON here, each an object with the columns of an inbox as members, or an array of such objects. Bad lines are counted in bcce.rejected.';

CREATE OR REPLACE FUNCTION bcce_data.inbox_json() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET work_mem = '256MB' AS $body$
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
                faults := (bcce_data.put_events(events, TG_ARGV[0] = 'new')).faults;
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
