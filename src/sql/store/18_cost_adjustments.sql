-- What changes a cost afterwards: credits, refunds, discounts and corrections.
CREATE TABLE IF NOT EXISTS bcce_data.cost_adjustments (
    tenant_id uuid NOT NULL,
    adjustment_id text NOT NULL,
    at timestamptz NOT NULL,
    amount_usd numeric NOT NULL,
    kind text NOT NULL,
    applies_to text NOT NULL,
    provider text,
    corrects_at timestamptz,
    reason text,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT cost_adjustments_pkey PRIMARY KEY (tenant_id, adjustment_id),
    CONSTRAINT cost_adjustments_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT cost_adjustments_adjustment_id_check CHECK (length(adjustment_id) BETWEEN 1 AND 256),
    CONSTRAINT cost_adjustments_at_check CHECK (at >= '1970-01-01 00:00:00+00' AND at < '2201-01-01 00:00:00+00'),
    CONSTRAINT cost_adjustments_corrects_at_check CHECK (corrects_at >= '1970-01-01 00:00:00+00' AND corrects_at <= at),
    CONSTRAINT cost_adjustments_kind_check CHECK (kind IN ('credit', 'refund', 'discount', 'correction')),
    CONSTRAINT cost_adjustments_applies_to_check CHECK (applies_to IN ('workflow', 'monitoring', 'prediction', 'model', 'infra')),
    CONSTRAINT cost_adjustments_amount_usd_check CHECK (amount_usd BETWEEN -1e15 AND 1e15),
    CONSTRAINT cost_adjustments_sign_check CHECK (amount_usd <= 0 OR kind = 'correction'),
    CONSTRAINT cost_adjustments_provider_check CHECK (length(provider) BETWEEN 1 AND 256),
    CONSTRAINT cost_adjustments_reason_check CHECK (length(reason) <= 1000)
);
CREATE INDEX IF NOT EXISTS cost_adjustments_at_idx ON bcce_data.cost_adjustments (tenant_id, at);
COMMENT ON TABLE bcce_data.cost_adjustments IS 'what changes a cost afterwards; each counts in adjustments_usd of the cost reports from its time on';
COMMENT ON COLUMN bcce_data.cost_adjustments.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.cost_adjustments.adjustment_id IS 'the sender''s id of it, such as the number of a credit note';
COMMENT ON COLUMN bcce_data.cost_adjustments.at IS 'when it counts';
COMMENT ON COLUMN bcce_data.cost_adjustments.amount_usd IS 'US dollars: negative lowers the cost; above 0 only for a correction';
COMMENT ON COLUMN bcce_data.cost_adjustments.kind IS 'credit, refund, discount or correction';
COMMENT ON COLUMN bcce_data.cost_adjustments.applies_to IS 'part of the cost that it changes: workflow, monitoring, prediction (the tariff), model or infra (what is paid to providers)';
COMMENT ON COLUMN bcce_data.cost_adjustments.provider IS 'provider that granted it, as the calls name it, in small letters, redacted; NULL: not said';
COMMENT ON COLUMN bcce_data.cost_adjustments.corrects_at IS 'when the charge was made that it changes; NULL: none in particular';
COMMENT ON COLUMN bcce_data.cost_adjustments.reason IS 'why, redacted';
COMMENT ON COLUMN bcce_data.cost_adjustments.recorded_at IS 'when it was recorded last';
