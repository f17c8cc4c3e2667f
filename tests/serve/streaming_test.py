#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Answers as events: the same text as in one piece, as it is written, and none for who hangs up."""

import json
import re
import signal
import socket

import agent
import cli

# A sentence that an answer quotes for long without an end.
SHIPS = ("Aurora", "Borealis", "Calypso", "Dorado", "Endeavour", "Fortuna", "Galatea", "Hesperus",
         "Icarus", "Juno", "Kestrel", "Leviathan", "Meridian", "Nautilus", "Orion", "Pelican")
LOG = ("The harbour log lists the ships of Anna Barlow in the order in which they came in: " +
       ", then the ".join(SHIPS) + ".")
QUESTION = "Which ships of Anna Barlow does the harbour log list, in which order?"


def read_events(text):
    """(name, data) of each event; what is a comment is passed over."""
    events = []
    for block in text.split("\n\n"):
        lines = [line for line in block.splitlines() if not line.startswith(":")]
        if lines:
            fields = dict(line.split(": ", 1) for line in lines)
            events.append((fields.get("event", ""), fields["data"]))
    return events


class Streaming(cli.CliTestCase):
    def setUp(self):
        super().setUp()
        self.server = agent.HttpProcess(self.cli)
        self.addCleanup(lambda: self.server.process.poll() is None and self.server.close(signal.SIGKILL))
        self.server.call("remember", text=LOG)

    def recall_events(self, body):
        status, headers, text = self.server.send("POST", "/v1/recall", body, {"Accept": "text/event-stream"})
        self.assertEqual((status, headers["Content-Type"]), (200, "text/event-stream"))
        self.assertEqual(headers["X-Accel-Buffering"], "no")
        return read_events(text)

    def without_seconds(self, reply):
        """A reply without what differs from call to call."""
        return json.loads(re.sub(r'"seconds[a-z_]*": [0-9.e-]+', '"s": 0', json.dumps(reply)))

    def answer_tokens(self):
        """Written by the model so far."""
        metrics = self.server.send("GET", "/metrics")[2]
        return int(re.search(r"megacontext_answer_tokens_total (\d+)", metrics)[1])

    def test_a_recall_in_events_is_the_recall(self):
        body = {"question": QUESTION, "answer": True}
        whole = self.server.send("POST", "/v1/recall", body)[2]
        events = self.recall_events(body)
        names = [name for name, _ in events]
        self.assertEqual(names, ["evidence"] + ["delta"] * (len(names) - 2) + ["reply"])
        pieces = [json.loads(data)["text"] for name, data in events if name == "delta"]
        self.assertGreater(len(pieces), 10, pieces)
        self.assertEqual("".join(pieces), whole["answer"]["text"])
        self.assertEqual(self.without_seconds(json.loads(events[-1][1])), self.without_seconds(whole))
        evidence = json.loads(events[0][1])
        self.assertEqual(evidence["evidence"], whole["evidence"])
        self.assertNotIn("answer", evidence)

    def test_what_is_not_known_and_what_is_refused(self):
        unknown = {"question": "What does a quark weigh?", "answer": True}
        whole = self.server.send("POST", "/v1/recall", unknown)[2]
        events = self.recall_events(unknown)
        self.assertEqual("".join(json.loads(data)["text"] for name, data in events if name == "delta"),
                         whole["answer"]["text"])
        empty = self.recall_events({**unknown, "source": "nobody"})
        self.assertEqual(json.loads(empty[-1][1])["known"], False)
        status, headers, problem = self.server.send(
            "POST", "/v1/recall", {"question": "a", "bank": "nobody"}, {"Accept": "text/event-stream"})
        self.assertEqual((status, headers["Content-Type"]), (400, "application/problem+json"), problem)

    def test_the_chunks_of_a_completion_are_the_completion(self):
        body = {"model": "megacontext", "messages": [{"role": "user", "content": QUESTION}]}
        whole = self.server.send("POST", "/v1/chat/completions", body)[2]
        text = self.server.send("POST", "/v1/chat/completions", {
            **body, "stream": True, "user": "visit", "stream_options": {"include_usage": True}})[2]
        self.assertTrue(text.endswith("data: [DONE]\n\n"))
        chunks = [json.loads(data) for _, data in read_events(text)[:-1]]
        self.assertEqual(chunks[0]["choices"][0]["delta"], {"role": "assistant", "content": ""})
        self.assertEqual(chunks[-1]["usage"], whole["usage"])
        self.assertEqual(chunks[-2]["choices"][0]["finish_reason"], whole["choices"][0]["finish_reason"])
        said = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks[:-1])
        self.assertEqual(said, whole["choices"][0]["message"]["content"])
        kept = self.server.call("read", document="session/visit")["text"]
        self.assertEqual(kept, f"user: {QUESTION}\nassistant: {said}\n")

    def hang_up_after(self, event, path, body, headers):
        """Sends a request on a socket of its own, reads to the first such event, and is gone."""
        payload = json.dumps(body).encode()
        with socket.create_connection(("127.0.0.1", self.server.port), cli.TIMEOUT_SECONDS) as client:
            client.sendall((f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{headers}"
                            f"Content-Type: application/json\r\nContent-Length: {len(payload)}\r\n\r\n"
                            ).encode() + payload)
            seen = b""
            while event not in seen:
                more = client.recv(65536)
                self.assertTrue(more, seen)
                seen += more

    def test_who_hangs_up_ends_the_answer(self):
        body = {"question": QUESTION, "answer": True}
        self.server.send("POST", "/v1/recall", body)
        whole = self.answer_tokens()
        self.assertGreater(whole, 30)
        self.hang_up_after(b"event: delta", "/v1/recall", body, "Accept: text/event-stream\r\n")
        self.server.call("status")  # is answered when the engine is done with what came before
        self.assertLess(self.answer_tokens() - whole, whole)
        chat = {"messages": [{"role": "user", "content": QUESTION}], "stream": True, "user": "gone"}
        self.hang_up_after(b'"content":"', "/v1/chat/completions", chat, "")
        with self.assertRaises(agent.Refused):  # nothing was kept
            self.server.call("read", document="session/gone")
        self.assertEqual(self.server.close(), 0)


if __name__ == "__main__":
    cli.main()
