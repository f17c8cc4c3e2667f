// SPDX-License-Identifier: Apache-2.0
// Scores the windows of one document under every condition, batch by batch.
//
// Ownership: borrows scorer, protocol, document and gists. Threads: one.
#pragma once

#include <atomic>
#include <cstddef>
#include <vector>

#include "eval/delta_nll/document_gists.h"
#include "eval/delta_nll/protocol.h"
#include "eval/measure/score_log.h"

namespace mc::eval {

class DocumentScoring {
  public:
    // other: gists of another document; null when there is only one.
    DocumentScoring(Scorer& scorer, const Protocol& protocol, const DocumentPlan& document,
                    DocumentGists& own, DocumentGists* other);

    // The lines of windows [begin, end) in the order of the log: window by window, condition by
    // condition. Errors: kModel; kCancelled, with nothing kept of the batch.
    Result<std::vector<ScoreLine>> score(std::size_t begin, std::size_t end,
                                         const std::atomic<bool>* cancelled);

  private:
    // Gists that exist for one call of the model: coded or optimised.
    using MadeGists = std::vector<std::vector<Gist>>;

    std::span<const TokenId> context_of(std::size_t window) const;
    std::span<const TokenId> horizon_of(std::size_t window) const;
    Result<void> make_gists(std::size_t begin, std::size_t end, const std::atomic<bool>* cancelled);
    std::span<const Gist> gists_of(const Condition& condition, const Part& part,
                                   std::size_t window) const;
    Result<MadeGists> made_gists(const Condition& condition, std::size_t begin, std::size_t end,
                                 const std::atomic<bool>* cancelled);
    Result<MadeGists> optimized(const Condition& condition, std::size_t begin, std::size_t end,
                                const std::atomic<bool>* cancelled);
    Result<MadeGists> coded(const Condition& condition, std::size_t begin, std::size_t end) const;
    Result<lm::Segment> segment_of(const Condition& condition, const Part& part,
                                   std::size_t window);
    Result<lm::Segment> embedding_means(std::span<const TokenId> tokens);
    Result<lm::ScoringCase> case_of(const Condition& condition, std::size_t window,
                                    const std::vector<Gist>* made);
    Result<std::vector<ScoreLine>> score_condition(const Condition& condition, std::size_t begin,
                                                   std::size_t end,
                                                   const std::atomic<bool>* cancelled);

    Scorer& scorer_;
    const Protocol& protocol_;
    const DocumentPlan& document_;
    DocumentGists& own_;
    DocumentGists* other_;
    Gist zero_gist_;
};

}  // namespace mc::eval
