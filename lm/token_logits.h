// SPDX-License-Identifier: Apache-2.0
// What the base model predicts after every token of a text, as logits.
//
// For who looks at the model from outside; likelihoods alone cost less (lm/likelihood.h,
// Sequence::score). Free function. Threads: as BaseModel. Errors: kInvalidInput for an id outside
// the vocabulary; kOverBudget beyond the model's context; kModel when libtorch fails.
#pragma once

#include <span>

#include "core/result.h"
#include "lm/base_model.h"

namespace mc::lm {

// Writes logits (tokens, vocabulary_size), row-major: row i is what follows token i, given tokens 0
// to i and nothing before them. Requires: out has that size.
Result<void> logits_into(const BaseModel& model, std::span<const TokenId> tokens,
                         std::span<float> out);

}  // namespace mc::lm
