#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`repair` as a user runs it: whole documents come back to the byte, lost ones are named."""

import json

import cli

NOTE = "Anna Barlow keeps a tortoise named Zebulon.\n"
LONG = cli.made_up_text(seed=13, word_count=250)
PAGE = 4096
# What LMDB has before the size of a key: whether the value stands behind it or on pages of its own.
INLINE = b"\0\0"
ON_PAGES = b"\1\0"


class Repair(cli.CliTestCase):
    def setUp(self):
        super().setUp()
        self.cli.write("note.txt", NOTE)
        self.cli.write("long.txt", LONG)
        self.cli.write("gone.txt", "This is not to be remembered by anybody.\n")
        self.cli.results("ingest", "note.txt", "long.txt", "gone.txt")
        self.cli.result("forget", "gone.txt", "--yes")
        self.cli.result("ingest", "note.txt", "--bank", "other")
        self.data = self.cli.store / "data.mdb"
        self.saved = ("--store", self.cli.home / "saved")

    def flip_behind(self, key):
        """One bit of the value of every record under a key, stale copies too."""
        content = bytearray(self.data.read_bytes())
        at = content.find(key)
        self.assertGreater(at, 0)
        while at >= 0:
            content[at + len(key) + 24] ^= 1
            at = content.find(key, at + 1)
        self.data.write_bytes(bytes(content))

    def repair(self, exit_code):
        before = self.cli.store_digest()
        done = self.cli.run("repair", "--into", "saved", "--json")
        self.assertEqual(done.returncode, exit_code, done.stderr)
        self.assertEqual(self.cli.store_digest(), before)
        self.assertTrue(self.cli.result(*self.saved, "verify")["ok"])
        return json.loads(done.stdout)

    def check_saved(self, bank, name, content):
        done = self.cli.run(*self.saved, "read", name, "--bank", bank)
        self.assertEqual(done.stdout, content.encode(), done.stderr)

    def test_without_its_meta_pages_a_store_is_saved_whole(self):
        content = self.data.read_bytes()
        self.data.write_bytes(bytes(2 * PAGE) + content[2 * PAGE:])
        self.assertEqual(self.cli.run("verify").returncode, 5)
        report = self.repair(0)
        self.assertEqual([(document["bank"], document["source"], document["encoded_anew"])
                          for document in report["saved"]],
                         [("default", "note.txt", False), ("default", "long.txt", False),
                          ("other", "note.txt", False)])
        self.assertEqual((report["lost"], report["trees_are_whole"]), ([], False))
        self.check_saved("default", "note.txt", NOTE)
        self.check_saved("default", "long.txt", LONG)
        self.check_saved("other", "note.txt", NOTE)
        evidence = self.cli.result(*self.saved, "query", "Which animal does Anna keep?")["evidence"]
        self.assertIn("Zebulon", evidence[0]["text"])
        # Once more, nothing is left to do.
        self.assertEqual(len(self.repair(0)["saved"]), 3)
        self.assertEqual(len(self.cli.result(*self.saved, "inspect")["documents"]), 2)

    def test_what_is_lost_is_named_and_the_rest_is_saved(self):
        self.flip_behind(INLINE + b"\x10\0" + bytes(7) + b"\1" + bytes(8))  # the tokens of d1
        report = self.repair(5)
        self.assertEqual([(document["bank"], document["source"]) for document in report["saved"]],
                         [("default", "long.txt"), ("other", "note.txt")])
        lost, = report["lost"]
        self.assertEqual((lost["was"], lost["source"], lost["bytes"]), ("d1", "note.txt", len(NOTE)))
        self.assertEqual(lost["spans"][0]["bytes"], {"begin": 0, "end": len(NOTE)})
        self.assertEqual(lost["spans"][0]["tokens"]["begin"], 0)
        self.check_saved("default", "long.txt", LONG)
        self.check_saved("other", "note.txt", NOTE)
        done = self.cli.run("repair", "--into", "saved")
        self.assertIn(b"lost  bank default  d1  note.txt  some of its tokens are lost: bytes 0:",
                      done.stdout)

    def test_lost_gists_are_made_anew(self):
        content = bytearray(self.data.read_bytes())
        key = ON_PAGES + b"\x11\0" + bytes(7) + b"\2\1" + bytes(8)  # the first gists of d2
        at = content.rfind(key) + len(key)
        page = int.from_bytes(content[at:at + 8], "little")
        content[page * PAGE + 500] ^= 1
        self.data.write_bytes(bytes(content))
        self.assertEqual(self.cli.run("verify").returncode, 5)
        report = self.repair(0)
        self.assertEqual([document["encoded_anew"] for document in report["saved"]],
                         [False, True, False])
        self.check_saved("default", "long.txt", LONG)

    def test_what_was_forgotten_may_be_back_where_its_tombstone_is_lost(self):
        self.cli.write("late.txt", "This is not to be remembered by anybody either.\n")
        self.cli.result("ingest", "late.txt")
        self.cli.result("forget", "late.txt", "--yes")
        self.assertIsNone(self.repair(0)["note"])
        # What announced the end of d5 in bank 1 and its tombstone, and what leads to the pages in use.
        for kind in (b"f", b"t"):
            self.flip_behind(b"\x0d\0" + kind + bytes(3) + b"\1" + bytes(7) + b"\5")
        self.data.write_bytes(bytes(2 * PAGE) + self.data.read_bytes()[2 * PAGE:])
        done = self.cli.run("repair", "--into", "cut", "--json")
        report = json.loads(done.stdout)
        self.assertIn("late.txt", [document["source"] for document in report["saved"]])
        self.assertIn("--store cut forget NAME --purge", report["note"])
        self.assertIn(b"note: ", self.cli.run("repair", "--into", "cut").stdout)
        # As the note says.
        self.cli.result("--store", "cut", "forget", "late.txt", "--purge", "--yes")
        self.assertNotIn(b"anybody either", self.cli.run("--store", "cut", "query",
                                                                 "What is not to be remembered?",
                                                                 "--evidence-only").stdout)
        self.assertTrue(self.cli.result("--store", "cut", "verify")["ok"])

    def test_where_nothing_can_be_saved_nothing_is_made(self):
        self.data.write_bytes(bytes(8 * PAGE))
        self.check_error(self.cli.run("repair", "--into", "saved"), 5, "corruption",
                         "no whole document")
        self.assertFalse((self.cli.home / "saved").exists())
        self.check_error(self.cli.run("repair", "--into", self.cli.store), 2, "usage", "itself")
        self.check_error(self.cli.run("--store", "none", "repair", "--into", "saved"), 3,
                         "invalid_input", "none")


if __name__ == "__main__":
    cli.main()
