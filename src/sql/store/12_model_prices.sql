-- Token prices of language models, on two axes of time: when a price holds, and
-- when it was known.  A row is never changed but to end what was known of it, so
-- that a cost can be computed again as it was, to the digit.  Multipliers and
-- other names of models are rows as well.
DO $do$
DECLARE
    place record;
BEGIN
    -- The defaults belong to nobody; a tenant's own rows have the same columns.
    FOR place IN
        SELECT * FROM (VALUES ('default_', '', '', ''),
            ('', 'tenant_id uuid NOT NULL, ', 'tenant_id, ', ', CONSTRAINT %1$s_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES bcce_data.tenants')
        ) AS t (prefix, tenant_column, tenant_key, tenant_reference)
    LOOP
        EXECUTE format('CREATE TABLE IF NOT EXISTS bcce_data.%1$s (' || place.tenant_column || $sql$
            model_id text NOT NULL,
            token_class text NOT NULL,
            context_above bigint NOT NULL DEFAULT 0,
            service_tier text NOT NULL DEFAULT 'standard',
            valid tstzrange NOT NULL DEFAULT tstzrange(NULL, NULL),
            known tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
            price_usd numeric NOT NULL,
            currency text NOT NULL DEFAULT 'USD',
            source text NOT NULL DEFAULT 'entered',
            CONSTRAINT %1$s_pkey PRIMARY KEY ($sql$ || place.tenant_key || $sql$model_id, token_class, context_above, service_tier, valid, known),
            CONSTRAINT %1$s_model_id_check CHECK (length(model_id) BETWEEN 1 AND 256),
            CONSTRAINT %1$s_token_class_check CHECK (token_class IN ('input', 'output', 'cache_read', 'cache_write_5m', 'cache_write_1h', 'web_search', 'second')),
            CONSTRAINT %1$s_context_above_check CHECK (context_above BETWEEN 0 AND 1000000000000),
            CONSTRAINT %1$s_service_tier_check CHECK (service_tier IN ('standard', 'batch', 'flex', 'priority')),
            CONSTRAINT %1$s_price_usd_check CHECK (price_usd >= 0 AND price_usd <= 1000000 AND price_usd = round(price_usd, 12)),
            CONSTRAINT %1$s_valid_check CHECK (NOT isempty(valid) AND (lower_inf(valid) OR lower_inc(valid)) AND NOT upper_inc(valid)),
            CONSTRAINT %1$s_known_check CHECK (NOT isempty(known) AND NOT lower_inf(known) AND lower_inc(known) AND NOT upper_inc(known)),
            CONSTRAINT %1$s_currency_check CHECK (currency = 'USD')$sql$ || place.tenant_reference || ')', place.prefix || 'model_prices');
        EXECUTE format('CREATE TABLE IF NOT EXISTS bcce_data.%1$s (' || place.tenant_column || $sql$
            model_id text NOT NULL,
            factor_kind text NOT NULL,
            valid tstzrange NOT NULL DEFAULT tstzrange(NULL, NULL),
            known tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
            factor numeric NOT NULL,
            source text NOT NULL DEFAULT 'entered',
            CONSTRAINT %1$s_pkey PRIMARY KEY ($sql$ || place.tenant_key || $sql$model_id, factor_kind, valid, known),
            CONSTRAINT %1$s_model_id_check CHECK (length(model_id) BETWEEN 1 AND 256),
            CONSTRAINT %1$s_factor_kind_check CHECK (factor_kind IN ('fast', 'us', 'batch', 'discount')),
            CONSTRAINT %1$s_factor_check CHECK (factor > 0 AND factor <= 1000 AND factor = round(factor, 4)),
            CONSTRAINT %1$s_valid_check CHECK (NOT isempty(valid) AND (lower_inf(valid) OR lower_inc(valid)) AND NOT upper_inc(valid)),
            CONSTRAINT %1$s_known_check CHECK (NOT isempty(known) AND NOT lower_inf(known) AND lower_inc(known) AND NOT upper_inc(known))$sql$
            || place.tenant_reference || ')', place.prefix || 'model_price_factors');
        EXECUTE format('CREATE TABLE IF NOT EXISTS bcce_data.%1$s (' || place.tenant_column || $sql$
            alias text NOT NULL,
            valid tstzrange NOT NULL DEFAULT tstzrange(NULL, NULL),
            known tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
            model_id text NOT NULL,
            note text,
            CONSTRAINT %1$s_pkey PRIMARY KEY ($sql$ || place.tenant_key || $sql$alias, valid, known),
            CONSTRAINT %1$s_alias_check CHECK (length(alias) >= 1 AND length(alias) <= 256 AND alias <> model_id),
            CONSTRAINT %1$s_model_id_check CHECK (length(model_id) BETWEEN 1 AND 256),
            CONSTRAINT %1$s_valid_check CHECK (NOT isempty(valid) AND (lower_inf(valid) OR lower_inc(valid)) AND NOT upper_inc(valid)),
            CONSTRAINT %1$s_known_check CHECK (NOT isempty(known) AND NOT lower_inf(known) AND lower_inc(known) AND NOT upper_inc(known))$sql$
            || place.tenant_reference || ')', place.prefix || 'model_aliases');
    END LOOP;

    -- What the columns mean, once for all six tables.
    FOR place IN
        SELECT a.attrelid::regclass AS name, a.attname AS column_name,
            CASE a.attname
                WHEN 'tenant_id' THEN 'tenant'
                WHEN 'model_id' THEN CASE WHEN a.attrelid::regclass::text LIKE '%model_aliases' THEN 'the model that is meant'
                    WHEN a.attrelid::regclass::text LIKE '%factors' THEN 'model, or * for all' ELSE 'model as the provider names it' END
                WHEN 'alias' THEN 'another name of a model'
                WHEN 'token_class' THEN 'what is counted: input, output, cache_read, cache_write_5m, cache_write_1h (tokens), web_search (searches), second (priced by time, not by tokens)'
                WHEN 'context_above' THEN 'the price holds for a whole request whose input, cache reads and cache writes are more tokens than this; 0: any'
                WHEN 'service_tier' THEN 'standard, batch, flex or priority'
                WHEN 'factor_kind' THEN 'what multiplies token prices: fast (speed fast), us (inference within the US), batch (where batches have no prices of their own), discount'
                WHEN 'factor' THEN 'the multiplier, up to four decimals; searches are not multiplied'
                WHEN 'valid' THEN 'when it holds, start inclusive, end exclusive'
                WHEN 'known' THEN 'when the store knew it: from when it was entered until it was withdrawn or replaced'
                WHEN 'price_usd' THEN 'price of one token (search, second) in US dollars, up to twelve decimals'
                WHEN 'currency' THEN 'currency; only USD in this release'
                WHEN 'source' THEN 'where the price comes from'
                WHEN 'note' THEN 'why'
            END AS meaning
        FROM pg_attribute a
        WHERE a.attrelid IN ('bcce_data.default_model_prices'::regclass, 'bcce_data.model_prices'::regclass,
            'bcce_data.default_model_price_factors'::regclass, 'bcce_data.model_price_factors'::regclass,
            'bcce_data.default_model_aliases'::regclass, 'bcce_data.model_aliases'::regclass)
          AND a.attnum > 0 AND NOT a.attisdropped
    LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', place.name, place.column_name, place.meaning);
    END LOOP;
