-- What the transcripts of the folder cost: the tenant transcripts alone.
\ir style.sql
\echo
\echo '1  cost_analysis: what did it cost in all?  (US dollars, to the last digit; days are those of the time zone)'
SELECT trim_scale(c.model_cost_usd) AS usd, CASE WHEN c.is_lower_bound THEN 'at least, see 7' ELSE 'all is priced' END AS "how sure",
       m.calls, c.unpriced_units AS unpriced, d.first_day AS "first day", d.last_day AS "last day", d.days AS "days with calls", (SELECT min(timezone) FROM bcce.usage_trends WHERE tenant_id = c.tenant_id) AS "time zone"
FROM bcce.cost_analysis AS c
CROSS JOIN LATERAL (SELECT sum(model_call_count) AS calls FROM bcce.cost_by_model WHERE tenant_id = c.tenant_id) AS m
CROSS JOIN LATERAL (SELECT min(usage_date) AS first_day, max(usage_date) AS last_day, count(*) AS days FROM bcce.cost_by_day
                    WHERE tenant_id = c.tenant_id AND (model_cost_usd > 0 OR unpriced_units > 0)) AS d
WHERE c.tenant_name = 'Transcripts';
\echo
\echo '2  cost_by_model: which models cost how much?  (US dollars; unpriced = no price is known, left out of the sum)'
SELECT model_id AS model, model_call_count AS calls, input_tokens AS input, output_tokens AS output, cache_read_tokens AS "cache reads",
       cache_write_5m_tokens + cache_write_1h_tokens AS "cache writes", round(model_cost_usd, 4) AS usd, cost_share_percent AS "share %", unpriced_units AS unpriced
FROM bcce.cost_by_model WHERE tenant_name = 'Transcripts' AND model_call_count > 0 ORDER BY model_cost_usd DESC NULLS LAST, model_id;
\echo
\echo '3  cost_by_project'
SELECT coalesce(project, '(none)') AS project, model_call_count AS calls, round(model_cost_usd, 4) AS usd, cost_share_percent AS "share %", unpriced_units AS unpriced
FROM bcce.cost_by_project WHERE tenant_name = 'Transcripts' AND model_call_count > 0 ORDER BY model_cost_usd DESC NULLS LAST, project;
\echo
\echo '4  cost_by_user: people by pseudonym  (scripts/load-claude-code --user or --user-by-folder says whose the files are)'
SELECT coalesce(left(user_key, 13) || '…', '(not said)') AS person, model_call_count AS calls, round(model_cost_usd, 4) AS usd, cost_share_percent AS "share %"
FROM bcce.cost_by_user WHERE tenant_name = 'Transcripts' AND model_call_count > 0 ORDER BY model_cost_usd DESC NULLS LAST, user_key;
\echo
\echo '5  cost_by_day: the last ten days with calls'
SELECT usage_date AS day, round(model_cost_usd, 4) AS usd, unpriced_units AS unpriced
FROM (SELECT * FROM bcce.cost_by_day WHERE tenant_name = 'Transcripts' AND (model_cost_usd > 0 OR unpriced_units > 0) ORDER BY usage_date DESC LIMIT 10) AS t ORDER BY usage_date;
\echo
\echo '6  cost_cache_savings: what the cache saved (reads) and cost (writes)'
SELECT model_id AS model, cache_read_percent AS "read %", round(read_savings_usd, 4) AS "saved by reads", round(write_premium_usd, 4) AS "paid for writes", round(cache_savings_usd, 4) AS net
FROM bcce.cost_cache_savings WHERE tenant_name = 'Transcripts' ORDER BY cache_savings_usd DESC NULLS LAST, model_id;
\echo
\echo '7  unpriced_usage: what is unknown, and why'
SELECT model_id AS model, reason, model_call_count AS calls, input_tokens + output_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens AS tokens
FROM bcce.unpriced_usage WHERE tenant_name = 'Transcripts' ORDER BY model_call_count DESC, model_id;
