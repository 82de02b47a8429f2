-- The schema that people touch.  It is made here, not by the control file, so
-- that it belongs to the extension and an existing schema is an error.
CREATE SCHEMA bcce;
COMMENT ON SCHEMA bcce IS 'bcce: functions, aggregates and reports';

