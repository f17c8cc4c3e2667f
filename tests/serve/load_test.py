#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench/agent_load.py in short: no answer but 200 and 429, and a kill loses nothing acknowledged."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))

import agent_load  # noqa: E402

import cli  # noqa: E402


class Load(cli.CliTestCase):
    def test_recalls_beside_remembers_and_a_kill(self):
        found = agent_load.run_load(self.cli, seconds=20, connections=32)
        self.assertEqual((found["errors"], found["missing_after_kill"], found["faults"]), ([], 0, []))
        self.assertEqual(found["exit_status"], 0)
        self.assertGreater(found["acknowledged"], 0)
        self.assertGreater(found["recalls"], 0)


if __name__ == "__main__":
    cli.main()
