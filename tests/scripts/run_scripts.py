#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs REPL scripts: the REPL is a test language.

A script is a sequence of cases, separated by blank lines:

    # a comment
    .docs
    ----
    document  source  <any>
    d1  poem.txt  <number>  <any>

Lines before ---- are typed, lines after it are the expected output. White space counts as one
space. <number> stands for a number (with , and . inside), <any> for the rest of a line, and a line
of <lines> for any number of lines. "! code" as the last expected line says that the case ends the
script with an error of that code; the rest of that line must be part of its message.

Arguments: binary, base model, scripts. Every script gets the same new store.
"""

import pathlib
import re
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "apps"))

import cli  # noqa: E402

POEM = """The lighthouse keeper counted ships. Three came on Monday, seven on Tuesday.
On Wednesday the fog hid the harbour, and the keeper rang the bronze bell until dawn.
The bell was cast in Lisbon in 1755, and it cracked in the winter of the great frost.
Nobody mended it. When the keeper died, the harbour master had it carried up the hill, where it
hangs in the school yard and calls the children in from their games at a quarter past eight.
"""

EXIT_CODES = {"usage": 2, "invalid_input": 3, "over_budget": 9}


class Case:
    def __init__(self, line_number, commands, expected):
        self.line_number = line_number
        self.commands = commands
        self.error = expected.pop()[2:] if expected and expected[-1].startswith("! ") else None
        self.expected = expected


def parse(text):
    cases, commands, expected, seen_bar, first = [], [], [], False, 0
    for number, line in enumerate([*text.splitlines(), ""], 1):
        if not line.strip():
            if commands:
                if not seen_bar:
                    raise SystemExit(f"line {first}: a case has no ----")
                cases.append(Case(first, commands, expected))
            commands, expected, seen_bar = [], [], False
        elif line.strip() == "----" and not seen_bar:
            seen_bar = True
        elif seen_bar:
            expected.append(line)
        elif not line.startswith("#"):
            first = first if commands else number
            commands.append(line)
    return cases


def pattern_of(line):
    """A regular expression for one expected line."""
    if line.strip() == "<lines>":
        return r"(?:.*\n)*?"
    parts = re.split(r"(<number>|<any>)", " ".join(line.split()))
    meaning = {"<number>": r"-?[0-9][0-9,.]*", "<any>": r".*"}
    return "".join(meaning.get(part, re.escape(part)) for part in parts) + r"\n"


def normalised(output):
    return "".join(" ".join(line.split()) + "\n" for line in output.splitlines())


def find_fault(cases, output):
    """The first case that the output does not go on with; nothing may follow the last."""
    pattern, matched = "", 0
    for case in cases:
        pattern += "".join(map(pattern_of, case.expected))
        match = re.match(pattern, output)
        if not match:
            expected = "\n".join("    " + line for line in case.expected)
            shown = "\n".join("    " + line for line in output[matched:].splitlines()[:12])
            return (f"line {case.line_number}: expected\n{expected}\n"
                    f"  but the output goes on with\n{shown}")
        matched = match.end()
    if not re.fullmatch(pattern, output):
        return "output that no case expects:\n" + output[matched:]
    return None


def check_end(case, done):
    faults = []
    message = done.stderr.decode()
    if case.error is None:
        if done.returncode != 0 or message:
            faults.append(f"exit code {done.returncode}: {message}")
    else:
        code, _, part = case.error.partition(" ")
        if done.returncode != EXIT_CODES[code] or part not in message:
            faults.append(f"line {case.line_number}: expected error {case.error}, got: {message}")
    return faults


def run_script(script, program):
    cases = parse(script.read_text())
    if not cases:
        return ["no cases"]
    commands = "".join(line + "\n" for case in cases for line in case.commands)
    done = program.run("repl", stdin=commands.encode())
    output = normalised(done.stdout.decode())
    fault = find_fault(cases, output)
    return [fault, done.stderr.decode()] if fault else check_end(cases[-1], done)


def make_store(program):
    program.write("poem.txt", POEM)
    program.write("words.txt", cli.made_up_text(seed=11, word_count=420))
    program.result("ingest", "poem.txt")
    program.result("ingest", "words.txt", "--stats")
    program.result("bank", "create", "spare")
    program.write("inner.mct", "# a comment\n\n.policy bm25\n.budget 200\n")
    program.write("broken.mct", ".docs\n.nothing\n")


def main():
    binary, model, *scripts = map(pathlib.Path, sys.argv[1:])
    if not model.exists():
        print(f"skipped: no base model at {model}; scripts/setup fetches it")
        return cli.SKIP
    program = cli.Cli(binary.resolve(), model.resolve())
    try:
        make_store(program)
        fresh = program.store.with_name("fresh-store")
        program.store.rename(fresh)
        failed = 0
        for script in scripts:
            # A script may write, such as one that chats.
            shutil.rmtree(program.store, ignore_errors=True)
            shutil.copytree(fresh, program.store)
            faults = run_script(script, program)
            print(f"{'FAILED' if faults else 'ok':6}  {script.name}")
            for fault in faults:
                print("  " + fault.strip())
            failed += bool(faults)
        return 1 if failed else 0
    finally:
        program.close()


if __name__ == "__main__":
    sys.exit(main())
