-- Who may read and call what install() makes.  Rights are those that the
-- reports need and no more: a reader gets a column of the store exactly if a
-- report that it may read names it, and no USAGE on bcce_data at all.
DO $do$
DECLARE
    item record;
    readers CONSTANT text := 'bcce_analytics_user, bcce_platform';
    cost_reports CONSTANT text := '^(cost_|budget_|unpriced_usage$|usage_reconciliation$)';
    upkeep CONSTANT text[] := '{create_tenant,add_membership,remove_membership,maintain,
                                set_membership_mode,add_context_key,rotate_context_key,revoke_context_key,
                                check_roles,check_security,check_budgets,
                                refresh_budget_hours,forget_budget_hours}';
BEGIN
    -- Owners, and nothing for PUBLIC.
    FOR item IN
        SELECT format('ALTER SCHEMA %I OWNER TO bcce_owner', n.nspname) AS command
        FROM pg_namespace n WHERE n.nspname IN ('bcce_data', 'bcce_private') AND n.nspowner <> 'bcce_owner'::regrole
        UNION ALL
        SELECT format('ALTER %s %s OWNER TO bcce_owner', CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END, c.oid::regclass)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('bcce', 'bcce_data', 'bcce_private') AND c.relkind IN ('r', 'p', 'v', 'c')
          AND c.relowner <> 'bcce_owner'::regrole
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.deptype = 'e' AND (d.classid, d.objid) IN (('pg_class'::regclass, c.oid), ('pg_type'::regclass, c.reltype)))
        UNION ALL
        SELECT format('ALTER FUNCTION %s OWNER TO %s', p.oid::regprocedure,
                      CASE WHEN p.proname = ANY (upkeep)
                           THEN 'bcce_maintainer' ELSE 'bcce_owner' END)
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname IN ('bcce', 'bcce_data', 'bcce_private')
          AND p.proowner <> CASE WHEN p.proname = ANY (upkeep)
                                 THEN 'bcce_maintainer' ELSE 'bcce_owner' END::regrole
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
    LOOP
        EXECUTE item.command;
    END LOOP;
    FOR item IN
        SELECT p.oid::regprocedure AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname IN ('bcce', 'bcce_data', 'bcce_private')
          AND EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a WHERE a.grantee = 0)
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', item.name);
    END LOOP;

    -- Writers.
    FOR item IN
        SELECT p.oid::regprocedure AS name FROM pg_proc p
        WHERE p.pronamespace = 'bcce'::regnamespace
          AND p.proname IN ('record_workflow_run', 'record_incident', 'record_incident_event', 'record_metric', 'record_prediction', 'resolve_prediction',
                            'record_model_usage', 'ingest_event', 'ingest_events', 'ingest_transcript', 'ingest_otlp')
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO bcce_ingest', item.name);
    END LOOP;
    GRANT INSERT ON bcce.inbox_workflow_runs, bcce.inbox_incidents, bcce.inbox_metrics, bcce.inbox_predictions,
        bcce.inbox_model_usage, bcce.inbox_events, bcce.inbox_json TO bcce_ingest;

    -- Everybody may ask who they are; admins configure their tenant.  Making
    -- tenants, logins and memberships, and upkeep, stay with the DBA.
    GRANT EXECUTE ON FUNCTION bcce.whoami() TO PUBLIC;
    GRANT EXECUTE ON FUNCTION bcce.use_tenant(text, boolean) TO bcce_analytics_user, bcce_cost_analyst, bcce_platform, bcce_ingest;
    GRANT EXECUTE ON FUNCTION bcce.set_price(text, numeric, timestamptz, text),
                              bcce.add_value_alias(text, text, text, text),
                              bcce.set_slo(numeric, text, text),
                              bcce.set_anomaly_limit(text, numeric, text),
                              bcce.find_person(text, text),
                              bcce.record_invoice(text, tstzrange, numeric, text),
                              bcce.record_cost_adjustment(text, timestamptz, numeric, text, text, text, timestamptz, text, text),
                              bcce.set_tariff_includes_models(boolean, text),
                              bcce.set_business_hours(integer[], time, time, text),
                              bcce.set_holiday(date, boolean, text),
                              bcce.set_redaction_rule(text, text, text, integer, integer, text, text[], text, boolean, boolean, text),
                              bcce.drop_redaction_rule(text, text),
                              bcce.set_redaction_style(text, text),
                              bcce.set_budget(text, numeric, text, text, text, text, text, text, text, numeric[], text, text, numeric, timestamptz, timestamptz, text),
                              bcce.set_prediction_threshold(double precision, text, text, text),
                              bcce.set_prediction_reference(timestamptz, timestamptz, text, text, text),
                              bcce.set_model_price(text, text, numeric, timestamptz, bigint, text, text, text),
                              bcce.set_model_price_factor(text, text, numeric, timestamptz, text, text),
                              bcce.set_model_alias(text, text, timestamptz, text, text),
                              bcce.import_prices(jsonb, timestamptz, text, boolean, boolean, text) TO bcce_analytics_admin;

    -- Readers: the reports, their twins, and what these name.
    FOR item IN
        SELECT format('GRANT SELECT ON %s TO %s', c.oid::regclass, readers
                      || CASE WHEN c.relname ~ cost_reports OR c.relname IN ('reports', 'data_dictionary', 'metric_catalogue')
                              THEN ', bcce_cost_analyst' ELSE '' END) AS command
        FROM pg_class c
        WHERE c.relnamespace = 'bcce'::regnamespace AND c.relkind = 'v' AND c.relname NOT LIKE 'inbox\_%'
        UNION ALL
        SELECT format('GRANT EXECUTE ON FUNCTION %s TO %s', p.oid::regprocedure, readers
                      || CASE WHEN p.proname ~ cost_reports OR p.proname ~ '^(export|log_export)' THEN ', bcce_cost_analyst' ELSE '' END)
        FROM pg_proc p
        WHERE p.pronamespace = 'bcce'::regnamespace
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
          AND (EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = p.pronamespace AND c.relkind = 'v' AND c.relname = p.proname)
               OR p.proname IN ('cost_analysis_repriced', 'cost_report', 'cost_focus_export', 'budget_check', 'overview_json', 'metrics', 'report_tenant', 'export_csv', 'export_jsonl', 'export_json',
                                 'export_lines', 'log_export'))
    LOOP
        EXECUTE item.command;
    END LOOP;
    FOR item IN
        WITH RECURSIVE report AS (      -- reports and twins: object, and whether a cost analyst reads it
            SELECT 'pg_proc'::regclass AS classid, p.oid AS objid, p.proname ~ cost_reports AS is_cost
            FROM pg_proc p
            WHERE p.pronamespace = 'bcce'::regnamespace AND p.prosqlbody IS NOT NULL
            UNION ALL
            SELECT 'pg_rewrite'::regclass, r.oid, c.relname ~ cost_reports OR c.relname IN ('reports', 'data_dictionary', 'metric_catalogue')
            FROM pg_class c JOIN pg_rewrite r ON r.ev_class = c.oid
            WHERE c.relnamespace = 'bcce'::regnamespace AND c.relkind = 'v'
        ), used AS (                    -- and helpers of bcce_data that they call
            SELECT classid, objid, is_cost FROM report
            UNION
            SELECT 'pg_proc'::regclass, d.refobjid, u.is_cost
            FROM used u JOIN pg_depend d ON d.classid = u.classid AND d.objid = u.objid AND d.refclassid = 'pg_proc'::regclass
            JOIN pg_proc p ON p.oid = d.refobjid AND p.pronamespace = 'bcce_data'::regnamespace
        )
        SELECT format('GRANT EXECUTE ON FUNCTION %s TO %s', u.objid::regprocedure, readers
                      || CASE WHEN bool_or(u.is_cost) THEN ', bcce_cost_analyst' ELSE '' END) AS command
        FROM used u JOIN pg_proc p ON u.classid = 'pg_proc'::regclass AND p.oid = u.objid AND p.pronamespace = 'bcce_data'::regnamespace
        GROUP BY u.objid
        UNION ALL
        SELECT format('GRANT SELECT (%s) ON %s TO %s',
                      string_agg(DISTINCT quote_ident(a.attname), ', '), d.refobjid::regclass, readers)
        FROM used u JOIN pg_depend d ON d.classid = u.classid AND d.objid = u.objid AND d.refclassid = 'pg_class'::regclass
        JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid AND a.attnum > 0
        JOIN pg_class c ON c.oid = d.refobjid AND c.relnamespace = 'bcce_data'::regnamespace
        GROUP BY d.refobjid
        UNION ALL
        SELECT format('GRANT SELECT (%s) ON %s TO bcce_cost_analyst',
                      string_agg(DISTINCT quote_ident(a.attname), ', '), d.refobjid::regclass)
        FROM used u JOIN pg_depend d ON d.classid = u.classid AND d.objid = u.objid AND d.refclassid = 'pg_class'::regclass
        JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid AND a.attnum > 0
        JOIN pg_class c ON c.oid = d.refobjid AND c.relnamespace = 'bcce_data'::regnamespace
        WHERE u.is_cost
        GROUP BY d.refobjid
    LOOP
        EXECUTE item.command;
    END LOOP;
END
$do$;
