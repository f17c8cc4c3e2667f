#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/lm/smollm2_logits.txt: logits of the default base model, from a reference.

The reference shares no code with lm/: PyPI gguf decodes the weights, token ids are given or drawn from
fixed seeds, and the forward pass is written out in numpy float64.
(PyPI torch was not used: its CPU path from Python needs the full set of CUDA wheels to import.)

    pip install gguf numpy
    tools/make_logits_golden.py SmolLM2-135M-Instruct.Q4_1.gguf tests/golden/lm/smollm2_logits.txt

Format, line by line:  "case NAME", "tokens ID…", then for each position asked
"at POSITION", "top ID:LOGIT…" (the 16 likeliest), "some ID:LOGIT…" (64 ids drawn once),
"lse LOG_SUM_EXP", and per case "nll MEAN" over all tokens but the first.
"""
import sys

import numpy as np
from gguf import GGUFReader
from gguf.quants import dequantize


class Model:
    def __init__(self, path):
        reader = GGUFReader(path)
        field = lambda key: reader.fields[key].contents()
        self.layers = field("llama.block_count")
        self.heads = field("llama.attention.head_count")
        self.kv_heads = field("llama.attention.head_count_kv")
        self.base = field("llama.rope.freq_base")
        self.epsilon = field("llama.attention.layer_norm_rms_epsilon")
        self.weights = {
            t.name: dequantize(t.data, t.tensor_type).astype(np.float64) for t in reader.tensors
        }

    def norm(self, x, name):
        scale = 1.0 / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + self.epsilon)
        return x * scale * self.weights[name]

    def rotate(self, x):  # (T, heads, D), pairs (2i, 2i+1)
        steps, _, dim = x.shape
        angles = np.arange(steps)[:, None] * self.base ** (-np.arange(0, dim, 2) / dim)
        turned = (x[..., 0::2] + 1j * x[..., 1::2]) * np.exp(1j * angles)[:, None, :]
        out = np.empty_like(x)
        out[..., 0::2], out[..., 1::2] = turned.real, turned.imag
        return out

    def logits(self, tokens):
        w = self.weights
        x = w["token_embd.weight"][tokens]
        steps = len(tokens)
        future = np.triu(np.full((steps, steps), -np.inf), 1)
        for layer in range(self.layers):
            p = f"blk.{layer}."
            y = self.norm(x, p + "attn_norm.weight")
            dim = w[p + "attn_q.weight"].shape[0] // self.heads
            q = self.rotate((y @ w[p + "attn_q.weight"].T).reshape(steps, self.heads, dim))
            k = self.rotate((y @ w[p + "attn_k.weight"].T).reshape(steps, self.kv_heads, dim))
            v = (y @ w[p + "attn_v.weight"].T).reshape(steps, self.kv_heads, dim)
            read = []
            for head in range(self.heads):
                of = head * self.kv_heads // self.heads
                scores = q[:, head] @ k[:, of].T / np.sqrt(dim) + future
                scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
                read.append(scores / scores.sum(axis=-1, keepdims=True) @ v[:, of])
            x = x + np.concatenate(read, axis=-1) @ w[p + "attn_output.weight"].T
            y = self.norm(x, p + "ffn_norm.weight")
            gate = y @ w[p + "ffn_gate.weight"].T
            up = y @ w[p + "ffn_up.weight"].T
            x = x + (gate / (1.0 + np.exp(-gate)) * up) @ w[p + "ffn_down.weight"].T
        return self.norm(x, "output_norm.weight") @ w["token_embd.weight"].T


# "The capital of France is Paris." and the like, as token ids, so that this file needs no tokenizer.
def cases():
    rng = np.random.default_rng(20240101)
    text = [1, 504, 3575, 282, 4649, 314, 7042, 30, 378, 3575, 282, 9190, 314]
    yield "one token", [1], [0]
    yield "short text", text, [0, 4, 6, len(text) - 1]
    yield "repeated text", ([1] + text[1:] * 30)[:340], [11, 100, 255, 256, 300, 339]
    yield "random ids", [1] + rng.integers(3, 49152, 31).tolist(), [1, 15, 31]


def log_sum_exp(x):
    return x.max() + np.log(np.exp(x - x.max()).sum())


def main(model_path, out_path):
    model = Model(model_path)
    some = np.sort(np.random.default_rng(7).choice(49152, 64, replace=False))
    pairs = lambda ids, row: " ".join(f"{i}:{row[i]:.6f}" for i in ids)
    with open(out_path, "w", encoding="ascii") as out:
        for name, tokens, positions in cases():
            logits = model.logits(np.array(tokens))
            print(f"case {name}", file=out)
            print("tokens", *tokens, file=out)
            for position in positions:
                row = logits[position]
                print(f"at {position}", file=out)
                print("top", pairs(np.argsort(-row)[:16], row), file=out)
                print("some", pairs(some, row), file=out)
                print(f"lse {log_sum_exp(row):.6f}", file=out)
            nll = [log_sum_exp(logits[t - 1]) - logits[t - 1, tokens[t]] for t in range(1, len(tokens))]
            print(f"nll {np.mean(nll) if nll else 0.0:.6f}", file=out)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
