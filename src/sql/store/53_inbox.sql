-- Inboxes: flat views of text columns, for INSERT and COPY.  They never raise
-- for content, because COPY prints the row in hand with any error: a bad row
-- is counted in bcce.rejected instead.
CREATE OR REPLACE VIEW bcce.inbox_workflow_runs WITH (security_invoker = true) AS
SELECT NULL::text AS tenant, NULL::text AS run_id, NULL::text AS workflow_id, NULL::text AS service_id, NULL::text AS user_id,
       NULL::text AS status, NULL::text AS queued_at, NULL::text AS started_at, NULL::text AS finished_at,
       NULL::text AS error_class, NULL::text AS error_message, NULL::text AS environment, NULL::text AS region,
       NULL::text AS risk_level, NULL::text AS identity_provider, NULL::text AS retry_of, NULL::text AS source_account,
       NULL::text AS classification, NULL::text AS source, NULL::text AS is_test
WHERE false;
COMMENT ON VIEW bcce.inbox_workflow_runs IS 'Write-only: INSERT or COPY runs here, all columns text; a later row with the same run_id completes the run. Bad rows are counted in bcce.rejected.';

CREATE OR REPLACE VIEW bcce.inbox_incidents WITH (security_invoker = true) AS
SELECT NULL::text AS tenant, NULL::text AS incident_id, NULL::text AS service_id, NULL::text AS severity, NULL::text AS priority,
       NULL::text AS incident_type, NULL::text AS title, NULL::text AS status, NULL::text AS opened_at,
       NULL::text AS impact_started_at, NULL::text AS detected_at, NULL::text AS acknowledged_at, NULL::text AS mitigated_at,
       NULL::text AS recovered_at, NULL::text AS resolved_at, NULL::text AS closed_at, NULL::text AS merged_into,
       NULL::text AS affected_resources, NULL::text AS caused_by_run, NULL::text AS source, NULL::text AS is_test
WHERE false;
COMMENT ON VIEW bcce.inbox_incidents IS 'Write-only: INSERT or COPY incidents here, all columns text; a later row with the same incident_id adds to it. Bad rows are counted in bcce.rejected.';

CREATE OR REPLACE VIEW bcce.inbox_events WITH (security_invoker = true) AS
SELECT NULL::text AS tenant, NULL::text AS event_id, NULL::text AS event_type, NULL::text AS occurred_at, NULL::text AS guest_id,
       NULL::text AS guest_type, NULL::text AS user_id, NULL::text AS session_id, NULL::text AS service_id, NULL::text AS ip,
       NULL::text AS user_agent, NULL::text AS properties, NULL::text AS source, NULL::text AS is_test
WHERE false;
COMMENT ON VIEW bcce.inbox_events IS 'Write-only: INSERT or COPY events here, all columns text, properties a JSON object; the same event_id at the same time is stored once. Bad rows are counted in bcce.rejected.';

CREATE OR REPLACE FUNCTION bcce_data.inbox_workflow_runs() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    run bcce_data.workflow_runs;
    fault text;
BEGIN
    run.tenant_id := bcce_data.resolve_tenant(NEW.tenant);
    IF run.tenant_id IS NULL THEN
        PERFORM bcce_data.reject(NULL, 'inbox_workflow_runs', 'unknown_tenant', NULL);
        RETURN NEW;
    END IF;
    run.run_id := nullif(NEW.run_id, '');
    run.workflow_id := NEW.workflow_id;
    run.service_id := nullif(NEW.service_id, '');
    run.user_key := nullif(NEW.user_id, '');
    run.status := bcce_data.known_word(run.tenant_id, 'run_status', NEW.status);
    run.queued_at := bcce.try_timestamptz(NEW.queued_at);
    run.started_at := bcce.try_timestamptz(NEW.started_at);
    run.finished_at := bcce.try_timestamptz(NEW.finished_at);
    run.error_class := nullif(NEW.error_class, '');
    run.error_message := nullif(NEW.error_message, '');
    run.environment := nullif(NEW.environment, '');
    run.region := nullif(NEW.region, '');
    run.risk_level := nullif(NEW.risk_level, '');
    run.identity_provider := nullif(NEW.identity_provider, '');
    run.retry_of := nullif(NEW.retry_of, '');
    run.source_account := nullif(NEW.source_account, '');
    run.classification := nullif(NEW.classification, '');
    run.source := coalesce(nullif(NEW.source, ''), 'inbox');
    run.is_test := bcce.try_boolean(NEW.is_test);
    fault := CASE
        WHEN (NEW.queued_at <> '' AND run.queued_at IS NULL) OR (NEW.started_at <> '' AND run.started_at IS NULL)
             OR (NEW.finished_at <> '' AND run.finished_at IS NULL) THEN 'bad_time'
        WHEN NEW.is_test <> '' AND run.is_test IS NULL THEN 'bad_boolean'
        ELSE bcce_data.put_workflow_run(run)
    END;
    IF fault IS NOT NULL THEN
        PERFORM bcce_data.reject(run.tenant_id, 'inbox_workflow_runs', fault, run.run_id);
    END IF;
    RETURN NEW;
END
$body$;
COMMENT ON FUNCTION bcce_data.inbox_workflow_runs() IS 'stores or refuses a row of bcce.inbox_workflow_runs';

CREATE OR REPLACE FUNCTION bcce_data.inbox_incidents() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    incident bcce_data.incidents;
    fault text;
