#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A store made anew with another encoder holds the same bytes and the same tree, other gists."""

import cli

TEXT = cli.made_up_text(seed=5, word_count=400)


class Reindex(cli.CliTestCase):
    def test_an_untrained_store_becomes_a_trained_one(self):
        path = self.cli.write("text.txt", TEXT)
        self.cli.result("ingest", path, "--encoder", "kv-last")
        self.cli.result("ingest", "-", "--name", "second", "--bank", "other",
                        stdin=TEXT[:900].encode())
        new = self.cli.home / "new-store"
        report = self.cli.result("reindex", "--into", new, "--encoder", "gistnet")
        self.assertEqual((report["banks"], report["documents"]), (2, 2))
        self.assertEqual(report["encoder"], "gistnet")

        old_tree = self.cli.result("inspect", "--document", "d1")
        new_tree = self.cli.result("inspect", "--document", "d1", "--store", new)
        for key in ("tokens", "bytes", "content_hash", "levels", "source"):
            self.assertEqual(old_tree[key], new_tree[key], key)
        self.assertEqual(self.cli.run("read", path, "--store", new).stdout, TEXT.encode())
        self.cli.result("verify", "--store", new)
        # The old one is untouched and still opens with the encoder that made it.
        self.assertEqual(self.cli.run("read", path).stdout, TEXT.encode())
        self.cli.result("query", "what")

        again = self.cli.result("reindex", "--into", new)  # the new store knows its encoder
        self.assertEqual(again["gists_added"], 0)

    def test_a_store_is_not_reindexed_into_itself(self):
        self.cli.result("ingest", self.cli.write("text.txt", TEXT[:500]))
        done = self.cli.run("reindex", "--into", self.cli.store)
        self.assertEqual(done.returncode, 2)


if __name__ == "__main__":
    cli.main()
