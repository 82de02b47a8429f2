-- Redaction rules of tenants: what each kind finds and leaves alone, that a
-- rule works for its tenant only, that redacting again changes nothing, that
-- bad rules are refused without being shown, and that no expression runs away.
SET client_min_messages = warning;
CREATE DATABASE regress_redaction_rules;
\set home :DBNAME
\c regress_redaction_rules
SET client_min_messages = warning;
SET TimeZone = 'UTC';
CREATE EXTENSION bcce;
SELECT bcce.create_tenant('alpha', 'Alpha') AS alpha \gset
SELECT bcce.create_tenant('beta', 'Beta') AS beta \gset
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on

\echo == what each kind finds
\o /dev/null
SELECT bcce.set_redaction_rule('project', 'Falcon', tenant => 'alpha'),
       bcce.set_redaction_rule('nickname', 'kiwi', ignore_case => true, tenant => 'alpha'),
       bcce.set_redaction_rule('staff', 'EMP-', 'digits', 5, 6, tenant => 'alpha'),
       bcce.set_redaction_rule('ticket', 'tkt_', 'token', 4, 20, style => 'mask', tenant => 'alpha'),
       bcce.set_redaction_rule('customer', 'Kunde', pattern => 'Kunde(nnummer)?:? [A-Z]{2}\d+', tenant => 'alpha'),
       bcce.set_redaction_rule('room', 'Saal', pattern => '(?i)saal [[:alpha:]]+', style => 'drop', tenant => 'alpha'),
       bcce.set_redaction_rule('badge', 'BDG', 'hex', 4, 4, context_words => '{badge,ausweis nr}', tenant => 'alpha'),
       bcce.set_redaction_rule('tokyo', '東京計画', tenant => 'alpha'),
       bcce.set_redaction_rule('emp', 'EMP', enabled => false, tenant => 'alpha');
\o
CREATE FUNCTION pg_temp.verdict(tenant uuid, before text, after text) RETURNS text LANGUAGE sql AS $$
    SELECT CASE
        WHEN bcce.redact_for(tenant, before) IS DISTINCT FROM after THEN 'becomes: ' || bcce.redact_for(tenant, before)
        WHEN bcce.contains_pii(before, tenant) <> (before <> after) THEN 'contains_pii differs'
        WHEN EXISTS (SELECT FROM unnest('{tag,mask,numbered,drop,hash}'::text[]) AS style,
                                 LATERAL bcce.redact_for(tenant, before, NULL, style) AS once
                     WHERE bcce.redact_for(tenant, once, NULL, style) <> once) THEN 'again: changes'
        ELSE 'ok' END
$$;
SELECT n, pg_temp.verdict(:'alpha', before, after)
FROM (VALUES
    (1, 'Project Falcon is late', 'Project [PROJECT] is late'),
    (2, 'Falcon,Falcon.Falcon_1', '[PROJECT],[PROJECT].[PROJECT]_1'),
    (3, 'falcon Falconry xFalcon Falcon1', 'falcon Falconry xFalcon Falcon1'),
    (4, 'line\nFalcon', 'line\n[PROJECT]'),
    (5, 'KIWI kiwi Kiwi, not kiwis', '[NICKNAME] [NICKNAME] [NICKNAME], not kiwis'),
    (6, 'EMP-12345 EMP-123456', '[STAFF] [STAFF]'),
    (7, 'EMP-1234 EMP-1234567 EMP-12345a TEMP-12345', 'EMP-1234 EMP-1234567 EMP-12345a TEMP-12345'),
    (8, 'see tkt_ab-9Z.', 'see *********.'),
    (9, 'Kunde AB123, Kundennummer: XY9', '[CUSTOMER], [CUSTOMER]'),
    (10, 'Kunde ab123', 'Kunde ab123'),
    (11, 'im Saal Zürich heute', 'im  heute'),
    (12, 'badge BDG12ab', 'badge [BADGE]'),
    (13, 'Ausweis Nr. BDG12ab', 'Ausweis Nr. [BADGE]'),
    (14, 'BDG12ab, badges BDG12ab', 'BDG12ab, badges BDG12ab'),
    (15, '新東京計画書 Zoë東京計画', '新[TOKYO]書 Zoë[TOKYO]'),
    (16, 'EMP alone', 'EMP alone'),
    (17, 'ada@example.org of Falcon', '[EMAIL] of [PROJECT]'),
    (18, 'falcon@Falcon.example.org', '[EMAIL]'),
    (19, '[PROJECT] [PROJECT_1] [CUSTOMER_BCDFGHJKLMNPQR]', '[PROJECT] [PROJECT_1] [CUSTOMER_BCDFGHJKLMNPQR]'),
    (20, '', ''), (21, 'Fal', 'Fal'), (22, 'Falcon', '[PROJECT]'), (23, 'EMP-', 'EMP-')
) AS t (n, before, after) ORDER BY n;

