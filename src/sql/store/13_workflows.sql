-- Services, workflows and their runs.
CREATE TABLE IF NOT EXISTS bcce_data.services (
    tenant_id uuid NOT NULL,
    service_id text NOT NULL,
    service_name text NOT NULL,
    team_id text,
    criticality text,
    expected_interval_seconds integer,
    created_at timestamptz NOT NULL DEFAULT now(),
    retired_at timestamptz,
    CONSTRAINT services_pkey PRIMARY KEY (tenant_id, service_id),
    CONSTRAINT services_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT services_service_id_check CHECK (length(service_id) BETWEEN 1 AND 256),
    CONSTRAINT services_expected_interval_seconds_check CHECK (expected_interval_seconds > 0)
);
COMMENT ON TABLE bcce_data.services IS 'services of a tenant; a writer''s first mention of one makes its row';
COMMENT ON COLUMN bcce_data.services.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.services.service_id IS 'the sender''s id of the service';
COMMENT ON COLUMN bcce_data.services.service_name IS 'display name, redacted';
COMMENT ON COLUMN bcce_data.services.team_id IS 'team that owns it';
COMMENT ON COLUMN bcce_data.services.criticality IS 'criticality in the sender''s words, redacted';
COMMENT ON COLUMN bcce_data.services.expected_interval_seconds IS 'seconds between two samples; three missed ones make it stale';
COMMENT ON COLUMN bcce_data.services.created_at IS 'when it was first mentioned';
COMMENT ON COLUMN bcce_data.services.retired_at IS 'when it was retired; it leaves the reports 30 days later';

CREATE TABLE IF NOT EXISTS bcce_data.maintenance_windows (
    tenant_id uuid NOT NULL,
    service_id text NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    CONSTRAINT maintenance_windows_pkey PRIMARY KEY (tenant_id, service_id, starts_at),
    CONSTRAINT maintenance_windows_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT maintenance_windows_ends_at_check CHECK (ends_at > starts_at)
);
COMMENT ON TABLE bcce_data.maintenance_windows IS 'declared maintenance of services';
COMMENT ON COLUMN bcce_data.maintenance_windows.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.maintenance_windows.service_id IS 'service';
COMMENT ON COLUMN bcce_data.maintenance_windows.starts_at IS 'start, inclusive';
COMMENT ON COLUMN bcce_data.maintenance_windows.ends_at IS 'end, exclusive';

CREATE TABLE IF NOT EXISTS bcce_data.slos (
    tenant_id uuid NOT NULL,
    service_id text NOT NULL DEFAULT '*',
    target_percent numeric NOT NULL,
    CONSTRAINT slos_pkey PRIMARY KEY (tenant_id, service_id),
    CONSTRAINT slos_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT slos_target_percent_check CHECK (target_percent > 0 AND target_percent <= 100)
);
COMMENT ON TABLE bcce_data.slos IS 'what share of their requests services promise to answer without error, over 30 days';
COMMENT ON COLUMN bcce_data.slos.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.slos.service_id IS 'service, or * for those of the tenant without a row of their own';
COMMENT ON COLUMN bcce_data.slos.target_percent IS 'percent of the requests without error; the rest is the error budget';

CREATE TABLE IF NOT EXISTS bcce_data.workflows (
    tenant_id uuid NOT NULL,
    workflow_id text NOT NULL,
    name text NOT NULL,
    service_id text,
    kind text NOT NULL DEFAULT 'job',
    sla_seconds integer NOT NULL DEFAULT 1800,
    criticality text,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT workflows_pkey PRIMARY KEY (tenant_id, workflow_id),
    CONSTRAINT workflows_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT workflows_workflow_id_check CHECK (length(workflow_id) BETWEEN 1 AND 256),
    CONSTRAINT workflows_kind_check CHECK (kind ~ '^[a-z][a-z0-9_]{0,62}$'),
    CONSTRAINT workflows_sla_seconds_check CHECK (sla_seconds > 0)
);
COMMENT ON TABLE bcce_data.workflows IS 'workflows of a tenant; a writer''s first mention of one makes its row';
COMMENT ON COLUMN bcce_data.workflows.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.workflows.workflow_id IS 'the sender''s id of the workflow';
COMMENT ON COLUMN bcce_data.workflows.name IS 'display name, redacted';
COMMENT ON COLUMN bcce_data.workflows.service_id IS 'service that it belongs to';
COMMENT ON COLUMN bcce_data.workflows.kind IS 'job, deployment or a word of your own';
COMMENT ON COLUMN bcce_data.workflows.sla_seconds IS 'seconds after which a run is late';
COMMENT ON COLUMN bcce_data.workflows.criticality IS 'criticality in the sender''s words, redacted';
COMMENT ON COLUMN bcce_data.workflows.created_at IS 'when it was first mentioned';

-- One row per run, whatever its month: decides insert or update.
CREATE TABLE IF NOT EXISTS bcce_data.workflow_run_keys (
    tenant_id uuid NOT NULL,
    run_id text NOT NULL,
    started_at timestamptz NOT NULL,
    CONSTRAINT workflow_run_keys_pkey PRIMARY KEY (tenant_id, run_id)
);
COMMENT ON TABLE bcce_data.workflow_run_keys IS 'start of every run by its id, over all partitions of workflow_runs';
COMMENT ON COLUMN bcce_data.workflow_run_keys.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.workflow_run_keys.run_id IS 'the sender''s id of the run';
COMMENT ON COLUMN bcce_data.workflow_run_keys.started_at IS 'start of the run, which never changes';

