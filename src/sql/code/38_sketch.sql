-- Percentiles that can be stored, merged and read again, with an error that is known.

CREATE TYPE bcce.sketch;
COMMENT ON TYPE bcce.sketch IS
'Numbers summed up for percentiles: up to 32 as they are, more in buckets whose bounds are powers of 2^(1/64) by default, so that a percentile is within 0.5415 % of the number it stands for. Count, sum, smallest and largest number are exact. Merging loses nothing: what a sketch holds does not depend on the order of rows nor on their grouping. Source: Masson, Rim and Lee 2019 (DDSketch); Epicoco and others 2020 (uniform collapse); OpenTelemetry exponential histogram.';

CREATE FUNCTION bcce.sketch_in(cstring)
RETURNS bcce.sketch
AS 'MODULE_PATHNAME', 'sketch_in'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_in(cstring) IS
'Text to sketch. Error 22P02: not the text of a sketch.';

CREATE FUNCTION bcce.sketch_out(bcce.sketch)
RETURNS cstring
AS 'MODULE_PATHNAME', 'sketch_out'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_out(bcce.sketch) IS
'Sketch to text: fields name=value in a fixed order, the sum exact as a hexadecimal number times a power of two, buckets as number:count.';

CREATE FUNCTION bcce.sketch_recv(internal)
RETURNS bcce.sketch
AS 'MODULE_PATHNAME', 'sketch_recv'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_recv(internal) IS
'Bytes to sketch, every byte checked. Error 22P03: not the bytes of a sketch.';

CREATE FUNCTION bcce.sketch_send(bcce.sketch)
RETURNS bytea
AS 'MODULE_PATHNAME', 'sketch_send'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_send(bcce.sketch) IS
'Sketch to bytes, the same on every platform; equal sketches have equal bytes.';

CREATE TYPE bcce.sketch (
    INPUT = bcce.sketch_in,
    OUTPUT = bcce.sketch_out,
    RECEIVE = bcce.sketch_recv,
    SEND = bcce.sketch_send,
    STORAGE = external
);

-- Aggregates.  One state serves all; the second argument is the same in all rows of a group.

