// SPDX-License-Identifier: Apache-2.0
// Two-byte floats and rounded arithmetic for kernel bodies, the same bits on the device and the
// CPU; and operands of tile products.
//
// Threads: pure.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "cuda/block.h"
#include "formats/half_float.h"

namespace mc::cuda {

// bfloat16 and binary16 by their bits; distinct types, so that one cannot be read as the other.
struct Bf16 {
    std::uint16_t bits;
};

struct Half {
    std::uint16_t bits;
};

MC_DEVICE inline float to_float(float x) {
    return x;
}

MC_DEVICE inline float to_float(Bf16 x) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(x.bits) << 16);
}

MC_DEVICE inline float to_float(Half x) {
    return storage::half_to_float(x.bits);
}

template <class T>
MC_DEVICE T from_float(float x);

template <>
MC_DEVICE inline float from_float<float>(float x) {
    return x;
}

// To nearest, ties to even. As lm/kernels does it, a NaN whose high bits are clear is not kept.
template <>
MC_DEVICE inline Bf16 from_float<Bf16>(float x) {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    return {static_cast<std::uint16_t>((bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16)};
}

template <>
MC_DEVICE inline Half from_float<Half>(float x) {
    return {storage::float_to_half(x)};
}

// Product and sum that round each by itself. The device's compiler would make one operation of
// both, which rounds once and gives other bits than the CPU's code.
MC_DEVICE inline float product(float a, float b) {
#if defined(__CUDA_ARCH__)
    return __fmul_rn(a, b);
#else
    return a * b;
#endif
}

MC_DEVICE inline float sum(float a, float b) {
#if defined(__CUDA_ARCH__)
    return __fadd_rn(a, b);
#else
    return a + b;
#endif
}

// Operands of a block's multiply_tile(): rows of numbers in shared memory, stride elements apart.
inline constexpr int kTileSize = 16;  // rows, and what columns and depth are multiples of

struct TileOperand {
    const Bf16* numbers;
    int stride;
};

struct TileTarget {
    float* numbers;
    int stride;
    int columns;
    int depth;
    bool add;  // to what is there; else it is overwritten
};

}  // namespace mc::cuda
