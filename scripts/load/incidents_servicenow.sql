-- ServiceNow incident log, one row per update of an incident, from stdin:
--   gzip -dc incident_event_log.csv.gz | psql -f scripts/load/incidents_servicenow.sql
\set tenant servicenow
\set name 'IT service desk (ServiceNow log)'
\set zone UTC
\ir tenant.sql
CREATE TEMP TABLE log (
    number text, incident_state text, active text, reassignment_count text, reopen_count text, sys_mod_count text, made_sla text,
    caller_id text, opened_by text, opened_at text, sys_created_by text, sys_created_at text, sys_updated_by text, sys_updated_at text,
    contact_type text, location text, category text, subcategory text, u_symptom text, cmdb_ci text, impact text, urgency text,
    priority text, assignment_group text, assigned_to text, knowledge text, u_priority_confirmation text, notify text,
    problem_id text, rfc text, vendor text, caused_by text, closed_code text, resolved_by text, resolved_at text, closed_at text,
    line bigint GENERATED ALWAYS AS IDENTITY);
\copy log (number, incident_state, active, reassignment_count, reopen_count, sys_mod_count, made_sla, caller_id, opened_by, opened_at, sys_created_by, sys_created_at, sys_updated_by, sys_updated_at, contact_type, location, category, subcategory, u_symptom, cmdb_ci, impact, urgency, priority, assignment_group, assigned_to, knowledge, u_priority_confirmation, notify, problem_id, rfc, vendor, caused_by, closed_code, resolved_by, resolved_at, closed_at) FROM pstdin (FORMAT csv, HEADER, NULL '?')

-- The last row of a number, in the order of the file, is its final state.
CREATE TEMP TABLE final AS
SELECT DISTINCT ON (number) * FROM log ORDER BY number, line DESC;

-- Day comes first: 29/2/2016 01:16.  No recovery time is made up: an incident
-- that was closed and never resolved goes in as it is, and mttr_analysis
-- counts it under fallback_count.
INSERT INTO bcce.inbox_incidents (tenant, incident_id, severity, priority, incident_type, status, opened_at, resolved_at, closed_at, source)
SELECT :'tenant', number, priority, priority, category, incident_state,
       to_timestamp(opened_at, 'DD/MM/YYYY HH24:MI')::text, to_timestamp(resolved_at, 'DD/MM/YYYY HH24:MI')::text,
       to_timestamp(closed_at, 'DD/MM/YYYY HH24:MI')::text, 'servicenow'
FROM final;

SELECT format('  %s updates read, %s incidents sent, %s refused; %s were closed without ever being resolved',
    (SELECT count(*) FROM log), (SELECT count(*) FROM final),
    (SELECT coalesce(sum(rejected_count), 0) FROM bcce.rejected WHERE source = 'inbox_incidents'),
    (SELECT count(*) FROM final WHERE resolved_at IS NULL AND closed_at IS NOT NULL)) AS "ServiceNow" \g (tuples_only=on format=unaligned)
