-- What budgets' calls add up to, by hours and days: makes budget_check() fast and
-- changes no answer.  A cell stands for the calls of one hour whose cost cannot
-- change by itself (reported, or charged at the prices known then) in one scope:
-- a team, person, project and model, each or any.  It is a function of these
-- calls and of nothing else, not of the budget, its period or a time zone: hours
-- and days are those of UTC, which have one length, and what a period cuts is
-- read one level below.  Whoever changes a call leaves a mark of the hour in the
-- same transaction; an hour with a mark, or outside of what is built, is added
-- up from its calls, and its day from the other hours.
CREATE TABLE IF NOT EXISTS bcce_data.model_usage_marks (
    tenant_id uuid NOT NULL,
    hour_at timestamptz NOT NULL
);
-- Replication wants to know what a row is, and a key would make writers wait.
ALTER TABLE bcce_data.model_usage_marks REPLICA IDENTITY FULL;
CREATE INDEX IF NOT EXISTS model_usage_marks_hour_at_idx ON bcce_data.model_usage_marks (tenant_id, hour_at);
COMMENT ON TABLE bcce_data.model_usage_marks IS 'hours whose model calls have changed since they were added up; one row or more for each, taken away by the next refresh';
COMMENT ON COLUMN bcce_data.model_usage_marks.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.model_usage_marks.hour_at IS 'start of the hour, UTC; -infinity: a person''s team has changed, so every hour of every team has';

CREATE TABLE IF NOT EXISTS bcce_data.budget_hours (
    tenant_id uuid NOT NULL,
    scope bytea NOT NULL,
    hour_at timestamptz NOT NULL,
    usd numeric NOT NULL,
    call_count bigint NOT NULL,
    CONSTRAINT budget_hours_pkey PRIMARY KEY (tenant_id, scope, hour_at) INCLUDE (usd, call_count)
);
COMMENT ON TABLE bcce_data.budget_hours IS 'what the calls of known cost of an hour add up to; hours without one have no row';
COMMENT ON COLUMN bcce_data.budget_hours.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.budget_hours.scope IS 'which calls, as budget_scope() has it';
COMMENT ON COLUMN bcce_data.budget_hours.hour_at IS 'start of the hour, UTC';
COMMENT ON COLUMN bcce_data.budget_hours.usd IS 'their cost in US dollars, exact';
COMMENT ON COLUMN bcce_data.budget_hours.call_count IS 'how many they are';

CREATE TABLE IF NOT EXISTS bcce_data.budget_days (
    tenant_id uuid NOT NULL,
    scope bytea NOT NULL,
    day_at timestamptz NOT NULL,
    usd numeric NOT NULL,
    call_count bigint NOT NULL,
    CONSTRAINT budget_days_pkey PRIMARY KEY (tenant_id, scope, day_at) INCLUDE (usd, call_count)
);
COMMENT ON TABLE bcce_data.budget_days IS 'what the hours of a day in budget_hours add up to';
COMMENT ON COLUMN bcce_data.budget_days.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.budget_days.scope IS 'which calls, as budget_scope() has it';
COMMENT ON COLUMN bcce_data.budget_days.day_at IS 'start of the day, UTC';
COMMENT ON COLUMN bcce_data.budget_days.usd IS 'their cost in US dollars, exact';
COMMENT ON COLUMN bcce_data.budget_days.call_count IS 'how many they are';

CREATE TABLE IF NOT EXISTS bcce_data.budget_scopes (
    tenant_id uuid NOT NULL,
    scope bytea NOT NULL,
    built_from timestamptz NOT NULL,
    built_until timestamptz NOT NULL,
    partitions oid[] NOT NULL,
    CONSTRAINT budget_scopes_pkey PRIMARY KEY (tenant_id, scope)
);
COMMENT ON TABLE bcce_data.budget_scopes IS 'which hours of a scope budget_hours and budget_days hold; empty it and everything is added up from the calls, until the next refresh';
COMMENT ON COLUMN bcce_data.budget_scopes.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.budget_scopes.scope IS 'which calls, as budget_scope() has it';
COMMENT ON COLUMN bcce_data.budget_scopes.built_from IS 'start of the first hour that is built';
COMMENT ON COLUMN bcce_data.budget_scopes.built_until IS 'end of the last hour that is built';
COMMENT ON COLUMN bcce_data.budget_scopes.partitions IS 'partitions of model_usage that it was built from, as partition_list() has them: with others, such as after one was detached, or attached again, or in a restored database, it does not count';

CREATE OR REPLACE FUNCTION bcce_data.partition_list(parent regclass) RETURNS TABLE (partitions oid[])
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce(array_agg(ARRAY[i.inhrelid, i.xmin::text::oid] ORDER BY i.inhrelid), '{}')
    FROM pg_catalog.pg_inherits i WHERE i.inhparent = parent AND NOT i.inhdetachpending;
END;
COMMENT ON FUNCTION bcce_data.partition_list(regclass) IS 'the partitions of a table, in a fixed order, each with the transaction that attached it, since what is written to one while it is detached leaves no mark; one row';

CREATE OR REPLACE FUNCTION bcce_data.budget_scope(team text, person text, in_project text, model text) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT sha256(convert_to(jsonb_build_array(team, person, in_project, model)::text, 'UTF8'));
END;
COMMENT ON FUNCTION bcce_data.budget_scope(text, text, text, text) IS 'name of a scope: the team, person, project and model whose calls it holds, NULL for all; budgets of one scope share its cells';

-- Goes with what no row trigger tells of.
CREATE OR REPLACE FUNCTION bcce_data.forget_budget_hours() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    DELETE FROM bcce_data.budget_scopes;
    DELETE FROM bcce_data.budget_hours;
    DELETE FROM bcce_data.budget_days;
    RETURN NULL;
END
$body$;
COMMENT ON FUNCTION bcce_data.forget_budget_hours() IS 'trigger AFTER TRUNCATE of a table that budgets are added up from: of all tenants, nothing is built any more';
