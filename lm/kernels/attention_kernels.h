// SPDX-License-Identifier: Apache-2.0
// Causal grouped-query attention in tiles of twelve queries, for processors with AVX512_BF16.
//
// Keys and values are first laid out in panels, as weights are (panel_kernels.h). A tile then takes
// its keys 512 at a time: scores, softmax carried along in f32 (its top and its sum so far), and
// products with the values, all within the second-level cache.
// Knows nothing of libtorch. Requires: has_panel_kernels(), head_dim a multiple of 32.
#pragma once

#include <cstdint>

#include "lm/kernels/cpu_kernels.h"

namespace mc::lm {

constexpr std::int64_t kTileQueries = 12;
constexpr std::int64_t kKeysPerGroup = 32;  // panels come in pairs

// Keys and values of one head in panels: key_groups × 32 keys, zero beyond the last key.
struct HeadPanels {
    Bf16Bits* keys;    // (key_groups × 2, head_dim / 2, 16, 2)
    Bf16Bits* values;  // (key_groups × 16, head_dim, 2): two keys side by side
};

// Packs groups [begin, end) of keys and values (key_count, head_dim), rows contiguous.
void pack_head(const Bf16Bits* keys, const Bf16Bits* values, std::int64_t key_count,
               std::int64_t head_dim, const HeadPanels& panels, std::int64_t begin,
               std::int64_t end);

// Queries of the heads that share one KV head, all of one batch row.
struct AttentionTile {
    const Bf16Bits* queries;        // (heads, step_count, head_dim)
    const std::int64_t* positions;  // (step_count), ascending
    HeadPanels panels;
    const float* log_mass;  // of each key, added to its logit; null: nothing is added
    Bf16Bits* out;          // (step_count, heads × head_dim), rows out_stride elements apart
    std::int64_t step_count;
    std::int64_t heads;
    std::int64_t head_dim;
    std::int64_t out_stride;
    float scale;
};

// Steps [first, first + count) of all heads. Requires: count ≤ kTileQueries.
void attend_tile(const AttentionTile& tile, std::int64_t first, std::int64_t count);

}  // namespace mc::lm