\echo == documents: values by their key, keys and numbers left; only the kinds asked for
SELECT bcce.redact_for(:'alpha', '{"badge": "BDG12ab", "Falcon": ["EMP-12345", 12345, {"x": "BDG12ab"}], "mail": "ada@example.org"}'::jsonb);
SELECT bcce.redact_for(:'alpha', 'Falcon ada@example.org', '{custom}'), bcce.redact_for(:'alpha', 'Falcon ada@example.org', '{email}');
SELECT bcce.redact_for(:'alpha', 'Falcon ada@example.org Kiwi Falcon', NULL, 'numbered');
SELECT bcce.redact_for(NULL, 'Falcon') IS NULL, bcce.redact_for(:'alpha', NULL::text) IS NULL, bcce.redact_for(:'alpha', NULL::jsonb) IS NULL;

\echo == hash: the same for the same text and tenant, another elsewhere and under another tag; no pseudonym
SELECT a, a = bcce.redact_for(:'alpha', 'ada@example.org', NULL, 'hash') AS same,
       a <> bcce.redact_for(:'beta', 'ada@example.org', NULL, 'hash') AS other_tenant,
       a <> bcce.redact_for(:'alpha', 'bob@example.org', NULL, 'hash') AS other_value,
       a ~ '^\[EMAIL_[BCDFGHJKLMNPQRST]{14}\]$' AS shape, bcce.redact(a) = a AS left_alone
FROM bcce.redact_for(:'alpha', 'ada@example.org', NULL, 'hash') AS a, LATERAL (SELECT 1) AS x \gset hash_
\echo :hash_same :hash_other_tenant :hash_other_value :hash_shape :hash_left_alone
SELECT count(DISTINCT bcce.redact_for(:'alpha', 'user' || n || '@example.org', NULL, 'hash')) FROM generate_series(1, 2000) AS n;
SELECT count(*) FROM generate_series(1, 2000) AS n, LATERAL bcce.redact_for(:'alpha', 'password=' || n || 'abc, user' || n || '@example.org, +1 415 555 0132', NULL, 'hash') AS once
WHERE bcce.redact(once) <> once OR bcce.redact_for(:'alpha', once, NULL, 'hash') <> once OR bcce.contains_pii(once);
\set VERBOSITY sqlstate
SELECT bcce.redact('x', NULL, 'hash');
SELECT bcce.redact('x', '{custom}');
SELECT bcce.redact_for(:'alpha', 'x', '{nothing}');
SELECT bcce.redact_for(:'alpha', 'x', NULL, 'nothing');
\set VERBOSITY terse

\echo == a rule works for its tenant only; nor does the session decide
SELECT bcce.redact_for(:'beta', 'Project Falcon EMP-12345'), bcce.redact('Project Falcon EMP-12345');
INSERT INTO bcce_data.incidents (tenant_id, incident_id, opened_at, title)
SELECT t.tenant_id, 'i-' || n, '2026-01-01 00:00+00', format('Falcon by EMP-%s, ada@example.org', 10000 + n)
FROM bcce_data.tenants t, generate_series(1, 2) AS n ORDER BY n, t.slug;
SELECT t.slug, i.incident_id, i.title FROM bcce_data.incidents i JOIN bcce_data.tenants t USING (tenant_id) ORDER BY 1, 2;
UPDATE bcce_data.incidents SET title = 'Kunde AB123 and Falcon', affected_resources = '{Falcon}' WHERE incident_id = 'i-1';
SELECT t.slug, i.title, i.affected_resources FROM bcce_data.incidents i JOIN bcce_data.tenants t USING (tenant_id) WHERE incident_id = 'i-1' ORDER BY 1;

