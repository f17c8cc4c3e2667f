#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""LensNet as a user meets it: labels, training, and questions that it decides."""

import json
import random

import cli

TEXT = cli.made_up_text(seed=31, word_count=1500)
SIGNALS = ["cosine", "words", "words_rank", "vectors_rank", "names", "length", "newer", "lead", "neighbour",
           "question_likelihood", "gist_likelihood"]
FACT = "Ada Barlow hid the brass key under the old oak."


def made_question(item, rng):
    """The candidate with the greatest cosine answers and gains 4 nats; the others lose half of one."""
    right = rng.randrange(6)
    candidates = []
    for i in range(6):
        signals = {name: rng.uniform(-1, 1) for name in SIGNALS}
        signals["cosine"] = 0.8 if i == right else rng.uniform(0, 0.3)
        candidates.append({"document": 0, "begin": 40 * i, "end": 40 * i + 40, "holds_fact": i == right,
                           "gain": 0, "gist_gain": 0, "signals": signals})
    subsets = [[]] + [[i] for i in range(6)] + [sorted(rng.sample(range(6), 3)) for _ in range(12)]
    readings = [{"shown": shown, "likelihood": sum(4 if i == right else -0.5 for i in shown) - 5}
                for shown in subsets]
    return {"family": "single-fact", "task": "home", "length": 1000, "item": item, "question": "Where?",
            "is_told": True, "reliability": 1, "candidates": candidates, "readings": readings}


class Lens(cli.CliTestCase):
    def test_labels_are_readings_and_go_on_where_they_stopped(self):
        text = self.cli.write("text.txt", TEXT)
        labels = ["train", "labels", "--docs", text, "--families", "single-fact", "--lengths", "300",
                  "--items", "1", "--subsets", "1", "--out", "labels"]
        self.assertEqual(self.cli.result(*labels)["questions"], 1)
        path = self.cli.home / "labels/labels.jsonl"
        header, question = [json.loads(line) for line in path.read_text().splitlines()]
        self.assertEqual(header["configuration"]["task"], "lens-labels")
        candidates = question["candidates"]
        self.assertEqual([one["shown"] for one in question["readings"]][:3], [[], [0], [1]])
        self.assertEqual(len(question["readings"]), len(candidates) + 2)
        self.assertEqual(set(candidates[0]["signals"]), set(SIGNALS))
        # The fact makes the answer likelier than anything else does.
        best = max(question["readings"][1:len(candidates) + 1], key=lambda one: one["likelihood"])
        self.assertTrue(candidates[best["shown"][0]]["holds_fact"])

        # What is there is not read again.
        before = path.read_bytes()
        self.assertEqual(self.cli.result(*labels)["questions"], 0)
        self.assertEqual(path.read_bytes(), before)
        self.check_training(header)

    def check_training(self, header):
        rng = random.Random(1)
        lines = [header] + [made_question(item, rng) for item in range(40)]
        path = self.cli.write("made.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
        weights = self.cli.home / "lens.safetensors"
        report = self.cli.result("train", "lensnet", "--labels", path, "--out", weights, "--hidden", "4",
                                 "--steps", "200")
        self.assertEqual(report["reliable"], 40)
        self.assertGreater(report["regression"]["fact_first"], 0.9)
        self.assertGreater(report["regression"]["captured_share"], report["rule"]["captured_share"])
        self.check_questions(weights)

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
