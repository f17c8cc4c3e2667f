// SPDX-License-Identifier: Apache-2.0
// What a training run starts from: documents, options that fit, first weights, and what decides its
// numbers.
//
// Value types and free functions. Errors: those of train_gistnet.h, before anything is written.
#pragma once

#include <string>
#include <vector>

#include "core/hash.h"
#include "gistnet/pooling/gistnet_file.h"
#include "gistnet/training/train_gistnet.h"
#include "gistnet/training/training_cases.h"

namespace mc::gistnet {

struct Documents {
    TrainingText text;
    std::vector<Hash128> hashes;
    std::vector<std::string> names;
};

Result<Documents> read_documents(const lm::BaseModel& model, const std::vector<Path>& paths);

// kInvalidInput where a document is in both.
Result<void> check_disjoint(const Documents& training, const Documents& evaluation);

// Everything that decides the numbers of a run, as text. built_on: hashes_of().
std::string identity_of(const lm::BaseModel& model, const TrainOptions& options,
                        const CaseOptions& cases, const Documents& training,
                        const std::string& built_on);

// Of the weight files that a run starts from.
Result<std::string> hashes_of(const TrainOptions& options);

std::uint64_t matching_steps(const TrainOptions& options);
CaseOptions case_options(const TrainOptions& options);
Result<void> check_options(const lm::BaseModel& model, const TrainOptions& options,
                           const CaseOptions& cases);

// What a run starts from: the levels, and what level 1's file says of itself.
Result<GistNetWeights> first_levels(const lm::BaseModel& model, const TrainOptions& options);

}  // namespace mc::gistnet
