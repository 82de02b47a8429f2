-- Logins that present a token instead of having tenants of their own, and the
-- public keys that tokens may be signed with.  Private keys are nowhere here.
CREATE TABLE IF NOT EXISTS bcce_private.token_login (
    role_name text NOT NULL,
    role regrole GENERATED ALWAYS AS (bcce_private.role_by_name(role_name)) STORED,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT token_login_pkey PRIMARY KEY (role_name)
);
COMMENT ON TABLE bcce_private.token_login IS 'logins that many share: their tenants come from the token of the transaction, never from memberships';
COMMENT ON COLUMN bcce_private.token_login.role_name IS 'name of the role when the row was made or last refreshed by maintain()';
COMMENT ON COLUMN bcce_private.token_login.role IS 'the role itself; NULL while no role of that name exists';
COMMENT ON COLUMN bcce_private.token_login.created_at IS 'when the row was made';

CREATE TABLE IF NOT EXISTS bcce_private.context_key (
    kid text NOT NULL,
    public_key bytea NOT NULL,
    not_before timestamptz NOT NULL DEFAULT now(),
    not_after timestamptz NOT NULL DEFAULT 'infinity',
    revoked_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT context_key_pkey PRIMARY KEY (kid),
    CONSTRAINT context_key_kid_check CHECK (kid ~ '^[A-Za-z0-9._-]{1,64}$'),
    CONSTRAINT context_key_public_key_check CHECK (octet_length(public_key) = 32),
    CONSTRAINT context_key_not_after_check CHECK (not_after > not_before)
);
COMMENT ON TABLE bcce_private.context_key IS 'Ed25519 public keys of those who sign context tokens';
COMMENT ON COLUMN bcce_private.context_key.kid IS 'name of the key, as the footer of a token has it';
COMMENT ON COLUMN bcce_private.context_key.public_key IS '32 bytes; the private key belongs to the signer and is never here';
COMMENT ON COLUMN bcce_private.context_key.not_before IS 'start, inclusive';
COMMENT ON COLUMN bcce_private.context_key.not_after IS 'end, exclusive';
COMMENT ON COLUMN bcce_private.context_key.revoked_at IS 'from then on no token of it counts, whatever not_after says; NULL: not revoked';
COMMENT ON COLUMN bcce_private.context_key.created_at IS 'when the row was made';

-- They belong to no tenant, so they have no place in the policies that do.
DO $do$
DECLARE
    target text;
BEGIN
    FOREACH target IN ARRAY ARRAY['bcce_private.token_login', 'bcce_private.context_key'] LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', target);
        EXECUTE format('DROP POLICY IF EXISTS maintainer ON %s', target);
        EXECUTE format('CREATE POLICY maintainer ON %s TO bcce_maintainer USING (true) WITH CHECK (true)', target);
    END LOOP;
END
$do$;
