#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Three servers of NATS, three workers and two servers, under load: each is killed, frozen or cut off
in turn, and the stores end as a single machine's would: nothing lost, nothing twice.

Cutting off needs network namespaces, and so the rights to make them; without, those tests are
skipped and say so."""

import json
import os
import signal
import subprocess
import threading
import unittest

import cli
import cluster_test
import nats


class Namespaces:
    """A bridge, and namespaces on it that can be cut off. 10.213.0.N is the N-th's address."""

    def __init__(self):
        self.tag = f"mc{os.getpid() % 100000}"
        self.made = []
        self.ip("link", "add", self.tag, "type", "bridge")
        self.ip("addr", "add", "10.213.0.254/24", "dev", self.tag)
        self.ip("link", "set", self.tag, "up")

    @staticmethod
    def ip(*arguments):
        subprocess.run(["ip", *arguments], check=True, capture_output=True)

    @classmethod
    def are_allowed(cls):
        try:
            cls.ip("netns", "add", "mcprobe")
            cls.ip("netns", "del", "mcprobe")
            return True
        except (OSError, subprocess.CalledProcessError):
            return False

    def name(self, number):
        return f"{self.tag}-{number}"

    def make(self, number):
        inside, outside = f"i{self.tag}{number}", f"o{self.tag}{number}"
        self.ip("netns", "add", self.name(number))
        self.made.append(number)
        self.ip("link", "add", outside, "type", "veth", "peer", "name", inside)
        self.ip("link", "set", inside, "netns", self.name(number))
        self.ip("link", "set", outside, "master", self.tag)
        self.ip("link", "set", outside, "up")
        inner = ("netns", "exec", self.name(number), "ip")
        self.ip(*inner, "addr", "add", f"10.213.0.{number}/24", "dev", inside)
        self.ip(*inner, "link", "set", inside, "up")
        self.ip(*inner, "link", "set", "lo", "up")

    def cut(self, number):
        self.ip("link", "set", f"o{self.tag}{number}", "down")

    def mend(self, number):
        self.ip("link", "set", f"o{self.tag}{number}", "up")

    def close(self):
        for number in self.made:
            self.ip("netns", "del", self.name(number))
        self.ip("link", "del", self.tag)


class Faults(cluster_test.ClusterTestCase):
    nats_count = 3
    documents = 24

    def load(self):
        """Submits one document after the other, in a thread, whatever happens meanwhile."""
        self.paths = [self.document(number, words=150) for number in range(self.documents)]
        self.allowed = threading.Semaphore(0)

        def submit_all():
            for path in self.paths:
                self.allowed.acquire()
                while self.cli.run("submit", *self.flags, path).returncode != 0:
                    pass

        submitter = threading.Thread(target=submit_all, daemon=True)
        submitter.start()
        return submitter

    def let_in(self, count):
        for _ in range(count):
            self.allowed.release()

    def log_entries(self):
        done = self.cli.run("cluster", "status", *self.flags, "--json")
        return json.loads(done.stdout)["log_entries"] if done.returncode == 0 else -1

    def wait_for_entries(self, count):
        self.until(lambda: self.log_entries() >= count)

    def check_end(self, submitter, server, url):
        submitter.join()
        self.until(lambda: all(self.text_at(url, str(path)) == path.read_text()
                               for path in self.paths))
        status = self.cli.result("cluster", "status", *self.flags)
        self.assertEqual((status["waiting"], status["log_entries"], status["set_aside"]),
                         (0, self.documents, 0))
        server.send_signal(signal.SIGTERM)
        server.communicate()

    def test_every_process_is_killed_in_turn(self):
        workers = [self.start("worker", "--json") for _ in range(3)]
        servers = [self.serve(f"store-{number}") for number in range(2)]
        submitter = self.load()
        done = 0
        for number in range(3):  # a worker, a server of NATS
            self.let_in(4)
            done += 2
            self.wait_for_entries(done)
            workers[number].kill()
            self.nats.kill(number)
            self.let_in(2)
            done += 2
            self.wait_for_entries(done)
            self.nats.start(number)
            workers[number] = self.start("worker", "--json")
        for number in range(2):  # the servers
            self.let_in(3)
            servers[number][0].kill()
            servers[number][0].communicate()
            done += 1
            self.wait_for_entries(done)
            servers[number] = self.serve(f"store-{number}")
        self.let_in(self.documents)
        self.wait_for_entries(self.documents)
        # Whoever has the bank has all of it; the other one too, once it has the bank.
        owners = [entry for entry in servers if self.text_at(entry[1], str(self.paths[0]))]
        self.until(lambda: any(self.text_at(url, str(self.paths[0])) for _, url in servers))
        owners = [entry for entry in servers if self.text_at(entry[1], str(self.paths[0]))]
        self.assertEqual(len(owners), 1)
        other = servers[1 - servers.index(owners[0])]
        self.check_end(submitter, *owners[0])
        self.check_end(submitter, *other)
        for number in range(2):
            self.check_same_as_local(self.cli.home / f"store-{number}", self.paths)


