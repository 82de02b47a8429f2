-- Costs of model calls: arithmetic to the last digit, prices on two axes of
-- time, whose prices count, and what is unknown.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE DATABASE regress_token_cost;
\set home :DBNAME
\c regress_token_cost
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE EXTENSION bcce;
SELECT bcce.create_tenant('cost-a', 'A') AS a \gset
SELECT bcce.create_tenant('cost-b', 'B') AS b \gset
SELECT bcce.create_login('regress_cost_a', 'cost-a', 'admin'), bcce.create_login('regress_cost_b', 'cost-b', 'admin');

-- A price list of four models.
SELECT action, model_id, price, new_value, note FROM bcce.import_prices('{
    "acme-1": {"input_cost_per_token": 3e-06, "output_cost_per_token": 0.000015, "cache_read_input_token_cost": 3e-07,
               "cache_creation_input_token_cost": 3.75e-06, "cache_creation_input_token_cost_above_1hr": 6e-06,
               "input_cost_per_token_above_200k_tokens": 6e-06, "output_cost_per_token_above_200k_tokens": 2.25e-05,
               "cache_read_input_token_cost_above_200k_tokens": 6e-07,
               "input_cost_per_token_batches": 1.5e-06, "output_cost_per_token_batches": 7.5e-06,
               "search_context_cost_per_query": {"search_context_size_low": 0.01, "search_context_size_medium": 0.01},
               "provider_specific_entry": {"fast": 6, "us": 1.1}},
    "acme-small": {"input_cost_per_token": 0.000001, "output_cost_per_token": 0},
    "acme-clock": {"input_cost_per_second": 0.1, "output_cost_per_second": 0.1},
    "acme-noise": {"input_cost_per_token": 1.00000000000000123e-06, "output_cost_per_token": 2e-06, "tiered_pricing": []},
    "claude-odd": {"input_cost_per_token": 1e-06, "output_cost_per_token": 5e-06, "cache_creation_input_token_cost": 1.5e-06}
}', NULL, 'regress', apply => true) ORDER BY action, model_id, price;

-- One class at a time, all together, and the whole request at the higher prices.
SELECT name, bcce.estimate_token_cost('acme-1', '2026-01-01', i, o, r, w5, w1, s, speed, geo, tier) AS usd,
    bcce.token_cost_status('acme-1', '2026-01-01', i, o, r, w5, w1, s, speed, geo, tier) AS status
