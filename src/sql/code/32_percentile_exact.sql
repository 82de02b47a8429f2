-- Exact percentiles as plain aggregates.  One state serves all; q is the same in
-- all rows of a group.  Integers and numeric come by the server's own implicit
-- cast to double precision, as they do in percentile_cont().

CREATE FUNCTION bcce.exact_combine(internal, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'exact_combine'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.exact_combine(internal, internal) IS
'Part of the aggregates of exact percentiles: joins the states of two workers.';

CREATE FUNCTION bcce.exact_serialize(internal)
RETURNS bytea
AS 'MODULE_PATHNAME', 'exact_serialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.exact_serialize(internal) IS
'Part of the aggregates of exact percentiles: state to bytes. Error 54000: more than 134217725 values (half of that for intervals) from one worker in one group.';

CREATE FUNCTION bcce.exact_deserialize(bytea, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'exact_deserialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.exact_deserialize(bytea, internal) IS
'Part of the aggregates of exact percentiles: bytes to state, checked. Error 22P03: not a state.';

CREATE FUNCTION bcce.percentile_exact_final(internal)
RETURNS double precision
AS 'MODULE_PATHNAME', 'exact_final_float8'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.percentile_exact_final(internal) IS
'Part of the aggregates median(double precision) and percentile_exact(double precision, q): the result.';

CREATE FUNCTION bcce.percentiles_exact_final(internal)
RETURNS double precision[]
AS 'MODULE_PATHNAME', 'exact_final_float8'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.percentiles_exact_final(internal) IS
'Part of the aggregate percentile_exact(double precision, q[]): the result.';

CREATE FUNCTION bcce.median_step(internal, double precision)
RETURNS internal
AS 'MODULE_PATHNAME', 'exact_step_float8_median'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.median_step(internal, double precision) IS
'Part of the aggregate median(double precision): takes a row.';

CREATE FUNCTION bcce.percentile_exact_step(internal, double precision, q double precision)
RETURNS internal
AS 'MODULE_PATHNAME', 'exact_step_float8_percentile'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.percentile_exact_step(internal, double precision, double precision) IS
'Part of the aggregate percentile_exact(double precision, q): takes a row.';

CREATE FUNCTION bcce.percentile_exact_step(internal, double precision, q double precision[])
RETURNS internal
AS 'MODULE_PATHNAME', 'exact_step_float8_percentiles'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.percentile_exact_step(internal, double precision, double precision[]) IS
'Part of the aggregate percentile_exact(double precision, q[]): takes a row.';

CREATE AGGREGATE bcce.median(v double precision) (
    SFUNC = bcce.median_step,
    STYPE = internal,
    SSPACE = 256,
    FINALFUNC = bcce.percentile_exact_final,
    COMBINEFUNC = bcce.exact_combine,
    SERIALFUNC = bcce.exact_serialize,
    DESERIALFUNC = bcce.exact_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.median(double precision) IS
'Median of numbers, exact: to the bit what percentile_cont(0.5) WITHIN GROUP (ORDER BY v) gives, but parallel, without a sort, and usable with OVER. NULLs are left out; NULL without a value. NaN is above everything, -0 goes before 0; integers and numeric are converted to double precision, as percentile_cont() has them. Any order of rows, any plan and any number of workers give the same. Keeps 8 bytes per value, past work_mem * hash_mem_multiplier in a temporary file; a worker of a parallel plan hands its values over in memory. Source: Hyndman and Fan 1996, type 7.';

CREATE AGGREGATE bcce.percentile_exact(v double precision, q double precision) (
    SFUNC = bcce.percentile_exact_step,
    STYPE = internal,
    SSPACE = 256,
    FINALFUNC = bcce.percentile_exact_final,
    COMBINEFUNC = bcce.exact_combine,
    SERIALFUNC = bcce.exact_serialize,
    DESERIALFUNC = bcce.exact_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.percentile_exact(double precision, double precision) IS
'Percentile q (0 to 1) of numbers, exact: to the bit what percentile_cont(q) WITHIN GROUP (ORDER BY v) gives, but parallel, without a sort, and usable with OVER. NULLs are left out; NULL without a value or when q is NULL. NaN is above everything, -0 goes before 0; integers and numeric are converted to double precision, as percentile_cont() has them. Any order of rows, any plan and any number of workers give the same. Keeps 8 bytes per value, past work_mem * hash_mem_multiplier in a temporary file; a worker of a parallel plan hands its values over in memory. Source: Hyndman and Fan 1996, type 7. Errors: 22003 q outside 0 to 1; 22023 q not the same in a group.';

CREATE AGGREGATE bcce.percentile_exact(v double precision, q double precision[]) (
    SFUNC = bcce.percentile_exact_step,
    STYPE = internal,
    SSPACE = 256,
    FINALFUNC = bcce.percentiles_exact_final,
    COMBINEFUNC = bcce.exact_combine,
    SERIALFUNC = bcce.exact_serialize,
    DESERIALFUNC = bcce.exact_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.percentile_exact(double precision, double precision[]) IS
'Percentiles of numbers, one for each q of the array and in its shape, as percentile_exact(v, q) gives each, with one copy of the values; NULL for a q that is NULL. Errors: 22003 a q outside 0 to 1; 22023 q not the same in a group.';

CREATE FUNCTION bcce.percentile_exact_interval_final(internal)
RETURNS interval
AS 'MODULE_PATHNAME', 'exact_final_interval'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.percentile_exact_interval_final(internal) IS
'Part of the aggregates median(interval) and percentile_exact(interval, q): the result.';

CREATE FUNCTION bcce.percentiles_exact_interval_final(internal)
RETURNS interval[]
AS 'MODULE_PATHNAME', 'exact_final_interval'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.percentiles_exact_interval_final(internal) IS
'Part of the aggregate percentile_exact(interval, q[]): the result.';

CREATE FUNCTION bcce.median_step(internal, interval)
RETURNS internal
AS 'MODULE_PATHNAME', 'exact_step_interval_median'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.median_step(internal, interval) IS
'Part of the aggregate median(interval): takes a row.';

CREATE FUNCTION bcce.percentile_exact_step(internal, interval, q double precision)
RETURNS internal
AS 'MODULE_PATHNAME', 'exact_step_interval_percentile'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.percentile_exact_step(internal, interval, double precision) IS
'Part of the aggregate percentile_exact(interval, q): takes a row.';

CREATE FUNCTION bcce.percentile_exact_step(internal, interval, q double precision[])
RETURNS internal
AS 'MODULE_PATHNAME', 'exact_step_interval_percentiles'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.percentile_exact_step(internal, interval, double precision[]) IS
'Part of the aggregate percentile_exact(interval, q[]): takes a row.';

CREATE AGGREGATE bcce.median(v interval) (
    SFUNC = bcce.median_step,
    STYPE = internal,
    SSPACE = 256,
    FINALFUNC = bcce.percentile_exact_interval_final,
    COMBINEFUNC = bcce.exact_combine,
    SERIALFUNC = bcce.exact_serialize,
    DESERIALFUNC = bcce.exact_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.median(interval) IS
'Median of intervals, exact: to the bit what percentile_cont(0.5) WITHIN GROUP (ORDER BY v) gives, but parallel, without a sort, and usable with OVER. NULLs are left out; NULL without a value. Intervals of one length but other fields (24:00 and 1 day) are taken in the order of their months and days, where percentile_cont() takes them as they come. Error: 22008 an interval beyond 106751991 days. Any order of rows, any plan and any number of workers give the same. Keeps 16 bytes per value, past work_mem * hash_mem_multiplier in a temporary file; a worker of a parallel plan hands its values over in memory. Source: Hyndman and Fan 1996, type 7.';

CREATE AGGREGATE bcce.percentile_exact(v interval, q double precision) (
    SFUNC = bcce.percentile_exact_step,
    STYPE = internal,
    SSPACE = 256,
    FINALFUNC = bcce.percentile_exact_interval_final,
    COMBINEFUNC = bcce.exact_combine,
    SERIALFUNC = bcce.exact_serialize,
    DESERIALFUNC = bcce.exact_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.percentile_exact(interval, double precision) IS
'Percentile q (0 to 1) of intervals, exact: to the bit what percentile_cont(q) WITHIN GROUP (ORDER BY v) gives, but parallel, without a sort, and usable with OVER. NULLs are left out; NULL without a value or when q is NULL. Intervals of one length but other fields (24:00 and 1 day) are taken in the order of their months and days, where percentile_cont() takes them as they come. Any order of rows, any plan and any number of workers give the same. Keeps 16 bytes per value, past work_mem * hash_mem_multiplier in a temporary file; a worker of a parallel plan hands its values over in memory. Source: Hyndman and Fan 1996, type 7. Errors: 22003 q outside 0 to 1; 22008 an interval beyond 106751991 days; 22023 q not the same in a group.';

CREATE AGGREGATE bcce.percentile_exact(v interval, q double precision[]) (
    SFUNC = bcce.percentile_exact_step,
    STYPE = internal,
    SSPACE = 256,
    FINALFUNC = bcce.percentiles_exact_interval_final,
    COMBINEFUNC = bcce.exact_combine,
    SERIALFUNC = bcce.exact_serialize,
    DESERIALFUNC = bcce.exact_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.percentile_exact(interval, double precision[]) IS
'Percentiles of intervals, one for each q of the array and in its shape, as percentile_exact(v, q) gives each, with one copy of the values; NULL for a q that is NULL. Errors: 22003 a q outside 0 to 1; 22008 an interval beyond 106751991 days; 22023 q not the same in a group.';
