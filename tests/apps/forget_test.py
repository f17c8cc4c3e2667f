#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`forget` as a user runs it: what is gone, what stays, what is refused."""

import subprocess

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

    def test_compact_gives_back_what_was_forgotten(self):
        self.cli.write("secret.txt", "The xylophonist Quorvath hides his zinc marbles. " * 2000)
        self.cli.result("ingest", "secret.txt", "--no-gists")
        self.cli.result("forget", "secret.txt", "--yes")
        reader = self.cli.start("repl", "--json", stdin=subprocess.PIPE)
        reader.stdin.write(b".stats\n")
        reader.stdin.flush()
        self.assertIn(b"disk_bytes", reader.stdout.readline())
        self.check_error(self.cli.run("compact"), 12, "locked", "close it")
        reader.communicate()
        sizes = self.cli.result("compact")
        self.assertLess(sizes["bytes_after"], sizes["bytes_before"])
        self.assertEqual(self.traces((b"xylophonist", b"quorvath")), [])
        self.assertIn("Zebulon", self.evidence("Which animal does Anna Barlow keep?"))
        self.assertEqual(self.cli.result("verify")["faults"], [])
        self.check_error(self.cli.run("compact", "--store", "nowhere"), 3, "invalid_input", "nowhere")

    def traces(self, words):
        return [(path.name, word) for path in self.cli.store.rglob("*") if path.is_file()
                for word in words if word in path.read_bytes().lower()]

    def test_a_kill_at_any_instant_forgets_all_or_nothing(self):
        for i in range(40):
            self.cli.write(f"many/{i:02}.txt", f"Secret number {i} is {1000 + 7 * i}.")
        self.cli.results("ingest", "many")
        ends = set()
        for delay in range(5):
            before = self.names()
            self.cli.kill_while_writing(delay * 2000, "forget", "--all", "--yes")
            self.cli.result("ingest", "ben.txt")  # opens for writing: completes what was begun
            after = self.names()
            self.assertIn(after, (before, {"ben.txt"}))
            self.assertEqual(self.cli.result("verify")["faults"], [])
            ends.add(len(after))
            self.cli.results("ingest", "anna.txt", "many")
        self.assertIn(1, ends)

    def names(self):
        return {one["source"] for one in self.cli.result("bank", "info")["document_list"]}


