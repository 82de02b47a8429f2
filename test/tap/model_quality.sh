#!/usr/bin/env bash
# Proves that the aggregates of model quality equal an independent computation
# in exact fractions to 1e-12, on made-up data with ties, ends and subnormal
# numbers and on the real forecasts; and scikit-learn and SciPy, where these are
# installed.  Needs a running server (PG*), a superuser, python3.
set -uo pipefail
. "$(dirname "$0")/../lib/tap.sh"
command -v python3 >/dev/null || skip_all "python3 is not installed"
data=${BCCE_DATA:-$root_dir/../shared/data/real}
work_dir=${TMPDIR:-/tmp}

cat >"$work_dir/reference.py" <<'PYTHON'
"""reference.py make|exact|sklearn [FOLDER]: rows "set,p,y,r" on stdin or made; results "set metric value"."""
import csv, gzip, math, os, random, sys
from fractions import Fraction as F

def made():
    rng = random.Random(7)
    shapes = {
        "uniform": lambda: rng.random(),
        "ties": lambda: round(rng.random(), 1),
        "ends": lambda: rng.choice([0.0, 1.0, 1e-15, 1 - 1e-15, 0.5, 5e-324, 1e-300, 1 - 2 ** -53, 0.1, 0.2, 0.3, 0.7, 0.9]),
        "skewed": lambda: rng.random() ** 6,
        "two": lambda: rng.choice([0.25, 0.75]),
        "constant": lambda: 0.3,
    }
    for name, shape in shapes.items():
        for i in range(2000):
            p = shape()
            yield name, p, int(rng.random() < (0.5 * p + 0.2)), int(rng.random() < 0.4)
    for i in range(60):             # one class, and a sample that is too small for psi
        yield "ones", rng.random(), 1, int(i < 45)
        yield "zeros", rng.random(), 0, int(i < 5)

