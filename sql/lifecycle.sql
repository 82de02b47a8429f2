-- Proves that the store can be made, repaired, closed and opened again, and
-- that no way of dropping the extension loses a row or leaves one unguarded.
SET client_min_messages = warning;
\getenv abs_srcdir PG_ABS_SRCDIR
\set fingerprint :abs_srcdir '/test/lib/fingerprint.sql'
\set seed :abs_srcdir '/test/lib/seed.sql'
CREATE DATABASE regress_lifecycle;
\set home :DBNAME
\c regress_lifecycle
SET client_min_messages = warning;
\t on

-- CREATE EXTENSION alone is enough: every report answers.
CREATE EXTENSION bcce;
DO $$
DECLARE
    report regclass;
    n bigint;
BEGIN
    FOR report IN SELECT oid FROM pg_class WHERE relnamespace = 'bcce'::regnamespace AND relkind = 'v'
                    AND relname NOT IN ('reports', 'data_dictionary', 'metric_catalogue', 'known_words') ORDER BY relname LOOP
        EXECUTE format('SELECT count(*) FROM %s', report) INTO n;
        IF n <> 0 THEN
            RAISE WARNING '% has % rows', report, n;
        END IF;
    END LOOP;
    FOR report IN SELECT c.oid FROM pg_class c JOIN pg_proc p ON p.pronamespace = c.relnamespace AND p.proname = c.relname
                  WHERE c.relnamespace = 'bcce'::regnamespace AND c.relkind = 'v' LOOP
        EXECUTE format('SELECT count(*) FROM %s(''2026-01-01 00:00+00'', NULL)', report) INTO n;
        IF n <> 0 THEN
            RAISE WARNING 'twin % has % rows', report, n;
        END IF;
    END LOOP;
END
$$;
SELECT count(*) >= 6 AS reports FROM pg_class c JOIN pg_proc p ON p.pronamespace = c.relnamespace AND p.proname = c.relname
WHERE c.relnamespace = 'bcce'::regnamespace AND c.relkind = 'v';

-- Rows of two tenants, and the properties of every object.
\set ECHO none
\o /dev/null
\i :seed
\o
\i :fingerprint
\set ECHO all
CREATE TABLE public.made AS SELECT * FROM public.fingerprint;
CREATE FUNCTION public.counts() RETURNS TABLE (name text, n bigint) LANGUAGE plpgsql AS $$
BEGIN
    FOR name IN SELECT c.oid::regclass::text FROM pg_class c
                WHERE c.relnamespace::regnamespace::text IN ('bcce_data', 'bcce_private') AND c.relkind = 'r' ORDER BY 1 LOOP
        EXECUTE 'SELECT count(*) FROM ' || name INTO n;
        RETURN NEXT;
    END LOOP;
END
$$;
CREATE TABLE public.counted AS SELECT * FROM public.counts();
SELECT sum(n) > 300 AS many_rows, count(*) > 20 AS many_tables FROM public.counted;
CREATE VIEW public.changed AS
    (SELECT '-' AS sign, * FROM public.made EXCEPT ALL SELECT '-', * FROM public.fingerprint)
    UNION ALL
    (SELECT '+', * FROM public.fingerprint EXCEPT ALL SELECT '+', * FROM public.made);
CREATE VIEW public.moved AS
    SELECT coalesce(o.name, c.name) AS name, o.n AS before, c.n AS after FROM public.counted o FULL JOIN public.counts() c USING (name)
    WHERE o.n IS DISTINCT FROM c.n;

\echo == install() again changes nothing
SELECT module, action FROM bcce.install() WHERE action <> 'unchanged';
SELECT * FROM public.changed;
SELECT * FROM public.moved;

