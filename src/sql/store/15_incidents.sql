-- Declared incidents, what happened in them, and when they hurt.
CREATE TABLE IF NOT EXISTS bcce_data.incidents (
    tenant_id uuid NOT NULL,
    incident_id text NOT NULL,
    service_id text,
    severity text,
    priority text,
    incident_type text,
    title text,
    status text NOT NULL DEFAULT 'open',
    opened_at timestamptz NOT NULL,
    impact_started_at timestamptz,
    detected_at timestamptz,
    acknowledged_at timestamptz,
    mitigated_at timestamptz,
    recovered_at timestamptz,
    resolved_at timestamptz,
    closed_at timestamptz,
    merged_into text,
    affected_resources text,
    caused_by_run text,
    source text NOT NULL DEFAULT 'api',
    is_test boolean NOT NULL DEFAULT false,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT incidents_pkey PRIMARY KEY (tenant_id, incident_id),
    CONSTRAINT incidents_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT incidents_incident_id_check CHECK (length(incident_id) BETWEEN 1 AND 256),
    CONSTRAINT incidents_severity_check CHECK (severity IN ('sev1', 'sev2', 'sev3', 'sev4')),
    CONSTRAINT incidents_status_check CHECK (status IN ('open', 'acknowledged', 'mitigated', 'resolved', 'closed')),
    CONSTRAINT incidents_opened_at_check CHECK (opened_at >= '1970-01-01 00:00:00+00' AND opened_at < '2201-01-01 00:00:00+00')
);
CREATE INDEX IF NOT EXISTS incidents_opened_at_idx ON bcce_data.incidents (tenant_id, opened_at);
CREATE INDEX IF NOT EXISTS incidents_service_idx ON bcce_data.incidents (tenant_id, service_id, opened_at);
COMMENT ON TABLE bcce_data.incidents IS 'one row per declared incident';
COMMENT ON COLUMN bcce_data.incidents.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.incidents.incident_id IS 'the sender''s id of the incident';
COMMENT ON COLUMN bcce_data.incidents.service_id IS 'service that suffers';
COMMENT ON COLUMN bcce_data.incidents.severity IS 'sev1 (worst) to sev4; NULL: unclassified';
COMMENT ON COLUMN bcce_data.incidents.priority IS 'priority in the sender''s words, redacted';
COMMENT ON COLUMN bcce_data.incidents.incident_type IS 'type in the sender''s words, redacted';
COMMENT ON COLUMN bcce_data.incidents.title IS 'title, redacted';
COMMENT ON COLUMN bcce_data.incidents.status IS 'open, acknowledged, mitigated, resolved or closed';
COMMENT ON COLUMN bcce_data.incidents.opened_at IS 'when it was declared';
COMMENT ON COLUMN bcce_data.incidents.impact_started_at IS 'when it began to hurt';
COMMENT ON COLUMN bcce_data.incidents.detected_at IS 'when it was noticed';
COMMENT ON COLUMN bcce_data.incidents.acknowledged_at IS 'when somebody took it';
COMMENT ON COLUMN bcce_data.incidents.mitigated_at IS 'when it stopped hurting, by a stopgap';
COMMENT ON COLUMN bcce_data.incidents.recovered_at IS 'when service was back';
COMMENT ON COLUMN bcce_data.incidents.resolved_at IS 'when the cause was removed';
COMMENT ON COLUMN bcce_data.incidents.closed_at IS 'when the paperwork was done';
COMMENT ON COLUMN bcce_data.incidents.merged_into IS 'incident that this one is part of; it then does not count by itself';
COMMENT ON COLUMN bcce_data.incidents.affected_resources IS 'what is affected, redacted';
COMMENT ON COLUMN bcce_data.incidents.caused_by_run IS 'run that caused it';
COMMENT ON COLUMN bcce_data.incidents.source IS 'who sent it';
COMMENT ON COLUMN bcce_data.incidents.is_test IS 'test incidents never count';
COMMENT ON COLUMN bcce_data.incidents.recorded_at IS 'when it was recorded';

