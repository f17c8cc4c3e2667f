// SPDX-License-Identifier: Apache-2.0
// The frozen language model: reads tokens, vectors and gists in one sequence, scores and predicts.
//
// Llama, Qwen 2 and Qwen 3 (RMSNorm, RoPE, grouped-query attention, SwiGLU), from a GGUF file or a
// folder of safetensors, computed by libtorch, which stays in lm/torch. Nothing here
// changes a weight, and nobody is handed one that may be: gistnet reads them as constants, and
// hashes them before and after it trains.
// Entries take one position each, in order, from 0. A gist is placed by rotating its keys to its
// position and putting keys and values in the cache of every layer; tokens and vectors go through
// the model and see every entry before them.
// Ownership: BaseModel outlives its Sequences. Threads: one thread at a time per model.
// Errors: kModel when libtorch fails; kInvalidInput for a file that cannot be used, naming the
// field; kOverBudget when a sequence would grow beyond the model's context length.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/hash.h"
#include "core/ids.h"
#include "core/result.h"
#include "lm/model/model_config.h"
#include "lm/model/model_options.h"
#include "lm/model/segment.h"
#include "lm/tokenizer/tokenizer.h"

namespace mc::lm {

struct TorchModel;     // lm/torch/torch_model.h
struct SequenceState;  // lm/torch/sequence_state.h

// One growing sequence and its KV cache.
class Sequence {
  public:
    ~Sequence();
    Sequence(const Sequence&) = delete;
    Sequence& operator=(const Sequence&) = delete;

    std::uint32_t length() const;  // entries

    // Appends entries; the model sees them, nothing is returned. On error the sequence is as
    // before.
    Result<void> append(std::span<const Segment> segments);

    // append() of one token. Where the model decodes in its own buffers (processors with
    // AVX512_BF16), it allocates only when the sequence outgrows its buffers, which then double.
    Result<void> append_token(TokenId token);

    // Appends tokens and returns each one's NLL in nats given everything before it; NaN for a first
    // token with nothing or a gist right before it (a gist predicts nothing).
    Result<std::vector<float>> score(std::span<const TokenId> tokens);

    // Logits (vocabulary_size) after the last token or vector. Requires: the last entry is one.
    Result<std::vector<float>> next_logits() const;

    // The same into a buffer of the caller's; allocates as append_token() does. Requires:
    // out.size() = vocabulary_size.
    Result<void> next_logits_into(std::span<float> out) const;

    // Forgets every entry from a position on. Requires: length ≤ length().
    void truncate(std::uint32_t length);

    // Puts other entries in place of [begin, end). Entries before begin are not touched. The new
    // ones are read after them, as append() would. Entries from end on move to where they now
    // belong without being read again: their keys are turned to the new positions, and otherwise
    // they stay as they were, so what they took from the entries that are gone stays in them and
    // the new ones are not in them. Exact for gists, which take nothing from others; for tokens
    // and vectors an approximation, and next_logits() and score() go on from their old states. On
    // error the sequence is as before. Requires: begin ≤ end ≤ length().
    Result<void> splice(std::uint32_t begin, std::uint32_t end,
                        std::span<const Segment> replacement);

  private:
    friend class BaseModel;
    explicit Sequence(std::unique_ptr<SequenceState> state);
    std::unique_ptr<SequenceState> state_;
};

class BaseModel {
  public:
    // Cost: reads and decodes all weights (0.3 s for SmolLM2-135M).
    static Result<std::unique_ptr<BaseModel>> open(const ModelOptions& options);
    ~BaseModel();
    BaseModel(const BaseModel&) = delete;
    BaseModel& operator=(const BaseModel&) = delete;

    const ModelConfig& config() const;
    const Tokenizer& tokenizer() const;
    // XXH3-128 of the GGUF file, or of a folder's config.json, tokenizer.json and weight files in
    // the order of their names: what a store records.
    Hash128 hash() const;
    // "cpu, bf16, 2 threads": for logs and reports.
    std::string device_description() const;

    std::unique_ptr<Sequence> new_sequence() const;

    // Sequence::score for many cases of any lengths, computed together where tokens and vectors
    // stand in the same places and gists in the same; equal to one at a time within rounding.
    Result<std::vector<std::vector<float>>> score_batch(std::span<const ScoringCase> cases) const;

    // (tokens.size(), hidden_dim) input embeddings, row-major.
    Result<std::vector<float>> embeddings_of(std::span<const TokenId> tokens) const;

    // For gistnet and lensnet: tensors on the device (lm/torch/torch_model.h).
    const TorchModel& torch_model() const { return *model_; }

  private:
    explicit BaseModel(std::unique_ptr<TorchModel> model);
    std::unique_ptr<TorchModel> model_;
};

}  // namespace mc::lm
