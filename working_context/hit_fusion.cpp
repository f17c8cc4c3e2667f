// SPDX-License-Identifier: Apache-2.0
#include "working_context/hit_fusion.h"

#include <algorithm>

namespace mc {

FusedScores fuse_hits(std::span<const WeightedHits> lists) {
    FusedScores scores;
    for (const WeightedHits& list : lists) {
        if (list.hits.empty()) continue;
        const double best = std::max(0.0, double{list.hits.front().score});
        for (const SearchHit& hit : list.hits) {
            double& score = scores[hit.node];
            if (hit.score > 0) score += list.weight * double{hit.score} / best;
        }
    }
    return scores;
}

}  // namespace mc
