// SPDX-License-Identifier: Apache-2.0
// From index hits and policy scores to stretches of text with their provenance.
//
// Pure but for reads of the bank. Threads: one. Errors: the store's.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/result.h"
#include "runtime/bank_session.h"
#include "tree/indexes.h"
#include "working_context/window.h"

namespace mc::runtime {

// A stretch of text that answers a question or stands in the window because of it.
struct Evidence {
    DocumentRecord document;
    TokenSpan tokens;
    ByteSpan bytes;
    Level level;       // 0: raw in the window; n: there as part of a gist of that level
    double score = 0;  // of the policy
    std::string why;   // "bm25 rank 1, cosine rank 7"
    std::string text;  // UTF-8; invalid bytes replaced
};

// What both indexes said, best first.
struct Candidates {
    std::vector<SearchHit> bm25;    // level 1
    std::vector<SearchHit> cosine;  // level 1
};

// Score of a level 1 node.
using BlockScores = std::unordered_map<NodeId, double>;

// The best blocks as evidence, best first: neighbours at the same level are one stretch, with the
// better score. window may be null (plain search): every level is then 1.
Result<std::vector<Evidence>> collect_evidence(const BankSession& bank, const Window* window,
                                               const BlockScores& scores,
                                               const Candidates& candidates, std::size_t count);

}  // namespace mc::runtime