CREATE FUNCTION bcce.sketch_combine(internal, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_combine'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_combine(internal, internal) IS
'Part of the aggregates of sketches: joins the states of two workers.';

CREATE FUNCTION bcce.sketch_serialize(internal)
RETURNS bytea
AS 'MODULE_PATHNAME', 'sketch_serialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_serialize(internal) IS
'Part of the aggregates of sketches: state to bytes.';

CREATE FUNCTION bcce.sketch_deserialize(bytea, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_deserialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_deserialize(bytea, internal) IS
'Part of the aggregates of sketches: bytes to state, every byte checked. Error 22P03: not a state.';

CREATE FUNCTION bcce.sketch_final(internal)
RETURNS bcce.sketch
AS 'MODULE_PATHNAME', 'sketch_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_final(internal) IS
'Part of the aggregates percentile_sketch() and rollup(): the result.';

CREATE FUNCTION bcce.approx_percentile_final(internal)
RETURNS double precision
AS 'MODULE_PATHNAME', 'approx_percentile_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.approx_percentile_final(internal) IS
'Part of the aggregate approx_percentile(v, q): the result.';

CREATE FUNCTION bcce.approx_percentiles_final(internal)
RETURNS double precision[]
AS 'MODULE_PATHNAME', 'approx_percentiles_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.approx_percentiles_final(internal) IS
'Part of the aggregate approx_percentile(v, q[]): the result.';

CREATE FUNCTION bcce.approx_percentile_interval_final(internal)
RETURNS interval
AS 'MODULE_PATHNAME', 'approx_percentile_interval_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.approx_percentile_interval_final(internal) IS
'Part of the aggregate approx_percentile(interval, q): the result.';

CREATE FUNCTION bcce.approx_percentiles_interval_final(internal)
RETURNS interval[]
AS 'MODULE_PATHNAME', 'approx_percentiles_interval_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.approx_percentiles_interval_final(internal) IS
'Part of the aggregate approx_percentile(interval, q[]): the result.';

CREATE FUNCTION bcce.sketch_step(internal, bcce.sketch)
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_step_sketch'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_step(internal, bcce.sketch) IS
'Part of the aggregate rollup(sketch): takes a row.';

CREATE AGGREGATE bcce.rollup(sketch bcce.sketch) (
    SFUNC = bcce.sketch_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.sketch_final,
    COMBINEFUNC = bcce.sketch_combine,
    SERIALFUNC = bcce.sketch_serialize,
    DESERIALFUNC = bcce.sketch_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.rollup(bcce.sketch) IS
'One sketch of all the numbers in several sketches, the same to the byte as a sketch made of those numbers at once. Sketches of different error give the largest. NULLs are left out; NULL without a sketch. Error XX001: a stored sketch was damaged.';

-- For frames that slide: a row joins at the end, the first one leaves.  The same for all types of numbers.

CREATE FUNCTION bcce.sketch_slide(internal, "any")
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_slide'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_slide(internal, "any") IS
'Part of the aggregate percentile_sketch(v): a row joins a frame that slides.';

CREATE FUNCTION bcce.sketch_slide(internal, "any", error double precision)
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_slide_error'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_slide(internal, "any", double precision) IS
'Part of the aggregate percentile_sketch(v, error): a row joins a frame that slides.';

CREATE FUNCTION bcce.approx_percentile_slide(internal, "any", q double precision)
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_slide_percentile'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.approx_percentile_slide(internal, "any", double precision) IS
'Part of the aggregate approx_percentile(v, q): a row joins a frame that slides.';

CREATE FUNCTION bcce.approx_percentile_slide(internal, "any", q double precision[])
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_slide_percentiles'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.approx_percentile_slide(internal, "any", double precision[]) IS
'Part of the aggregate approx_percentile(v, q[]): a row joins a frame that slides.';

CREATE FUNCTION bcce.sketch_slide_out(internal, "any")
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_slide_out'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_slide_out(internal, "any") IS
'Part of the aggregate percentile_sketch(v): the first row leaves a frame that slides.';

CREATE FUNCTION bcce.sketch_slide_out(internal, "any", double precision)
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_slide_out'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_slide_out(internal, "any", double precision) IS
'Part of the aggregate percentile_sketch(v, error) and approx_percentile(v, q): the first row leaves a frame that slides.';

CREATE FUNCTION bcce.sketch_slide_out(internal, "any", double precision[])
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_slide_out'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_slide_out(internal, "any", double precision[]) IS
'Part of the aggregate approx_percentile(v, q[]): the first row leaves a frame that slides.';

CREATE FUNCTION bcce.sketch_step(internal, double precision)
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_step_float8'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_step(internal, double precision) IS
'Part of the aggregate percentile_sketch(double precision): takes a row.';

CREATE FUNCTION bcce.sketch_step(internal, double precision, error double precision)
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_step_float8_error'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_step(internal, double precision, double precision) IS
'Part of the aggregate percentile_sketch(double precision, error): takes a row.';

CREATE FUNCTION bcce.approx_percentile_step(internal, double precision, q double precision)
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_step_float8_percentile'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.approx_percentile_step(internal, double precision, double precision) IS
'Part of the aggregate approx_percentile(double precision, q): takes a row.';

CREATE FUNCTION bcce.approx_percentile_step(internal, double precision, q double precision[])
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_step_float8_percentiles'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.approx_percentile_step(internal, double precision, double precision[]) IS
'Part of the aggregate approx_percentile(double precision, q[]): takes a row.';

CREATE AGGREGATE bcce.percentile_sketch(v double precision) (
    SFUNC = bcce.sketch_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.sketch_final,
    COMBINEFUNC = bcce.sketch_combine,
    SERIALFUNC = bcce.sketch_serialize,
    DESERIALFUNC = bcce.sketch_deserialize,
    MSFUNC = bcce.sketch_slide,
    MINVFUNC = bcce.sketch_slide_out,
    MSTYPE = internal,
    MSSPACE = 4096,
    MFINALFUNC = bcce.sketch_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.percentile_sketch(double precision) IS
'Sketch of numbers, for percentiles within 0.5415 %, exact up to 32 of them. NULLs are left out; NULL without a value.';

CREATE AGGREGATE bcce.percentile_sketch(v double precision, error double precision) (
    SFUNC = bcce.sketch_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.sketch_final,
    COMBINEFUNC = bcce.sketch_combine,
    SERIALFUNC = bcce.sketch_serialize,
    DESERIALFUNC = bcce.sketch_deserialize,
    MSFUNC = bcce.sketch_slide,
    MINVFUNC = bcce.sketch_slide_out,
    MSTYPE = internal,
    MSSPACE = 4096,
    MFINALFUNC = bcce.sketch_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.percentile_sketch(double precision, double precision) IS
'Sketch of numbers, for percentiles within the given relative error (0.01 is 1 %; NULL is the default). Data of more than 4096 buckets makes them wider, error(sketch) says how wide. Error 22023: error below 0.000677 or above 1, or not the same in a group.';

CREATE AGGREGATE bcce.approx_percentile(v double precision, q double precision) (
    SFUNC = bcce.approx_percentile_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.approx_percentile_final,
    COMBINEFUNC = bcce.sketch_combine,
    SERIALFUNC = bcce.sketch_serialize,
    DESERIALFUNC = bcce.sketch_deserialize,
    MSFUNC = bcce.approx_percentile_slide,
    MINVFUNC = bcce.sketch_slide_out,
    MSTYPE = internal,
    MSSPACE = 4096,
    MFINALFUNC = bcce.approx_percentile_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.approx_percentile(double precision, double precision) IS
'Percentile q (0 to 1) of numbers, by the rank of percentile_disc() and within 0.5415 % of it; exact up to 32 values. NaN is above everything. NULL without a value or when q is NULL. Errors: 22003 q outside 0 to 1; 22023 q not the same in a group.';

CREATE AGGREGATE bcce.approx_percentile(v double precision, q double precision[]) (
    SFUNC = bcce.approx_percentile_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.approx_percentiles_final,
    COMBINEFUNC = bcce.sketch_combine,
    SERIALFUNC = bcce.sketch_serialize,
    DESERIALFUNC = bcce.sketch_deserialize,
    MSFUNC = bcce.approx_percentile_slide,
    MINVFUNC = bcce.sketch_slide_out,
    MSTYPE = internal,
    MSSPACE = 4096,
    MFINALFUNC = bcce.approx_percentiles_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.approx_percentile(double precision, double precision[]) IS
'Percentiles of numbers, one for each q of the array and in its shape, as approx_percentile(v, q) gives each. Errors: 22003 a q outside 0 to 1; 22023 q not the same in a group.';

CREATE FUNCTION bcce.sketch_step(internal, bigint)
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_step_bigint'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_step(internal, bigint) IS
'Part of the aggregate percentile_sketch(bigint): takes a row.';

CREATE FUNCTION bcce.sketch_step(internal, bigint, error double precision)
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_step_bigint_error'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_step(internal, bigint, double precision) IS
'Part of the aggregate percentile_sketch(bigint, error): takes a row.';

CREATE FUNCTION bcce.approx_percentile_step(internal, bigint, q double precision)
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_step_bigint_percentile'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.approx_percentile_step(internal, bigint, double precision) IS
'Part of the aggregate approx_percentile(bigint, q): takes a row.';

CREATE FUNCTION bcce.approx_percentile_step(internal, bigint, q double precision[])
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_step_bigint_percentiles'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.approx_percentile_step(internal, bigint, double precision[]) IS
'Part of the aggregate approx_percentile(bigint, q[]): takes a row.';

CREATE AGGREGATE bcce.percentile_sketch(v bigint) (
    SFUNC = bcce.sketch_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.sketch_final,
    COMBINEFUNC = bcce.sketch_combine,
    SERIALFUNC = bcce.sketch_serialize,
    DESERIALFUNC = bcce.sketch_deserialize,
    MSFUNC = bcce.sketch_slide,
    MINVFUNC = bcce.sketch_slide_out,
    MSTYPE = internal,
    MSSPACE = 4096,
    MFINALFUNC = bcce.sketch_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.percentile_sketch(bigint) IS
'Sketch of numbers, for percentiles within 0.5415 %, exact up to 32 of them. NULLs are left out; NULL without a value.';

CREATE AGGREGATE bcce.percentile_sketch(v bigint, error double precision) (
    SFUNC = bcce.sketch_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.sketch_final,
    COMBINEFUNC = bcce.sketch_combine,
    SERIALFUNC = bcce.sketch_serialize,
    DESERIALFUNC = bcce.sketch_deserialize,
    MSFUNC = bcce.sketch_slide,
    MINVFUNC = bcce.sketch_slide_out,
    MSTYPE = internal,
    MSSPACE = 4096,
    MFINALFUNC = bcce.sketch_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.percentile_sketch(bigint, double precision) IS
'Sketch of numbers, for percentiles within the given relative error (0.01 is 1 %; NULL is the default). Data of more than 4096 buckets makes them wider, error(sketch) says how wide. Error 22023: error below 0.000677 or above 1, or not the same in a group.';

CREATE AGGREGATE bcce.approx_percentile(v bigint, q double precision) (
    SFUNC = bcce.approx_percentile_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.approx_percentile_final,
    COMBINEFUNC = bcce.sketch_combine,
    SERIALFUNC = bcce.sketch_serialize,
    DESERIALFUNC = bcce.sketch_deserialize,
    MSFUNC = bcce.approx_percentile_slide,
    MINVFUNC = bcce.sketch_slide_out,
    MSTYPE = internal,
    MSSPACE = 4096,
    MFINALFUNC = bcce.approx_percentile_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.approx_percentile(bigint, double precision) IS
'Percentile q (0 to 1) of numbers, by the rank of percentile_disc() and within 0.5415 % of it; exact up to 32 values. NULL without a value or when q is NULL. Errors: 22003 q outside 0 to 1; 22023 q not the same in a group.';

CREATE AGGREGATE bcce.approx_percentile(v bigint, q double precision[]) (
    SFUNC = bcce.approx_percentile_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.approx_percentiles_final,
    COMBINEFUNC = bcce.sketch_combine,
    SERIALFUNC = bcce.sketch_serialize,
    DESERIALFUNC = bcce.sketch_deserialize,
    MSFUNC = bcce.approx_percentile_slide,
    MINVFUNC = bcce.sketch_slide_out,
    MSTYPE = internal,
    MSSPACE = 4096,
    MFINALFUNC = bcce.approx_percentiles_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.approx_percentile(bigint, double precision[]) IS
'Percentiles of numbers, one for each q of the array and in its shape, as approx_percentile(v, q) gives each. Errors: 22003 a q outside 0 to 1; 22023 q not the same in a group.';

CREATE FUNCTION bcce.sketch_step(internal, numeric)
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_step_numeric'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_step(internal, numeric) IS
'Part of the aggregate percentile_sketch(numeric): takes a row.';

CREATE FUNCTION bcce.sketch_step(internal, numeric, error double precision)
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_step_numeric_error'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_step(internal, numeric, double precision) IS
'Part of the aggregate percentile_sketch(numeric, error): takes a row.';

CREATE FUNCTION bcce.approx_percentile_step(internal, numeric, q double precision)
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_step_numeric_percentile'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.approx_percentile_step(internal, numeric, double precision) IS
'Part of the aggregate approx_percentile(numeric, q): takes a row.';

CREATE FUNCTION bcce.approx_percentile_step(internal, numeric, q double precision[])
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_step_numeric_percentiles'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.approx_percentile_step(internal, numeric, double precision[]) IS
'Part of the aggregate approx_percentile(numeric, q[]): takes a row.';

CREATE AGGREGATE bcce.percentile_sketch(v numeric) (
    SFUNC = bcce.sketch_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.sketch_final,
    COMBINEFUNC = bcce.sketch_combine,
    SERIALFUNC = bcce.sketch_serialize,
    DESERIALFUNC = bcce.sketch_deserialize,
    MSFUNC = bcce.sketch_slide,
    MINVFUNC = bcce.sketch_slide_out,
    MSTYPE = internal,
    MSSPACE = 4096,
    MFINALFUNC = bcce.sketch_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.percentile_sketch(numeric) IS
'Sketch of numbers, for percentiles within 0.5415 %, exact up to 32 of them. NULLs are left out; NULL without a value. Numbers are rounded to double precision; one beyond its range counts as infinite.';

CREATE AGGREGATE bcce.percentile_sketch(v numeric, error double precision) (
    SFUNC = bcce.sketch_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.sketch_final,
    COMBINEFUNC = bcce.sketch_combine,
    SERIALFUNC = bcce.sketch_serialize,
    DESERIALFUNC = bcce.sketch_deserialize,
    MSFUNC = bcce.sketch_slide,
    MINVFUNC = bcce.sketch_slide_out,
    MSTYPE = internal,
    MSSPACE = 4096,
    MFINALFUNC = bcce.sketch_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.percentile_sketch(numeric, double precision) IS
'Sketch of numbers, for percentiles within the given relative error (0.01 is 1 %; NULL is the default). Data of more than 4096 buckets makes them wider, error(sketch) says how wide. Numbers are rounded to double precision; one beyond its range counts as infinite. Error 22023: error below 0.000677 or above 1, or not the same in a group.';

CREATE AGGREGATE bcce.approx_percentile(v numeric, q double precision) (
    SFUNC = bcce.approx_percentile_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.approx_percentile_final,
    COMBINEFUNC = bcce.sketch_combine,
    SERIALFUNC = bcce.sketch_serialize,
    DESERIALFUNC = bcce.sketch_deserialize,
    MSFUNC = bcce.approx_percentile_slide,
    MINVFUNC = bcce.sketch_slide_out,
    MSTYPE = internal,
    MSSPACE = 4096,
    MFINALFUNC = bcce.approx_percentile_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.approx_percentile(numeric, double precision) IS
'Percentile q (0 to 1) of numbers, by the rank of percentile_disc() and within 0.5415 % of it; exact up to 32 values. NaN is above everything. NULL without a value or when q is NULL. Numbers are rounded to double precision; one beyond its range counts as infinite. Errors: 22003 q outside 0 to 1; 22023 q not the same in a group.';

CREATE AGGREGATE bcce.approx_percentile(v numeric, q double precision[]) (
    SFUNC = bcce.approx_percentile_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.approx_percentiles_final,
    COMBINEFUNC = bcce.sketch_combine,
    SERIALFUNC = bcce.sketch_serialize,
    DESERIALFUNC = bcce.sketch_deserialize,
    MSFUNC = bcce.approx_percentile_slide,
    MINVFUNC = bcce.sketch_slide_out,
    MSTYPE = internal,
    MSSPACE = 4096,
    MFINALFUNC = bcce.approx_percentiles_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.approx_percentile(numeric, double precision[]) IS
'Percentiles of numbers, one for each q of the array and in its shape, as approx_percentile(v, q) gives each. Numbers are rounded to double precision; one beyond its range counts as infinite. Errors: 22003 a q outside 0 to 1; 22023 q not the same in a group.';

CREATE FUNCTION bcce.sketch_step(internal, interval)
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_step_interval'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_step(internal, interval) IS
'Part of the aggregate percentile_sketch(interval): takes a row.';

CREATE FUNCTION bcce.sketch_step(internal, interval, error double precision)
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_step_interval_error'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_step(internal, interval, double precision) IS
'Part of the aggregate percentile_sketch(interval, error): takes a row.';

CREATE FUNCTION bcce.approx_percentile_step(internal, interval, q double precision)
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_step_interval_percentile'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.approx_percentile_step(internal, interval, double precision) IS
'Part of the aggregate approx_percentile(interval, q): takes a row.';

CREATE FUNCTION bcce.approx_percentile_step(internal, interval, q double precision[])
RETURNS internal
AS 'MODULE_PATHNAME', 'sketch_step_interval_percentiles'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.approx_percentile_step(internal, interval, double precision[]) IS
'Part of the aggregate approx_percentile(interval, q[]): takes a row.';

CREATE AGGREGATE bcce.percentile_sketch(v interval) (
    SFUNC = bcce.sketch_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.sketch_final,
    COMBINEFUNC = bcce.sketch_combine,
    SERIALFUNC = bcce.sketch_serialize,
    DESERIALFUNC = bcce.sketch_deserialize,
    MSFUNC = bcce.sketch_slide,
    MINVFUNC = bcce.sketch_slide_out,
    MSTYPE = internal,
    MSSPACE = 4096,
    MFINALFUNC = bcce.sketch_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.percentile_sketch(interval) IS
'Sketch of intervals in seconds, for percentiles within 0.5415 %, exact up to 32 of them. NULLs are left out; NULL without a value. A day is 24 hours and a month 30 days, as when intervals are ordered.';

CREATE AGGREGATE bcce.percentile_sketch(v interval, error double precision) (
    SFUNC = bcce.sketch_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.sketch_final,
    COMBINEFUNC = bcce.sketch_combine,
    SERIALFUNC = bcce.sketch_serialize,
    DESERIALFUNC = bcce.sketch_deserialize,
    MSFUNC = bcce.sketch_slide,
    MINVFUNC = bcce.sketch_slide_out,
    MSTYPE = internal,
    MSSPACE = 4096,
    MFINALFUNC = bcce.sketch_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.percentile_sketch(interval, double precision) IS
'Sketch of intervals in seconds, for percentiles within the given relative error (0.01 is 1 %; NULL is the default). Data of more than 4096 buckets makes them wider, error(sketch) says how wide. A day is 24 hours and a month 30 days, as when intervals are ordered. Error 22023: error below 0.000677 or above 1, or not the same in a group.';

CREATE AGGREGATE bcce.approx_percentile(v interval, q double precision) (
    SFUNC = bcce.approx_percentile_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.approx_percentile_interval_final,
    COMBINEFUNC = bcce.sketch_combine,
    SERIALFUNC = bcce.sketch_serialize,
    DESERIALFUNC = bcce.sketch_deserialize,
    MSFUNC = bcce.approx_percentile_slide,
    MINVFUNC = bcce.sketch_slide_out,
    MSTYPE = internal,
    MSSPACE = 4096,
    MFINALFUNC = bcce.approx_percentile_interval_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.approx_percentile(interval, double precision) IS
'Percentile q (0 to 1) of intervals, by the rank of percentile_disc() and within 0.5415 % of it; exact up to 32 values. NULL without a value or when q is NULL. A day is 24 hours and a month 30 days, as when intervals are ordered. Errors: 22003 q outside 0 to 1; 22023 q not the same in a group.';

CREATE AGGREGATE bcce.approx_percentile(v interval, q double precision[]) (
    SFUNC = bcce.approx_percentile_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.approx_percentiles_interval_final,
    COMBINEFUNC = bcce.sketch_combine,
    SERIALFUNC = bcce.sketch_serialize,
    DESERIALFUNC = bcce.sketch_deserialize,
    MSFUNC = bcce.approx_percentile_slide,
    MINVFUNC = bcce.sketch_slide_out,
    MSTYPE = internal,
    MSSPACE = 4096,
    MFINALFUNC = bcce.approx_percentiles_interval_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.approx_percentile(interval, double precision[]) IS
'Percentiles of intervals, one for each q of the array and in its shape, as approx_percentile(v, q) gives each. A day is 24 hours and a month 30 days, as when intervals are ordered. Errors: 22003 a q outside 0 to 1; 22023 q not the same in a group.';

-- Readers.  Each is NULL for a sketch of no number, but for num_vals, error, is_exact and buckets.

CREATE FUNCTION bcce.approx_percentile(sketch bcce.sketch, q double precision)
RETURNS double precision
AS 'MODULE_PATHNAME', 'sketch_approx_percentile'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.approx_percentile(bcce.sketch, double precision) IS
'Percentile q (0 to 1), in the unit of the numbers (seconds for intervals), by the rank of percentile_disc(): the number of rank ceil(q * n), within error(sketch) of it. The smallest and the largest are exact. Error 22003: q outside 0 to 1.';

CREATE FUNCTION bcce.approx_percentile(sketch bcce.sketch, q double precision[])
RETURNS double precision[]
AS 'MODULE_PATHNAME', 'sketch_approx_percentiles'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.approx_percentile(bcce.sketch, double precision[]) IS
'Percentiles, one for each q of the array and in its shape, as approx_percentile(sketch, q) gives each; NULL for a q that is NULL. Error 22003: a q outside 0 to 1.';

CREATE FUNCTION bcce.approx_percentile_rank(sketch bcce.sketch, value double precision)
RETURNS double precision
AS 'MODULE_PATHNAME', 'sketch_approx_percentile_rank'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.approx_percentile_rank(bcce.sketch, double precision) IS
'Share of numbers (0 to 1) up to and including the value. Exact up to 32 numbers and at 0; otherwise the numbers in the bucket of the value count as spread evenly.';

CREATE FUNCTION bcce.share_below(sketch bcce.sketch, value double precision)
RETURNS double precision
AS 'MODULE_PATHNAME', 'sketch_share_below'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.share_below(bcce.sketch, double precision) IS
'Share of numbers (0 to 1) below the value. Exact up to 32 numbers and at 0; otherwise the numbers in the bucket of the value count as spread evenly.';

CREATE FUNCTION bcce.mean(sketch bcce.sketch)
RETURNS double precision
AS 'MODULE_PATHNAME', 'sketch_mean_of'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.mean(bcce.sketch) IS
'Mean, from an exact sum; NaN or infinite where avg() is.';

CREATE FUNCTION bcce.sum(sketch bcce.sketch)
RETURNS double precision
AS 'MODULE_PATHNAME', 'sketch_sum_of'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sum(bcce.sketch) IS
'Sum, exact and rounded once, so independent of the order of rows; Infinity beyond the range of double precision.';

CREATE FUNCTION bcce.num_vals(sketch bcce.sketch)
RETURNS bigint
AS 'MODULE_PATHNAME', 'sketch_num_vals'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.num_vals(bcce.sketch) IS
'How many numbers there are, NaN and infinite ones included.';

CREATE FUNCTION bcce.min_val(sketch bcce.sketch)
RETURNS double precision
AS 'MODULE_PATHNAME', 'sketch_min_val'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.min_val(bcce.sketch) IS
'Smallest number, exact.';

CREATE FUNCTION bcce.max_val(sketch bcce.sketch)
RETURNS double precision
AS 'MODULE_PATHNAME', 'sketch_max_val'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.max_val(bcce.sketch) IS
'Largest number, exact; NaN when there is one, as max() has it.';

CREATE FUNCTION bcce.error(sketch bcce.sketch)
RETURNS double precision
AS 'MODULE_PATHNAME', 'sketch_error_of'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.error(bcce.sketch) IS
'How far a percentile can be from the number it stands for, relative to that number: 0 while numbers are kept, 0.005415 by default.';

CREATE FUNCTION bcce.is_exact(sketch bcce.sketch)
RETURNS boolean
AS 'MODULE_PATHNAME', 'sketch_is_exact'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.is_exact(bcce.sketch) IS
'Whether the numbers are kept as they are, so that percentiles have no error.';

CREATE FUNCTION bcce.buckets(sketch bcce.sketch)
RETURNS TABLE (lower double precision, upper double precision, count bigint)
AS 'MODULE_PATHNAME', 'sketch_buckets'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 100;
COMMENT ON FUNCTION bcce.buckets(bcce.sketch) IS
'What the sketch holds, in ascending order: how many numbers are from lower to upper, in their unit; lower = upper for a number that is kept, for 0, and for what is infinite or NaN.';

-- Merging two, and the form of OpenTelemetry.

CREATE FUNCTION bcce.sketch_union(bcce.sketch, bcce.sketch)
RETURNS bcce.sketch
AS 'MODULE_PATHNAME', 'sketch_union'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_union(bcce.sketch, bcce.sketch) IS
'One sketch of the numbers in two; the operator ||.';

CREATE OPERATOR bcce.|| (
    LEFTARG = bcce.sketch,
    RIGHTARG = bcce.sketch,
    FUNCTION = bcce.sketch_union,
    COMMUTATOR = OPERATOR(bcce.||)
);
COMMENT ON OPERATOR bcce.|| (bcce.sketch, bcce.sketch) IS
'One sketch of the numbers in two, in whatever order.';

CREATE FUNCTION bcce.sketch_to_jsonb(bcce.sketch)
RETURNS jsonb
AS 'MODULE_PATHNAME', 'sketch_to_jsonb'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_to_jsonb(bcce.sketch) IS
'Sketch as an exponential histogram with the field names of OpenTelemetry (ExponentialHistogramDataPoint); the sum is rounded to double precision. Numbers that are kept stand in values; NaN and infinite ones, which it does not know, in nan_count, infinity_count and negative_infinity_count, and not in count.';

CREATE FUNCTION bcce.sketch_from_jsonb(jsonb)
RETURNS bcce.sketch
AS 'MODULE_PATHNAME', 'sketch_from_jsonb'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_from_jsonb(jsonb) IS
'Exponential histogram of OpenTelemetry to sketch: names in snake or camel case, counts as numbers or in quotes. Missing sum, min and max are estimated from the buckets; scales above 9 become 9. Errors: 22023 a field is missing or wrong; 22003 a number is out of range.';

CREATE FUNCTION bcce.sketch_from_bytes(bytea)
RETURNS bcce.sketch
AS 'MODULE_PATHNAME', 'sketch_from_bytes'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.sketch_from_bytes(bytea) IS
'Sketch from the bytes that sketch_send() gives, every byte checked: for columns that must outlive the extension. Error 22P03: not the bytes of a sketch.';

CREATE FUNCTION bcce.try_sketch(value text)
RETURNS bcce.sketch
AS 'MODULE_PATHNAME', 'try_sketch'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.try_sketch(text) IS
'Sketch from its text, or NULL. Never errors.';

CREATE FUNCTION bcce.try_sketch(value jsonb)
RETURNS bcce.sketch
AS 'MODULE_PATHNAME', 'try_sketch_jsonb'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.try_sketch(jsonb) IS
'Exponential histogram of OpenTelemetry to sketch as in the cast, or NULL. Never errors.';

CREATE CAST (bcce.sketch AS jsonb) WITH FUNCTION bcce.sketch_to_jsonb(bcce.sketch);
COMMENT ON CAST (bcce.sketch AS jsonb) IS 'Sketch to an exponential histogram of OpenTelemetry.';
CREATE CAST (jsonb AS bcce.sketch) WITH FUNCTION bcce.sketch_from_jsonb(jsonb);
COMMENT ON CAST (jsonb AS bcce.sketch) IS 'Exponential histogram of OpenTelemetry to sketch.';