\echo == every type of column, COPY as a replica, identifiers; what would be empty is not
CREATE TABLE public.notes (tenant_id uuid, body text, short varchar(8), doc jsonb, raw json, tags text[], addr inet, ref text);
CREATE TRIGGER redact BEFORE INSERT OR UPDATE ON public.notes FOR EACH ROW
    EXECUTE FUNCTION bcce.redact_columns('body', 'short', 'doc', 'raw', 'tags', 'addr', 'key:ref');
ALTER TABLE public.notes ENABLE ALWAYS TRIGGER redact;
INSERT INTO public.notes
SELECT t, 'of Falcon', 'kiwi', '{"a": "Falcon", "Falcon": 1}', '{"a":  "Falcon"}', '{Falcon,x,NULL}', '192.0.2.77', 'Falcon'
FROM unnest(ARRAY[:'alpha', :'beta', NULL]::uuid[]) AS t;
INSERT INTO public.notes (tenant_id, body) VALUES (:'alpha', 'Saal Wien');
\set copy 'COPY public.notes (tenant_id, body) FROM PROGRAM ''printf "%s\\\\tcopied Falcon" ' :alpha ''''
SET session_replication_role = replica;
:copy;
RESET session_replication_role;
SELECT body, short, doc, raw, tags, addr, left(ref, 3) FROM public.notes;
-- In a table of somebody else it would tell what a tenant hides.
CREATE ROLE regress_rules_nosy;
GRANT CREATE ON SCHEMA public TO regress_rules_nosy;
ALTER TABLE public.notes OWNER TO regress_rules_nosy;
TRUNCATE public.notes;
CREATE OR REPLACE TRIGGER redact BEFORE INSERT OR UPDATE ON public.notes FOR EACH ROW EXECUTE FUNCTION bcce.redact_columns('body', 'tags');
INSERT INTO public.notes (tenant_id, body, tags) VALUES (:'alpha', 'Falcon, ada@example.org', '{Falcon}');
SELECT body, tags FROM public.notes;
DROP TABLE public.notes;
REVOKE CREATE ON SCHEMA public FROM regress_rules_nosy;
DROP ROLE regress_rules_nosy;

\echo == the gate looks identifiers up as they are kept, and inboxes do not raise
\o /dev/null
SELECT bcce.record_workflow_run('Falcon', 'running', '2026-01-01 00:00+00', run_id => 'EMP-12345', tenant => 'alpha');
SELECT bcce.record_workflow_run('Falcon', 'ok', '2026-01-01 00:00+00', '2026-01-01 00:01+00', run_id => 'EMP-12345', service_id => 'Falcon', tenant => 'alpha');
SELECT bcce.set_redaction_rule('a_very_long_name_xyz', 'abc', tenant => 'alpha'), bcce.set_redaction_rule('gone', 'vanish', style => 'drop', tenant => 'alpha');
\o
SELECT count(*), bool_and(status = 'succeeded' AND run_id ~ '^id_' AND workflow_id ~ '^id_' AND service_id ~ '^id_') FROM bcce_data.workflow_runs;
SELECT (SELECT count(*) FROM bcce_data.workflows) AS workflows, (SELECT count(*) FROM bcce_data.services) AS services;
INSERT INTO bcce.inbox_events (tenant, event_type, occurred_at, properties) VALUES
    ('alpha', repeat('abc ', 20), '2026-01-01T00:00:00Z', NULL), ('alpha', 'vanish', '2026-01-01T00:00:00Z', '{"vanish": "vanish"}'),
    ('beta', repeat('abc ', 20), '2026-01-01T00:00:00Z', NULL);
SELECT t.slug, event_type, properties FROM bcce_data.events e JOIN bcce_data.tenants t USING (tenant_id) ORDER BY 1, 2;
SELECT source, reason, rejected_count FROM bcce.rejected;

\echo == a style for the whole tenant; a rule with one keeps it; a change counts at once, a rollback undoes it
\o /dev/null
SELECT bcce.set_redaction_style('numbered', 'alpha');
\o
SELECT bcce.redact_for(:'alpha', 'ada@example.org Falcon tkt_abcde'), bcce.redact_for(:'beta', 'ada@example.org');
BEGIN;
\o /dev/null
SELECT bcce.set_redaction_style('hash', 'alpha'), bcce.drop_redaction_rule('project', 'alpha');
\o
SELECT bcce.redact_for(:'alpha', 'ada@example.org Falcon') ~ '^\[EMAIL_[A-Z]{14}\] Falcon$';
SAVEPOINT s;
DELETE FROM bcce_data.redaction_rules;
SELECT bcce.redact_for(:'alpha', 'EMP-12345');
ROLLBACK TO s;
SELECT bcce.redact_for(:'alpha', 'EMP-12345') ~ '^\[STAFF_';
ROLLBACK;
SELECT bcce.redact_for(:'alpha', 'ada@example.org Falcon');
\o /dev/null
SELECT bcce.set_redaction_style(NULL, 'alpha');
\o
SELECT bcce.redact_for(:'alpha', 'ada@example.org'), count(*) FROM bcce_data.redaction_styles;
SELECT bcce.drop_redaction_rule('project', 'alpha'), bcce.drop_redaction_rule('project', 'alpha');
TRUNCATE bcce_data.redaction_rules;
SELECT bcce.redact_for(:'alpha', 'EMP-12345');

\echo == bad rules are refused, with the reason and without the text
CREATE FUNCTION pg_temp.refused(arguments text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    state text; message text; detail text; hint text;
BEGIN
    EXECUTE format('SELECT bcce.set_redaction_rule(%s, tenant => ''alpha'')', arguments);
    RETURN 'ACCEPTED';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN format('%s %s%s', state, message, nullif(': ' || detail, ': '))
           || CASE WHEN message || detail || hint ~ 'hush' THEN ' SHOWN' ELSE '' END || CASE WHEN hint = '' THEN ' NO HINT' ELSE '' END;
END
$$;
SELECT n, pg_temp.refused(arguments) FROM (VALUES
    (1, $$'X', 'hushhush'$$), (2, $$NULL, 'hushhush'$$), (3, $$'email', 'hushhush'$$), (4, $$'a_name_that_is_too_long', 'hushhush'$$),
    (5, $$'x', 'hu'$$), (6, $$'x', NULL$$), (7, $$'x', repeat('hush', 26)$$), (8, $$'x', '[hush]'$$), (9, $$'x', 'hush*'$$), (10, $$'x', ' hush'$$),
    (11, $$'x', '---'$$), (12, $$'x', 'hush@example.org'$$), (13, $$'x', 'hush', 'words', 1, 2$$), (14, $$'x', 'hush', 'digits', 3, 2$$),
    (15, $$'x', 'hush', 'digits', 1, 257$$), (16, $$'x', 'hush', 'digits'$$), (17, $$'x', 'hush', NULL, 1, 2$$), (18, $$'x', 'hush', pattern => 'hush('$$),
    (19, $$'x', 'hush', pattern => '(hush)\1'$$), (20, $$'x', 'hush', pattern => '(hush)?'$$), (21, $$'x', 'hush', pattern => 'husk[a-z]'$$),
    (22, $$'x', 'hush', pattern => repeat('hush', 80)$$), (23, $$'x', 'hush', pattern => 'hush', character_class => 'digits'$$),
    (24, $$'x', 'hush', context_words => '{Hush}'$$), (25, $$'x', 'hush', context_words => '{h}'$$), (26, $$'x', 'hush', context_words => '{NULL}'$$),
    (27, $$'x', 'hush', context_words => array_fill('hush'::text, '{11}')$$), (28, $$'x', 'hush', style => 'hush'$$),
    (29, $$'x', 'hush', pattern => 'hush' || repeat('(a|b', 60)$$), (30, $$'x', 'hush.x', pattern => 'hush\.x(aa|bb)+'$$),
    (31, $$'x', 'hush', pattern => 'hush(?=.*(?=.*(?=.*q)))'$$), (32, $$'x', 'hush', pattern => '.*(?<!a.*)hush'$$),
    (33, $$'x', 'hush', pattern => 'hush([a-z]{1,60}){1,60}'$$), (34, $$'y', 'hush', pattern => '\mhush\M'$$)
) AS t (n, arguments) ORDER BY n;
INSERT INTO bcce_data.redaction_rules (tenant_id, rule, kind, literal) VALUES (:'alpha', 'x', 'regex', 'hush');
SET session_replication_role = replica;
INSERT INTO bcce_data.redaction_rules (tenant_id, rule, kind, literal) VALUES (:'alpha', 'x', 'literal', '[hush]');
RESET session_replication_role;
\set VERBOSITY sqlstate
SELECT bcce.set_redaction_rule('x', 'hush', tenant => 'nobody');
SELECT bcce.drop_redaction_rule('x', 'nobody');
SELECT bcce.set_redaction_style('x', 'alpha');
SELECT bcce.set_redaction_style('tag', 'nobody');
CREATE TABLE public.others (a int);
CREATE TRIGGER bad BEFORE DELETE ON public.others FOR EACH ROW EXECUTE FUNCTION bcce.check_redaction_rule();
INSERT INTO public.others VALUES (1);
DELETE FROM public.others;
DO $$ BEGIN FOR n IN 1 .. 201 LOOP PERFORM bcce.set_redaction_rule('r' || n, 'hush' || n, tenant => 'alpha'); END LOOP; END $$;
\set VERBOSITY terse
SELECT rule, kind, style, enabled FROM bcce.redaction_rules;
DELETE FROM bcce_data.redaction_rules;

\echo == long texts, and expressions that others never finish
\o /dev/null
SELECT bcce.set_redaction_rule('slow', 'aaa', pattern => '(a+)+aaa$', tenant => 'alpha'),
       bcce.set_redaction_rule('wide', 'aaa', pattern => '.*aaa.*b', tenant => 'alpha');
\o
SELECT bcce.redact_for(:'alpha', repeat('a', 3000) || '!') = repeat('a', 3000) || '!';
SET statement_timeout = '200ms';
\set VERBOSITY sqlstate
SELECT length(bcce.redact_for(:'alpha', repeat('a', 20000000)));
\set VERBOSITY terse
RESET statement_timeout;
\o /dev/null
SELECT bcce.drop_redaction_rule('slow', 'alpha'), bcce.drop_redaction_rule('wide', 'alpha'), bcce.set_redaction_rule('word', 'needle', tenant => 'alpha'),
       bcce.set_redaction_rule('near', 'needle', pattern => '.{0,255}needle.{0,255}', enabled => false, tenant => 'alpha');
\o
SELECT length(t), length(bcce.redact_for(:'alpha', t)) FROM (SELECT repeat('hay needle Zoë 東京 ', 200000) AS t) AS x;
SELECT bcce.redact_for(:'alpha', repeat('é', 400) || ' needle ' || repeat('é', 400)) = repeat('é', 400) || ' [WORD] ' || repeat('é', 400);
UPDATE bcce_data.redaction_rules SET enabled = rule = 'near';
SELECT length(bcce.redact_for(:'alpha', repeat('é', 400) || ' needle ' || repeat('é', 400))), length(bcce.redact_for(:'alpha', repeat('x', 400) || ' needle ' || repeat('x', 400)));

\echo == many rules at once find what each finds alone
TRUNCATE bcce_data.redaction_rules;
INSERT INTO bcce_data.redaction_rules (tenant_id, rule, kind, literal)
SELECT :'alpha', 'r' || n, 'literal', substr('abcabdabcdbcdabcaab', n % 7 + 1, 3 + n % 9) || CASE WHEN n % 2 = 0 THEN '' ELSE n::text END FROM generate_series(1, 150) AS n;
SELECT count(*) FROM bcce_data.redaction_rules r WHERE bcce.redact_for(:'alpha', 'x ' || r.literal || ' y') !~ '^x \[R\d+\] y$';
SELECT bcce.redact_for(:'alpha', 'abcab dabcdb abd bca aab');

\c :home
SET client_min_messages = warning;
DROP DATABASE regress_redaction_rules;
