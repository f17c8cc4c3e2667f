// SPDX-License-Identifier: Apache-2.0
// Number conversions, e^x and rotation for vectorised loops, and how such loops are compiled.
//
// For kernel files alone: a function that uses these carries MC_CLONES, its shared body MC_INLINE.
#pragma once

#include <bit>
#include <cstdint>

#include "lm/kernels/cpu_kernels.h"

// One copy per instruction set, resolved when the program loads. The shared bodies are forced
// inline so that each copy vectorises them for its own set.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define MC_HAS_CLONES
#define MC_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define MC_CLONES
#endif
#define MC_INLINE inline __attribute__((always_inline))

namespace mc::lm {

MC_INLINE float to_float(float x) {
    return x;
}

MC_INLINE float to_float(Bf16Bits x) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(x) << 16);
}

template <class T>
MC_INLINE T from_float(float x);

template <>
MC_INLINE float from_float<float>(float x) {
    return x;
}

// Round to nearest, ties to even. NaN payloads are not kept apart: a NaN stays a NaN because the
// weights and activations that can produce one set its high bits.
template <>
MC_INLINE Bf16Bits from_float<Bf16Bits>(float x) {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    return static_cast<Bf16Bits>((bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16);
}

// e^x for x in [-87, 88] (clamped), relative error below 2e-7: 2^k times a Taylor polynomial on
// [-ln2/2, ln2/2] (Cody and Waite's reduction).
MC_INLINE float exp_approx(float x) {
    constexpr float kRound = 12582912.0F;  // 1.5 × 2^23: adding it rounds to an integer
    x = x < -87.0F ? -87.0F : x;
    x = x > 88.0F ? 88.0F : x;
    const float shifted = x * 1.44269504F + kRound;
    const float k = shifted - kRound;
    const float r = (x - k * 0.693359375F) + k * 2.12194440e-4F;
    float p = 1.0F / 5040.0F;
    p = p * r + 1.0F / 720.0F;
    p = p * r + 1.0F / 120.0F;
    p = p * r + 1.0F / 24.0F;
    p = p * r + 1.0F / 6.0F;
    p = p * r + 0.5F;
    p = p * r + 1.0F;
    p = p * r + 1.0F;
    const auto exponent = std::bit_cast<std::uint32_t>(shifted) << 23;  // low bits hold k
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(p) + exponent);
}

// Turns pairs (2i, 2i+1) of one head's numbers by their angles; Back: by the negative angles.
template <bool Back, class T>
MC_INLINE void rotate(const T* from, T* to, const float* cosines, const float* sines,
                      std::int64_t pairs) {
#pragma omp simd
    for (std::int64_t i = 0; i < pairs; ++i) {
        const float a = to_float(from[2 * i]);
        const float b = to_float(from[2 * i + 1]);
        const float sine = Back ? -sines[i] : sines[i];
        to[2 * i] = from_float<T>(a * cosines[i] - b * sine);
        to[2 * i + 1] = from_float<T>(a * sine + b * cosines[i]);
    }
}

}  // namespace mc::lm
