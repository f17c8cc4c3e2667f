#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""examples/cpp against the library that this build installs: configured, built and run from outside."""

import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "apps"))

import cli  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]


class CppExample(cli.CliTestCase):
    def run_command(self, *command, environment=None):
        done = subprocess.run([*map(str, command)], cwd=self.cli.home, capture_output=True, text=True,
                              env=environment, timeout=cli.TIMEOUT_SECONDS, check=False)
        self.assertEqual(done.returncode, 0, done.stdout[-4000:] + done.stderr[-4000:])
        return done.stdout

    def test_a_project_finds_the_package_and_remembers(self):
        prefix, build = self.cli.home / "prefix", self.cli.home / "build"
        self.run_command("cmake", "--install", self.binary.parents[1], "--prefix", prefix, "--component", "library")
        self.assertTrue(list(prefix.glob("lib*/**/libmegacontext.so")))
        self.run_command("cmake", "-S", ROOT / "examples" / "cpp", "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}")
        self.run_command("cmake", "--build", build)
        said = self.run_command(build / "remember", "notes", "Which animal does Anna Barlow keep?",
                                environment=self.cli.environment())
        self.assertIn("Zebulon", said.splitlines()[0])
        asked = self.cli.run("query", "Where was the bell cast?", "--json",
                             environment={"MEGACONTEXT_STORE": str(self.cli.home / "notes")})
        self.assertIn(b"Lisbon", asked.stdout)  # the program reads what the library wrote
        refused = subprocess.run([build / "remember", "notes", " "], cwd=self.cli.home, capture_output=True, text=True,
                                 env=self.cli.environment(), timeout=cli.TIMEOUT_SECONDS, check=False)
        self.assertEqual((refused.returncode, refused.stderr), (1, "the question is empty\n"))


if __name__ == "__main__":
    cli.main()