\echo == install() brings back what was taken away
DROP POLICY reader_wall ON bcce_data.incidents;
DROP POLICY writer ON bcce_private.membership;
ALTER POLICY reader ON bcce_data.workflow_runs USING (true);
DROP TRIGGER redact ON bcce_data.workflow_runs;
ALTER TABLE bcce_data.events DISABLE TRIGGER redact;
ALTER TABLE bcce_data.incidents ENABLE REPLICA TRIGGER redact;
DROP TRIGGER invalidate_cache ON bcce_private.membership;
DROP TRIGGER inbox ON bcce.inbox_events;
DROP TRIGGER refuse_overlap ON bcce_data.unit_prices;
ALTER TABLE bcce_data.predictions NO FORCE ROW LEVEL SECURITY;
ALTER TABLE bcce_data.models DISABLE ROW LEVEL SECURITY;
DROP VIEW bcce.rejected;
DROP VIEW bcce.cost_analysis;
DROP FUNCTION bcce.record_metric;
ALTER FUNCTION bcce.record_incident OWNER TO CURRENT_USER;
ALTER FUNCTION bcce.set_price RESET search_path;
ALTER FUNCTION bcce.set_price SECURITY INVOKER;
ALTER VIEW bcce.usage_trends SET (security_invoker = false);
ALTER TABLE bcce_data.services OWNER TO CURRENT_USER;
REVOKE SELECT ON bcce.analytics_overview FROM bcce_analytics_user;
REVOKE EXECUTE ON FUNCTION bcce.ingest_events FROM bcce_ingest;
GRANT EXECUTE ON FUNCTION bcce.create_tenant TO PUBLIC;
COMMENT ON TABLE bcce_data.events IS NULL;
-- As an earlier build left them.
DROP FUNCTION bcce.record_model_usage;
CREATE FUNCTION bcce.record_model_usage(model_id text, at timestamptz DEFAULT now(), input_tokens bigint DEFAULT NULL, output_tokens bigint DEFAULT NULL,
    cache_read_tokens bigint DEFAULT NULL, cache_write_5m_tokens bigint DEFAULT NULL, cache_write_1h_tokens bigint DEFAULT NULL, user_id text DEFAULT NULL,
    run_id text DEFAULT NULL, session_id text DEFAULT NULL, provider text DEFAULT NULL, region text DEFAULT NULL, latency_ms double precision DEFAULT NULL,
    is_batch boolean DEFAULT false, reported_cost_usd numeric DEFAULT NULL, idempotency_key text DEFAULT NULL, source text DEFAULT 'api',
    is_test boolean DEFAULT false, tenant text DEFAULT NULL) RETURNS void LANGUAGE sql AS '';
ALTER TYPE bcce_data.given_model_usage DROP ATTRIBUTE web_searches, DROP ATTRIBUTE speed, DROP ATTRIBUTE inference_geo, DROP ATTRIBUTE service_tier,
    DROP ATTRIBUTE project, DROP ATTRIBUTE team_id, DROP ATTRIBUTE request_id, DROP ATTRIBUTE query_source, DROP ATTRIBUTE agent_name;
ALTER TYPE bcce_data.given_model_request DROP ATTRIBUTE names;
SELECT count(*) > 20 AS many_changes FROM public.changed;
SELECT count(*) > 10 AS says_so FROM bcce.install() WHERE module <> '';
SELECT * FROM public.changed;
SELECT * FROM public.moved;

\echo == DROP EXTENSION is refused while the store stands
\set VERBOSITY sqlstate
DROP EXTENSION bcce;
\set VERBOSITY default

\echo == uninstall() keeps the rows, shut
SELECT count(*) > 50 AS steps FROM bcce.uninstall();
DROP EXTENSION bcce;
SELECT name, before, after FROM public.moved;
CREATE ROLE regress_lifecycle_reader IN ROLE bcce_analytics_user, bcce_platform, bcce_ingest, bcce_analytics_admin, bcce_cost_analyst;
GRANT USAGE ON SCHEMA bcce_data, bcce_private TO regress_lifecycle_reader;
SELECT name AS readable FROM public.counted WHERE has_any_column_privilege('regress_lifecycle_reader', name, 'SELECT, INSERT, UPDATE, REFERENCES');
SELECT c.oid::regclass AS without_row_security FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
WHERE c.relnamespace::regnamespace::text IN ('bcce_data', 'bcce_private') AND c.relkind IN ('r', 'p') AND NOT (c.relrowsecurity AND c.relforcerowsecurity);
REVOKE USAGE ON SCHEMA bcce_data, bcce_private FROM regress_lifecycle_reader;

