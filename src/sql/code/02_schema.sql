-- The schema that people touch.  It is made here, not by the control file, so
-- that it belongs to the extension and an existing schema is an error.
CREATE SCHEMA bcce;
COMMENT ON SCHEMA bcce IS 'bcce: functions, aggregates and reports';

-- The store and the reports as text: install() runs it, an upgrade replaces it.
CREATE TABLE bcce.module (
    ordinal integer GENERATED ALWAYS AS IDENTITY,
    part text NOT NULL,
    name text NOT NULL,
    sql text NOT NULL,
    CONSTRAINT module_pkey PRIMARY KEY (ordinal),
    CONSTRAINT module_part_check CHECK (part IN ('store', 'report'))
);
COMMENT ON TABLE bcce.module IS 'SQL of the store and the reports, run in order by bcce.install()';
COMMENT ON COLUMN bcce.module.ordinal IS 'order in which install() runs the modules';
COMMENT ON COLUMN bcce.module.part IS 'store or report';
COMMENT ON COLUMN bcce.module.name IS 'file name of the module under src/sql';
COMMENT ON COLUMN bcce.module.sql IS 'idempotent SQL text';

