-- Ways in for runs of workflows.
DO $do$
BEGIN
    IF to_regtype('bcce_data.given_workflow_run') IS NULL THEN
        CREATE TYPE bcce_data.given_workflow_run AS (
            tenant_id uuid, fault text, run_id text, workflow_id text, service_id text, user_id text, status text,
            queued_at timestamptz, started_at timestamptz, finished_at timestamptz, error_class text, error_message text,
            environment text, region text, risk_level text, identity_provider text, retry_of text, source_account text,
            classification text, source text, is_test boolean);
    END IF;
END
$do$;
COMMENT ON TYPE bcce_data.given_workflow_run IS 'a run as a sender gives it';

DROP FUNCTION IF EXISTS bcce_data.put_workflow_runs(bcce_data.given_workflow_run[]);
CREATE OR REPLACE FUNCTION bcce_data.put_workflow_runs(runs bcce_data.given_workflow_run[], all_new boolean) RETURNS text[]
LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    faults text[];
    made_tenants uuid[];
    made_runs text[];
    known bigint[];             -- first rows of runs that were known before
    later bigint[];             -- further rows of the runs of this batch
    ordinal bigint;
BEGIN
    SELECT array_agg(coalesce(r.fault, CASE
        WHEN r.workflow_id IS NULL OR r.workflow_id = '' OR r.run_id IS NULL OR r.run_id = '' THEN 'missing_id'
        WHEN greatest(length(r.run_id), length(r.workflow_id), length(r.service_id), length(r.retry_of)) > 256 THEN 'key_too_long'
        WHEN r.started_at IS NULL THEN 'missing_time'
        WHEN r.status IS NULL THEN 'unknown_status'
        WHEN r.finished_at < r.started_at THEN 'finished_before_started'
        WHEN r.status = 'running' AND r.finished_at IS NOT NULL THEN 'finished_while_running'
        WHEN r.status <> 'running' AND r.finished_at IS NULL THEN 'finished_missing'
        ELSE bcce_data.time_fault(r.started_at, r.finished_at, r.queued_at)
    END)) INTO faults
    FROM unnest(runs) AS r;

    PERFORM bcce_data.mention_services(array_agg(m.tenant_id), array_agg(m.service_id)) FROM (
        SELECT DISTINCT (g.run).tenant_id, nullif((g.run).service_id, '') AS service_id
        FROM (SELECT unnest(runs) AS run, unnest(faults) AS fault) AS g WHERE g.fault IS NULL) AS m;
    IF EXISTS (
        SELECT FROM (
            SELECT d.tenant_id, bcce_data.key_text(d.tenant_id, d.workflow_id) AS key FROM (
                SELECT DISTINCT (g.run).tenant_id, (g.run).workflow_id
                FROM (SELECT unnest(runs) AS run, unnest(faults) AS fault) AS g WHERE g.fault IS NULL) AS d OFFSET 0) AS m
        WHERE (EXISTS (SELECT FROM bcce_data.workflows w WHERE w.tenant_id = m.tenant_id AND w.workflow_id = m.key)) IS NOT TRUE) THEN
        INSERT INTO bcce_data.workflows (tenant_id, workflow_id, name, service_id)
        SELECT DISTINCT ON ((g.run).tenant_id, (g.run).workflow_id COLLATE "C")
               (g.run).tenant_id, (g.run).workflow_id, (g.run).workflow_id, nullif((g.run).service_id, '')
        FROM (SELECT unnest(runs) AS run, unnest(faults) AS fault, generate_subscripts(faults, 1) AS ordinal) AS g
        WHERE g.fault IS NULL
        ORDER BY (g.run).tenant_id, (g.run).workflow_id COLLATE "C", g.ordinal
        ON CONFLICT DO NOTHING;
    END IF;

    -- In the order of the keys, so that two writers with the same runs wait
    -- for each other instead of deadlocking.
    IF all_new THEN
        WITH made AS (
            INSERT INTO bcce_data.workflow_run_keys (tenant_id, run_id, started_at)
            SELECT h.tenant_id, h.key, h.started_at
            FROM (
                SELECT (g.run).tenant_id, bcce_data.key_text((g.run).tenant_id, (g.run).run_id) AS key, (g.run).started_at, g.ordinal
                FROM (SELECT unnest(runs) AS run, unnest(faults) AS fault, generate_subscripts(faults, 1) AS ordinal) AS g
                WHERE g.fault IS NULL) AS h
            ORDER BY h.tenant_id, h.key COLLATE "C", h.ordinal
            RETURNING tenant_id, run_id
        )
        SELECT array_agg(m.tenant_id), array_agg(m.run_id) INTO made_tenants, made_runs FROM made m;
    ELSE
        WITH made AS (
            INSERT INTO bcce_data.workflow_run_keys (tenant_id, run_id, started_at)
            SELECT h.tenant_id, h.key, h.started_at
            FROM (
                SELECT (g.run).tenant_id, bcce_data.key_text((g.run).tenant_id, (g.run).run_id) AS key, (g.run).started_at, g.ordinal
                FROM (SELECT unnest(runs) AS run, unnest(faults) AS fault, generate_subscripts(faults, 1) AS ordinal) AS g
                WHERE g.fault IS NULL) AS h
            ORDER BY h.tenant_id, h.key COLLATE "C", h.ordinal
            ON CONFLICT DO NOTHING
            RETURNING tenant_id, run_id
        )
        SELECT array_agg(m.tenant_id), array_agg(m.run_id) INTO made_tenants, made_runs FROM made m;
    END IF;
    IF coalesce(cardinality(made_runs), 0) < cardinality(array_positions(faults, NULL)) THEN
        SELECT array_agg(k.ordinal) FILTER (WHERE k.place = k.is_made::integer + 1),
               array_agg(k.ordinal ORDER BY k.tenant_id, k.run_id COLLATE "C", k.ordinal) FILTER (WHERE k.place > k.is_made::integer + 1)
        INTO known, later
        FROM (
            SELECT h.tenant_id, h.run_id, h.ordinal,
                   ((h.tenant_id, h.run_id) IN (SELECT * FROM unnest(made_tenants, made_runs))) IS TRUE AS is_made,
                   row_number() OVER (PARTITION BY h.tenant_id, h.run_id ORDER BY h.ordinal) AS place
            FROM (
                SELECT (g.run).tenant_id, bcce_data.key_text((g.run).tenant_id, (g.run).run_id) AS run_id, g.ordinal
                FROM (SELECT unnest(runs) AS run, unnest(faults) AS fault, generate_subscripts(faults, 1)::bigint AS ordinal) AS g
                WHERE g.fault IS NULL) AS h
        ) AS k;
    END IF;

    INSERT INTO bcce_data.workflow_runs (tenant_id, run_id, started_at, workflow_id, service_id, user_key, status,
        queued_at, finished_at, error_class, error_message, environment, region, risk_level, identity_provider,
        retry_of, source_account, source, classification, is_test, charged_usd)
    SELECT r.tenant_id, r.run_id, r.started_at, r.workflow_id,
        coalesce(nullif(r.service_id, ''), (
            SELECT w.service_id FROM (SELECT bcce_data.key_text(r.tenant_id, r.workflow_id) AS key OFFSET 0) AS m
            CROSS JOIN LATERAL (
                SELECT w.service_id FROM bcce_data.workflows w WHERE w.tenant_id = r.tenant_id AND w.workflow_id = m.key OFFSET 0) AS w)),
        nullif(r.user_id, ''), r.status, r.queued_at, r.finished_at, r.error_class, r.error_message, r.environment, r.region,
        r.risk_level, r.identity_provider, r.retry_of, r.source_account, coalesce(r.source, 'api'), r.classification,
        coalesce(r.is_test, false),
        CASE WHEN r.status <> 'skipped' AND r.is_test IS NOT TRUE
             THEN bcce.estimate_cost('workflow_run', 1, r.started_at, r.tenant_id) END
    FROM ROWS FROM (unnest(runs), unnest(faults)) WITH ORDINALITY AS r
    WHERE r.unnest IS NULL AND (r.ordinality IN (SELECT unnest(known))) IS NOT TRUE AND (r.ordinality IN (SELECT unnest(later))) IS NOT TRUE;
    IF known IS NULL THEN
        RETURN faults;
    END IF;

    -- A known run: a newer state replaces an older one, and what was not known
    -- is filled in, also by the start of a run whose end came first.  A run
    -- that ended does not run again.
    FOREACH ordinal IN ARRAY ARRAY(
        SELECT g.ordinality FROM (
            SELECT r.*, bcce_data.key_text(r.tenant_id, r.run_id) AS key FROM unnest(runs) WITH ORDINALITY AS r
            WHERE (r.ordinality IN (SELECT unnest(known))) IS TRUE OFFSET 0) AS g
        CROSS JOIN LATERAL (
            SELECT w.started_at FROM bcce_data.workflow_run_keys w WHERE w.tenant_id = g.tenant_id AND w.run_id = g.key OFFSET 0) AS w
        WHERE g.finished_at < w.started_at)
    LOOP
        faults[ordinal] := 'finished_before_started';
    END LOOP;
    INSERT INTO bcce_data.workflow_runs AS r (tenant_id, run_id, started_at, workflow_id, service_id, user_key, status,
        queued_at, finished_at, error_class, error_message, environment, region, risk_level, identity_provider,
        retry_of, source_account, source, classification, is_test, charged_usd)
    SELECT k.tenant_id, k.run_id, w.started_at, k.workflow_id, nullif(k.service_id, ''), nullif(k.user_id, ''), k.status,
        k.queued_at, k.finished_at, k.error_class, k.error_message, k.environment, k.region, k.risk_level, k.identity_provider,
        k.retry_of, k.source_account, coalesce(k.source, 'api'), k.classification, coalesce(k.is_test, false),
        CASE WHEN k.status <> 'skipped' AND k.is_test IS NOT TRUE
             THEN bcce.estimate_cost('workflow_run', 1, w.started_at, k.tenant_id) END
    FROM (
        SELECT g.*, bcce_data.key_text(g.tenant_id, g.run_id) AS key FROM ROWS FROM (unnest(runs), unnest(faults)) WITH ORDINALITY AS g
        WHERE g.unnest IS NULL AND (g.ordinality IN (SELECT unnest(known))) IS TRUE OFFSET 0) AS k
    CROSS JOIN LATERAL (
        SELECT w.started_at FROM bcce_data.workflow_run_keys w WHERE w.tenant_id = k.tenant_id AND w.run_id = k.key OFFSET 0) AS w
    ORDER BY k.tenant_id, k.key COLLATE "C"
    ON CONFLICT ON CONSTRAINT workflow_runs_pkey DO UPDATE
    SET status = CASE WHEN excluded.status = 'running' THEN r.status ELSE excluded.status END,
        finished_at = coalesce(excluded.finished_at, r.finished_at),
        queued_at = coalesce(r.queued_at, excluded.queued_at),
        service_id = coalesce(r.service_id, excluded.service_id),
        user_key = coalesce(r.user_key, excluded.user_key),
        error_class = CASE WHEN excluded.status = 'running' THEN coalesce(r.error_class, excluded.error_class)
                           ELSE coalesce(excluded.error_class, r.error_class) END,
        error_message = CASE WHEN excluded.status = 'running' THEN coalesce(r.error_message, excluded.error_message)
                             ELSE coalesce(excluded.error_message, r.error_message) END,
        environment = coalesce(r.environment, excluded.environment),
        region = coalesce(r.region, excluded.region),
        risk_level = coalesce(r.risk_level, excluded.risk_level),
        identity_provider = coalesce(r.identity_provider, excluded.identity_provider),
        retry_of = coalesce(r.retry_of, excluded.retry_of),
        source_account = coalesce(r.source_account, excluded.source_account),
        classification = coalesce(r.classification, excluded.classification),
        charged_usd = CASE WHEN r.status = 'skipped' AND NOT r.is_test THEN excluded.charged_usd ELSE r.charged_usd END;

    FOREACH ordinal IN ARRAY coalesce(later, '{}') LOOP
        faults[ordinal] := (bcce_data.put_workflow_runs(ARRAY[runs[ordinal]], false))[1];
    END LOOP;
    RETURN faults;
