-- Proves what each kind of login may read, write and configure, and that it
-- meets its own tenant only.
\set ON_ERROR_STOP on
\set QUIET on
BEGIN;
SET client_min_messages = warning;
SELECT plan(66);

SELECT bcce.create_tenant('tap-a', 'Tenant A', 'ext-a', 'Europe/Berlin') AS a \gset
SELECT bcce.create_tenant('tap-b', 'Tenant B', 'ext-b') AS b \gset
SELECT bcce.create_login('regress_tap_user', 'tap-a'),
       bcce.create_login('regress_tap_cost', 'tap-a', 'cost'),
       bcce.create_login('regress_tap_admin', 'tap-a', 'admin'),
       bcce.create_login('regress_tap_ingest', 'tap-a', 'ingest'),
       bcce.create_login('regress_tap_platform', 'tap-a', 'platform') \g /dev/null
SELECT bcce.add_membership('regress_tap_platform', 'tap-b') \g /dev/null
CREATE ROLE regress_tap_stranger LOGIN;
CREATE ROLE regress_tap_unbound LOGIN IN ROLE bcce_analytics_user;

-- The logins are as safe as they can be made.
SELECT is((SELECT count(*) FROM pg_roles WHERE rolname LIKE 'regress\_tap\_%'
           AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)), 0::bigint, 'no login has an attribute of power');
SELECT throws_ok($$SELECT bcce.create_login('regress_tap_user', 'tap-a')$$, '42710', NULL, 'a name is taken once');
SELECT throws_ok($$SELECT bcce.create_login('regress_tap_x', 'tap-a', 'root')$$, '22023', NULL, 'an unknown kind is refused');
SELECT throws_ok($$SELECT bcce.create_login('regress_tap_x', 'nobody')$$, 'P0002', NULL, 'an unknown tenant is refused');
SELECT throws_ok($$SELECT bcce.create_login('pg_tap', 'tap-a')$$, '42602', NULL, 'a reserved name is refused');
SELECT throws_ok($$SELECT bcce.create_tenant('Tap A', 'x')$$, '22023', NULL, 'a bad slug is refused');
SELECT throws_ok($$SELECT bcce.create_tenant('tap-a', 'x')$$, '23505', NULL, 'a slug is taken once');
SELECT throws_ok($$SELECT bcce.create_tenant('tap-c', 'x', timezone => 'Mars/Olympus')$$, '22023', NULL, 'an unknown zone is refused');

-- Writing.
SET ROLE regress_tap_ingest;
SELECT lives_ok($$SELECT bcce.record_workflow_run('build', 'passed', now() - interval '2 hours', now() - interval '1 hour', run_id => 'a1')$$, 'a writer records a run');
SELECT lives_ok($$SELECT bcce.record_workflow_run('build', 'passed', now(), now(), run_id => 'a2', tenant => 'ext-a')$$, 'and names its tenant by external id');
SELECT throws_ok($$SELECT bcce.record_workflow_run('build', 'passed', now(), now(), tenant => 'tap-b')$$, 'P0002', 'tenant not found', 'but not another tenant');
SELECT throws_ok($$SELECT bcce.record_workflow_run('build', 'passed', now(), now(), tenant => 'tap-z')$$, 'P0002', 'tenant not found', 'nor one that does not exist, in the same words');
SELECT throws_ok(format('SELECT bcce.record_metric(%L, tenant => %L)', 'api', :'b'), 'P0002', NULL, 'nor by its uuid');
SELECT lives_ok($$INSERT INTO bcce.inbox_workflow_runs (tenant, run_id, workflow_id, status, started_at) VALUES ('tap-b', 'x', 'build', 'running', '2026-01-01T00:00:00Z')$$, 'an inbox counts such a row');
SELECT throws_ok('SELECT * FROM bcce.analytics_overview', '42501', NULL, 'a writer reads no report');
SELECT throws_ok('SELECT * FROM bcce.rejected', '42501', NULL, 'nor what was refused');
SELECT throws_ok('SELECT * FROM bcce_data.workflow_runs', '42501', NULL, 'nor a table');
SELECT throws_ok($$INSERT INTO bcce_data.workflow_runs (tenant_id, run_id) VALUES (NULL, 'x')$$, '42501', NULL, 'nor writes past the gate');
SELECT throws_ok('SELECT * FROM bcce_private.tenant_key', '42501', NULL, 'nor sees a key');
SELECT throws_ok($$SELECT bcce.set_price('workflow_run', 0)$$, '42501', NULL, 'nor sets a price');
RESET ROLE;
SELECT bcce.record_workflow_run('deploy', 'failed', now() - interval '2 hours', now() - interval '1 hour', run_id => 'b1', tenant => 'tap-b') \g /dev/null
SELECT is((SELECT count(*) FROM bcce_data.workflow_runs WHERE tenant_id = :'b'), 1::bigint, 'B has only what was written for B');

