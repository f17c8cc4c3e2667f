// SPDX-License-Identifier: Apache-2.0
// The forward pass for one token of one sequence: all layers in one parallel region.
//
// The general pass (TorchModel::forward) would spend most of such a step on starting operations.
// Here the threads meet five times a layer at a barrier that spins, buffers live as long as the
// decoder, and weights are read as the file quantised them where row_kernels.h has that form.
// The step equals the general pass within bf16's rounding.
// Ownership: borrows the model's weights and tables; owns the quantised copies. Threads: one call
// at a time.
#pragma once

#include <memory>
#include <vector>

#include "lm/kernels/row_kernels.h"
#include "lm/model/model_file.h"
#include "lm/torch/fused_ops.h"
#include "lm/torch/kv_cache.h"
#include "lm/torch/model_weights.h"

namespace mc::lm {

class Decoder {
  public:
    // Null where the form is not to be had: another device, dtype or processor, biases or norms
    // of heads, sizes that no panel takes. Call when weights and rope are complete.
    static std::unique_ptr<Decoder> make(const ModelFile& file, const ModelWeights& weights,
                                         const RopeTable& rope, const ModelConfig& config);
    ~Decoder();

    // Reads input (W) f32 at a position and writes its hidden state (W) after the final norm; keys
    // and values land in the cache. Requires: the cache holds one sequence with a buffer for each
    // layer, filled up to the position, which is reserved.
    void step(const float* input, std::int64_t position, KvCache& cache, Bf16Bits* hidden);

    // The same for a token of the vocabulary; allocates nothing.
    void step_token(std::int64_t token, std::int64_t position, KvCache& cache, Bf16Bits* hidden);

    // Logits (V) of a hidden state; allocates nothing.
    void logits(const Bf16Bits* hidden, float* out);

    // Bytes of weights that a step and its logits read.
    std::int64_t weight_bytes() const;

  private:
    struct State;
    explicit Decoder(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace mc::lm
