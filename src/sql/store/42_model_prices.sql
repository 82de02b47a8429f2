-- Prices of language models, set by whoever may and imported from a price list.

-- Whose prices are meant: all zeros for the defaults, which only those may set
-- whom row security does not bind.  Holds off everybody else who sets some.
CREATE OR REPLACE FUNCTION bcce_data.lock_price_book(tenant text) RETURNS uuid
LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    target uuid;
BEGIN
    IF tenant IS NULL AND bcce.bypasses_row_security() THEN
        PERFORM FROM bcce_data.schema_version FOR NO KEY UPDATE;
        RETURN '00000000-0000-0000-0000-000000000000';
    END IF;
    target := bcce_data.resolve_tenant(tenant);
    IF target IS NULL THEN
        PERFORM bcce_data.refuse('unknown_tenant');
    END IF;
    PERFORM FROM bcce_data.tenants t WHERE t.tenant_id = target FOR NO KEY UPDATE;
    RETURN target;
END
$body$;
COMMENT ON FUNCTION bcce_data.lock_price_book(text) IS 'the tenant whose prices are to be set, all zeros for the defaults, after locking the others out';

-- The table of a kind of row, and the columns that are its key and its value.
CREATE OR REPLACE FUNCTION bcce_data.price_table(kind text, target uuid, OUT name text, OUT key_columns text[], OUT value_column text, OUT source_column text, OUT place text)
LANGUAGE plpgsql IMMUTABLE AS $body$
DECLARE
    is_default boolean := target = '00000000-0000-0000-0000-000000000000';
BEGIN
    name := CASE WHEN is_default THEN 'default_' ELSE '' END || kind;
    key_columns := CASE kind WHEN 'model_prices' THEN '{model_id,token_class,context_above,service_tier}'
                             WHEN 'model_price_factors' THEN '{model_id,factor_kind}' ELSE '{alias}' END;
    value_column := CASE kind WHEN 'model_prices' THEN 'price_usd' WHEN 'model_price_factors' THEN 'factor' ELSE 'model_id' END;
    source_column := CASE kind WHEN 'model_aliases' THEN 'note' ELSE 'source' END;
    -- $1 is the key, $2 the tenant.
    SELECT string_agg(format('p.%I%s = $1[%s]', c.name, CASE c.name WHEN 'context_above' THEN '::text' ELSE '' END, c.n), ' AND ')
           || CASE WHEN is_default THEN ' AND $2 IS NOT NULL' ELSE ' AND p.tenant_id = $2' END
    INTO place FROM unnest(key_columns) WITH ORDINALITY AS c (name, n);
END
$body$;
COMMENT ON FUNCTION bcce_data.price_table(text, uuid) IS 'the table of prices, multipliers or aliases, of a tenant or (all zeros) of everybody, and its columns';

CREATE OR REPLACE FUNCTION bcce_data.add_price_row(kind text, target uuid, key text[], valid tstzrange, known tstzrange, value text, source text) RETURNS void
LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    t record := bcce_data.price_table(kind, target);
BEGIN
    EXECUTE format('INSERT INTO bcce_data.%I (%s%s, valid, known, %I, %I) SELECT %s%s, $3, $4, $5%s, $6 WHERE $2 IS NOT NULL',
        t.name, CASE WHEN t.name LIKE 'default\_%' THEN '' ELSE 'tenant_id, ' END,
        (SELECT string_agg(quote_ident(c), ', ') FROM unnest(t.key_columns) AS c), t.value_column, t.source_column,
        CASE WHEN t.name LIKE 'default\_%' THEN '' ELSE '$2, ' END,
        (SELECT string_agg(format('$1[%s]%s', c.n, CASE c.name WHEN 'context_above' THEN '::bigint' ELSE '' END), ', ')
         FROM unnest(t.key_columns) WITH ORDINALITY AS c (name, n)),
        CASE kind WHEN 'model_aliases' THEN '' ELSE '::numeric' END)
    USING key, target, valid, known, value, source;
END
$body$;
COMMENT ON FUNCTION bcce_data.add_price_row(text, uuid, text[], tstzrange, tstzrange, text, text) IS 'inserts one row of put_price_row()';

