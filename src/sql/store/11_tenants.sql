-- Tenants, who belongs to them, and what is kept about them in private.
CREATE TABLE IF NOT EXISTS bcce_data.tenants (
    tenant_id uuid NOT NULL DEFAULT bcce.uuid_v7(),
    tenant_name text NOT NULL,
    slug text NOT NULL,
    external_id text,
    org_id text,
    timezone text NOT NULL DEFAULT 'UTC',
    region text,
    residency text,
    billing_currency text NOT NULL DEFAULT 'USD',
    mttr_source text NOT NULL DEFAULT 'auto',
    k_min integer NOT NULL DEFAULT 5,
    created_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    CONSTRAINT tenants_pkey PRIMARY KEY (tenant_id),
    CONSTRAINT tenants_slug_key UNIQUE (slug),
    CONSTRAINT tenants_external_id_key UNIQUE (external_id),
    CONSTRAINT tenants_slug_check CHECK (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    CONSTRAINT tenants_tenant_name_check CHECK (length(tenant_name) BETWEEN 1 AND 200),
    CONSTRAINT tenants_external_id_check CHECK (length(external_id) BETWEEN 1 AND 200),
    CONSTRAINT tenants_timezone_check CHECK (('2000-01-01 00:00:00+00'::timestamptz AT TIME ZONE timezone) IS NOT NULL),
    CONSTRAINT tenants_billing_currency_check CHECK (billing_currency = 'USD'),
    CONSTRAINT tenants_mttr_source_check CHECK (mttr_source IN ('auto', 'declared', 'derived', 'both')),
    CONSTRAINT tenants_k_min_check CHECK (k_min >= 1)
);
-- Columns that an earlier build did not make.
ALTER TABLE bcce_data.tenants
    ADD COLUMN IF NOT EXISTS tariff_includes_models boolean NOT NULL DEFAULT false;
COMMENT ON TABLE bcce_data.tenants IS 'one row per tenant';
COMMENT ON COLUMN bcce_data.tenants.tenant_id IS 'internal id (uuid v7)';
COMMENT ON COLUMN bcce_data.tenants.tenant_name IS 'display name';
COMMENT ON COLUMN bcce_data.tenants.slug IS 'short name for writers and logins: a-z, 0-9 and -';
COMMENT ON COLUMN bcce_data.tenants.external_id IS 'the tenant''s id in the sender''s systems';
COMMENT ON COLUMN bcce_data.tenants.org_id IS 'organisation that the tenant belongs to';
COMMENT ON COLUMN bcce_data.tenants.timezone IS 'IANA zone in which days, weeks and months are cut';
COMMENT ON COLUMN bcce_data.tenants.region IS 'region in which the tenant works';
COMMENT ON COLUMN bcce_data.tenants.residency IS 'region in which its facts must stay';
COMMENT ON COLUMN bcce_data.tenants.billing_currency IS 'currency of all its money columns; only USD in this release';
COMMENT ON COLUMN bcce_data.tenants.mttr_source IS 'which incidents MTTR counts: declared, derived from runs, both, or auto (declared where any was ever declared)';
COMMENT ON COLUMN bcce_data.tenants.k_min IS 'smallest group shown across tenants';
COMMENT ON COLUMN bcce_data.tenants.created_at IS 'when the tenant was made';
COMMENT ON COLUMN bcce_data.tenants.deleted_at IS 'when set, the tenant no longer counts in any report';
COMMENT ON COLUMN bcce_data.tenants.tariff_includes_models IS 'the price of a run includes its model calls: total_cost_usd leaves them out';

CREATE TABLE IF NOT EXISTS bcce_data.teams (
    tenant_id uuid NOT NULL,
    team_id text NOT NULL,
    team_name text NOT NULL,
    CONSTRAINT teams_pkey PRIMARY KEY (tenant_id, team_id),
    CONSTRAINT teams_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT teams_team_id_check CHECK (length(team_id) BETWEEN 1 AND 256)
);
COMMENT ON TABLE bcce_data.teams IS 'teams of a tenant';
COMMENT ON COLUMN bcce_data.teams.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.teams.team_id IS 'the sender''s id of the team';
COMMENT ON COLUMN bcce_data.teams.team_name IS 'display name, redacted';

CREATE TABLE IF NOT EXISTS bcce_data.principals (
    tenant_id uuid NOT NULL,
    principal_id uuid NOT NULL DEFAULT bcce.uuid_v7(),
    user_key text NOT NULL,
    team_id text,
    role text,
    provisioned_at timestamptz,
    deprovisioned_at timestamptz,
    CONSTRAINT principals_pkey PRIMARY KEY (tenant_id, principal_id),
    CONSTRAINT principals_user_key_key UNIQUE (tenant_id, user_key),
    CONSTRAINT principals_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT principals_team_fkey FOREIGN KEY (tenant_id, team_id) REFERENCES bcce_data.teams
);
COMMENT ON TABLE bcce_data.principals IS 'people of a tenant, by pseudonym only';
COMMENT ON COLUMN bcce_data.principals.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.principals.principal_id IS 'internal id';
COMMENT ON COLUMN bcce_data.principals.user_key IS 'keyed pseudonym of the person (see bcce.pseudonym)';
COMMENT ON COLUMN bcce_data.principals.team_id IS 'team';
COMMENT ON COLUMN bcce_data.principals.role IS 'role in the sender''s words, redacted';
COMMENT ON COLUMN bcce_data.principals.provisioned_at IS 'when access was given';
COMMENT ON COLUMN bcce_data.principals.deprovisioned_at IS 'when access was taken away';

-- A role is kept by OID, so that a dropped and re-made role of the same name
-- inherits nothing, and dumped by name, so that a restore finds it although it
-- has another OID there.  A name that does not exist yet is bound when it does.
-- IMMUTABLE is what a generated column asks for; the value is meant to be that
-- of the moment in which the row is written.
CREATE OR REPLACE FUNCTION bcce_private.role_by_name(role_name text) RETURNS regrole
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $body$
    SELECT pg_catalog.to_regrole(pg_catalog.quote_ident(role_name))
$body$;
COMMENT ON FUNCTION bcce_private.role_by_name(text) IS 'the role of that name, NULL where there is none';

CREATE TABLE IF NOT EXISTS bcce_private.membership (
    role_name text NOT NULL,
    role regrole GENERATED ALWAYS AS (bcce_private.role_by_name(role_name)) STORED,
    tenant_id uuid NOT NULL,
    is_default boolean NOT NULL DEFAULT false,
    valid_from timestamptz NOT NULL DEFAULT '-infinity',
    valid_until timestamptz NOT NULL DEFAULT 'infinity',
    CONSTRAINT membership_pkey PRIMARY KEY (tenant_id, role_name),
    CONSTRAINT membership_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants
);
COMMENT ON TABLE bcce_private.membership IS 'which role reads or writes for which tenant';
COMMENT ON COLUMN bcce_private.membership.role_name IS 'name of the role when the row was made or last refreshed by install()';
COMMENT ON COLUMN bcce_private.membership.role IS 'the role itself; NULL while no role of that name exists';
COMMENT ON COLUMN bcce_private.membership.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_private.membership.is_default IS 'the tenant that counts where a role has several';
COMMENT ON COLUMN bcce_private.membership.valid_from IS 'start, inclusive';
COMMENT ON COLUMN bcce_private.membership.valid_until IS 'end, exclusive';

CREATE TABLE IF NOT EXISTS bcce_private.tenant_key (
    tenant_id uuid NOT NULL,
    key bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT tenant_key_pkey PRIMARY KEY (tenant_id),
    CONSTRAINT tenant_key_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT tenant_key_key_check CHECK (octet_length(key) = 32)
);
COMMENT ON TABLE bcce_private.tenant_key IS 'random key of each tenant: pseudonyms are made with it';
COMMENT ON COLUMN bcce_private.tenant_key.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_private.tenant_key.key IS '32 random bytes';
COMMENT ON COLUMN bcce_private.tenant_key.created_at IS 'when it was made';
