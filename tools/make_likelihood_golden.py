#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/lm/smollm2_likelihood.txt: windowed likelihoods of the default base model.

The forward pass is the numpy float64 one of make_logits_golden.py. Windows are cut here by the words of
docs/evaluation.md and not by lm/likelihood.cpp's loop: for every token on its own, which window scores it
and where that one starts.

    pip install gguf numpy
    tools/make_likelihood_golden.py SmolLM2-135M-Instruct.Q4_1.gguf tests/golden/lm/smollm2_likelihood.txt

Format: "window W stride S", "tokens ID…", then per token "NLL ENTROPY ID:LOGPROB…" (the 4 likeliest).
"""
import math
import sys

import numpy as np
from make_logits_golden import Model, log_sum_exp

WINDOW, STRIDE, BOS, TOP = 24, 7, 1, 4


def tokens():
    text = [504, 3575, 282, 4649, 314, 7042, 30, 378, 3575, 282, 9190, 314]
    return text * 4 + np.random.default_rng(5).integers(3, 49152, 12).tolist()


def window_of(index, count):
    """(begin, end) of the window that scores a token: the first whose end lies beyond it."""
    end = WINDOW - 1
    if index >= end:
        end += STRIDE * math.ceil((index + 1 - end) / STRIDE)
    end = min(end, count)
    return max(0, end - (WINDOW - 1)), end


def main(model_path, out_path):
    model = Model(model_path)
    ids = tokens()
    logits_of = {}
    with open(out_path, "w", encoding="ascii") as out:
        print(f"window {WINDOW} stride {STRIDE}", file=out)
        print("tokens", *ids, file=out)
        for index, token in enumerate(ids):
            begin, end = window_of(index, len(ids))
            if (begin, end) not in logits_of:
                logits_of[begin, end] = model.logits(np.array([BOS] + ids[begin:end]))
            row = logits_of[begin, end][index - begin]
            scores = row - log_sum_exp(row)
            top = " ".join(f"{i}:{scores[i]:.6f}" for i in np.argsort(-scores)[:TOP])
            print(f"{-scores[token]:.6f} {-(np.exp(scores) * scores).sum():.6f} {top}", file=out)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
