// SPDX-License-Identifier: Apache-2.0
#include "lm/torch/sequence_state.h"

#include <algorithm>

namespace mc::lm {

void HiddenHistory::reserve(std::int64_t count, std::int64_t width,
                            const at::TensorOptions& options) {
    const std::int64_t needed = row_count_ + count;
    if (hidden_.defined() && hidden_.size(0) >= needed) return;
    const std::int64_t capacity =
        hidden_.defined() ? std::max(needed, 2 * hidden_.size(0)) : needed;
    at::Tensor larger = at::empty({capacity, width}, options);
    if (row_count_ > 0) larger.narrow(0, 0, row_count_).copy_(hidden_.narrow(0, 0, row_count_));
    hidden_ = std::move(larger);
}

std::byte* HiddenHistory::row(std::int64_t index) const {
    const std::int64_t bytes = hidden_.size(1) * static_cast<std::int64_t>(hidden_.element_size());
    return static_cast<std::byte*>(hidden_.data_ptr()) + index * bytes;
}

void HiddenHistory::append(std::span<const Entry> entries, const at::Tensor& hidden) {
    HiddenRun run;
    for (const Entry& entry : entries) run.computed.push_back(entry.kind != EntryKind::kGist);
    run.hidden = hidden;
    append(run);
}

void HiddenHistory::append(const HiddenRun& run) {
    const at::Tensor& hidden = run.hidden;
    if (hidden.defined()) {
        reserve(hidden.size(0), hidden.size(1), hidden.options());
        hidden_.narrow(0, row_count_, hidden.size(0)).copy_(hidden);
    }
    for (const bool computed : run.computed) rows_.push_back(computed ? row_count_++ : -1);
}

void* HiddenHistory::append_row(std::int64_t width, at::ScalarType dtype) {
    reserve(1, width, at::TensorOptions(dtype));
    rows_.push_back(row_count_);
    return row(row_count_++);
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

const void* HiddenHistory::last_row() const {
    return rows_.empty() || rows_.back() < 0 ? nullptr : row(rows_.back());
}

void SequenceState::append_token(TokenId token) {
    const std::int64_t position = cache.length();
    cache.reserve(position + 1);
    void* hidden = history.append_row(std::int64_t{model.config.hidden_dim}, model.dtype);
    model.decoder->step_token(model.vocabulary_id(token), position, cache,
                              static_cast<Bf16Bits*>(hidden));
    cache.set_length(position + 1);
}

}  // namespace mc::lm
