#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""/metrics as Prometheus' own tool reads it; skipped where that is missing (Debian's package prometheus has it)."""

import shutil
import signal
import subprocess
import sys

import agent
import cli

PROMTOOL = shutil.which("promtool")


class Metrics(cli.CliTestCase):
    def test_promtool_finds_nothing_wrong_before_and_after_some_work(self):
        server = agent.HttpProcess(self.cli)
        self.addCleanup(lambda: server.process.poll() is None and server.close(signal.SIGKILL))
        self.check(server)
        server.call("remember", text="Anna Barlow keeps a tortoise named Zebulon.")
        server.call("recall", question="Which animal does Anna Barlow keep?", answer=True)
        text = self.check(server)
        self.assertIn("megacontext_commits_total 1\n", text)
        self.assertEqual(server.close(), 0)

    def check(self, server):
        status, headers, text = server.send("GET", "/metrics")
        self.assertEqual((status, headers["Content-Type"]), (200, "text/plain; version=0.0.4"))
        done = subprocess.run([PROMTOOL, "check", "metrics"], input=text.encode(), capture_output=True,
                              timeout=cli.TIMEOUT_SECONDS, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""), text)
        return text


if __name__ == "__main__":
    if PROMTOOL is None:
        print("skipped: no promtool; scripts/setup --tests installs it")
        sys.exit(cli.SKIP)
    cli.main()
