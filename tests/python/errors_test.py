#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What goes wrong raises the class of its code, with the words of the command line."""

import package
from megacontext import _core, errors
from package import cli, megacontext


class Codes(package.PackageTestCase):
    def test_every_code_has_its_class(self):
        codes = {*_core.error_codes().values(), "internal"}
        self.assertEqual(codes, set(errors.CLASSES))
        for code, kind in errors.CLASSES.items():
            error = errors.error_of(code, "what, where")
            self.assertIs(type(error), kind)
            self.assertIsInstance(error, megacontext.Error)
            self.assertEqual((error.code, str(error)), (code, "what, where"))
            self.assertIs(getattr(megacontext, kind.__name__), kind)


class Raised(package.PackageTestCase):
    def fill(self):
        with self.open() as memory:
            memory.remember("Anna keeps a tortoise.", name="anna")

    def test_usage(self):
        with self.assertRaisesRegex(megacontext.Usage, 'threads: "many" is not a whole number'):
            self.open(settings={"threads": "many"})
        with self.assertRaisesRegex(megacontext.Usage, "no setting colour; there are store, bank"):
            self.open(settings={"colour": "red"})
        memory = self.open()
        with self.assertRaises(megacontext.Usage):
            memory.forget()
        memory.close()
        memory.close()
        with self.assertRaisesRegex(megacontext.Usage, "closed"):
            memory.status()

    def test_invalid_input(self):
        memory = self.open()
        for call in (lambda: memory.recall(""), lambda: memory.recall("x", passages=51),
                     lambda: memory.read("nothing"), lambda: memory.remember("x", event_time="soon"),
                     lambda: memory.recall("x", bank="nowhere"), lambda: memory.remember(7)):
            with self.assertRaises(megacontext.InvalidInput):
                call()
        with self.assertRaisesRegex(megacontext.InvalidInput, "no base model at gone.gguf; get .* MEGACONTEXT_MODEL"):
            self.open(store="other", model="gone.gguf")
        with self.assertRaises(UnicodeEncodeError):
            memory.remember("half a pair: \ud800")

    def test_io(self):
        circle = self.cli.home / "circle"
        circle.symlink_to(circle)
        with self.assertRaisesRegex(megacontext.Io, "circle"):
            self.open(store=circle / "store")

    def test_locked(self):
        self.open()
        with self.assertRaisesRegex(megacontext.Locked, "is being written by process"):
            self.open()

    def test_key(self):
        key = self.cli.write("key", b"k" * 32)
        with self.open(store="sealed", key_file=key) as memory:
            memory.remember("Anna keeps a tortoise.", name="anna")
        with self.assertRaisesRegex(megacontext.Key, "is encrypted with a key file: give --key-file"):
            self.open(store="sealed")
        with self.assertRaisesRegex(megacontext.Key, "is encrypted with a key file, and the passphrase was given"):
            self.open(store="sealed", passphrase="correct horse")
        with self.open(store="sealed", key_file=key) as memory:
            self.assertEqual(memory.read("anna").text, "Anna keeps a tortoise.")

    def test_over_budget(self):
        self.fill()
        with self.assertRaises(megacontext.OverBudget):
            self.open().recall("Which animal does Anna keep, and where, and since when?", tokens=1)

    def test_model_mismatch(self):
        self.fill()
        with self.assertRaisesRegex(megacontext.ModelMismatch, "llama"):
            self.open(model=package.TINY_MODELS / "llama.gguf")

    def test_format_version(self):
        self.fill()
        self.overwrite(20, b"\xff\0\0\0")  # the version in LMDB's first page
        with self.assertRaises(megacontext.FormatVersion):
            self.open()

    def test_corruption(self):
        self.fill()
        self.overwrite(16, b"\0" * 32)
        with self.assertRaises(megacontext.Corruption):
            self.open()

    def test_the_words_are_those_of_the_command_line(self):
        self.fill()
        done = self.cli.run("read", "nothing")
        with self.assertRaises(megacontext.Error) as raised:
            self.open().read("nothing")
        self.assertEqual(done.stderr.decode().strip(), f"megacontext: error: {raised.exception}")
        self.assertEqual(_core.error_codes()[done.returncode], raised.exception.code)

    def overwrite(self, offset, content):
        """In both of the pages that LMDB starts from."""
        path, = self.cli.store.rglob("data.mdb")
        with path.open("r+b") as file:
            for page in range(2):
                file.seek(page * 4096 + offset)
                file.write(content)


if __name__ == "__main__":
    cli.main()
