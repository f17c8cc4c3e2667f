// SPDX-License-Identifier: Apache-2.0
// What a Sequence holds: its cache and, for every entry, the hidden state that predicts the next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "lm/torch/cache_surgery.h"
#include "lm/torch/entry_reader.h"

namespace mc::lm {

// Consecutive entries of a history: which were computed, and the hidden states (n, W) of those.
struct HiddenRun {
    std::vector<bool> computed;
    at::Tensor hidden;  // undefined when none was computed
};

class HiddenHistory {
  public:
    // Appends kinds and the hidden states (n, W) of those that are no gists.
    void append(std::span<const Entry> entries, const at::Tensor& hidden);
    void append(const HiddenRun& run);
    // Appends a computed entry and gives its row (width), to be written. Requires: the rows are of
    // this dtype.
    void* append_row(std::int64_t width, at::ScalarType dtype);
    // A copy of the entries from begin on.
    HiddenRun copy_from(std::size_t begin) const;
    // Forgets entries from length on, if there are any.
    void truncate(std::size_t length);

    // (W) after the last entry; undefined when there is none or it is a gist.
    at::Tensor last() const;
    // Its numbers, in the dtype of the rows; null where last() is undefined.
    const void* last_row() const;

  private:
    // Makes room for count more rows.
    void reserve(std::int64_t count, std::int64_t width, const at::TensorOptions& options);
    std::byte* row(std::int64_t index) const;

    // Row of the hidden buffer after each entry, or -1 for a gist.
    std::vector<std::int64_t> rows_;
    std::int64_t row_count_ = 0;
    at::Tensor hidden_;  // (capacity, W)
};

// The entries of a sequence from some position on, to be put back there or elsewhere.
struct SequenceRun {
    CacheRun cache;
    HiddenRun history;
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

    // Appends one token through the model's decoder. Allocates only to grow the buffers, which
    // double. Requires: the model has a decoder, and the token fits its context.
    void append_token(TokenId token);

    SequenceRun copy_from(std::int64_t begin) {
        return {copy_run(cache, begin, cache.length()),
                history.copy_from(static_cast<std::size_t>(begin))};
    }

    // Appends entries that were copied shift positions before where they come to stand.
    void append_run(SequenceRun run, std::int64_t shift) {
        const std::int64_t begin = cache.length();
        const std::int64_t count = run.cache.length();
        write_run(cache, moved_run(model, std::move(run.cache), shift), begin);
        cache.set_length(begin + count);
        history.append(run.history);
    }
};

}  // namespace mc::lm
