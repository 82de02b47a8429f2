-- What may be spent, and what was said about it.  Nothing here counts money: what
-- was spent is added up from the calls, whenever it is asked for.
CREATE TABLE IF NOT EXISTS bcce_data.budgets (
    tenant_id uuid NOT NULL,
    budget text NOT NULL,
    amount_usd numeric NOT NULL,
    period text NOT NULL,
    timezone text NOT NULL,
    team_id text,
    user_key text,
    project text,
    model_id text,
    workflow_id text,
    thresholds numeric[] NOT NULL DEFAULT '{50,80,90,100}',
    mode text NOT NULL DEFAULT 'alert',
    unpriced text NOT NULL DEFAULT 'ignore',
    daily_burst_percent numeric,
    valid tstzrange NOT NULL DEFAULT tstzrange(NULL, NULL),
    set_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT budgets_pkey PRIMARY KEY (tenant_id, budget),
    CONSTRAINT budgets_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT budgets_budget_check CHECK (budget ~ '^[a-z0-9][a-z0-9_.-]{0,62}$'),
    CONSTRAINT budgets_amount_usd_check CHECK (amount_usd > 0 AND amount_usd <= 1e15),
    CONSTRAINT budgets_period_check CHECK (period IN ('day', 'week', 'month', 'quarter', 'custom')),
    CONSTRAINT budgets_timezone_check CHECK (('2000-01-01 00:00:00+00'::timestamptz AT TIME ZONE timezone) IS NOT NULL),
    CONSTRAINT budgets_thresholds_check CHECK (cardinality(thresholds) <= 20 AND array_position(thresholds, NULL) IS NULL
                                               AND 0 < ALL (thresholds) AND 1000 >= ALL (thresholds)),
    CONSTRAINT budgets_mode_check CHECK (mode IN ('alert', 'block')),
    CONSTRAINT budgets_unpriced_check CHECK (unpriced IN ('ignore', 'dearest')),
    CONSTRAINT budgets_daily_burst_percent_check CHECK (daily_burst_percent IS NULL OR (daily_burst_percent >= 0 AND daily_burst_percent <= 100000 AND period <> 'day')),
    CONSTRAINT budgets_valid_check CHECK (NOT isempty(valid) AND (lower_inf(valid) OR lower_inc(valid)) AND NOT upper_inc(valid)),
    CONSTRAINT budgets_custom_check CHECK (period <> 'custom' OR NOT (lower_inf(valid) OR upper_inf(valid)))
);
COMMENT ON TABLE bcce_data.budgets IS 'what may be spent on model calls in a period, by the tenant or by a part of it';
COMMENT ON COLUMN bcce_data.budgets.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.budgets.budget IS 'name of the budget';
COMMENT ON COLUMN bcce_data.budgets.amount_usd IS 'US dollars that may be spent in each period';
COMMENT ON COLUMN bcce_data.budgets.period IS 'day, week (from Monday), month or quarter of the zone, or custom: all of valid';
COMMENT ON COLUMN bcce_data.budgets.timezone IS 'IANA zone in which periods are cut';
COMMENT ON COLUMN bcce_data.budgets.team_id IS 'only calls of this team; NULL: of all';
COMMENT ON COLUMN bcce_data.budgets.user_key IS 'only calls of this person, by the pseudonym; NULL: of all';
COMMENT ON COLUMN bcce_data.budgets.project IS 'only calls of this project, redacted; NULL: of all';
COMMENT ON COLUMN bcce_data.budgets.model_id IS 'only calls of this model; NULL: of all';
COMMENT ON COLUMN bcce_data.budgets.workflow_id IS 'only calls of runs of this workflow; NULL: of all';
COMMENT ON COLUMN bcce_data.budgets.thresholds IS 'percent of the amount at which an alert fires';
COMMENT ON COLUMN bcce_data.budgets.mode IS 'alert, or block: budget_check() advises against further calls once the amount is spent';
COMMENT ON COLUMN bcce_data.budgets.unpriced IS 'how calls of unknown cost count: ignore (not at all), dearest (each token at the highest price in the book)';
COMMENT ON COLUMN bcce_data.budgets.daily_burst_percent IS 'percent by which a day may cost more than an even share of the period; NULL: days have no limit';
COMMENT ON COLUMN bcce_data.budgets.valid IS 'only calls in this time count, start inclusive, end exclusive';
COMMENT ON COLUMN bcce_data.budgets.set_at IS 'when the budget was first set; periods that had ended by then raise no alerts';

CREATE TABLE IF NOT EXISTS bcce_data.budget_alerts (
    tenant_id uuid NOT NULL,
    budget text NOT NULL,
    period_start_at timestamptz NOT NULL,
    threshold_percent numeric NOT NULL,
    kind text NOT NULL,
    spent_usd numeric NOT NULL,
    limit_usd numeric NOT NULL,
    forecast_usd numeric,
    at timestamptz NOT NULL,
    fired_at timestamptz NOT NULL,
    resolved_at timestamptz,
    times_fired integer NOT NULL DEFAULT 1,
    notified_at timestamptz NOT NULL,
    CONSTRAINT budget_alerts_pkey PRIMARY KEY (tenant_id, budget, period_start_at, threshold_percent, kind),
    CONSTRAINT budget_alerts_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT budget_alerts_kind_check CHECK (kind IN ('crossed', 'late', 'forecast', 'daily')),
    CONSTRAINT budget_alerts_times_fired_check CHECK (times_fired > 0)
);
CREATE INDEX IF NOT EXISTS budget_alerts_firing_idx ON bcce_data.budget_alerts (tenant_id, budget) WHERE resolved_at IS NULL;
COMMENT ON TABLE bcce_data.budget_alerts IS 'alerts of budgets, one row each however often it fires; they stay when a budget is changed or removed';
COMMENT ON COLUMN bcce_data.budget_alerts.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.budget_alerts.budget IS 'name of the budget';
COMMENT ON COLUMN bcce_data.budget_alerts.period_start_at IS 'start of the budget''s period; of the day for kind daily';
COMMENT ON COLUMN bcce_data.budget_alerts.threshold_percent IS 'percent of the limit';
COMMENT ON COLUMN bcce_data.budget_alerts.kind IS 'crossed (so much was spent), late (calls told after the period''s end crossed it), forecast (so much will be spent by its end), daily (so much was spent in a day)';
COMMENT ON COLUMN bcce_data.budget_alerts.spent_usd IS 'US dollars spent in the period, or the day, when it last fired';
COMMENT ON COLUMN bcce_data.budget_alerts.limit_usd IS 'US dollars that might be spent in the period, or the day, when it last fired';
COMMENT ON COLUMN bcce_data.budget_alerts.forecast_usd IS 'US dollars forecast for the end of the period when it last fired; NULL: none';
COMMENT ON COLUMN bcce_data.budget_alerts.at IS 'when it first fired';
COMMENT ON COLUMN bcce_data.budget_alerts.fired_at IS 'when it last fired';
COMMENT ON COLUMN bcce_data.budget_alerts.resolved_at IS 'when its cause was found gone; NULL: it fires';
COMMENT ON COLUMN bcce_data.budget_alerts.times_fired IS 'how often it fired, again after each time it was resolved';
COMMENT ON COLUMN bcce_data.budget_alerts.notified_at IS 'when listeners were last told of it';
