// SPDX-License-Identifier: Apache-2.0
#include "lm/kernels/attention_kernels.h"

#include <algorithm>
#include <limits>

#include "core/check.h"
#include "lm/kernels/avx512_math.h"

#if MC_HAS_AVX512_BF16
#include "lm/kernels/panel_tile.h"
#endif

namespace mc::lm {

void pack_head(const Bf16Bits* keys, const Bf16Bits* values, std::int64_t key_count,
               std::int64_t head_dim, const HeadPanels& panels, std::int64_t begin,
               std::int64_t end) {
    static constexpr Bf16Bits kNothing[512] = {};
    MC_CHECK(head_dim <= 512, "head width");
    const auto row = [&](const Bf16Bits* rows, std::int64_t key) {
        return key < key_count ? rows + key * head_dim : kNothing;
    };
    for (std::int64_t first = begin * kKeysPerGroup; first < end * kKeysPerGroup; first += 16) {
        Bf16Bits* panel = panels.keys + first * head_dim;
        for (std::int64_t key = 0; key < 16; ++key) {
            const Bf16Bits* from = row(keys, first + key);
            for (std::int64_t d = 0; d < head_dim; d += 2)
                std::copy_n(from + d, 2, panel + (d * 8 + key) * 2);
        }
    }
    for (std::int64_t key = begin * kKeysPerGroup; key < end * kKeysPerGroup; key += 2) {
        Bf16Bits* pair = panels.values + key * head_dim;
        const Bf16Bits* even = row(values, key);
        const Bf16Bits* odd = row(values, key + 1);
        for (std::int64_t d = 0; d < head_dim; ++d) {
            pair[2 * d] = even[d];
            pair[2 * d + 1] = odd[d];
        }
    }
}

#if MC_HAS_AVX512_BF16

namespace {

// Keys taken at once: the tile's scores (24 KB) and the keys and values of one head (128 KB) stay
// in the second-level cache.
constexpr std::int64_t kBlockKeys = 512;
constexpr std::int64_t kHeadDimMax = 512;

// e^x for x ≤ 0, to bf16's precision and below it: 2^k times a polynomial of degree 4 on
// [-1/2, 1/2]. x comes in units of ln 2.
MC_AVX512_INLINE __m512 power_of_two(__m512 x) {
    x = _mm512_max_ps(x, _mm512_set1_ps(-150.0F));
    const __m512 k = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    const __m512 r = _mm512_sub_ps(x, k);
    __m512 p = _mm512_set1_ps(0.0096181291F);
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.055504109F));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.24022651F));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.69314718F));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0F));
    return _mm512_scalef_ps(p, k);
}

// What one head's queries of a tile carry from one block of keys to the next.
struct Softmax {
    float top[kTileRows];
    float sum[kTileRows];
    alignas(64) float values[kTileRows * kHeadDimMax];
};

struct Block {
    const Bf16Bits* queries;
    const HeadPanels* panels;
    std::int64_t head_dim;
    std::int64_t first;  // key
    std::int64_t count;  // a multiple of 32
};

// scores (rows, kBlockKeys) = queries · keys of the block.
struct ScoreTile {
    template <int kRows>
    MC_AVX512 static void run(const Block& block, float* scores) {
        for (std::int64_t key = 0; key < block.count; key += kKeysPerGroup) {
            const Bf16Bits* panel = block.panels->keys + (block.first + key) * block.head_dim;
            __m512 sums[kRows][2];
            multiply_tile<kRows>(block.queries, block.head_dim, block.head_dim / 2, panel,
                                 panel + 16 * block.head_dim, 32, sums);
#pragma GCC unroll 12
            for (int m = 0; m < kRows; ++m) {
                _mm512_store_ps(scores + m * kBlockKeys + key, sums[m][0]);
                _mm512_store_ps(scores + m * kBlockKeys + key + 16, sums[m][1]);
            }
        }
    }
};

// values (rows, head_dim) += weights (rows, kBlockKeys) · values of the block.
struct ValueTile {
    template <int kRows>
    MC_AVX512 static void run(const Block& block, const Bf16Bits* weights, float* values) {
        const Bf16Bits* panel = block.panels->values + block.first * block.head_dim;
        for (std::int64_t d = 0; d < block.head_dim; d += 32) {
            __m512 sums[kRows][2];
            multiply_tile<kRows>(weights, kBlockKeys, block.count / 2, panel + 2 * d,
                                 panel + 2 * d + 32, 2 * block.head_dim, sums);
            float* to = values + d;
#pragma GCC unroll 12
            for (int m = 0; m < kRows; ++m, to += block.head_dim) {
                _mm512_storeu_ps(to, _mm512_add_ps(_mm512_loadu_ps(to), sums[m][0]));
                _mm512_storeu_ps(to + 16, _mm512_add_ps(_mm512_loadu_ps(to + 16), sums[m][1]));
            }
        }
    }
};

MC_AVX512_INLINE __mmask16 first_lanes(std::int64_t count) {
    return count >= 16 ? __mmask16{0xffff}
                       : static_cast<__mmask16>((1U << std::max<std::int64_t>(count, 0)) - 1U);
}

