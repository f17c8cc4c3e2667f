#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The base model on NumPy arrays against stored logits of PyPI transformers and `model score`."""

import json
import struct
import sys

import package
from package import cli, megacontext

try:
    import numpy as np
except ImportError as missing:
    print(f"skipped: {missing}; scripts/setup --tests fetches it")
    sys.exit(cli.SKIP)

TOLERANCE = 1e-4  # f32, logits of a few units
TEXT = "The bell was cast in Lisbon. It cracked in the great frost.\n"


def read_safetensors(path):
    content = path.read_bytes()
    size, = struct.unpack("<Q", content[:8])
    types = {"F32": np.float32, "I64": np.int64}
    arrays = {}
    for name, entry in json.loads(content[8:8 + size]).items():
        if name != "__metadata__":
            begin, end = (8 + size + offset for offset in entry["data_offsets"])
            arrays[name] = np.frombuffer(content[begin:end], types[entry["dtype"]]).reshape(entry["shape"])
    return arrays


def nll_of(logits, ids):
    """What nll() is to say, from logits."""
    rows = logits[:-1].astype(np.float64)
    largest = rows.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(rows - largest).sum(axis=1)) + largest[:, 0]
    return log_sum - rows[np.arange(len(ids) - 1), ids[1:]]


def open_tiny(name="llama.gguf"):
    return megacontext.BaseModel(package.TINY_MODELS / name, settings={"dtype": "f32"})


class BaseModel(package.PackageTestCase):
    def test_logits_are_those_of_the_reference(self):
        for name in ("llama", "qwen2", "qwen3"):
            reference = read_safetensors(package.TINY_MODELS / f"{name}.golden.safetensors")
            for file in (name, name + ".gguf"):
                with self.subTest(model=file):
                    model = open_tiny(file)
                    logits = model.logits(reference["tokens"][:reference["lengths"].max()])
                    self.assertEqual(logits.dtype, np.float32)
                    self.assertEqual(logits.shape[1], model.vocabulary_size)
                    rows = reference["lengths"] - 1
                    expected = reference["logits"].reshape(len(rows), -1)
                    np.testing.assert_allclose(logits[rows], expected, rtol=0, atol=TOLERANCE)
                    self.assertIn(name, model.name)

    def test_nll_is_that_of_the_logits(self):
        model = open_tiny()
        ids = model.encode(TEXT)
        nll = model.nll(ids)
        self.assertEqual((nll.dtype, nll.shape), (np.float32, (len(ids) - 1,)))
        np.testing.assert_allclose(nll, nll_of(model.logits(ids), ids), rtol=0, atol=TOLERANCE)
        self.assertEqual(model.nll(ids[:1]).shape, (0,))
        self.assertEqual(model.nll([]).shape, (0,))
        self.assertEqual(model.logits([]).shape, (0, model.vocabulary_size))

    def test_the_default_model_scores_as_model_score_does(self):
        file = self.cli.write("bell.txt", TEXT)
        *tokens, total = self.cli.results("model", "score", file)
        model = megacontext.BaseModel()
        ids = model.encode(TEXT)
        self.assertEqual(ids.dtype, np.int32)
        self.assertEqual(ids.tolist(), [token["token"] for token in tokens])
        nll = model.nll([model.bos, *ids])
        np.testing.assert_allclose(nll, [token["nll"] for token in tokens], rtol=0, atol=1e-3)
        self.assertAlmostEqual(nll.mean(), total["mean_nll"], places=3)

    def test_any_bytes_come_back(self):
        model = open_tiny()
        for text in ("", TEXT, "Zoë 🐢\0\r\n"):
            self.assertEqual(model.decode(model.encode(text)), text)
        odd = bytes(range(256))
        self.assertEqual(model.decode(model.encode(odd), "surrogateescape").encode(errors="surrogateescape"),
                         odd)

    def test_it_writes_what_it_finds_likeliest(self):
        model = open_tiny()
        ids = [model.bos, *model.encode(TEXT)]
        likeliest = int(model.logits(ids)[-1].argmax())
        self.assertEqual(model.generate(TEXT, 1), model.decode([likeliest]))
        self.assertEqual(model.generate(TEXT, 8, temperature=1.0, seed=3),
                         model.generate(TEXT, 8, temperature=1.0, seed=3))

    def test_wrong_ids_are_refused(self):
        model = open_tiny()
        with self.assertRaisesRegex(megacontext.InvalidInput, "outside the vocabulary"):
            model.logits([model.vocabulary_size + 256])
        with self.assertRaisesRegex(megacontext.InvalidInput, "outside the vocabulary"):
            model.decode([-1])
        with self.assertRaises(megacontext.OverBudget):
            model.logits(np.zeros(model.context_length + 1, np.int32))
        with self.assertRaises(megacontext.OverBudget):
            model.nll(np.zeros(model.context_length + 1, np.int32))
        for wrong in ([1.5], [[1, 2], [3, 4]]):
            with self.assertRaises(TypeError):
                model.logits(wrong)
        with self.assertRaises(megacontext.Usage):
            model.generate(TEXT, temperature=-1)
        with self.assertRaises(megacontext.InvalidInput):
            megacontext.BaseModel(self.cli.write("model.gguf", "no model"))


if __name__ == "__main__":
    cli.main()
