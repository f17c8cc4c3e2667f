#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The commit that results.json names is that of the sources at build time."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(sys.argv.pop(1)).resolve()


class BuildCommit(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="megacontext-commit-")
        self.addCleanup(folder.cleanup)
        self.sources = pathlib.Path(folder.name) / "sources"
        self.sources.mkdir()
        self.output = pathlib.Path(folder.name) / "build_commit.cpp"

    def git(self, *arguments):
        identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
        done = subprocess.run(["git", *identity, *arguments], cwd=self.sources, check=True,
                              capture_output=True)
        return done.stdout.decode().strip()

    def built(self):
        """What a build at this moment says."""
        subprocess.run(["cmake", f"-DSOURCE={self.sources}", f"-DOUTPUT={self.output}", "-P",
                        str(SCRIPT)], check=True, capture_output=True)
        line = next(line for line in self.output.read_text().splitlines() if "kBuildCommit =" in line)
        return line.split('"')[1]

    def test_it_follows_commits_and_changes_without_a_new_configuration(self):
        self.git("init", "--quiet")
        file = self.sources / "file.txt"
        file.write_text("one")
        self.git("add", "file.txt")
        self.git("commit", "--quiet", "-m", "one")
        first = self.git("rev-parse", "HEAD")
        self.assertEqual(self.built(), first)
        made = self.output.stat().st_mtime_ns
        self.assertEqual(self.built(), first)
        self.assertEqual(self.output.stat().st_mtime_ns, made)
        file.write_text("two")
        self.assertEqual(self.built(), first + "-dirty")
        self.git("commit", "--quiet", "-a", "-m", "two")
        self.assertEqual(self.built(), self.git("rev-parse", "HEAD"))

    def test_without_git_it_is_empty(self):
        self.assertEqual(self.built(), "")


if __name__ == "__main__":
    unittest.main(verbosity=2)
