-- cost_by_user, _team, _model, _project, _workflow and _service: who and what
-- cost how much.  The six have one body; each shows the parts of the cost that
-- can have its key, and a row without the key for what does not say.
DO $do$
DECLARE
    report record;
    part text;
    columns text;
    -- Where a part's units say what they belong to.
    people CONSTANT text[] := '{workflow_run,model_call}';
    calls CONSTANT text[] := '{model_call}';
    runs CONSTANT text[] := '{workflow_run,prediction,model_call}';
    services CONSTANT text[] := '{workflow_run,metric,prediction,model_call}';
    -- The run of a call or prediction, whenever it began; once for all calls of a run.
    run_of CONSTANT text := $sql$
        LEFT JOIN LATERAL (
            SELECT k.started_at
            FROM bcce_data.workflow_run_keys k
            WHERE k.tenant_id = u.tenant_id AND k.run_id = u.run_id AND u.item <> 'workflow_run'
            OFFSET 0
        ) start ON true
        LEFT JOIN LATERAL (
            SELECT r.workflow_id, r.service_id
            FROM bcce_data.workflow_runs r
            WHERE r.tenant_id = u.tenant_id AND r.run_id = u.run_id AND r.started_at = start.started_at
            OFFSET 0
        ) run ON true$sql$;
    unit_run CONSTANT text := $sql$u.workflow_id, u.service_id, CASE WHEN u.item <> 'workflow_run' THEN u.run_id END AS run_id$sql$;
