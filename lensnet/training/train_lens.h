// SPDX-License-Identifier: Apache-2.0
// Trains LensNet on labels.jsonl: a linear regression, and a net with one hidden layer that has to
// beat it.
//
// Both are measured by cross-validation over kinds of questions: no question is scored by a lens
// that learned from one of its task and item. The one with the larger captured share is fitted to
// all questions and saved. Ranks share the fits of the cross-validation, each of which is one
// rank's whole, and end with the same bits as one process; rank 0 alone writes. Threads: one.
// Errors: kInvalidInput for files that are missing, hold no labels or were made for different
// models; kCorruption with file and line for a line that is none. Cost: some seconds a thousand
// questions and lens.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/files.h"
#include "core/result.h"
#include "lensnet/training/lens_fit.h"
#include "lensnet/training/lens_scores.h"
#include "ranks/rank_group.h"

namespace mc::lensnet {

struct LensTrainOptions {
    std::vector<Path> labels;
    Path output;
    std::size_t hidden = 24;
    std::size_t steps = 500;
    std::uint64_t seed = 1;
    std::vector<Signal> without;
    std::string command_line;           // recorded in the weights
    ranks::RankGroup* group = nullptr;  // borrowed; null: one process
};

struct LensTrainReport {
    Path weights_path;  // empty on ranks that write nothing
    std::size_t questions = 0;
    std::size_t reliable = 0;  // told, and labels that count
    LensScores rule;           // the search's own order: its first candidate alone
    LensScores regression;
    LensScores net;
    bool net_is_better = false;
};

// done of total fits.
using LensTrainProgress = std::function<void(std::size_t done, std::size_t total)>;

Result<LensTrainReport> train_lens(const LensTrainOptions& options,
                                   const LensTrainProgress& progress,
                                   const std::atomic<bool>* cancelled);

}  // namespace mc::lensnet
