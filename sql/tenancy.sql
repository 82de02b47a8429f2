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
INSERT INTO mine VALUES (:'beta', 'ada');
CREATE TRIGGER mine_too AFTER INSERT ON mine FOR EACH STATEMENT EXECUTE FUNCTION bcce.invalidate_cache();
RESET ROLE;
-- The store's own partitions get the trigger all the same.
SELECT count(*) > 0 AS made, bool_and(t.tgenabled = 'A') AS always FROM pg_class c
JOIN pg_trigger t ON t.tgrelid = c.oid AND t.tgname = 'redact' WHERE c.relname ~ '^events_2';

\echo == the membership of a dropped role goes; a new role of that name inherits nothing
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

\echo == whoami() of every kind of login
\o /dev/null
SELECT bcce.create_tenant('gamma', 'Gamma');
SELECT bcce.create_login('regress_two', 'alpha', 'user');
SELECT bcce.add_membership('regress_two', 'beta');
SELECT bcce.add_membership('regress_alpha_platform', 'beta');
SELECT bcce.create_login('regress_gamma', 'gamma', 'user');
\o
CREATE ROLE regress_stranger;
CREATE ROLE regress_lonely_reader IN ROLE bcce_analytics_user;
CREATE ROLE regress_lonely_writer IN ROLE bcce_ingest;
CREATE FUNCTION pg_temp.told(who text) RETURNS TABLE (acting_as text, groups text, tenants text, current_tenant text, explanation text, rows bigint)
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('SET ROLE %I', who);
    SELECT w.acting_as, replace(w.groups, 'bcce_', ''), w.tenants, w.current_tenant, w.explanation INTO acting_as, groups, tenants, current_tenant, explanation FROM bcce.whoami() w;
    BEGIN
        SELECT count(*) INTO rows FROM bcce.cost_analysis;
    EXCEPTION WHEN insufficient_privilege THEN
        rows := NULL;
    END;
    RESET ROLE;
    RETURN NEXT;
END
$$;
SELECT t.* FROM unnest('{regress_alpha_user,regress_alpha_cost,regress_alpha_admin,regress_alpha_ingest,regress_alpha_platform,regress_two,regress_gamma,regress_lonely_reader,regress_lonely_writer,regress_stranger}'::text[]) AS who, pg_temp.told(who) AS t;
GRANT bcce_platform TO regress_two;
UPDATE bcce_data.tenants SET deleted_at = now() WHERE slug = 'gamma';
SELECT t.explanation, t.rows FROM unnest('{regress_two,regress_gamma}'::text[]) AS who, pg_temp.told(who) AS t;
SELECT bypasses_row_security, explanation FROM bcce.whoami();
DROP OWNED BY regress_two, regress_gamma;
DROP ROLE regress_stranger, regress_lonely_reader, regress_lonely_writer, regress_two, regress_gamma;

\echo == what a tenant and a login may be called
SELECT bcce.create_tenant(NULL, 'x');
SELECT bcce.create_tenant('Upper', 'x');
SELECT bcce.create_tenant(E'line\n', 'x');
SELECT bcce.create_tenant('delta', '');
SELECT bcce.create_tenant('delta', repeat('a@b.co ', 28));
SELECT bcce.create_tenant('delta', 'x', '');
SELECT bcce.create_tenant('delta', 'x', 'ada@example.org');
SELECT bcce.create_tenant('delta', 'x', 'ext-beta');
SELECT bcce.create_tenant('gamma', 'x');
SELECT bcce.create_tenant('delta', 'x', timezone => 'Nowhere');
SELECT bcce.create_login(NULL, 'alpha');
SELECT bcce.create_login('pg_login', 'alpha');
SELECT bcce.create_login(repeat('x', 64), 'alpha');
SELECT bcce.create_login('regress_nowhere', 'nowhere');
SELECT bcce.create_login('regress_nowhere', 'gamma');
SELECT bcce.create_login('regress_nowhere', 'alpha', 'root');
SELECT bcce.create_login('regress_alpha_user', 'alpha');
SELECT bcce.add_membership('bcce_owner', NULL);
SELECT bcce.add_membership(current_user::regrole, 'alpha');
SELECT bcce.create_login('regress "odd'' name', 'alpha');
SELECT t.acting_as, t.explanation FROM pg_temp.told('regress "odd'' name') AS t;
DROP OWNED BY "regress ""odd' name";
DROP ROLE "regress ""odd' name";
SELECT count(*) AS left FROM pg_roles WHERE rolname = 'regress_nowhere';

