// SPDX-License-Identifier: Apache-2.0
// The element-wise steps of the forward pass on tensors.
//
// On the CPU without gradients they run the loops of cpu_kernels.h; on any other device, and where
// autograd records, the same formulas in ATen operations. Both forms agree within rounding.
// Letters: B batch, T steps, N = B × T, Hq query heads, H KV heads, D head width.
#pragma once

#include "lm/torch/torch_fence.h"

namespace mc::lm {

// Rotation angles of every position, f32, (positions, D / 2).
struct RopeTable {
    at::Tensor cosines;
    at::Tensor sines;
};

// Rotates pairs (2i, 2i+1) of the last axis. x (…, D); angles broadcast to (…, D / 2). In f32.
at::Tensor rotate_pairs(const at::Tensor& x, const at::Tensor& cosines, const at::Tensor& sines);

// residual (N, W) f32 becomes residual + delta; returns its RMS norm times weight, in dtype.
// delta (N, W) may be undefined. On the fast path residual is changed in place.
at::Tensor add_rms_norm(at::Tensor& residual, const at::Tensor& delta, const at::Tensor& weight,
                        double epsilon, at::ScalarType dtype);

// (N, 2 × F) → (N, F): silu(first half) × second half.
at::Tensor silu_mul(const at::Tensor& gate_up);

// Splits projections (B, T, (Hq + 2 H) × D), rotates queries and keys to positions (T, int64, on
// the CPU), writes keys and values into the cache tensors (B, H, capacity, D) at those positions
// and returns the queries (B, Hq, T, D).
at::Tensor split_and_rotate(const at::Tensor& qkv, const RopeTable& rope,
                            const at::Tensor& positions, at::Tensor& keys, at::Tensor& values);

struct LogitReduction {
    at::Tensor log_sum_exp;  // (N) f32
    at::Tensor entropy;      // (N) f32, undefined unless asked for
};

// Of logits (N, V).
LogitReduction reduce_logits(const at::Tensor& logits, bool with_entropy);

// x (N, W) times weight (V, W) transposed, in f32 without rounding the result to weight's dtype.
// For few rows: it reads the whole weight once for each.
at::Tensor precise_product(const at::Tensor& x, const at::Tensor& weight);

}  // namespace mc::lm
