-- Proves what bcce.redaction_stats counts: each finding that a transaction
-- replaced and kept, once, whatever way it came; by the day of the tenant, and
-- the same before and after maintain() added rows up.
SET client_min_messages = warning;
CREATE DATABASE regress_report_redaction;
\set home :DBNAME
\c regress_report_redaction
SET client_min_messages = warning;
SET TimeZone = 'UTC';
CREATE EXTENSION bcce;
\pset format unaligned
\pset tuples_only on
SELECT bcce.create_tenant('berlin', 'Berlin', timezone => 'Europe/Berlin') AS berlin \gset
SELECT bcce.create_tenant('kolkata', 'Kolkata', timezone => 'Asia/Kolkata') AS kolkata \gset
\o /dev/null
SELECT bcce.create_login('regress_redaction_reader', 'kolkata'), bcce.create_login('regress_redaction_writer', 'berlin', 'ingest');
SELECT bcce.set_redaction_rule('project', 'Falcon', tenant => 'berlin'), bcce.set_redaction_rule('bird', 'Kiwi', tenant => 'berlin');
\o
CREATE VIEW public.counted AS
SELECT s.source, s.kind, coalesce(s.rule, '-') AS rule, sum(s.redaction_count) AS n
FROM bcce.redaction_stats s WHERE s.tenant_name = 'Berlin' GROUP BY 1, 2, 3 ORDER BY s.source COLLATE "C", 2, 3;

