// SPDX-License-Identifier: Apache-2.0
#include "gistnet/search/search_scores.h"

namespace mc::gistnet {

SearchScores score_ranks(std::span<const std::uint32_t> ranks) {
    SearchScores out;
    out.searches = ranks.size();
    if (ranks.empty()) return out;
    const auto share = 1.0 / static_cast<double>(ranks.size());
    for (const std::uint32_t rank : ranks) {
        if (rank == 0) continue;
        if (rank <= 1) out.recall_at_1 += share;
        if (rank <= 5) out.recall_at_5 += share;
        if (rank <= 20) out.recall_at_20 += share;
        out.reciprocal_rank += share / static_cast<double>(rank);
    }
    return out;
}

}  // namespace mc::gistnet
