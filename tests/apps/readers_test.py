#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who only reads is stopped by nothing that writers alone need."""

import shutil
import subprocess

import cli

NOTE = "Anna Barlow keeps a tortoise named Zebulon.\n"


class Readers(cli.CliTestCase):
    def setUp(self):
        super().setUp()
        self.cli.write("note.txt", NOTE)

    def check_readers_go_on(self):
        evidence = self.cli.result("query", "Which animal does Anna keep?")["evidence"]
        self.assertIn("Zebulon", evidence[0]["text"])
        self.assertEqual(self.cli.run("read", "note.txt").stdout, NOTE.encode())
        self.assertTrue(self.cli.result("verify")["ok"])
        self.assertEqual(self.cli.result("inspect")["documents"][0]["source"], "note.txt")
        shown = self.cli.run("repl", stdin=b".docs\nWhich animal does Anna keep?\n")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertIn(b"Zebulon", shown.stdout)

    def mount(self, *arguments):
        folder = self.cli.home / "mounted"
        folder.mkdir()
        mount, umount = shutil.which("mount"), shutil.which("umount")
        if mount is None or umount is None or subprocess.run(
                [mount, *arguments, str(folder)], capture_output=True, check=False).returncode != 0:
            self.skipTest("needs the right to mount")
        self.addCleanup(subprocess.run, [umount, "-l", str(folder)], check=True)
        return folder

    def test_where_the_writers_lock_cannot_be_had(self):
        self.cli.result("ingest", "note.txt")
        lock = self.cli.store / "writer.lock"
        lock.unlink()
        lock.mkdir()
        self.check_readers_go_on()
        self.check_error(self.cli.run("ingest", "note.txt"), 3, "invalid_input", "writer.lock")

    def test_on_a_read_only_medium(self):
        self.cli.result("ingest", "note.txt")
        folder = self.mount("--bind", str(self.cli.store))
        subprocess.run([shutil.which("mount"), "-o", "remount,ro,bind", str(folder)], check=True)
        self.cli.store = folder
        self.check_readers_go_on()

    def test_on_a_full_disk(self):
        folder = self.mount("-t", "tmpfs", "-o", "size=2m", "none")
        self.cli.store = folder / "store"
        self.cli.result("ingest", "note.txt")
        shutil.rmtree(self.cli.store / "indexes")
        stuffing = folder / "stuffing"
        with stuffing.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(1024))
            except OSError:
                pass
        self.check_readers_go_on()
        self.cli.write("more.txt", cli.made_up_text(seed=12, word_count=300))
        self.check_error(self.cli.run("ingest", "more.txt"), 6, "out_of_space")
        self.check_error(self.cli.run("backup", folder / "copy"), 6, "out_of_space")
        self.assertEqual(sorted(path.name for path in folder.iterdir()), ["store", "stuffing"])
        stuffing.unlink()
        self.cli.result("ingest", "more.txt")
        self.check_readers_go_on()


if __name__ == "__main__":
    cli.main()
