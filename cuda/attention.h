// SPDX-License-Identifier: Apache-2.0
// What the attention kernels read: queries, and a cache of tokens and gists with their log-mass.
//
// Letters: B batch, T queries, S keys, Hq query heads, H KV heads, D head width. As
// lm/torch/attention.h has it: a query sees the keys at or before its position; log-mass is added
// to the logits of its key, in nats; minus infinity hides the key. Where a query sees no key at
// all, its answer is 0.
#pragma once

#include <cfloat>

#include "cuda/numbers.h"

namespace mc::cuda {

struct Attention {
    const Bf16* queries;            // (B, Hq, T, D), contiguous
    const Bf16* keys;               // (B, H, S, D), rows contiguous
    const Bf16* values;             // as keys
    const std::int64_t* positions;  // (T), ascending; the last is below S
    const float* log_mass;          // (B, H, S), last stride 1; null: nothing is added
    std::int64_t batch;
    std::int64_t steps;  // T
    int kv_heads;
    int group;  // query heads that share a KV head: Hq / H
    int head_dim;
    std::int64_t cache_batch_stride;  // elements, of keys and values
    std::int64_t cache_head_stride;
    std::int64_t mass_batch_stride;
    std::int64_t mass_head_stride;
    float scale;  // of the logits: 1 / √D

    // First query of a head of a KV head's group.
    MC_DEVICE const Bf16* queries_of(std::int64_t text, std::int64_t kv_head,
                                     std::int64_t head) const {
        return queries + ((text * kv_heads + kv_head) * group + head) * steps * head_dim;
    }

    MC_DEVICE std::int64_t cache_offset(std::int64_t text, std::int64_t kv_head) const {
        return text * cache_batch_stride + kv_head * cache_head_stride;
    }

    MC_DEVICE float mass_at(std::int64_t text, std::int64_t kv_head, std::int64_t key) const {
        return log_mass == nullptr
                   ? 0.0F
                   : log_mass[text * mass_batch_stride + kv_head * mass_head_stride + key];
    }
};

// Where a softmax's top starts: below every score, and far enough from minus infinity that the
// difference of the two is no NaN.
inline constexpr float kLowest = -FLT_MAX;

// e^x
MC_DEVICE inline float exponential(float x) {
    return exp2f(x * 1.44269504F);
}

// Eight numbers that move at once. Requires, of everything copied by them: addresses and strides
// that are multiples of 16 bytes.
struct alignas(16) EightNumbers {
    Bf16 numbers[8];
};

MC_DEVICE inline void copy_eight(const Bf16* from, Bf16* to) {
    *reinterpret_cast<EightNumbers*>(to) = *reinterpret_cast<const EightNumbers*>(from);
}

}  // namespace mc::cuda
