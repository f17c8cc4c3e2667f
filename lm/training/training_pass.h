// SPDX-License-Identifier: Apache-2.0
// One forward and backward pass through the frozen model: gradients of what it read, none of it.
//
// For training compressors and selectors. Entries are columns 0…S-1; tokens go through the model,
// placed entries (gists, a known BOS) only lend their keys and values. The passes are written out
// instead of recorded by autograd: the weights want no gradient, so a backward step is one product
// where autograd's element-wise graph costs as much again. Products in the model's dtype; residual
// stream, its gradient, and every reduction in f32. Agrees with autograd through
// TorchModel::forward (tests/lm/training/training_pass_test.cpp).
// CPU, f32 or bf16. Ownership: borrows the model; keeps the activations of its last forward.
// Threads: one, with the model. Errors: libtorch's exceptions pass (torch_fence.h).
// Letters: B rows, T tokens, P placed entries, S = T + P, L layers, H KV heads, D head width, W
// hidden width.
#pragma once

#include <cstdint>
#include <vector>

#include "lm/torch/torch_model.h"

namespace mc::lm {

struct PassLayout {
    std::vector<std::int64_t> token_columns;   // (T) ascending
    std::vector<std::int64_t> placed_columns;  // (P) ascending; no other columns exist
    // (B) earlier columns of a row are padding that nothing sees. Rotation is relative, so rows of
    // unequal length stand right-aligned.
    std::vector<std::int64_t> first_columns;
};

// Rows without padding: placed entries, then tokens.
PassLayout placed_then_tokens(std::int64_t rows, std::int64_t placed, std::int64_t tokens);

// Keys before rotation and values (B, P, L, H, D) and log-mass (B, P, L, H), or their gradients, in
// f32. Without log-mass it is 0 everywhere and its gradient is not computed.
struct PlacedEntries {
    at::Tensor keys;
    at::Tensor values;
    at::Tensor log_mass = {};
};

// (n) int64 on the CPU.
at::Tensor index_tensor(const std::vector<std::int64_t>& values);

// XXH3-128 of every weight as it lies in memory (of its tensors; the packed copies that panels hold
// are made from them): equal before and after a training run, or the model was not frozen. Cost:
// one read of the weights.
Hash128 hash_of_weights(const TorchModel& model);

struct PassGradients {
    PlacedEntries placed;
    at::Tensor inputs;  // (B, T, W) f32
};

class TrainingPass {
  public:
    // Errors: kUsage for a model that this pass does not know: not on the CPU, or with normalised
    // queries and keys.
    static Result<void> check_support(const TorchModel& model);

    TrainingPass(const TorchModel& model, PassLayout layout);

    // Hidden states (B × T, W) after the final norm. inputs (B, T, W).
    at::Tensor forward(const at::Tensor& inputs, const PlacedEntries& placed);

    // Requires: one forward before. hidden_gradient (B × T, W) in the model's dtype.
    PassGradients backward(const at::Tensor& hidden_gradient);

  private:
    struct LayerTape {
        at::Tensor residual_in;    // (N, W) f32, before the attention's norm
        at::Tensor residual_mid;   // (N, W) f32, before the feed-forward's norm
        at::Tensor keys;           // (B, H, S, D), rotated
        at::Tensor values;         // (B, H, S, D)
        at::Tensor log_mass;       // (B × H, S) f32, or undefined
        at::Tensor queries;        // (B, Hq, T, D), rotated
        at::Tensor probabilities;  // (B × H, G × T, S)
        at::Tensor gate_up;        // (N, 2 F)
    };

    at::Tensor attend(LayerTape& tape) const;
    at::Tensor attention_backward(const LayerTape& tape, const at::Tensor& gradient,
                                  std::size_t layer, PlacedEntries& placed) const;
    void place(const PlacedEntries& placed);
    at::Tensor norm_backward(const at::Tensor& residual, const at::Tensor& weight,
                             const at::Tensor& gradient, at::Tensor& residual_gradient) const;

    const TorchModel& model_;
    PassLayout layout_;
    std::int64_t rows_;     // B
    std::int64_t steps_;    // T
    std::int64_t columns_;  // S
    std::vector<LayerTape> tape_;
    at::Tensor residual_out_;
};

}  // namespace mc::lm
