-- Who looked up a person.
CREATE TABLE IF NOT EXISTS bcce_data.person_lookups (
    tenant_id uuid NOT NULL,
    looked_up_at timestamptz NOT NULL DEFAULT now(),
    login text NOT NULL,
    reason text NOT NULL,
    pseudonym text NOT NULL,
    row_count bigint NOT NULL,
    CONSTRAINT person_lookups_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT person_lookups_row_count_check CHECK (row_count >= 0)
);
CREATE INDEX IF NOT EXISTS person_lookups_tenant_idx ON bcce_data.person_lookups (tenant_id, looked_up_at);
COMMENT ON TABLE bcce_data.person_lookups IS 'one row per call of find_person() that was committed; the server log has a line of every one';
COMMENT ON COLUMN bcce_data.person_lookups.tenant_id IS 'tenant in which it was looked';
COMMENT ON COLUMN bcce_data.person_lookups.looked_up_at IS 'when the transaction of the look-up began';
COMMENT ON COLUMN bcce_data.person_lookups.login IS 'login that asked, pseudonymised where it holds personal data';
COMMENT ON COLUMN bcce_data.person_lookups.reason IS 'reason given, redacted';
COMMENT ON COLUMN bcce_data.person_lookups.pseudonym IS 'pseudonym of the person; what was given to find it is not kept';
COMMENT ON COLUMN bcce_data.person_lookups.row_count IS 'number of rows found';
