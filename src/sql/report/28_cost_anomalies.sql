-- cost_anomalies: days on which a tenant, or a part of it, spent far more on
-- model calls than it does on that weekday, and why.
--
-- The eight weeks before are the measure: the logarithm of a day's cost less the
-- median of the same weekdays, in units of their median absolute deviation.
-- Where that is 0 at least half of them cost the same.  If that was something, a
-- day above it by min_ratio is one that never was, whatever the rest did: the
-- ratio and the floor decide.  If it was nothing, a ratio says nothing: then the
-- mean deviation measures (Iglewicz and Hoaglin 1993), so that who spends every
-- third Monday is no anomaly on the next.
CREATE OR REPLACE FUNCTION bcce.cost_anomalies(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (
    tenant_id uuid,
    tenant_name text,
    period_start_at timestamptz,
    usage_date date,
    is_partial_day boolean,
    scope_kind text,
    scope_value text,
    cost_usd numeric,
    expected_cost_usd numeric,
    change_usd numeric,
    deviation_score double precision,
    weekday_count bigint,
    baseline_date date,
    other_baseline_date date,
    main_cause text,
    volume_effect_usd numeric,
    price_effect_usd numeric,
    mix_effect_usd numeric,
    main_model_id text,
    main_model_percent numeric,
    main_user_key text,
    main_user_percent numeric,
    main_token_class text,
    main_token_class_percent numeric,
    call_count bigint,
    unpriced_calls bigint,
    is_lower_bound boolean,
    currency text
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH moment AS (
        SELECT least(until, bcce.report_now()) AS now
    ),
    limits AS (
        SELECT
            t.tenant_id,
            max(coalesce(own.value, d.value)) FILTER (WHERE d.limit_name = 'min_deviations') AS min_deviations,
            max(coalesce(own.value, d.value)) FILTER (WHERE d.limit_name = 'floor_usd') AS floor_usd,
            max(coalesce(own.value, d.value)) FILTER (WHERE d.limit_name = 'min_ratio') AS min_ratio,
            max(coalesce(own.value, d.value)) FILTER (WHERE d.limit_name = 'min_weekdays') AS min_weekdays
        FROM bcce_data.tenants t
        CROSS JOIN bcce_data.default_anomaly_limits d
        LEFT JOIN bcce_data.anomaly_limits own ON own.tenant_id = t.tenant_id AND own.limit_name = d.limit_name
        GROUP BY t.tenant_id
    ),
    -- What each day cost, by who and what has a part in it.
    cell AS MATERIALIZED (
        SELECT
            t.tenant_id,
            c.first_day AS day,
            c.starts_at,
            c.ends_at,
            first_local.day AS tenant_first_day,
            u.kind,
            u.value,
            u.usd,
            u.calls,
            u.unpriced,
            u.runs
        FROM bcce_data.tenants t
        CROSS JOIN moment m
        CROSS JOIN LATERAL bcce_data.fact_ends(t.tenant_id, NULL, m.now) ever
        CROSS JOIN LATERAL bcce_data.local_date(ever.first_call_at, t.timezone) first_local
        CROSS JOIN LATERAL bcce_data.fact_ends(t.tenant_id, greatest(since, '1970-01-01 00:00:00+00') - interval '1416 hours', m.now) near
        CROSS JOIN LATERAL bcce_data.local_periods(near.first_call_at, near.last_call_at, t.timezone, 'day') c
        CROSS JOIN LATERAL (
            SELECT
                s.kind,
                s.value,
                sum(u.usd) AS usd,
                sum(u.calls) AS calls,
                sum(u.unpriced) AS unpriced,
                array_agg(u.run_id) FILTER (WHERE s.kind = 'workflow') AS runs
            FROM (
                SELECT
                    u.user_key,
                    u.team_id,
                    u.project,
                    u.model_id,
                    u.run_id,
                    sum(u.usd) AS usd,
                    count(*) AS calls,
                    count(*) - count(u.usd) AS unpriced
                FROM (
                    SELECT
                        u.user_key,
                        u.team_id,
                        u.project,
                        u.model_id,
                        u.run_id,
                        coalesce(u.reported_cost_usd, u.charged_usd, bcce.estimate_token_cost(u.model_id, u.at, u.input_tokens, u.output_tokens,
                            u.cache_read_tokens, u.cache_write_5m_tokens, u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier, u.tenant_id)) AS usd
                    FROM bcce_data.model_usage u
                    WHERE u.tenant_id = t.tenant_id AND u.at >= c.starts_at AND u.at < c.ends_at AND u.at < m.now AND NOT u.is_test
                    OFFSET 0
                ) u
                GROUP BY u.user_key, u.team_id, u.project, u.model_id, u.run_id
            ) u
            LEFT JOIN bcce_data.principals p ON p.tenant_id = t.tenant_id AND p.user_key = u.user_key
            LEFT JOIN LATERAL (
                SELECT k.started_at
                FROM bcce_data.workflow_run_keys k
                WHERE k.tenant_id = t.tenant_id AND k.run_id = u.run_id
                OFFSET 0
            ) start ON true
            LEFT JOIN LATERAL (
                SELECT r.workflow_id
                FROM bcce_data.workflow_runs r
                WHERE r.tenant_id = t.tenant_id AND r.run_id = u.run_id AND r.started_at = start.started_at
                OFFSET 0
            ) run ON true
            CROSS JOIN LATERAL (
                VALUES ('tenant', NULL), ('user', u.user_key), ('team', coalesce(u.team_id, p.team_id)),
                       ('project', u.project), ('model', u.model_id), ('workflow', run.workflow_id)
            ) s (kind, value)
            WHERE s.kind = 'tenant' OR s.value IS NOT NULL
            GROUP BY s.kind, s.value
        ) u
        WHERE t.deleted_at IS NULL
    ),
    series AS (
        SELECT
            c.tenant_id,
            c.day,
            c.starts_at,
            c.ends_at,
            c.kind,
            c.value,
            c.usd,
            c.calls,
            c.unpriced,
            CASE WHEN c.kind = 'tenant' THEN c.tenant_first_day
                 ELSE min(c.day) OVER (PARTITION BY c.tenant_id, c.kind, c.value ORDER BY c.day
                                       RANGE BETWEEN interval '56 days' PRECEDING AND CURRENT ROW) END AS first_day,
            array_agg(c.day) OVER same_weekday AS days,
            array_agg(c.usd) OVER same_weekday AS costs,
            coalesce(sum(c.unpriced) OVER same_weekday, 0) AS unpriced_before
        FROM cell c
        WINDOW same_weekday AS (PARTITION BY c.tenant_id, c.kind, c.value, extract(isodow FROM c.day) ORDER BY c.day
                                RANGE BETWEEN interval '56 days' PRECEDING AND interval '7 days' PRECEDING)
    ),
    flagged AS (
        SELECT
            s.tenant_id,
            s.day,
            s.starts_at,
            s.ends_at,
            s.kind,
            s.value,
            s.usd,
            s.calls,
            s.unpriced,
            s.unpriced_before,
            before.expected_usd,
            before.days,
            before.day_1,
            before.day_2,
            score.deviations
        FROM series s
        JOIN limits l ON l.tenant_id = s.tenant_id
        CROSS JOIN LATERAL (
            SELECT
                x.days,
                x.costs,
                x.center,
                (x.costs[(x.days + 1) / 2] + x.costs[x.days / 2 + 1]) * 0.5 AS expected_usd,
                x.dates[(x.days + 1) / 2] AS day_1,
                CASE WHEN x.days % 2 = 0 THEN x.dates[x.days / 2 + 1] END AS day_2
            FROM (
                SELECT
                    count(*) AS days,
                    array_agg(b.usd ORDER BY b.usd, b.day) AS costs,
                    array_agg(b.day ORDER BY b.usd, b.day) AS dates,
                    percentile_cont(0.5) WITHIN GROUP (ORDER BY ln(1 + b.usd::double precision)) AS center
                FROM (
                    -- A day without calls cost nothing; one with calls none of which has a known cost is no measure.
                    SELECT w.day, CASE WHEN k.day IS NULL THEN 0 ELSE k.usd END AS usd
                    FROM (SELECT s.day - 7 * g.week AS day FROM generate_series(1, least(8, (s.day - s.first_day) / 7)) AS g (week)) w
                    LEFT JOIN unnest(s.days, s.costs) AS k (day, usd) ON k.day = w.day
                ) b
                WHERE b.usd IS NOT NULL
            ) x
        ) before
        CROSS JOIN LATERAL (
            SELECT
                percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(ln(1 + k.usd::double precision) - before.center)) AS median_deviation,
                avg(abs(ln(1 + k.usd::double precision) - before.center)) AS mean_deviation
            FROM unnest(before.costs) AS k (usd)
        ) spread
        CROSS JOIN LATERAL (
            SELECT (ln(1 + s.usd::double precision) - before.center)
                   / CASE WHEN spread.median_deviation > 0 THEN 1.4826 * spread.median_deviation
                          WHEN before.expected_usd = 0 THEN nullif(1.253314 * spread.mean_deviation, 0) END AS deviations
        ) score
        WHERE (since IS NULL OR s.ends_at > since)
          AND s.usd > l.floor_usd
          AND before.days >= l.min_weekdays
          AND s.usd > l.min_ratio * before.expected_usd
          AND (score.deviations IS NULL OR score.deviations > l.min_deviations)
    )
    SELECT
        t.tenant_id,
        t.tenant_name,
        f.starts_at,
        f.day,
        f.ends_at > m.now,
        f.kind,
        f.value,
        f.usd,
        f.expected_usd,
        f.usd - f.expected_usd,
        f.deviations,
        f.days,
        f.day_1,
        f.day_2,
        CASE
            WHEN why.price_effect >= greatest(why.volume_effect, f.usd - f.expected_usd - why.price_effect - why.volume_effect) THEN 'price change'
            WHEN 2 * why.volume_effect >= f.usd - f.expected_usd - why.price_effect THEN 'more calls'
            WHEN why.unsplit_mix_effect * 2 > f.usd - f.expected_usd - why.price_effect - why.volume_effect THEN 'dearer calls, as reported'
            ELSE 'other models or larger calls'
        END,
        why.volume_effect,
        why.price_effect,
        f.usd - f.expected_usd - why.price_effect - why.volume_effect,
        why.model_id,
        round(100 * why.model_usd / (f.usd - f.expected_usd), 1),
        why.user_key,
        round(100 * why.user_usd / (f.usd - f.expected_usd), 1),
        why.token_class,
        round(100 * why.class_usd / (f.usd - f.expected_usd), 1),
        f.calls::bigint,
        f.unpriced::bigint,
        f.unpriced + f.unpriced_before > 0,
        t.billing_currency
    FROM flagged f
    JOIN bcce_data.tenants t ON t.tenant_id = f.tenant_id
    CROSS JOIN moment m
    CROSS JOIN LATERAL (
        WITH side AS (
            SELECT d.starts_at, d.ends_at, d.weight, c.runs
            FROM (
                SELECT f.day, f.starts_at, least(f.ends_at, m.now) AS ends_at, 1::numeric AS weight
                UNION ALL
                SELECT b.day, this.starts_at, next.starts_at, b.weight
                FROM (VALUES (f.day_1, CASE WHEN f.day_2 IS NULL THEN -1 ELSE -0.5 END), (f.day_2, -0.5)) AS b (day, weight)
                CROSS JOIN LATERAL bcce_data.local_midnight(b.day, t.timezone) this
                CROSS JOIN LATERAL bcce_data.local_midnight(b.day + 1, t.timezone) next
                WHERE b.day IS NOT NULL
            ) d
            LEFT JOIN LATERAL (
                SELECT c.runs
                FROM cell c
                WHERE f.kind = 'workflow' AND c.tenant_id = f.tenant_id AND c.kind = f.kind AND c.value = f.value AND c.day = d.day
                OFFSET 0
            ) c ON true
        ),
        priced AS MATERIALIZED (
            SELECT
                s.weight,
                s.starts_at,
                u.tenant_id,
                u.at,
                u.model_id,
                u.user_key,
                u.input_tokens,
                u.output_tokens,
                u.cache_read_tokens,
                u.cache_write_5m_tokens,
                u.cache_write_1h_tokens,
                u.web_searches,
                u.speed,
                u.inference_geo,
                u.service_tier,
                CASE WHEN u.charged_usd IS NOT NULL THEN u.priced_at END AS as_of,
                u.reported_cost_usd IS NULL AND u.charged_usd IS NOT NULL AS is_charged,
                u.reported_cost_usd IS NULL AND u.charged_usd IS NULL AS is_priced_now,
                k.usd,
                k.is_split,
                k.part_1,
                k.part_2,
                k.part_3,
                k.part_4,
                k.part_5,
                k.part_6
            FROM side s
            CROSS JOIN LATERAL (
                SELECT
                    u.tenant_id,
                    u.at,
                    u.model_id,
                    u.user_key,
                    u.input_tokens,
                    u.output_tokens,
                    u.cache_read_tokens,
                    u.cache_write_5m_tokens,
                    u.cache_write_1h_tokens,
                    u.web_searches,
                    u.speed,
                    u.inference_geo,
                    u.service_tier,
                    u.reported_cost_usd,
                    u.charged_usd,
                    u.priced_at
                FROM bcce_data.model_usage u
                LEFT JOIN bcce_data.principals p ON p.tenant_id = u.tenant_id AND p.user_key = u.user_key
                LEFT JOIN (SELECT DISTINCT r.run_id FROM unnest(s.runs) AS r (run_id)) run ON run.run_id = u.run_id
                WHERE u.tenant_id = f.tenant_id AND u.at >= s.starts_at AND u.at < s.ends_at AND NOT u.is_test
                  AND CASE f.kind
                      WHEN 'tenant' THEN true
                      WHEN 'user' THEN u.user_key = f.value
                      WHEN 'team' THEN coalesce(u.team_id, p.team_id) = f.value
                      WHEN 'project' THEN u.project = f.value
                      WHEN 'model' THEN u.model_id = f.value
                      ELSE run.run_id IS NOT NULL
                  END
                OFFSET 0
            ) u
            CROSS JOIN LATERAL (
                SELECT
                    k.usd,
                    k.usd IS NOT NULL AND k.part[1] + k.part[2] + k.part[3] + k.part[4] + k.part[5] + k.part[6] IS NOT DISTINCT FROM k.usd AS is_split,
                    k.part[1] AS part_1,
                    k.part[2] AS part_2,
                    k.part[3] AS part_3,
                    k.part[4] AS part_4,
                    k.part[5] AS part_5,
                    k.part[6] AS part_6
                FROM (
                    SELECT
                        coalesce(u.reported_cost_usd, u.charged_usd, bcce.estimate_token_cost(u.model_id, u.at, u.input_tokens, u.output_tokens, u.cache_read_tokens,
                            u.cache_write_5m_tokens, u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier, u.tenant_id)) AS usd,
                        CASE WHEN u.reported_cost_usd IS NULL
                             THEN bcce.token_cost_parts(u.model_id, u.at, u.input_tokens, u.output_tokens, u.cache_read_tokens,
                            u.cache_write_5m_tokens, u.cache_write_1h_tokens, u.web_searches, u.speed, u.inference_geo, u.service_tier, u.tenant_id,
                                 CASE WHEN u.charged_usd IS NOT NULL THEN u.priced_at END)
                        END AS part
                    OFFSET 0
                ) k
                OFFSET 0
            ) k
        ),
        -- By which book the days compared with were charged: a price that was put
        -- right for the time past is a new one for who pays.
        earlier AS MATERIALIZED (
            SELECT
                b.starts_at,
                b.weight,
                max(c.as_of) FILTER (WHERE c.is_charged) AS as_of,
                bool_or(c.is_priced_now) AS is_priced_now
            FROM side b
            LEFT JOIN priced c ON c.starts_at = b.starts_at
            WHERE b.weight < 0
            GROUP BY b.starts_at, b.weight
        ),
        call AS (
            SELECT
                c.weight,
                c.model_id,
                c.user_key,
                c.usd,
                c.is_split,
                c.part_1,
                c.part_2,
                c.part_3,
                c.part_4,
                c.part_5,
                c.part_6,
                -- What the call would have cost on the days that it is compared with.
                CASE WHEN c.weight > 0 AND c.is_split THEN (
                    SELECT sum(b.weight * (bcce.estimate_token_cost(c.model_id, c.at - (c.starts_at - b.starts_at), c.input_tokens, c.output_tokens, c.cache_read_tokens,
                        c.cache_write_5m_tokens, c.cache_write_1h_tokens, c.web_searches, c.speed, c.inference_geo, c.service_tier, c.tenant_id,
                        CASE WHEN b.as_of IS NULL AND b.is_priced_now THEN NULL ELSE coalesce(b.as_of, c.as_of) END) - c.usd))
                    FROM earlier b
                ) END AS price_effect
            FROM priced c
        ),
        total AS (
            SELECT
                coalesce(sum(c.price_effect), 0) AS price_effect,
                count(c.usd) FILTER (WHERE c.weight > 0) AS calls,
                coalesce(-sum(c.weight) FILTER (WHERE c.weight < 0 AND c.usd IS NOT NULL), 0) AS calls_before,
                coalesce(sum(c.usd) FILTER (WHERE c.weight > 0 AND NOT c.is_split), 0) AS unsplit_usd,
                coalesce(-sum(c.weight * c.usd) FILTER (WHERE c.weight < 0 AND NOT c.is_split), 0) AS unsplit_usd_before
            FROM call c
        )
        SELECT
            x.price_effect,
            CASE WHEN x.calls_before = 0 THEN f.usd - f.expected_usd - x.price_effect
                 ELSE round(f.expected_usd * x.calls / x.calls_before - f.expected_usd, 10) END AS volume_effect,
            CASE WHEN x.calls_before = 0 THEN 0
                 ELSE x.unsplit_usd - x.unsplit_usd_before * x.calls / x.calls_before END AS unsplit_mix_effect,
            model.model_id,
            model.usd AS model_usd,
            person.user_key,
            person.usd AS user_usd,
            class.token_class,
            class.usd AS class_usd
        FROM total x
        CROSS JOIN (
            SELECT c.model_id, sum(c.weight * c.usd) AS usd
            FROM call c
            GROUP BY c.model_id
            ORDER BY usd DESC NULLS LAST, c.model_id COLLATE "C"
            LIMIT 1
        ) model
        CROSS JOIN (
            SELECT c.user_key, sum(c.weight * c.usd) AS usd
            FROM call c
            GROUP BY c.user_key
            ORDER BY usd DESC NULLS LAST, c.user_key COLLATE "C"
            LIMIT 1
        ) person
        CROSS JOIN (
            SELECT k.token_class, k.usd
            FROM (
                SELECT
                    sum(c.weight * c.part_1) FILTER (WHERE c.is_split) AS part_1,
                    sum(c.weight * c.part_2) FILTER (WHERE c.is_split) AS part_2,
                    sum(c.weight * c.part_3) FILTER (WHERE c.is_split) AS part_3,
                    sum(c.weight * c.part_4) FILTER (WHERE c.is_split) AS part_4,
                    sum(c.weight * c.part_5) FILTER (WHERE c.is_split) AS part_5,
                    sum(c.weight * c.part_6) FILTER (WHERE c.is_split) AS part_6,
                    sum(c.weight * c.usd) FILTER (WHERE NOT c.is_split) AS unsplit
                FROM call c
            ) p
            CROSS JOIN LATERAL (
                VALUES ('input', p.part_1), ('output', p.part_2), ('cache_read', p.part_3), ('cache_write_5m', p.part_4),
                       ('cache_write_1h', p.part_5), ('web_search', p.part_6), ('unsplit', p.unsplit)
            ) k (token_class, usd)
            ORDER BY k.usd DESC NULLS LAST, k.token_class
            LIMIT 1
        ) class
    ) why;
END;
COMMENT ON FUNCTION bcce.cost_anomalies(timestamptz, timestamptz) IS 'Which days cost far more than usual, of those that overlap the time between since (inclusive) and until (exclusive), as it stood at until? NULL leaves an end open. Same columns as the view of this name. A day counts from its start, also where that lies before since.';

CREATE OR REPLACE VIEW bcce.cost_anomalies WITH (security_invoker = true) AS
SELECT
    x.tenant_id,
    x.tenant_name,
    x.period_start_at,
    x.usage_date,
    x.is_partial_day,
    x.scope_kind,
    x.scope_value,
    x.cost_usd,
    x.expected_cost_usd,
    x.change_usd,
    x.deviation_score,
    x.weekday_count,
    x.baseline_date,
    x.other_baseline_date,
    x.main_cause,
    x.volume_effect_usd,
    x.price_effect_usd,
    x.mix_effect_usd,
    x.main_model_id,
    x.main_model_percent,
    x.main_user_key,
    x.main_user_percent,
    x.main_token_class,
    x.main_token_class_percent,
    x.call_count,
    x.unpriced_calls,
    x.is_lower_bound,
    x.currency
FROM bcce.cost_anomalies(NULL::timestamptz, NULL::timestamptz) x;
COMMENT ON VIEW bcce.cost_anomalies IS 'On which days did model calls cost far more than usual, and why? One row per visible tenant, scope (the tenant, a user, team, project, model or workflow) and local day that stands out. That is above four robust deviations from the same weekdays of the eight weeks before, above 5 US dollars and above 1.5 times the expected cost, with at least three such weekdays; set_anomaly_limit() sets these. For a period use the function of this name.';
COMMENT ON COLUMN bcce.cost_anomalies.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce.cost_anomalies.tenant_name IS 'display name of the tenant';
COMMENT ON COLUMN bcce.cost_anomalies.period_start_at IS 'first instant of the day in the tenant''s zone';
COMMENT ON COLUMN bcce.cost_anomalies.usage_date IS 'day in the tenant''s zone';
COMMENT ON COLUMN bcce.cost_anomalies.is_partial_day IS 'true when the day is not over, or the period ends within it: what it has cost so far is held against whole days';
COMMENT ON COLUMN bcce.cost_anomalies.scope_kind IS 'what is judged: tenant, user, team, project, model or workflow';
COMMENT ON COLUMN bcce.cost_anomalies.scope_value IS 'which: the pseudonym of the user, team that the call names or else that of the user, project (redacted), model, workflow of the run; NULL: the whole tenant';
COMMENT ON COLUMN bcce.cost_anomalies.cost_usd IS 'US dollars that the model calls cost; calls of unknown cost are left out';
COMMENT ON COLUMN bcce.cost_anomalies.expected_cost_usd IS 'US dollars, median cost of the same weekday in the eight weeks before; days without calls cost 0, from the first day of the scope: of a tenant that of its first call ever, else that of its first call in those weeks; days on which no call has a known cost are not counted';
COMMENT ON COLUMN bcce.cost_anomalies.change_usd IS 'US dollars more than in the time compared with, here than expected: volume, price and mix effect, to the last digit';
COMMENT ON COLUMN bcce.cost_anomalies.deviation_score IS 'distance of log(1 + cost) from its median over the same weekdays, in robust standard deviations (1.4826 x median absolute deviation; where that and the expected cost are 0, 1.2533 x mean absolute deviation); NULL: at least half of the weekdays cost the same, or all of them nothing, so that any distance is more than usual';
COMMENT ON COLUMN bcce.cost_anomalies.weekday_count IS 'same weekdays that it is compared with, up to eight';
COMMENT ON COLUMN bcce.cost_anomalies.baseline_date IS 'day whose cost is the expected one, with which the day is compared; of an even number of weekdays the lower one in the middle';
COMMENT ON COLUMN bcce.cost_anomalies.other_baseline_date IS 'the upper one in the middle: the day is compared with the mean of both; NULL: an odd number of weekdays';
COMMENT ON COLUMN bcce.cost_anomalies.main_cause IS 'largest of the three effects: price change (the same calls would have cost less), more calls, or other models or larger calls; dearer calls, as reported: their senders report the cost, which cannot be split';
COMMENT ON COLUMN bcce.cost_anomalies.volume_effect_usd IS 'US dollars of the change if only the number of calls had changed, rounded to ten decimals; without calls to compare with, all but the price effect';
COMMENT ON COLUMN bcce.cost_anomalies.price_effect_usd IS 'US dollars of the change that are due to prices: what the calls cost more than the same calls would have cost in the time compared with; 0 where there was no price then';
COMMENT ON COLUMN bcce.cost_anomalies.mix_effect_usd IS 'US dollars of the change that are left: other models, more or fewer tokens in a call, other classes of them';
COMMENT ON COLUMN bcce.cost_anomalies.main_model_id IS 'model that adds most to the change';
COMMENT ON COLUMN bcce.cost_anomalies.main_model_percent IS 'percent of the change that it adds, one decimal; above 100 where others took away';
COMMENT ON COLUMN bcce.cost_anomalies.main_user_key IS 'pseudonym of the person who adds most to the change; NULL: calls of nobody known do';
COMMENT ON COLUMN bcce.cost_anomalies.main_user_percent IS 'percent of the change that the person adds, one decimal';
COMMENT ON COLUMN bcce.cost_anomalies.main_token_class IS 'what adds most to the change: input, output, cache_read, cache_write_5m, cache_write_1h, web_search, or unsplit: calls whose cost the sender reported as one sum';
COMMENT ON COLUMN bcce.cost_anomalies.main_token_class_percent IS 'percent of the change that it adds, one decimal';
COMMENT ON COLUMN bcce.cost_anomalies.call_count IS 'model calls';
COMMENT ON COLUMN bcce.cost_anomalies.unpriced_calls IS 'calls among them whose cost is unknown';
COMMENT ON COLUMN bcce.cost_anomalies.is_lower_bound IS 'true when the cost of some call of the day or of the weekdays before is unknown: such calls are left out';
COMMENT ON COLUMN bcce.cost_anomalies.currency IS 'currency of the money columns';
