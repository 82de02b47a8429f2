-- All about one tenant as one JSON object.  A tenant of somebody else and one
-- that does not exist are the same to the caller.
CREATE OR REPLACE FUNCTION bcce.report_tenant(tenant uuid) RETURNS json
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT json_build_object(
        'overview', (
            SELECT row_to_json(o)
            FROM bcce.analytics_overview(NULL::timestamptz, NULL::timestamptz) o
            WHERE o.tenant_id = tenant),
        'mttr', (
            SELECT row_to_json(m)
            FROM bcce.mttr_analysis(NULL::timestamptz, NULL::timestamptz) m
            WHERE m.tenant_id = tenant),
        'cost', (
            SELECT row_to_json(c)
            FROM bcce.cost_analysis(NULL::timestamptz, NULL::timestamptz) c
            WHERE c.tenant_id = tenant),
        'services', (
            SELECT coalesce(json_agg(json_build_object(
                'service_id', s.service_id,
                'service_name', s.service_name,
                'status', s.status,
                'status_reason', s.status_reason,
                'last_seen_at', s.last_seen_at,
                'open_incidents', s.open_incidents) ORDER BY s.service_id COLLATE "C"), '[]')
            FROM bcce.service_health_dashboard(NULL::timestamptz, NULL::timestamptz) s
            WHERE s.tenant_id = tenant),
        'models', (
            SELECT coalesce(json_agg(json_build_object(
                'model_name', p.model_name,
                'model_version', p.model_version,
                'total_predictions', p.total_predictions,
                'labelled_count', p.labelled_count,
                'accuracy_percent', p.accuracy_percent,
                'accuracy_low_percent', p.accuracy_low_percent,
                'accuracy_high_percent', p.accuracy_high_percent,
                'brier_score', p.brier_score) ORDER BY p.model_name COLLATE "C", p.model_version COLLATE "C"), '[]')
            FROM bcce.prediction_accuracy(NULL::timestamptz, NULL::timestamptz) p
            WHERE p.tenant_id = tenant AND p.model_name IS NOT NULL))
    FROM bcce_data.tenants t
    WHERE t.tenant_id = tenant AND t.deleted_at IS NULL
    UNION ALL
    SELECT NULL::json
    FROM bcce.raise_error('P0002', 'tenant not found', NULL, NULL) refusal
    WHERE NOT EXISTS (
        SELECT 1
        FROM bcce_data.tenants t
        WHERE t.tenant_id = tenant AND t.deleted_at IS NULL
    );
END;
COMMENT ON FUNCTION bcce.report_tenant(uuid) IS 'All about a tenant, over all its data, as one JSON object: overview, mttr and cost with every column of these reports, services with their status, models with their accuracy; null where unknown, [] where there are none. Error P0002 when there is no such tenant or it is not the caller''s.';

CREATE OR REPLACE FUNCTION bcce.report_tenant(tenant text) RETURNS json
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT bcce.report_tenant(bcce_data.tenant_named(tenant));
END;
COMMENT ON FUNCTION bcce.report_tenant(text) IS 'The same for a tenant named by slug, external id or uuid.';
