-- Cost: what a quantity costs by the price book.

CREATE FUNCTION bcce.estimate_cost(item text, quantity numeric, at timestamptz DEFAULT now(), tenant uuid DEFAULT NULL) RETURNS numeric
AS 'MODULE_PATHNAME' LANGUAGE C
STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.estimate_cost(text, numeric, timestamptz, uuid) IS
'The cost in US dollars of a quantity of an item: quantity times the unit price that holds at that moment, exact and unrounded. The tenant''s own price goes before the default price; the tenant is the caller''s current one unless given, and one that is not the caller''s gets the default price, as one that does not exist. NULL when there is no price, or when the item, the quantity or the time is NULL. Error 22023 when the quantity is negative, infinite or NaN.';

