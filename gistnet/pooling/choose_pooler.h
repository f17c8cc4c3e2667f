// SPDX-License-Identifier: Apache-2.0
// The pooler that a setting names, with a fingerprint of its parameters.
//
// Errors: kUsage for a name that is none and for weights of another base model; those of
// gistnet_file.h.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/hash.h"
#include "gistnet/pooling/gistnet_file.h"
#include "gistnet/pooling/pooler.h"
#include "lm/base_model.h"

namespace mc::gistnet {

struct ChosenPooler {
    std::unique_ptr<Pooler> pooler;
    Hash128 parameters;  // of the weights' file; zero for the untrained ones
};

struct TrainedWeights {
    GistNetWeights weights;
    Hash128 file;  // of its bytes
};

// The trained weights behind a setting; empty for an untrained pooler.
Result<std::optional<TrainedWeights>> find_trained(const std::string& setting,
                                                   const lm::BaseModel& model);

// "kv-match", "kv-last", "kv-mean"; "gistnet": the program's own weights for this model; "auto":
// those when there are any, else kv-match; anything else with a dot or a slash: a file of trained
// weights.
Result<ChosenPooler> choose_pooler(const std::string& setting, const lm::BaseModel& model);

}  // namespace mc::gistnet