END
$body$;
COMMENT ON FUNCTION bcce_data.put_workflow_runs(bcce_data.given_workflow_run[], boolean) IS 'stores runs or brings known ones up to date; returns the reason of each that is refused; all_new: error 23505 if one is known, for less work';

CREATE OR REPLACE FUNCTION bcce.record_workflow_run(
    workflow_id text, status text, started_at timestamptz, finished_at timestamptz DEFAULT NULL,
    run_id text DEFAULT NULL, user_id text DEFAULT NULL, service_id text DEFAULT NULL, queued_at timestamptz DEFAULT NULL,
    error_class text DEFAULT NULL, error_message text DEFAULT NULL, environment text DEFAULT NULL, region text DEFAULT NULL,
    risk_level text DEFAULT NULL, identity_provider text DEFAULT NULL, retry_of text DEFAULT NULL,
    source_account text DEFAULT NULL, classification text DEFAULT NULL, source text DEFAULT 'api',
    is_test boolean DEFAULT false, tenant text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET work_mem = '256MB' AS $body$
DECLARE
    run bcce_data.given_workflow_run;
BEGIN
    run.tenant_id := bcce_data.writable_tenant(tenant);
    run.run_id := coalesce(run_id, bcce.uuid_v7()::text);
    run.workflow_id := workflow_id;
    run.status := bcce_data.known_word(run.tenant_id, 'run_status', status);
    run.started_at := started_at;
    run.finished_at := finished_at;
    run.user_id := user_id;
    run.service_id := service_id;
    run.queued_at := queued_at;
    run.error_class := error_class;
    run.error_message := error_message;
    run.environment := environment;
    run.region := region;
    run.risk_level := risk_level;
    run.identity_provider := identity_provider;
    run.retry_of := retry_of;
    run.source_account := source_account;
    run.classification := classification;
    run.source := source;
    run.is_test := is_test;
    PERFORM bcce_data.refuse_any(bcce_data.put_workflow_runs(ARRAY[run], false));
    RETURN bcce_data.key_text(run.tenant_id, run.run_id);
END
$body$;
COMMENT ON FUNCTION bcce.record_workflow_run(text, text, timestamptz, timestamptz, text, text, text, timestamptz, text, text, text, text, text, text, text, text, text, text, boolean, text) IS
'Records a run when it starts (status running) and again under the same run_id when it ends; returns the run_id, a new one where none is given. status takes the words of the reports and common synonyms. Free text is redacted, user_id stored as a pseudonym. Errors: P0002 tenant not found, 22023 unknown status, 23514 end before start or missing, 22004 missing id or time, 22001 id too long, 22008 time out of range.';

CREATE OR REPLACE VIEW bcce.inbox_workflow_runs WITH (security_invoker = true) AS
SELECT NULL::text AS tenant, NULL::text AS run_id, NULL::text AS workflow_id, NULL::text AS service_id, NULL::text AS user_id,
       NULL::text AS status, NULL::text AS queued_at, NULL::text AS started_at, NULL::text AS finished_at,
       NULL::text AS error_class, NULL::text AS error_message, NULL::text AS environment, NULL::text AS region,
       NULL::text AS risk_level, NULL::text AS identity_provider, NULL::text AS retry_of, NULL::text AS source_account,
       NULL::text AS classification, NULL::text AS source, NULL::text AS is_test
WHERE false;
COMMENT ON VIEW bcce.inbox_workflow_runs IS 'Write-only: INSERT or COPY runs here, all columns text; a later row with the same run_id completes the run. Bad rows are counted in bcce.rejected.';

CREATE OR REPLACE FUNCTION bcce_data.inbox_workflow_runs() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET work_mem = '256MB' AS $body$
DECLARE
    tenants jsonb := bcce_data.resolve_tenants(ARRAY(SELECT DISTINCT bcce_data.tenant_word(b.tenant) FROM batch b));
    statuses jsonb := bcce_data.known_words('run_status', ARRAY(
        SELECT DISTINCT bcce_data.status_word(tenants ->> bcce_data.tenant_word(b.tenant), b.status) FROM batch b));
    runs bcce_data.given_workflow_run[];
    faults text[];
BEGIN
    SELECT array_agg(ROW(
        g.tenant_id::uuid,
        CASE
            WHEN g.tenant_id IS NULL THEN 'unknown_tenant'
            WHEN (g.queued_at <> '' AND g.queued IS NULL) OR (g.started_at <> '' AND g.started IS NULL)
                 OR (g.finished_at <> '' AND g.finished IS NULL) THEN 'bad_time'
            WHEN g.is_test <> '' AND bcce.try_boolean(g.is_test) IS NULL THEN 'bad_boolean'
        END,
        coalesce(nullif(g.run_id, ''), bcce.uuid_v7()::text), g.workflow_id, nullif(g.service_id, ''), g.user_id,
        statuses ->> bcce_data.status_word(g.tenant_id, g.status), g.queued, g.started, g.finished,
        nullif(g.error_class, ''), nullif(g.error_message, ''), nullif(g.environment, ''), nullif(g.region, ''),
        nullif(g.risk_level, ''), nullif(g.identity_provider, ''), nullif(g.retry_of, ''), nullif(g.source_account, ''),
        nullif(g.classification, ''), nullif(g.source, ''), bcce.try_boolean(g.is_test)
    )::bcce_data.given_workflow_run) INTO runs
    FROM (
        SELECT b.*, tenants ->> bcce_data.tenant_word(b.tenant) AS tenant_id, bcce.try_timestamptz(b.queued_at) AS queued,
               bcce.try_timestamptz(b.started_at) AS started, bcce.try_timestamptz(b.finished_at) AS finished
        FROM batch b OFFSET 0) AS g;
    faults := bcce_data.put_workflow_runs(runs, TG_ARGV[0] = 'new');
    PERFORM bcce_data.reject('inbox_workflow_runs', array_agg((g.run).tenant_id), array_agg(g.fault), array_agg((g.run).run_id))
    FROM (SELECT unnest(runs) AS run, unnest(faults) AS fault) AS g WHERE g.fault IS NOT NULL;
    RETURN NULL;
END
$body$;
COMMENT ON FUNCTION bcce_data.inbox_workflow_runs() IS 'stores or refuses the rows of bcce.inbox_workflow_runs';
