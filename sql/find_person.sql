-- Proves that a person is found by every spelling of what the sender calls
-- them, in the caller's tenant only, and that each look-up is written down
-- without what was looked for; and what harden_database() shows and does.
SET client_min_messages = warning;
CREATE DATABASE regress_person;
\set home :DBNAME
\c regress_person
SET client_min_messages = warning;
\set VERBOSITY terse
CREATE EXTENSION bcce;
\t on
\o /dev/null
SELECT bcce.create_tenant('alpha', 'Alpha'), bcce.create_tenant('beta', 'Beta');
SELECT bcce.create_login('regress_person_admin', 'alpha', 'admin'), bcce.create_login('regress_person_ann@example.org', 'alpha', 'admin'),
       bcce.create_login('regress_person_user', 'alpha'), bcce.create_login('regress_person_ingest', 'alpha', 'ingest');
SELECT bcce.record_workflow_run('build', 'failed', '2026-01-01 00:00+00', '2026-01-01 01:00+00', run_id => t || i, user_id => 'ada@example.org', tenant => t)
FROM unnest('{alpha,beta}'::text[]) AS t, generate_series(1, 3) AS i;
SELECT bcce.record_workflow_run('build', 'failed', '2026-01-01 00:00+00', '2026-01-01 01:00+00', run_id => 'of ada@example.org', user_id => 'Bob', tenant => 'alpha');
SELECT bcce.ingest_event('{"event_type": "view", "guest_id": "ada@example.org", "tenant": "alpha"}');
SELECT bcce.record_workflow_run('build', 'failed', '2026-01-01 00:00+00', '2026-01-01 01:00+00', run_id => 'b', user_id => 'carl', tenant => 'beta');
\o

\echo == found by name, as user and guest, and as part of an identifier by that
SET ROLE regress_person_admin;
SELECT left(pseudonym, -26), found_in, column_name, row_count FROM bcce.find_person('ada@example.org', 'request 17');
SELECT left(pseudonym, -26), found_in, column_name, row_count FROM bcce.find_person(E' Ada@Example.ORG\n', 'request 17');
SELECT left(pseudonym, -26), found_in, column_name, row_count FROM bcce.find_person('Bob', 'request 18, write to ann@example.org');
SELECT left(pseudonym, -26), found_in, column_name, row_count FROM bcce.find_person('of ada@example.org', 'request 17');
SELECT pseudonym AS p FROM bcce.find_person('ada@example.org', 'request 17') WHERE pseudonym LIKE 'user%' \gset
SELECT pseudonym = :'p' AS same, found_in, column_name, row_count FROM bcce.find_person(:'p', 'request 17');

\echo == not found: of another tenant, of nobody
SELECT * FROM bcce.find_person('carl', 'x');
SELECT * FROM bcce.find_person('nobody@example.org', 'x');
SELECT * FROM bcce.find_person('%', 'x');

\echo == refused
SELECT bcce.find_person(NULL, 'x');
SELECT bcce.find_person(' ', 'x');
SELECT bcce.find_person(repeat('x', 1001), 'x');
SELECT bcce.find_person('ada', NULL);
SELECT bcce.find_person('ada', '');
SELECT bcce.find_person('ada', repeat('x', 501));
BEGIN READ ONLY;
SELECT bcce.find_person('ada@example.org', 'x');
ROLLBACK;
SELECT bcce.pseudonym('ada@example.org', 'user');
SET ROLE regress_person_user;
SELECT bcce.find_person('ada@example.org', 'x');
SET ROLE regress_person_ingest;
SELECT bcce.find_person('ada@example.org', 'x');
RESET ROLE;
SELECT bcce.find_person('ada@example.org', 'x');

\echo == written down
SET SESSION AUTHORIZATION "regress_person_ann@example.org";
SELECT count(*) FROM bcce.find_person('ada@example.org', 'mine');
RESET SESSION AUTHORIZATION;
SELECT t.slug, regexp_replace(l.login, '^id_[a-z2-7]{26}$', 'a pseudonym') AS login, l.reason, left(l.pseudonym, -26) AS pseudonym, l.row_count, l.looked_up_at > now() - interval '1 hour' AS now
FROM bcce_data.person_lookups l JOIN bcce_data.tenants t USING (tenant_id) WHERE l.row_count > 0 ORDER BY l.looked_up_at, l.row_count;
SELECT count(*) AS in_all, count(*) FILTER (WHERE l::text ~* '@|\m(ada|bob)\M') AS with_a_name FROM bcce_data.person_lookups l;

\echo == hardening: shown, done on request, nothing left
CREATE FUNCTION public.careless() RETURNS integer LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
GRANT CREATE ON SCHEMA public TO PUBLIC;
SELECT statement, done FROM bcce.harden_database();
SELECT count(*) FROM bcce.harden_database(NULL);
SELECT statement, done FROM bcce.harden_database(apply => true);
SELECT * FROM bcce.harden_database();
SELECT has_database_privilege('regress_person_user', current_database(), 'CONNECT') AS connect, has_database_privilege('regress_person_user', current_database(), 'TEMPORARY') AS temporary,
       has_function_privilege('regress_person_user', 'public.careless()', 'EXECUTE') AS careless;
SET ROLE regress_person_admin;
SELECT bcce.harden_database();
RESET ROLE;

\c :home
SET client_min_messages = warning;
DROP DATABASE regress_person;
DROP ROLE regress_person_admin, "regress_person_ann@example.org", regress_person_user, regress_person_ingest;