CREATE TABLE IF NOT EXISTS bcce_data.incident_events (
    tenant_id uuid NOT NULL,
    incident_id text NOT NULL,
    event_id uuid NOT NULL DEFAULT bcce.uuid_v7(),
    at timestamptz NOT NULL,
    kind text NOT NULL,
    response_action text,
    actor_key text,
    CONSTRAINT incident_events_pkey PRIMARY KEY (tenant_id, incident_id, event_id),
    CONSTRAINT incident_events_incident_fkey FOREIGN KEY (tenant_id, incident_id) REFERENCES bcce_data.incidents ON DELETE CASCADE
);
COMMENT ON TABLE bcce_data.incident_events IS 'what happened during an incident';
COMMENT ON COLUMN bcce_data.incident_events.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.incident_events.incident_id IS 'incident';
COMMENT ON COLUMN bcce_data.incident_events.event_id IS 'internal id';
COMMENT ON COLUMN bcce_data.incident_events.at IS 'when it happened';
COMMENT ON COLUMN bcce_data.incident_events.kind IS 'what kind of event, redacted';
COMMENT ON COLUMN bcce_data.incident_events.response_action IS 'what was done, redacted';
COMMENT ON COLUMN bcce_data.incident_events.actor_key IS 'pseudonym of the person who did it';

CREATE TABLE IF NOT EXISTS bcce_data.incident_impacts (
    tenant_id uuid NOT NULL,
    incident_id text NOT NULL,
    span tstzrange NOT NULL,
    CONSTRAINT incident_impacts_pkey PRIMARY KEY (tenant_id, incident_id, span),
    CONSTRAINT incident_impacts_incident_fkey FOREIGN KEY (tenant_id, incident_id) REFERENCES bcce_data.incidents ON DELETE CASCADE,
    CONSTRAINT incident_impacts_span_check CHECK (NOT isempty(span) AND NOT lower_inf(span))
);
COMMENT ON TABLE bcce_data.incident_impacts IS 'spans in which an incident hurt; a reopened one has several, an open end means it still does';
COMMENT ON COLUMN bcce_data.incident_impacts.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.incident_impacts.incident_id IS 'incident';
COMMENT ON COLUMN bcce_data.incident_impacts.span IS 'start inclusive, end exclusive';

-- When a tenant works: what the mean on the business calendar counts.
CREATE TABLE IF NOT EXISTS bcce_data.business_hours (
    tenant_id uuid NOT NULL,
    weekday smallint NOT NULL,
    opens time NOT NULL,
    closes time NOT NULL,
    CONSTRAINT business_hours_pkey PRIMARY KEY (tenant_id, weekday),
    CONSTRAINT business_hours_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT business_hours_weekday_check CHECK (weekday BETWEEN 1 AND 7)
);
COMMENT ON TABLE bcce_data.business_hours IS 'when a tenant works on a day of the week; a day without a row is free';
COMMENT ON COLUMN bcce_data.business_hours.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.business_hours.weekday IS 'day of the week, 1 Monday to 7 Sunday';
COMMENT ON COLUMN bcce_data.business_hours.opens IS 'start of work by the clock of the tenant''s zone';
COMMENT ON COLUMN bcce_data.business_hours.closes IS 'end of work; not later than opens: on the next day';

CREATE TABLE IF NOT EXISTS bcce_data.holidays (
    tenant_id uuid NOT NULL,
    day date NOT NULL,
    CONSTRAINT holidays_pkey PRIMARY KEY (tenant_id, day),
    CONSTRAINT holidays_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT holidays_day_check CHECK (isfinite(day))
);
COMMENT ON TABLE bcce_data.holidays IS 'days on which a tenant does not work, whatever the day of the week';
COMMENT ON COLUMN bcce_data.holidays.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.holidays.day IS 'date in the tenant''s zone; no work begins on it';
