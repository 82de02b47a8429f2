#!/usr/bin/env bash
# Proves that the reports on real data equal an independent computation from
# the files: MTTR on the ServiceNow log, without the open incidents and with
# them (Kaplan-Meier in fractions), failure rates of CI runs, Brier score, log
# loss and AUC of the forecasts.  Loads by the same loaders as scripts/demo,
# into a database of its own.  Needs a running server (PG*), a superuser, python3.
set -uo pipefail
. "$(dirname "$0")/../lib/tap.sh"
data=${BCCE_DATA:-$root_dir/../shared/data/real}
[ -d "$data/incidents_servicenow" ] || skip_all "no real data at $data"
command -v python3 >/dev/null || skip_all "python3 is not installed"

database=bcce_real_data
psql -XAtq -d postgres -c "SET client_min_messages = error" -c "DROP DATABASE IF EXISTS $database" -c "CREATE DATABASE $database"
trap 'psql -XAtq -d postgres -c "DROP DATABASE IF EXISTS $database"' EXIT
sql $database postgres -c "SET client_min_messages = error" -c "CREATE EXTENSION bcce"

loaded=$(PGDATABASE=$database "$root_dir/scripts/load/all.sh" "$data" incidents ci forecasts 2>&1)
ok $? "the loaders run"
printf '%s\n' "$loaded" | sed 's/^/#/'
is "$(sql $database postgres -c "SELECT count(*) FROM bcce.rejected")" 0 "nothing was refused"

