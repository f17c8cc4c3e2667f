// SPDX-License-Identifier: Apache-2.0
// Likelihood of every token of a document under the base model, window by window.
//
// With window W and stride S, in entries, BOS counted: the first window reads BOS and tokens
// [0, W−1) and scores them all. Every next one ends S tokens further on (the last one at the
// document's end), reads BOS and the W−1 tokens before its end, and scores those that no earlier
// window has scored. So each token is scored once, given BOS and everything before it as far as the
// window reaches: all of it for the first W−1 tokens, at least W−S entries for the others. The
// numbers do not depend on how the tokens arrive (docs/evaluation.md). Memory: W+S tokens and one
// window's activations, however long the document. Threads: one. Errors: kUsage for options out of
// range; those of the model; the receiver's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "core/result.h"
#include "lm/base_model.h"

namespace mc::lm {

struct LikelihoodOptions {
    std::uint32_t window = 1024;  // W: 2 to the model's context length
    std::uint32_t stride = 512;   // S: 1 to W−1
    std::uint32_t top_k = 0;      // likeliest tokens to report at every place, at most 1000
};

struct TokenLikelihood {
    std::uint64_t index = 0;  // in the document
    TokenId token = 0;
    float nll = 0;      // nats; of a byte token: that of the stand-in token
    float entropy = 0;  // nats, of the prediction
    // The likeliest first, with their log-probabilities; equally likely ones in no stated order.
    std::vector<std::pair<TokenId, float>> top;
};

class LikelihoodScorer {
  public:
    // Receives the scored tokens of one window, in order. An error ends the scoring.
    using Receiver = std::function<Result<void>(std::span<const TokenLikelihood>)>;

    // Borrows the model.
    static Result<LikelihoodScorer> make(const BaseModel& model, const LikelihoodOptions& options,
                                         Receiver receiver);

    // The document's next tokens.
    Result<void> push(std::span<const TokenId> tokens);
    // Scores what is left. The scorer is then done.
    Result<void> finish();

  private:
    LikelihoodScorer(const BaseModel& model, const LikelihoodOptions& options, Receiver receiver);
    // Scores the tokens up to end, which counts from held_'s front.
    Result<void> score_to(std::size_t end);

    const BaseModel* model_;
    LikelihoodOptions options_;
    Receiver receiver_;
    std::vector<TokenId> held_;  // the last tokens of the document
    std::uint64_t held_begin_ = 0;
    std::size_t scored_ = 0;  // of held_
};

}  // namespace mc::lm
