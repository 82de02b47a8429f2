-- How good probabilities were, how far apart two samples are, and how sure a rate is: over anybody's columns.

CREATE FUNCTION bcce.brier_step(internal, double precision, boolean)
RETURNS internal
AS 'MODULE_PATHNAME', 'brier_step'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.brier_step(internal, double precision, boolean) IS
'Part of the aggregate brier(p, y): takes a row.';

CREATE FUNCTION bcce.log_loss_step(internal, double precision, boolean)
RETURNS internal
AS 'MODULE_PATHNAME', 'log_loss_step'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.log_loss_step(internal, double precision, boolean) IS
'Part of the aggregate log_loss(p, y): takes a row.';

CREATE FUNCTION bcce.score_combine(internal, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'score_combine'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.score_combine(internal, internal) IS
'Part of the aggregates brier() and log_loss(): joins the states of two workers.';

CREATE FUNCTION bcce.brier_serialize(internal)
RETURNS bytea
AS 'MODULE_PATHNAME', 'brier_serialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.brier_serialize(internal) IS
'Part of the aggregate brier(p, y): state to bytes.';

CREATE FUNCTION bcce.brier_deserialize(bytea, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'brier_deserialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.brier_deserialize(bytea, internal) IS
'Part of the aggregate brier(p, y): bytes to state, every byte checked. Error 22P03: not a state.';

CREATE FUNCTION bcce.log_loss_serialize(internal)
RETURNS bytea
AS 'MODULE_PATHNAME', 'log_loss_serialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.log_loss_serialize(internal) IS
'Part of the aggregate log_loss(p, y): state to bytes.';

CREATE FUNCTION bcce.log_loss_deserialize(bytea, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'log_loss_deserialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.log_loss_deserialize(bytea, internal) IS
'Part of the aggregate log_loss(p, y): bytes to state, every byte checked. Error 22P03: not a state.';

CREATE FUNCTION bcce.score_final(internal)
RETURNS double precision
AS 'MODULE_PATHNAME', 'score_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.score_final(internal) IS
'Part of the aggregates brier() and log_loss(): the result.';

CREATE AGGREGATE bcce.brier(p double precision, y boolean) (
    SFUNC = bcce.brier_step,
    STYPE = internal,
    SSPACE = 576,
    FINALFUNC = bcce.score_final,
    COMBINEFUNC = bcce.score_combine,
    SERIALFUNC = bcce.brier_serialize,
    DESERIALFUNC = bcce.brier_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.brier(double precision, boolean) IS
'Brier score: mean of (p - y)^2, p the probability that was predicted, y whether it happened; 0 is best, 1 worst. Rows without p or without y (outcome not known yet) do not count; NULL when none counts. Error 22003: p is NaN or not between 0 and 1. The sum has no rounding, so the result does not depend on the order of rows or on parallel workers. Source: Brier 1950.';

CREATE AGGREGATE bcce.log_loss(p double precision, y boolean) (
    SFUNC = bcce.log_loss_step,
    STYPE = internal,
    SSPACE = 576,
    FINALFUNC = bcce.score_final,
    COMBINEFUNC = bcce.score_combine,
    SERIALFUNC = bcce.log_loss_serialize,
    DESERIALFUNC = bcce.log_loss_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.log_loss(double precision, boolean) IS
'Log loss: mean of minus the natural logarithm of the probability given to what happened, p kept 1e-15 away from 0 and 1; in nats, 0 is best. Rows without p or without y (outcome not known yet) do not count; NULL when none counts. Error 22003: p is NaN or not between 0 and 1. The sum has no rounding, so the result does not depend on the order of rows or on parallel workers. Source: Good 1952.';

CREATE TYPE bcce.calibration_bin AS (
    lower double precision,
    upper double precision,
    n bigint,
    mean_predicted double precision,
    observed_rate double precision,
    observed_low double precision,
    observed_high double precision
);
COMMENT ON TYPE bcce.calibration_bin IS
'One bin of what calibration_bins() gives; rates are NULL in an empty one.';
COMMENT ON COLUMN bcce.calibration_bin.lower IS 'lowest probability of the bin';
COMMENT ON COLUMN bcce.calibration_bin.upper IS 'probability at which it ends: not in it, except for 1 in the last bin';
COMMENT ON COLUMN bcce.calibration_bin.n IS 'predictions with a probability in the bin';
COMMENT ON COLUMN bcce.calibration_bin.mean_predicted IS 'their mean probability';
COMMENT ON COLUMN bcce.calibration_bin.observed_rate IS 'share of them that happened, 0 to 1';
COMMENT ON COLUMN bcce.calibration_bin.observed_low IS 'lower end of the share''s 95 % confidence interval (Wilson)';
COMMENT ON COLUMN bcce.calibration_bin.observed_high IS 'upper end of the share''s 95 % confidence interval (Wilson)';

CREATE FUNCTION bcce.calibration_step(internal, double precision, boolean)
RETURNS internal
AS 'MODULE_PATHNAME', 'calibration_step'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.calibration_step(internal, double precision, boolean) IS
'Part of the aggregates ece(), mce() and calibration_bins(): takes a row.';

CREATE FUNCTION bcce.calibration_step(internal, double precision, boolean, integer)
RETURNS internal
AS 'MODULE_PATHNAME', 'calibration_step_bins'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.calibration_step(internal, double precision, boolean, integer) IS
'Part of the aggregates ece(), mce() and calibration_bins() with a number of bins: takes a row.';

CREATE FUNCTION bcce.calibration_combine(internal, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'calibration_combine'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.calibration_combine(internal, internal) IS
'Part of the aggregates ece(), mce() and calibration_bins(): joins the states of two workers.';

CREATE FUNCTION bcce.calibration_serialize(internal)
RETURNS bytea
AS 'MODULE_PATHNAME', 'calibration_serialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.calibration_serialize(internal) IS
'Part of the aggregates ece(), mce() and calibration_bins(): state to bytes.';

CREATE FUNCTION bcce.calibration_deserialize(bytea, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'calibration_deserialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.calibration_deserialize(bytea, internal) IS
'Part of the aggregates ece(), mce() and calibration_bins(): bytes to state, every byte checked. Error 22P03: not a state.';

CREATE FUNCTION bcce.ece_final(internal)
RETURNS double precision
AS 'MODULE_PATHNAME', 'ece_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.ece_final(internal) IS
'Part of the aggregate ece(): the result.';

CREATE FUNCTION bcce.mce_final(internal)
RETURNS double precision
AS 'MODULE_PATHNAME', 'mce_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.mce_final(internal) IS
'Part of the aggregate mce(): the result.';

CREATE FUNCTION bcce.calibration_bins_final(internal)
RETURNS bcce.calibration_bin[]
AS 'MODULE_PATHNAME', 'calibration_bins_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.calibration_bins_final(internal) IS
'Part of the aggregate calibration_bins(): the result.';

CREATE AGGREGATE bcce.ece(p double precision, y boolean) (
    SFUNC = bcce.calibration_step,
    STYPE = internal,
    SSPACE = 6400,
    FINALFUNC = bcce.ece_final,
    COMBINEFUNC = bcce.calibration_combine,
    SERIALFUNC = bcce.calibration_serialize,
    DESERIALFUNC = bcce.calibration_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.ece(double precision, boolean) IS
'Expected calibration error, 0 to 1: over bins of equal width from 0 to 1, the distance of mean probability and observed rate, weighted by the number of predictions; empty bins do not count. Ten bins; bin least(floor(p * 10), 9). Rows without p or without y (outcome not known yet) do not count; NULL when none counts. Error 22003: p is NaN or not between 0 and 1. The sum has no rounding, so the result does not depend on the order of rows or on parallel workers. Source: Naeini, Cooper and Hauskrecht 2015.';

CREATE AGGREGATE bcce.ece(p double precision, y boolean, bins integer) (
    SFUNC = bcce.calibration_step,
    STYPE = internal,
    SSPACE = 6400,
    FINALFUNC = bcce.ece_final,
    COMBINEFUNC = bcce.calibration_combine,
    SERIALFUNC = bcce.calibration_serialize,
    DESERIALFUNC = bcce.calibration_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.ece(double precision, boolean, integer) IS
'The same as ece(p, y), with 1 to 1000 bins: bin least(floor(p * bins), bins - 1). Errors: 22003 bins out of range or NULL, 22023 bins differs within a group.';

CREATE AGGREGATE bcce.mce(p double precision, y boolean) (
    SFUNC = bcce.calibration_step,
    STYPE = internal,
    SSPACE = 6400,
    FINALFUNC = bcce.mce_final,
    COMBINEFUNC = bcce.calibration_combine,
    SERIALFUNC = bcce.calibration_serialize,
    DESERIALFUNC = bcce.calibration_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.mce(double precision, boolean) IS
'Maximum calibration error, 0 to 1: over bins of equal width from 0 to 1, the largest distance of mean probability and observed rate; empty bins do not count. Ten bins; bin least(floor(p * 10), 9). Rows without p or without y (outcome not known yet) do not count; NULL when none counts. Error 22003: p is NaN or not between 0 and 1. The sum has no rounding, so the result does not depend on the order of rows or on parallel workers. Source: Naeini, Cooper and Hauskrecht 2015.';

CREATE AGGREGATE bcce.mce(p double precision, y boolean, bins integer) (
    SFUNC = bcce.calibration_step,
    STYPE = internal,
    SSPACE = 6400,
    FINALFUNC = bcce.mce_final,
    COMBINEFUNC = bcce.calibration_combine,
    SERIALFUNC = bcce.calibration_serialize,
    DESERIALFUNC = bcce.calibration_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.mce(double precision, boolean, integer) IS
'The same as mce(p, y), with 1 to 1000 bins: bin least(floor(p * bins), bins - 1). Errors: 22003 bins out of range or NULL, 22023 bins differs within a group.';

CREATE AGGREGATE bcce.calibration_bins(p double precision, y boolean) (
    SFUNC = bcce.calibration_step,
    STYPE = internal,
    SSPACE = 6400,
    FINALFUNC = bcce.calibration_bins_final,
    COMBINEFUNC = bcce.calibration_combine,
    SERIALFUNC = bcce.calibration_serialize,
    DESERIALFUNC = bcce.calibration_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.calibration_bins(double precision, boolean) IS
'Bins of equal width from 0 to 1, empty ones too, each with its number of predictions, mean probability and observed rate; as rows: SELECT b.* FROM unnest((SELECT calibration_bins(p, y) FROM t)) AS b. Ten bins; bin least(floor(p * 10), 9). Rows without p or without y (outcome not known yet) do not count; NULL when none counts. Error 22003: p is NaN or not between 0 and 1. The sum has no rounding, so the result does not depend on the order of rows or on parallel workers. Sources: Murphy 1973 (reliability), Wilson 1927.';

CREATE AGGREGATE bcce.calibration_bins(p double precision, y boolean, bins integer) (
    SFUNC = bcce.calibration_step,
    STYPE = internal,
    SSPACE = 6400,
    FINALFUNC = bcce.calibration_bins_final,
    COMBINEFUNC = bcce.calibration_combine,
    SERIALFUNC = bcce.calibration_serialize,
    DESERIALFUNC = bcce.calibration_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.calibration_bins(double precision, boolean, integer) IS
'The same as calibration_bins(p, y), with 1 to 1000 bins: bin least(floor(p * bins), bins - 1). Errors: 22003 bins out of range or NULL, 22023 bins differs within a group.';

CREATE FUNCTION bcce.mcc_step(internal, boolean, boolean)
RETURNS internal
AS 'MODULE_PATHNAME', 'mcc_step'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.mcc_step(internal, boolean, boolean) IS
'Part of the aggregate mcc(predicted, actual): takes a row.';

CREATE FUNCTION bcce.mcc_combine(internal, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'mcc_combine'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.mcc_combine(internal, internal) IS
'Part of the aggregate mcc(predicted, actual): joins the states of two workers.';

CREATE FUNCTION bcce.mcc_serialize(internal)
RETURNS bytea
AS 'MODULE_PATHNAME', 'mcc_serialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.mcc_serialize(internal) IS
'Part of the aggregate mcc(predicted, actual): state to bytes.';

CREATE FUNCTION bcce.mcc_deserialize(bytea, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'mcc_deserialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.mcc_deserialize(bytea, internal) IS
'Part of the aggregate mcc(predicted, actual): bytes to state, every byte checked. Error 22P03: not a state.';

CREATE FUNCTION bcce.mcc_final(internal)
RETURNS double precision
AS 'MODULE_PATHNAME', 'mcc_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.mcc_final(internal) IS
'Part of the aggregate mcc(predicted, actual): the result.';

CREATE AGGREGATE bcce.mcc(predicted boolean, actual boolean) (
    SFUNC = bcce.mcc_step,
    STYPE = internal,
    SSPACE = 32,
    FINALFUNC = bcce.mcc_final,
    COMBINEFUNC = bcce.mcc_combine,
    SERIALFUNC = bcce.mcc_serialize,
    DESERIALFUNC = bcce.mcc_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.mcc(boolean, boolean) IS
'Matthews correlation coefficient of what was predicted and what happened, -1 to 1; for probabilities mcc(p >= 0.5, y). Rows with a NULL do not count; NULL when none counts and when only one class was predicted or only one happened. Source: Matthews 1975.';

CREATE FUNCTION bcce.two_samples_step(internal, double precision, boolean)
RETURNS internal
AS 'MODULE_PATHNAME', 'two_samples_step'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.two_samples_step(internal, double precision, boolean) IS
'Part of the aggregates roc_auc(), ks() and psi(): takes a row.';

CREATE FUNCTION bcce.two_samples_step(internal, double precision, boolean, integer)
RETURNS internal
AS 'MODULE_PATHNAME', 'two_samples_step_bins'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.two_samples_step(internal, double precision, boolean, integer) IS
'Part of the aggregate psi() with a number of bins: takes a row.';

CREATE FUNCTION bcce.two_samples_combine(internal, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'two_samples_combine'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.two_samples_combine(internal, internal) IS
'Part of the aggregates roc_auc(), ks() and psi(): joins the states of two workers.';

CREATE FUNCTION bcce.two_samples_serialize(internal)
RETURNS bytea
AS 'MODULE_PATHNAME', 'two_samples_serialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.two_samples_serialize(internal) IS
'Part of the aggregates roc_auc(), ks() and psi(): state to bytes.';

CREATE FUNCTION bcce.two_samples_deserialize(bytea, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'two_samples_deserialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.two_samples_deserialize(bytea, internal) IS
'Part of the aggregates roc_auc(), ks() and psi(): bytes to state, every byte checked. Error 22P03: not a state.';

CREATE FUNCTION bcce.roc_auc_final(internal)
RETURNS double precision
AS 'MODULE_PATHNAME', 'roc_auc_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.roc_auc_final(internal) IS
'Part of the aggregate roc_auc(): the result.';

CREATE FUNCTION bcce.ks_final(internal)
RETURNS double precision
AS 'MODULE_PATHNAME', 'ks_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.ks_final(internal) IS
'Part of the aggregate ks(): the result.';

CREATE FUNCTION bcce.psi_final(internal)
RETURNS double precision
AS 'MODULE_PATHNAME', 'psi_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bcce.psi_final(internal) IS
'Part of the aggregate psi(): the result.';

CREATE AGGREGATE bcce.roc_auc(score double precision, y boolean) (
    SFUNC = bcce.two_samples_step,
    STYPE = internal,
    SSPACE = 1024,
    FINALFUNC = bcce.roc_auc_final,
    COMBINEFUNC = bcce.two_samples_combine,
    SERIALFUNC = bcce.two_samples_serialize,
    DESERIALFUNC = bcce.two_samples_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.roc_auc(double precision, boolean) IS
'Area under the ROC curve: the probability that a row with y true has a larger score than one with y false, ties one half; 0.5 is chance, 1 best. The score need be no probability. Exact: pairs are counted in integers. Rows with a NULL do not count; NULL without both classes. Keeps 8 bytes per row, on disk past work_mem. Error 22003: score is NaN. Sources: Mann and Whitney 1947, Hanley and McNeil 1982.';

CREATE AGGREGATE bcce.ks(value double precision, is_reference boolean) (
    SFUNC = bcce.two_samples_step,
    STYPE = internal,
    SSPACE = 1024,
    FINALFUNC = bcce.ks_final,
    COMBINEFUNC = bcce.two_samples_combine,
    SERIALFUNC = bcce.two_samples_serialize,
    DESERIALFUNC = bcce.two_samples_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.ks(double precision, boolean) IS
'Kolmogorov-Smirnov distance of two samples, 0 to 1: the largest distance of their distribution functions, ties minded. Exact: counted in integers. Rows with a NULL do not count; NULL without both samples. Keeps 8 bytes per row, on disk past work_mem. Error 22003: value is NaN. Source: Smirnov 1939.';

CREATE AGGREGATE bcce.psi(value double precision, is_reference boolean) (
    SFUNC = bcce.two_samples_step,
    STYPE = internal,
    SSPACE = 1024,
    FINALFUNC = bcce.psi_final,
    COMBINEFUNC = bcce.two_samples_combine,
    SERIALFUNC = bcce.two_samples_serialize,
    DESERIALFUNC = bcce.two_samples_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.psi(double precision, boolean) IS
'Population stability index of the rows with is_reference false against the others: sum of (a - b) * ln(a / b) over the shares a, b of both in cells between the deciles of the reference; 0 is none, above 0.25 is usually called a shift. Deciles as percentile_cont() has them, equal ones taken once; a cell holds its upper end; where one sample has nothing in a cell it counts as half a row, where both have nothing the cell does not count. Rows with a NULL do not count; NULL under 50 rows in one of the samples. Keeps 8 bytes per row, on disk past work_mem. Error 22003: value is NaN, or a reference value is infinite. Source: Siddiqi 2006.';

CREATE AGGREGATE bcce.psi(value double precision, is_reference boolean, bins integer) (
    SFUNC = bcce.two_samples_step,
    STYPE = internal,
    SSPACE = 1024,
    FINALFUNC = bcce.psi_final,
    COMBINEFUNC = bcce.two_samples_combine,
    SERIALFUNC = bcce.two_samples_serialize,
    DESERIALFUNC = bcce.two_samples_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE bcce.psi(double precision, boolean, integer) IS
'The same as psi(value, is_reference), over 2 to 1000 cells of equal parts of the reference. Errors: 22003 bins out of range or NULL, 22023 bins differs within a group.';

CREATE FUNCTION bcce.wilson_low(successes bigint, n bigint, confidence double precision DEFAULT 0.95)
RETURNS double precision
AS 'MODULE_PATHNAME', 'wilson_low'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.wilson_low(bigint, bigint, double precision) IS
'Lower end of Wilson''s confidence interval of a rate: successes out of n, 0 to 1, without continuity correction. NULL for n = 0. Error 22003: successes not between 0 and n, or confidence not between 0 and 1. Sources: Wilson 1927, Wichura 1988 (quantile of the normal distribution).';

CREATE FUNCTION bcce.wilson_high(successes bigint, n bigint, confidence double precision DEFAULT 0.95)
RETURNS double precision
AS 'MODULE_PATHNAME', 'wilson_high'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bcce.wilson_high(bigint, bigint, double precision) IS
'Upper end of Wilson''s confidence interval of a rate: successes out of n, 0 to 1, without continuity correction. NULL for n = 0. Error 22003: successes not between 0 and n, or confidence not between 0 and 1. Sources: Wilson 1927, Wichura 1988 (quantile of the normal distribution).';
