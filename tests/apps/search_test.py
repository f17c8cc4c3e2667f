#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`train index` and `eval run retrieval` as a user runs them."""

import json

import cli

TEXT = cli.made_up_text(seed=11, word_count=700)
OTHER = cli.made_up_text(seed=12, word_count=700)


class Search(cli.CliTestCase):
    def test_training_writes_weights_that_the_suite_measures(self):
        text = self.cli.write("text.txt", TEXT)
        other = self.cli.write("other.txt", OTHER)
        weights = self.cli.home / "index.safetensors"
        report = self.cli.result("train", "index", "--docs", text, "--eval-docs", other, "--out",
                                 weights, "--windows", "2", "--steps", "5")
        self.assertEqual(report["weights_path"], str(weights))
        self.assertEqual([one["kind"] for one in report["evaluation"]],
                         ["next", "fragment", "question"])
        size = int.from_bytes(weights.read_bytes()[:8], "little")
        metadata = json.loads(weights.read_bytes()[8:8 + size])["__metadata__"]
        self.assertIn("train index --docs text.txt --eval-docs other.txt", metadata["command"])

        found = self.cli.result("eval", "run", "retrieval", "--docs", other, "--queries", "10",
                                "--index", weights, "--output", "measured")
        self.assertEqual(found["suite"], "retrieval")
        results = found["results"]["results"]["retrieval/fragment"]
        for system in ("bm25", "index", "bm25+index"):
            self.assertIn(f"mrr,{system}", results)
        self.assertGreater(results["recall@20,bm25"], 0.5)
        texts = json.loads((self.cli.home / "measured/texts.json").read_text())
        self.assertEqual(len(texts["queries"]), 30)

    def test_gists_of_a_new_store_carry_no_index_vectors(self):
        self.cli.result("ingest", self.cli.write("text.txt", TEXT))
        store = self.cli.result("inspect")["store"]
        self.assertFalse(store["encoder"].endswith(" + index"), store["encoder"])
        self.assertEqual(store["gist_shape"]["index_dim"], 0)
        self.assertTrue(self.cli.result("query", TEXT[400:460])["evidence"])

    def test_what_cannot_be_is_refused(self):
        text = self.cli.write("text.txt", TEXT)
        done = self.cli.run("train", "index", "--docs", text, "--eval-docs", text, "--out",
                            self.cli.home / "w", "--windows", "1", "--steps", "1")
        self.check_error(done, 3, "invalid_input", "among the training documents")
        done = self.cli.run("train", "index", "--docs", text, "--out", self.cli.home)
        self.check_error(done, 2, "usage", "is a folder")
        done = self.cli.run("eval", "run", "retrieval", "--docs", text, "--windows", "3")
        self.check_error(done, 2, "usage", "--windows", "retrieval")
        done = self.cli.run("eval", "run", "delta-nll", "--docs", text, "--queries", "3")
        self.check_error(done, 2, "usage", "--queries", "delta-nll")


if __name__ == "__main__":
    cli.main()
