// SPDX-License-Identifier: Apache-2.0
// Sixteen floats that kernels work on at once: one register of AVX-512, two of AVX2.
//
// For functions that carry MC_CLONES (lm/kernels/kernel_math.h) alone.
#pragma once

#include <cstdint>

#include "lm/kernels/kernel_math.h"

namespace mc::embedder {

typedef float Lanes __attribute__((vector_size(64), aligned(4), may_alias));

constexpr std::int64_t kLanes = 16;

// Rows of sums that stay in registers, whether of AVX-512 or AVX2.
constexpr int kRowsAtOnce = 6;

MC_INLINE const Lanes& lanes_at(const float* from) {
    return *reinterpret_cast<const Lanes*>(from);
}

MC_INLINE Lanes& lanes_at(float* to) {
    return *reinterpret_cast<Lanes*>(to);
}

}  // namespace mc::embedder
