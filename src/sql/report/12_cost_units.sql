-- What is billable, what it cost, and who is a user: one definition for all reports.
--
-- What a model call costs.  Its columns, not its row: readers may not read every
-- column, and the data dictionary names those that a report reads.
CREATE OR REPLACE FUNCTION bcce_data.call_cost_usd(reported_cost_usd numeric, charged_usd numeric, model text, at timestamptz, input bigint, output bigint,
    cache_read bigint, cache_write_5m bigint, cache_write_1h bigint, web_searches bigint, speed text, geo text, service_tier text, tenant uuid)
RETURNS numeric
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(reported_cost_usd, charged_usd,
    bcce.estimate_token_cost(model, at, input, output, cache_read, cache_write_5m, cache_write_1h, web_searches, speed, geo, service_tier, tenant));
COMMENT ON FUNCTION bcce_data.call_cost_usd(numeric, numeric, text, timestamptz, bigint, bigint, bigint, bigint, bigint, bigint, text, text, text, uuid) IS 'What a model call costs in US dollars: as the sender reported it, else as it was charged, else by the prices of now; NULL: unknown.';

CREATE OR REPLACE FUNCTION bcce_data.cost_units(since timestamptz, until timestamptz)
RETURNS TABLE (
    tenant_id uuid,
    item text,
    at timestamptz,
    usd numeric,
    run_seconds numeric,
    is_estimated boolean,
    upper_usd numeric,
    is_ttl_assumed boolean,
    user_key text,
    team_id text,
    project text,
    model_id text,
    workflow_id text,
    service_id text,
    run_id text,
    input_tokens bigint,
    output_tokens bigint,
    cache_read_tokens bigint,
    cache_write_5m_tokens bigint,
    cache_write_1h_tokens bigint,
    web_searches bigint,
    is_covered boolean
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        r.tenant_id,
        'workflow_run',
        r.started_at,
        coalesce(r.charged_usd, bcce.estimate_cost('workflow_run', 1, r.started_at, r.tenant_id)),
        extract(epoch FROM least(r.finished_at, greatest(r.started_at, (SELECT least(until, bcce.report_now())))) - r.started_at),
        false,
        NULL::numeric,
        false,
        r.user_key,
        NULL::text,
        NULL::text,
        NULL::text,
        r.workflow_id,
        r.service_id,
        r.run_id,
        NULL::bigint,
        NULL::bigint,
        NULL::bigint,
        NULL::bigint,
        NULL::bigint,
        NULL::bigint,
        false
    FROM bcce_data.workflow_runs r
    WHERE r.started_at >= coalesce(since, '-infinity')
      AND r.started_at < coalesce(until, 'infinity')
      AND NOT r.is_test AND r.status <> 'skipped'
    UNION ALL
    SELECT
        m.tenant_id,
        'metric',
        m.observed_at,
        coalesce(m.charged_usd, bcce.estimate_cost('metric', 1, m.observed_at, m.tenant_id)),
        NULL,
        false,
        NULL,
        false,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        m.service_id,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        false
    FROM bcce_data.performance_metrics m
    WHERE m.observed_at >= coalesce(since, '-infinity')
      AND m.observed_at < coalesce(until, 'infinity')
      AND NOT m.is_test
    UNION ALL
    SELECT
        p.tenant_id,
        'prediction',
        p.predicted_at,
        coalesce(p.charged_usd, bcce.estimate_cost('prediction', 1, p.predicted_at, p.tenant_id)),
        NULL,
        false,
        NULL,
        false,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        CASE WHEN p.target_kind = 'service' THEN p.target_id END,
        CASE WHEN p.target_kind = 'run' THEN p.target_id END,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        false
    FROM bcce_data.predictions p
    WHERE p.predicted_at >= coalesce(since, '-infinity')
      AND p.predicted_at < coalesce(until, 'infinity')
      AND NOT p.is_test
    UNION ALL
    SELECT
        u.tenant_id,
        'model_call',
        u.at,
        bcce_data.call_cost_usd(u.reported_cost_usd, u.charged_usd, u.model_id, u.at, u.input_tokens, u.output_tokens,
            u.cache_read_tokens, u.cache_write_5m_tokens, u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier, u.tenant_id),
        NULL,
        u.reported_cost_usd IS NULL,
        CASE WHEN u.reported_cost_usd IS NULL AND u.ttl_assumed
             THEN bcce.estimate_token_cost(u.model_id, u.at, u.input_tokens, u.output_tokens, u.cache_read_tokens, 0,
                 coalesce(u.cache_write_5m_tokens, 0) + coalesce(u.cache_write_1h_tokens, 0), u.web_searches, u.speed, u.inference_geo,
                 u.service_tier, u.tenant_id, CASE WHEN u.charged_usd IS NOT NULL THEN u.priced_at END)
        END,
        u.reported_cost_usd IS NULL AND u.ttl_assumed,
        u.user_key,
        u.team_id,
        u.project,
        u.model_id,
        NULL,
        NULL,
        u.run_id,
        coalesce(u.input_tokens, tokens.none),
        coalesce(u.output_tokens, tokens.none),
        coalesce(u.cache_read_tokens, tokens.none),
        coalesce(u.cache_write_5m_tokens, tokens.none),
        coalesce(u.cache_write_1h_tokens, tokens.none),
        u.web_searches,
        u.tenant_id IN (SELECT t.tenant_id FROM bcce_data.tenants t WHERE t.tariff_includes_models)
            AND EXISTS (
                SELECT 1
                FROM bcce_data.workflow_run_keys k
                WHERE k.tenant_id = u.tenant_id AND k.run_id = u.run_id
                  -- OFFSET 0: no join, so that the key's month alone is read.
                  AND EXISTS (
                      SELECT 1
                      FROM bcce_data.workflow_runs r
                      WHERE r.tenant_id = k.tenant_id AND r.run_id = k.run_id AND r.started_at = k.started_at
                        AND NOT r.is_test AND r.status <> 'skipped'
                      OFFSET 0
                  ))
    FROM bcce_data.model_usage u
    -- A class that is not told of is empty where another is told of.
    CROSS JOIN LATERAL (
        SELECT CASE WHEN coalesce(u.input_tokens, u.output_tokens, u.cache_read_tokens, u.cache_write_5m_tokens, u.cache_write_1h_tokens) IS NOT NULL
                    THEN 0::bigint END AS none
    ) tokens
    WHERE u.at >= coalesce(since, '-infinity')
      AND u.at < coalesce(until, 'infinity')
      AND NOT u.is_test;
END;
COMMENT ON FUNCTION bcce_data.cost_units(timestamptz, timestamptz) IS 'Runs, metric samples, predictions and model calls between since (inclusive) and until (exclusive) with their cost in US dollars, as reported or charged, else at the price of their time; NULL: unknown. is_estimated: of a model call, from its tokens and not as the sender reported it. run_seconds is how long a run ran, up to now or until. is_ttl_assumed: cache writes of the call are of unknown life, and no cost was reported; upper_usd: what it costs if they are those of one hour. What it belongs to is NULL where the unit does not say; run_id of a prediction is the run that it is about. is_covered: a call that belongs to a run that is charged, of a tenant whose tariff includes them.';

CREATE OR REPLACE FUNCTION bcce_data.adjustments(since timestamptz, until timestamptz)
RETURNS TABLE (tenant_id uuid, at timestamptz, usd numeric, applies_to text, is_provider boolean)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT a.tenant_id, a.at, a.amount_usd, a.applies_to, a.applies_to IN ('model', 'infra')
    FROM bcce_data.cost_adjustments a
    WHERE a.at >= coalesce(since, '-infinity')
      AND a.at < coalesce(until, 'infinity')
      AND a.at <= (SELECT bcce.report_now());
END;
COMMENT ON FUNCTION bcce_data.adjustments(timestamptz, timestamptz) IS 'Credits, refunds, discounts and corrections that count between since (inclusive) and until (exclusive) and by now, in US dollars. is_provider: of what is paid to providers, not of the tariff.';

CREATE OR REPLACE FUNCTION bcce_data.infra_share(amount_usd numeric, period_start_at timestamptz, period_end_at timestamptz, since timestamptz, until timestamptz)
RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN (since IS NULL OR period_start_at >= since) AND period_end_at <= until THEN amount_usd
    WHEN period_start_at >= until OR period_end_at <= since OR since >= until THEN 0
    ELSE round(amount_usd * extract(epoch FROM least(period_end_at, until) - greatest(period_start_at, since))
               / extract(epoch FROM period_end_at - period_start_at), 10)
END;
COMMENT ON FUNCTION bcce_data.infra_share(numeric, timestamptz, timestamptz, timestamptz, timestamptz) IS 'The part of a bill that falls between since and until, by overlap, in US dollars; a share is rounded to ten decimals.';

-- A sum that no bigint holds is absurd, but one sender of absurd counts must not
-- stop the reports of all.
CREATE OR REPLACE FUNCTION bcce_data.whole_number(total numeric)
RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN total BETWEEN -9223372036854775807 AND 9223372036854775807 THEN total::bigint END;
COMMENT ON FUNCTION bcce_data.whole_number(numeric) IS 'A sum of counts as bigint; NULL where it is beyond what bigint holds.';

CREATE OR REPLACE FUNCTION bcce_data.user_activity(since timestamptz, until timestamptz)
RETURNS TABLE (tenant_id uuid, user_key text, at timestamptz)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT r.tenant_id, r.user_key, r.started_at
    FROM bcce_data.workflow_runs r
    WHERE r.started_at >= coalesce(since, '-infinity')
      AND r.started_at < coalesce(until, 'infinity')
      AND NOT r.is_test AND r.status <> 'skipped' AND r.user_key IS NOT NULL
    UNION ALL
    SELECT e.tenant_id, e.user_key, e.occurred_at
    FROM bcce_data.events e
    WHERE e.occurred_at >= coalesce(since, '-infinity')
      AND e.occurred_at < coalesce(until, 'infinity')
      AND NOT e.is_test AND e.user_key IS NOT NULL
    UNION ALL
    SELECT u.tenant_id, u.user_key, u.at
    FROM bcce_data.model_usage u
    WHERE u.at >= coalesce(since, '-infinity')
      AND u.at < coalesce(until, 'infinity')
      AND NOT u.is_test AND u.user_key IS NOT NULL;
END;
COMMENT ON FUNCTION bcce_data.user_activity(timestamptz, timestamptz) IS 'What users did between since (inclusive) and until (exclusive): one row per run, event and model call of a pseudonymous user. Guests are not users.';

-- From when to when a tenant has facts: a look at both ends of each month's index.
-- OFFSET 0 keeps the looks apart: each is done once, and only if a report names
-- it.  (min() and max() would look as well, but take three times the planning.)
CREATE OR REPLACE FUNCTION bcce_data.fact_ends(tenant uuid, since timestamptz, until timestamptz)
RETURNS TABLE (
    first_run_at timestamptz,
    last_run_at timestamptz,
    first_metric_at timestamptz,
    last_metric_at timestamptz,
    first_prediction_at timestamptz,
    last_prediction_at timestamptz,
    first_call_at timestamptz,
    last_call_at timestamptz,
    first_event_at timestamptz,
    last_event_at timestamptz
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT
        (SELECT r.started_at FROM bcce_data.workflow_runs r
         WHERE r.tenant_id = tenant AND NOT r.is_test AND r.status <> 'skipped'
           AND r.started_at >= coalesce(since, '-infinity') AND r.started_at < coalesce(until, 'infinity')
         ORDER BY r.started_at LIMIT 1),
        (SELECT r.started_at FROM bcce_data.workflow_runs r
         WHERE r.tenant_id = tenant AND NOT r.is_test AND r.status <> 'skipped'
           AND r.started_at >= coalesce(since, '-infinity') AND r.started_at < coalesce(until, 'infinity')
         ORDER BY r.started_at DESC LIMIT 1),
        (SELECT m.observed_at FROM bcce_data.performance_metrics m
         WHERE m.tenant_id = tenant AND NOT m.is_test
           AND m.observed_at >= coalesce(since, '-infinity') AND m.observed_at < coalesce(until, 'infinity')
         ORDER BY m.observed_at LIMIT 1),
        (SELECT m.observed_at FROM bcce_data.performance_metrics m
         WHERE m.tenant_id = tenant AND NOT m.is_test
           AND m.observed_at >= coalesce(since, '-infinity') AND m.observed_at < coalesce(until, 'infinity')
         ORDER BY m.observed_at DESC LIMIT 1),
        (SELECT p.predicted_at FROM bcce_data.predictions p
         WHERE p.tenant_id = tenant AND NOT p.is_test
           AND p.predicted_at >= coalesce(since, '-infinity') AND p.predicted_at < coalesce(until, 'infinity')
         ORDER BY p.predicted_at LIMIT 1),
        (SELECT p.predicted_at FROM bcce_data.predictions p
         WHERE p.tenant_id = tenant AND NOT p.is_test
           AND p.predicted_at >= coalesce(since, '-infinity') AND p.predicted_at < coalesce(until, 'infinity')
         ORDER BY p.predicted_at DESC LIMIT 1),
        (SELECT u.at FROM bcce_data.model_usage u
         WHERE u.tenant_id = tenant AND NOT u.is_test
           AND u.at >= coalesce(since, '-infinity') AND u.at < coalesce(until, 'infinity')
         ORDER BY u.at LIMIT 1),
        (SELECT u.at FROM bcce_data.model_usage u
         WHERE u.tenant_id = tenant AND NOT u.is_test
           AND u.at >= coalesce(since, '-infinity') AND u.at < coalesce(until, 'infinity')
         ORDER BY u.at DESC LIMIT 1),
        (SELECT e.occurred_at FROM bcce_data.events e
         WHERE e.tenant_id = tenant AND NOT e.is_test
           AND e.occurred_at >= coalesce(since, '-infinity') AND e.occurred_at < coalesce(until, 'infinity')
         ORDER BY e.occurred_at LIMIT 1),
        (SELECT e.occurred_at FROM bcce_data.events e
         WHERE e.tenant_id = tenant AND NOT e.is_test
           AND e.occurred_at >= coalesce(since, '-infinity') AND e.occurred_at < coalesce(until, 'infinity')
         ORDER BY e.occurred_at DESC LIMIT 1)
    OFFSET 0;
END;
COMMENT ON FUNCTION bcce_data.fact_ends(uuid, timestamptz, timestamptz) IS 'The first and the last run (not skipped), metric sample, prediction, model call and event of a tenant between since (inclusive) and until (exclusive), tests left out.';
