-- Which hours of facts have changed since they were summed up.
CREATE FUNCTION bcce.mark_hour() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C
VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION bcce.mark_hour() IS
'Trigger BEFORE INSERT, UPDATE or DELETE of each row: leaves a row (tenant_id, start of the hour in UTC) in the table of marks that its first argument names, in the schema of its own table (of the whole, for a partition that lies elsewhere), for the hour that the row lay in and the one it will lie in, by the column of type timestamptz that its second argument names; without one it marks all hours, by -infinity. Once an hour and subtransaction. Any other use is the error 39P01; 42P01: no such table of marks, 42703: no such column.';

CREATE FUNCTION bcce.forget_marks() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C
VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION bcce.forget_marks() IS
'Trigger BEFORE DELETE of each row and BEFORE TRUNCATE of a table of marks: makes mark_hour() write marks again that this transaction has written already, since they may be gone. Any other use is the error 39P01.';
