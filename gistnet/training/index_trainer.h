// SPDX-License-Identifier: Apache-2.0
// Learns the map from pooled features to index vectors by contrast, and ranks with it.
//
// Loss of a step: questions q with blocks k of the same windows, s = v_q · v_k / τ with τ learned,
// −log softmax over the step's blocks at the right one. Half of a step's windows are of one
// document, so most wrong blocks are near misses; blocks that a "what follows" question repeats are
// left out. Features are standardised by the blocks' mean and deviation, which the finished map
// carries inside. Deterministic by seed. Letters as in index_training_set.h; I index width.
// Threads: one. Errors: libtorch's exceptions pass.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "gistnet/training/adamw.h"
#include "gistnet/training/index_training_set.h"

namespace mc::gistnet {

class IndexTrainer {
  public:
    // Borrows the set.
    IndexTrainer(const IndexTrainingSet& set, std::int64_t index_dim, std::uint64_t seed);

    // Step number `step`, from 1, of total_steps. Returns its loss, in nats; a number that is not
    // finite when the step taught nothing, for its loss or gradient was none.
    double step(std::uint64_t step, std::uint64_t total_steps);

    // What was learned so far, for features that are not standardised; without layers and token
    // weights.
    IndexProjection learned() const;

  private:
    struct Batch {
        at::Tensor blocks;     // (n) rows of the set
        at::Tensor questions;  // (m) rows of the set
        at::Tensor right;      // (m) columns of blocks
        at::Tensor left_out;   // (m, n) bool
    };

    Batch draw();

    const IndexTrainingSet& set_;
    Rng rng_;
    at::Tensor mean_;              // (C)
    at::Tensor deviation_;         // (C)
    at::Tensor blocks_;            // (N, C) standardised
    at::Tensor questions_;         // (Q, C) standardised
    std::vector<AdamSlot> slots_;  // map (C, I), bias (I), log of 1 / τ
};

// The rank, from 1, of each question's block among all blocks of the set; blocks that a "what
// follows" question repeats are not counted.
std::vector<std::uint32_t> rank_blocks(const IndexTrainingSet& set,
                                       const IndexProjection& projection);

}  // namespace mc::gistnet
