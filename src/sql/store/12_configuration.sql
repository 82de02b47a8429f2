-- Prices, thresholds, words and what was refused.  Defaults belong to nobody
-- and have no tenant_id; a tenant's own rows stand beside them.
CREATE TABLE IF NOT EXISTS bcce_data.default_unit_prices (
    item text NOT NULL,
    valid tstzrange NOT NULL DEFAULT tstzrange(NULL, NULL),
    price_usd numeric NOT NULL,
    currency text NOT NULL DEFAULT 'USD',
    CONSTRAINT default_unit_prices_pkey PRIMARY KEY (item, valid),
    CONSTRAINT default_unit_prices_item_check CHECK (item ~ '^[a-z][a-z0-9_.-]{0,62}$'),
    CONSTRAINT default_unit_prices_valid_check CHECK (NOT isempty(valid)),
    CONSTRAINT default_unit_prices_price_usd_check CHECK (price_usd >= 0 AND price_usd < 'Infinity'),
    CONSTRAINT default_unit_prices_currency_check CHECK (currency = 'USD')
);
COMMENT ON TABLE bcce_data.default_unit_prices IS 'prices of billable units for every tenant without a price of its own';
COMMENT ON COLUMN bcce_data.default_unit_prices.item IS 'what is charged: workflow_run, metric, prediction or a name of your own';
COMMENT ON COLUMN bcce_data.default_unit_prices.valid IS 'when the price holds, start inclusive, end exclusive; no two rows of an item overlap';
COMMENT ON COLUMN bcce_data.default_unit_prices.price_usd IS 'price of one unit in US dollars';
COMMENT ON COLUMN bcce_data.default_unit_prices.currency IS 'currency; only USD in this release';

CREATE TABLE IF NOT EXISTS bcce_data.unit_prices (
    tenant_id uuid NOT NULL,
    item text NOT NULL,
    valid tstzrange NOT NULL DEFAULT tstzrange(NULL, NULL),
    price_usd numeric NOT NULL,
    currency text NOT NULL DEFAULT 'USD',
    CONSTRAINT unit_prices_pkey PRIMARY KEY (tenant_id, item, valid),
    CONSTRAINT unit_prices_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT unit_prices_item_check CHECK (item ~ '^[a-z][a-z0-9_.-]{0,62}$'),
    CONSTRAINT unit_prices_valid_check CHECK (NOT isempty(valid)),
    CONSTRAINT unit_prices_price_usd_check CHECK (price_usd >= 0 AND price_usd < 'Infinity'),
    CONSTRAINT unit_prices_currency_check CHECK (currency = 'USD')
);
COMMENT ON TABLE bcce_data.unit_prices IS 'a tenant''s own prices; where one holds it beats the default';
COMMENT ON COLUMN bcce_data.unit_prices.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.unit_prices.item IS 'what is charged';
COMMENT ON COLUMN bcce_data.unit_prices.valid IS 'when the price holds, start inclusive, end exclusive; no two rows of an item overlap';
COMMENT ON COLUMN bcce_data.unit_prices.price_usd IS 'price of one unit in US dollars';
COMMENT ON COLUMN bcce_data.unit_prices.currency IS 'currency; only USD in this release';

-- Overlap is refused under a lock, without asking for the btree_gist extension.
-- The lock is on a row that only bcce can lock: anybody may take an advisory one.
CREATE OR REPLACE FUNCTION bcce_data.refuse_price_overlap() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    owner_tenant uuid;
    is_overlap boolean;
BEGIN
    IF TG_TABLE_NAME = 'unit_prices' THEN
        owner_tenant := NEW.tenant_id;
        PERFORM FROM bcce_data.tenants t WHERE t.tenant_id = owner_tenant FOR NO KEY UPDATE;
        SELECT count(*) > 1 INTO is_overlap FROM bcce_data.unit_prices p
        WHERE p.tenant_id = owner_tenant AND p.item = NEW.item AND p.valid && NEW.valid;
    ELSE
        PERFORM FROM bcce_data.schema_version FOR NO KEY UPDATE;
        SELECT count(*) > 1 INTO is_overlap FROM bcce_data.default_unit_prices p
        WHERE p.item = NEW.item AND p.valid && NEW.valid;
    END IF;
    IF is_overlap THEN
        PERFORM bcce.raise_error('23P01', 'the validity of two prices of one item would overlap', NULL,
            'Use bcce.set_price(), which ends the earlier price where the new one begins.');
    END IF;
    RETURN NULL;