\echo == another tenant is one that does not exist
SET ROLE regress_alpha_ingest;
SELECT bcce.record_metric('s', tenant => 'beta');
SELECT bcce.record_metric('s', tenant => 'ext-beta');
SELECT bcce.record_metric('s', tenant => :'beta');
SELECT bcce.record_metric('s', tenant => 'nowhere');
SELECT bcce.ingest_event('{"event_type": "view", "tenant": "beta"}');
SELECT * FROM bcce.ingest_events('[{"event_type": "view", "tenant": "beta"}, {"event_type": "view", "tenant": "nowhere"}]');
INSERT INTO bcce.inbox_events (tenant, event_type, occurred_at) VALUES ('beta', 'view', '2026-01-01T00:00:00Z'), ('nowhere', 'view', '2026-01-01T00:00:00Z');
SELECT bcce.record_workflow_run('build', 'running', '2026-01-01 00:00+00', run_id => 'b1');
SELECT bcce.resolve_prediction('p', 1, tenant => 'beta');
RESET ROLE;
SET ROLE regress_alpha_admin;
SELECT bcce.set_price('workflow_run', 9, tenant => 'beta');
SELECT bcce.set_price('workflow_run', 9, tenant => 'nowhere');
SELECT bcce.add_value_alias('severity', 'odd', 'sev1', 'beta');
SELECT bcce.add_value_alias('severity', 'odd', 'sev1', 'nowhere');
SELECT bcce.set_slo(99.9), bcce.set_slo(99.95), bcce.set_slo(99, 'api'), bcce.set_slo(90, 'web');
SELECT bcce.set_slo(NULL, 'web'), bcce.set_slo(NULL, 'unheard');
SELECT bcce.set_slo(99.9, '*', 'beta');
SELECT bcce.set_slo(0);
SELECT bcce.set_slo('NaN');
SELECT bcce.set_slo(99.9, '');
SELECT bcce.set_business_hours('{1,2}', '09:00', '17:00'), bcce.set_holiday('2026-12-25');
SELECT bcce.set_business_hours('{1,2}', '09:00', '17:00', 'beta');
SELECT bcce.set_holiday('2026-12-25', tenant => 'beta');
SELECT bcce.overview_json(:'beta'::uuid);
SELECT bcce.overview_json('nowhere');
SELECT bcce.pseudonym('ada', 'user', :'beta');
SELECT bcce.estimate_cost('workflow_run', 1, now(), :'beta') = bcce.estimate_cost('workflow_run', 1, now(), gen_random_uuid()) AS same;
SELECT tenant_name, source, reason, rejected_count FROM bcce.rejected JOIN bcce.analytics_overview USING (tenant_id) ORDER BY source;
RESET ROLE;
SELECT t.slug, r.run_id, r.status FROM bcce_data.workflow_runs r JOIN bcce_data.tenants t USING (tenant_id) ORDER BY 1;

\echo == prices before, after and at the same instant
\o /dev/null
SET ROLE regress_alpha_admin;
SELECT bcce.set_price('seat', 1, '2026-01-01 00:00+00'), bcce.set_price('seat', 2, '2025-01-01 00:00+00'), bcce.set_price('seat', 3, '2026-06-01 00:00+00'),
       bcce.set_price('seat', 4, '2026-01-01 00:00+00'), bcce.set_price('seat', 5, '2025-06-01 00:00+00');
RESET ROLE;
SELECT bcce.set_price('metric', 0.5, '2026-01-01 00:00+00');
\o
SELECT lower(valid), upper(valid), price_usd FROM bcce_data.unit_prices WHERE item = 'seat' ORDER BY valid;
SELECT lower(valid), upper(valid), price_usd FROM bcce_data.default_unit_prices WHERE item = 'metric' ORDER BY valid;
SET ROLE regress_alpha_admin;
SELECT bcce.estimate_cost('seat', 2, '2024-12-31 23:59:59.999999+00') AS before, bcce.estimate_cost('seat', 2, '2025-06-01 00:00+00') AS at,
       bcce.estimate_cost('seat', 2, '2026-05-31 23:59:59.999999+00') AS until, bcce.estimate_cost('seat', 2, '2200-01-01 00:00+00') AS after;
SELECT bcce.set_price('seat', 'NaN');
SELECT bcce.set_price('seat', -1);
SELECT bcce.set_price('seat', 1, 'infinity');
SELECT bcce.set_price('seat', 1, NULL);
SELECT bcce.set_price('Seat', 1);
RESET ROLE;
INSERT INTO bcce_data.unit_prices (tenant_id, item, valid, price_usd) VALUES (:'beta', 'seat', '[2025-01-01,2026-01-01)', 1), (:'beta', 'seat', '[2025-12-31,2026-02-01)', 1);

\c :home
SET client_min_messages = warning;
DROP DATABASE regress_tenancy;
DROP ROLE regress_alpha_user, regress_alpha_cost, regress_alpha_admin, regress_alpha_ingest, regress_alpha_platform, regress_beta_ingest;
