#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ingest --watch: what is written into a folder is taken in, again and again, until Ctrl-C."""

import json
import os
import pathlib
import signal
import sys

import cli

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "serve"))

import agent  # noqa: E402
import small_model  # noqa: E402


class Watch(cli.CliTestCase):
    def setUp(self):
        super().setUp()
        small_model.use(self.cli)

    def start(self, *arguments):
        running = self.cli.start("ingest", "--watch", "notes", "--no-gists", "--json", *arguments)
        self.addCleanup(lambda: running.poll() is None and (running.kill(), running.communicate()))
        return running

    def next(self, running):
        line = running.stdout.readline()
        self.assertTrue(line, "the command ended")
        return json.loads(line)

    def outcome(self, running):
        line = self.next(running)
        return line["outcome"], line["source"]

    def end(self, running):
        running.send_signal(signal.SIGINT)
        rest, errors = running.communicate(timeout=cli.TIMEOUT_SECONDS)
        self.assertEqual((running.returncode, rest), (0, b""), errors)
        return errors.decode()

    def test_what_is_written_is_taken_in(self):
        self.cli.write("notes/anna.txt", "Anna Barlow keeps a tortoise named Zebulon.\n")
        running = self.start("--keep-versions", 2)
        self.assertEqual(self.outcome(running), ("ingested", "notes/anna.txt"))
        self.cli.write("notes/ben.txt", "Ben Moss drinks cocoa.\n")
        self.assertEqual(self.outcome(running), ("ingested", "notes/ben.txt"))
        self.cli.write("notes/.hidden.txt", "Nobody sees this.\n")
        self.cli.write("notes/deep/er/carl.txt", "Carl Ness keeps a goat.\n")
        self.assertEqual(self.outcome(running), ("ingested", "notes/deep/er/carl.txt"))
        with open(self.cli.home / "notes/ben.txt", "a", encoding="utf-8") as file:
            file.write("He lives in Lima.\n")
        self.assertEqual(self.outcome(running), ("extended", "notes/ben.txt"))
        self.cli.write("saved.tmp", "Anna Barlow keeps a heron.\n")  # as editors save
        os.rename(self.cli.home / "saved.tmp", self.cli.home / "notes/anna.txt")
        self.assertEqual(self.outcome(running), ("replaced", "notes/anna.txt"))
        self.cli.write("notes/bad.txt", b"\x00\x01\x02")
        self.assertEqual(self.next(running)["outcome"], "skipped")
        os.unlink(self.cli.home / "notes/ben.txt")
        self.cli.write("notes/deep/dora.txt", "Dora Lind paints boats.\n")
        self.assertEqual(self.outcome(running), ("ingested", "notes/deep/dora.txt"))
        self.assertEqual(self.end(running), "")
        self.assertEqual(self.cli.run("read", "notes/anna.txt", "--version", 1).stdout,
                         b"Anna Barlow keeps a tortoise named Zebulon.\n")
        found = self.cli.result("query", "Who lives in Lima?")  # gone from the folder, not from memory
        self.assertIn("Lima", found["evidence"][0]["text"])
        self.assertEqual(self.cli.result("verify")["faults"], [])

    def test_others_write_the_store_in_between_and_nothing_is_lost_meanwhile(self):
        self.cli.write("notes/anna.txt", "Anna Barlow keeps a tortoise named Zebulon.\n")
        running = self.start()
        self.assertEqual(self.outcome(running), ("ingested", "notes/anna.txt"))
        memory = agent.McpProcess(self.cli)  # holds the store until it ends
        memory.call("remember", text="Ben Moss drinks cocoa.", name="ben")
        self.cli.write("notes/carl.txt", "Carl Ness keeps a goat.\n")
        self.assertIn(b"being written by process", running.stderr.readline())
        self.assertEqual(memory.close(), 0)
        self.assertEqual(self.outcome(running), ("ingested", "notes/carl.txt"))
        self.end(running)

    def test_what_is_no_folder_is_named(self):
        self.cli.write("a.txt", "Anna keeps a tortoise.")
        self.check_error(self.cli.run("ingest", "--watch", "a.txt"), 2, "usage", "a.txt")
        self.check_error(self.cli.run("ingest", "--watch", "nowhere"), 2, "usage", "nowhere")
        self.assertFalse(self.cli.store.exists())


if __name__ == "__main__":
    cli.main()
