-- Errors raised from SQL and PL/pgSQL without a trace of the input.

CREATE FUNCTION bcce.raise_error(sqlstate text, message text, detail text DEFAULT NULL, hint text DEFAULT NULL) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C
VOLATILE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.raise_error(text, text, text, text) IS
'Raises an error with this SQLSTATE and these words, and keeps the statement and its context out of the server log: RAISE of PL/pgSQL would log the text of the statement, with whatever personal data it holds. So none of the words may hold such data either. Error 22023 when the SQLSTATE is not five characters of 0-9 and A-Z, is of class 00, 01 or 02, or the message is missing.';

CREATE FUNCTION bcce.log_line(message text) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C
VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.log_line(text) IS
'Writes a line of level LOG to the server log, without the statement and its context, and sends it to no client. The words must hold no personal data.';

CREATE FUNCTION bcce.collect_rows() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C
VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION bcce.collect_rows() IS
'Trigger of the inboxes, BEFORE STATEMENT, INSTEAD OF each row and AFTER STATEMENT of INSERT: collects the rows and hands them, some thousands at a time, to the trigger function of bcce_data named by its argument, which sees them as the transition table batch. It runs without the context of COPY, which would put the row in hand into the server log with any error, a cancelled statement included. Any other use is the error 39P01.';
