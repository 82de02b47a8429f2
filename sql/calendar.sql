-- Proves that the calendars by which reports loop leave no instant out and none
-- double: around changes of clocks (an hour, half an hour, a quarter, over
-- midnight, a day left out) what lies between the ends of a period is what
-- local_date and local_hour say of each instant.
SET TimeZone = 'UTC';
CREATE TEMP TABLE change (timezone text, day date);
INSERT INTO change VALUES
    ('UTC', '2015-01-01'), ('Europe/Berlin', '2015-03-29'), ('Europe/Berlin', '2015-10-25'), ('Africa/Cairo', '2010-05-01'), ('Africa/Cairo', '2014-09-26'),
    ('America/Havana', '2015-03-08'), ('America/Havana', '2015-11-01'), ('America/Sao_Paulo', '2018-11-04'), ('America/Sao_Paulo', '2019-02-17'),
    ('America/St_Johns', '2010-03-14'), ('America/St_Johns', '2010-11-07'), ('America/Scoresbysund', '2024-03-31'), ('America/Caracas', '2007-12-09'),
    ('Asia/Gaza', '2011-04-01'), ('Asia/Gaza', '2011-10-01'), ('Asia/Kathmandu', '1986-01-01'), ('Asia/Kolkata', '2015-01-01'), ('Asia/Pyongyang', '2015-08-15'),
    ('Africa/Monrovia', '1972-01-07'), ('Antarctica/Troll', '2015-03-29'), ('Antarctica/Casey', '2010-03-05'),
    ('Australia/Lord_Howe', '2015-04-05'), ('Australia/Lord_Howe', '2015-10-04'), ('Pacific/Chatham', '2015-04-05'), ('Pacific/Chatham', '2015-09-27'),
    ('Pacific/Apia', '2011-12-30'), ('Pacific/Kwajalein', '1993-08-21'), ('Pacific/Kiritimati', '1994-12-31'), ('Pacific/Kiritimati', '1995-01-01');
CREATE TEMP TABLE spot AS
SELECT c.timezone, g.at
FROM change c CROSS JOIN LATERAL generate_series(c.day::timestamptz - interval '40 hours', c.day::timestamptz + interval '40 hours', interval '5 minutes') AS g (at);

\echo == hours
SELECT count(*) AS instants, count(*) FILTER (WHERE found.n IS DISTINCT FROM 1 OR NOT found.is_right) AS wrong
FROM spot s
LEFT JOIN LATERAL (
    SELECT count(*) AS n, bool_and(c.starts_at = hour.starts_at) AS is_right
    FROM bcce_data.local_hour(s.at, s.timezone) hour
    CROSS JOIN LATERAL bcce_data.local_hours(s.at - interval '3 hours', s.at + interval '2 hours', s.timezone) c
    WHERE s.at >= c.starts_at AND s.at < c.ends_at AND (c.is_whole OR hour.starts_at = c.starts_at)
) found ON true;

\echo == days, weeks and months
SELECT u.unit, count(*) AS instants, count(*) FILTER (WHERE found.n IS DISTINCT FROM 1 OR NOT found.is_right) AS wrong
FROM spot s CROSS JOIN (VALUES ('day'), ('week'), ('month')) AS u (unit)
LEFT JOIN LATERAL (
    SELECT count(*) AS n, bool_and(c.first_day = date_trunc(u.unit, local.day::timestamp)::date) AS is_right
    FROM bcce_data.local_date(s.at, s.timezone) local
    CROSS JOIN LATERAL bcce_data.local_periods(s.at - interval '30 hours', s.at + interval '30 hours', s.timezone, u.unit) c
    WHERE s.at >= c.starts_at AND s.at < c.ends_at
) found ON true
GROUP BY u.unit ORDER BY u.unit;

\echo == days of 23, 24 and 25 hours, of half an hour more and less; a day left out; a day that begins at 1:00
SELECT v.timezone, c.first_day, c.starts_at AT TIME ZONE v.timezone AS begins, extract(epoch FROM c.ends_at - c.starts_at) / 3600 AS hours
FROM (VALUES ('Europe/Berlin', '2015-03-28 12:00+00'::timestamptz), ('Europe/Berlin', '2015-10-24 12:00+00'), ('Australia/Lord_Howe', '2015-04-04 12:00+00'),
             ('Australia/Lord_Howe', '2015-10-03 12:00+00'), ('Pacific/Apia', '2011-12-30 08:00+00'), ('America/Sao_Paulo', '2018-11-03 12:00+00')) AS v (timezone, at)
CROSS JOIN LATERAL bcce_data.local_periods(v.at, v.at + interval '24 hours', v.timezone, 'day') c
ORDER BY v.timezone, c.starts_at;

\echo == nothing seen, no periods
SELECT count(*) FROM bcce_data.local_hours(NULL, NULL, 'UTC');
SELECT count(*) FROM bcce_data.local_periods(NULL, NULL, 'UTC', 'day');
SELECT count(*) FROM bcce_data.local_periods('2015-01-02', '2015-01-01', 'UTC', 'day');
