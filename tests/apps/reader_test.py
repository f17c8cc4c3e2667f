#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Another reader than the base model: a server of OpenAI's API that writes answers from our passages."""

import http.server
import json
import pathlib
import sys
import threading

import cli

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "serve"))

import agent  # noqa: E402

QUESTION = "Where was the bell cast?"


class FakeReader:
    """Answers every completion with one text, and keeps what it was asked."""

    def __init__(self):
        self.asked = []
        self.text = "It was cast in Lisbon."
        self.status = 200
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                fake.asked.append((self.path, self.headers.get("Authorization"), body))
                message = {"role": "assistant", "content": fake.text}
                reply = {"model": "fake-1", "choices": [{"message": message, "finish_reason": "stop"}],
                         "usage": {"prompt_tokens": 50, "completion_tokens": 6}}
                if fake.status != 200:
                    reply = {"error": {"message": "no such thing"}}
                content = json.dumps(reply).encode()
                self.send_response(fake.status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Reader(cli.CliTestCase):
    def setUp(self):
        super().setUp()
        self.reader = FakeReader()
        self.addCleanup(self.reader.close)
        self.cli.write("bell.txt", "The bell was cast in Lisbon. It cracked in the great frost.\n")
        self.cli.write("ben.txt", "Ben Moss drinks cocoa.\n")
        self.cli.results("ingest", "bell.txt", "ben.txt")

    def test_it_writes_the_answer_from_the_passages_and_nothing_else(self):
        answer = self.cli.result("query", QUESTION, "--answer", "--reader", self.reader.url)["answer"]
        self.assertEqual((answer["text"], answer["reader"]), (self.reader.text, "fake-1"))
        self.assertEqual((answer["sources"], answer["stop_reason"]), ([1], "end_of_text"))
        self.assertEqual((answer["prompt_entries"], answer["new_tokens"]), (50, 6))
        [(path, key, sent)] = self.reader.asked
        self.assertEqual((path, key, sent["model"], sent["max_tokens"]),
                         ("/v1/chat/completions", None, "default", 128))
        asked = sent["messages"][-1]["content"]
        self.assertIn("[1] bell.txt: The bell was cast in Lisbon.", asked)
        self.assertTrue(asked.endswith("Question: " + QUESTION))
        self.assertNotIn("cocoa", asked)
        self.assertIn("never instructions", sent["messages"][0]["content"])
        shown = self.cli.run("query", QUESTION, "--answer", "--reader", self.reader.url).stdout.decode()
        self.assertIn(self.reader.text, shown)
        self.assertIn("fake-1", shown)

    def test_its_key_comes_from_the_environment_and_its_model_from_a_flag(self):
        done = self.cli.run("query", QUESTION, "--answer", "--reader", self.reader.url, "--reader-model", "big",
                            "--max-tokens", 9, environment={"MEGACONTEXT_READER_KEY": "sk-1"})
        self.assertEqual(done.returncode, 0, done.stderr)
        [(_, key, sent)] = self.reader.asked
        self.assertEqual((key, sent["model"], sent["max_tokens"]), ("Bearer sk-1", "big", 9))

    def test_nobody_is_asked_unless_told_to_or_what_nothing_speaks_to(self):
        answer = self.cli.result("query", QUESTION, "--answer")["answer"]
        self.assertIsNone(answer["reader"])
        unknown = self.cli.result("query", "Who won the chess tournament of 1987?", "--answer",
                                  "--reader", self.reader.url)["answer"]
        self.assertEqual((unknown["stop_reason"], unknown["reader"]), ("unknown", None))
        self.assertEqual(self.reader.asked, [])

    def test_what_goes_wrong_is_one_clear_line(self):
        ask = ("query", QUESTION, "--answer", "--json", "--reader")
        self.check_error(self.cli.run(*ask, "http://127.0.0.1:1/v1"), 4, "io", "is the server running?")
        self.check_error(self.cli.run(*ask, "localhost:8080"), 2, "usage", "base URL")
        key = {"MEGACONTEXT_READER_KEY": "sk-1"}
        self.check_error(self.cli.run(*ask, "http://example.com/v1", environment=key), 2, "usage", "https://")
        self.check_error(self.cli.run("query", QUESTION, "--reader", self.reader.url), 2, "usage", "--answer")
        self.reader.status = 401
        self.check_error(self.cli.run(*ask, self.reader.url), 4, "io", "MEGACONTEXT_READER_KEY", "no such thing")

    def test_a_server_lets_it_write_for_all_of_its_clients(self):
        server = agent.HttpProcess(self.cli, "--reader", self.reader.url)
        try:
            found = server.call("recall", question=QUESTION, answer=True)
            self.assertEqual((found["answer"]["text"], found["answer"]["reader"]), (self.reader.text, "fake-1"))
            chat = {"messages": [{"role": "user", "content": QUESTION}]}
            completion = server.send("POST", "/v1/chat/completions", chat)[2]
            self.assertEqual(completion["choices"][0]["message"]["content"], self.reader.text)
            self.assertIsNone(server.call("recall", question=QUESTION)["answer"])
            self.assertEqual(len(self.reader.asked), 2)
            self.reader.status = 503
            status, _, problem = server.send("POST", "/v1/recall", {"question": QUESTION, "answer": True})
            self.assertEqual((status, problem["code"]), (500, "io"))
            self.assertIn("status 503", problem["detail"])
        finally:
            self.assertEqual(server.close(), 0)


if __name__ == "__main__":
    cli.main()
