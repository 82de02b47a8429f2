-- Proves what each kind of login can do for its tenant and what it cannot do
-- or learn about another, what whoami() says, and how prices follow each other.
SET client_min_messages = warning;
CREATE DATABASE regress_tenancy;
\set home :DBNAME
\c regress_tenancy
SET client_min_messages = warning;
SET TimeZone = 'UTC';
\set VERBOSITY terse
CREATE EXTENSION bcce;
\t on
\o /dev/null
SELECT bcce.create_tenant('alpha', 'Alpha', 'ext-alpha');
SELECT bcce.create_tenant('beta', 'Beta', 'ext-beta');
SELECT bcce.create_login('regress_alpha_' || kind, 'alpha', kind) FROM unnest('{user,cost,admin,ingest,platform}'::text[]) AS kind;
SELECT bcce.create_login('regress_beta_ingest', 'beta', 'ingest');
SET ROLE regress_beta_ingest;
SELECT bcce.record_workflow_run('build', 'failed', '2026-01-01 00:00+00', '2026-01-01 01:00+00', run_id => 'b1', user_id => 'ada');
RESET ROLE;
SELECT tenant_id AS beta FROM bcce_data.tenants WHERE slug = 'beta' \gset
\o

\echo == a trigger on a table of their own names nobody
SET ROLE regress_alpha_user;
SET default_transaction_read_only = off;
CREATE TEMP TABLE mine (tenant_id uuid, person text);
CREATE TRIGGER mine BEFORE INSERT ON mine FOR EACH ROW EXECUTE FUNCTION bcce.redact_columns('user:person');
CREATE TRIGGER mine AFTER INSERT ON mine FOR EACH STATEMENT EXECUTE FUNCTION bcce.invalidate_cache();
RESET ROLE;
-- The store's own partitions get the trigger all the same.
SELECT count(*) > 0 AS made, bool_and(t.tgenabled = 'A') AS always FROM pg_class c
JOIN pg_trigger t ON t.tgrelid = c.oid AND t.tgname = 'redact' WHERE c.relname ~ '^events_2';

\echo == a dropped role's membership goes; a new role of its name inherits nothing
CREATE ROLE regress_gone IN ROLE bcce_ingest;
SELECT bcce.add_membership('regress_gone', 'beta');
DROP ROLE regress_gone;
CREATE ROLE regress_gone IN ROLE bcce_ingest;
SET ROLE regress_gone;
SELECT bcce.current_tenants();
RESET ROLE;
SELECT detail FROM bcce.maintain() WHERE task = 'memberships';
SELECT count(*) AS left FROM bcce_private.membership WHERE role_name = 'regress_gone';
ALTER ROLE regress_gone RENAME TO regress_renamed;
SELECT bcce.add_membership('regress_renamed', 'beta');
ALTER ROLE regress_renamed RENAME TO regress_gone;
SELECT detail FROM bcce.maintain() WHERE task = 'memberships';
SELECT role_name, role FROM bcce_private.membership WHERE role_name ~ 'gone|renamed';
DROP ROLE regress_gone;

\c :home
SET client_min_messages = warning;
DROP DATABASE regress_tenancy;
DROP ROLE regress_alpha_user, regress_alpha_cost, regress_alpha_admin, regress_alpha_ingest, regress_alpha_platform, regress_beta_ingest;
