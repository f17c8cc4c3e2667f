#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""examples/python/llamaindex_retriever.py in a query engine of LlamaIndex."""


import adapters

from llama_index.core.llms import MockLLM
from llama_index.core.query_engine import RetrieverQueryEngine

from llamaindex_retriever import MegaContextRetriever


class LlamaIndex(adapters.AdapterTestCase):
    def setUp(self):
        super().setUp()
        self.memory.remember("Anna keeps a tortoise named Zebulon. It is old.", name="anna",
                             metadata={"kind": "fact"})
        self.memory.remember("Ben keeps a parrot.", name="ben", bank="farm")

    def test_passages_are_nodes_that_say_where_they_are_from(self):
        [first, *_] = MegaContextRetriever(self.memory).retrieve("Which animal does Anna keep?")
        self.assertIn("Zebulon", first.node.get_content())
        place = first.node.metadata
        self.assertEqual((place["bank"], place["source"], place["kind"]), ("default", "anna", "fact"))
        text = self.memory.read(place["document"], place["begin"], place["end"], bank=place["bank"]).text
        self.assertEqual(text, first.node.get_content())
        self.assertGreater(first.score, 0.33)

    def test_where_to_look_is_the_memorys_own(self):
        both = MegaContextRetriever(self.memory, banks="*", passages=9)
        self.assertEqual({one.node.metadata["bank"] for one in both.retrieve("Who keeps a parrot or a tortoise?")},
                         {"default", "farm"})
        self.assertEqual(MegaContextRetriever(self.memory).retrieve("What is the tax rate of Norway?"), [])

    def test_an_engine_reads_what_was_retrieved(self):
        engine = RetrieverQueryEngine.from_args(MegaContextRetriever(self.memory), llm=MockLLM())
        answer = engine.query("Which animal does Anna keep?")
        self.assertIn("Zebulon", str(answer))  # a mock says what it was told
        self.assertEqual(answer.source_nodes[0].node.metadata["source"], "anna")


if __name__ == "__main__":
    adapters.cli.main()
