-- Exports: a report as lines of CSV or JSON, each export logged.
--
-- Readers mostly are in a read-only transaction, and on a standby everybody is:
-- what the log table cannot take is a line of the server log.
CREATE OR REPLACE FUNCTION bcce.log_export(report text, tenants uuid[], row_counts bigint[]) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    total numeric := coalesce((SELECT sum(c.n) FROM unnest(row_counts) AS c (n)), 0);
    written bigint := 0;
BEGIN
    IF report <> 'overview' AND NOT EXISTS (SELECT FROM bcce.reports r WHERE r.report = log_export.report) OR report IS NULL THEN
        PERFORM bcce.raise_error('22023', 'unknown report', NULL, 'bcce.reports lists them.');
    END IF;
    IF current_setting('transaction_read_only') = 'off' THEN
        -- An export of nothing is one of the caller's own tenant.
        INSERT INTO bcce_data.export_log (tenant_id, login, report, row_count)
        SELECT t.tenant_id, session_user, log_export.report, c.n
        FROM (
            SELECT u.tenant_id, sum(u.n)::bigint AS n
            FROM unnest(tenants, row_counts) AS u (tenant_id, n)
            WHERE u.tenant_id IS NOT NULL
            GROUP BY u.tenant_id
            UNION ALL
            SELECT coalesce(bcce.current_tenant(), (bcce.current_tenants())[1]), total::bigint
            WHERE coalesce(cardinality(array_remove(tenants, NULL)), 0) = 0
        ) c
        JOIN bcce_data.tenants t ON t.tenant_id = c.tenant_id
        WHERE c.n >= 0;
        GET DIAGNOSTICS written = ROW_COUNT;
    END IF;
    IF written = 0 THEN
        PERFORM bcce.log_line(format('bcce: export of report "%s", rows: %s', report, total));
    END IF;
END
$body$;
COMMENT ON FUNCTION bcce.log_export(text, uuid[], bigint[]) IS 'Writes down that the caller exported so many rows of these tenants, as the export functions do: in the export log, or as a line of the server log where the transaction is read-only or there is no tenant. Error 22023 for an unknown report.';

CREATE OR REPLACE FUNCTION bcce.export_lines(
    style text, report text, since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL) RETURNS SETOF text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, YMD' SET timezone = 'UTC' SET extra_float_digits = 1 AS $body$
DECLARE
    found_report text;
    has_twin boolean;
    source text;
    names text[];
    columns text[];
    sort_keys text;
    is_text boolean[];
    is_focus CONSTANT boolean := style LIKE 'focus%';
    tenant_column text;
    row_tenant uuid;
    last_tenant uuid;
    n bigint := 0;
    tenants uuid[] := '{}';
    row_counts bigint[] := '{}';
    line text;
