// SPDX-License-Identifier: Apache-2.0
// Attention matching: gists without training, for any base model.
//
// Attention over a context is a mixture of what its parts say: a block that holds the mass
// m(q) = Σ_i exp(q·k_i / √D) of a query says o(q), gets the share π(q) = m / (m + M(q)) beside
// everything else of mass M(q), and moves the output from c(q), what the rest says, by π (o - c).
// One entry (k, β, v) in its place moves it by p (v - c), p = σ(q·k / √D + β - ln M). For every
// layer and KV head, the entry is the one that comes nearest over a sample of the model's own
// queries:
//   (k, β, v) = argmin Σ_q |π (o - c) - p (v - c)|²
// v is solved for; k begins as the ridge regression of ln m on q, β as the best of a grid, and both
// go on by Levenberg-Marquardt. What a value cannot say to every query is thereby claimed by less
// mass: an entry that claims all of its block's mass does harm. The queries are all those of a
// constant text (calibration_text.h), each at a distance from the block as questions have it: near
// ones behind raw tokens, far ones behind gists.
// Cf. Attention Matching, Zweiger et al. 2026 (arXiv 2602.16284), which keeps some of a context's
// own keys, fits their mass, then their values. Measured: docs/lab-log.md.
#pragma once

#include <memory>

#include "gistnet/pooling/pooler.h"
#include "lm/base_model.h"

namespace mc::gistnet {

inline constexpr const char* kMatchPoolerName = "kv-match";

// Children's log-mass counts in their parent's. Ownership: borrows the model. Errors: libtorch's
// exceptions pass. Cost: reads the calibration text, some 400 tokens; then a block costs about as
// much as reading it.
std::unique_ptr<Pooler> make_match_pooler(const lm::TorchModel& model);

}  // namespace mc::gistnet
