#!/usr/bin/env python3
"""Runs the SQL of README.md and holds what it prints against the README.

Prints TAP.  With --update the printed output is written into README.md.
Uses the running cluster that the PG* environment names, as a superuser, in a
database of its own.
"""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
README = os.path.join(ROOT, "README.md")
NOW = "2026-01-31 12:00:00+00"
DATABASE = "bcce_readme"
ROLES = ["acme_writer", "acme_reader"]
BLOCK = re.compile(r"```sql\n(.*?)```\n(?:\n(?:@@output|```text\n(.*?)```)\n)?", re.S)


def psql(sql, database=DATABASE):
    env = dict(os.environ, PGTZ="UTC", PGOPTIONS="-c datestyle=ISO")
    done = subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database, "-f", "-"],
                          input=sql, text=True, capture_output=True, env=env)
    lines = (done.stdout + done.stderr).split("\n")
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def prepare():
    drop()
    psql(f"CREATE DATABASE {DATABASE}", "postgres")
    made = psql(f"""CREATE EXTENSION bcce;
        ALTER DATABASE {DATABASE} SET bcce.test_now = '{NOW}';
        SELECT count(*) FROM bcce.generate_sample_data(ending_at => '{NOW}');""")
    if "ERROR" in made:
        sys.exit("Bail out! " + made)


def drop():
    psql(f"DROP DATABASE IF EXISTS {DATABASE}", "postgres")
    for role in ROLES:
        psql(f"DROP ROLE IF EXISTS {role}", "postgres")


def main():
    text = open(README, encoding="utf-8").read()
    update = "--update" in sys.argv[1:]
    prepare()
    count = 0

    def run(match):
        nonlocal count
        count += 1
        sql, expected = match.group(1), match.group(2)
        printed = psql(sql)
        title = " ".join(sql.split())[:60]
        if (expected or "").strip("\n") == printed and "ERROR" not in printed:
            print(f"ok {count} - {title}")
        elif not update:
            print(f"not ok {count} - {title}")
            print("\n".join("# " + line for line in ["expected:", *(expected or "").split("\n"), "printed:", *printed.split("\n")]))
        return f"```sql\n{sql}```\n\n```text\n{printed}\n```\n"

    new = BLOCK.sub(run, text)
    print(f"1..{count}")
    drop()
    if update:
        open(README, "w", encoding="utf-8").write(new)


main()
