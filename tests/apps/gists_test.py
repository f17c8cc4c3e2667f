#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Text first, its gists later: found at once, made by `gists`, killed and interrupted between."""

import json
import random
import signal

import cli

TEXT = cli.made_up_text(seed=11, word_count=1500)
FACT = "\n\nThe lantern keeper of Vellmarsh is called Odalys Brenn.\n"


class Gists(cli.CliTestCase):
    def waiting(self):
        return self.cli.result("inspect", "--document", "d1")["tokens_without_gists"]

    def test_text_is_found_before_its_gists_are_made(self):
        path = self.cli.write("text.txt", TEXT + FACT)
        told = self.cli.result("ingest", path, "--no-gists")
        whole_blocks = told["tokens"] - told["tail_tokens"]
        self.assertEqual((told["tokens_without_gists"], told["levels"]), (whole_blocks, []))
        found = self.cli.result("query", "Who is the lantern keeper of Vellmarsh?")
        self.assertIn("Odalys Brenn", found["evidence"][0]["text"])
        self.assertEqual(self.cli.run("read", "d1").stdout, (TEXT + FACT).encode())
        self.cli.result("verify")
        refused = self.cli.run("query", "Who?", "--policy", "hybrid", "--json")
        self.assertEqual(refused.returncode, 3)
        self.assertIn("megacontext gists", json.loads(refused.stderr)["error"]["message"])
        node = self.cli.run("repl", "-c", ".node d1/L1/0")
        self.assertIn(b"without gists yet", node.stderr)

        made = self.cli.result("gists")
        self.assertEqual((made["documents"], made["tokens"]), (1, whole_blocks))
        record = self.cli.result("inspect", "--document", "d1")
        self.assertEqual(made["gists_added"], sum(level["nodes"] for level in record["levels"]))
        self.assertEqual(record["tokens_without_gists"], 0)
        self.cli.result("verify")
        self.assertEqual(self.cli.result("query", "Who?", "--policy", "hybrid")["policy"], "hybrid")
        self.assertEqual(self.cli.result("gists")["gists_added"], 0)

    def test_they_are_those_that_an_ingest_makes(self):
        path = self.cli.write("text.txt", TEXT)
        self.cli.result("ingest", path)
        self.cli.result("ingest", path, "--no-gists", "--store", "later")
        self.cli.result("gists", "--store", "later")
        question = ["query", "Who?", "--policy", "hybrid", "--budget", "200", "--answer"]
        answers = [self.cli.result(*question, "--store", store)["answer"]["text"]
                   for store in (self.cli.store, "later")]
        self.assertEqual(answers[0], answers[1])

    def test_a_kill_loses_a_step_at_most(self):
        self.cli.result("ingest", self.cli.write("text.txt", TEXT), "--no-gists")
        rng = random.Random(5)
        print("seed 5")
        before = self.waiting()
        for _ in range(3):
            self.cli.kill_while_writing(rng.randrange(0, 2000), "gists")
            self.cli.result("verify")
            self.assertLessEqual(self.waiting(), before)
            before = self.waiting()
        self.cli.result("gists")
        self.assertEqual(self.waiting(), 0)
        self.cli.result("verify")

    def test_an_interrupted_ingest_leaves_gists_to_gists(self):
        path = self.cli.write("text.txt", TEXT)
        process = self.cli.start("ingest", path, "--json")
        self.assertEqual(json.loads(process.stdout.readline())["outcome"], "ingested")
        process.send_signal(signal.SIGINT)
        _, message = process.communicate()
        self.assertEqual(process.returncode, 130, message)
        self.assertIn("megacontext gists", json.loads(message)["error"]["message"])
        self.assertGreater(self.waiting(), 0)
        self.cli.result("gists")
        self.assertEqual(self.waiting(), 0)


if __name__ == "__main__":
    cli.main()
