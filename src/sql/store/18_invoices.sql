-- What providers billed for model calls, to hold against what was metered.
CREATE TABLE IF NOT EXISTS bcce_data.invoices (
    tenant_id uuid NOT NULL,
    provider text NOT NULL,
    period_start_at timestamptz NOT NULL,
    period_end_at timestamptz NOT NULL,
    amount_usd numeric NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT invoices_pkey PRIMARY KEY (tenant_id, provider, period_start_at, period_end_at),
    CONSTRAINT invoices_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT invoices_amount_usd_check CHECK (amount_usd BETWEEN -1e15 AND 1e15),
    CONSTRAINT invoices_period_check CHECK (period_end_at > period_start_at AND isfinite(period_start_at) AND isfinite(period_end_at))
);
COMMENT ON TABLE bcce_data.invoices IS 'what providers billed for model calls; never part of a cost, only compared with it';
COMMENT ON COLUMN bcce_data.invoices.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.invoices.provider IS 'provider as the calls name it, in small letters, redacted';
COMMENT ON COLUMN bcce_data.invoices.period_start_at IS 'start, inclusive';
COMMENT ON COLUMN bcce_data.invoices.period_end_at IS 'end, exclusive';
COMMENT ON COLUMN bcce_data.invoices.amount_usd IS 'amount in US dollars; negative for a refund';
COMMENT ON COLUMN bcce_data.invoices.recorded_at IS 'when it was recorded last';
