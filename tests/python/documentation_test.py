#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The examples of docs/python.md, run as they stand."""

import doctest
import sys

import package
from package import cli

try:
    import numpy  # noqa: F401
except ImportError as missing:
    print(f"skipped: {missing}; scripts/setup --tests fetches it")
    sys.exit(cli.SKIP)


class Documentation(package.PackageTestCase):
    def test_examples_give_what_is_written(self):
        done = doctest.testfile(str(package.ROOT / "docs" / "python.md"), module_relative=False,
                                optionflags=doctest.ELLIPSIS)
        self.assertGreater(done.attempted, 10)
        self.assertEqual(done.failed, 0)


if __name__ == "__main__":
    cli.main()
