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
-- of bcce that return rows and need no argument, as something to select from; what
-- one of them writes is taken back.
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
    WHERE n.nspname = 'bcce' AND p.prokind = 'f' AND p.proretset AND p.proname <> 'verify_isolation' AND p.pronargs = p.pronargdefaults
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
