#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`megacontext serve` as a client sees it: paths, refusals, keys, the end."""

import json
import signal
import threading

import agent
import cli


class Http(cli.CliTestCase):
    def serve(self, *arguments, key=None):
        server = agent.HttpProcess(self.cli, *arguments, key=key)
        self.addCleanup(lambda: server.process.poll() is None and server.close(signal.SIGKILL))
        return server

    def check_problem(self, reply, status, *parts):
        self.assertEqual(reply[0], status, reply)
        self.assertEqual(reply[1]["Content-Type"], "application/problem+json")
        self.assertEqual(reply[2]["status"], status)
        for part in parts:
            self.assertIn(part, reply[2]["detail"])

    def test_paths_and_refusals(self):
        server = self.serve()
        self.assertEqual(server.send("GET", "/health/live")[2], {"live": True})
        self.assertEqual(server.send("GET", "/health/ready")[2], {"ready": True})
        document = server.send("GET", "/openapi.json")[2]
        self.assertEqual(document["openapi"], "3.1.0")
        for path, methods in document["paths"].items():
            for method in methods:
                reply = server.send(method.upper(), path, {} if method == "post" else None)
                self.assertNotIn(reply[0], (405, 500), path)
                if reply[0] == 404:
                    self.assertEqual(reply[2]["code"], "no_such_operation", path)
        server.call("remember", text="Anna keeps a tortoise.")
        # "{}" is a document, too.
        self.assertIn("megacontext_commits_total 2", server.send("GET", "/metrics")[2])
        self.check_problem(server.send("GET", "/v1/nothing"), 404)
        reply = server.send("GET", "/v1/recall")
        self.check_problem(reply, 405)
        self.assertEqual(reply[1]["Allow"], "POST")
        self.check_problem(server.send("POST", "/v1/recall", b"{"), 400, "no JSON")
        self.check_problem(server.send("POST", "/v1/recall", b"[" * 5000), 400, "nested")
        self.check_problem(server.send("POST", "/v1/recall", {"query": "a"}), 400, "needs question")
        self.check_problem(server.send("POST", "/v1/recall", {"question": "a", "bank": "x"}), 400, "x")
        self.check_problem(server.send("POST", "/v1/recall", b"a=b", {"Content-Type": "text/plain"}),
                           415, "application/json")
        self.check_problem(server.send("POST", "/v1/remember", b" " * (5 << 20)), 413)
        self.check_problem(server.send("GET", "/v1/status", None, {"Host": "evil.example"}), 403)
        self.check_problem(server.send("GET", "/v1/status", None, {"Origin": "http://evil.example"}),
                           403)
        self.assertEqual(server.close(), 0)

    def test_a_person_sees_documents_and_walks_down_a_tree(self):
        text = "".join(f"Line {i} of the log says that ship {i * 7} came in.\n" for i in range(300))
        server = self.serve()
        server.call("remember", text=text, name="log")
        server.call("remember", text="Anna keeps a tortoise.", name="anna")
        status, headers, page = server.send("GET", "/")
        self.assertEqual((status, headers["Content-Type"]), (200, "text/html; charset=utf-8"))
        self.assertIn("script-src 'sha256-", headers["Content-Security-Policy"])
        self.assertIn("</html>", page)
        listed = server.send("GET", "/v1/documents?count=5")[2]["documents"]
        self.assertEqual([one["source"] for one in listed], ["anna", "log"])

        def walk(**place):
            query = "&".join(f"{key}={value}" for key, value in place.items())
            return server.send("GET", "/v1/tree?document=log&" + query)[2]

        step = walk()
        self.assertEqual(step["document"]["source"], "log")
        path = []
        while True:
            pieces = step["pieces"]
            for piece in pieces:  # without a gap, and each says the text that it stands for
                begin, end = piece["bytes"]["begin"], piece["bytes"]["end"]
                self.assertEqual(piece["text"].removesuffix("…"), text.encode()[begin:end].decode()
                                 [:len(piece["text"].removesuffix("…"))])
            for one, other in zip(pieces, pieces[1:]):
                self.assertEqual(one["tokens"]["end"], other["tokens"]["begin"])
            first = pieces[0]
            if first["level"] == 0:
                break
            path.append((first["level"], first["index"]))
            step = walk(level=first["level"], index=first["index"])
        self.assertEqual(path, [(level, 0) for level in range(path[0][0], 0, -1)])
        self.assertGreaterEqual(path[0][0], 2)
        self.check_problem(server.send("GET", "/v1/tree?document=log&level=9&index=0"), 400, "L9/0")
        self.check_problem(server.send("GET", "/v1/tree?document=log&level=1&index=99999"), 400, "L1/99999")
        self.check_problem(server.send("GET", "/v1/tree?document=nobody"), 400, "nobody")
        self.assertEqual(server.close(), 0)

    def test_a_key_may_be_made_before_the_store(self):
        secret = self.cli.result("serve", "key", "create", "early")["secret"]
        server = self.serve()
        server.key = secret
        server.call("remember", text="Anna keeps a tortoise.")
        self.assertEqual(server.close(), 0)
        self.assertEqual([one["name"] for one in self.cli.result("serve", "key", "list")["keys"]], ["early"])

    def test_keys_let_in_and_keep_to_their_banks_and_verbs(self):
        server = self.serve()
        server.call("remember", text="Anna keeps a tortoise.", bank="work")
        server.call("remember", text="Ben drinks cocoa.")
        work = self.cli.result("serve", "key", "create", "agent", "--only-bank", "work",
                               "--only-verb", "recall", "--only-verb", "status")
        self.check_problem(server.send("GET", "/v1/status"), 401, "key")
        server.key = work["secret"]
        found = server.call("recall", question="Who keeps a tortoise?")
        self.assertIn("Anna", found["evidence"][0]["text"])
        self.assertEqual([bank["bank"] for bank in server.call("status")["banks"]], ["work"])
        there = server.send("POST", "/v1/recall", {"question": "cocoa?", "bank": "default"})
        nowhere = server.send("POST", "/v1/recall", {"question": "cocoa?", "bank": "nobody"})
        self.check_problem(there, 403)
        self.assertEqual(there[2], nowhere[2])
        for banks in (["default"], ["work", "default"], ["default", "*"]):
            there = server.send("POST", "/v1/recall", {"question": "cocoa?", "banks": banks})
            nowhere = server.send("POST", "/v1/recall", {"question": "cocoa?", "banks": [
                bank.replace("default", "nobody") for bank in banks]})
            self.check_problem(there, 403)
            self.assertEqual(there[2], nowhere[2])
        found = server.call("recall", question="Who drinks cocoa, who keeps a tortoise?", banks=["*"], answer=True)
        self.assertEqual({one["bank"] for one in found["evidence"]}, {"work"})
        self.assertNotIn("Ben", json.dumps(found))
        self.check_problem(server.send("POST", "/v1/remember", {"text": "x"}), 403)
        self.cli.result("serve", "key", "revoke", work["id"])
        self.check_problem(server.send("GET", "/v1/status"), 401)
        listed = self.cli.result("serve", "key", "list")["keys"]
        self.assertEqual([(key["name"], key["in_force"]) for key in listed], [("agent", False)])
        kept = (self.cli.store / "keys.json").read_text()
        self.assertNotIn(work["secret"], kept)
        self.assertEqual((self.cli.store / "keys.json").stat().st_mode & 0o077, 0)
        self.assertEqual(server.close(), 0)

    def test_a_client_of_openai_gains_a_memory(self):
        server = self.serve()
        server.call("remember", text="Anna Barlow keeps a tortoise named Zebulon.")

        def chat(text, **more):
            return server.send("POST", "/v1/chat/completions", {
                "model": "megacontext", "messages": [{"role": "user", "content": text}], **more})

        status, _, completion = chat("Which animal does Anna Barlow keep?", user="visit")
        self.assertEqual(status, 200)
        self.assertIn("tortoise", completion["choices"][0]["message"]["content"])
        self.assertIn("Zebulon", completion["memory"]["evidence"][0]["text"])
        kept = server.call("read", document="session/visit")["text"]
        self.assertTrue(kept.startswith("user: Which animal does Anna Barlow keep?\nassistant: "))
        status, _, vectors = server.send("POST", "/v1/embeddings", {"input": ["a bell", "a tortoise"]})
        if status == 200:  # 400 where no embedder is installed
            self.assertEqual([one["index"] for one in vectors["data"]], [0, 1])
            self.assertGreater(len(vectors["data"][0]["embedding"]), 100)
        self.assertEqual(server.close(), 0)

    def test_nobody_listens_to_others_without_a_key(self):
        self.cli.write("a.txt", "Anna keeps a tortoise.")
        self.cli.result("ingest", "a.txt")
        self.check_error(self.cli.run("serve", "--host", "0.0.0.0", "--port", "0"), 2, "usage",
                         "serve key create")

    def test_a_full_queue_says_come_again_and_an_end_answers_what_was_taken(self):
        server = self.serve()
        server.call("remember", text="Anna keeps a tortoise. " * 200)
        kept, refused = [], []

        def load(worker):
            connection = server.connect()
            for i in range(2):
                text = f"Worker {worker} counted {i} ships."
                status, headers, result = server.send("POST", "/v1/remember", {"text": text},
                                                      connection=connection)
                if status == 200:
                    kept.append((text, result["source"]))
                else:
                    refused.append((status, headers["Retry-After"]))
            connection.close()

        # More than there are places.
        workers = [threading.Thread(target=load, args=(i,)) for i in range(40)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        self.assertTrue(set(refused) <= {(429, "1")}, refused)
        self.assertGreater(len(kept), 0)
        self.assertEqual(server.close(), 0)
        reader = agent.McpProcess(self.cli)
        for text, source in kept:
            self.assertEqual(reader.call("read", document=source)["text"], text)
        self.assertEqual(reader.close(), 0)
        self.assertEqual(self.cli.result("verify")["faults"], [])


class Mcp(cli.CliTestCase):
    def test_streamable_http_checks_its_headers(self):
        server = agent.McpOverHttp(self.cli)
        self.addCleanup(lambda: server.process.poll() is None and server.close(signal.SIGKILL))
        ask = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": agent.META}}
        status, _, answer = server.send("POST", "/mcp", ask)
        self.assertEqual((status, answer["error"]["code"]), (400, -32020))
        headers = {"MCP-Protocol-Version": agent.MODERN, "Mcp-Method": "tools/list"}
        status, _, answer = server.send("POST", "/mcp", ask, headers)
        self.assertEqual((status, len(answer["result"]["tools"])), (200, 5))
        unknown = {**ask, "method": "nothing"}
        headers["Mcp-Method"] = "nothing"
        self.assertEqual(server.send("POST", "/mcp", unknown, headers)[0], 404)
        note = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        self.assertEqual(server.send("POST", "/mcp", note)[0], 202)
        self.assertEqual(server.send("GET", "/mcp")[0], 405)
        self.assertEqual(server.send("POST", "/mcp", b"{")[0], 400)
        self.assertEqual(server.close(), 0)

    def test_cancelled_requests_are_not_answered_and_others_are(self):
        mcp = agent.McpProcess(self.cli)
        for _ in range(3):
            mcp.request("tools/list")
        mcp.send({"jsonrpc": "2.0", "method": "notifications/cancelled",
                  "params": {"requestId": mcp.last_id + 1}})
        ids = [mcp.receive()["id"] for _ in range(3)]
        self.assertEqual(ids, sorted(ids))
        mcp.process.stdin.write(b"no json\n")
        mcp.process.stdin.flush()
        self.assertEqual(mcp.receive()["error"]["code"], -32700)
        self.assertEqual(mcp.ask("ping"), {})
        self.assertEqual(mcp.close(), 0)

    def test_documents_are_resources(self):
        mcp = agent.McpProcess(self.cli, modern=True)
        mcp.call("remember", text="Anna keeps a tortoise.", name="anna")
        listed = mcp.ask("resources/list")["resources"]
        self.assertEqual([one["name"] for one in listed], ["anna"])
        read = mcp.ask("resources/read", {"uri": listed[0]["uri"]})
        self.assertEqual(read["contents"][0]["text"], "Anna keeps a tortoise.")
        with self.assertRaises(agent.Refused):
            mcp.ask("resources/read", {"uri": "megacontext://document/d99"})
        self.assertEqual(mcp.close(), 0)


if __name__ == "__main__":
    cli.main()