BEGIN
    FOR report IN
        SELECT * FROM (VALUES
            ('user', people, 'user_key', NULL, 'u.user_key', 'u.user_key', NULL, NULL, NULL,
             'pseudonym of the person; NULL: runs and calls of nobody known', NULL,
             'Who spends how much, person by person?', 'user'),
            ('team', people, 'team_id', 'team_name', 'u.user_key, u.team_id', 'coalesce(u.team_id, p.team_id)',
             'LEFT JOIN bcce_data.principals p ON p.tenant_id = u.tenant_id AND p.user_key = u.user_key', 'n.team_name',
             'LEFT JOIN bcce_data.teams n ON n.tenant_id = x.tenant_id AND n.team_id = x.key',
             'team that the call names, else the team of the person; NULL: neither is known', 'display name of the team; NULL: it was never declared',
             'Which team spends how much?', 'team'),
            ('model', calls, 'model_id', NULL, 'u.model_id', 'u.model_id', NULL, NULL, NULL,
             'model as the calls name it', NULL,
             'On which model is how much spent?', 'model'),
            ('project', calls, 'project', NULL, 'u.project', 'u.project', NULL, NULL, NULL,
             'project in which the calls were made, redacted; NULL: calls that name none', NULL,
             'Which project spends how much?', 'project'),
            ('workflow', runs, 'workflow_id', 'workflow_name', unit_run, 'coalesce(u.workflow_id, run.workflow_id)', run_of, 'n.name',
             'LEFT JOIN bcce_data.workflows n ON n.tenant_id = x.tenant_id AND n.workflow_id = x.key',
             'workflow of the run, of a call by its run, of a prediction by the run that it is about; NULL: calls and predictions outside known runs',
             'display name of the workflow; NULL: it was never declared',
             'Which workflow spends how much, its model calls included?', 'workflow'),
            ('service', services, 'service_id', 'service_name', unit_run,
             'coalesce(u.service_id, run.service_id, w.service_id)',
             run_of || $sql$
        LEFT JOIN bcce_data.workflows w ON w.tenant_id = u.tenant_id AND w.workflow_id = coalesce(u.workflow_id, run.workflow_id)$sql$, 'n.service_name',
             'LEFT JOIN bcce_data.services n ON n.tenant_id = x.tenant_id AND n.service_id = x.key',
             'service of the run, else of its workflow, of the sample, of the prediction or of the run that it is about, of a call by its run; NULL: none of them',
             'display name of the service; NULL: it was never declared',
             'On which service is how much spent?', 'service')
        ) AS t (kind, items, key, name, unit, key_of, joins, name_of, name_join, key_meaning, name_meaning, question, grain)
    LOOP
        EXECUTE format($sql$
CREATE OR REPLACE FUNCTION bcce.cost_by_%1$s(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    %2$I text,%3$s
    input_tokens bigint,
    output_tokens bigint,
    cache_read_tokens bigint,
    cache_write_5m_tokens bigint,
    cache_write_1h_tokens bigint,
    web_searches bigint,%4$s
    total_cost_usd numeric,
    cost_share_percent numeric,
    unpriced_units bigint,
    is_lower_bound boolean,
    estimated_share_percent numeric,
    currency text,
    covered_model_cost_usd numeric
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        t.tenant_id,
        t.tenant_name,
        x.key,%5$s
        x.input_tokens,
        x.output_tokens,
        x.cache_read_tokens,
        x.cache_write_5m_tokens,
        x.cache_write_1h_tokens,
        x.web_searches,%6$s
        x.usd,
        round(100 * x.%13$s / nullif(sum(x.%13$s) OVER (PARTITION BY t.tenant_id), 0), 1),
        x.unpriced,
        x.unpriced > 0,
        round(100 * x.estimated_usd / nullif(x.model_call_usd, 0), 1),
        t.billing_currency,
        x.covered_usd
    FROM bcce_data.tenants t
    JOIN (
        SELECT
            u.tenant_id,
            %7$s AS key,
            sum(u.workflow_runs)::bigint AS workflow_runs,
            sum(u.metrics)::bigint AS metrics,
            sum(u.predictions)::bigint AS predictions,
            sum(u.calls)::bigint AS calls,
            bcce_data.whole_number(sum(u.input_tokens)) AS input_tokens,
            bcce_data.whole_number(sum(u.output_tokens)) AS output_tokens,
            bcce_data.whole_number(sum(u.cache_read_tokens)) AS cache_read_tokens,
            bcce_data.whole_number(sum(u.cache_write_5m_tokens)) AS cache_write_5m_tokens,
            bcce_data.whole_number(sum(u.cache_write_1h_tokens)) AS cache_write_1h_tokens,
            bcce_data.whole_number(sum(u.web_searches)) AS web_searches,
            -- Nothing costs 0, what is unknown NULL.
            coalesce(sum(u.usd) FILTER (WHERE u.item = 'workflow_run'), CASE WHEN count(*) FILTER (WHERE u.item = 'workflow_run') = 0 THEN 0 END) AS workflow_run_usd,
            coalesce(sum(u.usd) FILTER (WHERE u.item = 'metric'), CASE WHEN count(*) FILTER (WHERE u.item = 'metric') = 0 THEN 0 END) AS metric_usd,
            coalesce(sum(u.usd) FILTER (WHERE u.item = 'prediction'), CASE WHEN count(*) FILTER (WHERE u.item = 'prediction') = 0 THEN 0 END) AS prediction_usd,
            coalesce(sum(u.usd) FILTER (WHERE u.item = 'model_call'), CASE WHEN count(*) FILTER (WHERE u.item = 'model_call') = 0 THEN 0 END) AS model_call_usd,
            coalesce(sum(u.estimated_usd), 0) AS estimated_usd,
            coalesce(sum(u.covered_usd), 0) AS covered_usd,
            coalesce(sum(u.usd) - coalesce(sum(u.covered_usd), 0), CASE WHEN sum(u.uncovered) = 0 THEN 0 END) AS usd,
            sum(u.unpriced)::bigint AS unpriced
        FROM (
            SELECT
                u.tenant_id,
                u.item,
                %8$s,
                count(*) FILTER (WHERE u.item = 'workflow_run') AS workflow_runs,
                count(*) FILTER (WHERE u.item = 'metric') AS metrics,
                count(*) FILTER (WHERE u.item = 'prediction') AS predictions,
                count(*) FILTER (WHERE u.item = 'model_call') AS calls,
                sum(u.input_tokens) AS input_tokens,
                sum(u.output_tokens) AS output_tokens,
                sum(u.cache_read_tokens) AS cache_read_tokens,
                sum(u.cache_write_5m_tokens) AS cache_write_5m_tokens,
                sum(u.cache_write_1h_tokens) AS cache_write_1h_tokens,
                sum(u.web_searches) AS web_searches,
                sum(u.usd) AS usd,
                sum(u.usd) FILTER (WHERE u.is_estimated) AS estimated_usd,
                sum(u.usd) FILTER (WHERE u.is_covered) AS covered_usd,
                count(*) FILTER (WHERE NOT u.is_covered) AS uncovered,
                count(*) - count(u.usd) AS unpriced
            FROM bcce_data.cost_units(since, until) u
            WHERE u.item IN (%9$s)
            GROUP BY u.tenant_id, u.item, %10$s
        ) u%11$s
        GROUP BY u.tenant_id, %7$s
    ) x ON x.tenant_id = t.tenant_id%12$s
    WHERE t.deleted_at IS NULL;
END$sql$,
            report.kind, report.key,
            concat(CASE WHEN report.name IS NOT NULL THEN E'\n    ' || report.name || ' text,' END,
                   (SELECT string_agg(E'\n    ' || c.name || ' bigint,', '' ORDER BY c.n)
                    FROM (VALUES (1, 'workflow_run', 'workflow_runs'), (2, 'metric', 'metric_count'), (3, 'prediction', 'prediction_count'), (4, 'model_call', 'model_call_count')) AS c (n, item, name)
                    WHERE c.item = ANY (report.items))),
            (SELECT string_agg(E'\n    ' || c.name || ' numeric,', '' ORDER BY c.n)
             FROM (VALUES (1, 'workflow_run', 'workflow_cost_usd'), (2, 'metric', 'monitoring_cost_usd'), (3, 'prediction', 'prediction_cost_usd'), (4, 'model_call', 'model_cost_usd')) AS c (n, item, name)
             WHERE c.item = ANY (report.items)),
            concat(CASE WHEN report.name IS NOT NULL THEN E'\n        ' || report.name_of || ',' END,
                   (SELECT string_agg(E'\n        x.' || c.name || ',', '' ORDER BY c.n)
                    FROM (VALUES (1, 'workflow_run', 'workflow_runs'), (2, 'metric', 'metrics'), (3, 'prediction', 'predictions'), (4, 'model_call', 'calls')) AS c (n, item, name)
                    WHERE c.item = ANY (report.items))),
            (SELECT string_agg(E'\n        x.' || i.item || '_usd,', '' ORDER BY i.n) FROM unnest(report.items) WITH ORDINALITY AS i (item, n)),
            report.key_of, report.unit,
            (SELECT string_agg(quote_literal(i), ', ') FROM unnest(report.items) AS i),
            replace(report.unit, ' AS run_id', ''),
            E'\n        ' || report.joins, E'\n    ' || report.name_join,
            -- Where calls are all there is, covered ones have their share, too.
            CASE report.items WHEN calls THEN 'model_call_usd' ELSE 'usd' END);
        EXECUTE format('COMMENT ON FUNCTION bcce.cost_by_%1$s(timestamptz, timestamptz) IS %2$L', report.kind,
            replace(report.question, '?', ', of what falls between since (inclusive) and until (exclusive)?')
            || ' NULL leaves an end open. Same columns as the view of this name; each part summed over the rows is that of cost_analysis for the same period.');

        SELECT string_agg('x.' || quote_ident(p.name), ', ' ORDER BY p.n) INTO columns
        FROM pg_catalog.pg_proc f
        CROSS JOIN LATERAL unnest(f.proargnames, f.proargmodes) WITH ORDINALITY AS p (name, mode, n)
        WHERE f.oid = to_regprocedure(format('bcce.cost_by_%s(pg_catalog.timestamptz, pg_catalog.timestamptz)', report.kind)) AND p.mode = 't';
        EXECUTE format('CREATE OR REPLACE VIEW bcce.cost_by_%1$s WITH (security_invoker = true) AS SELECT %2$s FROM bcce.cost_by_%1$s(NULL::timestamptz, NULL::timestamptz) x',
            report.kind, columns);
        EXECUTE format('COMMENT ON VIEW bcce.cost_by_%1$s IS %2$L', report.kind,
            format('%s One row per visible tenant and %s, and one for what names none. For a period use the function of this name.', report.question, report.grain));
        FOR part IN
            SELECT format('COMMENT ON COLUMN bcce.cost_by_%s.%I IS %L', report.kind, a.attname, m.meaning)
            FROM pg_catalog.pg_attribute a
            LEFT JOIN (VALUES
                ('tenant_id', 'tenant'),
                ('tenant_name', 'display name of the tenant'),
                (report.key, report.key_meaning),
                (report.name, report.name_meaning),
                ('workflow_runs', 'runs started, failed and running ones included, skipped ones not'),
                ('metric_count', 'metric samples stored'),
                ('prediction_count', 'predictions made'),
                ('model_call_count', 'model calls'),
                ('input_tokens', 'tokens into models, cache reads and writes apart; NULL: no call told'),
                ('output_tokens', 'tokens out of models; NULL: no call told'),
                ('cache_read_tokens', 'tokens that models read from their cache; NULL: no call told'),
                ('cache_write_5m_tokens', 'tokens written to the five-minute cache, those of unknown life among them; NULL: no call told'),
                ('cache_write_1h_tokens', 'tokens written to the one-hour cache; NULL: no call told'),
                ('web_searches', 'searches that the provider made for the calls; NULL: no call told'),
                ('workflow_cost_usd', 'US dollars for the runs: each as charged when it was recorded, else at the price of its start; NULL: none has a known cost'),
                ('monitoring_cost_usd', 'US dollars for the metric samples: each as charged when it was recorded, else at the price of its time; NULL: none has a known cost'),
                ('prediction_cost_usd', 'US dollars for the predictions: each as charged when it was recorded, else at the price of its time; NULL: none has a known cost'),
                ('model_cost_usd', 'US dollars for model calls: each as the sender reported it, else by its tokens at the prices known when it was recorded, else at those known now; a call whose cost is unknown is in unpriced_units; NULL: none has a known cost'),
                ('total_cost_usd', 'US dollars, sum of the known parts in this report less covered_model_cost_usd, unrounded; adjustments, which name none of these, are left out; NULL: no cost is known'),
                ('cost_share_percent', format('percent of the sum of %s of the tenant''s rows in this report, one decimal; NULL: that is 0, or no cost is known',
                                              CASE report.items WHEN calls THEN 'model_cost_usd' ELSE 'total_cost_usd' END)),
                ('unpriced_units', 'runs, samples, predictions and model calls whose cost is unknown: they are left out of the sums'),
                ('is_lower_bound', 'true when some cost is unknown, so that the sums are lower bounds'),
                ('estimated_share_percent', 'percent of the model cost that is estimated rather than reported, one decimal; NULL: no model cost'),
                ('currency', 'currency of the money columns'),
                ('covered_model_cost_usd', 'US dollars of model_cost_usd that the price of a run includes, as in cost_analysis')
            ) AS m (name, meaning) ON m.name = a.attname
            WHERE a.attrelid = format('bcce.cost_by_%s', report.kind)::regclass AND a.attnum > 0 AND NOT a.attisdropped
        LOOP
            EXECUTE part;
        END LOOP;
    END LOOP;
END
$do$;
