// SPDX-License-Identifier: Apache-2.0
// IEEE 754 binary16 to binary32 and back, in plain integer arithmetic: equal on every machine.
// Rounds to nearest, ties to even; keeps infinities, subnormals and that a NaN is a NaN.
// Threads: pure.
#pragma once

#include <bit>
#include <cstdint>

namespace mc::storage {

constexpr float half_to_float(std::uint16_t half) {
    const std::uint32_t sign = (std::uint32_t{half} & 0x8000U) << 16;
    const std::uint32_t exponent = (half >> 10) & 0x1fU;
    std::uint32_t fraction = half & 0x3ffU;
    if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000U | (fraction << 13));
    if (exponent != 0)
        return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (fraction << 13));
    const float magnitude = static_cast<float>(fraction) * 0x1.0p-24F;  // exact
    return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(magnitude));
}

constexpr std::uint16_t float_to_half(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t sign = (bits >> 16) & 0x8000U;
    const std::uint32_t magnitude = bits & 0x7fffffffU;
    std::uint32_t half = 0;
    if (magnitude > 0x7f800000U) {
        half = 0x7e00U;  // NaN
    } else if (magnitude >= 0x477ff000U) {
        half = 0x7c00U;  // 65,520 and above round to infinity
    } else if (magnitude >= 0x38800000U) {
        const std::uint32_t odd = (magnitude >> 13) & 1U;
        half = (magnitude - 0x38000000U + 0xfffU + odd) >> 13;
    } else {
        // Subnormal: adding 0.5 leaves round(value · 2^24) in the lowest bits of the sum.
        const float sum = std::bit_cast<float>(magnitude) + 0.5F;
        half = std::bit_cast<std::uint32_t>(sum) - 0x3f000000U;
    }
    return static_cast<std::uint16_t>(sign | half);
}

static_assert(half_to_float(0x3c00) == 1.0F && float_to_half(1.0F) == 0x3c00);
static_assert(half_to_float(0xc000) == -2.0F && float_to_half(-2.0F) == 0xc000);
static_assert(half_to_float(0x0001) == 0x1.0p-24F && float_to_half(0x1.0p-24F) == 0x0001);
static_assert(half_to_float(0x7bff) == 65504.0F && float_to_half(65519.0F) == 0x7bff);
static_assert(float_to_half(65520.0F) == 0x7c00);

}  // namespace mc::storage
