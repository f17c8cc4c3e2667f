# SPDX-License-Identifier: Apache-2.0
"""What the memory answers, as plain objects.

Their fields are those of the JSON that MCP, HTTP and the command line give, so `dataclasses.asdict()` of
a result is that JSON.
"""

import base64
import builtins
import dataclasses
import html
import types
import typing
from typing import Any, TypeVar

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Span:
    """Half-open, of bytes or of tokens."""

    begin: int
    end: int


@dataclasses.dataclass(frozen=True)
class Remembered:
    """Where a text was put; outcome is ingested, resumed, extended or already_there."""

    outcome: str
    document: str
    source: str
    bytes: Span


@dataclasses.dataclass(frozen=True)
class Evidence:
    """A passage, what it is of, and why it was chosen."""

    rank: int
    bank: str
    document: str
    source: str
    place: str | None
    bytes: Span
    tokens: Span
    level: int | None
    score: float
    why: str
    text: str
    metadata: dict[str, str]


@dataclasses.dataclass(frozen=True)
class Answer:
    """What the base model wrote (reader: None), or another; sources are ranks of the evidence that its words come from."""

    text: str
    sources: list[int]
    reader: str | None
    prompt_entries: int
    new_tokens: int
    stop_reason: str
    seconds_to_first_token: float
    seconds: float


@dataclasses.dataclass(frozen=True)
class Recollection:
    """What the memory knows about a question: passages, best first. A notebook shows it as a table."""

    question: str
    policy: str
    budget: int
    cost: int
    covered_tokens: int
    edits: int
    known: bool
    seconds_search: float
    seconds_focus: float
    evidence: list[Evidence]
    evidence_tokens: int
    answer: Answer | None

    def __str__(self) -> str:
        lines = [f"{e.rank}. {e.document} {e.source} bytes {e.bytes.begin}:{e.bytes.end}\n   {e.text.strip()}"
                 for e in self.evidence]
        if not self.known:
            lines.insert(0, "not in the memory, as far as search can tell")
        if self.answer is not None:
            lines.append(f"answer: {self.answer.text}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        escape = html.escape
        rows = "".join(
            f"<tr><td>{e.rank}</td><td title='{escape(e.why, quote=True)}'>{e.score:.3f}</td>"
            f"<td>{escape(e.document)} {escape(e.source)}<br>{e.bytes.begin}:{e.bytes.end}</td>"
            f"<td style='text-align:left;white-space:pre-wrap'>{escape(e.text)}</td></tr>"
            for e in self.evidence)
        unknown = "" if self.known else "<p>Not in the memory, as far as search can tell.</p>"
        answer = "" if self.answer is None else f"<p><b>{escape(self.answer.text)}</b></p>"
        return (f"<p><i>{escape(self.question)}</i></p>{unknown}{answer}"
                f"<table><tr><th></th><th>score</th><th>document</th><th>passage</th></tr>{rows}</table>")


@dataclasses.dataclass(frozen=True)
class ReadResult:
    """A document's text or a part of it. Not exact: bytes that are no UTF-8 were replaced."""

    document: str
    source: str
    media_type: str
    bytes: Span
    bytes_total: int
    exact: bool
    text: str
    file: str | None

    @property
    def data(self) -> "builtins.bytes":
        """What was read as bytes: of the original where that was asked for, else of the text."""
        return self.text.encode() if self.file is None else base64.b64decode(self.file)


@dataclasses.dataclass(frozen=True)
class LevelNodes:
    """How many gists of a level a document has."""

    level: int
    nodes: int


@dataclasses.dataclass(frozen=True)
class DocumentRecord:
    """A document as the store knows it; times are microseconds since 1970."""

    document: str
    source: str
    media_type: str
    created_us: int
    updated_us: int
    tokens: int
    bytes: int
    content_hash: str
    complete: bool
    version: int
    levels: list[LevelNodes]
    tail_tokens: int
    tokens_without_gists: int
    metadata: dict[str, str]


@dataclasses.dataclass(frozen=True)
class DocumentPart:
    """A stretch of a document's text."""

    bytes: Span
    tokens: Span


@dataclasses.dataclass(frozen=True)
class ForgottenDocument(DocumentRecord):
    """A document, or one of its versions, that goes; parts are what goes of it, none: all."""

    parts: list[DocumentPart]


@dataclasses.dataclass(frozen=True)
class ForgetReport:
    """What would go (outcome would_forget) or went (forgotten); versions: how many of the documents are such."""

    outcome: str
    documents: list[ForgottenDocument]
    versions: int
    tokens: int
    bytes: int


@dataclasses.dataclass(frozen=True)
class BankSummary:
    """A bank and how much it holds."""

    bank: str
    created_us: int
    documents: int
    tokens: int
    tokens_without_gists: int
    bytes: int


@dataclasses.dataclass(frozen=True)
class MemoryStatus:
    """The configured bank, what made the gists, whether meaning is searched, and every bank."""

    bank: str
    base_model: str
    encoder: str
    vectors: bool
    gist_fault: str | None
    banks: list[BankSummary]


def from_json(kind: type[T], value: Any) -> T:
    """An object of a result's class. Keys are added over time (docs/cli.md): others are passed over."""
    return typing.cast(T, _build(kind, value))


def _build(kind: Any, value: Any) -> Any:
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints = typing.get_type_hints(kind)
        return kind(**{name: _build(hints[name], value[name]) for name in hints})
    if typing.get_origin(kind) is list:
        return [_build(typing.get_args(kind)[0], item) for item in value]
    if typing.get_origin(kind) is types.UnionType and value is not None:
        return _build(typing.get_args(kind)[0], value)
    return value
