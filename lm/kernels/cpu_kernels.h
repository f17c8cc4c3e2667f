// SPDX-License-Identifier: Apache-2.0
// The element-wise steps of the forward pass as fused loops over rows, one pass over memory each.
//
// libtorch would take three to eight passes for each of them; together they cost as much as the
// attention. Knows nothing of libtorch: bfloat16 is its bits. Every function works on rows
// [begin, end) of row-major matrices, so the caller decides on threads. Compiled once per
// instruction set (AVX-512, AVX2, baseline), chosen at load time. Checked against the plain ATen
// form in tests/lm/torch/fused_ops_test.cpp.
#pragma once

#include <cstdint>

namespace mc::lm {

using Bf16Bits = std::uint16_t;

// residual += delta; out = residual / rms(residual) * weight. delta may be null.
struct NormRows {
    float* residual;      // (N, width)
    const void* delta;    // (N, width) float or Bf16Bits, as out
    const float* weight;  // (width)
    void* out;            // (N, width)
    std::int64_t width;
    float epsilon;
};

void add_rms_norm_f32(const NormRows& rows, std::int64_t begin, std::int64_t end);
void add_rms_norm_bf16(const NormRows& rows, std::int64_t begin, std::int64_t end);

// out = silu(gate) * up, with gate and up side by side in each input row.
struct SiluRows {
    const void* gate_up;  // (N, 2 × width)
    void* out;            // (N, width)
    std::int64_t width;
};

void silu_mul_f32(const SiluRows& rows, std::int64_t begin, std::int64_t end);
void silu_mul_bf16(const SiluRows& rows, std::int64_t begin, std::int64_t end);

// Splits one projected row (query heads, key heads, value heads) and rotates queries and keys by
// the row's position, pairs (2i, 2i+1). Strides are in elements; row n is batch n / T, step n % T.
struct SplitRows {
    const void* qkv;                // (B × T, (query_heads + 2 × kv_heads) × head_dim)
    const float* cosines;           // (positions, head_dim / 2)
    const float* sines;             // (positions, head_dim / 2)
    const std::int64_t* positions;  // (T)
    void* queries;                  // (B, query_heads, T, head_dim), contiguous
    void* keys;                     // (B, kv_heads, capacity, head_dim) at positions[t]
    void* values;                   // as keys
    std::int64_t step_count;        // T
    std::int64_t query_heads;
    std::int64_t kv_heads;
    std::int64_t head_dim;
    std::int64_t cache_batch_stride;
    std::int64_t cache_head_stride;
};

void split_and_rotate_f32(const SplitRows& rows, std::int64_t begin, std::int64_t end);
void split_and_rotate_bf16(const SplitRows& rows, std::int64_t begin, std::int64_t end);

// Of each row of logits: log of the sum of exponentials, and entropy in nats when asked for.
struct LogitRows {
    const void* logits;  // (N, width)
    float* log_sum_exp;  // (N)
    float* entropy;      // (N) or null
    std::int64_t width;
};

void reduce_logits_f32(const LogitRows& rows, std::int64_t begin, std::int64_t end);
void reduce_logits_bf16(const LogitRows& rows, std::int64_t begin, std::int64_t end);

// out[n] = weights[n] · x in f32, for rows [begin, end) of weights: logits of one position without
// the rounding of a bf16 result.
void row_products_bf16(const Bf16Bits* weights, const float* x, float* out, std::int64_t width,
                       std::int64_t begin, std::int64_t end);

}  // namespace mc::lm
