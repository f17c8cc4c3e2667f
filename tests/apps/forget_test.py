#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`forget` as a user runs it: what is gone, what stays, what is refused."""

import cli


class Forget(cli.CliTestCase):
    def setUp(self):
        super().setUp()
        self.cli.write("anna.txt", "Anna Barlow keeps a tortoise named Zebulon.")
        self.cli.write("ben.txt", "Ben Moss drinks cocoa and lives in Lima.")
        self.cli.results("ingest", "anna.txt", "ben.txt")

    def evidence(self, question):
        return " ".join(one["text"] for one in self.cli.result("query", question)["evidence"])

    def test_what_is_forgotten_is_not_found_read_or_listed(self):
        self.assertIn("Zebulon", self.evidence("Which animal does Anna Barlow keep?"))
        gone = self.cli.result("forget", "anna.txt", "--yes", "--reason", "asked for")
        self.assertEqual((gone["outcome"], gone["source"]), ("forgotten", "anna.txt"))
        self.assertNotIn("Zebulon", self.evidence("Which animal does Anna Barlow keep?"))
        self.check_error(self.cli.run("read", gone["document"]), 3, "invalid_input", gone["document"])
        self.assertEqual(self.cli.result("verify")["faults"], [])
        self.assertIn("Lima", self.evidence("Where does Ben Moss live?"))
        # The same words may be told again.
        self.cli.result("ingest", "anna.txt")
        self.assertIn("Zebulon", self.evidence("Which animal does Anna Barlow keep?"))

    def test_a_dry_run_changes_nothing_and_nothing_happens_unasked(self):
        would = self.cli.result("forget", "anna.txt", "--dry-run")
        self.assertEqual(would["outcome"], "would_forget")
        self.check_error(self.cli.run("forget", "anna.txt"), 2, "usage", "--yes", "--dry-run")
        self.assertIn("Zebulon", self.evidence("Which animal does Anna Barlow keep?"))

    def test_age_and_all_choose(self):
        self.assertEqual(self.cli.results("forget", "--older-than", "1d", "--yes"), [])
        for arguments, part in ((["--older-than", "soon"], "90d"), ([], "--all"), (["x", "--all"], "one way")):
            self.check_error(self.cli.run("forget", "--yes", *arguments), 2, "usage", part)
        self.check_error(self.cli.run("forget", "nobody.txt", "--yes"), 3, "invalid_input", "nobody.txt")
        lines = self.cli.results("forget", "--all", "--yes")
        self.assertEqual(len(lines), 2)
        self.assertEqual(self.cli.result("bank", "info")["document_list"], [])

    def test_a_purge_leaves_no_trace_in_any_file(self):
        self.cli.write("secret.txt", "The xylophonist Quorvath hides his zinc marbles. " * 40)
        self.cli.result("ingest", "secret.txt")
        words = (b"xylophonist", b"quorvath", b"secret.txt", b"xylophon")
        self.assertTrue(self.traces(words))
        self.cli.result("forget", "secret.txt", "--yes", "--purge", "--reason", "asked for")
        self.assertEqual(self.traces(words), [])
        self.assertIn("Zebulon", self.evidence("Which animal does Anna Barlow keep?"))
        self.assertEqual(self.cli.result("verify")["faults"], [])

    def traces(self, words):
        return [(path.name, word) for path in self.cli.store.rglob("*") if path.is_file()
                for word in words if word in path.read_bytes().lower()]

    def test_a_kill_at_any_instant_forgets_all_or_nothing(self):
        for i in range(40):
            self.cli.write(f"many/{i:02}.txt", f"Secret number {i} is {1000 + 7 * i}.")
        self.cli.results("ingest", "many")
        data = self.cli.store / "data.mdb"
        ends = set()
        for delay in range(5):
            before = self.names()
            seen = data.stat().st_mtime_ns
            running = self.cli.start("forget", "--all", "--yes")
            # Some way into the writing: an instant that moves with the machine's speed.
            while running.poll() is None and data.stat().st_mtime_ns == seen:
                pass
            for _ in range(delay * 2000):
                data.stat()
            running.kill()
            running.communicate()
            self.cli.result("ingest", "ben.txt")  # opens for writing: completes what was begun
            after = self.names()
            self.assertIn(after, (before, {"ben.txt"}))
            self.assertEqual(self.cli.result("verify")["faults"], [])
            ends.add(len(after))
            self.cli.results("ingest", "anna.txt", "many")
        self.assertIn(1, ends)

    def names(self):
        return {one["source"] for one in self.cli.result("bank", "info")["document_list"]}


if __name__ == "__main__":
    cli.main()
