#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Schemathesis asks the server all that its OpenAPI document allows, and much that it does not."""

import importlib.util
import pathlib
import signal
import subprocess
import sys

import agent
import cli
import small_model

if importlib.util.find_spec("schemathesis") is None:
    print("skipped: no schemathesis; scripts/setup --tests fetches it")
    sys.exit(cli.SKIP)

# What a reply must be whatever was asked: no fault of the server's, and as the document says. Not unsupported_method: a
# method that cpp-httplib does not know is 400 before anybody is asked; those that it knows are looked at below.
CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance",
          "response_headers_conformance", "response_schema_conformance", "allow_header_conformance",
          "negative_data_rejection", "ignored_auth")


class OpenApi(cli.CliTestCase):
    def setUp(self):
        super().setUp()
        small_model.use(self.cli)

    def ask_everything(self, server, *arguments):
        done = subprocess.run(
            [str(pathlib.Path(sys.executable).with_name("schemathesis")), "run", server.url + "/openapi.json",
             "--checks", ",".join(CHECKS), "--seed", "16", "--max-examples", "20", "--phases", "coverage,fuzzing",
             "--generation-database", "none", "--continue-on-failure", "--no-color", "--warnings", "off",
             "--request-timeout", "60", *arguments],
            cwd=self.cli.home, env=self.cli.environment(), capture_output=True, text=True, check=False,
            timeout=cli.TIMEOUT_SECONDS)
        self.assertEqual(done.returncode, 0, done.stdout[-20000:] + done.stderr)

    def test_nothing_that_can_be_asked_brings_out_a_fault(self):
        server = agent.HttpProcess(self.cli)
        self.addCleanup(lambda: server.process.poll() is None and server.close(signal.SIGKILL))
        server.call("remember", text="Anna Barlow keeps a tortoise named Zebulon.", name="anna")
        self.ask_everything(server)
        for method in ("TRACE", "PUT", "PATCH", "DELETE", "OPTIONS", "GET"):
            status, headers, _ = server.send(method, "/v1/remember")
            self.assertEqual((status, headers["Allow"]), (405, "POST"), method)
        self.assertEqual(server.send("GET", "/health/ready")[2], {"ready": True})
        self.assertEqual(server.call("read", document="anna")["text"], "Anna Barlow keeps a tortoise named Zebulon.")
        self.assertEqual(server.close(), 0)
        self.assertEqual(self.cli.result("verify")["faults"], [])


if __name__ == "__main__":
    cli.main()
