# SPDX-License-Identifier: Apache-2.0
"""The memory: the five verbs of docs/agents.md, on the whole of it, in one bank, in one conversation."""

import base64
import json
import os
import weakref
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any

from . import _core
from .results import (DocumentRecord, ForgetReport, MemoryStatus, ReadResult, Recollection, Remembered,
                      from_json)

Setting = str | int | os.PathLike[str]


def setting_texts(settings: Mapping[str, Setting] | None, **named: Setting | None) -> dict[str, str]:
    """All that was given, as text; what is named by itself stands before `settings`."""
    given = {**(settings or {}), **{key: value for key, value in named.items() if value is not None}}
    return {key: os.fspath(value) if isinstance(value, os.PathLike) else str(value)
            for key, value in given.items()}


def _listed(documents: str | Iterable[str] | None) -> list[str] | None:
    if documents is None:
        return None
    return [documents] if isinstance(documents, str) else list(documents)


def _base64(file: bytes | None) -> str | None:
    return None if file is None else base64.b64encode(file).decode()


class Memory:
    """A memory on a store, opened for writing; made where it is missing.

    Settings that are not given come from the environment, megacontext.toml and the user's file, as on the
    command line. A store that is made while a key file or a passphrase is given is encrypted with it, and
    opens with it alone. Any thread may call; calls are done one after the other. Use it in `with`, or call close().
    """

    def __init__(self, *, store: str | os.PathLike[str] | None = None, bank: str | None = None,
                 model: str | os.PathLike[str] | None = None, key_file: str | os.PathLike[str] | None = None,
                 passphrase: str | None = None, settings: Mapping[str, Setting] | None = None) -> None:
        self._core = _core.Memory(setting_texts(settings, store=store, bank=bank, model=model, key_file=key_file,
                                                passphrase=passphrase))
        weakref.finalize(self, self._core.close)  # also when the program ends

    def __enter__(self) -> "Memory":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 where: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"megacontext.Memory(store={self.store!r}, bank={self.bank!r})"

    @property
    def store(self) -> str:
        """The store's folder."""
        return self._core.store

    @property
    def bank(self) -> str:
        """The bank that is meant where none is named."""
        return self._core.bank

    def close(self) -> None:
        """Lets go of the store. Every other call raises Usage from then on."""
        self._core.close()

    def _call(self, verb: str, **given: Any) -> Any:
        arguments = {key: value for key, value in given.items() if value is not None}
        text = json.dumps(arguments, ensure_ascii=False).encode()  # refuses half a surrogate pair
        return json.loads(self._core.call(verb, text))

    def remember(self, text: str | None = None, *, file: bytes | None = None, name: str | None = None, session: str | None = None,
                 role: str | None = None, event_time: str | None = None,
                 metadata: Mapping[str, str] | None = None, idempotency_key: str | None = None,
                 media_type: str | None = None, bank: str | None = None) -> Remembered:
        """Keeps a text: a document, or with `session` a message of it. It is durable and can be found at once.

        `file` in place of text is a document's bytes, of a kind that `media_type`, the bytes or `name` tell.
        """
        return from_json(Remembered, self._call(
            "remember", text=text, file=_base64(file), name=name, session=session, role=role, event_time=event_time,
            metadata=None if metadata is None else dict(metadata), idempotency_key=idempotency_key,
            media_type=media_type, bank=bank))

    def recall(self, question: str, *, passages: int | None = None, tokens: int | None = None,
               answer: bool = False, documents: str | Iterable[str] | None = None,
               session: str | None = None, source: str | None = None,
               metadata: Mapping[str, str] | None = None, since: str | None = None,
               until: str | None = None, as_of: str | None = None, bank: str | None = None,
               banks: str | Iterable[str] | None = None) -> Recollection:
        """Finds what the memory knows: at most `passages` (5 if not given) of `tokens` together.

        With `answer` the base model answers from them. `documents` and `session` say where to look; `source`
        (a name, with * for any characters), `metadata` and event times from `since` to `until` narrow it.
        `as_of` a time it finds what was held then: kept versions of documents, and nothing newer.
        `banks` in place of `bank` are asked together, "*" being all.
        """
        return from_json(Recollection, self._call(
            "recall", question=question, passages=passages, tokens=tokens, answer=answer,
            documents=_listed(documents), session=session, source=source,
            metadata=None if metadata is None else dict(metadata), since=since, until=until,
            as_of=as_of, bank=bank, banks=_listed(banks)))

    def read(self, document: str, begin: int | None = None, end: int | None = None, *,
             original: bool | None = None, version: int | None = None, as_of: str | None = None,
             bank: str | None = None) -> ReadResult:
        """The text of a document ("d3" or its name) or of its bytes [begin, end); at most 256 KiB.

        With `original`, of its file: the bytes are the result's `data`. `version` reads a kept version of it,
        `as_of` what it said at that time.
        """
        return from_json(ReadResult, self._call(
            "read", document=document, begin=begin, end=end, original=original, version=version,
            as_of=as_of, bank=bank))

    def forget(self, documents: str | Iterable[str] | None = None, *, begin: int | None = None,
               end: int | None = None, older_than_days: int | None = None,
               all: bool | None = None, dry_run: bool = True, reason: str | None = None,
               bank: str | None = None) -> ForgetReport:
        """Takes documents, or the bytes [begin, end) of one, out for good.

        Says only what would go unless `dry_run` is False.
        """
        return from_json(ForgetReport, self._call(
            "forget", documents=_listed(documents), begin=begin, end=end,
            older_than_days=older_than_days, all=all, dry_run=dry_run, reason=reason, bank=bank))

    def status(self) -> MemoryStatus:
        """What the memory holds, bank by bank."""
        return from_json(MemoryStatus, self._call("status"))

    def documents(self, count: int = 100, *, bank: str | None = None) -> list[DocumentRecord]:
        """The newest documents of a bank, newest first."""
        return from_json(list[DocumentRecord], json.loads(self._core.documents(bank or self.bank, count)))

    def in_bank(self, name: str) -> "Bank":
        """The same memory, with another bank where none is named."""
        return Bank(self, name)

    def session(self, name: str) -> "Session":
        """A conversation in the bank that is meant where none is named."""
        return Session(self, name)


