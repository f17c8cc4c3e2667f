#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`export` and `import` as a user runs them: there and back, into other stores, refused, killed."""

import json
import signal

import cli

NOTE = "Anna Barlow keeps a tortoise named Zebulon.\n"
LONG = cli.made_up_text(seed=12, word_count=350)
BYTES = bytes(range(256)) * 3
QUESTION = ("query", "Which animal does Anna keep?", "--answer", "--max-tokens", "8")


class Transfer(cli.CliTestCase):
    @classmethod
    def setUpClass(cls):
        """One store to export for all tests: none of them changes it."""
        cls.cli = cli.Cli(cls.binary, cls.model)
        cls.addClassCleanup(cls.cli.close)
        cls.cli.write("note.txt", NOTE)
        cls.cli.write("long.txt", LONG)
        cls.cli.write("bytes.bin", BYTES)
        cls.cli.write("gone.txt", "This is not to be remembered by anybody.\n")
        cls.cli.results("ingest", "note.txt", "long.txt", "bytes.bin", "gone.txt", "--binary")
        cls.cli.result("forget", "gone.txt", "--reason", "asked for", "--yes")

    def setUp(self):
        """A file and another store for each test, in place of a home."""
        folder = self.cli.home / self.id().rsplit(".", 1)[1]
        folder.mkdir()
        self.file = folder / "bank.mcbank"
        self.other = ("--store", folder / "other")

    def check_arrived(self):
        for name, content in (("note.txt", NOTE.encode()), ("long.txt", LONG.encode()),
                              ("bytes.bin", BYTES)):
            self.assertEqual(self.cli.run(*self.other, "read", name).stdout, content, name)
        self.assertTrue(self.cli.result(*self.other, "verify")["ok"])
        ours = self.cli.result("inspect")
        theirs = self.cli.result(*self.other, "inspect")
        for here, there in zip(ours["documents"], theirs["documents"], strict=True):
            for key in here:
                if key != "document":
                    self.assertEqual(here[key], there[key], key)

    def test_with_gists_nothing_is_encoded_and_the_answer_is_the_same(self):
        report = self.cli.result("export", "--gists", self.file)
        self.assertEqual((report["documents"], report["tombstones"]), (3, 1))
        self.assertEqual(report["bytes"], len(NOTE) + len(LONG) + len(BYTES))
        self.assertEqual(report["file_bytes"], self.file.stat().st_size)
        self.assertEqual(self.file.stat().st_mode & 0o777, 0o600)
        self.assertNotIn(b"not to be remembered", self.file.read_bytes())
        *lines, done = self.cli.results(*self.other, "import", self.file)
        self.assertEqual([line["outcome"] for line in lines], ["imported"] * 3)
        self.assertEqual((done["imported"], done["already_there"], done["tombstones"]), (3, 0, 1))
        self.assertEqual((done["gists"], done["reason"]), ("of_the_file", None))
        self.check_arrived()
        answers = []
        for store in ((), self.other):
            answer = self.cli.result(*store, *QUESTION)
            answers.append((answer["answer"]["text"], [(piece["source"], piece["text"], piece["score"])
                                               for piece in answer["evidence"]]))
        self.assertEqual(*answers)
        # Once more changes nothing.
        *lines, done = self.cli.results(*self.other, "import", self.file)
        self.assertEqual([line["outcome"] for line in lines], ["already_there"] * 3)
        self.assertEqual((done["imported"], done["tombstones"]), (0, 0))

    def test_without_gists_they_are_made_anew_and_said_to_be(self):
        self.cli.result("export", self.file)
        done = self.cli.results(*self.other, "import", self.file)[-1]
        self.assertEqual((done["imported"], done["gists"]), (3, "encoded_anew"))
        self.assertIn("no gists", done["reason"])
        self.check_arrived()

    def test_a_store_of_another_encoder_makes_its_own_gists(self):
        self.cli.result("export", "--gists", self.file)
        self.cli.result(*self.other, "ingest", "-", "--name", "first", "--encoder", "kv-mean",
                        stdin=b"A store of its own kind.")
        done = self.cli.results(*self.other, "import", self.file, "--bank", "second")[-1]
        self.assertEqual(done["gists"], "encoded_anew")
        self.assertIn("kv-mean", done["reason"])
        self.assertEqual(self.cli.run(*self.other, "read", "long.txt", "--bank", "second").stdout,
                         LONG.encode())
        self.assertTrue(self.cli.result(*self.other, "verify")["ok"])

    def test_through_a_pipe(self):
        writer = self.cli.start("export", "--gists", "-")
        reader = self.cli.start(*self.other, "import", "-", stdin=writer.stdout)
        writer.stdout.close()
        writer.stdout = None
        output, message = reader.communicate(timeout=cli.TIMEOUT_SECONDS)
        writer.communicate()
        self.assertEqual((writer.returncode, reader.returncode), (0, 0), message)
        self.assertIn(b"3 documents of bank default imported into bank default", output)
        self.check_arrived()
        self.check_error(self.cli.run("export", "-", "--json"), 2, "usage", "standard output")

    def test_a_name_with_other_content_is_refused_before_anything_is_taken_in(self):
        self.cli.result("export", "--gists", self.file)
        self.cli.result(*self.other, "ingest", "-", "--name", "long.txt", stdin=b"Something else.")
        refused = self.cli.run(*self.other, "import", self.file)
        self.check_error(refused, 3, "invalid_input", "long.txt", "--bank", "forget")
        self.assertEqual(len(self.cli.result(*self.other, "inspect")["documents"]), 1)
        done = self.cli.results(*self.other, "import", self.file, "--bank", "second")[-1]
        self.assertEqual(done["imported"], 3)

    def test_a_damaged_file_changes_nothing(self):
        self.cli.result("export", "--gists", self.file)
        sound = self.file.read_bytes()
        before = self.cli.store_digest()
        flipped = bytearray(sound)
        flipped[len(sound) // 2] ^= 4
        for damaged in (sound[:-1], sound[:len(sound) // 3], bytes(flipped)):
            self.file.write_bytes(damaged)
            self.check_error(self.cli.run("import", self.file, "--bank", "new"), 5, "corruption",
                             "bank.mcbank, section")
            self.check_error(self.cli.run(*self.other, "import", self.file), 5, "corruption")
        self.file.write_bytes(b"")
        self.check_error(self.cli.run("import", self.file), 3, "invalid_input", "no exported bank")
        self.check_error(self.cli.run("import", "none"), 3, "invalid_input", "none")
        self.check_error(self.cli.run("export", self.cli.home), 3, "invalid_input", "no file")
        self.check_error(self.cli.run("export", self.file, "--bank", "none"), 3, "invalid_input")
        self.assertEqual(self.cli.store_digest(), before)
        self.assertFalse(self.other[1].exists())

    def test_killed_in_its_middle_whole_documents_are_there_and_the_same_command_goes_on(self):
        self.cli.result("export", self.file)
        running = self.cli.start(*self.other, "import", self.file)
        held = []
        while running.poll() is None and not held:
            seen = self.cli.run(*self.other, "inspect", "--json")
            held = json.loads(seen.stdout)["documents"] if seen.returncode == 0 else []
        running.send_signal(signal.SIGKILL)
        running.communicate()
        held = self.cli.result(*self.other, "inspect")["documents"]
        self.assertGreater(len(held), 0)
        self.assertTrue(all(document["complete"] for document in held), held)
        self.assertTrue(self.cli.result(*self.other, "verify")["ok"])
        done = self.cli.results(*self.other, "import", self.file)[-1]
        self.assertEqual(done["already_there"], len(held))
        self.assertEqual(done["imported"], 3 - len(held))
        self.check_arrived()


if __name__ == "__main__":
    cli.main()
