# SPDX-License-Identifier: Apache-2.0
"""MegaContext: a persistent memory for a frozen language model.

    with megacontext.Memory(store="notes") as memory:
        memory.remember("Anna keeps a tortoise named Zebulon.", name="anna")
        print(memory.recall("Which animal does Anna keep?"))

`Memory` has the verbs that agents have over MCP and HTTP; `BaseModel` is the language model alone.
docs/python.md tells more.
"""

import os as _os

# libgomp asks for this once, when the next line loads it: how long its threads spin before they sleep
# (docs/adr/0017-bounded-waiting.md). Whoever set it, or OMP_WAIT_POLICY, keeps what was set.
_is_ours = "GOMP_SPINCOUNT" not in _os.environ and "OMP_WAIT_POLICY" not in _os.environ
if _is_ours:
    _os.environ["GOMP_SPINCOUNT"] = "1000"
try:
    from . import _core  # noqa: E402
except ImportError as error:
    raise ImportError(f"{error} (megacontext is compiled for one machine: libtorch must be where it was then, and "
                      "Debian's libraries installed; docs/python.md)") from error

if _is_ours:
    del _os.environ["GOMP_SPINCOUNT"]

from .base_model import BaseModel  # noqa: E402
from .errors import (Cancelled, Corruption, Error, FormatVersion, Internal,  # noqa: E402
                     InvalidInput, Io, Key, Locked, ModelFailed, ModelMismatch, OutOfSpace,
                     OverBudget, StaleIndex, Usage)
from .memory import Bank, Memory, Session  # noqa: E402
from .results import (Answer, BankSummary, DocumentPart, DocumentRecord, Evidence,  # noqa: E402
                      ForgetReport, ForgottenDocument, LevelNodes, MemoryStatus, ReadResult,
                      Recollection, Remembered, Span)

__version__ = _core.version
__all__ = [
    "Answer", "Bank", "BankSummary", "BaseModel", "Cancelled", "Corruption", "DocumentPart",
    "DocumentRecord", "Error", "Evidence", "ForgetReport", "ForgottenDocument", "FormatVersion",
    "Internal", "InvalidInput", "Io", "Key", "LevelNodes", "Locked", "Memory", "MemoryStatus",
    "ModelFailed", "ModelMismatch", "OutOfSpace", "OverBudget", "ReadResult", "Recollection",
    "Remembered", "Session", "Span", "StaleIndex", "Usage",
]
