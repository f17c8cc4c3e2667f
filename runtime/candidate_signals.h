// SPDX-License-Identifier: Apache-2.0
// LensNet's inputs for the passages that a search found.
//
// What the search knows costs nothing; the passages' texts cost a read each. The two likelihoods
// ask the base model: how much likelier is the question behind the passage, or behind its gists?
// (query likelihood, Ponte and Croft 1998, with the reader as the language model). Ownership:
// borrows the session for the call. Threads: one. Errors: the store's and the model's. Cost: of
// kQuestionLikelihood, reading every passage and the question behind it; of kGistLikelihood, the
// question behind each passage's gists.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "lensnet/signals.h"
#include "runtime/bank_session.h"
#include "working_context/passage_ranking.h"

namespace mc::runtime {

// The gists of the blocks that a passage shares a token with; fewer or none in a document's tail.
Result<std::vector<Gist>> passage_gists(const NodeStore& nodes, const Passage& passage);

// Which of the signals that ask the base model to make; the others are always made.
struct SignalChoice {
    bool question_likelihood = true;
    bool gist_likelihood = true;
};

// Of candidates, in their order. ranking: all that the search found, for neighbours.
// Requires: a model where the choice needs one.
Result<std::vector<lensnet::Signals>> candidate_signals(BankSession& bank,
                                                        const std::string& question,
                                                        std::span<const RankedPassage> candidates,
                                                        std::span<const RankedPassage> ranking,
                                                        const SignalChoice& choice);

}  // namespace mc::runtime
