#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The package as a wheel: made by pip, installed into a venv of its own, used far from the source tree.

Builds in build/wheel, which it leaves there for the next time.
"""

import importlib.util
import os
import pathlib
import subprocess
import sys
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "apps"))

import cli  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD_SECONDS = 3 * 3600  # from nothing, on two cores

USE = """
import os, sys
import megacontext
assert megacontext.__file__.startswith(sys.prefix), megacontext.__file__
folder = os.path.dirname(megacontext.__file__)
assert os.path.exists(os.path.join(folder, "py.typed")) and os.path.exists(os.path.join(folder, "_core.pyi"))
with megacontext.Memory(store="notes") as memory:
    memory.remember("Anna keeps a tortoise named Zebulon.", name="anna")
    page = b"<html><body><p>Ben keeps a parrot.</p></body></html>"
    memory.remember(file=page, name="ben.html")  # by the converter beside the module
    for question in ("Which animal does Anna keep?", "Who keeps a parrot?"):
        print(memory.recall(question, passages=1).evidence[0].text)
"""


class Wheel(cli.CliTestCase):
    def run_python(self, python, *arguments, environment=None, seconds=cli.TIMEOUT_SECONDS):
        done = subprocess.run([python, *map(str, arguments)], cwd=self.cli.home, capture_output=True, text=True,
                              env=environment, timeout=seconds, check=False)
        self.assertEqual(done.returncode, 0, done.stdout[-4000:] + done.stderr[-4000:])
        return done.stdout

    def test_a_wheel_installs_and_remembers(self):
        building = {**os.environ, "CMAKE_BUILD_PARALLEL_LEVEL": os.environ.get("CMAKE_BUILD_PARALLEL_LEVEL", "2"),
                    "CCACHE_SLOPPINESS": "pch_defines,time_macros,include_file_mtime,include_file_ctime"}
        self.run_python(sys.executable, "-m", "pip", "wheel", "--disable-pip-version-check", "--no-build-isolation",
                        "--no-deps", "--no-index", "--wheel-dir", self.cli.home, ROOT, environment=building,
                        seconds=BUILD_SECONDS)
        [wheel] = self.cli.home.glob("*.whl")
        with zipfile.ZipFile(wheel) as content:
            names = {name.partition("/")[2] for name in content.namelist() if name.startswith("megacontext/")}
            self.assertTrue({"__init__.py", "_core.pyi", "py.typed", "megacontext-convert"} <= names, names)
            self.assertEqual([name for name in names if name.endswith(".pyc")], [])
            self.assertLess(sum(info.compress_size for info in content.infolist()), 100 << 20)
        venv = self.cli.home / "venv"
        self.run_python(sys.executable, "-m", "venv", venv)
        python = venv / "bin" / "python"
        self.run_python(python, "-m", "pip", "install", "--disable-pip-version-check", "--no-index", wheel)
        said = self.run_python(python, "-c", USE, environment=self.cli.environment())
        self.assertEqual(said.splitlines(), ["Anna keeps a tortoise named Zebulon.", "Ben keeps a parrot."])


if __name__ == "__main__":
    if any(importlib.util.find_spec(name) is None for name in ("scikit_build_core", "pybind11")):
        print("skipped: scikit-build-core or pybind11 is not there; scripts/setup --tests gets them")
        sys.exit(cli.SKIP)
    cli.main()
