// SPDX-License-Identifier: Apache-2.0
#include "lm/torch/window_reading.h"

#include <numeric>
#include <utility>

#include "core/check.h"

namespace mc::lm {

ReadOutput WindowReading::read(std::span<const TokenId> more, std::int64_t kept_count,
                               std::vector<std::int64_t> residual_layers) {
    const auto begin = static_cast<std::int64_t>(tokens_.size());
    const auto count = static_cast<std::int64_t>(more.size());
    MC_CHECK(kept_count <= count, "more is kept than read");
    MC_CHECK(begin + count <= model_->config.context_length, "window beyond the model's context");
    ReadOutput out = model_->room_for(1, kept_count, std::move(residual_layers));
    std::vector<std::int64_t> positions(more.size());
    std::iota(positions.begin(), positions.end(), begin);
    cache_.reserve(begin + count);
    out.hidden = model_->forward(model_->embed(more).unsqueeze(0), positions, cache_, &out);
    cache_.set_length(begin + count);
    tokens_.insert(tokens_.end(), more.begin(), more.end());
    return out;
}

}  // namespace mc::lm
