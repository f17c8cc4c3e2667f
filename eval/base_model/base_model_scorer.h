// SPDX-License-Identifier: Apache-2.0
// The Scorer port on the base model and its gist encoders.
//
// Ownership: borrows the model for its lifetime. Threads: one, with the model. Errors of make():
// kUsage for an encoder that does not exist.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "eval/measure/scorer.h"
#include "lm/base_model.h"

namespace mc::eval {

class BaseModelScorer final : public Scorer {
  public:
    static Result<std::unique_ptr<BaseModelScorer>> make(const lm::BaseModel& model,
                                                         const std::vector<std::string>& encoders);

    const ScorerFacts& facts() const override { return facts_; }

    std::vector<TokenId> tokenize(std::string_view bytes) const override;
    Result<std::vector<float>> embeddings_of(std::span<const TokenId> tokens) override;
    Result<std::vector<std::vector<Gist>>> encode_windows(
        std::size_t encoder, std::span<const ReadWindow> windows) override;
    Result<std::vector<Gist>> encode_parents(std::size_t encoder,
                                             std::span<const SiblingGists> families) override;
    Result<std::vector<std::vector<Gist>>> optimize_gists(
        std::span<const OracleCase> cases) override;
    Result<std::vector<std::vector<float>>> score_batch(
        std::span<const lm::ScoringCase> cases) override;

  private:
    explicit BaseModelScorer(const lm::BaseModel& model) : model_(model) {}

    const lm::BaseModel& model_;
    std::vector<std::unique_ptr<GistEncoder>> encoders_;
    ScorerFacts facts_;
};

}  // namespace mc::eval