END
$body$;
COMMENT ON FUNCTION bcce_data.refuse_price_overlap() IS 'refuses a price whose validity overlaps another of the same item (SQLSTATE 23P01)';

CREATE OR REPLACE TRIGGER refuse_overlap AFTER INSERT OR UPDATE ON bcce_data.default_unit_prices
    FOR EACH ROW EXECUTE FUNCTION bcce_data.refuse_price_overlap();
CREATE OR REPLACE TRIGGER refuse_overlap AFTER INSERT OR UPDATE ON bcce_data.unit_prices
    FOR EACH ROW EXECUTE FUNCTION bcce_data.refuse_price_overlap();

-- Prices of the chargeback tariff; a DBA changes them with set_price().
INSERT INTO bcce_data.default_unit_prices (item, price_usd)
SELECT item, price_usd
FROM (VALUES ('workflow_run', 0.01), ('metric', 0.005), ('prediction', 0.02)) AS seed (item, price_usd)
WHERE NOT EXISTS (SELECT FROM bcce_data.default_unit_prices p WHERE p.item = seed.item);

CREATE TABLE IF NOT EXISTS bcce_data.default_health_thresholds (
    threshold text NOT NULL,
    value double precision NOT NULL,
    unit text NOT NULL,
    meaning text NOT NULL,
    CONSTRAINT default_health_thresholds_pkey PRIMARY KEY (threshold),
    CONSTRAINT default_health_thresholds_value_check CHECK (value >= 0 AND value <= 1e15)
);
COMMENT ON TABLE bcce_data.default_health_thresholds IS 'limits at which service_health_dashboard calls a service degraded, down or stale';
COMMENT ON COLUMN bcce_data.default_health_thresholds.threshold IS 'name of the limit';
COMMENT ON COLUMN bcce_data.default_health_thresholds.value IS 'the limit';
COMMENT ON COLUMN bcce_data.default_health_thresholds.unit IS 'unit of the value';
COMMENT ON COLUMN bcce_data.default_health_thresholds.meaning IS 'what passing it means';

INSERT INTO bcce_data.default_health_thresholds (threshold, value, unit, meaning)
VALUES ('window_minutes', 15, 'minutes', 'length of the window that is judged'),
       ('stale_after_minutes', 15, 'minutes', 'stale when the last sample is older and the service declares no interval'),
       ('stale_intervals', 3, 'intervals', 'stale when the last sample is older than so many declared intervals'),
       ('down_error_percent', 50, 'percent', 'down at this error rate or above'),
       ('down_min_requests', 10, 'requests', 'fewest requests for down by error rate'),
       ('degraded_error_percent', 5, 'percent', 'degraded above this error rate'),
       ('degraded_min_requests', 20, 'requests', 'fewest requests for degraded by error rate'),
       ('degraded_p95_latency_ms', 2000, 'milliseconds', 'degraded above this p95 latency'),
       ('degraded_cpu_percent', 70, 'percent', 'degraded above this CPU use'),
       ('degraded_memory_percent', 80, 'percent', 'degraded above this memory use'),
       ('degraded_storage_percent', 85, 'percent', 'degraded above this storage use'),
       ('degraded_network_percent', 60, 'percent', 'degraded above this network use'),
       ('fast_burn_rate', 14.4, 'times', 'degraded when the error budget burns faster over both fast windows'),
       ('fast_burn_long_minutes', 60, 'minutes', 'length of the long fast window'),
       ('fast_burn_short_minutes', 5, 'minutes', 'length of the short fast window'),
       ('slow_burn_rate', 6, 'times', 'degraded when the error budget burns faster over both slow windows'),
       ('slow_burn_long_minutes', 360, 'minutes', 'length of the long slow window'),
       ('slow_burn_short_minutes', 30, 'minutes', 'length of the short slow window'),
       ('burn_min_requests', 20, 'requests', 'fewest requests in a short window for a burn rate'),
       ('status_lookback_minutes', 1440, 'minutes', 'how far back status_since looks')
ON CONFLICT (threshold) DO NOTHING;

