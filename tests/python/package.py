# SPDX-License-Identifier: Apache-2.0
"""The package under test, in a home of its own like the binary's tests (tests/apps/cli.py)."""

import os
import pathlib
import sys
import unittest.mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
TINY_MODELS = ROOT / "tests" / "golden" / "tiny_models"

sys.path.insert(0, str(ROOT / "tests" / "apps"))

import cli  # noqa: E402
import megacontext  # noqa: E402


class PackageTestCase(cli.CliTestCase):
    """Settings come from an environment as the binary's, in a folder that is the test's own."""

    def setUp(self):
        super().setUp()
        environment = unittest.mock.patch.dict(os.environ, self.cli.environment())
        environment.start()
        self.addCleanup(environment.stop)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.cli.home)

    def open(self, **arguments):
        memory = megacontext.Memory(**arguments)
        self.addCleanup(memory.close)
        return memory
