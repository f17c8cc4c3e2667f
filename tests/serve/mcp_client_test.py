#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The client of PyPI's `mcp` against our servers, on stdio and over HTTP, in each of its modes."""

import signal
import sys

import agent
import cli

try:
    import anyio
    import mcp
    import mcp.client.client
except ImportError as missing:
    print(f"skipped: {missing}; scripts/setup --tests fetches it")
    sys.exit(cli.SKIP)

MODES = {"auto": agent.MODERN, "legacy": "2025-11-25", agent.MODERN: agent.MODERN}


class McpClient(cli.CliTestCase):
    def test_stdio_in_every_mode(self):
        server = mcp.StdioServerParameters(command=str(self.binary), args=["mcp"],
                                           env=self.cli.environment(), cwd=str(self.cli.home))
        for mode, revision in MODES.items():
            with self.subTest(mode=mode):
                anyio.run(self.script, server, mode, revision)

    def test_http_in_every_mode(self):
        server = agent.HttpProcess(self.cli)
        self.addCleanup(lambda: server.process.poll() is None and server.close(signal.SIGKILL))
        for mode, revision in MODES.items():
            with self.subTest(mode=mode):
                anyio.run(self.script, server.url + "/mcp", mode, revision)
        self.assertEqual(server.close(), 0)

    async def script(self, server, mode, revision):
        async with mcp.client.client.Client(server, mode=mode) as client:
            self.assertEqual(client.protocol_version, revision)
            tools = (await client.list_tools()).tools
            self.assertEqual([tool.name for tool in tools],
                             ["remember", "recall", "read", "forget", "status"])
            kept = await client.call_tool("remember", {"text": f"Anna rang the bell in mode {mode}.",
                                                       "name": f"bell {mode}"})
            self.assertFalse(kept.is_error, kept)
            found = await client.call_tool("recall", {"question": "Who rang the bell?"})
            self.assertIn("Anna", found.structured_content["evidence"][0]["text"])
            wrong = await client.call_tool("recall", {"question": 7})
            self.assertTrue(wrong.is_error)
            listed = (await client.list_resources()).resources
            names = [one.name for one in listed]
            self.assertIn(f"bell {mode}", names)
            read = await client.read_resource(str(listed[names.index(f"bell {mode}")].uri))
            self.assertEqual(read.contents[0].text, f"Anna rang the bell in mode {mode}.")
            would = await client.call_tool("forget", {"documents": [f"bell {mode}"]})
            self.assertEqual(would.structured_content["outcome"], "would_forget")


if __name__ == "__main__":
    cli.main()
