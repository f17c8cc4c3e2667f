// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <utility>

#include "core/check.h"
#include "embedder/product_tile.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

#define MC_F16 __attribute__((target("avx512fp16,avx512f,avx512bw,avx512vl,avx512dq")))
#endif

namespace mc::embedder {

#if defined(MC_F16)

namespace {

// Columns whose products are summed in f16. Longer stretches lose digits, shorter ones time.
constexpr std::int64_t kStretch = 64;

template <int kRows>
MC_F16 inline __attribute__((always_inline)) void add_stretch(const __m512h (&stretch)[kRows][2],
                                                              float (*sums)[kPanelRows],
                                                              bool is_first) {
#pragma GCC unroll 12
    for (int m = 0; m < kRows; ++m)
#pragma GCC unroll 2
        for (int half = 0; half < 2; ++half) {
            const __m512d bits = _mm512_castph_pd(stretch[m][half]);
            float* out = sums[m] + 32 * half;
            __m512 low = _mm512_cvtxph_ps(_mm256_castpd_ph(_mm512_castpd512_pd256(bits)));
            __m512 high = _mm512_cvtxph_ps(_mm256_castpd_ph(_mm512_extractf64x4_pd(bits, 1)));
            if (!is_first) {
                low = _mm512_add_ps(low, _mm512_loadu_ps(out));
                high = _mm512_add_ps(high, _mm512_loadu_ps(out + 16));
            }
            _mm512_storeu_ps(out, low);
            _mm512_storeu_ps(out + 16, high);
        }
}

template <int kRows>
MC_F16 void multiply_rows(const TileInput& tile, TileSums sums) {
    const auto* panel = reinterpret_cast<const _Float16*>(tile.panel);
    for (std::int64_t begin = 0; begin < tile.columns; begin += kStretch) {
        const std::int64_t end = begin + kStretch < tile.columns ? begin + kStretch : tile.columns;
        __m512h stretch[kRows][2];
#pragma GCC unroll 12
        for (int m = 0; m < kRows; ++m) stretch[m][0] = stretch[m][1] = _mm512_setzero_ph();
        for (std::int64_t k = begin; k < end; ++k) {
            const __m512h first = _mm512_loadu_ph(panel + k * kPanelRows);
            const __m512h second = _mm512_loadu_ph(panel + k * kPanelRows + 32);
#pragma GCC unroll 12
            for (int m = 0; m < kRows; ++m) {
                const __m512h x = _mm512_castsi512_ph(
                    _mm512_set1_epi32(static_cast<int>(tile.x[m * tile.columns + k])));
                stretch[m][0] = _mm512_fmadd_ph(x, first, stretch[m][0]);
                stretch[m][1] = _mm512_fmadd_ph(x, second, stretch[m][1]);
            }
        }
        add_stretch<kRows>(stretch, sums, begin == 0);
    }
}

using Tile = void (*)(const TileInput&, TileSums);

template <int... kRows>
constexpr std::array<Tile, kTileRows> tiles(std::integer_sequence<int, kRows...>) {
    return {&multiply_rows<kRows + 1>...};
}

}  // namespace

bool has_f16_products() {
    return __builtin_cpu_supports("avx512fp16") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
           __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512dq") != 0;
}

void multiply_tile_f16(const TileInput& tile, TileSums sums) {
    constexpr auto kTiles = tiles(std::make_integer_sequence<int, kTileRows>());
    kTiles[static_cast<std::size_t>(tile.count - 1)](tile, sums);
}

namespace {

// The lanes of a register that `left` numbers fill.
MC_F16 inline __attribute__((always_inline)) __mmask16 lanes_for(std::int64_t left) {
    return static_cast<__mmask16>(left >= 16 ? 0xffff : (1 << left) - 1);
}

MC_F16 inline __attribute__((always_inline)) __m256i halves_of(const float* from, __mmask16 lanes) {
    return _mm512_cvtps_ph(_mm512_maskz_loadu_ps(lanes, from),
                           _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

}  // namespace

MC_F16 void to_elements_f16(const float* from, std::int64_t count, Element* to) {
    for (std::int64_t i = 0; i < count; i += 16) {
        const __mmask16 lanes = lanes_for(count - i);
        const __m512i single = _mm512_cvtepu16_epi32(halves_of(from + i, lanes));
        _mm512_mask_storeu_epi32(to + i, lanes,
                                 _mm512_or_si512(single, _mm512_slli_epi32(single, 16)));
    }
}

MC_F16 void to_halves_f16(const float* from, std::int64_t count, std::uint16_t* to) {
    for (std::int64_t i = 0; i < count; i += 16) {
        const __mmask16 lanes = lanes_for(count - i);
        _mm256_mask_storeu_epi16(to + i, lanes, halves_of(from + i, lanes));
    }
}

#else

bool has_f16_products() {
    return false;
}

void multiply_tile_f16(const TileInput&, TileSums) {
    MC_CHECK(false, "no AVX512_FP16 in this build");
}

void to_elements_f16(const float*, std::int64_t, Element*) {
    MC_CHECK(false, "no AVX512_FP16 in this build");
}

void to_halves_f16(const float*, std::int64_t, std::uint16_t*) {
    MC_CHECK(false, "no AVX512_FP16 in this build");
}

#endif

}  // namespace mc::embedder
