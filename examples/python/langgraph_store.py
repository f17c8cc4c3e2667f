# SPDX-License-Identifier: Apache-2.0
"""A megacontext.Memory as the long-term memory of a LangGraph graph.

    with megacontext.Memory(store="notes") as memory:
        graph = builder.compile(store=MegaContextStore(memory))

An item is a document of JSON, so get() gives back what put() was given, and search() finds it by what it
says. Everything that is put can be searched: `index` is not looked at, and items do not expire.
"""

import asyncio
import json
import operator
from datetime import datetime, timezone
from urllib.parse import quote, unquote

import megacontext
from langgraph.store.base import BaseStore, GetOp, Item, ListNamespacesOp, PutOp, SearchItem, SearchOp

FOLDER = "item/"  # of the documents that are items
PASSAGES_MAX = 50  # of one recall
DOCUMENTS_MAX = 100_000  # that a search without a query looks through
COMPARISONS = {"$eq": operator.eq, "$ne": operator.ne, "$gt": operator.gt, "$gte": operator.ge,
               "$lt": operator.lt, "$lte": operator.le}


def _folder(namespace):
    """("users", "anna") as "item/users/anna/"; no label has a slash or a star then."""
    return FOLDER + "".join(quote(label, safe="") + "/" for label in namespace)


def _place(name):
    """The namespace and the key of a document."""
    *namespace, key = [unquote(part) for part in name.removeprefix(FOLDER).split("/")]
    return tuple(namespace), key


def _fits(value, wanted):
    """Whether an item's value has what a filter wants."""
    for key, condition in (wanted or {}).items():
        if key not in value:
            return False
        comparisons = condition if isinstance(condition, dict) and condition.keys() <= COMPARISONS.keys() else {
            "$eq": condition}
        if not all(COMPARISONS[name](value[key], other) for name, other in comparisons.items()):
            return False
    return True


def _matches(namespace, condition):
    path = condition.path
    if len(path) > len(namespace):
        return False
    part = namespace[:len(path)] if condition.match_type == "prefix" else namespace[-len(path):]
    return all(wanted in ("*", label) for wanted, label in zip(path, part))


class MegaContextStore(BaseStore):
    """LangGraph's store on one bank of a memory, which it borrows."""

    def __init__(self, memory, bank=None):
        self.memory = memory
        self.bank = bank

    def batch(self, ops):
        work = {GetOp: self._get, PutOp: self._put, SearchOp: self._search, ListNamespacesOp: self._namespaces}
        return [work[type(op)](op) for op in ops]

    async def abatch(self, ops):
        return await asyncio.to_thread(self.batch, list(ops))

    def _read(self, name):
        """The document's JSON, or None. A read gives at most 256 KiB."""
        try:
            part = self.memory.read(name, bank=self.bank)
            text = part.text
            while part.bytes.end < part.bytes_total:
                part = self.memory.read(name, part.bytes.end, bank=self.bank)
                text += part.text
        except megacontext.InvalidInput:  # there is no such document, or nothing was put yet
            return None
        return json.loads(text)

    def _item(self, name, kind=Item, **more):
        kept = self._read(name)
        if kept is None:
            return None
        namespace, key = _place(name)
        return kind(namespace=namespace, key=key, value=kept["value"],
                    created_at=datetime.fromisoformat(kept["created_at"]),
                    updated_at=datetime.fromisoformat(kept["updated_at"]), **more)

    def _get(self, op):
        return self._item(_folder(op.namespace) + quote(op.key, safe=""))

    def _put(self, op):
        name = _folder(op.namespace) + quote(op.key, safe="")
        before = self._read(name)
        if before is not None:
            self.memory.forget(name, dry_run=False, bank=self.bank)
        if op.value is None:
            return
        now = datetime.now(timezone.utc).isoformat()
        kept = {"created_at": before["created_at"] if before else now, "updated_at": now, "value": dict(op.value)}
        self.memory.remember(json.dumps(kept, ensure_ascii=False, indent=0), name=name, bank=self.bank)

    def _names(self):
        """Of all items, newest first."""
        try:
            documents = self.memory.documents(DOCUMENTS_MAX, bank=self.bank)
        except megacontext.InvalidInput:
            return []
        return [document.source for document in documents if document.source.startswith(FOLDER)]

    def _scores(self, op):
        """Names of items with the score of their best passage, best first; without a query the newest first."""
        folder = _folder(op.namespace_prefix)
        if not op.query:
            return {name: None for name in self._names() if name.startswith(folder)}
        try:
            found = self.memory.recall(op.query, source=folder + "*", passages=PASSAGES_MAX, bank=self.bank)
        except megacontext.InvalidInput:
            return {}
        scores = {}
        for one in found.evidence:
            scores.setdefault(one.source, one.score)
        return scores

    def _search(self, op):
        items = (self._item(name, SearchItem, score=score) for name, score in self._scores(op).items())
        fitting = [item for item in items if item is not None and _fits(item.value, op.filter)]
        return fitting[op.offset:op.offset + op.limit]

    def _namespaces(self, op):
        found = {_place(name)[0] for name in self._names()}
        fitting = {namespace[:op.max_depth] for namespace in found
                   if all(_matches(namespace, condition) for condition in op.match_conditions or ())}
        return sorted(fitting)[op.offset:op.offset + op.limit]