def forecasts(folder):
    for model, path in (("NBA", "nba_games.csv.gz"), ("NFL", "nfl_games.csv"), ("WNBA", "wnba_games.csv")):
        path = os.path.join(folder, "forecasts_538", path)
        opened = gzip.open(path, "rt", newline="") if path.endswith(".gz") else open(path, newline="")
        with opened as file:
            rows = [r for r in csv.DictReader(file) if r["prob1_outcome"] in ("0", "1")]
        seasons = sorted(r["season"] for r in rows)
        for r in rows:              # the reference: the earlier half
            yield model, float(r["prob1"]), int(r["prob1_outcome"]), int(r["season"] < seasons[len(seasons) // 2])

def read():
    sets = {}
    for name, p, y, r in csv.reader(sys.stdin):
        sets.setdefault(name, []).append((float(p), int(y), int(r)))
    return sorted(sets.items())

def bins_of(rows, k=10):
    bins = {}
    for p, y, r in rows:
        bins.setdefault(min(math.floor(p * k), k - 1), []).append((F(p), y))
    return bins

def auc(rows):                      # by counting all pairs, value by value
    count = {}
    for p, y, r in rows:
        count.setdefault(p, [0, 0])[y] += 1
    below, twice = 0, 0
    for p in sorted(count):
        twice += count[p][1] * (2 * below + count[p][0])
        below += count[p][0]
    ones = sum(c[1] for c in count.values())
    return None if ones == 0 or below == 0 else F(twice, 2 * ones * below)

def ks(rows):
    a = sorted(p for p, y, r in rows if r == 0)
    b = sorted(p for p, y, r in rows if r == 1)
    return max(abs(F(sum(v <= x for v in a), len(a)) - F(sum(v <= x for v in b), len(b))) for x in set(a + b)) if a and b else None

def psi(rows, k):
    a = [p for p, y, r in rows if r == 0]
    b = sorted(p for p, y, r in rows if r == 1)
    if min(len(a), len(b)) < 50:
        return None
    edges = []
    for i in range(1, k):           # as percentile_cont(): in doubles
        at = i / k * (len(b) - 1)
        low = math.floor(at)
        high = math.ceil(at)
        edge = b[low] if low == high else b[low] + (at - low) * (b[high] - b[low])
        if not edges or edge > edges[-1]:
            edges.append(edge)
    edges = [-math.inf] + edges + [math.inf]
    total = 0.0
    for low, high in zip(edges, edges[1:]):
        x, z = (sum(low < v <= high for v in s) for s in (a, b))
        if x or z:
            x, z = (x or 0.5) / len(a), (z or 0.5) / len(b)
            total += (x - z) * math.log(x / z)
    return total

def mcc(rows):
    tp, fp, fn, tn = (sum((p >= 0.5, y) == c for p, y, r in rows) for c in ((True, 1), (True, 0), (False, 1), (False, 0)))
    d = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    return (tp * tn - fp * fn) / math.sqrt(d) if d else None

def exact(rows):
    n = len(rows)
    clip = lambda p: min(max(p, 1e-15), 1 - 1e-15)
    yield "brier", sum((F(p) - y) ** 2 for p, y, r in rows) / n
    yield "log_loss", math.fsum(-math.log(clip(p)) if y else -math.log1p(-clip(p)) for p, y, r in rows) / n
    yield "auc", auc(rows)
    for k in (10, 37):
        gaps = [(abs(sum(p - y for p, y in b)), len(b)) for b in bins_of(rows, k).values()]
        yield f"ece{k}", sum(g for g, m in gaps) / n
        yield f"mce{k}", max(g / m for g, m in gaps)
    yield "mcc", mcc(rows)
    yield "ks", ks(rows)
    yield "psi10", psi(rows, 10)
    yield "psi7", psi(rows, 7)
    bins = bins_of(rows)
    yield "bins_mean", sum((i + 1) * sum(p for p, y in b) / len(b) for i, b in bins.items())
    yield "bins_rate", sum((i + 1) * F(sum(y for p, y in b), len(b)) for i, b in bins.items())

def sklearn(rows):
    import numpy as np
    from scipy.stats import ks_2samp
    from sklearn import metrics
    p, y, r = (np.array(column) for column in zip(*rows))
    yield "brier", metrics.brier_score_loss(y, p)
    if len(set(y)) > 1:
        yield "log_loss", metrics.log_loss(y, np.clip(p, 1e-15, 1 - 1e-15))
        yield "auc", metrics.roc_auc_score(y, p)
        if len(set(p >= 0.5)) > 1:
            yield "mcc", metrics.matthews_corrcoef(y, p >= 0.5)
    yield "ks", ks_2samp(p[r == 0], p[r == 1]).statistic

if sys.argv[1] == "make":
    csv.writer(sys.stdout).writerows((n, repr(p), y, r) for n, p, y, r in (forecasts(sys.argv[2]) if len(sys.argv) > 2 else made()))
else:
    for name, rows in read():
        for metric, value in {"exact": exact, "sklearn": sklearn}[sys.argv[1]](rows):
            print(name, metric, "NULL" if value is None else repr(float(value)))
PYTHON
reference() { python3 "$work_dir/reference.py" "$@"; }

{
    reference make
    [ ! -d "$data/forecasts_538" ] || reference make "$data"
} >"$work_dir/rows.csv"
sql "$PGDATABASE" postgres -c "CREATE TABLE judged (model text, p double precision, y boolean, r boolean)"
is "$(sql "$PGDATABASE" postgres -c "\\copy judged FROM '$work_dir/rows.csv' (FORMAT csv)")" "" "rows are loaded"

# measured OPTIONS...: the same results by the aggregates.
measured() {
    sql "$PGDATABASE" postgres "$@" -F ' ' -P null=NULL -c "
        SELECT model, m.metric, m.value
        FROM (
            SELECT model, brier(p, y), log_loss(p, y), roc_auc(p, y), ece(p, y), mce(p, y), ece(p, y, 37) AS ece37, mce(p, y, 37) AS mce37,
                   mcc(p >= 0.5, y), ks(p, r), psi(p, r), psi(p, r, 7) AS psi7, calibration_bins(p, y) AS bins
            FROM judged GROUP BY model
        ) q
        CROSS JOIN LATERAL (VALUES (1, 'brier', brier), (2, 'log_loss', log_loss), (3, 'auc', roc_auc), (4, 'ece10', ece), (5, 'mce10', mce),
            (6, 'ece37', ece37), (7, 'mce37', mce37), (8, 'mcc', mcc), (9, 'ks', ks), (10, 'psi10', psi), (11, 'psi7', psi7),
            (12, 'bins_mean', (SELECT sum(b.i * b.mean_predicted) FROM unnest(bins) WITH ORDINALITY AS b (l, u, n, mean_predicted, rate, low, high, i))),
            (13, 'bins_rate', (SELECT sum(b.i * b.rate) FROM unnest(bins) WITH ORDINALITY AS b (l, u, n, mean_predicted, rate, low, high, i)))) AS m (i, metric, value)
        ORDER BY model COLLATE \"C\", m.i"
}

# compare NAME: one line for each set, the largest difference of its results.
compare() {
    local line
    while read -r line; do
        ok "${line%% *}" "$1, ${line#* }"
    done < <(python3 - "$work_dir/expected" "$work_dir/measured" <<'PYTHON'
import sys
def read(path):
    return {tuple(line.split()[:2]): line.split()[2] for line in open(path)}
expected, measured = (read(path) for path in sys.argv[1:])
for name in sorted({key[0] for key in expected}):
    worst, wrong = 0.0, []
    for key, value in expected.items():
        if key[0] != name:
            continue
        got = measured.get(key, "missing")
        try:
            distance = abs(float(got) - float(value)) if value != "NULL" else float(got != "NULL")
        except ValueError:
            distance = 1.0
        worst = max(worst, distance)
        if not distance <= 1e-12:
            wrong.append(f"{key[1]}: {got} for {value}")
    results = sum(key[0] == name for key in expected)
    print(int(bool(wrong)), f"{name}: {results} results within 1e-12, the worst is {worst:.1e} off", *wrong)
PYTHON
    )
}

measured -c "SET search_path = bcce, public, pg_catalog" -c "SET max_parallel_workers_per_gather = 0" >"$work_dir/measured"
reference exact <"$work_dir/rows.csv" >"$work_dir/expected"
compare "exact fractions"
[ -d "$data/forecasts_538" ] || { ok 0 "real forecasts # SKIP no real data at $data"; }

# Debian's python3-sklearn belongs to the system's Python, which may not be the first one.
skip="# SKIP scikit-learn is not installed"
for python in python3 /usr/bin/python3; do
    "$python" -c "import sklearn, scipy" 2>/dev/null || continue
    "$python" "$work_dir/reference.py" sklearn <"$work_dir/rows.csv" >"$work_dir/expected"
    ok $? "scikit-learn and SciPy ran"
    compare "scikit-learn and SciPy"
    skip=
    break
done
[ -z "$skip" ] || ok 0 "scikit-learn and SciPy $skip"

# The same bits, in parallel and in another order.
bits() {
    sql "$PGDATABASE" postgres -c "SET search_path = bcce, public, pg_catalog" -c "SET extra_float_digits = 3" "${@:2}" -c "
        SELECT md5(string_agg(q::text, '|' ORDER BY q.model)) FROM (
            SELECT model, brier(p, y), log_loss(p, y), roc_auc(p, y), ece(p, y), mce(p, y), mcc(p >= 0.5, y), ks(p, r), psi(p, r), calibration_bins(p, y)
            FROM $1 GROUP BY model) q"
}
serial=$(bits judged -c "SET max_parallel_workers_per_gather = 0")
sql "$PGDATABASE" postgres -c "ANALYZE judged" -c "ALTER TABLE judged SET (parallel_workers = 2)"
parallel=(-c "SET parallel_setup_cost = 0" -c "SET parallel_tuple_cost = 0" -c "SET min_parallel_table_scan_size = 0" -c "SET max_parallel_workers_per_gather = 2")
is "$(bits judged "${parallel[@]}")" "$serial" "in parallel the same bits"
is "$(bits "(SELECT * FROM judged ORDER BY md5(p::text || y || r) DESC) s" -c "SET max_parallel_workers_per_gather = 0")" "$serial" "in another order the same bits"

is "$(bits judged -c "SET max_parallel_workers_per_gather = 0" -c "SET work_mem = '64kB'" -c "SET hash_mem_multiplier = 1")" "$serial" "on disk the same bits"

# A long sort, and the walk behind it, can be cancelled.
sql "$PGDATABASE" postgres -c "CREATE UNLOGGED TABLE many AS SELECT random() AS p, random() < 0.3 AS y FROM generate_series(1, 2000000)"
for aggregate in roc_auc ks psi; do
    is "$(sql "$PGDATABASE" postgres -c "SET statement_timeout = 30" -v VERBOSITY=sqlstate -c "SELECT bcce.$aggregate(p, y) FROM many, generate_series(1, 3)" 2>&1 | tail -n 1)" \
        "ERROR:  57014" "$aggregate can be cancelled"
done
sql "$PGDATABASE" postgres -c "DROP TABLE many, judged"
done_testing
