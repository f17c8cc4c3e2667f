#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Wrong input: one clear line, the exit code of its class, and the store as it was."""

import os
import shutil
import subprocess

import cli

TEXT = cli.made_up_text(seed=1, word_count=120)


class BadInput(cli.CliTestCase):
    def setUp(self):
        super().setUp()
        self.good = self.cli.write("good.txt", TEXT)
        self.cli.result("ingest", self.good)

    def check_refused(self, arguments, exit_code, code, *parts, stdin=b""):
        """In both forms, with the store unchanged and still good."""
        before = self.cli.store_digest()
        for form in ([], ["--json"]):
            with self.subTest(arguments=arguments, form=form):
                done = self.cli.run(*arguments, *form, stdin=stdin)
                self.check_error(done, exit_code, code, *parts)
        self.assertEqual(self.cli.store_digest(), before)

    def test_files_that_cannot_be_ingested(self):
        big = self.cli.write("big.txt", "x" * 5000)
        cases = [
            (["ingest", self.cli.home / "missing.txt"], "missing.txt"),
            (["ingest", self.cli.write("empty.txt", "")], "empty.txt"),
            (["ingest", self.cli.write("binary.bin", b"ELF\0\1\2")], "binary.bin"),
            (["ingest", self.cli.write("latin1.txt", "caf\u00e9".encode("latin-1"))], "latin1.txt"),
            (["ingest", big, "--ingest-bytes-max", 4096], "big.txt"),
        ]
        for arguments, part in cases:
            self.check_refused(arguments, 3, "invalid_input", part)

    def test_standard_input_that_cannot_be_ingested(self):
        arguments = ["ingest", "-", "--name", "piped.txt"]
        self.check_refused(arguments, 3, "invalid_input", "empty", stdin=b"")
        self.check_refused(arguments, 3, "invalid_input", "NUL", stdin=b"text\0")
        self.check_refused(arguments, 3, "invalid_input", "UTF-8", stdin=b"text\xff")
        self.check_refused([*arguments, "--ingest-bytes-max", 10], 3, "invalid_input", "limit",
                           stdin=b"more than ten bytes")

    def test_a_file_that_may_not_be_read(self):
        secret = self.cli.write("secret.txt", TEXT)
        secret.chmod(0)
        if os.access(secret, os.R_OK):
            self.check_refused_as_nobody(secret)
        else:
            self.check_refused(["ingest", secret], 3, "invalid_input", "secret.txt")

    def check_refused_as_nobody(self, secret):
        """The superuser reads everything: run as somebody who does not."""
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            self.skipTest("runs as root and there is no setpriv to become somebody else")
        for path in (self.cli.home, self.cli.store, *self.cli.store.rglob("*")):
            path.chmod(0o777)
        before = self.cli.store_digest()
        become = [setpriv, "--reuid=65534", "--regid=65534", "--clear-groups"]
        if subprocess.run([*become, str(self.cli.binary), "--version"], capture_output=True,
                          check=False).returncode != 0:
            self.skipTest("runs as root, and nobody may not run the binary")
        done = subprocess.run([*become, str(self.cli.binary), "ingest", str(secret)],
                              env=self.cli.environment(), cwd=self.cli.home, capture_output=True,
                              check=False)
        self.check_error(done, 3, "invalid_input", "secret.txt")
        self.assertEqual(self.cli.store_digest(), before)

    def test_other_content_under_a_known_name(self):
        self.good.write_text("Other words altogether.\n")
        self.check_refused(["ingest", self.good], 3, "invalid_input", "good.txt", "--name")

    def test_names_that_nothing_has(self):
        self.check_refused(["query", "who", "--bank", "nowhere"], 3, "invalid_input", "nowhere")
        self.check_refused(["read", "d999"], 3, "invalid_input", "d999")
        self.check_refused(["read", "gone.txt"], 3, "invalid_input", "gone.txt")
        self.check_refused(["query", "who", "--document", "gone.txt"], 3, "invalid_input",
                           "gone.txt")
        self.check_refused(["inspect", "--node", "d1/L5/0"], 3, "invalid_input", "d1/L5/0")
        self.check_refused(["inspect", "--node", "everything"], 2, "usage", "everything")
        self.check_refused(["bank", "info", "nowhere"], 3, "invalid_input", "nowhere")
        self.check_refused(["bank", "create", "no/slash"], 3, "invalid_input", "no/slash")
        self.check_refused(["bank", "create", "default"], 3, "invalid_input", "default")

    def test_ranges_and_questions_that_cannot_be(self):
        self.check_refused(["read", "d1", "--bytes", "0:999999"], 3, "invalid_input", "999999")
        self.check_refused(["read", "d1", "--bytes", "9:1"], 2, "usage", "9:1")
        self.check_refused(["query", "  "], 3, "invalid_input", "empty")
        self.check_refused(["query", "who", "--budget", "0"], 2, "usage", "--budget")

    def test_a_budget_that_holds_no_document_names_one_that_does(self):
        self.check_refused(["query", "who", "--budget", "1"], 9, "over_budget")

    def test_a_truncated_model_file(self):
        content = self.cli.model.read_bytes()
        for size in (0, 3, 1000, len(content) // 2, len(content) - 1):
            cut = self.cli.write("cut.gguf", content[:size])
            self.check_refused(["query", "who", "--model", cut], 3, "invalid_input", "cut.gguf")
        self.check_refused(["query", "who", "--model", self.cli.home / "gone.gguf"], 3, "invalid_input",
                           "no base model at", "gone.gguf", "megacontext model fetch")
        self.check_refused(["model", "info", "--model", self.cli.home / "gone.gguf"], 3,
                           "invalid_input", "gone.gguf")

    def test_a_model_that_did_not_make_the_store(self):
        # One bit of the last tensor: still a model, but not this one.
        content = bytearray(self.cli.model.read_bytes())
        content[-1] ^= 1
        other = self.cli.write("other.gguf", bytes(content))
        self.check_refused(["ingest", self.good, "--model", other], 8, "model_mismatch")
        self.check_refused(["query", "who", "--model", other], 8, "model_mismatch")

    def test_a_damaged_store_is_named_and_left_alone(self):
        data = self.cli.store / "data.mdb"
        sound = data.read_bytes()
        damaged = bytearray(sound)
        for at in range(4096, len(damaged)):
            damaged[at] ^= 0xFF
        for broken in (bytes(damaged), b"", sound[:100], sound[:len(sound) // 2]):
            data.write_bytes(broken)
            for arguments in (["inspect"], ["verify"], ["query", "who"]):
                with self.subTest(arguments=arguments, size=len(broken)):
                    done = self.cli.run(*arguments)
                    self.assertIn(done.returncode, (3, 5), done.stderr)
                    self.assertEqual(len(done.stderr.decode().splitlines()), 1, done.stderr)
                    self.assertEqual(data.read_bytes(), broken)
        data.write_bytes(sound)
        self.assertTrue(self.cli.result("verify")["ok"])

    def test_verify_notices_a_flipped_bit_in_a_gist(self):
        # Gists of 12 kB each are the bulk of this store: its middle is in one.
        store = self.cli.home / "of-int8"
        self.cli.result("ingest", self.good, "--store", store, "--codec", "int8")
        data = store / "data.mdb"
        sound = data.read_bytes()
        flipped = bytearray(sound)
        flipped[len(sound) // 2] ^= 0x10
        data.write_bytes(bytes(flipped))
        done = self.cli.run("verify", "--store", store)
        self.assertEqual(done.returncode, 5, done.stderr)
        self.assertEqual(len(done.stderr.decode().splitlines()), 1, done.stderr)
        self.assertEqual(data.read_bytes(), bytes(flipped))

    def test_a_store_of_another_format_version(self):
        # LMDB's own version, in both of its meta pages; tests/storage has the store's.
        data = self.cli.store / "data.mdb"
        content = bytearray(data.read_bytes())
        for page in (0, 4096):
            content[page + 20:page + 24] = (9).to_bytes(4, "little")
        data.write_bytes(bytes(content))
        for arguments in (["inspect"], ["query", "who"], ["ingest", self.good]):
            self.check_refused(arguments, 7, "format_version", "9")

    def test_one_bad_file_does_not_lose_the_others(self):
        other = self.cli.write("other.txt", cli.made_up_text(seed=2, word_count=60))
        missing = self.cli.home / "missing.txt"
        empty = self.cli.write("empty.txt", "")
        done = self.cli.run("ingest", missing, other, empty, "--json")
        self.assertEqual(done.returncode, 3)
        self.assertEqual(len(done.stderr.splitlines()), 2, done.stderr)
        self.assertEqual(len(done.stdout.splitlines()), 1, done.stdout)
        self.assertEqual(self.cli.run("read", other).stdout, other.read_bytes())

    def test_a_wrong_name_makes_no_store(self):
        for arguments in (["ingest", "missing.txt"], ["inspect"], ["query", "who"], ["repl"]):
            elsewhere = self.cli.home / "elsewhere"
            done = self.cli.run(*arguments, "--store", elsewhere)
            self.check_error(done, 3, "invalid_input")
            self.assertFalse(elsewhere.exists())


if __name__ == "__main__":
    cli.main()
