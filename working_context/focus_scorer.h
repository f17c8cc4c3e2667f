// SPDX-License-Identifier: Apache-2.0
// Port: says what is worth seeing in detail. policies.h has the rules; lensnet/ the learned one.
//
// A score is the gain of having a node expanded rather than standing as one gist, in the scorer's
// own units; for a node that is expanded already the same number is what keeping it so is worth.
// Gains add up along a path, so a scorer that wants level 1 block b raw also scores b's ancestors.
// Nodes without a score gain nothing. Threads: one thread at a time.
// Errors: kInvalidInput when the request lacks what the scorer needs; kModel from learned scorers.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "tree/gist.h"
#include "tree/search_hit.h"
#include "working_context/window.h"

namespace mc {

// What is asked, as evidence fetched before scoring; the step is the window's own.
struct FocusRequest {
    std::vector<SearchHit> lexical_hits;  // BM25, best first; level 1 nodes
    std::vector<SearchHit> vector_hits;   // cosine, best first; any level
    // Statistics of a node that exists; may read the store. Empty: none to be had.
    std::function<Result<NodeStatistics>(NodeId)> find_statistics;
    std::uint64_t seed = 0;
};

struct NodeScore {
    NodeId node;
    double gain = 0;  // finite, ≥ 0

    bool operator==(const NodeScore&) const = default;
};

class FocusScorer {
  public:
    virtual ~FocusScorer() = default;

    virtual std::string_view name() const = 0;

    // Scores of nodes that the window admits, each once, in order of node.
    // Cost: bounded by the budget and the request's hits, never by the documents' length.
    virtual Result<std::vector<NodeScore>> score(const Window& window,
                                                 const FocusRequest& request) = 0;
};

}  // namespace mc
