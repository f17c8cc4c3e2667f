// SPDX-License-Identifier: Apache-2.0
#include "eval/base_model/base_model_scorer.h"

#include <utility>

#include "core/check.h"
#include "eval/measure/encoder_name.h"
#include "gistnet/base_model_gist_encoder.h"
#include "gistnet/probes/gist_optimizer.h"

namespace mc::eval {

Result<std::unique_ptr<BaseModelScorer>> BaseModelScorer::make(
    const lm::BaseModel& model, const std::vector<std::string>& encoders) {
    std::unique_ptr<BaseModelScorer> scorer(new BaseModelScorer(model));
    const lm::ModelConfig& config = model.config();
    ScorerFacts& facts = scorer->facts_;
    facts.model_name = config.name;
    facts.model_hash = model.hash();
    facts.tokenizer_hash = model.tokenizer().hash();
    facts.device = model.device_description();
    facts.gist_shape = config.gist_shape();
    facts.hidden_dim = config.hidden_dim;
    facts.context_length = config.context_length;
    facts.bos = model.tokenizer().bos();
    for (const std::string& name : encoders) {
        gistnet::GistEncoderOptions options;
        options.pooling = encoder_source(name);
        MC_ASSIGN(auto encoder, gistnet::make_gist_encoder(model, options));
        facts.encoders.push_back(encoder->info());
        scorer->encoders_.push_back(std::move(encoder));
    }
    return scorer;
}

std::vector<TokenId> BaseModelScorer::tokenize(std::string_view bytes) const {
    return model_.tokenizer().encode(bytes);
}

Result<std::vector<float>> BaseModelScorer::embeddings_of(std::span<const TokenId> tokens) {
    return model_.embeddings_of(tokens);
}

Result<std::vector<std::vector<Gist>>> BaseModelScorer::encode_windows(
    std::size_t encoder, std::span<const ReadWindow> windows) {
    MC_CHECK(encoder < encoders_.size(), "no such encoder");
    return encoders_[encoder]->encode_windows(windows, false);
}

Result<std::vector<Gist>> BaseModelScorer::encode_parents(std::size_t encoder,
                                                          std::span<const SiblingGists> families) {
    MC_CHECK(encoder < encoders_.size(), "no such encoder");
    return encoders_[encoder]->encode_parents(families);
}

Result<std::vector<std::vector<Gist>>> BaseModelScorer::optimize_gists(
    std::span<const OracleCase> cases) {
    std::vector<gistnet::OptimizerWindow> windows;
    for (const OracleCase& one : cases) windows.push_back({one.start, one.context, one.horizon});
    MC_ASSIGN(auto found, gistnet::optimize_gists(model_, windows));
    return std::move(found.gists);
}

Result<std::vector<std::vector<float>>> BaseModelScorer::score_batch(
    std::span<const lm::ScoringCase> cases) {
    return model_.score_batch(cases);
}

}  // namespace mc::eval