CREATE TABLE IF NOT EXISTS bcce_data.health_thresholds (
    tenant_id uuid NOT NULL,
    service_id text NOT NULL DEFAULT '*',
    threshold text NOT NULL,
    value double precision NOT NULL,
    CONSTRAINT health_thresholds_pkey PRIMARY KEY (tenant_id, service_id, threshold),
    CONSTRAINT health_thresholds_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT health_thresholds_threshold_fkey FOREIGN KEY (threshold) REFERENCES bcce_data.default_health_thresholds,
    CONSTRAINT health_thresholds_value_check CHECK (value >= 0 AND value <= 1e15)
);
COMMENT ON TABLE bcce_data.health_thresholds IS 'a tenant''s own limits, for one service or for all';
COMMENT ON COLUMN bcce_data.health_thresholds.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.health_thresholds.service_id IS 'service, or * for all of the tenant''s';
COMMENT ON COLUMN bcce_data.health_thresholds.threshold IS 'name of the limit, as in default_health_thresholds';
COMMENT ON COLUMN bcce_data.health_thresholds.value IS 'the limit';

CREATE TABLE IF NOT EXISTS bcce_data.default_value_aliases (
    domain text NOT NULL,
    alias text NOT NULL,
    value text NOT NULL,
    CONSTRAINT default_value_aliases_pkey PRIMARY KEY (domain, alias),
    CONSTRAINT default_value_aliases_domain_check CHECK (domain IN ('run_status', 'severity', 'incident_status')),
    CONSTRAINT default_value_aliases_alias_check CHECK (alias = lower(btrim(alias)) AND length(alias) BETWEEN 1 AND 100)
);
COMMENT ON TABLE bcce_data.default_value_aliases IS 'senders'' words and the reports'' words for them';
COMMENT ON COLUMN bcce_data.default_value_aliases.domain IS 'run_status, severity or incident_status';
COMMENT ON COLUMN bcce_data.default_value_aliases.alias IS 'a sender''s word, lower case';
COMMENT ON COLUMN bcce_data.default_value_aliases.value IS 'the reports'' word';

INSERT INTO bcce_data.default_value_aliases (domain, value, alias)
SELECT domain, value, unnest(string_to_array(aliases, ','))
FROM (VALUES
    ('run_status', 'running', 'running,in_progress,in progress,started,active'),
    ('run_status', 'succeeded', 'succeeded,success,successful,passed,pass,ok,completed,complete,done,neutral'),
    ('run_status', 'failed', 'failed,failure,fail,error,errored,broken,startup_failure'),
    ('run_status', 'timed_out', 'timed_out,timed out,timeout,time_out'),
    ('run_status', 'cancelled', 'cancelled,canceled,aborted,stopped,stale'),
    ('run_status', 'skipped', 'skipped,skip,action_required,not_run'),
    ('severity', 'sev1', 'sev1,sev-1,sev 1,1,p1,critical,1 - critical,1 - high,blocker'),
    ('severity', 'sev2', 'sev2,sev-2,sev 2,2,p2,high,major,2 - high,2 - medium'),
    ('severity', 'sev3', 'sev3,sev-3,sev 3,3,p3,medium,moderate,3 - moderate,3 - medium,3 - low'),
    ('severity', 'sev4', 'sev4,sev-4,sev 4,4,p4,low,minor,4 - low,info,informational'),
    ('incident_status', 'open', 'open,new,active,in_progress,in progress,triggered,reopened,awaiting user info,awaiting vendor,awaiting problem,awaiting evidence,-100'),
    ('incident_status', 'acknowledged', 'acknowledged,ack,investigating,identified'),
    ('incident_status', 'mitigated', 'mitigated,monitoring'),
    ('incident_status', 'resolved', 'resolved,recovered,fixed'),
    ('incident_status', 'closed', 'closed,done,cancelled,canceled')
) AS seed (domain, value, aliases)
ON CONFLICT (domain, alias) DO NOTHING;

