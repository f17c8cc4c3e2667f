// SPDX-License-Identifier: Apache-2.0
// The fit of match_pooler.h for one layer: entries in the place of blocks.
//
// Letters: N blocks, H KV heads, K positions or children, R queries, D head width. f32, on the
// tensors' device. Pure: equal tensors give equal fits.
#pragma once

#include "lm/torch/torch_fence.h"

namespace mc::gistnet {

// A sample of a layer's queries, KV head by KV head.
struct MatchQueries {
    at::Tensor to_gist;   // (H, R, D): turned by their distance from an entry, divided by √D
    at::Tensor to_block;  // (H, R, D): turned by their distance from a block's first position
    at::Tensor seen;      // (H, R): ln of the mass of everything that the query saw: ln M
    at::Tensor heard;     // (H, R, D): what that said: c
};

// What the queries take from blocks.
struct MatchTarget {
    at::Tensor mass;   // (N, H, R): ln m
    at::Tensor share;  // (N, H, R): π
    at::Tensor moved;  // (N, H, R, D): π (o - c)
    // Of the error, what stays the same whatever the entry is.
    at::Tensor moved_by_heard;  // (N, H, R): π (o - c) · c
    at::Tensor heard_square;    // (H, R): |c|²
};

// keys turned by their place in the block and values (N, H, K, D); log_mass (N, H, K) or undefined.
MatchTarget target_of(const MatchQueries& queries, const at::Tensor& keys, const at::Tensor& values,
                      const at::Tensor& log_mass);

struct MatchFit {
    at::Tensor key_and_mass;  // (N, H, D + 1): k, then β
    at::Tensor value;         // (N, H, D)
    at::Tensor error;         // (N, H): Σ_q |…|², but for a constant of the target
};

// The nearest entries. β lies within the bounds of a log-mass (attention_pooler.h).
MatchFit fit_entries(const MatchQueries& queries, const MatchTarget& target);

// The error of given keys and masses (N, H, D + 1), with the value that suits them best.
MatchFit evaluate(const MatchQueries& queries, const MatchTarget& target,
                  const at::Tensor& key_and_mass);

}  // namespace mc::gistnet
