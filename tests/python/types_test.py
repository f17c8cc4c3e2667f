#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mypy, strictly, on the package and on a program that uses it rightly and wrongly."""

import importlib.util
import subprocess
import sys
import unittest

import package
from package import cli

if importlib.util.find_spec("mypy") is None:
    print("skipped: no mypy; scripts/setup --tests fetches it")
    sys.exit(cli.SKIP)


class Types(unittest.TestCase):
    def test_package_and_its_use_fit(self):
        used = package.ROOT / "tests" / "python" / "typed_use.py"
        done = subprocess.run([sys.executable, "-m", "mypy", "--strict", "--cache-dir=/dev/null",
                               "megacontext", str(used)],
                              cwd=package.ROOT / "bindings" / "python", capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    cli.main(needs_model=False)