class Bank(Memory):
    """A memory as it is, but for the bank that is meant where none is named. Made on its first remember()."""

    def __init__(self, memory: Memory, name: str) -> None:
        self._memory = memory  # whose end would close the store
        self._core = memory._core
        self._name = name

    def __repr__(self) -> str:
        return f"{self._memory!r}.in_bank({self._name!r})"

    @property
    def bank(self) -> str:
        """The bank that is meant where none is named."""
        return self._name

    def _call(self, verb: str, **given: Any) -> Any:
        if verb != "status" and given.get("bank") is None and given.get("banks") is None:
            given["bank"] = self._name
        return super()._call(verb, **given)


class Session:
    """A conversation that a memory keeps: the document `session/NAME`, which grows by messages."""

    def __init__(self, memory: Memory, name: str) -> None:
        self._memory = memory
        self.name = name

    def __repr__(self) -> str:
        return f"{self._memory!r}.session({self.name!r})"

    def say(self, text: str, role: str | None = None, *, event_time: str | None = None,
            idempotency_key: str | None = None) -> Remembered:
        """Appends a message, `role` saying it. It is durable and can be found at once."""
        return self._memory.remember(text, session=self.name, role=role, event_time=event_time,
                                     idempotency_key=idempotency_key)

    def recall(self, question: str, *, passages: int | None = None, tokens: int | None = None,
               answer: bool = False, since: str | None = None, until: str | None = None,
               as_of: str | None = None) -> Recollection:
        """Finds what was said here; as `Memory.recall`."""
        return self._memory.recall(question, passages=passages, tokens=tokens, answer=answer, since=since,
                                   until=until, as_of=as_of, session=self.name)

    def read(self, begin: int | None = None, end: int | None = None, *, as_of: str | None = None) -> ReadResult:
        """What was said, one message a line; `as_of` a time, what had been said by then."""
        return self._memory.read("session/" + self.name, begin, end, as_of=as_of)
