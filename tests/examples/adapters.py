# SPDX-License-Identifier: Apache-2.0
"""A memory in a home of its own, for the tests of examples/python.

Imported first: says what is missing and skips where a framework is not there.
"""

import importlib.util
import os
import pathlib
import sys
import unittest.mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "apps"), str(ROOT / "examples" / "python")]

import cli  # noqa: E402

for name in ("langgraph", "llama_index"):
    if importlib.util.find_spec(name) is None:
        print(f"skipped: {name} is not there; docs/python.md says how to get it")
        sys.exit(cli.SKIP)

import megacontext  # noqa: E402


class AdapterTestCase(cli.CliTestCase):
    def setUp(self):
        super().setUp()
        environment = unittest.mock.patch.dict(os.environ, self.cli.environment())
        environment.start()
        self.addCleanup(environment.stop)
        self.memory = megacontext.Memory(store=self.cli.store)
        self.addCleanup(self.memory.close)

