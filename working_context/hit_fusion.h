// SPDX-License-Identifier: Apache-2.0
// One ranking from the hits of several indexes.
//
//   score(node) = Σ over lists: weight × s(node) / s(best of the list)
// A list's best has its whole weight, a node that it does not name nothing from it. Words decide
// and vectors break ties among them or come in behind: reciprocal rank fusion, which looks at ranks
// alone, puts a block that both lists name in the middle before one that BM25 is sure of, and was
// worse than BM25 by itself (docs/lab-log.md).
// Pure. Value types. Threads: free.
#pragma once

#include <span>
#include <unordered_map>

#include "tree/search_hit.h"

namespace mc {

// Chosen for recall@{1, 5, 20} on two documents that are neither trained nor tested on; from 0.1 to
// 0.25 it hardly matters.
inline constexpr double kLexicalWeight = 1;
inline constexpr double kVectorWeight = 0.15;

struct WeightedHits {
    std::span<const SearchHit> hits;  // best first
    double weight = 0;
};

using FusedScores = std::unordered_map<NodeId, double>;

// Every node that a list names. A score below 0 counts as 0.
FusedScores fuse_hits(std::span<const WeightedHits> lists);

}  // namespace mc
