-- Reads a price list in the format of litellm's model_prices_and_context_window.

-- One row for each price and multiplier that the list names, and for each field
-- about money that is none.  Numbers stay decimal: jsonb keeps them as numeric.
CREATE OR REPLACE FUNCTION bcce_data.read_price_list(prices jsonb)
RETURNS TABLE (model_id text, field text, kind text, key text[], value numeric)
LANGUAGE sql IMMUTABLE AS $body$
    SELECT m.model, f.field, p.kind, p.key, p.value
    FROM jsonb_each(CASE jsonb_typeof(prices) WHEN 'object' THEN prices ELSE '{}' END) AS m (model, entry)
    CROSS JOIN LATERAL jsonb_each(CASE jsonb_typeof(m.entry) WHEN 'object' THEN m.entry ELSE '{}' END) AS f (field, value)
    CROSS JOIN LATERAL regexp_match(f.field,
        '^(input_cost_per_token|output_cost_per_token|cache_read_input_token_cost|cache_creation_input_token_cost|cache_creation_input_token_cost_above_1hr|input_cost_per_second)(?:_above_(\d{1,9})k_tokens)?(?:_(batches|flex|priority))?$') AS part
    CROSS JOIN LATERAL (
        SELECT 'model_prices' AS kind, ARRAY[m.model,
            CASE part[1] WHEN 'input_cost_per_token' THEN 'input' WHEN 'output_cost_per_token' THEN 'output'
                WHEN 'cache_read_input_token_cost' THEN 'cache_read' WHEN 'cache_creation_input_token_cost' THEN 'cache_write_5m'
                WHEN 'cache_creation_input_token_cost_above_1hr' THEN 'cache_write_1h' ELSE 'second' END,
            (coalesce(part[2], '0')::bigint * 1000)::text,
            CASE part[3] WHEN 'batches' THEN 'batch' ELSE coalesce(part[3], 'standard') END] AS key,
            f.value::numeric AS value
        WHERE part IS NOT NULL AND jsonb_typeof(f.value) = 'number'
        UNION ALL
        -- The middle size where sizes differ.
        SELECT 'model_prices', ARRAY[m.model, 'web_search', '0', 'standard'], (f.value ->> 'search_context_size_medium')::numeric
        WHERE f.field = 'search_context_cost_per_query' AND jsonb_typeof(f.value -> 'search_context_size_medium') = 'number'
        UNION ALL
        SELECT 'model_price_factors', ARRAY[m.model, e.name], (f.value ->> e.name)::numeric
        FROM unnest(ARRAY['fast', 'us']) AS e (name)
        WHERE f.field = 'provider_specific_entry' AND jsonb_typeof(f.value -> e.name) = 'number'
        UNION ALL
        SELECT NULL, NULL, NULL
        WHERE part IS NULL AND f.field ~ '(cost|pricing|multiplier)' AND f.field NOT IN ('search_context_cost_per_query', 'output_cost_per_second')
    ) AS p
    WHERE length(m.model) BETWEEN 1 AND 256 AND m.model <> 'sample_spec'
$body$;
COMMENT ON FUNCTION bcce_data.read_price_list(jsonb) IS 'the prices and multipliers of a price list in litellm''s format, by the keys of the store; kind NULL: a field about money that is not understood';

