-- Failure predictions and the models that make them.
CREATE TABLE IF NOT EXISTS bcce_data.models (
    tenant_id uuid NOT NULL,
    model_name text NOT NULL,
    model_version text NOT NULL DEFAULT '',
    threshold double precision NOT NULL DEFAULT 0.5,
    reference_from timestamptz,
    reference_to timestamptz,
    CONSTRAINT models_pkey PRIMARY KEY (tenant_id, model_name, model_version),
    CONSTRAINT models_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT models_model_name_check CHECK (length(model_name) BETWEEN 1 AND 256),
    CONSTRAINT models_model_version_check CHECK (length(model_version) <= 256),
    CONSTRAINT models_threshold_check CHECK (threshold BETWEEN 0 AND 1)
);
COMMENT ON TABLE bcce_data.models IS 'models that predict failures; the first prediction of one makes its row';
COMMENT ON COLUMN bcce_data.models.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.models.model_name IS 'name of the model';
COMMENT ON COLUMN bcce_data.models.model_version IS 'version; empty where the sender gives none';
COMMENT ON COLUMN bcce_data.models.threshold IS 'a probability at or above it predicts a failure';
COMMENT ON COLUMN bcce_data.models.reference_from IS 'start of the window that drift is measured against';
COMMENT ON COLUMN bcce_data.models.reference_to IS 'end of that window';

CREATE TABLE IF NOT EXISTS bcce_data.prediction_keys (
    tenant_id uuid NOT NULL,
    prediction_id text NOT NULL,
    predicted_at timestamptz NOT NULL,
    CONSTRAINT prediction_keys_pkey PRIMARY KEY (tenant_id, prediction_id)
);
COMMENT ON TABLE bcce_data.prediction_keys IS 'time of every prediction by its id, over all partitions of predictions';
COMMENT ON COLUMN bcce_data.prediction_keys.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.prediction_keys.prediction_id IS 'the sender''s id of the prediction';
COMMENT ON COLUMN bcce_data.prediction_keys.predicted_at IS 'time of the prediction, which never changes';

CREATE TABLE IF NOT EXISTS bcce_data.predictions (
    tenant_id uuid NOT NULL,
    prediction_id text NOT NULL,
    predicted_at timestamptz NOT NULL,
    model_name text NOT NULL,
    model_version text NOT NULL DEFAULT '',
    target_kind text NOT NULL,
    target_id text NOT NULL,
    horizon_seconds double precision,
    failure_probability double precision NOT NULL,
    features_hash text,
    outcome smallint,
    outcome_at timestamptz,
    source text NOT NULL DEFAULT 'api',
    is_test boolean NOT NULL DEFAULT false,
    charged_usd numeric,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT predictions_pkey PRIMARY KEY (tenant_id, predicted_at, prediction_id),
    CONSTRAINT predictions_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT predictions_target_kind_check CHECK (target_kind IN ('run', 'service', 'external')),
    CONSTRAINT predictions_horizon_seconds_check CHECK (horizon_seconds > 0 AND horizon_seconds <= 1e9),
    CONSTRAINT predictions_horizon_required_check CHECK (target_kind <> 'service' OR horizon_seconds IS NOT NULL),
    CONSTRAINT predictions_failure_probability_check CHECK (failure_probability BETWEEN 0 AND 1),
    CONSTRAINT predictions_outcome_check CHECK (outcome IN (0, 1)),
    CONSTRAINT predictions_outcome_at_check CHECK ((outcome IS NULL) = (outcome_at IS NULL)),
    CONSTRAINT predictions_predicted_at_check CHECK (predicted_at >= '1970-01-01 00:00:00+00' AND predicted_at < '2201-01-01 00:00:00+00'),
    CONSTRAINT predictions_charged_usd_check CHECK (charged_usd >= 0 AND charged_usd <= 1e15)
) PARTITION BY RANGE (predicted_at);
CREATE TABLE IF NOT EXISTS bcce_data.predictions_default PARTITION OF bcce_data.predictions DEFAULT;
CREATE INDEX IF NOT EXISTS predictions_target_idx ON bcce_data.predictions (tenant_id, target_kind, target_id, predicted_at);
COMMENT ON TABLE bcce_data.predictions IS 'one row per predicted probability of failure; by month of predicted_at';
COMMENT ON COLUMN bcce_data.predictions.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.predictions.prediction_id IS 'the sender''s id of the prediction';
COMMENT ON COLUMN bcce_data.predictions.predicted_at IS 'when it was made';
COMMENT ON COLUMN bcce_data.predictions.model_name IS 'model';
COMMENT ON COLUMN bcce_data.predictions.model_version IS 'version of the model';
COMMENT ON COLUMN bcce_data.predictions.target_kind IS 'run (the run fails), service (it fails within the horizon) or external (the sender reports the outcome)';
COMMENT ON COLUMN bcce_data.predictions.target_id IS 'id of the run, service or external thing';
COMMENT ON COLUMN bcce_data.predictions.horizon_seconds IS 'seconds after predicted_at within which the failure is expected';
COMMENT ON COLUMN bcce_data.predictions.failure_probability IS 'probability of failure, 0 to 1';
COMMENT ON COLUMN bcce_data.predictions.features_hash IS 'hash of the features that the model saw';
COMMENT ON COLUMN bcce_data.predictions.outcome IS 'reported outcome: 1 it failed, 0 it did not; NULL: not reported';
COMMENT ON COLUMN bcce_data.predictions.outcome_at IS 'when the outcome was known';
COMMENT ON COLUMN bcce_data.predictions.source IS 'who sent it';
COMMENT ON COLUMN bcce_data.predictions.is_test IS 'test predictions never count';
COMMENT ON COLUMN bcce_data.predictions.charged_usd IS 'price of the prediction in US dollars as of its time, frozen when it was recorded';
COMMENT ON COLUMN bcce_data.predictions.recorded_at IS 'when it was recorded';
