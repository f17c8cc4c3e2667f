// SPDX-License-Identifier: Apache-2.0
// Attention pooling of keys and values: the trained compressor's formula, differentiable.
//
// For every layer l and KV head h, and for each of J pooling queries j:
//   w_j = softmax_t(q_lhj · x_lt / √D + b_lhjt),   p_j = Σ_t w_j,t k_t,   r_j = Σ_t w_j,t v_t
//   k̃ = M^k_lh [p_1 … p_J],   ṽ = M^v_lh [r_1 … r_J]
//   β = clamp(c_lh + u_lh · [p / ‖p‖ ; r / ‖r‖], -8, 6)   of p = [p_1 … p_J], r = [r_1 … r_J]
// with keys before rotation, β the log-mass, and x_lt the keys and values of all heads of the layer
// at position t. Queries that look at the head's own key alone, J = 1, are the formula of the
// design; what a token is worth shows better in the whole layer, and more queries let one gist
// gather from several places of its block. Level 1 has its own parameters; one other set serves
// every level above it, when it is trained. Letters: N blocks, L layers, H KV heads, K = 32
// positions or children, D head width.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gistnet/pooling/pooler.h"
#include "tree/gist.h"

namespace mc::gistnet {

// f32 on the CPU; row-major.
struct LevelParameters {
    at::Tensor queries;    // (L, H, J, 2 × H × D): all heads' keys, then all heads' values
    at::Tensor biases;     // (L, H, J, K)
    at::Tensor key_map;    // (L, H, J × D, D), applied from the right
    at::Tensor value_map;  // as key_map
    at::Tensor mass_bias;  // (L, H, 1): c
    at::Tensor mass_map;   // (L, H, 2 × J × D): u, keys first

    std::int64_t pooling_queries() const { return queries.size(2); }

    // The six tensors with their names, in a fixed order.
    std::vector<std::pair<std::string, at::Tensor*>> named();
};

// Bounds of a log-mass, nats.
inline constexpr double kLogMassMin = -8;
inline constexpr double kLogMassMax = 6;

// Where training starts: the first query pools near the last position or child, its maps are the
// identity; the others look at random directions and their maps are zero; log-mass is 0.
LevelParameters initial_parameters(const GistShape& shape, std::int64_t pooling_queries,
                                   std::uint64_t seed);

// positions (N, L, H, K, D), any float type → (N, L, H, D) and log-mass (N, L, H), f32. weights,
// when given, receives the attention weights (L × H, N, J, K).
KeysValues pool(const LevelParameters& parameters, const KeysValues& positions,
                at::Tensor* weights = nullptr);

// Pools blocks with the first of levels and children with the second, on a device; without a second
// the last child stands for its family. Requires: one or two levels.
std::unique_ptr<Pooler> make_attention_pooler(std::string name, std::vector<LevelParameters> levels,
                                              at::Device device);

}  // namespace mc::gistnet
