-- Uptime checks, from stdin:
--   psql -v tenant=my-site -f scripts/load/uptime_checks.sql < checks.csv
\set name :tenant
\set zone UTC
\ir tenant.sql
CREATE TEMP TABLE checks (
    checked_at timestamptz, service text, status text, http_code integer, response_ms double precision, commit text);
\copy checks FROM pstdin (FORMAT csv, HEADER)

-- One check is one request.  Its latency is all percentiles at once, and
-- unknown, not 0, where there was no answer.
SELECT format('  %s: %s checks read and sent, %s of them down; %s without a latency, since nothing answered', :'tenant', count(*),
    count(*) FILTER (WHERE status = 'down'), count(*) FILTER (WHERE response_ms = 0))
FROM checks
CROSS JOIN LATERAL bcce.record_metric(service, checked_at, request_count => 1, error_count => (status = 'down')::integer,
    p50_latency_ms => nullif(response_ms, 0), p95_latency_ms => nullif(response_ms, 0), p99_latency_ms => nullif(response_ms, 0),
    idempotency_key => commit, source => 'upptime', tenant => :'tenant') \g (tuples_only=on format=unaligned)