END
$do$;
COMMENT ON TABLE bcce_data.default_model_prices IS 'token prices for every tenant without a price of its own; not two rows of one price hold and are known at once';
COMMENT ON TABLE bcce_data.model_prices IS 'a tenant''s own token prices; where one holds it beats the default of the same class, context and tier';
COMMENT ON TABLE bcce_data.default_model_price_factors IS 'multipliers of token prices for every tenant without one of its own';
COMMENT ON TABLE bcce_data.model_price_factors IS 'a tenant''s own multipliers, discounts among them';
COMMENT ON TABLE bcce_data.default_model_aliases IS 'other names of models';
COMMENT ON TABLE bcce_data.model_aliases IS 'a tenant''s own names of models, inference profiles for example';

-- Two rows of one key may not hold at one time and be known at one time.  The
-- lock is on a row that only bcce can lock: anybody may take an advisory one.
CREATE OR REPLACE FUNCTION bcce_data.refuse_model_price_overlap() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    is_overlap boolean;
BEGIN
    IF TG_TABLE_NAME LIKE 'default\_%' THEN
        PERFORM FROM bcce_data.schema_version FOR NO KEY UPDATE;
    ELSE
        PERFORM FROM bcce_data.tenants t WHERE t.tenant_id = NEW.tenant_id FOR NO KEY UPDATE;
    END IF;
    CASE TG_TABLE_NAME
        WHEN 'default_model_prices' THEN
            SELECT count(*) > 1 INTO is_overlap FROM bcce_data.default_model_prices p
            WHERE p.model_id = NEW.model_id AND p.token_class = NEW.token_class AND p.context_above = NEW.context_above
              AND p.service_tier = NEW.service_tier AND p.valid && NEW.valid AND p.known && NEW.known;
        WHEN 'model_prices' THEN
            SELECT count(*) > 1 INTO is_overlap FROM bcce_data.model_prices p
            WHERE p.tenant_id = NEW.tenant_id AND p.model_id = NEW.model_id AND p.token_class = NEW.token_class
              AND p.context_above = NEW.context_above AND p.service_tier = NEW.service_tier AND p.valid && NEW.valid AND p.known && NEW.known;
        WHEN 'default_model_price_factors' THEN
            SELECT count(*) > 1 INTO is_overlap FROM bcce_data.default_model_price_factors p
            WHERE p.model_id = NEW.model_id AND p.factor_kind = NEW.factor_kind AND p.valid && NEW.valid AND p.known && NEW.known;
        WHEN 'model_price_factors' THEN
            SELECT count(*) > 1 INTO is_overlap FROM bcce_data.model_price_factors p
            WHERE p.tenant_id = NEW.tenant_id AND p.model_id = NEW.model_id AND p.factor_kind = NEW.factor_kind
              AND p.valid && NEW.valid AND p.known && NEW.known;
        WHEN 'default_model_aliases' THEN
            SELECT count(*) > 1 INTO is_overlap FROM bcce_data.default_model_aliases p
            WHERE p.alias = NEW.alias AND p.valid && NEW.valid AND p.known && NEW.known;
        WHEN 'model_aliases' THEN
            SELECT count(*) > 1 INTO is_overlap FROM bcce_data.model_aliases p
            WHERE p.tenant_id = NEW.tenant_id AND p.alias = NEW.alias AND p.valid && NEW.valid AND p.known && NEW.known;
    END CASE;
    IF is_overlap THEN
        PERFORM bcce.raise_error('23P01', 'two prices of one kind would hold at one time', NULL,
            'Use bcce.set_model_price() or bcce.import_prices(), which end the earlier price where the new one begins.');
    END IF;
    RETURN NULL;
