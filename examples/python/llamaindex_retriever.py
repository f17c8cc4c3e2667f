# SPDX-License-Identifier: Apache-2.0
"""A megacontext.Memory as a retriever of LlamaIndex.

    with megacontext.Memory(store="notes") as memory:
        engine = RetrieverQueryEngine.from_args(MegaContextRetriever(memory), llm=llm)

What no passage is likely to answer retrieves nothing, so that the language model is not told what does not help.
"""

from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeWithScore, TextNode


def _node(evidence):
    place = {"bank": evidence.bank, "document": evidence.document, "source": evidence.source,
             "begin": evidence.bytes.begin, "end": evidence.bytes.end}
    if evidence.place is not None:
        place["place"] = evidence.place
    identity = f"{evidence.document}:{evidence.bytes.begin}:{evidence.bytes.end}"
    return TextNode(id_=identity, text=evidence.text, metadata={**evidence.metadata, **place})


class MegaContextRetriever(BaseRetriever):
    """Passages of a memory, which it borrows; `where` is any of what Memory.recall takes beside the question."""

    def __init__(self, memory, **where):
        self._memory = memory
        self._where = where
        super().__init__()

    def _retrieve(self, query_bundle):
        found = self._memory.recall(query_bundle.query_str, **self._where)
        if not found.known:
            return []
        return [NodeWithScore(node=_node(one), score=one.score) for one in found.evidence]
