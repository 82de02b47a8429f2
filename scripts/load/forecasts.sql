-- Forecasts of games with what happened, from stdin; model is the league:
--   psql -v model=NFL -f scripts/load/forecasts.sql < nfl_games.csv
\set tenant forecasts
\set name 'Game forecasts (FiveThirtyEight)'
\set zone UTC
\ir tenant.sql
CREATE TEMP TABLE games (
    season integer, date date, team1 text, team2 text, prob1 double precision, prob1_outcome numeric,
    prob2 double precision, prob2_outcome numeric, line bigint GENERATED ALWAYS AS IDENTITY);
\copy games (season, date, team1, team2, prob1, prob1_outcome, prob2, prob2_outcome) FROM pstdin (FORMAT csv, HEADER)

-- Only side 1, or every game would count twice; "failure" is a win of side 1.
-- A tie is neither: its forecast is stored and stays without an outcome.
SELECT count(*) AS sent FROM games
CROSS JOIN LATERAL bcce.record_prediction(:'model', 'external', format('%s %s %s', date, team1, team2), prob1, date::timestamptz,
    prediction_id => format('%s-%s', :'model', line), source => 'fivethirtyeight', tenant => :'tenant') \gset
SELECT count(*) AS resolved FROM games
CROSS JOIN LATERAL bcce.resolve_prediction(format('%s-%s', :'model', line), prob1_outcome::integer, date + interval '24 hours', :'tenant')
WHERE prob1_outcome IN (0, 1) \gset
SELECT format('  %s: %s forecasts sent, %s with an outcome, %s ties or unknown left without one', :'model', :sent, :resolved, :sent - :resolved) \g (tuples_only=on format=unaligned)
