#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A bank is a boundary: every way in, with a key that is missing, wrong, revoked or of another bank."""

import json
import signal

import agent
import cli
import small_model

SECRET = "Zebulon"
TEXT = f"Anna Barlow keeps a tortoise named {SECRET}."
TRICKS = ("../work", "work/../work", "./work", "work/", "/work", "WORK", " work", "work ", "work\u0000", "work\n",
          "w%6frk", "work%00", "%2e%2e/work", "..", ".", "*", "work,home", "wo\u0301rk", "\uff57ork", "1", "k1")


def ways_in(bank, document):
    """(what, method, path, body, headers) of everything that names a bank or a document."""
    verbs = {"remember": {"text": "x"}, "recall": {"question": "Who keeps a tortoise?"},
             "read": {"document": document}, "forget": {"documents": [document], "dry_run": False}}
    named = {} if bank is None else {"bank": bank}
    query = "" if bank is None else "bank=" + bank
    for verb, arguments in verbs.items():
        yield verb, "POST", "/v1/" + verb, {**arguments, **named}, {}
    events = {"Accept": "text/event-stream"}
    yield "events", "POST", "/v1/recall", {"question": "Who?", "answer": True, **named}, events
    yield "later", "POST", "/v1/remember", {"text": "x", **named}, {"Prefer": "respond-async"}
    yield "body", "POST", "/v1/documents?" + query, {"any": "bytes"}, {}
    yield "list", "GET", "/v1/documents?" + query, None, {}
    yield "tree", "GET", f"/v1/tree?document={document}&{query}", None, {}
    for verb, arguments in verbs.items():
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                   "params": {"name": verb, "arguments": {**arguments, **named}}}
        yield "mcp " + verb, "POST", "/mcp", message, {}
    for banks in ([bank or "default"], ["home", bank or "default"]):
        yield "banks", "POST", "/v1/recall", {"question": "Who keeps a tortoise?", "banks": banks}, {}


# What names no bank and is asked all the same.
OTHERS = (("status", "GET", "/v1/status", None, {}),
          ("all", "POST", "/v1/recall", {"question": "Who keeps a tortoise?", "banks": ["*"]}, {}),
          ("chat", "POST", "/v1/chat/completions",
           {"messages": [{"role": "user", "content": "Who keeps a tortoise?"}]}, {}),
          ("mcp status", "POST", "/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                                          "params": {"name": "status"}}, {}),
          ("resources", "POST", "/mcp", {"jsonrpc": "2.0", "id": 1, "method": "resources/list"}, {}),
          ("resource", "POST", "/mcp", {"jsonrpc": "2.0", "id": 1, "method": "resources/read",
                                        "params": {"uri": "megacontext://document/d1"}}, {}))


class Isolation(cli.CliTestCase):
    def setUp(self):
        super().setUp()
        small_model.use(self.cli)
        self.server = agent.HttpProcess(self.cli)
        self.addCleanup(lambda: self.server.process.poll() is None and self.server.close(signal.SIGKILL))
        kept = self.server.call("remember", text=TEXT, name="anna", bank="work")
        self.assertEqual(kept["document"], "d1")
        self.server.call("remember", text="Ben Moss drinks cocoa.", name="ben", bank="home")
        self.home = self.key("--only-bank", "home")
        revoked = self.cli.result("serve", "key", "create", "gone")
        self.cli.result("serve", "key", "revoke", revoked["id"])
        self.strangers = {"missing": None, "wrong": "mc_" + "0" * 64, "revoked": revoked["secret"],
                          "cut": self.home[:-1], "of another case": self.home.upper()}

    def key(self, *only):
        return self.cli.result("serve", "key", "create", "agent", *only)["secret"]

    def ask(self, key, method, path, body, headers):
        self.server.key = key
        status, _, reply = self.server.send(method, path, body, headers)
        text = reply if isinstance(reply, str) else json.dumps(reply)
        self.assertNotIn(SECRET, text, (path, body))
        self.assertNotIn("Barlow", text, (path, body))
        return status, text

    def check_untouched(self):
        self.server.key = self.key()
        banks = {one["bank"]: one["documents"] for one in self.server.call("status")["banks"]}
        self.assertEqual(banks["work"], 1)
        self.assertEqual(self.server.call("read", document="anna", bank="work")["text"], TEXT)
        self.assertEqual(self.server.close(), 0)
        self.assertEqual(self.cli.result("verify")["faults"], [])

    def test_who_has_no_key_in_force_is_told_nothing_anywhere(self):
        for name, key in self.strangers.items():
            for what, *request in (*ways_in("work", "d1"), *ways_in("nowhere", "d1"), *ways_in(None, "d1"), *OTHERS):
                with self.subTest(key=name, what=what):
                    status, text = self.ask(key, *request)
                    self.assertEqual(status, 401, text)
                    self.assertEqual(json.loads(text)["code"], "unauthorized")
        self.check_untouched()

    def test_another_banks_key_finds_no_difference_between_what_it_may_not_and_what_is_not(self):
        for document in ("d1", "anna"):
            for there, nowhere in zip(ways_in("work", document), ways_in("nowhere", document)):
                with self.subTest(what=there[0]):
                    status, text = self.ask(self.home, *there[1:])
                    self.assertEqual((status, text.replace("work", "nowhere")), self.ask(self.home, *nowhere[1:]))
                    self.assertTrue(status == 403 or '"isError": true' in text, text)
        # In its own bank another bank's document is as missing as one that never was.
        for there, nowhere in zip(ways_in("home", "d1"), ways_in("home", "d999")):
            if there[0] in ("read", "tree", "mcp read", "mcp forget", "forget"):
                with self.subTest(what=there[0]):
                    status, text = self.ask(self.home, *there[1:])
                    self.assertEqual((status, text.replace("d1", "d999")), self.ask(self.home, *nowhere[1:]))
        for what, *request in OTHERS:
            with self.subTest(what=what):
                self.assertNotIn('"work"', self.ask(self.home, *request)[1])
        self.check_untouched()

    def test_no_name_is_a_way_around(self):
        for trick in TRICKS:
            for what, method, path, body, headers in ways_in(None, "d1"):
                if not isinstance(body, dict) or what == "body":
                    continue
                asked = json.loads(json.dumps(body))
                arguments = asked["params"]["arguments"] if what.startswith("mcp") else asked
                if "banks" in arguments:
                    arguments["banks"] = [trick]
                else:
                    arguments["bank"] = trick
                with self.subTest(bank=trick, what=what):
                    status, text = self.ask(self.home, method, path, asked, headers)
                    if what != "banks" or trick != "*":  # all that it may see
                        self.assertTrue(status in (400, 403) or '"isError": true' in text, text)
        for path in ("/v1/../v1/status", "//v1/status", "/v1/operations/../../keys.json", "/keys.json",
                     "/v1/operations/..%2f..%2fkeys", "/v1/operations/%2e%2e", "/../store/keys.json"):
            with self.subTest(path=path):
                self.assertEqual(self.ask(self.home, "GET", path, None, {})[0], 404)
        for name in ("keys.json", "../keys.json", str(self.cli.store / "keys.json"), "/etc/passwd", "data.mdb"):
            with self.subTest(document=name):
                self.assertEqual(self.ask(self.home, "POST", "/v1/read", {"document": name}, {})[0], 400)
        self.check_untouched()


if __name__ == "__main__":
    cli.main()