CREATE TABLE IF NOT EXISTS bcce_data.workflow_runs (
    tenant_id uuid NOT NULL,
    run_id text NOT NULL,
    started_at timestamptz NOT NULL,
    workflow_id text NOT NULL,
    service_id text,
    user_key text,
    status text NOT NULL,
    queued_at timestamptz,
    finished_at timestamptz,
    duration_s double precision GENERATED ALWAYS AS (extract(epoch FROM finished_at - started_at)::double precision) STORED,
    error_class text,
    error_message text,
    environment text,
    region text,
    risk_level text,
    identity_provider text,
    retry_of text,
    source_account text,
    source text NOT NULL DEFAULT 'api',
    classification text,
    is_test boolean NOT NULL DEFAULT false,
    charged_usd numeric,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT workflow_runs_pkey PRIMARY KEY (tenant_id, run_id, started_at),
    CONSTRAINT workflow_runs_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT workflow_runs_status_check CHECK (status IN ('running', 'succeeded', 'failed', 'timed_out', 'cancelled', 'skipped')),
    CONSTRAINT workflow_runs_finished_at_check CHECK (finished_at >= started_at),
    CONSTRAINT workflow_runs_terminal_check CHECK ((finished_at IS NOT NULL) = (status <> 'running')),
    CONSTRAINT workflow_runs_started_at_check CHECK (started_at >= '1970-01-01 00:00:00+00' AND started_at < '2201-01-01 00:00:00+00'),
    CONSTRAINT workflow_runs_charged_usd_check CHECK (charged_usd >= 0 AND charged_usd <= 1e15)
) PARTITION BY RANGE (started_at);
CREATE TABLE IF NOT EXISTS bcce_data.workflow_runs_default PARTITION OF bcce_data.workflow_runs DEFAULT;
CREATE INDEX IF NOT EXISTS workflow_runs_started_at_idx ON bcce_data.workflow_runs
    (tenant_id, started_at) INCLUDE (status, finished_at, workflow_id, user_key);
CREATE INDEX IF NOT EXISTS workflow_runs_workflow_idx ON bcce_data.workflow_runs (tenant_id, workflow_id, started_at);
CREATE INDEX IF NOT EXISTS workflow_runs_retry_idx ON bcce_data.workflow_runs (tenant_id, retry_of) WHERE retry_of IS NOT NULL;
COMMENT ON TABLE bcce_data.workflow_runs IS 'one row per run of a workflow, recorded when it starts and completed when it ends; by month of started_at';
COMMENT ON COLUMN bcce_data.workflow_runs.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.workflow_runs.run_id IS 'the sender''s id of the run';
COMMENT ON COLUMN bcce_data.workflow_runs.started_at IS 'when it started';
COMMENT ON COLUMN bcce_data.workflow_runs.workflow_id IS 'workflow';
COMMENT ON COLUMN bcce_data.workflow_runs.service_id IS 'service that it ran for';
COMMENT ON COLUMN bcce_data.workflow_runs.user_key IS 'pseudonym of the person who started it';
COMMENT ON COLUMN bcce_data.workflow_runs.status IS 'running, succeeded, failed, timed_out, cancelled or skipped';
COMMENT ON COLUMN bcce_data.workflow_runs.queued_at IS 'when it was queued';
COMMENT ON COLUMN bcce_data.workflow_runs.finished_at IS 'when it ended; NULL exactly while it runs';
COMMENT ON COLUMN bcce_data.workflow_runs.duration_s IS 'seconds from start to end';
COMMENT ON COLUMN bcce_data.workflow_runs.error_class IS 'class of the error, redacted';
COMMENT ON COLUMN bcce_data.workflow_runs.error_message IS 'message of the error, redacted';
COMMENT ON COLUMN bcce_data.workflow_runs.environment IS 'environment, redacted';
COMMENT ON COLUMN bcce_data.workflow_runs.region IS 'region, redacted';
COMMENT ON COLUMN bcce_data.workflow_runs.risk_level IS 'risk level, redacted';
COMMENT ON COLUMN bcce_data.workflow_runs.identity_provider IS 'identity provider, redacted';
COMMENT ON COLUMN bcce_data.workflow_runs.retry_of IS 'run that this one repeats';
COMMENT ON COLUMN bcce_data.workflow_runs.source_account IS 'account that it came from';
COMMENT ON COLUMN bcce_data.workflow_runs.source IS 'who sent it';
COMMENT ON COLUMN bcce_data.workflow_runs.classification IS 'data class, redacted';
COMMENT ON COLUMN bcce_data.workflow_runs.is_test IS 'test runs never count';
COMMENT ON COLUMN bcce_data.workflow_runs.charged_usd IS 'price of the run in US dollars as of its start, frozen when it was recorded';
COMMENT ON COLUMN bcce_data.workflow_runs.recorded_at IS 'when it was recorded';
