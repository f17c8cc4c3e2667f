#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a document is known by, what becomes of one whose file has changed, and of other encodings."""

import json
import os
import shutil
import subprocess

import cli

NOTE = "The ferry to the island leaves on Tuesday at nine.\n"


class Sources(cli.CliTestCase):
    def documents(self):
        return {one["document"]: one["source"] for one in self.cli.result("bank", "info")["document_list"]}

    def run_in(self, folder, *arguments):
        """As a user who stands in another folder."""
        home = self.cli.home
        self.cli.home = home / folder
        try:
            return self.cli.results(*arguments)
        finally:
            self.cli.home = home

    def test_a_file_is_one_document_however_its_path_is_spelled(self):
        self.cli.write("a.txt", NOTE)
        self.cli.write("sub/other.txt", "Another text.\n")
        (self.cli.home / "linked").symlink_to("sub")
        self.cli.result("ingest", "a.txt")
        for spelled in ("./a.txt", "sub/../a.txt", self.cli.home / "a.txt"):
            self.assertEqual(self.cli.result("ingest", spelled)["outcome"], "already_there", spelled)
        self.assertEqual(self.run_in("sub", "ingest", "../a.txt")[0]["outcome"], "already_there")
        self.cli.result("ingest", "linked/other.txt")
        self.assertEqual(self.run_in("sub", "ingest", "other.txt")[0]["outcome"], "already_there")
        self.assertEqual(self.documents(), {"d1": "a.txt", "d2": "linked/other.txt"})
        self.cli.write("a.txt", NOTE + "It comes back on Friday.\n")
        self.assertEqual(self.run_in("sub", "ingest", "../a.txt")[0]["outcome"], "extended")
        for spelled in ("./a.txt", self.cli.home / "a.txt", "d1"):
            self.assertEqual(self.cli.run("read", spelled).stdout,
                             (self.cli.home / "a.txt").read_bytes(), spelled)

    def test_two_files_of_one_name_are_two_documents(self):
        self.cli.write("p/README.md", NOTE)
        self.cli.write("q/README.md", "The lighthouse has a new keeper.\n")
        self.run_in("p", "ingest", "README.md")
        self.assertEqual(self.run_in("q", "ingest", "README.md")[0]["outcome"], "ingested")
        for folder, argument in (("q", "."), ("p", "README.md"), (".", "q"), (".", "p/README.md")):
            self.assertEqual(self.run_in(folder, "ingest", argument)[0]["outcome"], "already_there")
        self.assertEqual(self.documents(),
                         {"d1": "README.md", "d2": str(self.cli.home / "q" / "README.md")})
        self.assertEqual(self.cli.run("read", "q/README.md").stdout,
                         b"The lighthouse has a new keeper.\n")

    def test_a_document_of_before_paths_were_kept_goes_on(self):
        # As one whose name was given: it keeps no path.
        self.cli.write("a.txt", NOTE)
        self.cli.result("ingest", "-", "--name", "a.txt", stdin=NOTE.encode())
        self.assertEqual(self.cli.result("ingest", "a.txt")["outcome"], "already_there")
        self.assertEqual(self.documents(), {"d1": "a.txt"})

    def test_a_name_that_looks_like_an_id_hides_no_document(self):
        self.cli.write("first.txt", NOTE)
        self.cli.write("d1", cli.made_up_text(seed=8, word_count=200))
        self.cli.results("ingest", "first.txt", "d1")
        self.assertEqual(self.cli.run("read", "d1").stdout, NOTE.encode())
        self.assertEqual(self.cli.run("read", "./d1").stdout, (self.cli.home / "d1").read_bytes())
        self.check_error(self.cli.run("inspect", "--node", "d1/L1/5"), 3, "invalid_input", "d1/L1/5")
        self.assertEqual(self.cli.result("inspect", "--document", "d1")["source"], "first.txt")
        gone = self.cli.result("forget", "d1", "--yes")
        self.assertEqual(gone["source"], "first.txt")

    def test_a_changed_file_is_refused_and_replaced_when_that_is_asked_for(self):
        path = self.cli.write("a.txt", NOTE)
        self.cli.write("b.txt", "Nothing changes here.\n")
        self.cli.results("ingest", "a.txt", "b.txt")
        path.write_text(NOTE.replace("Tuesday", "Friday"))
        self.check_error(self.cli.run("ingest", "a.txt"), 3, "invalid_input", "a.txt", "--replace",
                         "--name")
        self.assertEqual(self.cli.run("read", "a.txt").stdout, NOTE.encode())
        changed, same = self.cli.results("ingest", "--replace", "./a.txt", "b.txt")
        self.assertEqual((changed["outcome"], changed["replaced"]), ("replaced", "d1"))
        self.assertEqual(same["outcome"], "already_there")
        self.assertEqual(self.documents(), {"d2": "b.txt", "d3": "a.txt"})
        self.assertEqual(self.cli.run("read", "a.txt").stdout, path.read_bytes())
        evidence = self.cli.result("query", "When does the ferry leave?")["evidence"]
        self.assertIn("Friday", evidence[0]["text"])
        self.assertNotIn("Tuesday", " ".join(one["text"] for one in evidence))
        self.assertTrue(self.cli.result("verify")["ok"])
        # Longer content is no change, and a source that cannot be taken takes nothing away.
        path.write_text(path.read_text() + "It comes back at noon.\n")
        self.assertEqual(self.cli.result("ingest", "--replace", "a.txt")["outcome"], "extended")
        path.write_bytes(b"\xff\xfe\0")
        self.check_error(self.cli.run("ingest", "--replace", "a.txt"), 3, "invalid_input", "a.txt")
        self.assertIn(b"noon", self.cli.run("read", "a.txt").stdout)

    def test_a_changed_book_keeps_the_gists_of_what_has_not_changed(self):
        text = cli.made_up_text(7, 1200)
        path = self.cli.write("a.txt", text)
        self.cli.result("ingest", "a.txt")
        middle = text.index(". ", len(text) // 2) + 2
        for edit in ("The ferry leaves on Tuesday at four. ", "The ferry leaves on Friday. "):
            path.write_text(text[:middle] + edit + text[middle:])
            changed = self.cli.result("ingest", "--replace", "a.txt")
            self.assertGreater(changed["tokens_kept"] * 2, changed["tokens"])
            self.assertLess(changed["gists_added"] * 32, changed["tokens"] // 2)
            self.assertEqual(self.cli.run("read", "a.txt").stdout, path.read_bytes())
            evidence = self.cli.result("query", "When does the ferry leave?")["evidence"]
            self.assertEqual(evidence[0]["text"], edit.strip())
            self.assertEqual(self.cli.result("verify")["faults"], [])
        self.assertEqual(self.cli.result("ingest", "a.txt")["outcome"], "already_there")
        path.write_text(path.read_text() + "It comes back at noon.\n")
        self.assertEqual(self.cli.result("ingest", "a.txt")["outcome"], "extended")
        self.assertEqual(self.cli.run("read", "a.txt").stdout, path.read_bytes())

    def test_a_killed_replacement_is_completed_by_the_same_command(self):
        book = cli.made_up_text(7, 700)
        path = self.cli.write("a.txt", book)
        self.cli.result("ingest", "a.txt")
        for delay in (1, 3, 0, 2):
            # Read anew, and with gists that are kept, by turns.
            path.write_text(f"Edition {delay}. " + (NOTE * 3 if delay % 2 == 0 else book))
            self.cli.kill_while_writing(delay * 3000, "ingest", "--replace", "a.txt")
            self.cli.result("ingest", "--replace", "a.txt")
            self.assertEqual(list(self.documents().values()), ["a.txt"])
            self.assertEqual(self.cli.run("read", "a.txt").stdout, path.read_bytes())
            self.assertEqual(self.cli.result("verify")["faults"], [])

    def test_utf16_is_converted_and_its_bytes_can_be_had_back(self):
        text = "The database is orion-db-7 in Frankfurt.\r\n\u535a\u7269\u9986\u3002\r\n" * 3
        for name, content in (("le.txt", text.encode("utf-16")),
                              ("be.txt", text.encode("utf-16-be"))):
            path = self.cli.write(name, content)
            done = self.cli.run("ingest", name)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(f"converted from utf-16{name[:2]}", done.stdout.decode())
            self.assertEqual(self.cli.run("read", name).stdout.decode("utf-8-sig"), text)
            self.assertEqual(self.cli.run("read", name, "--original").stdout, content)
            self.assertEqual(self.cli.result("ingest", name)["outcome"], "already_there")
            path.write_bytes(content + content[2:])
            self.assertEqual(self.cli.result("ingest", name)["outcome"], "extended")
            self.assertEqual(self.cli.run("read", name, "--original").stdout, path.read_bytes())
        evidence = self.cli.result("query", "Where is orion-db-7?")["evidence"]
        self.assertIn("Frankfurt", evidence[0]["text"])
        self.cli.write("plain.txt", NOTE)
        self.cli.result("ingest", "plain.txt")
        self.assertEqual(self.cli.run("read", "plain.txt", "--original").stdout, NOTE.encode())
        self.check_error(self.cli.run("read", "le.txt", "--original", "--json"), 2, "usage", "JSON")

    def test_a_folder_is_taken_in_past_what_cannot_be_looked_at(self):
        self.cli.write("folder/a.txt", NOTE)
        self.cli.write("folder/z.txt", "The last one.\n")
        os.symlink("nowhere", self.cli.home / "folder" / "b.txt")
        outcomes = [(os.path.basename(one["source"]), one["outcome"])
                    for one in self.cli.results("ingest", "folder")]
        self.assertEqual(sorted(outcomes), [("a.txt", "ingested"), ("b.txt", "skipped"),
                                            ("z.txt", "ingested")])

    def test_a_name_for_a_folder_stands_before_the_names_in_it(self):
        self.cli.write("folder/a.txt", NOTE)
        self.cli.write("folder/sub/b.txt", "Another text.\n")
        self.cli.results("ingest", "folder/", "--name", "letters")
        self.assertEqual(self.documents(), {"d1": "letters/a.txt", "d2": "letters/sub/b.txt"})
        self.assertEqual([one["outcome"] for one in
                          self.cli.results("ingest", "./folder", "--name", "letters")],
                         ["already_there"] * 2)
        self.assertEqual(self.cli.run("read", "letters/a.txt").stdout, NOTE.encode())
        # Known by the name that was given, so the file itself is another document.
        self.assertEqual(self.cli.result("ingest", "folder/a.txt")["outcome"], "ingested")

    def test_a_folder_that_may_not_be_entered_is_one_error_and_the_rest_goes_in(self):
        self.cli.write("folder/a.txt", NOTE)
        self.cli.write("folder/locked/l.txt", "Not for everybody.\n")
        self.cli.write("folder/z.txt", "The last one.\n")
        locked = self.cli.home / "folder" / "locked"
        locked.chmod(0)
        self.addCleanup(locked.chmod, 0o700)
        # The superuser enters everywhere: run without that right.
        without = [shutil.which("setpriv") or "setpriv", "--bounding-set",
                   "-dac_override,-dac_read_search"] if os.access(locked, os.X_OK) else []
        if without and (shutil.which("setpriv") is None or subprocess.run(
                [*without, "true"], capture_output=True, check=False).returncode != 0):
            self.skipTest("runs as root, and there is no setpriv to give rights up with")
        done = subprocess.run([*without, str(self.cli.binary), "ingest", "folder", "--json"],
                              env=self.cli.environment(), cwd=self.cli.home, capture_output=True,
                              check=False)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn(b"folder/locked", done.stderr)
        self.assertEqual([json.loads(line)["source"] for line in done.stdout.splitlines()],
                         ["folder/a.txt", "folder/z.txt"])


if __name__ == "__main__":
    cli.main()
