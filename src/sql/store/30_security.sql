-- Row security and the redaction trigger of every table, and what a DROP
-- EXTENSION ... CASCADE may have taken away.
DO $do$
DECLARE
    target regclass;
    pair record;
BEGIN
    -- Parents before partitions, always in one order, so that two runs and
    -- running queries do not lock each other out.
    FOR target IN
        SELECT c.oid::regclass FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('bcce_data', 'bcce_private') AND c.relkind IN ('r', 'p')
          AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped)
        ORDER BY c.oid <> 'bcce_data.tenants'::regclass, c.relispartition, n.nspname, c.relname
    LOOP
        PERFORM bcce_data.secure_table(target);
    END LOOP;
    -- A writer without a tenant is counted under all zeros: an inbox must not raise.
    DROP POLICY IF EXISTS writer_of_nobody ON bcce_data.rejected_input;
    CREATE POLICY writer_of_nobody ON bcce_data.rejected_input FOR INSERT TO bcce_owner
        WITH CHECK (tenant_id = '00000000-0000-0000-0000-000000000000');

    FOR target IN
        SELECT c.oid::regclass FROM pg_class c
        WHERE c.relnamespace = 'bcce_data'::regnamespace AND c.relispartition AND c.relname LIKE '%\_default'
          AND obj_description(c.oid, 'pg_class') IS NULL
    LOOP
        EXECUTE format('COMMENT ON TABLE %s IS %L', target, 'rows whose month has no partition yet; bcce.maintain() moves them');
    END LOOP;

    FOR pair IN
        SELECT * FROM (VALUES
            ('bcce_data.tenants', 'tenant_id'), ('bcce_data.principals', 'principal_id'),
            ('bcce_data.incident_events', 'event_id')) AS defaults (table_name, column_name)
    LOOP
        IF NOT EXISTS (SELECT FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
                       WHERE d.adrelid = pair.table_name::regclass AND a.attname = pair.column_name) THEN
            EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT bcce.uuid_v7()', pair.table_name, pair.column_name);
        END IF;
    END LOOP;

    -- ENABLE ALWAYS: replication apply and session_replication_role = replica
    -- do not get round it.  'key:' names an identifier (replaced whole by a
    -- pseudonym where it holds personal data), 'user:' and 'guest:' a person.
    FOR pair IN
        SELECT * FROM (VALUES
            ('tenants', '{tenant_name,key:external_id,org_id,region,residency}'::text[]),
            ('teams', '{key:team_id,team_name}'),
            ('principals', '{user:user_key,key:team_id,role}'),
            ('value_aliases', '{alias}'),
            ('unit_prices', '{key:item}'),
            ('model_prices', '{key:model_id,source}'),
            ('model_price_factors', '{key:model_id,source}'),
            ('model_aliases', '{key:alias,key:model_id,note}'),
            ('health_thresholds', '{key:service_id}'),
            ('rejected_input', '{source,reason,key:example_key}'),
            ('services', '{key:service_id,service_name,key:team_id,criticality}'),
            ('maintenance_windows', '{key:service_id}'),
            ('slos', '{key:service_id}'),
            ('workflows', '{key:workflow_id,name,key:service_id,criticality}'),
            ('workflow_run_keys', '{key:run_id}'),
            ('workflow_runs', '{key:run_id,key:workflow_id,key:service_id,user:user_key,error_class,error_message,environment,region,risk_level,identity_provider,key:retry_of,key:source_account,source,classification}'),
            ('performance_metrics', '{source,key:idempotency_key,key:service_id}'),
            ('incidents', '{key:incident_id,key:service_id,priority,incident_type,title,key:merged_into,affected_resources,key:caused_by_run,source}'),
            ('incident_events', '{key:incident_id,kind,response_action,user:actor_key}'),
            ('incident_impacts', '{key:incident_id}'),
            ('models', '{key:model_name,key:model_version}'),
            ('prediction_keys', '{key:prediction_id}'),
            ('predictions', '{key:prediction_id,key:model_name,key:model_version,key:target_id,key:features_hash,source}'),
            ('model_usage', '{source,key:idempotency_key,key:model_id,provider,region,user:user_key,key:session_id,key:run_id,key:request_id,key:project,key:team_id,query_source,agent_name,speed,inference_geo,service_tier}'),
            ('model_usage_keys', '{key:request_key,key:call_key,source}'),
            ('model_usage_counters', '{series_key,metric,key:model_id,user:user_key,key:session_id}'),
            ('events', '{source,key:idempotency_key,event_type,guest:guest_key,guest_type,user:user_key,key:session_id,key:service_id,ip_prefix,user_agent_family,properties}'),
            ('infra_costs', '{category}'),
            ('budgets', '{key:budget,key:team_id,user:user_key,key:project,key:model_id,key:workflow_id}'),
            ('budget_alerts', '{key:budget}'),
            ('invoices', '{provider}'),
            ('cost_adjustments', '{key:adjustment_id,provider,reason}'),
            ('export_log', '{key:login,report}'),
            ('person_lookups', '{key:login,reason,key:pseudonym}')
        ) AS guarded (table_name, columns)
    LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER redact BEFORE INSERT OR UPDATE ON bcce_data.%I FOR EACH ROW EXECUTE FUNCTION bcce.redact_columns(%s)',
            pair.table_name, (SELECT string_agg(quote_literal(c), ', ') FROM unnest(pair.columns) AS c));
        EXECUTE format('ALTER TABLE bcce_data.%I ENABLE ALWAYS TRIGGER redact', pair.table_name);
    END LOOP;

    -- A rule is checked in full wherever it comes from: it works on all that follows.
    CREATE OR REPLACE TRIGGER check_rule BEFORE INSERT OR UPDATE ON bcce_data.redaction_rules
        FOR EACH ROW EXECUTE FUNCTION bcce.check_redaction_rule();
    ALTER TABLE bcce_data.redaction_rules ENABLE ALWAYS TRIGGER check_rule;

    -- A later row that says nothing new writes nothing: retries and overlapping
    -- loads leave no dead rows.  Runs after redact, in the order of names.
    FOREACH target IN ARRAY ARRAY['bcce_data.workflow_runs', 'bcce_data.incidents', 'bcce_data.predictions']::regclass[] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER suppress_redundant_update BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()', target);
    END LOOP;

    -- A change of rows alone tells no other session; this does.
    FOREACH target IN ARRAY ARRAY['bcce_private.membership', 'bcce_private.tenant_key', 'bcce_private.token_login', 'bcce_private.context_key',
                                  'bcce_data.default_unit_prices', 'bcce_data.unit_prices',
                                  'bcce_data.redaction_rules', 'bcce_data.redaction_styles',
                                  'bcce_data.default_model_prices', 'bcce_data.model_prices',
                                  'bcce_data.default_model_price_factors', 'bcce_data.model_price_factors',
                                  'bcce_data.default_model_aliases', 'bcce_data.model_aliases']::regclass[]
    LOOP
        -- For each row, since logical replication fires no statement triggers.
        EXECUTE format('CREATE OR REPLACE TRIGGER invalidate_cache AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION bcce.invalidate_cache()', target);
        EXECUTE format('CREATE OR REPLACE TRIGGER invalidate_cache_truncate AFTER TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION bcce.invalidate_cache()', target);
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER invalidate_cache, ENABLE ALWAYS TRIGGER invalidate_cache_truncate', target);
    END LOOP;
END
$do$;

-- Partitions for now and the next three months.
SELECT bcce_data.make_partition(c.oid::regclass, statement_timestamp() + make_interval(months => n))
FROM pg_partitioned_table p JOIN pg_class c ON c.oid = p.partrelid
CROSS JOIN generate_series(0, 3) AS n
WHERE c.relnamespace = 'bcce_data'::regnamespace;
