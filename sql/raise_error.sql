-- Proves that bcce.raise_error() raises what it is told, taking no text for a
-- format, and refuses what is no error.
SET client_min_messages = warning;

DO $$
DECLARE
    state text; message text; detail text; hint text;
BEGIN
    PERFORM bcce.raise_error('BC123', '100% of it', 'Detail %s.', 'Hint %d.');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
        detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RAISE WARNING USING MESSAGE = format('%s | %s | %s | %s', state, message, detail, hint);
END
$$;
SELECT bcce.raise_error('22000', 'only a message');
SELECT bcce.raise_error('22000', NULL);
\set VERBOSITY sqlstate
SELECT bcce.raise_error(NULL, 'no state');
SELECT bcce.raise_error('00000', 'success');
SELECT bcce.raise_error('01000', 'warning');
SELECT bcce.raise_error('02000', 'no data');
SELECT bcce.raise_error('2200', 'short');
SELECT bcce.raise_error('22 00', 'space');
SELECT bcce.raise_error('p0001', 'lower case');
SELECT bcce.raise_error('P0001', 'good');
\set VERBOSITY default