CREATE TABLE IF NOT EXISTS bcce_data.value_aliases (
    tenant_id uuid NOT NULL,
    domain text NOT NULL,
    alias text NOT NULL,
    value text NOT NULL,
    CONSTRAINT value_aliases_pkey PRIMARY KEY (tenant_id, domain, alias),
    CONSTRAINT value_aliases_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT value_aliases_domain_check CHECK (domain IN ('run_status', 'severity', 'incident_status')),
    CONSTRAINT value_aliases_alias_check CHECK (alias = lower(btrim(alias)) AND length(alias) BETWEEN 1 AND 100),
    CONSTRAINT value_aliases_value_check CHECK (
        (domain = 'run_status' AND value IN ('running', 'succeeded', 'failed', 'timed_out', 'cancelled', 'skipped'))
        OR (domain = 'severity' AND value IN ('sev1', 'sev2', 'sev3', 'sev4'))
        OR (domain = 'incident_status' AND value IN ('open', 'acknowledged', 'mitigated', 'resolved', 'closed')))
);
COMMENT ON TABLE bcce_data.value_aliases IS 'a tenant''s own words, beside and before the defaults';
COMMENT ON COLUMN bcce_data.value_aliases.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.value_aliases.domain IS 'run_status, severity or incident_status';
COMMENT ON COLUMN bcce_data.value_aliases.alias IS 'the sender''s word, lower case';
COMMENT ON COLUMN bcce_data.value_aliases.value IS 'the reports'' word';

-- What a tenant wants redacted besides the built-in kinds.  A literal may be the
-- secret itself: no report shows it, and a trigger refuses bad rules before a
-- constraint could show the row.
CREATE TABLE IF NOT EXISTS bcce_data.redaction_rules (
    tenant_id uuid NOT NULL,
    rule text NOT NULL,
    kind text NOT NULL,
    literal text NOT NULL,
    ignore_case boolean NOT NULL DEFAULT false,
    character_class text,
    min_length integer,
    max_length integer,
    pattern text,
    context_words text[],
    style text,
    enabled boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT redaction_rules_pkey PRIMARY KEY (tenant_id, rule),
    CONSTRAINT redaction_rules_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT redaction_rules_rule_check CHECK (rule ~ '^[a-z][a-z0-9_]{0,19}$'),
    CONSTRAINT redaction_rules_kind_check CHECK (kind IN ('literal', 'prefix', 'regex')),
    CONSTRAINT redaction_rules_character_class_check CHECK (character_class IN ('digits', 'hex', 'letters', 'alnum', 'token')),
    CONSTRAINT redaction_rules_style_check CHECK (style IN ('tag', 'mask', 'numbered', 'drop', 'hash'))
);
COMMENT ON TABLE bcce_data.redaction_rules IS 'what a tenant wants redacted besides the built-in kinds; bcce.set_redaction_rule() writes it';
COMMENT ON COLUMN bcce_data.redaction_rules.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.redaction_rules.rule IS 'name of the rule; in upper case the tag of its hits';
COMMENT ON COLUMN bcce_data.redaction_rules.kind IS 'literal: the literal as a word; prefix: the literal and a run of characters behind it; regex: what an expression matches around the literal';
COMMENT ON COLUMN bcce_data.redaction_rules.literal IS 'text, prefix or necessary part of the expression, 3 to 100 bytes; shown to nobody';
COMMENT ON COLUMN bcce_data.redaction_rules.ignore_case IS 'letters a-z of the literal match their capitals, too; an expression has (?i) for it';
COMMENT ON COLUMN bcce_data.redaction_rules.character_class IS 'of kind prefix: digits, hex, letters, alnum or token (letters, digits, _ and -)';
COMMENT ON COLUMN bcce_data.redaction_rules.min_length IS 'of kind prefix: fewest characters behind the literal';
COMMENT ON COLUMN bcce_data.redaction_rules.max_length IS 'of kind prefix: most characters behind it, at most 256';
COMMENT ON COLUMN bcce_data.redaction_rules.pattern IS 'of kind regex: the expression, seen on 256 bytes on each side of the literal; shown to nobody';
COMMENT ON COLUMN bcce_data.redaction_rules.context_words IS 'where given, one of these words must stand in the 48 bytes before a hit or in its key; lower case; shown to nobody';
COMMENT ON COLUMN bcce_data.redaction_rules.style IS 'tag, mask, numbered, drop or hash; NULL: as the tenant''s other findings';
COMMENT ON COLUMN bcce_data.redaction_rules.enabled IS 'false: the rule is kept and not used';
COMMENT ON COLUMN bcce_data.redaction_rules.created_at IS 'when the rule was made';