-- Reading.
SET ROLE regress_tap_user;
SELECT results_eq('SELECT tenant_name, total_workflows FROM bcce.analytics_overview', $$VALUES ('Tenant A', 2::bigint)$$, 'a reader sees its tenant');
SELECT results_eq('SELECT tenant_name FROM bcce.analytics_overview(NULL, NULL)', $$VALUES ('Tenant A')$$, 'and the same through the function');
SELECT is((SELECT rejected_count FROM bcce.rejected WHERE reason = 'unknown_tenant'), 1::bigint, 'and what was refused');
SELECT is((SELECT current_tenant FROM bcce.whoami()), 'tap-a', 'whoami() names the tenant');
SELECT throws_ok('SELECT * FROM bcce_data.workflow_runs', '42501', NULL, 'but no table');
SELECT throws_ok($$SELECT bcce.record_workflow_run('build', 'running', now())$$, '42501', NULL, 'and does not write');
SELECT throws_ok($$SELECT bcce.pseudonym('ada@example.org', 'user')$$, '42501', NULL, 'nor finds a person by name');
SELECT throws_ok($$SELECT bcce.overview_json('tap-b')$$, 'P0002', 'tenant not found', 'another tenant is not found');
SELECT throws_ok($$SELECT bcce.overview_json('tap-z')$$, 'P0002', 'tenant not found', 'as one that does not exist');
SELECT throws_ok($$SET bcce.test_now = '2020-01-01 00:00+00'$$, '42501', NULL, 'nor moves the clock');
SELECT throws_ok('SELECT bcce.maintain()', '42501', NULL, 'nor maintains');
SELECT throws_ok($$SELECT bcce.create_tenant('tap-d', 'D')$$, '42501', NULL, 'nor makes tenants');
SELECT throws_ok($$SELECT bcce.add_membership('regress_tap_user', 'tap-b')$$, '42501', NULL, 'nor joins one');
RESET ROLE;

SET ROLE regress_tap_cost;
SELECT results_eq('SELECT tenant_name, workflow_cost_usd FROM bcce.cost_analysis', $$VALUES ('Tenant A', 0.02)$$, 'a cost analyst sees the cost');
SELECT throws_ok('SELECT * FROM bcce.mttr_analysis', '42501', NULL, 'and no other report');
RESET ROLE;

SET ROLE regress_tap_admin;
SELECT results_eq('SELECT tenant_name FROM bcce.analytics_overview', $$VALUES ('Tenant A')$$, 'an admin reads its tenant');
SELECT lives_ok($$SELECT bcce.set_price('workflow_run', 0.5)$$, 'and sets its price');
SELECT throws_ok($$SELECT bcce.set_price('workflow_run', 0, now(), 'tap-b')$$, 'P0002', 'tenant not found', 'but not the price of another');
SELECT lives_ok($$SELECT bcce.add_value_alias('run_status', 'exploded', 'failed')$$, 'and teaches a word');

