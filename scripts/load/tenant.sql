-- Makes the tenant of a load where it does not exist: \set tenant, name, zone.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
-- Times without a zone are read as UTC, whatever the session's own zone.
SET timezone = 'UTC';
SELECT bcce.create_tenant(:'tenant', :'name', NULL, :'zone')
WHERE NOT EXISTS (SELECT FROM bcce_data.tenants WHERE slug = :'tenant') \g /dev/null