# expected KIND [INSTANT...]: one line per result, computed from the files alone.
expected() {
    python3 - "$data" "$@" <<'PYTHON'
import csv, gzip, math, os, sys
from datetime import datetime
from fractions import Fraction

data, kind, *instants = sys.argv[1:]

def rows(path):
    path = os.path.join(data, path)
    opened = gzip.open(path, "rt", newline="") if path.endswith(".gz") else open(path, newline="")
    with opened as file:
        yield from csv.DictReader(file)

def percentile(values, q):            # interpolated, "type 7"; exact
    values = sorted(values)
    at = q * (len(values) - 1)
    low = math.floor(at)
    high = min(low + 1, len(values) - 1)
    return values[low] + (at - low) * (values[high] - values[low])

def rounded(number, digits):          # half away from zero, as numeric
    scaled = abs(number) * 10 ** digits
    whole = math.floor(scaled + Fraction(1, 2))
    text = f"{whole // 10 ** digits}.{whole % 10 ** digits:0{digits}d}"
    return "-" + text if number < 0 else text

if kind == "mttr":
    final = {}
    for row in rows("incidents_servicenow/incident_event_log_opened_before_2016-04.csv.gz"):
        final[row["number"]] = row    # the last row in file order
    def clock(text):
        if text == "?":
            return None
        day, hour = text.split(" ")
        d, m, y = (int(part) for part in day.split("/"))
        h, minute = (int(part) for part in hour.split(":"))
        return datetime(y, m, d, h, minute)
    minutes, fallback, still_open, invalid = [], 0, 0, 0
    for row in final.values():
        opened, resolved, closed = (clock(row[c]) for c in ("opened_at", "resolved_at", "closed_at"))
        end = resolved if resolved is not None else closed
        fallback += resolved is None and closed is not None
        if end is None:
            still_open += 1
        elif end < opened:
            invalid += 1
        else:
            span = end - opened
            minutes.append(Fraction(span.days * 86400 + span.seconds, 60))
    print(len(final), len(minutes), still_open, invalid, fallback,
          rounded(sum(minutes) / len(minutes), 6), rounded(percentile(minutes, Fraction(1, 2)), 6),
          rounded(percentile(minutes, Fraction(95, 100)), 6))

elif kind in ("survival", "severity"):
    final = {}
    for row in rows("incidents_servicenow/incident_event_log_opened_before_2016-04.csv.gz"):
        final[row["number"]] = row
    read = lambda text: None if text == "?" else datetime.strptime(text, "%d/%m/%Y %H:%M")
    incidents = []
    for row in final.values():
        opened, resolved, closed = (read(row[c]) for c in ("opened_at", "resolved_at", "closed_at"))
        incidents.append((opened, resolved if resolved is not None else closed, "sev" + row["priority"][0]))

    def curve(lasted):                # [(minutes, survival, Greenwood's sum)] at ends; exact
        at_risk, survival, variance, steps, count = len(lasted), Fraction(1), 0.0, [], {}
        for time, over in lasted:
            count.setdefault(time, [0, 0])[over] += 1
        for time in sorted(count):
            censored, ends = count[time]
            if ends:
                survival *= Fraction(at_risk - ends, at_risk)
                variance += ends / (at_risk * (at_risk - ends)) if at_risk > ends else 0
                steps.append((time, survival, variance))
            at_risk -= censored + ends
        return steps

    def bound(step, sign):            # of the 95 % interval, log(-log)
        time, survival, variance = step
        if survival in (0, 1):
            return None
        return float(survival) ** math.exp(-sign * 1.959963984540054 * math.sqrt(variance) / -math.log(survival))

    first = lambda steps, hit: next((step[0] for step in steps if hit(step)), None)
    shown = lambda minutes: "-" if minutes is None else rounded(Fraction(minutes), 3)
    for until in instants:
        at = datetime.fromisoformat(until)
        known = [(o, e, s) for o, e, s in incidents if o < at and not (e is not None and e < o)]
        for severity in (["all"] if kind == "survival" else sorted({s for o, e, s in known})):
            lasted = []
            for o, e, s in known:
                if severity in ("all", s):
                    over = e is not None and e <= at
                    span = (e if over else at) - o
                    lasted.append((Fraction(span.days * 86400 + span.seconds, 60), over))
            ended = [t for t, over in lasted if over]
            steps = curve(lasted)
            half = Fraction(1, 2)
            naive = percentile(ended, half) if ended else None
            median = first(steps, lambda step: step[1] <= half)
            warning = len(ended) < len(lasted) and naive is not None and (median is None or naive < Fraction(8, 10) * median)
            line = [until, severity, len(lasted), len(lasted) - len(ended), shown(naive), shown(median),
                    shown(first(steps, lambda step: step[1] <= Fraction(5, 100)))]
            if kind == "severity":
                low = first(steps, lambda step: step[1] <= half or (bound(step, -1) is not None and bound(step, -1) <= half))
                high = first(steps, lambda step: bound(step, 1) is not None and bound(step, 1) <= half)
                mean, before, survival, limit = Fraction(0), Fraction(0), Fraction(1), max(t for t, over in lasted)
                for time, after, variance in steps:
                    mean, before, survival = mean + survival * (time - before), time, after
                mean += survival * (limit - before)
                line += [shown(low if len(ended) >= 5 else None), shown(high if len(ended) >= 5 else None)]
                line += [shown(mean if ended else None), shown(limit if ended else None)]
            print(*line, "t" if warning else "f")

elif kind == "ci":
    for name in ("onnx-light", "yet-another-onnx-builder", "yet-another-onnxruntime-extensions"):
        count = {}
        for row in rows(f"ci_runs_github_actions/{name}.csv"):
            count[row["conclusion"]] = count.get(row["conclusion"], 0) + 1
        good, bad, stopped = count.get("success", 0), count.get("failure", 0), count.get("cancelled", 0)
        print(name, good + bad + stopped, bad, rounded(Fraction(100 * bad, good + bad), 1))

elif kind == "forecasts":
    for model, path in (("NBA", "nba_games.csv.gz"), ("NFL", "nfl_games.csv"), ("WNBA", "wnba_games.csv")):
        said = [(float(r["prob1"]), int(r["prob1_outcome"])) for r in rows("forecasts_538/" + path)
                if r["prob1_outcome"] in ("0", "1")]
        brier = math.fsum((p - y) ** 2 for p, y in said) / len(said)
        clip = lambda p: min(max(p, 1e-15), 1 - 1e-15)
        loss = math.fsum(-math.log(clip(p)) if y else -math.log(1 - clip(p)) for p, y in said) / len(said)
        # AUC over all pairs of a win and a loss, ties one half, counted exactly.
        wins = sorted(p for p, y in said if y)
        losses = sorted(p for p, y in said if not y)
        twice, below, upto = 0, 0, 0
        for p in wins:
            while below < len(losses) and losses[below] < p:
                below += 1
            while upto < len(losses) and losses[upto] <= p:
                upto += 1
            twice += below + upto
        auc = Fraction(twice, 2 * len(wins) * len(losses))
        print(model, len(said), repr(brier), repr(loss), repr(float(auc)))
PYTHON
}

