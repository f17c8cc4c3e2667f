// SPDX-License-Identifier: Apache-2.0
// Windows whose context stands as gists before a horizon, as tensors: what is read, and what the
// full context predicts of the horizon's tokens 2 to H.
//
// Letters: B rows, P gists, T = H - 1 read horizon tokens, W hidden width, L layers, H KV heads, D
// head width. Threads: one, with the model. Errors: libtorch's exceptions pass (torch_fence.h).
#pragma once

#include <span>

#include "gistnet/probes/gist_optimizer.h"
#include "lm/training/distillation.h"
#include "lm/training/training_pass.h"

namespace mc::gistnet {

struct HorizonProblem {
    lm::PassLayout layout;
    at::Tensor inputs;              // (B, 1 + T, W): BOS and the horizon but its last token
    lm::TeacherPrediction teacher;  // of horizon tokens 2 to H
    std::int64_t rows = 0;
    std::int64_t read = 0;
};

// Ends the program for windows of unequal shape, none at all, or horizons of one token.
void check_equal_shape(std::span<const OptimizerWindow> windows);

HorizonProblem make_horizon_problem(const lm::TorchModel& model,
                                    std::span<const OptimizerWindow> windows);

// Keys and values of the windows' gists: (B, P, L, 2, H, D) f32.
at::Tensor stack_starts(std::span<const OptimizerWindow> windows, const GistShape& shape);
// Log-mass of the same, (B, P, L, H) f32; undefined when no gist has one.
at::Tensor stack_log_mass(std::span<const OptimizerWindow> windows, const GistShape& shape);

// A gradient behind the problem's hidden states (B × (1 + T), W) from that of its scored ones
// (B × T, W).
at::Tensor behind_all_tokens(const HorizonProblem& problem, const at::Tensor& scored_gradient);

}  // namespace mc::gistnet
