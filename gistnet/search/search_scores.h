// SPDX-License-Identifier: Apache-2.0
// How well a search found what it should have: recall within the first k, mean reciprocal rank.
// Pure. Value types.
#pragma once

#include <cstdint>
#include <span>

namespace mc::gistnet {

struct SearchScores {
    std::uint64_t searches = 0;
    double recall_at_1 = 0;
    double recall_at_5 = 0;
    double recall_at_20 = 0;
    double reciprocal_rank = 0;  // mean
};

// Of the rank at which each search found its block, from 1; 0: it did not.
SearchScores score_ranks(std::span<const std::uint32_t> ranks);

}  // namespace mc::gistnet