class ForgetParts(cli.CliTestCase):
    BEFORE = "Anna Barlow keeps bees behind the mill. " + "The river was high that spring. " * 60
    SECRET = "Her cousin Zebulon Quorvath owes nine marks to the xylophonist."
    AFTER = " " + "Nobody crossed the ford until June. " * 60 + "Ben Moss drinks cocoa in Lima."

    def setUp(self):
        super().setUp()
        self.cli.write("log.txt", self.BEFORE + self.SECRET + self.AFTER)
        self.cli.result("ingest", "log.txt")
        begin = len(self.BEFORE)
        self.bytes = f"{begin}:{begin + len(self.SECRET)}"

    def evidence(self, question):
        return " ".join(one["text"] for one in self.cli.result("query", question)["evidence"])

    def text(self):
        return self.cli.run("read", "log.txt").stdout.decode()

    def check_forgotten(self):
        self.assertEqual(self.text().replace(" ", ""), (self.BEFORE + self.AFTER).replace(" ", ""))
        for question in ("What does Zebulon Quorvath owe?", "Who owes the xylophonist?"):
            self.assertNotIn("marks", self.evidence(question))
        self.assertIn("cocoa", self.evidence("What does Ben Moss drink?"))
        self.assertIn("bees", self.evidence("What does Anna Barlow keep?"))
        self.assertEqual(self.cli.result("verify")["faults"], [])

    def test_a_part_goes_and_the_rest_stays_as_it_was(self):
        self.assertIn("marks", self.evidence("What does Zebulon Quorvath owe?"))
        gists = self.gists()
        would = self.cli.result("forget", "log.txt", "--bytes", self.bytes, "--dry-run")
        self.assertEqual(would["outcome"], "would_forget")
        self.assertEqual(self.text(), self.BEFORE + self.SECRET + self.AFTER)
        plan = self.cli.run("forget", "log.txt", "--bytes", self.bytes, "--dry-run")
        self.assertIn("Zebulon Quorvath owes", plan.stdout.decode())
        gone = self.cli.result("forget", "log.txt", "--bytes", self.bytes, "--yes", "--reason", "asked for")
        self.assertEqual(gone["parts"], would["parts"])
        self.check_forgotten()
        self.assertEqual(self.gists(), gists)  # as many as before
        (line,) = self.document()["forgotten"]
        self.assertRegex(line, r"^20\d\d-.*Z \d+ tokens: asked for$")
        # The document grows no less: the same file is other content now.
        self.check_error(self.cli.run("ingest", "log.txt"), 3, "invalid_input", "--replace")

    def document(self):
        return self.cli.result("bank", "info")["document_list"][0]

    def gists(self):
        return self.cli.result("inspect", "--document", "log.txt")["levels"]

    def test_a_purge_leaves_no_trace_of_the_part(self):
        words = (b"quorvath", b"xylophon", b"owes nine")
        store = lambda: [(path.name, word) for path in self.cli.store.rglob("*") if path.is_file()
                         for word in words if word in path.read_bytes().lower()]
        self.assertTrue(store())
        self.cli.result("forget", "log.txt", "--bytes", self.bytes, "--yes", "--purge")
        self.assertEqual(store(), [])
        self.check_forgotten()

    def test_the_file_of_a_converted_document_goes_with_a_part_and_says_so(self):
        page = self.cli.write("page.html", f"<html><body><p>{self.SECRET}</p><p>Ben fishes.</p></body></html>")
        self.cli.result("ingest", "page.html")
        self.assertEqual(self.cli.run("read", "page.html", "--original").stdout, page.read_bytes())
        self.cli.result("forget", "page.html", "--bytes", f"0:{len(self.SECRET)}", "--yes")
        self.assertIn("Ben fishes.", self.cli.run("read", "page.html").stdout.decode())
        self.check_error(self.cli.run("read", "page.html", "--original"), 3, "invalid_input",
                         "a part of the document was forgotten")

    def test_what_cannot_be_a_part_is_refused(self):
        size = len(self.BEFORE + self.SECRET + self.AFTER)
        for arguments, code, kind, part in (
                (["log.txt", "--bytes", f"0:{size + 1}"], 3, "invalid_input", str(size)),
                (["log.txt", "--bytes", "7:7"], 3, "invalid_input", "7:7"),
                (["log.txt", "--bytes", "x"], 2, "usage", "A:B"),
                (["--all", "--bytes", "1:2"], 2, "usage", "one document"),
                (["nobody.txt", "--bytes", "1:2"], 3, "invalid_input", "nobody.txt")):
            self.check_error(self.cli.run("forget", "--yes", *arguments), code, kind, part)
        self.check_error(self.cli.run("forget", "a", "--bytes", "1:2", "--yes", "--store",
                                      str(self.cli.home / "nowhere")), 3, "invalid_input", "no store")
        self.assertEqual(self.text(), self.BEFORE + self.SECRET + self.AFTER)

    def test_a_kill_at_any_instant_is_completed_by_the_next_writer(self):
        self.cli.write("ben.txt", "Ben Moss was here.")
        forgotten = 0
        for delay in (1, 4):
            self.cli.kill_while_writing(delay * 20000, "forget", "log.txt", "--bytes", self.bytes,
                                        "--yes")
            self.cli.result("ingest", "ben.txt")  # opens for writing: completes what was begun
            if "Zebulon" in self.text():
                self.assertEqual(self.text(), self.BEFORE + self.SECRET + self.AFTER)
            else:
                self.check_forgotten()
                forgotten += 1
            self.cli.result("forget", "log.txt", "--yes")
            self.cli.result("ingest", "log.txt")
        self.assertGreater(forgotten, 0)


if __name__ == "__main__":
    cli.main()
