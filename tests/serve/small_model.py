# SPDX-License-Identifier: Apache-2.0
"""A base model that reads a long text in no time, for tests of everything around it."""

import pathlib
import struct


def content():
    """A golden model, told that its context is longer."""
    golden = pathlib.Path(__file__).resolve().parent.parent / "golden" / "tiny_models" / "llama.gguf"
    model = golden.read_bytes()
    key = b"llama.context_length" + struct.pack("<I", 4)  # and a number of 32 bits
    assert model.count(key) == 1
    at = model.index(key) + len(key)
    return model[:at] + struct.pack("<I", 2048) + model[at + 4:]


def use(program):
    """Lets all commands of a cli.Cli use it, without an embedder."""
    inherited = {**program.environment(), "MEGACONTEXT_EMBEDDER": "none",
                 "MEGACONTEXT_MODEL": str(program.write("tiny.gguf", content()))}
    program.environment = lambda: inherited