BEGIN
    IF style IS NULL OR style NOT IN ('csv', 'jsonl', 'focus', 'focus_zero') THEN
        PERFORM bcce.raise_error('22023', 'unknown style of lines', NULL, 'Known styles: csv, jsonl; of cost_focus also focus, focus_zero.');
    END IF;
    SELECT r.report, r.twin IS NOT NULL INTO found_report, has_twin FROM bcce.reports r
    WHERE r.report = CASE export_lines.report WHEN 'overview' THEN 'analytics_overview' ELSE export_lines.report END;
    IF found_report IS NULL THEN
        PERFORM bcce.raise_error('22023', 'unknown report', NULL, (
            SELECT 'Known reports: overview, ' || string_agg(r.report, ', ' ORDER BY r.report COLLATE "C") || '.'
            FROM bcce.reports r));
    END IF;
    IF is_focus AND found_report <> 'cost_focus' THEN
        PERFORM bcce.raise_error('22023', 'this report is not one of FOCUS', NULL, 'It is cost_focus.');
    END IF;
    IF num_nonnulls(since, until) > 0 AND NOT has_twin THEN
        PERFORM bcce.raise_error('22023', 'this report takes no period', NULL, 'Leave since and until out.');
    END IF;
    source := format(CASE WHEN style = 'focus_zero' THEN 'bcce.%I($1, $2, true)'
                          WHEN num_nonnulls(since, until) > 0 THEN 'bcce.%I($1, $2)' ELSE 'bcce.%I' END, found_report);

    -- Reports do not round money; here it gets two decimals, the cost of a unit six.
    -- FOCUS has its own form of instants, three names that may not be NULL, and no
    -- column for the tenant.
    SELECT array_agg(quote_ident(a.attname) ORDER BY a.attnum) FILTER (WHERE a.attname <> 'tenant_id' OR NOT is_focus),
           array_agg(format(CASE WHEN is_focus AND a.atttypid = 'timestamptz'::regtype
                                     THEN 'to_char(r.%I, ''YYYY-MM-DD"T"HH24:MI:SS' || CASE WHEN a.attname LIKE 'x\_%' THEN '.US' ELSE '' END || '"Z"'')'
                                 WHEN is_focus AND a.atttypid = 'numeric'::regtype THEN 'trim_scale(r.%I)'
                                 WHEN is_focus AND a.attname IN ('ProviderName', 'PublisherName', 'InvoiceIssuerName') THEN 'coalesce(r.%I, ''Unknown'')'
                                 WHEN a.atttypid <> 'numeric'::regtype OR a.attname NOT LIKE '%\_usd' THEN 'r.%I'
                                 WHEN a.attname LIKE 'cost\_per\_%' THEN 'round(r.%I, 6)'
                                 ELSE 'round(r.%I, 2)' END, a.attname) ORDER BY a.attnum) FILTER (WHERE a.attname <> 'tenant_id' OR NOT is_focus),
           array_agg(t.typcategory NOT IN ('N', 'B', 'D') ORDER BY a.attnum) FILTER (WHERE a.attname <> 'tenant_id' OR NOT is_focus),
           string_agg(format(CASE WHEN t.typcategory = 'S' THEN 'r.%I COLLATE "C"' ELSE 'r.%I' END, a.attname), ', '
                      ORDER BY a.attname <> 'tenant_id', is_focus AND a.attname <> 'x_RequestedAt', a.attnum)
               FILTER (WHERE a.atttypid IN ('uuid'::regtype, 'text'::regtype, 'timestamptz'::regtype, 'date'::regtype)),
           coalesce(max('r.tenant_id'::text) FILTER (WHERE a.attname = 'tenant_id'), 'NULL::uuid')
    INTO names, columns, is_text, sort_keys, tenant_column
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = format('bcce.%I', found_report)::regclass AND a.attnum > 0 AND NOT a.attisdropped
      -- The sample's four columns.
      AND (export_lines.report <> 'overview'
           OR a.attname IN ('tenant_id', 'tenant_name', 'total_workflows', 'failure_rate_percent'));

    IF style <> 'jsonl' THEN
        RETURN NEXT replace(array_to_string(names, ','), '"', '');
        -- A spreadsheet takes text that begins like a formula for one.  Most text needs
        -- nothing, and is asked once.
        source := format('SELECT %s, %s FROM %s AS r ORDER BY %s',
            (SELECT string_agg(format(CASE WHEN t THEN $field$CASE
                    WHEN (%1$s) IS NULL THEN ''
                    WHEN (%1$s)::text !~ '^$|^[-=+@\t\r]|[",\r\n]' THEN (%1$s)::text
                    ELSE (SELECT CASE WHEN g.value = '' OR g.value ~ '[",\r\n]' THEN '"' || replace(g.value, '"', '""') || '"' ELSE g.value END
                          FROM (SELECT CASE WHEN (%1$s)::text ~ '^[-=+@\t\r]' THEN '''' || (%1$s)::text ELSE (%1$s)::text END) AS g (value))
                    END$field$ ELSE $field$coalesce((%1$s)::text, '')$field$ END, c), $comma$ || ',' || $comma$ ORDER BY o)
             FROM unnest(columns, is_text) WITH ORDINALITY AS u (c, t, o)),
            tenant_column, source, sort_keys);
    ELSE
        source := format('SELECT (SELECT row_to_json(j) FROM (SELECT %s) AS j)::text, %s FROM %s AS r ORDER BY %s',
            (SELECT string_agg(c || ' AS ' || a, ', ' ORDER BY o) FROM unnest(columns, names) WITH ORDINALITY AS u (c, a, o)),
            tenant_column, source, sort_keys);
    END IF;
    FOR line, row_tenant IN EXECUTE source USING since, until LOOP
        IF n > 0 AND row_tenant IS DISTINCT FROM last_tenant THEN
            tenants := tenants || last_tenant;
            row_counts := row_counts || n;
            n := 0;
        END IF;
        last_tenant := row_tenant;
        n := n + 1;
        RETURN NEXT line;
    END LOOP;
    IF n > 0 THEN
        tenants := tenants || last_tenant;
        row_counts := row_counts || n;
    END IF;
    PERFORM bcce.log_export(export_lines.report, tenants, row_counts);
END
$body$;
COMMENT ON FUNCTION bcce.export_lines(text, text, timestamptz, timestamptz) IS 'What export_csv() (style csv), export_jsonl() (style jsonl) and cost_focus_export() (focus, focus_zero) return.';

CREATE OR REPLACE FUNCTION bcce.export_csv(report text, since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL) RETURNS SETOF text
LANGUAGE sql VOLATILE
BEGIN ATOMIC
    SELECT l.line FROM bcce.export_lines('csv', report, since, until) AS l (line);
END;
COMMENT ON FUNCTION bcce.export_csv(text, timestamptz, timestamptz) IS 'A report as CSV (RFC 4180), a line per row after the header: fields with a comma, quote or line break are quoted, NULL is an empty field, empty text "", times are UTC, money has two decimals (the cost of a unit six), and text that a spreadsheet would take for a formula has a single quote before it. overview is the short form of analytics_overview: tenant_id, tenant_name, total_workflows, failure_rate_percent. since (inclusive) and until (exclusive) choose a period. Each export is logged. Errors: 22023 unknown report, or one without periods; 42501 not for the caller.';

CREATE OR REPLACE FUNCTION bcce.export_jsonl(report text, since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL) RETURNS SETOF text
LANGUAGE sql VOLATILE
BEGIN ATOMIC
    SELECT l.line FROM bcce.export_lines('jsonl', report, since, until) AS l (line);
END;
COMMENT ON FUNCTION bcce.export_jsonl(text, timestamptz, timestamptz) IS 'A report as JSON lines, one object per row with the columns in order; names, period, log and errors as in export_csv().';

CREATE OR REPLACE FUNCTION bcce.export_json(report text, since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL) RETURNS json
LANGUAGE sql VOLATILE
BEGIN ATOMIC
    SELECT (coalesce('[' || string_agg(l.line, E',\n' ORDER BY l.ordinal) || ']', '[]'))::json
    FROM bcce.export_lines('jsonl', report, since, until) WITH ORDINALITY AS l (line, ordinal);
END;
COMMENT ON FUNCTION bcce.export_json(text, timestamptz, timestamptz) IS 'A report as one JSON array of objects; names, period, log and errors as in export_csv().';

CREATE OR REPLACE FUNCTION bcce.cost_focus_export(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL, unpriced text DEFAULT 'omit') RETURNS SETOF text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    IF unpriced IS NULL OR unpriced NOT IN ('omit', 'zero') THEN
        PERFORM bcce.raise_error('22023', 'unknown way to show calls of unknown cost', NULL, 'Known: omit, zero.');
    END IF;
    RETURN QUERY SELECT l.line FROM bcce.export_lines(CASE unpriced WHEN 'zero' THEN 'focus_zero' ELSE 'focus' END, 'cost_focus', since, until) AS l (line);
END
$body$;
COMMENT ON FUNCTION bcce.cost_focus_export(timestamptz, timestamptz, text) IS 'The charges between since (inclusive) and until (exclusive; NULL: open ends) as one CSV file of FinOps FOCUS 1.2: cost_focus without tenant_id, instants as 2026-01-31T12:00:00Z (those of x_ columns with microseconds), numbers unrounded, and Unknown for a provider, publisher or invoice issuer that is NULL, which FOCUS does not allow; quoting and log as in export_csv(). Calls whose cost is unknown are left out (unpriced omit, the default; cost_focus_coverage counts them) or, since FOCUS has no unknown cost, have a row that says 0 (zero), with SkuPriceId and quantities NULL and the reason in x_PricingStatus. Errors: 22023 unknown word for unpriced; 42501 not for the caller.';