\echo == every kind of column and every way in, a superuser and a replica included
SET ROLE regress_redaction_writer;
\o /dev/null
SELECT bcce.record_incident('ada@example.org', '2015-01-01 00:00+00', title => 'Falcon, Kiwi and Falcon: ada@example.org, 10.1.2.3');
SELECT bcce.ingest_event('{"event_type": "view", "user_id": "ada@example.org", "event_id": "e1", "card_number": 4111111111111111, "Falcon": ["bob@example.org", {"x": "Falcon"}]}');
\o
INSERT INTO bcce.inbox_incidents (incident_id, opened_at, title) SELECT 'i' || n, '2015-01-01T00:00:00Z', 'of ada@example.org' FROM generate_series(1, 10) AS n;
RESET ROLE;
\set copy 'COPY bcce_data.incidents (tenant_id, incident_id, opened_at, title) FROM PROGRAM ''printf "%s\\\\tcopied\\\\t2026-01-01\\\\tKiwi 10.1.2.3" ' :berlin ''''
SET session_replication_role = replica;
:copy;
RESET session_replication_role;
SELECT * FROM public.counted;

\echo == a dump is restored with row_security off
TRUNCATE bcce_data.redaction_counts;
SET row_security = off;
INSERT INTO bcce_data.infra_costs VALUES (:'berlin', 'restored ada@example.org', 1, '2015-01-01', '2015-01-02');
SHOW row_security;
RESET row_security;
SELECT * FROM public.counted;

\echo == what is taken back is not counted: a rollback, a savepoint, a caught error, a failed statement
TRUNCATE bcce_data.redaction_counts;
BEGIN;
INSERT INTO bcce_data.infra_costs VALUES (:'berlin', 'ada@example.org', 1, '2015-01-01', '2015-01-02');
ROLLBACK;
BEGIN;
SAVEPOINT one;
INSERT INTO bcce_data.infra_costs VALUES (:'berlin', 'one ada@example.org', 1, '2015-01-01', '2015-01-02');
SAVEPOINT two;
INSERT INTO bcce_data.infra_costs VALUES (:'berlin', 'two ada@example.org bob@example.org', 1, '2015-01-01', '2015-01-02');
SAVEPOINT three;
INSERT INTO bcce_data.infra_costs VALUES (:'berlin', 'three Kiwi', 1, '2015-01-01', '2015-01-02');
RELEASE three;
ROLLBACK TO two;
INSERT INTO bcce_data.infra_costs VALUES (:'berlin', 'four Falcon', 1, '2015-01-01', '2015-01-02');
RELEASE one;
DO $$
DECLARE
    berlin uuid := (SELECT tenant_id FROM bcce_data.tenants WHERE slug = 'berlin');
BEGIN
    FOR n IN 1 .. 4 LOOP
        BEGIN
            INSERT INTO bcce_data.infra_costs VALUES (berlin, n || ' 10.1.2.3', 1, '2015-01-01', '2015-01-02');
            PERFORM 1 / (n % 2);
        EXCEPTION WHEN division_by_zero THEN
            INSERT INTO bcce_data.infra_costs VALUES (berlin, n || ' card 4111111111111111', 1, '2015-01-01', '2015-01-02');
        END;
    END LOOP;
END
$$;
COMMIT;
SELECT * FROM public.counted;
SELECT count(*) AS rows, count(DISTINCT (source, kind, rule)) AS one_each FROM bcce_data.redaction_counts;
\set VERBOSITY sqlstate
INSERT INTO bcce_data.infra_costs VALUES (:'berlin', 'ada@example.org', 1, '2015-01-02', '2015-01-01');
\set VERBOSITY terse
SELECT sum(redaction_count) FROM bcce_data.redaction_counts;

\echo == transactions within a procedure are counted one by one; a retry counts again, an update without findings does not
TRUNCATE bcce_data.redaction_counts;
DO $$
BEGIN
    FOR n IN 1 .. 4 LOOP
        INSERT INTO bcce_data.incidents (tenant_id, incident_id, opened_at, title) SELECT tenant_id, 'p' || n, '2015-01-01', 'Falcon' FROM bcce_data.tenants WHERE slug = 'berlin';
        IF n % 2 = 0 THEN ROLLBACK; ELSE COMMIT; END IF;
    END LOOP;
END
$$;
INSERT INTO bcce_data.incidents (tenant_id, incident_id, opened_at, title) VALUES (:'berlin', 'p1', '2015-01-01', 'Falcon') ON CONFLICT DO NOTHING;
UPDATE bcce_data.incidents SET priority = 'p1' WHERE incident_id = 'p1';
SELECT * FROM public.counted;

\echo == other tables: of a superuser by their name, a strange one as other; not without a tenant, of somebody else, or temporary
TRUNCATE bcce_data.redaction_counts;
CREATE TABLE public.notes (tenant_id uuid, body text);
CREATE TABLE public."Ada's notes" (tenant_id uuid, body text);
CREATE TABLE public.theirs (tenant_id uuid, body text);
CREATE TABLE public.nobodys (body text);
CREATE TEMP TABLE mine (tenant_id uuid, body text);
CREATE ROLE regress_redaction_owner;
ALTER TABLE public.theirs OWNER TO regress_redaction_owner;
DO $$
DECLARE
    t regclass;
BEGIN
    FOREACH t IN ARRAY ARRAY['public.notes', 'public."Ada''s notes"', 'public.theirs', 'public.nobodys', 'mine']::regclass[] LOOP
        EXECUTE format('CREATE TRIGGER redact BEFORE INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION bcce.redact_columns(''body'')', t);
    END LOOP;
END
$$;
INSERT INTO public.notes VALUES (:'berlin', 'ada@example.org Falcon'), (NULL, 'ada@example.org'), ('00000000-0000-0000-0000-000000000001', 'ada@example.org');
INSERT INTO public."Ada's notes" VALUES (:'berlin', 'ada@example.org');
INSERT INTO public.theirs VALUES (:'berlin', 'ada@example.org');
INSERT INTO public.nobodys VALUES ('ada@example.org');
BEGIN READ ONLY;
INSERT INTO mine VALUES (:'berlin', 'ada@example.org');
COMMIT;
SELECT * FROM public.counted;
SELECT sum(redaction_count) FROM bcce_data.redaction_counts;

\echo == days are those of the tenant; a window is half open; adding up changes nothing
TRUNCATE bcce_data.redaction_counts;
INSERT INTO bcce_data.redaction_counts (tenant_id, source, kind, rule, redaction_count, counted_at)
SELECT t.tenant_id, 'events', k.kind, k.rule, k.n, a.at::timestamptz
FROM bcce_data.tenants t
CROSS JOIN (VALUES ('email', NULL, 2), ('custom', 'bird', 3), ('email', NULL, 5)) AS k (kind, rule, n)
CROSS JOIN unnest('{2015-03-28 18:15+00,2015-03-28 18:30+00,2015-03-28 22:45+00,2015-03-28 23:00+00,2015-03-29 21:45+00,2015-03-29 22:00+00}'::text[]) AS a (at);
CREATE TABLE public.before AS SELECT * FROM bcce.redaction_stats;
CREATE TABLE public.window_before AS SELECT * FROM bcce.redaction_stats('2015-03-28 18:30+00', '2015-03-28 23:00+00');
SELECT tenant_name, period_start_at, usage_date, kind, rule, redaction_count FROM public.before ORDER BY 1, 2, 4;
SELECT tenant_name, usage_date, sum(redaction_count) FROM public.window_before GROUP BY 1, 2 ORDER BY 1, 2;
SELECT detail FROM bcce.maintain() WHERE task = 'redaction counts';
SELECT detail FROM bcce.maintain() WHERE task = 'redaction counts';
SELECT count(*) FROM bcce_data.redaction_counts;
(TABLE public.before EXCEPT ALL SELECT * FROM bcce.redaction_stats) UNION ALL (SELECT * FROM bcce.redaction_stats EXCEPT ALL TABLE public.before);
(TABLE public.window_before EXCEPT ALL SELECT * FROM bcce.redaction_stats('2015-03-28 18:30+00', '2015-03-28 23:00+00'));

\echo == a reader sees its tenant; a deleted tenant counts no more
SET ROLE regress_redaction_reader;
SELECT DISTINCT tenant_name FROM bcce.redaction_stats;
SELECT sum(redaction_count) FROM bcce.redaction_stats(NULL, '2015-03-29 00:00+00');
RESET ROLE;
UPDATE bcce_data.tenants SET deleted_at = now() WHERE slug = 'berlin';
SELECT DISTINCT tenant_name FROM bcce.redaction_stats;

\echo == without the store tables go on being written
SELECT count(*) > 0 FROM bcce.uninstall(data => 'drop');
INSERT INTO public.notes VALUES (:'berlin', 'ada@example.org Falcon');
SELECT body FROM public.notes WHERE body ~ 'Falcon';

\c :home
SET client_min_messages = warning;
DROP DATABASE regress_report_redaction;
DROP ROLE regress_redaction_reader, regress_redaction_writer, regress_redaction_owner;
