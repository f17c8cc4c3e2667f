#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""LensNet as a user meets it: labels, training, and questions that it decides."""

import json

import cli

TEXT = cli.made_up_text(seed=31, word_count=1500)
FACT = "Ada Barlow hid the brass key under the old oak."


class Lens(cli.CliTestCase):
    def test_labels_train_a_lens_that_answers_questions(self):
        text = self.cli.write("text.txt", TEXT)
        labels = ["train", "labels", "--docs", text, "--families", "single-fact,absent", "--lengths", "600",
                  "--items", "4", "--subsets", "2", "--out", "labels"]
        made = self.cli.result(*labels)
        self.assertEqual(made["questions"], 8)
        path = self.cli.home / "labels/labels.jsonl"
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        self.assertEqual(lines[0]["configuration"]["task"], "lens-labels")
        self.check_gains(lines[1:])

        # What is there is not read again.
        before = path.read_bytes()
        self.assertEqual(self.cli.result(*labels)["questions"], 0)
        self.assertEqual(path.read_bytes(), before)

        weights = self.cli.home / "lens.safetensors"
        report = self.cli.result("train", "lensnet", "--labels", path, "--out", weights, "--hidden", "4",
                                 "--steps", "200")
        self.assertEqual(report["questions"], 8)
        self.assertEqual(report["weights_path"], str(weights))
        self.check_questions(weights)

    # The right passage gains the reader more than the others.
    def check_gains(self, questions):
        for question in questions:
            self.assertEqual(question["readings"][0]["shown"], [])
            for candidate in question["candidates"]:
                self.assertLess(abs(candidate["gain"]), 50)
        told = [one for one in questions if any(c["holds_fact"] for c in one["candidates"])]
        self.assertGreaterEqual(len(told), 2)
        right = [c["gain"] for one in told for c in one["candidates"] if c["holds_fact"]]
        others = [c["gain"] for one in told for c in one["candidates"] if not c["holds_fact"]]
        self.assertGreater(sum(right) / len(right), sum(others) / len(others) + 1)

    def check_questions(self, weights):
        self.cli.result("ingest", self.cli.write("told.txt", TEXT[:600] + "\n\n" + FACT + "\n\n" + TEXT[600:1200]))
        ask = ["query", "Where did Ada Barlow hide the brass key?", "--policy", "lensnet", "--lens", weights]
        found = self.cli.result(*ask)
        self.assertEqual(found["policy"], "lensnet")
        first = found["evidence"][0]
        self.assertEqual(first["text"].strip(), FACT)
        self.assertIn("expected gain", first["why"])
        self.assertEqual(self.cli.result(*ask)["evidence"], found["evidence"])
        refused = self.cli.run(*ask, "--embedder", "none")
        self.check_error(refused, 8, "model_mismatch", "sentence vectors")

    def test_what_cannot_be_is_refused(self):
        text = self.cli.write("text.txt", TEXT)
        done = self.cli.run("train", "labels", "--docs", text, "--out", "l", "--families", "riddles")
        self.check_error(done, 2, "usage", "riddles")
        done = self.cli.run("train", "lensnet", "--labels", text, "--out", "w")
        self.check_error(done, 3, "invalid_input", "text.txt")
        done = self.cli.run("train", "lensnet", "--labels", text, "--out", "w", "--without", "luck")
        self.check_error(done, 2, "usage", "luck", "cosine")
        self.cli.result("ingest", text)
        done = self.cli.run("query", "What?", "--policy", "lensnet", "--lens", text)
        self.check_error(done, 3, "invalid_input", "text.txt")


if __name__ == "__main__":
    cli.main()
