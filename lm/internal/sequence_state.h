// SPDX-License-Identifier: Apache-2.0
// What a Sequence holds: its cache and, for every entry, the hidden state that predicts the next.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lm/internal/entry_reader.h"

namespace mc::lm {

class HiddenHistory {
  public:
    // Appends kinds and the hidden states (n, W) of those that are no gists.
    void append(std::span<const Entry> entries, const at::Tensor& hidden);
    // Forgets entries from length on, if there are any.
    void truncate(std::size_t length);

    // (W) after the last entry; undefined when there is none or it is a gist.
    at::Tensor last() const;

  private:
    // Row of the hidden buffer after each entry, or -1 for a gist.
    std::vector<std::int64_t> rows_;
    std::int64_t row_count_ = 0;
    at::Tensor hidden_;  // (capacity, W)
};

struct SequenceState {
    const TorchModel& model;
    KvCache cache;
    HiddenHistory history;

    // Forgets every entry from length on, also those that a failed append left half done.
    void restore(std::int64_t length) {
        cache.set_length(length);
        history.truncate(static_cast<std::size_t>(length));
    }
};

}  // namespace mc::lm
