// SPDX-License-Identifier: Apache-2.0
// The inner loop that matrix products and attention share: a few rows times two panels.
//
// For the files of lm/kernels alone, under MC_HAS_AVX512_BF16.
#pragma once

#include <cstdint>
#include <utility>

#include "lm/kernels/avx512_math.h"
#include "lm/kernels/panel_kernels.h"

namespace mc::lm {

// Rows of a tile: with two panels, 24 of the 32 registers hold sums.
constexpr int kTileRows = 12;

// sums[m] = row m of x, 2 × pairs wide, times two panels.
template <int kRows>
MC_AVX512_INLINE void multiply_tile(const Bf16Bits* x, std::int64_t x_stride, std::int64_t pairs,
                                    const Bf16Bits* first, const Bf16Bits* second,
                                    std::int64_t panel_step, __m512 (&sums)[kRows][2]) {
#pragma GCC unroll 12
    for (int m = 0; m < kRows; ++m) sums[m][0] = sums[m][1] = _mm512_setzero_ps();
    const auto* words = reinterpret_cast<const std::int32_t*>(x);
    const std::int64_t stride = x_stride / 2;
    for (std::int64_t k = 0; k < pairs; ++k) {
        const __m512bh a = load_bf16(first + k * panel_step);
        const __m512bh b = load_bf16(second + k * panel_step);
#pragma GCC unroll 12
        for (int m = 0; m < kRows; ++m) {
            const __m512bh pair = as_bf16(_mm512_set1_epi32(words[m * stride + k]));
            sums[m][0] = _mm512_dpbf16_ps(sums[m][0], pair, a);
            sums[m][1] = _mm512_dpbf16_ps(sums[m][1], pair, b);
        }
    }
}

// The instantiation of Tile::run for `rows`, 1 to kTileRows.
template <class Tile, int... kRows>
constexpr auto tile_for(std::int64_t rows, std::integer_sequence<int, kRows...>) {
    constexpr decltype(&Tile::template run<1>) kTiles[] = {&Tile::template run<kRows + 1>...};
    return kTiles[rows - 1];
}

template <class Tile>
constexpr auto tile_for(std::int64_t rows) {
    return tile_for<Tile>(rows, std::make_integer_sequence<int, kTileRows>());
}

}  // namespace mc::lm
