-- The triggers that mark changed hours.  ENABLE ALWAYS, and for each row:
-- replication applies rows without statement triggers, and a partition may be
-- written to by its own name.  In the order of names they run after redact.
DO $do$
DECLARE
    item record;
BEGIN
    -- What was built while a trigger was missing may be wrong.
    IF (SELECT count(*) FROM pg_trigger t
        WHERE t.tgenabled = 'A' AND (t.tgrelid, t.tgfoid) IN (
            ('bcce_data.model_usage'::regclass, 'bcce.mark_hour()'::regprocedure),
            ('bcce_data.principals'::regclass, 'bcce.mark_hour()'::regprocedure),
            ('bcce_data.model_usage_marks'::regclass, 'bcce.forget_marks()'::regprocedure))) < 4
    THEN
        TRUNCATE bcce_data.budget_scopes, bcce_data.budget_hours, bcce_data.budget_days;
    END IF;

    CREATE OR REPLACE TRIGGER write_mark BEFORE INSERT OR UPDATE OR DELETE ON bcce_data.model_usage
        FOR EACH ROW EXECUTE FUNCTION bcce.mark_hour('model_usage_marks', 'at');
    ALTER TABLE bcce_data.model_usage ENABLE ALWAYS TRIGGER write_mark;
    -- A call that names no team is of the person's team now.
    CREATE OR REPLACE TRIGGER write_mark BEFORE INSERT OR UPDATE OR DELETE ON bcce_data.principals
        FOR EACH ROW EXECUTE FUNCTION bcce.mark_hour('model_usage_marks');
    ALTER TABLE bcce_data.principals ENABLE ALWAYS TRIGGER write_mark;
    CREATE OR REPLACE TRIGGER forget_marks BEFORE DELETE ON bcce_data.model_usage_marks
        FOR EACH ROW EXECUTE FUNCTION bcce.forget_marks();
    ALTER TABLE bcce_data.model_usage_marks ENABLE ALWAYS TRIGGER forget_marks;
    CREATE OR REPLACE TRIGGER forget_all_marks BEFORE TRUNCATE ON bcce_data.model_usage_marks
        FOR EACH STATEMENT EXECUTE FUNCTION bcce.forget_marks();
    ALTER TABLE bcce_data.model_usage_marks ENABLE ALWAYS TRIGGER forget_all_marks;

    FOR item IN
        SELECT i.inhrelid::regclass AS name FROM pg_inherits i WHERE i.inhparent = 'bcce_data.model_usage'::regclass
        UNION ALL VALUES ('bcce_data.model_usage'::regclass), ('bcce_data.principals'), ('bcce_data.model_usage_marks'), ('bcce_data.budget_hours'), ('bcce_data.budget_days')
    LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER forget_budget_hours AFTER TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION bcce_data.forget_budget_hours()', item.name);
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER forget_budget_hours', item.name);
    END LOOP;
END
$do$;
