#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Long documents: operations that a kill does not lose, and word of how far a document has come."""

import json
import signal

import agent
import cli
import small_model

ASYNC = {"Prefer": "respond-async"}
TEXT = "".join(f"Ship {i * 7919} came in with grain and left with wine.\n" for i in range(800))  # some commits


class Operations(cli.CliTestCase):
    def setUp(self):
        super().setUp()
        small_model.use(self.cli)

    def serve(self):
        server = agent.HttpProcess(self.cli)
        self.addCleanup(lambda: server.process.poll() is None and server.close(signal.SIGKILL))
        return server

    def begin(self, server, **arguments):
        status, headers, form = server.send("POST", "/v1/remember", arguments, ASYNC)
        self.assertEqual(status, 202, form)
        self.assertEqual(headers["Preference-Applied"], "respond-async")
        self.assertEqual(headers["Location"], "/v1/operations/" + form["operation"])
        return headers["Location"]

    def wait(self, server, path, until):
        """The operation's form once it is as asked. Reads progress, which never goes back."""
        done = 0
        while True:
            status, _, form = server.send("GET", path)
            self.assertEqual(status, 200, form)
            self.assertGreaterEqual(form["progress"]["bytes_done"], done)
            done = form["progress"]["bytes_done"]
            if until(form):
                return form
            self.assertNotIn(form["state"], ("failed", "done", "cancelled"), form)
            server.call("status")  # has its turn after the step in hand

    def test_what_was_taken_outlives_kills(self):
        server = self.serve()
        path = self.begin(server, text=TEXT, name="long")
        server.close(signal.SIGKILL)  # right after 202
        server = self.serve()
        self.wait(server, path, lambda form: form["progress"]["bytes_done"] > 0)
        server.close(signal.SIGKILL)  # with some of it committed
        server = self.serve()
        form = self.wait(server, path, lambda form: form["state"] == "done")
        self.assertEqual(form["result"]["source"], "long")
        self.assertEqual(form["result"]["bytes"], {"begin": 0, "end": len(TEXT.encode())})
        self.assertEqual(server.close(), 0)
        self.assertEqual(self.cli.run("read", "long").stdout.decode(), TEXT)
        self.assertEqual(len(self.cli.results("bank", "list")[0]["banks"]), 1)
        self.assertEqual(self.cli.result("verify")["faults"], [])
        kept = (self.cli.store / "operations" / (form["operation"] + ".json")).read_text()
        self.assertNotIn(TEXT[:100], kept)
        server = self.serve()
        self.assertEqual(server.send("GET", path)[2]["result"], form["result"])
        self.assertEqual(server.close(), 0)

    def test_a_server_that_is_told_to_end_leaves_the_rest_to_the_next(self):
        server = self.serve()
        path = self.begin(server, text=TEXT, name="long")
        self.wait(server, path, lambda form: form["progress"]["bytes_done"] > 0)
        self.assertEqual(server.close(), 0)
        server = self.serve()
        form = self.wait(server, path, lambda form: form["state"] == "done")
        self.assertEqual(form["result"]["outcome"], "resumed")
        self.assertEqual(server.close(), 0)

    def test_questions_are_answered_meanwhile_and_an_end_leaves_what_was_read(self):
        server = self.serve()
        server.call("remember", text="Anna keeps a tortoise named Zebulon.")
        path = self.begin(server, text=TEXT * 4, name="long")
        self.wait(server, path, lambda form: form["progress"]["bytes_done"] > 0)
        found = server.call("recall", question="What is the tortoise named?")
        self.assertIn("Zebulon", found["evidence"][0]["text"])
        server.call("remember", text="Ben is at sea.", session="chat")
        self.assertEqual(server.send("GET", path)[2]["state"], "running")
        self.assertIn(server.send("DELETE", path)[2]["state"], ("cancelling", "cancelled"))
        form = self.wait(server, path, lambda form: form["state"] == "cancelled")
        self.assertEqual(form["error"]["code"], "cancelled")
        read = server.call("read", document="long")
        self.assertEqual(read["bytes_total"], form["progress"]["bytes_done"])
        self.assertTrue((TEXT * 4).startswith(read["text"]))
        server.call("forget", documents=["long"], dry_run=False)
        self.assertEqual(server.call("remember", text="other", name="long")["outcome"], "ingested")
        self.assertEqual(server.close(), 0)
        self.assertEqual(self.cli.result("verify")["faults"], [])

    def test_what_is_forgotten_meanwhile_stays_forgotten(self):
        server = self.serve()
        path = self.begin(server, text=TEXT * 4, name="long")
        self.wait(server, path, lambda form: form["progress"]["bytes_done"] > 0)
        server.call("forget", documents=["long"], dry_run=False)
        form = self.wait(server, path, lambda form: form["state"] == "failed")
        self.assertEqual((form["error"]["code"], "forgotten" in form["error"]["detail"]),
                         ("cancelled", True))
        with self.assertRaises(agent.Refused):
            server.call("read", document="long")
        self.assertEqual(server.close(), 0)

    def test_a_text_too_long_to_wait_for_is_taken_as_an_operation(self):
        server = self.serve()
        text = "All is well. " * 50_000  # more than is taken at once
        wait = {"Prefer": "wait=60"}
        status, _, problem = server.send("POST", "/v1/remember", {"text": text}, wait)
        self.assertEqual((status, "respond-async" in problem["detail"]), (400, True), problem)
        waited_for = text[:100_000]
        status, _, kept = server.send("POST", "/v1/remember", {"text": waited_for, "name": "waited for"}, wait)
        self.assertEqual((status, kept["bytes"]["end"]), (200, len(waited_for)), kept)
        status, headers, form = server.send("POST", "/v1/remember", {"text": text, "name": "long"})
        path = headers["Location"]
        self.assertEqual((status, "Preference-Applied" in headers), (202, False), form)
        self.wait(server, path, lambda form: form["progress"]["bytes_total"] == len(text))
        server.send("DELETE", path)
        self.wait(server, path, lambda form: form["state"] == "cancelled")
        self.assertEqual(server.close(), 0)

    def check_progress(self, messages, token):
        *notes, answer = messages
        self.assertGreater(len(notes), 1)
        for note in notes:
            self.assertEqual((note["method"], note["params"]["progressToken"], note["params"]["total"]),
                             ("notifications/progress", token, len(TEXT.encode())))
        done = [note["params"]["progress"] for note in notes]
        self.assertEqual(done, sorted(set(done)))
        self.assertEqual(answer["result"]["structuredContent"]["outcome"], "ingested")

    def test_mcp_tells_how_far_it_is_to_those_who_ask(self):
        ask = {"name": "remember", "arguments": {"text": TEXT, "name": "a"},
               "_meta": {"progressToken": "t"}}
        mcp = agent.McpProcess(self.cli)
        mcp.request("tools/call", ask)
        messages = [mcp.receive()]
        while "method" in messages[-1]:
            messages.append(mcp.receive())
        self.check_progress(messages, "t")
        self.assertEqual(mcp.call("remember", text=TEXT, name="a")["outcome"], "already_there")
        self.assertEqual(mcp.close(), 0)
        server = self.serve()
        meta = {**agent.META, "progressToken": 7}
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                   "params": {"name": "remember", "arguments": {"text": TEXT, "name": "b"}, "_meta": meta}}
        status, headers, text = server.send("POST", "/mcp", message, {
            "Accept": "application/json, text/event-stream", "MCP-Protocol-Version": agent.MODERN,
            "Mcp-Method": "tools/call", "Mcp-Name": "remember"})
        self.assertEqual((status, headers["Content-Type"]), (200, "text/event-stream"))
        self.check_progress([json.loads(line[len("data: "):]) for line in text.splitlines()
                             if line.startswith("data: ")], 7)
        self.assertEqual(server.close(), 0)


if __name__ == "__main__":
    cli.main()
