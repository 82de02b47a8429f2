#!/usr/bin/env python3
"""Runs the SQL of docs/*.md on the sample data and holds what it prints against them.

usage: test/docs.py [--update] FILE...

Prints TAP.  A block of SQL that is followed by a block of text must print just
that; any other must run without an error and, unless it is the DBA's, return
rows.  With --update what a block prints is written into the file, where there
is text already.  Blocks run as the page's reader (PAGES); one that begins with
"-- as the DBA" runs as a superuser.  Under the heading of a BI tool the tool's
macros are first replaced by what the tool sends (SENT), once for every way in
which it may fill them; no macro may be left.

Uses the running cluster that the PG* environment names, as a superuser, in a
database of its own.
"""
import os
import re
import subprocess
import sys
import tempfile

NOW = "2026-01-31 12:00:00+00"
DATABASE = "bcce_docs"
READER = "acme_analyst"
# Who reads a page; None: a superuser.
PAGES = {"analyst.md": READER, "bi.md": READER, "dba.md": None, "security.md": None}
ROLES = [READER, "acme_grafana", "acme_metabase", "acme_portal", "bcce_upkeep"]
BLOCK = re.compile(r"^```(sql|psql)\n(.*?)^```\n(\n```text\n.*?^```\n)?", re.S | re.M)
UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
SAME_UUID = "01900000-0000-7000-8000-000000000000"
LEFT_OVER = re.compile(r"\$__|\{\{|\{%|\[\[|\]\]|(?<![:\w]):[a-z]")

SINCE, UNTIL = "2026-01-25", "2026-02-01"
# What each tool sends for its macros: one list for each way to fill them.
SENT = {
    "Grafana": [
        [(r"\$__timeFrom\(\)", f"'{SINCE}T00:00:00Z'"),
         (r"\$__timeTo\(\)", f"'{UNTIL}T00:00:00Z'"),
         (r"\$__timeFilter\((\w+)\)", rf"\1 BETWEEN '{SINCE}T00:00:00Z' AND '{UNTIL}T00:00:00Z'"),
         (r"\$__timeGroup\((\w+), '6h'\)", r"floor(extract(epoch from \1)/21600)*21600")],
    ],
    "Metabase": [
        [(r"\[\[AND \{\{range\}\}\]\]", f'AND "bcce"."slow_runs"."started_at" >= timestamp with time zone \'{SINCE} 00:00:00.000Z\''
          f' AND "bcce"."slow_runs"."started_at" < timestamp with time zone \'{UNTIL} 00:00:00.000Z\''),
         (r"\[\[\{\{since\}\} --\]\]", f"date '{SINCE}' --"),
         (r"\[\[\{\{until\}\} --\]\]", f"date '{UNTIL}' --")],
        # Empty filters: what stands in double brackets is left out.
        [(r"\[\[.*?\]\]", "")],
    ],
    # The outer query is what a chart adds to its dataset.
    "Superset": [
        [(r"\{% set range = [^\n]*%\}\n", ""),
         (r"\{\{ range\.from_expr or 'NULL' \}\}", f"'{SINCE} 00:00:00+00'"),
         (r"\{\{ range\.to_expr or 'NULL' \}\}", f"'{UNTIL} 00:00:00+00'"),
         (r"\{% if (?:from|to)_dttm %\}(.*?)\{% else %\}NULL\{% endif %\}", r"\1"),
         (r"\{\{ from_dttm \}\}", f"{SINCE}T00:00:00"),
         (r"\{\{ to_dttm \}\}", f"{UNTIL}T00:00:00"),
         (r"(?s)^(.*)$", r"SELECT DATE_TRUNC('day', period_start_at) AS period_start_at, count(*) FROM (\1) AS virtual_table"
          r" GROUP BY DATE_TRUNC('day', period_start_at) LIMIT 1000")],
        # No time range.
        [(r"\{% set range = [^\n]*%\}\n", ""),
         (r"\{\{ range\.(?:from|to)_expr or 'NULL' \}\}", "NULL"),
         (r"\{% if (?:from|to)_dttm %\}.*?\{% else %\}NULL\{% endif %\}", "NULL"),
         (r"(?s)^(.*)$", r"SELECT * FROM (\1) AS virtual_table LIMIT 1000")],
    ],
    "DBeaver": [
        [(r":since\b", f"'{SINCE} 00:00+00'"), (r":until\b", f"'{UNTIL} 00:00+00'")],
    ],
}

