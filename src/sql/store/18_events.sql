-- What guests and users do.
CREATE TABLE IF NOT EXISTS bcce_data.events (
    tenant_id uuid NOT NULL,
    source text NOT NULL DEFAULT 'api',
    idempotency_key text NOT NULL,
    occurred_at timestamptz NOT NULL,
    event_type text NOT NULL,
    guest_key text,
    guest_type text,
    user_key text,
    session_id text,
    service_id text,
    ip_prefix inet,
    user_agent_family text,
    properties jsonb,
    is_test boolean NOT NULL DEFAULT false,
    received_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT events_pkey PRIMARY KEY (tenant_id, source, idempotency_key, occurred_at),
    CONSTRAINT events_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT events_event_type_check CHECK (length(event_type) BETWEEN 1 AND 100),
    CONSTRAINT events_occurred_at_check CHECK (occurred_at >= '1970-01-01 00:00:00+00' AND occurred_at < '2201-01-01 00:00:00+00')
) PARTITION BY RANGE (occurred_at);
CREATE TABLE IF NOT EXISTS bcce_data.events_default PARTITION OF bcce_data.events DEFAULT;
CREATE INDEX IF NOT EXISTS events_occurred_at_idx ON bcce_data.events (tenant_id, occurred_at) INCLUDE (event_type, session_id, user_key);
COMMENT ON TABLE bcce_data.events IS 'one row per event of a guest or user; by month of occurred_at';
COMMENT ON COLUMN bcce_data.events.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.events.source IS 'who sent it';
COMMENT ON COLUMN bcce_data.events.idempotency_key IS 'the sender''s key of the event, or one made from its content: the same key at the same time is stored once';
COMMENT ON COLUMN bcce_data.events.occurred_at IS 'when it happened';
COMMENT ON COLUMN bcce_data.events.event_type IS 'page_view, search, faq_view, chat_session, service_interaction or a word of your own';
COMMENT ON COLUMN bcce_data.events.guest_key IS 'pseudonym of the guest';
COMMENT ON COLUMN bcce_data.events.guest_type IS 'segment of the guest, redacted';
COMMENT ON COLUMN bcce_data.events.user_key IS 'pseudonym of the user';
COMMENT ON COLUMN bcce_data.events.session_id IS 'the sender''s id of the session';
COMMENT ON COLUMN bcce_data.events.service_id IS 'service that it was about';
COMMENT ON COLUMN bcce_data.events.ip_prefix IS 'network that it came from: /24 of IPv4, /48 of IPv6';
COMMENT ON COLUMN bcce_data.events.user_agent_family IS 'family of the program, such as Firefox';
COMMENT ON COLUMN bcce_data.events.properties IS 'further properties, redacted';
COMMENT ON COLUMN bcce_data.events.is_test IS 'test events never count';
COMMENT ON COLUMN bcce_data.events.received_at IS 'when it was received';

CREATE TABLE IF NOT EXISTS bcce_data.infra_costs (
    tenant_id uuid NOT NULL,
    category text NOT NULL,
    amount_usd numeric NOT NULL,
    period_start_at timestamptz NOT NULL,
    period_end_at timestamptz NOT NULL,
    CONSTRAINT infra_costs_pkey PRIMARY KEY (tenant_id, category, period_start_at, period_end_at),
    CONSTRAINT infra_costs_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT infra_costs_amount_usd_check CHECK (amount_usd BETWEEN -1e15 AND 1e15),
    CONSTRAINT infra_costs_period_check CHECK (period_end_at > period_start_at)
);
COMMENT ON TABLE bcce_data.infra_costs IS 'infrastructure bills; a report''s window takes its share by overlap in time';
COMMENT ON COLUMN bcce_data.infra_costs.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.infra_costs.category IS 'what was bought, redacted';
COMMENT ON COLUMN bcce_data.infra_costs.amount_usd IS 'amount in US dollars for the whole period; negative for a refund';
COMMENT ON COLUMN bcce_data.infra_costs.period_start_at IS 'start, inclusive';
COMMENT ON COLUMN bcce_data.infra_costs.period_end_at IS 'end, exclusive';
