-- Schemas, the version row, and the helpers that later modules use.
CREATE SCHEMA IF NOT EXISTS bcce_data;
COMMENT ON SCHEMA bcce_data IS 'bcce: facts, dimensions, configuration; read through the reports in schema bcce';
CREATE SCHEMA IF NOT EXISTS bcce_private;
COMMENT ON SCHEMA bcce_private IS 'bcce: memberships and keys; nobody but bcce itself reads it';
REVOKE ALL ON SCHEMA bcce_data, bcce_private FROM PUBLIC;

CREATE TABLE IF NOT EXISTS bcce_data.schema_version (
    version text NOT NULL,
    installed_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT schema_version_pkey PRIMARY KEY (version)
);
COMMENT ON TABLE bcce_data.schema_version IS 'versions of the store that install() has brought this database to';
COMMENT ON COLUMN bcce_data.schema_version.version IS 'version of the extension';
COMMENT ON COLUMN bcce_data.schema_version.installed_at IS 'when install() first ran for it';
