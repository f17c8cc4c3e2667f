// SPDX-License-Identifier: Apache-2.0
// Read windows that are still growing: where a document grows by messages, each new block is read
// behind what the last one left, instead of the whole window again (up to 768 tokens for 32).
//
// Ownership: borrows the model; keeps the two windows that were read last. Threads: one, with the
// model. Errors: libtorch's exceptions pass.
#pragma once

#include <cstdint>
#include <list>
#include <span>
#include <vector>

#include "lm/torch/window_reading.h"

namespace mc::gistnet {

class OpenWindows {
  public:
    explicit OpenWindows(const lm::TorchModel& model) : model_(model) {}

    // What TorchModel::read_windows() gives of one window (with its BOS) from kept_begin on, but
    // that hidden states may begin later: the last ones are those of the kept steps.
    lm::ReadOutput read(std::span<const TokenId> window, std::int64_t kept_begin,
                        const std::vector<std::int64_t>& residual_layers);

  private:
    // To the front: the longest reading that the window goes on from before kept_begin, or a new
    // one in place of the one that was used longest ago.
    lm::WindowReading& reading_of(std::span<const TokenId> window, std::int64_t kept_begin);

    const lm::TorchModel& model_;
    std::list<lm::WindowReading> readings_;  // newest first
};

}  // namespace mc::gistnet