CREATE TABLE IF NOT EXISTS bcce_data.redaction_styles (
    tenant_id uuid NOT NULL,
    style text NOT NULL,
    CONSTRAINT redaction_styles_pkey PRIMARY KEY (tenant_id),
    CONSTRAINT redaction_styles_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants,
    CONSTRAINT redaction_styles_style_check CHECK (style IN ('tag', 'mask', 'numbered', 'drop', 'hash'))
);
COMMENT ON TABLE bcce_data.redaction_styles IS 'in which style a tenant''s findings are replaced, where it is another than tag';
COMMENT ON COLUMN bcce_data.redaction_styles.tenant_id IS 'tenant';
COMMENT ON COLUMN bcce_data.redaction_styles.style IS 'tag, mask, numbered, drop or hash';

-- Append-only, so that writers never wait for each other; maintain() folds it.
CREATE TABLE IF NOT EXISTS bcce_data.rejected_input (
    tenant_id uuid NOT NULL,
    source text NOT NULL,
    reason text NOT NULL,
    example_key text,
    rejected_count bigint NOT NULL DEFAULT 1,
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS rejected_input_tenant_idx ON bcce_data.rejected_input (tenant_id, source, reason);
COMMENT ON TABLE bcce_data.rejected_input IS 'rows that an inbox or ingest_events() refused: counted, never kept';
COMMENT ON COLUMN bcce_data.rejected_input.tenant_id IS 'tenant of the writer; all zeros where the writer has none';
COMMENT ON COLUMN bcce_data.rejected_input.source IS 'inbox or function that refused the row';
COMMENT ON COLUMN bcce_data.rejected_input.reason IS 'reason, as in rejection_reasons';
COMMENT ON COLUMN bcce_data.rejected_input.example_key IS 'id of one such row, pseudonymised where it holds personal data';
COMMENT ON COLUMN bcce_data.rejected_input.rejected_count IS 'how many rows';
COMMENT ON COLUMN bcce_data.rejected_input.first_seen_at IS 'first such row';
COMMENT ON COLUMN bcce_data.rejected_input.last_seen_at IS 'last such row';

-- Append-only likewise: the trigger adds one row for each transaction, table and
-- kind.  Times are cut to the quarter of an hour, at which every zone's days
-- begin, so that adding rows up loses nothing.
CREATE TABLE IF NOT EXISTS bcce_data.redaction_counts (
    tenant_id uuid NOT NULL,
    source text NOT NULL,
    kind text NOT NULL,
    rule text,
    redaction_count bigint NOT NULL,
    counted_at timestamptz NOT NULL DEFAULT date_bin('15 minutes', now(), '2000-01-01 00:00:00+00'),
    CONSTRAINT redaction_counts_source_check CHECK (source ~ '^[a-z0-9_]+([.][a-z0-9_]+)?$'),
    CONSTRAINT redaction_counts_kind_check CHECK (kind ~ '^[a-z_]+$'),
    CONSTRAINT redaction_counts_rule_check CHECK (rule ~ '^[a-z][a-z0-9_]{0,19}$')
);
CREATE INDEX IF NOT EXISTS redaction_counts_tenant_idx ON bcce_data.redaction_counts (tenant_id, counted_at);
COMMENT ON TABLE bcce_data.redaction_counts IS 'how much was redacted: counted, never kept';
COMMENT ON COLUMN bcce_data.redaction_counts.tenant_id IS 'tenant of the rows';
COMMENT ON COLUMN bcce_data.redaction_counts.source IS 'table they were written to: one of the store, or schema.table; other where that is no plain name';
COMMENT ON COLUMN bcce_data.redaction_counts.kind IS 'kind of what was found, as find_pii() spells it; custom for the tenant''s own rules';
COMMENT ON COLUMN bcce_data.redaction_counts.rule IS 'of kind custom: the rule that found it';
COMMENT ON COLUMN bcce_data.redaction_counts.redaction_count IS 'how many findings were replaced';
COMMENT ON COLUMN bcce_data.redaction_counts.counted_at IS 'quarter of an hour (UTC) in which the transaction began';

CREATE TABLE IF NOT EXISTS bcce_data.rejection_reasons (
    reason text NOT NULL,
    sqlstate text NOT NULL,
    message text NOT NULL,
    hint text NOT NULL,
    CONSTRAINT rejection_reasons_pkey PRIMARY KEY (reason)
);
COMMENT ON TABLE bcce_data.rejection_reasons IS 'why input is refused: one text for the error of a function and for the row in bcce.rejected';
COMMENT ON COLUMN bcce_data.rejection_reasons.reason IS 'short name';
COMMENT ON COLUMN bcce_data.rejection_reasons.sqlstate IS 'SQLSTATE where a function raises it';
COMMENT ON COLUMN bcce_data.rejection_reasons.message IS 'what is wrong';
COMMENT ON COLUMN bcce_data.rejection_reasons.hint IS 'the way out';

INSERT INTO bcce_data.rejection_reasons (reason, sqlstate, message, hint)
VALUES
    ('unknown_tenant', 'P0002', 'tenant not found',
     'Give a slug, external id or uuid of a tenant that you may write for, or leave it out where you have exactly one; bcce.whoami() lists them.'),
    ('missing_id', '22004', 'a required identifier is missing',
     'Give the id of the workflow, service, model or target that the row is about.'),
    ('key_too_long', '22001', 'an identifier is longer than 256 characters',
     'Send the id of the thing, not its content.'),
    ('missing_time', '22004', 'a required time is missing or cannot be read',
     'Give an ISO 8601 instant with its zone, such as 2026-01-31T12:00:00Z.'),
    ('bad_time', '22007', 'a time cannot be read',
     'Give an ISO 8601 instant with its zone, such as 2026-01-31T12:00:00Z.'),
    ('time_out_of_range', '22008', 'a time lies outside the years 1970 to 2200',
     'Check the unit: milliseconds since 1970 must be divided by 1000 and converted first.'),
    ('finished_before_started', '23514', 'the end lies before the start',
     'Check the zone of both times and that they are not swapped.'),
    ('finished_missing', '23514', 'a finished state needs the time at which it was reached',
     'Give finished_at together with succeeded, failed, timed_out, cancelled or skipped.'),
    ('finished_while_running', '23514', 'a running run has no end',
     'Leave finished_at empty while the status is running.'),
    ('unknown_status', '22023', 'unknown status word',
     'Known: running, succeeded, failed, timed_out, cancelled, skipped for runs, open, acknowledged, mitigated, resolved, closed for incidents, and common synonyms; teach it yours with bcce.add_value_alias().'),
    ('unknown_severity', '22023', 'unknown severity word',
     'Known: sev1 to sev4 and common synonyms such as critical, high, medium, low; teach it yours with bcce.add_value_alias().'),
    ('bad_number', '22003', 'a number cannot be read or is not finite within 1e15',
     'Send plain decimal numbers; leave the field empty where there is no value.'),
    ('negative_number', '22003', 'a count or measurement is negative',
     'Counts, latencies, tokens and money start at zero.'),
    ('bad_percent', '22003', 'a percentage lies outside 0 to 100',
     'Send 42.5 for 42.5 percent.'),
    ('bad_digest', '22023', 'a latency digest cannot be read',
     'Send a sketch as it is shown, or an exponential histogram of OpenTelemetry as JSON.'),
    ('bad_probability', '22003', 'a probability lies outside 0 to 1',
     'Send 0.425 for 42.5 percent.'),
    ('missing_horizon', '22004', 'a prediction about a service needs a horizon',
     'Give horizon_seconds: how long after the prediction the failure is expected.'),
    ('bad_outcome', '22023', 'an outcome is neither 0 nor 1',
     'Send 1 where the failure came, 0 where it did not.'),
    ('unknown_target_kind', '22023', 'unknown kind of target',
     'A prediction is about a run, a service, or something external.'),
    ('bad_boolean', '22023', 'a yes/no value cannot be read',
     'Send true or false.'),
    ('bad_json', '22P02', 'a JSON document cannot be read',
     'Send a JSON object in UTF-8 without \u0000.'),
    ('not_an_object', '22023', 'an event is not a JSON object',
     'ingest_event() takes one object, ingest_events() an array of them.'),
    ('bad_address', '22P02', 'an IP address cannot be read',
     'Send one IPv4 or IPv6 address without a port.'),
    ('unknown_inbox', '22023', 'unknown inbox',
     'inbox is workflow_runs, incidents, metrics, predictions, model_usage or events.'),
    ('unknown_incident', 'P0002', 'incident not found',
     'Record the incident first, under the same id and tenant.'),
    ('unknown_prediction', 'P0002', 'prediction not found',
     'Give the prediction_id with which it was recorded.'),
    ('no_event_type', '22004', 'an event has no type',
     'Give event_type, such as page_view, search, faq_view or chat_session.')
ON CONFLICT (reason) DO UPDATE
SET sqlstate = excluded.sqlstate, message = excluded.message, hint = excluded.hint;
