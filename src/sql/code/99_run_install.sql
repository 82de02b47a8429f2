
-- A dump being restored brings its own tables, and every script of pg_dump and
-- pg_restore begins with SET row_security = off.
DO $$
BEGIN
    IF current_setting('row_security') = 'off' THEN
        RAISE WARNING USING
            MESSAGE = 'row_security is off, as in a restore: the store of bcce was not made',
            HINT = 'Where no dump brings it, run: SELECT * FROM bcce.install();';
    ELSE
        PERFORM bcce.install();
    END IF;
END
$$;
