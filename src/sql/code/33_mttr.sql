-- Time to recovery, over anybody's two columns.

CREATE FUNCTION bcce.mttr_mean_step(internal, timestamptz, timestamptz)
RETURNS internal
AS 'MODULE_PATHNAME', 'mttr_mean_step'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.mttr_mean_step(internal, timestamptz, timestamptz) IS
'Part of the aggregate mttr(opened_at, recovered_at): takes a row.';

CREATE FUNCTION bcce.mttr_mean_combine(internal, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'mttr_mean_combine'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.mttr_mean_combine(internal, internal) IS
'Part of the aggregate mttr(opened_at, recovered_at): joins the states of two workers.';

CREATE FUNCTION bcce.mttr_mean_serialize(internal)
RETURNS bytea
AS 'MODULE_PATHNAME', 'mttr_mean_serialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.mttr_mean_serialize(internal) IS
'Part of the aggregate mttr(opened_at, recovered_at): state to bytes.';

CREATE FUNCTION bcce.mttr_mean_deserialize(bytea, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'mttr_mean_deserialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.mttr_mean_deserialize(bytea, internal) IS
'Part of the aggregate mttr(opened_at, recovered_at): bytes to state, every byte checked. Error 22P03: not a state.';

CREATE FUNCTION bcce.mttr_mean_final(internal)
RETURNS double precision
AS 'MODULE_PATHNAME', 'mttr_mean_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.mttr_mean_final(internal) IS
'Part of the aggregate mttr(opened_at, recovered_at): the result.';

CREATE AGGREGATE bcce.mttr(opened_at timestamptz, recovered_at timestamptz) (
    SFUNC = bcce.mttr_mean_step,
    STYPE = internal,
    SSPACE = 64,
    FINALFUNC = bcce.mttr_mean_final,
    COMBINEFUNC = bcce.mttr_mean_combine,
    SERIALFUNC = bcce.mttr_mean_serialize,
    DESERIALFUNC = bcce.mttr_mean_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.mttr(timestamptz, timestamptz) IS
'Mean time to recovery in minutes over the rows that have recovered: exact sum, one division. Not counted: rows without opened_at or recovered_at, infinite instants, recovery before opening. NULL when nothing is counted. Rows still open are left out, which flatters the mean while incidents last. Error 22008: a span beyond 292271 years.';

CREATE FUNCTION bcce.mttr_percentile_step(internal, timestamptz, timestamptz, double precision)
RETURNS internal
AS 'MODULE_PATHNAME', 'mttr_percentile_step'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.mttr_percentile_step(internal, timestamptz, timestamptz, double precision) IS
'Part of the aggregate mttr(opened_at, recovered_at, q): takes a row.';

CREATE FUNCTION bcce.mttr_percentile_final(internal)
RETURNS double precision
AS 'MODULE_PATHNAME', 'mttr_percentile_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.mttr_percentile_final(internal) IS
'Part of the aggregate mttr(opened_at, recovered_at, q): the result.';

CREATE AGGREGATE bcce.mttr(opened_at timestamptz, recovered_at timestamptz, q double precision) (
    SFUNC = bcce.mttr_percentile_step,
    STYPE = internal,
    SSPACE = 256,
    FINALFUNC = bcce.mttr_percentile_final,
    COMBINEFUNC = bcce.exact_combine,
    SERIALFUNC = bcce.exact_serialize,
    DESERIALFUNC = bcce.exact_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.mttr(timestamptz, timestamptz, double precision) IS
'Percentile q (0 to 1) of the time to recovery in minutes, interpolated as percentile_cont() does and exact; the same rows count as in mttr(opened_at, recovered_at). NULL when nothing is counted or q is NULL. Keeps 8 bytes per row, in a temporary file past work_mem * hash_mem_multiplier. Errors: 22003 q outside 0 to 1; 22023 q differs within a group; 22008 a span beyond 292271 years. Source: Hyndman and Fan 1996, type 7.';