-- What looks wrong in a list: reported, not corrected.  The ratios are those
-- that Anthropic has for every model but where its list says otherwise.
CREATE OR REPLACE FUNCTION bcce_data.odd_prices(prices jsonb)
RETURNS TABLE (model_id text, key text[], value numeric, note text)
LANGUAGE sql IMMUTABLE AS $body$
    WITH price AS (
        SELECT l.model_id, l.key, l.key[2] AS class, l.key[3] AS above, l.key[4] AS tier, l.value
        FROM bcce_data.read_price_list(prices) AS l
        WHERE l.kind = 'model_prices' AND l.model_id LIKE '%claude%'
    )
    SELECT p.model_id, p.key, p.value, format('%s times the price of input, usually %s', trim_scale(round(p.value / i.value, 4)), usual.ratio)
    FROM price AS p
    JOIN price AS i ON i.model_id = p.model_id AND i.class = 'input' AND i.above = p.above AND i.tier = p.tier AND i.value > 0
    JOIN (VALUES ('cache_write_5m', 1.25), ('cache_write_1h', 2), ('cache_read', 0.1)) AS usual (class, ratio) ON usual.class = p.class
    WHERE p.value <> i.value * usual.ratio
    UNION ALL
    SELECT p.model_id, p.key[1:1] || 'cache_write_1h'::text || p.key[3:4], NULL, 'five-minute cache writes have a price and one-hour ones have none: their cost is unknown'
    FROM price AS p
    WHERE p.class = 'cache_write_5m' AND p.above = '0' AND p.tier = 'standard'
      AND NOT EXISTS (SELECT FROM price AS h WHERE h.model_id = p.model_id AND h.class = 'cache_write_1h' AND h.above = '0' AND h.tier = 'standard')
$body$;
COMMENT ON FUNCTION bcce_data.odd_prices(jsonb) IS 'prices of Claude models in a list whose ratio to the price of input is unusual, and one-hour cache writes without a price';

CREATE OR REPLACE FUNCTION bcce.import_prices(prices jsonb, valid_from timestamptz DEFAULT now(), source text DEFAULT 'litellm',
    apply boolean DEFAULT false, round_prices boolean DEFAULT false, tenant text DEFAULT NULL)
