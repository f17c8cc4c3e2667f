#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`eval run answers` as a user runs it, and what it refuses."""

import json

import cli

TEXT = cli.made_up_text(seed=21, word_count=3000)


class Answers(cli.CliTestCase):
    def test_a_reader_with_the_fact_answers_and_one_with_nothing_does_not(self):
        text = self.cli.write("text.txt", TEXT)
        command = ["eval", "run", "answers", "--docs", text, "--families", "single-fact", "--lengths", "1k",
                   "--items", "4", "--rows", "nothing,fact,gists,oracle,plain,window", "--budgets", "256",
                   "--background", "0,8", "--output", "measured"]
        found = self.cli.result(*command)
        self.assertEqual(found["suite"], "answers")
        cell = found["results"]["results"]["answers/single-fact/1k"]
        self.assertGreaterEqual(cell["accuracy,fact"], 0.75)
        self.assertGreater(cell["margin,fact"], cell["margin,nothing"])
        self.assertGreater(cell["margin,oracle"], cell["margin,nothing"])
        self.assertLessEqual(cell["entries,gists"], 400)
        for row in ("sentences/bm25:1", "sentences/fused:5", "window:passages:256", "window:passages+8:256", "window:hybrid:256"):
            self.assertIn(f"accuracy,{row}", cell)
            self.assertIn(f"recall@5,{row}", cell)
        self.assertGreater(cell["entries,window:passages+8:256"], cell["entries,window:passages:256"])
        self.assertNotIn("accuracy,window:hybrid+8:256", cell)
        folder = self.cli.home / "measured"
        self.assertIn("## single-fact", (folder / "table.md").read_text())
        self.assertTrue((folder / "single-fact-accuracy-by-length.svg").exists())
        self.assertEqual(len((folder / "items.jsonl").read_text().splitlines()), 4)
        self.check_facts_are_in_the_memories(folder)

        # A finished run reads nothing again.
        before = (folder / "answers.jsonl").read_bytes()
        self.assertEqual(self.cli.result(*command)["results"], found["results"])
        self.assertEqual((folder / "answers.jsonl").read_bytes(), before)

    def check_facts_are_in_the_memories(self, folder):
        for line in (folder / "items.jsonl").read_text().splitlines():
            item = json.loads(line)
            read = self.cli.run("read", "text", "--bank", f"memory-{item['memory']}",
                                environment={"MEGACONTEXT_STORE": str(folder / "stores/single-fact-1000")})
            self.assertIn(" " + item["facts"][0]["text"], read.stdout.decode(), read.stderr.decode())

    def test_what_cannot_be_is_refused(self):
        text = self.cli.write("text.txt", TEXT)
        run = ["eval", "run", "answers", "--docs", text]
        for arguments, part in ((["--families", "riddles"], "riddles"), (["--rows", "everything"], "everything"),
                                (["--lengths", "long"], "long"), (["--lengths", "0"], "--lengths"),
                                (["--items", "0"], "items"), (["--windows", "3"], "--windows"),
                                (["--policies", "luck"], "luck")):
            done = self.cli.run(*run, *arguments)
            self.check_error(done, 2, "usage", part)
        done = self.cli.run("eval", "run", "delta-nll", "--docs", text, "--lengths", "1k")
        self.check_error(done, 2, "usage", "--lengths", "delta-nll")


if __name__ == "__main__":
    cli.main()
