-- When a day's cost counts as an anomaly.
CREATE TABLE IF NOT EXISTS bcce_data.default_anomaly_limits (
    limit_name text NOT NULL,
    value numeric NOT NULL,
    unit text NOT NULL,
    meaning text NOT NULL,
    CONSTRAINT default_anomaly_limits_pkey PRIMARY KEY (limit_name),
    CONSTRAINT default_anomaly_limits_value_check CHECK (value >= 0 AND value <= 1e15 AND (limit_name <> 'min_ratio' OR value >= 1)
        AND (limit_name <> 'min_weekdays' OR value IN (1, 2, 3, 4, 5, 6, 7, 8)))
);
COMMENT ON TABLE bcce_data.default_anomaly_limits IS 'what a day''s cost must pass, all of it, for cost_anomalies to show the day';
COMMENT ON COLUMN bcce_data.default_anomaly_limits.limit_name IS 'name of the limit';
COMMENT ON COLUMN bcce_data.default_anomaly_limits.value IS 'the limit';
COMMENT ON COLUMN bcce_data.default_anomaly_limits.unit IS 'unit of the value';
COMMENT ON COLUMN bcce_data.default_anomaly_limits.meaning IS 'what is asked of the day';

INSERT INTO bcce_data.default_anomaly_limits (limit_name, value, unit, meaning)
VALUES ('min_deviations', 4, 'robust deviations', 'logarithm of the cost above the median of the same weekdays by more than this'),
       ('floor_usd', 5, 'US dollars', 'cost above this'),
       ('min_ratio', 1.5, 'times', 'cost above this many times the expected'),
       ('min_weekdays', 3, 'days', 'at least so many same weekdays in the eight weeks before')
ON CONFLICT (limit_name) DO NOTHING;

CREATE TABLE IF NOT EXISTS bcce_data.anomaly_limits (
    tenant_id uuid NOT NULL,
    limit_name text NOT NULL,
    value numeric NOT NULL,
    CONSTRAINT anomaly_limits_pkey PRIMARY KEY (tenant_id, limit_name),
    CONSTRAINT anomaly_limits_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT anomaly_limits_limit_name_check CHECK (limit_name IN ('min_deviations', 'floor_usd', 'min_ratio', 'min_weekdays')),
    CONSTRAINT anomaly_limits_value_check CHECK (value >= 0 AND value <= 1e15 AND (limit_name <> 'min_ratio' OR value >= 1)
        AND (limit_name <> 'min_weekdays' OR value IN (1, 2, 3, 4, 5, 6, 7, 8)))
);
COMMENT ON TABLE bcce_data.anomaly_limits IS 'a tenant''s own limits, beside and before the defaults';
COMMENT ON COLUMN bcce_data.anomaly_limits.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.anomaly_limits.limit_name IS 'name of the limit, as in default_anomaly_limits';
COMMENT ON COLUMN bcce_data.anomaly_limits.value IS 'the limit';
