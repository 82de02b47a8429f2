-- What a login of one tenant sees: run it as such a login.
\ir style.sql
\set ON_ERROR_STOP off
SELECT login, tenants, explanation FROM bcce.whoami();
\echo '  Whose rows are there at all?'
SELECT tenant_name, total_workflows AS runs FROM bcce.analytics_overview;
\echo '  Rows of others, asked for in so many words:'
SELECT (SELECT count(*) FROM bcce.analytics_overview WHERE tenant_name NOT LIKE 'Acme%') AS overview,
       (SELECT count(*) FROM bcce.usage_trends WHERE tenant_name NOT LIKE 'Acme%') AS days,
       (SELECT count(*) FROM bcce.service_health_dashboard('-infinity', 'infinity') WHERE tenant_name NOT LIKE 'Acme%') AS services,
       (SELECT count(*) FROM bcce.prediction_accuracy WHERE tenant_name NOT LIKE 'Acme%') AS models;
\echo '  The tables themselves:'
SELECT count(*) FROM bcce_data.workflow_runs;
