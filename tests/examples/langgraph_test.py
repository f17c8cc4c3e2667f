#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""examples/python/langgraph_store.py against LangGraph itself, beside its own store in memory."""

import asyncio
import typing

import adapters

from langgraph.graph import END, START, StateGraph
from langgraph.store.base import BaseStore
from langgraph.store.memory import InMemoryStore

from langgraph_store import MegaContextStore

NOTES = {(("users", "anna"), "pet"): {"text": "Anna keeps a tortoise named Zebulon.", "kind": "fact", "year": 2026},
         (("users", "anna"), "home"): {"text": "Anna lives by the harbour.", "kind": "fact", "year": 2024},
         (("users", "ben"), "pet"): {"text": "Ben keeps a parrot.", "kind": "guess", "tags": ["a", 1, None]},
         (("users2", "*/x"), "a/b*"): {"text": "Nobody asks for this: ünïcode."}}


class State(typing.TypedDict):
    question: str
    known: str


def look_up(state: State, *, store: BaseStore):
    found = store.search(("users",), query=state["question"], limit=1)
    store.put(("asked",), "last", {"question": state["question"]})
    return {"known": found[0].value["text"]}


class LangGraph(adapters.AdapterTestCase):
    def setUp(self):
        super().setUp()
        self.store = MegaContextStore(self.memory)
        self.theirs = InMemoryStore()
        for store in (self.store, self.theirs):
            for (namespace, key), value in NOTES.items():
                store.put(namespace, key, value)

    def both(self, ask):
        """What both say: items as (namespace, key, value), sorted."""
        said = []
        for store in (self.store, self.theirs):
            found = ask(store)
            said.append(sorted((item.namespace, item.key, item.value) for item in found))
        self.assertEqual(*said)
        return said[0]

    def test_what_is_put_is_there_and_what_is_deleted_is_not(self):
        for (namespace, key), value in NOTES.items():
            item = self.store.get(namespace, key)
            self.assertEqual((item.value, item.key, item.namespace), (value, key, namespace))
        self.assertIsNone(self.store.get(("users", "anna"), "car"))
        first = self.store.get(("users", "ben"), "pet")
        self.store.put(("users", "ben"), "pet", {"text": "Ben keeps a newt."})
        item = self.store.get(("users", "ben"), "pet")
        self.assertEqual(item.value, {"text": "Ben keeps a newt."})
        self.assertEqual(item.created_at, first.created_at)
        self.assertGreater(item.updated_at, first.updated_at)
        self.assertNotIn("parrot", str(self.store.search((), query="Who keeps a parrot?")))
        self.store.delete(("users", "ben"), "pet")
        self.store.delete(("users", "ben"), "pet")
        self.assertIsNone(self.store.get(("users", "ben"), "pet"))
        self.assertIsNone(MegaContextStore(self.memory, bank="other").get(("users", "anna"), "pet"))
        self.assertEqual(MegaContextStore(self.memory, bank="other").search((), query="tortoise"), [])

    def test_searches_say_what_their_own_store_says(self):
        self.assertEqual(len(self.both(lambda store: store.search(("users",)))), 3)
        self.assertEqual(len(self.both(lambda store: store.search(()))), 4)
        self.assertEqual(len(self.both(lambda store: store.search(("users", "anna")))), 2)
        self.assertEqual(len(self.both(lambda store: store.search((), filter={"kind": "fact"}))), 2)
        self.assertEqual(len(self.both(lambda store: store.search(("users", "anna"), filter={"year": {"$gt": 2024}}))), 1)
        self.assertEqual(self.both(lambda store: store.search(("user",))), [])
        for ask in (lambda store: store.list_namespaces(), lambda store: store.list_namespaces(max_depth=1),
                    lambda store: store.list_namespaces(prefix=("users",)),
                    lambda store: store.list_namespaces(suffix=("anna",)),
                    lambda store: store.list_namespaces(prefix=("*", "ben")),
                    lambda store: store.list_namespaces(limit=1, offset=1)):
            self.assertEqual(sorted(ask(self.store)), sorted(ask(self.theirs)))

    def test_a_query_finds_by_what_an_item_says(self):
        found = self.store.search(("users",), query="Which animal does Anna keep?", limit=2)
        self.assertEqual((found[0].namespace, found[0].key), (("users", "anna"), "pet"))
        self.assertGreater(found[0].score, found[1].score)
        rest = self.store.search(("users",), query="Which animal does Anna keep?", limit=2, offset=1)
        self.assertEqual(rest[0].key, found[1].key)
        only = self.store.search(("users", "ben"), query="Which animal does Anna keep?")
        self.assertEqual({item.namespace for item in only}, {("users", "ben")})
        long = {"text": "word " * 60_000}
        self.store.put(("long",), "one", long)
        self.assertEqual(self.store.get(("long",), "one").value, long)

    def test_a_graph_uses_it(self):
        builder = StateGraph(State)
        builder.add_node("look_up", look_up)
        builder.add_edge(START, "look_up")
        builder.add_edge("look_up", END)
        graph = builder.compile(store=self.store)
        question = "Which animal does Anna keep?"
        self.assertIn("Zebulon", graph.invoke({"question": question})["known"])
        self.assertEqual(self.store.get(("asked",), "last").value, {"question": question})

        async def later():
            return await self.store.aget(("users", "ben"), "pet")

        self.assertEqual(asyncio.run(later()).value, NOTES[("users", "ben"), "pet"])


if __name__ == "__main__":
    adapters.cli.main()