END
$body$;
COMMENT ON FUNCTION bcce_data.refuse_model_price_overlap() IS 'refuses a price, multiplier or alias that holds and is known together with another of the same key (SQLSTATE 23P01)';

DO $do$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['default_model_prices', 'model_prices', 'default_model_price_factors', 'model_price_factors',
                                'default_model_aliases', 'model_aliases'] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER refuse_overlap AFTER INSERT OR UPDATE ON bcce_data.%I FOR EACH ROW EXECUTE FUNCTION bcce_data.refuse_model_price_overlap()', name);
    END LOOP;
END
$do$;

-- What the store knows without a list: Anthropic's models at Anthropic and on
-- Amazon Bedrock, dollars per million tokens.  A model that has any price stays
-- as it is: a DBA's own prices, or an imported list, are not touched.
DO $do$
BEGIN
    IF EXISTS (SELECT FROM bcce_data.default_model_prices) THEN
        RETURN;
    END IF;
    INSERT INTO bcce_data.default_model_prices (model_id, token_class, context_above, price_usd, source)
    WITH family AS (
        -- above_200k: Sonnet 4 and 4.5 cost twice as much (output one and a half times) there.
        SELECT * FROM (VALUES
            ('claude-fable-5', 10, 50, true, false), ('claude-opus-5', 5, 25, true, false), ('claude-opus-4-8', 5, 25, true, false),
            ('claude-opus-4-7', 5, 25, true, false), ('claude-opus-4-6', 5, 25, true, false), ('claude-opus-4-5', 5, 25, true, false),
            ('claude-opus-4-1', 15, 75, true, false), ('claude-opus-4', 15, 75, true, false), ('claude-sonnet-5', 2, 10, true, false),
            ('claude-sonnet-4-6', 3, 15, true, false), ('claude-sonnet-4-5', 3, 15, true, true), ('claude-sonnet-4', 3, 15, true, true),
            ('claude-haiku-4-5', 1, 5, false, false)
        ) AS t (model, input, output, has_search, above_200k)
    ),
    -- Names on Bedrock; a profile of one region costs a tenth more than a global one.
    name AS (
        SELECT f.*, f.model AS model_id, 1.0 AS uplift FROM family AS f
        UNION ALL
        SELECT f.*, place.prefix || 'anthropic.' || cloud.name, place.uplift
        FROM (VALUES ('claude-fable-5', 'claude-fable-5', '{us.,eu.}'), ('claude-opus-5', 'claude-opus-5', '{us.,eu.,au.,jp.}'),
            ('claude-opus-4-8', 'claude-opus-4-8', '{us.,eu.,au.,jp.}'), ('claude-opus-4-7', 'claude-opus-4-7', '{us.,eu.,au.}'),
            ('claude-opus-4-6', 'claude-opus-4-6-v1', '{us.,eu.,au.}'), ('claude-sonnet-5', 'claude-sonnet-5', '{us.,eu.,au.,jp.}'),
            ('claude-sonnet-4-6', 'claude-sonnet-4-6', '{us.,eu.,au.,jp.}'),
            ('claude-sonnet-4-5', 'claude-sonnet-4-5-20250929-v1:0', '{us.,eu.,au.,jp.}'),
            ('claude-haiku-4-5', 'claude-haiku-4-5-20251001-v1:0', '{us.,eu.,au.,jp.}')
        ) AS cloud (model, name, regions)
        JOIN family AS f ON f.model = cloud.model
        CROSS JOIN LATERAL (
            SELECT prefix, 1.0 AS uplift FROM unnest(ARRAY['', 'global.']) AS prefix
            UNION ALL SELECT prefix, 1.1 FROM unnest(cloud.regions::text[]) AS prefix
        ) AS place
    )
    SELECT n.model_id, c.token_class, c.context_above, trim_scale(n.uplift * c.factor * CASE c.token_class WHEN 'output' THEN n.output ELSE n.input END / 1000000),
        'litellm price list of 2026-07-24'
    FROM name AS n
    CROSS JOIN (VALUES ('input', 0, 1.0), ('output', 0, 1), ('cache_read', 0, 0.1), ('cache_write_5m', 0, 1.25), ('cache_write_1h', 0, 2),
        ('input', 200000, 2), ('output', 200000, 1.5), ('cache_read', 200000, 0.2), ('cache_write_5m', 200000, 2.5), ('cache_write_1h', 200000, 4)
    ) AS c (token_class, context_above, factor)
    -- The list has no one-hour price above 200,000 for Sonnet 4: unknown.
    WHERE (c.context_above = 0 OR n.above_200k) AND NOT (n.model = 'claude-sonnet-4' AND c.context_above > 0 AND c.token_class = 'cache_write_1h')
    UNION ALL
    SELECT n.model_id, 'web_search', 0, 0.01, 'litellm price list of 2026-07-24' FROM name AS n WHERE n.has_search;

    INSERT INTO bcce_data.default_model_price_factors (model_id, factor_kind, factor, source)
    SELECT f.model, f.kind, f.factor, 'litellm price list of 2026-07-24'
    FROM (VALUES ('claude-fable-5', 'us', 1.1), ('claude-opus-5', 'us', 1.1), ('claude-opus-5', 'fast', 2), ('claude-opus-4-8', 'us', 1.1),
        ('claude-opus-4-8', 'fast', 2), ('claude-opus-4-7', 'us', 1.1), ('claude-opus-4-7', 'fast', 6), ('claude-opus-4-6', 'us', 1.1),
        ('claude-opus-4-6', 'fast', 6), ('claude-sonnet-5', 'us', 1.1)) AS f (model, kind, factor);
END
$do$;
