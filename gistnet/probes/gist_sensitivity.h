// SPDX-License-Identifier: Apache-2.0
// How much each number of a gist matters to what the base model predicts behind it.
//
// The root mean square, over windows and their gists, of the gradient of the horizon's summed NLL:
// the diagonal of the empirical Fisher information, which says how much a small error costs (LeCun,
// Denker, Solla 1990). For codecs, which may choose where to be exact.
// Threads: one, with the model. Errors: kUsage for a model that TrainingPass does not know; kModel.
#pragma once

#include <span>
#include <vector>

#include "core/result.h"
#include "gistnet/probes/gist_optimizer.h"

namespace mc::gistnet {

// Nats per unit, by number of Gist::kv. Requires: windows as optimize_gists has them.
Result<std::vector<float>> gist_sensitivity(const lm::BaseModel& model,
                                            std::span<const OptimizerWindow> windows);

}  // namespace mc::gistnet
