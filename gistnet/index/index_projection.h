// SPDX-License-Identifier: Apache-2.0
// From what the base model computes while it reads to a vector that search can compare.
//
// With x_t the residual streams of the chosen layers side by side, each at unit mean square, and
// a_t a fixed weight of token t (rare tokens weigh more: smooth inverse frequency, Arora, Liang, Ma
// 2017):
//   f = Σ_t a_t x_t / Σ_t a_t,   v = M f + b at unit length.
// Blocks and questions share M and b: two sets of them learned less from the same text. What every
// x_t has in common (anisotropy) and each dimension's spread are taken off by b and M.
// Letters: N texts, R layers, T tokens, W hidden width, C = R × W, I index width, V vocabulary.
// Threads: const, free.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "lm/torch/torch_model.h"

namespace mc::gistnet {

// f32, row-major.
struct IndexProjection {
    std::vector<std::int64_t> layers;  // as ReadOutput::residual_layers
    at::Tensor token_weights;          // (V), positive
    at::Tensor map;                    // M: (C, I), applied from the right
    at::Tensor bias;                   // b: (I)

    // v of features (N, C): (N, I). Differentiable.
    at::Tensor project(const at::Tensor& features) const;
};

// (V) weights of tokens that occur so often, a / (a + frequency): near 1 for rare tokens.
at::Tensor inverse_frequency_weights(const at::Tensor& counts);

// f of texts: residuals (N, R, T, W), weights (N, T) with 0 for padding → (N, C) f32.
at::Tensor pool_features(const at::Tensor& residuals, const at::Tensor& weights);

// f of every block of windows (B, R, blocks × K, W), whose tokens follow each other in tokens
// (B × blocks × K): (B × blocks, C) f32.
at::Tensor block_features(const lm::TorchModel& model, const at::Tensor& token_weights,
                          const at::Tensor& residuals, std::span<const TokenId> tokens);

// f of texts of any lengths, each read alone after BOS, several at a time: (N, C) f32.
// Requires: every text has a token and fits the model's context.
at::Tensor text_features(const lm::TorchModel& model, const at::Tensor& token_weights,
                         const std::vector<std::int64_t>& layers,
                         std::span<const std::vector<TokenId>> texts);

}  // namespace mc::gistnet
