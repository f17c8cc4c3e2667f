#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Documents go through workers into servers' stores: all of them, once, as a local ingest has them,
whoever dies meanwhile."""

import json
import signal
import subprocess
import time
import urllib.error
import urllib.request

import cli
import nats

LEASE_SECONDS = 3


class ClusterTestCase(cli.CliTestCase):
    nats_count = 1

    def setUp(self):
        super().setUp()
        self.processes = []
        self.addCleanup(self.end_all)
        self.nats = nats.Nats(self.cli.home / "nats", self.nats_count)
        self.addCleanup(self.nats.close)
        self.flags = ("--cluster", self.nats.url)
        self.create()

    def create(self):
        self.until(lambda: self.cli.run("cluster", "create", *self.flags, "--replicas",
                                        self.nats_count, "--lease-seconds", LEASE_SECONDS,
                                        "--queue-bytes", 100_000_000).returncode == 0)

    def end_all(self):
        for process in self.processes:
            process.kill()
            process.communicate()

    def start(self, *arguments):
        process = self.cli.start(*arguments, *self.flags)
        self.processes.append(process)
        return process

    def until(self, holds):
        """Asks again until it holds; the limit is for what never does."""
        end = time.monotonic() + cli.TIMEOUT_SECONDS
        while not holds():
            self.assertLess(time.monotonic(), end, "it never came to be")
            time.sleep(0.05)  # as any client would; nothing depends on how long

    def document(self, number, words=120):
        return self.cli.write(f"doc-{number}.txt", cli.made_up_text(seed=number, word_count=words))

    def submit(self, *paths, bank="default"):
        return self.cli.results("submit", *self.flags, "--bank", bank, *paths)

    def serve(self, store, *more):
        """A server with a store of its own; its process and its URL."""
        process = self.start("serve", "--json", "--port", "0", "--store", self.cli.home / store, *more)
        line = process.stdout.readline()
        self.assertTrue(line, "the server ended: " + (process.stderr.read().decode()
                                                      if process.poll() is not None else ""))
        return process, json.loads(line)["url"]

    def ask(self, url, verb, **arguments):
        """Status and answer of a request."""
        request = urllib.request.Request(f"{url}/v1/{verb}", json.dumps(arguments).encode(),
                                         {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)
        except (urllib.error.URLError, ConnectionError, TimeoutError) as lost:
            return 0, {"detail": str(lost)}

    def text_at(self, url, name, bank="default"):
        """What a server has under a name; nothing where it has nothing, or not the bank."""
        status, answer = self.ask(url, "read", document=name, bank=bank)
        return answer["text"] if status == 200 else None

    def tree(self, store, name, bank="default"):
        """What must be the same in every store: the document, and its gists by level."""
        inspected = self.cli.result("inspect", "--store", store, "--bank", bank, "--document", name)
        return {key: inspected[key] for key in ("source", "tokens", "bytes", "content_hash", "levels")}

    def exported_gists(self, store, bank="default"):
        """Of each document its groups of gists as they lie in the store, by name."""
        path = self.cli.home / f"{store.name}.mcbank"
        self.cli.result("export", "--store", store, "--bank", bank, "--gists", path)
        return gists_of(path.read_bytes())

    def check_same_as_local(self, store, paths, bank="default"):
        local = self.cli.home / "local"
        self.cli.results("ingest", "--store", local, "--bank", bank, *paths)
        self.cli.result("verify", "--store", store)
        listed = self.cli.result("inspect", "--store", store, "--bank", bank)
        self.assertEqual(listed["documents"] if isinstance(listed["documents"], int)
                         else len(listed["documents"]), len(paths))
        for path in paths[:3]:  # of all others, the gists below
            self.assertEqual(self.tree(store, path, bank), self.tree(local, path, bank))
        ours, theirs = self.exported_gists(store, bank), self.exported_gists(local, bank)
        self.assertEqual(ours.keys(), theirs.keys())
        self.assertEqual(ours, theirs)


def gists_of(content):
    """{(document's text hash by order): gists} of an exported bank with gists: records of database 4
    by the document that they belong to, whose name is in its record. Documents keep the order of
    their ids, which is none that two stores share, so they are known by their texts."""
    at, document, found = 24, None, {}
    while at < len(content):
        kind, size = int.from_bytes(content[at:at + 4], "little"), int.from_bytes(
            content[at + 4:at + 8], "little")
        payload = content[at + 16:at + 16 + size]
        at += 16 + size
        if kind == 1:
            key_size = int.from_bytes(payload[1:3], "little")
            key, value = payload[3:3 + key_size], payload[3 + key_size:]
            if payload[0] == 2 and key[:1] == b"d":
                document = []
            elif payload[0] == 4:
                # Behind the checksum, which covers the key and so the document's id.
                document.append((key[8:], value[8:]))
        elif kind == 2:
            if document is not None and isinstance(document, list):
                found.setdefault(payload, document)
    return found


class Cluster(ClusterTestCase):
    def test_what_is_submitted_is_what_a_local_ingest_would_have_made(self):
        paths = [self.document(number) for number in range(3)]
        self.assertEqual([one["outcome"] for one in self.submit(*paths)], ["submitted"] * 3)
        worker = self.cli.results("worker", *self.flags, "--until-empty")
        self.assertEqual([one["outcome"] for one in worker], ["encoded"] * 3)
        server, url = self.serve("served")
        self.until(lambda: all(self.text_at(url, str(path)) == path.read_text() for path in paths))
        self.assertIn(str(paths[1]), json.dumps(self.ask(
            url, "recall", question=" ".join(paths[1].read_text().split()[40:46]))[1]))
        status = self.cli.result("cluster", "status", *self.flags)
        self.assertEqual((status["waiting"], status["log_entries"], status["set_aside"]), (0, 3, 0))
        self.assertEqual([one["bank"] for one in status["owners"]], ["default"])
        server.send_signal(signal.SIGTERM)
        server.communicate()
        self.check_same_as_local(self.cli.home / "served", paths)

    def test_a_document_that_cannot_be_taken_is_set_aside_with_its_error(self):
        self.submit(self.document(1), self.cli.write("bad.txt", b"\x80\x81" * 50))
        worker = self.cli.results("worker", *self.flags, "--until-empty")
        self.assertEqual(sorted(one["outcome"] for one in worker), ["encoded", "set_aside"])
        failed = self.cli.results("cluster", "failed", *self.flags)
        self.assertEqual(len(failed), 1)
        self.assertTrue(failed[0]["source"].endswith("bad.txt"))
        self.assertIn("UTF-8", failed[0]["error"])

    def test_other_content_under_a_taken_name_is_set_aside_and_what_stands_stays(self):
        path = self.document(1)
        self.submit(path)
        first = path.read_text()
        path.write_text(cli.made_up_text(seed=2, word_count=120))
        self.submit(path)
        self.submit(self.document(9))
        self.cli.results("worker", *self.flags, "--until-empty")
        _, url = self.serve("served")
        self.until(lambda: self.text_at(url, str(self.cli.home / "doc-9.txt")) is not None)
        self.assertEqual(self.text_at(url, str(path)), first)
        failed = self.cli.results("cluster", "failed", *self.flags)
        self.assertIn("other content", failed[0]["error"])

    def test_what_agents_remember_and_forget_comes_to_the_next_owner(self):
        first, url = self.serve("first")
        self.until(lambda: self.ask(url, "remember", session="s", text="one")[0] == 200)
        status, answer = self.ask(url, "remember", text="Anna has a boat.", name="boat")
        self.assertEqual((status, answer["outcome"]), (200, "ingested"))
        status, again = self.ask(url, "remember", text="Anna has a boat.", name="boat")
        self.assertEqual((status, again["outcome"]), (200, "already_there"))
        self.ask(url, "remember", text="Ben has a car.", name="car")
        self.assertEqual(self.ask(url, "forget", documents=[answer["document"]], dry_run=False)[0], 200)

        second, other = self.serve("second")
        refused, why = self.ask(other, "read", document="car")
        self.assertNotEqual(refused, 200)
        self.assertIn(url, why["detail"])  # it says who has the bank
        first.kill()
        first.communicate()
        self.until(lambda: self.text_at(other, "car") == "Ben has a car.")
        self.assertIsNone(self.text_at(other, "boat"))
        # What could not be answered is not lost: the first store catches up when it is back.
        self.assertEqual(self.ask(other, "remember", session="s", text="two")[0], 200)
        second.send_signal(signal.SIGTERM)
        second.communicate()
        _, url = self.serve("first")
        self.until(lambda: (self.text_at(url, "session/s") or "").splitlines() == ["one", "two"])

    def test_a_killed_worker_gives_its_document_to_another_and_nothing_is_there_twice(self):
        paths = [self.document(number, words=400) for number in range(4)]
        self.submit(*paths)
        killed = self.start("worker", "--json")
        self.assertIn(b"encoded", killed.stdout.readline())
        killed.kill()
        killed.communicate()
        rest = self.cli.results("worker", *self.flags, "--until-empty")
        self.assertLessEqual(len(rest), 3)
        _, url = self.serve("served")
        self.until(lambda: all(self.text_at(url, str(path)) == path.read_text() for path in paths))
        self.assertEqual(self.cli.result("cluster", "status", *self.flags)["log_entries"], 4)

    def test_wrong_addresses_and_missing_clusters_are_one_clear_line(self):
        done = self.cli.run("submit", "--cluster", "nats://127.0.0.1:1", self.document(1))
        self.check_error(done, 4, "io", "nats://127.0.0.1:1")
        empty = nats.Nats(self.cli.home / "empty")
        self.addCleanup(empty.close)
        done = self.cli.run("cluster", "status", "--cluster", empty.url)
        self.check_error(done, 3, "invalid_input", "megacontext cluster create")


if __name__ == "__main__":
    nats.need_nats()
    cli.main()
