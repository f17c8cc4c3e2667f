#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Documents in and out: the same bytes, the same tree, however they arrive and whatever happens."""

import json
import os
import signal
import subprocess

import cli

# Two commits of 4,096 tokens and a rest, and one and a rest: a kill can fall between commits.
LONG_WORDS = 2300
HALF_WORDS = 1300
SHORT = cli.made_up_text(seed=3, word_count=150)


class Ingest(cli.CliTestCase):
    def block_bytes(self, document):
        """Where every block begins and ends: equal only for equal tokens."""
        record = self.cli.result("inspect", "--document", document)
        blocks = sum(level["nodes"] for level in record["levels"] if level["level"] == 1)
        commands = "".join(f".node {document}/L1/{i}\n" for i in range(blocks))
        return [node["bytes"] for node in self.cli.results("repl", stdin=commands.encode())]

    def shape(self, document):
        record = self.cli.result("inspect", "--document", document)
        return {key: record[key] for key in ("tokens", "bytes", "content_hash", "complete",
                                             "levels", "tail_tokens")}

    def test_the_space_on_disk_is_told_by_its_parts(self):
        tokens = self.cli.result("ingest", self.cli.write("text.txt", SHORT))["tokens"]
        sizes = self.cli.result("inspect", "--size")
        parts = {one["part"]: one["bytes"] for one in sizes["parts"]}
        self.assertEqual(sizes["tokens"], tokens)
        self.assertEqual(sum(parts.values()), sizes["disk_bytes"])
        self.assertEqual(set(parts), {"text", "documents", "gists", "statistics", "vectors",
                                      "words", "other"})
        for part in ("text", "gists", "vectors", "words"):
            self.assertGreater(parts[part], 0, part)

    def test_the_exact_bytes_come_back(self):
        path = self.cli.write("text.txt", SHORT)
        report = self.cli.result("ingest", path)
        self.assertEqual(report["outcome"], "ingested")
        self.assertEqual(report["bytes"], len(SHORT.encode()))
        self.assertEqual(self.cli.run("read", path).stdout, SHORT.encode())
        for begin, end in ((0, 1), (7, 7), (100, 333), (len(SHORT) - 1, len(SHORT))):
            done = self.cli.run("read", "d1", "--bytes", f"{begin}:{end}")
            self.assertEqual(done.stdout, SHORT.encode()[begin:end])
        self.assertEqual(self.cli.run("read", "1", "--bytes", "500:").stdout,
                         SHORT.encode()[500:])

    def test_the_last_log_line_counts_what_was_taken_in_before_an_error_too(self):
        good, bad = self.cli.write("text.txt", SHORT), self.cli.write("bad.txt", b"\xff\xfe\0")
        done = self.cli.run("ingest", good, bad, "--json", "--log-level", "info", "--log-json")
        self.assertEqual(done.returncode, 3)
        report = json.loads(done.stdout)
        totals = json.loads(done.stderr.splitlines()[-1])
        self.assertEqual((totals["event"], totals["commits_total"]), ("totals", 2))  # text, gists
        self.assertEqual(totals["ingest_tokens_total"], report["tokens_added"])
        self.assertEqual(totals["ingest_gists_total"], report["tokens_added"] // 32)
        self.assertGreater(totals["ingest_seconds_sum"], 0)
        self.assertEqual(totals["questions_total"], 0)

    def test_any_bytes_come_back_when_binary_is_asked_for(self):
        content = bytes(range(256)) * 3 + b"<|im_start|>\xff\xfe\0"
        path = self.cli.write("bytes.bin", content)
        self.cli.result("ingest", path, "--binary")
        self.assertEqual(self.cli.run("read", path).stdout, content)
        self.assertFalse(self.cli.result("read", path)["exact"])

    def test_the_way_in_does_not_change_the_tree(self):
        path = self.cli.write("text.txt", SHORT)
        self.cli.result("ingest", path)
        self.cli.result("ingest", "-", "--name", "piped", stdin=SHORT.encode())
        self.cli.result("ingest", self.cli.write("folder/again.txt", SHORT), "--bank", "other")
        self.assertEqual(self.shape("d1"), self.shape("d2"))
        self.assertEqual(self.block_bytes("d1"), self.block_bytes("d2"))

    def test_the_same_again_adds_nothing(self):
        path = self.cli.write("text.txt", SHORT)
        self.cli.result("ingest", path)
        before = self.shape("d1")
        report = self.cli.result("ingest", path)
        self.assertEqual((report["outcome"], report["tokens_added"]), ("already_there", 0))
        self.assertEqual(self.shape("d1"), before)
        self.assertEqual(len(self.cli.result("inspect")["documents"]), 1)

    def test_a_file_that_has_grown_is_extended(self):
        path = self.cli.write("log.txt", SHORT)
        self.cli.result("ingest", path)
        grown = SHORT + cli.made_up_text(seed=4, word_count=80)
        path.write_text(grown)
        self.assertEqual(self.cli.result("ingest", path)["outcome"], "extended")
        self.assertEqual(self.cli.run("read", path).stdout, grown.encode())
        self.assertTrue(self.cli.result("verify")["ok"])

    def test_a_folder_is_taken_in_order_without_what_is_no_text(self):
        self.cli.write("folder/b.txt", SHORT)
        self.cli.write("folder/a.txt", "A short text.\n")
        self.cli.write("folder/image.png", b"\x89PNG\0\0")
        self.cli.write("folder/empty.txt", "")
        self.cli.write("folder/.hidden", "not seen")
        reports = self.cli.results("ingest", self.cli.home / "folder")
        outcomes = [(os.path.basename(r["source"]), r["outcome"]) for r in reports]
        self.assertEqual(outcomes, [("a.txt", "ingested"), ("b.txt", "ingested"),
                                    ("empty.txt", "skipped"), ("image.png", "skipped")])
        self.assertIn("NUL", reports[3]["reason"])

    def test_statistics_are_kept_when_asked_for(self):
        self.cli.result("ingest", self.cli.write("with.txt", SHORT), "--stats")
        self.cli.result("ingest", self.cli.write("without.txt", SHORT))
        self.assertGreater(self.cli.result("inspect", "--node", "d1/L1/0")["mean_nll"], 0)
        self.assertIsNone(self.cli.result("inspect", "--node", "d2/L1/0")["mean_nll"])

    def test_nothing_but_results_on_standard_output_and_nothing_on_standard_error(self):
        done = self.cli.run("ingest", self.cli.write("text.txt", SHORT))
        self.assertEqual(done.stderr, b"")
        self.assertEqual([line.split()[0] for line in done.stdout.decode().splitlines()],
                         ["ingested", "gists"])
        self.assertNotIn(b"\x1b", done.stdout)

    def test_a_kill_at_any_time_loses_and_doubles_nothing(self):
        text = cli.made_up_text(seed=5, word_count=LONG_WORDS)
        path = self.cli.write("long.txt", text)
        kills = 0
        for tokens in (4096, 8192):
            process = self.cli.start("ingest", path)
            self.wait_for_tokens(process, tokens)
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                kills += 1
            process.communicate()
        self.assertGreater(kills, 0, "every ingest ended before it was killed")
        self.assertTrue(self.cli.result("verify")["ok"])
        self.cli.result("ingest", path)
        self.check_same_as_uninterrupted(path, text)

    def test_an_interrupt_keeps_what_is_committed_and_says_so(self):
        text = cli.made_up_text(seed=6, word_count=HALF_WORDS)
        path = self.cli.write("long.txt", text)
        process = self.cli.start("ingest", path, "--json")
        self.wait_for_tokens(process, 0)
        process.send_signal(signal.SIGINT)
        _, message = process.communicate()
        self.assertEqual(process.returncode, 130, message)
        self.assertEqual(json.loads(message)["error"]["code"], "cancelled")
        interrupted = self.shape("d1")
        self.assertEqual((interrupted["complete"], interrupted["tokens"]), (False, 4096))
        self.assertEqual(self.cli.result("ingest", path)["outcome"], "resumed")
        self.check_same_as_uninterrupted(path, text)

    def test_a_file_that_shrinks_meanwhile_is_taken_as_it_was(self):
        text = cli.made_up_text(seed=7, word_count=HALF_WORDS)
        path = self.cli.write("long.txt", text)
        process = self.cli.start("ingest", path)
        self.wait_for_tokens(process, 0)
        os.truncate(path, 10)
        _, message = process.communicate()
        self.assertEqual(process.returncode, 0, message)
        self.assertEqual(self.cli.run("read", path).stdout, text.encode())

    def test_a_pipe_is_taken_like_standard_input(self):
        for name in ("/dev/stdin", "/proc/self/fd/0"):
            done = self.cli.run("ingest", name, "--json", stdin=SHORT.encode())
            self.check_error(done, 2, "usage", name, "--name")
            self.cli.result("ingest", name, "--name", name[1:], stdin=SHORT.encode())
            self.assertEqual(self.cli.run("read", name[1:]).stdout, SHORT.encode())

    def test_closed_standard_streams_are_not_the_stores_files(self):
        self.cli.result("ingest", self.cli.write("first.txt", SHORT))
        # Makes a message, and a file opened as number 2 would get it.
        bad = self.cli.write("bad.txt", "caf\u00e9".encode("latin-1"))
        for closed in [(0, 1, 2)] * 6 + [(0,), (1,), (2,), (1, 2)]:
            path = self.cli.write(f"text{len(list(self.cli.home.iterdir()))}.txt",
                                  f"Nobody listens to {closed}.\n")
            self.run_with_closed(closed, "ingest", path, bad)
            self.assertTrue(self.cli.result("verify")["ok"], closed)
            self.assertEqual(self.cli.run("read", path).stdout, path.read_bytes())
        # Nor are its bytes lines that somebody typed.
        done = self.run_with_closed((0,), "repl")
        self.assertEqual((done.returncode, done.stdout), (0, b""), done.stderr)

    def run_with_closed(self, descriptors, *arguments):
        """As a shell starts it with <&- >&- 2>&-."""
        def close():
            for descriptor in descriptors:
                os.close(descriptor)
        return subprocess.run([str(self.cli.binary), *map(str, arguments)], cwd=self.cli.home,
                              env=self.cli.environment(), stdin=subprocess.DEVNULL,
                              capture_output=True, preexec_fn=close, check=False,
                              timeout=cli.TIMEOUT_SECONDS)

    def wait_for_tokens(self, process, count):
        """Until the store has a document with as many tokens, or the process has ended."""
        while process.poll() is None:
            seen = self.cli.run("inspect", "--json")
            if seen.returncode == 0:
                documents = json.loads(seen.stdout)["documents"]
                if any(document["tokens"] >= count for document in documents):
                    return

    def check_same_as_uninterrupted(self, path, text):
        """Against the same text ingested at one go under another name."""
        self.assertEqual(self.cli.run("read", path).stdout, text.encode())
        self.cli.result("ingest", "-", "--name", "whole", stdin=text.encode())
        self.assertEqual(self.shape("d1"), self.shape("d2"))
        self.assertEqual(self.block_bytes("d1"), self.block_bytes("d2"))
        self.assertTrue(self.cli.result("verify")["ok"])


if __name__ == "__main__":
    cli.main()
