#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Macros as a user meets them: made, shown, read with, removed; what backups and exports do with them."""

import signal

import cli

TEXT = "You are the clerk of a harbour. Answer in one short sentence and name a ship in it.\n"
QUICK = ("--gists", "1", "--steps", "2", "--lessons", "2")
TIMES = ("created_us", "seconds")


def lasting(macro):
    return {key: value for key, value in macro.items() if key not in TIMES}


class Macro(cli.CliTestCase):
    def create(self, name="clerk", text=TEXT, options=QUICK):
        self.cli.write("clerk.txt", text)
        return self.cli.result("macro", "create", name, "--text", "clerk.txt", *options)

    def error_of(self, *arguments):
        done = self.cli.run(*arguments)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        return done

    def test_a_macro_is_made_shown_read_with_and_removed(self):
        made = self.create()
        self.assertEqual((made["outcome"], made["macro"], made["entries"], made["steps"], made["seed"]),
                         ("made", "clerk", 1, 2, 1))
        self.assertGreater(made["tokens"], 15)
        self.assertEqual(made["gist_bytes"], 23040)
        shown = self.cli.result("macro", "show", "clerk")
        self.assertEqual(shown.pop("text"), TEXT.strip())
        self.assertEqual(lasting(shown), {key: value for key, value in lasting(made).items()
                                          if key != "outcome"})
        self.assertEqual(self.cli.result("macro", "list")["macros"], [shown])
        self.assertIn(b"seed 1, 2 steps", self.cli.run("macro", "create", "clerk", "--text", "clerk.txt",
                                                       *QUICK).stdout)

        self.cli.write("log.txt", "The brass bell hangs on the mast of the Petrel.\n")
        self.cli.result("ingest", "log.txt")
        ask = ("query", "Where does the brass bell hang?", "--answer", "--max-tokens", "12")
        plain = self.cli.result(*ask)
        self.assertIsNone(plain["macro"])
        read = self.cli.result(*ask, "--macro", "clerk")
        self.assertEqual(read["macro"], shown)
        self.assertEqual(read["evidence"], plain["evidence"])
        # The program's own instruction is some 25 tokens; one gist stands in its place.
        self.assertLess(read["answer"]["prompt_entries"], plain["answer"]["prompt_entries"] - 15)
        self.assertEqual(read["answer"]["text"],
                         self.cli.result(*ask, "--macro", "clerk")["answer"]["text"])

        self.assertEqual(self.cli.result("macro", "remove", "clerk", "--purge")["outcome"], "removed")
        self.assertEqual(self.cli.result("macro", "list")["macros"], [])
        self.assertNotIn(b"clerk of a harbour", (self.cli.store / "data.mdb").read_bytes())
        self.assertTrue(self.cli.result("verify")["ok"])

    def test_same_seed_same_gists_and_none_are_made_twice(self):
        made = self.create()
        self.assertEqual(self.create()["outcome"], "already_there")
        twin = self.create("twin")
        self.assertEqual((twin["outcome"], twin["gists_hash"]), ("same_gists", made["gists_hash"]))
        again = self.cli.result("--bank", "second", "macro", "create", "clerk", "--text", "clerk.txt", *QUICK)
        self.assertEqual(again["outcome"], "made")
        self.assertEqual(lasting(again), lasting(made))
        other = self.create("other", options=(*QUICK, "--seed", "2"))
        self.assertNotEqual(other["gists_hash"], made["gists_hash"])

    def test_errors_say_what_is_wrong(self):
        self.create()
        self.check_error(self.error_of("macro", "show", "pilot"), 3, "invalid_input", "pilot", "macro list")
        self.check_error(self.error_of("macro", "remove", "pilot"), 3, "invalid_input", "pilot")
        self.check_error(self.error_of("query", "Where?", "--answer", "--macro", "pilot"), 3,
                         "invalid_input", "pilot")
        self.check_error(self.error_of("query", "Where?", "--macro", "clerk"), 2, "usage", "--answer")
        create = ("macro", "create", "clerk", "--text")
        self.check_error(self.error_of(*create, "missing.txt"), 3, "invalid_input", "missing.txt")
        self.cli.write("other.txt", "Answer in verse.")
        self.check_error(self.error_of(*create, "other.txt"), 3, "invalid_input", "another text", "remove")
        self.cli.write("empty.txt", " \n")
        self.check_error(self.error_of(*create, "empty.txt"), 3, "invalid_input", "empty")
        self.cli.write("bytes.txt", b"\xff\xfe\xfd")
        self.check_error(self.error_of(*create, "bytes.txt"), 3, "invalid_input", "UTF-8")
        self.cli.write("long.txt", "word " * 600)
        self.check_error(self.error_of(*create, "long.txt"), 3, "invalid_input", "512")
        self.check_error(self.error_of("macro", "create", "a b", "--text", "other.txt"), 3,
                         "invalid_input", "A-Z a-z 0-9")
        self.check_error(self.error_of(*create, "other.txt", "--gists", "9"), 2, "usage", "--gists")
        self.assertEqual(len(self.cli.result("macro", "list")["macros"]), 1)

    def test_a_kill_leaves_no_macro_or_a_whole_one(self):
        self.create()
        self.cli.write("other.txt", "Answer in verse, and greet the reader first.")
        running = self.cli.start("macro", "create", "verse", "--text", "other.txt", "--gists", "1",
                                 "--steps", "40")
        running.stdin = None
        try:
            running.wait(timeout=4)
        except Exception:  # the usual case: it is at work
            running.send_signal(signal.SIGKILL)
        running.communicate()
        self.assertTrue(self.cli.result("verify")["ok"])
        names = [macro["macro"] for macro in self.cli.result("macro", "list")["macros"]]
        self.assertIn(names, (["clerk"], ["clerk", "verse"]))

    def test_backups_have_them_and_exports_do_not(self):
        made = self.create()
        self.cli.write("log.txt", "The brass bell hangs on the mast of the Petrel.\n")
        self.cli.result("ingest", "log.txt")
        self.cli.results("backup", "copy")
        copied = self.cli.result("--store", "copy", "macro", "show", "clerk")
        self.assertEqual(copied["gists_hash"], made["gists_hash"])
        self.cli.results("export", "bank.mcbank")
        self.assertNotIn(b"clerk of a harbour", (self.cli.home / "bank.mcbank").read_bytes())
        self.cli.results("--store", "fresh", "import", "bank.mcbank")
        self.assertEqual(self.cli.result("--store", "fresh", "macro", "list")["macros"], [])
        self.cli.results("forget", "--all", "--purge", "--yes")
        self.assertEqual(self.cli.result("macro", "show", "clerk")["gists_hash"], made["gists_hash"])
        self.assertTrue(self.cli.result("verify")["ok"])


if __name__ == "__main__":
    cli.main()
