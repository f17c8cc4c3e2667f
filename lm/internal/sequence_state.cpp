// SPDX-License-Identifier: Apache-2.0
#include "lm/internal/sequence_state.h"

#include <algorithm>

namespace mc::lm {

void HiddenHistory::append(std::span<const Entry> entries, const at::Tensor& hidden) {
    if (hidden.defined()) {
        const std::int64_t needed = row_count_ + hidden.size(0);
        if (!hidden_.defined() || hidden_.size(0) < needed) {
            const std::int64_t capacity =
                hidden_.defined() ? std::max(needed, 2 * hidden_.size(0)) : needed;
            at::Tensor larger = at::empty({capacity, hidden.size(1)}, hidden.options());
            if (row_count_ > 0)
                larger.narrow(0, 0, row_count_).copy_(hidden_.narrow(0, 0, row_count_));
            hidden_ = std::move(larger);
        }
        hidden_.narrow(0, row_count_, hidden.size(0)).copy_(hidden);
    }
    for (const Entry& entry : entries)
        rows_.push_back(entry.kind == EntryKind::kGist ? -1 : row_count_++);
}

void HiddenHistory::truncate(std::size_t length) {
    while (rows_.size() > length) {
        if (rows_.back() >= 0) --row_count_;
        rows_.pop_back();
    }
}

at::Tensor HiddenHistory::last() const {
    if (rows_.empty() || rows_.back() < 0) return {};
    return hidden_.select(0, rows_.back());
}

}  // namespace mc::lm
