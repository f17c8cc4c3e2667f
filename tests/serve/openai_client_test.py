#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The client of PyPI's `openai` against our server, in one piece and in a stream."""

import signal
import sys

import agent
import cli

try:
    import openai
except ImportError as missing:
    print(f"skipped: {missing}; scripts/setup --tests fetches it")
    sys.exit(cli.SKIP)


class OpenAiClient(cli.CliTestCase):
    def setUp(self):
        super().setUp()
        server = agent.HttpProcess(self.cli)
        self.addCleanup(lambda: server.process.poll() is None and server.close(signal.SIGKILL))
        server.call("remember", text="Anna Barlow keeps a tortoise named Zebulon.")
        self.client = openai.OpenAI(base_url=server.url + "/v1", api_key="none", max_retries=0)
        self.addCleanup(self.client.close)

    def ask(self, text, **more):
        return self.client.chat.completions.create(
            model="megacontext", messages=[{"role": "user", "content": text}], **more)

    def test_a_stream_says_what_a_completion_says(self):
        question = "Which animal does Anna Barlow keep?"
        whole = self.ask(question)
        text = whole.choices[0].message.content
        self.assertIn("tortoise", text)
        chunks = list(self.ask(question, stream=True, stream_options={"include_usage": True}))
        self.assertEqual("".join(chunk.choices[0].delta.content or "" for chunk in chunks[:-1]), text)
        self.assertEqual(chunks[0].choices[0].delta.role, "assistant")
        self.assertEqual(chunks[-2].choices[0].finish_reason, whole.choices[0].finish_reason)
        self.assertEqual(chunks[-1].usage.completion_tokens, whole.usage.completion_tokens)
        self.assertEqual({chunk.id for chunk in chunks}, {chunks[0].id})
        self.assertTrue(chunks[0].memory["known"])

    def test_errors_are_the_clients_own(self):
        for stream in (False, True):
            with self.assertRaises(openai.BadRequestError) as refused:
                self.ask("", stream=stream)
            self.assertTrue(refused.exception.message)

    def test_models_are_listed(self):
        self.assertEqual([model.id for model in self.client.models.list()], ["megacontext"])


if __name__ == "__main__":
    cli.main()
