#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The five commands of README.md that lead to an agent that remembers: the last three as they are written there."""

import pathlib
import re
import shutil
import signal
import subprocess
import sys

import agent
import cli

README = pathlib.Path(__file__).resolve().parents[2] / "README.md"
TITLE = "## An agent that remembers, in five commands"


def commands():
    """(command, what it prints) of the section's first block; a line that ends in \\ goes on."""
    block = README.read_text(encoding="utf-8").split(TITLE)[1].split("```")[1]
    parts = re.split(r"^\$ ", block.replace("\\\n", " "), flags=re.M)[1:]
    return [tuple(part.split("\n", 1)) for part in parts]


class Readme(cli.CliTestCase):
    def test_what_it_says_is_what_happens(self):
        clone, quickstart, serve, *asked = commands()
        self.assertTrue(clone[0].startswith("git clone "))
        self.assertEqual((quickstart[0], serve[0], len(asked)), ("scripts/quickstart", "megacontext serve &", 2))
        self.cli.write("GPL-3", "You may charge any price or no price for each copy that you convey.\n")
        self.cli.result("ingest", "GPL-3")  # as quickstart does
        server = agent.HttpProcess(self.cli)
        self.addCleanup(lambda: server.process.poll() is None and server.close(signal.SIGKILL))
        for command, said in asked:
            self.assertTrue(command.startswith("curl -s localhost:8642/v1/"), command)
            done = subprocess.run(["bash", "-c", command.replace("localhost:8642", f"127.0.0.1:{server.port}")],
                                  capture_output=True, text=True, timeout=cli.TIMEOUT_SECONDS, check=True)
            pattern = ".*".join(re.escape(piece.strip("\n")) for piece in said.replace("\n ", "").split("…"))
            self.assertRegex(done.stdout, pattern)
        self.assertEqual(server.close(), 0)


if __name__ == "__main__":
    if shutil.which("curl") is None:
        print("skipped: no curl")
        sys.exit(cli.SKIP)
    cli.main()