@unittest.skipUnless(Namespaces.are_allowed(), "no network namespaces can be made here")
class Partitions(Faults):
    """Servers of NATS 1 to 3, workers 11 to 13 and servers 21 and 22 in namespaces of their own."""

    def setUp(self):
        self.net = Namespaces()
        for number in (1, 2, 3, 11, 12, 13, 21, 22):
            self.net.make(number)
        self.addCleanup(self.net.close)
        cli.CliTestCase.setUp(self)
        self.processes = []
        self.addCleanup(self.end_all)
        self.nats = NatsApart(self.cli.home / "nats", self.net)
        self.addCleanup(self.nats.close)
        self.flags = ("--cluster", self.nats.url)
        self.create()

    def start_in(self, number, *arguments):
        process = subprocess.Popen(
            ["ip", "netns", "exec", self.net.name(number), str(self.cli.binary),
             *map(str, arguments), *self.flags], cwd=self.cli.home, env=self.cli.environment(),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.processes.append(process)
        return process

    def serve_in(self, number, store):
        process = self.start_in(number, "serve", "--json", "--port", "8642", "--store",
                                self.cli.home / store)
        self.assertTrue(process.stdout.readline())
        return process

    def text_in(self, number, name):
        """As text_at(), asked inside the server's namespace."""
        body = json.dumps({"document": name})
        done = subprocess.run(
            ["ip", "netns", "exec", self.net.name(number), "curl", "-s", "-m", "20", "-H",
             "Content-Type: application/json", "-d", body, "http://127.0.0.1:8642/v1/read"],
            capture_output=True, check=False)
        try:
            return json.loads(done.stdout).get("text")
        except ValueError:
            return None

    def test_every_process_is_killed_in_turn(self):
        self.skipTest("is tested without namespaces")

    def test_every_machine_is_cut_off_in_turn(self):
        for number in (11, 12, 13):
            self.start_in(number, "worker", "--json")
        servers = {number: self.serve_in(number, f"store-{number}") for number in (21, 22)}
        submitter = self.load()
        done = 0
        for number in (1, 2, 3, 11, 12):
            self.let_in(4)
            self.net.cut(number)
            done += 2
            self.wait_for_entries(done)
            self.net.mend(number)
            self.let_in(1)
        first = str(self.paths[0])
        self.until(lambda: any(self.text_in(number, first) for number in servers))
        owner = next(number for number in servers if self.text_in(number, first))
        other = 43 - owner
        self.net.cut(owner)
        self.until(lambda: self.text_in(other, first))
        # Cut off, it does not go on as if it had the bank.
        self.assertIsNone(self.text_in(owner, first))
        self.let_in(self.documents)
        self.wait_for_entries(self.documents)
        self.net.mend(owner)
        submitter.join()
        for number in (other, owner):  # each in turn has all of it
            self.until(lambda n=number: all(self.text_in(n, str(path)) == path.read_text()
                                            for path in self.paths))
            servers[number].send_signal(signal.SIGTERM)
            servers[number].communicate()
        status = self.cli.result("cluster", "status", *self.flags)
        self.assertEqual((status["log_entries"], status["set_aside"]), (self.documents, 0))
        for number in servers:
            self.check_same_as_local(self.cli.home / f"store-{number}", self.paths)


class NatsApart(nats.Nats):
    """Three servers of NATS, each in a namespace."""

    def __init__(self, folder, net):
        self.net = net
        super().__init__(folder, 3)

    @property
    def url(self):
        return ",".join(f"nats://10.213.0.{number}:4222" for number in (1, 2, 3))

    def address(self, number):
        return f"10.213.0.{number + 1}", 4222

    def config_of(self, number, home):
        routes = ", ".join(f'"nats://10.213.0.{other}:6222"' for other in (1, 2, 3))
        return (f'server_name: "n{number}"\nlisten: "0.0.0.0:4222"\n'
                f'jetstream {{ store_dir: "{home}", max_file_store: 4GB }}\n'
                f'cluster {{ name: "test", listen: "0.0.0.0:6222", routes: [{routes}] }}\n')

    def command(self, number):
        return ["ip", "netns", "exec", self.net.name(number + 1), nats.SERVER]


if __name__ == "__main__":
    nats.need_nats()
    cli.main()
