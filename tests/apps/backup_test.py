#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`backup` as a user runs it: of a store that is being written, refused, killed, read back."""

import json
import shutil
import signal

import cli

LONG = cli.made_up_text(seed=11, word_count=1300)  # a commit of 4,096 tokens and a rest
NOTE = "Anna Barlow keeps a tortoise named Zebulon.\n"


class Backup(cli.CliTestCase):
    def setUp(self):
        super().setUp()
        self.cli.write("note.txt", NOTE)
        self.cli.result("ingest", "note.txt")
        self.copy = self.cli.home / "copy"

    def check_nothing_is_left(self):
        self.assertFalse(self.copy.exists())
        self.assertEqual([path.name for path in self.cli.home.glob("copy*")], [])

    def test_a_copy_is_a_store_like_any_other(self):
        report = self.cli.result("backup", "copy")
        self.assertEqual((report["documents"], report["bytes"], report["verified"]),
                         (1, len(NOTE), True))
        self.assertGreater(report["tokens"], 0)
        self.assertGreater(report["disk_bytes"], 0)
        for path in (self.copy, *self.copy.rglob("*")):
            self.assertEqual(path.stat().st_mode & 0o077, 0, path)
        of_copy = ("--store", self.copy)
        self.assertTrue(self.cli.result(*of_copy, "verify")["ok"])
        self.assertEqual(self.cli.run(*of_copy, "read", "note.txt").stdout, NOTE.encode())
        # Its indexes are made by the first question.
        evidence = self.cli.result(*of_copy, "query", "Which animal does Anna keep?")["evidence"]
        self.assertIn("Zebulon", evidence[0]["text"])
        states = [index["state"] for index in self.cli.result(*of_copy, "verify")["indexes"]]
        self.assertEqual(states, ["current"])
        # What is told to one is not told to the other.
        self.cli.result(*of_copy, "forget", "note.txt", "--yes")
        self.assertEqual(self.cli.run("read", "note.txt").stdout, NOTE.encode())
        self.assertIn("verified", self.cli.run("backup", "again").stdout.decode())

    def test_beside_an_ingest_it_is_a_commit_of_its(self):
        path = self.cli.write("long.txt", LONG)
        writer = self.cli.start("ingest", path)
        self.wait_for_a_commit(writer)
        self.assertIsNone(writer.poll(), "the ingest ended before it was copied")
        report = self.cli.result("backup", "copy")
        _, message = writer.communicate()
        self.assertEqual(writer.returncode, 0, message)
        of_copy = ("--store", self.copy)
        self.assertTrue(self.cli.result(*of_copy, "verify")["ok"])
        self.assertEqual(self.cli.run(*of_copy, "read", "note.txt").stdout, NOTE.encode())
        begun = self.cli.run(*of_copy, "read", path).stdout
        self.assertTrue(LONG.encode().startswith(begun))
        self.assertEqual(report["bytes"], len(NOTE) + len(begun))
        self.assertGreater(len(begun), 0)
        self.assertEqual(self.cli.run("read", path).stdout, LONG.encode())

    def test_what_may_not_be_made_is_refused(self):
        self.copy.mkdir()
        before = self.cli.store_digest()
        for place in ("copy", "note.txt", self.cli.store, self.cli.store / "inside"):
            self.check_error(self.cli.run("backup", place), 3, "invalid_input", str(place))
        self.check_error(self.cli.run("backup", "no/such/folder/copy"), 3, "invalid_input", "no/such")
        self.check_error(self.cli.run("--store", "none", "backup", "other"), 3, "invalid_input", "none")
        self.assertEqual(list(self.copy.iterdir()), [])
        self.assertEqual(self.cli.store_digest(), before)

    def test_a_damaged_store_gives_no_backup(self):
        data = self.cli.store / "data.mdb"
        content = bytearray(data.read_bytes())
        for at in range(4096, len(content)):
            content[at] ^= 0xFF
        data.write_bytes(bytes(content))
        done = self.cli.run("backup", "copy")
        self.assertEqual(done.returncode, 5, done.stderr)
        self.check_nothing_is_left()

    def test_killed_in_its_middle_it_leaves_no_backup_and_the_next_one_is_whole(self):
        draft = self.cli.home / "copy.new"
        killed = 0
        for delay in (0, 500, 5000):
            running = self.cli.start("backup", "copy")
            while running.poll() is None and not (draft / "data.mdb").exists():
                pass
            for _ in range(delay):
                draft.exists()
            running.send_signal(signal.SIGKILL)
            running.communicate()
            if self.copy.exists():  # renamed before it was killed
                self.assertTrue(self.cli.result("--store", self.copy, "verify")["ok"])
                shutil.rmtree(self.copy)
            else:
                killed += 1
        self.assertGreater(killed, 0, "every backup ended before it was killed")
        self.cli.result("backup", "copy")
        self.assertFalse(draft.exists())
        self.assertEqual(self.cli.run("--store", self.copy, "read", "note.txt").stdout, NOTE.encode())

    def wait_for_a_commit(self, process):
        """Until the store has tokens of the second document."""
        while process.poll() is None:
            seen = self.cli.run("inspect", "--json")
            if seen.returncode == 0:
                documents = json.loads(seen.stdout)["documents"]
                if len(documents) > 1 and documents[1]["tokens"] > 0:
                    return


if __name__ == "__main__":
    cli.main()
