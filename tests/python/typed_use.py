# SPDX-License-Identifier: Apache-2.0
"""For mypy alone: what fits passes, and what does not must be marked, or mypy says the mark is idle."""

import pathlib

import megacontext

with megacontext.Memory(store=pathlib.Path("notes"), settings={"threads": 2}) as memory:
    kept: str = memory.remember("text", metadata={"a": "b"}).document
    passages: list[megacontext.Evidence] = memory.recall("question", passages=3).evidence
    begin: int = passages[0].bytes.begin
    bank: str = memory.recall("question", banks=["home", "work"]).evidence[0].bank
    answer = memory.recall("question", answer=True).answer
    answer.text  # type: ignore[union-attr]
    memory.remember(7)  # type: ignore[arg-type]
    memory.recall("question", 3)  # type: ignore[call-arg]
    memory.forget(["d1"], dry_run="no")  # type: ignore[arg-type]
    names: list[str] = [document.source for document in memory.documents()]

model = megacontext.BaseModel("model.gguf")
shape: tuple[int, ...] = model.logits(model.encode("text")).shape
text: str = model.decode([1, 2, 3])
model.logits("text").nothing  # type: ignore[attr-defined]
