-- Lines of a web server's log (combined format) as guest events, from stdin:
--   psql -f scripts/load/weblog.sql < access.log
\set tenant weblog
\set name 'Public blog (web log)'
\set zone UTC
\ir tenant.sql
CREATE TEMP TABLE log (line text, nr bigint GENERATED ALWAYS AS IDENTITY);
\copy log (line) FROM pstdin (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')

CREATE TEMP TABLE hit AS
SELECT l.nr, m.part[1] AS ip, m.part[2] AS at, m.part[3] AS method, split_part(m.part[4], '?', 1) AS path,
       nullif(split_part(m.part[4], '?', 2), '') AS query, m.part[5]::integer AS status, nullif(m.part[6], '-')::bigint AS bytes,
       nullif(m.part[7], '-') AS referrer, nullif(m.part[8], '-') AS user_agent
FROM log l
CROSS JOIN LATERAL regexp_match(l.line, '^(\S+) \S+ \S+ \[([^]]+)\] "(\S+) (\S+)[^"]*" (\d+) (\d+|-) "(.*?)" "(.*)"$') AS m (part)
WHERE m.part IS NOT NULL;

-- Nobody logs in here: a guest is an address with its program, and only the
-- pseudonym of both is stored.  The gate cuts the address to its network, keeps
-- the family of the user agent, and redacts the query strings.
INSERT INTO bcce.inbox_events (tenant, event_id, event_type, occurred_at, guest_id, ip, user_agent, properties, source)
SELECT :'tenant', 'line-' || nr,
       CASE WHEN status >= 400 THEN 'error' WHEN path ~* '\.(png|jpe?g|gif|ico|css|js|svg|woff|ttf)$' THEN 'asset' ELSE 'page_view' END,
       to_timestamp(at, 'DD/Mon/YYYY:HH24:MI:SS TZHTZM')::text, concat_ws(' ', ip, user_agent), ip, user_agent,
       jsonb_strip_nulls(jsonb_build_object('method', method, 'path', path, 'status', status, 'bytes', bytes, 'referrer', referrer,
           'query', (SELECT jsonb_object_agg(split_part(pair, '=', 1), substr(pair, strpos(pair, '=') + 1))
                     FROM string_to_table(query, '&') AS pair WHERE split_part(pair, '=', 1) <> ''))), 'weblog'
FROM hit;

SELECT format('  %s lines read, %s events sent, %s refused, %s lines not in the format: left out', (SELECT count(*) FROM log), count(*),
    (SELECT coalesce(sum(rejected_count), 0) FROM bcce.rejected r JOIN bcce_data.tenants t ON t.tenant_id = r.tenant_id WHERE t.slug = :'tenant'),
    (SELECT count(*) FROM log) - count(*))
FROM hit \g (tuples_only=on format=unaligned)
