#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Clients that are slow, half closed or too many: the others are answered all the same."""

import collections
import json
import resource
import signal
import socket

import agent
import cli

CONNECTIONS = 64  # that the server answers at once
MANY = 10_000


class Clients(cli.CliTestCase):
    def setUp(self):
        super().setUp()
        self.server = agent.HttpProcess(self.cli)
        self.addCleanup(lambda: self.server.process.poll() is None and self.server.close(signal.SIGKILL))
        self.server.call("remember", text="Anna Barlow keeps a tortoise named Zebulon.")

    def open(self):
        client = socket.create_connection(("127.0.0.1", self.server.port), cli.TIMEOUT_SECONDS)
        self.addCleanup(client.close)
        return client

    def request(self, path="/health/live", body=None, headers=""):
        payload = b"" if body is None else json.dumps(body).encode()
        length = f"Content-Type: application/json\r\nContent-Length: {len(payload)}\r\n"
        return (f"{'GET' if body is None else 'POST'} {path} HTTP/1.1\r\nHost: localhost\r\n"
                f"{'' if body is None else length}{headers}\r\n").encode() + payload

    def read_all(self, client):
        text = b""
        while more := client.recv(65536):
            text += more
        return text.decode()

    def test_who_sends_slowly_keeps_nobody_waiting_and_is_let_go(self):
        slow = self.open()
        slow.sendall(self.request()[:20])
        late = self.open()
        late.sendall(self.request("/v1/remember", {"text": "x" * 1000})[:-900])
        self.assertEqual(self.server.call("recall", question="Zebulon?")["known"], True)
        for client in (slow, late):  # the server's patience ends
            self.assertNotIn("200 OK", self.read_all(client))
        self.assertEqual(self.server.close(), 0)

    def test_who_takes_no_reply_keeps_nobody_waiting(self):
        ask = {"question": "Which animal does Anna Barlow keep?", "answer": True}
        deaf = self.open()
        deaf.sendall(self.request("/v1/recall", ask, "Accept: text/event-stream\r\n"))
        for _ in range(3):
            self.assertIn("tortoise", self.server.call("recall", **ask)["answer"]["text"])
        deaf.close()
        self.assertEqual(self.server.close(), 0)

    def test_who_closes_half_is_gone_and_costs_nobody_else_anything(self):
        ask = {"question": "Which animal does Anna Barlow keep?", "answer": True}
        for headers in ("", "Accept: text/event-stream\r\n"):
            half = self.open()
            half.sendall(self.request("/v1/recall", ask, headers))
            half.shutdown(socket.SHUT_WR)
            self.assertNotIn("event: reply", self.read_all(half))  # comes to an end
            self.assertIn("tortoise", self.server.call("recall", **ask)["answer"]["text"])
        self.assertEqual(self.server.close(), 0)

    def test_one_connection_too_many_is_told_so(self):
        held = [self.open() for _ in range(CONNECTIONS)]
        for client in held:  # each is answered, and stays open
            client.sendall(self.request())
            self.assertIn(b"200 OK", client.recv(65536))
        beyond = self.open()
        beyond.sendall(self.request())
        reply = self.read_all(beyond)
        self.assertTrue(reply.startswith("HTTP/1.1 503 "), reply)
        for part in ("Retry-After: 1", '"code":"busy"'):
            self.assertIn(part, reply)
        for client in held:
            client.close()
        while self.server.send("GET", "/health/live")[0] != 200:
            pass  # until the server has seen that they are gone
        self.assertEqual(self.server.close(), 0)

    def test_ten_thousand_connections_are_each_told(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        at_once = min(1000, hard // 4)
        ask = self.request(headers="Connection: close\r\n")
        statuses = collections.Counter()
        for _ in range(0, MANY, at_once):
            clients = [socket.create_connection(("127.0.0.1", self.server.port), cli.TIMEOUT_SECONDS)
                       for _ in range(at_once)]
            for client in clients:
                client.sendall(ask)
            for client in clients:
                reply = self.read_all(client)
                statuses[reply.split()[1]] += 1
                if " 200 " not in reply.splitlines()[0]:
                    self.assertIn("Retry-After: 1", reply)
                client.close()
        self.assertLessEqual(set(statuses), {"200", "503"}, statuses)
        self.assertGreaterEqual(statuses.total(), MANY)
        self.assertEqual(self.server.call("recall", question="Zebulon?")["known"], True)
        self.assertEqual(self.server.close(), 0)


if __name__ == "__main__":
    cli.main()
