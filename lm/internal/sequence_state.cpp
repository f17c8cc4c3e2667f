// SPDX-License-Identifier: Apache-2.0
#include "lm/internal/sequence_state.h"

#include <algorithm>

namespace mc::lm {

void HiddenHistory::append(std::span<const Entry> entries, const at::Tensor& hidden) {
    HiddenRun run;
    for (const Entry& entry : entries) run.computed.push_back(entry.kind != EntryKind::kGist);
    run.hidden = hidden;
    append(run);
}

void HiddenHistory::append(const HiddenRun& run) {
    const at::Tensor& hidden = run.hidden;
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
    for (const bool computed : run.computed) rows_.push_back(computed ? row_count_++ : -1);
}

HiddenRun HiddenHistory::copy_from(std::size_t begin) const {
    HiddenRun run;
    std::int64_t count = 0;
    for (std::size_t i = begin; i < rows_.size(); ++i) {
        run.computed.push_back(rows_[i] >= 0);
        count += rows_[i] >= 0 ? 1 : 0;
    }
    if (count > 0) run.hidden = hidden_.narrow(0, row_count_ - count, count).clone();
    return run;
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
