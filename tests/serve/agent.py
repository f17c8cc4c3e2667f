# SPDX-License-Identifier: Apache-2.0
"""Speaks with the program as an agent's host does: MCP on stdio, MCP and JSON over HTTP.

Every face has call(verb, **arguments) -> the verb's result, so that one script can run through all.
"""

import http.client
import json
import os
import pathlib
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "apps"))

import cli  # noqa: E402

MODERN = "2026-07-28"
META = {"io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {}}


class Refused(Exception):
    """The memory refused; the message is its own."""


class McpProcess:
    """`megacontext mcp` and its two pipes."""

    def __init__(self, program, modern=False):
        self.process = program.start("mcp", stdin=-1)
        self.modern = modern
        self.last_id = 0
        if not modern:
            self.ask("initialize", {"protocolVersion": "2025-11-25", "capabilities": {},
                                    "clientInfo": {"name": "test", "version": "0"}})
            self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def send(self, message):
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def receive(self):
        line = self.process.stdout.readline()
        if not line:
            raise EOFError(self.process.stderr.read().decode())
        return json.loads(line)

    def request(self, method, params=None):
        self.last_id += 1
        params = dict(params or {})
        if self.modern:
            params["_meta"] = META
        self.send({"jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params})

    def ask(self, method, params=None):
        self.request(method, params)
        answer = self.receive()
        assert answer["id"] == self.last_id, answer
        if "error" in answer:
            raise Refused(answer["error"]["message"])
        return answer["result"]

    def call(self, verb, **arguments):
        result = self.ask("tools/call", {"name": verb, "arguments": arguments})
        if result.get("isError"):
            raise Refused(result["content"][0]["text"])
        assert json.loads(result["content"][0]["text"]) == result["structuredContent"]
        return result["structuredContent"]

    def close(self):
        """Ends the input; returns the exit status."""
        self.process.stdin.close()
        rest = self.process.stdout.read()
        assert rest == b"", rest
        status = self.process.wait(cli.TIMEOUT_SECONDS)
        self.process.stdout.close()
        self.process.stderr.close()
        return status

    def kill(self):
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                stream.close()
            except BrokenPipeError:
                pass


class HttpProcess:
    """`megacontext serve` on a port of its own. tls: the ssl.SSLContext of a client, where it has TLS."""

    def __init__(self, program, *arguments, key=None, tls=None):
        self.process = program.start("serve", "--port", "0", "--json", *arguments)
        line = self.process.stdout.readline()
        if not line:
            raise EOFError(self.process.stderr.read().decode())
        self.url = json.loads(line)["url"]
        self.port = int(self.url.rpartition(":")[2])
        self.key = key
        self.tls = tls

    def connect(self):
        if self.tls:
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=cli.TIMEOUT_SECONDS,
                                               context=self.tls)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=cli.TIMEOUT_SECONDS)

    def send(self, method, path, body=None, headers=None, connection=None):
        """Status, headers, and the body as JSON where it is."""
        own = connection or self.connect()
        sent = {"Content-Type": "application/json", **(headers or {})}
        if self.key:
            sent["Authorization"] = "Bearer " + self.key
        text = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        own.request(method, path, text, sent)
        reply = own.getresponse()
        content = reply.read()
        if connection is None:
            own.close()
        is_json = "json" in (reply.getheader("Content-Type") or "")
        return reply.status, reply.headers, json.loads(content) if is_json else content.decode()

    def call(self, verb, connection=None, **arguments):
        method, body = ("GET", None) if verb == "status" else ("POST", arguments)
        # Who does not say that it waits is told of an operation where a document is long.
        status, _, result = self.send(method, "/v1/" + verb, body, {"Prefer": "wait=60"},
                                      connection=connection)
        if status != 200:
            raise Refused(result["detail"])
        return result

    def close(self, by=signal.SIGTERM):
        """Ends the server; returns the exit status."""
        self.process.send_signal(by)
        status = self.process.wait(cli.TIMEOUT_SECONDS)
        self.process.stdout.close()
        self.process.stderr.close()
        return status


class McpOverHttp(HttpProcess):
    """The same server, asked through /mcp."""

    def call(self, verb, connection=None, **arguments):
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                   "params": {"name": verb, "arguments": arguments, "_meta": META}}
        headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": verb}
        status, _, answer = self.send("POST", "/mcp", message, headers, connection)
        assert status == 200, answer
        result = answer["result"]
        if result.get("isError"):
            raise Refused(result["content"][0]["text"])
        return result["structuredContent"]


class Library:
    """A program that does what lines of JSON ask of a library, with the home of ours."""

    def __init__(self, program, *command, **environment):
        self.process = subprocess.Popen([*map(str, command)], cwd=program.home,
                                        env={**program.environment(), **environment},
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def call(self, verb, **arguments):
        self.process.stdin.write(json.dumps([verb, arguments]).encode() + b"\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        status = self.process.wait(cli.TIMEOUT_SECONDS)
        self.process.stdout.close()
        return status


def python_package(program):
    face = pathlib.Path(__file__).with_name("python_face.py")
    return Library(program, sys.executable, face, PYTHONPATH=os.environ["PYTHONPATH"])


def cpp_library(program):
    return Library(program, program.binary.with_name("memory_face"))


class CommandLine:
    """The subcommands that do the same, where there are any."""

    def __init__(self, program):
        self.program = program

    def call(self, verb, **arguments):
        if verb == "remember":
            bank = [f"--bank={arguments['bank']}"] if "bank" in arguments else []
            done = self.program.result("ingest", "-", "--name", arguments["name"], *bank,
                                       stdin=arguments["text"].encode())
            span = {"begin": 0, "end": done["bytes"]}
            return {**{key: done[key] for key in ("outcome", "document", "source")}, "bytes": span}
        if verb == "recall":
            extra = ["--answer"] if arguments.get("answer") else []
            for key in ("source", "since", "until"):
                extra += [f"--{key}={arguments[key]}"] if key in arguments else []
            extra += [f"--banks={','.join(arguments['banks'])}"] if "banks" in arguments else []
            return self.program.result("query", arguments["question"], *extra)
        if verb == "read":
            span = [f"--bytes={arguments['begin']}:{arguments['end']}"] if "begin" in arguments else []
            return self.program.result("read", arguments["document"], *span)
        if verb == "forget":
            how = "--dry-run" if arguments.get("dry_run", True) else "--yes"
            part = [f"--bytes={arguments['begin']}:{arguments['end']}"] if "begin" in arguments else []
            lines = self.program.results("forget", *arguments["documents"], *part, how)
            return {"outcome": lines[0]["outcome"],
                    "documents": [{k: v for k, v in line.items() if k != "outcome"} for line in lines]}
        banks = self.program.result("bank", "list")["banks"]
        return {"banks": banks}

    def close(self):
        return 0