folder = None


def psql(sql, user=None, database=DATABASE):
    env = dict(os.environ, PGTZ="UTC", PGOPTIONS="-c datestyle=ISO")
    if user:
        env["PGUSER"] = user
    done = subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database, "-f", "-"],
                          input=sql, text=True, capture_output=True, env=env, cwd=folder)
    lines = UUID.sub(SAME_UUID, done.stdout + done.stderr).split("\n")
    return done.returncode, "\n".join(line.rstrip() for line in lines).strip("\n")


def drop():
    psql(f"DROP DATABASE IF EXISTS {DATABASE}", database="postgres")
    for role in ROLES:
        psql(f"DROP ROLE IF EXISTS {role}", database="postgres")


def prepare():
    drop()
    psql(f"CREATE DATABASE {DATABASE}", database="postgres")
    status, printed = psql(f"""CREATE EXTENSION bcce;
        ALTER DATABASE {DATABASE} SET bcce.test_now = '{NOW}';
        SELECT count(*) FROM bcce.generate_sample_data(ending_at => '{NOW}');
        SELECT bcce.create_login('{READER}', 'sample-acme');""")
    if status:
        sys.exit("Bail out! " + printed)


def heading(text, position):
    """The heading of the second level above a place in a page."""
    found = re.findall(r"^## (.*)$", text[:position], re.M)
    return found[-1] if found else ""


class Run:
    count = failures = 0

    def ok(self, good, name, *notes):
        self.count += 1
        self.failures += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}")
        if not good:
            print("\n".join("# " + line for note in notes for line in note.split("\n")))

    def page(self, path, update):
        text = open(path, encoding="utf-8").read()
        name = os.path.basename(path)

        def block(match):
            language, sql, shown = match.groups()
            tool = heading(text, match.start())
            is_dba = sql.startswith("-- as the DBA")
            user = None if is_dba else PAGES[name]
            title = f"{name}: {tool}: " + " ".join(sql.split())[:60]
            printed = ""
            for number, ways in enumerate(SENT.get(tool, [[]])):
                sent = sql
                for macro, value in ways:
                    sent = re.sub(macro, value, sent)
                way = title + (f" (way {number + 1})" if number else "")
                if tool in SENT and LEFT_OVER.search(re.sub(r"'[^']*'", "''", sent)):
                    self.ok(False, way, "a macro is left:", sent)
                    continue
                status, answer = psql(sent, user)
                printed = printed or answer
                is_empty = re.search(r"^\(0 rows\)$", answer, re.M)
                if status or number or not shown:
                    self.ok(not status and (shown or user is None or not is_empty), way, "sent:", sent, "printed:", answer)
                else:
                    self.ok(shown == f"\n```text\n{printed}\n```\n" or update, way, "expected:", shown, "printed:", printed)
            shown = f"\n```text\n{printed}\n```\n" if shown else ""
            return f"```{language}\n{sql}```\n{shown}"

        new = BLOCK.sub(block, text)
        # A fence that nobody runs is none of SQL.
        self.ok(len(re.findall(r"^```(?:sql|psql)", text, re.M)) == len(BLOCK.findall(text)), f"{name}: every block of SQL was run")
        self.ok(not re.search(r"^```\n(?:SELECT|WITH|INSERT|CREATE|ALTER|GRANT)\b", text, re.M), f"{name}: every block of SQL is marked as such")
        if update:
            open(path, "w", encoding="utf-8").write(new)


def main():
    global folder
    update = "--update" in sys.argv[1:]
    pages = [argument for argument in sys.argv[1:] if argument != "--update"]
    run = Run()
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        prepare()
        for page in pages:
            run.page(page, update)
        if any(page.endswith("analyst.md") for page in pages):
            for name, first in ("cost.csv", "tenant_id,tenant_name,period_start_at,usage_date,"), ("days.csv", "usage_date,total_cost_usd"):
                path = os.path.join(folder, name)
                lines = open(path, encoding="utf-8").read().split("\n") if os.path.exists(path) else [""]
                run.ok(lines[0].startswith(first) and len(lines) > 30, f"analyst.md: {name} is written", *lines[:3])
        drop()
    print(f"1..{run.count}")
    sys.exit(run.failures > 0)


main()
