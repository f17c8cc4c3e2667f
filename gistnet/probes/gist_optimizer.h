// SPDX-License-Identifier: Apache-2.0
// What gists could carry: keys and values that gradient descent finds for one known continuation.
//
// A ceiling for encoders, not one of them: the gists are fitted, for every window alone, to what
// the base model predicts in the window's horizon when it reads the whole context. The loss is the
// KL divergence from those predictions (lm/training/distillation.h) behind horizon tokens 1 to
// H - 1; descent is Adam on keys and values in f32, with the rate falling to 0 along a half cosine.
// Threads: one, with the model. Errors: kUsage for a model that TrainingPass does not know; kModel.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/result.h"
#include "lm/base_model.h"
#include "tree/gist.h"

namespace mc::gistnet {

struct OptimizerWindow {
    std::span<const Gist> start;  // what the descent begins with
    std::span<const TokenId> context;
    std::span<const TokenId> horizon;
};

struct GistOptimizerOptions {
    std::uint32_t steps = 60;
    double learning_rate = 0.03;  // of Adam: the most a number moves in one step
};

struct OptimizedGists {
    std::vector<std::vector<Gist>> gists;  // of every window; their index vectors are the start's
    double divergence_before = 0;          // mean KL over windows and tokens, nats
    double divergence_after = 0;
};

// Requires: windows of equal shape, at least one; horizons of at least two tokens.
Result<OptimizedGists> optimize_gists(const lm::BaseModel& model,
                                      std::span<const OptimizerWindow> windows,
                                      const GistOptimizerOptions& options = {});

}  // namespace mc::gistnet
