// SPDX-License-Identifier: Apache-2.0
// Self-attention within one text, every token to every token.
#pragma once

#include <cstdint>
#include <vector>

namespace mc::embedder {

// Numbers of a head that attend_text() works on at once; a head has a multiple of them.
constexpr std::int64_t kHeadLanes = 16;

// What attend_text() writes meanwhile; calls after each other may share one.
struct AttentionRoom {
    std::vector<float> keys;    // (head_dim, length up to a multiple of 16)
    std::vector<float> scores;  // (queries that go together, the same)
    std::vector<float> out;     // (length, heads × head_dim), for the caller
};

// qkv: (length, 3 × heads × head_dim): queries, keys and values of all heads side by side.
// out: (length, heads × head_dim): softmax(q · k / √head_dim) · v of each head.
// Requires: length > 0, head_dim a multiple of kHeadLanes. Vectorised as row_steps.h is.
void attend_text(const float* qkv, std::int64_t length, std::int64_t heads, std::int64_t head_dim,
                 AttentionRoom& room, float* out);

}  // namespace mc::embedder
