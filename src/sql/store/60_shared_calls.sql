-- Calls that two tenants were told of.  Each keeps its own: ids of messages and
-- requests are the provider's and are never compared across tenants, so that none
-- can learn of another by sending ids.  Whoever sees all tenants can.
--
-- With the rights of its caller: row security leaves nothing to compare to anybody
-- else, even if granted by mistake.
CREATE OR REPLACE FUNCTION bcce.find_shared_calls()
RETURNS TABLE (tenant_a text, tenant_b text, call_count bigint, first_call_at timestamptz, last_call_at timestamptz)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $body$
    SELECT ta.slug, tb.slug, count(*), min(c.at), max(c.at)
    FROM (
        -- A call has several names, each of which may be the one that both know.
        SELECT DISTINCT a.tenant_id AS tenant_a, b.tenant_id AS tenant_b, a.call_key
        FROM (SELECT k.request_key FROM bcce_data.model_usage_keys k GROUP BY k.request_key HAVING count(*) > 1) shared
        JOIN bcce_data.model_usage_keys a ON a.request_key = shared.request_key
        JOIN bcce_data.model_usage_keys b ON b.request_key = shared.request_key AND b.tenant_id > a.tenant_id
    ) p
    JOIN bcce_data.model_usage_keys c ON c.tenant_id = p.tenant_a AND c.request_key = p.call_key
    JOIN bcce_data.tenants ta ON ta.tenant_id = p.tenant_a
    JOIN bcce_data.tenants tb ON tb.tenant_id = p.tenant_b
    GROUP BY ta.slug, tb.slug
    ORDER BY count(*) DESC, ta.slug COLLATE "C", tb.slug COLLATE "C"
$body$;
COMMENT ON FUNCTION bcce.find_shared_calls() IS
'Pairs of tenants that were told of the same calls of language models by transcripts or telemetry, by the id of a message, request or event: how many calls, and between when. Each tenant keeps and counts such a call as its own; this finds telemetry that is sent twice, and what both are charged for. For superusers and members of bcce_maintainer, who see all tenants; nobody else may call it. No row: no id stands in two tenants. Ids that hold personal data are pseudonyms of each tenant, and not compared.';
