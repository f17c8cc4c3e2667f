#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Encrypted stores as a user runs them: made, used, refused, carried, and never in clear on the disk."""

import json
import os
import pty
import select
import signal
import struct

import agent
import cli

ANNA = "Anna Barlow keeps a tortoise named Zebulon in the greenhouse.\n"
PAGE = "<html><body><h1>Voyage of the Marigold</h1><p>The bell was cast in Lisbon.</p></body></html>"
SAID = "The ferry to Ronneby leaves at a quarter past nine."
LONG = "".join(f"Ship {i * 7919} came in with grain and left with wine.\n" for i in range(300))
ASK = ("query", "Which animal does Anna keep?")
# What a plain store holds in its files as it stands here: words of the index (stems in lower case), of an original and
# of a request that waits, and names. The text itself lies there as tokens.
TOLD = [b"zebulon", b"tortois", b"greenhous", b"Marigold", b"marigold", b"Lisbon", b"lisbon", b"ronneb", b"skipper",
        b"came in with grain", b"diary-of-anna", b"confidential-bank", b"thursday-session", b"voyage.html",
        b"asked-by-the-court", b"ship-register", b"laptop-of-anna"]


class Encryption(cli.CliTestCase):
    def setUp(self):
        super().setUp()
        self.key = self.cli.home / "memory.key"
        self.cli.result("key", "new", self.key)
        self.plain_environment = self.cli.environment()
        self.use_key(self.key)

    def use_key(self, key):
        more = {} if key is None else {"MEGACONTEXT_KEY_FILE": str(key)}
        self.cli.environment = lambda: {**self.plain_environment, **more}

    def fill(self):
        """Through every door that writes."""
        bank = ("--bank", "confidential-bank")
        self.cli.write("diary-of-anna.txt", ANNA)
        self.cli.write("voyage.html", PAGE)
        self.cli.write("gone.txt", "This goes because it was asked-by-the-court.\n")
        self.cli.results(*bank, "ingest", "diary-of-anna.txt", "voyage.html", "gone.txt")
        self.cli.result(*bank, *ASK)
        self.cli.result(*bank, "forget", "gone.txt", "--yes", "--reason", "asked-by-the-court")
        self.cli.run("serve", "key", "create", "laptop-of-anna", "--only-bank", "confidential-bank")
        secret = self.cli.result("serve", "key", "create", "all")["secret"]
        server = agent.HttpProcess(self.cli, *bank, key=secret)
        self.addCleanup(lambda: server.process.poll() is None and server.close(signal.SIGKILL))
        server.call("remember", text=SAID, session="thursday-session", role="skipper")
        status, headers, form = server.send("POST", "/v1/remember", {"text": LONG, "name": "ship-register"},
                                            {"Prefer": "respond-async"})
        self.assertEqual(status, 202, form)
        seen = self.bytes_of_store()  # while the request waits, or is being done
        path = "/v1/operations/" + form["operation"]
        while server.send("GET", path)[2]["state"] != "done":
            server.call("status")
        self.assertTrue(server.call("recall", question="When does the ferry to Ronneby leave?")["known"])
        self.assertEqual(server.close(), 0)
        self.cli.run(*bank, "chat", stdin=b"Where does Zebulon sleep?\n")
        return seen

    def bytes_of_store(self):
        return b"\0".join(path.read_bytes() for path in sorted(self.cli.store.rglob("*")) if path.is_file())

    def token_runs(self):
        """Six tokens of the diary as records could have them, in both widths."""
        lines = self.cli.results("model", "score", "diary-of-anna.txt")
        ids = [line["token"] for line in lines if "token" in line and isinstance(line["token"], int)][2:8]
        self.assertEqual(len(ids), 6)
        return [struct.pack("<6H", *ids), struct.pack("<6I", *ids)]

    def test_no_file_holds_what_was_told(self):
        # An ingest and its index, a conversion, a session, an operation, a chat, keys, tombstones, export and backup.
        during = self.fill()
        self.cli.result("--bank", "confidential-bank", "export", "--gists", self.cli.store / "x.mcbank")
        self.cli.result("backup", self.cli.home / "copy")
        (self.cli.home / "copy").rename(self.cli.store / "copy")
        sealed = during + self.bytes_of_store()
        tokens = self.token_runs()
        names = [path.name for path in self.cli.store.rglob("*")]
        for told in [*TOLD, *tokens, b"Zebulon", b"Ronneb"]:
            self.assertFalse(told in sealed, told)
        self.assertFalse([name for name in names if any(told.decode(errors="replace") in name for told in TOLD)])
        # The same search finds all of it where nothing is encrypted.
        self.cli.store = self.cli.home / "plain"
        self.use_key(None)
        self.plain_environment = {**self.plain_environment, "MEGACONTEXT_STORE": str(self.cli.store)}
        during = self.fill()
        plain = during + self.bytes_of_store()
        for told in [*TOLD, tokens[0]]:
            self.assertTrue(told in plain, told)

    def test_the_store_opens_with_its_key_alone(self):
        self.cli.write("diary-of-anna.txt", ANNA)
        self.cli.results("ingest", "diary-of-anna.txt")
        self.assertEqual(self.cli.run("read", "diary-of-anna.txt").stdout.decode(), ANNA)
        self.assertTrue(self.cli.result("inspect")["store"]["encrypted"])
        self.assertIn(b"encrypted", self.cli.run("inspect").stdout)
        before = self.cli.store_digest()
        self.use_key(None)
        for command in (ASK, ("ingest", "diary-of-anna.txt"), ("inspect",), ("verify",), ("export", "x"),
                        ("backup", "copy"), ("repair", "--into", "saved"), ("serve", "key", "list"),
                        ("repl", "-c", ".docs"), ("mcp",), ("serve",), ("bank", "list"), ("chat",)):
            self.check_error(self.cli.run(*command), 13, "key", "is encrypted with a key file", "give --key-file FILE")
        other = self.cli.home / "other.key"
        self.cli.result("key", "new", other)
        self.check_error(self.cli.run("--key-file", other, *ASK, "--json"), 13, "key",
                         f"the key does not open store {self.cli.store}", str(other))
        phrase = self.cli.write("phrase", "correct horse\n")
        self.check_error(self.cli.run("--passphrase-file", phrase, *ASK), 13, "key", "is encrypted with a key file")
        self.check_error(self.cli.run("--key-file", self.cli.home / "none", *ASK), 3, "invalid_input", "none")
        self.assertEqual(self.cli.store_digest(), before)
        # A key that a store has no use for is no less wrong: who gives one expects encryption.
        self.cli.run("--store", "plain", "ingest", "diary-of-anna.txt")
        self.check_error(self.cli.run("--store", "plain", "--key-file", self.key, *ASK), 13, "key", "is not encrypted")

    def test_one_key_counts_and_two_are_refused(self):
        phrase = self.cli.write("phrase", "correct horse\n")
        done = self.cli.run("--key-file", self.key, "--passphrase-file", phrase, "inspect")
        self.check_error(done, 2, "usage", "--key-file", "--passphrase-file")
        self.cli.write("note.txt", ANNA)
        # The flag is stronger than the variable, of whatever kind.
        self.cli.results("--passphrase-file", phrase, "ingest", "note.txt")
        self.check_error(self.cli.run("inspect"), 13, "key", "passphrase")
        self.use_key(None)
        self.cli.environment = lambda: {**self.plain_environment, "MEGACONTEXT_PASSPHRASE": "correct horse"}
        self.assertEqual(self.cli.run("read", "note.txt").stdout.decode(), ANNA)

    def test_export_and_import_with_and_without_keys(self):
        self.cli.write("diary-of-anna.txt", ANNA)
        self.cli.results("ingest", "diary-of-anna.txt")
        sealed, plain = self.cli.home / "sealed.mcbank", self.cli.home / "plain.mcbank"
        self.assertTrue(self.cli.result("export", "--gists", sealed)["encrypted"])
        self.assertFalse(self.cli.result("export", "--gists", "--plain", plain)["encrypted"])
        self.assertNotIn(b"diary-of-anna", sealed.read_bytes())
        self.assertIn(b"diary-of-anna", plain.read_bytes())
        for file in (sealed, plain):
            self.cli.results("--store", "into-sealed", "import", file)
        self.assertEqual(self.cli.run("--store", "into-sealed", "read", "diary-of-anna.txt").stdout.decode(), ANNA)
        self.use_key(None)
        self.check_error(self.cli.run("--store", "into-plain", "import", sealed), 13, "key", str(sealed), "give")
        for file, more in ((sealed, ("--file-key", self.key)), (plain, ())):
            done = self.cli.results("--store", "into-plain", "import", file, *more)[-1]
            self.assertEqual(done["gists"], "of_the_file")
        self.assertEqual(self.cli.run("--store", "into-plain", "read", "diary-of-anna.txt").stdout.decode(), ANNA)
        other = self.cli.home / "other.key"
        self.cli.result("key", "new", other)
        self.check_error(self.cli.run("--store", "into-plain", "import", sealed, "--file-key", other), 13, "key",
                         f"the key does not open {sealed}")

    def test_a_plain_store_becomes_encrypted_and_an_encrypted_one_plain(self):
        self.use_key(None)
        self.cli.write("diary-of-anna.txt", ANNA)
        self.cli.results("ingest", "diary-of-anna.txt")
        self.check_error(self.cli.run("backup", "--encrypt", "sealed"), 2, "usage", "--key-file")
        self.use_key(self.key)
        self.cli.result("backup", "--encrypt", "sealed")
        self.assertTrue(self.cli.result("--store", "sealed", "verify")["ok"])
        self.assertEqual(self.cli.run("--store", "sealed", "read", "diary-of-anna.txt").stdout.decode(), ANNA)
        self.assertNotIn(b"diary-of-anna", (self.cli.home / "sealed" / "data.mdb").read_bytes())
        self.assertTrue(self.cli.result("--store", "sealed", *ASK)["evidence"])
        self.cli.result("--store", "sealed", "backup", "--decrypt", "plain-again")
        self.cli.result("--store", "sealed", "backup", "copy")
        self.assertEqual(self.cli.run("--store", "copy", "read", "diary-of-anna.txt").stdout.decode(), ANNA)
        self.use_key(None)
        self.assertEqual(self.cli.run("--store", "plain-again", "read", "diary-of-anna.txt").stdout.decode(), ANNA)

    def test_the_key_changes_without_the_data(self):
        self.cli.write("diary-of-anna.txt", ANNA)
        self.cli.results("ingest", "diary-of-anna.txt")
        phrase = self.cli.write("phrase", "correct horse\n")
        self.cli.result("key", "change", "--new-passphrase-file", phrase)
        self.check_error(self.cli.run("read", "diary-of-anna.txt"), 13, "key", "is encrypted with a passphrase")
        self.use_key(None)
        self.assertEqual(self.cli.run("--passphrase-file", phrase, "read", "diary-of-anna.txt").stdout.decode(), ANNA)
        self.cli.result("--passphrase-file", phrase, "key", "change", "--new-key-file", self.key)
        self.assertTrue(self.cli.result("--key-file", self.key, "verify")["ok"])
        self.check_error(self.cli.run("key", "new", self.key), 3, "invalid_input", "exists already")

    def test_a_damaged_store_is_repaired_with_its_key(self):
        self.cli.write("diary-of-anna.txt", ANNA)
        self.cli.write("long.txt", LONG)
        self.cli.results("ingest", "diary-of-anna.txt", "long.txt")
        data = self.cli.store / "data.mdb"
        content = bytearray(data.read_bytes())
        content[:8192] = bytes(8192)  # both meta pages
        data.write_bytes(content)
        self.assertEqual(self.cli.run("verify").returncode, 5)
        self.cli.result("repair", "--into", "saved")
        for name, text in (("diary-of-anna.txt", ANNA), ("long.txt", LONG)):
            self.assertEqual(self.cli.run("--store", "saved", "read", name).stdout.decode(), text)
        self.assertNotIn(b"diary-of-anna", (self.cli.home / "saved" / "data.mdb").read_bytes())

    def test_what_is_forgotten_is_gone_after_a_purge(self):
        self.cli.write("diary-of-anna.txt", ANNA)
        self.cli.write("note.txt", SAID)
        self.cli.results("ingest", "diary-of-anna.txt", "note.txt")
        self.cli.result("forget", "diary-of-anna.txt", "--yes", "--purge")
        self.assertTrue(self.cli.result("verify")["ok"])
        self.assertEqual(self.cli.run("read", "note.txt").stdout.decode(), SAID)
        self.assertFalse([piece for piece in self.cli.result(*ASK)["evidence"] if "Zebulon" in piece["text"]])


