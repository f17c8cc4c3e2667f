#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A codebook is trained, a store is coded with it, and no other codebook opens that store. Unasked,
a new store takes the program's own codebook where it fits, and none where it does not."""

import cli


class Codec(cli.CliTestCase):
    def train(self, name, seed):
        path = self.cli.home / name
        report = self.cli.result("train", "codec", "--docs", self.text, "--encoder", "kv-mean",
                                 "--gists", 257, "--windows", 2, "--seed", seed, "--out", path)
        self.assertTrue(path.exists())
        return path, report

    def test_a_store_lives_and_dies_with_its_codebook(self):
        self.text = self.cli.write("long.txt", cli.made_up_text(seed=7, word_count=3600))
        book, report = self.train("book.safetensors", 1)
        self.assertEqual(report["file_bytes"], book.stat().st_size)
        self.assertEqual(report["bytes_per_token"], report["gist_bytes"] / 32)
        self.assertLessEqual(report["bytes_per_token"], 48)
        self.assertTrue(report["weighed"])
        self.assertLess(report["error_share_keys"], 1)

        short = self.cli.write("short.txt", cli.made_up_text(seed=8, word_count=60))
        made = ["--encoder", "kv-mean", "--codec", "pq", "--codebook", book]
        self.cli.result("ingest", short, *made)
        store = self.cli.result("inspect", "--codebook", book)["store"]
        self.assertEqual((store["codec"], store["gist_bytes"]), ("pq", report["gist_bytes"]))
        self.assertEqual(len(store["codebook_hash"]), 32)
        self.assertTrue(self.cli.result("verify", "--codebook", book)["ok"])
        self.cli.result("query", "what", "--codebook", book)

        other, _ = self.train("other.safetensors", 2)
        self.check_error(self.cli.run("query", "what", "--codebook", other, "--json"), 8,
                         "model_mismatch", store["codebook_hash"])
        elsewhere = ["--store", self.cli.home / "elsewhere"]
        self.check_error(self.cli.run("ingest", short, "--encoder", "kv-last", "--codec", "pq",
                                      "--codebook", book, "--json", *elsewhere), 8,
                         "model_mismatch", "kv-mean", "train codec")
        self.check_error(self.cli.run("ingest", short, "--encoder", "kv-last", "--codebook", book,
                                      "--json", *elsewhere), 8, "model_mismatch", "kv-mean")
        self.assertEqual(self.reindexed("asked", "--codebook", book)["codebook_hash"],
                         store["codebook_hash"])
        # The text needs no codebook, so a store outlives its own.
        self.check_error(self.cli.run("query", "what", "--json"), 8, "model_mismatch")
        self.assertEqual(self.reindexed("plain")["codec"], "int8")

    def reindexed(self, name, *options):
        into = self.cli.home / name
        self.cli.result("reindex", "--into", into, "--encoder", "kv-mean", *options)
        return self.cli.result("inspect", "--store", into, *options)["store"]

    def test_a_new_store_has_the_smallest_codec_that_is_good_for_its_encoder(self):
        short = self.cli.write("short.txt", cli.made_up_text(seed=8, word_count=60))
        made_with = {(): "pq", ("--encoder", "kv-last"): "int8", ("--codec", "int8"): "int8",
                     ("--encoder", "kv-last", "--codec", "int4"): "int4"}
        for number, (options, codec) in enumerate(made_with.items()):
            self.cli.store = self.cli.home / str(number)
            self.cli.result("ingest", short, *options)
            store = self.cli.result("inspect")["store"]
            self.assertEqual((store["codec"], store["codebook_hash"] is None),
                             (codec, codec != "pq"), options)
            self.assertTrue(self.cli.result("verify")["ok"], options)
            self.cli.result("query", "what")
            # It keeps its codec, whatever is asked for later.
            self.cli.result("ingest", "-", "--name", "more", "--codec", "fp16", stdin=b"More. " * 80)
            self.assertEqual(self.cli.result("inspect")["store"]["codec"], codec, options)

    def test_what_is_no_codebook_is_refused(self):
        short = self.cli.write("short.txt", cli.made_up_text(seed=8, word_count=60))
        noise = self.cli.write("noise.safetensors", b"\0" * 400)
        self.check_error(self.cli.run("ingest", short, "--codec", "pq", "--codebook", noise), 3,
                         "invalid_input", "noise.safetensors")
        self.check_error(self.cli.run("train", "codec", "--docs", short, "--out",
                                      self.cli.home / "none.safetensors"), 3,
                         "invalid_input", "too few")
        self.assertFalse((self.cli.home / "none.safetensors").exists())


if __name__ == "__main__":
    cli.main()