-- Ends what is known of a row now, or takes it back where it is of this moment.
-- Then what is left of its validity on both sides of the new row goes on.
CREATE OR REPLACE FUNCTION bcce_data.put_price_row(kind text, target uuid, key text[], new_valid tstzrange, new_value text, source text) RETURNS void
LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    t record := bcce_data.price_table(kind, target);
    old record;
    rest tstzrange;
BEGIN
    FOR old IN EXECUTE format('DELETE FROM bcce_data.%I p WHERE %s AND upper_inf(p.known) AND p.valid && $3 RETURNING p.valid, p.known, p.%I::text AS value, p.%I AS source',
                              t.name, t.place, t.value_column, t.source_column) USING key, target, new_valid
    LOOP
        IF lower(old.known) < now() THEN
            PERFORM bcce_data.add_price_row(kind, target, key, old.valid, tstzrange(lower(old.known), now()), old.value, old.source);
        END IF;
        FOR rest IN SELECT unnest(tstzmultirange(old.valid) - tstzmultirange(new_valid)) LOOP
            PERFORM bcce_data.add_price_row(kind, target, key, rest, tstzrange(now(), NULL), old.value, old.source);
        END LOOP;
    END LOOP;
    IF new_value IS NOT NULL THEN
        PERFORM bcce_data.add_price_row(kind, target, key, new_valid, tstzrange(now(), NULL), new_value, source);
    END IF;
END
$body$;
COMMENT ON FUNCTION bcce_data.put_price_row(text, uuid, text[], tstzrange, text, text) IS 'sets a price, multiplier or alias over a span of time, NULL takes it away; what was known before stays readable by as_of';

CREATE OR REPLACE FUNCTION bcce_data.span_from(kind text, target uuid, key text[], valid_from timestamptz) RETURNS tstzrange
LANGUAGE plpgsql STABLE AS $body$
DECLARE
    t record := bcce_data.price_table(kind, target);
    next_start timestamptz;
BEGIN
    EXECUTE format('SELECT min(lower(p.valid)) FROM bcce_data.%I p WHERE %s AND upper_inf(p.known) AND lower(p.valid) > $3', t.name, t.place)
    INTO next_start USING key, target, coalesce(valid_from, '-infinity');
    RETURN tstzrange(valid_from, next_start);
END
$body$;
COMMENT ON FUNCTION bcce_data.span_from(text, uuid, text[], timestamptz) IS 'from an instant on (NULL: always) until the next row of the same key begins';

CREATE OR REPLACE FUNCTION bcce.set_model_price(
    model text, token_class text, price_usd numeric, valid_from timestamptz DEFAULT now(), context_above bigint DEFAULT 0,
    service_tier text DEFAULT 'standard', tenant text DEFAULT NULL, source text DEFAULT 'entered') RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    target uuid := bcce_data.lock_price_book(tenant);
    key text[] := ARRAY[model, token_class, context_above::text, service_tier];
BEGIN
    IF model IS NULL OR length(model) NOT BETWEEN 1 AND 256 THEN
        PERFORM bcce.raise_error('22023', 'a model''s name has 1 to 256 characters', NULL, NULL);
    END IF;
    IF token_class IS NULL OR token_class NOT IN ('input', 'output', 'cache_read', 'cache_write_5m', 'cache_write_1h', 'web_search', 'second') THEN
        PERFORM bcce.raise_error('22023', 'unknown class of tokens', NULL, 'Known: input, output, cache_read, cache_write_5m, cache_write_1h, web_search, second.');
    END IF;
    IF service_tier IS NULL OR service_tier NOT IN ('standard', 'batch', 'flex', 'priority') THEN
        PERFORM bcce.raise_error('22023', 'unknown service tier', NULL, 'Known: standard, batch, flex, priority.');
    END IF;
    IF context_above IS NULL OR context_above NOT BETWEEN 0 AND 1000000000000 THEN
        PERFORM bcce.raise_error('22003', 'a size of context is a number of tokens from 0 to 1e12', NULL, NULL);
    END IF;
    IF price_usd IS NOT NULL AND NOT coalesce(price_usd BETWEEN 0 AND 1000000 AND price_usd = round(price_usd, 12), false) THEN
        PERFORM bcce.raise_error('22003', 'the price of a token is a number from 0 to 1e6 with up to twelve decimals', NULL,
            'It is in US dollars for one token: 0.000003 for 3 dollars a million.');
    END IF;
    IF NOT isfinite(valid_from) THEN
        PERFORM bcce.raise_error('22008', 'a price holds from an instant on', NULL, 'Pass NULL for always.');
    END IF;
    PERFORM bcce_data.put_price_row('model_prices', target, key, bcce_data.span_from('model_prices', target, key, valid_from),
        price_usd::text, coalesce(source, 'entered'));