RETURNS TABLE (action text, model_id text, price text, old_value numeric, new_value numeric, note text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    target uuid := bcce_data.lock_price_book(tenant);
    row record;
BEGIN
    IF prices IS NULL OR jsonb_typeof(prices) <> 'object' THEN
        PERFORM bcce.raise_error('22023', 'a price list is a JSON object of models', NULL,
            'Pass the text of a file such as litellm''s model_prices_and_context_window.json, cast to jsonb.');
    END IF;
    IF NOT isfinite(valid_from) THEN
        PERFORM bcce.raise_error('22008', 'a price holds from an instant on', NULL, 'Pass NULL for always.');
    END IF;
    IF source IS NULL OR length(source) NOT BETWEEN 1 AND 256 THEN
        PERFORM bcce.raise_error('22023', 'a source has 1 to 256 characters', NULL, 'Say where the list comes from, and of which day it is.');
    END IF;

    FOR row IN
        WITH listed AS (
            SELECT l.model_id, l.field, l.kind, l.key,
                CASE WHEN round_prices AND l.kind = 'model_prices' THEN round(l.value, 12) ELSE l.value END AS value,
                array_to_string(l.key[2:], ' ') AS name
            FROM bcce_data.read_price_list(prices) AS l
        ),
        known AS (
            SELECT 'model_prices' AS kind, ARRAY[d.model_id, d.token_class, d.context_above::text, d.service_tier] AS key, d.price_usd AS value, d.source
            FROM bcce_data.default_model_prices AS d
            WHERE target = '00000000-0000-0000-0000-000000000000' AND upper_inf(d.known) AND d.valid @> coalesce(valid_from, '-infinity')
            UNION ALL
            SELECT 'model_price_factors', ARRAY[d.model_id, d.factor_kind], d.factor, d.source
            FROM bcce_data.default_model_price_factors AS d
            WHERE target = '00000000-0000-0000-0000-000000000000' AND upper_inf(d.known) AND d.valid @> coalesce(valid_from, '-infinity')
            UNION ALL
            SELECT 'model_prices', ARRAY[d.model_id, d.token_class, d.context_above::text, d.service_tier], d.price_usd, d.source
            FROM bcce_data.model_prices AS d
            WHERE d.tenant_id = target AND upper_inf(d.known) AND d.valid @> coalesce(valid_from, '-infinity')
            UNION ALL
            SELECT 'model_price_factors', ARRAY[d.model_id, d.factor_kind], d.factor, d.source
            FROM bcce_data.model_price_factors AS d
            WHERE d.tenant_id = target AND upper_inf(d.known) AND d.valid @> coalesce(valid_from, '-infinity')
        ),
        compared AS (
            SELECT l.model_id, l.kind, l.key, coalesce(l.name, l.field) AS name, k.value AS old_value, l.value AS new_value,
                CASE
                    WHEN l.kind IS NULL THEN 'ignored'
                    WHEN l.kind = 'model_prices' AND NOT (l.value BETWEEN 0 AND 1000000 AND l.value = round(l.value, 12)) THEN 'refused'
                    WHEN l.kind = 'model_price_factors' AND NOT (l.value > 0 AND l.value <= 1000 AND l.value = round(l.value, 4)) THEN 'refused'
                    WHEN k.key IS NULL THEN 'add'
                    WHEN k.value <> l.value THEN 'change'
                END AS action,
                CASE
                    WHEN l.kind IS NULL THEN 'not understood: no price of tokens by class'
                    WHEN l.kind = 'model_prices' AND NOT (l.value BETWEEN 0 AND 1000000) THEN 'not between 0 and 1e6'
                    WHEN l.kind = 'model_prices' AND l.value <> round(l.value, 12) THEN 'more than twelve decimals; round_prices => true rounds'
                    WHEN l.kind = 'model_price_factors' THEN NULL
                    WHEN k.value > 0 AND l.value = 0 THEN 'falls to 0'
                    WHEN k.value > 0 AND (l.value > 3 * k.value OR 3 * l.value < k.value) THEN format('%s times the price before', trim_scale(round(l.value / k.value, 4)))
                END AS note
            FROM listed AS l
            LEFT JOIN known AS k ON k.kind = l.kind AND k.key = l.key
        )
        SELECT * FROM (
            SELECT c.action, c.model_id, c.kind, c.key, c.name, c.old_value, c.new_value, c.note, 1 AS rank
            FROM compared AS c WHERE c.action IS NOT NULL
            UNION ALL
            SELECT 'suspicious', c.model_id, NULL, NULL, c.name, c.old_value, c.new_value, c.note, 2
            FROM compared AS c WHERE c.action = 'change' AND c.note IS NOT NULL
            UNION ALL
            SELECT 'suspicious', o.model_id, NULL, NULL, array_to_string(o.key[2:], ' '), NULL, o.value, o.note, 2
            FROM bcce_data.odd_prices(prices) AS o
            UNION ALL
            -- Retired rows vanish from lists; their calls still have to be priced.
            SELECT 'gone', k.key[1], NULL, NULL, array_to_string(k.key[2:], ' '), k.value, NULL, 'no longer in the list; it is kept', 3
            FROM known AS k
            WHERE k.source = import_prices.source
              AND NOT EXISTS (SELECT FROM listed AS l WHERE l.kind = k.kind AND l.key = k.key)
        ) AS t
        ORDER BY t.rank, t.model_id COLLATE "C", t.name COLLATE "C"
    LOOP
        IF apply AND row.action IN ('add', 'change') THEN
            PERFORM bcce_data.put_price_row(row.kind, target, row.key, bcce_data.span_from(row.kind, target, row.key, valid_from),
                row.new_value::text, source);
        END IF;
        action := row.action; model_id := row.model_id; price := row.name; old_value := row.old_value; new_value := row.new_value; note := row.note;
        RETURN NEXT;
    END LOOP;
END
$body$;
COMMENT ON FUNCTION bcce.import_prices(jsonb, timestamptz, text, boolean, boolean, text) IS
'Reads a price list in the format of litellm''s model_prices_and_context_window.json, text in, no network. Shows what it would do, and does it with apply => true: add and change (from valid_from on, NULL: always), refused (no price, or more than twelve decimals unless round_prices), ignored (fields about money that are no price of tokens by class), suspicious (reported, applied all the same), gone (in an earlier list of the same source and no longer in this one; never deleted). price says class, size of context and tier. tenant as in set_model_price(). Errors: 22023 not a list, 22008 bad time, P0002 tenant not found.';