class OnATerminal(cli.CliTestCase):
    """A passphrase is asked for, and not shown."""

    def converse(self, arguments, answers):
        process, descriptor = pty.fork()
        if process == 0:
            os.chdir(self.cli.home)
            os.execve(self.cli.binary, [str(self.cli.binary), *arguments], {**self.cli.environment(), "TERM": "xterm"})
        seen = b""
        waiting = list(answers)
        while True:
            ready, _, _ = select.select([descriptor], [], [], 60)
            try:
                more = os.read(descriptor, 4096) if ready else b""
            except OSError:  # the other end is closed
                more = b""
            if not more:
                break
            seen += more
            if waiting and seen.rstrip().endswith(waiting[0][0]):
                os.write(descriptor, waiting.pop(0)[1] + b"\n")
        os.close(descriptor)
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), seen.decode()

    def test_it_is_asked_for_twice_at_first_and_once_later(self):
        self.cli.write("note.txt", ANNA)
        make = ["--passphrase-file", "-", "ingest", "note.txt"]
        code, seen = self.converse(make, [(b"store:", b"correct horse"), (b"again:", b"correct hose")])
        self.assertEqual(code, 2, seen)
        self.assertIn("the two passphrases differ", seen)
        self.assertNotIn("correct", seen)
        code, seen = self.converse(make, [(b"store:", b"correct horse"), (b"again:", b"correct horse")])
        self.assertEqual(code, 0, seen)
        code, seen = self.converse(["read", "note.txt"], [(b"store:", b"correct horse")])
        self.assertEqual(code, 0, seen)
        self.assertIn("Zebulon", seen)
        self.assertNotIn("correct", seen)
        code, seen = self.converse(["read", "note.txt"], [(b"store:", b"wrong")])
        self.assertEqual(code, 13, seen)
        self.assertIn("the key does not open", seen)
        code, seen = self.converse(["read", "note.txt"], [(b"store:", b"half of it\x03")])
        self.assertEqual(code, 130, seen)
        code, seen = self.converse(["model", "info"], [])  # works on no store
        self.assertEqual(code, 0, seen)
        self.assertNotIn("Passphrase", seen)

    def test_what_is_typed_in_a_session_is_kept_in_no_history(self):
        self.cli.write("note.txt", ANNA)
        phrase = self.cli.write("phrase", "correct horse\n")
        self.cli.results("--passphrase-file", phrase, "ingest", "note.txt")
        code, seen = self.converse(["--passphrase-file", str(phrase), "repl"],
                                   [(b"default>", b".docs"), (b"default>", b".quit")])
        self.assertEqual(code, 0, seen)
        self.assertEqual([path for path in self.cli.home.rglob("*history*") if path.is_file()], [])


class WithoutATerminal(cli.CliTestCase):
    def test_a_passphrase_comes_from_standard_input_where_it_is_asked_for(self):
        self.cli.write("note.txt", ANNA)
        options = {"stdin": -1, "start_new_session": True}
        running = self.cli.start("--passphrase-file", "-", "ingest", "note.txt", "--json", **options)
        out, error = running.communicate(b"correct horse\n", cli.TIMEOUT_SECONDS)
        self.assertEqual(running.returncode, 0, error)
        self.assertEqual(json.loads(out.splitlines()[0])["outcome"], "ingested")
        running = self.cli.start("read", "note.txt", **options)
        out, error = running.communicate(b"", cli.TIMEOUT_SECONDS)
        self.assertEqual((running.returncode, out), (13, b""))
        self.assertIn(b"is encrypted with a passphrase: give --passphrase-file", error)
        running = self.cli.start("--passphrase-file", "-", "read", "note.txt", **options)
        out, _ = running.communicate(b"\n", cli.TIMEOUT_SECONDS)
        self.assertEqual((running.returncode, out), (3, b""))


if __name__ == "__main__":
    cli.main()
