#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/dequantize/blocks.bin: random blocks of every element type with the f32
values that PyPI `gguf` decodes from them.

    make_dequantize_golden.py tests/golden/dequantize/blocks.bin

All numbers are little-endian. Header: "MCDQ", uint32 version 1, uint32 count of cases. Each case:
uint32 ggml type, uint32 data bytes, uint64 elements, data, elements × float32.
"""
import struct
import sys

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.quants import dequantize

# Byte offsets of the half-precision numbers in a block: they are drawn finite, of either sign, with
# subnormal ones among them. Every other bit is random.
HALF_OFFSETS = {"Q8_0": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2],
                "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208]}
HALVES = [0x0000, 0x8000, 0x0001, 0x83FF, 0x0400, 0x3C00, 0xBC00, 0x7BFF, 0x2E66, 0xA1B3]


def plain_values(name, rng):
    if name == "F32":
        return rng.standard_normal(64, dtype=np.float32).view(np.uint8)
    # Every sign and exponent, infinity included, with the lowest, highest and a middle mantissa.
    bits = 10 if name == "F16" else 7
    high = np.arange(1 << (16 - bits), dtype=np.uint32) << bits
    mantissas = np.array([0, 1, 1 << (bits - 2), (1 << bits) - 1], dtype=np.uint32)
    values = (high[:, None] | mantissas[None, :]).astype(np.uint16).ravel()
    exponent = (1 << (15 - bits)) - 1
    is_nan = ((values >> bits) & exponent == exponent) & (values & ((1 << bits) - 1) != 0)
    return values[~is_nan][: len(values[~is_nan]) // 32 * 32].view(np.uint8)


def blocks(name, rng):
    element_count, size = GGML_QUANT_SIZES[GGMLQuantizationType[name]]
    count = 20 if element_count == 32 else 5
    data = rng.integers(0, 256, (count, size), dtype=np.uint8)
    for i in range(count):
        for offset in HALF_OFFSETS[name]:
            half = int(rng.integers(0x1000, 0x4000))
            if i < len(HALVES) and element_count == 32:
                half = HALVES[i]
            data[i, offset:offset + 2] = np.frombuffer(struct.pack("<H", half), dtype=np.uint8)
    return data.ravel()


def main(path):
    rng = np.random.default_rng(20240229)
    names = ["F32", "F16", "BF16", *HALF_OFFSETS]
    with open(path, "wb") as file:
        file.write(b"MCDQ" + struct.pack("<II", 1, len(names)))
        for name in names:
            data = blocks(name, rng) if name in HALF_OFFSETS else plain_values(name, rng)
            values = dequantize(data, GGMLQuantizationType[name]).astype("<f4")
            file.write(struct.pack("<IIQ", GGMLQuantizationType[name], data.size, values.size))
            file.write(data.tobytes() + values.tobytes())


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
