#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""eval run gist-probes as a user runs it, and what it refuses."""

import cli


class GistProbes(cli.CliTestCase):
    def test_a_run_leaves_its_numbers_and_plots(self):
        book = self.cli.write("book.txt", cli.made_up_text(seed=1, word_count=500))
        done = self.cli.result("eval", "run", "gist-probes", "--docs", book, "--output", "out", "--windows", 2,
                               "--encoders", "kv-last,zeroth=kv-mean")
        found = done["results"]
        numbers = found["results"]["gist-probes/" + str(book)]
        self.assertGreater(numbers["probability@all,full"], 0.5)
        self.assertLess(numbers["probability@all,none"], 0.5)
        self.assertGreater(numbers["Rs@all,kv-last"], -1)
        self.assertEqual(len(numbers["Rs@first4-middle_ci95,zeroth"]), 2)
        self.assertEqual(found["geometry"]["zeroth"]["gists"], 16)
        self.assertEqual(found["pooling"], {})
        self.assertIn("--encoders kv-last,zeroth=kv-mean --seed 1", found["command_line"])
        for path in [done["table_path"], done["results_path"], done["tokens_path"], *done["plot_paths"]]:
            self.assertTrue((self.cli.home / path).is_file(), path)

    def test_what_cannot_be_probed_is_one_clear_error(self):
        book = self.cli.write("book.txt", cli.made_up_text(seed=1, word_count=100))
        run = ["eval", "run", "gist-probes", "--docs", book]
        self.check_error(self.cli.run(*run, "--horizon", 64), 2, "usage", "--horizon")
        self.check_error(self.cli.run(*run, "--windows", 1), 2, "usage", "windows")
        self.check_error(self.cli.run(*run, "--windows", 900), 3, "invalid_input", "book.txt")
        self.check_error(self.cli.run(*run, "--encoders", "kv-best"), 2, "usage", "kv-best")
        self.assertFalse((self.cli.home / "gist-probes-results").exists())


if __name__ == "__main__":
    cli.main()
