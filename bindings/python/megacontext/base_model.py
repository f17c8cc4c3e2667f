# SPDX-License-Identifier: Apache-2.0
"""The frozen language model by itself, on NumPy arrays."""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from . import _core
from .memory import Setting, setting_texts

if TYPE_CHECKING:  # the memory needs no NumPy
    import numpy as np
    from numpy.typing import ArrayLike, NDArray


def _row_of(ids: "ArrayLike") -> "NDArray[np.int32]":
    import numpy as np
    row = np.asarray(ids)
    if row.size == 0:
        row = row.astype(np.int32)
    # "same_kind": 1.5 is no token.
    return np.ascontiguousarray(row.astype(np.int32, casting="same_kind", copy=False))


class BaseModel:
    """Tokens in, predictions out. Nothing is added to `ids`: put `bos` first where a text begins.

    Settings that are not given come from where the command line has them. Any thread may call; calls are
    done one after the other.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None, *,
                 settings: Mapping[str, Setting] | None = None) -> None:
        self._core = _core.BaseModel(setting_texts(settings, model=path))

    def __repr__(self) -> str:
        return f"<megacontext.BaseModel {self.name}>"

    @property
    def name(self) -> str:
        """As the model's file says."""
        return self._core.name

    @property
    def vocabulary_size(self) -> int:
        """Ids go up to this; 256 more stand for bytes that the vocabulary cannot spell."""
        return self._core.vocabulary_size

    @property
    def context_length(self) -> int:
        """Most ids that it reads at once."""
        return self._core.context_length

    @property
    def bos(self) -> int:
        """The token at the beginning of a text."""
        return self._core.bos

    @property
    def eos(self) -> int:
        """The token at the end of a text."""
        return self._core.eos

    def encode(self, text: str | bytes) -> "NDArray[np.int32]":
        """The text's tokens, without BOS. Loses nothing, also of bytes that are no UTF-8."""
        import numpy as np
        return np.frombuffer(self._core.encode(text), dtype=np.int32)

    def decode(self, ids: "ArrayLike", errors: str = "replace") -> str:
        """The text of tokens; `errors` as in bytes.decode()."""
        return self._core.decode(_row_of(ids)).decode(errors=errors)

    def logits(self, ids: "ArrayLike") -> "NDArray[np.float32]":
        """(T, vocabulary_size): row i predicts what follows the first i + 1 ids."""
        import numpy as np
        row = _row_of(ids)
        out = np.empty((row.size, self.vocabulary_size), dtype=np.float32)
        self._core.write_logits(row, out)
        return out

    def nll(self, ids: "ArrayLike") -> "NDArray[np.float32]":
        """(T - 1): how unlikely each id but the first was, given those before it, in nats."""
        import numpy as np
        return np.frombuffer(self._core.nll(_row_of(ids)), dtype=np.float32)

    def generate(self, prompt: str, max_tokens: int = 64, *, temperature: float = 0.0, seed: int = 0,
                 stop: Sequence[str] = ()) -> str:
        """What the model writes after the prompt, which is plain text: no chat template stands around it."""
        written = self._core.generate(prompt, max_tokens, temperature, seed, list(stop))
        return written.decode(errors="replace")