-- What a tenant hides is its own affair.
SELECT lives_ok($$SELECT bcce.set_redaction_rule('project', 'Falcon')$$, 'an admin has a word redacted');
SELECT throws_ok($$SELECT bcce.set_redaction_rule('project', 'Falcon', tenant => 'tap-b')$$, 'P0002', 'tenant not found', 'but not for another tenant');
SELECT results_eq('SELECT rule, kind FROM bcce.redaction_rules', $$VALUES ('project', 'literal')$$, 'it sees that there is a rule');
SELECT throws_ok('SELECT literal FROM bcce_data.redaction_rules', '42501', NULL, 'and not what it looks for');
SELECT is(bcce.redact_for(bcce.current_tenant(), 'Falcon'), '[PROJECT]', 'it tries its rules');
SELECT throws_ok(format('SELECT bcce.redact_for(%L, %L)', :'b', 'Falcon'), '42501', 'permission denied for tenant', 'not those of another tenant');
SELECT throws_ok($$SELECT bcce.redact_for('00000000-0000-7000-8000-000000000000', 'Falcon', NULL, 'hash')$$, '42501', 'permission denied for tenant', 'nor those of none, in the same words');
SELECT lives_ok($$SELECT bcce.set_redaction_style('hash')$$, 'and sets its style');
SELECT throws_ok($$SELECT bcce.set_redaction_style('hash', 'tap-b')$$, 'P0002', 'tenant not found', 'but not the style of another');
SELECT bcce.set_redaction_style(NULL) \g /dev/null
RESET ROLE;
SELECT bcce.set_redaction_rule('project', 'Hawk', tenant => 'tap-b') \g /dev/null
SET ROLE regress_tap_user;
SELECT results_eq('SELECT rule FROM bcce.redaction_rules', $$VALUES ('project')$$, 'a reader sees the rules of its tenant only');
SELECT throws_ok($$SELECT bcce.redact_for(bcce.current_tenant(), 'Falcon')$$, '42501', NULL, 'and does not ask what they hide');
SELECT throws_ok($$SELECT bcce.contains_pii('Falcon', bcce.current_tenant())$$, '42501', NULL, 'in no way');
SELECT throws_ok($$SELECT bcce.set_redaction_rule('x', 'Falcon')$$, '42501', NULL, 'nor makes a rule');
SELECT throws_ok($$SELECT bcce.drop_redaction_rule('project')$$, '42501', NULL, 'nor drops one');
SELECT throws_ok($$SELECT bcce.set_redaction_style('tag')$$, '42501', NULL, 'nor sets the style');
RESET ROLE;
SET ROLE regress_tap_cost;
SELECT throws_ok('SELECT * FROM bcce.redaction_rules', '42501', NULL, 'a cost analyst sees no rules');
RESET ROLE;
SET ROLE regress_tap_ingest;
SELECT is(bcce.redact_for(bcce.current_tenant(), 'Falcon and Hawk'), '[PROJECT] and Hawk', 'a writer redacts as its tenant');
SELECT throws_ok($$SELECT bcce.set_redaction_rule('x', 'Falcon')$$, '42501', NULL, 'and makes no rule');
SELECT bcce.record_incident('hidden', now(), title => 'Falcon and Hawk') \g /dev/null
RESET ROLE;
SELECT is((SELECT title FROM bcce_data.incidents WHERE incident_id = 'hidden'), '[PROJECT] and Hawk', 'what it writes meets the rules of its tenant');
SELECT is(bcce.estimate_cost('workflow_run', 1, now(), :'b'), 0.01, 'B keeps its price');

SET ROLE regress_tap_platform;
SELECT results_eq('SELECT tenant_name FROM bcce.analytics_overview ORDER BY 1', $$VALUES ('Tenant A'), ('Tenant B')$$, 'a platform login sees its tenants');
RESET ROLE;
SELECT ok(bcce.remove_membership('regress_tap_platform', 'tap-b'), 'a membership is taken back');
SET ROLE regress_tap_platform;
SELECT results_eq('SELECT tenant_name FROM bcce.analytics_overview', $$VALUES ('Tenant A')$$, 'at once');
RESET ROLE;

SET ROLE regress_tap_unbound;
SELECT is_empty('SELECT * FROM bcce.analytics_overview', 'without a membership a report is empty, not an error');
SELECT matches((SELECT explanation FROM bcce.whoami()), 'You belong to no tenant', 'and whoami() says why');
RESET ROLE;
SET ROLE regress_tap_stranger;
SELECT throws_ok('SELECT * FROM bcce.analytics_overview', '42501', NULL, 'a stranger reads nothing');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
