#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Documents as an agent gives them: bytes in base64, or as a body of its own; cited by place, given back."""

import base64
import signal
import urllib.parse

import agent
import cli
import documents_test as samples


def encoded(content):
    return base64.b64encode(content).decode()


class Documents(cli.CliTestCase):
    def serve(self, make=agent.HttpProcess):
        server = make(self.cli)
        self.addCleanup(lambda: server.process.poll() is None and server.close(signal.SIGKILL))
        return server

    def check_found(self, face, name, content, question, words, place):
        best = face.call("recall", question=question, source=name)["evidence"][0]
        self.assertEqual((best["source"], best["place"]), (name, place))
        self.assertIn(words, best["text"])
        read = face.call("read", document=name, original=True)
        self.assertEqual(base64.b64decode(read["file"]), content)
        self.assertEqual((read["bytes_total"], read["exact"], read["text"]), (len(content), True, ""))
        part = face.call("read", document=name, original=True, begin=3, end=9)
        self.assertEqual(base64.b64decode(part["file"]), content[3:9])
        self.assertIsNone(face.call("read", document=name)["file"])

    def test_every_kind_is_found_cited_and_given_back(self):
        mcp = agent.McpProcess(self.cli)
        for name, content, kind, question, words, place in samples.DOCUMENTS:
            with self.subTest(kind):
                kept = mcp.call("remember", name=name, file=encoded(content), metadata={"of": kind})
                self.assertEqual((kept["outcome"], kept["source"]), ("ingested", name))
                self.check_found(mcp, name, content, question, words, place)
                again = mcp.call("remember", name=name, file=encoded(content))
                self.assertEqual(again["outcome"], "already_there")
        self.assertEqual(mcp.call("read", document="report.pdf", original=True)["media_type"],
                         "application/pdf")
        self.assertEqual(mcp.close(), 0)
        self.assertEqual(self.cli.result("verify")["faults"], [])
        for name, content, *_ in samples.DOCUMENTS:
            self.assertEqual(self.cli.run("read", name, "--original").stdout, content)

    def test_a_body_of_its_own_is_a_document(self):
        server = self.serve()
        for name, content, kind, question, words, place in samples.DOCUMENTS:
            with self.subTest(kind):
                query = urllib.parse.urlencode({"name": name, "metadata.of": kind, "event_time": "2026-03-01"})
                status, _, kept = server.send("POST", "/v1/documents?" + query, content,
                                              {"Content-Type": "application/octet-stream"})
                self.assertEqual((status, kept["outcome"], kept["source"]), (200, "ingested", name), kept)
                self.check_found(server, name, content, question, words, place)
                found = server.call("recall", question=question, metadata={"of": kind}, until="2026-03-01")
                self.assertEqual({one["source"] for one in found["evidence"]}, {name})
        self.assertEqual(server.close(), 0)

    def test_a_media_type_says_what_a_name_does_not(self):
        server = self.serve()

        def give(content, media_type, **query):
            return server.send("POST", "/v1/documents?" + urllib.parse.urlencode(query), content,
                               {"Content-Type": media_type})

        page = samples.HTML.encode()
        kept = give(page, "text/html; charset=utf-8", name="page")[2]
        self.assertNotIn("<h1>", server.call("read", document=kept["document"])["text"])
        kept = give(page, "text/plain", name="page.html")[2]  # said to be text
        self.assertEqual(server.call("read", document=kept["document"])["text"], samples.HTML)
        kept = give(b"# Frost\n\nThe fig tree is wrapped.\n", "text/markdown", name="frost")[2]
        found = server.call("recall", question="What is wrapped?", documents=["frost"])["evidence"][0]
        self.assertEqual(found["place"], "Frost")
        nameless = give(page, "")[2]
        self.assertTrue(nameless["source"].startswith("memory/"), nameless)
        self.assertEqual(give(page, "")[2]["outcome"], "already_there")
        wide = "Käthe keeps a crow.\n"
        give(wide.encode("utf-16"), "text/plain", name="wide")
        self.assertEqual(server.call("read", document="wide")["text"], "\ufeff" + wide)
        read = server.call("read", document="wide", original=True)
        self.assertEqual(base64.b64decode(read["file"]), wide.encode("utf-16"))
        self.assertEqual(server.close(), 0)

    def test_what_cannot_be_taken_says_why(self):
        server = self.serve()

        def refused(status, code, *parts, content=b"", media_type="", path="/v1/documents?name=a"):
            reply = server.send("POST", path, content,
                                {"Content-Type": media_type, "Prefer": "wait=60"})
            self.assertEqual((reply[0], reply[2]["code"]), (status, code), reply)
            for part in parts:
                self.assertIn(part, reply[2]["detail"])

        refused(400, "invalid_input", "file is empty")
        refused(400, "invalid_input", "image/png", "application/pdf", content=b"\x89PNG", media_type="image/png")
        refused(400, "invalid_input", "no text", "application/pdf", content=b"\x89PNG\0\xff")
        refused(400, "invalid_input", "damaged", content=samples.pdf([["words"]])[:40])
        refused(400, "invalid_input", "scanned", content=samples.pdf([[], []]))
        refused(400, "invalid_input", "unpacks to more", content=samples.Documents.bomb())
        refused(400, "invalid_input", "holds no text", content=b" \n")
        refused(400, "invalid_input", "megacontext ingest", content=b"a rose is " * 60_000)
        refused(400, "invalid_input", "does not take colour", content=b"x", path="/v1/documents?colour=red")
        refused(400, "invalid_input", "event_time", content=b"x", path="/v1/documents?event_time=now")
        refused(400, "invalid_input", "text", content=b"x", path="/v1/documents?text=a")
        refused(413, "too_large", content=b" " * (17 << 20))
        for arguments, part in (({"file": "a"}, "base64"), ({"file": "YQ==", "text": "a"}, "text"),
                                ({"file": "YQ==", "session": "a"}, "session"), ({}, "text is empty")):
            with self.assertRaisesRegex(agent.Refused, part):
                server.call("remember", **arguments)
        self.assertEqual(server.call("status")["banks"][0]["documents"], 0)
        self.assertEqual(server.close(), 0)


if __name__ == "__main__":
    cli.main()
