// SPDX-License-Identifier: Apache-2.0
// One number of a block of each GGUF format: what a thread of a kernel decodes.
//
// The layouts are ggml's (ggml-common.h, ggml-quants.c). The numbers have the bits that
// formats/dequantize.cpp gives, which decodes whole blocks (tests/cuda/dequantize_test.cpp).
// Threads: pure. Errors: none; any bytes decode to some number.
#pragma once

#include "cuda/numbers.h"
#include "formats/gguf.h"

namespace mc::cuda {

using Bytes = const std::uint8_t*;

MC_DEVICE inline std::uint16_t short_at(Bytes p) {
    return static_cast<std::uint16_t>(p[0] | (p[1] << 8));
}

MC_DEVICE inline float half_at(Bytes p) {
    return to_float(Half{short_at(p)});
}

MC_DEVICE inline float signed_at(Bytes p) {
    return static_cast<float>(static_cast<std::int8_t>(*p));
}

// Element i of 32: the low nibbles are the first half of the block, the high ones the second.
MC_DEVICE inline int nibble_at(Bytes quants, int i) {
    return i < 16 ? quants[i] & 15 : quants[i - 16] >> 4;
}

struct F32 {
    static constexpr int kElements = 1;
    static constexpr int kBytes = 4;

    MC_DEVICE static float at(Bytes block, int) {
        return std::bit_cast<float>(short_at(block) |
                                    static_cast<std::uint32_t>(short_at(block + 2)) << 16);
    }
};

struct F16 {
    static constexpr int kElements = 1;
    static constexpr int kBytes = 2;

    MC_DEVICE static float at(Bytes block, int) { return half_at(block); }
};

struct B16 {
    static constexpr int kElements = 1;
    static constexpr int kBytes = 2;

    MC_DEVICE static float at(Bytes block, int) { return to_float(Bf16{short_at(block)}); }
};

struct Q8_0 {
    static constexpr int kElements = 32;
    static constexpr int kBytes = 34;

    MC_DEVICE static float at(Bytes block, int i) {
        return product(half_at(block), signed_at(block + 2 + i));
    }
};

struct Q4_0 {
    static constexpr int kElements = 32;
    static constexpr int kBytes = 18;

    MC_DEVICE static float at(Bytes block, int i) {
        return product(half_at(block), static_cast<float>(nibble_at(block + 2, i) - 8));
    }
};

struct Q4_1 {
    static constexpr int kElements = 32;
    static constexpr int kBytes = 20;

    MC_DEVICE static float at(Bytes block, int i) {
        return sum(product(half_at(block), static_cast<float>(nibble_at(block + 4, i))),
                   half_at(block + 2));
    }
};

// The fifth bit of element i is bit i of the four bytes.
MC_DEVICE inline int fifth_bit(Bytes high_bits, int i) {
    return ((high_bits[i / 8] >> (i % 8)) & 1) << 4;
}

struct Q5_0 {
    static constexpr int kElements = 32;
    static constexpr int kBytes = 22;

    MC_DEVICE static float at(Bytes block, int i) {
        const int quant = nibble_at(block + 6, i) | fifth_bit(block + 2, i);
        return product(half_at(block), static_cast<float>(quant - 16));
    }
};

struct Q5_1 {
    static constexpr int kElements = 32;
    static constexpr int kBytes = 24;

    MC_DEVICE static float at(Bytes block, int i) {
        const int quant = nibble_at(block + 8, i) | fifth_bit(block + 4, i);
        return sum(product(half_at(block), static_cast<float>(quant)), half_at(block + 2));
    }
};

// Q4_K and Q5_K: eight groups of 32 with a scale and a minimum of 6 bits each, packed in 12 bytes
// behind the block's own scale and minimum.
MC_DEVICE inline float scaled_less_minimum(Bytes block, int group, int quant) {
    Bytes packed = block + 4;
    int scale = packed[group % 4] & 63;
    int minimum = packed[group % 4 + 4] & 63;
    if (group >= 4) {
        scale = (packed[group + 4] & 15) | ((packed[group - 4] >> 6) << 4);
        minimum = (packed[group + 4] >> 4) | ((packed[group] >> 6) << 4);
    }
    const float step = product(half_at(block), static_cast<float>(scale));
    const float least = product(half_at(block + 2), static_cast<float>(minimum));
    return sum(product(step, static_cast<float>(quant)), -least);
}

// Of 256 elements: byte i % 32 of every 64, low nibbles first.
MC_DEVICE inline int super_nibble_at(Bytes quants, int i) {
    const int byte = quants[i / 64 * 32 + i % 32];
    return i / 32 % 2 == 0 ? byte & 15 : byte >> 4;
}

struct Q4_K {
    static constexpr int kElements = 256;
    static constexpr int kBytes = 144;

    MC_DEVICE static float at(Bytes block, int i) {
        return scaled_less_minimum(block, i / 32, super_nibble_at(block + 16, i));
    }
};

struct Q5_K {
    static constexpr int kElements = 256;
    static constexpr int kBytes = 176;

    MC_DEVICE static float at(Bytes block, int i) {
        const int fifth = ((block[16 + i % 32] >> (i / 32)) & 1) << 4;
        return scaled_less_minimum(block, i / 32, super_nibble_at(block + 48, i) | fifth);
    }
};

// Two halves of 128: four rows of 32, of which the first two are low nibbles of the half's 64 bytes
// and the others high ones; their upper two bits lie in 32 bytes, a row behind the other.
struct Q6_K {
    static constexpr int kElements = 256;
    static constexpr int kBytes = 210;

    MC_DEVICE static float at(Bytes block, int i) {
        const int half = i / 128;
        const int row = i / 32 % 4;
        const int byte = block[half * 64 + i % 64];
        const int low = row < 2 ? byte & 15 : byte >> 4;
        const int high = (block[128 + half * 32 + i % 32] >> (2 * row)) & 3;
        const float scale = product(half_at(block + 208), signed_at(block + 192 + i / 16));
        return product(scale, static_cast<float>((low | (high << 4)) - 32));
    }
};

// f(format) with the format of a type.
template <class F>
auto with_format(lm::GgmlType type, F f) {
    switch (type) {
        case lm::GgmlType::kF32:
            return f(F32{});
        case lm::GgmlType::kF16:
            return f(F16{});
        case lm::GgmlType::kBF16:
            return f(B16{});
        case lm::GgmlType::kQ4_0:
            return f(Q4_0{});
        case lm::GgmlType::kQ4_1:
            return f(Q4_1{});
        case lm::GgmlType::kQ5_0:
            return f(Q5_0{});
        case lm::GgmlType::kQ5_1:
            return f(Q5_1{});
        case lm::GgmlType::kQ8_0:
            return f(Q8_0{});
        case lm::GgmlType::kQ4_K:
            return f(Q4_K{});
        case lm::GgmlType::kQ5_K:
            return f(Q5_K{});
        case lm::GgmlType::kQ6_K:
            return f(Q6_K{});
    }
    __builtin_unreachable();
}

}  // namespace mc::cuda
