#!/usr/bin/env python3
"""Runs the code blocks of documents and holds what they print against them.

usage: readme.py [--update] [--bare] [--database NAME] [--replace OLD=NEW]...
                 [--hook COMMAND] [FILE...]

Prints TAP.  Without a file: README.md.  Uses the running cluster that the PG*
environment names, as a superuser; every file has a database of its own with
bcce, the sample data and a clock that stands still, and loses it, and the
logins it makes, in the end.

  --update      write what was printed into the documents
  --bare        an empty database and the true time
  --database    name of the database (default bcce_readme)
  --replace     text of the documents that stands for another on this machine
  --hook        called as COMMAND before|after HEADING around the blocks under
                a heading, and as COMMAND conf WORDS with settings on its input

Blocks that run are ```sql (psql, with its own commands), ```sh (bash, in the
same folder) and ```conf (needs a hook); the last has no output.  What a block
prints stands in a ```text block behind it.  Words after the language are for
the test: "wait" repeats a question until the answer is the one shown, "16+"
leaves a block to servers of that version.  Other blocks are for reading.
"""
import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NOW = "2026-01-31 12:00:00+00"
PIECE = re.compile(r"^#{2,3} (?P<heading>[^\n]*)\n|"
                   r"^```(?P<kind>sql|sh|conf)(?P<words>[^\n]*)\n(?P<code>.*?)^```\n(?:\n```text\n(?P<text>.*?)^```\n)?", re.S | re.M)
ROLE = re.compile(r"create_login\('(\w+)'|CREATE (?:ROLE|USER) (\w+)")
PATIENCE = 75


def run(command, database, source="", folder=None):
    env = dict(os.environ, PGTZ="UTC", PGDATABASE=database, PGOPTIONS="-c datestyle=ISO", PSQLRC="/dev/null")
    done = subprocess.run(command, input=source, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env, cwd=folder)
    return "\n".join(line.rstrip() for line in done.stdout.split("\n")).strip("\n"), done.returncode


def psql(sql, database, folder=None):
    return run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1"], database, sql, folder)


class Document:
    def __init__(self, path, options):
        self.path, self.options = path, options
        self.text = open(path, encoding="utf-8").read()
        self.roles = {a or b for a, b in ROLE.findall(self.text)}
        self.heading = self.skip = None
        said, status = run(["psql", "-XAtqc", "SHOW server_version_num"], "postgres")
        if status:
            sys.exit("Bail out! " + said)
        self.version = int(said) // 10000

    def prepare(self):
        self.drop()
        database = self.options.database
        steps = [(f"CREATE DATABASE {database}", "postgres")]
        if not self.options.bare:
            steps += [(f"CREATE EXTENSION bcce; ALTER DATABASE {database} SET bcce.test_now = '{NOW}'", database),
                      (f"SELECT count(*) FROM bcce.generate_sample_data(ending_at => '{NOW}')", database)]
        for sql, database in steps:
            said, status = psql(sql, database)
            if status:
                sys.exit("Bail out! " + said)

    def drop(self):
        psql(f"DROP DATABASE IF EXISTS {self.options.database} WITH (FORCE)", "postgres")
        for role in self.roles:
            psql(f"DROP ROLE IF EXISTS {role}", "postgres")

    def test(self):
        with tempfile.TemporaryDirectory() as self.folder:
            new = PIECE.sub(self.piece, self.text)
            self.leave()
        if self.options.update and new != self.text:
            open(self.path, "w", encoding="utf-8").write(new)

    def here(self, text, back=False):
        for pair in self.options.replace:
            shown, real = pair.split("=", 1)
            text = text.replace(real, shown) if back else text.replace(shown, real)
        return text

    def hook(self, what, about, source=""):
        if not self.options.hook:
            return ""
        said, status = run([*shlex.split(self.options.hook), what, about], self.options.database, source, self.folder)
        for line in said.split("\n"):
            if re.match(r"(not )?ok\b", line):
                result(line.startswith("ok"), re.sub(r"^(not )?ok [\d]*[ -]*", "", line))
            elif line.startswith("#"):
                print(line)
        if status:
            result(False, f"{what} {about}", said)
        return said

    def leave(self):
        if self.heading and not self.skip:
            self.hook("after", self.heading)

    def piece(self, match):
        if match["heading"]:
            self.leave()
            self.heading = match["heading"]
            said = self.hook("before", self.heading)
            self.skip = said[5:] if said.startswith("skip ") else None
            return match[0]
        return self.block(match)

    def block(self, match):
        kind, words, code, text = match["kind"], match["words"].split(), match["code"], (match["text"] or "").strip("\n")
        title = f"{' '.join(code.split())[:60]}"
        least = [int(word[:-1]) for word in words if re.fullmatch(r"\d+\+", word)]
        if self.skip or least and self.version < least[0]:
            result(True, f"{title} # SKIP {self.skip or f'needs PostgreSQL {least[0]}'}")
            return match[0]
        until = time.monotonic() + (PATIENCE if "wait" in words else 0)
        while True:
            printed, status = self.execute(kind, words, self.here(code))
            printed = self.here(printed, back=True)
            good = printed == text and status == 0 and "ERROR" not in printed
            if good or time.monotonic() >= until:
                break
            time.sleep(0.5)
        if good or not self.options.update:
            result(good, title, f"expected:\n{text}\nprinted:\n{printed}")
        elif status or "ERROR" in printed:
            result(False, title, printed)
            return match[0]
        else:
            result(True, title)
        shown = f"\n```text\n{printed}\n```\n" if printed or match["text"] is not None else ""
        return f"```{kind}{match['words']}\n{code}```\n{shown}"

    def execute(self, kind, words, code):
        if kind == "sql":
            return psql(code, self.options.database, self.folder)
        if kind == "sh":
            return run(["bash", "-euo", "pipefail"], self.options.database, code, self.folder)
        if not self.options.hook:
            return "settings need a hook", 1
        return run([*shlex.split(self.options.hook), "conf", " ".join(words)], self.options.database, code, self.folder)


count = failed = 0


def result(good, title, why=""):
    global count, failed
    count += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {count} - {title}", flush=True)
    if not good:
        print("\n".join("# " + line for line in why.split("\n")), flush=True)


def main():
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--bare", action="store_true")
    parser.add_argument("--database", default="bcce_readme")
    parser.add_argument("--replace", action="append", default=[])
    parser.add_argument("--hook")
    parser.add_argument("files", nargs="*", default=[os.path.join(ROOT, "README.md")])
    options = parser.parse_args()
    for path in options.files:
        document = Document(path, options)
        document.prepare()
        document.test()
        document.drop()
    if not count:
        result(False, "there are blocks to run")
    print(f"1..{count}")
    sys.exit(failed > 0)


main()