// Adds the keys' log-mass to the scores of all rows, which the softmax will scale.
MC_AVX512 void add_log_mass(const float* log_mass, std::int64_t key_count, std::int64_t rows,
                            float scale, float* scores) {
    const __m512 factor = _mm512_set1_ps(1.0F / scale);
    for (std::int64_t i = 0; i < key_count; i += 16) {
        const __m512 mass =
            _mm512_mul_ps(_mm512_maskz_loadu_ps(first_lanes(key_count - i), log_mass + i), factor);
        for (float* row = scores + i; row < scores + rows * kBlockKeys; row += kBlockKeys)
            _mm512_store_ps(row, _mm512_add_ps(_mm512_load_ps(row), mass));
    }
}

// Turns one row's scores into weights relative to the row's top so far; what was summed under an
// earlier top shrinks with it. `scale` includes 1 / ln 2.
MC_AVX512 void carry_row(const float* scores, std::int64_t visible, std::int64_t count,
                         std::int64_t head_dim, float scale, float& row_top, float& row_sum,
                         float* values, Bf16Bits* weights) {
    __m512 tops = _mm512_set1_ps(row_top);
    for (std::int64_t i = 0; i < visible; i += 16)
        tops = _mm512_mask_max_ps(tops, first_lanes(visible - i), tops, _mm512_load_ps(scores + i));
    const float top = _mm512_reduce_max_ps(tops);
    if (top > row_top) {
        const float x = (row_top - top) * scale;
        const __m512 shrink = power_of_two(_mm512_set1_ps(x));
        row_sum *= _mm512_cvtss_f32(shrink);
        for (std::int64_t d = 0; d < head_dim; d += 16)
            _mm512_store_ps(values + d, _mm512_mul_ps(_mm512_load_ps(values + d), shrink));
        row_top = top;
    }
    const __m512 factor = _mm512_set1_ps(scale);
    const __m512 offset = _mm512_set1_ps(top * scale);
    __m512 sum = _mm512_setzero_ps();
    for (std::int64_t i = 0; i < count; i += 16) {
        const __m512 x = _mm512_fmsub_ps(_mm512_load_ps(scores + i), factor, offset);
        const __m512 e = _mm512_maskz_mov_ps(first_lanes(visible - i), power_of_two(x));
        sum = _mm512_add_ps(sum, e);
        store_half_bf16(weights + i, e);
    }
    row_sum += _mm512_reduce_add_ps(sum);
}

MC_AVX512 void store_row(const float* values, float sum, std::int64_t head_dim, Bf16Bits* out) {
    const __m512 inverse = _mm512_set1_ps(1.0F / sum);
    for (std::int64_t d = 0; d < head_dim; d += 16)
        store_half_bf16(out + d, _mm512_mul_ps(_mm512_load_ps(values + d), inverse));
}

void attend_head(const AttentionTile& tile, std::int64_t head, std::int64_t first,
                 std::int64_t count) {
    constexpr float kPerLn2 = 1.44269504F;
    alignas(64) float scores[kTileRows * kBlockKeys];
    alignas(64) Bf16Bits weights[kTileRows * kBlockKeys];
    Softmax state;
    std::fill_n(state.top, count, -std::numeric_limits<float>::max());
    std::fill_n(state.sum, count, 0.0F);
    std::fill_n(state.values, count * tile.head_dim, 0.0F);
    const std::int64_t key_end = tile.positions[first + count - 1] + 1;
    const Bf16Bits* queries = tile.queries + (head * tile.step_count + first) * tile.head_dim;
    for (std::int64_t key = 0; key < key_end; key += kBlockKeys) {
        const std::int64_t left = std::min(kBlockKeys, key_end - key);
        const std::int64_t padded = (left + kKeysPerGroup - 1) / kKeysPerGroup * kKeysPerGroup;
        const Block block{queries, &tile.panels, tile.head_dim, key, padded};
        tile_for<ScoreTile>(count)(block, scores);
        if (tile.log_mass != nullptr)
            add_log_mass(tile.log_mass + key, left, count, tile.scale, scores);
        for (std::int64_t m = 0; m < count; ++m) {
            const std::int64_t visible =
                std::clamp<std::int64_t>(tile.positions[first + m] + 1 - key, 0, left);
            carry_row(scores + m * kBlockKeys, visible, padded, tile.head_dim, tile.scale * kPerLn2,
                      state.top[m], state.sum[m], state.values + m * tile.head_dim,
                      weights + m * kBlockKeys);
        }
        tile_for<ValueTile>(count)(block, weights, state.values);
    }
    for (std::int64_t m = 0; m < count; ++m)
        store_row(state.values + m * tile.head_dim, state.sum[m], tile.head_dim,
                  tile.out + (first + m) * tile.out_stride + head * tile.head_dim);
}

}  // namespace

void attend_tile(const AttentionTile& tile, std::int64_t first, std::int64_t count) {
    MC_DCHECK(count <= kTileQueries && tile.head_dim <= kHeadDimMax, "tile size");
    for (std::int64_t head = 0; head < tile.heads; ++head) attend_head(tile, head, first, count);
}

#else

void attend_tile(const AttentionTile&, std::int64_t, std::int64_t) {
    MC_CHECK(false, "no AVX512_BF16 in this build");
}

#endif

}  // namespace mc::lm
