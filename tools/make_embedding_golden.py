#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/embedder/vectors.safetensors: vectors of the default embedder by another program.

    pip install numpy embed-anything==0.7.1
    tools/make_embedding_golden.py FOLDER tests/golden/embedder/vectors.safetensors

embed-anything runs BERT in candle (Rust), in f32. It takes models from the hub's cache alone, so FOLDER
(the default embedder's) is laid out as one. Format: "vectors" (texts, 384) f32, and the texts as a JSON list
in the metadata.
"""
import json
import os
import pathlib
import shutil
import sys
import tempfile

import numpy

TEXTS = [
    "The cat sat on the mat.",
    "A feline was resting on a rug.",
    "Maria keeps the spare key under the third flower pot.",
    "Where is the second key hidden?",
    "The quarterly report is due on Friday, 14 March 2025, at 17:30.",
    "Photosynthesis turns light, water and carbon dioxide into sugar and oxygen.",
    "I would rather walk than take the bus.",
    "He did not like it.",
    "He did like it.",
    "Naïve café owners résumé their coöperation in Ångström.",
    "for (int i = 0; i < n; ++i) sum += a[i] * b[i];",
    "SELECT name FROM users WHERE age > 30 ORDER BY name;",
    "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
    "日本語のテキスト and English side by side",
    "Привет, мир! Как дела?",
    "😀 emoji 👩‍👩‍👧‍👦 family",
    "!!! ??? ...",
    "word",
    "",
    "It is a truth universally acknowledged, that a single man in possession of a good fortune, must be in want "
    "of a wife. However little known the feelings or views of such a man may be on his first entering a "
    "neighbourhood, this truth is so well fixed in the minds of the surrounding families, that he is considered "
    "as the rightful property of some one or other of their daughters.",
    "Call me Ishmael. " * 25,
]


def hub_cache(folder, root):
    repository = pathlib.Path(root) / "hub" / "models--local--embedder"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("0", encoding="ascii")
    shutil.copytree(folder, repository / "snapshots" / "0")


def main(folder, out_path):
    with tempfile.TemporaryDirectory() as root:
        hub_cache(folder, root)
        os.environ.update(HF_HOME=root, HF_HUB_OFFLINE="1")
        import embed_anything  # reads the environment when it is loaded

        model = embed_anything.EmbeddingModel.from_pretrained_hf(model_id="local/embedder")
        # One text a call: none is padded beside another.
        vectors = numpy.array([embed_anything.embed_query([text], embedder=model)[0].embedding for text in TEXTS],
                              numpy.float32)
    header = {"__metadata__": {"texts": json.dumps(TEXTS)},
              "vectors": {"dtype": "F32", "shape": list(vectors.shape), "data_offsets": [0, vectors.nbytes]}}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    pathlib.Path(out_path).write_bytes(len(text).to_bytes(8, "little") + text + vectors.tobytes())


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
