// SPDX-License-Identifier: Apache-2.0
// Causal grouped-query attention over a cache, for queries at any ascending positions.
//
// In bf16 on processors with AVX512_BF16 and without gradients: the tiles of attention_kernels.h,
// five times as fast as libtorch's own CPU kernel there, which also needs a mask tensor wherever
// gists stand between tokens. Elsewhere: libtorch's scaled_dot_product_attention. Both agree within
// rounding.
// Letters: B batch, T queries, S keys, Hq query heads, H KV heads, D head width.
#pragma once

#include <cstdint>
#include <span>

#include "lm/torch/torch_fence.h"

namespace mc::lm {

// queries (B, Hq, T, D), contiguous; keys and values (B, H, S, D), S the last position + 1. A query
// sees the keys at or before its position. log_mass (B, H, S) f32, last stride 1, is added to the
// keys' logits, in nats; minus infinity hides a key; undefined: nothing is added. Returns (B × T,
// Hq × D).
// Requires: positions (T) strictly ascending, the last one S - 1; every query sees a key.
at::Tensor attend(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values,
                  std::span<const std::int64_t> positions, const at::Tensor& log_mass = {});

}  // namespace mc::lm