mttr=$(sql $database postgres -F ' ' -c "
    SELECT incident_count, recovered_count, open_count, invalid_count, fallback_count, round(avg_mttr_minutes::numeric, 6),
           round(median_mttr_minutes::numeric, 6), round(p95_mttr_minutes::numeric, 6)
    FROM bcce.mttr_analysis WHERE tenant_name LIKE 'IT service desk%'")
is "$mttr" "$(expected mttr)" "ServiceNow: incidents, recovered, open, invalid, closed only, mean, median, p95"
# The same window by the twin.
is "$(sql $database postgres -F ' ' -c "
    SELECT incident_count, round(avg_mttr_minutes::numeric, 6), round(median_mttr_minutes::numeric, 6)
    FROM bcce.mttr_analysis('2016-02-29', '2017-03-01') WHERE tenant_name LIKE 'IT service desk%'")" \
    "$(printf '%s' "$mttr" | cut -d ' ' -f 1,6,7)" "the function over the set's own period says the same"

# As it was known while incidents were open, and at the end.
instants=(2016-03-01T00:00 2016-03-05T12:00 2016-03-18T00:00 2016-03-31T23:59 2016-05-15T00:00 2017-03-01T00:00)
known=$(sql $database postgres -F ' ' -c "
    SELECT to_char(at, 'YYYY-MM-DD\"T\"HH24:MI'), 'all', incident_count - invalid_count, open_count, coalesce(round(median_mttr_minutes::numeric, 3)::text, '-'),
           coalesce(round(median_mttr_incl_open_minutes::numeric, 3)::text, '-'), coalesce(round(p95_mttr_incl_open_minutes::numeric, 3)::text, '-'), censoring_warning
    FROM unnest(string_to_array('${instants[*]}', ' ')::timestamptz[]) AS at, bcce.mttr_analysis(NULL, at)
    WHERE tenant_name LIKE 'IT service desk%' ORDER BY at")
printf 'until, of, incidents, open, median, with open ones, p95 with open ones, warning\n%s\n' "$known" | sed 's/^/# /'
is "$known" "$(expected survival "${instants[@]}")" "ServiceNow: medians without and with the open incidents, p95, warning, at six moments"
is "$(cut -d ' ' -f 8 <<<"$known" | sort -u | tr -d '\n')" ft "at some of them the median is flattering, and said to be, at others not"
is "$(sql $database postgres -F ' ' -c "
    SELECT count(*), bool_and(abs(median_mttr_incl_open_minutes / later.median - 1) < 0.1), bool_and(median_mttr_minutes / later.median < 0.52)
    FROM unnest('{2016-03-06,2016-03-18,2016-04-01}'::timestamptz[]) AS at, bcce.mttr_analysis(NULL, at), LATERAL (
        SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY i.recovery_minutes) AS median FROM bcce_data.mttr_incidents(NULL, NULL) i WHERE i.started_at < at) AS later
    WHERE tenant_name LIKE 'IT service desk%'")" "3 t t" "what the median of the same incidents turned out to be: with the open ones it was known to 10 percent, without it was half at most"
is "$(sql $database postgres -F ' ' -c "
    SELECT to_char(at, 'YYYY-MM-DD\"T\"HH24:MI'), severity, incident_count - invalid_count, open_count, coalesce(round(median_mttr_minutes::numeric, 3)::text, '-'),
           coalesce(round(median_mttr_incl_open_minutes::numeric, 3)::text, '-'), coalesce(round(p95_mttr_incl_open_minutes::numeric, 3)::text, '-'),
           coalesce(round(median_mttr_incl_open_low_minutes::numeric, 3)::text, '-'), coalesce(round(median_mttr_incl_open_high_minutes::numeric, 3)::text, '-'),
           coalesce(round(avg_mttr_incl_open_minutes::numeric, 3)::text, '-'), coalesce(round(avg_mttr_incl_open_limit_minutes::numeric, 3)::text, '-'), censoring_warning
    FROM unnest('{2016-03-05T12:00,2016-03-18T00:00}'::timestamptz[]) AS at, bcce.mttr_breakdown(NULL, at)
    WHERE tenant_name LIKE 'IT service desk%' ORDER BY at, severity")" \
    "$(expected severity 2016-03-05T12:00 2016-03-18T00:00)" "by severity: the interval and the restricted mean with its limit, too"

is "$(sql $database postgres -F ' ' -c "
    SELECT tenant_name, total_workflows, failed_workflows, failure_rate_percent
    FROM bcce.analytics_overview WHERE tenant_name LIKE '%onnx%' ORDER BY tenant_name COLLATE \"C\"")" \
    "$(expected ci)" "CI: runs, failures and failure rate of each repository"

scores=$(sql $database postgres -F ' ' -c "
    SELECT model_name, labelled_count, brier_score, log_loss, auc FROM bcce.prediction_accuracy ORDER BY model_name COLLATE \"C\"")
expected_scores=$(expected forecasts)
is "$(printf '%s\n' "$scores" | cut -d ' ' -f 1,2)" "$(printf '%s\n' "$expected_scores" | cut -d ' ' -f 1,2)" "forecasts: models and outcomes known"
for column in 3:Brier 4:'log loss' 5:AUC; do
    while read -r model got wanted; do
        python3 -c "import sys; sys.exit(not abs(float('$got') - float('$wanted')) <= 1e-12)"
        ok $? "$model: ${column#*:} $got is within 1e-12 of $wanted"
    done < <(paste -d ' ' <(printf '%s\n' "$scores" | cut -d ' ' -f "1,${column%:*}") <(printf '%s\n' "$expected_scores" | cut -d ' ' -f "${column%:*}"))
done
is "$(sql $database postgres -c "SELECT pending_count FROM bcce.prediction_accuracy WHERE model_name = 'NFL'")" 7 "the seven ties stay without an outcome"

# Loading again changes nothing.
PGDATABASE=$database "$root_dir/scripts/load/all.sh" "$data" incidents ci forecasts >/dev/null 2>&1
ok $? "the loaders run again"
is "$(sql $database postgres -F ' ' -c "
    SELECT incident_count, recovered_count, open_count, invalid_count, fallback_count, round(avg_mttr_minutes::numeric, 6),
           round(median_mttr_minutes::numeric, 6), round(p95_mttr_minutes::numeric, 6)
    FROM bcce.mttr_analysis WHERE tenant_name LIKE 'IT service desk%'")" "$mttr" "and change nothing"
done_testing
