#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`megacontext serve` with a certificate: the same server over HTTPS, and files that are refused."""

import json
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import warnings

import agent
import cli


def make_certificate(cli_, name):
    """A key and a certificate of its own for 127.0.0.1, as files."""
    certificate, key = cli_.home / f"{name}.pem", cli_.home / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                    "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True, timeout=cli.TIMEOUT_SECONDS)
    return certificate, key


class Tls(cli.CliTestCase):
    def setUp(self):
        super().setUp()
        self.certificate, self.key = make_certificate(self.cli, "server")
        self.trust = ssl.create_default_context(cafile=self.certificate)

    def serve(self, *arguments):
        server = agent.HttpProcess(self.cli, "--tls-cert", self.certificate, "--tls-key", self.key,
                                   *arguments, tls=self.trust)
        self.addCleanup(lambda: server.process.poll() is None and server.close(signal.SIGKILL))
        return server

    def test_who_trusts_the_certificate_remembers_and_recalls(self):
        server = self.serve()
        self.assertEqual(server.url, f"https://127.0.0.1:{server.port}")
        server.call("remember", text="Anna keeps a tortoise.")
        found = server.call("recall", question="Who keeps a tortoise?")
        self.assertIn("Anna", found["evidence"][0]["text"])
        one = server.connect()  # is kept open
        for _ in range(3):
            self.assertTrue(server.call("status", connection=one)["banks"])
        one.close()
        events = server.send("POST", "/v1/recall", {"question": "Who keeps a tortoise?", "answer": True},
                             {"Accept": "text/event-stream"})[2]
        self.assertIn("event: delta", events)
        self.assertEqual(events.count("event: reply"), 1)
        secret = self.cli.result("serve", "key", "create", "laptop")["secret"]
        self.assertEqual(server.send("GET", "/v1/status")[0], 401)
        server.key = secret
        self.assertEqual(server.send("GET", "/v1/status")[0], 200)
        self.assertEqual(server.close(), 0)

    def test_long_bodies_and_many_connections(self):
        server = self.serve()
        text = cli.made_up_text(7, 12000)
        kept = server.call("remember", text=text, name="long")
        back = server.call("read", document="long")["text"]
        self.assertEqual(text.encode()[:len(back.encode())].decode(), back)
        self.assertGreater(len(back), 50_000)
        self.assertEqual(kept["bytes"], {"begin": 0, "end": len(text)})
        self.assertEqual(server.send("POST", "/v1/remember", b" " * (5 << 20))[0], 413)
        statuses = []
        askers = [threading.Thread(target=lambda: statuses.append(server.send("GET", "/health/live")[0]))
                  for _ in range(100)]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join()
        self.assertEqual(len(statuses), 100)
        self.assertTrue(set(statuses) <= {200, 503}, statuses)
        self.assertEqual(server.close(), 0)

    def test_who_does_not_trust_it_or_speaks_plainly_harms_nobody(self):
        server = self.serve()
        strangers = 0
        for _ in range(70):  # more than there are threads
            with socket.create_connection(("127.0.0.1", server.port), cli.TIMEOUT_SECONDS) as plain:
                plain.sendall(b"GET /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n")
                try:
                    said = plain.recv(4096)
                except ConnectionResetError:
                    said = b""
                self.assertNotIn(b"HTTP/1.1 200", said)
                strangers += 1
        server.tls = ssl.create_default_context()
        with self.assertRaises(ssl.SSLCertVerificationError):
            server.call("status")
        server.tls = self.trust
        for _ in range(70):
            self.assertEqual(server.send("GET", "/health/live")[0], 200)
        self.assertEqual(strangers, 70)
        self.assertEqual(server.close(), 0)

    def test_protocols_from_tls_1_2(self):
        server = self.serve()
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            server.tls = ssl.create_default_context(cafile=self.certificate)
            server.tls.minimum_version = server.tls.maximum_version = version
            self.assertEqual(server.send("GET", "/health/live")[0], 200)
        server.tls = ssl.create_default_context(cafile=self.certificate)
        server.tls.set_ciphers("DEFAULT@SECLEVEL=0")  # or the client itself would not
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            server.tls.minimum_version = server.tls.maximum_version = ssl.TLSVersion.TLSv1_1
        with self.assertRaisesRegex(ssl.SSLError, "(?i)protocol.version"):
            server.send("GET", "/health/live")
        self.assertEqual(server.close(), 0)

    def test_who_hangs_up_is_let_go(self):
        server = self.serve()
        server.call("remember", text="Anna keeps a tortoise.")
        body = json.dumps({"question": "Who keeps a tortoise?", "answer": True}).encode()
        for _ in range(3):
            raw = socket.create_connection(("127.0.0.1", server.port), cli.TIMEOUT_SECONDS)
            with self.trust.wrap_socket(raw, server_hostname="127.0.0.1") as client:
                client.sendall(b"POST /v1/recall HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n"
                               b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) +
                               body)
                self.assertIn(b"200 OK", client.recv(65536))
        self.assertIn("Anna", server.call("recall", question="Who keeps a tortoise?")["evidence"][0]["text"])
        self.assertEqual(server.close(), 0)

    def refuse(self, certificate, key, *parts):
        self.check_error(self.cli.run("serve", "--port", "0", "--tls-cert", certificate, "--tls-key", key), 3,
                         "invalid_input", *parts)

    def test_files_that_are_refused_are_named(self):
        other_certificate, other_key = make_certificate(self.cli, "other")
        self.refuse(self.certificate, other_key, f"--tls-key {other_key} is not the key of",
                    str(self.certificate), "made together")
        self.refuse(self.certificate, "nowhere.key", "--tls-key", "nowhere.key", "No such file")
        self.refuse("nowhere.pem", self.key, "--tls-cert", "nowhere.pem", "No such file")
        self.refuse("", self.key, "--tls-cert")
        text = self.cli.write("text.pem", "This is no certificate.\n")
        self.refuse(text, self.key, f"--tls-cert {text} holds no certificate", "BEGIN CERTIFICATE")
        self.refuse(self.key, self.key, f"--tls-cert {self.key} holds no certificate")
        self.refuse(self.certificate, text, f"--tls-key {text} holds no private key")
        locked = self.cli.home / "locked.key"
        subprocess.run(["openssl", "pkey", "-in", other_key, "-aes256", "-passout", "pass:secret", "-out",
                        locked], check=True, capture_output=True, timeout=cli.TIMEOUT_SECONDS)
        self.refuse(other_certificate, locked, f"--tls-key {locked} holds no private key", "passphrase")
        for flag, file in (("--tls-cert", self.certificate), ("--tls-key", self.key)):
            self.check_error(self.cli.run("serve", "--port", "0", flag, file), 2, "usage", "--tls-")


if __name__ == "__main__":
    if shutil.which("openssl") is None:
        print("skipped: no openssl to make certificates; scripts/setup --tests installs it")
        sys.exit(cli.SKIP)
    cli.main()
