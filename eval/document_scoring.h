// SPDX-License-Identifier: Apache-2.0
// Scores the windows of one document under every condition, batch by batch.
//
// Gists are made when a batch first needs them, in fixed groups of windows, so that a run which
// starts in the middle computes exactly what an uninterrupted one does.
// Ownership: borrows scorer, protocol and document. Threads: one.
#pragma once

#include <atomic>
#include <optional>
#include <vector>

#include "eval/protocol.h"
#include "eval/score_log.h"

namespace mc::eval {

class DocumentScoring {
  public:
    DocumentScoring(Scorer& scorer, const Protocol& protocol, const DocumentPlan& document);

    // The lines of windows [begin, end) in the order of the log: window by window, condition by
    // condition. Errors: kModel; kCancelled, with nothing kept of the batch.
    Result<std::vector<ScoreLine>> score(std::size_t begin, std::size_t end,
                                         const std::atomic<bool>* cancelled);

  private:
    std::span<const TokenId> context_of(std::size_t window) const;
    std::span<const TokenId> horizon_of(std::size_t window) const;
    Result<void> encode_for(std::size_t begin, std::size_t end, const std::atomic<bool>* cancelled);
    Result<void> encode_group(std::size_t group);
    Result<lm::Segment> segment_of(const Condition& condition, std::size_t window);
    Result<lm::Segment> embedding_means(std::size_t window);
    Result<std::vector<ScoreLine>> score_condition(const Condition& condition, std::size_t begin,
                                                   std::size_t end);

    Scorer& scorer_;
    const Protocol& protocol_;
    const DocumentPlan& document_;
    std::vector<std::vector<std::vector<Gist>>> gists_;  // [encoder][window][block]
    Gist zero_gist_;
};

}  // namespace mc::eval