END
$body$;
COMMENT ON FUNCTION bcce.set_model_price(text, text, numeric, timestamptz, bigint, text, text, text) IS
'Sets the price of one token of a class (of one search for web_search) in US dollars from an instant on (NULL: always) until the next price that is known; NULL takes a price away, as for one that was announced and withdrawn. Costs that were charged do not change, and as_of of estimate_token_cost() still gives what was known before. tenant: slug, external id or uuid; NULL: your own, and for a superuser the default of everybody. Errors: 22023 unknown class or tier, 22003 bad price, 22008 bad time, P0002 tenant not found.';

CREATE OR REPLACE FUNCTION bcce.set_model_price_factor(
    model text, factor_kind text, factor numeric, valid_from timestamptz DEFAULT now(), tenant text DEFAULT NULL, source text DEFAULT 'entered') RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    target uuid := bcce_data.lock_price_book(tenant);
    key text[] := ARRAY[model, factor_kind];
BEGIN
    IF model IS NULL OR length(model) NOT BETWEEN 1 AND 256 THEN
        PERFORM bcce.raise_error('22023', 'a model''s name has 1 to 256 characters', NULL, 'Write * for all models.');
    END IF;
    IF factor_kind IS NULL OR factor_kind NOT IN ('fast', 'us', 'batch', 'discount') THEN
        PERFORM bcce.raise_error('22023', 'unknown kind of multiplier', NULL, 'Known: fast, us, batch, discount.');
    END IF;
    IF factor IS NOT NULL AND NOT coalesce(factor > 0 AND factor <= 1000 AND factor = round(factor, 4), false) THEN
        PERFORM bcce.raise_error('22003', 'a multiplier is a number above 0 and up to 1000 with up to four decimals', NULL, 'Give 0.85 for fifteen percent off.');
    END IF;
    IF NOT isfinite(valid_from) THEN
        PERFORM bcce.raise_error('22008', 'a price holds from an instant on', NULL, 'Pass NULL for always.');
    END IF;
    PERFORM bcce_data.put_price_row('model_price_factors', target, key, bcce_data.span_from('model_price_factors', target, key, valid_from),
        factor::text, coalesce(source, 'entered'));
END
$body$;
COMMENT ON FUNCTION bcce.set_model_price_factor(text, text, numeric, timestamptz, text, text) IS
'Sets a multiplier of a model''s token prices (model *: of all) from an instant on (NULL: always) until the next that is known; NULL takes it away. Kinds: fast, us, batch (where batches have no prices of their own), discount. tenant as in set_model_price(). Errors: 22023 unknown kind, 22003 bad multiplier, 22008 bad time, P0002 tenant not found.';

CREATE OR REPLACE FUNCTION bcce.set_model_alias(
    alias text, model text, valid_from timestamptz DEFAULT NULL, tenant text DEFAULT NULL, note text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    target uuid := bcce_data.lock_price_book(tenant);
    key text[] := ARRAY[alias];
BEGIN
    IF alias IS NULL OR length(alias) NOT BETWEEN 1 AND 256 OR length(model) NOT BETWEEN 1 AND 256 OR alias = model THEN
        PERFORM bcce.raise_error('22023', 'an alias and a model''s name have 1 to 256 characters and differ', NULL, NULL);
    END IF;
    IF NOT isfinite(valid_from) THEN
        PERFORM bcce.raise_error('22008', 'an alias holds from an instant on', NULL, 'Pass NULL for always.');
    END IF;
    PERFORM bcce_data.put_price_row('model_aliases', target, key, bcce_data.span_from('model_aliases', target, key, valid_from), model, note);
END
$body$;
COMMENT ON FUNCTION bcce.set_model_alias(text, text, timestamptz, text, text) IS
'Says which model another name means, the ARN of an inference profile for example, from an instant on (NULL: always); model NULL takes the alias away. It counts for names that are not priced themselves. tenant as in set_model_price(). Errors: 22023 bad name, 22008 bad time, P0002 tenant not found.';
