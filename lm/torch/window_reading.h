// SPDX-License-Identifier: Apache-2.0
// A window that is read piece by piece: what was read stays in its cache, so that more tokens cost
// themselves alone. Equal to TorchModel::read_windows() of the whole within rounding.
//
// No function here enters inference mode or catches libtorch's exceptions (torch_fence.h).
// Ownership: borrows the model; keeps keys and values of all layers, 47 MB in f32 for 769 tokens of
// the default model. Threads: one, with the model.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lm/torch/torch_model.h"

namespace mc::lm {

class WindowReading {
  public:
    explicit WindowReading(const TorchModel& model)
        : model_(&model), cache_(model.new_cache(1, CacheKind::kPerLayer)) {}

    // What was read so far, with its BOS.
    const std::vector<TokenId>& tokens() const { return tokens_; }

    // Reads more tokens. Hidden states are those of `more`; keys, values and residual streams those
    // of its last kept_count. After an exception the reading is as it was. Requires: kept_count ≤
    // more.size(), and the whole fits the model's context.
    ReadOutput read(std::span<const TokenId> more, std::int64_t kept_count,
                    std::vector<std::int64_t> residual_layers);

  private:
    const TorchModel* model_;
    KvCache cache_;
    std::vector<TokenId> tokens_;
};

}  // namespace mc::lm