FROM (VALUES
    ('input', 1, 0, 0, 0, 0, 0, NULL, NULL, NULL), ('output', 0, 1, 0, 0, 0, 0, NULL, NULL, NULL), ('cache read', 0, 0, 1, 0, 0, 0, NULL, NULL, NULL),
    ('5m write', 0, 0, 0, 1, 0, 0, NULL, NULL, NULL), ('1h write', 0, 0, 0, 0, 1, 0, NULL, NULL, NULL), ('search', 0, 0, 0, 0, 0, 1, NULL, NULL, NULL),
    ('all', 1000, 100, 10000, 200, 300, 2, NULL, NULL, NULL),
    ('all, fast in the US', 1000, 100, 10000, 200, 300, 2, 'fast', 'us', NULL),
    ('200000 is not above', 100000, 10, 100000, 0, 0, 0, NULL, NULL, NULL),
    ('200001 is, output too', 100001, 10, 100000, 0, 0, 0, 'standard', 'not_available', 'standard'),
    ('output does not count as context', 100000, 500000, 0, 0, 0, 0, NULL, NULL, NULL),
    ('writes above have no price', 100001, 10, 100000, 1, 0, 0, NULL, NULL, NULL),
    ('batch has its own prices', 1000, 10, 0, 0, 0, 0, NULL, NULL, 'batch'),
    ('but none for reads', 1000, 10, 5, 0, 0, 0, NULL, NULL, 'batch'),
    ('no flex prices', 1000, 10, 0, 0, 0, 0, NULL, NULL, 'flex'),
    ('a tier nobody knows', 1000, 10, 0, 0, 0, 0, NULL, NULL, 'gold'),
    ('a place nobody knows', 1000, 10, 0, 0, 0, 0, NULL, 'mars', NULL),
    ('one count is enough', NULL, 10, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    ('none is unknown', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    ('nothing costs nothing', 0, 0, 0, 0, 0, 0, NULL, NULL, NULL)
) AS t (name, i, o, r, w5, w1, s, speed, geo, tier);

-- A price of 0 is a price; what is not known is NULL.
SELECT model, bcce.estimate_token_cost(model, '2026-01-01', 10, 10) AS usd, bcce.token_cost_status(model, '2026-01-01', 10, 10) AS status
FROM unnest(ARRAY['acme-small', 'acme-clock', 'acme-noise', 'nobody-9', '<synthetic>', '']) AS model;
SELECT bcce.estimate_token_cost(NULL, now(), 1, 1) IS NULL AND bcce.estimate_token_cost('acme-1', NULL, 1, 1) IS NULL
    AND bcce.token_cost_status(NULL, now(), 1, 1) IS NULL AS null_in_null_out;

-- Other spellings of a name; none is guessed by likeness.
SELECT left(model, 70) AS model, bcce.estimate_token_cost(model, '2026-01-01', 1000000, 0) AS usd
FROM unnest(ARRAY['acme-1[1m]', 'acme-1-20260101', 'acme-1@20260101[1m]', 'bedrock/acme-1', 'arn:aws:bedrock:us-east-1:1:inference-profile/acme-1-20260101',
    'arn:aws:bedrock:us-east-1:1:application-inference-profile/acme-1', 'acme-12', 'acme-1-19990101', 'acme-1-2026010', 'my-acme-1', 'ACME-1', '/', '-20260101', repeat('x', 300)]) AS model;

-- Huge and wrong counts.
SELECT bcce.estimate_token_cost('acme-1', '2026-01-01', 9007199254740992, 0) AS usd,
    bcce.token_cost_status('acme-1', '2026-01-01', 9007199254740993, 0), bcce.token_cost_status('acme-1', '2026-01-01', 9223372036854775807, 9223372036854775807);
\set ON_ERROR_STOP off
\set VERBOSITY sqlstate
SELECT bcce.estimate_token_cost('acme-1', '2026-01-01', -1, 0);
SELECT bcce.set_model_price('m', 'thoughts', 1), bcce.set_model_price('m', 'input', -1);
SELECT bcce.set_model_price('m', 'input', -1);
SELECT bcce.set_model_price('m', 'input', 1e-13);
SELECT bcce.set_model_price('m', 'input', 'NaN');
SELECT bcce.set_model_price('', 'input', 1);
SELECT bcce.set_model_price('m', 'input', 1, 'infinity');
SELECT bcce.set_model_price('m', 'input', 1, tenant => 'nobody');
SELECT bcce.set_model_price_factor('m', 'luck', 1);
SELECT bcce.set_model_price_factor('m', 'fast', 0);
SELECT bcce.set_model_alias('m', 'm');
SELECT bcce.import_prices('[]');
INSERT INTO bcce_data.default_model_prices (model_id, token_class, price_usd) VALUES ('acme-1', 'input', 1);
\set VERBOSITY default
\set ON_ERROR_STOP on

-- Rounding on request, and the import again finds nothing but what it cannot take.
SELECT action, price, new_value FROM bcce.import_prices('{"acme-noise": {"input_cost_per_token": 1.00000000000000123e-06, "output_cost_per_token": 2e-06}}', NULL, 'regress', true, true)
WHERE action <> 'gone' ORDER BY 1, 2;
SELECT action, price, old_value, new_value, note FROM bcce.import_prices('{"acme-1": {"input_cost_per_token": 1e-05, "output_cost_per_token": 0, "cache_read_input_token_cost": 3e-07}}', NULL, 'regress')
WHERE model_id = 'acme-1' AND action <> 'gone' ORDER BY 1, 2;

-- Three stories about time.  now() stands still in a transaction: each part is one.
-- A rise was announced for 1 September and withdrawn: nobody pays it, and one
-- who asks what was known on the day in between still sees it.
SELECT bcce.set_model_price('story', 'input', 0.000002, NULL), bcce.set_model_price('story', 'output', 0.00001, NULL);
SELECT bcce.set_model_price('story', 'input', 0.000003, '2026-09-01');
SELECT now() AS announced \gset
SELECT bcce.estimate_token_cost('story', '2026-09-02', 1000000, 0) AS as_announced;
SELECT bcce.set_model_price('story', 'input', 0.000002, '2026-09-01');
SELECT bcce.estimate_token_cost('story', '2026-09-02', 1000000, 0) AS withdrawn,
    bcce.estimate_token_cost('story', '2026-09-02', 1000000, 0, as_of => :'announced') AS as_known_then;
-- A late price: calls of June are priced once the price of June is known.
SELECT bcce.token_cost_status('late', '2026-06-15', 1, 1) AS before;
SELECT now() AS before_late \gset
SELECT bcce.set_model_price('late', c, 0.000001, '2026-06-01') FROM unnest(ARRAY['input', 'output']) AS c;
SELECT bcce.estimate_token_cost('late', '2026-06-15', 1000000, 1000000) AS june, bcce.token_cost_status('late', '2026-05-31 23:59:59.999999', 1, 1) AS may,
    bcce.token_cost_status('late', '2026-06-15', 1, 1, as_of => :'before_late') AS as_known_before;
-- A superseded price: a mistake is put right, also for the past.
SELECT bcce.set_model_price('late', 'input', 0.000004, '2026-06-01');
SELECT bcce.estimate_token_cost('late', '2026-06-15', 1000000, 0) AS put_right, count(*) AS rows_kept
FROM bcce_data.default_model_prices WHERE model_id = 'late' AND token_class = 'input';

-- Taken away, a price is unknown from then on.
SELECT bcce.set_model_price('story', 'output', NULL, '2027-01-01');
SELECT bcce.token_cost_status('story', '2027-01-01', 1, 1) AS that_day, bcce.token_cost_status('story', '2026-12-31', 1, 1) AS the_day_before;

-- Whose prices: a tenant's own before the defaults, class by class, and never another's.
SET ROLE regress_cost_a;
SELECT bcce.set_model_price('acme-1', 'input', 0.000001, NULL), bcce.set_model_price_factor('*', 'discount', 0.9, NULL), bcce.set_model_alias('house-model', 'acme-1');
SELECT bcce.estimate_token_cost('acme-1', '2026-01-01', 1000000, 100000) AS mine, bcce.estimate_token_cost('house-model', '2026-01-01', 1000000, 100000) AS by_alias,
    bcce.estimate_token_cost('acme-1', '2026-01-01', 1000000, 100000, tenant => :'b') AS of_another;
SET ROLE regress_cost_b;
SELECT bcce.estimate_token_cost('acme-1', '2026-01-01', 1000000, 100000) AS the_default, bcce.token_cost_status('house-model', '2026-01-01', 1, 1) AS alias_of_another,
    bcce.estimate_token_cost('acme-1', '2026-01-01', 1000000, 100000, tenant => :'a') AS of_another;
RESET ROLE;
SELECT bcce.estimate_token_cost('acme-1', '2026-01-01', 1000000, 100000, tenant => t) AS superuser FROM unnest(ARRAY[:'a', :'b', NULL]::uuid[]) AS t;

-- The same statement twice in one session: a price changed between them counts,
-- also in a prepared one, and is gone when its transaction is rolled back.
PREPARE cost AS SELECT bcce.estimate_token_cost('acme-small', '2026-01-01', 1000000, 0) AS usd;
SET plan_cache_mode = force_generic_plan;
EXECUTE cost;
BEGIN;
SELECT bcce.set_model_price('acme-small', 'input', 0.000002, NULL);
EXECUTE cost;
SAVEPOINT s;
SELECT bcce.set_model_price('acme-small', 'input', 0.000003, NULL);
EXECUTE cost;
ROLLBACK TO s;
EXECUTE cost;
ROLLBACK;
EXECUTE cost;
RESET plan_cache_mode;

-- Sums: one after the other, by workers, in pieces, in any order.
CREATE TABLE regress_calls AS
SELECT CASE i % 4 WHEN 0 THEN 'acme-1' WHEN 1 THEN 'acme-small' WHEN 2 THEN 'story' ELSE 'unknown' END AS model,
    timestamptz '2026-01-01' + i * interval '7 minutes' AS at, (i * 7919::bigint) % 250000 AS input, (i * 104729::bigint) % 9000 AS output, i % 300 AS reads
FROM generate_series(1, 40000) AS i;
ANALYZE regress_calls;
SELECT bcce.sum_token_cost(model, at, input, output, reads, 0, 0) AS total,
    bcce.sum_token_cost(model, at, input, output, reads, 0, 0) = sum(bcce.estimate_token_cost(model, at, input, output, reads)) AS equals_sum_of_rows,
    bcce.sum_token_cost(model, at, input, output, reads, 0, 0) FILTER (WHERE model = 'unknown') IS NULL AS unknown_is_null
FROM regress_calls;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT bcce.sum_token_cost(model, at, input, output, reads, 0, 0) FROM regress_calls;
SELECT bcce.sum_token_cost(model, at, input, output, reads, 0, 0) AS total_by_workers FROM regress_calls;
SELECT sum(t) AS total_in_pieces FROM (SELECT bcce.sum_token_cost(model, at, input, output, reads, 0, 0) AS t FROM regress_calls GROUP BY at::date) AS pieces;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET max_parallel_workers_per_gather;
SELECT bcce.sum_token_cost(model, at, input, output, 0, 0, 0) IS NULL AS none FROM regress_calls WHERE false;

-- States are not to be had from outside.
\set ON_ERROR_STOP off
\set VERBOSITY sqlstate
-- Nobody has a state to give: refused with one code or another, as the minor release of the server is.
DO $$BEGIN PERFORM bcce.sum_token_cost_deserialize('\x00', NULL); RAISE WARNING 'accepted'; EXCEPTION WHEN undefined_function OR feature_not_supported THEN END$$;
DO $$BEGIN PERFORM bcce.sum_token_cost_step(NULL, 'm', now(), 1, 1, 1, 1, 1); RAISE WARNING 'accepted'; EXCEPTION WHEN undefined_function OR feature_not_supported THEN END$$;
\set VERBOSITY default

\c :home
DROP DATABASE regress_token_cost;
DROP ROLE regress_cost_a, regress_cost_b;
