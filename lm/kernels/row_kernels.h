// SPDX-License-Identifier: Apache-2.0
// One token's share of the forward pass, for processors with AVX512_BF16: products of weights with
// one row, and attention of one query.
//
// One row's product is bound by the bytes of the weights, so they stay as the file quantised them:
// quants that bf16 holds exactly, multiplied with the row in bf16, scaled in f32. Nothing is lost
// against the file, and less is read than in bf16: 5 bits a weight for Q4_0 and Q4_1, 8.5 for Q8_0.
// Weights lie in panels of 16 rows, as in panel_kernels.h, by blocks of 32 columns.
// Knows nothing of libtorch. Requires of all but the packers: has_panel_kernels().
#pragma once

#include <cstddef>
#include <cstdint>

#include "lm/kernels/cpu_kernels.h"

namespace mc::lm {

enum class RowFormat {
    kBf16,   // panels of panel_kernels.h
    kFour,   // 256 bytes of quants, 16 scales and 16 lowest values in f16: Q4_0 and Q4_1
    kEight,  // 512 bytes of quants and 16 scales in f16: Q8_0
};

constexpr std::int64_t kBlockColumns = 32;
constexpr std::int64_t kFourBlockBytes = 320;
constexpr std::int64_t kEightBlockBytes = 544;

struct RowWeights {
    RowFormat format = RowFormat::kBf16;
    const void* panels = nullptr;
    std::int64_t columns = 0;
    std::int64_t panel_count = 0;
};

std::int64_t row_weight_bytes(RowFormat format, std::int64_t panel_count, std::int64_t columns);

// Packs 16 rows of ggml blocks. False, with part of `to` written, for a Q4_0 block whose lowest
// value f16 cannot hold.
bool pack_q4_0(const std::uint8_t* rows, std::int64_t columns, std::uint8_t* to);
bool pack_q4_1(const std::uint8_t* rows, std::int64_t columns, std::uint8_t* to);
bool pack_q8_0(const std::uint8_t* rows, std::int64_t columns, std::uint8_t* to);

// A row in bf16 and the sums of its blocks of 32.
struct RowInput {
    const Bf16Bits* x;
    const float* block_sums;
};

void sum_blocks(const Bf16Bits* x, std::int64_t columns, float* block_sums);

// out[n] = row n of weights · x, for the rows of panels [begin, end).
void multiply_row(const RowWeights& weights, const RowInput& x, float* out, std::int64_t begin,
                  std::int64_t end);

// residual += delta (null: nothing); x = residual / rms × weight.
void normalize_row(float* residual, const float* delta, const float* weight, float epsilon,
                   std::int64_t width, Bf16Bits* x);

// x = silu(gate) × up. Requires: width a multiple of 16.
void gate_row(const float* gate, const float* up, std::int64_t width, Bf16Bits* x);

// Rounds to bf16. Requires: width a multiple of 16.
void round_row(const float* from, std::int64_t width, Bf16Bits* to);

// Pairs (2i, 2i+1) turned by the angles.
void rotate_row(const float* from, const float* cosines, const float* sines, std::int64_t width,
                Bf16Bits* to);

// A query's attention to some of the keys, not yet divided by the sum.
struct PartialAttention {
    float* tops;    // (heads)
    float* sums;    // (heads)
    float* values;  // (heads, head_dim)
};

// The query heads of one KV head over keys and values (count, head_dim). log_mass (count) is added
// to the keys' logits; null: nothing is. scores has room for heads × count. Requires: head_dim a
// multiple of 32 and at most 256, count rows contiguous.
void attend_row(const Bf16Bits* queries, std::int64_t heads, const Bf16Bits* keys,
                const Bf16Bits* values, const float* log_mass, std::int64_t count,
                std::int64_t head_dim, float* scores, const PartialAttention& out);

// Joins `parts` partial results of one head, which lie `part_stride` heads apart.
void join_attention(const PartialAttention& parts, std::int64_t head, std::int64_t part_count,
                    std::int64_t part_stride, std::int64_t head_dim, Bf16Bits* out);

}  // namespace mc::lm
