#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One script through the command line, MCP of both revisions, HTTP, MCP over HTTP, C++, and Python where it is
built: the same memory says the same, whoever asks."""

import importlib.util
import json

import agent
import cli

TEXTS = {"anna.txt": "Anna Barlow keeps a tortoise named Zebulon.\n",
         "ben.txt": "Ben Moss drinks cocoa and lives in Lima.\n",
         "bell.txt": "The bell was cast in Lisbon. It cracked in the great frost.\n"}

FACES = {"command line": agent.CommandLine,
         "mcp 2025-11-25": agent.McpProcess,
         "mcp 2026-07-28": lambda program: agent.McpProcess(program, modern=True),
         "http": agent.HttpProcess,
         "mcp over http": agent.McpOverHttp,
         "c++": agent.cpp_library}
if importlib.util.find_spec("megacontext"):
    FACES["python"] = agent.python_package

# What differs from run to run.
TIMES = {"seconds_search", "seconds_focus", "seconds", "seconds_to_first_token", "created_us",
         "updated_us"}


def without_times(value):
    if isinstance(value, dict):
        return {key: without_times(item) for key, item in value.items() if key not in TIMES}
    return [without_times(item) for item in value] if isinstance(value, list) else value


def run_script(face):
    """Verb by verb, what the memory says."""
    said = []

    def do(verb, **arguments):
        said.append((verb, arguments, without_times(face.call(verb, **arguments))))

    for name, text in TEXTS.items():
        do("remember", name=name, text=text)
    do("remember", name="anna.txt", text=TEXTS["anna.txt"])
    do("recall", question="Which animal does Anna Barlow keep?")
    do("recall", question="Where was the bell cast?", answer=True)
    do("recall", question="Who lives where?", source="b*.txt", since="2020-01-01")
    do("recall", question="Who lives where?", until="2020-01-01")
    do("recall", question="What is the tax rate of Norway?", answer=True)
    do("read", document="bell.txt", begin=4, end=8)
    do("remember", name="carl.txt", text="Carl Ness keeps a goat named Olga.\n", bank="farm")
    do("recall", question="Which animals do Anna Barlow and Carl Ness keep?", banks=["default", "farm"])
    do("recall", question="What is the goat called?", banks=["*"], answer=True)
    do("forget", documents=["ben.txt"])
    do("forget", documents=["ben.txt"], dry_run=False)
    do("recall", question="Where does Ben Moss live?")
    do("forget", documents=["bell.txt"], begin=28, end=59, dry_run=False)
    do("read", document="bell.txt", begin=0, end=27)
    do("recall", question="When did the bell crack?")
    do("status")
    return said


class Interfaces(cli.CliTestCase):
    def test_all_say_the_same(self):
        first = None
        for name, make in FACES.items():
            with self.subTest(face=name):
                program = cli.Cli(self.binary, self.model)
                self.addCleanup(program.close)
                face = make(program)
                said = run_script(face)
                self.assertEqual(face.close(), 0)
                self.assertEqual(program.result("verify")["faults"], [])
                if first is None:
                    first = said
                    self.assertIn("Zebulon", said[4][2]["evidence"][0]["text"])
                    self.assertIn("Lisbon", said[5][2]["answer"]["text"])
                    self.assertEqual({one["source"] for one in said[6][2]["evidence"]}, {"ben.txt", "bell.txt"})
                    self.assertEqual((said[7][2]["known"], said[7][2]["evidence"]), (False, []))
                    self.assertNotIn("Lima", str(said[15][2]))
                    self.assertEqual({one["bank"] for one in said[11][2]["evidence"]}, {"farm", "default"})
                    self.assertIn("Olga", said[12][2]["answer"]["text"])
                    self.assertEqual(said[12][2]["evidence"][0]["bank"], "farm")
                for expected, found in zip(first, said, strict=True):
                    self.compare(expected, found)

    def test_the_repl_says_what_query_says(self):
        for name, text in TEXTS.items():
            self.cli.write(name, text)
            self.cli.result("ingest", name)
        for question in ("Which animal does Anna Barlow keep?", "Where was the bell cast?",
                         "What is the tax rate of Norway?"):
            asked = self.cli.result("query", question)
            typed = self.cli.result("repl", "-c", question)
            self.assertEqual(without_times(asked), without_times({key: typed[key] for key in asked}))

    def test_the_tools_take_less_than_1500_tokens_of_a_context(self):
        mcp = agent.McpProcess(self.cli)
        tools = json.dumps(mcp.ask("tools/list")["tools"], separators=(",", ":"))
        self.assertEqual(mcp.close(), 0)
        kept = self.cli.result("ingest", "-", "--name", "tools", stdin=tools.encode())
        self.assertLess(kept["tokens"], 1500)

    def compare(self, expected, found):
        """A protocol may say more than the command line, and nothing else."""
        self.assertEqual(expected[:2], found[:2])
        shown = {key: found[2].get(key) for key in expected[2]}
        self.assertEqual(expected[2], shown, expected[:2])


if __name__ == "__main__":
    cli.main()
