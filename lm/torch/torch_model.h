// SPDX-License-Identifier: Apache-2.0
// The frozen model on tensors: embeddings in, hidden states out, keys and values where asked.
//
// No function here enters inference mode or catches libtorch's exceptions: callers do both
// (torch_fence.h), so that training can differentiate through the same forward pass.
// Ownership: owns weights, tokenizer and tables; caches belong to the caller. Threads: one at a
// time. Letters: B batch, T steps, L layers, Hq query heads, H KV heads, D head width, W hidden
// width, V vocabulary.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lm/model/model_config.h"
#include "lm/model/model_options.h"
#include "lm/tokenizer/tokenizer.h"
#include "lm/torch/decoder.h"
#include "lm/torch/fused_ops.h"
#include "lm/torch/kv_cache.h"
#include "lm/torch/model_weights.h"
#include "lm/torch/torch_fence.h"

namespace mc::lm {

// What a reading pass leaves for a compressor. On the device, in the compute dtype.
struct ReadOutput {
    at::Tensor keys;    // (B, L, H, T, D), before rotation
    at::Tensor values;  // (B, L, H, T, D)
    at::Tensor hidden;  // (B, T, W), after the final norm

    // Only where asked for.
    at::Tensor queries;   // (B, L, Hq, T, D), before rotation
    at::Tensor attended;  // (B, L, T, Hq × D): attention's output, before its projection
    // Which residual streams to keep too, ascending: 0 is the embeddings, n what layer n - 1
    // leaves.
    std::vector<std::int64_t> residual_layers;
    at::Tensor residuals;  // (B, residual_layers.size(), T, W), each at unit mean square
};

// Negative log-likelihoods and, when asked for, entropies of the predictions, in nats.
struct Likelihoods {
    at::Tensor nll;      // (N) f32
    at::Tensor entropy;  // (N) f32 or undefined
};

struct TorchModel {
    // Errors: as BaseModel::open (lm/base_model.h).
    static Result<std::unique_ptr<TorchModel>> load(const ModelOptions& options);

    ModelConfig config;
    std::unique_ptr<Tokenizer> tokenizer;
    Hash128 hash;
    at::Device device = at::kCPU;
    at::ScalarType dtype = at::kFloat;
    ModelWeights weights;
    RopeTable rope;
    std::unique_ptr<Decoder> decoder;  // for one token at a time, or null

    // (tokens, W) input embeddings. Byte tokens read as the stand-in token.
    at::Tensor embed(std::span<const TokenId> tokens) const;

    // The vocabulary id that stands for a token in inputs and targets.
    TokenId vocabulary_id(TokenId token) const;

    // The same of many, (tokens) int64 on the device.
    at::Tensor token_index(std::span<const TokenId> tokens) const;

    KvCache new_cache(std::int64_t batch, CacheKind kind) const;

    // Reads inputs (B, T, W) at positions (T) and returns hidden states (B, T, W) after the final
    // norm. Each input sees every cache entry at or before its position, so gists between inputs
    // are placed first. Keys and values land in the cache; its length is the caller's to set. kept,
    // when given, receives what its tensors have room for, of the last inputs; when that is
    // residual streams alone, the pass ends with the last of them and returns an undefined tensor.
    // Requires: positions strictly ascending and reserved in the cache.
    at::Tensor forward(const at::Tensor& inputs, std::span<const std::int64_t> positions,
                       KvCache& cache, ReadOutput* kept = nullptr) const;

    // Writes foreign keys (before rotation) and values (B, n, L, H, D), and their log-mass (B, n,
    // L, H) where it is defined, into the cache at positions. Requires: positions ascending and
    // reserved.
    void place(KvCache& cache, std::span<const std::int64_t> positions, const at::Tensor& keys,
               const at::Tensor& values, const at::Tensor& log_mass = {}) const;

    // One causal pass over windows of equal length, without a cache to keep. Keys, values and
    // residual streams are those of the steps from kept_begin on; hidden states are of all steps.
    ReadOutput read_windows(std::span<const std::vector<TokenId>> windows, std::int64_t kept_begin,
                            std::vector<std::int64_t> residual_layers = {}) const;

    // The same with the attention's queries and outputs.
    ReadOutput read_attention(std::span<const std::vector<TokenId>> windows,
                              std::int64_t kept_begin) const;

    // Such a pass's residual streams (B, R, T, W) alone: layers above the last one do not run.
    // Requires: a layer is asked for.
    at::Tensor read_residuals(std::span<const std::vector<TokenId>> windows,
                              std::int64_t kept_begin,
                              std::vector<std::int64_t> residual_layers) const;

    // Logits (N, V) in f32 of hidden states (N, W), for few rows.
    at::Tensor logits(const at::Tensor& hidden) const;

    // Likelihoods of targets (N) after hidden states (N, W), a bounded number of rows at a time.
    Likelihoods score(const at::Tensor& hidden, const at::Tensor& targets, bool with_entropy) const;

    // Entries to have in flight in one pass: what the device computes best, with activations and
    // cache bounded.
    std::int64_t entries_per_pass() const;

    // With room for keys and values of `count` steps, and for those residual streams.
    ReadOutput room_for(std::int64_t batch, std::int64_t count,
                        std::vector<std::int64_t> residual_layers) const;

  private:
    at::Tensor read(std::span<const std::vector<TokenId>> windows, ReadOutput& kept) const;
};

}  // namespace mc::lm
