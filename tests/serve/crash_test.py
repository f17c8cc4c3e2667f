#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A kill in mid-load loses nothing that was acknowledged, and leaves a store without a fault."""

import os

import agent
import cli

KILLS = int(os.environ.get("KILLS", "6"))
ASKED_AT_ONCE = 40


class Crash(cli.CliTestCase):
    def test_every_acknowledged_message_and_note_is_there_after_a_kill(self):
        said, notes = [], {}
        for kill in range(KILLS):
            mcp = agent.McpProcess(self.cli)
            # Sent without waiting, so that the kill falls into the middle of something: another
            # instant each time, because another answer is waited for.
            for i in range(ASKED_AT_ONCE):
                message = f"kill {kill} message {i} with some words to fill a block"
                mcp.request("tools/call", {"name": "remember", "arguments": (
                    {"session": "chat", "role": "anna", "text": message} if i % 2 == 0 else
                    {"text": message})})
            first = mcp.last_id - ASKED_AT_ONCE + 1
            for _ in range(1 + (4 + 5 * kill) % ASKED_AT_ONCE):
                answer = mcp.receive()
                i = answer["id"] - first
                message = f"kill {kill} message {i} with some words to fill a block"
                if i % 2 == 0:
                    said.append(f"anna: {message}\n")
                else:
                    notes[answer["result"]["structuredContent"]["source"]] = message
            mcp.kill()
        text = self.cli.run("read", "session/chat").stdout.decode()
        at = 0
        for line in said:
            at = text.find(line, at)
            self.assertGreaterEqual(at, 0, line)
            at += len(line)
        self.assertTrue(all(line.startswith("anna: kill ") for line in text.splitlines()))
        for source, note in notes.items():
            self.assertEqual(self.cli.run("read", source).stdout.decode(), note)
        mcp = agent.McpProcess(self.cli)
        found = mcp.call("recall", question=f"kill {KILLS - 1} message 3", passages=50)
        self.assertTrue(found["evidence"])
        mcp.call("remember", session="chat", role="anna", text="the end")
        self.assertEqual(mcp.close(), 0)
        self.assertEqual(self.cli.result("verify")["faults"], [])


if __name__ == "__main__":
    cli.main()
