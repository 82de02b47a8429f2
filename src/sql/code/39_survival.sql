-- How long things last of which some have not ended yet (Kaplan and Meier).

CREATE TYPE bcce.km_step AS (
    duration double precision,
    at_risk bigint,
    events bigint,
    censored bigint,
    survival double precision,
    survival_low double precision,
    survival_high double precision
);
COMMENT ON TYPE bcce.km_step IS
'One duration of the curve that km_curve() gives.';
COMMENT ON COLUMN bcce.km_step.duration IS 'duration, in the unit of the aggregate''s input';
COMMENT ON COLUMN bcce.km_step.at_risk IS 'rows that lasted at least so long';
COMMENT ON COLUMN bcce.km_step.events IS 'rows that ended then';
COMMENT ON COLUMN bcce.km_step.censored IS 'rows that had not ended then, and of which no more is known';
COMMENT ON COLUMN bcce.km_step.survival IS 'estimated share that lasts longer, 0 to 1';
COMMENT ON COLUMN bcce.km_step.survival_low IS 'lower bound of its 95 % interval, by the log(-log) transform of Greenwood''s variance; NULL where survival is 1 or 0';
COMMENT ON COLUMN bcce.km_step.survival_high IS 'upper bound of its 95 % interval';

CREATE FUNCTION bcce.km_combine(internal, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'km_combine'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.km_combine(internal, internal) IS
'Part of the aggregates km_quantile(), km_mean(), km_curve() and mttr_incl_open(): joins the states of two workers.';

CREATE FUNCTION bcce.km_serialize(internal)
RETURNS bytea
AS 'MODULE_PATHNAME', 'km_serialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.km_serialize(internal) IS
'Part of the aggregates km_quantile(), km_mean(), km_curve() and mttr_incl_open(): state to bytes.';

CREATE FUNCTION bcce.km_deserialize(bytea, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'km_deserialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.km_deserialize(bytea, internal) IS
'Part of the aggregates km_quantile(), km_mean(), km_curve() and mttr_incl_open(): bytes to state, every byte checked. Error 22P03: not a state.';

CREATE FUNCTION bcce.km_step(internal, double precision, boolean)
RETURNS internal
AS 'MODULE_PATHNAME', 'km_step'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.km_step(internal, double precision, boolean) IS
'Part of the aggregates km_mean(duration, observed) and km_curve(duration, observed): takes a row.';

CREATE FUNCTION bcce.km_quantile_step(internal, double precision, boolean, double precision)
RETURNS internal
AS 'MODULE_PATHNAME', 'km_quantile_step'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.km_quantile_step(internal, double precision, boolean, double precision) IS
'Part of the aggregates km_quantile(duration, observed, q), km_quantile_low() and km_quantile_high(): takes a row.';

CREATE FUNCTION bcce.km_mean_step(internal, double precision, boolean, double precision)
RETURNS internal
AS 'MODULE_PATHNAME', 'km_mean_step'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.km_mean_step(internal, double precision, boolean, double precision) IS
'Part of the aggregate km_mean(duration, observed, restriction): takes a row.';

CREATE FUNCTION bcce.mttr_incl_open_step(internal, timestamptz, timestamptz, timestamptz)
RETURNS internal
AS 'MODULE_PATHNAME', 'mttr_incl_open_step'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.mttr_incl_open_step(internal, timestamptz, timestamptz, timestamptz) IS
'Part of the aggregate mttr_incl_open(opened_at, recovered_at, as_of): takes a row.';

CREATE FUNCTION bcce.mttr_incl_open_step(internal, timestamptz, timestamptz, timestamptz, double precision)
RETURNS internal
AS 'MODULE_PATHNAME', 'mttr_incl_open_quantile_step'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.mttr_incl_open_step(internal, timestamptz, timestamptz, timestamptz, double precision) IS
'Part of the aggregate mttr_incl_open(opened_at, recovered_at, as_of, q): takes a row.';

CREATE FUNCTION bcce.km_quantile_final(internal)
RETURNS double precision
AS 'MODULE_PATHNAME', 'km_quantile_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.km_quantile_final(internal) IS
'Part of the aggregates km_quantile() and mttr_incl_open(): the result.';

CREATE FUNCTION bcce.km_quantile_low_final(internal)
RETURNS double precision
AS 'MODULE_PATHNAME', 'km_quantile_low_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.km_quantile_low_final(internal) IS
'Part of the aggregate km_quantile_low(): the result.';

CREATE FUNCTION bcce.km_quantile_high_final(internal)
RETURNS double precision
AS 'MODULE_PATHNAME', 'km_quantile_high_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.km_quantile_high_final(internal) IS
'Part of the aggregate km_quantile_high(): the result.';

CREATE FUNCTION bcce.km_mean_final(internal)
RETURNS double precision
AS 'MODULE_PATHNAME', 'km_mean_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.km_mean_final(internal) IS
'Part of the aggregate km_mean(): the result.';

CREATE FUNCTION bcce.km_curve_final(internal)
RETURNS bcce.km_step[]
AS 'MODULE_PATHNAME', 'km_curve_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.km_curve_final(internal) IS
'Part of the aggregate km_curve(): the result.';

CREATE AGGREGATE bcce.km_quantile(duration double precision, observed boolean, q double precision) (
    SFUNC = bcce.km_quantile_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.km_quantile_final,
    COMBINEFUNC = bcce.km_combine,
    SERIALFUNC = bcce.km_serialize,
    DESERIALFUNC = bcce.km_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.km_quantile(double precision, boolean, double precision) IS
'Quantile q (0 to 1) of how long things last, those included that have not ended (observed is false: they lasted at least so long). Kaplan-Meier: the smallest duration of an end by which a share of q has ended; an end goes before what is censored at the same duration. NULL where the curve does not get there, and when q is NULL. It is a duration that was observed: of 10, 20, 30 and 40 the median is 20, where an interpolated one is 25. Rows whose duration or observed is NULL, and durations that are negative, infinite or not a number, say nothing and are left out. Keeps 8 bytes per row. Errors: 22003 q outside 0 to 1; 22023 q differs within a group. Source: Kaplan and Meier 1958.';

CREATE AGGREGATE bcce.km_quantile_low(duration double precision, observed boolean, q double precision) (
    SFUNC = bcce.km_quantile_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.km_quantile_low_final,
    COMBINEFUNC = bcce.km_combine,
    SERIALFUNC = bcce.km_serialize,
    DESERIALFUNC = bcce.km_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.km_quantile_low(double precision, boolean, double precision) IS
'Lower bound of the 95 % interval of km_quantile(duration, observed, q): the first duration of an end at which the lower bound of the curve has come down to 1 - q. NULL under five ends. The same rows, unit and errors as km_quantile(), with which it shares its work. Source: Brookmeyer and Crowley 1982, by the log(-log) transform.';

CREATE AGGREGATE bcce.km_quantile_high(duration double precision, observed boolean, q double precision) (
    SFUNC = bcce.km_quantile_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.km_quantile_high_final,
    COMBINEFUNC = bcce.km_combine,
    SERIALFUNC = bcce.km_serialize,
    DESERIALFUNC = bcce.km_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.km_quantile_high(double precision, boolean, double precision) IS
'Upper bound of the 95 % interval of km_quantile(duration, observed, q): the first duration of an end at which the upper bound of the curve has come down to 1 - q. NULL under five ends, and where the bound does not get there: how long it may be is not known. The same rows, unit and errors as km_quantile(), with which it shares its work. Source: Brookmeyer and Crowley 1982, by the log(-log) transform.';

CREATE AGGREGATE bcce.km_mean(duration double precision, observed boolean) (
    SFUNC = bcce.km_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.km_mean_final,
    COMBINEFUNC = bcce.km_combine,
    SERIALFUNC = bcce.km_serialize,
    DESERIALFUNC = bcce.km_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.km_mean(double precision, boolean) IS
'Mean of how long things last, those included that have not ended (observed is false), restricted to the longest duration: the area under the Kaplan-Meier curve up to max(duration). It is the plain mean when all have ended, and too low while the longest has not. NULL without rows. Rows whose duration or observed is NULL, and durations that are negative, infinite or not a number, say nothing and are left out. Keeps 8 bytes per row. Source: Irwin 1949.';

CREATE AGGREGATE bcce.km_mean(duration double precision, observed boolean, restriction double precision) (
    SFUNC = bcce.km_mean_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.km_mean_final,
    COMBINEFUNC = bcce.km_combine,
    SERIALFUNC = bcce.km_serialize,
    DESERIALFUNC = bcce.km_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.km_mean(double precision, boolean, double precision) IS
'Mean of how long things last, none counted for longer than the restriction: the area under the Kaplan-Meier curve up to there, in the unit of the durations. NULL where the curve is not known so far, because the longest duration is shorter and has not ended, and when restriction is NULL. The same rows as in km_mean(duration, observed). Errors: 22003 restriction negative or NaN; 22023 restriction differs within a group. Source: Irwin 1949.';

CREATE AGGREGATE bcce.km_curve(duration double precision, observed boolean) (
    SFUNC = bcce.km_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.km_curve_final,
    COMBINEFUNC = bcce.km_combine,
    SERIALFUNC = bcce.km_serialize,
    DESERIALFUNC = bcce.km_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.km_curve(double precision, boolean) IS
'Kaplan-Meier curve: a row for every duration, in rising order, as an array to unnest: SELECT c.* FROM unnest((SELECT bcce.km_curve(duration, observed) FROM t)) AS c. NULL without rows. The same rows count as in km_quantile(). Error 54000: over 13 million different durations. Source: Kaplan and Meier 1958; Greenwood 1926.';

CREATE AGGREGATE bcce.mttr_incl_open(opened_at timestamptz, recovered_at timestamptz, as_of timestamptz) (
    SFUNC = bcce.mttr_incl_open_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.km_quantile_final,
    COMBINEFUNC = bcce.km_combine,
    SERIALFUNC = bcce.km_serialize,
    DESERIALFUNC = bcce.km_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.mttr_incl_open(timestamptz, timestamptz, timestamptz) IS
'Median of the time to recovery in minutes, those included that were still open at as_of, at their age then (Kaplan-Meier): the smallest time by which a share of 0.5 has recovered. As known at as_of: what opened later is left out, what recovered later is open. Also left out: rows without opened_at or as_of, an infinite opened_at, recovery before opening. NULL where so many have not recovered. Keeps 8 bytes per row. Errors: 22008 a span beyond 292271 years; 22023 as_of infinite. Source: Kaplan and Meier 1958.';

CREATE AGGREGATE bcce.mttr_incl_open(opened_at timestamptz, recovered_at timestamptz, as_of timestamptz, q double precision) (
    SFUNC = bcce.mttr_incl_open_step,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = bcce.km_quantile_final,
    COMBINEFUNC = bcce.km_combine,
    SERIALFUNC = bcce.km_serialize,
    DESERIALFUNC = bcce.km_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.mttr_incl_open(timestamptz, timestamptz, timestamptz, double precision) IS
'Percentile q (0 to 1) of the time to recovery in minutes, those included that were still open at as_of, at their age then (Kaplan-Meier): the smallest time by which a share of q has recovered. As known at as_of: what opened later is left out, what recovered later is open. Also left out: rows without opened_at or as_of, an infinite opened_at, recovery before opening. NULL where so many have not recovered, and when q is NULL. Keeps 8 bytes per row. Errors: 22003 q outside 0 to 1; 22008 a span beyond 292271 years; 22023 as_of infinite, or q differs within a group. Source: Kaplan and Meier 1958.';