\echo == CREATE EXTENSION opens it again, guarded as before
CREATE EXTENSION bcce;
SELECT * FROM public.changed;
SELECT * FROM public.moved;
SELECT count(*) AS tenants, sum(total_workflows) > 70 AS with_facts FROM bcce.analytics_overview;

\echo == a store that is older gets the columns that it lacks
SELECT count(*) > 50 AS steps FROM bcce.uninstall();
ALTER TABLE bcce_data.performance_metrics DROP COLUMN latency_digest;
ALTER TYPE bcce_data.given_metric DROP ATTRIBUTE latency_digest;
DROP EXTENSION bcce;
CREATE EXTENSION bcce;
SELECT * FROM public.changed;
SELECT * FROM public.moved;

\echo == so does one after DROP EXTENSION CASCADE
DROP EXTENSION bcce CASCADE;
SELECT name, before, after FROM public.moved;
SELECT name AS readable FROM public.counted
WHERE has_any_column_privilege('regress_lifecycle_reader', name, 'INSERT, UPDATE, REFERENCES') OR has_schema_privilege('regress_lifecycle_reader', split_part(name, '.', 1), 'USAGE');
CREATE EXTENSION bcce;
SELECT * FROM public.changed;
SELECT * FROM public.moved;
SELECT count(*) AS tenants FROM bcce.analytics_overview;
SELECT bcce.record_incident('after', now(), title => 'mail ada@example.org', tenant => 'alpha');
SELECT title FROM bcce_data.incidents WHERE incident_id = 'after';

\echo == who may, and which words
\set VERBOSITY sqlstate
SET ROLE regress_lifecycle_reader;
SELECT * FROM bcce.install();
SELECT * FROM bcce.uninstall('drop');
RESET ROLE;
SELECT * FROM bcce.uninstall('perhaps');
SELECT * FROM bcce.uninstall(NULL);
\set VERBOSITY default

\echo == uninstall('drop') leaves nothing
SELECT count(*) > 50 AS steps FROM bcce.uninstall(data => 'drop');
DROP EXTENSION bcce;
SELECT nspname FROM pg_namespace WHERE nspname LIKE 'bcce%';
CREATE EXTENSION bcce;
SELECT count(*) AS rows FROM bcce.analytics_overview;

\echo == with row_security off, as in a restore, it waits for install()
SELECT count(*) > 0 AS dropped FROM bcce.uninstall(data => 'drop');
DROP EXTENSION bcce;
SET row_security = off;
CREATE EXTENSION bcce;
SELECT to_regnamespace('bcce_data') IS NULL AS no_store;
RESET row_security;
SELECT count(*) > 0 AS made FROM bcce.install();
SELECT count(*) AS rows FROM bcce.analytics_overview;

\echo == a role of ours that can do too much is refused
DROP DATABASE IF EXISTS regress_lifecycle_roles;
CREATE DATABASE regress_lifecycle_roles;
ALTER ROLE bcce_ingest LOGIN;
\c regress_lifecycle_roles
SET client_min_messages = warning;
\set VERBOSITY sqlstate
CREATE EXTENSION bcce;
ALTER ROLE bcce_ingest NOLOGIN;
CREATE SCHEMA bcce;
CREATE EXTENSION bcce;

\c :home
SET client_min_messages = warning;
DROP DATABASE regress_lifecycle_roles;
DROP DATABASE regress_lifecycle;
DROP ROLE regress_lifecycle_reader;
