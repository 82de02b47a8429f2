-- Who took what out.
CREATE TABLE IF NOT EXISTS bcce_data.export_log (
    tenant_id uuid NOT NULL,
    exported_at timestamptz NOT NULL DEFAULT now(),
    login text NOT NULL,
    report text NOT NULL,
    row_count bigint NOT NULL,
    CONSTRAINT export_log_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT export_log_row_count_check CHECK (row_count >= 0)
);
CREATE INDEX IF NOT EXISTS export_log_tenant_idx ON bcce_data.export_log (tenant_id, exported_at);
COMMENT ON TABLE bcce_data.export_log IS 'one row per export and tenant, where the transaction could write; others are lines of the server log';
COMMENT ON COLUMN bcce_data.export_log.tenant_id IS 'tenant whose rows were exported';
COMMENT ON COLUMN bcce_data.export_log.exported_at IS 'when the transaction of the export began';
COMMENT ON COLUMN bcce_data.export_log.login IS 'login that exported, pseudonymised where it holds personal data';
COMMENT ON COLUMN bcce_data.export_log.report IS 'report';
COMMENT ON COLUMN bcce_data.export_log.row_count IS 'number of rows of the tenant, header not counted';
