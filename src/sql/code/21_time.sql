-- The clock of the reports.
CREATE FUNCTION bcce.report_now()
RETURNS timestamptz
AS 'MODULE_PATHNAME', 'report_now'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.report_now() IS
'The instant that reports call now: the start of the statement, or the setting bcce.test_now (superusers only; an instant with its zone, for tests). Never errors.';
