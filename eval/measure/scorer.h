// SPDX-License-Identifier: Apache-2.0
// Port: what delta-nll asks of a model and its gist encoders. base_model_scorer.h implements it on
// the base model, tests by arithmetic.
//
// Threads: one. Errors: kModel when the model fails.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/hash.h"
#include "core/ids.h"
#include "core/result.h"
#include "lm/model/segment.h"
#include "tree/gist_encoder.h"

namespace mc::eval {

// What results.json records of the model.
struct ScorerFacts {
    std::string model_name;
    Hash128 model_hash;
    Hash128 tokenizer_hash;
    std::string device;    // "cpu, bf16, 2 threads"
    GistShape gist_shape;  // of the model's keys and values
    std::uint32_t hidden_dim = 0;
    std::uint32_t context_length = 0;  // entries
    TokenId bos = 0;
    std::vector<EncoderInfo> encoders;  // in the order of DeltaNllOptions::encoders
};

// Gists to fit to what the full context predicts in a horizon.
struct OracleCase {
    std::vector<Gist> start;
    std::vector<TokenId> context;  // without BOS
    std::vector<TokenId> horizon;
};

class Scorer {
  public:
    virtual ~Scorer() = default;

    virtual const ScorerFacts& facts() const = 0;
    virtual std::vector<TokenId> tokenize(std::string_view bytes) const = 0;

    // (tokens.size(), hidden_dim), row-major.
    virtual Result<std::vector<float>> embeddings_of(std::span<const TokenId> tokens) = 0;

    // As GistEncoder::encode_windows. Requires: encoder < facts().encoders.size().
    virtual Result<std::vector<std::vector<Gist>>> encode_windows(
        std::size_t encoder, std::span<const ReadWindow> windows) = 0;

    // As GistEncoder::encode_parents.
    virtual Result<std::vector<Gist>> encode_parents(std::size_t encoder,
                                                     std::span<const SiblingGists> families) = 0;

    // Keys and values that gradient descent finds from `start` on, for each case. Sees the horizon:
    // a ceiling, not a method. Requires: cases of equal shape.
    virtual Result<std::vector<std::vector<Gist>>> optimize_gists(
        std::span<const OracleCase> cases) = 0;

    // As BaseModel::score_batch.
    virtual Result<std::vector<std::vector<float>>> score_batch(
        std::span<const lm::ScoringCase> cases) = 0;
};

}  // namespace mc::eval