BEGIN
    incident.tenant_id := bcce_data.resolve_tenant(NEW.tenant);
    IF incident.tenant_id IS NULL THEN
        PERFORM bcce_data.reject(NULL, 'inbox_incidents', 'unknown_tenant', NULL);
        RETURN NEW;
    END IF;
    incident.incident_id := nullif(NEW.incident_id, '');
    incident.service_id := nullif(NEW.service_id, '');
    incident.severity := bcce_data.known_word(incident.tenant_id, 'severity', NEW.severity);
    incident.priority := nullif(NEW.priority, '');
    incident.incident_type := nullif(NEW.incident_type, '');
    incident.title := nullif(NEW.title, '');
    incident.status := bcce_data.known_word(incident.tenant_id, 'incident_status', NEW.status);
    incident.opened_at := bcce.try_timestamptz(NEW.opened_at);
    incident.impact_started_at := bcce.try_timestamptz(NEW.impact_started_at);
    incident.detected_at := bcce.try_timestamptz(NEW.detected_at);
    incident.acknowledged_at := bcce.try_timestamptz(NEW.acknowledged_at);
    incident.mitigated_at := bcce.try_timestamptz(NEW.mitigated_at);
    incident.recovered_at := bcce.try_timestamptz(NEW.recovered_at);
    incident.resolved_at := bcce.try_timestamptz(NEW.resolved_at);
    incident.closed_at := bcce.try_timestamptz(NEW.closed_at);
    incident.merged_into := nullif(NEW.merged_into, '');
    incident.affected_resources := nullif(NEW.affected_resources, '');
    incident.caused_by_run := nullif(NEW.caused_by_run, '');
    incident.source := coalesce(nullif(NEW.source, ''), 'inbox');
    incident.is_test := bcce.try_boolean(NEW.is_test);
    fault := CASE
        WHEN (NEW.opened_at <> '' AND incident.opened_at IS NULL)
             OR (NEW.impact_started_at <> '' AND incident.impact_started_at IS NULL)
             OR (NEW.detected_at <> '' AND incident.detected_at IS NULL)
             OR (NEW.acknowledged_at <> '' AND incident.acknowledged_at IS NULL)
             OR (NEW.mitigated_at <> '' AND incident.mitigated_at IS NULL)
             OR (NEW.recovered_at <> '' AND incident.recovered_at IS NULL)
             OR (NEW.resolved_at <> '' AND incident.resolved_at IS NULL)
             OR (NEW.closed_at <> '' AND incident.closed_at IS NULL) THEN 'bad_time'
        WHEN NEW.severity <> '' AND incident.severity IS NULL THEN 'unknown_severity'
        WHEN NEW.status <> '' AND incident.status IS NULL THEN 'unknown_status'
        WHEN NEW.is_test <> '' AND incident.is_test IS NULL THEN 'bad_boolean'
        ELSE bcce_data.put_incident(incident)
    END;
    IF fault IS NOT NULL THEN
        PERFORM bcce_data.reject(incident.tenant_id, 'inbox_incidents', fault, incident.incident_id);
    END IF;
    RETURN NEW;
END
$body$;
COMMENT ON FUNCTION bcce_data.inbox_incidents() IS 'stores or refuses a row of bcce.inbox_incidents';

CREATE OR REPLACE FUNCTION bcce_data.inbox_events() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    event bcce_data.events;
    fault text;
BEGIN
    event.tenant_id := bcce_data.resolve_tenant(NEW.tenant);
    IF event.tenant_id IS NULL THEN
        PERFORM bcce_data.reject(NULL, 'inbox_events', 'unknown_tenant', NULL);
        RETURN NEW;
    END IF;
    event.idempotency_key := nullif(NEW.event_id, '');
    event.event_type := NEW.event_type;
    event.occurred_at := bcce.try_timestamptz(NEW.occurred_at);
    event.guest_key := nullif(NEW.guest_id, '');
    event.guest_type := nullif(NEW.guest_type, '');
    event.user_key := nullif(NEW.user_id, '');
    event.session_id := nullif(NEW.session_id, '');
    event.service_id := nullif(NEW.service_id, '');
    event.ip_prefix := bcce.try_inet(NEW.ip);
    event.user_agent_family := bcce_data.user_agent_family(NEW.user_agent);
    event.properties := bcce.try_jsonb(NEW.properties);
    event.source := coalesce(nullif(NEW.source, ''), 'inbox');
    event.is_test := bcce.try_boolean(NEW.is_test);
    fault := CASE
        WHEN NEW.occurred_at <> '' AND event.occurred_at IS NULL THEN 'bad_time'
        WHEN NEW.ip <> '' AND event.ip_prefix IS NULL THEN 'bad_address'
        WHEN NEW.properties <> '' AND event.properties IS NULL THEN 'bad_json'
        WHEN jsonb_typeof(event.properties) <> 'object' THEN 'not_an_object'
        WHEN NEW.is_test <> '' AND event.is_test IS NULL THEN 'bad_boolean'
        ELSE nullif(bcce_data.put_event(event), 'duplicate')
    END;
    IF fault IS NOT NULL THEN
        PERFORM bcce_data.reject(event.tenant_id, 'inbox_events', fault, event.idempotency_key);
    END IF;
    RETURN NEW;
END
$body$;
COMMENT ON FUNCTION bcce_data.inbox_events() IS 'stores or refuses a row of bcce.inbox_events';

CREATE OR REPLACE TRIGGER inbox INSTEAD OF INSERT ON bcce.inbox_workflow_runs
    FOR EACH ROW EXECUTE FUNCTION bcce.inbox_row('inbox_workflow_runs');
CREATE OR REPLACE TRIGGER inbox INSTEAD OF INSERT ON bcce.inbox_incidents
    FOR EACH ROW EXECUTE FUNCTION bcce.inbox_row('inbox_incidents');
CREATE OR REPLACE TRIGGER inbox INSTEAD OF INSERT ON bcce.inbox_events
    FOR EACH ROW EXECUTE FUNCTION bcce.inbox_row('inbox_events');
