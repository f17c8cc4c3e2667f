// SPDX-License-Identifier: Apache-2.0
// Sixteen floats that kernels work on at once: one register of AVX-512, two of AVX2, four of SSE.
//
// A kernel is a template of the register's width, with one copy for each instruction set
// (MC_V3, MC_V4): GCC 12 moves a vector that is wider than the register through memory, which made
// products on AVX2 ten times slower (docs/lab-log.md). For kernel files alone.
#pragma once

#include <cstdint>

#include "lm/kernels/kernel_math.h"

#ifdef MC_HAS_CLONES
#define MC_V4 __attribute__((target("arch=x86-64-v4")))
#define MC_V3 __attribute__((target("arch=x86-64-v3")))
#endif

namespace mc::embedder {

constexpr std::int64_t kLanes = 16;

// Rows of sums that stay in registers, whether of AVX-512 or AVX2.
constexpr int kRowsAtOnce = 6;

// kBytes: of a register; 64, 32 or 16.
template <int kBytes>
struct Lanes {
    typedef float Floats __attribute__((vector_size(kBytes), aligned(4), may_alias));
    static constexpr int kParts = static_cast<int>(kLanes * sizeof(float)) / kBytes;
    static constexpr int kFloats = kBytes / static_cast<int>(sizeof(float));

    Floats part[kParts];

    MC_INLINE void load(const float* from) {
#pragma GCC unroll 4
        for (int i = 0; i < kParts; ++i)
            part[i] = *reinterpret_cast<const Floats*>(from + i * kFloats);
    }

    MC_INLINE void store(float* to) const {
#pragma GCC unroll 4
        for (int i = 0; i < kParts; ++i) *reinterpret_cast<Floats*>(to + i * kFloats) = part[i];
    }

    MC_INLINE void add_product(float x, const Lanes& other) {
#pragma GCC unroll 4
        for (int i = 0; i < kParts; ++i) part[i] += x * other.part[i];
    }

    MC_INLINE void scale(float x) {
#pragma GCC unroll 4
        for (int i = 0; i < kParts; ++i) part[i] *= x;
    }
};

enum class Registers { kSse, kAvx2, kAvx512 };

// The widest that this processor has and the program has copies for.
inline Registers widest_registers() {
#ifdef MC_HAS_CLONES
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
        return Registers::kAvx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return Registers::kAvx2;
#endif
    return Registers::kSse;
}

}  // namespace mc::embedder
