// SPDX-License-Identifier: Apache-2.0
// The conditions of delta-nll: what stands between BOS and the horizon in the model's context.
// Value types; pure. The list and the reasons for it: docs/evaluation.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "eval/delta_nll.h"

namespace mc::eval {

enum class ConditionKind {
    kNone,           // nothing
    kFull,           // every context token
    kLastRaw,        // the newest `entries` context tokens
    kEmbeddingMean,  // per block one input vector, the mean of its token embeddings
    kZeroGists,      // per block one gist of all-zero keys and values
    kGists,          // per block the gist that the encoder makes of it
    kShuffledGists,  // the gists of another window of the same document
};

struct Condition {
    std::string name;
    ConditionKind kind = ConditionKind::kNone;
    std::uint32_t entries = 0;  // of the working context, BOS not counted
    std::size_t encoder = 0;    // kGists and kShuffledGists: place in DeltaNllOptions::encoders
};

// In the order of tokens.jsonl.
std::vector<Condition> conditions_for(const DeltaNllOptions& options);

}  // namespace mc::eval
